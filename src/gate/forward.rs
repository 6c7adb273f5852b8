//! What the origin is told: claims as headers, and nothing in those headers that the client wrote
//! itself.

use crate::{
    document::checked::Checked,
    gate::{
        credentials::{AUTHORIZATION, Places},
        request::{CREDENTIALS, Request},
        step::Forward,
        subprotocol,
    },
    json::{Object, Value},
    policy_error::PolicyError,
};

/// Headers that mean something to HTTP itself, to proxies or to whoever authenticates: no claim
/// may take their place.
const RESERVED: [&str; 19] = [
    AUTHORIZATION,
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "dpop",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "sec-websocket-protocol",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
];

/// A claim and the header that tells it.
#[derive(Debug)]
struct ForwardedClaim {
    claim: String,
    header: String,
}

/// What the policy says about forwarding.
#[derive(Debug, Default)]
pub(crate) struct Forwarding {
    told: Vec<ForwardedClaim>,
    strips_token: bool,
    /// The policy says in words that the token is passed on.
    keeps_token: bool,
}

impl Forwarding {
    /// Reads the policy's `forward`.
    pub(crate) fn read(object: Checked<'_, '_>) -> Result<Self, PolicyError> {
        let mut told: Vec<ForwardedClaim> = Vec::new();
        if let Some(claims) = object.object("claims") {
            for (claim, header) in claims.members() {
                let text = header.as_str().unwrap_or_default();
                let wrong = |reason: &str| PolicyError::found(claim, reason, text).within("claims");
                let header = text.to_ascii_lowercase();
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                if header.is_empty() || !header.bytes().all(plain) {
                    return Err(wrong("must be a header name of letters, digits and hyphens"));
                }
                if RESERVED.contains(&header.as_str()) {
                    return Err(wrong("must be a header that HTTP gives no meaning, such as x-user"));
                }
                if told.iter().any(|other| other.header == header) {
                    return Err(wrong("must be a header that no other claim has"));
                }
                told.push(ForwardedClaim { claim: claim.to_owned(), header });
            }
        }
        // Whatever the order in which somebody's JSON writer put them.
        told.sort_by(|one, other| one.header.cmp(&other.header));
        let keeps_token = object.text("token") == Some("keep");
        Ok(Forwarding { told, strips_token: !keeps_token, keeps_token })
    }

    /// What is removed from every request that passes, whether it needs a token or not:
    /// credentials that nobody looked at are nobody's either, and an origin behind the gate would
    /// take them for verified ones.
    pub(crate) fn without_claims(&self, places: &Places) -> Forward {
        let mut forward =
            Forward { strip: self.told.iter().map(|told| told.header.clone()).collect(), ..Forward::default() };
        if self.strips_token {
            forward.strip.extend(places.header.clone());
            if places.may_prove() {
                forward.strip.push("dpop".to_owned());
            }
            forward.strip.extend(places.subprotocol.is_some().then(|| subprotocol::HEADER.to_owned()));
            forward.strip_cookie.clone_from(&places.cookie);
        }
        forward
    }

    /// The same for one request: of the subprotocols that it offers, all stay but the token.
    pub(crate) fn of_request(&self, request: &Request<'_>, places: &Places) -> Forward {
        self.with_offers(self.without_claims(places), request, places)
    }

    fn with_offers(&self, mut forward: Forward, request: &Request<'_>, places: &Places) -> Forward {
        // Also where the policy says nothing of forwarding: a server would answer with the token.
        if !self.keeps_token {
            subprotocol::redact(&mut forward, request, places);
        }
        forward
    }

    /// Whether a header of that name (as [`Forward::folded`] has it) is one that the gate writes,
    /// or that credentials may stand in.
    pub(crate) fn concerns(&self, folded: &str, places: &Places) -> bool {
        let in_places = || places.header.as_deref().is_some_and(|header| Forward::folded(header) == folded);
        let is_offer = || places.subprotocol.is_some() && folded == subprotocol::HEADER;
        CREDENTIALS.contains(&folded) || is_offer() || self.told.iter().any(|told| told.header == folded) || in_places()
    }

    /// The same, and what the claims of a token set.
    pub(crate) fn of_claims_and_request(&self, claims: &Object<'_>, request: &Request<'_>, places: &Places) -> Forward {
        self.with_offers(self.of_claims(claims, places), request, places)
    }

    fn of_claims(&self, claims: &Object<'_>, places: &Places) -> Forward {
        let header = |told: &ForwardedClaim| Some((told.header.clone(), header_value(claim(claims, &told.claim)?)?));
        Forward { set: self.told.iter().filter_map(header).collect(), ..self.without_claims(places) }
    }
}

/// A claim by its name, or else by the dots in it: names with dots of their own are common
/// (`https://api.example/roles`).
fn claim<'o, 'c>(claims: &'o Object<'c>, name: &str) -> Option<&'o Value<'c>> {
    claims.get(name).or_else(|| at_path(claims, name.split('.')))
}

/// The value at the end of a path of names.
pub(crate) fn at_path<'o, 'c, 'n>(
    claims: &'o Object<'c>,
    mut path: impl Iterator<Item = &'n str>,
) -> Option<&'o Value<'c>> {
    let first = claims.get(path.next()?)?;
    path.try_fold(first, |value, name| match value {
        Value::Object(object) => object.get(name),
        _ => None,
    })
}

/// A value as it stands in a header; `None` for what no header can hold, or would hold in two ways.
///
/// STRICTER than RFC 9110 §5.5: visible ASCII and single spaces inside. Origins read bytes beyond
/// it in different encodings, and white space at either end is lost on the way.
fn header_value(value: &Value<'_>) -> Option<String> {
    let safe = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && text.trim() == text;
    match value {
        Value::String(text) => safe(text).then(|| text.as_ref().to_owned()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Array(_) => {
            // A space in one of them would make two.
            let texts = value.as_strings()?;
            texts.iter().all(|text| safe(text) && !text.is_empty() && !text.contains(' ')).then(|| texts.join(" "))
        }
        Value::Null | Value::OtherNumber(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document, policy::shapes::GATE};
    use proptest::prelude::*;

    fn forwarding(text: &str) -> Result<Forwarding, PolicyError> {
        let text = format!(r#"{{"forward":{text}}}"#);
        let document = document::parse(&text).unwrap();
        Forwarding::read(GATE.check(&document)?.section("forward").unwrap())
    }

    fn set(forward: &str, claims: &str) -> Vec<(String, String)> {
        let claims = document::parse(claims).unwrap();
        forwarding(forward).unwrap().of_claims(&claims, &Places::default()).set
    }

    #[test]
    fn claims_become_headers_that_hold_them_safely() {
        let one = |claims: &str| {
            let set = set(r#"{"claims":{"c":"x-c"}}"#, claims);
            set.into_iter().next().map(|(_, value)| value)
        };
        for (claims, expected) in [
            (r#"{"c":"user-1"}"#, Some("user-1")),
            (r#"{"c":"two words"}"#, Some("two words")),
            (r#"{"c":["a","b"]}"#, Some("a b")),
            (r#"{"c":7}"#, Some("7")),
            (r#"{"c":true}"#, Some("true")),
            (r#"{"c":""}"#, Some("")),
            (r#"{"c":[]}"#, Some("")),
            (r#"{"c":"a\r\nx-admin: 1"}"#, None),
            (r#"{"c":"a\u0000"}"#, None),
            (r#"{"c":"é"}"#, None),
            (r#"{"c":" a"}"#, None),
            (r#"{"c":"a\t"}"#, None),
            (r#"{"c":["a b","c"]}"#, None),
            (r#"{"c":["a",1]}"#, None),
            (r#"{"c":{"d":"e"}}"#, None),
            (r#"{"c":null}"#, None),
            (r#"{"c":1.5}"#, None),
            (r#"{"d":"e"}"#, None),
        ] {
            assert_eq!(one(claims).as_deref(), expected, "{claims}");
        }
    }

    #[test]
    fn a_name_with_dots_is_a_name_first_and_a_path_then() {
        let forward = r#"{"claims":{"realm_access.roles":"x-roles"}}"#;
        let roles = |claims: &str| set(forward, claims).pop().map(|(_, value)| value);
        assert_eq!(roles(r#"{"realm_access":{"roles":["a"]}}"#).as_deref(), Some("a"));
        assert_eq!(roles(r#"{"realm_access.roles":"b","realm_access":{"roles":["a"]}}"#).as_deref(), Some("b"));
        assert_eq!(roles(r#"{"realm_access":"roles"}"#), None);
    }

    #[test]
    fn inbound_copies_go_whatever_the_claims_are() {
        let forwarding = forwarding(r#"{"claims":{"sub":"X-User"},"token":"keep"}"#).unwrap();
        let empty = document::parse("{}").unwrap();
        assert_eq!(forwarding.of_claims(&empty, &Places::default()).strip, ["x-user"]);
        assert_eq!(forwarding.without_claims(&Places::default()).strip, ["x-user"]);
    }

    #[test]
    fn the_token_goes_unless_it_is_to_be_kept() {
        let claims = document::parse("{}").unwrap();
        let strip = |text: &str| forwarding(text).unwrap().of_claims(&claims, &Places::default()).strip;
        assert_eq!(strip("{}"), ["authorization", "dpop"]);
        assert_eq!(strip(r#"{"token":"strip"}"#), ["authorization", "dpop"]);
        assert_eq!(strip(r#"{"token":"keep"}"#), Vec::<String>::new());
        // Also where nobody looks at it.
        let cookie = Places { header: None, scheme: None, cookie: Some("session".to_owned()), ..Places::default() };
        let public = |text: &str, places: &Places| forwarding(text).unwrap().without_claims(places);
        assert_eq!(public("{}", &Places::default()).strip, ["authorization", "dpop"]);
        assert_eq!(public("{}", &cookie).strip_cookie.as_deref(), Some("session"));
        assert_eq!(public(r#"{"token":"keep"}"#, &cookie), Forward::default());
        let nothing = Forwarding::default().of_claims(&claims, &Places::default());
        assert_eq!(nothing, Forward::default());
    }

    #[test]
    fn a_header_with_a_meaning_of_its_own_is_refused() {
        for (text, pointer) in [
            (r#"{"claims":{"sub":"Authorization"}}"#, "/claims/sub"),
            (r#"{"claims":{"sub":"host"}}"#, "/claims/sub"),
            (r#"{"claims":{"sub":"x user"}}"#, "/claims/sub"),
            (r#"{"claims":{"sub":"x_user"}}"#, "/claims/sub"),
            (r#"{"claims":{"a":"x-a","b":"X-A"}}"#, "/claims/b"),
        ] {
            let error = forwarding(text).unwrap_err();
            assert_eq!(error.pointer(), pointer, "{text}");
            assert!(error.reason().contains("; found "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_value_can_end_its_header(text in any::<String>()) {
            let value = header_value(&Value::String(text.as_str().into()));
            prop_assert!(value.is_none_or(|value| value.bytes().all(|byte| (0x20..0x7f).contains(&byte))));
        }
    }
}
