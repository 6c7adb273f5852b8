//! The origins under which a service is reached. A URL is made of the `Host` header, which the
//! client writes, unless the platform vouches for it: the policy's list is what it has to be
//! compared with.

use crate::{binding::uri::Url, document::url, policy_error::PolicyError};

/// The policy's `origins`.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    listed: Vec<Origin>,
}

#[derive(Debug, PartialEq, Eq)]
struct Origin {
    /// Scheme and host in lower case, and a port other than the scheme's own.
    text: String,
    /// Every port of a loopback name: servers of developers listen on any.
    any_port: bool,
}

impl Origins {
    /// Reads the list; errors name the index.
    pub(crate) fn read(texts: &[String]) -> Result<Self, PolicyError> {
        let read = |(index, text): (usize, &String)| {
            Origin::read(text).map_err(|reason| PolicyError::at(&index.to_string(), reason))
        };
        Ok(Origins { listed: texts.iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    /// Does the policy name any?
    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Is the URL under one of them?
    pub(crate) fn list(&self, url: &Url<'_>) -> bool {
        let origin = url.origin();
        self.listed.iter().any(|own| match own.any_port {
            false => own.text == origin,
            true => !url.secure && own.text.strip_prefix("http://") == Some(url.host()),
        })
    }
}

impl Origin {
    fn read(text: &str) -> Result<Self, &'static str> {
        let expected = "expected an origin such as \"https://api.example\" or \"http://localhost:*\": https, or http on a \
                        loopback name, in lower case, without a path";
        let (bare, any_port) = match text.strip_suffix(":*") {
            Some(bare) if bare.starts_with("http://") => (bare, true),
            Some(_) => return Err("must have a port number: only http on a loopback name may have \":*\""),
            None => (text, false),
        };
        url::check(bare).map_err(|_| expected)?;
        let read = Url::parse(bare).ok_or(expected)?;
        // With a path, a query or capitals it would be equal to no origin.
        let authority = bare.split_once("://").map(|(_, authority)| authority).unwrap_or_default();
        let plain = |byte: u8| byte != b'/' && byte != b'?' && !byte.is_ascii_uppercase();
        if !authority.bytes().all(plain) || (any_port && authority != read.host()) {
            return Err(expected);
        }
        Ok(Origin { text: read.origin(), any_port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(origins: &[&str], url: &str) -> bool {
        let texts: Vec<String> = origins.iter().map(|text| (*text).to_owned()).collect();
        Origins::read(&texts).unwrap().list(&Url::parse(url).unwrap())
    }

    #[test]
    fn origins_are_compared_as_a_whole() {
        let own = ["https://api.example", "https://b.example:8443", "http://localhost:3000", "http://127.0.0.1:*"];
        for url in [
            "https://api.example/a?b",
            "HTTPS://API.Example:443/",
            "https://b.example:8443",
            "http://localhost:3000/x",
            "http://127.0.0.1/",
            "http://127.0.0.1:80/",
            "http://127.0.0.1:54321/",
        ] {
            assert!(list(&own, url), "{url}");
        }
        for url in [
            "http://api.example/",
            "https://api.example:444/",
            "https://api.example./",
            "https://a.api.example/",
            "https://api.example.attacker.example/",
            "https://b.example/",
            "http://localhost/",
            "http://localhost:3001/",
            "https://127.0.0.1:54321/",
            "http://127.0.0.2:54321/",
        ] {
            assert!(!list(&own, url), "{url}");
        }
        assert!(list(&["https://api.example:443", "http://[::1]:*"], "https://api.example/"));
        assert!(list(&["http://[::1]:*"], "http://[::1]:1234/"));
        assert!(Origins::default().is_empty());
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in [
            "api.example",
            "http://api.example",
            "https://api.example/",
            "https://api.example/a",
            "https://api.example?a",
            "https://API.example",
            "https://user@api.example",
            "https://*.example",
            "https://api.example:*",
            "http://api.example:*",
            "http://localhost:1:*",
            "http://localhost:80:*",
            "*",
            "null",
        ] {
            assert!(Origin::read(text).is_err(), "{text}");
        }
    }
}
