//! Why a command got nothing.

use super::error_response::ErrorResponse;
use crate::policy_error::PolicyError;

/// Why a command got nothing: the application's own mistake, or the world's.
pub(super) enum CommandError {
    Mistake(PolicyError),
    Failed(ErrorResponse),
}

impl From<PolicyError> for CommandError {
    fn from(error: PolicyError) -> Self {
        CommandError::Mistake(error)
    }
}

impl<E: Into<ErrorResponse>> From<E> for CommandError {
    fn from(error: E) -> Self {
        CommandError::Failed(error.into())
    }
}
