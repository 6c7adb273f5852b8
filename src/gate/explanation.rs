//! What a developer wants to know of a denial: what was expected, what was found, and which field
//! of the policy changes it. Clients are not told.

use serde::Serialize;

use crate::{
    denial::Denial,
    deviation::NUMERIC_IDS,
    json::Scalar,
    rejection::{NotBase64url, Rejection, excerpt},
    text::first_characters,
};

/// A denial in the words of the policy. Like the denial it holds no piece of a token but what was
/// compared after its signature had held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What the policy asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was found, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The member of the policy that changes the answer, as `issuers[].audience`; a requirement's
    /// begins with `requirement`, wherever that stands. None where only the client can mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
}

impl Explanation {
    /// Explains a denial.
    #[must_use]
    pub fn of(denial: &Denial) -> Self {
        let (expected, actual, field) = match denial {
            Denial::Token(rejection) => of_token(rejection),
            _ => of_request(denial),
        };
        let text = |text: String| (!text.is_empty()).then_some(text);
        Explanation { expected: text(expected), actual: text(actual), field: text_of(field) }
    }
}

/// Expected, found, field; empty where there is none.
type Parts = (String, String, &'static str);

fn text_of(field: &'static str) -> Option<&'static str> {
    (!field.is_empty()).then_some(field)
}

fn fixed(expected: &str, actual: &str, field: &'static str) -> Parts {
    (expected.to_owned(), actual.to_owned(), field)
}

fn of_request(denial: &Denial) -> Parts {
    use Denial as D;
    match denial {
        D::TransportInsecure => fixed("https", "http", "gate.proxies.trusted"),
        D::RequestMalformed { member } => (["a readable ", member].concat(), String::new(), ""),
        D::PathAmbiguous => fixed("a path that servers read in one way", "", "gate.routes[].allowInPath"),
        D::RequestMisdirected => fixed("one of the origins", "another one", "gate.origins"),
        D::RequestCrossSite { expected, actual } => {
            (list(expected), actual.as_deref().map(excerpt).unwrap_or_default(), "gate.credentials.csrf.origins")
        }
        D::TokenInQuery => fixed("the token in a header", "access_token in the query", "gate.credentials"),
        D::KeysUnavailable { reason, .. } => {
            ("the issuer's keys".to_owned(), reason.as_deref().map(excerpt).unwrap_or_default(), "issuers[].remote")
        }
        D::IntrospectionUnavailable { reason } => {
            fixed("an answer of the authorization server", reason, "issuers[].introspection")
        }
        D::TokenInactive => fixed("an active token", "an inactive one", ""),
        D::TokenKindRefused { member } => (String::from("an access token"), (*member).to_owned(), "issuers[].claims"),
        D::BindingRequired { expected } => fixed(expected, "a token without a binding", "requirement.binding"),
        D::DpopSchemeRequired => fixed("the scheme DPoP", "the scheme Bearer", ""),
        D::DpopProofMissing => fixed("a DPoP header", "none", ""),
        D::DpopProofAmbiguous => fixed("one DPoP proof", "several", ""),
        D::DpopProofInvalid { reason } => fixed("a proof as in RFC 9449 section 4.2", reason, ""),
        D::DpopOriginUnknown => fixed("origins of the service", "none", "gate.origins"),
        D::DpopMethodMismatch => fixed("the request's method in htm", "another one", ""),
        D::DpopUrlMismatch { expected, actual } => (excerpt(expected), excerpt(actual), "gate.proxies"),
        D::DpopTokenMismatch => fixed("the hash of the token in ath", "another one", ""),
        D::DpopTimeMismatch { now, issued_at, window } => {
            let expected = ["iat within ", &window.to_string(), " s of ", &now.get().to_string()].concat();
            (expected, issued_at.get().to_string(), "gate.dpop.iatWindowSeconds")
        }
        D::DpopNonceRequired => fixed("a nonce of this gate", "", "gate.dpop.nonce"),
        D::DpopKeyMismatch => fixed("the key that the token is bound to", "another one", ""),
        D::DpopReplayed => fixed("a proof that was not used before", "one that was", ""),
        D::ReplayUnavailable => fixed("an answer of the replay store", "none", ""),
        D::CertificateMissing => fixed("a client certificate", "none", ""),
        D::CertificateMismatch => fixed("the certificate that the token is bound to", "another one", ""),
        D::ScopeInsufficient { scopes } => (scopes.join(" "), String::new(), "requirement.scopes"),
        D::ClaimInsufficient { path } => (["claim ", &path.join(".")].concat(), String::new(), "requirement.claims"),
        D::AcrInsufficient { expected } => (list(expected), String::new(), "requirement.acr"),
        D::AuthenticationTooOld { now, authenticated_at, max_age } => {
            let from = now.get().saturating_sub(*max_age).to_string();
            let actual = authenticated_at.map_or_else(|| "none".to_owned(), |at| at.get().to_string());
            (["auth_time from ", &from].concat(), actual, "requirement.maxAgeSeconds")
        }
        D::NetworkDenied => fixed("an address in the networks", "another one", "requirement.networks"),
        D::AddressUnknown => fixed("the client's address", "none", "gate.proxies"),
        // The reason is the caller's own text, which may hold what a claim says.
        D::RefusedByCheck { .. } => fixed("true of the service's own check", "", ""),
        D::Token(_) => Parts::default(),
    }
}

fn of_token(rejection: &Rejection) -> Parts {
    use Rejection as R;
    match rejection {
        R::AuthorizationMissing { expected } => (expected.join(" or "), "none".to_owned(), "gate.credentials"),
        R::AuthorizationAmbiguous => fixed("one credential", "several", "gate.credentials.precedence"),
        R::AuthorizationScheme => fixed("the scheme Bearer", "another one", "gate.credentials.scheme"),
        R::AuthorizationMalformed => fixed("Bearer, one space and a token", "", ""),
        R::TokenMissing => fixed("a token", "none", ""),
        R::TokenTooLarge { limit, actual } => at_most(*limit, *actual, "bytes", "limits.tokenBytes"),
        R::HeaderTooLarge { limit, actual } => at_most(*limit, *actual, "bytes", "limits.headerBytes"),
        R::SegmentCount { expected, actual } => (expected.to_string(), actual.to_string(), ""),
        R::SegmentNotBase64url { found, .. } => {
            let field = if *found == NotBase64url::Padding { "issuers[].deviations" } else { "" };
            fixed("canonical base64url", "", field)
        }
        R::JsonMalformed { .. } => fixed("a JSON object in UTF-8", "", ""),
        R::JsonTooDeep { limit, .. } => (["depth ", &limit.to_string()].concat(), "more".to_owned(), "limits.depth"),
        R::JsonTooManyMembers { limit, .. } => {
            ([&limit.to_string(), " members"].concat(), "more".to_owned(), "limits.members")
        }
        R::JsonDuplicateMember { .. } => fixed("each member once", "one twice", ""),
        R::HeaderMemberMalformed { member } | R::HeaderMemberUnsupported { member } => {
            ("a header without it, or as its RFC has it".to_owned(), (*member).to_owned(), "")
        }
        R::CritUnsupported => fixed("a header without crit", "crit", ""),
        R::AlgMissing => fixed("an alg", "none", ""),
        R::AlgUnknown => fixed("an alg that is supported", "another one", "issuers[].algorithms"),
        R::KidUnknown => fixed("a kid of the issuer's keys", "another one", "issuers[].jwks"),
        R::KeysNotSet { issuer } => (["keys of ", &excerpt(issuer)].concat(), "none".to_owned(), "issuers[].remote"),
        R::IssuerUnknown { expected } => (list(expected), "another one".to_owned(), "issuers[].issuer"),
        R::KidRequired { limit, candidates } => at_most(*limit, *candidates, "keys", "issuers[].jwks"),
        R::AlgMismatch { expected, actual } => {
            let names: Vec<&str> = expected.iter().map(|alg| alg.name()).collect();
            (names.join(", "), actual.name().to_owned(), "issuers[].algorithms")
        }
        R::SignatureLength { expected, actual } => (expected.to_string(), actual.to_string(), ""),
        R::SignatureInvalid => fixed("a signature by a key of the issuer", "another one", "issuers[].jwks"),
        R::ClaimMissing { claim } => {
            let field = match claim.as_str() {
                "iss" | "aud" => "issuers[].deviations",
                "exp" => "",
                _ => "issuers[].requiredClaims",
            };
            (["claim ", &excerpt(claim)].concat(), "none".to_owned(), field)
        }
        R::ClaimMalformed { claim, expected, found } => {
            let deviates = match *found {
                "null" => *claim != "cnf",
                "a number" => NUMERIC_IDS.contains(claim),
                _ => false,
            };
            let field = if deviates { "issuers[].deviations" } else { "" };
            ([*claim, " that is ", expected].concat(), (*found).to_owned(), field)
        }
        R::TypeMismatch { expected, actual } => {
            let actual = actual.as_deref().map_or_else(|| "none".to_owned(), excerpt);
            (list(expected), actual, "issuers[].types")
        }
        R::IssuerMismatch { expected, actual } => (list(expected), excerpt(actual), "issuers[].issuer"),
        R::AudienceMismatch { expected, actual } => (list(expected), list(actual), "issuers[].audience"),
        R::ClaimMismatch { claim, expected } => {
            let value = match expected {
                Scalar::Text(text) => excerpt(text),
                Scalar::Integer(number) => number.to_string(),
                Scalar::Boolean(value) => value.to_string(),
            };
            ([&excerpt(claim), " = ", &value].concat(), "another value".to_owned(), "issuers[].claims")
        }
        R::Expired { now, expires, leeway } => {
            let since = now.get().saturating_sub(leeway.get());
            ([">", &since.to_string()].join(" "), expires.get().to_string(), "leewaySeconds")
        }
        R::NotYetValid { now, not_before: at, leeway } | R::IssuedInFuture { now, issued_at: at, leeway } => {
            let until = now.get().saturating_add(leeway.get());
            (["<=", &until.to_string()].join(" "), at.get().to_string(), "leewaySeconds")
        }
        R::BindingUnsupported => fixed("a binding by DPoP or certificate", "another one", ""),
        #[cfg(feature = "revocation")]
        R::TokenRevoked { claim } => (["a ", claim, " that is not revoked"].concat(), "one that is".to_owned(), ""),
        #[cfg(feature = "revocation")]
        R::IssuedBeforeCutoff { cutoff, issued_at, .. } => {
            let actual = issued_at.map_or_else(|| "none".to_owned(), |at| at.get().to_string());
            (["iat from ", &cutoff.get().to_string()].concat(), actual, "")
        }
        #[cfg(feature = "revocation")]
        R::RevocationStale { stale_since, .. } => {
            let actual = stale_since.map_or_else(|| "none".to_owned(), |at| ["stale since ", &at.to_string()].concat());
            ("a fresh list of revocations".to_owned(), actual, "revocation.maxStalenessSeconds")
        }
        #[cfg(feature = "revocation")]
        R::StatusNotValid { status_value, .. } => ("status 0".to_owned(), status_value.to_string(), ""),
        #[cfg(feature = "revocation")]
        R::StatusOutOfRange { index, entries } => {
            (["an index below ", &entries.to_string()].concat(), index.to_string(), "")
        }
    }
}

fn at_most(limit: usize, actual: usize, unit: &str, field: &'static str) -> Parts {
    (["at most ", &limit.to_string(), " ", unit].concat(), actual.to_string(), field)
}

fn list(texts: &[String]) -> String {
    texts.iter().map(|text| first_characters(text)).collect::<Vec<_>>().join(", ")
}
