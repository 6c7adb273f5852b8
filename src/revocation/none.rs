//! What stands in the place of lists in a build without the feature `revocation`: nothing, and it
//! takes no room. It has the face of `revocations.rs`, so that the pipeline is one text.

use crate::{
    claims::ParsedClaims,
    keys::set::KeySet,
    policy::{Policy, RevocationPolicy},
    rejection::Rejection,
    signature::AuthenticToken,
    time::{UnixSeconds, Validity},
};

/// No lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Revocations(());

impl Revocations {
    /// There is none to take over.
    pub(crate) fn inherit(&mut self, _: Option<&RevocationPolicy>, _: &Revocations, _: Option<&RevocationPolicy>) {}

    /// Nothing stands against a token.
    #[expect(clippy::too_many_arguments, reason = "they are what a verdict rests on")]
    pub(crate) fn check(
        &self,
        _: &Policy,
        _: &KeySet,
        _: &AuthenticToken<'_>,
        _: &ParsedClaims<'_>,
        _: UnixSeconds,
        validity: Validity,
        _: bool,
    ) -> Result<Validity, Rejection> {
        Ok(validity)
    }

    /// Nor against what an authorization server says of one.
    #[expect(clippy::too_many_arguments, reason = "they are what a verdict rests on")]
    pub(crate) fn check_response(
        &self,
        _: &Policy,
        _: usize,
        _: &str,
        _: &ParsedClaims<'_>,
        _: UnixSeconds,
        validity: Validity,
        _: bool,
    ) -> Result<Validity, Rejection> {
        Ok(validity)
    }

    /// No policy asks for a list.
    pub(crate) fn list_is_stale(&self, rules: &RevocationPolicy, _: UnixSeconds) -> bool {
        match *rules {}
    }
}

/// Does it say that no list can tell? Nothing says so here.
pub(crate) fn is_stale(_: &Rejection) -> bool {
    false
}
