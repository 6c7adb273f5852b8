//! Where the token is, and that there is one of it: one field, one scheme, no comma, no folding (RFC 6750 §2.1, RFC 9110 §5.3).

use crate::{bearer, gate::request::Request, limits::Limits, rejection::Rejection};

/// Where a policy looks for the token.
#[derive(Debug)]
pub(crate) struct Places {
    /// A header, in lower case.
    pub(crate) header: Option<String>,
    /// The scheme in front of the token; `None` for the token alone.
    pub(crate) scheme: Option<String>,
    pub(crate) cookie: Option<String>,
}

impl Default for Places {
    fn default() -> Self {
        Places { header: Some(AUTHORIZATION.to_owned()), scheme: Some(BEARER.to_owned()), cookie: None }
    }
}

pub(crate) const AUTHORIZATION: &str = "authorization";
pub(crate) const BEARER: &str = "Bearer";
const DPOP: &str = "DPoP";

/// A token as it was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Credentials<'f> {
    pub(crate) token: &'f str,
    /// Did it come with the scheme `DPoP` (RFC 9449 §7.1)?
    pub(crate) with_proof: bool,
}

impl Places {
    /// The token of a request; `None` when there is none.
    ///
    /// # Errors
    /// The stage `bearer` of [`Rejection`].
    pub(crate) fn find<'f>(
        &self,
        request: &Request<'f>,
        limits: &Limits,
    ) -> Result<Option<Credentials<'f>>, Rejection> {
        let in_header = match &self.header {
            None => None,
            Some(name) => self.in_header(request, name, limits)?,
        };
        let in_cookie = match &self.cookie {
            None => None,
            Some(name) => in_cookie(request, name, limits)?,
        };
        match (in_header, in_cookie) {
            (Some(_), Some(_)) => Err(Rejection::AuthorizationAmbiguous),
            (found, other) => Ok(found.or(other)),
        }
    }

    fn in_header<'f>(
        &self,
        request: &Request<'f>,
        name: &str,
        limits: &Limits,
    ) -> Result<Option<Credentials<'f>>, Rejection> {
        let mut fields = request.fields(name);
        let value = match (fields.next(), fields.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => value,
            (Some(_), Some(_)) => return Err(Rejection::AuthorizationAmbiguous),
        };
        let Some(scheme) = &self.scheme else {
            return Ok(Some(Credentials { token: alone(value, limits)?, with_proof: false }));
        };
        let may_prove = name == AUTHORIZATION && scheme.eq_ignore_ascii_case(BEARER);
        let with_proof = may_prove && value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("DPoP "));
        let scheme = if with_proof { DPOP } else { scheme };
        Ok(Some(Credentials { token: bearer::token_with_scheme(value, scheme, limits)?, with_proof }))
    }

    /// That there is no token in any of the places.
    pub(crate) fn missing(&self) -> Rejection {
        let header = self.header.iter().map(|name| match name.as_str() {
            AUTHORIZATION => "Authorization header".to_owned(),
            name => [name, " header"].concat(),
        });
        let cookie = self.cookie.iter().map(|name| ["cookie \"", name, "\""].concat());
        Rejection::AuthorizationMissing { expected: header.chain(cookie).collect() }
    }

    /// Whether a DPoP proof can come along.
    pub(crate) fn may_prove(&self) -> bool {
        let by_bearer = self.scheme.as_deref().is_some_and(|scheme| scheme.eq_ignore_ascii_case(BEARER));
        self.header.as_deref() == Some(AUTHORIZATION) && by_bearer
    }
}

/// A token that is all there is in its field.
fn alone<'f>(value: &'f str, limits: &Limits) -> Result<&'f str, Rejection> {
    if value.len() > bearer::LONGEST {
        return Err(Rejection::TokenTooLarge { limit: limits.token_bytes(), actual: value.len() });
    }
    if value.contains(',') {
        return Err(Rejection::AuthorizationAmbiguous);
    }
    if bearer::is_token(value, limits) { Ok(value) } else { Err(Rejection::AuthorizationMalformed) }
}

/// The one cookie of that name (RFC 6265 §4.2.1). Two of one name come from two places, and nothing says which is meant.
fn in_cookie<'f>(request: &Request<'f>, name: &str, limits: &Limits) -> Result<Option<Credentials<'f>>, Rejection> {
    let pairs = request.fields("cookie").flat_map(|field| field.split(';'));
    let mut values = pairs.filter_map(|pair| {
        let (own, value) = pair.split_once('=')?;
        (own.trim_matches([' ', '\t']) == name).then(|| value.trim_matches([' ', '\t']))
    });
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        // What is left of a cookie that was deleted.
        (Some(""), None) => Ok(None),
        (Some(value), None) => {
            let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            Ok(Some(Credentials { token: alone(bare, limits)?, with_proof: false }))
        }
        (Some(_), Some(_)) => Err(Rejection::AuthorizationAmbiguous),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{facts::Facts, request::Proxies};
    use proptest::prelude::*;

    fn find(places: &Places, headers: &[(&str, &str)]) -> Result<Option<(String, bool)>, Rejection> {
        let facts = Facts { method: "GET", url: "https://a/", headers, ..Facts::default() };
        let request = Request::read(&facts, &Proxies::default()).unwrap();
        let found = places.find(&request, &Limits::default())?;
        Ok(found.map(|found| (found.token.to_owned(), found.with_proof)))
    }

    fn places(header: Option<&str>, scheme: Option<&str>, cookie: Option<&str>) -> Places {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Places { header: own(header), scheme: own(scheme), cookie: own(cookie) }
    }

    #[test]
    fn one_authorization_header_with_one_scheme() {
        let find = |headers: &[(&str, &str)]| find(&Places::default(), headers);
        assert_eq!(find(&[]), Ok(None));
        assert_eq!(find(&[("AUTHORIZATION", "bearer abc")]), Ok(Some(("abc".into(), false))));
        assert_eq!(find(&[("Authorization", "dpop abc")]), Ok(Some(("abc".into(), true))));
        for headers in [
            &[("authorization", "Bearer a"), ("Authorization", "Bearer a")][..],
            &[("authorization", "Bearer a, Bearer b")],
            &[("authorization", "DPoP a,b")],
        ] {
            assert_eq!(find(headers), Err(Rejection::AuthorizationAmbiguous));
        }
        assert_eq!(find(&[("authorization", "Basic YTpi")]), Err(Rejection::AuthorizationScheme));
        assert_eq!(find(&[("authorization", "DPoP")]), Err(Rejection::AuthorizationScheme));
        for value in ["Bearer", "Bearer a\r\n b", "DPoP ", "DPoP  a", "Bearer\ta b"] {
            let refused = find(&[("authorization", value)]).unwrap_err();
            assert!(matches!(refused, Rejection::AuthorizationMalformed | Rejection::AuthorizationScheme), "{value}");
        }
    }

    #[test]
    fn another_header_holds_the_token_alone_or_with_its_scheme() {
        let bare = places(Some("cf-access-jwt-assertion"), None, None);
        assert_eq!(find(&bare, &[("Cf-Access-Jwt-Assertion", "abc")]), Ok(Some(("abc".into(), false))));
        assert_eq!(find(&bare, &[("authorization", "Bearer abc")]), Ok(None));
        let token = places(Some("x-token"), Some("Token"), None);
        assert_eq!(find(&token, &[("x-token", "token abc")]), Ok(Some(("abc".into(), false))));
        assert_eq!(find(&token, &[("x-token", "DPoP abc")]), Err(Rejection::AuthorizationScheme));
        assert_eq!(find(&bare, &[("cf-access-jwt-assertion", "a b")]), Err(Rejection::AuthorizationMalformed));
    }

    #[test]
    fn one_cookie_and_not_both_places() {
        let both = places(Some("authorization"), Some("Bearer"), Some("session"));
        for (value, expected) in [
            ("a=b; session=abc; c=d", Ok(Some(("abc".to_owned(), false)))),
            ("session=\"abc\"", Ok(Some(("abc".to_owned(), false)))),
            ("session=", Ok(None)),
            ("xsession=abc; session2=b", Ok(None)),
            ("session=abc; session=abc", Err(Rejection::AuthorizationAmbiguous)),
            ("session=a b", Err(Rejection::AuthorizationMalformed)),
        ] {
            assert_eq!(find(&both, &[("cookie", value)]), expected, "{value}");
        }
        let twice = [("cookie", "session=abc"), ("authorization", "Bearer abc")];
        assert_eq!(find(&both, &twice), Err(Rejection::AuthorizationAmbiguous));
        assert_eq!(find(&both, &[("authorization", "Bearer abc")]), Ok(Some(("abc".into(), false))));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(value in ".{0,40}", cookie in "[a=; \",]{0,20}") {
            let both = places(Some("authorization"), Some("Bearer"), Some("a"));
            let _ = find(&both, &[("authorization", &value), ("cookie", &cookie)]);
            let _ = find(&places(Some("x"), None, None), &[("x", &value)]);
        }
    }
}
