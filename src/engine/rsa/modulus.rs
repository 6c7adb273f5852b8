//! Arithmetic modulo an RSA modulus: base^65537 mod n, in Montgomery form with a quotient taken
//! for the whole number at once.
//!
//! With B = 2^(52·v) > 4n for `v` [`Lanes`], a Montgomery product is (P. L. Montgomery, "Modular
//! multiplication without trial division", 1985, with the quotient of the whole length)
//!
//! ```text
//! T = a·b        q = T·(−n⁻¹) mod± B        (T + q·n) / B
//! ```
//!
//! of which q needs the lower half of a product and the last step the upper half: a square costs
//! ½ + ½ + ½ full products. q is a *balanced* residue, |q| < 0.52·B, since its limbs are;
//! so |result| < |a·b|/B + 0.52·n, which for |a|, |b| < n stays below 0.77·n, and no subtraction
//! is ever needed until the end.
//!
//! All of it is variable-time in nothing but the modulus' length, and all operands are public
//! anyway.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "every index is a function of the modulus' length alone, and every sum's bound is stated and tested"
)]

use super::{
    convolution::{Carries, LIMB_BITS, Windows, middle_columns, product_tile, set_rows, square_tile},
    lanes::Lanes,
};

/// An odd modulus of 2048 to 4096 bits with its Montgomery constants.
#[derive(Clone, Debug)]
pub(super) struct Modulus {
    /// n in 32-bit words, least significant first.
    words: Vec<u32>,
    /// n.
    modulus: Windows,
    /// −n⁻¹ mod B.
    inverse: Windows,
    /// B² mod n.
    square_of_radix: Windows,
    /// Length of a number in `Lanes` (52 bits each), a multiple of four.
    length: usize,
}

/// What an exponentiation writes to, allocated once for all its products.
struct Scratch {
    rows: Vec<Lanes>,
    windows: Windows,
    product: Vec<Lanes>,
    quotient: Vec<Lanes>,
}

impl Modulus {
    /// From the big-endian bytes of an odd number of 2048 to 4096 bits without leading zeros.
    /// Costs about as much as sixteen products more than an exponentiation.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let words = words_of(bytes);
        let bits = bytes.len() * 8 - bytes.first().map_or(0, |first| first.leading_zeros() as usize);
        let length = (bits + 2).div_ceil(16 * LIMB_BITS as usize) * 4;
        let modulus = Windows::of(&limbs_of(&words, length));
        let inverse = Windows::of(&limbs_of(&negated_inverse(&words, length * 52), length));
        let mut this = Modulus { modulus, inverse, square_of_radix: Windows::with_length(length), words, length };
        // 2·B mod n is the Montgomery form of 2; that of 2^(52·length) = B is B² mod n.
        let two = limbs_of(&this.doubled_radix(bits), length);
        this.square_of_radix.set(&two);
        let mut scratch = this.scratch();
        let mut power = two;
        let exponent = 52 * length;
        for bit in (0..exponent.ilog2()).rev() {
            this.square(&mut power, &mut scratch);
            if exponent >> bit & 1 == 1 {
                this.multiply(&mut power, &this.square_of_radix, &mut scratch);
            }
        }
        this.square_of_radix = Windows::of(&power);
        this
    }

    /// `base^65537 mod n`, both in big-endian bytes as many as n's own, or `None` when `base ≥ n`:
    /// sixteen squares and two products, one into Montgomery form and one, with the base itself,
    /// out of it.
    pub(super) fn power_65537(&self, base: &[u8]) -> Option<Vec<u8>> {
        let words = words_of(base);
        if words.len() != self.words.len() || !self.words.iter().rev().gt(words.iter().rev()) {
            return None;
        }
        let base_limbs = limbs_of(&words, self.length);
        let mut scratch = self.scratch();
        let mut power = base_limbs.clone();
        self.multiply(&mut power, &self.square_of_radix, &mut scratch);
        for _ in 0..16 {
            self.square(&mut power, &mut scratch);
        }
        self.multiply(&mut power, &Windows::of(&base_limbs), &mut scratch);
        Some(self.bytes_of(&power, base.len()))
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            rows: Vec::with_capacity(self.length / 2),
            windows: Windows::with_length(self.length),
            product: vec![Lanes::ZERO; 2 * self.length],
            quotient: vec![Lanes::ZERO; self.length],
        }
    }

    /// `a ← a·b/B mod± n` for |a·b| ≤ n²: one full product and a reduction.
    fn multiply(&self, a: &mut [Lanes], b: &Windows, scratch: &mut Scratch) {
        set_rows(&mut scratch.rows, a);
        let mut carries = Carries::from(0);
        for (tile, out) in (0..).step_by(4).zip(scratch.product.as_chunks_mut::<4>().0) {
            *out = product_tile(&scratch.rows, b, tile).map(|columns| carries.push(columns));
        }
        self.reduce(a, scratch);
    }

    /// `a ← a²/B mod± n` for |a| ≤ n: half a product and a reduction.
    fn square(&self, a: &mut [Lanes], scratch: &mut Scratch) {
        set_rows(&mut scratch.rows, a);
        scratch.windows.set(a);
        let mut carries = Carries::from(0);
        for (tile, out) in (0..).step_by(4).zip(scratch.product.as_chunks_mut::<4>().0) {
            *out = square_tile(&scratch.rows, &scratch.windows, tile).map(|columns| carries.push(columns));
        }
        self.reduce(a, scratch);
    }

    /// `out ← (T + q·n)/B` for the product T: two half products.
    fn reduce(&self, out: &mut [Lanes], scratch: &mut Scratch) {
        let (low, high) = scratch.product.split_at(self.length);
        set_rows(&mut scratch.rows, low);
        let mut carries = Carries::from(0);
        for (tile, out) in (0..).step_by(4).zip(scratch.quotient.as_chunks_mut::<4>().0) {
            *out = product_tile(&scratch.rows, &self.inverse, tile).map(|columns| carries.push(columns));
        }
        set_rows(&mut scratch.rows, &scratch.quotient);
        // The lower half of T + q·n is a multiple of B: its highest four columns say which, the
        // others being below 2⁻²¹ of it.
        let middle = middle_columns(&scratch.rows, &self.modulus).plus_limbs(low[self.length - 1]).sums();
        let exact = middle.into_iter().reduce(|below, column| (below >> LIMB_BITS) + column).unwrap_or(0);
        let carry = (exact + (1 << (LIMB_BITS - 1))) >> LIMB_BITS;
        let mut carries = Carries::from(carry as i32);
        let tiles = (self.length..).step_by(4).zip(out.as_chunks_mut::<4>().0).zip(high.as_chunks::<4>().0);
        for ((tile, out), high) in tiles {
            let columns = product_tile(&scratch.rows, &self.modulus, tile);
            for ((out, columns), high) in out.iter_mut().zip(columns).zip(high) {
                *out = carries.push(columns.plus_limbs(*high));
            }
        }
    }

    /// 2·B mod n by doubling and subtracting; n has `bits` bits, so that 2^bits − n < n. At most
    /// 210 passes over the words.
    fn doubled_radix(&self, bits: usize) -> Vec<u32> {
        // 2^bits − n: what is above the highest bit of n is cut off after the negation.
        let mut words: Vec<u32> = self.words.iter().map(|word| !word).collect();
        if let Some(top) = words.last_mut().filter(|_| !bits.is_multiple_of(32)) {
            *top &= (1 << (bits % 32)) - 1;
        }
        if let Some(lowest) = words.first_mut() {
            // n is odd, so the complement of its lowest word is even.
            *lowest |= 1;
        }
        for _ in bits..=52 * self.length {
            let mut high = 0;
            for word in &mut words {
                let out = *word >> 31;
                *word = *word << 1 | high;
                high = out;
            }
            if high == 1 || !self.words.iter().rev().gt(words.iter().rev()) {
                let mut borrow = 0;
                for (word, n) in words.iter_mut().zip(&self.words) {
                    let difference = i64::from(*word) - i64::from(*n) + borrow;
                    *word = difference as u32;
                    borrow = difference >> 32;
                }
            }
        }
        words
    }

    /// The bytes, `width` of them, of the residue in 0…n−1 that limbs of a number in (−n, n) stand
    /// for.
    fn bytes_of(&self, limbs: &[Lanes], width: usize) -> Vec<u8> {
        let mut words = Vec::with_capacity(self.words.len());
        let mut limbs = limbs.iter().flat_map(|lanes| lanes.to_array());
        let (mut pending, mut bits) = (0_i64, 0);
        while words.len() < self.words.len() {
            while bits < 32 {
                // The limb may be negative: what is pending is then, too, and the shift below
                // keeps its sign.
                pending += i64::from(limbs.next().unwrap_or(0)) << bits;
                bits += LIMB_BITS;
            }
            words.push(pending as u32);
            pending >>= 32;
            bits -= 32;
        }
        // What is above is all sign. Rounding down keeps it.
        for limb in limbs {
            pending = (pending + (i64::from(limb) << bits)) >> LIMB_BITS;
        }
        if pending < 0 {
            let mut carry = 0;
            for (word, n) in words.iter_mut().zip(&self.words) {
                let sum = u64::from(*word) + u64::from(*n) + carry;
                *word = sum as u32;
                carry = sum >> 32;
            }
        }
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).take(width).collect();
        bytes.reverse();
        bytes
    }
}

/// Big-endian bytes as 32-bit words, least significant first.
fn words_of(bytes: &[u8]) -> Vec<u32> {
    bytes.rchunks(4).map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte))).collect()
}

/// Words as signed limbs, −2¹² ≤ x < 2¹²; a carry out of the highest limb is dropped (it means a
/// multiple of B).
fn limbs_of(words: &[u32], length: usize) -> Vec<Lanes> {
    let mut words = words.iter();
    let (mut pending, mut bits) = (0_u64, 0);
    let mut limb = || {
        if bits < LIMB_BITS {
            pending += u64::from(words.next().copied().unwrap_or(0)) << bits;
            bits += 32;
        }
        // Adding the half before cutting and subtracting it after makes the limb signed; the carry
        // stays in `pending`.
        pending += 1 << (LIMB_BITS - 1);
        let limb = (pending & ((1 << LIMB_BITS) - 1)) as i32 - (1 << (LIMB_BITS - 1));
        pending >>= LIMB_BITS;
        bits -= LIMB_BITS;
        limb
    };
    (0..length).map(|_| Lanes::new(core::array::from_fn(|_| limb()))).collect()
}

/// −n⁻¹ mod 2^bits (rounded up to words), word by word: the word that makes n·x + 1 vanish in its
/// place.
fn negated_inverse(n: &[u32], bits: usize) -> Vec<u32> {
    let lowest = n.first().copied().unwrap_or(1);
    // Newton: each step doubles the correct bits, and x = n is right modulo 8.
    let inverse = (0..4).fold(lowest, |x, _| x.wrapping_mul(2_u32.wrapping_sub(lowest.wrapping_mul(x))));
    let count = bits.div_ceil(32);
    let mut sum = vec![0_u32; count];
    if let Some(lowest) = sum.first_mut() {
        *lowest = 1;
    }
    let mut result = Vec::with_capacity(count);
    for place in 0..count {
        let word = sum[place].wrapping_mul(inverse).wrapping_neg();
        result.push(word);
        let mut carry = 0;
        // What n does not reach still takes the carry.
        for (sum, n) in sum[place..].iter_mut().zip(n.iter().chain(core::iter::repeat(&0))) {
            let total = u64::from(*sum) + u64::from(word) * u64::from(*n) + carry;
            *sum = total as u32;
            carry = total >> 32;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use rand::{Rng, RngCore, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::{super::wide, *};

    /// One modulus for both ways to compute.
    struct Both {
        lanes: Modulus,
        wide: wide::Modulus,
    }

    impl Both {
        fn new(n: &BigUint) -> Self {
            let bytes = n.to_bytes_be();
            Both { lanes: Modulus::new(&bytes), wide: wide::Modulus::new(&bytes) }
        }
    }

    /// `bits` bits, odd, otherwise random.
    fn modulus(random: &mut ChaCha20Rng, bits: u64) -> BigUint {
        let mut bytes = vec![0; bits.div_ceil(8) as usize];
        random.fill_bytes(&mut bytes);
        let mut n = BigUint::from_bytes_be(&bytes) % (BigUint::from(1_u8) << bits);
        n.set_bit(bits - 1, true);
        n.set_bit(0, true);
        n
    }

    fn padded(value: &BigUint, width: usize) -> Vec<u8> {
        let bytes = value.to_bytes_be();
        [vec![0; width - bytes.len().min(width)], bytes].concat()
    }

    /// Compares both with num-bigint.
    fn check(modulus: &Both, n: &BigUint, base: &BigUint) {
        let width = n.bits().div_ceil(8) as usize;
        let expected = (base < n).then(|| padded(&base.modpow(&BigUint::from(65537_u32), n), width));
        let base = padded(base, width);
        assert_eq!(modulus.lanes.power_65537(&base), expected, "lanes: n = {n:x}, base = {base:x?}");
        assert_eq!(modulus.wide.power_65537(&base), expected, "wide: n = {n:x}, base = {base:x?}");
    }

    fn edges(n: &BigUint) -> Vec<BigUint> {
        let one = BigUint::from(1_u8);
        let width = n.bits().div_ceil(8) * 8;
        let mut bases =
            vec![BigUint::ZERO, one.clone(), BigUint::from(2_u8), n - 1_u8, n.clone(), n - 2_u8, (n - 1_u8) / 2_u8];
        bases.extend(
            [n + 1_u8, (&one << width) - 1_u8, &one << (n.bits() - 1)].into_iter().filter(|base| base.bits() <= width),
        );
        // All limbs at an extreme: 2¹² − 1, 2¹², −2¹² in turn, and alternating.
        for limb in [0x0fff_u32, 0x1000, 0x1fff, 0x1001] {
            let all = (0..n.bits() / 13).fold(BigUint::ZERO, |sum, _| (sum << 13) + limb);
            bases.push(all.clone() % n);
            bases.push(&all >> 13);
            let alternating = (0..n.bits() / 26).fold(BigUint::ZERO, |sum, _| (sum << 26) + limb);
            bases.push(alternating % n);
        }
        // All words at an extreme: 2⁶⁴ − 1, 2⁶³, and alternating with 0.
        for word in [u64::MAX, 1 << 63] {
            let all = (0..n.bits() / 64).fold(BigUint::ZERO, |sum, _| (sum << 64) + word);
            bases.push(all % n);
            let alternating = (0..n.bits() / 128).fold(BigUint::ZERO, |sum, _| (sum << 128) + word);
            bases.push(&alternating << 64);
            bases.push(alternating);
        }
        bases
    }

    fn cases() -> u32 {
        std::env::var("PORTCULLIS_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
    }

    #[test]
    fn powers_agree_with_num_bigint_for_every_length() {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let mut lengths = vec![
            2048, 2049, 2055, 2056, 2057, 2063, 2078, 2079, 2080, 2081, 2111, 2112, 2113, 2286, 2287, 2559, 2560, 2561,
        ];
        lengths.extend([3071, 3072, 3073, 3583, 3584, 3585, 4095, 4096]);
        lengths.extend((0..cases() / 40).map(|_| random.gen_range(2048..=4096)));
        for bits in lengths {
            let n = modulus(&mut random, bits);
            let ours = Both::new(&n);
            for base in edges(&n) {
                check(&ours, &n, &base);
            }
            check(&ours, &n, &(modulus(&mut random, bits) % &n));
        }
    }

    #[test]
    fn powers_agree_with_num_bigint_for_extreme_moduli() {
        for bits in [2048_u64, 2049, 2078, 2079, 2560, 2561, 3072, 4095, 4096] {
            let one = BigUint::from(1_u8);
            let mut moduli =
                vec![(&one << (bits - 1)) + 1_u8, (&one << bits) - 1_u8, (&one << bits) - (&one << (bits / 2)) - 1_u8];
            // Limbs of −2¹² and of 2¹² − 1 in every place.
            for limb in [0x1000_u32, 0x0fff, 0x1001] {
                let mut n = (0..bits / 13 - 1).fold(BigUint::ZERO, |sum, _| (sum << 13) + limb);
                n.set_bit(bits - 1, true);
                n.set_bit(0, true);
                moduli.push(n);
            }
            // Words of 2⁶³ and of 0 in turn, and a lowest word whose inverse is itself.
            let mut n = (0..bits / 128).fold(BigUint::ZERO, |sum, _| (sum << 128) + (1_u64 << 63));
            n.set_bit(bits - 1, true);
            n.set_bit(0, true);
            moduli.push(n);
            moduli.push((&one << bits) - (&one << (bits - 64)) + 1_u8);
            for n in moduli {
                let ours = Both::new(&n);
                edges(&n).iter().for_each(|base| check(&ours, &n, base));
            }
        }
    }

    #[test]
    fn powers_agree_with_num_bigint_at_random() {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        for case in 0..cases() {
            let bits = [2048, 2048, 3072, 4096][case as usize % 4];
            let n = modulus(&mut random, bits);
            let base = modulus(&mut random, bits) >> random.gen_range(0..3_u32);
            check(&Both::new(&n), &n, &base);
        }
    }
}
