//! A policy that takes proofs of possession for longer than the one before it: proofs that were
//! used and forgotten since must not come back to life.

use std::sync::OnceLock;

use crate::{
    binding::dpop::Proof,
    denial::Denial,
    time::{Leeway, UnixSeconds},
};

/// As many former policies count. Of more, the two oldest become one: the narrower window, for the
/// longer time.
const MOST: usize = 16;

/// The windows of former policies. A replay store was told to remember a proof for as long as its
/// own policy took it. A proof that may have been used under a former policy is therefore taken
/// for no longer than that one would have taken it.
#[derive(Clone, Debug, Default)]
pub(super) struct FormerWindows(Vec<FormerWindow>);

#[derive(Clone, Debug)]
struct FormerWindow {
    /// How old a proof might be, in seconds.
    seconds: u64,
    /// When it was followed by another: the first instant that is asked about afterwards, since
    /// nobody tells the time when a policy is replaced.
    ended: OnceLock<u64>,
}

impl FormerWindows {
    /// These, and the one that ends now.
    pub(super) fn and(&self, seconds: u64) -> Self {
        let mut windows = self.0.clone();
        windows.push(FormerWindow { seconds, ended: OnceLock::new() });
        if let [one, other, rest @ ..] = windows.as_slice()
            && windows.len() > MOST
        {
            let seconds = one.seconds.min(other.seconds);
            let mut fewer = vec![FormerWindow { seconds, ended: other.ended.clone() }];
            fewer.extend_from_slice(rest);
            windows = fewer;
        }
        FormerWindows(windows)
    }

    /// Notes an instant that is asked about.
    pub(super) fn note(&self, now: UnixSeconds) {
        for window in &self.0 {
            window.ended.get_or_init(|| now.get());
        }
    }

    /// A proof that the present window takes, as the former ones would have taken it.
    ///
    /// # Errors
    /// `dpop-time-mismatch`: it may have been used and forgotten.
    pub(super) fn check(
        &self,
        proof: Proof,
        own_seconds: u64,
        now: UnixSeconds,
        leeway: Leeway,
    ) -> Result<Proof, Denial> {
        let issued_at = proof.issued_at;
        // Before the end of its policy the proof may have been used, and by the leeway even before
        // it was made.
        let counts = |window: &&FormerWindow| {
            let ended = window.ended.get().and_then(|ended| UnixSeconds::new(*ended)).unwrap_or(UnixSeconds::MAX);
            issued_at.is_reached(ended, leeway)
        };
        let narrowest = self.0.iter().filter(counts).map(|window| window.seconds).min();
        let Some(window) = narrowest.filter(|seconds| *seconds < own_seconds) else { return Ok(proof) };
        let last = issued_at.get().saturating_add(window);
        if now.get() > last {
            return Err(Denial::DpopTimeMismatch { now, issued_at, window });
        }
        Ok(Proof { until: last.saturating_add(1), ..proof })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn until(windows: &FormerWindows, issued_at: u64, own: u64, now: u64) -> Option<u64> {
        let proof = Proof {
            jkt: String::new(),
            replay_key: String::new(),
            issued_at: at(issued_at),
            until: issued_at + own + 1,
            next_nonce: None,
        };
        windows.check(proof, own, at(now), Leeway::default()).ok().map(|proof| proof.until)
    }

    #[test]
    fn a_proof_from_before_a_wider_window_is_judged_by_the_narrower_one() {
        let windows = FormerWindows::default().and(10);
        windows.note(at(1000));
        windows.note(at(2000));
        assert_eq!(until(&windows, 989, 300, 1000), None);
        assert_eq!(until(&windows, 990, 300, 1000), Some(1001));
        // Used at 1000 by a clock that is ahead, and forgotten ten seconds later.
        assert_eq!(until(&windows, 1005, 300, 1016), None);
        assert_eq!(until(&windows, 1006, 300, 1016), Some(1307));
    }

    #[test]
    fn a_wider_window_in_between_revives_nothing_either() {
        let windows = FormerWindows::default().and(10);
        windows.note(at(1000));
        let windows = windows.and(300).and(20);
        windows.note(at(1100));
        assert_eq!(until(&windows, 995, 300, 1100), None);
        assert_eq!(until(&windows, 1090, 300, 1100), Some(1111));
        assert_eq!(until(&windows, 1106, 300, 1110), Some(1407));
    }

    #[test]
    fn many_policies_take_little_and_the_narrowest_counts() {
        let mut windows = FormerWindows::default().and(7);
        windows.note(at(1000));
        for turn in 0..100 {
            windows = windows.and(300);
            windows.note(at(1001 + turn));
        }
        assert_eq!(windows.0.len(), MOST);
        assert_eq!(until(&windows, 990, 300, 1101), None);
    }
}
