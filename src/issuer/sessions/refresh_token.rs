//! The refresh token: `version ‖ kid ‖ sid ‖ generation ‖ tag` in base64url.
//!
//! Its tag is an HMAC under a key derived from a root key *and* its session's salt. A leaked store
//! or a leaked root key makes no token alone, and the token of a generation can be computed again,
//! so that a retry needs no stored secret.

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{
    root_keys::{RootKey, RootKeyId, RootKeys},
    row::Salt,
    session_id::SessionId,
};
use crate::time::UnixSeconds;

const VERSION: u8 = 1;
/// What the key of a session is derived for; version and root key follow.
const PURPOSE: &[u8] = b"portcullis refresh token";
/// 1 + 4 + 16 + 4 bytes, and all 32 of HMAC-SHA-256.
const SIGNED_BYTES: usize = 25;
const BYTES: usize = 57;
/// 57 bytes are 19 triples: no digit is left over in which two texts could differ.
const CHARACTERS: usize = 76;

/// A token that was well-formed. Whether its issuer made it, nobody has looked yet.
#[derive(Clone, Copy)]
pub struct RefreshToken {
    kid: RootKeyId,
    sid: SessionId,
    generation: u32,
    tag: [u8; 32],
}

impl RefreshToken {
    /// Reads a token, or `None` when it is not one of this version in its one text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != CHARACTERS {
            return None;
        }
        let mut bytes = [0; BYTES];
        // In constant time, since the bytes are worth stealing until they are refused.
        Base64UrlUnpadded::decode(text, &mut bytes).ok()?;
        let ([version], rest) = bytes.split_first_chunk::<1>()?;
        let (kid, rest) = rest.split_first_chunk::<4>()?;
        let (sid, rest) = rest.split_first_chunk::<16>()?;
        let (generation, tag) = rest.split_first_chunk::<4>()?;
        (*version == VERSION).then_some(RefreshToken {
            kid: RootKeyId(*kid),
            sid: SessionId::from_bytes(*sid),
            generation: u32::from_be_bytes(*generation),
            tag: tag.try_into().ok()?,
        })
    }

    /// The session it names.
    #[must_use]
    pub fn sid(&self) -> SessionId {
        self.sid
    }

    /// The generation it names.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The root key it names.
    #[must_use]
    pub fn kid(&self) -> RootKeyId {
        self.kid
    }

    /// Did its issuer make it, for the session with that salt, under a root key that has not
    /// retired?
    pub(in crate::issuer) fn is_authentic(
        &self,
        salt: &Salt,
        roots: &RootKeys,
        now: UnixSeconds,
        idle_seconds: u64,
    ) -> bool {
        let Some(root) = roots.verifying(self.kid, now, idle_seconds) else { return false };
        let signed = signed(root.kid(), self.sid, self.generation);
        // Compared in constant time: otherwise a tag could be found a byte at a time
        // (CVE-2015-10004).
        mac(root, salt, &signed).is_some_and(|mac| mac.verify_slice(&self.tag).is_ok())
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RefreshToken")
            .field("sid", &self.sid)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// A token on its way to its holder, as text.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedRefreshToken(String);

impl IssuedRefreshToken {
    /// The token of that generation, under the root key that mints at `now`. It is worth nothing
    /// before its session's row says so.
    #[must_use]
    pub fn mint(sid: SessionId, generation: u32, salt: &Salt, roots: &RootKeys, now: UnixSeconds) -> Self {
        let root = roots.minting(now);
        let mut bytes = signed(root.kid(), sid, generation).to_vec();
        bytes.extend(mac(root, salt, &bytes).map(|mac| mac.finalize().into_bytes()).unwrap_or_default());
        IssuedRefreshToken(Base64UrlUnpadded::encode_string(&bytes))
    }

    /// The text for the token response. It belongs nowhere else.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IssuedRefreshToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IssuedRefreshToken(…)")
    }
}

fn signed(kid: RootKeyId, sid: SessionId, generation: u32) -> [u8; SIGNED_BYTES] {
    let mut bytes = [0; SIGNED_BYTES];
    let parts = [&[VERSION][..], &kid.0, sid.as_bytes(), &generation.to_be_bytes()];
    bytes.iter_mut().zip(parts.into_iter().flatten()).for_each(|(byte, value)| *byte = *value);
    bytes
}

/// `None` is unreachable: one hash is derived, and HMAC takes a key of any length.
fn mac(root: &RootKey, salt: &Salt, signed: &[u8]) -> Option<Hmac<Sha256>> {
    let mut key = [0; 32];
    let info = [PURPOSE, &[VERSION], &root.kid().0];
    Hkdf::<Sha256>::new(Some(salt.as_bytes()), root.secret()).expand_multi_info(&info, &mut key).ok()?;
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&key).ok()?;
    mac.update(signed);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IDLE: u64 = 1000;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn roots() -> RootKeys {
        RootKeys::new(RootKey::new([7; 32], at(0))).with_next(RootKey::new([8; 32], at(500))).unwrap()
    }

    fn salt() -> Salt {
        Salt::from_bytes([9; 32])
    }

    fn minted(generation: u32, now: u64) -> String {
        let sid = SessionId::from_bytes([1; 16]);
        IssuedRefreshToken::mint(sid, generation, &salt(), &roots(), at(now)).as_str().to_owned()
    }

    fn authentic(text: &str, now: u64) -> bool {
        RefreshToken::parse(text).is_some_and(|token| token.is_authentic(&salt(), &roots(), at(now), IDLE))
    }

    #[test]
    fn the_token_of_a_generation_can_be_computed_again() {
        assert_eq!(minted(3, 0), minted(3, 499));
        let token = RefreshToken::parse(&minted(3, 0)).unwrap();
        assert_eq!((token.sid(), token.generation()), (SessionId::from_bytes([1; 16]), 3));
    }

    #[test]
    fn the_tag_is_hmac_under_hkdf_as_another_implementation_computes_them() {
        // node:crypto: hkdfSync('sha256', root, salt, info, 32), then createHmac('sha256', key)
        // over the first 25 bytes.
        assert_eq!(minted(3, 0), EXPECTED);
    }
    const EXPECTED: &str = "ASCvphMBAQEBAQEBAQEBAQEBAQEBAAAAAyPGEp4jPCV8abAV1U5MIIXNI1iH3gU6HE0NhKKhDMq4";

    #[test]
    fn a_token_outlives_the_rotation_of_its_root_key_by_the_idle_bound() {
        let old = minted(1, 499);
        assert!(authentic(&old, 500) && authentic(&old, 1499) && !authentic(&old, 1500));
        let new = minted(1, 500);
        assert_ne!(old, new);
        assert!(authentic(&new, 0) && authentic(&new, 100_000));
    }

    #[test]
    fn no_single_bit_can_be_changed_and_nothing_cut_off_or_added() {
        let text = minted(1, 0);
        for index in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                assert!(!authentic(&String::from_utf8_lossy(&bytes), 0), "byte {index}, bit {bit}");
            }
            assert!(RefreshToken::parse(&text[..index]).is_none());
        }
        for extra in ["=", "A", " ", "\n", "AAAA"] {
            assert!(RefreshToken::parse(&format!("{text}{extra}")).is_none());
            assert!(RefreshToken::parse(&format!("{extra}{text}")).is_none());
        }
    }

    #[test]
    fn neither_salt_nor_root_key_makes_a_token_alone() {
        let token = RefreshToken::parse(&minted(1, 0)).unwrap();
        assert!(!token.is_authentic(&Salt::from_bytes([8; 32]), &roots(), at(0), IDLE));
        let mut elsewhere = token;
        elsewhere.sid = SessionId::from_bytes([2; 16]);
        assert!(!elsewhere.is_authentic(&salt(), &roots(), at(0), IDLE));
        let mut renamed = token;
        renamed.kid = RootKey::new([8; 32], at(0)).kid();
        assert!(!renamed.is_authentic(&salt(), &roots(), at(0), IDLE));
    }

    #[test]
    fn no_text_of_a_token_holds_its_tag() {
        let text = minted(1, 0);
        let token = RefreshToken::parse(&text).unwrap();
        let shown = format!("{token:?} {:?}", IssuedRefreshToken(text.clone()));
        let tag = format!("{:?}", token.tag);
        assert!(!shown.contains(&text[33..]) && !shown.contains(tag.trim_matches(['[', ']'])), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_panics_or_authenticates(text in "[A-Za-z0-9_-]{76}|\\PC{0,80}") {
            prop_assert!(!authentic(&text, 0));
        }
    }
}
