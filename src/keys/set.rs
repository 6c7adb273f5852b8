//! The keys of every issuer, and which of them a token's header may be checked with.

use crate::{
    alg::Alg,
    engine::precompute::Precomputable,
    jws::header::Header,
    keys::{
        VerificationKey,
        jwk::NamedKey,
        tables::{TableBudget, Tables},
    },
    policy_error::PolicyError,
    rejection::Rejection,
};

/// How many keys one token may be tried with: what a hostile token can make us compute is bounded.
pub const MOST_CANDIDATES: usize = 4;

/// Keys by (issuer, `kid`). The same `kid` at two issuers names two keys (CVE-2026-49998).
#[derive(Debug, Default)]
pub struct KeySet {
    entries: Vec<Entry>,
    tables: Tables,
}

#[derive(Debug)]
struct Entry {
    issuer: usize,
    kid: Option<String>,
    key: VerificationKey,
}

/// A key that fits a token's header, with the issuer it belongs to (its index in the policy) and its own place in the set.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'k> {
    /// Index of the issuer in the policy.
    pub issuer: usize,
    /// Index of the key in its set.
    pub place: usize,
    /// The key.
    pub key: &'k VerificationKey,
}

/// The few keys that fit: up to [`MOST_CANDIDATES`], the first ones filled.
pub type Candidates<'k> = [Option<Candidate<'k>>; MOST_CANDIDATES];

/// What a key of the set takes, for those who watch memory.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyUsage<'k> {
    /// Index of the issuer in the policy.
    #[serde(skip)]
    pub issuer: usize,
    /// The key's identifier.
    pub kid: Option<&'k str>,
    /// Its algorithm.
    pub alg: Alg,
    /// How often a signature has held under it since its table was last taken away.
    pub uses: u32,
    /// What its table takes, in bytes; 0 without one.
    pub table_bytes: usize,
}

impl KeySet {
    /// Adds a key of the issuer with that index.
    ///
    /// # Errors
    /// [`MOST_CANDIDATES`] keys go by that `kid` and algorithm already (`/kid`).
    pub fn insert(&mut self, issuer: usize, NamedKey { kid, key }: NamedKey) -> Result<(), PolicyError> {
        let alike = |entry: &&Entry| entry.kid == kid && entry.key.alg() == key.alg();
        if kid.is_some() && self.entries.iter().filter(alike).count() >= MOST_CANDIDATES {
            return Err(PolicyError::at("kid", format!("is used by more than {MOST_CANDIDATES} issuers")));
        }
        self.entries.push(Entry { issuer, kid, key });
        Ok(())
    }

    /// Gives the tables of the keys that are in the set by now a budget, and builds those that are wanted at once.
    pub fn budget_tables(&mut self, budget: TableBudget) {
        self.tables = Tables::new(budget, self.entries.iter().map(|entry| entry.key.precomputable()));
    }

    /// The keys that fit a header, at most [`MOST_CANDIDATES`].
    ///
    /// A `kid` is only compared. Keys that were given without one fit every token of their algorithm, whatever its `kid`.
    ///
    /// # Errors
    /// `kid-unknown`, `alg-mismatch`, `kid-required`.
    pub fn candidates(&self, header: &Header) -> Result<Candidates<'_>, Rejection> {
        let named = header.kid().is_some() && self.entries.iter().any(|entry| entry.kid.as_deref() == header.kid());
        let fits = |entry: &Entry| match header.kid() {
            None => true,
            Some(kid) if named => entry.kid.as_deref() == Some(kid),
            Some(_) => entry.kid.is_none(),
        };
        let fitting = || self.entries.iter().enumerate().filter(|(_, entry)| fits(entry));
        let mut candidates = [None; MOST_CANDIDATES];
        let mut count = 0_usize;
        for (place, Entry { issuer, key, .. }) in fitting().filter(|(_, entry)| entry.key.alg() == header.alg()) {
            if let Some(slot) = candidates.get_mut(count) {
                *slot = Some(Candidate { issuer: *issuer, place, key });
            }
            count = count.saturating_add(1);
        }
        match count {
            0 if fitting().next().is_none() => Err(Rejection::KidUnknown),
            0 => {
                let others = fitting().map(|(_, entry)| entry.key.alg());
                Err(Rejection::AlgMismatch { expected: distinct(others), actual: header.alg() })
            }
            1..=MOST_CANDIDATES => Ok(candidates),
            // STRICTER: trying the first four of many would accept a token or not by the order of the policy's keys.
            candidates => Err(Rejection::KidRequired { limit: MOST_CANDIDATES, candidates }),
        }
    }

    /// Takes note that a signature has held under the key at that place, which may earn it a table.
    pub(crate) fn note_use(&self, place: usize) {
        self.tables.earned(place, |place| self.entries.get(place).and_then(|entry| entry.key.precomputable()));
    }

    /// What each key takes, in the order of the policy.
    pub fn usage(&self) -> impl Iterator<Item = KeyUsage<'_>> {
        self.entries.iter().enumerate().map(|(place, Entry { issuer, kid, key })| KeyUsage {
            issuer: *issuer,
            kid: kid.as_deref(),
            alg: key.alg(),
            uses: self.tables.uses(place),
            table_bytes: key.precomputable().map_or(0, Precomputable::table_bytes),
        })
    }

    /// What the tables of the curves' generators take, of those curves on which the set has keys, in bytes.
    #[must_use]
    pub fn generator_table_bytes(&self) -> usize {
        let mut seen: Vec<Alg> = Vec::new();
        let mut bytes = 0_usize;
        for key in self.entries.iter().map(|entry| &entry.key) {
            if !seen.contains(&key.alg()) {
                seen.push(key.alg());
                bytes = bytes.saturating_add(key.precomputable().map_or(0, Precomputable::generator_table_bytes));
            }
        }
        bytes
    }

    /// The most that the keys' tables may take.
    #[must_use]
    pub fn table_budget(&self) -> TableBudget {
        self.tables.budget()
    }
}

/// Each algorithm once, in the order of [`Alg::ALL`].
fn distinct(algorithms: impl Iterator<Item = Alg> + Clone) -> Vec<Alg> {
    Alg::ALL.into_iter().filter(|alg| algorithms.clone().any(|other| other == *alg)).collect()
}
