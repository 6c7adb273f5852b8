//! Why a request got nothing: the errors of RFC 6749 §5.2 and of the RFCs that add to them.

use serde_json::json;

use super::{
    channel::{Broken, Channel, Unavailable},
    response::Response,
};
use crate::issuer::{error::IssuerError, sessions::grant_error::GrantError};

/// How long to wait after the store gave no answer, in seconds.
const RETRY_SECONDS: u64 = 1;

/// An error response. Its description names the field at fault and never quotes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ErrorResponse {
    status: u16,
    error: &'static str,
    description: String,
    header: Option<(&'static str, String)>,
    blame: Option<Box<Blame>>,
}

/// What went wrong inside, for the operator's events. It is never in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Blame {
    kind: &'static str,
    operation: &'static str,
    cause: String,
}

impl ErrorResponse {
    pub(super) fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        ErrorResponse { status, error, description: description.into(), header: None, blame: None }
    }

    /// RFC 6749 §5.2: a parameter is missing, repeated or malformed.
    pub(super) fn request(parameter: &str, reason: &str) -> Self {
        ErrorResponse::new(400, "invalid_request", format!("{parameter}: {reason}"))
    }

    /// RFC 9110 §15.5.1, §15.5.9: the body broke off, or did not come in time.
    pub(super) fn body(broken: Broken) -> Self {
        match broken {
            Broken::Aborted => ErrorResponse::request("body", "ended early. Send the request again"),
            Broken::Late => {
                ErrorResponse::new(408, "invalid_request", "body: did not arrive in time. Send the request again")
            }
        }
    }

    /// RFC 6749 §5.2: the code or token is no good.
    pub(super) fn grant(parameter: &str, reason: &str) -> Self {
        ErrorResponse::new(400, "invalid_grant", format!("{parameter}: {reason}"))
    }

    /// RFC 6749 §5.2: the scope is more than may be had.
    pub(super) fn scope(reason: &str) -> Self {
        ErrorResponse::new(400, "invalid_scope", format!("scope: {reason}"))
    }

    /// RFC 6749 §5.2: who it is has not been shown. One who tried by the Authorization header is
    /// told the scheme.
    pub(super) fn client(parameter: &str, reason: &str, by_header: bool) -> Self {
        let challenge = by_header.then(|| ("www-authenticate", "Basic realm=\"issuer\"".to_owned()));
        ErrorResponse {
            header: challenge,
            ..ErrorResponse::new(401, "invalid_client", format!("{parameter}: {reason}"))
        }
    }

    /// RFC 6749 §5.2: this client may not do this.
    pub(super) fn unauthorized(parameter: &str, reason: &str) -> Self {
        ErrorResponse::new(400, "unauthorized_client", format!("{parameter}: {reason}"))
    }

    /// RFC 9449 §5: the proof is missing or no good.
    pub(super) fn proof(reason: &str) -> Self {
        ErrorResponse::new(400, "invalid_dpop_proof", format!("DPoP: {reason}"))
    }

    /// Nothing is said against the request: it may be sent again.
    pub(super) fn unavailable() -> Self {
        let wait = Some(("retry-after", RETRY_SECONDS.to_string()));
        ErrorResponse { header: wait, ..ErrorResponse::new(503, "temporarily_unavailable", "the store gave no answer") }
    }

    /// The same: the store has given an entry that cannot be read, which is no missing one.
    pub(super) fn unreadable(what: &str, error: impl core::fmt::Display) -> Self {
        let cause = format!("the store returned {what} that cannot be decoded: {error}");
        ErrorResponse {
            blame: Some(Box::new(Blame { kind: "store_failed", operation: "read", cause })),
            ..ErrorResponse::unavailable()
        }
    }

    /// The same: an upstream issuer's keys are not to be had.
    pub(super) fn without_keys(issuer: &str) -> Self {
        let cause = format!("no key of the upstream issuer {issuer} could be fetched");
        ErrorResponse {
            blame: Some(Box::new(Blame { kind: "keys_failed", operation: "keys", cause })),
            ..ErrorResponse::unavailable()
        }
    }

    /// RFC 6585 §4.
    pub(super) fn too_many(seconds: u64) -> Self {
        let wait = Some(("retry-after", seconds.to_string()));
        ErrorResponse { header: wait, ..ErrorResponse::new(429, "temporarily_unavailable", "too many requests") }
    }

    /// RFC 9110 §15.5.6.
    pub(super) fn method(allow: &'static str) -> Self {
        let allow = Some(("allow", allow.to_owned()));
        ErrorResponse {
            header: allow,
            ..ErrorResponse::new(
                405,
                "invalid_request",
                "method: is not allowed at this endpoint; the Allow header lists those that are",
            )
        }
    }

    /// Why a session yields nothing. What was wrong with the token is told by its permanent code:
    /// whoever holds it learns nothing new.
    pub(super) fn refused(parameter: &str, refusal: GrantError) -> Self {
        match refusal.oauth_error() {
            Some("invalid_scope") => ErrorResponse::scope("must be within the granted scope"),
            Some(error) => ErrorResponse::new(400, error, format!("{parameter}: {}", refusal.code())),
            None => ErrorResponse::unavailable(),
        }
    }

    /// Its error code, and the description.
    pub(super) fn told(&self) -> (&'static str, &str) {
        (self.error, &self.description)
    }

    /// Is nothing said against the request?
    pub(super) fn is_retryable(&self) -> bool {
        self.status == 503
    }

    /// Tells the operator why, unless whoever carries the steps out knows it already.
    pub(super) fn report(&self, channel: &Channel) {
        let lost = || Blame {
            kind: "store_failed",
            operation: "swap",
            cause: "every swap lost to another writer, or the log of the feed cannot be decoded".to_owned(),
        };
        let unexplained = self.status == 503 && !channel.is_explained();
        let Some(Blame { kind, operation, cause }) = self.blame.as_deref().cloned().or_else(|| unexplained.then(lost))
        else {
            return;
        };
        let at = channel.now();
        channel.report(json!({ "kind": kind, "at": at, "operation": operation, "cause": cause, "durationMs": 0 }));
    }

    pub(super) fn response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": in_alphabet(&self.description) });
        let response = Response::json(self.status, &body);
        match self.header {
            Some((name, value)) => response.with(name, &value),
            None => response,
        }
    }
}

/// RFC 6749 §5.2: a description has neither quotes nor backslashes, and no other than visible
/// ASCII. A name that a request brings may.
pub(super) fn in_alphabet(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='!' | '#'..='[' | ']'..='~') { c } else { '?' }).take(300).collect()
}

impl From<Unavailable> for ErrorResponse {
    fn from(Unavailable: Unavailable) -> Self {
        ErrorResponse::unavailable()
    }
}

impl From<IssuerError> for ErrorResponse {
    /// Minting fails for want of randomness or by a configuration that was not foreseen: nothing
    /// that a client could mend.
    fn from(error: IssuerError) -> Self {
        let blame = Blame { kind: "issue_failed", operation: "sign", cause: error.to_string() };
        ErrorResponse {
            blame: Some(Box::new(blame)),
            ..ErrorResponse::new(500, "server_error", "the issuer could not issue a token")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_stays_within_its_alphabet() {
        let told = ErrorResponse::request("a\"b\\c\u{e9}\n", "is repeated").response();
        assert_eq!(told.body, r#"{"error":"invalid_request","error_description":"a?b?c??: is repeated"}"#);
        assert!(told.headers.contains(&("cache-control", "no-store".to_owned())));
    }

    #[test]
    fn what_is_no_fault_of_the_client_may_be_tried_again() {
        let told = ErrorResponse::refused("refresh_token", GrantError::StoreBehind).response();
        assert_eq!(told.status, 503);
        assert!(told.headers.contains(&("retry-after", "1".to_owned())));
        assert_eq!(ErrorResponse::refused("refresh_token", GrantError::ReuseDetected).response().status, 400);
    }
}
