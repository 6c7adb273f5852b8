//! Integers modulo L = 2²⁵² + 27742317777372353535851937790883648493, the order of the generator
//! of Ed25519, in eight 32-bit words, least significant first.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "constant indices into fixed arrays; every sum's bound is stated"
)]

/// L.
const ORDER: [u32; 8] = [0x5cf5_d3ed, 0x5812_631a, 0xa2f7_9cd6, 0x14de_f9de, 0, 0, 0, 0x1000_0000];

/// A scalar in 0…L−1 from its 32 bytes; `None` for L and above (RFC 8032 §5.1.7, step 1).
pub(super) fn from_canonical_bytes(bytes: &[u8; 32]) -> Option<[u32; 8]> {
    let words = words_of(bytes);
    words.iter().rev().lt(ORDER.iter().rev()).then_some(words)
}

/// The residue in 0…L−1 of 64 bytes. Division word by word: sixteen rounds of eight products.
///
/// The residue has to be the one below L, and not only congruent: where a key has a component of
/// small order, k·A and (k+L)·A differ.
pub(super) fn from_wide_bytes(bytes: &[u8; 64]) -> [u32; 8] {
    let mut rest = [0_u32; 8];
    for word in bytes.rchunks_exact(4) {
        // r = 2³²·rest + word < 2³²·L, nine words.
        let mut r = [0_u32; 9];
        r[0] = word.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        r[1..].copy_from_slice(&rest);
        // ⌊r/2²⁵²⌋ is the quotient or one more, L being so little above 2²⁵²; at most 2³² − 1 is
        // taken.
        let quotient = (u64::from(r[8]) << 4 | u64::from(r[7]) >> 28).min(u64::from(u32::MAX));
        let mut borrow = 0;
        for (r, order) in r.iter_mut().zip(ORDER.iter().chain([&0])) {
            // (2³² − 1)² + 2³² − 1 < 2⁶⁴, and the new borrow is below 2³².
            let product = quotient * u64::from(*order) + borrow;
            let (difference, under) = r.overflowing_sub(product as u32);
            *r = difference;
            borrow = (product >> 32) + u64::from(under);
        }
        if borrow > 0 {
            let mut carry = 0;
            for (r, order) in r.iter_mut().zip(ORDER.iter().chain([&0])) {
                let sum = u64::from(*r) + u64::from(*order) + carry;
                *r = sum as u32;
                carry = sum >> 32;
            }
        }
        rest.copy_from_slice(&r[..8]);
    }
    rest
}

/// 32 bytes as words.
fn words_of(bytes: &[u8; 32]) -> [u32; 8] {
    core::array::from_fn(|i| u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]]))
}

/// The digits of a scalar to the base 2^w, −2^(w−1) < d ≤ 2^(w−1), least significant first: Σ
/// dᵢ·2^(w·i) is the scalar itself.
pub(super) struct SignedDigits<'s> {
    scalar: &'s [u32; 8],
    width: u32,
    place: u32,
    carry: u32,
}

impl<'s> SignedDigits<'s> {
    /// How many digits of `width` bits a scalar below 2²⁵³ has, the last carry included.
    pub(super) const fn count(width: u32) -> usize {
        254_u32.div_ceil(width) as usize
    }

    /// The digits of a scalar below 2²⁵³; 4 ≤ `width` ≤ 8.
    pub(super) fn of(scalar: &'s [u32; 8], width: u32) -> Self {
        SignedDigits { scalar, width, place: 0, carry: 0 }
    }
}

impl Iterator for SignedDigits<'_> {
    type Item = i32;

    fn next(&mut self) -> Option<i32> {
        if self.place >= 254 {
            return None;
        }
        let (word, shift) = ((self.place / 32) as usize, self.place % 32);
        let low = u64::from(self.scalar[word]);
        let high = u64::from(self.scalar.get(word + 1).copied().unwrap_or(0));
        let window = (low | high << 32) >> shift & ((1 << self.width) - 1);
        let digit = window as u32 + self.carry;
        self.carry = u32::from(digit > 1 << (self.width - 1));
        self.place += self.width;
        Some(digit as i32 - ((self.carry as i32) << self.width))
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::scalar::Scalar;
    use num_bigint::BigInt;
    use rand::{RngCore, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn bytes_of(words: [u32; 8]) -> [u8; 32] {
        core::array::from_fn(|i| words[i / 4].to_le_bytes()[i % 4])
    }

    /// What `from_wide_bytes` holds at most in its 64 bits, from the bounds of what it adds up.
    #[test]
    fn no_accumulator_can_overflow() {
        let word = u128::from(u32::MAX);
        let largest = |quotient: u128| {
            let mut borrow = 0;
            (0..9).fold(0, |largest: u128, _| {
                let product = quotient * word + borrow;
                borrow = (product >> 32) + 1;
                largest.max(product)
            })
        };
        assert!(largest(word) < 1 << 64);
        // A borrow fits the word it is taken from, and a quotient that was not held at 2³² − 1
        // would not do.
        assert!(largest(word) >> 32 <= word && largest(word + 2) >= 1 << 64);
    }

    #[test]
    fn residues_agree_with_dalek() {
        let mut random = ChaCha20Rng::seed_from_u64(252);
        let mut wides = vec![[0; 64], [0xff; 64]];
        // L·2^(8i) and its neighbours, in every place.
        for place in 0..=32 {
            for change in [-1_i8, 0, 1] {
                let mut wide = [0; 64];
                wide[place..place + 32].copy_from_slice(&bytes_of(ORDER));
                wide[place] = wide[place].wrapping_add_signed(change);
                wides.push(wide);
                // All ones below.
                wide[..place].fill(0xff);
                wides.push(wide);
            }
        }
        for _ in 0..20_000 {
            let mut wide = [0; 64];
            random.fill_bytes(&mut wide);
            wides.push(wide);
        }
        for wide in wides {
            assert_eq!(bytes_of(from_wide_bytes(&wide)), Scalar::from_bytes_mod_order_wide(&wide).to_bytes());
            let narrow: [u8; 32] = wide[..32].try_into().unwrap();
            let theirs: Option<Scalar> = Scalar::from_canonical_bytes(narrow).into();
            assert_eq!(from_canonical_bytes(&narrow).map(bytes_of), theirs.map(|scalar| scalar.to_bytes()));
        }
    }

    #[test]
    fn digits_sum_up_to_the_scalar() {
        let mut random = ChaCha20Rng::seed_from_u64(7);
        let mut scalars = vec![[0; 8], ORDER, [0x8421_0842; 8], [u32::MAX; 8], [0x1084_2108; 8], [0x0fff_ffff; 8]];
        scalars.extend((0..2000).map(|_| core::array::from_fn(|_| random.next_u32())));
        for mut scalar in scalars {
            scalar[7] &= 0x1fff_ffff;
            let value = scalar.iter().rev().fold(BigInt::ZERO, |sum, word| (sum << 32) + *word);
            for width in 4..=8 {
                let digits: Vec<i32> = SignedDigits::of(&scalar, width).collect();
                assert_eq!(digits.len(), SignedDigits::count(width));
                assert!(digits.iter().all(|digit| -(1 << (width - 1)) < *digit && *digit <= 1 << (width - 1)));
                assert_eq!(digits.iter().rev().fold(BigInt::ZERO, |sum, digit| (sum << width) + digit), value);
            }
        }
    }
}
