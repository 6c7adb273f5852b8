//! `/introspect` (RFC 7662): what a token says, and whether it still counts, to those who may ask.

use serde_json::{Map, Value, json};

use super::{
    Issuer, access_token,
    authenticate::{self, Caller},
    channel::Channel,
    client::Client,
    error_response::ErrorResponse,
    request::Request,
    response::Response,
    session_operations,
};
use crate::issuer::{
    scope,
    sessions::{
        operation::{Operation, Outcome},
        refresh_token::RefreshToken,
        session::{Inspected, RefreshRequest},
    },
};

/// The claims that are told (RFC 7662 §2.2, RFC 9068 §2.2, RFC 9449 §6.2).
const TOLD: [&str; 14] =
    ["iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti", "sid", "gen", "auth_time", "acr", "amr", "cnf"];

/// Tells of a token. RFC 7662 §2.1: who may not know learns as much as of a token that never was.
pub(super) async fn answer(issuer: &Issuer, request: &Request, channel: &Channel) -> Result<Response, ErrorResponse> {
    let Caller { client, form } = authenticate::caller(&issuer.settings, request, channel).await?;
    if !client.is_confidential() {
        return Err(ErrorResponse::client(
            "client_id",
            "names a public client; introspection requires a confidential client",
            false,
        ));
    }
    let text = form.required("token")?;
    let told = match RefreshToken::parse(text) {
        Some(token) => of_refresh_token(issuer, client, token, channel).await?,
        None => of_access_token(issuer, client, text, channel).await?,
    };
    Ok(Response::json(200, &told.map_or_else(|| json!({ "active": false }), Value::Object)))
}

async fn of_access_token(
    issuer: &Issuer,
    client: &Client,
    text: &str,
    channel: &Channel,
) -> Result<Option<Map<String, Value>>, ErrorResponse> {
    let Some(accepted) = access_token::verified(issuer, text, channel.now())? else { return Ok(None) };
    let own = accepted.claims().client_id.as_deref() == Some(&client.id);
    let Ok(claims) = accepted.deserialize::<Map<String, Value>>() else { return Ok(None) };
    if !(own || client.introspects) || !access_token::stands(issuer, &accepted, &claims, channel).await? {
        return Ok(None);
    }
    let bound = claims.contains_key("cnf");
    let mut told: Map<String, Value> = claims.into_iter().filter(|(name, _)| TOLD.contains(&name.as_str())).collect();
    told.insert("active".to_owned(), true.into());
    told.insert("token_type".to_owned(), if bound { "DPoP" } else { "Bearer" }.into());
    Ok(Some(told))
}

/// A refresh token is its client's alone; resource servers have no business with it.
async fn of_refresh_token(
    issuer: &Issuer,
    client: &Client,
    token: RefreshToken,
    channel: &Channel,
) -> Result<Option<Map<String, Value>>, ErrorResponse> {
    let Some(row) = session_operations::read(channel, token.sid()).await? else { return Ok(None) };
    // Whoever asks has shown that it is the client, and need not hold the key that the session is
    // bound to.
    let request = RefreshRequest { token, client: client.id.clone(), jkt: row.jkt, scope: None };
    let operation = Operation::inspect(Inspected::Token(request));
    let row = match session_operations::run(issuer, channel, operation, None).await? {
        Outcome::Live(row) => row,
        Outcome::Unavailable => return Err(ErrorResponse::unavailable()),
        _ => return Ok(None),
    };
    let told = json!({
        "active": true,
        "iss": issuer.settings.issuer,
        "sub": row.subject,
        "client_id": row.client,
        "scope": scope::common(row.scope.as_deref(), client.scope.as_deref()),
        "exp": row.ends_at,
        "sid": row.sid,
    });
    let Value::Object(mut told) = told else { return Ok(None) };
    told.retain(|_, value| !value.is_null());
    Ok(Some(told))
}
