//! What needs no policy: a signature alone, and a look at a token.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use wasm_bindgen::prelude::*;

use super::thrown;
use crate::{
    jws::compact::{check_length, decode_unverified},
    keys::jwk,
    limits::Limits,
    rejection::Rejection,
    verifier::verify_jws,
};

/// The signature alone (RFC 7515 §5.2): the verdict as JSON, a zero, and the payload. `length` is
/// the token's real length: of a huge one only the beginning is handed over.
#[wasm_bindgen(js_name = verifyJws)]
pub fn verify_jws_with_jwk(jws: &str, length: usize, jwk: &str) -> Result<Vec<u8>, JsValue> {
    let named = jwk::parse(jwk).map_err(|error| thrown(&error))?;
    let limits = Limits::default();
    let outcome = check_length(length, &limits).and_then(|()| verify_jws(jws, &named.key));
    let (json, payload) = match &outcome {
        // The header passed the strict reader, so its text can stand in a JSON text as it is.
        Ok(token) => ([r#"{"ok":true,"header":"#, token.header().text(), "}"].concat(), token.payload()),
        Err(rejection) => (rejection.to_json(), [].as_slice()),
    };
    let mut told = json.into_bytes();
    // JSON holds no zero.
    told.push(0);
    told.extend_from_slice(payload);
    Ok(told)
}

/// A token decoded and not verified, as JSON.
#[wasm_bindgen]
pub fn inspect(token: &str, length: usize) -> String {
    let limits = Limits::default();
    let parts = check_length(length, &limits).and_then(|()| decode_unverified(token, &limits));
    let json = |(header, claims): (String, String)| {
        [r#"{"ok":true,"verified":false,"header":"#, &header, r#","claims":"#, &claims, "}"].concat()
    };
    parts.map_or_else(|rejection: Rejection| rejection.to_json(), json)
}
