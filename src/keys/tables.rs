//! Which keys may have tables, within a budget.
//!
//! A table is earned by signatures that hold, so that forged tokens, however many, make us build
//! none. It is built with the second of them and, for a key in steady use, once more in a wider
//! form; a key that finds no room asks again whenever its uses have doubled.

use std::sync::{Mutex, PoisonError};

use crate::{
    engine::precompute::{Precomputable, TableSize},
    policy_error::PolicyError,
};

/// From this many uses on, a key may have a wide table.
const HOT: u32 = 256;

/// A key whose last use is less than this many uses of any key ago keeps its table: keys that take
/// turns do not rob each other.
const RECENT: u64 = 64;

/// How much memory the tables of all keys of a policy may take together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableBudget {
    bytes: usize,
    at_import: bool,
}

impl Default for TableBudget {
    /// 2 MiB, each table built with the second signature that holds.
    fn default() -> Self {
        TableBudget { bytes: 2 * 1024 * 1024, at_import: false }
    }
}

impl TableBudget {
    /// No policy can give its tables more, in bytes.
    pub const BYTES_CAP: usize = 64 * 1024 * 1024;

    /// The most that the tables of keys may take together, in bytes. The tables of the curves'
    /// generators are not counted: there is one a curve, which all verifiers share.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Sets the most that tables may take; 0 for none at all.
    ///
    /// # Errors
    /// More than [`TableBudget::BYTES_CAP`].
    pub fn with_bytes(self, bytes: usize) -> Result<Self, PolicyError> {
        if bytes > Self::BYTES_CAP {
            return Err(PolicyError::at("tableBytes", format!("must be an integer from 0 to {}", Self::BYTES_CAP)));
        }
        Ok(TableBudget { bytes, ..self })
    }

    /// A budget that a policy's shape has found to be within its cap.
    pub(crate) const fn checked(bytes: usize, at_import: bool) -> Self {
        TableBudget { bytes, at_import }
    }

    /// Builds tables when keys are imported, in the policy's order for as long as the budget
    /// lasts, and the generators' with them: a few milliseconds a key, which its second use then
    /// does not have to bear.
    #[must_use]
    pub fn at_import(self) -> Self {
        TableBudget { at_import: true, ..self }
    }

    /// Builds the table of a key that is imported, if that is wanted and there is room. Whether it
    /// was built.
    fn import(self, key: Option<&dyn Precomputable>, left: &mut usize) -> bool {
        let Some(key) = key.filter(|_| self.at_import) else { return false };
        let Some(rest) = left.checked_sub(key.bytes_of(TableSize::Default)) else { return false };
        *left = rest;
        key.precompute(TableSize::Default);
        key.precompute_generator();
        true
    }
}

/// What is kept about the keys of one set, in their order.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    budget: TableBudget,
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    /// Signatures that held, of all keys.
    uses: u64,
    keys: Vec<Usage>,
    /// The places of the keys that have a table: as many as the budget has room for, however many
    /// keys there are.
    holders: Vec<usize>,
}

/// How often a key's signatures have held, and when they last did, in uses of all keys.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) uses: u32,
    last: u64,
}

impl Tables {
    /// The ledger for keys of which some may be built now. What does not gain by a table is `None`.
    pub(crate) fn new<'k>(budget: TableBudget, keys: impl Iterator<Item = Option<&'k dyn Precomputable>>) -> Self {
        let mut ledger = Ledger::default();
        let mut left = budget.bytes;
        for (place, key) in keys.enumerate() {
            ledger.keys.push(Usage::default());
            if key.is_some_and(|key| key.table_bytes() > 0) | budget.import(key, &mut left) {
                ledger.holders.push(place);
            }
        }
        Tables { budget, ledger: Mutex::new(ledger) }
    }

    /// Other keys have taken the places: each says at which place it was before, if it was there.
    /// `key` gives the keys by their new place.
    pub(crate) fn rearrange<'k>(&self, places: &[Option<usize>], key: &dyn Fn(usize) -> Option<&'k dyn Precomputable>) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let before = core::mem::take(&mut ledger.keys);
        let usage = |place: &Option<usize>| place.and_then(|place| before.get(place).copied()).unwrap_or_default();
        ledger.keys = places.iter().map(usage).collect();
        let bytes = |place: usize| key(place).map_or(0, Precomputable::table_bytes);
        ledger.holders = (0..places.len()).filter(|place| bytes(*place) > 0).collect();
        let taken: usize = ledger.holders.iter().map(|place| bytes(*place)).sum();
        let mut left = self.budget.bytes.saturating_sub(taken);
        for (place, _) in places.iter().enumerate().filter(|(_, before)| before.is_none()) {
            if self.budget.import(key(place), &mut left) {
                ledger.holders.push(place);
            }
        }
    }

    pub(crate) fn budget(&self) -> TableBudget {
        self.budget
    }

    /// How often the key's signatures have held.
    pub(crate) fn uses(&self, index: usize) -> u32 {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.keys.get(index).map_or(0, |usage| usage.uses)
    }

    /// When a signature of the key's last held, in uses of all keys; 0 for never.
    pub(crate) fn last_use(&self, index: usize) -> u64 {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.keys.get(index).map_or(0, |usage| usage.last)
    }

    /// Takes note that a signature has held under the key at `index`, and builds its table when
    /// that is earned and there is room. `key` gives the keys by their place.
    pub(crate) fn earned<'k>(&self, index: usize, key: impl Fn(usize) -> Option<&'k dyn Precomputable>) {
        // Another thread is at the ledger: this use goes unnoted, which costs nothing but a table
        // a little later.
        let Ok(mut ledger) = self.ledger.try_lock() else { return };
        ledger.uses = ledger.uses.saturating_add(1);
        let now = ledger.uses;
        let Some(usage) = ledger.keys.get_mut(index) else { return };
        usage.uses = usage.uses.saturating_add(1);
        usage.last = now;
        let uses = usage.uses;
        if uses < 2 || !uses.is_power_of_two() {
            return;
        }
        let Some(own) = key(index) else { return };
        let bytes = |place: usize| key(place).map_or(0, Precomputable::table_bytes);
        let Ledger { keys, holders, .. } = &mut *ledger;
        let has_none = own.table_bytes() == 0;
        let mut may_be_wide = uses >= HOT;
        loop {
            let (mut taken, mut oldest) = (0_usize, None);
            for (at, place) in holders.iter().enumerate().filter(|(_, place)| **place != index) {
                taken = taken.saturating_add(bytes(*place));
                let last = keys.get(*place).map_or(0, |usage| usage.last);
                let is_idle = now.saturating_sub(last) >= RECENT;
                if is_idle && oldest.is_none_or(|(other, _, _)| last < other) {
                    oldest = Some((last, at, *place));
                }
            }
            let fits = |size| own.bytes_of(size).saturating_add(taken) <= self.budget.bytes;
            if may_be_wide && fits(TableSize::Wide) {
                own.precompute(TableSize::Wide);
                break;
            }
            // A wide table drives out no other.
            may_be_wide = false;
            if !has_none || fits(TableSize::Default) {
                break;
            }
            let Some((_, at, place)) = oldest.filter(|_| own.bytes_of(TableSize::Default) <= self.budget.bytes) else {
                return;
            };
            // It has to earn another.
            if let Some(usage) = keys.get_mut(place) {
                usage.uses = 0;
            }
            if let Some(key) = key(place) {
                key.forget_table();
            }
            holders.remove(at);
        }
        if has_none {
            if own.table_bytes() == 0 {
                own.precompute(TableSize::Default);
            }
            holders.push(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A key whose tables are numbers: 10 bytes, or 30 when wide.
    #[derive(Default)]
    struct Fake(Cell<usize>);

    impl Precomputable for Fake {
        fn bytes_of(&self, size: TableSize) -> usize {
            if size == TableSize::Wide { 30 } else { 10 }
        }
        fn table_bytes(&self) -> usize {
            self.0.get()
        }
        fn precompute(&self, size: TableSize) {
            self.0.set(self.bytes_of(size));
        }
        fn forget_table(&self) {
            self.0.set(0);
        }
        fn precompute_generator(&self) {}
        fn generator_table_bytes(&self) -> usize {
            0
        }
    }

    struct Set(Vec<Fake>, Tables);

    impl Set {
        fn of(count: usize, bytes: usize) -> Self {
            let keys: Vec<Fake> = (0..count).map(|_| Fake::default()).collect();
            let budget = TableBudget::default().with_bytes(bytes).unwrap();
            let tables = Tables::new(budget, keys.iter().map(|key| Some(key as &dyn Precomputable)));
            Set(keys, tables)
        }

        fn uses(&self, index: usize, times: u32) -> &Self {
            for _ in 0..times {
                self.1.earned(index, |place| self.0.get(place).map(|key| key as &dyn Precomputable));
            }
            self
        }

        fn sizes(&self) -> Vec<usize> {
            self.0.iter().map(Precomputable::table_bytes).collect()
        }
    }

    #[test]
    fn the_second_use_earns_a_table_and_the_256th_a_wide_one() {
        let set = Set::of(2, 100);
        assert_eq!(set.uses(0, 1).sizes(), [0, 0]);
        assert_eq!(set.uses(0, 1).sizes(), [10, 0]);
        assert_eq!(set.uses(0, 253).sizes(), [10, 0]);
        assert_eq!(set.uses(0, 1).sizes(), [30, 0]);
        assert_eq!((set.1.uses(0), set.1.uses(1), set.1.uses(2)), (256, 0, 0));
    }

    #[test]
    fn the_budget_holds_and_the_least_recently_used_table_goes() {
        let set = Set::of(3, 25);
        set.uses(0, 2).uses(1, 2);
        assert_eq!(set.sizes(), [10, 10, 0]);
        // Both have been used of late, so the third waits; its uses double until they have not.
        assert_eq!(set.uses(2, 2).sizes(), [10, 10, 0]);
        assert_eq!(set.uses(1, 1).uses(2, 62).sizes(), [0, 10, 10]);
        // 256 uses ask for 30 bytes, which the budget never has.
        assert_eq!(set.uses(2, 1000).sizes(), [0, 10, 10]);
        assert_eq!(set.uses(0, 2).sizes(), [10, 0, 10]);
    }

    #[test]
    fn a_wide_table_drives_out_no_other() {
        let set = Set::of(2, 35);
        set.uses(1, 2).uses(0, 600);
        assert_eq!(set.sizes(), [10, 10]);
    }

    #[test]
    fn a_budget_of_nothing_builds_nothing() {
        let set = Set::of(1, 9);
        assert_eq!(set.uses(0, 1024).sizes(), [0]);
        assert_eq!(TableBudget::default().with_bytes(TableBudget::BYTES_CAP + 1).unwrap_err().pointer(), "/tableBytes");
    }

    #[test]
    fn keys_that_stay_keep_what_they_earned_wherever_they_move() {
        let set = Set::of(3, 100);
        set.uses(0, 3).uses(2, 5);
        let keys = [Fake(Cell::new(10)), Fake::default()];
        set.1.rearrange(&[Some(2), None], &|place| keys.get(place).map(|key| key as &dyn Precomputable));
        assert_eq!((set.1.uses(0), set.1.uses(1), set.1.uses(2)), (5, 0, 0));
        assert_eq!(keys.each_ref().map(Precomputable::table_bytes), [10, 0]);
    }

    #[test]
    fn at_import_new_keys_get_tables_within_what_is_left() {
        let keys = [Fake(Cell::new(10)), Fake::default(), Fake::default()];
        let budget = TableBudget::default().with_bytes(25).unwrap().at_import();
        let tables = Tables::new(budget, core::iter::empty());
        tables.rearrange(&[Some(0), None, None], &|place| keys.get(place).map(|key| key as &dyn Precomputable));
        assert_eq!(keys.each_ref().map(Precomputable::table_bytes), [10, 10, 0]);
    }

    #[test]
    fn at_import_keys_get_tables_in_order_while_the_budget_lasts() {
        let keys = [Fake::default(), Fake::default(), Fake::default()];
        let budget = TableBudget::default().with_bytes(25).unwrap().at_import();
        let some = |key| Some(key as &dyn Precomputable);
        Tables::new(budget, [some(&keys[0]), None, some(&keys[1]), some(&keys[2])].into_iter());
        assert_eq!(keys.each_ref().map(Precomputable::table_bytes), [10, 10, 0]);
    }
}
