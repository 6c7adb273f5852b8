//! What is known of the keys that issuers publish, and of the fetches that are under way.

use core::task::Waker;
#[cfg(feature = "tower")]
use core::task::{Context, Poll};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::location::{Location, Name, name_of};
use crate::{gate::Gate, keys::freshness::Times, time::UnixSeconds};

/// What is known of the keys of issuers, by issuer and place.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    known: Mutex<BTreeMap<Name, Known>>,
    rest: Mutex<Rest>,
}

/// From when until when nothing is due, unless something has changed since.
#[derive(Debug, Default)]
struct Rest {
    from: u64,
    until: u64,
    changes: u64,
}

/// A look at what is due: when, and after how many changes.
#[derive(Debug)]
pub(super) struct Look {
    at: u64,
    changes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) times: Times,
    /// The metadata that named the set that is held, where any did.
    pub(super) metadata: Option<String>,
    /// The number of the fetch that brought it.
    pub(super) landed: u64,
    /// Counts the fetches, and so numbers them.
    fetches: u64,
    /// Counts the changes of the keys.
    pub(super) generation: u64,
    /// Why the last fetch brought no keys; `None` after one that did.
    pub(super) failure: Option<String>,
    flight: Option<Flight>,
}

impl Known {
    pub(super) fn fail(&mut self, reason: &str) {
        self.times.failures = self.times.failures.saturating_add(1);
        self.failure = Some(reason.to_owned());
    }

    /// That keys which were held are so no more.
    pub(super) fn forget(&mut self) {
        (self.times.held, self.metadata) = (None, None);
        self.generation = self.generation.saturating_add(1);
    }
}

/// A fetch that is under way, and who waits for its end.
#[derive(Debug)]
struct Flight {
    /// After that whoever began it is taken for dead.
    until: u64,
    number: u64,
    waiting: Vec<Waker>,
}

impl Upkeep {
    /// Begins to look at what is due, unless it is known that nothing is: there may be a thousand
    /// tenants, and this comes before every request.
    pub(super) fn look(&self, now: UnixSeconds) -> Option<Look> {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back has to look again.
        let is_resting = (rest.from..rest.until).contains(&now.get());
        (!is_resting).then_some(Look { at: now.get(), changes: rest.changes })
    }

    /// Ends it: something is due `next`, if nothing has changed meanwhile.
    pub(super) fn rest(&self, look: Look, next: u64) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        if rest.changes == look.changes {
            (rest.from, rest.until) = (look.at, next.max(look.at.saturating_add(1)));
        }
    }

    /// Keys have come, or another policy.
    pub(super) fn stir(&self) {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        (rest.until, rest.changes) = (0, rest.changes.saturating_add(1));
    }

    pub(super) fn known(&self) -> MutexGuard<'_, BTreeMap<Name, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of keys that the policy of a gate would not have fetched from where they are, and of
    /// what is known of keys that it does not hold (any more). When they were asked for last is
    /// known still.
    pub(crate) fn follow(&self, gate: &mut Gate) {
        self.stir();
        for (name, known) in self.known().iter_mut().filter(|(_, known)| known.times.held.is_some()) {
            if !follows(gate, name, known.metadata.as_deref()) {
                gate.forget_remote_keys(&name.0);
            }
            let verifier = gate.verifier();
            if !verifier.policy().issuer_index(&name.0).is_some_and(|index| verifier.has_published_keys(index)) {
                known.forget();
            }
        }
    }

    /// Notes that a fetch begins, unless one is under way.
    pub(super) fn begin<'u>(&'u self, name: &Name, location: &Location, now: UnixSeconds) -> Option<Landing<'u>> {
        let mut known = self.known();
        let known = known.entry(name.clone()).or_default();
        if known.flight.as_ref().is_some_and(|flight| now.get() <= flight.until) {
            return None;
        }
        let number = known.fetches.saturating_add(1);
        known.fetches = number;
        known.times.asked_at = Some(now.get());
        known.flight = Some(Flight { until: now.get().saturating_add(location.patience), number, waiting: Vec::new() });
        Some(Landing { upkeep: self, name: name.clone(), number })
    }

    /// Notes that a fetch brought nothing.
    pub(super) fn failed(&self, name: &Name, reason: &str) {
        if let Some(known) = self.known().get_mut(name) {
            known.fail(reason);
        }
    }

    /// Whether a fetch is under way there.
    pub(crate) fn under_way(&self, location: &Location, now: UnixSeconds) -> bool {
        let known = self.known();
        known
            .get(&location.name)
            .and_then(|known| known.flight.as_ref())
            .is_some_and(|flight| now.get() <= flight.until)
    }

    /// The same for a task that is to be woken when that fetch has ended. Where runtimes bind a
    /// task to its request, nobody else may wake it: those look again by timers of their own.
    #[cfg(feature = "tower")]
    pub(crate) fn poll_landed(&self, location: &Location, now: UnixSeconds, context: &Context<'_>) -> Poll<()> {
        let mut known = self.known();
        let flight = known.get_mut(&location.name).and_then(|known| known.flight.as_mut());
        let Some(flight) = flight.filter(|flight| now.get() <= flight.until) else { return Poll::Ready(()) };
        if !flight.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            flight.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

/// Ends a fetch, also when the request that has begun it is given up.
pub(super) struct Landing<'u> {
    upkeep: &'u Upkeep,
    name: Name,
    pub(super) number: u64,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let mut known = self.upkeep.known();
        let Some(known) = known.get_mut(&self.name) else { return };
        // One that was taken for dead must not end its successor.
        if let Some(flight) = known.flight.take_if(|flight| flight.number == self.number) {
            flight.waiting.into_iter().for_each(Waker::wake);
        }
    }
}

/// Are the issuer's keys to be fetched? Not those of a tenant that was withdrawn.
pub(super) fn is_trusted(gate: &Gate, issuer: &str) -> bool {
    let policy = gate.verifier().policy();
    policy.issuer_index(issuer).is_some_and(|index| policy.remote_of(index).is_some())
}

/// Whether the policy of a gate has keys fetched at that place and, where it does not name the JWK
/// Set itself, from where the metadata say.
pub(super) fn follows(gate: &Gate, name: &Name, metadata: Option<&str>) -> bool {
    let source = gate.verifier().policy().remotes_once_admitted().find(|source| name_of(source) == *name);
    source.filter(|source| is_trusted(gate, source.issuer)).is_some_and(|source| {
        source.jwks_uri.is_some() || metadata.is_none_or(|text| gate.jwks_uri(source.issuer, text).is_ok())
    })
}
