//! The keys of every issuer, and which of them a token's header may be checked with.

use crate::{
    alg::Alg,
    engine::precompute::Precomputable,
    jws::header::Header,
    keys::{
        VerificationKey,
        jwk::NamedKey,
        remote::{Fingerprint, LeftOut, RemoteKey, ReportedKey},
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
    /// What tells it from others, when it was published and not built in.
    remote: Option<Fingerprint>,
}

impl Entry {
    fn is_remote_of(&self, issuer: usize) -> bool {
        self.issuer == issuer && self.remote.is_some()
    }

    fn goes_by(&self, named: &NamedKey) -> bool {
        self.kid == named.kid && self.key.alg() == named.key.alg()
    }
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
    pub fn insert(&mut self, issuer: usize, named: NamedKey) -> Result<(), PolicyError> {
        let alike = self.entries.iter().filter(|entry| entry.goes_by(&named)).count();
        if named.kid.is_some() && alike >= MOST_CANDIDATES {
            return Err(Obstacle::Crowded.reason());
        }
        self.entries.push(Entry { issuer, kid: named.kid, key: named.key, remote: None });
        Ok(())
    }

    /// Takes the keys that the issuer with that index publishes in place of those it published before; a key that was there keeps its
    /// table. Keys that are built in stay, and one that goes by the same name as such a key is left out, as is one whose name is taken
    /// by too many. Whether the keys are others than before.
    ///
    /// # Errors
    /// No key is left, built in or not: everything then stays as it was.
    pub(crate) fn set_remote(
        &mut self,
        issuer: usize,
        fresh: Vec<RemoteKey>,
        left_out: &mut Vec<LeftOut>,
    ) -> Result<bool, PolicyError> {
        let mut known = false;
        let mut usable = Vec::new();
        for key in fresh {
            match self.obstacle(issuer, &key.named) {
                None => usable.push(key),
                Some(obstacle) => {
                    known |= obstacle == Obstacle::BuiltIn;
                    left_out.push(LeftOut::new(key.named.kid.as_deref(), &obstacle.reason()));
                }
            }
        }
        if usable.is_empty() && !known {
            return Err(PolicyError::here(match left_out.first() {
                None => "has no usable key".to_owned(),
                Some(key) => ["has no usable key; left out was ", &key.reason].concat(),
            }));
        }
        Ok(self.replace(issuer, usable))
    }

    /// What stands against a published key of the issuer.
    fn obstacle(&self, issuer: usize, named: &NamedKey) -> Option<Obstacle> {
        named.kid.as_ref()?;
        let mut alike = 0_usize;
        for entry in self.entries.iter().filter(|entry| entry.goes_by(named) && !entry.is_remote_of(issuer)) {
            if entry.issuer == issuer {
                return Some(Obstacle::BuiltIn);
            }
            alike = alike.saturating_add(1);
        }
        (alike >= MOST_CANDIDATES).then_some(Obstacle::Crowded)
    }

    /// Puts these keys in the place of what the issuer published before; whether they are others.
    fn replace(&mut self, issuer: usize, fresh: Vec<RemoteKey>) -> bool {
        let same = |entry: &Entry, key: &RemoteKey| {
            entry.is_remote_of(issuer) && entry.remote == Some(key.fingerprint) && entry.kid == key.named.kid
        };
        let before = self.entries.len();
        let mut places = Vec::new();
        let mut place = 0_usize;
        self.entries.retain(|entry| {
            let stays = !entry.is_remote_of(issuer) || fresh.iter().any(|key| same(entry, key));
            if stays {
                places.push(Some(place));
            }
            place = place.saturating_add(1);
            stays
        });
        for key in fresh {
            if !self.entries.iter().any(|entry| same(entry, &key)) {
                let RemoteKey { named: NamedKey { kid, key }, fingerprint } = key;
                self.entries.push(Entry { issuer, kid, key, remote: Some(fingerprint) });
                places.push(None);
            }
        }
        let changed = self.entries.len() != before || places.contains(&None);
        if changed {
            self.tables
                .rearrange(&places, &|place| self.entries.get(place).and_then(|entry| entry.key.precomputable()));
        }
        changed
    }

    /// Drops what the issuer published; whether there was anything.
    pub(crate) fn forget_remote(&mut self, issuer: usize) -> bool {
        self.replace(issuer, Vec::new())
    }

    /// The published keys of an issuer that are used.
    pub(crate) fn remote_of(&self, issuer: usize) -> Vec<ReportedKey> {
        let own = self.entries.iter().filter(|entry| entry.is_remote_of(issuer));
        own.map(|entry| ReportedKey { kid: entry.kid.clone(), alg: entry.key.alg() }).collect()
    }

    /// Gives the tables of the keys that are in the set by now a budget, and builds those that are wanted at once.
    pub fn budget_tables(&mut self, budget: TableBudget) {
        self.tables = Tables::new(budget, self.entries.iter().map(|entry| entry.key.precomputable()));
    }

    /// The keys that fit a header, at most [`MOST_CANDIDATES`].
    ///
    /// A `kid` is only compared. A key that was given without one fits every token of its algorithm whose `kid` its issuer has no key
    /// for. What one issuer publishes decides nothing about the tokens of another: of several published keys of an algorithm none fits a
    /// token without a `kid` (OpenID Connect Core §10.1).
    ///
    /// # Errors
    /// `kid-unknown`, `alg-mismatch`, `kid-required`.
    pub fn candidates(&self, header: &Header) -> Result<Candidates<'_>, Rejection> {
        let mut candidates = [None; MOST_CANDIDATES];
        let (mut count, mut alike) = (0_usize, 0_usize);
        for (place, entry) in self.entries.iter().enumerate().filter(|(_, entry)| entry.key.alg() == header.alg()) {
            alike = alike.saturating_add(1);
            if self.fits(entry, header.kid()) {
                if let Some(slot) = candidates.get_mut(count) {
                    *slot = Some(Candidate { issuer: entry.issuer, place, key: &entry.key });
                }
                count = count.saturating_add(1);
            }
        }
        match count {
            0 if header.kid().is_none() && alike > 0 => Err(Rejection::KidRequired { limit: 1, candidates: alike }),
            0 => Err(self.no_candidate(header)),
            1..=MOST_CANDIDATES => Ok(candidates),
            // STRICTER: trying the first four of many would accept a token or not by the order of the policy's keys.
            candidates => Err(Rejection::KidRequired { limit: MOST_CANDIDATES, candidates }),
        }
    }

    /// Why no key fits: none has the `kid`, or those that do are for other algorithms.
    fn no_candidate(&self, header: &Header) -> Rejection {
        let fitting = self.entries.iter().filter(|entry| self.fits(entry, header.kid()));
        let others: Vec<Alg> = fitting.map(|entry| entry.key.alg()).collect();
        if others.is_empty() {
            return Rejection::KidUnknown;
        }
        // Each once, in the order of the registry.
        let expected = Alg::ALL.into_iter().filter(|alg| others.contains(alg)).collect();
        Rejection::AlgMismatch { expected, actual: header.alg() }
    }

    /// Does a key fit tokens with that `kid`, or without any?
    #[inline(never)]
    fn fits(&self, entry: &Entry, kid: Option<&str>) -> bool {
        let mut others = self.entries.iter().filter(|other| other.issuer == entry.issuer);
        match (kid, entry.kid.as_deref()) {
            (Some(kid), Some(own)) => kid == own,
            (Some(_), None) => others.all(|other| other.kid.as_deref() != kid),
            (None, _) if entry.remote.is_none() => true,
            (None, _) => {
                others.filter(|other| other.remote.is_some() && other.key.alg() == entry.key.alg()).count() == 1
            }
        }
    }

    /// Is that key among them, whatever its name and algorithm?
    #[cfg(feature = "revocation")]
    pub(crate) fn has(&self, key: &VerificationKey) -> bool {
        self.entries.iter().any(|entry| entry.key.is(key))
    }

    /// Is one of the other's keys among them?
    #[cfg(feature = "revocation")]
    pub(crate) fn has_key_of(&self, other: &KeySet) -> bool {
        other.entries.iter().any(|entry| self.has(&entry.key))
    }

    /// Are all of the other's keys among them?
    #[cfg(feature = "revocation")]
    pub(crate) fn has_keys_of(&self, other: &KeySet) -> bool {
        other.entries.iter().all(|entry| self.has(&entry.key))
    }

    /// The name of the key at that place.
    #[cfg(feature = "revocation")]
    pub(crate) fn kid(&self, place: usize) -> Option<&str> {
        self.entries.get(place)?.kid.as_deref()
    }

    /// Takes note that a signature has held under the key at that place, which may earn it a table.
    pub(crate) fn note_use(&self, place: usize) {
        self.tables.earned(place, |place| self.entries.get(place).and_then(|entry| entry.key.precomputable()));
    }

    /// What each key takes, in the order of the policy; published keys come last.
    pub fn usage(&self) -> impl Iterator<Item = KeyUsage<'_>> {
        self.entries.iter().enumerate().map(|(place, Entry { issuer, kid, key, .. })| KeyUsage {
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

/// Why a published key is left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Obstacle {
    BuiltIn,
    Crowded,
}

impl Obstacle {
    fn reason(self) -> PolicyError {
        match self {
            Obstacle::BuiltIn => PolicyError::at("kid", "names a key that is built in, which counts"),
            Obstacle::Crowded => PolicyError::at("kid", "is used by more than four issuers"),
        }
    }
}
