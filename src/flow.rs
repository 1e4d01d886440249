//! Addresses, endpoints and transports.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An IPv4 or IPv6 address in 16 octets, IPv4 in its IPv4-mapped form (RFC 4291 section 2.5.5.2).
///
/// One fixed size keeps records compact and hashing simple; `::ffff:192.0.2.1` on the wire and
/// `192.0.2.1` are one host, so folding them together loses nothing.
///
/// It is two numbers, since an array of octets is written piece by piece, and whoever reads it whole right after that
/// has to wait for the pieces. Packed, so that an endpoint takes no more than it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(Rust, packed(2))]
pub struct Address {
    high: u64,
    low: u64,
}

/// As one number, so that there is one step to take.
impl Hash for Address {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.number());
    }
}

impl Address {
    /// The unspecified address, `::`.
    pub const UNSPECIFIED: Address = Address { high: 0, low: 0 };

    /// From the four octets of an IPv4 header field.
    #[inline]
    pub fn v4(octets: [u8; 4]) -> Address {
        Address { high: 0, low: u64::from(u32::from_be_bytes(octets)) | 0xffff << 32 }
    }

    /// From the sixteen octets of an IPv6 header field.
    #[inline]
    pub fn v6(octets: [u8; 16]) -> Address {
        let number = u128::from_be_bytes(octets);
        Address { high: (number >> 64) as u64, low: number as u64 }
    }

    /// All of its bits, the first ones highest.
    #[inline]
    pub fn number(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    /// The sixteen octets, IPv4 mapped.
    #[inline]
    pub fn octets(self) -> [u8; 16] {
        self.number().to_be_bytes()
    }

    /// Whether it is an IPv4 address.
    #[inline]
    pub fn is_v4(self) -> bool {
        self.high == 0 && self.low >> 32 == 0xffff
    }

    /// The four octets of an IPv4 address; `None` of an IPv6 address.
    pub fn v4_octets(&self) -> Option<[u8; 4]> {
        self.is_v4().then(|| (self.low as u32).to_be_bytes())
    }

    /// The IPv4 address that DNS64 put into it (RFC 6147), if it lies in the prefix that is known everywhere for that,
    /// `64:ff9b::/96` (RFC 6052 section 2.1). A prefix of a network's own cannot be told from other addresses.
    #[inline]
    pub fn translated_v4(self) -> Option<Address> {
        let is_translated = self.high == 0x0064_ff9b_0000_0000 && self.low >> 32 == 0;
        is_translated.then_some(Address { high: 0, low: self.low | 0xffff << 32 })
    }

    /// Whether both are addresses of one network as sites mostly have them: the first 24 bits of IPv4 are the same, or the
    /// first 64 of IPv6.
    pub fn is_in_network_of(self, other: Address) -> bool {
        self.network() == other.network()
    }

    /// The network that it is in, as [`Address::is_in_network_of`] has it.
    pub fn network(self) -> Address {
        if self.is_v4() {
            Address { low: self.low & !0xff, ..self }
        } else {
            Address { low: 0, ..self }
        }
    }

    /// As the standard library's type.
    pub fn ip(&self) -> IpAddr {
        let v6 = Ipv6Addr::from(self.octets());
        match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(v6),
        }
    }

    /// Whether it is private, link-local, loopback or unique-local: an address of the user's own network
    /// (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291).
    pub fn is_internal(&self) -> bool {
        match self.ip() {
            IpAddr::V4(v4) => {
                let [a, b, ..] = v4.octets();
                v4.is_private()
                    || v4.is_loopback()
                    || v4.is_link_local()
                    || (a == 100 && (64..128).contains(&b))
            }
            IpAddr::V6(v6) => {
                v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
            }
        }
    }

    /// Whether it is link-local (RFC 3927, RFC 4291), so known on one segment only.
    pub fn is_link_local(&self) -> bool {
        match self.ip() {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Address {
        match ip {
            IpAddr::V4(v4) => Address::v4(v4.octets()),
            IpAddr::V6(v6) => Address::v6(v6.octets()),
        }
    }
}

impl FromStr for Address {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Address, AddrParseError> {
        text.parse::<IpAddr>().map(Address::from)
    }
}

impl From<Ipv4Addr> for Address {
    fn from(ip: Ipv4Addr) -> Address {
        Address::v4(ip.octets())
    }
}

/// IPv4 dotted, IPv6 as RFC 5952 writes it: what DNS64 made with the IPv4 address in it to be seen (section 5).
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.translated_v4() {
            Some(v4) => f.pad(&format!("64:ff9b::{}", v4.ip())),
            None => self.ip().fmt(f),
        }
    }
}

/// A link-layer address (EUI-48); all zero when the link has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether the frame had one.
    pub fn is_some(self) -> bool {
        self.0 != [0; 6]
    }
}

/// `00:1b:21:aa:bb:cc`.
impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// The UDP or TCP port.
    pub port: u16,
}

/// What carries DNS messages here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// RFC 1035 section 4.2.1.
    Udp,
    /// RFC 7766.
    Tcp,
}

impl Transport {
    /// `udp` or `tcp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }
}

/// From where to where, and how: the innermost headers, VLAN tags and tunnels left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Who sent it.
    pub source: Endpoint,
    /// To whom.
    pub destination: Endpoint,
    /// By UDP or TCP.
    pub transport: Transport,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_and_plain_ipv4_are_one_address() {
        let plain: Address = "192.0.2.1".parse().unwrap();
        let mapped: Address = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(plain, mapped);
        assert_eq!(plain.to_string(), "192.0.2.1");
        assert!(plain.is_v4());
    }

    #[test]
    fn what_dns64_made_holds_the_ipv4_address() {
        let v4 = |text: &str| text.parse::<Address>().unwrap().translated_v4();
        assert_eq!(v4("64:ff9b::192.0.2.1"), Some(Address::v4([192, 0, 2, 1])));
        for other in ["64:ff9b:1::192.0.2.1", "64:ff9b::1:c000:201", "192.0.2.1", "::192.0.2.1"] {
            assert_eq!(v4(other), None, "{other}");
        }
        let shown = "64:ff9b::c000:201".parse::<Address>().unwrap().to_string();
        assert_eq!(shown, "64:ff9b::192.0.2.1");
    }

    #[test]
    fn internal_is_what_the_rfcs_keep_off_the_internet() {
        let internal = |text: &str| text.parse::<Address>().unwrap().is_internal();
        for own in ["10.1.2.3", "172.16.0.1", "192.168.2.194", "100.64.0.1", "fd20::10", "fe80::1"]
        {
            assert!(internal(own), "{own}");
        }
        for other in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "198.18.0.1"] {
            assert!(!internal(other), "{other}");
        }
    }
}
