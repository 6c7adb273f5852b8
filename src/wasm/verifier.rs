//! Verification.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{instant, thrown};
use crate::{
    bearer,
    jws::compact::{check_length, decode_unverified},
    keys::jwk,
    limits::Limits,
    rejection::Rejection,
    time::UnixSeconds,
    verifier::{Verifier, verify_jws},
};

/// A verifier by one policy.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RawVerifier(Verifier);

#[wasm_bindgen]
impl RawVerifier {
    /// Reads the policy.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str) -> Result<RawVerifier, JsValue> {
        Verifier::from_json(policy).map(RawVerifier).map_err(|error| thrown(&error))
    }

    /// The verdict about a token, as JSON. `length` is the token's real length: of a huge one only the beginning is handed over.
    pub fn verify(&self, token: &str, length: usize, now: f64) -> Result<String, JsValue> {
        let now = instant(now)?;
        Ok(answer(self.check_length(length).and_then(|()| self.verdict(token, now))))
    }

    /// The verdict about the value of an Authorization header, as JSON.
    #[wasm_bindgen(js_name = verifyAuthorization)]
    pub fn verify_authorization(&self, value: Option<String>, length: usize, now: f64) -> Result<String, JsValue> {
        let now = instant(now)?;
        let token = match value.as_deref() {
            // Of a value past every limit only the beginning was handed over: it is too large whatever its end would say.
            Some(value) if length > value.len() => self.check_length(length).and_then(|()| bearer::token(Some(value))),
            value => bearer::token(value),
        };
        Ok(answer(token.and_then(|token| self.verdict(token, now))))
    }
}

impl RawVerifier {
    fn check_length(&self, length: usize) -> Result<(), Rejection> {
        check_length(length, self.0.policy().limits())
    }

    fn verdict(&self, token: &str, now: UnixSeconds) -> Result<String, Rejection> {
        let accepted = self.0.verify(token, now)?;
        // Both texts passed the strict reader, so they can stand in a JSON text as they are: the payload is parsed by the
        // runtime once, and never written anew by us.
        Ok(format!(r#"{{"ok":true,"header":{},"claims":{}}}"#, accepted.header().text(), accepted.payload()))
    }
}

/// The signature alone (RFC 7515 §5.2): `[verdict as JSON, payload]`.
#[wasm_bindgen(js_name = verifyJws)]
pub fn verify_jws_with_jwk(jws: &str, length: usize, jwk: &str) -> Result<Array, JsValue> {
    let named = jwk::parse(jwk).map_err(|error| thrown(&error))?;
    let limits = Limits::default();
    let outcome = check_length(length, &limits).and_then(|()| verify_jws(jws, &named.key));
    let (json, payload) = match outcome {
        Ok(token) => {
            (format!(r#"{{"ok":true,"header":{}}}"#, token.header().text()), Uint8Array::from(token.payload()))
        }
        Err(rejection) => (rejection.to_json(), Uint8Array::new_with_length(0)),
    };
    Ok(Array::of2(&JsValue::from_str(&json), &payload))
}

/// A token decoded and not verified, as JSON.
#[wasm_bindgen]
pub fn inspect(token: &str, length: usize) -> String {
    let limits = Limits::default();
    let parts = check_length(length, &limits).and_then(|()| decode_unverified(token, &limits));
    answer(
        parts.map(|(header, claims)| format!(r#"{{"ok":true,"verified":false,"header":{header},"claims":{claims}}}"#)),
    )
}

fn answer(outcome: Result<String, Rejection>) -> String {
    outcome.unwrap_or_else(|rejection| rejection.to_json())
}
