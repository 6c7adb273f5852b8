//! What a browser is told about scripts of other origins (Fetch §3.3): the answer to a preflight,
//! and who may read a refusal.

use crate::{document::checked::Checked, gate::credentials::Places, json::Value, policy_error::PolicyError};

/// The policy's `cors`.
#[derive(Debug)]
pub(crate) struct Cors {
    origins: Allowed,
    methods: String,
    headers: String,
    exposed: String,
    credentials: bool,
    max_age: u64,
}

#[derive(Debug)]
enum Allowed {
    Any,
    OneOf(Vec<String>),
}

/// Header fields of an answer.
pub(crate) type Fields = Vec<(String, String)>;

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// What a client has to read of a refusal to do better (RFC 6750 §3, RFC 9449 §8, RFC 9110
/// §10.2.3).
const EXPOSED: [&str; 3] = ["WWW-Authenticate", "DPoP-Nonce", "Retry-After"];

/// An answer depends on these and must not be taken for that to another request (RFC 9110
/// §12.5.5).
const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

impl Cors {
    /// Reads the section. The headers of the gate's own credentials are always among those that a
    /// script may set.
    pub(crate) fn read(object: Checked<'_, '_>, places: &Places) -> Result<Self, PolicyError> {
        let origins = match object.value("origins") {
            Some(Value::String(_)) | None => Allowed::Any,
            Some(_) => Allowed::OneOf(origins(object, "origins")?),
        };
        let credentials = object.flag("credentials");
        // Fetch §3.3.5: "*" and credentials do not go together, and an origin that nobody listed
        // is never reflected.
        if credentials && matches!(origins, Allowed::Any) {
            return Err(PolicyError::at(
                "credentials",
                "must be false where \"origins\" is \"any\"; list the origins to allow credentials",
            ));
        }
        let mut methods = listed(object, "methods", is_token, TOKEN)?;
        if methods.is_empty() {
            methods = METHODS.map(str::to_owned).to_vec();
        }
        let own = places.header.as_deref().into_iter().chain(places.may_prove().then_some("dpop"));
        let mut headers: Vec<String> = own.chain(["content-type"]).map(str::to_owned).collect();
        for name in listed(object, "headers", is_token, TOKEN)? {
            let name = name.to_ascii_lowercase();
            if !headers.contains(&name) {
                headers.push(name);
            }
        }
        let exposed = listed(object, "exposeHeaders", is_token, TOKEN)?;
        let exposed: Vec<String> = EXPOSED.map(str::to_owned).into_iter().chain(exposed).collect();
        Ok(Cors {
            origins,
            methods: methods.join(", "),
            headers: headers.join(", "),
            exposed: exposed.join(", "),
            credentials,
            max_age: object.number("maxAgeSeconds").unwrap_or(600),
        })
    }

    /// The fields of the answer to a preflight. An origin that is not listed is told nothing that
    /// allows it anything.
    pub(crate) fn of_preflight(&self, origin: &str) -> Fields {
        let mut fields = self.allowing(origin);
        if !fields.is_empty() {
            fields.push(field("access-control-allow-methods", &self.methods));
            fields.push(field("access-control-allow-headers", &self.headers));
            fields.push(field("access-control-max-age", &self.max_age.to_string()));
        }
        fields.push(field("vary", VARY));
        fields
    }

    /// The fields that let a script read the answer to a request.
    pub(crate) fn of_answer(&self, origin: Option<&str>) -> Fields {
        let mut fields = origin.map_or_else(Fields::new, |origin| self.allowing(origin));
        if !fields.is_empty() {
            fields.push(field("access-control-expose-headers", &self.exposed));
        }
        fields.push(field("vary", "Origin"));
        fields
    }

    fn allowing(&self, origin: &str) -> Fields {
        let allowed = match &self.origins {
            Allowed::Any => "*",
            Allowed::OneOf(origins) if origins.iter().any(|own| own == origin) => origin,
            Allowed::OneOf(_) => return Fields::new(),
        };
        let mut fields = vec![field("access-control-allow-origin", allowed)];
        if self.credentials {
            fields.push(field("access-control-allow-credentials", "true"));
        }
        fields
    }
}

/// A list of origins.
pub(crate) fn origins(object: Checked<'_, '_>, name: &str) -> Result<Vec<String>, PolicyError> {
    listed(object, name, is_origin, ORIGIN)
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

const ORIGIN: &str = "expected an origin as browsers send it, such as \"https://app.example\": scheme and host in lower case, \
                      no path, and no port that is the scheme's own";
const TOKEN: &str = "must be a field name of HTTP (RFC 9110 section 5.1), and not \"*\"";

fn listed(
    object: Checked<'_, '_>,
    name: &str,
    fits: fn(&str) -> bool,
    expected: &str,
) -> Result<Vec<String>, PolicyError> {
    let texts = object.strings(name);
    match texts.iter().position(|text| !fits(text)) {
        None => Ok(texts),
        Some(index) => Err(PolicyError::at(&index.to_string(), expected).within(name)),
    }
}

/// `*` is a character of tokens (RFC 9110 §5.6.2), and would mean everything (Fetch §3.3.4).
fn is_token(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte))
}

/// A serialized origin (RFC 6454 §6.2), of schemes of apps as well. `null` is the origin of
/// nobody in particular.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let own = (scheme == "https" && port == "443") || (scheme == "http" && port == "80");
    let letter = scheme.starts_with(|first: char| first.is_ascii_lowercase());
    let scheme = scheme.bytes().all(|byte| lower(byte) || b"+-.".contains(&byte));
    let named = |byte: u8| lower(byte) || b"-._:[]".contains(&byte);
    letter && scheme && !own && !authority.is_empty() && authority.bytes().all(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document, policy::shapes::GATE};

    fn cors(text: &str) -> Result<Cors, PolicyError> {
        let text = format!(r#"{{"cors":{text}}}"#);
        let document = document::parse(&text).unwrap();
        Cors::read(GATE.check(&document).unwrap().section("cors").unwrap(), &Places::default())
    }

    fn value<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
        fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_listed_origin_is_allowed_and_no_other_is_reflected() {
        let cors =
            cors(r#"{"origins":["https://app.example"],"headers":["X-Trace","Authorization"],"credentials":true}"#);
        let cors = cors.unwrap();
        let allowed = cors.of_preflight("https://app.example");
        assert_eq!(value(&allowed, "access-control-allow-origin"), Some("https://app.example"));
        assert_eq!(value(&allowed, "access-control-allow-credentials"), Some("true"));
        assert_eq!(value(&allowed, "access-control-allow-headers"), Some("authorization, dpop, content-type, x-trace"));
        assert_eq!(value(&allowed, "access-control-allow-methods"), Some("GET, HEAD, POST, PUT, PATCH, DELETE"));
        for origin in
            ["https://app.example.attacker.example", "https://App.example", "null", "", "https://app.example/"]
        {
            assert_eq!(cors.of_preflight(origin), [field("vary", VARY)], "{origin}");
            assert_eq!(cors.of_answer(Some(origin)), [field("vary", "Origin")], "{origin}");
        }
        assert_eq!(cors.of_answer(None), [field("vary", "Origin")]);
    }

    #[test]
    fn any_origin_is_a_star_and_has_no_credentials() {
        let any = cors(r#"{"origins":"any","maxAgeSeconds":0}"#).unwrap();
        let fields = any.of_preflight("https://anywhere.example");
        assert_eq!(value(&fields, "access-control-allow-origin"), Some("*"));
        assert_eq!(value(&fields, "access-control-max-age"), Some("0"));
        assert_eq!(value(&fields, "access-control-allow-credentials"), None);
        assert_eq!(cors(r#"{"origins":"any","credentials":true}"#).unwrap_err().pointer(), "/credentials");
    }

    #[test]
    fn a_mistake_names_its_member() {
        for (text, pointer) in [
            (r#"{"origins":["*"]}"#, "/origins/0"),
            (r#"{"origins":["null"]}"#, "/origins/0"),
            (r#"{"origins":["https://app.example/"]}"#, "/origins/0"),
            (r#"{"origins":["https://app.example:443"]}"#, "/origins/0"),
            (r#"{"origins":["https://a.example","https://B.example"]}"#, "/origins/1"),
            (r#"{"origins":["https://*.example"]}"#, "/origins/0"),
            (r#"{"origins":"any","methods":["*"]}"#, "/methods/0"),
            (r#"{"origins":"any","headers":["x-a","a b"]}"#, "/headers/1"),
            (r#"{"origins":"any","exposeHeaders":["*"]}"#, "/exposeHeaders/0"),
        ] {
            assert_eq!(cors(text).unwrap_err().pointer(), pointer, "{text}");
        }
        assert!(
            cors(r#"{"origins":["capacitor://localhost","http://localhost:5173","https://[2001:db8::1]"]}"#).is_ok()
        );
    }
}
