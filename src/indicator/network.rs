//! Networks and single addresses, which are networks with every bit given.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::flow::Address;

/// The prefix length of a single address.
pub(super) const SINGLE: u8 = 128;
/// The prefix length of IPv4 as a whole, which lies at `::ffff:0:0/96`.
pub(super) const IPV4: u8 = 96;

/// The addresses that share their first `prefix` bits, counted in the 128 of an [`Address`]: an IPv4
/// `/24` has 120. The other bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Network {
    bits: u128,
    /// How many bits count, 0 to 128.
    pub(super) prefix: u8,
}

/// What looks like a network and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadPrefix;

impl Network {
    /// The network of that prefix length in which the address lies.
    #[inline]
    pub(super) fn around(address: Address, prefix: u8) -> Network {
        let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(SINGLE))).unwrap_or(0);
        Network { bits: address.number() & mask, prefix }
    }

    /// Reads `192.0.2.1`, `2001:db8::1`, `192.0.2.0/24`, `192.0.2.0/255.255.255.0`, and says whether
    /// bits behind the prefix were set. `None`: the text is something else.
    pub(super) fn parse(text: &str) -> Result<Option<(Network, bool)>, BadPrefix> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let Some(address) = parse_address(address) else { return Ok(None) };
        let Some(length) = length else { return Ok(Some((address.into(), false))) };
        let unused = if address.is_ipv4() { IPV4 } else { 0 };
        let prefix = if !length.is_empty() && length.bytes().all(|octet| octet.is_ascii_digit()) {
            length.parse::<u8>().ok().and_then(|length| length.checked_add(unused))
        } else if let (IpAddr::V4(_), Ok(mask)) = (address, length.parse::<Ipv4Addr>()) {
            let mask = u32::from(mask);
            (mask.count_ones() == mask.leading_ones()).then(|| unused + mask.leading_ones() as u8)
        } else {
            return Ok(None);
        };
        let prefix = prefix.filter(|&prefix| prefix <= SINGLE).ok_or(BadPrefix)?;
        let network = Network::around(address.into(), prefix);
        Ok(Some((network, network.bits != Network::from(address).bits)))
    }

    /// Its first address.
    pub(super) fn first(self) -> Address {
        Address::v6(self.bits.to_be_bytes())
    }

    /// Whether it is all of IPv4 or all of IPv6.
    pub(super) fn is_whole_family(self) -> bool {
        self.prefix == 0 || (self.prefix == IPV4 && self.is_v4())
    }

    fn is_v4(self) -> bool {
        self.prefix >= IPV4 && Address::v6(self.bits.to_be_bytes()).is_v4()
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        Network::around(address.into(), SINGLE)
    }
}

/// As lists write it; a single address without a prefix length.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.bits.to_be_bytes();
        match self.prefix {
            SINGLE => write!(f, "{}", Address::v6(first)),
            prefix if self.is_v4() => write!(f, "{}/{}", Address::v6(first), prefix - IPV4),
            prefix => write!(f, "{}/{prefix}", std::net::Ipv6Addr::from(first)),
        }
    }
}

/// Reads an address. A zone behind it (`fe80::1%eth0`, RFC 4007) is left out.
pub(super) fn parse_address(text: &str) -> Option<IpAddr> {
    // Most words are names: tell them apart before the parser tries both families.
    let first = text.bytes().next()?;
    if !first.is_ascii_hexdigit() && first != b':' {
        return None;
    }
    match text.split_once('%') {
        Some((address, _)) if address.contains(':') => address.parse().ok(),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_shows_networks() {
        for (text, shown, host_bits) in [
            ("192.0.2.1", "192.0.2.1", false),
            ("192.0.2.1/32", "192.0.2.1", false),
            ("192.0.2.0/24", "192.0.2.0/24", false),
            ("192.0.2.77/24", "192.0.2.0/24", true),
            ("192.0.2.0/255.255.255.0", "192.0.2.0/24", false),
            ("0.0.0.0/0", "0.0.0.0/0", false),
            ("::/0", "::/0", false),
            ("2001:DB8::1", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8::/32", false),
            ("2001:db8::1/64", "2001:db8::/64", true),
            ("::ffff:192.0.2.1", "192.0.2.1", false),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24", false),
            ("fe80::1%eth0", "fe80::1", false),
        ] {
            let (network, set) = Network::parse(text).unwrap().unwrap();
            assert_eq!((network.to_string().as_str(), set), (shown, host_bits), "{text}");
            assert_eq!(Network::parse(shown).unwrap().unwrap().0, network);
        }
    }

    #[test]
    fn what_is_no_network_is_not_taken_for_one() {
        for text in ["192.0.2.0/33", "2001:db8::/129", "192.0.2.0/999", "192.0.2.0/255.0.255.0"] {
            assert_eq!(Network::parse(text), Err(BadPrefix), "{text}");
        }
        for text in
            ["", "evil.com", "192.0.2", "192.0.2.1/a.exe", "192.0.2.1/", "1.2.3.4%5", "cafe"]
        {
            assert_eq!(Network::parse(text), Ok(None), "{text}");
        }
    }

    proptest! {
        #[test]
        fn shown_networks_read_back(octets: [u8; 16], v4: bool, prefix in 0u8..=128) {
            let [a, b, c, d, ..] = octets;
            let address = if v4 { Address::v4([a, b, c, d]) } else { Address::v6(octets) };
            let network = Network::around(address, if v4 { prefix.max(IPV4) } else { prefix });
            prop_assert_eq!(Network::parse(&network.to_string()), Ok(Some((network, false))));
        }
    }
}
