//! What an issuer has taken back before its time: the stage after the policy's.
//!
//! A list is pulled from elsewhere and handed over as a [signed document](snapshot). Tokens are denied by (`iss`, `jti`) and (`iss`, `sid`) and never
//! by their text, of which a signature may have several; and by cutoffs. What the list says holds however old it is; that it does not
//! name a token says nothing once it is stale.

mod name;
mod exact;
mod cutoff;
mod update;
pub mod snapshot;

use std::sync::Arc;

pub use name::HashKey;
pub use update::{UpdateError, UpdateReport};

use crate::{
    claims::ParsedClaims,
    json::Value,
    policy::{Policy, RevocationPolicy, WhenStale},
    rejection::Rejection,
    signature::AuthenticToken,
    time::{Leeway, UnixSeconds, Validity},
};
use cutoff::Cutoffs;
use exact::Exact;
use snapshot::{Document, Head, Link};

/// The list that is held, if any was ever taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revocations(Option<Arc<List>>);

#[derive(Clone, Debug)]
struct List {
    version: u64,
    head: Head,
    issued_at: UnixSeconds,
    not_after: UnixSeconds,
    key: HashKey,
    tokens: Exact,
    cutoffs: Cutoffs,
}

impl Revocations {
    /// Takes a document in place of what is held or on top of it.
    ///
    /// # Errors
    /// As [`UpdateError`]; everything then stays as it was.
    pub(crate) fn apply(
        &mut self,
        rules: Option<&RevocationPolicy>,
        leeway: Leeway,
        text: &str,
        now: UnixSeconds,
    ) -> Result<UpdateReport, UpdateError> {
        let rules = rules.ok_or(UpdateError::Unexpected)?;
        let document = Document::read(text, rules.keys())?;
        let Document { issued_at, not_after, .. } = document;
        if !issued_at.is_reached(now, leeway) {
            return Err(UpdateError::FromFuture { now, issued_at });
        }
        if not_after.is_over(now, leeway) {
            return Err(UpdateError::Over { now, not_after });
        }
        // What was answered while the list was stale is answered otherwise now.
        let was_stale = self.0.as_ref().is_none_or(|list| now.get() >= list.stale_at(rules));
        let changed = match document.link {
            Link::Snapshot => self.replace(document)?,
            Link::Delta { previous } => self.extend(document, previous)?,
        };
        self.0.as_ref().map(|list| list.report(rules, changed || was_stale)).ok_or(UpdateError::Unexpected)
    }

    fn replace(&mut self, document: Document) -> Result<bool, UpdateError> {
        let Document { version, head, issued_at, not_after, key, tokens, cutoffs, .. } = document;
        if let Some(list) = &self.0 {
            if version == list.version && head != list.head {
                return Err(UpdateError::Forked { held: list.version });
            }
            if (version, issued_at.get()) < (list.version, list.issued_at.get()) {
                return Err(UpdateError::Older { held: list.version, offered: version });
            }
        }
        let same = |list: &Arc<List>| list.key == key && list.tokens == tokens && list.cutoffs == cutoffs;
        let changed = !self.0.as_ref().is_some_and(same);
        self.0 = Some(Arc::new(List { version, head, issued_at, not_after, key, tokens, cutoffs }));
        Ok(changed)
    }

    /// A delta only adds: whatever is lost of it, nothing that was revoked is let pass.
    fn extend(&mut self, document: Document, previous: Head) -> Result<bool, UpdateError> {
        let offered = document.version;
        let Some(list) = &mut self.0 else { return Err(UpdateError::Gap { held: None, offered }) };
        let held = list.version;
        match offered.checked_sub(held) {
            // The delta that brought us here, once more.
            Some(0) if document.head == list.head => return Ok(false),
            Some(0) => return Err(UpdateError::Forked { held }),
            None => return Err(UpdateError::Older { held, offered }),
            Some(1) if previous != list.head => return Err(UpdateError::Forked { held }),
            // Hashes under another key say nothing of ours.
            Some(1) if document.key == list.key => {}
            Some(_) => return Err(UpdateError::Gap { held: Some(held), offered }),
        }
        if document.issued_at < list.issued_at {
            return Err(UpdateError::Older { held, offered });
        }
        let list = Arc::make_mut(list);
        let (tokens, cutoffs) = (list.tokens.merge(&document.tokens), list.cutoffs.merge(&document.cutoffs));
        (list.version, list.head) = (offered, document.head);
        (list.issued_at, list.not_after) = (document.issued_at, document.not_after);
        Ok(tokens || cutoffs)
    }

    /// What stands against a token, and from when until when nothing does. `vouched` is for one that its issuer was asked about instead.
    pub(crate) fn check(
        &self,
        policy: &Policy,
        token: &AuthenticToken<'_>,
        claims: &ParsedClaims<'_>,
        now: UnixSeconds,
        validity: Validity,
        vouched: bool,
    ) -> Result<Validity, Rejection> {
        let Some(rules) = policy.revocation() else { return Ok(validity) };
        let stale_at = match &self.0 {
            None => None,
            Some(list) => {
                list.check(policy, token, claims)?;
                Some(list.stale_at(rules))
            }
        };
        match (stale_at.filter(|stale_at| now.get() < *stale_at), rules.when_stale()) {
            // Nothing is remembered for longer than the list is good for.
            (Some(stale_at), _) => Ok(Validity { until: validity.until.min(stale_at), ..validity }),
            (None, WhenStale::Allow) => Ok(Validity { stale: true, ..validity }),
            (None, WhenStale::Introspect) if vouched => Ok(Validity { stale: true, ..validity }),
            (None, _) => Err(Rejection::RevocationStale { now, stale_since: stale_at }),
        }
    }
}

impl List {
    /// From when on it is stale: after its own word for it, and after the policy's. It counts from when it was made and not from when it came.
    fn stale_at(&self, rules: &RevocationPolicy) -> u64 {
        self.issued_at.get().saturating_add(rules.max_staleness_seconds()).min(self.not_after.get())
    }

    fn report(&self, rules: &RevocationPolicy, changed: bool) -> UpdateReport {
        UpdateReport {
            changed,
            version: self.version,
            tokens: self.tokens.len(),
            cutoffs: self.cutoffs.len(),
            stale_at: self.stale_at(rules),
            bytes: self.tokens.bytes(),
        }
    }

    fn check(&self, policy: &Policy, token: &AuthenticToken<'_>, claims: &ParsedClaims<'_>) -> Result<(), Rejection> {
        let issuer = claims.iss();
        // A claim that cannot be read cannot be looked up either.
        let text = |claim: &'static str| match claims.object.get(claim) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_ref())),
            Some(_) => Err(Rejection::ClaimMalformed { claim, expected: "a string" }),
        };
        for claim in ["jti", "sid"] {
            if let Some(value) = text(claim)?
                && self.tokens.contains(self.key.hash(claim, issuer, value))
            {
                return Err(Rejection::TokenRevoked { claim });
            }
        }
        let check = |claim: &'static str, value: &str| match self.cutoffs.of(&self.key, claim, issuer, value) {
            // A token that does not say when it was issued cannot show that it was afterwards.
            Some(cutoff) if claims.iat.is_none_or(|issued_at| issued_at < cutoff) => {
                Err(Rejection::IssuedBeforeCutoff { claim, cutoff, issued_at: claims.iat })
            }
            _ => Ok(()),
        };
        check("iss", "")?;
        for claim in ["client_id", "sub", "sid"] {
            text(claim)?.map_or(Ok(()), |value| check(claim, value))?;
        }
        // The name of the key that the signature holds under, and not what the header says alone: a thief of the key would leave it out.
        let own = token.keys().filter_map(|place| policy.keys().kid(place));
        own.chain(token.header().kid()).try_for_each(|kid| check("kid", kid))
    }
}
