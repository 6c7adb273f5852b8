//! HMAC with SHA-2 (RFC 7518 §3.2) on RustCrypto's `hmac`, whose comparison runs in constant time natively. WebAssembly promises no timing.
//!
//! jwt-compact's own hashes the key anew for every token. Here a key is hashed once, when it is imported: two blocks of the nine or ten that
//! a token takes.

use core::{fmt, num::NonZeroUsize};
use std::borrow::Cow;

use hmac::{Hmac, Mac};
use jwt_compact::{Algorithm, AlgorithmSignature};
use sha2::{Sha256, Sha384, Sha512};

use super::KeyDefect;

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
    ($algorithm:ident, $key:ident, $hash:ty, $bytes:literal, $name:literal) => {
        #[doc = concat!("The algorithm ", $name, ".")]
        #[derive(Clone, Copy, Debug)]
        pub struct $algorithm;

        #[doc = concat!("A secret for ", $name, ", as the state of the hash behind it.")]
        #[derive(Clone)]
        pub struct $key(Hmac<$hash>);

        impl $key {
            /// Takes a secret in.
            ///
            /// # Errors
            /// One shorter than the hash or all zero, at the component `k`.
            pub fn new(secret: &[u8]) -> Result<Self, KeyDefect> {
                check_secret(secret, $bytes)?;
                let too_long = |_| KeyDefect::new("k", "is of no length that HMAC takes");
                Hmac::new_from_slice(secret).map($key).map_err(too_long)
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
                Tag(key.0.clone().chain_update(message).finalize().into_bytes().into())
            }

            fn verify_signature(&self, tag: &Self::Signature, key: &$key, message: &[u8]) -> bool {
                key.0.clone().chain_update(message).verify_slice(&tag.0).is_ok()
            }
        }
    };
}

hmac!(Hs256, Hs256Key, Sha256, 32, "HS256");
hmac!(Hs384, Hs384Key, Sha384, 48, "HS384");
hmac!(Hs512, Hs512Key, Sha512, 64, "HS512");

/// Refuses a secret that is shorter than the hash's output (RFC 7518 §3.2).
fn check_secret(secret: &[u8], hash_bytes: usize) -> Result<(), KeyDefect> {
    if secret.len() < hash_bytes {
        return Err(KeyDefect::new(
            "k",
            format!(
                "must be at least {hash_bytes} bytes, the length of the hash (RFC 7518 section 3.2), and has {}",
                secret.len()
            ),
        ));
    }
    // An all-zero secret is what an unset variable of the right length looks like.
    if secret.iter().all(|byte| *byte == 0) {
        return Err(KeyDefect::new("k", "is all zero"));
    }
    Ok(())
}
