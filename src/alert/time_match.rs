//! What an alert of some time means of all that was seen of its destination.

use std::collections::{BTreeMap, BTreeSet};

use super::sightings::{DestinationSightings, SightingRecord};
use super::{Alert, Clock};
use crate::flow::Address;
use crate::number::list;
use crate::time::{Span, Timestamp};

/// How far from an alert its sighting may be when the clocks' difference is known.
pub(super) const NEAR: Span = Span::from_secs(5);
/// How far when it is not.
pub(super) const NEAR_UNKNOWN: Span = Span::from_secs(60);
/// What is no further away is of the alert's very second: firewalls log a moment later.
const AT_ONCE: Span = Span::from_secs(2);
/// What happened so close together, a log of whole seconds cannot tell apart.
const TOGETHER: Span = Span::from_secs(1);
/// For how long a time without seconds stands.
const MINUTE: Span = Span::from_secs(60);
/// How many clients are named that asked about an alert's time.
const OTHERS_MAX: usize = 3;
/// How sure it can be, in thousandths, of a client of the alert's very moment, if nobody else comes about then;
pub(super) const SURE_PERMILLE: u16 = 1_000;
/// of one that is alone about then, some seconds from it,
const ALONE_PERMILLE: u16 = 950;
/// of one where the alert may be of others, too: these come about then, or the clock is off by more than some seconds, or other
/// alerts do not fit, or its zone was assumed and in another it would be of others,
pub(super) const NEAREST_PERMILLE: u16 = 900;
/// whatever is known, of one of several that each may be it, or of one where several others come about then,
pub(super) const OF_SEVERAL_PERMILLE: u16 = 800;
/// and where it may as well be of any of many.
pub(super) const OF_MANY_PERMILLE: u16 = 500;
/// How many others are several, and how many are many.
const SEVERAL: usize = 2;
const MANY: usize = 5;
/// Of so many names at least a name server that is asked at any moment.
const NAMES_AT_SERVER: usize = 8;

/// When an alert was: from one time until another, which mostly is the same; or else at one of two that clocks which were set
/// back showed alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AlertTime {
    pub from: Timestamp,
    pub until: Timestamp,
    pub again: Option<Timestamp>,
}

impl AlertTime {
    /// By the firewall's clock; none of an alert without a time.
    pub(super) fn of(alert: &Alert) -> Option<AlertTime> {
        let from = alert.time?;
        Some(AlertTime { from, until: alert.until.unwrap_or(from).max(from), again: alert.again })
    }

    /// One moment.
    pub(super) fn at(time: Timestamp) -> AlertTime {
        AlertTime { from: time, until: time, again: None }
    }

    /// Whether it is longer than a moment.
    pub(super) fn is_span(self) -> bool {
        self.until > self.from
    }

    /// By a clock that shows so much more.
    pub(super) fn shifted(self, by: Span) -> AlertTime {
        let again = self.again.map(|again| again + by);
        AlertTime { from: self.from + by, until: self.until + by, again }
    }

    /// All of it: from when until when.
    pub(super) fn parts(self) -> impl Iterator<Item = (Timestamp, Timestamp)> + Clone {
        std::iter::once((self.from, self.until)).chain(self.again.map(|again| (again, again)))
    }

    /// The time of it that is nearest to a sighting.
    pub(super) fn nearest_to(self, sighting: Timestamp) -> Timestamp {
        let within = self.parts().map(|(from, until)| sighting.max(from).min(until));
        within.min_by_key(|time| (sighting - *time).abs()).unwrap_or(self.from)
    }
}

/// The sightings that an alert of some time can mean.
#[derive(Default)]
pub(super) struct TimeMatch<'s> {
    /// Those nearest to it.
    pub meant: Vec<&'s SightingRecord>,
    /// While the clocks' difference is not known: the others around it, which it means if that is large.
    perhaps: Vec<&'s SightingRecord>,
    /// How far from it the nearest is.
    nearest: Span,
    /// Those meant are not of its very moment, and nobody knows which of them is.
    is_vague: bool,
    /// Other alerts of the same firewall do not fit.
    is_doubtful: bool,
}

/// The sightings that an alert of some time means: those nearest to it, of the upstream leg if there are
/// any, for the firewall sees no other. While the clocks' difference is not known, all around it, unless some are of the
/// alert's very moment. `when` is by the capture's clock.
pub(super) fn match_at<'s>(
    seen: &'s DestinationSightings,
    order: &'s [usize],
    when: AlertTime,
    clock: Clock,
) -> TimeMatch<'s> {
    let window = window(clock);
    let around: Vec<&SightingRecord> = around(seen, order, when, clock).collect();
    let has_upstream = around.iter().any(|record| record.is_upstream);
    // In a longer time who was answered from the cache asked beside whom the firewall saw.
    let is_any_leg = !has_upstream || when.is_span();
    let usable = around.iter().filter(|record| record.is_upstream || is_any_leg);
    let distance = |record: &SightingRecord| {
        let each = when.parts().map(|(from, until)| match record.time {
            before if before < from => from - before,
            after if after > until + lasts(clock) => after - (until + lasts(clock)),
            _ => Span(0),
        });
        each.min().unwrap_or_default()
    };
    let Some(nearest) = usable.clone().map(|record| distance(record)).min() else {
        return TimeMatch::default();
    };
    let is_of_the_moment = clock.is_estimated || nearest <= NEAR;
    // Of a server that is asked at any moment, what is nearest to a time that was logged a moment later is anything.
    let is_any = seen.names_at_server(usable.clone().copied()) >= NAMES_AT_SERVER;
    let at_once = if is_any || when.is_span() { nearest.max(AT_ONCE) } else { nearest };
    let reach = if is_of_the_moment { at_once + TOGETHER } else { window };
    let (meant, perhaps): (Vec<&SightingRecord>, Vec<&SightingRecord>) =
        usable.copied().partition(|record| distance(record) <= reach);
    let is_doubtful = clock.is_doubtful;
    TimeMatch { meant, perhaps, nearest, is_vague: !is_of_the_moment, is_doubtful }
}

/// The sightings that an alert of some time can mean if the clocks are as far apart as they may be.
fn around<'s>(
    seen: &'s DestinationSightings,
    order: &'s [usize],
    when: AlertTime,
    clock: Clock,
) -> impl Iterator<Item = &'s SightingRecord> {
    let (window, at) = (window(clock), |place: &usize| seen.sightings.get(*place));
    when.parts().flat_map(move |(from, until)| {
        let is_before = |place: &usize| at(place).is_some_and(|record| record.time < from - window);
        let rest = order.iter().skip(order.partition_point(is_before)).filter_map(at);
        rest.take_while(move |record| record.time <= until + lasts(clock) + window)
    })
}

/// For how long an alert's time stands.
pub(super) fn lasts(clock: Clock) -> Span {
    if clock.is_of_minutes { MINUTE } else { Span(0) }
}

/// How sure it can be at most that a client is behind an alert, in thousandths.
pub(super) enum ConfidenceCap {
    /// Of whoever is named.
    Alike(u16),
    /// Of some, and of others.
    Of { some: BTreeSet<Address>, most: u16, else_most: u16 },
    /// By what it has a part in.
    Apart {
        /// Who is behind each of the lookups meant that somebody is named for.
        of_meant: BTreeSet<Address>,
        /// How sure it can be of who is behind some of them only.
        else_of_meant: u16,
        /// Who is behind each lookup that the alert may be of.
        of_all: BTreeSet<Address>,
        /// How sure it can be of these,
        at_best: u16,
        /// and of others, by how many more come about then.
        else_at_best: u16,
    },
}

impl ConfidenceCap {
    /// Of nobody surer than that.
    pub(super) fn at_most(self, cap: u16) -> ConfidenceCap {
        match self {
            ConfidenceCap::Alike(most) => ConfidenceCap::Alike(most.min(cap)),
            ConfidenceCap::Of { some, most, else_most } => {
                ConfidenceCap::Of { some, most: most.min(cap), else_most: else_most.min(cap) }
            }
            apart @ ConfidenceCap::Apart { .. } => apart,
        }
    }

    /// Of this client.
    pub(super) fn of(&self, client: Address) -> u16 {
        match self {
            ConfidenceCap::Alike(most) => *most,
            ConfidenceCap::Of { some, most, .. } if some.contains(&client) => *most,
            ConfidenceCap::Of { most, else_most, .. } => *else_most.min(most),
            ConfidenceCap::Apart { of_meant, else_of_meant, .. } if !of_meant.contains(&client) => {
                *else_of_meant
            }
            ConfidenceCap::Apart { of_all, at_best, else_at_best, .. }
                if !of_all.contains(&client) =>
            {
                *else_at_best.min(at_best)
            }
            ConfidenceCap::Apart { at_best, .. } => *at_best,
        }
    }
}

impl TimeMatch<'_> {
    /// How sure it can be at most that a client is behind the alert: asking is one thing, being what the firewall saw
    /// another.
    pub(super) fn confidence_cap(&self, seen: &DestinationSightings) -> ConfidenceCap {
        let named = self.meant.iter().filter(|record| record.is_of_somebody());
        let of_meant = seen.behind_all(named.copied());
        let around = self.meant.iter().chain(&self.perhaps);
        let of_all = seen.behind_all(around.copied());
        let (at_best, else_at_best) = (self.at_best(), self.beside_others(seen));
        let meant = seen.clients(self.meant.iter().copied());
        let else_of_meant = if meant.len() < MANY { OF_SEVERAL_PERMILLE } else { OF_MANY_PERMILLE };
        let else_of_meant = else_of_meant.min(else_at_best);
        ConfidenceCap::Apart { of_meant, else_of_meant, of_all, at_best, else_at_best }
    }

    /// How sure it can be at best, by how far they are from it.
    pub(super) fn at_best(&self) -> u16 {
        if self.is_doubtful || self.is_vague {
            NEAREST_PERMILLE
        } else if self.nearest > AT_ONCE {
            ALONE_PERMILLE
        } else {
            SURE_PERMILLE
        }
    }

    /// How sure it can be of those who need not be behind it, by how many others come about then.
    pub(super) fn beside_others(&self, seen: &DestinationSightings) -> u16 {
        match self.others(seen) {
            MANY.. => OF_MANY_PERMILLE,
            SEVERAL.. => OF_SEVERAL_PERMILLE,
            _ => NEAREST_PERMILLE,
        }
    }

    /// How many clients come about then, and are none of those meant.
    pub(super) fn others(&self, seen: &DestinationSightings) -> usize {
        let meant = seen.clients(self.meant.iter().copied());
        seen.clients(self.perhaps.iter().copied()).difference(&meant).count()
    }

    /// Whether they are several lookups that no one client is behind: the alert is of one of them.
    fn are_several(&self, seen: &DestinationSightings) -> bool {
        let mut named = self.meant.iter().filter(|record| record.is_of_somebody()).peekable();
        named.peek().is_some() && seen.behind_all(named.copied()).is_empty()
    }

    /// What is to be said of them, a sentence each.
    pub(super) fn notes(&self, seen: &DestinationSightings, when: AlertTime) -> Vec<String> {
        let several = self.are_several(seen).then(|| {
            "these are lookups of different clients, and one of them raised the alert: its time does not show \
             which"
                .to_owned()
        });
        let several = several.or_else(|| self.vague_note());
        let notes = several.into_iter().chain(self.others_note(seen, when));
        notes.chain(self.not_all_note(seen)).collect()
    }

    /// How far off the nearest is, if it is not of the alert's time.
    pub(super) fn vague_note(&self) -> Option<String> {
        (self.is_vague && !self.meant.is_empty()).then(|| {
            format!(
                "the nearest lookup is {} s from the alert: it matches only if the firewall's clock is off by that \
                 much",
                self.nearest.0 / 1_000_000_000
            )
        })
    }

    /// That not all who are named are behind every lookup which the alert may be of, where nothing else says so.
    fn not_all_note(&self, seen: &DestinationSightings) -> Option<String> {
        let meant = seen.clients(self.meant.iter().copied());
        let around = || self.meant.iter().chain(&self.perhaps);
        let nobodys = around().filter(|record| !record.is_of_somebody()).count();
        let of_all = seen.behind_all(around().filter(|record| record.is_of_somebody()).copied());
        let others = seen.clients(self.perhaps.iter().copied());
        let is_told = self.are_several(seen) || !others.is_subset(&meant);
        if meant.is_empty() {
            None
        } else if nobodys > 0 {
            let lookups = if nobodys == 1 { "1 lookup" } else { "several lookups" };
            Some(format!(
                "nobody can be named for {lookups} at about that time, which may have raised the alert"
            ))
        } else if !is_told && !meant.is_subset(&of_all) {
            let text = "not all of these clients are behind each lookup at about that time: another one may have \
                        raised the alert";
            Some(text.to_owned())
        } else {
            None
        }
    }

    /// Who else it would be if the clocks differed, in words.
    pub(super) fn others_note(
        &self,
        seen: &DestinationSightings,
        when: AlertTime,
    ) -> Option<String> {
        let meant = seen.clients(self.meant.iter().copied());
        let mut nearest: BTreeMap<Address, Span> = BTreeMap::new();
        for record in &self.perhaps {
            let apart = record.time - when.nearest_to(record.time);
            for client in seen.clients(std::iter::once(*record)).difference(&meant) {
                let known = nearest.entry(*client).or_insert(apart);
                if apart.abs() < known.abs() {
                    *known = apart;
                }
            }
        }
        let mut others: Vec<(Span, Address, Span)> =
            nearest.into_iter().map(|(client, apart)| (apart.abs(), client, apart)).collect();
        others.sort_unstable();
        let mut told: Vec<String> = others
            .iter()
            .take(OTHERS_MAX)
            .map(|(_, client, apart)| {
                let seconds = (apart.abs().0 + 500_000_000) / 1_000_000_000;
                let way = if apart.0 < 0 { "before" } else { "after" };
                format!("{client} asked for it {seconds} s {way} the alert")
            })
            .collect();
        if let Some(more @ 1..) = others.len().checked_sub(OTHERS_MAX) {
            told.push(format!("{more} more within a minute"));
        }
        let who = match told.len() {
            0 => return None,
            1 => "it",
            _ => "one of them",
        };
        let asked = list(&told);
        Some(format!("{asked}: {who} is behind it if the firewall's clock is off by that much"))
    }
}

/// How sure it can be at most of a client behind an alert whose time is not known, in thousandths.
pub(super) fn cap_without_time(seen: &DestinationSightings, all: &[&SightingRecord]) -> u16 {
    let is_one = seen.clients(all.iter().copied()).len() <= 1;
    if is_one { ALONE_PERMILLE } else { OF_SEVERAL_PERMILLE }
}

/// All clients that had a part in anything that was seen of a destination about a time; `all` is that, by time.
pub(super) fn asked_then(
    seen: &DestinationSightings,
    all: &[usize],
    when: AlertTime,
    clock: Clock,
) -> BTreeSet<Address> {
    seen.clients(around(seen, all, when, clock))
}

/// How far from an alert what it is about may be.
fn window(clock: Clock) -> Span {
    if clock.is_estimated { NEAR } else { NEAR_UNKNOWN }
}

/// When the firewall can have seen it: what the DNS server asks, and nothing that its cache answers.
pub(super) fn firewall_saw<'s>(
    sightings: impl Iterator<Item = &'s SightingRecord>,
) -> Vec<Timestamp> {
    let (upstream, client): (Vec<&SightingRecord>, Vec<&SightingRecord>) =
        sightings.partition(|k| k.is_upstream);
    let used = if upstream.is_empty() { client } else { upstream };
    used.into_iter().map(|record| record.time).collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const A: &str = "10.0.0.1";
    const B: &str = "10.0.0.2";
    /// The clocks' difference is not known.
    const UNKNOWN: Clock = Clock {
        difference: Span(0),
        agreeing: 0,
        of: 0,
        is_estimated: false,
        is_doubtful: false,
        rival: None,
        is_of_minutes: false,
    };
    const KNOWN: Clock = Clock { is_estimated: true, ..UNKNOWN };

    fn at(seconds: f64) -> Timestamp {
        Timestamp(1_772_443_080_000_000_000 + (seconds * 1e9) as i64)
    }

    /// How sure it can be of those named for an alert at second 0, or also at another, of lookups at these seconds.
    fn sure(clock: Clock, again: Option<f64>, lookups: &[(f64, &[&str])]) -> Vec<(String, u16)> {
        let lookups: Vec<(Timestamp, &[&str])> =
            lookups.iter().map(|(second, clients)| (at(*second), *clients)).collect();
        let seen = DestinationSightings::of_lookups(&lookups);
        let order: Vec<usize> = (0..lookups.len()).collect();
        let when = AlertTime { again: again.map(at), ..AlertTime::at(at(0.0)) };
        let at = match_at(&seen, &order, when, clock);
        let confidence_cap = at.confidence_cap(&seen);
        let named = seen.clients(at.meant.iter().copied()).into_iter();
        named.map(|client| (client.to_string(), confidence_cap.of(client))).collect()
    }

    fn of(named: &[(&str, u16)]) -> Vec<(String, u16)> {
        named.iter().map(|(client, sure)| ((*client).to_owned(), *sure)).collect()
    }

    #[test]
    fn who_is_behind_a_part_of_one_moments_lookups_is_less_sure_than_who_is_behind_all() {
        for clock in [UNKNOWN, KNOWN] {
            let named = sure(clock, None, &[(0.1, &[A, B]), (0.2, &[A])]);
            assert_eq!(named, of(&[(A, SURE_PERMILLE), (B, OF_SEVERAL_PERMILLE)]));
            let named = sure(clock, None, &[(0.1, &[A]), (0.2, &[B])]);
            assert_eq!(named, of(&[(A, OF_SEVERAL_PERMILLE), (B, OF_SEVERAL_PERMILLE)]));
        }
    }

    #[test]
    fn a_lookup_that_nobody_is_named_for_may_be_the_alerts_own() {
        assert_eq!(sure(KNOWN, None, &[(0.1, &[A]), (0.3, &[])]), of(&[(A, NEAREST_PERMILLE)]));
        assert_eq!(sure(UNKNOWN, None, &[(0.1, &[A]), (20.0, &[])]), of(&[(A, NEAREST_PERMILLE)]));
        assert_eq!(sure(KNOWN, None, &[(0.1, &[A]), (20.0, &[])]), of(&[(A, SURE_PERMILLE)]));
    }

    #[test]
    fn others_about_then_count_unless_the_client_is_behind_theirs_too() {
        assert_eq!(sure(UNKNOWN, None, &[(0.1, &[A]), (30.0, &[B])]), of(&[(A, NEAREST_PERMILLE)]));
        assert_eq!(sure(UNKNOWN, None, &[(0.1, &[A]), (30.0, &[A, B])]), of(&[(A, SURE_PERMILLE)]));
        // It waited for a later try of the same question only.
        let named = sure(UNKNOWN, None, &[(-40.0, &[A]), (0.1, &[A, B])]);
        assert_eq!(named, of(&[(A, SURE_PERMILLE), (B, NEAREST_PERMILLE)]));
        // A known clock may be off by some seconds, and no more.
        assert_eq!(sure(KNOWN, None, &[(0.1, &[A]), (3.0, &[B])]), of(&[(A, NEAREST_PERMILLE)]));
        assert_eq!(sure(KNOWN, None, &[(0.1, &[A]), (30.0, &[B])]), of(&[(A, SURE_PERMILLE)]));
    }

    #[test]
    fn what_is_some_seconds_from_the_alert_is_less_sure_and_what_is_further_needs_a_clock_that_is_off()
     {
        for (second, most) in [
            (1.0, SURE_PERMILLE),
            (-4.0, ALONE_PERMILLE),
            (20.0, NEAREST_PERMILLE),
            (-50.0, NEAREST_PERMILLE),
        ] {
            assert_eq!(sure(UNKNOWN, None, &[(second, &[A])]), of(&[(A, most)]), "{second}");
        }
        assert_eq!(sure(UNKNOWN, None, &[(70.0, &[A])]), of(&[]));
        assert_eq!(sure(KNOWN, None, &[(20.0, &[A])]), of(&[]));
        let doubtful = Clock { is_doubtful: true, ..UNKNOWN };
        assert_eq!(sure(doubtful, None, &[(0.1, &[A])]), of(&[(A, NEAREST_PERMILLE)]));
    }

    #[test]
    fn why_somebody_is_less_sure_is_said() {
        let notes = |lookups: &[(f64, &[&str])]| {
            let lookups: Vec<(Timestamp, &[&str])> =
                lookups.iter().map(|(second, clients)| (at(*second), *clients)).collect();
            let seen = DestinationSightings::of_lookups(&lookups);
            let order: Vec<usize> = (0..lookups.len()).collect();
            let when = AlertTime::at(at(0.0));
            match_at(&seen, &order, when, UNKNOWN).notes(&seen, when).join("; ")
        };
        assert_eq!(notes(&[(0.1, &[A]), (0.2, &[A])]), "");
        for (lookups, words) in [
            (&[(0.1, &[A, B][..]), (0.2, &[A][..])], "not all of these clients"),
            (&[(0.1, &[A]), (0.2, &[])], "nobody can be named for 1 lookup at about that time"),
            (&[(0.1, &[A]), (0.2, &[B])], "these are lookups of different clients"),
            (&[(0.1, &[A]), (30.0, &[B])], "10.0.0.2 asked for it 30 s after"),
            (&[(30.0, &[A]), (30.1, &[A])], "the nearest lookup is 30 s from the alert"),
        ] {
            let said = notes(lookups);
            assert!(said.contains(words) && !said.contains("; "), "{lookups:?}: {said}");
        }
    }

    #[test]
    fn a_time_that_came_twice_is_looked_for_at_both() {
        const HOUR: f64 = 3_600.0;
        for clock in [UNKNOWN, KNOWN] {
            let sure = |lookups: &[(f64, &[&str])]| sure(clock, Some(HOUR), lookups);
            assert_eq!(sure(&[(0.1, &[A])]), of(&[(A, SURE_PERMILLE)]));
            assert_eq!(sure(&[(HOUR + 0.1, &[A])]), of(&[(A, SURE_PERMILLE)]));
            assert_eq!(sure(&[(0.1, &[A]), (HOUR + 0.1, &[A])]), of(&[(A, SURE_PERMILLE)]));
            let both = sure(&[(0.1, &[A]), (HOUR + 0.2, &[B])]);
            assert_eq!(both, of(&[(A, OF_SEVERAL_PERMILLE), (B, OF_SEVERAL_PERMILLE)]));
            assert_eq!(sure(&[(0.1, &[A]), (HOUR + 3.0, &[B])]), of(&[(A, NEAREST_PERMILLE)]));
        }
        let when = AlertTime { again: Some(at(HOUR)), ..AlertTime::at(at(0.0)) };
        assert_eq!(when.nearest_to(at(HOUR - 5.0)), at(HOUR));
        assert_eq!(when.nearest_to(at(5.0)), at(0.0));
    }

    #[test]
    fn who_asked_then_is_of_either_time() {
        let seen = DestinationSightings::of_lookups(&[
            (at(0.0), &[A]),
            (at(1_800.0), &[A]),
            (at(3_600.0), &[B]),
        ]);
        let then = |again| {
            asked_then(&seen, &[0, 1, 2], AlertTime { again, ..AlertTime::at(at(0.0)) }, UNKNOWN)
        };
        assert_eq!((then(None).len(), then(Some(at(3_600.0))).len()), (1, 2));
        let known: Address = A.parse::<IpAddr>().unwrap().into();
        assert!(then(None).contains(&known));
    }
}
