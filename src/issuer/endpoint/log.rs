//! The log of revocations in the store, which the feed is made of: reading on, appending, and folding its beginning.

use std::sync::{Arc, PoisonError};

use super::{
    super::{
        feed::Revoked,
        feed_log::{CHECKPOINT, Log, LogError, NEVER, RETIRED},
        random,
    },
    Issuer,
    channel::{Channel, Unavailable},
    failure::Failure,
};

/// How often a lost race is run again, or a log begun anew that was folded meanwhile.
const ATTEMPTS: u32 = 16;

/// The whole log as the store has it now.
pub(super) async fn read(issuer: &Issuer, channel: &Channel) -> Result<Arc<Log>, Unavailable> {
    let kept = issuer.log.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut kept = kept.filter(|log| !log.is_outdated(channel.now()));
    for _ in 0..ATTEMPTS {
        let mut log = match kept.take() {
            Some(log) => log,
            None => {
                let checkpoint = channel.read(CHECKPOINT).await?;
                let checkpoint = checkpoint.as_ref().map(|entry| entry.value.as_str());
                Arc::new(Log::read(checkpoint, channel.now()).map_err(|_| Unavailable)?)
            }
        };
        if read_on(&mut log, channel).await? {
            *issuer.log.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&log));
            return Ok(log);
        }
    }
    Err(Unavailable)
}

/// Takes the records after those that are known; `false` when they have been folded into the checkpoint.
async fn read_on(log: &mut Arc<Log>, channel: &Channel) -> Result<bool, Unavailable> {
    while let Some(entry) = channel.read(&log.next_key()).await? {
        match Arc::make_mut(log).push(&entry.value) {
            Ok(()) => {}
            Err(LogError::Retired) => return Ok(false),
            Err(LogError::Malformed) => return Err(Unavailable),
        }
    }
    Ok(true)
}

/// Appends a batch of revocations. Done again after an error it may stand there twice, which changes nothing.
pub(super) async fn append(issuer: &Issuer, channel: &Channel, revoked: &[Revoked<'_>]) -> Result<(), Failure> {
    let Some(feed) = &issuer.settings.feed else { return Ok(()) };
    for _ in 0..ATTEMPTS {
        let log = read(issuer, channel).await?;
        let record = feed.append(&log, revoked, random()?, channel.now()).map_err(super::IssuerError::from)?;
        if channel.swap(&record.key, 0, record.value, record.ends_at).await? {
            return Ok(());
        }
    }
    Err(Failure::unavailable())
}

/// Folds the beginning of the log into one entry, once it is long enough. Whoever is between two records reads it anew.
pub(super) async fn fold(issuer: &Issuer, channel: &Channel) -> Result<(), Unavailable> {
    let log = read(issuer, channel).await?;
    let Some(checkpoint) = log.checkpoint(channel.now()) else { return Ok(()) };
    let version = channel.read(CHECKPOINT).await?.map_or(0, |entry| entry.version);
    if channel.swap(CHECKPOINT, version, checkpoint.value, NEVER).await? {
        for key in checkpoint.retired {
            channel.swap(&key, 1, RETIRED.to_owned(), checkpoint.retired_until).await?;
        }
    }
    Ok(())
}
