//! Keys that are fetched, lists and policies that are replaced, in a real server with a clock in
//! the test's hand.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use axum::Router;
use portcullis::issuer::SigningKey;
use portcullis::{
    Gate, UnixSeconds,
    tower::{Connection, GateLayer, Introspection, Outside, Published},
};
use portcullis_tower_tests::{AUDIENCE, ISSUER, ORIGINS, Prover, TestResponse, key, mint_at, now, policy, send, serve};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// The world, as a test has it: what an issuer publishes, and what is asked of it.
#[derive(Clone, Default)]
struct World {
    published: Arc<Mutex<Option<Published>>>,
    fetches: Arc<AtomicUsize>,
    introspections: Arc<Mutex<Vec<&'static str>>>,
    active: Arc<Mutex<bool>>,
    /// Holds an answer back until it is notified.
    held: Arc<Mutex<Option<Arc<Notify>>>>,
    /// Says that somebody has asked.
    came: Arc<Notify>,
    proofs: Arc<AtomicUsize>,
}

impl World {
    fn publish(&self, key: &SigningKey, cache_control: &str) {
        let cache_control = Some(cache_control.to_owned());
        let published = Published { jwks: key.jwks(), cache_control, ..Published::default() };
        *self.published.lock().unwrap() = Some(published);
    }

    fn fail(&self) {
        *self.published.lock().unwrap() = None;
    }

    fn hold(&self) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        *self.held.lock().unwrap() = Some(Arc::clone(&notify));
        notify
    }

    async fn wait(&self) {
        self.came.notify_one();
        let held = self.held.lock().unwrap().take();
        if let Some(held) = held {
            held.notified().await;
        }
    }

    fn answer(&self, how: &'static str) -> Introspection {
        self.introspections.lock().unwrap().push(how);
        let active = *self.active.lock().unwrap();
        Introspection::Response(json!({ "active": active, "aud": AUDIENCE, "sub": "eve" }).to_string())
    }
}

impl Outside for World {
    async fn published(&self, issuer: &str) -> Option<Published> {
        assert_eq!(issuer, ISSUER);
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let published = self.published.lock().unwrap().clone();
        self.wait().await;
        published
    }

    async fn introspect(&self, _: &str, _: &str) -> Introspection {
        let answer = self.answer("kept");
        self.wait().await;
        answer
    }

    async fn introspect_now(&self, _: &str, _: &str) -> Introspection {
        self.answer("now")
    }

    async fn first_use(&self, _: &str, _: u64) -> Option<bool> {
        // As a store that has forgotten everything.
        self.proofs.fetch_add(1, Ordering::SeqCst);
        self.wait().await;
        Some(true)
    }
}

struct App {
    world: World,
    layer: GateLayer<World>,
    clock: Arc<AtomicU64>,
    port: u16,
}

impl App {
    async fn new(policy: &str) -> Self {
        let (world, clock) = (World::default(), Arc::new(AtomicU64::new(now())));
        let hand = Arc::clone(&clock);
        let time = move || UnixSeconds::new(hand.load(Ordering::SeqCst)).unwrap();
        let gate = Gate::from_json(policy).unwrap();
        let layer = GateLayer::with_clock(gate, world.clone(), |_| Connection::default(), time);
        let port = serve(Router::new().fallback(async || "served").layer(layer.clone())).await;
        App { world, layer, clock, port }
    }

    fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    fn fetches(&self) -> usize {
        self.world.fetches.load(Ordering::SeqCst)
    }

    async fn ask(&self, token: &str) -> TestResponse {
        send(self.port, "/", &[("Authorization", &format!("Bearer {token}"))]).await
    }

    /// A token of now, and what is said to it.
    async fn ask_by(&self, key: &SigningKey) -> (u16, String) {
        let answer = self.ask(&mint_at(key, "a", self.now(), json!({}))).await;
        (answer.status, answer.code())
    }
}

fn remote(more: Value) -> String {
    let mut remote = json!({ "jwksUri": "https://issuer.example/jwks", "minTtlSeconds": 60, "maxTtlSeconds": 1000,
        "staleSeconds": 500 });
    remote.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "issuers": [{ "issuer": ISSUER, "audience": AUDIENCE, "remote": remote }],
        "gate": { "origins": ORIGINS } })
    .to_string()
}

fn refused(code: &str) -> (u16, String) {
    (if code == "keys-unavailable" { 503 } else { 401 }, code.to_owned())
}

#[tokio::test]
async fn keys_are_fetched_ahead_of_their_end_and_not_before() {
    let app = App::new(&remote(json!({}))).await;
    let key = key();
    app.world.publish(&key, "max-age=400");
    assert_eq!(app.ask_by(&key).await.0, 200);
    app.pass(299);
    assert_eq!(app.ask_by(&key).await.0, 200);
    assert_eq!(app.fetches(), 1);
    // From three quarters of its time on, at the latest at nine tenths.
    app.pass(61);
    assert_eq!(app.ask_by(&key).await.0, 200);
    assert_eq!(app.fetches(), 2);
    // And their time begins anew.
    app.pass(299);
    assert_eq!(app.ask_by(&key).await.0, 200);
    assert_eq!(app.fetches(), 2);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_is_used_no_more_once_its_time_is_over() {
    for (stated, bounded) in [("max-age=200", 200), ("max-age=0", 60), ("no-store", 60), ("max-age=86400", 1000)] {
        let app = App::new(&remote(json!({}))).await;
        let (old, new) = (key(), key());
        app.world.publish(&old, stated);
        assert_eq!(app.ask_by(&old).await.0, 200);
        app.world.publish(&new, stated);
        app.pass(bounded);
        assert_eq!(app.ask_by(&old).await, refused("kid-unknown"), "{stated}");
        assert_eq!(app.ask_by(&new).await.0, 200, "{stated}");
        assert_eq!(app.fetches(), 2, "{stated}");
    }
}

#[tokio::test]
async fn keys_outlive_their_time_while_the_origin_fails_and_no_longer_than_the_bound() {
    let app = App::new(&remote(json!({}))).await;
    let key = key();
    app.world.publish(&key, "max-age=100");
    assert_eq!(app.ask_by(&key).await.0, 200);
    app.world.fail();
    app.pass(599);
    assert_eq!(app.ask_by(&key).await.0, 200);
    // At most one fetch in 30 seconds, however many ask.
    for _ in 0..5 {
        assert_eq!(app.ask_by(&key).await.0, 200);
    }
    assert_eq!(app.fetches(), 2);
    app.pass(1);
    assert_eq!(app.ask_by(&key).await, refused("keys-unavailable"));
    app.world.publish(&key, "max-age=100");
    app.pass(30);
    assert_eq!(app.ask_by(&key).await.0, 200);
}

#[tokio::test]
async fn one_request_fetches_and_the_others_wait_for_the_key_that_they_lack() {
    let app = App::new(&remote(json!({}))).await;
    let key = key();
    app.world.publish(&key, "max-age=100");
    let held = app.world.hold();
    let token = mint_at(&key, "a", app.now(), json!({}));
    let asking: Vec<_> = (0..5)
        .map(|_| {
            let (port, authorization) = (app.port, format!("Bearer {token}"));
            tokio::spawn(async move { send(port, "/", &[("Authorization", &authorization)]).await.status })
        })
        .collect();
    app.world.came.notified().await;
    held.notify_one();
    for status in asking {
        assert_eq!(status.await.unwrap(), 200);
    }
    assert_eq!(app.fetches(), 1);
}

#[tokio::test]
async fn keys_stay_over_a_policy_that_is_refused_and_under_one_that_names_the_same_place() {
    let app = App::new(&remote(json!({}))).await;
    let key = key();
    app.world.publish(&key, "max-age=900");
    assert_eq!(app.ask_by(&key).await.0, 200);
    app.world.fail();
    for other in ["{}", r#"{ "issuers": [] }"#, &remote(json!({ "jwksUri": "http://public.example/" }))] {
        assert!(app.layer.replace_policy(other, None).is_err());
        assert_eq!(app.ask_by(&key).await.0, 200);
    }
    // The bounds are those of the policy that is in force.
    app.layer.replace_policy(&remote(json!({ "maxTtlSeconds": 100, "staleSeconds": 50 })), None).unwrap();
    assert_eq!(app.ask_by(&key).await.0, 200);
    assert_eq!(app.fetches(), 1);
    app.pass(150);
    assert_eq!(app.ask_by(&key).await, refused("keys-unavailable"));
}

#[tokio::test]
async fn keys_of_another_place_are_not_taken_and_what_failed_there_says_nothing_here() {
    let app = App::new(&remote(json!({}))).await;
    let (old, new) = (key(), key());
    app.world.publish(&old, "max-age=900");
    let held = app.world.hold();
    let token = mint_at(&old, "a", app.now(), json!({}));
    let (port, authorization) = (app.port, format!("Bearer {token}"));
    let asking = tokio::spawn(async move { send(port, "/", &[("Authorization", &authorization)]).await.code() });
    app.world.came.notified().await;
    app.layer.replace_policy(&remote(json!({ "jwksUri": "https://issuer.example/other" })), None).unwrap();
    app.world.publish(&new, "max-age=900");
    held.notify_one();
    assert_eq!(asking.await.unwrap(), "kid-unknown");
    assert_eq!(app.ask_by(&old).await, refused("kid-unknown"));
    assert_eq!(app.ask_by(&new).await.0, 200);
}

fn opaque(issuer: &str, more: &Value) -> String {
    let mut policy = json!({ "issuers": [{ "issuer": issuer, "audience": AUDIENCE, "introspection":
        { "endpoint": format!("{issuer}/introspect"), "clientId": "api", "authentication": "client_secret_basic" } }],
        "gate": { "origins": ORIGINS } });
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    policy.to_string()
}

#[tokio::test]
async fn what_one_issuer_says_vouches_for_nothing_under_a_policy_with_another() {
    let app = App::new(&opaque(ISSUER, &json!({}))).await;
    *app.world.active.lock().unwrap() = true;
    let held = app.world.hold();
    let port = app.port;
    let asking = tokio::spawn(async move { send(port, "/", &[("Authorization", "Bearer opaque")]).await.code() });
    app.world.came.notified().await;
    app.layer.replace_policy(&opaque("https://other.example", &json!({})), None).unwrap();
    *app.world.active.lock().unwrap() = false;
    held.notify_one();
    assert_eq!(asking.await.unwrap(), "token-inactive");
    assert_eq!(app.world.introspections.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn while_lists_are_stale_the_question_says_that_no_kept_answer_will_do() {
    let lists = json!({ "revocation": { "jwks": serde_json::from_str::<Value>(&key().jwks()).unwrap(),
        "maxStalenessSeconds": 60, "whenStale": "introspect" } });
    let app = App::new(&opaque(ISSUER, &lists)).await;
    *app.world.active.lock().unwrap() = true;
    assert_eq!(app.ask("opaque").await.status, 200);
    assert_eq!(app.ask("opaque").await.status, 200);
    assert_eq!(*app.world.introspections.lock().unwrap(), ["now", "now"]);
}

#[tokio::test]
async fn a_wider_window_revives_no_proof_that_a_store_has_forgotten() {
    let signer = key();
    let dpop = |seconds: u64| policy(&signer, json!({ "dpop": { "iatWindowSeconds": seconds } }));
    let app = App::new(&dpop(5)).await;
    let owner = Prover::new(7);
    let token = mint_at(&signer, "a", app.now(), json!({ "cnf": { "jkt": owner.thumbprint() } }));
    let proof = owner.proof(&format!("http://127.0.0.1:{}/", app.port), &token, "1");
    let authorization = format!("DPoP {token}");
    let ask = async || send(app.port, "/", &[("Authorization", &authorization), ("DPoP", &proof)]).await;
    assert_eq!(ask().await.status, 200);
    app.layer.replace_policy(&dpop(300), None).unwrap();
    for _ in 0..6 {
        app.pass(50);
        assert_eq!(ask().await.code(), "dpop-time-mismatch");
    }
    assert_eq!(app.world.proofs.load(Ordering::SeqCst), 1);
}
