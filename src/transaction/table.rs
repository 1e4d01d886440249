//! The table of transactions: matching, retransmissions, mirrored copies.

use std::cell::RefCell;

use super::age::Ages;
use super::chain_index::{About, ChainIndex, Order};
use super::history::History;
use super::host::{HostId, Hosts, SourceMac};
use super::recent::{Needed, Recent};
use super::record::{RecordView, kept_domain};
use super::repeats::Repeat;
use crate::bounded::{Ring, Sequence, Text, TextRing};
use crate::flow::{Mac, Transport};
use crate::frame::FrameId;
use crate::message::{Message, Messages, NO_VLAN, NameRef, Question, RecordType, is_conclusive};
use crate::name::{Name, NameHash};
use crate::packet::Ports;
use crate::time::{Span, Timestamp};

/// How long a query can wait for its response. Unbound answers after up to a minute.
pub(super) const OPEN_MAX: Span = Span::from_secs(70);
/// Who has heard nothing asks again within this time, under the same id and from the same port: stub resolvers after up to
/// 15 s.
const AGAIN_MAX: Span = Span::from_secs(20);
/// Two sightings of one packet by a mirror port lie closer together than this.
pub(super) const MIRROR_MAX: Span = Span::from_millis(20);
/// A packet that IPv4 numbered is still the same one after this time: sent again, it has another number.
const NUMBERED_MIRROR_MAX: Span = Span::from_millis(300);
/// No time at all: an `Option` would take another word.
pub(super) const UNANSWERED: Timestamp = Timestamp(i64::MIN);
/// How many hosts known as resolvers are kept for good. Somebody who makes up hosts that ask and answer
/// could else fill the table with them.
const RESOLVERS_MAX: usize = 1 << 12;
/// How many transactions about a domain are gone through for the port that an answer went to.
const OTHERWISE_MAX: usize = 64;
/// How many of the latest transactions are looked at for others of its port.
const SHARED_MAX: usize = 256;
/// Answers that are made up come with the true one.
const RACE_MAX: Span = Span::from_secs(2);
/// The class of the Internet (RFC 1035 section 3.2.4).
const CLASS_IN: u16 = 1;

/// One query with its response, or the lack of one, between two hosts.
#[derive(Clone, Copy, Debug)]
pub struct Transaction {
    /// The frame of the query; none when it was not captured.
    pub query: FrameId,
    /// The frame of the response; none until it is seen.
    pub response: FrameId,
    /// When the query was first seen; when the query was not captured, the time of the response.
    pub asked: Timestamp,
    /// When it was last seen (retransmitted).
    pub asked_last: Timestamp,
    /// When the response was first seen; [`UNANSWERED`] until then.
    pub(super) answered: Timestamp,
    /// Who asked.
    pub client: HostId,
    /// Who was asked.
    pub server: HostId,
    /// The client's port.
    pub client_port: u16,
    /// The message id.
    pub id: u16,
    /// The type asked for.
    pub qtype: RecordType,
    /// The response's code.
    pub rcode: u8,
    /// By UDP or TCP.
    pub transport: Transport,
    /// Whether the response said "ask again over TCP".
    pub truncated: bool,
    /// Whether some of the response could not be read: the snaplen cut it, or it is malformed.
    pub is_partial: bool,
    /// Whether the response carried an answer record.
    pub has_answers: bool,
    /// Whether it said that there is nothing of the type asked for (RFC 2308 section 2.2).
    pub is_nodata: bool,
    /// How often the query was sent again.
    pub retransmissions: u8,
    /// How many responses came beside the first: some servers answer each time that it was sent.
    pub(super) further_responses: u8,
    /// How many messages the frame of its first message held before that one: a TCP segment holds several.
    pub place_in_frame: u8,
    /// Keyed hash of the name asked for.
    pub name: NameHash,
    /// Keyed hash of its last two labels, 48 bits of it.
    pub domain: NameHash,
    /// The name as it was written in the query.
    pub(super) name_text: Text,
    /// Where the query came from; [`Transactions::client_mac`] has the address.
    pub(super) source_mac: SourceMac,
    pub(super) ip_id: u16,
}

impl Transaction {
    /// Whether the query itself is in the capture.
    pub fn has_query(&self) -> bool {
        self.query.is_some()
    }

    /// When the response was first seen.
    pub fn answered(&self) -> Option<Timestamp> {
        Some(self.answered).filter(|at| *at != UNANSWERED)
    }

    /// Whether it was answered and told of no failure.
    pub fn is_served(&self) -> bool {
        self.answered().is_some() && is_conclusive(self.rcode)
    }

    /// The frame that it was seen in first: of the query, or if that is missing of the response.
    pub fn first_frame(&self) -> FrameId {
        if self.has_query() { self.query } else { self.response }
    }

    /// When nobody waited for it any more: the response's time, or long after the last query.
    pub fn closed(&self) -> Timestamp {
        self.answered().unwrap_or(self.asked_last + OPEN_MAX)
    }

    /// Whether the packets of both queries bear the same number (RFC 791); those without one do.
    pub fn has_ip_id_of(&self, other: &Transaction) -> bool {
        self.ip_id == other.ip_id
    }

    /// Whether both ask the same thing.
    pub fn same_question(&self, other: &Transaction) -> bool {
        self.name == other.name && self.qtype == other.qtype
    }
}

/// What a message did to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A new query.
    Asked(Sequence),
    /// The query of a transaction, sent or seen again; or the query of a response that came before it.
    AskedAgain(Sequence),
    /// The response of a known query.
    Answered(Sequence),
    /// A response whose query was not captured.
    AnsweredUnasked(Sequence),
    /// Neither: a copy of a response, an opcode other than QUERY, a message without question.
    Nothing,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Transactions; beyond it the oldest are forgotten. An eighth as many retransmissions are kept.
    pub transactions: usize,
    /// Octets of names.
    pub names: usize,
    /// Hosts; beyond it see [`Hosts`].
    pub hosts: usize,
}

/// What happened in the table, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Queries, without retransmissions and copies.
    pub queries: u64,
    /// Responses that were matched with their query.
    pub answered: u64,
    /// Responses without a captured query.
    pub unasked: u64,
    /// Queries sent again.
    pub retransmissions: u64,
    /// Frames that the mirror port delivered twice.
    pub copies: u64,
    /// Messages that are no standard query or lack a question.
    pub other: u64,
    /// Messages whose direction makes no sense: a response sent to port 53, say.
    pub misdirected: u64,
    /// Responses to a question that was asked otherwise: made up, or broken.
    pub mismatched: u64,
    /// Messages of hosts for which there was no room.
    pub no_room: u64,
}

/// The transactions kept, newest last, with the hosts they run between.
#[derive(Debug)]
pub struct Transactions {
    pub(super) history: History,
    pub(super) order: Order,
    /// Long chains that were looked at. Looking changes nothing of what is found.
    pub(super) cuts: RefCell<ChainIndex>,
    /// What a response or a repeated query is looked for in. Of open queries with one id between two
    /// ports, the latest eight at least are told apart.
    recent: Recent,
    ages: Ages,
    /// The latest frame, and how many of its messages were taken.
    latest: (FrameId, u8),
    names: TextRing,
    pub(super) repeats: Ring<Repeat, 1>,
    hosts: Hosts,
    pub(super) counters: Counters,
    ports: Ports,
    /// How many transactions [`Transactions::before`] has gone through.
    #[cfg(test)]
    pub(crate) gone_through: std::cell::Cell<u64>,
}

impl Transactions {
    /// An empty table. `ports` tells which end of a flow is the server.
    pub fn new(limits: Limits, ports: Ports) -> Transactions {
        Transactions {
            history: History::new(limits.transactions),
            order: Order::new(),
            cuts: RefCell::new(ChainIndex::new(limits.transactions)),
            recent: Recent::new(limits.transactions),
            ages: Ages::new(limits.transactions),
            latest: (FrameId::NONE, 0),
            names: TextRing::new(limits.names),
            repeats: Ring::new(limits.transactions / 8),
            hosts: Hosts::new(limits.hosts),
            counters: Counters::default(),
            ports,
            #[cfg(test)]
            gone_through: std::cell::Cell::default(),
        }
    }

    /// How many transactions are kept at most.
    pub fn limit(&self) -> usize {
        self.history.limit()
    }

    /// Takes all the memory that transactions and their names can come to need.
    pub fn take_room(&mut self) {
        self.history.take_room();
        self.names.take_room();
    }

    /// Takes the next message of the capture.
    pub fn take(&mut self, messages: &Messages, message: &Message) -> Event {
        let Some(question) = message.question.filter(|_| message.flags.opcode() == 0) else {
            if message.flags.is_response() && message.question.is_none() {
                return self.take_bare_response(message);
            }
            self.counters.other += 1;
            return Event::Nothing;
        };
        let is_response = message.flags.is_response();
        let flow = message.flow;
        let (client_end, server_end) = if is_response {
            (flow.destination, flow.source)
        } else {
            (flow.source, flow.destination)
        };
        if !self.ports.contains(server_end.port) {
            self.counters.misdirected += 1;
            return Event::Nothing;
        }
        let kept_since = self.history.began().unwrap_or(message.time);
        let (client, server) = (client_end.address, server_end.address);
        let Some((client, server)) = self.hosts.pair(client, server, message.time, kept_since)
        else {
            self.counters.no_room += 1;
            return Event::Nothing;
        };
        let asked = ExchangeKey {
            client,
            server,
            client_port: client_end.port,
            id: message.id,
            qtype: question.rtype,
            transport: flow.transport,
            name: question.name.hash,
        };
        let place_in_frame = self.place_in_frame(message.frame);
        if is_response {
            let serves = question.class == CLASS_IN && !is_refusal(message.rcode());
            self.note_sender(server, message, |host| {
                host.answers += 1;
                host.has_served |= serves;
            });
            self.take_response(asked, messages, message, (question.name, place_in_frame))
        } else {
            self.history.ask_for_chain(About::BY_SERVER, domain_key(server, question.name.domain));
            self.take_query(asked, messages, message, (question, place_in_frame))
        }
    }

    /// How many messages of this frame came before this one.
    #[inline]
    fn place_in_frame(&mut self, frame: FrameId) -> u8 {
        let (latest, taken) = self.latest;
        let before = if latest == frame { taken } else { 0 };
        self.latest = (frame, before.saturating_add(1));
        before
    }

    #[inline]
    fn note_sender(
        &mut self,
        host: HostId,
        message: &Message,
        count: impl FnOnce(&mut super::Host),
    ) {
        self.hosts.note_sender(host, (message.time, message.source_mac), count);
    }

    #[inline]
    fn take_query(
        &mut self,
        asked: ExchangeKey,
        messages: &Messages,
        message: &Message,
        (question, place_in_frame): (Question, u8),
    ) -> Event {
        let name = question.name;
        let known = self.find(&asked, |old| {
            // A query seen before, or the query of a response that the mirror delivered first.
            old.asked_last() + OPEN_MAX >= message.time
                && match (old.has_query(), old.answered()) {
                    // Whoever goes on for longer, under the same id and from the same port, asks anew: a beacon without an
                    // answer would be one question for as long as it lasts.
                    (true, None) => {
                        old.asked_last() + AGAIN_MAX >= message.time
                            && old.asked() + OPEN_MAX >= message.time
                    }
                    (true, Some(_)) => old.has_copy(message),
                    (false, Some(at)) => (message.time - at).abs() < MIRROR_MAX,
                    (false, None) => false,
                }
        });
        let Some((sequence, old)) = known else {
            self.counters.queries += 1;
            let iterating = u32::from(!message.flags.recursion_desired());
            let [.., additional] = message.counts;
            let is_checking = matches!(question.rtype, RecordType::DS | RecordType::DNSKEY);
            self.note_sender(asked.client, message, |host| {
                if host.vlan == NO_VLAN {
                    host.vlan = message.vlan;
                }
                host.asks += 1;
                host.asks_iterating += iterating;
                host.asks_edns += u32::from(additional > 0);
                host.asks_checking = host.asks_checking.saturating_add(u16::from(is_checking));
            });
            // What a server is (`version.bind`) is asked by who scans, of whatever host.
            let wants_served = question.class == CLASS_IN;
            self.hosts.note_seen(asked.server, message.time, |server| {
                server.asked += u32::from(wants_served);
            });
            let new = Transaction {
                query: message.frame,
                source_mac: self.source_mac(asked.client, message),
                ip_id: message.ip_id,
                ..Transaction::new(asked, message.time, name.domain, place_in_frame)
            };
            return Event::Asked(self.push(new, messages.name(name)));
        };
        let mut old = old.whole();
        if !old.has_query() {
            old.query = message.frame;
            old.source_mac = self.source_mac(old.client, message);
            old.ip_id = message.ip_id;
            old.asked = message.time.min(old.asked);
            self.counters.unasked = self.counters.unasked.saturating_sub(1);
            self.counters.queries += 1;
            self.counters.answered += 1;
        } else if old.has_copy(message) {
            self.counters.copies += 1;
            old.asked = old.asked.min(message.time);
        } else {
            self.counters.retransmissions += 1;
            old.retransmissions = old.retransmissions.saturating_add(1);
            old.asked_last = old.asked_last.max(message.time);
            old.ip_id = message.ip_id;
            self.ages.note(sequence, message.time);
            self.note_again(sequence, message, false);
        }
        self.history.put(sequence, &old);
        Event::AskedAgain(sequence)
    }

    #[inline]
    fn take_response(
        &mut self,
        asked: ExchangeKey,
        messages: &Messages,
        message: &Message,
        (name, place_in_frame): (NameRef, u8),
    ) -> Event {
        let known = self.find(&asked, |old| old.asked_last() + OPEN_MAX >= message.time);
        let Some((sequence, old)) = known else {
            if self.is_asked_otherwise(&asked, name.domain, message.time) {
                self.counters.mismatched += 1;
                return Event::Nothing;
            }
            return self.take_unasked(asked, messages, message, (name, place_in_frame));
        };
        if old.answered().is_some() {
            let old = old.whole();
            self.take_further_response(sequence, old, message);
            return Event::Nothing;
        }
        // To each time that it was sent a response may come.
        if old.retransmissions() == 0 {
            self.recent.close(asked.key(), sequence, message.time);
        }
        self.history.close(sequence, &Response::of(message));
        self.counters.answered += 1;
        Event::Answered(sequence)
    }

    /// Takes a response whose query was not captured.
    #[inline(never)]
    fn take_unasked(
        &mut self,
        asked: ExchangeKey,
        messages: &Messages,
        message: &Message,
        (name, place_in_frame): (NameRef, u8),
    ) -> Event {
        self.counters.unasked += 1;
        self.hosts.note_seen(asked.client, message.time, |client| client.asks += 1);
        let mut new = Transaction::new(asked, message.time, name.domain, place_in_frame);
        new.close(&Response::of(message));
        Event::AnsweredUnasked(self.push(new, messages.name(name)))
    }

    /// Whether a response that answers no query seen is to the port from which something else was asked: under the
    /// same id, or about the same domain under another. Whoever makes answers up has to guess the id (RFC 5452), and
    /// no resolver takes what does not answer the question that it asked. But of several from one port one is missing.
    fn is_asked_otherwise(&self, asked: &ExchangeKey, domain: NameHash, now: Timestamp) -> bool {
        if asked.transport != Transport::Udp {
            return false;
        }
        let is_open = |old: &Transaction| {
            old.has_query()
                && old.asked_last + OPEN_MAX >= now
                && (old.client, old.server, old.client_port, old.transport)
                    == (asked.client, asked.server, asked.client_port, asked.transport)
        };
        let is_it = |old: &Transaction| is_open(old) && old.id == asked.id;
        let has_id = |old: RecordView<'_>| is_it(&old.whole());
        if self.find_recent(asked.key(), has_id).is_some() {
            return true;
        }
        // All that is gone through counts: of responses alone there may be any number.
        let latest_about = self.with_server(asked.server, domain).take(OTHERWISE_MAX);
        let mut open = latest_about.filter(|(_, old)| is_open(old)).peekable();
        let Some((_, one)) = open.peek().copied() else { return false };
        let is_internal = self.hosts.get(asked.server).is_some_and(|s| s.address.is_internal());
        let latest = self.before(self.next()).take(SHARED_MAX);
        let is_shared = latest.filter(|(_, old)| is_open(old)).any(|(_, old)| old.id != one.id);
        let is_lost = |old: &Transaction| match (old.name == asked.name, old.qtype == asked.qtype) {
            (true, true) => is_shared && old.answered().is_some_and(|at| at + RACE_MAX < now),
            // Who can send to it from outside could else ask for the other family in its place.
            (same_name, _) => is_shared || same_name && is_internal,
        };
        !open.all(|(_, old)| is_lost(&old))
    }

    /// A response without its question (a FORMERR, say) belongs to the open query of its ports and id.
    fn take_bare_response(&mut self, message: &Message) -> Event {
        let (client, server) = (message.flow.destination, message.flow.source);
        let ids = (self.hosts.find(client.address), self.hosts.find(server.address));
        let (Some(client_id), Some(server_id)) = ids else {
            self.counters.other += 1;
            return Event::Nothing;
        };
        let key = ports_key(client_id, server_id, client.port, message.id);
        let is_it = |old: RecordView<'_>| {
            let old = old.whole();
            (old.client, old.server, old.client_port, old.id)
                == (client_id, server_id, client.port, message.id)
                && old.answered().is_none()
                && old.transport == message.flow.transport
        };
        let Some((sequence, _)) = self.find_recent(key, is_it) else {
            self.counters.other += 1;
            return Event::Nothing;
        };
        self.history.close(sequence, &Response::of(message));
        self.recent.close(key, sequence, message.time);
        self.note_sender(server_id, message, |host| host.answers += 1);
        self.counters.answered += 1;
        Event::Answered(sequence)
    }

    /// The newest transaction under way of a question that `fits`.
    #[inline]
    fn find(
        &self,
        asked: &ExchangeKey,
        fits: impl Fn(RecordView<'_>) -> bool,
    ) -> Option<(Sequence, RecordView<'_>)> {
        self.find_recent(asked.key(), |old| old.asks(asked) && fits(old))
    }

    /// The newest transaction under way with a key that `fits`.
    #[inline]
    fn find_recent(
        &self,
        key: u64,
        fits: impl Fn(RecordView<'_>) -> bool,
    ) -> Option<(Sequence, RecordView<'_>)> {
        let mut found = None;
        let sequence = self.recent.find(key, self.history.next(), |number| {
            found = self.history.get(number).filter(|old| fits(*old));
            found.is_some()
        });
        sequence.zip(found)
    }

    /// Which of the link-layer addresses that its sender is known by a query came from.
    #[inline]
    fn source_mac(&self, client: HostId, query: &Message) -> SourceMac {
        let client = self.hosts.get(client);
        client.map_or(SourceMac::None, |client| client.source_mac(query.source_mac))
    }

    #[inline(always)]
    fn push(&mut self, mut new: Transaction, name: Name<'_>) -> Sequence {
        new.name_text = self.names.push(new.name.0, name.wire());
        let asks_upstream = self.hosts.are_found_by_client((new.client, new.server));
        let keys = [
            Some(domain_key(new.server, new.domain)),
            asks_upstream.then(|| domain_key(new.client, new.domain)),
        ];
        let (key, is_answered, now) = (new.key(), new.answered().is_some(), new.asked);
        let sequence = self.history.push(new, keys);
        self.names.note(sequence);
        self.order.note(sequence, now);
        let Transactions { history, recent, ages, .. } = self;
        ages.push(sequence, now);
        let needed = Needed { since: ages.since(history.oldest()), next: sequence, now };
        recent.insert(key, needed, |sequence| history.key(sequence));
        if is_answered {
            recent.close(key, sequence, now);
        }
        sequence
    }

    /// A transaction by its number, unless it is forgotten.
    pub fn get(&self, sequence: Sequence) -> Option<Transaction> {
        self.kept(sequence).map(RecordView::whole)
    }

    /// A transaction by its number, unless it is forgotten, for who wants a little of it.
    #[inline]
    pub fn kept(&self, sequence: Sequence) -> Option<RecordView<'_>> {
        self.history.get(sequence)
    }

    /// The link-layer source of the query of a transaction.
    pub fn client_mac(&self, transaction: &Transaction) -> Mac {
        let client = self.hosts.get(transaction.client);
        client.map_or(Mac::default(), |client| client.mac(transaction.source_mac))
    }

    /// The name a transaction asks for; the root once it is forgotten.
    pub fn name(&self, transaction: &Transaction) -> Name<'_> {
        self.names.get(transaction.name_text).map_or(Name::ROOT, Name::from_wire)
    }

    /// Whether a transaction's name is still kept.
    pub fn has_name(&self, transaction: &Transaction) -> bool {
        self.names.get(transaction.name_text).is_some()
    }

    /// The kept transactions before one, newest first.
    pub fn before(&self, sequence: Sequence) -> impl Iterator<Item = (Sequence, Transaction)> {
        let oldest = self.history.oldest().0;
        (oldest..sequence.0).rev().filter_map(|n| {
            #[cfg(test)]
            self.gone_through.set(self.gone_through.get() + 1);
            Some((Sequence(n), self.get(Sequence(n))?))
        })
    }

    /// The kept transactions since one, oldest first.
    pub fn since(&self, sequence: Sequence) -> impl Iterator<Item = (Sequence, Transaction)> {
        (sequence.0 + 1..self.history.next().0)
            .filter_map(|n| Some((Sequence(n), self.get(Sequence(n))?)))
    }

    /// The number of the oldest transaction kept.
    pub fn oldest(&self) -> Sequence {
        self.history.oldest()
    }

    /// How many of the latest transactions have their names for sure: the history reaches no further back. All that it
    /// has room for, unless names are much longer than usual.
    pub fn reach(&self) -> u64 {
        let limit = self.limit() as u64;
        match self.names.whole_since() {
            Sequence(0) => limit,
            since => limit.min(self.next().0 - since.0),
        }
    }

    /// The number that the next transaction will have.
    pub fn next(&self) -> Sequence {
        self.history.next()
    }

    /// Notes which hosts are known as resolvers: their numbers must stay. Of more than
    /// 4,096, the later ones may go.
    pub fn note_resolvers(&mut self, resolvers: impl Iterator<Item = HostId>) {
        for id in resolvers.take(RESOLVERS_MAX) {
            if let Some(host) = self.hosts.get_mut(id) {
                host.is_resolver = true;
            }
        }
    }

    /// The hosts.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// What happened so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many transactions were forgotten for lack of room.
    pub fn forgotten(&self) -> u64 {
        self.history.forgotten()
    }
}

/// What a query and its response agree in.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExchangeKey {
    pub client: HostId,
    pub server: HostId,
    pub client_port: u16,
    pub id: u16,
    pub qtype: RecordType,
    pub transport: Transport,
    pub name: NameHash,
}

impl ExchangeKey {
    /// By what messages are matched with it.
    #[inline]
    fn key(&self) -> u64 {
        ports_key(self.client, self.server, self.client_port, self.id)
    }
}

/// What a transaction keeps of its response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Response {
    pub frame: FrameId,
    pub time: Timestamp,
    pub rcode: u8,
    pub truncated: bool,
    pub is_partial: bool,
    pub has_answers: bool,
    pub is_nodata: bool,
}

impl Response {
    #[inline]
    fn of(message: &Message) -> Response {
        let [_, answers, ..] = message.counts;
        Response {
            frame: message.frame,
            time: message.time,
            rcode: message.rcode(),
            truncated: message.flags.is_truncated(),
            is_partial: message.malformed.is_some(),
            has_answers: answers > 0,
            is_nodata: answers == 0 && is_nodata(message),
        }
    }
}

impl Transaction {
    /// One of which there is neither query nor response yet.
    #[inline]
    fn new(
        asked: ExchangeKey,
        time: Timestamp,
        domain: NameHash,
        place_in_frame: u8,
    ) -> Transaction {
        let ExchangeKey { client, server, client_port, id, qtype, transport, name } = asked;
        Transaction {
            query: FrameId::NONE,
            response: FrameId::NONE,
            asked: time,
            asked_last: time,
            answered: UNANSWERED,
            client,
            server,
            client_port,
            id,
            qtype,
            rcode: 0,
            transport,
            truncated: false,
            is_partial: false,
            has_answers: false,
            is_nodata: false,
            retransmissions: 0,
            further_responses: 0,
            place_in_frame,
            name,
            domain: kept_domain(domain),
            name_text: Text::default(),
            source_mac: SourceMac::None,
            ip_id: 0,
        }
    }

    /// By what messages are matched with it.
    #[inline]
    pub(super) fn key(&self) -> u64 {
        ports_key(self.client, self.server, self.client_port, self.id)
    }

    /// Notes its response.
    #[inline]
    pub(super) fn close(&mut self, response: &Response) {
        let Response { frame, time, rcode, truncated, is_partial, has_answers, is_nodata } =
            *response;
        (self.response, self.answered, self.rcode) = (frame, time, rcode);
        self.truncated = truncated;
        (self.is_partial, self.has_answers, self.is_nodata) = (is_partial, has_answers, is_nodata);
    }

    /// Its response, if that was seen.
    #[inline]
    pub(super) fn response(&self) -> Option<Response> {
        let Transaction { rcode, truncated, is_partial, has_answers, is_nodata, .. } = *self;
        self.answered().map(|time| Response {
            frame: self.response,
            time,
            rcode,
            truncated,
            is_partial,
            has_answers,
            is_nodata,
        })
    }

    /// Whether a query is the same packet as its own, delivered a second time by the mirror: a
    /// moment later and, where IPv4 numbers its packets (RFC 6864), with the same identification.
    pub(super) fn has_copy(&self, query: &Message) -> bool {
        let within = if query.ip_id == 0 { MIRROR_MAX } else { NUMBERED_MIRROR_MAX };
        (query.time - self.asked_last).abs() < within
            && query.ip_id == self.ip_id
            && query.source_mac.is_some() == self.source_mac.is_some()
    }
}

/// Whether a response without an answer says that there is nothing of the type asked for (NODATA, RFC 2308 section 2.2): it
/// refers to no other servers, and does not come from one that knows nothing of it.
fn is_nodata(response: &Message) -> bool {
    let [_, _, authority, _] = response.counts;
    let flags = response.flags;
    response.rcode() == 0
        && !flags.is_truncated()
        && response.malformed.is_none()
        && !response.has_facts()
        && (authority > 0 || flags.is_authoritative())
}

/// Whether a code says that the server does not do such things: FORMERR, NOTIMP, REFUSED (RFC 1035 section 4.1.1).
fn is_refusal(rcode: u8) -> bool {
    matches!(rcode, 1 | 4 | 5)
}

#[inline]
pub(super) fn ports_key(client: HostId, server: HostId, port: u16, id: u16) -> u64 {
    let hosts = u64::from(client.0) << 32 | u64::from(server.0);
    hosts.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ (u64::from(port) << 16 | u64::from(id))
}

pub(super) fn domain_key(host: HostId, domain: NameHash) -> u64 {
    domain.0 ^ u64::from(host.0).wrapping_mul(0xff51_afd7_ed55_8ccd)
}
