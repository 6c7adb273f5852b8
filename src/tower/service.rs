//! The service: asks, waits, asks again, and hands on or answers.

use core::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::PoisonError;

use http::{Request, Response, request::Parts};
use tower_service::Service;

use super::{Authorized, GateLayer, Introspection, Outside, headers};
use crate::gate::{Evidence, Facts, Forward, Introspected, Refusal, Replay, Step};

/// As often as a gate is asked about one request: keys of two issuers at most, an authorization server, a proof.
const MOST_ROUNDS: usize = 6;

/// A service behind a gate: made by [`GateLayer`].
#[derive(Debug)]
pub struct GateService<S, O = super::Nothing> {
    inner: S,
    layer: GateLayer<O>,
}

impl<S, O> GateService<S, O> {
    pub(super) fn new(inner: S, layer: GateLayer<O>) -> Self {
        GateService { inner, layer }
    }
}

// Not derived: what is asked outside need not be `Clone`.
impl<S: Clone, O> Clone for GateService<S, O> {
    fn clone(&self) -> Self {
        GateService { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, O, B, R> Service<Request<B>> for GateService<S, O>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    O: Outside,
    B: Send + 'static,
    R: From<String> + Send,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that is ready is the one that is called; the other stays.
        let next = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, next);
        let layer = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match layer.decide(&parts).await {
                Err(refusal) => Ok(headers::refused(refusal.as_deref())),
                Ok(passed) => {
                    headers::forward(&mut parts.headers, &passed.forward);
                    if let Some(authorized) = passed.authorized {
                        if let Some(claims) = authorized.registered() {
                            parts.extensions.insert(claims);
                        }
                        parts.extensions.insert(authorized);
                    }
                    let mut response = inner.call(Request::from_parts(parts, body)).await?;
                    headers::with_nonce(response.headers_mut(), passed.nonce.as_deref());
                    Ok(response)
                }
            }
        })
    }
}

/// The request may go on.
struct Passed {
    forward: Forward,
    authorized: Option<Authorized>,
    nonce: Option<String>,
}

/// What was found out for one request, and under which policy.
#[derive(Default)]
struct Found {
    policy: Option<String>,
    keys_unchanged: bool,
    introspection: Option<Introspection>,
    introspection_kept: bool,
    replay: Option<Replay>,
    replay_of: Option<(String, u64)>,
}

impl Found {
    /// Drops what was found out under another policy. The answer about a proof stays: the gate counts it for that proof alone.
    fn under(&mut self, policy: String) {
        if self.policy.as_ref() != Some(&policy) {
            self.keys_unchanged = false;
            self.introspection = None;
        }
        self.policy = Some(policy);
    }

    /// That nothing more is to be had, under whatever policy.
    fn nothing() -> Self {
        Found {
            keys_unchanged: true,
            introspection: Some(Introspection::Unavailable),
            replay: Some(Replay::Unavailable),
            ..Found::default()
        }
    }
}

/// What a request is judged by besides its own parts.
struct Scene<'s> {
    parts: &'s Parts,
    url: String,
    address: Option<String>,
    certificate: Option<&'s str>,
}

impl<O: Outside> GateLayer<O> {
    /// What the gate decides; `Err(None)` should it want to know what it was told.
    async fn decide(&self, parts: &Parts) -> Result<Passed, Option<Box<Refusal>>> {
        let shared = &self.shared;
        shared.tend().await;
        let connection = (shared.connection)(parts);
        let scene = Scene {
            parts,
            url: headers::url(parts, connection.secure),
            address: connection.client_address.map(|address| address.to_string()),
            certificate: connection.certificate.as_deref(),
        };
        let mut found = Found::default();
        for _ in 0..MOST_ROUNDS {
            let (step, policy) = self.ask(&scene, &found);
            match step {
                Step::Refused(refusal) => return Err(Some(refusal)),
                Step::Public(forward) | Step::Preflight(forward) | Step::Anonymous(forward) => {
                    return Ok(Passed { forward, authorized: None, nonce: None });
                }
                Step::Allowed(mut allowed) => {
                    let (forward, nonce) = (mem::take(&mut allowed.forward), allowed.nonce.take());
                    return Ok(Passed { forward, authorized: Some(Authorized::new(*allowed)), nonce });
                }
                Step::NeedKeys { issuer, .. } => {
                    found.under(policy);
                    found.keys_unchanged = !shared.refresh(&issuer).await;
                }
                Step::NeedIntrospection { issuer, token, fresh } => {
                    found.under(policy);
                    found.introspection_kept = !fresh;
                    found.introspection = Some(match fresh {
                        true => shared.outside.introspect_now(&issuer, &token).await,
                        false => shared.outside.introspect(&issuer, &token).await,
                    });
                }
                Step::NeedReplayCheck { key, until, .. } => {
                    found.under(policy);
                    found.replay = Some(match shared.outside.first_use(&key, until).await {
                        Some(true) => Replay::First,
                        Some(false) => Replay::Seen,
                        None => Replay::Unavailable,
                    });
                    found.replay_of = Some((key, until));
                }
            }
        }
        // It never needs as many rounds, and does without what is missing then.
        match self.ask(&scene, &Found::nothing()).0 {
            Step::Refused(refusal) => Err(Some(refusal)),
            _ => Err(None),
        }
    }

    /// The next step, and the policy by which it is.
    fn ask(&self, scene: &Scene<'_>, found: &Found) -> (Step, String) {
        let pairs = headers::pairs(&scene.parts.headers);
        let facts = Facts {
            requirement: self.requirement,
            method: scene.parts.method.as_str(),
            url: &scene.url,
            headers: &pairs,
            client_address: scene.address.as_deref(),
            certificate: scene.certificate,
            evidence: Evidence {
                policy: found.policy.as_deref(),
                keys_unchanged: found.keys_unchanged,
                introspection: found.introspection.as_ref().map(|answer| match answer {
                    Introspection::Response(text) => Introspected::Response(text),
                    Introspection::Unavailable => Introspected::Unavailable,
                    Introspection::Busy => Introspected::Busy,
                }),
                introspection_kept: found.introspection_kept,
                replay: found.replay,
                replay_of: found.replay_of.as_ref().map(|(key, until)| (key.as_str(), *until)),
                check: None,
            },
        };
        let now = (self.shared.now)();
        let gate = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        (gate.decide(&facts, now), gate.policy_id().to_owned())
    }
}
