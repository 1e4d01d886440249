//! What else was asked about the time of a transaction.

use super::History;
use crate::bounded::Sequence;
use crate::time::{Span, Timestamp};
use crate::transaction::Transaction;

/// How many transactions before one are gone through, and as many that came since, where those are known,
pub(super) const AROUND_MAX: usize = 1 << 11;
/// and from how long before.
const AROUND: Span = Span::from_secs(600);

impl History<'_> {
    /// The transactions about the time of one: those before it, newest first, then those since, oldest first.
    pub(super) fn around(
        &self,
        sequence: Sequence,
        asked: Timestamp,
    ) -> impl Iterator<Item = (Sequence, Transaction)> {
        let before = self.transactions.before(sequence).take(AROUND_MAX);
        let before = before.take_while(move |(_, other)| other.asked_last + AROUND >= asked);
        let since = self.transactions.since(sequence).take(AROUND_MAX);
        before.chain(since)
    }
}

/// From when until when something was so, several times. What is added is there to be looked up after it is put in order.
#[derive(Debug, Default)]
pub(super) struct Intervals(Vec<(Timestamp, Timestamp)>);

impl Intervals {
    /// Adds one.
    pub fn add(&mut self, from: Timestamp, until: Timestamp) {
        self.0.push((from, until));
    }

    /// Puts them in the order of their beginnings, each as long as any before it.
    pub fn put_in_order(&mut self) {
        self.0.sort_unstable();
        let mut latest = Timestamp(i64::MIN);
        for (_, until) in &mut self.0 {
            latest = latest.max(*until);
            *until = latest;
        }
    }

    /// Whether it was so at some time between two.
    pub fn touch(&self, from: Timestamp, until: Timestamp) -> bool {
        let begun = self.0.partition_point(|(began, _)| *began <= until);
        let last = begun.checked_sub(1).and_then(|last| self.0.get(last));
        last.is_some_and(|(_, ended)| *ended >= from)
    }
}
