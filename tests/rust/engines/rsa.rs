//! Our RSA against the `rsa` crate and Wycheproof.
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{Algorithm, AlgorithmSignature};
use portcullis::internals::engine::{
    hash::Hash,
    rsa::{Pkcs1v15, Pss, RsaPublicKey, RsaSignature},
};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rsa::{
    BigUint, RsaPrivateKey, RsaPublicKey as Theirs,
    pkcs1v15::SigningKey as Pkcs1Key,
    pss::SigningKey as PssKey,
    signature::{Keypair, RandomizedSigner, SignatureEncoding, Signer, Verifier},
    traits::PublicKeyParts,
};
use sha2::{Sha256, Sha384, Sha512};

use super::cases;

/// A private key of the test vectors: making one takes longer than all that is done with it.
fn private_key(name: &str) -> RsaPrivateKey {
    let keys: serde_json::Value = serde_json::from_str(include_str!("../../vectors/generate/test-keys.json")).unwrap();
    let number = |member: &str| {
        let text = keys["keys"][name][member].as_str().unwrap();
        BigUint::from_bytes_be(&Base64UrlUnpadded::decode_vec(text).unwrap())
    };
    RsaPrivateKey::from_components(number("n"), number("e"), number("d"), vec![number("p"), number("q")]).unwrap()
}

fn imported(key: &Theirs) -> RsaPublicKey {
    RsaPublicKey::from_components(&key.n().to_bytes_be(), &key.e().to_bytes_be()).unwrap()
}

fn holds<A>(algorithm: A, key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool
where
    A: Algorithm<VerifyingKey = RsaPublicKey, Signature = RsaSignature>,
{
    algorithm.verify_signature(&RsaSignature::try_from_slice(signature).unwrap(), key, message)
}

fn mutate(random: &mut ChaCha20Rng, signature: &mut Vec<u8>, n: &BigUint) {
    match random.gen_range(0..5) {
        0..=1 => {
            let place = random.gen_range(0..signature.len());
            signature[place] ^= 1 << random.gen_range(0..8);
        }
        2 => {
            // s + n, if it fits
            let twin = (BigUint::from_bytes_be(signature) + n).to_bytes_be();
            if twin.len() == signature.len() { *signature = twin } else { signature[0] ^= 1 }
        }
        3 => {
            signature.pop();
        }
        _ => random.fill_bytes(signature),
    }
}

/// Signs and compares with the rsa crate's verdict, about the signature as it is and mutated:
/// two cases.
macro_rules! compare {
    ($hash:ident, $random:expr, $private:expr, $key:expr, $count:expr) => {{
        let pkcs1 = Pkcs1Key::<$hash>::new($private.clone());
        let pss = PssKey::<$hash>::new($private.clone());
        for _ in 0..$count {
            let mut message = vec![0; $random.gen_range(0..300)];
            $random.fill_bytes(&mut message);
            for use_pss in [false, true] {
                let mut signature =
                    if use_pss { pss.sign_with_rng($random, &message).to_vec() } else { pkcs1.sign(&message).to_vec() };
                for mutated in [false, true] {
                    if mutated {
                        mutate($random, &mut signature, $private.n());
                    }
                    let (theirs, ours) = if use_pss {
                        let s = rsa::pss::Signature::try_from(&signature[..]);
                        (
                            s.is_ok_and(|s| pss.verifying_key().verify(&message, &s).is_ok()),
                            holds(Pss(Hash::$hash), &$key, &message, &signature),
                        )
                    } else {
                        let s = rsa::pkcs1v15::Signature::try_from(&signature[..]);
                        (
                            s.is_ok_and(|s| pkcs1.verifying_key().verify(&message, &s).is_ok()),
                            holds(Pkcs1v15(Hash::$hash), &$key, &message, &signature),
                        )
                    };
                    assert_eq!(ours, !mutated, "{use_pss}");
                    // The rsa crate pads a short signature with zeros; ours refuses the length (RFC
                    // 8017 §8.1.2).
                    if signature.len() == $private.size() {
                        assert_eq!(ours, theirs, "{use_pss}");
                    }
                }
            }
        }
    }};
}

#[test]
fn agrees_with_the_rsa_crate() {
    let mut random = ChaCha20Rng::seed_from_u64(65537);
    // PSS needs a spare byte in front when the modulus has 8k+1 bits.
    for (name, bits, share) in
        [("rsa", 2048, 10), ("rsa2049", 2049, 6), ("rsa2055", 2055, 2), ("rsa3072", 3072, 1), ("rsa4096", 4096, 1)]
    {
        let private = private_key(name);
        assert_eq!(private.n().bits(), bits);
        let key = imported(&private.to_public_key());
        // Four cases a message: two schemes, each signature whole and mutated.
        let count = (cases() * share / 20).div_ceil(3 * 4);
        compare!(Sha256, &mut random, private, key, count);
        compare!(Sha384, &mut random, private, key, count);
        compare!(Sha512, &mut random, private, key, count);
    }
}

#[test]
fn refuses_signatures_at_the_edges_of_the_modulus() {
    let private = private_key("rsa");
    let key = imported(&private.to_public_key());
    let n = private.n();
    for s in [BigUint::from(0_u8), BigUint::from(1_u8), n - 1_u8, n.clone(), n + 1_u8] {
        let bytes = s.to_bytes_be();
        let padded = [vec![0; 256 - bytes.len()], bytes].concat();
        assert!(!holds(Pkcs1v15(Hash::Sha256), &key, b"m", &padded));
        assert!(!holds(Pss(Hash::Sha256), &key, b"m", &padded));
    }
    for length in [0, 1, 255, 257, 512] {
        assert!(!holds(Pkcs1v15(Hash::Sha256), &key, b"m", &vec![1; length]));
    }
}

/// RSASP1: what stands for `block`, whatever that is.
fn raw_signature(private: &RsaPrivateKey, block: &[u8]) -> Vec<u8> {
    use rsa::traits::PrivateKeyParts;
    let s = BigUint::from_bytes_be(block).modpow(private.d(), private.n()).to_bytes_be();
    [vec![0; private.size() - s.len()], s].concat()
}

#[test]
fn refuses_a_block_that_differs_in_any_byte() {
    let mut random = ChaCha20Rng::seed_from_u64(2006);
    for (bits, name) in [(2048, "rsa"), (2049, "rsa2049")] {
        let private = private_key(name);
        let key = imported(&private.to_public_key());
        let signed = Pkcs1Key::<Sha256>::new(private.clone()).sign(b"m").to_vec();
        let open = |s: &[u8]| {
            let block = BigUint::from_bytes_be(s).modpow(private.e(), private.n()).to_bytes_be();
            [vec![0; private.size() - block.len()], block].concat()
        };
        let block = open(&signed);
        // A block that stays below n when its highest possible bit is set: for 2049 bits, in the
        // byte that PSS leaves in front.
        let highest = BigUint::from(1_u8) << (bits - 1);
        let pss_block = core::iter::repeat_with(|| {
            open(&PssKey::<Sha256>::new(private.clone()).sign_with_rng(&mut random, b"m").to_vec())
        })
        .take(1000)
        .find(|block| BigUint::from_bytes_be(block) + &highest < *private.n())
        .unwrap();
        assert!(holds(Pkcs1v15(Hash::Sha256), &key, b"m", &raw_signature(&private, &block)));
        assert!(holds(Pss(Hash::Sha256), &key, b"m", &raw_signature(&private, &pss_block)));
        let (mut tried, mut highest_tried) = (0, false);
        // The highest bits of the block, then a bit of every byte.
        let changes = (0..16).map(|bit| (bit / 8, 0x80 >> (bit % 8))).chain((2..block.len()).map(|place| (place, 1)));
        for (place, bit) in changes {
            let (mut block, mut pss_block) = (block.clone(), pss_block.clone());
            block[place] ^= bit;
            pss_block[place] ^= bit;
            if BigUint::from_bytes_be(&block) < *private.n() {
                tried += 1;
                assert!(!holds(Pkcs1v15(Hash::Sha256), &key, b"m", &raw_signature(&private, &block)), "{place}");
            }
            if BigUint::from_bytes_be(&pss_block) < *private.n() {
                tried += 1;
                highest_tried |= place == 0 && (bits == 2048 || bit == 1);
                assert!(!holds(Pss(Hash::Sha256), &key, b"m", &raw_signature(&private, &pss_block)), "{place}");
            }
        }
        assert!(tried > 500 && highest_tried, "{tried}");
    }
}
