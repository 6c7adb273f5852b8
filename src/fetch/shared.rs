//! What the gates share that were cloned from one another: the gate, and the world around it.

use core::future::Future;
use std::sync::RwLock;

use web_sys::Request;

use super::{Connection, Outside, introspection, keys, time};
use crate::{
    driver::{Introspection, Location, Published, Upkeep, World},
    gate::Gate,
    time::UnixSeconds,
};

/// How often a request looks whether another has fetched the keys, in milliseconds.
const FIRST_POLL_MS: u64 = 4;
const LONGEST_POLL_MS: u64 = 64;

/// Tells the time.
type Clock = dyn Fn() -> UnixSeconds + Send + Sync;

/// Tells a request's connection.
type Connected = dyn Fn(&Request) -> Connection + Send + Sync;

pub(super) struct Shared<O> {
    gate: RwLock<Gate>,
    outside: O,
    upkeep: Upkeep,
    asked: introspection::Asked,
    pub(super) connection: Box<Connected>,
    now: Box<Clock>,
}

impl<O> Shared<O> {
    pub(super) fn new(
        gate: Gate,
        outside: O,
        connection: impl Fn(&Request) -> Connection + Send + Sync + 'static,
        now: impl Fn() -> UnixSeconds + Send + Sync + 'static,
    ) -> Self {
        Shared {
            gate: RwLock::new(gate),
            outside,
            upkeep: Upkeep::default(),
            asked: introspection::Asked::default(),
            connection: Box::new(connection),
            now: Box::new(now),
        }
    }

    pub(super) fn outside(&self) -> &O {
        &self.outside
    }

    /// What is known of the questions about tokens.
    pub(super) fn asked(&self) -> &introspection::Asked {
        &self.asked
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
        time::spread()
    }

    fn published(&self, location: &Location) -> impl Future<Output = Option<Published>> {
        keys::published(self, location)
    }

    fn introspect(&self, issuer: &str, token: &str, fresh: bool) -> impl Future<Output = Introspection> {
        introspection::introspect(self, issuer, token, fresh)
    }

    async fn first_use(&self, key: &str, until: u64, issued_at: u64) -> Option<bool> {
        time::within(REPLAY_MS, self.outside.first_use(key, until, issued_at)).await.flatten()
    }

    /// workerd binds a promise to the request that made it, and cancels what other requests hang on
    /// it. So this one looks again by timers of its own.
    async fn landed(&self, location: &Location, _: UnixSeconds) {
        let (mut poll, mut waited) = (FIRST_POLL_MS, 0);
        // Counted in naps as well as by the clock, which in workerd stands still without I/O.
        while waited <= location.patience_ms() && self.upkeep.under_way(location, self.now()) {
            time::sleep(poll).await;
            waited = poll.saturating_add(waited);
            poll = poll.saturating_mul(2).min(LONGEST_POLL_MS);
        }
    }
}

/// A replay store that takes longer cannot tell, in milliseconds.
const REPLAY_MS: u64 = 3000;
