//! Cutoffs: of an issuer, a client, a subject, a session or a key nothing is accepted that was
//! issued before an instant.

use crate::{
    revocation::hash_key::HashKey,
    time::{Leeway, UnixSeconds},
};

/// Cutoffs by the hash of their name, ascending, each once. There are few of them: a million
/// tokens of a subject end by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cutoffs(Vec<(u64, UnixSeconds)>);

impl Cutoffs {
    /// The cutoffs that are written one after the other: hash and instant, eight bytes each in
    /// network order. `None` when the hashes do not ascend, or an instant is none.
    pub(crate) fn read(pairs: &[[u8; 16]]) -> Option<Self> {
        let mut cutoffs: Vec<(u64, UnixSeconds)> = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let (hash, instant) = pair.split_first_chunk::<8>()?;
            let instant = UnixSeconds::new(u64::from_be_bytes(instant.try_into().ok()?))?;
            let hash = u64::from_be_bytes(*hash);
            if cutoffs.last().is_some_and(|(last, _)| *last >= hash) {
                return None;
            }
            cutoffs.push((hash, instant));
        }
        Some(Cutoffs(cutoffs))
    }

    /// Takes instants that lie further ahead than clocks may differ for this one: a clock that was
    /// a day ahead has written them, and whoever signs in again must not wait for that day.
    /// Nothing is let pass by it, since what is heard of now was revoked before now. The last
    /// instant of all is meant: a key that is withdrawn never comes back.
    pub(crate) fn bound(&mut self, now: UnixSeconds) {
        let latest = now.get().saturating_add(Leeway::CAP);
        for (_, before) in &mut self.0 {
            if before.get() > latest && *before != UnixSeconds::MAX {
                *before = now;
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The cutoff of that name.
    pub(crate) fn of(&self, key: &HashKey, claim: &str, issuer: &str, value: &str) -> Option<UnixSeconds> {
        // Most lists have none, and then nothing is hashed.
        if self.0.is_empty() {
            return None;
        }
        let place = self.find(key.hash(claim, issuer, value)).ok()?;
        self.0.get(place).map(|(_, before)| *before)
    }

    /// Adds other cutoffs; the later of two instants counts, so that none is ever taken back.
    /// Whether anything is others than before.
    pub(crate) fn merge(&mut self, more: &Cutoffs) -> bool {
        let mut changed = false;
        for (hash, before) in &more.0 {
            match self.find(*hash) {
                Err(place) => {
                    self.0.insert(place, (*hash, *before));
                    changed = true;
                }
                Ok(place) => {
                    if let Some((_, own)) = self.0.get_mut(place).filter(|(_, own)| own < before) {
                        *own = *before;
                        changed = true;
                    }
                }
            }
        }
        changed
    }

    fn find(&self, hash: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&hash, |(hash, _)| *hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(hash: u64, before: u64) -> [u8; 16] {
        let mut pair = [0; 16];
        pair[..8].copy_from_slice(&hash.to_be_bytes());
        pair[8..].copy_from_slice(&before.to_be_bytes());
        pair
    }

    #[test]
    fn the_later_instant_counts_and_none_is_taken_back() {
        let key = HashKey::new([1; 16]);
        let name = key.hash("sub", "https://i", "s");
        let read = |pairs: &[[u8; 16]]| Cutoffs::read(pairs).unwrap();
        let mut cutoffs = Cutoffs::default();
        let of = |cutoffs: &Cutoffs| cutoffs.of(&key, "sub", "https://i", "s").map(UnixSeconds::get);
        assert_eq!(of(&cutoffs), None);
        assert!(cutoffs.merge(&read(&[pair(name, 9)])));
        assert!(!cutoffs.merge(&read(&[pair(name, 9)])) && !cutoffs.merge(&read(&[pair(name, 3)])));
        assert_eq!((of(&cutoffs), cutoffs.of(&key, "sub", "https://i", "t")), (Some(9), None));
        assert!(cutoffs.merge(&read(&[pair(name, 12)])) && of(&cutoffs) == Some(12) && cutoffs.len() == 1);
    }

    #[test]
    fn an_instant_that_a_fast_clock_wrote_is_now() {
        let pairs = [pair(1, 100), pair(2, 400), pair(3, 401), pair(4, 86_500), pair(5, UnixSeconds::MAX.get())];
        let mut cutoffs = Cutoffs::read(&pairs).unwrap();
        cutoffs.bound(UnixSeconds::new(100).unwrap());
        let instants: Vec<u64> = cutoffs.0.iter().map(|(_, before)| before.get()).collect();
        assert_eq!(instants, [100, 400, 100, 100, UnixSeconds::MAX.get()]);
    }

    #[test]
    fn what_does_not_ascend_or_is_no_instant_is_refused() {
        assert!(Cutoffs::read(&[pair(1, 5), pair(2, 5)]).is_some());
        assert!(Cutoffs::read(&[pair(1, 5), pair(1, 6)]).is_none());
        assert!(Cutoffs::read(&[pair(2, 5), pair(1, 5)]).is_none());
        assert!(Cutoffs::read(&[pair(1, UnixSeconds::MAX.get() + 1)]).is_none());
    }
}
