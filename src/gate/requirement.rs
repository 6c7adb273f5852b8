//! What a request has to bring besides a good token.

use crate::{
    binding::network::{Address, Cidr},
    claims::malformed,
    denial::Denial,
    document::{self, checked::Checked},
    gate::forward::at_path,
    json::{Object, Value},
    jws::header::is_same_type,
    policy::shapes::REQUIREMENT,
    policy_error::PolicyError,
    rejection::{Rejection, excerpt},
    time::{Leeway, UnixSeconds, Validity},
};

/// A requirement that was read.
#[derive(Debug, Default)]
pub(crate) struct Requirement {
    pub(crate) scopes: Vec<String>,
    pub(crate) any_scope: Vec<String>,
    pub(crate) claims: Vec<ClaimRule>,
    pub(crate) acr: Vec<String>,
    pub(crate) max_age: Option<u64>,
    pub(crate) networks: Option<Vec<Cidr>>,
    pub(crate) network_claim: Option<String>,
    pub(crate) types: Vec<String>,
    pub(crate) binding: Option<Wanted>,
    pub(crate) anonymous: bool,
}

#[derive(Debug)]
pub(crate) struct ClaimRule {
    path: Vec<String>,
    all_of: Vec<String>,
    any_of: Vec<String>,
}

/// The kind of proof that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Dpop,
    Mtls,
    Any,
}

impl Wanted {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Wanted::Dpop => "dpop",
            Wanted::Mtls => "mtls",
            Wanted::Any => "any",
        }
    }
}

/// What is judged.
pub(crate) struct Subject<'s> {
    pub(crate) claims: &'s Object<'s>,
    pub(crate) typ: Option<&'s str>,
    pub(crate) client: Option<Address>,
    pub(crate) now: UnixSeconds,
    pub(crate) leeway: Leeway,
}

/// Networks by name.
pub(crate) type Networks = Vec<(String, Vec<Cidr>)>;

/// The CIDR blocks of an array; errors name the index.
pub(crate) fn blocks(texts: &[String]) -> Result<Vec<Cidr>, PolicyError> {
    let read = |(index, text): (usize, &String)| {
        Cidr::parse(text).ok_or_else(|| {
            PolicyError::found(&index.to_string(), "must be an IP address or a CIDR block, such as 10.0.0.0/8", text)
        })
    };
    texts.iter().enumerate().map(read).collect()
}

impl Requirement {
    /// Reads a requirement that stands alone.
    pub(crate) fn parse(text: &str, networks: &Networks) -> Result<Self, PolicyError> {
        Requirement::read(REQUIREMENT.check(&document::parse(text)?)?, networks)
    }

    /// Reads a requirement.
    pub(crate) fn read(object: Checked<'_, '_>, networks: &Networks) -> Result<Self, PolicyError> {
        let mut claims = Vec::new();
        object.each("claims", &mut |claim| {
            claims.push(ClaimRule {
                path: claim.strings("path"),
                all_of: claim.strings("allOf"),
                any_of: claim.strings("anyOf"),
            });
            Ok(())
        })?;
        let named = object.has("networks").then(|| object.strings("networks"));
        Ok(Requirement {
            scopes: quotable(object, "scopes")?,
            any_scope: quotable(object, "anyScope")?,
            claims,
            acr: quotable(object, "acr")?,
            max_age: object.number("maxAgeSeconds"),
            networks: named
                .map(|names| named_blocks(&names, networks).map_err(|error| error.within("networks")))
                .transpose()?,
            network_claim: object.text("networkClaim").map(str::to_owned),
            types: object.strings("types"),
            binding: match object.text("binding") {
                Some("dpop") => Some(Wanted::Dpop),
                Some("mtls") => Some(Wanted::Mtls),
                Some(_) => Some(Wanted::Any),
                None => None,
            },
            anonymous: object.flag("anonymous"),
        })
    }

    /// Does the client's address matter?
    pub(crate) fn names_networks(&self) -> bool {
        self.networks.is_some() || self.network_claim.is_some()
    }

    /// The scopes that a challenge names.
    pub(crate) fn scopes_wanted(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().chain(&self.any_scope).map(String::as_str)
    }

    /// Judges in the order: kind, network, scopes, claims, authentication. `validity` is narrowed
    /// to when that holds.
    ///
    /// # Errors
    /// The stage `requirement` of [`Denial`], `type-mismatch`, `claim-missing` and
    /// `claim-malformed`.
    pub(crate) fn check(&self, subject: &Subject<'_>, validity: Validity) -> Result<Validity, Denial> {
        self.check_type(subject.typ)?;
        self.check_network(subject)?;
        self.check_scopes(subject.claims)?;
        self.check_claims(subject.claims)?;
        self.check_authentication(subject, validity)
    }

    fn check_type(&self, typ: Option<&str>) -> Result<(), Denial> {
        if self.types.is_empty() || typ.is_some_and(|typ| self.types.iter().any(|own| is_same_type(own, typ))) {
            return Ok(());
        }
        Err(Rejection::TypeMismatch { expected: self.types.clone(), actual: typ.map(excerpt) }.into())
    }

    /// What is asked of every request, with a token or without: the network that it comes from.
    ///
    /// # Errors
    /// `address-unknown`, `network-denied`.
    pub(crate) fn check_connection(&self, client: Option<Address>) -> Result<(), Denial> {
        let Some(blocks) = &self.networks else { return Ok(()) };
        let client = client.ok_or(Denial::AddressUnknown)?;
        if blocks.iter().any(|block| block.contains(client)) { Ok(()) } else { Err(Denial::NetworkDenied) }
    }

    fn check_network(&self, subject: &Subject<'_>) -> Result<(), Denial> {
        self.check_connection(subject.client)?;
        let Some(name) = &self.network_claim else { return Ok(()) };
        let client = subject.client.ok_or(Denial::AddressUnknown)?;
        let inside = |blocks: &[Cidr]| blocks.iter().any(|block| block.contains(client));
        let value = subject.claims.get(name).ok_or_else(|| Rejection::ClaimMissing { claim: name.clone() })?;
        let blocks: Option<Vec<Cidr>> = texts(value).and_then(|texts| texts.into_iter().map(Cidr::parse).collect());
        // What cannot be read allows nothing.
        if blocks.is_some_and(|blocks| inside(&blocks)) { Ok(()) } else { Err(Denial::NetworkDenied) }
    }

    fn check_scopes(&self, claims: &Object<'_>) -> Result<(), Denial> {
        if self.scopes.is_empty() && self.any_scope.is_empty() {
            return Ok(());
        }
        let granted = scopes(claims)?;
        let has = |scope: &String| granted.contains(&scope.as_str());
        let any = self.any_scope.is_empty() || self.any_scope.iter().any(has);
        if any && self.scopes.iter().all(has) {
            return Ok(());
        }
        Err(Denial::ScopeInsufficient { scopes: self.scopes_wanted().map(str::to_owned).collect() })
    }

    fn check_claims(&self, claims: &Object<'_>) -> Result<(), Denial> {
        let holds = |rule: &&ClaimRule| {
            let value = at_path(claims, rule.path.iter().map(String::as_str));
            let values = value.and_then(texts).unwrap_or_default();
            let has = |wanted: &String| values.contains(&wanted.as_str());
            rule.all_of.iter().all(has) && (rule.any_of.is_empty() || rule.any_of.iter().any(has))
        };
        match self.claims.iter().find(|rule| !holds(rule)) {
            None => Ok(()),
            Some(rule) => Err(Denial::ClaimInsufficient { path: rule.path.clone() }),
        }
    }

    /// RFC 9470 §5 and §6.
    fn check_authentication(&self, subject: &Subject<'_>, validity: Validity) -> Result<Validity, Denial> {
        let acr = subject.claims.get("acr").and_then(Value::as_str);
        if !self.acr.is_empty() && !acr.is_some_and(|acr| self.acr.iter().any(|own| own == acr)) {
            return Err(Denial::AcrInsufficient { expected: self.acr.clone() });
        }
        let Some(max_age) = self.max_age else { return Ok(validity) };
        let authentication = subject.claims.get("auth_time").and_then(Value::as_date);
        let now = subject.now;
        let authenticated_at = authentication.map(|at| at.floor);
        let too_old = Denial::AuthenticationTooOld { now, authenticated_at, max_age };
        let at = authentication.filter(|at| at.ceil.is_reached(now, subject.leeway));
        let Some(at) = at.map(|at| at.floor) else { return Err(too_old) };
        let until = at.get().saturating_add(max_age).saturating_add(subject.leeway.get()).saturating_add(1);
        if now.get() >= until {
            return Err(too_old);
        }
        Ok(Validity { until: validity.until.min(until), ..validity })
    }
}

/// What the token grants: `scope` (RFC 8693 §4.2), and `scp`, which some issuers write as a string
/// and some as an array.
fn scopes<'o>(claims: &'o Object<'_>) -> Result<Vec<&'o str>, Denial> {
    let mut granted = Vec::new();
    for claim in ["scope", "scp"] {
        let Some(value) = claims.get(claim) else { continue };
        let expected = "a string, or an array of strings";
        let texts = texts(value).ok_or_else(|| malformed(claim, expected, value))?;
        match value {
            Value::String(_) => granted.extend(texts.into_iter().flat_map(|text| text.split(' '))),
            // An element is one scope, whatever stands in it.
            _ => granted.extend(texts),
        }
    }
    Ok(granted)
}

/// A string, or the strings of an array.
fn texts<'o>(value: &'o Value<'_>) -> Option<Vec<&'o str>> {
    value.as_str().map(|text| vec![text]).or_else(|| value.as_strings())
}

/// The blocks of names and addresses; errors name the index.
pub(crate) fn named_blocks(names: &[String], networks: &Networks) -> Result<Vec<Cidr>, PolicyError> {
    let mut all = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match networks.iter().find(|(own, _)| own == name) {
            Some((_, blocks)) => all.extend_from_slice(blocks),
            None => all.push(Cidr::parse(name).ok_or_else(|| {
                let reason = "must be a name in the policy's gate.networks, an IP address or a CIDR block";
                PolicyError::found(&index.to_string(), reason, name)
            })?),
        }
    }
    Ok(all)
}

/// Strings that a challenge lists: without spaces, quotes and backslashes (RFC 6749 §3.3, RFC 9470
/// §3).
fn quotable(object: Checked<'_, '_>, name: &str) -> Result<Vec<String>, PolicyError> {
    let texts = object.strings(name);
    let plain = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    match texts.iter().position(|text| !plain(text)) {
        None => Ok(texts),
        Some(index) => {
            let reason = "must be visible ASCII without spaces, quotation marks or backslashes";
            let found = texts.get(index).map(String::as_str).unwrap_or_default();
            Err(PolicyError::found(&index.to_string(), reason, found).within(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(text: &str) -> Result<Requirement, PolicyError> {
        let office = ("office".to_owned(), vec![Cidr::parse("192.0.2.0/24").unwrap()]);
        Requirement::parse(text, &vec![office])
    }

    fn check(text: &str, claims: &str, client: Option<&str>) -> Result<u64, &'static str> {
        let claims = document::parse(claims).unwrap();
        let now = UnixSeconds::new(1000).unwrap();
        let subject = Subject {
            claims: &claims,
            typ: Some("at+jwt"),
            client: client.and_then(Address::parse),
            now,
            leeway: Leeway::default(),
        };
        let validity = Validity { from: now, until: 2000, stale: false, alternative: None };
        requirement(text)
            .unwrap()
            .check(&subject, validity)
            .map(|validity| validity.until)
            .map_err(|error| error.code())
    }

    #[test]
    fn scopes_all_of_and_any_of_in_every_spelling() {
        let both = r#"{"scopes":["a","b"],"anyScope":["x","y"]}"#;
        for (claims, expected) in [
            (r#"{"scope":"a b x"}"#, Ok(2000)),
            (r#"{"scp":["y","b","a"]}"#, Ok(2000)),
            (r#"{"scp":"a b y"}"#, Ok(2000)),
            (r#"{"scope":"a","scp":["b","x"]}"#, Ok(2000)),
            (r#"{"scope":"a b"}"#, Err("scope-insufficient")),
            (r#"{"scope":"a x y"}"#, Err("scope-insufficient")),
            (r#"{"scope":"A b x"}"#, Err("scope-insufficient")),
            (r#"{"scope":"ab x"}"#, Err("scope-insufficient")),
            (r#"{"scp":["a b","x"]}"#, Err("scope-insufficient")),
            (r#"{"scp":{"a":1}}"#, Err("claim-malformed")),
            ("{}", Err("scope-insufficient")),
        ] {
            assert_eq!(check(both, claims, None), expected, "{claims}");
        }
    }

    #[test]
    fn claims_by_their_exact_path() {
        let roles = r#"{"claims":[{"path":["realm_access","roles"],"allOf":["a"],"anyOf":["x","y"]}]}"#;
        for (claims, expected) in [
            (r#"{"realm_access":{"roles":["a","y"]}}"#, Ok(2000)),
            (r#"{"realm_access":{"roles":["a"]}}"#, Err("claim-insufficient")),
            (r#"{"realm_access":{"roles":"a"}}"#, Err("claim-insufficient")),
            (r#"{"realm_access.roles":["a","x"]}"#, Err("claim-insufficient")),
            (r#"{"roles":["a","x"]}"#, Err("claim-insufficient")),
            (r#"{"realm_access":["a","x"]}"#, Err("claim-insufficient")),
            (r#"{"realm_access":{"roles":["a",1,"x"]}}"#, Err("claim-insufficient")),
        ] {
            assert_eq!(check(roles, claims, None), expected, "{claims}");
        }
        assert_eq!(
            check(r#"{"claims":[{"path":["__proto__"],"anyOf":["x"]}]}"#, r#"{"__proto__":"x"}"#, None),
            Ok(2000)
        );
        assert_eq!(check(r#"{"claims":[{"path":["group"],"anyOf":["x"]}]}"#, r#"{"group":"x"}"#, None), Ok(2000));
    }

    #[test]
    fn authentication_has_a_context_and_an_age() {
        let both = r#"{"acr":["gold"],"maxAgeSeconds":100}"#;
        for (claims, expected) in [
            (r#"{"acr":"gold","auth_time":950}"#, Ok(1056)),
            (r#"{"acr":"gold","auth_time":895}"#, Ok(1001)),
            (r#"{"acr":"gold","auth_time":894}"#, Err("authentication-too-old")),
            (r#"{"acr":"gold","auth_time":1006}"#, Err("authentication-too-old")),
            (r#"{"acr":"gold","auth_time":"950"}"#, Err("authentication-too-old")),
            (r#"{"acr":"gold"}"#, Err("authentication-too-old")),
            (r#"{"acr":"silver","auth_time":950}"#, Err("acr-insufficient")),
            (r#"{"acr":["gold"],"auth_time":950}"#, Err("acr-insufficient")),
            (r#"{"auth_time":950}"#, Err("acr-insufficient")),
        ] {
            assert_eq!(check(both, claims, None), expected, "{claims}");
        }
    }

    #[test]
    fn networks_by_policy_and_by_claim() {
        let office = r#"{"networks":["office","2001:db8::/32"]}"#;
        assert_eq!(check(office, "{}", Some("192.0.2.7")), Ok(2000));
        assert_eq!(check(office, "{}", Some("::ffff:192.0.2.7")), Ok(2000));
        assert_eq!(check(office, "{}", Some("2001:db8::1")), Ok(2000));
        assert_eq!(check(office, "{}", Some("192.0.3.7")), Err("network-denied"));
        assert_eq!(check(office, "{}", None), Err("address-unknown"));
        let claim = r#"{"networkClaim":"cnet"}"#;
        assert_eq!(check(claim, r#"{"cnet":"192.0.2.0/24"}"#, Some("192.0.2.7")), Ok(2000));
        assert_eq!(check(claim, r#"{"cnet":["10.0.0.0/8","192.0.2.7"]}"#, Some("192.0.2.7")), Ok(2000));
        assert_eq!(check(claim, r#"{"cnet":["10.0.0.0/8"]}"#, Some("192.0.2.7")), Err("network-denied"));
        assert_eq!(check(claim, r#"{"cnet":["192.0.2.0/24","any"]}"#, Some("192.0.2.7")), Err("network-denied"));
        assert_eq!(check(claim, r#"{"cnet":7}"#, Some("192.0.2.7")), Err("network-denied"));
        assert_eq!(check(claim, "{}", Some("192.0.2.7")), Err("claim-missing"));
    }

    #[test]
    fn kinds_are_narrowed() {
        assert_eq!(check(r#"{"types":["application/at+jwt"]}"#, "{}", None), Ok(2000));
        assert_eq!(check(r#"{"types":["JWT"]}"#, "{}", None), Err("type-mismatch"));
    }

    #[test]
    fn a_mistake_names_its_member() {
        for (text, pointer) in [
            (r#"{"scope":["a"]}"#, "/scope"),
            (r#"{"scopes":["a b"]}"#, "/scopes/0"),
            (r#"{"scopes":["a","\""]}"#, "/scopes/1"),
            (r#"{"acr":["é"]}"#, "/acr/0"),
            (r#"{"networks":["home"]}"#, "/networks/0"),
            (r#"{"claims":[{"path":["a"]}]}"#, "/claims/0"),
            (r#"{"binding":"tls"}"#, "/binding"),
        ] {
            assert_eq!(requirement(text).unwrap_err().pointer(), pointer, "{text}");
        }
    }
}
