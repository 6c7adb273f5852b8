//! The issuer's endpoints, without a socket, a clock or a store: a request goes in, questions come
//! out, and at last a response.
//!
//! Whoever has the connection begins an [`Exchange`], carries out each [`IssuerStep`] and hands
//! back what it came to. One endpoint or stage is one file; what is shared by several stands above
//! them.

mod channel;
mod error_response;
mod response;
mod rate_limit;
mod form;
mod store_keys;
mod redirect_uri;
mod client;
mod settings;
mod request;
mod assertion;
mod authenticate;
mod feed_access;
mod dpop_proof;
mod pause;
mod fleet;
mod cutoff;
mod feed_response_cache;
mod log;
mod session_operations;
mod admission;
mod intents;
mod token_response;
mod id_token;
mod access_token;
mod cors;
mod command_error;
mod code;

// the way in: authorization requests, before there is a grant
mod authorize;

// the grants, and the endpoints
mod refresh;
mod client_credentials;
mod subject_token;
mod token_exchange;
mod authorization_code;
mod token;
mod revoke;
mod introspect;
mod revocations;
mod published;
mod health;
mod command;

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::sync::Arc;

use serde_json::Value;

use super::error::IssuerError;
pub use channel::{Broken, IssuerStep, StepResult, StoreEntry};
pub use client::hash_client_secret;
pub use request::Request;
pub use response::Response;
pub use settings::Settings;

use crate::{policy_error::PolicyError, time::UnixSeconds};
use channel::Channel;
use command_error::CommandError;
use error_response::ErrorResponse;
use log::Ledger;
use request::Place;

/// An issuer at work: its settings, the log of its feed as far as it was read, and what its
/// requests want of it. Everything else is in the store.
///
/// Whoever has the connection and the store carries out one [`IssuerStep`] after another:
///
/// ```
/// use std::{collections::BTreeMap, sync::Arc};
/// use portcullis::{Alg, UnixSeconds};
/// use portcullis::issuer::{Issuer, IssuerStep, SigningKey, StepResult, StoreEntry};
///
/// let config = r#"{
///     "issuer": "https://issuer.example",
///     "audience": "https://api.example",
///     "clients": [{ "clientId": "app", "authentication": "none", "grants": ["refresh_token"], "scope": "read" }]
/// }"#;
/// let key = SigningKey::generate(Alg::EdDsa)?.private_jwk();
/// let root = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"; // draw 32 bytes, and keep them secret
/// let secrets = format!(r#"{{ "signingKeys": [{{ "jwk": {key} }}], "rootKeys": [{{ "secret": {{ "base64url": "{root}" }} }}] }}"#);
/// let issuer = Arc::new(Issuer::from_json(config, &secrets)?);
///
/// let mut store: BTreeMap<String, StoreEntry> = BTreeMap::new();
/// let now = UnixSeconds::new(1_800_000_000).unwrap();
/// let request = r#"{ "method": "GET", "url": "https://issuer.example/jwks", "headers": [] }"#;
/// let mut exchange = issuer.begin(request, now);
/// let response = loop {
///     let result = match exchange.step() {
///         IssuerStep::Done { response, .. } => break response.clone(),
///         IssuerStep::Mistake { error } => return Err(error.clone().into()),
///         IssuerStep::Read { key } => StepResult::Found(store.get(key).cloned()),
///         IssuerStep::ReadMany { keys } => StepResult::FoundMany(keys.iter().map(|key| store.get(key).cloned()).collect()),
///         IssuerStep::Swap { key, expected, value, .. } => {
///             let held = store.get(key).map_or(0, |entry| entry.version) == *expected;
///             if held {
///                 store.insert(key.clone(), StoreEntry { version: expected + 1, value: value.clone() });
///             }
///             StepResult::Held(held)
///         }
///         IssuerStep::Count { .. } | IssuerStep::Wait { .. } => StepResult::Held(true), // count, and wait
///         IssuerStep::Keys { .. } => StepResult::Held(false), // fetch them
///         IssuerStep::Body => StepResult::Body(Some(String::new())), // read it
///     };
///     exchange.resume(result, now);
/// };
/// assert_eq!(response.status, 200);
/// # Ok::<(), portcullis::issuer::IssuerError>(())
/// ```
#[derive(Debug)]
pub struct Issuer {
    settings: Settings,
    ledger: Ledger,
}

impl Issuer {
    /// An issuer by a configuration and secrets in JSON.
    ///
    /// # Errors
    /// As [`Settings::from_json`].
    pub fn from_json(config: &str, secrets: &str) -> Result<Self, PolicyError> {
        Ok(Issuer { settings: Settings::from_json(config, secrets)?, ledger: Ledger::new() })
    }

    /// What it goes by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Begins to answer: a [`Request`] as JSON, or a command of the application's own, which has a
    /// member `command`.
    #[must_use]
    pub fn begin(self: &Arc<Self>, request: &str, now: UnixSeconds) -> Exchange {
        let channel = Channel::new(now);
        let (issuer, inner, request) = (Arc::clone(self), channel.clone(), request.to_owned());
        let work = Box::pin(async move { answer(&issuer, &request, &inner).await });
        Exchange { issuer: Arc::clone(self), channel, work: Some(work), next: None }.advanced()
    }
}

type Work = Pin<Box<dyn Future<Output = Result<Response, PolicyError>> + Send>>;

/// One request under way.
pub struct Exchange {
    issuer: Arc<Issuer>,
    channel: Channel,
    work: Option<Work>,
    next: Option<IssuerStep>,
}

impl Exchange {
    /// What is to be done next, as JSON.
    #[must_use]
    pub fn step_json(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self.step()).unwrap_or_default()
    }

    /// What is to be done next.
    #[must_use]
    pub fn step(&self) -> &IssuerStep {
        const OVER: &IssuerStep = &IssuerStep::Count { key: String::new(), limit: 0, seconds: 0 };
        self.next.as_ref().unwrap_or(OVER)
    }

    /// Takes what the step came to at `now`, and gives the next one. After the last there is no
    /// other.
    pub fn resume(&mut self, result: StepResult, now: UnixSeconds) -> &IssuerStep {
        self.channel.tell(result, now);
        self.advance();
        self.step()
    }

    fn advanced(mut self) -> Self {
        self.advance();
        self
    }

    fn advance(&mut self) {
        let Some(work) = &mut self.work else { return };
        let mut context = Context::from_waker(Waker::noop());
        self.next = match work.as_mut().poll(&mut context) {
            Poll::Pending => self.channel.take_step(),
            Poll::Ready(outcome) => {
                self.work = None;
                let events = self.channel.take_events();
                Some(match outcome {
                    Ok(response) => {
                        let tend = self.issuer.ledger.is_due(self.channel.now());
                        IssuerStep::Done { response, events, tend }
                    }
                    Err(error) => IssuerStep::Mistake { error },
                })
            }
        };
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Exchange").finish_non_exhaustive()
    }
}

/// A request or a command, to its end.
async fn answer(issuer: &Issuer, text: &str, channel: &Channel) -> Result<Response, PolicyError> {
    let value: Value = serde_json::from_str(text).map_err(|_| PolicyError::here("is not a JSON object"))?;
    if value.get("command").is_some_and(|command| command == "authorize") {
        // A browser's request, whose headers nobody here has bounded: it is no document.
        let request = value.get("request").cloned().unwrap_or_default();
        let request: Request =
            serde_json::from_value(request).map_err(|_| PolicyError::at("request", "is not a request"))?;
        return Ok(authorize::begin(&issuer.settings, &request, channel).await);
    }
    if value.get("command").is_some() {
        return match command::answer(issuer, text, channel).await {
            Ok(response) => Ok(response),
            Err(CommandError::Failed(failure)) => {
                failure.report(channel);
                Ok(failure.response())
            }
            Err(CommandError::Mistake(error)) => Err(error),
        };
    }
    let request: Request = serde_json::from_value(value).map_err(|_| PolicyError::here("is not a request"))?;
    let (mut response, place) = match routed(issuer, &request, channel).await {
        Ok((response, place)) => (response, Some(place)),
        Err((failure, place)) => {
            failure.report(channel);
            (failure.response(), place)
        }
    };
    if request.method == "HEAD" {
        response.body.clear();
    }
    // A page of a public client talks to these alone.
    let shared = matches!(place, Some(Place::Token | Place::Pushed | Place::Revoke));
    Ok(if shared { cors::shared(&issuer.settings, &request, response) } else { response })
}

type Routed = Result<(Response, Place), (ErrorResponse, Option<Place>)>;

async fn routed(issuer: &Issuer, request: &Request, channel: &Channel) -> Routed {
    let settings = &issuer.settings;
    let (place, query) = request.place(settings).map_err(|failure| (failure, None))?;
    let unlimited = matches!(place, Place::Jwks | Place::Metadata) || request.method == "OPTIONS";
    // Before anything is read or asked: what one address sends costs its own budget.
    if let (Some(address), false) = (&request.address, unlimited) {
        let counted = rate_limit::check(channel, rate_limit::address_key(address), settings.address_rate).await;
        counted.map_err(|failure| (failure, Some(place)))?;
    }
    let response = match (place, request.method.as_str()) {
        (Place::Token, "POST") => token::answer(issuer, request, channel).await,
        (Place::Pushed, "POST") => authorize::push(&issuer.settings, request, channel).await,
        (Place::Revoke, "POST") => revoke::answer(issuer, request, channel).await,
        (Place::Introspect, "POST") => introspect::answer(issuer, request, channel).await,
        (Place::Revocations, "POST") => revocations::administer(issuer, request, channel).await,
        (Place::Revocations, "GET" | "HEAD") => match feed_access::check(issuer, request, channel).await {
            Ok(()) => revocations::feed(issuer, request, query, channel).await,
            Err(failure) => Err(failure),
        },
        (Place::Health, "GET" | "HEAD") => health::answer(channel).await,
        (Place::Jwks, "GET" | "HEAD") => Ok(published::jwks(settings, channel)),
        (Place::Metadata, "GET" | "HEAD") => Ok(published::metadata(settings)),
        (Place::Token | Place::Pushed | Place::Revoke, "OPTIONS") => Ok(cors::preflight()),
        _ => Err(ErrorResponse::method(place.allow())),
    };
    response.map(|response| (response, place)).map_err(|failure| (failure, Some(place)))
}
