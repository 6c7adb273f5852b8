//! A request as the gate sees it.

use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::{Headers, Request};

use super::{Connection, body};
use crate::gate::{Facts, RequirementId};

/// A request, each of its members read once: what the platform and the gate go by must be one
/// request.
#[derive(Debug, Default)]
pub(super) struct Seen {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    has_body: bool,
}

impl Seen {
    /// Reads a request. Its body can be read afterwards. One whose fields cannot be read has
    /// neither method nor URL, which the gate refuses: what is missing may be the credentials, or
    /// a second one.
    pub(super) async fn of(request: &Request) -> Self {
        let Some(headers) = pairs(&request.headers()) else { return Seen::default() };
        let method = request.method();
        // A preflight has no body (Fetch §4.8), and headers need not announce one.
        let has_body = method == "OPTIONS" && body::has_bytes(request).await;
        Seen { method, url: request.url(), headers, has_body }
    }

    /// The header fields, borrowed.
    pub(super) fn pairs(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// The facts without evidence.
    pub(super) fn facts<'s>(
        &'s self,
        requirement: Option<RequirementId>,
        connection: &'s Connection,
        client_address: Option<&'s str>,
        headers: &'s [(&'s str, &'s str)],
    ) -> Facts<'s> {
        Facts {
            requirement,
            method: &self.method,
            url: &self.url,
            url_vouched: connection.url_vouched,
            has_body: self.has_body,
            headers,
            client_address,
            certificate: connection.certificate.as_deref(),
            ..Facts::default()
        }
    }
}

/// Every field. Those of one name are one here, with commas between their values.
pub(super) fn pairs(headers: &Headers) -> Option<Vec<(String, String)>> {
    let entries = headers.entries().into_iter();
    let pair = |entry: Array| Some((entry.get(0).as_string()?, entry.get(1).as_string()?));
    entries.map(|entry| pair(entry.ok()?.dyn_into().ok()?)).collect()
}
