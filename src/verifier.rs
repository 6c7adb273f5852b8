//! The whole pipeline, as one function.

mod tenants;
mod trusted_keys;

use std::sync::Arc;

use serde::{Serialize, Serializer, ser::SerializeStruct};

#[cfg(feature = "revocation")]
mod lists;

use crate::{
    bearer, binding, claims,
    claims::{Claims, ParsedClaims},
    jws::{compact::UnverifiedToken, header::Header, header_memo::HeaderMemo},
    keys::{
        VerificationKey,
        remote::KeyReport,
        set::{Candidates, KeySet, KeyUsage},
    },
    limits::Limits,
    policy::Policy,
    policy_error::PolicyError,
    rejection::Rejection,
    revocation::Revocations,
    signature::{self, AuthenticToken},
    time::{UnixSeconds, Validity},
};

use trusted_keys::TrustedKeys;

/// The answer about a token. A bad token is a value, not a failure of the program.
pub type Verdict = Result<Accepted, Rejection>;

/// A token that has passed every stage.
#[derive(Debug)]
pub struct Accepted {
    header: Arc<Header>,
    claims: Claims,
    payload: Vec<u8>,
    stale: bool,
    alternative: Option<String>,
}

/// Decides about tokens by one policy. It holds no clock and does no I/O: the same input gives the
/// same verdict everywhere.
///
/// ```
/// use portcullis::{Stage, UnixSeconds, Verifier};
///
/// let verifier = Verifier::from_json(r#"{ "issuers": [{
///     "issuer": "https://issuer.example",
///     "audience": "https://api.example",
///     "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }
/// }] }"#)?;
/// let now = UnixSeconds::new(1_800_000_000).unwrap();
/// let rejection = verifier.verify("not a.real.token", now).unwrap_err();
/// assert_eq!((rejection.code(), rejection.stage()), ("segment-not-base64url", Stage::Jws));
/// # Ok::<(), portcullis::PolicyError>(())
/// ```
///
/// What it remembers between tokens (headers it has read, tables for its keys) makes it faster and
/// changes no verdict.
#[derive(Debug)]
pub struct Verifier {
    policy: Policy,
    keys: TrustedKeys,
    headers: HeaderMemo,
    revocations: Revocations,
}

impl Verifier {
    /// A verifier for that policy.
    #[must_use]
    pub fn new(mut policy: Policy) -> Self {
        Verifier {
            keys: TrustedKeys::of(&mut policy),
            policy,
            headers: HeaderMemo::default(),
            revocations: Revocations::default(),
        }
    }

    /// A verifier for a policy in JSON.
    ///
    /// # Errors
    /// As [`Policy::from_json`].
    pub fn from_json(policy: &str) -> Result<Self, PolicyError> {
        Policy::from_json(policy).map(Verifier::new)
    }

    /// Takes the JWK Set that an issuer publishes, in place of the one it published before. Keys
    /// that are built in stay and come first; a key that is no good is left out; keys that were
    /// there already keep what they have earned.
    ///
    /// # Errors
    /// An issuer without `remote` (`/issuer`); text that is no JWK Set, or has no usable key. The
    /// present keys then stay.
    pub fn set_remote_keys(&mut self, issuer: &str, jwks: &str) -> Result<KeyReport, PolicyError> {
        self.admit_tenant(issuer);
        self.keys.take(&self.policy, issuer, jwks)
    }

    /// Drops the keys that an issuer published, when they have not been confirmed for too long;
    /// those that are built in stay. Whether there were any: an answer that was given by them then
    /// counts no more.
    pub fn forget_remote_keys(&mut self, issuer: &str) -> bool {
        self.keys.forget(&self.policy, issuer)
    }

    /// Whether a list of revocations is asked for and none that is held can tell.
    pub(crate) fn list_is_stale(&self, now: UnixSeconds) -> bool {
        self.policy.revocation().is_some_and(|rules| self.revocations.list_is_stale(rules, now))
    }

    /// A verifier for another policy that takes over what this one was given: published keys, and
    /// lists of revocations as far as the other policy trusts who signed them. The others are kept
    /// aside until a policy trusts them again.
    pub(crate) fn replaced(&self, policy: &str) -> Result<Self, PolicyError> {
        let mut verifier = Verifier::from_json(policy)?;
        verifier.policy.inherit_resolver(&self.policy);
        verifier.keys.inherit(&verifier.policy, &self.keys, &self.policy);
        verifier.revocations.inherit(verifier.policy.revocation(), &self.revocations, self.policy.revocation());
        Ok(verifier)
    }

    /// Decides about what an authorization server says of a token of that issuer (RFC 7662): the
    /// policy's rules, and the lists of revocations, which hold whoever vouches for a token.
    pub(crate) fn check_response(
        &self,
        issuer: usize,
        token: &str,
        claims: &ParsedClaims<'_>,
        now: UnixSeconds,
        vouched: bool,
    ) -> Result<Validity, Rejection> {
        let validity = self.policy.check_response(issuer, claims, now)?;
        self.revocations.check_response(&self.policy, issuer, token, claims, now, validity, vouched)
    }

    /// Decides about the credentials of a request: the value of its one Authorization header (RFC
    /// 6750 §2.1).
    ///
    /// A token with `cnf` is bound to a key of its client's and is refused, since a verifier does
    /// not see who sends it: a [`Gate`](crate::Gate) does (RFC 9449 §7.2, RFC 8705 §3).
    ///
    /// # Errors
    /// The [`Rejection`] of the first stage that refuses; `binding-unsupported` of a token with
    /// `cnf`.
    pub fn verify_authorization(&self, authorization: Option<&str>, now: UnixSeconds) -> Verdict {
        let token = bearer::token(authorization, self.policy.limits())?;
        let take = |claims: &ParsedClaims<'_>, _: &Header, validity: Validity| {
            binding::check_bearer(&claims.object).map(|()| (claims.to_claims(), validity))
        };
        let (authentic, taken) = self.decide(token, now, take)?;
        let (claims, validity) = taken?;
        Ok(self.accepted(authentic, claims, validity))
    }

    /// The same for a caller that checks the binding itself: the `cnf` of the
    /// [`payload`](Accepted::payload) against the client's certificate (RFC 8705 §3).
    ///
    /// # Errors
    /// The [`Rejection`] of the first stage that refuses.
    pub fn verify_authorization_binding_unverified(&self, authorization: Option<&str>, now: UnixSeconds) -> Verdict {
        self.verify(bearer::token(authorization, self.policy.limits())?, now)
    }

    /// Decides about a token in the compact serialization: is it what its issuer signed, for us
    /// and for now?
    ///
    /// Who sends it is another question, which only a request answers: a token with `cnf`
    /// (RFC 7800) is accepted here, and whoever lets a request pass by it has to check the
    /// binding.
    ///
    /// # Errors
    /// The [`Rejection`] of the first stage that refuses.
    pub fn verify(&self, token: &str, now: UnixSeconds) -> Verdict {
        let take = |claims: &ParsedClaims<'_>, _: &Header, validity: Validity| (claims.to_claims(), validity);
        let (authentic, (claims, validity)) = self.decide(token, now, take)?;
        Ok(self.accepted(authentic, claims, validity))
    }

    fn accepted(&self, authentic: AuthenticToken<'_>, claims: Claims, validity: Validity) -> Accepted {
        let alternative = self.policy.alternative(&claims.iss, validity.alternative).map(str::to_owned);
        let (header, payload) = authentic.into_parts();
        Accepted { header, claims, payload, stale: validity.stale, alternative }
    }

    /// The pipeline. `take` sees the claims and how long they hold once nothing stands against the
    /// token.
    pub(crate) fn decide<'t, T>(
        &self,
        token: &'t str,
        now: UnixSeconds,
        take: impl FnOnce(&ParsedClaims<'_>, &Header, Validity) -> T,
    ) -> Result<(AuthenticToken<'t>, T), Rejection> {
        self.decide_about(token, now, false, take)
    }

    /// The pipeline about a token that its issuer may have `vouched` for, when no list of
    /// revocations can.
    pub(crate) fn decide_about<'t, T>(
        &self,
        token: &'t str,
        now: UnixSeconds,
        vouched: bool,
        take: impl FnOnce(&ParsedClaims<'_>, &Header, Validity) -> T,
    ) -> Result<(AuthenticToken<'t>, T), Rejection> {
        let unverified = UnverifiedToken::parse_with(token, self.policy.limits(), &self.headers)?;
        let candidates = self.candidates(&unverified)?;
        let authentic = signature::authenticate(unverified, &candidates)?;
        self.remember(&authentic);
        let object = claims::parse(&authentic, self.policy.limits())?;
        let claims = self.policy.read_claims(&authentic, object)?;
        let validity = self.policy.check(&authentic, &claims, now)?;
        let validity =
            self.revocations.check(&self.policy, self.keys(), &authentic, &claims, now, validity, vouched)?;
        let taken = take(&claims, authentic.header(), validity);
        let payload = claims.normal_form();
        Ok((authentic.with_payload(payload), taken))
    }

    /// The keys that a token is tried with.
    pub(crate) fn candidates(&self, token: &UnverifiedToken<'_>) -> Result<Candidates<'_>, Rejection> {
        self.keys.candidates(&self.policy, token)
    }

    /// What the next token gains by this one.
    fn remember(&self, authentic: &AuthenticToken<'_>) {
        self.headers.keep(authentic.header_segment(), authentic.header());
        authentic.keys().for_each(|key| self.keys().note_use(key));
    }

    /// A number for the header of an authentic token: whoever has parsed the text of a header with
    /// the same number need not again.
    #[cfg(feature = "js")]
    pub(crate) fn header_number(&self, authentic: &AuthenticToken<'_>) -> u32 {
        self.headers.keep(authentic.header_segment(), authentic.header())
    }

    /// What is kept in memory in order to be fast.
    #[must_use]
    pub fn stats(&self) -> Stats<'_> {
        let keys = self.keys();
        let named = |usage: &KeyUsage<'_>| self.policy.issuer_name(usage.issuer).unwrap_or_default();
        let usage: Vec<KeyStats<'_>> = keys.usage().map(|usage| KeyStats { issuer: named(&usage), usage }).collect();
        Stats {
            table_bytes: usage.iter().map(|key| key.usage.table_bytes).sum(),
            table_bytes_allowed: keys.table_budget().bytes(),
            generator_table_bytes: keys.generator_table_bytes(),
            headers: self.headers.len(),
            keys: usage,
        }
    }

    /// The keys that are trusted at the moment.
    pub(crate) fn keys(&self) -> &KeySet {
        self.keys.set()
    }

    /// Have keys been taken that the issuer with that index publishes?
    pub(crate) fn has_published_keys(&self, issuer: usize) -> bool {
        self.keys.has_published(issuer)
    }

    /// The policy this verifier decides by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// Checks a signature alone (RFC 7515 §5.2): no issuer, no audience, no time. The payload may be
/// anything.
///
/// ```
/// use portcullis::{Alg, VerificationKey, verify_jws};
///
/// // RFC 8037 appendix A
/// let jws = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
///            hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
/// let pem = "-----BEGIN PUBLIC KEY-----\n\
///            MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
///            -----END PUBLIC KEY-----";
/// let key = VerificationKey::from_pem(Alg::EdDsa, pem)?;
/// assert_eq!(verify_jws(jws, &key).unwrap().payload(), b"Example of Ed25519 signing");
/// # Ok::<(), portcullis::PolicyError>(())
/// ```
///
/// # Errors
/// The stages `jws`, `keys` and `signature` of [`Rejection`].
pub fn verify_jws<'t>(jws: &'t str, key: &VerificationKey) -> Result<AuthenticToken<'t>, Rejection> {
    let unverified = UnverifiedToken::parse(jws, &Limits::default())?;
    let actual = unverified.header().alg();
    if actual != key.alg() {
        return Err(Rejection::AlgMismatch { expected: vec![key.alg()], actual });
    }
    signature::authenticate(unverified, &Candidates::one(key))
}

/// What a verifier keeps in memory in order to be fast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats<'v> {
    /// The keys, in the order of the policy.
    pub keys: Vec<KeyStats<'v>>,
    /// What the tables of all keys take together, in bytes.
    pub table_bytes: usize,
    /// What they may take at most.
    pub table_bytes_allowed: usize,
    /// What the tables of the curves' generators take, which all verifiers share, in bytes.
    pub generator_table_bytes: usize,
    /// How many headers need not be read again.
    pub headers: usize,
}

/// What a verifier keeps for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStats<'v> {
    /// The issuer the key belongs to.
    pub issuer: &'v str,
    /// What it is and takes.
    pub usage: KeyUsage<'v>,
}

impl Serialize for KeyStats<'_> {
    // As one object; serde's `flatten` is a serializer of its own, 1 KB of the wasm.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("KeyStats", 5)?;
        object.serialize_field("issuer", self.issuer)?;
        object.serialize_field("kid", &self.usage.kid)?;
        object.serialize_field("alg", &self.usage.alg)?;
        object.serialize_field("uses", &u64::from(self.usage.uses))?;
        object.serialize_field("tableBytes", &self.usage.table_bytes)?;
        object.end()
    }
}

impl Accepted {
    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The registered claims, typed.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Whether nobody could tell if the token was revoked, and the policy accepts it all the same
    /// (`whenStale: "allow"`).
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// The name of the alternative that it fits, where the policy has its issuer's tokens in
    /// several.
    #[must_use]
    pub fn alternative(&self) -> Option<&str> {
        self.alternative.as_deref()
    }

    /// All claims as they were signed: the text of a JSON object that passed the strict reader.
    /// What the policy lets an issuer write differently ([`Deviation`](crate::Deviation)) stands
    /// in its normal form.
    #[must_use]
    pub fn payload(&self) -> &str {
        // The payload was parsed as JSON, so it is UTF-8.
        core::str::from_utf8(&self.payload).unwrap_or("{}")
    }

    /// All claims as a type of the caller's own.
    ///
    /// # Errors
    /// The claims do not fit the type.
    pub fn deserialize<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.payload)
    }
}
