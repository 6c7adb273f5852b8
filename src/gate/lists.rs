//! Lists of revocations on their way into a gate.

use crate::{
    gate::Gate,
    revocation::{StatusReport, UpdateError, UpdateReport},
    time::UnixSeconds,
};

impl Gate {
    /// Takes signed lists of revocations.
    ///
    /// # Errors
    /// As [`Verifier::apply_revocations`](crate::Verifier::apply_revocations). What is held then
    /// stays.
    pub fn apply_revocations(&mut self, documents: &str, now: UnixSeconds) -> Result<UpdateReport, UpdateError> {
        self.verifier.apply_revocations(documents, now)
    }

    /// Takes the Token Status List of that URI.
    ///
    /// # Errors
    /// As [`Verifier::apply_status_list`](crate::Verifier::apply_status_list). What is held then
    /// stays.
    pub fn apply_status_list(&mut self, uri: &str, jwt: &str, now: UnixSeconds) -> Result<StatusReport, UpdateError> {
        self.verifier.apply_status_list(uri, jwt, now)
    }
}
