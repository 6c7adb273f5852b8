//! The hashes of JOSE (FIPS 180-4) as one type, so that what works with any of them is there once
//! and not once a hash. The compression of a block is RustCrypto's; blocks and padding (§5.1,
//! §5.2) are cut here, by one piece of code for all three: RustCrypto's own is compiled once a
//! hash, 3 KB of the validator's wasm.

use core::{ops::Deref, slice};

use sha2::{compress256, compress512};

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
        let mut hasher = Hasher::new(self);
        parts.iter().for_each(|part| hasher.update(part));
        hasher.finish()
    }

    /// The length of a block, in bytes.
    pub(super) const fn block_bytes(self) -> usize {
        match self {
            Hash::Sha256 => 64,
            Hash::Sha384 | Hash::Sha512 => 128,
        }
    }

    /// What stands before the first block (FIPS 180-4 §5.3).
    const fn start(self) -> State {
        match self {
            Hash::Sha256 => State::Words32([
                0x6a09_e667,
                0xbb67_ae85,
                0x3c6e_f372,
                0xa54f_f53a,
                0x510e_527f,
                0x9b05_688c,
                0x1f83_d9ab,
                0x5be0_cd19,
            ]),
            Hash::Sha384 => State::Words64([
                0xcbbb_9d5d_c105_9ed8,
                0x629a_292a_367c_d507,
                0x9159_015a_3070_dd17,
                0x152f_ecd8_f70e_5939,
                0x6733_2667_ffc0_0b31,
                0x8eb4_4a87_6858_1511,
                0xdb0c_2e0d_64f9_8fa7,
                0x47b5_481d_befa_4fa4,
            ]),
            Hash::Sha512 => State::Words64([
                0x6a09_e667_f3bc_c908,
                0xbb67_ae85_84ca_a73b,
                0x3c6e_f372_fe94_f82b,
                0xa54f_f53a_5f1d_36f1,
                0x510e_527f_ade6_82d1,
                0x9b05_688c_2b3e_6c1f,
                0x1f83_d9ab_fb41_bd6b,
                0x5be0_cd19_137e_2179,
            ]),
        }
    }
}

/// The eight words between two blocks.
#[derive(Clone, Copy)]
enum State {
    Words32([u32; 8]),
    Words64([u64; 8]),
}

impl State {
    /// Takes whole blocks in.
    #[inline(never)]
    fn compress(&mut self, blocks: &[u8]) {
        match self {
            State::Words32(words) => {
                for block in blocks.as_chunks::<64>().0 {
                    compress256(words, slice::from_ref(block.into()));
                }
            }
            State::Words64(words) => {
                for block in blocks.as_chunks::<128>().0 {
                    compress512(words, slice::from_ref(block.into()));
                }
            }
        }
    }
}

/// A hash on its way.
#[derive(Clone)]
pub(super) struct Hasher {
    hash: Hash,
    state: State,
    /// What is no whole block yet, and how much of it there is.
    rest: [u8; 128],
    rest_bytes: usize,
    all_bytes: usize,
}

impl Hasher {
    pub(super) fn new(hash: Hash) -> Self {
        Hasher { hash, state: hash.start(), rest: [0; 128], rest_bytes: 0, all_bytes: 0 }
    }

    #[inline(never)]
    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        self.all_bytes = self.all_bytes.wrapping_add(bytes.len());
        while !bytes.is_empty() {
            let block = self.hash.block_bytes();
            let whole = bytes.len().saturating_sub(bytes.len() & block.wrapping_sub(1));
            let taken = if self.rest_bytes == 0 && whole > 0 {
                self.state.compress(bytes.get(..whole).unwrap_or_default());
                whole
            } else {
                let free = self.rest.get_mut(self.rest_bytes..block).unwrap_or_default();
                let taken = free.len().min(bytes.len());
                write(free, bytes);
                self.rest_bytes = self.rest_bytes.saturating_add(taken);
                self.compress_full_rest();
                taken
            };
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    fn compress_full_rest(&mut self) {
        let block = self.hash.block_bytes();
        if self.rest_bytes == block {
            self.state.compress(self.rest.get(..block).unwrap_or_default());
            self.rest_bytes = 0;
        }
    }

    #[inline(never)]
    pub(super) fn finish(mut self) -> HashValue {
        // A length of 2⁶¹ bytes is more than there is memory: of the 16 bytes that SHA-512 has for
        // it, the upper 8 are zero.
        let bits = u64::try_from(self.all_bytes).unwrap_or(u64::MAX).wrapping_mul(8);
        let block = self.hash.block_bytes();
        if let Some((first, others)) = self.rest.get_mut(self.rest_bytes..).and_then(<[u8]>::split_first_mut) {
            *first = 0x80;
            others.fill(0);
        }
        // Where the length does not fit behind the message, it has a block of its own.
        if self.rest_bytes >= block.saturating_sub(block / 8) {
            self.state.compress(self.rest.get(..block).unwrap_or_default());
            self.rest = [0; 128];
        }
        if let Some(length) = self.rest.get_mut(..block).and_then(<[u8]>::last_chunk_mut) {
            *length = bits.to_be_bytes();
        }
        self.state.compress(self.rest.get(..block).unwrap_or_default());
        let (mut bytes, length) = ([0; 64], self.hash.bytes());
        let value = bytes.get_mut(..length).unwrap_or_default();
        match self.state {
            State::Words32(words) => write(value, words.map(u32::to_be_bytes).as_flattened()),
            State::Words64(words) => write(value, words.map(u64::to_be_bytes).as_flattened()),
        }
        HashValue { bytes, length }
    }
}

/// Copies what both have room for.
fn write(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(byte, from)| *byte = *from);
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

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256, Sha384, Sha512};

    #[test]
    fn a_hash_agrees_with_sha2_at_every_length_and_wherever_the_message_is_cut() {
        let message: Vec<u8> = (0..=400).map(|place: u32| place.to_le_bytes()[0] ^ 0x5a).collect();
        for length in 0..message.len() {
            let message = &message[..length];
            let expected: [(Hash, Vec<u8>); 3] = [
                (Hash::Sha256, Sha256::digest(message).to_vec()),
                (Hash::Sha384, Sha384::digest(message).to_vec()),
                (Hash::Sha512, Sha512::digest(message).to_vec()),
            ];
            for (hash, expected) in expected {
                assert_eq!(*hash.of(&[message]), *expected, "{hash:?} of {length} bytes");
                for cut in (0..length).filter(|cut| cut % 7 == 0 || cut % 64 < 2) {
                    let (first, second) = message.split_at(cut);
                    assert_eq!(*hash.of(&[first, &[], second]), *expected, "{hash:?} of {length} bytes cut at {cut}");
                }
                assert_eq!(hash.of(&[message]).padded()[hash.bytes()..], [0; 64][hash.bytes()..]);
            }
        }
    }
}
