//! How edges are kept: a quarter of a million of them, and what an edge that is learned again is looked up and changed
//! in is one line of the cache.
//!
//! What is written once stands apart. So do the earlier lives, of the edges that have had some.

use super::edge::{EARLIER_MAX, Earlier, Edge, EdgeKind, Life, Provenance};
use crate::bounded::{Chain, Line, Ring, Sequence, Text};
use crate::frame::FrameId;
use crate::name::NameHash;
use crate::time::Timestamp;
use crate::transaction::HostId;

/// The bits of whose knowledge it is: of a delegation, and of an edge that has had earlier lives.
const DELEGATION: u32 = 1 << 31;
const HAD_OTHERS: u32 = 1 << 30;
/// The others are the resolver's number: there is room for fewer hosts than that.
const RESOLVER: u32 = HAD_OTHERS - 1;

/// What an edge is found by, and what changes when it is learned again.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(4))]
pub(super) struct EdgeRecord {
    owner: NameHash,
    target: NameHash,
    last: Provenance,
    until: Timestamp,
    from: Timestamp,
    whose: u32,
}

const _: () = assert!(size_of::<EdgeRecord>() == 52);

impl EdgeRecord {
    #[inline]
    fn of(edge: &Edge) -> EdgeRecord {
        let Edge { owner, target, last, until, from, resolver, kind, .. } = *edge;
        let kind = if kind == EdgeKind::Delegation { DELEGATION } else { 0 };
        EdgeRecord { owner, target, last, until, from, whose: resolver.0 & RESOLVER | kind }
    }

    pub fn owner(self) -> NameHash {
        self.owner
    }

    pub fn target(self) -> NameHash {
        self.target
    }

    pub fn resolver(self) -> HostId {
        HostId(self.whose & RESOLVER)
    }

    fn had_others(self) -> bool {
        self.whose & HAD_OTHERS != 0
    }

    /// Whether it leads from the same to the same.
    #[inline]
    fn is_same(self, edge: &Edge) -> bool {
        let EdgeRecord { owner, target, whose, .. } = self;
        (owner, target, whose & !HAD_OTHERS)
            == (edge.owner, edge.target, EdgeRecord::of(edge).whose)
    }
}

/// What is written once of an edge.
#[derive(Clone, Copy, Debug)]
struct EdgeDetails {
    /// The frame that taught it first; of one that has had earlier lives, as a number, the place of its past.
    first: FrameId,
    owner_text: Text,
    target_text: Text,
}

/// What an edge that had to be learned anew was before.
#[derive(Clone, Copy, Debug)]
struct Past {
    first: Provenance,
    earlier: [Earlier; EARLIER_MAX],
}

/// All edges kept, newest last.
#[derive(Debug)]
pub(super) struct EdgeStore {
    records: Ring<EdgeRecord, 3, Line>,
    /// The rest of each, by the same number.
    rest: Ring<EdgeDetails, 0>,
    past: Vec<Past>,
    /// The places of pasts that are forgotten.
    free: Vec<u32>,
}

impl EdgeStore {
    /// Of so many edges.
    pub fn new(limit: usize) -> EdgeStore {
        let (records, rest) = (Ring::new(limit), Ring::new(limit));
        EdgeStore { records, rest, past: Vec::new(), free: Vec::new() }
    }

    /// Takes all the memory that edges can come to need, but for their pasts.
    pub fn take_room(&mut self) {
        self.records.take_room();
        self.rest.take_room();
    }

    /// Adds an edge, on the chain of each key, and returns its number.
    pub fn push(&mut self, edge: &Edge, keys: [u64; 3]) -> Sequence {
        let forgotten = self.records.next_overwritten().filter(|record| record.had_others());
        if forgotten.is_some() {
            let rest = self.rest.next_overwritten();
            self.free.extend(rest.map(|rest| rest.first.number() as u32));
        }
        let Edge { first, owner_text, target_text, .. } = *edge;
        self.rest.push(EdgeDetails { first: first.frame, owner_text, target_text }, []);
        let sequence = self.records.push(EdgeRecord::of(edge), keys.map(Some));
        if edge.has_past() {
            self.put(sequence, edge);
        }
        sequence
    }

    /// Puts an edge with a past in the place of what it was before.
    #[cold]
    fn put(&mut self, sequence: Sequence, edge: &Edge) {
        let (Some(record), Some(rest)) =
            (self.records.get_mut(sequence), self.rest.get_mut(sequence))
        else {
            return;
        };
        let place = match record.had_others() {
            true => rest.first.number() as u32,
            false => self.free.pop().unwrap_or(self.past.len() as u32),
        };
        *record = EdgeRecord::of(edge);
        record.whose |= HAD_OTHERS;
        rest.first = FrameId::new(0, place.into());
        let past = Past { first: edge.first, earlier: edge.earlier };
        match self.past.get_mut(place as usize) {
            Some(slot) => *slot = past,
            None => self.past.push(past),
        }
    }

    /// Learns one again.
    #[inline]
    pub fn learn_again(&mut self, sequence: Sequence, learned: Provenance, life: Life) {
        let Some(record) = self.records.get_mut(sequence) else { return };
        let own = Life { from: record.from, until: record.until };
        if let Some(own) = own.extended_by(life) {
            (record.last, record.until) = ({ record.last }.later(learned), own.until);
        } else if let Some(mut edge) = self.get(sequence) {
            edge.learn_again(learned, life);
            self.put(sequence, &edge);
        }
    }

    /// The number of the edge that leads from the same to the same, of so many on a chain.
    pub fn find(&self, edge: &Edge, (chain, key): (usize, u64), steps: usize) -> Option<Sequence> {
        let mut steps = self.records.chain(chain, key).take(steps);
        steps.find(|(_, record)| record.is_same(edge)).map(|(sequence, _)| sequence)
    }

    /// An edge by its number, unless it is forgotten.
    pub fn get(&self, sequence: Sequence) -> Option<Edge> {
        self.edge(sequence, self.records.get(sequence)?)
    }

    /// The edge of a record.
    pub fn edge(&self, sequence: Sequence, record: &EdgeRecord) -> Option<Edge> {
        let EdgeRecord { owner, target, last, until, from, whose } = *record;
        let EdgeDetails { first, owner_text, target_text } = *self.rest.get(sequence)?;
        let past = match record.had_others() {
            true => *self.past.get(first.number() as usize)?,
            false => {
                let first = Provenance { frame: first, time: from };
                Past { first, earlier: [Earlier::default(); EARLIER_MAX] }
            }
        };
        Some(Edge {
            owner,
            target,
            last,
            until,
            resolver: record.resolver(),
            kind: match whose & DELEGATION {
                0 => EdgeKind::Alias,
                _ => EdgeKind::Delegation,
            },
            from,
            first: past.first,
            earlier: past.earlier,
            owner_text,
            target_text,
        })
    }

    /// The records on the chain of a key, and of other keys, newest first.
    pub fn chain(&self, chain: usize, key: u64) -> Chain<'_, EdgeRecord, 3, Line> {
        self.records.chain(chain, key)
    }

    /// Asks for the memory in which the newest on a chain is told, to be there when it is wanted.
    #[inline]
    pub fn ask_for_chain(&self, chain: usize, key: u64) {
        self.records.ask_for_chain(chain, key);
    }

    /// Asks for the memory of the newest on a chain.
    #[inline]
    pub fn ask_for_newest(&self, chain: usize, key: u64) {
        self.records.ask_for_newest(chain, key);
    }

    /// The oldest number that is still kept.
    pub fn oldest(&self) -> Sequence {
        self.records.oldest()
    }

    /// The number that the next one will have.
    pub fn next(&self) -> Sequence {
        self.records.next()
    }

    /// How many were forgotten for lack of room.
    pub fn forgotten(&self) -> u64 {
        self.records.overwritten()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.records.len()
    }
}
