//! Who is a resolver, and which addresses are one resolver.
//!
//! A host is a resolver when
//! 1. the user declared it;
//! 2. or it was seen asking and answering;
//! 3. or it only asks, without wanting recursion, as a resolver does that walks down from the root.
//!
//! Addresses are one resolver when
//! 1. the user declared them together;
//! 2. or their frames come from one link-layer address from which no more than a few addresses ever
//!    come (a router's frames come from many), and at least one of them is a resolver that is asked.

use foldhash::{HashMap, HashMapExt};

use crate::bounded::Sequence;
use crate::flow::{Address, Mac};
use crate::transaction::{Host, HostId, Hosts};

/// A link-layer address with more network addresses than this is a router's.
const ADDRESSES_PER_MACHINE_MAX: usize = 4;
/// How often roles are learned anew once the capture runs: at 8, 16, 32 ... transactions up to this, and
/// then every time so many have come.
const REFRESH_EVERY: u64 = 1 << 20;
/// A host that only asks is taken for a resolver after so many questions without wanting recursion.
const ITERATING_MIN: u32 = 3;

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
    next_refresh: u64,
}

impl Roles {
    /// Roles with the resolvers a user declared: each a list of the addresses of one.
    pub fn new(declared: Vec<Vec<Address>>) -> Roles {
        Roles { declared, groups: Vec::new(), of_host: Vec::new(), next_refresh: 8 }
    }

    /// The resolver that a host is, or is an address of.
    #[inline]
    pub fn group_of(&self, host: HostId) -> Option<&Group> {
        let place = *self.of_host.get(host.0 as usize)?;
        self.groups.get((place as usize).checked_sub(1)?)
    }

    /// Whether two hosts are addresses of one resolver, or one host.
    pub fn same(&self, one: HostId, other: HostId) -> bool {
        let place = |host: HostId| self.of_host.get(host.0 as usize).filter(|place| **place > 0);
        one == other || place(one).is_some_and(|group| place(other) == Some(group))
    }

    /// Whether a host is a resolver as far as can be said at once, before roles are learned anew.
    #[inline]
    pub fn seems_resolver(&self, host: HostId, hosts: &Hosts) -> bool {
        self.group_of(host).is_some()
            || hosts
                .get(host)
                .is_some_and(|host| host.asks_and_answers() || host.asks_iterating > 0)
    }

    /// The resolvers.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Learns roles anew when so many transactions have come that it is worth it.
    pub(super) fn refresh_when_due(&mut self, sequence: Sequence, hosts: &Hosts) {
        if sequence.0 >= self.next_refresh {
            self.next_refresh += self.next_refresh.min(REFRESH_EVERY);
            self.refresh(hosts);
        }
    }

    /// Learns roles anew.
    pub(super) fn refresh(&mut self, hosts: &Hosts) {
        self.groups.clear();
        self.of_host.clear();
        for place in 0..self.declared.len() {
            let addresses = self.declared.get(place).map(Vec::as_slice).unwrap_or_default();
            let members: Vec<HostId> = addresses.iter().filter_map(|a| hosts.find(*a)).collect();
            if !members.is_empty() {
                self.add(Group { hosts: members, known: Known::Declared, shared_mac: None });
            }
        }
        let machines = machines(hosts);
        for (id, host) in hosts.iter() {
            if self.group_of(id).is_some() || !(host.asks > 0 && host.answers > 0) {
                continue;
            }
            self.add_with_machine(id, host, Known::AsksAndAnswers, &machines, hosts);
        }
        for (id, host) in hosts.iter() {
            let iterates =
                host.asks_iterating >= ITERATING_MIN && host.asks_iterating * 2 > host.asks;
            if self.group_of(id).is_none() && iterates {
                self.add_with_machine(id, host, Known::OnlyIterates, &machines, hosts);
            }
        }
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
            && members.len() <= ADDRESSES_PER_MACHINE_MAX
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
        let place = self.groups.len() as u32 + 1;
        for host in &group.hosts {
            let index = host.0 as usize;
            if self.of_host.len() <= index {
                self.of_host.resize(index + 1, 0);
            }
            if let Some(slot) = self.of_host.get_mut(index) {
                *slot = place;
            }
        }
        self.groups.push(group);
    }
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
