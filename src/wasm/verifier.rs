//! Verification.
//!
//! A token is written into the verifier's own input, and the answer lies in its memory afterwards: neither a string nor an object
//! crosses the boundary while a token is verified.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use wasm_bindgen::prelude::*;

#[cfg(feature = "revocation")]
use super::{
    checked_instant,
    lists::{self, Lists},
};
use super::{exchange::Exchange, thrown};
use crate::verifier::Verifier;

/// A verifier by one policy at a time.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RawVerifier {
    verifier: Verifier,
    exchange: Exchange,
    #[cfg(feature = "revocation")]
    lists: Lists,
}

#[wasm_bindgen]
impl RawVerifier {
    /// Reads the policy.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str) -> Result<RawVerifier, JsValue> {
        let verifier = Verifier::from_json(policy).map_err(|error| thrown(&error))?;
        Ok(RawVerifier {
            verifier,
            exchange: Exchange::new(),
            #[cfg(feature = "revocation")]
            lists: Lists::default(),
        })
    }

    /// Takes another policy in place of the present one, which stays when the other is refused.
    pub fn replace(&mut self, policy: &str) -> Result<(), JsValue> {
        #[cfg_attr(not(feature = "revocation"), allow(unused_mut, reason = "nothing is inherited"))]
        let mut verifier = Verifier::from_json(policy).map_err(|error| thrown(&error))?;
        #[cfg(feature = "revocation")]
        verifier.inherit(&self.verifier);
        self.verifier = verifier;
        Ok(())
    }

    /// Begins to take signed lists of revocations.
    #[cfg(feature = "revocation")]
    #[wasm_bindgen(js_name = beginRevocations)]
    pub fn begin_revocations(&mut self, now: f64) -> Result<(), JsValue> {
        self.lists.begin(now)
    }

    /// Takes the piece of them that is in the input.
    #[cfg(feature = "revocation")]
    #[wasm_bindgen(js_name = moreRevocations)]
    pub fn more_revocations(&mut self, written: usize) {
        self.lists.more(&mut self.verifier, self.exchange.written(written));
    }

    /// What came of them.
    #[cfg(feature = "revocation")]
    #[wasm_bindgen(js_name = endRevocations)]
    pub fn end_revocations(&mut self) -> Result<String, JsValue> {
        self.lists.end(&mut self.verifier)
    }

    /// Takes the Token Status List of that URI.
    #[cfg(feature = "revocation")]
    #[wasm_bindgen(js_name = applyStatusList)]
    pub fn apply_status_list(&mut self, uri: &str, jwt: &str, now: f64) -> Result<String, JsValue> {
        lists::told(self.verifier.apply_status_list(uri, jwt, checked_instant(now)?))
    }

    /// Takes the JWK Set that an issuer publishes: a `KeyReport` as JSON.
    #[wasm_bindgen(js_name = setRemoteKeys)]
    pub fn set_remote_keys(&mut self, issuer: &str, jwks: &str) -> Result<String, JsValue> {
        let report = self.verifier.set_remote_keys(issuer, jwks).map_err(|error| thrown(&error))?;
        Ok(serde_json::to_string(&report).unwrap_or_default())
    }

    /// Where the input is.
    pub fn input(&self) -> usize {
        self.exchange.input()
    }

    /// Length of the input, in bytes.
    #[wasm_bindgen(js_name = inputBytes)]
    pub fn input_bytes(&self) -> usize {
        self.exchange.input_bytes()
    }

    /// Where the answer is.
    pub fn answer(&self) -> usize {
        self.exchange.answer()
    }

    /// The verdict about a token.
    pub fn verify(&mut self, written: usize, length: usize, now: f64) -> u8 {
        self.exchange.verify(&self.verifier, written, length, now)
    }

    /// The verdict about the value of an Authorization header, or about there being none.
    #[wasm_bindgen(js_name = verifyAuthorization)]
    pub fn verify_authorization(
        &mut self,
        present: bool,
        written: usize,
        length: usize,
        now: f64,
        checked: bool,
    ) -> u8 {
        self.exchange.verify_authorization(&self.verifier, present, written, length, now, checked)
    }

    /// What is kept to be fast, as JSON.
    pub fn stats(&self) -> String {
        serde_json::to_string(&self.verifier.stats()).unwrap_or_default()
    }
}
