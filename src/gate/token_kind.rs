//! The kind of token that an authorization server's answer is about (RFC 7662 §2.2). It vouches
//! for refresh tokens and ID tokens as well, and none of these is an access token.

use crate::{
    denial::Denial,
    gate::requirement::Wanted,
    json::{Object, Value},
    policy::Policy,
};

/// The members in which servers say it: RFC 7662 §2.2; Amazon Cognito and Ory Hydra; Keycloak.
const MEMBERS: [&str; 3] = ["token_type", "token_use", "typ"];

/// What an access token is called there, in lower case, `_` for `-`: RFC 6750 §6.1.1 and RFC 9449
/// §12.1, RFC 9068 §2.1, and servers that name the kind (Duende, older node-oidc-provider,
/// Casdoor) or the grant it came by.
const ACCESS: [&str; 7] = ["bearer", DPOP, "at+jwt", "jwt", "access_token", "access", "client_credentials"];
const DPOP: &str = "dpop";

/// Is the answer about an access token, and does it say by which key one of the type `DPoP` is
/// bound?
///
/// STRICTER than RFC 7662: a type that is not known refuses (RFC 6749 §7.1). The policy's
/// `claims` can ask for another one by its exact value, and that is what counts then.
pub(super) fn check(policy: &Policy, issuer: usize, response: &Object<'_>) -> Result<(), Denial> {
    for member in MEMBERS {
        let Some(value) = response.get(member) else { continue };
        let kind = match value {
            Value::String(text) => plain(text),
            _ => String::new(),
        };
        // RFC 9449 §6.2: otherwise a token that somebody stole would pass for a bearer token. A
        // policy that asks for the type chooses a kind and waives no proof.
        let bound = matches!(response.get("cnf"), Some(Value::Object(cnf)) if cnf.get("jkt").is_some());
        if kind == DPOP && !bound {
            return Err(Denial::BindingRequired { expected: Wanted::Dpop.name() });
        }
        if !ACCESS.contains(&kind.as_str()) && !policy.asks_for_claim(issuer, member) {
            return Err(Denial::TokenKindRefused { member });
        }
    }
    Ok(())
}

/// One spelling of a name: RFC 8693 §3 has it as a URN, RFC 7515 §4.1.9 with `application/`.
fn plain(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let text = text.strip_prefix("urn:ietf:params:oauth:token-type:").unwrap_or(&text);
    text.strip_prefix("application/").unwrap_or(text).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    fn check(response: &str, claims: &str) -> Result<(), &'static str> {
        let policy = format!(
            r#"{{"issuers":[{{"issuer":"https://a.example","audience":"x"{claims},
                "introspection":{{"endpoint":"https://a.example/i","clientId":"c"}}}}]}}"#
        );
        let policy = Policy::from_json(&policy).unwrap();
        super::check(&policy, 0, &document::parse(response).unwrap()).map_err(|denial| denial.code())
    }

    #[test]
    fn access_tokens_pass_under_every_name_that_servers_give_them() {
        for response in [
            "{}",
            r#"{"token_type":"Bearer"}"#,
            r#"{"token_type":"bearer","typ":"at+jwt"}"#,
            r#"{"token_type":"access_token"}"#,
            r#"{"token_type":"access-token"}"#,
            r#"{"token_type":"urn:ietf:params:oauth:token-type:access_token"}"#,
            r#"{"token_use":"access"}"#,
            r#"{"token_use":"access_token","token_type":"Bearer"}"#,
            r#"{"typ":"Bearer"}"#,
            r#"{"typ":"application/at+jwt"}"#,
            r#"{"token_type":"DPoP","cnf":{"jkt":"x"}}"#,
        ] {
            assert_eq!(check(response, ""), Ok(()), "{response}");
        }
    }

    #[test]
    fn other_kinds_are_refused() {
        for response in [
            r#"{"token_type":"refresh_token"}"#,
            r#"{"token_type":"Refresh"}"#,
            r#"{"token_type":"refresh-token"}"#,
            r#"{"token_type":"REFRESH"}"#,
            r#"{"token_type":"N_A"}"#,
            r#"{"token_type":"urn:ietf:params:oauth:token-type:refresh_token"}"#,
            r#"{"token_type":"URN:IETF:params:oauth:token-type:id_token"}"#,
            r#"{"token_type":"mac"}"#,
            r#"{"token_type":""}"#,
            r#"{"token_type":["Bearer"]}"#,
            r#"{"token_type":null}"#,
            r#"{"token_use":"refresh"}"#,
            r#"{"token_use":"refresh_token","token_type":"Bearer"}"#,
            r#"{"token_use":"id"}"#,
            r#"{"typ":"Refresh"}"#,
            r#"{"typ":"Offline"}"#,
            r#"{"typ":"ID"}"#,
            r#"{"typ":"rt+jwt"}"#,
            r#"{"typ":"logout+jwt"}"#,
            r#"{"token_type":"Bearer","typ":"Refresh"}"#,
        ] {
            assert_eq!(check(response, ""), Err("token-kind-refused"), "{response}");
        }
        for cnf in ["", r#","cnf":{}"#, r#","cnf":null"#, r#","cnf":{"x5t#S256":"x"}"#] {
            for member in ["token_type", "typ"] {
                let response = format!(r#"{{"{member}":"DPoP"{cnf}}}"#);
                assert_eq!(check(&response, ""), Err("binding-required"), "{response}");
            }
        }
    }

    #[test]
    fn a_kind_that_the_policy_asks_for_by_name_is_the_policys_to_judge() {
        assert_eq!(check(r#"{"token_use":"api"}"#, r#","claims":{"token_use":"api"}"#), Ok(()));
        assert_eq!(
            check(r#"{"token_use":"api","typ":"ID"}"#, r#","claims":{"token_use":"api"}"#),
            Err("token-kind-refused")
        );
    }
}
