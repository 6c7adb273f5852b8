//! What a refused request is told: status, `WWW-Authenticate` (RFC 6750 §3, RFC 9449 §7.1, RFC
//! 9470 §3) and when to come again.

use crate::{
    alg::Alg,
    denial::Denial,
    gate::{
        demands::Demands,
        requirement::{Requirement, Wanted},
    },
    rejection::Rejection,
    revocation,
};

/// What a challenge depends on besides the rejection.
pub(crate) struct Scene<'s> {
    pub(crate) realm: &'s str,
    /// The scheme of a token without proof.
    pub(crate) scheme: &'s str,
    /// Proofs of these algorithms are taken; `None` where none can come along.
    pub(crate) proofs: Option<&'s [Alg]>,
    /// The policy speaks of proofs, so that clients may learn that they are taken.
    pub(crate) offers_proofs: bool,
    pub(crate) demands: Option<&'s Demands<'s>>,
    /// The token came with the scheme `DPoP`.
    pub(crate) with_proof: bool,
}

/// The status, the challenges, and when to come again.
pub(crate) struct ChallengeResponse {
    pub(crate) status: u16,
    pub(crate) challenges: Vec<String>,
    pub(crate) retry_after: Option<u32>,
}

/// The answer to a rejection.
pub(crate) fn answer(denial: &Denial, scene: &Scene<'_>) -> ChallengeResponse {
    use Denial as D;
    use Rejection as R;
    let described = |error: &'static str| vec![("error", error.to_owned()), ("error_description", description(denial))];
    let own = || {
        if scene.with_proof { scene.dpop(described("invalid_token")) } else { scene.plain(described("invalid_token")) }
    };
    let (status, challenges, retry_after) = match denial {
        D::TransportInsecure
        | D::RequestCrossSite { .. }
        | D::NetworkDenied
        | D::AddressUnknown
        | D::RefusedByCheck { .. } => (403, Vec::new(), None),
        D::RequestMalformed { .. } | D::PathAmbiguous => (400, Vec::new(), None),
        D::RequestMisdirected => (421, Vec::new(), None),
        // The operator's to mend: another proof would be no better.
        D::DpopOriginUnknown => (500, Vec::new(), None),
        // RFC 6750 §3.1: nothing more to whom sent nothing, or a scheme of its own.
        D::Token(R::AuthorizationMissing { .. } | R::AuthorizationScheme) => (401, scene.bare(), None),
        D::Token(R::AuthorizationAmbiguous | R::AuthorizationMalformed) | D::TokenInQuery => {
            (400, vec![scene.plain(described("invalid_request"))], None)
        }
        D::KeysUnavailable { retry_after, .. } => (503, Vec::new(), Some(*retry_after)),
        D::Token(rejection) if revocation::is_stale(rejection) => (503, Vec::new(), Some(5)),
        D::IntrospectionUnavailable { reason } => (503, Vec::new(), Some(if *reason == "busy" { 1 } else { 5 })),
        D::ReplayUnavailable => (503, Vec::new(), Some(5)),
        D::DpopNonceRequired => (401, vec![scene.dpop(described("use_dpop_nonce"))], None),
        D::DpopProofMissing
        | D::DpopProofAmbiguous
        | D::DpopProofInvalid { .. }
        | D::DpopMethodMismatch
        | D::DpopUrlMismatch { .. }
        | D::DpopTokenMismatch
        | D::DpopTimeMismatch { .. }
        | D::DpopReplayed => (401, vec![scene.dpop(described("invalid_dpop_proof"))], None),
        D::DpopSchemeRequired | D::BindingRequired { expected: "dpop" } => {
            (401, vec![scene.dpop(described("invalid_token"))], None)
        }
        D::ScopeInsufficient { scopes } => {
            let mut parameters = described("insufficient_scope");
            parameters.push(("scope", scopes.join(" ")));
            (403, vec![scene.by_scheme(parameters)], None)
        }
        D::ClaimInsufficient { .. } => (403, vec![scene.by_scheme(described("insufficient_scope"))], None),
        D::AcrInsufficient { .. } | D::AuthenticationTooOld { .. } => {
            let mut parameters = described("insufficient_user_authentication");
            // Both are told, so that one more authentication is enough.
            let acr = scene.wanted().find(|requirement| !requirement.acr.is_empty());
            parameters.extend(acr.map(|requirement| ("acr_values", requirement.acr.join(" "))));
            let max_age = scene.wanted().filter_map(|requirement| requirement.max_age).min();
            parameters.extend(max_age.map(|age| ("max_age", age.to_string())));
            (401, vec![scene.by_scheme(parameters)], None)
        }
        _ => (401, vec![own()], None),
    };
    ChallengeResponse { status, challenges, retry_after }
}

type Parameters = Vec<(&'static str, String)>;

impl Scene<'_> {
    /// What was required.
    fn wanted(&self) -> impl Iterator<Item = &Requirement> {
        self.demands.into_iter().flat_map(Demands::iter)
    }

    /// What is told to whom sent nothing.
    fn bare(&self) -> Vec<String> {
        let wants_proof = self.wanted().any(|requirement| requirement.binding == Some(Wanted::Dpop));
        match (wants_proof, self.proofs.is_some() && self.offers_proofs) {
            (true, _) => vec![self.dpop(Vec::new())],
            (false, true) => vec![self.plain(Vec::new()), self.dpop(Vec::new())],
            (false, false) => vec![self.plain(Vec::new())],
        }
    }

    fn by_scheme(&self, parameters: Parameters) -> String {
        if self.with_proof { self.dpop(parameters) } else { self.plain(parameters) }
    }

    fn plain(&self, parameters: Parameters) -> String {
        challenge(self.scheme, self.realm, &parameters)
    }

    fn dpop(&self, mut parameters: Parameters) -> String {
        let algorithms: Vec<&str> = self.proofs.unwrap_or_default().iter().map(|alg| alg.name()).collect();
        if !algorithms.is_empty() {
            parameters.push(("algs", algorithms.join(" ")));
        }
        challenge("DPoP", self.realm, &parameters)
    }
}

fn challenge(scheme: &str, realm: &str, parameters: &Parameters) -> String {
    let mut text = [scheme, " realm=\"", &escaped(realm), "\""].concat();
    for (name, value) in parameters {
        text.extend([", ", name, "=\"", &escaped(value), "\""]);
    }
    text
}

/// The inside of a quoted-string (RFC 9110 §5.6.4). Everything in it was checked to be visible
/// ASCII or is our own.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// RFC 6750 §3: a description has neither quotes nor backslashes, not even escaped ones.
fn description(denial: &Denial) -> String {
    denial.message().replace('"', "'").replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENE: Scene<'_> =
        Scene { realm: "api", scheme: "Bearer", proofs: None, offers_proofs: false, demands: None, with_proof: false };

    fn challenges(denial: Denial, scene: &Scene<'_>) -> (u16, Vec<String>) {
        let ChallengeResponse { status, challenges, .. } = answer(&denial, scene);
        (status, challenges)
    }

    #[test]
    fn whoever_sent_nothing_is_told_nothing_more() {
        assert_eq!(
            challenges(Denial::Token(Rejection::authorization_missing()), &SCENE),
            (401, vec!["Bearer realm=\"api\"".to_owned()])
        );
        let scene = Scene { proofs: Some(&[Alg::Es256, Alg::EdDsa]), offers_proofs: true, ..SCENE };
        let both = vec!["Bearer realm=\"api\"".to_owned(), "DPoP realm=\"api\", algs=\"ES256 EdDSA\"".to_owned()];
        assert_eq!(challenges(Denial::Token(Rejection::authorization_missing()), &scene), (401, both.clone()));
        let requirement = Requirement { binding: Some(Wanted::Dpop), ..Requirement::default() };
        let demands = Demands::of(&requirement);
        let scene = Scene { demands: Some(&demands), ..scene };
        assert_eq!(challenges(Denial::Token(Rejection::authorization_missing()), &scene), (401, both[1..].to_vec()));
    }

    #[test]
    fn a_quoted_string_stays_one() {
        let scene = Scene { realm: "a\"b\\c", ..SCENE };
        let (_, told) = challenges(Denial::Token(Rejection::authorization_missing()), &scene);
        assert_eq!(told, [r#"Bearer realm="a\"b\\c""#]);
        let (status, told) = challenges(Denial::Token(Rejection::AuthorizationMalformed), &SCENE);
        assert_eq!(status, 400);
        assert!(
            told[0].contains("error=\"invalid_request\", error_description=\"") && told[0].matches('"').count() == 6,
            "{told:?}"
        );
    }

    #[test]
    fn a_step_up_names_all_that_is_missing() {
        let requirement =
            Requirement { acr: vec!["gold".into(), "silver".into()], max_age: Some(300), ..Requirement::default() };
        let demands = Demands::of(&requirement);
        let scene = Scene { demands: Some(&demands), ..SCENE };
        let (status, told) = challenges(Denial::AcrInsufficient { expected: Vec::new() }, &scene);
        assert_eq!(status, 401);
        assert!(told[0].contains("error=\"insufficient_user_authentication\""));
        assert!(told[0].ends_with("acr_values=\"gold silver\", max_age=\"300\""), "{told:?}");
    }

    #[test]
    fn what_is_down_is_not_the_clients_fault() {
        let down = answer(&Denial::IntrospectionUnavailable { reason: "busy" }, &SCENE);
        assert_eq!((down.status, down.challenges.len(), down.retry_after), (503, 0, Some(1)));
    }
}
