//! From a request to a decision: may it pass, what is the origin told, and what is its client told
//! when it may not.
//!
//! A [`Gate`] decides about [`Facts`] and answers with a [`Step`].

mod explanation;
mod problem;
mod step;
mod facts;
mod request_target;
mod forwarded;
mod proxies;
mod credentials;
mod subprotocol;
mod cross_site;
mod origins;
mod request;
mod cors;
mod forward;
mod requirement_id;
mod requirement;
mod demands;
pub(crate) mod route;
mod challenge;
mod rules;
mod token_kind;
mod former_proof_windows;
mod judge;
mod unresolved_token;
mod profile;
#[cfg(feature = "revocation")]
mod lists;
pub(crate) mod metadata;
mod tenants;

pub use crate::binding::mtls::thumbprint as certificate_thumbprint;
pub use explanation::Explanation;
pub use facts::{Evidence, Facts, Introspected, Replay};
pub use metadata::MetadataError;
pub use requirement_id::RequirementId;
pub use step::{Allowed, Binding, Forward, Preflight, PreflightAnswer, Refusal, Step};

use crate::{
    base64url, denial::Denial, document, engine::hash::Hash, keys::remote::KeyReport, policy_error::PolicyError,
    time::UnixSeconds, verifier::Verifier,
};
use challenge::{ChallengeResponse, Scene};
use credentials::Source;
use demands::Demands;
use former_proof_windows::FormerWindows;
use request::Request;
use requirement::Requirement;
use requirement_id::MOST_REQUIREMENTS;
use route::Readings;
use rules::GateRules;

/// Decides about requests by one policy. Like a [`Verifier`], which it has inside, it holds no
/// clock and does no I/O.
///
/// It never waits either. Where an answer needs something from outside (keys, an authorization
/// server, a store), the [`Step`] says what; whoever has fetched it asks again with it as
/// [`Evidence`]. The layer for `tower` and the npm package do so, and any other shell in a loop:
///
/// ```
/// use portcullis::{Gate, UnixSeconds, gate::{Facts, Step}};
///
/// let gate = Gate::from_json(r#"{
///     "issuers": [{
///         "issuer": "https://issuer.example",
///         "audience": "https://api.example",
///         "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }
///     }],
///     "gate": { "routes": [{ "path": "/health", "requirement": "public" }], "requirement": { "scopes": ["read"] } }
/// }"#)?;
/// let now = UnixSeconds::new(1_800_000_000).unwrap();
/// let health = Facts { method: "GET", url: "https://api.example/health", ..Facts::default() };
/// assert!(matches!(gate.decide(&health, now), Step::Public(_)));
/// match gate.decide(&Facts { url: "https://api.example/orders", ..health }, now) {
///     Step::Refused(refusal) => {
///         assert_eq!((refusal.status, refusal.denial.code()), (401, "authorization-missing"));
///         assert_eq!(refusal.challenges, [r#"Bearer realm="api""#]);
///     }
///     Step::Allowed(_) | Step::Public(_) | Step::Preflight(_) | Step::Anonymous(_) => unreachable!(),
///     Step::NeedKeys { .. } | Step::NeedIntrospection { .. } | Step::NeedReplayCheck { .. } => todo!("fetch it, and ask again"),
/// }
/// # Ok::<(), portcullis::PolicyError>(())
/// ```
#[derive(Debug)]
pub struct Gate {
    verifier: Verifier,
    rules: GateRules,
    /// Hosts that may be asked over plain HTTP.
    plain_hosts: Vec<String>,
    requirements: Vec<Kept>,
    /// Names the policy, by its text.
    policy_id: String,
    former_windows: FormerWindows,
}

/// A requirement and the text it was read from.
#[derive(Debug)]
struct Kept {
    text: String,
    requirement: Requirement,
}

impl Gate {
    /// A gate for a policy in JSON: the document of
    /// [`Policy::from_json`](crate::Policy::from_json) with its section `gate`.
    ///
    /// # Errors
    /// Anything that is not a policy, by JSON pointer.
    pub fn from_json(policy: &str) -> Result<Self, PolicyError> {
        Self::with_nonce_secret(policy, None)
    }

    /// The same with the secret that DPoP nonces are made of, when the policy asks for them: the
    /// same wherever the gate runs.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json); a secret of fewer than 32 bytes, or none, where one is
    /// needed (`/gate/dpop/nonce`).
    pub fn with_nonce_secret(policy: &str, secret: Option<&[u8]>) -> Result<Self, PolicyError> {
        Self::read(Verifier::from_json(policy)?, policy, secret)
    }

    /// The gate around a verifier for that policy.
    fn read(verifier: Verifier, policy: &str, secret: Option<&[u8]>) -> Result<Self, PolicyError> {
        let document = document::parse(policy)?;
        let plain_hosts = rules::plain_hosts(&document)?;
        let rules = GateRules::read(document.object("gate")?, secret).map_err(|error| error.within("gate"))?;
        // An opaque token does not say whose it is.
        if verifier.policy().introspections().count() > 1 {
            return Err(PolicyError::at(
                "issuers",
                "must have at most one issuer with \"introspection\": an opaque token does not name its issuer",
            ));
        }
        // As long as a name that nobody can find two policies for.
        let policy_id = base64url::encode(&Hash::Sha256.of(&[policy.as_bytes()]));
        Ok(Gate {
            verifier,
            rules,
            plain_hosts,
            requirements: Vec::new(),
            policy_id,
            former_windows: FormerWindows::default(),
        })
    }

    /// A gate for another policy with what this one was given: requirements, under the same
    /// numbers; the keys that issuers publish where they did before; lists of revocations. Lists
    /// that the other policy has no use for, or does not trust, are kept aside: a later policy
    /// that trusts them finds them again. A proof of possession that this gate may have taken is
    /// taken for no longer than by this one, however wide the other's window is.
    ///
    /// # Errors
    /// As [`with_nonce_secret`](Self::with_nonce_secret); a requirement that the other policy
    /// cannot serve.
    pub fn replaced(&self, policy: &str, secret: Option<&[u8]>) -> Result<Self, PolicyError> {
        let mut gate = Self::read(self.verifier.replaced(policy)?, policy, secret)?;
        for kept in &self.requirements {
            gate.requirement(&kept.text)?;
        }
        gate.former_windows = self.former_windows.and(self.rules.proofs.window);
        Ok(gate)
    }

    /// Keeps a requirement; one that is kept already has the same number.
    ///
    /// # Errors
    /// Text that is no requirement, at the member at fault; too many of them.
    pub fn requirement(&mut self, text: &str) -> Result<RequirementId, PolicyError> {
        if let Some(place) = self.requirements.iter().position(|kept| kept.text == text) {
            return Ok(RequirementId(place));
        }
        if self.requirements.len() >= MOST_REQUIREMENTS {
            return Err(PolicyError::here(format!(
                "is one more than the {MOST_REQUIREMENTS} that a gate keeps. Make each requirement once, not with every request"
            )));
        }
        let requirement = Requirement::parse(text, &self.rules.networks)?;
        self.requirements.push(Kept { text: text.to_owned(), requirement });
        Ok(RequirementId(self.requirements.len().saturating_sub(1)))
    }

    /// Takes the JWK Set that an issuer publishes.
    ///
    /// # Errors
    /// As [`Verifier::set_remote_keys`]. The present keys then stay.
    pub fn set_remote_keys(&mut self, issuer: &str, jwks: &str) -> Result<KeyReport, PolicyError> {
        self.verifier.set_remote_keys(issuer, jwks)
    }

    /// Drops the keys that an issuer published, and says whether there were any.
    pub fn forget_remote_keys(&mut self, issuer: &str) -> bool {
        self.verifier.forget_remote_keys(issuer)
    }

    /// The `jwks_uri` of an issuer's metadata (RFC 8414 §2), if it may be fetched.
    ///
    /// It has to be https on a public host. The issuer's own host may be private, as the policy
    /// names it; so may those of the policy's `gate.privateHosts`. Plain HTTP on a loopback name is
    /// for an issuer that is there itself, and on another name for those of `plainHttpHosts`.
    ///
    /// A name is judged by its text. Where it leads is the resolver's word, which the core cannot
    /// ask for.
    ///
    /// # Errors
    /// Metadata that are not this issuer's, or an address that must not be fetched.
    pub fn jwks_uri(&self, issuer: &str, text: &str) -> Result<String, MetadataError> {
        metadata::jwks_uri(text, issuer, &self.rules.private_hosts, &self.plain_hosts)
    }

    /// The verifier inside, to be handed lists piece by piece.
    #[cfg(feature = "gate-js")]
    pub(crate) fn verifier_mut(&mut self) -> &mut Verifier {
        &mut self.verifier
    }

    /// The verifier inside.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Names the policy, for [`Evidence::policy`]. Equal texts have equal names.
    #[must_use]
    pub fn policy_id(&self) -> &str {
        &self.policy_id
    }

    /// The next step about a request.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>, now: UnixSeconds) -> Step {
        let mut seen = Seen::default();
        self.former_windows.note(now);
        self.follow(facts, now, &mut seen).unwrap_or_else(|denial| self.refuse(denial, &seen, now))
    }

    /// The same with facts and step as JSON texts. Facts that cannot be read are refused as a
    /// request is.
    #[must_use]
    pub fn decide_json(&self, facts: &str, now: UnixSeconds) -> String {
        let step = Facts::with_json(facts, |facts| self.decide(facts, now));
        let unread = |_| self.refuse(Denial::RequestMalformed { member: "request" }, &Seen::default(), now);
        step.unwrap_or_else(unread).to_json()
    }

    /// The next step about a request that is told in lines, as [`Facts::with_lines`] reads them;
    /// `None` for what it does not.
    #[cfg(feature = "gate-js")]
    pub(crate) fn decide_lines(
        &self,
        text: &str,
        lines: usize,
        there: u8,
        requirement: Option<u64>,
        now: UnixSeconds,
    ) -> Option<Step> {
        let requirement = requirement.map(RequirementId::from_number).transpose().ok()?;
        Facts::with_lines(text, lines, there, requirement, |facts| self.decide(facts, now))
    }

    /// The stages of a request, in their order.
    fn follow<'g>(&'g self, facts: &Facts<'_>, now: UnixSeconds, seen: &mut Seen<'g>) -> Result<Step, Denial> {
        let GateRules { proxies, places, forwarding, origins, plain_from, .. } = &self.rules;
        let is_origin = |(name, _): &&(&str, &str)| name.eq_ignore_ascii_case("origin");
        seen.origin = facts.headers.iter().find(is_origin).map(|(_, value)| (*value).to_owned());
        let request = Request::read(facts, proxies)?;
        let admitted = request.check_transport(origins, plain_from).and_then(|()| request.check_origin(origins));
        if let Err(denial) = admitted
            && !(request.may_be_probe(places, origins)
                && self.required(facts, &request).is_ok_and(|demands| demands.is_public()))
        {
            return Err(denial);
        }
        request.check_connection(|name| forwarding.concerns(name, places))?;
        if request.is_preflight(places) {
            return self.preflight(facts, &request);
        }
        let demands = self.required(facts, &request)?;
        if demands.is_public() {
            return Ok(Step::Public(forwarding.of_request(&request, places)));
        }
        let demands = seen.demands.insert(demands);
        request.check_query()?;
        let Some(credentials) = places.find(&request, self.verifier.policy().limits())? else {
            if !demands.are_anonymous() {
                return Err(self.rules.places.missing().into());
            }
            demands.check_connection(request.client)?;
            return Ok(Step::Anonymous(forwarding.of_request(&request, places)));
        };
        if credentials.source == Source::Cookie {
            places.cross_site.check(&request)?;
        }
        seen.with_proof = credentials.with_proof;
        let evidence = facts.evidence.under(&self.policy_id);
        judge::Case { gate: self, facts, evidence, request: &request, demands, credentials, now }.decide()
    }

    /// A preflight is answered here, or goes on to the handler by the rules for a request without
    /// a token.
    fn preflight(&self, facts: &Facts<'_>, request: &Request<'_>) -> Result<Step, Denial> {
        let GateRules { places, forwarding, cors, passes_preflights, .. } = &self.rules;
        let answer = match *passes_preflights {
            false => {
                let origin = request.fields("origin").next().unwrap_or_default();
                let headers = cors.as_ref().map(|cors| cors.of_preflight(origin)).unwrap_or_default();
                Some(PreflightAnswer { status: 204, headers })
            }
            true => {
                request.check_query()?;
                self.required(facts, request)?.check_connection(request.client)?;
                None
            }
        };
        Ok(Step::Preflight(Box::new(Preflight { forward: forwarding.of_request(request, places), answer })))
    }

    /// What is required: as the caller says, or as the routes do that cover the request however
    /// its path is read.
    fn required(&self, facts: &Facts<'_>, request: &Request<'_>) -> Result<Demands<'_>, Denial> {
        if let Some(RequirementId(place)) = facts.requirement {
            let kept = self.requirements.get(place).ok_or(Denial::RequestMalformed { member: "requirement" })?;
            return Ok(Demands::of(&kept.requirement));
        }
        if self.rules.routes.is_empty() {
            return Ok(Demands::of(&self.rules.requirement));
        }
        let mut demands = Demands::default();
        for path in core::iter::once(request.url.written_path()).chain(facts.served.iter().copied()) {
            self.rules.demand(request.method, &Readings::of(path)?, &mut demands)?;
        }
        Ok(demands)
    }

    fn refuse(&self, denial: Denial, seen: &Seen<'_>, now: UnixSeconds) -> Step {
        let GateRules { realm, places, proofs, offers_proofs, cors, problem_types, .. } = &self.rules;
        let scene = Scene {
            realm,
            scheme: places.scheme.as_deref().unwrap_or(credentials::BEARER),
            proofs: places.may_prove().then_some(proofs.algorithms.as_slice()),
            offers_proofs: *offers_proofs,
            demands: seen.demands.as_ref(),
            with_proof: seen.with_proof,
        };
        let ChallengeResponse { status, challenges, retry_after } = challenge::answer(&denial, &scene);
        let nonces = proofs.nonces.as_ref().filter(|_| denial == Denial::DpopNonceRequired);
        let nonce = nonces.map(|nonces| nonces.current(now));
        let forward = self.rules.forwarding.without_claims(places);
        let cors = cors.as_ref().map(|cors| cors.of_answer(seen.origin.as_deref())).unwrap_or_default();
        let problem_type = problem_types.as_ref().map(|types| types.uri(denial.code()));
        Step::Refused(Box::new(Refusal { denial, status, challenges, nonce, retry_after, forward, cors, problem_type }))
    }
}

/// What was learnt of a request before it was refused.
#[derive(Default)]
struct Seen<'g> {
    demands: Option<Demands<'g>>,
    with_proof: bool,
    /// The origin of the script that sent it, if one did.
    origin: Option<String>,
}
