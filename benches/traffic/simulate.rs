//! From lookups to frames, in the order of their time.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::Parameters;
use super::frame::{self, Host, Path, Segment};
use super::message::{A, AAAA, HTTPS, Question, TRUNCATED, Writer};
use super::names::{Chain, Domain, FLAGGED, chain, mix};
use super::random::Random;

/// When the traffic begins: 2026-11-02T08:00:00Z.
const BEGIN_NS: i64 = 1_793_606_400_000_000_000;
/// Frames of TCP in a hundred.
const TCP_PERCENT: f64 = 1.0;
/// Frames of a lookup that is repeated over TCP: handshake, question, answer, and both ends.
const TCP_FRAMES: f64 = 7.0;

/// Of TCP (RFC 9293).
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PUSH: u8 = 0x18;
const FIN: u8 = 0x11;

/// A frame to come: its time, its place among those of one time, its octets.
type Coming = Reverse<(i64, u64, Vec<u8>)>;

/// Makes up frames, one after the other.
#[derive(Debug)]
pub struct Traffic {
    parameters: Parameters,
    random: Random,
    writer: Writer,
    coming: BinaryHeap<Coming>,
    /// The frame handed out last; its memory is used again.
    current: Vec<u8>,
    spare: Vec<Vec<u8>>,
    /// When the next lookup begins, in nanoseconds since the epoch.
    next_lookup: i64,
    /// Mean time from one lookup to the next.
    interval_ns: i64,
    /// Share of the lookups that are repeated over TCP.
    tcp: f64,
    queued: u64,
    done: u64,
    /// Lookups so far.
    looked_up: u64,
    flagged: u64,
    traceless: u64,
    /// The flagged chains that each resolver has given a client.
    given: BTreeSet<(u32, u32)>,
}

/// A client's lookup.
struct Lookup {
    /// Which flagged chain it is for.
    flagged: Option<u32>,
    client: u32,
    resolver: u32,
    by_v6: bool,
    question: Question,
    chain: Chain,
    seed: u64,
}

impl Traffic {
    /// The traffic that `parameters` ask for.
    pub fn new(parameters: Parameters) -> Traffic {
        let cached = parameters.cached * (1.0 - parameters.random_names);
        let plain = 2.0 + 2.0 * (1.0 - cached);
        // So that they make up the wanted part of the frames.
        let tcp = TCP_PERCENT / 100.0 * plain / (TCP_FRAMES * (1.0 - TCP_PERCENT / 100.0));
        let frames = plain + tcp * TCP_FRAMES;
        Traffic {
            random: Random::new(parameters.seed, "traffic"),
            writer: Writer::default(),
            coming: BinaryHeap::new(),
            current: Vec::new(),
            spare: Vec::new(),
            next_lookup: BEGIN_NS,
            interval_ns: (frames * 1e9 / parameters.rate as f64) as i64,
            tcp,
            parameters,
            queued: 0,
            done: 0,
            looked_up: 0,
            flagged: 0,
            traceless: 0,
            given: BTreeSet::new(),
        }
    }

    /// How many questions of clients lead to a listed name, of those that are among the frames so far or to come.
    #[allow(dead_code, reason = "only who sends traffic as it is made up asks")]
    pub fn flagged(&self) -> u64 {
        self.flagged
    }

    /// How many of them leave no trace: they got no answer, and none before had said where their name leads.
    #[allow(dead_code, reason = "only who sends traffic as it is made up asks")]
    pub fn traceless(&self) -> u64 {
        self.traceless
    }

    /// The rest of the frames of what has begun, without new lookups.
    pub fn rest(&mut self) -> Option<(i64, &[u8])> {
        let Reverse((time, _, octets)) = self.coming.pop()?;
        self.spare.push(std::mem::replace(&mut self.current, octets));
        Some((time, &self.current))
    }

    /// The next frame with its time in nanoseconds since the epoch; `None` after the last.
    pub fn next_frame(&mut self) -> Option<(i64, &[u8])> {
        if self.done == self.parameters.packets {
            return None;
        }
        self.done += 1;
        while self.coming.peek().is_none_or(|Reverse((time, ..))| *time >= self.next_lookup) {
            self.look_up(self.next_lookup);
            self.next_lookup += self.random.between(1, 2 * self.interval_ns);
        }
        self.rest()
    }

    fn happens(&mut self, share: f64) -> bool {
        self.random.share() < share
    }

    /// A rank by Zipf's law, in steps of octaves: each octave of ranks is as likely as any other. In
    /// integers, since logarithms differ from machine to machine.
    fn popular(&mut self) -> u32 {
        let octaves = 32 - self.parameters.domains.leading_zeros();
        loop {
            let first = 1_u32 << self.random.index(octaves as usize);
            let rank = first + (self.random.next() as u32 & (first - 1));
            if rank <= self.parameters.domains {
                return rank - 1;
            }
        }
    }

    /// A rank among those the cache does not hold, which are mostly rare: flatter than Zipf's law.
    fn uncached(&mut self) -> u32 {
        let uniform = self.random.next() >> 32;
        let squared = (uniform * uniform) >> 32;
        ((squared * u64::from(self.parameters.domains)) >> 32) as u32
    }

    fn look_up(&mut self, time: i64) {
        let Parameters { clients, resolvers, every_client, .. } = self.parameters;
        // Drawn in any case, so that all else is the same whoever asks.
        let by_chance = self.random.index(clients as usize) as u32;
        let in_turn =
            u32::try_from(self.looked_up).ok().filter(|turn| every_client && *turn < clients);
        let client = in_turn.unwrap_or(by_chance);
        self.looked_up += 1;
        // A client's first resolver serves nine of its ten questions.
        let other = u32::from(self.random.index(10) == 0);
        let (domain, cached) = if self.happens(self.parameters.random_names) {
            (Domain::Random(self.random.next()), false)
        } else {
            let cached = self.happens(self.parameters.cached);
            let flagged = self.happens(self.parameters.flagged);
            let domain = match (flagged, cached) {
                (true, _) => Domain::Flagged(self.random.index(FLAGGED as usize) as u32),
                (false, true) => Domain::Known(self.popular()),
                (false, false) => Domain::Known(self.uncached()),
            };
            (domain, cached)
        };
        let qtype = match self.random.index(100) {
            0..68 => A,
            68..93 => AAAA,
            _ => HTTPS,
        };
        let edns = !mix(u64::from(client)).is_multiple_of(4);
        let lookup = Lookup {
            flagged: match domain {
                Domain::Flagged(which) => Some(which),
                _ => None,
            },
            client,
            resolver: (client + other) % resolvers,
            by_v6: mix(u64::from(client)) >> 8 & 7 == 0,
            question: Question { id: self.random.id(), qtype, edns },
            chain: chain(domain),
            seed: self.random.next(),
        };
        if cached {
            let wait = self.random.between(30_000, 200_000);
            self.client_leg(&lookup, time, Some(time + wait));
        } else {
            let sent = time + self.random.between(120_000, 400_000);
            let answered = self.upstream_leg(&lookup, sent);
            let wait = self.random.between(70_000, 200_000);
            self.client_leg(&lookup, time, answered.map(|at| at + wait));
        }
    }

    /// The client's question and its answer, repeated over TCP now and then.
    fn client_leg(&mut self, lookup: &Lookup, asked: i64, answered: Option<i64>) {
        let path = Path {
            source: client(lookup.client),
            destination: resolver(lookup.resolver),
            source_port: self.random.port(),
            destination_port: 53,
            by_v6: lookup.by_v6,
            // One subnet of four is tagged.
            vlan: (lookup.client >> 8 & 3 == 1).then_some(110),
        };
        let Some(name) = lookup.chain.names.first() else { return };
        self.writer.query(lookup.question, name);
        self.datagram(asked, &path);
        if let Some(which) = lookup.flagged {
            self.flagged += 1;
            let chain = (lookup.resolver, which);
            if answered.is_some() {
                self.given.insert(chain);
            } else if lookup.chain.names.len() > 1 && !self.given.contains(&chain) {
                self.traceless += 1;
            }
        }
        let Some(answered) = answered else { return };
        if self.happens(self.tcp) {
            self.writer.empty_response(lookup.question, name, TRUNCATED);
            self.datagram(answered, &path.back());
            self.stream(lookup, &path, answered + 100_000);
        } else {
            self.writer.response(lookup.question, &lookup.chain, lookup.seed);
            self.datagram(answered, &path.back());
        }
    }

    /// What the resolver asks for it, and when the answer came, if it did.
    fn upstream_leg(&mut self, lookup: &Lookup, sent: i64) -> Option<i64> {
        let server = self.random.index(self.parameters.upstreams as usize) as u32;
        let path = Path {
            source: resolver(lookup.resolver),
            destination: upstream(server),
            source_port: self.random.port(),
            destination_port: 53,
            by_v6: false,
            vlan: None,
        };
        let question = Question { id: self.random.id(), edns: true, ..lookup.question };
        // The aliases live longer than the addresses: at times only the tail is asked for again.
        let aliases = lookup.chain.names.len() - 1;
        let skipped = if self.random.index(4) == 0 { aliases } else { 0 };
        let names = lookup.chain.names.get(skipped..).unwrap_or_default().to_vec();
        let asked = Chain { names, ..lookup.chain };
        self.writer.query(question, asked.names.first()?);
        self.datagram(sent, &path);
        // One in five hundred is lost or dropped.
        if self.random.index(500) == 0 {
            return None;
        }
        let answered = sent + self.random.between(1_500_000, 25_000_000);
        self.writer.response(question, &asked, lookup.seed);
        self.datagram(answered, &path.back());
        Some(answered)
    }

    /// The same question and its answer over TCP (RFC 7766).
    fn stream(&mut self, lookup: &Lookup, path: &Path, begin: i64) {
        let path = &Path { source_port: self.random.port(), ..*path };
        let (mut seq, mut ack) = (self.random.next() as u32, self.random.next() as u32);
        let Some(name) = lookup.chain.names.first() else { return };
        let mut time = begin;
        self.segment(time, path, Segment { seq, ack: 0, flags: SYN }, false);
        self.segment(
            time + 60_000,
            &path.back(),
            Segment { seq: ack, ack: seq.wrapping_add(1), flags: SYN | ACK },
            false,
        );
        (seq, ack) = (seq.wrapping_add(1), ack.wrapping_add(1));
        self.segment(time + 120_000, path, Segment { seq, ack, flags: ACK }, false);
        time += 130_000;
        self.writer.query(lookup.question, name);
        self.segment(time, path, Segment { seq, ack, flags: PUSH }, true);
        self.flagged += u64::from(lookup.flagged.is_some());
        seq = seq.wrapping_add(self.writer.octets.len() as u32 + 2);
        time += 150_000;
        self.writer.response(lookup.question, &lookup.chain, lookup.seed);
        self.segment(time, &path.back(), Segment { seq: ack, ack: seq, flags: PUSH }, true);
        ack = ack.wrapping_add(self.writer.octets.len() as u32 + 2);
        self.segment(time + 80_000, path, Segment { seq, ack, flags: FIN }, false);
        let last = Segment { seq: ack, ack: seq.wrapping_add(1), flags: FIN };
        self.segment(time + 140_000, &path.back(), last, false);
    }

    /// Sends what was written.
    fn datagram(&mut self, time: i64, path: &Path) {
        let mut octets = self.spare.pop().unwrap_or_default();
        let ip_id = self.random.id();
        frame::write(&mut octets, path, None, ip_id, &self.writer.octets);
        self.send(time, octets);
    }

    /// Sends a segment, empty or with what was written behind its length.
    fn segment(&mut self, time: i64, path: &Path, segment: Segment, full: bool) {
        let mut octets = self.spare.pop().unwrap_or_default();
        let mut payload = Vec::new();
        if full {
            payload.extend((self.writer.octets.len() as u16).to_be_bytes());
            payload.extend(&self.writer.octets);
        }
        let ip_id = self.random.id();
        frame::write(&mut octets, path, Some(segment), ip_id, &payload);
        self.send(time, octets);
    }

    fn send(&mut self, time: i64, octets: Vec<u8>) {
        self.queued += 1;
        self.coming.push(Reverse((time, self.queued, octets)));
    }
}

fn client(number: u32) -> Host {
    let [high, b, c, d] = number.to_be_bytes();
    Host {
        mac: [0x02, 0x10, high, b, c, d],
        v4: [10, 20_u8.wrapping_add(b), c, d],
        v6: [0xfd, 0x20, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 1, high, b, c, d],
    }
}

fn resolver(number: u32) -> Host {
    let [_, _, c, d] = (number + 1).to_be_bytes();
    Host {
        mac: [0x02, 0x53, 0, 0, c, d],
        v4: [10, 10, c, d],
        v6: [0xfd, 0x20, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, c, d],
    }
}

fn upstream(number: u32) -> Host {
    let [_, _, c, d] = (number + 1).to_be_bytes();
    Host {
        mac: [0x02, 0xfe, 0, 0, 0, 1],
        v4: [203, 0, 113_u8.wrapping_add(c), d],
        v6: [0x20, 0x01, 0x0d, 0xb8, 0, 0x53, 0, 0, 0, 0, 0, 0, 0, 0, c, d],
    }
}
