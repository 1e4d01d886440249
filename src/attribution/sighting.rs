//! Finding indicators on legs.

use crate::indicator::{IndicatorId, Indicators};
use crate::message::{Fact, Message, Messages};
use crate::name::Name;
use crate::resolution::{Edge, Leg, Resolution};
use crate::time::{Span, Timestamp};
use crate::transaction::Transaction;

use super::{ChainStep, Place};

/// An indicator seen on a transaction, before it is known who is behind it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub indicator: IndicatorId,
    pub place: Place,
    /// What stands there: the alias or name server in wire form, empty for other places.
    pub name: Vec<u8>,
    /// Its list and line when it was seen, which its id is made of: it stays when lists are read anew.
    pub entry: (u16, u32),
    /// When the message came in which it was seen.
    pub at: Timestamp,
    /// Whether it was reported before it was settled.
    pub is_told: bool,
    /// For a question that waited for another's answer, in which it was seen: how it led there. Its own
    /// answer need not show it.
    pub joined: Option<Joined>,
}

impl Seen {
    /// Since when it is to be reported, unless it was. What a question waited for with others is reported with
    /// what that was flagged in.
    pub fn untold_since(&self) -> Option<Timestamp> {
        (!self.is_told && self.joined.is_none()).then_some(self.at)
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
const PER_TRANSACTION_MAX: usize = 64;

/// What is learned so long after an unanswered question can still tell what it led to: its answer may
/// only be missing from the capture.
const GIVEN_UP: Span = Span::from_secs(10);

/// The sightings of one transaction that waits to be judged.
#[derive(Clone, Debug, Default)]
pub(super) struct Flagged {
    pub seen: Vec<Seen>,
    /// When the message came that is looked at.
    pub latest: Timestamp,
}

impl Flagged {
    /// Whether the indicator was not seen before, and there is room for it.
    pub fn takes(&self, indicator: IndicatorId) -> bool {
        self.seen.len() < PER_TRANSACTION_MAX
            && self.seen.iter().all(|seen| seen.indicator != indicator)
    }

    /// Adds what was not seen of this indicator before. The first place counts: a query is before its
    /// answer, and a name before its address.
    fn add(&mut self, indicators: &Indicators, indicator: IndicatorId, place: Place, name: &[u8]) {
        if self.takes(indicator) {
            let entry =
                indicators.get(indicator).map_or((0, 0), |entry| (entry.list.0, entry.line));
            let name = name.to_vec();
            let at = self.latest;
            let (is_told, joined) = (false, None);
            self.seen.push(Seen { indicator, place, name, entry, at, is_told, joined });
        }
    }

    /// What is still to be reported before it is settled, of the indicators that are wanted; from now on it
    /// passes for reported.
    pub fn take_untold(&mut self, is_wanted: impl Fn(IndicatorId) -> bool) -> Vec<Seen> {
        let untold = self.seen.iter_mut().filter(|seen| !seen.is_told && is_wanted(seen.indicator));
        let told = untold.map(|seen| {
            let untold = seen.clone();
            seen.is_told = true;
            untold
        });
        told.collect()
    }

    /// Whether something in it is still to be reported before it is settled.
    pub fn has_untold(&self) -> bool {
        self.seen.iter().any(|seen| !seen.is_told)
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
        flagged: &mut Flagged,
    ) {
        self.found.clear();
        indicators.match_name(name, &mut self.found);
        self.allowed += u64::from(indicators.is_name_taken_back(name));
        for &indicator in &self.found {
            flagged.add(indicators, indicator, place, name.wire());
        }
    }

    /// Matches all of a message that can hold an indicator.
    pub fn message(
        &mut self,
        indicators: &Indicators,
        messages: &Messages,
        message: &Message,
        flagged: &mut Flagged,
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
        flagged: &mut Flagged,
    ) {
        self.found.clear();
        indicators.match_address(address, &mut self.found);
        self.allowed += u64::from(indicators.is_address_taken_back(address));
        for &indicator in &self.found {
            flagged.add(indicators, indicator, place, address.to_string().as_bytes());
        }
    }

    /// Matches the aliases that a question without an answer was known to lead to.
    pub fn known_chain(
        &mut self,
        indicators: &Indicators,
        resolution: &Resolution,
        ask: &Transaction,
        flagged: &mut Flagged,
    ) {
        for edge in known_chain(resolution, ask) {
            self.name(indicators, resolution.edges().target_name(edge), Place::Alias, flagged);
        }
    }
}

/// The aliases that a question was known to lead to when it was given up, by the resolver on whose leg
/// it is.
pub(super) fn known_chain<'r>(resolution: &'r Resolution, ask: &Transaction) -> Vec<&'r Edge> {
    let resolver = match resolution.leg(ask) {
        Leg::Client => ask.server,
        Leg::Upstream => ask.client,
    };
    let until = ask.answered().unwrap_or(ask.asked_last + GIVEN_UP);
    resolution.walk_forward(resolution.roles().addresses_of(&resolver), ask.name, until)
}

/// Whether an ask ended without saying what its name leads to.
pub(super) fn ended_without_chain(ask: &Transaction) -> bool {
    match ask.answered() {
        None => true,
        Some(_) => !ask.has_answers && !matches!(ask.rcode, 0 | 3) || ask.truncated,
    }
}
