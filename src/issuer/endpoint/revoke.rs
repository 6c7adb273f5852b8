//! `/revoke` (RFC 7009): whoever holds a token of its own may end what it stands for.

use super::{
    Issuer, access_token,
    authenticate::{self, Caller},
    channel::Channel,
    error_response::ErrorResponse,
    intents,
    log::{self, LogEntry},
    request::Request,
    response::Response,
    session_operations, store_keys,
};
use crate::issuer::{
    feed::intent::Wanted,
    sessions::{
        grant_error::GrantError,
        refresh_token::RefreshToken,
        session::{self, RefreshRequest, SessionOutcome},
    },
};
const PARAMETER: &str = "token";

/// Revokes a session by one of its refresh tokens, of any generation, or one access token.
///
/// RFC 7009 §2.2: what is no token, or none any more, is as good as revoked.
pub(super) async fn answer(issuer: &Issuer, request: &Request, channel: &Channel) -> Result<Response, ErrorResponse> {
    let caller = authenticate::caller(&issuer.settings, request, channel).await?;
    let text = caller.form.required(PARAMETER)?;
    match RefreshToken::parse(text) {
        Some(token) => by_refresh_token(issuer, &caller, token, channel).await?,
        None => by_access_token(issuer, &caller, text, channel).await?,
    }
    Ok(Response::empty(200))
}

async fn by_refresh_token(
    issuer: &Issuer,
    caller: &Caller<'_>,
    token: RefreshToken,
    channel: &Channel,
) -> Result<(), ErrorResponse> {
    let Some(row) = session_operations::read(channel, token.sid()).await? else { return Ok(()) };
    // RFC 9449 asks for no proof here: who holds a bound token without its key can end the session
    // and nothing more.
    let jkt = row.jkt.clone();
    let request = RefreshRequest { token, client: caller.client.id.clone(), jkt, scope: None };
    let decided = session::revoke_by_token(Some(&row), &request, channel.now(), &issuer.settings.rules);
    match decided.answer {
        // RFC 7009 §2.1: it was not issued to this client.
        SessionOutcome::Refused(GrantError::ClientMismatch) => {
            Err(ErrorResponse::unauthorized(PARAMETER, "was issued to another client"))
        }
        SessionOutcome::Refused(_) => Ok(()),
        _ => {
            caller.count_public(channel).await?;
            session_operations::end(issuer, channel, token.sid()).await.map(drop)
        }
    }
}

async fn by_access_token(
    issuer: &Issuer,
    caller: &Caller<'_>,
    text: &str,
    channel: &Channel,
) -> Result<(), ErrorResponse> {
    let Some(accepted) = access_token::verified(issuer, text, channel.now())? else { return Ok(()) };
    let claims = accepted.claims();
    if claims.client_id.as_deref() != Some(&caller.client.id) {
        return Err(ErrorResponse::unauthorized(PARAMETER, "was issued to another client"));
    }
    caller.count_public(channel).await?;
    let Some(jti) = claims.jti.as_deref() else { return Ok(()) };
    let wanted = Wanted::Token(jti.to_owned());
    if channel.read(&store_keys::token(jti)).await?.is_some() {
        return Ok(log::ensure(issuer, channel, wanted).await?);
    }
    let mut intent = intents::open(issuer, channel, wanted.clone()).await;
    // Here first, as for sessions. Nobody can fill the feed with one token: what it lists already
    // is not appended.
    let _ = intents::mark_token(channel, jti).await?;
    intents::append(issuer, channel, &mut intent, LogEntry::of(wanted)).await?;
    intents::close(issuer, intent);
    Ok(())
}
