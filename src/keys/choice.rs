//! Which keys a token is tried with: by its header, and among several issuers by the one that it
//! names.

use crate::{
    alg::Alg,
    jws::header::Header,
    keys::{
        index::Hasher,
        set::{Candidate, Candidates, IssuerKey, KeySet, MOST_CANDIDATES},
    },
    rejection::Rejection,
};

/// How many keys of all issuers are looked at before the token has to say whose it is. A look-up
/// costs no more, however many there are.
const MOST_LOOKED_AT: usize = 16;

/// Which entries of a set are meant: an issuer's or an algorithm's, and of these all, those
/// without a `kid`, or those of one.
#[derive(Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) whose: Whose,
    pub(super) kid: Option<Option<&'q str>>,
}

#[derive(Clone, Copy)]
pub(super) enum Whose {
    Issuer(usize),
    Alg(Alg),
}

impl Question<'_> {
    /// What an entry is asked for by, as hashes for an index.
    pub(super) fn each_about(entry: &IssuerKey, each: &mut dyn FnMut(u32)) {
        for whose in [Whose::Issuer(entry.issuer), Whose::Alg(entry.key.alg())] {
            for kid in [None, Some(entry.kid.as_deref())] {
                each(Question { whose, kid }.hash());
            }
        }
    }

    #[inline(never)]
    pub(super) fn hash(&self) -> u32 {
        let hasher = match self.whose {
            Whose::Issuer(issuer) => Hasher::new().with(&issuer.to_le_bytes()),
            Whose::Alg(alg) => Hasher::new().with(alg.name().as_bytes()),
        };
        match self.kid {
            None => hasher,
            Some(None) => hasher.with(b"-"),
            Some(Some(kid)) => hasher.with(b"=").with(kid.as_bytes()),
        }
        .finish()
    }

    #[inline(never)]
    pub(super) fn is_about(&self, entry: &IssuerKey) -> bool {
        let owned = match self.whose {
            Whose::Issuer(issuer) => issuer == entry.issuer,
            Whose::Alg(alg) => alg == entry.key.alg(),
        };
        owned && self.kid.is_none_or(|kid| kid == entry.kid.as_deref())
    }
}

impl KeySet {
    /// The keys that a token is tried with, at most [`MOST_CANDIDATES`].
    ///
    /// A `kid` is only compared. A key that was given without one fits every token of its
    /// algorithm whose `kid` its issuer has no key for. Where keys of several issuers fit, `named`
    /// is asked which of them the token names: what one issuer publishes decides nothing about the
    /// tokens of another, and a good token costs one signature however many share a `kid` or have
    /// none. Nobody has checked that name yet. It chooses between configured issuers and nothing
    /// else, and the policy compares the verified one again.
    ///
    /// # Errors
    /// `kid-unknown`, `alg-mismatch`, `kid-required`.
    pub(crate) fn candidates(
        &self,
        header: &Header,
        named: &dyn Fn() -> Option<usize>,
    ) -> Result<Candidates<'_>, Rejection> {
        let all = self.fitting(None, header.alg(), header.kid());
        let is_complete = all.looked_at < MOST_LOOKED_AT;
        if is_complete && !all.several {
            return self.settled(all, header);
        }
        let is_few = is_complete && all.count <= MOST_CANDIDATES;
        let Some(issuer) = named() else {
            return match is_few || !all.several || header.kid().is_none() {
                true => self.settled(all, header),
                false => Err(Rejection::KidUnknown),
            };
        };
        let mut own = self.fitting(Some(issuer), header.alg(), header.kid());
        if is_few {
            // The others are tried after it, so that a refusal says whose the token is.
            for other in all.iter().filter(|other| other.issuer != issuer) {
                own.push(*other);
            }
        }
        self.settled(own, header)
    }

    /// The keys of one issuer, or of all, that fit a token.
    #[inline(never)]
    fn fitting(&self, issuer: Option<usize>, alg: Alg, kid: Option<&str>) -> Candidates<'_> {
        let mut fitting = Candidates { named: issuer, ..Candidates::default() };
        let whose = issuer.map_or(Whose::Alg(alg), Whose::Issuer);
        for asked in [kid.map(Some), Some(None)].into_iter().take(if kid.is_some() { 2 } else { 1 }) {
            let most = fitting.looked_at.saturating_add(MOST_LOOKED_AT);
            self.find(Question { whose, kid: asked }, &mut |place, entry| {
                if entry.key.alg() != alg {
                    return false;
                }
                fitting.looked_at = fitting.looked_at.saturating_add(1);
                let fits = match kid {
                    None => self.needs_no_kid(entry),
                    Some(kid) => entry.kid.is_some() || !self.has_named(entry.issuer, kid),
                };
                if fits {
                    fitting.push(Candidate { issuer: entry.issuer, place, key: &entry.key });
                }
                fitting.looked_at >= most
            });
        }
        fitting
    }

    /// What came of the search.
    fn settled<'k>(&'k self, found: Candidates<'k>, header: &Header) -> Result<Candidates<'k>, Rejection> {
        match found.count {
            0 if header.kid().is_none() && found.looked_at > 0 => {
                Err(Rejection::KidRequired { limit: 1, candidates: found.looked_at })
            }
            0 => Err(self.no_candidate(found.named, header)),
            1..=MOST_CANDIDATES => Ok(found),
            // STRICTER: trying the first four of many would accept a token or not by the order of
            // the policy's keys.
            candidates => Err(Rejection::KidRequired { limit: MOST_CANDIDATES, candidates }),
        }
    }

    /// Why no key fits: none has the `kid`, or those that do are for other algorithms.
    fn no_candidate(&self, issuer: Option<usize>, header: &Header) -> Rejection {
        let mut expected = Vec::new();
        for alg in &Alg::ALL {
            if self.fitting(issuer, *alg, header.kid()).count > 0 {
                expected.push(*alg);
            }
        }
        match expected.is_empty() {
            true => Rejection::KidUnknown,
            false => Rejection::AlgMismatch { expected, actual: header.alg() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        IssuerPolicy, Limits, Policy, Verifier,
        jws::compact::UnverifiedToken,
        keys::{VerificationKey, index::tests::LOOKS},
    };

    /// One key an issuer, all of the same algorithm, each by the `kid` that `name` gives it; for
    /// `keys` there is one issuer with all of them.
    fn verifier(count: usize, name: &dyn Fn(usize) -> Option<String>, one_issuer: bool) -> Verifier {
        let key = || VerificationKey::from_secret(Alg::Hs256, &[7; 32]).unwrap();
        let issuer = |index: usize| IssuerPolicy::new(format!("https://{index}.example"), ["a"]).unwrap();
        if one_issuer {
            let keys = |issuer: IssuerPolicy, index| issuer.with_key(name(index).as_deref(), key()).unwrap();
            return Verifier::new(Policy::new([(0..count).fold(issuer(0), keys)]).unwrap());
        }
        let issuers = (0..count).map(|index| issuer(index).with_key(name(index).as_deref(), key()).unwrap());
        Verifier::new(Policy::new(issuers).unwrap())
    }

    fn token(kid: Option<&str>, iss: &str) -> String {
        let kid = kid.map_or(String::new(), |kid| format!(r#","kid":"{kid}""#));
        let parts = [format!(r#"{{"alg":"HS256"{kid}}}"#), format!(r#"{{"iss":"{iss}"}}"#), "s".repeat(32)];
        parts.map(|part| crate::base64url::encode(part.as_bytes())).join(".")
    }

    /// What came of the choice, and how many places were looked at for it.
    fn chosen(verifier: &Verifier, token: &str) -> (Result<Vec<usize>, &'static str>, usize) {
        let token = UnverifiedToken::parse(token, &Limits::default()).unwrap();
        LOOKS.set(0);
        let candidates = verifier.candidates(&token);
        let issuers = candidates.map(|found| found.iter().map(|key| key.issuer).collect());
        (issuers.map_err(|rejection| rejection.code()), LOOKS.get())
    }

    #[test]
    fn as_few_keys_are_looked_at_among_ten_thousand_as_among_twenty() {
        let own = |index: usize| Some(format!("k{index}"));
        let shared = |_: usize| Some("k".to_owned());
        let none = |_: usize| None;
        let looks = |count: usize| {
            let last = count - 1;
            let (name, iss) = (format!("k{last}"), format!("https://{last}.example"));
            let [owns, shares, unnamed] =
                [&own as &dyn Fn(usize) -> Option<String>, &shared, &none].map(|name| verifier(count, name, false));
            let keys = verifier(count, &own, true);
            [
                chosen(&owns, &token(Some(&name), &iss)),
                chosen(&shares, &token(Some("k"), &iss)),
                chosen(&unnamed, &token(None, &iss)),
                chosen(&unnamed, &token(Some("whatever"), &iss)),
                chosen(&keys, &token(Some(&name), "https://0.example")),
            ]
            .map(|(chosen, looks)| {
                assert!(chosen == Ok(vec![last]) || chosen == Ok(vec![0]), "{chosen:?}");
                looks
            })
            .into_iter()
            .chain(
                [
                    (&owns, Some("unknown"), "https://0.example", "kid-unknown"),
                    (&shares, Some("k"), "https://unknown.example", "issuer-unknown"),
                    (&shares, Some("unknown"), "https://0.example", "kid-unknown"),
                    (&unnamed, None, "https://unknown.example", "issuer-unknown"),
                    (&keys, None, "https://0.example", "kid-required"),
                ]
                .map(|(verifier, kid, iss, code)| {
                    let (chosen, looks) = chosen(verifier, &token(kid, iss));
                    assert_eq!(chosen, Err(code));
                    looks
                }),
            )
            .collect::<Vec<_>>()
        };
        let few = looks(20);
        assert_eq!(few, looks(10_000));
        assert!(few.iter().all(|looks| *looks <= 64), "{few:?}");
    }

    #[test]
    fn as_few_published_keys_are_looked_at_when_two_thousand_issuers_publish_the_same_as_when_twenty_do() {
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let looks = |count: usize| {
            let name = |index: usize| format!("https://{index}.example");
            let remote = |index| crate::policy::Remote::jwks_uri(format!("{}/k", name(index))).unwrap();
            let issuer = |index| IssuerPolicy::new(name(index), ["a"]).unwrap().with_remote(remote(index)).unwrap();
            let mut verifier = Verifier::new(Policy::new((0..count).map(issuer)).unwrap());
            for index in 0..count {
                verifier.set_remote_keys(&name(index), &format!(r#"{{"keys":[{jwk}]}}"#)).unwrap();
            }
            let eddsa = |iss: &str| {
                let parts =
                    [r#"{"alg":"EdDSA","kid":"k"}"#.to_owned(), format!(r#"{{"iss":"{iss}"}}"#), "s".repeat(64)];
                parts.map(|part| crate::base64url::encode(part.as_bytes())).join(".")
            };
            let (own, stranger) = (chosen(&verifier, &eddsa(&name(count - 1))), chosen(&verifier, &eddsa("x")));
            assert_eq!((own.0, stranger.0), (Ok(vec![count - 1]), Err("issuer-unknown")));
            (own.1, stranger.1)
        };
        assert_eq!(looks(20), looks(2_000));
    }

    #[test]
    fn a_token_is_tried_with_the_named_issuers_key_first_and_with_the_others_of_a_few_after_it() {
        let verifier = verifier(3, &|_| Some("k".to_owned()), false);
        assert_eq!(chosen(&verifier, &token(Some("k"), "https://1.example")).0, Ok(vec![1, 0, 2]));
        assert_eq!(chosen(&verifier, &token(Some("k"), "https://unknown.example")).0, Ok(vec![0, 1, 2]));
    }
}
