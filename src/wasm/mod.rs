//! The shell for JavaScript: it turns strings into calls of the core and verdicts into JSON, and decides nothing.
//!
//! Everything returned is a plain value. The only objects with a place in the wasm memory are the long-lived ones: a verifier and a
//! signing key.

#[cfg(feature = "issuer")]
mod issuer;
mod verifier;

use wasm_bindgen::JsValue;

use crate::{policy_error::PolicyError, time::UnixSeconds};

/// What the JavaScript face makes a `PolicyError` of: a string, so that it can be told from a failure of the program.
fn thrown(error: &PolicyError) -> JsValue {
    let json = serde_json::json!({ "pointer": error.pointer(), "reason": error.reason() });
    JsValue::from_str(&json.to_string())
}

/// The caller's clock, or the runtime's when the caller gave none (NaN).
fn instant(now: f64) -> Result<UnixSeconds, JsValue> {
    let seconds = if now.is_nan() { (js_sys::Date::now() / 1000.0).floor() } else { now };
    // A cast from f64 saturates; the comparison refuses fractions, negative numbers and what lies past the year 9999.
    #[allow(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let whole = Some(seconds as u64).filter(|whole| *whole as f64 == seconds);
    whole
        .and_then(UnixSeconds::new)
        .ok_or_else(|| thrown(&PolicyError::at("now", "must be whole seconds since 1970, from 0 to 253402300799")))
}
