//! The feed of revocations: a log in the issuer's store, and the signed documents that edges pull
//! (`crate::revocation::snapshot`).
//!
//! `DESIGN.md` beside this file says which rows there are, what is done with them, and what holds
//! at all times. Nothing here reads or writes: whoever has a store does so, in these loops
//! (`swap(w)` is `store.swap(w.key, w.expected, w.value, w.ends_at)`):
//!
//! ```text
//! read:    log = Log::read(store.read(REGISTER)?, the log of the last reading)?
//!          for key in log.missing(now) { log.take(key, store.read(key)?)? }
//! append:  log = Log::read(store.read(REGISTER)?, …)?;  append = feed.append(&log, &known, &revoked, random, now)?
//!          if let Some(segment) = append.segment { swap(segment) }             // `false`: it is there already
//!          if !swap(append.register) { wait, and begin again }                 // another was faster
//! serve:   read; if let Some(renewed) = feed.renewed(&log, &since, &known, random, now) { swap(renewed); read again }
//!          feed.answer(&log, since, now)                                       // GET /revocations[?since=…]
//! ```
//!
//! The register is to be read anew before it is served from: what was appended before the reading
//! began is then in the answer, and the answer's `iat` says so truthfully.

mod batch;
mod cursor;
mod register;
mod log;
mod document;
pub mod intent;
pub mod queue;

use core::fmt;
use std::collections::BTreeMap;

use super::tokens::signing_key::SigningKey;
pub use cursor::{Place, Proven, Since};
pub use document::FeedResponse;
pub use log::Log;
pub use register::{NEVER, REGISTER, Write};

use crate::{
    policy_error::PolicyError,
    revocation::HashKey,
    time::{Leeway, UnixSeconds},
};
use batch::Batch;
use cursor::Cursors;
use register::Register;

/// As many revocations as one batch takes.
pub const MOST_AT_ONCE: usize = 1000;

/// The store gave what was never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogError;

impl fmt::Display for LogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the store returned a row of the revocation log that cannot be decoded")
    }
}

impl core::error::Error for LogError {}

/// One thing that is taken back. Texts are compared as the claims of a token are, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked<'r> {
    /// One token, by its `jti`.
    Token(&'r str),
    /// A session, by its `sid`: all of its tokens, whenever they were issued.
    Session(&'r str),
    /// What the issuer issued before the instant.
    IssuerBefore(UnixSeconds),
    /// What a client was issued before the instant, by `client_id`.
    ClientBefore(&'r str, UnixSeconds),
    /// What a subject was issued before the instant, by `sub`.
    SubjectBefore(&'r str, UnixSeconds),
    /// What was issued in a session before the instant, by `sid`.
    SessionBefore(&'r str, UnixSeconds),
    /// All that was or will be signed with a key, by its `kid`: a thief writes any `iat`.
    Key(&'r str),
}

/// What a process knows besides the log that it has just read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Where it has seen the log before.
    pub place: Option<Place>,
    /// How long access tokens live that other configurations of this issuer have issued, in
    /// seconds.
    pub token_seconds: u64,
}

/// What an append writes: the segment first, if there is one, and then the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// A segment. It may be there already: its key says what is in it.
    pub segment: Option<Write>,
    /// The register.
    pub register: Write,
}

/// Writes the feed of one issuer, with a key of its own that signs no tokens.
#[derive(Debug)]
pub struct Feed {
    key: SigningKey,
    cursors: Cursors,
    issuer: String,
    entry_seconds: u64,
}

impl Feed {
    /// The feed of that `iss`, whose access tokens live for at most so many seconds: an entry
    /// lives as long, and for the leeway of verifiers.
    ///
    /// # Errors
    /// An empty issuer (`/issuer`); a key that is among those that sign tokens, by the JWK Set
    /// that is published (`/feedKey`).
    pub fn new(
        key: SigningKey,
        issuer: &str,
        longest_token_seconds: u64,
        token_kids: &[&str],
    ) -> Result<Self, PolicyError> {
        if issuer.is_empty() {
            return Err(PolicyError::at("issuer", "must not be empty"));
        }
        if token_kids.contains(&key.kid()) {
            return Err(PolicyError::at("feedKey", "must sign nothing but lists of revocations"));
        }
        let cursors = Cursors { key: key.derived(b"portcullis feed cursor"), issuer: issuer.to_owned() };
        let entry_seconds = longest_token_seconds.saturating_add(Leeway::CAP);
        Ok(Feed { key, cursors, issuer: issuer.to_owned(), entry_seconds })
    }

    /// The public half of its key as a JWK Set: what an edge's policy says in `revocation.jwks`.
    #[must_use]
    pub fn jwks(&self) -> String {
        self.key.jwks()
    }

    /// What a pull goes on from: the digits of a version, or a cursor; `None` for anything else.
    #[must_use]
    pub fn since(&self, text: &str) -> Option<Since> {
        self.cursors.read(text)
    }

    /// What takes these back. `random` becomes the key of all hashes when it is the first of the
    /// log, and is not used otherwise.
    ///
    /// # Errors
    /// Nothing to revoke, or more than [`MOST_AT_ONCE`] (`/revoked`).
    pub fn append(
        &self,
        log: &Log,
        known: &Known,
        revoked: &[Revoked<'_>],
        random: [u8; 16],
        now: UnixSeconds,
    ) -> Result<Append, PolicyError> {
        if revoked.is_empty() || revoked.len() > MOST_AT_ONCE {
            return Err(PolicyError::at("revoked", format!("must be from 1 to {MOST_AT_ONCE} revocations")));
        }
        let hold = self.hold(known);
        let mut register = self
            .renewed_register(log, known.place.as_ref(), random, now)
            .unwrap_or_else(|| self.register(log, random, now));
        register.clocks = register.clocks.after(now.get(), hold);
        let (mut tokens, mut cutoffs, mut kids) = (Vec::new(), BTreeMap::new(), Vec::new());
        for entry in revoked {
            self.enter(&register.key, *entry, &mut tokens, &mut cutoffs, &mut kids);
        }
        // A token that a cutoff refuses may have been issued until then, and lives on for as long
        // as any.
        let begins = cutoffs.values().copied().max().unwrap_or_default().max(register.clocks.present());
        let expires = begins.saturating_add(hold).min(NEVER);
        let mut batch = Batch { expires, tokens: log::ascending(tokens), cutoffs };
        for name in &kids {
            batch.cutoffs.insert(*name, NEVER);
        }
        if kids.iter().filter(|name| !register.keep_key(**name)).count() > 0 {
            batch.expires = NEVER;
        }
        let (register, segment) = register.with(batch, register.clocks.past(hold));
        Ok(Append { segment, register: register.write(log.stored_version()) })
    }

    /// What begins another epoch, if one is due: a place is proven that the log does not lead to,
    /// by an edge's cursor or by what this process has read before; or this feed key is new to the
    /// log. A reading that was stale makes a write whose swap fails.
    #[must_use]
    pub fn renewed(
        &self,
        log: &Log,
        since: Option<&Since>,
        known: &Known,
        random: [u8; 16],
        now: UnixSeconds,
    ) -> Option<Write> {
        let proven = match since {
            Some(Since::Place(place, Proven::Yes)) => Some(place),
            _ => None,
        };
        let register = self
            .renewed_register(log, proven, random, now)
            .or_else(|| self.renewed_register(log, known.place.as_ref(), random, now))?;
        Some(self.stamped(register, log, known, now))
    }

    /// What goes on without these segments, which the store has lost before their time: in another
    /// epoch, so that edges keep what they hold.
    #[must_use]
    pub fn without(&self, log: &Log, lost: &[String], known: &Known, now: UnixSeconds) -> Option<Write> {
        let mut register = log.register.as_deref()?.clone();
        register.segments.retain(|segment| !lost.contains(&register::segment_key(&segment.id)));
        self.begin_epoch(&mut register, log.epoch(), now);
        Some(self.stamped(register, log, known, now))
    }

    fn stamped(&self, mut register: Register, log: &Log, known: &Known, now: UnixSeconds) -> Write {
        register.clocks = register.clocks.after(now.get(), self.hold(known));
        register.write(log.stored_version())
    }

    /// How long an entry matters: no token that it could concern lives longer, of whatever
    /// configuration it is.
    fn hold(&self, known: &Known) -> u64 {
        self.entry_seconds.max(known.token_seconds.saturating_add(Leeway::CAP))
    }

    /// Is that session or token listed?
    #[must_use]
    pub fn lists(&self, log: &Log, revoked: Revoked<'_>, now: UnixSeconds) -> bool {
        let name = match revoked {
            Revoked::Token(jti) => log.hash_key().hash("jti", &self.issuer, jti),
            Revoked::Session(sid) => log.hash_key().hash("sid", &self.issuer, sid),
            _ => return false,
        };
        log.names(name, now)
    }

    /// The register that the log has, or its beginning.
    fn register(&self, log: &Log, random: [u8; 16], now: UnixSeconds) -> Register {
        let known = log.register.as_deref().cloned();
        known.unwrap_or_else(|| Register::new(now.get(), HashKey::new(random), self.key.kid()))
    }

    fn renewed_register(
        &self,
        log: &Log,
        lost: Option<&Place>,
        random: [u8; 16],
        now: UnixSeconds,
    ) -> Option<Register> {
        let lost = lost.filter(|place| log.has_lost(place));
        let is_new = log.register.as_ref().is_some_and(|it| !it.signers.iter().any(|kid| kid == self.key.kid()));
        if lost.is_none() && !is_new {
            return None;
        }
        let mut register = self.register(log, random, now);
        self.begin_epoch(&mut register, lost.map_or(0, |place| place.epoch).max(log.epoch()), now);
        Some(register)
    }

    /// By the clock, so that no edge has heard of it, and later than any that is known, whatever
    /// the clock says.
    fn begin_epoch(&self, register: &mut Register, last: u64, now: UnixSeconds) {
        register.epoch = now.get().max(last.saturating_add(1));
        register.sign_with(self.key.kid());
    }

    fn enter(
        &self,
        key: &HashKey,
        entry: Revoked<'_>,
        tokens: &mut Vec<u64>,
        cutoffs: &mut BTreeMap<u64, u64>,
        kids: &mut Vec<u64>,
    ) {
        let hash = |claim, value| key.hash(claim, &self.issuer, value);
        let (name, before) = match entry {
            Revoked::Token(jti) => return tokens.push(hash("jti", jti)),
            Revoked::Session(sid) => return tokens.push(hash("sid", sid)),
            Revoked::Key(kid) => return kids.push(hash("kid", kid)),
            Revoked::IssuerBefore(before) => (hash("iss", ""), before),
            Revoked::ClientBefore(client_id, before) => (hash("client_id", client_id), before),
            Revoked::SubjectBefore(sub, before) => (hash("sub", sub), before),
            Revoked::SessionBefore(sid, before) => (hash("sid", sid), before),
        };
        let known = cutoffs.entry(name).or_insert(0);
        *known = before.get().max(*known);
    }
}
