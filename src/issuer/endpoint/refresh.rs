//! The grant `refresh_token` (RFC 6749 §6): the state machine of `session.rs`, on the store.

use serde_json::Value;

use super::{
    Issuer, admission::Admission, authenticate::Caller, channel::Channel, dpop_proof::Proof,
    error_response::ErrorResponse, session_operations, token_response,
};
use crate::issuer::{
    scope::narrowed,
    sessions::{
        grant_error::GrantError,
        operation::{Operation, Outcome},
        refresh_token::RefreshToken,
        session::RefreshRequest,
    },
};

const PARAMETER: &str = "refresh_token";

/// Refreshes a session.
pub(super) async fn answer(
    issuer: &Issuer,
    caller: &Caller<'_>,
    proof: Option<&Proof>,
    channel: &Channel,
) -> Result<Value, ErrorResponse> {
    let text = caller.form.required(PARAMETER)?;
    let token = RefreshToken::parse(text).ok_or_else(|| ErrorResponse::refused(PARAMETER, GrantError::TokenInvalid))?;
    let scope = caller.form.get("scope").map(str::to_owned);
    // The session was granted its scope under a configuration that may since have narrowed.
    if narrowed(caller.client.scope.as_deref(), scope.as_deref()).is_none() {
        return Err(ErrorResponse::scope("must be within this client's scope"));
    }
    let jkt = proof.map(|proof| proof.jkt.clone());
    let request = RefreshRequest { token, client: caller.client.id.clone(), jkt, scope };
    match session_operations::run(
        issuer,
        channel,
        Operation::refresh(request),
        Some(Admission::new(caller, token, proof)),
    )
    .await?
    {
        Outcome::Granted(grant) => token_response::of_session(issuer, caller.client, &grant).map(Value::Object),
        Outcome::Refused(refusal) => Err(ErrorResponse::refused(PARAMETER, refusal)),
        _ => Err(ErrorResponse::unavailable()),
    }
}
