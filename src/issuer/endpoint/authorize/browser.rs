//! The browser that a request is bound to, by a cookie: nobody finishes what another began (RFC
//! 9700 §4.7).

use sha2::{Digest, Sha256};

use super::{
    super::{authenticate::is_same, request::Request, settings::Settings},
    sealed::LIFETIME_SECONDS,
};
use crate::{base64url, issuer::error::IssuerError, issuer::random::random};

/// RFC 6265bis §4.1.3.2: no other host, and nobody on the way, can set a cookie of this name.
const NAME: &str = "__Host-portcullis-authorization";
/// Over plain HTTP, which a loopback issuer has, browsers take no such name.
const LOCAL_NAME: &str = "portcullis-authorization";

/// A browser's cookie.
pub(super) struct Browser(String);

impl Browser {
    /// That of a request; a new one when it has none. Tabs of one browser share it.
    pub(super) fn of(settings: &Settings, request: &Request) -> Result<Self, IssuerError> {
        match request.header("cookie").as_deref().and_then(|header| value(settings, header)) {
            Some(value) => Ok(Browser(value.to_owned())),
            None => Ok(Browser(base64url::encode(&random::<32>()?))),
        }
    }

    /// What a sealed request holds of it.
    pub(super) fn hash(&self) -> String {
        hash(&self.0)
    }

    /// The value of `Set-Cookie`. `Lax`: a user comes back from another site's login by a link.
    pub(super) fn set_cookie(&self, settings: &Settings) -> String {
        let secure = if settings.is_local { "" } else { " Secure;" };
        let (name, value) = (name(settings), &self.0);
        format!("{name}={value}; Path=/;{secure} HttpOnly; SameSite=Lax; Max-Age={LIFETIME_SECONDS}")
    }
}

/// Is it the browser that the hash is of, by its `Cookie` header or by the `Set-Cookie` that it
/// was to be given?
pub(super) fn is_of(settings: &Settings, header: &str, expected: &str) -> bool {
    value(settings, header).is_some_and(|value| is_same(hash(value).as_bytes(), expected.as_bytes()))
}

/// The cookie's value; `None` when it is not there, is malformed, or is there twice.
fn value<'h>(settings: &Settings, header: &'h str) -> Option<&'h str> {
    let pairs = header.split([';', ',']).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(own, _)| *own == name(settings)).map(|(_, value)| value);
    let value = values.next().filter(|_| values.next().is_none())?;
    base64url::decode(value).is_some_and(|bytes| bytes.len() == 32).then_some(value)
}

fn name(settings: &Settings) -> &'static str {
    if settings.is_local { LOCAL_NAME } else { NAME }
}

fn hash(value: &str) -> String {
    base64url::encode(&Sha256::digest(value))
}
