//! A set of revoked tokens and sessions: sorted hashes, eight bytes each.

/// About how far a hash may lie from where its value says, among a million that are spread evenly: the first look is as wide.
const NEAR: usize = 1024;

/// Hashes in ascending order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exact(Vec<u64>);

impl Exact {
    /// The set of hashes that are written one after the other, eight bytes each in network order; `None` when they do not ascend.
    pub(crate) fn read(bytes: &[[u8; 8]]) -> Option<Self> {
        let hashes: Vec<u64> = bytes.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect();
        hashes.iter().zip(hashes.iter().skip(1)).all(|(hash, next)| hash < next).then_some(Exact(hashes))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Is it among them? Keyed hashes are spread evenly, so that the value of one says about where it lies; where they are not, it takes
    /// longer and is found all the same.
    pub(crate) fn contains(&self, hash: u64) -> bool {
        let length = self.0.len();
        let product = u128::from(hash).saturating_mul(u128::try_from(length).unwrap_or_default());
        let guess = usize::try_from(product >> 64).unwrap_or_default();
        let (mut low, mut high) = (guess.saturating_sub(NEAR), guess.saturating_add(NEAR));
        let mut step = NEAR;
        while low > 0 && self.0.get(low).is_some_and(|first| *first > hash) {
            step = step.saturating_mul(2);
            low = low.saturating_sub(step);
        }
        while self.0.get(high).is_some_and(|next| *next <= hash) {
            step = step.saturating_mul(2);
            high = high.saturating_add(step);
        }
        self.0.get(low..high.min(length)).is_some_and(|near| near.binary_search(&hash).is_ok())
    }

    /// Adds the hashes of another set, in place; whether there was one among them that was new.
    pub(crate) fn merge(&mut self, more: &Exact) -> bool {
        let fresh: Vec<u64> = more.0.iter().copied().filter(|hash| !self.contains(*hash)).collect();
        let mut end = self.0.len();
        // Some room besides, so that not every delta moves the whole list.
        self.0.reserve_exact(fresh.len().max(end >> 5));
        self.0.extend_from_slice(&fresh);
        let mut room = self.0.len();
        for hash in fresh.iter().rev() {
            let from = self.0.get(..end).unwrap_or_default().partition_point(|before| before < hash);
            room = room.saturating_sub(end.saturating_sub(from));
            self.0.copy_within(from..end, room);
            room = room.saturating_sub(1);
            if let Some(place) = self.0.get_mut(room) {
                *place = *hash;
            }
            end = from;
        }
        !fresh.is_empty()
    }

    /// What they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.capacity().saturating_mul(size_of::<u64>())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    fn set(hashes: &BTreeSet<u64>) -> Exact {
        let bytes: Vec<[u8; 8]> = hashes.iter().map(|hash| hash.to_be_bytes()).collect();
        Exact::read(&bytes).unwrap()
    }

    #[test]
    fn hashes_that_do_not_ascend_are_no_set() {
        let read = |hashes: &[u64]| Exact::read(&hashes.iter().map(|hash| hash.to_be_bytes()).collect::<Vec<_>>());
        assert!(read(&[1, 2, u64::MAX]).is_some() && read(&[]).is_some());
        assert!(read(&[1, 1]).is_none() && read(&[2, 1]).is_none() && read(&[1, 3, 2]).is_none());
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
