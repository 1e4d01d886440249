//! All transactions kept, on their chains, each as a [`Record`] or, where that has no room for it, aside.

use super::record::{Record, RecordView};
use super::table::{Response, Transaction};
use crate::bounded::{Chain, Line, Ring, Sequence};
use crate::time::Timestamp;

/// How many transactions of the full history share a chain, on the average. Chains are walked only for
/// what was flagged, but each query is put on them.
const CHAIN_MEAN: usize = 8;

/// The transactions kept, newest last.
#[derive(Debug)]
pub(super) struct History {
    /// On the chains of [`super::chain_index::About`].
    ring: Ring<Record, 2, Line>,
    aside: Overflow,
}

/// A walk along one of its chains.
pub(super) type Records<'h> = Chain<'h, Record, 2, Line>;

/// The transactions that do not fit in a record: those sent again, say.
#[derive(Debug, Default)]
struct Overflow {
    kept: Vec<Transaction>,
    free: Vec<u32>,
}

impl Overflow {
    /// Keeps a transaction, and returns its record.
    #[inline(never)]
    fn record(&mut self, whole: Transaction) -> Record {
        let place = self.free.pop().unwrap_or(self.kept.len() as u32);
        match self.kept.get_mut(place as usize) {
            Some(slot) => *slot = whole,
            None => self.kept.push(whole),
        }
        Record::aside(&whole, place)
    }
}

impl History {
    /// Of so many transactions.
    pub fn new(limit: usize) -> History {
        History { ring: Ring::with_chains(limit, limit / CHAIN_MEAN), aside: Overflow::default() }
    }

    /// How many transactions it keeps at most.
    pub fn limit(&self) -> usize {
        self.ring.limit()
    }

    /// Takes all the memory that records can come to need.
    pub fn take_room(&mut self) {
        self.ring.take_room();
    }

    /// Adds a transaction, on the chain of each key that is given, and returns its number.
    #[inline(always)]
    pub fn push(&mut self, whole: Transaction, keys: [Option<u64>; 2]) -> Sequence {
        if let Some(forgotten) = self.ring.next_overwritten().and_then(Record::place_aside) {
            self.aside.free.push(forgotten);
        }
        let record = match Record::of(&whole) {
            Some(record) => record,
            None => self.aside.record(whole),
        };
        self.ring.push(record, keys)
    }

    /// Puts a transaction in the place of what it was before.
    #[inline(never)]
    pub fn put(&mut self, sequence: Sequence, whole: &Transaction) {
        let Some(record) = self.ring.get_mut(sequence) else { return };
        if let Some(place) = record.place_aside() {
            // What had no room once has seldom room again, and is not looked at for that.
            if let Some(slot) = self.aside.kept.get_mut(place as usize) {
                *slot = *whole;
            }
            *record = Record::aside(whole, place);
            return;
        }
        *record = match Record::of(whole) {
            Some(record) => record,
            None => self.aside.record(*whole),
        };
    }

    /// Notes the response to a transaction.
    #[inline]
    pub fn close(&mut self, sequence: Sequence, response: &Response) {
        let fits = self.ring.get_mut(sequence).is_some_and(|record| record.close(response));
        if !fits && let Some(mut whole) = self.get(sequence).map(RecordView::whole) {
            whole.close(response);
            self.put(sequence, &whole);
        }
    }

    /// A transaction by its number, unless it is forgotten.
    #[inline]
    pub fn get(&self, sequence: Sequence) -> Option<RecordView<'_>> {
        self.ring.get(sequence).map(|record| self.kept(record))
    }

    /// The transaction of a record.
    #[inline]
    pub fn kept<'h>(&'h self, record: &'h Record) -> RecordView<'h> {
        let aside = record.place_aside().and_then(|place| self.aside.kept.get(place as usize));
        RecordView { record, aside }
    }

    /// By what messages are matched with one.
    #[inline]
    pub fn key(&self, sequence: Sequence) -> Option<u64> {
        self.ring.get(sequence).map(Record::key)
    }

    /// When the query of the oldest was first seen.
    #[inline]
    pub fn began(&self) -> Option<Timestamp> {
        self.ring.get(self.ring.oldest()).map(Record::asked)
    }

    /// Asks for the memory in which the newest one on a chain is told, to be there when it is wanted.
    #[inline]
    pub fn ask_for_chain(&self, chain: usize, key: u64) {
        self.ring.ask_for_chain(chain, key);
    }

    /// The records on the chain of a key, and of other keys, newest first.
    pub fn chain(&self, chain: usize, key: u64) -> Records<'_> {
        self.ring.chain(chain, key)
    }

    /// The records on the chain that one is on, from that one to the oldest.
    pub fn chain_from(&self, chain: usize, newest: Sequence) -> Records<'_> {
        self.ring.chain_from(chain, newest)
    }

    /// The oldest number that is still kept.
    pub fn oldest(&self) -> Sequence {
        self.ring.oldest()
    }

    /// The number that the next one will have.
    #[inline]
    pub fn next(&self) -> Sequence {
        self.ring.next()
    }

    /// How many were forgotten for lack of room.
    pub fn forgotten(&self) -> u64 {
        self.ring.overwritten()
    }
}
