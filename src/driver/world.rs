//! What a driver has around it: the gate, a clock, and whoever answers its questions.

use core::future::Future;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Introspection, Location, Published, Upkeep};
use crate::{gate::Gate, time::UnixSeconds};

/// Where the gate's questions are answered.
///
/// The futures need not be `Send`: those of `fetch` are not. Those of `tower` have to be, which the
/// compiler sees where they are boxed.
pub(crate) trait World {
    /// The gate. It is written when keys, lists, requirements or another policy come in.
    fn gate(&self) -> &RwLock<Gate>;

    /// What is known of the keys that issuers publish.
    fn upkeep(&self) -> &Upkeep;

    /// The time.
    fn now(&self) -> UnixSeconds;

    /// Somewhere from 0 to [`MOST_SPREAD`](crate::keys::freshness::MOST_SPREAD), another in each
    /// process. No machine is to come when all others do.
    fn spread(&self) -> u64;

    /// The JWK Set that an issuer publishes there; `None` when it is not to be had.
    fn published(&self, location: &Location) -> impl Future<Output = Option<Published>>;

    /// What the issuer's authorization server says of a token; with `fresh` at this moment.
    fn introspect(&self, issuer: &str, token: &str, fresh: bool) -> impl Future<Output = Introspection>;

    /// Whether it is the first use of a proof; `None` when that cannot be known.
    fn first_use(&self, key: &str, until: u64, issued_at: u64) -> impl Future<Output = Option<bool>>;

    /// Waits for the end of a fetch that another request has begun.
    fn landed(&self, location: &Location, now: UnixSeconds) -> impl Future<Output = ()>;

    /// The gate, to be asked.
    fn read(&self) -> RwLockReadGuard<'_, Gate> {
        self.gate().read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The gate, to be handed something.
    fn write(&self) -> RwLockWriteGuard<'_, Gate> {
        self.gate().write().unwrap_or_else(PoisonError::into_inner)
    }
}
