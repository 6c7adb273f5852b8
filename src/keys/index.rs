//! Where something is that goes by a name: a look-up costs the same among one and among ten
//! thousand.

use std::collections::BinaryHeap;

/// The places of a list by the hash of what their entries go by. An entry that is found may go by
/// something else of the same hash: whoever looks compares.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Hash and place in one number, in order.
    sorted: Vec<u64>,
}

impl Index {
    /// An index of these [`pair`]s.
    #[inline(never)]
    pub(crate) fn of(pairs: Vec<u64>) -> Self {
        // A heap sorts as well as `sort`, in a tenth of the wasm.
        Index { sorted: BinaryHeap::from(pairs).into_sorted_vec() }
    }

    /// Adds one.
    pub(crate) fn insert(&mut self, hash: u32, place: usize) {
        let pair = pair(hash, place);
        self.sorted.insert(self.first(pair), pair);
    }

    /// The places of that hash, the first one first.
    pub(crate) fn places(&self, hash: u32) -> impl Iterator<Item = usize> {
        let start = pair(hash, 0);
        let run = self.sorted.get(self.first(start)..).unwrap_or_default().iter().map(move |pair| pair ^ start);
        let places = run.map_while(|place| u32::try_from(place).ok());
        #[cfg(test)]
        let places = places.inspect(|_| tests::LOOKS.set(tests::LOOKS.get() + 1));
        places.map(|place| usize::try_from(place).unwrap_or(usize::MAX))
    }

    /// Where the first pair is that is not less.
    #[inline(never)]
    fn first(&self, pair: u64) -> usize {
        self.sorted.partition_point(|other| *other < pair)
    }
}

/// Hash and place in one number.
pub(crate) fn pair(hash: u32, place: usize) -> u64 {
    (u64::from(hash) << 32) | u64::from(u32::try_from(place).unwrap_or(u32::MAX))
}

/// A hash in the making (FNV-1a). What is configured decides what is looked at; a hash that is met
/// on purpose costs a comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher(u64);

impl Hasher {
    pub(crate) const fn new() -> Self {
        Hasher(0xcbf2_9ce4_8422_2325)
    }

    /// With these bytes behind what is in it.
    #[inline(never)]
    pub(crate) fn with(self, bytes: &[u8]) -> Self {
        Hasher(bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// The upper half, which every byte has had its part in.
    pub(crate) fn finish(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or_default()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    std::thread_local! {
        /// How many places this thread has been told of.
        pub(crate) static LOOKS: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
    }

    #[test]
    fn finds_the_places_of_a_hash_in_their_order_and_no_other() {
        let pairs = [(7, 3), (0, 9), (u32::MAX, 1), (7, 1), (8, 0), (7, 2)];
        let mut index = Index::of(pairs.map(|(hash, place)| pair(hash, place)).to_vec());
        index.insert(7, 0);
        index.insert(9, 4);
        let places = |hash| index.places(hash).collect::<Vec<_>>();
        assert_eq!(places(7), [0, 1, 2, 3]);
        assert_eq!((places(0), places(8), places(9), places(u32::MAX)), (vec![9], vec![0], vec![4], vec![1]));
        assert!(places(6).is_empty() && Index::default().places(0).next().is_none());
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(Hasher::new().with(b"foo").with(b"bar").finish(), 0x8594_4171);
    }
}
