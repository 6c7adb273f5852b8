//! The end of an authorization request: a code, or why there is none, at the client's redirect
//! URI.

use serde_json::json;

use super::{
    super::{
        channel::Channel,
        client::{AUTHORIZATION_CODE, Client},
        code::{Code, mint_once},
        command_error::CommandError,
        error_response::ErrorResponse,
        redirect_uri,
        response::Response,
        settings::Settings,
    },
    authorization_error::AuthorizationError,
    browser, pushed,
    request::AuthorizationRequest,
    sealed::{Opened, Pending, open},
};
use crate::{
    issuer::{
        bounds,
        scope::narrowed,
        sessions::start::Start,
        tokens::claims::{Claims, amr},
    },
    json::Object,
    policy_error::PolicyError,
    time::{Leeway, UnixSeconds},
};

/// Why an application declines (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
const ERRORS: [&str; 9] = [
    "access_denied",
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
    "unmet_authentication_requirements",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
];

/// The longest `description`, in bytes.
const DESCRIPTION: usize = 256;

/// Sends the subject's browser back with a code.
pub(in super::super) async fn complete(
    settings: &Settings,
    text: &str,
    command: &Object<'_>,
    channel: &Channel,
) -> Result<Response, CommandError> {
    command.only(&[
        "command",
        "sealed",
        "browser",
        "cookie",
        "subject",
        "scope",
        "acr",
        "amr",
        "claims",
        "authTimeSeconds",
    ])?;
    let now = channel.now();
    let (opened, client) = match opened(settings, command, now)? {
        Ok(opened) => opened,
        Err(error) => return Ok(told(error.response(settings))),
    };
    let Pending { request, id, pushed, began, .. } = &opened.pending;
    let start = Start {
        subject: command.required_string("subject")?.to_owned(),
        client: client.id.clone(),
        confidential: client.is_confidential(),
        scope: scope(request, command)?,
        jkt: request.dpop_jkt.clone(),
        acr: command.string("acr")?.map(str::to_owned),
        amr: amr(command)?,
        claims: Claims::of(text, command)?,
        auth_time: command.instant("authTimeSeconds")?,
    };
    start.check()?;
    check_time(request, start.auth_time, *began, now)?;
    let code = Code {
        client: start.client,
        subject: start.subject,
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.code_challenge.clone(),
        scope: start.scope,
        acr: start.acr,
        amr: start.amr,
        claims: start.claims,
        auth_time: start.auth_time.unwrap_or(now).get(),
        jkt: start.jkt,
        nonce: request.nonce.clone(),
        resource: request.resource.clone(),
        expires: now.get().saturating_add(settings.code_seconds),
        begun: None,
        sid: None,
        answered: None,
    };
    if let Some(reference) = pushed
        && !pushed::grant(reference, id, channel).await?
    {
        let reason = "is of a pushed request that was used before (RFC 9126 section 4). Push the request again";
        return Ok(told(AuthorizationError::Shown(ErrorResponse::request("sealed", reason)).response(settings)));
    }
    let text = opened.code(settings).ok_or_else(ErrorResponse::unavailable)?;
    if !mint_once(channel, &text, &code).await? {
        let reason = "was completed before, or its code has expired. Begin a new authorization request";
        return Ok(told(AuthorizationError::Shown(ErrorResponse::request("sealed", reason)).response(settings)));
    }
    Ok(told(request.back().answer(settings, &[("code", &text)])))
}

/// Sends the browser back with an error.
pub(in super::super) fn decline(
    settings: &Settings,
    command: &Object<'_>,
    channel: &Channel,
) -> Result<Response, CommandError> {
    command.only(&["command", "sealed", "browser", "cookie", "error", "description"])?;
    let error = command.required_string("error")?;
    if !ERRORS.contains(&error) {
        let reason = format!("must be one of {}; found \"{error}\"", ERRORS.join(", "));
        return Err(PolicyError::at("error", reason).into());
    }
    let description = command.string("description")?;
    description.map_or(Ok(()), |text| bounds::check_text("description", text, DESCRIPTION))?;
    let response = match opened(settings, command, channel.now())? {
        Ok((opened, _)) => {
            opened.pending.request.back().error(settings, error, description.unwrap_or("the request was declined"))
        }
        Err(error) => error.response(settings),
    };
    Ok(told(response))
}

/// A response is what a command comes to.
fn told(response: Response) -> Response {
    Response::json(200, &json!({ "response": response }))
}

type Found<'s> = Result<(Opened<'s>, &'s Client), AuthorizationError>;

/// Opens the sealed request for the browser that began it. The configuration may have changed
/// since: what the client may no longer do is not done.
fn opened<'s>(settings: &'s Settings, command: &Object<'_>, now: UnixSeconds) -> Result<Found<'s>, PolicyError> {
    let sealed = command.required_string("sealed")?;
    let header = match (command.string("browser")?, command.string("cookie")?) {
        (Some(header), None) | (None, Some(header)) => header,
        (None, None) => return Err(PolicyError::at("request", "is required: the browser's request")),
        (Some(_), Some(_)) => {
            return Err(PolicyError::at("cookie", "must not stand beside request. Leave one of them out"));
        }
    };
    let refuse = |reason: &str| Ok(Err(AuthorizationError::Shown(ErrorResponse::request("sealed", reason))));
    let Some(opened) = open(settings, sealed, now) else {
        return refuse("is no request of this issuer, or has expired. Begin a new authorization request");
    };
    let Pending { request, browser, .. } = &opened.pending;
    if !browser::is_of(settings, header, browser) {
        return refuse("was begun by another browser, or its cookie is missing. Begin a new authorization request");
    }
    let is_registered = |client: &&Client| {
        client.redirect_uris.iter().any(|own| redirect_uri::is_registered(own, &request.redirect_uri))
    };
    let client = settings.client(&request.client_id).filter(|client| client.may(AUTHORIZATION_CODE));
    match client.filter(is_registered) {
        Some(client) => Ok(Ok((opened, client))),
        None => refuse("belongs to a client that may no longer get a code at this redirect URI"),
    }
}

/// What the subject grants, within what was asked for.
fn scope(request: &AuthorizationRequest, command: &Object<'_>) -> Result<Option<String>, PolicyError> {
    let asked = request.scope.as_deref();
    narrowed(asked, command.string("scope")?).ok_or_else(|| {
        let most = asked.unwrap_or("none");
        PolicyError::at("scope", format!("must be within the request's scope, \"{most}\"; found a scope beyond it"))
    })
}

/// OpenID Connect Core §3.1.2.1: a client that asks for a recent sign-in gets no older one.
fn check_time(
    request: &AuthorizationRequest,
    auth_time: Option<UnixSeconds>,
    began: u64,
    now: UnixSeconds,
) -> Result<(), PolicyError> {
    auth_time.map_or(Ok(()), |instant| bounds::check_auth_time("authTimeSeconds", instant, now))?;
    let is_new = request.prompt.iter().any(|value| value == "login");
    let oldest = request.max_age_seconds.map(|seconds| now.get().saturating_sub(seconds));
    let oldest = oldest.max(is_new.then_some(began));
    let Some(oldest) = oldest else { return Ok(()) };
    let at = |reason: String| Err(PolicyError::at("authTimeSeconds", reason));
    match auth_time.map(UnixSeconds::get) {
        // By default it would be now, and say more than the application does.
        None => at("is required: the request has max_age or prompt=login; found none".to_owned()),
        Some(found) if found.saturating_add(Leeway::default().get()) < oldest => at(format!(
            "must be at least {oldest}, by the request's max_age or prompt; found {found}. Sign the user in again"
        )),
        Some(_) => Ok(()),
    }
}
