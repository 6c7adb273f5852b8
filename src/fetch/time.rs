//! The runtime's clock and timers.

use core::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

use js_sys::{Date, Function, Math, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use crate::{keys::freshness::MOST_SPREAD, time::UnixSeconds};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(handler: &Function, milliseconds: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// Whole seconds since 1970. A clock before that was never set: no token is valid yet.
pub(super) fn now() -> UnixSeconds {
    UnixSeconds::new(whole(Date::now() / 1000.0)).unwrap_or(UnixSeconds::MAX)
}

/// Somewhere from 0 to [`MOST_SPREAD`]. workerd has randomness within requests alone: ask there.
pub(super) fn spread() -> u64 {
    whole(Math::random() * float(MOST_SPREAD)).min(MOST_SPREAD)
}

#[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
fn whole(number: f64) -> u64 {
    number as u64
}

#[allow(clippy::as_conversions, clippy::cast_precision_loss, reason = "times are far below 2⁵³")]
fn float(number: u64) -> f64 {
    number as f64
}

/// A timer, which ends with whoever waits for it.
struct Timer {
    id: JsValue,
    rings: JsFuture,
}

impl Timer {
    fn after(milliseconds: u64) -> Self {
        let mut id = JsValue::UNDEFINED;
        let promise = Promise::new(&mut |resolve, _| id = set_timeout(&resolve, float(milliseconds)));
        Timer { id, rings: JsFuture::from(promise) }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

/// Waits for as long.
pub(super) async fn sleep(milliseconds: u64) {
    let mut timer = Timer::after(milliseconds);
    let _ = poll_fn(|context| Pin::new(&mut timer.rings).poll(context)).await;
}

/// Waits for some work, and no longer than that.
pub(super) async fn within<F: Future>(milliseconds: u64, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut late = pin!(sleep(milliseconds));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => late.as_mut().poll(context).map(|()| None),
    })
    .await
}
