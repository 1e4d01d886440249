//! The stateless half: frames to messages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::watchlist_lookup::WatchlistLookup;
use crate::frame::Batch;
use crate::indicator::Indicators;
use crate::message::Messages;
use crate::name::NameHasher;
use crate::packet::{AsideKind, Asides, Envelope, Other, Ports, Sliced, datagram, slice};

/// A batch of frames with what was read of it.
#[derive(Debug, Default)]
pub struct Decoded {
    /// The frames: those that were held are sliced again where order is known.
    pub batch: Batch,
    /// The messages that one frame held whole.
    pub messages: Messages,
    /// Frames to be reassembled: how many messages stand before, and the place in the batch.
    pub held: Vec<(u32, u32)>,
    /// What is not DNS, or not only that, and tells of the hosts.
    pub asides: Asides,
    /// What the frames were.
    pub counters: Counters,
}

/// What frames were, counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// All frames.
    pub frames: u64,
    /// Whole messages in a UDP datagram.
    pub messages: u64,
    /// TCP segments and fragments held for reassembly.
    pub held: u64,
    /// Datagrams to or from a DNS port with less than a DNS header in them.
    pub not_dns: u64,
    /// Messages that could not be read to their end.
    pub malformed: u64,
    /// Frames of other protocols or ports.
    pub other: u64,
    /// Errors that quote a datagram (ICMP).
    pub icmp_errors: u64,
    /// Frames whose headers are cut or contradict themselves.
    pub broken: u64,
    /// Frames of a link type that is not known.
    pub unknown_link: u64,
    /// Frames that made the decoder fail: a defect of whoasked.
    pub failed: u64,
}

impl Counters {
    /// Adds those of another batch.
    pub fn add(&mut self, other: &Counters) {
        self.frames += other.frames;
        self.messages += other.messages;
        self.held += other.held;
        self.not_dns += other.not_dns;
        self.malformed += other.malformed;
        self.other += other.other;
        self.icmp_errors += other.icmp_errors;
        self.broken += other.broken;
        self.unknown_link += other.unknown_link;
        self.failed += other.failed;
    }
}

impl Decoded {
    /// Forgets what was read, and keeps the memory. The batch is left to whoever fills it: a reader of files
    /// need not make its arena anew.
    pub fn clear(&mut self) {
        self.messages.clear();
        self.held.clear();
        self.asides.clear();
        self.counters = Counters::default();
    }
}

/// What a worker needs. Each has its own.
#[derive(Clone, Debug)]
pub struct Decoder {
    /// Which ports are DNS.
    pub(super) ports: Ports,
    hasher: NameHasher,
    watched: WatchlistLookup,
}

impl Decoder {
    /// Reads what goes over `ports`, hashes names with `hasher`, and looks out for `indicators`.
    pub fn new(ports: Ports, hasher: NameHasher, indicators: Option<Arc<Indicators>>) -> Decoder {
        Decoder { ports, hasher, watched: WatchlistLookup::new(indicators) }
    }

    /// Keeps the addresses of all answers, and not only of those that are flagged or name a host.
    pub fn keep_addresses(&mut self) {
        self.watched.want_addresses();
    }

    /// Looks out for other indicators from now on.
    pub fn look_out_for(&mut self, indicators: Arc<Indicators>) {
        self.watched.relist(indicators);
    }

    /// Reads one message, as [`Messages::read`] does, to its end: of names, too, it is known whether they are listed.
    pub(super) fn read(
        &mut self,
        messages: &mut Messages,
        envelope: &Envelope,
        payload: &[u8],
        whole: bool,
    ) -> bool {
        let is_read = messages.read(envelope, payload, whole, &self.hasher, &mut self.watched);
        for place in self.watched.flagged() {
            messages.flag(place, payload, &self.hasher);
        }
        is_read
    }

    /// Reads the messages of a batch. A frame that makes the decoder panic is counted and left out.
    pub fn decode(&mut self, decoded: &mut Decoded) {
        let batch = std::mem::take(&mut decoded.batch);
        let mut done = 0;
        while done <= batch.len() {
            let walked = catch_unwind(AssertUnwindSafe(|| {
                while done < batch.len() {
                    done += 1;
                    self.decode_frame(&batch, done - 1, decoded);
                }
                // If that fails, it goes on behind the message with which it did.
                self.flag(&batch, &mut decoded.messages);
                done += 1;
            }));
            if walked.is_err() {
                decoded.counters.failed += 1;
            }
        }
        decoded.batch = batch;
    }

    #[inline(always)]
    fn decode_frame(&mut self, batch: &Batch, place: usize, decoded: &mut Decoded) {
        decoded.counters.frames += 1;
        match batch.get(place).and_then(|frame| datagram(&frame, &self.ports)) {
            Some((envelope, payload)) => self.take(&envelope, payload, true, place, decoded),
            None => self.decode_any(batch, place, decoded),
        }
    }

    #[inline(always)]
    fn take(
        &mut self,
        envelope: &Envelope,
        payload: &[u8],
        whole: bool,
        place: usize,
        decoded: &mut Decoded,
    ) {
        let Decoder { hasher, watched, .. } = self;
        if !decoded.messages.read(envelope, payload, whole, hasher, watched) {
            decoded.counters.not_dns += 1;
            return;
        }
        decoded.counters.messages += 1;
        let count = decoded.messages.len();
        if let Some(message) = decoded.messages.get(count - 1) {
            decoded.counters.malformed += u64::from(message.malformed.is_some());
            if message.has_names_unread {
                decoded.asides.push(envelope, AsideKind::Dns, payload, count, place);
            }
        }
    }

    /// Notes which messages of a batch are flagged by a name.
    fn flag(&mut self, batch: &Batch, messages: &mut Messages) {
        let mut frames = batch.frames();
        for place in self.watched.flagged() {
            let Some(message) = messages.get(place).filter(|message| !message.flagged) else {
                continue;
            };
            // Both are in the order in which they came.
            let Some(frame) = frames.find(|frame| frame.id == message.frame) else { return };
            if let Sliced::Datagram { payload, .. } = slice(&frame, &self.ports) {
                messages.flag(place, payload, &self.hasher);
            }
        }
    }

    #[inline(never)]
    fn decode_any(&mut self, batch: &Batch, place: usize, decoded: &mut Decoded) {
        let Some(frame) = batch.get(place) else { return };
        let sliced = slice(&frame, &self.ports);
        let counters = &mut decoded.counters;
        match &sliced {
            Sliced::Datagram { envelope, payload, whole } => {
                self.take(envelope, payload, *whole, place, decoded);
            }
            Sliced::Held => {
                counters.held += 1;
                decoded.held.push((decoded.messages.len() as u32, place as u32));
            }
            Sliced::Elsewhere { envelope, elsewhere } => {
                counters.other += 1;
                let before = (decoded.messages.len(), decoded.held.len());
                decoded.asides.take(envelope, elsewhere, before, place);
            }
            Sliced::Other(other) => match other {
                Other::IcmpError => counters.icmp_errors += 1,
                Other::Truncated | Other::Malformed => counters.broken += 1,
                Other::UnknownLink(_) => counters.unknown_link += 1,
                _ => counters.other += 1,
            },
        }
    }
}
