//! Demonstrating Proof of Possession (RFC 9449 §4): a proof is a JWS by the client's own key over
//! this one request.

use std::sync::Arc;

use crate::{
    alg::Alg,
    base64url,
    binding::{
        nonce::{Age, Nonces},
        thumbprint,
        uri::Url,
    },
    denial::Denial,
    engine::hash::Hash,
    json::{Object, Value, read_object},
    jws::compact::{UnverifiedToken, read_part},
    keys::{VerificationKey, jwk, set::Candidates},
    limits::Limits,
    rejection::{Rejection, Segment, excerpt},
    signature,
    time::{Leeway, NumericDate, UnixSeconds},
};

/// The kind of a proof (RFC 9449 §4.2).
const PROOF: &str = "dpop+jwt";

/// The longest `jti`, in bytes.
const LONGEST_JTI: usize = 256;

/// Which proofs are taken.
#[derive(Debug)]
pub(crate) struct ProofRules {
    /// The algorithms; none of them is symmetric.
    pub algorithms: Vec<Alg>,
    /// How old a proof may be, in seconds.
    pub window: u64,
    /// What makes nonces, when a proof must carry one.
    pub nonces: Option<Nonces>,
}

/// What a proof is to be about.
#[derive(Debug)]
pub(crate) struct Occasion<'o> {
    /// The request's method.
    pub method: &'o str,
    /// The request's URL.
    pub url: &'o Url<'o>,
    /// The token that came with it; none does to a token endpoint (RFC 9449 §5).
    pub token: Option<&'o str>,
    /// When.
    pub now: UnixSeconds,
    /// How far in the future a proof may have been made.
    pub leeway: Leeway,
}

/// A proof that holds.
#[derive(Debug)]
pub(crate) struct Proof {
    /// The thumbprint of its key, which the token has to be bound to (RFC 9449 §6.1).
    pub jkt: String,
    /// Names this proof among all others.
    pub replay_key: String,
    /// When it was made.
    pub issued_at: UnixSeconds,
    /// When it may be forgotten, in seconds since the epoch.
    pub until: u64,
    /// A nonce for the next proof, when this one's is about to expire.
    pub next_nonce: Option<String>,
}

/// Checks a proof (RFC 9449 §4.3), all but its being the first of its kind.
///
/// # Errors
/// The `dpop-…` codes of the stage `binding`.
pub(crate) fn check(proof: &str, occasion: &Occasion<'_>, rules: &ProofRules) -> Result<Proof, Denial> {
    let invalid = |rejection: Rejection| Denial::DpopProofInvalid { reason: rejection.code() };
    let because = |reason: &'static str| Denial::DpopProofInvalid { reason };
    let limits = Limits::default();
    let unverified = UnverifiedToken::parse(proof, &limits).map_err(invalid)?;
    let header = Arc::clone(unverified.header());
    if header.typ() != Some(PROOF) {
        return Err(because("typ"));
    }
    if !rules.algorithms.contains(&header.alg()) {
        return Err(because("alg"));
    }
    // The one place where a key is taken from a header: it proves nothing but that the sender has
    // it, and the token says whether that is enough.
    let header = read_object(header.text().as_bytes(), &limits).map_err(|_| because("jwk"))?;
    let (jwk, key) = own_key(&header, unverified.header().alg()).ok_or(because("jwk"))?;
    let jkt = thumbprint::of(jwk).ok_or(because("jwk"))?;
    let authentic = signature::authenticate(unverified, &Candidates::one(&key)).map_err(invalid)?;
    let claims = read_part(Segment::Payload, authentic.payload(), &limits).map_err(invalid)?;

    let text = |name: &'static str| claims.get(name).and_then(Value::as_str).ok_or(because(name));
    let jti = text("jti")?;
    if jti.is_empty() || jti.len() > LONGEST_JTI {
        return Err(because("jti"));
    }
    if text("htm")? != occasion.method {
        return Err(Denial::DpopMethodMismatch);
    }
    let here = occasion.url.without_query();
    let there = Url::parse(text("htu")?).ok_or(because("htu"))?.without_query();
    if there != here {
        return Err(Denial::DpopUrlMismatch { expected: excerpt(&here), actual: excerpt(&there) });
    }
    if let Some(token) = occasion.token
        && text("ath")? != base64url::encode(&Hash::Sha256.of(&[token.as_bytes()]))
    {
        return Err(Denial::DpopTokenMismatch);
    }
    let made = claims.get("iat").and_then(Value::as_date).ok_or(because("iat"))?;
    let (issued_at, until) = (made.floor, check_time(made, occasion, rules.window)?);
    let next_nonce = match &rules.nonces {
        None => None,
        Some(nonces) => {
            let sent = claims.get("nonce").and_then(Value::as_str).ok_or(Denial::DpopNonceRequired)?;
            let age = nonces.age(sent, occasion.now).ok_or(Denial::DpopNonceRequired)?;
            (age == Age::Previous).then(|| nonces.current(occasion.now))
        }
    };
    // RFC 9449 §11.1: a hash is stored, and no text of the client's choice. Method and URL are in
    // their normal form, so that another spelling is not another proof; `jti` stands last and
    // alone may hold a line feed.
    let place = [&jkt, "\n", occasion.method, "\n", &here, "\n"].concat();
    let replay_key = base64url::encode(&Hash::Sha256.of(&[place.as_bytes(), jti.as_bytes()]));
    Ok(Proof { jkt, replay_key, issued_at, until, next_nonce })
}

/// The public key in the proof's header (RFC 9449 §4.2). Private members are refused (§4.3
/// check 7), and so are secrets.
fn own_key<'o, 'h>(header: &'o Object<'h>, alg: Alg) -> Option<(&'o Object<'h>, VerificationKey)> {
    let Some(Value::Object(jwk)) = header.get("jwk") else { return None };
    let named = jwk::read(jwk, Some(&[alg])).ok()?.ok()?;
    Some((jwk, named.key))
}

/// When the proof is of no use any more.
fn check_time(made: NumericDate, occasion: &Occasion<'_>, window: u64) -> Result<u64, Denial> {
    let (now, issued_at) = (occasion.now, made.floor);
    // Until a window after the instant, which a fraction does not take to the next whole second.
    let last = issued_at.get().saturating_add(window);
    if now.get() > last || !made.ceil.is_reached(now, occasion.leeway) {
        return Err(Denial::DpopTimeMismatch { now, issued_at, window });
    }
    Ok(last.saturating_add(1))
}
