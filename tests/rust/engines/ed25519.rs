//! Our Ed25519 against ed25519-dalek's `verify_strict`: the same answer on every input.
use curve25519_dalek::{
    constants::EIGHT_TORSION,
    edwards::{CompressedEdwardsY, EdwardsPoint},
    scalar::Scalar,
};
use ed25519_dalek::{Signer, SigningKey};
use jwt_compact::{Algorithm, AlgorithmSignature};
use portcullis::internals::engine::{
    ed25519::{Signature, StrictEd25519, VerifyingKey},
    precompute::{Precomputable, TableSize},
};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha512};

use super::{MODES, cases};

const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// dalek's answer, with the stricter import of keys that `engine/ed25519.rs` had before.
fn dalek_key(bytes: &[u8; 32]) -> Option<ed25519_dalek::VerifyingKey> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
    (!key.is_weak() && key.to_edwards().compress().as_bytes() == bytes).then_some(key)
}

fn dalek(key: &ed25519_dalek::VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
}

fn ours(key: &VerifyingKey, message: &[u8], signature: &[u8; 64]) -> bool {
    StrictEd25519.verify_signature(&Signature::try_from_slice(signature).unwrap(), key, message)
}

/// Compares on the table-free path and on the path with tables; returns the common answer.
fn agree(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let (theirs, mine) = (dalek_key(key), VerifyingKey::from_bytes(key));
    assert_eq!(theirs.is_some(), mine.is_ok(), "key {key:02x?}");
    let (Some(theirs), Ok(mine)) = (theirs, mine) else { return false };
    let expected = dalek(&theirs, message, signature);
    assert_eq!(ours(&mine, message, signature), expected, "without a table: key {key:02x?} signature {signature:02x?}");
    mine.precompute(TableSize::Default);
    assert_eq!(ours(&mine, message, signature), expected, "with tables: key {key:02x?} signature {signature:02x?}");
    expected
}

fn mutated(random: &mut ChaCha20Rng, signature: &mut [u8; 64]) {
    match random.gen_range(0..6) {
        0..=2 => signature[random.gen_range(0..64)] ^= 1 << random.gen_range(0..8),
        3 => {
            // S + L, the malleable twin
            let mut carry = 0;
            for (s, l) in signature[32..].iter_mut().zip(ORDER) {
                let sum = u16::from(*s) + u16::from(l) + carry;
                *s = sum as u8;
                carry = sum >> 8;
            }
        }
        4 => random.fill_bytes(&mut signature[..32]),
        _ => random.fill_bytes(&mut signature[32..]),
    }
}

#[test]
fn agrees_with_dalek_at_random() {
    let mut random = ChaCha20Rng::seed_from_u64(25519);
    let (mut held, mut not) = (0, 0);
    let count = cases() as u64;
    while held + not < count {
        let mut seed = [0; 32];
        random.fill_bytes(&mut seed);
        let signing = SigningKey::from_bytes(&seed);
        let bytes = signing.verifying_key().to_bytes();
        let (theirs, mine) = (dalek_key(&bytes).unwrap(), VerifyingKey::from_bytes(&bytes).unwrap());
        if let Some(size) = MODES[(held + not) as usize / 25 % 3] {
            mine.precompute(size);
        }
        for _ in 0..25 {
            let mut message = vec![0; random.gen_range(0..400)];
            random.fill_bytes(&mut message);
            let mut signature = signing.sign(&message).to_bytes();
            if random.gen_bool(0.5) {
                mutated(&mut random, &mut signature);
            }
            let expected = dalek(&theirs, &message, &signature);
            assert_eq!(ours(&mine, &message, &signature), expected, "{bytes:02x?} {message:02x?} {signature:02x?}");
            *(if expected { &mut held } else { &mut not }) += 1;
        }
    }
    assert!(held > count / 3 && not > count / 3, "{held} held, {not} did not");
}

/// A signature by the formula, with whatever R and A: S = r + k·a, for a key A = a·B + torsion.
fn signed(a: &Scalar, key: &[u8; 32], r: &Scalar, encoded_r: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let hash = Sha512::new().chain_update(encoded_r).chain_update(key).chain_update(message).finalize();
    let k = Scalar::from_bytes_mod_order_wide(&hash.into());
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(encoded_r);
    signature[32..].copy_from_slice((r + k * a).as_bytes());
    signature
}

#[test]
fn agrees_with_dalek_on_points_with_small_order_components() {
    let mut random = ChaCha20Rng::seed_from_u64(8);
    let (mut held, mut not) = (0, 0);
    for torsion_a in EIGHT_TORSION {
        for torsion_r in EIGHT_TORSION {
            for _ in 0..(cases() / 500).max(16) {
                let wide = |random: &mut ChaCha20Rng| {
                    let mut wide = [0; 64];
                    random.fill_bytes(&mut wide);
                    Scalar::from_bytes_mod_order_wide(&wide)
                };
                let (a, mut r) = (wide(&mut random), wide(&mut random));
                if random.gen_ratio(1, 4) {
                    r = Scalar::ZERO;
                }
                let key = (EdwardsPoint::mul_base(&a) + torsion_a).compress().to_bytes();
                let encoded_r = (EdwardsPoint::mul_base(&r) + torsion_r).compress().to_bytes();
                let signature = signed(&a, &key, &r, &encoded_r, b"mixed order");
                *(if agree(&key, b"mixed order", &signature) { &mut held } else { &mut not }) += 1;
            }
        }
    }
    assert!(held > 0 && not > 0, "{held} held, {not} did not");
}

/// 32 bytes, least significant first, of `p + small` or `small`.
fn around_p(offset: i32) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = (0xed + offset) as u8;
    bytes[31] = 0x7f;
    bytes
}

#[test]
fn agrees_with_dalek_on_edges() {
    let mut encodings: Vec<[u8; 32]> = (-19..=18).map(around_p).collect();
    encodings.extend((0_u8..20).map(|small| {
        let mut bytes = [0; 32];
        bytes[0] = small;
        bytes
    }));
    encodings.extend(EIGHT_TORSION.map(|point| point.compress().to_bytes()));
    encodings.extend([[0xff; 32], [0x55; 32], [0xaa; 32]]);
    // 2p − 1 and its neighbours do not fit 255 bits with the sign; 2²⁵⁵ − 1 is the largest that
    // does.
    let with_sign: Vec<[u8; 32]> = encodings
        .iter()
        .map(|bytes| {
            let mut bytes = *bytes;
            bytes[31] ^= 0x80;
            bytes
        })
        .collect();
    encodings.extend(with_sign);
    let signing = SigningKey::from_bytes(&[7; 32]);
    let good_key = signing.verifying_key().to_bytes();
    let good = signing.sign(b"edge").to_bytes();
    let mut scalars: Vec<[u8; 32]> = vec![[0; 32], ORDER, [0xff; 32], good[32..].try_into().unwrap()];
    for change in [-2_i8, -1, 1, 2] {
        let mut near = ORDER;
        near[0] = near[0].wrapping_add_signed(change);
        scalars.push(near);
        let mut one = [0; 32];
        one[0] = change.unsigned_abs();
        scalars.push(one);
    }
    for bit in 250..256 {
        let mut power = [0; 32];
        power[bit / 8] = 1 << (bit % 8);
        scalars.push(power);
    }
    let mut on_curve = 0;
    for key in encodings.iter().chain([&good_key]) {
        on_curve += u32::from(CompressedEdwardsY(*key).decompress().is_some());
        for r in encodings.iter().chain([good[..32].try_into().unwrap()]).step_by(if key == &good_key { 1 } else { 7 })
        {
            for s in &scalars {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(r);
                signature[32..].copy_from_slice(s);
                agree(key, b"edge", &signature);
            }
        }
    }
    assert!(on_curve > 30);
    assert!(agree(&good_key, b"edge", &good));
    // S = 0: R = −k·A by trial of R = −k·A is a fixed point no one knows; with a = 0 there is no
    // key. S = r for k·a = 0 neither.
}

#[test]
fn every_digit_of_every_window_is_right() {
    // Keys a = 1 (A = B) and scalars S chosen directly: S·B − k·A = R needs r = S − k, so R is
    // made to fit any S.
    let mut random = ChaCha20Rng::seed_from_u64(77);
    let a = Scalar::ONE;
    let key = EdwardsPoint::mul_base(&a).compress().to_bytes();
    let mine = VerifyingKey::from_bytes(&key).unwrap();
    let theirs = dalek_key(&key).unwrap();
    mine.precompute(TableSize::Wide);
    for _ in 0..cases() / 10 {
        // R first, then S = r + k: the digits of S and k run through everything.
        let mut wide = [0; 64];
        random.fill_bytes(&mut wide);
        let r = Scalar::from_bytes_mod_order_wide(&wide);
        let encoded_r = EdwardsPoint::mul_base(&r).compress().to_bytes();
        let signature = signed(&a, &key, &r, &encoded_r, &wide[..8]);
        assert!(dalek(&theirs, &wide[..8], &signature) && ours(&mine, &wide[..8], &signature));
    }
}

#[test]
fn tables_are_as_large_as_they_say() {
    let key = VerifyingKey::from_bytes(&SigningKey::from_bytes(&[1; 32]).verifying_key().to_bytes()).unwrap();
    let signature = SigningKey::from_bytes(&[1; 32]).sign(b"m").to_bytes();
    for size in [TableSize::Default, TableSize::Wide] {
        assert!(ours(&key, b"m", &signature));
        assert_eq!(key.table_bytes(), 0);
        key.precompute(size);
        assert!(ours(&key.clone(), b"m", &signature));
        assert_eq!(key.clone().table_bytes(), key.bytes_of(size));
        key.forget_table();
    }
    assert!(key.bytes_of(TableSize::Default) <= 100 * 1024);
    assert!(key.generator_table_bytes() > 0);
}
