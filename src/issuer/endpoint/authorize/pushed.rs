//! `/par`: authorization requests that the client pushes before its user comes (RFC 9126).

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    super::{
        authenticate,
        channel::{Channel, StoreEntry},
        client::Client,
        dpop_proof,
        error_response::ErrorResponse,
        form::Form,
        request::Request,
        response::Response,
        settings::Settings,
        store_keys,
    },
    authorization_error::AuthorizationError,
    request::checked,
    sealed,
};
use crate::{base64url, issuer::random::random};

/// What the names of pushed requests begin with (RFC 9126 §2.2).
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// How long a pushed request waits for its user, in seconds.
const LIFETIME_SECONDS: u64 = 60;

/// How often a lost race for the mark is run again. Whoever won has set it.
const ATTEMPTS: u32 = 2;

/// What shows who the client is, and is no part of its request.
const CREDENTIALS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// A pushed request in the store.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pushed {
    client: String,
    parameters: Vec<(String, String)>,
    expires: u64,
    /// Which authorization it was granted in, by the id of its sealed text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    granted: Option<String>,
}

/// Answers `/par`: who asks, and whether the request is good; then keeps it.
pub(in super::super) async fn push(
    settings: &Settings,
    request: &Request,
    channel: &Channel,
) -> Result<Response, ErrorResponse> {
    let caller = authenticate::caller(settings, request, channel).await?;
    // RFC 9126 §2.1: a reference to another request is no request.
    if caller.form.get("request_uri").is_some() {
        return Err(ErrorResponse::request("request_uri", "must not be pushed"));
    }
    let proof = dpop_proof::checked(settings, request, "/par", channel.now())?;
    let mut parameters: Vec<(String, String)> = caller.form.pairs().to_vec();
    parameters.retain(|(name, _)| !CREDENTIALS.contains(&name.as_str()) && name != "client_id");
    parameters.push(("client_id".to_owned(), caller.client.id.clone()));
    // RFC 9449 §10.1: the proof says which key, and a parameter beside it the same.
    if let Some(proof) = &proof {
        match caller.form.get("dpop_jkt") {
            Some(jkt) if jkt != proof.jkt => {
                return Err(ErrorResponse::proof("has another key than dpop_jkt"));
            }
            Some(_) => {}
            None => parameters.push(("dpop_jkt".to_owned(), proof.jkt.clone())),
        }
    }
    let form = Form::of(parameters.clone());
    checked(caller.client, &form, true).map_err(AuthorizationError::into_error)?;
    caller.count_public(channel).await?;
    dpop_proof::remember(proof.as_ref(), channel).await?;
    let reference = base64url::encode(&random::<32>()?);
    let expires = channel.now().get().saturating_add(LIFETIME_SECONDS);
    let pushed = Pushed { client: caller.client.id.clone(), parameters, expires, granted: None };
    if !channel.swap(&store_keys::pushed(&reference), 0, written(&pushed), pushed.ends_at()).await? {
        return Err(ErrorResponse::unavailable());
    }
    let body = json!({ "request_uri": format!("{PREFIX}{reference}"), "expires_in": LIFETIME_SECONDS });
    Ok(Response::json(201, &body))
}

/// The name that a request has, if it is one of a pushed request.
pub(super) fn reference(form: &Form) -> Option<&str> {
    form.get("request_uri").and_then(|uri| uri.strip_prefix(PREFIX))
}

/// A pushed request of that client, which nobody was granted.
///
/// Reading it does not use it up: a reload, a link preview or a virus scanner would, and a lost
/// answer of the store as well. RFC 9126 §4 asks for one use, and [`grant`] sees to it.
pub(super) async fn find(client: &Client, reference: &str, channel: &Channel) -> Result<Form, ErrorResponse> {
    let refuse = || {
        let reason = "is unknown, has expired, was used before, or is another client's. Push the request again";
        ErrorResponse::new(400, "invalid_request_uri", format!("request_uri: {reason}"))
    };
    // Ours have one length: nothing longer is looked for.
    if reference.len() != 43 {
        return Err(refuse());
    }
    let found = channel.read(&store_keys::pushed(reference)).await?.ok_or_else(refuse)?;
    let pushed = read(&found)?;
    if pushed.granted.is_some() || pushed.client != client.id || pushed.expires <= channel.now().get() {
        return Err(refuse());
    }
    Ok(Form::of(pushed.parameters))
}

/// Grants a pushed request in one authorization; `false` when it was granted in another. A retry
/// after a lost answer finds its own mark, and is told `true`.
pub(super) async fn grant(reference: &str, id: &str, channel: &Channel) -> Result<bool, ErrorResponse> {
    let key = store_keys::pushed(reference);
    for _ in 0..ATTEMPTS {
        // Swept only when every sealed text of it has expired.
        let Some(found) = channel.read(&key).await? else { return Ok(false) };
        let pushed = read(&found)?;
        if let Some(granted) = &pushed.granted {
            return Ok(granted == id);
        }
        let granted = Pushed { granted: Some(id.to_owned()), parameters: Vec::new(), ..pushed };
        if channel.swap(&key, found.version, written(&granted), granted.ends_at()).await? {
            return Ok(true);
        }
    }
    Err(ErrorResponse::unavailable())
}

impl Pushed {
    /// The last user who came within its time has [`LIFETIME_SECONDS`](sealed::LIFETIME_SECONDS).
    fn ends_at(&self) -> u64 {
        self.expires.saturating_add(sealed::LIFETIME_SECONDS)
    }
}

fn read(found: &StoreEntry) -> Result<Pushed, ErrorResponse> {
    // Where it went wrong, and not what stands there.
    let place = |error: serde_json::Error| format!("{:?} error at column {}", error.classify(), error.column());
    serde_json::from_str(&found.value).map_err(|error| ErrorResponse::unreadable("a pushed request", place(error)))
}

fn written(pushed: &Pushed) -> String {
    // Nothing in it can fail to be written.
    serde_json::to_string(pushed).unwrap_or_default()
}
