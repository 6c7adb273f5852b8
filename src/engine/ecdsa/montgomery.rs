//! Modular arithmetic in Montgomery form, for moduli known at compile time.
//!
//! A number is `L` limbs of 29 bits, lowest first, each a *signed* `i32`; R = 2^(29·L). A product
//! is computed column by column (product scanning; Koç, Acar, Kaliski, “Analyzing and Comparing
//! Montgomery Multiplication Algorithms”, 1996, FIPS) in one `i64` accumulator, the reduction
//! interleaved. Two things make it fast in WebAssembly, which has 64-bit products only:
//!
//! - The modulus is written in signed digits ([`Modulus::DIGITS`]). Those of the NIST primes and
//!   of secp256k1 are 0 or ± a power of two but for one, so the compiler turns the reduction into
//!   four shifts a limb, and −p⁻¹ mod 2²⁹ into 1 for the former.
//! - Limbs are signed, so a difference needs neither a carry nor a multiple of p: it goes straight
//!   into the next product, or is added to the upper columns of a product that is being reduced
//!   (`Element::set_product_minus` and the like).
//!
//! # Bounds
//! | | each limb but the highest | used for |
//! | --- | --- | --- |
//! | *tight* | 0 ≤ x < 2²⁹; where the modulus is folded, −2²⁴ ≤ x ≤ 2²⁹ + 2²⁴ | every result, most factors |
//! | *loose* | −2²⁹ − 2²⁵ ≤ x ≤ 2²⁹ + 2²⁵ | the first factor of `Element::set_product_minus`: the difference of two tight numbers |
//!
//! The highest limb is signed and holds what is left; numbers stay within ±8·p where R ≥ 32·p, and
//! are folded into [−2⁻²⁰·p, p + 2⁻²⁰·p] after every product where R is smaller (P-521, R = 2·p).
//! A column sums at most L ≤ 18 products, each of a loose and a tight limb (< 18·2⁵⁸·1.1 < 2⁶³).
//! The test `no_accumulator_can_overflow` computes the worst case of every column from these
//! bounds; debug builds check every limb and every addition besides.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "bounds are stated, computed by an interval test and checked by debug builds; arrays have a fixed length"
)]

use core::marker::PhantomData;

use super::super::limbs::{LIMB_BITS, MASK, bit_length, doubled, from_hex, negated_inverse, signed_digits};

/// The largest magnitude of a factor's limb (loose).
pub(super) const LOOSE: i64 = (1 << 29) + (1 << 25);

/// An odd modulus of `L` limbs. Everything but the number itself is derived at compile time.
pub trait Modulus<const L: usize>: Copy + Send + Sync + 'static {
    /// The modulus, hexadecimal.
    const HEX: &'static str;
    /// Whether it is a field prime, close below a power of two and of sparse digits. Its products
    /// are unrolled; those of other moduli (group orders, a handful of products a signature) are
    /// small loops.
    const SPARSE: bool;
    /// The modulus in limbs of 29 bits.
    const LIMBS: [i32; L] = from_hex(Self::HEX);
    /// Its length in bits.
    const BITS: usize = bit_length(&Self::LIMBS);
    /// Its length in bytes.
    const BYTES: usize = Self::BITS.div_ceil(8);
    /// The modulus in signed digits, each in (−2²⁸, 2²⁸].
    const DIGITS: [i64; L] = signed_digits(&Self::LIMBS);
    /// −p⁻¹ mod 2²⁹.
    const NEGATED_INVERSE: u32 = negated_inverse(Self::LIMBS[0]);
    /// 1 in Montgomery form: R mod p.
    const ONE: [i32; L] = doubled(&from_hex("1"), LIMB_BITS * L, &Self::LIMBS);
    /// R² mod p, which takes a number into Montgomery form.
    const R_SQUARED: [i32; L] = doubled(&from_hex("1"), 2 * LIMB_BITS * L, &Self::LIMBS);
    /// Bits of the highest limb below the modulus' length.
    const TOP_BITS: usize = Self::BITS - LIMB_BITS * (L - 1);
    /// Whether R is so close to p that each product must be folded.
    const FOLDED: bool = Self::SPARSE && Self::TOP_BITS + 5 > LIMB_BITS;
    /// Whether a product is unrolled once more without an addend. Elsewhere an addend of 0 costs
    /// less than the code: 0.8 KB a curve.
    const UNROLLED_TWICE: bool = false;
}

/// `$body` for each `$k` below `$limit`, written out 35 times (2·18 − 1) so that `$k` is a
/// constant in each.
macro_rules! unrolled {
    ($k:ident < $limit:expr, $body:block) => {
        unrolled!(@ $k, $limit, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34)
    };
    (@ $k:ident, $limit:expr, $body:block, $($n:literal)*) => { $( { const $k: usize = $n; if $k < $limit $body } )* };
}

/// Column `k` of a·b: Σ aᵢ·bₖ₋ᵢ. At most L products of a loose and a tight limb.
#[inline(always)]
pub(super) fn product_column<const L: usize>(a: &[i64; L], b: &[i64; L], k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(L - 1);
    while i < L && i <= k {
        sum += a[i] * b[k - i];
        i += 1;
    }
    sum
}

/// Column `k` of a²: twice Σ aᵢ·aₖ₋ᵢ over i < k − i, and the square in the middle. About half the
/// products of a column.
#[inline(always)]
pub(super) fn square_column<const L: usize>(a: &[i64; L], k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(L - 1);
    while 2 * i < k {
        sum += a[i] * a[k - i];
        i += 1;
    }
    if k.is_multiple_of(2) { 2 * sum + a[k / 2] * a[k / 2] } else { 2 * sum }
}

/// The running state of a reduction: the quotient's limbs found so far, the carry into the next
/// column, the result's limbs.
struct Reduction<M, const L: usize> {
    quotient: [i64; L],
    carry: i64,
    result: [i64; L],
    modulus: PhantomData<M>,
}

impl<M: Modulus<L>, const L: usize> Reduction<M, L> {
    /// Takes column `k` in. In the lower half, mₖ = −p⁻¹·sum mod 2²⁹ makes the column divisible by
    /// 2²⁹; in the upper half a limb of the result comes out. `no_accumulator_can_overflow`
    /// computes the largest sum.
    #[inline(always)]
    fn column(&mut self, k: usize, mut sum: i64) {
        let mut i = k.saturating_sub(L - 1);
        while i < L && i < k {
            sum += self.quotient[i] * M::DIGITS[k - i];
            i += 1;
        }
        sum += self.carry;
        if k < L {
            let m = i64::from((sum as u32).wrapping_mul(M::NEGATED_INVERSE)) & MASK;
            self.quotient[k] = m;
            sum += m * M::DIGITS[0];
        } else {
            self.result[k - L] = sum & MASK;
        }
        self.carry = sum >> LIMB_BITS;
    }
}

/// (Σ columns·2^(29·k) + m·p)/R + addend, where m < R makes the division exact (Montgomery 1985,
/// REDC). The result is tight; its value lies between columns/R + addend and that plus p. Cost: L
/// shifts for each digit of p that is neither 0 nor the lowest.
#[inline(always)]
pub(super) fn reduce<M: Modulus<L>, const L: usize>(
    out: &mut [i32; L],
    columns: impl Fn(usize) -> i64,
    addend: impl Fn(usize) -> i64,
) {
    let mut state = Reduction::<M, L> { quotient: [0; L], carry: 0, result: [0; L], modulus: PhantomData };
    unrolled!(K < 2 * L - 1, {
        state.column(K, if K < L { columns(K) } else { columns(K) + addend(K - L) });
    });
    state.result[L - 1] = state.carry + addend(L - 1);
    if M::FOLDED {
        fold::<M, L>(&mut state.result);
    }
    unrolled!(K < L, {
        debug_assert!(i32::try_from(state.result[K]).is_ok(), "limb {K} of the result is {}", state.result[K]);
        out[K] = state.result[K] as i32;
    });
}

/// Subtracts q·p, q = ⌊number / 2^BITS⌋ as the highest limb tells. What is left is in [0,
/// p] ± |q + 1|·(2^BITS − p). The other limbs move by at most |q|·max|digit| ≤ 8·2²¹ = 2²⁴. Cost:
/// a shift for each digit of p that is not 0.
#[inline(always)]
fn fold<M: Modulus<L>, const L: usize>(limbs: &mut [i64; L]) {
    let q = limbs[L - 1] >> M::TOP_BITS;
    unrolled!(K < L, {
        limbs[K] -= q * M::DIGITS[K];
    });
}

/// A loose factor's limbs, widened once and not at every product.
#[inline(always)]
pub(super) fn loose<const L: usize>(limbs: &[i32; L]) -> [i64; L] {
    let wide = limbs.map(i64::from);
    debug_assert!(wide.iter().all(|limb| limb.abs() <= LOOSE), "not loose: {limbs:?}");
    wide
}

/// A tight factor's limbs, widened once. Where they are not negative but for the highest, x86-64
/// loads them widened for free.
#[inline(always)]
pub(super) fn tight<M: Modulus<L>, const L: usize>(limbs: &[i32; L]) -> [i64; L] {
    if M::FOLDED {
        return loose(limbs);
    }
    let mut wide = limbs.map(|limb| i64::from(limb as u32));
    wide[L - 1] = i64::from(limbs[L - 1]);
    debug_assert!(wide.iter().all(|limb| limb.abs() <= MASK), "not tight: {limbs:?}");
    wide
}

#[cfg(test)]
mod tests {
    use super::super::curves::*;
    use super::*;

    /// The magnitudes that each column of a product can reach, added up without regard to sign, so
    /// that no partial sum exceeds them.
    fn largest_column<M: Modulus<L>, const L: usize>(first: i128, second: i128, addend: i128) -> i128 {
        let (mut carry, mut largest) = (0, 0);
        for k in 0..2 * L - 1 {
            let pairs = (0..L).filter(|i| (0..L).contains(&k.wrapping_sub(*i))).count() as i128;
            let reduction: i128 = (0..L)
                .filter(|i| (0..L).contains(&k.wrapping_sub(*i)))
                .map(|i| i128::from(MASK) * i128::from(M::DIGITS[k - i]).abs())
                .sum();
            let sum = pairs * first * second + reduction + if k < L { 0 } else { addend } + carry;
            largest = largest.max(sum);
            carry = (sum >> LIMB_BITS) + 1;
        }
        largest
    }

    fn accumulators_hold<M: Modulus<L>, const L: usize>() {
        let loose = i128::from(LOOSE);
        let tight = if M::FOLDED { (1 << 29) + (1 << 24) } else { i128::from(MASK) };
        let limb = 1_i128 << 31;
        for (what, largest) in [
            ("a·b − c", largest_column::<M, L>(loose, tight, limb)),
            ("a² − b − 2c", largest_column::<M, L>(tight, tight, 3 * limb)),
        ] {
            assert!(largest < 1 << 63, "{}: {what} reaches 2^{:.2}", M::HEX, (largest as f64).log2());
        }
        let lowest = if M::FOLDED { -(1 << 24) } else { 0 };
        assert!(tight - lowest <= loose, "a difference of two tight limbs is not loose");
        // x·a + y·b with |x| + |y| ≤ 4, and what a fold by |q| ≤ 8 moves
        let digit = M::DIGITS.iter().take(L - 1).map(|digit| i128::from(*digit).abs()).max().unwrap_or(0);
        assert!(8 * digit <= 1 << 24, "a fold moves a limb by {}", 8 * digit);
    }

    #[test]
    fn no_accumulator_can_overflow() {
        accumulators_hold::<P256Field, 9>();
        accumulators_hold::<P384Field, 14>();
        accumulators_hold::<P521Field, 18>();
        accumulators_hold::<Secp256k1Field, 9>();
        // rows modulo an order: out + a·b + m·p + carry
        let mask = i128::from(MASK);
        assert!(mask + 2 * mask * mask + (1 << 31) < 1 << 63);
        // and the check itself fails where it should: limbs of 31 bits would not do
        assert!(largest_column::<P521Field, 18>(1 << 31, 1 << 31, 0) >= 1 << 63);
        assert!(largest_column::<P256Field, 9>(1 << 30, 1 << 30, 0) >= 1 << 63);
    }
}
