//! The ID token beside a session's access token (OpenID Connect Core §3.1.3.3).

use serde_json::{Map, Value};

use super::{error_response::ErrorResponse, settings::Settings};
use crate::issuer::{sessions::grant::Grant, tokens::id_token::IdToken};

/// The scope that asks for one.
pub(super) const OPENID: &str = "openid";

/// The claims it can have, for the metadata.
pub(super) const CLAIMS: [&str; 11] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "acr", "amr", "sid"];

/// Adds an ID token to the response of a code, if `openid` is within what was granted.
///
/// A refresh has none (OpenID Connect Core §12.2 leaves it open): nobody has signed in again.
pub(super) fn add(
    body: &mut Map<String, Value>,
    settings: &Settings,
    grant: &Grant,
    nonce: Option<&str>,
) -> Result<(), ErrorResponse> {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let is_asked_for = text("scope").is_some_and(is_openid);
    let Some(access_token) = text("access_token").filter(|_| is_asked_for) else { return Ok(()) };
    let token = IdToken {
        issuer: &settings.issuer,
        subject: &grant.subject,
        client: &grant.client,
        sid: &grant.sid.to_string(),
        auth_time: grant.auth_time,
        acr: grant.acr.as_deref(),
        amr: &grant.amr,
        nonce,
        access_token,
        lifetime_seconds: grant.lifetime_seconds,
    };
    let token = token.sign(&settings.ring, grant.issued_at)?;
    body.insert("id_token".to_owned(), token.into());
    Ok(())
}

/// Does a scope ask for an ID token?
pub(super) fn is_openid(scope: &str) -> bool {
    scope.split(' ').any(|token| token == OPENID)
}
