//! An operation on sessions, carried out on the store.

use serde_json::json;

use super::{
    Issuer,
    admission::Admission,
    channel::{Channel, Unavailable},
    error_response::ErrorResponse,
    intents::{self, Opened},
    log::{self, LogEntry},
    pause::Pause,
};
use crate::issuer::{
    feed::intent::Wanted,
    sessions::{
        cutoff::{CUTOFFS, Cutoff},
        operation::{Operation, Outcome, StoreEntry, StoreResult, StoreStep},
        refresh_token::RefreshToken,
        row::{Row, Status},
        session_id::SessionId,
    },
};

/// Between two tries to write one row, in milliseconds.
const RACE_MS: (u64, u64) = (1, 100);

/// Carries an operation out. A refresh is admitted on the way, once its token is known to be
/// authentic.
///
/// A session is revoked by the swap of its row, whatever becomes of the log. An intent is written
/// before, and the log after it: whoever finds the one without the other finishes the work. The
/// answer waits for both.
pub(super) async fn run(
    issuer: &Issuer,
    channel: &Channel,
    operation: Operation,
    admission: Option<Admission<'_>>,
) -> Result<Outcome, ErrorResponse> {
    let mut listing = Listing { announces: true, ..Listing::default() };
    let outcome = carry_out(issuer, channel, operation, admission, &mut listing).await?;
    if let Some(sid) = listing.revoked {
        intents::append(issuer, channel, &mut listing.intent, LogEntry::of(Wanted::Session(sid))).await?;
    }
    if outcome != Outcome::Unavailable {
        intents::close(issuer, listing.intent);
    }
    Ok(outcome)
}

/// What an operation means for the log.
#[derive(Default)]
struct Listing {
    /// Whether what it revokes is to be listed: not what a cutoff has ended, which is in the feed
    /// by that.
    announces: bool,
    intent: Option<Opened>,
    /// The session that was revoked by it.
    revoked: Option<String>,
    /// Whether its session was revoked when it was last read.
    before: bool,
}

async fn carry_out(
    issuer: &Issuer,
    channel: &Channel,
    mut operation: Operation,
    mut admission: Option<Admission<'_>>,
    listing: &mut Listing,
) -> Result<Outcome, ErrorResponse> {
    let rules = &issuer.settings.rules;
    let mut pause = Pause::new(RACE_MS.0, RACE_MS.1);
    let mut step = operation.begin();
    loop {
        let result = match step {
            StoreStep::Read { key } => {
                let found = channel.read(&key).await;
                listing.before =
                    found.as_ref().is_ok_and(|it| it.as_ref().is_some_and(|it| revoked(&it.value).is_some()));
                if let (Some(admission), Ok(Some(entry))) = (&mut admission, &found) {
                    admission.count(issuer, channel, &entry.value).await?;
                }
                if let Ok(Some(entry)) = &found {
                    readable(&key, &entry.value)?;
                }
                found.map_or(StoreResult::Unavailable, StoreResult::Read)
            }
            StoreStep::ReadCutoffs { keys: [subject, client] } => {
                listing.announces = false;
                match both(channel, &subject, &client).await {
                    Ok(found) => {
                        found.iter().flatten().try_for_each(|found| readable(&subject, &found.value))?;
                        StoreResult::Cutoffs(found)
                    }
                    Err(Unavailable) => StoreResult::Unavailable,
                }
            }
            StoreStep::Swap { key, expected, value, ends_at } => {
                if let Some(admission) = &mut admission {
                    admission.prove(channel, &value).await?;
                }
                let sid = revoked(&value).filter(|_| listing.announces).map(|sid| sid.to_string());
                if let Some(sid) = &sid
                    && listing.intent.is_none()
                {
                    listing.intent = intents::open(issuer, channel, Wanted::Session(sid.clone())).await;
                }
                let swapped = channel.swap(&key, expected, value, ends_at.get()).await;
                match swapped {
                    Ok(true) => listing.revoked = sid,
                    Ok(false) => drop(pause.wait(channel).await?),
                    Err(Unavailable) => {}
                }
                swapped.map_or(StoreResult::Unavailable, StoreResult::Swapped)
            }
            StoreStep::Done { outcome, events } => {
                events.iter().for_each(|event| channel.report(json!(event)));
                return Ok(outcome);
            }
        };
        step = operation.resume(result, channel.now(), rules);
    }
}

async fn both(channel: &Channel, subject: &str, client: &str) -> Result<[Option<StoreEntry>; 2], Unavailable> {
    Ok([channel.read(subject).await?, channel.read(client).await?])
}

/// An entry that cannot be read is an error of storage, and the operator is told which.
fn readable(key: &str, value: &str) -> Result<(), ErrorResponse> {
    if key.starts_with(CUTOFFS) {
        return Cutoff::from_json(value).map(drop).map_err(|error| ErrorResponse::unreadable("a cutoff", error));
    }
    Row::from_json(value).map(drop).map_err(|error| ErrorResponse::unreadable("a session", error))
}

/// The session that this row says is over. A cutoff is no row.
fn revoked(value: &str) -> Option<SessionId> {
    Row::from_json(value).ok().filter(|row| row.status == Status::Revoked).map(|row| row.sid)
}

/// The row of a session. One that cannot be read is no missing one.
pub(super) async fn read(channel: &Channel, sid: SessionId) -> Result<Option<Row>, ErrorResponse> {
    let found = channel.read(&sid.key()).await?;
    let row = found.map(|entry| Row::from_json(&entry.value)).transpose();
    row.map_err(|error| ErrorResponse::unreadable("a session", error))
}

/// Ends a session for good. Of one that was revoked before nobody knows whether it came to the
/// log: it is looked for there.
pub(super) async fn end(issuer: &Issuer, channel: &Channel, sid: SessionId) -> Result<(), ErrorResponse> {
    let mut listing = Listing { announces: true, ..Listing::default() };
    let outcome = carry_out(issuer, channel, Operation::revoke(sid), None, &mut listing).await?;
    if outcome != Outcome::Revoked {
        return Err(ErrorResponse::unavailable());
    }
    let wanted = Wanted::Session(sid.to_string());
    if listing.revoked.is_some() {
        intents::append(issuer, channel, &mut listing.intent, LogEntry::of(wanted)).await?;
    } else if listing.before {
        log::ensure(issuer, channel, wanted).await?;
    }
    intents::close(issuer, listing.intent);
    Ok(())
}

/// Revokes a session's row and leaves the log to the caller.
pub(super) async fn revoke_row(issuer: &Issuer, channel: &Channel, sid: SessionId) -> Result<(), ErrorResponse> {
    match carry_out(issuer, channel, Operation::revoke(sid), None, &mut Listing::default()).await? {
        Outcome::Revoked => Ok(()),
        _ => Err(ErrorResponse::unavailable()),
    }
}

pub(super) fn is_authentic(issuer: &Issuer, channel: &Channel, token: &RefreshToken, row: &Row) -> bool {
    let rules = &issuer.settings.rules;
    row.sid == token.sid() && token.is_authentic(&row.salt, &rules.roots, channel.now(), rules.configuration.idle)
}
