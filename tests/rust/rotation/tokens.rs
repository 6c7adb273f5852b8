//! What a session's tokens say, and how they outlive the keys that made them.

use portcullis::internals::sessions::{
    configuration::SessionRules,
    configuration::{Configuration, Settings},
    grant_error::GrantError,
    operation::{Operation, Outcome},
    refresh_token::RefreshToken,
    root_keys::{RootKey, RootKeys},
    start::{Seed, Start},
    store::{MemoryStore, run},
};
use portcullis::issuer::{KeyRing, Schedule, SigningKey};
use portcullis::{Alg, Leeway, Verifier};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

fn ring() -> KeyRing {
    let schedule = Schedule { cache_seconds: 300, token_seconds: 86_400, leeway: Leeway::default() };
    KeyRing::begin(schedule, SigningKey::generate(Alg::EdDsa).unwrap(), at(0))
}

/// The claims of the access token of a grant, as our own verifier accepts them.
fn claims(outcome: &Outcome, ring: &KeyRing) -> Value {
    let Outcome::Granted(grant) = outcome else { panic!("{outcome:?}") };
    let request = grant.access_token("https://issuer", "https://api").unwrap();
    let token = ring.sign(request, grant.issued_at).unwrap();
    let issuer =
        format!(r#"{{"issuer":"https://issuer","audience":"https://api","jwks":{}}}"#, ring.jwks(grant.issued_at));
    let verifier = Verifier::from_json(&format!(r#"{{"issuers":[{issuer}]}}"#)).unwrap();
    verifier.verify(&token, grant.issued_at).unwrap().deserialize().unwrap()
}

#[test]
fn an_access_token_says_what_rfc_9068_asks_and_which_session_it_is_of() {
    let (mut store, rules, ring) = (MemoryStore::default(), rules_with(true), ring());
    let bound = Start { jkt: Some("J".into()), auth_time: Some(at(0)), ..alice() };
    let started = run(&mut store, Operation::start(bound, Seed::new([5; 16], [5; 32])).unwrap(), at(7), &rules).0;
    let mut first = claims(&started, &ring);
    let mut request = request(held(&started));
    request.jkt = Some("J".into());
    request.scope = Some("read".into());
    let refreshed = run(&mut store, Operation::refresh(request), at(9), &rules).0;
    let mut second = claims(&refreshed, &ring);
    let jtis = [&mut first, &mut second].map(|claims| claims["jti"].take());
    assert!(jtis[0].as_str().unwrap().len() >= 22 && jtis[0] != jtis[1], "{jtis:?}");
    let expected = |scope: &str, generation: u32, issued_at: u64| {
        json!({
            "iss": "https://issuer", "aud": "https://api", "sub": "alice", "client_id": "app", "scope": scope, "jti": null,
            "iat": START + issued_at, "exp": START + issued_at + 300, "auth_time": START, "acr": "urn:mfa",
            "cnf": { "jkt": "J" }, "sid": "BQUFBQUFBQUFBQUFBQUFBQ", "gen": generation,
        })
    };
    assert_eq!(first, expected("read write", 0, 7));
    assert_eq!(second, expected("read", 1, 9));
}

#[test]
fn more_than_an_hour_is_asked_for_by_name() {
    let lifetime = |settings: Settings| {
        let rules = SessionRules { configuration: Configuration::new(settings).unwrap(), ..rules() };
        let mut store = MemoryStore::default();
        let started = run(&mut store, Operation::start(alice(), Seed::new([5; 16], [5; 32])).unwrap(), at(0), &rules).0;
        let claims = claims(&started, &ring());
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap()
    };
    assert_eq!(lifetime(Settings::default()), 300);
    assert_eq!(lifetime(Settings { access_token_seconds: 3600, ..Settings::default() }), 3600);
    assert_eq!(lifetime(Settings { long_access_token_seconds: Some(3601), ..Settings::default() }), 3601);
    assert!(Configuration::new(Settings { access_token_seconds: 3601, ..Settings::default() }).is_err());
}

/// Three root keys, of which the second mints from 1500 and the third from 3000: the first retires
/// at 2500, the second at 4000.
fn rotating() -> SessionRules {
    let key = |byte, seconds| RootKey::new([byte; 32], at(seconds));
    let roots = RootKeys::new(key(7, 0)).with_next(key(8, 1500)).unwrap().with_next(key(9, 3000)).unwrap();
    SessionRules { roots, ..rules() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whether its sessions rotate or not, whoever keeps using the token that was given last never
    /// notices that root keys change.
    #[test]
    fn no_session_that_is_used_ends_with_a_root_key(
        waits in prop::collection::vec(prop_oneof![0..IDLE, Just(IDLE - 1), 0..100u64], 1..40),
        confidential in any::<bool>(),
        lost in prop::collection::vec(prop::bool::weighted(0.2), 40),
    ) {
        let (mut store, rules) = (MemoryStore::default(), rotating());
        let start = Start { confidential, ..alice() };
        let started = run(&mut store, Operation::start(start, Seed::new([5; 16], [5; 32])).unwrap(), at(0), &rules).0;
        let (mut token, mut now, mut used_at) = (held(&started), 0, 0);
        for (wait, lost) in waits.into_iter().zip(lost) {
            // A session that was asked for within Wc was not used: its idle time goes on.
            now += wait.min(used_at + IDLE - 1 - now);
            if now >= ABSOLUTE { break }
            let outcome = run(&mut store, Operation::refresh(request(token)), at(now), &rules).0;
            let Outcome::Granted(grant) = outcome else { panic!("{now}: {outcome:?}") };
            let row = kept(&mut store, token.sid()).unwrap();
            used_at = row.rotated_at.get() - START;
            let minting = rules.roots.minting(at(now)).kid();
            if let Some(given) = &grant.refresh_token {
                let given = RefreshToken::parse(given.as_str()).unwrap();
                prop_assert_eq!(given.kid(), minting);
                // A response that is lost once comes again at once.
                if lost {
                    let again = run(&mut store, Operation::refresh(request(token)), at(now), &rules).0;
                    prop_assert_eq!(held(&again).generation(), given.generation());
                }
                token = given;
            }
        }
    }
}

#[test]
fn the_token_of_a_retired_root_key_is_nobodys() {
    let rules = rotating();
    let old = request(token(&row(0), 0, &rules));
    let refused = |now| {
        let mut store = MemoryStore::default();
        let started =
            run(&mut store, Operation::start(alice(), Seed::new([5; 16], [5; 32])).unwrap(), at(now), &rules).0;
        assert_ne!(held(&started).kid(), old.token.kid());
        run(&mut store, Operation::refresh(old.clone()), at(now), &rules).0
    };
    assert!(matches!(refused(2499), Outcome::Granted(_)));
    assert_eq!(refused(2500), Outcome::Refused(GrantError::TokenInvalid));
}
