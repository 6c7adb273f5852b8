//! Verification.
//!
//! A token is written into the verifier's own input, and the answer lies in its memory afterwards:
//! neither a string nor an object crosses the boundary while a token is verified.
//!
//! State is interior: an exported method takes `&self`, so that no call holds the object against
//! another.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use core::cell::RefCell;

use wasm_bindgen::prelude::*;

use super::{thrown, verdict_memory::VerdictMemory};
use crate::verifier::Verifier;

/// A verifier by one policy at a time.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RawVerifier {
    verifier: RefCell<Verifier>,
    memory: RefCell<VerdictMemory>,
    #[cfg(feature = "revocation")]
    lists: RefCell<super::lists::Lists>,
}

#[wasm_bindgen]
impl RawVerifier {
    /// Reads the policy.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str) -> Result<RawVerifier, JsValue> {
        let verifier = Verifier::from_json(policy).map_err(|error| thrown(&error))?;
        Ok(RawVerifier {
            verifier: RefCell::new(verifier),
            memory: RefCell::new(VerdictMemory::new()),
            #[cfg(feature = "revocation")]
            lists: RefCell::default(),
        })
    }

    /// Takes another policy in place of the present one, which stays as it is when the other is
    /// refused.
    pub fn replace(&self, policy: &str) -> Result<(), JsValue> {
        let verifier = self.verifier.borrow().replaced(policy).map_err(|error| thrown(&error))?;
        *self.verifier.borrow_mut() = verifier;
        Ok(())
    }

    /// Takes the JWK Set that an issuer publishes: a `KeyReport` as JSON.
    #[wasm_bindgen(js_name = setRemoteKeys)]
    pub fn set_remote_keys(&self, issuer: &str, jwks: &str) -> Result<String, JsValue> {
        let report = self.verifier.borrow_mut().set_remote_keys(issuer, jwks).map_err(|error| thrown(&error))?;
        Ok(serde_json::to_string(&report).unwrap_or_default())
    }

    /// Where the input is.
    pub fn input(&self) -> usize {
        self.memory.borrow().input()
    }

    /// Length of the input, in bytes.
    #[wasm_bindgen(js_name = inputBytes)]
    pub fn input_bytes(&self) -> usize {
        self.memory.borrow().input_bytes()
    }

    /// Where the answer is.
    pub fn answer(&self) -> usize {
        self.memory.borrow().answer()
    }

    /// The verdict about a token.
    pub fn verify(&self, written: usize, length: usize, now: f64) -> u8 {
        self.memory.borrow_mut().verify(&self.verifier.borrow(), written, length, now)
    }

    /// The verdict about the value of an Authorization header, or about there being none.
    #[wasm_bindgen(js_name = verifyAuthorization)]
    pub fn verify_authorization(&self, present: bool, written: usize, length: usize, now: f64, checked: bool) -> u8 {
        let verifier = self.verifier.borrow();
        self.memory.borrow_mut().verify_authorization(&verifier, present, written, length, now, checked)
    }

    /// What is kept to be fast, as JSON.
    pub fn stats(&self) -> String {
        serde_json::to_string(&self.verifier.borrow().stats()).unwrap_or_default()
    }
}

#[cfg(feature = "revocation")]
#[wasm_bindgen]
impl RawVerifier {
    /// Begins to take signed lists of revocations.
    #[wasm_bindgen(js_name = beginRevocations)]
    pub fn begin_revocations(&self, now: f64) -> Result<(), JsValue> {
        self.lists.borrow_mut().begin(now)
    }

    /// Takes the piece of them that is in the input.
    #[wasm_bindgen(js_name = moreRevocations)]
    pub fn more_revocations(&self, written: usize) {
        let memory = self.memory.borrow();
        self.lists.borrow_mut().more(&mut self.verifier.borrow_mut(), memory.written(written));
    }

    /// What came of them.
    #[wasm_bindgen(js_name = endRevocations)]
    pub fn end_revocations(&self) -> Result<String, JsValue> {
        self.lists.borrow_mut().end(&mut self.verifier.borrow_mut())
    }

    /// What was taken of them: 0 for nothing, and otherwise what the most of it was: 1 for
    /// renewals, 2 for deltas, 3 for a snapshot.
    #[wasm_bindgen(js_name = takenRevocations)]
    pub fn taken_revocations(&self) -> u8 {
        self.lists.borrow().taken()
    }

    /// Notes that lists were held which are gone with their instance.
    #[wasm_bindgen(js_name = loseRevocations)]
    pub fn lose_revocations(&self) {
        self.verifier.borrow_mut().lose_revocations();
    }

    /// Takes the Token Status List of that URI.
    #[wasm_bindgen(js_name = applyStatusList)]
    pub fn apply_status_list(&self, uri: &str, jwt: &str, now: f64) -> Result<String, JsValue> {
        super::lists::told(self.verifier.borrow_mut().apply_status_list(uri, jwt, super::checked_instant(now)?))
    }
}
