//! What is to be weighed of each entry, as the page needs it.

use std::collections::BTreeMap;

use super::fold::Entry;
use crate::attribution::{Assessment, FOR_OTHERS, Hint, Leaning};
use crate::indicator::IndicatorId;
use crate::report::Ending;

/// How grave an entry is; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It asked for what is flagged, and connected.
    Connected,
    /// Something else speaks for a compromised client.
    Serious,
    /// Nothing speaks for either.
    Open,
    /// It may be a false alarm.
    Doubtful,
}

impl Weight {
    /// As the overview names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Weight::Connected => "act on it",
            Weight::Serious | Weight::Open => "look at it",
            Weight::Doubtful => "false alarm?",
        }
    }
}

/// An assessment, and what in it speaks for a false alarm of all its clients.
#[derive(Debug)]
struct Known<'a> {
    assessment: &'a Assessment,
    shared: Vec<&'a str>,
}

/// The assessments by indicator.
#[derive(Debug)]
pub(super) struct Weighed<'a>(BTreeMap<IndicatorId, Known<'a>>);

/// Whether a hint speaks for a false alarm, and not only for somebody else.
pub(super) fn is_harmless(hint: &&Hint) -> bool {
    hint.leaning == Leaning::Harmless && hint.code != FOR_OTHERS
}

impl<'a> Weighed<'a> {
    /// All of them.
    pub fn of(ending: &Ending<'a>) -> Weighed<'a> {
        let known = ending.assessments.iter().map(|assessment| {
            let harmless = assessment.hints.iter().filter(is_harmless);
            let shared = harmless.map(|hint| hint.words.as_str()).collect();
            (assessment.indicator, Known { assessment, shared })
        });
        Weighed(known.collect())
    }

    fn hints(&self, entry: &Entry) -> &'a [Hint] {
        self.0.get(&entry.indicator).map_or(&[], |known| known.assessment.of(entry.client))
    }

    /// How grave an entry is. Without an assessment, by what led there alone.
    pub fn weight(&self, entry: &Entry) -> Weight {
        let hints = self.hints(entry);
        if self.has_connected(entry) {
            Weight::Connected
        } else if hints.iter().any(|hint| hint.leaning == Leaning::Serious) {
            Weight::Serious
        } else if hints.iter().any(|hint| is_harmless(&hint))
            || entry.is_doubtful() && !self.0.contains_key(&entry.indicator)
        {
            Weight::Doubtful
        } else {
            Weight::Open
        }
    }

    /// Whether it is held against a client that it then connected.
    pub fn has_connected(&self, entry: &Entry) -> bool {
        self.hints(entry).iter().any(|hint| hint.code == "connected")
    }

    /// What speaks for a compromised client; of an only client, all that is said of the indicator.
    pub fn serious(&self, entry: &Entry) -> Vec<&'a str> {
        let only = self.0.get(&entry.indicator).filter(|known| known.assessment.clients == 1);
        let hints = only.map_or(self.hints(entry), |known| &known.assessment.hints);
        let serious = hints.iter().filter(|hint| hint.leaning == Leaning::Serious);
        serious.map(|hint| hint.words.as_str()).collect()
    }

    /// What speaks for a false alarm of this client.
    pub fn own(&self, entry: &Entry) -> Option<&'a Hint> {
        self.hints(entry).iter().find(is_harmless)
    }

    /// That somebody else may have asked.
    pub fn for_others(&self, entry: &Entry) -> Option<&'a str> {
        let hint = self.hints(entry).iter().find(|hint| hint.code == FOR_OTHERS);
        hint.map(|hint| hint.words.as_str())
    }

    /// What speaks for a false alarm of all clients.
    pub fn shared(&self, entry: &Entry) -> Vec<&'a str> {
        self.of_indicator(entry.indicator)
    }

    /// What speaks for a false alarm of all that was seen of an indicator.
    pub fn of_indicator(&self, indicator: IndicatorId) -> Vec<&'a str> {
        self.0.get(&indicator).map_or_else(Vec::new, |known| known.shared.clone())
    }
}
