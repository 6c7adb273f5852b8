//! An authorization request that has been checked (RFC 6749 §4.1.1 with RFC 9700 §2.1).

use serde::{Deserialize, Serialize};

use super::{
    super::{
        client::{AUTHORIZATION_CODE, Client},
        code,
        error_response::ErrorResponse,
        form::Form,
        redirect_uri,
        settings::Settings,
    },
    authorization_error::{AuthorizationError, Back},
};
use crate::{base64url, issuer::bounds, issuer::scope::narrowed};

/// The values of `prompt` (OpenID Connect Core §3.1.2.1).
pub(in super::super) const PROMPTS: [&str; 4] = ["none", "login", "consent", "select_account"];

/// The longest `state`, in bytes. Some clients seal what they have to remember into it.
const STATE: usize = 2048;
/// The longest `acr_values` and `login_hint`.
const TEXT: usize = 512;
/// So many resource servers at once.
const RESOURCES: usize = 8;
/// The longest `max_age`, in seconds: a year. Longer says nothing.
const MAX_AGE: u64 = 31_536_000;

/// What a client asks for. Its client is known, and the redirect URI is one of the client's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    /// Within the client's.
    pub(super) scope: Option<String>,
    /// RFC 8707 §2.
    pub(super) resource: Vec<String>,
    pub(super) nonce: Option<String>,
    /// RFC 7636 §4.3, of the method S256.
    pub(super) code_challenge: String,
    /// RFC 9449 §10.
    pub(super) dpop_jkt: Option<String>,
    pub(super) prompt: Vec<String>,
    pub(super) max_age_seconds: Option<u64>,
    pub(super) acr_values: Vec<String>,
    pub(super) login_hint: Option<String>,
}

impl AuthorizationRequest {
    /// Where its answer goes.
    pub(super) fn back(&self) -> Back {
        Back { redirect_uri: self.redirect_uri.clone(), state: self.state.clone() }
    }
}

/// The client of a request. What is repeated names nobody.
pub(super) fn client<'s>(settings: &'s Settings, form: &Form) -> Result<&'s Client, ErrorResponse> {
    if form.is_repeated("client_id") {
        return Err(ErrorResponse::request("client_id", "must not be repeated"));
    }
    let client = settings.client(form.required("client_id")?);
    client.ok_or_else(|| ErrorResponse::request("client_id", "is not a client of this issuer"))
}

/// Checks a request of that client. `pushed` is one that came by `/par`.
pub(super) fn checked(client: &Client, form: &Form, pushed: bool) -> Result<AuthorizationRequest, AuthorizationError> {
    // RFC 9101 §6.1: who asks for what cannot be read in two places. Without a redirect URI of its
    // own such a request is refused here, by its name all the same.
    let objects = || -> Result<(), ErrorResponse> {
        let refuse = |name: &str, error, reason: &str| match form.all(name).next() {
            Some(_) => Err(ErrorResponse::new(400, error, format!("{name}: {reason}"))),
            None => Ok(()),
        };
        let plain = "is not supported. Write the parameters, or push them to /par";
        refuse("request", "request_not_supported", plain)?;
        refuse("request_uri", "request_uri_not_supported", plain)?;
        refuse("registration", "registration_not_supported", "is not supported. Register the client")
    };
    // RFC 6749 §3.1.2.3 lets a sole redirect URI be left out. STRICTER: it is compared every time.
    let redirect_uri = match form.get("redirect_uri") {
        Some(_) if form.is_repeated("redirect_uri") => {
            return Err(ErrorResponse::request("redirect_uri", "must not be repeated").into());
        }
        None => {
            objects()?;
            return Err(ErrorResponse::request("redirect_uri", "is required").into());
        }
        Some(uri) => uri,
    };
    if !client.redirect_uris.iter().any(|registered| redirect_uri::is_registered(registered, redirect_uri)) {
        return Err(ErrorResponse::request("redirect_uri", "is not one of this client's redirectUris").into());
    }
    let state = text(form, "state", STATE);
    // From here on the client can be told.
    let told = state.as_ref().ok().copied().flatten().filter(|_| !form.is_repeated("state"));
    let back = Back { redirect_uri: redirect_uri.to_owned(), state: told.map(str::to_owned) };
    let there = |error| AuthorizationError::Redirected { back: Box::new(back.clone()), error };
    objects().map_err(there)?;
    state.map_err(there)?;
    if let Some(name) = form.repeated() {
        return Err(there(ErrorResponse::request(name, "must not be repeated")));
    }
    if client.pushes && !pushed {
        return Err(there(ErrorResponse::request(
            "request_uri",
            "is required: this client pushes its requests to /par",
        )));
    }
    read(client, form, &back).map_err(there)
}

fn read(client: &Client, form: &Form, back: &Back) -> Result<AuthorizationRequest, ErrorResponse> {
    if !client.may(AUTHORIZATION_CODE) {
        let reason = "must be a client with the grant authorization_code; add it to the client's grants";
        return Err(ErrorResponse::unauthorized("client_id", reason));
    }
    // RFC 9700 §2.1.2: no token ever travels in a URL.
    if form.required("response_type")? != "code" {
        return Err(ErrorResponse::new(400, "unsupported_response_type", "response_type: must be code"));
    }
    if form.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(ErrorResponse::request("response_mode", "must be query, or left out"));
    }
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri: back.redirect_uri.clone(),
        state: back.state.clone(),
        code_challenge: challenge(form)?.to_owned(),
        scope: scope(client, form)?,
        resource: resource(form)?,
        nonce: text(form, "nonce", bounds::NONCE)?.map(str::to_owned),
        dpop_jkt: thumbprint(form)?,
        prompt: prompt(form)?,
        max_age_seconds: max_age(form)?,
        acr_values: text(form, "acr_values", TEXT)?.map_or_else(Vec::new, words),
        login_hint: text(form, "login_hint", TEXT)?.map(str::to_owned),
    })
}

/// RFC 9700 §2.1.1: PKCE for everybody, and never `plain`, which is the default of RFC 7636 §4.3.
fn challenge(form: &Form) -> Result<&str, ErrorResponse> {
    let challenge = form.required("code_challenge")?;
    if form.get("code_challenge_method") != Some("S256") {
        return Err(ErrorResponse::request("code_challenge_method", "must be S256"));
    }
    if !code::is_challenge(challenge) {
        let reason = "must be a SHA-256 in base64url (RFC 7636 section 4.2)";
        return Err(ErrorResponse::request("code_challenge", reason));
    }
    Ok(challenge)
}

fn scope(client: &Client, form: &Form) -> Result<Option<String>, ErrorResponse> {
    let asked = text(form, "scope", bounds::SCOPE)?;
    narrowed(client.scope.as_deref(), asked).ok_or_else(|| ErrorResponse::scope("must be within this client's scope"))
}

/// RFC 8707 §2: absolute URIs without a fragment.
fn resource(form: &Form) -> Result<Vec<String>, ErrorResponse> {
    let refuse = |reason: &str| ErrorResponse::new(400, "invalid_target", format!("resource: {reason}"));
    let mut resources: Vec<String> = Vec::new();
    for uri in form.all("resource") {
        if uri.len() > bounds::AUDIENCE || !is_absolute(uri) {
            return Err(refuse("must be an absolute URI of at most 256 bytes without a fragment"));
        }
        if resources.iter().any(|known| known == uri) {
            continue;
        }
        if resources.len() == RESOURCES {
            return Err(refuse("must name at most 8 resource servers"));
        }
        resources.push(uri.to_owned());
    }
    Ok(resources)
}

/// RFC 3986 §4.3.
fn is_absolute(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(plain)
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte))
}

fn thumbprint(form: &Form) -> Result<Option<String>, ErrorResponse> {
    match form.get("dpop_jkt") {
        None => Ok(None),
        Some(jkt) if base64url::decode(jkt).is_some_and(|hash| hash.len() == 32) => Ok(Some(jkt.to_owned())),
        Some(_) => Err(ErrorResponse::request("dpop_jkt", "must be a SHA-256 in base64url (RFC 9449 section 10)")),
    }
}

/// OpenID Connect Core §3.1.2.1: `none` stands alone.
fn prompt(form: &Form) -> Result<Vec<String>, ErrorResponse> {
    let prompt = form.get("prompt").map_or_else(Vec::new, words);
    if !prompt.iter().all(|value| PROMPTS.contains(&value.as_str())) {
        return Err(ErrorResponse::request("prompt", "must be none, login, consent or select_account"));
    }
    if prompt.len() > 1 && prompt.iter().any(|value| value == "none") {
        return Err(ErrorResponse::request("prompt", "must not have another value beside none"));
    }
    Ok(prompt)
}

fn max_age(form: &Form) -> Result<Option<u64>, ErrorResponse> {
    let Some(text) = form.get("max_age") else { return Ok(None) };
    let seconds = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match seconds.filter(|seconds| *seconds <= MAX_AGE) {
        Some(seconds) => Ok(Some(seconds)),
        None => Err(ErrorResponse::request("max_age", "must be whole seconds, at most 31536000")),
    }
}

/// A parameter within its bound, without control characters.
fn text<'f>(form: &'f Form, name: &str, most: usize) -> Result<Option<&'f str>, ErrorResponse> {
    let Some(text) = form.get(name) else { return Ok(None) };
    bounds::check_text(name, text, most).map_err(|error| ErrorResponse::request(name, error.reason()))?;
    Ok(Some(text))
}

/// A list separated by spaces, each once.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    words
}
