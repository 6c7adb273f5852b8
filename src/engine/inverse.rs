//! Inversion modulo an odd number, in variable time: divsteps in batches of 29, applied to the
//! whole numbers as 2×2 matrices (Bernstein, Yang, “Fast constant-time gcd computation and modular
//! inversion”, 2019, in the form of libsecp256k1's `modinv32_var`, doc/safegcd_implementation.md;
//! δ starts at 1 and is held as η = −δ).
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "bounds are stated, computed by an interval test and checked by debug builds; arrays have a fixed length"
)]

use super::limbs::{LIMB_BITS, MASK, Number, WIDEST, add, canonicalize, widened};

/// Twenty-nine divsteps as a matrix: 2²⁹·(f', g') = (u·f + v·g, q·f + r·g). |u| + |v| ≤ 2²⁹
/// and |q| + |r| ≤ 2²⁹.
struct Batch {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// The matrix of the next 29 divsteps, which the lowest limbs of f (odd) and g determine, and η
/// after them.
///
/// Zeros of g are shifted out together; then up to six of its bits at once are cancelled by a
/// multiple of f: f·(f² − 2) = −f⁻¹ mod 2⁶ for odd f.
fn divsteps(mut eta: i32, f: i32, g: i32) -> (i32, Batch) {
    let (mut f, mut g) = (f as u32, g as u32);
    let (mut u, mut v, mut q, mut r) = (1_u32, 0_u32, 0_u32, 1_u32);
    let mut left = LIMB_BITS as u32;
    loop {
        let zeros = (g | u32::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        eta -= zeros as i32;
        left -= zeros;
        if left == 0 {
            break;
        }
        if eta < 0 {
            eta = -eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        let cancelled = (eta as u32 + 1).min(left).min(6);
        let multiple = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)).wrapping_mul(g) & ((1 << cancelled) - 1);
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
    let wide = |entry: u32| i64::from(entry as i32);
    (eta, Batch { u: wide(u), v: wide(v), q: wide(q), r: wide(r) })
}

/// (f, g) ← batch·(f, g)/2²⁹, on their `length` lowest limbs; the division is exact. Limbs in [0,
/// 2²⁹) but the highest, signed.
fn apply(batch: &Batch, f: &mut Number, g: &mut Number, length: usize) {
    let (mut carry_f, mut carry_g) = (0, 0);
    for i in 0..length.min(WIDEST) {
        let (limb_f, limb_g) = (i64::from(f[i]), i64::from(g[i]));
        carry_f += batch.u * limb_f + batch.v * limb_g;
        carry_g += batch.q * limb_f + batch.r * limb_g;
        if i > 0 {
            f[i - 1] = (carry_f & MASK) as i32;
            g[i - 1] = (carry_g & MASK) as i32;
        }
        carry_f >>= LIMB_BITS;
        carry_g >>= LIMB_BITS;
    }
    f[length - 1] = carry_f as i32;
    g[length - 1] = carry_g as i32;
}

/// (d, e) ← batch·(d, e)/2²⁹ modulo the modulus; both stay in (−2·modulus, modulus).
fn apply_modular(batch: &Batch, d: &mut Number, e: &mut Number, modulus: &[i32], negated_inverse: u32) {
    let length = modulus.len().min(WIDEST);
    let (sign_d, sign_e) = (i64::from(d[length - 1] >> 31), i64::from(e[length - 1] >> 31));
    // One modulus for each negative number, and then the multiple that clears the lowest 29 bits.
    let multiple = |carry: i64, of_signs: i64| {
        let added = i64::from((carry as u32).wrapping_mul(negated_inverse));
        of_signs - ((of_signs - added) & MASK)
    };
    let (limb_d, limb_e) = (i64::from(d[0]), i64::from(e[0]));
    let mut carry_d = batch.u * limb_d + batch.v * limb_e;
    let mut carry_e = batch.q * limb_d + batch.r * limb_e;
    let of_d = multiple(carry_d, (batch.u & sign_d) + (batch.v & sign_e));
    let of_e = multiple(carry_e, (batch.q & sign_d) + (batch.r & sign_e));
    carry_d = (carry_d + i64::from(modulus[0]) * of_d) >> LIMB_BITS;
    carry_e = (carry_e + i64::from(modulus[0]) * of_e) >> LIMB_BITS;
    for i in 1..length {
        let (limb_d, limb_e, limb) = (i64::from(d[i]), i64::from(e[i]), i64::from(modulus[i]));
        carry_d += batch.u * limb_d + batch.v * limb_e + limb * of_d;
        carry_e += batch.q * limb_d + batch.r * limb_e + limb * of_e;
        d[i - 1] = (carry_d & MASK) as i32;
        e[i - 1] = (carry_e & MASK) as i32;
        carry_d >>= LIMB_BITS;
        carry_e >>= LIMB_BITS;
    }
    d[length - 1] = carry_d as i32;
    e[length - 1] = carry_e as i32;
    let range = -2 * modulus[length - 1] - 2..=modulus[length - 1];
    debug_assert!(
        range.contains(&d[length - 1]) && range.contains(&e[length - 1]),
        "d or e left (−2·modulus, modulus)"
    );
}

/// result ← result·x⁻¹ modulo an odd modulus, in [0, modulus); `false` where x has none. x and
/// result in [0, modulus), as long as it.
///
/// With f = modulus, g = x, d = 0, e = start, every batch keeps d·x ≡ f·start and e·x ≡ g·start;
/// when g is 0, f is ±gcd and the inverse is ±d. For numbers of b bits g is 0 after at most
/// (49·b + 57)/17 divsteps (theorem 11.2 of the paper, b ≥ 46).
#[inline(never)]
pub(super) fn divide(result: &mut [i32], x: &[i32], modulus: &[i32], negated_inverse: u32) -> bool {
    let (mut f, mut g, mut d, mut e) = (widened(modulus), widened(x), [0; WIDEST], widened(result));
    let mut eta = -1;
    let mut length = modulus.len().min(WIDEST);
    for _ in 0..(49 * LIMB_BITS * length + 57) / 17 / LIMB_BITS + 1 {
        let batch;
        (eta, batch) = divsteps(eta, f[0], g[0]);
        apply_modular(&batch, &mut d, &mut e, modulus, negated_inverse);
        apply(&batch, &mut f, &mut g, length);
        // A highest limb that is only the sign goes into the one below.
        while length > 1 && f[length - 1] == f[length - 1] >> 31 && g[length - 1] == g[length - 1] >> 31 {
            f[length - 2] |= f[length - 1] << LIMB_BITS;
            g[length - 2] |= g[length - 1] << LIMB_BITS;
            length -= 1;
        }
        if length == 1 && g[0] == 0 {
            break;
        }
    }
    if length != 1 || g[0] != 0 || f[0].abs() != 1 {
        return false;
    }
    // d is in (−2·modulus, modulus), so that −d is in (−modulus, 2·modulus).
    result.fill(0);
    let d = d.get(..result.len()).unwrap_or(&d);
    add(result, d, f[0]);
    canonicalize(result, modulus);
    true
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;

    use super::super::{
        ecdsa::{curves::*, montgomery::Modulus},
        limbs::{halved, less, plus},
    };
    use super::*;

    fn inverse<M: Modulus<L>, const L: usize>(x: &[i32; L], start: &[i32; L]) -> Option<[i32; L]> {
        let mut result = *start;
        divide(&mut result, x, &M::LIMBS, M::NEGATED_INVERSE).then_some(result)
    }

    fn inverses_are_inverses<M: Modulus<L>, const L: usize>() {
        let number = |limbs: &[i32; L]| limbs.iter().rev().fold(BigInt::ZERO, |sum, limb| (sum << LIMB_BITS) + limb);
        let modulus = number(&M::LIMBS);
        let one = core::array::from_fn(|i| i32::from(i == 0));
        assert_eq!(inverse::<M, L>(&[0; L], &one), None);
        let mut values = vec![
            one,
            plus(&M::LIMBS, &one, -1),
            plus(&M::LIMBS, &plus(&one, &one, 1), -1),
            halved(&M::LIMBS),
            M::ONE,
            M::R_SQUARED,
        ];
        for bit in (0..M::BITS - 1).step_by(7) {
            values.push(core::array::from_fn(|i| if i == bit / LIMB_BITS { 1 << (bit % LIMB_BITS) } else { 0 }));
        }
        let mut seed = 1_u64;
        for _ in 0..2000 {
            let value = core::array::from_fn(|i| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 35) as i32 & if i + 1 < L { MASK as i32 } else { (1 << M::TOP_BITS) - 1 }
            });
            if less(&value, &M::LIMBS) {
                values.push(value);
            }
        }
        assert!(values.len() > 500, "{}", values.len());
        for (i, x) in values.iter().enumerate() {
            let start = values[(i * 5 + 1) % values.len()];
            let result = inverse::<M, L>(x, &start).unwrap();
            assert!(less(&result, &M::LIMBS));
            assert_eq!(number(&result) * number(x) % &modulus, number(&start), "{x:?}");
        }
    }

    /// The most that a batch can do to numbers at the ends of (−2·modulus, modulus);
    /// `apply_modular` asserts where they are then.
    #[test]
    fn numbers_at_the_ends_of_their_range_stay_in_it() {
        fn holds<M: Modulus<L>, const L: usize>() {
            let one = core::array::from_fn(|i| i32::from(i == 0));
            let least = plus(&plus(&plus(&[0; L], &M::LIMBS, -1), &M::LIMBS, -1), &one, 1);
            let ends = [least, plus(&M::LIMBS, &one, -1), plus(&[0; L], &one, -1)];
            let most = 1 << (LIMB_BITS - 1);
            for d in ends {
                for e in ends {
                    for (u, v) in [
                        (most, most),
                        (-most, -most),
                        (most, -most),
                        (2 * most, 0),
                        (-2 * most, 0),
                        (0, 2 * most),
                        (0, -2 * most),
                    ] {
                        let widened = |limbs: [i32; L]| core::array::from_fn(|i| limbs.get(i).copied().unwrap_or(0));
                        let (mut d, mut e): (Number, Number) = (widened(d), widened(e));
                        apply_modular(&Batch { u, v, q: -v, r: u }, &mut d, &mut e, &M::LIMBS, M::NEGATED_INVERSE);
                    }
                }
            }
        }
        holds::<P256Order, 9>();
        holds::<P384Order, 14>();
        holds::<P521Order, 18>();
        holds::<Secp256k1Order, 9>();
        holds::<P521Field, 18>();
    }

    /// The magnitudes that a column of `apply` and `apply_modular` can reach, a carry from below
    /// included.
    fn largest_column(entries: i128, limb: i128, multiple: i128, modulus_limb: i128) -> i128 {
        let mut carry = 0;
        for _ in 0..WIDEST {
            carry = ((entries * limb + multiple * modulus_limb + carry) >> LIMB_BITS) + 1;
        }
        entries * limb + multiple * modulus_limb + carry
    }

    #[test]
    fn no_accumulator_can_overflow() {
        // |u| + |v| ≤ 2²⁹, limbs are i32; the multiple is what two signs choose of u and v, less at most 2²⁹ − 1.
        let (entries, limb, mask) = (1 << LIMB_BITS, 1 << 31, i128::from(MASK));
        let multiple = entries + mask;
        assert!(largest_column(entries, limb, 0, 0) < 1 << 63);
        assert!(largest_column(entries, limb, multiple, mask) < 1 << 63);
        // and the check itself fails where it should: batches of 32 divsteps would not do
        assert!(largest_column(1 << 32, limb, 1 << 33, mask) >= 1 << 63);
    }

    #[test]
    fn inverses_modulo_every_prime_are_inverses() {
        inverses_are_inverses::<P256Field, 9>();
        inverses_are_inverses::<P384Field, 14>();
        inverses_are_inverses::<P521Field, 18>();
        inverses_are_inverses::<Secp256k1Field, 9>();
        inverses_are_inverses::<P256Order, 9>();
        inverses_are_inverses::<P384Order, 14>();
        inverses_are_inverses::<P521Order, 18>();
        inverses_are_inverses::<Secp256k1Order, 9>();
    }
}
