//! Who may be named: with `--internal`, only clients in the networks given.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::attribution::{Attribution, Summary, Verdict};
use crate::flow::Address;

/// What is said of an attribution all of whose clients are outside.
const ASKED_FROM_OUTSIDE: &str = "asked from outside the networks given with --internal";

/// The networks whose hosts are named as clients; all are when there is none.
#[derive(Clone, Debug, Default)]
pub struct Internal(Vec<IpNet>);

/// The clients that were not named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outside {
    /// How many addresses.
    pub clients: u64,
    /// How many of their questions led to an indicator, counted for each indicator.
    pub asks: u64,
    /// The networks that they are in, as far as one can guess, those of the most clients first.
    pub networks: Vec<IpNet>,
}

impl Internal {
    /// Names only hosts in `networks`, or all of them if it is empty.
    pub fn new(networks: Vec<IpNet>) -> Internal {
        Internal(networks)
    }

    /// Whether a client may be named.
    pub fn names(&self, client: Address) -> bool {
        let ip = client.ip();
        self.0.is_empty() || self.0.iter().any(|network| network.contains(&ip))
    }

    /// Leaves out the clients that may not be named. An attribution that has none left is undetermined:
    /// somebody asked, so that it would be wrong to say that nobody did.
    pub fn withhold(&self, attribution: &mut Attribution) {
        if self.0.is_empty() || attribution.clients.is_empty() {
            return;
        }
        attribution.clients.retain(|client| self.names(client.address));
        if attribution.clients.is_empty() {
            attribution.verdict = Verdict::Undetermined;
            attribution.reason = Some(ASKED_FROM_OUTSIDE.to_owned());
            attribution.doubts.clear();
        }
    }

    /// How many clients were not named, and how often they asked.
    pub(super) fn outside(&self, summary: &Summary) -> Outside {
        let mut clients = BTreeSet::new();
        let mut asks = 0;
        for (_, client, row) in summary.rows().filter(|(_, client, _)| !self.names(*client)) {
            clients.insert(client);
            asks += row.asks;
        }
        let mut networks: BTreeMap<IpNet, usize> = BTreeMap::new();
        for network in clients.iter().filter_map(|client| network_of(*client)) {
            *networks.entry(network).or_default() += 1;
        }
        let mut networks: Vec<(IpNet, usize)> = networks.into_iter().collect();
        networks.sort_by_key(|(_, clients)| std::cmp::Reverse(*clients));
        let networks = networks.into_iter().map(|(network, _)| network).collect();
        Outside { clients: clients.len() as u64, asks, networks }
    }
}

/// The network of a host, of the size that most have.
fn network_of(client: Address) -> Option<IpNet> {
    let length = if client.is_v4() { 24 } else { 64 };
    IpNet::new(client.ip(), length).ok().map(|network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn all_are_named_unless_networks_are_given() {
        let all = Internal::default();
        assert!(all.names(address("8.8.8.8")) && all.names(address("fd00::1")));
        let own = Internal::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        assert!(own.names(address("10.9.9.9")) && own.names(address("fd12::1")));
        assert!(own.names(address("::ffff:10.1.1.1")), "mapped and plain IPv4 are one");
        assert!(!own.names(address("192.168.1.1")) && !own.names(address("2001:db8::1")));
    }
}
