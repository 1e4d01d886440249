//! Link-layer addresses: a host's own, or a router's that sends for many.

use foldhash::{HashMap, HashMapExt};

use crate::flow::{Address, Mac};
use crate::time::{Span, Timestamp};

/// How many addresses of a family are told apart behind one link-layer address: two may be one host's,
/// three are not.
const TOLD_APART: usize = 3;
/// An address that is still used so long after another appeared beside it was not given up for it.
const BESIDE: Span = Span::from_secs(60);

/// The addresses that were seen behind a link-layer address. As many of these are kept as there are hosts.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// IPv4 addresses.
    v4: Few<4>,
    /// IPv6 networks of 64 bits, without those of link-local addresses.
    v6: Few<8>,
    /// When the second of the IPv4 addresses was first seen.
    since: Timestamp,
    /// Whether an IPv4 address of the internet was among them, and one of an internal network. (A host
    /// may well have an IPv6 address of each kind.)
    outside: bool,
    inside: bool,
}

/// The first few addresses of a family, each of so many octets.
#[derive(Clone, Copy, Debug)]
struct Few<const OCTETS: usize> {
    first: [[u8; OCTETS]; TOLD_APART],
    count: u8,
}

impl<const OCTETS: usize> Default for Few<OCTETS> {
    fn default() -> Few<OCTETS> {
        Few { first: [[0; OCTETS]; TOLD_APART], count: 0 }
    }
}

impl<const OCTETS: usize> Few<OCTETS> {
    fn known(&self) -> &[[u8; OCTETS]] {
        self.first.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// Adds an address, unless it is known or there are enough; returns whether it did.
    fn add(&mut self, address: [u8; OCTETS]) -> bool {
        if self.known().contains(&address) {
            return false;
        }
        let Some(slot) = self.first.get_mut(usize::from(self.count)) else { return false };
        *slot = address;
        self.count += 1;
        true
    }

    fn are_many(&self) -> bool {
        self.known().len() >= TOLD_APART
    }
}

/// Which link-layer addresses send for whom: at most a given number; further ones are not taken in, and
/// are no router's as far as is known.
#[derive(Debug)]
pub(super) struct Links {
    links: HashMap<Mac, Link>,
    limit: usize,
}

impl Links {
    /// Room for `limit` link-layer addresses.
    pub fn new(limit: usize) -> Links {
        Links { links: HashMap::new(), limit }
    }

    /// Notes that a frame of `address` came from `mac`.
    pub fn note(&mut self, mac: Mac, address: Address, now: Timestamp) {
        if self.links.len() >= self.limit && !self.links.contains_key(&mac) {
            return;
        }
        let link = self.links.entry(mac).or_default();
        if let Some(v4) = address.v4_octets() {
            match address.is_internal() {
                true => link.inside = true,
                false => link.outside = true,
            }
            if link.v4.add(v4) && link.v4.count == 2 {
                link.since = now;
            }
        } else if !address.is_link_local()
            && let Some(network) = address.octets().first_chunk()
        {
            link.v6.add(*network);
        }
    }

    /// Whether it is a router's. It is if its frames came
    /// 1. from an IPv4 address of the internet, and from an internal one: what stands between the two;
    /// 2. or from three IPv4 addresses or more, or three IPv6 networks;
    /// 3. or from two IPv4 addresses in turn: a host that is given another address does not come back to
    ///    the first. `seen` says when an address was last seen.
    ///
    /// What sends for one host only cannot be told from that host: then this says no, which means "as far
    /// as the capture shows".
    pub fn is_router(&self, mac: Mac, seen: impl Fn(Address) -> Option<Timestamp>) -> bool {
        let Some(link) = self.links.get(&mac) else { return false };
        (link.outside && link.inside)
            || link.v4.are_many()
            || link.v6.are_many()
            || match link.v4.known() {
                &[first, _] => {
                    seen(Address::v4(first)).is_some_and(|last| last > link.since + BESIDE)
                }
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);

    fn links(seen: &[(&str, i64)]) -> Links {
        let mut links = Links::new(8);
        for (address, at) in seen {
            let address: std::net::IpAddr = address.parse().unwrap();
            links.note(MAC, address.into(), Timestamp(at * 1_000_000_000));
        }
        links
    }

    fn is_router(seen: &[(&str, i64)], last_s: i64) -> bool {
        links(seen).is_router(MAC, |_| Some(Timestamp(last_s * 1_000_000_000)))
    }

    #[test]
    fn a_host_with_its_own_addresses_is_no_router() {
        assert!(!is_router(&[], 0));
        assert!(!is_router(&[("10.0.0.1", 1)], 900));
        let dual = [("10.0.0.1", 1), ("fe80::1", 2), ("2001:db8::1", 3), ("2001:db8::2", 4)];
        assert!(!is_router(&dual, 900));
        assert!(!is_router(&[("10.0.0.1", 1), ("10.0.0.2", 50)], 40), "given another address");
    }

    #[test]
    fn what_sends_for_others_is_a_router() {
        assert!(
            is_router(&[("10.0.0.1", 1), ("198.51.100.1", 2)], 0),
            "between inside and outside"
        );
        assert!(is_router(&[("10.0.0.1", 1), ("10.0.0.2", 2), ("10.0.0.3", 3)], 0), "three");
        assert!(is_router(&[("10.0.0.1", 1), ("10.0.0.2", 2)], 500), "two in turn");
        let networks = [("fd00:0:0:1::1", 1), ("fd00:0:0:2::1", 2), ("fd00:0:0:3::1", 3)];
        assert!(is_router(&networks, 0));
    }

    #[test]
    fn beyond_the_limit_nothing_is_claimed() {
        let mut links = Links::new(1);
        links.note(Mac([9; 6]), Address::v4([10, 0, 0, 9]), Timestamp(0));
        for host in 1..5 {
            links.note(MAC, Address::v4([10, 0, 0, host]), Timestamp(0));
        }
        assert!(!links.is_router(MAC, |_| None));
    }
}
