//! The firewall's alerts, each with its answer.

use super::shown::Shown;
use super::view::Seen;
use crate::alert::{Answer, Suspect};
use crate::attribution::Verdict;
use crate::report::text::words;
use crate::report::timed::zone_that_fits;

/// How many alerts are shown.
const ALERTS_MAX: usize = 400;
/// How many clients are named with one.
const SUSPECTS_MAX: usize = 12;
/// How many names are shown that a client asked.
const NAMES_MAX: usize = 4;
/// How much of an alert's own text is shown, in characters.
const TEXT_MAX: usize = 400;

/// The section.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts {
    pub sentence: Shown,
    pub answered: Vec<Answered>,
    pub more: String,
}

/// An alert and its answer.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub number: usize,
    pub class: &'static str,
    pub label: &'static str,
    pub destination: Shown,
    /// What else the alert says, in words.
    pub said: Vec<Shown>,
    pub text: Shown,
    pub place: Shown,
    pub section: usize,
    pub suspects: Vec<Named>,
    pub more: String,
    pub reason: Shown,
    pub nearest: Shown,
}

/// A client named for it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub card: usize,
    pub address: Shown,
    pub words: Shown,
}

/// The section, empty where no alerts were given.
pub(super) fn answers(seen: &Seen<'_>) -> Alerts {
    let answers = seen.ending.answers;
    if answers.is_empty() {
        return Alerts::default();
    }
    let of = |verdict| answers.iter().filter(|answer| answer.verdict == verdict).count() as u64;
    let mut parts = Vec::new();
    let mut say = |number: u64, what: &str| {
        if number > 0 {
            parts.push(format!("{} {what}", words::number(number)));
        }
    };
    say(of(Some(Verdict::Attributed)), "with a client");
    say(of(Some(Verdict::NoClient)), "without one");
    say(of(Some(Verdict::Undetermined)), "that cannot be decided");
    let of_other_times = answers.iter().filter(|a| a.basis.is_of_other_times).count() as u64;
    say(of_other_times, "of what was asked for at other times only");
    say(of(None) - of_other_times, "that nothing in the capture answers");
    let zone = zone_that_fits(answers).map_or(String::new(), |words| format!(" {words}"));
    let alerts = words::count(answers.len() as u64, "alert", "alerts");
    let left = answers.len().saturating_sub(ALERTS_MAX);
    let shown = answers.iter().take(ALERTS_MAX).enumerate();
    Alerts {
        sentence: Shown::new(&format!("{alerts}: {}.{zone}", words::list(&parts))),
        answered: shown
            .map(|(place, answer)| answered(seen, place + 1, answer, !zone.is_empty()))
            .collect(),
        more: match left {
            0 => String::new(),
            left => words::count(left as u64, "further alert is", "further alerts are"),
        },
    }
}

fn answered(seen: &Seen<'_>, number: usize, answer: &Answer, zone_is_said: bool) -> Answered {
    let alert = &answer.alert;
    let (class, label) = match answer.verdict {
        Some(Verdict::Attributed) => ("named", "Client found"),
        Some(Verdict::NoClient) => ("nobody", "No client"),
        Some(Verdict::Undetermined) => ("open", "Cannot be decided"),
        None if answer.basis.is_of_other_times => ("open", "At other times only"),
        None => ("open", "Not in this capture"),
    };
    let mut said = Vec::new();
    if let Some(threat) = &alert.threat {
        said.push(format!("threat {threat}"));
    }
    if let Some(host) = &alert.host {
        said.push(format!("blamed on {host}"));
    }
    if let Some(time) = alert.time {
        said.push(format!("at {} by the firewall's clock", seen.at(time)));
    }
    if let Some(events) = alert.events {
        said.push(words::count(events, "event", "events"));
    }
    let left = answer.clients.len().saturating_sub(SUSPECTS_MAX);
    let mut suspects: Vec<&Suspect> = answer.clients.iter().collect();
    suspects.sort_by_key(|one| !seen.ending.has_connected(one.address, answer));
    Answered {
        number,
        class,
        label,
        destination: Shown::new(&alert.destination),
        said: said.iter().map(|text| Shown::new(text)).collect(),
        text: Shown::short(&alert.text, TEXT_MAX),
        place: Shown::new(&format!("{}, line {}", alert.file, alert.line)),
        section: answer.indicator.map_or(0, |indicator| seen.section(indicator)),
        suspects: suspects.iter().take(SUSPECTS_MAX).map(|one| named(seen, one, answer)).collect(),
        more: match left {
            0 => String::new(),
            left => words::count(left as u64, "more client", "more clients"),
        },
        reason: Shown::new(answer.reason.as_deref().unwrap_or_default()),
        nearest: Shown::new(match zone_is_said && !answer.basis.zones.is_empty() {
            true => "",
            false => answer.nearest.as_deref().unwrap_or_default(),
        }),
    }
}

fn named(seen: &Seen<'_>, suspect: &Suspect, answer: &Answer) -> Named {
    let names: Vec<&str> = suspect.asked.iter().take(NAMES_MAX).map(String::as_str).collect();
    let more = match suspect.asked.len().saturating_sub(NAMES_MAX) {
        0 => String::new(),
        more => format!(" and {}", words::count(more as u64, "other name", "other names")),
    };
    let when = seen.often(suspect.asks, suspect.first, suspect.last);
    let sure = words::sure_of(suspect.confidence_permille, [suspect.role]);
    let connected = seen.ending.connected(suspect, answer);
    let connected = connected.map_or(String::new(), |(at, is_before)| {
        let connected = if is_before { "had connected there before," } else { "connected there" };
        format!(", and {connected} at {}", seen.at(at))
    });
    let called =
        suspect.hostname.as_ref().map_or(String::new(), |name| format!("({}) ", name.name));
    Named {
        card: seen.card(suspect.address),
        address: Shown::new(&suspect.address.to_string()),
        words: Shown::new(&format!(
            "{called}asked for {}{more} {when}{connected}; {sure}",
            names.join(", ")
        )),
    }
}
