//! The stateful half's front: batches in capture order, fragments and streams put together.

use super::decode::{Counters, Decoded, Decoder};
use crate::message::{Message, Messages};
use crate::packet::{
    Aside, AsideKind, Asides, Envelope, Reassembly, ReassemblyCounters, ReassemblyLimits,
};
use crate::time::Timestamp;

/// Where messages go, in capture order.
pub trait MessageSink {
    /// Takes one message; its names and facts lie in `messages`.
    fn take(&mut self, messages: &Messages, message: &Message);

    /// Takes what is not DNS, or not only that, between the messages; a message's own comes right behind it.
    fn aside(&mut self, _aside: &Aside, _payload: &[u8]) {}
}

/// Takes decoded batches in capture order and hands their messages to a sink.
pub struct Sequencer<S> {
    /// Where the messages go.
    pub sink: S,
    decoder: Decoder,
    reassembly: Reassembly,
    reassembled: Messages,
    asides: Asides,
    counters: Counters,
    /// The stamp of the last frame of the batch before.
    latest: Option<Timestamp>,
}

/// What stands between the messages of a batch and was not handed on yet: frames that were held, and
/// asides.
struct Between<'d, H: Iterator, A: Iterator> {
    decoded: &'d Decoded,
    held: std::iter::Peekable<H>,
    asides: std::iter::Peekable<A>,
}

/// One of them.
enum Next<'d> {
    Held(u32),
    Aside(&'d Aside),
}

impl<'d, H, A> Between<'d, H, A>
where
    H: Iterator<Item = &'d (u32, u32)>,
    A: Iterator<Item = &'d Aside>,
{
    /// How many messages stand before the next one.
    fn before(&mut self) -> usize {
        let held = self.held.peek().map_or(usize::MAX, |(before, _)| *before as usize);
        let aside = self.asides.peek().map_or(usize::MAX, |aside| aside.before as usize);
        held.min(aside)
    }

    /// The next one, by where it stands in the batch.
    fn next(&mut self) -> Option<Next<'d>> {
        let held = self.held.peek().map(|(before, place)| (*before, *place));
        let aside = self.asides.peek().map(|aside| (aside.before, aside.place));
        match (held, aside) {
            (Some(held), Some(aside)) if aside < held => self.asides.next().map(Next::Aside),
            (Some(_), _) => self.held.next().map(|(_, place)| Next::Held(*place)),
            (None, _) => self.asides.next().map(Next::Aside),
        }
    }
}

impl<S: MessageSink> Sequencer<S> {
    /// A keeper that reads reassembled messages as `decoder` would.
    pub fn new(decoder: Decoder, sink: S) -> Sequencer<S> {
        let reassembly = Reassembly::new(ReassemblyLimits::default(), decoder.ports.clone());
        Sequencer {
            sink,
            decoder,
            reassembly,
            reassembled: Messages::new(),
            asides: Asides::default(),
            counters: Counters::default(),
            latest: None,
        }
    }

    /// Looks out for other indicators from now on, in what is put together of pieces.
    pub fn look_out_for(&mut self, indicators: std::sync::Arc<crate::indicator::Indicators>) {
        self.decoder.look_out_for(indicators);
    }

    /// Takes the next batch.
    pub fn take(&mut self, decoded: &Decoded) {
        self.counters.add(&decoded.counters);
        let mut between = Between {
            decoded,
            held: decoded.held.iter().peekable(),
            asides: decoded.asides.iter().peekable(),
        };
        let mut before = between.before();
        for (place, message) in decoded.messages.iter().enumerate() {
            while before <= place {
                self.take_next(&mut between);
                before = between.before();
            }
            self.sink.take(&decoded.messages, message);
        }
        while self.take_next(&mut between) {}
        self.latest = decoded.batch.last_time().or(self.latest);
    }

    fn take_next<'d, H, A>(&mut self, between: &mut Between<'d, H, A>) -> bool
    where
        H: Iterator<Item = &'d (u32, u32)>,
        A: Iterator<Item = &'d Aside>,
    {
        match between.next() {
            Some(Next::Held(place)) => self.take_held(between.decoded, place),
            Some(Next::Aside(aside)) => {
                self.sink.aside(aside, between.decoded.asides.payload(aside));
            }
            None => return false,
        }
        true
    }

    fn take_held(&mut self, decoded: &Decoded, place: u32) {
        let place = place as usize;
        let Some(frame) = decoded.batch.get(place) else { return };
        let before = place.checked_sub(1).and_then(|before| decoded.batch.get(before));
        if let Some(before) = before.map(|before| before.time).or(self.latest) {
            self.reassembly.passes(before);
        }
        self.reassemble(|reassembly, each| reassembly.push(&frame, each));
    }

    fn reassemble(
        &mut self,
        work: impl FnOnce(&mut Reassembly, &mut dyn FnMut(Envelope, &[u8], bool)),
    ) {
        self.reassembled.clear();
        self.asides.clear();
        let (decoder, messages, asides, counters) =
            (&mut self.decoder, &mut self.reassembled, &mut self.asides, &mut self.counters);
        work(&mut self.reassembly, &mut |envelope, payload, whole| {
            if decoder.read(messages, &envelope, payload, whole) {
                counters.messages += 1;
                let count = messages.len();
                if messages.get(count - 1).is_some_and(|message| message.has_names_unread) {
                    asides.push(&envelope, AsideKind::Dns, payload, count, 0);
                }
            } else {
                counters.not_dns += 1;
            }
        });
        for message in self.reassembled.iter() {
            self.counters.malformed += u64::from(message.malformed.is_some());
            self.sink.take(&self.reassembled, message);
        }
        for aside in self.asides.iter() {
            self.sink.aside(aside, self.asides.payload(aside));
        }
    }

    /// Takes what was held to the last: the capture is at its end.
    pub fn finish(&mut self) {
        self.reassemble(|reassembly, each| reassembly.finish(each));
    }

    /// What the frames were, and what was made of fragments and streams.
    pub fn counters(&self) -> (Counters, ReassemblyCounters) {
        (self.counters, self.reassembly.counters())
    }
}
