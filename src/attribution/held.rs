//! What came in one frame of which the next tells when it came: see [`Clock`](super::clock::Clock).

use crate::frame::FrameId;
use crate::message::{Message, Messages};
use crate::packet::Aside;
use crate::time::Timestamp;

/// The messages and asides of a frame, as many as one can hold; and what comes behind them of earlier frames,
/// which were put together just then.
#[derive(Debug, Default)]
pub(super) struct Held {
    frame: FrameId,
    stamp: Option<Timestamp>,
    messages: Messages,
    asides: Vec<(Aside, Vec<u8>)>,
    order: Vec<Kind>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Message,
    Aside,
}

/// One of them.
#[derive(Debug)]
pub(super) enum HeldItem<'h> {
    Message(&'h Messages, &'h Message),
    Aside(&'h Aside, &'h [u8]),
}

impl HeldItem<'_> {
    /// Its frame, and that one's stamp.
    pub fn frame(&self) -> (FrameId, Timestamp) {
        match self {
            HeldItem::Message(_, message) => (message.frame, message.time),
            HeldItem::Aside(aside, _) => (aside.frame, aside.time),
        }
    }
}

impl Held {
    /// The frame's stamp, if there is one.
    pub fn stamp(&self) -> Option<Timestamp> {
        self.stamp
    }

    /// Whether it is of this frame.
    pub fn is_of(&self, frame: FrameId) -> bool {
        self.stamp.is_some() && self.frame == frame
    }

    fn begin(&mut self, frame: FrameId, stamp: Timestamp, kind: Kind) {
        if self.stamp.is_none() {
            (self.frame, self.stamp) = (frame, Some(stamp));
        }
        self.order.push(kind);
    }

    /// Holds a message.
    pub fn message(&mut self, messages: &Messages, message: &Message) {
        self.begin(message.frame, message.time, Kind::Message);
        self.messages.adopt(messages, message);
    }

    /// Holds an aside.
    pub fn aside(&mut self, aside: &Aside, payload: &[u8]) {
        self.begin(aside.frame, aside.time, Kind::Aside);
        self.asides.push((*aside, payload.to_vec()));
    }

    /// What is held, in the order in which it came.
    pub fn parts(&self) -> impl Iterator<Item = HeldItem<'_>> {
        let (mut messages, mut asides) = (self.messages.iter(), self.asides.iter());
        self.order.iter().filter_map(move |kind| match kind {
            Kind::Message => {
                messages.next().map(|message| HeldItem::Message(&self.messages, message))
            }
            Kind::Aside => asides.next().map(|(aside, payload)| HeldItem::Aside(aside, payload)),
        })
    }
}
