//! From a request to a decision: asks, waits, asks again.

use core::mem;

use super::{Authorized, Introspection, Reply, World, key_refresh};
use crate::gate::{Evidence, Facts, Forward, Introspected, Preflight, Replay, Step};

/// As often as a gate is asked about one request: keys of two issuers at most, an authorization
/// server, a proof.
const MOST_ROUNDS: usize = 6;

/// A request, as the shell saw it.
#[derive(Debug)]
pub(crate) struct Asked<'r> {
    /// The facts without evidence.
    pub(crate) facts: Facts<'r>,
    /// Whether the path may have been shortened, and no policy may go by it.
    pub(crate) path_unknown: bool,
}

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Decided {
    /// It may go on.
    Passed(Passed),
    /// It has its answer: a refusal, or that to a CORS preflight.
    Answered(Reply),
}

/// The request may go on.
#[derive(Debug)]
pub(crate) struct Passed {
    /// What the origin is told.
    pub(crate) forward: Forward,
    /// Of whom it is, unless it passed without a token.
    pub(crate) authorized: Option<Authorized>,
    /// A nonce for the client's next proof (RFC 9449 §8.2).
    pub(crate) nonce: Option<String>,
}

impl Decided {
    fn without_claims(forward: Forward) -> Self {
        Decided::Passed(Passed { forward, authorized: None, nonce: None })
    }
}

/// What was found out for one request, and under which policy.
#[derive(Default)]
struct Found {
    policy: Option<String>,
    keys_unchanged: bool,
    /// Why keys could not be had, and in how many seconds their origin may be asked again.
    trouble: Option<(String, u64)>,
    introspection: Option<Introspection>,
    introspection_kept: bool,
    replay: Option<Replay>,
    replay_of: Option<(String, u64)>,
}

impl Found {
    /// Drops what was found out under another policy. The answer about a proof stays: the gate
    /// counts it for that proof alone.
    fn under(&mut self, policy: String) {
        if self.policy.as_ref() != Some(&policy) {
            self.keys_unchanged = false;
            self.trouble = None;
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

    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            policy: self.policy.as_deref(),
            keys_unchanged: self.keys_unchanged,
            tenant_refused: false,
            keys_failure: self.trouble.as_ref().map(|(reason, _)| reason.as_str()),
            keys_retry_seconds: self.trouble.as_ref().map(|(_, seconds)| *seconds),
            introspection: self.introspection.as_ref().map(|answer| match answer {
                Introspection::Response(text) => Introspected::Response(text),
                Introspection::Unavailable => Introspected::Unavailable,
                Introspection::Busy => Introspected::Busy,
            }),
            introspection_kept: self.introspection_kept,
            replay: self.replay,
            replay_of: self.replay_of.as_ref().map(|(key, until)| (key.as_str(), *until)),
            check: None,
        }
    }
}

/// What the gate decides.
pub(crate) async fn decide<W: World>(world: &W, asked: &Asked<'_>) -> Decided {
    key_refresh::tend(world).await;
    let mut found = Found::default();
    for _ in 0..MOST_ROUNDS {
        let (step, policy) = ask(world, asked, &found);
        match step {
            Step::Refused(refusal) => return Decided::Answered(Reply::of_refusal(&refusal)),
            Step::Public(forward) | Step::Anonymous(forward) => return Decided::without_claims(forward),
            Step::Preflight(preflight) => {
                let Preflight { forward, answer } = *preflight;
                return match answer {
                    None => Decided::without_claims(forward),
                    Some(answer) => Decided::Answered(Reply::of_preflight(&answer)),
                };
            }
            Step::Allowed(mut allowed) => {
                let (forward, nonce) = (mem::take(&mut allowed.forward), allowed.nonce.take());
                return Decided::Passed(Passed { forward, authorized: Some(Authorized::new(*allowed)), nonce });
            }
            Step::NeedKeys { issuer, .. } => {
                found.under(policy);
                found.keys_unchanged = !key_refresh::refresh(world, &issuer).await;
                found.trouble = key_refresh::trouble(world, &issuer).filter(|_| found.keys_unchanged);
            }
            Step::NeedIntrospection { issuer, token, fresh } => {
                found.under(policy);
                found.introspection_kept = !fresh;
                found.introspection = Some(world.introspect(&issuer, &token, fresh).await);
            }
            Step::NeedReplayCheck { key, until, issued_at } => {
                found.under(policy);
                found.replay = Some(match world.first_use(&key, until, issued_at).await {
                    Some(true) => Replay::First,
                    Some(false) => Replay::Seen,
                    None => Replay::Unavailable,
                });
                found.replay_of = Some((key, until));
            }
        }
    }
    // It never needs as many rounds, and does without what is missing then.
    match ask(world, asked, &Found::nothing()).0 {
        Step::Refused(refusal) => Decided::Answered(Reply::of_refusal(&refusal)),
        _ => Decided::Answered(Reply::unavailable()),
    }
}

/// The next step, and the policy by which it is.
fn ask<W: World>(world: &W, asked: &Asked<'_>, found: &Found) -> (Step, String) {
    let gate = world.read();
    // Nothing is a malformed target: routes cannot decide about a path that may have been
    // shortened.
    let target = if asked.path_unknown && gate.goes_by_path() { Some("") } else { asked.facts.target };
    let facts = Facts { target, evidence: found.evidence(), ..asked.facts.clone() };
    (gate.decide(&facts, world.now()), gate.policy_id().to_owned())
}
