//! All machines in one table: where to begin.

use std::collections::{BTreeMap, BTreeSet};

use super::Suspected;
use super::advice;
use super::path::shortest;
use super::view::PageContext;
use super::visible_text::VisibleText;
use crate::contact::Contact;
use crate::flow::Address;
use crate::report::weighed::Urgency;
use crate::report::wording::words;

/// How many clients are listed.
const ROWS_MAX: usize = 2_120;
/// How much of what was flagged stands with one.
const FLAGGED_MAX: usize = 2;
/// How many runs of alerts stand with one.
const RUNS_MAX: usize = 6;
/// Below this it is said how sure a client is, in thousandths.
const SURE: u16 = 950;

/// The table.
#[derive(Clone, Debug, Default)]
pub(super) struct Overview {
    pub rows: Vec<Row>,
    /// Whether alerts stand in it.
    pub has_alerts: bool,
    /// How many have no row.
    pub more: String,
}

/// A client.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub card: usize,
    pub address: VisibleText,
    pub hostname: VisibleText,
    pub flagged: Vec<Value>,
    pub more: String,
    pub first: VisibleText,
    pub last: VisibleText,
    pub connected: &'static str,
    pub class: &'static str,
    pub label: &'static str,
    /// What to do about it.
    pub to_do: &'static str,
    /// How sure, where that is not plain.
    pub sure: VisibleText,
    pub alerts: VisibleText,
}

/// What is flagged, and the number of its section, 0 without one.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub section: usize,
    pub value: VisibleText,
}

/// The table; empty where the cards of a few clients say the same.
pub(super) fn overview(context: &PageContext<'_>) -> Overview {
    if context.is_few() {
        return Overview::default();
    }
    let alerts = alerts(context);
    let left = context.clients.len().saturating_sub(ROWS_MAX);
    Overview {
        rows: context
            .clients
            .iter()
            .take(ROWS_MAX)
            .map(|client| row(context, client, alerts.get(&client.address)))
            .collect(),
        has_alerts: !context.ending.answers.is_empty(),
        more: if left == 0 { String::new() } else { words::number(left as u64) },
    }
}

type Numbers<'a> = BTreeMap<&'a str, BTreeSet<u32>>;

fn row(context: &PageContext<'_>, client: &Suspected<'_>, alerts: Option<&Numbers<'_>>) -> Row {
    let hostname = match client.person.hostnames.as_slice() {
        [] => String::new(),
        [name] => name.name.clone(),
        [name, others @ ..] => format!("{} +{}", name.name, others.len()),
    };
    let dealings = &client.dealings;
    let flagged = dealings.iter().take(FLAGGED_MAX).map(|dealing| Value {
        section: context.section(dealing.indicator),
        value: VisibleText::new(context.value(dealing.indicator)),
    });
    let first = dealings.iter().map(|dealing| dealing.first).min().unwrap_or_default();
    let last = dealings.iter().map(|dealing| dealing.last).max().unwrap_or_default();
    let surest = dealings.iter().map(|dealing| dealing.most_permille).max().unwrap_or_default();
    Row {
        card: context.card(client.address),
        address: VisibleText::new(&client.address.to_string()),
        hostname: VisibleText::new(&hostname),
        flagged: flagged.collect(),
        more: match dealings.len().saturating_sub(FLAGGED_MAX) {
            0 => String::new(),
            more => format!("and {} more", words::number(more as u64)),
        },
        first: VisibleText::new(&context.times.at(first)),
        last: VisibleText::new(&context.times.at(last)),
        connected: connected(client),
        class: client.urgency.class(),
        label: context.label(client.urgency),
        to_do: advice::id(client.urgency),
        sure: VisibleText::new(&if surest < SURE {
            words::sureness(surest)
        } else {
            String::new()
        }),
        alerts: match alerts {
            Some(alerts) => VisibleText::new(&numbers(alerts)),
            // It is named for none, but was there.
            None if context.timed.is_some() && client.urgency != Urgency::Other => {
                VisibleText::new("also at about that time")
            }
            None => VisibleText::default(),
        },
    }
}

fn connected(client: &Suspected<'_>) -> &'static str {
    let mut most = Contact::default();
    client.dealings.iter().for_each(|dealing| most.learn(&dealing.contact));
    most.as_str()
}

/// The alerts that each client is named for, by their file.
fn alerts<'a>(context: &PageContext<'a>) -> BTreeMap<Address, Numbers<'a>> {
    let answers = context.ending.answers;
    let files: BTreeSet<&str> = answers.iter().map(|answer| answer.alert.file.as_str()).collect();
    let mut alerts: BTreeMap<Address, Numbers<'a>> = BTreeMap::new();
    for answer in answers {
        let file = match files.len() {
            1 => "",
            _ => shortest(&answer.alert.file, files.iter().copied()),
        };
        for client in &answer.clients {
            let of_client = alerts.entry(client.address).or_default();
            of_client.entry(file).or_default().insert(answer.alert.number);
        }
    }
    alerts
}

/// `1–3, 7`, with their file where there are several.
fn numbers(alerts: &Numbers<'_>) -> String {
    let of = alerts.iter().map(|(file, numbers)| match *file {
        "" => runs(numbers),
        file => format!("{file}: {}", runs(numbers)),
    });
    of.collect::<Vec<_>>().join("; ")
}

/// Numbers in order, those that follow each other as one.
pub(super) fn runs(numbers: &BTreeSet<u32>) -> String {
    let runs = words::runs(numbers);
    let mut said: Vec<String> = runs
        .iter()
        .take(RUNS_MAX)
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}\u{2013}{last}"),
        })
        .collect();
    let left: u64 =
        runs.iter().skip(RUNS_MAX).map(|(first, last)| u64::from(last - first) + 1).sum();
    if left > 0 {
        said.push(format!("{} more", words::number(left)));
    }
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_that_follow_each_other_are_a_run() {
        let runs = |numbers: &[u32]| runs(&numbers.iter().copied().collect());
        assert_eq!(runs(&[7, 1, 3, 2]), "1–3, 7");
        assert_eq!(runs(&[4, 5]), "4–5");
        assert_eq!(runs(&[u32::MAX]), "4294967295");
        assert_eq!(runs(&[1, 3, 5, 7, 9, 11, 13, 14, 20]), "1, 3, 5, 7, 9, 11, 3 more");
    }
}
