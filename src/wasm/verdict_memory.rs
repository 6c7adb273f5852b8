//! A token on its way in and its verdict on its way out, through memory that both sides look at.

use std::sync::Arc;

use super::{instant, number};
use crate::{
    bearer, binding,
    jws::{compact::check_length, header::Header},
    verifier::Verifier,
};

/// The caller's own mistake: the text is a `PolicyError` as JSON.
const MISTAKE: u8 = 0;
/// The text is a rejection as JSON.
const REFUSED: u8 = 1;
/// The text is the payload.
const ACCEPTED: u8 = 2;

/// The input of a verifier and its last answer.
#[derive(Debug)]
pub(super) struct VerdictMemory {
    input: Box<[u8]>,
    text: Vec<u8>,
    header: Option<Arc<Header>>,
    /// The name of the alternative that the token fits, or nothing.
    alternative: String,
    /// Address and length of the text, address, length and number of the header, from when until
    /// when the token is accepted, 1 when no list of revocations could tell, and address and
    /// length of the alternative's name.
    answer: Box<[f64; 10]>,
}

impl VerdictMemory {
    pub(super) fn new() -> Self {
        let input = vec![0; bearer::LONGEST + 1].into_boxed_slice();
        VerdictMemory { input, text: Vec::new(), header: None, alternative: String::new(), answer: Box::default() }
    }

    /// Where the input is.
    pub(super) fn input(&self) -> usize {
        self.input.as_ptr().addr()
    }

    /// Length of the input, in bytes: more than any token or Authorization value may have.
    pub(super) fn input_bytes(&self) -> usize {
        self.input.len()
    }

    /// What was written into it.
    #[cfg(feature = "revocation")]
    pub(super) fn written(&self, written: usize) -> &[u8] {
        self.input.get(..written).unwrap_or_default()
    }

    /// Where the answer is.
    pub(super) fn answer(&self) -> usize {
        self.answer.as_ptr().addr()
    }

    /// The verdict about a token. The first `written` of its `length` bytes are in the input; more
    /// than the input holds are too many.
    pub(super) fn verify(&mut self, verifier: &Verifier, written: usize, length: usize, now: f64) -> u8 {
        self.decide(verifier, now, written, length, What::Token)
    }

    /// The verdict about the value of an Authorization header, or about there being none.
    /// `checked` when the caller checks what a token is bound to.
    pub(super) fn verify_authorization(
        &mut self,
        verifier: &Verifier,
        present: bool,
        written: usize,
        length: usize,
        now: f64,
        checked: bool,
    ) -> u8 {
        let what = if present { What::Authorization { checked } } else { What::Nothing };
        self.decide(verifier, now, written, length, what)
    }

    fn decide(&mut self, verifier: &Verifier, now: f64, written: usize, length: usize, what: What) -> u8 {
        let now = match instant(now) {
            Ok(now) => now,
            Err(error) => return tell(&mut self.text, &mut self.answer, MISTAKE, error.to_json()),
        };
        let limits = verifier.policy().limits();
        // A text that did not fit is refused by its length: what was written of it is not all
        // there is.
        let whole = if length > written { check_length(length, limits) } else { Ok(()) };
        let value = self.input.get(..written).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default();
        let outcome = whole
            .and_then(|()| match what {
                What::Token => Ok(value),
                What::Authorization { .. } => bearer::token(Some(value), limits),
                What::Nothing => bearer::token(None, limits),
            })
            .and_then(|token| {
                verifier.decide(token, now, |claims, _, validity| {
                    let alternative = verifier.policy().alternative(claims.iss(), validity.alternative);
                    self.alternative = alternative.unwrap_or_default().to_owned();
                    match what {
                        What::Authorization { checked: false } => {
                            binding::check_bearer(&claims.object).map(|()| validity)
                        }
                        _ => Ok(validity),
                    }
                })
            })
            .and_then(|(authentic, validity)| Ok((authentic, validity?)));
        match outcome {
            Err(rejection) => tell(&mut self.text, &mut self.answer, REFUSED, rejection.to_json()),
            Ok((authentic, validity)) => {
                let header_number = verifier.header_number(&authentic);
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
                    f64::from(u8::from(validity.stale)),
                    number(self.alternative.as_ptr().addr()),
                    number(self.alternative.len()),
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
    Authorization {
        checked: bool,
    },
    /// There is no Authorization header.
    Nothing,
}

/// Leaves a text for the caller.
fn tell(text: &mut Vec<u8>, answer: &mut [f64; 10], outcome: u8, json: String) -> u8 {
    *text = json.into_bytes();
    let [address, length, ..] = answer;
    (*address, *length) = (number(text.as_ptr().addr()), number(text.len()));
    outcome
}
