//! From a request to a decision: may it pass, what is the origin told, and what is its client told when it may not.
//!
//! Nothing here waits. Where an answer needs something from outside (keys, an authorization server, a store), the [`Step`] says what; whoever
//! has fetched it asks again with it as [`Evidence`]. The JavaScript face does so in `src/js/gate`, and a native service in a loop like this:
//!
//! ```
//! use portcullis::{Gate, UnixSeconds, gate::{Facts, Step}};
//!
//! let gate = Gate::from_json(r#"{
//!     "issuers": [{
//!         "issuer": "https://issuer.example",
//!         "audience": "https://api.example",
//!         "jwks": { "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }
//!     }],
//!     "gate": { "routes": [{ "path": "/health", "requirement": "public" }], "requirement": { "scopes": ["read"] } }
//! }"#)?;
//! let now = UnixSeconds::new(1_800_000_000).unwrap();
//! let health = Facts { method: "GET", url: "https://api.example/health", ..Facts::default() };
//! assert!(matches!(gate.decide(&health, now), Step::Public(_)));
//! match gate.decide(&Facts { url: "https://api.example/orders", ..health }, now) {
//!     Step::Refused(refusal) => {
//!         assert_eq!((refusal.status, refusal.denial.code()), (401, "authorization-missing"));
//!         assert_eq!(refusal.challenges, [r#"Bearer realm="api""#]);
//!     }
//!     Step::Allowed(_) | Step::Public(_) | Step::Preflight(_) | Step::Anonymous(_) => unreachable!(),
//!     Step::NeedKeys { .. } | Step::NeedIntrospection { .. } | Step::NeedReplayCheck { .. } => todo!("fetch it, and ask again"),
//! }
//! # Ok::<(), portcullis::PolicyError>(())
//! ```

mod step;
mod facts;
mod request_target;
mod credentials;
mod origins;
mod request;
mod cors;
mod forward;
mod requirement;
mod demands;
mod route;
mod challenge;
mod rules;
mod token_kind;
mod former_proof_windows;
mod judge;
mod unresolved_token;
pub mod metadata;

pub use facts::{Evidence, Facts, Introspected, Replay};
pub use route::PathPattern;
pub use step::{Allowed, Binding, Forward, Preflight, PreflightAnswer, Refusal, Step};

#[cfg(feature = "revocation")]
use crate::revocation::{StatusReport, UpdateError, UpdateReport};
use crate::{
    base64url, denial::Denial, document, engine::hash::Hash, keys::remote::KeyReport, policy_error::PolicyError,
    rejection::Rejection, time::UnixSeconds, verifier::Verifier,
};
use challenge::{ChallengeResponse, Scene};
use demands::Demands;
use former_proof_windows::FormerWindows;
use request::Request;
use requirement::Requirement;
use route::Readings;
use rules::GateRules;

/// As many requirements as one gate keeps: they come from a program's own text and not from requests.
const MOST_REQUIREMENTS: usize = 1024;

/// A requirement that a gate keeps, for [`Facts::requirement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequirementId(usize);

impl RequirementId {
    /// The requirement of that number.
    ///
    /// # Errors
    /// No gate keeps as many (`/requirement`).
    pub fn from_number(number: u64) -> Result<Self, PolicyError> {
        let place = usize::try_from(number).ok().filter(|place| *place < MOST_REQUIREMENTS);
        place.map(RequirementId).ok_or_else(|| PolicyError::at("requirement", "is not one that was kept"))
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }
}

/// Decides about requests by one policy. Like a [`Verifier`], which it has inside, it holds no clock and does no I/O.
#[derive(Debug)]
pub struct Gate {
    verifier: Verifier,
    rules: GateRules,
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
    /// A gate for a policy in JSON: the document of [`Policy::from_json`](crate::Policy::from_json) with its section `gate`.
    ///
    /// # Errors
    /// Anything that is not a policy, by JSON pointer.
    pub fn from_json(policy: &str) -> Result<Self, PolicyError> {
        Self::with_nonce_secret(policy, None)
    }

    /// The same with the secret that DPoP nonces are made of, when the policy asks for them: the same wherever the gate runs.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json); a secret of fewer than 32 bytes, or none, where one is needed (`/gate/dpop/nonce`).
    pub fn with_nonce_secret(policy: &str, secret: Option<&[u8]>) -> Result<Self, PolicyError> {
        Self::read(Verifier::from_json(policy)?, policy, secret)
    }

    /// The gate around a verifier for that policy.
    fn read(verifier: Verifier, policy: &str, secret: Option<&[u8]>) -> Result<Self, PolicyError> {
        let document = document::parse(policy)?;
        let rules = GateRules::read(document.object("gate")?, secret).map_err(|error| error.within("gate"))?;
        // An opaque token does not say whose it is.
        if verifier.policy().introspections().count() > 1 {
            return Err(PolicyError::at(
                "issuers",
                "must include at most one issuer with introspection: an opaque token does not name its issuer",
            ));
        }
        // As long as a name that nobody can find two policies for.
        let policy_id = base64url::encode(&Hash::Sha256.of(&[policy.as_bytes()]));
        Ok(Gate { verifier, rules, requirements: Vec::new(), policy_id, former_windows: FormerWindows::default() })
    }

    /// A gate for another policy with what this one was given: requirements, under the same numbers; the keys that issuers
    /// publish where they did before; lists of revocations. Lists that the other policy has no use for, or does not trust, are
    /// kept aside: a later policy that trusts them finds them again. A proof of possession that this gate may have taken is
    /// taken for no longer than by this one, however wide the other's window is.
    ///
    /// # Errors
    /// As [`with_nonce_secret`](Self::with_nonce_secret); a requirement that the other policy cannot serve.
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
                "is one more than the {MOST_REQUIREMENTS} a gate keeps; make each once"
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

    /// The `jwks_uri` of an issuer's metadata, if it may be fetched: see [`metadata::jwks_uri`].
    /// The policy's `gate.privateHosts` may be named.
    ///
    /// # Errors
    /// [`MetadataError`](metadata::MetadataError).
    pub fn jwks_uri(&self, issuer: &str, text: &str) -> Result<String, metadata::MetadataError> {
        metadata::jwks_uri(text, issuer, &self.rules.private_hosts)
    }

    /// Takes signed lists of revocations.
    ///
    /// # Errors
    /// As [`Verifier::apply_revocations`]. What is held then stays.
    #[cfg(feature = "revocation")]
    pub fn apply_revocations(&mut self, documents: &str, now: UnixSeconds) -> Result<UpdateReport, UpdateError> {
        self.verifier.apply_revocations(documents, now)
    }

    /// Takes the Token Status List of that URI.
    ///
    /// # Errors
    /// As [`Verifier::apply_status_list`]. What is held then stays.
    #[cfg(feature = "revocation")]
    pub fn apply_status_list(&mut self, uri: &str, jwt: &str, now: UnixSeconds) -> Result<StatusReport, UpdateError> {
        self.verifier.apply_status_list(uri, jwt, now)
    }

    /// The verifier inside, to be handed lists piece by piece.
    #[cfg(all(feature = "revocation", feature = "gate-js"))]
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

    /// Which headers a decision may rest on, in lower case. Of a request by another method than `OPTIONS`,
    /// [`headers_of_requests`](Self::headers_of_requests) suffice.
    #[must_use]
    pub fn headers(&self) -> Vec<&str> {
        let mut names = self.headers_of_requests();
        let marks = ["origin", "access-control-request-method", "content-length", "transfer-encoding"];
        for name in marks.into_iter().chain(request::CREDENTIALS) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The same without those by which a CORS preflight is told from a request.
    #[must_use]
    pub fn headers_of_requests(&self) -> Vec<&str> {
        let GateRules { places, proxies, cors, .. } = &self.rules;
        let mut names = vec!["host", "connection"];
        names.extend(cors.as_ref().map(|_| "origin"));
        names.extend(places.header.as_deref());
        names.extend(places.cookie.as_ref().map(|_| "cookie"));
        names.extend(places.may_prove().then_some("dpop"));
        if !proxies.trusted.is_empty() {
            names.extend([proxies.header.as_str(), "x-forwarded-proto"]);
        }
        names
    }

    /// Whether method and path matter where [`Facts::requirement`] is `None`.
    #[must_use]
    pub fn goes_by_path(&self) -> bool {
        !self.rules.routes.is_empty()
    }

    /// Whether the client's address matters to the policy or to a requirement that is kept.
    #[must_use]
    pub fn goes_by_address(&self) -> bool {
        self.rules.names_networks() || self.requirements.iter().any(|kept| kept.requirement.names_networks())
    }

    /// The next step about a request.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>, now: UnixSeconds) -> Step {
        let mut seen = Seen::default();
        self.former_windows.note(now);
        self.follow(facts, now, &mut seen).unwrap_or_else(|denial| self.refuse(denial, &seen, now))
    }

    /// The same with facts and step as JSON texts. Facts that cannot be read are refused as a request is.
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
        let GateRules { proxies, places, forwarding, origins, .. } = &self.rules;
        let request = Request::read(facts, proxies)?;
        seen.origin = request.fields("origin").next().map(str::to_owned);
        request.check_transport(origins)?;
        request.check_origin(origins)?;
        request.check_connection(|name| forwarding.concerns(name, places))?;
        if request.is_preflight(places) {
            return self.preflight(facts, &request);
        }
        let demands = self.required(facts, &request)?;
        if demands.is_public() {
            return Ok(Step::Public(forwarding.without_claims(places)));
        }
        let demands = seen.demands.insert(demands);
        request.check_query()?;
        let Some(credentials) = places.find(&request, self.verifier.policy().limits())? else {
            if !demands.are_anonymous() {
                return Err(Rejection::AuthorizationMissing.into());
            }
            demands.check_connection(request.client)?;
            return Ok(Step::Anonymous(forwarding.without_claims(places)));
        };
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
        Ok(Step::Preflight(Box::new(Preflight { forward: forwarding.without_claims(places), answer })))
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
        let GateRules { realm, places, proofs, offers_proofs, cors, .. } = &self.rules;
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
        Step::Refused(Box::new(Refusal { denial, status, challenges, nonce, retry_after, forward, cors }))
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
