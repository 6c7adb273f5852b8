//! A token among the subprotocols that a WebSocket client offers (RFC 6455 §4.1): a browser's
//! `new WebSocket(url, ["bearer", token])` can set no other header.

use crate::gate::{credentials::Places, request::Request, step::Forward};

pub(crate) const HEADER: &str = "sec-websocket-protocol";

/// What is offered, in its order.
pub(crate) fn offers<'f>(request: &Request<'f>) -> impl Iterator<Item = &'f str> + use<'f> {
    let fields: Vec<&'f str> = request.fields(HEADER).collect();
    let offers = fields.into_iter().flat_map(|field| field.split(',')).map(|offer| offer.trim_matches([' ', '\t']));
    // A server skips empty ones (RFC 9110 §5.6.1), so that what follows them is what it reads next.
    offers.filter(|offer| !offer.is_empty())
}

/// Takes the token out of what the origin sees. A server answers with one of the subprotocols that
/// it was offered, mostly the first: it must not be the token.
pub(crate) fn redact(forward: &mut Forward, request: &Request<'_>, places: &Places) {
    let Some(name) = places.subprotocol.as_deref() else { return };
    let mut kept: Vec<&str> = Vec::new();
    let mut follows = false;
    for offer in offers(request) {
        if offer == name {
            // Said twice it is still the token that follows.
            if !kept.contains(&name) {
                kept.push(name);
            }
            follows = true;
        } else if follows {
            follows = false;
        } else {
            kept.push(offer);
        }
    }
    forward.strip.retain(|header| header != HEADER);
    if kept.contains(&name) {
        forward.set.push((HEADER.to_owned(), kept.join(", ")));
    }
}
