//! The secrets that refresh tokens are derived from, and their rotation.

use core::fmt;

use hkdf::Hkdf;
use sha2::Sha256;

use crate::issuer::{error::IssuerError, random::random};
use crate::{document, json::Object, keys::secret, policy_error::PolicyError, time::UnixSeconds};

/// What the name of a root key is derived under.
const NAME: &[u8] = b"portcullis root key id";

/// The name of a root key, derived from it, so that no two processes can give one name to two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RootKeyId(pub(in crate::issuer) [u8; 4]);

/// 32 secret bytes. With a session's salt they make its tokens; neither makes one alone.
#[derive(Clone)]
pub struct RootKey {
    secret: [u8; 32],
    kid: RootKeyId,
    mints_from: UnixSeconds,
}

impl RootKey {
    /// A key that verifies wherever it is known and mints from that instant on: it is handed to
    /// every process first, and mints later.
    #[must_use]
    pub fn new(secret: [u8; 32], mints_from: UnixSeconds) -> Self {
        let mut kid = [0; 4];
        // It cannot fail: four bytes are less than 255 hashes (RFC 5869 §2.3).
        let _ = Hkdf::<Sha256>::new(None, &secret).expand(NAME, &mut kid);
        RootKey { secret, kid: RootKeyId(kid), mints_from }
    }

    /// A new key from the platform's randomness.
    ///
    /// # Errors
    /// No randomness.
    pub fn generate(mints_from: UnixSeconds) -> Result<Self, IssuerError> {
        Ok(RootKey::new(random::<32>()?, mints_from))
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> RootKeyId {
        self.kid
    }

    pub(in crate::issuer) fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    fn from_object(object: &Object<'_>) -> Result<Self, PolicyError> {
        object.only(&["secret", "mintsFromSeconds"])?;
        let secret = <[u8; 32]>::try_from(secret::of(object.get("secret"))?);
        let secret = secret.map_err(|secret| {
            let reason =
                format!("must be 32 random bytes; found {}. Write what portcullis keygen --root prints", secret.len());
            PolicyError::at("secret", reason)
        })?;
        Ok(RootKey::new(secret, object.instant("mintsFromSeconds")?.unwrap_or(UnixSeconds::EPOCH)))
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RootKey")
            .field("kid", &self.kid)
            .field("mints_from", &self.mints_from)
            .finish_non_exhaustive()
    }
}

/// The root keys in use: the newest whose time has come mints; the others verify until they retire.
#[derive(Clone, Debug)]
pub struct RootKeys {
    oldest: RootKey,
    later: Vec<RootKey>,
}

impl RootKeys {
    /// A ring of one key.
    #[must_use]
    pub fn new(key: RootKey) -> Self {
        RootKeys { oldest: key, later: Vec::new() }
    }

    /// Adds a key that mints later than every other.
    ///
    /// # Errors
    /// One that begins no later than the newest (`/mintsFromSeconds`), or that is there already
    /// (`/secret`).
    pub fn with_next(mut self, key: RootKey) -> Result<Self, PolicyError> {
        if self.iter().any(|known| known.kid == key.kid) {
            return Err(PolicyError::at("secret", "is another entry's secret already. Remove one of the two"));
        }
        if self.iter().any(|known| known.mints_from >= key.mints_from) {
            return Err(PolicyError::at(
                "mintsFromSeconds",
                "must be later than that of the entry before. List the oldest first",
            ));
        }
        self.later.push(key);
        Ok(self)
    }

    /// Reads `{"keys": [{"secret": {"base64url": "…"}, "mintsFromSeconds": 0}, …]}`, the oldest
    /// first. The secret is 32 bytes, as `utf8`, `hex`, `base64` or `base64url`.
    ///
    /// # Errors
    /// Anything else, at the member at fault.
    pub fn from_json(text: &str) -> Result<Self, PolicyError> {
        let document = document::parse(text)?;
        document.only(&["keys"])?;
        let mut keys = Vec::new();
        document.objects("keys", &mut |key| {
            keys.push(RootKey::from_object(key)?);
            Ok(())
        })?;
        let mut keys = keys.into_iter().enumerate();
        let (_, oldest) = keys.next().ok_or_else(|| PolicyError::at("keys", "must have at least one key"))?;
        keys.try_fold(RootKeys::new(oldest), |ring, (index, key)| {
            ring.with_next(key).map_err(|error| error.within(&index.to_string()).within("keys"))
        })
    }

    /// The key that mints at `now`: the newest whose time has come, or the oldest while none has.
    #[must_use]
    pub fn minting(&self, now: UnixSeconds) -> &RootKey {
        self.later.iter().rev().find(|key| key.mints_from <= now).unwrap_or(&self.oldest)
    }

    /// The key of that name, unless it has retired: what it minted last was given out before its
    /// successor began, and is idle for too long once `idle_seconds` have passed since.
    pub(in crate::issuer) fn verifying(&self, kid: RootKeyId, now: UnixSeconds, idle_seconds: u64) -> Option<&RootKey> {
        let successors = self.later.iter().map(Some).chain([None]);
        let (key, successor) = self.iter().zip(successors).find(|(key, _)| key.kid == kid)?;
        let retires = successor.map(|successor| successor.mints_from.get().saturating_add(idle_seconds));
        retires.is_none_or(|retires| now.get() < retires).then_some(key)
    }

    fn iter(&self) -> impl Iterator<Item = &RootKey> {
        core::iter::once(&self.oldest).chain(&self.later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixSeconds {
        UnixSeconds::new(seconds).unwrap()
    }

    fn ring() -> RootKeys {
        let ring = RootKeys::new(RootKey::new([1; 32], at(0)));
        ring.with_next(RootKey::new([2; 32], at(1000))).unwrap().with_next(RootKey::new([3; 32], at(2000))).unwrap()
    }

    #[test]
    fn the_newest_whose_time_has_come_mints_and_the_others_verify_until_they_retire() {
        let (ring, keys) = (ring(), [1, 2, 3].map(|byte| RootKey::new([byte; 32], at(0)).kid()));
        assert_eq!(
            [0, 999, 1000, 1999, 2000].map(|now| ring.minting(at(now)).kid()),
            [0, 0, 1, 1, 2].map(|i: usize| keys[i])
        );
        let verify = |now| keys.map(|kid| ring.verifying(kid, at(now), 500).is_some());
        // A key verifies before it mints: some other process may have begun.
        assert_eq!(verify(0), [true, true, true]);
        assert_eq!(verify(1499), [true, true, true]);
        assert_eq!(verify(1500), [false, true, true]);
        assert_eq!(verify(2500), [false, false, true]);
        assert!(ring.verifying(RootKeyId([0; 4]), at(0), 500).is_none());
    }

    #[test]
    fn a_ring_is_read_by_member() {
        let secret = |byte| format!(r#"{{"hex":"{}"}}"#, format!("{byte:02x}").repeat(32));
        let read = |keys: String| RootKeys::from_json(&format!(r#"{{"keys":[{keys}]}}"#));
        let two = |from: u64, byte| {
            read(format!(r#"{{"secret":{}}},{{"secret":{},"mintsFromSeconds":{from}}}"#, secret(1), secret(byte)))
        };
        assert_eq!(two(9, 2).unwrap().minting(at(9)).kid(), RootKey::new([2; 32], at(0)).kid());
        assert_eq!(two(0, 2).unwrap_err().pointer(), "/keys/1/mintsFromSeconds");
        assert_eq!(two(9, 1).unwrap_err().pointer(), "/keys/1/secret");
        for (secret, pointer) in [
            (r#""AA""#, "/keys/0/secret"),
            (r#"{"base64url":"AA"}"#, "/keys/0/secret"),
            (r#"{"base64url":"A"}"#, "/keys/0/secret/base64url"),
            ("null", "/keys/0/secret"),
        ] {
            assert_eq!(read(format!(r#"{{"secret":{secret}}}"#)).unwrap_err().pointer(), pointer);
        }
        assert_eq!(read("{}".into()).unwrap_err().pointer(), "/keys/0/secret");
        assert_eq!(read(String::new()).unwrap_err().pointer(), "/keys");
    }

    #[test]
    fn no_text_of_a_ring_holds_a_secret() {
        let text = format!("{:?}", RootKeys::new(RootKey::new([0xca; 32], at(0))));
        assert!(!text.contains("202, 202") && !text.to_lowercase().contains("caca"), "{text}");
        let canary = "CANARY-CANARY";
        for secret in [format!("\"{canary}\""), format!(r#"{{"hex":"{canary}"}}"#), format!(r#"{{"utf8":"{canary}"}}"#)]
        {
            let error = RootKeys::from_json(&format!(r#"{{"keys":[{{"secret":{secret}}}]}}"#)).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(canary));
        }
    }
}
