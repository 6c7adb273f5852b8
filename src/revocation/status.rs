//! Token Status Lists (draft-ietf-oauth-status-list, JWT form): a bit array in which a token has
//! its place.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::Serialize;

use crate::{
    base64url,
    claims::malformed,
    json::{Object, Value, read_object},
    jws::compact::UnverifiedToken,
    limits::Limits,
    policy::revocation::StatusListPolicy,
    rejection::Rejection,
    revocation::update::UpdateError,
    signature,
    time::{Leeway, UnixSeconds},
};

/// §5.1: the `typ` of such a list.
const TYPE: &str = "statuslist+jwt";

/// A longer list token is none, in characters.
const LONGEST: usize = 6 * 1024 * 1024;

/// What a list may inflate to, in bytes: 33 million tokens of one bit. A megabyte of zlib could be
/// a gigabyte otherwise (CVE-2024-28176).
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// A list whose signature is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
    issued_at: UnixSeconds,
    expires: Option<UnixSeconds>,
}

/// How many bits each token has (§4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bits {
    One,
    Two,
    Four,
    Eight,
}

/// A list was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// Whether tokens may be judged otherwise than before. What was remembered then counts no more.
    pub changed: bool,
    /// How many tokens have a place in it.
    pub entries: u64,
    /// From when on it is stale unless another comes, in seconds since 1970.
    pub stale_at: u64,
    /// What it takes, in bytes.
    pub bytes: usize,
}

/// A token's place (§6.2).
pub(super) struct Reference<'c> {
    pub(super) uri: &'c str,
    index: u64,
}

impl StatusList {
    /// Reads the list of that policy (§5.1, §8.3).
    pub(super) fn read(
        rules: &StatusListPolicy,
        leeway: Leeway,
        text: &str,
        now: UnixSeconds,
    ) -> Result<Self, UpdateError> {
        let malformed = |what| UpdateError::Malformed { what };
        let limits = Limits::checked(LONGEST, Limits::HEADER_BYTES_CAP, Limits::DEPTH_CAP, Limits::MEMBERS_CAP);
        let token = UnverifiedToken::parse(text, &limits).map_err(|_| malformed("jws"))?;
        let candidates = rules.keys.candidates(token.header(), &|| None).map_err(|_| UpdateError::Foreign)?;
        let authentic = signature::authenticate(token, &candidates).map_err(|_| UpdateError::Foreign)?;
        if authentic.header().typ().map(|typ| typ.strip_prefix("application/").unwrap_or(typ)) != Some(TYPE) {
            return Err(UpdateError::Type);
        }
        let claims = read_object(authentic.payload(), &limits).map_err(|_| malformed("payload"))?;
        // It may be good, but for another place.
        if claims.get("sub").and_then(Value::as_str) != Some(rules.uri.as_str()) {
            return Err(malformed("sub"));
        }
        let date = |name| claims.get(name).map(|value| value.as_date().ok_or(malformed(name))).transpose();
        let made = date("iat")?.ok_or(malformed("iat"))?;
        let issued_at = made.floor;
        if !made.ceil.is_reached(now, leeway) {
            return Err(UpdateError::FromFuture { now, issued_at: made.ceil });
        }
        let expires = date("exp")?.map(|expires| expires.ceil);
        if let Some(not_after) = expires.filter(|expires| expires.is_over(now, leeway)) {
            return Err(UpdateError::Over { now, not_after });
        }
        let (bits, bytes) = claims.get("status_list").and_then(inflate).ok_or(malformed("status_list"))?;
        Ok(StatusList { bits, bytes, issued_at, expires })
    }

    /// Takes another in its place; whether it says anything else.
    pub(super) fn replace(&mut self, other: StatusList) -> Result<bool, UpdateError> {
        if other.issued_at < self.issued_at {
            return Err(UpdateError::Older { held: self.issued_at.get(), offered: other.issued_at.get() });
        }
        let changed = (self.bits, &self.bytes) != (other.bits, &other.bytes);
        *self = other;
        Ok(changed)
    }

    pub(super) fn is_later_than(&self, other: &StatusList) -> bool {
        self.issued_at > other.issued_at
    }

    /// From when on it is stale. STRICTER than §8.3, which counts from when it was fetched: one
    /// that is held back would look fresh.
    pub(super) fn stale_at(&self, rules: &StatusListPolicy) -> u64 {
        let relied_on = self.issued_at.get().saturating_add(rules.max_staleness_seconds);
        self.expires.map_or(relied_on, |expires| relied_on.min(expires.get()))
    }

    pub(super) fn report(&self, rules: &StatusListPolicy, changed: bool) -> StatusReport {
        let (entries, stale_at) = (self.entries(), self.stale_at(rules));
        StatusReport { changed, entries, stale_at, bytes: self.bytes.len() }
    }

    /// What stands against the token at that place. STRICTER than §7: of a status other than
    /// VALID, whatever it means to an application, nothing says that the token is good.
    pub(super) fn check(&self, reference: &Reference<'_>) -> Result<(), Rejection> {
        let Reference { index, .. } = *reference;
        match self.status(index) {
            Some(0) => Ok(()),
            Some(status_value) => Err(Rejection::StatusNotValid { index, status_value }),
            None => Err(Rejection::StatusOutOfRange { index, entries: self.entries() }),
        }
    }

    fn entries(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX) << self.bits.places()
    }

    /// §4.1: places begin with the lowest bits of the first byte.
    fn status(&self, index: u64) -> Option<u8> {
        let byte = *self.bytes.get(usize::try_from(index >> self.bits.places()).ok()?)?;
        let within = (index << self.bits.shift()) & 7;
        Some((byte >> within) & self.bits.mask())
    }
}

impl Bits {
    /// How many there are, as a power of two.
    const fn shift(self) -> u32 {
        match self {
            Bits::One => 0,
            Bits::Two => 1,
            Bits::Four => 2,
            Bits::Eight => 3,
        }
    }

    /// How many tokens share a byte, as a power of two.
    const fn places(self) -> u32 {
        match self {
            Bits::One => 3,
            Bits::Two => 2,
            Bits::Four => 1,
            Bits::Eight => 0,
        }
    }

    const fn mask(self) -> u8 {
        match self {
            Bits::One => 1,
            Bits::Two => 3,
            Bits::Four => 15,
            Bits::Eight => 255,
        }
    }
}

impl<'c> Reference<'c> {
    /// Where the token's status is, if it says so.
    pub(super) fn of(claims: &'c Object<'_>) -> Result<Option<Self>, Rejection> {
        let Some(value) = claims.get("status") else { return Ok(None) };
        let malformed = || malformed("status", "an object that names a place in a list", value);
        let Value::Object(status) = value else { return Err(malformed()) };
        // §6.1: there may be other mechanisms, of which nothing is known here.
        let Some(reference) = status.get("status_list") else { return Ok(None) };
        let Value::Object(reference) = reference else { return Err(malformed()) };
        let uri = reference.get("uri").and_then(Value::as_str);
        match (uri, reference.get("idx").and_then(Value::as_integer)) {
            (Some(uri), Some(index)) => Ok(Some(Reference { uri, index })),
            _ => Err(malformed()),
        }
    }
}

/// §4.2: `bits`, and `lst`, the array in zlib (RFC 1950) in base64url.
fn inflate(list: &Value<'_>) -> Option<(Bits, Vec<u8>)> {
    let Value::Object(list) = list else { return None };
    let bits = match list.get("bits")?.as_integer()? {
        1 => Bits::One,
        2 => Bits::Two,
        4 => Bits::Four,
        8 => Bits::Eight,
        _ => return None,
    };
    let mut bytes =
        decompress_to_vec_zlib_with_limit(&base64url::decode(list.get("lst")?.as_str()?)?, MOST_BYTES).ok()?;
    // Grown by doubling.
    bytes.shrink_to_fit();
    Some((bits, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(bits: Bits, bytes: &[u8]) -> StatusList {
        StatusList { bits, bytes: bytes.to_vec(), issued_at: UnixSeconds::new(1).unwrap(), expires: None }
    }

    fn statuses(list: &StatusList) -> Vec<u8> {
        (0..list.entries()).map(|index| list.status(index).unwrap()).collect()
    }

    #[test]
    fn the_examples_of_section_4_1() {
        assert_eq!(statuses(&list(Bits::One, &[0xb9, 0xa3])), [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
        assert_eq!(statuses(&list(Bits::Two, &[0xc9, 0x44, 0xf9])), [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
        assert_eq!(statuses(&list(Bits::Four, &[0x21, 0x0f])), [1, 2, 15, 0]);
        assert_eq!(statuses(&list(Bits::Eight, &[7, 0, 255])), [7, 0, 255]);
    }

    #[test]
    fn past_the_end_there_is_nothing() {
        for (bits, entries) in [(Bits::One, 16), (Bits::Two, 8), (Bits::Four, 4), (Bits::Eight, 2)] {
            let list = list(bits, &[0, 0]);
            assert_eq!((list.entries(), list.status(entries - 1), list.status(entries)), (entries, Some(0), None));
            assert_eq!(list.status(u64::MAX), None);
        }
    }

    #[test]
    fn the_example_of_section_4_2_inflates_and_a_bomb_does_not() {
        let read = |text: &str| inflate(&Value::Object(read_object(text.as_bytes(), &Limits::default()).unwrap()));
        assert_eq!(read(r#"{"bits":1,"lst":"eNrbuRgAAhcBXQ"}"#).unwrap().1, [0xb9, 0xa3]);
        assert_eq!(read(r#"{"bits":2,"lst":"eNo76fITAAPfAgc"}"#).unwrap().1, [0xc9, 0x44, 0xf9]);
        assert!(read(r#"{"bits":3,"lst":"eNrbuRgAAhcBXQ"}"#).is_none() && read(r#"{"bits":1,"lst":"AAAA"}"#).is_none());
        let zlib = |size| base64url::encode(&miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; size], 9));
        let of = |size| read(&format!(r#"{{"bits":1,"lst":"{}"}}"#, zlib(size)));
        assert_eq!(of(MOST_BYTES).unwrap().1.len(), MOST_BYTES);
        assert!(of(MOST_BYTES + 1).is_none());
    }
}
