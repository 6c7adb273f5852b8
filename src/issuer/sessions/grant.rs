//! What a session yields: the claims of an access token and, when it is due, a refresh token.

use serde_json::json;

use super::{configuration::SessionRules, refresh_token::IssuedRefreshToken, row::Row, session_id::SessionId};
use crate::issuer::tokens::{claims::Claims, mint::AccessTokenRequest};
use crate::{policy_error::PolicyError, time::UnixSeconds};

/// What a token response is made of (RFC 6749 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The token to refresh with from now on, unless the one presented stays in use.
    pub refresh_token: Option<IssuedRefreshToken>,
    /// The session.
    pub sid: SessionId,
    /// Its generation.
    pub generation: u32,
    /// Its subject.
    pub subject: String,
    /// Its client.
    pub client: String,
    /// The scope of the access token: never more than the session's.
    pub scope: Option<String>,
    /// The thumbprint of the key that the access token is bound to.
    pub jkt: Option<String>,
    /// How the subject was authenticated.
    pub acr: Option<String>,
    /// By which methods (RFC 8176).
    pub amr: Vec<String>,
    /// The session's own claims.
    pub claims: Claims,
    /// When the subject was authenticated.
    pub auth_time: UnixSeconds,
    /// What the access token gives as `iat`: now, or the cutoff that the session began under, if
    /// that is later by a clock's step or in the second of a new sign-in.
    pub issued_at: UnixSeconds,
    /// How long the access token lives: never past the end of the session.
    pub lifetime_seconds: u64,
}

impl Grant {
    pub(in crate::issuer) fn of(
        row: &Row,
        scope: Option<String>,
        jkt: Option<String>,
        now: UnixSeconds,
        rules: &SessionRules,
    ) -> Self {
        let issued_at = row.subject_cutoff.max(row.client_cutoff).issued_at(now);
        let left = row.expires_at.get().saturating_sub(issued_at.get());
        Grant {
            refresh_token: None,
            sid: row.sid,
            generation: row.generation,
            subject: row.subject.clone(),
            client: row.client.clone(),
            scope,
            jkt,
            acr: row.acr.clone(),
            amr: row.amr.clone(),
            claims: row.claims.clone(),
            // Another process, whose clock was ahead, may have begun the session.
            auth_time: row.auth_time.min(issued_at),
            issued_at,
            lifetime_seconds: rules.configuration.access_token.min(left),
        }
    }

    pub(in crate::issuer) fn with_refresh_token(self, token: IssuedRefreshToken) -> Self {
        Grant { refresh_token: Some(token), ..self }
    }

    /// The access token with `sid`, `gen`, `auth_time` and `acr` (RFC 9068 §2.2.1), to be signed
    /// (RFC 9068) as issued at [`Grant::issued_at`], and only once its grant is an outcome.
    ///
    /// # Errors
    /// An empty issuer or audience.
    pub fn access_token(&self, issuer: &str, audience: &str) -> Result<AccessTokenRequest, PolicyError> {
        let acr = self.acr.as_ref().map(|acr| ("acr", json!(acr)));
        let amr = (!self.amr.is_empty()).then(|| ("amr", json!(self.amr)));
        let session = [("sid", json!(self.sid)), ("gen", json!(self.generation)), ("auth_time", json!(self.auth_time))];
        Ok(AccessTokenRequest::new(issuer, audience, &self.subject, &self.client)?
            .granted(self.lifetime_seconds, self.scope.as_deref(), self.jkt.as_deref())
            .with_claims(session.into_iter().chain(acr).chain(amr))
            .with_own(&self.claims))
    }
}
