//! The thumbprint of a public key (RFC 7638).

use crate::{base64url, engine::hash::Hash, json::Object};

/// SHA-256 over the required members of a JWK in the order of their names, in base64url; `None`
/// for kinds that have none here.
///
/// The members have to have been read before (`keys::jwk`): what was decoded strictly has one
/// spelling, and needs no escape in JSON.
#[must_use]
pub(crate) fn of(jwk: &Object<'_>) -> Option<String> {
    let member = |name: &str| jwk.get(name)?.as_str();
    let text = match member("kty")? {
        "EC" => {
            format!(r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#, member("crv")?, member("x")?, member("y")?)
        }
        "OKP" => format!(r#"{{"crv":"{}","kty":"OKP","x":"{}"}}"#, member("crv")?, member("x")?),
        "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, member("e")?, member("n")?),
        _ => return None,
    };
    Some(base64url::encode(&Hash::Sha256.of(&[text.as_bytes()])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    #[test]
    fn the_examples_of_the_rfcs() {
        // RFC 7638 section 3.1; RFC 8037 appendix A.3; RFC 9449 section 6.1 with the key of its
        // section 4.1.
        for (jwk, expected) in [
            (
                r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (
                r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
            (
                r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#,
                "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
            ),
        ] {
            assert_eq!(of(&document::parse(jwk).unwrap()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn secrets_have_none() {
        assert_eq!(of(&document::parse(r#"{"kty":"oct","k":"AA"}"#).unwrap()), None);
        assert_eq!(of(&document::parse(r#"{"kty":"EC","crv":"P-256","x":"AA"}"#).unwrap()), None);
    }
}
