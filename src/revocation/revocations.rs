//! What a verifier holds of revocations, and what it says about a token.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    claims,
    claims::ParsedClaims,
    json::{Object, Value, read_object},
    jws::compact::leading_parts_unverified,
    keys::set::KeySet,
    policy::{Policy, RevocationPolicy, WhenStale},
    rejection::Rejection,
    revocation::{
        document::{Document, Link, Reader},
        former_lists::FormerLists,
        list::List,
        status::{Reference, StatusList, StatusReport},
        update::{UpdateError, UpdateReport},
    },
    signature::AuthenticToken,
    time::{Leeway, UnixSeconds, Validity},
};

/// The lists that are held, as far as any were ever taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revocations {
    list: Option<Arc<List>>,
    /// By their URI.
    statuses: BTreeMap<String, Arc<StatusList>>,
    /// What was held under former policies and counts again under one that trusts its keys.
    aside: FormerLists,
    /// Lists were held and are gone: that one is missing says nothing any more.
    lost: bool,
}

/// A text of which not all has come yet.
#[derive(Debug)]
pub(crate) struct Incoming {
    now: UnixSeconds,
    reader: Reader,
    changed: bool,
    /// What the most of the documents was that were taken so far.
    taken: Taken,
    fault: Option<UpdateError>,
}

/// What was taken of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Taken {
    #[default]
    Nothing,
    Renewal,
    Delta,
    Snapshot,
}

impl Incoming {
    /// One that is judged as of that instant.
    pub(crate) fn new(now: UnixSeconds) -> Self {
        Incoming { now, reader: Reader::default(), changed: false, taken: Taken::default(), fault: None }
    }

    /// What was taken of it.
    #[cfg(feature = "js")]
    pub(crate) fn taken(&self) -> Taken {
        self.taken
    }
}

impl Revocations {
    /// Takes documents, each on a line of its own, in place of what is held or on top of it.
    ///
    /// # Errors
    /// As [`UpdateError`], about the first that is not taken; everything then stays as it was
    /// after the one before.
    pub(crate) fn apply(
        &mut self,
        rules: Option<&RevocationPolicy>,
        leeway: Leeway,
        text: &str,
        now: UnixSeconds,
    ) -> Result<UpdateReport, UpdateError> {
        let mut incoming = Incoming::new(now);
        self.push(&mut incoming, rules, leeway, text);
        self.finish(&mut incoming, rules, leeway)
    }

    /// Takes the next piece of such a text. What comes after a document that was not taken is not
    /// looked at.
    pub(crate) fn push(
        &mut self,
        incoming: &mut Incoming,
        rules: Option<&RevocationPolicy>,
        leeway: Leeway,
        piece: &str,
    ) {
        let Some(rules) = rules.filter(|_| incoming.fault.is_none()) else { return };
        for (index, line) in piece.split('\n').enumerate() {
            let taken = if index == 0 { Ok(()) } else { self.end_line(incoming, rules, leeway) };
            if let Err(fault) = taken.and_then(|()| incoming.reader.push(line, rules.keys())) {
                incoming.fault = Some(fault);
                return;
            }
        }
    }

    /// What came of it.
    pub(crate) fn finish(
        &mut self,
        incoming: &mut Incoming,
        rules: Option<&RevocationPolicy>,
        leeway: Leeway,
    ) -> Result<UpdateReport, UpdateError> {
        let rules = rules.filter(|rules| rules.wants_list()).ok_or(UpdateError::Unexpected)?;
        if let Some(fault) = incoming.fault.take() {
            return Err(fault);
        }
        self.end_line(incoming, rules, leeway)?;
        self.list.as_ref().map(|list| list.report(rules, incoming.changed)).ok_or(UpdateError::Unexpected)
    }

    fn end_line(
        &mut self,
        incoming: &mut Incoming,
        rules: &RevocationPolicy,
        leeway: Leeway,
    ) -> Result<(), UpdateError> {
        let document = core::mem::take(&mut incoming.reader).finish()?;
        // What was answered while the list was stale is answered otherwise now.
        let was_stale = self.list.as_ref().is_none_or(|list| incoming.now.get() >= list.stale_at(rules));
        if !rules.issuers().contains(&document.issuer) {
            return Err(UpdateError::Issuer { expected: rules.issuers().join(" ") });
        }
        let kind = match document.link {
            Link::Snapshot => Taken::Snapshot,
            Link::Delta { .. } => Taken::Delta,
            Link::Renewal => Taken::Renewal,
        };
        incoming.changed |= self.take(document, leeway, incoming.now)? || was_stale;
        incoming.taken = incoming.taken.max(kind);
        Ok(())
    }

    fn take(&mut self, mut document: Document, leeway: Leeway, now: UnixSeconds) -> Result<bool, UpdateError> {
        let Document { version: offered, issued_at, not_after, .. } = document;
        if !issued_at.is_reached(now, leeway) {
            return Err(UpdateError::FromFuture { now, issued_at });
        }
        if not_after.is_over(now, leeway) {
            return Err(UpdateError::Over { now, not_after });
        }
        document.cutoffs.bound(now);
        if document.link == Link::Snapshot {
            let (list, changed) = List::of(document, self.list.as_deref())?;
            self.list = Some(Arc::new(list));
            return Ok(changed);
        }
        let Some(list) = &mut self.list else { return Err(UpdateError::Gap { held: None, offered }) };
        Ok(list.continues(&document)? && Arc::make_mut(list).extend(&document))
    }

    /// Takes the status list of that URI.
    ///
    /// # Errors
    /// As [`UpdateError`]; what is held then stays.
    pub(crate) fn apply_status(
        &mut self,
        rules: Option<&RevocationPolicy>,
        leeway: Leeway,
        uri: &str,
        text: &str,
        now: UnixSeconds,
    ) -> Result<StatusReport, UpdateError> {
        let rules = rules.and_then(|rules| rules.status_list(uri)).ok_or(UpdateError::Unexpected)?;
        let list = StatusList::read(rules, leeway, text, now)?;
        let Some(held) = self.statuses.get_mut(uri) else {
            let report = list.report(rules, true);
            self.statuses.insert(uri.to_owned(), Arc::new(list));
            return Ok(report);
        };
        let was_stale = now.get() >= held.stale_at(rules);
        let changed = Arc::make_mut(held).replace(list)? || was_stale;
        Ok(held.report(rules, changed))
    }

    /// Takes over what another holds: versions do not go back with a policy, nor with a detour
    /// through one that asks for no lists. Not, though, when one of the keys that may have signed
    /// it is trusted no more: that is kept aside.
    pub(crate) fn inherit(
        &mut self,
        own: Option<&RevocationPolicy>,
        former: &Revocations,
        theirs: Option<&RevocationPolicy>,
    ) {
        self.lost = former.lost;
        let mut aside = former.aside.clone();
        if let Some(theirs) = theirs {
            if let Some(list) = &former.list {
                aside.keep_list(theirs.keys(), list);
            }
            for (uri, list) in &former.statuses {
                if let Some(theirs) = theirs.status_list(uri) {
                    aside.keep_status(uri, &theirs.keys, list);
                }
            }
        }
        if let Some(own) = own {
            self.list = aside.list(own);
            self.statuses = aside.statuses(own);
        }
        self.aside = aside;
    }

    /// Notes that lists were held which are gone, so that what is missing refuses until it comes.
    #[cfg(feature = "js")]
    pub(crate) fn lose(&mut self) {
        self.lost = true;
    }

    /// What stands against a token, and from when until when nothing does. `vouched` is for one
    /// that its issuer was asked about instead.
    #[expect(clippy::too_many_arguments, reason = "they are what a verdict rests on")]
    pub(crate) fn check(
        &self,
        policy: &Policy,
        keys: &KeySet,
        token: &AuthenticToken<'_>,
        claims: &ParsedClaims<'_>,
        now: UnixSeconds,
        validity: Validity,
        vouched: bool,
    ) -> Result<Validity, Rejection> {
        let Some(rules) = policy.revocation() else { return Ok(validity) };
        let known = |list: &List| {
            // The name of the key that the signature holds under, and not what the header says
            // alone: a thief of the key would leave it out.
            let own = token.keys().filter_map(|place| keys.kid(place));
            list.check(claims.iss(), claims, own.chain(token.header().kid()))
        };
        self.check_by(rules, &known, &[&claims.object], now, validity, vouched)
    }

    /// The same about what an authorization server says of a token of that issuer. It need not
    /// name itself, nor anything by which a token is looked up: where the token is a JWT, what
    /// that says of itself is looked up as well. Nobody has checked who wrote it, and it can only
    /// be refused by it.
    #[expect(clippy::too_many_arguments, reason = "they are what a verdict rests on")]
    pub(crate) fn check_response(
        &self,
        policy: &Policy,
        issuer: usize,
        token: &str,
        claims: &ParsedClaims<'_>,
        now: UnixSeconds,
        validity: Validity,
        vouched: bool,
    ) -> Result<Validity, Rejection> {
        let Some(rules) = policy.revocation() else { return Ok(validity) };
        let deviations = policy.deviations(issuer);
        let issuer = policy.issuer_name(issuer).unwrap_or_default();
        let limits = policy.limits();
        let (header, payload) = leading_parts_unverified(token);
        let header = read_object(&header, limits).unwrap_or_default();
        let mut own = read_object(&payload, limits).ok();
        if let Some(own) = &mut own {
            claims::normalize(own, deviations);
        }
        let known = |list: &List| {
            list.check(issuer, claims, core::iter::empty())?;
            match own.clone().map(|own| claims::of_response(own, deviations)) {
                Some(Ok(own)) => list.check(issuer, &own, header.get("kid").and_then(Value::as_str).into_iter()),
                Some(Err(_)) | None => Ok(()),
            }
        };
        let told: Vec<&Object<'_>> = core::iter::once(&claims.object).chain(&own).collect();
        self.check_by(rules, &known, &told, now, validity, vouched)
    }

    fn check_by(
        &self,
        rules: &RevocationPolicy,
        known: &dyn Fn(&List) -> Result<(), Rejection>,
        told: &[&Object<'_>],
        now: UnixSeconds,
        validity: Validity,
        vouched: bool,
    ) -> Result<Validity, Rejection> {
        // Until when all can tell that are to be asked; `None` when one is missing.
        let mut stale_at = Some(u64::MAX);
        if rules.wants_list() {
            stale_at = match &self.list {
                None => None,
                Some(list) => {
                    known(list)?;
                    Some(list.stale_at(rules))
                }
            };
        }
        for claims in told.iter().filter(|_| rules.wants_status()) {
            let Some(reference) = Reference::of(claims)? else { continue };
            let known = rules.status_list(reference.uri).zip(self.statuses.get(reference.uri));
            let status_until = match known {
                None => None,
                Some((rules, list)) => {
                    list.check(&reference)?;
                    Some(list.stale_at(rules))
                }
            };
            stale_at = stale_at.zip(status_until).map(|(list, status)| list.min(status));
        }
        match (stale_at.filter(|stale_at| now.get() < *stale_at), rules.when_stale()) {
            // Nothing is remembered for longer than the lists are good for.
            (Some(stale_at), _) => Ok(Validity { until: validity.until.min(stale_at), ..validity }),
            // What is gone may have named the token.
            (None, WhenStale::Allow) if !(self.lost && stale_at.is_none()) => Ok(Validity { stale: true, ..validity }),
            (None, WhenStale::Introspect) if vouched => Ok(Validity { stale: true, ..validity }),
            (None, _) => Err(Rejection::RevocationStale { now, stale_since: stale_at }),
        }
    }

    /// Whether a list is asked for and none that is held can tell.
    pub(crate) fn list_is_stale(&self, rules: &RevocationPolicy, now: UnixSeconds) -> bool {
        let is_fresh = |list: &Arc<List>| now.get() < list.stale_at(rules);
        rules.wants_list() && !self.list.as_ref().is_some_and(is_fresh)
    }

    /// What its feed wants to be asked with.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.list.as_ref().and_then(|list| list.cursor())
    }

    /// The version of the list that is held.
    pub(crate) fn version(&self) -> Option<u64> {
        self.list.as_ref().map(|list| list.version())
    }
}

/// Does it say that no list can tell?
pub(crate) fn is_stale(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::RevocationStale { .. })
}
