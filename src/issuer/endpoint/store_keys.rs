//! What entries of the store are called. A name of the outside world is hashed first: a key has a
//! bounded length, and tells no stranger whom it is about.

use sha2::{Digest, Sha256};

use crate::base64url;

/// Nothing is ever kept under it: a health check reads it.
pub(super) const HEALTH: &str = "h/health";

/// A key that counts no more.
pub(super) fn key_cutoff(kid: &str) -> String {
    once("c/kid", &[kid])
}

/// An authorization code.
pub(super) fn code(code: &str) -> String {
    once("k", &[code])
}

/// A pushed authorization request (RFC 9126).
pub(super) fn pushed(reference: &str) -> String {
    once("q", &[reference])
}

/// An access token that was revoked.
pub(super) fn token(jti: &str) -> String {
    once("x", &[jti])
}

/// One of a kind, by texts of which none can run into the next.
pub(super) fn once(kind: &str, texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text);
    }
    format!("{kind}/{}", base64url::encode(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_do_not_run_into_each_other() {
        assert_ne!(once("j", &["ab", "c"]), once("j", &["a", "bc"]));
        assert_eq!(code("c").len(), "k/".len() + 43);
    }
}
