//! What an exchange asks of the world, one question at a time, and what it is told.
//!
//! The handling of a request is one `async` function that is polled by hand: wherever it waits, a
//! [`IssuerStep`] is on its way out, and what the step came to is the next thing it sees. No
//! runtime is needed, and the order of reads and writes can be read from top to bottom.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::issuer::sessions::operation::StoreEntry;

use super::{super::feed::Write, rate_limit::Rate, response::Response};
use crate::{policy_error::PolicyError, time::UnixSeconds};

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum IssuerStep {
    /// Read an entry of the store.
    Read {
        /// Its key.
        key: String,
    },
    /// Read several entries, in as few calls as the store allows.
    #[serde(rename = "readMany")]
    ReadMany {
        /// Their keys.
        keys: Vec<String>,
    },
    /// Let so much time pass: others are at work.
    Wait {
        /// In milliseconds.
        milliseconds: u64,
    },
    /// In one step: if the version of that entry is `expected`, write the value with the next
    /// version.
    Swap {
        /// Its key.
        key: String,
        /// The version that was read; 0 for an entry that is not to be there.
        expected: u64,
        /// The value.
        value: String,
        /// From when on it may be swept, in seconds since 1970.
        ends_at: u64,
    },
    /// Count one use of that key, and say whether there were at most `limit` within `seconds`.
    Count {
        /// What is counted.
        key: String,
        /// How many are allowed.
        limit: u64,
        /// Within what time.
        seconds: u64,
    },
    /// Read the request's body, or as much of it as shows that it is too long.
    Body,
    /// Fetch the keys of an upstream issuer, if they are due.
    Keys {
        /// The issuer.
        issuer: String,
        /// The key that was not found.
        kid: Option<String>,
    },
    /// Nothing: this is the end.
    Done {
        /// What to answer.
        response: Response,
        /// What has happened: it is committed, and holds no token.
        events: Vec<Value>,
        /// Whether it is time for the command `tend` and a sweep of the store, beside or after the
        /// answer.
        tend: bool,
    },
    /// The application's own mistake in a command.
    Mistake {
        /// Where and what.
        error: PolicyError,
    },
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// The entry, if there is one.
    Found(Option<StoreEntry>),
    /// The entries, in the order of their keys.
    FoundMany(Vec<Option<StoreEntry>>),
    /// Whether the swap was made; the count was within its limit; the keys have changed; the time
    /// has passed.
    Held(bool),
    /// The body; `None` when it is no UTF-8.
    Body(Option<String>),
    /// Why the body did not come.
    Broken(Broken),
    /// It could not be told.
    Unavailable,
}

/// Why a body did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Broken {
    /// Its stream failed, or somebody has read it before.
    Aborted,
    /// It took longer than a request may.
    Late,
}

impl StepResult {
    /// Reads `{ "found": null | { version, value } }`,
    /// `{ "foundMany": [null | { version, value }, …] }`, `{ "held": boolean }`,
    /// `{ "body": text | null }`, `{ "broken": "aborted" | "late" }` or
    /// `{ "error": "unavailable" }`. Anything else tells nothing.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        enum StepResultJson {
            Found(Option<StoreEntry>),
            FoundMany(Vec<Option<StoreEntry>>),
            Held(bool),
            Body(Option<String>),
            Broken(Broken),
        }
        match serde_json::from_str(text) {
            Ok(StepResultJson::Found(entry)) => StepResult::Found(entry),
            Ok(StepResultJson::FoundMany(entries)) => StepResult::FoundMany(entries),
            Ok(StepResultJson::Held(held)) => StepResult::Held(held),
            Ok(StepResultJson::Body(body)) => StepResult::Body(body),
            Ok(StepResultJson::Broken(broken)) => StepResult::Broken(broken),
            Err(_) => StepResult::Unavailable,
        }
    }
}

/// The store, or whatever was asked, gave no answer. What it did is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unavailable;

/// Nothing is left half done under the locks of an issuer, so that a poisoned one is as good as
/// another.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Shared {
    now: UnixSeconds,
    asked: Option<IssuerStep>,
    told: Option<StepResult>,
    /// Has anything been unavailable? Whoever carries the steps out knows why.
    failed: bool,
    events: Vec<Value>,
}

/// The inner end: what the handling of a request asks through.
#[derive(Clone, Debug)]
pub(super) struct Channel(Arc<Mutex<Shared>>);

impl Channel {
    pub(super) fn new(now: UnixSeconds) -> Self {
        Channel(Arc::new(Mutex::new(Shared { now, asked: None, told: None, failed: false, events: Vec::new() })))
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        locked(&self.0)
    }

    /// The present, by the clock of whoever carries the steps out. It moves while a step is under
    /// way.
    pub(super) fn now(&self) -> UnixSeconds {
        self.shared().now
    }

    /// Reports what has happened. It is handed out with the answer.
    pub(super) fn report(&self, event: Value) {
        self.shared().events.push(event);
    }

    pub(super) fn take_events(&self) -> Vec<Value> {
        core::mem::take(&mut self.shared().events)
    }

    pub(super) fn take_step(&self) -> Option<IssuerStep> {
        self.shared().asked.take()
    }

    pub(super) fn tell(&self, result: StepResult, now: UnixSeconds) {
        let mut shared = self.shared();
        shared.failed |= result == StepResult::Unavailable;
        (shared.told, shared.now) = (Some(result), now);
    }

    /// Is what went wrong known outside: as a failure there, or by an event?
    pub(super) fn is_explained(&self) -> bool {
        let shared = self.shared();
        shared.failed || shared.events.iter().any(|event| event["kind"] == "store_behind")
    }

    /// Has anything been left without an answer?
    pub(super) fn has_failed(&self) -> bool {
        self.shared().failed
    }

    fn ask(&self, step: IssuerStep) -> Asking<'_> {
        Asking { channel: self, step: Some(step) }
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<StoreEntry>, Unavailable> {
        match self.ask(IssuerStep::Read { key: key.to_owned() }).await {
            StepResult::Found(entry) => Ok(entry),
            _ => Err(Unavailable),
        }
    }

    pub(super) async fn read_many(&self, keys: Vec<String>) -> Result<Vec<Option<StoreEntry>>, Unavailable> {
        let count = keys.len();
        match self.ask(IssuerStep::ReadMany { keys }).await {
            StepResult::FoundMany(entries) if entries.len() == count => Ok(entries),
            _ => Err(Unavailable),
        }
    }

    /// Waits. Whoever does not let the time pass finds the others as far as they are; and has let
    /// none pass when it is told so.
    pub(super) async fn wait(&self, milliseconds: u64) -> Result<(), Unavailable> {
        match self.ask(IssuerStep::Wait { milliseconds }).await {
            StepResult::Held(_) => Ok(()),
            _ => Err(Unavailable),
        }
    }

    /// Writes, if nobody was faster.
    pub(super) async fn write(&self, write: Write) -> Result<bool, Unavailable> {
        self.swap(&write.key, write.expected, write.value, write.ends_at).await
    }

    pub(super) async fn swap(
        &self,
        key: &str,
        expected: u64,
        value: String,
        ends_at: u64,
    ) -> Result<bool, Unavailable> {
        match self.ask(IssuerStep::Swap { key: key.to_owned(), expected, value, ends_at }).await {
            StepResult::Held(held) => Ok(held),
            _ => Err(Unavailable),
        }
    }

    /// Is this the first use of what may be used once? Whoever inserts the entry is.
    pub(super) async fn is_first(&self, key: &str, ends_at: u64) -> Result<bool, Unavailable> {
        self.swap(key, 0, "1".to_owned(), ends_at).await
    }

    /// Counts a use. A counter that cannot tell limits nothing: it guards against load and against
    /// nothing else.
    pub(super) async fn is_within(&self, key: String, rate: Rate) -> bool {
        let step = IssuerStep::Count { key, limit: rate.requests, seconds: rate.seconds };
        self.ask(step).await != StepResult::Held(false)
    }

    /// The request's body.
    pub(super) async fn body(&self) -> Result<Option<String>, Broken> {
        match self.ask(IssuerStep::Body).await {
            StepResult::Body(body) => Ok(body),
            StepResult::Broken(broken) => Err(broken),
            _ => Err(Broken::Aborted),
        }
    }

    /// Have the keys of that issuer changed?
    pub(super) async fn fetch_keys(&self, issuer: String, kid: Option<String>) -> bool {
        self.ask(IssuerStep::Keys { issuer, kid }).await == StepResult::Held(true)
    }
}

/// A question on its way: the first poll puts it, the second finds its answer.
struct Asking<'c> {
    channel: &'c Channel,
    step: Option<IssuerStep>,
}

impl Future for Asking<'_> {
    type Output = StepResult;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<StepResult> {
        let mut shared = self.channel.shared();
        match self.step.take() {
            Some(step) => {
                drop(shared.told.take());
                shared.asked = Some(step);
                Poll::Pending
            }
            None => shared.told.take().map_or(Poll::Pending, Poll::Ready),
        }
    }
}
