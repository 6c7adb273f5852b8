//! The log of revocations in the store, which the feed is made of: reading it, and appending what
//! all requests of this process have to say.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;

use super::{
    super::{
        feed::{
            Feed, Known, Log, MOST_AT_ONCE, Place, REGISTER, Since,
            intent::{Intent, Wanted},
            queue::{Lead, Queue, Ticket, Turn},
        },
        fleet::{FLEET, Lifetimes},
        random::random,
    },
    Issuer,
    channel::{self, Channel, Unavailable, locked},
    feed_response_cache::FeedResponseCache,
    fleet,
    pause::Pause,
};
use crate::time::UnixSeconds;

/// How many segments are asked for at once.
const SEGMENTS_AT_ONCE: usize = 64;

/// How often a log is begun anew in which something is missing: its register was of a moment that
/// is past.
const READINGS: u32 = 8;

/// What stands in place of a segment that was lost, and for how long, in seconds.
const LOST: &str = "-";
const LOST_SECONDS: u64 = 3600;

/// As many revocations as are kept for a later append when the store gave no answer.
const MOST_LEFT: usize = 10_000;

/// Between two tries to append, in milliseconds. And between two looks at whether another has done
/// it.
const RACE_MS: (u64, u64) = (4, 250);
const LOOK_MS: (u64, u64) = (2, 40);

/// How often a batch waits for others, at most.
const LINGERS: u32 = 3;

/// Time between two calls of `tend`, in seconds, and the number of revocations after which it is
/// early.
const TEND_SECONDS: u64 = 30;
const TEND_AFTER: u64 = 5000;

/// Something for the log. `before` is the cutoff of a subject or a client.
#[derive(Clone, Debug)]
pub(super) struct LogEntry {
    pub(super) wanted: Wanted,
    pub(super) before: UnixSeconds,
}

impl LogEntry {
    pub(super) fn of(wanted: Wanted) -> Self {
        LogEntry { wanted, before: UnixSeconds::MAX }
    }
}

/// A revocation that is on its way to the log.
#[derive(Debug)]
pub(super) struct Coming(Arc<AtomicUsize>);

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a process knows of the log, and what its requests want of it.
#[derive(Debug)]
pub(super) struct Ledger {
    kept: Mutex<Option<Arc<Log>>>,
    appends: Queue<LogEntry>,
    /// What could not be appended when it was due.
    left: Mutex<Vec<LogEntry>>,
    /// Revocations of this process that are on their way to the log.
    coming: Arc<AtomicUsize>,
    pub(super) intents: Queue<Intent>,
    /// The row of intents that this process keeps to, and those that are to be taken out of it.
    pub(super) slot: Mutex<(Option<u8>, Vec<Intent>)>,
    pub(super) answers: Mutex<FeedResponseCache>,
    tended: Mutex<(Option<UnixSeconds>, u64)>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        Ledger {
            kept: Mutex::default(),
            appends: Queue::new(MOST_AT_ONCE),
            left: Mutex::default(),
            coming: Arc::default(),
            intents: Queue::new(MOST_AT_ONCE),
            slot: Mutex::default(),
            answers: Mutex::default(),
            tended: Mutex::default(),
        }
    }

    /// Whether the log is to be tended now; whoever is told so does it. So is the first who asks:
    /// nobody knows of this process yet.
    pub(super) fn is_due(&self, now: UnixSeconds) -> bool {
        let mut tended = locked(&self.tended);
        let in_time =
            tended.0.is_some_and(|since| (since.get()..since.get().saturating_add(TEND_SECONDS)).contains(&now.get()));
        if in_time && tended.1 < TEND_AFTER {
            return false;
        }
        *tended = (Some(now), 0);
        true
    }

    /// Says that it is being tended, so that nobody is asked for what is under way.
    pub(super) fn tends(&self, now: UnixSeconds) {
        *locked(&self.tended) = (Some(now), 0);
    }

    /// Says that a revocation is on its way, until what this gives is dropped.
    pub(super) fn announce(&self) -> Coming {
        self.coming.fetch_add(1, Ordering::Relaxed);
        Coming(Arc::clone(&self.coming))
    }

    pub(super) fn coming(&self) -> usize {
        self.coming.load(Ordering::Relaxed)
    }

    fn kept(&self) -> Option<Arc<Log>> {
        locked(&self.kept).clone()
    }

    /// Where this process has seen the log.
    fn place(&self) -> Option<Place> {
        self.kept().filter(|log| log.epoch() > 0).map(|log| log.place())
    }

    fn keep(&self, log: &Arc<Log>) {
        *locked(&self.kept) = Some(Arc::clone(log));
    }

    /// What this process knows besides what it has just read.
    fn known(&self, token_seconds: u64) -> Known {
        Known { place: self.place(), token_seconds }
    }
}

/// The register as the store has it now.
async fn register(issuer: &Issuer, channel: &Channel) -> Result<Log, Unavailable> {
    began(issuer, channel.read(REGISTER).await?.as_ref())
}

fn began(issuer: &Issuer, found: Option<&channel::StoreEntry>) -> Result<Log, Unavailable> {
    let found = found.map(|entry| (entry.version, entry.value.as_str()));
    Log::read(found, issuer.ledger.kept().as_deref()).map_err(|_| Unavailable)
}

/// The register, and how long tokens live, in one reading. The log does without the latter where
/// that gets no answer, and asks for them once.
async fn register_and_lifetimes(issuer: &Issuer, channel: &Channel) -> Result<(Log, Lifetimes), Unavailable> {
    if !channel.has_failed()
        && let Ok(found) = channel.read_many([REGISTER, FLEET].map(str::to_owned).into()).await
        && let [register, fleet] = found.as_slice()
    {
        return Ok((began(issuer, register.as_ref())?, fleet::told(issuer, fleet.as_ref())));
    }
    Ok((register(issuer, channel).await?, Lifetimes::LONGEST))
}

/// The whole log as the store has it now. What was read of it stays for the next who asks, also
/// when something fails on the way.
pub(super) async fn read(issuer: &Issuer, channel: &Channel, since: Option<&Since>) -> Result<Arc<Log>, Unavailable> {
    let mut pause = Pause::new(RACE_MS.0, RACE_MS.1);
    let mut missed = Vec::new();
    for _ in 0..READINGS {
        let mut log = register(issuer, channel).await?;
        if let Some(feed) = &issuer.settings.feed {
            let known = issuer.ledger.known(0);
            let random = random().map_err(|_| Unavailable)?;
            if let Some(renewed) = feed.renewed(&log, since, &known, random, channel.now()) {
                // Held or not, what is true now is yet to be read.
                if !channel.write(renewed).await? {
                    pause.wait(channel).await?;
                }
                continue;
            }
        }
        let missing = complete(issuer, channel, &mut log).await?;
        if missing.is_empty() {
            let log = Arc::new(log);
            issuer.ledger.keep(&log);
            return Ok(log);
        }
        // The register may have been of a moment that is past, and is read again. What it goes on
        // naming is lost.
        if core::mem::replace(&mut missed, missing.clone()) == missing {
            go_on_without(issuer, channel, &log, &missing).await?;
        }
        pause.wait(channel).await?;
    }
    Err(Unavailable)
}

/// Reads what this process does not hold of a log, and says what is not there, or is not what the
/// register names.
async fn complete(issuer: &Issuer, channel: &Channel, log: &mut Log) -> Result<Vec<String>, Unavailable> {
    let mut missing = Vec::new();
    for keys in log.missing(channel.now()).chunks(SEGMENTS_AT_ONCE) {
        let found = channel.read_many(keys.to_vec()).await?;
        for (key, entry) in keys.iter().zip(&found) {
            if log.take(key, entry.as_ref().map(|entry| entry.value.as_str())).is_err() {
                missing.push(key.clone());
            }
        }
        issuer.ledger.keep(&Arc::new(log.clone()));
    }
    Ok(missing)
}

/// Begins an epoch without segments that the store has lost before their time, and tells the
/// operator. A row that is not there is shown by a swap: a copy that lags would say the same of
/// one that is.
async fn go_on_without(issuer: &Issuer, channel: &Channel, log: &Log, missing: &[String]) -> Result<(), Unavailable> {
    let Some(feed) = &issuer.settings.feed else { return Ok(()) };
    for key in missing {
        let ends_at = channel.now().get().saturating_add(LOST_SECONDS);
        if channel.swap(key, 0, LOST.to_owned(), ends_at).await? {
            continue;
        }
        let found = channel.read(key).await?;
        if found.is_none_or(|entry| log.clone().take(key, Some(&entry.value)).is_ok()) {
            return Ok(());
        }
    }
    let known = issuer.ledger.known(0);
    if let Some(register) = feed.without(log, missing, &known, channel.now())
        && channel.write(register).await?
    {
        channel.report(json!({ "kind": "store_behind", "at": channel.now() }));
    }
    Ok(())
}

/// Appends, together with what others of this process have to append. Done again after an error it
/// may stand there twice, which changes nothing.
///
/// Whoever fails, as a leader or because its time is over, fails alone: the others go on. What it
/// wanted is appended later.
pub(super) async fn append(issuer: &Issuer, channel: &Channel, entries: Vec<LogEntry>) -> Result<(), Unavailable> {
    let Some(feed) = &issuer.settings.feed else { return Ok(()) };
    if entries.is_empty() {
        return Ok(());
    }
    let mut ticket = issuer.ledger.appends.join(entries);
    let outcome = lead_or_wait(issuer, channel, feed, &mut ticket).await;
    if outcome.is_err() {
        let mut left = locked(&issuer.ledger.left);
        let room = MOST_LEFT.saturating_sub(left.len());
        left.extend(issuer.ledger.appends.withdraw(&ticket).into_iter().take(room));
    }
    outcome
}

async fn lead_or_wait(issuer: &Issuer, channel: &Channel, feed: &Feed, ticket: &mut Ticket) -> Result<(), Unavailable> {
    let (mut pause, mut waited) = (Pause::new(LOOK_MS.0, LOOK_MS.1), 0);
    // Those who are right behind are taken along.
    for _ in 0..LINGERS {
        if issuer.ledger.coming() > 0 {
            pause.wait(channel).await?;
        }
    }
    loop {
        match issuer.ledger.appends.turn(ticket, waited) {
            Turn::Settled(true) => return Ok(()),
            Turn::Settled(false) => return Err(Unavailable),
            Turn::Wait => waited = pause.wait(channel).await?,
            Turn::Lead(lead) => {
                waited = 0;
                // After an error the lead is dropped: what it was to write waits again.
                write(issuer, channel, feed, &lead).await?;
                lead.settle(true);
            }
        }
    }
}

/// Writes one batch, however many races are lost on the way: each is a batch of somebody else's.
async fn write(issuer: &Issuer, channel: &Channel, feed: &Feed, lead: &Lead<'_, LogEntry>) -> Result<(), Unavailable> {
    let mut pause = Pause::new(RACE_MS.0, RACE_MS.1);
    loop {
        let (log, lifetimes) = register_and_lifetimes(issuer, channel).await?;
        lead.beat();
        let known = issuer.ledger.known(lifetimes.token);
        let append = {
            let revoked: Vec<_> = lead.values.iter().map(|entry| entry.wanted.revoked(entry.before)).collect();
            let random = random().map_err(|_| Unavailable)?;
            feed.append(&log, &known, &revoked, random, channel.now()).map_err(|_| Unavailable)?
        };
        if let Some(segment) = append.segment {
            // One that is there already is the same: its key says what is in it.
            channel.write(segment).await?;
            lead.beat();
        }
        if channel.write(append.register).await? {
            let mut tended = locked(&issuer.ledger.tended);
            tended.1 = tended.1.saturating_add(u64::try_from(lead.values.len()).unwrap_or_default());
            return Ok(());
        }
        lead.beat();
        pause.wait(channel).await?;
    }
}

/// Appends what is not in the log yet: somebody revoked it before, and nobody knows how far that
/// came.
pub(super) async fn ensure(issuer: &Issuer, channel: &Channel, wanted: Wanted) -> Result<(), Unavailable> {
    let Some(feed) = &issuer.settings.feed else { return Ok(()) };
    let log = read(issuer, channel, None).await?;
    if feed.lists(&log, wanted.revoked(UnixSeconds::MAX), channel.now()) {
        return Ok(());
    }
    append(issuer, channel, vec![LogEntry::of(wanted)]).await
}

/// Appends what was left when the store gave no answer.
pub(super) async fn append_left(issuer: &Issuer, channel: &Channel) -> Result<(), Unavailable> {
    let left = core::mem::take(&mut *locked(&issuer.ledger.left));
    append(issuer, channel, left).await
}
