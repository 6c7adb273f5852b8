//! The sessions that tokens are refreshed in: what they are judged by, what is kept of them, the
//! state machine, and its way to a store.

pub mod session_id;
pub mod root_keys;
pub mod configuration;
pub mod cutoff;
pub mod row;
pub mod refresh_token;
pub mod event;
pub mod grant_error;
pub mod grant;
pub mod session;
pub mod start;
pub mod operation;
pub mod store;
