//! The stateful half's front: batches in capture order, fragments and streams put together.

use super::decode::{Counters, Decoded, Decoder};
use crate::message::{Message, Messages};
use crate::packet::{Reassembly, ReassemblyCounters, ReassemblyLimits};

/// Where messages go, in capture order.
pub trait MessageSink {
    /// Takes one message; its names and facts lie in `messages`.
    fn take(&mut self, messages: &Messages, message: &Message);
}

/// Takes decoded batches in capture order and hands their messages to a sink.
pub struct Keeper<S> {
    /// Where the messages go.
    pub sink: S,
    decoder: Decoder,
    reassembly: Reassembly,
    reassembled: Messages,
    counters: Counters,
}

impl<S: MessageSink> Keeper<S> {
    /// A keeper that reads reassembled messages as `decoder` would.
    pub fn new(decoder: Decoder, sink: S) -> Keeper<S> {
        let reassembly = Reassembly::new(ReassemblyLimits::default(), decoder.ports.clone());
        Keeper {
            sink,
            decoder,
            reassembly,
            reassembled: Messages::new(),
            counters: Counters::default(),
        }
    }

    /// Takes the next batch.
    pub fn take(&mut self, decoded: &Decoded) {
        self.counters.add(&decoded.counters);
        let mut held = decoded.held.iter().peekable();
        for (place, message) in decoded.messages.iter().enumerate() {
            while let Some(&&(before, frame)) = held.peek()
                && before as usize <= place
            {
                held.next();
                self.take_held(decoded, frame);
            }
            self.sink.take(&decoded.messages, message);
        }
        for &(_, frame) in held {
            self.take_held(decoded, frame);
        }
    }

    fn take_held(&mut self, decoded: &Decoded, place: u32) {
        let Some(frame) = decoded.batch.get(place as usize) else { return };
        self.reassemble(|reassembly, each| reassembly.push(&frame, each));
    }

    fn reassemble(
        &mut self,
        work: impl FnOnce(&mut Reassembly, &mut dyn FnMut(crate::packet::Envelope, &[u8], bool)),
    ) {
        self.reassembled.clear();
        let (decoder, messages, counters) =
            (&mut self.decoder, &mut self.reassembled, &mut self.counters);
        work(&mut self.reassembly, &mut |envelope, payload, whole| {
            if decoder.read(messages, &envelope, payload, whole) {
                counters.messages += 1;
            } else {
                counters.not_dns += 1;
            }
        });
        for message in self.reassembled.iter() {
            self.counters.malformed += u64::from(message.malformed.is_some());
            self.sink.take(&self.reassembled, message);
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
