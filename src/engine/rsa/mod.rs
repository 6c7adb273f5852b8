//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 §8, RFC 7518 §3.3 and §3.5): verification with
//! public keys of 2048 to 4096 bits and the exponent 65537. The encodings are compared here,
//! whole. The arithmetic, base^65537 mod n, is in `modulus` for WebAssembly and in `wide`
//! elsewhere.

#[cfg(not(target_arch = "wasm32"))]
mod blocks;
#[cfg(not(target_arch = "wasm32"))]
mod wide;
// Tests run it natively as well, where additions trap on overflow.
#[cfg(any(target_arch = "wasm32", test))]
mod lanes;
#[cfg(any(target_arch = "wasm32", test))]
mod convolution;
#[cfg(any(target_arch = "wasm32", test))]
mod modulus;
mod weak;

use core::convert::Infallible;
use std::borrow::Cow;

use jwt_compact::{Algorithm, AlgorithmSignature};

#[cfg(target_arch = "wasm32")]
use self::modulus::Modulus;
#[cfg(not(target_arch = "wasm32"))]
use self::wide::Modulus;
use super::{KeyDefect, hash::Hash};

/// The one exponent that is accepted, big-endian: 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// A public key whose Montgomery constants have been computed.
#[derive(Clone, Debug)]
pub struct RsaPublicKey {
    modulus: Modulus,
    bits: usize,
}

impl RsaPublicKey {
    /// A public key from its modulus and exponent, big-endian without leading zeros (RFC 7518
    /// §6.3.1).
    ///
    /// # Errors
    /// A modulus outside 2048 to 4096 bits, even, or with a leading zero; an exponent other
    /// than 65537.
    pub fn from_components(n: &[u8], e: &[u8]) -> Result<Self, KeyDefect> {
        if e != EXPONENT {
            return Err(KeyDefect::new("e", "must be 65537 (AQAB)"));
        }
        let Some((first, last)) = n.first().zip(n.last()).filter(|(first, _)| **first != 0) else {
            return Err(KeyDefect::new("n", "must be a positive integer without leading zero bytes"));
        };
        // ilog2 of the first byte is the place of its highest bit.
        let first_bits = first.checked_ilog2().and_then(|place| usize::try_from(place).ok()).unwrap_or(0);
        let bits = n.len().saturating_sub(1).saturating_mul(8).saturating_add(first_bits).saturating_add(1);
        if !(2048..=4096).contains(&bits) {
            return Err(KeyDefect::new("n", ["must have 2048 to 4096 bits and has ", &bits.to_string()].concat()));
        }
        if last & 1 == 0 {
            return Err(KeyDefect::new("n", "is even, but an RSA modulus must be odd"));
        }
        if let Some(weakness) = weak::weakness(n) {
            return Err(KeyDefect::new("n", weakness));
        }
        let modulus = Modulus::new(n);
        Ok(RsaPublicKey { modulus, bits })
    }

    /// The one length of a signature under this key, in bytes.
    #[must_use]
    pub fn signature_bytes(&self) -> usize {
        self.bits.div_ceil(8)
    }

    /// RSAVP1 (RFC 8017 §5.2.2): the encoded message that the signature stands for,
    /// `signature_bytes` long.
    fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        if signature.len() != self.signature_bytes() {
            return None;
        }
        self.modulus.power_65537(signature)
    }
}

/// A signature as it came; its length is the modulus', so it is compared with the key and not with
/// the algorithm.
#[derive(Debug)]
pub struct RsaSignature(Vec<u8>);

impl AlgorithmSignature for RsaSignature {
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(RsaSignature(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// RSASSA-PKCS1-v1_5 with a hash.
#[derive(Clone, Copy, Debug)]
pub struct Pkcs1v15(pub Hash);

/// RSASSA-PSS with a hash, MGF1 with the same hash and a salt as long as its output.
#[derive(Clone, Copy, Debug)]
pub struct Pss(pub Hash);

/// DER of `DigestInfo` up to the hash value (RFC 8017 §9.2 note 1).
const fn digest_info(hash: Hash) -> [u8; 19] {
    // SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.2.id, NULL }, OCTET STRING of length bytes }
    let (id, length, rest) = match hash {
        Hash::Sha256 => (1, 32, 49),
        Hash::Sha384 => (2, 48, 65),
        Hash::Sha512 => (3, 64, 81),
    };
    [0x30, rest, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, id, 5, 0, 4, length]
}

impl Algorithm for Pkcs1v15 {
    type SigningKey = Infallible;
    type VerifyingKey = RsaPublicKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            Hash::Sha256 => "RS256",
            Hash::Sha384 => "RS384",
            Hash::Sha512 => "RS512",
        })
    }

    fn sign(&self, signing_key: &Infallible, _: &[u8]) -> RsaSignature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &RsaSignature, key: &RsaPublicKey, message: &[u8]) -> bool {
        // The whole block is built and compared: a parser of it is what Bleichenbacher's forgery
        // of 2006 deceived.
        let (info, hash) = (digest_info(self.0), self.0.of(&[message]));
        let tail = info.len().saturating_add(hash.len());
        let Some(filling) = key.signature_bytes().checked_sub(tail.saturating_add(3)) else { return false };
        let mut expected = vec![0, 1];
        expected.resize(filling.saturating_add(2), 0xff);
        expected.push(0);
        expected.extend_from_slice(&info);
        expected.extend_from_slice(&hash);
        key.recover(&signature.0).is_some_and(|encoded| encoded == expected)
    }
}

impl Algorithm for Pss {
    type SigningKey = Infallible;
    type VerifyingKey = RsaPublicKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self.0 {
            Hash::Sha256 => "PS256",
            Hash::Sha384 => "PS384",
            Hash::Sha512 => "PS512",
        })
    }

    fn sign(&self, signing_key: &Infallible, _: &[u8]) -> RsaSignature {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &RsaSignature, key: &RsaPublicKey, message: &[u8]) -> bool {
        key.recover(&signature.0)
            .is_some_and(|encoded| pss_holds(self.0, &encoded, key.bits.saturating_sub(1), message).is_some())
    }
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2) with a salt as long as the hash; `Some` when consistent.
fn pss_holds(hash: Hash, encoded: &[u8], encoded_bits: usize, message: &[u8]) -> Option<()> {
    // The encoded message has one bit less than the modulus, so a modulus of 8k+1 bits leaves a
    // byte in front, which is zero.
    let (front, encoded) = encoded.split_at_checked(encoded.len().checked_sub(encoded_bits.div_ceil(8))?)?;
    let (encoded, trailer) = encoded.split_at_checked(encoded.len().checked_sub(1)?)?;
    let (masked, value) = encoded.split_at_checked(encoded.len().checked_sub(hash.bytes())?)?;
    let unused_bits =
        8_usize.checked_mul(masked.len().checked_add(hash.bytes())?.checked_add(1)?)?.checked_sub(encoded_bits)?;
    let unused_mask = !(0xff_u8 >> unused_bits);

    let mut block = mgf1(hash, value, masked.len());
    block.iter_mut().zip(masked).for_each(|(mask, byte)| *mask ^= byte);
    if let Some(first) = block.first_mut() {
        *first &= !unused_mask;
    }
    let (zeros, one_and_salt) = block.split_at_checked(block.len().checked_sub(hash.bytes().checked_add(1)?)?)?;
    let (one, salt) = one_and_salt.split_first()?;

    let shape = front.iter().all(|byte| *byte == 0)
        && trailer == [0xbc]
        && masked.first()? & unused_mask == 0
        && zeros.iter().all(|byte| *byte == 0)
        && *one == 1;
    let expected = hash.of(&[&[0; 8], &hash.of(&[message]), salt]);
    (shape && *expected == *value).then_some(())
}

/// MGF1 (RFC 8017 §B.2.1).
fn mgf1(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length.saturating_add(64));
    for counter in 0_u32.. {
        if mask.len() >= length {
            break;
        }
        mask.extend_from_slice(&hash.of(&[seed, &counter.to_be_bytes()]));
    }
    mask.truncate(length);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defect(n: &[u8], e: &[u8]) -> &'static str {
        RsaPublicKey::from_components(n, e).unwrap_err().component
    }

    #[test]
    fn weak_keys_are_refused() {
        let modulus = |bytes: usize| [vec![0x80], vec![1; bytes - 1]].concat();
        assert!(RsaPublicKey::from_components(&modulus(256), &[1, 0, 1]).is_ok());
        assert!(RsaPublicKey::from_components(&modulus(512), &[1, 0, 1]).is_ok());
        for e in [[1].as_slice(), &[3], &[0, 1, 0, 1], &[1, 0, 2], &[]] {
            assert_eq!(defect(&modulus(256), e), "e");
        }
        for bytes in [128, 255, 513] {
            assert_eq!(defect(&modulus(bytes), &[1, 0, 1]), "n");
        }
        assert_eq!(defect(&[modulus(255), vec![2]].concat(), &[1, 0, 1]), "n");
        assert_eq!(defect(&[vec![0], modulus(256)].concat(), &[1, 0, 1]), "n");
        assert_eq!(defect(&[], &[1, 0, 1]), "n");
    }

    #[test]
    fn the_length_is_exact() {
        let key = RsaPublicKey::from_components(&[vec![0x80], vec![1; 255]].concat(), &[1, 0, 1]).unwrap();
        for length in [0, 1, 255, 257, 512] {
            assert_eq!(key.recover(&vec![0; length]), None);
        }
        assert_eq!(key.recover(&[0xff; 256]), None, "a representative that is not below the modulus");
        assert_eq!(key.recover(&[0; 256]), Some(vec![0; 256]));
    }
}
