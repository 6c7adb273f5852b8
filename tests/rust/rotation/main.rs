//! The session's state machine: its table a row a test, its way to a store, and its invariants
//! over sequences that nobody wrote on purpose.

mod commit;
mod cutoffs;
mod invariants;
mod support;
mod table;
mod tokens;
