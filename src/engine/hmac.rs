//! HMAC with SHA-2 (RFC 2104, RFC 7518 §3.2). The comparison is that of the crate `subtle`, in
//! constant time natively. WebAssembly promises no timing.
//!
//! jwt-compact's own hashes the key anew for every token. Here a key is hashed once, when it is
//! imported: two blocks of the nine or ten that a token takes. One piece of code serves the three
//! algorithms: RustCrypto's `hmac` is compiled once an algorithm, 3 KB of the validator's wasm.

use core::{fmt, num::NonZeroUsize};
use std::borrow::Cow;

use jwt_compact::{Algorithm, AlgorithmSignature};
use subtle::ConstantTimeEq;

use super::{
    KeyDefect,
    hash::{Hash, HashValue, Hasher},
};

/// A secret as the states of the hash behind its two blocks.
#[derive(Clone)]
struct Secret {
    inner: Hasher,
    outer: Hasher,
}

impl Secret {
    #[inline(never)]
    fn new(hash: Hash, secret: &[u8]) -> Result<Self, KeyDefect> {
        check_secret(secret, hash.bytes())?;
        let hashed;
        let secret = if secret.len() > hash.block_bytes() {
            hashed = hash.of(&[secret]);
            &*hashed
        } else {
            secret
        };
        let keyed = |filling: u8| {
            let mut block = [filling; 128];
            block.iter_mut().zip(secret).for_each(|(byte, key)| *byte ^= key);
            let mut hasher = Hasher::new(hash);
            hasher.update(block.get(..hash.block_bytes()).unwrap_or_default());
            hasher
        };
        Ok(Secret { inner: keyed(0x36), outer: keyed(0x5c) })
    }

    #[inline(never)]
    fn tag(&self, message: &[u8]) -> HashValue {
        let (mut inner, mut outer) = (self.inner.clone(), self.outer.clone());
        inner.update(message);
        outer.update(&inner.finish());
        outer.finish()
    }

    #[inline(never)]
    fn holds(&self, message: &[u8], tag: &[u8]) -> bool {
        self.tag(message).ct_eq(tag).into()
    }
}

/// A whole, untruncated tag of `N` bytes.
#[derive(Clone, Debug)]
pub struct Tag<const N: usize>([u8; N]);

impl<const N: usize> AlgorithmSignature for Tag<N> {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(N);

    fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
        Ok(Tag(bytes.try_into()?))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

macro_rules! hmac {
    ($algorithm:ident, $key:ident, $hash:expr, $bytes:literal, $name:literal) => {
        #[doc = concat!("The algorithm ", $name, ".")]
        #[derive(Clone, Copy, Debug)]
        pub struct $algorithm;

        #[doc = concat!("A secret for ", $name, ", as the state of the hash behind it.")]
        #[derive(Clone)]
        pub struct $key(Secret);

        impl $key {
            /// Takes a secret in.
            ///
            /// # Errors
            /// One shorter than the hash or all zero, at the component `k`.
            pub fn new(secret: &[u8]) -> Result<Self, KeyDefect> {
                Secret::new($hash, secret).map($key)
            }
        }

        impl fmt::Debug for $key {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($key), "(_)"))
            }
        }

        impl Algorithm for $algorithm {
            type SigningKey = $key;
            type VerifyingKey = $key;
            type Signature = Tag<$bytes>;

            fn name(&self) -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn sign(&self, key: &$key, message: &[u8]) -> Self::Signature {
                let mut tag = [0; $bytes];
                tag.iter_mut().zip(key.0.tag(message).iter()).for_each(|(byte, from)| *byte = *from);
                Tag(tag)
            }

            fn verify_signature(&self, tag: &Self::Signature, key: &$key, message: &[u8]) -> bool {
                key.0.holds(message, &tag.0)
            }
        }
    };
}

hmac!(Hs256, Hs256Key, Hash::Sha256, 32, "HS256");
hmac!(Hs384, Hs384Key, Hash::Sha384, 48, "HS384");
hmac!(Hs512, Hs512Key, Hash::Sha512, 64, "HS512");

/// Refuses a secret that is shorter than the hash's output (RFC 7518 §3.2).
fn check_secret(secret: &[u8], hash_bytes: usize) -> Result<(), KeyDefect> {
    if secret.len() < hash_bytes {
        return Err(KeyDefect::new(
            "k",
            [
                "must be at least ",
                &hash_bytes.to_string(),
                " bytes, the length of the hash (RFC 7518 section 3.2), and has ",
                &secret.len().to_string(),
            ]
            .concat(),
        ));
    }
    // An all-zero secret is what an unset variable of the right length looks like.
    if secret.iter().all(|byte| *byte == 0) {
        return Err(KeyDefect::new("k", "is all zero"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, Mac};
    use sha2::{Sha256, Sha384, Sha512};

    macro_rules! agrees {
        ($algorithm:ident, $key:ident, $hash:ty, $bytes:literal) => {
            for secret_bytes in $bytes..300 {
                let secret: Vec<u8> = (1..=secret_bytes).map(|place: u32| place.to_le_bytes()[0] | 1).collect();
                let message = &secret[..secret.len() / 3];
                let expected = Hmac::<$hash>::new_from_slice(&secret).unwrap().chain_update(message).finalize();
                let key = $key::new(&secret).unwrap();
                let tag = $algorithm.sign(&key, message);
                assert_eq!(tag.0[..], expected.into_bytes()[..], "{} with {secret_bytes} bytes", stringify!($key));
                assert!($algorithm.verify_signature(&tag, &key, message));
                for place in 0..$bytes {
                    let mut other = tag.clone();
                    other.0[place] ^= 0x10;
                    assert!(!$algorithm.verify_signature(&other, &key, message));
                }
            }
        };
    }

    #[test]
    fn a_tag_agrees_with_hmac_for_secrets_below_at_and_above_the_length_of_a_block() {
        agrees!(Hs256, Hs256Key, Sha256, 32);
        agrees!(Hs384, Hs384Key, Sha384, 48);
        agrees!(Hs512, Hs512Key, Sha512, 64);
    }
}
