//! The list that is held, and what a document makes of it: epochs never go back, nor versions
//! within one, and deltas are taken in their order alone.

use crate::{
    claims::{ParsedClaims, malformed},
    json::Value,
    policy::RevocationPolicy,
    rejection::Rejection,
    revocation::{
        cutoff::Cutoffs,
        document::{Document, Link},
        hash_key::HashKey,
        snapshot::Head,
        sorted_hashes::SortedHashes,
        update::{UpdateError, UpdateReport},
    },
    time::UnixSeconds,
};

#[derive(Clone, Debug)]
pub(super) struct List {
    issuer: String,
    epoch: u64,
    cursor: Option<String>,
    version: u64,
    head: Head,
    issued_at: UnixSeconds,
    not_after: UnixSeconds,
    key: HashKey,
    tokens: SortedHashes,
    cutoffs: Cutoffs,
}

impl List {
    /// The list that a snapshot is, unless a later one is `held`; and whether it says anything
    /// else.
    ///
    /// Another epoch is another history: its versions and heads are compared with none of ours.
    /// What was revoked before the store lost it stays so until the next snapshot, where the
    /// hashes still have one key.
    pub(super) fn of(document: Document, held: Option<&List>) -> Result<(List, bool), UpdateError> {
        let Document { issuer, epoch, cursor, version, head, issued_at, not_after, key, .. } = document;
        let Document { mut tokens, mut cutoffs, .. } = document;
        if let Some(list) = held {
            list.is_followed_by(&issuer, epoch, version)?;
            if epoch > list.epoch && key == list.key {
                tokens.merge(&list.tokens);
                cutoffs.merge(&list.cutoffs);
            }
        }
        if let Some(list) = held.filter(|list| list.epoch == epoch) {
            if version == list.version && head != list.head {
                return Err(UpdateError::Forked { held: list.version });
            }
            if (version, issued_at) < (list.version, list.issued_at) {
                return Err(UpdateError::Older { held: list.version, offered: version });
            }
        }
        let same = |list: &List| list.key == key && list.tokens == tokens && list.cutoffs == cutoffs;
        let changed = !held.is_some_and(same);
        Ok((List { issuer, epoch, cursor, version, head, issued_at, not_after, key, tokens, cutoffs }, changed))
    }

    /// Whether a document is of the same issuer, and of no earlier epoch.
    fn is_followed_by(&self, issuer: &str, epoch: u64, offered: u64) -> Result<(), UpdateError> {
        if issuer != self.issuer {
            return Err(UpdateError::Issuer { expected: self.issuer.clone() });
        }
        if epoch < self.epoch { Err(UpdateError::Older { held: self.version, offered }) } else { Ok(()) }
    }

    /// Whether a document that is no snapshot goes on from here. `false` for the delta that
    /// brought us here, once more.
    pub(super) fn continues(&self, document: &Document) -> Result<bool, UpdateError> {
        let (held, offered) = (self.version, document.version);
        self.is_followed_by(&document.issuer, document.epoch, offered)?;
        let gap = Err(UpdateError::Gap { held: Some(held), offered });
        // Epoch 0 is before anything was revoked, and every history goes on from there.
        if document.epoch != self.epoch && self.epoch != 0 {
            return gap;
        }
        match (offered.checked_sub(held), document.link) {
            (None, _) => Err(UpdateError::Older { held, offered }),
            (Some(0), Link::Renewal) if document.head == self.head => Ok(true),
            (Some(0), Link::Delta { .. }) if document.head == self.head => Ok(false),
            (Some(0), _) => Err(UpdateError::Forked { held }),
            (Some(_), Link::Delta { since, .. }) if since != held => gap,
            (Some(_), Link::Delta { previous, .. }) if previous != self.head => Err(UpdateError::Forked { held }),
            // Hashes under another key say nothing of ours, if there are any.
            (Some(_), Link::Delta { .. }) if document.key == self.key || self.is_empty() => Ok(true),
            (Some(_), _) => gap,
        }
    }

    /// Adds what a document brings that [continues](Self::continues) this; whether it is anything.
    /// A delta only adds: whatever is lost of it, nothing that was revoked is let pass.
    pub(super) fn extend(&mut self, document: &Document) -> bool {
        let (tokens, cutoffs) = (self.tokens.merge(&document.tokens), self.cutoffs.merge(&document.cutoffs));
        (self.epoch, self.version, self.head) = (document.epoch, document.version, document.head);
        if document.cursor.is_some() {
            self.cursor.clone_from(&document.cursor);
        }
        if matches!(document.link, Link::Delta { .. }) {
            self.key = document.key;
        }
        // A delta may have been written by a slower clock than the renewal before it; what was
        // known then is known still.
        if document.issued_at >= self.issued_at {
            (self.issued_at, self.not_after) = (document.issued_at, document.not_after);
        }
        tokens || cutoffs
    }

    /// Whose list it is.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    fn is_empty(&self) -> bool {
        self.tokens.len() == 0 && self.cutoffs.len() == 0
    }

    /// From when on it is stale: after its own word for it, and after the policy's. It counts from
    /// when it was made and not from when it came.
    pub(super) fn stale_at(&self, rules: &RevocationPolicy) -> u64 {
        self.issued_at.get().saturating_add(rules.max_staleness_seconds()).min(self.not_after.get())
    }

    pub(super) fn report(&self, rules: &RevocationPolicy, changed: bool) -> UpdateReport {
        UpdateReport {
            changed,
            version: self.version,
            tokens: self.tokens.len(),
            cutoffs: self.cutoffs.len(),
            stale_at: self.stale_at(rules),
            bytes: self.tokens.bytes(),
        }
    }

    /// What stands against a token of that issuer with these claims, which was signed by a key
    /// that goes by one of `kids`.
    pub(super) fn check<'k>(
        &self,
        issuer: &str,
        claims: &ParsedClaims<'_>,
        mut kids: impl Iterator<Item = &'k str>,
    ) -> Result<(), Rejection> {
        // A claim that cannot be read cannot be looked up either.
        let text = |claim: &'static str| match claims.object.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_ref())),
            Some(value) => Err(malformed(claim, "a string", value)),
        };
        for claim in ["jti", "sid"] {
            if let Some(value) = text(claim)?
                && self.tokens.contains(self.key.hash(claim, issuer, value))
            {
                return Err(Rejection::TokenRevoked { claim });
            }
        }
        // A fraction of the second in which it was issued does not reach the next one.
        let issued_at = claims.iat.map(|iat| iat.floor);
        let check = |claim: &'static str, value: &str| match self.cutoffs.of(&self.key, claim, issuer, value) {
            // A token that does not say when it was issued cannot show that it was afterwards.
            Some(cutoff) if issued_at.is_none_or(|issued_at| issued_at < cutoff) => {
                Err(Rejection::IssuedBeforeCutoff { claim, cutoff, issued_at })
            }
            _ => Ok(()),
        };
        check("iss", "")?;
        for claim in ["client_id", "sub", "sid"] {
            text(claim)?.map_or(Ok(()), |value| check(claim, value))?;
        }
        kids.try_for_each(|kid| check("kid", kid))
    }

    /// Whether this one is the later of two.
    pub(super) fn is_later_than(&self, other: &List) -> bool {
        (self.epoch, self.version, self.issued_at) > (other.epoch, other.version, other.issued_at)
    }
}
