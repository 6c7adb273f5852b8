//! Inversion modulo p = 2²⁵⁵ − 19 by divisions by two, in about a third of the time of a power.
//!
//! D. J. Bernstein, B.-Y. Yang, "Fast constant-time gcd computation and modular inversion" (2019), taken variable-time as their §11
//! allows where nothing is secret: thirty division steps are worked out on the lowest words alone, as a 2×2 matrix t with
//! (f, g) ← t·(f, g)/2³⁰, which is then applied to f and g and, modulo p, to d and e. Throughout f ≡ d·x and g ≡ e·x (mod p),
//! up to the same power of two; when g = 0, f = ±1 and ±d is the inverse.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "constant indices into fixed arrays; every sum's bound is stated"
)]

/// Bits of a limb; nine make 270. Limbs are in 0…2³⁰−1 but for the highest, which has the sign.
const BITS: u32 = 30;
const MASK: i64 = (1 << BITS) - 1;

/// p's lowest and highest limb: −19 + 2¹⁵·2²⁴⁰. Those between are zero.
const LOWEST: i64 = -19;
const HIGHEST: i64 = 1 << 15;
/// p⁻¹ mod 2³⁰.
const INVERSE: i64 = {
    // Newton; −19 ≡ 5 (mod 8), and 5·5 ≡ 1.
    let mut x = 5_i64;
    let mut round = 0;
    while round < 4 {
        x = (x * (2 - ((LOWEST * x) & MASK))) & MASK;
        round += 1;
    }
    x
};

/// Thirty division steps as a matrix, scaled by 2³⁰: |u| + |v| ≤ 2³⁰ and |q| + |r| ≤ 2³⁰.
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// The inverse modulo p of a number in 0…p−1 given by its limbs; of 0, 0. The result is in (−2p, 2p). About 18 rounds of 72
/// products, against 265 of 45 or 81 for a power.
pub(super) fn inverse(x: [i64; 9]) -> [i64; 9] {
    let (mut d, mut e) = ([0; 9], [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    // p itself has to have its lowest limb in range.
    let mut f = [LOWEST & MASK, MASK, MASK, MASK, MASK, MASK, MASK, MASK, HIGHEST - 1];
    let mut g = x;
    let mut eta = -1;
    while g != [0; 9] {
        let steps = divide(&mut eta, f[0] as i32, g[0] as i32);
        (d, e) = applied_modulo_p(&steps, &d, &e);
        (f, g) = applied(&steps, &f, &g);
    }
    if f[8] < 0 { d.map(|limb| -limb) } else { d }
}

/// Thirty division steps from the lowest 30 bits of f and g; `eta` is −δ of the paper. As many steps as end in an even g are taken
/// at once, and up to six bits of g are cleared with one multiple of f.
fn divide(eta: &mut i32, f: i32, g: i32) -> Steps {
    let (mut f, mut g) = (f, g);
    let (mut u, mut v, mut q, mut r) = (1_i32, 0_i32, 0_i32, 1_i32);
    let mut left = BITS;
    loop {
        let zeros = (g as u32 | u32::MAX.wrapping_shl(left)).trailing_zeros();
        g >>= zeros;
        // |u| + |v| doubles with each step, to 2³⁰ at the end.
        u <<= zeros;
        v <<= zeros;
        *eta -= zeros as i32;
        left -= zeros;
        if left == 0 {
            return Steps { u: u.into(), v: v.into(), q: q.into(), r: r.into() };
        }
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, -u);
            (v, r) = (r, -v);
        }
        // The multiple of f that clears g's lowest bits: −g/f modulo 2⁶, f·(2 − f²) being 1/f there. No more bits than steps
        // are left, nor than may pass before eta changes its sign.
        let bits = (*eta as u32 + 1).min(left).min(6);
        let mask = (1 << bits) - 1;
        let multiple = g.wrapping_mul(f).wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)) & mask;
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q += u * multiple;
        r += v * multiple;
    }
}

/// `t·(f, g)/2³⁰`, which is exact. Sums stay below 2⁶¹.
fn applied(t: &Steps, f: &[i64; 9], g: &[i64; 9]) -> ([i64; 9], [i64; 9]) {
    let (mut new_f, mut new_g) = ([0; 9], [0; 9]);
    let mut cf = (t.u * f[0] + t.v * g[0]) >> BITS;
    let mut cg = (t.q * f[0] + t.r * g[0]) >> BITS;
    for i in 1..9 {
        cf += t.u * f[i] + t.v * g[i];
        cg += t.q * f[i] + t.r * g[i];
        (new_f[i - 1], new_g[i - 1]) = (cf & MASK, cg & MASK);
        (cf, cg) = (cf >> BITS, cg >> BITS);
    }
    (new_f[8], new_g[8]) = (cf, cg);
    (new_f, new_g)
}

/// `t·(d, e)/2³⁰` modulo p, in (−2p, p) as d and e are: p is added for each that is negative, and then the multiple of p that makes
/// the lowest 30 bits vanish is subtracted. Sums stay below 2⁶².
fn applied_modulo_p(t: &Steps, d: &[i64; 9], e: &[i64; 9]) -> ([i64; 9], [i64; 9]) {
    let (d_sign, e_sign) = (d[8] >> 63, e[8] >> 63);
    let row = |a: i64, b: i64| {
        let mut sum = a * d[0] + b * e[0];
        let positive = (a & d_sign) + (b & e_sign);
        let multiple = positive - ((INVERSE * (sum & MASK) + positive) & MASK);
        sum = (sum + LOWEST * multiple) >> BITS;
        let mut new = [0; 9];
        for i in 1..8 {
            sum += a * d[i] + b * e[i];
            new[i - 1] = sum & MASK;
            sum >>= BITS;
        }
        sum += a * d[8] + b * e[8] + HIGHEST * multiple;
        new[7] = sum & MASK;
        new[8] = sum >> BITS;
        new
    };
    (row(t.u, t.v), row(t.q, t.r))
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use rand::{RngCore, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn value(limbs: &[i64; 9]) -> BigInt {
        limbs.iter().rev().fold(BigInt::ZERO, |sum, limb| (sum << BITS) + limb)
    }

    fn limbs(value: &BigInt) -> [i64; 9] {
        let bit = |place: u64| i64::from(value.bit(place));
        core::array::from_fn(|i| (0..30).fold(0, |sum, k| sum | bit(30 * u64::try_from(i).unwrap() + k) << k))
    }

    #[test]
    fn inverses_times_their_numbers_are_one() {
        let p: BigInt = (BigInt::from(1) << 255) - 19;
        assert_eq!((INVERSE * LOWEST) & MASK, 1);
        assert_eq!(inverse([0; 9]), [0; 9]);
        let mut numbers: Vec<BigInt> = (1..200).map(BigInt::from).collect();
        numbers.extend((1..200).map(|small| &p - small));
        numbers.extend((8..255).flat_map(|place| [-1, 0, 1].map(|offset| (BigInt::from(1) << place) + offset)));
        numbers.extend((1..8).map(|limbs| (BigInt::from(1) << 255) - (BigInt::from(1) << (30 * limbs))));
        let mut random = ChaCha20Rng::seed_from_u64(2019);
        numbers.extend((0..5000).map(|case| {
            let mut bytes = vec![0; [32, 32, 24, 8][case % 4]];
            random.fill_bytes(&mut bytes);
            BigInt::from_bytes_le(num_bigint::Sign::Plus, &bytes) % &p
        }));
        for number in numbers {
            let inverse = inverse(limbs(&number));
            let inverse = value(&inverse);
            assert!(-2 * &p < inverse && inverse < 2 * &p);
            assert_eq!(((inverse * &number) % &p + &p) % &p, BigInt::from(1), "{number:x}");
        }
    }
}
