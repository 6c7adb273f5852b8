//! A set of revoked tokens and sessions: sorted hashes, eight bytes each, and a filter in front
//! that answers for most of the others.

/// Hashes in ascending order, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct SortedHashes {
    hashes: Vec<u64>,
    filter: Filter,
}

/// Hashes that come one by one, ascending.
#[derive(Debug)]
pub(crate) struct Ascending(Vec<u64>);

/// How often a place is guessed before it is searched for. Of a million even hashes two guesses
/// lead to within twenty or so.
const GUESSES: usize = 4;

/// From how near on it is searched for.
const NEAR: u64 = 8;

impl Ascending {
    /// With room for so many, and for some that deltas bring: not every one of them is to move the
    /// whole list.
    pub(crate) fn with_room(count: usize) -> Self {
        Ascending(Vec::with_capacity(count.saturating_add(count >> 6)))
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

impl From<Ascending> for SortedHashes {
    fn from(Ascending(hashes): Ascending) -> Self {
        let filter = Filter::of(&hashes);
        SortedHashes { hashes, filter }
    }
}

impl PartialEq for SortedHashes {
    fn eq(&self, other: &Self) -> bool {
        self.hashes == other.hashes
    }
}

impl SortedHashes {
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Is it among them?
    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.filter.may_have(hash) && self.find(hash, 0, 0).is_ok()
    }

    /// Its place, or where it would be; `from` is a place before it, of a hash that is about
    /// `least`. Keyed hashes are spread evenly, so that the value of one says about where it lies,
    /// and the one that is found there says it better; where they are not even, it takes longer
    /// and is found all the same.
    fn find(&self, hash: u64, from: usize, least: u64) -> Result<usize, usize> {
        let hashes = self.hashes.as_slice();
        let number = |place: usize| u64::try_from(place).unwrap_or_default();
        let mut place = number(from).saturating_add(share(hash.abs_diff(least), number(hashes.len())));
        for _ in 0..GUESSES {
            let found = usize::try_from(place).ok().and_then(|place| hashes.get(place));
            let Some(found) = found else { break };
            let step = share(found.abs_diff(hash), number(hashes.len()));
            place = if *found <= hash { place.saturating_add(step) } else { place.saturating_sub(step) };
            if step < NEAR {
                break;
            }
        }
        search_near(hashes, usize::try_from(place).unwrap_or(usize::MAX), hash)
    }

    /// Adds the hashes of another set, in place; whether there was one among them that was new.
    pub(crate) fn merge(&mut self, more: &SortedHashes) -> bool {
        let mut fresh: Vec<(usize, u64)> = Vec::with_capacity(more.len());
        // Each is looked for where the one before was found: the list is gone through once.
        let (mut from, mut least) = (0, 0);
        for hash in &more.hashes {
            let place = self.find(*hash, from, least);
            (from, least) = (place.unwrap_or_else(|place| place), *hash);
            fresh.extend(place.err().map(|place| (place, *hash)));
        }
        let changed = !fresh.is_empty();
        let mut end = self.hashes.len();
        if self.hashes.capacity().saturating_sub(end) < fresh.len() {
            self.hashes.reserve_exact(fresh.len().max(end >> 6));
        }
        self.hashes.extend(fresh.iter().map(|(_, hash)| *hash));
        self.filter.add(&fresh, &self.hashes);
        let mut room = self.hashes.len();
        for (from, hash) in fresh.into_iter().rev() {
            room = room.saturating_sub(end.saturating_sub(from));
            self.hashes.copy_within(from..end, room);
            room = room.saturating_sub(1);
            if let Some(place) = self.hashes.get_mut(room) {
                *place = hash;
            }
            end = from;
        }
        changed
    }

    /// What they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let words = self.hashes.capacity().saturating_add(self.filter.blocks.capacity());
        words.saturating_mul(size_of::<u64>())
    }
}

/// A Bloom filter whose every hash has its bits in one word: a look at one cache line, of which a
/// million hashes have a megabyte, tells nineteen of twenty others apart. A search takes three
/// looks, one after the other, into eight.
#[derive(Clone, Debug, Default)]
struct Filter {
    blocks: Vec<u64>,
    hashes: usize,
}

/// Hashes a block, as a power of two.
const SHARED: u32 = 3;

impl Filter {
    fn of(hashes: &[u64]) -> Self {
        let count = (hashes.len() >> SHARED).saturating_add(1);
        let mut filter = Filter { blocks: vec![0; count], hashes: hashes.len() };
        hashes.iter().for_each(|hash| filter.set(*hash));
        filter
    }

    /// Adds hashes. With twice as many as it was made for it is made anew of all, in whatever
    /// order.
    fn add(&mut self, fresh: &[(usize, u64)], all: &[u64]) {
        if self.blocks.is_empty() || all.len() >> 1 > self.hashes {
            *self = Filter::of(all);
        } else {
            fresh.iter().for_each(|(_, hash)| self.set(*hash));
        }
    }

    fn set(&mut self, hash: u64) {
        let place = self.place(hash);
        if let Some(block) = self.blocks.get_mut(place) {
            *block |= bits(hash);
        }
    }

    fn may_have(&self, hash: u64) -> bool {
        self.blocks.get(self.place(hash)).is_some_and(|block| block & bits(hash) == bits(hash))
    }

    /// By the highest bits, so that ascending hashes go through it once.
    fn place(&self, hash: u64) -> usize {
        let count = u64::try_from(self.blocks.len()).unwrap_or_default();
        usize::try_from(share(hash, count)).unwrap_or_default()
    }
}

/// Four of 64 bits, by the lowest of the hash.
fn bits(hash: u64) -> u64 {
    [0, 6, 12, 18]
        .into_iter()
        .fold(0, |bits, shift| bits | 1_u64.rotate_left(u32::try_from((hash >> shift) & 63).unwrap_or_default()))
}

/// As large a part of `whole` as `of` is of 2⁶⁴.
fn share(of: u64, whole: u64) -> u64 {
    u64::try_from(u128::from(of).wrapping_mul(u128::from(whole)) >> 64).unwrap_or_default()
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

    fn set(hashes: &BTreeSet<u64>) -> SortedHashes {
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
            prop_assert_eq!(&exact.hashes, &set(&all).hashes);
            for hash in all.iter().copied().chain(strangers) {
                for near in [hash.wrapping_sub(1), hash, hash.wrapping_add(1)] {
                    prop_assert_eq!(exact.contains(near), all.contains(&near));
                }
            }
        }
    }
}
