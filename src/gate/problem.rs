//! The body of a refusal: a problem (RFC 9457).

use std::borrow::Cow;

use serde::Serialize;

use crate::{denial::Denial, policy_error::PolicyError};

/// What stands for the code in the policy's `gate.problemTypes`.
const PLACE: &str = "{code}";

/// The policy's `gate.problemTypes`: the URI of a code's page, around the code.
#[derive(Debug)]
pub(crate) struct ProblemTypes {
    before: String,
    after: String,
}

impl ProblemTypes {
    /// Reads a URI with one `{code}` in it. Whether anybody answers there is not asked: a problem
    /// type is a name first, and a locator where it can be one (RFC 9457 §3.1.1).
    ///
    /// STRICTER than the RFC: no relative reference, which each client would resolve against the
    /// address that it asked.
    pub(crate) fn read(text: &str) -> Result<Self, PolicyError> {
        let parts = text.split_once(PLACE).filter(|(before, after)| is_absolute(before) && is_plain(after));
        let Some((before, after)) = parts else {
            let reason = "must be an absolute URI with one {code} in it, such as \
                          \"https://docs.example/reference/codes/{code}.html\"";
            return Err(PolicyError::found("problemTypes", reason, text));
        };
        Ok(ProblemTypes { before: before.to_owned(), after: after.to_owned() })
    }

    /// The URI for a code.
    pub(crate) fn uri(&self, code: &str) -> String {
        [&self.before, code, &self.after].concat()
    }
}

/// Does it begin as a URI does, with a scheme (RFC 3986 §3.1)?
fn is_absolute(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) && is_plain(text)
}

/// Only characters of a URI (RFC 3986 §2).
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte))
}

/// The members of RFC 9457 §3.1 and two of our own.
#[derive(Serialize)]
pub(super) struct Problem<'r> {
    #[serde(rename = "type")]
    kind: &'r str,
    title: Cow<'static, str>,
    status: u16,
    detail: Cow<'static, str>,
    code: &'static str,
    stage: crate::rejection::Stage,
}

impl<'r> Problem<'r> {
    /// Says what the code says, and nothing of the token.
    pub(super) fn of(denial: &Denial, status: u16, kind: Option<&'r str>) -> Self {
        let (code, stage, detail) = (denial.code(), denial.stage(), denial.message());
        // The title is the type's: with about:blank that of the status (RFC 9457 §4.2.1).
        let title = match kind {
            None => title_of(status).into(),
            Some(_) => in_words(code).into(),
        };
        Problem { kind: kind.unwrap_or("about:blank"), title, status, detail, code, stage }
    }
}

fn title_of(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        421 => "Misdirected Request",
        500 => "Internal Server Error",
        _ => "Service Unavailable",
    }
}

/// `Audience mismatch` for `audience-mismatch`.
fn in_words(code: &str) -> String {
    let text = code.replace('-', " ");
    let (first, rest) = text.split_at_checked(1).unwrap_or_default();
    [first.to_ascii_uppercase().as_str(), rest].concat()
}

#[cfg(test)]
mod tests {
    use super::{Problem, ProblemTypes};
    use crate::{denial::Denial, rejection::Rejection};

    const PAGES: &str = "https://docs.example/reference/codes/{code}.html";

    #[test]
    fn a_problem_type_is_the_address_of_the_codes_page() {
        let uri = |text: &str| ProblemTypes::read(text).ok().map(|types| types.uri("expired"));
        assert_eq!(uri(PAGES).as_deref(), Some("https://docs.example/reference/codes/expired.html"));
        assert_eq!(uri("tag:docs.example,2026:{code}").as_deref(), Some("tag:docs.example,2026:expired"));
    }

    #[test]
    fn a_problem_type_is_absolute_and_holds_one_code() {
        for text in
            ["", "{code}", "/codes/{code}", "https://docs.example/", "https://a/{code}/{code}", "https://a/ {code}"]
        {
            let error = ProblemTypes::read(text).err();
            assert_eq!(error.as_ref().map(|error| error.pointer()), Some("/problemTypes"), "{text}");
        }
    }

    #[test]
    fn a_problem_with_a_type_has_the_types_title() {
        let denial = Denial::Token(Rejection::AuthorizationScheme);
        let body = |kind| serde_json::to_string(&Problem::of(&denial, 401, kind)).unwrap();
        assert!(body(None).starts_with(r#"{"type":"about:blank","title":"Unauthorized","status":401"#));
        let uri = "https://docs.example/authorization-scheme";
        let start = r#"{"type":"https://docs.example/authorization-scheme","title":"Authorization scheme","#;
        assert!(body(Some(uri)).starts_with(start), "{}", body(Some(uri)));
    }
}
