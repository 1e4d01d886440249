//! What an alert of some time means of all that was seen of its destination.

use std::collections::{BTreeMap, BTreeSet};

use super::Clock;
use super::sightings::{Kept, Seen};
use crate::flow::Address;
use crate::time::{Span, Timestamp};

/// How far from an alert its sighting may be when the clocks' difference is known.
const NEAR: Span = Span::from_secs(5);
/// How far when it is not.
const NEAR_UNKNOWN: Span = Span::from_secs(60);
/// How many clients are named that asked about an alert's time.
const OTHERS_MAX: usize = 3;
/// What happened so close together, a log of whole seconds cannot tell apart.
const TOGETHER: Span = Span::from_secs(1);
/// How sure it can be, in thousandths, while the clocks' difference is not known: of a client of the alert's very moment, if
/// nobody else comes about then,
pub(super) const SURE: u16 = 1_000;
/// of one that is alone about then, and not of its moment,
const ALONE: u16 = 950;
/// of one of its moment, where others come about then,
const NEAREST: u16 = 900;
/// and of one of several, none of which is of its moment.
const OF_SEVERAL: u16 = 800;

/// The sightings that an alert of some time can mean.
#[derive(Default)]
pub(super) struct AtTheTime<'s> {
    /// Those nearest to it.
    pub meant: Vec<&'s Kept>,
    /// While the clocks' difference is not known: the others around it, which it means if that is large.
    perhaps: Vec<&'s Kept>,
    /// Those meant are not of its very moment, and nobody knows which of them is.
    is_vague: bool,
}

/// The sightings that an alert of some time means: those nearest to it, of the upstream leg if there are
/// any, for the firewall sees no other. While the clocks' difference is not known, all around it, unless some are of the
/// alert's very moment.
pub(super) fn at_the_time<'s>(
    seen: &'s Seen,
    order: &[usize],
    time: Timestamp,
    clock: Clock,
) -> AtTheTime<'s> {
    let window = window(clock);
    let at = |place: &usize| seen.sightings.get(*place);
    let start = order.partition_point(|place| at(place).is_some_and(|k| k.time < time - window));
    let around: Vec<&Kept> = order
        .iter()
        .skip(start)
        .filter_map(at)
        .take_while(|kept| kept.time <= time + window)
        .collect();
    let has_upstream = around.iter().any(|kept| kept.is_upstream);
    let usable = around.iter().filter(|kept| kept.is_upstream || !has_upstream);
    let distance = |kept: &Kept| (kept.time - time).abs();
    let Some(nearest) = usable.clone().map(|kept| distance(kept)).min() else {
        return AtTheTime::default();
    };
    // Of a time without seconds it cannot be said.
    let is_of_a_minute = (time - clock.difference).seconds() % 60 == 0;
    let is_of_the_moment = clock.is_estimated || (nearest <= NEAR && !is_of_a_minute);
    let reach = if is_of_the_moment { Span(nearest.0 + TOGETHER.0) } else { window };
    let (meant, mut perhaps): (Vec<&Kept>, Vec<&Kept>) =
        usable.copied().partition(|kept| distance(kept) <= reach);
    if clock.is_estimated {
        perhaps.clear();
    }
    AtTheTime { meant, perhaps, is_vague: !is_of_the_moment }
}

impl AtTheTime<'_> {
    /// How sure it can be at most that a client is behind the alert, in thousandths: asking is one thing, being what the
    /// firewall saw another.
    pub(super) fn sure_max(&self, seen: &Seen) -> u16 {
        let meant = seen.clients(self.meant.iter().copied());
        let perhaps = seen.clients(self.perhaps.iter().copied());
        match self.is_vague {
            true if meant.len() > 1 => OF_SEVERAL,
            true => ALONE,
            false if perhaps.is_subset(&meant) => SURE,
            false => NEAREST,
        }
    }

    /// Who else it would be if the clocks differed, in words.
    pub(super) fn others_in_words(&self, seen: &Seen, time: Timestamp) -> Option<String> {
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
        let (asked, who) = match told.as_slice() {
            [] => return None,
            [only] => (only.clone(), "it"),
            [first @ .., last] => (format!("{} and {last}", first.join(", ")), "one of them"),
        };
        Some(format!("{asked}: {who} is behind it if the firewall's clock is that much off"))
    }
}

/// All clients that had a part in anything that was seen of a destination about a time.
pub(super) fn asked_then(seen: &Seen, time: Timestamp, clock: Clock) -> BTreeSet<Address> {
    let window = window(clock);
    let about = seen.sightings.iter().filter(|kept| (kept.time - time).abs() <= window);
    seen.clients(about)
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
