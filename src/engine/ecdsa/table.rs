//! Tables of multiples, with which a multiple of their point is a sum of one entry a window,
//! without doublings.
//!
//! For windows of w bits, window j holds m·2^(w·j)·P for m = 1..2^(w−1) (Brickell, Gordon,
//! McCurley, Wilson 1992, with the signed digits of Booth). Scalars are first brought to at most
//! n/2 by k·P = (n − k)·(−P), so that ⌈BITS/w⌉ windows hold the last carry.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "indices are bounded by the table's own widths, which are constants"
)]

use super::{
    super::limbs::{Number, WIDEST, add, bits, less, widened},
    curves::Parameters,
    weierstrass::Points,
};

/// Multiples of one point.
#[derive(Debug)]
pub struct Table {
    width: usize,
    /// Limbs of an entry, x and y: twice those of a number.
    stride: usize,
    entries: Vec<i32>,
}

/// A scalar of magnitude at most n/2 and its sign, ready to be cut into digits.
pub(crate) struct Scalar {
    magnitude: Number,
    negative: bool,
}

impl Scalar {
    /// From a scalar in [0, n).
    pub(crate) fn new(curve: &Parameters, scalar: &Number) -> Self {
        let mut opposite = widened(curve.order.modulus);
        add(&mut opposite[..curve.order.modulus.len()], curve.order.cut(scalar), -1);
        let negative = less(&opposite, scalar);
        Scalar { magnitude: if negative { opposite } else { *scalar }, negative }
    }

    /// Digit `window` for windows of `width` bits, in [−2^(width−1), 2^(width−1)], without looking
    /// at the windows below it: the bits of the window, plus the highest bit of the window below,
    /// minus 2^width times the own highest bit (Booth).
    #[inline]
    fn digit(&self, window: usize, width: usize) -> i32 {
        let from = window * width;
        let own = bits(&self.magnitude, from, width);
        let below = if from == 0 { 0 } else { bits(&self.magnitude, from - 1, 1) };
        let digit = own + below - ((own >> (width - 1)) << width);
        if self.negative { -digit } else { digit }
    }
}

impl Table {
    /// The windows that a table of this width needs to multiply without doublings.
    pub(crate) fn windows(curve: &Parameters, width: usize) -> usize {
        curve.order.bits.div_ceil(width)
    }

    /// The bytes of such a table.
    pub(crate) fn bytes_of(curve: &Parameters, width: usize) -> usize {
        (Self::windows(curve, width) << (width - 1)) * 2 * curve.field.modulus.len() * size_of::<i32>()
    }

    /// The bytes that the entries take.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<i32>()
    }

    /// The first `windows` windows of `point`'s multiples.
    ///
    /// The bases 2^(w·j)·P by doublings, made affine together; then, all windows at once and with
    /// one inversion a level, the multiples h + 1..2·h from those up to h. Cost of an entry: 5M +
    /// 1S and its share of w + 1 inversions. `None` only where an inversion fails, which points of
    /// prime order exclude: no two of the points added share their x.
    pub(crate) fn new(curve: &'static Parameters, point: &[i32], width: usize, windows: usize) -> Option<Self> {
        let half = 1 << (width - 1);
        let stride = 2 * curve.field.modulus.len();
        let table = Table { width, stride, entries: vec![0; windows * half * stride] };
        let mut building = Building { curve, sum: (curve.infinity)(), half, table };
        building.bases(point, windows)?;
        let mut known = 1;
        while known < half {
            building.level(windows, known)?;
            known *= 2;
        }
        Some(building.table)
    }

    /// Adds digit `window` of `scalar` times the table's point times 2^(width·window) to `sum`.
    #[inline]
    fn add_digit(&self, sum: &mut dyn Points, scalar: &Scalar, window: usize, entry: usize) {
        let digit = scalar.digit(window, self.width);
        if digit != 0 {
            let place = ((entry << (self.width - 1)) + digit.unsigned_abs() as usize - 1) * self.stride;
            // A table always has the entry; a missing one could not be added, and the comparison
            // would fail.
            if let Some(point) = self.entries.get(place..place + self.stride) {
                sum.add(point, digit < 0);
            }
        }
    }

    /// sum += scalar·P with a table that has all windows: at most one addition a window.
    pub(crate) fn add_multiple(&self, curve: &Parameters, sum: &mut dyn Points, scalar: &Scalar) {
        for window in 0..Self::windows(curve, self.width) {
            self.add_digit(sum, scalar, window, window);
        }
    }
}

/// Σ scalar·P with tables that have one window each, of one width: as many doublings as the order
/// has bits, and an addition a window and term (Straus 1964).
pub(crate) fn straus(curve: &Parameters, sum: &mut dyn Points, width: usize, terms: &[(Table, &Scalar)]) {
    if terms.is_empty() {
        return;
    }
    for window in (0..Table::windows(curve, width)).rev() {
        for _ in 0..width {
            sum.double();
        }
        for (table, scalar) in terms {
            table.add_digit(sum, scalar, window, 0);
        }
    }
}

/// A table that is being filled; an entry has its place, window·half + multiple − 1.
struct Building {
    curve: &'static Parameters,
    sum: Box<dyn Points>,
    half: usize,
    table: Table,
}

const ZERO: Number = [0; WIDEST];

impl Building {
    fn entry(&self, place: usize) -> [Number; 2] {
        let entry = &self.table.entries[place * self.table.stride..][..self.table.stride];
        let (x, y) = entry.split_at(entry.len() / 2);
        [widened(x), widened(y)]
    }

    fn put(&mut self, place: usize, x: &Number, y: &Number) {
        let entry = &mut self.table.entries[place * self.table.stride..][..self.table.stride];
        let (to_x, to_y) = entry.split_at_mut(self.table.stride / 2);
        to_x.copy_from_slice(self.curve.field.cut(x));
        to_y.copy_from_slice(self.curve.field.cut(y));
    }

    fn product(&self, a: &Number, b: &Number) -> Number {
        self.sum.product_minus(a, b, &ZERO)
    }

    /// Folded into [−2⁻²⁰·p, p + 2⁻²⁰·p].
    fn settled(&self, x: &Number) -> Number {
        self.curve.field.combined(1, x, 0, &ZERO)
    }

    /// The first entry of every window: 2^(w·j)·P.
    fn bases(&mut self, point: &[i32], windows: usize) -> Option<()> {
        self.sum.add(point, false);
        let mut product = widened(self.curve.field.one);
        let mut sums = Vec::with_capacity(windows);
        for j in 0..windows {
            if j > 0 {
                for _ in 0..self.table.width {
                    self.sum.double();
                }
            }
            // ZZZ of all windows so far, multiplied
            let base = self.sum.coordinates()?;
            sums.push((base, product));
            let [.., zzz] = base;
            product = self.product(&product, &zzz);
        }
        let mut rest = self.curve.field.inverted(product)?;
        for (window, ([x, y, zz, zzz], before)) in sums.into_iter().enumerate().rev() {
            // 1/ZZZ = 1/Z³, and ZZ²/ZZZ² = 1/Z²
            let inverse = self.product(&rest, &before);
            rest = self.product(&rest, &zzz);
            let of_z = self.product(&inverse, &zz);
            let x = self.product(&x, &self.product(&of_z, &of_z));
            let y = self.product(&y, &inverse);
            self.put(window * self.half, &self.settled(&x), &self.settled(&y));
        }
        Some(())
    }

    /// The multiples known + 1..=2·known of every window, from those up to known: (known)·B + i·B,
    /// where i = known is a doubling.
    ///
    /// Denominators are inverted together (Montgomery 1987): a place to be filled holds its
    /// denominator in x and the product of all denominators before it in y. λ = (y₂ − y₁)/(x₂ −
    /// x₁), or (3·x² + a)/(2·y) for a doubling; x₃ = λ² − x₁ − x₂, y₃ = λ·(x₁ − x₃) − y₁.
    fn level(&mut self, windows: usize, known: usize) -> Option<()> {
        let field = &self.curve.field;
        let one = widened(field.one);
        let mut product = one;
        for window in 0..windows {
            let first = window * self.half;
            let [base_x, base_y] = self.entry(first + known - 1);
            for place in first..first + known {
                let denominator = if place + 1 == first + known {
                    field.combined(2, &base_y, 0, &ZERO)
                } else {
                    let [x, _] = self.entry(place);
                    field.combined(1, &base_x, -1, &x)
                };
                self.put(place + known, &denominator, &product);
                product = self.product(&product, &denominator);
            }
        }
        let mut rest = field.inverted(product)?;
        for window in (0..windows).rev() {
            let first = window * self.half;
            let [base_x, base_y] = self.entry(first + known - 1);
            for place in (first..first + known).rev() {
                let ([x, y], [denominator, before]) = (self.entry(place), self.entry(place + known));
                let inverse = self.product(&rest, &before);
                rest = self.product(&rest, &denominator);
                let numerator = if place + 1 == first + known {
                    let square = self.product(&base_x, &base_x);
                    let a = if self.curve.a_is_minus_3 { -3 } else { 0 };
                    field.combined(1, &field.combined(3, &square, 0, &ZERO), a, &one)
                } else {
                    field.combined(1, &base_y, -1, &y)
                };
                let slope = self.product(&numerator, &inverse);
                let third_x = self.sum.square_minus(&slope, &field.combined(1, &base_x, 1, &x), &ZERO);
                let third_x = self.settled(&third_x);
                let difference = field.combined(1, &base_x, -1, &third_x);
                let third_y = self.sum.product_minus(&difference, &slope, &base_y);
                self.put(place + known, &third_x, &self.settled(&third_y));
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::super::{
        super::limbs::{halved, plus},
        Key, UNIT,
        curves::{Curve, P256, P384, P521, Secp256k1},
        has_x,
        montgomery::Modulus,
    };
    use super::*;

    fn number(limbs: &[i32]) -> BigInt {
        limbs.iter().rev().fold(BigInt::ZERO, |sum, limb| (sum << 29) + limb)
    }

    fn digits_add_up<C: Curve<L>, const L: usize>() {
        let n = number(&C::Order::LIMBS);
        for width in [2, 3, 4, 5, 6, 7, 8] {
            let windows = Table::windows(C::parameters(), width);
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
                let cut = Scalar::new(C::parameters(), &widened(&scalar));
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

    /// Every entry is the one before it plus the window's base, and every base 2^width times the
    /// one before.
    fn entries_are_multiples<C: Curve<L>, const L: usize>(width: usize) {
        let curve = C::parameters();
        let windows = Table::windows(curve, width);
        let generator = curve.generator.concat();
        let table = Table::new(curve, &generator, width, windows).unwrap();
        assert_eq!(table.bytes(), Table::bytes_of(curve, width));
        let same = |sum: &dyn Points, point: &[i32]| {
            let [x, y, zz, zzz] = sum.coordinates().unwrap();
            [(zz, x, &point[..L]), (zzz, y, &point[L..])]
                .iter()
                .all(|(scale, scaled, affine)| curve.field.is_zero(sum.product_minus(&widened(affine), scale, scaled)))
        };
        let half = 1 << (width - 1);
        let mut base = (curve.infinity)();
        base.add(&generator, false);
        for window in table.entries.chunks_exact(half * 2 * L) {
            assert!(same(&*base, &window[..2 * L]));
            let mut sum = (curve.infinity)();
            for entry in window.chunks_exact(2 * L) {
                sum.add(&window[..2 * L], false);
                assert!(same(&*sum, entry));
                assert!(Key { curve, point: entry.to_vec(), table: Default::default() }.is_on_curve());
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
            let curve = C::parameters();
            let g = curve.generator.concat();
            let x = curve.field.canonical((curve.infinity)().product_minus(&widened(&C::G.0.limbs), &UNIT, &ZERO));
            let mut sum = (curve.infinity)();
            sum.double();
            assert!(sum.coordinates().is_none() && !has_x(curve, &*sum, &x));
            for sign in [false, true] {
                sum.add(&g, sign);
                assert!(has_x(curve, &*sum, &x));
                sum.add(&g, sign); // ±2·G, the same point twice
                assert!(sum.coordinates().is_some() && !has_x(curve, &*sum, &x));
                sum.add(&g, !sign);
                assert!(has_x(curve, &*sum, &x));
                sum.add(&g, !sign); // opposite points
                assert!(sum.coordinates().is_none() && !has_x(curve, &*sum, &ZERO));
            }
        }
        holds::<P256, 9>();
        holds::<P384, 14>();
        holds::<P521, 18>();
        holds::<Secp256k1, 9>();
    }
}
