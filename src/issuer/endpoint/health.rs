//! `/health`, by choice of the configuration: does the store answer?

use serde_json::json;

use super::{channel::Channel, failure::Failure, name, response::Response};

/// Tries the store with a real read. What failed is in the operator's events; a stranger learns that it did.
pub(super) async fn answer(channel: &Channel) -> Result<Response, Failure> {
    check(channel).await?;
    Ok(Response::json(200, &json!({ "status": "ok" })))
}

/// Reads an entry that is never there.
pub(super) async fn check(channel: &Channel) -> Result<(), Failure> {
    channel.read(name::HEALTH).await?;
    Ok(())
}
