//! The proxies in front of us, and what they say of a request: who the client is, and which scheme,
//! host and path it asked for.

use crate::{
    binding::{
        network::{Address, Cidr, client_behind},
        uri::Url,
    },
    denial::Denial,
    document::checked::Checked,
    gate::{forwarded, request::Request, requirement::blocks},
    policy_error::PolicyError,
};

const FORWARDED: &str = "forwarded";
const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_PREFIX: &str = "x-forwarded-prefix";

/// By which headers proxies of any kind tell on whose behalf they ask.
pub(crate) const MARKS: [&str; 3] = [FORWARDED, FORWARDED_FOR, "x-real-ip"];

/// By which they tell that they ask for somebody (RFC 9110 §7.6.3), and not for whom.
pub(crate) const TRACES: [&str; 3] = [FORWARDED_HOST, FORWARDED_PROTO, "via"];

/// Whose word is taken for what stood before them.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    pub(crate) trusted: Vec<Cidr>,
    /// The header with the addresses of the hops, in lower case.
    pub(crate) header: String,
    /// They say which host was asked for.
    pub(crate) tell_host: bool,
    /// They say which path they took off.
    pub(crate) tell_prefix: bool,
}

/// Both ends of a request, as far as they are known.
#[derive(Debug)]
pub(crate) struct Ends<'f> {
    pub(crate) url: Url<'f>,
    /// The client's address.
    pub(crate) client: Option<Address>,
    /// Whether the connection begins on this machine.
    pub(crate) is_local: Option<bool>,
    /// Whether a proxy that the policy does not name says that it asks for somebody elsewhere.
    pub(crate) for_others: bool,
    /// The client's address, where nobody but the connection and hops of ours tell it: by it plain
    /// HTTP is accepted.
    pub(crate) plain_client: Option<Address>,
}

impl Proxies {
    /// Reads the policy's `proxies`.
    pub(crate) fn read(object: Checked<'_, '_>) -> Result<Self, PolicyError> {
        let trusted = object.strings("trusted");
        Ok(Proxies {
            trusted: blocks(&trusted).map_err(|error| error.within("trusted"))?,
            header: object.text("header").unwrap_or(FORWARDED_FOR).to_ascii_lowercase(),
            tell_host: object.flag("host"),
            tell_prefix: object.flag("prefix"),
        })
    }

    /// The headers that they may speak in.
    pub(crate) fn headers(&self) -> Vec<&str> {
        if self.trusted.is_empty() {
            return Vec::new();
        }
        let mut names = vec![self.header.as_str()];
        if self.header != FORWARDED {
            names.push(FORWARDED_PROTO);
            names.extend(self.tell_host.then_some(FORWARDED_HOST));
        }
        names.extend(self.tell_prefix.then_some(FORWARDED_PREFIX));
        names
    }

    /// What the connection tells, and the proxy at its other end where that is one of ours.
    ///
    /// # Errors
    /// `request-malformed` for a header of a proxy of ours that has more than one reading: a
    /// client that wrote a part of it would otherwise choose which.
    pub(crate) fn ends<'f>(&self, request: &Request<'f>, url: Url<'f>) -> Result<Ends<'f>, Denial> {
        let peer = request.peer;
        let Some(proxy) = peer.filter(|peer| self.trusted.iter().any(|block| block.contains(*peer))) else {
            let is_local = peer.map(Address::is_loopback);
            let for_others = is_for_others(request);
            return Ok(Ends { url, client: peer, is_local, for_others, plain_client: peer.filter(|_| !for_others) });
        };
        let told = match self.header == FORWARDED {
            true => self.by_forwarded(request, proxy)?,
            false => self.by_extensions(request, proxy)?,
        };
        let Told { client, has_hops, secure, host } = told;
        let prefix = if self.tell_prefix { one(request, FORWARDED_PREFIX)? } else { None };
        let malformed = |member| Denial::RequestMalformed { member };
        let is_silent = secure.is_none() && host.is_none() && prefix.is_none();
        let mut url = match secure {
            Some(secure) => url.with_scheme(secure),
            None => url,
        };
        if let Some(host) = host {
            url = url.with_authority(&host).ok_or(malformed(FORWARDED_HOST))?;
        }
        if let Some(prefix) = prefix {
            url = url.below(prefix).ok_or(malformed(FORWARDED_PREFIX))?;
        }
        Ok(Ends {
            url,
            client,
            // A proxy on this machine speaks for clients from anywhere.
            for_others: false,
            is_local: Some(has_hops && client.is_some_and(Address::is_loopback)),
            plain_client: client.filter(|_| has_hops || is_silent),
        })
    }

    /// `X-Forwarded-For`, or the platform's own header, with `X-Forwarded-Proto` and `-Host`.
    fn by_extensions(&self, request: &Request<'_>, proxy: Address) -> Result<Told, Denial> {
        let hops: Vec<&str> = request.fields(&self.header).flat_map(|value| value.split(',')).collect();
        let mut schemes = request.fields(FORWARDED_PROTO);
        let secure = match (schemes.next(), schemes.next()) {
            (None, _) => None,
            (Some(scheme), None) => Some(scheme.eq_ignore_ascii_case("https")),
            (Some(_), Some(_)) => Some(false),
        };
        drop(schemes);
        let host = if self.tell_host { one(request, FORWARDED_HOST)?.map(str::to_owned) } else { None };
        let has_hops = !hops.is_empty();
        Ok(Told { client: client_behind(proxy, hops.into_iter(), &self.trusted), has_hops, secure, host })
    }

    /// `Forwarded` (RFC 7239): one element a hop, in which a proxy tells who connected to it, and
    /// what it was asked for. That of the outermost proxy of ours counts.
    fn by_forwarded(&self, request: &Request<'_>, proxy: Address) -> Result<Told, Denial> {
        let text: Vec<&str> = request.fields(FORWARDED).collect();
        let hops = forwarded::read(&text.join(",")).ok_or(Denial::RequestMalformed { member: FORWARDED })?;
        let mut told = Told { client: Some(proxy), has_hops: !hops.is_empty(), secure: None, host: None };
        for hop in hops.into_iter().rev() {
            let is_proxy = |address: Address| self.trusted.iter().any(|block| block.contains(address));
            if !told.client.is_some_and(is_proxy) {
                break;
            }
            told.client = hop.node.as_deref().and_then(Address::parse);
            told.secure = hop.proto.map(|proto| proto.eq_ignore_ascii_case("https"));
            told.host = hop.host.filter(|_| self.tell_host);
        }
        Ok(told)
    }
}

/// What proxies say.
struct Told {
    client: Option<Address>,
    /// They say who asked them.
    has_hops: bool,
    secure: Option<bool>,
    host: Option<String>,
}

/// The one value of a header; a list of them would be a client's and a proxy's.
fn one<'f>(request: &Request<'f>, name: &'static str) -> Result<Option<&'f str>, Denial> {
    let mut fields = request.fields(name);
    match (fields.next(), fields.next()) {
        (value, None) if value.is_none_or(|value| !value.contains(',')) => Ok(value.map(str::trim)),
        _ => Err(Denial::RequestMalformed { member: name }),
    }
}

/// Does whoever sends the request ask for somebody else, and not for this machine? A server for
/// developers sends traces with the loopback address that it was asked from; traces alone are a
/// proxy's that may stand for anybody.
fn is_for_others(request: &Request<'_>) -> bool {
    let mut marks = MARKS.iter().flat_map(|name| request.fields(name)).peekable();
    match marks.peek() {
        Some(_) => marks.any(|value| !is_all_loopback(value)),
        None => TRACES.iter().any(|name| request.fields(name).next().is_some()),
    }
}

/// Are all hops in either header on this machine?
fn is_all_loopback(value: &str) -> bool {
    let is_loopback = |address: &str| Address::parse(address).is_some_and(Address::is_loopback);
    value.split(',').all(is_loopback)
        || forwarded::read(value)
            .is_some_and(|hops| hops.iter().all(|hop| hop.node.as_deref().is_some_and(is_loopback)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::{facts::Facts, origins::Origins};

    fn proxies(header: &str) -> Proxies {
        let trusted = ["10.0.0.0/8", "127.0.0.1"].map(|block| Cidr::parse(block).unwrap()).to_vec();
        Proxies { trusted, header: header.to_owned(), tell_host: true, tell_prefix: true }
    }

    fn ends(proxies: &Proxies, peer: &str, headers: &[(&str, &str)]) -> Result<(String, Option<Address>), Denial> {
        let facts = Facts {
            method: "GET",
            url: "http://pod:8080/orders",
            headers,
            client_address: Some(peer),
            ..Facts::default()
        };
        let request = Request::read(&facts, proxies)?;
        Ok((request.url.without_query(), request.client))
    }

    #[test]
    fn a_proxy_of_ours_says_what_it_was_asked_for() {
        let proxies = proxies("x-forwarded-for");
        let headers = [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "API.example:443"),
            ("x-forwarded-prefix", "/v1/"),
        ];
        let client = Address::parse("203.0.113.9");
        assert_eq!(ends(&proxies, "10.0.0.1", &headers), Ok(("https://api.example/v1/orders".to_owned(), client)));
        let stranger = Address::parse("192.0.2.1");
        assert_eq!(ends(&proxies, "192.0.2.1", &headers), Ok(("http://pod:8080/orders".to_owned(), stranger)));
        // Unless the policy says that they tell it, a client may have written the host.
        let silent = Proxies { tell_host: false, tell_prefix: false, ..proxies };
        assert_eq!(ends(&silent, "10.0.0.1", &headers), Ok(("https://pod:8080/orders".to_owned(), client)));
    }

    #[test]
    fn the_outermost_proxy_of_ours_counts_in_forwarded() {
        let proxies = proxies("forwarded");
        let told =
            |value: &str| ends(&proxies, "10.0.0.1", &[("forwarded", value), ("x-forwarded-host", "evil.example")]);
        let client = Address::parse("203.0.113.9");
        let api = ("https://api.example/orders".to_owned(), client);
        assert_eq!(told("for=203.0.113.9;proto=https;host=api.example"), Ok(api.clone()));
        assert_eq!(
            told(
                "for=1.2.3.4;host=evil.example, for=203.0.113.9;proto=https;host=api.example, for=10.0.0.9;proto=http;host=pod"
            ),
            Ok(api)
        );
        let v6 = told("For=\"[2001:db8::17]:4711\";Proto=HTTPS;Host=\"api.example:8443\"").unwrap();
        assert_eq!(v6, ("https://api.example:8443/orders".to_owned(), Address::parse("2001:db8::17")));
        assert_eq!(told("for=unknown;proto=https").unwrap().1, None);
        for value in ["for=\"1.2.3.4, for=203.0.113.9;proto=https", "for=203.0.113.9;host=a;host=b", "host=\"a/b\""] {
            assert!(matches!(told(value), Err(Denial::RequestMalformed { .. })), "{value}");
        }
    }

    #[test]
    fn a_header_with_two_readings_is_malformed() {
        let proxies = proxies("x-forwarded-for");
        for (name, value) in [
            ("x-forwarded-host", "evil.example, api.example"),
            ("x-forwarded-host", "api.example/x"),
            ("x-forwarded-host", "user@api.example"),
            ("x-forwarded-host", ""),
            ("x-forwarded-prefix", "/a, /b"),
            ("x-forwarded-prefix", "a"),
            ("x-forwarded-prefix", "/a/../b"),
            ("x-forwarded-prefix", "//evil.example"),
            ("x-forwarded-prefix", "/a?b"),
            ("x-forwarded-prefix", "/%61"),
        ] {
            let told = ends(&proxies, "10.0.0.1", &[("x-forwarded-for", "1.1.1.1"), (name, value)]);
            assert_eq!(told, Err(Denial::RequestMalformed { member: name }), "{name}: {value}");
        }
        let twice = [("x-forwarded-host", "a.example"), ("x-forwarded-host", "a.example")];
        assert!(ends(&proxies, "10.0.0.1", &twice).is_err());
    }

    #[test]
    fn a_proxy_that_nobody_named_is_not_this_machine() {
        let local = |headers: &[(&str, &str)]| {
            let facts = Facts {
                method: "GET",
                url: "http://localhost:3000/",
                headers,
                client_address: Some("127.0.0.1"),
                ..Facts::default()
            };
            let request = Request::read(&facts, &Proxies::default()).unwrap();
            request.check_transport(&Origins::default(), &[]).is_ok()
        };
        assert!(local(&[]));
        assert!(local(&[("X-Forwarded-For", "127.0.0.1, ::1")]));
        assert!(local(&[("Forwarded", "for=\"[::1]\";proto=http")]));
        assert!(local(&[("x-forwarded-for", "::1"), ("x-forwarded-host", "localhost:3000"), ("Via", "1.1 dev")]));
        for header in [
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-for", "127.0.0.1, 203.0.113.9"),
            ("x-forwarded-for", "unknown"),
            ("forwarded", "for=203.0.113.9"),
            ("forwarded", "for="),
            ("forwarded", "proto=https"),
            ("X-Forwarded-Host", "localhost:3000"),
            ("x-forwarded-host", ""),
            ("X-Forwarded-Proto", "http"),
            ("Via", "1.1 proxy"),
        ] {
            assert!(!local(&[header]), "{header:?}");
        }
    }
}
