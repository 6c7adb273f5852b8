//! The request itself: its URL, how it came, and whether it is one that is judged at all.

use core::net::Ipv4Addr;

use crate::{
    binding::{
        network::{Address, Cidr},
        uri::{Url, form_decoded},
    },
    denial::Denial,
    gate::{
        credentials::Places,
        facts::Facts,
        metadata,
        origins::Origins,
        proxies::{Ends, Proxies},
        request_target,
        step::Forward,
    },
};

/// Where credentials are, whatever the policy says.
pub(crate) const CREDENTIALS: [&str; 3] = ["authorization", "cookie", "dpop"];

/// A request that can be judged.
#[derive(Debug)]
pub(crate) struct Request<'f> {
    pub(crate) method: &'f str,
    pub(crate) url: Url<'f>,
    /// The client's address, where it is known.
    pub(crate) client: Option<Address>,
    /// The address of the other end of the connection.
    pub(super) peer: Option<Address>,
    /// The client's address as far as plain HTTP may be accepted by it.
    plain_client: Option<Address>,
    /// Whether the connection, as far as it is known, begins on this machine.
    is_local: Option<bool>,
    /// Whether a proxy that the policy does not name says that it asks for somebody elsewhere.
    for_others: bool,
    url_vouched: bool,
    has_body: bool,
    headers: &'f [(&'f str, &'f str)],
}

impl<'f> Request<'f> {
    /// Reads method and URL, and what trusted proxies say of both ends.
    pub(crate) fn read(facts: &Facts<'f>, proxies: &Proxies) -> Result<Self, Denial> {
        if facts.method.len() > 64 || !is_token(facts.method) {
            return Err(Denial::RequestMalformed { member: "method" });
        }
        if facts.target.is_some_and(|target| !request_target::is_of(target, facts.url)) {
            return Err(Denial::RequestMalformed { member: "target" });
        }
        let is_path = |path: &&str| {
            path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\?#".contains(&byte))
        };
        if !facts.served.iter().all(is_path) {
            return Err(Denial::RequestMalformed { member: "served" });
        }
        let url = Url::parse(facts.url).ok_or(Denial::RequestMalformed { member: "url" })?;
        let peer = facts.client_address.and_then(Address::parse);
        let mut request = Request {
            method: facts.method,
            url,
            client: peer,
            peer,
            plain_client: None,
            is_local: None,
            for_others: false,
            url_vouched: facts.url_vouched,
            has_body: facts.has_body,
            headers: facts.headers,
        };
        // RFC 9112 §3.2: whoever stands behind us may go by the other one.
        let mut hosts = request.fields("host");
        if hosts.next().is_some_and(|host| host.contains(',')) || hosts.next().is_some() {
            return Err(Denial::RequestMalformed { member: "host" });
        }
        drop(hosts);
        let Ends { url, client, is_local, for_others, plain_client } = proxies.ends(&request, request.url.clone())?;
        (request.url, request.client) = (url, client);
        (request.is_local, request.for_others, request.plain_client) = (is_local, for_others, plain_client);
        Ok(request)
    }

    /// The values of every field of that name (in lower case), in the order in which they came.
    pub(crate) fn fields<'n>(&self, name: &'n str) -> impl Iterator<Item = &'f str> + use<'f, 'n> {
        let named = move |(own, _): &&(&str, &str)| own.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| *value)
    }

    /// A CORS preflight (Fetch §3.3.2), which has neither credentials nor a body (§4.8): what has
    /// them is judged as any other request.
    pub(crate) fn is_preflight(&self, places: &Places) -> bool {
        let one = |name| self.fields(name).count() == 1;
        let none = |name: &str| self.fields(name).next().is_none();
        let bare = CREDENTIALS.iter().all(|name| none(name)) && places.headers().all(none);
        let announced = !none("transfer-encoding") || self.fields("content-length").any(|length| length.trim() != "0");
        let marked = one("origin") && one("access-control-request-method");
        self.method == "OPTIONS" && marked && bare && !announced && !self.has_body
    }

    /// Tokens travel over TLS only (RFC 6750 §5.3), but for two kinds of request. What does not
    /// leave the machine: the host is a loopback name, and the other end of the connection is on
    /// this machine; where the connection is not known, or asks for somebody else, the platform or
    /// the policy's `origins` say so. And what comes from one of the networks that the policy
    /// names for it, by both ends.
    pub(crate) fn check_transport(&self, origins: &Origins, plain_from: &[Cidr]) -> Result<(), Denial> {
        let is_listed = || origins.list(&self.url);
        let local =
            || self.is_local.unwrap_or_else(|| self.url_vouched || is_listed()) && (!self.for_others || is_listed());
        let is_within = |address: Option<Address>| {
            address.is_some_and(|address| plain_from.iter().any(|block| block.contains(address)))
        };
        let is_near = || is_within(self.peer) && is_within(self.plain_client);
        if self.url.secure || (self.url.is_loopback() && local()) || is_near() {
            Ok(())
        } else {
            Err(Denial::TransportInsecure)
        }
    }

    /// May it be the probe of an orchestrator or a load balancer, which asks a service by its
    /// address and often over plain HTTP? It brings nothing that an answer could be about, and
    /// what is public is all that it may have. A host that anybody can reach by its name has to be
    /// one of the policy's all the same.
    pub(crate) fn may_be_probe(&self, places: &Places, origins: &Origins) -> bool {
        let none = |name: &str| self.fields(name).next().is_none();
        let is_bare = || CREDENTIALS.iter().copied().chain(places.headers()).all(none);
        let is_ours =
            || origins.is_empty() || origins.list(&self.url) || origins.list(&self.url.clone().with_scheme(true));
        let host = self.url.host();
        let is_private = || host.starts_with('[') || !metadata::is_public(host) || host.parse::<Ipv4Addr>().is_ok();
        ["GET", "HEAD"].contains(&self.method) && (self.url.secure || is_bare()) && (is_ours() || is_private())
    }

    /// Is it for this service? Where the policy names no origins every one is taken, and proofs
    /// of possession ask for more.
    pub(crate) fn check_origin(&self, origins: &Origins) -> Result<(), Denial> {
        if origins.is_empty() || origins.list(&self.url) { Ok(()) } else { Err(Denial::RequestMisdirected) }
    }

    /// `Connection: X-User` has the next proxy drop what the gate wrote into `X-User` (RFC 9110
    /// §7.6.1, by which no field may be named there that is meant for every recipient).
    pub(crate) fn check_connection(&self, is_ours: impl Fn(&str) -> bool) -> Result<(), Denial> {
        let options = self.fields("connection").flat_map(|value| value.split(',')).map(str::trim);
        // Some read another list than one of tokens: they part it at spaces or semicolons as well.
        let refused = |option: &str| !is_token(option) || is_ours(&Forward::folded(option));
        if options.filter(|option| !option.is_empty()).any(refused) {
            return Err(Denial::RequestMalformed { member: "connection" });
        }
        Ok(())
    }

    /// RFC 6750 §2.3 let a token stand in the query, where logs, histories and referrers keep it;
    /// RFC 9700 §4.3.2 forbids it.
    pub(crate) fn check_query(&self) -> Result<(), Denial> {
        let name = |pair: &str| form_decoded(pair.split('=').next().unwrap_or_default());
        if self.url.query.is_some_and(|query| query.split('&').any(|pair| name(pair) == b"access_token")) {
            return Err(Denial::TokenInQuery);
        }
        Ok(())
    }
}

/// A token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts<'f>(method: &'f str, url: &'f str, headers: &'f [(&'f str, &'f str)]) -> Facts<'f> {
        Facts { method, url, headers, ..Facts::default() }
    }

    fn read<'f>(method: &'f str, url: &'f str, headers: &'f [(&'f str, &'f str)]) -> Request<'f> {
        Request::read(&facts(method, url, headers), &Proxies::default()).unwrap()
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        let origins = Origins::read(&["http://localhost:3000".to_owned()]).unwrap();
        let check = |url: &str, peer: Option<&str>, url_vouched: bool, origins: &Origins| {
            let facts = Facts { client_address: peer, url_vouched, ..facts("GET", url, &[]) };
            Request::read(&facts, &Proxies::default()).unwrap().check_transport(origins, &[]).is_ok()
        };
        let none = Origins::default();
        let (here, v6, elsewhere) = (Some("127.0.0.1"), Some("::1"), Some("192.0.2.1"));
        assert!(check("https://api.example/", None, false, &none));
        for (url, peer, vouched, origins, expected) in [
            ("http://localhost:3000/", here, false, &none, true),
            ("http://127.0.0.1/", v6, false, &none, true),
            // The host is what the client wrote.
            ("http://localhost:3000/", elsewhere, false, &none, false),
            ("http://localhost:3000/", elsewhere, true, &origins, false),
            ("http://localhost:3000/", None, false, &none, false),
            ("http://localhost:3000/", None, true, &none, true),
            ("http://localhost:3000/", None, false, &origins, true),
            ("http://localhost:3001/", None, false, &origins, false),
            ("http://api.example/", here, true, &none, false),
        ] {
            assert_eq!(check(url, peer, vouched, origins), expected, "{url} {peer:?} {vouched}");
        }
    }

    #[test]
    fn a_proxy_is_believed_when_it_is_one_of_ours() {
        let proxies = Proxies {
            trusted: vec![Cidr::parse("10.0.0.0/8").unwrap()],
            header: "x-forwarded-for".to_owned(),
            ..Proxies::default()
        };
        let check =
            |peer: Option<&'static str>, url: &'static str, headers: &'static [(&'static str, &'static str)]| {
                let facts = Facts { client_address: peer, ..facts("GET", url, headers) };
                let request = Request::read(&facts, &proxies).unwrap();
                (request.check_transport(&Origins::default(), &[]).is_ok(), request.client)
            };
        let client = Address::parse("203.0.113.9");
        let headers = &[("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.9")];
        assert_eq!(check(Some("10.0.0.1"), "http://api.example/", headers), (true, client));
        assert_eq!(check(Some("192.0.2.1"), "http://api.example/", headers), (false, Address::parse("192.0.2.1")));
        assert_eq!(check(None, "http://api.example/", headers), (false, None));
        let plain = &[("x-forwarded-proto", "http")];
        assert!(!check(Some("10.0.0.1"), "https://api.example/", plain).0);
        let twice = &[("x-forwarded-proto", "https"), ("x-forwarded-proto", "https")];
        assert!(!check(Some("10.0.0.1"), "http://api.example/", twice).0);
        // A proxy on the very machine that says nothing, or speaks for somebody else.
        let here = Proxies {
            trusted: vec![Cidr::parse("127.0.0.1").unwrap()],
            header: "x-forwarded-for".to_owned(),
            ..Proxies::default()
        };
        for (headers, expected) in [
            (&[][..], false),
            (&[("x-forwarded-for", "203.0.113.9")][..], false),
            (&[("x-forwarded-for", "127.0.0.2")][..], true),
        ] {
            let facts = Facts { client_address: Some("127.0.0.1"), ..facts("GET", "http://localhost/", headers) };
            let request = Request::read(&facts, &here).unwrap();
            assert_eq!(request.check_transport(&Origins::default(), &[]).is_ok(), expected, "{headers:?}");
        }
        let hops = &[("x-forwarded-for", "1.2.3.4, 203.0.113.9"), ("x-forwarded-for", "10.2.2.2")];
        assert_eq!(check(Some("10.0.0.1"), "https://api.example/", hops).1, client);
    }

    #[test]
    fn a_host_is_named_once() {
        let check = |headers: &[(&str, &str)]| {
            Request::read(&facts("GET", "https://a/", headers), &Proxies::default()).map(|_| ())
        };
        assert_eq!(check(&[("Host", "a")]), Ok(()));
        for headers in [&[("host", "a"), ("Host", "a")][..], &[("Host", "a, b")], &[("Host", "a"), ("HOST", "b")]] {
            assert_eq!(check(headers), Err(Denial::RequestMalformed { member: "host" }), "{headers:?}");
        }
    }

    #[test]
    fn a_token_in_the_query_is_found_in_every_spelling() {
        let check = |query: &str| read("GET", &format!("https://a/?{query}"), &[]).check_query();
        for query in ["access_token=x", "access_token", "a=b&access_token=", "acc%65ss%5ftoken=x", "a&access_token=x#"]
        {
            assert_eq!(check(query), Err(Denial::TokenInQuery), "{query}");
        }
        for query in ["", "token=x", "a=access_token", "xaccess_token=1", "ACCESS_TOKEN=x", "access_token2=x"] {
            assert!(check(query).is_ok(), "{query}");
        }
    }

    #[test]
    fn a_preflight_has_all_of_its_marks_and_neither_credentials_nor_a_body() {
        let both = [("Origin", "https://a"), ("Access-Control-Request-Method", "PUT")];
        let is = |method: &str, headers: &[(&str, &str)]| {
            let request = Request::read(&facts(method, "https://a/", headers), &Proxies::default()).unwrap();
            request.is_preflight(&Places { header: Some("x-token".to_owned()), ..Places::default() })
        };
        assert!(is("OPTIONS", &both));
        assert!(!is("GET", &both));
        assert!(!is("OPTIONS", &both[..1]));
        assert!(!is("OPTIONS", &both[1..]));
        let with = |name, value| is("OPTIONS", &[both[0], both[1], (name, value)]);
        assert!(with("Content-Length", "0") && with("accept", "*/*"));
        for (name, value) in [
            ("Authorization", "Bearer forged"),
            ("authorization", ""),
            ("Cookie", "a=b"),
            ("DPoP", "a"),
            ("X-Token", "a"),
            ("Content-Length", "1"),
            ("Content-Length", "00"),
            ("content-length", "0, 5"),
            ("Transfer-Encoding", "chunked"),
            ("origin", "https://b"),
        ] {
            assert!(!with(name, value), "{name}");
        }
        let hidden = Facts { has_body: true, ..facts("OPTIONS", "https://a/", &both) };
        let hidden = Request::read(&hidden, &Proxies::default()).unwrap();
        assert!(!hidden.is_preflight(&Places::default()));
    }

    proptest! {
        #[test]
        fn any_request_is_read_or_refused(method in ".{0,8}", url in ".{0,40}", name in ".{0,12}", value in ".{0,12}", peer in ".{0,12}") {
            let headers = [(name.as_str(), value.as_str())];
            let facts = Facts { client_address: Some(&peer), ..facts(&method, &url, &headers) };
            if let Ok(request) = Request::read(&facts, &Proxies::default()) {
                let _ = (request.check_query(), request.check_transport(&Origins::default(), &[]), request.is_preflight(&Places::default()));
            }
        }
    }
}
