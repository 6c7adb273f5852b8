//! Verdicts by the native build, for `tests/fuzz/wasm.mjs`, which compares them with those of the
//! wasm modules.
//!
//! The first line of the input is an array of policies. Every further line is an array of
//! questions about them, and each is answered by a line. Overflow checks and debug assertions are
//! on, which the wasm modules do not have.

use std::{
    collections::HashMap,
    io::{self, BufRead, Write},
};

use portcullis::{Gate, PolicyError, UnixSeconds, Verdict, Verifier};
use serde_json::{Value, json};

/// Who is asked about each policy, or why nobody can be.
#[derive(Default)]
struct Judges {
    verifiers: HashMap<u64, Result<Verifier, PolicyError>>,
    gates: HashMap<u64, Result<Gate, PolicyError>>,
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Ok(accepted) => json!({ "ok": true, "payload": accepted.payload() }).to_string(),
        Err(rejection) => rejection.to_json(),
    }
}

fn mistake(error: &PolicyError) -> String {
    json!({ "pointer": error.pointer(), "reason": error.reason() }).to_string()
}

impl Judges {
    fn answer(&mut self, policies: &Value, question: &Value) -> String {
        let policy = question["policy"].as_u64().unwrap();
        let read = || policies[usize::try_from(policy).unwrap()].to_string();
        let text = question["text"].as_str().unwrap();
        let now = UnixSeconds::new(question["now"].as_u64().unwrap()).unwrap();
        let kind = question["kind"].as_str().unwrap();
        if kind == "gate" {
            return match self.gates.entry(policy).or_insert_with(|| Gate::with_nonce_secret(&read(), Some(&[7; 32]))) {
                Ok(gate) => gate.decide_json(text, now),
                Err(error) => mistake(error),
            };
        }
        match self.verifiers.entry(policy).or_insert_with(|| Verifier::from_json(&read())) {
            Ok(verifier) if kind == "verify" => verdict(verifier.verify(text, now)),
            Ok(verifier) => verdict(verifier.verify_authorization(Some(text), now)),
            Err(error) => mistake(error),
        }
    }
}

fn main() -> io::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let policies = serde_json::from_str(&lines.next().expect("the policies come first")?)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut judges = Judges::default();
    for line in lines {
        let questions: Vec<Value> = serde_json::from_str(&line?)?;
        for question in &questions {
            writeln!(out, "{}", judges.answer(&policies, question))?;
        }
        // A line is a batch: whoever asked waits for all of its answers.
        out.flush()?;
    }
    Ok(())
}
