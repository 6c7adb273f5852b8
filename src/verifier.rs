//! The whole pipeline, as one function.

use crate::{
    bearer, claims,
    claims::Claims,
    jws::{compact::UnverifiedToken, header::Header},
    keys::{VerificationKey, set::Candidate},
    limits::Limits,
    policy::Policy,
    policy_error::PolicyError,
    rejection::Rejection,
    signature::{self, AuthenticToken},
    time::UnixSeconds,
};

/// The answer about a token. A bad token is a value, not a failure of the program.
pub type Verdict = Result<Accepted, Rejection>;

/// A token that has passed every stage.
#[derive(Debug)]
pub struct Accepted {
    header: Header,
    claims: Claims,
    payload: Vec<u8>,
}

/// Decides about tokens by one policy. It holds no clock and does no I/O: the same input gives the same verdict everywhere.
#[derive(Debug)]
pub struct Verifier {
    policy: Policy,
}

impl Verifier {
    /// A verifier for that policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Verifier { policy }
    }

    /// A verifier for a policy in JSON.
    ///
    /// # Errors
    /// As [`Policy::from_json`].
    pub fn from_json(policy: &str) -> Result<Self, PolicyError> {
        Policy::from_json(policy).map(Verifier::new)
    }

    /// Decides about the credentials of a request: the value of its one Authorization header (RFC 6750 §2.1).
    ///
    /// # Errors
    /// The [`Rejection`] of the first stage that refuses.
    pub fn verify_authorization(&self, authorization: Option<&str>, now: UnixSeconds) -> Verdict {
        let token = bearer::token(authorization)?;
        self.verify(token, now)
    }

    /// Decides about a token in the compact serialization.
    ///
    /// # Errors
    /// The [`Rejection`] of the first stage that refuses.
    pub fn verify(&self, token: &str, now: UnixSeconds) -> Verdict {
        let unverified = UnverifiedToken::parse(token, self.policy.limits())?;
        let candidates = self.policy.keys().candidates(unverified.header())?;
        let authentic = signature::authenticate(unverified, &candidates)?;
        let claims = claims::read(&authentic, self.policy.limits())?;
        self.policy.check(authentic.issuers(), authentic.header(), &claims, now)?;
        let claims = claims.registered;
        let (header, payload) = authentic.into_parts();
        Ok(Accepted { header, claims, payload })
    }

    /// The policy this verifier decides by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// Checks a signature alone: no issuer, no audience, no time. The payload may be anything.
///
/// # Errors
/// The stages `jws`, `keys` and `signature` of [`Rejection`].
pub fn verify_jws(jws: &str, key: &VerificationKey) -> Result<AuthenticToken, Rejection> {
    let unverified = UnverifiedToken::parse(jws, &Limits::default())?;
    let actual = unverified.header().alg();
    if actual != key.alg() {
        return Err(Rejection::AlgMismatch { expected: vec![key.alg()], actual });
    }
    signature::authenticate(unverified, &[Candidate { issuer: 0, key }])
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

    /// All claims as they were signed: the text of a JSON object that passed the strict reader.
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
