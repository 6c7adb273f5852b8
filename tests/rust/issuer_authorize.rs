//! The authorization endpoint: each negative of RFC 9700 §2.1 and §4 that touches it names its
//! section; one authorization has one code; a store that fails at any step grants nothing twice.

mod issuer_world;

use std::sync::Arc;

use issuer_world::{Fault, ISSUER, NOW, SECRET, TestResponse, World, config, issuer_of, post, refresh, secrets, text};
use portcullis::issuer::{Issuer, hash_client_secret};
use serde_json::{Value, json};

// RFC 7636 appendix B
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const BACK: &str = "https://app.example/back";

const GUARDS: [(&str, &str); 5] = [
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "frame-ancestors 'none'"),
    ("x-content-type-options", "nosniff"),
];

const GOOD: [(&str, &str); 8] = [
    ("response_type", "code"),
    ("client_id", "app"),
    ("redirect_uri", BACK),
    ("state", "a&b=c#d"),
    ("scope", "read"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
    ("nonce", "n"),
];

/// The usual clients, one without codes, a native one and one that has to push.
fn issuer() -> Arc<Issuer> {
    let mut config = config();
    let more = json!([
        { "clientId": "no-codes", "authentication": "none", "grants": ["refresh_token"], "redirectUris": [BACK] },
        { "clientId": "native", "authentication": "none", "grants": ["authorization_code"],
          "redirectUris": ["http://127.0.0.1/back?own=1", "com.example.app:/back"] },
        { "clientId": "pushes", "authentication": "client_secret_post", "grants": ["authorization_code"],
          "secretHash": hash_client_secret(SECRET).unwrap(),
          "redirectUris": [BACK], "requirePushedAuthorizationRequests": true },
    ]);
    config["clients"].as_array_mut().unwrap().extend(more.as_array().unwrap().iter().cloned());
    issuer_of(&config, &secrets())
}

fn encoded(parameters: &[(&str, &str)]) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

fn authorize(parameters: &[(&str, &str)]) -> Value {
    let url = format!("{ISSUER}/authorize?{}", encoded(parameters));
    json!({ "command": "authorize", "request": { "method": "GET", "url": url, "headers": [] } })
}

/// The good request with that parameter instead; without it when the value is empty.
fn but(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut parameters: Vec<_> = GOOD.into_iter().filter(|(own, _)| *own != name).collect();
    if !value.is_empty() {
        parameters.push((name, value));
    }
    parameters
}

fn asked(world: &mut World, issuer: &Arc<Issuer>, parameters: &[(&str, &str)]) -> Value {
    asked_by(world, issuer, &authorize(parameters))
}

fn asked_by(world: &mut World, issuer: &Arc<Issuer>, request: &Value) -> Value {
    let told = world.run(issuer, request);
    assert_eq!((told.status, &told.body["outcome"]), (200, &json!("ask")), "{told:?}");
    told.body
}

/// The Cookie header of the browser that was given this cookie.
fn browser(ask: &Value) -> &str {
    text(&ask["cookie"]).split(';').next().unwrap()
}

fn complete(ask: &Value) -> Value {
    json!({ "command": "complete", "sealed": ask["sealed"], "browser": browser(ask), "subject": "alice" })
}

fn header<'r>(response: &'r Value, name: &str) -> Option<&'r str> {
    let headers = response["headers"].as_array().unwrap();
    headers.iter().find(|pair| pair[0] == name).map(|pair| text(&pair[1]))
}

/// The parameters that a client is sent back with.
fn sent(response: &Value) -> Vec<(String, String)> {
    assert_eq!(response["status"], 303, "{response}");
    let (_, query) = header(response, "location").unwrap().split_once('?').unwrap();
    let plain = |text: &str| {
        let mut parts = text.split('%');
        let mut bytes = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
            bytes.extend(part[2..].bytes());
        }
        String::from_utf8(bytes).unwrap()
    };
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (plain(name), plain(value))).collect()
}

fn value<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

fn redeem(code: &str) -> Value {
    redeem_as("app", code)
}

fn redeem_as(client: &str, code: &str) -> Value {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("client_secret", if client == "app" { "" } else { SECRET }),
        ("code", code),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
    ];
    post("/token", &parameters)
}

/// A refusal that the client is told of.
fn there(told: &TestResponse, error: &str, title: &str) {
    guarded(&told.body["response"], title);
    let pairs = sent(&told.body["response"]);
    assert_eq!(value(&pairs, "error"), Some(error), "{title}: {told:?}");
    assert_eq!(value(&pairs, "iss"), Some(ISSUER), "{title}: RFC 9207 section 2");
    assert!(value(&pairs, "code").is_none(), "{title}");
}

/// A refusal that sends nobody anywhere.
fn here(told: &TestResponse, title: &str) {
    let response = &told.body["response"];
    assert_eq!((told.status, &response["status"]), (200, &json!(400)), "{title}: {told:?}");
    assert_eq!(header(response, "location"), None, "{title}");
    guarded(response, title);
}

/// RFC 9700 §4.2.4, §4.3 and §4.16: no page tells its URL, is stored, or stands in a frame.
fn guarded(response: &Value, title: &str) {
    for (name, expected) in GUARDS {
        assert_eq!(header(response, name), Some(expected), "{title}: {name}");
    }
}

#[test]
fn a_request_is_asked_completed_and_redeemed() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let ask = asked(&mut world, &issuer, &GOOD);
    assert_eq!((&ask["clientId"], &ask["scope"], &ask["nonce"]), (&json!("app"), &json!("read"), &json!("n")));
    assert!(text(&ask["cookie"]).starts_with("__Host-portcullis-authorization="), "{ask}");
    assert!(world.entries.is_empty(), "nothing is in the store before there is a code");
    let told = world.run(&issuer, &complete(&ask));
    let response = &told.body["response"];
    let pairs = sent(response);
    assert_eq!((value(&pairs, "state"), value(&pairs, "iss")), (Some("a&b=c#d"), Some(ISSUER)));
    guarded(response, "a code");
    // RFC 9700 4.2.4: nor does the application's own page.
    for (name, expected) in GUARDS {
        assert_eq!(ask["headers"][name], expected, "{name}");
    }
    // RFC 9700 2.1.2, 4.6, 4.9: a code, and no token, goes through the browser.
    let names: Vec<_> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    let granted = world.run(&issuer, &redeem(value(&pairs, "code").unwrap()));
    assert_eq!((granted.status, &granted.body["scope"]), (200, &json!("read")), "{granted:?}");
}

#[test]
fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let issuer = issuer();
    for (title, parameters) in [
        ("RFC 9700 2.1, 4.11.2: an unknown client", but("client_id", "nobody")),
        ("RFC 6749 4.1.2.1: no client", but("client_id", "")),
        ("RFC 9700 4.1.3: no redirect URI", but("redirect_uri", "")),
        ("RFC 9700 2.1: another path", but("redirect_uri", "https://app.example/back/x")),
        ("RFC 9700 2.1: a query added", but("redirect_uri", "https://app.example/back?x=1")),
        ("RFC 9700 4.1.1: a subdomain", but("redirect_uri", "https://evil.app.example/back")),
        ("RFC 9700 4.1.1: user information", but("redirect_uri", "https://app.example@evil.example/back")),
        ("RFC 9700 4.1.2: a fragment", but("redirect_uri", "https://app.example/back#x")),
        ("RFC 9700 4.1.3: another spelling", but("redirect_uri", "https://APP.example/back")),
        ("RFC 9700 4.1.3: dot segments", but("redirect_uri", "https://app.example/x/../back")),
        ("RFC 9700 4.1: two redirect URIs", [GOOD.as_slice(), &[("redirect_uri", "https://evil.example/")]].concat()),
        ("RFC 6749 3.1: two clients", [GOOD.as_slice(), &[("client_id", "native")]].concat()),
        ("RFC 9700 4.11: a scheme of the browser's", but("redirect_uri", "javascript:alert(1)")),
    ] {
        here(&World::at(NOW).run(&issuer, &authorize(&parameters)), title);
    }
    let mut request = authorize(&GOOD);
    request["request"]["method"] = json!("PUT");
    assert_eq!(World::at(NOW).run(&issuer, &request).body["response"]["status"], 405);
    request = authorize(&GOOD);
    request["request"]["url"] = json!(text(&request["request"]["url"]).replace("https", "http"));
    here(&World::at(NOW).run(&issuer, &request), "RFC 9700 2.6: plain HTTP");
}

#[test]
fn what_is_wrong_with_a_request_is_told_to_its_client() {
    let issuer = issuer();
    let with = |name, value| [GOOD.as_slice(), &[(name, value)]].concat();
    for (title, error, parameters) in [
        ("RFC 9700 2.1.1: no PKCE", "invalid_request", but("code_challenge", "")),
        ("RFC 9700 2.1.1, 4.8: PKCE downgrade to plain", "invalid_request", but("code_challenge_method", "plain")),
        ("RFC 9700 4.8: plain by default", "invalid_request", but("code_challenge_method", "")),
        ("RFC 7636 4.2: no SHA-256", "invalid_request", but("code_challenge", "short")),
        ("RFC 9700 2.1.2, 4.6, 4.9: the implicit grant", "unsupported_response_type", but("response_type", "token")),
        ("RFC 9700 2.1.2: a hybrid", "unsupported_response_type", but("response_type", "code id_token")),
        ("RFC 6749 4.1.1: no response type", "invalid_request", but("response_type", "")),
        ("RFC 9700 4.3: a code in a fragment", "invalid_request", with("response_mode", "fragment")),
        ("RFC 9700 4.17: a code by postMessage", "invalid_request", with("response_mode", "web_message")),
        ("response_mode=form_post", "invalid_request", with("response_mode", "form_post")),
        ("RFC 9700 2.3: a scope beyond the client's", "invalid_scope", but("scope", "read admin")),
        ("RFC 6749 3.1: a repeated parameter", "invalid_request", with("scope", "read")),
        ("RFC 6749 3.1: a repeated state", "invalid_request", with("state", "x")),
        ("OpenID Core 6.1: a request object", "request_not_supported", with("request", "e30.e30.")),
        ("RFC 9700 4.1: a request URI", "request_uri_not_supported", with("request_uri", "https://evil.example/r")),
        ("OpenID Core 7.2.1", "registration_not_supported", with("registration", "{}")),
        ("RFC 8707 2: a fragment", "invalid_target", with("resource", "https://api.example/#x")),
        ("RFC 8707 2: a relative URI", "invalid_target", with("resource", "/api")),
        ("OpenID Core 3.1.2.1: none and login", "invalid_request", with("prompt", "none login")),
        ("OpenID Core 3.1.2.1: no such prompt", "invalid_request", with("prompt", "create")),
        ("max_age", "invalid_request", with("max_age", "-1")),
        ("RFC 9449 10: a malformed thumbprint", "invalid_request", with("dpop_jkt", "x")),
        ("a control character", "invalid_request", but("state", "a\nb")),
        ("RFC 6749 4.1.2.1: a client without the grant", "unauthorized_client", but("client_id", "no-codes")),
        ("RFC 9126 6: a client that pushes", "invalid_request", but("client_id", "pushes")),
    ] {
        there(&World::at(NOW).run(&issuer, &authorize(&parameters)), error, title);
    }
    let long = "s".repeat(2049);
    let parameters: Vec<_> = but("state", "").into_iter().chain([("state", long.as_str())]).collect();
    there(&World::at(NOW).run(&issuer, &authorize(&parameters)), "invalid_request", "a long state");
    let told = World::at(NOW).run(&issuer, &authorize(&with("state", "x")));
    assert_eq!(value(&sent(&told.body["response"]), "state"), None, "of two states neither is sent");
}

#[test]
fn rfc_8252_7_3_a_loopback_port_is_free_and_the_code_goes_to_it() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let mut parameters = but("redirect_uri", "http://127.0.0.1:51004/back?own=1");
    parameters.retain(|(name, _)| !["client_id", "scope"].contains(name));
    parameters.push(("client_id", "native"));
    let ask = asked(&mut world, &issuer, &parameters);
    let told = world.run(&issuer, &complete(&ask));
    let location = header(&told.body["response"], "location").unwrap();
    assert!(location.starts_with("http://127.0.0.1:51004/back?own=1&code="), "{location}");
}

#[test]
fn another_browser_finishes_nothing() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let ask = asked(&mut world, &issuer, &GOOD);
    let other = asked(&mut world, &issuer, &GOOD);
    let own = browser(&ask);
    let doubled = format!("{own}; {}", browser(&other));
    let unprefixed = own.replace("__Host-", "");
    for (title, cookie) in [
        ("RFC 9700 4.7: no cookie", ""),
        ("RFC 9700 4.7, 4.5: another browser's", browser(&other)),
        ("two cookies of the name", &doubled),
        ("RFC 9700 4.7: a name that a subdomain can set", &unprefixed),
    ] {
        for command in [
            json!({ "command": "complete", "sealed": ask["sealed"], "browser": cookie, "subject": "alice" }),
            json!({ "command": "decline", "sealed": ask["sealed"], "browser": cookie, "error": "access_denied" }),
        ] {
            here(&world.run(&issuer, &command), title);
        }
    }
    assert!(world.entries.is_empty());
    // The call that began it has shown no page, and has the cookie that nobody else was given.
    let mut command = complete(&ask);
    let members = command.as_object_mut().unwrap();
    members.remove("browser");
    members.insert("cookie".to_owned(), ask["cookie"].clone());
    assert!(value(&sent(&world.run(&issuer, &command).body["response"]), "code").is_some());
}

#[test]
fn a_sealed_text_is_authentic_and_expires() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let ask = asked(&mut world, &issuer, &GOOD);
    let sealed = text(&ask["sealed"]);
    for index in [0, 7, 60, sealed.len() / 2, sealed.len() - 3] {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        let mut command = complete(&ask);
        command["sealed"] = json!(String::from_utf8(bytes).unwrap());
        here(&world.run(&issuer, &command), &format!("byte {index}"));
    }
    let mut late = world.clone();
    late.now += 599;
    assert!(value(&sent(&late.run(&issuer, &complete(&ask)).body["response"]), "code").is_some());
    let mut late = world.clone();
    late.now += 600;
    here(&late.run(&issuer, &complete(&ask)), "expired");
    // The same keys, and another issuer.
    let mut config = config();
    for other in ["https://other.example", "https://issues.example"] {
        config["issuer"] = json!(other);
        here(&world.run(&issuer_of(&config, &secrets()), &complete(&ask)), "RFC 9700 4.4: another issuer's");
    }
}

#[test]
fn what_a_client_may_no_longer_do_is_not_done() {
    let mut world = World::at(NOW);
    let ask = asked(&mut world, &issuer(), &GOOD);
    for (name, value) in [
        ("clientId", json!("another")),
        ("redirectUris", json!(["https://app.example/other"])),
        ("grants", json!(["refresh_token"])),
    ] {
        let mut config = config();
        config["clients"][0][name] = value;
        here(&world.run(&issuer_of(&config, &secrets()), &complete(&ask)), name);
    }
    assert!(world.entries.is_empty());
    let told = world.run(&issuer_of(&config(), &secrets()), &complete(&ask));
    assert!(value(&sent(&told.body["response"]), "code").is_some(), "the configuration as it was");
}

#[test]
fn a_mistake_of_the_application_is_an_error_at_its_member() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let ask = asked(&mut world, &issuer, &[GOOD.as_slice(), &[("max_age", "60")]].concat());
    let login = asked(&mut world, &issuer, &[GOOD.as_slice(), &[("prompt", "login")]].concat());
    let with = |ask: &Value, name: &str, value: Value| {
        let mut command = complete(ask);
        command[name] = value;
        command
    };
    let mut pointer = |command: &Value| world.mistake(&issuer, command);
    let at = Some("/authTimeSeconds".to_owned());
    assert_eq!(pointer(&complete(&ask)), at);
    assert_eq!(pointer(&with(&ask, "authTimeSeconds", json!(NOW - 66))), at);
    assert_eq!(pointer(&with(&ask, "authTimeSeconds", json!(NOW - 60))), None);
    assert_eq!(pointer(&complete(&login)), at);
    assert_eq!(pointer(&with(&login, "authTimeSeconds", json!(NOW - 6))), at);
    assert_eq!(pointer(&with(&login, "authTimeSeconds", json!(NOW))), None);
    let ask = login;
    assert_eq!(pointer(&with(&ask, "scope", json!("read write"))), Some("/scope".to_owned()));
    assert_eq!(pointer(&with(&ask, "subject", json!(""))), Some("/subject".to_owned()));
    assert_eq!(pointer(&with(&ask, "cookie", ask["cookie"].clone())), Some("/cookie".to_owned()));
    let declined = json!({ "command": "decline", "sealed": ask["sealed"], "browser": browser(&ask), "error": "no" });
    assert_eq!(pointer(&declined), Some("/error".to_owned()));
}

#[test]
fn an_authorization_has_one_code_however_often_it_is_completed() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let ask = asked(&mut world, &issuer, &GOOD);
    let code = |told: &TestResponse| value(&sent(&told.body["response"]), "code").unwrap().to_owned();
    let first = code(&world.run(&issuer, &complete(&ask)));
    world.now += 1;
    assert_eq!(code(&world.run(&issuer, &complete(&ask))), first, "a double click");
    let mut other = complete(&ask);
    other["subject"] = json!("mallory");
    here(&world.run(&issuer, &other), "another subject");
    let mut late = world.clone();
    late.now += 59;
    here(&late.run(&issuer, &complete(&ask)), "RFC 6749 4.1.2: a code that has expired");
    let granted = world.run(&issuer, &redeem(&first));
    assert_eq!(granted.status, 200);
    // RFC 9700 4.5, 2.1.1: what was presented is not handed out again, which would end the session.
    here(&world.run(&issuer, &complete(&ask)), "after it was redeemed");
    assert_eq!(world.run(&issuer, &refresh(text(&granted.body["refresh_token"]))).status, 200);
    let mut declined = complete(&ask);
    declined.as_object_mut().unwrap().remove("subject");
    declined["command"] = json!("decline");
    declined["error"] = json!("access_denied");
    let told = world.run(&issuer, &declined);
    assert_eq!(value(&sent(&told.body["response"]), "error"), Some("access_denied"));
}

#[test]
fn a_store_that_fails_at_any_step_of_completing_grants_one_code_in_the_end() {
    let (issuer, mut before) = (issuer(), World::at(NOW));
    let ask = asked(&mut before, &issuer, &GOOD);
    for fault in (0..2).flat_map(|step| [Fault::Before(step), Fault::AfterCommit(step)]) {
        let mut world = before.clone();
        world.faults = [fault].into();
        let mut told = world.run(&issuer, &complete(&ask));
        world.faults.clear();
        if told.status == 503 {
            told = world.run(&issuer, &complete(&ask));
        }
        assert_eq!(told.status, 200, "{fault:?}");
        let pairs = sent(&told.body["response"]);
        assert_eq!(world.run(&issuer, &redeem(value(&pairs, "code").unwrap())).status, 200, "{fault:?}");
        assert_eq!(world.entries.keys().filter(|key| key.starts_with("k/")).count(), 1, "{fault:?}");
    }
}

fn push(more: &[(&str, &str)]) -> Value {
    let mut parameters: Vec<_> = GOOD.into_iter().filter(|(name, _)| !["client_id", "scope"].contains(name)).collect();
    parameters.extend([("client_id", "pushes"), ("client_secret", SECRET)]);
    parameters.retain(|(name, _)| !more.iter().any(|(own, _)| own == name));
    parameters.extend(more);
    post("/par", &parameters)
}

#[test]
fn rfc_9126_a_pushed_request_is_its_clients_for_a_minute_and_once() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    let pushed = world.run(&issuer, &push(&[("resource", "https://a.example"), ("resource", "https://b.example")]));
    assert_eq!((pushed.status, &pushed.body["expires_in"]), (201, &json!(60)), "{pushed:?}");
    assert!(world.entries.values().all(|entry| !entry.value.contains(SECRET)), "no secret is kept");
    let uri = text(&pushed.body["request_uri"]);
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
    let by = |client: &'static str| authorize(&[("client_id", client), ("request_uri", uri)]);
    here(&world.run(&issuer, &by("app")), "another client's");
    let mut late = world.clone();
    late.now += 60;
    here(&late.run(&issuer, &by("pushes")), "expired");
    // RFC 9101 5: what stands beside it counts for nothing.
    let beside = authorize(&[("client_id", "pushes"), ("request_uri", uri), ("redirect_uri", "https://evil.example/")]);
    let ask = asked_by(&mut world, &issuer, &beside);
    assert_eq!(ask["resource"], json!(["https://a.example", "https://b.example"]), "{ask}");
    assert_eq!(ask["redirectUri"], BACK);
    // RFC 9126 4: a reload is no second use, and of two tabs one is granted.
    let reloaded = asked_by(&mut world, &issuer, &by("pushes"));
    let first = world.run(&issuer, &complete(&reloaded));
    assert!(value(&sent(&first.body["response"]), "code").is_some(), "{first:?}");
    here(&world.run(&issuer, &complete(&ask)), "granted in the other tab");
    let used = world.run(&issuer, &by("pushes"));
    here(&used, "used");
    assert!(text(&used.body["response"]["body"]).contains("invalid_request_uri"), "{used:?}");
    let again = world.run(&issuer, &complete(&reloaded));
    assert_eq!(again.body, first.body, "a double click");
    world.entries.retain(|key, _| !key.starts_with("q/"));
    here(&world.run(&issuer, &complete(&reloaded)), "a store that has forgotten it");
}

#[test]
fn a_store_that_fails_at_any_step_of_a_pushed_request_costs_a_retry() {
    let issuer = issuer();
    let mut failures = [0; 4];
    for fault in (0..12).flat_map(|step| [Fault::Before(step), Fault::AfterCommit(step)]) {
        let mut world = World::at(NOW);
        let mut retried = |call: usize, request: &Value| {
            world.faults = [fault].into();
            let told = world.run(&issuer, request);
            world.faults.clear();
            if told.status != 503 && told.body["response"]["status"] != 503 {
                return told;
            }
            failures[call] += 1;
            world.run(&issuer, request)
        };
        let pushed = retried(0, &push(&[]));
        let by = authorize(&[("client_id", "pushes"), ("request_uri", text(&pushed.body["request_uri"]))]);
        let ask = retried(1, &by).body;
        assert_eq!(ask["outcome"], "ask", "{fault:?}: {ask}");
        let told = retried(2, &complete(&ask));
        let pairs = sent(&told.body["response"]);
        let code = value(&pairs, "code").unwrap_or_else(|| panic!("{fault:?}: {told:?}"));
        let granted = retried(3, &redeem_as("pushes", code));
        assert_eq!(granted.status, 200, "{fault:?}: {granted:?}");
        here(&world.run(&issuer, &by), "RFC 9126 4: used");
        here(&world.run(&issuer, &complete(&ask)), "RFC 9700 4.5: one code");
        assert_eq!(world.entries.keys().filter(|key| key.starts_with("k/")).count(), 1, "{fault:?}");
        assert_eq!(world.entries.keys().filter(|key| key.starts_with("s/")).count(), 1, "{fault:?}");
    }
    // One swap is pushed and one read is found; a grant is a read and two swaps.
    assert_eq!(failures[..3], [2, 1, 5]);
    assert!(failures[3] > 4, "{failures:?}");
}

#[test]
fn rfc_9126_what_is_wrong_is_told_where_it_is_pushed() {
    let issuer = issuer();
    for (error, status, more) in [
        ("invalid_client", 401, ("client_secret", "another-secret-that-is-long-enough-0123")),
        ("invalid_request", 400, ("redirect_uri", "https://evil.example/")),
        ("invalid_request", 400, ("code_challenge_method", "plain")),
        ("unsupported_response_type", 400, ("response_type", "token")),
        ("invalid_request", 400, ("request_uri", "urn:ietf:params:oauth:request_uri:x")),
        ("request_not_supported", 400, ("request", "e30.e30.")),
        ("invalid_target", 400, ("resource", "x#y")),
    ] {
        let mut world = World::at(NOW);
        let told = world.run(&issuer, &push(&[more]));
        assert_eq!((told.status, &told.body["error"]), (status, &json!(error)), "{more:?}: {told:?}");
        assert!(world.entries.is_empty(), "{more:?}");
    }
}

#[test]
fn a_code_is_bound_to_the_key_that_the_request_names() {
    let (issuer, mut world) = (issuer(), World::at(NOW));
    // RFC 9449 10, RFC 9700 4.5: a thief of the code and the verifier has not the key.
    let ask = asked(&mut world, &issuer, &[GOOD.as_slice(), &[("dpop_jkt", CHALLENGE)]].concat());
    let told = world.run(&issuer, &complete(&ask));
    let pairs = sent(&told.body["response"]);
    let stolen = world.run(&issuer, &redeem(value(&pairs, "code").unwrap()));
    assert_eq!((stolen.status, &stolen.body["error"]), (400, &json!("invalid_grant")), "{stolen:?}");
}
