//! Authorization codes that the application minted (RFC 6749 §4.1, RFC 7636): it has checked its user's credentials, and a client redeems.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    super::{
        random,
        session_id::SessionId,
        start::{Seed, Start},
    },
    Issuer,
    authenticate::Caller,
    channel::{Channel, Unavailable},
    failure::Failure,
    name, run, tokens,
};
use crate::{base64url, policy_error::PolicyError, time::UnixSeconds};

/// How long a redeemed code is remembered, in seconds: its second use is seen, and ends the session of the first (RFC 6749 §4.1.2).
const REMEMBERED_SECONDS: u64 = 86_400;

/// What a code stands for. The store has it under the code's hash, and never the code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Code {
    pub(super) client: String,
    pub(super) subject: String,
    pub(super) redirect_uri: String,
    /// RFC 7636 §4.2, of the method S256.
    pub(super) challenge: String,
    pub(super) scope: Option<String>,
    pub(super) acr: Option<String>,
    pub(super) auth_time: u64,
    /// The key that has to redeem it (RFC 9449 §10).
    pub(super) jkt: Option<String>,
    pub(super) expires: u64,
    /// The session that it was redeemed for.
    pub(super) sid: Option<String>,
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Code").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Keeps a new code and gives its text: 256 random bits.
pub(super) async fn mint(channel: &Channel, code: &Code) -> Result<String, Failure> {
    let text = base64url::encode(&random::<32>()?);
    // Swept only when a second use could not do harm any more.
    let ends_at = code.expires.saturating_add(REMEMBERED_SECONDS);
    match channel.swap(&name::code(&text), 0, written(code), ends_at).await? {
        true => Ok(text),
        false => Err(Failure::unavailable()),
    }
}

/// Redeems a code for a session.
pub(super) async fn redeem(
    issuer: &Issuer,
    caller: &Caller<'_>,
    jkt: Option<String>,
    channel: &Channel,
) -> Result<Value, Failure> {
    let form = &caller.form;
    let key = name::code(form.required("code")?);
    let (redirect_uri, verifier) = (form.required("redirect_uri")?, form.required("code_verifier")?);
    if !is_verifier(verifier) {
        return Err(Failure::request("code_verifier", "must be 43 to 128 unreserved characters"));
    }
    let found = channel.read(&key).await?.ok_or_else(|| Failure::grant("code", "is not known"))?;
    let code: Code = serde_json::from_str(&found.value).map_err(|_| Unavailable)?;
    // Nobody but the client that asked for it can use a code, and so neither use it up nor end a session with it.
    if code.client != caller.client.id {
        return Err(Failure::grant("code", "is another client's"));
    }
    if code.redirect_uri != redirect_uri {
        return Err(Failure::grant("redirect_uri", "is not where the code was sent"));
    }
    if code.challenge != base64url::encode(&Sha256::digest(verifier)) {
        return Err(Failure::grant("code_verifier", "is not what the code was asked for with"));
    }
    if code.jkt.is_some() && code.jkt != jkt {
        return Err(Failure::grant("code", "is bound to another key"));
    }
    if let Some(sid) = &code.sid {
        return Err(used_twice(issuer, sid, channel).await?);
    }
    let now = channel.now();
    if code.expires <= now.get() {
        return Err(Failure::grant("code", "has expired"));
    }
    // Marked before anything is made of it: of two that come at once, one finds the other's session.
    let sid = random::<16>()?;
    let marked = Code { sid: Some(SessionId::from_bytes(sid).to_string()), ..code.clone() };
    let ends_at = now.get().saturating_add(REMEMBERED_SECONDS);
    if !channel.swap(&key, found.version, written(&marked), ends_at).await? {
        return Err(Failure::grant("code", "is in use"));
    }
    let start = Start {
        subject: code.subject,
        client: code.client,
        confidential: caller.client.is_confidential(),
        scope: code.scope,
        jkt,
        acr: code.acr,
        auth_time: UnixSeconds::new(code.auth_time),
    };
    let grant = tokens::begin(issuer, channel, start, Seed::new(sid, random()?)).await?;
    tokens::of_session(issuer, caller.client, &grant).map(Value::Object)
}

/// RFC 6749 §4.1.2: a code that is used again has been seen by two, and what came of it ends.
async fn used_twice(issuer: &Issuer, sid: &str, channel: &Channel) -> Result<Failure, Failure> {
    let sid = SessionId::parse(sid).ok_or(Unavailable)?;
    run::end(issuer, channel, sid).await?;
    Ok(Failure::grant("code", "was used before"))
}

/// Checks what only an application can get wrong.
pub(super) fn check_challenge(challenge: &str) -> Result<(), PolicyError> {
    match base64url::decode(challenge) {
        Some(hash) if hash.len() == 32 => Ok(()),
        _ => Err(PolicyError::at("codeChallenge", "must be a SHA-256 in base64url (RFC 7636, method S256)")),
    }
}

/// RFC 7636 §4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn written(code: &Code) -> String {
    // Nothing in it can fail to be written.
    serde_json::to_string(code).unwrap_or_default()
}
