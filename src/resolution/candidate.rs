//! The asks that can have caused an upstream query: by what they need, and by when they were open.

use foldhash::{HashMap, HashSet};

use super::cause::{TRIES_ON_MAX, Trail};
use super::choice::{MOMENT, SETS_OUT_MAX};
use super::earlier_answers::{Question, Side};
use super::walk::{Lacks, Reach, Relation, Walk};
use super::{Edge, EdgeKind, History};
use crate::bounded::Sequence;
use crate::message::{RecordType, is_conclusive};
use crate::name::NameHash;
use crate::time::{Span, Timestamp};
use crate::transaction::{DISORDER_MAX, HostId, Look, Segment, Transaction};

/// An ask is remembered as open this long before a query, at most.
pub(super) const OPEN_MAX: Span = Span::from_secs(75);
/// Frames of one instant can stand in either order on a mirror port.
pub(super) const INSTANT: Span = Span::from_micros(300);
/// A mirror port can put a frame behind another that came so much later.
pub(super) const OUT_OF_ORDER: Span = Span::from_millis(2);
/// An answer sets off further queries for so long (PowerDNS refreshes up to a second later).
pub(super) const AFTER_MAX: Span = Span::from_millis(2_400);
/// An ask whose query was not captured counts as open if its answer follows this closely.
const ANSWER_SOON: Span = Span::from_millis(400);
/// For so long a resolver waits for an answer before it tries anything else (Unbound 376 ms, others longer).
const UNANSWERED_FOR: Span = Span::from_millis(350);
/// What comes from upstream is passed on within this time by a resolver that need not ask further.
pub(super) const PASSED_ON_AT_ONCE: Span = Span::from_millis(15);
/// Nearly always it is within this one.
const TOLD_AT_ONCE: Span = Span::from_millis(3);
/// A resolver asks for what an alias leads to within this time, if it has nothing else to do first.
const LED_ON_WITHIN: Span = Span::from_millis(1);
/// How many asks about one domain are looked at for one query.
pub(super) const ASKS_MAX: usize = 1024;
/// How many transactions before a query are gone through for the asks among them.
const BEFORE_MAX: usize = 1 << 16;
/// How many asks are weighed for one query that were open when it was sent, that joined it, and that had been
/// answered: far more than would be named.
const CANDIDATES_MAX: usize = 256;
/// How many answers are looked at for what a resolver was told while one ask was open.
const TOLD_MAX: usize = 16;

/// When an ask was open, seen from an upstream query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timing {
    /// When the query was sent.
    Open,
    /// Its query was not captured, but its answer came at once after.
    AnsweredSoon,
    /// It stands behind the query, so little that frames may have changed places.
    JustAfter,
    /// It came while the query was in flight.
    Joined,
    /// It was answered so long before.
    After(Span),
}

impl Timing {
    /// Classes of which as many are weighed as of any other.
    const OPEN: usize = 0;
    const JOINED: usize = 1;
    const ANSWERED: usize = 2;

    fn class(self) -> usize {
        match self {
            Timing::Open | Timing::AnsweredSoon | Timing::JustAfter => Timing::OPEN,
            Timing::Joined => Timing::JOINED,
            Timing::After(_) => Timing::ANSWERED,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub ask: Sequence,
    /// When it was asked.
    pub asked: Timestamp,
    /// When it was answered; of several answers, the first since the query.
    pub told: Option<Timestamp>,
    pub reach: usize,
    pub relation: Relation,
    pub timing: Timing,
    /// Whether its own answer holds the chain.
    pub confirmed: bool,
    /// Whether the resolver had come further for it than to the zone that the query is for.
    pub is_past: bool,
    /// Whether the resolver may have given it up.
    pub is_doubted: bool,
    /// Whether it has no answer and the resolver was not seen at work for it: it may have had one, unseen.
    pub is_late: bool,
    /// Whether it came just before the query, or the alias that leads there, and its answer with the query's.
    pub is_just_led: bool,
    /// Whether the alias that leads to the query came so shortly before it that nothing else can have come in between.
    pub is_led_on: bool,
    /// Whether it was answered with what was asked for, or that there is no such thing.
    pub served: bool,
    /// If it was open for long, and no answer to it is in the capture though that to the query would have been passed on: how
    /// sure it can be at most, in thousandths. It may have had its own before, unseen.
    pub untold: Option<u16>,
}

/// What an ask's own answer says of the way to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnAnswer {
    /// It holds it.
    Path,
    /// Nothing: there is none, or it leaves out what the resolver was told meanwhile.
    Nothing,
    /// Nothing, for it has no record at all.
    NoRecord,
}

/// The asks that can have caused a query.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    pub candidates: Vec<Candidate>,
    /// Where the candidate of an ask is.
    place_of: HashMap<Sequence, usize>,
    /// How many there are of each class of timing: see [`Timing::class`].
    counts: [usize; 3],
    /// Where the candidate of a class is that a client asked first, by the client and how it needs the name.
    places: HashMap<(HostId, Relation, usize), usize>,
    /// Who needs the name by what is known now, and was just told otherwise.
    pub told_otherwise: HashSet<HostId>,
    /// Those that were not looked at, since too much was asked or too many names lead here.
    lacks: Lacks,
    /// Whether clients are missing who waited then, and some who had been answered.
    lacks_open: bool,
    lacks_answered: bool,
}

impl Candidates {
    fn add(&mut self, client: HostId, candidate: Candidate) {
        let class = candidate.timing.class();
        if let Some(place) = self.place_of.get(&candidate.ask).copied() {
            // It leads there by several ways: the strongest counts, and of equal ones that which its answer holds.
            let rank = |c: &Candidate| (c.relation, !c.confirmed);
            let known = self.candidates.get_mut(place).filter(|k| k.ask == candidate.ask);
            if let Some(known) = known
                && rank(&candidate) < rank(known)
            {
                *known = candidate;
            }
            return;
        }
        let Some(count) = self.counts.get_mut(class) else { return };
        let key = (client, candidate.relation, class);
        if *count < CANDIDATES_MAX {
            *count += 1;
            // The newest come first.
            self.places.insert(key, self.candidates.len());
            self.place_of.insert(candidate.ask, self.candidates.len());
            self.candidates.push(candidate);
            return;
        }
        let place = self.places.get(&key).copied();
        // Once a class is full, what counts is who else there was, and of those who waited, since when.
        match (place.and_then(|place| self.candidates.get_mut(place)), class) {
            (Some(known), Timing::OPEN) if candidate.asked < known.asked => *known = candidate,
            (None, Timing::OPEN) => self.lacks_open = true,
            (None, Timing::ANSWERED) => self.lacks_answered = true,
            // Of joiners there are more than would be named.
            _ => {}
        }
    }

    /// Whether what was not looked at can have caused the query rather than those that were chosen.
    pub fn may_lack(&self, chosen: &[Candidate]) -> bool {
        // Who was waiting for the name caused it, unless somebody waited who needs it more.
        let waited = |c: &Candidate| {
            let strongest = self.lacks.0.unwrap_or(Relation::OtherType).min(Relation::Alias);
            c.timing == Timing::Open && c.relation <= strongest
        };
        let was_answered = |c: &Candidate| matches!(c.timing, Timing::After(_));
        self.lacks_open
            || (self.lacks.0.is_some() && !chosen.iter().any(waited))
            || (self.lacks_answered && chosen.iter().all(was_answered))
    }
}

impl History<'_> {
    /// The asks that can have caused a query, as far as nothing says that they did not.
    pub(super) fn candidates(
        &self,
        (query, sent): (Sequence, &Transaction),
        in_flight_until: Timestamp,
        resolvers: &[HostId],
        walk: &Walk<'_>,
        trail: &mut Trail,
    ) -> Candidates {
        let found = self.all_candidates((query, sent), in_flight_until, resolvers, walk, trail);
        let mut candidates = self.without_silently_answered(found.candidates, sent);
        if !walk.goes_above {
            self.without_refused(&mut candidates, sent);
        }
        let candidates = self.without_late_joiners(candidates, sent);
        let mut candidates = self.without_told_by_others(candidates, sent);
        self.doubt_given_up(&mut candidates, sent, walk);
        self.note_late(&mut candidates, sent, walk);
        self.note_untold(&mut candidates, sent);
        Candidates { candidates, ..found }
    }

    /// The asks that need a query and were there at the time, at most so many as are weighed.
    fn all_candidates(
        &self,
        (query, sent): (Sequence, &Transaction),
        in_flight_until: Timestamp,
        resolvers: &[HostId],
        walk: &Walk<'_>,
        trail: &mut Trail,
    ) -> Candidates {
        let mut found = Candidates { lacks: walk.lacks, ..Candidates::default() };
        let latest = (in_flight_until + PASSED_ON_AT_ONCE).max(sent.asked + ANSWER_SOON);
        for (place, reach) in walk.reaches.iter().enumerate() {
            let look = |stretch: &Segment| look(stretch, reach, sent, walk);
            for &resolver in resolvers {
                if trail.asks == 0 || trail.weighed == 0 {
                    found.lacks.note(reach.relation);
                    return found;
                }
                // Adds one that can have, and returns whether it and all before it were asked too long before.
                let mut add = |(sequence, ask): (Sequence, Transaction)| {
                    if ask.asked_last + OPEN_MAX < sent.asked {
                        return true;
                    }
                    let ask = self.as_it_waits(sequence, ask, sent);
                    let times = (sent, in_flight_until);
                    let need = self.need(&ask, reach, times, walk).filter(|_| sequence != query);
                    let Some(need) = need else { return false };
                    let Some(weighed) = trail.weighed.checked_sub(1) else {
                        found.lacks.note(reach.relation);
                        return true;
                    };
                    trail.weighed = weighed;
                    let candidate = self.candidate((sequence, &ask), place, need, sent, walk);
                    let is_lately = matches!(need.1, Timing::After(since) if since <= TRIES_ON_MAX);
                    if candidate.is_none() && is_lately {
                        found.told_otherwise.insert(ask.client);
                    }
                    if let Some(candidate) = candidate.filter(|_| !self.is_sent_on(sequence, &ask))
                    {
                        found.add(ask.client, candidate);
                    }
                    false
                };
                // Of those that came before it as many are looked at, however many have come since.
                let (mut from, mut most) = (latest, ASKS_MAX);
                let is_through = loop {
                    let within = (from, trail.asks.min(most));
                    let mut asks =
                        self.transactions.with_server_by(resolver, reach.domain, within, look);
                    let (mut since, mut reached) = (0, from);
                    let is_over = asks.by_ref().any(|(sequence, ask)| {
                        since += usize::from(ask.asked > sent.asked + OUT_OF_ORDER);
                        reached = ask.asked;
                        add((sequence, ask))
                    });
                    trail.asks -= asks.counted().min(trail.asks);
                    if is_over || !asks.are_cut() || since == 0 {
                        break is_over || !asks.are_cut();
                    }
                    (from, most) = (reached.min(sent.asked + OUT_OF_ORDER), since);
                };
                // Everything stands below a top-level domain, and there is no chain of that: only what came just
                // before can have led there.
                let is_top = place == 0 && reach.name.label_count() < 2;
                let is_through_lately = !is_top || {
                    let lately = self.asked_lately(resolver, query, latest, sent.asked);
                    let since = |(_, ask): &(Sequence, Transaction)| sent.asked - ask.asked;
                    let is_far = lately.last().is_some_and(|ask| since(ask) > SETS_OUT_MAX);
                    let is_through = lately.len() < ASKS_MAX || is_far;
                    lately.into_iter().any(&mut add) || is_through
                };
                if !is_through || !is_through_lately {
                    found.lacks.note(reach.relation);
                }
            }
        }
        found
    }

    /// What a resolver was asked just before a query, newest first, whatever it was about.
    fn asked_lately(
        &self,
        resolver: HostId,
        query: Sequence,
        latest: Timestamp,
        sent: Timestamp,
    ) -> Vec<(Sequence, Transaction)> {
        let before = self.transactions.before(query).take(BEFORE_MAX);
        let lately =
            before.take_while(|(_, other)| other.asked + SETS_OUT_MAX + DISORDER_MAX >= sent);
        let asks = lately.filter(|(_, other)| other.server == resolver);
        asks.skip_while(|(_, ask)| ask.asked > latest).take(ASKS_MAX).collect()
    }

    /// How an ask needs the name by way of one reach, if it was there at the time.
    fn need(
        &self,
        ask: &Transaction,
        reach: &Reach<'_>,
        (sent, in_flight_until): (&Transaction, Timestamp),
        walk: &Walk<'_>,
    ) -> Option<(Relation, Timing)> {
        let timing = timing(ask, sent, in_flight_until)?;
        // Whom a query went to may ask back for the same thing: that did not set it off.
        let is_just_after = ask.asked > sent.asked && ask.asked < sent.asked + MOMENT;
        if is_just_after && self.roles.same(ask.client, sent.server) {
            return None;
        }
        let exact = ask.name == reach.hash;
        if !exact && !walk.goes_above {
            return None;
        }
        if !exact && !self.transactions.name(ask).is_at_or_below(reach.name) {
            return None;
        }
        let relation = needs(ask.qtype, sent.qtype, reach.relation, exact)?;
        if relation == Relation::Ancestor && !walk.goes_above {
            return None;
        }
        if timing == Timing::Joined && relation > Relation::Alias {
            // Waiting for the same answer is joining; having a use for it later is not.
            return None;
        }
        let at_once = match timing {
            Timing::Open => sent.asked - ask.asked <= SETS_OUT_MAX,
            // With what refreshes an answer from the cache, too.
            Timing::After(since) => since <= SETS_OUT_MAX,
            _ => false,
        };
        if relation == Relation::OtherType && sent.qtype == RecordType::AAAA && !at_once {
            // What is only put beside a question is sent with it.
            return None;
        }
        Some((relation, timing))
    }

    /// An ask that needs the name by way of one reach, as far as nothing says that it did not cause the query.
    fn candidate(
        &self,
        (sequence, ask): (Sequence, &Transaction),
        place: usize,
        (relation, timing): (Relation, Timing),
        sent: &Transaction,
        walk: &Walk<'_>,
    ) -> Option<Candidate> {
        let path = walk.path(place);
        if timing == Timing::Open && !self.is_pending(ask, sent, &path, walk) {
            return None;
        }
        let said = self.bears_out((sequence, ask), &path, sent)?;
        let confirmed = said == OwnAnswer::Path;
        // Its own answer says where it went, whatever else was told meanwhile.
        if !confirmed && self.is_superseded(ask, &path, sent) {
            return None;
        }
        let is_held_up = timing == Timing::Open && self.is_held_up(ask, &path, sent);
        if is_held_up && !self.has_just_come_again(sequence, ask, sent) {
            return None;
        }
        Some(Candidate {
            ask: sequence,
            asked: ask.asked,
            told: ask.answered(),
            reach: place,
            relation,
            timing,
            confirmed,
            is_past: relation == Relation::Ancestor && self.is_past(ask, sent),
            is_doubted: said == OwnAnswer::NoRecord,
            is_late: false,
            is_just_led: is_just_led(ask, &path, sent),
            is_led_on: path.last().is_some_and(|edge| is_led_on(edge, sent)),
            served: ask.is_served(),
            untold: None,
        })
    }

    /// Whether an ask was answered when the answer to a query had just come.
    pub(super) fn was_told_with(&self, candidate: &Candidate, sent: &Transaction) -> bool {
        candidate.told.is_some_and(|told| is_passed_on_at_once(told, sent))
    }

    /// Whether the resolver was past the zones above an ask's name: it was waiting for the answer about the name
    /// itself. What it checks answers with it asks for meanwhile.
    fn is_past(&self, ask: &Transaction, sent: &Transaction) -> bool {
        if checks_answers(sent.qtype) {
            return false;
        }
        let own = (ask.name, ask.domain);
        let mut asked = self.upstream_about(&sent.client, own, ask.qtype, sent.asked);
        asked.any(|(_, query)| {
            let over = query.answered().unwrap_or(query.asked_last + UNANSWERED_FOR);
            ask.asked <= query.asked && query.asked + OUT_OF_ORDER < sent.asked && over > sent.asked
        })
    }

    /// Whether an alias on the path led elsewhere: by the first answer that the resolver got while the ask was open, or
    /// else by what it was told last before.
    fn is_superseded(&self, ask: &Transaction, path: &[Edge], sent: &Transaction) -> bool {
        let mut aliases = path.iter().filter(|edge| edge.kind == EdgeKind::Alias);
        aliases.any(|edge| {
            // Nearly no name ever leads to two.
            if !self.leads_elsewhere_too(edge, &sent.client) {
                return false;
            }
            let told = self.told_meanwhile(edge, ask, sent);
            // What was told first it went on with; what was told since is for others.
            match told.last() {
                Some(first) => first.target != edge.target,
                None => self.was_told_otherwise(edge, ask, sent),
            }
        })
    }

    /// What the owner of an alias is an alias of by the answers that a resolver got by a query while an ask was open, newest
    /// first.
    fn told_meanwhile(
        &self,
        edge: &Edge,
        ask: &Transaction,
        sent: &Transaction,
    ) -> impl Iterator<Item = Edge> {
        let name = edge.owner;
        let then = sent.asked + OUT_OF_ORDER;
        let (from, open) = (ask.asked, ask.asked..=then.min(ask.closed()));
        let told = self.told(Side::Asks, &sent.client, self.owner_asked(edge, ask), then);
        let answers = (0..told.answered.len()).map_while(move |at| told.answered.get(at).copied());
        let meanwhile = answers
            .take_while(move |(_, query)| query.asked + OPEN_MAX >= from)
            .filter(move |(_, query)| query.answered().is_some_and(|at| open.contains(&at)));
        meanwhile.filter_map(move |(answer, _)| self.alias_in(answer, name))
    }

    /// The question by which a resolver learns an alias for an ask.
    pub(super) fn owner_asked(&self, edge: &Edge, ask: &Transaction) -> Question {
        (edge.owner, self.domain_of_name(self.edges.owner_name(edge)), ask.qtype)
    }

    /// Whether a resolver knew the owner of an alias to lead to something else, at whatever time.
    pub fn leads_elsewhere_too(&self, edge: &Edge, resolver: &HostId) -> bool {
        self.rivals(edge, resolver).next().is_some()
    }

    /// Whether an alias was known before an ask, and another of the same owner was told since. One that was told again
    /// after the query may have been told at any time.
    fn was_told_otherwise(&self, edge: &Edge, ask: &Transaction, sent: &Transaction) -> bool {
        let told = edge.last.time;
        told < ask.asked
            && self.rivals(edge, &sent.client).any(|other| {
                let then = other.told_by(sent.asked);
                told < then && then <= sent.asked
            })
    }

    /// What else the owner of an alias is an alias of, as far as a resolver was told.
    fn rivals<'a>(&'a self, edge: &'a Edge, resolver: &'a HostId) -> impl Iterator<Item = Edge> {
        let addresses = self.roles.addresses_of(resolver).iter();
        let known = addresses.flat_map(|host| self.edges.of_owner(*host, edge.owner));
        known.map(|(_, other)| other).filter(|other| {
            let both = (edge.kind, other.kind);
            both == (EdgeKind::Alias, EdgeKind::Alias) && other.target != edge.target
        })
    }

    /// What a name is an alias of by the answer to a query.
    pub(super) fn alias_in(&self, answer: Sequence, owner: NameHash) -> Option<Edge> {
        let own = self.edges.of_answer(answer);
        own.into_iter().find(|edge| edge.owner == owner)
    }

    /// Whether an ask cannot have come as far as this query yet: a name before it on the chain was being
    /// asked for upstream, and the answer was still to come.
    fn is_held_up(&self, ask: &Transaction, path: &[Edge], sent: &Transaction) -> bool {
        let mut owners = path.iter().filter(|edge| edge.kind == EdgeKind::Alias);
        owners.any(|edge| {
            let question = self.owner_asked(edge, ask);
            let then = sent.asked + OUT_OF_ORDER;
            let told = self.told(Side::Asks, &sent.client, question, then);
            let just_after = then + Span(1);
            if told.is_answered_within(ask.asked, then) {
                return false;
            }
            let is_asked_since = |until: Timestamp| {
                let later = self.told(Side::Asks, &sent.client, question, then + OPEN_MAX);
                later.last_asked_within(just_after, until + Span(1)).is_some()
            };
            let Some(newest) = told.last_asked_within(ask.asked, sent.asked) else {
                // What it did not know yet it asked for only later.
                let learned = edge.told_by(sent.asked);
                let was_known = (ask.asked..=then).contains(&learned)
                    || edge.is_known(sent.asked, sent.asked + INSTANT);
                return !was_known && is_asked_since(ask.closed().min(then + OPEN_MAX));
            };
            // For one that was answered after the ask was, that did not wait.
            if told.is_answered_within(just_after, Timestamp(i64::MAX)) {
                return told.is_answered_within(just_after, ask.closed() + INSTANT);
            }
            // One that has no answer and was not tried again was answered out of the capture's sight; but not as
            // soon as that, nor where the ask was told of a failure.
            let has_failed = ask.answered().is_some() && !is_conclusive(ask.rcode);
            has_failed || newest + OUT_OF_ORDER > sent.asked || is_asked_since(then + OPEN_MAX)
        })
    }

    /// Whether an ask was sent once more just before a query: some resolvers begin anew with it (dnscache).
    fn has_just_come_again(
        &self,
        sequence: Sequence,
        ask: &Transaction,
        sent: &Transaction,
    ) -> bool {
        ask.retransmissions > 0
            && self
                .transactions
                .tries(sequence)
                .iter()
                .skip(1)
                .any(|again| (Span(0)..=SETS_OUT_MAX).contains(&(sent.asked - again.asked)))
    }

    /// The queries a resolver sent about one name and type by a time, newest first.
    pub(super) fn upstream_about<'a>(
        &'a self,
        resolver: &'a HostId,
        (name, domain): (NameHash, NameHash),
        qtype: RecordType,
        latest: Timestamp,
    ) -> impl Iterator<Item = (Sequence, Transaction)> {
        self.about(Side::Asks, resolver, (name, domain, qtype), latest)
    }

    /// Whether an ask's own answer bears out a path of aliases and delegations; `None` if it speaks against them.
    fn bears_out(
        &self,
        (sequence, ask): (Sequence, &Transaction),
        path: &[Edge],
        sent: &Transaction,
    ) -> Option<OwnAnswer> {
        // What the resolver knew when it set out for the ask, or was told while it worked for it, holds for that, however
        // soon its time runs out, unless it may have been replaced then.
        let (began, then) = (ask.asked.min(sent.asked), sent.asked);
        let told_again = |edge: &Edge| {
            let mut told = self.told_meanwhile(edge, ask, sent).take(TOLD_MAX);
            edge.is_partly_forgotten() && told.any(|told| told.target == edge.target)
        };
        let holds_then = |edge: &Edge| {
            edge.is_known(then, then + INSTANT)
                || edge.told_by(then) >= ask.asked
                || edge.is_known(began, then) && !self.leads_elsewhere_too(edge, &sent.client)
                || told_again(edge)
        };
        let known_then = path.iter().all(holds_then);
        let mut aliases = path.iter().filter(|edge| edge.kind == EdgeKind::Alias).peekable();
        if aliases.peek().is_none() {
            return known_then.then_some(OwnAnswer::Path);
        }
        let is_whole = ask.is_served() && !(ask.truncated || ask.is_partial);
        if !is_whole {
            return known_then.then_some(OwnAnswer::Nothing);
        }
        let own = self.edges.of_answer(sequence);
        let of_owner = |edge: &Edge| own.iter().find(|o| o.owner == edge.owner);
        let holds = |edge: &Edge| of_owner(edge).is_some_and(|o| o.target == edge.target);
        let Some(hidden) = aliases.clone().find(|edge| !holds(edge)) else {
            return Some(OwnAnswer::Path);
        };
        // Some resolvers leave aliases out, or put what they were told to say in their place (smartdns; response
        // policies). What this one was told while it worked for the ask led it on all the same.
        let is_told = |told: Edge| told.target == hidden.target;
        let was_told = || {
            let told = hidden.told_by(then);
            let mut meanwhile = self.told_meanwhile(hidden, ask, sent).take(TOLD_MAX);
            (ask.asked..=ask.closed()).contains(&told)
                || (hidden.last.time >= ask.asked && meanwhile.any(is_told))
        };
        let leads_elsewhere = aliases.any(|edge| of_owner(edge).is_some() && !holds(edge));
        if !known_then || leads_elsewhere {
            return None;
        }
        match was_told() {
            true => Some(OwnAnswer::Nothing),
            // That there is nothing of the type some say without the aliases that led to nothing (hickory-dns): when the
            // query has told them.
            false => (ask.rcode == 0 && !ask.has_answers && was_told_after(ask, sent))
                .then_some(OwnAnswer::NoRecord),
        }
    }
}

/// Where an ask stood in time when a query was sent; `None` if it cannot have to do with it.
fn timing(ask: &Transaction, sent: &Transaction, in_flight_until: Timestamp) -> Option<Timing> {
    let closed = ask.closed();
    if !ask.has_query() {
        let after = closed - sent.asked;
        return match after {
            after if after < Span(0) && after > Span(-AFTER_MAX.0) => {
                Some(Timing::After(Span(-after.0)))
            }
            after if after < Span(0) => None,
            // Its answer came soon, or with that to the query.
            after if after <= ANSWER_SOON => Some(Timing::AnsweredSoon),
            _ => {
                let since = sent.answered().map(|came| closed - came);
                let is_told = since.is_some_and(|since| (Span(0)..TOLD_AT_ONCE).contains(&since));
                is_told.then_some(Timing::AnsweredSoon)
            }
        };
    }
    if ask.asked > sent.asked + INSTANT {
        let just_after = ask.asked <= sent.asked + OUT_OF_ORDER;
        return match just_after {
            true => Some(Timing::JustAfter),
            false => (ask.asked <= in_flight_until).then_some(Timing::Joined),
        };
    }
    if closed >= sent.asked {
        return Some(Timing::Open);
    }
    let since = sent.asked - closed;
    (since <= AFTER_MAX).then_some(Timing::After(since))
}

/// Whether an ask was answered when a query had been.
fn was_told_after(ask: &Transaction, sent: &Transaction) -> bool {
    sent.answered().zip(ask.answered()).is_some_and(|(came, told)| came <= told + INSTANT)
}

/// Whether an ask came just before a query, or the alias that leads to that, and its answer just after the query's.
fn is_just_led(ask: &Transaction, path: &[Edge], sent: &Transaction) -> bool {
    let just_before = |at: Timestamp| at + SETS_OUT_MAX >= sent.asked;
    let is_led = || path.last().is_some_and(|edge| just_before(edge.told_by(sent.asked)));
    (just_before(ask.asked) || is_led())
        && ask.answered().is_some_and(|told| is_passed_on_at_once(told, sent))
}

/// Whether a resolver asks for what an alias leads to as soon as it has learned that.
fn is_led_on(alias: &Edge, sent: &Transaction) -> bool {
    let since = sent.asked - alias.told_by(sent.asked);
    (Span(0)..=LED_ON_WITHIN).contains(&since)
}

/// Whether somebody was told at a time when the answer to a query had just come.
pub(super) fn is_passed_on_at_once(told: Timestamp, sent: &Transaction) -> bool {
    sent.answered().is_some_and(|came| (Span(0)..PASSED_ON_AT_ONCE).contains(&(told - came)))
}

/// Whether a stretch of asks can hold one that is a candidate: who was answered long before a query has nothing to do
/// with it, nor has who asked for another name, where only the name itself leads to it.
fn look(stretch: &Segment, reach: &Reach<'_>, sent: &Transaction, walk: &Walk<'_>) -> Look {
    let is_over = stretch.is_over_before(sent.asked - AFTER_MAX);
    let is_of_others = !walk.goes_above && !stretch.may_ask_for(reach.hash);
    match stretch.is_sent_since(sent.asked - OPEN_MAX) {
        true if is_over || is_of_others => Look::Past,
        false if is_over => Look::NoFurther,
        _ if stretch.is_over() => Look::Through,
        _ => Look::ThroughIfOpen,
    }
}

/// Whether a question is for what a resolver checks answers with (RFC 4035): one that forwards asks for
/// that above a name, and for nothing else.
pub(super) fn checks_answers(qtype: RecordType) -> bool {
    matches!(qtype, RecordType::DS | RecordType::DNSKEY)
}

/// Whether resolvers ask for a type on their way down: for delegations, keys, and by minimised questions.
pub(super) fn on_the_way(qtype: RecordType) -> bool {
    matches!(qtype, RecordType::A | RecordType::NS | RecordType::DS | RecordType::DNSKEY)
}

/// How an ask of one type needs a query of another, given how their names are related.
fn needs(asked: RecordType, sent: RecordType, relation: Relation, exact: bool) -> Option<Relation> {
    let same = asked == sent;
    let on_the_way = on_the_way(sent);
    match (relation, exact) {
        (Relation::Itself | Relation::Alias, true) if same => Some(relation),
        // PowerDNS refreshes aliases by asking for them; smartdns compares the addresses of both families.
        (Relation::Itself | Relation::Alias, true)
            if matches!(sent, RecordType::A | RecordType::CNAME)
                || (asked, sent) == (RecordType::A, RecordType::AAAA) =>
        {
            Some(Relation::OtherType)
        }
        (Relation::Server, _) => {
            (on_the_way || sent == RecordType::AAAA).then_some(Relation::Server)
        }
        _ => on_the_way.then_some(Relation::Ancestor),
    }
}
