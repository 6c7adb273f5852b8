//! The request itself: its URL, how it came, and whether it is one that is judged at all.

use crate::{
    binding::{
        network::{Address, Cidr, client_behind},
        uri::{Url, form_decoded},
    },
    denial::Denial,
    gate::{facts::Facts, target},
};

/// Whose word is taken for what stood before them.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    pub(crate) trusted: Vec<Cidr>,
    /// The header with the addresses of the hops, in lower case.
    pub(crate) header: String,
}

/// A request that can be judged.
#[derive(Debug)]
pub(crate) struct Request<'f> {
    pub(crate) method: &'f str,
    pub(crate) url: Url<'f>,
    /// The client's address, where it is known.
    pub(crate) client: Option<Address>,
    headers: &'f [(&'f str, &'f str)],
}

impl<'f> Request<'f> {
    /// Reads method and URL, and what trusted proxies say of both ends.
    pub(crate) fn read(facts: &Facts<'f>, proxies: &Proxies) -> Result<Self, Denial> {
        let token = |text: &str| {
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            !text.is_empty() && text.len() <= 64 && text.bytes().all(is_token)
        };
        if !token(facts.method) {
            return Err(Denial::RequestMalformed { member: "method" });
        }
        if facts.target.is_some_and(|target| !target::is_of(target, facts.url)) {
            return Err(Denial::RequestMalformed { member: "target" });
        }
        let is_path = |path: &&str| {
            path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\?#".contains(&byte))
        };
        if !facts.served.iter().all(|path| is_path(path)) {
            return Err(Denial::RequestMalformed { member: "served" });
        }
        let url = Url::parse(facts.url).ok_or(Denial::RequestMalformed { member: "url" })?;
        let peer = facts.client_address.and_then(Address::parse);
        let mut request = Request { method: facts.method, url, client: peer, headers: facts.headers };
        let trusted = |peer: Address| proxies.trusted.iter().any(|block| block.contains(peer));
        if let Some(peer) = peer.filter(|peer| trusted(*peer)) {
            let hops: Vec<&str> = request.fields(&proxies.header).flat_map(|value| value.split(',')).collect();
            request.client = client_behind(peer, hops.into_iter(), &proxies.trusted);
            let mut schemes = request.fields("x-forwarded-proto");
            let secure = match (schemes.next(), schemes.next()) {
                (None, _) => request.url.secure,
                (Some(scheme), None) => scheme.eq_ignore_ascii_case("https"),
                (Some(_), Some(_)) => false,
            };
            drop(schemes);
            request.url = request.url.with_scheme(secure);
        }
        Ok(request)
    }

    /// The values of every field of that name (in lower case), in the order in which they came.
    pub(crate) fn fields<'n>(&self, name: &'n str) -> impl Iterator<Item = &'f str> + use<'f, 'n> {
        let named = move |(own, _): &&(&str, &str)| own.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| *value)
    }

    /// A CORS preflight (Fetch §3.3.2): browsers send it without credentials, and whoever answers it needs it untouched.
    pub(crate) fn is_preflight(&self) -> bool {
        let one = |name| self.fields(name).count() == 1;
        self.method == "OPTIONS" && one("origin") && one("access-control-request-method")
    }

    /// Tokens travel over TLS only (RFC 6750 §5.3), but for what does not leave the machine.
    pub(crate) fn check_transport(&self) -> Result<(), Denial> {
        if self.url.secure || self.url.is_loopback() { Ok(()) } else { Err(Denial::TransportInsecure) }
    }

    /// RFC 6750 §2.3 let a token stand in the query, where logs, histories and referrers keep it; RFC 9700 §4.3.2 forbids it.
    pub(crate) fn check_query(&self) -> Result<(), Denial> {
        let name = |pair: &str| form_decoded(pair.split('=').next().unwrap_or_default());
        if self.url.query.is_some_and(|query| query.split('&').any(|pair| name(pair) == b"access_token")) {
            return Err(Denial::TokenInQuery);
        }
        Ok(())
    }
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
        let check = |url: &str| read("GET", url, &[]).check_transport();
        assert!(check("https://api.example/").is_ok() && check("http://localhost:3000/").is_ok());
        assert_eq!(check("http://api.example/"), Err(Denial::TransportInsecure));
    }

    #[test]
    fn a_proxy_is_believed_when_it_is_one_of_ours() {
        let proxies =
            Proxies { trusted: vec![Cidr::parse("10.0.0.0/8").unwrap()], header: "x-forwarded-for".to_owned() };
        let check =
            |peer: Option<&'static str>, url: &'static str, headers: &'static [(&'static str, &'static str)]| {
                let facts = Facts { client_address: peer, ..facts("GET", url, headers) };
                let request = Request::read(&facts, &proxies).unwrap();
                (request.check_transport().is_ok(), request.client)
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
        let hops = &[("x-forwarded-for", "1.2.3.4, 203.0.113.9"), ("x-forwarded-for", "10.2.2.2")];
        assert_eq!(check(Some("10.0.0.1"), "https://api.example/", hops).1, client);
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
    fn a_preflight_has_all_three_of_its_marks() {
        let both = [("Origin", "https://a"), ("Access-Control-Request-Method", "PUT")];
        assert!(read("OPTIONS", "https://a/", &both).is_preflight());
        assert!(!read("GET", "https://a/", &both).is_preflight());
        assert!(!read("OPTIONS", "https://a/", &both[..1]).is_preflight());
        assert!(!read("OPTIONS", "https://a/", &both[1..]).is_preflight());
    }

    proptest! {
        #[test]
        fn any_request_is_read_or_refused(method in ".{0,8}", url in ".{0,40}", name in ".{0,12}", value in ".{0,12}", peer in ".{0,12}") {
            let headers = [(name.as_str(), value.as_str())];
            let facts = Facts { client_address: Some(&peer), ..facts(&method, &url, &headers) };
            if let Ok(request) = Request::read(&facts, &Proxies::default()) {
                let _ = (request.check_query(), request.check_transport(), request.is_preflight());
            }
        }
    }
}
