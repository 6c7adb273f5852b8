//! The log of revocations in the store, which the feed is made of: reading it, and appending what all requests of this process have to say.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    super::{
        feed::{
            Feed, Log, MOST_AT_ONCE, Place, REGISTER, Since,
            intent::{Intent, Wanted},
            queue::{Lead, Queue, Ticket, Turn},
        },
        random,
    },
    Issuer,
    answers::Answers,
    channel::{Channel, Unavailable},
    pause::Pause,
};
use crate::time::UnixSeconds;

/// How many segments are asked for at once.
const SEGMENTS_AT_ONCE: usize = 64;

/// How often a log is begun anew in which something is missing: its register was of a moment that is past.
const READINGS: u32 = 8;

/// As many revocations as are kept for a later append when the store gave no answer.
const MOST_LEFT: usize = 10_000;

/// Between two tries to append, in milliseconds. And between two looks at whether another has done it.
const RACE_MS: (u64, u64) = (4, 250);
const LOOK_MS: (u64, u64) = (2, 40);

/// How often a batch waits for others, at most.
const LINGERS: u32 = 3;

/// Time between two calls of `tend`, in seconds, and the number of revocations after which it is early.
const TEND_SECONDS: u64 = 30;
const TEND_AFTER: u64 = 5000;

/// Something for the log. `before` is the cutoff of a subject or a client.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) wanted: Wanted,
    pub(super) before: UnixSeconds,
}

impl Entry {
    pub(super) fn of(wanted: Wanted) -> Self {
        Entry { wanted, before: UnixSeconds::MAX }
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
    appends: Queue<Entry>,
    /// What could not be appended when it was due.
    left: Mutex<Vec<Entry>>,
    /// Revocations of this process that are on their way to the log.
    coming: Arc<AtomicUsize>,
    pub(super) intents: Queue<Intent>,
    /// The row of intents that this process keeps to, and those that are to be taken out of it.
    pub(super) slot: Mutex<(Option<u8>, Vec<Intent>)>,
    pub(super) answers: Mutex<Answers>,
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

    /// Whether the log is to be tended now; whoever is told so does it.
    pub(super) fn is_due(&self, now: UnixSeconds) -> bool {
        let mut tended = locked(&self.tended);
        let since = tended.0.get_or_insert(now).get();
        let in_time = (since..since.saturating_add(TEND_SECONDS)).contains(&now.get());
        if in_time && tended.1 < TEND_AFTER {
            return false;
        }
        *tended = (Some(now), 0);
        true
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
}

/// Nothing is left half done under these locks, so that a poisoned one is as good as another.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The register as the store has it now.
async fn register(issuer: &Issuer, channel: &Channel) -> Result<Log, Unavailable> {
    let found = channel.read(REGISTER).await?;
    let found = found.as_ref().map(|entry| (entry.version, entry.value.as_str()));
    Log::read(found, issuer.ledger.kept().as_deref()).map_err(|_| Unavailable)
}

/// The whole log as the store has it now. What was read of it stays for the next who asks, also when something fails on the way.
pub(super) async fn read(issuer: &Issuer, channel: &Channel, since: Option<&Since>) -> Result<Arc<Log>, Unavailable> {
    let mut pause = Pause::new(RACE_MS.0, RACE_MS.1);
    for _ in 0..READINGS {
        let mut log = register(issuer, channel).await?;
        if let Some(feed) = &issuer.settings.feed {
            let before = issuer.ledger.place();
            let random = random().map_err(|_| Unavailable)?;
            if let Some(renewed) = feed.renewed(&log, since, before.as_ref(), random, channel.now()) {
                // Held or not, what is true now is yet to be read.
                if !channel.write(renewed).await? {
                    pause.wait(channel).await?;
                }
                continue;
            }
        }
        if let Some(log) = whole(issuer, channel, &mut log).await? {
            return Ok(log);
        }
    }
    Err(Unavailable)
}

/// Reads what is missing of a log; `None` when it is gone.
async fn whole(issuer: &Issuer, channel: &Channel, log: &mut Log) -> Result<Option<Arc<Log>>, Unavailable> {
    let missing = log.missing(channel.now());
    for keys in missing.chunks(SEGMENTS_AT_ONCE) {
        let found = channel.read_many(keys.to_vec()).await?;
        for (key, entry) in keys.iter().zip(&found) {
            let Some(entry) = entry else { return Ok(None) };
            log.take(key, Some(&entry.value)).map_err(|_| Unavailable)?;
        }
        issuer.ledger.keep(&Arc::new(log.clone()));
    }
    let log = Arc::new(core::mem::take(log));
    issuer.ledger.keep(&log);
    Ok(Some(log))
}

/// Appends, together with what others of this process have to append. Done again after an error it may stand there twice, which changes nothing.
///
/// Whoever fails, as a leader or because its time is over, fails alone: the others go on. What it wanted is appended later.
pub(super) async fn append(issuer: &Issuer, channel: &Channel, entries: Vec<Entry>) -> Result<(), Unavailable> {
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
async fn write(issuer: &Issuer, channel: &Channel, feed: &Feed, lead: &Lead<'_, Entry>) -> Result<(), Unavailable> {
    let mut pause = Pause::new(RACE_MS.0, RACE_MS.1);
    loop {
        let log = register(issuer, channel).await?;
        lead.beat();
        let before = issuer.ledger.place();
        let append = {
            let revoked: Vec<_> = lead.values.iter().map(|entry| entry.wanted.revoked(entry.before)).collect();
            let random = random().map_err(|_| Unavailable)?;
            feed.append(&log, before.as_ref(), &revoked, random, channel.now()).map_err(|_| Unavailable)?
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

/// Appends what is not in the log yet: somebody revoked it before, and nobody knows how far that came.
pub(super) async fn ensure(issuer: &Issuer, channel: &Channel, wanted: Wanted) -> Result<(), Unavailable> {
    let Some(feed) = &issuer.settings.feed else { return Ok(()) };
    let log = read(issuer, channel, None).await?;
    if feed.lists(&log, wanted.revoked(UnixSeconds::MAX), channel.now()) {
        return Ok(());
    }
    append(issuer, channel, vec![Entry::of(wanted)]).await
}

/// Appends what was left when the store gave no answer.
pub(super) async fn append_left(issuer: &Issuer, channel: &Channel) -> Result<(), Unavailable> {
    let left = core::mem::take(&mut *locked(&issuer.ledger.left));
    append(issuer, channel, left).await
}
