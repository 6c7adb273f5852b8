//! The proof that comes with a token request (RFC 9449 §5): whose key the tokens will be bound to.

use super::{channel::Channel, failure::Failure, request::Request, settings::Settings};
use crate::{
    alg::Alg,
    binding::{
        dpop::{self, Occasion, ProofRules},
        uri::Url,
    },
    time::Leeway,
};

/// The algorithms of proofs, as the metadata say (RFC 9449 §5.1).
pub(super) const ALGORITHMS: [Alg; 3] = [Alg::Es256, Alg::EdDsa, Alg::Rs256];

/// How old a proof may be, in seconds.
const WINDOW_SECONDS: u64 = 60;

/// The thumbprint of the proof's key, or `None` for a request without a proof.
pub(super) async fn thumbprint(
    settings: &Settings,
    request: &Request,
    channel: &Channel,
) -> Result<Option<String>, Failure> {
    let Some(proof) = request.header("dpop") else { return Ok(None) };
    // What the client calls, and not what a proxy has made of it.
    let endpoint = settings.endpoint("/token");
    let url = Url::parse(&endpoint).ok_or_else(|| Failure::proof("cannot be compared with this place"))?;
    let occasion = Occasion { method: "POST", url: &url, token: None, now: channel.now(), leeway: Leeway::default() };
    let rules = ProofRules { algorithms: ALGORITHMS.to_vec(), window: WINDOW_SECONDS, nonces: None };
    let proof = dpop::check(&proof, &occasion, &rules).map_err(|denial| Failure::proof(denial.message()))?;
    // RFC 9449 §11.1. Asked last, since asking uses it up.
    if !channel.is_first(&format!("p/{}", proof.replay_key), proof.until).await? {
        return Err(Failure::proof("was used before"));
    }
    Ok(Some(proof.jkt))
}
