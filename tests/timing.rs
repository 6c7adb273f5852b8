//! The shape of comparisons with what is secret: however much of a guess is right, as many instructions run.
//!
//! No clock is asked, since a clock tells of the machine: this program runs itself under callgrind, which counts the instructions of one function.
//! A comparison that stops at the first difference is counted as well, and has to be found out: otherwise nothing is measured.
#![cfg(target_os = "linux")]

use std::{env, hint::black_box, process::Command};

use jwt_compact::{Algorithm, AlgorithmSignature};
use portcullis::engine::hmac::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};

/// What a child compares, and where its guess is wrong.
const CASE: &str = "TIMING_CASE";

#[inline(never)]
fn measured(compare: &dyn Fn() -> bool) -> bool {
    black_box(compare())
}

/// What early code would do.
fn stops_early(ours: &[u8], theirs: &[u8]) -> bool {
    ours.iter().zip(theirs).all(|(ours, theirs)| black_box(ours) == black_box(theirs))
}

fn tag<K, A: Algorithm<SigningKey = K, VerifyingKey = K>>(alg: &A, key: &K, place: i64) -> bool {
    let mut guess = alg.sign(key, b"message").as_bytes().to_vec();
    let place = usize::try_from(place.rem_euclid(i64::try_from(guess.len()).unwrap())).unwrap();
    guess[place] ^= 1;
    let guess = A::Signature::try_from_slice(&guess).unwrap();
    measured(&|| alg.verify_signature(&guess, key, b"message"))
}

/// The child: one comparison whose guess is wrong in one byte.
#[test]
fn child() {
    let Ok(case) = env::var(CASE) else { return };
    let (what, place) = case.split_once(' ').unwrap();
    let place: i64 = place.parse().unwrap();
    let held = match what {
        "HS256" => tag(&Hs256, &Hs256Key::new(&[7; 64]).unwrap(), place),
        "HS384" => tag(&Hs384, &Hs384Key::new(&[7; 64]).unwrap(), place),
        "HS512" => tag(&Hs512, &Hs512Key::new(&[7; 64]).unwrap(), place),
        _ => {
            let mut guess = [7_u8; 32];
            guess[usize::try_from(place.rem_euclid(32)).unwrap()] ^= 1;
            measured(&|| stops_early(&[7; 32], &guess))
        }
    };
    assert!(!held);
}

/// How many instructions the comparison takes.
fn instructions(what: &str, place: i64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=timing::measured*"])
        .arg(env::current_exe().unwrap())
        .args(["child", "--exact", "--test-threads=1"])
        .env(CASE, format!("{what} {place}"))
        .output()
        .expect("valgrind is installed: npm test sees to it");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    collected.unwrap_or_else(|| panic!("{told}")).1.trim().parse().unwrap()
}

#[test]
#[ignore = "it needs valgrind: npm test runs it"]
fn a_wrong_tag_takes_as_many_instructions_wherever_it_is_wrong() {
    for what in ["HS256", "HS384", "HS512"] {
        let [first, middle, last] = [0, 16, -1].map(|place| instructions(what, place));
        assert!(first > 100, "{what}: only {first} instructions were counted");
        assert_eq!((first, first), (middle, last), "{what}");
    }
}

#[test]
#[ignore = "it needs valgrind: npm test runs it"]
fn a_comparison_that_stops_early_is_found_out() {
    let [first, last] = [0, -1].map(|place| instructions("early", place));
    assert!(last > first, "{first} and {last} instructions");
}
