//! The way in: authorization requests (RFC 6749 §4.1.1), from a browser's request to a code or an
//! error at the client's redirect URI.
//!
//! ```text
//! browser ─ begin ─ request ─ sealed ──► the application's own login and consent
//!              │       │                       │
//!            error   pushed (/par)          finish ─ code, state and iss, or an error
//! ```
//!
//! Only a pushed request is in the store before a code is: the checked request travels as a sealed
//! text, and only the browser that began it can finish it.

mod authorization_error;
mod request;
mod sealed;
mod browser;
mod pushed;
mod begin;
mod finish;

pub(super) use begin::begin;
pub(super) use finish::{complete, decline};
pub(super) use pushed::push;
pub(super) use request::PROMPTS;
