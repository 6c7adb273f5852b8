//! What can happen in the world, and what comes of it.

use portcullis::internals::sessions::operation::{Outcome, StoreStep};
use stateright::{Model, Property};

use crate::{
    issuer::{BEGIN, Issuer, seconds},
    judge,
    world::{Act, Broken, Budget, Flight, Kept, Response, Seconds, Seen, Tally, Waits, What, Who, World},
};

const HOUR: Seconds = 3600;

/// One model: the issuer's windows, and how much may happen.
pub(crate) struct Bounds {
    pub(crate) name: &'static str,
    pub(crate) issuer: Issuer,
    /// Requests and responses of tabs under way at once.
    pub(crate) tabs: usize,
    /// How many seconds may pass, and how many pass at a time.
    pub(crate) seconds: Seconds,
    pub(crate) tick: Seconds,
    pub(crate) generations: u8,
    /// Does every message of a tab arrive within D or never, and nobody steal? Then no tab may
    /// lose its session but by the budget.
    pub(crate) honest: bool,
    pub(crate) replica: bool,
    pub(crate) budget: Budget,
    /// Does a swap compare? It must; but a model that would not notice proves nothing.
    pub(crate) compares: bool,
    /// Do the cutoffs come from the copy that lags? They must not; the same.
    pub(crate) stale_cutoffs: bool,
    /// Does what is under way survive when the store falls back? It must not; the same.
    pub(crate) survives: bool,
}

impl Bounds {
    fn delay(&self) -> Seconds {
        Seconds::try_from(self.issuer.settings.worst_delay_seconds).unwrap()
    }

    /// May a second pass, with everything of a tab that is under way still in time?
    fn in_time(&self, world: &World) -> bool {
        let since = |flight: &Flight| flight.seen.first().map_or(flight.sent_at, |(_, at)| *at);
        let flights = world.flights.iter().filter(|flight| flight.who == Who::Tab).map(since);
        let responses = world.responses.iter().filter(|response| response.who == Who::Tab);
        !self.honest || flights.chain(responses.map(|it| it.read_at)).all(|since| world.now < since + self.delay())
    }

    fn sends(&self, world: &World, acts: &mut Vec<Act>) {
        let under_way = |who| {
            world.flights.iter().filter(|flight| flight.who == who).count()
                + world.responses.iter().filter(|response| response.who == who).count()
        };
        if under_way(Who::Tab) < self.tabs {
            acts.push(Act::Send(Who::Tab, What::Refresh(world.stored)));
            if world.left.sign_outs > 0 {
                acts.push(Act::Send(Who::Tab, What::SignOut(world.stored)));
            }
        }
        if under_way(Who::Thief) == 0 {
            for generation in (0..16).filter(|generation| world.loot & (1 << generation) != 0) {
                acts.push(Act::Send(Who::Thief, What::Refresh(generation)));
                if world.left.forgeries > 0 {
                    acts.push(Act::Send(Who::Thief, What::RefreshWider(generation)));
                    acts.push(Act::Send(Who::Thief, What::RefreshForged(generation)));
                }
            }
        }
        if world.left.thefts > 0 && world.loot & (1 << world.stored) == 0 {
            acts.push(Act::Steal);
        }
        if world.left.revocations > 0 {
            acts.push(Act::Send(Who::Owner, What::Revoke));
        }
        if world.left.cutoffs > 0 {
            acts.push(Act::Send(Who::Owner, What::CutOff));
        }
    }

    fn messages(&self, world: &World, acts: &mut Vec<Act>) {
        for (flight, it) in world.flights.iter().enumerate() {
            // Two that are alike have one future.
            if flight > 0 && world.flights[flight - 1] == *it {
                continue;
            }
            if it.waits == Waits::Read {
                let copies: &[bool] = if self.replica && world.replica.session != world.primary.session {
                    &[false, true]
                } else {
                    &[false]
                };
                for stale in copies.iter().copied() {
                    acts.push(Act::Read { flight, stale, duplicate: false });
                    if world.left.duplicates > 0 && it.who != Who::Owner {
                        acts.push(Act::Read { flight, stale, duplicate: true });
                    }
                }
            } else {
                acts.push(Act::Proceed(flight));
            }
            if world.left.errors > 0 {
                acts.push(Act::Fail { flight, after: false });
                if it.waits == Waits::Swap {
                    acts.push(Act::Fail { flight, after: true });
                }
            }
            acts.push(Act::Lose(flight));
        }
        for (response, it) in world.responses.iter().enumerate() {
            if response > 0 && world.responses[response - 1] == *it {
                continue;
            }
            acts.push(Act::Receive { response, duplicate: false });
            if world.left.duplicates > 0 {
                acts.push(Act::Receive { response, duplicate: true });
            }
            acts.push(Act::LoseResponse(response));
        }
    }

    /// Takes what the flight's step has come to.
    fn resume(&self, world: &mut World, mut flight: Flight, seen: Seen, at: Seconds) {
        flight.seen.push((seen, at));
        let next = self.issuer.next(&flight);
        match seen {
            Seen::Session(row) => judge::read(self, world, &flight, row.map(|kept| kept.value).as_ref(), &next),
            Seen::Unavailable => judge::failed(world, &flight, &next.step),
            _ => {}
        }
        match &next.step {
            // Lost a race after D: for its sender that is a message that does not arrive.
            StoreStep::Read { .. }
                if self.honest && flight.who == Who::Tab && world.now > flight.sent_at + self.delay() =>
            {
                return;
            }
            StoreStep::Read { .. } => {
                flight.seen.clear();
                flight.waits = Waits::Read;
            }
            StoreStep::Swap { .. } => flight.waits = Waits::Swap,
            StoreStep::ReadCutoffs { .. } => flight.waits = Waits::Cutoffs,
            StoreStep::Done { outcome, .. } => return self.conclude(world, &flight, outcome),
        }
        world.flights.push(flight);
    }

    fn conclude(&self, world: &mut World, flight: &Flight, outcome: &Outcome) {
        judge::done(self, world, flight, outcome);
        if let Outcome::Granted(grant) = outcome
            && grant.refresh_token.is_some()
        {
            let generation = grant.generation.try_into().unwrap();
            world.responses.push(Response { who: flight.who, generation, read_at: flight.seen[0].1 });
        }
    }

    /// Does what the flight waits for, and says what came of it.
    fn carry_out(&self, world: &mut World, flight: &Flight) -> Seen {
        let next = self.issuer.next(flight);
        match (&next.step, next.written) {
            (StoreStep::Swap { expected, .. }, Some(session)) => {
                let old = world.primary.session;
                let swapped = swap(&mut world.primary.session, *expected, session, self.compares);
                if swapped {
                    judge::committed(self, world, flight, old.map(|kept| kept.value).as_ref(), &session);
                }
                Seen::Swapped(swapped)
            }
            (StoreStep::Swap { expected, value, .. }, None) => {
                let cutoff = Issuer::cutoff(value);
                let swapped = swap(&mut world.primary.cutoff, *expected, cutoff, self.compares);
                Seen::Swapped(swapped)
            }
            _ if self.stale_cutoffs => Seen::Cutoffs(world.replica.cutoff),
            _ => Seen::Cutoffs(world.primary.cutoff),
        }
    }

    fn apply(&self, world: &mut World, act: Act) {
        match act {
            Act::Tick => world.now += self.tick,
            Act::ClockStep(on) => {
                world.left.clock_steps -= 1;
                world.now = if on { world.now + HOUR } else { world.now - HOUR };
            }
            Act::Send(who, what) => {
                match what {
                    What::Revoke => world.left.revocations -= 1,
                    What::CutOff => world.left.cutoffs -= 1,
                    What::SignOut(_) => world.left.sign_outs -= 1,
                    What::RefreshWider(_) | What::RefreshForged(_) => world.left.forgeries -= 1,
                    What::Refresh(_) => {}
                }
                // When it was sent bounds nothing but the honest.
                let sent_at = if self.honest { world.now } else { BEGIN };
                world.flights.push(Flight { who, what, waits: Waits::Read, sent_at, seen: Vec::new() });
            }
            Act::Steal => {
                world.left.thefts -= 1;
                world.loot |= 1 << world.stored;
            }
            Act::Replicate => world.replica = world.primary,
            Act::BackUp => world.backup = Some((world.primary, world.tally)),
            Act::RollBack => {
                world.left.rollbacks -= 1;
                if let Some((contents, tally)) = world.backup.take() {
                    (world.primary, world.replica, world.tally) = (contents, contents, tally);
                }
                // As `Store` demands: what is under way fails.
                if !self.survives {
                    world.flights.retain(|flight| flight.waits == Waits::Read);
                }
            }
            Act::Sweep => world.primary.session = None,
            Act::Read { flight, stale, duplicate } => {
                let flight = world.flights.remove(flight);
                if duplicate {
                    world.left.duplicates -= 1;
                    world.flights.push(flight.clone());
                }
                let seen = match flight.what {
                    What::CutOff => Seen::Cutoff(world.primary.cutoff),
                    _ if stale => Seen::Session(world.replica.session),
                    _ => Seen::Session(world.primary.session),
                };
                let now = world.now;
                self.resume(world, flight, seen, now);
            }
            Act::Proceed(flight) => {
                let flight = world.flights.remove(flight);
                let seen = self.carry_out(world, &flight);
                // The instant of a session's swap decides nothing, and would only tell apart what
                // is alike.
                let session = matches!(seen, Seen::Swapped(_)) && flight.what != What::CutOff;
                let at = if session { flight.seen[0].1 } else { world.now };
                self.resume(world, flight, seen, at);
            }
            Act::Fail { flight, after } => {
                world.left.errors -= 1;
                let flight = world.flights.remove(flight);
                if after {
                    self.carry_out(world, &flight);
                }
                let now = world.now;
                self.resume(world, flight, Seen::Unavailable, now);
            }
            Act::Lose(flight) => {
                world.flights.remove(flight);
            }
            Act::Receive { response, duplicate } => {
                let it = world.responses[response];
                if duplicate {
                    world.left.duplicates -= 1;
                } else {
                    world.responses.remove(response);
                }
                match it.who {
                    Who::Thief => world.loot |= 1 << it.generation,
                    // The last to arrive is what the tabs go on with.
                    _ => world.stored = it.generation,
                }
            }
            Act::LoseResponse(response) => {
                world.responses.remove(response);
            }
        }
    }
}

fn swap<T>(kept: &mut Option<Kept<T>>, expected: u64, value: T, compares: bool) -> bool {
    let version = kept.as_ref().map_or(0, |kept| kept.version);
    if compares && u64::from(version) != expected {
        return false;
    }
    *kept = Some(Kept { version: version + 1, value });
    true
}

/// One form for states that differ only in names: messages in order, and versions counted from 1
/// with gaps of at most 2. Versions are compared for being equal and counted on by one; a gap that
/// is smaller than it was makes more of them meet, never fewer.
fn normalise(world: &mut World) {
    world.flights.sort_unstable();
    world.responses.sort_unstable();
    let mut sessions: Vec<&mut u8> = Vec::new();
    let mut cutoffs: Vec<&mut u8> = Vec::new();
    let backup = world.backup.as_mut().map(|(contents, _)| contents);
    for contents in [&mut world.primary, &mut world.replica].into_iter().chain(backup) {
        sessions.extend(contents.session.as_mut().map(|kept| &mut kept.version));
        cutoffs.extend(contents.cutoff.as_mut().map(|kept| &mut kept.version));
    }
    for (seen, _) in world.flights.iter_mut().flat_map(|flight| &mut flight.seen) {
        match seen {
            Seen::Session(Some(kept)) => sessions.push(&mut kept.version),
            Seen::Cutoff(Some(kept)) | Seen::Cutoffs(Some(kept)) => cutoffs.push(&mut kept.version),
            _ => {}
        }
    }
    renumber(sessions);
    renumber(cutoffs);
}

fn renumber(mut versions: Vec<&mut u8>) {
    versions.sort_unstable();
    let (mut before, mut named) = (0, 0);
    for version in versions {
        named += (*version - before).min(2);
        before = *version;
        *version = named;
    }
}

impl Model for Bounds {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        let contents = self.issuer.contents();
        vec![World {
            now: BEGIN,
            primary: contents,
            replica: contents,
            backup: None,
            flights: Vec::new(),
            responses: Vec::new(),
            stored: 0,
            loot: 0,
            left: self.budget,
            tally: Tally { late: 0, clean: true },
            issued_at: 0,
            broken: None,
        }]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        if world.broken.is_some() {
            return;
        }
        if self.in_time(world) && world.now % HOUR < BEGIN % HOUR + self.seconds {
            acts.push(Act::Tick);
        }
        if world.left.clock_steps > 0 {
            acts.extend([Act::ClockStep(true), Act::ClockStep(false)]);
        }
        self.sends(world, acts);
        self.messages(world, acts);
        if self.replica && world.replica != world.primary {
            acts.push(Act::Replicate);
        }
        if world.left.rollbacks > 0 {
            acts.push(if world.backup.is_some() { Act::RollBack } else { Act::BackUp });
        }
        if world.primary.session.is_some_and(|kept| kept.value.ends_at <= world.now) {
            acts.push(Act::Sweep);
        }
    }

    fn next_state(&self, last: &World, act: Act) -> Option<World> {
        let mut world = last.clone();
        self.apply(&mut world, act);
        normalise(&mut world);
        Some(world)
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.primary.session.is_none_or(|kept| kept.value.generation <= self.generations)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("P1: gen neither falls nor skips", |_, world: &World| world.broken != Some(Broken::P1)),
            Property::always("P2: what is forged changes nothing", |_, world: &World| world.broken != Some(Broken::P2)),
            Property::always("P3: two behind is reuse", |_, world: &World| world.broken != Some(Broken::P3)),
            Property::always("P4: nothing after a revocation", |_, world: &World| world.broken != Some(Broken::P4)),
            Property::always("P5: R late replays", |_, world: &World| world.broken != Some(Broken::P5)),
            Property::always("P6: a replay moves nothing", |_, world: &World| world.broken != Some(Broken::P6)),
            Property::always("P7: ends and scopes are bounds", |_, world: &World| world.broken != Some(Broken::P7)),
            Property::always("P8: a retry converges", |_, world: &World| world.broken != Some(Broken::P8)),
            Property::always("P9: an error is no theft", |_, world: &World| world.broken != Some(Broken::P9)),
            Property::always("behind: an alarm", |_, world: &World| world.broken != Some(Broken::Behind)),
            Property::always("honest: never two behind", |_, world: &World| world.broken != Some(Broken::Honest)),
        ]
    }
}

/// The instant at which the rest of a session ends whatever is done.
pub(crate) fn expires_at(bounds: &Bounds) -> Seconds {
    seconds(bounds.issuer.first.expires_at)
}
