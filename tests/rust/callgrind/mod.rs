//! How many instructions a comparison takes: a test program runs itself under callgrind, which
//! counts those of one function.

use std::{env, hint::black_box, process::Command};

/// What a child compares, and where its guess is wrong.
const CASE: &str = "TIMING_CASE";

/// What is counted.
#[inline(never)]
pub(crate) fn measured<T>(mut work: impl FnMut() -> T) -> T {
    black_box(work())
}

/// What early code would do.
pub(crate) fn stops_early(ours: &[u8], theirs: &[u8]) -> bool {
    ours.iter().zip(theirs).all(|(ours, theirs)| black_box(ours) == black_box(theirs))
}

/// Changes one byte.
pub(crate) fn flip(bytes: &mut [u8], place: usize) {
    bytes[place] ^= 1;
}

/// The case, in a child.
pub(crate) fn case() -> Option<(String, usize)> {
    let case = env::var(CASE).ok()?;
    let (what, place) = case.split_once(' ').unwrap();
    Some((what.to_owned(), place.parse().unwrap()))
}

/// How many instructions it takes the test `child` to do what it measures.
pub(crate) fn instructions(what: &str, place: usize) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*callgrind::measured*"])
        .arg(env::current_exe().unwrap())
        .args(["child", "--exact", "--test-threads=1"])
        // As long for every place, so that everything stands where it stood.
        .env(CASE, format!("{what} {place:02}"))
        .output()
        .expect("valgrind is installed: npm test sees to it");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    collected.unwrap_or_else(|| panic!("{told}")).1.trim().parse().unwrap()
}
