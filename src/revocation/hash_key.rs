//! Names of what is revoked, as keyed 64-bit hashes: a list of them tells nobody whose sessions
//! they are.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;

/// The key of a list's hashes, drawn at random by whoever makes the list: without it nobody can
/// look for two names with one hash.
///
/// Two names share a hash once in 2⁶⁴, so that of a million entries one in 2⁴⁴ good tokens would
/// be refused; nothing is ever let pass by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct HashKey([u8; 16]);

impl HashKey {
    /// The key of those bytes.
    #[must_use]
    pub(crate) const fn new(bytes: [u8; 16]) -> Self {
        HashKey(bytes)
    }

    #[cfg(feature = "issuer")]
    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// SipHash-2-4 of the claim's name, the issuer's and the claim's value, which the byte 255
    /// keeps apart: no UTF-8 text has it.
    ///
    /// `claim` is one of `jti`, `sid`, `sub`, `client_id` and `kid`; or `iss`, with an empty value.
    #[must_use]
    pub(crate) fn hash(&self, claim: &str, issuer: &str, value: &str) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        for part in [claim.as_bytes(), &[255], issuer.as_bytes(), &[255], value.as_bytes()] {
            hasher.write(part);
        }
        hasher.finish()
    }
}

impl core::fmt::Debug for HashKey {
    /// Never the key.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("HashKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_siphash_2_4_of_the_parts_and_the_bytes_between() {
        // Appendix A of the paper on SipHash: the message 00 01 … 0e under the key 00 01 … 0f.
        let key = core::array::from_fn(|index| u8::try_from(index).unwrap());
        let mut hasher = SipHasher24::new_with_key(&key);
        hasher.write(&key[..15]);
        assert_eq!(hasher.finish(), 0xa129_ca61_49be_45e5);
        let mut whole = SipHasher24::new_with_key(&key);
        whole.write(b"jti\xffhttps://i\xffa");
        assert_eq!(HashKey::new(key).hash("jti", "https://i", "a"), whole.finish());
    }

    #[test]
    fn no_part_runs_into_the_next() {
        let key = HashKey::new([7; 16]);
        let hashes = [
            key.hash("jti", "a", "bc"),
            key.hash("jti", "ab", "c"),
            key.hash("sid", "a", "bc"),
            key.hash("jti", "", "abc"),
            HashKey::new([8; 16]).hash("jti", "a", "bc"),
        ];
        assert!(hashes.iter().enumerate().all(|(index, hash)| !hashes[..index].contains(hash)));
    }
}
