//! Which proofs of possession were used (RFC 9449 §11.1), in this instance's memory.

use std::collections::{BTreeMap, BTreeSet};

/// A proof takes some 200 bytes.
const MOST_PROOFS: usize = 100_000;

/// Remembers proofs. It forgets none that a gate may still accept: when it is full, it cannot
/// tell.
#[derive(Debug, Default)]
pub(crate) struct UsedProofs {
    used: BTreeSet<String>,
    /// The proofs by the second they are remembered until, and when the latest of them was made.
    ends: BTreeMap<u64, (Vec<String>, u64)>,
    /// What was over before this second is forgotten.
    swept_to: u64,
    /// The latest second at which a proof was made that is forgotten.
    forgotten: Option<u64>,
}

impl UsedProofs {
    /// Whether it is the first use of a proof; `None` when that cannot be known.
    pub(crate) fn first_use(&mut self, key: &str, until: u64, issued_at: u64, now: u64) -> Option<bool> {
        self.sweep(now);
        // It may have been forgotten: by time that passed, also when the clock was set back since,
        // or under a policy that accepts proofs for less long.
        let forgotten = until < self.swept_to || self.forgotten.is_some_and(|latest| issued_at <= latest);
        if forgotten || self.used.contains(key) {
            return Some(false);
        }
        if self.used.len() >= MOST_PROOFS {
            return None;
        }
        self.used.insert(key.to_owned());
        let (keys, latest) = self.ends.entry(until).or_default();
        keys.push(key.to_owned());
        *latest = issued_at.max(*latest);
        Some(true)
    }

    fn sweep(&mut self, now: u64) {
        if now <= self.swept_to {
            return;
        }
        let later = self.ends.split_off(&now);
        for (keys, latest) in core::mem::replace(&mut self.ends, later).into_values() {
            self.forgotten = self.forgotten.max(Some(latest));
            for key in keys {
                self.used.remove(&key);
            }
        }
        self.swept_to = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_good_once_and_forgotten_when_no_gate_would_accept_it() {
        let mut proofs = UsedProofs::default();
        assert_eq!(proofs.first_use("a", 1060, 1000, 1000), Some(true));
        assert_eq!(proofs.first_use("a", 1060, 1000, 1000), Some(false));
        assert_eq!(proofs.first_use("b", 1060, 1001, 1060), Some(true));
        assert_eq!(proofs.first_use("a", 1060, 1000, 1060), Some(false));
        assert_eq!(proofs.used.len(), 2);
        // Both are forgotten, and no proof that is as old is taken for a new one any more.
        assert_eq!(proofs.first_use("c", 1120, 1002, 1061), Some(true));
        assert_eq!(proofs.used.len(), 1);
        assert_eq!(proofs.first_use("a", 1300, 1000, 1061), Some(false));
        // Not by a clock that was set back, either.
        assert_eq!(proofs.first_use("a", 1060, 1060, 1000), Some(false));
    }

    #[test]
    fn a_memory_that_is_full_cannot_tell() {
        let mut proofs = UsedProofs::default();
        for number in 0..MOST_PROOFS {
            assert_eq!(proofs.first_use(&number.to_string(), 1060, 1000, 1000), Some(true));
        }
        assert_eq!(proofs.first_use("more", 1060, 1000, 1000), None);
        assert_eq!(proofs.first_use("0", 1060, 1000, 1000), Some(false));
        assert_eq!(proofs.first_use("more", 1121, 1001, 1061), Some(true));
    }
}
