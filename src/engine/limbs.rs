//! Plain numbers in limbs of 29 bits, lowest first: bytes in and out, comparison, sums, and what
//! the constants of a modulus are derived with at compile time.
//!
//! What runs once a signature takes slices of any length, so that WebAssembly holds it once and
//! not once a curve.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "limbs are below 2^29, and lengths are those of a curve's arrays: neither depends on input"
)]

/// Bits of a limb.
pub(crate) const LIMB_BITS: usize = 29;
/// The value bits of a limb.
pub(crate) const MASK: i64 = (1 << LIMB_BITS) - 1;
/// The most limbs a number has: those of P-521.
pub(crate) const WIDEST: usize = 18;
/// A number of any curve: what has fewer limbs leaves the highest 0. One length for all keeps one
/// copy of the code.
pub(crate) type Number = [i32; WIDEST];

/// The limbs as the lowest of a [`Number`].
pub(crate) fn widened(limbs: &[i32]) -> Number {
    let mut number = [0; WIDEST];
    number.iter_mut().zip(limbs).for_each(|(limb, from)| *limb = *from);
    number
}

/// The number that big-endian `bytes` spell, into limbs that are 0; `false` where it has more bits
/// than they.
#[inline(never)]
pub(crate) fn read(bytes: &[u8], limbs: &mut [i32]) -> bool {
    for (i, byte) in bytes.iter().rev().enumerate() {
        let (place, shift) = (8 * i / LIMB_BITS, 8 * i % LIMB_BITS);
        let shifted = i64::from(*byte) << shift;
        for (place, part) in [(place, shifted & MASK), (place + 1, shifted >> LIMB_BITS)] {
            match limbs.get_mut(place) {
                Some(limb) => *limb |= part as i32,
                None if part == 0 => {}
                None => return false,
            }
        }
    }
    true
}

/// The number as big-endian bytes, filling `bytes`. Limbs in [0, 2²⁹).
pub(crate) fn write_bytes(limbs: &[i32], bytes: &mut [u8]) {
    for (i, byte) in bytes.iter_mut().rev().enumerate() {
        *byte = bits(limbs, 8 * i, 8) as u8;
    }
}

/// Bits `from..from + count` (count ≤ 16) of a number; those above its limbs are 0. Limbs in [0,
/// 2²⁹).
#[inline]
pub(crate) fn bits(limbs: &[i32], from: usize, count: usize) -> i32 {
    let (place, shift) = (from / LIMB_BITS, from % LIMB_BITS);
    let low = limbs.get(place).map_or(0, |limb| i64::from(*limb));
    let high = limbs.get(place + 1).map_or(0, |limb| i64::from(*limb));
    (((low | high << LIMB_BITS) >> shift) & ((1 << count) - 1)) as i32
}

/// a < b, of one length. Limbs in [0, 2²⁹) but the highest, which is signed.
#[inline(never)]
pub(crate) const fn less(a: &[i32], b: &[i32]) -> bool {
    let mut i = a.len();
    while i > 0 {
        i -= 1;
        if a[i] != b[i] {
            return a[i] < b[i];
        }
    }
    false
}

/// a += sign·b for a sign of 1 or −1, of one length, carried; the highest limb takes what is left.
#[inline(never)]
pub(crate) const fn add(a: &mut [i32], b: &[i32], sign: i32) {
    let (mut i, mut carry) = (0, 0);
    while i < a.len() {
        let limb = a[i] + sign * b[i] + carry;
        a[i] = if i + 1 < a.len() { limb & MASK as i32 } else { limb };
        carry = limb >> LIMB_BITS;
        i += 1;
    }
}

/// a + sign·b as a value.
pub(crate) const fn plus<const L: usize>(a: &[i32; L], b: &[i32; L], sign: i32) -> [i32; L] {
    let mut sum = *a;
    add(&mut sum, b, sign);
    sum
}

/// The representative in [0, modulus), limbs in [0, 2²⁹), of a number within ±64·modulus; limbs
/// are any whose carried sum fits.
///
/// One step a multiple: callers' numbers are within ±8·modulus.
#[inline(never)]
pub(crate) fn canonicalize(limbs: &mut [i32], modulus: &[i32]) {
    let mut carry = 0;
    if let Some((top, lower)) = limbs.split_last_mut() {
        for limb in lower {
            let sum = i64::from(*limb) + carry;
            *limb = (sum & MASK) as i32;
            carry = sum >> LIMB_BITS;
        }
        *top += carry as i32;
    }
    while limbs.last().is_some_and(|top| *top < 0) {
        add(limbs, modulus, 1);
    }
    while !less(limbs, modulus) {
        add(limbs, modulus, -1);
    }
}

/// a·b/R modulo the modulus, in [0, 2·modulus): row by row with the reduction interleaved (CIOS;
/// Koç, Acar, Kaliski 1996). Both factors in [0, modulus) or one of them below R and the other
/// below the modulus, limbs in [0, 2²⁹), all of one length; `out` is 0 at first. A sum is below
/// 2·2⁵⁸ + 2³⁰. 2·L² products, in a loop: for the few products modulo a group order.
#[inline(never)]
pub(crate) fn multiply(out: &mut [i32], a: &[i32], b: &[i32], modulus: &[i32], negated_inverse: u32) {
    let length = out.len();
    for a in a {
        let a = i64::from(*a);
        let lowest = i64::from(out[0]) + a * i64::from(b[0]);
        let m = i64::from((lowest as u32).wrapping_mul(negated_inverse)) & MASK;
        let mut carry = (lowest + m * i64::from(modulus[0])) >> LIMB_BITS;
        for i in 1..length {
            carry += i64::from(out[i]) + a * i64::from(b[i]) + m * i64::from(modulus[i]);
            out[i - 1] = (carry & MASK) as i32;
            carry >>= LIMB_BITS;
        }
        out[length - 1] = carry as i32;
    }
}

/// Half of a non-negative number, rounded down. Limbs in [0, 2²⁹).
#[cfg(test)]
pub(crate) const fn halved<const L: usize>(a: &[i32; L]) -> [i32; L] {
    let mut half = [0; L];
    let mut i = 0;
    while i < L {
        let above = if i + 1 < L { a[i + 1] & 1 } else { 0 };
        half[i] = (a[i] >> 1) | above << (LIMB_BITS - 1);
        i += 1;
    }
    half
}

/// Hexadecimal digits as limbs, for constants alone: another character, or a number too long,
/// fails the build.
pub(crate) const fn from_hex<const L: usize>(hex: &str) -> [i32; L] {
    let digits = hex.as_bytes();
    let mut limbs = [0; L];
    let mut i = 0;
    while i < digits.len() {
        let digit = digits[digits.len() - 1 - i];
        // Anything but 0-9 and a-f underflows, or is more than 15 and does so in the subtraction
        // from 15.
        let digit = if digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
        let digit = 15 - (15 - digit);
        let mut bit = 0;
        while bit < 4 {
            let place = 4 * i + bit;
            // A leading zero may stand above the highest limb.
            if digit >> bit & 1 == 1 {
                limbs[place / LIMB_BITS] |= 1 << (place % LIMB_BITS);
            }
            bit += 1;
        }
        i += 1;
    }
    limbs
}

/// The place of the highest bit, plus one.
pub(crate) const fn bit_length<const L: usize>(limbs: &[i32; L]) -> usize {
    let mut i = L;
    while i > 0 {
        i -= 1;
        if limbs[i] != 0 {
            return LIMB_BITS * i + 32 - limbs[i].leading_zeros() as usize;
        }
    }
    0
}

/// number·2^times mod modulus, by doubling; number below modulus.
pub(crate) const fn doubled<const L: usize>(number: &[i32; L], times: usize, modulus: &[i32; L]) -> [i32; L] {
    let mut number = *number;
    let mut i = 0;
    while i < times {
        number = plus(&number, &number, 1);
        if !less(&number, modulus) {
            number = plus(&number, modulus, -1);
        }
        i += 1;
    }
    number
}

/// The same number in digits of (−2²⁸, 2²⁸], which for a number close to powers of two are mostly
/// 0 and small powers.
pub(crate) const fn signed_digits<const L: usize>(limbs: &[i32; L]) -> [i64; L] {
    let mut digits = [0; L];
    let (mut i, mut carry) = (0, 0);
    while i < L {
        let limb = limbs[i] as i64 + carry;
        carry = (limb > 1 << 28 && i + 1 < L) as i64;
        digits[i] = limb - (carry << LIMB_BITS);
        i += 1;
    }
    digits
}

/// −x⁻¹ mod 2²⁹ for odd x, by Newton's iteration y ← y·(2 − x·y), which doubles the correct bits:
/// 3, 6, 12, 24, 48.
pub(crate) const fn negated_inverse(x: i32) -> u32 {
    let x = x as u32;
    let mut inverse = x;
    let mut i = 0;
    while i < 4 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(x.wrapping_mul(inverse)));
        i += 1;
    }
    inverse.wrapping_neg() & MASK as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_bytes<const L: usize>(bytes: &[u8]) -> Option<[i32; L]> {
        let mut limbs = [0; L];
        read(bytes, &mut limbs).then_some(limbs)
    }

    #[test]
    fn bytes_that_do_not_fit_are_refused() {
        assert!(from_bytes::<9>(&[255; 32]).is_some());
        let mut wide = [0; 40];
        wide[7] = 31; // bits 256 to 260
        assert!(from_bytes::<9>(&wide).is_some());
        wide[7] = 32; // bit 261
        assert_eq!(from_bytes::<9>(&wide), None);
        assert!(from_bytes::<18>(&[[3].as_slice(), &[255; 65]].concat()).is_some());
        assert_eq!(from_bytes::<18>(&[[4].as_slice(), &[0; 65]].concat()), None);
        assert_eq!(from_bytes::<9>(&[]), Some([0; 9]));
    }

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let bytes: Vec<u8> = (0..66).map(|i| if i == 0 { 1 } else { 251_u8.wrapping_mul(i) }).collect();
        let mut out = [0; 66];
        write_bytes(&from_bytes::<18>(&bytes).unwrap(), &mut out);
        assert_eq!(bytes, out);
    }

    #[test]
    fn multiples_of_a_modulus_are_taken_off() {
        let modulus = from_hex::<2>("3ffffffffffff1");
        for multiple in -64..=64 {
            let mut limbs = [5, 0];
            (0..i32::abs(multiple)).for_each(|_| add(&mut limbs, &modulus, multiple.signum()));
            canonicalize(&mut limbs, &modulus);
            assert_eq!(limbs, [5, 0]);
        }
        let mut limbs = [i32::MIN, 4];
        canonicalize(&mut limbs, &modulus);
        assert_eq!(limbs, [0, 0]);
        assert!(less(&[5, -1], &[0, 0]) && less(&[4, 1], &[5, 1]) && !less(&[5, 1], &[5, 1]));
    }
}
