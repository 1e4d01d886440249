//! Of the asks that can have caused an upstream query, those that did.

use foldhash::HashSet;

use super::History;
use super::candidate::{
    AFTER_MAX, Candidate, INSTANT, OPEN_MAX, OUT_OF_ORDER, PASSED_ON_AT_ONCE, Timing,
};
use super::cause::{LIKELY, POSSIBLE, TRIES_ON_MAX};
use super::earlier_answers::Side;
use super::pending::PASSED_ON;
use super::retry::says_all;
use super::walk::Relation;
use crate::bounded::Sequence;
use crate::message::is_conclusive;
use crate::time::{Span, Timestamp};
use crate::transaction::{DISORDER_MAX, HostId, Transaction};

/// What a resolver does at once after an answer, it does within this time.
pub(super) const MOMENT: Span = Span::from_millis(100);
/// A resolver that refreshes what it just served mostly does so within this time, and else within this one.
const REFRESHES_AT_ONCE: Span = Span::from_millis(5);
const REFRESHES_MAX: Span = Span::from_secs(1);
/// What is left to be asked when an ask is answered a resolver asks within this time.
const AFTERWARDS: Span = Span::from_millis(10);
/// A resolver that asks upstream for each ask apart does so within this time,
const OWN_QUERY_MAX: Span = Span::from_millis(3);
/// or within this one if it only forwards: then each query is for an ask, and none a further step of a walk down
/// from the root.
pub(super) const FORWARDED_MAX: Span = Span::from_millis(10);
/// Of responses that come closer together than this it cannot be told whom each was for.
const APART: Span = Span::from_millis(1);
/// How many questions are looked at for whether each has a query of its own.
const CAME_MAX: usize = 256;
/// A resolver sets out for an ask within this time.
pub(super) const SETS_OUT_MAX: Span = Span::from_millis(5);
/// How many tries are looked at for whether all had failed.
const TRIES_MAX: usize = 64;
/// An answer from the cache takes less than this.
const AT_ONCE: Span = Span::from_millis(1);

/// What it means for those chosen that others may have caused the query as well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Others {
    /// So many clients can have, none more likely than the other.
    pub too_many: Option<u32>,
    /// How sure it can be at most of those chosen, in thousandths.
    pub sure_max: u16,
}

impl History<'_> {
    /// Who else may have caused a query, that is who had just been answered:
    /// 1. What refreshes a name that clients were served does so at once (Unbound, BIND) or up to a second later
    ///    (PowerDNS), so of several who were served lately the last is the one only if that was just before.
    /// 2. For the addresses of name servers a resolver asks before it goes on for who waits, or when it is done.
    pub(super) fn others(
        &self,
        candidates: &[Candidate],
        chosen: &[Candidate],
        sent: &Transaction,
    ) -> Others {
        let none = Others { too_many: None, sure_max: 1_000 };
        let Some(first) = chosen.first() else { return none };
        let client = |c: &Candidate| self.transactions.get(c.ask).map(|ask| ask.client);
        let own: Vec<HostId> = chosen.iter().filter_map(client).collect();
        let served = |within: Span, weakest: Relation| {
            let of = candidates.iter().filter(move |c| {
                let lately = matches!(c.timing, Timing::After(since) if since <= within);
                lately && c.served && c.relation <= weakest
            });
            let others = of.filter_map(client).filter(|client| !own.contains(client));
            others.collect::<HashSet<_>>().len() as u32
        };
        let several = |rivals: u32| (rivals > 0).then_some(rivals + own.len() as u32);
        let has_just_asked = |c: &Candidate| {
            has_just_asked_otherwise(c, sent)
                && client(c).is_some_and(|client| !own.contains(&client))
        };
        match first.timing {
            Timing::After(since) if since <= REFRESHES_AT_ONCE => Others {
                too_many: several(served(REFRESHES_AT_ONCE, first.relation)),
                sure_max: match () {
                    () if candidates.iter().any(has_just_asked) => POSSIBLE,
                    () if served(REFRESHES_MAX, first.relation) > 0 => LIKELY,
                    () => 1_000,
                },
            },
            Timing::After(_) => {
                Others { too_many: several(served(REFRESHES_MAX, first.relation)), ..none }
            }
            Timing::Open if first.relation == Relation::Server => Others {
                too_many: several(served(INSTANT, Relation::Alias)),
                sure_max: match () {
                    () if served(AFTERWARDS, Relation::Server) > 0 => POSSIBLE,
                    () if served(MOMENT, Relation::Server) > 0 => LIKELY,
                    () => 1_000,
                },
            },
            _ => none,
        }
    }

    /// Leaves out asks without a captured answer that must have been answered: a resolver answers all
    /// who wait for one thing at once, so when somebody got that answer later, they did too.
    pub(super) fn without_silently_answered(
        &self,
        mut found: Vec<Candidate>,
        sent: &Transaction,
    ) -> Vec<Candidate> {
        let mut answers: Vec<(u64, u16, Timestamp)> = Vec::new();
        for candidate in &found {
            if let Some(ask) = self.transactions.get(candidate.ask)
                && let Some(at) = ask.answered()
                && at + INSTANT < sent.asked
            {
                answers.push((ask.name.0, ask.qtype.0, at));
            }
        }
        answers.sort_unstable();
        found.retain_mut(|candidate| {
            let Some(ask) = self.transactions.get(candidate.ask) else { return false };
            if ask.answered().is_some() {
                return true;
            }
            // The first answer to the same question after this ask came.
            let from = (ask.name.0, ask.qtype.0, ask.asked_last);
            let next = answers.partition_point(|answer| *answer < from);
            match answers.get(next) {
                Some(&(name, qtype, at)) if (name, qtype) == (ask.name.0, ask.qtype.0) => {
                    let since = sent.asked - at;
                    candidate.timing = Timing::After(since);
                    since <= AFTER_MAX
                }
                _ => true,
            }
        });
        found
    }

    /// Takes asks without a captured answer that must have failed for answered: a resolver that forwards tells a failure on as
    /// soon as nobody is left to be tried, so when what it asked since an ask had all been answered, and that with a
    /// failure, a while before a query, its client was told.
    pub(super) fn without_refused(&self, found: &mut Vec<Candidate>, sent: &Transaction) {
        let before = sent.asked - OUT_OF_ORDER;
        let told = self.told(Side::Asks, &sent.client, sent.question(), before);
        if told.answered.is_empty() {
            return;
        }
        found.retain_mut(|candidate| {
            let Some(ask) = self.transactions.get(candidate.ask) else { return false };
            if ask.answered().is_some() || candidate.timing != Timing::Open {
                return true;
            }
            if told.newest_open.is_some_and(|open| open >= ask.asked_last) {
                return true;
            }
            let since = told.answered.iter().map(|(_, query)| query).take(TRIES_MAX);
            let since = since.take_while(|query| query.asked >= ask.asked_last);
            let last = since.filter_map(|query| Some((query.answered()?, query.rcode))).max();
            let is_over = |at: Timestamp| at + PASSED_ON <= sent.asked;
            match last.filter(|(at, rcode)| !is_conclusive(*rcode) && is_over(*at)) {
                Some((at, _)) => {
                    candidate.timing = Timing::After(sent.asked - at);
                    sent.asked - at <= AFTER_MAX
                }
                None => true,
            }
        });
    }

    /// Leaves out asks that came after the query's answer had reached a client, which shows that it was
    /// no longer in flight even where the answer itself was not captured; and then also those that were
    /// answered at once, so hardly waited for anybody.
    pub(super) fn without_late_joiners(
        &self,
        mut found: Vec<Candidate>,
        sent: &Transaction,
    ) -> Vec<Candidate> {
        // The answer to another type says nothing of it.
        let is_of_it = |c: &&Candidate| c.relation != Relation::OtherType;
        let open = found.iter().filter(|c| c.timing == Timing::Open).filter(is_of_it);
        let over = open.filter_map(|c| c.told).min();
        found.retain(|candidate| {
            let in_time = over.is_none_or(|over| candidate.asked <= over);
            let at_once = candidate.told.is_some_and(|at| at - candidate.asked < AT_ONCE);
            // Who had an answer before it came waited for something else.
            let waited = sent
                .answered()
                .zip(candidate.told)
                .is_none_or(|(came, told)| came <= told + OUT_OF_ORDER);
            candidate.timing != Timing::Joined
                || (in_time && waited && (sent.answered().is_some() || !at_once))
        });
        found
    }

    /// Leaves out asks whose answer came with that to another query for the same thing, sent right behind them or answered
    /// well after this one, where somebody else got theirs with the answer to this one: such a resolver asks upstream for each ask apart, or all would have had it
    /// with the first.
    pub(super) fn without_told_by_others(
        &self,
        mut found: Vec<Candidate>,
        sent: &Transaction,
    ) -> Vec<Candidate> {
        let tells =
            |query: &Transaction| query.answered().filter(|_| says_all(query) && !query.truncated);
        let Some(came) = tells(sent) else { return found };
        let is_for_it = |c: &Candidate| {
            matches!(c.timing, Timing::Open | Timing::AnsweredSoon | Timing::Joined)
                && c.relation <= Relation::Alias
        };
        let asks = found.iter().filter(|c| is_for_it(c));
        let told = asks.filter_map(|c| c.told).max();
        let Some(last) = told.filter(|_| found.len() > 1) else { return found };
        // Somebody has to have got it with this one.
        if !found.iter().any(|c| is_for_it(c) && self.was_told_with(c, sent)) {
            return found;
        }
        // When each came, and when it was asked for.
        let same = self.same_questions(sent, last);
        let mut responses: Vec<(Timestamp, Timestamp)> = same
            .filter_map(|(_, query)| Some((tells(&query)?, query.asked)))
            .chain([(came, sent.asked)])
            .collect();
        responses.sort_unstable();
        responses.dedup();
        // Each was told by the response just before, if no other is near.
        let told_by = |c: &Candidate| {
            let ask = self.transactions.get(c.ask)?;
            let told = c.told?;
            let before = responses.partition_point(|(response, _)| *response <= told);
            let place = before.checked_sub(1)?;
            let (response, asked) = responses.get(place).copied()?;
            let (last, next) = (place.checked_sub(1), responses.get(before));
            let last = last.and_then(|last| responses.get(last));
            let is_alone = last.is_none_or(|(last, _)| response - *last > APART)
                && next.is_none_or(|(next, _)| *next - response > APART);
            let waited = !ask.has_query() || ask.asked <= response;
            (is_alone && waited && told - response < PASSED_ON_AT_ONCE).then_some((response, asked))
        };
        // How those need it who were told by this one.
        let told_here = |timing: Timing| {
            let here = found.iter().filter(|c| {
                c.timing == timing && is_for_it(c) && told_by(c) == Some((came, sent.asked))
            });
            here.map(|c| c.relation).min()
        };
        let strongest = told_here(Timing::Open);
        if strongest.or_else(|| told_here(Timing::AnsweredSoon)).is_none() {
            return found;
        }
        found.retain(|c| {
            let by = told_by(c).filter(|(response, _)| *response != came);
            // All who wait together are told together; who had a query of its own did not.
            let waited_on = by.is_some_and(|(response, _)| response > came + MOMENT)
                && self.has_own_query(sent, c.asked);
            let has_own =
                by.is_some_and(|(_, asked)| (Span(0)..FORWARDED_MAX).contains(&(asked - c.asked)));
            // Who asked for the same as one who was told is behind it as much: some resolvers let asks wait together and try
            // again for each (PowerDNS).
            let is_weighed = strongest.is_none_or(|strongest| strongest > c.relation);
            !(is_for_it(c) && (waited_on || has_own && is_weighed))
        });
        found
    }

    /// Whether a resolver asked upstream for what a query is for right behind a time.
    fn has_own_query(&self, sent: &Transaction, time: Timestamp) -> bool {
        let mut same = self
            .upstream_about(
                &sent.client,
                (sent.name, sent.domain),
                sent.qtype,
                time + FORWARDED_MAX,
            )
            .take_while(|(_, query)| query.asked + DISORDER_MAX >= time);
        same.any(|(_, query)| (Span(0)..FORWARDED_MAX).contains(&(query.asked - time)))
    }

    /// An ask as it waits for what a query is for. A resolver that asks upstream for each time that an ask was sent also
    /// answers each time (Samba): of such an ask, the first answer since the query counts.
    pub(super) fn as_it_waits(
        &self,
        sequence: Sequence,
        ask: Transaction,
        sent: &Transaction,
    ) -> Transaction {
        let later = self.transactions.as_answered_since(sequence, ask, sent.asked);
        if later.answered() == ask.answered() || !ask.same_question(sent) {
            return ask;
        }
        let mut tries = self.transactions.tries(sequence).into_iter();
        match tries.all(|one| self.has_own_query(sent, one.asked)) {
            true => later,
            false => ask,
        }
    }

    /// The asks for the very thing that a query is for under the same id, where the resolver sends ids on: it asks for each
    /// apart, and tries again under that id, whatever it told the client meanwhile.
    pub(super) fn of_same_id(&self, sent: &Transaction) -> Vec<Candidate> {
        if !self.roles.sends_ids_on(sent.client) {
            return Vec::new();
        }
        let asks = self.same_asks(sent, (sent.asked - OPEN_MAX, sent.asked));
        let of_it = asks.into_iter().filter(|(_, ask)| ask.id == sent.id);
        let candidate = |(sequence, ask): (Sequence, Transaction)| {
            let told = ask.answered();
            let before = told.filter(|at| *at < sent.asked);
            Candidate {
                ask: sequence,
                asked: ask.asked,
                told,
                reach: 0,
                relation: Relation::Itself,
                timing: before.map_or(Timing::Open, |at| Timing::After(sent.asked - at)),
                confirmed: false,
                is_past: false,
                is_doubted: false,
                is_late: false,
                is_just_led: false,
                is_led_on: false,
                served: ask.is_served(),
                untold: None,
            }
        };
        let mut found: Vec<Candidate> = of_it.map(candidate).collect();
        found.sort_by_key(|candidate| (candidate.asked, candidate.ask));
        found
    }

    /// Of asks for the very thing that a query is for, the one that set it off, where the resolver asks
    /// upstream for each of them apart (Samba does, and dnsdist): then each has a query of its own right behind it. Of
    /// several that came together before several queries, any may have; of a query that is none of these, each.
    pub(super) fn each_its_own(
        &self,
        sent: &Transaction,
        chosen: Vec<Candidate>,
    ) -> Vec<Candidate> {
        let asker = self.transactions.hosts().get(sent.client);
        let forwards = asker.is_some_and(|resolver| resolver.asks_iterating == 0);
        let within = if forwards { FORWARDED_MAX } else { OWN_QUERY_MAX };
        // To another server, it would be a further step of one walk down from the root.
        let at_once = |came: Timestamp, query: &Transaction| {
            (forwards || query.server == sent.server)
                && (Span(0)..within).contains(&(query.asked - came))
        };
        if chosen.len() < 2 || chosen.iter().any(|c| c.relation != Relation::Itself) {
            return chosen;
        }
        let each = |candidate: &Candidate| {
            let candidate = *candidate;
            let came = self.came_by(&candidate, sent.asked).into_iter();
            came.map(move |at| (at, candidate))
        };
        let mut came: Vec<(Timestamp, Candidate)> = chosen.iter().flat_map(each).collect();
        came.sort_by_key(|(at, candidate)| (*at, candidate.ask));
        if came.len() > CAME_MAX {
            return chosen;
        }
        let (Some(&(first, _)), Some(&(last, _))) = (came.first(), came.last()) else {
            return chosen;
        };
        let same = self.same_questions(sent, last + within);
        let mut left: Vec<_> = same
            .map(|(_, query)| query)
            .take_while(|query| query.asked + DISORDER_MAX >= first)
            .collect();
        left.reverse();
        let Some(first_server) = left.first().map(|query| query.server) else { return chosen };
        // Each takes the first behind it that none before has taken.
        let mut own: Vec<(Timestamp, Transaction, Candidate)> = Vec::new();
        for (at, candidate) in came {
            // What it sends elsewhere may be a next try for another, which comes as one asks again: many do so after five
            // seconds, and servers go on after ten.
            let first = |query: &Transaction| query.server == first_server && at_once(at, query);
            let place = left.iter().position(first);
            let place = place.or_else(|| left.iter().position(|query| at_once(at, query)));
            let Some(place) = place else { return chosen };
            own.push((at, left.remove(place), candidate));
        }
        let is_it = |query: &Transaction| {
            (query.asked, query.client_port, query.id, query.server)
                == (sent.asked, sent.client_port, sent.id, sent.server)
        };
        let Some(owner) = own.iter().position(|(_, query, _)| is_it(query)) else {
            // One query behind one question may be chance.
            let are_apart = own.len() > chosen.len();
            if !are_apart || chosen.iter().any(|c| c.is_doubted || c.is_late) {
                return chosen;
            }
            // It tries again for one of them, and which cannot be told.
            let one = |c: Candidate| Candidate { untold: Some(POSSIBLE), ..c };
            return chosen.into_iter().map(one).collect();
        };
        // Another can have set it off if its owner can have set off another's in its place, and so on up to that one's.
        let mut is_free = vec![false; own.len()];
        let mut next = vec![owner];
        while let Some(place) = next.pop() {
            let Some((at, ..)) = own.get(place) else { continue };
            for (other, (_, query, _)) in own.iter().enumerate() {
                if let Some(is_free) = is_free.get_mut(other).filter(|is_free| !**is_free)
                    && at_once(*at, query)
                {
                    *is_free = true;
                    next.push(other);
                }
            }
        }
        let may_have =
            own.iter().zip(is_free).filter(|((at, ..), free)| *free && at_once(*at, sent));
        let mut may_have: Vec<Candidate> =
            may_have.map(|((_, _, candidate), _)| *candidate).collect();
        may_have.sort_by_key(|candidate| (candidate.asked, candidate.ask));
        may_have.dedup_by_key(|candidate| candidate.ask);
        may_have
    }

    /// Who was led to a query just before it, where those chosen asked for the very thing long before. A resolver that lets
    /// asks wait together sends nothing for one that comes while it waits, and one that asks for each apart sends just this.
    pub(super) fn just_led(
        &self,
        candidates: &[Candidate],
        chosen: &[Candidate],
        sent: &Transaction,
    ) -> Vec<Candidate> {
        let has_come = |c: &Candidate, within: Span| {
            self.came_by(c, sent.asked).last().is_some_and(|at| sent.asked - *at <= within)
        };
        let is_old = |c: &Candidate| {
            (c.relation, c.timing) == (Relation::Itself, Timing::Open)
                && !has_come(c, FORWARDED_MAX)
        };
        if chosen.is_empty() || !chosen.iter().all(is_old) {
            return Vec::new();
        }
        // Who was told what this query brought had waited for it.
        let are_told = chosen.iter().any(|c| self.was_told_with(c, sent));
        let is_led = |c: &&Candidate| {
            (c.relation, c.timing) == (Relation::Alias, Timing::Open)
                && !(c.is_past || c.is_late || c.is_doubted)
                && (has_come(c, SETS_OUT_MAX) || c.is_led_on || c.is_just_led && !are_told)
        };
        candidates.iter().filter(is_led).copied().collect()
    }

    /// Each time that an ask came by a time, in order; the first time at least.
    pub(super) fn came_by(&self, candidate: &Candidate, time: Timestamp) -> Vec<Timestamp> {
        let tries = self.transactions.tries(candidate.ask);
        let by_then = tries.iter().map(|ask| ask.asked).filter(|at| *at <= time);
        let mut came: Vec<_> = std::iter::once(candidate.asked).chain(by_then).collect();
        came.sort_unstable();
        came.dedup();
        came
    }
}

/// Whether an ask had just come for another type of the name, which a resolver that minimises its questions asks for by
/// this one.
fn has_just_asked_otherwise(candidate: &Candidate, sent: &Transaction) -> bool {
    candidate.timing == Timing::Open
        && candidate.relation == Relation::OtherType
        && sent.asked - candidate.asked <= SETS_OUT_MAX
}

/// Of all asks that can have caused a query, those that did, by the time of their questions.
///
/// 1. Those that were open; if for those who need it most the resolver was not seen at work, who was just led here instead;
/// 2. else those whose answers came soon after, their questions not captured;
/// 3. else those that were open for another type, for resolvers minimise their questions, if one had just come;
/// 4. else the one served last, if that was a moment ago: a resolver refreshes what it serves;
/// 5. else those that were open and for whom the resolver had come further;
/// 6. else those that stand just behind the query and need its very name, for frames may have changed
///    places;
/// 7. else those that were open for another type, whenever they came;
/// 8. else the one answered last.
///
/// Of these the ones with the strongest relation, and with them whoever joined.
pub(super) fn choose(mut candidates: Vec<Candidate>, sent: &Transaction) -> Vec<Candidate> {
    // Of several ways in which one ask needs the name, the strongest.
    candidates.sort_by_key(|c| (c.ask, c.relation, c.reach));
    candidates.dedup_by_key(|c| c.ask);
    let of = |timing: Timing, weakest: Relation, is_one: &dyn Fn(&Candidate) -> bool| {
        let of_timing = candidates
            .iter()
            .filter(move |c| c.timing == timing && c.relation <= weakest && is_one(c));
        of_timing.map(|c| (c.relation, timing)).min()
    };
    let strongest = |timing: Timing, weakest: Relation| of(timing, weakest, &|c| !c.is_past);
    let last_answered = |within: Span, all: bool| {
        let answered = candidates.iter().filter_map(|c| match c.timing {
            Timing::After(since)
                if since <= within && (c.served || all && since <= TRIES_ON_MAX) =>
            {
                Some((c.relation, c.timing))
            }
            _ => None,
        });
        answered.min()
    };
    // Who has just asked for the very name comes before who was served, for a refresh may come at any time; but not if
    // somebody was served just this a moment ago.
    let has_just_served = candidates.iter().any(|c| {
        let lately = matches!(c.timing, Timing::After(since) if since <= REFRESHES_AT_ONCE);
        lately && c.served && c.relation <= Relation::Alias
    });
    let has_just_asked =
        !has_just_served && candidates.iter().any(|c| has_just_asked_otherwise(c, sent));
    // Whom nothing was asked for gives way to who was led here just now, and told with the answer.
    let is_led = |c: &Candidate| c.is_just_led && c.confirmed && !(c.is_past || c.is_late);
    let best = of(Timing::Open, Relation::Alias, &is_led)
        .filter(|_| {
            let strongest = candidates.iter().filter(|c| c.timing == Timing::Open && !c.is_past);
            strongest.min_by_key(|c| (c.relation, c.is_late)).is_some_and(|c| c.is_late)
        })
        .or_else(|| strongest(Timing::Open, Relation::Server))
        .or_else(|| strongest(Timing::AnsweredSoon, Relation::Server))
        .or_else(|| strongest(Timing::Open, Relation::OtherType).filter(|_| has_just_asked))
        .or_else(|| last_answered(MOMENT, false))
        .or_else(|| of(Timing::Open, Relation::Server, &|c| c.is_past))
        .or_else(|| strongest(Timing::JustAfter, Relation::Alias))
        .or_else(|| strongest(Timing::Open, Relation::OtherType))
        .or_else(|| last_answered(AFTER_MAX, true));
    let joins = |c: &Candidate| matches!(c.timing, Timing::Joined | Timing::JustAfter);
    candidates.retain(|c| match best {
        Some((relation, timing)) => {
            c.relation == relation
                && (c.timing == timing || (joins(c) && relation <= Relation::Alias))
        }
        None => c.timing == Timing::Joined,
    });
    // Whoever waited for this got its answer with the one whose answer shows it.
    let is_shown = |c: &Candidate| c.relation == Relation::Alias && c.confirmed;
    if candidates.iter().any(|c| is_shown(c) && c.timing == Timing::Open) {
        candidates.retain(|c| c.relation != Relation::Alias || c.confirmed);
    }
    // For whom it had come further the resolver does not begin anew, while there is somebody else.
    if candidates.iter().any(|c| !c.is_past) {
        candidates.retain(|c| !c.is_past);
    }
    // Who came just before, and was told, comes before who may have been told long ago.
    let is_old = |c: &Candidate| c.untold == Some(POSSIBLE) || c.is_late;
    candidates.sort_by_key(|c| (c.timing == Timing::Joined, is_old(c), c.asked, c.ask));
    candidates
}

/// Of asks that all need a top-level domain, those that came just before the query: a resolver that has
/// to ask for one does so first of all. Of the others it may have known it already.
pub(super) fn nearest(mut chosen: Vec<Candidate>, sent: &Transaction) -> Vec<Candidate> {
    chosen.retain(|candidate| {
        candidate.relation == Relation::Itself || sent.asked - candidate.asked <= SETS_OUT_MAX
    });
    chosen
}
