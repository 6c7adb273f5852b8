//! Points of edwards25519, −x² + y² = 1 + d·x²·y², and sums of their multiples from tables.
//!
//! Points are in extended coordinates (Hisil, Wong, Carter, Dawson, "Twisted Edwards Curves
//! Revisited", 2008): x = X/Z, y = Y/Z, x·y = T/Z. The addition formulas are complete here, −1
//! being a square and d none: equal, opposite and neutral points need no case of their own, and
//! neither do those of small order.
//!
//! A [`Table`] holds, for each place w·i, the multiples 1…2^(w−1) of 2^(w·i)·P in affine Niels
//! form (y+x, y−x, 2d·x·y). A scalar's multiple is then a sum of ⌈254/w⌉ entries or their
//! negatives, with no doubling: 7 products each.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "counters and window indices whose ranges the types of the digits give; the field states its own bounds"
)]

use super::{field::Element, scalar::SignedDigits};

/// d = −121665/121666.
const D: Element = Element::from_limbs([
    -212240221, 257584721, -260691235, 1350275, -24543225, 3980221, -103927011, -37392896, 5374829,
]);
/// 2d.
const TWICE_D: Element =
    Element::from_limbs([112390489, -21701471, 15488443, 2700549, -49086450, 7960442, -207854022, -74785792, 2361050]);
/// √−1 = 2^((p−1)/4).
const ROOT_OF_MINUS_ONE: Element = Element::from_limbs([
    168730800, 124836154, 200875569, 103812442, -42306828, 5021438, -64180940, -267782084, 2851621,
]);

/// A point (X : Y : Z : T), all tight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    x: Element,
    y: Element,
    z: Element,
    t: Element,
}

/// An affine point made ready to be added: (y+x, y−x, 2d·x·y), all tight.
#[derive(Clone, Copy, Debug)]
struct Niels {
    plus: Element,
    minus: Element,
    product: Element,
}

/// The generator of RFC 8032 §5.1: y = 4/5, x even.
pub(super) const GENERATOR: Point = {
    let x = Element::from_limbs([
        254137626, 179399428, 157936818, -108084950, 231065235, -250020117, 268108436, -92688950, 2189623,
    ]);
    let y = Element::from_limbs([
        107374168, -214748365, -107374182, 214748365, 107374182, -214748365, -107374182, 214748365, 6710886,
    ]);
    // x·y, so that no multiplication is needed in a constant.
    let t = Element::from_limbs([
        95935907, 250893725, -195773093, 20906223, -29896177, 122106454, -107635799, 33223023, 6784863,
    ]);
    Point { x, y, z: Element::ONE, t }
};

impl Point {
    /// The neutral element (0, 1).
    pub(super) const NEUTRAL: Point = Point { x: Element::ZERO, y: Element::ONE, z: Element::ONE, t: Element::ZERO };

    /// The point of an encoding (RFC 8032 §5.1.3), stricter than it in nothing: y below p, x a
    /// root, and no negative zero. About 255 squarings and 20 products.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Option<Point> {
        let y = Element::from_bytes(bytes)?;
        let y2 = y.squared();
        let (u, v) = (y2.minus(&Element::ONE), D.times(&y2).plus(&Element::ONE));
        let v3 = v.squared().times(&v);
        let mut x = u.times(&v3).times(&u.times(&v3.squared().times(&v)).power_p58());
        let check = v.times(&x.squared());
        if !check.equals(&u) {
            x = x.times(&ROOT_OF_MINUS_ONE);
            if !check.equals(&u.negated()) {
                return None;
            }
        }
        let sign = bytes[31] >> 7;
        let x_bytes = x.to_bytes();
        if x_bytes[0] & 1 != sign {
            if x_bytes == [0; 32] {
                return None;
            }
            x = x.negated();
        }
        Some(Point { x, y, z: Element::ONE, t: x.times(&y) })
    }

    /// The encoding (RFC 8032 §5.1.2). One inversion and 2 products.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        let z = self.z.inverted();
        let mut bytes = self.y.times(&z).to_bytes();
        bytes[31] |= self.x.times(&z).to_bytes()[0] << 7;
        bytes
    }

    /// `−self`.
    pub(super) fn negated(&self) -> Point {
        Point { x: self.x.negated(), t: self.t.negated(), ..*self }
    }

    /// `self + other` or, with the roles of `plus` and `minus` exchanged by the caller,
    /// `self − other`: add-2008-hwcd-3 of the Explicit-Formulas Database. `product` = 2d·T₂,
    /// `double_z` = 2·Z₁·Z₂.
    #[inline(always)]
    fn sum(&self, plus: &Element, minus: &Element, product: &Element, double_z: &Element) -> Point {
        let a = self.y.minus(&self.x).times(minus);
        let b = self.y.plus(&self.x).times(plus);
        let c = self.t.times(product);
        let (e, f, g, h) = (b.minus(&a), double_z.minus(&c), double_z.plus(&c), b.plus(&a));
        Point { x: e.times(&f), y: g.times(&h), z: f.times(&g), t: e.times(&h) }
    }

    /// `self + other`, 7 products.
    #[inline(always)]
    fn plus_niels(&self, other: &Niels) -> Point {
        self.sum(&other.plus, &other.minus, &other.product, &self.z.plus(&self.z))
    }

    /// `self − other`, 7 products.
    #[inline(always)]
    fn minus_niels(&self, other: &Niels) -> Point {
        self.sum(&other.minus, &other.plus, &other.product.negated(), &self.z.plus(&self.z))
    }

    /// `self + other`, 9 products.
    pub(super) fn plus(&self, other: &Point) -> Point {
        let z = self.z.times(&other.z);
        let product = other.t.times(&TWICE_D);
        self.sum(&other.y.plus(&other.x), &other.y.minus(&other.x), &product, &z.plus(&z))
    }

    /// `self + self`: dbl-2008-hwcd with all signs turned. 4 squarings and 4 products.
    pub(super) fn doubled(&self) -> Point {
        let (a, b, zz) = (self.x.squared(), self.y.squared(), self.z.squared());
        // h = a + b, e = h − (x+y)², g = a − b, f = 2·z² + g: at most 4 tight ones, so f is summed
        // up in an order that tightens.
        let h = a.plus(&b);
        let e = h.minus(&self.x.plus(&self.y).squared());
        let g = a.minus(&b);
        let f = zz.plus(&zz).plus(&g).tightened();
        Point { x: e.times(&f), y: g.times(&h), z: f.times(&g), t: e.times(&h) }
    }
}

/// Multiples of one point for every window of `w` bits.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// 2^(w−1) entries a window, windows in order.
    entries: Vec<Niels>,
    width: u32,
}

impl Table {
    /// How many bytes a table for windows of `width` bits takes.
    pub(super) const fn bytes(width: u32) -> usize {
        (SignedDigits::count(width) << (width - 1)) * size_of::<Niels>()
    }

    /// The table of `point`. 9 products an entry for the multiples, 7 to make them affine, and one
    /// inversion.
    pub(super) fn new(point: &Point, width: u32) -> Table {
        let windows = SignedDigits::count(width);
        let half = 1 << (width - 1);
        let mut points = Vec::with_capacity(windows * half);
        let mut first = *point;
        for _ in 0..windows {
            let mut multiple = first;
            points.push(multiple);
            for _ in 1..half {
                multiple = multiple.plus(&first);
                points.push(multiple);
            }
            first = multiple.doubled();
        }
        Table { entries: affine(&points), width }
    }

    /// `sum + scalar·P`: one addition for each window whose digit is not zero.
    pub(super) fn add_multiple(&self, mut sum: Point, scalar: &[u32; 8]) -> Point {
        let half = 1 << (self.width - 1);
        for (window, digit) in self.entries.chunks_exact(half).zip(SignedDigits::of(scalar, self.width)) {
            if let Some(entry) = (digit.unsigned_abs() as usize).checked_sub(1).and_then(|place| window.get(place)) {
                sum = if digit > 0 { sum.plus_niels(entry) } else { sum.minus_niels(entry) };
            }
        }
        sum
    }

    /// Bytes of the entries.
    pub(super) fn len_bytes(&self) -> usize {
        self.entries.len() * size_of::<Niels>()
    }
}

/// Affine forms with one inversion (P. L. Montgomery's trick). 3 products a point for the inverses
/// and 4 for the form.
fn affine(points: &[Point]) -> Vec<Niels> {
    let mut product = Element::ONE;
    let below: Vec<Element> = points
        .iter()
        .map(|point| {
            let below = product;
            product = product.times(&point.z);
            below
        })
        .collect();
    let mut inverse = product.inverted();
    let mut entries: Vec<Niels> = points
        .iter()
        .zip(below)
        .rev()
        .map(|(point, below)| {
            let z = inverse.times(&below);
            inverse = inverse.times(&point.z);
            let (x, y) = (point.x.times(&z), point.y.times(&z));
            Niels { plus: y.plus(&x).tightened(), minus: y.minus(&x).tightened(), product: x.times(&y).times(&TWICE_D) }
        })
        .collect();
    entries.reverse();
    entries
}

/// `a·P + b·Q` without tables that last: Straus' method on signed windows of 4 bits. 252 doublings
/// and about 130 additions.
pub(super) fn double_multiple(a: &[u32; 8], p: &Point, b: &[u32; 8], q: &Point) -> Point {
    const WIDTH: u32 = 4;
    let multiples = |point: &Point| {
        let mut all = [*point; 8];
        (1..8).for_each(|i| all[i] = all[i - 1].plus(point));
        affine(&all)
    };
    let (ps, qs) = (multiples(p), multiples(q));
    let digits = |scalar| SignedDigits::of(scalar, WIDTH).collect::<Vec<_>>();
    let mut sum = Point::NEUTRAL;
    for (a, b) in digits(a).into_iter().zip(digits(b)).rev() {
        for _ in 0..WIDTH {
            sum = sum.doubled();
        }
        for (digit, multiples) in [(a, &ps), (b, &qs)] {
            if let Some(entry) = (digit.unsigned_abs() as usize).checked_sub(1).and_then(|place| multiples.get(place)) {
                sum = if digit > 0 { sum.plus_niels(entry) } else { sum.minus_niels(entry) };
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::{
        constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
        edwards::{CompressedEdwardsY, EdwardsPoint},
        scalar::Scalar,
    };
    use rand::{RngCore, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    /// Points with and without a component of small order, and the small ones alone.
    fn samples() -> Vec<EdwardsPoint> {
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let mut points = EIGHT_TORSION.to_vec();
        for small in EIGHT_TORSION {
            let mut wide = [0; 64];
            random.fill_bytes(&mut wide);
            let point = EdwardsPoint::mul_base(&Scalar::from_bytes_mod_order_wide(&wide)) + small;
            points.extend([point, -point, ED25519_BASEPOINT_POINT + small]);
        }
        points
    }

    fn ours(point: &EdwardsPoint) -> Point {
        Point::from_bytes(point.compress().as_bytes()).unwrap()
    }

    #[test]
    fn sums_of_all_pairs_agree_with_dalek() {
        assert_eq!(GENERATOR.to_bytes(), ED25519_BASEPOINT_POINT.compress().to_bytes());
        let points = samples();
        for p in &points {
            // Pairs hold p + p, p − p and p + 0.
            assert_eq!(ours(p).doubled().to_bytes(), (p + p).compress().to_bytes());
            assert_eq!(ours(p).negated().to_bytes(), (-p).compress().to_bytes());
            let p_moved = ours(p).doubled().plus(&ours(p).negated());
            for q in &points {
                let [niels] = affine(&[ours(q).doubled().plus(&ours(q).negated())])[..] else { panic!() };
                assert_eq!(p_moved.plus(&ours(q)).to_bytes(), (p + q).compress().to_bytes());
                assert_eq!(p_moved.plus_niels(&niels).to_bytes(), (p + q).compress().to_bytes());
                assert_eq!(p_moved.minus_niels(&niels).to_bytes(), (p - q).compress().to_bytes());
            }
        }
    }

    /// The scalar 0 but for one digit, for every digit that a window can have, at both ends of the
    /// scalar and between.
    #[test]
    fn every_entry_of_every_window_is_the_multiple_it_should_be() {
        for width in [4, 5, 6, 7, 8] {
            let table = Table::new(&GENERATOR, width);
            assert_eq!(table.len_bytes(), Table::bytes(width));
            let windows = u32::try_from(SignedDigits::count(width)).unwrap();
            for window in 0..windows {
                for digit in 1..=1_u64 << (width - 1) {
                    let mut bytes = [0; 40];
                    let shifted = u128::from(digit) << (width * window % 8);
                    let at = (width * window / 8) as usize;
                    bytes[at..at + 4].copy_from_slice(&(shifted as u32).to_le_bytes());
                    if bytes[31..] > [0x20, 0, 0, 0, 0, 0, 0, 0, 0][..] {
                        continue;
                    }
                    let words =
                        core::array::from_fn(|i| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap()));
                    let expected =
                        EdwardsPoint::mul_base(&Scalar::from_bytes_mod_order(bytes[..32].try_into().unwrap()));
                    assert_eq!(table.add_multiple(Point::NEUTRAL, &words).to_bytes(), expected.compress().to_bytes());
                    // And subtracted again.
                    let negated = table.add_multiple(Point::NEUTRAL, &words).negated();
                    assert_eq!(table.add_multiple(negated, &words).to_bytes(), Point::NEUTRAL.to_bytes());
                }
            }
        }
    }

    #[test]
    fn only_canonical_encodings_of_points_are_taken() {
        let mut random = ChaCha20Rng::seed_from_u64(2);
        let mut encodings: Vec<[u8; 32]> = EIGHT_TORSION.map(|point| point.compress().to_bytes()).to_vec();
        let with_low = |rest: u8, last: u8| {
            move |low: u8| {
                let mut bytes = [rest; 32];
                (bytes[0], bytes[31]) = (low, last);
                bytes
            }
        };
        encodings.extend((0..=255).map(with_low(0xff, 0x7f)));
        encodings.extend((0..=255).map(with_low(0, 0)));
        encodings.extend((0..500).map(|_| {
            let mut bytes = [0; 32];
            random.fill_bytes(&mut bytes);
            bytes
        }));
        let flipped: Vec<[u8; 32]> = encodings
            .iter()
            .map(|bytes| {
                let mut bytes = *bytes;
                bytes[31] ^= 0x80;
                bytes
            })
            .collect();
        let (mut taken, mut refused) = (0, 0);
        for bytes in encodings.iter().chain(&flipped) {
            // dalek takes a y of p or more, and a negative zero; compressing again tells.
            let theirs = CompressedEdwardsY(*bytes).decompress().map(|point| point.compress().to_bytes());
            let mine = Point::from_bytes(bytes);
            assert_eq!(mine.is_some(), theirs == Some(*bytes), "{bytes:02x?}");
            assert!(mine.is_none_or(|point| point.to_bytes() == *bytes));
            *(if mine.is_some() { &mut taken } else { &mut refused }) += 1;
        }
        assert!(taken > 500 && refused > 500);
    }
}
