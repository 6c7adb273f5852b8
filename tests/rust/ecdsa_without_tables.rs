//! The ECDSA engine without any table. The generator's is kept for the whole process once it is
//! built, hence a process of its own.

use portcullis::internals::engine::precompute::TableSize;

#[path = "engines/ecdsa.rs"]
mod ecdsa;
#[path = "engines/random.rs"]
mod random;

const MODES: [Option<TableSize>; 3] = [None; 3];

fn cases() -> usize {
    10_000
}
