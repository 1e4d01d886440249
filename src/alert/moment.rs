//! What an alert of some time means of all that was seen of its destination.

use std::collections::{BTreeMap, BTreeSet};

use super::Clock;
use super::sightings::{Kept, Seen};
use crate::flow::Address;
use crate::number::list;
use crate::time::{Span, Timestamp};

/// How far from an alert its sighting may be when the clocks' difference is known.
const NEAR: Span = Span::from_secs(5);
/// How far when it is not.
const NEAR_UNKNOWN: Span = Span::from_secs(60);
/// What is no further away is of the alert's very second: firewalls log a moment later.
const AT_ONCE: Span = Span::from_secs(2);
/// What happened so close together, a log of whole seconds cannot tell apart.
const TOGETHER: Span = Span::from_secs(1);
/// For how long a time without seconds stands.
const MINUTE: Span = Span::from_secs(60);
/// How many clients are named that asked about an alert's time.
const OTHERS_MAX: usize = 3;
/// How sure it can be, in thousandths, of a client of the alert's very moment, if nobody else comes about then;
pub(super) const SURE: u16 = 1_000;
/// while the clocks' difference is not known, of one that is alone about then, and not of its moment,
const ALONE: u16 = 950;
/// of one of its moment, where others come about then or other alerts do not fit,
const NEAREST: u16 = 900;
/// and, whatever is known, of one of several that each may be it.
const OF_SEVERAL: u16 = 800;

/// The sightings that an alert of some time can mean.
#[derive(Default)]
pub(super) struct AtTheTime<'s> {
    /// Those nearest to it.
    pub meant: Vec<&'s Kept>,
    /// While the clocks' difference is not known: the others around it, which it means if that is large.
    perhaps: Vec<&'s Kept>,
    /// How far from it the nearest is.
    nearest: Span,
    /// Those meant are not of its very moment, and nobody knows which of them is.
    is_vague: bool,
    /// Other alerts of the same firewall do not fit.
    is_doubtful: bool,
}

/// The sightings that an alert of some time means: those nearest to it, of the upstream leg if there are
/// any, for the firewall sees no other. While the clocks' difference is not known, all around it, unless some are of the
/// alert's very moment. `time` is by the capture's clock.
pub(super) fn at_the_time<'s>(
    seen: &'s Seen,
    order: &[usize],
    time: Timestamp,
    clock: Clock,
) -> AtTheTime<'s> {
    let (window, until) = (window(clock), end(time, clock));
    let at = |place: &usize| seen.sightings.get(*place);
    let start = order.partition_point(|place| at(place).is_some_and(|k| k.time < time - window));
    let around: Vec<&Kept> = order
        .iter()
        .skip(start)
        .filter_map(at)
        .take_while(|kept| kept.time <= until + window)
        .collect();
    let has_upstream = around.iter().any(|kept| kept.is_upstream);
    let usable = around.iter().filter(|kept| kept.is_upstream || !has_upstream);
    let distance = |kept: &Kept| match kept.time {
        before if before < time => time - before,
        after if after > until => after - until,
        _ => Span(0),
    };
    let Some(nearest) = usable.clone().map(|kept| distance(kept)).min() else {
        return AtTheTime::default();
    };
    let is_of_the_moment = clock.is_estimated || nearest <= NEAR;
    let reach = if is_of_the_moment { Span(nearest.0 + TOGETHER.0) } else { window };
    let (meant, mut perhaps): (Vec<&Kept>, Vec<&Kept>) =
        usable.copied().partition(|kept| distance(kept) <= reach);
    if clock.is_estimated {
        perhaps.clear();
    }
    let is_doubtful = clock.is_doubtful;
    AtTheTime { meant, perhaps, nearest, is_vague: !is_of_the_moment, is_doubtful }
}

/// The last moment that an alert's time stands for.
fn end(time: Timestamp, clock: Clock) -> Timestamp {
    if clock.is_of_minutes { time + MINUTE } else { time }
}

impl AtTheTime<'_> {
    /// How sure it can be at most that a client is behind the alert, in thousandths: asking is one thing, being what the
    /// firewall saw another.
    pub(super) fn sure_max(&self, seen: &Seen) -> u16 {
        let meant = seen.clients(self.meant.iter().copied());
        let perhaps = seen.clients(self.perhaps.iter().copied());
        if self.are_several(seen) {
            OF_SEVERAL
        } else if self.is_doubtful || !perhaps.is_subset(&meant) {
            NEAREST
        } else if self.is_vague || self.nearest > AT_ONCE {
            ALONE
        } else {
            SURE
        }
    }

    /// Whether they are several lookups that no one client is behind: the alert is of one of them.
    fn are_several(&self, seen: &Seen) -> bool {
        let mut each = self
            .meant
            .iter()
            .map(|kept| seen.clients(std::iter::once(*kept)))
            .filter(|clients| !clients.is_empty());
        let Some(first) = each.next() else { return false };
        let shared = each.try_fold(first, |shared, clients| {
            let both: BTreeSet<Address> = shared.intersection(&clients).copied().collect();
            (!both.is_empty()).then_some(both)
        });
        shared.is_none()
    }

    /// What is to be said of them, a sentence each.
    pub(super) fn notes(&self, seen: &Seen, time: Timestamp) -> Vec<String> {
        let several = self.are_several(seen).then(|| {
            "these are lookups of different clients, and the alert is of one of them: which, its time does not tell"
                .to_owned()
        });
        let vague = (self.is_vague && several.is_none() && !self.meant.is_empty()).then(|| {
            format!(
                "the nearest lookup is {} s from the alert: it is the one if the firewall's clock is that much off",
                self.nearest.0 / 1_000_000_000
            )
        });
        let several = several.or(vague);
        several.into_iter().chain(self.others_in_words(seen, time)).collect()
    }

    /// Who else it would be if the clocks differed, in words.
    fn others_in_words(&self, seen: &Seen, time: Timestamp) -> Option<String> {
        let meant = seen.clients(self.meant.iter().copied());
        let mut nearest: BTreeMap<Address, Span> = BTreeMap::new();
        for kept in &self.perhaps {
            let apart = kept.time - time;
            for client in seen.clients(std::iter::once(*kept)).difference(&meant) {
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
        Some(format!("{asked}: {who} is behind it if the firewall's clock is that much off"))
    }
}

/// How sure it can be at most of a client behind an alert whose time is not known, in thousandths.
pub(super) fn sure_of_any(seen: &Seen, all: &[&Kept]) -> u16 {
    let is_one = seen.clients(all.iter().copied()).len() <= 1;
    if is_one { ALONE } else { OF_SEVERAL }
}

/// All clients that had a part in anything that was seen of a destination about a time.
pub(super) fn asked_then(seen: &Seen, time: Timestamp, clock: Clock) -> BTreeSet<Address> {
    let (from, to) = (time - window(clock), end(time, clock) + window(clock));
    seen.clients(seen.sightings.iter().filter(|kept| (from..=to).contains(&kept.time)))
}

/// How far from an alert what it is about may be.
fn window(clock: Clock) -> Span {
    if clock.is_estimated { NEAR } else { NEAR_UNKNOWN }
}

/// When the firewall can have seen it: what the DNS server asks, and nothing that its cache answers.
pub(super) fn firewall_saw<'s>(sightings: impl Iterator<Item = &'s Kept>) -> Vec<Timestamp> {
    let (upstream, client): (Vec<&Kept>, Vec<&Kept>) = sightings.partition(|k| k.is_upstream);
    let used = if upstream.is_empty() { client } else { upstream };
    used.into_iter().map(|kept| kept.time).collect()
}
