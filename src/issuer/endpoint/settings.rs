//! What an issuer is told: its JSON configuration, and its secrets apart from it.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::{client::Client, rate_limit::Rate};
use crate::issuer::{
    bounds,
    feed::Feed,
    sessions::{configuration::Configuration, configuration::SessionRules, root_keys::RootKeys},
    tokens::{
        key_ring::{KeyRing, Schedule},
        signing_key::SigningKey,
    },
};
use crate::{
    binding::uri::Url,
    document::{self, url},
    json::Object,
    keys::remote::KeyReport,
    policy_error::PolicyError,
    time::{Leeway, UnixSeconds},
    verifier::Verifier,
};

const MEMBERS: [&str; 14] = [
    "issuer",
    "audience",
    "sessions",
    "clients",
    "upstream",
    "upstreamSubjects",
    "limits",
    "jwksCacheSeconds",
    "codeSeconds",
    "cors",
    "authorizationEndpoint",
    "feedAccess",
    "health",
    "requirePushedAuthorizationRequests",
];

/// An issuer: what it grants to whom, and what it signs with. It holds no session; its store does.
#[derive(Debug)]
pub struct Settings {
    pub(super) issuer: String,
    pub(super) audience: String,
    /// The path of the issuer, without a slash at its end.
    pub(super) path: String,
    /// The issuer is served over plain HTTP on this machine, by its own URL.
    pub(super) is_local: bool,
    pub(super) rules: SessionRules,
    pub(super) ring: KeyRing,
    pub(super) feed: Option<Feed>,
    pub(super) clients: Vec<Client>,
    pub(super) upstream: Option<Upstream>,
    pub(super) address_rate: Option<Rate>,
    pub(super) session_rate: Rate,
    pub(super) client_rate: Option<Rate>,
    pub(super) jwks_cache_seconds: u64,
    pub(super) code_seconds: u64,
    pub(super) origins: Vec<String>,
    /// The application's own page.
    pub(super) authorization_endpoint: String,
    /// Authorization requests are pushed (RFC 9126 §5), unless a client is told otherwise.
    pub(super) pushes: bool,
    /// Anybody may read the revocation feed.
    pub(super) feed_is_public: bool,
    /// There is a `/health`.
    pub(super) health: bool,
}

/// Whose tokens can be exchanged for ours.
#[derive(Debug)]
pub(super) struct Upstream {
    /// Its keys may be fetched while requests are under way.
    pub(super) verifier: Mutex<Verifier>,
    /// The subject stays as it is, since no two of the issuers and no user of our own can have the
    /// same.
    pub(super) verbatim: bool,
}

impl Upstream {
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Verifier) -> T) -> T {
        look(&mut self.verifier.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Settings {
    /// Reads the configuration, and the secrets:
    /// `{ signingKeys: [{ jwk, publishedAtSeconds?, signsFromSeconds? }], rootKeys: [{ secret, mintsFromSeconds? }], feedKey? }`.
    ///
    /// # Errors
    /// The first mistake, at the member at fault: those of the secrets under `/signingKeys`,
    /// `/rootKeys` and `/feedKey`. Never a value.
    pub fn from_json(config: &str, secrets: &str) -> Result<Self, PolicyError> {
        let document = document::parse(config)?;
        document.only(&MEMBERS)?;
        let raw: Value = serde_json::from_str(config).map_err(|_| PolicyError::here("is not a JSON object"))?;
        let issuer = document.required_string("issuer")?.to_owned();
        url::check(&issuer).map_err(|reason| PolicyError::at("issuer", reason))?;
        // RFC 8414 §2: no query and no fragment. A slash at the end would be doubled, or lost, in
        // half of all clients.
        let url = Url::parse(&issuer).filter(|url| url.query.is_none() && !issuer.ends_with('/'));
        let url = url.ok_or_else(|| {
            PolicyError::at("issuer", "must be a URL without a query, a fragment or a trailing slash")
        })?;
        let is_local = !url.secure && url.is_loopback();
        let path = if url.path == "/" { String::new() } else { url.path };
        bounds::check_text("issuer", &issuer, bounds::ISSUER)?;
        let audience = document.required_string("audience")?.to_owned();
        bounds::check_text("audience", &audience, bounds::AUDIENCE)?;
        let sessions = raw.get("sessions").map_or_else(|| "{}".to_owned(), Value::to_string);
        let configuration = Configuration::from_json(&sessions).map_err(|error| error.within("sessions"))?;
        let limits = limits(document.object("limits")?).map_err(|error| error.within("limits"))?;
        let jwks_cache_seconds = within(&document, "jwksCacheSeconds", 3600, 1, 86_400)?;
        let schedule = Schedule {
            cache_seconds: jwks_cache_seconds,
            token_seconds: configuration.access_token,
            leeway: Leeway::checked(Leeway::CAP),
        };
        let secrets = Secrets::read(secrets, schedule)?;
        let feed = match secrets.feed {
            None => None,
            Some(key) => Some(Feed::new(key, &issuer, configuration.access_token, &kids(&secrets.ring))?),
        };
        let authorization_endpoint = document.string("authorizationEndpoint")?.map(str::to_owned);
        if let Some(endpoint) = &authorization_endpoint {
            url::check(endpoint).map_err(|reason| PolicyError::at("authorizationEndpoint", reason))?;
        }
        let mut settings = Settings {
            path,
            is_local,
            audience,
            rules: SessionRules { configuration, roots: secrets.roots },
            ring: secrets.ring,
            feed,
            clients: Vec::new(),
            upstream: upstream(&document, &raw)?,
            session_rate: limits.session.unwrap_or(Rate::SESSION),
            client_rate: limits.client,
            address_rate: limits.address,
            feed_is_public: feed_is_public(&document)?,
            health: document.boolean("health")?.unwrap_or_default(),
            jwks_cache_seconds,
            code_seconds: within(&document, "codeSeconds", 60, 1, 600)?,
            origins: origins(document.object("cors")?).map_err(|error| error.within("cors"))?,
            authorization_endpoint: authorization_endpoint.unwrap_or_else(|| [&issuer, "/authorize"].concat()),
            pushes: document.boolean("requirePushedAuthorizationRequests")?.unwrap_or_default(),
            issuer,
        };
        settings.clients = clients(&document, &raw, &settings)?;
        Ok(settings)
    }

    /// A place of this issuer.
    pub(super) fn endpoint(&self, name: &str) -> String {
        [&self.issuer, name].concat()
    }

    /// The client of that name.
    pub(super) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// The audience of a client's tokens.
    pub(super) fn audience<'s>(&'s self, client: &'s Client) -> &'s str {
        client.audience.as_deref().unwrap_or(&self.audience)
    }

    /// The JWK Set at `now`, in JSON.
    #[must_use]
    pub fn jwks(&self, now: UnixSeconds) -> String {
        self.ring.jwks(now)
    }

    /// The public half of the key that signs the feed, as a JWK Set, if there is a feed.
    #[must_use]
    pub fn feed_jwks(&self) -> Option<String> {
        self.feed.as_ref().map(Feed::jwks)
    }

    /// Where the keys of upstream issuers are, everything filled in, as JSON.
    #[must_use]
    pub fn remotes(&self) -> String {
        let sources = |verifier: &mut Verifier| {
            let remotes: Vec<_> = verifier.policy().remotes().collect();
            serde_json::to_string(&remotes).unwrap_or_default()
        };
        self.upstream.as_ref().map_or_else(|| "[]".to_owned(), |upstream| upstream.with(sources))
    }

    /// Takes the JWK Set that an upstream issuer publishes.
    ///
    /// # Errors
    /// As [`Verifier::set_remote_keys`](crate::Verifier::set_remote_keys). The present keys then
    /// stay.
    pub fn set_remote_keys(&self, issuer: &str, jwks: &str) -> Result<KeyReport, PolicyError> {
        let upstream = self.upstream.as_ref();
        let upstream = upstream.ok_or_else(|| PolicyError::at("issuer", "is not one of the upstream issuers"))?;
        upstream.with(|verifier| verifier.set_remote_keys(issuer, jwks))
    }

    /// Takes the published keys of an upstream issuer away.
    pub fn forget_remote_keys(&self, issuer: &str) {
        if let Some(upstream) = &self.upstream {
            upstream.with(|verifier| verifier.forget_remote_keys(issuer));
        }
    }
}

struct Secrets {
    ring: KeyRing,
    roots: RootKeys,
    feed: Option<SigningKey>,
}

impl Secrets {
    fn read(text: &str, schedule: Schedule) -> Result<Self, PolicyError> {
        let document = document::parse(text)?;
        document.only(&["signingKeys", "rootKeys", "feedKey"])?;
        let raw: Value = serde_json::from_str(text).map_err(|_| PolicyError::here("is not a JSON object"))?;
        let mut keys = Vec::new();
        document.objects("signingKeys", &mut |key| {
            key.only(&["jwk", "publishedAtSeconds", "signsFromSeconds"])?;
            keys.push((key.instant("publishedAtSeconds")?, key.instant("signsFromSeconds")?));
            Ok(())
        })?;
        let mut ring: Option<KeyRing> = None;
        for (index, (published_at, signs_from)) in keys.into_iter().enumerate() {
            let within = |error: PolicyError| error.within(&index.to_string()).within("signingKeys");
            let jwk = raw.get("signingKeys").and_then(|keys| keys.get(index)).and_then(|key| key.get("jwk"));
            let jwk = jwk.ok_or_else(|| within(PolicyError::at("jwk", "is required")))?.to_string();
            let key = SigningKey::from_private_jwk(&jwk).map_err(|error| within(error.within("jwk")))?;
            ring = Some(match ring {
                None => KeyRing::begin(schedule, key, published_at.unwrap_or(signs_from.unwrap_or(UnixSeconds::EPOCH))),
                Some(ring) => {
                    let required =
                        |member: &str| PolicyError::at(member, "is required for every signing key after the first");
                    let published_at = published_at.ok_or_else(|| within(required("publishedAtSeconds")))?;
                    let signs_from = signs_from.ok_or_else(|| within(required("signsFromSeconds")))?;
                    ring.with_next(key, published_at, signs_from).map_err(within)?
                }
            });
        }
        let ring = ring.ok_or_else(|| PolicyError::at("signingKeys", "must have at least one key"))?;
        let roots = json!({ "keys": raw.get("rootKeys").cloned().unwrap_or_else(|| json!([])) }).to_string();
        let roots = RootKeys::from_json(&roots).map_err(|error| written_as(&error, "rootKeys"))?;
        let feed = match raw.get("feedKey") {
            None | Some(Value::Null) => None,
            Some(key) => {
                let key = SigningKey::from_private_jwk(&key.to_string());
                Some(key.map_err(|error| error.within("feedKey"))?)
            }
        };
        Ok(Secrets { ring, roots, feed })
    }
}

fn kids(ring: &KeyRing) -> Vec<&str> {
    ring.states(UnixSeconds::EPOCH).into_iter().map(|(kid, _)| kid).collect()
}

/// An error of a document that was put together here, at the member the caller wrote.
fn written_as(error: &PolicyError, member: &str) -> PolicyError {
    let inner = error.pointer().split('/').skip(2);
    let inner: Vec<&str> = inner.collect();
    inner.iter().rev().fold(PolicyError::here(error.reason()), |error, member| error.within(member)).within(member)
}

pub(super) fn within(object: &Object<'_>, member: &str, usual: u64, least: u64, most: u64) -> Result<u64, PolicyError> {
    match object.integer(member)?.unwrap_or(usual) {
        value if (least..=most).contains(&value) => Ok(value),
        _ => Err(PolicyError::at(member, format!("must be an integer from {least} to {most}"))),
    }
}

/// May anybody read the feed? It has to be said by name.
fn feed_is_public(document: &Object<'_>) -> Result<bool, PolicyError> {
    match document.string("feedAccess")? {
        None | Some("clients") => Ok(false),
        Some("public") => Ok(true),
        Some(_) => Err(PolicyError::at("feedAccess", "must be \"clients\" (those with feed: true) or \"public\"")),
    }
}

#[derive(Default)]
struct Rates {
    address: Option<Rate>,
    session: Option<Rate>,
    client: Option<Rate>,
}

/// How often per address, per session and per client.
fn limits(section: Option<&Object<'_>>) -> Result<Rates, PolicyError> {
    let Some(section) = section else { return Ok(Rates::default()) };
    section.only(&["address", "session", "client"])?;
    let rate = |member: &str| match section.object(member)? {
        None => Ok(None),
        Some(rate) => Rate::read(rate).map(Some).map_err(|error| error.within(member)),
    };
    Ok(Rates { address: rate("address")?, session: rate("session")?, client: rate("client")? })
}

/// The pages that may read answers (Fetch §3.2). A wildcard would let any page spend what a user's
/// browser holds.
fn origins(section: Option<&Object<'_>>) -> Result<Vec<String>, PolicyError> {
    let Some(section) = section else { return Ok(Vec::new()) };
    section.only(&["origins"])?;
    let origins = section.strings("origins")?.unwrap_or_default();
    let is_origin = |origin: &String| url::check(origin).is_ok() && origin.matches('/').count() == 2;
    match origins.iter().position(|origin| !is_origin(origin)) {
        None => Ok(origins),
        Some(index) => {
            Err(PolicyError::at(&index.to_string(), "must be an origin, such as https://app.example").within("origins"))
        }
    }
}

fn clients(document: &Object<'_>, raw: &Value, settings: &Settings) -> Result<Vec<Client>, PolicyError> {
    let mut clients: Vec<Client> = Vec::new();
    document.objects("clients", &mut |object| {
        let raw = raw.get("clients").and_then(|all| all.get(clients.len()));
        let client = Client::read(object, raw.unwrap_or(&Value::Null), settings)?;
        if clients.iter().any(|known| known.id == client.id) {
            return Err(PolicyError::at("clientId", "is the clientId of another client already"));
        }
        clients.push(client);
        Ok(())
    })?;
    if clients.is_empty() {
        return Err(PolicyError::at("clients", "must name at least one client"));
    }
    Ok(clients)
}

fn upstream(document: &Object<'_>, raw: &Value) -> Result<Option<Upstream>, PolicyError> {
    let verbatim = match document.string("upstreamSubjects")? {
        None | Some("qualified") => false,
        Some("verbatim") => true,
        Some(_) => return Err(PolicyError::at("upstreamSubjects", "must be \"qualified\" or \"verbatim\"")),
    };
    let Some(issuers) = raw.get("upstream") else { return Ok(None) };
    let policy = json!({ "issuers": issuers }).to_string();
    let verifier = Verifier::from_json(&policy).map_err(|error| written_as(&error, "upstream"))?;
    if verifier.policy().introspections().next().is_some() {
        return Err(PolicyError::at(
            "upstream",
            "must not have \"introspection\": subject tokens are verified by keys",
        ));
    }
    Ok(Some(Upstream { verifier: Mutex::new(verifier), verbatim }))
}
