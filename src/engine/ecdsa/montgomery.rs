//! Modular arithmetic in Montgomery form, for moduli known at compile time.
//!
//! A number is `L` limbs of 29 bits, lowest first, each a *signed* `i32`; R = 2^(29·L). A product is computed column by column
//! (product scanning; Koç, Acar, Kaliski, “Analyzing and Comparing Montgomery Multiplication Algorithms”, 1996, FIPS) in one
//! `i64` accumulator, the reduction interleaved. Two things make it fast in WebAssembly, which has 64-bit products only:
//!
//! - The modulus is written in signed digits ([`Modulus::DIGITS`]). Those of the NIST primes and of secp256k1 are 0 or ± a power
//!   of two but for one, so the compiler turns the reduction into four shifts a limb, and −p⁻¹ mod 2²⁹ into 1 for the former.
//! - Limbs are signed, so a difference needs neither a carry nor a multiple of p: it goes straight into the next product, or is
//!   added to the upper columns of a product that is being reduced (`Element::set_product_minus` and the like).
//!
//! # Bounds
//! | | each limb but the highest | used for |
//! | --- | --- | --- |
//! | *tight* | 0 ≤ x < 2²⁹; where the modulus is folded, −2²⁴ ≤ x ≤ 2²⁹ + 2²⁴ | every result, most factors |
//! | *loose* | −2²⁹ − 2²⁵ ≤ x ≤ 2²⁹ + 2²⁵ | the first factor of `Element::set_product_minus`: the difference of two tight numbers |
//!
//! The highest limb is signed and holds what is left; numbers stay within ±8·p where R ≥ 32·p, and are folded into
//! [−2⁻²⁰·p, p + 2⁻²⁰·p] after every product where R is smaller (P-521, R = 2·p). A column sums at most L ≤ 18 products, each of a
//! loose and a tight limb (< 18·2⁵⁸·1.1 < 2⁶³). The test `no_accumulator_can_overflow` computes the worst case of every column
//! from these bounds; debug builds check every limb and every addition besides.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "bounds are stated, computed by an interval test and checked by debug builds; arrays have a fixed length"
)]

use core::marker::PhantomData;

use super::super::{
    inverse::divide,
    limbs::{LIMB_BITS, MASK, bit_length, canonicalize, doubled, from_hex, multiply, negated_inverse, signed_digits},
};

/// The largest magnitude of a factor's limb (loose).
const LOOSE: i64 = (1 << 29) + (1 << 25);

/// The most limbs for which a product is unrolled once more without an addend. Beyond, the addend 0 costs less than the code.
const UNROLLED_TWICE: usize = 9;

/// An odd modulus of `L` limbs. Everything but the number itself is derived at compile time.
pub trait Modulus<const L: usize>: Copy + Send + Sync + 'static {
    /// The modulus, hexadecimal.
    const HEX: &'static str;
    /// Whether it is a field prime, close below a power of two and of sparse digits. Its products are unrolled; those of other
    /// moduli (group orders, a handful of products a signature) are small loops.
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
}

/// A number modulo `M`, in Montgomery form unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Element<M, const L: usize> {
    pub(crate) limbs: [i32; L],
    modulus: PhantomData<M>,
}

/// `$body` for each `$k` below `$limit`, written out 35 times (2·18 − 1) so that `$k` is a constant in each.
macro_rules! unrolled {
    ($k:ident < $limit:expr, $body:block) => {
        unrolled!(@ $k, $limit, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34)
    };
    (@ $k:ident, $limit:expr, $body:block, $($n:literal)*) => { $( { const $k: usize = $n; if $k < $limit $body } )* };
}

/// Column `k` of a·b: Σ aᵢ·bₖ₋ᵢ. At most L products of a loose and a tight limb.
#[inline(always)]
fn product_column<const L: usize>(a: &[i64; L], b: &[i64; L], k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(L - 1);
    while i < L && i <= k {
        sum += a[i] * b[k - i];
        i += 1;
    }
    sum
}

/// Column `k` of a²: twice Σ aᵢ·aₖ₋ᵢ over i < k − i, and the square in the middle. About half the products of a column.
#[inline(always)]
fn square_column<const L: usize>(a: &[i64; L], k: usize) -> i64 {
    let mut sum = 0;
    let mut i = k.saturating_sub(L - 1);
    while 2 * i < k {
        sum += a[i] * a[k - i];
        i += 1;
    }
    if k.is_multiple_of(2) { 2 * sum + a[k / 2] * a[k / 2] } else { 2 * sum }
}

/// The running state of a reduction: the quotient's limbs found so far, the carry into the next column, the result's limbs.
struct Reduction<M, const L: usize> {
    quotient: [i64; L],
    carry: i64,
    result: [i64; L],
    modulus: PhantomData<M>,
}

impl<M: Modulus<L>, const L: usize> Reduction<M, L> {
    /// Takes column `k` in. In the lower half, mₖ = −p⁻¹·sum mod 2²⁹ makes the column divisible by 2²⁹; in the upper half a limb
    /// of the result comes out. `no_accumulator_can_overflow` computes the largest sum.
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

/// (Σ columns·2^(29·k) + m·p)/R + addend, where m < R makes the division exact (Montgomery 1985, REDC). The result is tight; its
/// value lies between columns/R + addend and that plus p. Cost: L shifts for each digit of p that is
/// neither 0 nor the lowest.
#[inline(always)]
fn reduce<M: Modulus<L>, const L: usize>(
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

/// Subtracts q·p, q = ⌊number / 2^BITS⌋ as the highest limb tells. What is left is in [0, p] ± |q + 1|·(2^BITS − p). The other limbs
/// move by at most |q|·max|digit| ≤ 8·2²¹ = 2²⁴. Cost: a shift for each digit of p that is not 0.
#[inline(always)]
fn fold<M: Modulus<L>, const L: usize>(limbs: &mut [i64; L]) {
    let q = limbs[L - 1] >> M::TOP_BITS;
    unrolled!(K < L, {
        limbs[K] -= q * M::DIGITS[K];
    });
}

/// Carries: every limb but the highest into [0, 2²⁹). The limbs' magnitudes are below 2⁶².
#[inline(always)]
fn carry<const L: usize>(limbs: &mut [i64; L]) {
    let mut carry = 0;
    for limb in limbs.iter_mut().take(L - 1) {
        let sum = *limb + carry;
        *limb = sum & MASK;
        carry = sum >> LIMB_BITS;
    }
    limbs[L - 1] += carry;
}

/// A loose factor's limbs, widened once and not at every product.
#[inline(always)]
fn loose<const L: usize>(limbs: &[i32; L]) -> [i64; L] {
    let wide = limbs.map(i64::from);
    debug_assert!(wide.iter().all(|limb| limb.abs() <= LOOSE), "not loose: {limbs:?}");
    wide
}

/// A tight factor's limbs, widened once. Where they are not negative but for the highest, x86-64 loads them widened for free.
#[inline(always)]
fn tight<M: Modulus<L>, const L: usize>(limbs: &[i32; L]) -> [i64; L] {
    if M::FOLDED {
        return loose(limbs);
    }
    let mut wide = limbs.map(|limb| i64::from(limb as u32));
    wide[L - 1] = i64::from(limbs[L - 1]);
    debug_assert!(wide.iter().all(|limb| limb.abs() <= MASK), "not tight: {limbs:?}");
    wide
}

impl<M: Modulus<L>, const L: usize> Element<M, L> {
    /// 0.
    pub(crate) const ZERO: Self = Self::from_limbs([0; L]);
    /// 1.
    pub(crate) const ONE: Self = Self::from_limbs(M::ONE);

    /// The number that has these limbs, as they are.
    pub(crate) const fn from_limbs(limbs: [i32; L]) -> Self {
        Element { limbs, modulus: PhantomData }
    }

    /// A constant from its hexadecimal digits; it must be below the modulus. Evaluated at compile time: 29·L doublings.
    pub(crate) const fn from_hex(hex: &str) -> Self {
        Self::from_limbs(doubled(&from_hex::<L>(hex), LIMB_BITS * L, &M::LIMBS))
    }

    /// Takes a number below R into Montgomery form. 1M.
    pub(crate) fn from_canonical(limbs: [i32; L]) -> Self {
        Self::from_limbs(limbs).mul(&Self::from_limbs(M::R_SQUARED))
    }

    /// self = a·b/R. Factors tight, result tight. 1M = L² products. Where the modulus is not sparse, factors are in [0, p).
    #[inline(never)]
    pub(crate) fn set_product(&mut self, a: &Self, b: &Self) {
        if !M::SPARSE {
            self.limbs = [0; L];
            return multiply(&mut self.limbs, &a.limbs, &b.limbs, &M::LIMBS, M::NEGATED_INVERSE);
        }
        if L > UNROLLED_TWICE {
            return self.set_product_minus(a, b, &Self::ZERO);
        }
        let (a, b) = (tight::<M, L>(&a.limbs), tight::<M, L>(&b.limbs));
        reduce::<M, L>(&mut self.limbs, |k| product_column(&a, &b, k), |_| 0);
    }

    /// self = a·b/R − c. a loose, b tight, c any `i32` limbs, result tight. Sparse moduli only. 1M.
    #[inline(never)]
    pub(crate) fn set_product_minus(&mut self, a: &Self, b: &Self, c: &Self) {
        debug_assert!(M::SPARSE);
        let (a, b) = (loose(&a.limbs), tight::<M, L>(&b.limbs));
        reduce::<M, L>(&mut self.limbs, |k| product_column(&a, &b, k), |k| -i64::from(c.limbs[k]));
    }

    /// self = a²/R. Factor and result tight. Sparse moduli only. 1S = L·(L + 1)/2 products.
    #[inline(never)]
    pub(crate) fn set_square(&mut self, a: &Self) {
        if L > UNROLLED_TWICE {
            return self.set_square_minus(a, &Self::ZERO, &Self::ZERO);
        }
        let a = tight::<M, L>(&a.limbs);
        reduce::<M, L>(&mut self.limbs, |k| square_column(&a, k), |_| 0);
    }

    /// self = a²/R − b − 2·c. All tight. Sparse moduli only. 1S.
    #[inline(never)]
    pub(crate) fn set_square_minus(&mut self, a: &Self, b: &Self, c: &Self) {
        debug_assert!(M::SPARSE);
        let a = tight::<M, L>(&a.limbs);
        let addend = |k: usize| -i64::from(b.limbs[k]) - 2 * i64::from(c.limbs[k]);
        reduce::<M, L>(&mut self.limbs, |k| square_column(&a, k), addend);
    }

    /// self = a − b, limb by limb. Tight operands, loose result.
    pub(crate) fn set_difference(&mut self, a: &Self, b: &Self) {
        for (limb, (a, b)) in self.limbs.iter_mut().zip(a.limbs.iter().zip(&b.limbs)) {
            *limb = a - b;
        }
    }

    /// self = a, or −a where `negate`. Tight operand, loose result.
    pub(crate) fn set_signed(&mut self, a: &Self, negate: bool) {
        let sign = -i32::from(negate);
        for (limb, a) in self.limbs.iter_mut().zip(&a.limbs) {
            *limb = (a ^ sign) - sign;
        }
    }

    /// a·b/R as a value. Factors and result tight. 1M.
    #[inline(never)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        let mut product = Self::ZERO;
        product.set_product(self, other);
        product
    }

    /// a²/R as a value. Factor and result tight. 1S.
    #[inline(never)]
    pub(crate) fn square(&self) -> Self {
        let mut square = Self::ZERO;
        square.set_square(self);
        square
    }

    /// x·self + y·other for small x and y (|x| + |y| ≤ 4), carried and folded, for sparse moduli. Tight operands or their negatives,
    /// tight result in [−2⁻²⁰·p, p + 2⁻²⁰·p].
    #[inline(never)]
    pub(crate) fn combined(&self, x: i64, other: &Self, y: i64) -> Self {
        let mut limbs = core::array::from_fn(|i| x * i64::from(self.limbs[i]) + y * i64::from(other.limbs[i]));
        carry(&mut limbs);
        fold::<M, L>(&mut limbs);
        carry(&mut limbs);
        Self::from_limbs(limbs.map(|limb| limb as i32))
    }

    /// The one representative in [0, p) of the number that the limbs spell (no conversion out of Montgomery form), limbs in
    /// [0, 2²⁹). Any `i32` limbs, value within ±64·p. No products.
    pub(crate) fn canonical(&self) -> [i32; L] {
        let mut limbs = self.limbs;
        canonicalize(&mut limbs, &M::LIMBS);
        limbs
    }

    /// Whether the number is 0 modulo p. Any `i32` limbs, value within ±8·p. No products.
    ///
    /// j·p with |j| ≤ 16 shows in its lowest limb, so all other numbers but one in 2²⁴ are told at once.
    #[inline]
    pub(crate) fn is_zero(&self) -> bool {
        let negated_multiple = (i64::from((self.limbs[0] as u32).wrapping_mul(M::NEGATED_INVERSE)) + 16) & MASK;
        negated_multiple <= 32 && self.canonical() == [0; L]
    }

    /// Out of Montgomery form, into [0, p). 1M.
    pub(crate) fn to_canonical(self) -> [i32; L] {
        self.mul(&Self::from_limbs(from_hex("1"))).canonical()
    }
}

/// start·x⁻¹ modulo `M`, in [0, modulus); `None` where x has none. x and start in [0, modulus).
pub(crate) fn inverse<M: Modulus<L>, const L: usize>(x: &[i32; L], start: &[i32; L]) -> Option<[i32; L]> {
    let mut result = *start;
    divide(&mut result, x, &M::LIMBS, M::NEGATED_INVERSE).then_some(result)
}

#[cfg(test)]
mod tests {
    use num_bigint::{BigInt, BigUint, Sign};

    use super::super::curves::*;
    use super::*;

    fn number(limbs: &[i32]) -> BigInt {
        limbs.iter().rev().fold(BigInt::ZERO, |sum, limb| (sum << LIMB_BITS) + limb)
    }

    fn residue(number: &BigInt, p: &BigInt) -> BigInt {
        ((number % p) + p) % p
    }

    /// A number as its limbs, the highest signed.
    fn limbs<const L: usize>(number: &BigInt) -> [i32; L] {
        core::array::from_fn(|i| {
            let rest: BigInt = number >> (LIMB_BITS * i);
            i32::try_from(if i + 1 < L { rest & BigInt::from(MASK) } else { rest }).unwrap()
        })
    }

    fn random(seed: &mut u64) -> i64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as i64
    }

    /// Every operation on edges and random limbs, against big integers.
    fn operations_agree_with_big_integers<M: Modulus<L>, const L: usize>() {
        let p = BigInt::from_biguint(Sign::Plus, BigUint::parse_bytes(M::HEX.as_bytes(), 16).unwrap());
        let r: BigInt = BigInt::from(1) << (LIMB_BITS * L);
        let r_inverse = r.modpow(&(&p - 2), &p);
        assert_eq!((number(&M::LIMBS), number(&M::ONE), number(&M::R_SQUARED)), (p.clone(), &r % &p, &r * &r % &p));
        assert_eq!(M::DIGITS.iter().rev().fold(BigInt::ZERO, |sum, digit| (sum << LIMB_BITS) + digit), p);

        let mut seed = 7;
        let one = BigInt::from(1);
        let mut tight: Vec<[i32; L]> =
            [BigInt::ZERO, one.clone(), &p - 1, p.clone(), 2 * &p - 1, 2 * &p, &p + 1, &r % &p]
                .iter()
                .map(limbs)
                .collect();
        let top = (1 << M::TOP_BITS) - 1;
        let filled = |low: i64, top: i64| core::array::from_fn(|i| (if i + 1 < L { low } else { top }) as i32);
        tight.push(filled(MASK, top));
        tight.push(filled(0, top));
        tight.push(filled(MASK, 0));
        if M::FOLDED {
            tight.push(filled((1 << 29) + (1 << 24), top));
            tight.push(filled(-(1 << 24), top));
        } else {
            tight.extend([-&one, -&p, -3 * &p, 8 * &p, -8 * &p].iter().map(limbs));
            tight.push(filled(MASK, 8 * top));
            tight.push(filled(MASK, -8 * top));
        }
        for _ in 0..12 {
            tight.push(core::array::from_fn(|i| (random(&mut seed) & if i + 1 < L { MASK } else { top }) as i32));
        }
        let mut loose = tight.clone();
        let far = if M::FOLDED { top } else { 8 * top };
        loose.push(filled(LOOSE, far));
        loose.push(filled(-LOOSE, -far));
        loose.push(filled(-LOOSE, far));
        loose.push(core::array::from_fn(|i| (if i % 2 == 0 { LOOSE } else { -LOOSE } * i64::from(i + 1 < L)) as i32));
        for _ in 0..12 {
            loose.push(core::array::from_fn(|i| {
                (if i + 1 < L { random(&mut seed) % (2 * LOOSE) - LOOSE } else { random(&mut seed) & top }) as i32
            }));
        }

        let is_tight = |element: &Element<M, L>| {
            let (low, high) = if M::FOLDED { (-(1 << 24), (1 << 29) + (1 << 24)) } else { (0, MASK) };
            element.limbs.iter().take(L - 1).all(|limb| (low..=high).contains(&i64::from(*limb)))
        };
        let check = |element: &Element<M, L>, expected: BigInt, what: &str| {
            assert!(is_tight(element), "{what}: {:?}", element.limbs);
            assert_eq!(residue(&number(&element.limbs), &p), residue(&expected, &p), "{what}");
            if M::FOLDED {
                let value = number(&element.limbs);
                let slack: BigInt = &p >> 20;
                assert!(value >= -&slack && value <= &p + &slack, "{what}: {value}");
            }
        };
        let element = Element::<M, L>::from_limbs;
        for (i, a) in loose.iter().enumerate() {
            let big_a = number(a);
            assert_eq!(number(&element(*a).canonical()), residue(&big_a, &p));
            assert_eq!(element(*a).is_zero(), residue(&big_a, &p) == BigInt::ZERO);
            for (j, b) in tight.iter().enumerate() {
                let c = &tight[(i + 3 * j) % tight.len()];
                let (big_b, big_c) = (number(b), number(c));
                let mut out = Element::ZERO;
                out.set_product_minus(&element(*a), &element(*b), &element(*c));
                check(&out, &big_a * &big_b * &r_inverse - &big_c, "a·b − c");
                if let Some(a) = tight.get(i) {
                    out.set_product(&element(*a), &element(*b));
                    check(&out, &big_a * &big_b * &r_inverse, "a·b");
                    out.set_square_minus(&element(*a), &element(*b), &element(*c));
                    check(&out, &big_a * &big_a * &r_inverse - &big_b - 2 * &big_c, "a² − b − 2c");
                    out.set_square(&element(*a));
                    check(&out, &big_a * &big_a * &r_inverse, "a²");
                    for (x, y) in [(1, 0), (1, 1), (1, -1), (2, 0), (3, 0), (1, -3)] {
                        check(&element(*a).combined(x, &element(*b), y), x * &big_a + y * &big_b, "x·a + y·b");
                    }
                    out.set_difference(&element(*a), &element(*b));
                    assert_eq!(number(&out.limbs), &big_a - &big_b);
                    for negate in [false, true] {
                        out.set_signed(&element(*a), negate);
                        assert_eq!(number(&out.limbs), if negate { -&big_a } else { big_a.clone() });
                    }
                }
            }
        }
        for multiple in -8..=8 {
            let zero = &p * multiple;
            assert!(element(limbs(&zero)).is_zero(), "{multiple}·p");
            assert!(!element(limbs(&(&zero + 1))).is_zero() && !element(limbs(&(&zero - 1))).is_zero());
        }
        for a in [BigInt::ZERO, one.clone(), &p - 1, &p / 2] {
            assert_eq!(number(&Element::<M, L>::from_canonical(limbs(&a)).to_canonical()), a);
        }
    }

    #[test]
    fn operations_of_every_field_agree_with_big_integers() {
        operations_agree_with_big_integers::<P256Field, 9>();
        operations_agree_with_big_integers::<P384Field, 14>();
        operations_agree_with_big_integers::<P521Field, 18>();
        operations_agree_with_big_integers::<Secp256k1Field, 9>();
    }

    fn order_products_agree_with_big_integers<M: Modulus<L>, const L: usize>() {
        let p = number(&M::LIMBS);
        let r: BigInt = BigInt::from(1) << (LIMB_BITS * L);
        let r_inverse = r.modpow(&(&p - 2), &p);
        let mut seed = 3;
        let mut values: Vec<BigInt> =
            [0, 1, 2].map(BigInt::from).into_iter().chain([&p - 1, &p - 2, &p / 2, &r % &p]).collect();
        values.extend(
            (0..20).map(|_| (0..L).fold(BigInt::ZERO, |sum, _| (sum << LIMB_BITS) + (random(&mut seed) & MASK)) % &p),
        );
        // e is a hash, which may lie above the order but below R
        for a in values.iter().chain([&(&r - 1), &p]) {
            for b in &values {
                let product = Element::<M, L>::from_limbs(limbs(a)).mul(&Element::from_limbs(limbs(b)));
                assert!(
                    number(&product.limbs) < 2 * &p
                        && product.limbs.iter().all(|limb| (0..=MASK).contains(&i64::from(*limb)))
                );
                assert_eq!(number(&product.canonical()), a * b * &r_inverse % &p);
            }
        }
    }

    #[test]
    fn products_modulo_every_order_agree_with_big_integers() {
        order_products_agree_with_big_integers::<P256Order, 9>();
        order_products_agree_with_big_integers::<P384Order, 14>();
        order_products_agree_with_big_integers::<P521Order, 18>();
        order_products_agree_with_big_integers::<Secp256k1Order, 9>();
    }

    /// The magnitudes that each column of a product can reach, added up without regard to sign, so that no partial sum exceeds them.
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
