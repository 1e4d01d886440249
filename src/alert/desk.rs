//! The desk at which alerts are answered.

use std::rc::Rc;

use foldhash::HashMap;

use super::nearest::{self, Nearby};
use super::scope::Scope;
use super::sightings::{Kept, Outcome, Seen, Store, outcome};
use super::{Alert, Answer, Answering, Basis, Clock, clock};
use crate::attribution::{Attribution, Coverage, State};
use crate::indicator::{IndicatorId, IndicatorKind, Indicators};
use crate::message::{Message, Messages};
use crate::time::{Span, Timestamp};

/// How far from an alert its sighting may be when the clocks' difference is known.
const NEAR: Span = Span::from_secs(5);
/// How far when it is not.
const NEAR_UNKNOWN: Span = Span::from_secs(60);
/// What happened so close together, a log of whole seconds cannot tell apart.
const TOGETHER: Span = Span::from_secs(1);

/// Collects what is seen of the alerts' destinations, and answers each alert at the end.
#[derive(Debug)]
pub struct Desk {
    alerts: Vec<Alert>,
    held: Vec<Result<IndicatorId, String>>,
    /// The destinations that are names or single addresses, as indicators have them.
    destinations: HashMap<IndicatorId, (IndicatorKind, String)>,
    store: Store,
    nearby: Nearby,
    answered: u64,
}

/// What is the same for all alerts on one destination at one host.
struct Case {
    scope: Scope,
    notes: Vec<String>,
    /// The sightings within the scope, by time.
    order: Vec<usize>,
}

/// An answer without its alert.
type Found = Rc<(Outcome, Vec<String>, Option<String>)>;

impl Desk {
    /// Takes alerts, and for each what its destination stands for among `indicators`, or why for nothing.
    pub fn new(
        alerts: Vec<Alert>,
        held: Vec<Result<IndicatorId, String>>,
        indicators: &Indicators,
    ) -> Desk {
        let mut destinations = HashMap::default();
        for &id in held.iter().flatten() {
            if let Some(indicator) = indicators.get(id) {
                destinations.insert(id, (indicator.kind, indicator.value.to_owned()));
            }
        }
        let mut values: Vec<&str> =
            destinations.values().map(|(_, value)| value.as_str()).collect();
        values.sort_unstable();
        let nearby = Nearby::new(values.into_iter());
        Desk { alerts, held, destinations, store: Store::default(), nearby, answered: 0 }
    }

    /// How many alerts were answered with a sighting; 0 before [`Answering::answers`].
    pub fn answered(&self) -> u64 {
        self.answered
    }

    fn case(&self, id: IndicatorId, host: Option<&str>, coverage: &Coverage) -> Case {
        let seen = self.store.of(id);
        let (scope, note) = Scope::of(host, coverage, seen);
        let mut order: Vec<usize> = Vec::new();
        if let Some(seen) = seen {
            let all = seen.sightings.iter().enumerate();
            let within = all.filter(|(_, kept)| seen.is_within(kept, &scope));
            let mut timed: Vec<(Timestamp, usize)> = within.map(|(at, k)| (k.time, at)).collect();
            timed.sort_unstable();
            order.extend(timed.into_iter().map(|(_, at)| at));
        }
        Case { scope, notes: note.into_iter().collect(), order }
    }

    /// The difference of the clocks, from all alerts that have a time.
    fn clock(&self, cases: &HashMap<(IndicatorId, Option<&str>), Case>) -> Clock {
        let mut parts: HashMap<(IndicatorId, Option<&str>), Vec<Timestamp>> = HashMap::default();
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            if let (Some(time), Ok(id)) = (alert.time, held) {
                parts.entry((*id, alert.host.as_deref())).or_default().push(time);
            }
        }
        let mut keys: Vec<_> = parts.keys().copied().collect();
        keys.sort_unstable();
        let parts: Vec<(Vec<Timestamp>, Vec<Timestamp>)> = keys
            .into_iter()
            .filter_map(|key| {
                let (case, seen) = (cases.get(&key)?, self.store.of(key.0)?);
                let kept = case.order.iter().filter_map(|at| seen.sightings.get(*at));
                // The firewall sees what the DNS server asks, and nothing that its cache answers.
                let (upstream, client): (Vec<&Kept>, Vec<&Kept>) =
                    kept.partition(|k| k.is_upstream);
                let used = if upstream.is_empty() { client } else { upstream };
                let sightings = used.into_iter().map(|kept| kept.time).collect();
                Some((parts.remove(&key)?, sightings))
            })
            .collect();
        clock::estimate(&parts)
    }

    /// What answers alerts of one case at one time.
    fn find(
        &self,
        id: IndicatorId,
        host: Option<&str>,
        case: &Case,
        (time, clock): (Option<Timestamp>, Clock),
        coverage: &Coverage,
    ) -> (Outcome, Vec<String>, Option<String>) {
        let mut notes = case.notes.clone();
        let destination = self.destinations.get(&id).map(|(_, value)| value.as_str());
        let near = || destination.and_then(|destination| self.nearby.words(destination));
        let Some(seen) = self.store.of(id) else {
            let late = time.and_then(|time| nearest::in_time(time, coverage, std::iter::empty()));
            return (Outcome::default(), notes, late.or_else(near));
        };
        let order = case.order.iter().filter_map(|at| seen.sightings.get(*at));
        let chosen = match time {
            None => order.clone().collect(),
            Some(time) => at_the_time(seen, case, time, clock),
        };
        let itself: Vec<&Kept> = chosen.iter().copied().filter(|kept| kept.is_itself).collect();
        let chosen = match itself.is_empty() && !chosen.is_empty() {
            true => {
                notes.push("the name itself was not seen, but names below it were".to_owned());
                chosen
            }
            false => itself,
        };
        let found = outcome(seen, &chosen, &case.scope);
        if found.unnamed > 0 {
            let why = found.why_unnamed.as_deref().unwrap_or("see their attributions");
            notes.push(format!("of {} of the sightings nobody can be named: {why}", found.unnamed));
        }
        if found.more_clients > 0 {
            notes.push(format!("{} further clients are not listed here", found.more_clients));
        }
        if seen.left_out > 0 {
            notes.push(format!(
                "{} further sightings of the destination had no room here; the attributions have them all",
                seen.left_out
            ));
        }
        if !chosen.is_empty() {
            return (found, notes, None);
        }
        let elsewhere = || nearest::elsewhere(seen, host.unwrap_or("that host"));
        let words = match time {
            _ if case.order.is_empty() => elsewhere(),
            Some(time) => nearest::in_time(time, coverage, order.map(|kept| kept.time)),
            None => None,
        };
        (found, notes, words.or_else(near))
    }
}

/// The sightings that an alert of some time means: those nearest to it, of the upstream leg if there are
/// any, for the firewall sees no other. While the clocks' difference is not known, all around it.
fn at_the_time<'s>(seen: &'s Seen, case: &Case, time: Timestamp, clock: Clock) -> Vec<&'s Kept> {
    let window = if clock.is_estimated { NEAR } else { NEAR_UNKNOWN };
    let at = |place: &usize| seen.sightings.get(*place);
    let start =
        case.order.partition_point(|place| at(place).is_some_and(|k| k.time < time - window));
    let around: Vec<&Kept> = case
        .order
        .iter()
        .skip(start)
        .filter_map(at)
        .take_while(|kept| kept.time <= time + window)
        .collect();
    let has_upstream = around.iter().any(|kept| kept.is_upstream);
    let usable = around.iter().filter(|kept| kept.is_upstream || !has_upstream);
    let distance = |kept: &Kept| (kept.time - time).abs();
    let Some(nearest) = usable.clone().map(|kept| distance(kept)).min() else { return Vec::new() };
    let reach = if clock.is_estimated { Span(nearest.0 + TOGETHER.0) } else { window };
    usable.filter(|kept| distance(kept) <= reach).copied().collect()
}

impl Answering for Desk {
    fn watches(&self) -> bool {
        self.nearby.watches()
    }

    fn see(&mut self, messages: &Messages, message: &Message) {
        self.nearby.see(messages, message);
    }

    fn take(&mut self, attribution: &Attribution) {
        if attribution.state != State::Final {
            return;
        }
        let Some((kind, value)) = self.destinations.get(&attribution.indicator) else { return };
        let is_name = *kind == IndicatorKind::Domain;
        self.store.take(attribution, is_name.then_some(value.as_str()));
    }

    fn answers(&mut self, coverage: &Coverage) -> Vec<Answer> {
        let mut cases: HashMap<(IndicatorId, Option<&str>), Case> = HashMap::default();
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let Ok(id) = held else { continue };
            let host = alert.host.as_deref();
            cases.entry((*id, host)).or_insert_with(|| self.case(*id, host, coverage));
        }
        let clock = self.clock(&cases);
        let mut found: HashMap<(IndicatorId, Option<&str>, Option<i64>), Found> =
            HashMap::default();
        let mut answers = Vec::with_capacity(self.alerts.len());
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let time = alert.time.map(|time| time + clock.difference);
            let mut answer = Answer {
                alert: alert.clone(),
                indicator: held.as_ref().ok().copied(),
                verdict: None,
                clients: Vec::new(),
                reason: held.as_ref().err().map(|why| format!("{}: {why}", alert.destination)),
                nearest: None,
                attributions: Vec::new(),
                basis: Basis { time, clock: time.map(|_| clock), ..Basis::default() },
            };
            let host = alert.host.as_deref();
            if let Ok(id) = held
                && let Some(case) = cases.get(&(*id, host))
            {
                // A log has whole seconds, so that alerts of one second have one answer.
                let second = time.map(Timestamp::seconds);
                let known = found.entry((*id, host, second)).or_insert_with(|| {
                    Rc::new(self.find(*id, host, case, (time, clock), coverage))
                });
                fill(&mut answer, known);
            }
            answers.push(answer);
        }
        self.answered = answers.iter().filter(|answer| answer.verdict.is_some()).count() as u64;
        answers
    }
}

fn fill(answer: &mut Answer, (found, notes, nearest): &(Outcome, Vec<String>, Option<String>)) {
    answer.verdict = found.verdict;
    answer.clients.clone_from(&found.clients);
    answer.attributions.clone_from(&found.ids);
    answer.nearest.clone_from(nearest);
    answer.basis.sightings = found.sightings;
    answer.basis.notes.clone_from(notes);
    answer.reason = match found.verdict {
        None => Some("nothing in the capture answers it".to_owned()),
        Some(_) => found.reason.clone(),
    };
}
