//! What is to be weighed of each client's dealings with an indicator, as people read it in whatever form.

use std::collections::BTreeMap;

use super::Subject;
use crate::alert::{Answer, Suspect};
use crate::attribution::{Assessment, FOR_OTHERS, Hint, Leaning};
use crate::flow::Address;
use crate::indicator::IndicatorId;
use crate::report::Ending;

/// How grave dealings are; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
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

    /// As a line about a client begins.
    pub fn lead(self) -> &'static str {
        match self {
            Weight::Connected => "act on",
            Weight::Serious | Weight::Open => "look at",
            Weight::Doubtful => "perhaps a false alarm:",
        }
    }

    /// As programs read it.
    pub fn code(self) -> &'static str {
        match self {
            Weight::Connected => "act",
            Weight::Serious | Weight::Open => "look",
            Weight::Doubtful => "perhaps-false-alarm",
        }
    }

    /// By what is to be weighed of a client's dealings with an indicator.
    pub fn of(hints: &[Hint]) -> Weight {
        if hints.iter().any(|hint| hint.code == "connected") {
            Weight::Connected
        } else if hints.iter().any(|hint| hint.leaning == Leaning::Serious) {
            Weight::Serious
        } else if hints.iter().any(|hint| is_harmless(&hint)) {
            Weight::Doubtful
        } else {
            Weight::Open
        }
    }

    /// By what led there and whether it connected, for want of an assessment.
    pub fn by_itself(is_led: bool, has_connected: bool) -> Weight {
        match (is_led, has_connected) {
            (true, _) => Weight::Doubtful,
            (false, true) => Weight::Connected,
            (false, false) => Weight::Open,
        }
    }
}

/// How pressing it is to look at a client; the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Urgency {
    /// It asked for what is flagged, and connected.
    Act,
    /// It asked for what is flagged.
    Look,
    /// It may be a false alarm.
    Weigh,
    /// Whatever it did was not at the times of the alerts.
    Other,
}

impl Urgency {
    /// Of dealings at the times of the alerts.
    pub fn of(weight: Weight) -> Urgency {
        match weight {
            Weight::Connected => Urgency::Act,
            Weight::Serious | Weight::Open => Urgency::Look,
            Weight::Doubtful => Urgency::Weigh,
        }
    }

    /// The class of elements that show it.
    pub fn class(self) -> &'static str {
        match self {
            Urgency::Act => "act",
            Urgency::Look => "look",
            Urgency::Weigh => "weigh",
            Urgency::Other => "other",
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
pub(in crate::report) struct Weighed<'a>(BTreeMap<IndicatorId, Known<'a>>);

/// Whether a hint speaks for a false alarm, and not only for somebody else.
pub(in crate::report) fn is_harmless(hint: &&Hint) -> bool {
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

    fn hints(&self, indicator: IndicatorId, client: Address) -> &'a [Hint] {
        self.0.get(&indicator).map_or(&[], |known| known.assessment.of(client))
    }

    /// How grave a client's dealings with an indicator are; none without an assessment.
    pub fn weight(&self, indicator: IndicatorId, client: Address) -> Option<Weight> {
        self.0.get(&indicator)?;
        Some(Weight::of(self.hints(indicator, client)))
    }

    /// How grave the dealings are of a client that is named for an alert.
    pub fn triage(&self, answer: &Answer, suspect: &Suspect, subject: Subject<'_>) -> Weight {
        let known = answer.indicator.and_then(|id| self.weight(id, suspect.address));
        known.unwrap_or_else(|| {
            let is_led = !subject.asked_itself(suspect, answer);
            Weight::by_itself(is_led, suspect.connected.is_some())
        })
    }

    /// What speaks for a compromised client; of an only client, all that is said of the indicator.
    pub fn serious(&self, indicator: IndicatorId, client: Address) -> Vec<&'a str> {
        let only = self.0.get(&indicator).filter(|known| known.assessment.clients == 1);
        let hints = only.map_or(self.hints(indicator, client), |known| &known.assessment.hints);
        let serious = hints.iter().filter(|hint| hint.leaning == Leaning::Serious);
        serious.map(|hint| hint.words.as_str()).collect()
    }

    /// What speaks for a false alarm of this client.
    pub fn own(&self, indicator: IndicatorId, client: Address) -> Option<&'a Hint> {
        self.hints(indicator, client).iter().find(is_harmless)
    }

    /// That somebody else may have asked.
    pub fn for_others(&self, indicator: IndicatorId, client: Address) -> Option<&'a str> {
        let hint = self.hints(indicator, client).iter().find(|hint| hint.code == FOR_OTHERS);
        hint.map(|hint| hint.words.as_str())
    }

    /// What speaks for a false alarm of all that was seen of an indicator.
    pub fn of_indicator(&self, indicator: IndicatorId) -> Vec<&'a str> {
        self.0.get(&indicator).map_or_else(Vec::new, |known| known.shared.clone())
    }
}
