//! What an alert means that is of longer than a moment: of a first and a last time, or of a day without a clock.
//!
//! Whatever was asked for from the first to the last of it answers it. It stands for a number of events, and says of none when
//! that was: where it has no more of them than there were lookups, some of these need not be its own.

use std::collections::{BTreeMap, BTreeSet};

use super::Zones;
use super::moment::{AtTheTime, OF_MANY, OF_SEVERAL, SureMax, When};
use super::nearest::moments;
use super::sightings::{Kept, Seen};
use crate::attribution::Coverage;
use crate::flow::Address;
use crate::number::count;
use crate::time::{Span, Timestamp};

/// What is about the time of an alert, by whatever clock is found.
pub(super) const ABOUT: Span = Span::from_secs(360);
/// What is no longer may be all of another time if the firewall's clock is off.
const SHORT: Span = Span::from_secs(120);
/// Of more clients than that behind what a name server was asked nobody is named for an alert that does not say of which.
const AT_SERVER_MAX: usize = 3;
/// So many clients are many.
const MANY: usize = 5;

/// The sightings that it means, and what that comes to.
pub(super) struct Meant<'s> {
    pub meant: Vec<&'s Kept>,
    pub sure_max: SureMax,
    pub notes: Vec<String>,
    /// Why nobody can be named.
    pub undecided: Option<String>,
}

impl<'s> Meant<'s> {
    /// Of an alert that stands for so many events: what was seen at its time, and who is surely behind it. That is who is
    /// left with an event whichever of the lookups these are.
    pub(super) fn of(at: AtTheTime<'s>, seen: &Seen, when: When, events: u64) -> Meant<'s> {
        let has_upstream = at.meant.iter().any(|kept| kept.is_upstream);
        let is_usable = |kept: &&&Kept| kept.is_upstream || !has_upstream;
        // What the firewall can have seen.
        let lookups: Vec<&Kept> = at.meant.iter().filter(is_usable).copied().collect();
        let mut own: BTreeMap<Address, usize> = BTreeMap::new();
        for kept in &lookups {
            for client in seen.clients(std::iter::once(*kept)) {
                *own.entry(client).or_default() += 1;
            }
        }
        let is_sure = |(_, own): &(&Address, &usize)| events > (lookups.len() - **own) as u64;
        let some: BTreeSet<Address> =
            own.iter().filter(is_sure).map(|(client, _)| *client).collect();
        let clients = own.len();
        let mut notes: Vec<String> = at.vague_in_words().into_iter().collect();
        let mut most = at.at_best();
        if when.until - when.from <= SHORT && at.others(seen) > 0 {
            most = most.min(at.beside_others(seen));
            notes.extend(at.others_in_words(seen, when));
        }
        if some.len() < clients {
            notes.push(format!(
                "the alert is of {}, and does not say of which of these lookups: not all of these clients need be behind it",
                count(events, "event", "events")
            ));
        }
        let names = seen.names_at_server(lookups.iter().copied());
        let is_any = names > 0 && some.is_empty() && clients > AT_SERVER_MAX;
        let undecided = is_any.then(|| {
            format!(
                "it is a name server, asked about {names} names for {} clients in the alert's time: the alert is about one of \
                 these, and does not say which",
                clients
            )
        });
        // A few more are what another file of the capture has, or one query that was counted twice.
        if events >= 2 * lookups.len() as u64 && !lookups.is_empty() && events > 1 {
            notes.push(format!(
                "it stands for {}, and this capture shows {} of its time: who raised the others is not in it",
                count(events, "event", "events"),
                count(lookups.len() as u64, "such lookup", "such lookups")
            ));
        }
        let else_most = if clients < MANY { OF_SEVERAL } else { OF_MANY };
        let sure_max = SureMax::Of { some, most, else_most };
        Meant { meant: at.meant, sure_max, notes, undecided }
    }
}

/// That the capture has only a part of the alert's time.
pub(super) fn unseen(
    (from, until): (Timestamp, Timestamp),
    coverage: &Coverage,
    zones: &Zones,
) -> Option<String> {
    let (first, last) = coverage.span?;
    let is_cut = (from < first || until > last) && from <= last && until >= first;
    is_cut.then(|| {
        format!(
            "the alert is of {}, and the capture has of that {}: who asked else is not in it",
            moments(from, until, zones),
            moments(from.max(first), until.min(last), zones)
        )
    })
}

/// What is about the times of alerts, in order, and nothing twice.
#[derive(Debug)]
pub(super) struct About(Vec<(Timestamp, Timestamp)>);

impl About {
    /// Of alerts that are from when until when.
    pub(super) fn of(mut times: Vec<(Timestamp, Timestamp)>) -> About {
        times.sort_unstable();
        let mut about: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (from, until) in times.into_iter().map(|(from, until)| (from - ABOUT, until + ABOUT)) {
            match about.last_mut().filter(|(_, end)| *end >= from) {
                Some((_, end)) => *end = until.max(*end),
                None => about.push((from, until)),
            }
        }
        About(about)
    }

    /// Whether a time is.
    pub(super) fn holds(&self, time: Timestamp) -> bool {
        let next = self.0.partition_point(|(_, end)| *end < time);
        self.0.get(next).is_some_and(|(from, _)| *from <= time)
    }
}
