//! What a grant is admitted by, once it is known to be authentic.
//!
//! The order is what keeps strangers out of it: first the address (before anything), then the
//! grant, then its client. One who only knows the name of a session or of a public client uses up
//! nothing of theirs, and leaves no proof in the store.

use super::{
    Issuer,
    authenticate::Caller,
    channel::Channel,
    dpop_proof::{self, Proof},
    error_response::ErrorResponse,
    rate_limit, session_operations,
};
use crate::issuer::sessions::{
    refresh_token::RefreshToken,
    row::{Row, Status},
};

/// A refresh request that has still to be counted, and its proof to be used up.
pub(super) struct Admission<'a> {
    caller: &'a Caller<'a>,
    token: RefreshToken,
    proof: Option<&'a Proof>,
    is_counted: bool,
}

impl<'a> Admission<'a> {
    pub(super) fn new(caller: &'a Caller<'a>, token: RefreshToken, proof: Option<&'a Proof>) -> Self {
        Admission { caller, token, proof, is_counted: false }
    }

    /// Counts the use of an authentic token, once, when its row is read.
    pub(super) async fn count(&mut self, issuer: &Issuer, channel: &Channel, value: &str) -> Result<(), ErrorResponse> {
        let authentic = |row: &Row| session_operations::is_authentic(issuer, channel, &self.token, row);
        let Some(row) = Row::from_json(value).ok().filter(|row| !self.is_counted && authentic(row)) else {
            return Ok(());
        };
        self.is_counted = true;
        let rate = Some(issuer.settings.session_rate);
        rate_limit::check(channel, format!("session/{}", self.token.sid()), rate).await?;
        // Another client's limit is none of this one's.
        if row.client == self.caller.client.id { self.caller.count_public(channel).await } else { Ok(()) }
    }

    /// Uses the proof up before the row is written, if the row grants anything.
    pub(super) async fn prove(&mut self, channel: &Channel, value: &str) -> Result<(), ErrorResponse> {
        match Row::from_json(value) {
            Ok(row) if row.status == Status::Active => dpop_proof::remember(self.proof.take(), channel).await,
            _ => Ok(()),
        }
    }
}
