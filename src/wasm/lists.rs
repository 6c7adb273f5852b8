//! Lists of revocations on their way in. They are longer than any token, and come in pieces
//! through the same memory.

use wasm_bindgen::JsValue;

use super::{checked_instant, thrown};
use crate::{
    policy_error::PolicyError,
    revocation::{Incoming, Taken, UpdateError},
    verifier::Verifier,
};

/// The text that is coming in, if one is, and what was taken of the last one.
#[derive(Debug, Default)]
pub(super) struct Lists {
    incoming: Option<Incoming>,
    taken: Taken,
}

impl Lists {
    /// Begins with another text; one that was not ended is dropped.
    pub(super) fn begin(&mut self, now: f64) -> Result<(), JsValue> {
        self.incoming = Some(Incoming::new(checked_instant(now)?));
        self.taken = Taken::Nothing;
        Ok(())
    }

    /// Takes the next piece. One that is not UTF-8 is as bad as any that is no list.
    pub(super) fn more(&mut self, verifier: &mut Verifier, piece: &[u8]) {
        if let Some(incoming) = &mut self.incoming {
            verifier.receive_revocations(incoming, core::str::from_utf8(piece).unwrap_or("?"));
        }
    }

    /// What came of it, as JSON.
    pub(super) fn end(&mut self, verifier: &mut Verifier) -> Result<String, JsValue> {
        match self.incoming.take() {
            Some(mut incoming) => {
                let outcome = verifier.received_revocations(&mut incoming);
                self.taken = incoming.taken();
                told(outcome)
            }
            None => told::<()>(Err(UpdateError::Malformed { what: "body" })),
        }
    }

    /// What was taken of the text that has ended: 0 for nothing, and otherwise what the most of it
    /// was: 1 for renewals, 2 for deltas, 3 for a snapshot.
    pub(super) fn taken(&self) -> u8 {
        match self.taken {
            Taken::Nothing => 0,
            Taken::Renewal => 1,
            Taken::Delta => 2,
            Taken::Snapshot => 3,
        }
    }
}

/// What came of a list, as JSON: a report, or a reason with its code.
pub(super) fn told<R: serde::Serialize>(outcome: Result<R, UpdateError>) -> Result<String, JsValue> {
    let json = match outcome {
        // That is the caller's mistake, and not the document's.
        Err(UpdateError::Unexpected) => {
            return Err(thrown(&PolicyError::at("revocation", "is required where lists are to be taken")));
        }
        Err(error) => serde_json::to_string(&error),
        Ok(report) => serde_json::to_string(&report),
    };
    Ok(json.unwrap_or_default())
}
