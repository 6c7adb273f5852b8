//! Answers of the feed that are signed already. All who pull within a second get one: it is as
//! true for the one as for the other.

use std::collections::BTreeMap;

use super::super::feed::{FeedResponse, Place};
use crate::time::UnixSeconds;

/// As many as are kept: whoever asks from a place of its own is answered all the same.
const MOST: usize = 64;

/// The answers of one second, from one state of the log.
#[derive(Debug, Default)]
pub(super) struct FeedResponseCache {
    of: Option<(Place, UnixSeconds)>,
    known: BTreeMap<Option<String>, FeedResponse>,
}

impl FeedResponseCache {
    pub(super) fn get(&mut self, of: (Place, UnixSeconds), since: Option<&str>) -> Option<FeedResponse> {
        if self.of.as_ref() != Some(&of) {
            *self = FeedResponseCache { of: Some(of), known: BTreeMap::new() };
        }
        self.known.get(&since.map(str::to_owned)).cloned()
    }

    pub(super) fn put(&mut self, of: &(Place, UnixSeconds), since: Option<&str>, answer: &FeedResponse) {
        if self.of.as_ref() == Some(of) && self.known.len() < MOST {
            self.known.insert(since.map(str::to_owned), answer.clone());
        }
    }
}
