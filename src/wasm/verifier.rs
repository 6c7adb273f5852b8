//! Verification.
//!
//! A token is written into the verifier's own input, and the answer lies in its memory afterwards: neither a string nor an object
//! crosses the boundary while a token is verified.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use std::sync::Arc;

use wasm_bindgen::prelude::*;

use super::{instant, number, thrown};
use crate::{
    bearer,
    jws::{compact::check_length, header::Header},
    policy_error::PolicyError,
    verifier::Verifier,
};

/// The caller's own mistake: the text is a `PolicyError` as JSON.
const MISTAKE: u8 = 0;
/// The text is a rejection as JSON.
const REFUSED: u8 = 1;
/// The text is the payload.
const ACCEPTED: u8 = 2;

/// A verifier by one policy at a time.
#[wasm_bindgen]
#[derive(Debug)]
pub struct RawVerifier {
    verifier: Verifier,
    input: Box<[u8]>,
    text: Vec<u8>,
    header: Option<Arc<Header>>,
    /// Address and length of the text, address, length and number of the header, and from when until when the token is accepted.
    answer: Box<[f64; 7]>,
}

#[wasm_bindgen]
impl RawVerifier {
    /// Reads the policy.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &str) -> Result<RawVerifier, JsValue> {
        let verifier = Verifier::from_json(policy).map_err(|error| thrown(&error))?;
        let input = vec![0; bearer::LONGEST + 1].into_boxed_slice();
        Ok(RawVerifier { verifier, input, text: Vec::new(), header: None, answer: Box::default() })
    }

    /// Takes another policy in place of the present one, which stays when the other is refused.
    pub fn replace(&mut self, policy: &str) -> Result<(), JsValue> {
        self.verifier = Verifier::from_json(policy).map_err(|error| thrown(&error))?;
        Ok(())
    }

    /// Where the input is.
    pub fn input(&self) -> usize {
        self.input.as_ptr().addr()
    }

    /// Length of the input, in bytes: more than any token or Authorization value may have.
    #[wasm_bindgen(js_name = inputBytes)]
    pub fn input_bytes(&self) -> usize {
        self.input.len()
    }

    /// Where the answer is.
    pub fn answer(&self) -> usize {
        self.answer.as_ptr().addr()
    }

    /// The verdict about a token. The first `written` of its `length` bytes are in the input; more than the input holds are too many.
    pub fn verify(&mut self, written: usize, length: usize, now: f64) -> u8 {
        self.decide(now, written, length, What::Token)
    }

    /// The verdict about the value of an Authorization header, or about there being none.
    #[wasm_bindgen(js_name = verifyAuthorization)]
    pub fn verify_authorization(&mut self, present: bool, written: usize, length: usize, now: f64) -> u8 {
        self.decide(now, written, length, if present { What::Authorization } else { What::Nothing })
    }

    /// What is kept to be fast, as JSON.
    pub fn stats(&self) -> String {
        serde_json::to_string(&self.verifier.stats()).unwrap_or_default()
    }
}

impl RawVerifier {
    fn decide(&mut self, now: f64, written: usize, length: usize, what: What) -> u8 {
        let Some(now) = instant(now) else {
            let error = PolicyError::at("now", "must be whole seconds since 1970, from 0 to 253402300799");
            return tell(&mut self.text, &mut self.answer, MISTAKE, error.to_json());
        };
        let limits = self.verifier.policy().limits();
        // A text that did not fit is refused by its length: what was written of it is not all there is.
        let whole = if length > written { check_length(length, limits) } else { Ok(()) };
        let value = self.input.get(..written).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default();
        let outcome = whole
            .and_then(|()| match what {
                What::Token => Ok(value),
                What::Authorization => bearer::token(Some(value), limits),
                What::Nothing => bearer::token(None, limits),
            })
            .and_then(|token| self.verifier.decide(token, now, |_, validity| validity));
        match outcome {
            Err(rejection) => tell(&mut self.text, &mut self.answer, REFUSED, rejection.to_json()),
            Ok((authentic, validity)) => {
                let header_number = self.verifier.header_number(&authentic);
                let (header, payload) = authentic.into_parts();
                self.text = payload;
                *self.answer = [
                    number(self.text.as_ptr().addr()),
                    number(self.text.len()),
                    number(header.text().as_ptr().addr()),
                    number(header.text().len()),
                    f64::from(header_number),
                    number(validity.from.get()),
                    number(validity.until),
                ];
                self.header = Some(header);
                ACCEPTED
            }
        }
    }
}

/// What the input is. A value and not a closure, so that there is one function of it all.
#[derive(Clone, Copy)]
enum What {
    Token,
    Authorization,
    /// There is no Authorization header.
    Nothing,
}

/// Leaves a text for the caller.
fn tell(text: &mut Vec<u8>, answer: &mut [f64; 7], outcome: u8, json: String) -> u8 {
    *text = json.into_bytes();
    let [address, length, ..] = answer;
    (*address, *length) = (number(text.as_ptr().addr()), number(text.len()));
    outcome
}
