//! When it happened: a rail for each client over the time of the capture.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Dealing;
use super::view::PageContext;
use super::visible_text::VisibleText;
use crate::report::weighed::Urgency;
use crate::report::wording::words::{count, number};
use crate::time::{Span, Timestamp};

/// How wide a rail is, in units of its own.
const WIDTH: i64 = 1_000;
/// How many labels stand under the rails; on a telephone there is no room for more.
const TICKS_MAX: i64 = 5;
/// How far apart labels may stand, in seconds.
const STEPS: [i64; 26] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
    86_400, 172_800, 259_200, 604_800, 1_296_000, 2_592_000, 7_776_000, 31_536_000, 94_608_000,
];

/// Rails over one time axis.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    pub rails: Vec<Rail>,
    pub ticks: Vec<Tick>,
    /// How many clients have no rail.
    pub more: String,
}

/// One client's questions.
#[derive(Clone, Debug)]
pub(super) struct Rail {
    pub label: VisibleText,
    /// The number of the client's card, 0 without one.
    pub card: usize,
    pub class: &'static str,
    /// The marks, as the path of an SVG.
    pub path: String,
    /// What the marks are, for who cannot see them.
    pub title: VisibleText,
    pub often: String,
}

/// A label under the rails.
#[derive(Clone, Debug)]
pub(super) struct Tick {
    /// In percent of the width.
    pub x: String,
    /// Which side of the label stands there.
    pub anchor: &'static str,
    pub label: VisibleText,
}

/// The time that rails stretch over.
#[derive(Clone, Copy, Debug)]
struct Axis {
    first: Timestamp,
    last: Timestamp,
}

impl Axis {
    fn of(context: &PageContext<'_>) -> Axis {
        let (first, last) = context.ending.coverage.span.unwrap_or_default();
        Axis { first, last: last.max(first) }
    }

    /// Where a time stands, of [`WIDTH`].
    fn place(self, time: Timestamp) -> i64 {
        let span = i128::from((self.last - self.first).0);
        if span == 0 {
            return WIDTH / 2;
        }
        let from = i128::from(time.0) - i128::from(self.first.0);
        let place = from * i128::from(WIDTH) / span;
        i64::try_from(place).unwrap_or_default().clamp(0, WIDTH)
    }

    /// Times at round distances, few enough.
    fn rounds(self) -> (i64, Vec<Timestamp>) {
        let (first, last) = (self.first.seconds(), self.last.seconds());
        let wide = |step: &&i64| (last.saturating_sub(first)) / **step < TICKS_MAX;
        let step = STEPS.iter().find(wide).copied().unwrap_or(last.saturating_sub(first).max(1));
        let mut at = first.div_euclid(step).saturating_add(1).saturating_mul(step);
        let mut times = Vec::new();
        while at <= last && times.len() < TICKS_MAX as usize {
            times.push(Timestamp(at.saturating_mul(1_000_000_000)));
            at = at.saturating_add(step);
        }
        (step, times)
    }
}

/// Rails for clients, each with the dealings to be shown on it; at most `rails_max`.
pub(super) fn draw(
    context: &PageContext<'_>,
    clients: &[(crate::flow::Address, Vec<&Dealing>)],
    rails_max: usize,
) -> Timeline {
    let axis = Axis::of(context);
    let shown = clients.iter().take(rails_max);
    let rails = shown.map(|(address, dealings)| {
        let mut marks: BTreeMap<i64, u64> = BTreeMap::new();
        for (time, count) in dealings.iter().flat_map(|dealing| dealing.moments.iter()) {
            *marks.entry(axis.place(time)).or_default() += count;
        }
        let mut path = String::new();
        for place in marks.keys() {
            let _ = write!(path, "M{place} 3v14");
        }
        let asks: u64 = dealings.iter().map(|dealing| dealing.asks).sum();
        let first = dealings.iter().map(|dealing| dealing.first).min().unwrap_or_default();
        let last = dealings.iter().map(|dealing| dealing.last).max().unwrap_or_default();
        let often = context.often(asks, first, last);
        let urgency = dealings.iter().map(|dealing| context.urgency(dealing)).min();
        Rail {
            label: VisibleText::new(&address.to_string()),
            card: context.card(*address),
            class: urgency.map_or("", Urgency::class),
            path,
            title: VisibleText::new(&format!("{address} asked {often}")),
            often: format!("{}×", number(asks)),
        }
    });
    let more = clients.len().saturating_sub(rails_max);
    Timeline {
        rails: rails.collect(),
        ticks: ticks(context, axis),
        more: if more == 0 {
            String::new()
        } else {
            count(more as u64, "more client", "more clients")
        },
    }
}

fn ticks(context: &PageContext<'_>, axis: Axis) -> Vec<Tick> {
    let (step, times) = axis.rounds();
    let ticks = times.into_iter().map(|time| {
        let place = axis.place(time);
        Tick {
            x: format!("{}.{}%", place / 10, place % 10),
            anchor: match place {
                ..60 => "start",
                60..=940 => "middle",
                _ => "end",
            },
            label: VisibleText::new(&label(&context.times.at(time), step)),
        }
    });
    ticks.collect()
}

/// As much of a time as is not the same on every label: `09:00`, `09:00:30`, `11-30 09:00`, `2019-11-30`.
fn label(time: &str, step: i64) -> String {
    let (date, clock) =
        time.split_once(' ').map_or((None, time), |(date, clock)| (Some(date), clock));
    let clock = if step % 60 == 0 { clock.get(..5).unwrap_or(clock) } else { clock };
    match date {
        Some(date) if step >= Span::from_secs(86_400).0 / 1_000_000_000 => date.to_owned(),
        Some(date) => format!("{} {clock}", date.get(5..).unwrap_or(date)),
        None => clock.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(seconds: i64) -> Axis {
        let first = Timestamp(1_575_015_901_000_000_000);
        Axis { first, last: first + Span::from_secs(seconds) }
    }

    #[test]
    fn labels_are_few_and_at_round_times() {
        for seconds in [0, 1, 7, 59, 61, 3_600, 32_400, 86_400, 864_000, 400_000_000] {
            let (step, times) = axis(seconds).rounds();
            assert!(times.len() <= 5, "{seconds}: {times:?}");
            assert!(times.iter().all(|time| time.seconds() % step == 0));
            assert!(seconds < 61 || times.len() >= 2, "{seconds}: {times:?}");
        }
        let all = Axis { first: Timestamp(i64::MIN), last: Timestamp(i64::MAX) };
        assert!(all.rounds().1.len() <= 5);
    }

    #[test]
    fn places_lie_on_the_rail() {
        let axis = axis(100);
        assert_eq!(
            [0, 25, 100].map(|s| axis.place(axis.first + Span::from_secs(s))),
            [0, 250, 1000]
        );
        assert_eq!(axis.place(Timestamp(i64::MIN)), 0);
        assert_eq!(axis.place(Timestamp(i64::MAX)), 1000);
        let still = Axis { first: Timestamp(7), last: Timestamp(7) };
        assert_eq!(still.place(Timestamp(7)), 500);
        let all = Axis { first: Timestamp(i64::MIN), last: Timestamp(i64::MAX) };
        assert!((0..=1000).contains(&all.place(Timestamp(0))));
    }

    #[test]
    fn a_label_says_what_differs() {
        assert_eq!(label("09:00:00", 3_600), "09:00");
        assert_eq!(label("09:00:30", 30), "09:00:30");
        assert_eq!(label("2019-11-30 09:00:00", 3_600), "11-30 09:00");
        assert_eq!(label("2019-11-30 00:00:00", 86_400), "2019-11-30");
    }
}
