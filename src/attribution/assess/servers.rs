//! Name servers that are asked about everybody's names, as the capture shows them.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashSet};

use super::names::registered_domain;
use crate::flow::Address;
use crate::resolution::Resolution;

/// How many domains are told apart that a server was asked about.
const DOMAINS_MAX: usize = 256;
/// A server that was asked about so many registered domains serves more than one owner.
const UNRELATED_MIN: usize = 3;

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
    /// The domains that were looked at.
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
        } else if of.seen.insert(asked.domain.0) && transactions.has_name(&asked) {
            of.domains.insert(registered_domain(&transactions.name(&asked).to_string()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

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
