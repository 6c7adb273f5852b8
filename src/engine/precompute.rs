//! Tables of a key's multiples: with one, a verification is a sum of table entries and needs no
//! doublings. The engine builds them when it is told to; who may have one is for the holder of the
//! keys to say.

use std::sync::{Arc, Mutex, PoisonError};

/// How large a key's table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableSize {
    /// What pays from a key's second use on, and takes at most 100 KiB for P-256 and Ed25519.
    Default,
    /// The table of a hot key: for P-256, 288 KiB.
    Wide,
}

/// A public key that can have a table. Clones of a key share it.
pub trait Precomputable {
    /// What a table of this size takes, in bytes.
    fn bytes_of(&self, size: TableSize) -> usize;

    /// What the key's table takes now, in bytes; 0 without one.
    fn table_bytes(&self) -> usize;

    /// Builds a table of this size in place of any other, which takes a millisecond or a few.
    fn precompute(&self, size: TableSize);

    /// Frees the table.
    fn forget_table(&self);

    /// Builds the table of the curve's generator, which all its keys share, if there is none. The
    /// first verification that finds its key with a table does it otherwise.
    fn precompute_generator(&self);

    /// What the generator's table takes now, in bytes.
    fn generator_table_bytes(&self) -> usize;
}

/// Where a key keeps its table.
#[derive(Debug)]
pub(super) struct Slot<T>(Arc<Mutex<Option<Arc<T>>>>);

impl<T> Slot<T> {
    /// The table, if there is one. Whoever holds it may go on using it when it is replaced.
    pub(super) fn get(&self) -> Option<Arc<T>> {
        // A table is put in its place whole, so that a panic elsewhere cannot have left half of
        // one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, table: Option<T>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = table.map(Arc::new);
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Slot(Arc::new(Mutex::new(None)))
    }
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Slot(Arc::clone(&self.0))
    }
}
