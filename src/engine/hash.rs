//! The hashes of JOSE (FIPS 180-4) as one type, so that what works with any of them is there once and not once a hash.

use core::ops::Deref;

use sha2::{Digest, Sha256, Sha384, Sha512};

/// A hash of the SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A hash value: 32, 48 or 64 bytes.
#[derive(Clone, Copy, Debug)]
pub struct HashValue {
    bytes: [u8; 64],
    length: usize,
}

impl Hash {
    /// The length of its values, in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }

    /// The hash of the parts, one after the other.
    #[must_use]
    pub fn of(self, parts: &[&[u8]]) -> HashValue {
        match self {
            Hash::Sha256 => digest::<Sha256>(parts),
            Hash::Sha384 => digest::<Sha384>(parts),
            Hash::Sha512 => digest::<Sha512>(parts),
        }
    }
}

#[inline(never)]
fn digest<D: Digest>(parts: &[&[u8]]) -> HashValue {
    let mut digest = D::new();
    parts.iter().for_each(|part| digest.update(part));
    let output = digest.finalize();
    let mut bytes = [0; 64];
    bytes.iter_mut().zip(&output).for_each(|(byte, from)| *byte = *from);
    HashValue { bytes, length: output.len() }
}

impl HashValue {
    /// The value as 64 bytes, of which a shorter hash fills the first.
    #[must_use]
    pub fn padded(&self) -> &[u8; 64] {
        &self.bytes
    }
}

impl Deref for HashValue {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}
