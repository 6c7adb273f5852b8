//! Tokens bound to a client certificate (RFC 8705 §3).

use crate::{base64url, engine::hash::Hash, keys::from_pem};

/// The `x5t#S256` of a certificate (RFC 8705 §3.1): the SHA-256 of its DER in base64url.
///
/// It takes what platforms hand over, each form told by its own shape: PEM labelled `CERTIFICATE`,
/// the byte sequence `:…:` of RFC 9440, SHA-256 in 64 hexadecimal digits, with or without colons,
/// or the thumbprint itself. `None` for anything else.
#[must_use]
pub fn thumbprint(certificate: &str) -> Option<String> {
    let text = certificate.trim_ascii();
    let hash = |der: &[u8]| base64url::encode(&Hash::Sha256.of(&[der]));
    if text.starts_with("-----BEGIN") {
        let pem = from_pem(text)?;
        return (pem.label == "CERTIFICATE").then(|| hash(&pem.der));
    }
    if let Some(sequence) = text.strip_prefix(':') {
        let standard = sequence.strip_suffix(':')?.trim_end_matches('=').replace('+', "-").replace('/', "_");
        return base64url::decode(&standard).filter(|der| !der.is_empty()).map(|der| hash(&der));
    }
    if let Some(bytes) = hexadecimal(text) {
        return Some(base64url::encode(&bytes));
    }
    base64url::decode(text).filter(|bytes| bytes.len() == 32).map(|_| text.to_owned())
}

/// 32 bytes in hexadecimal.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: String = if text.len() == 95 { text.split(':').collect() } else { text.to_owned() };
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pair = |place: usize| digits.get(place..place.checked_add(2)?);
    (0..64).step_by(2).map(|place| u8::from_str_radix(pair(place)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // Any bytes will do: only their hash is compared.
    const DER: &[u8] = &[0x30, 3, 2, 1, 0xfb];

    #[test]
    fn every_form_of_a_certificate_has_one_thumbprint() {
        let bytes = Hash::Sha256.of(&[DER]);
        let expected = base64url::encode(&bytes);
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for text in [
            expected.clone(),
            hex.concat(),
            hex.concat().to_uppercase(),
            hex.join(":"),
            ":MAMCAfs=:".to_owned(),
            "-----BEGIN CERTIFICATE-----\nMAMCAfs=\n-----END CERTIFICATE-----\n".to_owned(),
        ] {
            assert_eq!(thumbprint(&text).as_deref(), Some(expected.as_str()), "{text}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        for text in [
            "",
            ":",
            "::",
            ":MAMCAfs=",
            "MAMCAfs=",
            "é",
            "-----BEGIN PUBLIC KEY-----\nMAMCAfs=\n-----END PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----",
            &"0".repeat(63),
            &"g".repeat(64),
            &"A".repeat(42),
        ] {
            assert_eq!(thumbprint(text), None, "{text}");
        }
    }
}
