//! One batch of all that wait: of the requests of a process one leads and writes for everybody,
//! and the others wait for what comes of it.
//!
//! There is no runtime to wake anybody: who waits looks again after a while. A request may end at
//! any point, and its runtime may not even say so (workerd stops what nobody waits for any more);
//! whoever has seen a leader do nothing for too long takes its place.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How long a leader may do nothing, in milliseconds: longer than a call of the store may take.
const STUCK_MS: u64 = 12_000;

#[derive(Debug)]
struct Item<T> {
    value: T,
    outcome: Arc<Mutex<Option<bool>>>,
}

#[derive(Debug)]
struct Flight<T> {
    number: u64,
    beat: u64,
    items: Vec<Item<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    waiting: VecDeque<Item<T>>,
    flight: Option<Flight<T>>,
    flights: u64,
}

/// What waits to be written together.
#[derive(Debug)]
pub struct Queue<T> {
    inner: Mutex<Inner<T>>,
    most: usize,
}

/// One's own place in it.
#[derive(Debug)]
pub struct Ticket {
    outcomes: Vec<Arc<Mutex<Option<bool>>>>,
    /// The leader that was seen at work, by flight and beat, and for how long it has done nothing.
    seen: (u64, u64),
    idle_ms: u64,
}

/// What to do now.
#[derive(Debug)]
pub enum Turn<'q, T: Clone> {
    /// It is done, or has failed.
    Settled(bool),
    /// To write this for everybody.
    Lead(Lead<'q, T>),
    /// To wait for so many milliseconds or more, and to ask again.
    Wait,
}

/// The lead: given up without an outcome, what it was to write waits again.
#[derive(Debug)]
pub struct Lead<'q, T: Clone> {
    queue: &'q Queue<T>,
    number: u64,
    /// What is to be written.
    pub values: Vec<T>,
}

impl<T: Clone> Queue<T> {
    /// A queue whose batches have at most so many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let inner = Inner { waiting: VecDeque::new(), flight: None, flights: 0 };
        Queue { inner: Mutex::new(inner), most }
    }

    /// Nothing is left half done under the lock, so that a poisoned one is as good as another.
    fn inner(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has something written with the next batch.
    #[must_use]
    pub fn join(&self, values: Vec<T>) -> Ticket {
        let items = values.into_iter().map(|value| Item { value, outcome: Arc::default() });
        let items: Vec<Item<T>> = items.collect();
        let outcomes = items.iter().map(|item| Arc::clone(&item.outcome)).collect();
        self.inner().waiting.extend(items);
        Ticket { outcomes, seen: (0, 0), idle_ms: 0 }
    }

    /// Takes back what waits of that ticket. What another leads with stays with it.
    #[must_use]
    pub fn withdraw(&self, ticket: &Ticket) -> Vec<T> {
        let own: BTreeSet<_> = ticket.outcomes.iter().map(Arc::as_ptr).collect();
        let mut inner = self.inner();
        let (taken, rest) =
            inner.waiting.drain(..).partition::<Vec<_>, _>(|it| own.contains(&Arc::as_ptr(&it.outcome)));
        inner.waiting = rest.into();
        taken.into_iter().map(|item| item.value).collect()
    }

    /// What the holder of a ticket is to do, which has waited for so long since it asked last.
    #[must_use]
    pub fn turn(&self, ticket: &mut Ticket, waited_ms: u64) -> Turn<'_, T> {
        let outcomes = ticket.outcomes.iter().map(|outcome| *outcome.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(all) = outcomes.collect::<Option<Vec<bool>>>() {
            return Turn::Settled(all.into_iter().all(|done| done));
        }
        let mut inner = self.inner();
        if let Some(flight) = &inner.flight {
            let seen = (flight.number, flight.beat);
            ticket.idle_ms = if seen == ticket.seen { ticket.idle_ms.saturating_add(waited_ms) } else { 0 };
            ticket.seen = seen;
            if ticket.idle_ms < STUCK_MS {
                return Turn::Wait;
            }
            inner.land();
        }
        let count = inner.waiting.len().min(self.most);
        let items: Vec<Item<T>> = inner.waiting.drain(..count).collect();
        let values = items.iter().map(|item| item.value.clone()).collect();
        inner.flights = inner.flights.saturating_add(1);
        let number = inner.flights;
        inner.flight = Some(Flight { number, beat: 0, items });
        Turn::Lead(Lead { queue: self, number, values })
    }
}

impl<T> Inner<T> {
    /// What was under way waits again, before the rest.
    fn land(&mut self) {
        for item in self.flight.take().into_iter().flat_map(|flight| flight.items).rev() {
            self.waiting.push_front(item);
        }
    }
}

impl<T: Clone> Lead<'_, T> {
    /// Says that the leader is at work.
    pub fn beat(&self) {
        if let Some(flight) = self.queue.inner().flight.as_mut().filter(|flight| flight.number == self.number) {
            flight.beat = flight.beat.saturating_add(1);
        }
    }

    /// Says what came of it.
    pub fn settle(self, done: bool) {
        let mut inner = self.queue.inner();
        if let Some(flight) = inner.flight.take_if(|flight| flight.number == self.number) {
            for item in flight.items {
                *item.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            }
        }
    }
}

impl<T: Clone> Drop for Lead<'_, T> {
    fn drop(&mut self) {
        let mut inner = self.queue.inner();
        if inner.flight.as_ref().is_some_and(|flight| flight.number == self.number) {
            inner.land();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lead<'q>(queue: &'q Queue<u8>, ticket: &mut Ticket) -> Lead<'q, u8> {
        match queue.turn(ticket, 0) {
            Turn::Lead(lead) => lead,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_leads_and_writes_what_waits_meanwhile_with_the_next_batch() {
        let queue = Queue::new(2);
        let mut tickets: Vec<Ticket> = (0..4).map(|n| queue.join(vec![n])).collect();
        let first = lead(&queue, &mut tickets[2]);
        assert_eq!(first.values, [0, 1]);
        assert!(matches!(queue.turn(&mut tickets[0], 5), Turn::Wait));
        first.settle(true);
        assert!(matches!(queue.turn(&mut tickets[1], 5), Turn::Settled(true)));
        let second = lead(&queue, &mut tickets[2]);
        assert_eq!(second.values, [2, 3]);
        second.settle(false);
        assert!(matches!(queue.turn(&mut tickets[3], 5), Turn::Settled(false)));
    }

    #[test]
    fn what_waits_is_taken_back_and_what_another_leads_with_is_not() {
        let queue = Queue::new(2);
        let (mut one, two) = (queue.join(vec![1]), queue.join(vec![2, 3]));
        let first = lead(&queue, &mut one);
        assert_eq!((&first.values[..], queue.withdraw(&two)), (&[1, 2][..], vec![3]));
        drop(first);
        assert_eq!((queue.withdraw(&two), queue.withdraw(&two)), (vec![2], Vec::new()));
        assert_eq!(lead(&queue, &mut one).values, [1]);
    }

    #[test]
    fn who_gives_up_or_stops_leaves_its_batch_to_the_next() {
        let queue = Queue::new(9);
        let (mut one, mut two) = (queue.join(vec![1]), queue.join(vec![2]));
        drop(lead(&queue, &mut one));
        let stuck = lead(&queue, &mut one);
        assert!(matches!(queue.turn(&mut two, 5), Turn::Wait));
        stuck.beat();
        assert!(matches!(queue.turn(&mut two, STUCK_MS), Turn::Wait));
        assert!(matches!(queue.turn(&mut two, STUCK_MS - 1), Turn::Wait));
        let next = lead_after(&queue, &mut two);
        assert_eq!(next.values, [1, 2]);
        // Whoever comes back after all settles nothing, and takes nothing away.
        stuck.settle(false);
        next.settle(true);
        assert!(matches!(queue.turn(&mut one, 0), Turn::Settled(true)));
    }

    fn lead_after<'q>(queue: &'q Queue<u8>, ticket: &mut Ticket) -> Lead<'q, u8> {
        match queue.turn(ticket, 1) {
            Turn::Lead(lead) => lead,
            other => panic!("{other:?}"),
        }
    }
}
