//! What the model is a model of: clients, a thief, the network between them and the issuer, its
//! store, and a clock.

use std::fmt;

/// Seconds since an arbitrary instant.
pub(crate) type Seconds = u32;

/// What changes in the row of a session; the rest of the row is the same in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Session {
    pub(crate) generation: u8,
    pub(crate) rotated_at: Seconds,
    pub(crate) mark: bool,
    pub(crate) streak: u8,
    pub(crate) revoked: bool,
    pub(crate) ends_at: Seconds,
}

/// A value under its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Kept<T> {
    pub(crate) version: u8,
    pub(crate) value: T,
}

/// One copy of the store: the session's row, and the cutoff of its subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Contents {
    pub(crate) session: Option<Kept<Session>>,
    pub(crate) cutoff: Option<Kept<Seconds>>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Who {
    /// A tab; all of them share one stored token.
    Tab,
    Thief,
    /// The application that the issuer stands in, or its administrator.
    Owner,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum What {
    Refresh(u8),
    /// Refresh with more scope than was granted.
    RefreshWider(u8),
    /// Refresh with a tag that was never made.
    RefreshForged(u8),
    /// Revoke by a token (RFC 7009).
    SignOut(u8),
    Revoke,
    /// End all sessions of the subject.
    CutOff,
}

/// What a step of an operation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Seen {
    Session(Option<Kept<Session>>),
    Cutoff(Option<Kept<Seconds>>),
    Cutoffs(Option<Kept<Seconds>>),
    Swapped(bool),
    Unavailable,
}

/// What an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Waits {
    /// To be read for: the request may be anywhere between its sender and the store.
    Read,
    Swap,
    Cutoffs,
}

/// A request under way. Its operation is a function of what it has seen, and is made again from
/// that.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Flight {
    pub(crate) who: Who,
    pub(crate) what: What,
    pub(crate) waits: Waits,
    pub(crate) sent_at: Seconds,
    pub(crate) seen: Vec<(Seen, Seconds)>,
}

/// A refresh token on its way to its holder, decided on by what was read at that instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Response {
    pub(crate) who: Who,
    pub(crate) generation: u8,
    pub(crate) read_at: Seconds,
}

/// What must not happen, by the names of ROTATION: P1 to P9, and two that its table implies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// gen never falls or skips; one token per generation.
    P1,
    /// What does not authenticate changes nothing.
    P2,
    /// Two behind is reuse and revokes; and the current token rotates when its time has come.
    P3,
    /// Nothing is issued after a revocation, which is final; a row that is gone does not come back.
    P4,
    /// R late replays between clean generations, no more and no fewer.
    P5,
    /// A replay within the window moves nothing.
    P6,
    /// No end passes the absolute bound, nothing is issued after it, no scope widens.
    P7,
    /// A retry within the window gets the current token.
    P8,
    /// A failing store is answered as such, and changes nothing by itself.
    P9,
    /// A token ahead of the store is refused with an alarm, and changes nothing.
    Behind,
    /// Nobody honest is ever two generations behind.
    Honest,
}

/// How much of each is left to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// Messages delivered twice.
    pub(crate) duplicates: u8,
    /// Thefts of the stored token.
    pub(crate) thefts: u8,
    /// Steps of the clock by an hour, in either direction.
    pub(crate) clock_steps: u8,
    /// Losses of the store's latest writes.
    pub(crate) rollbacks: u8,
    /// Calls of the store that fail, before or after they have done their work.
    pub(crate) errors: u8,
    /// Revocations by the owner.
    pub(crate) revocations: u8,
    /// Ends of all sessions of the subject.
    pub(crate) cutoffs: u8,
    /// Tokens that were never made, or ask for more than was granted.
    pub(crate) forgeries: u8,
    /// Sign-outs by a token.
    pub(crate) sign_outs: u8,
}

/// Late replays since the last clean generation, and whether this one is clean: kept apart from
/// the row, to hold it to account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tally {
    pub(crate) late: u8,
    pub(crate) clean: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) now: Seconds,
    pub(crate) primary: Contents,
    /// A copy that lags.
    pub(crate) replica: Contents,
    /// What the primary falls back to when it loses its latest writes.
    pub(crate) backup: Option<(Contents, Tally)>,
    pub(crate) flights: Vec<Flight>,
    pub(crate) responses: Vec<Response>,
    /// The generation of the token that the tabs share.
    pub(crate) stored: u8,
    /// The generations that the thief has a token of, a bit each.
    pub(crate) loot: u16,
    pub(crate) left: Budget,
    pub(crate) tally: Tally,
    /// The latest `iat` of an access token, where there will be cutoffs to judge it by.
    pub(crate) issued_at: Seconds,
    pub(crate) broken: Option<Broken>,
}

/// What can happen next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Tick,
    ClockStep(bool),
    Send(Who, What),
    Steal,
    /// The store's copies: brought up to date, written away, fallen back to.
    Replicate,
    BackUp,
    RollBack,
    Sweep,
    /// The flight is read for: from the replica? And does a duplicate stay behind?
    Read {
        flight: usize,
        stale: bool,
        duplicate: bool,
    },
    /// The flight's next step is carried out.
    Proceed(usize),
    /// The flight's next step fails, before or after it has done its work.
    Fail {
        flight: usize,
        after: bool,
    },
    /// The request is lost, or the process that carries it out dies.
    Lose(usize),
    Receive {
        response: usize,
        duplicate: bool,
    },
    LoseResponse(usize),
}

impl fmt::Debug for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Act::Tick => formatter.write_str("time passes"),
            Act::ClockStep(true) => formatter.write_str("the clock is put on by an hour"),
            Act::ClockStep(false) => formatter.write_str("the clock is put back by an hour"),
            Act::Send(who, what) => write!(formatter, "{who:?} sends {what:?}"),
            Act::Steal => formatter.write_str("the thief copies the stored token"),
            Act::Replicate => formatter.write_str("the replica catches up"),
            Act::BackUp => formatter.write_str("the store is backed up"),
            Act::RollBack => formatter.write_str("the store loses what it wrote since"),
            Act::Sweep => formatter.write_str("the sweep comes by"),
            Act::Read { flight, stale, duplicate } => {
                let copy = if *stale { "the replica" } else { "the primary" };
                let duplicate = if *duplicate { ", and a duplicate of it stays under way" } else { "" };
                write!(formatter, "request {flight} is read for, from {copy}{duplicate}")
            }
            Act::Proceed(flight) => write!(formatter, "request {flight} takes its next step"),
            Act::Fail { flight, after: false } => write!(formatter, "the store fails request {flight}"),
            Act::Fail { flight, after: true } => {
                write!(formatter, "the store fails request {flight} after doing its work")
            }
            Act::Lose(flight) => write!(formatter, "request {flight} is lost"),
            Act::Receive { response, duplicate } => {
                let duplicate = if *duplicate { ", and will be again" } else { "" };
                write!(formatter, "response {response} is received{duplicate}")
            }
            Act::LoseResponse(response) => write!(formatter, "response {response} is lost"),
        }
    }
}
