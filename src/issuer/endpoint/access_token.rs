//! Our own access tokens, when they come back: verified as any edge does, and then held against
//! the store, which edges cannot.

use serde_json::{Map, Value};

use super::{
    Issuer, IssuerError, channel::Channel, cutoff, error_response::ErrorResponse, session_operations, store_keys,
};
use crate::issuer::sessions::{
    operation::{Operation, Outcome},
    session::Inspected,
    session_id::SessionId,
};
use crate::{
    policy::{IssuerPolicy, Policy},
    time::UnixSeconds,
    verifier::{Accepted, Verifier},
};

/// The token, if it is one of ours and good at `now` by what it says itself.
pub(super) fn verified(issuer: &Issuer, text: &str, now: UnixSeconds) -> Result<Option<Accepted>, ErrorResponse> {
    let settings = &issuer.settings;
    let others = settings.clients.iter().filter_map(|client| client.audience.clone());
    let audiences = core::iter::once(settings.audience.clone()).chain(others);
    // Made anew each time: which keys there are is a matter of the time, and none of them earns a
    // table by a question now and then.
    let policy =
        IssuerPolicy::new(&settings.issuer, audiences).and_then(|policy| policy.with_jwks(&settings.jwks(now)));
    let verifier = policy.and_then(|policy| Policy::new([policy])).map(Verifier::new);
    let verifier = verifier.map_err(IssuerError::from)?;
    Ok(verifier.verify(text, now).ok())
}

/// Has nothing been taken back: the token, its key, its session, its subject, its client?
pub(super) async fn stands(
    issuer: &Issuer,
    accepted: &Accepted,
    claims: &Map<String, Value>,
    channel: &Channel,
) -> Result<bool, ErrorResponse> {
    let typed = accepted.claims();
    if let Some(jti) = &typed.jti
        && channel.read(&store_keys::token(jti)).await?.is_some()
    {
        return Ok(false);
    }
    if let Some(kid) = accepted.header().kid()
        && channel.read(&store_keys::key_cutoff(kid)).await?.is_some()
    {
        return Ok(false);
    }
    let Some(sid) = claims.get("sid").and_then(Value::as_str) else {
        let (subject, client) = (typed.sub.as_deref(), typed.client_id.as_deref());
        let before = cutoff::of(issuer, channel, subject.unwrap_or_default(), client.unwrap_or_default()).await?;
        return Ok(typed.iat.is_some_and(|issued_at| before.is_none_or(|before| issued_at >= before)));
    };
    // The session knows the cutoffs that it began under, which says more than instants do.
    let Some(sid) = SessionId::parse(sid) else { return Ok(false) };
    match session_operations::run(issuer, channel, Operation::inspect(Inspected::Session(sid)), None).await? {
        Outcome::Unavailable => Err(ErrorResponse::unavailable()),
        outcome => Ok(matches!(outcome, Outcome::Live(_))),
    }
}
