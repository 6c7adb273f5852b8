//! `/token` (RFC 6749 §3.2).

use super::{
    Issuer,
    authenticate::{self, Caller},
    authorization_code,
    channel::Channel,
    client::{AUTHORIZATION_CODE, CLIENT_CREDENTIALS, GRANTS, REFRESH_TOKEN, TOKEN_EXCHANGE},
    client_credentials, dpop_proof,
    error_response::ErrorResponse,
    refresh,
    request::Request,
    response::Response,
    token_exchange,
};

/// Answers a token request: who asks, what for, with which key; then the grant itself.
pub(super) async fn answer(issuer: &Issuer, request: &Request, channel: &Channel) -> Result<Response, ErrorResponse> {
    let caller = authenticate::caller(&issuer.settings, request, channel).await?;
    let Caller { client, form } = &caller;
    let wanted = form.required("grant_type")?;
    let grant = GRANTS.into_iter().find(|known| *known == wanted).ok_or_else(|| {
        ErrorResponse::new(400, "unsupported_grant_type", format!("grant_type: must be one of {}", GRANTS.join(", ")))
    })?;
    if !client.may(grant) {
        return Err(ErrorResponse::unauthorized("grant_type", "must be one of this client's grants; add it to them"));
    }
    let proof = dpop_proof::checked(&issuer.settings, request, "/token", channel.now())?;
    let proof = proof.as_ref();
    if client.dpop_bound && proof.is_none() {
        return Err(ErrorResponse::proof("is required: this client has dpopBound"));
    }
    let body = match grant {
        REFRESH_TOKEN => refresh::answer(issuer, &caller, proof, channel).await?,
        CLIENT_CREDENTIALS => client_credentials::answer(issuer, &caller, proof, channel).await?,
        AUTHORIZATION_CODE => authorization_code::redeem(issuer, &caller, proof, channel).await?,
        TOKEN_EXCHANGE => token_exchange::answer(issuer, &caller, proof, channel).await?,
        _ => return Err(ErrorResponse::request("grant_type", "is unknown")),
    };
    Ok(Response::json(200, &body))
}
