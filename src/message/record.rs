//! The compact record of a message, and the arena that holds a batch of them.

use std::fmt;

use super::names::Names;
use super::reader::{Arena, Scratch};
use crate::flow::{Address, Flow, Mac};
use crate::frame::FrameId;
use crate::name::{Ancestors, Name, NameHash, NameHasher};
use crate::packet::Envelope;
use crate::time::Timestamp;

/// The second 16 bits of a header.
///
/// ```text
///   0  1  2  3  4  5  6  7  8  9  0  1  2  3  4  5
/// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
/// |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |   RFC 1035 section 4.1.1, RFC 4035
/// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    /// QR: it is a response.
    pub fn is_response(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// The kind of query; 0 is a standard query.
    pub fn opcode(self) -> u8 {
        (self.0 >> 11 & 0xf) as u8
    }

    /// AA: the server speaks for the zone.
    pub fn is_authoritative(self) -> bool {
        self.0 & 0x0400 != 0
    }

    /// TC: it was cut, and is to be asked again over TCP.
    pub fn is_truncated(self) -> bool {
        self.0 & 0x0200 != 0
    }

    /// RD: the asker wants recursion.
    pub fn recursion_desired(self) -> bool {
        self.0 & 0x0100 != 0
    }

    /// The four bits of response code in the header; what an OPT record adds is in [`Message::rcode`].
    pub fn rcode(self) -> u8 {
        (self.0 & 0xf) as u8
    }
}

/// The server does not speak this version of EDNS (RFC 6891 section 9); 16 in the registry.
pub(super) const BADVERS: u8 = 12;
/// The query's cookie is wrong or missing (RFC 7873 section 8); 23 in the registry.
pub(super) const BADCOOKIE: u8 = 13;
/// A code that no registry has for a response, or that none but TSIG and TKEY use.
pub(super) const RESERVED: u8 = 15;

/// Whether a response code says something of the name asked for, that it exists or that it does not (NOERROR, NXDOMAIN),
/// and is no failure. Those of EDNS are of the query: of the name they say no more than SERVFAIL does.
pub fn is_conclusive(rcode: u8) -> bool {
    matches!(rcode, 0 | 3)
}

/// The type of a record or question (RFC 1035 section 3.2.2 and the IANA registry).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u16);

impl RecordType {
    /// An IPv4 address.
    pub const A: RecordType = RecordType(1);
    /// A name server of a zone.
    pub const NS: RecordType = RecordType(2);
    /// An alias.
    pub const CNAME: RecordType = RecordType(5);
    /// What an address is called (RFC 1035 section 3.5).
    pub const PTR: RecordType = RecordType(12);
    /// An IPv6 address (RFC 3596).
    pub const AAAA: RecordType = RecordType(28);
    /// What all names below it are aliases below (RFC 6672).
    pub const DNAME: RecordType = RecordType(39);
    /// What the extensions of EDNS stand in (RFC 6891).
    pub const OPT: RecordType = RecordType(41);
    /// Delegation signer (RFC 4034).
    pub const DS: RecordType = RecordType(43);
    /// A zone's key (RFC 4034).
    pub const DNSKEY: RecordType = RecordType(48);
    /// Where a service is to be reached (RFC 9460).
    pub const SVCB: RecordType = RecordType(64);
    /// The same of a web site (RFC 9460).
    pub const HTTPS: RecordType = RecordType(65);
    /// Any type (RFC 8482).
    pub const ANY: RecordType = RecordType(255);
}

/// The mnemonic where there is one (`A`, `HTTPS`), else `TYPE1234` (RFC 3597 section 5).
impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match super::full::type_mnemonic(*self) {
            Some(mnemonic) => f.write_str(mnemonic),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

/// A name in a [`Messages`] arena, with the hashes by which it is told apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct NameRef {
    start: u32,
    len: u8,
    /// How many labels it has, the root left out.
    pub labels: u8,
    /// The hash of the whole name.
    pub hash: NameHash,
    /// The hash of its last two labels: names of one registered domain share it, and where that has more labels (below
    /// `co.uk`, say) those of many do.
    pub domain: NameHash,
}

impl NameRef {
    pub(super) fn new(
        start: usize,
        len: usize,
        labels: usize,
        hash: NameHash,
        domain: NameHash,
    ) -> NameRef {
        NameRef { start: start as u32, len: len as u8, labels: labels as u8, hash, domain }
    }

    /// The name itself.
    pub(super) fn of(self, names: &Names) -> Name<'_> {
        names.get(self.start as usize, usize::from(self.len))
    }
}

/// The first question of a message.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// What is asked about.
    pub name: NameRef,
    /// Which records are asked for.
    pub rtype: RecordType,
    /// 1 is IN.
    pub class: u16,
}

/// What a response says of where its question leads. TTLs are in seconds.
#[derive(Clone, Copy, Debug)]
pub enum Fact {
    /// A CNAME record of the answer section, or what a DNAME record there says without one (RFC 6672).
    Alias {
        /// The alias.
        owner: NameRef,
        /// What it stands for.
        target: NameRef,
        /// How long it may be cached.
        ttl: u32,
    },
    /// A DNAME record of the answer section (RFC 6672), if it makes one of the aliases that the question leads to: what
    /// stands below its owner leads to the same below its target.
    Redirection {
        /// The name below which all is redirected.
        owner: NameRef,
        /// The name below which that is found.
        target: NameRef,
        /// How long it may be cached.
        ttl: u32,
    },
    /// The TargetName of an SVCB or HTTPS record of the answer section (RFC 9460), if it is not the owner itself.
    ///
    /// No alias: it is for telling that who asked was led to it. A resolver hands it on and, but for few, does not follow
    /// it; clients that can then ask for the target themselves. So a resolver's query for the target is no sign of who
    /// asked for the owner.
    Service {
        /// What has the service.
        owner: NameRef,
        /// Where it is to be reached.
        target: NameRef,
    },
    /// An A or AAAA record of the answer section, or an address that an SVCB or HTTPS record there hints at.
    Address {
        /// Whose address.
        owner: NameRef,
        /// The address.
        address: Address,
        /// How long it may be cached.
        ttl: u32,
    },
    /// An NS record of the authority or answer section.
    Delegation {
        /// The zone.
        zone: NameRef,
        /// The name of one of its servers.
        server: NameRef,
        /// How long it may be cached.
        ttl: u32,
    },
}

/// So many facts of a batch have a lasting place; that for more of them is given back.
const FACTS_KEPT: usize = 1 << 16;

/// [`Message::vlan`] of an untagged frame.
pub const NO_VLAN: u16 = u16::MAX;

/// One DNS message as the hot path keeps it. Its names and facts lie in the [`Messages`] it came from.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// The frame that completed it.
    pub frame: FrameId,
    /// When that frame was captured.
    pub time: Timestamp,
    /// From where to where.
    pub flow: Flow,
    /// The link-layer source of the frame.
    pub source_mac: Mac,
    /// The identifier of the frame's outermost VLAN tag; [`NO_VLAN`] without one.
    pub vlan: u16,
    /// The IPv4 identification, by which a mirrored copy is told from a retransmission; 0 for IPv6.
    pub ip_id: u16,
    /// The message id.
    pub id: u16,
    /// QR, opcode, TC and so on.
    pub flags: Flags,
    /// What an OPT record puts in front of the header's response code (RFC 6891 section 6.1.3): eight bits, of responses
    /// without an answer.
    pub(super) extended_rcode: u8,
    /// What the header claims: questions, answers, authority and additional records.
    pub counts: [u16; 4],
    /// The first question, where one could be read.
    pub question: Option<Question>,
    /// Whether all that was looked for could be read; if not, what stood before the damage is here.
    pub malformed: Option<Malformed>,
    /// Whether a name or address in it stands on the watch list.
    pub flagged: bool,
    /// Whether it is an internal server's authoritative answer with what may be an internal address: a host's name.
    pub names_host: bool,
    /// Whether it names hosts in records that are not read here: an update (RFC 2136), or the answer to a
    /// PTR question.
    pub has_names_unread: bool,
    facts_start: u32,
    facts_len: u16,
}

impl Message {
    /// Whether it says anything of where its question leads.
    pub fn has_facts(&self) -> bool {
        self.facts_len > 0
    }

    /// The response code, in the four bits that half a million transactions have for it: as in the header, and for those
    /// that need more the numbers that are not assigned there, `BADVERS` and `BADCOOKIE`.
    #[inline]
    pub fn rcode(&self) -> u8 {
        match (self.extended_rcode, self.flags.rcode()) {
            (0, plain @ ..12) => plain,
            (1, 0) => BADVERS,
            (1, 7) => BADCOOKIE,
            _ => RESERVED,
        }
    }

    /// The same at another time.
    pub fn at(&self, time: Timestamp) -> Message {
        Message { time, ..*self }
    }
}

/// How a message is broken. It is kept as far as it could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Malformed {
    /// The capture ends before the message does (snaplen, or a lost fragment).
    CutByCapture,
    /// The message ends before what its counts promise.
    CutShort,
    /// A name that breaks RFC 1035: a label type that does not exist, a compression pointer that does
    /// not point backwards, more than 255 octets.
    BadName,
    /// A record whose data is not what its type has: a name that ends elsewhere, an address of another
    /// length. Some resolvers refuse the whole message for it.
    BadData,
}

/// What is looked out for while messages are read, so that the many that hold nothing listed are
/// passed by at once. Kept apart from what lists are, so that messages know nothing of indicators.
pub trait Watchlist {
    /// Takes note of a name that stands in the message at a place of its arena. Whether it flags that is told later, by
    /// [`Messages::flag`]: what names are looked up in is seldom in the cache, and is asked for meanwhile.
    fn name(&mut self, name: &Ancestors<'_>, message: usize);
    /// Whether an address is listed.
    fn address(&mut self, address: Address) -> bool;
    /// Whether the addresses of all answers are wanted, and not only of those that are flagged or name a host.
    fn wants_addresses(&self) -> bool;
}

/// The empty watch list.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watchlist for Unwatched {
    fn name(&mut self, _: &Ancestors<'_>, _: usize) {}
    fn address(&mut self, _: Address) -> bool {
        false
    }
    fn wants_addresses(&self) -> bool {
        true
    }
}

/// An arena of messages, filled by a decoder and emptied by whoever keeps state.
#[derive(Debug, Default)]
pub struct Messages {
    messages: Vec<Message>,
    pub(super) facts: Vec<Fact>,
    pub(super) names: Names,
    pub(super) scratch: Scratch,
}

impl Messages {
    /// An empty arena.
    pub fn new() -> Messages {
        Messages::default()
    }

    /// Forgets the messages and keeps the memory, but for what unusual ones took.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.facts.clear();
        if self.facts.capacity() > FACTS_KEPT {
            self.facts = Vec::new();
        }
        self.names.clear();
    }

    /// Reads a message and adds its record. `whole` is false when the capture holds only its beginning.
    ///
    /// Returns false, and adds nothing, when there is not even a header.
    #[inline(always)]
    pub fn read(
        &mut self,
        envelope: &Envelope,
        payload: &[u8],
        whole: bool,
        hasher: &NameHasher,
        watchlist: &mut impl Watchlist,
    ) -> bool {
        let Some(&[i0, i1, f0, f1, q0, q1, a0, a1, n0, n1, m0, m1]) = payload.first_chunk() else {
            return false;
        };
        let counts = [[q0, q1], [a0, a1], [n0, n1], [m0, m1]].map(u16::from_be_bytes);
        // Written where it stays, and filled in there: what is copied just after it was written in pieces has to wait
        // for them.
        self.messages.push(Message {
            frame: envelope.frame,
            time: envelope.time,
            flow: envelope.flow,
            source_mac: envelope.source_mac,
            vlan: envelope.vlan.unwrap_or(NO_VLAN),
            ip_id: envelope.ip_id,
            id: u16::from_be_bytes([i0, i1]),
            flags: Flags(u16::from_be_bytes([f0, f1])),
            extended_rcode: 0,
            counts,
            question: None,
            malformed: None,
            flagged: false,
            names_host: false,
            has_names_unread: false,
            facts_start: self.facts.len() as u32,
            facts_len: 0,
        });
        self.read_latest(payload, whole, hasher, watchlist);
        true
    }

    /// Reads what stands behind the header of the message added last.
    #[inline(never)]
    fn read_latest<W: Watchlist>(
        &mut self,
        payload: &[u8],
        whole: bool,
        hasher: &NameHasher,
        watchlist: &mut W,
    ) {
        let Messages { messages, facts, names, scratch } = self;
        let place = messages.len() - 1;
        let Some(message) = messages.last_mut() else { return };
        let (names_start, facts_start) = (names.begin(), facts.len());
        let keeps_addresses = watchlist.wants_addresses();
        let mut arena = Arena { names, facts, scratch, place };
        let found = arena.read(payload, message, keeps_addresses, hasher, watchlist);
        let (from, to) = (message.flow.source.address, message.flow.destination.address);
        message.flagged = found.flagged || watchlist.address(to) || watchlist.address(from);
        message.names_host =
            found.internal_address && message.flags.is_authoritative() && from.is_internal();
        // Nearly nobody asks for the addresses of an answer. Of one that somebody will ask about, they are read
        // when that is known.
        if found.left_addresses && (message.flagged || message.names_host) {
            arena.names.take_back(names_start);
            arena.facts.truncate(facts_start);
            (message.question, message.malformed) = (None, None);
            arena.read_with_addresses(payload, message, hasher);
        }
        if !whole {
            message.malformed = message.malformed.map(|_| Malformed::CutByCapture);
        }
        let added = arena.facts.len() - facts_start;
        message.facts_len = added.min(usize::from(u16::MAX)) as u16;
    }

    /// Notes that a name in the message at a place is on the watch list. Somebody will ask about its addresses: it is
    /// read once more, with them.
    pub fn flag(&mut self, place: usize, payload: &[u8], hasher: &NameHasher) {
        let Messages { messages, facts, names, scratch } = self;
        let Some(message) = messages.get_mut(place).filter(|message| !message.flagged) else {
            return;
        };
        message.flagged = true;
        let facts_start = facts.len();
        let mut arena = Arena { names, facts, scratch, place };
        // How it is malformed stays as it was said.
        arena.read_with_addresses(payload, message, hasher);
        let added = arena.facts.len() - facts_start;
        message.facts_start = facts_start as u32;
        message.facts_len = added.min(usize::from(u16::MAX)) as u16;
    }

    /// Adds a message of other ones, with its names and facts.
    pub fn adopt(&mut self, others: &Messages, message: &Message) {
        let facts_start = self.facts.len() as u32;
        let mut adopted = Message { facts_start, ..*message };
        if let Some(question) = &mut adopted.question {
            self.adopt_name(others, &mut question.name);
        }
        for mut fact in others.facts(message).iter().copied() {
            match &mut fact {
                Fact::Alias { owner: one, target: other, .. }
                | Fact::Redirection { owner: one, target: other, .. }
                | Fact::Service { owner: one, target: other }
                | Fact::Delegation { zone: one, server: other, .. } => {
                    self.adopt_name(others, one);
                    self.adopt_name(others, other);
                }
                Fact::Address { owner, .. } => self.adopt_name(others, owner),
            }
            self.facts.push(fact);
        }
        self.messages.push(adopted);
    }

    fn adopt_name(&mut self, others: &Messages, name: &mut NameRef) {
        let start = self.names.begin();
        let wire = others.name(*name).wire();
        self.names.append(wire, 0..wire.len());
        name.start = start as u32;
    }

    /// How many octets of memory its names and facts have.
    #[cfg(test)]
    pub(super) fn octets_held(&self) -> usize {
        self.names.octets_held() + self.facts.capacity() * size_of::<Fact>()
    }

    /// The messages in the order they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter()
    }

    /// The message at a place, from 0.
    pub fn get(&self, place: usize) -> Option<&Message> {
        self.messages.get(place)
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// A name of one of the messages.
    pub fn name(&self, name: NameRef) -> Name<'_> {
        name.of(&self.names)
    }

    /// The facts of a message, in the order its records stand; behind them what DNAME records make of the question.
    pub fn facts(&self, message: &Message) -> &[Fact] {
        let start = message.facts_start as usize;
        self.facts.get(start..start + message.facts_len as usize).unwrap_or_default()
    }
}
