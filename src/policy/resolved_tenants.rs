//! Tenants that no policy lists: somebody is asked which there are.

use core::fmt;
use std::sync::Arc;

use crate::{
    keys::{Index, pair},
    policy::{Policy, hash_of, issuer_rules::IssuerRules, tenants::Tenants},
};

/// So many tenants are known at a time; the one whose keys were used longest ago makes room.
const MOST_RESOLVED: usize = 1000;

/// Whether a resolver can be there at all. The wasm modules of the npm package that hold no gate
/// have nobody to ask, and no code of it.
const HAS_RESOLVERS: bool =
    !cfg!(all(feature = "js", not(feature = "gate-js"), target_arch = "wasm32", target_os = "unknown"));

/// Says which tenants are ours where the policy does not list them (`"tenants": "resolver"`).
///
/// It is asked about every token of such an issuer, so it must answer from memory. What it is
/// asked about has the syntax of its hole and is otherwise a stranger's text: it must only be
/// compared.
pub trait TenantResolver: Send + Sync {
    /// Whether tokens of that tenant may be accepted: `issuer` as the policy has it, and each hole
    /// with its value.
    fn admits(&self, issuer: &str, tenant: &[(&str, &str)]) -> bool;
}

impl<F: Fn(&str, &[(&str, &str)]) -> bool + Send + Sync> TenantResolver for F {
    fn admits(&self, issuer: &str, tenant: &[(&str, &str)]) -> bool {
        self(issuer, tenant)
    }
}

/// Issuers whose tenants are asked about, and who is asked.
#[derive(Clone, Default)]
pub(super) struct Resolved {
    pub(super) issuers: Vec<(Tenants, IssuerRules)>,
    resolver: Option<Arc<dyn TenantResolver>>,
    /// Where in the rules the tenants are that were admitted, the oldest first.
    admitted: Vec<usize>,
}

impl fmt::Debug for Resolved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Resolved").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}

impl Policy {
    /// Has that resolver say which tenants of issuers with `"tenants": "resolver"` are ours.
    /// Without one none of them is.
    #[must_use]
    pub fn with_tenant_resolver(mut self, resolver: impl TenantResolver + 'static) -> Self {
        self.resolved.resolver = Some(Arc::new(resolver));
        self
    }

    /// Takes over the resolver of another policy.
    pub(crate) fn inherit_resolver(&mut self, former: &Policy) {
        self.resolved.resolver.clone_from(&former.resolved.resolver);
    }

    /// Are there issuers whose tenants are asked about?
    pub(crate) fn asks_for_tenants(&self) -> bool {
        !self.resolved.issuers.is_empty()
    }

    /// The issuer of the policy that has a tenant of that name, and what stands in its holes.
    /// Nobody has been asked yet.
    #[cfg(feature = "gate-js")]
    pub(crate) fn tenant<'n>(&'n self, name: &'n str) -> Option<(&'n str, Vec<(&'n str, &'n str)>)> {
        // One that is configured by its whole name is no tenant of theirs.
        let known = self.issuer_index(name).and_then(|index| self.rules.get(index));
        if known.is_some_and(|rules| !rules.is_resolved) {
            return None;
        }
        self.resolved.issuers.iter().find_map(|(_, rules)| Some((&*rules.issuer, Tenants::values(rules, name)?)))
    }

    /// The rules for a tenant of that name, if there is such an issuer and the resolver admits it.
    pub(crate) fn resolve(&self, name: &str) -> Option<IssuerRules> {
        let resolver = self.resolved.resolver.as_ref().filter(|_| HAS_RESOLVERS)?;
        self.resolved.issuers.iter().find_map(|(tenants, rules)| {
            let values = Tenants::values(rules, name)?;
            resolver
                .admits(&rules.issuer, &values)
                .then(|| IssuerRules { is_resolved: true, ..tenants.rules_with(rules, &values) })
        })
    }

    /// Was the issuer admitted once, and is it no more?
    pub(super) fn is_withdrawn(&self, rules: &IssuerRules) -> bool {
        rules.is_resolved && self.resolve(&rules.issuer).is_none()
    }

    /// Adds such an issuer. When there were too many, the index of the one in whose place it is:
    /// the one whose `last_use` is the smallest, and of several the one that was admitted first.
    pub(crate) fn admit(&mut self, rules: IssuerRules, last_use: impl Fn(usize) -> u64) -> Option<usize> {
        if self.resolved.admitted.len() < MOST_RESOLVED {
            let index = self.rules.len();
            self.names.insert(hash_of(&rules.issuer), index);
            self.rules.push(rules);
            self.resolved.admitted.push(index);
            return None;
        }
        let index = self.resolved.admitted.iter().copied().min_by_key(|index| last_use(*index))?;
        self.resolved.admitted.retain(|own| *own != index);
        self.resolved.admitted.push(index);
        if let Some(place) = self.rules.get_mut(index) {
            *place = rules;
        }
        self.index_names();
        Some(index)
    }

    /// Lets a tenant go that was admitted; its index.
    #[cfg(feature = "gate-js")]
    pub(crate) fn withdraw(&mut self, name: &str) -> Option<usize> {
        let index = self.issuer_index(name)?;
        let rules = self.rules.get_mut(index).filter(|rules| rules.is_resolved)?;
        // Its place is found by no name, and is the next to be taken.
        (rules.issuer, rules.remote) = (String::new(), None);
        self.resolved.admitted.retain(|own| *own != index);
        self.resolved.admitted.insert(0, index);
        self.index_names();
        Some(index)
    }

    fn index_names(&mut self) {
        let named = self.rules.iter().enumerate().filter(|(_, rules)| !rules.issuer.is_empty());
        self.names = Index::of(named.map(|(index, rules)| pair(hash_of(&rules.issuer), index)).collect());
    }
}
