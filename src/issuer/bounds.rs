//! How long the texts of an access token may be.
//!
//! A token of texts at these bounds, each of them escaped in JSON throughout, is still below the 8
//! KiB that a verifier takes by default ([`Limits`](crate::Limits)): what an issuer signs is
//! accepted, or is refused before anything is written.

use super::scope;
use crate::{
    policy_error::PolicyError,
    time::{Leeway, UnixSeconds},
};

/// The longest issuer identifier, in bytes.
pub(super) const ISSUER: usize = 512;
/// The longest audience.
pub(super) const AUDIENCE: usize = 256;
/// The longest `client_id`.
pub(super) const CLIENT_ID: usize = 256;
/// The longest subject: 255 characters of OpenID Connect Core §2, behind the name of an upstream
/// issuer.
pub(super) const SUBJECT: usize = 512;
/// The longest authentication context (`acr`).
pub(super) const ACR: usize = 256;
/// The longest `nonce` of an authorization request (OpenID Connect Core §3.1.2.1).
pub(super) const NONCE: usize = 512;
/// The longest scope, all its tokens together.
pub(super) const SCOPE: usize = 1024;

/// All methods of authentication (`amr`) together, as JSON.
pub(super) const AMR: usize = 256;
/// The longest claims of a session's own, as JSON.
pub(super) const CLAIMS: usize = 3072;
/// Their deepest nesting, themselves being the first level: that of a token's payload.
pub(super) const CLAIMS_DEPTH: usize = 16;
/// The most members they may have, all levels together: the issuer's own have room beside them.
pub(super) const CLAIMS_MEMBERS: usize = 96;
/// The longest that claims and the other texts of a session may be together, as JSON: with an
/// issuer and an audience at their bounds, the token is still below 8 KiB.
pub(super) const WITH_CLAIMS: usize = 3840;

/// The thumbprint of a key: a SHA-256 in base64url.
pub(super) const THUMBPRINT: usize = 43;

/// Checks a text that goes into a token: it is there, within its bound, and has no control
/// characters, which JSON makes six bytes of and some stores have no place for.
pub(super) fn check_text(member: &str, text: &str, most: usize) -> Result<(), PolicyError> {
    if text.is_empty() {
        return Err(PolicyError::at(member, format!("must not be empty: 1 to {most} bytes are expected")));
    }
    if text.len() > most {
        let found = text.len();
        return Err(PolicyError::at(member, format!("must have at most {most} bytes of UTF-8; found {found}")));
    }
    if let Some((at, found)) = text.chars().enumerate().find(|(_, found)| found.is_control()) {
        let (at, found) = (at.saturating_add(1), u32::from(found));
        let reason = format!("must have no control characters; found U+{found:04X} as character {at}");
        return Err(PolicyError::at(member, reason));
    }
    Ok(())
}

/// Checks scopes, separated by spaces (RFC 6749 §3.3).
pub(super) fn check_scope(member: &str, text: &str) -> Result<(), PolicyError> {
    if !scope::is_scope(text) {
        return Err(PolicyError::at(member, "must be scope tokens separated by single spaces"));
    }
    check_text(member, text, SCOPE)
}

/// Checks that nobody was authenticated in the future. Clocks may differ by the default leeway.
pub(super) fn check_auth_time(member: &str, auth_time: UnixSeconds, now: UnixSeconds) -> Result<(), PolicyError> {
    if auth_time.is_reached(now, Leeway::default()) {
        return Ok(());
    }
    let (found, now) = (auth_time.get(), now.get());
    Err(PolicyError::at(
        member,
        format!(
            "must not be in the future: it is {now} now; found {found}. Write seconds since 1970, not milliseconds"
        ),
    ))
}
