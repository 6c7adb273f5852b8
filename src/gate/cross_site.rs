//! Cookies travel with whatever a browser sends to us, whoever's page had it sent: another site's
//! must change nothing in their name (CSRF), nor open a WebSocket.

use crate::{
    denial::Denial,
    document::checked::Checked,
    gate::{cors, request::Request},
    policy_error::PolicyError,
    rejection::excerpt,
};

/// Which requests are taken whose token is in a cookie.
#[derive(Debug)]
pub(crate) enum CrossSite {
    /// All of them: the application has a defence of its own.
    Allowed,
    /// Those of our own pages, and of these origins.
    Refused {
        /// By methods that change nothing as well.
        every_method: bool,
        origins: Vec<String>,
    },
}

impl Default for CrossSite {
    fn default() -> Self {
        CrossSite::Refused { every_method: false, origins: Vec::new() }
    }
}

/// Methods that change nothing (RFC 9110 §9.2.1).
const SAFE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

impl CrossSite {
    /// Reads the policy's `csrf`, where it is an object.
    pub(crate) fn read(object: Checked<'_, '_>) -> Result<Self, PolicyError> {
        let origins = cors::origins(object, "origins")?;
        Ok(CrossSite::Refused { every_method: object.text("methods") == Some("all"), origins })
    }

    /// The headers by which a browser says whose page it was.
    pub(crate) fn headers(&self) -> &'static [&'static str] {
        match self {
            CrossSite::Allowed => &[],
            CrossSite::Refused { .. } => &["origin", "sec-fetch-site", "sec-websocket-key", "upgrade"],
        }
    }

    /// Was it a page of ours, or of an origin that may?
    ///
    /// STRICTER than what others do: where a browser says neither `Sec-Fetch-Site` nor `Origin`, it
    /// is refused. Each sends the latter with every request that changes something.
    ///
    /// # Errors
    /// `request-cross-site`.
    pub(crate) fn check(&self, request: &Request<'_>) -> Result<(), Denial> {
        let CrossSite::Refused { every_method, origins } = self else { return Ok(()) };
        // A WebSocket is opened by GET, and its answers are read by whoever opened it.
        let opens = || self.headers().iter().skip(2).any(|name| request.fields(name).next().is_some());
        if !every_method && SAFE.contains(&request.method) && !opens() {
            return Ok(());
        }
        let (origin, site) = (single(request, "origin"), single(request, "sec-fetch-site"));
        let own = request.url.origin();
        let is_ours = match (origin, site) {
            (Some(Some(origin)), _) if origins.iter().any(|listed| listed == origin) => true,
            // The browser's word, which no page can write; `none` is the user's own doing.
            (Some(_), Some(Some(site))) => site == "same-origin" || site == "none",
            (Some(Some(origin)), Some(None)) => origin == own,
            _ => false,
        };
        if is_ours {
            return Ok(());
        }
        let actual = origin.flatten().map(excerpt);
        Err(Denial::RequestCrossSite { expected: core::iter::once(own).chain(origins.clone()).collect(), actual })
    }
}

/// A field's value if there is one, and `None` where there are two.
fn single<'f>(request: &Request<'f>, name: &str) -> Option<Option<&'f str>> {
    let mut fields = request.fields(name);
    match (fields.next(), fields.next()) {
        (value, None) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{facts::Facts, proxies::Proxies};

    fn check(cross_site: &CrossSite, method: &str, headers: &[(&str, &str)]) -> bool {
        let facts = Facts { method, url: "https://api.example/x", headers, ..Facts::default() };
        cross_site.check(&Request::read(&facts, &Proxies::default()).unwrap()).is_ok()
    }

    #[test]
    fn a_page_of_another_site_changes_nothing() {
        let by_default = CrossSite::default();
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert!(check(&by_default, method, &[("sec-fetch-site", "cross-site")]), "{method}");
        }
        for (headers, expected) in [
            (&[("Sec-Fetch-Site", "same-origin")][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("origin", "https://api.example")], true),
            // `Referrer-Policy: no-referrer` takes the origin away.
            (&[("origin", "null"), ("sec-fetch-site", "same-origin")], true),
            (&[], false),
            (&[("origin", "null")], false),
            (&[("origin", "http://api.example")], false),
            (&[("origin", "https://api.example:8443")], false),
            (&[("origin", "https://api.example.evil.example")], false),
            (&[("origin", "https://api.example"), ("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "same-origin, cross-site")], false),
            (&[("origin", "https://api.example"), ("origin", "https://evil.example")], false),
            (&[("sec-fetch-site", "same-origin"), ("Sec-Fetch-Site", "cross-site")], false),
        ] {
            for method in ["POST", "PUT", "DELETE", "PATCH", "post", "CONNECT", "PROPFIND"] {
                assert_eq!(check(&by_default, method, headers), expected, "{method} {headers:?}");
            }
        }
    }

    #[test]
    fn a_websocket_is_opened_by_our_pages_alone() {
        let by_default = CrossSite::default();
        for mark in [("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x")] {
            assert!(!check(&by_default, "GET", &[mark, ("origin", "https://evil.example")]), "{mark:?}");
            assert!(check(&by_default, "GET", &[mark, ("origin", "https://api.example")]), "{mark:?}");
        }
    }

    #[test]
    fn the_policy_names_other_origins_and_methods() {
        let own = CrossSite::Refused { every_method: true, origins: vec!["https://app.example".to_owned()] };
        assert!(check(&own, "POST", &[("origin", "https://app.example"), ("sec-fetch-site", "same-site")]));
        assert!(!check(&own, "GET", &[("origin", "https://other.example")]));
        assert!(!check(&own, "GET", &[]));
        assert!(check(&CrossSite::Allowed, "POST", &[("origin", "https://evil.example")]));
    }
}
