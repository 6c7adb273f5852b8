//! The grant `client_credentials` (RFC 6749 §4.4): a client speaks for itself, and is its own
//! subject (RFC 9068 §2.2).

use serde_json::Value;

use super::{
    super::scope::narrowed,
    Issuer,
    authenticate::Caller,
    channel::Channel,
    dpop_proof::{self, Proof},
    error_response::ErrorResponse,
    token_response::{self, Wanted},
};

/// Issues an access token to a client that has shown who it is.
pub(super) async fn answer(
    issuer: &Issuer,
    caller: &Caller<'_>,
    proof: Option<&Proof>,
    channel: &Channel,
) -> Result<Value, ErrorResponse> {
    // The scopes asked for, or all that the client may have (RFC 6749 §3.3).
    let scope = narrowed(caller.client.scope.as_deref(), caller.form.get("scope"));
    let scope = scope.ok_or_else(|| ErrorResponse::scope("must be within this client's scope"))?;
    dpop_proof::remember(proof, channel).await?;
    let jkt = proof.map(|proof| proof.jkt.as_str());
    let wanted = Wanted { subject: &caller.client.id, scope: scope.as_deref(), jkt, longest_seconds: u64::MAX };
    Ok(Value::Object(token_response::alone(issuer, channel, caller.client, wanted).await?))
}
