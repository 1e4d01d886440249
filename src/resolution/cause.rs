//! Who caused an upstream query.
//!
//! The rules, in order:
//! 1. An ask that was open when the query was sent, and that needs the queried name, caused it. Of
//!    several, those with the strongest [`Relation`] did; the others only stood nearby.
//! 2. An ask that came while the query was in flight, and that needs the name, joined it.
//! 3. With no open ask, the related ask that was answered last before it set it off (a prefetch, a
//!    stale refresh, follow-up look-ups), if that was a moment ago.
//! 4. With none of these, it is a retry of an earlier query for the same thing, and shares its cause.
//! 5. Else nobody seen did; [`Unexplained`] says what that means here.
//!
//! An ask needs a name by its own answer, where it has one: an answer that holds a chain is the
//! chain. Where it has none, what the resolver had learned before and could still believe counts.

use super::role::Known;
use super::walk::{Reach, Relation, Step, StepKind, Walk};
use super::{EdgeKind, Leg, Resolution};
use crate::bounded::Sequence;
use crate::frame::FrameId;
use crate::message::RecordType;
use crate::name::Name;
use crate::time::{Span, Timestamp};
use crate::transaction::{HostId, Transaction};

/// An ask is remembered as open this long before a query, at most.
const OPEN_MAX: Span = Span::from_secs(75);
/// Frames of one instant can stand in either order on a mirror port.
const INSTANT: Span = Span::from_micros(300);
/// A mirror port can put a frame behind another that came so much later.
const OUT_OF_ORDER: Span = Span::from_millis(2);
/// What a resolver does at once after an answer, it does within this time.
const MOMENT: Span = Span::from_millis(100);
/// An answer sets off further queries for so long (PowerDNS refreshes up to a second later).
const AFTER_MAX: Span = Span::from_millis(2_400);
/// An ask whose query was not captured counts as open if its answer follows this closely.
const ANSWER_SOON: Span = Span::from_millis(400);
/// A query without an answer can be joined until it is tried again, and for so long at most.
const JOIN_MAX: Span = Span::from_millis(1_500);
/// A resolver that has to ask upstream for an ask does so within this time.
const SET_TO_WORK: Span = Span::from_secs(1);
/// A resolver that asks upstream for each ask apart does so within this time.
const OWN_QUERY_MAX: Span = Span::from_millis(3);
/// A resolver fails over to its next server within this time.
const FAIL_OVER_MAX: Span = Span::from_secs(12);
/// An answer from the cache takes less than this.
const AT_ONCE: Span = Span::from_millis(1);
/// How many asks about one registered domain are looked at for one query.
const ASKS_MAX: usize = 4096;
/// How many clients are named for one query; more are too many to tell apart.
const CLIENTS_MAX: usize = 64;
/// How many resolvers a question passes through.
const HOPS_MAX: usize = 8;

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

/// Why no client is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unexplained {
    /// The resolver fetched the list of root servers, or their addresses.
    Priming,
    /// Nobody was waiting, nor had anybody just been answered.
    NobodyWaiting,
    /// So many clients were waiting, none for anything known to lead to this name.
    OthersWaiting(u32),
    /// No client leg of this resolver is in the capture.
    ClientLegMissing,
    /// The capture had begun too short a time before.
    BeganMidWay(Span),
    /// Packets are missing here.
    PacketsLost,
    /// So many clients can have caused it, none more likely than the other.
    TooMany(u32),
    /// It was asked by another resolver, for a client that could not be told.
    BehindResolver(HostId),
    /// What led to it is no longer kept.
    Forgotten,
}

/// Who caused an upstream query: clients, or why none is named.
#[derive(Clone, Debug)]
pub struct Causes {
    /// The clients, by the time of their questions.
    pub clients: Vec<Cause>,
    /// If there are none: why.
    pub unexplained: Option<Unexplained>,
    /// The first of the queries that are retries of one another.
    pub first_try: Sequence,
}

/// When an ask was open, seen from an upstream query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timing {
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

#[derive(Clone, Copy, Debug)]
struct Candidate {
    ask: Sequence,
    reach: usize,
    relation: Relation,
    timing: Timing,
    /// Whether its own answer holds the chain.
    confirmed: bool,
}

impl Resolution {
    /// Who caused an upstream query. `sent` is its transaction, or one of the [`Transactions::tries`]
    /// of it; `began` is the time of the capture's first message.
    ///
    /// [`Transactions::tries`]: crate::transaction::Transactions::tries
    pub fn causes(&self, query: Sequence, sent: &Transaction, began: Timestamp) -> Causes {
        self.causes_within(query, sent, began, HOPS_MAX)
    }

    fn causes_within(
        &self,
        query: Sequence,
        sent: &Transaction,
        began: Timestamp,
        hops_left: usize,
    ) -> Causes {
        let none = |why| Causes { clients: Vec::new(), unexplained: Some(why), first_try: query };
        let Some(group) = self.roles.group_of(sent.client) else {
            return none(Unexplained::ClientLegMissing);
        };
        if !self.transactions.has_name(sent) {
            return none(Unexplained::Forgotten);
        }
        let resolvers = group.hosts.as_slice();
        let name = self.transactions.name(sent);
        let walk = self.walk_back(resolvers, name, (sent.name, sent.group), sent.asked);
        let in_flight_until = self.in_flight_until(query, sent);
        let candidates = self.candidates(query, sent, in_flight_until, resolvers, &walk);
        let chosen =
            choose(candidates, |ask| self.transactions.get(ask).map(|t| (t.asked, t.client)));
        let chosen = self.each_its_own(sent, chosen);
        let first_try = self.first_try(query, sent);
        if chosen.is_empty() {
            if first_try != query
                && hops_left > 0
                && let Some(earlier) = self.transactions.get(first_try)
            {
                let shared = self.causes_within(first_try, earlier, began, hops_left - 1);
                if !shared.clients.is_empty() {
                    return shared;
                }
            }
            return Causes { first_try, ..none(self.why_nobody(query, sent, group.known, began)) };
        }
        let mut clients: Vec<Cause> = Vec::new();
        let mut behind = None;
        for (place, candidate) in chosen.iter().enumerate() {
            let cause = self.cause(candidate, place, &chosen, &walk, sent);
            let Some(ask) = self.transactions.get(candidate.ask) else { continue };
            let is_hop = self.leg(ask) == Leg::Upstream;
            if !is_hop || hops_left == 0 {
                clients.push(cause);
                continue;
            }
            let before = self.causes_within(candidate.ask, ask, began, hops_left - 1);
            if before.clients.is_empty() {
                behind = Some(Unexplained::BehindResolver(ask.client));
            }
            for mut client in before.clients {
                client.hops.push(ask.client);
                client.confidence_permille =
                    client.confidence_permille.min(cause.confidence_permille);
                client.role = if client.role == Role::Initiator { cause.role } else { client.role };
                client.chain.extend(cause.chain.iter().skip(1).cloned());
                clients.push(client);
            }
        }
        if clients.len() > CLIENTS_MAX {
            return Causes { first_try, ..none(Unexplained::TooMany(clients.len() as u32)) };
        }
        let unexplained =
            if clients.is_empty() { behind.or(Some(Unexplained::Forgotten)) } else { None };
        Causes { clients, unexplained, first_try }
    }

    /// The queries by which a resolver asked the same thing about the same time, newest first: from any
    /// of its addresses, to any server.
    fn same_questions(&self, sent: &Transaction) -> Vec<(Sequence, &Transaction)> {
        let alone = [sent.client];
        let group = self.roles.group_of(sent.client);
        let resolvers = group.map_or(alone.as_slice(), |group| group.hosts.as_slice());
        let asked = resolvers.iter().flat_map(|resolver| {
            let about = self.transactions.of_client(*resolver, sent.group).take(ASKS_MAX);
            about.take_while(|(_, other)| other.asked_last + OPEN_MAX >= sent.asked)
        });
        let mut same: Vec<_> = asked.filter(|(_, other)| other.same_question(sent)).collect();
        same.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        same
    }

    /// The earliest query in the run of retries that ends with this one: the same question, each tried
    /// again while the one before had no usable answer.
    fn first_try(&self, query: Sequence, sent: &Transaction) -> Sequence {
        let mut first = (query, sent.asked);
        for (sequence, earlier) in self.same_questions(sent) {
            if sequence >= first.0 {
                continue;
            }
            let failed = match earlier.answered {
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
    fn in_flight_until(&self, query: Sequence, sent: &Transaction) -> Timestamp {
        let later = self.same_questions(sent).into_iter().filter(|(sequence, _)| *sequence > query);
        let next_try = later.map(|(_, other)| other.asked).min();
        let longest = sent.asked + JOIN_MAX;
        sent.answered.unwrap_or_else(|| next_try.map_or(longest, |next| next.min(longest)))
    }

    fn candidates(
        &self,
        query: Sequence,
        sent: &Transaction,
        in_flight_until: Timestamp,
        resolvers: &[HostId],
        walk: &Walk<'_>,
    ) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        for (place, reach) in walk.reaches.iter().enumerate() {
            for &resolver in resolvers {
                let asks: Box<dyn Iterator<Item = (Sequence, &Transaction)>> =
                    if reach.name.label_count() >= 2 {
                        Box::new(self.transactions.with_server(resolver, reach.group))
                    } else {
                        // Everything stands below a top-level domain: only what came just before can
                        // have led there.
                        Box::new(
                            self.transactions
                                .before(query)
                                .filter(move |(_, t)| t.server == resolver),
                        )
                    };
                for (sequence, ask) in asks.take(ASKS_MAX) {
                    if ask.asked_last + OPEN_MAX < sent.asked {
                        break;
                    }
                    if sequence == query {
                        continue;
                    }
                    if let Some(candidate) = self.candidate(
                        (sequence, ask),
                        (place, reach),
                        (sent, in_flight_until),
                        walk,
                    ) {
                        found.push(candidate);
                    }
                }
            }
        }
        let found = self.without_silently_answered(found, sent);
        self.without_late_joiners(found, sent)
    }

    /// Whether an ask needs the name by way of one reach, and was there at the time.
    fn candidate(
        &self,
        (sequence, ask): (Sequence, &Transaction),
        (place, reach): (usize, &Reach<'_>),
        (sent, in_flight_until): (&Transaction, Timestamp),
        walk: &Walk<'_>,
    ) -> Option<Candidate> {
        let timing = timing(ask, sent, in_flight_until)?;
        if timing == Timing::Open && !self.is_pending(ask, sent) {
            return None;
        }
        let exact = ask.name == reach.hash;
        if !exact && !self.transactions.name(ask).is_at_or_below(reach.name) {
            return None;
        }
        let relation = needs(ask.qtype, sent.qtype, reach.relation, exact)?;
        if timing == Timing::Joined && relation > Relation::Alias {
            // Waiting for the same answer is joining; having a use for it later is not.
            return None;
        }
        let path = walk.path(place);
        let confirmed = self.bears_out(sequence, ask, &path, sent.asked)?;
        Some(Candidate { ask: sequence, reach: place, relation, timing, confirmed })
    }

    /// Whether an ask can have been waiting still. One that has had no captured answer for long was,
    /// if the resolver had set to work for it: if it was asking upstream about that domain, or the one
    /// in question, when the ask came or soon after. Else its answer came from the cache and is missing.
    fn is_pending(&self, ask: &Transaction, sent: &Transaction) -> bool {
        if ask.answered.is_some() || ask.asked_last + SET_TO_WORK >= sent.asked {
            return true;
        }
        let group = self.roles.group_of(sent.client);
        let resolvers = group.map(|group| group.hosts.as_slice()).unwrap_or_default();
        let mut upstream = resolvers.iter().flat_map(|resolver| {
            [ask.group, sent.group]
                .into_iter()
                .flat_map(|about| self.transactions.of_client(*resolver, about).take(ASKS_MAX))
        });
        upstream.any(|(_, query)| {
            let over = query.answered.unwrap_or(query.asked_last + FAIL_OVER_MAX);
            query.asked <= ask.asked_last + SET_TO_WORK
                && over >= ask.asked
                && !(query.answered.is_none() && self.was_passed_on(query, resolvers, ask.asked))
        })
    }

    /// Whether a client got the answer to an upstream query before a time, though the answer to the
    /// query itself was not captured.
    fn was_passed_on(&self, query: &Transaction, resolvers: &[HostId], before: Timestamp) -> bool {
        let mut asks = resolvers.iter().flat_map(|resolver| {
            self.transactions.with_server(*resolver, query.group).take(ASKS_MAX)
        });
        asks.any(|(_, ask)| {
            ask.same_question(query)
                && ask.answered.is_some_and(|at| query.asked <= at && at <= before)
        })
    }

    /// Whether an ask's own answer bears out a path of aliases and delegations: `Some(true)` if it holds
    /// them, `Some(false)` if it says nothing of them, `None` if it speaks against them.
    fn bears_out(
        &self,
        sequence: Sequence,
        ask: &Transaction,
        path: &[&super::Edge],
        sent: Timestamp,
    ) -> Option<bool> {
        let known_then = path.iter().all(|edge| edge.first.time <= sent + INSTANT);
        let mut aliases = path.iter().filter(|edge| edge.kind == EdgeKind::Alias).peekable();
        if aliases.peek().is_none() {
            return known_then.then_some(true);
        }
        let complete = ask.answered.is_some() && matches!(ask.rcode, 0 | 3) && !ask.truncated;
        if !complete {
            return known_then.then_some(false);
        }
        let own = self.edges.of_answer(sequence);
        let held = aliases
            .all(|edge| own.iter().any(|o| o.owner == edge.owner && o.target == edge.target));
        held.then_some(true)
    }

    /// Leaves out asks that came after the query's answer had reached a client, which shows that it was
    /// no longer in flight even where the answer itself was not captured; and then also those that were
    /// answered at once, so hardly waited for anybody.
    fn without_late_joiners(
        &self,
        mut found: Vec<Candidate>,
        sent: &Transaction,
    ) -> Vec<Candidate> {
        let open = found.iter().filter(|c| c.timing == Timing::Open);
        let over = open.filter_map(|c| self.transactions.get(c.ask)?.answered).min();
        found.retain(|candidate| {
            let Some(ask) = self.transactions.get(candidate.ask) else { return false };
            let in_time = over.is_none_or(|over| ask.asked <= over);
            let at_once = ask.answered.is_some_and(|at| at - ask.asked < AT_ONCE);
            candidate.timing != Timing::Joined || (in_time && (sent.answered.is_some() || !at_once))
        });
        found
    }

    /// Of asks for the very thing that a query is for, the one that set it off, where the resolver asks
    /// upstream for each of them apart (Samba does): then each has a query of its own right behind it.
    fn each_its_own(&self, sent: &Transaction, chosen: Vec<Candidate>) -> Vec<Candidate> {
        // To another server, it would be a further step of one walk down from the root.
        let at_once = |ask: &Transaction, query: &Transaction| {
            query.server == sent.server
                && (Span(0)..OWN_QUERY_MAX).contains(&(query.asked - ask.asked_last))
        };
        let same = self.same_questions(sent);
        let has_own = |candidate: &Candidate| {
            let ask = self.transactions.get(candidate.ask);
            candidate.relation == Relation::Itself
                && ask.is_some_and(|ask| same.iter().any(|(_, query)| at_once(ask, query)))
        };
        if chosen.len() < 2 || !chosen.iter().all(has_own) {
            return chosen;
        }
        let set_off = chosen.iter().filter(|candidate| {
            self.transactions.get(candidate.ask).is_some_and(|ask| at_once(ask, sent))
        });
        let last = set_off.max_by_key(|c| self.transactions.get(c.ask).map(|ask| ask.asked_last));
        last.map_or_else(|| chosen.clone(), |candidate| vec![*candidate])
    }

    /// Leaves out asks without a captured answer that must have been answered: a resolver answers all
    /// who wait for one thing at once, so when somebody got that answer later, they did too.
    fn without_silently_answered(
        &self,
        mut found: Vec<Candidate>,
        sent: &Transaction,
    ) -> Vec<Candidate> {
        let mut answers: Vec<(u64, u16, Timestamp)> = Vec::new();
        for candidate in &found {
            if let Some(ask) = self.transactions.get(candidate.ask)
                && let Some(at) = ask.answered
                && at + INSTANT < sent.asked
            {
                answers.push((ask.name.0, ask.qtype.0, at));
            }
        }
        answers.sort_unstable();
        found.retain_mut(|candidate| {
            let Some(ask) = self.transactions.get(candidate.ask) else { return false };
            if ask.answered.is_some() {
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

    fn cause(
        &self,
        candidate: &Candidate,
        place: usize,
        chosen: &[Candidate],
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
            confidence_permille: self.confidence(candidate, chosen),
            chain: self.chain(candidate, walk, sent),
            hops: Vec::new(),
        }
    }

    fn confidence(&self, candidate: &Candidate, chosen: &[Candidate]) -> u16 {
        let asked: Vec<_> =
            chosen.iter().filter_map(|c| self.transactions.get(c.ask)).map(|t| t.name).collect();
        let several_names = asked.iter().any(|name| Some(name) != asked.first());
        let base: u16 = match (candidate.relation, candidate.timing) {
            (Relation::Itself, Timing::Open) => 995,
            (Relation::Alias, Timing::Open) if candidate.confirmed => 990,
            (Relation::Alias, Timing::Open) => 970,
            (Relation::Ancestor | Relation::Server, Timing::Open) => 970,
            (_, Timing::Joined) => 960,
            (_, Timing::AnsweredSoon | Timing::JustAfter) => 900,
            (_, Timing::After(since)) if since <= MOMENT => 960,
            (_, Timing::After(since)) if since < Span::from_secs(1) => 900,
            (_, Timing::After(_)) => 800,
        };
        if several_names { base.min(900) } else { base }
    }

    /// The steps from the ask to the queried name, each with the frame that shows it.
    fn chain(&self, candidate: &Candidate, walk: &Walk<'_>, sent: &Transaction) -> Vec<Step> {
        let Some(ask) = self.transactions.get(candidate.ask) else { return Vec::new() };
        let own_frame = if ask.query.is_some() { ask.query } else { ask.response };
        let asked_name = self.transactions.name(ask);
        let step = |name: Name<'_>, kind, frame| Step { name: name.wire().to_vec(), kind, frame };
        let mut chain = vec![step(asked_name, StepKind::Asked, own_frame)];
        let own = self.edges.of_answer(candidate.ask);
        let mut here = asked_name;
        for edge in walk.path(candidate.reach) {
            let owner = self.edges.owner_name(edge);
            if here != owner {
                chain.push(step(owner, StepKind::Ancestor, FrameId::NONE));
            }
            let held = own.iter().any(|o| o.owner == edge.owner && o.target == edge.target);
            let frame = if held { ask.response } else { edge.learned_before(sent.asked).frame };
            let kind = match edge.kind {
                EdgeKind::Alias => StepKind::Alias,
                EdgeKind::Delegation => StepKind::Server,
            };
            here = self.edges.target_name(edge);
            chain.push(step(here, kind, frame));
        }
        let queried = self.transactions.name(sent);
        if here != queried {
            chain.push(step(queried, StepKind::Ancestor, FrameId::NONE));
        }
        chain
    }

    /// What it means that nobody seen caused a query.
    fn why_nobody(
        &self,
        query: Sequence,
        sent: &Transaction,
        known: Known,
        began: Timestamp,
    ) -> Unexplained {
        let name = self.transactions.name(sent);
        if is_priming(name, sent.qtype) {
            return Unexplained::Priming;
        }
        let resolvers =
            self.roles.group_of(sent.client).map(|g| g.hosts.as_slice()).unwrap_or_default();
        let hosts = self.transactions.hosts();
        let asked = resolvers
            .iter()
            .filter_map(|r| hosts.get(*r))
            .any(|host| host.asked > 0 || host.answers > 0);
        if known == Known::OnlyIterates || !asked {
            return Unexplained::ClientLegMissing;
        }
        let mut waiting: Vec<HostId> = Vec::new();
        let mut unasked = 0u32;
        let mut answered = 0u32;
        for (_, other) in self.transactions.before(query).take(ASKS_MAX) {
            if other.asked_last + Span::from_secs(30) < sent.asked {
                break;
            }
            let is_ask = resolvers.contains(&other.server);
            answered += u32::from(other.answered.is_some());
            unasked += u32::from(!other.has_query());
            if is_ask
                && other.closed() >= sent.asked
                && !waiting.contains(&other.client)
                && waiting.len() < CLIENTS_MAX
            {
                waiting.push(other.client);
            }
        }
        if unasked * 200 > answered {
            return Unexplained::PacketsLost;
        }
        if sent.asked - began < Span::from_secs(10) {
            return Unexplained::BeganMidWay(sent.asked - began);
        }
        if waiting.is_empty() {
            Unexplained::NobodyWaiting
        } else {
            Unexplained::OthersWaiting(waiting.len() as u32)
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
            after if after >= Span(0) && after <= ANSWER_SOON => Some(Timing::AnsweredSoon),
            _ => None,
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

/// How an ask of one type needs a query of another, given how their names are related.
fn needs(asked: RecordType, sent: RecordType, relation: Relation, exact: bool) -> Option<Relation> {
    let same = asked == sent || asked == RecordType::ANY;
    // What resolvers ask on their way down: delegations, keys, and minimised questions.
    let on_the_way =
        matches!(sent, RecordType::A | RecordType::NS | RecordType::DS | RecordType::DNSKEY);
    match (relation, exact) {
        (Relation::Itself | Relation::Alias, true) if same => Some(relation),
        (Relation::Server, _) => {
            (on_the_way || sent == RecordType::AAAA).then_some(Relation::Server)
        }
        _ => on_the_way.then_some(Relation::Ancestor),
    }
}

/// Of all asks that can have caused a query, those that did, by the time of their questions.
///
/// 1. Those that were open;
/// 2. else those whose answers came soon after, their questions not captured;
/// 3. else the one answered last, if that was a moment ago;
/// 4. else those that stand just behind the query, for frames may have changed places;
/// 5. else the one answered last.
///
/// Of these the ones with the strongest relation, and with them whoever joined.
fn choose(
    mut candidates: Vec<Candidate>,
    facts: impl Fn(Sequence) -> Option<(Timestamp, HostId)>,
) -> Vec<Candidate> {
    // Of several ways in which one ask needs the name, the strongest.
    candidates.sort_by_key(|c| (c.ask, c.relation, c.reach));
    candidates.dedup_by_key(|c| c.ask);
    let strongest = |timing: Timing| {
        let of_timing = candidates.iter().filter(|c| c.timing == timing);
        of_timing.map(|c| (c.relation, timing)).min()
    };
    let last_answered = |within: Span| {
        let answered = candidates.iter().filter_map(|c| match c.timing {
            Timing::After(since) if since <= within => Some((c.relation, c.timing)),
            _ => None,
        });
        answered.min()
    };
    let best = strongest(Timing::Open)
        .or_else(|| strongest(Timing::AnsweredSoon))
        .or_else(|| last_answered(MOMENT))
        .or_else(|| strongest(Timing::JustAfter))
        .or_else(|| last_answered(AFTER_MAX));
    let joins = |c: &Candidate| matches!(c.timing, Timing::Joined | Timing::JustAfter);
    candidates.retain(|c| match best {
        Some((relation, timing)) => {
            c.relation == relation
                && (c.timing == timing || (joins(c) && relation <= Relation::Alias))
        }
        None => c.timing == Timing::Joined,
    });
    candidates
        .sort_by_key(|c| (c.timing == Timing::Joined, facts(c.ask).map(|(asked, _)| asked), c.ask));
    candidates
}

/// Whether a question is of the kind that a resolver asks to get going (RFC 9609).
fn is_priming(name: Name<'_>, qtype: RecordType) -> bool {
    let below = |zone: &[u8]| name.is_at_or_below(Name::from_wire(zone));
    (name.is_root() && matches!(qtype, RecordType::NS | RecordType::DNSKEY))
        || below(b"\x0croot-servers\x03net\0")
        || below(b"\x0cgtld-servers\x03net\0")
}
