//! Looks after issuers' keys as the rule of [`freshness`](crate::keys::freshness) says: fetched ahead of their end, fetched first when it
//! is over, and forgotten when they are too old.

use core::{
    future::poll_fn,
    hash::{BuildHasher, Hasher},
    task::{Poll, Waker},
};
use std::{
    collections::{BTreeMap, hash_map::RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Outside, Shared};
use crate::{
    gate::Gate,
    keys::freshness::{self, Bounds, Fetch, Held, MOST_SPREAD, Plan, Times},
    policy::RemoteSource,
    time::UnixSeconds,
};

/// What is known of the keys of issuers, by issuer and place.
#[derive(Debug)]
pub(super) struct Upkeep {
    known: Mutex<BTreeMap<Name, Known>>,
    spread: u64,
}

/// An issuer, and where its keys are: those of another place are other keys.
type Name = (String, String);

#[derive(Debug, Default)]
struct Known {
    times: Times,
    /// Counts the changes of the keys.
    generation: u64,
    flight: Option<Flight>,
}

/// A fetch that is under way, and who waits for its end.
#[derive(Debug)]
struct Flight {
    /// After that whoever began it is taken for dead.
    until: u64,
    number: u64,
    waiting: Vec<Waker>,
}

impl Default for Upkeep {
    fn default() -> Self {
        // Machines are not to come all at once, and nothing depends on how they are told apart.
        let spread = RandomState::new().build_hasher().finish().checked_rem(MOST_SPREAD).unwrap_or_default();
        Upkeep { known: Mutex::default(), spread }
    }
}

impl Upkeep {
    fn known(&self) -> MutexGuard<'_, BTreeMap<Name, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of what is known of keys that a gate does not hold (any more). When they were asked for last is known still.
    pub(super) fn follow(&self, gate: &Gate) {
        let policy = gate.verifier().policy();
        let held = |name: &Name| {
            let index = policy.issuer_index(&name.0).filter(|index| policy.has_remote_keys(*index));
            index.is_some() && policy.remotes().any(|source| name_of(&source) == *name)
        };
        for (name, known) in self.known().iter_mut() {
            if !held(name) {
                known.times.held = None;
            }
        }
    }

    /// Notes that a fetch begins, unless one is under way.
    fn begin<'u>(&'u self, name: &Name, source: &Place, now: UnixSeconds) -> Option<Landing<'u>> {
        let mut known = self.known();
        let known = known.entry(name.clone()).or_default();
        if known.flight.as_ref().is_some_and(|flight| now.get() <= flight.until) {
            return None;
        }
        let number = known.flight.as_ref().map_or(1, |flight| flight.number.saturating_add(1));
        known.times.asked_at = Some(now.get());
        known.flight = Some(Flight { until: now.get().saturating_add(source.patience), number, waiting: Vec::new() });
        Some(Landing { upkeep: self, name: name.clone(), number })
    }

    /// Waits for the end of a fetch that another request has begun.
    async fn landed(&self, name: &Name, now: UnixSeconds) {
        poll_fn(|context| {
            let mut known = self.known();
            let flight = known.get_mut(name).and_then(|known| known.flight.as_mut());
            let Some(flight) = flight.filter(|flight| now.get() <= flight.until) else { return Poll::Ready(()) };
            if !flight.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                flight.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// Ends a fetch, also when the request that has begun it is given up.
struct Landing<'u> {
    upkeep: &'u Upkeep,
    name: Name,
    number: u64,
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

/// Where an issuer's keys are, and how long they are believed.
struct Place {
    issuer: String,
    name: Name,
    bounds: Bounds,
    /// How long a fetch may take, in seconds.
    patience: u64,
}

impl Place {
    fn of(source: &RemoteSource<'_>) -> Self {
        let exchanges = if source.jwks_uri.is_some() { 1 } else { 2 };
        let patience = source.timeout_ms.saturating_mul(exchanges).div_ceil(1000).saturating_add(1);
        let bounds = Bounds {
            min_ttl_seconds: source.min_ttl_seconds,
            max_ttl_seconds: source.max_ttl_seconds,
            stale_seconds: source.stale_seconds,
        };
        Place { issuer: source.issuer.to_owned(), name: name_of(source), bounds, patience }
    }
}

fn name_of(source: &RemoteSource<'_>) -> Name {
    let place = source.jwks_uri.or(source.discovery_url.as_deref()).unwrap_or_default();
    (source.issuer.to_owned(), place.to_owned())
}

impl<O: Outside> Shared<O> {
    fn places(&self, wanted: impl Fn(&RemoteSource<'_>) -> bool) -> Vec<Place> {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        gate.verifier().policy().remotes().filter(wanted).map(|source| Place::of(&source)).collect()
    }

    fn plan(&self, place: &Place, now: UnixSeconds) -> Plan {
        let times = self.upkeep.known().get(&place.name).map(|known| known.times).unwrap_or_default();
        place.bounds.plan(&times, now.get())
    }

    /// Looks after the keys that are there, before a request is decided about.
    pub(super) async fn tend(&self) {
        for place in self.places(|_| true) {
            let now = (self.now)();
            let plan = self.plan(&place, now);
            if plan.forget {
                self.forget(&place);
            } else if plan.fetch != Fetch::No {
                // Nothing runs beside requests here: this one waits, and the others go on by the present keys.
                self.fetch(&place, now).await;
            }
        }
    }

    /// Whether an issuer has keys that were not there before, after it was asked for one that is unknown.
    pub(super) async fn refresh(&self, issuer: &str) -> bool {
        let Some(place) = self.places(|source| source.issuer == issuer).pop() else { return false };
        let generation = || self.upkeep.known().get(&place.name).map_or(0, |known| known.generation);
        let (now, before) = ((self.now)(), generation());
        let under_way = self
            .upkeep
            .known()
            .get(&place.name)
            .is_some_and(|known| known.flight.as_ref().is_some_and(|flight| now.get() <= flight.until));
        if under_way {
            self.upkeep.landed(&place.name, now).await;
        } else if self.plan(&place, now).may_ask {
            self.fetch(&place, now).await;
        }
        generation() != before
    }

    async fn fetch(&self, place: &Place, now: UnixSeconds) {
        let Some(_landing) = self.upkeep.begin(&place.name, place, now) else { return };
        let Some(published) = self.outside.published(&place.issuer).await else { return };
        let mut gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        // Another policy may have been taken meanwhile, which does not know this place.
        if !gate.verifier().policy().remotes().any(|source| name_of(&source) == place.name) {
            return;
        }
        // A set that is no good changes nothing.
        let Ok(report) = gate.set_remote_keys(&place.issuer, &published.jwks) else { return };
        let mut known = self.upkeep.known();
        let known = known.entry(place.name.clone()).or_default();
        let ttl_seconds = freshness::lifetime(published.cache_control.as_deref(), published.age.as_deref());
        // The age of an answer counts from the question.
        known.times.held = Some(Held { fetched_at: now.get(), ttl_seconds, spread: self.upkeep.spread });
        known.generation = known.generation.saturating_add(u64::from(report.changed));
    }

    fn forget(&self, place: &Place) {
        let mut gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        gate.forget_remote_keys(&place.issuer);
        if let Some(known) = self.upkeep.known().get_mut(&place.name) {
            known.times.held = None;
            known.generation = known.generation.saturating_add(1);
        }
    }
}
