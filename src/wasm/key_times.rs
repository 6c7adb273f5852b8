//! When published keys are to be fetched anew: the rule of `src/keys/freshness.rs`.

#![allow(unreachable_pub, reason = "wasm_bindgen exports public items alone")]

use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::number;
use crate::keys::freshness::{self, Bounds, Times};

/// What is asked about one issuer.
#[derive(Deserialize)]
struct Question {
    #[serde(flatten)]
    bounds: Bounds,
    #[serde(flatten)]
    times: Times,
    now: u64,
}

/// For how many seconds a response is fresh.
#[wasm_bindgen(js_name = keyLifetime)]
#[must_use]
#[allow(clippy::needless_pass_by_value, reason = "wasm_bindgen hands strings over")]
pub fn key_lifetime(cache_control: Option<String>, age: Option<String>) -> f64 {
    number(freshness::lifetime(cache_control.as_deref(), age.as_deref()))
}

/// What is to be done about an issuer's keys: question and `Plan` as JSON.
///
/// # Errors
/// A text that is no such question, which is the program's own mistake.
#[wasm_bindgen(js_name = keyPlan)]
pub fn key_plan(question: &str) -> Result<String, JsValue> {
    let Question { bounds, times, now } =
        serde_json::from_str(question).map_err(|_| JsValue::from_str(r#"{"failure":"no key times"}"#))?;
    Ok(serde_json::to_string(&bounds.plan(&times, now)).unwrap_or_default())
}
