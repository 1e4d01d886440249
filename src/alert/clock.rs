//! The difference between the firewall's clock and the capture's, estimated from the alerts themselves.
//!
//! An alert is of a moment at which its destination was asked for. So if the clocks differ by *d*, adding
//! *d* to the alerts' times puts each on a sighting of its own destination, if that is a time which the capture shows; any
//! other difference does so by chance only. Alerts of one moment have one vote together, for what is asked for at once at
//! one time is so at another. Every pair of an alert and a sighting votes for its difference, and the one that most
//! moments agree on is it, if
//! 1. enough agree on it, and nearly all of those that it puts into the capture;
//! 2. as many would hardly agree by chance, given how often their destinations were seen;
//! 3. no other difference does nearly as well: what is asked for at even intervals agrees with itself an interval off;
//! 4. it is none at all, or the alerts do not fit as they are.
//!
//! While it is not known, an alert is answered by what is of its very moment, and that is said. So nothing is lost by doubt,
//! and a client wrongly named by too much trust.
//!
//! Where another difference does as well as none, that is kept as a rival: who would be named by it is held against who is
//! named. For what one client asks for at even intervals it is the same, an interval off, and nothing is in doubt.
//!
//! A capture of a few minutes has too few moments for that. Of alerts of its own time a difference of a few minutes is
//! looked for by moments that are shorter, if more of them agree.

use std::collections::BTreeSet;

use super::time_match::NEAR;
use crate::time::{Span, Timestamp};

/// By what scale a difference is looked for.
struct SearchScale {
    /// The largest.
    difference_max: Span,
    /// Alerts within so long a time are of one moment: what is asked for together at one time is so at another.
    moment: Span,
    /// So many moments that agree at least make an estimate.
    agreeing_min: usize,
    /// What was asked for within so short a time was asked for once, in a burst: that says nothing of how
    /// often it would be at another.
    burst_max: Span,
}

/// A time zone off. A day is none: what is asked for every day, or every hour, fits again on the next.
const WIDE: SearchScale = SearchScale {
    difference_max: Span::from_secs(15 * 3_600),
    moment: Span::from_secs(60),
    agreeing_min: 3,
    burst_max: Span::from_secs(3_600),
};
/// What clocks that somebody sets now and then are off by: Kerberos takes five minutes (RFC 4120).
const CLOSE: SearchScale = SearchScale {
    difference_max: Span::from_secs(300),
    moment: Span::from_secs(10),
    agreeing_min: 5,
    burst_max: Span::from_secs(600),
};
/// Of the moments that a difference puts into the capture, one in so many may disagree: packets are lost.
const DISAGREEING_SHARE: usize = 5;
/// So many moments that do not fit are no chance; of fewer each may be of what is not in the capture.
const DISAGREEING_MIN: usize = 3;
/// How many times as many moments have to agree as on any other difference, unless it is none.
const AHEAD: usize = 2;
/// How far apart votes may lie and still agree: firewalls log whole seconds, and a moment later.
const AGREE: i64 = 3_000_000_000;
/// Differences that lie further apart are others: what is asked for is asked for again for some seconds, for want of an answer.
const APART: i64 = 15_000_000_000;
/// How many alerts, and sightings of one destination, vote; of more, so many at even steps.
const ALERTS_MAX: usize = 1_024;
const SIGHTINGS_MAX: usize = 1_024;
const MINUTE: i64 = 60_000_000_000;
/// How likely an agreement by chance may be, over all differences that are looked at.
const CHANCE_MAX: f64 = 0.01;

/// The difference between two clocks, and what says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// What to add to the firewall's time to have the capture's.
    pub difference: Span,
    /// How many alerts agree on it; where it is in doubt, on none.
    pub agreeing: u64,
    /// How many have a time and a destination that was seen; where it is in doubt, of these how many are of the
    /// capture's time.
    pub of: u64,
    /// Whether it was estimated. If not, too few agree, and the clocks are taken to be the same.
    pub is_estimated: bool,
    /// Whether it was not, and many alerts of the capture's time do not fit as they are.
    pub is_doubtful: bool,
    /// Another difference than none on which nearly as many agree or more: what is asked for in turn at even intervals fits again so
    /// many of these off.
    pub rival: Option<Span>,
    /// Whether its times are of whole minutes: each stands for all of it.
    pub is_of_minutes: bool,
}

/// Clocks that differ by no more agree.
const SAME: Span = Span::from_secs(2);

impl Clock {
    /// Whether the two clocks show the same, as far as anybody cares: times are said as the firewall wrote them, then.
    pub fn agrees(&self) -> bool {
        self.difference.abs() <= SAME
    }

    /// A time by the capture's clock as it is said.
    pub fn said(&self, time: Timestamp) -> Timestamp {
        if self.agrees() { time - self.difference } else { time }
    }
}

/// The times of alerts of one destination (at one host), and those of its sightings.
pub(super) type TimesOfTarget = (Vec<Timestamp>, Vec<Timestamp>);

/// When a capture begins and ends.
pub(super) type CapturePeriod = (Timestamp, Timestamp);

/// Estimates it from the parts, of which the capture shows what is within `shown`. Times that are all of whole minutes
/// stand for these; but for a single one that says its second to a part of it (`are_fine`).
pub(super) fn estimate(
    parts: &[TimesOfTarget],
    shown: Option<CapturePeriod>,
    are_fine: bool,
) -> Clock {
    let clock = difference(parts, shown, are_fine);
    let (all, _) = counted_by(clock, parts, None);
    if clock.is_estimated {
        return all;
    }
    let (within, wrong) = counted_by(clock, parts, shown);
    let are_many = wrong.len() * DISAGREEING_SHARE > within.of as usize;
    match are_many && moments(wrong.into_iter(), CLOSE.moment).len() >= DISAGREEING_MIN {
        true => Clock { is_doubtful: true, ..within },
        false => Clock { agreeing: 0, ..all },
    }
}

fn difference(parts: &[TimesOfTarget], shown: Option<CapturePeriod>, are_fine: bool) -> Clock {
    let counted: Vec<TimesOfTarget> = parts
        .iter()
        .map(|(alerts, sightings)| (once_a_second(alerts), once_a_second(sightings)))
        .filter(|(alerts, sightings)| !alerts.is_empty() && !sightings.is_empty())
        .collect();
    let Some(shown) = shown else { return Clock::default() };
    if are_of_minutes(parts) && !(are_fine && is_single(parts)) {
        return Clock { is_of_minutes: true, ..Clock::default() };
    }
    let wide = by(&WIDE, &counted, shown);
    if wide.is_estimated {
        return wide;
    }
    // A difference can have put out of the capture what is of its time.
    let (from, to) = (shown.0 - CLOSE.difference_max, shown.1 + CLOSE.difference_max);
    let within = counted.into_iter().map(|(mut alerts, sightings)| {
        alerts.retain(|alert| (from..=to).contains(alert));
        (alerts, sightings)
    });
    let close = by(&CLOSE, &within.collect::<Vec<_>>(), shown);
    let rival = wide.rival.or(close.rival);
    if close.is_estimated { Clock { rival, ..close } } else { Clock { rival, ..wide } }
}

/// Whether times were written without seconds: each then stands for a whole minute.
fn are_of_minutes(parts: &[TimesOfTarget]) -> bool {
    let mut times = parts.iter().flat_map(|(alerts, _)| alerts).peekable();
    times.peek().is_some() && times.all(|time| time.0 % MINUTE == 0)
}

/// Whether all alerts are of one time.
fn is_single(parts: &[TimesOfTarget]) -> bool {
    let mut times = parts.iter().flat_map(|(alerts, _)| alerts);
    let first = times.next();
    times.all(|time| Some(time) == first)
}

/// Estimates it by one scale.
fn by(scale: &SearchScale, counted: &[TimesOfTarget], shown: CapturePeriod) -> Clock {
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
    for (place, (alert, sightings)) in voting().enumerate() {
        let by = moments.partition_point(|start| *start <= alert).saturating_sub(1);
        let stride = sightings.len().div_ceil(SIGHTINGS_MAX).max(1);
        let differences = sightings.iter().step_by(stride).map(|sighting| *sighting - alert);
        let looked_for = differences.filter(|d| d.abs() <= scale.difference_max);
        votes.extend(looked_for.map(|d| Vote { d: d.0, by, place }));
        if let Some(chance) = chances.get_mut(by) {
            *chance = f64::min(*chance + scale.chance_of(sightings), 1.0);
        }
    }
    votes.sort_unstable();
    let alerts = voting().map(|(alert, _)| alert).collect();
    let tally = Tally { votes, alerts, moments, shown, expected: chances.iter().sum() };
    let Some(window) = scale.choose(&tally) else {
        return Clock { rival: scale.rival(&tally), ..Clock::default() };
    };
    let is_none = window.median.abs() <= AGREE;
    let rival = if is_none { scale.rival(&tally) } else { None };
    Clock { difference: Span(window.median), is_estimated: true, rival, ..Clock::default() }
}

/// With how many alerts agree on it, of all whose destination was seen, or of those of them that it puts into the time
/// `shown`; and those that do not.
fn counted_by(
    clock: Clock,
    parts: &[TimesOfTarget],
    shown: Option<CapturePeriod>,
) -> (Clock, Vec<Timestamp>) {
    let all = parts.iter().filter(|(_, sightings)| !sightings.is_empty());
    let lasts = if clock.is_of_minutes { Span(MINUTE) } else { Span(0) };
    // What is of its very moment raises no doubt.
    let within = if clock.is_estimated { Span(AGREE) } else { NEAR };
    let is_counted = |alert: &&Timestamp| {
        let at = **alert + clock.difference;
        shown.is_none_or(|(first, last)| at <= last && at + lasts >= first)
    };
    let (mut agreeing, mut wrong) = (0, Vec::new());
    for (alerts, sightings) in all {
        let mut sightings = sightings.clone();
        sightings.sort_unstable();
        let agrees = |alert: &&Timestamp| {
            let at = **alert + clock.difference;
            let from = sightings.partition_point(|sighting| *sighting < at - within);
            sightings.get(from).is_some_and(|sighting| *sighting <= at + lasts + within)
        };
        let (right, others): (Vec<&Timestamp>, Vec<&Timestamp>) =
            alerts.iter().filter(is_counted).partition(agrees);
        agreeing += right.len() as u64;
        wrong.extend(others);
    }
    (Clock { agreeing, of: agreeing + wrong.len() as u64, ..clock }, wrong)
}

/// All votes, in order, and what they are weighed by.
struct Tally {
    votes: Vec<Vote>,
    /// Those that vote.
    alerts: Vec<Timestamp>,
    /// Where moments begin.
    moments: Vec<Timestamp>,
    shown: CapturePeriod,
    /// How many moments would agree by chance.
    expected: f64,
}

/// A vote for a difference, in nanoseconds, by a moment and one of its alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Vote {
    d: i64,
    by: usize,
    place: usize,
}

/// Differences that agree.
#[derive(Clone, Copy, Debug)]
struct VoteWindow {
    /// How many moments do.
    agreeing: usize,
    /// The least, the one in the middle, the greatest.
    from: i64,
    median: i64,
    to: i64,
}

/// Where moments of such a length begin that hold all these times.
pub(crate) fn moments(alerts: impl Iterator<Item = Timestamp>, moment: Span) -> Vec<Timestamp> {
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

impl SearchScale {
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

    fn choose(&self, tally: &Tally) -> Option<VoteWindow> {
        let best = tally.best(|_| true)?;
        let is_none = best.from <= AGREE && best.to >= -AGREE;
        let others =
            tally.best(|vote| (vote.d - best.median).abs() > APART).map_or(0, |w| w.agreeing);
        let is_alone = match is_none {
            true => best.agreeing > others,
            false => best.agreeing >= others * AHEAD && !tally.fits_as_it_is(),
        };
        (is_alone && self.is_enough(&best, tally)).then_some(best)
    }

    /// The difference that does nearly as well as none or better: a packet or two may be missing.
    fn rival(&self, tally: &Tally) -> Option<Span> {
        let as_it_is = tally.best(|vote| vote.d.abs() <= AGREE).map_or(0, |zero| zero.agreeing);
        let other = tally.best(|vote| vote.d.abs() > APART)?;
        let is_rival = are_nearly_all(other.agreeing, as_it_is) && self.is_enough(&other, tally);
        is_rival.then_some(Span(other.median))
    }

    /// Whether enough agree on a difference.
    fn is_enough(&self, window: &VoteWindow, tally: &Tally) -> bool {
        window.agreeing >= self.agreeing_min
            && tally.agrees_with_the_capture(window)
            && self.is_no_chance(window.agreeing, tally.expected)
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

/// Whether so many of some agree that the others may be missing.
fn are_nearly_all(agreeing: usize, of: usize) -> bool {
    agreeing * DISAGREEING_SHARE >= of * (DISAGREEING_SHARE - 1)
}

impl Tally {
    /// How many times a difference puts into the capture.
    fn shown_of(&self, times: &[Timestamp], difference: i64) -> usize {
        let (from, to) = (self.shown.0 - Span(AGREE), self.shown.1 + Span(AGREE));
        let is_shown = |time: &&Timestamp| (from..=to).contains(&(**time + Span(difference)));
        times.iter().filter(is_shown).count()
    }

    /// Whether nearly all moments agree that a difference puts into the capture, and nearly all alerts: of two firewalls
    /// in one file one may agree in each moment.
    fn agrees_with_the_capture(&self, window: &VoteWindow) -> bool {
        let from = self.votes.partition_point(|vote| vote.d < window.median - AGREE);
        let votes = self.votes.iter().skip(from);
        let votes = votes.take_while(|vote| vote.d <= window.median + AGREE);
        let alerts: BTreeSet<usize> = votes.map(|vote| vote.place).collect();
        are_nearly_all(window.agreeing, self.shown_of(&self.moments, window.median))
            && are_nearly_all(alerts.len(), self.shown_of(&self.alerts, window.median))
    }

    /// Whether the alerts that are of the capture's time fit without any difference.
    fn fits_as_it_is(&self) -> bool {
        let zero = self.best(|vote| vote.d.abs() <= AGREE);
        zero.is_some_and(|zero| self.agrees_with_the_capture(&zero))
    }

    /// Among the votes that count, the window in which most moments agree; the one nearest to zero, of those.
    fn best(&self, counts: impl Fn(&Vote) -> bool) -> Option<VoteWindow> {
        let votes: Vec<Vote> = self.votes.iter().copied().filter(|vote| counts(vote)).collect();
        let mut inside = vec![0usize; self.moments.len()];
        let (mut agreeing, mut start) = (0, 0);
        let mut found: Option<(usize, i64, VoteWindow)> = None;
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
                found = Some((agreeing, distance, VoteWindow { agreeing, from, median, to }));
            }
        }
        found.map(|(_, _, window)| window)
    }
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
        estimate(&[(times(&alerts), times(sightings))], DAY, false)
    }

    /// A capture of a day.
    const DAY: Option<CapturePeriod> = Some((
        Timestamp(1_772_443_062_000_000_000 - 3_600_000_000_000),
        Timestamp(1_772_443_062_000_000_000 + 82_800_000_000_000),
    ));

    #[test]
    fn a_difference_that_all_agree_on_is_found() {
        for off in [0, 7, -3593, 3600, -43_200, 39_600 + 95] {
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
        let clock = estimate(&parts, DAY, false);
        assert!(
            clock.is_estimated && (38..=42).contains(&(clock.difference.0 / 1_000_000_000)),
            "{clock:?}"
        );
    }

    #[test]
    fn alerts_of_one_moment_have_one_vote() {
        // What is asked for together at one time is so at another.
        let parts = [0, 0, 1].map(|at| (times(&[at]), times(&[8_740 + at])));
        assert_eq!(estimate(&parts, DAY, false), Clock { of: 3, ..Clock::default() });
        let burst = [0, 4, 8].map(|at| (times(&[at]), times(&[5_400 + at])));
        assert_eq!(estimate(&burst, DAY, false), Clock { of: 3, ..Clock::default() });
        let tries =
            [0, 3_600, 7_200].map(|at| (times(&[at]), times(&[at, at + 1, at + 3, at + 7])));
        assert!(estimate(&tries, DAY, false).is_estimated);
        let parts = [0, 7_200, 9_300].map(|at| (times(&[at]), times(&[12 + at])));
        let twice = estimate(&[&parts[..], &parts[..]].concat(), DAY, false);
        assert_eq!(twice.difference, Span::from_secs(12));
        assert_eq!((twice.agreeing, twice.of), (6, 6), "it is alerts that are counted");
    }

    #[test]
    fn two_alerts_say_nothing_of_the_clock() {
        let clock = estimated(3600, &[0, 7_200], &[0, 7_200]);
        assert_eq!(clock, Clock { of: 2, ..Clock::default() });
    }

    #[test]
    fn even_intervals_agree_with_themselves_one_off_and_tell_nothing_but_that_clocks_agree() {
        let every: Vec<i64> = (0..12).map(|n| n * 60).collect();
        assert!(estimated(0, &every, &every).is_estimated);
        for (off, alerts) in [(-3600, &every[..]), (-3600, &every[3..9]), (0, &every[3..9])] {
            let clock = estimated(off, alerts, &every);
            assert!(!clock.is_estimated, "it could be any of several: {clock:?}");
        }
    }

    #[test]
    fn a_capture_that_begins_late_puts_no_alert_on_the_next_interval() {
        for (interval, many, late) in [(600, 4, 1), (600, 6, 2), (300, 12, 4), (300, 24, 8)] {
            let alerts: Vec<i64> = (0..many).map(|n| n * interval).collect();
            let seen: Vec<i64> = (late..many + 24).map(|n| n * interval).collect();
            let shown = Some((at(late * interval - 60), at((many + 24) * interval)));
            let clock = estimate(&[(times(&alerts), times(&seen))], shown, false);
            assert!(!clock.is_estimated, "{interval} {many} {late}: {clock:?}");
        }
    }

    #[test]
    fn of_two_firewalls_in_one_file_no_clock_is_told() {
        let alerts: Vec<i64> = (0..8).map(|n| n * 1_000 + n * n * 7).collect();
        let seen: Vec<i64> = alerts.iter().map(|at| at + 20 * (at % 2)).collect();
        assert!(!estimated(0, &alerts, &seen).is_estimated);
        // One that does not fit is lost, say.
        let mut seen = alerts.clone();
        seen[3] += 500;
        assert!(estimated(0, &alerts, &seen).is_estimated);
    }

    #[test]
    fn what_others_ask_for_in_turn_may_be_a_clock_that_is_off() {
        let seen: Vec<i64> =
            (0..8).flat_map(|n| [n * 3_000 + n * n, n * 3_000 + n * n + 120]).collect();
        let shown = Some((at(-60), at(7 * 3_000 + 49 + 121)));
        let of = |off: i64, alerts: &[i64]| {
            let alerts: Vec<i64> = alerts.iter().map(|second| second + off).collect();
            estimate(&[(times(&alerts), times(&seen))], shown, false)
        };
        let first: Vec<i64> = seen.iter().copied().step_by(2).collect();
        // Of the first ones by a clock that is fast, or of the second ones: who is asked about counts for both.
        let clock = of(120, &first);
        assert_eq!((clock.is_estimated, clock.rival), (false, Some(Span::from_secs(-120))));
        // Both are there.
        let clock = of(0, &seen);
        assert_eq!((clock.is_estimated, clock.rival), (true, None));
    }

    #[test]
    fn of_two_firewalls_that_see_the_same_moments_no_clock_is_told() {
        let starts = [0, 1_000, 2_300, 3_100, 4_900];
        let parts: Vec<TimesOfTarget> = starts
            .iter()
            .flat_map(|start| {
                let (right, late) = (times(&[*start]), times(&[start + 5]));
                [(right, times(&[*start])), (late, times(&[start + 45]))]
            })
            .collect();
        let clock = estimate(&parts, DAY, false);
        assert!(!clock.is_estimated, "{clock:?}");
        let right: Vec<TimesOfTarget> = parts.into_iter().step_by(2).collect();
        assert!(estimate(&right, DAY, false).is_estimated);
    }

    #[test]
    fn times_without_seconds_tell_no_clock() {
        let start = 1_772_443_080;
        let whole: Vec<Timestamp> =
            (0..9).map(|n| Timestamp((start + n * 660) * 1_000_000_000)).collect();
        let seen: Vec<Timestamp> = whole.iter().map(|at| *at + Span::from_secs(13)).collect();
        assert!(!estimate(&[(whole, seen)], DAY, false).is_estimated);
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
        let parts: Vec<TimesOfTarget> = seconds
            .iter()
            .zip(alerts)
            .map(|(seen, alert)| (times(&[alert - off]), times(&[*seen])))
            .collect();
        estimate(&parts, Some((at(0), at(180))), false)
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
        // What puts them all out of the capture is told, too, if it is what clocks can be off by.
        assert_eq!(of_minutes(200, &seconds, &seconds).difference, Span::from_secs(200));
        assert!(!of_minutes(400, &seconds, &seconds).is_estimated);
    }

    #[test]
    fn what_is_asked_for_in_turn_is_not_taken_for_a_clock_that_is_off() {
        // Five names every 50 s. The capture lacks the first turns: what is there is a turn later.
        let turns = |from: i64| (from..180).step_by(50).collect::<Vec<_>>();
        let parts: Vec<TimesOfTarget> = (0..5)
            .map(|n| {
                let start = n * 10;
                (times(&turns(start)), times(&turns(start).split_off(1)))
            })
            .collect();
        let clock = estimate(&parts, Some((at(0), at(180))), false);
        assert!(!clock.is_estimated, "{clock:?}");
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
            let clock = estimate(&parts, span, false);
            prop_assert!(clock.agreeing <= clock.of);
        }
    }
}
