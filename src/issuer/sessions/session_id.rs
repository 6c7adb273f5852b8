//! What a session is called, in its tokens (`sid`), in its store and in a revocation.

use core::fmt;

use serde::{Serialize, Serializer};

use crate::base64url;

/// Sixteen random bytes; in text, 22 characters of base64url.
///
/// It is no secret: it stands in every access token of the session. Nothing follows from knowing
/// it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// The identifier made of those bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        SessionId(bytes)
    }

    /// Reads its one text, or `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode(text)?.try_into().ok().map(SessionId)
    }

    /// The key under which a store keeps its row.
    #[must_use]
    pub fn key(&self) -> String {
        format!("s/{self}")
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionId({self})")
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_one_text() {
        let sid = SessionId::from_bytes([0xfb; 16]);
        assert_eq!(SessionId::parse(&sid.to_string()), Some(sid));
        assert_eq!(sid.to_string().len(), 22);
        assert_eq!(sid.key(), "s/-_v7-_v7-_v7-_v7-_v7-w");
        for text in ["", "AA", "+_v7-_v7-_v7-_v7-_v7-w", "-_v7-_v7-_v7-_v7-_v7-x", "-_v7-_v7-_v7-_v7-_v7-w=="] {
            assert_eq!(SessionId::parse(text), None, "{text}");
        }
    }
}
