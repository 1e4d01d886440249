//! What it means that nobody seen caused an upstream query.

use foldhash::{HashMap, HashSet};

use super::around::Intervals;
use super::candidate::{ASKS_MAX, OUT_OF_ORDER};
use super::cause::CLIENTS_MAX;
use super::earlier_answers::Side;
use super::role::Known;
use super::walk::{Relation, Walk};
use super::{Edge, History};
use crate::bounded::Sequence;
use crate::flow::Address;
use crate::message::{RecordType, is_conclusive};
use crate::name::{Name, NameHash};
use crate::time::{Span, Timestamp};
use crate::transaction::{HostId, Transaction};

/// How many transactions before a query are gone through for who was waiting.
const BEFORE_MAX: usize = 1 << 14;
/// For so long it is said that somebody had asked for what a resolver asks by itself, and so many names that lead there are
/// looked at for that. Deadwood begins anew each 11 to 16 s for minutes.
const ASKED_BEFORE: Span = Span::from_secs(300);
const NAMES_BEFORE_MAX: usize = 16;
/// How many edges are gone through for one that leads to a name.
const LED_TO_MAX: usize = 32;
/// An answer sets off most of what it does (a refresh, follow-up lookups) within this time.
const SET_OFF_WITHIN: Span = Span::from_millis(50);
/// What a resolver asks for by itself is of few domains, what unseen clients make it ask for of many,
const UNSEEN_DOMAINS_MIN: usize = 8;
/// and more than one in so many of its queries.
const UNSEEN_SHARE: usize = 100;
/// Who is asked about so many times fewer names than it asks about unasked may be no server to speak of, but somebody who asks for
/// itself: then so many names are enough,
const SELDOM_ASKED: usize = 2;
const NAMES_MIN: usize = 4;
/// if queries about them are one of so many.
const ALONE_SHARE: usize = 2;

/// Why no client is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoClientReason {
    /// The resolver fetched the list of root servers, or their addresses.
    Priming,
    /// Nobody was waiting, nor had anybody just been answered.
    NobodyWaiting,
    /// So many clients had just been told from the cache what no longer held: what was refreshed for them leads to this name.
    ServedOtherwise(u32),
    /// So many clients were waiting, none for anything known to lead to this name.
    OthersWaiting(u32),
    /// No client leg of this resolver is in the capture.
    ClientLegMissing,
    /// The resolver asks about much that nobody seen asks it about: of its clients, some are not in the capture.
    ClientsUnseen {
        /// About so many domains,
        domains: u32,
        /// by so many of its queries,
        alone: u32,
        /// of so many.
        queries: u32,
    },
    /// The capture had begun, or gone on after it was blind, too short a time before.
    BeganMidWay(Span),
    /// It was asked for so long before, for clients that are known, and got no answer: whether one of them still waits cannot
    /// be told.
    TriedBefore(Span),
    /// This client had asked for just this, or for what leads to it, so long before, and no answer to it is in the capture: some
    /// resolvers go on trying for long, by themselves.
    AskedUnanswered(HostId, Span),
    /// The same of one that was told that it failed.
    AskedFailed(HostId, Span),
    /// The same of one that was answered, while others were waiting.
    AskedServed(HostId, Span),
    /// Packets are missing here.
    PacketsLost,
    /// So many clients can have caused it, none more likely than the other.
    TooMany(u32),
    /// So much was asked at the time, or so many names lead there, that not all of it can be gone through.
    Crowded,
    /// It was asked by another resolver, for a client that could not be told.
    BehindResolver(HostId),
    /// A client was waiting for just this at another server, and had its answer after it: that may be the same machine.
    AskedAt {
        /// The client.
        client: HostId,
        /// Where it asked.
        server: HostId,
    },
    /// Nobody was waiting, as far as is seen; but clients ask the resolver encrypted, this one last.
    AskedEncrypted(Address),
    /// A client asked for something below it, but so little after it: frames may have changed places.
    AskedJustAfter(Span),
    /// Who asked may itself be a resolver, for nobody was recognised as one.
    AskerMayBeResolver,
    /// It came from the address by which a router sends on what others ask, and what it sent on is not in the capture.
    SentOn(HostId),
    /// What led to it is no longer kept.
    Forgotten,
    /// The clock of its capture is so far ahead of the one by which clients' questions are stamped.
    ClocksApart(Span),
}

/// Where more than one in so many answers are cut by the capture, or none of so many lookups has one, what leads to a name
/// may be in what is not there.
const CUT_SHARE: u32 = 20;
const LOOKUPS_MIN: u32 = 16;

impl NoClientReason {
    /// Whether a client may be behind it.
    pub fn is_open(self) -> bool {
        !matches!(self, NoClientReason::Priming | NoClientReason::NobodyWaiting)
    }
}

impl History<'_> {
    /// Whether a question is of the kind that only resolvers ask, to get going: for the root servers.
    pub fn is_priming(&self, question: &Transaction) -> bool {
        let name = self.transactions.name(question);
        name.is_root() && self.transactions.has_name(question) && is_priming(name, question.qtype)
    }

    /// What it means that nobody seen caused a query.
    pub(super) fn why_nobody(
        &self,
        query: Sequence,
        sent: &Transaction,
        known: Known,
        began: Timestamp,
    ) -> NoClientReason {
        let name = self.transactions.name(sent);
        if is_priming(name, sent.qtype) {
            return NoClientReason::Priming;
        }
        let resolvers = self.roles.addresses_of(&sent.client);
        let hosts = self.transactions.hosts();
        let asked = resolvers
            .iter()
            .filter_map(|r| hosts.get(*r))
            .any(|host| host.asked > 0 || host.answers > 0);
        if known == Known::OnlyIterates || !asked {
            return NoClientReason::ClientLegMissing;
        }
        let mut waiting: Vec<HostId> = Vec::new();
        let mut elsewhere = None;
        let (mut unasked, mut answered, mut cut) = (0u32, 0u32, 0u32);
        let (mut lookups, mut told) = (0u32, 0u32);
        for (place, (_, other)) in self.transactions.before(query).take(BEFORE_MAX).enumerate() {
            if other.asked_last + Span::from_secs(30) < sent.asked {
                break;
            }
            let is_ask = resolvers.contains(&other.server);
            if place < ASKS_MAX {
                answered += u32::from(other.answered().is_some());
                unasked += u32::from(!other.has_query());
                cut += u32::from(other.is_partial);
                if resolvers.contains(&other.client) {
                    lookups += 1;
                    told += u32::from(other.answered().is_some());
                }
            }
            if !is_ask && elsewhere.is_none() && self.waits_for_it(&other, sent) {
                elsewhere = Some((other.client, other.server));
            }
            if is_ask
                && (other.asked..=other.closed()).contains(&sent.asked)
                && !waiting.contains(&other.client)
                && waiting.len() < CLIENTS_MAX
            {
                waiting.push(other.client);
            }
        }
        if let Some((client, server)) = elsewhere {
            return NoClientReason::AskedAt { client, server };
        }
        // What answers lead on to is in those that are there, and whole.
        let are_untold = told == 0 && lookups >= LOOKUPS_MIN;
        if unasked * 200 > answered || cut * CUT_SHARE > answered || are_untold {
            return NoClientReason::PacketsLost;
        }
        if sent.asked - began < Span::from_secs(10) {
            return NoClientReason::BeganMidWay(sent.asked - began);
        }
        if let Some(apart) = self.clocks_apart(sent) {
            NoClientReason::ClocksApart(apart.offset)
        } else if waiting.is_empty() {
            let unseen = self.clients_unseen(query, sent, resolvers);
            unseen.unwrap_or(NoClientReason::NobodyWaiting)
        } else {
            NoClientReason::OthersWaiting(waiting.len() as u32)
        }
    }

    /// Why nobody is named for a query, or that somebody had asked for just that before, or for what leads to it. Why the resolver
    /// asks for it now is not known, but that nobody did is not so.
    pub(super) fn or_asked_before(
        &self,
        why: NoClientReason,
        sent: &Transaction,
        walk: &Walk<'_>,
    ) -> NoClientReason {
        let are_others_waiting = matches!(why, NoClientReason::OthersWaiting(_));
        let is_alone =
            matches!(why, NoClientReason::NobodyWaiting | NoClientReason::ClientsUnseen { .. });
        if !are_others_waiting && !is_alone {
            return why;
        }
        let names = walk.reaches.iter().enumerate();
        let names = names.filter(|(_, reach)| reach.relation <= Relation::Alias);
        let latest = names.take(NAMES_BEFORE_MAX).filter_map(|(place, reach)| {
            let question = (reach.hash, reach.domain, sent.qtype);
            let mut asks = self
                .about(Side::Asked, &sent.client, question, sent.asked)
                .take_while(|(_, ask)| ask.asked_last + ASKED_BEFORE >= sent.asked);
            asks.find(|(sequence, ask)| {
                !self.roles.same(ask.client, sent.client)
                    && self.led_there((*sequence, ask), &walk.path(place), sent.asked)
            })
        });
        let Some((_, ask)) = latest.max_by_key(|(sequence, ask)| (ask.asked_last, *sequence))
        else {
            return why;
        };
        let since = sent.asked - ask.asked_last.min(sent.asked);
        match ask.answered().filter(|told| *told <= sent.asked) {
            None => NoClientReason::AskedUnanswered(ask.client, since),
            Some(_) if !is_conclusive(ask.rcode) => NoClientReason::AskedFailed(ask.client, since),
            Some(_) if are_others_waiting => NoClientReason::AskedServed(ask.client, since),
            Some(_) => why,
        }
    }

    /// Whether an ask had led along a path before a time, by its own answer or else by what was known then.
    fn led_there(
        &self,
        (sequence, ask): (Sequence, &Transaction),
        path: &[Edge],
        before: Timestamp,
    ) -> bool {
        if !ask.is_served() {
            return path.iter().all(|edge| edge.is_known(ask.asked, ask.closed().min(before)));
        }
        let own = self.edges.of_answer(sequence);
        let mut path = path.iter();
        path.all(|edge| own.iter().any(|o| (o.owner, o.target) == (edge.owner, edge.target)))
    }

    /// Whether a resolver asked about much that nobody seen was waiting for then, nor had asked for before.
    fn clients_unseen(
        &self,
        query: Sequence,
        sent: &Transaction,
        resolvers: &[HostId],
    ) -> Option<NoClientReason> {
        let mut asked_for: HashSet<NameHash> = HashSet::default();
        let mut waits = Intervals::default();
        let mut waits_about: HashMap<NameHash, Intervals> = HashMap::default();
        let mut lookups: Vec<Transaction> = Vec::new();
        for (_, other) in self.around(query, sent.asked) {
            if resolvers.contains(&other.server) {
                let (from, until) = (other.asked - OUT_OF_ORDER, other.closed() + SET_OFF_WITHIN);
                waits.add(from, until);
                waits_about.entry(other.domain).or_default().add(from, until);
                asked_for.insert(other.name);
            } else if resolvers.contains(&other.client) && other.has_query() {
                lookups.push(other);
            }
        }
        waits.put_in_order();
        waits_about.values_mut().for_each(Intervals::put_in_order);
        // Whoever waits may wait for what aliases and delegations lead to.
        let is_led_to = |domain: NameHash| {
            let is_known = |resolver: &HostId| {
                let mut steps = LED_TO_MAX;
                self.edges.to_domain(*resolver, domain, &mut steps).next().is_some()
            };
            resolvers.iter().any(is_known)
        };
        let is_waited_for = |lookup: &Transaction| {
            waits_about
                .get(&lookup.domain)
                .is_some_and(|waits| waits.touch(lookup.asked, lookup.asked))
                || waits.touch(lookup.asked, lookup.asked) && is_led_to(lookup.domain)
        };
        let [mut domains, mut names] = [HashSet::default(), HashSet::default()];
        let mut alone = 0;
        for lookup in &lookups {
            let name = self.transactions.name(lookup);
            let is_common = name.label_count() < 2 || is_priming(name, lookup.qtype);
            if !is_common && !asked_for.contains(&lookup.name) && !is_waited_for(lookup) {
                alone += 1;
                domains.insert(lookup.domain);
                names.insert(lookup.name);
            }
        }
        let (queries, domains) = (lookups.len(), domains.len());
        let is_asked_seldom = asked_for.len() * SELDOM_ASKED <= names.len();
        let is_so = domains >= UNSEEN_DOMAINS_MIN && alone * UNSEEN_SHARE >= queries
            || is_asked_seldom && names.len() >= NAMES_MIN && alone * ALONE_SHARE >= queries;
        let [domains, alone, queries] = [domains, alone, queries].map(|count| count as u32);
        is_so.then_some(NoClientReason::ClientsUnseen { domains, alone, queries })
    }

    /// Whether somebody waited for just what a query is for, as long as that took, wherever it asked.
    fn waits_for_it(&self, ask: &Transaction, sent: &Transaction) -> bool {
        let waits = || {
            let (told, came) = (ask.answered()?, sent.answered()?);
            Some(ask.asked <= sent.asked && came <= told)
        };
        ask.same_question(sent)
            && !self.roles.same(ask.client, sent.client)
            && ask.client != sent.client
            && ask.server != sent.server
            && waits().unwrap_or(false)
    }
}

/// Whether a question is of the kind that a resolver asks to get going (RFC 9609).
pub(super) fn is_priming(name: Name<'_>, qtype: RecordType) -> bool {
    let below = |zone: &[u8]| name.is_at_or_below(Name::from_wire(zone));
    (name.is_root() && matches!(qtype, RecordType::NS | RecordType::DNSKEY))
        || below(b"\x0croot-servers\x03net\0")
        || below(b"\x0cgtld-servers\x03net\0")
}
