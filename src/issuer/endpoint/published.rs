//! What anybody may read: the keys (RFC 7517) and the metadata (RFC 8414).

use serde_json::{Map, Value, json};

use super::{
    authorize,
    channel::Channel,
    client::{AUTHORIZATION_CODE, Authentication, Client, GRANTS},
    dpop_proof, id_token,
    response::Response,
    settings::Settings,
};
use crate::alg::Alg;

/// How long metadata may be kept, in seconds.
const METADATA_SECONDS: u64 = 3600;

/// The JWK Set. Its `Cache-Control` is what the schedule of keys goes by: no key signs before
/// every such copy is over.
pub(super) fn jwks(settings: &Settings, channel: &Channel) -> Response {
    Response::public("application/jwk-set+json", settings.jwks(channel.now()), settings.jwks_cache_seconds)
}

/// The metadata (RFC 8414 §2, RFC 9449 §5.1): what is there, and not what could be.
pub(super) fn metadata(settings: &Settings) -> Response {
    let offered = |grant: &&str| settings.clients.iter().any(|client| client.may(grant));
    let grants: Vec<&str> = GRANTS.into_iter().filter(offered).collect();
    let methods = methods(settings);
    let confidential: Vec<&str> = methods.iter().copied().filter(|method| *method != "none").collect();
    let assertions: Vec<&str> = Alg::ALL.iter().map(|alg| alg.name()).filter(|name| !name.starts_with("HS")).collect();
    let with_code = grants.contains(&AUTHORIZATION_CODE);
    let mut metadata = Map::new();
    let mut say = |name: &str, value: Value| {
        metadata.insert(name.to_owned(), value);
    };
    say("issuer", json!(settings.issuer));
    say("token_endpoint", json!(settings.endpoint("/token")));
    say("revocation_endpoint", json!(settings.endpoint("/revoke")));
    say("introspection_endpoint", json!(settings.endpoint("/introspect")));
    say("jwks_uri", json!(settings.endpoint("/jwks")));
    say("response_types_supported", if with_code { json!(["code"]) } else { json!([]) });
    say("grant_types_supported", json!(grants));
    say("token_endpoint_auth_methods_supported", json!(methods));
    say("revocation_endpoint_auth_methods_supported", json!(methods));
    say("introspection_endpoint_auth_methods_supported", json!(confidential));
    for endpoint in ["token", "revocation", "introspection"] {
        // RFC 8414 §2: it must be there when private_key_jwt is.
        if methods.contains(&"private_key_jwt") {
            say(&format!("{endpoint}_endpoint_auth_signing_alg_values_supported"), json!(assertions));
        }
    }
    say("code_challenge_methods_supported", json!(["S256"]));
    say("dpop_signing_alg_values_supported", json!(dpop_proof::ALGORITHMS.map(Alg::name)));
    if with_code {
        say("authorization_endpoint", json!(settings.authorization_endpoint));
        say("pushed_authorization_request_endpoint", json!(settings.endpoint("/par")));
        say("response_modes_supported", json!(["query"]));
        // RFC 9207 §3, RFC 9101 §10.5, OpenID Connect Discovery §3.
        say("authorization_response_iss_parameter_supported", json!(true));
        say("request_parameter_supported", json!(false));
        say("request_uri_parameter_supported", json!(false));
        say("claims_parameter_supported", json!(false));
        say("prompt_values_supported", json!(authorize::PROMPTS));
        if settings.pushes {
            say("require_pushed_authorization_requests", json!(true));
        }
    }
    let is_openid =
        |client: &Client| client.may(AUTHORIZATION_CODE) && client.scope.as_deref().is_some_and(id_token::is_openid);
    if settings.clients.iter().any(is_openid) {
        let algorithms: Vec<&str> = settings.ring.algorithms().into_iter().map(Alg::name).collect();
        say("id_token_signing_alg_values_supported", json!(algorithms));
        say("subject_types_supported", json!(["public"]));
        // Not the APIs' scopes: which there are is no stranger's business (RFC 8414 §2).
        say("scopes_supported", json!([id_token::OPENID]));
        say("claims_supported", json!(id_token::CLAIMS));
    }
    Response::public("application/json", Value::Object(metadata).to_string(), METADATA_SECONDS)
}

fn methods(settings: &Settings) -> Vec<&'static str> {
    let mut methods: Vec<&str> = Vec::new();
    for client in &settings.clients {
        let method = match client.authentication {
            Authentication::None => "none",
            Authentication::Basic(_) => "client_secret_basic",
            Authentication::Post(_) => "client_secret_post",
            Authentication::PrivateKeyJwt(_) => "private_key_jwt",
        };
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}
