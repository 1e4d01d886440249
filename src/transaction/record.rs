//! How a transaction is kept: half a million of them, each in one line of the cache.
//!
//! Nearly all are alike: a query that was sent once, and answered within a minute by a frame not far behind. Of these a
//! record holds all there is. Of any other, the whole transaction is kept aside ([`super::history`]), and the record
//! has what it is found by.

use super::host::{HostId, SourceMac};
use super::table::{ExchangeKey, Response, Transaction, UNANSWERED, ports_key};
use crate::bounded::Text;
use crate::flow::Transport;
use crate::frame::FrameId;
use crate::message::{Message, RecordType};
use crate::name::NameHash;
use crate::time::Timestamp;

/// The bits of an octet pair that hold the type asked for; above them what else there is to know.
const QTYPE: u16 = (1 << 9) - 1;
const TCP: u16 = 1 << 9;
const TRUNCATED: u16 = 1 << 10;
const HAS_ANSWERS: u16 = 1 << 11;
const PARTIAL: u16 = 1 << 12;
/// Where it stands from where the query came: [`UNSEEN`] or one of the others.
const SOURCE: u32 = 13;
/// The query was not captured; its frame is the response's.
const UNSEEN: u16 = 0;
const NO_MAC: u16 = 1;
const FIRST_MAC: u16 = 2;
const SECOND_MAC: u16 = 3;
/// It is kept aside, and the answer says where.
const ASIDE: u16 = 1 << 15;

/// The bits of an answer, from the lowest: its code, how long it took in nanoseconds, how many frames came until it
/// did, and whether it says that there is nothing of the type. Frames are none only without a query, so 0 is no answer to
/// one.
const RCODE_BITS: u32 = 4;
const TOOK_BITS: u32 = 36;
const FRAMES_BITS: u32 = 23;
const NODATA: u64 = 1 << (RCODE_BITS + TOOK_BITS + FRAMES_BITS);

/// A number of 48 bits.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(2))]
struct Short {
    low: u32,
    high: u16,
}

impl Short {
    #[inline]
    fn of(number: u64) -> Short {
        Short { low: number as u32, high: (number >> 32) as u16 }
    }

    #[inline]
    fn number(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }
}

/// A transaction as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    name: NameHash,
    asked: Timestamp,
    answer: u64,
    name_text: Text,
    client: HostId,
    server: HostId,
    domain: Short,
    frame: Short,
    client_port: u16,
    id: u16,
    ip_id: u16,
    what: u16,
}

const _: () = assert!(size_of::<Record>() == 56);

/// The bits of an answer to a query of a frame and time; `None` if it does not fit. Without a query, that of the
/// response itself.
#[inline]
fn answer((frame, asked): (u64, Timestamp), response: &Response) -> Option<u64> {
    let took = (response.time - asked).0 as u64;
    let frames = response.frame.in_48_bits()?.wrapping_sub(frame);
    let fits = took >> TOOK_BITS == 0 && frames >> FRAMES_BITS == 0;
    let nodata = if response.is_nodata { NODATA } else { 0 };
    fits.then_some(nodata | (frames << TOOK_BITS | took) << RCODE_BITS | u64::from(response.rcode))
}

impl Response {
    /// What is to be known of it beside when it came.
    #[inline]
    fn what(&self) -> u16 {
        flag(self.truncated, TRUNCATED)
            | flag(self.is_partial, PARTIAL)
            | flag(self.has_answers, HAS_ANSWERS)
    }
}

#[inline]
fn flag(is_set: bool, bit: u16) -> u16 {
    if is_set { bit } else { 0 }
}

/// What is compared of the hash of a name's last two labels: what a record has of it. Chains are found by the lower
/// bits, which both have in common.
#[inline]
pub(super) fn kept_domain(domain: NameHash) -> NameHash {
    NameHash(Short::of(domain.0).number())
}

impl Record {
    /// The record of a transaction; `None` of one that does not fit.
    ///
    /// Always inlined: of a query that comes, nearly nothing has to be looked at.
    #[inline(always)]
    pub fn of(whole: &Transaction) -> Option<Record> {
        let is_plain = whole.asked_last == whole.asked
            && whole.retransmissions == 0
            && whole.further_responses == 0
            && whole.place_in_frame == 0
            && whole.qtype.0 <= QTYPE;
        let source = match whole.source_mac {
            _ if !whole.has_query() => UNSEEN,
            SourceMac::None => NO_MAC,
            SourceMac::First => FIRST_MAC,
            SourceMac::Second => SECOND_MAC,
            SourceMac::Other(_) => return None,
        };
        let frame = if source == UNSEEN { whole.response } else { whole.query };
        let frame = frame.in_48_bits().filter(|_| is_plain)?;
        let answer = match whole.response() {
            Some(response) => answer((frame, whole.asked), &response)
                .filter(|answer| *answer != 0 || source == UNSEEN)?,
            None if source == UNSEEN => return None,
            None => 0,
        };
        Some(Record { answer, frame: Short::of(frame), ..Record::outline(whole, source << SOURCE) })
    }

    /// The record of a transaction that is kept aside at a place.
    pub fn aside(whole: &Transaction, place: u32) -> Record {
        Record { answer: u64::from(place), ..Record::outline(whole, ASIDE) }
    }

    /// What a record of any transaction holds.
    #[inline(always)]
    fn outline(whole: &Transaction, what: u16) -> Record {
        Record {
            name: whole.name,
            asked: whole.asked,
            answer: 0,
            name_text: whole.name_text,
            client: whole.client,
            server: whole.server,
            domain: Short::of(whole.domain.0),
            frame: Short { low: 0, high: 0 },
            client_port: whole.client_port,
            id: whole.id,
            ip_id: whole.ip_id,
            what: what
                | whole.qtype.0 & QTYPE
                | flag(whole.transport == Transport::Tcp, TCP)
                | flag(whole.truncated, TRUNCATED)
                | flag(whole.is_partial, PARTIAL)
                | flag(whole.has_answers, HAS_ANSWERS),
        }
    }

    /// Where the transaction is kept, if that is aside.
    #[inline]
    pub fn place_aside(&self) -> Option<u32> {
        (self.what & ASIDE != 0).then_some(self.answer as u32)
    }

    /// Notes the response; returns false if that does not fit.
    #[inline]
    pub fn close(&mut self, response: &Response) -> bool {
        if self.what & ASIDE != 0 || self.answer != 0 || self.source() == UNSEEN {
            return false;
        }
        let query = self.frame.number();
        let Some(answer) = answer((query, self.asked), response) else { return false };
        if answer != 0 {
            (self.answer, self.what) = (answer, self.what | response.what());
        }
        answer != 0
    }

    /// The transaction, unless it is kept aside.
    #[inline(always)]
    pub fn whole(&self) -> Transaction {
        let has = |bit: u16| self.what & bit != 0;
        let source = self.source();
        let frame = self.frame.number();
        let frames = (self.answer & !NODATA) >> (RCODE_BITS + TOOK_BITS);
        Transaction {
            query: match source {
                UNSEEN => FrameId::NONE,
                _ => FrameId::from_48_bits(frame),
            },
            response: match self.is_answered() {
                true => FrameId::from_48_bits(frame + frames),
                false => FrameId::NONE,
            },
            asked: self.asked,
            asked_last: self.asked,
            answered: self.answered(),
            client: self.client,
            server: self.server,
            client_port: self.client_port,
            id: self.id,
            qtype: RecordType(self.what & QTYPE),
            rcode: self.rcode(),
            transport: if has(TCP) { Transport::Tcp } else { Transport::Udp },
            truncated: has(TRUNCATED),
            is_partial: has(PARTIAL),
            has_answers: has(HAS_ANSWERS),
            is_nodata: self.answer & NODATA != 0,
            retransmissions: 0,
            further_responses: 0,
            place_in_frame: 0,
            name: self.name,
            domain: self.domain(),
            name_text: self.name_text,
            source_mac: match source {
                FIRST_MAC => SourceMac::First,
                SECOND_MAC => SourceMac::Second,
                _ => SourceMac::None,
            },
            ip_id: self.ip_id,
        }
    }

    #[inline]
    fn source(&self) -> u16 {
        self.what >> SOURCE & 3
    }

    #[inline]
    fn is_answered(&self) -> bool {
        self.answer != 0 || self.source() == UNSEEN
    }

    #[inline]
    fn answered(&self) -> Timestamp {
        let took = self.answer >> RCODE_BITS & ((1 << TOOK_BITS) - 1);
        if self.is_answered() {
            Timestamp(self.asked.0.wrapping_add(took as i64))
        } else {
            UNANSWERED
        }
    }

    #[inline]
    fn rcode(&self) -> u8 {
        (self.answer & ((1 << RCODE_BITS) - 1)) as u8
    }

    /// When its query was first seen.
    #[inline]
    pub fn asked(&self) -> Timestamp {
        self.asked
    }

    /// Who asked, and who was asked.
    #[inline]
    pub fn ends(&self) -> (HostId, HostId) {
        (self.client, self.server)
    }

    /// As [`kept_domain`] has it.
    #[inline]
    pub fn domain(&self) -> NameHash {
        NameHash(self.domain.number())
    }

    /// By what messages are matched with it.
    #[inline]
    pub fn key(&self) -> u64 {
        ports_key(self.client, self.server, self.client_port, self.id)
    }
}

/// A transaction as it is kept, for who wants a little of it: that is asked of each one when its response comes.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'h> {
    pub(super) record: &'h Record,
    pub(super) aside: Option<&'h Transaction>,
}

impl RecordView<'_> {
    /// All of it.
    #[inline]
    pub fn whole(self) -> Transaction {
        self.aside.copied().unwrap_or_else(|| self.record.whole())
    }

    /// Who asked, and who was asked.
    #[inline]
    pub fn ends(self) -> (HostId, HostId) {
        self.record.ends()
    }

    /// When the query was first seen.
    #[inline]
    pub fn asked(self) -> Timestamp {
        self.record.asked
    }

    /// When it was last seen (retransmitted).
    #[inline]
    pub fn asked_last(self) -> Timestamp {
        self.aside.map_or(self.record.asked, |whole| whole.asked_last)
    }

    /// When the response was first seen.
    #[inline]
    pub fn answered(self) -> Option<Timestamp> {
        let answered = self.aside.map_or_else(|| self.record.answered(), |whole| whole.answered);
        Some(answered).filter(|at| *at != UNANSWERED)
    }

    /// Whether the query itself is in the capture.
    #[inline]
    pub fn has_query(self) -> bool {
        self.aside.map_or_else(|| self.record.source() != UNSEEN, Transaction::has_query)
    }

    /// How often the query was sent again.
    #[inline]
    pub(super) fn retransmissions(self) -> u8 {
        self.aside.map_or(0, |whole| whole.retransmissions)
    }

    /// Whether it is of this question, between these ports.
    #[inline]
    pub(super) fn asks(self, asked: &ExchangeKey) -> bool {
        let Record { name, client, server, client_port, id, what, .. } = *self.record;
        let what = what & (QTYPE | TCP);
        name == asked.name
            && (client, server, client_port, id)
                == (asked.client, asked.server, asked.client_port, asked.id)
            && what == asked.qtype.0 & QTYPE | flag(asked.transport == Transport::Tcp, TCP)
            && self.aside.map_or(asked.qtype.0 <= QTYPE, |whole| whole.qtype == asked.qtype)
    }

    /// Whether a query is the same packet as its own, delivered a second time by the mirror: a
    /// moment later and, where IPv4 numbers its packets, with the same identification.
    pub(super) fn has_copy(self, query: &Message) -> bool {
        self.whole().has_copy(query)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flow::Mac;

    fn any_transaction() -> impl Strategy<Value = Transaction> {
        let frame = || {
            let file = prop_oneof![Just(0u16), 0..3u16, any::<u16>()];
            let number = prop_oneof![1..9u64, 0..1u64 << 26, 0..1u64 << 48];
            (file, number).prop_map(|(file, number)| FrameId::new(file, number))
        };
        let moment = || prop_oneof![0..9i64, 0..1i64 << 38, 0..i64::MAX >> 1];
        let answered =
            (frame(), prop_oneof![Just(UNANSWERED.0), moment()], 0..16u8, any::<[bool; 4]>());
        let asked =
            (prop_oneof![1 => Just(FrameId::NONE), 4 => frame()], moment(), moment(), 0..4usize);
        let rare = prop_oneof![4 => Just((0u8, 0u8)), 1 => any::<(u8, u8)>()];
        let what = (any::<[u32; 2]>(), any::<[u16; 3]>(), any::<bool>(), any::<[u64; 2]>());
        let qtype = prop_oneof![0..300u16, any::<u16>()];
        (answered, asked, rare, what, qtype).prop_map(|(answered, asked, rare, what, qtype)| {
            let (response, at, rcode, [truncated, is_partial, has_answers, nodata]) = answered;
            let (query, first, last, mac) = asked;
            let ([client, server], [client_port, id, ip_id], tcp, [name, domain]) = what;
            let is_answered = at != UNANSWERED.0;
            Transaction {
                query,
                response: if is_answered { response } else { FrameId::NONE },
                asked: Timestamp(first),
                asked_last: Timestamp(if last % 4 == 0 { last } else { first }),
                answered: Timestamp(at),
                client: HostId(client),
                server: HostId(server),
                client_port,
                id,
                qtype: RecordType(qtype),
                rcode: if is_answered { rcode } else { 0 },
                transport: if tcp { Transport::Tcp } else { Transport::Udp },
                truncated,
                is_partial,
                has_answers,
                is_nodata: is_answered && nodata,
                retransmissions: rare.0,
                further_responses: rare.0 / 2,
                place_in_frame: rare.1,
                name: NameHash(name),
                domain: kept_domain(NameHash(domain)),
                name_text: Text::default(),
                source_mac: match mac {
                    _ if !query.is_some() => SourceMac::None,
                    0 => SourceMac::None,
                    1 => SourceMac::First,
                    2 => SourceMac::Second,
                    _ => SourceMac::Other(Mac([2; 6])),
                },
                ip_id,
            }
        })
    }

    proptest! {
        #[test]
        fn what_a_record_takes_it_gives_back(whole in any_transaction()) {
            if let Some(record) = Record::of(&whole) {
                prop_assert_eq!(record.place_aside(), None);
                prop_assert_eq!(format!("{:?}", record.whole()), format!("{whole:?}"));
            }
            let record = Record::aside(&whole, 7);
            prop_assert_eq!(record.place_aside(), Some(7));
            prop_assert_eq!(record.asked(), whole.asked);
            prop_assert_eq!(record.domain(), whole.domain);
            prop_assert_eq!(record.key(), whole.key());
        }
    }
}
