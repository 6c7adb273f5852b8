//! Signing keys and minting.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use wasm_bindgen::prelude::*;

use super::{checked_instant, thrown};
use crate::issuer::{AccessTokenRequest, IssuerError, SigningKey};
use crate::{alg::Alg, policy_error::PolicyError};

/// A private key.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RawSigningKey(SigningKey);

#[wasm_bindgen]
impl RawSigningKey {
    /// A new key.
    pub fn generate(alg: &str) -> Result<RawSigningKey, JsValue> {
        let alg = Alg::from_name(alg).ok_or_else(|| thrown(&PolicyError::at("alg", "must be ES256 or EdDSA")))?;
        SigningKey::generate(alg).map(RawSigningKey).map_err(|error| failed(&error))
    }

    /// A key from its private JWK.
    #[wasm_bindgen(js_name = fromJwk)]
    pub fn from_jwk(jwk: &str) -> Result<RawSigningKey, JsValue> {
        SigningKey::from_private_jwk(jwk).map(RawSigningKey).map_err(|error| thrown(&error))
    }

    /// The thumbprint.
    #[wasm_bindgen(getter)]
    pub fn kid(&self) -> String {
        self.0.kid().to_owned()
    }

    /// The algorithm.
    #[wasm_bindgen(getter)]
    pub fn alg(&self) -> String {
        self.0.alg().name().to_owned()
    }

    /// The public half, as JSON.
    #[wasm_bindgen(js_name = publicJwk)]
    pub fn public_jwk(&self) -> String {
        self.0.public_jwk()
    }

    /// The private key, as JSON.
    #[wasm_bindgen(js_name = privateJwk)]
    pub fn private_jwk(&self) -> String {
        self.0.private_jwk()
    }

    /// A signed access token.
    pub fn mint(&self, request: &str, now: f64) -> Result<String, JsValue> {
        let now = checked_instant(now)?;
        let request = AccessTokenRequest::from_json(request).map_err(|error| thrown(&error))?;
        request.sign(&self.0, now).map_err(|error| failed(&error))
    }
}

fn failed(error: &IssuerError) -> JsValue {
    match error {
        IssuerError::Invalid(error) => thrown(error),
        // Not the caller's mistake, which is told by its member. A string all the same: whatever
        // else is thrown is taken for a trap.
        IssuerError::Randomness => JsValue::from_str(&[r#"{"failure":""#, &error.to_string(), r#""}"#].concat()),
    }
}
