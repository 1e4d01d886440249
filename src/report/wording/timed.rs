//! Where alerts have times: who is named for them, who else asked about then, and who only at other times.

use std::collections::{BTreeMap, BTreeSet};

use super::words::number;
use crate::alert::{Answer, moments};
use crate::flow::Address;
use crate::time::Span;

/// So far apart are alerts at least that bear each other out: what is asked for together fits together.
const MOMENT: Span = Span::from_secs(60);

/// The option that makes most alerts fit that were asked for at other times only, in words. One moment alone may fit by
/// chance, and what is asked for at even intervals fits in many zones.
pub(in crate::report) fn zone_that_fits(answers: &[Answer]) -> Option<String> {
    let other: Vec<&Answer> =
        answers.iter().filter(|answer| answer.basis.is_of_other_times).collect();
    let mut fits: BTreeMap<&str, Vec<&Answer>> = BTreeMap::new();
    for &answer in &other {
        for zone in &answer.basis.zones {
            fits.entry(zone).or_default().push(answer);
        }
    }
    let mut by_moments: Vec<(usize, usize, usize, &str)> = fits
        .into_iter()
        .map(|(zone, fit)| {
            let times = fit.iter().filter_map(|answer| answer.alert.time);
            let destinations: BTreeSet<&str> =
                fit.iter().map(|answer| answer.alert.destination.as_str()).collect();
            (moments(times, MOMENT).len(), destinations.len(), fit.len(), zone)
        })
        .collect();
    by_moments.sort_unstable_by(|one, other| other.cmp(one));
    let (best, destinations, many, zone) = by_moments.first().copied()?;
    let others = by_moments.get(1..).unwrap_or_default();
    let next = others.first().map_or(0, |(next, ..)| *next);
    // What is asked for at even intervals fits in several zones, and what else was flagged then in one of them.
    let tells_more = others.iter().all(|(_, of_next, ..)| destinations > *of_next);
    let is_apart = best >= next * 2 || (best > next && destinations > 1 && tells_more);
    let is_most = best > 1 && is_apart && many * 2 > other.len();
    is_most.then(|| {
        let all = if many == other.len() { "All" } else { "Most" };
        format!(
            "{all} alerts that flag what was asked for only at other times ({} of {}) fit if their times are in \
             another zone: run it again with {zone}.",
            number(many as u64),
            number(other.len() as u64)
        )
    })
}

/// Who asked at the times of alerts.
#[derive(Clone, Debug)]
pub(in crate::report) struct Timed {
    /// Who is named for them.
    named: BTreeSet<Address>,
    /// Who asked about then.
    then: BTreeSet<Address>,
    is_one: bool,
}

impl Timed {
    /// By the answers; none where no alert has a time, for then all that was seen answers them.
    pub fn of(answers: &[Answer]) -> Option<Timed> {
        answers.iter().find(|answer| answer.alert.time.is_some())?;
        let clients = answers.iter().flat_map(|answer| &answer.clients);
        let then =
            answers.iter().flat_map(|answer| answer.basis.asked_then.iter()).flat_map(|a| a.iter());
        let named: BTreeSet<Address> = clients.map(|client| client.address).collect();
        Some(Timed {
            then: named.iter().chain(then).copied().collect(),
            named,
            is_one: answers.len() == 1,
        })
    }

    /// Whether a client is named for one of them.
    pub fn names(&self, client: Address) -> bool {
        self.named.contains(&client)
    }

    /// What stands with a client that is not named, if it did not ask then.
    pub fn not_then(&self, client: Address) -> Option<String> {
        (!self.then.contains(&client)).then(|| format!("not at {}", self.times()))
    }

    fn times(&self) -> &'static str {
        if self.is_one { "the alert's time" } else { "the alerts' times" }
    }
}
