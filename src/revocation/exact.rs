//! A set of revoked tokens and sessions: sorted hashes, eight bytes each.

/// Hashes in ascending order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exact(Vec<u64>);

/// Hashes that come one by one, ascending.
#[derive(Debug)]
pub(crate) struct Ascending(Vec<u64>);

/// How often a place is guessed before it is searched for. Of a million even hashes two guesses lead to within twenty or so.
const GUESSES: usize = 4;

/// From how near on it is looked for one by one: that much is in one or two cache lines.
const NEAR: u64 = 8;

impl Ascending {
    /// With room for so many, and for some that deltas bring: not every one of them is to move the whole list.
    pub(crate) fn with_room(count: usize) -> Self {
        Ascending(Vec::with_capacity(count.saturating_add(count >> 5)))
    }

    /// Adds the next; `false` when it does not ascend.
    pub(crate) fn push(&mut self, hash: u64) -> bool {
        let ascends = self.0.last().is_none_or(|last| *last < hash);
        self.0.push(hash);
        ascends
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl From<Ascending> for Exact {
    fn from(hashes: Ascending) -> Self {
        Exact(hashes.0)
    }
}

impl Exact {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Is it among them?
    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.find(hash).is_ok()
    }

    /// Its place, or where it would be. Keyed hashes are spread evenly, so that the value of one says about where it lies, and the one that is
    /// found there says it better; where they are not even, it takes longer and is found all the same.
    fn find(&self, hash: u64) -> Result<usize, usize> {
        let hashes = self.0.as_slice();
        let length = u64::try_from(hashes.len()).unwrap_or_default();
        let share =
            |of: u64| u64::try_from((u128::from(of).wrapping_mul(u128::from(length))) >> 64).unwrap_or_default();
        let mut place = share(hash);
        for _ in 0..GUESSES {
            let Some(found) = at(hashes, place) else { break };
            let step = share(found.abs_diff(hash));
            place = if found <= hash { place.saturating_add(step) } else { place.saturating_sub(step) };
            if step < NEAR {
                break;
            }
        }
        search_near(hashes, usize::try_from(place).unwrap_or(usize::MAX), hash)
    }

    /// Adds the hashes of another set, in place; whether there was one among them that was new.
    pub(crate) fn merge(&mut self, more: &Exact) -> bool {
        let fresh: Vec<(usize, u64)> =
            more.0.iter().filter_map(|hash| self.find(*hash).err().map(|place| (place, *hash))).collect();
        let changed = !fresh.is_empty();
        let mut end = self.0.len();
        // Some room besides, so that not every delta moves the whole list.
        if self.0.capacity().saturating_sub(end) < fresh.len() {
            self.0.reserve_exact(fresh.len().max(end >> 5));
        }
        self.0.extend(fresh.iter().map(|(_, hash)| *hash));
        let mut room = self.0.len();
        for (from, hash) in fresh.into_iter().rev() {
            room = room.saturating_sub(end.saturating_sub(from));
            self.0.copy_within(from..end, room);
            room = room.saturating_sub(1);
            if let Some(place) = self.0.get_mut(room) {
                *place = hash;
            }
            end = from;
        }
        changed
    }

    /// What they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity().saturating_mul(size_of::<u64>())
    }
}

fn at(hashes: &[u64], place: u64) -> Option<u64> {
    hashes.get(usize::try_from(place).ok()?).copied()
}

/// Searches from a place in growing steps, and in the last of them by halves.
fn search_near(hashes: &[u64], place: usize, hash: u64) -> Result<usize, usize> {
    let place = place.min(hashes.len());
    let (mut low, mut high, mut step) = (place, place, 4_usize);
    while low > 0 && hashes.get(low).is_none_or(|first| *first > hash) {
        low = low.saturating_sub(step);
        step = step.saturating_mul(2);
    }
    step = 4;
    while hashes.get(high).is_some_and(|last| *last <= hash) {
        high = high.saturating_add(step);
        step = step.saturating_mul(2);
    }
    let near = hashes.get(low..high.min(hashes.len())).unwrap_or_default();
    near.binary_search(&hash).map(|found| found.saturating_add(low)).map_err(|before| before.saturating_add(low))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    fn set(hashes: &BTreeSet<u64>) -> Exact {
        let mut ascending = Ascending::with_room(hashes.len());
        assert!(hashes.iter().all(|hash| ascending.push(*hash)));
        ascending.into()
    }

    #[test]
    fn hashes_that_do_not_ascend_are_no_set() {
        let ascend = |hashes: &[u64]| {
            let mut ascending = Ascending::with_room(0);
            hashes.iter().all(|hash| ascending.push(*hash))
        };
        assert!(ascend(&[1, 2, u64::MAX]) && ascend(&[]) && ascend(&[0]));
        assert!(!ascend(&[1, 1]) && !ascend(&[2, 1]) && !ascend(&[1, 3, 2]));
    }

    /// Even ones, ones that all lie together, and the extremes.
    fn hashes() -> impl Strategy<Value = BTreeSet<u64>> {
        let hash = prop_oneof![any::<u64>(), 0..5_000_u64, (u64::MAX - 5_000)..=u64::MAX, Just(1 << 63)];
        proptest::collection::btree_set(hash, 0..4_000)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn it_holds_what_a_btree_set_holds(mut all in hashes(), more in hashes(), strangers in proptest::collection::vec(any::<u64>(), 50)) {
            let mut exact = set(&all);
            let news = !more.is_subset(&all);
            prop_assert_eq!(exact.merge(&set(&more)), news);
            all.extend(&more);
            prop_assert_eq!(&exact, &set(&all));
            for hash in all.iter().copied().chain(strangers) {
                for near in [hash.wrapping_sub(1), hash, hash.wrapping_add(1)] {
                    prop_assert_eq!(exact.contains(near), all.contains(&near));
                }
            }
        }
    }
}
