//! base^65537 mod n in 64-bit words, for processors that multiply two of them at once.
//!
//! A number is a slice of words, least significant first. Its length is a multiple of [`BLOCK`],
//! so that every product is made of one kernel: a block of words times a whole number, column by
//! column ("product scanning").
//!
//! A product T = a·b is divided by R = 2^(64·length) > n modulo n, as P. L. Montgomery does
//! ("Modular multiplication without trial division", 1985), a block of words a step. The lowest
//! block m is dropped, and m·(2^(−64·BLOCK) mod n) is added a block higher. Only the last step,
//! which must not grow the number, computes a quotient: T += (m·(−n⁻¹) mod 2^(64·BLOCK))·n.
//!
//! Numbers stay below R, not below n. The steps with m add less than R·n to T < R², and so does
//! the last one: T/R < R + 2n, so that n is subtracted twice at most while there is a carry. The
//! last product has the base itself, which is below n, as a factor, and is below 3n.
//!
//! Modules for WebAssembly have `modulus` instead, where a product of two 64-bit words is a call.
//! All of it is variable-time, and all operands are public.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "every index is a function of the modulus' length alone, and every sum's bound is stated and tested"
)]

use super::blocks::{
    BLOCK, Block, LONGEST, Number, add_product, add_triangle, carry_into, double_and_add_squares, less, low_product,
    read, subtract, write,
};

/// An odd modulus of 2048 to 4096 bits with its Montgomery constants.
#[derive(Clone, Debug)]
pub(super) struct Modulus {
    /// n.
    words: Vec<u64>,
    /// −n⁻¹ mod 2^(64·BLOCK).
    inverse: Block,
    /// 2^(−64·BLOCK) mod n.
    block_inverse: Vec<u64>,
    /// R², modulo n and below R.
    square_of_radix: Vec<u64>,
}

impl Modulus {
    /// From the big-endian bytes of an odd number of 2048 to 4096 bits without leading zeros.
    /// Costs about as much as an exponentiation.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let length = bytes.len().div_ceil(8 * BLOCK) * BLOCK;
        let mut words = vec![0; length];
        read(bytes, &mut words);
        let inverse = negated_inverse(&words);
        // inverse·n = x·2^(64·BLOCK) − 1, so that x, which is at most n, is 2^(−64·BLOCK) mod n.
        let mut block_inverse = vec![0; length + BLOCK];
        add_product(&mut block_inverse, &inverse, &words);
        block_inverse.drain(..BLOCK);
        carry_into(&mut block_inverse, 1);
        let mut this = Modulus { words, inverse, block_inverse, square_of_radix: Vec::new() };
        // 2·R mod n is the Montgomery form of 2; that of 2^(64·length) = R is R² mod n.
        let two = this.doubled_radix();
        let mut power = two.clone();
        let exponent = 64 * length;
        for bit in (0..exponent.ilog2()).rev() {
            this.square(&mut power);
            if exponent >> bit & 1 == 1 {
                this.multiply(&mut power, &two);
            }
        }
        this.square_of_radix = power;
        this
    }

    /// `base^65537 mod n`, both in big-endian bytes as many as n's own, or `None` when `base ≥ n`:
    /// sixteen squares and two products, one into Montgomery form and one, with the base itself,
    /// out of it.
    pub(super) fn power_65537(&self, base: &[u8]) -> Option<Vec<u8>> {
        let (mut base_words, mut power): (Number, Number) = ([0; LONGEST], [0; LONGEST]);
        let base_words = base_words.get_mut(..self.words.len())?;
        let power = power.get_mut(..self.words.len())?;
        if base.len() > 8 * self.words.len() {
            return None;
        }
        read(base, base_words);
        if !less(base_words, &self.words) {
            return None;
        }
        power.copy_from_slice(base_words);
        self.multiply(power, &self.square_of_radix);
        for _ in 0..16 {
            self.square(power);
        }
        self.multiply(power, base_words);
        while !less(power, &self.words) {
            subtract(power, &self.words);
        }
        let mut bytes = vec![0; base.len()];
        write(power, &mut bytes);
        Some(bytes)
    }

    /// `a ← a·b/R mod n`, below R.
    fn multiply(&self, a: &mut [u64], b: &[u64]) {
        let mut product = [0; 2 * LONGEST];
        let product = &mut product[..2 * a.len()];
        for (step, rows) in a.as_chunks::<BLOCK>().0.iter().enumerate() {
            // What is above the sum is still 0, so nothing is carried out of it.
            add_product(&mut product[step * BLOCK..][..b.len() + BLOCK], rows, b);
        }
        self.reduce(product, a);
    }

    /// `a ← a²/R mod n`, below R. aᵢaⱼ with i < j is summed once and doubled: half a product.
    fn square(&self, a: &mut [u64]) {
        let mut product = [0; 2 * LONGEST];
        let product = &mut product[..2 * a.len()];
        let mut rest = &*a;
        let mut place = 0;
        while let Some((rows, above)) = rest.split_first_chunk::<BLOCK>() {
            // This block's words with all above, which nothing is carried out of, then with each
            // other.
            let sum = &mut product[place..];
            if !above.is_empty() {
                add_product(&mut sum[BLOCK..][..above.len() + BLOCK], rows, above);
            }
            if let Some((sum, beyond)) = sum.split_first_chunk_mut() {
                let carry = add_triangle(sum, rows);
                carry_into(beyond, carry);
            }
            (rest, place) = (above, place + 2 * BLOCK);
        }
        double_and_add_squares(product, a);
        self.reduce(product, a);
    }

    /// `out ← T/R mod n`, below R, for T < R².
    fn reduce(&self, product: &mut [u64], out: &mut [u64]) {
        let length = self.words.len();
        let last = length - BLOCK;
        let mut carried = 0;
        for place in (0..last).step_by(BLOCK) {
            // The block counts as itself times 2^(−64·BLOCK), a block higher.
            let (block, above) = product[place..].split_at_mut(BLOCK);
            let (sum, beyond) = above.split_at_mut(length + BLOCK);
            let mut rows = [0; BLOCK];
            rows.copy_from_slice(block);
            let carry = add_product(sum, &rows, &self.block_inverse);
            carried += carry_into(beyond, carry);
        }
        let quotient = low_product(&product[last..], &self.inverse);
        carried += add_product(&mut product[last..], &quotient, &self.words);
        out.copy_from_slice(&product[length..]);
        // Twice at most, see above.
        while carried > 0 {
            carried -= u64::from(subtract(out, &self.words));
        }
    }

    /// 2·R mod n by doubling and subtracting, from the largest power of two below n.
    fn doubled_radix(&self) -> Vec<u64> {
        let bits = 64 * self.words.len() - leading_zeros(&self.words);
        let mut words = vec![0; self.words.len()];
        if let Some(word) = words.get_mut((bits - 1) / 64) {
            *word = 1 << ((bits - 1) % 64);
        }
        for _ in bits - 1..=64 * self.words.len() {
            let mut carry = 0;
            for word in &mut words {
                (*word, carry) = (*word << 1 | carry, *word >> 63);
            }
            if carry == 1 || !less(&words, &self.words) {
                subtract(&mut words, &self.words);
            }
        }
        words
    }
}

/// Zero bits above the highest 1.
fn leading_zeros(words: &[u64]) -> usize {
    let zeros = words.iter().rev().take_while(|word| **word == 0).count();
    64 * zeros + words.iter().rev().nth(zeros).map_or(0, |word| word.leading_zeros() as usize)
}

/// −n⁻¹ mod 2^(64·BLOCK), word by word: the word that makes n·x + 1 vanish in its place.
fn negated_inverse(n: &[u64]) -> Block {
    let lowest = n.first().copied().unwrap_or(1);
    // Newton: each step doubles the correct bits, and x = n is right modulo 8.
    let inverse = (0..5).fold(lowest, |x, _| x.wrapping_mul(2_u64.wrapping_sub(lowest.wrapping_mul(x))));
    let mut sum: Block = [0; BLOCK];
    sum[0] = 1;
    core::array::from_fn(|place| {
        let word = sum[place].wrapping_mul(inverse).wrapping_neg();
        let mut carry = 0;
        for (sum, n) in sum[place..].iter_mut().zip(n) {
            let total = u128::from(*sum) + u128::from(word) * u128::from(*n) + carry;
            *sum = total as u64;
            carry = total >> 64;
        }
        word
    })
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    fn value(words: &[u64]) -> BigUint {
        words.iter().rev().fold(BigUint::ZERO, |sum, word| (sum << 64) + *word)
    }

    /// The largest products there are, and moduli at either end of their length: what is carried
    /// out must be subtracted, be it once or twice.
    #[test]
    fn the_largest_products_are_reduced() {
        for bytes in [256, 320, 384, 512] {
            let mut moduli = vec![vec![0xff; bytes], vec![0; bytes], vec![0x80; bytes]];
            for n in &mut moduli {
                n[0] |= 0x80;
                n[bytes - 1] |= 1;
            }
            for n in moduli {
                let modulus = Modulus::new(&n);
                let length = bytes / 8;
                let n = BigUint::from_bytes_be(&n);
                for (low, high) in [(u64::MAX, u64::MAX), (0, u64::MAX), (u64::MAX, u64::MAX - 1), (1, 1 << 63)] {
                    let mut product = vec![low; length];
                    product.resize(2 * length, high);
                    let (sum, mut out) = (value(&product), vec![0; length]);
                    modulus.reduce(&mut product, &mut out);
                    assert_eq!(((value(&out) << (8 * bytes)) + &n - sum % &n) % &n, BigUint::ZERO, "{n:x}");
                }
            }
        }
    }

    #[test]
    fn the_two_constants_agree() {
        let n: Vec<u8> = (0..=255).rev().map(|byte| byte | 1).collect();
        let modulus = Modulus::new(&n);
        let n = BigUint::from_bytes_be(&n);
        let radix = BigUint::from(1_u8) << (64 * BLOCK);
        assert_eq!((value(&modulus.inverse) * &n + 1_u8) % &radix, BigUint::ZERO);
        assert_eq!(value(&modulus.block_inverse) * &radix % &n, BigUint::from(1_u8));
        assert!(value(&modulus.block_inverse) < n);
    }
}
