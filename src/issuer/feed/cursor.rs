//! A place in the history, as an edge hands it back: proof that the feed has been there.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{base64url, revocation::snapshot::Head};

const SIGNED_BYTES: usize = 48;
const BYTES: usize = 64;

/// A version of an epoch, and where the chain was at it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The epoch.
    pub epoch: u64,
    /// The version.
    pub version: u64,
    /// The head of the chain.
    pub(crate) head: Head,
}

/// What a pull goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// The version that is held, of an epoch that is not told.
    Version(u64),
    /// The cursor of the last document.
    Place(Place, Proven),
}

/// Whether the MAC of a cursor holds: it was then handed out under this feed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proven {
    /// It does.
    Yes,
    /// It does not: it may be of a feed key before or after this one, or made up. It proves
    /// nothing, and is as good as a version.
    No,
}

/// Makes and reads cursors of one issuer. Their key is derived from the feed key, which may serve
/// several issuers.
#[derive(Clone)]
pub(super) struct Cursors {
    pub(super) key: [u8; 32],
    pub(super) issuer: String,
}

impl Cursors {
    pub(super) fn write(&self, place: &Place) -> String {
        let mut bytes = signed(place);
        bytes.extend(self.mac(&bytes).finalize().into_bytes().into_iter().take(BYTES - SIGNED_BYTES));
        base64url::encode(&bytes)
    }

    /// Reads digits, or a cursor.
    pub(super) fn read(&self, text: &str) -> Option<Since> {
        if text.len() <= 20 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Since::Version);
        }
        let bytes: [u8; BYTES] = base64url::decode(text)?.try_into().ok()?;
        let (epoch, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk::<8>()?;
        let (head, tag) = rest.split_first_chunk::<32>()?;
        let place = Place { epoch: u64::from_be_bytes(*epoch), version: u64::from_be_bytes(*version), head: *head };
        let proven = self.mac(&signed(&place)).verify_truncated_left(tag).is_ok();
        Some(Since::Place(place, if proven { Proven::Yes } else { Proven::No }))
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        // HMAC takes a key of any length; a default key would be a constant, and 32 bytes never
        // are refused.
        let mut mac = <Hmac<Sha256> as Mac>::new(&self.key.into_padded());
        mac.update(bytes);
        // What is before has a fixed length.
        mac.update(self.issuer.as_bytes());
        mac
    }
}

fn signed(place: &Place) -> Vec<u8> {
    [&place.epoch.to_be_bytes()[..], &place.version.to_be_bytes(), &place.head].concat()
}

trait Padded {
    fn into_padded(self) -> hmac::digest::Key<Hmac<Sha256>>;
}

impl Padded for [u8; 32] {
    /// RFC 2104 §2: a key shorter than a block is filled up with zeros.
    fn into_padded(self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in key.iter_mut().zip(self) {
            *to = from;
        }
        key
    }
}

impl core::fmt::Debug for Cursors {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Cursors(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_proves_its_place_under_its_key_alone() {
        let cursors = |key, issuer: &str| Cursors { key: [key; 32], issuer: issuer.to_owned() };
        let (ours, theirs, others) = (cursors(7, "us"), cursors(8, "us"), cursors(7, "them"));
        let place = Place { epoch: 3, version: 9, head: [5; 32] };
        let text = ours.write(&place);
        assert_eq!(text.len(), 86);
        assert_eq!(ours.read(&text), Some(Since::Place(place.clone(), Proven::Yes)));
        assert_eq!(theirs.read(&text), Some(Since::Place(place.clone(), Proven::No)));
        assert_eq!(others.read(&text), Some(Since::Place(place, Proven::No)));
        let Some(Since::Place(_, proven)) = ours.read(&text.replacen('A', "B", 1)) else { panic!() };
        assert_eq!(proven, Proven::No);
        assert_eq!(ours.read("12"), Some(Since::Version(12)));
        for text in ["", "-1", "1.5", "99999999999999999999", "x", &text[1..]] {
            assert_eq!(ours.read(text), None, "{text}");
        }
        assert!(!format!("{ours:?}").contains('7'));
    }
}
