//! Numbers modulo a field prime or a group order.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "bounds are stated, computed by an interval test and checked by debug builds; arrays have a fixed length"
)]

use core::marker::PhantomData;

use super::{
    super::limbs::{LIMB_BITS, MASK, canonicalize, doubled, from_hex},
    montgomery::{Modulus, loose, product_column, reduce, square_column, tight},
    prime::combine,
};

/// A number modulo `M`, in Montgomery form unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Element<M, const L: usize> {
    pub(crate) limbs: [i32; L],
    modulus: PhantomData<M>,
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

    /// A constant from its hexadecimal digits; it must be below the modulus. Evaluated at compile
    /// time: 29·L doublings.
    pub(crate) const fn from_hex(hex: &str) -> Self {
        Self::from_limbs(doubled(&from_hex::<L>(hex), LIMB_BITS * L, &M::LIMBS))
    }

    /// self = a·b/R. Factors tight, result tight. Sparse moduli only. 1M = L² products.
    #[inline(never)]
    pub(crate) fn set_product(&mut self, a: &Self, b: &Self) {
        if !M::UNROLLED_TWICE {
            return self.set_product_minus(&a.limbs, b, &Self::ZERO);
        }
        let (a, b) = (tight::<M, L>(&a.limbs), tight::<M, L>(&b.limbs));
        reduce::<M, L>(&mut self.limbs, |k| product_column(&a, &b, k), |_| 0);
    }

    /// self = a·b/R − c. a loose, b tight, c any `i32` limbs, result tight. Sparse moduli only. 1M.
    #[inline(never)]
    pub(crate) fn set_product_minus(&mut self, a: &[i32; L], b: &Self, c: &Self) {
        debug_assert!(M::SPARSE);
        let (a, b) = (loose(a), tight::<M, L>(&b.limbs));
        reduce::<M, L>(&mut self.limbs, |k| product_column(&a, &b, k), |k| -i64::from(c.limbs[k]));
    }

    /// self = a²/R. Factor and result tight. Sparse moduli only. 1S = L·(L + 1)/2 products.
    #[inline(never)]
    pub(crate) fn set_square(&mut self, a: &Self) {
        if !M::UNROLLED_TWICE {
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

    /// x·self + y·other for small x and y (|x| + |y| ≤ 4), carried and folded, for sparse moduli.
    /// Tight operands or their negatives, tight result in [−2⁻²⁰·p, p + 2⁻²⁰·p].
    pub(crate) fn combined(&self, x: i64, other: &Self, y: i64) -> Self {
        let mut sum = Self::ZERO;
        combine(&mut sum.limbs, [x, y], [&self.limbs, &other.limbs], &M::DIGITS, M::BITS);
        sum
    }

    /// The one representative in [0, p) of the number that the limbs spell (no conversion out of
    /// Montgomery form), limbs in [0, 2²⁹). Any `i32` limbs, value within ±64·p. No products.
    pub(crate) fn canonical(&self) -> [i32; L] {
        let mut limbs = self.limbs;
        canonicalize(&mut limbs, &M::LIMBS);
        limbs
    }

    /// Whether the number is 0 modulo p. Any `i32` limbs, value within ±8·p. No products.
    ///
    /// j·p with |j| ≤ 16 shows in its lowest limb, so all other numbers but one in 2²⁴ are told at
    /// once.
    #[inline]
    pub(crate) fn is_zero(&self) -> bool {
        let negated_multiple = (i64::from((self.limbs[0] as u32).wrapping_mul(M::NEGATED_INVERSE)) + 16) & MASK;
        negated_multiple <= 32 && self.canonical() == [0; L]
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::{BigInt, BigUint, Sign};

    use super::super::{super::limbs::widened, curves::*, montgomery::LOOSE, prime::Prime};
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
                out.set_product_minus(a, &element(*b), &element(*c));
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
    }

    #[test]
    fn operations_of_every_field_agree_with_big_integers() {
        operations_agree_with_big_integers::<P256Field, 9>();
        operations_agree_with_big_integers::<P384Field, 14>();
        operations_agree_with_big_integers::<P521Field, 18>();
        operations_agree_with_big_integers::<Secp256k1Field, 9>();
    }

    fn order_products_agree_with_big_integers<M: Modulus<L>, const L: usize>() {
        let (p, prime) = (number(&M::LIMBS), Prime::of::<M, L>());
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
                let product = prime.product(&widened(&limbs::<L>(a)), &widened(&limbs::<L>(b)));
                assert!(number(&product) < 2 * &p && product.iter().all(|limb| (0..=MASK).contains(&i64::from(*limb))));
                assert_eq!(number(&prime.canonical(product)), a * b * &r_inverse % &p);
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
}
