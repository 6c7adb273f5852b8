//! What the application itself asks for, in process. Its mistakes are errors at their members, as
//! in a configuration.

use serde_json::{Value, json};

use super::{
    Issuer, authorize,
    channel::Channel,
    client::{AUTHORIZATION_CODE, Client},
    code::{self, Code},
    command_error::CommandError,
    fleet, health, intents,
    response::Response,
    revocations::{Target, revoke},
    session_operations, token_response,
};
use crate::issuer::{
    bounds,
    scope::narrowed,
    sessions::{
        session_id::SessionId,
        start::{Seed, Start},
    },
    tokens::claims::{Claims, amr},
};
use crate::{document, json::Object, policy_error::PolicyError, time::UnixSeconds};

/// Carries a command out: an object whose `command` says which.
pub(super) async fn answer(issuer: &Issuer, text: &str, channel: &Channel) -> Result<Response, CommandError> {
    let command = document::parse(text)?;
    let body = match command.required_string("command")? {
        "startSession" => start_session(issuer, text, &command, channel).await?,
        "mintCode" => mint_code(issuer, text, &command, channel).await?,
        "complete" => return authorize::complete(&issuer.settings, text, &command, channel).await,
        "decline" => return authorize::decline(&issuer.settings, &command, channel),
        "endSession" => {
            command.only(&["command", "sid"])?;
            session_operations::end(issuer, channel, sid(&command)?).await?;
            Value::Null
        }
        "revoke" => {
            command.only(&["command", "sub", "sid", "client_id", "kid"])?;
            revoke(issuer, channel, target(&command)?).await?;
            Value::Null
        }
        "health" => {
            command.only(&["command"])?;
            health::check(channel).await?;
            Value::Null
        }
        "visit" => {
            command.only(&["command"])?;
            issuer.ledger.tends(channel.now());
            json!({ "past": fleet::visit(issuer, channel).await? })
        }
        "tend" => {
            command.only(&["command"])?;
            issuer.ledger.tends(channel.now());
            intents::tend(issuer, channel).await?;
            Value::Null
        }
        other => {
            return Err(
                PolicyError::at("command", format!("must be a command of the issuer; found \"{other}\"")).into()
            );
        }
    };
    Ok(Response::json(200, &body))
}

async fn start_session(
    issuer: &Issuer,
    text: &str,
    command: &Object<'_>,
    channel: &Channel,
) -> Result<Value, CommandError> {
    command.only(&["command", "subject", "clientId", "scope", "acr", "amr", "claims", "authTimeSeconds", "jkt"])?;
    let client = client(issuer, command)?;
    let start = asked(client, text, command)?;
    if client.dpop_bound && start.jkt.is_none() {
        let reason =
            "is required, for this client has dpopBound; found none. Write the thumbprint of its key (RFC 7638)";
        return Err(PolicyError::at("jkt", reason).into());
    }
    check(&start, channel.now())?;
    let grant = token_response::begin(issuer, channel, start, Seed::generate()?).await?;
    let mut body = token_response::of_session(issuer, client, &grant)?;
    body.insert("sid".to_owned(), json!(grant.sid));
    Ok(Value::Object(body))
}

/// The session that a command asks for.
fn asked(client: &Client, text: &str, command: &Object<'_>) -> Result<Start, PolicyError> {
    Ok(Start {
        subject: command.required_string("subject")?.to_owned(),
        client: client.id.clone(),
        confidential: client.is_confidential(),
        scope: scope(client, command)?,
        jkt: thumbprint(command, "jkt")?,
        acr: command.string("acr")?.map(str::to_owned),
        amr: amr(command)?,
        claims: Claims::of(text, command)?,
        auth_time: command.instant("authTimeSeconds")?,
    })
}

/// Checks it before anything is written: what is signed for it later is then accepted everywhere.
fn check(start: &Start, now: UnixSeconds) -> Result<(), PolicyError> {
    start.check()?;
    start.auth_time.map_or(Ok(()), |instant| bounds::check_auth_time("authTimeSeconds", instant, now))
}

async fn mint_code(
    issuer: &Issuer,
    text: &str,
    command: &Object<'_>,
    channel: &Channel,
) -> Result<Value, CommandError> {
    command.only(&[
        "command",
        "subject",
        "clientId",
        "redirectUri",
        "codeChallenge",
        "codeChallengeMethod",
        "scope",
        "acr",
        "amr",
        "claims",
        "authTimeSeconds",
        "nonce",
        "jkt",
    ])?;
    let client = client(issuer, command)?;
    if !client.may(AUTHORIZATION_CODE) {
        return Err(PolicyError::at(
            "clientId",
            "must be a client with the grant authorization_code; add it to the client's grants",
        )
        .into());
    }
    let redirect_uri = command.required_string("redirectUri")?;
    // RFC 9700 §2.1: compared as it is, and never by its beginning.
    if !client.redirect_uris.iter().any(|known| known == redirect_uri) {
        return Err(PolicyError::at(
            "redirectUri",
            format!("must be one of this client's redirectUris; found \"{redirect_uri}\""),
        )
        .into());
    }
    if let Some(found) = command.string("codeChallengeMethod")?.filter(|method| *method != "S256") {
        return Err(PolicyError::at("codeChallengeMethod", format!("must be S256; found \"{found}\"")).into());
    }
    let challenge = command.required_string("codeChallenge")?;
    code::check_challenge(challenge)?;
    let nonce = command.string("nonce")?;
    nonce.map_or(Ok(()), |text| bounds::check_text("nonce", text, bounds::NONCE))?;
    let now = channel.now();
    let start = asked(client, text, command)?;
    check(&start, now)?;
    let code = Code {
        client: start.client,
        subject: start.subject,
        redirect_uri: redirect_uri.to_owned(),
        challenge: challenge.to_owned(),
        scope: start.scope,
        acr: start.acr,
        amr: start.amr,
        claims: start.claims,
        auth_time: start.auth_time.unwrap_or(now).get(),
        nonce: nonce.map(str::to_owned),
        jkt: start.jkt,
        resource: Vec::new(),
        expires: now.get().saturating_add(issuer.settings.code_seconds),
        begun: None,
        sid: None,
        answered: None,
    };
    Ok(json!({ "code": code::mint(channel, &code).await? }))
}

fn target<'t>(command: &'t Object<'_>) -> Result<Target<'t>, PolicyError> {
    let named: Vec<_> = Target::CLAIMS.into_iter().filter(|claim| command.get(claim).is_some()).collect();
    let [claim] = named.as_slice() else {
        let found = if named.is_empty() { "none".to_owned() } else { named.join(" and ") };
        let reason = format!("is required, or else exactly one of sid, client_id and kid; found {found}");
        return Err(PolicyError::at("sub", reason));
    };
    let value = command.required_string(claim)?;
    Target::of(claim, value).ok_or_else(|| no_session(value))
}

fn client<'i>(issuer: &'i Issuer, command: &Object<'_>) -> Result<&'i Client, PolicyError> {
    let id = command.required_string("clientId")?;
    issuer
        .settings
        .client(id)
        .ok_or_else(|| PolicyError::at("clientId", format!("must be a client of the configuration; found \"{id}\"")))
}

fn sid(command: &Object<'_>) -> Result<SessionId, PolicyError> {
    let text = command.required_string("sid")?;
    SessionId::parse(text).ok_or_else(|| no_session(text))
}

fn no_session(sid: &str) -> PolicyError {
    let reason = format!("must be 16 bytes, 22 characters of base64url; found {} characters", sid.chars().count());
    PolicyError::at("sid", reason)
}

/// The scopes given, or all that the client may have.
fn scope(client: &Client, command: &Object<'_>) -> Result<Option<String>, PolicyError> {
    let scope = narrowed(client.scope.as_deref(), command.string("scope")?);
    let most = || client.scope.as_deref().unwrap_or("none");
    scope.ok_or_else(|| {
        PolicyError::at("scope", format!("must be within this client's scope, \"{}\"; found a scope beyond it", most()))
    })
}

fn thumbprint(command: &Object<'_>, member: &str) -> Result<Option<String>, PolicyError> {
    let Some(jkt) = command.string(member)? else { return Ok(None) };
    if crate::base64url::decode(jkt).is_some_and(|hash| hash.len() == 32) {
        return Ok(Some(jkt.to_owned()));
    }
    let found = jkt.chars().count();
    Err(PolicyError::at(member, format!("must be a SHA-256, 43 characters of base64url; found {found} characters")))
}
