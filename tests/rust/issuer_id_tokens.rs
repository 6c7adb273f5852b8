//! ID tokens (OpenID Connect Core §2): the answer to a code has one where `openid` was granted,
//! and nobody takes it for an access token.

mod issuer_world;

use std::sync::Arc;

use issuer_world::{
    Fault, ISSUER, NOW, TestResponse, World, claims, config, get, issuer_of, key, post, refresh, secrets, text,
};
use portcullis::{Alg, IssuerPolicy, Policy, UnixSeconds, Verifier, issuer::Issuer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

// RFC 7636 appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn issuer(alg: Alg) -> Arc<Issuer> {
    let (mut config, mut secrets) = (config(), secrets());
    config["clients"][0]["scope"] = json!("openid read write");
    secrets["signingKeys"] = json!([{ "jwk": key(alg) }]);
    issuer_of(&config, &secrets)
}

fn mint(scope: &str, more: &Value) -> Value {
    let mut command = json!({
        "command": "mintCode", "subject": "alice", "clientId": "app", "redirectUri": "https://app.example/back",
        "codeChallenge": CHALLENGE, "scope": scope,
    });
    command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    command
}

fn redemption(code: &Value) -> Value {
    post(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("code", text(code)),
            ("redirect_uri", "https://app.example/back"),
            ("code_verifier", VERIFIER),
        ],
    )
}

fn signed_in(world: &mut World, issuer: &Arc<Issuer>, scope: &str, more: &Value) -> TestResponse {
    let code = world.run(issuer, &mint(scope, more)).body["code"].clone();
    let granted = world.run(issuer, &redemption(&code));
    assert_eq!(granted.status, 200, "{granted:?}");
    granted
}

/// A verifier whose audience is the client.
fn verifier(world: &mut World, issuer: &Arc<Issuer>, is_any_type: bool) -> Verifier {
    let policy = IssuerPolicy::new(ISSUER, ["app"]).unwrap();
    let policy = policy.with_jwks(&world.run(issuer, &get("/jwks", &[])).text).unwrap();
    Verifier::new(Policy::new([if is_any_type { policy.with_any_type() } else { policy }]).unwrap())
}

#[test]
fn a_code_with_openid_yields_a_signed_id_token_for_its_client() {
    let base64url = portcullis::internals::base64url::encode;
    for alg in [Alg::EdDsa, Alg::Es256] {
        let issuer = issuer(alg);
        let mut world = World::at(NOW);
        let more = json!({ "nonce": "n-0S6_WzA2Mj", "acr": "urn:two", "authTimeSeconds": NOW - 60 });
        let granted = signed_in(&mut world, &issuer, "openid read", &more);
        let (id_token, access_token) = (&granted.body["id_token"], &granted.body["access_token"]);
        // OpenID Connect Core §3.1.3.6: the left half of the algorithm's own hash.
        let at_hash = match alg {
            Alg::EdDsa => base64url(&Sha512::digest(text(access_token))[..32]),
            _ => base64url(&Sha256::digest(text(access_token))[..16]),
        };
        let expected = json!({
            "iss": ISSUER, "sub": "alice", "aud": "app", "iat": NOW, "exp": claims(access_token)["exp"], "auth_time": NOW - 60,
            "nonce": "n-0S6_WzA2Mj", "acr": "urn:two", "at_hash": at_hash, "sid": claims(access_token)["sid"],
        });
        assert_eq!(claims(id_token), expected);
        let accepted =
            verifier(&mut world, &issuer, true).verify(text(id_token), UnixSeconds::new(NOW).unwrap()).unwrap();
        assert_eq!(accepted.header().typ(), Some("JWT"));

        let metadata = world.run(&issuer, &get("/.well-known/oauth-authorization-server", &[])).body;
        assert_eq!(metadata["id_token_signing_alg_values_supported"], json!([alg.name()]));
        assert_eq!(metadata["subject_types_supported"], json!(["public"]));
        assert_eq!(metadata["scopes_supported"], json!(["openid"]));
    }
}

#[test]
fn an_id_token_is_no_access_token_even_where_the_client_is_the_audience() {
    let issuer = issuer(Alg::EdDsa);
    let mut world = World::at(NOW);
    let granted = signed_in(&mut world, &issuer, "openid", &json!({}));
    let (id_token, now) = (text(&granted.body["id_token"]), UnixSeconds::new(NOW).unwrap());
    let refused = verifier(&mut world, &issuer, false).verify(id_token, now).unwrap_err();
    assert_eq!(refused.code(), "type-mismatch");
    assert!(world.is_active(&issuer, &granted.body["access_token"]));
    assert!(!world.is_active(&issuer, &granted.body["id_token"]));
}

#[test]
fn nobody_gets_an_id_token_who_has_not_asked_for_one_with_a_code() {
    let issuer = issuer(Alg::EdDsa);
    let mut world = World::at(NOW);
    let without = signed_in(&mut world, &issuer, "read", &json!({ "nonce": "n" }));
    assert_eq!(without.body.get("id_token"), None);
    let granted = signed_in(&mut world, &issuer, "openid", &json!({}));
    assert_eq!(claims(&granted.body["id_token"]).get("nonce"), None);
    assert_eq!(claims(&granted.body["id_token"]).get("acr"), None);
    // OpenID Connect Core §12.2: a refresh may leave it out.
    let refreshed = world.run(&issuer, &refresh(text(&granted.body["refresh_token"])));
    assert_eq!((refreshed.status, refreshed.body.get("id_token")), (200, None));

    let plain = issuer_of(&config(), &secrets());
    let metadata = world.run(&plain, &get("/.well-known/oauth-authorization-server", &[])).body;
    assert_eq!(metadata.get("id_token_signing_alg_values_supported"), None);
}

#[test]
fn a_nonce_is_within_its_bounds_before_anything_is_written() {
    let issuer = issuer(Alg::EdDsa);
    let mut world = World::at(NOW);
    for nonce in ["", "a\nb", &"n".repeat(513)] {
        let command = mint("openid", &json!({ "nonce": nonce }));
        assert_eq!(world.mistake(&issuer, &command).as_deref(), Some("/nonce"));
    }
    assert!(world.entries.is_empty());
    let longest = signed_in(&mut world, &issuer, "openid", &json!({ "nonce": "n".repeat(512) }));
    assert_eq!(text(&claims(&longest.body["id_token"])["nonce"]).len(), 512);
}

#[test]
fn a_redemption_that_failed_at_any_step_gets_the_nonce_with_its_retry() {
    let issuer = issuer(Alg::EdDsa);
    let mut world = World::at(NOW);
    let code = world.run(&issuer, &mint("openid", &json!({ "nonce": "kept" }))).body["code"].clone();
    let mut failed = 0;
    for step in 0..20 {
        let mut world = world.clone();
        world.faults = [Fault::Before(step)].into();
        let mut answer = world.run(&issuer, &redemption(&code));
        world.faults.clear();
        if answer.status == 503 {
            failed += 1;
            answer = world.run(&issuer, &redemption(&code));
        }
        assert_eq!((answer.status, &claims(&answer.body["id_token"])["nonce"]), (200, &json!("kept")), "step {step}");
    }
    assert!(failed > 2, "{failed}");
}
