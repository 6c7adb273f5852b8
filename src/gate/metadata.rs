//! An issuer's metadata (OpenID Connect Discovery 1.0 §4.2, RFC 8414 §3.2): what they name is
//! fetched only where it may be.
//!
//! Whoever can change that document must not send us to machines that only we can reach
//! (CVE-2026-32301 in another guise).

use crate::{
    binding::uri::Url,
    document::url,
    json::{Value, read_object},
    limits::Limits,
};
use core::net::{Ipv4Addr, Ipv6Addr};

/// Why a metadata document is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetadataError {
    /// It is no JSON object, or one that two readers could read in two ways.
    DiscoveryNotJson,
    /// Its `issuer` is not the one that was asked about, byte for byte (Discovery §4.3, RFC 8414
    /// §3.3).
    DiscoveryIssuerMismatch,
    /// It has no `jwks_uri`, or one that is not a plain https URL.
    DiscoveryJwksUri,
    /// Its `jwks_uri` is on a host that is not public, and that the policy does not name.
    DiscoveryPrivateHost,
}

/// The `jwks_uri` of an issuer's metadata.
///
/// It has to be https on a public host. The issuer's own host may be private, as the policy names
/// it; so may `hosts`, which the policy names besides. Plain HTTP on a loopback name is for an
/// issuer that is there itself; on one of the hosts in `plain` the policy allows it.
///
/// A name is judged by its text. Where it leads is the resolver's word, which the core cannot ask
/// for.
///
/// # Errors
/// [`MetadataError`].
pub(crate) fn jwks_uri(text: &str, issuer: &str, hosts: &[String], plain: &[String]) -> Result<String, MetadataError> {
    let document = read_object(text.as_bytes(), &Limits::DOCUMENT).map_err(|_| MetadataError::DiscoveryNotJson)?;
    if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(MetadataError::DiscoveryIssuerMismatch);
    }
    let place = document.get("jwks_uri").and_then(Value::as_str).ok_or(MetadataError::DiscoveryJwksUri)?;
    let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
    url::check_among(place, &plain).map_err(|_| MetadataError::DiscoveryJwksUri)?;
    let read = Url::parse(place).ok_or(MetadataError::DiscoveryJwksUri)?;
    let own = Url::parse(issuer);
    // An issuer on the Internet has no say over what is asked for inside, whatever hosts the
    // policy names for others.
    if !read.secure && own.as_ref().is_none_or(|own| own.secure) {
        return Err(MetadataError::DiscoveryJwksUri);
    }
    // What is left of plain HTTP is on a loopback name or a host of `plain`.
    let named = !read.secure
        || own.is_some_and(|own| own.host() == read.host())
        || hosts.iter().any(|host| host == read.host());
    if named || is_public(read.host()) { Ok(place.to_owned()) } else { Err(MetadataError::DiscoveryPrivateHost) }
}

/// Names that no public resolver knows (RFC 6761, RFC 6762 and its appendix G, RFC 8375, RFC
/// 9476; ICANN's `.internal`), and those of clusters.
const PRIVATE: [&str; 17] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "localdomain",
    "arpa",
    "test",
    "invalid",
    "onion",
    "alt",
    "svc",
    "cluster",
    "consul",
];

/// Is the host of a URL, in lower case, one that the whole world can reach?
///
/// STRICTER than the special-purpose registries (RFC 6890): a name without a dot, and an address
/// in any form but the usual one, is not.
pub(crate) fn is_public(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse().is_ok_and(is_public_v6);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let Some((_, last)) = host.rsplit_once('.') else { return false };
    // WHATWG URL §3.5: a host whose last label is a number is an IPv4 address, in decimal, octal
    // or hexadecimal.
    let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return host.parse().is_ok_and(is_public_v4);
    }
    !PRIVATE.contains(&last)
}

/// The special-purpose addresses of IPv4 (RFC 6890 and its registry), multicast and what is
/// reserved.
fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Global unicast (RFC 4291 §2.5.4), without what tunnels to IPv4 (Teredo, 6to4), protocol
/// assignments and documentation. Mapped and compatible addresses, NAT64, unique-local,
/// link-local and multicast ones lie outside.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://issuer.example";

    fn read(issuer: &str, place: &str, hosts: &[&str]) -> Result<String, MetadataError> {
        let text = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{place}"}}"#);
        jwks_uri(&text, issuer, &hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>(), &[])
    }

    #[test]
    fn only_an_issuer_of_plain_http_leads_to_a_host_of_plain_http() {
        let plain = ["keycloak".to_owned(), "*.svc.cluster.local".to_owned()];
        let read = |issuer: &str, place: &str| {
            jwks_uri(&format!(r#"{{"issuer":"{issuer}","jwks_uri":"{place}"}}"#), issuer, &[], &plain)
        };
        let place = "http://secrets.kube-system.svc.cluster.local/latest";
        assert_eq!(read(ISSUER, place), Err(MetadataError::DiscoveryJwksUri));
        assert_eq!(read("http://keycloak:8080", place).as_deref(), Ok(place));
    }

    #[test]
    fn keys_on_public_hosts_are_fetched() {
        for place in [
            "https://issuer.example/keys",
            "https://keys.other.example:8443/k?v=1",
            "https://8.8.8.8/",
            "https://172.32.0.1/",
            "https://100.128.0.1/",
            "https://[2606:4700::1111]/",
            "https://local.example/",
            "https://internal.issuer.example/",
            "https://10.0.0.1.example/",
        ] {
            assert_eq!(read(ISSUER, place, &[]).as_deref(), Ok(place));
        }
    }

    #[test]
    fn private_hosts_are_not_in_any_spelling() {
        for host in [
            "localhost",
            "app.localhost",
            "metadata",
            "metadata.google.internal",
            "printer.local",
            "vault.corp",
            "router.home.arpa",
            "api.default.svc",
            "api.default.svc.cluster.local",
            "127.0.0.1",
            "127.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "198.18.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            // 127.0.0.1 and 169.254.169.254, as URL parsers read them.
            "127.1",
            "2130706433",
            "017700000001",
            "0x7f000001",
            "0x7f.0.0.1",
            "127.0.0.0x1",
            "127.0.0.01",
            "a.0x",
            "2852039166",
            "0xa9.0xfe.0xa9.0xfe",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[ff02::1]",
            "[2001::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::1]",
        ] {
            let place = format!("https://{host}/keys");
            assert_eq!(read(ISSUER, &place, &[]), Err(MetadataError::DiscoveryPrivateHost), "{host}");
        }
        // A dot at the end, escapes and letters that are mended are no plain host at all.
        for host in ["localhost.", "127.0.0.1.", "%6cocalhost", "localho\u{17f}t", "user@localhost", "[fe80::1%25eth0]"]
        {
            let place = format!("https://{host}/keys");
            assert_eq!(read(ISSUER, &place, &[]), Err(MetadataError::DiscoveryJwksUri), "{host}");
        }
        assert_eq!(read(ISSUER, "https://LOCALHOST/", &[]), Err(MetadataError::DiscoveryPrivateHost));
    }

    #[test]
    fn a_host_that_the_policy_names_may_be_private() {
        let own = "https://auth.corp";
        assert_eq!(read(own, "https://auth.corp:8443/keys", &[]).as_deref(), Ok("https://auth.corp:8443/keys"));
        assert_eq!(read(own, "https://keys.corp/", &[]), Err(MetadataError::DiscoveryPrivateHost));
        assert_eq!(read(own, "https://keys.corp/", &["keys.corp"]).as_deref(), Ok("https://keys.corp/"));
        assert_eq!(read(own, "http://keys.corp/", &["keys.corp"]), Err(MetadataError::DiscoveryJwksUri));
    }

    #[test]
    fn plain_http_is_for_an_issuer_that_is_on_loopback_itself() {
        let (own, place) = ("http://127.0.0.1:8080", "http://127.0.0.1:9090/keys");
        assert_eq!(read(own, place, &[]).as_deref(), Ok(place));
        for place in ["http://127.0.0.1:9090/keys", "http://localhost/keys", "http://[::1]/keys"] {
            assert_eq!(read(ISSUER, place, &["127.0.0.1"]), Err(MetadataError::DiscoveryJwksUri), "{place}");
        }
    }
}
