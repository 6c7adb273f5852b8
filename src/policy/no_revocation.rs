//! What stands in the place of `revocation.rs` in a build without the feature `revocation`: a
//! policy that asks for lists is refused, and no other code has to know of it.

use crate::{
    document::checked::Checked,
    keys::remote::{LeftOut, RemoteKey},
    policy::Policy,
    policy_error::PolicyError,
};

/// There is none.
#[derive(Debug)]
pub(crate) enum RevocationPolicy {}

impl Policy {
    /// Refuses the section `revocation`.
    pub(super) fn read_revocation(&self, document: Checked<'_, '_>) -> Result<(), PolicyError> {
        if document.has("revocation") {
            return Err(PolicyError::at("revocation", "requires createGate or createVerifier from portcullis/gate"));
        }
        Ok(())
    }

    pub(crate) fn keep_apart(&self, _: &mut Vec<RemoteKey>, _: &mut Vec<LeftOut>) {}

    pub(crate) fn revocation(&self) -> Option<&RevocationPolicy> {
        self.revocation.as_ref()
    }

    pub(crate) fn asks_when_stale(&self) -> bool {
        false
    }
}
