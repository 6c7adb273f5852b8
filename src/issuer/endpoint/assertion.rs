//! A client that signs who it is: `private_key_jwt` (RFC 7523 §2.2, §3; OpenID Connect Core §9).

use super::{
    channel::Channel,
    client::{Authentication, Client},
    error_response::ErrorResponse,
    form::Form,
    settings::Settings,
    store_keys,
};
use crate::{jws::compact::names_unverified, limits::Limits, time::Leeway};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const PARAMETER: &str = "client_assertion";

/// The `typ` of draft-ietf-oauth-rfc7523bis §4. It is recommended there; most clients still write
/// `JWT`, or nothing.
const EXPLICIT_TYPE: &str = "client-authentication+jwt";

/// STRICTER than RFC 7523 §3, which names no bound: an assertion is made for one request, and is
/// remembered until it is over.
const LONGEST_LIFE_SECONDS: u64 = 3600;
const LONGEST_JTI: usize = 256;

/// The client whose assertion it is.
pub(super) async fn client<'s>(
    settings: &'s Settings,
    assertion: &str,
    form: &Form,
    channel: &Channel,
) -> Result<&'s Client, ErrorResponse> {
    if form.required("client_assertion_type")? != TYPE {
        return Err(ErrorResponse::request("client_assertion_type", &format!("must be {TYPE}")));
    }
    let refused = |reason: &str| ErrorResponse::client(PARAMETER, reason, false);
    // Nobody has checked who wrote the name yet: it only chooses the keys.
    let named = names_unverified(assertion, &Limits::default()).and_then(|(id, _)| id);
    let client = named.and_then(|id| settings.client(&id));
    let client = client.ok_or_else(|| refused("names no client of this issuer"))?;
    let Authentication::PrivateKeyJwt(verifier) = &client.authentication else {
        return Err(refused("is not this client's authentication method"));
    };
    let now = channel.now();
    let accepted = verifier.verify(assertion, now).map_err(|rejection| refused(rejection.code()))?;
    let own = [settings.issuer.clone(), settings.endpoint("/token")];
    // STRICTER than RFC 7523 §3 item 3, as draft-ietf-oauth-rfc7523bis §4: whoever else is named
    // in it could play it to us.
    if !accepted.claims().aud.iter().all(|audience| own.contains(audience)) {
        return Err(refused("has another audience besides this issuer. Write the issuer alone into aud"));
    }
    if !accepted.header().typ().is_none_or(is_type) {
        return Err(refused(&format!("has the typ of another kind of token. Write {EXPLICIT_TYPE}")));
    }
    let expires = accepted.claims().exp.get();
    if expires > now.get().saturating_add(LONGEST_LIFE_SECONDS) {
        return Err(refused(&format!(
            "must not be valid for more than {LONGEST_LIFE_SECONDS} seconds. Write an earlier exp"
        )));
    }
    let jti = accepted.claims().jti.as_deref().filter(|jti| !jti.is_empty() && jti.len() <= LONGEST_JTI);
    let jti = jti.ok_or_else(|| refused("must have a jti of 1 to 256 bytes"))?;
    // RFC 7523 §3 item 7. Asked last, since asking uses it up.
    let key = store_keys::once("j", &[&client.id, jti]);
    let ends_at = expires.saturating_add(Leeway::CAP);
    if !channel.is_first(&key, ends_at).await? {
        return Err(refused("was used before. Make one for each request"));
    }
    Ok(client)
}

/// RFC 7515 §4.1.9: `application/` may be left out, and a media type is compared without regard to
/// case.
fn is_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    ["jwt", EXPLICIT_TYPE].contains(&typ.strip_prefix("application/").unwrap_or(&typ))
}
