//! Queries that were sent again as they were, and the responses beside the first.

use super::table::{MIRROR_MAX, Transaction, Transactions, UNANSWERED};
use crate::bounded::Sequence;
use crate::frame::FrameId;
use crate::message::Message;
use crate::time::Timestamp;

/// How many messages of one transaction are gone through.
const STEPS_MAX: usize = 64;

/// A message of a transaction that had one like it before: same ports, same id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repeat {
    transaction: Sequence,
    frame: FrameId,
    time: Timestamp,
    is_response: bool,
}

impl Transactions {
    /// Notes a query that was sent again, or a response that is not the first.
    pub(super) fn note_again(&mut self, sequence: Sequence, message: &Message, is_response: bool) {
        let Message { frame, time, .. } = *message;
        let repeat = Repeat { transaction: sequence, frame, time, is_response };
        self.repeats.push(repeat, [Some(sequence.0)]);
    }

    /// Takes a response to what was answered before: to each time that it was sent one may come. Others the mirror delivered
    /// twice, or the server: the first one counts.
    #[cold]
    #[inline(never)]
    pub(super) fn take_further_response(
        &mut self,
        sequence: Sequence,
        mut old: Transaction,
        response: &Message,
    ) {
        let last = self.further_responses(sequence, &old).last().unwrap_or(old.answered);
        if old.further_responses >= old.retransmissions || response.time - last < MIRROR_MAX {
            self.counters.copies += 1;
            return;
        }
        old.further_responses += 1;
        self.history.put(sequence, &old);
        self.note_again(sequence, response, true);
    }

    /// What of a transaction came again, the first first.
    fn again(&self, sequence: Sequence, responses: bool) -> impl Iterator<Item = Repeat> {
        let repeats = self.repeats.chain(0, sequence.0).map(|(_, repeat)| *repeat);
        let own = repeats.filter(move |repeat| repeat.transaction == sequence);
        let wanted: Vec<Repeat> =
            own.take(STEPS_MAX).filter(|repeat| repeat.is_response == responses).collect();
        wanted.into_iter().rev()
    }

    /// When the responses to a transaction came, but for the first.
    fn further_responses(
        &self,
        sequence: Sequence,
        whole: &Transaction,
    ) -> impl Iterator<Item = Timestamp> {
        let some = (whole.further_responses > 0).then(|| self.again(sequence, true));
        some.into_iter().flatten().map(|response| response.time)
    }

    /// A transaction once for each time its query was sent, the first time first: with the frame and
    /// time of that query.
    pub fn tries(&self, sequence: Sequence) -> Vec<Transaction> {
        let Some(first) = self.get(sequence) else { return Vec::new() };
        let again = self.again(sequence, false);
        let again =
            again.map(|query| Transaction { query: query.frame, asked: query.time, ..first });
        std::iter::once(first).chain(again).collect()
    }

    /// A transaction as it stood at a time. One whose query was sent again only later, and answered only then, had no answer
    /// yet.
    pub fn as_of(&self, sequence: Sequence, whole: &Transaction, time: Timestamp) -> Transaction {
        if whole.retransmissions == 0 || whole.asked_last <= time {
            return *whole;
        }
        let (mut last, mut next) = (whole.asked, whole.asked_last);
        for at in self.tries(sequence).iter().map(|one| one.asked) {
            match at <= time {
                true => last = last.max(at),
                false => next = next.min(at),
            }
        }
        let answered = if whole.answered < next { whole.answered } else { UNANSWERED };
        Transaction { asked_last: last, answered, ..*whole }
    }

    /// A transaction as it is for what was done for it at a time. Of a server that answers each time that a query was sent
    /// (Samba), the query waits for the first response that came since, or had the last.
    pub fn as_answered_since(
        &self,
        sequence: Sequence,
        whole: Transaction,
        time: Timestamp,
    ) -> Transaction {
        if whole.further_responses == 0 || whole.answered >= time {
            return whole;
        }
        let mut last = whole.answered;
        for response in self.further_responses(sequence, &whole) {
            last = response;
            if response >= time {
                break;
            }
        }
        Transaction { answered: last, ..whole }
    }
}
