//! The loop around a gate that the shells in Rust share: it asks the gate, waits for what the gate
//! has to know, and asks again. It decides nothing, and its [`World`] does the I/O.
//!
//! `tower` and `fetch` stand on it: one converts the types of `http`, the other those of the Fetch
//! standard. JavaScript has its own loop, in `src/js/gate/decision/loop.ts`.

#[cfg_attr(not(feature = "tower"), allow(unreachable_pub, reason = "public in `tower` alone"))]
mod outside_results;
mod authorized;
mod forwarded;
mod reply;
mod location;
#[cfg(any(feature = "fetch", test))]
mod form;
#[cfg(any(feature = "fetch", test))]
mod introspection_cache;
#[cfg(any(feature = "fetch", test))]
mod used_proofs;
mod upkeep;
mod key_refresh;
mod world;
#[cfg(test)]
mod fake;
mod decision_loop;

pub use authorized::Authorized;
pub(crate) use decision_loop::{Asked, Decided, decide};
pub(crate) use forwarded::{View, without_cookie};
pub(crate) use location::Location;
#[cfg_attr(not(feature = "tower"), allow(unreachable_pub, reason = "public in `tower` alone"))]
pub use outside_results::{Introspection, Published};
pub(crate) use reply::{DPOP_NONCE, Reply};
pub(crate) use upkeep::Upkeep;
pub(crate) use world::World;
#[cfg(feature = "fetch")]
pub(crate) use {
    decision_loop::Passed,
    form::{encoded, form},
    introspection_cache::{IntrospectionCache, Lifetimes, key},
    used_proofs::UsedProofs,
};
