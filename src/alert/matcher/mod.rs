//! The desk at which alerts are answered.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

use foldhash::HashMap;

use super::nearest::{self, NeighbourWatch};
use super::period_match::{self, ABOUT, AlertPeriods};
use super::scope::{Scope, called};
use super::sightings::{
    DestinationSightings, Outcome, SightingRecord, SightingStore, SightingSubject, outcome,
};
use super::time_match::{
    AlertTime, ConfidenceCap, NEAR, NEAR_UNKNOWN, NEAREST_PERMILLE, OF_MANY_PERMILLE,
    OF_SEVERAL_PERMILLE, SURE_PERMILLE, asked_then, cap_without_time, firewall_saw, lasts,
    match_at,
};
use super::zones::ZoneFit;
use super::{Alert, Answer, Basis, Clock, Suspect, Zones, clock, target};
use crate::attribution::{Attribution, Called, Coverage, State, Verdict};
use crate::flow::{Address, Mac};
use crate::indicator::{IndicatorId, IndicatorKind, Indicators};
use crate::message::{Message, Messages};
use crate::number::{count, list};
use crate::resolution::Role;
use crate::time::{Timestamp, period};

/// How many zones are told in which an alert's time would fit.
pub(super) const FITS_MAX: usize = 3;
/// Of more clients than that behind what a name server was asked nobody is named for an alert that says no more.
const AT_SERVER_MAX: usize = 3;
/// How many link-layer addresses of a client are told, and of how many clients.
const MACS_MAX: usize = 4;
const SEVERAL_MAX: usize = 4;
/// How many clients are named whom a clock that is off would lead to.
const RIVALS_MAX: usize = 3;

/// Collects what is seen of the alerts' destinations, and answers each alert at the end.
#[derive(Debug)]
pub struct AlertMatcher {
    alerts: Vec<Alert>,
    held: Vec<Result<IndicatorId, String>>,
    /// The destinations that are names or single addresses, as indicators have them.
    destinations: HashMap<IndicatorId, (IndicatorKind, String)>,
    /// When the alerts on each were, by the firewalls' clocks.
    times: HashMap<IndicatorId, AlertPeriods>,
    zones: Zones,
    store: SightingStore,
    nearby: NeighbourWatch,
    answered: u64,
    misdirected: usize,
}

/// What is the same for all alerts on one destination at one host.
struct Candidates {
    scope: Scope,
    notes: Vec<String>,
    /// The sightings within the scope, by time,
    order: Rc<[usize]>,
    /// when the firewall can have seen them, in order,
    saw: Rc<[Timestamp]>,
    /// and all sightings, by time.
    all: Rc<[usize]>,
}

/// Sightings by time, and when the firewall can have seen them.
type OrderedSightings = (Rc<[usize]>, Rc<[Timestamp]>);

impl Candidates {
    /// When it was asked for within the scope, by the capture's clock: the time nearest to an alert's.
    fn closest(&self, seen: &DestinationSightings, when: AlertTime) -> Option<Timestamp> {
        let time_of = |at: &usize| seen.sightings.get(*at).map(|record| record.time);
        let beside = |time: Timestamp| {
            let next = self.order.partition_point(|at| time_of(at).is_some_and(|t| t < time));
            self.order.iter().skip(next.saturating_sub(1)).take(2).filter_map(time_of)
        };
        let ends = when.parts().flat_map(|(from, until)| [from, until]);
        ends.flat_map(beside).min_by_key(|time| (*time - when.nearest_to(*time)).abs())
    }
}

/// What alerts have one answer by: they are of one destination at one host, and of one time.
struct AlertQuery<'a> {
    id: IndicatorId,
    host: Option<&'a str>,
    /// By the firewall's clock.
    when: Option<AlertTime>,
    /// It has a time that could not be read.
    is_time_unread: bool,
    /// The time named no zone.
    is_local: bool,
    /// If it is of no one moment: how many events it and others like it stand for; none of a bare name, which is a question.
    events: Option<u64>,
    clock: Clock,
}

impl AlertQuery<'_> {
    /// When it was by the capture's clock.
    fn when(&self) -> Option<AlertTime> {
        Some(self.when?.shifted(self.clock.difference))
    }
}

/// What alerts with one answer share: firewall, destination, host, second, or first and last, and whether that is local,
/// unread, and came twice.
type AnswerKey<'a> = (Firewall<'a>, IndicatorId, Option<&'a str>, Option<(i64, i64)>, [bool; 3]);

/// What alerts that are of no one moment are counted by: destination, host, and from when until when.
type PeriodKey<'a> = (IndicatorId, Option<&'a str>, Option<AlertTime>);

/// Whose clock alerts are by: that of the device that they name, or else of all in their file.
type Firewall<'a> = (&'a str, Option<&'a str>);

/// The alerts' destinations, each at one host.
type CandidatesByTarget<'a> = HashMap<(IndicatorId, Option<&'a str>), Candidates>;

/// An answer without its alert.
#[derive(Default)]
struct SharedAnswer {
    outcome: Outcome,
    notes: Vec<String>,
    nearest: Option<String>,
    is_of_other_times: bool,
    is_of_another_day: bool,
    gap: Option<(Timestamp, Timestamp)>,
    asked_then: Option<Rc<BTreeSet<Address>>>,
    zones: Vec<String>,
    /// Which of two times it was, if either answers it, by the capture's clock.
    time: Option<Timestamp>,
}

impl AlertMatcher {
    /// Takes alerts, and for each what its destination stands for among `indicators`, or why for nothing.
    /// Their times are of `zones`, and so are those that are said of them.
    pub fn new(
        alerts: Vec<Alert>,
        held: Vec<Result<IndicatorId, String>>,
        indicators: &Indicators,
        zones: Zones,
    ) -> AlertMatcher {
        let mut destinations = HashMap::default();
        for &id in held.iter().flatten() {
            if let Some(indicator) = indicators.get(id) {
                destinations.insert(id, (indicator.kind, indicator.value.to_owned()));
            }
        }
        let mut values: Vec<&str> =
            destinations.values().map(|(_, value)| value.as_str()).collect();
        values.sort_unstable();
        let nearby = NeighbourWatch::new(values.into_iter());
        let mut times: HashMap<IndicatorId, Vec<(Timestamp, Timestamp)>> = HashMap::default();
        for (alert, id) in
            alerts.iter().zip(&held).filter_map(|(a, held)| Some((a, held.as_ref().ok()?)))
        {
            times
                .entry(*id)
                .or_default()
                .extend(AlertTime::of(alert).into_iter().flat_map(AlertTime::parts));
        }
        let times = times.into_iter().map(|(id, times)| (id, AlertPeriods::of(times))).collect();
        AlertMatcher {
            alerts,
            held,
            destinations,
            times,
            zones,
            store: SightingStore::default(),
            nearby,
            answered: 0,
            misdirected: 0,
        }
    }

    /// Whether no alert has a destination that could be answered; false before [`AlertMatcher::answers`].
    pub fn is_misdirected(&self) -> bool {
        self.misdirected > 0 && self.misdirected == self.alerts.len()
    }

    /// How many alerts were answered with a sighting; 0 before [`AlertMatcher::answers`].
    pub fn answered(&self) -> u64 {
        self.answered
    }

    fn candidates(
        &self,
        (id, host): (IndicatorId, Option<&str>),
        coverage: &Coverage,
        orders: &mut HashMap<(IndicatorId, Scope), OrderedSightings>,
    ) -> Candidates {
        let seen = self.store.of(id);
        let (scope, note) = Scope::of(host, coverage, seen);
        // A firewall can have many names for its hosts, all of which mean all servers.
        let mut order_of = |scope: &Scope| {
            let ordered = orders.entry((id, scope.clone())).or_insert_with(|| {
                let Some(seen) = seen else { return OrderedSightings::default() };
                let all = seen.sightings.iter().enumerate();
                let within = all.filter(|(_, record)| seen.is_within(record, scope));
                let mut timed: Vec<(Timestamp, usize)> =
                    within.map(|(at, record)| (record.time, at)).collect();
                timed.sort_unstable();
                let order: Rc<[usize]> = timed.into_iter().map(|(_, at)| at).collect();
                let saw = firewall_saw(order.iter().filter_map(|at| seen.sightings.get(*at)));
                (order, saw.into())
            });
            ordered.clone()
        };
        let ((order, saw), (all, _)) = (order_of(&scope), order_of(&Scope::All));
        Candidates { scope, notes: note.into_iter().collect(), order, saw, all }
    }

    /// How many events alerts without a time, or of longer than a moment, stand for. A bare name is a question, and no event.
    fn events(&self) -> HashMap<PeriodKey<'_>, u64> {
        let mut events: HashMap<PeriodKey<'_>, u64> = HashMap::default();
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let is_event = alert.host.is_some() || alert.threat.is_some() || alert.events.is_some();
            let when = AlertTime::of(alert);
            let is_event = is_event && when.is_none() || when.is_some_and(AlertTime::is_span);
            if let (Ok(id), true) = (held, is_event) {
                let known = events.entry((*id, alert.host.as_deref(), when)).or_default();
                *known = known.saturating_add(alert.events.unwrap_or(1));
            }
        }
        events
    }

    /// For each firewall the difference of the clocks: from its alerts that are of a moment.
    fn clocks(
        &self,
        candidates: &CandidatesByTarget<'_>,
        span: Option<(Timestamp, Timestamp)>,
    ) -> BTreeMap<Firewall<'_>, Clock> {
        let mut firewalls: BTreeMap<Firewall<'_>, BTreeMap<_, Vec<Timestamp>>> = BTreeMap::new();
        let is_moment = |alert: &&Alert| alert.time.is_some() && alert.until.is_none();
        // A time that came twice says nothing beside others that did not.
        let plain = self.alerts.iter().filter(is_moment).filter(|alert| alert.again.is_none());
        let plain: BTreeSet<Firewall<'_>> = plain.map(firewall).collect();
        let fine = self.alerts.iter().filter(is_moment).filter(|alert| alert.is_time_fine);
        let fine: BTreeSet<Firewall<'_>> = fine.map(firewall).collect();
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let parts = firewalls.entry(firewall(alert)).or_default();
            let is_plain = alert.again.is_none() || !plain.contains(&firewall(alert));
            let time = alert.time.filter(|_| alert.until.is_none());
            if let (Some(time), Ok(id), true) = (time, held, is_plain) {
                parts.entry((*id, alert.host.as_deref())).or_default().push(time);
            }
        }
        let with_sightings = |(key, alerts): ((IndicatorId, Option<&str>), _)| {
            (
                alerts,
                candidates.get(&key).map(|of_target| of_target.saw.to_vec()).unwrap_or_default(),
            )
        };
        firewalls
            .into_iter()
            .map(|(firewall, parts)| {
                let parts: Vec<_> = parts.into_iter().map(with_sightings).collect();
                (firewall, clock::estimate(&parts, span, fine.contains(&firewall)))
            })
            .collect()
    }

    /// What answers alerts of one case at one time. Where nothing does, and nothing could, it cannot be decided.
    fn answer_query(
        &self,
        asked: &AlertQuery<'_>,
        candidates: &Candidates,
        coverage: &Coverage,
    ) -> SharedAnswer {
        let mut found = self.answer_by_sightings(asked, candidates, coverage);
        let is_within = asked.when().is_none_or(|when| {
            let is_shown =
                |(from, until)| coverage.span.is_some_and(|(a, b)| from <= b && a <= until);
            when.parts().any(is_shown)
        });
        if found.outcome.verdict.is_none()
            && !found.is_of_other_times
            && is_within
            && let Some(why) = candidates.scope.blindness(coverage)
        {
            found.outcome.verdict = Some(Verdict::Undetermined);
            found.outcome.reason = Some(why);
        }
        // A clock that is a little off puts nothing on another day.
        let is_far = coverage.span.zip(asked.when()).is_some_and(|((first, last), when)| {
            when.parts().all(|(from, until)| until < first - ABOUT || from > last + ABOUT)
        });
        let is_open = found.outcome.verdict.is_none();
        found.is_of_another_day = is_far && is_open && found.zones.is_empty();
        if let Some(when) = asked.when().filter(|_| is_open)
            && let Some(gap) = gap_at(when, asked.clock, coverage)
        {
            // What fits by the clock of another zone is a guess, and the hole is not.
            found.zones.clear();
            (found.gap, found.is_of_another_day) = (Some(gap), true);
            let seen = self.store.of(asked.id).filter(|_| found.is_of_other_times);
            let closest = seen.and_then(|seen| candidates.closest(seen, when));
            found.nearest = Some(nearest::in_gap(gap, closest, &self.zones));
        }
        found
    }

    /// What of all that was seen answers alerts of one case at one time.
    fn answer_by_sightings(
        &self,
        asked: &AlertQuery<'_>,
        candidates: &Candidates,
        coverage: &Coverage,
    ) -> SharedAnswer {
        let mut found = SharedAnswer { notes: candidates.notes.clone(), ..SharedAnswer::default() };
        let destination = self.destinations.get(&asked.id).map(|(_, value)| value.as_str());
        let near = || self.nearby.words(destination?, coverage, &self.store, &self.zones);
        let partly = asked
            .when()
            .and_then(|when| period_match::partial_coverage_note(when, coverage, &self.zones));
        found.notes.extend(partly);
        let Some(seen) = self.store.of(asked.id) else {
            let late = asked.when().and_then(|when| {
                nearest::in_time(as_shown(asked, when), coverage, None, &self.zones)
            });
            found.nearest = late.or_else(near);
            return found;
        };
        let order = || candidates.order.iter().filter_map(|at| seen.sightings.get(*at));
        let mut confidence_cap = ConfidenceCap::Alike(SURE_PERMILLE);
        let chosen = match asked.when() {
            None => {
                let all: Vec<&SightingRecord> = order().collect();
                let clients = seen.clients(all.iter().copied()).len();
                // Each of them can be behind it only if there were as many events.
                let are_more = asked.events.is_some_and(|events| clients as u64 > events);
                if asked.is_time_unread || are_more {
                    confidence_cap = ConfidenceCap::Alike(cap_without_time(seen, &all));
                }
                let names = seen.names_at_server(all.iter().copied());
                if are_more && clients > AT_SERVER_MAX && names > 0 {
                    found.outcome = outcome(seen, &all, &candidates.scope).undecided(format!(
                        "it is a name server, asked about {names} names for {clients} clients: the alert is about \
                         one of these and says neither when nor which"
                    ));
                    return found;
                }
                // A few more are what another file of the capture has, or one query that was counted twice.
                let are_many_more = |events: &u64| *events >= 2 * all.len() as u64;
                if let Some(events) = asked.events.filter(are_many_more)
                    && !all.is_empty()
                {
                    found.notes.push(format!(
                        "the alert counts {}, but this capture shows only {}: it does not show who raised the \
                         others",
                        count(events, "event", "events"),
                        count(all.len() as u64, "such lookup", "such lookups")
                    ));
                }
                if are_more && !asked.is_time_unread {
                    found.notes.push(
                        "more clients match than the alert has events, and without its time it cannot be told \
                         which of them raised it"
                            .to_owned(),
                    );
                }
                all
            }
            Some(when) if when.is_span() => {
                let at = match_at(seen, &candidates.order, when, asked.clock);
                let events = asked.events.unwrap_or(1);
                let span = period_match::PeriodMatch::of(at, seen, when, events);
                if let Some(why) = span.undecided {
                    found.asked_then =
                        Some(Rc::new(asked_then(seen, &candidates.all, when, asked.clock)));
                    found.outcome = outcome(seen, &span.meant, &candidates.scope).undecided(why);
                    return found;
                }
                if !matches!(candidates.scope, Scope::Client(_)) {
                    found.notes.extend(span.notes);
                    confidence_cap = span
                        .confidence_cap
                        .at_most(period_match::cap_by_coverage(when, events, coverage));
                }
                span.meant
            }
            Some(when) => {
                let at = match_at(seen, &candidates.order, when, asked.clock);
                if let Some(again) = when.again {
                    found.time = at.meant.first().map(|record| when.nearest_to(record.time));
                    let both = [when.from, again].map(|time| self.zones.moment(time));
                    found.notes.push(format!(
                        "clocks were set back then and showed the alert's time twice: it was searched at {}",
                        both.join(" and at ")
                    ));
                }
                if !matches!(candidates.scope, Scope::Client(_)) {
                    found.notes.extend(at.notes(seen, when));
                    confidence_cap = at.confidence_cap(seen);
                }
                at.meant
            }
        };
        if candidates.order.is_empty()
            && let Scope::Client(clients) = &candidates.scope
            && let Some(outcome) = possible_client(clients, asked, (seen, &candidates.all))
        {
            found.outcome = outcome;
            return found;
        }
        let asked_then = |when| Rc::new(asked_then(seen, &candidates.all, when, asked.clock));
        found.asked_then = asked.when().map(asked_then);
        let (chosen, note) = only_of_the_name(seen, chosen);
        found.notes.extend(note);
        found.outcome = outcome(seen, &chosen, &candidates.scope);
        if let Some(note) = cap_other_addresses(&mut found.outcome, asked.host, &candidates.scope) {
            found.notes.push(note);
        }
        let others: Vec<String> = [
            rival_clock_note(asked, candidates, seen, &chosen),
            self.other_zones_note(asked, candidates, seen, &chosen),
        ]
        .into_iter()
        .flatten()
        .collect();
        let is_by_far = asked.clock.difference.abs() + NEAR > ABOUT;
        let may_lack = asked.when.is_some() && (seen.lacks_near || seen.left_out > 0 && is_by_far);
        let most = match (may_lack, others.is_empty()) {
            (true, _) => OF_MANY_PERMILLE,
            (false, true) => SURE_PERMILLE,
            (false, false) => NEAREST_PERMILLE,
        };
        // Of who was answered from the cache it is only said that it asked.
        let behind = found.outcome.clients.iter_mut().filter(|client| client.role != Role::Cached);
        behind.for_each(|client| {
            let most = most.min(confidence_cap.of(client.address));
            client.confidence_permille = client.confidence_permille.min(most);
        });
        found.notes.extend(completeness_notes(&found.outcome, seen.left_out));
        found.notes.extend(several_macs_notes(seen, &chosen));
        if !chosen.is_empty() {
            found.notes.extend(others);
            return found;
        }
        found.is_of_other_times = !candidates.order.is_empty();
        let words = match asked.when() {
            _ if candidates.order.is_empty() => match &candidates.scope {
                Scope::Client(clients) => {
                    let outside = asked.when().and_then(|when| {
                        nearest::in_time(as_shown(asked, when), coverage, None, &self.zones)
                    });
                    outside.or_else(|| nearest::by_others(seen, clients, &self.zones))
                }
                _ => nearest::elsewhere(seen, asked.host.unwrap_or("that host"), &self.zones),
            },
            Some(when) => {
                let closest = candidates.closest(seen, when);
                let time = closest.map_or(when.from, |closest| when.nearest_to(closest));
                let when = if when.is_span() { when } else { AlertTime::at(time) };
                let apart = nearest::in_time(as_shown(asked, when), coverage, closest, &self.zones);
                // What lasts for hours fits in many zones.
                let is_open = asked.is_local && !asked.clock.is_estimated && !when.is_span();
                let fits = match is_open {
                    true => self.zones.fitting((time, lasts(asked.clock)), &candidates.saw),
                    false => Vec::new(),
                };
                let close = fits.iter().filter(|fit| fit.is_close);
                found.zones = close.map(ZoneFit::flag).collect();
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
    fn other_zones_note(
        &self,
        asked: &AlertQuery<'_>,
        candidates: &Candidates,
        seen: &DestinationSightings,
        named: &[&SightingRecord],
    ) -> Option<String> {
        let is_assumed = asked.is_local && !self.zones.is_said && !asked.clock.is_estimated;
        let time = asked.when.filter(|when| is_assumed && !when.is_span())?.from;
        let mut fits = self.zones.fitting((time, lasts(asked.clock)), &candidates.saw);
        // What is asked for often fits somewhere; of that only what is plain is worth a word.
        fits.retain(|fit| fit.is_close);
        fits.truncate(FITS_MAX);
        fits.retain(|fit| {
            let at = match_at(seen, &candidates.order, AlertTime::at(fit.sighting), asked.clock);
            seen.clients(at.meant.into_iter()) != seen.clients(named.iter().copied())
        });
        nearest::others_in_zones(&fits, &self.zones)
    }
}

/// That a client which was not seen asking for a destination may have all the same: about the alert's time a DNS server asked
/// for it, and for whom is not known, or somebody did by an address of the other kind, as the same machine may.
fn possible_client(
    clients: &[Address],
    asked: &AlertQuery<'_>,
    (seen, order): (&DestinationSightings, &[usize]),
) -> Option<Outcome> {
    let client = clients.first()?;
    let meant: Vec<&SightingRecord> = match asked.when() {
        Some(when) => match_at(seen, order, when, asked.clock).meant,
        None => seen.sightings.iter().collect(),
    };
    let others = seen.clients(meant.iter().copied());
    let of_other_kind: Vec<String> = others
        .iter()
        .filter(|other| other.is_v4() != client.is_v4())
        .take(RIVALS_MAX)
        .map(Address::to_string)
        .collect();
    let why = if meant.iter().any(|record| !record.is_of_somebody()) {
        "it was asked for then, but this capture does not show for whom".to_owned()
    } else if !of_other_kind.is_empty() {
        let who = list(&of_other_kind);
        format!("{who} asked for it then, with the other IP version: that may be the same machine")
    } else {
        return None;
    };
    let why = format!("{client} was not seen to ask for it; {why}");
    Some(outcome(seen, &meant, &Scope::All).undecided(why))
}

/// Of who is named for a client that is blamed since it has its link-layer address: that may be a router's all the same.
fn cap_other_addresses(outcome: &mut Outcome, host: Option<&str>, scope: &Scope) -> Option<String> {
    let (Scope::Client(_), Some(host)) = (scope, host) else { return None };
    let blamed = called(host);
    let is_it = |suspect: &Suspect| match &blamed {
        Called::Address(address) => suspect.address == *address,
        Called::Name(name) => suspect.hostname.as_ref().is_some_and(|own| own.is_called(name)),
    };
    let mut told = Vec::new();
    for suspect in outcome.clients.iter_mut().filter(|suspect| !is_it(suspect)) {
        suspect.confidence_permille = suspect.confidence_permille.min(OF_SEVERAL_PERMILLE);
        told.push(suspect.address.to_string());
    }
    told.truncate(RIVALS_MAX);
    (!told.is_empty()).then(|| {
        format!(
            "{} asked, with the MAC address of {host}: the same machine, unless that MAC is a router's",
            list(&told)
        )
    })
}

/// From when until when an alert was, as it is said.
fn as_shown(asked: &AlertQuery<'_>, when: AlertTime) -> (Timestamp, Timestamp) {
    (asked.clock.said(when.from), asked.clock.said(when.until))
}

/// The time around an alert's from which the capture has nothing, whatever its clock is off by.
fn gap_at(when: AlertTime, clock: Clock, coverage: &Coverage) -> Option<(Timestamp, Timestamp)> {
    let apart = if clock.is_estimated { NEAR } else { NEAR_UNKNOWN };
    let first = when.parts().map(|(from, _)| from).min()? - apart;
    let last = when.parts().map(|(_, until)| until).max()? + lasts(clock) + apart;
    let behind = coverage.gaps.partition_point(|(from, _)| *from <= first);
    let gap = behind.checked_sub(1).and_then(|at| coverage.gaps.get(at)).copied();
    gap.filter(|(_, to)| *to >= last)
}

/// Where the firewall's alerts fit as well by a clock that is off: that others would be named then.
fn rival_clock_note(
    asked: &AlertQuery<'_>,
    candidates: &Candidates,
    seen: &DestinationSightings,
    named: &[&SightingRecord],
) -> Option<String> {
    let rival = asked.clock.rival?;
    let when = asked.when()?.shifted(rival);
    let clock = Clock { is_estimated: true, ..asked.clock };
    let clients = seen.clients(match_at(seen, &candidates.order, when, clock).meant.into_iter());
    if clients.is_empty() || clients == seen.clients(named.iter().copied()) {
        return None;
    }
    let mut told: Vec<String> = clients.iter().take(RIVALS_MAX).map(Address::to_string).collect();
    if told.len() < clients.len() {
        told.push("others".to_owned());
    }
    let way = if rival.0 < 0 { "fast" } else { "slow" };
    Some(format!(
        "the firewall's alerts fit as well if its clock is {} {way}; in that case {} asked for it",
        period(rival.abs()),
        list(&told)
    ))
}

/// Those of some sightings that are about the name itself, and what is to be said of that. The names below it count, too,
/// 1. where there is nothing else;
/// 2. where a server asked about it on its way to them: the firewall saw that, and it was for who asked for these;
/// 3. where nobody is named for it, but for them.
fn only_of_the_name<'s>(
    seen: &DestinationSightings,
    chosen: Vec<&'s SightingRecord>,
) -> (Vec<&'s SightingRecord>, Option<String>) {
    let (below, itself): (Vec<&SightingRecord>, Vec<&SightingRecord>) =
        chosen.iter().partition(|record| record.subject == SightingSubject::Below);
    if below.is_empty() {
        return (chosen, None);
    }
    let clients = |of: &[&SightingRecord]| seen.clients(of.iter().copied());
    let note = if itself.is_empty() {
        "the name itself was not asked for then, but names below it were"
    } else if itself.iter().any(|record| record.subject == SightingSubject::OnTheWay) {
        "the name was asked about on the way to names below it, so clients that asked for those count as well"
    } else if clients(&itself).is_empty() && !clients(&below).is_empty() {
        "no client can be named for the name itself, so clients that asked for names below it count as well"
    } else {
        let also = clients(&below).difference(&clients(&itself)).count();
        let note = (also > 0).then(|| {
            format!(
                "{} for names below it as well, which do not count here",
                other_clients_asked(also)
            )
        });
        return (itself, note);
    };
    (chosen, Some(note.to_owned()))
}

/// That a client's address may have been several machines': what names one does not name the other.
fn several_macs_notes(seen: &DestinationSightings, chosen: &[&SightingRecord]) -> Vec<String> {
    let told = |macs: &mut dyn Iterator<Item = &Mac>| {
        list(&macs.take(MACS_MAX).map(Mac::to_string).collect::<Vec<_>>())
    };
    let note = |(client, all, own): (Address, BTreeSet<Mac>, BTreeSet<Mac>)| {
        let others = told(&mut all.difference(&own));
        let own = told(&mut own.iter());
        let others = if others.is_empty() { others } else { format!(", others from {others}") };
        format!(
            "{client} may be several machines: its questions here came from {own}{others}; its host name may not \
             be that of the machine that asked"
        )
    };
    seen.several_macs(chosen).into_iter().take(SEVERAL_MAX).map(note).collect()
}

fn firewall(alert: &Alert) -> Firewall<'_> {
    (&alert.file, alert.device.as_deref())
}

fn other_clients_asked(number: usize) -> String {
    if number == 1 {
        "1 other client asked".to_owned()
    } else {
        format!("{number} other clients asked")
    }
}

/// What an answer lacks.
fn completeness_notes(found: &Outcome, left_out: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if found.unnamed > 0 {
        let why = found.why_unnamed.as_deref().unwrap_or("see their attributions");
        notes.push(format!("nobody can be named for {} of these lookups: {why}", found.unnamed));
    }
    if found.more_clients > 0 {
        notes.push(format!("{} further clients are not listed here", found.more_clients));
    }
    if left_out > 0 {
        notes.push(format!(
            "{} of the destination are not counted here; the table of clients includes them",
            count(left_out, "further lookup", "further lookups")
        ));
    }
    notes
}

impl AlertMatcher {
    /// The hosts that the alerts blame: those of them that are clients are to be in [`Coverage::blamed`].
    pub fn blamed(&self) -> BTreeSet<Called> {
        self.alerts.iter().filter_map(|alert| alert.host.as_deref()).map(called).collect()
    }

    /// Whether it wants to see every message.
    pub fn watches(&self) -> bool {
        self.nearby.watches()
    }

    /// Looks at a message: what is near to an alert, yet not it.
    pub fn see(&mut self, messages: &Messages, message: &Message) {
        self.nearby.see(messages, message);
    }

    /// Takes an attribution.
    pub fn take(&mut self, attribution: &Attribution) {
        if attribution.state != State::Final {
            return;
        }
        let Some((kind, value)) = self.destinations.get(&attribution.indicator) else { return };
        let is_name = *kind == IndicatorKind::Domain;
        let time = attribution.sighting.time;
        let is_near = self.times.get(&attribution.indicator).is_some_and(|about| about.holds(time));
        self.store.take(attribution, is_name.then_some(value.as_str()), is_near);
    }

    /// The answer to each alert, in their order: the capture is at its end, and came to that.
    pub fn answers(&mut self, coverage: &Coverage) -> Vec<Answer> {
        let (mut candidates, mut orders) = (CandidatesByTarget::default(), HashMap::default());
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let Ok(id) = held else { continue };
            let host = alert.host.as_deref();
            let find = || self.candidates((*id, host), coverage, &mut orders);
            candidates.entry((*id, host)).or_insert_with(find);
        }
        let clocks = self.clocks(&candidates, coverage.span);
        let all_events = self.events();
        let mut found: HashMap<AnswerKey<'_>, Rc<SharedAnswer>> = HashMap::default();
        let mut answers = Vec::with_capacity(self.alerts.len());
        for (alert, held) in self.alerts.iter().zip(&self.held) {
            let clock = clocks.get(&firewall(alert)).copied().unwrap_or_default();
            let time = alert.time.map(|time| time + clock.difference);
            let until = alert.until.map(|until| until + clock.difference);
            let mut answer = Answer {
                alert: alert.clone(),
                indicator: held.as_ref().ok().copied(),
                verdict: None,
                clients: Vec::new(),
                reason: held.as_ref().err().cloned(),
                nearest: None,
                attributions: Vec::new(),
                basis: Basis { time, until, clock: time.map(|_| clock), ..Basis::default() },
            };
            let host = alert.host.as_deref();
            if let Some(why) = held.as_ref().ok().and_then(|id| self.misdirected(*id, coverage)) {
                answer.reason = Some(why);
                answer.basis.is_misdirected = true;
            } else if let Ok(id) = held
                && let Some(candidates) = candidates.get(&(*id, host))
            {
                // A log has whole seconds, so that alerts of one second have one answer.
                let when = AlertTime::of(alert);
                let seconds = when.map(|when| (when.from.seconds(), when.until.seconds()));
                let (is_local, is_time_unread) = (alert.is_local, alert.is_time_unread);
                let likes = [is_local, is_time_unread, alert.again.is_some()];
                let likeness = (firewall(alert), *id, host, seconds, likes);
                let lasting = when.is_none_or(AlertTime::is_span).then_some((*id, host, when));
                let events = lasting.and_then(|lasting| all_events.get(&lasting).copied());
                let known = found.entry(likeness).or_insert_with(|| {
                    let asked =
                        AlertQuery { id: *id, host, when, is_time_unread, is_local, events, clock };
                    Rc::new(self.answer_query(&asked, candidates, coverage))
                });
                fill_in(&mut answer, known);
            }
            if alert.is_time_unread {
                let note = "its time could not be read, so every lookup of the destination counts";
                answer.basis.notes.push(note.to_owned());
            }
            answers.push(answer);
        }
        self.answered = answers.iter().filter(|answer| answer.verdict.is_some()).count() as u64;
        self.misdirected = answers.iter().filter(|answer| answer.basis.is_misdirected).count();
        answers
    }
}

fn fill_in(answer: &mut Answer, found: &SharedAnswer) {
    let outcome = &found.outcome;
    answer.verdict = outcome.verdict;
    answer.clients.clone_from(&outcome.clients);
    answer.attributions.clone_from(&outcome.ids);
    answer.nearest.clone_from(&found.nearest);
    answer.basis.sightings = outcome.sightings;
    answer.basis.time = found.time.or(answer.basis.time);
    answer.basis.notes.clone_from(&found.notes);
    answer.basis.is_of_other_times = found.is_of_other_times;
    answer.basis.is_of_another_day = found.is_of_another_day;
    answer.basis.gap = found.gap;
    answer.basis.asked_then.clone_from(&found.asked_then);
    answer.basis.zones.clone_from(&found.zones);
    answer.reason = match outcome.verdict {
        None if found.is_of_another_day => {
            Some("the alert is outside the capture's time".to_owned())
        }
        None if found.is_of_other_times => Some("asked for, but not at that time".to_owned()),
        None => Some("nothing in the capture matches it".to_owned()),
        Some(_) => outcome.reason.clone(),
    };
}
