//! Name servers that are asked about everybody's names: known ones, and those that the capture shows.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashSet};

use super::names::registered_domain;
use crate::flow::Address;
use crate::resolution::Resolution;

/// How many domains are told apart that a server was asked about.
const DOMAINS_MAX: usize = 256;
/// A server that was asked about so many registered domains serves more than one owner.
const UNRELATED_MIN: usize = 3;

/// The servers of the root (<https://www.iana.org/domains/root/servers>, letter by letter; B moved in
/// 2023, its old addresses still answer).
const ROOT: &[(&str, &str)] = &[
    ("198.41.0.4", "a"),
    ("2001:503:ba3e::2:30", "a"),
    ("170.247.170.2", "b"),
    ("2801:1b8:10::b", "b"),
    ("199.9.14.201", "b"),
    ("2001:500:200::b", "b"),
    ("192.33.4.12", "c"),
    ("2001:500:2::c", "c"),
    ("199.7.91.13", "d"),
    ("2001:500:2d::d", "d"),
    ("192.203.230.10", "e"),
    ("2001:500:a8::e", "e"),
    ("192.5.5.241", "f"),
    ("2001:500:2f::f", "f"),
    ("192.112.36.4", "g"),
    ("2001:500:12::d0d", "g"),
    ("198.97.190.53", "h"),
    ("2001:500:1::53", "h"),
    ("192.36.148.17", "i"),
    ("2001:7fe::53", "i"),
    ("192.58.128.30", "j"),
    ("2001:503:c27::2:30", "j"),
    ("193.0.14.129", "k"),
    ("2001:7fd::1", "k"),
    ("199.7.83.42", "l"),
    ("2001:500:9f::42", "l"),
    ("202.12.27.33", "m"),
    ("2001:dc3::35", "m"),
];

/// The servers of .com and .net (<https://www.iana.org/domains/root/db/com.html>).
const GTLD: &[(&str, &str)] = &[
    ("192.5.6.30", "a"),
    ("2001:503:a83e::2:30", "a"),
    ("192.33.14.30", "b"),
    ("2001:503:231d::2:30", "b"),
    ("192.26.92.30", "c"),
    ("2001:503:83eb::30", "c"),
    ("192.31.80.30", "d"),
    ("2001:500:856e::30", "d"),
    ("192.12.94.30", "e"),
    ("2001:502:1ca1::30", "e"),
    ("192.35.51.30", "f"),
    ("2001:503:d414::30", "f"),
    ("192.42.93.30", "g"),
    ("2001:503:eea3::30", "g"),
    ("192.54.112.30", "h"),
    ("2001:502:8cc::30", "h"),
    ("192.43.172.30", "i"),
    ("2001:503:39c1::30", "i"),
    ("192.48.79.30", "j"),
    ("2001:502:7094::30", "j"),
    ("192.52.178.30", "k"),
    ("2001:503:d2d::30", "k"),
    ("192.41.162.30", "l"),
    ("2001:500:d937::30", "l"),
    ("192.55.83.30", "m"),
    ("2001:501:b1f9::30", "m"),
];

/// What a server is, if it is one of the root or of .com and .net: `m.gtld-servers.net, a server of the
/// top-level domains .com and .net`.
pub(super) fn well_known(server: Address) -> Option<String> {
    let text = server.to_string();
    let letter = |table: &[(&str, &'static str)]| {
        table.iter().find(|(address, _)| *address == text).map(|(_, letter)| *letter)
    };
    if let Some(letter) = letter(ROOT) {
        return Some(format!("{letter}.root-servers.net, a server of the root of all names"));
    }
    let letter = letter(GTLD)?;
    Some(format!("{letter}.gtld-servers.net, a server of the top-level domains .com and .net"))
}

/// What a server was asked in the capture.
#[derive(Clone, Debug, Default)]
pub(super) struct AskedOf {
    /// The registered domains of the names.
    pub domains: BTreeSet<String>,
    /// Whether there were more.
    pub more: bool,
    /// Questions that it answered without error.
    pub answers: u64,
    /// Of these, how many without an answer record: it said who else to ask, or that there is none.
    pub referrals: u64,
    /// The groups of names that were looked at.
    seen: HashSet<u64>,
}

impl AskedOf {
    /// Whether it was asked about the names of several owners.
    pub fn is_shared(&self) -> bool {
        self.domains.len() >= UNRELATED_MIN
    }

    /// Whether it nearly always told whom else to ask.
    pub fn refers(&self) -> bool {
        self.answers > 0 && self.referrals * 10 >= self.answers * 9
    }
}

/// What some servers were asked, as far as it is kept: one walk over all transactions.
pub(super) fn asked_of(
    resolution: &Resolution,
    servers: &BTreeSet<Address>,
) -> HashMap<Address, AskedOf> {
    let transactions = resolution.transactions();
    let hosts = transactions.hosts();
    let ids: HashMap<_, _> = servers.iter().filter_map(|a| Some((hosts.find(*a)?, *a))).collect();
    let mut found: HashMap<Address, AskedOf> = HashMap::default();
    if ids.is_empty() {
        return found;
    }
    for (_, asked) in transactions.before(transactions.next()) {
        let Some(server) = ids.get(&asked.server) else { continue };
        let of = found.entry(*server).or_default();
        if asked.answered().is_some() && asked.rcode == 0 && !asked.truncated {
            of.answers += 1;
            of.referrals += u64::from(!asked.has_answers);
        }
        if of.seen.len() >= DOMAINS_MAX {
            of.more = true;
        } else if of.seen.insert(asked.group.0) && transactions.has_name(asked) {
            of.domains.insert(registered_domain(&transactions.name(asked).to_string()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn addresses_are_written_as_they_are_looked_up() {
        for (text, letter) in ROOT.iter().chain(GTLD) {
            let address = Address::from(text.parse::<IpAddr>().unwrap());
            assert_eq!(address.to_string(), *text);
            assert!(well_known(address).unwrap().starts_with(letter), "{text}");
        }
        assert_eq!(ROOT.len() + GTLD.len(), 28 + 26);
        assert_eq!(well_known(Address::v4([192, 55, 83, 31])), None);
    }

    #[test]
    fn a_few_related_names_do_not_make_a_server_everybodys() {
        let domains = |names: &[&str]| AskedOf {
            domains: names.iter().map(|name| registered_domain(name)).collect(),
            ..AskedOf::default()
        };
        assert!(!domains(&["www.evil.com", "a.evil.com", "ns1.evil.com"]).is_shared());
        assert!(domains(&["www.evil.com", "www.example.org", "shop.example.net"]).is_shared());
        let refers = AskedOf { answers: 10, referrals: 9, ..AskedOf::default() };
        assert!(refers.refers() && !AskedOf { referrals: 8, ..refers }.refers());
        assert!(!AskedOf::default().refers());
    }
}
