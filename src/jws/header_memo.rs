//! Headers that need not be read again: real traffic repeats a handful of them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::jws::header::Header;

/// How many headers are kept.
const MOST: usize = 16;

/// The headers of tokens whose signature has held, by their exact base64url text. Forged tokens
/// cannot drive them out.
///
/// Reading a header is a function of its text and of a verifier's limits alone, so that a memo
/// belongs to one verifier.
#[derive(Debug, Default)]
pub(crate) struct HeaderMemo {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: Vec<KnownHeader>,
    /// How many were ever kept; the next one's name.
    count: u32,
}

#[derive(Debug)]
struct KnownHeader {
    id: u32,
    segment: Box<str>,
    header: Arc<Header>,
}

impl HeaderMemo {
    /// The header of that base64url text, if it is known.
    pub(crate) fn header(&self, segment: &str) -> Option<Arc<Header>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.entries.iter().find(|entry| *entry.segment == *segment).map(|entry| Arc::clone(&entry.header))
    }

    /// Keeps the header of an authentic token, and returns the number under which whoever has
    /// parsed its text may keep that, too: another text has another number.
    pub(crate) fn keep(&self, segment: &str, header: &Arc<Header>) -> u32 {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.entries.iter().find(|entry| *entry.segment == *segment) {
            return known.id;
        }
        let id = kept.count;
        kept.count = kept.count.wrapping_add(1);
        let entry = KnownHeader { id, segment: segment.into(), header: Arc::clone(header) };
        let place = usize::try_from(id).unwrap_or_default().checked_rem(MOST).unwrap_or_default();
        match kept.entries.get_mut(place) {
            Some(oldest) => *oldest = entry,
            None => kept.entries.push(entry),
        }
        id
    }

    /// How many headers are kept.
    pub(crate) fn len(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{jws::header, limits::Limits};

    fn header() -> Arc<Header> {
        Arc::new(header::read(br#"{"alg":"ES256"}"#.to_vec(), &Limits::default()).unwrap())
    }

    #[test]
    fn the_same_text_has_the_same_number_and_another_one_another() {
        let memo = HeaderMemo::default();
        assert!(memo.header("a").is_none());
        assert_eq!([memo.keep("a", &header()), memo.keep("b", &header()), memo.keep("a", &header())], [0, 1, 0]);
        assert!(memo.header("a").is_some() && memo.header("A").is_none() && memo.header("aa").is_none());
    }

    #[test]
    fn the_oldest_goes_and_numbers_are_not_used_again() {
        let memo = HeaderMemo::default();
        let numbers: Vec<u32> = (0..40).map(|i| memo.keep(&i.to_string(), &header())).collect();
        assert_eq!(numbers, (0..40).collect::<Vec<u32>>());
        assert_eq!(memo.len(), MOST);
        assert!(memo.header("23").is_none() && memo.header("24").is_some());
        assert_eq!(memo.keep("23", &header()), 40);
    }
}
