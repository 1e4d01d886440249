//! The newest answers, each by its last word, for whoever looks now and then: a screen.
//!
//! The analysis puts answers in and never waits: whoever looks takes hold of what is there, in a moment, and
//! draws it when nobody waits for that any more.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::attribution::{Attribution, Client, QuestionId, State, Way, way};
use crate::flow::Address;
use crate::indicator::Indicators;
use crate::time::Timestamp;

/// How many answers are kept.
const SIGHTS_MAX: usize = 1_000;
/// How many octets they may take: their names are written by others, and there may be many in each.
const OCTETS_MAX: usize = 16 << 20;

/// An answer, with what the list says of what was flagged: lists may be read anew.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The answer.
    pub attribution: Attribution,
    /// What was flagged, as the list has it.
    pub indicator: String,
    /// The list.
    pub list: String,
    /// The line there.
    pub line: u32,
    /// What the list says of it.
    pub description: Option<String>,
    /// How its foremost client came to it.
    pub way: Option<Way>,
}

/// The client that an answer is about, if there is one: the surest, of these the first.
fn foremost(attribution: &Attribution) -> Option<&Client> {
    let clients = attribution.clients.iter().rev();
    clients.max_by_key(|client| client.confidence_permille)
}

/// What says that a client asked for the same and was led to what is listed: one answer for all, the newest of those
/// that say most (how it was led there, then whether it connected), and how many there are.
#[derive(Clone, Debug)]
pub struct Group {
    told: Arc<Sight>,
    /// How many questions of the foremost client it is; where none is named, how many answers. One question can
    /// set off several lookups.
    pub times: u64,
    /// When the first and the newest of them were sighted.
    pub first: Timestamp,
    /// See [`first`](Group::first).
    pub last: Timestamp,
    /// Who else is behind any of them: the address and, if it is known, the name.
    pub others: BTreeMap<Address, Option<String>>,
    /// Whether the foremost client is known to have connected, after any of them.
    pub is_connected: bool,
}

impl Deref for Group {
    type Target = Sight;

    fn deref(&self) -> &Sight {
        &self.told
    }
}

impl Group {
    fn of(sight: Arc<Sight>) -> Group {
        let time = sight.attribution.sighting.time;
        let (first, last, others) = (time, time, BTreeMap::new());
        let mut group = Group { told: sight, times: 0, first, last, others, is_connected: false };
        group.add(&Arc::clone(&group.told), true);
        group
    }

    /// Adds an older answer; `is_new` if it is about a question of which none was.
    fn add(&mut self, sight: &Arc<Sight>, is_new: bool) {
        self.times += u64::from(is_new);
        self.first = sight.attribution.sighting.time;
        self.is_connected |= sight.foremost().is_some_and(Client::is_connected);
        let worth =
            |sight: &Sight| (sight.way, !sight.foremost().is_some_and(Client::is_connected));
        if worth(sight) < worth(&self.told) {
            self.told = Arc::clone(sight);
        }
        let foremost = sight.foremost().map(|client| client.address);
        for client in &sight.attribution.clients {
            if Some(client.address) != foremost {
                let name = self.others.entry(client.address).or_default();
                let host = client.hostname.as_ref().map(|host| host.name.clone());
                *name = name.take().or(host);
            }
        }
    }
}

impl Sight {
    /// The client that it is about, if there is one.
    pub fn foremost(&self) -> Option<&Client> {
        foremost(&self.attribution)
    }

    /// What all answers have in common that say that the same client asked for the same and was led to what is listed,
    /// or that none can be named for that. Who else waited is another from one lookup of a question to the next.
    pub fn subject(&self) -> String {
        let attribution = &self.attribution;
        let (whose, asked) = match self.foremost() {
            Some(client) => (client.address, client.asked.as_str()),
            None => (attribution.sighting.resolver, ""),
        };
        let verdict = attribution.verdict.as_str();
        format!("{whose} {verdict} {asked} {}", self.indicator).to_ascii_lowercase()
    }

    fn pair(&self) -> Pair {
        let attribution = &self.attribution;
        let client = self.foremost().map(|client| client.address);
        (client.unwrap_or(attribution.sighting.resolver), self.indicator.clone())
    }

    /// About how many octets it takes.
    fn weight(&self) -> usize {
        let attribution = &self.attribution;
        let own = [&attribution.id, &attribution.resolution_id, &attribution.sighting.name];
        let clients = attribution.clients.iter().map(|client| {
            let steps = client.chain.iter().map(|step| size_of_val(step) + step.name.len());
            size_of_val(client) + client.asked.len() + steps.sum::<usize>()
        });
        let listed = self.indicator.len() + self.list.len();
        let listed = listed + self.description.as_ref().map_or(0, String::len);
        size_of::<Sight>()
            + own.iter().map(|text| text.len()).sum::<usize>()
            + listed
            + clients.sum::<usize>()
    }
}

/// The newest answers by the time of what they are about. At the limit the oldest goes of whoever has most for one
/// entry of a list: one client that asks for thousands of names made up by a program would else hide all others.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Mutex<FeedState>>);

/// When something was sighted, and the how manieth it was to come.
type Place = (Timestamp, u64);

/// Whom answers are about, the resolver where no client is named, and what was flagged.
type Pair = (Address, String);

#[derive(Debug, Default)]
struct FeedState {
    /// The answers of each, oldest first.
    pairs: BTreeMap<Pair, BTreeSet<Place>>,
    /// How many had no room.
    fell_out: u64,
    sights: BTreeMap<Place, Arc<Sight>>,
    places: BTreeMap<String, Place>,
    octets: usize,
    came: u64,
}

impl FeedState {
    fn remove(&mut self, id: &str) -> Option<Place> {
        let place = self.places.remove(id)?;
        let sight = self.sights.remove(&place)?;
        self.octets = self.octets.saturating_sub(sight.weight());
        let pair = sight.pair();
        if let Some(places) = self.pairs.get_mut(&pair) {
            places.remove(&place);
            if places.is_empty() {
                self.pairs.remove(&pair);
            }
        }
        Some(place)
    }

    /// Makes room for one; false if there is nothing to remove.
    fn make_room(&mut self) -> bool {
        // Of several that have as many, the oldest of all.
        let most = self.pairs.values().map(BTreeSet::len).max().unwrap_or_default();
        let with_most = self.pairs.values().filter(|places| places.len() == most);
        let oldest = with_most.filter_map(BTreeSet::first).min();
        let oldest = oldest.and_then(|place| self.sights.get(place));
        let Some(id) = oldest.map(|sight| sight.attribution.id.clone()) else { return false };
        self.fell_out += 1;
        self.remove(&id).is_some()
    }
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, FeedState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an answer. It replaces what was said under the same id; what is superseded goes.
    pub fn take(&self, attribution: Attribution, indicators: &Indicators) {
        let Some(indicator) = indicators.get(attribution.indicator) else { return };
        let sight = Sight {
            indicator: indicator.value.to_owned(),
            list: indicators.list_name(indicator.list).to_owned(),
            line: indicator.line,
            description: indicator.description.map(str::to_owned),
            way: foremost(&attribution).map(|client| way(&attribution, client, indicator)),
            attribution,
        };
        let mut kept = self.lock();
        let before = kept.remove(&sight.attribution.id);
        if sight.attribution.state == State::Superseded {
            return;
        }
        let number = before.map_or(kept.came, |(_, number)| number);
        kept.came += u64::from(before.is_none());
        let place = (sight.attribution.sighting.time, number);
        kept.octets += sight.weight();
        kept.places.insert(sight.attribution.id.clone(), place);
        kept.pairs.entry(sight.pair()).or_default().insert(place);
        kept.sights.insert(place, Arc::new(sight));
        while kept.sights.len() > SIGHTS_MAX || kept.octets > OCTETS_MAX {
            if !kept.make_room() {
                break;
            }
        }
    }

    /// How many answers had no room.
    pub fn fell_out(&self) -> u64 {
        self.lock().fell_out
    }

    /// The newest first, what says the same taken together, and how many came in all.
    pub fn newest(&self) -> (Vec<Group>, u64) {
        let (sights, came) = {
            let kept = self.lock();
            (kept.sights.values().rev().cloned().collect::<Vec<_>>(), kept.came)
        };
        let mut groups: Vec<Group> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut questions: BTreeSet<(usize, QuestionId)> = BTreeSet::new();
        for sight in sights {
            let place = *places.entry(sight.subject()).or_insert(groups.len());
            let question = sight.foremost().map(|client| client.question);
            let is_new = question.is_none_or(|question| questions.insert((place, question)));
            match groups.get_mut(place) {
                Some(group) => group.add(&sight, is_new),
                None => groups.push(Group::of(sight)),
            }
        }
        (groups, came)
    }
}

#[cfg(test)]
mod tests;
