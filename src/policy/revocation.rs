//! Whose word is taken for what is revoked, and what holds when it is not heard for too long.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    document,
    document::{checked::Checked, url},
    keys::{
        jwk::NamedKey,
        remote::{LeftOut, RemoteKey},
        set::KeySet,
    },
    policy::{IssuerPolicy, Policy, issuer_rules::IssuerRules, read},
    policy_error::PolicyError,
};

/// What a verifier asks of lists of revocations.
#[derive(Debug)]
pub struct RevocationPolicy {
    pub(super) keys: Arc<KeySet>,
    /// Whose list it may be: one that is named, or else each of the policy's issuers.
    issuers: Vec<String>,
    max_staleness_seconds: u64,
    pub(super) when_stale: WhenStale,
    pub(super) pull: Pull,
    pub(super) status_lists: Vec<StatusListPolicy>,
}

/// A Token Status List (draft-ietf-oauth-status-list) that is trusted.
#[derive(Debug)]
pub(crate) struct StatusListPolicy {
    pub(crate) uri: String,
    pub(crate) keys: Arc<KeySet>,
    pub(crate) max_staleness_seconds: u64,
}

/// How a gate pulls the lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pull {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) feed: Option<String>,
    /// The client that the feed is pulled as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    pub(super) pull_seconds: u64,
    pub(super) timeout_ms: u64,
    pub(super) max_bytes: u64,
}

/// Where a gate pulls lists from, and how, everything filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RevocationSource<'p> {
    #[serde(flatten)]
    pull: &'p Pull,
    status_lists: Vec<&'p str>,
    /// Tells whether the same lists may be kept under another policy.
    max_staleness_seconds: u64,
}

/// What holds for a token that no list names, when the list is stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenStale {
    /// It is refused.
    #[default]
    Deny,
    /// A gate asks the token's issuer about it (RFC 7662); a verifier alone refuses it.
    Introspect,
    /// It is accepted, and the verdict says so.
    Allow,
}

impl RevocationPolicy {
    /// The longest that a list may be relied on after it was made, in seconds: a day.
    pub const MOST_STALENESS: u64 = 86_400;

    /// The longest that a Token Status List may be, in seconds: 31 days. Some are made by hand.
    pub const MOST_STATUS_STALENESS: u64 = 2_678_400;

    pub(super) const TIMEOUT_MS: u64 = 5_000;
    pub(super) const MAX_BYTES: u64 = 16 * 1024 * 1024;

    /// Lists that a key of this JWK Set has signed, relied on for so many seconds after they were
    /// made.
    ///
    /// # Errors
    /// Text that is no JWK Set of usable public keys (`/jwks`); no time, or more than
    /// [`MOST_STALENESS`](Self::MOST_STALENESS).
    pub fn new(jwks: &str, max_staleness_seconds: u64) -> Result<Self, PolicyError> {
        check_seconds(max_staleness_seconds, Self::MOST_STALENESS)?;
        Self::of_keys(read_jwks(jwks)?, max_staleness_seconds, WhenStale::default())
    }

    pub(super) fn of_keys(
        named: Vec<NamedKey>,
        max_staleness_seconds: u64,
        when_stale: WhenStale,
    ) -> Result<Self, PolicyError> {
        let pull = Pull {
            feed: None,
            client_id: None,
            pull_seconds: Self::pull_seconds(max_staleness_seconds),
            timeout_ms: Self::TIMEOUT_MS,
            max_bytes: Self::MAX_BYTES,
        };
        let keys = Arc::new(public_keys(named)?);
        let (issuers, status_lists) = (Vec::new(), Vec::new());
        Ok(RevocationPolicy { keys, issuers, max_staleness_seconds, when_stale, pull, status_lists })
    }

    /// Reads the section `revocation` of a policy.
    fn read(object: Checked<'_, '_>) -> Result<Self, PolicyError> {
        let when_stale = match object.text("whenStale") {
            Some("introspect") => WhenStale::Introspect,
            Some("allow") => WhenStale::Allow,
            _ => WhenStale::Deny,
        };
        let seconds = object.number("maxStalenessSeconds").unwrap_or_default();
        let mut policy = Self::of_keys(own_keys(object)?, seconds, when_stale)?;
        if let Some(issuer) = object.text("issuer") {
            policy = policy.of_issuer(issuer);
        }
        let pull = &mut policy.pull;
        pull.feed = object.text("feed").map(str::to_owned);
        pull.client_id = object.text("clientId").map(str::to_owned);
        if pull.client_id.is_some() && pull.feed.is_none() {
            return Err(PolicyError::at("clientId", "needs \"feed\": it is the client that pulls it"));
        }
        let or = |name, default| object.number(name).unwrap_or(default);
        pull.pull_seconds = or("pullSeconds", pull.pull_seconds);
        pull.timeout_ms = or("timeoutMs", pull.timeout_ms);
        pull.max_bytes = or("maxBytes", pull.max_bytes);
        if pull.pull_seconds > seconds {
            return Err(PolicyError::at("pullSeconds", "must not be more than maxStalenessSeconds"));
        }
        if pull.feed.is_some() && !policy.wants_list() {
            return Err(PolicyError::at("feed", "requires \"jwks\" or \"keys\" to verify the lists"));
        }
        let mut policy = Some(policy);
        object.each("statusLists", &mut |list| {
            let own = list.number("maxStalenessSeconds").unwrap_or(seconds);
            let uri = list.text("uri").unwrap_or_default();
            let keys = own_keys(list)?;
            policy = policy.take().map(|policy| policy.and_status_list(uri, keys, own)).transpose()?;
            Ok(())
        })?;
        policy.ok_or_else(|| PolicyError::here("must be an object"))
    }

    /// A list that is pulled four times in its life outlives three failures.
    pub(super) fn pull_seconds(max_staleness_seconds: u64) -> u64 {
        (max_staleness_seconds / 4).max(1)
    }

    /// Sets what holds when the list is stale.
    #[must_use]
    pub fn when_stale_it_is(self, when_stale: WhenStale) -> Self {
        RevocationPolicy { when_stale, ..self }
    }

    /// Takes lists of that issuer alone: where a policy has several, each of them would do.
    #[must_use]
    pub fn of_issuer(self, issuer: &str) -> Self {
        RevocationPolicy { issuers: vec![issuer.to_owned()], ..self }
    }

    /// The same key may sign the lists of several issuers, and each is of use for its own tokens
    /// alone.
    pub(crate) fn issuers(&self) -> &[String] {
        &self.issuers
    }

    /// Trusts the Token Status List of that exact URI, which a key of this JWK Set has signed, for
    /// so many seconds after it was made.
    ///
    /// # Errors
    /// As [`new`](Self::new), with [`MOST_STATUS_STALENESS`](Self::MOST_STATUS_STALENESS); a URI
    /// that is not https, nor http on a loopback name, or that is trusted already (`/uri`).
    pub fn with_status_list(self, uri: &str, jwks: &str, max_staleness_seconds: u64) -> Result<Self, PolicyError> {
        check_seconds(max_staleness_seconds, Self::MOST_STATUS_STALENESS)?;
        url::check(uri).map_err(|reason| PolicyError::at("uri", reason))?;
        self.and_status_list(uri, read_jwks(jwks)?, max_staleness_seconds)
    }

    pub(super) fn and_status_list(
        mut self,
        uri: &str,
        named: Vec<NamedKey>,
        max_staleness_seconds: u64,
    ) -> Result<Self, PolicyError> {
        if self.status_list(uri).is_some() {
            return Err(PolicyError::at("uri", "is named twice"));
        }
        let keys = Arc::new(public_keys(named)?);
        self.status_lists.push(StatusListPolicy { uri: uri.to_owned(), keys, max_staleness_seconds });
        Ok(self)
    }

    pub(crate) fn keys(&self) -> &Arc<KeySet> {
        &self.keys
    }

    /// Is a list of revocations asked for, and not status lists alone?
    pub(crate) fn wants_list(&self) -> bool {
        self.keys.has_any_of(0)
    }

    pub(crate) fn status_list(&self, uri: &str) -> Option<&StatusListPolicy> {
        self.status_lists.iter().find(|list| list.uri == uri)
    }

    pub(crate) fn wants_status(&self) -> bool {
        !self.status_lists.is_empty()
    }

    pub(crate) fn max_staleness_seconds(&self) -> u64 {
        self.max_staleness_seconds
    }

    pub(crate) fn when_stale(&self) -> WhenStale {
        self.when_stale
    }
}

fn check_seconds(seconds: u64, most: u64) -> Result<(), PolicyError> {
    if (1..=most).contains(&seconds) {
        return Ok(());
    }
    Err(PolicyError::at("maxStalenessSeconds", format!("must be an integer from 1 to {most}")))
}

fn read_jwks(jwks: &str) -> Result<Vec<NamedKey>, PolicyError> {
    let mut holder = IssuerPolicy::of(IssuerRules::new(String::new(), Vec::new()));
    document::parse(jwks).and_then(|jwks| holder.push_jwks(&jwks)).map_err(|error| error.within("jwks"))?;
    Ok(holder.keys)
}

/// STRICTER: with a secret, every edge that reads lists could write them.
fn public_keys(named: Vec<NamedKey>) -> Result<KeySet, PolicyError> {
    if named.iter().any(|named| named.key.is_secret()) {
        return Err(PolicyError::at("jwks", "must hold only public keys"));
    }
    let mut keys = KeySet::default();
    for named in named {
        keys.push(0, named);
    }
    keys.index();
    Ok(keys)
}

/// Keys that belong to no issuer.
fn own_keys(object: Checked<'_, '_>) -> Result<Vec<NamedKey>, PolicyError> {
    let mut holder = IssuerPolicy::of(IssuerRules::new(String::new(), Vec::new()));
    read::keys(object, &mut holder)?;
    Ok(holder.keys)
}

impl Policy {
    /// Has tokens looked up in lists of revocations.
    ///
    /// # Errors
    /// A key that signs lists is one that signs tokens (`/revocation`): whoever steals it could
    /// take a revocation back. Stale lists lead to an introspection endpoint that an issuer does
    /// not have (`/revocation/whenStale`).
    pub fn with_revocation(mut self, revocation: RevocationPolicy) -> Result<Self, PolicyError> {
        self.set_revocation(revocation)?;
        Ok(self)
    }

    /// Reads the section `revocation` of a policy, if it has one.
    pub(super) fn read_revocation(&mut self, document: Checked<'_, '_>) -> Result<(), PolicyError> {
        let Some(object) = document.section("revocation") else { return Ok(()) };
        self.set_revocation(RevocationPolicy::read(object).map_err(|error| error.within("revocation"))?)
    }

    fn set_revocation(&mut self, mut revocation: RevocationPolicy) -> Result<(), PolicyError> {
        if self.keys.has_key_of(&revocation.keys) {
            let reason = "must not share a key with an issuer: list keys sign only lists";
            return Err(PolicyError::at("revocation", reason));
        }
        if revocation.when_stale == WhenStale::Introspect
            && self.rules.iter().any(|rules| rules.introspection.is_none())
        {
            let reason = "must not be \"introspect\" unless every issuer has \"introspection\"";
            return Err(PolicyError::at("whenStale", reason).within("revocation"));
        }
        let known = |name: &String| self.rules.iter().any(|rules| &rules.issuer == name);
        if !revocation.issuers.iter().all(known) {
            let reason = "must be the \"issuer\" of one of \"issuers\"";
            return Err(PolicyError::at("issuer", reason).within("revocation"));
        }
        if revocation.issuers.is_empty() {
            revocation.issuers = self.rules.iter().map(|rules| rules.issuer.clone()).collect();
        }
        self.revocation = Some(revocation);
        Ok(())
    }

    /// Leaves out published keys that sign lists of revocations.
    pub(crate) fn keep_apart(&self, keys: &mut Vec<RemoteKey>, left_out: &mut Vec<LeftOut>) {
        let Some(rules) = &self.revocation else { return };
        keys.retain(|RemoteKey { named, .. }| {
            let own = rules.keys.has(&named.key);
            if own {
                left_out.push(LeftOut::new(named.kid.as_deref(), &PolicyError::here("signs lists of revocations")));
            }
            !own
        });
    }

    /// What is asked of lists of revocations, if tokens are looked up in them.
    #[must_use]
    pub fn revocation(&self) -> Option<&RevocationPolicy> {
        self.revocation.as_ref()
    }

    /// Where lists are pulled from, everything filled in.
    #[must_use]
    pub fn revocation_source(&self) -> Option<RevocationSource<'_>> {
        let rules = self.revocation.as_ref()?;
        Some(RevocationSource {
            pull: &rules.pull,
            status_lists: rules.status_lists.iter().map(|list| list.uri.as_str()).collect(),
            max_staleness_seconds: rules.max_staleness_seconds,
        })
    }

    /// Is a token's issuer asked about it when the list is stale?
    pub(crate) fn asks_when_stale(&self) -> bool {
        self.revocation.as_ref().is_some_and(|rules| rules.when_stale == WhenStale::Introspect)
    }
}
