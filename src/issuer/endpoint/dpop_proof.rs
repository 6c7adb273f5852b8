//! The proof that comes with a token request (RFC 9449 §5): whose key the tokens will be bound to.

use super::{channel::Channel, error_response::ErrorResponse, request::Request, settings::Settings};
use crate::{
    alg::Alg,
    binding::{
        dpop::{self, Occasion, ProofRules},
        uri::Url,
    },
    time::{Leeway, UnixSeconds},
};

/// The algorithms of proofs, as the metadata say (RFC 9449 §5.1).
pub(super) const ALGORITHMS: [Alg; 3] = [Alg::Es256, Alg::EdDsa, Alg::Rs256];

/// How old a proof may be, in seconds.
const WINDOW_SECONDS: u64 = 60;

/// A proof that is good, unless it was used before.
pub(super) struct Proof {
    /// The thumbprint of its key.
    pub(super) jkt: String,
    replay_key: String,
    until: u64,
}

/// Checks the proof; `None` for a request without one.
pub(super) fn checked(
    settings: &Settings,
    request: &Request,
    endpoint: &str,
    now: UnixSeconds,
) -> Result<Option<Proof>, ErrorResponse> {
    let Some(proof) = request.header("dpop") else { return Ok(None) };
    // What the client calls, and not what a proxy has made of it.
    let endpoint = settings.endpoint(endpoint);
    let url =
        Url::parse(&endpoint).ok_or_else(|| ErrorResponse::proof("cannot be compared with this endpoint's URL"))?;
    let occasion = Occasion { method: "POST", url: &url, token: None, now, leeway: Leeway::default() };
    let rules = ProofRules { algorithms: ALGORITHMS.to_vec(), window: WINDOW_SECONDS, nonces: None };
    let proof = dpop::check(&proof, &occasion, &rules).map_err(|denial| ErrorResponse::proof(&denial.message()))?;
    Ok(Some(Proof { replay_key: format!("p/{}", proof.replay_key), jkt: proof.jkt, until: proof.until }))
}

/// Uses a proof up (RFC 9449 §11.1). It is asked last, once the grant is known to be good: anybody
/// can sign proofs, and those of strangers would fill the store.
pub(super) async fn remember(proof: Option<&Proof>, channel: &Channel) -> Result<(), ErrorResponse> {
    match proof {
        Some(proof) if !channel.is_first(&proof.replay_key, proof.until).await? => {
            Err(ErrorResponse::proof("was used before. Make one for each request"))
        }
        _ => Ok(()),
    }
}
