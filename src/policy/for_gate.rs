//! What a gate asks of a policy besides a token's verdict.

use crate::{
    claims::ParsedClaims,
    policy::Policy,
    rejection::{Rejection, excerpt},
    time::{Leeway, UnixSeconds, Validity},
};

impl Policy {
    /// Does the issuer with that index publish keys?
    pub(crate) fn has_remote(&self, index: usize) -> bool {
        self.rules.get(index).is_some_and(|rules| rules.remote.is_some())
    }

    /// Have published keys of that issuer been taken?
    pub(crate) fn has_remote_keys(&self, index: usize) -> bool {
        !self.keys.remote_of(index).is_empty()
    }

    /// Does that issuer's `claims` ask for an exact value of this claim?
    pub(crate) fn asks_for_claim(&self, index: usize, name: &str) -> bool {
        self.rules.get(index).is_some_and(|rules| rules.claims.iter().any(|(own, _)| own == name))
    }

    /// How far clocks may be apart.
    pub(crate) fn leeway(&self) -> Leeway {
        self.leeway
    }

    /// The rules about what an issuer says of an opaque token: issuer, audience, further claims, time.
    ///
    /// RFC 7662 §2.2 has `iss` and `exp` optional: who answers is known, and the answer is about now. STRICTER: the audience is not, since a
    /// token that is active may be meant for another API.
    pub(crate) fn check_response(
        &self,
        index: usize,
        claims: &ParsedClaims<'_>,
        now: UnixSeconds,
    ) -> Result<Validity, Rejection> {
        let mismatch = |expected| Rejection::IssuerMismatch { expected, actual: excerpt(claims.iss()) };
        let rules = self.rules.get(index).ok_or_else(|| mismatch(Vec::new()))?;
        if claims.object.get("iss").is_some() && claims.iss() != rules.issuer {
            return Err(mismatch(vec![rules.issuer.clone()]));
        }
        rules.check_but_type(claims)?;
        self.check_time(claims, now)
    }
}
