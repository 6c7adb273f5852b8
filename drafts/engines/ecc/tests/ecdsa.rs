//! The ECDSA engine with each size of table.

use ecc::ecdsa::Precompute;

mod ecdsa_suite;

const MODES: [Precompute; 3] = [Precompute::None, Precompute::Default, Precompute::Wide];
