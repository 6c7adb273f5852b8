//! Answers of an authorization server, kept for as long as they may count (RFC 7662 §4).

use std::collections::{BTreeMap, VecDeque};

use crate::{
    engine::hash::Hash,
    gate::Gate,
    json::{Value, read_object},
    limits::Limits,
};

const MOST_ANSWERS: usize = 1_000;
const MOST_BYTES: usize = 4_000_000;

/// Names a token under a policy by a hash: the token itself is kept nowhere.
pub(crate) type Key = Vec<u8>;

/// The key of a token under the policy of a gate. An answer counts for no other policy: that one
/// may ask another server, as another client, or keep answers for a shorter time.
pub(crate) fn key(gate: &Gate, token: &str) -> Key {
    Hash::Sha256.of(&[gate.policy_id().as_bytes(), b"\n", token.as_bytes()]).to_vec()
}

/// For how long a policy has answers kept, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    pub(crate) active: u64,
    pub(crate) inactive: u64,
}

/// Apart, so that a flood of tokens that nobody issued evicts no good answer.
#[derive(Debug, Default)]
pub(crate) struct IntrospectionCache {
    active: Texts,
    inactive: Texts,
}

/// What of an answer says for how long it counts.
struct Said {
    active: bool,
    exp: Option<u64>,
}

impl Said {
    fn of(text: &str) -> Option<Self> {
        let answer = read_object(text.as_bytes(), &Limits::DOCUMENT).ok()?;
        let Some(Value::Bool(active)) = answer.get("active") else { return None };
        let exp = match answer.get("exp") {
            None | Some(Value::Null) => None,
            Some(exp) => Some(exp.as_date()?.ceil.get()),
        };
        Some(Said { active: *active, exp })
    }
}

impl IntrospectionCache {
    /// The answer that is kept, if one counts at that second.
    pub(crate) fn get(&self, key: &Key, now: u64) -> Option<&str> {
        self.active.get(key, now).or_else(|| self.inactive.get(key, now))
    }

    /// Keeps the answer to the question of that number, which was asked at that second: its age
    /// counts from the question. What says nothing clear is not kept.
    pub(crate) fn keep(&mut self, key: &Key, text: &str, number: u64, asked_at: u64, lifetimes: Lifetimes) {
        // One that was asked earlier and answered later must not take the place of the last word.
        if self.active.number(key).max(self.inactive.number(key)) > Some(number) {
            return;
        }
        self.active.remove(key);
        self.inactive.remove(key);
        let said = Said::of(text);
        let (texts, until) = match said {
            Some(Said { active: true, exp }) => {
                let until = asked_at.saturating_add(lifetimes.active);
                (&mut self.active, exp.map_or(until, |exp| exp.min(until)))
            }
            Some(Said { active: false, .. }) => (&mut self.inactive, asked_at.saturating_add(lifetimes.inactive)),
            // Its number is kept, and nothing that counts.
            None => (&mut self.inactive, asked_at),
        };
        texts.insert(key.clone(), Kept { text: text.to_owned(), number, from: asked_at, until });
    }
}

#[derive(Debug)]
struct Kept {
    text: String,
    number: u64,
    /// It is given out from this second, since a clock may be set back, and before that one.
    from: u64,
    until: u64,
}

/// Texts by key; what was put in first goes first.
#[derive(Debug, Default)]
struct Texts {
    kept: BTreeMap<Key, Kept>,
    order: VecDeque<Key>,
    bytes: usize,
}

impl Texts {
    fn get(&self, key: &Key, now: u64) -> Option<&str> {
        self.kept.get(key).filter(|kept| (kept.from..kept.until).contains(&now)).map(|kept| kept.text.as_str())
    }

    fn number(&self, key: &Key) -> Option<u64> {
        self.kept.get(key).map(|kept| kept.number)
    }

    fn remove(&mut self, key: &Key) {
        if let Some(kept) = self.kept.remove(key) {
            self.bytes = self.bytes.saturating_sub(kept.text.len());
            self.order.retain(|own| own != key);
        }
    }

    fn insert(&mut self, key: Key, kept: Kept) {
        if kept.text.len() > MOST_BYTES {
            return;
        }
        while self.kept.len() >= MOST_ANSWERS || self.bytes.saturating_add(kept.text.len()) > MOST_BYTES {
            let Some(oldest) = self.order.front().cloned() else { break };
            self.remove(&oldest);
        }
        self.bytes = self.bytes.saturating_add(kept.text.len());
        self.order.push_back(key.clone());
        self.kept.insert(key, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIMES: Lifetimes = Lifetimes { active: 60, inactive: 10 };

    fn key(number: usize) -> Key {
        number.to_be_bytes().to_vec()
    }

    #[test]
    fn an_answer_counts_for_the_policy_by_which_it_was_asked_for_and_for_no_other() {
        const POLICY: &str = r#"{"issuers":[{"issuer":"https://a.example","audience":"a","introspection":
            {"endpoint":"https://a.example/introspect","clientId":"c","authentication":"client_secret_basic",
             "cacheSeconds":60,"negativeCacheSeconds":10}}]}"#;
        let named = |from: &str, to: &str, token: &str| {
            assert!(POLICY.contains(from), "{from}");
            super::key(&Gate::from_json(&POLICY.replacen(from, to, 1)).unwrap(), token)
        };
        let same = named("", "", "token");
        assert_eq!(named("", "", "token"), same);
        assert_ne!(named("", "", "other"), same);
        for (from, to) in [
            (r#""issuer":"https://a."#, r#""issuer":"https://b."#),
            ("/introspect", "/other"),
            (r#""clientId":"c""#, r#""clientId":"d""#),
            ("_basic", "_post"),
            (r#""cacheSeconds":60"#, r#""cacheSeconds":0"#),
            (r#""negativeCacheSeconds":10"#, r#""negativeCacheSeconds":0"#),
        ] {
            assert_ne!(named(from, to, "token"), same, "{to}");
        }
    }

    #[test]
    fn an_answer_counts_as_long_as_the_policy_says_and_no_longer_than_the_token() {
        for (text, until) in [
            (r#"{"active":true}"#, 1060),
            (r#"{"active":true,"exp":1020}"#, 1020),
            (r#"{"active":true,"exp":1019.5}"#, 1020),
            (r#"{"active":true,"exp":1.02e3}"#, 1020),
            (r#"{"active":true,"exp":null}"#, 1060),
            (r#"{"active":true,"exp":-1}"#, 1000),
            (r#"{"active":true,"exp":9999}"#, 1060),
            (r#"{"active":false}"#, 1010),
            (r#"{"active":true,"exp":"1020"}"#, 1000),
            (r#"{"active":"true"}"#, 1000),
            ("[]", 1000),
        ] {
            let mut answers = IntrospectionCache::default();
            answers.keep(&key(0), text, 1, 1000, LIFETIMES);
            for now in [999, 1000, 1009, 1010, 1019, 1020, 1059, 1060] {
                let expected = (1000..until).contains(&now).then_some(text);
                assert_eq!(answers.get(&key(0), now), expected, "{text} at {now}");
            }
        }
    }

    #[test]
    fn an_earlier_question_that_is_answered_later_is_not_the_last_word() {
        let mut answers = IntrospectionCache::default();
        for last in [r#"{"active":false}"#, "unclear"] {
            answers.keep(&key(0), last, 2, 1000, LIFETIMES);
            answers.keep(&key(0), r#"{"active":true}"#, 1, 1000, LIFETIMES);
            assert!(answers.get(&key(0), 1000).is_none_or(|text| text == last), "{last}");
        }
        answers.keep(&key(0), r#"{"active":true}"#, 3, 1000, LIFETIMES);
        assert_eq!(answers.get(&key(0), 1000), Some(r#"{"active":true}"#));
    }

    #[test]
    fn a_flood_of_tokens_that_nobody_issued_evicts_no_good_answer_and_takes_no_more_room() {
        let mut answers = IntrospectionCache::default();
        answers.keep(&key(0), r#"{"active":true}"#, 1, 1000, LIFETIMES);
        let large = format!(r#"{{"active":false,"x":"{}"}}"#, "x".repeat(10_000));
        for number in 1..3000 {
            let text = if number < 1500 { large.as_str() } else { r#"{"active":false}"# };
            answers.keep(&key(number), text, 1, 1000, LIFETIMES);
            assert!(answers.inactive.kept.len() <= MOST_ANSWERS && answers.inactive.bytes <= MOST_BYTES);
            assert_eq!(answers.inactive.kept.len(), answers.inactive.order.len());
        }
        assert!(answers.get(&key(0), 1000).is_some() && answers.get(&key(2999), 1000).is_some());
        assert!(answers.get(&key(1), 1000).is_none());
    }
}
