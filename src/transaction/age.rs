//! Since when transactions are waited for.
//!
//! That is asked with each one that comes, and those whose time is over just then are out of the cache. So times are
//! kept of blocks of them.

use super::table::OPEN_MAX;
use crate::bounded::Sequence;
use crate::time::Timestamp;

/// How many transactions share a time.
const BLOCK: u64 = 64;

/// When the last query of each block was sent.
#[derive(Debug)]
pub(super) struct Ages {
    /// By the number of the block; older ones are overwritten.
    sent: Vec<Timestamp>,
    since: Sequence,
}

impl Ages {
    /// Of so many transactions.
    pub fn new(limit: usize) -> Ages {
        // The first block and the last one may be kept in part.
        let kept = limit.clamp(1, 1 << 30).next_power_of_two();
        let blocks = (kept / BLOCK as usize + 2).next_power_of_two();
        Ages { sent: vec![Timestamp(i64::MIN); blocks], since: Sequence(0) }
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

    /// Begins a block, and goes past those whose time is over.
    fn begin(&mut self, next: Sequence, now: Timestamp) {
        let place = self.place(next);
        if let Some(sent) = self.sent.get_mut(place) {
            *sent = now;
        }
        let first = next.0.saturating_sub(BLOCK * (self.sent.len() as u64 - 1));
        let mut at = self.since.max(Sequence(first));
        let is_over = |at| self.sent.get(self.place(at)).is_none_or(|sent| *sent + OPEN_MAX < now);
        while at.0 + BLOCK <= next.0 && is_over(at) {
            at.0 += BLOCK;
        }
        self.since = at;
    }

    /// None before this one is waited for any more.
    #[inline]
    pub fn since(&self, oldest: Sequence) -> Sequence {
        self.since.max(oldest)
    }

    #[inline]
    fn place(&self, sequence: Sequence) -> usize {
        (sequence.0 / BLOCK) as usize & (self.sent.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(0) + Span::from_secs(seconds as i64)
    }

    #[test]
    fn what_was_sent_long_ago_is_not_waited_for() {
        let mut ages = Ages::new(1 << 10);
        (0..=640).for_each(|n| ages.push(Sequence(n), at(n)));
        assert_eq!(ages.since(Sequence(0)), Sequence(512));
        assert_eq!(ages.since(Sequence(600)), Sequence(600));
    }

    #[test]
    fn one_that_is_sent_again_keeps_its_block() {
        let mut ages = Ages::new(1 << 10);
        for n in 0..=1_023 {
            ages.push(Sequence(n), at(n));
            ages.note(Sequence(70), at(n));
        }
        assert_eq!(ages.since(Sequence(0)), Sequence(64));
        (1_024..=4_096).for_each(|n| ages.push(Sequence(n), at(n)));
        assert_eq!(ages.since(Sequence(3_072)), Sequence(3_968));
    }

    #[test]
    fn what_is_kept_in_part_has_a_time_of_its_own_whatever_the_limit() {
        for limit in [1, 2, 63, 64, 130, 4_160] {
            let mut ages = Ages::new(limit);
            let kept = limit.next_power_of_two() as u64;
            // All at one time, so that nothing is over.
            for n in 0..3 * kept + 300 {
                ages.push(Sequence(n), at(1));
                let oldest = Sequence((n + 1).saturating_sub(kept));
                assert_eq!(ages.since(oldest), oldest, "{limit}");
            }
        }
    }
}
