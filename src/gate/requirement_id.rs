//! Which of a gate's requirements is meant.

use crate::policy_error::PolicyError;

/// As many requirements as one gate keeps: they come from a program's own text and not from
/// requests.
pub(super) const MOST_REQUIREMENTS: usize = 1024;

/// A requirement that a gate keeps, for [`Facts::requirement`](crate::gate::Facts::requirement).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequirementId(pub(super) usize);

impl RequirementId {
    /// The requirement of that number.
    ///
    /// # Errors
    /// No gate keeps as many (`/requirement`).
    pub fn from_number(number: u64) -> Result<Self, PolicyError> {
        let place = usize::try_from(number).ok().filter(|place| *place < MOST_REQUIREMENTS);
        place.map(RequirementId).ok_or_else(|| {
            PolicyError::at("requirement", "is unknown; expected a number that Gate::requirement returned")
        })
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }
}
