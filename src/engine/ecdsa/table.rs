//! Tables of multiples, with which a multiple of their point is a sum of one entry a window, without doublings.
//!
//! For windows of w bits, window j holds m·2^(w·j)·P for m = 1..2^(w−1) (Brickell, Gordon, McCurley, Wilson 1992, with the signed
//! digits of Booth). Scalars are first brought to at most n/2 by k·P = (n − k)·(−P), so that ⌈BITS/w⌉ windows hold the last carry.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "indices are bounded by the table's own widths, which are constants"
)]

use super::{
    super::limbs::{bits, halved, less, plus},
    curves::Curve,
    element::{Element, inverse},
    montgomery::Modulus,
    weierstrass::{Affine, Sum},
};

/// Multiples of one point.
#[derive(Debug)]
pub struct Table<F, const L: usize> {
    width: usize,
    entries: Vec<Affine<F, L>>,
}

/// A scalar of magnitude at most n/2 and its sign, ready to be cut into digits.
pub(crate) struct Scalar<const L: usize> {
    magnitude: [i32; L],
    negative: bool,
}

impl<const L: usize> Scalar<L> {
    /// From a scalar in [0, n).
    pub(crate) fn new<C: Curve<L>>(scalar: &[i32; L]) -> Self {
        let negative = less(&halved(&C::Order::LIMBS), scalar);
        let magnitude = if negative { plus(&C::Order::LIMBS, scalar, -1) } else { *scalar };
        Scalar { magnitude, negative }
    }

    /// Digit `window` for windows of `width` bits, in [−2^(width−1), 2^(width−1)], without looking at the windows below it:
    /// the bits of the window, plus the highest bit of the window below, minus 2^width times the own highest bit (Booth).
    #[inline]
    fn digit(&self, window: usize, width: usize) -> i32 {
        let from = window * width;
        let own = bits(&self.magnitude, from, width);
        let below = if from == 0 { 0 } else { bits(&self.magnitude, from - 1, 1) };
        let digit = own + below - ((own >> (width - 1)) << width);
        if self.negative { -digit } else { digit }
    }
}

/// 1/x in Montgomery form: start at R² so that the result, 1/(x·R)·R², is x⁻¹·R. `None` for 0.
pub(crate) fn inverted<F: Modulus<L>, const L: usize>(x: &Element<F, L>) -> Option<Element<F, L>> {
    inverse::<F, L>(&x.canonical(), &F::R_SQUARED).map(Element::from_limbs)
}

impl<F: Modulus<L>, const L: usize> Table<F, L> {
    /// The windows that a table of this width needs to multiply without doublings.
    pub(crate) const fn windows<C: Curve<L>>(width: usize) -> usize {
        C::Order::BITS.div_ceil(width)
    }

    /// The bytes of such a table.
    pub(crate) const fn bytes_of<C: Curve<L>>(width: usize) -> usize {
        (Self::windows::<C>(width) << (width - 1)) * size_of::<Affine<F, L>>()
    }

    /// The bytes that the entries take.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Affine<F, L>>()
    }

    /// The first `windows` windows of `point`'s multiples.
    ///
    /// The bases 2^(w·j)·P by doublings, made affine together; then, all windows at once and with one inversion a level, the
    /// multiples h + 1..2·h from those up to h. Cost of an entry: 5M + 1S and its share of w + 1 inversions.
    /// `None` only where an inversion fails, which points of prime order exclude: no two of the points added share their x.
    pub(crate) fn new<C: Curve<L, Field = F>>(point: &Affine<F, L>, width: usize, windows: usize) -> Option<Self> {
        let half = 1 << (width - 1);
        let mut entries = vec![*point; windows * half];
        let mut sum = Sum::<C, L>::infinity();
        sum.add(point, false);
        let mut product = Element::<F, L>::ONE;
        let mut sums = Vec::with_capacity(windows);
        for j in 0..windows {
            if j > 0 {
                for _ in 0..width {
                    sum.double();
                }
            }
            // ZZZ of all windows so far, multiplied
            let base = sum.coordinates()?.clone();
            let before = product;
            product = product.mul(&base.zzz);
            sums.push((base, before));
        }
        let mut rest = inverted(&product)?;
        for (window, (base, before)) in entries.chunks_exact_mut(half).zip(sums).rev() {
            // 1/ZZZ = 1/Z³, and ZZ²/ZZZ² = 1/Z²
            let inverse = rest.mul(&before);
            rest = rest.mul(&base.zzz);
            window[0].x = settled(&base.x.mul(&inverse.mul(&base.zz).square()));
            window[0].y = settled(&base.y.mul(&inverse));
        }
        let mut known = 1;
        while known < half {
            fill_level::<C, L>(&mut entries, half, known)?;
            known *= 2;
        }
        Some(Table { width, entries })
    }

    /// Adds digit `window` of `scalar` times the table's point times 2^(width·window) to `sum`.
    #[inline]
    fn add_digit<C: Curve<L, Field = F>>(&self, sum: &mut Sum<C, L>, scalar: &Scalar<L>, window: usize, entry: usize) {
        let digit = scalar.digit(window, self.width);
        if digit != 0 {
            let place = (entry << (self.width - 1)) + digit.unsigned_abs() as usize - 1;
            // A table always has the entry; a missing one could not be added, and the comparison would fail.
            if let Some(point) = self.entries.get(place) {
                sum.add(point, digit < 0);
            }
        }
    }

    /// sum += scalar·P with a table that has all windows: at most one addition a window.
    pub(crate) fn add_multiple<C: Curve<L, Field = F>>(&self, sum: &mut Sum<C, L>, scalar: &Scalar<L>) {
        for window in 0..Self::windows::<C>(self.width) {
            self.add_digit(sum, scalar, window, window);
        }
    }
}

/// Σ scalar·P with tables that have one window each, of one width: as many doublings as the order has bits, and an addition a
/// window and term (Straus 1964).
pub(crate) fn straus<C: Curve<L>, const L: usize>(
    sum: &mut Sum<C, L>,
    width: usize,
    terms: &[(Table<C::Field, L>, &Scalar<L>)],
) {
    if terms.is_empty() {
        return;
    }
    for window in (0..Table::<C::Field, L>::windows::<C>(width)).rev() {
        for _ in 0..width {
            sum.double();
        }
        for (table, scalar) in terms {
            table.add_digit(sum, scalar, window, 0);
        }
    }
}

/// Folded into [−2⁻²⁰·p, p + 2⁻²⁰·p].
#[inline(never)]
fn settled<F: Modulus<L>, const L: usize>(x: &Element<F, L>) -> Element<F, L> {
    x.combined(1, &Element::ZERO, 0)
}

/// The multiples known + 1..=2·known of every window, from those up to known: (known)·B + i·B, where i = known is a doubling.
///
/// Denominators are inverted together (Montgomery 1987): a slot to be filled holds its denominator in x and the product of all
/// denominators before it in y. λ = (y₂ − y₁)/(x₂ − x₁), or (3·x² + a)/(2·y) for a doubling; x₃ = λ² − x₁ − x₂,
/// y₃ = λ·(x₁ − x₃) − y₁.
#[inline(never)]
fn fill_level<C: Curve<L>, const L: usize>(
    entries: &mut [Affine<C::Field, L>],
    half: usize,
    known: usize,
) -> Option<()> {
    let mut product = Element::ONE;
    for window in entries.chunks_exact_mut(half) {
        let base = window[known - 1];
        for i in 0..known {
            let denominator = if i + 1 == known {
                base.y.combined(2, &Element::ZERO, 0)
            } else {
                base.x.combined(1, &window[i].x, -1)
            };
            window[known + i] = Affine { x: denominator, y: product };
            product = product.mul(&denominator);
        }
    }
    let mut rest = inverted(&product)?;
    for window in entries.chunks_exact_mut(half).rev() {
        let base = window[known - 1];
        for i in (0..known).rev() {
            let (other, Affine { x: denominator, y: before }) = (window[i], window[known + i]);
            let inverse = rest.mul(&before);
            rest = rest.mul(&denominator);
            let numerator = if i + 1 == known {
                let square = base.x.square();
                let a = if C::A_IS_MINUS_3 { -3 } else { 0 };
                square.combined(3, &Element::ZERO, 0).combined(1, &Element::ONE, a)
            } else {
                base.y.combined(1, &other.y, -1)
            };
            let slope = numerator.mul(&inverse);
            let slot = &mut window[known + i];
            slot.x.set_square_minus(&slope, &base.x.combined(1, &other.x, 1), &Element::ZERO);
            slot.x = settled(&slot.x);
            let mut difference = Element::ZERO;
            difference.set_difference(&base.x, &slot.x);
            slot.y.set_product_minus(&difference, &slope, &base.y);
            slot.y = settled(&slot.y);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::super::{
        curves::{P256, P384, P521, Secp256k1},
        weierstrass::is_on_curve,
    };
    use super::*;

    fn number(limbs: &[i32]) -> BigInt {
        limbs.iter().rev().fold(BigInt::ZERO, |sum, limb| (sum << 29) + limb)
    }

    fn digits_add_up<C: Curve<L>, const L: usize>() {
        let n = number(&C::Order::LIMBS);
        for width in [2, 3, 4, 5, 6, 7, 8] {
            let windows = Table::<C::Field, L>::windows::<C>(width);
            let bound = 1 << (width - 1);
            let (mut least, mut most) = (0, 0);
            let mut scalars = vec![[0; L], halved(&C::Order::LIMBS), plus(&C::Order::LIMBS, &[1; L], -1)];
            scalars.push(core::array::from_fn(|i| i32::from(i == 0)));
            scalars.push(plus(&C::Order::LIMBS, &scalars[3], -1));
            for pattern in [0x1555_5555, 0x0aaa_aaaa, 0x1fff_ffff, 0x1000_0000, 0x0f0f_0f0f, 0x1e1e_1e1e, 0x0787_8787] {
                scalars.push(core::array::from_fn(|i| if i + 1 < L { pattern } else { 0 }));
                scalars.push(core::array::from_fn(|i| if i % 2 == 0 && i + 1 < L { pattern } else { 0 }));
            }
            for scalar in scalars {
                let cut = Scalar::<L>::new::<C>(&scalar);
                assert!(2 * number(&cut.magnitude) < n);
                let mut sum = BigInt::ZERO;
                for window in (0..windows).rev() {
                    let digit = cut.digit(window, width);
                    assert!((-bound..=bound).contains(&digit), "{digit} of {width} bits");
                    (least, most) = (digit.min(least), digit.max(most));
                    sum = (sum << width) + digit;
                }
                let difference = (sum - number(&scalar)) % &n;
                assert_eq!(difference, BigInt::ZERO, "{scalar:?} in windows of {width}");
            }
            assert_eq!((least, most), (-bound, bound), "windows of {width}");
        }
    }

    #[test]
    fn digits_of_every_width_add_up_and_reach_both_extremes() {
        digits_add_up::<P256, 9>();
        digits_add_up::<P384, 14>();
        digits_add_up::<P521, 18>();
        digits_add_up::<Secp256k1, 9>();
    }

    /// Every entry is the one before it plus the window's base, and every base 2^width times the one before.
    fn entries_are_multiples<C: Curve<L>, const L: usize>(width: usize) {
        let (x, y) = C::G;
        let windows = Table::<C::Field, L>::windows::<C>(width);
        let table = Table::new::<C>(&Affine { x, y }, width, windows).unwrap();
        assert_eq!(table.bytes(), Table::<C::Field, L>::bytes_of::<C>(width));
        let same = |sum: &Sum<C, L>, point: &Affine<C::Field, L>| {
            let sum = sum.coordinates().unwrap();
            let (x, y) = (sum.zz.mul(&point.x), sum.zzz.mul(&point.y));
            x.combined(1, &sum.x, -1).is_zero() && y.combined(1, &sum.y, -1).is_zero()
        };
        let half = 1 << (width - 1);
        let mut base = Sum::<C, L>::infinity();
        base.add(&Affine { x, y }, false);
        for window in table.entries.chunks_exact(half) {
            assert!(same(&base, &window[0]));
            let mut sum = Sum::<C, L>::infinity();
            for entry in window {
                sum.add(&window[0], false);
                assert!(same(&sum, entry));
                assert!(is_on_curve::<C, L>(entry));
            }
            (0..width).for_each(|_| base.double());
        }
    }

    #[test]
    fn every_entry_of_a_table_is_its_multiple() {
        entries_are_multiples::<P256, 9>(6);
        entries_are_multiples::<P256, 9>(8);
        entries_are_multiples::<P384, 14>(5);
        entries_are_multiples::<P521, 18>(5);
        entries_are_multiples::<Secp256k1, 9>(6);
    }

    #[test]
    fn exceptional_sums_are_exact() {
        fn holds<C: Curve<L>, const L: usize>() {
            let (x, y) = C::G;
            let g = Affine { x, y };
            let mut sum = Sum::<C, L>::infinity();
            sum.double();
            assert!(sum.coordinates().is_none() && !sum.has_x(&x.to_canonical()));
            for sign in [false, true] {
                sum.add(&g, sign);
                assert!(sum.has_x(&x.to_canonical()));
                sum.add(&g, sign); // ±2·G, the same point twice
                assert!(sum.coordinates().is_some() && !sum.has_x(&x.to_canonical()));
                sum.add(&g, !sign);
                assert!(sum.has_x(&x.to_canonical()));
                sum.add(&g, !sign); // opposite points
                assert!(sum.coordinates().is_none() && !sum.has_x(&[0; L]));
            }
        }
        holds::<P256, 9>();
        holds::<P384, 14>();
        holds::<P521, 18>();
        holds::<Secp256k1, 9>();
    }
}
