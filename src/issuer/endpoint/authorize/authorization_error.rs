//! Why an authorization request gets no further, and where that is said (RFC 6749 §4.1.2.1).

use super::super::{
    error_response::{ErrorResponse, in_alphabet},
    response::Response,
    settings::Settings,
};

/// An error, by where it is told. Until the client and its redirect URI are known to belong
/// together, nobody is sent anywhere (RFC 9700 §4.11.2).
#[derive(Debug)]
pub(super) enum AuthorizationError {
    /// For the user's own eyes.
    Shown(ErrorResponse),
    /// For the client.
    Redirected { back: Box<Back>, error: ErrorResponse },
}

/// A client's registered redirect URI, and the `state` it sent.
#[derive(Clone, Debug)]
pub(super) struct Back {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
}

impl From<ErrorResponse> for AuthorizationError {
    fn from(error: ErrorResponse) -> Self {
        AuthorizationError::Shown(error)
    }
}

impl AuthorizationError {
    /// The same for a client that pushes its request, and is told without a redirect (RFC 9126
    /// §2.3).
    pub(super) fn into_error(self) -> ErrorResponse {
        match self {
            AuthorizationError::Shown(error) | AuthorizationError::Redirected { error, .. } => error,
        }
    }

    pub(super) fn response(self, settings: &Settings) -> Response {
        match self {
            AuthorizationError::Shown(error) => guarded(error.response()),
            AuthorizationError::Redirected { back, error } => {
                let (code, description) = error.told();
                back.error(settings, code, description)
            }
        }
    }
}

impl Back {
    /// Tells the client of an error.
    pub(super) fn error(&self, settings: &Settings, error: &str, description: &str) -> Response {
        self.answer(settings, &[("error", error), ("error_description", &in_alphabet(description))])
    }

    /// Sends the browser back to the client, with `state` and `iss` (RFC 9207 §2).
    ///
    /// Always 303: 307 would send the user's password on to the client (RFC 9700 §4.12).
    pub(super) fn answer(&self, settings: &Settings, parameters: &[(&str, &str)]) -> Response {
        let state = self.state.as_deref().map(|state| ("state", state));
        let mut location = self.redirect_uri.clone();
        for (name, value) in parameters.iter().copied().chain(state).chain([("iss", settings.issuer.as_str())]) {
            let separator = match location.find('?') {
                None => "?",
                Some(_) if location.ends_with(['?', '&']) => "",
                Some(_) => "&",
            };
            location.extend([separator, name, "=", &escaped(value)]);
        }
        guarded(Response::empty(303)).with("pragma", "no-cache").with("location", &location)
    }
}

/// The headers of every page on this way: nobody frames it (RFC 9700 §4.16), and its URL, which
/// may hold a code, is told to nobody (RFC 9700 §4.2.4).
pub(super) const GUARDS: [(&str, &str); 4] = [
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
];

fn guarded(response: Response) -> Response {
    GUARDS.into_iter().fold(response, |response, (name, value)| response.with(name, value))
}

/// RFC 3986 §2.1: unreserved characters stand for themselves.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
