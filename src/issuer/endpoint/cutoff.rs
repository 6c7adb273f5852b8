//! Cutoffs where no session is: those that tokens of a client's own, or of an exchange, have to come after.

use super::{
    super::cutoff::{Cutoff, Party},
    channel::{Channel, Unavailable},
};

/// The later of the cutoffs of a subject and a client.
pub(super) async fn of(channel: &Channel, subject: &str, client: &str) -> Result<Cutoff, Unavailable> {
    let subject = read(channel, &Party::Subject(subject.to_owned())).await?;
    Ok(subject.max(read(channel, &Party::Client(client.to_owned())).await?))
}

async fn read(channel: &Channel, party: &Party) -> Result<Cutoff, Unavailable> {
    match channel.read(&party.key()).await? {
        None => Ok(Cutoff::NONE),
        // What was never written is not the same as none.
        Some(entry) => Cutoff::from_json(&entry.value).map_err(|_| Unavailable),
    }
}
