//! base^65537 mod n in 64-bit words, for processors that multiply two of them at once.
//!
//! A number is a slice of words, least significant first. Its length is a multiple of [`BLOCK`],
//! so that every product is made of one kernel: a block of words times a whole number, column by
//! column ("product scanning").
//!
//! A product T = a·b is divided by R = 2^(64·length) > n modulo n, as P. L. Montgomery does ("Modular
//! multiplication without trial division", 1985), a block of words a step. The lowest block m is
//! dropped, and m·(2^(−64·BLOCK) mod n) is added a block higher; only the last step, which must not
//! grow the number, computes a quotient: T += (m·(−n⁻¹) mod 2^(64·BLOCK))·n.
//!
//! Numbers stay below R, not below n. The steps with m add less than R·n to T < R², and so does the
//! last one: T/R < R + 2n, so that n is subtracted twice at most while there is a carry. The last
//! product has the base itself, which is below n, as a factor, and is below 3n.
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

/// Words that a step takes at once. Longer blocks make fewer passes over T, and longer code.
const BLOCK: usize = 8;
/// Words of the longest modulus: 4096 bits.
const LONGEST: usize = 64;

type Block = [u64; BLOCK];
/// A number of any length in use, the words above it 0.
type Number = [u64; LONGEST];

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

/// The sum of a column and the carry into the next: `low + high·2⁶⁴`. A product takes the lower word
/// along, a·b + low < 2¹²⁸, and leaves its upper word to be summed: a carry is never in flight
/// between the two. A column has at most LONGEST products, so `high` stays below 2⁷⁰.
struct Column {
    low: u64,
    high: u128,
}

impl Column {
    const ZERO: Column = Column { low: 0, high: 0 };

    #[inline(always)]
    fn add(&mut self, word: u64) {
        let (low, carry) = self.low.overflowing_add(word);
        self.low = low;
        self.high += u128::from(carry);
    }

    #[inline(always)]
    fn add_product(&mut self, a: u64, b: u64) {
        let product = u128::from(a) * u128::from(b) + u128::from(self.low);
        self.low = product as u64;
        self.high += product >> 64;
    }

    /// The lowest word; what is above it becomes the next column's.
    #[inline(always)]
    fn take(&mut self) -> u64 {
        let word = self.low;
        *self = Column { low: self.high as u64, high: self.high >> 64 };
        word
    }
}

/// `sum += a·b`, where `sum` has BLOCK words more than `b`, and `b` at least BLOCK words; the word
/// that is carried out.
#[inline(never)]
fn add_product(sum: &mut [u64], a: &Block, b: &[u64]) -> u64 {
    let mut column = Column::ZERO;
    let windows = b.windows(BLOCK);
    // What is as long as a block at compile time is unrolled.
    let (Some((first, rest)), Some(lowest), Some(highest)) =
        (sum.split_first_chunk_mut::<{ BLOCK - 1 }>(), b.first_chunk::<BLOCK>(), b.last_chunk::<BLOCK>())
    else {
        return 0;
    };
    let Some((middle, last)) = rest.split_last_chunk_mut::<BLOCK>() else { return 0 };
    for (place, sum) in first.iter_mut().enumerate() {
        column.add(*sum);
        for row in 0..=place {
            column.add_product(a[row], lowest[place - row]);
        }
        *sum = column.take();
    }
    for (window, sum) in windows.zip(middle) {
        column.add(*sum);
        for row in 0..BLOCK {
            column.add_product(a[row], window[BLOCK - 1 - row]);
        }
        *sum = column.take();
    }
    for (place, sum) in last.iter_mut().enumerate() {
        column.add(*sum);
        for row in place + 1..BLOCK {
            column.add_product(a[row], highest[BLOCK + place - row]);
        }
        *sum = column.take();
    }
    column.take()
}

/// `a·b mod 2^(64·BLOCK)`.
#[inline(always)]
fn low_product(a: &[u64], b: &Block) -> Block {
    let mut column = Column::ZERO;
    core::array::from_fn(|place| {
        for row in 0..=place {
            column.add_product(a[row], b[place - row]);
        }
        column.take()
    })
}

/// Adds a word, and carries as far as needed; what goes out of the number.
fn carry_into(number: &mut [u64], mut carry: u64) -> u64 {
    for word in number {
        if carry == 0 {
            break;
        }
        let (sum, out) = word.overflowing_add(carry);
        (*word, carry) = (sum, u64::from(out));
    }
    carry
}

/// `a ← a − b mod 2^(64·length)`; whether a was below b.
fn subtract(a: &mut [u64], b: &[u64]) -> bool {
    a.iter_mut().zip(b).fold(false, |borrow, (a, b)| {
        let (difference, below) = a.overflowing_sub(*b);
        let (difference, below_with_borrow) = difference.overflowing_sub(u64::from(borrow));
        *a = difference;
        below | below_with_borrow
    })
}

/// a < b, of one length.
fn less(a: &[u64], b: &[u64]) -> bool {
    a.iter().rev().lt(b.iter().rev())
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

/// `sum += Σ aᵢ·aⱼ·2^(64·(i+j))` over i < j; the word that is carried out.
#[inline(never)]
fn add_triangle(sum: &mut [u64; 2 * BLOCK], a: &Block) -> u64 {
    let mut column = Column::ZERO;
    let (lower, upper) = sum.split_at_mut(BLOCK);
    for (place, sum) in lower.iter_mut().take(BLOCK).enumerate() {
        column.add(*sum);
        for row in 0..place.div_ceil(2) {
            column.add_product(a[row], a[place - row]);
        }
        *sum = column.take();
    }
    for (place, sum) in upper.iter_mut().take(BLOCK).enumerate() {
        column.add(*sum);
        for row in place + 1..(place + BLOCK).div_ceil(2) {
            column.add_product(a[row], a[place + BLOCK - row]);
        }
        *sum = column.take();
    }
    column.take()
}

/// `sum ← 2·sum + Σ aᵢ²·2^(128·i)`: less than R² for the a² that it is.
fn double_and_add_squares(sum: &mut [u64], a: &[u64]) {
    let (mut shifted_out, mut carry) = (0, 0_u128);
    for ([low, high], a) in sum.as_chunks_mut::<2>().0.iter_mut().zip(a) {
        let square = u128::from(*a) * u128::from(*a);
        let doubled = [*low << 1 | shifted_out, *high << 1 | *low >> 63];
        shifted_out = *high >> 63;
        carry += u128::from(doubled[0]) + u128::from(square as u64);
        *low = carry as u64;
        carry = (carry >> 64) + u128::from(doubled[1]) + (square >> 64);
        *high = carry as u64;
        carry >>= 64;
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

/// Big-endian bytes into words that are 0.
fn read(bytes: &[u8], words: &mut [u64]) {
    for (chunk, word) in bytes.rchunks(8).zip(words) {
        *word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
}

/// The lowest words as big-endian bytes, filling `bytes`.
fn write(words: &[u64], bytes: &mut [u8]) {
    for (chunk, word) in bytes.rchunks_mut(8).zip(words) {
        let word = word.to_be_bytes();
        chunk.copy_from_slice(&word[word.len() - chunk.len()..]);
    }
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
