//! `/health`, by choice of the configuration: does the store answer?

use serde_json::json;

use super::{channel::Channel, error_response::ErrorResponse, response::Response, store_keys};

/// Tries the store with a real read. What failed is in the operator's events; a stranger learns
/// that it did.
pub(super) async fn answer(channel: &Channel) -> Result<Response, ErrorResponse> {
    check(channel).await?;
    Ok(Response::json(200, &json!({ "status": "ok" })))
}

/// Reads an entry that is never there.
pub(super) async fn check(channel: &Channel) -> Result<(), ErrorResponse> {
    channel.read(store_keys::HEALTH).await?;
    Ok(())
}
