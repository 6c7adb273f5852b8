//! Why a request was refused: a token's own rejections, and what else can stand against a request.
//! A closed list with permanent codes.
//!
//! It is apart from [`Rejection`] so that a verifier without a gate carries none of it.

use core::fmt;
use std::borrow::Cow;

use serde::Serialize;

use crate::{
    rejection::{Rejection, Stage},
    time::UnixSeconds,
};

/// Why a request was refused. Every variant has one permanent [`code`](Denial::code).
///
/// Like a [`Rejection`] it never holds a token or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields are explained by their variant")]
pub enum Denial {
    /// The request came over plain HTTP, from elsewhere than a loopback name.
    TransportInsecure,
    /// The request is none that a server could have received.
    RequestMalformed { member: &'static str },
    /// Servers differ in what the path means, and no route allows it: an empty or a dot segment,
    /// an encoded separator, a parameter, an encoded percent sign or control character, escapes
    /// that are none or no UTF-8.
    PathAmbiguous,

    /// The URL is under none of the origins that the policy says the service is reached by (RFC
    /// 9110 §15.5.20).
    RequestMisdirected,

    /// The token is in a cookie, and what the browser says of the page that had the request sent is
    /// that it is another site's, or nothing.
    RequestCrossSite { expected: Vec<String>, actual: Option<String> },

    /// The query has an `access_token` (RFC 6750 §2.3, forbidden by RFC 9700 §4.3.2).
    TokenInQuery,
    /// The issuer's keys could not be had, so nothing can be said of the token.
    KeysUnavailable {
        /// What kept them from being fetched, in the words of whoever tried.
        reason: Option<String>,
        /// When it is tried again, in seconds.
        #[serde(skip)]
        retry_after: u32,
    },

    /// The authorization server could not be asked about the token, or its answer is none.
    IntrospectionUnavailable { reason: &'static str },
    /// The authorization server says that the token is not active (RFC 7662 §2.2).
    TokenInactive,
    /// The authorization server's answer is about a token that is no access token: a refresh
    /// token, an ID token (RFC 7662 §2.2).
    TokenKindRefused { member: &'static str },

    /// The token is bound to no key, or not to one of the kind that is asked for.
    BindingRequired { expected: &'static str },
    /// A token that is bound to a key came with the scheme `Bearer` (RFC 9449 §7.1).
    DpopSchemeRequired,
    /// There is no `DPoP` header.
    DpopProofMissing,
    /// There is more than one `DPoP` header, or more in it than one proof (RFC 9449 §4.3 check 1).
    DpopProofAmbiguous,
    /// The proof is no good as a JWS: the code of a rejection, or the member at fault (RFC 9449
    /// §4.3 checks 2 to 7).
    DpopProofInvalid { reason: &'static str },
    /// A proof names a URL, and nobody but the client says under which origin the service is
    /// reached: the policy has no `gate.origins`.
    DpopOriginUnknown,
    /// The proof's `htm` is not the request's method.
    DpopMethodMismatch,
    /// The proof's `htu` is not the request's URL. Both are in their normal form, without queries.
    DpopUrlMismatch { expected: String, actual: String },
    /// The proof's `ath` is not the hash of the token.
    DpopTokenMismatch,
    /// The proof was made too long ago, or in the future.
    DpopTimeMismatch { now: UnixSeconds, issued_at: UnixSeconds, window: u64 },
    /// The proof has no nonce of ours that is still good (RFC 9449 §8).
    DpopNonceRequired,
    /// The proof's key is not the one the token is bound to.
    DpopKeyMismatch,
    /// The proof was used before (RFC 9449 §11.1).
    DpopReplayed,
    /// Nobody could say whether the proof was used before.
    ReplayUnavailable,
    /// The token is bound to a certificate, and the connection has none (RFC 8705 §3).
    CertificateMissing,
    /// The token is bound to another certificate.
    CertificateMismatch,

    /// The token lacks a scope.
    ScopeInsufficient { scopes: Vec<String> },
    /// A claim does not have the values that are asked for.
    ClaimInsufficient { path: Vec<String> },
    /// The user was not authenticated by a means that is asked for (RFC 9470).
    AcrInsufficient { expected: Vec<String> },
    /// The user's authentication is too long ago, or nobody knows when it was (RFC 9470).
    AuthenticationTooOld { now: UnixSeconds, authenticated_at: Option<UnixSeconds>, max_age: u64 },
    /// The client's address is in none of the networks that are asked for.
    NetworkDenied,
    /// The client's address is not known, and a network is asked for.
    AddressUnknown,
    /// A check of the caller's own refused.
    RefusedByCheck { reason: String },

    /// The token is no good.
    #[serde(untagged)]
    Token(Rejection),
}

impl From<Rejection> for Denial {
    fn from(rejection: Rejection) -> Self {
        Denial::Token(rejection)
    }
}

impl Denial {
    /// The permanent name of this kind of denial, in kebab-case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.entry().0
    }

    /// The stage that refused.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.entry().1
    }

    /// One sentence for the person who has to mend it, or two. It holds no text of the token.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        match self {
            Denial::Token(rejection) => rejection.message(),
            _ => self.entry().2.into(),
        }
    }

    // One row a code: permanent name, stage, sentence.
    #[rustfmt::skip]
    const fn entry(&self) -> (&'static str, Stage, &'static str) {
        use Denial as D;
        use Stage::{Bearer, Binding, Introspection, Keys, Request, Requirement, Transport};
        match self {
            D::TransportInsecure => ("transport-insecure", Transport, "The request came over plain HTTP; use https. If a proxy ends TLS, list its address in the policy's gate.proxies.trusted. To accept plain HTTP from a network of yours, list it in gate.plainHttpFrom. On a loopback name plain HTTP needs a connection from this machine, or the name in gate.origins; for wrangler dev set dev.host to \"localhost\"."),
            D::RequestMalformed { .. } => ("request-malformed", Request, "The request is malformed: its URL, request-target, method or headers cannot be read, it has more than one Host header, or its Connection header lists a header with credentials or one that the gate sets."),
            D::PathAmbiguous => ("path-ambiguous", Request, "Servers may read this path in different ways; send one without empty or dot segments, semicolons, or percent-encoded slashes, backslashes, percent signs or control characters."),
            D::RequestMisdirected => ("request-misdirected", Request, "The request's origin is not one of the policy's gate.origins. If the service is reached under it, add it there."),
            D::RequestCrossSite { .. } => ("request-cross-site", Request, "The token is in a cookie, and neither Origin nor Sec-Fetch-Site says that a page of this origin sent the request. List the page's origin in the policy's gate.credentials.csrf.origins, or send the token in a header."),
            D::TokenInQuery => ("token-in-query", Bearer, "The query carries an access_token; send it in the Authorization header."),
            D::KeysUnavailable { .. } => ("keys-unavailable", Keys, "The issuer's keys could not be fetched. Send the request again after the time in Retry-After."),
            D::IntrospectionUnavailable { .. } => ("introspection-unavailable", Introspection, "The authorization server gave no usable answer about the token. Send the request again later."),
            D::TokenInactive => ("token-inactive", Introspection, "The authorization server reports that the token is not active. Request a new one."),
            D::TokenKindRefused { .. } => ("token-kind-refused", Introspection, "The authorization server does not report an access token. If it is one, require its token_type, token_use or typ in the policy's issuers[].claims."),
            D::BindingRequired { .. } => ("binding-required", Binding, "The token has no binding of the kind that this resource requires. Request one with a DPoP proof (RFC 9449) or over mutual TLS (RFC 8705)."),
            D::DpopSchemeRequired => ("dpop-scheme-required", Binding, "The token is bound to a key and came with the scheme Bearer. Send it with the scheme DPoP and a proof."),
            D::DpopProofMissing => ("dpop-proof-missing", Binding, "The token is bound to a key, and the request has no DPoP header. Send a proof with each request."),
            D::DpopProofAmbiguous => ("dpop-proof-ambiguous", Binding, "The request has more than one DPoP proof. Send one DPoP header with one proof."),
            D::DpopProofInvalid { .. } => ("dpop-proof-invalid", Binding, "The DPoP proof is not a valid signed JWT as in RFC 9449 section 4.2."),
            D::DpopOriginUnknown => ("dpop-origin-unknown", Binding, "The htu of a DPoP proof cannot be checked by the Host header alone; list the service's origins in the policy's gate.origins, such as [\"https://api.example\"]."),
            D::DpopMethodMismatch => ("dpop-method-mismatch", Binding, "The htm of the DPoP proof is not the request's method. Make a proof for each request."),
            D::DpopUrlMismatch { .. } => ("dpop-url-mismatch", Binding, "The htu of the DPoP proof is another URL than the request's. If a proxy changes scheme, host or path, list it in the policy's gate.proxies.trusted and set gate.proxies.host or gate.proxies.prefix."),
            D::DpopTokenMismatch => ("dpop-token-mismatch", Binding, "The ath of the DPoP proof is not the hash of this token. Make the proof with the token that is sent."),
            D::DpopTimeMismatch { .. } => ("dpop-time-mismatch", Binding, "The iat of the DPoP proof is too old or in the future. Make a proof for each request, by a clock that is right."),
            D::DpopNonceRequired => ("dpop-nonce-required", Binding, "The DPoP proof has no current nonce. Make a proof with the nonce of the DPoP-Nonce header."),
            D::DpopKeyMismatch => ("dpop-key-mismatch", Binding, "The DPoP proof is signed by another key than the one the token is bound to. Sign it with that key."),
            D::DpopReplayed => ("dpop-replayed", Binding, "The DPoP proof was used before. Make a proof for each request."),
            D::ReplayUnavailable => ("replay-unavailable", Binding, "The replay store did not report whether the DPoP proof was used before. Send the request again later."),
            D::CertificateMissing => ("certificate-missing", Binding, "The token is bound to a client certificate, and the connection has none. Connect with that certificate."),
            D::CertificateMismatch => ("certificate-mismatch", Binding, "The token is bound to another client certificate than the connection's. Connect with that certificate."),
            D::ScopeInsufficient { .. } => ("scope-insufficient", Requirement, "The token lacks a scope that this resource requires. Request a token with the scope of the challenge."),
            D::ClaimInsufficient { .. } => ("claim-insufficient", Requirement, "A claim of the token lacks a value that this resource requires (claims in the requirement)."),
            D::AcrInsufficient { .. } => ("acr-insufficient", Requirement, "This resource requires another authentication of the user. Request one of the challenge's acr_values."),
            D::AuthenticationTooOld { .. } => ("authentication-too-old", Requirement, "The user authenticated too long ago for this resource. Request an authentication within the challenge's max_age."),
            D::NetworkDenied => ("network-denied", Requirement, "The client's address is in none of the networks that this resource requires."),
            D::AddressUnknown => ("address-unknown", Requirement, "This resource requires a network, and the client's address is unknown. Behind a proxy, list its address in the policy's gate.proxies.trusted."),
            D::RefusedByCheck { .. } => ("refused-by-check", Requirement, "A check of this service refused the request."),
            D::Token(rejection) => (rejection.code(), rejection.stage(), rejection.sentence()),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code(), self.message())
    }
}

impl core::error::Error for Denial {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_and_the_serialized_tag_are_one() {
        for denial in [
            Denial::TransportInsecure,
            Denial::DpopProofInvalid { reason: "jwk" },
            Denial::AuthenticationTooOld { now: UnixSeconds::MAX, authenticated_at: None, max_age: 1 },
            Denial::Token(Rejection::KidUnknown),
            Denial::Token(Rejection::TokenTooLarge { limit: 1, actual: 2 }),
        ] {
            let json = serde_json::to_value(&denial).unwrap();
            assert_eq!(json["code"], denial.code());
            assert!(denial.message().ends_with('.') && denial.to_string().starts_with(denial.code()));
        }
    }
}
