//! What a verifier holds of revocations, and what it says about a token.

use std::sync::Arc;

use crate::{
    claims::ParsedClaims,
    policy::{Policy, RevocationPolicy, WhenStale},
    rejection::Rejection,
    revocation::{
        document::{Document, Link},
        list::List,
        update::{UpdateError, UpdateReport},
    },
    signature::AuthenticToken,
    time::{Leeway, UnixSeconds, Validity},
};

/// The list that is held, if any was ever taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revocations(Option<Arc<List>>);

impl Revocations {
    /// Takes documents, each on a line of its own, in place of what is held or on top of it.
    ///
    /// # Errors
    /// As [`UpdateError`], about the first that is not taken; everything then stays as it was after the one before.
    pub(crate) fn apply(
        &mut self,
        rules: Option<&RevocationPolicy>,
        leeway: Leeway,
        text: &str,
        now: UnixSeconds,
    ) -> Result<UpdateReport, UpdateError> {
        let rules = rules.ok_or(UpdateError::Unexpected)?;
        // What was answered while the list was stale is answered otherwise now.
        let mut changed = self.0.as_ref().is_none_or(|list| now.get() >= list.stale_at(rules));
        for line in text.split('\n') {
            changed |= self.take(Document::read(line, rules.keys())?, leeway, now)?;
        }
        self.0.as_ref().map(|list| list.report(rules, changed)).ok_or(UpdateError::Unexpected)
    }

    fn take(&mut self, document: Document, leeway: Leeway, now: UnixSeconds) -> Result<bool, UpdateError> {
        let Document { version: offered, issued_at, not_after, .. } = document;
        if !issued_at.is_reached(now, leeway) {
            return Err(UpdateError::FromFuture { now, issued_at });
        }
        if not_after.is_over(now, leeway) {
            return Err(UpdateError::Over { now, not_after });
        }
        if document.link == Link::Snapshot {
            let (list, changed) = List::of(document, self.0.as_deref())?;
            self.0 = Some(Arc::new(list));
            return Ok(changed);
        }
        let Some(list) = &mut self.0 else { return Err(UpdateError::Gap { held: None, offered }) };
        Ok(list.continues(&document)? && Arc::make_mut(list).extend(&document))
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
