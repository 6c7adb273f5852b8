//! A request with a token: the token's own rules, the proof that it is its sender's, and what the
//! request requires.

use crate::{
    binding::{
        Confirmation,
        dpop::{self, Occasion, Proof},
    },
    claims::ParsedClaims,
    denial::Denial,
    gate::{
        Gate,
        credentials::Credentials,
        demands::Demands,
        facts::{Evidence, Facts, Replay},
        request::Request,
        requirement::{Subject, Wanted},
        step::{Allowed, Binding, Forward, Step},
        unresolved_token,
    },
    json::Object,
    jws::header::Header,
    rejection::excerpt,
    revocation,
    time::{UnixSeconds, Validity},
};

/// One request with its token.
pub(super) struct Case<'c> {
    pub(super) gate: &'c Gate,
    pub(super) facts: &'c Facts<'c>,
    /// What of the facts' evidence counts under the present policy.
    pub(super) evidence: Evidence<'c>,
    pub(super) request: &'c Request<'c>,
    pub(super) demands: &'c Demands<'c>,
    pub(super) credentials: Credentials<'c>,
    pub(super) now: UnixSeconds,
}

/// What came of the claims.
pub(super) enum Outcome {
    /// Nothing stands against the request.
    Passed(Passed),
    /// Something has to be known first.
    Open(Step),
}

/// A request against which nothing stands.
pub(super) struct Passed {
    issuer: String,
    binding: Option<Binding>,
    /// The name of the alternative that the token fits.
    alternative: Option<String>,
    forward: Forward,
    validity: Validity,
    nonce: Option<String>,
}

impl Case<'_> {
    /// The next step.
    pub(super) fn decide(&self) -> Result<Step, Denial> {
        let judge = |claims: &ParsedClaims<'_>, header: &Header, validity| {
            self.judge(&claims.object, None, header.typ(), claims.iss(), validity)
        };
        let verifier = &self.gate.verifier;
        let mut verified = verifier.decide(self.credentials.token, self.now, judge);
        if let Err(rejection) = &verified
            && revocation::is_stale(rejection)
            && verifier.policy().asks_when_stale()
        {
            if let Some(step) = unresolved_token::vouch(self, rejection)? {
                return Ok(step);
            }
            verified = verifier.decide_about(self.credentials.token, self.now, true, judge);
        }
        match verified {
            Err(rejection) => unresolved_token::decide(self, rejection),
            Ok((authentic, outcome)) => Ok(match outcome? {
                Outcome::Open(step) => step,
                Outcome::Passed(passed) => {
                    let (header, payload) = authentic.into_parts();
                    // The payload was parsed as JSON, so it is UTF-8.
                    let claims = String::from_utf8(payload).unwrap_or_else(|_| "{}".to_owned());
                    passed.into_step(claims, Some(header.text().to_owned()))
                }
            }),
        }
    }

    /// What holds for every token, wherever its claims were learnt: binding, requirement, and last
    /// of all whether the proof is new, since asking uses it up. `own` is what a token says of
    /// itself that others have told of, and can only be refused by.
    pub(super) fn judge(
        &self,
        claims: &Object<'_>,
        own: Option<&Object<'_>>,
        typ: Option<&str>,
        issuer: &str,
        validity: Validity,
    ) -> Result<Outcome, Denial> {
        let (binding, proof) = self.check_binding(claims, own)?;
        let policy = self.gate.verifier.policy();
        let subject = Subject { claims, typ, client: self.request.client, now: self.now, leeway: policy.leeway() };
        let validity = self.demands.check(&subject, validity)?;
        if let Some(Proof { replay_key, until, issued_at, .. }) = &proof {
            match self.evidence.replay(replay_key, *until) {
                None => {
                    return Ok(Outcome::Open(Step::NeedReplayCheck {
                        key: replay_key.clone(),
                        until: *until,
                        issued_at: issued_at.get(),
                    }));
                }
                Some(Replay::First) => {}
                Some(Replay::Seen) => return Err(Denial::DpopReplayed),
                Some(Replay::Unavailable) => return Err(Denial::ReplayUnavailable),
            }
        }
        if let Some(reason) = self.evidence.check {
            return Err(Denial::RefusedByCheck { reason: excerpt(reason) });
        }
        let rules = &self.gate.rules;
        let forward = rules.forwarding.of_claims_and_request(claims, self.request, &rules.places);
        let nonce = proof.and_then(|proof| proof.next_nonce);
        let alternative = policy.alternative(issuer, validity.alternative).map(str::to_owned);
        Ok(Outcome::Passed(Passed { issuer: issuer.to_owned(), alternative, binding, forward, validity, nonce }))
    }

    /// A token that is bound to a key is its sender's only when the key is, and must not be
    /// weakened to a bearer token (RFC 9449 §7.1).
    fn check_binding(
        &self,
        claims: &Object<'_>,
        own: Option<&Object<'_>>,
    ) -> Result<(Option<Binding>, Option<Proof>), Denial> {
        let confirmation = Confirmation::of(claims)?;
        let (jkt, x5t) = confirmation.map_or((None, None), |found| (found.jkt, found.x5t));
        let missing = |expected: Wanted| Err(Denial::BindingRequired { expected: expected.name() });
        for wanted in self.demands.bindings() {
            let proof = match wanted {
                Wanted::Dpop => jkt,
                Wanted::Mtls => x5t,
                Wanted::Any => jkt.or(x5t),
            };
            if proof.is_none() {
                return missing(wanted);
            }
        }
        // RFC 7662 §2.2 has `cnf` optional in an answer: one that leaves it out unbinds no token.
        let own = own.map_or(Ok(None), Confirmation::of)?;
        let confirmation = match (confirmation, own) {
            (Some(one), Some(other)) => Some(one.and(other)?),
            (one, other) => one.or(other),
        };
        let (jkt, x5t) = confirmation.map_or((None, None), |found| (found.jkt, found.x5t));
        if let Some(confirmation) = confirmation {
            confirmation.check_certificate(self.facts.certificate)?;
        }
        let Some(jkt) = jkt else {
            // The scheme says that the token is bound; one that is not could be anybody's.
            return match (self.credentials.with_proof, x5t) {
                (true, _) => missing(Wanted::Dpop),
                (false, Some(_)) => Ok((Some(Binding::Mtls), None)),
                (false, None) => Ok((None, None)),
            };
        };
        if !self.credentials.with_proof {
            return Err(Denial::DpopSchemeRequired);
        }
        // The proof's `htu` would be compared with what the sender of the request wrote into
        // `Host`.
        if self.gate.rules.origins.is_empty() && !self.facts.url_vouched {
            return Err(Denial::DpopOriginUnknown);
        }
        let occasion = Occasion {
            method: self.request.method,
            url: &self.request.url,
            token: Some(self.credentials.token),
            now: self.now,
            leeway: self.gate.verifier.policy().leeway(),
        };
        let rules = &self.gate.rules.proofs;
        let proof = dpop::check(self.proof()?, &occasion, rules)?;
        let proof = self.gate.former_windows.check(proof, rules.window, self.now, occasion.leeway)?;
        if proof.jkt != jkt {
            return Err(Denial::DpopKeyMismatch);
        }
        Ok((Some(Binding::Dpop), Some(proof)))
    }

    /// The one proof in the one `DPoP` header (RFC 9449 §4.3 check 1).
    fn proof(&self) -> Result<&str, Denial> {
        let mut fields = self.request.fields("dpop");
        match (fields.next(), fields.next()) {
            (None, _) => Err(Denial::DpopProofMissing),
            (Some(proof), None) if !proof.contains(',') => Ok(proof),
            _ => Err(Denial::DpopProofAmbiguous),
        }
    }
}

impl Passed {
    /// What is told of it. `header` is there for a token that was verified here.
    pub(super) fn into_step(self, claims: String, header: Option<String>) -> Step {
        let Passed { issuer, alternative, binding, forward, validity, nonce } = self;
        let Validity { from, until, stale, .. } = validity;
        // A proof is good once, an authorization server may think otherwise the next time, and a
        // list may have come by then.
        let cacheable = binding != Some(Binding::Dpop) && header.is_some() && !stale;
        let allowed =
            Allowed { claims, header, issuer, alternative, binding, forward, from, until, stale, cacheable, nonce };
        Step::Allowed(Box::new(allowed))
    }
}
