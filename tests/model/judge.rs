//! The invariants, judged from outside: by what is read, written and answered, never by how the
//! machine came to it.

use portcullis::internals::sessions::{
    event::EventKind,
    grant::Grant,
    grant_error::GrantError,
    operation::{Outcome, StoreStep},
};

use crate::{
    issuer::{Kind, Next, SCOPE, seconds},
    model::{Bounds, expires_at},
    world::{Broken, Flight, Seconds, Seen, Session, What, Who, World},
};

fn judge(world: &mut World, broken: Broken, holds: bool) {
    if !holds && world.broken.is_none() {
        world.broken = Some(broken);
    }
}

fn refused(step: &StoreStep, refusal: GrantError) -> bool {
    matches!(step, StoreStep::Done { outcome: Outcome::Refused(other), .. } if *other == refusal)
}

fn window(bounds: &Bounds) -> Seconds {
    Seconds::try_from(bounds.issuer.settings.replay_window_seconds).unwrap()
}

fn interval(bounds: &Bounds) -> Seconds {
    window(bounds) + 2 * Seconds::try_from(bounds.issuer.settings.worst_delay_seconds).unwrap()
}

/// A row has been read for a flight, and this is its next step.
pub(crate) fn read(bounds: &Bounds, world: &mut World, flight: &Flight, row: Option<&Session>, next: &Next) {
    let (step, write) = (&next.step, next.written);
    let (presented, genuine) = match flight.what {
        What::Refresh(generation) => (generation, true),
        What::RefreshWider(generation) => (generation, false),
        What::RefreshForged(_) => {
            let silent = matches!(step, StoreStep::Done { outcome: Outcome::Refused(_), events } if events.is_empty());
            return judge(world, Broken::P2, silent);
        }
        What::SignOut(_) | What::Revoke | What::CutOff => return,
    };
    if bounds.issuer.kind == Kind::Bound && flight.who == Who::Thief {
        let silent = matches!(step, StoreStep::Done { outcome: Outcome::Refused(_), events } if events.is_empty());
        return judge(world, Broken::P2, silent);
    }
    let Some(row) = row else { return judge(world, Broken::P4, refused(step, GrantError::SessionMissing)) };
    if row.revoked {
        return judge(world, Broken::P4, refused(step, GrantError::SessionRevoked));
    }
    if row.ends_at <= world.now {
        return judge(world, Broken::P7, refused(step, GrantError::SessionEnded));
    }
    let age = world.now.saturating_sub(row.rotated_at);
    let Some(behind) = row.generation.checked_sub(presented) else {
        let alarmed = matches!(step, StoreStep::Done { events, .. } if events.iter().any(|event| event.kind == EventKind::StoreBehind));
        return judge(world, Broken::Behind, alarmed && refused(step, GrantError::StoreBehind));
    };
    if bounds.honest && flight.who == Who::Tab {
        judge(world, Broken::Honest, behind < 2);
    }
    match behind {
        0 if bounds.issuer.kind == Kind::Confidential => {
            judge(world, Broken::P1, write.is_none_or(|write| write.generation == row.generation));
        }
        0 if genuine && (age > interval(bounds) || row.generation == 0) => {
            judge(world, Broken::P3, write.is_some_and(|write| write.generation == row.generation + 1));
        }
        1 if age <= window(bounds) => {
            judge(world, Broken::P6, write.is_none_or(|write| write.rotated_at == row.rotated_at));
            judge(
                world,
                Broken::P8,
                !genuine || write.is_some_and(|write| !write.revoked && write.generation == row.generation),
            );
        }
        0 | 1 => {}
        _ => judge(world, Broken::P3, write.is_some_and(|write| write.revoked)),
    }
}

/// A store's call has failed, and this is the next step.
pub(crate) fn failed(world: &mut World, flight: &Flight, step: &StoreStep) {
    let answered = match step {
        StoreStep::Done { outcome: Outcome::Unavailable, events } => events.is_empty(),
        // The cutoff was read; the row that should have been revoked for it was not, or is not
        // known to be.
        StoreStep::Done { outcome: Outcome::Refused(GrantError::SessionRevoked), .. } => looked(flight).is_some(),
        _ => false,
    };
    judge(world, Broken::P9, answered);
}

/// A row has been written for a flight.
pub(crate) fn committed(bounds: &Bounds, world: &mut World, flight: &Flight, old: Option<&Session>, new: &Session) {
    let Some(old) = old else { return judge(world, Broken::P4, false) };
    judge(world, Broken::P4, !old.revoked);
    judge(world, Broken::P1, new.generation == old.generation || new.generation == old.generation + 1);
    judge(world, Broken::P7, new.ends_at <= expires_at(bounds));
    judge(world, Broken::P2, !matches!(flight.what, What::RefreshForged(_)));
    if looked(flight).is_some() {
        return judge(world, Broken::P4, new.revoked);
    }
    let (What::Refresh(presented) | What::RefreshWider(presented)) = flight.what else { return };
    if new.generation > old.generation {
        if world.tally.clean {
            world.tally.late = 0;
        }
        world.tally.clean = true;
    } else if presented + 1 == old.generation {
        let allowed = bounds.issuer.settings.late_replays;
        if bounds.issuer.kind == Kind::Bound {
            // Nobody else can make them, so there is no budget.
            judge(world, Broken::P5, !new.revoked);
        } else if new.revoked {
            judge(world, Broken::P5, u32::from(world.tally.late) == allowed);
        } else {
            world.tally.clean = false;
            world.tally.late += u8::from(flight.seen[0].1.saturating_sub(old.rotated_at) > window(bounds));
            judge(world, Broken::P5, u32::from(world.tally.late) <= allowed);
        }
    }
}

/// A flight has come to its end.
pub(crate) fn done(bounds: &Bounds, world: &mut World, flight: &Flight, outcome: &Outcome) {
    let revoked = world.primary.session.is_none_or(|kept| kept.value.revoked);
    match outcome {
        Outcome::Granted(grant) => granted(bounds, world, flight, grant),
        Outcome::Revoked => judge(world, Broken::P4, revoked),
        Outcome::CutOff(cutoff) => {
            let kept = world.primary.cutoff.is_some_and(|kept| kept.value >= seconds(cutoff.instant()));
            judge(world, Broken::P4, kept);
            // The edge refuses what was issued before; that must be all that was.
            judge(world, Broken::P4, world.issued_at < seconds(cutoff.instant()));
        }
        Outcome::Live(_) | Outcome::Refused(_) | Outcome::Unavailable => {}
    }
}

fn granted(bounds: &Bounds, world: &mut World, flight: &Flight, grant: &Grant) {
    let (What::Refresh(presented) | What::RefreshWider(presented)) = flight.what else {
        return judge(world, Broken::P2, false);
    };
    let generation = u8::try_from(grant.generation).unwrap();
    if !flight.seen.iter().any(|(seen, _)| *seen == Seen::Swapped(true)) {
        // It was granted without a swap that held; then at least what it says must be true by now.
        judge(world, Broken::P4, world.primary.session.is_some_and(|kept| !kept.value.revoked));
        judge(world, Broken::P1, world.primary.session.is_some_and(|kept| kept.value.generation >= generation));
    }
    // The session began under no cutoff, and a grant follows its look at them at once: there must
    // be none.
    judge(world, Broken::P4, world.primary.cutoff.is_none());
    if bounds.budget.cutoffs > 0 {
        world.issued_at = world.issued_at.max(seconds(grant.issued_at));
    }
    judge(world, Broken::P7, grant.scope.as_deref() == Some(SCOPE));
    let expires = u64::from(seconds(grant.issued_at)) + grant.lifetime_seconds;
    judge(world, Broken::P7, expires <= u64::from(expires_at(bounds)));
    match &grant.refresh_token {
        Some(token) => judge(world, Broken::P1, token.as_str() == bounds.issuer.token(generation)),
        // Without a token, the one that was presented stays the current one.
        None => judge(world, Broken::P8, presented == generation),
    }
}

/// The cutoff that the flight has found, if it has looked.
fn looked(flight: &Flight) -> Option<Option<Seconds>> {
    flight.seen.iter().find_map(|(seen, _)| match seen {
        Seen::Cutoffs(found) => Some(found.map(|kept| kept.value)),
        _ => None,
    })
}
