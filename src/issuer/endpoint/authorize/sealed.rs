//! A checked request as a text that survives a login page without a store.
//!
//! | bytes, in base64url | what |
//! | --- | --- |
//! | 4 | the root key's name |
//! | 32 | HMAC-SHA-256 over the issuer and the rest |
//! | the rest | a [`Pending`] as JSON |
//!
//! It is authenticated and not encrypted: the browser that holds it has sent what is in it. Of a
//! pushed request (RFC 9126) it shows the browser what the client wrote.

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{super::settings::Settings, request::AuthorizationRequest};
use crate::issuer::sessions::root_keys::{RootKey, RootKeyId};
use crate::{base64url, time::UnixSeconds};

/// How long a user may take over signing in, in seconds.
pub(super) const LIFETIME_SECONDS: u64 = 600;

/// The longest text. A request with every member at its bound is below it.
const LONGEST: usize = 32 * 1024;

/// What a key is derived for.
const SEAL: &[u8] = b"portcullis authorization request";
const CODE: &[u8] = b"portcullis authorization code";

/// A request that waits for its user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Pending {
    pub(super) request: AuthorizationRequest,
    /// Which browser began it: the hash of its cookie.
    pub(super) browser: String,
    /// 128 random bits. Its code is derived from them.
    pub(super) id: String,
    /// The reference of a pushed request: it is granted once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pushed: Option<String>,
    pub(super) began: u64,
}

impl Pending {
    /// Has its time passed? Clocks of two processes may differ by a little.
    fn is_over(&self, now: UnixSeconds) -> bool {
        now.get() >= self.began.saturating_add(LIFETIME_SECONDS)
    }
}

/// A text that was sealed here, and its key.
pub(super) struct Opened<'s> {
    pub(super) pending: Pending,
    root: &'s RootKey,
}

impl Opened<'_> {
    /// The one code of this authorization: whoever has the sealed text cannot tell it.
    pub(super) fn code(&self, settings: &Settings) -> Option<String> {
        let mac = mac(self.root, CODE, settings, self.pending.id.as_bytes())?;
        Some(base64url::encode(&mac.finalize().into_bytes()))
    }
}

/// Seals a request; `None` when it is too long, which a checked one is not.
pub(super) fn seal(settings: &Settings, pending: &Pending, now: UnixSeconds) -> Option<String> {
    let root = settings.rules.roots.minting(now);
    let payload = serde_json::to_vec(pending).ok()?;
    let tag: [u8; 32] = mac(root, SEAL, settings, &payload)?.finalize().into_bytes().into();
    let RootKeyId(kid) = root.kid();
    let text = base64url::encode(&[kid.as_slice(), &tag, &payload].concat());
    (text.len() <= LONGEST).then_some(text)
}

/// Opens a text; `None` for one that was not sealed here, by a key that has retired, or whose time
/// is over.
pub(super) fn open<'s>(settings: &'s Settings, text: &str, now: UnixSeconds) -> Option<Opened<'s>> {
    let bytes = (text.len() <= LONGEST).then(|| base64url::decode(text)).flatten()?;
    let (kid, rest) = bytes.split_first_chunk::<4>()?;
    let (tag, payload) = rest.split_first_chunk::<32>()?;
    let root = settings.rules.roots.verifying(RootKeyId(*kid), now, LIFETIME_SECONDS)?;
    // In constant time.
    mac(root, SEAL, settings, payload)?.verify_slice(tag).ok()?;
    let pending: Pending = serde_json::from_slice(payload).ok()?;
    (!pending.is_over(now)).then_some(Opened { pending, root })
}

/// Two issuers that share a root key share no request.
fn mac(root: &RootKey, purpose: &[u8], settings: &Settings, signed: &[u8]) -> Option<Hmac<Sha256>> {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, root.secret()).expand(purpose, &mut key).ok()?;
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).ok()?;
    mac.update(&u64::try_from(settings.issuer.len()).unwrap_or(u64::MAX).to_be_bytes());
    mac.update(settings.issuer.as_bytes());
    mac.update(signed);
    Some(mac)
}
