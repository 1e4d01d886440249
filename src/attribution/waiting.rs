//! Flagged transactions that wait to be judged, oldest first as far as that matters.
//!
//! Mostly they are flagged as they come, so that a queue holds them in order. But one can be flagged long after it
//! was seen: when no answer came, or one that says nothing. Behind younger ones it would wait until it was
//! forgotten, so those are kept apart, in order.

use std::collections::{BTreeMap, VecDeque};

use crate::bounded::Sequence;
use crate::time::Timestamp;

/// Transactions with the times that they are counted from.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    in_turn: VecDeque<(Sequence, Timestamp)>,
    late: BTreeMap<Sequence, Timestamp>,
}

impl Waiting {
    /// Adds one. `is_late` when many transactions came since it was seen.
    pub fn push(&mut self, sequence: Sequence, asked: Timestamp, is_late: bool) {
        if is_late {
            self.late.insert(sequence, asked);
        } else {
            self.in_turn.push_back((sequence, asked));
        }
    }

    /// Takes out the next one that is ready.
    pub fn pop(&mut self, is_ready: impl Fn(Sequence, Timestamp) -> bool) -> Option<Sequence> {
        if let Some(first) = self.late.first_entry()
            && is_ready(*first.key(), *first.get())
        {
            return Some(first.remove_entry().0);
        }
        let next = self.in_turn.pop_front_if(|(sequence, asked)| is_ready(*sequence, *asked));
        next.map(|(sequence, _)| sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_late_does_not_wait_behind_what_is_younger() {
        let mut waiting = Waiting::default();
        for (sequence, is_late) in [(70, false), (80, false), (30, true), (20, true), (90, false)] {
            waiting.push(Sequence(sequence), Timestamp(sequence as i64), is_late);
        }
        let mut pop = |before| waiting.pop(|sequence, _| sequence.0 < before).map(|s| s.0);
        assert_eq!([pop(25), pop(25), pop(35), pop(35)], [Some(20), None, Some(30), None]);
        assert_eq!([pop(100), pop(100), pop(90), pop(100)], [Some(70), Some(80), None, Some(90)]);
        assert_eq!(pop(100), None);
    }
}
