//! What the fuzz targets about an issuer's own texts do: refresh tokens and rows of a store.

use base64ct::{Base64UrlUnpadded, Encoding};
use portcullis::internals::sessions::{refresh_token::RefreshToken, row::Row};

/// A refresh token has one text: what is read of it is what stands at its place in the bytes, and
/// nothing else is one.
pub(crate) fn refresh(data: &[u8]) {
    let _ = RefreshToken::parse(&String::from_utf8_lossy(data));
    let mut bytes = [0; 57];
    for (byte, given) in bytes.iter_mut().zip(data) {
        *byte = *given;
    }
    let text = Base64UrlUnpadded::encode_string(&bytes);
    let Some(token) = RefreshToken::parse(&text) else {
        assert_ne!(bytes[0], 1);
        return;
    };
    assert_eq!((bytes[0], token.generation()), (1, u32::from_be_bytes(bytes[21..25].try_into().unwrap())));
    assert_eq!(token.sid().to_string(), Base64UrlUnpadded::encode_string(&bytes[5..21]));
    assert!(RefreshToken::parse(&format!("{text}=")).is_none() && RefreshToken::parse(&text[1..]).is_none());
}

const ROW: &str = r#"{"v":1,"sid":"AAAAAAAAAAAAAAAAAAAAAA","salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","gen":0,"rotatedAt":1800000000,"mark":false,"streak":0,"status":"active","expiresAt":1800003600,"endsAt":1800003600,"rotates":true,"client":"c","subject":"s","subjectCutoff":0,"clientCutoff":0,"scope":null,"jkt":null,"acr":null,"authTime":1800000000}"#;

/// Rows: any text, and a good one with a few bytes changed. What is read is written as what is
/// read again.
pub(crate) fn row(data: &[u8]) {
    let read = |text: &str| {
        if let Ok(row) = Row::from_json(text) {
            assert_eq!(Row::from_json(&row.to_json()).as_ref(), Ok(&row), "{text}");
        }
    };
    read(&String::from_utf8_lossy(data));
    let mut changed = ROW.as_bytes().to_vec();
    for change in data.chunks_exact(3).take(8) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]])) % changed.len();
        changed[place] = change[2];
    }
    read(&String::from_utf8_lossy(&changed));
}
