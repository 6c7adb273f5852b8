//! The engines against their oracles: RustCrypto's crates on random and edge cases.
//!
//! `PORTCULLIS_CASES` sets how many random cases each engine is tried with.

use portcullis::internals::engine::precompute::TableSize;

mod ecdsa;
mod ed25519;
mod random;
mod rsa;

/// What tables the keys have in turn.
const MODES: [Option<TableSize>; 3] = [None, Some(TableSize::Default), Some(TableSize::Wide)];

fn cases() -> usize {
    std::env::var("PORTCULLIS_CASES").map_or(10_000, |cases| cases.parse().unwrap())
}
