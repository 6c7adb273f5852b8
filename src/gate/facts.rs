//! What is known of a request, and what was found out since the last question.

use crate::{
    document,
    gate::requirement_id::RequirementId,
    json::{Object, Value},
    policy_error::PolicyError,
};

/// A request as the core sees it.
///
/// ```
/// use portcullis::gate::Facts;
///
/// let facts = Facts {
///     method: "POST",
///     url: "https://api.example/orders",
///     headers: &[("Authorization", "Bearer abc"), ("Content-Type", "application/json")],
///     client_address: Some("203.0.113.7"), // as the server knows it
///     ..Facts::default()
/// };
/// # assert_eq!(facts.headers.len(), 2);
/// ```
///
/// `..Facts::default()` stands for what the server does not know. It is the strict reading: a host
/// that nobody vouches for, and no certificate.
#[derive(Clone, Debug, Default)]
pub struct Facts<'f> {
    /// What is required; `None` when the policy's routes say.
    pub requirement: Option<RequirementId>,
    /// The method, in the case in which it was sent.
    pub method: &'f str,
    /// The absolute URL, with scheme and host.
    pub url: &'f str,
    /// The request-target as it came (RFC 9112 §3.2), or `:path`, where a server has only that and
    /// `url` was made of it. One that is malformed, or not the path of `url`, is refused.
    pub target: Option<&'f str>,
    /// Other paths under which the request is served, each as it would stand in a URL: where a
    /// router rewrote it. What the policy's routes require for each of them has to hold as well.
    pub served: &'f [&'f str],
    /// Whether the platform vouches for scheme and host of the URL. Elsewhere the host is what
    /// the client wrote into `Host`, and counts as far as the policy's `gate.origins` list it.
    pub url_vouched: bool,
    /// Whether the request has a body that its header fields do not announce.
    pub has_body: bool,
    /// Header fields as they came: duplicates are kept, names are in any case. Those of
    /// [`Gate::headers`](crate::gate::Gate::headers) suffice.
    pub headers: &'f [(&'f str, &'f str)],
    /// The address of the other end of the connection, from the platform and never from a header.
    pub client_address: Option<&'f str>,
    /// The client's certificate of the TLS connection, in one of the forms of
    /// [`mtls::thumbprint`](crate::binding::mtls::thumbprint).
    pub certificate: Option<&'f str>,
    /// What was found out since the last question.
    pub evidence: Evidence<'f>,
}

/// What was found out for one request, as the steps before asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence<'f> {
    /// The policy under which it was found out: [`Gate::policy_id`](crate::gate::Gate::policy_id).
    /// What was found out under another does not count, since one issuer's answer must not vouch
    /// under another. `None` says that the policy was not replaced since.
    pub policy: Option<&'f str>,
    /// The issuer's keys were asked for, and none are there that were not before.
    pub keys_unchanged: bool,
    /// Whose tenant the token says to be is none of ours: whoever resolves tenants outside has
    /// said so.
    pub tenant_refused: bool,
    /// Why they could not be had: the words of whoever fetches them, and never a piece of a token.
    pub keys_failure: Option<&'f str>,
    /// In how many seconds their origin may be asked again.
    pub keys_retry_seconds: Option<u64>,
    /// What the authorization server said.
    pub introspection: Option<Introspected<'f>>,
    /// It may be the answer to an earlier question: it was kept, or asked for by another request.
    /// Such an answer does not count where a step asked for a `fresh` one.
    pub introspection_kept: bool,
    /// Whether the proof was used before.
    pub replay: Option<Replay>,
    /// The proof that was asked about, as the step named it, and until when it is remembered. With
    /// them the answer counts for that proof alone, and under any policy: to ask again would use
    /// the proof up.
    pub replay_of: Option<(&'f str, u64)>,
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

impl Evidence<'_> {
    /// What of it counts under that policy.
    pub(crate) fn under(self, policy_id: &str) -> Self {
        if self.policy.is_none_or(|policy| policy == policy_id) {
            return self;
        }
        let replay = self.replay.filter(|_| self.replay_of.is_some());
        Evidence { replay, replay_of: self.replay_of, check: self.check, ..Evidence::default() }
    }

    /// The answer about a proof that is to be remembered until then.
    pub(crate) fn replay(&self, key: &str, until: u64) -> Option<Replay> {
        let about = self.replay_of.is_none_or(|(own, remembered)| own == key && remembered >= until);
        self.replay.filter(|_| about)
    }
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

/// Which of the facts stand in a text of lines, as bits.
#[cfg(any(feature = "gate-js", test))]
mod there {
    pub(super) const URL_VOUCHED: u8 = 1;
    pub(super) const HAS_BODY: u8 = 2;
    pub(super) const TARGET: u8 = 4;
    pub(super) const CLIENT_ADDRESS: u8 = 8;
    pub(super) const CERTIFICATE: u8 = 16;
}

#[cfg(any(feature = "gate-js", test))]
impl Facts<'_> {
    /// Reads facts of a first question from lines: method, URL, target, client's address,
    /// certificate, and names and values of header fields in turn. `there` says which of those
    /// that are optional are there. `src/js/gate/decision/decision-memory.ts` writes it.
    ///
    /// `lines` is how many were written: with a line feed in one of them there are more, and
    /// nothing is read.
    pub(crate) fn with_lines<T>(
        text: &str,
        lines: usize,
        there: u8,
        requirement: Option<RequirementId>,
        take: impl FnOnce(&Facts<'_>) -> T,
    ) -> Option<T> {
        let mut left = text.split('\n');
        let mut next = || left.next();
        let (method, url, target, client_address, certificate) = (next()?, next()?, next()?, next()?, next()?);
        let mut headers = Vec::with_capacity(8);
        while let Some(name) = left.next() {
            headers.push((name, left.next()?));
        }
        // As in JSON, where neither may be empty.
        let is_named = !method.is_empty() && !url.is_empty();
        let read = headers.len().checked_mul(2)?.checked_add(5)?;
        let optional = |bit: u8, line| (there & bit != 0).then_some(line);
        (is_named && read == lines).then(|| {
            take(&Facts {
                requirement,
                method,
                url,
                target: optional(there::TARGET, target),
                served: &[],
                url_vouched: there & there::URL_VOUCHED != 0,
                has_body: there & there::HAS_BODY != 0,
                headers: &headers,
                client_address: optional(there::CLIENT_ADDRESS, client_address),
                certificate: optional(there::CERTIFICATE, certificate),
                evidence: Evidence::default(),
            })
        })
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
    object.only(&[
        "policy",
        "keys",
        "keysFailure",
        "keysRetrySeconds",
        "introspection",
        "introspectionFailed",
        "introspectionKept",
        "replay",
        "replayKey",
        "replayUntil",
        "check",
    ])?;
    let one_of =
        |member: &str| PolicyError::at(member, "is unknown; expected one of those in the documentation of Evidence");
    let (keys_unchanged, tenant_refused) = match object.string("keys")? {
        None => (false, false),
        Some("unchanged") => (true, false),
        Some("tenant-refused") => (true, true),
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
    let introspection_kept = match object.get("introspectionKept") {
        None => false,
        Some(Value::Bool(kept)) => *kept,
        Some(found) => {
            let reason = format!("must be true or false; found {}", found.kind());
            return Err(PolicyError::at("introspectionKept", reason));
        }
    };
    let replay_of = object.string("replayKey")?.zip(object.integer("replayUntil")?);
    Ok(Evidence {
        policy: object.string("policy")?,
        keys_unchanged,
        tenant_refused,
        keys_failure: object.string("keysFailure")?,
        keys_retry_seconds: object.integer("keysRetrySeconds")?,
        introspection,
        introspection_kept,
        replay,
        replay_of,
        check: object.string("check")?,
    })
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
    fn what_is_no_truth_value_is_named() {
        let error = Facts::with_json(r#"{"method":"GET","url":"u","evidence":{"introspectionKept":"yes"}}"#, |_| ());
        assert_eq!(
            error.unwrap_err().to_string(),
            "/evidence/introspectionKept: must be true or false; found a string"
        );
    }

    #[test]
    fn reads_lines_as_it_reads_json() {
        let id = RequirementId::from_number(3).unwrap();
        let all = r#"{"requirement":3,"method":"GET","url":"https://a/b","target":"/b","urlVouched":true,"hasBody":true,
            "headers":[["A","1"],["a",""]],"clientAddress":"::1","certificate":"c","evidence":{}}"#;
        let few = r#"{"method":"M","url":"u","headers":[]}"#;
        for (json, text, lines, there, requirement) in
            [(all, "GET\nhttps://a/b\n/b\n::1\nc\nA\n1\na\n", 9, 31, Some(id)), (few, "M\nu\n\n\n", 5, 0, None)]
        {
            let told = |facts: &Facts<'_>| format!("{facts:?}");
            let read = Facts::with_lines(text, lines, there, requirement, told);
            assert_eq!(read, Facts::with_json(json, told).ok());
            assert!(read.is_some());
            // A line feed in a value makes one more.
            for other in [lines - 1, lines + 1, 0] {
                assert_eq!(Facts::with_lines(text, other, there, requirement, |_| ()), None);
            }
        }
        for text in ["", "GET\nu\n\n", "GET\nu\n\n\n\nhost", "\nu\n\n\n", "GET\n\n\n\n"] {
            for lines in 0..8 {
                assert_eq!(Facts::with_lines(text, lines, 0, None, |_| ()), None, "{text:?}");
            }
        }
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
