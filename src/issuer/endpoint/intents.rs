//! Intents in the store: written before a revocation, taken out after it, and carried out again
//! when nobody has.

use std::collections::BTreeSet;

use super::{
    Issuer,
    channel::{Channel, Unavailable, locked},
    error_response::ErrorResponse,
    fleet,
    log::{self, Coming, LogEntry},
    pause::Pause,
    session_operations, store_keys,
};
use crate::issuer::{
    feed::{
        NEVER,
        intent::{self, Intent, SLOTS, Wanted},
        queue::Turn,
    },
    random::random,
    sessions::{
        cutoff::{Cutoff, Party},
        operation::{Operation, Outcome},
        session_id::SessionId,
    },
    tokens::mint::LONGEST_LONG_LIFETIME_SECONDS,
};
use crate::time::{Leeway, UnixSeconds};

/// How often a row of intents is tried. It is an insurance; what it insures does not wait for it
/// any longer.
const TRIES: u32 = 4;

/// As many as are carried out at one time, and as many as may fail at it.
const MOST_AT_ONCE: usize = 200;
const MOST_FAILED: usize = 50;

const LOOK_MS: (u64, u64) = (2, 40);

/// An intent that was written down.
pub(super) struct Opened {
    intent: Intent,
    coming: Option<Coming>,
}

/// Appends what was intended: its place among those who are on their way is free.
pub(super) async fn append(
    issuer: &Issuer,
    channel: &Channel,
    opened: &mut Option<Opened>,
    entry: LogEntry,
) -> Result<(), Unavailable> {
    drop(opened.as_mut().and_then(|opened| opened.coming.take()));
    log::append(issuer, channel, vec![entry]).await
}

/// Writes down what is about to be revoked, as far as the store lets it. With it goes the cutoff
/// that there is now: by a later one whoever finds the intent knows that it is done, and ends no
/// session that has begun since.
pub(super) async fn open(issuer: &Issuer, channel: &Channel, wanted: Wanted) -> Option<Opened> {
    issuer.settings.feed.as_ref()?;
    let coming = Some(issuer.ledger.announce());
    let seen = match party(&wanted) {
        Some(party) => Some(cutoff(channel, &party).await.ok()?.instant().get()),
        None => None,
    };
    let intent = Intent { at: channel.now().get(), seen, wanted };
    let mut ticket = issuer.ledger.intents.join(vec![intent.clone()]);
    let (mut pause, mut waited) = (Pause::new(LOOK_MS.0, LOOK_MS.1), 0);
    loop {
        match issuer.ledger.intents.turn(&mut ticket, waited) {
            Turn::Settled(_) => return Some(Opened { intent, coming }),
            Turn::Wait => match pause.wait(channel).await {
                Ok(milliseconds) => waited = milliseconds,
                // Its time is over. Whoever leads, or leads next, writes it all the same.
                Err(Unavailable) => return Some(Opened { intent, coming }),
            },
            Turn::Lead(lead) => {
                waited = 0;
                let written = write(issuer, channel, &lead.values).await;
                lead.settle(written);
            }
        }
    }
}

/// The party whose sessions it ends, if it does.
fn party(wanted: &Wanted) -> Option<Party> {
    match wanted {
        Wanted::Subject(subject) => Some(Party::Subject(subject.clone())),
        Wanted::Client(client) => Some(Party::Client(client.clone())),
        Wanted::Session(_) | Wanted::Token(_) | Wanted::Key(_) => None,
    }
}

async fn cutoff(channel: &Channel, party: &Party) -> Result<Cutoff, ErrorResponse> {
    let found = channel.read(&party.key()).await?;
    let stored = Cutoff::stored(found.as_ref().map(|entry| entry.value.as_str()));
    stored.map_err(|error| ErrorResponse::unreadable("a cutoff", error))
}

/// Says that it is done. The row is written with the next intents, or when it is tended.
pub(super) fn close(issuer: &Issuer, opened: Option<Opened>) {
    locked(&issuer.ledger.slot).1.extend(opened.map(|opened| opened.intent));
}

async fn write(issuer: &Issuer, channel: &Channel, opened: &[Intent]) -> bool {
    let mut pause = Pause::new(LOOK_MS.0, LOOK_MS.1);
    for _ in 0..TRIES {
        let (slot, closed) = {
            let mut own = locked(&issuer.ledger.slot);
            let slot = *own.0.get_or_insert_with(|| random::<16>().map_or(0, |[byte, ..]| byte.wrapping_rem(SLOTS)));
            (slot, core::mem::take(&mut own.1))
        };
        match change(channel, slot, opened, &closed).await {
            Ok(true) => return true,
            outcome => {
                let mut own = locked(&issuer.ledger.slot);
                own.1.extend(closed);
                if outcome.is_err() {
                    return false;
                }
            }
        }
        if pause.wait(channel).await.is_err() {
            return false;
        }
    }
    false
}

async fn change(channel: &Channel, slot: u8, opened: &[Intent], closed: &[Intent]) -> Result<bool, Unavailable> {
    let key = intent::key(slot);
    let found = channel.read(&key).await?;
    let value = found.as_ref().map(|entry| entry.value.as_str());
    let Some(value) = intent::changed(value, opened, closed) else { return Ok(true) };
    channel.swap(&key, found.map_or(0, |entry| entry.version), value, NEVER).await
}

/// Carries out what was decided and never finished, by whatever process: what this one could not
/// append, and intents of a certain age. One that cannot be carried out stays, and keeps no other
/// from it; the first failure is told at the end.
pub(super) async fn tend(issuer: &Issuer, channel: &Channel) -> Result<(), ErrorResponse> {
    if issuer.settings.feed.is_none() {
        return Ok(());
    }
    log::append_left(issuer, channel).await?;
    let rows = channel.read_many((0..SLOTS).map(intent::key).collect()).await?;
    let closed: BTreeSet<Intent> = locked(&issuer.ledger.slot).1.iter().cloned().collect();
    let (mut done, mut entries, mut failures) = (Vec::from_iter(closed.iter().cloned()), Vec::new(), Vec::new());
    for intent in rows.iter().flatten().flat_map(|row| intent::read(Some(&row.value))) {
        let may_go_on = entries.len() < MOST_AT_ONCE && failures.len() < MOST_FAILED;
        if may_go_on && intent.is_lost(channel.now()) && !closed.contains(&intent) {
            match carried_out(issuer, channel, &intent).await {
                Ok(entry) => {
                    entries.push(entry);
                    done.push(intent);
                }
                Err(failure) => failures.push(failure),
            }
        }
    }
    log::append(issuer, channel, entries).await?;
    let mut held = true;
    for (slot, row) in (0..SLOTS).zip(&rows) {
        if row.as_ref().is_some_and(|row| intent::changed(Some(&row.value), &[], &done).is_some()) {
            // Whoever writes it meanwhile leaves the rest to the next time: what is carried out
            // again changes nothing.
            held &= change(channel, slot, &[], &done).await?;
        }
    }
    if held {
        // Until then this process knows them to be done, whatever fails.
        locked(&issuer.ledger.slot).1.retain(|intent| !closed.contains(intent));
    }
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Does what was intended, where it is not done, and gives what the log is to say.
async fn carried_out(issuer: &Issuer, channel: &Channel, intent: &Intent) -> Result<LogEntry, ErrorResponse> {
    let wanted = intent.wanted.clone();
    match &wanted {
        Wanted::Session(sid) => {
            if let Some(sid) = SessionId::parse(sid) {
                session_operations::revoke_row(issuer, channel, sid).await?;
            }
            return Ok(LogEntry::of(wanted));
        }
        Wanted::Token(jti) => {
            mark_token(channel, jti).await?;
            return Ok(LogEntry::of(wanted));
        }
        Wanted::Key(kid) => {
            mark_key(channel, kid).await?;
            return Ok(LogEntry::of(wanted));
        }
        Wanted::Subject(_) | Wanted::Client(_) => {}
    }
    let Some(party) = party(&wanted) else { return Ok(LogEntry::of(wanted)) };
    let cutoff = cutoff(channel, &party).await?;
    if intent.is_done(cutoff.instant()) {
        // One that a fast clock wrote locks nobody out until its instant.
        let before = if cutoff.is_ahead(channel.now()) { cutoff.issued_at(channel.now()) } else { cutoff.instant() };
        return Ok(LogEntry { wanted, before });
    }
    let before = cut_off(issuer, channel, party).await?;
    Ok(LogEntry { wanted, before })
}

/// Ends all sessions of the party that have begun. Whatever is granted from now on is dated after
/// the cutoff.
pub(super) async fn cut_off(issuer: &Issuer, channel: &Channel, party: Party) -> Result<UnixSeconds, ErrorResponse> {
    let sessions = fleet::lifetimes(issuer, channel).await.session;
    match session_operations::run(issuer, channel, Operation::cut_off(party).of_sessions_that_last(sessions), None)
        .await?
    {
        Outcome::CutOff(cutoff) => Ok(cutoff.issued_at(channel.now())),
        _ => Err(ErrorResponse::unavailable()),
    }
}

/// Takes one token back, here; `false` when it was before.
pub(super) async fn mark_token(channel: &Channel, jti: &str) -> Result<bool, Unavailable> {
    // It may be a token of another configuration.
    let longest = LONGEST_LONG_LIFETIME_SECONDS.saturating_add(Leeway::CAP);
    channel.is_first(&store_keys::token(jti), channel.now().get().saturating_add(longest)).await
}

/// Takes a signing key back, here.
pub(super) async fn mark_key(channel: &Channel, kid: &str) -> Result<(), Unavailable> {
    channel.is_first(&store_keys::key_cutoff(kid), UnixSeconds::MAX.get()).await.map(drop)
}
