//! A world whose fetches end when a test says so.

use core::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::sync::RwLock;

use super::{Introspection, Location, Published, Upkeep, World};
use crate::{gate::Gate, time::UnixSeconds};

pub(super) const ISSUER: &str = "https://issuer.example";

pub(super) struct Fake {
    gate: RwLock<Gate>,
    pub(super) upkeep: Upkeep,
    now: RefCell<u64>,
    /// What came of the fetches, in the order in which they were begun.
    answers: RefCell<Vec<Option<Published>>>,
}

impl World for Fake {
    fn gate(&self) -> &RwLock<Gate> {
        &self.gate
    }

    fn upkeep(&self) -> &Upkeep {
        &self.upkeep
    }

    fn now(&self) -> UnixSeconds {
        UnixSeconds::new(*self.now.borrow()).unwrap()
    }

    fn spread(&self) -> u64 {
        0
    }

    fn published(&self, _: &Location) -> impl Future<Output = Option<Published>> {
        let number = self.answers.borrow().len();
        self.answers.borrow_mut().push(None);
        poll_fn(move |_| match &self.answers.borrow()[number] {
            None => Poll::Pending,
            answer => Poll::Ready(answer.clone()),
        })
    }

    async fn introspect(&self, _: &str, _: &str, _: bool) -> Introspection {
        Introspection::Unavailable
    }

    async fn first_use(&self, _: &str, _: u64, _: u64) -> Option<bool> {
        None
    }

    async fn landed(&self, _: &Location, _: UnixSeconds) {}
}

impl Fake {
    pub(super) fn new(policy: &str) -> Self {
        Fake::of(Gate::from_json(policy).unwrap())
    }

    pub(super) fn of(gate: Gate) -> Self {
        Fake {
            gate: RwLock::new(gate),
            upkeep: Upkeep::default(),
            now: RefCell::new(1_800_000_000),
            answers: RefCell::default(),
        }
    }

    pub(super) fn pass(&self, seconds: i64) {
        let then = self.now.borrow().checked_add_signed(seconds).unwrap();
        *self.now.borrow_mut() = then;
    }

    /// Has the fetch of that number bring a set with one key.
    pub(super) fn answer(&self, number: usize, kid: &str) {
        self.answers.borrow_mut()[number] = Some(Published {
            jwks: set(kid),
            metadata: Some(format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://keys.corp/{kid}"}}"#)),
            ..Published::default()
        });
    }

    pub(super) fn replace(&self, policy: &str) {
        let mut gate = self.write();
        *gate = gate.replaced(policy, None).unwrap();
        self.upkeep.follow(&mut gate);
    }

    pub(super) fn has_keys(&self) -> bool {
        self.read().verifier().has_published_keys(0)
    }

    /// Whether the gate holds the set with that key.
    pub(super) fn holds(&self, kid: &str) -> bool {
        self.has_keys() && !self.write().set_remote_keys(ISSUER, &set(kid)).unwrap().changed
    }

    pub(super) fn under_way(&self) -> bool {
        let location = Location::of(&self.read().verifier().policy().remotes().next().unwrap());
        self.upkeep.under_way(&location, self.now())
    }
}

fn set(kid: &str) -> String {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#)
}

/// Polls once.
pub(super) fn look<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
