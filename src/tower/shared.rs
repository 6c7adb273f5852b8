//! What the layers share that were cloned from one another: the gate, and the world around it.

use core::{
    future::{Future, poll_fn},
    hash::{BuildHasher, Hasher},
};
use std::{collections::hash_map::RandomState, sync::RwLock};

use http::request::Parts;

use super::{Connection, Outside};
use crate::{
    driver::{Introspection, Location, Published, Upkeep, World},
    gate::Gate,
    keys::freshness::MOST_SPREAD,
    time::UnixSeconds,
};

/// Tells the time.
type Clock = dyn Fn() -> UnixSeconds + Send + Sync;

/// Tells a request's connection.
type Connected = dyn Fn(&Parts) -> Connection + Send + Sync;

pub(super) struct Shared<O> {
    gate: RwLock<Gate>,
    outside: O,
    upkeep: Upkeep,
    spread: u64,
    pub(super) connection: Box<Connected>,
    now: Box<Clock>,
}

impl<O> Shared<O> {
    pub(super) fn new(
        gate: Gate,
        outside: O,
        connection: impl Fn(&Parts) -> Connection + Send + Sync + 'static,
        now: impl Fn() -> UnixSeconds + Send + Sync + 'static,
    ) -> Self {
        // Machines are not to come all at once, and nothing depends on how they are told apart.
        let spread = RandomState::new().build_hasher().finish().checked_rem(MOST_SPREAD).unwrap_or_default();
        let (gate, upkeep) = (RwLock::new(gate), Upkeep::default());
        Shared { gate, outside, upkeep, spread, connection: Box::new(connection), now: Box::new(now) }
    }
}

impl<O: Outside> World for Shared<O> {
    fn gate(&self) -> &RwLock<Gate> {
        &self.gate
    }

    fn upkeep(&self) -> &Upkeep {
        &self.upkeep
    }

    fn now(&self) -> UnixSeconds {
        (self.now)()
    }

    fn spread(&self) -> u64 {
        self.spread
    }

    fn published(&self, location: &Location) -> impl Future<Output = Option<Published>> {
        self.outside.published(&location.issuer)
    }

    async fn introspect(&self, issuer: &str, token: &str, fresh: bool) -> Introspection {
        match fresh {
            true => self.outside.introspect_now(issuer, token).await,
            false => self.outside.introspect(issuer, token).await,
        }
    }

    fn first_use(&self, key: &str, until: u64, _: u64) -> impl Future<Output = Option<bool>> {
        self.outside.first_use(key, until)
    }

    fn landed(&self, location: &Location, now: UnixSeconds) -> impl Future<Output = ()> {
        poll_fn(move |context| self.upkeep.poll_landed(location, now, context))
    }
}
