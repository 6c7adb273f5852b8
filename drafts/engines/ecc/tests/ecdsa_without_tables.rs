//! The ECDSA engine with no table at all. The generator's is kept for the whole process once it is built, hence a process of its own.

use ecc::ecdsa::Precompute;

mod ecdsa_suite;

const MODES: [Precompute; 3] = [Precompute::None; 3];
