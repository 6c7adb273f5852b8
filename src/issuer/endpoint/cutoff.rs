//! Cutoffs where no session is: those that tokens of a client's own, or of an exchange, have to
//! come after.

use super::{Issuer, channel::Channel, error_response::ErrorResponse, fleet};
use crate::issuer::sessions::cutoff::{Party, Settled};
use crate::time::UnixSeconds;

/// From when on what a subject and a client were issued counts; `None` when nothing was taken back.
///
/// Sessions compare cutoffs with each other; here there are only instants. Where a clock that was
/// fast has written one, the first who sees it writes down when that was: it was made before.
pub(super) async fn of(
    issuer: &Issuer,
    channel: &Channel,
    subject: &str,
    client: &str,
) -> Result<Option<UnixSeconds>, ErrorResponse> {
    let subject = read(issuer, channel, &Party::Subject(subject.to_owned())).await?;
    Ok(subject.max(read(issuer, channel, &Party::Client(client.to_owned())).await?))
}

async fn read(issuer: &Issuer, channel: &Channel, party: &Party) -> Result<Option<UnixSeconds>, ErrorResponse> {
    let key = party.key();
    for _ in 0..2 {
        let Some(entry) = channel.read(&key).await? else { return Ok(None) };
        let found = Settled::from_json(&entry.value).map_err(|error| ErrorResponse::unreadable("a cutoff", error))?;
        let Some(settled) = found.settled(channel.now()) else { return Ok(Some(found.instant())) };
        let ends_at = settled.cutoff.ends_at(fleet::lifetimes(issuer, channel).await.session);
        if channel.swap(&key, entry.version, settled.to_json(), ends_at.get()).await? {
            return Ok(Some(settled.instant()));
        }
    }
    Err(ErrorResponse::unavailable())
}
