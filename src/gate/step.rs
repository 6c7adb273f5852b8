//! What the gate answers: a decision, or what it has to know before it can decide.

use std::borrow::Cow;

use serde::{Serialize, ser::SerializeMap};

use super::{explanation::Explanation, problem::Problem};
use crate::{denial::Denial, time::UnixSeconds};

/// The answer to [`Gate::decide`](crate::gate::Gate::decide).
#[derive(Debug)]
pub enum Step {
    /// The request brought a good token and what is required besides.
    Allowed(Box<Allowed>),
    /// Nothing is required there.
    Public(Forward),
    /// A CORS preflight, which carries no credentials (Fetch §3.3): the gate has its answer, or
    /// the policy has it passed to the handler.
    Preflight(Box<Preflight>),
    /// There were no credentials, and none are needed.
    Anonymous(Forward),
    /// The request does not pass.
    Refused(Box<Refusal>),
    /// The issuer's remote keys are to be refreshed; then ask again, with
    /// [`Evidence::keys_unchanged`] when that brought none.
    ///
    /// [`Evidence::keys_unchanged`]: crate::gate::Evidence::keys_unchanged
    NeedKeys {
        /// Whose.
        issuer: String,
        /// The key that no one has.
        kid: Option<String>,
    },
    /// The issuer's authorization server is to be asked about the token.
    NeedIntrospection {
        /// Whose.
        issuer: String,
        /// The token.
        token: String,
        /// Only an answer to a question that is asked now will do: no list of revocations can
        /// tell, and an earlier answer may be from before the token was revoked. See
        /// [`Evidence::introspection_kept`](crate::gate::Evidence::introspection_kept).
        fresh: bool,
    },
    /// The replay store is to be asked about a proof.
    NeedReplayCheck {
        /// Names the proof by its key, method, URL and `jti`: 43 characters of base64url.
        key: String,
        /// When the proof is of no use any more and may be forgotten, in seconds since the epoch.
        until: u64,
        /// When it was made. A store that has forgotten a proof that was made later, or then,
        /// cannot tell whether it knew this one.
        issued_at: u64,
    },
}

/// A token is good, and so is the request.
#[derive(Debug)]
pub struct Allowed {
    /// The claims: the text of a JSON object that passed the strict reader.
    pub claims: String,
    /// The token's header, as JSON; `None` for an opaque token.
    pub header: Option<String>,
    /// The issuer's name.
    pub issuer: String,
    /// The name of the alternative that the token fits, where the policy has its issuer's tokens
    /// in several.
    pub alternative: Option<String>,
    /// How the client proved to be the one the token was given to.
    pub binding: Option<Binding>,
    /// What the origin is told.
    pub forward: Forward,
    /// From when the same request would be allowed by the same policy.
    pub from: UnixSeconds,
    /// From when it would not be any more, in seconds since the epoch.
    pub until: u64,
    /// Whether no list of revocations was new enough to be believed, and the request passes all
    /// the same.
    pub stale: bool,
    /// Whether the same facts get the same answer until then: what rests on a proof or on an
    /// authorization server does not.
    pub cacheable: bool,
    /// A nonce for the client's next proof, when that of this one is about to expire (RFC 9449
    /// §8.2).
    pub nonce: Option<String>,
}

/// A CORS preflight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preflight {
    /// What is removed from it, should it be passed on.
    pub forward: Forward,
    /// Its answer; `None` where the policy passes preflights to the handler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<PreflightAnswer>,
}

/// The answer to a preflight. It has no body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreflightAnswer {
    /// 204.
    pub status: u16,
    /// Header fields, in lower case. Without any that allows something, a browser sends no
    /// request.
    #[serde(serialize_with = "as_map")]
    pub headers: Vec<(String, String)>,
}

/// A proof of possession.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Binding {
    /// RFC 9449.
    Dpop,
    /// RFC 8705 §3.
    Mtls,
}

/// The request does not pass, and this is what to say.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub denial: Denial,
    /// 400, 401, 403, 421, 500 or 503.
    pub status: u16,
    /// Values of `WWW-Authenticate`, one a field.
    pub challenges: Vec<String>,
    /// A `DPoP-Nonce` for the response (RFC 9449 §8).
    pub nonce: Option<String>,
    /// When to come again, in seconds.
    pub retry_after: Option<u32>,
    /// What would be removed from the request, should somebody let it pass all the same.
    pub forward: Forward,
    /// Further header fields of the response, in lower case: which scripts may read it (Fetch
    /// §3.3.3).
    pub cors: Vec<(String, String)>,
    /// The `type` of the problem (RFC 9457 §3.1.1): a URI by the policy's `gate.problemTypes`;
    /// `None` stands for `about:blank`.
    pub problem_type: Option<String>,
}

/// How the origin's view differs from the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forward {
    /// Headers to set.
    #[serde(serialize_with = "as_map")]
    pub set: Vec<(String, String)>,
    /// Headers whose inbound copies are removed first, in any case and with any separator for
    /// `-`: see [`Forward::folded`].
    pub strip: Vec<String>,
    /// A cookie that is taken out of `Cookie`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_cookie: Option<String>,
}

impl Forward {
    /// A name by which two headers are one to some server: CGI, WSGI and PHP read `X-User`,
    /// `X_User` and `X.User` as one variable (RFC 3875 §4.1.18), and some servers do so with any
    /// other separator.
    #[must_use]
    pub fn folded(name: &str) -> String {
        let fold = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte.to_ascii_lowercase()) } else { '-' };
        name.bytes().map(fold).collect()
    }
}

fn as_map<S: serde::Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(pairs.len()))?;
    for (name, value) in pairs {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

impl Refusal {
    /// What was expected, what was found, and which field of the policy changes it: for logs, and
    /// for no client.
    #[must_use]
    pub fn explanation(&self) -> Explanation {
        Explanation::of(&self.denial)
    }

    /// The body of the response (RFC 9457). It says what the code says and holds nothing of the
    /// token.
    #[must_use]
    pub fn problem(&self) -> String {
        json(&self.to_problem())
    }

    fn to_problem(&self) -> Problem<'_> {
        Problem::of(&self.denial, self.status, self.problem_type.as_deref())
    }
}

/// A step of which only a name and its forwarding is to be told.
#[derive(Serialize)]
#[serde(tag = "step", rename_all = "lowercase")]
enum StepJson<'s> {
    Public {
        forward: &'s Forward,
    },
    Preflight(&'s Preflight),
    Anonymous {
        forward: &'s Forward,
    },
    Keys {
        issuer: &'s str,
        kid: Option<&'s str>,
    },
    Introspect {
        issuer: &'s str,
        token: &'s str,
        #[serde(skip_serializing_if = "core::ops::Not::not")]
        fresh: bool,
    },
    #[serde(rename_all = "camelCase")]
    Replay {
        key: &'s str,
        until: u64,
        issued_at: u64,
    },
    #[serde(rename_all = "camelCase")]
    Refused {
        status: u16,
        stage: crate::rejection::Stage,
        message: Cow<'static, str>,
        #[serde(flatten)]
        denial: &'s Denial,
        explanation: &'s Explanation,
        challenges: &'s [String],
        problem: Problem<'s>,
        forward: &'s Forward,
        #[serde(skip_serializing_if = "Option::is_none")]
        nonce: Option<&'s str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
        #[serde(skip_serializing_if = "is_empty", serialize_with = "pairs_as_map")]
        cors: &'s [(String, String)],
    },
}

fn is_empty(pairs: &&[(String, String)]) -> bool {
    pairs.is_empty()
}

fn pairs_as_map<S: serde::Serializer>(pairs: &&[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    as_map(pairs, serializer)
}

/// What of an allowed request is not JSON already, and is the same for many.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rest<'s> {
    issuer: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    alternative: Option<&'s str>,
    binding: Option<Binding>,
    source: &'static str,
    forward: &'s Forward,
    cacheable: bool,
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    stale: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'s str>,
}

impl Step {
    /// The step as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Step::Allowed(allowed) => allowed.to_json(),
            Step::Public(forward) => json(&StepJson::Public { forward }),
            Step::Preflight(preflight) => json(&StepJson::Preflight(preflight)),
            Step::Anonymous(forward) => json(&StepJson::Anonymous { forward }),
            Step::NeedKeys { issuer, kid } => json(&StepJson::Keys { issuer, kid: kid.as_deref() }),
            Step::NeedIntrospection { issuer, token, fresh } => {
                json(&StepJson::Introspect { issuer, token, fresh: *fresh })
            }
            Step::NeedReplayCheck { key, until, issued_at } => {
                json(&StepJson::Replay { key, until: *until, issued_at: *issued_at })
            }
            Step::Refused(refusal) => json(&StepJson::Refused {
                status: refusal.status,
                stage: refusal.denial.stage(),
                message: refusal.denial.message(),
                denial: &refusal.denial,
                explanation: &refusal.explanation(),
                challenges: &refusal.challenges,
                problem: refusal.to_problem(),
                forward: &refusal.forward,
                nonce: refusal.nonce.as_deref(),
                retry_after: refusal.retry_after,
                cors: &refusal.cors,
            }),
        }
    }
}

impl Allowed {
    fn to_json(&self) -> String {
        let (from, until) = (self.from.get().to_string(), self.until.to_string());
        let rest = self.rest_to_json();
        let rest = rest.strip_suffix('}').unwrap_or_default();
        // The claims passed the strict reader, so their text can stand in a JSON text as it is.
        [rest, r#","claims":"#, &self.claims, r#","from":"#, &from, r#","until":"#, &until, "}"].concat()
    }

    /// The step as a JSON object without the claims and the times, which differ from token to
    /// token.
    pub(crate) fn rest_to_json(&self) -> String {
        let source = if self.header.is_some() { "jwt" } else { "introspection" };
        let rest = json(&Rest {
            issuer: &self.issuer,
            alternative: self.alternative.as_deref(),
            binding: self.binding,
            source,
            forward: &self.forward,
            cacheable: self.cacheable,
            stale: self.stale,
            nonce: self.nonce.as_deref(),
        });
        let rest = rest.strip_prefix('{').unwrap_or("}");
        // So did the header.
        [r#"{"step":"allowed","header":"#, self.header.as_deref().unwrap_or("null"), ",", rest].concat()
    }
}

/// Nothing that is written here can fail to be: strings, numbers and lists of them.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
