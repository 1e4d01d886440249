//! Whether an answer may have been looked up out of sight, or came from the cache.

use foldhash::HashMap;

use super::History;
use super::around::{AROUND_MAX, Intervals};
use super::candidate::OUT_OF_ORDER;
use crate::bounded::Sequence;
use crate::name::NameHash;
use crate::time::{Span, Timestamp};
use crate::transaction::{HostId, Transaction};

/// An answer from the cache takes less, even from a busy server.
const FROM_CACHE_MAX: Span = Span::from_millis(5);
/// So many transactions in a row are judged by one look around.
const TOGETHER: u64 = 256;
/// Lookups are in sight where they are seen for all but one in so many of the answers that took as long as that takes.
const SEEN_SHARE: usize = 20;

/// Answers of a resolver that took as long as a lookup takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlowAnswers {
    all: usize,
    /// For how many no lookup was seen; no more are counted than decide.
    unseen: usize,
}

/// What [`SlowAnswers`] answers were found by: a resolver, about when, and how long they took at least; and those.
pub(super) type SeenLately = Option<((Option<HostId>, Sequence, Span), SlowAnswers)>;

impl History<'_> {
    /// Whether an answer for which no lookup is seen took as long as if there had been one: what the cache holds comes at once.
    /// Where lookups are seen for nearly all that takes so long, the server was busy.
    pub fn may_be_looked_up_unseen(&self, sequence: Sequence, ask: &Transaction) -> bool {
        let resolvers = self.roles.addresses_of(&ask.server);
        let medians = resolvers.iter().filter_map(|host| self.latencies.upstream_median_us(*host));
        let Some(median) = medians.min() else { return false };
        let least = FROM_CACHE_MAX.max(Span(median as i64 * 1_000 / 2));
        took(ask).is_some_and(|waited| waited >= least)
            && !self.are_lookups_seen((sequence, ask), resolvers, least)
    }

    /// Whether, about that time, a resolver was seen asking for nearly all for which its answers took so long. That is found
    /// out for many transactions together.
    fn are_lookups_seen(
        &self,
        (sequence, ask): (Sequence, &Transaction),
        resolvers: &[HostId],
        least: Span,
    ) -> bool {
        let first = Sequence(sequence.0 - sequence.0 % TOGETHER);
        let (place, asked) = match self.transactions.get(first) {
            Some(first_ask) => (first, first_ask.asked),
            None => (sequence, ask.asked),
        };
        let key = (resolvers.first().copied(), place, least);
        let known = self.lookups_seen.get().filter(|(known, _)| *known == key);
        let SlowAnswers { all, unseen } = match known {
            Some((_, slow)) => slow,
            None => {
                let slow = self.slow_answers((place, asked), resolvers, least);
                // Nothing comes to it any more.
                if self.transactions.next().0 > place.0 + AROUND_MAX as u64 {
                    self.lookups_seen.set(Some((key, slow)));
                }
                slow
            }
        };
        // The answer in question is one of them, unless it stands in the middle.
        let itself = usize::from(place == sequence);
        all >= SEEN_SHARE && all + itself >= (unseen + itself) * (SEEN_SHARE + 1)
    }

    /// The answers of a resolver that took so long, about the time of a transaction.
    fn slow_answers(
        &self,
        (middle, asked): (Sequence, Timestamp),
        resolvers: &[HostId],
        least: Span,
    ) -> SlowAnswers {
        let mut slow: Vec<(Sequence, Transaction)> = Vec::new();
        let mut lookups: HashMap<NameHash, Intervals> = HashMap::default();
        for (place, other) in self.around(middle, asked) {
            if resolvers.contains(&other.client) {
                lookups.entry(other.name).or_default().add(other.asked, other.closed());
            } else if resolvers.contains(&other.server)
                && took(&other).is_some_and(|waited| waited >= least)
            {
                slow.push((place, other));
            }
        }
        lookups.values_mut().for_each(Intervals::put_in_order);
        let is_looked_up = |(place, ask): &(Sequence, Transaction)| {
            let (asked, told) = (ask.asked - OUT_OF_ORDER, ask.closed() + OUT_OF_ORDER);
            // What is left in the cache of a chain is not asked for again, but what it leads to.
            let targets = self.edges.of_answer(*place).into_iter().map(|edge| edge.target);
            let mut names = targets.chain([ask.name]);
            names.any(|name| lookups.get(&name).is_some_and(|spells| spells.touch(asked, told)))
        };
        // What decides it is known soon, most times.
        let most_unseen = slow.len() / (SEEN_SHARE + 1) + 1;
        let unseen = slow.iter().filter(|slow| !is_looked_up(slow)).take(most_unseen).count();
        SlowAnswers { all: slow.len(), unseen }
    }
}

/// How long who asked waited for the answer.
fn took(ask: &Transaction) -> Option<Span> {
    ask.answered().map(|at| at - ask.asked_last)
}
