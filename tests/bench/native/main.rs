//! Interleaved rounds natively: the crate and its peers verify the same batch in turn, and the turn
//! rotates. One algorithm a run: reads `Input` on standard input, prints rows as JSON.

use std::{
    hint::black_box,
    io::Read,
    time::{Instant, SystemTime},
};

use jwt_compact::{
    AlgorithmExt, TimeOptions, UntrustedToken,
    alg::{Ed25519, Es256, Hs256, Rsa},
    jwk::JsonWebKey,
};
use portcullis::{UnixSeconds, Verifier};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Input {
    alg: String,
    jwk: Value,
    issuer: String,
    audience: String,
    #[serde(rename = "type")]
    token_type: String,
    warmup: Vec<String>,
    rounds: Vec<Vec<String>>,
    forged: String,
}

/// What a service reads of a token.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    scope: String,
}

/// jwt-compact keeps `exp`, `nbf` and `iat` to itself.
#[derive(Clone, Deserialize)]
struct Own {
    iss: String,
    aud: String,
    sub: String,
    scope: String,
}

type Verify = Box<dyn Fn(&str) -> bool>;

fn portcullis(input: &Input) -> Verify {
    let policy = json!({ "issuers": [{
        "issuer": input.issuer, "audience": input.audience, "types": [input.token_type], "jwks": { "keys": [input.jwk] },
    }] });
    let verifier = Verifier::from_json(&policy.to_string()).expect("the policy is right");
    Box::new(move |token| {
        let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is set");
        let now = UnixSeconds::new(elapsed.as_secs()).expect("before the year 10000");
        verifier.verify(token, now).is_ok_and(|accepted| {
            black_box(accepted.deserialize::<Claims>()).is_ok_and(|claims| !claims.sub.is_empty() && !claims.scope.is_empty())
        })
    })
}

fn jsonwebtoken(input: &Input) -> Option<Verify> {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};
    let algorithm: Algorithm = input.alg.parse().ok()?;
    let jwk: Jwk = serde_json::from_value(input.jwk.clone()).ok()?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[&input.issuer]);
    validation.set_audience(&[&input.audience]);
    Some(Box::new(move |token| {
        jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .is_ok_and(|token| !token.claims.sub.is_empty() && !token.claims.scope.is_empty())
    }))
}

fn jwt_compact(input: &Input) -> Option<Verify> {
    fn with<A>(algorithm: A, input: &Input) -> Option<Verify>
    where
        A: AlgorithmExt + 'static,
        A::VerifyingKey: for<'a> TryFrom<&'a JsonWebKey<'a>> + 'static,
    {
        let jwk: JsonWebKey<'_> = serde_json::from_value(input.jwk.clone()).ok()?;
        let key = A::VerifyingKey::try_from(&jwk).ok()?;
        let (issuer, audience) = (input.issuer.clone(), input.audience.clone());
        Some(Box::new(move |token| {
            let Ok(token) = UntrustedToken::new(token) else { return false };
            let Ok(token) = algorithm.validator::<Own>(&key).validate(&token) else { return false };
            let claims = token.claims();
            claims.validate_expiration(&TimeOptions::default()).is_ok()
                && claims.custom.iss == issuer
                && claims.custom.aud == audience
                && !claims.custom.sub.is_empty()
                && !claims.custom.scope.is_empty()
        }))
    }
    match input.alg.as_str() {
        "ES256" => with(Es256, input),
        "EdDSA" => with(Ed25519, input),
        "HS256" => with(Hs256, input),
        "RS256" => with(Rsa::rs256(), input),
        "PS256" => with(Rsa::ps256(), input),
        _ => None,
    }
}

fn microseconds(verify: &Verify, tokens: &[String]) -> f64 {
    let started = Instant::now();
    for token in tokens {
        assert!(verify(token), "a good token is refused");
    }
    started.elapsed().as_secs_f64() * 1e6 / u32::try_from(tokens.len()).map_or(1.0, f64::from)
}

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("the input is text");
    let input: Input = serde_json::from_str(&text).expect("the input is as native.mjs writes it");
    let libraries: Vec<(&str, Verify)> = [
        ("portcullis", Some(portcullis(&input))),
        ("jsonwebtoken, aws-lc", jsonwebtoken(&input)),
        ("jwt-compact", jwt_compact(&input)),
    ]
    .into_iter()
    .filter_map(|(name, verify)| Some((name, verify?)))
    .collect();
    for (name, verify) in &libraries {
        microseconds(verify, &input.warmup);
        assert!(!verify(&input.forged), "{name} takes a forged token");
    }
    let mut samples = vec![Vec::new(); libraries.len()];
    for (round, tokens) in input.rounds.iter().enumerate() {
        for turn in 0..libraries.len() {
            let place = (turn + round) % libraries.len();
            samples[place].push(microseconds(&libraries[place].1, tokens));
        }
    }
    let rows: Vec<Value> = libraries
        .iter()
        .zip(&mut samples)
        .map(|((name, _), times)| {
            times.sort_by(f64::total_cmp);
            json!({ "library": name, "microseconds": times[times.len() / 2], "least": times[0] })
        })
        .collect();
    println!("{}", Value::Array(rows));
}
