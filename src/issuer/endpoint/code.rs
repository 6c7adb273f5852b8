//! An authorization code in the store (RFC 6749 §4.1.2): what it is bound to, and its minting.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::{
    channel::{Channel, StoreEntry},
    error_response::ErrorResponse,
    store_keys,
};
use crate::{
    base64url,
    issuer::{random::random, tokens::claims::Claims},
    policy_error::PolicyError,
};

/// How long a redeemed code is remembered, in seconds: its second use is seen, and ends the
/// session of the first (RFC 6749 §4.1.2).
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
    /// RFC 8176.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) amr: Vec<String>,
    /// The claims of the session to come.
    #[serde(default, skip_serializing_if = "Claims::is_empty")]
    pub(super) claims: Claims,
    pub(super) auth_time: u64,
    /// The key that has to redeem it (RFC 9449 §10).
    pub(super) jkt: Option<String>,
    /// OpenID Connect Core §3.1.2.1: it comes back in the ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nonce: Option<String>,
    /// The resource servers that the client named (RFC 8707 §2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) resource: Vec<String>,
    pub(super) expires: u64,
    /// The session that it is being redeemed for. Nobody was answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begun: Option<String>,
    /// The session that it was redeemed for.
    pub(super) sid: Option<String>,
    /// Which redemption was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answered: Option<String>,
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Code").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Keeps a new code and gives its text: 256 random bits.
pub(super) async fn mint(channel: &Channel, code: &Code) -> Result<String, ErrorResponse> {
    let text = base64url::encode(&random::<32>()?);
    match inserted(channel, &text, code).await? {
        true => Ok(text),
        false => Err(ErrorResponse::unavailable()),
    }
}

/// Keeps a code under a text that its authorization request determines, which is secret: of one
/// authorization there is one code, however often it is completed.
///
/// `false` when there is another code, or this one was presented already or has expired. A retry
/// after a lost answer finds its own code, and is told `true`.
pub(super) async fn mint_once(channel: &Channel, text: &str, code: &Code) -> Result<bool, ErrorResponse> {
    if inserted(channel, text, code).await? {
        return Ok(true);
    }
    let found = channel.read(&store_keys::code(text)).await?.ok_or_else(ErrorResponse::unavailable)?;
    let kept = read(&found)?;
    // By default a subject was authenticated at the time of the call, which a retry makes later.
    let same = Code { expires: kept.expires, auth_time: kept.auth_time, ..code.clone() };
    Ok(kept == same && channel.now().get() < kept.expires)
}

async fn inserted(channel: &Channel, text: &str, code: &Code) -> Result<bool, ErrorResponse> {
    // Swept only when a second use could not do harm any more.
    let ends_at = code.expires.saturating_add(REMEMBERED_SECONDS);
    Ok(channel.swap(&store_keys::code(text), 0, written(code), ends_at).await?)
}

/// Until when a code that was presented is remembered.
pub(super) fn remembered(channel: &Channel) -> u64 {
    channel.now().get().saturating_add(REMEMBERED_SECONDS)
}

pub(super) fn read(found: &StoreEntry) -> Result<Code, ErrorResponse> {
    // Where it went wrong, and not what stands there.
    let place = |error: serde_json::Error| format!("{:?} error at column {}", error.classify(), error.column());
    serde_json::from_str(&found.value).map_err(|error| ErrorResponse::unreadable("a code", place(error)))
}

pub(super) fn written(code: &Code) -> String {
    // Nothing in it can fail to be written.
    serde_json::to_string(code).unwrap_or_default()
}

/// Is it a SHA-256 in base64url (RFC 7636 §4.2)?
pub(super) fn is_challenge(challenge: &str) -> bool {
    base64url::decode(challenge).is_some_and(|hash| hash.len() == 32)
}

/// Checks what only an application can get wrong.
pub(super) fn check_challenge(challenge: &str) -> Result<(), PolicyError> {
    if is_challenge(challenge) {
        return Ok(());
    }
    Err(PolicyError::at("codeChallenge", "must be a SHA-256 in base64url (RFC 7636, method S256)"))
}
