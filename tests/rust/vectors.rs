//! Every JSON vector, natively. The same files run through the packed npm package in
//! `tests/runtimes/`.

use std::{collections::BTreeSet, fs, path::Path};

use portcullis::{
    Gate, Limits, PolicyError, Rejection, UnixSeconds, UpdateError, Verifier, decode_unverified, internals::jwk,
    verify_jws,
};
use serde_json::{Value, json};

/// What came of a vector: accepted (with what it yields), refused, a step of a gate, or a mistake
/// of the caller's own.
enum Outcome {
    Step(Value),
    Accepted { claims: Value, payload: Vec<u8>, stale: bool, alternative: Option<String> },
    Refused(Rejection),
    Misused(PolicyError),
}

fn files() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let folders = ["jws", "keys", "claims", "policy", "gate", "revocation"].map(|name| root.join(name));
    let paths = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let vectors = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    vectors
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect()
}

/// A token is a string, or a list of strings and repetitions for the large ones.
fn text(token: &Value) -> Option<String> {
    match token {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().map(part).collect()),
        other => panic!("not a token: {other}"),
    }
}

fn part(part: &Value) -> String {
    match part {
        Value::String(text) => text.clone(),
        _ => part["repeat"].as_str().unwrap().repeat(usize::try_from(part["count"].as_u64().unwrap()).unwrap()),
    }
}

fn run(file: &Value, vector: &Value) -> Outcome {
    let policy = match &vector["policy"] {
        Value::String(name) => &file["policies"][name],
        policy => policy,
    };
    let token = text(&vector["token"]);
    let now = UnixSeconds::new(vector["now"].as_u64().unwrap_or(0)).unwrap();
    let verifier = || {
        let mut verifier = Verifier::from_json(&policy.to_string())?;
        // Sets that issuers publish, one after the other: values, or the text as it was fetched.
        for step in vector["remoteKeys"].as_array().into_iter().flatten() {
            let jwks = &step["jwks"];
            let text = jwks.as_str().map_or_else(|| jwks.to_string(), str::to_owned);
            let report = verifier.set_remote_keys(step["issuer"].as_str().unwrap(), &text);
            match (step.get("error"), report) {
                (Some(pointer), Err(error)) => assert_eq!(error.pointer(), pointer, "{}", vector["id"]),
                (Some(_), Ok(_)) => panic!("{}: a document was taken", vector["id"]),
                (None, report) => {
                    let changed = report?.changed;
                    assert!(step.get("changed").is_none_or(|expected| *expected == changed), "{}", vector["id"]);
                }
            }
        }
        take_lists(vector, |uri, text, now| match uri {
            None => verifier.apply_revocations(text, now).map(|report| report.changed),
            Some(uri) => verifier.apply_status_list(uri, text, now).map(|report| report.changed),
        })?;
        Ok::<_, PolicyError>(verifier)
    };
    let decide = |decide: &dyn Fn(&Verifier) -> portcullis::Verdict| match verifier() {
        Err(error) => Outcome::Misused(error),
        Ok(verifier) => match decide(&verifier) {
            Err(rejection) => Outcome::Refused(rejection),
            Ok(accepted) => Outcome::Accepted {
                claims: accepted.deserialize().unwrap(),
                payload: accepted.payload().as_bytes().to_vec(),
                stale: accepted.is_stale(),
                alternative: accepted.alternative().map(str::to_owned),
            },
        },
    };
    match vector["kind"].as_str().unwrap() {
        "verify" => decide(&|verifier| verifier.verify(token.as_deref().unwrap_or(""), now)),
        "authorization" => decide(&|verifier| match vector["binding"].as_str() {
            Some(_) => verifier.verify_authorization_binding_unverified(token.as_deref(), now),
            None => verifier.verify_authorization(token.as_deref(), now),
        }),
        "policy" => match verifier() {
            Err(error) => Outcome::Misused(error),
            Ok(_) => Outcome::Accepted { claims: Value::Null, payload: Vec::new(), stale: false, alternative: None },
        },
        "jws" => match jwk::parse(&vector["jwk"].to_string()) {
            Err(error) => Outcome::Misused(error),
            Ok(named) => match verify_jws(token.as_deref().unwrap_or(""), &named.key) {
                Err(rejection) => Outcome::Refused(rejection),
                Ok(token) => Outcome::Accepted {
                    claims: Value::Null,
                    payload: token.payload().to_vec(),
                    stale: false,
                    alternative: None,
                },
            },
        },
        "inspect" => match decode_unverified(token.as_deref().unwrap_or(""), &Limits::default()) {
            Err(rejection) => Outcome::Refused(rejection),
            Ok((_, claims)) => Outcome::Accepted {
                claims: serde_json::from_str(&claims).unwrap(),
                payload: claims.into_bytes(),
                stale: false,
                alternative: None,
            },
        },
        "gate" | "gate-step" => gate(policy, vector, now).map_or_else(Outcome::Misused, Outcome::Step),
        kind => panic!("unknown kind {kind}"),
    }
}

/// Lists of revocations, one after the other; with `uri` a status list. That a policy asks for
/// none is the caller's mistake, as it is in JavaScript.
fn take_lists(
    vector: &Value,
    mut apply: impl FnMut(Option<&str>, &str, UnixSeconds) -> Result<bool, UpdateError>,
) -> Result<(), PolicyError> {
    for step in vector["revocations"].as_array().into_iter().flatten() {
        let now = UnixSeconds::new(step["now"].as_u64().unwrap()).unwrap();
        match (step.get("error"), apply(step["uri"].as_str(), step["document"].as_str().unwrap(), now)) {
            (_, Err(UpdateError::Unexpected)) => return Err(PolicyError::at("revocation", "is required")),
            (Some(code), Err(error)) => assert_eq!(error.code(), code, "{}", vector["id"]),
            (Some(code), Ok(_)) => panic!("{}: a list was taken in spite of {code}", vector["id"]),
            (None, Err(error)) => panic!("{}: a list was refused: {error}", vector["id"]),
            (None, Ok(changed)) => {
                assert!(step.get("changed").is_none_or(|expected| *expected == changed), "{}", vector["id"]);
            }
        }
    }
    Ok(())
}

/// The next step about a request, with `ok` where it is a decision.
fn gate(policy: &Value, vector: &Value, now: UnixSeconds) -> Result<Value, PolicyError> {
    let secret = vector["nonceSecret"].as_str().and_then(portcullis::internals::base64url::decode);
    let mut gate = Gate::with_nonce_secret(&policy.to_string(), secret.as_deref())?;
    for step in vector["remoteKeys"].as_array().into_iter().flatten() {
        gate.set_remote_keys(step["issuer"].as_str().unwrap(), &step["jwks"].to_string())?;
    }
    take_lists(vector, |uri, text, now| match uri {
        None => gate.apply_revocations(text, now).map(|report| report.changed),
        Some(uri) => gate.apply_status_list(uri, text, now).map(|report| report.changed),
    })?;
    let mut facts = vector["request"].clone();
    if let Some(requirement) = vector.get("requirement") {
        facts["requirement"] = gate.requirement(&requirement.to_string())?.number().into();
    }
    if let Some(evidence) = vector.get("evidence") {
        facts["evidence"] = evidence.clone();
    }
    let mut step: Value = serde_json::from_str(&gate.decide_json(&facts.to_string(), now)).unwrap();
    match step["step"].as_str().unwrap() {
        "allowed" | "public" | "preflight" | "anonymous" => step["ok"] = true.into(),
        "refused" => {
            // A member of a rejection must not stand where the gate's own does.
            assert_eq!(step["status"], step["problem"]["status"], "{step}");
            step["ok"] = false.into();
        }
        _ => {}
    }
    Ok(step)
}

/// What is wrong with an outcome, if anything.
fn mismatch(vector: &Value, outcome: Outcome) -> Option<String> {
    let expect = &vector["expect"];
    if let Some(canary) = vector["canary"].as_str() {
        let shown = match &outcome {
            Outcome::Refused(rejection) => format!("{rejection} {rejection:?} {}", rejection.to_json()),
            Outcome::Misused(error) => format!("{error} {error:?}"),
            Outcome::Step(step) => step.to_string(),
            Outcome::Accepted { .. } => String::new(),
        };
        if shown.contains(canary) {
            return Some(format!("the canary is in {shown}"));
        }
    }
    let got = match &outcome {
        Outcome::Accepted { alternative, .. } => json!({ "ok": true, "alternative": alternative }),
        Outcome::Step(step) => step.clone(),
        Outcome::Refused(rejection) => serde_json::from_str(&rejection.to_json()).unwrap(),
        Outcome::Misused(error) => json!({ "error": error.pointer(), "reason": error.reason() }),
    };
    let mut wanted: Vec<(&str, &Value)> =
        ["ok", "code", "error"].into_iter().filter_map(|name| Some((name, expect.get(name)?))).collect();
    if let Some(fields) = expect["fields"].as_object() {
        wanted.extend(fields.iter().map(|(name, value)| (name.as_str(), value)));
    }
    assert!(!wanted.is_empty(), "{} expects nothing", vector["id"]);
    if let Some((name, value)) = wanted.into_iter().find(|(name, value)| got.get(name) != Some(value)) {
        return Some(format!("{name} should be {value}; got {got}"));
    }
    if let Outcome::Step(step) = &outcome {
        let expected = expect["claims"].as_object().into_iter().flatten();
        return expected
            .into_iter()
            .find(|(name, value)| step["claims"].get(name) != Some(value))
            .map(|(name, _)| format!("claim {name} differs; got {}", step["claims"]));
    }
    if let Outcome::Accepted { claims, payload, stale, .. } = outcome {
        if expect.get("stale").is_some_and(|expected| *expected != stale) {
            return Some(format!("stale should not be {stale}"));
        }
        let claims_differ = |expected: &serde_json::Map<String, Value>| {
            expected.iter().find(|(name, value)| claims.get(name) != Some(value)).map(|(name, _)| name.clone())
        };
        if let Some(name) = expect["claims"].as_object().and_then(claims_differ) {
            return Some(format!("claim {name} differs; got {claims}"));
        }
        if expect["payloadUtf8"].as_str().is_some_and(|expected| payload != expected.as_bytes()) {
            return Some("the payload differs".to_owned());
        }
    }
    None
}

#[test]
fn every_vector_has_the_outcome_it_states() {
    let mut ids = BTreeSet::new();
    let mut failures = Vec::new();
    for (name, file) in files() {
        for vector in file["vectors"].as_array().unwrap() {
            let id = vector["id"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{name}: {id} is there twice");
            if let Some(what) = mismatch(vector, run(&file, vector)) {
                failures.push(format!("{name}: {id}: {what}"));
            }
        }
    }
    assert!(ids.len() > 150, "only {} vectors were found", ids.len());
    assert!(failures.is_empty(), "{} of {} vectors:\n{}", failures.len(), ids.len(), failures.join("\n"));
}

/// The codes of `src/rejection.rs` and `src/denial.rs`, read from their tables, so that a new one
/// without a vector fails here.
fn codes() -> BTreeSet<String> {
    let source = |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name)).unwrap();
    let source = source("rejection.rs") + &source("denial.rs");
    let is_row = |line: &&str| ["R::", "D::"].iter().any(|start| line.trim_start().starts_with(start));
    source.lines().filter(is_row).filter_map(|row| Some(row.split('"').nth(1)?.to_owned())).collect()
}

#[test]
fn every_rejection_code_has_a_vector() {
    let files = files();
    let vectors = files.iter().flat_map(|(_, file)| file["vectors"].as_array().unwrap());
    let covered: BTreeSet<String> =
        vectors.filter_map(|vector| vector["expect"]["code"].as_str()).map(str::to_owned).collect();
    let codes = codes();
    assert!(codes.len() >= 62, "the table was not read: {codes:?}");
    assert_eq!(codes.difference(&covered).collect::<Vec<_>>(), Vec::<&String>::new(), "codes without a vector");
    assert_eq!(covered.difference(&codes).collect::<Vec<_>>(), Vec::<&String>::new(), "vectors with unknown codes");
}

/// Classes of failure (`class` in the vectors) that can be shown with vectors; the others are
/// shown elsewhere.
const CLASSES: [u64; 45] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 23, 24, 25, 28, 29, 30, 31, 32, 33, 34, 35,
    36, 37, 38, 39, 40, 42, 43, 44, 45, 46, 47, 49, 53, 55,
];

#[test]
fn every_class_of_failure_is_shown_with_what_is_refused_and_its_near_miss() {
    let files = files();
    let vectors: Vec<&Value> = files.iter().flat_map(|(_, file)| file["vectors"].as_array().unwrap()).collect();
    // Of a JWE (27) nothing can be accepted.
    for class in CLASSES.into_iter().chain([27]) {
        let tagged: Vec<_> = vectors.iter().filter(|vector| vector["class"] == class).collect();
        let accepted = tagged.iter().filter(|vector| vector["expect"]["ok"] == true).count();
        assert!(tagged.len() >= 3, "class {class} has {} vectors", tagged.len());
        assert!(accepted < tagged.len(), "class {class} refuses nothing");
        // Of what leaks into a rejection (47) there is only the refused side.
        assert!(accepted > 0 || [27, 47].contains(&class), "class {class} accepts no near miss");
    }
}

#[test]
fn every_class_is_in_the_legend_and_has_vectors_or_tests_that_exist() {
    let legend = include_str!("../vectors/README.md");
    let rows: Vec<(u64, &str)> = legend
        .lines()
        .filter_map(|line| {
            let (number, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
            Some((number.parse().ok()?, rest))
        })
        .collect();
    assert_eq!(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=58).collect::<Vec<_>>());
    let mut used = BTreeSet::new();
    for (name, file) in files() {
        for vector in file["vectors"].as_array().unwrap() {
            let Some(class) = vector["class"].as_u64() else { continue };
            assert!((1..=58).contains(&class), "{name}: {} has the class {class}", vector["id"]);
            used.insert(class);
        }
    }
    for (class, row) in rows {
        let tests: Vec<&str> = row.split('`').filter(|text| text.starts_with("tests/")).collect();
        for test in &tests {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(test).exists(), "class {class}: {test} is missing");
        }
        assert!(used.contains(&class) || !tests.is_empty(), "class {class} has neither vectors nor a test");
    }
}
