//! What one policy takes over from the one before it.

use crate::policy::Policy;

impl Policy {
    /// Takes over the keys that issuers publish where both policies say that they do. They are read again by the rules of
    /// this policy; a set that is no good by them is not taken.
    pub(crate) fn inherit_keys(&mut self, former: &Policy) {
        for theirs in &former.rules {
            let own = self.rules.iter().find(|own| own.issuer == theirs.issuer);
            let same = own.and_then(|own| own.remote.as_ref()).zip(theirs.remote.as_ref());
            if let (Some((own, theirs_at)), Some(jwks)) = (same, &theirs.published)
                && own.location == theirs_at.location
            {
                // A set that is refused leaves the issuer without keys, as before its first fetch.
                let _ = self.set_remote_keys(&theirs.issuer, jwks);
            }
        }
    }
}
