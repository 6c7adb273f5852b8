//! Token responses (RFC 6749 §5.1), once everything they rest on is committed.

use serde_json::{Map, Value, json};

use super::{
    Issuer, IssuerError,
    channel::Channel,
    client::{Client, REFRESH_TOKEN},
    cutoff,
    error_response::ErrorResponse,
    session_operations,
};
use crate::issuer::{
    scope,
    sessions::{
        grant::Grant,
        operation::{Operation, Outcome},
        start::{Seed, Start},
    },
    tokens::mint::AccessTokenRequest,
};

/// The response for what a session has granted, which is committed.
pub(super) fn of_session(issuer: &Issuer, client: &Client, grant: &Grant) -> Result<Map<String, Value>, ErrorResponse> {
    let settings = &issuer.settings;
    // A client whose scope was narrowed in the configuration has less from its next token on.
    let scope = scope::common(grant.scope.as_deref(), client.scope.as_deref());
    let grant = &Grant { scope, ..grant.clone() };
    let request = grant.access_token(&settings.issuer, settings.audience(client)).map_err(IssuerError::from)?;
    let token = settings.ring.sign(request, grant.issued_at)?;
    let mut body = response(token, grant.jkt.is_some(), grant.lifetime_seconds, grant.scope.as_deref());
    if let Some(token) = grant.refresh_token.as_ref().filter(|_| client.may(REFRESH_TOKEN)) {
        body.insert("refresh_token".to_owned(), token.as_str().into());
    }
    Ok(body)
}

/// What an access token without a session shall say.
pub(super) struct Wanted<'w> {
    pub(super) subject: &'w str,
    pub(super) scope: Option<&'w str>,
    pub(super) jkt: Option<&'w str>,
    /// How long it may live at most, in seconds.
    pub(super) longest_seconds: u64,
}

/// The response for an access token that belongs to no session. There is no refresh token (RFC
/// 6749 §4.4.3).
pub(super) async fn alone(
    issuer: &Issuer,
    channel: &Channel,
    client: &Client,
    wanted: Wanted<'_>,
) -> Result<Map<String, Value>, ErrorResponse> {
    let settings = &issuer.settings;
    let Wanted { subject, scope, jkt, longest_seconds } = wanted;
    let lifetime = settings.rules.configuration.access_token.min(longest_seconds);
    let before = cutoff::of(issuer, channel, subject, &client.id).await?;
    let request = AccessTokenRequest::new(&settings.issuer, settings.audience(client), subject, &client.id)
        .map_err(IssuerError::from)?
        .granted(lifetime, scope, jkt);
    let token = settings.ring.sign(request, before.map_or(channel.now(), |before| before.max(channel.now())))?;
    Ok(response(token, jkt.is_some(), lifetime, scope))
}

/// Begins a session, and says what it has granted.
pub(super) async fn begin(
    issuer: &Issuer,
    channel: &Channel,
    wanted: Start,
    seed: Seed,
) -> Result<Grant, ErrorResponse> {
    let operation = Operation::start(wanted, seed).map_err(IssuerError::from)?;
    match session_operations::run(issuer, channel, operation, None).await? {
        Outcome::Granted(grant) => Ok(*grant),
        Outcome::Refused(refusal) => Err(ErrorResponse::refused("subject", refusal)),
        _ => Err(ErrorResponse::unavailable()),
    }
}

fn response(token: String, bound: bool, lifetime_seconds: u64, scope: Option<&str>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("access_token".to_owned(), token.into());
    // RFC 9449 §5: a bound token is of no use as a bearer's.
    body.insert("token_type".to_owned(), if bound { "DPoP" } else { "Bearer" }.into());
    body.insert("expires_in".to_owned(), json!(lifetime_seconds));
    body.extend(scope.map(|scope| ("scope".to_owned(), scope.into())));
    body
}
