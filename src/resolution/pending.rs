//! Whether an ask without a captured answer can have been waiting still, or the resolver had given it up.

use super::candidate::{AFTER_MAX, Candidate, INSTANT, OPEN_MAX, OUT_OF_ORDER, Timing, on_the_way};
use super::cause::{LIKELY, POSSIBLE};
use super::choice::{MOMENT, SETS_OUT_MAX};
use super::earlier_answers::Side;
use super::retry::{FAIL_OVER_MAX, LEADS_ON_MAX, says_all};
use super::walk::{KnownChain, Relation, Walk};
use super::{Edge, EdgeKind, History};
use crate::bounded::Sequence;
use crate::message::{RecordType, is_conclusive};
use crate::name::{Name, NameHash};
use crate::time::{Span, Timestamp};
use crate::transaction::{DISORDER_MAX, Host, Look, Transaction};

/// What comes from upstream reaches the client within this time.
pub(super) const PASSED_ON: Span = Span::from_millis(300);
/// How many aliases are followed to see whether an ask was served.
const CHAIN_MAX: usize = 16;
/// A resolver that goes on trying does so again within this time (Unbound waits for up to 24 s),
const LULL_MAX: Span = Span::from_secs(26);
/// and has given up after this one, a try or two being missing.
const GIVES_UP_MAX: Span = Span::from_secs(30);
/// A resolver that has to ask upstream for an ask does so within this time.
const SET_TO_WORK: Span = Span::from_secs(1);
/// An ask that nobody else has come beside may have been told unseen if it is as old as this.
const UNTOLD_ALONE: Span = Span::from_millis(500);
/// A resolver that nothing holds up has set out for an ask by then.
const SET_OUT: Span = Span::from_millis(20);
/// Where a resolver has asked nothing for an ask for so long, and then does at once for another, it may have given it up.
const GIVEN_UP_LULL: Span = Span::from_secs(2);
/// For the query that went out at once for the other, so long will do.
const NOT_FOR_IT_LULL: Span = Span::from_secs(1);
/// For so many asks it is looked whether the resolver began anew with them, and so often in all whether it was at work; what
/// was not looked at is doubted.
const BEGUN_WITH_MAX: usize = 16;
const GIVEN_UP_MAX: usize = 96;
/// Where fewer than one in so many asks have a captured answer, that one has none says nothing.
const UNHEARD_SHARE: u32 = 100;
/// By then most asks have their answer, seen or not,
const UNHEARD_MAX: Span = Span::from_secs(10);
/// and as good as none before.
const UNHEARD_SOON: Span = Span::from_secs(1);
/// Most queries are under way for so long at least.
const UNHEARD_JOIN_MAX: Span = Span::from_millis(100);
/// How sure it is of who was probably told, in thousandths.
const UNLIKELY: u16 = 500;
/// So many tries show by what pauses a resolver tries again.
const PATTERN_TRIES: usize = 4;
/// A pause that is no longer than this may be one of those, however short they are.
const NO_BACK_OFF_MAX: Span = Span::from_secs(3);
/// For so many asks without an answer it is looked whether the resolver was at work; the others are doubted.
const LATE_MAX: usize = 64;
/// How many queries about one domain are looked at for one ask.
const QUERIES_MAX: usize = 256;

impl History<'_> {
    /// Whether an ask can have been waiting still. One that has had no captured answer for long was, if the resolver had
    /// set to work for it: if it was asking upstream about a name on the way, or on its way down to one, when the ask
    /// came or soon after, and has not left it at that. Else its answer came from the cache and is missing.
    pub(super) fn is_pending(
        &self,
        ask: &Transaction,
        sent: &Transaction,
        path: &[Edge],
        walk: &Walk<'_>,
    ) -> bool {
        if ask.answered().is_some() {
            return true;
        }
        if self.is_served(ask, sent)
            || self.was_told_with_others(ask, sent)
            || self.was_told_the_end(ask, sent, path)
        {
            return false;
        }
        let soon = ask.asked_last + SET_TO_WORK;
        if soon >= sent.asked {
            return true;
        }
        let names = self.names_on(path, ask, sent);
        // By these it comes down to a name, whatever is asked for.
        let is_for_it = |query: &Transaction| {
            on_the_way(query.qtype) || self.is_of_its_type(query, (ask, sent), &names)
        };
        let worked_on =
            |since, until| self.is_worked_on(ask, sent, (since, until), &names, (walk, &is_for_it));
        let then = sent.asked - OUT_OF_ORDER;
        worked_on(ask.asked - OPEN_MAX, soon)
            && (ask.asked_last + GIVES_UP_MAX >= sent.asked
                || worked_on(sent.asked - GIVES_UP_MAX, then))
    }

    /// An ask as it stood when a query was sent. One that was sent again only since, and then answered at once, from the cache,
    /// may have had an answer before, unseen.
    fn as_it_stood(
        &self,
        sequence: Sequence,
        ask: &Transaction,
        sent: &Transaction,
    ) -> Transaction {
        let waited = ask.answered().is_some_and(|told| told - ask.asked_last >= OUT_OF_ORDER);
        match waited {
            true => *ask,
            false => self.transactions.as_of(sequence, ask, sent.asked),
        }
    }

    /// Whether what an ask without a captured answer was for had come from upstream a while before a
    /// query: the answer then went to the client unseen.
    fn is_served(&self, ask: &Transaction, sent: &Transaction) -> bool {
        // Who asks once more after the answer has come has not got it.
        let served = |query: &Transaction| {
            let in_time = query
                .answered()
                .is_some_and(|at| at + PASSED_ON <= sent.asked && at + PASSED_ON > ask.asked_last);
            in_time && query.asked + PASSED_ON >= ask.asked && is_conclusive(query.rcode)
        };
        let (mut name, mut domain) = (ask.name, ask.domain);
        for step in 0..CHAIN_MAX {
            let question = (name, domain, ask.qtype);
            let told = self.told(Side::Asks, &sent.client, question, sent.asked);
            let is_since =
                |query: &Transaction, by: Span| query.asked + PASSED_ON + by >= ask.asked;
            let mut since =
                told.answered.iter().take_while(|(_, query)| is_since(query, DISORDER_MAX));
            let Some((sequence, answer)) = since.find(|(_, query)| served(query)) else {
                // What an alias led to came with it, unless it was asked for.
                let is_asked = told.newest.is_some_and(|asked| asked + PASSED_ON >= ask.asked);
                return step > 0 && !is_asked;
            };
            if answer.truncated || !says_all(answer) {
                return false;
            }
            let Some(alias) = self.alias_in(*sequence, name) else { return true };
            if !self.edges.has_names(&alias) {
                // Where it went on from there cannot be told, and nobody is blamed for what cannot.
                return true;
            }
            name = alias.target;
            domain = self.domain_of_name(self.edges.target_name(&alias));
        }
        false
    }

    /// Whether a resolver was told, while an ask without a captured answer was open, that its name leads elsewhere than by the
    /// aliases known before.
    pub fn was_led_elsewhere(&self, ask: &Transaction, known: &[Edge]) -> bool {
        let Some(first) = known.first().filter(|_| ask.answered().is_none()) else { return false };
        let until = ask.closed();
        self.roles.addresses_of(&ask.server).iter().any(|resolver| {
            let told = self.told(Side::Asks, resolver, ask.question(), until);
            let is_meanwhile = |query: &Transaction| {
                let says = says_all(query) && !query.truncated && !query.is_partial;
                query.answered().is_some_and(|at| says && (ask.asked..=until).contains(&at))
            };
            // What it was told first it went on with.
            let mut meanwhile = told.answered.iter().rev().filter(|(_, query)| is_meanwhile(query));
            meanwhile.next().is_some_and(|(answer, _)| {
                self.alias_in(*answer, ask.name).is_none_or(|alias| alias.target != first.target)
            })
        })
    }

    /// Whether an alias of a chain that had run out is refuted: by an answer that its resolver was told or gave since it was
    /// told of it last and by some time, to the question of an ask or about the owner, and that does without it.
    pub fn is_outdated_refuted(
        &self,
        ask: &Transaction,
        chain: &KnownChain,
        time: Timestamp,
    ) -> bool {
        chain.outdated().any(|edge| {
            let since = edge.told_by(time) + Span(1)..=time;
            let differs = |(answer, other): (Sequence, Transaction)| {
                other.answered().is_some_and(|at| since.contains(&at))
                    && says_all(&other)
                    && !(other.truncated || other.is_partial)
                    && self.alias_in(answer, edge.owner).is_none_or(|a| a.target != edge.target)
            };
            [ask.question(), self.owner_asked(edge, ask)].into_iter().any(|question| {
                [Side::Asks, Side::Asked]
                    .into_iter()
                    .any(|side| self.about(side, &edge.resolver, question, time).any(differs))
            })
        })
    }

    /// Whether the very thing that a query is for had come from upstream a while before, since an ask that aliases lead
    /// there from: then it has its answer.
    fn was_told_the_end(&self, ask: &Transaction, sent: &Transaction, path: &[Edge]) -> bool {
        if path.is_empty() || path.iter().any(|edge| edge.kind != EdgeKind::Alias) {
            return false;
        }
        let end = (sent.name, sent.domain, ask.qtype);
        let told = self.told(Side::Asks, &sent.client, end, sent.asked);
        told.answered.iter().any(|(_, query)| {
            let came = query.answered().filter(|_| says_all(query) && !query.truncated);
            came.is_some_and(|at| at > ask.asked_last && at + PASSED_ON <= sent.asked)
        })
    }

    /// Whether somebody got the answer to the same question since an ask, a while before a query: a resolver answers
    /// all at once who wait for one thing.
    fn was_told_with_others(&self, ask: &Transaction, sent: &Transaction) -> bool {
        let told = self.told(Side::Asked, &ask.server, ask.question(), sent.asked);
        told.is_answered_within(
            ask.asked_last + INSTANT + Span(1),
            sent.asked - AFTER_MAX - Span(1),
        )
    }

    /// Doubts asks without an answer that the resolver may have given up: it asked nothing for them for a while, and then for
    /// another that came. Had it been at it still, that one would only have waited, too, where asks for one thing wait
    /// together.
    pub(super) fn doubt_given_up(
        &self,
        found: &mut [Candidate],
        sent: &Transaction,
        walk: &Walk<'_>,
    ) {
        let is_old = |c: &Candidate| {
            let ask = self.transactions.get(c.ask).filter(|ask| ask.answered().is_none());
            c.timing == Timing::Open
                && ask.is_some_and(|ask| sent.asked - ask.asked_last > NOT_FOR_IT_LULL)
        };
        if found.len() < 2 || !found.iter().any(is_old) {
            return;
        }
        let mut left = GIVEN_UP_MAX;
        // `None` if so much was looked at that no more is.
        let mut worked_on = |candidate: &Candidate, from: Timestamp, until: Timestamp| {
            left = left.checked_sub(1)?;
            let ask = self.transactions.get(candidate.ask)?;
            let path = walk.path(candidate.reach);
            let names = self.names_on(&path, &ask, sent);
            let is_for_it = |query: &Transaction| self.is_of_its_type(query, (&ask, sent), &names);
            Some(self.is_worked_on(&ask, sent, (from, until), &names, (walk, &is_for_it)))
        };
        // For whom the resolver set out at once, the latest first: who asks once more may make it begin anew.
        let came = found.iter().filter(|c| c.asked <= sent.asked).map(|candidate| {
            let came = self.came_by(candidate, sent.asked);
            Candidate { asked: came.last().copied().unwrap_or(candidate.asked), ..*candidate }
        });
        let mut begun: Vec<Candidate> = came.collect();
        begun.sort_unstable_by_key(|c| std::cmp::Reverse((c.asked, c.ask)));
        begun.truncate(BEGUN_WITH_MAX);
        begun.retain(|c| worked_on(c, c.asked, c.asked + SETS_OUT_MAX).unwrap_or(false));
        for candidate in found.iter_mut().filter(|c| is_old(c)) {
            let last = self.transactions.get(candidate.ask).map(|ask| ask.asked_last);
            let mut others = begun.iter().filter(|new| new.ask != candidate.ask);
            candidate.is_doubted = others.any(|new| {
                let is_for_it = sent.asked - new.asked <= SETS_OUT_MAX;
                let lull = if is_for_it { NOT_FOR_IT_LULL } else { GIVEN_UP_LULL };
                last.is_some_and(|last| last + lull < new.asked)
                    && !worked_on(candidate, new.asked - lull, new.asked - INSTANT).unwrap_or(false)
            });
        }
    }

    /// How sure it can be at most, in thousandths, that an ask was still open when a query was sent, or came while that was in
    /// flight, where the capture holds hardly any answers of its server: it may have had its own, unseen.
    pub(super) fn unheard_sure_max(&self, ask: Sequence, sent: &Transaction) -> u16 {
        let Some(ask) = self.transactions.get(ask) else { return 1_000 };
        let seldom_answers = |host: &Host| host.answers < host.asked / UNHEARD_SHARE;
        let server = self.transactions.hosts().get(ask.server);
        let is_unheard = ask.answered().is_none() && server.is_some_and(seldom_answers);
        let since = sent.asked - ask.asked_last;
        match () {
            () if !is_unheard => 1_000,
            () if since > UNHEARD_MAX => UNLIKELY,
            () if since < Span(-UNHEARD_JOIN_MAX.0) => POSSIBLE,
            () if since > UNHEARD_SOON || since < Span(0) => LIKELY,
            () => 1_000,
        }
    }

    /// Notes for which asks without a captured answer nothing was asked upstream for so long that the answer may as well have
    /// come, from the cache or for what was asked before; or was asked once more only after a pause as no resolver makes that
    /// goes on trying.
    pub(super) fn note_late(&self, found: &mut [Candidate], sent: &Transaction, walk: &Walk<'_>) {
        let mut left = LATE_MAX;
        for candidate in found.iter_mut().filter(|c| c.timing == Timing::Open) {
            let Some(whole) = self.transactions.get(candidate.ask) else { continue };
            let ask = self.as_it_stood(candidate.ask, &whole, sent);
            if ask.answered().is_some() || sent.asked - ask.asked_last <= SET_OUT {
                continue;
            }
            candidate.is_late = left == 0 || {
                left -= 1;
                !self.is_at_work(&ask, candidate, sent, walk) || self.is_begun_anew(&ask, sent)
            };
        }
    }

    /// Whether a resolver had left off asking what a query asks since an ask came, and began anew: after a pause much longer than
    /// those between its tries before. Resolvers back off by doubling at most.
    fn is_begun_anew(&self, ask: &Transaction, sent: &Transaction) -> bool {
        let tries = self.same_questions(sent, sent.asked).map(|(_, query)| query.asked);
        let mut tries: Vec<Timestamp> = tries.take_while(|asked| *asked >= ask.asked).collect();
        tries.reverse();
        tries.push(sent.asked);
        let mut longest = Span(0);
        for (place, pair) in tries.windows(2).enumerate() {
            let pause = pair.last().zip(pair.first()).map_or(Span(0), |(next, last)| *next - *last);
            let most = Span(longest.0.saturating_mul(5) / 2).max(NO_BACK_OFF_MAX);
            if place + 1 >= PATTERN_TRIES && pause > most {
                return true;
            }
            longest = longest.max(pause);
        }
        false
    }

    /// Notes which asks without a captured answer were not told what a query brought, either, if they had waited for long by then:
    /// beside somebody who came just before, and was told, and alone.
    pub(super) fn note_untold(&self, found: &mut [Candidate], sent: &Transaction) {
        if sent.answered().is_none() || sent.truncated || !says_all(sent) {
            return;
        }
        let is_for_it = |c: &Candidate| c.timing == Timing::Open && c.relation <= Relation::Alias;
        let is_new = |c: &Candidate| {
            is_for_it(c) && sent.asked - c.asked <= MOMENT && self.was_told_with(c, sent)
        };
        let (long, sure_max) = match found.iter().any(is_new) {
            true => (PASSED_ON, POSSIBLE),
            false => (UNTOLD_ALONE, LIKELY),
        };
        for candidate in found.iter_mut().filter(|c| is_for_it(c)) {
            let ask = self.transactions.get(candidate.ask);
            let ask = ask.filter(|ask| ask.answered().is_none());
            candidate.untold =
                ask.filter(|ask| sent.asked - ask.asked_last > long).map(|_| sure_max);
        }
    }

    /// Whether a resolver was asking upstream for an ask not long before a query.
    fn is_at_work(
        &self,
        ask: &Transaction,
        candidate: &Candidate,
        sent: &Transaction,
        walk: &Walk<'_>,
    ) -> bool {
        let within = (sent.asked - LULL_MAX, sent.asked - OUT_OF_ORDER);
        let path = walk.path(candidate.reach);
        let names = self.names_on(&path, ask, sent);
        // What was answered has led on, to the addresses of servers perhaps, or was passed on.
        let led_on_max = if walk.iterates { FAIL_OVER_MAX } else { LEADS_ON_MAX };
        let is_going_on = |query: &Transaction| {
            query.answered().is_none_or(|at| at + led_on_max >= sent.asked)
                && self.is_of_its_type(query, (ask, sent), &names)
        };
        self.is_worked_on(ask, sent, within, &names, (walk, &is_going_on))
    }

    /// Whether a resolver was asking upstream for an ask by queries of some time: for a name on the way from it, or for one
    /// above these, if it does that.
    fn is_worked_on(
        &self,
        ask: &Transaction,
        sent: &Transaction,
        (since, until): (Timestamp, Timestamp),
        names: &[Name<'_>],
        (walk, is_for_it): (&Walk<'_>, &dyn Fn(&Transaction) -> bool),
    ) -> bool {
        let resolvers = self.roles.addresses_of(&sent.client);
        let within = (until, QUERIES_MAX);
        let about = |domain| {
            resolvers.iter().flat_map(move |resolver| {
                let about =
                    self.transactions.of_client_by(*resolver, domain, within, |_| Look::Through);
                about.take_while(move |(_, query)| query.asked_last + DISORDER_MAX >= since)
            })
        };
        let is_on_the_way = |query: &Transaction| {
            let asked = self.transactions.name(query);
            let mut below = names.iter().filter(|name| name.is_at_or_below(asked));
            below.any(|name| walk.goes_above || name.label_count() == asked.label_count())
        };
        let works_on = |(_, query): (Sequence, Transaction)| {
            let over = query.answered().unwrap_or(query.asked_last + FAIL_OVER_MAX);
            (since..=until).contains(&query.asked)
                && over >= ask.asked
                && is_on_the_way(&query)
                && is_for_it(&query)
                && !(query.answered().is_none() && self.was_passed_on(&query, ask, sent))
        };
        // The first step down from the root is about the top-level domain alone, where questions are minimised.
        let sets_out = |step: &(Sequence, Transaction)| {
            step.1.asked >= ask.asked && matches!(step.1.qtype, RecordType::A | RecordType::NS)
        };
        let top = self.transactions.name(ask).suffixes().find(|name| name.label_count() == 1);
        let mut domains: Vec<NameHash> =
            names.iter().map(|name| self.domain_of_name(*name)).collect();
        domains.sort_unstable();
        domains.dedup();
        domains.into_iter().any(|domain| about(domain).any(works_on))
            || top.is_some_and(|top| about(self.domain_of_name(top)).filter(sets_out).any(works_on))
    }

    /// Whether a query can be for an ask by its type: what a name on the way is asked for by another is for another ask, but
    /// for what is asked on the way down to one.
    fn is_of_its_type(
        &self,
        query: &Transaction,
        (ask, sent): (&Transaction, &Transaction),
        names: &[Name<'_>],
    ) -> bool {
        let asked = self.transactions.name(query);
        let is_above = |end: &Transaction| {
            let end = self.transactions.name(end);
            end != asked && end.is_at_or_below(asked)
        };
        [ask.qtype, sent.qtype].contains(&query.qtype)
            || !names.contains(&asked)
            || is_above(ask)
            || is_above(sent)
    }

    /// Whether a client got the answer to an upstream query before an ask came, though the answer to the query itself was not
    /// captured.
    fn was_passed_on(&self, query: &Transaction, ask: &Transaction, sent: &Transaction) -> bool {
        let latest = sent.asked.max(ask.asked);
        let told = self.told(Side::Asked, &sent.client, query.question(), latest);
        told.is_answered_within(query.asked, ask.asked)
    }

    /// The names on the way from an ask to a query.
    fn names_on<'a>(
        &'a self,
        path: &'a [Edge],
        ask: &'a Transaction,
        sent: &'a Transaction,
    ) -> Vec<Name<'a>> {
        let known = path.iter().filter(|edge| self.edges.has_names(edge));
        let ends = [ask, sent].map(|end| self.transactions.name(end));
        let between =
            known.flat_map(|edge| [self.edges.owner_name(edge), self.edges.target_name(edge)]);
        ends.into_iter().chain(between).collect()
    }
}
