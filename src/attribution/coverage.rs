//! What the capture showed and what it lacked.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Attributor, Called};
use crate::contact::LastActivity;
use crate::flow::{Address, Mac};
use crate::number::{count, few};
use crate::resolution::{Buckets, ClocksApart, Known, Leg};
use crate::time::Timestamp;
use crate::transaction::{Counters, HostId, Totals};

/// How many hosts are named whose queries a router sends on.
const TRANSLATED_NAMED: usize = 3;

/// A resolver and what was seen of it.
#[derive(Clone, Debug)]
pub struct ResolverCoverage {
    /// Its addresses, first seen first.
    pub addresses: Vec<Address>,
    /// How it came to be known.
    pub known: Known,
    /// The link-layer address that shows its addresses to be one machine.
    pub shared_mac: Option<Mac>,
    /// Questions it was asked.
    pub asked: u64,
    /// Questions it asked upstream.
    pub asks: u64,
    /// Responses it sent.
    pub answers: u64,
}

/// A host that was asked, and of which it is not known whether it is a resolver.
#[derive(Clone, Copy, Debug)]
pub struct ServerCoverage {
    /// Its address.
    pub address: Address,
    /// Questions it was asked.
    pub asked: u64,
    /// Responses it sent.
    pub answers: u64,
}

/// An address from which a router sent on what other hosts asked, both being in the capture.
#[derive(Clone, Debug)]
pub struct NatCoverage {
    /// That address.
    pub address: Address,
    /// The hosts, the first ones in the order they were seen.
    pub of: Vec<Address>,
}

impl NatCoverage {
    /// What that means, the hosts called as far as they are to be named: by `names`.
    pub(crate) fn words(&self, names: impl Fn(Address) -> bool) -> String {
        let named = self.of.iter().filter(|host| names(**host)).take(TRANSLATED_NAMED);
        let hosts: Vec<String> = named.map(ToString::to_string).collect();
        let hosts = match hosts.is_empty() {
            true => count(self.of.len() as u64, "host", "hosts"),
            false => few(&hosts, self.of.len()),
        };
        format!("{} is a router's address, from which it forwards what {hosts} asked", self.address)
    }
}

/// How much clients asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientCoverage {
    /// Questions of all of them.
    pub asks: u64,
    /// Who asked most, and how many of these.
    pub first: Option<(Address, u64)>,
}

/// How many hosts that were asked and are no known resolvers are named.
const SERVERS_MAX: usize = 8;
/// Beside known resolvers, who was asked less often is not worth a word.
const ASKED_MIN: u64 = 20;

/// How many resolvers are told of. Whoever makes up hosts that are asked and ask makes as many as he likes.
const RESOLVERS_MAX: usize = 64;

/// How long one resolver's answers took on one leg. Latencies in microseconds.
#[derive(Clone, Debug)]
pub struct LatencyCoverage {
    /// The resolver's first address.
    pub resolver: Address,
    /// Its clients' waiting, or its own.
    pub leg: Leg,
    /// How many answers.
    pub count: u64,
    /// Half took at most this long.
    pub p50_us: u64,
    /// Nine in ten.
    pub p90_us: u64,
    /// All but one in a hundred.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
}

/// What the capture showed and what it lacked.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Time of the first message and the latest of any.
    pub span: Option<(Timestamp, Timestamp)>,
    /// From when to when there was no message for much longer than is usual, a minute at least; at most 1,024 times.
    pub gaps: Vec<(Timestamp, Timestamp)>,
    /// Queries, responses, copies and so on.
    pub transactions: Counters,
    /// Transactions forgotten for lack of room.
    pub forgotten: u64,
    /// Aliases and delegations forgotten for lack of room.
    pub edges_forgotten: u64,
    /// Sightings judged before their time for lack of room.
    pub judged_early: u64,
    /// Sightings said with their last word only, as too many waited to be said before it.
    pub told_late: u64,
    /// How often the clock that stamps frames was set back.
    pub clock_set_back: u64,
    /// Sightings that a run which was ended had no time to settle.
    pub unsettled: u64,
    /// Sightings of a transaction that had many, for which there was no room.
    pub sightings_left_out: u64,
    /// Lookups of clients that the summary has no row for, for lack of room.
    pub summary_left_out: u64,
    /// Sightings settled before their time since their entry was taken from the lists.
    pub settled_unlisted: u64,
    /// Addresses whose host names were forgotten for lack of room.
    pub names_forgotten: u64,
    /// Flagged answers that were no longer watched for a connection, for lack of room.
    pub contacts_forgotten: u64,
    /// The resolvers whose own queries were stamped by another clock than their clients' questions, in which file, and how far
    /// that is off: what is known best comes first.
    pub clocks_apart: Vec<(Address, ClocksApart)>,
    /// How often a listed name or address in a message was not flagged as an allow list has it.
    pub allowed: u64,
    /// The resolvers.
    pub resolvers: Vec<ResolverCoverage>,
    /// How many more there are.
    pub resolvers_more: u64,
    /// The hosts that were asked and are not known as resolvers, at most 8, the most asked first. Where a resolver was
    /// recognised: those within the site that are asked so often that they may be one whose uplink is not seen.
    pub servers: Vec<ServerCoverage>,
    /// The addresses from which routers sent on what others asked: that is counted as theirs.
    pub translations: Vec<NatCoverage>,
    /// How many flagged queries were sent on.
    pub sent_on: u64,
    /// The clients of the DNS servers that were recognised; if none was, whoever asks.
    pub clients: ClientCoverage,
    /// Of the hosts that alerts blame, those that are clients here, with all their addresses.
    pub blamed: BTreeMap<Called, Vec<Address>>,
    /// How long answers took.
    pub latencies: Vec<LatencyCoverage>,
    /// The same of all resolvers together: to their clients, and from upstream.
    pub took: (Buckets, Buckets),
    /// The hosts whose DNS goes around the resolvers, encrypted.
    pub around: Vec<LastActivity>,
    /// How many such packets came from further hosts, for which there was no room.
    pub around_passed_over: u64,
}

impl Coverage {
    /// With the resolvers that are worth telling of: those that were declared, and those with most questions.
    pub fn shortened(mut self) -> Coverage {
        let Some(more @ 1..) = self.resolvers.len().checked_sub(RESOLVERS_MAX) else { return self };
        let rank = |resolver: &ResolverCoverage| {
            (resolver.known == Known::Declared, resolver.asked.saturating_add(resolver.asks))
        };
        let mut ranks: Vec<_> =
            self.resolvers.iter().enumerate().map(|(at, one)| (rank(one), Reverse(at))).collect();
        ranks.sort_unstable_by_key(|rank| Reverse(*rank));
        let mut kept: Vec<usize> =
            ranks.iter().take(RESOLVERS_MAX).map(|(_, Reverse(at))| *at).collect();
        kept.sort_unstable();
        let mut place = 0..;
        self.resolvers.retain(|_| place.next().is_some_and(|at| kept.binary_search(&at).is_ok()));
        let Coverage { resolvers, latencies, .. } = &mut self;
        latencies
            .retain(|row| resolvers.iter().any(|one| one.addresses.first() == Some(&row.resolver)));
        self.resolvers_more = more as u64;
        self
    }

    /// How many resolvers there are.
    pub fn resolver_count(&self) -> u64 {
        self.resolvers.len() as u64 + self.resolvers_more
    }
}

impl Attributor {
    /// The hosts that were asked and are not known as resolvers.
    fn servers(&self) -> Vec<ServerCoverage> {
        let resolution = self.resolution();
        let (roles, hosts) = (resolution.roles(), resolution.transactions().hosts());
        let is_only_kind = roles.groups().is_empty();
        let may_resolve = |server: &ServerCoverage| {
            server.address.is_internal() && server.asked.min(server.answers) >= ASKED_MIN
        };
        let asked = hosts.iter().filter(|(id, host)| {
            (host.asked > 0 || host.answers > 0) && (is_only_kind || roles.group_of(*id).is_none())
        });
        let mut servers: Vec<ServerCoverage> = asked
            .map(|(id, host)| {
                let Totals { asked, answers, .. } = hosts.totals(id);
                ServerCoverage { address: host.address, asked, answers }
            })
            .filter(|server| is_only_kind || may_resolve(server))
            .collect();
        servers.sort_unstable_by_key(|server| {
            (u64::MAX - server.asked.max(server.answers), server.address)
        });
        servers.truncate(SERVERS_MAX);
        servers
    }

    /// The clients; where no resolver is recognised, whoever asks.
    fn clients(&self) -> ClientCoverage {
        let roles = self.resolution().roles();
        let hosts = self.resolution().transactions().hosts();
        let is_known = !roles.groups().is_empty();
        let clients = hosts.iter().filter(|(id, host)| !is_known || roles.is_client(*id, host));
        clients.fold(ClientCoverage::default(), |seen, (id, host)| {
            let asks = hosts.totals(id).asks;
            let is_first = seen.first.is_none_or(|(_, most)| asks > most);
            let first = if is_first { Some((host.address, asks)) } else { seen.first };
            ClientCoverage { asks: seen.asks + asks, first }
        })
    }

    /// The hosts whose DNS goes around the resolvers, seen last by the capture's stamps.
    fn around(&self) -> Vec<LastActivity> {
        let mut around = self.surroundings.encrypted().hosts();
        around.iter_mut().for_each(|host| host.last = self.clock.stamp_of(host.last));
        around
    }

    /// What was seen up to now.
    pub fn coverage(&self) -> Coverage {
        let resolution = self.resolution();
        let transactions = resolution.transactions();
        let hosts = transactions.hosts();
        let address = |id: HostId| hosts.get(id).map_or(Address::UNSPECIFIED, |host| host.address);
        let resolvers = resolution.roles().groups().iter().map(|group| {
            let seen = |count: fn(Totals) -> u64| {
                group.hosts.iter().map(|id| count(hosts.totals(*id))).sum()
            };
            ResolverCoverage {
                addresses: group.hosts.iter().map(|id| address(*id)).collect(),
                known: group.known,
                shared_mac: group.shared_mac,
                asked: seen(|totals| totals.asked),
                asks: seen(|totals| totals.asks),
                answers: seen(|totals| totals.answers),
            }
        });
        let latencies = resolution.latencies().rows(resolution.roles());
        let latencies = latencies.iter().map(|row| LatencyCoverage {
            resolver: address(row.resolver),
            leg: row.leg,
            count: row.count,
            p50_us: row.p50_us,
            p90_us: row.p90_us,
            p99_us: row.p99_us,
            max_us: row.max_us,
        });
        let clocks_apart = resolution.all_clocks_apart().into_iter();
        let clocks_apart = clocks_apart.map(|(id, apart)| (address(id), apart.clone()));
        let translations = resolution.roles().translated().iter().map(|(id, hosts)| {
            let of = hosts.iter().map(|id| address(*id)).collect();
            NatCoverage { address: address(id), of }
        });
        let (names_forgotten, contacts_forgotten) = self.surroundings_forgotten();
        Coverage {
            names_forgotten,
            contacts_forgotten,
            span: self.stamps(),
            gaps: if self.clock.set_back() == 0 { self.gaps() } else { Vec::new() },
            transactions: *transactions.counters(),
            forgotten: transactions.forgotten(),
            edges_forgotten: resolution.edges_forgotten(),
            judged_early: self.judged_early(),
            told_late: self.early.passed_over,
            clock_set_back: self.clock.set_back(),
            unsettled: self.unsettled,
            sightings_left_out: self.flagged.left_out(),
            summary_left_out: self.summary.left_out(),
            settled_unlisted: self.settled_unlisted,
            clocks_apart: clocks_apart.collect(),
            allowed: self.allowed(),
            resolvers: resolvers.collect(),
            resolvers_more: 0,
            servers: self.servers(),
            translations: translations.collect(),
            sent_on: self.sent_on,
            clients: self.clients(),
            blamed: BTreeMap::new(),
            latencies: latencies.collect(),
            took: resolution.latencies().by_leg(),
            around: self.around(),
            around_passed_over: self.surroundings.encrypted().passed_over(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_resolvers_those_with_most_questions_are_told_of() {
        let resolver = |n: u16| ResolverCoverage {
            addresses: vec![Address::v4([10, 0, (n >> 8) as u8, n as u8])],
            known: if n == 7 { Known::Declared } else { Known::AsksAndAnswers },
            shared_mac: None,
            asked: if n % 500 == 3 { 1_000 } else { u64::from(n == 7) },
            asks: u64::from(n % 500 == 4) * 900,
            answers: 0,
        };
        let coverage =
            Coverage { resolvers: (0..30_000).map(resolver).collect(), ..Coverage::default() };
        let short = coverage.shortened();
        assert_eq!((short.resolvers.len(), short.resolver_count()), (RESOLVERS_MAX, 30_000));
        let counts = short.resolvers.iter().map(|one| one.asked + one.asks);
        assert_eq!(counts.filter(|count| *count >= 900).count(), RESOLVERS_MAX - 1);
        assert!(short.resolvers.iter().any(|one| one.known == Known::Declared));
        assert!(short.resolvers.is_sorted_by_key(|one| one.addresses[0]));
        let few = Coverage { resolvers: (0..3).map(resolver).collect(), ..Coverage::default() };
        assert_eq!(few.shortened().resolver_count(), 3);
    }
}
