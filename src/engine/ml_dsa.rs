//! ML-DSA (FIPS 204) as JOSE uses it: the pure variant with an empty context (RFC 9964). The
//! arithmetic is that of the crate `ml-dsa`.

use core::{convert::Infallible, fmt, marker::PhantomData, num::NonZeroUsize};
use std::borrow::Cow;

use jwt_compact::{Algorithm, AlgorithmSignature};
use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams};

use super::KeyDefect;

/// A parameter set (FIPS 204 §4) by its name in JOSE.
pub trait ParameterSet: MlDsaParams {
    /// The registered `alg`.
    const NAME: &'static str;
    /// Length of a public key, in bytes (FIPS 204 table 2).
    const KEY_BYTES: usize;
    /// Length of a signature, in bytes (FIPS 204 table 2).
    const SIGNATURE_BYTES: usize;
}

impl ParameterSet for MlDsa44 {
    const NAME: &'static str = "ML-DSA-44";
    const KEY_BYTES: usize = 1312;
    const SIGNATURE_BYTES: usize = 2420;
}

impl ParameterSet for MlDsa65 {
    const NAME: &'static str = "ML-DSA-65";
    const KEY_BYTES: usize = 1952;
    const SIGNATURE_BYTES: usize = 3309;
}

impl ParameterSet for MlDsa87 {
    const NAME: &'static str = "ML-DSA-87";
    const KEY_BYTES: usize = 2592;
    const SIGNATURE_BYTES: usize = 4627;
}

/// A public key. The matrix that its seed stands for is expanded once, here: 16 to 56 KiB.
#[derive(Clone)]
pub struct VerifyingKey<P: ParameterSet>(ml_dsa::VerifyingKey<P>);

impl<P: ParameterSet> VerifyingKey<P> {
    /// A public key from its bytes (FIPS 204 algorithm 23).
    ///
    /// # Errors
    /// Another length than the parameter set's. Any bytes of that length are a key.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyDefect> {
        let encoded = EncodedVerifyingKey::<P>::try_from(bytes).map_err(|_| {
            KeyDefect::new("pub", format!("must be {} bytes for {} and has {}", P::KEY_BYTES, P::NAME, bytes.len()))
        })?;
        Ok(VerifyingKey(ml_dsa::VerifyingKey::decode(&encoded)))
    }
}

impl<P: ParameterSet> fmt::Debug for VerifyingKey<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple(P::NAME).finish_non_exhaustive()
    }
}

/// A signature as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature<P>(Vec<u8>, PhantomData<P>);

impl<P: ParameterSet> AlgorithmSignature for Signature<P> {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(P::SIGNATURE_BYTES);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Signature(slice.to_vec(), PhantomData))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// The algorithm with the parameters `P`.
#[derive(Clone, Copy, Debug)]
pub struct MlDsa<P>(PhantomData<P>);

impl<P> Default for MlDsa<P> {
    fn default() -> Self {
        MlDsa(PhantomData)
    }
}

impl<P: ParameterSet> Algorithm for MlDsa<P> {
    type SigningKey = Infallible;
    type VerifyingKey = VerifyingKey<P>;
    type Signature = Signature<P>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(P::NAME)
    }

    fn sign(&self, signing_key: &Infallible, _: &[u8]) -> Signature<P> {
        match *signing_key {}
    }

    fn verify_signature(&self, signature: &Signature<P>, key: &VerifyingKey<P>, message: &[u8]) -> bool {
        // Another length, hints that are not in order, or a z that is too large are no signature
        // at all (FIPS 204 algorithm 27).
        ml_dsa::Signature::try_from(signature.0.as_slice())
            .is_ok_and(|signature| key.0.verify_with_context(message, &[], &signature))
    }
}
