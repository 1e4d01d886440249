//! What was flagged, one section an indicator: what speaks for and against it, when it was asked for, and
//! how each client's question led there.

use super::cards::{contact, got, sureness, when};
use super::diagram::{self, Diagram, how};
use super::fold::{Dealing, Way};
use super::shown::Shown;
use super::timeline::{self, Timeline};
use super::view::{Evidence, Seen, Urgency};
use crate::attribution::Leaning;
use crate::indicator::IndicatorId;
use crate::report::text::words;

/// How many clients of an indicator are shown in full.
const CLIENTS_MAX: usize = 8;
/// How many drawings a page has; the sections come in order of urgency.
const DIAGRAMS_MAX: usize = 240;
/// How many hints stand with an indicator.
const HINTS_MAX: usize = 12;
/// How many indicators without a section are listed.
const ROWS_MAX: usize = 2_000;
/// How many drawings are open from the start, over all sections: on paper what is closed may be missing.
const OPEN_MAX: usize = 12;

/// An indicator's section.
#[derive(Clone, Debug)]
pub(super) struct Flagged {
    pub number: usize,
    pub class: &'static str,
    pub value: Shown,
    pub listed: Shown,
    pub sentence: Shown,
    pub hints: Vec<Hinted>,
    pub timeline: Timeline,
    pub flows: Vec<Flow>,
    /// How many clients have no room here.
    pub more: String,
}

/// Something to weigh.
#[derive(Clone, Debug)]
pub(super) struct Hinted {
    pub class: &'static str,
    pub label: &'static str,
    pub words: Shown,
}

/// How one client's question led there.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub card: usize,
    pub address: Shown,
    pub is_open: bool,
    pub sure: Shown,
    pub when: Shown,
    pub got: Shown,
    pub connected: Shown,
    pub parts: Vec<Shown>,
    pub ways: Vec<Led>,
    pub further: String,
    pub diagram: Option<Diagram>,
    pub drawn: Shown,
    pub evidence: Evidence,
}

/// A name asked for, and the steps from it.
#[derive(Clone, Debug)]
pub(super) struct Led {
    pub asked: Shown,
    pub steps: Vec<Step>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub how: &'static str,
    pub name: Shown,
    pub frame: Shown,
    pub is_flagged: bool,
}

/// An indicator without a section.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub value: Shown,
    pub listed: Shown,
    pub sentence: Shown,
}

/// The sections of the first indicators.
pub(super) fn sections(seen: &Seen<'_>, sections_max: usize) -> Vec<Flagged> {
    let mut drawn = 0;
    let sections = seen.flagged.iter().take(sections_max).enumerate();
    sections
        .map(|(place, (indicator, dealings))| {
            let flows = dealings.iter().take(CLIENTS_MAX).map(|dealing| {
                drawn += 1;
                flow(seen, dealing, drawn)
            });
            let flows = flows.collect();
            let left = dealings.len().saturating_sub(CLIENTS_MAX);
            let of_clients: Vec<_> =
                dealings.iter().map(|dealing| (dealing.client, vec![*dealing])).collect();
            Flagged {
                number: place + 1,
                class: dealings.first().map_or("", |dealing| Urgency::of(dealing).class()),
                value: Shown::new(seen.value(*indicator)),
                listed: seen.listed(*indicator),
                sentence: sentence(seen, dealings),
                hints: hints(seen, *indicator),
                timeline: timeline::draw(seen, &of_clients, CLIENTS_MAX),
                flows,
                more: match left {
                    0 => String::new(),
                    left => words::count(left as u64, "more client", "more clients"),
                },
            }
        })
        .collect()
}

/// The indicators after those, in short; and how many stand nowhere.
pub(super) fn rows(seen: &Seen<'_>, sections_max: usize) -> (Vec<Row>, String) {
    let rest = seen.flagged.get(sections_max..).unwrap_or_default();
    let row = |(indicator, dealings): &(IndicatorId, Vec<&Dealing>)| Row {
        value: Shown::new(seen.value(*indicator)),
        listed: seen.listed(*indicator),
        sentence: sentence(seen, dealings),
    };
    let left = rest.len().saturating_sub(ROWS_MAX);
    let more = if left == 0 { String::new() } else { words::number(left as u64) };
    (rest.iter().take(ROWS_MAX).map(row).collect(), more)
}

fn sentence(seen: &Seen<'_>, dealings: &[&Dealing]) -> Shown {
    let asks = dealings.iter().map(|dealing| dealing.asks).sum();
    let first = dealings.iter().map(|dealing| dealing.first).min().unwrap_or_default();
    let last = dealings.iter().map(|dealing| dealing.last).max().unwrap_or_default();
    let clients = words::count(dealings.len() as u64, "client", "clients");
    Shown::new(&format!("{clients}, {}", seen.often(asks, first, last)))
}

fn hints(seen: &Seen<'_>, indicator: IndicatorId) -> Vec<Hinted> {
    let own = seen.ending.assessments.iter().find(|found| found.indicator == indicator);
    let hints = own.map_or(&[][..], |assessment| &assessment.hints).iter();
    let hinted = hints.take(HINTS_MAX).map(|hint| Hinted {
        class: hint.leaning.as_str(),
        label: match hint.leaning {
            Leaning::Harmless => "For a false alarm",
            Leaning::Serious => "For a real one",
        },
        words: Shown::new(&hint.words),
    });
    hinted.collect()
}

fn flow(seen: &Seen<'_>, dealing: &Dealing, drawn: usize) -> Flow {
    let has_diagram = drawn <= DIAGRAMS_MAX;
    let mut parts: Vec<Shown> = Vec::new();
    for part in &dealing.parts {
        let name = |address: &_| seen.resolver(*address).to_string();
        let hops: Vec<String> = part.hops.iter().map(name).collect();
        let words = words::part(part.role, part.leg, &hops, &name(&part.resolver));
        let words = Shown::new(&words);
        if !parts.contains(&words) {
            parts.push(words);
        }
    }
    Flow {
        card: seen.card(dealing.client),
        address: Shown::new(&dealing.client.to_string()),
        is_open: drawn <= OPEN_MAX,
        sure: Shown::new(&sureness(dealing)),
        when: when(seen, dealing),
        got: Shown::new(&got(dealing)),
        connected: Shown::new(&contact(seen, dealing).0),
        parts,
        ways: dealing.ways.iter().map(|way| led(seen, way)).collect(),
        further: match dealing.further {
            0 => String::new(),
            more => words::count(more, "lookup", "lookups"),
        },
        diagram: has_diagram.then(|| diagram::draw(seen, &dealing.example)),
        drawn: match dealing.frames.all {
            0 | 1 => Shown::default(),
            all => Shown::new(&format!("Drawn: one of {} lookups.", words::number(all))),
        },
        evidence: seen.filters(&dealing.frames),
    }
}

fn led(seen: &Seen<'_>, way: &Way) -> Led {
    let steps = way.chain.get(1..).unwrap_or_default();
    let shown = steps.iter().enumerate().map(|(place, step)| Step {
        how: how(step.step).trim_start_matches("↳").trim_start(),
        name: Shown::new(&step.name),
        frame: Shown::new(&match (step.frame.is_some(), seen.subject.files.of(step.frame)) {
            (false, _) => String::new(),
            (true, None) => format!("frame {}", step.frame.number()),
            (true, Some(file)) => format!("frame {} of {file}", step.frame.number()),
        }),
        is_flagged: place + 1 == steps.len(),
    });
    Led {
        asked: Shown::new(&format!("{} ({})", way.asked, way.types.join(", "))),
        steps: shown.collect(),
    }
}
