//! The policy's section `gate`, read once.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::{
    alg::Alg,
    binding::{dpop::ProofRules, network::Cidr, nonce::Nonces},
    denial::Denial,
    document::{checked::Checked, url},
    gate::{
        cors::Cors,
        credentials::Places,
        demands::Demands,
        forward::Forwarding,
        metadata::is_public,
        origins::Origins,
        problem::ProblemTypes,
        proxies::Proxies,
        requirement::{Networks, Requirement, blocks, named_blocks},
        route::{Cover, Hazards, PathPattern, Readings},
    },
    json::{Object, Value},
    policy::shapes::GATE,
    policy_error::PolicyError,
};

/// What the policy says about requests.
#[derive(Debug)]
pub(crate) struct GateRules {
    pub(crate) realm: String,
    pub(crate) places: Places,
    pub(crate) requirement: Requirement,
    pub(crate) routes: Vec<Route>,
    pub(crate) forwarding: Forwarding,
    pub(crate) networks: Networks,
    pub(crate) proxies: Proxies,
    pub(crate) proofs: ProofRules,
    /// The policy speaks of proofs.
    pub(crate) offers_proofs: bool,
    pub(crate) origins: Origins,
    pub(crate) cors: Option<Cors>,
    /// Preflights go to the handler.
    pub(crate) passes_preflights: bool,
    /// Networks from which plain HTTP is accepted.
    pub(crate) plain_from: Vec<Cidr>,
    /// Hosts that are not public and may be named by an issuer's metadata.
    pub(crate) private_hosts: Vec<String>,
    /// What the problems of refusals are called.
    pub(crate) problem_types: Option<ProblemTypes>,
}

/// A rule for some paths.
#[derive(Debug)]
pub(crate) struct Route {
    pattern: PathPattern,
    /// Empty for every method.
    methods: Vec<String>,
    /// What may stand in its paths although servers read it in different ways.
    allowed: Hazards,
    /// `None` where nothing is required.
    pub(crate) requirement: Option<Requirement>,
}

impl Route {
    /// Is it about that request?
    fn cover(&self, method: &str, path: &Readings) -> Cover {
        match self.cover_method(method) {
            Cover::No => Cover::No,
            Cover::Surely | Cover::AsSent => self.pattern.cover(path),
            Cover::Maybe => match self.pattern.cover(path) {
                Cover::No => Cover::No,
                Cover::Maybe | Cover::AsSent | Cover::Surely => Cover::Maybe,
            },
        }
    }

    /// `GET` covers `HEAD`, which servers answer by the handler of `GET` (RFC 9110 §9.3.2) unless
    /// they have one for it. Methods are case-sensitive (§9.1), and not every router keeps to
    /// that.
    fn cover_method(&self, method: &str) -> Cover {
        let names = |name: &str| self.methods.iter().any(|own| own == name);
        match () {
            () if self.methods.is_empty() || (names(method) && method != "HEAD") => Cover::Surely,
            () if method == "HEAD" && names("GET") => Cover::Surely,
            () if self.methods.iter().any(|own| own.eq_ignore_ascii_case(method)) => Cover::Maybe,
            () => Cover::No,
        }
    }
}

impl GateRules {
    /// Adds what is required of a request: by the first route that covers it in every reading, or
    /// else by default, and by each route before that may cover it. Whichever of them the server
    /// behind us has its handler under, what holds there is asked for.
    ///
    /// A route that covers the path as it was sent, with a byte that it allows or with the slash
    /// at its end, says what is behind it. Then the default is not asked, which holds for the path
    /// without them; other routes for that are.
    ///
    /// # Errors
    /// `path-ambiguous` for what the first of these routes do not allow in a path.
    pub(crate) fn demand<'g>(&'g self, method: &str, path: &Readings, demands: &mut Demands<'g>) -> Result<(), Denial> {
        let mut is_allowed = path.hazards() == Hazards::default();
        let mut is_covered = false;
        for route in &self.routes {
            let cover = route.cover(method, path);
            if cover == Cover::No {
                continue;
            }
            if !is_allowed && !path.hazards().are_among(route.allowed) {
                return Err(Denial::PathAmbiguous);
            }
            if let Some(requirement) = &route.requirement {
                demands.add(requirement);
            }
            match cover {
                Cover::Surely => return Ok(()),
                Cover::AsSent => (is_allowed, is_covered) = (true, true),
                Cover::Maybe | Cover::No => {}
            }
        }
        if !is_allowed {
            return Err(Denial::PathAmbiguous);
        }
        if !is_covered {
            demands.add(&self.requirement);
        }
        Ok(())
    }

    /// Reads the section; its shape is checked first.
    pub(crate) fn read(section: Option<&Object<'_>>, nonce_secret: Option<&[u8]>) -> Result<Self, PolicyError> {
        let empty = Object::default();
        let gate = section.unwrap_or(&empty);
        let gate = GATE.check(gate)?;
        let networks = networks(gate.object("networks"))?;
        let requirement =
            |object: Checked<'_, '_>| Requirement::read(object, &networks).map_err(|error| error.within("requirement"));
        let mut routes = Vec::new();
        gate.each("routes", &mut |route| {
            let path = route.text("path").unwrap_or_default();
            routes.push(Route {
                pattern: PathPattern::parse(path).map_err(|error| error.within("path"))?,
                methods: route.strings("methods"),
                allowed: Hazards::named(&route.strings("allowInPath")),
                requirement: route.section("requirement").map(requirement).transpose()?,
            });
            Ok(())
        })?;
        let requirement = gate.section("requirement").map(requirement).transpose()?.unwrap_or_default();
        let forwarding = gate.section("forward").map(Forwarding::read).transpose();
        let dpop = gate.section("dpop");
        let places = gate.section("credentials").map_or_else(|| Ok(Places::default()), Places::read);
        let places = places.map_err(|error| error.within("credentials"))?;
        let cors = gate.section("cors").map(|object| Cors::read(object, &places)).transpose();
        let origins = Origins::read(&gate.strings("origins"));
        let proxies = gate.section("proxies").map_or_else(|| Ok(Proxies::default()), Proxies::read);
        let proofs = proofs(dpop, nonce_secret).map_err(|error| error.within("dpop"))?;
        Ok(GateRules {
            realm: realm(gate.text("realm"))?,
            cors: cors.map_err(|error| error.within("cors"))?,
            places,
            requirement,
            routes,
            forwarding: forwarding.map_err(|error| error.within("forward"))?.unwrap_or_default(),
            proxies: proxies.map_err(|error| error.within("proxies"))?,
            proofs,
            offers_proofs: dpop.is_some(),
            origins: origins.map_err(|error| error.within("origins"))?,
            passes_preflights: gate.text("preflight") == Some("pass"),
            plain_from: plain_from(gate, &networks)?,
            private_hosts: private_hosts(gate)?,
            problem_types: gate.text("problemTypes").map(ProblemTypes::read).transpose()?,
            networks,
        })
    }

    /// Does the client's address matter to anything the policy says?
    pub(crate) fn names_networks(&self) -> bool {
        let of_routes = self.routes.iter().filter_map(|route| route.requirement.as_ref());
        !self.proxies.trusted.is_empty()
            || !self.plain_from.is_empty()
            || core::iter::once(&self.requirement).chain(of_routes).any(Requirement::names_networks)
    }
}

fn plain_from(gate: Checked<'_, '_>, networks: &Networks) -> Result<Vec<Cidr>, PolicyError> {
    let texts = gate.strings("plainHttpFrom");
    let read = || {
        // That would be no rule at all.
        let is_everybody = |text: &String| {
            let blocks = named_blocks(core::slice::from_ref(text), networks);
            blocks.is_ok_and(|blocks| blocks.iter().any(Cidr::is_everybody))
        };
        if let Some(index) = texts.iter().position(is_everybody) {
            let found = texts.get(index).map(String::as_str).unwrap_or_default();
            let reason = "must be less than all addresses, such as \"10.0.0.0/8\"";
            return Err(PolicyError::found(&index.to_string(), reason, found));
        }
        named_blocks(&texts, networks)
    };
    read().map_err(|error| error.within("plainHttpFrom"))
}

/// Is it no address, or one that is written in full and leads nowhere public? That a host is not
/// public says less of an address than of a name: what is odd is not public either.
fn is_name_or_private(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']').and_then(|address| address.parse::<Ipv6Addr>().ok());
        return address.is_some_and(|it| it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local());
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    if is_number {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    last != "arpa" || host.ends_with(".home.arpa")
}

/// The policy's `plainHttpHosts`: hosts that nobody on the way to them can be, since they are not
/// public.
pub(crate) fn plain_hosts(document: &Object<'_>) -> Result<Vec<String>, PolicyError> {
    let hosts = document.strings("plainHttpHosts")?.unwrap_or_default();
    let is_plain = |host: &str| url::is_host(host) && !host.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_private = |host: &String| {
        // `*.` stands before two labels at least: a whole top-level domain is nobody's cluster.
        let name = host.strip_prefix("*.");
        is_plain(name.unwrap_or(host))
            && name.is_none_or(|name| name.contains('.'))
            && !is_public(host)
            && is_name_or_private(host)
    };
    match hosts.iter().position(|host| !is_private(host)) {
        None => Ok(hosts),
        Some(index) => {
            let reason = "must be a private host in lower case without a port, such as \"keycloak\", \"10.0.0.7\" \
                          or \"*.svc.cluster.local\"";
            let found = hosts.get(index).map(String::as_str).unwrap_or_default();
            Err(PolicyError::found(&index.to_string(), reason, found).within("plainHttpHosts"))
        }
    }
}

fn private_hosts(gate: Checked<'_, '_>) -> Result<Vec<String>, PolicyError> {
    let hosts = gate.strings("privateHosts");
    match hosts.iter().position(|host| !url::is_host(host) || host.bytes().any(|byte| byte.is_ascii_uppercase())) {
        None => Ok(hosts),
        Some(index) => {
            let reason = "must be a private host in lower case without a port, such as \"keys.corp\" or \"10.0.0.7\"";
            let found = hosts.get(index).map(String::as_str).unwrap_or_default();
            Err(PolicyError::found(&index.to_string(), reason, found).within("privateHosts"))
        }
    }
}

fn realm(text: Option<&str>) -> Result<String, PolicyError> {
    let realm = text.unwrap_or("api");
    // What stands in a quoted-string without being mangled on the way (RFC 9110 §5.6.4).
    if realm.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Ok(realm.to_owned());
    }
    Err(PolicyError::found("realm", "must be visible ASCII and spaces", realm))
}

fn networks(object: Option<&Object<'_>>) -> Result<Networks, PolicyError> {
    let read = |(name, value): (&str, &Value<'_>)| {
        let texts: Vec<String> = value.as_strings().unwrap_or_default().into_iter().map(str::to_owned).collect();
        let blocks = blocks(&texts).map_err(|error| error.within(name).within("networks"))?;
        Ok((name.to_owned(), blocks))
    };
    object.map_or(Ok(Vec::new()), |object| object.members().map(read).collect())
}

fn proofs(dpop: Option<Checked<'_, '_>>, nonce_secret: Option<&[u8]>) -> Result<ProofRules, PolicyError> {
    let mut algorithms = vec![Alg::Es256, Alg::EdDsa, Alg::Rs256];
    if let Some(dpop) = dpop.filter(|dpop| dpop.has("algorithms")) {
        algorithms = dpop.texts("algorithms").into_iter().filter_map(Alg::from_name).collect();
    }
    let seconds = |name| dpop.and_then(|dpop| dpop.number(name)).unwrap_or(60);
    let nonces = match (dpop.is_some_and(|dpop| dpop.flag("nonce")), nonce_secret) {
        (false, _) => None,
        (true, None) => {
            return Err(PolicyError::at(
                "nonce",
                "requires the option nonceSecret: at least 32 bytes, the same for every instance of the gate",
            ));
        }
        (true, Some(secret)) => {
            let nonces = Nonces::new(secret, seconds("nonceSeconds"));
            Some(nonces.map_err(|error| PolicyError::at("nonce", format!("nonceSecret {}", error.reason())))?)
        }
    };
    Ok(ProofRules { algorithms, window: seconds("iatWindowSeconds"), nonces })
}

#[cfg(test)]
mod tests {
    use crate::gate::Gate;

    fn pointer(members: &str, gate: &str) -> Option<String> {
        let policy = format!(
            r#"{{"issuers":[{{"issuer":"https://issuer.example","audience":"a","remote":{{"discovery":"oidc"}}}}]{members},"gate":{{{gate}}}}}"#
        );
        Gate::from_json(&policy).err().map(|error| error.pointer().to_owned())
    }

    #[test]
    fn plain_http_is_from_no_network_of_everybody_however_it_is_written() {
        for network in [r#""0.0.0.0/0""#, r#""::/0""#, r#""0.0.0.0/00""#, r#""::ffff:0.0.0.0/96""#, r#""all""#] {
            let gate =
                format!(r#""networks":{{"all":["10.0.0.0/8","0.0.0.0/0"]}},"plainHttpFrom":["10.0.0.0/8",{network}]"#);
            assert_eq!(pointer("", &gate).as_deref(), Some("/gate/plainHttpFrom/1"), "{network}");
        }
        assert_eq!(pointer("", r#""plainHttpFrom":["10.0.0.0/8"]"#), None);
    }

    #[test]
    fn a_host_of_plain_http_is_a_private_name_or_an_address_in_full() {
        for host in ["keycloak", "*.svc.cluster.local", "10.0.0.7", "[fd00::7]", "printer.home.arpa"] {
            assert_eq!(pointer(&format!(r#","plainHttpHosts":["{host}"]"#), ""), None, "{host}");
        }
        for host in
            ["*.0.0.7", "134744072", "8.8", "0x8080808", "[64:ff9b::808:808]", "[2002:808:808::1]", "*.in-addr.arpa"]
        {
            let found = pointer(&format!(r#","plainHttpHosts":["{host}"]"#), "");
            assert_eq!(found.as_deref(), Some("/plainHttpHosts/0"), "{host}");
        }
    }
}
