//! The shape of comparisons with what is secret: however much of a guess is right, as many
//! instructions run.
//!
//! No clock is asked, since a clock tells of the machine. A comparison that stops at the first
//! difference is counted as well, and has to be found out: otherwise nothing is measured.
#![cfg(target_os = "linux")]

mod callgrind;

use callgrind::{case, flip, instructions, measured, stops_early};
use jwt_compact::{Algorithm, AlgorithmSignature};
use portcullis::internals::engine::hmac::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};

fn tag<K, A: Algorithm<SigningKey = K, VerifyingKey = K>>(alg: &A, key: &K, place: usize) -> bool {
    let mut guess = alg.sign(key, b"message").as_bytes().to_vec();
    flip(&mut guess, place);
    let guess = A::Signature::try_from_slice(&guess).unwrap();
    measured(|| alg.verify_signature(&guess, key, b"message"))
}

/// The child: one comparison whose guess is wrong in one byte.
#[test]
fn child() {
    let Some((what, place)) = case() else { return };
    let held = match what.as_str() {
        "HS256" => tag(&Hs256, &Hs256Key::new(&[7; 64]).unwrap(), place),
        "HS384" => tag(&Hs384, &Hs384Key::new(&[7; 64]).unwrap(), place),
        "HS512" => tag(&Hs512, &Hs512Key::new(&[7; 64]).unwrap(), place),
        _ => {
            let mut guess = [7_u8; 32];
            flip(&mut guess, place);
            measured(|| stops_early(&[7; 32], &guess))
        }
    };
    assert!(!held);
}

#[test]
#[ignore = "it needs valgrind: npm test runs it"]
fn a_wrong_tag_takes_as_many_instructions_wherever_it_is_wrong() {
    for (what, last) in [("HS256", 31), ("HS384", 47), ("HS512", 63)] {
        let [first, middle, last] = [0, 16, last].map(|place| instructions(what, place));
        assert!(first > 100, "{what}: only {first} instructions were counted");
        assert_eq!((first, first), (middle, last), "{what}");
    }
}

#[test]
#[ignore = "it needs valgrind: npm test runs it"]
fn a_comparison_that_stops_early_is_found_out() {
    let [first, last] = [0, 31].map(|place| instructions("early", place));
    assert!(last > first, "{first} and {last} instructions");
}
