//! The schedule of signing keys: published → signing → retiring → removed, by the time alone.

use serde_json::{Value, json};

use super::{mint::AccessTokenRequest, signing_key::SigningKey};
use crate::issuer::error::IssuerError;
use crate::{
    alg::Alg,
    policy_error::PolicyError,
    time::{Leeway, UnixSeconds},
};

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Not in the set yet.
    Awaited,
    /// In the set, so that it is known everywhere when it begins to sign.
    Published,
    /// The one that signs.
    Signing,
    /// In the set for the tokens it has signed.
    Retiring,
    /// Out of the set: no token of it can be valid.
    Removed,
}

/// What the schedule goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The longest that anybody may keep the set, as its `Cache-Control` advertises, in seconds.
    pub cache_seconds: u64,
    /// The longest lifetime of a token that is signed here, in seconds.
    pub token_seconds: u64,
    /// How far a verifier's clock may be behind.
    pub leeway: Leeway,
}

#[derive(Debug)]
struct RingKey {
    key: SigningKey,
    published_at: UnixSeconds,
    signs_from: UnixSeconds,
}

/// Signing keys in the order in which they sign. It holds no clock: the same instant gives the
/// same state in every process.
///
/// ```
/// use portcullis::{Alg, Leeway, UnixSeconds};
/// use portcullis::issuer::{KeyRing, KeyState, Schedule, SigningKey};
///
/// let at = |seconds: u64| UnixSeconds::new(1_800_000_000 + seconds).unwrap();
/// let schedule = Schedule { cache_seconds: 600, token_seconds: 300, leeway: Leeway::default() };
/// let ring = KeyRing::begin(schedule, SigningKey::generate(Alg::EdDsa)?, at(0))
///     .with_next(SigningKey::generate(Alg::EdDsa)?, at(0), at(3600))?; // known an hour before it signs
/// let states: Vec<_> = ring.states(at(3600)).into_iter().map(|(_, state)| state).collect();
/// assert_eq!(states, [KeyState::Retiring, KeyState::Signing]);
/// # Ok::<(), portcullis::issuer::IssuerError>(())
/// ```
#[derive(Debug)]
pub struct KeyRing {
    schedule: Schedule,
    oldest: RingKey,
    later: Vec<RingKey>,
}

impl KeyRing {
    /// The ring of an issuer that begins at that instant. No verifier can hold an older set of its
    /// keys, so this one key signs at once.
    #[must_use]
    pub fn begin(schedule: Schedule, key: SigningKey, at: UnixSeconds) -> Self {
        KeyRing { schedule, oldest: RingKey { key, published_at: at, signs_from: at }, later: Vec::new() }
    }

    /// Adds a key: in the set from one instant on, signing from another.
    ///
    /// # Errors
    /// One that would sign while a set without it may still be cached, or before the key that
    /// precedes it (`/signsFromSeconds`); a key that is in the ring already (`/jwk`).
    pub fn with_next(
        mut self,
        key: SigningKey,
        published_at: UnixSeconds,
        signs_from: UnixSeconds,
    ) -> Result<Self, PolicyError> {
        if self.entries().any(|entry| entry.key.kid() == key.kid()) {
            return Err(PolicyError::at("jwk", "is another entry's key already. Remove one of the two"));
        }
        if signs_from.get() < published_at.get().saturating_add(self.schedule.cache_seconds) {
            let reason = format!(
                "must be at least {} s (jwksCacheSeconds) after publishedAtSeconds, or verifiers that cached the JWK Set refuse its tokens; found {}",
                self.schedule.cache_seconds,
                signs_from.get()
            );
            return Err(PolicyError::at("signsFromSeconds", reason));
        }
        if self.entries().any(|entry| entry.signs_from >= signs_from) {
            return Err(PolicyError::at(
                "signsFromSeconds",
                "must be later than that of the entry before. List them in the order in which they sign",
            ));
        }
        self.later.push(RingKey { key, published_at, signs_from });
        Ok(self)
    }

    /// The key that signs at `now`, if one does.
    #[must_use]
    pub fn signing(&self, now: UnixSeconds) -> Option<&SigningKey> {
        let state = |entry: &&RingKey, successor| self.state(entry, successor, now) == KeyState::Signing;
        self.with_successors().find(|(entry, successor)| state(entry, *successor)).map(|(entry, _)| &entry.key)
    }

    /// What its keys sign with, now or later, each once.
    pub(in crate::issuer) fn algorithms(&self) -> Vec<Alg> {
        let mut algorithms = Vec::new();
        for alg in self.entries().map(|entry| entry.key.alg()) {
            if !algorithms.contains(&alg) {
                algorithms.push(alg);
            }
        }
        algorithms
    }

    /// Signs an access token with the key whose turn it is.
    ///
    /// # Errors
    /// A lifetime for which the key would not stay published (`/lifetimeSeconds`), an instant
    /// before the first key (`/now`), or anything that [`AccessTokenRequest::sign`] refuses.
    pub fn sign(&self, request: AccessTokenRequest, now: UnixSeconds) -> Result<String, IssuerError> {
        if request.lifetime_seconds() > self.schedule.token_seconds {
            let reason =
                format!("must be at most accessTokenSeconds of the configuration, {}", self.schedule.token_seconds);
            return Err(PolicyError::at("lifetimeSeconds", reason).into());
        }
        let key = self
            .signing(now)
            .ok_or_else(|| PolicyError::at("now", "is before signsFromSeconds of the first signing key"))?;
        request.sign(key, now)
    }

    /// The JWK Set (RFC 7517 §5) at `now`, in JSON: whatever is published, signing or retiring.
    #[must_use]
    pub fn jwks(&self, now: UnixSeconds) -> String {
        let shown = self.with_successors().filter(|(entry, successor)| {
            !matches!(self.state(entry, *successor, now), KeyState::Awaited | KeyState::Removed)
        });
        let keys: Vec<Value> = shown.map(|(entry, _)| Value::Object(entry.key.jwk())).collect();
        json!({ "keys": keys }).to_string()
    }

    /// Each key's name and where it stands at `now`, in the order in which they sign.
    #[must_use]
    pub fn states(&self, now: UnixSeconds) -> Vec<(&str, KeyState)> {
        let state = |(entry, successor): (&'_ RingKey, _)| self.state(entry, successor, now);
        self.with_successors().map(|pair| (pair.0.key.kid(), state(pair))).collect()
    }

    fn state(&self, entry: &RingKey, successor: Option<&RingKey>, now: UnixSeconds) -> KeyState {
        let Schedule { token_seconds, leeway, .. } = self.schedule;
        match successor.map(|successor| successor.signs_from) {
            Some(end) if end <= now => {
                // The last token was signed just before its successor began, and is accepted that
                // much longer.
                let over = end.get().saturating_add(token_seconds).saturating_add(leeway.get());
                if now.get() < over { KeyState::Retiring } else { KeyState::Removed }
            }
            _ if entry.signs_from <= now => KeyState::Signing,
            _ if entry.published_at <= now => KeyState::Published,
            _ => KeyState::Awaited,
        }
    }

    fn entries(&self) -> impl Iterator<Item = &RingKey> {
        core::iter::once(&self.oldest).chain(&self.later)
    }

    fn with_successors(&self) -> impl Iterator<Item = (&RingKey, Option<&RingKey>)> {
        self.entries().zip(self.later.iter().map(Some).chain([None]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verifier;
    use proptest::prelude::*;

    fn schedule() -> Schedule {
        Schedule { cache_seconds: 300, token_seconds: 900, leeway: Leeway::new(60).unwrap() }
    }

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn key() -> SigningKey {
        SigningKey::generate(Alg::EdDsa).unwrap()
    }

    /// The first signs from 0, the second is published at 1000 and signs from 1300.
    fn ring() -> KeyRing {
        KeyRing::begin(schedule(), key(), at(0)).with_next(key(), at(1000), at(1300)).unwrap()
    }

    #[test]
    fn a_key_is_published_then_signs_then_retires_and_is_removed() {
        use KeyState::{Awaited, Published, Removed, Retiring, Signing};
        let ring = ring();
        let states = |now| ring.states(at(now)).into_iter().map(|(_, state)| state).collect::<Vec<_>>();
        assert_eq!(states(999), [Signing, Awaited]);
        assert_eq!(states(1000), [Signing, Published]);
        assert_eq!(states(1299), [Signing, Published]);
        assert_eq!(states(1300), [Retiring, Signing]);
        assert_eq!(states(1300 + 959), [Retiring, Signing]);
        assert_eq!(states(1300 + 960), [Removed, Signing]);
        let published = |now| ring.jwks(at(now)).matches("\"kid\"").count();
        assert_eq!([999, 1000, 2259, 2260].map(published), [1, 2, 2, 1]);
    }

    #[test]
    fn a_key_younger_than_the_longest_cache_does_not_sign() {
        let young = KeyRing::begin(schedule(), key(), at(0)).with_next(key(), at(1000), at(1299)).unwrap_err();
        assert_eq!(young.pointer(), "/signsFromSeconds");
        assert_eq!(ring().with_next(key(), at(900), at(1300)).unwrap_err().pointer(), "/signsFromSeconds");
        let known = SigningKey::from_private_jwk(&ring().oldest.key.private_jwk()).unwrap();
        assert!(ring().with_next(known, at(1000), at(1400)).is_ok());
        let ring = ring();
        let known = SigningKey::from_private_jwk(&ring.oldest.key.private_jwk()).unwrap();
        assert_eq!(ring.with_next(known, at(2000), at(2400)).unwrap_err().pointer(), "/jwk");
        assert!(KeyRing::begin(schedule(), key(), at(5)).signing(at(4)).is_none());
    }

    #[test]
    fn nothing_outlives_the_key_that_signed_it() {
        let request = AccessTokenRequest::new("i", "a", "s", "c").unwrap().with_lifetime(901).unwrap();
        let IssuerError::Invalid(error) = ring().sign(request, at(0)).unwrap_err() else { panic!("not a mistake") };
        assert_eq!(error.pointer(), "/lifetimeSeconds");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        /// Whoever fetched the set within the cache's time verifies what is signed now; whoever
        /// fetches it now verifies what is still valid.
        #[test]
        fn every_valid_token_verifies_under_every_set_that_may_be_cached(signed in 0..3000u64, age in 0..=300u64, later in 0..=960u64) {
            let ring = ring();
            let request = AccessTokenRequest::new("i", "a", "s", "c").unwrap().with_lifetime(900).unwrap();
            let token = ring.sign(request, at(signed)).unwrap();
            let verifier = |fetched: u64| {
                let policy = format!(r#"{{"issuers":[{{"issuer":"i","audience":"a","jwks":{}}}],"leewaySeconds":60}}"#, ring.jwks(at(fetched)));
                Verifier::from_json(&policy).unwrap()
            };
            prop_assert!(verifier(signed.saturating_sub(age)).verify(&token, at(signed)).is_ok());
            let now = signed + later;
            let fresh = verifier(now).verify(&token, at(now));
            prop_assert_eq!(fresh.is_ok(), later < 960);
        }
    }
}
