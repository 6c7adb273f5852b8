//! HMAC with SHA-2 (RFC 7518 §3.2): jwt-compact's own, whose comparison runs in constant time natively. WebAssembly promises no timing.

pub use jwt_compact::alg::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};

use super::KeyDefect;

/// Refuses a secret that is shorter than the hash's output (RFC 7518 §3.2).
///
/// # Errors
/// The component `k`.
pub fn check_secret(secret: &[u8], hash_bytes: usize) -> Result<(), KeyDefect> {
    if secret.len() < hash_bytes {
        return Err(KeyDefect::new(
            "k",
            format!(
                "must be at least {hash_bytes} bytes, the length of the hash (RFC 7518 section 3.2), and has {}",
                secret.len()
            ),
        ));
    }
    // An all-zero secret is what an unset variable of the right length looks like.
    if secret.iter().all(|byte| *byte == 0) {
        return Err(KeyDefect::new("k", "is all zero"));
    }
    Ok(())
}
