//! The one source of randomness.

use super::error::IssuerError;

/// Random bytes. A generator that gives the same twice gives nothing that could be a secret or a
/// name (RUSTSEC-2026-0075): of 16 bytes and more that happens to a good one never.
pub(super) fn random<const N: usize>() -> Result<[u8; N], IssuerError> {
    let bytes: [u8; N] = draw()?;
    if bytes == draw()? { Err(IssuerError::Randomness) } else { Ok(bytes) }
}

fn draw<const N: usize>() -> Result<[u8; N], IssuerError> {
    const { assert!(N >= 16) }
    let mut bytes = [0; N];
    getrandom::getrandom(&mut bytes).map_err(|_| IssuerError::Randomness)?;
    Ok(bytes)
}
