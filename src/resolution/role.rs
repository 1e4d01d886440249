//! Who is a resolver, and which addresses are one resolver.
//!
//! A host is a resolver when
//! 1. the user declared it;
//! 2. or it was seen asking and answering (or asking and being asked, where answers are missing);
//! 3. or it only asks, without wanting recursion, as a resolver does that walks down from the root;
//! 4. or it answers on a loopback address, and the machine asks from another.
//!
//! Addresses are one resolver when
//! 1. the user declared them together;
//! 2. or they are the one IPv4 and the one IPv6 address whose frames come from one link-layer address
//!    (a router's come from more), and at least one of them is a resolver that is asked; and others of it in the same
//!    network, or with the same interface identifier, that are only asked;
//! 3. or one only asks, and much of what it asks is what clients of the other are waiting for just then;
//! 4. or one is a loopback address, so that the capture was taken on that machine, and the other is the
//!    only other resolver, or with none, the only address of its family that asks without being asked.

mod behaviour;
mod for_others;
mod ids;

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt, HashSet};

pub use self::for_others::ForOthers;
use self::for_others::asks_with_edns;
use super::edge::Edges;
use super::nat::NatTable;
use crate::bounded::Sequence;
use crate::flow::{Address, Mac};
use crate::time::Span;
use crate::transaction::{Host, HostId, Hosts, Transaction, Transactions};

/// How many hosts are remembered behind a link-layer address: more are not one machine.
const ADDRESSES_PER_MACHINE_MAX: usize = 4;
/// How often roles are learned anew once the capture runs: at 8, 16, 32 ... transactions up to this, and
/// then every time so many have come.
const REFRESH_EVERY: u64 = 1 << 20;
/// A host that only asks is taken for a resolver after so many questions without wanting recursion.
const ITERATING_MIN: u32 = 3;

/// No one machine asks so many times running and this often: more than one's page that opens asks for,
const BUSY_MIN: usize = 1 << 10;
/// and on the average as often as this.
const BUSY_EVERY: Span = Span::from_secs(1);

/// Who asked the site's resolvers so often lately, and others no more often, is their client.
const ASKS_THE_SITE_MIN: usize = 4;

/// Roles are learned anew at most once in so many transactions: one in this many of the hosts.
const REST_SHARE: u64 = 4;
/// No site has more resolvers than this and no clients.
const RESOLVERS_OF_ONE_SITE_MAX: usize = 4;
/// So often addresses that behave as one are looked for in a row: where such a server asks another, the first tells of the second.
const JOINED_TIMES: usize = 2;
/// How many of the latest transactions are looked at for addresses that behave as one.
const BEHAVIOUR_SAMPLE: usize = 1 << 12;
/// How many asks are looked at for one that may have been waiting.
const BEHAVIOUR_STEPS: usize = 64;
/// So many hosts that are asked seldom are looked at for whether they pass it on, and what they do so within.
const SELDOM_MAX: usize = 64;
const PASSED_ON_WITHIN: Span = Span::from_millis(100);

/// How a resolver came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Named by the user.
    Declared,
    /// Seen asking and answering.
    AsksAndAnswers,
    /// Seen asking without wanting recursion, but not asked by anybody in this capture.
    OnlyIterates,
}

/// The addresses of one resolver.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its hosts, first seen first.
    pub hosts: Vec<HostId>,
    /// How it came to be known.
    pub known: Known,
    /// The link-layer address that made them one, if that did.
    pub shared_mac: Option<Mac>,
}

/// The resolvers of a capture, declared and learned.
#[derive(Debug, Default)]
pub struct Roles {
    declared: Vec<Vec<Address>>,
    groups: Vec<Group>,
    /// Group of each host by its number, plus one; 0 is none.
    of_host: Vec<u32>,
    /// The hosts for nearly all of whose queries others wait, at servers of which it cannot be told which they belong to.
    waited_with: BTreeSet<HostId>,
    /// The places of the resolvers that send questions on under the ids that their clients chose.
    sending_ids_on: BTreeSet<usize>,
    /// How many hosts only ask.
    askers: usize,
    /// The clients that may ask for others.
    for_others: HashMap<HostId, ForOthers>,
    /// Of these the one who asks nearly all, if that is as much as only many ask together.
    busy: Option<HostId>,
    next_refresh: u64,
    /// How many hosts there were when roles were learned last.
    hosts_then: u64,
    /// The number of the latest transaction then.
    refreshed: u64,
    /// Whether a host is known to have become a resolver since.
    is_new_known: bool,
    translated: NatTable,
}

impl Roles {
    /// Roles with the resolvers a user declared: each a list of the addresses of one.
    pub fn new(declared: Vec<Vec<Address>>) -> Roles {
        Roles { declared, next_refresh: 8, ..Roles::default() }
    }

    /// The resolver that a host is, or is an address of.
    #[inline]
    pub fn group_of(&self, host: HostId) -> Option<&Group> {
        self.groups.get(self.place_of(host)?)
    }

    /// The addresses of the resolver that a host is an address of; of any other host, itself alone.
    pub fn addresses_of<'a>(&'a self, host: &'a HostId) -> &'a [HostId] {
        self.group_of(*host).map_or(std::slice::from_ref(host), |group| group.hosts.as_slice())
    }

    /// Whether two hosts are addresses of one resolver, or one host.
    pub fn same(&self, one: HostId, other: HostId) -> bool {
        let place = |host: HostId| self.of_host.get(host.0 as usize).filter(|place| **place > 0);
        one == other || place(one).is_some_and(|group| place(other) == Some(group))
    }

    /// The addresses that others' queries are sent on from.
    pub fn translated(&self) -> &NatTable {
        &self.translated
    }

    /// Whether a host is a client: it only asks, for itself as far as is known.
    pub fn is_client(&self, id: HostId, host: &Host) -> bool {
        host.only_asks() && self.group_of(id).is_none() && !self.translated.is_all_of(id)
    }

    /// Whether a host is a resolver as far as can be said at once, before roles are learned anew.
    #[inline]
    pub fn seems_resolver(&self, host: HostId, hosts: &Hosts) -> bool {
        self.group_of(host).is_some()
            || hosts
                .get(host)
                .is_some_and(|host| host.asks_and_answers() || host.asks_iterating > 0)
    }

    /// Whether a host that only asks may be a resolver whose clients are not in the capture.
    ///
    /// 1. It asks, and nobody asks it nor is answered by it. Others wait for nearly all that it asks, at servers of which it cannot
    ///    be told which it belongs to;
    /// 2. or, where nobody was recognised as a resolver: it asks alone, or few hosts ask at all, and this one asks outside, or as
    ///    resolvers mostly do, or nearly alone and as much as many do together.
    /// 3. or, where others were: it asks outside, either as resolvers mostly do, or a server that one of them
    ///    asks too. A second server of the site is such a host; but so is a client that goes round
    ///    the site's own servers.
    pub fn may_be_resolver(&self, ask: &Transaction, transactions: &Transactions) -> bool {
        let hosts = transactions.hosts();
        let (Some(client), Some(server)) = (hosts.get(ask.client), hosts.get(ask.server)) else {
            return false;
        };
        let outside = self.group_of(ask.server).is_none() && !server.address.is_internal();
        let asks_as_one = asks_with_edns(client);
        if !client.only_asks() || self.translated.is_all_of(ask.client) {
            return false;
        }
        if self.waited_with.contains(&ask.client) {
            return true;
        }
        if self.groups.is_empty() {
            let is_busy = self.busy == Some(ask.client);
            let are_few = self.askers <= RESOLVERS_OF_ONE_SITE_MAX;
            return self.askers <= 1 || are_few && (outside || asks_as_one || is_busy);
        }
        let shared = || {
            let latest = transactions.before(transactions.next()).take(BEHAVIOUR_SAMPLE);
            let to_it = latest.filter(|(_, query)| query.server == ask.server);
            to_it.take(BEHAVIOUR_STEPS).any(|(_, query)| self.group_of(query.client).is_some())
        };
        outside && (asks_as_one || shared()) && !self.asks_the_site_first(ask.client, transactions)
    }

    /// Whether a host asked the resolvers of the site lately, and others no more often: a client with a public server as its second
    /// one, or a program on it that goes round the site's servers. A server asks where it forwards to.
    fn asks_the_site_first(&self, client: HostId, transactions: &Transactions) -> bool {
        let latest = transactions.before(transactions.next()).take(BEHAVIOUR_SAMPLE);
        let own = latest.filter(|(_, query)| query.client == client);
        let (site, others): (Vec<_>, Vec<_>) =
            own.partition(|(_, query)| self.group_of(query.server).is_some());
        site.len() >= ASKS_THE_SITE_MIN && site.len() >= others.len()
    }

    /// Whether a host that is taken for a client may ask for others, as it was when roles were learned last.
    pub fn may_ask_for_others(&self, id: HostId) -> Option<ForOthers> {
        self.for_others.get(&id).copied()
    }

    /// The resolvers.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Whether a resolver sends questions on under the ids that its clients chose.
    pub(super) fn sends_ids_on(&self, resolver: HostId) -> bool {
        self.place_of(resolver).is_some_and(|place| self.sending_ids_on.contains(&place))
    }

    /// Learns roles anew when a host has become a resolver by what it did last, or when so many
    /// transactions have come that it is worth it. It costs a walk over all hosts, so it is not done
    /// again before some share of as many transactions have come.
    ///
    /// Returns whether it was done.
    #[inline]
    pub(super) fn refresh_when_due(
        &mut self,
        sequence: Sequence,
        transactions: &Transactions,
        edges: &Edges,
    ) -> bool {
        if transactions.hosts().have_turned()
            && let Some(latest) = transactions.kept(sequence)
        {
            self.is_new_known |= self.has_new(latest.ends(), transactions);
        }
        let is_rested = sequence.0.saturating_sub(self.refreshed) * REST_SHARE >= self.hosts_then;
        let is_wanted = self.is_new_known && is_rested;
        if !is_wanted && sequence.0 < self.next_refresh {
            return false;
        }
        if !is_wanted {
            self.next_refresh += self.next_refresh.min(REFRESH_EVERY);
        }
        self.is_new_known = false;
        self.refreshed = sequence.0;
        self.refresh(transactions, edges);
        true
    }

    /// Whether a host is a resolver by what is known of it, but not yet among them.
    fn is_new(&self, id: HostId, hosts: &Hosts) -> bool {
        self.group_of(id).is_none()
            && hosts.get(id).is_some_and(|host| {
                let declared = self.declared.iter().flatten().any(|known| *known == host.address);
                declared || (host.asks > 0 && host.serves() && !is_loopback(host))
            })
    }

    /// Whether one of the hosts of a transaction is a resolver that is not among them yet, or may be a new address of one.
    #[inline(never)]
    fn has_new(&self, (client, server): (HostId, HostId), transactions: &Transactions) -> bool {
        [client, server].into_iter().any(|id| self.is_new(id, transactions.hosts()))
            || self.is_stranger((client, server), transactions)
    }

    /// Whether a host that is not known asks whom a resolver asks, and has done so for a while: it may be that resolver's new address.
    fn is_stranger(&self, (client, server): (HostId, HostId), transactions: &Transactions) -> bool {
        let host = transactions.hosts().get(client);
        let asks = host.is_some_and(|host| host.only_asks() && host.asks_much_now());
        let latest = || transactions.before(transactions.next()).take(BEHAVIOUR_SAMPLE);
        let is_asked = |(_, query): (Sequence, Transaction)| {
            query.server == server && self.group_of(query.client).is_some()
        };
        let are_unknown = [client, server].iter().all(|host| self.group_of(*host).is_none());
        asks && are_unknown && latest().any(is_asked)
    }

    /// Learns roles anew.
    pub(super) fn refresh(&mut self, transactions: &Transactions, edges: &Edges) {
        let hosts = transactions.hosts();
        let sent_on = self.translated.learn(transactions);
        self.groups.clear();
        self.of_host.clear();
        self.waited_with.clear();
        self.hosts_then = hosts.iter().count() as u64;
        for place in 0..self.declared.len() {
            let addresses = self.declared.get(place).map(Vec::as_slice).unwrap_or_default();
            let members: Vec<HostId> = addresses.iter().filter_map(|a| hosts.find(*a)).collect();
            if !members.is_empty() {
                self.add(Group { hosts: members, known: Known::Declared, shared_mac: None });
            }
        }
        let machines = machines(hosts);
        let passing_on = passing_on(transactions);
        let no_answers = hosts.iter().all(|(_, host)| host.answers == 0);
        for (id, host) in hosts.iter() {
            let answers =
                host.serves() || (no_answers && host.asked > 0) || passing_on.contains(&id);
            let resolves = host.asks > 0 && answers && !is_loopback(host);
            if self.group_of(id).is_none() && resolves {
                self.add_with_machine(id, host, Known::AsksAndAnswers, &machines, hosts);
            }
        }
        let asks_itself = |id, host: &Host| host.only_asks() && !self.translated.is_all_of(id);
        self.askers = hosts.iter().filter(|(id, host)| asks_itself(*id, host)).count();
        self.add_loopback(hosts);
        let latest: Vec<(Sequence, Transaction)> =
            transactions.before(transactions.next()).take(BEHAVIOUR_SAMPLE).collect();
        for _ in 0..JOINED_TIMES {
            if !self.join_by_behaviour(&latest, hosts, &sent_on) {
                break;
            }
        }
        self.sending_ids_on = self.sending_ids_on(&latest);
        let echoing = self.echoing(&latest, hosts);
        self.waited_with.extend(echoing);
        let of_resolvers = self.asking_resolvers_only(&latest);
        for (id, host) in hosts.iter() {
            let is_itself = !of_resolvers.contains(&id) && !self.translated.is_all_of(id);
            if self.group_of(id).is_none() && iterates(host) && is_itself {
                self.add_with_machine(id, host, Known::OnlyIterates, &machines, hosts);
            }
        }
        let following = self.following_aliases(&latest, edges).into_iter();
        let following = following
            .filter(|id| hosts.get(*id).is_some_and(|host| self.is_client(*id, host)))
            .collect();
        self.for_others = self.who_may_ask_for_others(hosts, &following, &latest);
        let mut nearly_all =
            self.for_others.iter().filter(|(_, why)| **why == ForOthers::AsksNearlyAll);
        let alone = nearly_all.next().map(|(id, _)| *id);
        self.busy = alone.filter(|id| is_busy(*id, transactions));
    }

    /// Takes servers on loopback addresses for addresses of the resolver that this machine is: the only
    /// other resolver there is, or else the address that it asks from.
    fn add_loopback(&mut self, hosts: &Hosts) {
        let servers: Vec<HostId> = hosts
            .iter()
            .filter(|(id, host)| {
                is_loopback(host) && host.answers > 0 && self.group_of(*id).is_none()
            })
            .map(|(id, _)| id)
            .collect();
        if servers.is_empty() {
            return;
        }
        let asks_only = |v4: bool| {
            let mut found = hosts.iter().filter(|(_, host)| {
                !is_loopback(host) && host.address.is_v4() == v4 && host.only_asks()
            });
            let first = found.next().map(|(id, _)| id);
            first.filter(|id| found.next().is_none() && self.group_of(*id).is_none())
        };
        let place = match self.groups.len() {
            1 => 0,
            0 => {
                let asking = [asks_only(true), asks_only(false)].into_iter().flatten().collect();
                self.add(Group { hosts: asking, known: Known::AsksAndAnswers, shared_mac: None });
                0
            }
            // Several resolvers: which of them this machine is cannot be told.
            _ => {
                let known = Known::AsksAndAnswers;
                self.add(Group { hosts: Vec::new(), known, shared_mac: None });
                self.groups.len() - 1
            }
        };
        servers.into_iter().for_each(|server| self.join(server, place));
    }

    /// Those who lately asked nobody but known resolvers: clients, though they may ask as if they iterated.
    fn asking_resolvers_only(&self, latest: &[(Sequence, Transaction)]) -> HashSet<HostId> {
        let (mut inside, mut outside) = (HashSet::default(), HashSet::default());
        for (_, query) in latest {
            let asked =
                if self.group_of(query.server).is_some() { &mut inside } else { &mut outside };
            asked.insert(query.client);
        }
        inside.retain(|host| !outside.contains(host));
        inside
    }

    fn place_of(&self, host: HostId) -> Option<usize> {
        (*self.of_host.get(host.0 as usize)? as usize).checked_sub(1)
    }

    fn add_with_machine(
        &mut self,
        id: HostId,
        host: &Host,
        known: Known,
        machines: &HashMap<Mac, Vec<HostId>>,
        hosts: &Hosts,
    ) {
        let machine = host.macs.iter().find_map(|mac| {
            let members = machines.get(mac).filter(|members| members.len() > 1)?;
            Some((*mac, members))
        });
        let mut group = Group { hosts: vec![id], known, shared_mac: None };
        if let Some((mac, members)) = machine
            && is_one_machine(members, hosts)
        {
            let joins = |other: &&HostId| {
                **other != id
                    && self.group_of(**other).is_none()
                    && hosts.get(**other).is_some_and(|other| other.asks > 0 || other.answers > 0)
            };
            group.hosts.extend(members.iter().filter(joins));
            group.shared_mac = (group.hosts.len() > 1).then_some(mac);
        }
        self.add(group);
    }

    fn add(&mut self, group: Group) {
        let place = self.groups.len();
        let hosts = group.hosts.clone();
        self.groups.push(Group { hosts: Vec::new(), ..group });
        hosts.into_iter().for_each(|host| self.join(host, place));
    }

    fn join(&mut self, host: HostId, place: usize) {
        let Some(group) = self.groups.get_mut(place) else { return };
        group.hosts.push(host);
        let index = host.0 as usize;
        if self.of_host.len() <= index {
            self.of_host.resize(index + 1, 0);
        }
        if let Some(slot) = self.of_host.get_mut(index) {
            *slot = place as u32 + 1;
        }
    }
}

/// Whether the hosts behind a link-layer address are one machine: it asks from one address of each family, and more of them are
/// machines behind a router. It may answer at others: in the network of one that asks (10.0.0.53 and 10.0.0.54), or with the
/// interface identifier of one (fd00::53 and 2001:db8::53; RFC 4291 section 2.5.1).
fn is_one_machine(members: &[HostId], hosts: &Hosts) -> bool {
    let hosts: Vec<&Host> = members.iter().filter_map(|id| hosts.get(*id)).collect();
    let is_beside = |one: Address, other: Address| {
        let interface = |address: Address| address.octets().last_chunk::<8>().copied();
        one.is_v4() == other.is_v4()
            && (one.network() == other.network()
                || !one.is_v4() && interface(one) == interface(other))
    };
    let asks_beside = |answering: &Host| {
        let mut asking = hosts.iter().filter(|host| host.asks > 0);
        asking.any(|asking| is_beside(asking.address, answering.address))
    };
    let counts = hosts.iter().filter(|host| host.asks > 0 || !asks_beside(host));
    let (v4, v6): (Vec<&Host>, Vec<&Host>) = counts.copied().partition(|host| host.address.is_v4());
    hosts.len() <= ADDRESSES_PER_MACHINE_MAX && v4.len() <= 1 && v6.len() <= 1
}

/// The hosts that were asked too seldom to be known by it, and passed all of it on at once, without having answered: they
/// asked the same thing, and hardly anything else.
fn passing_on(transactions: &Transactions) -> BTreeSet<HostId> {
    let hosts = transactions.hosts();
    let seldom = hosts.iter().filter(|(_, host)| {
        let asks_for_others = host.asks > 0 && host.asks <= 2 * host.asked;
        asks_for_others && host.answers == 0 && !host.serves()
    });
    let mut found: BTreeSet<HostId> = seldom.map(|(id, _)| id).take(SELDOM_MAX).collect();
    if found.is_empty() {
        return found;
    }
    let mut seen: BTreeSet<HostId> = BTreeSet::new();
    for (_, ask) in transactions.before(transactions.next()).take(BEHAVIOUR_SAMPLE) {
        if !found.contains(&ask.server) {
            continue;
        }
        seen.insert(ask.server);
        let mut queries = transactions.of_client(ask.server, ask.domain).take(BEHAVIOUR_STEPS);
        let is_passed_on = queries.any(|(_, query)| {
            query.same_question(&ask)
                && query.server != ask.client
                && (Span(0)..=PASSED_ON_WITHIN).contains(&(query.asked - ask.asked))
        });
        if !is_passed_on {
            found.remove(&ask.server);
        }
    }
    found.retain(|host| seen.contains(host));
    found
}

/// Whether a host asks as a resolver does that walks down from the root, and not only now and then.
pub(super) fn iterates(host: &Host) -> bool {
    host.asks_iterating >= ITERATING_MIN && host.asks_iterating * 2 > host.asks
}

/// Whether a host asked as much lately, for long, as only many do together. A program that makes up names does so
/// alone, for most of which there is nothing.
fn is_busy(host: HostId, transactions: &Transactions) -> bool {
    let latest = transactions.before(transactions.next()).take(BEHAVIOUR_SAMPLE);
    let own: Vec<_> = latest.map(|(_, query)| query).filter(|query| query.client == host).collect();
    let asked = || own.iter().map(|query| query.asked);
    let (Some(first), Some(last)) = (asked().min(), asked().max()) else { return false };
    let in_vain = own.iter().filter(|query| query.answered().is_some() && query.rcode == 3).count();
    own.len() >= BUSY_MIN
        && last - first <= Span(BUSY_EVERY.0 * own.len() as i64)
        && in_vain * 2 < own.len()
}

fn is_loopback(host: &Host) -> bool {
    host.address.ip().is_loopback()
}

/// The hosts behind each link-layer address, one more than a machine can have at most.
fn machines(hosts: &Hosts) -> HashMap<Mac, Vec<HostId>> {
    let mut machines: HashMap<Mac, Vec<HostId>> = HashMap::new();
    for (id, host) in hosts.iter() {
        if host.address.is_link_local() {
            continue;
        }
        for mac in host.macs.iter().filter(|mac| mac.is_some()) {
            let members = machines.entry(*mac).or_default();
            if members.len() <= ADDRESSES_PER_MACHINE_MAX {
                members.push(id);
            }
        }
    }
    machines
}
