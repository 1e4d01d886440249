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
use crate::transaction::{DISORDER_MAX, Host, HostId, Hosts, Transaction, Transactions};

/// A router sends on within this time, the clocks of two sensors apart by what they may be.
const APART_MAX: Span = Span::from_millis(5);
/// Two sensors whose clocks nobody set are further apart; then the difference is the same for a query and for its answer.
const CLOCKS_APART_MAX: Span = Span::from_secs(3);
/// So many queries sent on make an address one of translation: two machines that were made alike can ask alike by chance.
const SENT_ON_MIN: usize = 3;
/// Which of two addresses asked first is told by so many of five pairs.
const FIRST_OF_FIVE: usize = 4;
/// One in so many of what is asked from such an address, at most, if next to nothing else comes from it.
const OTHERS_SHARE: usize = 10;
/// How many of the latest transactions are looked at for such addresses.
const SAMPLE: usize = 1 << 10;
/// What a query was answered within of which the answer alone is in the capture.
const ANSWERED_MAX: Span = Span::from_secs(5);
/// How many transactions on each side of one are looked at for its original.
const NEAR_MAX: usize = 1 << 10;
/// How many such addresses are kept, how many pairs of which it cannot be told, and behind each address how many hosts.
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
pub struct NatTable {
    hosts: BTreeMap<HostId, SentOn>,
    /// Pairs of which one sends on what the other asks, but which of them cannot be told.
    either: BTreeSet<[HostId; 2]>,
}

/// What two hosts asked alike: of each the numbers of its queries, how often the first of them asked first, and how often it
/// looks as if one had been made of the other.
#[derive(Debug)]
struct Alike {
    queries: Vec<[Sequence; 2]>,
    server: HostId,
    first_was_first: usize,
    borne_out: usize,
}

impl NatTable {
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

    /// The hosts that may be such an address, or else be behind one.
    pub fn undecided(&self) -> impl Iterator<Item = HostId> {
        self.either.iter().flatten().copied()
    }

    /// Learns such addresses from the latest transactions, and returns which of these were sent on. What was known stays
    /// known.
    pub(super) fn learn(&mut self, transactions: &Transactions) -> BTreeSet<Sequence> {
        let mut latest: HashMap<Unchanged, (Sequence, Transaction)> =
            HashMap::with_capacity(SAMPLE);
        let mut asks: HashMap<HostId, usize> = HashMap::new();
        let mut alike: BTreeMap<[HostId; 2], Alike> = BTreeMap::new();
        let mut apart: BTreeMap<[HostId; 2], usize> = BTreeMap::new();
        for (number, query) in transactions.before(transactions.next()).take(SAMPLE) {
            if !query.has_query() {
                continue;
            }
            *asks.entry(query.client).or_default() += 1;
            let Some((earlier, other)) = latest.insert(unchanged(&query), (number, query)) else {
                continue;
            };
            if are_one(&other, &query, transactions) {
                let mut two =
                    [(query.client, number, query.asked), (other.client, earlier, other.asked)];
                two.sort_unstable_by_key(|(host, ..)| *host);
                let [(one, of_one, first), (another, of_other, second)] = two;
                let (queries, server) = (Vec::new(), query.server);
                let new = Alike { queries, server, first_was_first: 0, borne_out: 0 };
                let alike = alike.entry([one, another]).or_insert(new);
                alike.queries.push([of_one, of_other]);
                alike.first_was_first += usize::from(first <= second);
                alike.borne_out += usize::from(is_made_of(&other, &query));
            } else if are_one_by_two_clocks(&other, &query, transactions) {
                let mut pair = [query.client, other.client];
                pair.sort_unstable();
                *apart.entry(pair).or_default() += 1;
            }
        }
        // Which clock is right nothing tells, and so not who sent on what.
        let apart = apart.into_iter().filter(|(_, times)| *times >= SENT_ON_MIN);
        for (pair, _) in apart.take(ADDRESSES_MAX.saturating_sub(self.either.len())) {
            self.either.insert(pair);
        }
        let mut partners: HashMap<HostId, usize> = HashMap::new();
        for host in alike.keys().flatten() {
            *partners.entry(*host).or_default() += 1;
        }
        let mut copies = BTreeSet::new();
        let mut sent_on: BTreeMap<HostId, usize> = BTreeMap::new();
        for (pair, alike) in alike {
            let is_known = pair.iter().any(|host| self.hosts.contains_key(host));
            if !is_known && alike.queries.len() < SENT_ON_MIN {
                continue;
            }
            let is_borne_out = alike.borne_out * 2 >= alike.queries.len();
            let place = self.outside_of(pair, &alike, &partners, transactions);
            let Some(place) = place.filter(|_| is_borne_out) else {
                if self.either.len() < ADDRESSES_MAX {
                    self.either.insert(pair);
                }
                continue;
            };
            self.either.remove(&pair);
            let [one, other] = pair;
            let (outside, inside) = if place == 0 { (one, other) } else { (other, one) };
            if !self.hosts.contains_key(&outside)
                && (self.hosts.len() >= ADDRESSES_MAX || alike.queries.len() < SENT_ON_MIN)
            {
                continue;
            }
            let hosts = &mut self.hosts.entry(outside).or_default().inside;
            if hosts.len() < HOSTS_MAX {
                hosts.insert(inside);
            }
            *sent_on.entry(outside).or_default() += alike.queries.len();
            copies.extend(alike.queries.iter().filter_map(|queries| queries.get(place)));
        }
        for (outside, of_others) in sent_on {
            let all = asks.get(&outside).copied().unwrap_or_default();
            if let Some(known) = self.hosts.get_mut(&outside) {
                known.is_all = all.saturating_sub(of_others) * OTHERS_SHARE <= all;
            }
        }
        copies
    }

    /// The place of the one of two hosts that sends on what the other asks; `None` if that cannot be told. Two sensors' clocks,
    /// and mirror ports that change the order of packets, can make the copy the earlier one, so that time comes last.
    fn outside_of(
        &self,
        pair: [HostId; 2],
        alike: &Alike,
        partners: &HashMap<HostId, usize>,
        transactions: &Transactions,
    ) -> Option<usize> {
        let [one, other] = pair;
        let only = |is_it: [bool; 2]| match is_it {
            [true, false] => Some(0),
            [false, true] => Some(1),
            _ => None,
        };
        let knows = |outside, inside| {
            self.hosts.get(&outside).is_some_and(|sent_on| sent_on.inside.contains(&inside))
        };
        let hosts = pair.map(|host| transactions.hosts().get(host));
        let server = transactions.hosts().get(alike.server);
        let is_near =
            |host: &Host| server.is_some_and(|s| host.address.is_in_network_of(s.address));
        let of = |is_it: &dyn Fn(&Host) -> bool| only(hosts.map(|host| host.is_some_and(is_it)));
        let by_what_they_are = only([knows(one, other), knows(other, one)])
            // Private addresses are translated into public ones,
            .or_else(|| of(&|host| !host.address.is_internal()))
            // who is asked itself is no such address,
            .or_else(|| of(&|host| host.asked == 0 && host.answers == 0))
            // and whoever is in the server's own network needs no router.
            .or_else(|| of(&is_near));
        if by_what_they_are.is_some() {
            return by_what_they_are;
        }
        let several = pair.map(|host| partners.get(&host).is_some_and(|several| *several > 1));
        let all = alike.queries.len();
        let by_time = match alike.first_was_first {
            first if first * 5 >= all * FIRST_OF_FIVE => Some(1),
            first if (all - first) * 5 >= all * FIRST_OF_FIVE => Some(0),
            _ => None,
        };
        // Behind a router there are several hosts.
        match (only(several), by_time) {
            (Some(by_number), Some(by_time)) if by_number != by_time => None,
            (by_number, by_time) => by_number.or(by_time),
        }
    }

    /// Whether one address, from which queries of others are sent on, can have sent on those of another.
    fn sends_on(&self, outside: HostId, inside: HostId, hosts: &Hosts) -> bool {
        let is_turned_round =
            self.hosts.get(&inside).is_some_and(|sent_on| sent_on.inside.contains(&outside));
        let is_internal = |host| hosts.get(host).is_some_and(|host| host.address.is_internal());
        self.contains(outside) && !is_turned_round && (is_internal(inside) || !is_internal(outside))
    }
}

impl History<'_> {
    /// Whether a query is another host's, sent on by a router.
    pub fn is_sent_on(&self, sequence: Sequence, query: &Transaction) -> bool {
        let translated = self.roles().translated();
        if !translated.contains(query.client) {
            return false;
        }
        let transactions = self.transactions();
        let later = (sequence.0 + 1..transactions.next().0).map(Sequence);
        let later = later.filter_map(|number| transactions.get(number)).take(NEAR_MAX);
        let before = transactions.before(sequence).map(|(_, other)| other).take(NEAR_MAX);
        // Beyond those that can have changed places with it, or with its answer, there is none.
        let near = APART_MAX + DISORDER_MAX;
        let until = query.answered().unwrap_or(query.asked) + near;
        let since = if query.has_query() { query.asked - near } else { query.asked - ANSWERED_MAX };
        let is_original = |other: Transaction| {
            translated.sends_on(query.client, other.client, transactions.hosts())
                && are_one(query, &other, transactions)
        };
        before.take_while(|other| other.asked >= since).any(is_original)
            || later.take_while(|other| other.asked <= until).any(is_original)
    }
}

/// Whether one of two queries looks as if it had been made of the other: a router leaves the packet's number as it is (RFC 3022),
/// and what makes a new packet is answered before it answers. Two machines of one make, whose messages all have the same id,
/// do neither.
fn is_made_of(one: &Transaction, other: &Transaction) -> bool {
    let nests = || {
        let (first, second) = if one.asked <= other.asked { (one, other) } else { (other, one) };
        first.answered().zip(second.answered()).is_some_and(|(outer, inner)| inner <= outer)
    };
    one.has_ip_id_of(other) || nests()
}

/// Whether two queries are one message that a router sent on: the same to the same server at the same time, answered at the
/// same time, from two networks. Of one that is missing its answer tells.
fn are_one(one: &Transaction, other: &Transaction, transactions: &Transactions) -> bool {
    let is_near = |span: Span| span.abs() <= APART_MAX;
    let are_asked = one.has_query() && other.has_query();
    let are_answered_together = match (one.answered(), other.answered()) {
        (Some(one), Some(other)) => is_near(one - other),
        // A lost answer tells nothing.
        _ => are_asked,
    };
    are_from_two_networks(one, other, transactions)
        && (!are_asked || is_near(one.asked - other.asked))
        && are_answered_together
}

/// The same where each was stamped by a clock of its own: their answers are as far apart as they are.
fn are_one_by_two_clocks(
    one: &Transaction,
    other: &Transaction,
    transactions: &Transactions,
) -> bool {
    let apart = one.asked - other.asked;
    let answers = one.answered().zip(other.answered());
    let is_same = answers.is_some_and(|(one, other)| (one - other - apart).abs() <= APART_MAX);
    is_same && apart.abs() <= CLOCKS_APART_MAX && are_from_two_networks(one, other, transactions)
}

/// Whether two queries can be one message on both sides of a router.
fn are_from_two_networks(
    one: &Transaction,
    other: &Transaction,
    transactions: &Transactions,
) -> bool {
    let address = |host| transactions.hosts().get(host).map(|host| host.address);
    let both = address(one.client).zip(address(other.client));
    unchanged(one) == unchanged(other)
        && one.client != other.client
        && both.is_some_and(|(one, other)| !one.is_in_network_of(other))
}
