//! The keys that a verifier trusts at the moment: those that its policy has built in, and those
//! that issuers publish.

use crate::{
    jws::compact::UnverifiedToken,
    keys::{
        remote::{self, KeyReport},
        set::{Candidates, KeySet},
    },
    policy::Policy,
    policy_error::PolicyError,
    rejection::Rejection,
};

/// Of so many tenants published keys are held at a time. A policy may list a hundred times as many.
const MOST_TENANTS_WITH_KEYS: usize = 1000;

/// The keys of every issuer. What a policy says of issuers stays in the policy, which each
/// question names.
#[derive(Debug)]
pub(crate) struct TrustedKeys {
    set: KeySet,
    /// The JWK Set that was taken last of an issuer, by its index.
    published: Vec<(usize, Box<str>)>,
}

impl TrustedKeys {
    /// Those that are built in.
    pub(crate) fn of(policy: &mut Policy) -> Self {
        TrustedKeys { set: policy.take_keys(), published: Vec::new() }
    }

    pub(crate) fn set(&self) -> &KeySet {
        &self.set
    }

    /// The keys that a token is tried with.
    pub(crate) fn candidates(&self, policy: &Policy, token: &UnverifiedToken<'_>) -> Result<Candidates<'_>, Rejection> {
        let named = || token.by_issuer_unverified(policy.limits(), |name| policy.index_for(name));
        self.set.candidates(token.header(), &named).map_err(|rejection| match rejection {
            Rejection::KidUnknown | Rejection::KidRequired { .. } => {
                let found = |name: Option<&str>| match (policy.index_for(name), name) {
                    (None, None) => None,
                    (found, _) => Some(found),
                };
                let named = token.by_issuer_unverified(policy.limits(), found);
                named.and_then(|issuer| self.lack(policy, issuer)).unwrap_or(rejection)
            }
            other => other,
        })
    }

    /// What a token lacks that no key fits and that names that issuer, where it is more than a
    /// key: the issuer, or all its keys.
    fn lack(&self, policy: &Policy, issuer: Option<usize>) -> Option<Rejection> {
        let Some(issuer) = issuer else { return Some(Rejection::IssuerUnknown { expected: policy.some_names() }) };
        policy.remote_of(issuer).filter(|_| !self.has_published(issuer))?;
        Some(Rejection::KeysNotSet { issuer: policy.issuer_name(issuer)?.to_owned() })
    }

    /// Are published keys of the issuer with that index held?
    pub(crate) fn has_published(&self, issuer: usize) -> bool {
        !self.set.remote_of(issuer).is_empty()
    }

    /// Takes the JWK Set that an issuer publishes, in place of the one it published before.
    ///
    /// # Errors
    /// An issuer without `remote` (`/issuer`); text that is no JWK Set, or has no usable key. The
    /// present keys then stay.
    pub(crate) fn take(&mut self, policy: &Policy, issuer: &str, jwks: &str) -> Result<KeyReport, PolicyError> {
        let found = policy.issuer_index(issuer).filter(|index| policy.remote_of(*index).is_some());
        let index = found.ok_or_else(|| PolicyError::at("issuer", "has no \"remote\" in the policy"))?;
        let (mut keys, mut left_out) = remote::read(jwks, policy.algorithms_of(index))?;
        policy.keep_apart(&mut keys, &mut left_out);
        let changed = self.set.set_remote(index, keys, &mut left_out)?;
        self.published.retain(|(own, _)| *own != index);
        self.published.push((index, jwks.into()));
        self.bound(policy);
        Ok(KeyReport { changed, keys: self.set.remote_of(index), left_out })
    }

    /// Drops the keys of one tenant other than the last one taken, when there are those of too
    /// many: of those under which no signature has held those that were taken first, and then those
    /// that were used longest ago. A stranger can name tenants, and cannot sign for them.
    fn bound(&mut self, policy: &Policy) {
        let tenants = self.published.iter().map(|(issuer, _)| *issuer).filter(|issuer| policy.is_tenant(*issuer));
        if let Some(others) = tenants.clone().count().checked_sub(1).filter(|others| *others >= MOST_TENANTS_WITH_KEYS)
            && let Some(idle) = tenants.take(others).min_by_key(|issuer| self.set.last_use(*issuer))
        {
            self.drop_published(idle);
        }
    }

    /// Drops the keys that an issuer published. Whether there were any.
    pub(crate) fn forget(&mut self, policy: &Policy, issuer: &str) -> bool {
        policy.issuer_index(issuer).is_some_and(|index| self.drop_published(index))
    }

    /// The same of the issuer with that index.
    pub(crate) fn drop_published(&mut self, index: usize) -> bool {
        self.published.retain(|(own, _)| *own != index);
        self.set.forget_remote(index)
    }

    /// Takes over the keys that issuers publish where both policies say that they do. They are
    /// read again by the rules of this policy; a set that is no good by them is not taken.
    pub(crate) fn inherit(&mut self, policy: &Policy, former: &TrustedKeys, former_policy: &Policy) {
        for (theirs, jwks) in &former.published {
            let Some(issuer) = former_policy.issuer_name(*theirs) else { continue };
            let own = policy.issuer_index(issuer).and_then(|own| policy.remote_of(own));
            if own.zip(former_policy.remote_of(*theirs)).is_some_and(|(own, theirs)| own.location == theirs.location) {
                // A set that is refused leaves the issuer without keys, as before its first fetch.
                let _ = self.take(policy, issuer, jwks);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"; // RFC 8037 appendix A.2

    fn jwks() -> String {
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{X}","kid":"k"}}]}}"#)
    }

    /// An issuer that is no tenant, and then so many tenants.
    fn policy(count: usize) -> Policy {
        let names: Vec<String> = (0..count).map(|number| format!("\"t{number}\"")).collect();
        Policy::from_json(&format!(
            r#"{{"issuers":[
                {{"issuer":"https://own.example","audience":"a","remote":{{"jwksUri":"https://own.example/k"}}}},
                {{"issuer":"https://i.example/{{t}}","tenants":[{}],"audience":"a","remote":{{"discovery":"oidc"}}}}]}}"#,
            names.join(",")
        ))
        .unwrap()
    }

    #[test]
    fn the_keys_of_a_thousand_tenants_are_held_and_the_oldest_go_first() {
        let count = MOST_TENANTS_WITH_KEYS + 2;
        let mut policy = policy(count);
        let mut keys = TrustedKeys::of(&mut policy);
        keys.take(&policy, "https://own.example", &jwks()).unwrap();
        for number in 0..count {
            keys.take(&policy, &format!("https://i.example/t{number}"), &jwks()).unwrap();
        }
        let held = |index| keys.has_published(index);
        // The issuer that is no tenant stays, though its keys are the oldest.
        assert!(held(0) && !held(1) && !held(2) && held(3) && held(count));
        assert_eq!(keys.published.len(), MOST_TENANTS_WITH_KEYS + 1);
    }

    #[test]
    fn tenants_that_are_only_named_evict_each_other_and_none_under_whose_key_a_signature_has_held() {
        let count = MOST_TENANTS_WITH_KEYS + 4;
        let mut policy = policy(count);
        let mut keys = TrustedKeys::of(&mut policy);
        let take = |keys: &mut TrustedKeys, number: usize| {
            keys.take(&policy, &format!("https://i.example/t{number}"), &jwks()).unwrap();
        };
        // The tenant with that number is the issuer with the next index.
        let held = |keys: &TrustedKeys, number: usize| keys.has_published(number + 1);
        (0..MOST_TENANTS_WITH_KEYS).for_each(|number| take(&mut keys, number));
        // Those of all tenants but the second, and of the first one last.
        (2..MOST_TENANTS_WITH_KEYS).chain([0]).for_each(|place| keys.set.note_use(place));
        take(&mut keys, 1000);
        assert!(held(&keys, 0) && !held(&keys, 1) && held(&keys, 1000));
        for named in 1001..count {
            take(&mut keys, named);
            assert!(held(&keys, named) && !held(&keys, named - 1), "{named}");
        }
        assert_eq!((2..1000).chain([0]).filter(|number| held(&keys, *number)).count(), 999);
        // When all are used, the one that was used longest ago goes.
        keys.set.note_use(MOST_TENANTS_WITH_KEYS - 1);
        take(&mut keys, 1);
        assert!(!held(&keys, 2) && held(&keys, 0) && held(&keys, 3) && held(&keys, count - 1));
    }
}
