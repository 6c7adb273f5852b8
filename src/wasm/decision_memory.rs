//! Decisions on their way out: the usual question and the usual answer cross the boundary as text
//! in the wasm memory and as numbers.

use super::{instant, number};
use crate::gate::{Gate, Step};

/// The caller's own mistake: the text is a `PolicyError` as JSON.
const MISTAKE: u8 = 0;
/// The text is the step as JSON.
const STEP: u8 = 1;
/// The request is allowed: the text is the claims, and the rest of the step is there besides.
const ALLOWED: u8 = 2;
/// The question could not be read: it is to be asked as JSON.
const UNREAD: u8 = 3;

/// What was last told.
#[derive(Debug, Default)]
pub(super) struct DecisionMemory {
    text: String,
    /// Of the last request that was allowed: the step as JSON without claims and times. Most are
    /// the same, and a number tells whether it is.
    rest: String,
    rest_number: u32,
    /// Address and length of the text, address, length and number of the rest, and from when until
    /// when the request is allowed.
    answer: Box<[f64; 7]>,
}

/// A question that is written in lines.
pub(super) struct Question<'q> {
    pub(super) text: &'q [u8],
    pub(super) lines: usize,
    pub(super) there: u8,
    pub(super) requirement: Option<u64>,
}

impl DecisionMemory {
    /// Where the answer is.
    pub(super) fn answer(&self) -> usize {
        self.answer.as_ptr().addr()
    }

    /// The next step about a request.
    pub(super) fn decide(&mut self, gate: &Gate, question: &Question<'_>, now: f64) -> u8 {
        let now = match instant(now) {
            Ok(now) => now,
            Err(error) => return self.tell(MISTAKE, error.to_json()),
        };
        let Question { text, lines, there, requirement } = *question;
        let text = core::str::from_utf8(text).ok();
        match text.and_then(|text| gate.decide_lines(text, lines, there, requirement, now)) {
            None => UNREAD,
            Some(Step::Allowed(allowed)) => {
                let rest = allowed.rest_to_json();
                if rest != self.rest {
                    self.rest = rest;
                    self.rest_number = self.rest_number.wrapping_add(1);
                }
                let [.., from, until] = &mut *self.answer;
                (*from, *until) = (number(allowed.from.get()), number(allowed.until));
                self.tell(ALLOWED, allowed.claims)
            }
            Some(step) => self.tell(STEP, step.to_json()),
        }
    }

    /// Leaves a text for the caller.
    fn tell(&mut self, outcome: u8, text: String) -> u8 {
        self.text = text;
        let [address, length, rest, rest_length, rest_number, ..] = &mut *self.answer;
        (*address, *length) = (number(self.text.as_ptr().addr()), number(self.text.len()));
        (*rest, *rest_length) = (number(self.rest.as_ptr().addr()), number(self.rest.len()));
        *rest_number = f64::from(self.rest_number);
        outcome
    }
}
