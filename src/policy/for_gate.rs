//! What a gate asks of a policy besides a token's verdict.

use crate::{
    alg::Alg,
    claims::ParsedClaims,
    deviation::Deviations,
    policy::{Policy, Remote},
    rejection::{Rejection, excerpt},
    time::{Leeway, UnixSeconds, Validity},
};

impl Policy {
    /// Where the issuer with that index publishes keys, if it does.
    pub(crate) fn remote_of(&self, index: usize) -> Option<&Remote> {
        self.rules.get(index).filter(|rules| !self.is_withdrawn(rules))?.remote.as_ref()
    }

    /// What that issuer does differently.
    pub(crate) fn deviations(&self, index: usize) -> Deviations {
        self.rules.get(index).map_or(Deviations::NONE, |rules| rules.deviations)
    }

    /// Names of issuers, for messages: there may be thousands.
    pub(crate) fn some_names(&self) -> Vec<String> {
        {
            let resolved = self.resolved.issuers.iter().map(|(_, rules)| rules);
            resolved.chain(&self.rules).take(8).map(|rules| excerpt(&rules.issuer)).collect()
        }
    }

    /// The name of that alternative of an issuer.
    pub(crate) fn alternative(&self, issuer: &str, index: Option<usize>) -> Option<&str> {
        let index = index?;
        let rules = self.rules.get(self.issuer_index(issuer)?)?;
        rules.alternatives.get(index).map(|(name, _)| name.as_str())
    }

    /// Is the issuer with that index one of many tenants?
    pub(crate) fn is_tenant(&self, index: usize) -> bool {
        self.rules.get(index).is_some_and(|rules| rules.is_tenant)
    }

    /// To which algorithms that issuer's keys are narrowed.
    pub(crate) fn algorithms_of(&self, index: usize) -> Option<&[Alg]> {
        self.rules.get(index)?.algorithms.as_deref()
    }

    /// Does that issuer's `claims` ask for an exact value of this claim?
    pub(crate) fn asks_for_claim(&self, index: usize, name: &str) -> bool {
        self.rules.get(index).is_some_and(|rules| rules.claims.iter().any(|(own, _)| own == name))
    }

    /// How far clocks may be apart.
    pub(crate) fn leeway(&self) -> Leeway {
        self.leeway
    }

    /// The rules about what an issuer says of an opaque token: issuer, audience, further claims,
    /// time.
    ///
    /// RFC 7662 §2.2 has `iss` and `exp` optional: who answers is known, and the answer is about
    /// now. STRICTER: the audience is not, since a token that is active may be meant for another
    /// API.
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
        let alternative = rules.check(None, claims)?;
        self.check_time(claims, now).map(|validity| Validity { alternative, ..validity })
    }
}
