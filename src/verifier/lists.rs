//! Lists of revocations on their way into a verifier.

#[cfg(feature = "js")]
use crate::revocation::Incoming;
use crate::{
    revocation::{StatusReport, UpdateError, UpdateReport},
    time::UnixSeconds,
    verifier::Verifier,
};

impl Verifier {
    /// Takes signed lists of revocations, each on a line of its own: a snapshot, or what came anew
    /// since the one that is held.
    ///
    /// # Errors
    /// As [`UpdateError`]: a bad, old, forked or foreign document. What was held before it then
    /// stays.
    pub fn apply_revocations(&mut self, documents: &str, now: UnixSeconds) -> Result<UpdateReport, UpdateError> {
        self.revocations.apply(self.policy.revocation(), self.policy.leeway(), documents, now)
    }

    /// Takes the next piece of such a text.
    #[cfg(feature = "js")]
    pub(crate) fn receive_revocations(&mut self, incoming: &mut Incoming, piece: &str) {
        self.revocations.push(incoming, self.policy.revocation(), self.policy.leeway(), piece);
    }

    /// What came of it.
    #[cfg(feature = "js")]
    pub(crate) fn received_revocations(&mut self, incoming: &mut Incoming) -> Result<UpdateReport, UpdateError> {
        self.revocations.finish(incoming, self.policy.revocation(), self.policy.leeway())
    }

    /// Notes that lists were held which are gone: as good as stale until they come again, and
    /// never allowed for want of them.
    #[cfg(feature = "js")]
    pub(crate) fn lose_revocations(&mut self) {
        self.revocations.lose();
    }

    /// Takes the Token Status List of that URI (draft-ietf-oauth-status-list §5.1), which the
    /// policy names.
    ///
    /// # Errors
    /// As [`UpdateError`]. What is held then stays.
    pub fn apply_status_list(&mut self, uri: &str, jwt: &str, now: UnixSeconds) -> Result<StatusReport, UpdateError> {
        self.revocations.apply_status(self.policy.revocation(), self.policy.leeway(), uri, jwt, now)
    }

    /// The version of the list of revocations that is held, if any is.
    #[must_use]
    pub fn revocations_version(&self) -> Option<u64> {
        self.revocations.version()
    }

    /// What the feed of that list wants to be asked with, in place of its version.
    #[must_use]
    pub fn revocations_cursor(&self) -> Option<&str> {
        self.revocations.cursor()
    }
}
