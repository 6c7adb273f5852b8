//! A request as it came, and as it may be answered: over TLS, at a place there is, with a form of
//! bounded size.

use serde::Deserialize;

use super::{channel::Channel, error_response::ErrorResponse, form::Form, settings::Settings};
use crate::binding::{network::Address, uri::Url};

/// The longest body, in bytes.
const LONGEST_BODY: usize = 16 * 1024;
/// What to do about plain HTTP.
const PLAIN: &str = "must be https. http is allowed only on a loopback name, if context.clientAddress is loopback \
                     or the configured issuer is such a URL itself";
/// RFC 6749 §3.2.
const FORM: &str = "application/x-www-form-urlencoded";
/// RFC 8414 §3.1: this stands between the host and the path of the issuer. Behind the path it is
/// found as well.
const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// A request as a shell hands it over.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body, or as much of it as shows that it is too long; `null` when it is no text. Left
    /// out, it is asked for by [`IssuerStep::Body`](super::IssuerStep::Body) when it is needed.
    #[serde(default, deserialize_with = "given")]
    pub body: Option<Option<String>>,
    /// The address of the client, as whoever terminates its connection knows it.
    #[serde(default)]
    pub address: Option<String>,
}

fn is_loopback(address: &str) -> bool {
    Address::parse(address).is_some_and(Address::is_loopback)
}

/// Tells `null` from what is left out.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Token,
    Pushed,
    Revoke,
    Introspect,
    Jwks,
    Metadata,
    Revocations,
    Health,
}

impl Place {
    /// The methods it has (RFC 9110 §9).
    pub(super) const fn allow(self) -> &'static str {
        match self {
            Place::Token | Place::Pushed | Place::Revoke | Place::Introspect => "POST, OPTIONS",
            Place::Jwks | Place::Metadata | Place::Health => "GET, HEAD",
            Place::Revocations => "GET, HEAD, POST",
        }
    }
}

impl Request {
    /// The header of that name, if there is one. Two are one with a comma (RFC 9110 §5.3), which
    /// nothing here takes.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The URL it goes to, over a connection that nobody reads along.
    ///
    /// RFC 6749 §1.6, §3.2: secrets and tokens travel over TLS alone. On its own machine nobody
    /// listens. The host is what the client wrote into `Host`, and so never enough.
    pub(super) fn target(&self, settings: &Settings) -> Result<Url<'_>, ErrorResponse> {
        let url = Url::parse(&self.url)
            .ok_or_else(|| ErrorResponse::request("url", "must be an absolute URL of http or https"))?;
        let is_near = || settings.is_local || self.address.as_deref().is_some_and(is_loopback);
        let is_local = url.is_loopback() && is_near();
        if !url.secure && !is_local {
            return Err(ErrorResponse::request("url", PLAIN));
        }
        Ok(url)
    }

    /// Where it goes, and what stands behind the question mark.
    pub(super) fn place(&self, settings: &Settings) -> Result<(Place, Option<&str>), ErrorResponse> {
        let url = self.target(settings)?;
        let place = match url.path.strip_prefix(&settings.path) {
            Some("/token") => Some(Place::Token),
            Some("/par") => Some(Place::Pushed),
            Some("/revoke") => Some(Place::Revoke),
            Some("/introspect") => Some(Place::Introspect),
            Some("/jwks") => Some(Place::Jwks),
            Some("/revocations") => Some(Place::Revocations),
            Some("/health") if settings.health => Some(Place::Health),
            Some(WELL_KNOWN) => Some(Place::Metadata),
            _ => (url.path.strip_prefix(WELL_KNOWN) == Some(settings.path.as_str())).then_some(Place::Metadata),
        };
        let place =
            place.ok_or_else(|| ErrorResponse::new(404, "invalid_request", "url: this issuer has no such endpoint"))?;
        Ok((place, url.query))
    }

    /// The parameters in the body (RFC 6749 §3.2).
    pub(super) async fn form(&self, channel: &Channel) -> Result<Form, ErrorResponse> {
        Form::parse(&self.form_text(channel).await?)
    }

    /// The same, not yet read.
    pub(super) async fn form_text(&self, channel: &Channel) -> Result<String, ErrorResponse> {
        let kind = self.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(FORM) {
            return Err(ErrorResponse::request("Content-Type", &format!("must be {FORM}")));
        }
        let body = match &self.body {
            Some(body) => body.clone(),
            None => channel.body().await.map_err(ErrorResponse::body)?,
        };
        let body = body.ok_or_else(|| ErrorResponse::request("body", "must be UTF-8"))?;
        if body.len() > LONGEST_BODY {
            return Err(ErrorResponse::request("body", &format!("must have at most {LONGEST_BODY} bytes")));
        }
        Ok(body)
    }
}
