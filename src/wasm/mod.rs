//! The shell for JavaScript: it turns strings into calls of the core and verdicts into JSON, and
//! decides nothing.
//!
//! Everything returned is a plain value. The only objects with a place in the wasm memory are the
//! long-lived ones: a verifier, a gate and a signing key.

mod verdict_memory;
#[cfg(feature = "gate-js")]
mod decision_memory;
#[cfg(feature = "gate-js")]
mod gate;
#[cfg(feature = "issuer")]
mod issuer;
#[cfg(feature = "issuer")]
mod issuer_endpoint;
mod jws;
#[cfg(any(feature = "gate-js", feature = "issuer"))]
mod key_times;
#[cfg(feature = "revocation")]
mod lists;
mod verifier;

use wasm_bindgen::JsValue;

use crate::{policy_error::PolicyError, time::UnixSeconds};

/// Allocates in constant time and joins what is freed with its neighbours. std's own allocator is
/// 3 KB more of the module.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf = rlsf::GlobalTlsf::new();

/// What the JavaScript face makes a `PolicyError` of: a string, so that it can be told from a
/// failure of the program.
fn thrown(error: &PolicyError) -> JsValue {
    JsValue::from_str(&error.to_json())
}

/// An instant as JavaScript has it. Fractions, negative numbers and what lies past the year 9999
/// are a mistake.
fn instant(now: f64) -> Result<UnixSeconds, PolicyError> {
    // A cast from f64 saturates; the comparison refuses what it changed.
    #[allow(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    let whole = Some(now as u64).filter(|whole| *whole as f64 == now);
    let mistake = || PolicyError::at("now", "must be whole seconds since 1970, from 0 to 253402300799");
    whole.and_then(UnixSeconds::new).ok_or_else(mistake)
}

/// The same, where the mistake is thrown.
#[cfg(any(feature = "issuer", feature = "revocation"))]
fn checked_instant(now: f64) -> Result<UnixSeconds, JsValue> {
    instant(now).map_err(|error| thrown(&error))
}

/// Where an issuer's keys are, or why its metadata are not believed, as JSON.
#[cfg(any(feature = "issuer", feature = "gate-js"))]
fn discovered(found: Result<String, crate::gate::metadata::MetadataError>) -> String {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    enum Discovered {
        JwksUri(String),
        Error(crate::gate::metadata::MetadataError),
    }
    let told = found.map_or_else(Discovered::Error, Discovered::JwksUri);
    serde_json::to_string(&told).unwrap_or_default()
}

/// A number below 2⁵³ as JavaScript has it.
fn number<N: TryInto<u64>>(number: N) -> f64 {
    #[allow(clippy::as_conversions, clippy::cast_precision_loss)]
    number.try_into().map_or(f64::NAN, |number| number as f64)
}
