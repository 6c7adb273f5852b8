//! Who is asking: a client, and how it shows that (RFC 6749 §2.3, §3.2.1).

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use super::{
    assertion,
    channel::Channel,
    client::{Authentication, Client},
    error_response::ErrorResponse,
    form::Form,
    rate_limit,
    request::Request,
    settings::Settings,
};
use crate::binding::uri::form_decoded;

/// A request of a client that is who it says.
pub(super) struct Caller<'s> {
    pub(super) client: &'s Client,
    pub(super) form: Form,
}

/// What the request shows of its client.
enum Shown<'r> {
    Nothing(&'r str),
    Basic { id: String, secret: String },
    Post { id: &'r str, secret: &'r str },
    Assertion(&'r str),
}

/// Reads the form and finds out whose it is. A request that shows two things shows none (RFC 6749
/// §2.3).
pub(super) async fn caller<'s>(
    settings: &'s Settings,
    request: &Request,
    channel: &Channel,
) -> Result<Caller<'s>, ErrorResponse> {
    let form = request.form(channel).await?;
    let authorization = request.header("authorization");
    let client = match shown(authorization.as_deref(), &form)? {
        Shown::Nothing(id) => by_name(settings, id)?,
        Shown::Basic { id, secret } => by_secret(settings, &id, &secret)?,
        Shown::Post { id, secret } => match known(settings, id, "client_id")? {
            client if matches!(&client.authentication, Authentication::Post(kept) if is_one_of(secret, kept)) => client,
            _ => return Err(ErrorResponse::client("client_secret", "does not authenticate this client", false)),
        },
        Shown::Assertion(assertion) => assertion::client(settings, assertion, &form, channel).await?,
    };
    // RFC 6749 §3.2.1: whoever names a client besides must name the same.
    if form.get("client_id").is_some_and(|id| id != client.id) {
        return Err(ErrorResponse::request(
            "client_id",
            "differs from the client that authenticated. Write that client, or leave it out",
        ));
    }
    let caller = Caller { client, form };
    // Counted once it is known who asks: nobody can use up what is another's. A public client is
    // whoever says so, and is counted with its grant.
    if client.is_confidential() {
        caller.count(channel).await?;
    }
    Ok(caller)
}

/// The client of a request without a body, shown by the Authorization header alone.
pub(super) async fn by_header<'s>(
    settings: &'s Settings,
    request: &Request,
    channel: &Channel,
) -> Result<&'s Client, ErrorResponse> {
    let header = request.header("authorization");
    let header = header.ok_or_else(|| {
        ErrorResponse::client("Authorization", "is required. Write Basic with client_id and client_secret", true)
    })?;
    let Shown::Basic { id, secret } = basic(&header)? else {
        return Err(ErrorResponse::client("Authorization", "must be Basic with client_id and client_secret", true));
    };
    let client = by_secret(settings, &id, &secret)?;
    rate_limit::check(channel, format!("client/{}", client.id), client.rate).await?;
    Ok(client)
}

impl Caller<'_> {
    /// Counts a request of the client. That of a public one is counted once its grant is known to
    /// be good.
    pub(super) async fn count(&self, channel: &Channel) -> Result<(), ErrorResponse> {
        rate_limit::check(channel, format!("client/{}", self.client.id), self.client.rate).await
    }

    /// The same for a public client alone; the others were counted when they had shown who they
    /// are.
    pub(super) async fn count_public(&self, channel: &Channel) -> Result<(), ErrorResponse> {
        if self.client.is_confidential() { Ok(()) } else { self.count(channel).await }
    }
}

fn shown<'r>(authorization: Option<&str>, form: &'r Form) -> Result<Shown<'r>, ErrorResponse> {
    let shown = match (authorization, form.get("client_secret"), form.get("client_assertion")) {
        (None, None, None) => Shown::Nothing(form.required("client_id")?),
        (Some(header), None, None) => basic(header)?,
        (None, Some(secret), None) => Shown::Post { id: form.required("client_id")?, secret },
        (None, None, Some(assertion)) => Shown::Assertion(assertion),
        _ => return Err(ErrorResponse::request("client_id", "is authenticated by more than one method. Use one")),
    };
    Ok(shown)
}

/// RFC 6749 §2.3.1: both halves are encoded as in a form before they become user and password (RFC
/// 7617 §2).
fn basic<'r>(header: &str) -> Result<Shown<'r>, ErrorResponse> {
    let malformed = || ErrorResponse::client("Authorization", "must be Basic with client_id and client_secret", true);
    let (scheme, encoded) = header.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    // In constant time, unlike what is public.
    let pair =
        Base64::decode_vec(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(malformed)?;
    let (id, secret) = pair.split_once(':').ok_or_else(malformed)?;
    let decoded = |text: &str| String::from_utf8(form_decoded(text)).map_err(|_| malformed());
    Ok(Shown::Basic { id: decoded(id)?, secret: decoded(secret)? })
}

fn by_secret<'s>(settings: &'s Settings, id: &str, secret: &str) -> Result<&'s Client, ErrorResponse> {
    match known(settings, id, "Authorization")? {
        client if matches!(&client.authentication, Authentication::Basic(kept) if is_one_of(secret, kept)) => {
            Ok(client)
        }
        _ => Err(ErrorResponse::client("Authorization", "does not authenticate this client", true)),
    }
}

fn known<'s>(settings: &'s Settings, id: &str, parameter: &str) -> Result<&'s Client, ErrorResponse> {
    let by_header = parameter == "Authorization";
    settings.client(id).ok_or_else(|| ErrorResponse::client(parameter, "names no client of this issuer", by_header))
}

fn by_name<'s>(settings: &'s Settings, id: &str) -> Result<&'s Client, ErrorResponse> {
    let client = known(settings, id, "client_id")?;
    match client.authentication {
        Authentication::None => Ok(client),
        _ => Err(ErrorResponse::client(
            "client_id",
            "names a confidential client without credentials. Authenticate it by its configured method",
            false,
        )),
    }
}

/// Every hash is compared, and all of it, so that time tells neither which nor how far.
fn is_one_of(secret: &str, kept: &[[u8; 32]]) -> bool {
    let shown: [u8; 32] = Sha256::digest(secret).into();
    kept.iter().fold(false, |found, hash| found | is_same(hash, &shown))
}

/// Compares all of two texts, so that time does not tell how far they are the same; it may tell
/// their lengths.
pub(super) fn is_same(kept: &[u8], shown: &[u8]) -> bool {
    let differs = kept.iter().zip(shown).fold(0, |sum, (kept, shown)| sum | (kept ^ shown));
    kept.len() == shown.len() && core::hint::black_box(differs) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_any_of_those_that_are_kept_and_whole() {
        let hash = |text: &str| Sha256::digest(text).into();
        let kept = [hash("one"), hash("two")];
        assert!(is_one_of("one", &kept) && is_one_of("two", &kept));
        assert!(!is_one_of("three", &kept) && !is_one_of("", &kept) && !is_one_of("one", &[]));
    }

    #[test]
    fn both_halves_of_basic_are_encoded_as_in_a_form() {
        // printf 'a%%3Ab:s%%20%%2B+' | base64
        match basic("basic YSUzQWI6cyUyMCUyQis=").unwrap() {
            Shown::Basic { id, secret } => assert_eq!((id.as_str(), secret.as_str()), ("a:b", "s + ")),
            _ => panic!(),
        }
        for header in ["Basic", "Basic ", "Basic YQ==", "Bearer YTpi", "Basic YTpi, Basic YTpi", "Basic /w=="] {
            assert!(basic(header).is_err(), "{header}");
        }
    }
}
