//! What can happen to the log, what comes of it, and what must not.

use std::collections::BTreeSet;

use portcullis::internals::feed::REGISTER;
use portcullis::{internals::base64url, issuer::IssuerStep};
use serde_json::Value;
use stateright::{Model, Property};

use crate::log::{Act, Contents, Flight, LogModel, NOW, RULES, SESSIONS, Seen, Text, What, World, at};

impl LogModel {
    fn step(&self, world: &mut World, mut flight: Flight, seen: Seen) {
        flight.seen.push(seen);
        match self.next(&flight) {
            IssuerStep::Done { response, .. } => self.done(world, &flight, response.status, &response.body),
            IssuerStep::Mistake { error } => panic!("{error}"),
            _ => world.flights.push(flight),
        }
    }

    fn done(&self, world: &mut World, flight: &Flight, status: u16, body: &str) {
        let log = self.log(&world.store);
        match &flight.what {
            What::End(session) | What::Ahead(session) if status == 200 => {
                world.answered.insert(*session);
                world.left_undone.remove(session);
                if !self.is_listed(&log, *session) || !self.is_dead(&world.store, *session) {
                    world.broken = Some(RULES[0]);
                }
            }
            What::End(session) | What::Ahead(session) => self.undone(world, *session, flight),
            What::Tend if status == 200 => {
                // What began before it and has ended.
                let open = |session: &u8| flight.answered.contains(&(session + 100)) && !self.is_listed(&log, *session);
                if world.left_undone.iter().any(open) {
                    world.broken = Some(RULES[1]);
                }
            }
            What::Tend => {}
            What::Pull(cursor) => match status {
                200 => self.taken(world, flight, cursor.is_none(), body),
                410 => world.gone = true,
                _ => {}
            },
        }
    }

    /// Of a row that was revoked, and of one that was to be, where nothing but one thing went
    /// wrong.
    fn undone(&self, world: &mut World, session: u8, flight: &Flight) {
        let insured = flight.seen.len() > 2 && matches!(flight.seen.get(2), Some(Seen::Held(true)));
        if insured && !world.answered.contains(&session) {
            world.left_undone.insert(session);
        }
    }

    fn taken(&self, world: &mut World, flight: &Flight, whole: bool, body: &str) {
        let place = |document: &Text| {
            let text = self.of(*document);
            let claims = base64url::decode(text.split('.').nth(1).unwrap()).unwrap();
            let claims: Value = serde_json::from_slice(&claims).unwrap();
            (claims["epoch"].as_u64(), claims["version"].as_u64())
        };
        let document = self.text(body);
        let mut edge = self.edge(&world.edge);
        if edge.apply_revocations(body, at(NOW + 30)).is_err() {
            // A document that came late is refused; one that was sent for after everything else is
            // not.
            if whole && world.gone && world.flights.iter().all(|it| !matches!(it.what, What::Pull(_))) {
                world.broken = Some(RULES[4]);
            }
            return;
        }
        if world.edge.last().is_some_and(|last| place(last) > place(&document)) {
            world.broken = Some(RULES[3]);
        }
        let refused = |session: &u8| edge.verify(&self.access[usize::from(*session)], at(NOW + 30)).is_err();
        if !flight.stale && !flight.answered.iter().filter(|session| **session < 100).all(refused) {
            world.broken = Some(RULES[3]);
        }
        world.gone = world.gone && !whole;
        world.edge.push(document);
    }

    /// The register may only grow, or begin an epoch.
    fn check_write(&self, world: &mut World, before: &Contents) {
        let (old, new) = (self.log(before), self.log(&world.store));
        let forgotten = (0..SESSIONS).any(|it| self.is_listed(&old, it) && !self.is_listed(&new, it));
        if forgotten || (new.epoch(), new.version()) <= (old.epoch(), old.version()) {
            world.broken = Some(RULES[2]);
        }
    }

    fn commit(&self, world: &mut World, step: &IssuerStep) -> Seen {
        let before = world.store.clone();
        let seen = self.carry_out(&mut world.store, step);
        if before.get(REGISTER) != world.store.get(REGISTER) {
            self.check_write(world, &before);
        }
        seen
    }
}

impl Model for LogModel {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            store: self.start.clone(),
            former: None,
            flights: Vec::new(),
            answered: BTreeSet::new(),
            left_undone: BTreeSet::new(),
            edge: Vec::new(),
            gone: false,
            left: self.budget,
            broken: None,
        }]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        let left = world.left;
        if world.broken.is_some() {
            return;
        }
        let sends = !left.alone || world.flights.is_empty();
        if left.ends > 0 && sends {
            // The first end is of the first session; both are alike until then.
            let sessions = if left.ends == self.budget.ends { 1 } else { SESSIONS };
            acts.extend((0..sessions).map(|session| Act::Send(What::End(session))));
        }
        if left.ahead > 0 && sends {
            acts.push(Act::Send(What::Ahead(1)));
        }
        if left.tends > 0 && sends {
            acts.push(Act::Send(What::Tend));
        }
        if left.pulls > 0 && sends {
            let cursor = self.edge(&world.edge).revocations_cursor().map(|cursor| self.text(cursor));
            acts.push(Act::Send(What::Pull(cursor.filter(|_| !world.gone))));
        }
        for (index, flight) in world.flights.iter().enumerate() {
            if index > 0 && world.flights[index - 1] == *flight {
                continue;
            }
            acts.push(Act::Step(index));
            let step = self.next(flight);
            let is_register = matches!(&step, IssuerStep::Read { key } if key == REGISTER);
            if left.stale > 0 && is_register && world.former.is_some() {
                acts.push(Act::Stale(index));
            }
            if left.errors > 0 {
                acts.push(Act::Fail { flight: index, after: false });
                if matches!(step, IssuerStep::Swap { .. }) {
                    acts.push(Act::Fail { flight: index, after: true });
                }
            }
            if left.deaths > 0 && matches!(flight.what, What::End(_)) {
                acts.push(Act::Die(index));
            }
        }
        if world.former.is_none() && left.stale + left.restores > 0 {
            acts.push(Act::BackUp);
        }
        if world.former.is_some() && left.restores > 0 {
            acts.push(Act::Restore);
        }
    }

    fn next_state(&self, world: &World, act: Act) -> Option<World> {
        let mut world = world.clone();
        match act {
            Act::Send(what) => {
                match what {
                    What::End(_) => world.left.ends -= 1,
                    What::Ahead(_) => world.left.ahead -= 1,
                    What::Tend => world.left.tends -= 1,
                    What::Pull(_) => world.left.pulls -= 1,
                }
                // Of what has ended undone by now, who tends is to know: those have 100 added.
                let undone = world.left_undone.iter().map(|session| session + 100);
                let answered = world.answered.iter().copied().chain(undone).collect();
                world.flights.push(Flight { what, seen: Vec::new(), answered, stale: false });
            }
            Act::Step(index) => {
                let flight = world.flights.remove(index);
                let seen = self.commit(&mut world, &self.next(&flight));
                self.step(&mut world, flight, seen);
            }
            Act::Stale(index) => {
                world.left.stale -= 1;
                let mut flight = world.flights.remove(index);
                flight.stale = true;
                let found = world.former.as_ref().and_then(|former| former.get(REGISTER)).copied();
                self.step(&mut world, flight, Seen::Found(found));
            }
            Act::Fail { flight, after } => {
                world.left.errors -= 1;
                let flight = world.flights.remove(flight);
                if after {
                    let _ = self.commit(&mut world, &self.next(&flight));
                }
                self.step(&mut world, flight, Seen::Unavailable);
            }
            Act::Die(index) => {
                world.left.deaths -= 1;
                let flight = world.flights.remove(index);
                if let What::End(session) = flight.what {
                    self.undone(&mut world, session, &flight);
                }
            }
            Act::BackUp => world.former = Some(world.store.clone()),
            Act::Restore => {
                // It fails what is under way, and what it forgets was answered by the store that
                // is no more.
                world.left.restores -= 1;
                world.store = world.former.take()?;
                world.flights.clear();
                let log = self.log(&world.store);
                world.answered.retain(|session| self.is_listed(&log, *session));
                world.left_undone.clear();
            }
        }
        world.flights.sort();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn holds<const RULE: usize>(_: &LogModel, world: &World) -> bool {
            world.broken != Some(RULES[RULE])
        }
        vec![
            Property::always(RULES[0], |model: &LogModel, world: &World| {
                let log = model.log(&world.store);
                let holds = |session: &u8| model.is_listed(&log, *session) && model.is_dead(&world.store, *session);
                world.broken != Some(RULES[0]) && world.answered.iter().all(holds)
            }),
            Property::always(RULES[1], holds::<1>),
            Property::always(RULES[2], holds::<2>),
            Property::always(RULES[3], holds::<3>),
            Property::always(RULES[4], holds::<4>),
        ]
    }
}
