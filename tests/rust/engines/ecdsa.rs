//! The ECDSA engine against RustCrypto's crates.

use jwt_compact::AlgorithmSignature;
use portcullis::internals::engine::{
    ecdsa::{EcdsaKey, EcdsaSignature},
    precompute::{Precomputable, TableSize},
};

use super::{MODES, cases, random::Random};

/// Gives the key a table, or takes it away.
fn bring(key: &impl Precomputable, table: Option<TableSize>) {
    table.map_or_else(|| key.forget_table(), |size| key.precompute(size));
}

macro_rules! curve_tests {
    ($module:ident, $oracle:ident $oracle_curve:ident, $curve:ty, $limbs:literal, $bytes:literal, $hash:literal, $low:expr) => {
        mod $module {
            #[allow(unused_imports)] // Field: some of these crates have its methods as their own
            use $oracle::{
                AffinePoint, EncodedPoint, FieldBytes, ProjectivePoint, Scalar,
                ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier},
                elliptic_curve::{
                    Field, PrimeField,
                    ops::Reduce,
                    point::AffineCoordinates,
                    sec1::{FromEncodedPoint, ToEncodedPoint},
                },
            };

            use super::*;

            type Key = EcdsaKey<$curve, $limbs>;

            fn ours(key: &Key, hash: &[u8], signature: &[u8]) -> bool {
                EcdsaSignature::try_from_slice(signature).is_ok_and(|signature| key.verify_hash(&signature, hash))
            }

            /// k256 takes low s only; n − s is as good as s for the equation.
            fn theirs(point: &ProjectivePoint, hash: &[u8], signature: &[u8]) -> bool {
                let Ok(key) = VerifyingKey::from_encoded_point(&point.to_affine().to_encoded_point(false)) else {
                    return false;
                };
                let Ok(signature) = Signature::from_slice(signature) else { return false };
                let signature = low(signature);
                key.verify_prehash(hash, &signature).is_ok()
            }

            fn low(signature: Signature) -> Signature {
                $low(signature)
            }

            fn key(point: &ProjectivePoint) -> Key {
                let key = Key::from_point(point.to_affine().to_encoded_point(false).as_bytes()).unwrap();
                key
            }

            fn scalar(random: &mut Random) -> Scalar {
                let mut bytes = FieldBytes::default();
                random.fill(&mut bytes);
                <Scalar as Reduce<<$oracle::$oracle_curve as $oracle::elliptic_curve::Curve>::Uint>>::reduce_bytes(
                    &bytes,
                )
            }

            fn r_of(point: &ProjectivePoint) -> Scalar {
                <Scalar as Reduce<<$oracle::$oracle_curve as $oracle::elliptic_curve::Curve>::Uint>>::reduce_bytes(
                    &point.to_affine().x(),
                )
            }

            fn joined(r: &Scalar, s: &Scalar) -> Vec<u8> {
                [r.to_repr(), s.to_repr()].concat()
            }

            /// hash, signature, for (u1, u2): R = u1·G + u2·Q, s = r/u2, e = u1·s.
            fn made(q: &ProjectivePoint, u1: &Scalar, u2: &Scalar, r: Option<Scalar>) -> (Vec<u8>, Vec<u8>) {
                let r = r.unwrap_or_else(|| r_of(&(ProjectivePoint::GENERATOR * u1 + *q * u2)));
                let s = r * u2.invert().unwrap();
                ((s * u1).to_repr().to_vec(), joined(&r, &s))
            }

            #[test]
            fn agrees_with_rustcrypto_on_random_and_mutated_signatures() {
                let mut random = Random(1);
                let keys: Vec<_> = (0..24)
                    .map(|i| {
                        let secret = scalar(&mut random);
                        let point = ProjectivePoint::GENERATOR * secret;
                        let key = key(&point);
                        bring(&key, MODES[i % 3]);
                        (secret, point, key)
                    })
                    .collect();
                let mut held = 0;
                let cases = cases() / if MODES.contains(&Some(TableSize::Default)) { 1 } else { 10 };
                for case in 0..cases {
                    let (secret, point, key) = &keys[random.below(keys.len())];
                    // FIPS 186-5 §6.4.1: s = (e + r·d)/k. One multiple of a point, where `made`
                    // takes two.
                    let (e, k) = (scalar(&mut random), scalar(&mut random));
                    let r = r_of(&(ProjectivePoint::GENERATOR * k));
                    let (mut hash, mut signature) =
                        (e.to_repr().to_vec(), joined(&r, &((e + r * secret) * k.invert().unwrap())));
                    let mutated = case % 2 == 1;
                    if mutated {
                        let target = if random.below(4) == 0 { &mut hash } else { &mut signature };
                        match random.below(4) {
                            0 => {
                                let bit = random.below(8 * target.len());
                                target[bit / 8] ^= 1 << (bit % 8);
                            }
                            1 => {
                                let byte = random.below(target.len());
                                target[byte] = random.next() as u8;
                            }
                            2 => {
                                let from = random.below(target.len());
                                target[from..].fill(if random.below(2) == 0 { 0 } else { 255 });
                            }
                            _ => signature.rotate_left($bytes),
                        }
                    }
                    let answer = ours(key, &hash, &signature);
                    assert_eq!(answer, theirs(point, &hash, &signature), "case {case}: {hash:02x?} {signature:02x?}");
                    assert!(answer || mutated, "case {case}");
                    held += usize::from(answer);
                }
                assert!(held >= cases / 2 && held < cases / 2 + cases / 10 + 2, "{held} of {cases} held");
            }

            #[test]
            fn r_and_s_outside_their_range_are_refused() {
                let mut random = Random(2);
                let point = ProjectivePoint::GENERATOR * scalar(&mut random);
                let key = key(&point);
                let minus_one = (-Scalar::ONE).to_repr();
                let n = {
                    let mut n = minus_one;
                    let last = n.len() - 1;
                    n[last] += 1; // n is odd
                    n
                };
                let n_plus_1 = {
                    let mut next = n;
                    for byte in next.iter_mut().rev() {
                        *byte = byte.wrapping_add(1);
                        if *byte != 0 {
                            break;
                        }
                    }
                    next
                };
                let number = |small: u64| Scalar::from(small).to_repr();
                let all_ones = FieldBytes::from_iter([255; $bytes]);
                let top_bits_only = {
                    let mut top = FieldBytes::default();
                    top[0] = 0xfc;
                    top[$bytes - 1] = 1;
                    top
                };
                let values = [
                    number(0),
                    number(1),
                    number(2),
                    minus_one,
                    n,
                    n_plus_1,
                    all_ones,
                    top_bits_only,
                    scalar(&mut random).to_repr(),
                ];
                let mut in_range = 0;
                for r in &values {
                    for s in &values {
                        for hash in [vec![0; $hash], vec![255; $hash]] {
                            let signature = [*r, *s].concat();
                            let parsed = EcdsaSignature::<$curve, $limbs>::try_from_slice(&signature);
                            assert_eq!(parsed.is_ok(), Signature::from_slice(&signature).is_ok(), "{r:02x?} {s:02x?}");
                            if let Ok(parsed) = parsed {
                                in_range += 1;
                                assert_eq!(parsed.as_bytes(), signature);
                                for how in MODES {
                                    bring(&key, how);
                                    assert_eq!(ours(&key, &hash, &signature), theirs(&point, &hash, &signature));
                                }
                            }
                        }
                    }
                }
                // 1, 2, n − 1 and the random one; of 66 bytes, 0xfc00…01 is no 521-bit number.
                let accepted = values.iter().filter(|value| *value > &number(0) && *value < &n).count();
                assert!(
                    accepted == if $bytes == 66 { 4 } else { 5 } && in_range == 2 * accepted * accepted,
                    "{in_range}"
                );
            }

            #[test]
            fn every_exceptional_sum_is_right() {
                let mut random = Random(3);
                let one = Scalar::ONE;
                let any = scalar(&mut random);
                let numbers = [one, one.double(), -one, -one.double(), any, -any];
                let mut counts = [0; 2];
                for d in [one, -one, one.double(), -one.double(), Scalar::from(3_u64), any] {
                    let point = ProjectivePoint::GENERATOR * d;
                    let key = key(&point);
                    for how in MODES {
                        bring(&key, how);
                        for u2 in numbers {
                            // 0 leaves u2·Q alone; the last two make u1·G = ±u2·Q.
                            for u1 in numbers.into_iter().chain([Scalar::ZERO, u2 * d, -(u2 * d)]) {
                                let infinite = bool::from((u1 + u2 * d).is_zero());
                                let r = infinite.then(|| scalar(&mut random));
                                let (hash, signature) = made(&point, &u1, &u2, r);
                                assert_eq!(ours(&key, &hash, &signature), !infinite, "{d:?} {u1:?} {u2:?} {how:?}");
                                assert_eq!(theirs(&point, &hash, &signature), !infinite);
                                counts[usize::from(infinite)] += 1;
                                if infinite {
                                    // X and ZZ of a wrongly finite sum might be 0, so that any r
                                    // would do: try small ones.
                                    for r in [one, one.double(), -one] {
                                        let (hash, signature) = made(&point, &u1, &u2, Some(r));
                                        assert!(!ours(&key, &hash, &signature));
                                    }
                                }
                            }
                        }
                    }
                }
                assert!(counts[0] > 500 && counts[1] > 100, "{counts:?}");
            }

            #[test]
            fn every_extreme_digit_is_right() {
                let mut random = Random(4);
                let point = ProjectivePoint::GENERATOR * scalar(&mut random);
                let key = key(&point);
                let patterns: Vec<Scalar> = [4_usize, 5, 6, 7, 8]
                    .into_iter()
                    .flat_map(|width| {
                        let high = 1_u32 << (width - 1);
                        // own digits: 2^(w−1), 2^(w−1) − 1, 2^w − 1, and 2^(w−1) below 2^(w−1) − 1
                        // in both phases
                        [
                            [high, high],
                            [high - 1, high - 1],
                            [2 * high - 1, 0],
                            [0, 2 * high - 1],
                            [high, high - 1],
                            [high - 1, high],
                            [1, 1],
                            [high + 1, high + 1],
                        ]
                        .map(|digits| {
                            let base = Scalar::from(u64::from(2 * high));
                            (0..$bytes * 8 / width)
                                .fold(Scalar::ZERO, |sum, i| sum * base + Scalar::from(u64::from(digits[i % 2])))
                        })
                    })
                    .chain([
                        Scalar::ONE,
                        -Scalar::ONE,
                        Scalar::from(2_u64).invert().unwrap(),
                        -Scalar::from(2_u64).invert().unwrap(),
                    ])
                    .collect();
                for how in MODES {
                    bring(&key, how);
                    for (i, u1) in patterns.iter().enumerate() {
                        for u2 in [patterns[(i * 7 + 3) % patterns.len()], *u1, -*u1] {
                            let (hash, mut signature) = made(&point, u1, &u2, None);
                            assert!(ours(&key, &hash, &signature), "{how:?} {u1:?} {u2:?}");
                            signature[$bytes - 1] ^= 1;
                            assert!(!ours(&key, &hash, &signature));
                        }
                    }
                }
            }

            #[test]
            fn an_x_at_or_above_the_order_is_compared_modulo_it() {
                // x = n + i on the curve, so that r = i; Q = (s·R − e·G)/r for any s and e.
                let mut random = Random(5);
                let n = num_bigint::BigUint::from_bytes_be(&(-Scalar::ONE).to_repr()) + 1_u8;
                let mut found = 0;
                for i in 1_u32..200 {
                    let x = (&n + i).to_bytes_be();
                    let mut compressed = vec![2; 1 + $bytes];
                    compressed[1..=$bytes - x.len()].fill(0);
                    compressed[1 + $bytes - x.len()..].copy_from_slice(&x);
                    let Ok(encoded) = EncodedPoint::from_bytes(&compressed) else { continue };
                    let Some(point) = Option::<AffinePoint>::from(AffinePoint::from_encoded_point(&encoded)) else {
                        continue;
                    };
                    let big_r = ProjectivePoint::from(point);
                    let r = Scalar::from(u64::from(i));
                    assert_eq!(r_of(&big_r), r);
                    let (s, e) = (scalar(&mut random), scalar(&mut random));
                    let q = (big_r * s - ProjectivePoint::GENERATOR * e) * r.invert().unwrap();
                    let key = key(&q);
                    let signature = joined(&r, &s);
                    for how in MODES.into_iter().take(if found < 3 { 3 } else { 1 }) {
                        bring(&key, how);
                        assert!(ours(&key, &e.to_repr(), &signature), "r = {i}");
                        assert!(!ours(&key, &e.to_repr(), &joined(&(r + Scalar::ONE), &s)));
                    }
                    assert!(theirs(&q, &e.to_repr(), &signature));
                    found += 1;
                }
                assert!(found > 50, "{found}");
            }

            #[test]
            fn only_points_on_the_curve_are_keys() {
                let mut random = Random(6);
                for _ in 0..50 {
                    let point = (ProjectivePoint::GENERATOR * scalar(&mut random)).to_affine().to_encoded_point(false);
                    let bytes = point.as_bytes();
                    assert!(Key::from_point(bytes).is_ok());
                    let mut broken = bytes.to_vec();
                    broken[1 + random.below(2 * $bytes)] ^= 1 << random.below(8);
                    assert!(Key::from_point(&broken).is_err());
                    broken[0] = 2;
                    assert!(Key::from_point(&broken).is_err());
                    assert_eq!(Key::from_point(&bytes[..bytes.len() - 1]).unwrap_err().component, "y");
                    assert!(Key::from_point(&[bytes, &[0]].concat()).is_err());
                    assert!(Key::from_point(&bytes[..$bytes]).is_err());
                    // x + p and y + p where they fit would be another name for the same point
                }
                for (x, y) in [([0; $bytes], [0; $bytes]), ([255; $bytes], [255; $bytes]), ([1; $bytes], [1; $bytes])] {
                    assert_eq!(Key::from_coordinates(&x, &y).unwrap_err().component, "x");
                }
                assert!(Key::from_point(&[0]).is_err());
                assert!(Key::from_point(&[]).is_err());
            }

            #[test]
            fn a_coordinate_that_is_not_reduced_is_refused() {
                // A small x (or y) so that x + p has as many bytes; the point is on the curve
                // either way.
                let p = num_bigint::BigUint::parse_bytes(
                    <<$curve as portcullis::internals::engine::ecdsa::curves::Curve<$limbs>>::Field as portcullis::internals::engine::ecdsa::montgomery::Modulus<$limbs>>::HEX.as_bytes(),
                    16,
                )
                .unwrap();
                let mut found = 0;
                for i in 0_u32..40 {
                    let mut compressed = vec![0; 1 + $bytes];
                    compressed[0] = 2;
                    compressed[$bytes] = i as u8;
                    let Ok(encoded) = EncodedPoint::from_bytes(&compressed) else { continue };
                    let Some(point) = Option::<AffinePoint>::from(AffinePoint::from_encoded_point(&encoded)) else {
                        continue;
                    };
                    let point = point.to_encoded_point(false);
                    let y = point.y().unwrap();
                    assert!(Key::from_coordinates(&compressed[1..], y).is_ok());
                    let moved = (&p + i).to_bytes_be();
                    assert_eq!(moved.len(), $bytes);
                    assert_eq!(Key::from_coordinates(&moved, y).unwrap_err().component, "x");
                    found += 1;
                }
                assert!(found > 5);
            }

            #[test]
            fn tables_are_as_large_as_they_say() {
                let mut random = Random(7);
                let point = ProjectivePoint::GENERATOR * scalar(&mut random);
                let key = key(&point);
                let (hash, signature) = made(&point, &scalar(&mut random), &scalar(&mut random), None);
                for how in MODES {
                    bring(&key, how);
                    assert!(ours(&key, &hash, &signature));
                    assert_eq!(key.table_bytes(), how.map_or(0, |size| key.bytes_of(size)));
                    assert_eq!(key.clone().table_bytes(), key.table_bytes(), "clones share the table");
                }
                assert_eq!(key.generator_table_bytes() > 0, MODES.contains(&Some(TableSize::Default)));
                if $bytes == 32 {
                    assert!(key.bytes_of(TableSize::Default) <= 100 * 1024);
                    assert!(key.bytes_of(TableSize::Wide) <= 320 * 1024);
                }
            }
        }
    };
}

curve_tests!(es256, p256 NistP256, portcullis::internals::engine::ecdsa::curves::P256, 9, 32, 32, core::convert::identity);
curve_tests!(es384, p384 NistP384, portcullis::internals::engine::ecdsa::curves::P384, 14, 48, 48, core::convert::identity);
curve_tests!(es512, p521 NistP521, portcullis::internals::engine::ecdsa::curves::P521, 18, 66, 64, core::convert::identity);
curve_tests!(es256k, k256 Secp256k1, portcullis::internals::engine::ecdsa::curves::Secp256k1, 9, 32, 32, |signature: Signature| {
    signature.normalize_s().unwrap_or(signature)
});
