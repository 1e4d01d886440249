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
//!
//! A capture of a few minutes has too few moments for that. Of alerts of its own time a difference of a few minutes is
//! looked for by moments that are shorter, if more of them agree and no other difference does half as well: what is asked
//! for in turn is so again later, but the capture would show it at the alerts' own times, too.

use crate::time::{Span, Timestamp};

/// By what scale a difference is looked for.
struct Scale {
    /// The largest.
    difference_max: Span,
    /// Alerts within so long a time are of one moment: what is asked for together at one time is so at another.
    moment: Span,
    /// So many moments that agree at least make an estimate.
    agreeing_min: usize,
    /// What was asked for within so short a time was asked for once, in a burst: that says nothing of how
    /// often it would be at another.
    burst_max: Span,
    /// How many times as many moments have to agree as on any other difference.
    ahead: f64,
    /// Whether it is enough, where all agree, that on no other difference all do.
    all_are_enough: bool,
}

/// A time zone off, on the wrong day.
const WIDE: Scale = Scale {
    difference_max: Span::from_secs(36 * 3_600),
    moment: Span::from_secs(60),
    agreeing_min: 3,
    burst_max: Span::from_secs(3_600),
    ahead: 1.5,
    all_are_enough: true,
};
/// What clocks that somebody sets now and then are off by: Kerberos takes five minutes (RFC 4120).
const CLOSE: Scale = Scale {
    difference_max: Span::from_secs(300),
    moment: Span::from_secs(10),
    agreeing_min: 5,
    burst_max: Span::from_secs(600),
    ahead: 2.0,
    all_are_enough: false,
};
/// How far apart votes may lie and still agree: firewalls log whole seconds, and a moment later.
const AGREE: i64 = 3_000_000_000;
/// How many alerts, and sightings of one destination, vote; of more, so many at even steps.
const ALERTS_MAX: usize = 1_024;
const SIGHTINGS_MAX: usize = 1_024;
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

/// The times of alerts of one destination (at one host), and those of its sightings.
pub(super) type Part = (Vec<Timestamp>, Vec<Timestamp>);

/// Estimates it from the parts that a capture of such a span has.
pub(super) fn estimate(parts: &[Part], span: Option<(Timestamp, Timestamp)>) -> Clock {
    let counted: Vec<Part> = parts
        .iter()
        .map(|(alerts, sightings)| (once_a_second(alerts), once_a_second(sightings)))
        .filter(|(alerts, sightings)| !alerts.is_empty() && !sightings.is_empty())
        .collect();
    let wide = by(&WIDE, &counted);
    let Some((from, to)) = span.filter(|_| !wide.is_estimated) else { return wide };
    let is_within = |alert: &Timestamp| (from..=to).contains(alert);
    let within = counted.into_iter().map(|(mut alerts, sightings)| {
        alerts.retain(is_within);
        (alerts, sightings)
    });
    let close = by(&CLOSE, &within.collect::<Vec<_>>());
    if close.is_estimated { Clock { of: wide.of, ..close } } else { wide }
}

/// Estimates it by one scale.
fn by(scale: &Scale, counted: &[Part]) -> Clock {
    let total: usize = counted.iter().map(|(alerts, _)| alerts.len()).sum();
    let step = total.div_ceil(ALERTS_MAX).max(1);
    let voting = || {
        let all = counted
            .iter()
            .flat_map(|(alerts, sightings)| alerts.iter().map(move |alert| (*alert, sightings)));
        all.step_by(step)
    };
    let moments = moments(voting().map(|(alert, _)| alert), scale.moment);
    let mut votes = Vec::new();
    let mut chances = vec![0.0; moments.len()];
    for (alert, sightings) in voting() {
        let by = moments.partition_point(|start| *start <= alert).saturating_sub(1);
        let stride = sightings.len().div_ceil(SIGHTINGS_MAX).max(1);
        let differences = sightings.iter().step_by(stride).map(|sighting| *sighting - alert);
        let looked_for = differences.filter(|d| d.abs() <= scale.difference_max);
        votes.extend(looked_for.map(|d| Vote { d: d.0, by }));
        if let Some(chance) = chances.get_mut(by) {
            *chance = f64::min(*chance + scale.chance_of(sightings), 1.0);
        }
    }
    votes.sort_unstable();
    let none = Clock { of: total as u64, ..Clock::default() };
    let Some(window) = scale.choose(&votes, moments.len(), chances.iter().sum()) else {
        return none;
    };
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
fn moments(alerts: impl Iterator<Item = Timestamp>, moment: Span) -> Vec<Timestamp> {
    let mut starts: Vec<Timestamp> = alerts.collect();
    starts.sort_unstable();
    let mut start: Option<Timestamp> = None;
    starts.retain(|alert| {
        let is_new = start.is_none_or(|start| *alert - start >= moment);
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

impl Scale {
    /// How likely a moment chosen at random, while it was asked for at all, agrees with a sighting.
    fn chance_of(&self, sightings: &[Timestamp]) -> f64 {
        let (Some(first), Some(last)) = (sightings.first(), sightings.last()) else { return 0.0 };
        // What was asked for once, and again for want of an answer, says nothing of how often it would be.
        let span = match moments(sightings.iter().copied(), self.moment).len() {
            1 => self.difference_max.0,
            _ => (*last - *first).max(self.burst_max).0,
        };
        let gaps = sightings.windows(2).map(|pair| match pair {
            [one, next] => (*next - *one).0.min(AGREE),
            _ => 0,
        });
        let agreeing = gaps.sum::<i64>() + AGREE;
        (agreeing as f64 / span as f64).min(1.0)
    }

    fn choose(&self, votes: &[Vote], moments: usize, expected: f64) -> Option<Window> {
        let best = best(votes, moments, |_| true)?;
        let zero = best_within(votes, moments);
        let enough = |window: &Window| {
            window.agreeing >= self.agreeing_min
                && window.agreeing * 2 >= moments
                && self.is_no_chance(window.agreeing, expected)
        };
        // What the clocks say is believed unless another difference explains clearly more.
        if let Some(zero) = zero.filter(enough)
            && best.agreeing * 2 < zero.agreeing * 3
        {
            return Some(zero);
        }
        let far = |vote: &Vote| (vote.d - best.median).abs() > 2 * AGREE;
        let rival = self::best(votes, moments, far).map_or(0, |window| window.agreeing);
        let is_alone = match self.all_are_enough && best.agreeing == moments {
            true => rival < moments,
            false => best.agreeing as f64 >= rival as f64 * self.ahead,
        };
        (enough(&best) && is_alone).then_some(best)
    }

    /// Whether so many agreeing moments can hardly be chance: the Chernoff bound of a sum that is expected to
    /// be `expected`, over all differences that are looked at.
    fn is_no_chance(&self, agreeing: usize, expected: f64) -> bool {
        let agreeing = agreeing as f64;
        if agreeing <= expected {
            return false;
        }
        let windows = 2.0 * self.difference_max.0 as f64 / AGREE as f64;
        let bound = (agreeing - expected) - agreeing * (agreeing / expected.max(1e-12)).ln();
        bound.exp() * windows < CHANCE_MAX
    }
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
        estimate(&[(times(&alerts), times(sightings))], None)
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
        let clock = estimate(&parts, None);
        assert!(
            clock.is_estimated && (38..=42).contains(&(clock.difference.0 / 1_000_000_000)),
            "{clock:?}"
        );
    }

    #[test]
    fn alerts_of_one_moment_have_one_vote() {
        // What is asked for together at one time is so at another.
        let parts = [0, 0, 1].map(|at| (times(&[at]), times(&[8_740 + at])));
        assert_eq!(estimate(&parts, None), Clock { of: 3, ..Clock::default() });
        let burst = [0, 4, 8].map(|at| (times(&[at]), times(&[5_400 + at])));
        assert_eq!(estimate(&burst, None), Clock { of: 3, ..Clock::default() });
        let tries =
            [0, 3_600, 7_200].map(|at| (times(&[at]), times(&[at, at + 1, at + 3, at + 7])));
        assert!(estimate(&tries, None).is_estimated);
        let parts = [0, 7_200, 9_300].map(|at| (times(&[at]), times(&[12 + at])));
        let twice = estimate(&[&parts[..], &parts[..]].concat(), None);
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

    /// Destinations that were each asked for once, at these seconds, in a capture from 0 to 180; alerts of them by a
    /// clock that is off by so many.
    fn of_minutes(off: i64, seconds: &[i64], alerts: &[i64]) -> Clock {
        let parts: Vec<Part> = seconds
            .iter()
            .zip(alerts)
            .map(|(seen, alert)| (times(&[alert - off]), times(&[*seen])))
            .collect();
        estimate(&parts, Some((at(0), at(180))))
    }

    #[test]
    fn a_capture_of_minutes_tells_the_clocks_by_many_that_agree() {
        let seconds = [20, 41, 60, 77, 93, 110, 133];
        for off in [0, 12, -18] {
            let clock = of_minutes(off, &seconds, &seconds);
            assert!(clock.is_estimated, "{off}");
            assert_eq!((clock.difference, clock.agreeing), (Span::from_secs(off), 7), "{off}");
        }
        // Four are too few, and so are ten of one moment.
        assert!(!of_minutes(0, &seconds[..4], &seconds[..4]).is_estimated);
        let burst: Vec<i64> = (0..10).map(|n| 60 + n % 8).collect();
        assert!(!of_minutes(0, &burst, &burst).is_estimated);
        // Alerts of a time that the capture does not show say nothing.
        assert!(!of_minutes(200, &seconds, &seconds).is_estimated);
    }

    #[test]
    fn what_is_asked_for_in_turn_is_not_taken_for_a_clock_that_is_off() {
        // Five names every 50 s. The capture lacks the first turns: what is there is a turn later.
        let turns = |from: i64| (from..180).step_by(50).collect::<Vec<_>>();
        let parts: Vec<Part> = (0..5)
            .map(|n| {
                let start = n * 10;
                (times(&turns(start)), times(&turns(start).split_off(1)))
            })
            .collect();
        let clock = estimate(&parts, Some((at(0), at(180))));
        assert!(!clock.is_estimated || clock.difference.abs() < Span::from_secs(3), "{clock:?}");
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
            let span = parts.first().and_then(|(alerts, _)| Some((*alerts.first()?, *alerts.last()?)));
            let clock = estimate(&parts, span);
            prop_assert!(clock.agreeing <= clock.of);
        }
    }
}
