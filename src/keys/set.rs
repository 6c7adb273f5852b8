//! The keys of every issuer, and which of them a token's header may be checked with.

use crate::{
    alg::Alg,
    jws::header::Header,
    keys::{VerificationKey, jwk::NamedKey},
    policy_error::PolicyError,
    rejection::Rejection,
};

/// How many keys one token may be tried with: what a hostile token can make us compute is bounded.
pub const MOST_CANDIDATES: usize = 4;

/// Keys by (issuer, `kid`). The same `kid` at two issuers names two keys (CVE-2026-49998).
#[derive(Debug, Default)]
pub struct KeySet {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    issuer: usize,
    kid: Option<String>,
    key: VerificationKey,
}

/// A key that fits a token's header, with the issuer it belongs to (its index in the policy).
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'k> {
    /// Index of the issuer in the policy.
    pub issuer: usize,
    /// The key.
    pub key: &'k VerificationKey,
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

    /// The keys that fit a header, at most [`MOST_CANDIDATES`].
    ///
    /// A `kid` is only compared. Keys that were given without one fit every token of their algorithm, whatever its `kid`.
    ///
    /// # Errors
    /// `kid-unknown`, `alg-mismatch`, `kid-required`.
    pub fn candidates(&self, header: &Header) -> Result<Vec<Candidate<'_>>, Rejection> {
        let named = || self.entries.iter().filter(|entry| entry.kid.as_deref() == header.kid());
        let nameless = || self.entries.iter().filter(|entry| entry.kid.is_none());
        let fitting: Vec<&Entry> = match header.kid() {
            None => self.entries.iter().collect(),
            Some(_) if named().next().is_some() => named().collect(),
            Some(_) => nameless().collect(),
        };
        if fitting.is_empty() {
            return Err(Rejection::KidUnknown);
        }
        let candidates: Vec<Candidate<'_>> = fitting
            .iter()
            .filter(|entry| entry.key.alg() == header.alg())
            .map(|entry| Candidate { issuer: entry.issuer, key: &entry.key })
            .collect();
        match candidates.len() {
            0 => Err(Rejection::AlgMismatch { expected: algorithms(&fitting), actual: header.alg() }),
            1..=MOST_CANDIDATES => Ok(candidates),
            // STRICTER: trying the first four of many would accept a token or not by the order of the policy's keys.
            candidates => Err(Rejection::KidRequired { limit: MOST_CANDIDATES, candidates }),
        }
    }
}

fn algorithms(entries: &[&Entry]) -> Vec<Alg> {
    let mut algorithms: Vec<Alg> = entries.iter().map(|entry| entry.key.alg()).collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    algorithms
}
