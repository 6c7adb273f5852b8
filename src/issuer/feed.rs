//! The feed of revocations: a log in the issuer's store, and the signed documents that edges pull (`crate::revocation::snapshot`).
//!
//! Record n of the log is a batch of revocations and makes version n. It holds the delta that was signed for it, whose hash the next one
//! continues. Nothing here reads or writes: whoever has a store does so, in these loops (keys and values are the store's):
//!
//! ```text
//! read:    log = the one of the last request unless log.is_outdated(now), else Log::read(store.read(CHECKPOINT)?)
//!          while let Some(value) = store.read(log.next_key()) { log.push(value)? }       // `Retired`: begin with Log::read again
//! append:  record = feed.append(&log, &revoked, random, now)?
//!          if store.swap(record.key, 0, record.value, record.ends_at) { log.push(record.value)? }
//!          else { read on, and append again }                                             // another was faster
//! serve:   read; feed.answer(&log, since, now)                                            // GET /revocations[?since=N]
//! sweep:   if let Some(checkpoint) = log.checkpoint(now) && store.swap(CHECKPOINT, version read or 0, checkpoint.value, NEVER) {
//!              for key in checkpoint.retired { store.swap(key, 1, RETIRED, checkpoint.retired_until) }
//!          }
//! ```
//!
//! A log is to be read anew before it is served from: what was appended before the reading began is then in the answer, and the answer's `iat`
//! says so truthfully.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    feed_log::{Batch, Log, Record},
    signing_key::SigningKey,
};
use crate::{
    base64url,
    policy_error::PolicyError,
    revocation::{
        HashKey,
        snapshot::{Head, TYPE},
    },
    time::{Leeway, UnixSeconds},
};

/// How long a snapshot or a renewal may be relied on, in seconds. An edge's policy says less.
const RELIED_SECONDS: u64 = 86_400;

/// As many revocations as one batch takes.
pub const MOST_AT_ONCE: usize = 10_000;

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

/// Writes the feed of one issuer, with a key of its own that signs no tokens.
#[derive(Debug)]
pub struct Feed {
    key: SigningKey,
    issuer: String,
    entry_seconds: u64,
}

/// The answer to a pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200; 410 when the deltas since then are gone, and the snapshot is to be pulled (RFC 9110 §15.5.11).
    pub status: u16,
    /// Documents, joined by line feeds: a snapshot, or deltas and a renewal after them, so that there is always one that was signed now.
    pub body: String,
    /// The version that the answer leads to: the `ETag`. Answers are signed anew and must not be cached (`no-store`).
    pub version: u64,
}

impl Feed {
    /// The feed of that `iss`, whose access tokens live for at most so many seconds: an entry lives as long, and for the leeway of verifiers.
    ///
    /// # Errors
    /// An empty issuer (`/issuer`); a key that is among those that sign tokens, by the JWK Set that is published (`/feedKey`).
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
        Ok(Feed { key, issuer: issuer.to_owned(), entry_seconds: longest_token_seconds.saturating_add(Leeway::CAP) })
    }

    /// The public half of its key as a JWK Set: what an edge's policy says in `revocation.jwks`.
    #[must_use]
    pub fn jwks(&self) -> String {
        self.key.jwks()
    }

    /// The record that takes these back. `random` becomes the key of all hashes when it is the first of the log, and is not used otherwise.
    ///
    /// # Errors
    /// Nothing to revoke, or more than [`MOST_AT_ONCE`] (`/revoked`).
    pub fn append(
        &self,
        log: &Log,
        revoked: &[Revoked<'_>],
        random: [u8; 16],
        now: UnixSeconds,
    ) -> Result<Record, PolicyError> {
        if revoked.is_empty() || revoked.len() > MOST_AT_ONCE {
            return Err(PolicyError::at("revoked", format!("must be from 1 to {MOST_AT_ONCE} revocations")));
        }
        let hash_key = log.hash_key().copied().unwrap_or(HashKey::new(random));
        let (tokens, cutoffs) = self.entries(&hash_key, revoked);
        // A token that a cutoff refuses may have been issued until then, and lives on for as long as any.
        let begins = cutoffs.values().copied().max().unwrap_or_default().max(now.get());
        let expires = begins.saturating_add(self.entry_seconds).min(UnixSeconds::MAX.get());
        let version = log.version().saturating_add(1);
        let document = self.document(
            &Body { tokens: &tokens, cutoffs: &cutoffs },
            &hash_key,
            version,
            ("previous", log.head()),
            (now.get(), expires),
        )?;
        Ok(Record::new(version, &Batch { expires, tokens, cutoffs }, &hash_key, &document))
    }

    /// The answer to a pull, from a log that was just read.
    ///
    /// # Errors
    /// None that input can cause.
    pub fn answer(&self, log: &Log, since: Option<u64>, now: UnixSeconds) -> Result<Answer, PolicyError> {
        let version = log.version();
        let key = log.hash_key().copied().unwrap_or(HashKey::new([0; 16]));
        let times = (now.get(), now.get().saturating_add(RELIED_SECONDS).min(UnixSeconds::MAX.get()));
        let Some(since) = since else {
            let (tokens, cutoffs) = log.fold(now);
            let body = Body { tokens: &tokens, cutoffs: &cutoffs };
            let body = self.document(&body, &key, version, ("head", log.head()), times)?;
            return Ok(Answer { status: 200, body, version });
        };
        let Some(mut documents) = log.deltas(since, now) else {
            return Ok(Answer { status: 410, body: String::new(), version });
        };
        let nothing = Body { tokens: &[], cutoffs: &BTreeMap::new() };
        let renewal = self.document(&nothing, &key, version, ("current", log.head()), times)?;
        documents.push(&renewal);
        Ok(Answer { status: 200, body: documents.join("\n"), version })
    }

    fn entries(&self, key: &HashKey, revoked: &[Revoked<'_>]) -> (Vec<u64>, BTreeMap<u64, u64>) {
        let (mut tokens, mut cutoffs) = (Vec::new(), BTreeMap::new());
        for entry in revoked {
            let hash = |claim, value| key.hash(claim, &self.issuer, value);
            let (name, before) = match *entry {
                Revoked::Token(jti) => {
                    tokens.push(hash("jti", jti));
                    continue;
                }
                Revoked::Session(sid) => {
                    tokens.push(hash("sid", sid));
                    continue;
                }
                Revoked::IssuerBefore(before) => (hash("iss", ""), before),
                Revoked::ClientBefore(client_id, before) => (hash("client_id", client_id), before),
                Revoked::SubjectBefore(sub, before) => (hash("sub", sub), before),
                Revoked::SessionBefore(sid, before) => (hash("sid", sid), before),
                Revoked::Key(kid) => (hash("kid", kid), UnixSeconds::MAX),
            };
            let known = cutoffs.entry(name).or_insert(0);
            *known = before.get().max(*known);
        }
        tokens.sort_unstable();
        tokens.dedup();
        (tokens, cutoffs)
    }

    fn document(
        &self,
        body: &Body<'_>,
        key: &HashKey,
        version: u64,
        (link, head): (&str, &Head),
        (issued_at, not_after): (u64, u64),
    ) -> Result<String, PolicyError> {
        let bytes = body.bytes();
        let mut claims = Map::new();
        for (name, value) in [
            ("version", json!(version)),
            ("iat", json!(issued_at)),
            ("not_after", json!(not_after)),
            ("key", base64url::encode(key.bytes()).into()),
            ("tokens", json!(body.tokens.len())),
            ("cutoffs", json!(body.cutoffs.len())),
            ("body", base64url::encode(&Sha256::digest(&bytes)).into()),
            (link, base64url::encode(head).into()),
        ] {
            claims.insert(name.to_owned(), Value::clone(&value));
        }
        Ok(format!("{}~{}", self.key.sign(TYPE, claims)?, base64url::encode(&bytes)))
    }
}

/// What a document lists.
struct Body<'b> {
    tokens: &'b [u64],
    cutoffs: &'b BTreeMap<u64, u64>,
}

impl Body<'_> {
    fn bytes(&self) -> Vec<u8> {
        let tokens = self.tokens.iter().flat_map(|hash| hash.to_be_bytes());
        let cutoffs = self.cutoffs.iter().flat_map(|(hash, before)| [hash.to_be_bytes(), before.to_be_bytes()]);
        tokens.chain(cutoffs.flatten()).collect()
    }
}
