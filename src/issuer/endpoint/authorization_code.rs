//! Authorization codes that the application minted (RFC 6749 §4.1, RFC 7636): it has checked its
//! user's credentials, and a client redeems.
//!
//! | the code's entry | what a redemption does |
//! | --- | --- |
//! | fresh | marks it with a session's name; then as below |
//! | begun: nobody was answered yet | begins that session, or takes it as it is; answers once it has marked the entry as answered |
//! | answered | ends the session (RFC 6749 §4.1.2) |
//!
//! The last mark is one compare-and-swap: of redemptions that overlap one is answered, and every
//! other finds the mark and ends the session, which is in the store by then. What failed before
//! that mark has answered nobody, and a retry goes on from there.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Issuer,
    authenticate::{Caller, is_same},
    channel::{Channel, Unavailable},
    code::{Code, read, remembered, written},
    dpop_proof::{self, Proof},
    error_response::ErrorResponse,
    id_token, session_operations, store_keys, token_response,
};
use crate::issuer::{
    random::random,
    sessions::{
        grant::Grant,
        grant_error::GrantError,
        operation::{Operation, Outcome},
        session::{Inspected, current_token},
        session_id::SessionId,
        start::{Seed, Start},
    },
};
use crate::{base64url, time::UnixSeconds};

/// How often a lost race for the first mark is run again. Whoever won has marked it, so that one
/// more look is enough.
const ATTEMPTS: u32 = 4;

/// Redeems a code for a session.
pub(super) async fn redeem(
    issuer: &Issuer,
    caller: &Caller<'_>,
    proof: Option<&Proof>,
    channel: &Channel,
) -> Result<Value, ErrorResponse> {
    let key = store_keys::code(caller.form.required("code")?);
    let mut admitted = false;
    for _ in 0..ATTEMPTS {
        let found = channel.read(&key).await?.ok_or_else(|| {
            ErrorResponse::grant("code", "is unknown or has ended. Begin a new authorization request")
        })?;
        let code = read(&found)?;
        check(&code, caller, proof)?;
        if let Some(sid) = &code.sid {
            return Err(used_twice(issuer, sid, channel).await?);
        }
        if code.expires <= channel.now().get() {
            return Err(ErrorResponse::grant("code", "has expired. Begin a new authorization request"));
        }
        if !admitted {
            caller.count_public(channel).await?;
            dpop_proof::remember(proof, channel).await?;
            admitted = true;
        }
        let (sid, version) = match &code.begun {
            Some(sid) => (SessionId::parse(sid).ok_or(Unavailable)?, found.version),
            None => {
                let sid = SessionId::from_bytes(random()?);
                let begun = Code { begun: Some(sid.to_string()), ..code.clone() };
                if !channel.swap(&key, found.version, written(&begun), remembered(channel)).await? {
                    continue;
                }
                (sid, found.version.saturating_add(1))
            }
        };
        let is_new = code.begun.is_none();
        let grant = session(issuer, caller, &code, proof, sid, is_new, channel).await?;
        // Signed before the mark: what fails here has answered nobody, and the code is as good.
        let mut body = token_response::of_session(issuer, caller.client, &grant)?;
        id_token::add(&mut body, &issuer.settings, &grant, code.nonce.as_deref())?;
        let answered = Code { begun: None, sid: Some(sid.to_string()), answered: Some(nonce()?), ..code };
        if !is_answered(&key, version, &answered, channel).await? {
            return Err(used_twice(issuer, &sid.to_string(), channel).await?);
        }
        return Ok(Value::Object(body));
    }
    Err(ErrorResponse::unavailable())
}

/// Is the request whose code it is? Nobody but the client that asked for it can use a code, and so
/// neither use it up nor end a session with it.
fn check(code: &Code, caller: &Caller<'_>, proof: Option<&Proof>) -> Result<(), ErrorResponse> {
    let form = &caller.form;
    let (redirect_uri, verifier) = (form.required("redirect_uri")?, form.required("code_verifier")?);
    if !is_verifier(verifier) {
        return Err(ErrorResponse::request(
            "code_verifier",
            "must be 43 to 128 unreserved characters (RFC 7636 section 4.1)",
        ));
    }
    if code.client != caller.client.id {
        return Err(ErrorResponse::grant("code", "was issued to another client"));
    }
    if code.redirect_uri != redirect_uri {
        return Err(ErrorResponse::grant("redirect_uri", "differs from the redirect_uri of the authorization request"));
    }
    if !is_same(code.challenge.as_bytes(), base64url::encode(&Sha256::digest(verifier)).as_bytes()) {
        return Err(ErrorResponse::grant("code_verifier", "does not match the code_challenge"));
    }
    if code.jkt.is_some() && code.jkt.as_ref() != proof.map(|proof| &proof.jkt) {
        return Err(ErrorResponse::grant("code", "is bound to another key than the DPoP proof's"));
    }
    Ok(())
}

/// The session of that name: begun now, or by a redemption before whose answer went to nobody.
async fn session(
    issuer: &Issuer,
    caller: &Caller<'_>,
    code: &Code,
    proof: Option<&Proof>,
    sid: SessionId,
    is_new: bool,
    channel: &Channel,
) -> Result<Grant, ErrorResponse> {
    let jkt = proof.map(|proof| proof.jkt.clone());
    if !is_new && let Some(grant) = found(issuer, sid, jkt.as_deref(), channel).await? {
        return Ok(grant);
    }
    let start = Start {
        subject: code.subject.clone(),
        client: code.client.clone(),
        confidential: caller.client.is_confidential(),
        scope: code.scope.clone(),
        jkt: jkt.clone(),
        acr: code.acr.clone(),
        amr: code.amr.clone(),
        claims: code.claims.clone(),
        auth_time: UnixSeconds::new(code.auth_time),
    };
    match token_response::begin(issuer, channel, start, Seed::new(*sid.as_bytes(), random()?)).await {
        // Another redemption was faster, or the row was written and the answer lost.
        Err(failure) if failure.is_retryable() => found(issuer, sid, jkt.as_deref(), channel).await?.ok_or(failure),
        begun => begun,
    }
}

/// What the session of that name grants, if it is there.
async fn found(
    issuer: &Issuer,
    sid: SessionId,
    jkt: Option<&str>,
    channel: &Channel,
) -> Result<Option<Grant>, ErrorResponse> {
    let rules = &issuer.settings.rules;
    match session_operations::run(issuer, channel, Operation::inspect(Inspected::Session(sid)), None).await? {
        Outcome::Live(row) if row.jkt.as_deref() != jkt => {
            Err(ErrorResponse::grant("code", "is bound to another key than the DPoP proof's"))
        }
        Outcome::Live(row) => {
            let now = channel.now();
            let grant = Grant::of(&row, row.scope.clone(), row.jkt.clone(), now, rules);
            Ok(Some(grant.with_refresh_token(current_token(&row, now, rules))))
        }
        Outcome::Refused(GrantError::SessionMissing) => Ok(None),
        Outcome::Refused(refusal) => Err(ErrorResponse::refused("code", refusal)),
        _ => Err(ErrorResponse::unavailable()),
    }
}

/// Marks the code as answered; `false` when another redemption was.
///
/// A mark whose outcome is not known is written once more, from the same version: should the first
/// still be on its way, it then comes too late. One that is refused may be this very mark, written
/// before.
async fn is_answered(key: &str, version: u64, answered: &Code, channel: &Channel) -> Result<bool, ErrorResponse> {
    let mark = || channel.swap(key, version, written(answered), remembered(channel));
    let held = match mark().await {
        Ok(held) => held,
        Err(Unavailable) => mark().await.unwrap_or(false),
    };
    if held {
        return Ok(true);
    }
    match channel.read(key).await?.as_ref().map(read).transpose()? {
        Some(code) if code.answered == answered.answered => Ok(true),
        Some(code) if code.sid.is_none() => Err(ErrorResponse::unavailable()),
        _ => Ok(false),
    }
}

/// RFC 6749 §4.1.2: a code that is used again has been seen by two, and what came of it ends.
async fn used_twice(issuer: &Issuer, sid: &str, channel: &Channel) -> Result<ErrorResponse, ErrorResponse> {
    let sid = SessionId::parse(sid).ok_or(Unavailable)?;
    session_operations::end(issuer, channel, sid).await?;
    Ok(ErrorResponse::grant("code", "was used before; the session that it began has ended"))
}

fn nonce() -> Result<String, ErrorResponse> {
    Ok(base64url::encode(&random::<16>()?))
}

/// RFC 7636 §4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}
