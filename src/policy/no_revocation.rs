//! What stands in the place of `revocation.rs` in a build without the feature `revocation`: a
//! policy that asks for lists is refused, and no other code has to know of it.

use crate::{
    json::Object,
    keys::remote::{LeftOut, RemoteKey},
    policy::Policy,
    policy_error::PolicyError,
};

/// There is none.
#[derive(Debug)]
pub(crate) enum RevocationPolicy {}

impl RevocationPolicy {
    /// Refuses it.
    pub(super) fn read(_: &Object<'_>) -> Result<Self, PolicyError> {
        Err(PolicyError::here("requires createGate or createVerifier from portcullis/gate"))
    }
}

impl Policy {
    pub(super) fn with_revocation(self, revocation: RevocationPolicy) -> Result<Self, PolicyError> {
        match revocation {}
    }

    pub(super) fn keep_apart(&self, _: &mut Vec<RemoteKey>, _: &mut Vec<LeftOut>) {}

    pub(crate) fn revocation(&self) -> Option<&RevocationPolicy> {
        self.revocation.as_ref()
    }

    pub(crate) fn asks_when_stale(&self) -> bool {
        false
    }
}
