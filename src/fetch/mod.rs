//! The gate for workers and pages written in Rust: on the types of the Fetch standard, as web-sys
//! has them (feature `fetch`).
//!
//! It converts, waits for what the gate has to know, and decides nothing. The clock is
//! JavaScript's, and keys, metadata and answers about opaque tokens come by the runtime's own
//! `fetch`.
//!
//! A [`FetchGate`] is made once, and every request shares it.
//! `www/docs/frameworks/workers-rs.md` has a whole Cloudflare Worker with the crate `worker`.

mod time;
mod body;
mod connection;
mod request;
mod outside;
mod exchange;
mod shared;
mod keys;
mod introspection;
#[cfg(feature = "revocation")]
mod lists;
mod passed;

use core::fmt;
use std::sync::Arc;

use web_sys::{Request, Response};

use crate::{
    driver::{self, Asked, Decided, World},
    gate::{Gate, RequirementId},
    keys::remote::KeyReport,
    policy_error::PolicyError,
    time::UnixSeconds,
};

use request::Seen;
use shared::Shared;

pub use crate::driver::Authorized;
pub use connection::Connection;
pub use outside::{ClientProof, Outside, Runtime};
pub use passed::Passed;

/// Guards a `fetch` handler by a gate. Those that were cloned from one another share it. It is
/// `Sync` where its [`Outside`] is, as [`Runtime`] is, so that a `static` may hold it in a
/// `OnceLock`.
///
/// ```
#[doc = include_str!("example.rs")]
/// ```
///
/// The README has a whole Cloudflare Worker with the crate `worker`: there a request is
/// `request.inner()`, and a response becomes one of that crate by `into`.
pub struct FetchGate<O = Runtime> {
    shared: Arc<Shared<O>>,
    requirement: Option<RequirementId>,
}

impl FetchGate {
    /// A gate for requests over connections that nothing is known of: see [`with`](Self::with).
    /// Over plain HTTP it takes the loopback origins in the policy's `gate.origins`, such as
    /// `http://localhost:*`, and no other.
    #[must_use]
    pub fn new(gate: Gate) -> Self {
        FetchGate::with(gate, Runtime::default(), |_| Connection::default())
    }

    /// A gate in a Cloudflare Worker, which believes what the platform says of a request:
    /// [`Connection::of_cloudflare`].
    #[must_use]
    pub fn on_cloudflare(gate: Gate) -> Self {
        FetchGate::with(gate, Runtime::default(), Connection::of_cloudflare)
    }
}

impl<O: Outside> FetchGate<O> {
    /// A gate that asks `outside` for issuers' keys, about opaque tokens and about proofs, and
    /// `connection` about the connection of a request.
    #[must_use]
    pub fn with(gate: Gate, outside: O, connection: impl Fn(&Request) -> Connection + Send + Sync + 'static) -> Self {
        FetchGate::with_clock(gate, outside, connection, time::now)
    }

    /// The same with a clock of the caller's own, as tests have one.
    #[must_use]
    pub fn with_clock(
        gate: Gate,
        outside: O,
        connection: impl Fn(&Request) -> Connection + Send + Sync + 'static,
        now: impl Fn() -> UnixSeconds + Send + Sync + 'static,
    ) -> Self {
        FetchGate { shared: Arc::new(Shared::new(gate, outside, connection, now)), requirement: None }
    }

    /// The same gate for a handler with a requirement of its own: JSON, as the policy's
    /// `gate.requirement`. Make each once, and not for every request.
    ///
    /// # Errors
    /// As [`Gate::requirement`].
    pub fn requiring(&self, requirement: &str) -> Result<Self, PolicyError> {
        let id = self.shared.write().requirement(requirement)?;
        Ok(FetchGate { requirement: Some(id), ..self.clone() })
    }

    /// Decides about a request, whose body can still be read afterwards.
    ///
    /// # Errors
    /// The ready response of a request that does not pass: a refusal with its challenges (RFC 6750
    /// §3) and a problem (RFC 9457), or the answer to a CORS preflight.
    pub async fn check(&self, request: &Request) -> Result<Passed, Response> {
        let seen = Seen::of(request).await;
        let connection = (self.shared.connection)(request);
        let address = connection.client_address.map(|address| address.to_string());
        let headers = seen.pairs();
        let facts = seen.facts(self.requirement, &connection, address.as_deref(), &headers);
        match driver::decide(&*self.shared, &Asked { facts, path_unknown: false }).await {
            Decided::Passed(passed) => Ok(Passed::new(passed)),
            Decided::Answered(reply) => Err(passed::response(&reply)),
        }
    }

    /// Takes the JWK Set that an issuer publishes: before the first request, or whenever there is a
    /// newer one.
    ///
    /// # Errors
    /// As [`Gate::set_remote_keys`].
    pub fn set_remote_keys(&self, issuer: &str, jwks: &str) -> Result<KeyReport, PolicyError> {
        self.shared.write().set_remote_keys(issuer, jwks)
    }

    /// Takes another policy from now on, as [`Gate::replaced`]: keys and lists are taken over, and
    /// what was found out for a request under the present policy does not count for it any more.
    ///
    /// # Errors
    /// As [`Gate::replaced`]. Nothing has changed then.
    pub fn replace_policy(&self, policy: &str, nonce_secret: Option<&[u8]>) -> Result<(), PolicyError> {
        let mut gate = self.shared.write();
        *gate = gate.replaced(policy, nonce_secret)?;
        self.shared.upkeep().follow(&mut gate);
        Ok(())
    }
}

impl<O> Clone for FetchGate<O> {
    fn clone(&self) -> Self {
        FetchGate { shared: Arc::clone(&self.shared), requirement: self.requirement }
    }
}

impl<O> fmt::Debug for FetchGate<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FetchGate").field("requirement", &self.requirement).finish_non_exhaustive()
    }
}
