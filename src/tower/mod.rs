//! The gate for native services: a layer for `tower`, and so for axum, hyper and tonic (feature
//! `tower`).
//!
//! It converts, waits for what the gate has to know, and decides nothing. The clock is read here
//! and nowhere else in the crate.
//!
//! A [`GateLayer`] guards services by a [`Gate`].

mod headers;
mod outside;
mod shared;
#[cfg(feature = "revocation")]
mod lists;
mod service;

use std::{
    fmt,
    sync::{Arc, RwLockWriteGuard},
};

use http::{Uri, request::Parts};
use tower_layer::Layer;

use crate::{
    driver::World,
    gate::{Gate, RequirementId},
    keys::remote::KeyReport,
    policy_error::PolicyError,
    time::UnixSeconds,
};

use shared::Shared;

pub use crate::driver::{Authorized, Introspection, Published};
pub use outside::{Nothing, Outside};
pub use service::GateService;

/// What the server knows of the connection a request came over. A request's own word is taken for
/// none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Whether it is TLS. Without, only requests to a loopback name from this machine pass, and
    /// those of a proxy that the policy trusts.
    pub secure: bool,
    /// Whether the host is known to be ours before a request gets here, because a server in front
    /// takes no other `Host`. Without, proofs of possession ask for the policy's `gate.origins`.
    pub url_vouched: bool,
    /// The address of its other end.
    pub client_address: Option<core::net::IpAddr>,
    /// The client's certificate, in one of the forms of
    /// [`mtls::thumbprint`](crate::binding::mtls::thumbprint).
    pub certificate: Option<String>,
}

/// Guards services by a gate. Layers that were cloned from one another share it.
///
/// ```
/// use portcullis::{Gate, tower::GateLayer};
///
/// let gate = Gate::from_json(r#"{ "issuers": [{
///     "issuer": "https://issuer.example",
///     "audience": "https://api.example",
///     "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }
/// }] }"#)?;
/// let layer = GateLayer::new(gate);
/// let writers = layer.requiring(r#"{ "scopes": ["notes:write"] }"#)?;
/// # Ok::<(), portcullis::PolicyError>(())
/// ```
pub struct GateLayer<O = Nothing> {
    shared: Arc<Shared<O>>,
    requirement: Option<RequirementId>,
    target: Option<Arc<Targeted>>,
    nested: Option<Arc<Nested>>,
}

/// Tells the target that a request came with.
type Targeted = dyn for<'p> Fn(&'p Parts) -> &'p Uri + Send + Sync;

/// Tells what routers took off a request's path.
type Nested = dyn for<'p> Fn(&'p Parts) -> Option<&'p str> + Send + Sync;

impl GateLayer {
    /// A layer for requests over connections that nothing is known of: see [`over`](Self::over).
    /// Over plain HTTP it takes the loopback origins in the policy's `gate.origins`, such as
    /// `http://localhost:*`, and no other. What the gate would have to ask for outside is not to
    /// be had, and such requests are refused with 503.
    #[must_use]
    pub fn new(gate: Gate) -> Self {
        GateLayer::with(gate, Nothing, |_| Connection::default())
    }

    /// A layer for requests whose connections the server tells about, in axum by the request's
    /// extensions:
    /// `|parts| Connection { secure: true, client_address: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()), ..Connection::default() }`.
    #[must_use]
    pub fn over(gate: Gate, connection: impl Fn(&Parts) -> Connection + Send + Sync + 'static) -> Self {
        GateLayer::with(gate, Nothing, connection)
    }
}

impl<O: Outside> GateLayer<O> {
    /// A layer that asks `outside` for issuers' keys, about opaque tokens and about proofs.
    #[must_use]
    pub fn with(gate: Gate, outside: O, connection: impl Fn(&Parts) -> Connection + Send + Sync + 'static) -> Self {
        GateLayer::with_clock(gate, outside, connection, clock)
    }

    /// The same with a clock of the caller's own, as tests have one.
    #[must_use]
    pub fn with_clock(
        gate: Gate,
        outside: O,
        connection: impl Fn(&Parts) -> Connection + Send + Sync + 'static,
        now: impl Fn() -> UnixSeconds + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared::new(gate, outside, connection, now));
        GateLayer { shared, requirement: None, target: None, nested: None }
    }

    /// The layer by the same gate for routes with a requirement of their own: JSON, as the
    /// policy's `gate.requirement`.
    ///
    /// # Errors
    /// As [`Gate::requirement`].
    pub fn requiring(&self, requirement: &str) -> Result<Self, PolicyError> {
        let id = self.gate().requirement(requirement)?;
        Ok(GateLayer { requirement: Some(id), ..self.clone() })
    }

    /// The layer for a policy whose routes decide: where it finds the URI that the client asked
    /// for. A layer with no requirement of its own refuses every request until it is told
    /// (`request-malformed`), since routers shorten `parts.uri` and nobody can see it from that:
    /// axum's `nest("/admin", …)` makes `/users` of `/admin/users`.
    ///
    /// - In axum, within routers or around them, with axum's feature `original-uri`:
    ///   `|parts| parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0)`.
    /// - In hyper and tonic, where nothing in front of the layer writes another URI: `|parts|
    ///   &parts.uri`.
    ///
    /// Where `parts.uri` has another path, what the policy requires for that one has to hold as
    /// well: a middleware may have written it. Routers say so by
    /// [`with_nested_path`](Self::with_nested_path). What is rewritten behind the layer, before a
    /// router that stands there, it does not see.
    #[must_use]
    pub fn with_target(self, target: impl for<'p> Fn(&'p Parts) -> &'p Uri + Send + Sync + 'static) -> Self {
        GateLayer { target: Some(Arc::new(target)), ..self }
    }

    /// The layer within nested routers: where it finds what they took off the path. In axum:
    /// `|parts| parts.extensions.get::<NestedPath>().map(NestedPath::as_str)`. The whole path is
    /// judged then, and no other one. Of a prefix with a parameter, as in `nest("/{tenant}", …)`,
    /// it cannot be told what stood there, and where routes decide the request is refused
    /// (`request-malformed`): put the layer around that router.
    #[must_use]
    pub fn with_nested_path(
        self,
        nested: impl for<'p> Fn(&'p Parts) -> Option<&'p str> + Send + Sync + 'static,
    ) -> Self {
        GateLayer { nested: Some(Arc::new(nested)), ..self }
    }

    /// Takes the JWK Set that an issuer publishes: before the first request, or whenever there is
    /// a newer one.
    ///
    /// # Errors
    /// As [`Gate::set_remote_keys`].
    pub fn set_remote_keys(&self, issuer: &str, jwks: &str) -> Result<KeyReport, PolicyError> {
        self.gate().set_remote_keys(issuer, jwks)
    }

    /// Takes another policy from now on, as [`Gate::replaced`]: keys and lists are taken over, and
    /// what was found out for a request under the present policy does not count for it any more.
    ///
    /// # Errors
    /// As [`Gate::replaced`]. Nothing has changed then.
    pub fn replace_policy(&self, policy: &str, nonce_secret: Option<&[u8]>) -> Result<(), PolicyError> {
        let mut gate = self.gate();
        *gate = gate.replaced(policy, nonce_secret)?;
        self.shared.upkeep().follow(&mut gate);
        Ok(())
    }

    fn gate(&self) -> RwLockWriteGuard<'_, Gate> {
        self.shared.write()
    }
}

/// Whole seconds since 1970. A clock before that is one that was never set: everything has expired
/// or is not valid yet.
fn clock() -> UnixSeconds {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::new(since.as_secs()).unwrap_or(UnixSeconds::MAX)
}

impl<S, O> Layer<S> for GateLayer<O> {
    type Service = GateService<S, O>;

    fn layer(&self, inner: S) -> Self::Service {
        GateService::new(inner, self.clone())
    }
}

impl<O> Clone for GateLayer<O> {
    fn clone(&self) -> Self {
        let GateLayer { shared, requirement, target, nested } = self;
        GateLayer {
            shared: Arc::clone(shared),
            requirement: *requirement,
            target: target.clone(),
            nested: nested.clone(),
        }
    }
}

impl<O> fmt::Debug for GateLayer<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GateLayer").field("requirement", &self.requirement).finish_non_exhaustive()
    }
}
