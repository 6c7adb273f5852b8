//! The arithmetic: from key material, a message and a signature to a yes or a no. It knows nothing
//! of tokens, and nothing secret but an HMAC key ever enters it.
//!
//! Every algorithm is a [`jwt_compact::Algorithm`], so that a Rust user can hand ours to
//! jwt-compact directly. Those that only verify have [`Infallible`](core::convert::Infallible) for
//! a signing key: there is none to call `sign` with.
#![doc = include_str!("REVIEW.md")]

pub mod hmac;
pub mod hash;
pub mod precompute;
mod limbs;
mod inverse;
pub mod ecdsa;
pub mod ed25519;
pub mod rsa;
#[cfg(feature = "ml-dsa")]
pub mod ml_dsa;

use jwt_compact::{Algorithm, AlgorithmSignature};

/// Why key material was refused: which number of the key, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDefect {
    /// The component by its name in RFC 7518 §6, `n`, `e`, `x`, `y` or `k`, or in RFC 9964, `pub`.
    pub component: &'static str,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl KeyDefect {
    pub(crate) fn new(component: &'static str, reason: impl Into<String>) -> Self {
        KeyDefect { component, reason: reason.into() }
    }
}

/// Bytes that are no signature of their algorithm. What jwt-compact makes of a text can be shown,
/// by code many times as large as a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotASignature;

impl core::fmt::Display for NotASignature {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("these bytes are no signature of the algorithm")
    }
}

impl core::error::Error for NotASignature {}

/// Checks a signature's bytes. Any other length than the algorithm's own fails here, since
/// jwt-compact's constructors may panic on it.
// One function an algorithm, which engines compile when it is first called.
#[inline(never)]
pub fn holds<A: Algorithm>(algorithm: &A, key: &A::VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    if A::Signature::LENGTH.is_some_and(|length| length.get() != signature.len()) {
        return false;
    }
    A::Signature::try_from_slice(signature).is_ok_and(|signature| algorithm.verify_signature(&signature, key, message))
}
