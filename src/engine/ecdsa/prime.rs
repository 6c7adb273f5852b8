//! Numbers modulo a prime that is known when the program runs: what is done a handful of times a
//! signature, and thus once for all curves. A number is the lowest limbs of a [`Number`], as many
//! as the prime has; those above are 0.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "no prime has more limbs than a Number; sums are bounded where they are made"
)]

use super::{
    super::{
        inverse::divide,
        limbs::{LIMB_BITS, MASK, Number, WIDEST, canonicalize, less, multiply, read, widened},
    },
    montgomery::Modulus,
};

/// A [`Modulus`] as a value.
#[derive(Debug)]
pub(crate) struct Prime {
    /// Its limbs.
    pub(crate) modulus: &'static [i32],
    pub(crate) bits: usize,
    pub(crate) bytes: usize,
    /// 1 and R² mod p: 1 in Montgomery form, and what takes a number into it.
    pub(crate) one: &'static [i32],
    r_squared: &'static [i32],
    digits: &'static [i64],
    negated_inverse: u32,
}

impl Prime {
    pub(crate) const fn of<M: Modulus<L>, const L: usize>() -> Self {
        Prime {
            modulus: const { &M::LIMBS },
            bits: M::BITS,
            bytes: M::BYTES,
            one: const { &M::ONE },
            r_squared: const { &M::R_SQUARED },
            digits: const { &M::DIGITS },
            negated_inverse: M::NEGATED_INVERSE,
        }
    }

    /// The limbs in use.
    pub(crate) fn cut<'n>(&self, number: &'n Number) -> &'n [i32] {
        &number[..self.modulus.len()]
    }

    /// The number that big-endian `bytes` spell, below R; `None` for a larger one.
    pub(crate) fn below_r(&self, bytes: &[u8]) -> Option<Number> {
        let mut number = [0; WIDEST];
        read(bytes, &mut number[..self.modulus.len()]).then_some(number)
    }

    /// The number that big-endian `bytes` spell, below the prime; `None` for a larger one.
    pub(crate) fn residue(&self, bytes: &[u8]) -> Option<Number> {
        self.below_r(bytes).filter(|number| less(self.cut(number), self.modulus))
    }

    /// The factor that takes a number into Montgomery form.
    pub(crate) fn r_squared(&self) -> Number {
        widened(self.r_squared)
    }

    /// a·b/R in [0, 2·p). Operands as [`multiply`] has them. 2·L² products.
    pub(crate) fn product(&self, a: &Number, b: &Number) -> Number {
        let mut product = [0; WIDEST];
        let out = &mut product[..self.modulus.len()];
        multiply(out, self.cut(a), self.cut(b), self.modulus, self.negated_inverse);
        product
    }

    /// The representative in [0, p). Any limbs, value within ±64·p.
    pub(crate) fn canonical(&self, mut number: Number) -> Number {
        canonicalize(&mut number[..self.modulus.len()], self.modulus);
        number
    }

    /// Whether the number is 0 modulo p. Any limbs, value within ±64·p.
    pub(crate) fn is_zero(&self, number: Number) -> bool {
        self.canonical(number) == [0; WIDEST]
    }

    /// R²/x modulo p, in [0, p): of a number in Montgomery form, x = y·R, it is 1/y in Montgomery
    /// form. Any limbs, value within ±64·p. `None` for 0.
    pub(crate) fn inverted(&self, x: Number) -> Option<Number> {
        let mut result = self.r_squared();
        let x = self.canonical(x);
        divide(&mut result[..self.modulus.len()], self.cut(&x), self.modulus, self.negated_inverse).then_some(result)
    }

    /// x·a + y·b for small x and y (|x| + |y| ≤ 4). Tight operands or their negatives, tight
    /// result.
    pub(crate) fn combined(&self, x: i64, a: &Number, y: i64, b: &Number) -> Number {
        let mut sum = [0; WIDEST];
        combine(&mut sum[..self.modulus.len()], [x, y], [a, b], self.digits, self.bits);
        sum
    }
}

/// out = x·a + y·b, carried, folded by q = ⌊sum / 2^bits⌋ and carried again, for primes close
/// below 2^bits: the result is in [−2⁻²⁰·p, p + 2⁻²⁰·p]. |x| + |y| ≤ 4, limbs tight or their
/// negatives; sums are below 2³³, |q·digit| below 2³².
#[inline(never)]
pub(super) fn combine(out: &mut [i32], [x, y]: [i64; 2], [a, b]: [&[i32]; 2], digits: &[i64], bits: usize) {
    let length = out.len();
    let mut carry = 0;
    for i in 0..length {
        let sum = x * i64::from(a[i]) + y * i64::from(b[i]) + carry;
        carry = sum >> LIMB_BITS;
        out[i] = (if i + 1 < length { sum & MASK } else { sum }) as i32;
    }
    let top = &mut out[length - 1];
    let q = i64::from(*top >> (bits - LIMB_BITS * (length - 1)));
    carry = 0;
    for i in 0..length {
        let sum = i64::from(out[i]) - q * digits[i] + carry;
        carry = sum >> LIMB_BITS;
        out[i] = (if i + 1 < length { sum & MASK } else { sum }) as i32;
    }
}
