//! Cutoffs where no session is: those that tokens of a client's own, or of an exchange, have to come after.

use super::{
    super::cutoff::{Cutoff, Party},
    channel::Channel,
    failure::Failure,
};

/// The later of the cutoffs of a subject and a client.
pub(super) async fn of(channel: &Channel, subject: &str, client: &str) -> Result<Cutoff, Failure> {
    let subject = read(channel, &Party::Subject(subject.to_owned())).await?;
    Ok(subject.max(read(channel, &Party::Client(client.to_owned())).await?))
}

async fn read(channel: &Channel, party: &Party) -> Result<Cutoff, Failure> {
    let found = channel.read(&party.key()).await?;
    Cutoff::stored(found.as_ref().map(|entry| entry.value.as_str()))
        .map_err(|error| Failure::unreadable("a cutoff", error))
}
