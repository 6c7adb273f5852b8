//! Why a refresh request got nothing.

/// Why nothing was granted. Every variant has one permanent [`code`](GrantError::code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantError {
    /// No such session, or no longer.
    SessionMissing,
    /// The token was not made here, or under a root key that has retired.
    TokenInvalid,
    /// The session is another client's.
    ClientMismatch,
    /// The session is bound to another key.
    BindingMismatch,
    /// The session was revoked.
    SessionRevoked,
    /// The session has ended.
    SessionEnded,
    /// An old token came back; the session is revoked now.
    ReuseDetected,
    /// More scope than was granted, or no scope at all.
    ScopeInvalid,
    /// The token is ahead of the store, which has lost writes. The client may try again; its token
    /// may well be good.
    StoreBehind,
}

impl GrantError {
    /// The permanent name, in kebab-case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            GrantError::SessionMissing => "session-missing",
            GrantError::TokenInvalid => "refresh-token-invalid",
            GrantError::ClientMismatch => "client-mismatch",
            GrantError::BindingMismatch => "binding-mismatch",
            GrantError::SessionRevoked => "session-revoked",
            GrantError::SessionEnded => "session-ended",
            GrantError::ReuseDetected => "reuse-detected",
            GrantError::ScopeInvalid => "scope-invalid",
            GrantError::StoreBehind => "store-behind",
        }
    }

    /// The error of the token response (RFC 6749 §5.2), or `None` for what is no fault of the
    /// client: 503, and it may try again.
    #[must_use]
    pub const fn oauth_error(self) -> Option<&'static str> {
        match self {
            GrantError::ScopeInvalid => Some("invalid_scope"),
            GrantError::StoreBehind => None,
            _ => Some("invalid_grant"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_fault_of_the_client_is_no_error_of_its_grant() {
        assert_eq!(GrantError::StoreBehind.oauth_error(), None);
        assert_eq!(GrantError::ScopeInvalid.oauth_error(), Some("invalid_scope"));
        for refusal in [
            GrantError::SessionMissing,
            GrantError::TokenInvalid,
            GrantError::ReuseDetected,
            GrantError::ClientMismatch,
        ] {
            assert_eq!(refusal.oauth_error(), Some("invalid_grant"), "{}", refusal.code());
        }
    }
}
