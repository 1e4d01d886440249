//! What no client is named for, folded into one group for each reason. What has no room is counted.

use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};

use foldhash::HashMap;

use super::fold::{ENTRIES_MAX, Frames};
use crate::attribution::{Attribution, Sighting, Verdict};
use crate::flow::Address;
use crate::indicator::IndicatorId;
use crate::resolution::NoClientReason;
use crate::time::Timestamp;

/// Queries for one indicator that no client is named for, with at most `NAMES` names.
#[derive(Clone, Debug)]
pub(in crate::report) struct Unnamed<const NAMES: usize, const FRAMES: usize> {
    pub indicator: IndicatorId,
    pub queries: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Names and types asked for.
    pub names: Vec<String>,
    /// Queries for further names.
    pub further: u64,
    pub frames: Frames<FRAMES>,
}

/// What is unnamed for one reason, at one resolver.
#[derive(Clone, Debug)]
pub(in crate::report) struct Group<const NAMES: usize, const FRAMES: usize> {
    pub verdict: Verdict,
    pub resolver: Address,
    /// The reason in words, as given first.
    pub reason: String,
    /// Whether the words were others later: they name numbers and times.
    pub reasons_differ: bool,
    pub unnamed: Vec<Unnamed<NAMES, FRAMES>>,
    pub queries: u64,
}

impl<const NAMES: usize, const FRAMES: usize> Group<NAMES, FRAMES> {
    /// What is unnamed, the earliest first.
    pub fn in_order(&self) -> Vec<&Unnamed<NAMES, FRAMES>> {
        let mut unnamed: Vec<_> = self.unnamed.iter().collect();
        unnamed.sort_by_key(|unnamed| (unnamed.first, unnamed.indicator));
        unnamed
    }

    /// Why no client is named, for a person.
    pub fn why(&self) -> String {
        let differ =
            if self.reasons_differ { " (so the first; the others much the same)" } else { "" };
        format!("{}{differ}", self.reason)
    }
}

type GroupKey = (Verdict, Option<Discriminant<NoClientReason>>, Address);

/// What no client is named for.
#[derive(Debug, Default)]
pub(in crate::report) struct Groups<const NAMES: usize, const FRAMES: usize> {
    groups: HashMap<GroupKey, Group<NAMES, FRAMES>>,
    places: HashMap<(GroupKey, IndicatorId), usize>,
    /// How many queries had no room.
    pub left_out: u64,
}

impl<const NAMES: usize, const FRAMES: usize> Groups<NAMES, FRAMES> {
    /// Adds an attribution without clients.
    pub fn add(&mut self, attribution: &Attribution) {
        let sighting = &attribution.sighting;
        let why = attribution.unexplained.as_ref().map(discriminant);
        let key = (attribution.verdict, why, sighting.resolver);
        let place = self.places.get(&(key, attribution.indicator)).copied();
        if place.is_none() && self.places.len() >= ENTRIES_MAX {
            self.left_out += 1;
            return;
        }
        let reason = attribution.reason.as_deref().unwrap_or("no reason is known");
        let group = self.groups.entry(key).or_insert_with(|| Group {
            verdict: attribution.verdict,
            resolver: sighting.resolver,
            reason: reason.to_owned(),
            reasons_differ: false,
            unnamed: Vec::new(),
            queries: 0,
        });
        group.reasons_differ |= group.reason != reason;
        group.queries += 1;
        let place = place.unwrap_or_else(|| {
            self.places.insert((key, attribution.indicator), group.unnamed.len());
            group.unnamed.push(Unnamed::new(attribution.indicator, sighting));
            group.unnamed.len() - 1
        });
        if let Some(unnamed) = group.unnamed.get_mut(place) {
            unnamed.add(sighting);
        }
    }

    /// How many queries for each indicator have a verdict without a client.
    pub fn by_indicator(&self, verdict: Verdict) -> BTreeMap<IndicatorId, u64> {
        let mut queries = BTreeMap::new();
        for group in self.groups.values().filter(|group| group.verdict == verdict) {
            for unnamed in &group.unnamed {
                *queries.entry(unnamed.indicator).or_default() += unnamed.queries;
            }
        }
        queries
    }

    /// The groups of a verdict, the one with most queries first.
    pub fn of(&self, verdict: Verdict) -> Vec<&Group<NAMES, FRAMES>> {
        let mut groups: Vec<&Group<NAMES, FRAMES>> =
            self.groups.values().filter(|group| group.verdict == verdict).collect();
        groups.sort_by(|one, other| {
            let key = |group: &Group<NAMES, FRAMES>| (u64::MAX - group.queries, group.resolver);
            key(one).cmp(&key(other)).then_with(|| one.reason.cmp(&other.reason))
        });
        groups
    }
}

impl<const NAMES: usize, const FRAMES: usize> Unnamed<NAMES, FRAMES> {
    fn new(indicator: IndicatorId, sighting: &Sighting) -> Self {
        Unnamed {
            indicator,
            queries: 0,
            first: sighting.time,
            last: sighting.time,
            names: Vec::new(),
            further: 0,
            frames: Frames::default(),
        }
    }

    fn add(&mut self, sighting: &Sighting) {
        self.queries += 1;
        self.first = self.first.min(sighting.time);
        self.last = self.last.max(sighting.time);
        self.frames.add([sighting.frame, sighting.response_frame].into_iter());
        let name = format!("{} ({})", sighting.name, sighting.rtype);
        if !self.names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            if self.names.len() < NAMES {
                self.names.push(name);
            } else {
                self.further += 1;
            }
        }
    }
}
