//! The desk at which alerts are answered.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use foldhash::HashMap;

use super::nearest::{self, Nearby};
use super::scope::Scope;
use super::sightings::{Kept, Outcome, Seen, Store, outcome};
use super::{Alert, Answer, Answering, Basis, Clock, Zones, clock, target};
use crate::attribution::{Attribution, Coverage, State};
use crate::flow::Address;
use crate::indicator::{IndicatorId, IndicatorKind, Indicators};
use crate::message::{Message, Messages};
use crate::time::{Span, Timestamp};

/// How far from an alert its sighting may be when the clocks' difference is known.
const NEAR: Span = Span::from_secs(5);
/// How far when it is not.
const NEAR_UNKNOWN: Span = Span::from_secs(60);
/// What happened so close together, a log of whole seconds cannot tell apart.
const TOGETHER: Span = Span::from_secs(1);

/// How many zones are told in which an alert's time would fit.
pub(super) const FITS_MAX: usize = 3;

/// Collects what is seen of the alerts' destinations, and answers each alert at the end.
#[derive(Debug)]
pub struct Desk {
    alerts: Vec<Alert>,
    held: Vec<Result<IndicatorId, String>>,
    /// The destinations that are names or single addresses, as indicators have them.
    destinations: HashMap<IndicatorId, (IndicatorKind, String)>,
    zones: Zones,
    store: Store,
    nearby: Nearby,
    answered: u64,
    misdirected: usize,
}

/// What is the same for all alerts on one destination at one host.
struct Case {
    scope: Scope,
    notes: Vec<String>,
    /// The sightings within the scope, by time.
    order: Vec<usize>,
    /// Others have clients that these have not.
    is_seen_elsewhere: bool,
}

/// What alerts have one answer by: they are of one destination at one host, and of one time.
struct Asked<'a> {
    id: IndicatorId,
    host: Option<&'a str>,
    /// By the firewall's clock.
    time: Option<Timestamp>,
    /// The time named no zone.
    is_local: bool,
    clock: Clock,
}

impl Asked<'_> {
    /// When it was by the capture's clock.
    fn when(&self) -> Option<Timestamp> {
        self.time.map(|time| time + self.clock.difference)
    }
}

/// What alerts with one answer share: file, destination, host, second, and whether that is local.
type Likeness<'a> = (&'a str, IndicatorId, Option<&'a str>, Option<i64>, bool);

/// The alerts' destinations, each at one host.
type Cases<'a> = HashMap<(IndicatorId, Option<&'a str>), Case>;

/// An answer without its alert.
#[derive(Default)]
struct Found {
    outcome: Outcome,
    notes: Vec<String>,
    nearest: Option<String>,
    is_of_other_times: bool,
    is_seen_elsewhere: bool,
}

impl Desk {
    /// Takes alerts, and for each what its destination stands for among `indicators`, or why for nothing.
    /// Their times are of `zones`, and so are those that are said of them.
    pub fn new(
        alerts: Vec<Alert>,
        held: Vec<Result<IndicatorId, String>>,
        indicators: &Indicators,
        zones: Zones,
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
        Desk {
            alerts,
            held,
            destinations,
            zones,
            store: Store::default(),
            nearby,
            answered: 0,
            misdirected: 0,
        }
    }

    /// Whether no alert has a destination that could be answered; false before [`Answering::answers`].
    pub fn is_misdirected(&self) -> bool {
        self.misdirected > 0 && self.misdirected == self.alerts.len()
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
        let is_seen_elsewhere = seen.is_some_and(|seen| {
            let within = order.iter().filter_map(|at| seen.sightings.get(*at));
            seen.clients(seen.sightings.iter()).len() > seen.clients(within).len()
        });
        Case { scope, notes: note.into_iter().collect(), order, is_seen_elsewhere }
    }

    /// For each file, which is of one firewall, the difference of the clocks: from its alerts that have a time.
    fn clocks(&self, cases: &Cases<'_>) -> BTreeMap<&str, Clock> {
        let mut files: BTreeMap<&str, BTreeMap<_, Vec<Timestamp>>> = BTreeMap::new();
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let parts = files.entry(&alert.file).or_default();
            if let (Some(time), Ok(id)) = (alert.time, held) {
                parts.entry((*id, alert.host.as_deref())).or_default().push(time);
            }
        }
        let with_sightings = |(key, alerts): ((IndicatorId, Option<&str>), _)| {
            let (case, seen) = (cases.get(&key)?, self.store.of(key.0)?);
            let kept = case.order.iter().filter_map(|at| seen.sightings.get(*at));
            Some((alerts, firewall_saw(kept)))
        };
        files
            .into_iter()
            .map(|(file, parts)| {
                let parts: Vec<_> = parts.into_iter().filter_map(with_sightings).collect();
                (file, clock::estimate(&parts))
            })
            .collect()
    }

    /// What answers alerts of one case at one time.
    fn find(&self, asked: &Asked<'_>, case: &Case, coverage: &Coverage) -> Found {
        let mut found = Found { notes: case.notes.clone(), ..Found::default() };
        let destination = self.destinations.get(&asked.id).map(|(_, value)| value.as_str());
        let near = || self.nearby.words(destination?, coverage, &self.store, &self.zones);
        let Some(seen) = self.store.of(asked.id) else {
            let late =
                asked.when().and_then(|time| nearest::in_time(time, coverage, None, &self.zones));
            found.nearest = late.or_else(near);
            return found;
        };
        let order = || case.order.iter().filter_map(|at| seen.sightings.get(*at));
        let chosen = match asked.when() {
            None => order().collect(),
            Some(time) => at_the_time(seen, case, time, asked.clock),
        };
        let itself: Vec<&Kept> = chosen.iter().copied().filter(|kept| kept.is_itself).collect();
        let chosen = match itself.is_empty() && !chosen.is_empty() {
            true => {
                let text = "nobody asked for the name itself, but for names below it";
                found.notes.push(text.to_owned());
                chosen
            }
            false => itself,
        };
        found.outcome = outcome(seen, &chosen, &case.scope);
        found.is_seen_elsewhere = case.is_seen_elsewhere;
        found.notes.extend(lacks(&found.outcome, seen.left_out));
        if !chosen.is_empty() {
            found.notes.extend(self.other_zones(asked, case, seen, &chosen));
            return found;
        }
        found.is_of_other_times = !case.order.is_empty();
        let words = match asked.when() {
            _ if case.order.is_empty() => {
                nearest::elsewhere(seen, asked.host.unwrap_or("that host"), &self.zones)
            }
            Some(time) => {
                let closest = order().map(|kept| kept.time).min_by_key(|at| (*at - time).abs());
                let apart = nearest::in_time(time, coverage, closest, &self.zones);
                let fits = match asked.is_local && !asked.clock.is_estimated {
                    true => self.zones.fitting(time, firewall_saw(order()).into_iter()),
                    false => Vec::new(),
                };
                apart.map(|apart| apart + &nearest::in_zones(&fits, &self.zones))
            }
            None => None,
        };
        found.nearest = words.or_else(near);
        found
    }

    /// Why a destination can be none, now that the capture was seen:
    /// 1. it is a DNS server of the capture, which is what alerts blame;
    /// 2. it is a name without a dot that nobody asked for, as hosts and threats have.
    fn misdirected(&self, id: IndicatorId, coverage: &Coverage) -> Option<String> {
        let (kind, value) = self.destinations.get(&id)?;
        let address = value.parse::<IpAddr>().map(Address::from);
        if let Ok(address) = address
            && coverage.resolvers.iter().any(|server| server.addresses.contains(&address))
        {
            return Some(target::own_server(address));
        }
        let is_word = *kind == IndicatorKind::Domain && !value.contains('.');
        (is_word && self.store.of(id).is_none()).then(|| target::no_name(value))
    }

    /// Where the zone of an alert's time was assumed: that in another zone others would be named for it.
    fn other_zones(
        &self,
        asked: &Asked<'_>,
        case: &Case,
        seen: &Seen,
        named: &[&Kept],
    ) -> Option<String> {
        let is_assumed = asked.is_local && !self.zones.is_said && !asked.clock.is_estimated;
        let time = asked.time.filter(|_| is_assumed)?;
        let order = case.order.iter().filter_map(|at| seen.sightings.get(*at));
        let mut fits = self.zones.fitting(time, firewall_saw(order).into_iter());
        // What is asked for often fits somewhere; of that only what is plain is worth a word.
        fits.retain(|fit| fit.is_close);
        fits.truncate(FITS_MAX);
        fits.retain(|fit| {
            let chosen = at_the_time(seen, case, fit.sighting, asked.clock);
            seen.clients(chosen.into_iter()) != seen.clients(named.iter().copied())
        });
        nearest::others_in_zones(&fits, &self.zones)
    }
}

/// What an answer lacks.
fn lacks(found: &Outcome, left_out: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if found.unnamed > 0 {
        let why = found.why_unnamed.as_deref().unwrap_or("see their attributions");
        notes.push(format!("of {} of these lookups nobody can be named: {why}", found.unnamed));
    }
    if found.more_clients > 0 {
        notes.push(format!("{} further clients are not listed here", found.more_clients));
    }
    if left_out > 0 {
        notes.push(format!(
            "{left_out} further lookups of the destination had no room here; the attributions have them all"
        ));
    }
    notes
}

/// When the firewall can have seen it: what the DNS server asks, and nothing that its cache answers.
fn firewall_saw<'s>(sightings: impl Iterator<Item = &'s Kept>) -> Vec<Timestamp> {
    let (upstream, client): (Vec<&Kept>, Vec<&Kept>) = sightings.partition(|k| k.is_upstream);
    let used = if upstream.is_empty() { client } else { upstream };
    used.into_iter().map(|kept| kept.time).collect()
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
        let mut cases = Cases::default();
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let Ok(id) = held else { continue };
            let host = alert.host.as_deref();
            cases.entry((*id, host)).or_insert_with(|| self.case(*id, host, coverage));
        }
        let clocks = self.clocks(&cases);
        let mut found: HashMap<Likeness<'_>, Rc<Found>> = HashMap::default();
        let mut answers = Vec::with_capacity(self.alerts.len());
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let clock = clocks.get(alert.file.as_str()).copied().unwrap_or_default();
            let time = alert.time.map(|time| time + clock.difference);
            let mut answer = Answer {
                alert: alert.clone(),
                indicator: held.as_ref().ok().copied(),
                verdict: None,
                clients: Vec::new(),
                reason: held.as_ref().err().cloned(),
                nearest: None,
                attributions: Vec::new(),
                basis: Basis { time, clock: time.map(|_| clock), ..Basis::default() },
            };
            let host = alert.host.as_deref();
            if let Some(why) = held.as_ref().ok().and_then(|id| self.misdirected(*id, coverage)) {
                answer.reason = Some(why);
                answer.basis.is_misdirected = true;
            } else if let Ok(id) = held
                && let Some(case) = cases.get(&(*id, host))
            {
                // A log has whole seconds, so that alerts of one second have one answer.
                let second = alert.time.map(Timestamp::seconds);
                let likeness = (alert.file.as_str(), *id, host, second, alert.is_local);
                let known = found.entry(likeness).or_insert_with(|| {
                    let (time, is_local) = (alert.time, alert.is_local);
                    let asked = Asked { id: *id, host, time, is_local, clock };
                    Rc::new(self.find(&asked, case, coverage))
                });
                fill(&mut answer, known);
            }
            answers.push(answer);
        }
        self.answered = answers.iter().filter(|answer| answer.verdict.is_some()).count() as u64;
        self.misdirected = answers.iter().filter(|answer| answer.basis.is_misdirected).count();
        answers
    }
}

fn fill(answer: &mut Answer, found: &Found) {
    let outcome = &found.outcome;
    answer.verdict = outcome.verdict;
    answer.clients.clone_from(&outcome.clients);
    answer.attributions.clone_from(&outcome.ids);
    answer.nearest.clone_from(&found.nearest);
    answer.basis.sightings = outcome.sightings;
    answer.basis.notes.clone_from(&found.notes);
    answer.basis.is_of_other_times = found.is_of_other_times;
    answer.basis.is_seen_elsewhere = found.is_seen_elsewhere;
    answer.reason = match outcome.verdict {
        None if found.is_of_other_times => Some("asked for, but not at that time".to_owned()),
        None => Some("nothing in the capture answers it".to_owned()),
        Some(_) => outcome.reason.clone(),
    };
}
