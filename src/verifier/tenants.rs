//! Tenants that a resolver admits become issuers of a verifier while it runs.

use crate::{policy::TenantResolver, verifier::Verifier};

impl Verifier {
    /// Has that resolver say which tenants of issuers with `"tenants": "resolver"` are ours.
    /// Without one none of them is.
    #[must_use]
    pub fn with_tenant_resolver(mut self, resolver: impl TenantResolver + 'static) -> Self {
        self.policy = self.policy.with_tenant_resolver(resolver);
        self
    }

    /// Whether there is an issuer of that name: one that is configured, or a tenant that the
    /// resolver admits.
    pub(crate) fn admit_tenant(&mut self, issuer: &str) -> bool {
        if self.policy.issuer_index(issuer).is_none() {
            let Some(rules) = self.policy.resolve(issuer) else { return false };
            if let Some(replaced) = self.policy.admit(rules, |index| self.keys.set().last_use(index)) {
                self.keys.drop_published(replaced);
            }
        }
        true
    }

    /// Lets a tenant go that was admitted, with its keys; whether there was one.
    #[cfg(feature = "gate-js")]
    pub(crate) fn withdraw_tenant(&mut self, issuer: &str) -> bool {
        let withdrawn = self.policy.withdraw(issuer);
        withdrawn.is_some_and(|index| {
            self.keys.drop_published(index);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use crate::{
        UnixSeconds, Verifier,
        gate::{Facts, Gate, Step},
    };

    const POLICY: &str = r#"{"issuers":[{"issuer":"https://login.example/{tid}/v2.0","tenants":"resolver","audience":"a",
        "remote":{"jwksUri":"https://login.example/{tid}/keys"}}]}"#;
    const JWKS: &str =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k"}]}"#;

    fn token(iss: &str) -> String {
        let parts = [r#"{"alg":"EdDSA","kid":"k"}"#.to_owned(), format!(r#"{{"iss":"{iss}"}}"#), "s".repeat(64)];
        parts.map(|part| crate::base64url::encode(part.as_bytes())).join(".")
    }

    fn code(verifier: &Verifier, iss: &str) -> &'static str {
        verifier.verify(&token(iss), UnixSeconds::EPOCH).unwrap_err().code()
    }

    #[test]
    fn without_a_resolver_no_tenant_passes() {
        let mut verifier = Verifier::from_json(POLICY).unwrap();
        let name = "https://login.example/a/v2.0";
        assert_eq!(verifier.set_remote_keys(name, JWKS).unwrap_err().pointer(), "/issuer");
        assert_eq!(code(&verifier, name), "issuer-unknown");
    }

    #[test]
    fn a_tenant_passes_while_the_resolver_admits_it_and_each_is_asked_about_by_its_holes() {
        let ours = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&ours);
        let resolver = move |issuer: &str, tenant: &[(&str, &str)]| {
            assert_eq!(issuer, "https://login.example/{tid}/v2.0");
            matches!(tenant, [("tid", "a")]) && asked.load(Ordering::SeqCst)
        };
        let mut verifier = Verifier::from_json(POLICY).unwrap().with_tenant_resolver(resolver);
        let (own, other) = ("https://login.example/a/v2.0", "https://login.example/b/v2.0");
        verifier.set_remote_keys(own, JWKS).unwrap();
        assert_eq!(verifier.set_remote_keys(other, JWKS).unwrap_err().pointer(), "/issuer");
        // The key is there and does not hold.
        assert_eq!(code(&verifier, own), "signature-invalid");
        for iss in ["https://login.example/../v2.0", "https://login.example/a/b/v2.0", "https://login.example/a/v2.0/"]
        {
            assert!(verifier.set_remote_keys(iss, JWKS).is_err(), "{iss}");
        }
        let source = verifier.policy().remotes().next().unwrap();
        assert_eq!(source.jwks_uri, Some("https://login.example/a/keys"));
        // Another policy has the same resolver.
        let replaced = verifier.replaced(POLICY).unwrap();
        assert_eq!(code(&replaced, other), "issuer-unknown");
        // Of a tenant that was withdrawn nothing is fetched.
        ours.store(false, Ordering::SeqCst);
        assert!(verifier.policy().remotes().next().is_none());
        assert!(verifier.set_remote_keys(own, JWKS).is_err());
    }

    #[test]
    fn of_tenants_that_are_admitted_the_oldest_make_room() {
        let mut verifier =
            Verifier::from_json(POLICY).unwrap().with_tenant_resolver(|_: &str, _: &[(&str, &str)]| true);
        let name = |number: usize| format!("https://login.example/t{number}/v2.0");
        for number in 0..1002 {
            verifier.set_remote_keys(&name(number), JWKS).unwrap();
        }
        assert_eq!(verifier.policy().remotes().count(), 1000);
        assert!(verifier.policy().issuer_index(&name(1)).is_none());
        assert!(verifier.policy().issuer_index(&name(2)).is_some());
        assert_eq!(code(&verifier, &name(0)), "issuer-unknown");
        assert_eq!(code(&verifier, &name(1001)), "signature-invalid");
    }

    #[test]
    fn tenants_that_are_only_named_take_the_place_of_none_under_whose_key_a_signature_has_held() {
        let mut verifier =
            Verifier::from_json(POLICY).unwrap().with_tenant_resolver(|_: &str, _: &[(&str, &str)]| true);
        let name = |number: usize| format!("https://login.example/t{number}/v2.0");
        for number in 0..1000 {
            verifier.set_remote_keys(&name(number), JWKS).unwrap();
        }
        (0..999).for_each(|place| verifier.keys().note_use(place));
        for number in 1000..1100 {
            verifier.set_remote_keys(&name(number), JWKS).unwrap();
        }
        let known = |number| verifier.policy().issuer_index(&name(number)).is_some();
        assert!((0..999).all(known) && known(1099));
        assert!(!(999..1099).any(known));
    }

    #[test]
    fn a_gate_asks_for_the_keys_of_a_tenant_that_passes_and_of_no_other() {
        let resolver = |_: &str, tenant: &[(&str, &str)]| matches!(tenant, [("tid", "a")]);
        let gate = Gate::from_json(POLICY).unwrap().with_tenant_resolver(resolver);
        let step = |iss: &str| {
            let authorization = format!("Bearer {}", token(iss));
            let headers = [("host", "api.example"), ("authorization", authorization.as_str())];
            let facts = Facts { method: "GET", url: "https://api.example/", headers: &headers, ..Facts::default() };
            match gate.decide(&facts, UnixSeconds::EPOCH) {
                Step::NeedKeys { issuer, .. } => issuer,
                Step::Refused(refusal) => refusal.denial.code().to_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(step("https://login.example/a/v2.0"), "https://login.example/a/v2.0");
        for number in 0..1000 {
            assert_eq!(step(&format!("https://login.example/x{number}/v2.0")), "issuer-unknown");
        }
    }
}
