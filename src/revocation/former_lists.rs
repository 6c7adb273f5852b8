//! Lists that a policy held which is no more. What they say and their versions count again under a
//! policy that trusts their keys: a detour through another policy lets no older list in.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    keys::set::KeySet,
    policy::RevocationPolicy,
    revocation::{list::List, status::StatusList},
};

/// For how many sets of keys lists are kept: of each the latest. The oldest set goes first.
const MOST_SETS: usize = 8;

/// As many places of status lists are kept.
const MOST_STATUSES: usize = 64;

/// What is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct FormerLists {
    lists: Vec<(Arc<KeySet>, Arc<List>)>,
    statuses: Vec<(String, Arc<KeySet>, Arc<StatusList>)>,
}

impl FormerLists {
    /// Keeps the list that was held under these keys. It is later than any of its issuer that was
    /// kept for them before.
    pub(super) fn keep_list(&mut self, keys: &Arc<KeySet>, list: &Arc<List>) {
        self.lists.retain(|(other, kept)| kept.issuer() != list.issuer() || !same(other, keys));
        self.lists.push((Arc::clone(keys), Arc::clone(list)));
        drop_oldest(&mut self.lists, MOST_SETS);
    }

    /// The same for the status list of that URI.
    pub(super) fn keep_status(&mut self, uri: &str, keys: &Arc<KeySet>, list: &Arc<StatusList>) {
        self.statuses.retain(|(at, other, _)| at != uri || !same(other, keys));
        self.statuses.push((uri.to_owned(), Arc::clone(keys), Arc::clone(list)));
        drop_oldest(&mut self.statuses, MOST_STATUSES);
    }

    /// The latest list that a policy would have taken: one of its issuers has made it, and it
    /// trusts every key that may have signed it.
    pub(super) fn list(&self, policy: &RevocationPolicy) -> Option<Arc<List>> {
        let mut latest: Option<&Arc<List>> = None;
        for (keys, list) in &self.lists {
            let trusted = policy.keys().has_keys_of(keys) && policy.issuers().iter().any(|own| own == list.issuer());
            if trusted && latest.is_none_or(|latest| list.is_later_than(latest)) {
                latest = Some(list);
            }
        }
        latest.map(Arc::clone)
    }

    /// The same for the status lists of a policy.
    pub(super) fn statuses(&self, policy: &RevocationPolicy) -> BTreeMap<String, Arc<StatusList>> {
        let mut latest: BTreeMap<String, Arc<StatusList>> = BTreeMap::new();
        for (uri, keys, list) in &self.statuses {
            let trusted = policy.status_list(uri).is_some_and(|rules| rules.keys.has_keys_of(keys));
            if trusted && latest.get(uri).is_none_or(|latest| list.is_later_than(latest)) {
                latest.insert(uri.clone(), Arc::clone(list));
            }
        }
        latest
    }
}

fn same(one: &KeySet, other: &KeySet) -> bool {
    one.has_keys_of(other) && other.has_keys_of(one)
}

fn drop_oldest<T>(kept: &mut Vec<T>, most: usize) {
    let surplus = kept.len().saturating_sub(most);
    kept.drain(..surplus);
}
