//! The bodies of the fuzz targets with random input, so that they stay sound where no fuzzer runs.

#[path = "../fuzz/bodies.rs"]
mod bodies;
#[cfg(feature = "issuer")]
#[path = "../fuzz/sessions.rs"]
mod sessions;

use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;

fn feed(body: fn(&[u8]), count: usize) {
    let mut random = ChaCha20Rng::seed_from_u64(1);
    for _ in 0..count {
        let mut data = vec![0; random.gen_range(0..400)];
        random.fill_bytes(&mut data);
        body(&data);
    }
}

#[test]
fn ecdsa() {
    for body in [bodies::es256, bodies::es384, bodies::es512, bodies::es256k] {
        feed(body, 100);
    }
}

#[test]
fn ed25519() {
    feed(bodies::ed25519, 1000);
}

#[test]
fn rsa() {
    feed(bodies::rsa, 100);
}

#[test]
fn token() {
    feed(bodies::token, 5000);
}

#[test]
fn request() {
    feed(bodies::request, 5000);
}

#[test]
fn list() {
    feed(bodies::list, 5000);
}

#[test]
fn readers() {
    for body in [bodies::readers::policy, bodies::readers::challenge, bodies::readers::url, bodies::readers::key] {
        feed(body, 1000);
    }
}

#[cfg(feature = "issuer")]
#[test]
fn sessions_and_rows() {
    for body in [sessions::refresh, sessions::row] {
        feed(body, 5000);
    }
}
