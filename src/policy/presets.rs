//! Providers whose tokens have a documented shape: a preset and its parameters stand for the
//! fields that the shape asks for.

use Syntax::{Guid, Host, Label, Segment, Url};

use crate::{
    document::{self, shape::listed, url},
    json::{Object, Value},
    policy::providers::PRESETS,
    policy_error::PolicyError,
    text,
};

/// A provider. Fields that the policy gives itself win; of claims, both count.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// A JSON object; `<name>` stands for the parameter of that name.
    pub(super) fields: &'static str,
}

/// What tells one customer of a provider from another.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) syntax: Syntax,
    /// What holds when it is left out; without, it must not be.
    pub(super) default: Option<&'static str>,
    /// The hole in its place where the policy lists `tenants`: `{tid}`.
    pub(super) hole: Option<&'static str>,
}

/// What a parameter may be. It becomes part of a URL, so that none can lead to another host or
/// path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Host,
    /// Letters, digits, `-` and `_`.
    Label,
    /// One segment of a path.
    Segment,
    Guid,
    /// Without the slash at its end.
    Url,
}

pub(super) const fn preset(name: &'static str, parameters: &'static [Parameter], fields: &'static str) -> Preset {
    Preset { name, parameters, fields }
}

pub(super) const fn given(name: &'static str, syntax: Syntax) -> Parameter {
    Parameter { name, syntax, default: None, hole: None }
}

/// One of which a policy may list several values, as `tenants`.
pub(super) const fn listed_as(name: &'static str, syntax: Syntax, hole: &'static str) -> Parameter {
    Parameter { hole: Some(hole), ..given(name, syntax) }
}

/// The preset of one issuer: its place, and the fields it stands for as JSON.
pub(super) struct Expansion {
    index: usize,
    preset: &'static Preset,
    fields: String,
}

/// What the presets of a document stand for. The texts are kept apart, so that the document can
/// borrow from them.
///
/// # Errors
/// A preset that is not known; a parameter that is missing or cannot be part of a URL.
pub(super) fn fields(document: &Object<'_>) -> Result<Vec<Expansion>, PolicyError> {
    let mut expansions = Vec::new();
    // Not checked yet: what is no list is nothing.
    let hosts = document.get("plainHttpHosts").and_then(Value::as_strings).unwrap_or_default();
    if let Some(Value::Array(issuers)) = document.get("issuers") {
        for (index, issuer) in issuers.iter().enumerate() {
            if let Value::Object(object) = issuer
                && object.get("preset").is_some()
            {
                let expansion = one(index, object, &hosts);
                expansions.push(expansion.map_err(|error| error.within(&index.to_string()).within("issuers"))?);
            }
        }
    }
    Ok(expansions)
}

fn one(index: usize, issuer: &Object<'_>, hosts: &[&str]) -> Result<Expansion, PolicyError> {
    let name = issuer.get("preset").and_then(Value::as_str).unwrap_or_default();
    let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
        let known = listed(&mut PRESETS.iter().map(|preset| preset.name));
        return Err(PolicyError::at("preset", ["is unknown; expected one of ", &known].concat()));
    };
    let mut fields = String::new();
    let mut rest = preset.fields;
    while let Some((before, after)) = text::cut(rest, b'<') {
        let (name, behind) = text::cut(after, b'>').unwrap_or_default();
        fields.push_str(before);
        fields.push_str(preset.parameter(name, issuer, hosts)?);
        rest = behind;
    }
    fields.push_str(rest);
    // A hole that no claim of the preset's names is one for which the provider has none.
    let hole = preset.parameters.iter().find_map(|parameter| parameter.hole).filter(|hole| text::holds(&fields, hole));
    if let Some(hole) = hole
        && !text::holds(&fields, &["\"", hole, "\""].concat())
    {
        let end = fields.trim_end_matches('}').len();
        fields.truncate(end);
        fields.push_str(
            &[",\"holesWithoutClaim\":[\"", hole.trim_start_matches('{').trim_end_matches('}'), "\"]}"].concat(),
        );
    }
    Ok(Expansion { index, preset, fields })
}

impl Preset {
    fn parameter<'o>(&self, name: &str, issuer: &'o Object<'_>, hosts: &[&str]) -> Result<&'o str, PolicyError> {
        let Some(parameter) = self.parameters.iter().find(|parameter| parameter.name == name) else {
            return Ok("");
        };
        if let (Some(hole), Some(Value::Array(values)), None) =
            (parameter.hole, issuer.get("tenants"), issuer.get(name))
        {
            for (index, value) in values.iter().enumerate() {
                let read = parameter.syntax.read(value.as_str().unwrap_or_default(), hosts);
                read.map_err(|reason| PolicyError::at(&index.to_string(), reason).within("tenants"))?;
            }
            return Ok(hole);
        }
        if let (Some(hole), Some(Value::String(_)), None) = (parameter.hole, issuer.get("tenants"), issuer.get(name)) {
            return Ok(hole);
        }
        match (issuer.string(name)?, parameter.default) {
            (Some(value), _) => parameter.syntax.read(value, hosts).map_err(|reason| PolicyError::at(name, reason)),
            (None, Some(default)) => Ok(default),
            (None, None) => Err(PolicyError::at(name, ["is required by the preset ", self.name].concat())),
        }
    }
}

/// The document with the fields in their places. Those that the policy gives itself win; of
/// claims, both count.
///
/// # Errors
/// None: what was filled in has the syntax it needs.
pub(super) fn expand<'a>(mut document: Object<'a>, expansions: &'a [Expansion]) -> Result<Object<'a>, PolicyError> {
    if let Some(Value::Array(issuers)) = document.get_mut("issuers") {
        for Expansion { index, preset, fields } in expansions {
            if let Some(Value::Object(issuer)) = issuers.get_mut(*index) {
                let is_parameter = |name: &str| preset.parameters.iter().any(|parameter| parameter.name == name);
                issuer.retain(&|name, _| name != "preset" && !is_parameter(name));
                merge(issuer, document::parse(fields)?);
            }
        }
    }
    Ok(document)
}

fn merge<'a>(own: &mut Object<'a>, preset: Object<'a>) {
    for (name, value) in preset.into_members() {
        match (own.get_mut(&name), value) {
            (None, value) => own.push(name, value),
            (Some(Value::Object(own)), Value::Object(preset)) if name == "claims" => merge(own, preset),
            (Some(Value::Array(own)), Value::Array(preset))
                if matches!(&*name, "requiredClaims" | "deviations") && !own.is_empty() =>
            {
                own.extend(preset);
            }
            (Some(_), _) => {}
        }
    }
}

impl Syntax {
    /// May that byte stand in a value?
    pub(super) fn has(self, byte: u8) -> bool {
        let more: &[u8] = match self {
            Host => b"-_.",
            Segment => b"-_.~:",
            Label | Guid | Url => b"-_",
        };
        byte.is_ascii_alphanumeric() || more.contains(&byte)
    }

    /// The value as it goes into a URL.
    pub(super) fn read<'v>(self, value: &'v str, hosts: &[&str]) -> Result<&'v str, &'static str> {
        let made_of = |more: &[u8]| {
            !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
        };
        match self {
            Host if url::is_host(value) => Ok(value),
            Host => Err("must be a host name"),
            Label if made_of(b"-_") => Ok(value),
            Label => Err("must be letters, digits, - and _"),
            // Two dots would climb.
            Segment if made_of(b"-_.~:") && !value.starts_with('.') => Ok(value),
            Segment => Err("must be one path segment"),
            Guid if value.len() == 36 && value.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && made_of(b"-") => {
                Ok(value)
            }
            Guid => Err("must be the tenant's id, a GUID"),
            Url => {
                url::check_among(value, hosts)?;
                if text::cut(value, b'?').is_some() {
                    Err("must have no query")
                } else {
                    Ok(value.trim_end_matches('/'))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    fn read(issuer: &str) -> Result<Policy, PolicyError> {
        Policy::from_json(&format!(r#"{{"issuers":[{{{issuer},"audience":"a"}}]}}"#))
    }

    #[test]
    fn a_preset_stands_for_its_fields_and_those_given_win() {
        let policy = read(r#""preset":"auth0","domain":"t.example""#).unwrap();
        assert_eq!(policy.issuer_name(0), Some("https://t.example/"));
        let uri = |policy: &Policy| policy.remotes().next().unwrap().jwks_uri.map(str::to_owned);
        assert_eq!(uri(&policy).as_deref(), Some("https://t.example/.well-known/jwks.json"));
        let policy = read(r#""preset":"auth0","domain":"t.example","issuer":"https://u.example/""#).unwrap();
        assert_eq!(policy.issuer_name(0), Some("https://u.example/"));
        let policy = read(r#""preset":"okta","domain":"t.example","authorizationServer":"b""#).unwrap();
        assert_eq!(policy.issuer_name(0), Some("https://t.example/oauth2/b"));
        let policy = read(r#""preset":"okta","domain":"t.example""#).unwrap();
        assert_eq!(policy.issuer_name(0), Some("https://t.example/oauth2/default"));
        let policy = read(r#""preset":"keycloak","url":"http://localhost:8080/auth/","realm":"r""#).unwrap();
        assert_eq!(policy.issuer_name(0), Some("http://localhost:8080/auth/realms/r"));
        let policy = read(r#""preset":"kubernetes","issuer":"https://c.example/id/A""#).unwrap();
        let url = policy.remotes().next().unwrap().discovery_url.unwrap();
        assert_eq!(url, "https://c.example/id/A/.well-known/openid-configuration");
    }

    #[test]
    fn tenants_stand_in_the_place_of_a_parameter() {
        let ids = ["00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"];
        let policy = read(&format!(r#""preset":"entra-v2","tenants":["{}","{}"]"#, ids[0], ids[1])).unwrap();
        for (index, id) in ids.iter().enumerate() {
            let name = format!("https://login.microsoftonline.com/{id}/v2.0");
            assert_eq!(policy.issuer_name(index), Some(name.as_str()));
            let keys = format!("https://login.microsoftonline.com/{id}/discovery/v2.0/keys");
            assert_eq!(policy.remotes().nth(index).unwrap().jwks_uri, Some(keys.as_str()));
            assert!(policy.asks_for_claim(index, "tid"));
        }
        for (issuer, name) in [
            (r#""preset":"auth0","tenants":["t.example","u.example"]"#, "https://u.example/"),
            (
                r#""preset":"cognito-id","region":"eu-west-1","tenants":["eu-west-1_a","eu-west-1_b"]"#,
                "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_b",
            ),
            (r#""preset":"keycloak","url":"https://k.example/","tenants":["r","s"]"#, "https://k.example/realms/s"),
        ] {
            let policy = read(issuer).unwrap();
            assert_eq!(policy.issuer_name(1), Some(name));
            assert!(!policy.asks_for_claim(1, "domain") && !policy.asks_for_claim(1, "realm"));
        }
    }

    #[test]
    fn claims_add_up_so_that_naming_one_more_drops_none() {
        let document = r#"{"issuers":[{"preset":"github-actions","owner":"o","claims":{"ref":"r"},"requiredClaims":["x"]},
            {"preset":"okta","domain":"d","requiredClaims":["x"]}]}"#;
        let document = document::parse(document).unwrap();
        let fields = fields(&document).unwrap();
        let expanded = format!("{:?}", expand(document, &fields).unwrap());
        for part in ["(\"ref\", String(\"r\"))", "(\"repository_owner\", String(\"o\"))"] {
            assert!(expanded.contains(part), "{expanded}");
        }
        assert!(expanded.contains("[String(\"x\"), String(\"cid\")]"), "{expanded}");
    }

    #[test]
    fn a_parameter_at_fault_is_named() {
        for (issuer, member) in [
            (r#""preset":"nobody""#, "preset"),
            (r#""preset":1"#, "preset"),
            (r#""preset":"auth0""#, "domain"),
            (r#""preset":"auth0","domain":1"#, "domain"),
            (r#""preset":"auth0","domain":"a.example/x""#, "domain"),
            (r#""preset":"auth0","domain":"u@a.example""#, "domain"),
            (r#""preset":"auth0","domain":"https://a.example""#, "domain"),
            (r#""preset":"auth0","domain":"a.example","tenant":"t""#, "tenant"),
            (r#""preset":"entra-v2","tenant":"common""#, "tenant"),
            (r#""preset":"entra-v2","tenant":"contoso.onmicrosoft.com""#, "tenant"),
            (r#""preset":"cognito-access","region":"eu-west-1""#, "userPool"),
            (r#""preset":"cognito-access","region":"eu.x","userPool":"p""#, "region"),
            (r#""preset":"firebase","project":"..""#, "project"),
            (r#""preset":"firebase","project":"a/b""#, "project"),
            (r#""preset":"keycloak","url":"http://a.example","realm":"r""#, "url"),
            (r#""preset":"keycloak","url":"https://a.example?b","realm":"r""#, "url"),
            (r#""preset":"keycloak","url":"https://a.example","realm":"""#, "realm"),
            (r#""preset":"kubernetes""#, "issuer"),
            (r#""domain":"a.example","issuer":"i""#, "domain"),
            (r#""preset":"entra-v2","tenants":["common"]"#, "tenants/0"),
            (
                r#""preset":"entra-v2","tenant":"00000000-0000-0000-0000-000000000001","tenants":["00000000-0000-0000-0000-000000000002"]"#,
                "tenants",
            ),
            (r#""preset":"okta","domain":"a.example","tenants":["a"]"#, "tenants"),
            (r#""preset":"auth0","tenants":["a.example","b.example/x"]"#, "tenants/1"),
        ] {
            assert_eq!(read(issuer).unwrap_err().pointer(), format!("/issuers/0/{member}"), "{issuer}");
        }
    }
}
