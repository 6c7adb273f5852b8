//! Ed25519 (RFC 8032 §5.1, RFC 8037 §3.1), verified strictly with ed25519-dalek.

use core::convert::Infallible;
use std::borrow::Cow;

pub use ed25519_dalek::{Signature, VerifyingKey};
use jwt_compact::Algorithm;

use super::KeyDefect;

/// EdDSA with Ed25519, strict: S is canonical, R is canonical and not of small order. jwt-compact's own accepts more (it
/// calls `verify`), and two verifiers that differ on one signature are what a denylist gets evaded with.
#[derive(Clone, Copy, Debug)]
pub struct StrictEd25519;

impl Algorithm for StrictEd25519 {
    type SigningKey = Infallible;
    type VerifyingKey = VerifyingKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("EdDSA")
    }

    fn sign(&self, signing_key: &Infallible, _: &[u8]) -> Signature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &Signature, key: &VerifyingKey, message: &[u8]) -> bool {
        key.verify_strict(message, signature).is_ok()
    }
}

/// A public key from its 32 bytes (RFC 8032 §5.1.5).
///
/// # Errors
/// Another length, no point of the curve, a second encoding of a point, or a point of small order, under which one signature
/// holds for many messages.
pub fn key_from_bytes(bytes: &[u8]) -> Result<VerifyingKey, KeyDefect> {
    let defect = |reason: &str| KeyDefect::new("x", reason);
    let bytes: &[u8; 32] = bytes.try_into().map_err(|_| defect("must be 32 bytes"))?;
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| defect("is not a point of Ed25519"))?;
    if key.is_weak() {
        return Err(defect("is a weak key: a point of small order"));
    }
    // dalek keeps the bytes it was given; compressing the point again shows whether they were the canonical ones.
    if key.to_edwards().compress().as_bytes() != bytes {
        return Err(defect("is not the canonical encoding of its point"));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut identity = [0u8; 32];
        identity[0] = 1;
        assert!(key_from_bytes(&identity).unwrap_err().reason.contains("weak"));
        assert!(key_from_bytes(&[0; 32]).unwrap_err().reason.contains("weak"));
        // y = p + 3, a second encoding of y = 3, which is a point of large order
        let mut twice = [0xff; 32];
        twice[0] = 0xf0;
        twice[31] = 0x7f;
        assert!(key_from_bytes(&twice).is_err());
        assert!(key_from_bytes(&[1; 31]).is_err());
    }
}
