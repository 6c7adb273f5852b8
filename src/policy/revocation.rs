//! Whose word is taken for what is revoked, and what holds when it is not heard for too long.

use crate::{
    document,
    keys::{jwk::NamedKey, set::KeySet},
    policy::{IssuerPolicy, Policy, rules::Rules},
    policy_error::PolicyError,
};

/// What a verifier asks of lists of revocations.
#[derive(Debug)]
pub struct RevocationPolicy {
    keys: KeySet,
    max_staleness_seconds: u64,
    when_stale: WhenStale,
}

/// What holds for a token that no list names, when the list is stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenStale {
    /// It is refused.
    #[default]
    Deny,
    /// A gate asks the token's issuer about it (RFC 7662); a verifier alone refuses it.
    Introspect,
    /// It is accepted, and the verdict says so.
    Allow,
}

impl RevocationPolicy {
    /// The longest that a list may be relied on after it was made, in seconds: a day.
    pub const MOST_STALENESS: u64 = 86_400;

    /// Lists that a key of this JWK Set has signed, relied on for so many seconds after they were made.
    ///
    /// # Errors
    /// Text that is no JWK Set of usable public keys (`/jwks`); no time, or more than [`MOST_STALENESS`](Self::MOST_STALENESS).
    pub fn new(jwks: &str, max_staleness_seconds: u64) -> Result<Self, PolicyError> {
        if !(1..=Self::MOST_STALENESS).contains(&max_staleness_seconds) {
            return Err(PolicyError::at("maxStalenessSeconds", "must be an integer from 1 to 86400"));
        }
        let mut holder = IssuerPolicy { rules: Rules::new(String::new(), Vec::new()), keys: Vec::new() };
        document::parse(jwks).and_then(|jwks| holder.push_jwks(&jwks)).map_err(|error| error.within("jwks"))?;
        Self::of_keys(holder.keys, max_staleness_seconds, WhenStale::default())
    }

    pub(super) fn of_keys(
        named: Vec<NamedKey>,
        max_staleness_seconds: u64,
        when_stale: WhenStale,
    ) -> Result<Self, PolicyError> {
        // STRICTER: with a secret, every edge that reads lists could write them.
        if named.iter().any(|named| named.key.is_secret()) {
            return Err(PolicyError::at("jwks", "must hold public keys alone"));
        }
        let mut keys = KeySet::default();
        named.into_iter().try_for_each(|named| keys.insert(0, named))?;
        Ok(RevocationPolicy { keys, max_staleness_seconds, when_stale })
    }

    /// Sets what holds when the list is stale.
    #[must_use]
    pub fn when_stale_it_is(self, when_stale: WhenStale) -> Self {
        RevocationPolicy { when_stale, ..self }
    }

    pub(crate) fn keys(&self) -> &KeySet {
        &self.keys
    }

    pub(crate) fn max_staleness_seconds(&self) -> u64 {
        self.max_staleness_seconds
    }

    pub(crate) fn when_stale(&self) -> WhenStale {
        self.when_stale
    }
}

impl Policy {
    /// Has tokens looked up in lists of revocations.
    ///
    /// # Errors
    /// A key that signs lists is one that signs tokens (`/revocation`): whoever steals it could take a revocation back. Stale lists lead to an
    /// introspection endpoint that an issuer does not have (`/revocation/whenStale`).
    pub fn with_revocation(mut self, revocation: RevocationPolicy) -> Result<Self, PolicyError> {
        if self.keys.has_key_of(&revocation.keys) {
            let reason = "must be signed by a key of its own, and this one signs tokens";
            return Err(PolicyError::at("revocation", reason));
        }
        if revocation.when_stale == WhenStale::Introspect
            && self.rules.iter().any(|rules| rules.introspection.is_none())
        {
            let reason = "must not be \"introspect\" unless every issuer has \"introspection\"";
            return Err(PolicyError::at("whenStale", reason).within("revocation"));
        }
        self.revocation = Some(revocation);
        Ok(self)
    }

    /// What is asked of lists of revocations, if tokens are looked up in them.
    #[must_use]
    pub fn revocation(&self) -> Option<&RevocationPolicy> {
        self.revocation.as_ref()
    }

    /// Is a token's issuer asked about it when the list is stale?
    pub(crate) fn asks_when_stale(&self) -> bool {
        self.revocation.as_ref().is_some_and(|rules| rules.when_stale == WhenStale::Introspect)
    }
}
