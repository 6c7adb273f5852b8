//! The published JSON Schema (draft 2020-12), made of the tables that the reader checks by. It is
//! checked in as `policy.schema.json`; with `PORTCULLIS_WRITE_SCHEMA` set, the test below writes
//! it.

use serde_json::{Map, Value, json};

use crate::{
    alg::Alg,
    document::shape::{Kind, Member, Shape},
    policy::{
        presets::{Parameter, Preset, Syntax},
        providers::PRESETS,
        shapes::{ISSUER, POLICY, REQUIREMENT},
    },
};

/// The algorithms behind a feature, which the package has in an entry of its own.
const MORE_ALGORITHMS: [&str; 3] = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];

fn schema() -> Value {
    let mut schema = shape(&POLICY);
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Portcullis policy",
        "description": "Which issuers a verifier trusts, and what a gate requires of requests. Unknown members are refused."
    });
    let Value::Object(mut head) = head else { unreachable!() };
    head.append(schema.as_object_mut().unwrap());
    head.insert(
        "$defs".to_owned(),
        json!({ "algorithm": algorithm(), "issuer": issuer(), "requirement": shape(&REQUIREMENT) }),
    );
    Value::Object(head)
}

fn shape(shape: &Shape) -> Value {
    let members: Map<String, Value> = shape.members.iter().map(|item| (item.name.to_owned(), member(item))).collect();
    let mut schema = json!({ "type": "object", "properties": members });
    let required: Vec<&str> = shape.members.iter().filter(|member| member.required).map(|member| member.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !shape.open {
        schema["additionalProperties"] = json!(false);
    }
    let each = |names: &[&str]| names.iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>();
    if !shape.one_of.is_empty() {
        schema["oneOf"] = json!(each(shape.one_of));
    }
    if !shape.any_of.is_empty() {
        schema["anyOf"] = json!(each(shape.any_of));
    }
    schema
}

fn member(member: &Member) -> Value {
    let mut schema = match member.elsewhere {
        Some(elsewhere) => shape(elsewhere),
        None => kind(&member.kind),
    };
    schema["description"] = json!(member.about);
    if let Some(default) = member.default {
        schema["default"] = serde_json::from_str(default).unwrap();
    }
    schema
}

fn kind(kind: &Kind) -> Value {
    match kind {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        // Which of these hosts may be asked over plain HTTP, `plainHttpHosts` says: no schema can
        // look there.
        Kind::Url | Kind::Template => json!({
            "type": "string",
            "pattern": r"^(https://|http://(\[[0-9a-f:.]+\]|[\w-]+|[\w.-]+\.(local|internal|intranet|private|corp|home|lan|localdomain|test|svc|cluster|consul|\d+))([:/?]|$))[^\s#@\\]*$"
        }),
        Kind::Lists => json!({ "anyOf": [self::kind(&Kind::Texts), self::kind(&Kind::Map(&Kind::Texts))] }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Scalar => json!({ "type": ["string", "integer", "boolean"], "minimum": 0 }),
        Kind::Algorithm => json!({ "$ref": "#/$defs/algorithm" }),
        Kind::Choice([only]) => json!({ "const": only }),
        Kind::Choice(known) => json!({ "enum": known }),
        Kind::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Texts => json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } }),
        Kind::Array(item) => json!({ "type": "array", "minItems": 1, "items": self::kind(item) }),
        Kind::Never(_) => json!(false),
        Kind::Either(Kind::Never(_), other) => self::kind(other),
        Kind::Either(text, other) => json!({ "anyOf": [self::kind(text), self::kind(other)] }),
        Kind::Object(object) if core::ptr::eq(object.members, ISSUER.members) => json!({ "$ref": "#/$defs/issuer" }),
        Kind::Object(object) if core::ptr::eq(object.members, REQUIREMENT.members) => {
            json!({ "$ref": "#/$defs/requirement" })
        }
        Kind::Object(object) => shape(object),
        Kind::Map(values) => json!({ "type": "object", "additionalProperties": self::kind(values) }),
        Kind::Elsewhere => json!({ "type": "object" }),
    }
}

fn algorithm() -> Value {
    let names: Vec<&str> = Alg::ALL.into_iter().map(Alg::name).filter(|name| !name.starts_with("ML-")).collect();
    let names = [names, vec!["Ed25519"], MORE_ALGORITHMS.to_vec()].concat();
    json!({
        "description": "A signature algorithm. Ed25519 is another name of EdDSA; ML-DSA is in an entry of its own.",
        "enum": names
    })
}

/// An issuer with or without a preset. Which parameters go with which preset is said by conditions.
fn issuer() -> Value {
    let mut schema = shape(&ISSUER);
    let parts = ["required", "anyOf"].map(|part| (part, schema.as_object_mut().unwrap().remove(part).unwrap()));
    let mut plain = json!({ "properties": only(&[]) });
    for (name, part) in parts {
        plain[name] = part;
    }
    let properties = schema["properties"].as_object_mut().unwrap();
    let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    properties.insert(
        "preset".to_owned(),
        json!({
            "enum": names,
            "description": "A provider whose tokens have a documented shape. It stands for the fields that the shape asks for; fields that are given win, and claims add up."
        }),
    );
    for (name, syntax) in parameters() {
        properties.insert(name.to_owned(), parameter(name, syntax));
    }
    let without = json!({ "if": { "not": { "required": ["preset"] } }, "then": plain });
    let conditions = PRESETS.iter().map(|preset| {
        let known: Vec<&str> = preset.parameters.iter().map(|parameter| parameter.name).collect();
        let mut then = json!({ "required": needed(preset), "properties": only(&known) });
        if let Some(parameter) = preset.parameters.iter().find(|parameter| parameter.hole.is_some()) {
            then["oneOf"] = json!([{ "required": [parameter.name] }, { "required": ["tenants"] }]);
        }
        json!({
            "if": { "properties": { "preset": { "const": preset.name } }, "required": ["preset"] },
            "then": then
        })
    });
    schema["allOf"] = core::iter::once(without).chain(conditions).collect();
    schema
}

/// Every parameter of a preset, once.
fn parameters() -> Vec<(&'static str, Syntax)> {
    let mut all: Vec<(&str, Syntax)> = Vec::new();
    for parameter in PRESETS.iter().flat_map(|preset| preset.parameters) {
        if !all.iter().any(|(name, _)| *name == parameter.name) {
            all.push((parameter.name, parameter.syntax));
        }
    }
    all
}

/// What refuses the parameters of other presets.
fn only(known: &[&str]) -> Map<String, Value> {
    let others = parameters().into_iter().filter(|(name, _)| !known.contains(name));
    others.map(|(name, _)| (name.to_owned(), json!(false))).collect()
}

/// What a preset stands for, its parameters not filled in.
fn fields(preset: &Preset) -> Value {
    serde_json::from_str(preset.fields).unwrap()
}

/// What an issuer has to say itself beside its preset.
fn needed(preset: &Preset) -> Vec<&'static str> {
    let own = fields(preset);
    let names = ["issuer", "audience"].into_iter().filter(|name| own.get(name).is_none());
    let is_needed = |parameter: &&Parameter| parameter.default.is_none() && parameter.hole.is_none();
    let parameters = preset.parameters.iter().filter(is_needed);
    names.chain(parameters.map(|parameter| parameter.name)).collect()
}

fn parameter(name: &str, syntax: Syntax) -> Value {
    let presets: Vec<&str> = PRESETS
        .iter()
        .filter(|preset| preset.parameters.iter().any(|parameter| parameter.name == name))
        .map(|preset| preset.name)
        .collect();
    let description = format!(
        "{} Of the preset{} {}.",
        match name {
            "domain" => "The tenant's host name, its own domain if it has one.",
            "tenant" => "The tenant's id.",
            "authorizationServer" => "The id of the custom authorization server: \"default\" by default.",
            "region" => "The region of the user pool.",
            "userPool" => "The id of the user pool.",
            "project" => "The id of the project. With firebase it is also the audience.",
            "client" => "The client id of the environment, which its keys are published under.",
            "tenantName" => "The tenant's name: what stands before b2clogin.com.",
            "userFlow" => "The user flow or custom policy by which users sign in, such as B2C_1_signin.",
            "namespaceId" => "The id of the group or user whose projects are trusted, as in `namespace_id`.",
            "url" => "Where the server is, with its path if it has one.",
            "realm" => "The realm.",
            "team" => "The team's name: what stands before cloudflareaccess.com.",
            "owner" => "The user or organisation whose repositories are trusted.",
            other => panic!("{other} is not described"),
        },
        if presets.len() == 1 { "" } else { "s" },
        presets.join(", ")
    );
    let pattern = match syntax {
        Syntax::Host => r"^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)*$",
        Syntax::Label => "^[A-Za-z0-9_-]+$",
        Syntax::Segment => "^[A-Za-z0-9_~:-][A-Za-z0-9._~:-]*$",
        Syntax::Guid => "^[A-Za-z0-9]{8}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{4}-[A-Za-z0-9]{12}$",
        Syntax::Url => {
            let mut schema = kind(&Kind::Url);
            schema["description"] = json!(description);
            return schema;
        }
    };
    json!({ "type": "string", "pattern": pattern, "description": description })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn the_published_schema_is_that_of_the_tables() {
        let text = format!("{:#}\n", schema());
        if std::env::var_os("PORTCULLIS_WRITE_SCHEMA").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/policy/policy.schema.json"), &text).unwrap();
            return;
        }
        assert!(
            text == Policy::JSON_SCHEMA,
            "write it anew: PORTCULLIS_WRITE_SCHEMA=1 cargo test --lib policy::schema"
        );
    }

    #[test]
    fn every_member_is_described() {
        fn walk(path: &str, schema: &Value) {
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
            for (name, member) in properties {
                let about = member["description"].as_str().unwrap_or_default();
                assert!(about.len() > 8 && about.ends_with('.'), "{path}/{name}: {about:?}");
                walk(&format!("{path}/{name}"), member);
                walk(&format!("{path}/{name}"), &member["items"]);
            }
        }
        let schema = schema();
        walk("", &schema);
        walk("/issuers", &schema["$defs"]["issuer"]);
        walk("/requirement", &schema["$defs"]["requirement"]);
    }

    #[test]
    fn a_preset_names_fields_of_an_issuer_alone() {
        for preset in &PRESETS {
            for name in fields(preset).as_object().unwrap().keys() {
                assert!(ISSUER.members.iter().any(|member| member.name == name), "{}: {name}", preset.name);
            }
            let used: Vec<&str> =
                preset.fields.split('<').skip(1).map(|part| part.split('>').next().unwrap()).collect();
            let known = |name: &&str| preset.parameters.iter().any(|parameter| parameter.name == *name);
            assert!(used.iter().all(known), "{}: {used:?}", preset.name);
            assert!(preset.parameters.iter().all(|parameter| used.contains(&parameter.name)), "{}", preset.name);
        }
    }
}
