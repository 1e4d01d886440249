//! When it is looked for what is due.
//!
//! To look with each message would cost more than reading it, and for nothing nearly each time. So time goes by ticks,
//! and so does the count of transactions: what is due when a tick comes does not depend on who noticed it, a message
//! or a clock that moved in between.

use crate::bounded::Sequence;
use crate::time::{Span, Timestamp};

/// From one tick to the next.
const TICK: Span = Span::from_millis(1);
/// A tick comes as well with so many transactions; with fewer where the history is short.
const TRANSACTIONS_MAX: u64 = 64;

/// The latest tick, in time and in transactions.
#[derive(Debug)]
pub(super) struct Ticks {
    time: Timestamp,
    next: Sequence,
    /// The transactions between two ticks: a power of two.
    every: u64,
}

impl Ticks {
    /// For a history of so many transactions.
    pub fn new(history: usize) -> Ticks {
        let share = (history as u64 / TRANSACTIONS_MAX).clamp(1, TRANSACTIONS_MAX);
        Ticks { time: Timestamp(i64::MIN), next: Sequence(0), every: 1 << share.ilog2() }
    }

    /// The time of the latest tick.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The number that the next transaction had with it, or a little before.
    pub fn next(&self) -> Sequence {
        self.next
    }

    /// Notes how far time and transactions have come. Returns whether that is a tick.
    #[inline]
    pub fn pass(&mut self, now: Timestamp, next: Sequence) -> bool {
        let is_one =
            now.0.saturating_sub(self.time.0) >= TICK.0 || next.0 - self.next.0 >= self.every;
        if is_one {
            self.time = Timestamp(now.0.saturating_sub(now.0.rem_euclid(TICK.0)));
            self.next = Sequence(next.0 & !(self.every - 1));
        }
        is_one
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ticks_are_the_same_whether_a_clock_moves_between_messages_or_not(
            messages in prop::collection::vec((0i64..3_000_000, 0u64..3, 0i64..1_000_000), 1..300),
            history in 1usize..10_000,
        ) {
            let (mut read, mut live) = (Ticks::new(history), Ticks::new(history));
            let (mut now, mut next) = (0, 0);
            for (later, more, between) in messages {
                live.pass(Timestamp(now + between.min(later)), Sequence(next));
                now += later;
                read.pass(Timestamp(now), Sequence(next));
                live.pass(Timestamp(now), Sequence(next));
                prop_assert_eq!((read.time(), read.next()), (live.time(), live.next()));
                next += more;
            }
        }
    }

    #[test]
    fn a_tick_is_where_time_and_transactions_say() {
        let mut ticks = Ticks::new(1 << 19);
        assert!(ticks.pass(Timestamp(5_400_000), Sequence(0)));
        assert!(!ticks.pass(Timestamp(5_999_999), Sequence(63)));
        assert_eq!((ticks.time(), ticks.next()), (Timestamp(5_000_000), Sequence(0)));
        assert!(ticks.pass(Timestamp(6_999_999), Sequence(63)));
        assert!(ticks.pass(Timestamp(6_999_999), Sequence(70)));
        assert_eq!((ticks.time(), ticks.next()), (Timestamp(6_000_000), Sequence(64)));
    }

    #[test]
    fn a_short_history_is_looked_at_with_each_transaction() {
        for history in [1, 8, 100] {
            let mut ticks = Ticks::new(history);
            ticks.pass(Timestamp(0), Sequence(0));
            assert!((1..9).all(|next| ticks.pass(Timestamp(0), Sequence(next))), "{history}");
        }
    }
}
