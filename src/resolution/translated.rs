//! Address translation (RFC 3022) of which both sides are in the capture: a query as its host sent it, and once more as the
//! router sent it on, from an address of its own.
//!
//! The second is a copy, as a mirror port's is: nobody asked it but who asked the first. A router changes addresses, ports
//! and link-layer addresses, and leaves the message as it is.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt};

use super::History;
use crate::bounded::Sequence;
use crate::flow::Transport;
use crate::message::RecordType;
use crate::name::NameHash;
use crate::time::Span;
use crate::transaction::{DISORDER_MAX, HostId, Transaction, Transactions};

/// A router sends on within this time, the clocks of two sensors apart by what they may be.
const APART_MAX: Span = Span::from_millis(5);
/// So many queries sent on make an address one of translation: two machines that were made alike can ask alike by chance.
const SENT_ON_MIN: usize = 3;
/// One in so many of what is asked from such an address, at most, if next to nothing else comes from it.
const OTHERS_SHARE: usize = 10;
/// How many of the latest transactions are looked at for such addresses.
const SAMPLE: usize = 1 << 10;
/// How many transactions on each side of one are looked at for its original.
const NEAR_MAX: usize = 1 << 10;
/// How many such addresses are kept, and behind each how many hosts.
const ADDRESSES_MAX: usize = 64;
const HOSTS_MAX: usize = 64;

/// What a router leaves as it is, beside the message's other octets.
type Unchanged = (HostId, u16, NameHash, RecordType, Transport);

fn unchanged(query: &Transaction) -> Unchanged {
    (query.server, query.id, query.name, query.qtype, query.transport)
}

/// Of an address that queries were sent on from.
#[derive(Debug, Default)]
struct SentOn {
    inside: BTreeSet<HostId>,
    /// Whether it asks next to nothing else.
    is_all: bool,
}

/// The addresses that others' queries were sent on from, and whose.
#[derive(Debug, Default)]
pub struct Translated {
    hosts: BTreeMap<HostId, SentOn>,
}

impl Translated {
    /// Whether queries of others were sent on from an address.
    #[inline]
    pub fn contains(&self, host: HostId) -> bool {
        !self.hosts.is_empty() && self.hosts.contains_key(&host)
    }

    /// Whether next to nothing else came from it: nobody asks there for himself.
    pub fn is_all_of(&self, host: HostId) -> bool {
        self.hosts.get(&host).is_some_and(|sent_on| sent_on.is_all)
    }

    /// Each address that queries were sent on from, with at most 64 hosts whose queries these were.
    pub fn iter(&self) -> impl Iterator<Item = (HostId, &BTreeSet<HostId>)> {
        self.hosts.iter().map(|(outside, sent_on)| (*outside, &sent_on.inside))
    }

    /// Learns such addresses from the latest transactions, and returns which of these were sent on. What was known stays
    /// known.
    pub(super) fn learn(&mut self, transactions: &Transactions) -> BTreeSet<Sequence> {
        let mut latest: HashMap<Unchanged, (Sequence, Transaction)> = HashMap::new();
        let mut asks: HashMap<HostId, usize> = HashMap::new();
        let mut pairs: BTreeMap<HostId, Vec<(Sequence, HostId)>> = BTreeMap::new();
        for (number, query) in transactions.before(transactions.next()).take(SAMPLE) {
            if !query.has_query() {
                continue;
            }
            *asks.entry(query.client).or_default() += 1;
            let other = latest.insert(unchanged(&query), (number, query));
            let Some((other_number, other)) = other else { continue };
            if is_sent_on(&other, &query, transactions) {
                pairs.entry(other.client).or_default().push((other_number, query.client));
            } else if is_sent_on(&query, &other, transactions) {
                pairs.entry(query.client).or_default().push((number, other.client));
            }
        }
        let mut copies = BTreeSet::new();
        for (outside, pairs) in pairs {
            let is_known = self.hosts.contains_key(&outside);
            let is_new = pairs.len() >= SENT_ON_MIN && self.hosts.len() < ADDRESSES_MAX;
            if !is_known && !is_new {
                continue;
            }
            let sent_on = self.hosts.entry(outside).or_default();
            let all = asks.get(&outside).copied().unwrap_or_default();
            sent_on.is_all = (all - pairs.len()) * OTHERS_SHARE <= all;
            for (copy, inside) in pairs {
                copies.insert(copy);
                if sent_on.inside.len() < HOSTS_MAX {
                    sent_on.inside.insert(inside);
                }
            }
        }
        copies
    }
}

impl History<'_> {
    /// Whether a query is another host's, sent on by a router.
    pub fn is_sent_on(&self, sequence: Sequence, query: &Transaction) -> bool {
        if !self.roles().translated().contains(query.client) {
            return false;
        }
        let transactions = self.transactions();
        let later = (sequence.0 + 1..transactions.next().0).map(Sequence);
        let later = later.filter_map(|number| transactions.get(number)).take(NEAR_MAX);
        let before = transactions.before(sequence).map(|(_, other)| other).take(NEAR_MAX);
        // Beyond those that can have changed places with it there is none.
        let is_near =
            |other: &Transaction| (other.asked - query.asked).abs() <= APART_MAX + DISORDER_MAX;
        let is_original = |other: Transaction| is_sent_on(query, &other, transactions);
        before.take_while(is_near).any(is_original) || later.take_while(is_near).any(is_original)
    }
}

/// Whether one query is what a router made of another: the same message to the same server at the same time, answered at the
/// same time, from another network. Of two of which neither is of the site's own addresses alone, the later one.
fn is_sent_on(copy: &Transaction, original: &Transaction, transactions: &Transactions) -> bool {
    let hosts = transactions.hosts();
    let address = |host| hosts.get(host).map(|host| host.address);
    let Some((outside, inside)) = address(copy.client).zip(address(original.client)) else {
        return false;
    };
    let is_near = |span: Span| span.abs() <= APART_MAX;
    let are_answered_together = match (copy.answered(), original.answered()) {
        (Some(one), Some(other)) => is_near(one - other),
        // A lost answer tells nothing.
        _ => true,
    };
    unchanged(copy) == unchanged(original)
        && copy.client != original.client
        && copy.has_query()
        && original.has_query()
        && is_near(copy.asked - original.asked)
        && are_answered_together
        && !outside.is_in_network_of(inside)
        && match (outside.is_internal(), inside.is_internal()) {
            (false, true) => true,
            (true, false) => false,
            _ => original.asked <= copy.asked,
        }
}
