//! Nonces for DPoP proofs that no server has to remember (RFC 9449 §8): the HMAC of a step of time.

use jwt_compact::{Algorithm, AlgorithmSignature};

use crate::{
    base64url,
    engine::{
        self,
        hmac::{Hs256, Hs256Key},
    },
    policy_error::PolicyError,
    time::UnixSeconds,
};

/// Keeps the same secret from meaning anything elsewhere.
const PURPOSE: &[u8] = b"portcullis dpop nonce";

/// What makes nonces and knows them again.
pub(crate) struct Nonces {
    key: Hs256Key,
    step_seconds: u64,
}

/// How old a nonce is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// Of the present step.
    Current,
    /// Of the one before; the client should be told the present one.
    Previous,
}

impl Nonces {
    /// Nonces under a secret, each good for what is left of its step and for the next one.
    ///
    /// # Errors
    /// A secret of fewer than 32 bytes, or all zero (`/nonceSecret`).
    pub(crate) fn new(secret: &[u8], step_seconds: u64) -> Result<Self, PolicyError> {
        let key = Hs256Key::new(secret).map_err(|defect| PolicyError::at("nonceSecret", defect.reason))?;
        Ok(Nonces { key, step_seconds: step_seconds.max(1) })
    }

    /// The nonce of the present step.
    #[must_use]
    pub(crate) fn current(&self, now: UnixSeconds) -> String {
        let signature = Hs256.sign(&self.key, &message(self.step(now)));
        base64url::encode(&signature.as_bytes())
    }

    /// How old a nonce is; `None` for one that is not ours or not good any more.
    #[must_use]
    pub(crate) fn age(&self, nonce: &str, now: UnixSeconds) -> Option<Age> {
        let tag = base64url::decode(nonce)?;
        let of = |step: u64| engine::holds(&Hs256, &self.key, &message(step), &tag);
        let step = self.step(now);
        if of(step) {
            return Some(Age::Current);
        }
        step.checked_sub(1).is_some_and(of).then_some(Age::Previous)
    }

    fn step(&self, now: UnixSeconds) -> u64 {
        now.get().checked_div(self.step_seconds).unwrap_or_default()
    }
}

fn message(step: u64) -> Vec<u8> {
    [PURPOSE, &step.to_be_bytes()].concat()
}

impl core::fmt::Debug for Nonces {
    /// Never the secret.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Nonces").field("step_seconds", &self.step_seconds).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    #[test]
    fn a_nonce_is_good_for_its_step_and_the_next() {
        let nonces = Nonces::new(&[7; 32], 60).unwrap();
        let nonce = nonces.current(at(6000));
        assert_eq!(nonces.current(at(6059)), nonce);
        assert_ne!(nonces.current(at(6060)), nonce);
        assert_eq!(nonces.age(&nonce, at(6059)), Some(Age::Current));
        assert_eq!(nonces.age(&nonce, at(6060)), Some(Age::Previous));
        assert_eq!(nonces.age(&nonce, at(6119)), Some(Age::Previous));
        assert_eq!(nonces.age(&nonce, at(6120)), None);
        assert_eq!(nonces.age(&nonce, at(5999)), None);
        assert_eq!(nonces.age(&nonce, at(0)), None);
    }

    #[test]
    fn another_secret_or_text_is_not_ours() {
        let nonces = Nonces::new(&[7; 32], 60).unwrap();
        let nonce = nonces.current(at(6000));
        for foreign in [
            Nonces::new(&[8; 32], 60).unwrap().current(at(6000)),
            nonce.get(..42).unwrap().to_owned(),
            format!("{nonce}A"),
            String::new(),
            "é".to_owned(),
        ] {
            assert_eq!(nonces.age(&foreign, at(6000)), None, "{foreign}");
        }
    }

    #[test]
    fn a_weak_secret_is_refused() {
        assert_eq!(Nonces::new(&[7; 31], 60).unwrap_err().pointer(), "/nonceSecret");
        assert!(Nonces::new(&[0; 32], 60).is_err());
    }
}
