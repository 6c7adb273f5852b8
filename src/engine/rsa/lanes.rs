//! Four 32-bit lanes, and the one instruction the RSA engine is built on: `i32x4.dot_i16x8_s`,
//! eight 16-bit products with their neighbours summed. It is `pmaddwd` on x86-64 and
//! `smull`/`smull2`/`addp` on arm64, and it needs no shuffle to get at its operands, which
//! `i64x2.extmul` does in V8. In WebAssembly a 64-bit multiplication yields 29·29 bits in about 3
//! operations; this yields 8·13·13.
//!
//! Elsewhere the same type is an array. Its additions are plain ones, so that a test build traps
//! where a bound is broken.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod imp {
    use core::arch::wasm32::{
        i16x8_mul, i32x4, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_shl, i32x4_shr, i32x4_shuffle,
        i32x4_splat, i32x4_sub, u32x4_shl, v128, v128_and, v128_or,
    };

    /// Four 32-bit lanes, or eight 16-bit ones; lane 0 is the least significant.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Lanes(v128);

    impl Lanes {
        /// Four zeros.
        pub(in super::super) const ZERO: Lanes = Lanes(i32x4(0, 0, 0, 0));

        /// From four lanes.
        #[inline(always)]
        pub(in super::super) fn new(lanes: [i32; 4]) -> Self {
            Lanes(i32x4(lanes[0], lanes[1], lanes[2], lanes[3]))
        }

        /// The four lanes.
        #[inline(always)]
        pub(in super::super) fn to_array(self) -> [i32; 4] {
            let v = self.0;
            [
                i32x4_extract_lane::<0>(v),
                i32x4_extract_lane::<1>(v),
                i32x4_extract_lane::<2>(v),
                i32x4_extract_lane::<3>(v),
            ]
        }

        /// Lane by lane `self + other`.
        #[inline(always)]
        pub(in super::super) fn plus(self, other: Self) -> Self {
            Lanes(i32x4_add(self.0, other.0))
        }

        /// Lane by lane `self − other`.
        #[inline(always)]
        pub(in super::super) fn minus(self, other: Self) -> Self {
            Lanes(i32x4_sub(self.0, other.0))
        }

        /// Per 32-bit lane: the product of the low halves plus the product of the high halves, all
        /// signed.
        #[inline(always)]
        pub(in super::super) fn dot(self, other: Self) -> Self {
            Lanes(i32x4_dot_i16x8(self.0, other.0))
        }

        /// Eight 16-bit products modulo 2¹⁶.
        #[inline(always)]
        pub(in super::super) fn times16(self, other: Self) -> Self {
            Lanes(i16x8_mul(self.0, other.0))
        }

        /// `self · 2^bits`, lane by lane.
        #[inline(always)]
        pub(in super::super) fn shl(self, bits: u32) -> Self {
            Lanes(i32x4_shl(self.0, bits))
        }

        /// `⌊self / 2^bits⌋`, lane by lane, signed.
        #[inline(always)]
        pub(in super::super) fn sar(self, bits: u32) -> Self {
            Lanes(i32x4_shr(self.0, bits))
        }

        /// All four lanes the lane `LANE`.
        #[inline(always)]
        pub(in super::super) fn splat_lane<const LANE: usize>(self) -> Self {
            Lanes(i32x4_shuffle::<LANE, LANE, LANE, LANE>(self.0, self.0))
        }

        /// All four lanes `value`.
        #[inline(always)]
        pub(in super::super) fn splat(value: i32) -> Self {
            Lanes(i32x4_splat(value))
        }

        /// The lanes moved up by one: lane 3 of `previous` comes in at the bottom.
        #[inline(always)]
        pub(in super::super) fn after(self, previous: Self) -> Self {
            Lanes(i32x4_shuffle::<3, 4, 5, 6>(previous.0, self.0))
        }

        /// The upper two lanes of `self`, then the lower two of `next`.
        #[inline(always)]
        pub(in super::super) fn straddle(self, next: Self) -> Self {
            Lanes(i32x4_shuffle::<2, 3, 4, 5>(self.0, next.0))
        }

        /// The even lanes of `self` and `next`.
        #[inline(always)]
        pub(in super::super) fn evens(self, next: Self) -> Self {
            Lanes(i32x4_shuffle::<0, 2, 4, 6>(self.0, next.0))
        }

        /// The odd lanes of `self` and `next`.
        #[inline(always)]
        pub(in super::super) fn odds(self, next: Self) -> Self {
            Lanes(i32x4_shuffle::<1, 3, 5, 7>(self.0, next.0))
        }

        /// Per lane the low half of `self` below the low half of `high`.
        #[inline(always)]
        pub(in super::super) fn pair(self, high: Self) -> Self {
            Lanes(v128_or(v128_and(self.0, i32x4_splat(0xffff)), u32x4_shl(high.0, 16)))
        }
    }
}

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "constant indices; the additions are plain so that a test build traps where a bound is broken"
)]
mod imp {
    /// Four 32-bit lanes, or eight 16-bit ones; lane 0 is the least significant.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Lanes([i32; 4]);

    /// The signed low and high halves of a lane.
    #[inline(always)]
    fn halves(lane: i32) -> (i32, i32) {
        ((lane << 16) >> 16, lane >> 16)
    }

    impl Lanes {
        /// Four zeros.
        pub(in super::super) const ZERO: Lanes = Lanes([0; 4]);

        /// From four lanes.
        #[inline(always)]
        pub(in super::super) fn new(lanes: [i32; 4]) -> Self {
            Lanes(lanes)
        }

        /// The four lanes.
        #[inline(always)]
        pub(in super::super) fn to_array(self) -> [i32; 4] {
            self.0
        }

        /// Lane by lane.
        #[inline(always)]
        fn zip(self, other: Self, f: impl Fn(i32, i32) -> i32) -> Self {
            let (a, b) = (self.0, other.0);
            Lanes([f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])])
        }

        /// Lane by lane `self + other`.
        #[inline(always)]
        pub(in super::super) fn plus(self, other: Self) -> Self {
            self.zip(other, |a, b| a + b)
        }

        /// Lane by lane `self − other`.
        #[inline(always)]
        pub(in super::super) fn minus(self, other: Self) -> Self {
            self.zip(other, |a, b| a - b)
        }

        /// Per 32-bit lane: the product of the low halves plus the product of the high halves, all
        /// signed.
        #[inline(always)]
        pub(in super::super) fn dot(self, other: Self) -> Self {
            self.zip(other, |a, b| {
                let ((al, ah), (bl, bh)) = (halves(a), halves(b));
                al * bl + ah * bh
            })
        }

        /// Eight 16-bit products modulo 2¹⁶.
        #[inline(always)]
        pub(in super::super) fn times16(self, other: Self) -> Self {
            self.zip(other, |a, b| {
                let ((al, ah), (bl, bh)) = (halves(a), halves(b));
                ((al * bl) & 0xffff) | ((ah * bh) << 16)
            })
        }

        /// `self · 2^bits`, lane by lane.
        #[inline(always)]
        pub(in super::super) fn shl(self, bits: u32) -> Self {
            Lanes(self.0.map(|a| a << bits))
        }

        /// `⌊self / 2^bits⌋`, lane by lane, signed.
        #[inline(always)]
        pub(in super::super) fn sar(self, bits: u32) -> Self {
            Lanes(self.0.map(|a| a >> bits))
        }

        /// All four lanes the lane `LANE`.
        #[inline(always)]
        pub(in super::super) fn splat_lane<const LANE: usize>(self) -> Self {
            Lanes([self.0[LANE]; 4])
        }

        /// All four lanes `value`.
        #[inline(always)]
        pub(in super::super) fn splat(value: i32) -> Self {
            Lanes([value; 4])
        }

        /// The lanes moved up by one: lane 3 of `previous` comes in at the bottom.
        #[inline(always)]
        pub(in super::super) fn after(self, previous: Self) -> Self {
            Lanes([previous.0[3], self.0[0], self.0[1], self.0[2]])
        }

        /// The upper two lanes of `self`, then the lower two of `next`.
        #[inline(always)]
        pub(in super::super) fn straddle(self, next: Self) -> Self {
            Lanes([self.0[2], self.0[3], next.0[0], next.0[1]])
        }

        /// The even lanes of `self` and `next`.
        #[inline(always)]
        pub(in super::super) fn evens(self, next: Self) -> Self {
            Lanes([self.0[0], self.0[2], next.0[0], next.0[2]])
        }

        /// The odd lanes of `self` and `next`.
        #[inline(always)]
        pub(in super::super) fn odds(self, next: Self) -> Self {
            Lanes([self.0[1], self.0[3], next.0[1], next.0[3]])
        }

        /// Per lane the low half of `self` below the low half of `high`.
        #[inline(always)]
        pub(in super::super) fn pair(self, high: Self) -> Self {
            self.zip(high, |a, b| (a & 0xffff) | (b << 16))
        }
    }
}

pub(super) use imp::Lanes;
