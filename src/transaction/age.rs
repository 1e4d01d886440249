//! Since when transactions are not to be forgotten.
//!
//! That is asked of each one that comes, and those whose time is over just then are out of the cache. So times are kept
//! of blocks of them.

use super::recent::Needed;
use super::table::{MIRROR_MAX, OPEN_MAX};
use crate::bounded::Sequence;
use crate::time::{Span, Timestamp};

/// How many transactions share a time.
const BLOCK: u64 = 64;

/// When the last query of each block was sent, and which blocks are needed.
#[derive(Debug)]
pub(super) struct Ages {
    /// By the number of the block; older ones are overwritten.
    sent: Vec<Timestamp>,
    needed: Needed,
}

impl Ages {
    /// Of so many transactions.
    pub fn new(limit: usize) -> Ages {
        // The first block and the last one may be kept in part.
        let blocks = (limit.clamp(1, 1 << 30) / BLOCK as usize + 2).next_power_of_two();
        let needed = Needed { open: Sequence(0), done: Sequence(0) };
        Ages { sent: vec![Timestamp(i64::MIN); blocks], needed }
    }

    /// Notes the next transaction.
    #[inline]
    pub fn push(&mut self, sequence: Sequence, now: Timestamp) {
        if sequence.0.is_multiple_of(BLOCK) {
            self.begin(sequence, now);
        } else {
            self.note(sequence, now);
        }
    }

    /// Notes that the query of one was sent, or sent again.
    #[inline]
    pub fn note(&mut self, sequence: Sequence, now: Timestamp) {
        let place = self.place(sequence);
        if let Some(sent) = self.sent.get_mut(place) {
            *sent = now.max(*sent);
        }
    }

    fn begin(&mut self, sequence: Sequence, now: Timestamp) {
        let place = self.place(sequence);
        if let Some(sent) = self.sent.get_mut(place) {
            *sent = now;
        }
        self.needed.done = self.passed(self.needed.done, sequence, now, MIRROR_MAX);
        self.needed.open = self.passed(self.needed.open, sequence, now, OPEN_MAX);
    }

    /// Goes from a mark past the blocks whose time is over.
    fn passed(&self, mark: Sequence, next: Sequence, now: Timestamp, age: Span) -> Sequence {
        let mut at =
            mark.max(Sequence(next.0.saturating_sub(BLOCK * (self.sent.len() as u64 - 1))));
        let is_over = |at| self.sent.get(self.place(at)).is_none_or(|sent| *sent + age < now);
        while at.0 + BLOCK <= next.0 && is_over(at) {
            at.0 += BLOCK;
        }
        at
    }

    /// Those that are needed of the ones kept.
    #[inline]
    pub fn needed(&self, oldest: Sequence) -> Needed {
        let Needed { open, done } = self.needed;
        Needed { open: open.max(oldest), done: done.max(oldest) }
    }

    #[inline]
    fn place(&self, sequence: Sequence) -> usize {
        (sequence.0 / BLOCK) as usize & (self.sent.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_needed_and_what_is_done_for_a_moment() {
        let mut ages = Ages::new(1 << 10);
        let at = |n: u64| Timestamp(0) + Span::from_secs(n as i64);
        for n in 0..=640 {
            ages.push(Sequence(n), at(n));
        }
        // 640 is the first of its block.
        let needed = ages.needed(Sequence(0));
        assert_eq!((needed.open, needed.done), (Sequence(512), Sequence(640)));
        let needed = ages.needed(Sequence(600));
        assert_eq!((needed.open, needed.done), (Sequence(600), Sequence(640)));
    }

    #[test]
    fn one_that_is_sent_again_keeps_its_block() {
        let mut ages = Ages::new(1 << 10);
        let at = |n: u64| Timestamp(0) + Span::from_secs(n as i64);
        for n in 0..=1_023 {
            ages.push(Sequence(n), at(n));
            ages.note(Sequence(70), at(n));
        }
        assert_eq!(ages.needed(Sequence(0)).open, Sequence(64));
        (1_024..=4_096).for_each(|n| ages.push(Sequence(n), at(n)));
        assert_eq!(ages.needed(Sequence(3_072)).open, Sequence(3_968));
    }
}
