//! The beginning of a session.

use core::fmt;

use super::{
    configuration::SessionRules,
    cutoff::Cutoff,
    grant::Grant,
    row::{Row, Salt, Status},
    session::{current_token, ends_at},
    session_id::SessionId,
};
use crate::issuer::{bounds, error::IssuerError, random::random, tokens::claims::Claims};
use crate::{policy_error::PolicyError, time::UnixSeconds};

/// Randomness for one session: its identifier and its salt.
#[derive(Clone)]
pub struct Seed {
    sid: [u8; 16],
    salt: [u8; 32],
}

impl Seed {
    /// A seed from the platform's randomness.
    ///
    /// # Errors
    /// No randomness. Nothing weaker is used in its place (RUSTSEC-2026-0075).
    pub fn generate() -> Result<Self, IssuerError> {
        Ok(Seed { sid: random()?, salt: random()? })
    }

    /// A seed of those bytes, which must come from a cryptographic generator and serve once.
    #[must_use]
    pub const fn new(sid: [u8; 16], salt: [u8; 32]) -> Self {
        Seed { sid, salt }
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seed(…)")
    }
}

/// Whom a session is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The subject, whose credentials the application has checked.
    pub subject: String,
    /// The client.
    pub client: String,
    /// Does the client authenticate itself (RFC 6749 §2.1)?
    pub confidential: bool,
    /// The scopes granted, separated by spaces.
    pub scope: Option<String>,
    /// The thumbprint of the DPoP key the session is bound to (RFC 9449 §5).
    pub jkt: Option<String>,
    /// How the subject was authenticated.
    pub acr: Option<String>,
    /// By which methods (`amr`, RFC 8176).
    pub amr: Vec<String>,
    /// Claims of its own, for each of its access tokens.
    pub claims: Claims,
    /// When the subject was authenticated; by default now.
    pub auth_time: Option<UnixSeconds>,
}

impl Start {
    /// Checks what is asked for.
    ///
    /// # Errors
    /// An empty subject or client, one of its texts that is too long or has control characters, a
    /// malformed scope or thumbprint.
    pub fn check(&self) -> Result<(), PolicyError> {
        bounds::check_text("subject", &self.subject, bounds::SUBJECT)?;
        bounds::check_text("client", &self.client, bounds::CLIENT_ID)?;
        self.scope.as_deref().map_or(Ok(()), |scope| bounds::check_scope("scope", scope))?;
        self.acr.as_deref().map_or(Ok(()), |acr| bounds::check_text("acr", acr, bounds::ACR))?;
        self.jkt.as_deref().map_or(Ok(()), |jkt| bounds::check_text("jkt", jkt, bounds::THUMBPRINT))?;
        self.amr.iter().try_for_each(|method| bounds::check_text("amr", method, bounds::AMR))?;
        let (found, most) = (length(&self.amr), bounds::AMR);
        if found > most {
            return Err(PolicyError::at("amr", format!("must have at most {most} bytes as JSON; found {found}")));
        }
        if self.claims.is_empty() && self.amr.is_empty() {
            return Ok(());
        }
        let texts = length(&(&self.subject, &self.client, &self.scope, &self.acr, &self.amr));
        let (found, most) = (texts.saturating_add(self.claims.size()), bounds::WITH_CLAIMS);
        if found > most {
            let reason =
                format!("must have, with the session's other texts, at most {most} bytes as JSON; found {found}");
            return Err(PolicyError::at("claims", reason));
        }
        Ok(())
    }
}

/// How long that is as JSON, in bytes.
fn length(value: &impl serde::Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |text| text.len())
}

/// A new session under the cutoffs of its subject and its client: its row, to be inserted before
/// the grant is handed out.
#[must_use]
pub fn start(start: &Start, seed: &Seed, cutoffs: [Cutoff; 2], now: UnixSeconds, rules: &SessionRules) -> (Row, Grant) {
    let [subject_cutoff, client_cutoff] = cutoffs;
    let expires_at = now.get().saturating_add(rules.configuration.absolute);
    let expires_at = UnixSeconds::new(expires_at).unwrap_or(UnixSeconds::MAX);
    let row = Row {
        sid: SessionId::from_bytes(seed.sid),
        salt: Salt::from_bytes(seed.salt),
        generation: 0,
        rotated_at: now,
        mark: false,
        streak: 0,
        status: Status::Active,
        expires_at,
        ends_at: ends_at(expires_at, now, rules),
        rotates: rules.configuration.rotate_all || !(start.confidential || start.jkt.is_some()),
        client: start.client.clone(),
        subject: start.subject.clone(),
        subject_cutoff,
        client_cutoff,
        scope: start.scope.clone(),
        jkt: start.jkt.clone(),
        acr: start.acr.clone(),
        amr: start.amr.clone(),
        claims: start.claims.clone(),
        auth_time: start.auth_time.unwrap_or(now),
    };
    let grant = Grant::of(&row, row.scope.clone(), row.jkt.clone(), now, rules);
    let token = current_token(&row, now, rules);
    (row, grant.with_refresh_token(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::sessions::{
        configuration::Configuration,
        refresh_token::RefreshToken,
        root_keys::{RootKey, RootKeys},
    };

    const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000).unwrap();

    fn rules(configuration: &str) -> SessionRules {
        let roots = RootKeys::new(RootKey::new([7; 32], UnixSeconds::new(0).unwrap()));
        SessionRules { configuration: Configuration::from_json(configuration).unwrap(), roots }
    }

    fn alice() -> Start {
        let (subject, client) = ("alice".to_owned(), "app".to_owned());
        Start {
            subject,
            client,
            confidential: false,
            scope: None,
            jkt: None,
            acr: None,
            amr: Vec::new(),
            claims: Claims::default(),
            auth_time: None,
        }
    }

    fn begun(request: &Start, configuration: &str) -> (Row, Grant) {
        start(request, &Seed::new([1; 16], [5; 32]), [Cutoff::NONE; 2], NOW, &rules(configuration))
    }

    #[test]
    fn a_session_begins_at_generation_0_and_ends_by_the_earlier_bound() {
        let (row, grant) = begun(&alice(), "{}");
        assert_eq!(
            (row.generation, row.ends_at.get(), row.expires_at.get()),
            (0, NOW.get() + 2_592_000, NOW.get() + 7_776_000)
        );
        let token = RefreshToken::parse(grant.refresh_token.unwrap().as_str()).unwrap();
        assert_eq!((token.sid(), token.generation(), grant.lifetime_seconds), (row.sid, 0, 300));
        let (row, grant) = begun(&alice(), r#"{"idleSeconds":100,"absoluteSeconds":100}"#);
        assert_eq!((row.ends_at, grant.lifetime_seconds), (row.expires_at, 100));
    }

    #[test]
    fn only_unbound_public_clients_rotate_unless_all_shall() {
        let bound = Start { jkt: Some("J".into()), ..alice() };
        let confidential = Start { confidential: true, ..alice() };
        let rotates =
            |configuration| [&alice(), &bound, &confidential].map(|request| begun(request, configuration).0.rotates);
        assert_eq!(rotates("{}"), [true, false, false]);
        assert_eq!(rotates(r#"{"rotateAll":true}"#), [true, true, true]);
    }

    #[test]
    fn what_begins_under_a_cutoff_is_issued_no_earlier() {
        let cutoff = Cutoff::NONE.next(NOW).unwrap();
        let seed = Seed::new([1; 16], [5; 32]);
        for cutoffs in [[cutoff, Cutoff::NONE], [Cutoff::NONE, cutoff]] {
            let (row, grant) = start(&alice(), &seed, cutoffs, NOW, &rules("{}"));
            assert_eq!(([row.subject_cutoff, row.client_cutoff], grant.issued_at), (cutoffs, cutoff.instant()));
            // The token ends no later for it than the session does.
            assert!(grant.issued_at.get() + grant.lifetime_seconds <= row.expires_at.get());
        }
        assert_eq!(begun(&alice(), "{}").1.issued_at, NOW);
    }

    #[test]
    fn a_start_is_checked_by_member_and_no_debug_text_holds_its_seed() {
        let pointer = |request: Start| request.check().unwrap_err().pointer().to_owned();
        assert_eq!(pointer(Start { subject: String::new(), ..alice() }), "/subject");
        assert_eq!(pointer(Start { client: String::new(), ..alice() }), "/client");
        assert_eq!(pointer(Start { scope: Some("a  b".into()), ..alice() }), "/scope");
        assert_eq!(pointer(Start { scope: Some(String::new()), ..alice() }), "/scope");
        assert_eq!(pointer(Start { subject: "a".repeat(513), ..alice() }), "/subject");
        assert_eq!(pointer(Start { acr: Some("a\n".into()), ..alice() }), "/acr");
        assert_eq!(format!("{:?}", Seed::new([5; 16], [5; 32])), "Seed(…)");
    }
}
