//! What responses taught and is still to be looked up among what is known.
//!
//! An edge is looked up in memory last touched long ago, first where its chain begins and then what it begins with, and
//! waiting for the two is most of what learning costs. Nothing asks for it at once: so the memory is asked for, and the
//! next messages are taken meanwhile. What is learned, and in which order, is as if it were learned at once.

use super::edge::Edge;
use crate::bounded::Sequence;
use crate::name::{NAME_LEN_MAX, Name};

/// So many edges are put off.
const PUT_OFF: usize = 16;

/// An edge to be learned.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeferredEdge {
    /// The edge, without its texts.
    pub edge: Edge,
    /// By what it is to be found.
    pub keys: [u64; 3],
    /// The transaction of which it is to be remembered as the answer.
    pub answer_of: Option<Sequence>,
}

/// The edges that are put off, and their names: the messages are gone by the time.
#[derive(Debug)]
pub(super) struct DeferredEdges {
    kept: Vec<DeferredEntry>,
    /// How many were learned, and put off, ever.
    learned: usize,
    added: usize,
}

#[derive(Debug)]
struct DeferredEntry {
    lesson: Option<DeferredEdge>,
    names: [WireName; 2],
}

/// A name in uncompressed wire form.
#[derive(Clone, Copy, Debug)]
struct WireName {
    len: usize,
    octets: [u8; NAME_LEN_MAX],
}

impl WireName {
    fn write(&mut self, name: Name<'_>) {
        let wire = name.wire();
        if let Some(octets) = self.octets.get_mut(..wire.len()) {
            octets.copy_from_slice(wire);
            self.len = wire.len();
        }
    }

    fn name(&self) -> Name<'_> {
        Name::from_wire(self.octets.get(..self.len).unwrap_or_default())
    }
}

impl DeferredEdges {
    /// None.
    pub fn new() -> DeferredEdges {
        let names = [WireName { len: 0, octets: [0; NAME_LEN_MAX] }; 2];
        let kept = (0..PUT_OFF).map(|_| DeferredEntry { lesson: None, names }).collect();
        DeferredEdges { kept, learned: 0, added: 0 }
    }

    /// Adds one. There is room unless [`DeferredEdges::are_many`].
    #[inline]
    pub fn add(&mut self, lesson: DeferredEdge, [owner, target]: [Name<'_>; 2]) {
        let Some(kept) = self.kept.get_mut(self.added % PUT_OFF) else { return };
        kept.lesson = Some(lesson);
        let [first, second] = &mut kept.names;
        first.write(owner);
        second.write(target);
        self.added += 1;
    }

    /// Whether one has to be taken before another is added.
    #[inline]
    pub fn are_many(&self) -> bool {
        self.added - self.learned == PUT_OFF
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.added == self.learned
    }

    /// The one that was added half as long ago as the next to be taken, if that one is to be taken.
    #[inline]
    pub fn halfway(&self) -> Option<&DeferredEdge> {
        let place = self.added.checked_sub(PUT_OFF / 2).filter(|place| *place >= self.learned)?;
        self.kept.get(place % PUT_OFF)?.lesson.as_ref()
    }

    /// The next one, in the order in which they were added, with its owner and target.
    #[inline]
    pub fn next(&mut self) -> Option<(&DeferredEdge, [Name<'_>; 2])> {
        if self.is_empty() {
            return None;
        }
        let DeferredEntry { lesson, names: [owner, target] } =
            self.kept.get(self.learned % PUT_OFF)?;
        self.learned += 1;
        Some((lesson.as_ref()?, [owner.name(), target.name()]))
    }
}
