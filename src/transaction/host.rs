//! The hosts seen at either end of a transaction, by number.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use foldhash::{HashMap, HashMapExt};
use hashbrown::HashTable;

use super::link::Links;
use crate::bounded::ask_for;
use crate::flow::{Address, Mac};
use crate::message::NO_VLAN;
use crate::time::Timestamp;

/// Room for hosts is made again when numbers were wanted since for one in this many of all.
const SWEEP_SHARE: u64 = 64;

/// How many addresses are remembered with their numbers: of more, these are looked up.
const LATELY: usize = 1 << 13;
/// A host whose answers are not in the capture is taken for a server after so many questions to it.
const ASKED_MIN: u32 = 3;
/// An address with a number that no host has.
const NOBODY: (Address, HostId) = (Address::UNSPECIFIED, HostId(u32::MAX));

/// A host's number in [`Hosts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

/// The link-layer source of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceMac {
    /// The link has none, or the query was not captured.
    None,
    /// The first or the second of those its sender is known by.
    First,
    Second,
    /// One more: there is a third way to its sender.
    Other(Mac),
}

impl SourceMac {
    pub fn is_some(self) -> bool {
        self != SourceMac::None
    }
}

/// After so many queries, and once more after so many, it is looked at for whom a host asks.
const MANY: u32 = 64;
const FAR_MORE: u32 = 512;

/// An address that sent or got DNS messages, and what it was seen doing. In one line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Host {
    /// Its address.
    pub address: Address,
    /// Link-layer sources of its frames, the first two: its own, or a router's before it. A mirror port can show one
    /// packet on both sides of a router.
    pub macs: [Mac; 2],
    /// The first VLAN tag that its questions were seen with; [`NO_VLAN`] if none was.
    pub vlan: u16,
    /// How far time had come when it was last seen.
    pub seen: Timestamp,
    /// Queries it sent. This and what follows tell what the host is; [`Hosts::totals`] has how many there were.
    pub asks: u32,
    /// Of these, how many did not ask for recursion: those of a resolver that iterates.
    pub asks_iterating: u32,
    /// Of these, how many carried additional records, as those of resolvers mostly do (EDNS).
    pub asks_edns: u32,
    /// Of these, how many were for what answers are checked with (RFC 4035); at most 65,535.
    pub asks_checking: u16,
    /// Queries it was sent.
    pub asked: u32,
    /// Responses it sent.
    pub answers: u32,
    /// Whether it answered somebody as a name server does, and did not only refuse: every host of a site is asked now
    /// and then by who scans that.
    pub has_served: bool,
    /// Whether it is known as a resolver, so that its number must stay.
    pub is_resolver: bool,
}

const _: () = assert!(size_of::<Host>() == 64);

impl Host {
    fn new(address: Address, seen: Timestamp) -> Host {
        Host {
            address,
            macs: [Mac::default(); 2],
            vlan: NO_VLAN,
            seen,
            asks: 0,
            asks_iterating: 0,
            asks_edns: 0,
            asks_checking: 0,
            asked: 0,
            answers: 0,
            has_served: false,
            is_resolver: false,
        }
    }

    /// Remembers the link-layer source of one of its frames, if it is the first or second; returns whether it is
    /// none of these. What is kept refers to them by their places, so that they stay.
    fn note_mac(&mut self, mac: Mac) -> bool {
        let [first, second] = &mut self.macs;
        if !mac.is_some() || *first == mac || *second == mac {
            return false;
        }
        if let Some(free) = [first, second].into_iter().find(|known| !known.is_some()) {
            *free = mac;
        }
        true
    }

    /// Which of those it is known by a link-layer source of its frames is.
    #[inline]
    pub(super) fn source_mac(&self, mac: Mac) -> SourceMac {
        let [first, second] = self.macs;
        match mac {
            mac if !mac.is_some() => SourceMac::None,
            mac if mac == first => SourceMac::First,
            mac if mac == second => SourceMac::Second,
            mac => SourceMac::Other(mac),
        }
    }

    /// The link-layer source of one of its frames.
    pub(super) fn mac(&self, source: SourceMac) -> Mac {
        let [first, second] = self.macs;
        match source {
            SourceMac::None => Mac::default(),
            SourceMac::First => first,
            SourceMac::Second => second,
            SourceMac::Other(mac) => mac,
        }
    }

    /// Whether what was counted last can have made it a resolver, or shown one that the user named, or enough of what it asks to see
    /// whose address it is; besides that it served for the first time.
    #[inline]
    fn is_turning(&self) -> bool {
        self.asks == 1 || self.asks_much_now() || (!self.has_served && self.asked > 0)
    }

    /// Whether it has just asked so much that it is worth a look whom it asks.
    #[inline]
    pub fn asks_much_now(&self) -> bool {
        matches!(self.asks, MANY | FAR_MORE)
    }

    /// Whether a counter is so high that it is to be halved.
    #[inline]
    fn is_high(&self) -> bool {
        (self.asks | self.asked | self.answers) >> 31 != 0
    }

    /// Halves all counters, so that they stand as they did to one another and none that counted is 0 again.
    /// Returns what was taken from them.
    fn halve(&mut self) -> Totals {
        let half = |count: &mut u32| {
            let taken = *count / 2;
            *count -= taken;
            u64::from(taken)
        };
        half(&mut self.asks_iterating);
        half(&mut self.asks_edns);
        Totals {
            asked: half(&mut self.asked),
            asks: half(&mut self.asks),
            answers: half(&mut self.answers),
        }
    }

    /// Whether it is a server to others: it answers and does not only refuse, or it is asked so often that its answers
    /// must be missing from the capture.
    pub fn serves(&self) -> bool {
        let is_asked_often = self.asked >= ASKED_MIN && self.asked >= self.asks / 4;
        self.has_served || (is_asked_often && self.lacks_answers())
    }

    /// Whether it asks and is no server, as far as is seen: a client, or a resolver whose clients are not in the
    /// capture.
    pub fn only_asks(&self) -> bool {
        self.asks > 0 && !self.serves()
    }

    /// Whether it was seen both asking and being asked or answering: what a resolver does.
    pub fn asks_and_answers(&self) -> bool {
        self.asks > 0 && (self.has_served || (self.asked > 0 && self.lacks_answers()))
    }

    /// Whether of what it was asked so little is answered that the answers are missing: one that refuses is seen to.
    fn lacks_answers(&self) -> bool {
        u64::from(self.answers) * 4 <= u64::from(self.asked)
    }
}

/// How many queries and responses there were of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Queries it was sent.
    pub asked: u64,
    /// Queries it sent.
    pub asks: u64,
    /// Responses it sent.
    pub answers: u64,
}

impl Totals {
    fn add(&mut self, more: Totals) {
        self.asked += more.asked;
        self.asks += more.asks;
        self.answers += more.answers;
    }
}

/// All hosts, at most a given number of them.
///
/// At the limit, hosts that no kept transaction names any more make room, but for those known as
/// resolvers; if there are none, new hosts are not taken in, and [`Counters::no_room`](super::Counters::no_room) counts their messages.
#[derive(Debug)]
pub struct Hosts {
    /// By address. What holds the address is the host itself, of which something is wanted anyway, so that the numbers
    /// stay in the cache.
    numbers: HashTable<HostId>,
    hashing: RandomState,
    hosts: Vec<Host>,
    free: Vec<HostId>,
    links: Links,
    /// What was taken from the counters of the few hosts that had two thousand million of something: a day's
    /// worth of a busy resolver.
    taken: HashMap<HostId, Totals>,
    limit: usize,
    /// How many numbers were wanted for new hosts since room was made last.
    wanted: u64,
    /// The latest time of any message.
    latest: Timestamp,
    /// The numbers found last, by a hash of the address: what a host is need not be read to find it.
    lately: Vec<(Address, HostId)>,
    /// Whether a host of the message at hand can have become a resolver by it.
    turned: bool,
    #[cfg(test)]
    sweeps: u64,
}

impl Hosts {
    /// Room for `limit` hosts.
    pub fn new(limit: usize) -> Hosts {
        Hosts {
            numbers: HashTable::new(),
            hashing: RandomState::default(),
            hosts: Vec::new(),
            free: Vec::new(),
            links: Links::new(limit),
            taken: HashMap::new(),
            limit: limit.max(2),
            wanted: 0,
            latest: Timestamp(i64::MIN),
            lately: vec![NOBODY; LATELY],
            turned: false,
            #[cfg(test)]
            sweeps: 0,
        }
    }

    /// The numbers of the two hosts of the next message, new if need be. `kept_since` is the time of the oldest
    /// transaction kept: hosts not seen since are named by none.
    #[inline]
    pub fn pair(
        &mut self,
        client: Address,
        server: Address,
        now: Timestamp,
        kept_since: Timestamp,
    ) -> Option<(HostId, HostId)> {
        self.turned = false;
        let client = self.number(client, now, kept_since, None)?;
        // What it did is read and counted in a moment.
        ask_for(&self.hosts, client.0 as usize);
        let server = self.number(server, now, kept_since, Some(client))?;
        Some((client, server))
    }

    /// The number of an address, new if need be, as [`Hosts::find_or_add`] has it.
    #[inline]
    fn number(
        &mut self,
        address: Address,
        now: Timestamp,
        kept_since: Timestamp,
        other: Option<HostId>,
    ) -> Option<HostId> {
        let place = place_lately(address);
        if let Some((known, id)) = self.lately.get(place)
            && *known == address
            && *id != NOBODY.1
        {
            return Some(*id);
        }
        let id = self.find_or_add(address, now, kept_since, other)?;
        if let Some(known) = self.lately.get_mut(place) {
            *known = (address, id);
        }
        Some(id)
    }

    /// The number of an address, new if need be. `kept_since` is the time of the oldest transaction
    /// kept: hosts not seen since are named by none, but for `other`, which the same message names.
    #[inline(never)]
    fn find_or_add(
        &mut self,
        address: Address,
        now: Timestamp,
        kept_since: Timestamp,
        other: Option<HostId>,
    ) -> Option<HostId> {
        if let Some(id) = self.find(address) {
            return Some(id);
        }
        self.wanted += 1;
        self.latest = self.latest.max(now);
        let host = Host::new(address, self.latest);
        let id = match self.free.pop() {
            Some(id) => id,
            None if self.hosts.len() < self.limit => HostId(self.hosts.len() as u32),
            None => {
                self.sweep(kept_since, other);
                self.free.pop()?
            }
        };
        match self.hosts.get_mut(id.0 as usize) {
            Some(slot) => *slot = host,
            None => self.hosts.push(host),
        }
        self.enter(address, id);
        Some(id)
    }

    /// Notes the number of an address that has none.
    fn enter(&mut self, address: Address, id: HostId) {
        let Hosts { numbers, hashing, hosts, .. } = self;
        let hash_of =
            |id: &HostId| hosts.get(id.0 as usize).map_or(0, |host| hashing.hash_one(host.address));
        numbers.insert_unique(hashing.hash_one(address), id, hash_of);
    }

    /// Frees hosts that nothing names any more. A full walk, so it is done again only after some share of
    /// as many new ones were wanted: its cost for each message stays constant.
    fn sweep(&mut self, kept_since: Timestamp, other: Option<HostId>) {
        if self.wanted * SWEEP_SHARE < self.limit as u64 {
            return;
        }
        self.wanted = 0;
        // Of what is freed the address stays for a while.
        self.lately.fill(NOBODY);
        #[cfg(test)]
        {
            self.sweeps += 1;
        }
        for (id, host) in (0..).map(HostId).zip(&mut self.hosts) {
            if host.is_resolver || host.seen >= kept_since || Some(id) == other {
                continue;
            }
            let hash = self.hashing.hash_one(host.address);
            if let Ok(entry) = self.numbers.find_entry(hash, |known| *known == id) {
                entry.remove();
            }
            self.taken.remove(&id);
            self.free.push(id);
            // Nothing that it did is to count for who gets its number.
            *host = Host::new(host.address, host.seen);
        }
    }

    /// Notes the sender of a frame: when, and by which link-layer address; and counts what it did.
    #[inline]
    pub(super) fn note_sender(
        &mut self,
        id: HostId,
        (now, mac): (Timestamp, Mac),
        count: impl FnOnce(&mut Host),
    ) {
        if let Some(host) = self.hosts.get_mut(id.0 as usize)
            && host.note_mac(mac)
        {
            self.links.note(mac, host.address, now);
        }
        self.note_seen(id, now, count);
    }

    /// Notes when a host was seen, by what it sent or was sent, and counts that: there is room in its counters for
    /// one more.
    #[inline]
    pub(super) fn note_seen(&mut self, id: HostId, now: Timestamp, count: impl FnOnce(&mut Host)) {
        // One that comes late is kept with those that came before it.
        self.latest = self.latest.max(now);
        let Some(host) = self.hosts.get_mut(id.0 as usize) else { return };
        host.seen = self.latest;
        if host.is_high() {
            self.taken.entry(id).or_default().add(host.halve());
        }
        let had_served = host.has_served;
        count(host);
        self.turned |= host.is_turning() || host.has_served != had_served;
    }

    /// Whether queries that one host sends another may be looked up by who sent them: those of a resolver, and of what may turn
    /// out to be one's other address.
    #[inline]
    pub(super) fn are_found_by_client(&self, (client, server): (HostId, HostId)) -> bool {
        let asks = |host: &Host| host.asked > 0 || host.asks_iterating > 0 || host.is_resolver;
        let asks_nobody = |host: &Host| host.asks == 0;
        self.get(client).is_some_and(asks) || self.get(server).is_some_and(asks_nobody)
    }

    /// Whether a host of the latest message can have become a resolver by it, or is one that the user named.
    #[inline]
    pub fn have_turned(&self) -> bool {
        self.turned
    }

    /// Whether a link-layer address is a router's, and not that of the hosts whose frames came from it;
    /// `link.rs` has the rules.
    pub fn is_router(&self, mac: Mac) -> bool {
        let seen = |address| self.find(address).and_then(|id| self.get(id)).map(|host| host.seen);
        self.links.is_router(mac, seen)
    }

    /// The number of an address that was seen.
    #[inline]
    pub fn find(&self, address: Address) -> Option<HostId> {
        let is_its =
            |id: &HostId| self.hosts.get(id.0 as usize).is_some_and(|host| host.address == address);
        self.numbers.find(self.hashing.hash_one(address), is_its).copied()
    }

    /// A host by its number.
    pub fn get(&self, id: HostId) -> Option<&Host> {
        self.hosts.get(id.0 as usize)
    }

    /// A host by its number, to be changed.
    pub fn get_mut(&mut self, id: HostId) -> Option<&mut Host> {
        self.hosts.get_mut(id.0 as usize)
    }

    /// How many queries and responses there were of a host.
    pub fn totals(&self, id: HostId) -> Totals {
        let mut totals = self.taken.get(&id).copied().unwrap_or_default();
        if let Some(Host { asked, asks, answers, .. }) = self.get(id) {
            let [asked, asks, answers] = [*asked, *asks, *answers].map(u64::from);
            totals.add(Totals { asked, asks, answers });
        }
        totals
    }

    /// All hosts with their numbers, in the order they were first seen.
    pub fn iter(&self) -> impl Iterator<Item = (HostId, &Host)> {
        self.hosts.iter().enumerate().map(|(place, host)| (HostId(place as u32), host))
    }
}

/// Where an address is remembered. Whoever makes up addresses that fall together makes them be looked up, no more.
#[inline]
fn place_lately(address: Address) -> usize {
    let number = address.number();
    let mixed = (number as u64 ^ (number >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize & (LATELY - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_by_the_place_of_a_link_layer_address_keeps_it() {
        let mut host = Host::new(Address::v4([10, 0, 0, 1]), Timestamp(0));
        let mac = |last| Mac([2, 0, 0, 0, 0, last]);
        let noted: Vec<bool> = [1, 2, 1, 2, 3].map(|last| host.note_mac(mac(last))).into();
        assert_eq!(noted, [true, true, false, false, true]);
        let known = |last| host.mac(host.source_mac(mac(last)));
        assert_eq!([known(1), known(2), known(3)], [mac(1), mac(2), mac(3)]);
        assert_eq!(host.macs, [mac(1), mac(2)]);
    }

    #[test]
    fn one_refusal_does_not_make_a_client_of_a_server_whose_answers_are_missing() {
        let asked = |asked, answers| Host {
            asks: 9,
            asked,
            answers,
            ..Host::new(Address::UNSPECIFIED, Timestamp(0))
        };
        assert!(asked(40, 0).serves() && asked(40, 1).serves());
        assert!(
            !asked(4, 4).serves() && asked(4, 4).only_asks() && !asked(4, 4).asks_and_answers()
        );
    }

    #[test]
    fn who_was_not_seen_for_long_makes_room_unless_it_is_a_resolver() {
        let mut hosts = Hosts::new(2);
        let address = |n| Address::v4([10, 0, 0, n]);
        let old = hosts.number(address(1), Timestamp(1), Timestamp(0), None).unwrap();
        let server = hosts.number(address(2), Timestamp(1), Timestamp(0), None).unwrap();
        hosts.get_mut(server).unwrap().is_resolver = true;
        let new = hosts.number(address(3), Timestamp(9), Timestamp(5), None).unwrap();
        assert_eq!(new, old);
        assert_eq!(hosts.find(address(1)), None);
        assert_eq!(hosts.number(address(4), Timestamp(9), Timestamp(5), None), None);
    }

    #[test]
    fn who_made_room_leaves_nothing_behind() {
        let mut hosts = Hosts::new(2);
        let address = |n| Address::v4([10, 0, 0, n]);
        for n in [1, 2] {
            let id = hosts.number(address(n), Timestamp(1), Timestamp(0), None).unwrap();
            hosts.note_seen(id, Timestamp(1), |host| host.asks += 1);
            hosts.get_mut(id).unwrap().has_served = true;
        }
        hosts.number(address(3), Timestamp(9), Timestamp(5), None).unwrap();
        assert!(hosts.iter().all(|(_, host)| !host.asks_and_answers()));
    }

    #[test]
    fn two_that_talked_before_are_found_until_one_makes_room() {
        let mut hosts = Hosts::new(3);
        let address = |n| Address::v4([10, 0, 0, n]);
        let pair = |hosts: &mut Hosts, one, other, now, since| {
            hosts.pair(address(one), address(other), Timestamp(now), Timestamp(since))
        };
        let first = pair(&mut hosts, 1, 2, 1, 0).unwrap();
        assert_eq!(pair(&mut hosts, 1, 2, 2, 0), Some(first));
        assert_ne!(pair(&mut hosts, 2, 1, 2, 0), Some(first));
        hosts.note_seen(first.1, Timestamp(9), |host| host.asked += 1);
        // The first makes room, and comes back.
        let second = pair(&mut hosts, 4, 3, 9, 5).unwrap();
        assert!(second.0 == first.0 || second.1 == first.0);
        assert_eq!(hosts.find(address(1)), None);
        assert_eq!(pair(&mut hosts, 1, 2, 9, 5), None);
        assert_eq!(pair(&mut hosts, 4, 3, 9, 5), Some(second));
    }

    #[test]
    fn hosts_are_walked_over_for_some_share_of_them_at_once() {
        let mut hosts = Hosts::new(800);
        let address = |n: i64| Address::v4((0x0a00_0000 + n as u32).to_be_bytes());
        // With each that comes another is no longer named by anything.
        let mut refused = 0;
        for n in 0..80_000 {
            let id = hosts.number(address(n), Timestamp(n), Timestamp(n - 799), None);
            refused += usize::from(id.is_none());
        }
        assert!(hosts.sweeps < 80_000 / 12, "{} times", hosts.sweeps);
        assert!(refused < 80_000 / 50, "{refused} were refused");
    }

    #[test]
    fn a_host_that_is_asked_for_days_is_counted_on() {
        let mut hosts = Hosts::new(2);
        let id =
            hosts.number(Address::v4([10, 0, 0, 1]), Timestamp(1), Timestamp(0), None).unwrap();
        let host = hosts.get_mut(id).unwrap();
        (host.asked, host.asks, host.asks_edns, host.answers) = ((1 << 31) - 2, 1, 1, 900);
        host.has_served = true;
        for n in 1..=6 {
            hosts.note_seen(id, Timestamp(n), |host| host.asked += 1);
            let asked = (1 << 31) - 2 + n as u64;
            assert_eq!(hosts.totals(id), Totals { asked, asks: 1, answers: 900 });
        }
        // What it is taken for stays.
        let host = hosts.get(id).unwrap();
        assert!(host.asked < 1 << 31 && host.asks_and_answers() && host.asks_edns == 1);
    }
}
