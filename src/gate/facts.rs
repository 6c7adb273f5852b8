//! What is known of a request, and what was found out since the last question.

use crate::{
    document,
    gate::RequirementId,
    json::{Object, Value},
    policy_error::PolicyError,
};

/// A request as the core sees it.
#[derive(Clone, Debug, Default)]
pub struct Facts<'f> {
    /// What is required; `None` when the policy's routes say.
    pub requirement: Option<RequirementId>,
    /// The method, in the case in which it was sent.
    pub method: &'f str,
    /// The absolute URL, with scheme and host.
    pub url: &'f str,
    /// The request-target as it came (RFC 9112 §3.2), or `:path`, where a server has only that and `url` was made of it. One that is malformed,
    /// or not the path of `url`, is refused.
    pub target: Option<&'f str>,
    /// Other paths under which the request is served, each as it would stand in a URL: where a router rewrote it. What the policy's routes
    /// require for each of them has to hold as well.
    pub served: &'f [&'f str],
    /// Whether the platform vouches for scheme and host of the URL. Elsewhere the host is what the client wrote into `Host`, and counts as
    /// far as the policy's `gate.origins` list it.
    pub url_vouched: bool,
    /// Whether the request has a body that its header fields do not announce.
    pub has_body: bool,
    /// Header fields as they came: duplicates are kept, names are in any case. Those of [`Gate::headers`](crate::gate::Gate::headers) suffice.
    pub headers: &'f [(&'f str, &'f str)],
    /// The address of the other end of the connection, from the platform and never from a header.
    pub client_address: Option<&'f str>,
    /// The client's certificate of the TLS connection, in one of the forms of [`mtls::thumbprint`](crate::binding::mtls::thumbprint).
    pub certificate: Option<&'f str>,
    /// What was found out since the last question.
    pub evidence: Evidence<'f>,
}

/// What was found out for one request, as the steps before asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence<'f> {
    /// The issuer's keys were asked for, and none are there that were not before.
    pub keys_unchanged: bool,
    /// What the authorization server said.
    pub introspection: Option<Introspected<'f>>,
    /// Whether the proof was used before.
    pub replay: Option<Replay>,
    /// Why a check of the caller's own refuses.
    pub check: Option<&'f str>,
}

/// What came of asking the authorization server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspected<'f> {
    /// Its response: JSON (RFC 7662 §2.2).
    Response(&'f str),
    /// It could not be reached, or refused us.
    Unavailable,
    /// Too many questions are under way.
    Busy,
}

/// What the replay store says of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It is new, and noted from now on.
    First,
    /// It was there.
    Seen,
    /// It does not answer.
    Unavailable,
}

impl Facts<'_> {
    /// Reads facts from JSON and hands them to `take`.
    ///
    /// # Errors
    /// A text that says no such thing, at the member at fault.
    pub fn with_json<T>(text: &str, take: impl FnOnce(&Facts<'_>) -> T) -> Result<T, PolicyError> {
        let document = document::parse(text)?;
        document.only(&[
            "requirement",
            "method",
            "url",
            "target",
            "served",
            "urlVouched",
            "hasBody",
            "headers",
            "clientAddress",
            "certificate",
            "evidence",
        ])?;
        let headers = headers(&document)?;
        let served = document.strings("served")?.unwrap_or_default();
        let served: Vec<&str> = served.iter().map(String::as_str).collect();
        let requirement = document.integer("requirement")?.map(RequirementId::from_number).transpose()?;
        Ok(take(&Facts {
            requirement,
            method: document.required_string("method")?,
            url: document.required_string("url")?,
            target: document.string("target")?,
            served: &served,
            url_vouched: document.boolean("urlVouched")?.unwrap_or_default(),
            has_body: document.boolean("hasBody")?.unwrap_or_default(),
            headers: &headers,
            client_address: document.string("clientAddress")?,
            certificate: document.string("certificate")?,
            evidence: match document.object("evidence")? {
                None => Evidence::default(),
                Some(object) => evidence(object).map_err(|error| error.within("evidence"))?,
            },
        }))
    }
}

fn headers<'o>(document: &'o Object<'_>) -> Result<Vec<(&'o str, &'o str)>, PolicyError> {
    let pair = |item: &'o Value<'_>| match item {
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(name), Value::String(value)] => Some((name.as_ref(), value.as_ref())),
            _ => None,
        },
        _ => None,
    };
    let pairs = match document.get("headers") {
        Some(Value::Array(items)) => items.iter().map(pair).collect(),
        None => Some(Vec::new()),
        Some(_) => None,
    };
    pairs.ok_or_else(|| PolicyError::at("headers", "must be an array of pairs of strings"))
}

fn evidence<'o>(object: &'o Object<'_>) -> Result<Evidence<'o>, PolicyError> {
    object.only(&["keys", "introspection", "introspectionFailed", "replay", "check"])?;
    let one_of = |member: &str| PolicyError::at(member, "is not one of the outcomes there are");
    let keys_unchanged = match object.string("keys")? {
        None => false,
        Some("unchanged") => true,
        Some(_) => return Err(one_of("keys")),
    };
    let introspection = match (object.string("introspection")?, object.string("introspectionFailed")?) {
        (Some(response), _) => Some(Introspected::Response(response)),
        (None, None) => None,
        (None, Some("busy")) => Some(Introspected::Busy),
        (None, Some("unavailable")) => Some(Introspected::Unavailable),
        (None, Some(_)) => return Err(one_of("introspectionFailed")),
    };
    let replay = match object.string("replay")? {
        None => None,
        Some("first") => Some(Replay::First),
        Some("seen") => Some(Replay::Seen),
        Some("unavailable") => Some(Replay::Unavailable),
        Some(_) => return Err(one_of("replay")),
    };
    Ok(Evidence { keys_unchanged, introspection, replay, check: object.string("check")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_member_and_keeps_duplicates() {
        let text = r#"{"requirement":3,"method":"GET","url":"https://a/","urlVouched":true,"hasBody":true,"headers":[["A","1"],["a","2"]],
            "clientAddress":"::1","certificate":"c","evidence":{"keys":"unchanged","replay":"seen","introspectionFailed":"busy"}}"#;
        Facts::with_json(text, |facts| {
            assert_eq!(facts.headers, [("A", "1"), ("a", "2")]);
            assert_eq!((facts.client_address, facts.certificate), (Some("::1"), Some("c")));
            assert!(facts.url_vouched && facts.has_body);
            assert_eq!(facts.evidence.replay, Some(Replay::Seen));
            assert_eq!(facts.evidence.introspection, Some(Introspected::Busy));
            assert!(facts.evidence.keys_unchanged);
        })
        .unwrap();
    }

    #[test]
    fn what_is_none_names_its_member() {
        for (text, pointer) in [
            ("[]", ""),
            (r#"{"url":"u"}"#, "/method"),
            (r#"{"method":"GET","url":"u","headers":[["a"]]}"#, "/headers"),
            (r#"{"method":"GET","url":"u","headers":{"a":"b"}}"#, "/headers"),
            (r#"{"method":"GET","url":"u","evidence":{"replay":"maybe"}}"#, "/evidence/replay"),
            (r#"{"method":"GET","url":"u","evidence":{"keys":"new"}}"#, "/evidence/keys"),
            (r#"{"method":"GET","url":"u","more":1}"#, "/more"),
        ] {
            assert_eq!(Facts::with_json(text, |_| ()).unwrap_err().pointer(), pointer, "{text}");
        }
    }
}
