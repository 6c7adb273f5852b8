//! What is accepted: issuers, audiences, kinds of token, and time.

mod issuer;
mod presets;
mod providers;
mod for_gate;
mod read;
#[cfg(feature = "revocation")]
pub(crate) mod revocation;
#[cfg(not(feature = "revocation"))]
#[path = "no_revocation.rs"]
pub(crate) mod revocation;
mod issuer_rules;
#[cfg(test)]
mod schema;
pub(crate) mod shapes;
mod sources;
pub(crate) mod tenants;
mod resolved_tenants;

pub use issuer::IssuerPolicy;
#[cfg(not(feature = "revocation"))]
pub(crate) use revocation::RevocationPolicy;
#[cfg(feature = "revocation")]
pub use revocation::{RevocationPolicy, RevocationSource, WhenStale};
pub use sources::{ClientAuthentication, Discovery, Introspection, IntrospectionSource, Remote, RemoteSource};

use crate::{
    claims::{self, ParsedClaims},
    deviation::{Deviation, Deviations},
    json::{Object, Value},
    keys::{Hasher, Index, set::KeySet, tables::TableBudget},
    limits::Limits,
    policy_error::PolicyError,
    rejection::{NotBase64url, Rejection, excerpt},
    signature::AuthenticToken,
    time::{Leeway, UnixSeconds, Validity},
};
use issuer_rules::IssuerRules;
use resolved_tenants::Resolved;
pub use resolved_tenants::TenantResolver;

/// Whom a verifier trusts, and for what.
///
/// ```
/// # use portcullis::{IssuerPolicy, Policy, Leeway};
/// # let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let issuer = IssuerPolicy::new("https://issuer.example", ["https://api.example"])?.with_jwks(jwks)?;
/// let policy = Policy::new([issuer])?.with_leeway(Leeway::new(30)?);
/// # Ok::<(), portcullis::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct Policy {
    rules: Vec<IssuerRules>,
    /// Where in `rules` an issuer is, by its name.
    names: Index,
    resolved: Resolved,
    /// The issuer whose tokens need not name it, if it is the only such one.
    only_unnamed: Option<usize>,
    /// Those that are built in, until a verifier takes them.
    keys: KeySet,
    limits: Limits,
    leeway: Leeway,
    revocation: Option<RevocationPolicy>,
}

impl Policy {
    /// A policy that trusts these issuers.
    ///
    /// # Errors
    /// No issuer, one named twice, or one without keys.
    pub fn new(issuers: impl IntoIterator<Item = IssuerPolicy>) -> Result<Self, PolicyError> {
        let mut policy = Policy {
            rules: Vec::new(),
            names: Index::default(),
            resolved: Resolved::default(),
            only_unnamed: None,
            keys: KeySet::default(),
            limits: Limits::default(),
            leeway: Leeway::default(),
            revocation: None,
        };
        for (index, issuer) in issuers.into_iter().enumerate() {
            policy.push(issuer).map_err(|error| error.within(&index.to_string()).within("issuers"))?;
        }
        let deviate = |deviation| {
            let own = policy.rules.iter().enumerate().filter(move |(_, rules)| rules.deviations.has(deviation));
            own.map(|(index, _)| index)
        };
        let mut unnamed = deviate(Deviation::MissingIss);
        policy.only_unnamed = unnamed.next().filter(|_| unnamed.next().is_none());
        policy.limits = policy.limits.with_padding(deviate(Deviation::Base64urlPadding).next().is_some());
        policy.keys.index();
        if policy.rules.is_empty() && !policy.asks_for_tenants() {
            return Err(PolicyError::at("issuers", "must name at least one issuer"));
        }
        policy.keys.budget_tables(TableBudget::default());
        Ok(policy)
    }

    /// Sets how much memory the tables may take that make verification fast, and when they are
    /// built.
    #[must_use]
    pub fn with_tables(mut self, budget: TableBudget) -> Self {
        self.keys.budget_tables(budget);
        self
    }

    /// Sets how far clocks may be apart.
    #[must_use]
    pub fn with_leeway(self, leeway: Leeway) -> Self {
        Policy { leeway, ..self }
    }

    /// Sets how large a token may be.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        let limits = limits.with_padding(self.limits.padding());
        Policy { limits, ..self }
    }

    /// The keys that are built in, for the verifier that will look after them.
    pub(crate) fn take_keys(&mut self) -> KeySet {
        core::mem::take(&mut self.keys)
    }

    /// The exact name of the issuer with that index.
    #[must_use]
    pub fn issuer_name(&self, index: usize) -> Option<&str> {
        self.rules.get(index).map(|rules| rules.issuer.as_str())
    }

    /// Where the issuers' published keys are, everything filled in. A tenant that its resolver has
    /// withdrawn is none of them.
    pub fn remotes(&self) -> impl Iterator<Item = RemoteSource<'_>> {
        self.known_remotes(|rules| !self.is_withdrawn(rules))
    }

    /// The same with those that were withdrawn, where no resolver is to be asked about each.
    #[cfg(any(feature = "tower", feature = "fetch", test))]
    pub(crate) fn remotes_once_admitted(&self) -> impl Iterator<Item = RemoteSource<'_>> {
        self.known_remotes(|_| true)
    }

    fn known_remotes(&self, counts: impl Fn(&IssuerRules) -> bool) -> impl Iterator<Item = RemoteSource<'_>> {
        let rules = self.rules.iter().filter(move |rules| counts(rules));
        rules.filter_map(|rules| Some(RemoteSource::new(&rules.issuer, rules.remote.as_ref()?)))
    }

    /// Whom to ask about opaque tokens, everything filled in.
    pub fn introspections(&self) -> impl Iterator<Item = IntrospectionSource<'_>> {
        let rules = self.rules.iter();
        rules.filter_map(|rules| Some(IntrospectionSource::new(&rules.issuer, rules.introspection.as_ref()?)))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn push(&mut self, issuer: IssuerPolicy) -> Result<(), PolicyError> {
        let IssuerPolicy { rules, keys, tenants } = issuer;
        if keys.is_empty() && rules.remote.is_none() && rules.introspection.is_none() {
            return Err(PolicyError::here("must have \"jwks\", \"keys\", \"remote\" or \"introspection\""));
        }
        let has_tenants = tenants.is_resolved || !tenants.values.is_empty();
        // Nothing else says whose such a token is: one of a tenant that is not ours would pass for
        // one of a tenant that is.
        if has_tenants && rules.deviations.has(Deviation::MissingIss) {
            return Err(PolicyError::at(
                "deviations",
                "must not have missing-iss beside tenants: iss names the tenant",
            ));
        }
        if tenants.is_resolved && rules.introspection.is_some() {
            return Err(PolicyError::at(
                "introspection",
                "must not be set beside a resolver: an opaque token names no tenant",
            ));
        }
        let first = self.rules.len();
        tenants.each(&rules, &mut |rules| {
            if self.issuer_index(&rules.issuer).is_some() {
                return Err(PolicyError::at("issuer", "is named twice"));
            }
            self.names.insert(hash_of(&rules.issuer), self.rules.len());
            self.rules.push(rules);
            Ok(())
        })?;
        if !keys.is_empty() && has_tenants {
            return Err(PolicyError::at("tenants", "must have their keys in \"remote\": each has its own"));
        }
        if tenants.is_resolved {
            self.resolved.issuers.push((tenants, rules));
        }
        for key in keys {
            self.keys.push(first, key);
        }
        Ok(())
    }

    /// The index of the issuer that a token names; of one that names none, of the only issuer
    /// whose tokens may.
    pub(crate) fn index_for(&self, iss: Option<&str>) -> Option<usize> {
        match iss {
            Some(name) => self.issuer_index(name),
            None => self.only_unnamed,
        }
    }

    /// The index of the issuer of that exact name.
    pub(crate) fn issuer_index(&self, name: &str) -> Option<usize> {
        let is_it = |index: &usize| self.rules.get(*index).is_some_and(|rules| rules.issuer == name);
        self.names.places(hash_of(name)).find(is_it)
    }

    /// The rules in the order in which they are checked: issuer, kind, audience, further claims,
    /// time.
    ///
    /// A token may speak only for an issuer under whose key its signature holds (CVE-2026-49998).
    pub(crate) fn check(
        &self,
        token: &AuthenticToken<'_>,
        claims: &ParsedClaims<'_>,
        now: UnixSeconds,
    ) -> Result<Validity, Rejection> {
        let rules = self.issuer(token.issuers(), claims.iss())?;
        if self.is_withdrawn(rules) {
            return Err(Rejection::IssuerUnknown { expected: self.some_names() });
        }
        // Another issuer of the policy may pad its tokens.
        if let Some(segment) = token.padded().filter(|_| !rules.deviations.has(Deviation::Base64urlPadding)) {
            return Err(Rejection::SegmentNotBase64url { segment, found: NotBase64url::Padding });
        }
        let alternative = rules.check(Some(token.header().typ()), claims)?;
        self.check_time(claims, now).map(|validity| Validity { alternative, ..validity })
    }

    /// The claims of an authentic token, read as the issuer writes them that it speaks for: of
    /// those under whose keys its signature holds the one that it names, or for a token that names
    /// none the only one whose tokens may.
    pub(crate) fn read_claims<'t>(
        &self,
        token: &AuthenticToken<'_>,
        object: Object<'t>,
    ) -> Result<ParsedClaims<'t>, Rejection> {
        let mut speakers =
            token.issuers().filter_map(|index| self.rules.get(index)).filter(|rules| match object.get("iss") {
                None => rules.deviations.has(Deviation::MissingIss),
                Some(Value::Null) => rules.deviations.has(Deviation::NullClaims),
                Some(iss) => iss.as_str() == Some(&rules.issuer),
            });
        let speaker = speakers.next().filter(|_| speakers.next().is_none());
        match speaker {
            Some(rules) => claims::of_token(object, &rules.issuer, rules.deviations),
            None => claims::of_token(object, "", Deviations::NONE),
        }
    }

    fn issuer(&self, issuers: impl Iterator<Item = usize> + Clone, iss: &str) -> Result<&IssuerRules, Rejection> {
        let mut trusted = issuers.filter_map(|index| self.rules.get(index));
        trusted.clone().find(|rules| rules.issuer == iss).ok_or_else(|| Rejection::IssuerMismatch {
            expected: trusted.by_ref().map(|rules| rules.issuer.clone()).collect(),
            actual: excerpt(iss),
        })
    }

    fn check_time(&self, claims: &ParsedClaims<'_>, now: UnixSeconds) -> Result<Validity, Rejection> {
        let leeway = self.leeway;
        if claims.exp.is_over(now, leeway) {
            return Err(Rejection::Expired { now, expires: claims.exp, leeway });
        }
        if let Some(not_before) = claims.nbf.filter(|nbf| !nbf.is_reached(now, leeway)) {
            return Err(Rejection::NotYetValid { now, not_before, leeway });
        }
        let iat = claims.iat.map(|iat| iat.ceil);
        if let Some(issued_at) = iat.filter(|iat| !iat.is_reached(now, leeway)) {
            return Err(Rejection::IssuedInFuture { now, issued_at, leeway });
        }
        Ok(Validity::new(claims.exp, claims.nbf, iat, leeway))
    }
}

fn hash_of(issuer: &str) -> u32 {
    Hasher::new().with(issuer.as_bytes()).finish()
}
