//! What an alert means that is of longer than a moment: of a first and a last time, or of a day without a clock.
//!
//! Whatever was asked for from the first to the last of it answers it. It stands for a number of events, and says of none when
//! that was: where it has no more of them than there were lookups, some of these need not be its own.

use std::collections::{BTreeMap, BTreeSet};

use super::Zones;
use super::nearest::moments;
use super::sightings::{DestinationSightings, SightingRecord};
use super::time_match::{
    AlertTime, ConfidenceCap, OF_MANY_PERMILLE, OF_SEVERAL_PERMILLE, SURE_PERMILLE, TimeMatch,
};
use crate::attribution::Coverage;
use crate::flow::Address;
use crate::number::count;
use crate::time::{Span, Timestamp, period};

/// What is about the time of an alert, by whatever clock is found.
pub(super) const ABOUT: Span = Span::from_secs(360);
/// What is no longer may be all of another time if the firewall's clock is off.
const SHORT: Span = Span::from_secs(120);
/// So much of it need not be in the capture.
const LITTLE: Span = Span::from_secs(60);
/// Of more clients than that behind what a name server was asked nobody is named for an alert that does not say of which.
const AT_SERVER_MAX: usize = 3;
/// So many clients are many.
const MANY: usize = 5;

/// The sightings that it means, and what that comes to.
pub(super) struct PeriodMatch<'s> {
    pub meant: Vec<&'s SightingRecord>,
    pub confidence_cap: ConfidenceCap,
    pub notes: Vec<String>,
    /// Why nobody can be named.
    pub undecided: Option<String>,
}

impl<'s> PeriodMatch<'s> {
    /// Of an alert that stands for so many events: what was seen at its time, and who is surely behind it. That is who is
    /// left with an event whichever of the lookups these are.
    pub(super) fn of(
        at: TimeMatch<'s>,
        seen: &DestinationSightings,
        when: AlertTime,
        events: u64,
    ) -> PeriodMatch<'s> {
        let has_upstream = at.meant.iter().any(|record| record.is_upstream);
        let is_usable = |record: &&&SightingRecord| record.is_upstream || !has_upstream;
        // What the firewall can have seen.
        let lookups: Vec<&SightingRecord> = at.meant.iter().filter(is_usable).copied().collect();
        let mut own: BTreeMap<Address, usize> = BTreeMap::new();
        for record in &lookups {
            for client in seen.clients(std::iter::once(*record)) {
                *own.entry(client).or_default() += 1;
            }
        }
        let is_sure = |(_, own): &(&Address, &usize)| events > (lookups.len() - **own) as u64;
        let some: BTreeSet<Address> =
            own.iter().filter(is_sure).map(|(client, _)| *client).collect();
        let clients = own.len();
        let mut notes: Vec<String> = at.vague_note().into_iter().collect();
        let mut most = at.at_best();
        if when.until - when.from <= SHORT && at.others(seen) > 0 {
            most = most.min(at.beside_others(seen));
            notes.extend(at.others_note(seen, when));
        }
        if some.len() < clients {
            notes.push(format!(
                "the alert counts {} and does not say which of these lookups they are: not all of these clients \
                 need be behind it",
                count(events, "event", "events")
            ));
        }
        let names = seen.names_at_server(lookups.iter().copied());
        let is_any = names > 0 && some.is_empty() && clients > AT_SERVER_MAX;
        let undecided = is_any.then(|| {
            format!(
                "it is a name server, asked about {names} names for {} clients in the alert's time: the alert is \
                 about one of these and does not say which",
                clients
            )
        });
        // A few more are what another file of the capture has, or one query that was counted twice.
        if events >= 2 * lookups.len() as u64 && !lookups.is_empty() && events > 1 {
            notes.push(format!(
                "the alert counts {}, but this capture shows only {} in its time: it does not show who raised the \
                 others",
                count(events, "event", "events"),
                count(lookups.len() as u64, "such lookup", "such lookups")
            ));
        }
        let else_most = if clients < MANY { OF_SEVERAL_PERMILLE } else { OF_MANY_PERMILLE };
        let confidence_cap = ConfidenceCap::Of { some, most, else_most };
        PeriodMatch { meant: at.meant, confidence_cap, notes, undecided }
    }
}

/// How long of an alert's time the capture has nothing.
fn uncovered((from, until): (Timestamp, Timestamp), coverage: &Coverage) -> Span {
    let Some((first, last)) = coverage.span else { return until - from };
    let common = |(begin, end): (Timestamp, Timestamp)| (end.min(until) - begin.max(from)).0.max(0);
    let gaps: i64 = coverage.gaps.iter().map(|gap| common(*gap)).sum();
    Span((until - from).0 - (common((first, last)) - gaps).max(0))
}

/// That the capture has only a part of the alert's time.
pub(super) fn partial_coverage_note(
    when: AlertTime,
    coverage: &Coverage,
    zones: &Zones,
) -> Option<String> {
    let (from, until) = (when.from, when.until);
    let (first, last) = coverage.span?;
    let uncovered = uncovered((from, until), coverage);
    let is_partly = when.is_span() && uncovered > LITTLE && from <= last && until >= first;
    let is_cut = from + LITTLE < first || until > last + LITTLE;
    is_partly.then(|| {
        let all = moments(from, until, zones);
        match is_cut {
            true => format!(
                "the alert covers {all}, the capture only {} of that: it does not show who else asked",
                moments(from.max(first), until.min(last), zones)
            ),
            false => format!(
                "the alert covers {all}, and the capture has nothing for {} of that: it does not show who else \
                 asked",
                period(uncovered)
            ),
        }
    })
}

/// How sure it can be at most that a client is behind one of so many events, of whose time the capture lacks a part: that not all
/// of them fell into what it lacks.
pub(super) fn cap_by_coverage(when: AlertTime, events: u64, coverage: &Coverage) -> u16 {
    let all = (when.until - when.from).0.max(1);
    let uncovered = uncovered((when.from, when.until), coverage);
    if uncovered <= LITTLE {
        return SURE_PERMILLE;
    }
    let share = uncovered.0 as f64 / all as f64;
    let all_missed = share.clamp(0.0, 1.0).powi(events.min(1 << 20) as i32);
    OF_MANY_PERMILLE.max(((1.0 - all_missed) * f64::from(SURE_PERMILLE)) as u16)
}

/// What is about the times of alerts, in order, and nothing twice.
#[derive(Debug)]
pub(super) struct AlertPeriods(Vec<(Timestamp, Timestamp)>);

impl AlertPeriods {
    /// Of alerts that are from when until when.
    pub(super) fn of(mut times: Vec<(Timestamp, Timestamp)>) -> AlertPeriods {
        times.sort_unstable();
        let mut about: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (from, until) in times.into_iter().map(|(from, until)| (from - ABOUT, until + ABOUT)) {
            match about.last_mut().filter(|(_, end)| *end >= from) {
                Some((_, end)) => *end = until.max(*end),
                None => about.push((from, until)),
            }
        }
        AlertPeriods(about)
    }

    /// Whether a time is.
    pub(super) fn holds(&self, time: Timestamp) -> bool {
        let next = self.0.partition_point(|(_, end)| *end < time);
        self.0.get(next).is_some_and(|(from, _)| *from <= time)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Clock;
    use super::super::time_match::{NEAREST_PERMILLE, match_at};
    use super::*;

    const A: &str = "10.0.0.1";
    const B: &str = "10.0.0.2";

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_772_443_080_000_000_000) + Span::from_secs(seconds)
    }

    /// How sure it can be of each for an alert from second 0 to another of so many events, of lookups at these seconds; and
    /// what is said of that.
    fn sure(until: i64, events: u64, lookups: &[(i64, &[&str])]) -> (Vec<(String, u16)>, String) {
        let lookups: Vec<(Timestamp, &[&str])> =
            lookups.iter().map(|(second, clients)| (at(*second), *clients)).collect();
        let seen = DestinationSightings::of_lookups(&lookups);
        let order: Vec<usize> = (0..lookups.len()).collect();
        let when = AlertTime { until: at(until), ..AlertTime::at(at(0)) };
        let found = match_at(&seen, &order, when, Clock::default());
        let meant = PeriodMatch::of(found, &seen, when, events);
        let named = seen.clients(meant.meant.iter().copied()).into_iter();
        let named = named.map(|client| (client.to_string(), meant.confidence_cap.of(client)));
        (named.collect(), meant.notes.join("; "))
    }

    fn of(named: &[(&str, u16)]) -> Vec<(String, u16)> {
        named.iter().map(|(client, sure)| ((*client).to_owned(), *sure)).collect()
    }

    #[test]
    fn who_is_left_with_an_event_whichever_these_are_is_surely_behind_the_alert() {
        let of_both: &[(i64, &[&str])] = &[(100, &[A]), (500, &[B]), (2_000, &[A]), (9_000, &[A])];
        for (events, sure_of_a, sure_of_b) in [
            (1, OF_SEVERAL_PERMILLE, OF_SEVERAL_PERMILLE),
            (2, SURE_PERMILLE, OF_SEVERAL_PERMILLE),
            (3, SURE_PERMILLE, OF_SEVERAL_PERMILLE),
            (4, SURE_PERMILLE, SURE_PERMILLE),
        ] {
            let (named, notes) = sure(10_000, events, of_both);
            assert_eq!(named, of(&[(A, sure_of_a), (B, sure_of_b)]), "{events}");
            assert_eq!(notes.contains("not all of these clients"), events < 4, "{notes}");
        }
        let (named, notes) = sure(10_000, 1, &[(100, &[A]), (9_000, &[A])]);
        assert_eq!((named, notes.as_str()), (of(&[(A, SURE_PERMILLE)]), ""));
        // Outside of it nobody asked about it.
        assert_eq!(sure(1_000, 1, &[(100, &[A]), (9_000, &[B])]).0, of(&[(A, SURE_PERMILLE)]));
        assert_eq!(sure(1_000, 1, &[(9_000, &[B])]).0, of(&[]));
        let (_, notes) = sure(10_000, 9, &[(100, &[A]), (9_000, &[A])]);
        assert!(notes.contains("9 events, but this capture shows only 2 such lookups"), "{notes}");
    }

    #[test]
    fn of_what_the_capture_has_a_part_of_less_is_sure() {
        let gaps = vec![(at(2_000), at(5_000))];
        let coverage = Coverage { span: Some((at(0), at(9_000))), gaps, ..Coverage::default() };
        let of = |from, until| AlertTime { until: at(until), ..AlertTime::at(at(from)) };
        for (when, events, sure) in [
            (of(0, 2_000), 1, SURE_PERMILLE),
            (of(0, 6_000), 1, 500),
            (of(0, 6_000), 2, 750),
            (of(-30_000, 9_000), 1, OF_MANY_PERMILLE),
            (of(-30_000, 9_000), 100, SURE_PERMILLE - 1),
        ] {
            let found = cap_by_coverage(when, events, &coverage);
            assert!(found.abs_diff(sure) <= 1, "{found} of {sure}");
        }
        let told =
            |when| partial_coverage_note(when, &coverage, &Zones::default()).unwrap_or_default();
        assert!(
            told(of(0, 6_000)).contains("the capture has nothing for 50 min of that"),
            "{}",
            told(of(0, 6_000))
        );
        assert!(told(of(-30_000, 9_000)).contains("the capture only"));
        assert_eq!(told(of(0, 2_000)), "");
    }

    #[test]
    fn of_a_short_time_the_clock_tells_as_of_a_moment() {
        let (named, notes) = sure(5, 1, &[(2, &[A]), (40, &[B])]);
        assert_eq!(named, of(&[(A, NEAREST_PERMILLE)]));
        assert!(notes.contains("10.0.0.2 asked for it"), "{notes}");
        assert_eq!(sure(5, 1, &[(40, &[B])]).0, of(&[(B, NEAREST_PERMILLE)]));
    }

    #[test]
    fn what_is_about_alerts_is_told_once() {
        let about = AlertPeriods::of(vec![
            (at(0), at(9_000)),
            (at(9_100), at(9_100)),
            (at(-90_000), at(-90_000)),
        ]);
        assert_eq!(about.0.len(), 2);
        for (second, holds) in [
            (0, true),
            (9_300, true),
            (-300, true),
            (9_500, false),
            (-90_100, true),
            (-80_000, false),
        ] {
            assert_eq!(about.holds(at(second)), holds, "{second}");
        }
    }
}
