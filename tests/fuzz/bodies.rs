//! What each fuzz target does with its input. A disagreement with the oracle is a panic.
//!
//! An input of random bytes is hardly ever a signature that holds, so each body also makes one
//! that does and lets the input change it.
#![allow(dead_code, reason = "a fuzz target uses one of these")]

#[path = "readers.rs"]
pub(crate) mod readers;

use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{Algorithm, AlgorithmSignature};
use portcullis::internals::engine::{
    ecdsa::{EcdsaKey, EcdsaSignature, curves},
    ed25519,
    hash::Hash,
    holds,
    precompute::{Precomputable, TableSize},
    rsa::{Pkcs1v15, Pss, RsaPublicKey},
};
use portcullis::{Gate, UnixSeconds, Verifier};

/// The input, taken from the front; where it ends, zeros follow.
struct Input<'d>(&'d [u8]);

impl<'d> Input<'d> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.byte())
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// Changes bytes of a text: pairs of a place and what is added to it, up to eight of them.
    fn mutate(&mut self, text: &mut [u8]) {
        for _ in 0..self.byte() % 9 {
            let place = usize::from(u16::from_le_bytes(self.bytes())) % text.len();
            text[place] = text[place].wrapping_add(self.byte());
        }
    }
}

/// With no table, the usual one and the wide one in turn.
fn bring(key: &impl Precomputable, mode: u8) {
    match mode % 3 {
        0 => key.forget_table(),
        1 => key.precompute(TableSize::Default),
        _ => key.precompute(TableSize::Wide),
    }
}

/// As many keys are made once; every 64th input makes one of its own.
const KEYS: u8 = 4;

macro_rules! ecdsa {
    ($name:ident, $oracle:ident, $curve:ident, $limbs:literal, $bytes:literal, $hash:literal, $low:expr) => {
        /// The ECDSA engine beside RustCrypto's.
        pub(crate) fn $name(data: &[u8]) {
            use $oracle::ecdsa::{
                Signature, SigningKey, VerifyingKey,
                signature::hazmat::{PrehashSigner, PrehashVerifier},
            };
            type Ours = EcdsaKey<curves::$curve, $limbs>;
            struct Made {
                verifying: VerifyingKey,
                point: Vec<u8>,
                /// Without a table, with the usual one and with the wide one.
                ours: [Ours; 3],
                hash: Vec<u8>,
                signature: Vec<u8>,
            }
            /// With all tables, or with the one of that mode.
            fn make(secret: &[u8], hash: Vec<u8>, table: Option<u8>) -> Option<Made> {
                let signing = SigningKey::from_slice(secret).ok()?;
                let verifying = VerifyingKey::from(&signing);
                let point = verifying.to_encoded_point(false).as_bytes().to_vec();
                let made: Signature = signing.sign_prehash(&hash).unwrap();
                let ours = [0, 1, 2].map(|mode| {
                    let key = Ours::from_point(&point).unwrap();
                    bring(&key, table.map_or(mode, |table| if table % 3 == mode { mode } else { 0 }));
                    key
                });
                Some(Made { verifying, point, ours, hash, signature: made.to_bytes().to_vec() })
            }
            static MADE: LazyLock<Vec<Made>> = LazyLock::new(|| {
                let secret = |seed| core::array::from_fn::<u8, $bytes, _>(|place| if place == 0 { 0 } else { seed });
                (1..=KEYS).filter_map(|seed| make(&secret(seed), vec![seed; $hash], None)).collect()
            });
            let mut input = Input(data);
            let (mode, table, which) = (input.byte(), input.byte(), input.byte());
            let own = if which % 64 == 63 {
                let secret = input.bytes::<$bytes>();
                let Some(own) = make(&secret, input.take($hash), Some(table)) else { return };
                Some(own)
            } else {
                None
            };
            let Made { verifying, point, ours, hash, signature } =
                own.as_ref().unwrap_or_else(|| &MADE[usize::from(which) % MADE.len()]);
            let (mut hash, mut signature) = (hash.clone(), signature.clone());
            match mode % 4 {
                0 => signature = input.take(2 * $bytes),
                1 => input.mutate(&mut hash),
                2 => input.mutate(&mut signature),
                _ => {}
            }
            let low = |signature: Signature| -> Signature { $low(signature) };
            let theirs =
                Signature::from_slice(&signature).is_ok_and(|s| verifying.verify_prehash(&hash, &low(s)).is_ok());
            let key = &ours[usize::from(table) % 3];
            let ours = EcdsaSignature::try_from_slice(&signature).is_ok_and(|s| key.verify_hash(&s, &hash));
            assert_eq!(ours, theirs, "{point:02x?} {hash:02x?} {signature:02x?}");
            assert!(ours || mode % 4 != 3);

            // Any bytes may come as a point, and are one for both or for neither.
            if mode & 4 == 0 {
                return;
            }
            let mut point = point.clone();
            input.mutate(&mut point);
            let theirs = point.first() == Some(&4) && VerifyingKey::from_sec1_bytes(&point).is_ok();
            let ours = Ours::from_point(&point).is_ok();
            assert_eq!(ours, theirs, "{point:02x?}");
        }
    };
}

ecdsa!(es256, p256, P256, 9, 32, 32, core::convert::identity);
ecdsa!(es384, p384, P384, 14, 48, 48, core::convert::identity);
ecdsa!(es512, p521, P521, 18, 66, 64, core::convert::identity);
// k256 takes low s only; n − s is as good as s for the equation.
ecdsa!(es256k, k256, Secp256k1, 9, 32, 32, |s: Signature| s.normalize_s().unwrap_or(s));

/// The Ed25519 engine beside ed25519-dalek's `verify_strict`.
pub(crate) fn ed25519(data: &[u8]) {
    use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
    /// What is signed with a key that is made once: for every length of a message one.
    type Signed = Vec<([u8; 64], Vec<u8>)>;
    static MADE: LazyLock<Vec<(SigningKey, ed25519::VerifyingKey, Signed)>> = LazyLock::new(|| {
        let made = |seed: u8| {
            let signing = SigningKey::from_bytes(&[seed; 32]);
            let ours = ed25519::VerifyingKey::from_bytes(signing.verifying_key().as_bytes()).unwrap();
            bring(&ours, seed);
            let sign = |length: u8| {
                let message: Vec<u8> = (0..length).collect();
                (signing.sign(&message).to_bytes(), message)
            };
            (signing.clone(), ours, (0..64).map(sign).collect())
        };
        (0..6).map(made).collect()
    });
    let mut input = Input(data);
    let (mode, which, length) = (input.byte(), usize::from(input.byte()), usize::from(input.byte()));
    let (signing, made, signed) = &MADE[which % MADE.len()];
    let (mut signature, mut message) = signed[length % signed.len()].clone();
    let mut key = signing.verifying_key().to_bytes();
    match mode % 5 {
        0 => signature = input.bytes(),
        1 => key = input.bytes(),
        2 if !message.is_empty() => input.mutate(&mut message),
        3 => input.mutate(&mut signature),
        _ => {}
    }
    let theirs = VerifyingKey::from_bytes(&key)
        .ok()
        .filter(|imported| !imported.is_weak() && imported.to_edwards().compress().as_bytes() == &key);
    let other = (mode % 5 == 1).then(|| ed25519::VerifyingKey::from_bytes(&key));
    assert_eq!(other.as_ref().is_none_or(Result::is_ok), theirs.is_some(), "{key:02x?}");
    let Some(theirs) = theirs else { return };
    let ours = other.as_ref().map_or(made, |other| other.as_ref().unwrap());
    let theirs = theirs.verify_strict(&message, &Signature::from_bytes(&signature)).is_ok();
    let ours = holds(&ed25519::StrictEd25519, ours, &message, &signature);
    assert_eq!(ours, theirs, "{key:02x?} {message:02x?} {signature:02x?}");
}

/// Private keys of the test vectors, with our view of their public halves.
static RSA: LazyLock<Vec<(rsa::RsaPrivateKey, RsaPublicKey)>> = LazyLock::new(|| {
    use rsa::{BigUint, RsaPrivateKey, traits::PublicKeyParts};
    let keys: serde_json::Value = serde_json::from_str(include_str!("../vectors/generate/test-keys.json")).unwrap();
    let read = |name: &str| {
        let number = |member: &str| {
            let text = keys["keys"][name][member].as_str().unwrap();
            BigUint::from_bytes_be(&Base64UrlUnpadded::decode_vec(text).unwrap())
        };
        let private =
            RsaPrivateKey::from_components(number("n"), number("e"), number("d"), vec![number("p"), number("q")])
                .unwrap();
        let ours = RsaPublicKey::from_components(&private.n().to_bytes_be(), &private.e().to_bytes_be()).unwrap();
        (private, ours)
    };
    ["rsa", "rsa2049", "rsa2055"].map(read).into()
});

/// What is signed under such a key, made once: by PKCS #1 v1.5 and by PSS, for a few messages each.
static RSA_SIGNED: LazyLock<Vec<[Vec<Vec<u8>>; 2]>> = LazyLock::new(|| {
    use rsa::{
        sha2::Sha256,
        signature::{RandomizedSigner, SignatureEncoding, Signer},
    };
    let sign = |(private, _): &(rsa::RsaPrivateKey, RsaPublicKey)| {
        let pkcs1 = rsa::pkcs1v15::SigningKey::<Sha256>::new(private.clone());
        let pss = rsa::pss::SigningKey::<Sha256>::new(private.clone());
        let messages = (0..RSA_MESSAGES).map(rsa_message);
        [
            messages.clone().map(|message| pkcs1.sign(&message).to_vec()).collect(),
            messages.map(|message| pss.sign_with_rng(&mut Repeatable(1), &message).to_vec()).collect(),
        ]
    };
    RSA.iter().map(sign).collect()
});
const RSA_MESSAGES: u8 = 4;

fn rsa_message(number: u8) -> [u8; 8] {
    [number; 8]
}

/// The RSA engine beside the crate `rsa`: the input changes the signature, or the encoded block
/// itself, which is then put through the private key.
pub(crate) fn rsa(data: &[u8]) {
    use rsa::{
        BigUint,
        sha2::Sha256,
        signature::Verifier,
        traits::{PrivateKeyParts, PublicKeyParts},
    };
    let mut input = Input(data);
    let (mode, which, number) = (input.byte(), usize::from(input.byte()), input.byte() % RSA_MESSAGES);
    let (private, ours) = &RSA[which % RSA.len()];
    let (size, public, message) = (private.size(), private.to_public_key(), rsa_message(number));
    let use_pss = mode & 1 == 1;
    let mut signature = RSA_SIGNED[which % RSA.len()][usize::from(use_pss)][usize::from(number)].clone();
    let open = |signature: &[u8]| {
        let opened = BigUint::from_bytes_be(signature).modpow(private.e(), private.n()).to_bytes_be();
        [vec![0; size - opened.len()], opened].concat()
    };
    match mode >> 1 & 3 {
        0 => signature = input.take(size),
        1 => input.mutate(&mut signature),
        2 => {
            let mut block = open(&signature);
            input.mutate(&mut block);
            let block = BigUint::from_bytes_be(&block);
            if block >= *private.n() {
                return;
            }
            // By the Chinese remainder theorem (RFC 8017 §5.1.2), which is four times as fast.
            let (p, q) = (&private.primes()[0], &private.primes()[1]);
            let one = BigUint::from(1_u8);
            let (m1, m2) = (block.modpow(&(private.d() % (p - &one)), p), block.modpow(&(private.d() % (q - &one)), q));
            let inverse = q.modpow(&(p - BigUint::from(2_u8)), p);
            let h = (p + &m1 - &m2 % p) * inverse % p;
            let s = (m2 + h * q).to_bytes_be();
            signature = [vec![0; size - s.len()], s].concat();
        }
        _ => {}
    }
    let (theirs, ours) = if use_pss {
        let key = rsa::pss::VerifyingKey::<Sha256>::new(public);
        let theirs = rsa::pss::Signature::try_from(&signature[..]).is_ok_and(|s| key.verify(&message, &s).is_ok());
        // RFC 8017 §8.1.2 step 2c and §9.1.2: where emBits is a multiple of 8, the block is one
        // octet shorter than the modulus, and an integer that needs that octet is no signature.
        // The crate ignores the octet; OpenSSL sides with us (vector
        // `refuses-pss-with-a-byte-in-front-of-the-block`).
        let too_long = private.n().bits() % 8 == 1 && signature.len() == size && open(&signature)[0] != 0;
        (theirs && !too_long, holds(&Pss(Hash::Sha256), ours, &message, &signature))
    } else {
        let key = rsa::pkcs1v15::VerifyingKey::<Sha256>::new(public);
        let theirs = rsa::pkcs1v15::Signature::try_from(&signature[..]).is_ok_and(|s| key.verify(&message, &s).is_ok());
        (theirs, holds(&Pkcs1v15(Hash::Sha256), ours, &message, &signature))
    };
    assert_eq!(ours, theirs, "key {which}, PSS {use_pss}, {signature:02x?}");
    assert!(ours || mode >> 1 & 3 != 3);
}

/// A salt that is the same each time.
struct Repeatable(u64);

impl rsa::rand_core::RngCore for Repeatable {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| (self.next_u64() >> 56) as u8);
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Repeatable {}

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    // RFC 8037 appendix A.2, and a secret.
    let policy = r#"{ "issuers": [{ "issuer": "https://i", "audience": "a", "jwks": { "keys": [
        { "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
        { "kty": "oct", "alg": "HS256", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }
    ] } }] }"#;
    Verifier::from_json(policy).unwrap()
});

/// The whole pipeline: any text is a verdict, and none of these is an accepted one but where the
/// signature is made here. The input is the header, the payload, or the whole value.
pub(crate) fn token(data: &[u8]) {
    let now = UnixSeconds::new(1_800_000_000).unwrap();
    let mut input = Input(data);
    let mode = input.byte();
    let rest = String::from_utf8_lossy(input.0).into_owned();
    assert!(VERIFIER.verify(&rest, now).is_err() && VERIFIER.verify_authorization(Some(&rest), now).is_err());
    let (header, payload) = match mode % 2 {
        0 => (rest.as_bytes(), &b"{}"[..]),
        _ => (&br#"{"alg":"HS256","typ":"at+jwt"}"#[..], rest.as_bytes()),
    };
    let text = [header, payload].map(Base64UrlUnpadded::encode_string).join(".");
    let secret: [u8; 32] = core::array::from_fn(|i| i as u8);
    let key = jwt_compact::alg::Hs256Key::new(secret);
    let tag = jwt_compact::alg::Hs256.sign(&key, text.as_bytes());
    let signed = format!("{text}.{}", Base64UrlUnpadded::encode_string(&tag.as_bytes()));
    if let Ok(accepted) = VERIFIER.verify(&signed, now) {
        let claims: serde_json::Value = serde_json::from_str(&rest).expect("an accepted payload is JSON");
        assert_eq!(claims["iss"], "https://i");
        assert_eq!(accepted.claims().iss, "https://i");
    }
}

/// A request with a token and a proof, both good, and the gate it passes.
static REQUEST: LazyLock<(Gate, String, serde_json::Value)> = LazyLock::new(|| {
    let file: serde_json::Value = serde_json::from_str(include_str!("../vectors/gate/gate-binding.json")).unwrap();
    let is_it = |vector: &&serde_json::Value| vector["id"] == "gate-dpop-accepts-a-proof";
    let mut facts = file["vectors"].as_array().unwrap().iter().find(is_it).unwrap()["request"].clone();
    facts["evidence"] = serde_json::json!({ "replay": "first" });
    let gate = Gate::from_json(&file["policies"]["default"].to_string()).unwrap();
    let step = gate.decide_json(&facts.to_string(), UnixSeconds::new(1_700_000_000).unwrap());
    let step: serde_json::Value = serde_json::from_str(&step).unwrap();
    assert_eq!(step["step"], "allowed");
    (gate, facts.to_string(), step["claims"].clone())
});

/// The gate: any facts at all, and good ones with a few bytes changed. What passes has the claims
/// that were signed.
pub(crate) fn request(data: &[u8]) {
    let (gate, facts, claims) = &*REQUEST;
    let now = UnixSeconds::new(1_700_000_000).unwrap();
    let decide = |facts: &str| -> serde_json::Value {
        serde_json::from_str(&gate.decide_json(facts, now)).expect("a step is JSON")
    };
    decide(&String::from_utf8_lossy(data));
    let mut changed = facts.clone().into_bytes();
    Input(data).mutate(&mut changed);
    let step = decide(&String::from_utf8_lossy(&changed));
    if step["step"] == "allowed" {
        assert_eq!(&step["claims"], claims);
        assert_eq!(step["binding"], "dpop");
    }
}

/// A verifier that trusts one key for lists, that key, and a list by it.
static LISTS: LazyLock<(String, ed25519_dalek::SigningKey)> = LazyLock::new(|| {
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let x = Base64UrlUnpadded::encode_string(key.verifying_key().as_bytes());
    let jwks = format!(r#"{{ "keys": [{{ "kty": "OKP", "crv": "Ed25519", "kid": "l", "x": "{x}" }}] }}"#);
    let policy = format!(
        r#"{{ "issuers": [{{ "issuer": "https://i", "audience": "a", "keys": [
            {{ "alg": "HS256", "secret": {{ "base64url": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }} }}
        ] }}], "revocation": {{ "jwks": {jwks}, "maxStalenessSeconds": 60,
            "statusLists": [{{ "uri": "https://i/s", "jwks": {jwks} }}] }} }}"#
    );
    (policy, key)
});

/// Lists of revocations: any text, any payload that is signed, any body behind it. None of them
/// panics, and one that is taken is JSON that says what is reported.
pub(crate) fn list(data: &[u8]) {
    let (policy, key) = &*LISTS;
    let now = UnixSeconds::new(1_800_000_000).unwrap();
    let mut verifier = Verifier::from_json(policy).unwrap();
    let mut input = Input(data);
    let mode = input.byte();
    let text = String::from_utf8_lossy(input.0).into_owned();
    assert!(
        verifier.apply_revocations(&text, now).is_err()
            && verifier.apply_status_list("https://i/s", &text, now).is_err()
    );
    let sign = |typ: &str, payload: &str| {
        let header = format!(r#"{{"alg":"EdDSA","kid":"l","typ":"{typ}"}}"#);
        let input = [header.as_str(), payload].map(|part| Base64UrlUnpadded::encode_string(part.as_bytes())).join(".");
        let signature = ed25519_dalek::Signer::sign(key, input.as_bytes()).to_bytes();
        format!("{input}.{}", Base64UrlUnpadded::encode_string(&signature))
    };
    let bytes = input.0;
    let encoded = Base64UrlUnpadded::encode_string(bytes);
    let (list, status) = match mode % 2 {
        // What is signed is anything.
        0 => (text.clone(), text),
        // It is good, and what it lists is anything.
        _ => {
            let body = Base64UrlUnpadded::encode_string(&Hash::Sha256.of(&[bytes]));
            let (tokens, cutoffs) = (u64::from(mode) / 2 % 64, (bytes.len() / 16) as u64);
            let list = format!(
                r#"{{"version":1,"iat":1800000000,"not_after":1800000009,"key":"AAAAAAAAAAAAAAAAAAAAAA","tokens":{tokens},"cutoffs":{},"body":"{body}","head":"{}"}}"#,
                cutoffs.saturating_sub(tokens / 2),
                "A".repeat(43),
            );
            let bits = [1, 2, 4, 8][usize::from(mode / 2 % 4)];
            (
                list,
                format!(
                    r#"{{"sub":"https://i/s","iat":1800000000,"status_list":{{"bits":{bits},"lst":"{encoded}"}}}}"#
                ),
            )
        }
    };
    let document = format!("{}~{encoded}", sign("portcullis-revocation+jwt", &list));
    if let Ok(report) = verifier.apply_revocations(&document, now) {
        let said: serde_json::Value = serde_json::from_str(&list).expect("an accepted payload is JSON");
        assert_eq!(
            (said["version"].as_u64(), said["tokens"].as_u64()),
            (Some(report.version), Some(report.tokens as u64))
        );
    }
    if let Ok(report) = verifier.apply_status_list("https://i/s", &sign("statuslist+jwt", &status), now) {
        assert!(report.bytes <= 4 * 1024 * 1024);
    }
}
