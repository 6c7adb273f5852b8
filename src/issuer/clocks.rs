//! Whose clocks have passed an instant. Of several processes one may be wrong, and nothing tells
//! which.
//!
//! A row that all of them write keeps the last clocks that wrote it. A clock makes a run: writes
//! that follow one another by it, of whatever process, since the workers and the restarts of a
//! host share its clock. What is to be thrown away has to be past by all of the runs: a clock that
//! is a day ahead then throws nothing away as long as another has written among the last. A clock
//! that nobody has written beside for as long as anything matters is believed: whatever the others
//! wrote is over by then, wherever their clocks are.

use serde::{Deserialize, Serialize};

/// As many clocks of others as are kept: the number of wrong ones in a row that do no harm, and
/// one more.
const MOST: usize = 4;

/// How far a clock may be behind most of the others and still hold everything up, in seconds. One
/// that has stopped would do so for ever.
const FURTHEST_BEHIND_SECONDS: u64 = 2 * 86_400;

/// The clocks that wrote a row, by runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Clocks {
    /// Of the runs before this one, when each wrote for the last time, the newest last.
    others: Vec<u64>,
    /// The first write of this run.
    since: u64,
    /// Its last write.
    last: u64,
}

impl Clocks {
    /// With one write more, at `now` by the writer's clock. `hold` is how long what is kept
    /// matters, in seconds.
    ///
    /// A clock that has said nothing for so long, or that has gone back or leapt, counts as
    /// another: what it says now is one thing, and what it said before another.
    pub(super) fn after(&self, now: u64, hold: u64) -> Self {
        if (self.last..=self.last.saturating_add(hold)).contains(&now) {
            return Clocks { last: now, ..self.clone() };
        }
        let before = (self.last > 0).then_some(self.last);
        let mut others: Vec<u64> = self.others.iter().copied().chain(before).collect();
        others.drain(..others.len().saturating_sub(MOST));
        Clocks { others, since: now, last: now }
    }

    /// What is past by every clock that counts. Of the first clock that a row hears of nobody
    /// knows whether it is right: nothing is past by it.
    pub(super) fn past(&self, hold: u64) -> u64 {
        // Twice, so that a leap which is too small to be seen ends no run of its own early.
        if self.last.saturating_sub(self.since) >= hold.saturating_mul(2) {
            return self.last;
        }
        let least = self.others.iter().copied().min();
        least.map_or(0, |least| least.min(self.since).max(self.floor()))
    }

    /// What is past although a clock that is far behind says otherwise, where there are enough to
    /// tell.
    fn floor(&self) -> u64 {
        let all = self.sorted();
        let median = all.len().checked_sub(1).and_then(|last| all.get(last.div_euclid(2)));
        median.filter(|_| all.len() > 2).map_or(0, |median| median.saturating_sub(FURTHEST_BEHIND_SECONDS))
    }

    fn sorted(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self.others.iter().copied().chain([self.last]).collect();
        all.sort_unstable();
        all
    }

    /// The present by most of the clocks, and no earlier than the last writer's: from when on
    /// something new is to be kept.
    pub(super) fn present(&self) -> u64 {
        let all = self.sorted();
        all.get(all.len().div_euclid(2)).copied().unwrap_or_default().max(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: u64 = 600;
    const DAY: u64 = 86_400;
    const NOW: u64 = 1_800_000_000;

    fn after(writes: &[u64]) -> Clocks {
        writes.iter().fold(Clocks::default(), |clocks, now| clocks.after(*now, HOLD))
    }

    /// What is past after these writes, each by the clock of its writer.
    fn past(writes: &[u64]) -> u64 {
        after(writes).past(HOLD)
    }

    #[test]
    fn a_clock_is_believed_that_nobody_has_written_beside_for_long_enough() {
        assert_eq!(past(&[NOW]), 0);
        assert_eq!(past(&[NOW, NOW + 600, NOW + 1199]), 0);
        assert_eq!(past(&[NOW, NOW + 600, NOW + 1200]), NOW + 1200);
        // After another for as long as anything of the other matters.
        assert_eq!(past(&[NOW + 9, NOW, NOW + 600, NOW + 1199]), NOW);
        assert_eq!(past(&[NOW + 9, NOW, NOW + 600, NOW + 1200, NOW + 1205]), NOW + 1205);
        // Whoever writes seldom is one clock before.
        assert_eq!(past(&[NOW, NOW + 1000, NOW + 2000]), NOW);
    }

    #[test]
    fn a_clock_that_is_ahead_passes_nothing_while_a_right_one_is_among_the_last() {
        let fast = |after| NOW + DAY + after;
        assert_eq!(past(&[fast(0)]), 0);
        assert_eq!(past(&[NOW, fast(1)]), NOW);
        assert_eq!(past(&[fast(0), NOW + 1]), NOW + 1);
        assert_eq!(past(&[NOW, fast(1), NOW + 2, fast(3), NOW + 4, fast(5)]), NOW + 2);
        assert_eq!(past(&[NOW, NOW + 2 * DAY, fast(0), NOW + 2 * DAY, fast(2)]), NOW);
        // However many of its workers write, they are one clock.
        assert_eq!(past(&[NOW, fast(1), fast(2), fast(3), fast(4), fast(5), fast(6)]), NOW);
        // Alone for twice as long as anything of another's matters: nothing of theirs is left.
        let alone = [NOW, fast(1), fast(500), fast(1000), fast(1201)];
        assert_eq!(past(&alone[..4]), NOW);
        assert_eq!(past(&alone), NOW + DAY + 1201);
    }

    #[test]
    fn in_no_order_of_two_right_clocks_and_two_that_are_ahead_is_anything_past_that_is_not() {
        // What was past before the last write of a right clock is past.
        for order in 0..4_u32.pow(8) {
            let (mut clocks, mut ahead, mut right) = (Clocks::default(), 0, false);
            for (step, place) in (0..8).zip([1, 4, 16, 64, 256, 1024, 4096, 16_384]) {
                let clock = order / place % 4;
                let now = NOW + step + [0, 0, DAY, 2 * DAY][clock as usize];
                clocks = clocks.after(now, HOLD);
                right |= clock < 2;
                ahead = if clock < 2 { 0 } else { ahead + 1 };
                // Those that are ahead are no more than are kept of others, and one right clock
                // has written before.
                if right && ahead <= 4 {
                    assert!(clocks.past(HOLD) <= NOW + step, "{order} {step} {clocks:?}");
                }
            }
        }
    }

    #[test]
    fn a_leap_of_ones_own_clock_is_another_clock() {
        assert_eq!(past(&[NOW, NOW + DAY, NOW + DAY + 1, NOW + DAY + 1199]), NOW);
        assert_eq!(past(&[NOW + DAY, NOW, NOW + 1]), NOW);
        // One that is too small to be seen leaves the run, and what is past, where it began.
        assert_eq!(past(&[NOW + 9, NOW, NOW + 599, NOW + 1199]), NOW);
    }

    #[test]
    fn a_clock_that_has_stopped_or_is_far_behind_holds_nothing_up_for_more_than_two_days() {
        for behind in [10 * DAY, NOW] {
            let writes = [NOW, NOW - behind, NOW + 5, NOW - behind + 5, NOW + 10];
            assert_eq!(past(&writes), NOW - 2 * DAY);
            // Of two clocks nobody knows which one is wrong.
            assert_eq!(past(&writes[..2]), NOW - behind);
        }
        // One that is a day behind does, and what it says counts.
        assert_eq!(past(&[NOW, NOW - DAY, NOW + 5, NOW - DAY + 5, NOW + 10]), NOW - DAY);
    }

    #[test]
    fn what_is_new_is_kept_from_the_present_of_most() {
        let after = |times: &[u64]| after(times).present();
        assert_eq!(after(&[NOW]), NOW);
        assert_eq!(after(&[NOW, NOW + 5]), NOW + 5);
        assert_eq!(after(&[NOW, NOW + 1, NOW - DAY]), NOW + 1);
        assert_eq!(after(&[NOW, NOW - DAY]), NOW);
        assert_eq!(after(&[NOW, NOW + DAY, NOW + 5]), NOW + 5);
    }
}
