//! The keys of every issuer, and which of them a token's header may be checked with.

use crate::{
    alg::Alg,
    engine::precompute::Precomputable,
    keys::{
        VerificationKey,
        choice::{Question, Whose},
        index::{Index, pair},
        jwk::NamedKey,
        remote::{Fingerprint, LeftOut, RemoteKey, ReportedKey},
        tables::{TableBudget, Tables},
    },
    policy_error::PolicyError,
};

/// How many keys one token may be tried with: what a hostile token can make us compute is bounded.
pub(crate) const MOST_CANDIDATES: usize = 4;

/// Keys by (issuer, `kid`). The same `kid` at two issuers names two keys (CVE-2026-49998).
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    entries: Vec<IssuerKey>,
    index: Index,
    tables: Tables,
}

#[derive(Debug)]
pub(super) struct IssuerKey {
    pub(super) issuer: usize,
    pub(super) kid: Option<String>,
    pub(super) key: VerificationKey,
    /// What tells it from others, when it was published and not built in.
    remote: Option<Fingerprint>,
}

impl IssuerKey {
    fn is_remote_of(&self, issuer: usize) -> bool {
        self.issuer == issuer && self.remote.is_some()
    }
}

/// A key that fits a token's header, with the issuer it belongs to (its index in the policy) and
/// its own place in the set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'k> {
    /// Index of the issuer in the policy.
    pub issuer: usize,
    /// Index of the key in its set.
    pub place: usize,
    /// The key.
    pub key: &'k VerificationKey,
}

/// The few keys that a token is tried with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates<'k> {
    /// Up to [`MOST_CANDIDATES`], the first ones filled.
    pub(super) keys: [Option<Candidate<'k>>; MOST_CANDIDATES],
    /// How many fit of those that were looked at.
    pub(super) count: usize,
    /// How many were looked at.
    pub(super) looked_at: usize,
    /// They are of more than one issuer.
    pub(super) several: bool,
    /// The issuer that the token names: when its key holds, no other needs to be asked.
    pub(super) named: Option<usize>,
}

impl<'k> Candidates<'k> {
    /// One key, whoever it belongs to.
    #[must_use]
    pub(crate) fn one(key: &'k VerificationKey) -> Self {
        let mut one = Candidates::default();
        one.push(Candidate { issuer: 0, place: 0, key });
        one
    }

    #[inline(never)]
    pub(super) fn push(&mut self, candidate: Candidate<'k>) {
        self.several |= self.keys.iter().flatten().any(|other| other.issuer != candidate.issuer);
        if let Some(slot) = self.keys.get_mut(self.count) {
            *slot = Some(candidate);
        }
        self.count = self.count.saturating_add(1);
    }

    /// The keys, in the order in which they are tried.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Candidate<'k>> + Clone {
        self.keys.iter().flatten()
    }

    /// Is everything said when a key of that issuer holds?
    pub(crate) fn ends_with(&self, issuer: usize) -> bool {
        !self.several || self.named == Some(issuer)
    }
}

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
    /// Adds a key of the issuer with that index. [`index`](Self::index) has to be called before it
    /// is found.
    pub(crate) fn push(&mut self, issuer: usize, NamedKey { kid, key }: NamedKey) {
        self.entries.push(IssuerKey { issuer, kid, key, remote: None });
    }

    /// Notes where the keys are that are in the set by now.
    pub(crate) fn index(&mut self) {
        let mut pairs = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            Question::each_about(entry, &mut |hash| pairs.push(pair(hash, place)));
        }
        self.index = Index::of(pairs);
    }

    /// Takes the keys that the issuer with that index publishes in place of those it published
    /// before; a key that was there keeps its table. Keys that are built in stay, and one that
    /// goes by the same name as such a key is left out, as is one whose name is taken by too many.
    /// Whether the keys are others than before.
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
            if self.is_built_in(issuer, &key.named) {
                known = true;
                let reason = PolicyError::at("kid", "names a built-in key, which takes precedence");
                left_out.push(LeftOut::new(key.named.kid.as_deref(), &reason));
            } else {
                usable.push(key);
            }
        }
        if usable.is_empty() && !known {
            return Err(PolicyError::here(match left_out.first() {
                None => "has no usable key".to_owned(),
                Some(key) => ["has no usable key; left out: ", &key.reason].concat(),
            }));
        }
        Ok(self.replace(issuer, usable))
    }

    /// Does a key that is built in go by the name of that published one?
    fn is_built_in(&self, issuer: usize, named: &NamedKey) -> bool {
        let goes_by = |entry: &IssuerKey| entry.kid == named.kid && entry.key.alg() == named.key.alg();
        let own = |entry: &IssuerKey| entry.issuer == issuer && entry.remote.is_none();
        named.kid.is_some() && self.entries.iter().any(|entry| own(entry) && goes_by(entry))
    }

    /// Puts these keys in the place of what the issuer published before; whether they are others.
    fn replace(&mut self, issuer: usize, fresh: Vec<RemoteKey>) -> bool {
        let same = |entry: &IssuerKey, key: &RemoteKey| {
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
        // Places have moved only where a key has gone; else a set of ten thousand issuers is not
        // indexed anew for the keys of one.
        let has_moved = self.entries.len() != before;
        if has_moved {
            self.index();
        }
        for key in fresh {
            if !self.entries.iter().any(|entry| same(entry, &key)) {
                let RemoteKey { named: NamedKey { kid, key }, fingerprint } = key;
                let entry = IssuerKey { issuer, kid, key, remote: Some(fingerprint) };
                let place = self.entries.len();
                Question::each_about(&entry, &mut |hash| self.index.insert(hash, place));
                self.entries.push(entry);
                places.push(None);
            }
        }
        let changed = has_moved || places.contains(&None);
        if changed {
            self.tables
                .rearrange(&places, &|place| self.entries.get(place).and_then(|entry| entry.key.precomputable()));
        }
        changed
    }

    /// Does it fit a token without a `kid`? It is built in, or the one key of its algorithm that
    /// its issuer publishes: of several none does (OpenID Connect Core §10.1).
    pub(super) fn needs_no_kid(&self, entry: &IssuerKey) -> bool {
        let mut published = 0_usize;
        if entry.remote.is_some() {
            self.find(Question { whose: Whose::Issuer(entry.issuer), kid: None }, &mut |_, other| {
                if other.remote.is_some() && other.key.alg() == entry.key.alg() {
                    published = published.saturating_add(1);
                }
                published > 1
            });
        }
        published <= 1
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

    /// Gives the tables of the keys that are in the set by now a budget, and builds those that are
    /// wanted at once.
    pub(crate) fn budget_tables(&mut self, budget: TableBudget) {
        self.tables = Tables::new(budget, self.entries.iter().map(|entry| entry.key.precomputable()));
    }

    /// Looks at what the question is about, in the order of the policy, until `look` says that it
    /// has seen enough.
    #[inline(never)]
    pub(super) fn find<'s>(&'s self, question: Question<'_>, look: &mut dyn FnMut(usize, &'s IssuerKey) -> bool) {
        for place in self.index.places(question.hash()) {
            if let Some(entry) = self.entries.get(place).filter(|entry| question.is_about(entry))
                && look(place, entry)
            {
                break;
            }
        }
    }

    /// Is it about anything?
    fn has_any(&self, question: Question<'_>) -> bool {
        let mut found = false;
        self.find(question, &mut |_, _| {
            found = true;
            true
        });
        found
    }

    /// Has the issuer with that index any key?
    pub(crate) fn has_any_of(&self, issuer: usize) -> bool {
        self.has_any(Question { whose: Whose::Issuer(issuer), kid: None })
    }

    /// Has the issuer with that index a key of that name, of whatever algorithm?
    pub(crate) fn has_named(&self, issuer: usize, kid: &str) -> bool {
        self.has_any(Question { whose: Whose::Issuer(issuer), kid: Some(Some(kid)) })
    }

    /// When a signature last held under any key of the issuer with that index, in uses of all keys;
    /// 0 for never. Strangers cannot make it larger.
    pub(crate) fn last_use(&self, issuer: usize) -> u64 {
        let mut last = 0;
        self.find(Question { whose: Whose::Issuer(issuer), kid: None }, &mut |place, _| {
            last = self.tables.last_use(place).max(last);
            false
        });
        last
    }

    /// Takes note that a signature has held under the key at that place, which may earn it a table.
    pub(crate) fn note_use(&self, place: usize) {
        self.tables.earned(place, |place| self.entries.get(place).and_then(|entry| entry.key.precomputable()));
    }

    /// What each key takes, in the order of the policy; published keys come last.
    pub(crate) fn usage(&self) -> impl Iterator<Item = KeyUsage<'_>> {
        self.entries.iter().enumerate().map(|(place, IssuerKey { issuer, kid, key, .. })| KeyUsage {
            issuer: *issuer,
            kid: kid.as_deref(),
            alg: key.alg(),
            uses: self.tables.uses(place),
            table_bytes: key.precomputable().map_or(0, Precomputable::table_bytes),
        })
    }

    /// What the tables of the curves' generators take, of those curves on which the set has keys,
    /// in bytes.
    #[must_use]
    pub(crate) fn generator_table_bytes(&self) -> usize {
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
    pub(crate) fn table_budget(&self) -> TableBudget {
        self.tables.budget()
    }
}

/// By which a policy keeps the keys of lists apart from those of tokens.
#[cfg(feature = "revocation")]
impl KeySet {
    /// Is that key among them, whatever its name and algorithm?
    pub(crate) fn has(&self, key: &VerificationKey) -> bool {
        self.entries.iter().any(|entry| entry.key.is(key))
    }

    /// Is one of the other's keys among them?
    pub(crate) fn has_key_of(&self, other: &KeySet) -> bool {
        other.entries.iter().any(|entry| self.has(&entry.key))
    }

    /// Are all of the other's keys among them?
    pub(crate) fn has_keys_of(&self, other: &KeySet) -> bool {
        other.entries.iter().all(|entry| self.has(&entry.key))
    }

    /// The name of the key at that place.
    pub(crate) fn kid(&self, place: usize) -> Option<&str> {
        self.entries.get(place)?.kid.as_deref()
    }
}
