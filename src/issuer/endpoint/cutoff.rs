//! Cutoffs where no session is: those that tokens of a client's own, or of an exchange, have to come after.

use super::{channel::Channel, failure::Failure};
use crate::issuer::sessions::{
    configuration::Rules,
    cutoff::{Party, Settled},
};
use crate::time::UnixSeconds;

/// From when on what a subject and a client were issued counts; `None` when nothing was taken back.
///
/// Sessions compare cutoffs with each other; here there are only instants. Where a clock that was fast has written one, the first who sees it
/// writes down when that was: it was made before.
pub(super) async fn of(
    channel: &Channel,
    subject: &str,
    client: &str,
    rules: &Rules,
) -> Result<Option<UnixSeconds>, Failure> {
    let subject = read(channel, &Party::Subject(subject.to_owned()), rules).await?;
    Ok(subject.max(read(channel, &Party::Client(client.to_owned()), rules).await?))
}

async fn read(channel: &Channel, party: &Party, rules: &Rules) -> Result<Option<UnixSeconds>, Failure> {
    let key = party.key();
    for _ in 0..2 {
        let Some(entry) = channel.read(&key).await? else { return Ok(None) };
        let found = Settled::from_json(&entry.value).map_err(|error| Failure::unreadable("a cutoff", error))?;
        let Some(settled) = found.settled(channel.now()) else { return Ok(Some(found.instant())) };
        if channel.swap(&key, entry.version, settled.to_json(), settled.cutoff.ends_at(rules).get()).await? {
            return Ok(Some(settled.instant()));
        }
    }
    Err(Failure::unavailable())
}
