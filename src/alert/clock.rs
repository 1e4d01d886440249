//! The difference between the firewall's clock and the capture's, estimated from the alerts themselves.
//!
//! An alert is of a moment at which its destination was asked for. So if the clocks differ by *d*, adding
//! *d* to the alerts' times puts each on a sighting of its own destination; any other difference does so
//! by chance only. Alerts of one moment have one vote together, for what is asked for at once at one time is so at
//! another. Every pair of an alert and a sighting votes for its difference, and the one that most
//! moments agree on is it, if
//! 1. at least three agree on it, and half of those with a destination that was seen at all;
//! 2. as many would hardly agree by chance, given how often their destinations were seen;
//! 3. no other difference does nearly as well. (What is asked for every minute agrees with itself a
//!    minute off, but for one alert at the end.) That the clocks agree is believed before anything else.

use crate::time::{Span, Timestamp};

/// The largest difference that is looked for: a time zone off, on the wrong day.
const DIFFERENCE_MAX: Span = Span::from_secs(36 * 3600);
/// How far apart votes may lie and still agree: firewalls log whole seconds, and a moment later.
const AGREE: i64 = 3_000_000_000;
/// Alerts within so long a time are of one moment: what is asked for together at one time is so at another.
const MOMENT: i64 = 60_000_000_000;
/// How many alerts, and sightings of one destination, vote; of more, so many at even steps.
const ALERTS_MAX: usize = 1_024;
const SIGHTINGS_MAX: usize = 1_024;
/// So many moments that agree at least make an estimate.
const AGREEING_MIN: usize = 3;
/// What was asked for within so short a time was asked for once, in a burst: that says nothing of how
/// often it would be at another.
const BURST_MAX: Span = Span::from_secs(3_600);
/// How likely an agreement by chance may be, over all differences that are looked at.
const CHANCE_MAX: f64 = 0.01;

/// The difference between two clocks, and what says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// What to add to the firewall's time to have the capture's.
    pub difference: Span,
    /// How many alerts agree on it.
    pub agreeing: u64,
    /// How many have a time and a destination that was seen.
    pub of: u64,
    /// Whether it was estimated. If not, too few agree, and the clocks are taken to be the same.
    pub is_estimated: bool,
}

/// Estimates it. Each part holds the times of the alerts of one destination (at one host), and those of
/// its sightings.
pub(super) fn estimate(parts: &[(Vec<Timestamp>, Vec<Timestamp>)]) -> Clock {
    let counted: Vec<_> = parts
        .iter()
        .map(|(alerts, sightings)| (once_a_second(alerts), once_a_second(sightings)))
        .filter(|(alerts, sightings)| !alerts.is_empty() && !sightings.is_empty())
        .collect();
    let total: usize = counted.iter().map(|(alerts, _)| alerts.len()).sum();
    let step = total.div_ceil(ALERTS_MAX).max(1);
    let voting = || {
        let all = counted
            .iter()
            .flat_map(|(alerts, sightings)| alerts.iter().map(move |alert| (*alert, sightings)));
        all.step_by(step)
    };
    let moments = moments(voting().map(|(alert, _)| alert));
    let mut votes = Vec::new();
    let mut chances = vec![0.0; moments.len()];
    for (alert, sightings) in voting() {
        let by = moments.partition_point(|start| *start <= alert).saturating_sub(1);
        let stride = sightings.len().div_ceil(SIGHTINGS_MAX).max(1);
        let differences = sightings.iter().step_by(stride).map(|sighting| *sighting - alert);
        votes
            .extend(differences.filter(|d| d.abs() <= DIFFERENCE_MAX).map(|d| Vote { d: d.0, by }));
        if let Some(chance) = chances.get_mut(by) {
            *chance = f64::min(*chance + chance_of(sightings), 1.0);
        }
    }
    votes.sort_unstable();
    let none = Clock { of: total as u64, ..Clock::default() };
    let Some(window) = choose(&votes, moments.len(), chances.iter().sum()) else { return none };
    let agrees = |(alert, sightings): &(Timestamp, &Vec<Timestamp>)| {
        let from = sightings.partition_point(|sighting| (*sighting - *alert).0 < window.from);
        sightings.get(from).is_some_and(|sighting| (*sighting - *alert).0 <= window.to)
    };
    let agreeing = (voting().filter(agrees).count() * step).min(total) as u64;
    Clock { difference: Span(window.median), agreeing, of: total as u64, is_estimated: true }
}

/// A vote for a difference, in nanoseconds, by a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Vote {
    d: i64,
    by: usize,
}

/// Differences that agree.
#[derive(Clone, Copy, Debug)]
struct Window {
    /// How many moments do.
    agreeing: usize,
    /// The least, the one in the middle, the greatest.
    from: i64,
    median: i64,
    to: i64,
}

/// Where moments begin.
fn moments(alerts: impl Iterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut starts: Vec<Timestamp> = alerts.collect();
    starts.sort_unstable();
    let mut start: Option<Timestamp> = None;
    starts.retain(|alert| {
        let is_new = start.is_none_or(|start| (*alert - start).0 >= MOMENT);
        if is_new {
            start = Some(*alert);
        }
        is_new
    });
    starts
}

/// Times to the second, each once.
fn once_a_second(times: &[Timestamp]) -> Vec<Timestamp> {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.dedup_by_key(|time| time.seconds());
    times
}

/// How likely a moment chosen at random, while it was asked for at all, agrees with a sighting.
fn chance_of(sightings: &[Timestamp]) -> f64 {
    let (Some(first), Some(last)) = (sightings.first(), sightings.last()) else { return 0.0 };
    // What was asked for once, and again for want of an answer, says nothing of how often it would be.
    let span = match moments(sightings.iter().copied()).len() {
        1 => DIFFERENCE_MAX.0,
        _ => (*last - *first).max(BURST_MAX).0,
    };
    let gaps = sightings.windows(2).map(|pair| match pair {
        [one, next] => (*next - *one).0.min(AGREE),
        _ => 0,
    });
    let agreeing = gaps.sum::<i64>() + AGREE;
    (agreeing as f64 / span as f64).min(1.0)
}

fn choose(votes: &[Vote], moments: usize, expected: f64) -> Option<Window> {
    let best = best(votes, moments, |_| true)?;
    let zero = best_within(votes, moments);
    let enough = |window: &Window| {
        window.agreeing >= AGREEING_MIN
            && window.agreeing * 2 >= moments
            && is_no_chance(window.agreeing, expected)
    };
    // What the clocks say is believed unless another difference explains clearly more.
    if let Some(zero) = zero.filter(enough)
        && best.agreeing * 2 < zero.agreeing * 3
    {
        return Some(zero);
    }
    let far = |vote: &Vote| (vote.d - best.median).abs() > 2 * AGREE;
    let rival = self::best(votes, moments, far).map_or(0, |window| window.agreeing);
    let is_alone = match best.agreeing == moments {
        true => rival < moments,
        false => best.agreeing * 2 >= rival * 3,
    };
    (enough(&best) && is_alone).then_some(best)
}

/// The window around no difference at all.
fn best_within(votes: &[Vote], moments: usize) -> Option<Window> {
    best(votes, moments, |vote| vote.d.abs() <= AGREE)
}

/// Among the votes that count, the window in which most moments agree; the one nearest to zero, of those.
fn best(votes: &[Vote], moments: usize, counts: impl Fn(&Vote) -> bool) -> Option<Window> {
    let votes: Vec<Vote> = votes.iter().copied().filter(|vote| counts(vote)).collect();
    let mut inside = vec![0usize; moments];
    let (mut agreeing, mut start) = (0, 0);
    let mut found: Option<(usize, i64, Window)> = None;
    for (end, vote) in votes.iter().enumerate() {
        let slot = inside.get_mut(vote.by)?;
        *slot += 1;
        agreeing += usize::from(*slot == 1);
        while let Some(first) = votes.get(start)
            && vote.d - first.d > AGREE
        {
            let slot = inside.get_mut(first.by)?;
            *slot -= 1;
            agreeing -= usize::from(*slot == 0);
            start += 1;
        }
        let (from, to) = (votes.get(start)?.d, vote.d);
        let median = votes.get(start + (end - start) / 2)?.d;
        let distance = median.abs();
        let is_better = found.as_ref().is_none_or(|(most, nearest, _)| {
            agreeing > *most || agreeing == *most && distance < *nearest
        });
        if is_better {
            found = Some((agreeing, distance, Window { agreeing, from, median, to }));
        }
    }
    found.map(|(_, _, window)| window)
}

/// Whether so many agreeing moments can hardly be chance: the Chernoff bound of a sum that is expected to
/// be `expected`, over all differences that are looked at.
fn is_no_chance(agreeing: usize, expected: f64) -> bool {
    let agreeing = agreeing as f64;
    if agreeing <= expected {
        return false;
    }
    let windows = 2.0 * DIFFERENCE_MAX.0 as f64 / AGREE as f64;
    let bound = (agreeing - expected) - agreeing * (agreeing / expected.max(1e-12)).ln();
    bound.exp() * windows < CHANCE_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(1_772_443_062_000_000_000) + Span::from_secs(seconds)
    }

    fn times(seconds: &[i64]) -> Vec<Timestamp> {
        seconds.iter().map(|seconds| at(*seconds)).collect()
    }

    /// Alerts at these seconds by a clock that is off by so many, of sightings at others.
    fn estimated(off: i64, alerts: &[i64], sightings: &[i64]) -> Clock {
        let alerts: Vec<i64> = alerts.iter().map(|second| second - off).collect();
        estimate(&[(times(&alerts), times(sightings))])
    }

    #[test]
    fn a_difference_that_all_agree_on_is_found() {
        for off in [0, 7, -3593, 3600, -86_400, 39_600 + 95] {
            let clock =
                estimated(off, &[0, 7_200, 9_300], &[0, 4_000, 7_200, 9_300, 9_301, 20_000]);
            assert!(clock.is_estimated, "{off}");
            assert_eq!((clock.difference, clock.agreeing), (Span::from_secs(off), 3), "{off}");
        }
    }

    #[test]
    fn retries_within_seconds_are_one_moment_and_not_a_flood() {
        let parts = [0, 5_000, 9_000].map(|start| {
            (times(&[start - 40, start - 38]), times(&[start, start + 1, start + 2, start + 3]))
        });
        let clock = estimate(&parts);
        assert!(
            clock.is_estimated && (38..=42).contains(&(clock.difference.0 / 1_000_000_000)),
            "{clock:?}"
        );
    }

    #[test]
    fn alerts_of_one_moment_have_one_vote() {
        // What is asked for together at one time is so at another.
        let parts = [0, 0, 1].map(|at| (times(&[at]), times(&[8_740 + at])));
        assert_eq!(estimate(&parts), Clock { of: 3, ..Clock::default() });
        let burst = [0, 4, 8].map(|at| (times(&[at]), times(&[5_400 + at])));
        assert_eq!(estimate(&burst), Clock { of: 3, ..Clock::default() });
        let tries =
            [0, 3_600, 7_200].map(|at| (times(&[at]), times(&[at, at + 1, at + 3, at + 7])));
        assert!(estimate(&tries).is_estimated);
        let parts = [0, 7_200, 9_300].map(|at| (times(&[at]), times(&[12 + at])));
        let twice = estimate(&[&parts[..], &parts[..]].concat());
        assert_eq!(twice.difference, Span::from_secs(12));
        assert_eq!((twice.agreeing, twice.of), (6, 6), "it is alerts that are counted");
    }

    #[test]
    fn two_alerts_say_nothing_of_the_clock() {
        let clock = estimated(3600, &[0, 7_200], &[0, 7_200]);
        assert_eq!(clock, Clock { of: 2, ..Clock::default() });
    }

    #[test]
    fn even_intervals_agree_with_themselves_one_off_but_for_the_last() {
        let every: Vec<i64> = (0..12).map(|n| n * 60).collect();
        assert_eq!(estimated(-3600, &every, &every).difference, Span::from_secs(-3600));
        let within = estimated(-3600, &every[3..9], &every);
        assert!(!within.is_estimated, "it could be any of seven: {within:?}");
    }

    #[test]
    fn what_is_asked_for_all_the_time_agrees_with_anything() {
        let often: Vec<i64> = (0..2_000).map(|n| n * 13 + n * n % 11).collect();
        assert!(!estimated(500, &[1_000, 2_017, 9_003, 11_111], &often).is_estimated);
    }

    #[test]
    fn alerts_of_another_day_give_no_difference() {
        let clock = estimated(10 * 86_400, &[0, 7_200, 9_300], &[0, 7_200, 9_300]);
        assert!(!clock.is_estimated);
    }

    proptest! {
        #[test]
        fn any_times_are_taken(
            parts in prop::collection::vec(
                (prop::collection::vec(any::<i64>(), 0..6), prop::collection::vec(any::<i64>(), 0..6)),
                0..4,
            ),
        ) {
            let times = |all: &[i64]| all.iter().copied().map(Timestamp).collect::<Vec<_>>();
            let parts: Vec<_> = parts.iter().map(|(a, s)| (times(a), times(s))).collect();
            let clock = estimate(&parts);
            prop_assert!(clock.agreeing <= clock.of);
        }
    }
}
