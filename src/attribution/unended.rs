//! Which transactions have no answer yet.
//!
//! Each is looked at when its time is over, a minute and more after it was seen: by then it is out of the cache, and
//! nearly all were answered long ago. So that is remembered in one bit, and only the others are gone to.

use crate::bounded::Sequence;
use crate::transaction::Event;

/// One bit for each transaction that is kept.
#[derive(Debug)]
pub(super) struct Unended {
    /// Whether an answer came; by the lowest bits of its number.
    answered: Vec<u64>,
    /// The oldest that was not passed yet.
    at: Sequence,
}

impl Unended {
    /// For a history of so many transactions.
    pub fn new(history: usize) -> Unended {
        let words = history.clamp(64, 1 << 32).next_power_of_two() / 64;
        Unended { answered: vec![0; words], at: Sequence(0) }
    }

    /// Notes what became of a transaction.
    #[inline]
    pub fn note(&mut self, event: Event) {
        let (sequence, is_answered) = match event {
            Event::Asked(sequence) => (sequence, false),
            Event::Answered(sequence) | Event::AnsweredUnasked(sequence) => (sequence, true),
            Event::AskedAgain(_) | Event::Nothing => return,
        };
        let place = self.word(sequence);
        let bit = 1 << (sequence.0 % 64);
        if let Some(word) = self.answered.get_mut(place) {
            *word = if is_answered { *word | bit } else { *word & !bit };
        }
    }

    /// The oldest of those kept, `oldest` to before `next`, that has no answer and was not passed yet.
    #[inline]
    pub fn first(&mut self, oldest: Sequence, next: Sequence) -> Option<Sequence> {
        self.at = self.at.max(oldest);
        while self.at < next {
            let word = self.answered.get(self.word(self.at)).copied().unwrap_or(0);
            let offset = self.at.0 % 64;
            let ones = u64::from((word >> offset).trailing_ones());
            self.at.0 += ones.min(64 - offset);
            if ones < 64 - offset {
                break;
            }
        }
        // What stands behind the newest is of older ones.
        self.at = self.at.min(next);
        (self.at < next).then_some(self.at)
    }

    /// Goes past one.
    pub fn pass(&mut self, sequence: Sequence) {
        self.at = self.at.max(Sequence(sequence.0 + 1));
    }

    #[inline]
    fn word(&self, sequence: Sequence) -> usize {
        (sequence.0 / 64) as usize & (self.answered.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn those_without_an_answer_are_met_in_turn_and_the_others_are_not(
            steps in prop::collection::vec((0u8..4, any::<prop::sample::Index>()), 1..600),
        ) {
            const HISTORY: usize = 128;
            let mut unended = Unended::new(HISTORY);
            // Whether each was answered, and how many were passed.
            let (mut answered, mut passed): (Vec<bool>, usize) = (Vec::new(), 0);
            for (step, which) in steps {
                let oldest = answered.len().saturating_sub(HISTORY);
                match step {
                    0 => {
                        unended.note(Event::Asked(Sequence(answered.len() as u64)));
                        answered.push(false);
                    }
                    1 => {
                        unended.note(Event::AnsweredUnasked(Sequence(answered.len() as u64)));
                        answered.push(true);
                    }
                    2 if answered.len() > oldest => {
                        let at = oldest + which.index(answered.len() - oldest);
                        unended.note(Event::Answered(Sequence(at as u64)));
                        answered[at] = true;
                    }
                    _ => {
                        if let Some(first) = unended.first(Sequence(oldest as u64), Sequence(answered.len() as u64)) {
                            unended.pass(first);
                            passed = first.0 as usize + 1;
                        }
                    }
                }
                let oldest = answered.len().saturating_sub(HISTORY);
                let expected = (passed.max(oldest)..answered.len()).find(|at| !answered[*at]);
                let first = unended.first(Sequence(oldest as u64), Sequence(answered.len() as u64));
                prop_assert_eq!(first.map(|first| first.0 as usize), expected);
            }
        }
    }
}
