//! Lists of revocations on their way into a gate.

use super::{FetchGate, Outside};
use crate::{
    driver::World,
    revocation::{StatusReport, UpdateError, UpdateReport},
};

impl<O: Outside> FetchGate<O> {
    /// Takes signed lists of revocations, as
    /// [`Gate::apply_revocations`](crate::Gate::apply_revocations). Nothing pulls them here.
    ///
    /// # Errors
    /// As [`Gate::apply_revocations`](crate::Gate::apply_revocations). What is held then stays.
    pub fn apply_revocations(&self, documents: &str) -> Result<UpdateReport, UpdateError> {
        self.shared.write().apply_revocations(documents, self.shared.now())
    }

    /// Takes the Token Status List of that URI, as
    /// [`Gate::apply_status_list`](crate::Gate::apply_status_list).
    ///
    /// # Errors
    /// As [`Gate::apply_status_list`](crate::Gate::apply_status_list). What is held then stays.
    pub fn apply_status_list(&self, uri: &str, jwt: &str) -> Result<StatusReport, UpdateError> {
        self.shared.write().apply_status_list(uri, jwt, self.shared.now())
    }
}
