//! How large a token may be, checked before anything is copied.

use crate::policy_error::PolicyError;

/// Upper bounds on a token's shape. Each may be lowered freely and raised up to a hard cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    token_bytes: usize,
    header_bytes: usize,
    depth: usize,
    members: usize,
    padding: bool,
}

impl Default for Limits {
    /// 8 KiB of token, 1 KiB of header, 16 levels of nesting, 128 members.
    fn default() -> Self {
        Limits { token_bytes: 8 * 1024, header_bytes: 1024, depth: 16, members: 128, padding: false }
    }
}

impl Limits {
    /// No policy can take a longer token than this, in bytes.
    pub const TOKEN_BYTES_CAP: usize = 16 * 1024;
    /// No policy can take a longer header than this, in bytes of its decoded JSON text.
    pub const HEADER_BYTES_CAP: usize = 4 * 1024;
    /// No policy can take a deeper nesting of objects and arrays than this.
    pub const DEPTH_CAP: usize = 32;
    /// No policy can take more object members in one JSON text than this, all levels together.
    pub const MEMBERS_CAP: usize = 1024;

    /// For what a caller wrote, not an attacker: a policy with its keys, of ten thousand issuers
    /// and more.
    pub(crate) const DOCUMENT: Limits =
        Limits { token_bytes: 0, header_bytes: 0, depth: 32, members: 1_048_576, padding: false };

    /// For what an issuer published: a JWK Set. A search for duplicates compares each member of an
    /// object with all before it.
    pub(crate) const FETCHED: Limits =
        Limits { token_bytes: 0, header_bytes: 0, depth: 16, members: 8192, padding: false };

    /// Limits that a policy's shape has found to be within their caps.
    pub(crate) const fn checked(token_bytes: usize, header_bytes: usize, depth: usize, members: usize) -> Self {
        Limits { token_bytes, header_bytes, depth, members, padding: false }
    }

    /// The same for tokens whose segments may be padded: some issuer of the policy pads them.
    /// Whose token it is, is known later.
    pub(crate) const fn with_padding(self, padding: bool) -> Self {
        Limits { padding, ..self }
    }

    /// Whether a token's segments may be padded.
    pub(crate) const fn padding(&self) -> bool {
        self.padding
    }

    /// The longest token, in bytes of its compact serialization.
    #[must_use]
    pub const fn token_bytes(&self) -> usize {
        self.token_bytes
    }

    /// The longest header, in bytes of its decoded JSON text.
    #[must_use]
    pub const fn header_bytes(&self) -> usize {
        self.header_bytes
    }

    /// The deepest nesting; a text that is one flat object has depth 1.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// The most object members in one JSON text, all levels together.
    #[must_use]
    pub const fn members(&self) -> usize {
        self.members
    }

    /// Sets the longest token.
    ///
    /// # Errors
    /// Zero, or more than [`Limits::TOKEN_BYTES_CAP`].
    pub fn with_token_bytes(self, token_bytes: usize) -> Result<Self, PolicyError> {
        let token_bytes = within("tokenBytes", token_bytes, Self::TOKEN_BYTES_CAP)?;
        Ok(Limits { token_bytes, ..self })
    }

    /// Sets the longest header.
    ///
    /// # Errors
    /// Zero, or more than [`Limits::HEADER_BYTES_CAP`].
    pub fn with_header_bytes(self, header_bytes: usize) -> Result<Self, PolicyError> {
        let header_bytes = within("headerBytes", header_bytes, Self::HEADER_BYTES_CAP)?;
        Ok(Limits { header_bytes, ..self })
    }

    /// Sets the deepest nesting.
    ///
    /// # Errors
    /// Zero, or more than [`Limits::DEPTH_CAP`].
    pub fn with_depth(self, depth: usize) -> Result<Self, PolicyError> {
        let depth = within("depth", depth, Self::DEPTH_CAP)?;
        Ok(Limits { depth, ..self })
    }

    /// Sets the most object members.
    ///
    /// # Errors
    /// Zero, or more than [`Limits::MEMBERS_CAP`].
    pub fn with_members(self, members: usize) -> Result<Self, PolicyError> {
        let members = within("members", members, Self::MEMBERS_CAP)?;
        Ok(Limits { members, ..self })
    }
}

fn within(member: &str, value: usize, cap: usize) -> Result<usize, PolicyError> {
    if (1..=cap).contains(&value) {
        return Ok(value);
    }
    Err(PolicyError::at(member, format!("must be an integer from 1 to {cap}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_go_down_freely_and_up_to_the_cap() {
        let limits = Limits::default();
        assert_eq!(limits.with_token_bytes(1).unwrap().token_bytes(), 1);
        assert_eq!(limits.with_depth(32).unwrap().depth(), 32);
        assert_eq!(limits.with_token_bytes(16_385).unwrap_err().pointer(), "/tokenBytes");
        assert_eq!(limits.with_header_bytes(4_097).unwrap_err().pointer(), "/headerBytes");
        assert_eq!(limits.with_depth(33).unwrap_err().pointer(), "/depth");
        assert_eq!(limits.with_members(0).unwrap_err().pointer(), "/members");
    }
}
