//! base64url without padding (RFC 7515 §2), strictly: one text for each sequence of bytes.

use base64ct::{Base64UrlUnpadded, Encoding};

/// Decodes, or `None` when the text is not the one canonical encoding: padding, white space, the `+/` alphabet and non-zero
/// trailing bits are all refused (RFC 4648 §3.5), since two texts for one signature would evade a denylist by text.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// Encodes, without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_every_second_text_for_the_same_bytes() {
        assert_eq!(decode("AQ").as_deref(), Some([1u8].as_slice()));
        for text in ["AR", "AQ=", "AQ==", " AQ", "AQ\n", "A", "+/+/", "A.Q", "AQ\u{e9}"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_text(text in "[A-Za-z0-9_=+/-]{0,40}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }

        #[test]
        fn what_was_encoded_decodes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
