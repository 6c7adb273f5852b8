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

use super::{Authorized, Connection, GateLayer, Introspection, Outside, headers};
use crate::gate::{Evidence, Facts, Forward, Introspected, Preflight, PreflightAnswer, Refusal, Replay, Step};

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
                Ok(Decided::Answered(answer)) => Ok(headers::answered(&answer)),
                Ok(Decided::Passed(passed)) => {
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

/// What becomes of a request that is not refused.
enum Decided {
    Passed(Passed),
    /// A CORS preflight has its answer.
    Answered(PreflightAnswer),
}

impl Decided {
    fn without_claims(forward: Forward) -> Self {
        Decided::Passed(Passed { forward, authorized: None, nonce: None })
    }
}

/// The request may go on.
struct Passed {
    forward: Forward,
    authorized: Option<Authorized>,
    nonce: Option<String>,
}

/// Where a request goes.
struct Asked {
    url: String,
    /// Paths besides the URL's; `None` where nobody can tell them.
    served: Option<Vec<String>>,
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

impl<O: Outside> GateLayer<O> {
    /// What the gate decides; `Err(None)` should it want to know what it was told.
    async fn decide(&self, parts: &Parts) -> Result<Decided, Option<Box<Refusal>>> {
        let shared = &self.shared;
        shared.tend().await;
        let connection = (shared.connection)(parts);
        let asked = self.asked(parts, &connection);
        let mut found = Found::default();
        for _ in 0..MOST_ROUNDS {
            let (step, policy) = self.ask(parts, &asked, &connection, &found);
            match step {
                Step::Refused(refusal) => return Err(Some(refusal)),
                Step::Public(forward) | Step::Anonymous(forward) => return Ok(Decided::without_claims(forward)),
                Step::Preflight(preflight) => {
                    let Preflight { forward, answer } = *preflight;
                    return Ok(answer.map_or_else(|| Decided::without_claims(forward), Decided::Answered));
                }
                Step::Allowed(mut allowed) => {
                    let (forward, nonce) = (mem::take(&mut allowed.forward), allowed.nonce.take());
                    let authorized = Some(Authorized::new(*allowed));
                    return Ok(Decided::Passed(Passed { forward, authorized, nonce }));
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
        match self.ask(parts, &asked, &connection, &Found::nothing()).0 {
            Step::Refused(refusal) => Err(Some(refusal)),
            _ => Err(None),
        }
    }

    fn asked(&self, parts: &Parts, connection: &Connection) -> Asked {
        let target = self.target.as_ref().map(|target| target(parts));
        let nested = self.nested.as_ref().and_then(|nested| nested(parts));
        Asked {
            url: headers::url(target.unwrap_or(&parts.uri), &parts.headers, connection.secure),
            served: target.and_then(|target| headers::served(target, &parts.uri, nested)),
        }
    }

    /// The next step, and the policy by which it is.
    fn ask(&self, parts: &Parts, asked: &Asked, connection: &Connection, found: &Found) -> (Step, String) {
        let pairs = headers::pairs(&parts.headers);
        let address = connection.client_address.map(|address| address.to_string());
        let gate = self.shared.gate.read().unwrap_or_else(PoisonError::into_inner);
        let served: Vec<&str> = asked.served.iter().flatten().map(String::as_str).collect();
        let facts = Facts {
            requirement: self.requirement,
            method: parts.method.as_str(),
            url: &asked.url,
            url_vouched: connection.url_vouched,
            has_body: false,
            // Nothing is a malformed target: routes cannot decide about a URI that a router may
            // have shortened.
            target: (asked.served.is_none() && self.requirement.is_none() && gate.goes_by_path()).then_some(""),
            served: &served,
            headers: &pairs,
            client_address: address.as_deref(),
            certificate: connection.certificate.as_deref(),
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
        (gate.decide(&facts, now), gate.policy_id().to_owned())
    }
}
