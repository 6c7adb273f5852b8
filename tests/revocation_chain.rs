//! The feed from its log to an edge: documents in any order, twice, forked or with gaps in between, against a model of what is to be held.

use std::collections::{BTreeMap, BTreeSet};

use portcullis::{
    Alg, UnixSeconds, Verifier,
    issuer::{
        feed::{Feed, Revoked},
        feed_log::{CHECKPOINT, Log, LogError, RETIRED, Record},
        mint::AccessTokenRequest,
        signing_key::SigningKey,
    },
};
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
    fn swap(&mut self, key: &str, expected: u64, value: &str) -> bool {
        let found = self.0.get(key).map_or(0, |(version, _)| *version);
        if found == expected {
            self.0.insert(key.to_owned(), (expected + 1, value.to_owned()));
        }
        found == expected
    }

    fn read(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|(_, value)| value.as_str())
    }

    /// The loop that src/issuer/feed.rs describes.
    fn log(&self, now: UnixSeconds) -> Log {
        let mut log = Log::read(self.read(CHECKPOINT), now).unwrap();
        while let Some(value) = self.read(&log.next_key()) {
            log.push(value).unwrap();
        }
        log
    }

    fn append(&mut self, feed: &Feed, revoked: &[Revoked<'_>], now: UnixSeconds) {
        let log = self.log(now);
        let Record { key, value, .. } = feed.append(&log, revoked, [7; 16], now).unwrap();
        assert!(self.swap(&key, 0, &value));
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Token(u8),
    Session(u8),
    Subject(u8, u64),
}

impl Entry {
    fn stands_against(&self, (jti, sid, sub, issued_at): (u8, u8, u8, u64)) -> bool {
        match *self {
            Entry::Token(revoked) => revoked == jti,
            Entry::Session(revoked) => revoked == sid,
            Entry::Subject(whose, before) => whose == sub && issued_at < before,
        }
    }
}

fn with<T>(entries: &[Entry], take: impl FnOnce(&[Revoked<'_>]) -> T) -> T {
    let names: Vec<String> = entries
        .iter()
        .map(|entry| match entry {
            Entry::Token(jti) => format!("j{jti}"),
            Entry::Session(sid) => format!("d{sid}"),
            Entry::Subject(sub, _) => format!("s{sub}"),
        })
        .collect();
    let revoked: Vec<Revoked<'_>> = entries
        .iter()
        .zip(&names)
        .map(|(entry, name)| match entry {
            Entry::Token(_) => Revoked::Token(name),
            Entry::Session(_) => Revoked::Session(name),
            Entry::Subject(_, before) => Revoked::SubjectBefore(name, at(*before)),
        })
        .collect();
    take(&revoked)
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        (0..6_u8).prop_map(Entry::Token),
        (0..3_u8).prop_map(Entry::Session),
        (0..3_u8, NOW - 300..NOW).prop_map(|(sub, before)| Entry::Subject(sub, before)),
    ]
}

fn batches(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<Entry>>> {
    proptest::collection::vec(proptest::collection::vec(entry(), 1..4), count)
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
fn documents(chain: usize, batches: &[Vec<Entry>], from: usize) -> Vec<Offered> {
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
            let snapshot = feed.answer(&log, None, at(issued_at)).unwrap();
            assert_eq!((snapshot.status, snapshot.version), (200, number));
            add(&snapshot.body, Kind::Snapshot, issued_at);
            let since = feed.answer(&log, Some(number), at(issued_at)).unwrap();
            add(&since.body, Kind::Renewal, issued_at);
        }
        if let Some(before) = number.checked_sub(1) {
            let since = feed.answer(&log, Some(before), at(NOW)).unwrap().body;
            add(since.split_once('\n').unwrap().0, Kind::Delta, NOW);
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
        prop_assume!(own[0] != other[0]);
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
            let revoked: BTreeSet<Entry> = chains[chain].iter().take(usize::try_from(version).unwrap()).flatten().cloned().collect();
            if let Ok(report) = outcome {
                let exact = revoked.iter().filter(|entry| !matches!(entry, Entry::Subject(..))).count();
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
                edges[0].apply_revocations(&feed.answer(&store.log(at(NOW)), None, at(NOW)).unwrap().body, at(NOW)).unwrap();
            }
            with(batch, |revoked| store.append(&feed, revoked, at(NOW)));
        }
        let log = store.log(at(NOW));
        let snapshot = feed.answer(&log, None, at(NOW + 9)).unwrap();
        if since == all.len() {
            edges[0].apply_revocations(&snapshot.body, at(NOW + 9)).unwrap();
        }
        let deltas = feed.answer(&log, Some(u64::try_from(since).unwrap()), at(NOW + 9)).unwrap();
        prop_assert_eq!(deltas.body.split('\n').count(), all.len() - since + 1);
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
    with(&[Entry::Token(1), Entry::Subject(1, NOW + 50)], |revoked| store.append(&feed, revoked, at(NOW)));
    store.append(&feed, &[Revoked::Token("j2")], at(NOW));
    store.append(&feed, &[Revoked::Key("lost")], at(NOW));
    let held = |now| {
        let mut edge = verifier("");
        let body = feed.answer(&store.log(at(now)), None, at(now)).unwrap().body;
        let report = edge.apply_revocations(&body, at(now)).unwrap();
        (report.version, report.tokens, report.cutoffs)
    };
    let lived = NOW + LIFETIME + 300;
    assert_eq!(held(lived - 1), (3, 2, 2));
    assert_eq!(held(lived), (3, 1, 2));
    assert_eq!(held(lived + 50), (3, 0, 1));
    // Whoever missed it for so long pulls the snapshot: nobody would take that delta any more.
    assert_eq!(feed.answer(&store.log(at(lived)), Some(0), at(lived)).unwrap().status, 410);
    assert_eq!(feed.answer(&store.log(at(lived)), Some(4), at(lived)).unwrap().status, 410);
    assert_eq!(feed.answer(&store.log(at(lived)), Some(3), at(lived)).unwrap().status, 200);
}

#[test]
fn a_key_that_was_lost_signs_nothing_more_whatever_the_thief_writes_into_it() {
    let (feed, mut store, mut edge) = (feed(), Store::default(), verifier(""));
    let pull = |store: &Store| feed.answer(&store.log(at(NOW)), None, at(NOW)).unwrap().body;
    edge.apply_revocations(&pull(&store), at(NOW)).unwrap();
    let late = token(1, 1, 1, NOW + 5);
    assert!(edge.verify(&late, at(NOW)).is_ok());
    store.append(&feed, &[Revoked::Key(key(0).kid())], at(NOW));
    edge.apply_revocations(&pull(&store), at(NOW)).unwrap();
    assert_eq!(edge.verify(&late, at(NOW)).unwrap_err().code(), "issued-before-cutoff");
}

#[test]
fn a_checkpoint_takes_the_place_of_its_records_and_nothing_is_lost() {
    let (feed, mut store) = (feed(), Store::default());
    for count in 0..64_u8 {
        assert_eq!(store.log(at(NOW)).checkpoint(at(NOW)), None, "after {count}");
        store.append(&feed, &[Revoked::Token(&format!("j{}", count % 6))], at(NOW));
    }
    let log = store.log(at(NOW));
    let checkpoint = log.checkpoint(at(NOW)).unwrap();
    assert!(store.swap(CHECKPOINT, 0, &checkpoint.value));
    let mut elsewhere = log.clone();
    for key in &checkpoint.retired {
        assert!(store.swap(key, 1, RETIRED), "{key}");
    }
    let slow = &mut Log::read(None, at(NOW)).unwrap();
    assert_eq!(slow.push(store.read("f/1").unwrap()), Err(LogError::Retired));
    let again = store.log(at(NOW));
    assert_eq!(feed.answer(&again, None, at(NOW)), feed.answer(&log, None, at(NOW)));
    // The chain goes on, also for whoever has the log from before.
    store.append(&feed, &[Revoked::Session("d1")], at(NOW));
    elsewhere.push(store.read(&elsewhere.next_key()).unwrap()).unwrap();
    let (old, new) = (
        feed.answer(&elsewhere, Some(64), at(NOW)).unwrap(),
        feed.answer(&store.log(at(NOW)), Some(64), at(NOW)).unwrap(),
    );
    assert_eq!((old.body, new.status), (new.body, 200));
    assert_eq!(feed.answer(&store.log(at(NOW)), Some(63), at(NOW)).unwrap().status, 410);
    assert!(
        elsewhere.is_outdated(at(NOW + 3600))
            && elsewhere.is_outdated(at(NOW - 1))
            && !elsewhere.is_outdated(at(NOW + 3599))
    );
}

#[test]
fn two_writers_make_one_history() {
    let (feed, mut store) = (feed(), Store::default());
    let (one, two) = (store.log(at(NOW)), store.log(at(NOW)));
    let first = feed.append(&one, &[Revoked::Token("j1")], [1; 16], at(NOW)).unwrap();
    let second = feed.append(&two, &[Revoked::Token("j2")], [2; 16], at(NOW)).unwrap();
    assert!(store.swap(&first.key, 0, &first.value) && !store.swap(&second.key, 0, &second.value));
    store.append(&feed, &[Revoked::Token("j2")], at(NOW));
    let mut edge = verifier("");
    edge.apply_revocations(&feed.answer(&store.log(at(NOW)), None, at(NOW)).unwrap().body, at(NOW)).unwrap();
    for jti in [1, 2] {
        assert_eq!(edge.verify(&token(jti, 0, 0, NOW), at(NOW)).unwrap_err().code(), "token-revoked");
    }
    // Nor does a record of another history get into a log.
    assert_eq!(store.log(at(NOW)).push(&second.value), Err(LogError::Malformed));
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
    let log = Log::read(None, at(NOW)).unwrap();
    assert_eq!(feed().append(&log, &[], [0; 16], at(NOW)).unwrap_err().pointer(), "/revoked");
    assert!(Log::read(Some("{}"), at(NOW)).is_err());
}
