//! What is asked of an issuer's tokens.

use crate::{
    alg::Alg,
    claims::{ParsedClaims, missing},
    deviation::{Deviation, Deviations},
    json::Scalar,
    jws::header::is_same_type,
    policy::sources::{Introspection, Remote},
    rejection::{Rejection, excerpt},
};

/// The kind of token that is accepted when a policy names none: an OAuth 2.0 access token (RFC
/// 9068 §2.1).
const ACCESS_TOKEN: &str = "at+jwt";

/// The claim that names the audience when a policy names no other (RFC 7519 §4.1.3).
pub(crate) const AUD: &str = "aud";

#[derive(Clone, Debug)]
pub(crate) struct IssuerRules {
    pub(crate) issuer: String,
    pub(crate) audience: Vec<String>,
    pub(crate) audience_claim: String,
    pub(crate) types: Types,
    pub(crate) deviations: Deviations,
    pub(crate) required_claims: Vec<String>,
    pub(crate) claims: Vec<(String, Scalar)>,
    pub(crate) algorithms: Option<Vec<Alg>>,
    pub(crate) remote: Option<Remote>,
    /// It is one of the tenants of an issuer whose name has holes.
    pub(crate) is_tenant: bool,
    /// And one that a resolver has admitted.
    pub(crate) is_resolved: bool,
    pub(crate) introspection: Option<Introspection>,
    /// Kinds of token by their names, of which one has to fit; empty where these rules are all
    /// there are. The rules of each stand for themselves: what the issuer asks of every token is
    /// in them.
    pub(crate) alternatives: Vec<(String, IssuerRules)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Types {
    Any,
    OneOf(Vec<String>),
}

impl IssuerRules {
    /// What is asked when a policy names nothing else.
    pub(crate) fn new(issuer: String, audience: Vec<String>) -> Self {
        IssuerRules {
            issuer,
            audience,
            audience_claim: AUD.to_owned(),
            types: Types::OneOf(vec![ACCESS_TOKEN.to_owned()]),
            deviations: Deviations::NONE,
            required_claims: Vec::new(),
            claims: Vec::new(),
            algorithms: None,
            remote: None,
            is_tenant: false,
            is_resolved: false,
            introspection: None,
            alternatives: Vec::new(),
        }
    }

    /// The rules about a token of this issuer, in the order in which they are checked: the
    /// audience is there, kind, audience, further claims. What has no `typ` at all is an answer
    /// about an opaque token. The index of the alternative that fits comes back.
    ///
    /// # Errors
    /// Of alternatives, that of the one which the token came closest to.
    pub(crate) fn check(
        &self,
        typ: Option<Option<&str>>,
        claims: &ParsedClaims<'_>,
    ) -> Result<Option<usize>, Rejection> {
        let mut closest: Option<(u8, Rejection)> = None;
        for (index, (_, rules)) in self.alternatives.iter().enumerate() {
            match rules.check_own(typ, claims) {
                Ok(()) => return Ok(Some(index)),
                Err((stage, _)) if closest.as_ref().is_some_and(|(best, _)| *best >= stage) => {}
                Err(far) => closest = Some(far),
            }
        }
        match closest {
            Some((_, rejection)) => Err(rejection),
            None => self.check_own(typ, claims).map(|()| None).map_err(|(_, rejection)| rejection),
        }
    }

    /// These rules alone. A rejection comes with how far the token got.
    fn check_own(&self, typ: Option<Option<&str>>, claims: &ParsedClaims<'_>) -> Result<(), (u8, Rejection)> {
        let is_there = self.is_audience_there(claims).map_err(|rejection| (0, rejection))?;
        typ.map_or(Ok(()), |typ| self.check_type(typ)).map_err(|rejection| (1, rejection))?;
        // One that is there is compared, whatever the issuer may leave out.
        if is_there {
            self.check_audience(&claims.texts(&self.audience_claim)).map_err(|rejection| (2, rejection))?;
        }
        self.check_claims(claims).map_err(|rejection| (3, rejection))
    }

    /// Whether the audience is there, where it may be missing.
    fn is_audience_there(&self, claims: &ParsedClaims<'_>) -> Result<bool, Rejection> {
        let may_be_missing = self.deviations.has(Deviation::MissingAud) && self.audience_claim == AUD;
        match claims.object.get(&self.audience_claim) {
            None if !may_be_missing => Err(missing(&self.audience_claim)),
            found => Ok(found.is_some()),
        }
    }

    fn check_type(&self, typ: Option<&str>) -> Result<(), Rejection> {
        let Types::OneOf(types) = &self.types else { return Ok(()) };
        if typ.is_some_and(|typ| types.iter().any(|accepted| is_same_type(accepted, typ))) {
            return Ok(());
        }
        Err(Rejection::TypeMismatch { expected: types.clone(), actual: typ.map(excerpt) })
    }

    fn check_audience(&self, aud: &[&str]) -> Result<(), Rejection> {
        if aud.iter().any(|audience| self.audience.iter().any(|ours| ours == audience)) {
            return Ok(());
        }
        let actual = aud.iter().take(8).map(|audience| excerpt(audience)).collect();
        Err(Rejection::AudienceMismatch { expected: self.audience.clone(), actual })
    }

    fn check_claims(&self, claims: &ParsedClaims<'_>) -> Result<(), Rejection> {
        if let Some(name) = self.required_claims.iter().find(|name| claims.object.get(name).is_none()) {
            return Err(missing(name));
        }
        for (name, expected) in &self.claims {
            match claims.object.get(name) {
                None => return Err(missing(name)),
                Some(value) if expected.is(value) => {}
                Some(_) => {
                    return Err(Rejection::ClaimMismatch { claim: name.clone(), expected: expected.clone() });
                }
            }
        }
        Ok(())
    }
}
