//! Where the token is, and that there is one of it: one field, one scheme, no comma, no folding
//! (RFC 6750 §2.1, RFC 9110 §5.3).

use crate::{
    bearer,
    document::checked::Checked,
    gate::{cross_site::CrossSite, request::Request, subprotocol},
    limits::Limits,
    policy_error::PolicyError,
    rejection::Rejection,
};

/// Where a policy looks for the token.
#[derive(Debug)]
pub(crate) struct Places {
    /// A header, in lower case.
    pub(crate) header: Option<String>,
    /// The scheme in front of the token; `None` for the token alone.
    pub(crate) scheme: Option<String>,
    pub(crate) cookie: Option<String>,
    /// The WebSocket subprotocol behind which the token stands.
    pub(crate) subprotocol: Option<String>,
    /// Which of them counts where several are there.
    pub(crate) precedence: Vec<Source>,
    /// Which requests with a cookie are taken.
    pub(crate) cross_site: CrossSite,
}

impl Default for Places {
    fn default() -> Self {
        Places {
            header: Some(AUTHORIZATION.to_owned()),
            scheme: Some(BEARER.to_owned()),
            cookie: None,
            subprotocol: None,
            precedence: Vec::new(),
            cross_site: CrossSite::default(),
        }
    }
}

pub(crate) const AUTHORIZATION: &str = "authorization";
pub(crate) const BEARER: &str = "Bearer";
const DPOP: &str = "DPoP";

/// Which kind of place a token was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Header,
    Cookie,
    Subprotocol,
}

impl Source {
    const ALL: [Source; 3] = [Source::Header, Source::Cookie, Source::Subprotocol];

    fn from_name(name: &str) -> Self {
        match name {
            "cookie" => Source::Cookie,
            "subprotocol" => Source::Subprotocol,
            _ => Source::Header,
        }
    }
}

/// A token as it was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Credentials<'f> {
    pub(crate) token: &'f str,
    /// Did it come with the scheme `DPoP` (RFC 9449 §7.1)?
    pub(crate) with_proof: bool,
    pub(crate) source: Source,
}

impl Places {
    /// Reads the policy's `credentials`.
    pub(crate) fn read(object: Checked<'_, '_>) -> Result<Self, PolicyError> {
        let token = |name: &str, text: &str, extra: &[u8]| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || extra.contains(&byte);
            if text.bytes().all(plain) {
                return Ok(text.to_owned());
            }
            Err(PolicyError::found(name, "must be a token of HTTP (RFC 9110 section 5.6.2)", text))
        };
        let subprotocol = object.text("subprotocol");
        let header = match object.text("header") {
            Some(name) => Some(token("header", &name.to_ascii_lowercase(), b"-_")?),
            None if object.text("cookie").or(subprotocol).is_some() => None,
            None => Some(AUTHORIZATION.to_owned()),
        };
        let by_default = (header.as_deref() == Some(AUTHORIZATION)).then(|| BEARER.to_owned());
        let scheme = match object.text("scheme") {
            Some(_) if header.is_none() => {
                return Err(PolicyError::at(
                    "scheme",
                    "requires \"header\": a cookie and a subprotocol have no scheme. Add \"header\", or remove it",
                ));
            }
            Some(scheme) => Some(token("scheme", scheme, b"-._~+")?),
            None => by_default,
        };
        let cookie = object.text("cookie").map(|name| token("cookie", name, b"!#$%&'*+-.^_`|~")).transpose()?;
        let subprotocol = subprotocol.map(|name| token("subprotocol", name, b"!#$%&'*+-.^_`|~")).transpose()?;
        let precedence = object.texts("precedence");
        let cross_site = match object.section("csrf") {
            _ if cookie.is_none() && object.has("csrf") => {
                return Err(PolicyError::at(
                    "csrf",
                    "requires \"cookie\": it protects no other credentials. Remove it",
                ));
            }
            Some(object) => CrossSite::read(object).map_err(|error| error.within("csrf"))?,
            None if object.has("csrf") => CrossSite::Allowed,
            None => CrossSite::default(),
        };
        let places = Places {
            header,
            scheme,
            cookie,
            subprotocol,
            precedence: precedence.iter().map(|name| Source::from_name(name)).collect(),
            cross_site,
        };
        let is_none = |source: &Source| !places.has(*source);
        if let Some(index) = places.precedence.iter().position(is_none) {
            let reason = "must be \"header\", \"cookie\" or \"subprotocol\", and be configured in \"credentials\"";
            return Err(PolicyError::at(&index.to_string(), reason).within("precedence"));
        }
        Ok(places)
    }

    fn has(&self, source: Source) -> bool {
        match source {
            Source::Header => self.header.is_some(),
            Source::Cookie => self.cookie.is_some(),
            Source::Subprotocol => self.subprotocol.is_some(),
        }
    }

    /// The headers that a token may be in, or its proof.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        let cookie = self.cookie.is_some().then_some("cookie");
        let subprotocol = self.subprotocol.is_some().then_some(subprotocol::HEADER);
        let proof = self.may_prove().then_some("dpop");
        self.header.as_deref().into_iter().chain(cookie).chain(proof).chain(subprotocol)
    }

    /// The headers that say whose page had a request with a cookie sent.
    pub(crate) fn headers_of_sender(&self) -> &'static [&'static str] {
        if self.cookie.is_some() { self.cross_site.headers() } else { &[] }
    }

    /// The token of a request; `None` when there is none.
    ///
    /// # Errors
    /// The stage `bearer` of [`Rejection`].
    pub(crate) fn find<'f>(
        &self,
        request: &Request<'f>,
        limits: &Limits,
    ) -> Result<Option<Credentials<'f>>, Rejection> {
        let is_there = |source: &Source| match source {
            Source::Header => self.header.as_deref().is_some_and(|name| request.fields(name).next().is_some()),
            Source::Cookie => self.cookie.as_deref().is_some_and(|name| cookies(request, name).next().is_some()),
            Source::Subprotocol => {
                self.subprotocol.as_deref().is_some_and(|name| subprotocol::offers(request).any(|own| own == name))
            }
        };
        // In which places there is something. What the policy prefers is all that is read then.
        let mut there = Source::ALL.into_iter().filter(is_there);
        let source = match (there.next(), there.next()) {
            (None, _) => return Ok(None),
            (Some(only), None) => only,
            (Some(_), Some(_)) => {
                let ranked = |source: &Source| self.precedence.contains(source);
                let mut preferred = self.precedence.iter().copied().filter(|source| is_there(source));
                match preferred.next().filter(|_| Source::ALL.iter().filter(|one| is_there(one)).all(ranked)) {
                    Some(source) => source,
                    None => return Err(Rejection::AuthorizationAmbiguous),
                }
            }
        };
        let name = match source {
            Source::Header => &self.header,
            Source::Cookie => &self.cookie,
            Source::Subprotocol => &self.subprotocol,
        };
        let name = name.as_deref().unwrap_or_default();
        match source {
            Source::Header => self.in_header(request, name, limits),
            Source::Cookie => in_cookie(request, name, limits),
            Source::Subprotocol => in_subprotocol(request, name, limits),
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
            return Ok(Some(Credentials { token: alone(value, limits)?, with_proof: false, source: Source::Header }));
        };
        let may_prove = name == AUTHORIZATION && scheme.eq_ignore_ascii_case(BEARER);
        let with_proof = may_prove && value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("DPoP "));
        let scheme = if with_proof { DPOP } else { scheme };
        Ok(Some(Credentials {
            token: bearer::token_with_scheme(value, scheme, limits)?,
            with_proof,
            source: Source::Header,
        }))
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

/// The values of the cookies of that name.
fn cookies<'f, 'n>(request: &Request<'f>, name: &'n str) -> impl Iterator<Item = &'f str> + use<'f, 'n> {
    let pairs: Vec<&'f str> = request.fields("cookie").flat_map(|field| field.split(';')).collect();
    let mut values: Vec<&'f str> = pairs
        .into_iter()
        .filter_map(|pair| {
            let (own, value) = pair.split_once('=')?;
            (own.trim_matches([' ', '\t']) == name).then(|| value.trim_matches([' ', '\t']))
        })
        .collect();
    // What is left of a cookie that was deleted.
    if values == [""] {
        values.clear();
    }
    values.into_iter()
}

/// The one cookie of that name (RFC 6265 §4.2.1). Two of one name come from two places, and
/// nothing says which is meant.
fn in_cookie<'f>(request: &Request<'f>, name: &str, limits: &Limits) -> Result<Option<Credentials<'f>>, Rejection> {
    let mut values = cookies(request, name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let bare = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
            Ok(Some(Credentials { token: alone(bare, limits)?, with_proof: false, source: Source::Cookie }))
        }
        (Some(_), Some(_)) => Err(Rejection::AuthorizationAmbiguous),
    }
}

/// The token behind its subprotocol.
fn in_subprotocol<'f>(
    request: &Request<'f>,
    name: &str,
    limits: &Limits,
) -> Result<Option<Credentials<'f>>, Rejection> {
    let mut offers = subprotocol::offers(request).skip_while(|own| *own != name).skip(1);
    let token = alone(offers.next().unwrap_or_default(), limits)?;
    if offers.any(|own| own == name) {
        return Err(Rejection::AuthorizationAmbiguous);
    }
    Ok(Some(Credentials { token, with_proof: false, source: Source::Subprotocol }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{facts::Facts, proxies::Proxies};
    use proptest::prelude::*;

    fn find(places: &Places, headers: &[(&str, &str)]) -> Result<Option<(String, bool)>, Rejection> {
        let facts = Facts { method: "GET", url: "https://a/", headers, ..Facts::default() };
        let request = Request::read(&facts, &Proxies::default()).unwrap();
        let found = places.find(&request, &Limits::default())?;
        Ok(found.map(|found| (found.token.to_owned(), found.with_proof)))
    }

    fn places(header: Option<&str>, scheme: Option<&str>, cookie: Option<&str>) -> Places {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Places { header: own(header), scheme: own(scheme), cookie: own(cookie), ..Places::default() }
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
