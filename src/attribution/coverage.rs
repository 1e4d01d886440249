//! What the capture showed and what it lacked.

use super::Attributor;
use crate::flow::{Address, Mac};
use crate::resolution::{Known, Leg};
use crate::time::Timestamp;
use crate::transaction::{Counters, HostId};

/// A resolver and what was seen of it.
#[derive(Clone, Debug)]
pub struct ResolverSeen {
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

/// How long one resolver's answers took on one leg. Latencies in microseconds.
#[derive(Clone, Debug)]
pub struct LatencySeen {
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
#[derive(Clone, Debug)]
pub struct Coverage {
    /// Time of the first message and the latest of any.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Queries, responses, copies and so on.
    pub transactions: Counters,
    /// Transactions forgotten for lack of room.
    pub forgotten: u64,
    /// Aliases and delegations forgotten for lack of room.
    pub edges_forgotten: u64,
    /// Sightings judged before their time for lack of room.
    pub judged_early: u64,
    /// How often a listed name or address in a message was not flagged as an allow list has it.
    pub allowed: u64,
    /// The resolvers.
    pub resolvers: Vec<ResolverSeen>,
    /// How long answers took.
    pub latencies: Vec<LatencySeen>,
}

impl Attributor {
    /// What was seen up to now.
    pub fn coverage(&self) -> Coverage {
        let resolution = self.resolution();
        let transactions = resolution.transactions();
        let hosts = transactions.hosts();
        let address = |id: HostId| hosts.get(id).map_or(Address::UNSPECIFIED, |host| host.address);
        let resolvers = resolution.roles().groups().iter().map(|group| {
            let seen = |count: fn(&crate::transaction::Host) -> u32| {
                group
                    .hosts
                    .iter()
                    .filter_map(|id| hosts.get(*id))
                    .map(|host| u64::from(count(host)))
                    .sum()
            };
            ResolverSeen {
                addresses: group.hosts.iter().map(|id| address(*id)).collect(),
                known: group.known,
                shared_mac: group.shared_mac,
                asked: seen(|host| host.asked),
                asks: seen(|host| host.asks),
                answers: seen(|host| host.answers),
            }
        });
        let latencies = resolution.latencies().rows(resolution.roles());
        let latencies = latencies.iter().map(|row| LatencySeen {
            resolver: address(row.resolver),
            leg: row.leg,
            count: row.count,
            p50_us: row.p50_us,
            p90_us: row.p90_us,
            p99_us: row.p99_us,
            max_us: row.max_us,
        });
        Coverage {
            span: self.span(),
            transactions: *transactions.counters(),
            forgotten: transactions.forgotten(),
            edges_forgotten: resolution.edges().forgotten(),
            judged_early: self.judged_early(),
            allowed: self.allowed(),
            resolvers: resolvers.collect(),
            latencies: latencies.collect(),
        }
    }
}
