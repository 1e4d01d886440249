//! What is said of alerts: of clocks, of those that name nothing, that a client connected; and what need not be said twice.

use std::collections::BTreeMap;

use super::ink::{Ink, Words};
use super::timed::zone_that_fits;
use super::words::{count, few, number};
use crate::alert::{Answer, Clock, Suspect};
use crate::report::Ending;
use crate::time::{Span, Timestamp};

/// How many firewalls are called by name in a sentence.
const NAMES_MAX: usize = 4;
/// How many sentences are said of firewalls' clocks.
const CLOCKS_MAX: usize = 8;
/// Of fewer alerts nobody expects that they tell how clocks differ.
const FEW: u64 = 3;
/// What is shorter is said again, in octets.
const SHORT: usize = 60;

/// What stands further up on a page, and where, so that no paragraph is said twice.
#[derive(Debug)]
pub(in crate::report) struct Above<Place>(BTreeMap<String, Place>);

impl<Place> Default for Above<Place> {
    fn default() -> Above<Place> {
        Above(BTreeMap::new())
    }
}

impl<Place> Above<Place> {
    /// Whether a text stands further up.
    pub fn has(&self, text: &str) -> bool {
        self.0.contains_key(text)
    }

    /// Where a text stands further up; none if it is to be said here, as short ones always are.
    pub fn of(&mut self, text: &str, here: impl FnOnce() -> Place) -> Option<&Place> {
        if text.len() <= SHORT {
            return None;
        }
        if !self.has(text) {
            self.0.insert(text.to_owned(), here());
            return None;
        }
        self.0.get(text)
    }
}

/// That a client connected to what an alert flags, after `it`; `at` says a time.
pub(in crate::report) fn connected(
    ending: &Ending<'_>,
    client: &Suspect,
    answer: &Answer,
    at: impl FnOnce(Timestamp) -> String,
) -> Option<String> {
    let (time, is_before) = ending.connected(client, answer)?;
    let before = if is_before { "had connected there before," } else { "connected there" };
    Some(format!("{before} at {}", at(time)))
}

/// Why nothing was looked for, if none of the alerts has a destination that can be one.
pub(in crate::report) fn misdirected(answers: &[Answer]) -> Option<&str> {
    let is_none = answers.iter().all(|answer| answer.basis.is_misdirected);
    answers.first().filter(|_| is_none)?.reason.as_deref()
}

/// How the clock of each firewall stands to the capture's, a sentence for all that stand alike. `name` calls a file, if it
/// must be called. Where another zone makes the alerts fit, that is said, and not that the clocks differ.
pub(in crate::report) fn clocks(
    answers: &[Answer],
    name: impl Fn(&str) -> Option<String>,
) -> Vec<Words> {
    let has_zone = zone_that_fits(answers).is_some();
    let mut clocks: BTreeMap<(&str, Option<&str>), Clock> = BTreeMap::new();
    for Answer { alert, basis, .. } in answers {
        // Of another day nobody expects that it tells.
        let is_within = !basis.is_of_another_day || basis.gap.is_some();
        let clock = basis.clock.filter(|clock| clock.is_estimated || is_within);
        let clock = clock.filter(|clock| !(has_zone && clock.is_doubtful));
        if let Some(clock) = clock {
            clocks.insert((&alert.file, alert.device.as_deref()), clock);
        }
    }
    let are_several = clocks.len() > 1;
    let mut alike: Vec<(Clock, Vec<String>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (&(file, device), clock) in &clocks {
        let device = device.filter(|_| are_several).map(str::to_owned);
        let whose: Vec<String> = name(file).into_iter().chain(device).collect();
        let new = alike.len();
        let place = *places.entry(clock_words("", *clock).plain_text()).or_insert(new);
        if place == new {
            alike.push((*clock, Vec::new()));
        }
        if let Some((_, all)) = alike.get_mut(place) {
            all.push(whose.join(": "));
        }
    }
    let is_of_all = alike.len() == 1;
    let said = alike.iter().take(CLOCKS_MAX).map(|(clock, whose)| {
        let is_of_several = is_of_all && whose.len() > 1;
        let whose = few(whose.iter().take(NAMES_MAX), whose.len());
        let is_said = is_of_several || whose.is_empty();
        clock_words(&if is_said { String::new() } else { format!("{whose}: ") }, *clock)
    });
    let mut said: Vec<Words> = said.collect();
    if let Some(more @ 1..) = alike.len().checked_sub(CLOCKS_MAX) {
        let more = number(more as u64);
        let text = format!("For the clocks of {more} more firewalls, use --format jsonl.");
        said.push(Words::of(Ink::Caution, &text));
    }
    said
}

/// How the firewall's clock stands to the capture's; before it, which firewall's.
fn clock_words(whose: &str, clock: Clock) -> Words {
    let agree = format!("{} of {}", number(clock.agreeing), count(clock.of, "alert", "alerts"));
    if clock.is_doubtful {
        let text = format!(
            "{whose}The firewall's clock differs from the capture's, or alerts flag what is not in it: {agree} fit \
             in time. The difference cannot be determined, so none is assumed: the confidence that a client asked \
             says nothing about whether it raised the alert."
        );
        return Words::of(Ink::Caution, &text);
    }
    if clock.is_of_minutes {
        let text = format!(
            "{whose}The alerts' times are whole minutes: each is taken to mean the whole minute, and the \
             firewall's clock to agree with the capture's."
        );
        return Words::plain(&text);
    }
    if !clock.is_estimated && clock.rival.is_some() {
        let text = format!(
            "{whose}It cannot be told whether the firewall's clock differs from the capture's: several differences \
             fit equally well. None is assumed."
        );
        return Words::of(Ink::Caution, &text);
    }
    if !clock.is_estimated && clock.of < FEW {
        let text = format!(
            "{whose}The firewall's clock is taken to agree with the capture's, give or take a minute."
        );
        return Words::plain(&text);
    }
    if !clock.is_estimated {
        let text = format!(
            "{whose}It cannot be told whether the firewall's clock differs from the capture's: too few alerts \
             agree on it. It is taken to agree, give or take a minute."
        );
        return Words::of(Ink::Caution, &text);
    }
    if clock.agrees() {
        let text = format!("{whose}The firewall's clock and the capture's agree, by {agree}.");
        return Words::plain(&text);
    }
    let way = if clock.difference.0 > 0 { "behind" } else { "ahead of" };
    let by = exactly(clock.difference.abs());
    let text = format!(
        "{whose}The firewall's clock is {by} {way} the capture's, by {agree}; times here are the capture's."
    );
    Words::of(Ink::Caution, &text)
}

/// `59 min 53 s`, `1 h 00 min 07 s`.
fn exactly(span: Span) -> String {
    let seconds = (span.0 + 500_000_000) / 1_000_000_000;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min {:02} s", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_clocks_are_said_to_the_second() {
        assert_eq!(exactly(Span::from_secs(7)), "7 s");
        assert_eq!(exactly(Span::from_secs(3593)), "59 min 53 s");
        assert_eq!(exactly(Span::from_secs(3607)), "1 h 00 min 07 s");
        assert_eq!(exactly(Span::from_millis(59_600)), "1 min 00 s");
    }
}
