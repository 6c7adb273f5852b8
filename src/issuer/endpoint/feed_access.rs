//! Who may read the revocation feed.
//!
//! The feed names what is revoked by keyed hashes, and its key travels with it: whoever has the
//! feed can try names, and learns whether and when such a subject was signed out. It is therefore
//! for clients that the configuration trusts, unless it is made public by name.

use super::{Issuer, authenticate, channel::Channel, error_response::ErrorResponse, request::Request};

/// Lets the request pass if its client may read the feed.
pub(super) async fn check(issuer: &Issuer, request: &Request, channel: &Channel) -> Result<(), ErrorResponse> {
    let settings = &issuer.settings;
    if settings.feed_is_public || settings.feed.is_none() {
        return Ok(());
    }
    let client = authenticate::by_header(settings, request, channel).await?;
    if client.reads_feed {
        return Ok(());
    }
    Err(ErrorResponse::new(
        403,
        "unauthorized_client",
        "Authorization: authenticates a client that may not read the feed; set feed: true in its configuration",
    ))
}
