//! The signed documents: a snapshot, or what came since a version.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    Feed,
    cursor::Since,
    log::{Log, fold},
};
use crate::{base64url, policy_error::PolicyError, revocation::snapshot::TYPE, time::UnixSeconds};

/// How long a document may be relied on, in seconds. An edge's policy says less.
const RELIED_SECONDS: u64 = 86_400;

/// The answer to a pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedResponse {
    /// 200; 410 when there is no way from what is held, and the snapshot is to be pulled (RFC 9110
    /// §15.5.11).
    pub status: u16,
    /// One document, signed now.
    pub body: String,
    /// The version that the answer leads to: the `ETag`. Answers are signed anew and must not be
    /// cached (`no-store`).
    pub version: u64,
}

impl Feed {
    /// The answer to a pull, from a log of which every segment was just read.
    ///
    /// # Errors
    /// None that input can cause.
    pub fn answer(&self, log: &Log, since: Option<&Since>, now: UnixSeconds) -> Result<FeedResponse, PolicyError> {
        let version = log.version();
        let head = base64url::encode(&log.place().head);
        let Some(since) = since else {
            let (tokens, cutoffs) = log.fold(now);
            let body = self.document(log, &tokens, &cutoffs, [("head", head.into())], now)?;
            return Ok(FeedResponse { status: 200, body, version });
        };
        let gone = FeedResponse { status: 410, body: String::new(), version };
        let (held, expected) = match since {
            Since::Version(held) => (*held, None),
            Since::Place(place, _) if place.epoch == log.epoch() => (place.version, Some(place.head)),
            // Before anything was revoked, from where every history goes on.
            Since::Place(place, _) if place.epoch == 0 => (0, Some([0; 32])),
            Since::Place(..) => return Ok(gone),
        };
        let Some((from, batches)) = log.since(held) else { return Ok(gone) };
        if expected.is_some_and(|expected| expected != from.head) {
            return Ok(gone);
        }
        let (tokens, mut cutoffs) = fold(batches.into_iter(), now);
        let body = if held == version {
            self.document(log, &tokens, &cutoffs, [("current", head.into())], now)?
        } else {
            // The batch that named one may have expired on the way; a signing key is taken back
            // for good.
            log.name_keys(&mut cutoffs);
            let previous = base64url::encode(&from.head);
            let links = [("since", json!(held)), ("previous", previous.into()), ("head", head.into())];
            self.document(log, &tokens, &cutoffs, links, now)?
        };
        Ok(FeedResponse { status: 200, body, version })
    }

    fn document<const N: usize>(
        &self,
        log: &Log,
        tokens: &[u64],
        cutoffs: &BTreeMap<u64, u64>,
        links: [(&'static str, Value); N],
        now: UnixSeconds,
    ) -> Result<String, PolicyError> {
        let mut bytes: Vec<u8> = tokens.iter().flat_map(|hash| hash.to_be_bytes()).collect();
        bytes.extend(cutoffs.iter().flat_map(|(hash, before)| [hash.to_be_bytes(), before.to_be_bytes()].concat()));
        let mut claims = Map::new();
        let members = [
            ("iss", json!(self.issuer)),
            ("epoch", json!(log.epoch())),
            ("version", json!(log.version())),
            ("iat", json!(now)),
            ("not_after", json!(now.get().saturating_add(RELIED_SECONDS).min(UnixSeconds::MAX.get()))),
            ("key", base64url::encode(log.hash_key().bytes()).into()),
            ("tokens", json!(tokens.len())),
            ("cutoffs", json!(cutoffs.len())),
            ("body", base64url::encode(&Sha256::digest(&bytes)).into()),
            ("cursor", self.cursors.write(&log.place()).into()),
        ];
        for (name, value) in members.into_iter().chain(links) {
            claims.insert(name.to_owned(), value);
        }
        Ok(format!("{}~{}", self.key.sign(TYPE, claims)?, base64url::encode(&bytes)))
    }
}
