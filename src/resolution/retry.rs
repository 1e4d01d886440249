//! Upstream queries that are tries of one question.

use std::collections::BTreeSet;

use super::History;
use super::candidate::{ASKS_MAX, OPEN_MAX};
use super::choice::FORWARDED_MAX;
use super::role::iterates;
use crate::bounded::Sequence;
use crate::message::is_conclusive;
use crate::time::{Span, Timestamp};
use crate::transaction::{DISORDER_MAX, HostId, Look, Segment, Transaction};

/// A query without an answer can be joined until it is tried again, and for so long at most.
const JOIN_MAX: Span = Span::from_millis(1_500);
/// A referral leads on within this time, unless the addresses of its servers must be asked for.
pub(super) const LEADS_ON_MAX: Span = Span::from_secs(1);
/// A resolver fails over to its next server within this time.
pub(super) const FAIL_OVER_MAX: Span = Span::from_secs(12);

/// A forwarder gives a server up after this at the soonest, and always after as long, give or take this.
const GIVEN_UP_AFTER_MIN: Span = Span::from_millis(500);
const SAME_PAUSE: Span = Span::from_millis(5);
const STEP: Span = Span::from_millis(1);
/// So many queries went the same way after as long where that is no chance, and of so many at most it is looked for.
const ALIKE_MIN: usize = 3;
const GIVEN_UP_MAX: usize = 64;

/// The longest pause between two tries.
const BACKS_OFF_MAX: Span = Span::from_secs(40);

/// Whether a response says what was asked for, or that there is none: no referral, nor a failure.
pub(super) fn says_all(query: &Transaction) -> bool {
    match query.rcode {
        0 => query.has_answers || query.is_nodata,
        code => code == 3,
    }
}

impl History<'_> {
    /// The queries by which a resolver asked the same thing about the same time or before, newest first: from
    /// any of its addresses, to any server, as far as they were sent by some time.
    pub(super) fn same_questions(
        &self,
        sent: &Transaction,
        latest: Timestamp,
    ) -> impl Iterator<Item = (Sequence, Transaction)> {
        let (question, began) = (*sent, sent.asked - OPEN_MAX);
        let look = move |stretch: &Segment| {
            // Where one was sent so long before, it is where to end.
            match stretch.is_sent_since(began) {
                true => stretch.look_for(question.name),
                false => Look::Through,
            }
        };
        let resolvers = self.roles.addresses_of(&sent.client).iter();
        let mut by_address: Vec<_> = resolvers
            .map(|resolver| {
                let within = (latest, ASKS_MAX);
                let about =
                    self.transactions.of_client_by(*resolver, question.domain, within, look);
                about
                    .take_while(move |(_, other)| other.asked_last >= began)
                    .filter(move |(_, other)| other.same_question(&question))
                    .peekable()
            })
            .collect();
        std::iter::from_fn(move || {
            let next = by_address.iter_mut().map(|about| about.peek().map(|(number, _)| *number));
            let (place, _) = next.enumerate().max_by_key(|(_, number)| *number)?;
            by_address.get_mut(place)?.next()
        })
    }

    /// The earliest query in the run of retries that ends with this one: the same question, each tried
    /// again while the one before had no usable answer.
    pub(super) fn first_try(&self, query: Sequence, sent: &Transaction) -> Sequence {
        let mut first = (query, sent.asked);
        let asker = self.transactions.hosts().get(sent.client);
        let iterates = asker.is_some_and(iterates);
        for (sequence, earlier) in self.same_questions(sent, sent.asked + JOIN_MAX) {
            if sequence >= first.0 {
                continue;
            }
            let over = earlier.answered().unwrap_or(earlier.asked_last);
            if first.1 - over > FAIL_OVER_MAX {
                // Who asks after so long a pause was asked again.
                break;
            }
            let failed = match earlier.answered() {
                None => true,
                Some(at) => at > first.1 || earlier.truncated || !is_conclusive(earlier.rcode),
            };
            // Of one that iterates all wait together, and are told what it is told, if only that there is nothing; a
            // referral leads it on, and soon.
            let led_on_until = earlier.answered().map(|at| at + LEADS_ON_MAX);
            let is_told = iterates
                && (says_all(&earlier) || led_on_until.is_some_and(|until| until < first.1));
            if failed {
                first = (sequence, earlier.asked);
            } else if is_told || sent.asked - earlier.asked > FAIL_OVER_MAX {
                break;
            }
            // A forwarder that asks for each client apart (Samba) fails over for one although another
            // was answered meanwhile.
        }
        first.0
    }

    /// The queries of which one, still unanswered, gave way to this one at another server, where a forwarder asks for each client
    /// apart: it gives up each after the same pause (Samba after 10 s), and when the others did so shows which. Several if their
    /// pauses are too much alike. A resolver that lets all wait for one query does not ask behind each ask.
    pub(super) fn gave_way_to(
        &self,
        query: Sequence,
        sent: &Transaction,
    ) -> Vec<(Sequence, Transaction)> {
        let asker = self.transactions.hosts().get(sent.client);
        if asker.is_none_or(|resolver| resolver.asks_iterating > 0) {
            return Vec::new();
        }
        let (since, until) =
            (sent.asked - FAIL_OVER_MAX - FAIL_OVER_MAX, sent.asked + FAIL_OVER_MAX);
        let about = self.same_questions(sent, until);
        let about = about.take_while(|(_, other)| other.asked + DISORDER_MAX >= since);
        let about: Vec<_> = about.take(GIVEN_UP_MAX + 1).collect();
        if !(ALIKE_MIN..=GIVEN_UP_MAX).contains(&about.len()) {
            return Vec::new();
        }
        let came = self.came_between(sent, (since, until));
        let is_behind_an_ask = |query: &Transaction| {
            let after = came.partition_point(|at| *at <= query.asked);
            let last = after.checked_sub(1).and_then(|place| came.get(place));
            last.is_some_and(|last| query.asked - *last <= FORWARDED_MAX)
        };
        // What is behind an ask itself gave way to nothing, unless another query is that ask's.
        let is_its_own = is_behind_an_ask(sent)
            && !about.iter().any(|(_, other)| {
                other.server != sent.server && (other.asked - sent.asked).abs() <= FORWARDED_MAX
            });
        if is_its_own {
            return Vec::new();
        }
        let pause = |earlier: &Transaction, later: &Transaction| {
            let is_open = earlier.answered().is_none_or(|at| at >= later.asked);
            let pause = later.asked - earlier.asked;
            let is_elsewhere = earlier.server != later.server;
            let fits = (GIVEN_UP_AFTER_MIN..=FAIL_OVER_MAX).contains(&pause);
            (is_open && is_elsewhere && fits).then_some(pause)
        };
        let own: Vec<_> = about
            .iter()
            .filter(|(sequence, earlier)| *sequence != query && is_behind_an_ask(earlier))
            .collect();
        // By the server that was given up, after how long, and which query.
        let mut pauses: Vec<(HostId, Span, Sequence)> = Vec::new();
        for (_, later) in about.iter().filter(|(_, later)| later.server == sent.server) {
            pauses.extend(own.iter().filter_map(|(sequence, earlier)| {
                Some((earlier.server, pause(earlier, later)?, *sequence))
            }));
        }
        pauses.sort_unstable();
        let alike = |&(server, after, _): &(HostId, Span, Sequence)| {
            let of_it = (server, after - SAME_PAUSE, Sequence(0));
            let first = pauses.partition_point(|pause| *pause < of_it);
            let alike = pauses.get(first..).unwrap_or_default().iter();
            let alike = alike
                .take_while(|(other, pause, _)| *other == server && *pause <= after + SAME_PAUSE);
            alike.map(|(_, _, sequence)| sequence).collect::<BTreeSet<_>>().len()
        };
        let latest = about.iter().map(|(_, other)| other.asked).max().unwrap_or(sent.asked);
        // How many should have given way after as long.
        let due = |&(server, after, _): &(HostId, Span, Sequence)| {
            let is_due = |(_, earlier): &&&(Sequence, Transaction)| {
                let at = earlier.asked + after;
                earlier.server == server
                    && at + SAME_PAUSE <= latest
                    && earlier.answered().is_none_or(|answered| answered >= at)
            };
            own.iter().filter(is_due).count()
        };
        let mut usual: Vec<(usize, HostId, Span)> = Vec::new();
        // Of many in a burst each is as long as the next: one of them stands for all within a step, so that it costs no square.
        let mut looked_at: Option<(HostId, Span)> = None;
        for pause in &pauses {
            if looked_at.is_some_and(|(server, last)| server == pause.0 && pause.1 - last < STEP) {
                continue;
            }
            looked_at = Some((pause.0, pause.1));
            let alike = alike(pause);
            if alike >= ALIKE_MIN {
                usual.push(((2 * alike).saturating_sub(due(pause)), pause.0, pause.1));
            }
        }
        usual.sort_unstable();
        let Some(&(most, server, after)) = usual.last().filter(|(most, ..)| *most > 0) else {
            return Vec::new();
        };
        // Another pause that is as usual says as much; of asks that came nearly together it cannot be told which gave way.
        let is_near = |other: HostId, pause: Span, times: i64| {
            other == server && (pause - after).abs() <= Span(SAME_PAUSE.0 * times)
        };
        if usual.iter().any(|&(alike, other, pause)| alike == most && !is_near(other, pause, 4)) {
            return Vec::new();
        }
        let gave_way = |(_, earlier): &&&(Sequence, Transaction)| {
            pause(earlier, sent).is_some_and(|pause| is_near(earlier.server, pause, 2))
        };
        own.iter().filter(gave_way).map(|earlier| **earlier).collect()
    }

    /// When the asks for what a query is for came between two times, each time that they were sent, in order.
    fn came_between(
        &self,
        sent: &Transaction,
        (since, until): (Timestamp, Timestamp),
    ) -> Vec<Timestamp> {
        let mut came = Vec::new();
        for (sequence, ask) in self.same_asks(sent, (since, until)) {
            came.push(ask.asked);
            came.extend(self.transactions.tries(sequence).iter().map(|again| again.asked));
        }
        came.sort_unstable();
        came
    }

    /// The asks at a resolver for what a query of it is for that were sent between two times, at any of its addresses.
    pub(super) fn same_asks(
        &self,
        sent: &Transaction,
        (since, until): (Timestamp, Timestamp),
    ) -> Vec<(Sequence, Transaction)> {
        let name = sent.name;
        let look = move |segment: &Segment| match segment.is_sent_since(since) {
            true => segment.look_for(name),
            false => Look::Through,
        };
        let addresses = self.roles.addresses_of(&sent.client).iter();
        let asks = addresses.flat_map(|resolver| {
            let within = (until, ASKS_MAX);
            let asks = self.transactions.with_server_by(*resolver, sent.domain, within, look);
            asks.take_while(move |(_, ask)| ask.asked_last >= since)
        });
        asks.filter(|(_, ask)| ask.same_question(sent)).collect()
    }

    /// The earliest query in the run that ends with this one, however long the pauses are by which a resolver backs off
    /// (Unbound's last ones take half a minute): the same question, of which none was answered before the next. Of what
    /// was sent longer before than an ask is remembered nothing is known.
    pub(super) fn run_began(
        &self,
        query: Sequence,
        sent: &Transaction,
    ) -> Option<(Sequence, Transaction)> {
        let mut first: Option<(Sequence, Transaction)> = None;
        for (sequence, earlier) in self.same_questions(sent, sent.asked) {
            let (next, asked) = first.map_or((query, sent.asked), |(at, first)| (at, first.asked));
            if sequence >= next {
                continue;
            }
            let is_answered = earlier.answered().is_some_and(|at| at <= asked);
            if is_answered || earlier.asked_last + BACKS_OFF_MAX < asked {
                break;
            }
            first = Some((sequence, earlier));
        }
        first
    }

    /// When nobody can join a query any more: at its answer, or at the next try.
    pub(super) fn in_flight_until(&self, query: Sequence, sent: &Transaction) -> Timestamp {
        if let Some(at) = sent.answered() {
            // The answer may be to a later try by the same port and id.
            let tries = self.transactions.tries(query);
            let later = tries.iter().map(|other| other.asked).find(|asked| *asked > sent.asked);
            return later.map_or(at, |later| at.min(later));
        }
        let longest = sent.asked + JOIN_MAX;
        let same = self.same_questions(sent, longest);
        let later = same.take_while(|(sequence, _)| *sequence > query);
        later.fold(longest, |earliest, (_, other)| earliest.min(other.asked))
    }
}
