//! Products of long numbers in signed 13-bit limbs, eight limb products an instruction.
//!
//! A number is a slice of [`Lanes`], four limbs each, least significant first: Σ xᵢ·2¹³ⁱ with |xᵢ|
//! ≤ LIMB = 2¹² + 136. Signed limbs make carries local: two parallel passes bring any column sum
//! back below LIMB, with no ripple from end to end. The test `no_accumulator_can_overflow` derives
//! that bound and those below from each other, for every length in use.
//!
//! **Layout.** Column c of a product is Σᵢ aᵢ·b₍c₋ᵢ₎. One `dot` adds two terms to four
//! neighbouring columns when one operand holds the pair (a₂ⱼ, a₂ⱼ₊₁) in every lane (a *row*), and
//! the other (b₍c₋₂ⱼ₎, b₍c₋₂ⱼ₋₁₎) for c, c+1, c+2, c+3 (a *window*). Windows start at every second
//! limb; [`Windows`] holds them ready, so the kernel loads, splats, multiplies and adds, and
//! nothing else.
//!
//! **Sizes.** Lengths are multiples of four `Lanes` (sixteen limbs, 208 bits), so that tiles of
//! four fit without remainder.
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "every index is a function of the modulus' length alone, and every sum's bound is stated and tested"
)]

use super::lanes::Lanes;

/// Bits of a limb.
pub(super) const LIMB_BITS: u32 = 13;

/// How many rows (of eight limbs) an accumulator takes before it is folded: 13·8·LIMB² + 6·LIMB² <
/// 2³¹ − 2¹², the six being what the row on the diagonal of a square adds.
const ROWS_A_FOLD: usize = 13;

/// The windows below and above a number's own that a tile may touch; they are zero.
const MARGIN: usize = 10;

/// `x = r + c·2¹³` with −2¹² ≤ r < 2¹², for |x| ≤ 2³¹ − 2¹² − 1. Three instructions and an
/// addition.
#[inline(always)]
fn fold(x: Lanes) -> (Lanes, Lanes) {
    let carry = x.plus(Lanes::splat(1 << (LIMB_BITS - 1))).sar(LIMB_BITS);
    (x.minus(carry.shl(LIMB_BITS)), carry)
}

/// Four columns as `rest + carry·2¹³`, the carry not yet moved to its place.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    rest: Lanes,
    carry: Lanes,
}

impl Columns {
    const ZERO: Columns = Columns { rest: Lanes::ZERO, carry: Lanes::ZERO };

    /// Adds four unfolded column sums, |x| < 2³¹ − 2¹².
    #[inline(always)]
    fn add(&mut self, x: Lanes) {
        let (rest, carry) = fold(x);
        self.rest = self.rest.plus(rest);
        self.carry = self.carry.plus(carry);
    }

    /// Twice these columns plus `x`, |x| ≤ 4·LIMB², folded again so that the rest stays below 2¹².
    #[inline(always)]
    fn twice_plus(self, x: Lanes) -> Columns {
        let (rest, carry) = fold(self.rest.shl(1).plus(x));
        Columns { rest, carry: self.carry.shl(1).plus(carry) }
    }

    /// With limbs added.
    #[inline(always)]
    pub(super) fn plus_limbs(self, limbs: Lanes) -> Columns {
        Columns { rest: self.rest.plus(limbs), carry: self.carry }
    }

    /// The four columns, whole.
    pub(super) fn sums(self) -> [i64; 4] {
        let (rest, carry) = (self.rest.to_array(), self.carry.to_array());
        core::array::from_fn(|lane| i64::from(rest[lane]) + (i64::from(carry[lane]) << LIMB_BITS))
    }
}

/// Two carry passes over columns that come in order.
pub(super) struct Carries {
    first: Lanes,
    second: Lanes,
}

impl Carries {
    /// With `carry` coming into the lowest column.
    pub(super) fn from(carry: i32) -> Self {
        Carries { first: Lanes::new([0, 0, 0, carry]), second: Lanes::ZERO }
    }

    /// The next four columns as limbs. A carry of the first pass goes one place up, then a carry
    /// of the second.
    #[inline(always)]
    pub(super) fn push(&mut self, columns: Columns) -> Lanes {
        let (rest, second) = fold(columns.rest.plus(columns.carry.after(self.first)));
        let limbs = rest.plus(second.after(self.second));
        *self = Carries { first: columns.carry, second };
        limbs
    }
}

/// The windows of a number, ready to be multiplied with.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// Window `x`, at place `2·length + MARGIN − 1 − x`: lane l holds limb 2x+l below limb 2x+l−1.
    /// They descend, so that a kernel which goes up the rows goes up the windows.
    windows: Vec<Lanes>,
    /// `Lanes` of the number.
    length: usize,
}

impl Windows {
    /// Room for the windows of a number of `length` `Lanes`.
    pub(super) fn with_length(length: usize) -> Self {
        Windows { windows: vec![Lanes::ZERO; 2 * length + 2 * MARGIN], length }
    }

    /// The windows of `limbs`.
    pub(super) fn of(limbs: &[Lanes]) -> Self {
        let mut windows = Windows::with_length(limbs.len());
        windows.set(limbs);
        windows
    }

    /// Replaces the number by `limbs`, of the same length.
    #[inline(never)]
    pub(super) fn set(&mut self, limbs: &[Lanes]) {
        debug_assert_eq!(limbs.len(), self.length, "the length is fixed");
        let (mut below, mut last) = (Lanes::ZERO, Lanes::ZERO);
        let end = self.windows.len() - MARGIN + 1;
        for (limbs, pair) in limbs.iter().chain([&Lanes::ZERO]).zip(self.windows[..end].rchunks_exact_mut(2)) {
            let even = limbs.pair(limbs.after(below));
            pair[1] = last.straddle(even);
            pair[0] = even;
            (below, last) = (*limbs, even);
        }
    }
}

/// The rows of a number: `Lanes` u holds the pairs (x₈ᵤ₊₂ₚ, x₈ᵤ₊₂ₚ₊₁), p = 0…3.
#[inline(never)]
pub(super) fn set_rows(rows: &mut Vec<Lanes>, limbs: &[Lanes]) {
    rows.clear();
    rows.extend(limbs.chunks_exact(2).map(|two| two[0].evens(two[1]).pair(two[0].odds(two[1]))));
}

/// One row of eight limbs times ten windows, onto sixteen columns: 16 dots, 128 limb products.
#[inline(always)]
fn row(sums: &mut [Lanes; 4], row: Lanes, w: &[Lanes]) {
    let [p0, p1, p2, p3] = [row.splat_lane::<0>(), row.splat_lane::<1>(), row.splat_lane::<2>(), row.splat_lane::<3>()];
    sums[3] = sums[3].plus(p0.dot(w[0])).plus(p1.dot(w[1])).plus(p2.dot(w[2])).plus(p3.dot(w[3]));
    sums[2] = sums[2].plus(p0.dot(w[2])).plus(p1.dot(w[3])).plus(p2.dot(w[4])).plus(p3.dot(w[5]));
    sums[1] = sums[1].plus(p0.dot(w[4])).plus(p1.dot(w[5])).plus(p2.dot(w[6])).plus(p3.dot(w[7]));
    sums[0] = sums[0].plus(p0.dot(w[6])).plus(p1.dot(w[7])).plus(p2.dot(w[8])).plus(p3.dot(w[9]));
}

/// The ten windows that row `from` needs for the tile of columns from 4·`tile`, then those of the
/// next rows.
#[inline(always)]
fn windows_from(windows: &Windows, tile: usize, from: usize) -> impl Iterator<Item = &[Lanes]> {
    windows.windows[2 * windows.length + MARGIN - 7 + 4 * from - 2 * tile..].windows(10).step_by(4)
}

/// Rows `from..to` times the number in `windows`, onto the tile: the last rows are left unfolded
/// in the result.
#[inline(always)]
fn tile_rows(
    rows: &[Lanes],
    windows: &Windows,
    tile: usize,
    from: usize,
    to: usize,
    folded: &mut [Columns; 4],
) -> [Lanes; 4] {
    let mut sums = [Lanes::ZERO; 4];
    let mut u = from;
    loop {
        let end = to.min(u + ROWS_A_FOLD);
        for (lanes, w) in rows[u..end].iter().zip(windows_from(windows, tile, u)) {
            row(&mut sums, *lanes, w);
        }
        u = end;
        if u == to {
            return sums;
        }
        folded.iter_mut().zip(&mut sums).for_each(|(columns, sum)| columns.add(core::mem::replace(sum, Lanes::ZERO)));
    }
}

/// Sixteen columns of a product, from column 4·`tile`; `tile` is a multiple of four. Costs 16 dots
/// a row, for the rows whose limbs meet the number at all.
#[inline(never)]
pub(super) fn product_tile(rows: &[Lanes], windows: &Windows, tile: usize) -> [Columns; 4] {
    let from = tile.saturating_sub(windows.length) / 2;
    let to = rows.len().min(tile / 2 + 2);
    let mut columns = [Columns::ZERO; 4];
    let sums = tile_rows(rows, windows, tile, from, to, &mut columns);
    columns.iter_mut().zip(sums).for_each(|(columns, sum)| columns.add(sum));
    columns
}

/// The four columns below the middle, from 4·(length − 1), of a product of two numbers of one
/// length.
#[inline(never)]
pub(super) fn middle_columns(rows: &[Lanes], windows: &Windows) -> Columns {
    let mut columns = Columns::ZERO;
    let mut windows = windows.windows[MARGIN + 1..].windows(4).step_by(4);
    for rows in rows.chunks(ROWS_A_FOLD) {
        let mut sum = Lanes::ZERO;
        for (row, w) in rows.iter().zip(&mut windows) {
            sum = sum.plus(row.splat_lane::<0>().dot(w[0])).plus(row.splat_lane::<1>().dot(w[1]));
            sum = sum.plus(row.splat_lane::<2>().dot(w[2])).plus(row.splat_lane::<3>().dot(w[3]));
        }
        columns.add(sum);
    }
    columns
}

/// Sixteen columns of a square, from column 4·`tile`, `rows` and `windows` being of the same
/// number.
///
/// aᵢaⱼ occurs twice for i ≠ j, so rows 2j < c/2 are summed once and doubled. Row 2t is on the
/// diagonal of the columns 4t…4t+3: its window times (1,0 | 2,0 | 2,1 | 2,2) leaves out what the
/// rows before have counted, and doubles what they have not.
#[inline(never)]
pub(super) fn square_tile(rows: &[Lanes], windows: &Windows, tile: usize) -> [Columns; 4] {
    let from = tile.saturating_sub(windows.length) / 2;
    let to = tile / 4;
    let mut columns = [Columns::ZERO; 4];
    let mut sums = tile_rows(rows, windows, tile, from, to, &mut columns);
    let (Some(w), Some(diagonal)) = (windows_from(windows, tile, to).next(), rows.get(to)) else { return columns };
    let [p0, p1, p2, p3] = [
        diagonal.splat_lane::<0>(),
        diagonal.splat_lane::<1>(),
        diagonal.splat_lane::<2>(),
        diagonal.splat_lane::<3>(),
    ];
    sums[1] = sums[1].plus(p0.dot(w[4]));
    sums[2] = sums[2].plus(p0.dot(w[2])).plus(p1.dot(w[3]));
    sums[3] = sums[3].plus(p0.dot(w[0])).plus(p1.dot(w[1])).plus(p2.dot(w[2]));
    let weights = Lanes::new([1, 2, 0x1_0002, 0x2_0002]);
    let on_diagonal = [
        p0.dot(w[6].times16(weights)),
        p1.dot(w[5].times16(weights)),
        p2.dot(w[4].times16(weights)),
        p3.dot(w[3].times16(weights)),
    ];
    for ((columns, sum), diagonal) in columns.iter_mut().zip(sums).zip(on_diagonal) {
        columns.add(sum);
        *columns = columns.twice_plus(diagonal);
    }
    columns
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    /// The most a limb can be in absolute value.
    const LIMB: i64 = 4096 + 136;
    const HALF: i64 = 1 << (LIMB_BITS - 1);

    /// The bounds of `fold` for |x| ≤ bound; fails where its rounding could overflow a lane.
    fn folded(bound: i64) -> (i64, i64) {
        assert!(bound + HALF < 1 << 31, "{bound} overflows a lane");
        (HALF, (bound + HALF) >> LIMB_BITS)
    }

    /// The bound of a limb that `Carries::push` makes of columns with these bounds.
    fn pushed(rest: i64, carry: i64) -> i64 {
        let (rest, second) = folded(rest + carry);
        rest + second
    }

    #[test]
    fn no_accumulator_can_overflow() {
        // The longest modulus in use: 4096 bits and 2 to spare, in multiples of 16 limbs.
        let longest = i64::from((4096 + 2_u32).div_ceil(16 * LIMB_BITS) * 4);
        let rows = longest / 2;
        let products = |count: i64| count * LIMB * LIMB;
        let full = i64::try_from(ROWS_A_FOLD).unwrap();

        // product_tile: every row of eight limbs adds eight products to a column.
        let (rest, carry) = folded(products(8 * full));
        let folds = (rows + full - 1) / full;
        let (rest, carry) = (folds * rest, folds * carry);
        assert!(rest < 1 << 31 && carry < 1 << 31);
        assert!(pushed(rest, carry) <= LIMB);
        // … with the limbs of T added, as the reduction does.
        assert!(pushed(rest + LIMB, carry) <= LIMB);

        // square_tile: at most half the rows, the last of them with three pairs of the diagonal
        // row, doubled; one dot with weights up to 2.
        let (rest, carry) = folded(products(8 * full + 6));
        let folds = (rows / 2 + full - 1) / full;
        let (rest, diagonal) = folded(2 * folds * rest + products(4));
        assert!(pushed(rest, 2 * folds * carry + diagonal) <= LIMB);
        const { assert!(2 * LIMB < 1 << 15, "a doubled limb fits sixteen bits") };

        // middle_columns and the carry into the upper half: |T + q·n| below B, in its columns'
        // worst case, over B.
        let worst = products(4 * longest) + LIMB;
        assert!((worst >> LIMB_BITS) + (worst >> (2 * LIMB_BITS)) + 2 < 1 << 31);
        assert!(pushed(rest + LIMB, (worst >> LIMB_BITS) + (worst >> (2 * LIMB_BITS)) + 2) <= LIMB);
        // What the columns below those four amount to, in units of 2¹³ of the highest: no rounding
        // can turn on it.
        assert!(worst >> (3 * LIMB_BITS) == 0);

        // |q| < 0.52·B: limbs up to LIMB in every place, over 2¹³ in the one above.
        const { assert!(LIMB * 100 < 52 * ((1 << LIMB_BITS) - 1)) };
    }

    /// Limbs as a number.
    fn value(limbs: &[Lanes]) -> BigInt {
        limbs
            .iter()
            .rev()
            .flat_map(|lanes| lanes.to_array().into_iter().rev())
            .fold(BigInt::ZERO, |sum, limb| (sum << LIMB_BITS) + limb)
    }

    fn number(length: usize, mut limb: impl FnMut(usize) -> i64) -> Vec<Lanes> {
        let lanes = |place: usize, limb: &mut dyn FnMut(usize) -> i64| {
            core::array::from_fn(|lane| i32::try_from(limb(4 * place + lane)).unwrap())
        };
        (0..length).map(|place| Lanes::new(lanes(place, &mut limb))).collect()
    }

    /// Every product and square of extreme limbs: all at either bound, alternating, and one alone.
    #[test]
    fn products_of_extreme_limbs_are_exact() {
        let mut random = ChaCha20Rng::seed_from_u64(13);
        for length in [40, 44, 60, 80] {
            let count = 4 * length;
            let mut numbers = vec![
                number(length, |_| 0),
                number(length, |_| LIMB),
                number(length, |_| -LIMB),
                number(length, |place| if place % 2 == 0 { LIMB } else { -LIMB }),
                number(length, |place| i64::from(place == 0)),
                number(length, |place| if place == count - 1 { LIMB } else { 0 }),
                number(length, |_| HALF - 1),
                number(length, |_| -HALF),
            ];
            numbers.extend((0..4).map(|_| number(length, |_| random.gen_range(-LIMB..=LIMB))));
            for a in &numbers {
                let mut rows = Vec::new();
                set_rows(&mut rows, a);
                for b in &numbers {
                    let windows = Windows::of(b);
                    let tiles = |tile: fn(&[Lanes], &Windows, usize) -> [Columns; 4]| {
                        let mut carries = Carries::from(0);
                        let mut limbs: Vec<Lanes> = (0..2 * length)
                            .step_by(4)
                            .flat_map(|at| tile(&rows, &windows, at))
                            .map(|columns| carries.push(columns))
                            .collect();
                        assert!(
                            limbs
                                .iter()
                                .all(|lanes| lanes.to_array().iter().all(|limb| i64::from(*limb).abs() <= LIMB))
                        );
                        // What went out at the top.
                        limbs.extend([carries.push(Columns::ZERO), carries.push(Columns::ZERO)]);
                        value(&limbs)
                    };
                    assert_eq!(tiles(product_tile), value(a) * value(b));
                    if core::ptr::eq(a, b) {
                        assert_eq!(tiles(square_tile), value(a) * value(a));
                    }
                    let middle = middle_columns(&rows, &windows).sums();
                    let whole = product_tile(&rows, &windows, length - 4)[3].sums();
                    assert_eq!(middle, whole);
                }
            }
        }
    }
}
