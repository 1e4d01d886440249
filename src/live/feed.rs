//! The newest answers, each by its last word, for whoever looks now and then: a screen.
//!
//! The analysis puts answers in and never waits: whoever looks takes hold of what is there, in a moment, and
//! draws it when nobody waits for that any more.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::attribution::{Attribution, Client, QuestionId, State, Way, way};

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

/// What the same clients asked for and were led to: the newest answer of it, and how many there are.
#[derive(Clone, Debug)]
pub struct Group {
    newest: Arc<Sight>,
    /// How many questions of the foremost client it is; where none is named, how many answers. One question can
    /// set off several lookups.
    pub times: u64,
    /// When the first of them was sighted.
    pub first: Timestamp,
    /// Whether the foremost client is known to have connected, after any of them.
    pub is_connected: bool,
}

impl Deref for Group {
    type Target = Sight;

    fn deref(&self) -> &Sight {
        &self.newest
    }
}

impl Sight {
    /// The client that it is about, if there is one.
    pub fn foremost(&self) -> Option<&Client> {
        foremost(&self.attribution)
    }

    /// What all answers have in common that say that the same clients asked for the same and were led to the same.
    pub fn subject(&self) -> String {
        let attribution = &self.attribution;
        let clients = attribution.clients.iter();
        let mut who: Vec<String> = clients.map(|client| client.address.to_string()).collect();
        who.sort_unstable();
        let (asked, flagged) = match self.foremost() {
            Some(client) => (&client.asked, client.chain.last().map(|step| &step.name)),
            None => (&attribution.sighting.name, None),
        };
        let flagged = flagged.unwrap_or(&self.indicator);
        let resolver = attribution.sighting.resolver;
        let whose = if who.is_empty() { resolver.to_string() } else { who.join(" ") };
        let verdict = attribution.verdict.as_str();
        format!("{whose} {verdict} {asked} {flagged}").to_ascii_lowercase()
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

/// The newest answers by the time of what they are about. At the limit the oldest goes.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Mutex<Kept>>);

/// When something was sighted, and the how manieth it was to come.
type Place = (Timestamp, u64);

#[derive(Debug, Default)]
struct Kept {
    sights: BTreeMap<Place, Arc<Sight>>,
    places: BTreeMap<String, Place>,
    octets: usize,
    came: u64,
}

impl Kept {
    fn remove(&mut self, id: &str) -> Option<Place> {
        let place = self.places.remove(id)?;
        let sight = self.sights.remove(&place)?;
        self.octets = self.octets.saturating_sub(sight.weight());
        Some(place)
    }
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Kept> {
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
        kept.sights.insert(place, Arc::new(sight));
        while kept.sights.len() > SIGHTS_MAX || kept.octets > OCTETS_MAX {
            let oldest = kept.sights.first_key_value().map(|(_, s)| s.attribution.id.clone());
            if oldest.is_none_or(|oldest| kept.remove(&oldest).is_none()) {
                break;
            }
        }
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
            let first = sight.attribution.sighting.time;
            let is_connected = sight.foremost().is_some_and(Client::is_connected);
            let question = sight.foremost().map(|client| client.question);
            let is_new = question.is_none_or(|question| questions.insert((place, question)));
            match groups.get_mut(place) {
                Some(group) => {
                    group.times += u64::from(is_new);
                    group.first = first;
                    group.is_connected |= is_connected;
                }
                None => groups.push(Group { newest: sight, times: 1, first, is_connected }),
            }
        }
        (groups, came)
    }
}

#[cfg(test)]
mod tests;
