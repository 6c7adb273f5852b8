//! The field of 2²⁵⁵ − 19 elements in nine signed 29-bit limbs: Σ xᵢ·2²⁹ⁱ, i = 0…8.
//!
//! Signed limbs leave room: what comes out of a product is *tight*, |xᵢ| ≤ 2²⁸ + 2¹⁷; sums and differences of up to three tight
//! elements are *loose*, |xᵢ| ≤ 3·(2²⁸ + 2¹⁷), and may enter a product as they are. No carry is needed between. The test
//! `no_column_can_overflow` derives both.
//!
//! Products are 32×32→64 bits, the widest that WebAssembly multiplies at once. They are written out: a loop that LLVM does not
//! unroll takes twice as long. Everything is variable-time in nothing, but nothing secret ever enters.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "constant indices into fixed arrays; every sum's bound is stated and tested"
)]

use super::super::{inverse::divide, limbs};

/// Bits of a limb.
const BITS: u32 = 29;
/// 2²⁶¹ = 2⁶·2²⁵⁵ ≡ 2⁶·19: what a column nine places up counts for.
const FOLD: i64 = 19 << 6;

/// p, lowest limb first.
const PRIME: [i32; 9] = limbs::from_hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");

/// An element; its limbs' bound is the holder's to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element([i32; 9]);

impl Element {
    /// 0.
    pub(super) const ZERO: Element = Element([0; 9]);
    /// 1.
    pub(super) const ONE: Element = Element([1, 0, 0, 0, 0, 0, 0, 0, 0]);

    /// From tight limbs.
    pub(super) const fn from_limbs(limbs: [i32; 9]) -> Element {
        Element(limbs)
    }

    /// The same, tight, for |xᵢ| < 2³¹. Costs the carries of a product.
    pub(super) fn tightened(&self) -> Element {
        let mut columns = [0; 17];
        (0..9).for_each(|i| columns[i] = i64::from(self.0[i]));
        reduced(columns)
    }

    /// `self + other`: limbs add.
    #[inline(always)]
    pub(super) fn plus(&self, other: &Element) -> Element {
        let (a, b) = (&self.0, &other.0);
        Element(core::array::from_fn(|i| a[i] + b[i]))
    }

    /// `self − other`: limbs subtract.
    #[inline(always)]
    pub(super) fn minus(&self, other: &Element) -> Element {
        let (a, b) = (&self.0, &other.0);
        Element(core::array::from_fn(|i| a[i] - b[i]))
    }

    /// `−self`.
    #[inline(always)]
    pub(super) fn negated(&self) -> Element {
        Element(self.0.map(|limb| -limb))
    }

    /// `self · other`, loose in, tight out. 81 products.
    #[inline(never)]
    pub(super) fn times(&self, other: &Element) -> Element {
        let a = self.0.map(i64::from);
        let b = other.0.map(i64::from);
        reduced([
            a[0] * b[0],
            a[0] * b[1] + a[1] * b[0],
            a[0] * b[2] + a[1] * b[1] + a[2] * b[0],
            a[0] * b[3] + a[1] * b[2] + a[2] * b[1] + a[3] * b[0],
            a[0] * b[4] + a[1] * b[3] + a[2] * b[2] + a[3] * b[1] + a[4] * b[0],
            a[0] * b[5] + a[1] * b[4] + a[2] * b[3] + a[3] * b[2] + a[4] * b[1] + a[5] * b[0],
            a[0] * b[6] + a[1] * b[5] + a[2] * b[4] + a[3] * b[3] + a[4] * b[2] + a[5] * b[1] + a[6] * b[0],
            a[0] * b[7]
                + a[1] * b[6]
                + a[2] * b[5]
                + a[3] * b[4]
                + a[4] * b[3]
                + a[5] * b[2]
                + a[6] * b[1]
                + a[7] * b[0],
            a[0] * b[8]
                + a[1] * b[7]
                + a[2] * b[6]
                + a[3] * b[5]
                + a[4] * b[4]
                + a[5] * b[3]
                + a[6] * b[2]
                + a[7] * b[1]
                + a[8] * b[0],
            a[1] * b[8]
                + a[2] * b[7]
                + a[3] * b[6]
                + a[4] * b[5]
                + a[5] * b[4]
                + a[6] * b[3]
                + a[7] * b[2]
                + a[8] * b[1],
            a[2] * b[8] + a[3] * b[7] + a[4] * b[6] + a[5] * b[5] + a[6] * b[4] + a[7] * b[3] + a[8] * b[2],
            a[3] * b[8] + a[4] * b[7] + a[5] * b[6] + a[6] * b[5] + a[7] * b[4] + a[8] * b[3],
            a[4] * b[8] + a[5] * b[7] + a[6] * b[6] + a[7] * b[5] + a[8] * b[4],
            a[5] * b[8] + a[6] * b[7] + a[7] * b[6] + a[8] * b[5],
            a[6] * b[8] + a[7] * b[7] + a[8] * b[6],
            a[7] * b[8] + a[8] * b[7],
            a[8] * b[8],
        ])
    }

    /// `self²`, loose in, tight out. 45 products.
    #[inline(never)]
    pub(super) fn squared(&self) -> Element {
        let a = self.0.map(i64::from);
        let d = a.map(|limb| 2 * limb);
        reduced([
            a[0] * a[0],
            d[0] * a[1],
            d[0] * a[2] + a[1] * a[1],
            d[0] * a[3] + d[1] * a[2],
            d[0] * a[4] + d[1] * a[3] + a[2] * a[2],
            d[0] * a[5] + d[1] * a[4] + d[2] * a[3],
            d[0] * a[6] + d[1] * a[5] + d[2] * a[4] + a[3] * a[3],
            d[0] * a[7] + d[1] * a[6] + d[2] * a[5] + d[3] * a[4],
            d[0] * a[8] + d[1] * a[7] + d[2] * a[6] + d[3] * a[5] + a[4] * a[4],
            d[1] * a[8] + d[2] * a[7] + d[3] * a[6] + d[4] * a[5],
            d[2] * a[8] + d[3] * a[7] + d[4] * a[6] + a[5] * a[5],
            d[3] * a[8] + d[4] * a[7] + d[5] * a[6],
            d[4] * a[8] + d[5] * a[7] + a[6] * a[6],
            d[5] * a[8] + d[6] * a[7],
            d[6] * a[8] + a[7] * a[7],
            d[7] * a[8],
            a[8] * a[8],
        ])
    }

    /// `self^(2^times)`.
    #[inline(never)]
    pub(super) fn squared_times(&self, times: u32) -> Element {
        (0..times).fold(*self, |x, _| x.squared())
    }

    /// `self^((p−5)/8)`, (p − 5)/8 = 2²⁵² − 3 (the chain of D. J. Bernstein, "Curve25519", 2006). 251 squarings and 11 products.
    pub(super) fn power_p58(&self) -> Element {
        let z2 = self.squared();
        let z9 = z2.squared_times(2).times(self);
        let ones5 = z9.times(&z2).squared().times(&z9);
        let ones10 = ones5.squared_times(5).times(&ones5);
        let ones20 = ones10.squared_times(10).times(&ones10);
        let ones40 = ones20.squared_times(20).times(&ones20);
        let ones50 = ones40.squared_times(10).times(&ones10);
        let ones100 = ones50.squared_times(50).times(&ones50);
        let ones200 = ones100.squared_times(100).times(&ones100);
        ones200.squared_times(50).times(&ones50).squared_times(2).times(self)
    }

    /// `1/self`, and 0 for 0. About as long as a hundred squarings.
    pub(super) fn inverted(&self) -> Element {
        let bytes = self.to_bytes();
        let x: [i32; 9] = core::array::from_fn(|i| bits_of(&bytes, 29 * i, 29) as i32);
        let mut inverse = Element::ONE;
        if !divide(&mut inverse.0, &x, &PRIME, limbs::negated_inverse(PRIME[0])) {
            return Element::ZERO;
        }
        inverse.tightened()
    }

    /// The element of 32 bytes, least significant first, the highest bit ignored; `None` when they do not stand for 0…p−1.
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Option<Element> {
        let mut masked = *bytes;
        masked[31] &= 0x7f;
        let mut columns = [0; 17];
        (0..9).for_each(|i| columns[i] = bits_of(&masked, 29 * i, 29) as i64);
        let element = reduced(columns);
        (element.to_bytes() == masked).then_some(element)
    }

    /// The 32 bytes of the residue in 0…p−1, least significant first. |xᵢ| ≤ 2³⁰.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        let mut x = self.0.map(i64::from);
        // 128·p = 2²⁶² − 2432 makes it positive, and leaves it below 2²⁶³.
        x[0] += -2432;
        x[8] += 1 << 30;
        // Twice: what is above 2²⁵⁵ counts 19 times. After the first the value is below 2²⁵⁵ + 19·2⁸, after the second below 2²⁵⁵.
        for _ in 0..2 {
            carry_up(&mut x);
            let above = x[8] >> 23;
            x[8] &= (1 << 23) - 1;
            x[0] += 19 * above;
        }
        carry_up(&mut x);
        // x ≥ p exactly when x + 19 ≥ 2²⁵⁵, and then x − p = x + 19 − 2²⁵⁵.
        let mut over = x;
        over[0] += 19;
        carry_up(&mut over);
        if over[8] >> 23 != 0 {
            over[8] &= (1 << 23) - 1;
            x = over;
        }
        let bit = |place: usize| (x[place / 29] >> (place % 29) & 1) as u8;
        core::array::from_fn(|byte| {
            (0..8).fold(0, |sum, k| sum | if byte * 8 + k < 255 { bit(byte * 8 + k) << k } else { 0 })
        })
    }

    /// Whether two elements are the same modulo p.
    pub(super) fn equals(&self, other: &Element) -> bool {
        self.minus(other).to_bytes() == [0; 32]
    }
}

/// `count` bits, at most 32, of 32 bytes from a place on; zeros beyond the end.
fn bits_of(bytes: &[u8; 32], place: usize, count: u32) -> u64 {
    let window = (0..5).fold(0_u64, |sum, k| sum | u64::from(*bytes.get(place / 8 + k).unwrap_or(&0)) << (8 * k));
    window >> (place % 8) & ((1 << count) - 1)
}

/// Moves what exceeds 29 bits up, leaving 0 ≤ xᵢ < 2²⁹ for i < 8.
fn carry_up(x: &mut [i64; 9]) {
    for i in 0..8 {
        x[i + 1] += x[i] >> BITS;
        x[i] &= (1 << BITS) - 1;
    }
}

/// Seventeen columns, |c| < 2⁶² + 2⁶¹, as a tight element. Columns from the ninth on are carried one place and
/// count 1216-fold nine places down; then two carry chains run side by side, 0→4 and 4→8, and the last carry comes in at the bottom.
#[inline(always)]
fn reduced(c: [i64; 17]) -> Element {
    let mask = (1 << BITS) - 1;
    // Column 9+i with what column 8+i has above 29 bits: below 2³⁴ + 2³³, so that times 1216 it is below 2⁴⁶.
    let folded = |i: usize| {
        let here = c.get(9 + i).map_or(0, |column| column & mask);
        (here + if i > 0 { c[8 + i] >> BITS } else { 0 }) * FOLD
    };
    let mut x = [
        c[0] + folded(0),
        c[1] + folded(1),
        c[2] + folded(2),
        c[3] + folded(3),
        c[4] + folded(4),
        c[5] + folded(5),
        c[6] + folded(6),
        c[7] + folded(7),
        c[8] + folded(8),
    ];
    macro_rules! carry {
        ($from:literal, $to:literal) => {
            let carry = (x[$from] + (1 << (BITS - 1))) >> BITS;
            x[$from] -= carry << BITS;
            x[$to] += carry;
        };
    }
    carry!(0, 1);
    carry!(4, 5);
    carry!(1, 2);
    carry!(5, 6);
    carry!(2, 3);
    carry!(6, 7);
    carry!(3, 4);
    carry!(7, 8);
    carry!(4, 5);
    let carry = (x[8] + (1 << (BITS - 1))) >> BITS;
    x[8] -= carry << BITS;
    x[0] += carry * FOLD;
    carry!(0, 1);
    Element(x.map(|limb| limb as i32))
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    /// The most a limb of a tight element can be in absolute value.
    const TIGHT: i64 = (1 << 28) + (1 << 17);

    #[test]
    fn no_column_can_overflow() {
        let half = 1_i128 << 28;
        let loose = 3 * i128::from(TIGHT);
        let column = 9 * loose * loose;
        assert!(column < (1 << 62) + (1 << 61));
        let fits = |x: i128| {
            assert!(x + half < 1 << 63, "{x} overflows a column");
            x
        };
        let folded = ((1 << 29) + (column >> 29) + 1) * i128::from(FOLD);
        let mut x = [fits(column + folded); 9];
        for (from, to) in [(0, 1), (4, 5), (1, 2), (5, 6), (2, 3), (6, 7), (3, 4), (7, 8), (4, 5)] {
            x[to] = fits(x[to] + ((x[from] + half) >> 29) + 1);
            x[from] = half;
        }
        x[0] = fits(x[0] + (((x[8] + half) >> 29) + 1) * i128::from(FOLD));
        x[8] = half;
        x[1] = fits(x[1] + ((x[0] + half) >> 29) + 1);
        x[0] = half;
        assert!(x.iter().all(|limb| *limb <= i128::from(TIGHT)), "{x:?}");
        // Four tight elements summed fit a limb, for `tightened`.
        const { assert!(4 * TIGHT < 1 << 31) };
        // `to_bytes`: limbs up to 3·TIGHT, made positive by 2²⁶².
        assert!(loose * ((1 << 29) + 2) < 1 << 60);
    }

    fn p() -> BigInt {
        (BigInt::from(1) << 255) - 19
    }

    fn value(element: &Element) -> BigInt {
        element.0.iter().rev().fold(BigInt::ZERO, |sum, limb| (sum << BITS) + limb)
    }

    fn residue(value: BigInt) -> [u8; 32] {
        let residue = ((value % p()) + p()) % p();
        let mut bytes = residue.to_bytes_le().1;
        bytes.resize(32, 0);
        bytes.try_into().unwrap()
    }

    /// Limbs of a number as they are, unsigned, the highest taking the rest.
    fn element(value: &BigInt) -> Element {
        let digits: Vec<u64> = value.to_u64_digits().1;
        let bit = |place: usize| digits.get(place / 64).is_some_and(|digit| digit >> (place % 64) & 1 == 1);
        Element(core::array::from_fn(|i| (0..29).fold(0, |sum, k| sum | i32::from(bit(29 * i + k)) << k)))
    }

    fn samples() -> Vec<Element> {
        let tight = i32::try_from(TIGHT).unwrap();
        let mut samples: Vec<Element> = [0, 1, 2, 19, 1215, 1216].map(|small| element(&BigInt::from(small))).to_vec();
        samples.extend([-20, -19, -18, -2, -1, 0, 1, 18, 19, 20].map(|offset| element(&(p() + offset))));
        samples.extend([-1, 0, 1].map(|offset| element(&(p() * 2 + offset))));
        for limb in [3 * tight, 2 * tight, tight, 1 << 28, (1 << 29) - 1] {
            samples.extend([Element([limb; 9]), Element([-limb; 9])]);
            samples.push(Element(core::array::from_fn(|i| if i % 2 == 0 { limb } else { -limb })));
            samples.extend((0..9).map(|place| Element(core::array::from_fn(|i| if i == place { -limb } else { 0 }))));
        }
        let mut random = ChaCha20Rng::seed_from_u64(25519);
        samples.extend((0..100).map(|_| Element(core::array::from_fn(|_| random.gen_range(-3 * tight..=3 * tight)))));
        samples
    }

    #[test]
    fn every_operation_is_exact_on_edges_and_random_limbs() {
        let is_tight = |element: &Element| element.0.iter().all(|limb| i64::from(*limb).abs() <= TIGHT);
        let samples = samples();
        for a in &samples {
            let x = value(a);
            assert_eq!(a.to_bytes(), residue(x.clone()), "{a:?}");
            assert!(is_tight(&a.squared()) && is_tight(&a.tightened()));
            assert_eq!(a.squared().to_bytes(), residue(&x * &x), "{a:?}");
            assert_eq!(a.tightened().to_bytes(), residue(x.clone()), "{a:?}");
            assert_eq!(a.negated().to_bytes(), residue(-&x), "{a:?}");
            let inverse = a.inverted();
            let is_zero = a.to_bytes() == [0; 32];
            assert_eq!(inverse.times(a).to_bytes(), if is_zero { [0; 32] } else { Element::ONE.to_bytes() });
            let exponent: BigInt = (p() - 5) / 8;
            assert_eq!(a.power_p58().to_bytes(), residue(((&x % p()) + p()).modpow(&exponent, &p())));
            for b in &samples {
                let y = value(b);
                let product = a.times(b);
                assert!(is_tight(&product), "{a:?} {b:?}");
                assert_eq!(product.to_bytes(), residue(&x * &y), "{a:?} {b:?}");
                let (a, b) = (a.tightened(), b.tightened());
                assert_eq!(a.plus(&b).to_bytes(), residue(&x + &y));
                assert_eq!(a.minus(&b).to_bytes(), residue(&x - &y));
                assert_eq!(a.equals(&b), residue(x.clone()) == residue(y));
            }
        }
    }

    #[test]
    fn bytes_are_canonical_or_refused() {
        for offset in -30..=18 {
            let number: BigInt = p() + offset;
            let mut bytes = number.to_bytes_le().1;
            bytes.resize(32, 0);
            let bytes: [u8; 32] = bytes.try_into().unwrap();
            let element = Element::from_bytes(&bytes);
            assert_eq!(element.is_some(), offset < 0);
            assert!(element.is_none_or(|element| element.to_bytes() == bytes));
            // The highest bit is a point's sign.
            let mut signed = bytes;
            signed[31] |= 0x80;
            assert_eq!(Element::from_bytes(&signed).map(Element::to_bytes), element.map(Element::to_bytes));
        }
    }
}
