//! Looks after issuers' keys as the rule of [`freshness`](crate::keys::freshness) says: fetched ahead of their end, fetched first when it
//! is over, and forgotten when they are too old.

use core::task::Waker;
#[cfg(feature = "tower")]
use core::task::{Context, Poll};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    World,
    location::{Location, Name, name_of},
};
use crate::{
    gate::Gate,
    keys::freshness::{self, Fetch, Held, Plan, Times},
    policy::RemoteSource,
    time::UnixSeconds,
};

/// What is known of the keys of issuers, by issuer and place.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    known: Mutex<BTreeMap<Name, Known>>,
}

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

impl Upkeep {
    fn known(&self) -> MutexGuard<'_, BTreeMap<Name, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of what is known of keys that a gate does not hold (any more). When they were asked for last is known still.
    pub(crate) fn follow(&self, gate: &Gate) {
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
    fn begin<'u>(&'u self, name: &Name, location: &Location, now: UnixSeconds) -> Option<Landing<'u>> {
        let mut known = self.known();
        let known = known.entry(name.clone()).or_default();
        if known.flight.as_ref().is_some_and(|flight| now.get() <= flight.until) {
            return None;
        }
        let number = known.flight.as_ref().map_or(1, |flight| flight.number.saturating_add(1));
        known.times.asked_at = Some(now.get());
        known.flight = Some(Flight { until: now.get().saturating_add(location.patience), number, waiting: Vec::new() });
        Some(Landing { upkeep: self, name: name.clone(), number })
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

/// Looks after the keys that are there, before a request is decided about.
pub(crate) async fn tend<W: World>(world: &W) {
    for location in locations(world, |_| true) {
        let now = world.now();
        let plan = plan(world, &location, now);
        if plan.forget {
            forget(world, &location);
        } else if plan.fetch != Fetch::No {
            // Nothing runs beside requests here: this one waits, and the others go on by the present keys.
            fetch(world, &location, now).await;
        }
    }
}

/// Whether an issuer has keys that were not there before, after it was asked for one that is unknown.
pub(crate) async fn refresh<W: World>(world: &W, issuer: &str) -> bool {
    let Some(location) = locations(world, |source| source.issuer == issuer).pop() else { return false };
    let generation = || world.upkeep().known().get(&location.name).map_or(0, |known| known.generation);
    let (now, before) = (world.now(), generation());
    if world.upkeep().under_way(&location, now) {
        world.landed(&location, now).await;
    } else if plan(world, &location, now).may_ask {
        fetch(world, &location, now).await;
    }
    generation() != before
}

fn locations<W: World>(world: &W, wanted: impl Fn(&RemoteSource<'_>) -> bool) -> Vec<Location> {
    let gate = world.read();
    gate.verifier().policy().remotes().filter(wanted).map(|source| Location::of(&source)).collect()
}

fn plan<W: World>(world: &W, location: &Location, now: UnixSeconds) -> Plan {
    let times = world.upkeep().known().get(&location.name).map(|known| known.times).unwrap_or_default();
    location.bounds.plan(&times, now.get())
}

async fn fetch<W: World>(world: &W, location: &Location, now: UnixSeconds) {
    let Some(_landing) = world.upkeep().begin(&location.name, location, now) else { return };
    let Some(published) = world.published(location).await else { return };
    let mut gate = world.write();
    // Another policy may have been taken meanwhile, which does not know this place.
    if !gate.verifier().policy().remotes().any(|source| name_of(&source) == location.name) {
        return;
    }
    // A set that is no good changes nothing.
    let Ok(report) = gate.set_remote_keys(&location.issuer, &published.jwks) else { return };
    let mut known = world.upkeep().known();
    let known = known.entry(location.name.clone()).or_default();
    let ttl_seconds = freshness::lifetime(published.cache_control.as_deref(), published.age.as_deref());
    // The age of an answer counts from the question.
    known.times.held = Some(Held { fetched_at: now.get(), ttl_seconds, spread: world.spread() });
    known.generation = known.generation.saturating_add(u64::from(report.changed));
}

fn forget<W: World>(world: &W, location: &Location) {
    let mut gate = world.write();
    gate.forget_remote_keys(&location.issuer);
    if let Some(known) = world.upkeep().known().get_mut(&location.name) {
        known.times.held = None;
        known.generation = known.generation.saturating_add(1);
    }
}
