//! Token exchange (RFC 8693): a token of an upstream issuer, verified by our own verifier, for one
//! of ours.

use serde_json::Value;

use super::{
    super::bounds,
    Issuer,
    authenticate::Caller,
    channel::Channel,
    dpop_proof::{self, Proof},
    error_response::ErrorResponse,
    settings::Upstream,
    subject_token::{self, Named},
    token_response::{self, Wanted},
};
use crate::{jws::compact::names_unverified, limits::Limits, rejection::Rejection, verifier::Accepted};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// What a subject token may be called (RFC 8693 §3). Which kinds are taken says the policy, by
/// `types`; the name is the client's.
const SUBJECT_TYPES: [&str; 3] =
    [ACCESS_TOKEN, "urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/// Exchanges a token. What is issued lives no longer than what was shown.
pub(super) async fn answer(
    issuer: &Issuer,
    caller: &Caller<'_>,
    proof: Option<&Proof>,
    channel: &Channel,
) -> Result<Value, ErrorResponse> {
    let form = &caller.form;
    if !SUBJECT_TYPES.contains(&form.required("subject_token_type")?) {
        let known = SUBJECT_TYPES.join(", ");
        return Err(ErrorResponse::request("subject_token_type", &format!("must be one of {known}")));
    }
    if form.get("requested_token_type").is_some_and(|wanted| wanted != ACCESS_TOKEN) {
        return Err(ErrorResponse::request("requested_token_type", &format!("must be {ACCESS_TOKEN}")));
    }
    for parameter in ["actor_token", "actor_token_type"] {
        if form.get(parameter).is_some() {
            return Err(ErrorResponse::request(
                parameter,
                "is not supported: this issuer supports impersonation, not delegation. Leave it out",
            ));
        }
    }
    let audience = issuer.settings.audience(caller.client);
    for parameter in ["audience", "resource"] {
        if form.get(parameter).is_some_and(|wanted| wanted != audience) {
            // RFC 8693 §2.2.2
            return Err(ErrorResponse::new(
                400,
                "invalid_target",
                format!("{parameter}: must be the audience of this client's tokens"),
            ));
        }
    }
    let upstream = issuer.settings.upstream.as_ref().ok_or_else(ErrorResponse::unavailable)?;
    let accepted = verified(upstream, form.required("subject_token")?, channel).await?;
    let claims = accepted.claims();
    let subject = claims.sub.as_deref().filter(|sub| !sub.is_empty());
    let subject = subject.ok_or_else(|| refused("has no sub"))?;
    // Two issuers may each have an alice. An issuer is a URL without a fragment, so that the name
    // is read in one way only.
    let qualified = format!("{}#{subject}", claims.iss);
    let subject = if upstream.verbatim { subject } else { &qualified };
    bounds::check_text("sub", subject, bounds::SUBJECT)
        .map_err(|error| refused(&format!("has a sub that {}", error.reason())))?;
    let acting = Named { client: &caller.client.id, issuer: &issuer.settings.issuer };
    let jkt = proof.map(|proof| proof.jkt.as_str());
    subject_token::check(accepted.payload(), &acting, jkt)?;
    let scope = subject_token::scope(accepted.payload(), caller.client.scope.as_deref(), form.get("scope"))?;
    dpop_proof::remember(proof, channel).await?;
    let wanted = Wanted {
        subject,
        scope: scope.as_deref(),
        jkt,
        longest_seconds: claims.exp.get().saturating_sub(channel.now().get()).max(1),
    };
    let mut body = token_response::alone(issuer, channel, caller.client, wanted).await?;
    body.insert("issued_token_type".to_owned(), ACCESS_TOKEN.into());
    Ok(Value::Object(body))
}

/// RFC 8693 §2.2.2: a subject token that is no good is an invalid request.
fn refused(reason: &str) -> ErrorResponse {
    ErrorResponse::request("subject_token", reason)
}

/// Verifies the token; once more when keys that were missing have come.
async fn verified(upstream: &Upstream, token: &str, channel: &Channel) -> Result<Accepted, ErrorResponse> {
    let verify = || upstream.with(|verifier| verifier.verify(token, channel.now()));
    let rejection = match verify() {
        Ok(accepted) => return Ok(accepted),
        Err(rejection) => rejection,
    };
    let Some((issuer, kid)) = wanting(upstream, token, &rejection) else { return Err(refused(rejection.code())) };
    if channel.fetch_keys(issuer.clone(), kid).await {
        return verify().map_err(|rejection| refused(rejection.code()));
    }
    let has_keys = |verifier: &mut crate::verifier::Verifier| {
        let keys = verifier.stats().keys;
        keys.iter().any(|key| key.issuer == issuer)
    };
    // Without any key of the issuer there is nothing to say against the token.
    if upstream.with(has_keys) { Err(refused(rejection.code())) } else { Err(ErrorResponse::without_keys(&issuer)) }
}

/// Whose keys are to be fetched: those of the issuer that the token names, if its keys are
/// published and this one is not among them. Nobody has checked who wrote the name: it chooses
/// between configured places.
fn wanting(upstream: &Upstream, token: &str, rejection: &Rejection) -> Option<(String, Option<String>)> {
    if !rejection.concerns_keys() {
        return None;
    }
    let (named, kid) = names_unverified(token, &Limits::default())?;
    let issuer = named?;
    let published = upstream.with(|verifier| verifier.policy().remotes().any(|remote| remote.issuer == issuer));
    published.then_some((issuer, kid))
}
