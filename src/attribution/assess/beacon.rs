//! Whether somebody asks at even intervals, as a program does that reports to its master (beaconing).
//!
//! Questions near each other count as one moment: a name is asked for with several types, and again when
//! no answer comes. The median interval is the first guess at the period. Of an interval about `k` times
//! as long, `k - 1` moments are taken to be missing: lost, or answered from the client's own cache. Much
//! longer ones are pauses (a notebook asleep) and are left aside. Then:
//!
//! 1. most intervals must be about one period long;
//! 2. the deviations from the nearest multiple must be small beside the period: by their median, which a
//!    few odd intervals do not spoil, or, where there are few intervals, all of them.
//!
//! How small depends on how many there are. Somebody who asks at random (intervals spread exponentially)
//! has about a third of them within half of the median, which is what rule 1 is held against: the tests
//! measure how often chance passes. Programs that vary their intervals on purpose, by up to half of them,
//! pass all the same if there are enough.
//!
//! Only differences of times are looked at, so that shifting all times changes nothing.

use crate::time::{Span, Timestamp};

/// How near each other questions count as one moment, tried in this order. The longer ones are for
/// programs that ask several times whenever they ask.
const MOMENTS: [Span; 4] =
    [Span::from_secs(600), Span::from_secs(120), Span::from_secs(30), Span::from_secs(5)];
/// A period is at least so many times that: merging alone makes intervals look even.
const PERIOD_MIN: i64 = 3;
/// A longer interval than so many periods is a pause.
const PERIODS_MAX: i64 = 12;
/// Of the intervals, so many in a hundred must be one period.
const SINGLE_PERCENT_MIN: usize = 60;

/// Questions at even intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beat {
    /// From one moment to the next.
    pub period: Span,
    /// Half of the intervals deviate from it by no more than this; with few intervals, none does by more.
    pub jitter: Span,
    /// How many moments.
    pub count: usize,
    /// The first moment.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}

/// The beat of some times in order, if they have one.
pub(super) fn beat(times: &[Timestamp]) -> Option<Beat> {
    MOMENTS.iter().find_map(|moment| beat_of(&moments(times, *moment), *moment))
}

/// The times without those that follow another at once.
fn moments(times: &[Timestamp], together: Span) -> Vec<Timestamp> {
    let mut starts: Vec<Timestamp> = Vec::new();
    let mut latest = None;
    for time in times {
        if latest.is_none_or(|latest| *time - latest > together) {
            starts.push(*time);
        }
        latest = Some(*time);
    }
    starts
}

fn beat_of(moments: &[Timestamp], together: Span) -> Option<Beat> {
    let (first, last) = (*moments.first()?, *moments.last()?);
    let mut intervals: Vec<i64> =
        moments.iter().zip(moments.iter().skip(1)).map(|(one, next)| (*next - *one).0).collect();
    intervals.sort_unstable();
    let guess = lower_median(&intervals)?;
    if guess < together.0.saturating_mul(PERIOD_MIN) {
        return None;
    }
    let singles: Vec<i64> =
        intervals.iter().copied().filter(|interval| periods(*interval, guess) == 1).collect();
    let period = lower_median(&singles)?;
    let counted: Vec<i64> = intervals
        .iter()
        .copied()
        .filter(|interval| periods(*interval, period) <= PERIODS_MAX)
        .collect();
    let pauses = intervals.len() - counted.len();
    if pauses * 4 > intervals.len() {
        return None;
    }
    let single_percent = singles.len() * 100 / counted.len().max(1);
    if single_percent < SINGLE_PERCENT_MIN {
        return None;
    }
    let mut deviations: Vec<i64> = counted
        .iter()
        .map(|interval| {
            let nearest = periods(*interval, period).saturating_mul(period);
            interval.saturating_sub(nearest).saturating_abs()
        })
        .collect();
    deviations.sort_unstable();
    let few = Few::of(counted.len());
    let jitter = match few {
        Few::Two | Few::UpToFour => *deviations.last()?,
        _ => *deviations.get(deviations.len() / 2)?,
    };
    let allowed = few.allowed_permille(single_percent >= 95)?;
    let is_even = i128::from(jitter) * 1000 <= i128::from(period) * i128::from(allowed);
    (is_even && period >= few.period_min().0).then_some(Beat {
        period: Span(period),
        jitter: Span(jitter),
        count: moments.len(),
        first,
        last,
    })
}

/// How many intervals there are to judge by.
#[derive(Clone, Copy, Debug)]
enum Few {
    Hardly,
    Two,
    UpToFour,
    UpToNine,
    Enough,
    Many,
}

impl Few {
    fn of(intervals: usize) -> Few {
        match intervals {
            ..2 => Few::Hardly,
            2 => Few::Two,
            3..5 => Few::UpToFour,
            5..10 => Few::UpToNine,
            10..30 => Few::Enough,
            _ => Few::Many,
        }
    }

    /// The jitter that is small, in thousandths of the period.
    fn allowed_permille(self, all_single: bool) -> Option<u16> {
        match (self, all_single) {
            (Few::Hardly, _) => None,
            (Few::Two, _) => Some(1),
            (Few::UpToFour, _) => Some(10),
            (Few::UpToNine, true) => Some(40),
            (Few::UpToNine, false) => Some(5),
            (Few::Enough, true) => Some(150),
            (Few::Many, true) => Some(200),
            (Few::Enough | Few::Many, false) => Some(50),
        }
    }

    /// The shortest period: a few questions soon after one another are one attempt.
    fn period_min(self) -> Span {
        match self {
            Few::Hardly | Few::Two => Span::from_secs(600),
            Few::UpToFour => Span::from_secs(60),
            Few::UpToNine | Few::Enough | Few::Many => Span(0),
        }
    }
}

/// How many periods an interval is, rounded, at least one.
fn periods(interval: i64, period: i64) -> i64 {
    let half = period / 2;
    (interval.saturating_add(half) / period.max(1)).max(1)
}

fn lower_median(sorted: &[i64]) -> Option<i64> {
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: impl IntoIterator<Item = f64>) -> Vec<Timestamp> {
        let nanos = |second: f64| Timestamp(1_575_015_900_000_000_000 + (second * 1e9) as i64);
        seconds.into_iter().map(nanos).collect()
    }

    /// Numbers between 0 and 1 that look random and are the same in every run.
    fn chance(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    /// Times that follow one another by what `interval` gives.
    fn following(count: usize, mut interval: impl FnMut() -> f64) -> Vec<Timestamp> {
        let mut now = 0.0;
        at((0..count).map(|_| {
            now += interval();
            now
        }))
    }

    #[test]
    fn an_even_beat_is_found_with_its_period() {
        let beat = beat(&at((0..20).map(|n| f64::from(n) * 3600.0))).unwrap();
        assert_eq!((beat.period, beat.jitter, beat.count), (Span::from_secs(3600), Span(0), 20));
        assert_eq!(beat.last - beat.first, Span::from_secs(19 * 3600));
    }

    #[test]
    fn questions_of_several_types_and_repeated_ones_are_one_moment() {
        let times = (0..10).flat_map(|n| [0.0, 0.002, 1.0, 3.1].map(|t| f64::from(n) * 600.0 + t));
        let found = beat(&at(times)).unwrap();
        assert_eq!((found.period, found.count), (Span::from_secs(600), 10));
        // Attempts that follow each other by half a minute, every hour.
        let times = (0..10).flat_map(|n| [0.0, 25.0, 50.0].map(|t| f64::from(n) * 3600.0 + t));
        assert_eq!(beat(&at(times)).unwrap().period, Span::from_secs(3600));
    }

    #[test]
    fn missing_moments_and_pauses_do_not_hide_it() {
        let missed = [3, 4, 9, 15];
        let times = (0..30).filter(|n| !missed.contains(n)).map(|n| f64::from(n) * 300.0);
        assert_eq!(beat(&at(times)).unwrap().period, Span::from_secs(300));
        let night = (0..30).map(|n| f64::from(n) * 300.0 + if n < 15 { 0.0 } else { 50_123.0 });
        assert_eq!(beat(&at(night)).unwrap().period, Span::from_secs(300));
    }

    #[test]
    fn intervals_varied_on_purpose_are_found_if_there_are_enough() {
        for (seed, vary) in [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.5)] {
            let mut chance = chance(seed);
            let found = beat(&following(40, || 60.0 * (1.0 - vary * chance()))).unwrap();
            let middle = 60.0 * (1.0 - vary / 2.0);
            assert!((found.period.as_secs_f64() - middle).abs() < 6.0, "{found:?}");
            assert!(found.jitter.as_secs_f64() < 60.0 * vary, "{found:?}");
        }
    }

    #[test]
    fn three_moments_must_be_very_even_and_far_apart() {
        assert!(beat(&at([0.0, 7200.5, 14_400.8])).is_some());
        assert!(beat(&at([0.0, 7200.5, 14_500.0])).is_none());
        assert!(beat(&at([0.0, 30.0, 60.0])).is_none(), "three attempts");
        assert!(beat(&at([0.0, 7200.0])).is_none(), "two moments have no beat");
        assert!(beat(&[]).is_none());
    }

    #[test]
    fn a_name_asked_for_all_the_time_has_no_beat() {
        assert!(beat(&at((0..500).map(f64::from))).is_none());
    }

    #[test]
    fn chance_hardly_ever_looks_even() {
        let runs = 2_000;
        for count in [3, 4, 6, 11, 40, 128] {
            let found = (0..runs)
                .filter(|run| {
                    let mut chance = chance(1 + count as u64 * 100_000 + run);
                    beat(&following(count, || -900.0 * (1.0 - chance()).ln())).is_some()
                })
                .count();
            // One in 150 at most, of people who ask for one name at random times.
            assert!(found * 150 <= runs as usize, "{found} of {runs} with {count} questions");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_shifting_changes_nothing(
            mut times in prop::collection::vec(-(1i64 << 61)..(1 << 61), 0..200),
            shift in -(1i64 << 60)..(1 << 60),
        ) {
            times.sort_unstable();
            let of = |shift: i64| {
                let times: Vec<Timestamp> = times.iter().map(|t| Timestamp(t + shift)).collect();
                beat(&times).map(|beat| (beat.period, beat.jitter, beat.count))
            };
            prop_assert_eq!(of(0), of(shift));
        }

        #[test]
        fn a_beat_is_found_at_any_time_of_day(
            start in 0.0f64..1e9, period in 20.0f64..20_000.0, count in 8usize..100,
        ) {
            let times = at((0..count).map(|n| start + n as f64 * period));
            let found = beat(&times).map(|beat| beat.period.as_secs_f64());
            prop_assert!(found.is_some_and(|found| (found - period).abs() < 0.01), "{:?}", found);
        }
    }
}
