//! Who caused an upstream query.
//!
//! The rules, in order:
//! 1. An ask that was open when the query was sent, and that needs the queried name, caused it. Of
//!    several, those with the strongest [`Relation`] did; the others only stood nearby.
//! 2. An ask that came while the query was in flight, and that needs the name, joined it.
//! 3. With no open ask, the related ask that was answered last before it set it off (a prefetch, a
//!    stale refresh, follow-up look-ups), if that was a moment ago.
//! 4. With none of these, it is a retry of an earlier query for the same thing, and shares its cause.
//! 5. With no such query either, its name is what the answer to another query had just led on to, and it shares the cause
//!    of that.
//! 6. Else nobody seen did; [`NoClientReason`] says what that means here.
//! 7. Where not all could be looked at, only who was open and needs the name as much as anybody did is named.
//!
//! An ask needs a name by its own answer, where it has one: an answer that holds a chain is the
//! chain. Where it has none, what the resolver had learned before and could still believe counts.

use foldhash::{HashMap, HashSet};

use super::candidate::{Candidate, INSTANT, Timing, is_passed_on_at_once};
use super::choice::{MOMENT, SETS_OUT_MAX, choose, nearest};
use super::no_client_reason::{NoClientReason, is_priming};
use super::retry::FAIL_OVER_MAX;
use super::walk::{Relation, Step, StepKind, Walk};
use super::{EdgeKind, History, Leg};
use crate::bounded::Sequence;
use crate::frame::FrameId;
use crate::name::Name;
use crate::time::{Span, Timestamp};
use crate::transaction::{HostId, Transaction};

/// How many clients are named for one query. Of more that need the very name those who asked first are; of others none is.
pub(super) const CLIENTS_MAX: usize = 64;
/// Of so many names at most, those who asked are named for what is above all of them.
const NAMES_IN_COMMON_MAX: usize = 3;
/// The confidence in a client, in thousandths, where something rarer would explain the query as well,
pub(super) const LIKELY: u16 = 900;
/// and where something else explains it hardly worse.
pub(super) const POSSIBLE: u16 = 800;
/// What a resolver is still trying for an ask of which it told that it failed it tries again within this time.
pub(super) const TRIES_ON_MAX: Span = Span::from_secs(1);
/// One that goes on trying does so again within this time (BIND 3.2 s).
const GOES_ON_MAX: Span = Span::from_millis(3_500);
/// How many queries are looked at for the clients behind one, over all resolvers on the way.
const VISITS_MAX: usize = 64;
/// How many queries may each have been the one that another gave way for: of more it cannot be told.
const GIVEN_UP_MAX: usize = 16;
/// How many asks are looked at for that in all, and how many of them are weighed.
const ASKED_MAX: usize = 1 << 14;
const WEIGHED_MAX: usize = 1 << 10;

/// What a client had to do with an upstream query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Its question made the resolver ask.
    Initiator,
    /// Its question waited for the same answer.
    Joiner,
    /// Its question was answered without asking upstream.
    Cached,
    /// Its question was answered already, and set the query off.
    Refresh,
}

impl Role {
    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Initiator => "initiator",
            Role::Joiner => "joiner",
            Role::Cached => "cached",
            Role::Refresh => "refresh",
        }
    }
}

/// One client's part in an upstream query.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The client's question.
    pub ask: Sequence,
    /// What it had to do with the query.
    pub role: Role,
    /// How its question needs the queried name.
    pub relation: Relation,
    /// The probability that this is right, in thousandths.
    pub confidence_permille: u16,
    /// From the client's question to the queried name.
    pub chain: Vec<Step>,
    /// The resolvers that the question passed before the one that asked, nearest to the client first.
    pub hops: Vec<HostId>,
}

impl Cause {
    /// The same client's part in a query of the next resolver, which this one asked with `ask`.
    fn by_way_of(mut self, ask: &Transaction, next: &Cause) -> Cause {
        self.hops.push(ask.client);
        self.confidence_permille = self.confidence_permille.min(next.confidence_permille);
        self.role = if self.role == Role::Initiator { next.role } else { self.role };
        self.chain.extend(next.chain.iter().skip(1).cloned());
        self
    }
}

/// Who caused an upstream query: clients, or why none is named.
#[derive(Clone, Debug)]
pub struct Causes {
    /// The clients, by the time of their questions.
    pub clients: Vec<Cause>,
    /// If there are none: why.
    pub unexplained: Option<NoClientReason>,
    /// The first of the queries that are retries of one another.
    pub first_try: Sequence,
}

/// The way to a query from that for which it is looked at, and what may still be spent: whoever sends all this can
/// make each of many queries lead to many.
#[derive(Debug)]
pub(super) struct Trail {
    /// The queries on the way: resolvers can forward in a circle.
    visited: Vec<Sequence>,
    /// How many asks may still be looked at.
    pub asks: usize,
    /// How many of them may be weighed.
    pub weighed: usize,
    /// Whether a query on the way was looked at for which other gave way to it: that is looked for once.
    is_of_given_up: bool,
}

impl Trail {
    fn new() -> Trail {
        Trail { visited: Vec::new(), asks: ASKED_MAX, weighed: WEIGHED_MAX, is_of_given_up: false }
    }
}

/// Each question once, as surely as it was found: a resolver that asks another one twice does so for the same clients.
fn once_each(clients: Vec<Cause>) -> Vec<Cause> {
    let mut places: HashMap<Sequence, usize> = HashMap::default();
    let mut once: Vec<Cause> = Vec::with_capacity(clients.len());
    for client in clients {
        let place = *places.entry(client.ask).or_insert(once.len());
        match once.get_mut(place) {
            Some(known) if known.confidence_permille < client.confidence_permille => {
                *known = client
            }
            Some(_) => {}
            None => once.push(client),
        }
    }
    once
}

/// Why nobody is named for a query, or, where somebody asked for it just behind, that: two clocks may differ by so much.
fn or_just_after(
    why: NoClientReason,
    candidates: &[Candidate],
    sent: &Transaction,
) -> NoClientReason {
    let just_after = candidates.iter().filter(|c| c.timing == Timing::JustAfter);
    let just_after = just_after.map(|c| c.asked - sent.asked).min();
    match (why, just_after) {
        (
            NoClientReason::NobodyWaiting
            | NoClientReason::OthersWaiting(_)
            | NoClientReason::ClientsUnseen { .. },
            Some(after),
        ) => NoClientReason::AskedJustAfter(after),
        _ => why,
    }
}

/// Asks that stand behind a query in the capture, and need it only for its zone or server, beside asks before it: by their
/// stamps they came at the same moment, and it is likelier that the others set it off.
fn weigh_those_behind(mut chosen: Vec<Candidate>, query: Sequence) -> Vec<Candidate> {
    if chosen.iter().any(|candidate| candidate.ask < query) {
        for candidate in &mut chosen {
            if candidate.ask > query && candidate.relation > Relation::Alias {
                candidate.untold = Some(candidate.untold.unwrap_or(LIKELY).min(LIKELY));
            }
        }
    }
    chosen
}

impl History<'_> {
    /// Who caused an upstream query. `sent` is its transaction, or one of the [`Transactions::tries`]
    /// of it; `began` is the time of the capture's first message.
    ///
    /// [`Transactions::tries`]: crate::transaction::Transactions::tries
    pub fn causes(&self, query: Sequence, sent: &Transaction, began: Timestamp) -> Causes {
        self.causes_beyond(query, sent, began, &mut Trail::new())
    }

    /// Who caused a query, at the end of the trail to it.
    pub(super) fn causes_beyond(
        &self,
        query: Sequence,
        sent: &Transaction,
        began: Timestamp,
        trail: &mut Trail,
    ) -> Causes {
        let none = |why| Causes { clients: Vec::new(), unexplained: Some(why), first_try: query };
        if trail.visited.contains(&query) || trail.visited.len() >= VISITS_MAX {
            return none(NoClientReason::BehindResolver(sent.client));
        }
        let is_asked_for_itself = trail.visited.is_empty();
        trail.visited.push(query);
        let Some(group) = self.roles.group_of(sent.client) else {
            return none(NoClientReason::ClientLegMissing);
        };
        if !self.transactions.has_name(sent) {
            return none(NoClientReason::Forgotten);
        }
        let name = self.transactions.name(sent);
        let walk = self.walk_back(&group.hosts, name, sent);
        let until = self.in_flight_until(query, sent);
        let mut found = self.candidates((query, sent), until, &group.hosts, &walk, trail);
        let mut candidates = std::mem::take(&mut found.candidates);
        if is_priming(name, sent.qtype) {
            // Everybody needs the root; only who asked for just this asked for it.
            candidates.retain(|candidate| candidate.relation == Relation::Itself);
        }
        let just_ended = candidates.iter().any(|candidate| {
            let ended = matches!(candidate.timing, Timing::After(since) if since <= MOMENT);
            ended && !candidate.served && candidate.relation <= Relation::Alias
        });
        let own = self.of_same_id(sent);
        if !own.is_empty() {
            return self.behind(&own, &walk, (query, sent), 1_000, began, trail);
        }
        if let Some(causes) = self.as_given_up((query, sent), began, trail) {
            return causes;
        }
        let mut chosen = self.each_its_own(sent, choose(candidates.clone(), sent));
        let mut others = self.others(&candidates, &chosen, sent);
        let led = self.just_led(&candidates, &chosen, sent);
        if !led.is_empty() {
            others.sure_max = others.sure_max.min(POSSIBLE);
            chosen.splice(0..0, led);
        }
        if name.label_count() < 2 {
            chosen = nearest(chosen, sent);
            let several = self.clients_of(&chosen);
            if several > 1 && chosen.iter().any(|c| c.relation > Relation::Alias) {
                // All of them need the top-level domain; which had it asked for cannot be told.
                return none(NoClientReason::TooMany(several));
            }
        }
        let first_try = self.first_try(query, sent);
        if let Some(causes) = self.as_sent_first((query, sent), &chosen, began, trail) {
            return causes;
        }
        if first_try != query
            && (!just_ended || chosen.is_empty())
            && let Some(causes) = self.as_tried_first(first_try, sent, &chosen, began, trail)
        {
            return causes;
        }
        // What the answer to another query has just led on to is for whom that was, rather than for whoever was served.
        let are_served = chosen.iter().all(|c| matches!(c.timing, Timing::After(_)));
        if !chosen.is_empty()
            && are_served
            && let Some(shared) = self.led_on(sent, &walk, began, trail)
            && (others.too_many.is_some() || !self.are_among(&shared.clients, &chosen))
        {
            return Causes { first_try, ..shared };
        }
        let several = self.clients_of(&chosen);
        if several > 1 && self.is_anybodys(&chosen) {
            return Causes { first_try, ..none(NoClientReason::TooMany(several)) };
        }
        if let Some(several) = others.too_many {
            return Causes { first_try, ..none(NoClientReason::TooMany(several)) };
        }
        if found.may_lack(&chosen) && !is_priming(name, sent.qtype) {
            return Causes { first_try, ..none(NoClientReason::Crowded) };
        }
        if chosen.is_empty() {
            if let Some(shared) = self.led_on(sent, &walk, began, trail) {
                return Causes { first_try, ..shared };
            }
            let why = self.why_nobody(query, sent, group.known, began);
            let told_otherwise = found.told_otherwise.len() as u32;
            let why = match why {
                NoClientReason::NobodyWaiting if told_otherwise > 0 => {
                    NoClientReason::ServedOtherwise(told_otherwise)
                }
                why => why,
            };
            let why = match is_asked_for_itself {
                true => self.as_the_run_began(why, (query, sent), began, trail),
                // The first time itself stands as it is: runs go back for hours.
                false => why,
            };
            let why =
                if name.label_count() > 1 { or_just_after(why, &candidates, sent) } else { why };
            let why = self.or_asked_before(why, sent, &walk);
            return Causes { first_try, ..none(why) };
        }
        let chosen = weigh_those_behind(chosen, query);
        // Who only came while it was in flight did not set it off.
        let only_joined = chosen.iter().all(|c| c.timing == Timing::Joined);
        let is_anothers = only_joined || self.roles.sends_ids_on(sent.client);
        let sure_max = if is_anothers { others.sure_max.min(POSSIBLE) } else { others.sure_max };
        self.behind(&chosen, &walk, (first_try, sent), sure_max, began, trail)
    }

    /// The causes of a query of which the asks are chosen that it is for, at most so sure as `sure_max`, in thousandths.
    fn behind(
        &self,
        chosen: &[Candidate],
        walk: &Walk<'_>,
        (first_try, sent): (Sequence, &Transaction),
        sure_max: u16,
        began: Timestamp,
        trail: &mut Trail,
    ) -> Causes {
        let none = |why| Causes { clients: Vec::new(), unexplained: Some(why), first_try };
        let (mut clients, behind) = self.end_clients(chosen, walk, sent, began, trail);
        for client in &mut clients {
            client.confidence_permille = client.confidence_permille.min(sure_max);
        }
        // Of more than are named, all of whom need the very name, those who asked first.
        let are_all_after_it = clients.iter().all(|cause| cause.relation <= Relation::Alias);
        let mut hosts: HashSet<HostId> = HashSet::default();
        clients.retain(|cause| {
            let host = self.transactions.get(cause.ask).map(|ask| ask.client);
            let is_more = are_all_after_it && hosts.len() >= CLIENTS_MAX;
            host.is_some_and(|host| hosts.contains(&host) || !is_more && hosts.insert(host))
        });
        match hosts.len() {
            0 => none(behind.unwrap_or(NoClientReason::Forgotten)),
            1..=CLIENTS_MAX => Causes { clients, unexplained: None, first_try },
            many => none(NoClientReason::TooMany(many as u32)),
        }
    }

    /// The causes of a query that was sent again as it was: it is for whom it was sent first, unless somebody else waits for it.
    fn as_sent_first(
        &self,
        (query, sent): (Sequence, &Transaction),
        chosen: &[Candidate],
        began: Timestamp,
        trail: &mut Trail,
    ) -> Option<Causes> {
        let is_old = |c: &Candidate| {
            c.relation == Relation::OtherType
                || matches!(c.timing, Timing::After(since) if since > MOMENT)
        };
        let first = self.transactions.get(query).filter(|first| first.asked < sent.asked)?;
        if !chosen.iter().all(is_old) {
            return None;
        }
        trail.visited.pop();
        let shared = self.causes_beyond(query, &first, began, trail);
        // Whom it was answered long before asks for nothing any more.
        let mut clients = shared.clients.iter();
        let is_over =
            clients.all(|client| self.is_answered_long(client, FAIL_OVER_MAX, sent.asked));
        (!is_over).then(|| self.after_all(shared, &first, sent))
    }

    /// The causes of a query that tries again what was asked before, by another: it shares those of the first try. An open ask for
    /// another type is behind it only if the resolver minimises its questions; that it goes on trying what others asked for comes
    /// first.
    fn as_tried_first(
        &self,
        first_try: Sequence,
        sent: &Transaction,
        chosen: &[Candidate],
        began: Timestamp,
        trail: &mut Trail,
    ) -> Option<Causes> {
        let earlier = self.transactions.get(first_try)?;
        // Who was served while it went on trying, and not just now, set nothing off.
        let was_served_meanwhile = |candidate: &Candidate| {
            matches!(candidate.timing, Timing::After(since) if since > MOMENT)
                && candidate.served
                && candidate.asked > earlier.asked
        };
        let is_no_cause = |candidate: &Candidate| {
            candidate.relation == Relation::OtherType || was_served_meanwhile(candidate)
        };
        if !chosen.iter().all(is_no_cause) {
            return None;
        }
        let shared = self.causes_beyond(first_try, &earlier, began, trail);
        let strong = shared.clients.iter().all(|client| client.relation <= Relation::Alias);
        // Who was served long ago is not behind what is asked now.
        let long_ago = sent.asked - earlier.asked > FAIL_OVER_MAX;
        let served = shared.clients.iter().any(|client| {
            let ask = self.transactions.get(client.ask);
            ask.is_none_or(|ask| ask.is_served())
        });
        let all_answered = |than: Span| {
            shared.clients.iter().all(|client| self.is_answered_long(client, than, sent.asked))
        };
        // Whom it told that it failed it asks no more for, once that is a while ago, unless it goes on all the time.
        let tries_for = if self.goes_on(sent) { FAIL_OVER_MAX } else { TRIES_ON_MAX };
        let given_up = all_answered(tries_for);
        // Nobody waits for a retry any more, and somebody just came who needs the very name.
        let is_new =
            |c: &Candidate| c.timing == Timing::Open && sent.asked - c.asked <= SETS_OUT_MAX;
        let replaced = chosen.iter().any(is_new) && all_answered(MOMENT);
        let usable =
            !(shared.clients.is_empty() || replaced || long_ago && served || given_up && !served);
        (usable && (chosen.is_empty() || strong)).then(|| self.after_all(shared, &earlier, sent))
    }

    /// The causes of a query to which another gave way, at another server: those of that one, or of each that it may have been.
    /// Once on a trail: what that one gave way for is another matter.
    fn as_given_up(
        &self,
        (query, sent): (Sequence, &Transaction),
        began: Timestamp,
        trail: &mut Trail,
    ) -> Option<Causes> {
        if trail.is_of_given_up {
            return None;
        }
        let given_up = self.gave_way_to(query, sent);
        if !(1..=GIVEN_UP_MAX).contains(&given_up.len()) {
            return None;
        }
        trail.is_of_given_up = true;
        let mut clients = Vec::new();
        let mut first_try = query;
        for (sequence, earlier) in &given_up {
            let shared = self.causes_beyond(*sequence, earlier, began, trail);
            if shared.clients.is_empty() {
                return None;
            }
            first_try = first_try.min(shared.first_try);
            clients.extend(shared.clients);
        }
        let mut clients = once_each(clients);
        let hosts = clients.iter().filter_map(|c| Some(self.transactions.get(c.ask)?.client));
        let several = hosts.collect::<HashSet<_>>().len() > 1;
        for client in clients.iter_mut().filter(|_| several) {
            client.confidence_permille = client.confidence_permille.min(POSSIBLE);
        }
        clients.sort_by_key(|client| client.ask);
        let causes = Causes { clients, unexplained: None, first_try };
        Some(self.after_all(causes, &given_up.first()?.1, sent))
    }

    /// Whether a client was answered so long before a time.
    fn is_answered_long(&self, client: &Cause, than: Span, before: Timestamp) -> bool {
        let ask = self.transactions.get(client.ask);
        ask.and_then(|ask| ask.answered()).is_some_and(|at| at + than < before)
    }

    /// Why nobody is named for what was asked again and again for want of an answer: what is not known of the first time is not
    /// known of the last. Who made the resolver begin may have gone meanwhile.
    fn as_the_run_began(
        &self,
        why: NoClientReason,
        (query, sent): (Sequence, &Transaction),
        began: Timestamp,
        trail: &mut Trail,
    ) -> NoClientReason {
        let is_open = matches!(
            why,
            NoClientReason::NobodyWaiting
                | NoClientReason::OthersWaiting(_)
                | NoClientReason::ClientsUnseen { .. }
        );
        let first = if is_open { self.run_began(query, sent) } else { None };
        let Some((first, earlier)) = first else { return why };
        trail.visited.clear();
        trail.visited.push(query);
        let shared = self.causes_beyond(first, &earlier, began, trail);
        // Who was served when the run had begun was told its answer, unless it went on: only that answer is missing.
        let is_over = |client: &Cause| {
            let served = self.transactions.get(client.ask).filter(|ask| ask.is_served());
            served.and_then(|ask| ask.answered()).is_some_and(|told| {
                let mut tries = self.same_questions(sent, sent.asked);
                client.role != Role::Refresh
                    && !tries.any(|(other, again)| other < query && again.asked > told + MOMENT)
            })
        };
        match shared.unexplained {
            None if shared.clients.iter().all(is_over) => why,
            None => NoClientReason::TriedBefore(sent.asked - earlier.asked),
            Some(
                unknown @ (NoClientReason::BeganMidWay(_)
                | NoClientReason::PacketsLost
                | NoClientReason::TooMany(_)
                | NoClientReason::Crowded),
            ) => unknown,
            Some(_) => why,
        }
    }

    /// The causes of a first try as those of a later one. If the first was answered meanwhile, whom the resolver then
    /// served it asks no more for, as far as it is one.
    fn after_all(&self, mut shared: Causes, first: &Transaction, sent: &Transaction) -> Causes {
        let is_told = first.is_served() && first.closed() + MOMENT < sent.asked;
        let is_served = |client: &Cause| {
            let ask = self.transactions.get(client.ask);
            ask.is_some_and(|ask| ask.is_served() && ask.closed() < sent.asked)
        };
        for client in shared.clients.iter_mut().filter(|client| is_told && is_served(client)) {
            client.role = Role::Refresh;
            client.confidence_permille = client.confidence_permille.min(POSSIBLE);
        }
        for client in &mut shared.clients {
            let sure_max =
                self.unheard_sure_max(client.ask, sent).min(self.told_sure_max(client.ask, sent));
            client.confidence_permille = client.confidence_permille.min(sure_max);
        }
        shared
    }

    /// Whether a resolver had asked the same not long before a query, and waited for the answer still.
    fn goes_on(&self, sent: &Transaction) -> bool {
        let question = (sent.name, sent.domain);
        let before = sent.asked - INSTANT;
        let mut tries = self.upstream_about(&sent.client, question, sent.qtype, before);
        let last = tries.find(|(_, query)| query.asked_last < before).map(|(_, query)| query);
        last.is_some_and(|last| {
            last.answered().is_none() && last.asked_last + GOES_ON_MAX >= sent.asked
        })
    }

    /// How sure it can be at most, in thousandths, that a resolver tries on for an ask that it had answered when a query was
    /// sent: it may as well have begun anew for somebody else.
    fn told_sure_max(&self, ask: Sequence, sent: &Transaction) -> u16 {
        let Some(ask) = self.transactions.get(ask) else { return 1_000 };
        match ask.answered().map(|told| sent.asked - told) {
            Some(since) if since > MOMENT => POSSIBLE,
            _ => 1_000,
        }
    }

    /// How many clients those chosen are of; of a resolver, each is for another.
    fn clients_of(&self, chosen: &[Candidate]) -> u32 {
        let whose = chosen.iter().filter_map(|candidate| {
            let ask = self.transactions.get(candidate.ask)?;
            Some((ask.client, Some(candidate.ask).filter(|_| self.leg(&ask) != Leg::Client)))
        });
        whose.collect::<HashSet<_>>().len() as u32
    }

    /// Whether all clients are among those chosen.
    fn are_among(&self, clients: &[Cause], chosen: &[Candidate]) -> bool {
        let client = |ask: Sequence| self.transactions.get(ask).map(|ask| ask.client);
        let chosen: Vec<_> = chosen.iter().map(|candidate| client(candidate.ask)).collect();
        clients.iter().all(|cause| chosen.contains(&client(cause.ask)))
    }

    /// Whether those chosen are after so many names that what they have in common, a zone above them or its server,
    /// tells next to nothing of any one of them.
    fn is_anybodys(&self, chosen: &[Candidate]) -> bool {
        let asks = chosen.iter().filter(|candidate| candidate.relation > Relation::Alias);
        let asks = asks.filter_map(|candidate| self.transactions.get(candidate.ask));
        let mut names: Vec<_> = asks.map(|ask| ask.name).collect();
        names.sort_unstable();
        names.dedup();
        names.len() > NAMES_IN_COMMON_MAX
    }

    /// The clients behind the asks that caused a query: those who asked, or where that was another
    /// resolver, those who made it ask. If a resolver's client could not be told, that too.
    fn end_clients(
        &self,
        chosen: &[Candidate],
        walk: &Walk<'_>,
        sent: &Transaction,
        began: Timestamp,
        trail: &mut Trail,
    ) -> (Vec<Cause>, Option<NoClientReason>) {
        let mut clients = Vec::new();
        let mut behind = None;
        let mut names = chosen.iter().filter_map(|c| self.transactions.get(c.ask)).map(|t| t.name);
        let first = names.next();
        let are_of_several_names = names.any(|name| Some(name) != first);
        for (place, candidate) in chosen.iter().enumerate() {
            let cause = self.cause(candidate, (place, are_of_several_names), walk, sent);
            let Some(ask) = self.transactions.get(candidate.ask) else { continue };
            if self.leg(&ask) == Leg::Client {
                // What a router sent on is no candidate where its original is known.
                match self.roles.translated().is_all_of(ask.client) {
                    true => behind = Some(NoClientReason::SentOn(ask.client)),
                    false => clients.push(cause),
                }
                continue;
            }
            let before = self.causes_beyond(candidate.ask, &ask, began, trail);
            if before.clients.is_empty() {
                behind = Some(NoClientReason::BehindResolver(ask.client));
            }
            clients.extend(before.clients.into_iter().map(|client| client.by_way_of(&ask, &cause)));
        }
        (once_each(clients), behind)
    }

    fn cause(
        &self,
        candidate: &Candidate,
        (place, are_of_several_names): (usize, bool),
        walk: &Walk<'_>,
        sent: &Transaction,
    ) -> Cause {
        let role = match candidate.timing {
            Timing::Open | Timing::AnsweredSoon | Timing::JustAfter if place == 0 => {
                Role::Initiator
            }
            Timing::Open | Timing::AnsweredSoon | Timing::JustAfter | Timing::Joined => {
                Role::Joiner
            }
            Timing::After(_) => Role::Refresh,
        };
        Cause {
            ask: candidate.ask,
            role,
            relation: candidate.relation,
            confidence_permille: self.confidence(candidate, are_of_several_names, walk, sent),
            chain: self.chain(candidate, walk, sent),
            hops: Vec::new(),
        }
    }

    fn confidence(
        &self,
        candidate: &Candidate,
        are_of_several_names: bool,
        walk: &Walk<'_>,
        sent: &Transaction,
    ) -> u16 {
        let sure = match (candidate.relation, candidate.timing) {
            (Relation::Itself, Timing::Open) => 995,
            (Relation::Alias, Timing::Open) if candidate.confirmed => 990,
            (Relation::Alias, Timing::Open) => 970,
            (Relation::Ancestor | Relation::Server, Timing::Open) => 970,
            (Relation::OtherType, _) => POSSIBLE,
            (Relation::Alias, Timing::Joined) if !candidate.confirmed => POSSIBLE,
            // Whose answer is in the capture may have waited for another query, whose answer is.
            (_, Timing::Joined) if sent.answered().is_none() && is_late_joiner(candidate, sent) => {
                POSSIBLE
            }
            (_, Timing::Joined) => 960,
            (_, Timing::AnsweredSoon) if !self.may_be_passed_on_at_once(candidate, sent) => {
                POSSIBLE
            }
            (_, Timing::AnsweredSoon | Timing::JustAfter) => LIKELY,
            (_, Timing::After(since)) if since <= MOMENT => 960,
            (_, Timing::After(since)) if since < TRIES_ON_MAX && candidate.served => LIKELY,
            (_, Timing::After(_)) => POSSIBLE,
        };
        // A response alone may have been made up.
        let is_likely_at_most = are_of_several_names || !sent.has_query();
        // Which of several ways it went nothing shows.
        let may_lead_elsewhere = || {
            let mut path = walk.path(candidate.reach).into_iter();
            path.any(|edge| self.leads_elsewhere_too(&edge, &sent.client))
        };
        let is_presumed = candidate.relation == Relation::Alias
            && candidate.timing == Timing::Open
            && !candidate.confirmed;
        let sure = sure.min(self.unheard_sure_max(candidate.ask, sent));
        let sure = sure.min(candidate.untold.unwrap_or(sure));
        if candidate.is_past
            || candidate.is_doubted
            || candidate.is_late
            || (is_presumed && may_lead_elsewhere())
        {
            sure.min(POSSIBLE)
        } else if is_likely_at_most {
            sure.min(LIKELY)
        } else {
            sure
        }
    }

    /// Whether an ask was answered when the answer to a query had just come, as far as both were.
    fn may_be_passed_on_at_once(&self, candidate: &Candidate, sent: &Transaction) -> bool {
        sent.answered().is_none()
            || candidate.told.is_none_or(|told| is_passed_on_at_once(told, sent))
    }

    /// The steps from the ask to the queried name, each with the frame that shows it.
    fn chain(&self, candidate: &Candidate, walk: &Walk<'_>, sent: &Transaction) -> Vec<Step> {
        let Some(ask) = self.transactions.get(candidate.ask) else { return Vec::new() };
        let asked_name = self.transactions.name(&ask);
        let step = |name: Name<'_>, kind, frame| Step { name: name.wire().to_vec(), kind, frame };
        let mut chain = vec![step(asked_name, StepKind::Asked, ask.first_frame())];
        let own = self.edges.of_answer(candidate.ask);
        let mut here = asked_name;
        for edge in walk.path(candidate.reach) {
            let owner = self.edges.owner_name(&edge);
            if here != owner {
                chain.push(step(owner, StepKind::Ancestor, FrameId::NONE));
            }
            let held = own.iter().any(|o| o.owner == edge.owner && o.target == edge.target);
            let frame = if held { ask.response } else { edge.learned_before(sent.asked).frame };
            let kind = match edge.kind {
                EdgeKind::Alias => StepKind::Alias,
                EdgeKind::Delegation => StepKind::Server,
            };
            here = self.edges.target_name(&edge);
            chain.push(step(here, kind, frame));
        }
        let queried = self.transactions.name(sent);
        if here != queried {
            chain.push(step(queried, StepKind::Ancestor, FrameId::NONE));
        }
        chain
    }
}

/// Whether an ask that was served came when most queries have their answer.
fn is_late_joiner(candidate: &Candidate, sent: &Transaction) -> bool {
    candidate.served && candidate.asked - sent.asked > MOMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_told_once_as_surely_as_it_was_found() {
        let cause = |ask: u64, role, confidence_permille| Cause {
            ask: Sequence(ask),
            role,
            relation: Relation::Itself,
            confidence_permille,
            chain: Vec::new(),
            hops: Vec::new(),
        };
        let found = vec![
            cause(1, Role::Joiner, 960),
            cause(2, Role::Joiner, 960),
            cause(1, Role::Initiator, 995),
            cause(2, Role::Refresh, 800),
        ];
        let once: Vec<_> = once_each(found)
            .into_iter()
            .map(|c| (c.ask.0, c.role, c.confidence_permille))
            .collect();
        assert_eq!(once, [(1, Role::Initiator, 995), (2, Role::Joiner, 960)]);
    }
}
