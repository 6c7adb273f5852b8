//! Why a token was refused: a closed list with permanent codes.

use core::fmt;
use std::borrow::Cow;

use serde::Serialize;

use crate::{
    alg::Alg,
    deviation::NUMERIC_IDS,
    json::Scalar,
    text::{first_characters, joined},
    time::{Leeway, UnixSeconds},
};

/// The stage of the pipeline that refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// How the request came: over TLS, or not.
    Transport,
    /// The request itself.
    Request,
    /// The Authorization header (RFC 6750 §2.1), or where else the policy looks for the token.
    Bearer,
    /// The compact serialization and its header (RFC 7515).
    Jws,
    /// The choice of a key (RFC 7517).
    Keys,
    /// The signature (RFC 7515 §5.2).
    Signature,
    /// The claims' shape (RFC 7519 §4).
    Claims,
    /// The policy: kind, issuer, audience and time.
    Policy,
    /// What was taken back before its time.
    #[cfg(feature = "revocation")]
    Revocation,
    /// What the authorization server says of an opaque token (RFC 7662).
    Introspection,
    /// The proof that the client has the key its token is bound to (RFC 9449, RFC 8705).
    Binding,
    /// What the request requires besides a good token.
    Requirement,
}

/// A segment of the compact serialization (RFC 7515 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Segment {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

/// What keeps a segment from being base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotBase64url {
    /// An authentication scheme stands before the token: it is the value of a header.
    Scheme,
    /// Padding (RFC 4648 §3.2), which RFC 7515 §2 leaves out.
    Padding,
    /// White space.
    WhiteSpace,
    /// Another character, or bits that are left over.
    Other,
}

/// Why a token was refused. Every variant has one permanent [`code`](Rejection::code).
///
/// A rejection never holds a token, a key or a piece of either. Text that a token carries appears only when its signature
/// has held, and then only its `typ`, `iss` and `aud`, cut at 200 characters: they were compared, and both sides are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[allow(missing_docs, reason = "the fields are explained by their variant")]
pub enum Rejection {
    /// There is no token where one is looked for: in the Authorization header, or in the header and the cookie of a gate's policy.
    AuthorizationMissing { expected: Vec<String> },
    /// More than one header or credential: a comma stands in the value (RFC 9110 §5.3 joins duplicates with commas).
    AuthorizationAmbiguous,
    /// The scheme is not `Bearer`.
    AuthorizationScheme,
    /// The value is not `Bearer`, one space, and a token of RFC 6750's alphabet.
    AuthorizationMalformed,

    /// There is no token: the text is empty.
    TokenMissing,
    /// Longer than the limit, in bytes.
    TokenTooLarge { limit: usize, actual: usize },
    /// Not three segments. Five are an encrypted token (JWE), which is not accepted.
    SegmentCount { expected: usize, actual: usize },
    /// Not the canonical base64url of any bytes.
    SegmentNotBase64url { segment: Segment, found: NotBase64url },
    /// The decoded header is longer than the limit, in bytes.
    HeaderTooLarge { limit: usize, actual: usize },
    /// Not a JSON object in UTF-8.
    JsonMalformed { part: Segment },
    /// Nested deeper than the limit.
    JsonTooDeep { part: Segment, limit: usize },
    /// More object members than the limit, all levels together.
    JsonTooManyMembers { part: Segment, limit: usize },
    /// An object names a member twice.
    JsonDuplicateMember { part: Segment },
    /// A header member is not of the type its RFC gives it.
    HeaderMemberMalformed { member: &'static str },
    /// A header member changes the meaning of the token in a way that is not supported: `b64`, `zip`, `enc`.
    HeaderMemberUnsupported { member: &'static str },
    /// The header has `crit` (RFC 7515 §4.1.11). No extension is understood, so any `crit` refuses.
    CritUnsupported,
    /// The header has no `alg`.
    AlgMissing,
    /// The `alg` is `none` or another name that no key can have.
    AlgUnknown,

    /// No key has the token's `kid`.
    KidUnknown,
    /// The token's issuer publishes its keys, by the policy's `remote`, and none were handed over yet. A gate fetches them.
    KeysNotSet { issuer: String },
    /// No issuer of the policy has the token's `iss`, which chooses whose keys are meant. Up to eight names of those that do are shown;
    /// the token's stays unsaid, since nobody has checked who wrote it.
    IssuerUnknown { expected: Vec<String> },
    /// More keys fit than may be tried; a `kid` would tell which is meant.
    KidRequired { limit: usize, candidates: usize },
    /// The key the token points to is for another algorithm.
    AlgMismatch { expected: Vec<Alg>, actual: Alg },

    /// The signature does not have the one length its algorithm and key give it, in bytes.
    SignatureLength { expected: usize, actual: usize },
    /// The signature does not hold.
    SignatureInvalid,

    /// A claim that must be there is not.
    ClaimMissing { claim: String },
    /// A claim is there but is not of the shape its RFC gives it.
    ClaimMalformed { claim: &'static str, expected: &'static str, found: &'static str },

    /// The `typ` is none of those the policy accepts.
    TypeMismatch { expected: Vec<String>, actual: Option<String> },
    /// The `iss` is not the issuer whose key signed the token.
    IssuerMismatch { expected: Vec<String>, actual: String },
    /// None of the token's audiences (its `aud`, or the policy's `audienceClaim`) is one of ours.
    AudienceMismatch { expected: Vec<String>, actual: Vec<String> },
    /// A claim is there and is not what the policy asks of it. What it is stays unsaid: it may be anything.
    ClaimMismatch { claim: String, expected: Scalar },
    /// The `exp` is over.
    Expired { now: UnixSeconds, expires: UnixSeconds, leeway: Leeway },
    /// The `nbf` is not reached.
    NotYetValid { now: UnixSeconds, not_before: UnixSeconds, leeway: Leeway },
    /// The `iat` is not reached. STRICTER than RFC 7519 §4.1.6: a revocation by time of issue would miss such a token.
    IssuedInFuture { now: UnixSeconds, issued_at: UnixSeconds, leeway: Leeway },

    /// The token's `cnf` (RFC 7800 §3.1) binds it to a key, and nothing here can tell whether the sender has that key: it came as a bearer
    /// token to a verifier without a gate, or the gate does not know the method.
    BindingUnsupported,

    /// The token or its session is on the list, by the `jti` or the `sid`.
    #[cfg(feature = "revocation")]
    TokenRevoked { claim: &'static str },
    /// Nothing that its issuer, client, subject, session or key issued before the cutoff is accepted: by `iss`, `client_id`, `sub`, `sid` or `kid`.
    #[cfg(feature = "revocation")]
    IssuedBeforeCutoff { claim: &'static str, cutoff: UnixSeconds, issued_at: Option<UnixSeconds> },
    /// The list is too old to say that the token was not revoked, or there is none yet.
    #[cfg(feature = "revocation")]
    RevocationStale { now: UnixSeconds, stale_since: Option<u64> },
    /// The token's place in its status list says something other than VALID (draft-ietf-oauth-status-list §7.1).
    #[cfg(feature = "revocation")]
    // `status` is that of HTTP in what a gate says.
    StatusNotValid { index: u64, status_value: u8 },
    /// The token names a place that its status list does not have.
    #[cfg(feature = "revocation")]
    StatusOutOfRange { index: u64, entries: u64 },
}

impl Rejection {
    /// The permanent name of this kind of rejection, in kebab-case.
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
        const DEVIATIONS: &str = "\" to its deviations in the policy (issuers[].deviations).";
        let parts: [&str; 6] = match self {
            Rejection::AuthorizationMissing { expected } => {
                return ["The request has no ", &joined(expected, " and no "), "."].concat().into();
            }
            Rejection::ClaimMissing { claim } => {
                let [advice, deviation, end] = match claim.as_str() {
                    "iss" => [". If this issuer's tokens never have it, add \"missing-", "iss", DEVIATIONS],
                    "aud" => [". If this issuer's tokens never have it, add \"missing-", "aud", DEVIATIONS],
                    "exp" => [". Tokens without an expiry are not accepted.", "", ""],
                    _ => [", which the policy requires.", "", ""],
                };
                ["The token has no claim \"", claim, "\"", advice, deviation, end]
            }
            Rejection::ClaimMalformed { claim, expected, found } => {
                let advice = match *found {
                    "null" if *claim != "cnf" => " If this issuer writes null for absent claims, add \"null-claims",
                    "a number" if NUMERIC_IDS.contains(claim) => {
                        " If this issuer's ids are whole numbers, add \"numeric-ids"
                    }
                    _ => "",
                };
                let end = if advice.is_empty() { "" } else { DEVIATIONS };
                return ["The claim \"", claim, "\" must be ", expected, "; found ", found, ".", advice, end]
                    .concat()
                    .into();
            }
            _ => return self.sentence().into(),
        };
        parts.concat().into()
    }

    /// The sentence without what its fields add.
    pub(crate) const fn sentence(&self) -> &'static str {
        self.entry().2
    }

    /// That there is no Authorization header, where nothing else is looked at.
    pub(crate) fn authorization_missing() -> Self {
        Rejection::AuthorizationMissing { expected: vec!["Authorization header".to_owned()] }
    }

    /// Could another key have accepted the token?
    pub(crate) const fn concerns_keys(&self) -> bool {
        matches!(
            self,
            Rejection::KidUnknown
                | Rejection::KeysNotSet { .. }
                // A resolver may know it.
                | Rejection::IssuerUnknown { .. }
                | Rejection::KidRequired { .. }
                | Rejection::AlgMismatch { .. }
                | Rejection::SignatureLength { .. }
                | Rejection::SignatureInvalid
                // Another issuer's key held. Its own may be the same one and not be here yet.
                | Rejection::IssuerMismatch { .. }
        )
    }

    // One row a code: permanent name, stage, sentence.
    #[rustfmt::skip]
    const fn entry(&self) -> (&'static str, Stage, &'static str) {
        use Rejection as R;
        #[cfg(feature = "revocation")]
        use Stage::Revocation;
        use Stage::{Bearer, Binding, Claims, Jws, Keys, Policy, Signature};
        match self {
            R::AuthorizationMissing { .. } => ("authorization-missing", Bearer, "The request has no Authorization header."),
            R::AuthorizationAmbiguous => ("authorization-ambiguous", Bearer, "The request carries more than one credential; send one Authorization header with one token."),
            R::AuthorizationScheme => ("authorization-scheme", Bearer, "The Authorization header does not use the scheme Bearer."),
            R::AuthorizationMalformed => ("authorization-malformed", Bearer, "The Authorization header is not \"Bearer\", one space and a token."),
            R::TokenMissing => ("token-missing", Jws, "The token is empty or not a string."),
            R::TokenTooLarge { .. } => ("token-too-large", Jws, "The token is longer than the policy's limits.tokenBytes."),
            R::SegmentCount { actual: 5, .. } => ("segment-count", Jws, "The token is encrypted (JWE, five segments), which is not supported; have its issuer sign it without encrypting it."),
            R::SegmentCount { .. } => ("segment-count", Jws, "The token does not have exactly three segments separated by dots."),
            R::SegmentNotBase64url { found: NotBase64url::Scheme, .. } => ("segment-not-base64url", Jws, "An authentication scheme stands before the token; pass the token alone, or the whole header to verifyAuthorization."),
            R::SegmentNotBase64url { found: NotBase64url::WhiteSpace, .. } => ("segment-not-base64url", Jws, "White space stands in the token; pass the token alone."),
            R::SegmentNotBase64url { found: NotBase64url::Padding, .. } => ("segment-not-base64url", Jws, "A segment of the token is padded with \"=\". If this issuer pads its tokens, add \"base64url-padding\" to its deviations in the policy (issuers[].deviations)."),
            R::SegmentNotBase64url { .. } => ("segment-not-base64url", Jws, "A segment of the token is not canonical base64url without padding."),
            R::HeaderTooLarge { .. } => ("header-too-large", Jws, "The token's header is longer than the policy's limits.headerBytes."),
            R::JsonMalformed { part } => ("json-malformed", part.stage(), "A part of the token is not a JSON object in UTF-8."),
            R::JsonTooDeep { part, .. } => ("json-too-deep", part.stage(), "A part of the token is nested deeper than the policy's limits.depth."),
            R::JsonTooManyMembers { part, .. } => ("json-too-many-members", part.stage(), "A part of the token has more members than the policy's limits.members."),
            R::JsonDuplicateMember { part } => ("json-duplicate-member", part.stage(), "A part of the token names a member twice."),
            R::HeaderMemberMalformed { .. } => ("header-member-malformed", Jws, "A member of the token's header has the wrong JSON type."),
            R::HeaderMemberUnsupported { .. } => ("header-member-unsupported", Jws, "The token's header has b64, zip or enc, which are not supported."),
            R::CritUnsupported => ("crit-unsupported", Jws, "The token's header has crit; no extension is supported."),
            R::AlgMissing => ("alg-missing", Jws, "The token's header has no alg."),
            R::AlgUnknown => ("alg-unknown", Jws, "The token's alg is none or unsupported."),
            R::KidUnknown => ("kid-unknown", Keys, "No key of the policy has the token's kid."),
            R::KeysNotSet { .. } => ("keys-not-set", Keys, "The keys of the token's issuer were never handed over; call setRemoteKeys (set_remote_keys in Rust) with what issuers[].remote names, or use a gate, which fetches them."),
            R::IssuerUnknown { .. } => ("issuer-unknown", Keys, "No issuer of the policy has the token's iss; if it is to be trusted, write it into issuers[].issuer exactly as the token does."),
            R::KidRequired { .. } => ("kid-required", Keys, "Too many keys match this token; give the keys and the tokens a kid."),
            R::AlgMismatch { .. } => ("alg-mismatch", Keys, "The token's alg does not match the alg of its key."),
            R::SignatureLength { .. } => ("signature-length", Signature, "The signature has the wrong length for its algorithm."),
            R::SignatureInvalid => ("signature-invalid", Signature, "The signature does not verify with any matching key."),
            R::ClaimMissing { .. } => ("claim-missing", Claims, "The token lacks a claim that the policy requires."),
            R::ClaimMalformed { .. } => ("claim-malformed", Claims, "A claim of the token has the wrong JSON type or format."),
            R::TypeMismatch { .. } => ("type-mismatch", Policy, "The token's typ is not one that the policy accepts (issuers[].types)."),
            R::IssuerMismatch { .. } => ("issuer-mismatch", Policy, "The token's iss is not the issuer whose key signed it."),
            R::AudienceMismatch { .. } => ("audience-mismatch", Policy, "The token is meant for another audience."),
            R::ClaimMismatch { .. } => ("claim-mismatch", Policy, "A claim does not have the value that issuers[].claims in the policy asks for."),
            R::Expired { .. } => ("expired", Policy, "The token has expired."),
            R::NotYetValid { .. } => ("not-yet-valid", Policy, "The token is not valid yet."),
            R::IssuedInFuture { .. } => ("issued-in-future", Policy, "The token was issued in the future."),
            R::BindingUnsupported => ("binding-unsupported", Binding, "The token is bound to a key (cnf) in a way not checked here; portcullis/gate checks DPoP keys and client certificates."),
            #[cfg(feature = "revocation")]
            R::TokenRevoked { .. } => ("token-revoked", Revocation, "The token or its session was revoked."),
            #[cfg(feature = "revocation")]
            R::IssuedBeforeCutoff { .. } => ("issued-before-cutoff", Revocation, "The token was issued before the revocation cutoff that applies to it."),
            #[cfg(feature = "revocation")]
            R::RevocationStale { .. } => ("revocation-stale", Revocation, "The revocation or status list is missing or stale."),
            #[cfg(feature = "revocation")]
            R::StatusNotValid { .. } => ("status-not-valid", Revocation, "The token's status list marks it as not valid."),
            #[cfg(feature = "revocation")]
            R::StatusOutOfRange { .. } => ("status-out-of-range", Revocation, "The token's index is beyond the end of its status list."),
        }
    }

    /// The rejection as a JSON object: `ok` (false), `code`, `stage`, `message` and the fields of its variant.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (stage, message) = (self.stage(), &*self.message());
        // Nothing in it can fail to be written: it holds strings, integers and lists of them. Two objects made one by hand: serde's
        // `flatten` is a serializer of its own, 1 KB of the wasm.
        let head = serde_json::to_string(&RejectionHead { ok: false, stage, message }).unwrap_or_default();
        let fields = serde_json::to_string(self).unwrap_or_default();
        let head = head.strip_suffix('}').unwrap_or_default();
        [head, ",", fields.strip_prefix('{').unwrap_or_default()].concat()
    }
}

#[derive(Serialize)]
struct RejectionHead<'r> {
    ok: bool,
    stage: Stage,
    message: &'r str,
}

impl Segment {
    const fn stage(self) -> Stage {
        match self {
            Segment::Payload => Stage::Claims,
            Segment::Header | Segment::Signature => Stage::Jws,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code(), self.message())
    }
}

impl core::error::Error for Rejection {}

/// At most 200 characters of a compared value, so that no rejection grows with its token.
pub(crate) fn excerpt(text: &str) -> String {
    first_characters(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_and_the_serialized_tag_are_one() {
        let samples = [
            Rejection::authorization_missing(),
            Rejection::SegmentNotBase64url { segment: Segment::Payload, found: NotBase64url::Padding },
            Rejection::JsonTooDeep { part: Segment::Header, limit: 16 },
            Rejection::AlgMismatch { expected: vec![Alg::Rs256], actual: Alg::Hs256 },
            Rejection::IssuedInFuture {
                now: UnixSeconds::new(1).unwrap(),
                issued_at: UnixSeconds::new(9).unwrap(),
                leeway: Leeway::default(),
            },
        ];
        for rejection in samples {
            let json: serde_json::Value = serde_json::from_str(&rejection.to_json()).unwrap();
            assert_eq!(json["code"], rejection.code());
            assert_eq!(json["ok"], false);
            assert!(json["message"].as_str().unwrap().ends_with('.'));
        }
    }

    #[test]
    fn both_compared_values_are_shown() {
        let rejection = Rejection::Expired {
            now: UnixSeconds::new(20).unwrap(),
            expires: UnixSeconds::new(10).unwrap(),
            leeway: Leeway::default(),
        };
        let json: serde_json::Value = serde_json::from_str(&rejection.to_json()).unwrap();
        assert_eq!((&json["now"], &json["expires"], &json["leeway"]), (&20.into(), &10.into(), &5.into()));
        assert_eq!(json["stage"], "policy");
    }
}
