//! An operation on sessions, carried out on the store.

use serde_json::json;

use super::{
    super::{
        cutoff::{CUTOFFS, Cutoff},
        feed::Revoked,
        operation::{Evidence, Operation, Outcome, Step, Versioned},
        refresh_token::RefreshToken,
        row::{Row, Status},
        session_id::SessionId,
    },
    Issuer,
    admission::Admission,
    channel::{Channel, Entry, Unavailable},
    failure::Failure,
    log,
};

/// Carries an operation out. A refresh is admitted on the way, once its token is known to be authentic.
///
/// What is to be revoked stands in the feed before the row says so. Were it the other way about and the second write lost, a later attempt
/// would find nothing to do, and no edge would ever hear of it.
pub(super) async fn run(
    issuer: &Issuer,
    channel: &Channel,
    mut operation: Operation,
    mut admission: Option<Admission<'_>>,
) -> Result<Outcome, Failure> {
    let rules = &issuer.settings.rules;
    let mut announced = false;
    let mut step = operation.begin();
    loop {
        let evidence = match step {
            Step::Read { key } => {
                let found = channel.read(&key).await;
                if let (Some(admission), Ok(Some(entry))) = (&mut admission, &found) {
                    admission.count(issuer, channel, &entry.value).await?;
                }
                if let Ok(Some(entry)) = &found {
                    readable(&key, &entry.value)?;
                }
                found.map_or(Evidence::Unavailable, |found| Evidence::Read(found.map(versioned)))
            }
            Step::ReadCutoffs { keys: [subject, client] } => {
                // A session that a cutoff has ended is in the feed by that.
                announced = true;
                match both(channel, &subject, &client).await {
                    Ok(found) => {
                        found.iter().flatten().try_for_each(|found| readable(&subject, &found.value))?;
                        Evidence::Cutoffs(found)
                    }
                    Err(Unavailable) => Evidence::Unavailable,
                }
            }
            Step::Swap { key, expected, value, ends_at } => {
                if let Some(admission) = &mut admission {
                    admission.prove(channel, &value).await?;
                }
                if let Some(sid) = revoked(&value).filter(|_| !announced) {
                    log::append(issuer, channel, &[Revoked::Session(&sid.to_string())]).await?;
                    announced = true;
                }
                let swapped = channel.swap(&key, expected, value, ends_at.get()).await;
                swapped.map_or(Evidence::Unavailable, Evidence::Swapped)
            }
            Step::Done { outcome, events } => {
                events.iter().for_each(|event| channel.report(json!(event)));
                return Ok(outcome);
            }
        };
        step = operation.resume(evidence, channel.now(), rules);
    }
}

async fn both(channel: &Channel, subject: &str, client: &str) -> Result<[Option<Versioned>; 2], Unavailable> {
    let subject = channel.read(subject).await?;
    Ok([subject.map(versioned), channel.read(client).await?.map(versioned)])
}

fn versioned(Entry { version, value }: Entry) -> Versioned {
    Versioned { version, value }
}

/// An entry that cannot be read is an error of storage, and the operator is told which.
fn readable(key: &str, value: &str) -> Result<(), Failure> {
    if key.starts_with(CUTOFFS) {
        return Cutoff::from_json(value).map(drop).map_err(|error| Failure::unreadable("a cutoff", error));
    }
    Row::from_json(value).map(drop).map_err(|error| Failure::unreadable("a session", error))
}

/// The session that this row says is over. A cutoff is no row.
fn revoked(value: &str) -> Option<SessionId> {
    Row::from_json(value).ok().filter(|row| row.status == Status::Revoked).map(|row| row.sid)
}

/// The row of a session. One that cannot be read is no missing one.
pub(super) async fn read(channel: &Channel, sid: SessionId) -> Result<Option<Row>, Failure> {
    let found = channel.read(&sid.key()).await?;
    let row = found.map(|entry| Row::from_json(&entry.value)).transpose();
    row.map_err(|error| Failure::unreadable("a session", error))
}

/// Ends a session for good.
pub(super) async fn end(issuer: &Issuer, channel: &Channel, sid: SessionId) -> Result<(), Failure> {
    match run(issuer, channel, Operation::revoke(sid), None).await? {
        Outcome::Revoked => Ok(()),
        _ => Err(Failure::unavailable()),
    }
}

pub(super) fn is_authentic(issuer: &Issuer, channel: &Channel, token: &RefreshToken, row: &Row) -> bool {
    let rules = &issuer.settings.rules;
    row.sid == token.sid() && token.is_authentic(&row.salt, &rules.roots, channel.now(), rules.configuration.idle)
}
