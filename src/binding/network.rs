//! Client addresses and CIDR blocks (RFC 4632 §3.1, RFC 4291 §2.3), IPv4 and IPv6.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The address of a client. An IPv4 address that is mapped into IPv6 (RFC 4291 §2.5.5.2) is the
/// IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    is_v4: bool,
    bits: u128,
}

impl Address {
    /// Reads an address as platforms and proxies write it: alone, with a port, in brackets, with a
    /// zone.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        let bare = text.split('%').next().unwrap_or_default();
        let bracketed = || bare.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
        let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
        bare.parse::<IpAddr>().ok().or_else(bracketed).or_else(with_port).map(Self::from)
    }

    /// Is it of this very machine: 127.0.0.0/8 (RFC 1122 §3.2.1.3) or `::1` (RFC 4291 §2.5.3)?
    #[must_use]
    pub(crate) fn is_loopback(self) -> bool {
        if self.is_v4 { self.bits >> 24_u32 == 127 } else { self.bits == 1 }
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Address { is_v4: true, bits: u128::from(address.to_bits()) },
            IpAddr::V6(address) => Address { is_v4: false, bits: address.to_bits() },
        }
    }
}

/// A block of addresses of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    first: Address,
    prefix: u32,
}

impl Cidr {
    /// Does it hold every address of its family?
    pub(crate) fn is_everybody(&self) -> bool {
        self.prefix == 0
    }

    /// Reads `address/prefix`; an address alone is a block of one. `None` when it is none, or has
    /// bits set behind its prefix.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let written: IpAddr = address.parse().ok()?;
        let first = Address::from(written);
        let whole = if first.is_v4 { 32 } else { 128 };
        let prefix = match prefix {
            None => whole,
            Some(digits) if (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let prefix: u32 = digits.parse().ok()?;
                // A block of mapped IPv4 addresses is written with the prefix of IPv6.
                if first.is_v4 && written.is_ipv6() { prefix.checked_sub(96)? } else { prefix }
            }
            Some(_) => return None,
        };
        let cidr = Cidr { first, prefix };
        (prefix <= whole && cidr.mask() & first.bits == first.bits).then_some(cidr)
    }

    /// Is the address in this block?
    #[must_use]
    pub(crate) fn contains(&self, address: Address) -> bool {
        self.first.is_v4 == address.is_v4 && address.bits & self.mask() == self.first.bits
    }

    fn mask(&self) -> u128 {
        let width = if self.first.is_v4 { 32_u32 } else { 128 };
        // A prefix of 0 shifts everything out.
        u128::MAX.checked_shl(width.saturating_sub(self.prefix)).unwrap_or(0)
    }
}

/// The client behind proxies that are trusted: the last address in the list of hops that is none
/// of theirs. `None` when that hop is no address.
///
/// Everything to its left was written by the client itself or by those it passed through.
#[must_use]
pub(crate) fn client_behind<'h>(
    peer: Address,
    hops: impl DoubleEndedIterator<Item = &'h str>,
    trusted: &[Cidr],
) -> Option<Address> {
    let is_proxy = |address: Address| trusted.iter().any(|block| block.contains(address));
    let mut client = peer;
    for hop in hops.rev() {
        if !is_proxy(client) {
            break;
        }
        client = Address::parse(hop)?;
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contains(block: &str, address: &str) -> bool {
        Cidr::parse(block).unwrap().contains(Address::parse(address).unwrap())
    }

    #[test]
    fn blocks_of_both_families() {
        for (block, address, expected) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7/32", "192.0.2.6", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("::/0", "2001:db8::1", true),
            ("::1", "::1", true),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "192.0.2.9", true),
            ("::/0", "192.0.2.1", false),
            ("::/0", "::ffff:192.0.2.1", false),
            ("0.0.0.0/0", "2001:db8::1", false),
        ] {
            assert_eq!(contains(block, address), expected, "{block} {address}");
        }
    }

    #[test]
    fn what_is_no_block_is_none() {
        for text in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.1/8",
            "10.0.0/8",
            "010.0.0.0/8",
            "::/129",
            "::1/127",
            "::ffff:0.0.0.0/95",
            "10.0.0.0/8/8",
            "office",
            " 10.0.0.0/8",
        ] {
            assert_eq!(Cidr::parse(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_as_proxies_write_them() {
        let one = Address::parse("2001:db8::1");
        assert!(one.is_some());
        for text in ["[2001:db8::1]", "[2001:db8::1]:443", "2001:DB8::1", " 2001:db8::1", "2001:db8::1%eth0"] {
            assert_eq!(Address::parse(text), one, "{text}");
        }
        assert_eq!(Address::parse("192.0.2.1:80"), Address::parse("192.0.2.1"));
        for text in ["", "unknown", "_hidden", "192.0.2", "192.0.2.1:port", "1.2.3.4, 5.6.7.8"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn loopback_is_of_both_families_and_mapped() {
        let loopback = |text: &str| Address::parse(text).unwrap().is_loopback();
        for text in ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "[::1]:80", "127.0.0.1:80"] {
            assert!(loopback(text), "{text}");
        }
        for text in ["128.0.0.1", "10.0.0.1", "::", "::2", "::127.0.0.1", "fe80::1"] {
            assert!(!loopback(text), "{text}");
        }
    }

    #[test]
    fn the_client_is_the_last_hop_that_is_no_proxy_of_ours() {
        let trusted = [Cidr::parse("10.0.0.0/8").unwrap()];
        let client =
            |peer: &str, hops: &[&str]| client_behind(Address::parse(peer).unwrap(), hops.iter().copied(), &trusted);
        let of = |text: &str| Address::parse(text);
        assert_eq!(client("192.0.2.1", &["203.0.113.9"]), of("192.0.2.1"));
        assert_eq!(client("10.0.0.1", &["203.0.113.9"]), of("203.0.113.9"));
        assert_eq!(client("10.0.0.1", &["192.0.2.66", "203.0.113.9", "10.1.1.1"]), of("203.0.113.9"));
        assert_eq!(client("10.0.0.1", &[]), of("10.0.0.1"));
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "unknown"]), None);
    }

    proptest! {
        #[test]
        fn agrees_with_the_division_of_integers(address in any::<u32>(), block in any::<u32>(), prefix in 0..=32u32) {
            let shift = 32 - prefix;
            let first = if shift == 32 { 0 } else { block >> shift << shift };
            let text = format!("{}/{prefix}", core::net::Ipv4Addr::from(first));
            let expected = u64::from(address) >> shift == u64::from(first) >> shift;
            let address = core::net::Ipv4Addr::from(address);
            prop_assert_eq!(contains(&text, &address.to_string()), expected);
            prop_assert_eq!(contains(&text, &format!("::ffff:{address}")), expected);
        }

        #[test]
        fn six_agrees_with_the_bits(address in any::<u128>(), block in any::<u128>(), prefix in 0..=128u32) {
            let bits = |value: u128| (0..prefix).map(move |place| value >> (127 - place) & 1);
            let first = (0..prefix).fold(0_u128, |sum, place| sum | (block >> (127 - place) & 1) << (127 - place));
            let text = format!("{}/{prefix}", Ipv6Addr::from(first));
            let mapped = |value: u128| Ipv6Addr::from(value).to_ipv4_mapped().is_some();
            prop_assume!(!mapped(first) && !mapped(address));
            prop_assert_eq!(contains(&text, &Ipv6Addr::from(address).to_string()), bits(address).eq(bits(first)));
        }

        #[test]
        fn any_text_is_read_or_not(text in ".{0,40}", near in "[0-9a-f:./\\[\\]%]{0,24}") {
            for text in [text, near] {
                let _ = (Cidr::parse(&text), Address::parse(&text));
            }
        }
    }
}
