//! Whose clocks have passed an instant. Of several processes one may be wrong, and nothing tells which.
//!
//! A row that all of them write says when each of the last writers wrote, by its own clock. What is to be thrown away has to be past by all of
//! these clocks: one that is a day ahead then throws nothing away as long as another has written among the last. A process that nobody has
//! written beside for as long as anything matters goes by its own clock: whatever the others wrote is over by then, wherever their clocks are.

use serde::{Deserialize, Serialize};

/// As many clocks of others as are kept: the number of wrong ones in a row that do no harm, and one more.
const MOST: usize = 4;

/// The clocks of those who wrote a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Clocks {
    /// Of those before the last writer, when each wrote for the last time, the newest last.
    others: Vec<u64>,
    /// Of the last writer: its first write since another wrote.
    since: u64,
    /// Its last write.
    last: u64,
}

impl Clocks {
    /// With one write more, at `now` by the writer's clock; `own` when the write before was the same process's. `hold` is how long what is
    /// kept matters, in seconds.
    ///
    /// A process that has written nothing for so long, or whose clock has gone back or leapt, counts as another: what it says now is one
    /// thing, and what it said before another.
    pub(super) fn after(&self, now: u64, own: bool, hold: u64) -> Self {
        if own && (self.last..=self.last.saturating_add(hold)).contains(&now) {
            return Clocks { last: now, ..self.clone() };
        }
        let before = (self.last > 0).then_some(self.last);
        let mut others: Vec<u64> = self.others.iter().copied().chain(before).collect();
        others.drain(..others.len().saturating_sub(MOST));
        Clocks { others, since: now, last: now }
    }

    /// What is past by every clock that counts, the last writer's among them.
    pub(super) fn past(&self, hold: u64) -> u64 {
        // Twice, so that a leap which is too small to be seen ends no run of its own early.
        let alone = self.last.saturating_sub(self.since) >= hold.saturating_mul(2);
        self.others.iter().copied().filter(|_| !alone).fold(self.last, u64::min)
    }

    /// The present by most of the clocks, and no earlier than the last writer's: from when on something new is to be kept.
    pub(super) fn present(&self) -> u64 {
        let mut all: Vec<u64> = self.others.iter().copied().chain([self.last]).collect();
        all.sort_unstable();
        all.get(all.len().div_euclid(2)).copied().unwrap_or_default().max(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: u64 = 600;
    const DAY: u64 = 86_400;
    const NOW: u64 = 1_800_000_000;

    /// What is past after these writes, each by a process at a time by its clock.
    fn past(writes: &[(char, u64)]) -> u64 {
        let mut before = None;
        let clocks = writes.iter().fold(Clocks::default(), |clocks, (process, now)| {
            clocks.after(*now, before.replace(*process) == Some(*process), HOLD)
        });
        clocks.past(HOLD)
    }

    #[test]
    fn a_process_alone_goes_by_its_own_clock() {
        assert_eq!(past(&[('r', NOW)]), NOW);
        assert_eq!(past(&[('r', NOW), ('r', NOW + 9)]), NOW + 9);
        // After a new deployment for as long as anything of the old one matters.
        assert_eq!(past(&[('o', NOW), ('r', NOW + 5), ('r', NOW + 600)]), NOW);
        assert_eq!(
            past(&[('o', NOW), ('r', NOW + 5), ('r', NOW + 600), ('r', NOW + 1200), ('r', NOW + 1205)]),
            NOW + 1205
        );
        // Whoever writes seldom is one writer before.
        assert_eq!(past(&[('r', NOW), ('r', NOW + 1000), ('r', NOW + 2000)]), NOW);
    }

    #[test]
    fn a_clock_that_is_ahead_passes_nothing_while_a_right_one_is_among_the_last() {
        let fast = |after| ('f', NOW + DAY + after);
        assert_eq!(past(&[('r', NOW), fast(1)]), NOW);
        assert_eq!(past(&[('r', NOW), fast(1), fast(2), fast(3)]), NOW);
        assert_eq!(past(&[fast(0), ('r', NOW + 1)]), NOW + 1);
        assert_eq!(past(&[('r', NOW), fast(1), ('r', NOW + 2), fast(3), ('r', NOW + 4), fast(5)]), NOW + 2);
        assert_eq!(past(&[('r', NOW), ('e', NOW + DAY), ('g', NOW + DAY), fast(1), ('e', NOW + DAY + 2)]), NOW);
        // Alone for twice as long as anything of another's matters: nothing of theirs is left.
        let alone = [('r', NOW), fast(1), fast(500), fast(1000), fast(1201)];
        assert_eq!(past(&alone[..4]), NOW);
        assert_eq!(past(&alone), NOW + DAY + 1201);
    }

    #[test]
    fn in_no_order_of_two_right_processes_and_two_that_are_ahead_is_anything_past_that_is_not() {
        // What was past before the last write of a right process is past.
        for order in 0..4_u32.pow(8) {
            let (mut clocks, mut before, mut ahead, mut right) = (Clocks::default(), None, 0, false);
            for (step, place) in (0..8).zip([1, 4, 16, 64, 256, 1024, 4096, 16_384]) {
                let process = order / place % 4;
                let now = NOW + step + [0, 0, DAY, 2 * DAY][process as usize];
                clocks = clocks.after(now, before.replace(process) == Some(process), HOLD);
                right |= process < 2;
                ahead = if process < 2 { 0 } else { ahead + 1 };
                // Those that are ahead are no more than are kept of others, and one right process has written before.
                if right && ahead <= 4 {
                    assert!(clocks.past(HOLD) <= NOW + step, "{order} {step} {clocks:?}");
                }
            }
        }
    }

    #[test]
    fn a_leap_of_ones_own_clock_is_another_clock() {
        assert_eq!(past(&[('r', NOW), ('r', NOW + DAY), ('r', NOW + DAY + 1), ('r', NOW + DAY + 1199)]), NOW);
        assert_eq!(past(&[('r', NOW + DAY), ('r', NOW), ('r', NOW + 1)]), NOW + 1);
        // One that is too small to be seen, for a process that has just begun.
        assert_eq!(past(&[('o', NOW), ('r', NOW + 1), ('r', NOW + 600), ('r', NOW + 1199)]), NOW);
    }

    #[test]
    fn what_is_new_is_kept_from_the_present_of_most() {
        let after = |times: &[u64]| {
            times.iter().fold(Clocks::default(), |clocks, now| clocks.after(*now, false, HOLD)).present()
        };
        assert_eq!(after(&[NOW]), NOW);
        assert_eq!(after(&[NOW, NOW + 5]), NOW + 5);
        assert_eq!(after(&[NOW, NOW + 1, NOW - DAY]), NOW);
        assert_eq!(after(&[NOW, NOW - DAY]), NOW);
        assert_eq!(after(&[NOW, NOW + DAY, NOW + 5]), NOW + 5);
    }
}
