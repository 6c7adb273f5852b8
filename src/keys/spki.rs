//! SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in DER and PEM: which kind of key it holds, and the
//! key's own bytes.
//!
//! It is read by the few forms it can have and nothing else. The crates for all of DER would be a
//! sixth of the validator's wasm.

#[cfg(feature = "ml-dsa")]
use crate::alg::Alg;
use crate::{alg::Family, base64url};

/// The content of an object identifier (X.690 §8.19) and what it names.
const CURVES: [(&[u8], Family); 4] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], Family::P256), // 1.2.840.10045.3.1.7
    (&[0x2b, 0x81, 4, 0, 0x22], Family::P384),                // 1.3.132.0.34
    (&[0x2b, 0x81, 4, 0, 0x23], Family::P521),                // 1.3.132.0.35
    (&[0x2b, 0x81, 4, 0, 0x0a], Family::Secp256k1),           // 1.3.132.0.10
];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]; // 1.2.840.10045.2.1 (RFC 5480 §2.1.1)
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]; // 1.2.840.113549.1.1.1 (RFC 3279 §2.3.1)
const ED25519: &[u8] = &[0x2b, 0x65, 0x70]; // 1.3.101.112 (RFC 8410 §3)

/// 2.16.840.1.101.3.4.3.17 to 19 (RFC 9881 §2).
#[cfg(feature = "ml-dsa")]
const ML_DSA: [(&[u8], Alg); 3] = [
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17], Alg::MlDsa44),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18], Alg::MlDsa65),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19], Alg::MlDsa87),
];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// The version of a certificate: `[0]`.
const VERSION: u8 = 0xa0;

const NO_RSA_KEY: &str = "does not hold an RSAPublicKey (RFC 8017 appendix A.1.1)";

/// The key in a SubjectPublicKeyInfo, by its kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PublicKey<'d> {
    /// A point on a curve, encoded (RFC 5480 §2.2).
    Ec(Family, &'d [u8]),
    /// 32 bytes (RFC 8410 §4).
    Ed25519(&'d [u8]),
    /// Modulus and exponent, big-endian without leading zeros (RFC 8017 appendix A.1.1).
    Rsa(&'d [u8], &'d [u8]),
    /// The parameter set and its key (RFC 9881 §4).
    #[cfg(feature = "ml-dsa")]
    MlDsa(Alg, &'d [u8]),
}

/// Reads DER that must be one SubjectPublicKeyInfo and nothing more.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(der: &[u8]) -> Result<PublicKey<'_>, &'static str> {
    let (algorithm, key) = parts(der).ok_or("is not a SubjectPublicKeyInfo (RFC 5280 section 4.1)")?;
    let mut algorithm = Der(algorithm);
    let oid = algorithm.element(OBJECT_IDENTIFIER);
    match oid {
        Some(EC_PUBLIC_KEY) => {
            let curve = algorithm.element(OBJECT_IDENTIFIER).filter(|_| algorithm.is_over());
            let family = CURVES.into_iter().find(|(oid, _)| Some(*oid) == curve).map(|(_, family)| family);
            Ok(PublicKey::Ec(family.ok_or("is on a curve that is not supported")?, key))
        }
        Some(ED25519) if algorithm.is_over() => Ok(PublicKey::Ed25519(key)),
        Some(RSA_ENCRYPTION) => {
            let parameters = algorithm.element(NULL).filter(|_| algorithm.is_over());
            let key = parameters.and_then(|_| rsa(key));
            key.ok_or(NO_RSA_KEY)
        }
        #[cfg(feature = "ml-dsa")]
        Some(oid) if algorithm.is_over() => {
            let named = ML_DSA.into_iter().find(|(known, _)| *known == oid).map(|(_, alg)| alg);
            named.map(|alg| PublicKey::MlDsa(alg, key)).ok_or("is of an algorithm that is not supported")
        }
        _ => Err("is of an algorithm that is not supported"),
    }
}

/// The content of the AlgorithmIdentifier, and the key: a bit string of whole bytes.
fn parts(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut outer = Der(der);
    let mut info = Der(outer.element(SEQUENCE)?);
    let algorithm = info.element(SEQUENCE)?;
    let (unused_bits, key) = info.element(BIT_STRING)?.split_first()?;
    (outer.is_over() && info.is_over() && *unused_bits == 0).then_some((algorithm, key))
}

fn rsa(key: &[u8]) -> Option<PublicKey<'_>> {
    let mut outer = Der(key);
    let mut numbers = Der(outer.element(SEQUENCE)?);
    let (n, e) = (numbers.positive()?, numbers.positive()?);
    (outer.is_over() && numbers.is_over()).then_some(PublicKey::Rsa(n, e))
}

/// DER that is left to be read.
struct Der<'d>(&'d [u8]);

impl<'d> Der<'d> {
    fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The content of the next element, which must have this tag and a length in its shortest form
    /// (X.690 §10.1).
    fn element(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (length, rest) = match self.0 {
            [first, length @ 0..=0x7f, rest @ ..] if *first == tag => (usize::from(*length), rest),
            [first, 0x81, length @ 0x80..=0xff, rest @ ..] if *first == tag => (usize::from(*length), rest),
            [first, 0x82, high @ 1..=0xff, low, rest @ ..] if *first == tag => {
                (usize::from(u16::from_be_bytes([*high, *low])), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// The next element, which must be a positive integer, without the zero that keeps its highest
    /// bit from being a sign (X.690 §8.3).
    fn positive(&mut self) -> Option<&'d [u8]> {
        match self.element(INTEGER)? {
            [0, number @ ..] if number.first().is_some_and(|first| *first >= 0x80) => Some(number),
            number if number.first().is_some_and(|first| (1..0x80).contains(first)) => Some(number),
            _ => None,
        }
    }
}

/// A textual encoding (RFC 7468).
#[derive(Debug)]
pub(crate) struct Pem {
    /// What is in it; empty for the base64 between the lines alone.
    pub(crate) label: String,
    pub(crate) der: Vec<u8>,
}

/// Reads a textual encoding as it survives its way through environment variables and configuration
/// files (RFC 7468 §3): its line breaks may be missing, or be written as `\n`, quotes and white
/// space may stand around it, and the lines with its label may be gone. It is one text, and
/// nothing else may stand in it.
pub(crate) fn from_pem(text: &str) -> Option<Pem> {
    // Base64 and labels have no backslashes.
    let text = unescaped(&unescaped(text.as_bytes(), b'r', b""), b'n', b"\n");
    let mut text = text.trim_ascii();
    for quote in [b"\"", b"'"] {
        text = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)).unwrap_or(text).trim_ascii();
    }
    let (label, body) = match text.strip_prefix(b"-----BEGIN ") {
        None => (&[][..], text),
        Some(rest) => {
            let (label, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b'-')?)?;
            let rest = rest.strip_prefix(b"-----")?.strip_suffix(b"-----")?.strip_suffix(label)?;
            (label, rest.strip_suffix(b"-----END ")?)
        }
    };
    let mut digits = body.to_vec();
    digits.retain(|byte| !byte.is_ascii_whitespace());
    let digits = String::from_utf8(digits).ok()?;
    let der =
        base64url::decode_standard(&digits).or_else(|| base64url::decode(&digits).filter(|_| label.is_empty()))?;
    let label = String::from_utf8(label.to_vec()).ok()?;
    Some(Pem { label, der }).filter(|pem| !pem.der.is_empty())
}

/// The text with `by` wherever a backslash stands before `letter`. A loop over bytes: the searcher
/// of `replace` is 3 KB of wasm.
#[inline(never)]
fn unescaped(text: &[u8], letter: u8, by: &[u8]) -> Vec<u8> {
    let (mut written, mut rest) = (Vec::with_capacity(text.len()), text);
    while let [first, behind @ ..] = rest {
        rest = behind;
        match behind {
            [second, behind @ ..] if *first == b'\\' && *second == letter => {
                written.extend_from_slice(by);
                rest = behind;
            }
            _ => written.push(*first),
        }
    }
    written
}

/// Reads a public key out of a textual encoding.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn of_pem(pem: &Pem) -> Result<PublicKey<'_>, &'static str> {
    let pkcs1 = || rsa(&pem.der);
    if is_private(&pem.der) || pem.label.ends_with("PRIVATE KEY") {
        return Err(
            "is a private key, which must not be in a policy; write the public key: openssl pkey -in private.pem -pubout",
        );
    }
    if of_certificate(&pem.der).is_some() || pem.label.ends_with("CERTIFICATE") {
        return Err("is a certificate; write it as \"certificate\" instead");
    }
    match pem.label.as_str() {
        "RSA PUBLIC KEY" => pkcs1().ok_or(NO_RSA_KEY),
        "PUBLIC KEY" => read(&pem.der),
        "" => pkcs1().map_or_else(|| read(&pem.der), Ok),
        _ => Err("must be labelled PUBLIC KEY; for another format: openssl pkey -pubin -in key.pem -pubout"),
    }
}

/// Is it a private key: PrivateKeyInfo (RFC 5208 §5), RSAPrivateKey (RFC 8017 appendix A.1.2) or
/// ECPrivateKey (RFC 5915 §3)?
fn is_private(der: &[u8]) -> bool {
    let version = Der(der).element(SEQUENCE).and_then(|content| Der(content).element(INTEGER));
    matches!(version, Some([0 | 1]))
}

/// The SubjectPublicKeyInfo of an X.509 certificate (RFC 5280 §4.1). Nothing else of it is read.
pub(crate) fn of_certificate(der: &[u8]) -> Option<&[u8]> {
    let mut outer = Der(der);
    let mut certificate = Der(outer.element(SEQUENCE)?);
    let mut signed = Der(certificate.element(SEQUENCE)?);
    certificate.element(SEQUENCE)?;
    certificate.element(BIT_STRING)?;
    // It is left out of the first version.
    let _ = signed.element(VERSION);
    signed.element(INTEGER)?;
    // The algorithm, the issuer, the validity and the subject.
    for _ in 0..4 {
        signed.element(SEQUENCE)?;
    }
    let from = signed.0;
    signed.element(SEQUENCE)?;
    let length = from.len().checked_sub(signed.0.len())?;
    from.get(..length).filter(|_| outer.is_over() && certificate.is_over())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spki::{SubjectPublicKeyInfoRef, der::Decode, der::asn1::UintRef};

    use super::*;

    /// What the crate `spki` makes of it.
    fn oracle(der: &[u8]) -> Option<(String, Vec<u8>)> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        Some((spki.algorithm.oid.to_string(), spki.subject_public_key.as_bytes()?.to_vec()))
    }

    fn samples() -> Vec<Vec<u8>> {
        let text = include_str!("../../tests/vectors/keys/documents.json");
        let all: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut found = Vec::new();
        fn walk(value: &serde_json::Value, found: &mut Vec<Vec<u8>>) {
            match value {
                serde_json::Value::Object(members) => {
                    if let Some(pem) = members.get("pem").and_then(serde_json::Value::as_str) {
                        found.extend(from_pem(pem).map(|pem| pem.der));
                    }
                    members.values().for_each(|value| walk(value, found));
                }
                serde_json::Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
                _ => {}
            }
        }
        walk(&all, &mut found);
        found.sort();
        found.dedup();
        found
    }

    /// Whatever we read, the crate reads alike.
    fn agrees(der: &[u8]) -> bool {
        let Ok(key) = read(der) else { return false };
        let (oid, bits) = oracle(der).unwrap();
        match key {
            PublicKey::Ec(_, point) => assert_eq!((oid.as_str(), bits.as_slice()), ("1.2.840.10045.2.1", point)),
            PublicKey::Ed25519(x) => assert_eq!((oid.as_str(), bits.as_slice()), ("1.3.101.112", x)),
            PublicKey::Rsa(n, e) => {
                let numbers = <[UintRef<'_>; 2]>::from_der(&bits).unwrap();
                assert_eq!(numbers.map(|number| number.as_bytes().to_vec()), [n, e]);
            }
            #[cfg(feature = "ml-dsa")]
            PublicKey::MlDsa(_, key) => {
                assert!(oid.starts_with("2.16.840.1.101.3.4.3.1"), "{oid}");
                assert_eq!(bits, key);
            }
        }
        true
    }

    #[test]
    fn reads_what_the_crate_spki_reads_and_no_near_miss() {
        let samples = samples();
        let read = samples.iter().filter(|der| agrees(der)).count();
        assert!(read >= 3, "{read} of {}", samples.len());
        for der in samples {
            for place in 0..der.len().min(64) {
                for bit in 0..8 {
                    let mut flipped = der.clone();
                    flipped[place] ^= 1 << bit;
                    agrees(&flipped);
                }
            }
            assert!(!agrees(&der[..der.len() - 1]) && !agrees(&[der.as_slice(), &[0]].concat()));
        }
    }

    #[test]
    fn lengths_have_one_form() {
        for der in [
            &[0x30, 0x81, 1, 0][..],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x83, 0, 0, 0],
            &[0x30, 2, 0],
        ] {
            assert_eq!(Der(der).element(SEQUENCE), None, "{der:?}");
        }
        let long = [[0x30, 0x81, 0x80].as_slice(), &[7; 128]].concat();
        assert_eq!(Der(&long).element(SEQUENCE), Some([7; 128].as_slice()));
        for number in [&[2, 0][..], &[2, 1, 0], &[2, 2, 0, 1], &[2, 1, 0x80]] {
            assert_eq!(Der(number).positive(), None, "{number:?}");
        }
        assert_eq!(Der(&[2, 2, 0, 0x80]).positive(), Some([0x80].as_slice()));
    }

    fn decoded(text: &str) -> Option<(String, Vec<u8>)> {
        from_pem(text).map(|pem| (pem.label, pem.der))
    }

    #[test]
    fn pem_is_read_as_it_survives_an_environment_variable() {
        let pem = |body: &str| format!("-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----");
        for body in ["\nAQ==\n", "\r\nAQ\r\n==\r\n", "AQ==", " AQ== ", "\\nAQ==\\n", "\\r\\nA\\nQ==\\n", "\nAQ\n"] {
            let pem = pem(body);
            for text in [format!(" {pem}\n"), format!("\"{pem}\\n\""), format!("'{pem}'\r\n"), format!("{pem}\\n")] {
                assert_eq!(decoded(&text), Some(("PUBLIC KEY".to_owned(), vec![1])), "{text:?}");
            }
        }
        for text in ["AQ==", " AQ\n", "\"A\\nQ==\""] {
            assert_eq!(decoded(text), Some((String::new(), vec![1])), "{text:?}");
        }
    }

    #[test]
    fn pem_is_one_text_and_nothing_else() {
        let pem = |body: &str| format!("-----BEGIN PUBLIC KEY-----{body}-----END PUBLIC KEY-----");
        for body in [
            "",
            "\nAQ=\n",
            "\nA===\n",
            "\nAR==\n",
            "\n-_-_\n",
            "\nAQ==AQ==\n",
            "\nProc-Type: 4\n\nAQ==\n",
            "\nAQ==\n-",
            "\\tAQ==",
        ] {
            assert_eq!(decoded(&pem(body)), None, "{body:?}");
        }
        let two = [pem("AQ=="), pem("AQ==")].join("\n");
        for text in [
            "",
            "\"\"",
            "-----BEGIN A-----AQ==-----END B-----",
            "x -----BEGIN A-----AQ==-----END A-----",
            "ssh-rsa AQ==",
            &two,
        ] {
            assert_eq!(decoded(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(der in proptest::collection::vec(any::<u8>(), 0..120), text in ".{0,80}") {
            agrees(&der);
            from_pem(&text);
            from_pem(&format!("-----BEGIN A-----{text}-----END A-----"));
        }
    }
}
