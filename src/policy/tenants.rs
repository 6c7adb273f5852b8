//! One issuer of many tenants: a name with holes, such as `https://login.example/{tid}/v2.0`, and
//! the values that each hole may have. No text of a token is ever put into a hole.

use crate::{
    document::url,
    json::Scalar,
    policy::{
        issuer_rules::IssuerRules,
        presets::Syntax,
        sources::{Location, Remote},
    },
    policy_error::PolicyError,
    text::cut,
};

/// As many issuers as one set of tenants may stand for.
const MOST_TENANTS: usize = 100_000;

/// The values that the holes of an issuer's name may have.
#[derive(Clone, Debug, Default)]
pub(super) struct Tenants {
    /// By the hole's name; an empty name is that of the only hole.
    pub(super) values: Vec<(String, Vec<String>)>,
    /// There is no list: a resolver is asked.
    pub(super) is_resolved: bool,
    /// Holes of which tokens have no claim: the issuer's name alone tells.
    pub(super) unclaimed: Vec<String>,
}

/// A hole: its name, and where it stands in a text.
struct Hole<'t> {
    before: &'t str,
    name: &'t str,
    after: &'t str,
}

impl<'t> Hole<'t> {
    /// The first one.
    fn of(text: &'t str) -> Option<Self> {
        let (before, rest) = cut(text, b'{')?;
        let (name, after) = cut(rest, b'}').unwrap_or_default();
        Some(Hole { before, name, after })
    }

    /// What may stand in it, so that none leads to another host or path.
    fn syntax(&self) -> Syntax {
        let authority = url::split_scheme(self.before).map_or("/", |(_, rest)| rest);
        match (authority, self.after.as_bytes()) {
            ("", [] | [b'/', ..]) => Syntax::Host,
            (authority, _) if authority.bytes().any(|byte| byte == b'/') => Syntax::Segment,
            _ => Syntax::Label,
        }
    }
}

/// Every hole of some texts, with what may stand in it there.
fn holes<'t>(texts: &[&'t str]) -> Vec<(&'t str, Syntax)> {
    let mut found: Vec<(&str, Syntax)> = Vec::new();
    for text in texts {
        let mut rest = *text;
        while let Some(hole) = Hole::of(rest) {
            // All that stands before it, other holes included.
            let end = text.len().saturating_sub(rest.len()).saturating_add(hole.before.len());
            let syntax = Hole { before: text.get(..end).unwrap_or_default(), ..hole }.syntax();
            match found.iter_mut().find(|(name, _)| *name == hole.name) {
                None => found.push((hole.name, syntax)),
                // What is good in both places.
                Some((_, own)) if *own != syntax => *own = Syntax::Label,
                Some(_) => {}
            }
            rest = hole.after;
        }
    }
    found
}

/// Could what stands behind a hole be taken for a part of it?
fn is_ambiguous(text: &str, holes: &[(&str, Syntax)]) -> bool {
    let mut rest = text;
    while let Some(hole) = Hole::of(rest) {
        let syntax = holes.iter().find(|(name, _)| *name == hole.name).map(|(_, syntax)| *syntax);
        let next = hole.after.bytes().next();
        if next.is_some_and(|next| next == b'{' || syntax.is_some_and(|syntax| syntax.has(next))) {
            return true;
        }
        rest = hole.after;
    }
    false
}

/// The text with values in its holes.
fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some(hole) = Hole::of(rest) {
        filled.push_str(hole.before);
        filled.push_str(values.iter().find(|(name, _)| *name == hole.name).map_or("", |(_, value)| *value));
        rest = hole.after;
    }
    filled.push_str(rest);
    filled
}

/// Checks a URL that may have holes, and may be http on these hosts.
pub(crate) fn check_url(text: &str, hosts: &[&str]) -> Result<(), &'static str> {
    let names = holes(&[text]);
    let values: Vec<(&str, &str)> = names.iter().map(|(name, _)| (*name, "x")).collect();
    url::check_among(&filled(text, &values), hosts)
}

impl Tenants {
    /// The rules of each tenant.
    ///
    /// # Errors
    /// A hole without values (`/issuer`), values without a hole, or one that cannot stand in it
    /// (`/tenants`).
    pub(super) fn each(
        &self,
        rules: &IssuerRules,
        take: &mut dyn FnMut(IssuerRules) -> Result<(), PolicyError>,
    ) -> Result<(), PolicyError> {
        let place = rules.remote.as_ref().map_or("", Remote::url);
        let own = holes(&[&rules.issuer]);
        let all = holes(&[&rules.issuer, place]);
        if own.len() != all.len() {
            return Err(PolicyError::at("jwksUri", "must have no hole that \"issuer\" does not have").within("remote"));
        }
        let is_name =
            |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !own.iter().all(|(name, _)| is_name(name)) {
            let reason = "must have holes such as {tid}: a name of letters, digits and _ in braces";
            return Err(PolicyError::found("issuer", reason, &rules.issuer));
        }
        if !self.unclaimed.iter().all(|name| own.iter().any(|(own, _)| own == name)) {
            return Err(PolicyError::at("holesWithoutClaim", "must name holes of \"issuer\""));
        }
        if self.is_resolved {
            return match (own.first(), &rules.remote) {
                (Some(_), Some(_)) if !is_ambiguous(&rules.issuer, &all) => Ok(()),
                (Some(_), Some(_)) => {
                    let reason = "must have something behind each hole that cannot be part of it, such as a slash";
                    Err(PolicyError::found("issuer", reason, &rules.issuer))
                }
                _ => Err(PolicyError::at("tenants", "requires a hole in \"issuer\", such as {tid}, and \"remote\"")),
            };
        }
        if self.values.is_empty() {
            return match own.first() {
                None => take(rules.clone()),
                Some(_) => Err(PolicyError::found(
                    "issuer",
                    "must be the whole name; where it has a {hole}, write \"tenants\" with the values that may stand there",
                    &rules.issuer,
                )),
            };
        }
        let mut lists: Vec<(&str, &[String])> = Vec::new();
        for (name, syntax) in &all {
            let given = |(own, _): &&(String, Vec<String>)| own == name || (own.is_empty() && all.len() == 1);
            let Some((own, values)) = self.values.iter().find(given) else {
                return Err(
                    PolicyError::at(name, "is required: the values of that hole in \"issuer\"").within("tenants")
                );
            };
            for (index, value) in values.iter().enumerate() {
                syntax.read(value, &[]).map_err(|reason| {
                    let error = PolicyError::found(&index.to_string(), reason, value);
                    if own.is_empty() { error } else { error.within(own) }.within("tenants")
                })?;
            }
            lists.push((name, values));
        }
        if lists.len() != self.values.len() {
            return Err(PolicyError::at(
                "tenants",
                "must name the holes of \"issuer\", such as {tid}, and nothing else",
            ));
        }
        let count = lists.iter().fold(1_usize, |count, (_, values)| count.saturating_mul(values.len()));
        if count > MOST_TENANTS {
            return Err(PolicyError::at("tenants", "must stand for at most 100000 issuers"));
        }
        (0..count).try_for_each(|number| take(self.filled(rules, &lists, number)))
    }

    /// The rules of the tenant of that number: every hole counts through its values.
    fn filled(&self, rules: &IssuerRules, lists: &[(&str, &[String])], number: usize) -> IssuerRules {
        let mut rest = number;
        let mut values: Vec<(&str, &str)> = Vec::new();
        for (name, list) in lists {
            let index = rest.checked_rem(list.len()).unwrap_or_default();
            rest = rest.checked_div(list.len()).unwrap_or_default();
            values.push((name, list.get(index).map_or("", String::as_str)));
        }
        self.rules_with(rules, &values)
    }

    /// What stands in the holes of an issuer's name in that name; each has the syntax of its hole.
    pub(super) fn values<'n>(rules: &'n IssuerRules, name: &'n str) -> Option<Vec<(&'n str, &'n str)>> {
        let all = holes(&[&rules.issuer, rules.remote.as_ref().map_or("", Remote::url)]);
        let (mut values, mut template, mut rest) = (Vec::new(), &*rules.issuer, name);
        while let Some(hole) = Hole::of(template) {
            let behind = rest.strip_prefix(hole.before)?;
            let (_, syntax) = all.iter().find(|(own, _)| *own == hole.name)?;
            let end = behind.bytes().position(|byte| !syntax.has(byte)).unwrap_or(behind.len());
            let value = behind.get(..end)?;
            // Nothing of it is cut or mended: it is the value as it stands.
            if syntax.read(value, &[]) != Ok(value) {
                return None;
            }
            values.push((hole.name, value));
            (template, rest) = (hole.after, behind.get(end..)?);
        }
        // A hole that is there twice has one value.
        (filled(&rules.issuer, &values) == name).then_some(values)
    }

    /// The rules with these values in the holes.
    pub(super) fn rules_with(&self, rules: &IssuerRules, values: &[(&str, &str)]) -> IssuerRules {
        let mut rules = IssuerRules { issuer: filled(&rules.issuer, values), is_tenant: true, ..rules.clone() };
        if let Some(Remote { location: Location::JwksUri(url), .. }) = &mut rules.remote {
            *url = filled(url, values);
        }
        self.bind(&mut rules, values);
        for (_, alternative) in &mut rules.alternatives {
            self.bind(alternative, values);
        }
        rules
    }

    /// The name and the claims say the same, or a token is refused.
    fn bind(&self, rules: &mut IssuerRules, values: &[(&str, &str)]) {
        for (name, value) in values {
            if !self.unclaimed.iter().any(|own| own == name) {
                rules.claims.retain(|(claim, _)| claim != name);
                rules.claims.push(((*name).to_owned(), Scalar::Text((*value).to_owned())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Policy, policy::RemoteSource};

    fn read(issuer: &str) -> Result<Policy, PolicyError> {
        Policy::from_json(&format!(r#"{{"issuers":[{{{issuer},"audience":"a"}}]}}"#))
    }

    const ENTRA: &str =
        r#""issuer":"https://login.example/{tid}/v2.0","remote":{"jwksUri":"https://login.example/{tid}/keys"}"#;

    #[test]
    fn each_tenant_is_an_issuer_with_keys_of_its_own() {
        let policy = read(&format!(r#"{ENTRA},"tenants":["a","b.c"]"#)).unwrap();
        let places: Vec<(&str, Option<&str>)> =
            policy.remotes().map(|RemoteSource { issuer, jwks_uri, .. }| (issuer, jwks_uri)).collect();
        assert_eq!(
            places,
            [
                ("https://login.example/a/v2.0", Some("https://login.example/a/keys")),
                ("https://login.example/b.c/v2.0", Some("https://login.example/b.c/keys")),
            ]
        );
        assert!(policy.asks_for_claim(0, "tid"));
        let policy = read(
            r#""issuer":"https://{region}.example/{pool}","tenants":{"region":["eu","us"],"pool":["p","q"]},
               "holesWithoutClaim":["region","pool"],"remote":{"discovery":"oidc"}"#,
        )
        .unwrap();
        let names: Vec<_> = (0..5).filter_map(|index| policy.issuer_name(index)).collect();
        assert_eq!(
            names,
            ["https://eu.example/p", "https://us.example/p", "https://eu.example/q", "https://us.example/q"]
        );
        assert!(!policy.asks_for_claim(0, "region"));
    }

    #[test]
    fn no_hole_stays_open_and_no_value_leads_elsewhere() {
        let one = |more: &str| format!("{ENTRA},{more}");
        let host = |more: &str| format!(r#""issuer":"https://{{t}}.example/","remote":{{"discovery":"oidc"}},{more}"#);
        let whole = |more: &str| format!(r#""issuer":"https://{{t}}/","remote":{{"discovery":"oidc"}},{more}"#);
        for (issuer, pointer) in [
            (ENTRA.to_owned(), "/issuer"),
            (one(r#""tenants":[]"#), "/tenants"),
            (one(r#""tenants":"*""#), "/tenants"),
            (one(r#""tenants":["a/b"]"#), "/tenants/0"),
            (one(r#""tenants":["a",".."]"#), "/tenants/1"),
            (one(r#""tenants":["a","%2e"]"#), "/tenants/1"),
            (one(r#""tenants":["a?b"]"#), "/tenants/0"),
            (one(r#""tenants":["{tid}"]"#), "/tenants/0"),
            (one(r#""tenants":["a","a"]"#), "/issuer"),
            (one(r#""tenants":{"x":["a"]}"#), "/tenants/tid"),
            (one(r#""tenants":{"tid":["a"],"x":["a"]}"#), "/tenants"),
            (one(r#""tenants":{"tid":["a","b c"]}"#), "/tenants/tid/1"),
            (one(r#""tenants":["a"],"holesWithoutClaim":["x"]"#), "/holesWithoutClaim"),
            (host(r#""tenants":["evil.com"]"#), "/tenants/0"),
            (host(r#""tenants":["evil:80"]"#), "/tenants/0"),
            (host(r#""tenants":["u@evil"]"#), "/tenants/0"),
            (whole(r#""tenants":["evil.com:80"]"#), "/tenants/0"),
            (whole(r#""tenants":["evil.com/x"]"#), "/tenants/0"),
            (r#""issuer":"https://i.example","tenants":["a"],"remote":{"discovery":"oidc"}"#.to_owned(), "/tenants"),
            (
                r#""issuer":"https://i.example","remote":{"jwksUri":"https://{x}.example/k"}"#.to_owned(),
                "/remote/jwksUri",
            ),
            (
                r#""issuer":"https://i.example/{t}","tenants":["a.b"],"remote":{"jwksUri":"https://{t}/k"}"#.to_owned(),
                "/tenants/0",
            ),
        ] {
            assert_eq!(read(&issuer).unwrap_err().pointer(), format!("/issuers/0{pointer}"), "{issuer}");
        }
        assert!(read(&whole(r#""tenants":["t.example"],"holesWithoutClaim":["t"]"#)).is_ok());
    }
}
