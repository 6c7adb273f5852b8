//! RSA moduli that are known to be weak by their form.
#![allow(clippy::arithmetic_side_effects, reason = "residues of primes below 2¹⁰, whose products fit u32")]

/// The generator in the primes of the Infineon library.
const GENERATOR: u32 = 65537;

/// The largest prime of the primorial that the library uses for moduli of 1984 to 3936 bits: the
/// 126th. For longer moduli it uses 225 of them, of which these are a part.
const LARGEST_PRIME: u32 = 701;

/// What is wrong with a modulus of at least 1984 bits, big-endian; `None` when nothing is known
/// against it.
pub(super) fn weakness(modulus: &[u8]) -> Option<&'static str> {
    is_roca(modulus).then_some("is weak (ROCA, CVE-2017-15361); generate a new key")
}

/// Whether the modulus has the form of CVE-2017-15361 (Nemec, Sys, Svenda, Klinec, Matyas, "The
/// Return of Coppersmith's Attack", CCS 2017, §2.3): both primes are k·M + (65537^a mod M) for the
/// primorial M, so n is a power of 65537 modulo M, and therefore modulo each of M's primes. A
/// modulus of another origin passes for all of them with probability 2⁻¹⁶⁷ (see the test).
///
/// Costs a division of the modulus by each of 125 primes, ≈ 10⁴ steps.
fn is_roca(modulus: &[u8]) -> bool {
    primes().all(|prime| {
        let residue = modulus.iter().fold(0, |residue, byte| (residue << 8 | u32::from(*byte)) % prime);
        powers(prime).any(|power| power == residue)
    })
}

/// The odd primes up to the largest.
fn primes() -> impl Iterator<Item = u32> {
    (3..=LARGEST_PRIME).step_by(2).filter(|n| (3..*n).step_by(2).take_while(|d| d * d <= *n).all(|d| n % d != 0))
}

/// The subgroup that 65537 generates modulo `prime`, from 65537 itself to 1. No prime here
/// divides 65537.
fn powers(prime: u32) -> impl Iterator<Item = u32> {
    let mut power = 1;
    let mut done = false;
    core::iter::from_fn(move || {
        power = power * (GENERATOR % prime) % prime;
        (!core::mem::replace(&mut done, power == 1)).then_some(power)
    })
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use rand::{Rng, RngCore, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    use super::*;

    fn any(random: &mut ChaCha20Rng, bits: u64) -> BigUint {
        let mut bytes: Vec<u8> = (0..bits / 8).map(|_| 0).collect();
        random.fill_bytes(&mut bytes);
        BigUint::from_bytes_be(&bytes)
    }

    /// A number with the form of the library's primes: k·M + (65537^a mod M) for the primorial of
    /// `count` primes.
    fn of_the_form(random: &mut ChaCha20Rng, count: usize, bits: u64) -> BigUint {
        let every_prime = (2_u32..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0));
        let primorial: BigUint = every_prime.take(count).product();
        let power = BigUint::from(GENERATOR).modpow(&any(random, 64), &primorial);
        let k = (BigUint::from(3_u8) << (bits - 2)) / &primorial + random.gen_range(0..1000_u32);
        k * primorial + power
    }

    #[test]
    fn recognises_the_form_of_cve_2017_15361() {
        let mut random = ChaCha20Rng::seed_from_u64(2017);
        // Bits of the modulus, and how many primes the library takes for it (table 1 of the paper).
        for (bits, count) in [(2048, 126), (3072, 126), (3936, 126), (3968, 225), (4096, 225)] {
            let p = of_the_form(&mut random, count, bits / 2);
            let q = of_the_form(&mut random, count, bits / 2);
            let n = (&p * &q).to_bytes_be();
            assert!(weakness(&n).is_some_and(|reason| reason.contains("ROCA")), "{bits}");
            // One prime of the form and one of another origin are not it.
            let other: BigUint = any(&mut random, bits / 2) | BigUint::from(1_u8);
            assert_eq!(weakness(&(p * other).to_bytes_be()), None);
        }
    }

    #[test]
    fn takes_no_other_modulus_for_one_of_that_form() {
        let mut random = ChaCha20Rng::seed_from_u64(15361);
        for _ in 0..500 {
            assert_eq!(weakness(&(any(&mut random, 2048) | BigUint::from(1_u8)).to_bytes_be()), None);
        }
        assert_eq!(primes().count(), 125);
        #[allow(clippy::as_conversions, reason = "counts below 2¹⁰")]
        let odds: f64 = primes().map(|prime| (powers(prime).count() as f64 / f64::from(prime - 1)).log2()).sum();
        assert!(odds < -167.0, "2^{odds}");
    }
}
