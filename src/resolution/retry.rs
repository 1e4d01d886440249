//! Upstream queries that are tries of one question.

use super::Resolution;
use super::candidate::{ASKS_MAX, OPEN_MAX};
use crate::bounded::Sequence;
use crate::time::{Span, Timestamp};
use crate::transaction::Transaction;

/// A query without an answer can be joined until it is tried again, and for so long at most.
const JOIN_MAX: Span = Span::from_millis(1_500);
/// A resolver fails over to its next server within this time.
pub(super) const FAIL_OVER_MAX: Span = Span::from_secs(12);

impl Resolution {
    /// The queries by which a resolver asked the same thing about the same time, newest first: from any
    /// of its addresses, to any server.
    pub(super) fn same_questions(&self, sent: &Transaction) -> Vec<(Sequence, &Transaction)> {
        let asked = self.roles.addresses_of(&sent.client).iter().flat_map(|resolver| {
            let about = self.transactions.of_client(*resolver, sent.group).take(ASKS_MAX);
            about.take_while(|(_, other)| other.asked_last + OPEN_MAX >= sent.asked)
        });
        let mut same: Vec<_> = asked.filter(|(_, other)| other.same_question(sent)).collect();
        same.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        same
    }

    /// The earliest query in the run of retries that ends with this one: the same question, each tried
    /// again while the one before had no usable answer.
    pub(super) fn first_try(&self, query: Sequence, sent: &Transaction) -> Sequence {
        let mut first = (query, sent.asked);
        for (sequence, earlier) in self.same_questions(sent) {
            if sequence >= first.0 {
                continue;
            }
            let failed = match earlier.answered() {
                None => true,
                Some(at) => at > first.1 || earlier.truncated || !matches!(earlier.rcode, 0 | 3),
            };
            if failed {
                first = (sequence, earlier.asked);
            } else if sent.asked - earlier.asked > FAIL_OVER_MAX {
                break;
            }
            // A resolver that asks for each client apart (Samba) fails over for one although another
            // was answered meanwhile.
        }
        first.0
    }

    /// When nobody can join a query any more: at its answer, or at the next try.
    pub(super) fn in_flight_until(&self, query: Sequence, sent: &Transaction) -> Timestamp {
        let later = self.same_questions(sent).into_iter().filter(|(sequence, _)| *sequence > query);
        let next_try = later.map(|(_, other)| other.asked).min();
        let longest = sent.asked + JOIN_MAX;
        sent.answered().unwrap_or_else(|| next_try.map_or(longest, |next| next.min(longest)))
    }
}
