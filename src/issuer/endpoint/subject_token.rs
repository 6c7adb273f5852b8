//! What a subject token says beside its subject, and what an exchange must not lose of it
//! (RFC 8693): no token comes out of an exchange that may do more, be used by others, or hide who
//! acts.

use serde_json::{Map, Value};

use super::{
    super::scope::{common, narrowed},
    error_response::ErrorResponse,
};
use crate::{binding::Confirmation, document};

const PARAMETER: &str = "subject_token";

/// Who asks for the exchange.
pub(super) struct Named<'n> {
    pub(super) client: &'n str,
    /// Whose client it is.
    pub(super) issuer: &'n str,
}

/// Checks what else the token says: to whose key it is bound, and who may act for its subject.
pub(super) fn check(payload: &str, acting: &Named<'_>, jkt: Option<&str>) -> Result<(), ErrorResponse> {
    is_bound_to(payload, jkt)?;
    let claims = read(payload);
    // STRICTER than RFC 8693 §4.1: the chain of actors would end in another issuer's names, or be
    // lost.
    if claims.contains_key("act") {
        return Err(refused("has an act claim: a delegated token cannot be exchanged again"));
    }
    match claims.get("may_act") {
        None => Ok(()),
        Some(party) if names(party, acting) => Ok(()),
        Some(_) => Err(refused("has a may_act claim that does not name this client")),
    }
}

/// A token that is bound stays so, and its key has to be proven here (RFC 9449 §5, §6; RFC 7800
/// §3).
fn is_bound_to(payload: &str, jkt: Option<&str>) -> Result<(), ErrorResponse> {
    let claims = document::parse(payload).map_err(|_| refused("cannot be decoded"))?;
    let confirmation = Confirmation::of(&claims)
        .map_err(|_| refused("has a cnf that is not supported; use a DPoP-bound token or one without cnf"))?;
    let Some(confirmation) = confirmation else { return Ok(()) };
    if confirmation.x5t.is_some() {
        return Err(refused("is bound to a client certificate, which is not supported here: use a DPoP-bound token"));
    }
    match (confirmation.jkt, jkt) {
        (Some(_), None) => Err(ErrorResponse::proof("is required: the subject token is bound to a key")),
        (Some(bound), Some(proven)) if bound != proven => Err(refused("is bound to another key than the DPoP proof's")),
        _ => Ok(()),
    }
}

/// RFC 8693 §4.4: does `may_act` name this client? By `sub` or `client_id`, and if by `iss`, as
/// one of this issuer's; nothing else is known of a client, so that anything else names another
/// party.
fn names(party: &Value, acting: &Named<'_>) -> bool {
    let Value::Object(party) = party else { return false };
    let known = party.iter().all(|(name, value)| match name.as_str() {
        "sub" | "client_id" => value == acting.client,
        "iss" => value == acting.issuer,
        _ => false,
    });
    known && (party.contains_key("sub") || party.contains_key("client_id"))
}

/// The scope of what is issued: of what is asked for, or of all that the client may have, what the
/// token has. A token without a scope gives none.
pub(super) fn scope(payload: &str, client: Option<&str>, asked: Option<&str>) -> Result<Option<String>, ErrorResponse> {
    if narrowed(client, asked).is_none() {
        return Err(ErrorResponse::scope("must be within this client's scope"));
    }
    let held = common(held(&read(payload)).as_deref(), client);
    narrowed(held.as_deref(), asked).ok_or_else(|| ErrorResponse::scope("must be within the subject token's scope"))
}

/// `scope` (RFC 8693 §4.2), or the `scp` that some issuers write instead, a text or an array of
/// texts. A text of an array is one scope, and none when there is a space in it: it would be two
/// beside the others.
fn held(claims: &Map<String, Value>) -> Option<String> {
    let texts = match claims.get("scope").or_else(|| claims.get("scp"))? {
        Value::String(text) => text.clone(),
        Value::Array(texts) => {
            let texts = texts.iter().filter_map(Value::as_str);
            texts.filter(|text| !text.contains(' ')).collect::<Vec<_>>().join(" ")
        }
        _ => return None,
    };
    Some(texts)
}

fn read(payload: &str) -> Map<String, Value> {
    // The strict reader has found it to be an object.
    serde_json::from_str(payload).unwrap_or_default()
}

fn refused(reason: &str) -> ErrorResponse {
    ErrorResponse::request(PARAMETER, reason)
}
