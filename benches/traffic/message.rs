//! DNS messages (RFC 1035) written fast, names compressed as servers do.

use super::names::Chain;

/// Asked for.
pub const A: u16 = 1;
/// Asked for.
pub const AAAA: u16 = 28;
/// Asked for (RFC 9460); never answered here but with a SOA record.
pub const HTTPS: u16 = 65;
const CNAME: u16 = 5;
const SOA: u16 = 6;

/// The recursion-desired flag.
pub const RECURSION_DESIRED: u16 = 0x0100;
/// A recursive resolver's response.
pub const RESPONSE: u16 = 0x8180;
/// The flag of a response that did not fit.
pub const TRUNCATED: u16 = 0x0200;

/// A message under construction.
#[derive(Debug, Default)]
pub struct Writer {
    /// Its octets so far.
    pub octets: Vec<u8>,
    /// Each name and parent name that stands in it, and where.
    written: Vec<(u64, u16)>,
}

/// What is asked, and how.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The message id.
    pub id: u16,
    /// The type asked for.
    pub qtype: u16,
    /// Whether an OPT record (RFC 6891) is added.
    pub edns: bool,
}

impl Writer {
    /// A query for the first of `names`.
    pub fn query(&mut self, question: Question, name: &str) {
        self.header(question, RECURSION_DESIRED, [0, 0]);
        self.question(question, name);
        self.opt(question);
    }

    /// A response without records.
    pub fn empty_response(&mut self, question: Question, name: &str, flags: u16) {
        self.header(question, RESPONSE | flags, [0, 0]);
        self.question(question, name);
        self.opt(question);
    }

    /// The response for a chain; `seed` makes up its addresses.
    pub fn response(&mut self, question: Question, chain: &Chain, seed: u64) {
        let Some(name) = chain.names.first() else { return };
        let aliases = chain.names.len() as u16 - 1;
        let addresses = if question.qtype == HTTPS { 0 } else { u16::from(chain.addresses) };
        let rcode = if chain.addresses == 0 { 3 } else { 0 };
        let authority = u16::from(addresses == 0);
        self.header(question, RESPONSE | rcode, [aliases + addresses, authority]);
        self.question(question, name);
        for (owner, target) in chain.names.iter().zip(chain.names.iter().skip(1)) {
            self.record(owner, CNAME, 300 + seed as u32 % 3_300, |writer| writer.name(target));
        }
        let tail = chain.names.last().unwrap_or(name);
        for place in 0..u64::from(addresses) {
            let octets = (seed.wrapping_add(place)).to_be_bytes();
            self.record(tail, question.qtype, 20 + seed as u32 % 280, |writer| {
                if question.qtype == AAAA {
                    writer.octets.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0]);
                    writer.octets.extend(octets);
                } else {
                    writer.octets.extend([198, 18 + (octets[5] & 1), octets[6], octets[7]]);
                }
            });
        }
        if authority == 1 {
            let zone = tail.split_once('.').map_or(tail.as_str(), |(_, parent)| parent);
            self.record(zone, SOA, 900, |writer| {
                writer.name(&format!("ns1.{zone}"));
                writer.name(&format!("hostmaster.{zone}"));
                for word in [2_026_110_101_u32, 7_200, 3_600, 1_209_600, 900] {
                    writer.octets.extend(word.to_be_bytes());
                }
            });
        }
        self.opt(question);
    }

    fn header(&mut self, question: Question, flags: u16, records: [u16; 2]) {
        self.octets.clear();
        self.written.clear();
        let [answers, authority] = records;
        for word in [question.id, flags, 1, answers, authority, u16::from(question.edns)] {
            self.word(word);
        }
    }

    fn question(&mut self, question: Question, name: &str) {
        self.name(name);
        self.word(question.qtype);
        self.word(1);
    }

    fn opt(&mut self, question: Question) {
        if question.edns {
            // The root, OPT, 1,232 octets, no flags, no options.
            self.octets.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
        }
    }

    fn record(&mut self, owner: &str, rtype: u16, ttl: u32, data: impl FnOnce(&mut Writer)) {
        self.name(owner);
        self.word(rtype);
        self.word(1);
        self.octets.extend(ttl.to_be_bytes());
        self.word(0);
        let start = self.octets.len();
        data(self);
        let len = (self.octets.len() - start) as u16;
        if let Some(field) = self.octets.get_mut(start - 2..start) {
            field.copy_from_slice(&len.to_be_bytes());
        }
    }

    fn word(&mut self, word: u16) {
        self.octets.extend(word.to_be_bytes());
    }

    /// Writes labels up to the first parent that stands in the message already.
    fn name(&mut self, name: &str) {
        let mut rest = name;
        while !rest.is_empty() {
            // FNV-1a is enough to tell a message's few names apart.
            let hash = rest.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
                (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
            });
            if let Some(&(_, at)) = self.written.iter().find(|(known, _)| *known == hash) {
                return self.word(0xc000 | at);
            }
            self.written.push((hash, self.octets.len() as u16));
            let (label, parent) = rest.split_once('.').unwrap_or((rest, ""));
            self.octets.push(label.len() as u8);
            self.octets.extend(label.as_bytes());
            rest = parent;
        }
        self.octets.push(0);
    }
}
