//! Finding indicators on legs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bounded::Sequence;
use crate::indicator::{EntryPlace, IndicatorId, Indicators};
use crate::message::{Fact, Message, Messages, is_conclusive};
use crate::name::Name;
use crate::resolution::{History, KnownChain, Leg};
use crate::time::{Span, Timestamp};
use crate::transaction::Transaction;

use super::{ChainStep, Place};

/// An indicator seen on a transaction, before it is known who is behind it.
#[derive(Clone, Debug)]
pub(super) struct IndicatorHit {
    pub indicator: IndicatorId,
    pub place: Place,
    /// What stands there: the name in wire form, the address as text. Shared by all that is listed of it.
    pub name: Arc<[u8]>,
    /// Where it was listed when it was seen, which its id is made of: it stays when lists are read anew.
    pub entry: EntryPlace,
    /// When the message came in which it was seen.
    pub at: Timestamp,
    /// Whether it was reported before it was settled.
    pub is_told: bool,
    /// Whether it was seen in nothing but what the name was known to lead to, as no answer had come.
    pub is_presumed: bool,
    /// For a question that waited for another's answer, in which it was seen: how it led there. Its own
    /// answer need not show it.
    pub joined: Option<Box<Joined>>,
}

impl IndicatorHit {
    /// Since when it is to be reported, unless it was. What a question waited for with others is reported with
    /// what that was flagged in.
    pub fn untold_since(&self) -> Option<Timestamp> {
        (!self.is_told && self.joined.is_none()).then_some(self.at)
    }

    /// Whether an answer that came all the same shows that the transaction does not lead there.
    pub fn is_cleared_by(&self, transaction: &Transaction) -> bool {
        self.is_presumed && !ended_without_chain(transaction)
    }
}

/// How a question that waited for another's answer led to what was flagged in that.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    /// From its own name to what was flagged.
    pub chain: Vec<ChainStep>,
    /// How sure that is, in thousandths.
    pub confidence_permille: u16,
}

/// How many sightings are kept of one transaction: a long answer can name many listed addresses.
const PER_TRANSACTION_MAX: usize = 16;
/// How many wait at most, in 100 MB; beyond it the oldest are judged early. Where half as many wait, of further
/// transactions the first sighting alone is kept: whoever owns a listed zone can write what he likes into its
/// answers, as often as he likes.
const WAITING_MAX: usize = 1 << 20;

/// What is learned so long after an unanswered question can still tell what it led to: its answer may
/// only be missing from the capture.
const GIVEN_UP: Span = Span::from_secs(10);

/// The sightings of one transaction that waits to be judged.
#[derive(Clone, Debug)]
pub(super) struct PendingHits {
    pub hits: Vec<IndicatorHit>,
    /// When the message came that is looked at.
    pub latest: Timestamp,
    /// Whether it is not a message that is looked at, but what a name was known to lead to.
    is_presuming: bool,
    room: usize,
    left_out: u64,
}

impl PendingHits {
    /// Whether the indicator was not seen before, and there is room for it; what there is no room for is counted.
    pub fn takes(&mut self, indicator: IndicatorId) -> bool {
        let is_new = self.hits.iter().all(|hit| hit.indicator != indicator);
        let has_room = self.hits.len() < self.room;
        self.left_out += u64::from(is_new && !has_room);
        is_new && has_room
    }

    /// Adds what was not seen of this indicator before. The first place counts: a query is before its
    /// answer, and a name before its address. But what is seen counts more than what was presumed.
    fn add(
        &mut self,
        indicators: &Indicators,
        indicator: IndicatorId,
        place: Place,
        name: &Arc<[u8]>,
    ) {
        let mut hit = self.hits.iter_mut();
        if let Some(presumed) = hit.find(|hit| hit.indicator == indicator && hit.is_presumed) {
            if !self.is_presuming {
                (presumed.place, presumed.name) = (place, Arc::clone(name));
                presumed.is_presumed = false;
            }
        } else if self.takes(indicator) {
            let entry = indicators.place_of(indicator).unwrap_or_default();
            let name = Arc::clone(name);
            let at = self.latest;
            let (is_told, is_presumed, joined) = (false, self.is_presuming, None);
            if self.hits.is_empty() {
                // Mostly it is the only one.
                self.hits.reserve_exact(1);
            }
            self.hits.push(IndicatorHit {
                indicator,
                place,
                name,
                entry,
                at,
                is_told,
                is_presumed,
                joined,
            });
        }
    }

    /// What is still to be reported before it is settled, as far as it is wanted; from now on it passes for
    /// reported.
    pub fn take_untold(&mut self, is_wanted: impl Fn(&IndicatorHit) -> bool) -> Vec<IndicatorHit> {
        let untold = self.hits.iter_mut().filter(|hit| !hit.is_told && is_wanted(hit));
        let told = untold.map(|hit| {
            let untold = hit.clone();
            hit.is_told = true;
            untold
        });
        told.collect()
    }

    /// Whether something in it is still to be reported before it is settled.
    pub fn has_untold(&self) -> bool {
        self.hits.iter().any(|hit| !hit.is_told)
    }
}

/// All that waits to be judged, by transaction.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    flagged: BTreeMap<Sequence, PendingHits>,
    count: usize,
    left_out: u64,
}

impl Sightings {
    /// Takes out what there is of a transaction.
    pub fn remove(&mut self, sequence: Sequence) -> Option<PendingHits> {
        let flagged = self.flagged.remove(&sequence)?;
        self.count -= flagged.hits.len();
        Some(flagged)
    }

    /// Puts in what there is of a transaction, if there is anything.
    pub fn insert(&mut self, sequence: Sequence, mut flagged: PendingHits) {
        self.left_out += std::mem::take(&mut flagged.left_out);
        if !flagged.hits.is_empty() {
            self.count += flagged.hits.len();
            self.flagged.insert(sequence, flagged);
        }
    }

    /// Room for the sightings of another transaction.
    pub fn room(&self) -> PendingHits {
        let room = if self.count < WAITING_MAX / 2 { PER_TRANSACTION_MAX } else { 1 };
        let (hits, latest) = (Vec::new(), Timestamp::default());
        PendingHits { hits, latest, is_presuming: false, room, left_out: 0 }
    }

    /// What there is of a transaction, to be told.
    pub fn get_mut(&mut self, sequence: Sequence) -> Option<&mut PendingHits> {
        self.flagged.get_mut(&sequence)
    }

    /// The oldest transaction.
    pub fn first(&self) -> Option<Sequence> {
        self.flagged.first_key_value().map(|(sequence, _)| *sequence)
    }

    /// The transactions, the oldest first.
    pub fn sequences(&self) -> impl Iterator<Item = Sequence> {
        self.flagged.keys().copied()
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the oldest have to make room.
    pub fn are_too_many(&self) -> bool {
        self.count > WAITING_MAX
    }

    /// How many there was no room for.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Gives what waits other indicators, each once. Returns what has none: that does not wait here any more.
    pub fn relist(
        &mut self,
        mut anew: impl FnMut(IndicatorId) -> Option<IndicatorId>,
    ) -> Sightings {
        let mut gone = Sightings::default();
        for (sequence, mut flagged) in std::mem::take(&mut self.flagged) {
            let mut without = PendingHits { hits: Vec::new(), ..flagged };
            for mut hit in std::mem::take(&mut flagged.hits) {
                match anew(hit.indicator) {
                    Some(id) if flagged.hits.iter().all(|known| known.indicator != id) => {
                        hit.indicator = id;
                        flagged.hits.push(hit);
                    }
                    Some(_) => self.count -= 1,
                    None => without.hits.push(hit),
                }
            }
            self.count -= without.hits.len();
            gone.insert(sequence, without);
            if !flagged.hits.is_empty() {
                self.flagged.insert(sequence, flagged);
            }
        }
        gone
    }
}

/// Matches names and addresses, keeping the room its answers need.
#[derive(Debug, Default)]
pub(super) struct Matching {
    found: Vec<IndicatorId>,
    /// How often something listed was allowed.
    pub allowed: u64,
}

impl Matching {
    fn name(
        &mut self,
        indicators: &Indicators,
        name: Name<'_>,
        place: Place,
        flagged: &mut PendingHits,
    ) {
        self.found.clear();
        indicators.match_name(name, &mut self.found);
        self.allowed += u64::from(indicators.is_name_taken_back(name));
        self.add_found(indicators, place, name.wire(), flagged);
    }

    /// Matches all of a message that can hold an indicator.
    pub fn message(
        &mut self,
        indicators: &Indicators,
        messages: &Messages,
        message: &Message,
        flagged: &mut PendingHits,
    ) {
        if let Some(question) = message.question {
            self.name(indicators, messages.name(question.name), Place::Qname, flagged);
        }
        let server = if message.flags.is_response() {
            message.flow.source
        } else {
            message.flow.destination
        };
        let facts = messages.facts(message);
        for fact in facts {
            if let Fact::Alias { target, .. } = fact {
                self.name(indicators, messages.name(*target), Place::Alias, flagged);
            }
        }
        for fact in facts {
            if let Fact::Service { target, .. } = fact {
                self.name(indicators, messages.name(*target), Place::Target, flagged);
            }
        }
        for fact in facts {
            if let Fact::Address { address, .. } = fact {
                self.address(indicators, *address, Place::Address, flagged);
            }
        }
        self.address(indicators, server.address, Place::Server, flagged);
        for fact in facts {
            if let Fact::Delegation { server, .. } = fact {
                self.name(indicators, messages.name(*server), Place::Nameserver, flagged);
            }
        }
    }

    fn address(
        &mut self,
        indicators: &Indicators,
        address: crate::flow::Address,
        place: Place,
        flagged: &mut PendingHits,
    ) {
        self.found.clear();
        indicators.match_address(address, &mut self.found);
        self.allowed += u64::from(indicators.is_address_taken_back(address));
        self.add_found(indicators, place, address.to_string().as_bytes(), flagged);
    }

    fn add_found(
        &mut self,
        indicators: &Indicators,
        place: Place,
        name: &[u8],
        flagged: &mut PendingHits,
    ) {
        if self.found.is_empty() {
            return;
        }
        let name = Arc::from(name);
        for &indicator in &self.found {
            flagged.add(indicators, indicator, place, &name);
        }
    }

    /// Whether a chain with an alias that had run out is refuted. Looked up only if something in it is listed: hardly any is.
    #[cold]
    fn is_refuted(
        &mut self,
        indicators: &Indicators,
        history: History<'_>,
        ask: &Transaction,
        chain: &KnownChain,
    ) -> bool {
        self.found.clear();
        for edge in &chain.edges {
            indicators.match_name(history.edges().target_name(edge), &mut self.found);
        }
        !self.found.is_empty() && history.is_outdated_refuted(ask, chain, given_up(ask))
    }

    /// Matches the aliases that a question without an answer was known to lead to.
    pub fn known_chain(
        &mut self,
        indicators: &Indicators,
        history: History<'_>,
        ask: &Transaction,
        flagged: &mut PendingHits,
    ) {
        let chain = known_chain(history, ask);
        if chain.is_outdated() && self.is_refuted(indicators, history, ask, &chain) {
            return;
        }
        flagged.is_presuming = true;
        for edge in &chain.edges {
            self.name(indicators, history.edges().target_name(edge), Place::Alias, flagged);
        }
        flagged.is_presuming = false;
    }
}

/// The aliases that a question was known to lead to when it was given up, by the resolver on whose leg
/// it is.
pub(super) fn known_chain(history: History<'_>, ask: &Transaction) -> KnownChain {
    let resolver = match history.leg(ask) {
        Leg::Client => ask.server,
        Leg::Upstream => ask.client,
    };
    let given_up = given_up(ask);
    // What was known when it came it went on with; what is told long after is for others.
    let until = ask.answered().unwrap_or(given_up + GIVEN_UP);
    history.walk_forward(history.roles().addresses_of(&resolver), ask.name, (given_up, until))
}

/// What was known by then a question was given up with.
fn given_up(ask: &Transaction) -> Timestamp {
    ask.answered().unwrap_or(ask.asked_last)
}

/// Whether an ask ended without saying what its name leads to.
pub(super) fn ended_without_chain(ask: &Transaction) -> bool {
    match ask.answered() {
        None => true,
        Some(_) => !ask.has_answers && !is_conclusive(ask.rcode) || ask.truncated,
    }
}
