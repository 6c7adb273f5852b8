//! Providers whose tokens have a documented shape: a preset and its parameters stand for the fields that the shape asks for.

use std::borrow::Cow;

use crate::{
    document::url,
    json::{Object, Value},
    policy_error::PolicyError,
};

/// A provider. Fields that the policy gives itself win; of claims, both count.
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) fields: &'static [(&'static str, Field)],
}

/// What tells one customer of a provider from another.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) syntax: Syntax,
    /// What holds when it is left out; without, it must not be.
    pub(super) default: Option<&'static str>,
}

/// What a parameter may be. It becomes part of a URL, so that none can lead to another host or path.
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

/// What a field becomes; `{name}` stands for the parameter of that name.
pub(super) enum Field {
    Text(&'static str),
    Texts(&'static [&'static str]),
    Members(&'static [(&'static str, &'static str)]),
}

use Field::{Members, Text, Texts};
use Syntax::{Guid, Host, Label, Segment, Url};

const fn preset(
    name: &'static str,
    parameters: &'static [Parameter],
    fields: &'static [(&'static str, Field)],
) -> Preset {
    Preset { name, parameters, fields }
}

const fn given(name: &'static str, syntax: Syntax) -> Parameter {
    Parameter { name, syntax, default: None }
}

const RS256: (&str, Field) = ("algorithms", Texts(&["RS256"]));
const JWT: (&str, Field) = ("types", Texts(&["JWT"]));
/// These providers send no `typ`.
const UNTYPED: (&str, Field) = ("types", Text("any"));

/// Every preset.
#[rustfmt::skip]
pub(super) const PRESETS: [Preset; 13] = [
    // ID tokens look alike and are for another audience: the client.
    preset("auth0", &[given("domain", Host)], &[
        ("issuer", Text("https://{domain}/")),
        ("remote", Members(&[("jwksUri", "https://{domain}/.well-known/jwks.json")])),
        ("types", Texts(&["JWT", "at+jwt"])),
    ]),
    // The keys have no `alg`. Only access tokens say for which client they are: `appid`, and in v2.0 `azp`.
    preset("entra-v1", &[given("tenant", Guid)], &[
        ("issuer", Text("https://sts.windows.net/{tenant}/")),
        ("remote", Members(&[("jwksUri", "https://login.microsoftonline.com/{tenant}/discovery/keys")])),
        ("claims", Members(&[("tid", "{tenant}"), ("ver", "1.0")])),
        ("requiredClaims", Texts(&["appid"])),
        RS256, JWT,
    ]),
    preset("entra-v2", &[given("tenant", Guid)], &[
        ("issuer", Text("https://login.microsoftonline.com/{tenant}/v2.0")),
        ("remote", Members(&[("jwksUri", "https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys")])),
        ("claims", Members(&[("tid", "{tenant}"), ("ver", "2.0")])),
        ("requiredClaims", Texts(&["azp"])),
        RS256, JWT,
    ]),
    // Only access tokens have `cid`.
    preset("okta", &[given("domain", Host), Parameter { name: "authorizationServer", syntax: Label, default: Some("default") }], &[
        ("issuer", Text("https://{domain}/oauth2/{authorizationServer}")),
        ("remote", Members(&[("jwksUri", "https://{domain}/oauth2/{authorizationServer}/v1/keys")])),
        ("requiredClaims", Texts(&["cid"])),
        RS256, UNTYPED,
    ]),
    // Access tokens have no `aud`.
    preset("cognito-access", &[given("region", Label), given("userPool", Label)], &[
        ("issuer", Text("https://cognito-idp.{region}.amazonaws.com/{userPool}")),
        ("remote", Members(&[("jwksUri", "https://cognito-idp.{region}.amazonaws.com/{userPool}/.well-known/jwks.json")])),
        ("audienceClaim", Text("client_id")),
        ("claims", Members(&[("token_use", "access")])),
        RS256, UNTYPED,
    ]),
    preset("cognito-id", &[given("region", Label), given("userPool", Label)], &[
        ("issuer", Text("https://cognito-idp.{region}.amazonaws.com/{userPool}")),
        ("remote", Members(&[("jwksUri", "https://cognito-idp.{region}.amazonaws.com/{userPool}/.well-known/jwks.json")])),
        ("claims", Members(&[("token_use", "id")])),
        RS256, UNTYPED,
    ]),
    // ID tokens: access tokens are opaque.
    preset("google", &[], &[
        ("issuer", Text("https://accounts.google.com")),
        ("remote", Members(&[("jwksUri", "https://www.googleapis.com/oauth2/v3/certs")])),
        RS256, JWT,
    ]),
    preset("firebase", &[given("project", Segment)], &[
        ("issuer", Text("https://securetoken.google.com/{project}")),
        ("audience", Text("{project}")),
        ("remote", Members(&[("jwksUri", "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com")])),
        ("requiredClaims", Texts(&["sub", "auth_time"])),
        RS256, JWT,
    ]),
    // The payload's own `typ` tells access tokens from ID and refresh tokens.
    preset("keycloak", &[given("url", Url), given("realm", Segment)], &[
        ("issuer", Text("{url}/realms/{realm}")),
        ("remote", Members(&[("jwksUri", "{url}/realms/{realm}/protocol/openid-connect/certs")])),
        ("claims", Members(&[("typ", "Bearer")])),
        ("types", Texts(&["JWT", "at+jwt"])),
    ]),
    // Tokens of the whole team have the type "org".
    preset("cloudflare-access", &[given("team", Label)], &[
        ("issuer", Text("https://{team}.cloudflareaccess.com")),
        ("remote", Members(&[("jwksUri", "https://{team}.cloudflareaccess.com/cdn-cgi/access/certs")])),
        ("claims", Members(&[("type", "app")])),
        RS256, JWT,
    ]),
    // Every repository gets tokens, for any audience it asks for: the owner is what tells ours.
    preset("github-actions", &[given("owner", Label)], &[
        ("issuer", Text("https://token.actions.githubusercontent.com")),
        ("remote", Members(&[("jwksUri", "https://token.actions.githubusercontent.com/.well-known/jwks")])),
        ("claims", Members(&[("repository_owner", "{owner}")])),
        RS256, JWT,
    ]),
    preset("apple", &[], &[
        ("issuer", Text("https://appleid.apple.com")),
        ("remote", Members(&[("jwksUri", "https://appleid.apple.com/auth/keys")])),
        RS256, UNTYPED,
    ]),
    // The issuer is the cluster's own.
    preset("kubernetes", &[], &[
        ("remote", Members(&[("discovery", "oidc")])),
        ("requiredClaims", Texts(&["sub", "kubernetes.io"])),
        UNTYPED,
    ]),
];

/// The document with the fields in place that its issuers' presets stand for.
///
/// # Errors
/// A preset that is not known; a parameter that is missing or cannot be part of a URL.
pub(super) fn expand(mut document: Object<'_>) -> Result<Object<'_>, PolicyError> {
    if let Some(Value::Array(issuers)) = document.get_mut("issuers") {
        for (index, issuer) in issuers.iter_mut().enumerate() {
            if let Value::Object(object) = issuer
                && object.get("preset").is_some()
            {
                *object = one(object).map_err(|error| error.within(&index.to_string()).within("issuers"))?;
            }
        }
    }
    Ok(document)
}

fn one<'a>(issuer: &Object<'a>) -> Result<Object<'a>, PolicyError> {
    let name = issuer.string("preset")?.unwrap_or_default();
    let preset = PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
        let known = PRESETS.each_ref().map(|preset| preset.name).join(", ");
        PolicyError::at("preset", format!("is not known; known are {known}"))
    })?;
    let mut values = Vec::new();
    for Parameter { name, syntax, default } in preset.parameters {
        let value = issuer.string(name)?.or(*default);
        let value = value.ok_or_else(|| PolicyError::at(name, format!("is required by the preset {}", preset.name)))?;
        values.push((*name, syntax.read(value).map_err(|reason| PolicyError::at(name, reason))?));
    }
    let is_field = |name: &str| name != "preset" && !preset.parameters.iter().any(|parameter| parameter.name == name);
    let own = issuer.members().filter(|(name, _)| is_field(name));
    let merged = own.map(|(name, value)| {
        let preset = preset.fields.iter().find(|(field, _)| *field == name);
        let value = preset.map_or_else(|| value.clone(), |(_, field)| field.beside(name, value, &values));
        (Cow::Owned(name.to_owned()), value)
    });
    let added = preset.fields.iter().map(|(name, field)| (Cow::Borrowed(*name), field.value(&values)));
    Ok(merged.chain(added).collect())
}

impl Syntax {
    /// The value as it goes into a URL.
    fn read(self, value: &str) -> Result<&str, &'static str> {
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
            Segment => Err("must be one segment of a path"),
            Guid if value.len() == 36 && value.split('-').map(str::len).eq([8, 4, 4, 4, 12]) && made_of(b"-") => {
                Ok(value)
            }
            Guid => Err("must be the tenant's id, a GUID: tokens name it even where a domain name led to them"),
            Url => {
                url::check(value)?;
                if value.contains('?') { Err("must have no query") } else { Ok(value.trim_end_matches('/')) }
            }
        }
    }
}

impl Field {
    fn value<'a>(&self, values: &[(&str, &str)]) -> Value<'a> {
        match self {
            Text(template) => filled(template, values),
            Texts(texts) => Value::Array(texts.iter().map(|text| Value::String(Cow::Borrowed(*text))).collect()),
            Members(members) => {
                let member = |(name, template): &(&'static str, &str)| (Cow::Borrowed(*name), filled(template, values));
                Value::Object(members.iter().map(member).collect())
            }
        }
    }

    /// What the policy says of the same field: it wins, but for claims, where what the preset asks for is asked for besides.
    fn beside<'a>(&self, name: &str, own: &Value<'a>, values: &[(&str, &str)]) -> Value<'a> {
        match (name, own, self.value(values)) {
            ("claims", Value::Object(own), Value::Object(preset)) => {
                let member = |(name, value): (&str, &Value<'a>)| (Cow::Owned(name.to_owned()), value.clone());
                Value::Object(own.members().map(member).chain(preset.members().map(member)).collect())
            }
            ("requiredClaims", Value::Array(own), Value::Array(preset)) if !own.is_empty() => {
                Value::Array(own.iter().cloned().chain(preset).collect())
            }
            _ => own.clone(),
        }
    }
}

fn filled<'a>(template: &str, values: &[(&str, &str)]) -> Value<'a> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or_default();
        let value = values.iter().find(|(parameter, _)| *parameter == name).map_or("", |(_, value)| value);
        text.push_str(before);
        text.push_str(value);
        rest = behind;
    }
    text.push_str(rest);
    Value::String(Cow::Owned(text))
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
    fn claims_add_up_so_that_naming_one_more_drops_none() {
        let document = r#"{"issuers":[{"preset":"github-actions","owner":"o","claims":{"ref":"r"},"requiredClaims":["x"]},
            {"preset":"okta","domain":"d","requiredClaims":["x"]}]}"#;
        let expanded = format!("{:?}", expand(crate::document::parse(document).unwrap()).unwrap());
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
        ] {
            assert_eq!(read(issuer).unwrap_err().pointer(), format!("/issuers/0/{member}"), "{issuer}");
        }
    }
}
