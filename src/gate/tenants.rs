//! Tenants that a resolver admits.

use crate::{gate::Gate, policy::TenantResolver};

impl Gate {
    /// Has that resolver say which tenants of issuers with `"tenants": "resolver"` are ours.
    /// Without one none of them is.
    #[must_use]
    pub fn with_tenant_resolver(mut self, resolver: impl TenantResolver + 'static) -> Self {
        self.verifier = self.verifier.with_tenant_resolver(resolver);
        self
    }

    /// Whether there is an issuer of that name: one that is configured, or a tenant that the
    /// resolver admits.
    #[allow(dead_code, reason = "which shells there are depends on the features")]
    pub(crate) fn admit_tenant(&mut self, issuer: &str) -> bool {
        self.verifier.admit_tenant(issuer)
    }

    /// Lets a tenant go that was admitted, with its keys; whether there was one.
    #[cfg(feature = "gate-js")]
    pub(crate) fn withdraw_tenant(&mut self, issuer: &str) -> bool {
        self.verifier.withdraw_tenant(issuer)
    }
}
