//! Everything that was learned of names, and which of it is believed.

use std::collections::VecDeque;

use foldhash::{HashMap, HashMapExt};

use super::claims::{Claim, Claims};
use super::inventory::Inventory;
use super::netbios::NetbiosClaim as Netbios;
use super::{Hostname, Source, dhcp, dns, kerberos, netbios, written};
use crate::flow::{Address, Mac};
use crate::frame::FrameId;
use crate::message::{Fact, Message, Messages};
use crate::packet::{Aside, AsideKind};
use crate::time::{Span, Timestamp};

/// The sources that have a table of their own, the most believed first.
///
/// A lease says whose an address was at that time. What a host does by its own machine account comes
/// next, then what it calls itself in front of its neighbours, where nobody checks; last what the DNS
/// says of the address, which may be years old, and a service's name.
const SOURCES: [Source; 8] = [
    Source::Dhcp,
    Source::DnsUpdate,
    Source::Kerberos,
    Source::Nbns,
    Source::Mdns,
    Source::Llmnr,
    Source::DnsPointer,
    Source::DnsAddress,
];
/// How many addresses each source may name.
const ADDRESSES_MAX: usize = 1 << 16;
/// How many DHCP clients are remembered between their request and the server's answer.
const REQUESTS_MAX: usize = 1 << 12;
/// How long what a host says of itself is believed, before and after.
const STANDS: Span = Span::from_secs(24 * 3600);
/// How long a lease is believed of which only the request was seen.
const LEASE_UNKNOWN: Span = Span::from_secs(8 * 3600);
/// How long before such a request its sender is believed to have had the address that it wants to keep.
const LEASE_BEFORE: Span = Span::from_secs(3600);

/// Which table is a source's.
fn place_of(source: Source) -> Option<usize> {
    SOURCES.iter().position(|own| *own == source)
}

/// Host names by address and time.
#[derive(Debug)]
pub struct Registry {
    inventory: Inventory,
    /// What was learned of each source, in the order of [`SOURCES`].
    tables: [Claims; SOURCES.len()],
    /// What DHCP clients asked for last.
    requests: HashMap<Mac, dhcp::DhcpClaim>,
    requests_order: VecDeque<Mac>,
    /// The address that each DHCP client had last.
    leased: HashMap<Mac, Address>,
}

impl Registry {
    /// One that knows an inventory, and nothing else yet.
    pub fn new(inventory: Inventory) -> Registry {
        Registry {
            inventory,
            tables: SOURCES.map(|_| Claims::new(ADDRESSES_MAX)),
            requests: HashMap::new(),
            requests_order: VecDeque::new(),
            leased: HashMap::new(),
        }
    }

    /// Learns from a packet that is not DNS, or from a DNS message's payload.
    pub fn aside(&mut self, aside: &Aside, payload: &[u8]) {
        let sender = aside.flow.source.address;
        let said = match aside.kind {
            AsideKind::Dhcp => {
                if let Some(said) = dhcp::read(payload) {
                    self.dhcp(said, aside);
                }
                return;
            }
            AsideKind::NetbiosName => match netbios::name_service(payload, sender) {
                Some(Netbios::Is(name)) => Some((Source::Nbns, name)),
                Some(Netbios::WasReleased) => return self.end(Source::Nbns, sender, aside.time),
                None => None,
            },
            AsideKind::NetbiosDatagram => {
                netbios::datagram(payload, sender).map(|name| (Source::Nbns, name))
            }
            AsideKind::Llmnr => dns::multicast(payload, sender).map(|s| (Source::Llmnr, s.name)),
            AsideKind::Mdns => match dns::multicast(payload, sender) {
                Some(said) if said.is_goodbye => return self.end(Source::Mdns, sender, aside.time),
                said => said.map(|said| (Source::Mdns, said.name)),
            },
            AsideKind::Kerberos => kerberos::machine(payload, aside.flow.transport)
                .map(|name| (Source::Kerberos, name)),
            AsideKind::Dns => {
                for said in dns::pointers(payload, sender) {
                    self.stand(Source::DnsPointer, said.address, said.name, aside);
                }
                dns::update(payload, sender).map(|said| (Source::DnsUpdate, said.name))
            }
            AsideKind::Syn
            | AsideKind::SynAck
            | AsideKind::ClientHello
            | AsideKind::Segment
            | AsideKind::Datagram => None,
        };
        // Hosts outside have no names here, whatever they send.
        if let Some((source, name)) = said.filter(|_| sender.is_internal()) {
            self.stand(source, sender, name, aside);
        }
    }

    /// Learns the internal names and addresses of an authoritative answer.
    pub fn message(&mut self, messages: &Messages, message: &Message) {
        if !message.names_host {
            return;
        }
        for fact in messages.facts(message) {
            if let Fact::Address { owner, address, .. } = fact
                && address.is_internal()
                && let Some(name) = written::from_wire(messages.name(*owner).wire())
            {
                let claim = Claim {
                    name: Some(name),
                    holder: None,
                    from: message.time,
                    until: Timestamp(i64::MAX),
                    since: Timestamp(i64::MIN),
                    frame: message.frame,
                };
                self.add(Source::DnsAddress, *address, claim);
            }
        }
    }

    /// What a host says of itself, or the DNS of it: it stands for a while, before and after.
    fn stand(&mut self, source: Source, address: Address, name: String, aside: &Aside) {
        let (since, until) = match source {
            Source::DnsPointer => (Timestamp(i64::MIN), Timestamp(i64::MAX)),
            _ => (aside.time - STANDS, aside.time + STANDS),
        };
        let (from, frame) = (aside.time, aside.frame);
        self.add(
            source,
            address,
            Claim { name: Some(name), holder: None, from, until, since, frame },
        );
    }

    fn dhcp(&mut self, said: dhcp::DhcpClaim, aside: &Aside) {
        use dhcp::Kind;
        let now = aside.time;
        let asked = self.requests.get(&said.mac).cloned();
        let asked_name = asked.as_ref().and_then(|asked| asked.name.clone());
        match said.kind {
            Kind::Discover => self.remember(said),
            Kind::Select | Kind::Keep | Kind::Inform => {
                let name = said.name.clone().or(asked_name);
                // Somebody else's address is not taken away by a request that may be refused.
                let free = said.address.filter(|address| {
                    let holder = self.table(Source::Dhcp).at(*address, now).and_then(|c| c.holder);
                    holder.is_none_or(|holder| holder == said.mac)
                });
                if let Some(address) = free {
                    self.lease(address, said.kind, &said, name.clone(), aside);
                }
                self.remember(dhcp::DhcpClaim { name, ..said });
            }
            Kind::Acknowledge => {
                let Some(address) = said.address else { return };
                let kind = asked.as_ref().map_or(Kind::Select, |asked| asked.kind);
                let name = asked_name.or_else(|| said.name.clone());
                // The server may give another address than was asked for.
                let other = asked.and_then(|asked| asked.address).filter(|asked| *asked != address);
                if let Some(other) = other {
                    self.end_lease(other, now, said.mac);
                }
                // How long the lease is was only assumed from the request.
                self.table_mut(Source::Dhcp).end(address, now, Some(said.mac));
                self.lease(address, kind, &said, name, aside);
            }
            Kind::Refuse => {
                if let Some(address) = asked.and_then(|asked| asked.address) {
                    self.end_lease(address, now, said.mac);
                }
            }
            Kind::Release | Kind::Decline => {
                if let Some(address) = said.address {
                    self.end_lease(address, now, said.mac);
                }
            }
        }
    }

    fn remember(&mut self, said: dhcp::DhcpClaim) {
        if !self.requests.contains_key(&said.mac) {
            if self.requests.len() >= REQUESTS_MAX
                && let Some(oldest) = self.requests_order.pop_front()
            {
                self.requests.remove(&oldest);
            }
            self.requests_order.push_back(said.mac);
        }
        self.requests.insert(said.mac, said);
    }

    /// Notes whose an address is by DHCP. Another holder than before ends all that was said of it.
    fn lease(
        &mut self,
        address: Address,
        kind: dhcp::Kind,
        said: &dhcp::DhcpClaim,
        name: Option<String>,
        aside: &Aside,
    ) {
        let now = aside.time;
        let lease = said.lease.unwrap_or(LEASE_UNKNOWN);
        let last = self.table(Source::Dhcp).last(address);
        if last.is_some_and(|last| last.holder != Some(said.mac)) {
            self.end_all(address, now);
        }
        // Who asks to keep an address had it before, for as long as a lease lasts at most.
        let since = match kind {
            dhcp::Kind::Keep | dhcp::Kind::Inform => now - said.lease.unwrap_or(LEASE_BEFORE),
            _ => now,
        };
        let until = match kind {
            dhcp::Kind::Inform => now + STANDS,
            _ => now + lease,
        };
        let holder = Some(said.mac);
        self.add(
            Source::Dhcp,
            address,
            Claim { name, holder, from: now, until, since, frame: aside.frame },
        );
        if self.leased.len() < ADDRESSES_MAX || self.leased.contains_key(&said.mac) {
            self.leased.insert(said.mac, address);
        }
    }

    fn end_lease(&mut self, address: Address, now: Timestamp, holder: Mac) {
        let last = self.table(Source::Dhcp).last(address);
        if last.is_some_and(|last| last.holder == Some(holder)) {
            self.end_all(address, now);
        }
    }

    /// Ends what hosts say of themselves and what was leased; the DNS goes on saying what it says.
    fn end_all(&mut self, address: Address, now: Timestamp) {
        for source in SOURCES {
            if !matches!(source, Source::DnsPointer | Source::DnsAddress) {
                self.end(source, address, now);
            }
        }
    }

    fn end(&mut self, source: Source, address: Address, now: Timestamp) {
        self.table_mut(source).end(address, now, None);
    }

    fn add(&mut self, source: Source, address: Address, claim: Claim) {
        self.table_mut(source).add(address, claim);
    }

    /// What was learned of a source; of the inventory, which is given and has none, that of the last.
    fn table(&self, source: Source) -> &Claims {
        let [.., last] = &self.tables;
        place_of(source).and_then(|place| self.tables.get(place)).unwrap_or(last)
    }

    fn table_mut(&mut self, source: Source) -> &mut Claims {
        let [others @ .., last] = &mut self.tables;
        place_of(source).and_then(|place| others.get_mut(place)).unwrap_or(last)
    }

    /// What the host behind an address was called at a time. `mac` is the link-layer address of its own
    /// frames, if it is known to be its own.
    ///
    /// 1. The inventory; of leases in it, the one of that time.
    /// 2. What was said by then and held still, by the most believed source.
    /// 3. What was said later and may have held already, if no lease shows that the address changed hands
    ///    in between.
    /// 4. What the same link-layer address was called in its lease: that of a host's IPv4 address names
    ///    its IPv6 addresses.
    ///
    /// A lease to another link-layer address than the host's own is another host's.
    pub fn hostname(
        &self,
        address: Address,
        mac: Option<Mac>,
        time: Timestamp,
    ) -> Option<Hostname> {
        let leased_to = self.table(Source::Dhcp).at(address, time).and_then(|claim| claim.holder);
        let listed = self.inventory.name(address, leased_to.or(mac), time);
        if let Some(name) = listed {
            let name = name.to_owned();
            let (source, time, frame) = (Source::Inventory, None, FrameId::NONE);
            return Some(Hostname { name, source, time, frame });
        }
        let is_own = |claim: &&Claim| {
            claim.name.is_some() && claim.holder.zip(mac).is_none_or(|(holder, own)| holder == own)
        };
        let held = SOURCES.iter().find_map(|source| {
            Some((*source, self.table(*source).at(address, time).filter(is_own)?))
        });
        let leases = self.table(Source::Dhcp);
        let later = || {
            SOURCES.iter().find_map(|source| {
                let claim = self.table(*source).after(address, time).filter(is_own)?;
                let is_same_host = *source == Source::Dhcp && claim.since < claim.from
                    || !leases.changed_hands(address, time, claim.from);
                is_same_host.then_some((*source, claim))
            })
        };
        let by_mac = || {
            let mac = mac?;
            let claim = leases.at(*self.leased.get(&mac)?, time)?;
            let is_own = claim.holder == Some(mac) && claim.name.is_some();
            is_own.then_some((Source::Dhcp, claim))
        };
        let (source, claim) = held.or_else(later).or_else(by_mac)?;
        let name = claim.name.clone()?;
        Some(Hostname { name, source, time: Some(claim.from), frame: claim.frame })
    }

    /// How many addresses' names were forgotten for lack of room.
    pub fn forgotten(&self) -> u64 {
        SOURCES.iter().map(|source| self.table(*source).forgotten()).sum()
    }
}
