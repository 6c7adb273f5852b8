//! The feed from its log to an edge: documents in any order, twice, forked or with gaps in
//! between, against a model of what is to be held.

use std::collections::{BTreeMap, BTreeSet};

use portcullis::internals::feed::{Append, Feed, FeedResponse, Known, Log, REGISTER, Revoked, Since, Write};
use portcullis::issuer::{AccessTokenRequest, SigningKey};
use portcullis::{Alg, UnixSeconds, Verifier};
use proptest::prelude::*;
use serde_json::json;

const ISSUER: &str = "https://issuer.example";
const NOW: u64 = 1_800_000_000;
const LIFETIME: u64 = 600;
const SECRET: [&str; 2] = [
    r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    r#"{"kty":"OKP","crv":"Ed25519","d":"TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs","x":"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"}"#,
];

fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).unwrap()
}

fn key(place: usize) -> SigningKey {
    SigningKey::from_private_jwk(SECRET[place]).unwrap()
}

fn feed() -> Feed {
    Feed::new(key(1), ISSUER, LIFETIME, &[key(0).kid()]).unwrap()
}

fn verifier(more: &str) -> Verifier {
    let policy = format!(
        r#"{{"issuers":[{{"issuer":"{ISSUER}","audience":"api","jwks":{}}}],"revocation":{{"jwks":{},"maxStalenessSeconds":60{more}}}}}"#,
        key(0).jwks(),
        feed().jwks(),
    );
    Verifier::from_json(&policy).unwrap()
}

fn token(jti: u8, sid: u8, sub: u8, issued_at: u64) -> String {
    let request = json!({
        "issuer": ISSUER, "audience": "api", "subject": format!("s{sub}"), "clientId": "c", "lifetimeSeconds": 3600,
        "jti": format!("j{jti}"), "claims": { "sid": format!("d{sid}") },
    });
    AccessTokenRequest::from_json(&request.to_string()).unwrap().sign(&key(0), at(issued_at)).unwrap()
}

/// A store as simple as one can be.
#[derive(Clone, Default)]
struct Store(BTreeMap<String, (u64, String)>);

impl Store {
    fn swap(&mut self, write: &Write) -> bool {
        let found = self.0.get(&write.key).map_or(0, |(version, _)| *version);
        if found == write.expected {
            self.0.insert(write.key.clone(), (write.expected + 1, write.value.clone()));
        }
        found == write.expected
    }

    fn read(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|(_, value)| value.as_str())
    }

    /// The loop that src/issuer/feed/mod.rs describes.
    fn log(&self, now: UnixSeconds) -> Log {
        let register = self.0.get(REGISTER).map(|(version, value)| (*version, value.as_str()));
        let mut log = Log::read(register, None).unwrap();
        for key in log.missing(now) {
            log.take(&key, self.read(&key)).unwrap();
        }
        log
    }

    fn write(&mut self, append: &Append) -> bool {
        if let Some(segment) = &append.segment {
            self.swap(segment);
        }
        self.swap(&append.register)
    }

    fn append(&mut self, feed: &Feed, revoked: &[Revoked<'_>], now: UnixSeconds) {
        let append = feed.append(&self.log(now), &Known::default(), revoked, [7; 16], now).unwrap();
        assert!(self.write(&append));
    }
}

/// What the feed answers from that log to one who holds that version.
fn answer(feed: &Feed, log: &Log, since: Option<u64>, now: UnixSeconds) -> FeedResponse {
    feed.answer(log, since.map(Since::Version).as_ref(), now).unwrap()
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RevokedItem {
    Token(u8),
    Session(u8),
    Subject(u8, u64),
}

impl RevokedItem {
    fn stands_against(&self, (jti, sid, sub, issued_at): (u8, u8, u8, u64)) -> bool {
        match *self {
            RevokedItem::Token(revoked) => revoked == jti,
            RevokedItem::Session(revoked) => revoked == sid,
            RevokedItem::Subject(whose, before) => whose == sub && issued_at < before,
        }
    }
}

fn with<T>(entries: &[RevokedItem], take: impl FnOnce(&[Revoked<'_>]) -> T) -> T {
    let names: Vec<String> = entries
        .iter()
        .map(|entry| match entry {
            RevokedItem::Token(jti) => format!("j{jti}"),
            RevokedItem::Session(sid) => format!("d{sid}"),
            RevokedItem::Subject(sub, _) => format!("s{sub}"),
        })
        .collect();
    let revoked: Vec<Revoked<'_>> = entries
        .iter()
        .zip(&names)
        .map(|(entry, name)| match entry {
            RevokedItem::Token(_) => Revoked::Token(name),
            RevokedItem::Session(_) => Revoked::Session(name),
            RevokedItem::Subject(_, before) => Revoked::SubjectBefore(name, at(*before)),
        })
        .collect();
    take(&revoked)
}

fn entry() -> impl Strategy<Value = RevokedItem> {
    prop_oneof![
        (0..6_u8).prop_map(RevokedItem::Token),
        (0..3_u8).prop_map(RevokedItem::Session),
        (0..3_u8, NOW - 300..NOW).prop_map(|(sub, before)| RevokedItem::Subject(sub, before)),
    ]
}

fn batches(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<RevokedItem>>> {
    proptest::collection::vec(proptest::collection::vec(entry(), 1..4), count)
}

/// What a batch is made of: neither the order of its entries nor a repetition makes another one,
/// and of a subject's cutoffs the last counts.
fn canonical(entries: &[RevokedItem]) -> (BTreeSet<&RevokedItem>, BTreeMap<u8, u64>) {
    let mut cutoffs = BTreeMap::new();
    let names = entries.iter().filter(|entry| match entry {
        RevokedItem::Subject(sub, before) => {
            let last = cutoffs.entry(*sub).or_insert(*before);
            *last = (*last).max(*before);
            false
        }
        _ => true,
    });
    (names.collect(), cutoffs)
}

/// One line of a feed and what it would make of an edge.
#[derive(Clone, Debug)]
struct Offered {
    text: String,
    kind: Kind,
    version: u64,
    issued_at: u64,
    /// Which chain it belongs to; the two are one up to where they fork.
    chain: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Snapshot,
    Delta,
    Renewal,
}

/// Every document of a chain of batches.
fn documents(chain: usize, batches: &[Vec<RevokedItem>], from: usize) -> Vec<Offered> {
    let (feed, mut store, mut offered) = (feed(), Store::default(), Vec::new());
    for version in 0..=batches.len() {
        if let Some(batch) = version.checked_sub(1).and_then(|place| batches.get(place)) {
            with(batch, |revoked| store.append(&feed, revoked, at(NOW)));
        }
        if version < from {
            continue;
        }
        let log = store.log(at(NOW));
        let number = u64::try_from(version).unwrap();
        let mut add = |text: &str, kind, issued_at| {
            offered.push(Offered { text: text.to_owned(), kind, version: number, issued_at, chain });
        };
        for issued_at in [NOW, NOW + 3] {
            let snapshot = answer(&feed, &log, None, at(issued_at));
            assert_eq!((snapshot.status, snapshot.version), (200, number));
            add(&snapshot.body, Kind::Snapshot, issued_at);
            let since = answer(&feed, &log, Some(number), at(issued_at));
            add(&since.body, Kind::Renewal, issued_at);
        }
        if let Some(before) = number.checked_sub(1) {
            add(&answer(&feed, &log, Some(before), at(NOW)).body, Kind::Delta, NOW);
        }
    }
    offered
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_edge_holds_the_fold_of_what_it_took_and_never_goes_back(
        shared in batches(0..4), own in batches(1..5), other in batches(1..4),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 40),
        tokens in proptest::collection::vec((0..6_u8, 0..3_u8, 0..3_u8, NOW - 300..NOW), 6),
    ) {
        prop_assume!(canonical(&own[0]) != canonical(&other[0]));
        let chains = [&own, &other].map(|rest| [shared.clone(), rest.clone()].concat());
        let mut pool = documents(0, &chains[0], 0);
        pool.extend(documents(1, &chains[1], shared.len() + 1));
        let forked = u64::try_from(shared.len()).unwrap();
        let minted: Vec<String> = tokens.iter().map(|(jti, sid, sub, issued_at)| token(*jti, *sid, *sub, *issued_at)).collect();
        let mut edge = verifier("");
        // (chain, version, iat)
        let mut model: Option<(usize, u64, u64)> = None;
        for (index, how) in order {
            // Mostly what is near: among all documents one from far ahead would soon end the walk.
            let held = model.map_or(0, |(_, version, _)| version);
            let near: Vec<&Offered> = pool.iter().filter(|offered| how == 0 || offered.version.abs_diff(held) <= 1).collect();
            let Offered { text, kind, version, issued_at, chain } = (*index.get(&near)).clone();
            let on_ours = |(held, at, _): (usize, u64, u64)| held == chain || version.min(at) <= forked;
            let expected = match (kind, model) {
                (Kind::Snapshot, None) => Ok(()),
                (_, None) => Err("update-gap"),
                (Kind::Snapshot, Some(held)) if version == held.1 && !on_ours(held) => Err("update-forked"),
                (Kind::Snapshot, Some(held)) if (version, issued_at) < (held.1, held.2) => Err("update-older"),
                (Kind::Snapshot, Some(_)) => Ok(()),
                (_, Some(held)) if version < held.1 => Err("update-older"),
                (_, Some(held)) if version == held.1 => if on_ours(held) { Ok(()) } else { Err("update-forked") },
                (Kind::Delta, Some(held)) if version == held.1 + 1 => if on_ours(held) { Ok(()) } else { Err("update-forked") },
                (_, Some(_)) => Err("update-gap"),
            };
            let outcome = edge.apply_revocations(&text, at(NOW + 3));
            prop_assert_eq!(outcome.as_ref().map(|_| ()).map_err(|error| error.code()), expected, "{:?} {} of {}", kind, version, chain);
            if expected.is_ok() {
                let before = model.map_or(0, |(_, version, _)| version);
                prop_assert!(version >= before);
                let newest = match (kind, model) { (Kind::Snapshot, _) | (_, None) => issued_at, (_, Some(held)) => held.2.max(issued_at) };
                // Until they fork both are one.
                let chain = match model { Some(held) if version == held.1 => held.0, _ => chain };
                model = Some((chain, version, newest));
            }
            let Some((chain, version, issued_at)) = model else { continue };
            let revoked: BTreeSet<RevokedItem> = chains[chain].iter().take(usize::try_from(version).unwrap()).flatten().cloned().collect();
            if let Ok(report) = outcome {
                let exact = revoked.iter().filter(|entry| !matches!(entry, RevokedItem::Subject(..))).count();
                prop_assert_eq!((report.version, report.tokens, report.stale_at), (version, exact, issued_at + 60));
            }
            for (claims, minted) in tokens.iter().zip(&minted) {
                let refused = revoked.iter().any(|entry| entry.stands_against(*claims));
                prop_assert_eq!(edge.verify(minted, at(NOW + 3)).is_err(), refused);
            }
        }
    }

    #[test]
    fn what_is_pulled_since_any_version_leads_to_what_the_snapshot_says(all in batches(1..8), since in any::<prop::sample::Index>()) {
        let (feed, mut store) = (feed(), Store::default());
        let since = since.index(all.len() + 1);
        let mut edges = [verifier(""), verifier("")];
        for (place, batch) in all.iter().enumerate() {
            if place == since {
                edges[0].apply_revocations(&answer(&feed, &store.log(at(NOW)), None, at(NOW)).body, at(NOW)).unwrap();
            }
            with(batch, |revoked| store.append(&feed, revoked, at(NOW)));
        }
        let log = store.log(at(NOW));
        let snapshot = answer(&feed, &log, None, at(NOW + 9));
        if since == all.len() {
            edges[0].apply_revocations(&snapshot.body, at(NOW + 9)).unwrap();
        }
        let deltas = answer(&feed, &log, Some(u64::try_from(since).unwrap()), at(NOW + 9));
        prop_assert_eq!(deltas.body.split('\n').count(), 1);
        let pulled = edges[0].apply_revocations(&deltas.body, at(NOW + 9)).unwrap();
        let fetched = edges[1].apply_revocations(&snapshot.body, at(NOW + 9)).unwrap();
        prop_assert_eq!((pulled.version, pulled.tokens, pulled.cutoffs, pulled.stale_at), (fetched.version, fetched.tokens, fetched.cutoffs, fetched.stale_at));
        // And the same list once more says nothing new, by whichever way it was come by.
        let again = edges[0].apply_revocations(&snapshot.body, at(NOW + 9)).unwrap();
        prop_assert!(!again.changed);
    }
}

#[test]
fn entries_live_as_long_as_the_longest_token_and_its_leeway() {
    let (feed, mut store) = (feed(), Store::default());
    with(&[RevokedItem::Token(1), RevokedItem::Subject(1, NOW + 50)], |revoked| store.append(&feed, revoked, at(NOW)));
    store.append(&feed, &[Revoked::Token("j2")], at(NOW));
    store.append(&feed, &[Revoked::Key("lost")], at(NOW));
    let held = |now| {
        let mut edge = verifier("");
        let body = answer(&feed, &store.log(at(now)), None, at(now)).body;
        let report = edge.apply_revocations(&body, at(now)).unwrap();
        (report.version, report.tokens, report.cutoffs)
    };
    let lived = NOW + LIFETIME + 300;
    assert_eq!(held(lived - 1), (3, 2, 2));
    assert_eq!(held(lived), (3, 1, 2));
    assert_eq!(held(lived + 50), (3, 0, 1));
    // Whoever missed it for so long is told what of it still counts, and of the key for ever.
    let mut late = verifier("");
    let end = at(lived + 50);
    late.apply_revocations(&answer(&feed, &Log::default(), None, end).body, end).unwrap();
    let told = late.apply_revocations(&answer(&feed, &store.log(end), Some(0), end).body, end).unwrap();
    assert_eq!((told.version, told.tokens, told.cutoffs), (3, 0, 1));
    assert_eq!(answer(&feed, &store.log(at(lived)), Some(4), at(lived)).status, 410);
    assert_eq!(answer(&feed, &store.log(at(lived)), Some(3), at(lived)).status, 200);
}

#[test]
fn a_key_that_was_lost_signs_nothing_more_whatever_the_thief_writes_into_it() {
    let (feed, mut store, mut edge) = (feed(), Store::default(), verifier(""));
    let pull = |store: &Store| answer(&feed, &store.log(at(NOW)), None, at(NOW)).body;
    edge.apply_revocations(&pull(&store), at(NOW)).unwrap();
    let late = token(1, 1, 1, NOW + 5);
    assert!(edge.verify(&late, at(NOW)).is_ok());
    store.append(&feed, &[Revoked::Key(key(0).kid())], at(NOW));
    edge.apply_revocations(&pull(&store), at(NOW)).unwrap();
    assert_eq!(edge.verify(&late, at(NOW)).unwrap_err().code(), "issued-before-cutoff");
}

#[test]
fn two_writers_make_one_history() {
    let (feed, mut store) = (feed(), Store::default());
    let (one, two) = (store.log(at(NOW)), store.log(at(NOW)));
    let append =
        |log, jti, random| feed.append(log, &Known::default(), &[Revoked::Token(jti)], [random; 16], at(NOW)).unwrap();
    let (first, second) = (append(&one, "j1", 1), append(&two, "j2", 2));
    assert!(store.write(&first) && !store.write(&second));
    store.append(&feed, &[Revoked::Token("j2")], at(NOW));
    let mut edge = verifier("");
    edge.apply_revocations(&answer(&feed, &store.log(at(NOW)), None, at(NOW)).body, at(NOW)).unwrap();
    for jti in [1, 2] {
        assert_eq!(edge.verify(&token(jti, 0, 0, NOW), at(NOW)).unwrap_err().code(), "token-revoked");
    }
}

#[test]
fn the_feed_has_a_key_of_its_own_and_revokes_something() {
    let pointer = |key: SigningKey, issuer| {
        Feed::new(key, issuer, 1, &[SigningKey::generate(Alg::Es256).unwrap().kid(), self::key(0).kid()])
            .unwrap_err()
            .pointer()
            .to_owned()
    };
    assert_eq!(pointer(key(0), ISSUER), "/feedKey");
    assert_eq!(pointer(key(1), ""), "/issuer");
    let log = Log::read(None, None).unwrap();
    assert_eq!(feed().append(&log, &Known::default(), &[], [0; 16], at(NOW)).unwrap_err().pointer(), "/revoked");
    assert!(Log::read(Some((1, "{}")), None).is_err());
}
