//! What was flagged, one section an indicator: what speaks for and against it, when it was asked for, and
//! how each client's question led there.

use super::cards::{contact, got, sureness, when};
use super::diagram::{self, Diagram, how};
use super::shown::Shown;
use super::timeline::{self, Timeline};
use super::view::{Evidence, Seen};
use super::{Dealing, left_out};
use crate::attribution::{Assessment, Hint, Leaning};
use crate::indicator::IndicatorId;
use crate::report::said::fold::Way;
use crate::report::said::words;
use crate::report::weighed::Urgency;

/// How many clients of an indicator are shown in full.
const CLIENTS_MAX: usize = 8;
/// How many drawings a page has; the sections come in order of urgency.
const DIAGRAMS_MAX: usize = 240;
/// How many hints stand with an indicator.
const HINTS_MAX: usize = 12;
/// How many indicators without a section are listed.
const ROWS_MAX: usize = 2_000;
/// If there are more drawings over all sections, they are closed from the start, and not printed.
const OPEN_MAX: usize = 10;

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
    pub how: String,
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
    let is_open = !are_many(seen, sections_max);
    let sections = seen.flagged.iter().take(sections_max).enumerate();
    sections
        .map(|(place, (indicator, dealings))| {
            let flows = dealings.iter().take(CLIENTS_MAX).map(|dealing| {
                drawn += 1;
                flow(seen, dealing, drawn, is_open)
            });
            let flows = flows.collect();
            let left = dealings.len().saturating_sub(CLIENTS_MAX);
            let of_clients: Vec<_> =
                dealings.iter().map(|dealing| (dealing.client, vec![*dealing])).collect();
            Flagged {
                number: place + 1,
                class: dealings.first().map_or("", |dealing| seen.urgency(dealing).class()),
                value: Shown::new(seen.value(*indicator)),
                listed: seen.listed(*indicator),
                sentence: sentence(seen, dealings),
                hints: hints(seen, *indicator, dealings),
                timeline: timeline::draw(seen, &of_clients, CLIENTS_MAX),
                flows,
                more: left_out(left as u64, "more client", "more clients"),
            }
        })
        .collect()
}

/// Whether there are so many drawings that nobody looks at them one after another.
pub(super) fn are_many(seen: &Seen<'_>, sections_max: usize) -> bool {
    let shown = seen.flagged.iter().take(sections_max);
    shown.map(|(_, dealings)| dealings.len().min(CLIENTS_MAX)).sum::<usize>() > OPEN_MAX
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

fn hints(seen: &Seen<'_>, indicator: IndicatorId, dealings: &[&Dealing]) -> Vec<Hinted> {
    let own = seen.ending.assessments.iter().find(|found| found.indicator == indicator);
    let hints = own.into_iter().flat_map(|own| own.hints.iter().map(move |hint| (own, hint)));
    let hinted = hints.take(HINTS_MAX).map(|(own, hint)| match hint.leaning {
        Leaning::Harmless => Hinted {
            class: hint.leaning.as_str(),
            label: "Speaks for a false alarm",
            words: Shown::new(&hint.words),
        },
        Leaning::Serious => serious(seen, own, hint, dealings),
    });
    hinted.collect()
}

/// What speaks for a real infection, said of a client that asked when the alerts were raised. What is so only of others
/// must not look as if it were of those.
fn serious(seen: &Seen<'_>, own: &Assessment, hint: &Hint, dealings: &[&Dealing]) -> Hinted {
    let is_of_clients =
        own.of_clients.iter().flat_map(|of| &of.hints).any(|other| other.code == hint.code);
    let mut then = dealings.iter().filter(|dealing| seen.urgency(dealing) != Urgency::Other);
    let words = if seen.timed.is_none() {
        Some(hint.words.clone())
    } else if is_of_clients {
        let of = |dealing: &&Dealing| {
            own.of(dealing.client).iter().find(|other| other.code == hint.code)
        };
        let said: Vec<&Hint> = then.filter_map(of).collect();
        said.split_first().map(|(first, others)| match others.len() as u64 {
            0 => first.words.clone(),
            others => {
                let others = words::count(others, "other client", "other clients");
                format!("{}; likewise {others}", first.words)
            }
        })
    } else {
        then.next().map(|_| hint.words.clone())
    };
    match words {
        Some(words) => Hinted {
            class: hint.leaning.as_str(),
            label: "Speaks for a real infection",
            words: Shown::new(&words),
        },
        None => Hinted {
            class: Urgency::Other.class(),
            label: seen.label(Urgency::Other),
            words: Shown::new(&hint.words),
        },
    }
}

fn flow(seen: &Seen<'_>, dealing: &Dealing, drawn: usize, is_open: bool) -> Flow {
    let has_diagram = drawn <= DIAGRAMS_MAX;
    Flow {
        card: seen.card(dealing.client),
        address: Shown::new(&dealing.client.to_string()),
        is_open,
        sure: Shown::new(&sureness(dealing)),
        when: when(seen, dealing),
        got: Shown::new(&got(dealing)),
        connected: Shown::new(&contact(seen, dealing)),
        parts: dealing.parts_in_words(seen.ending).iter().map(|text| Shown::new(text)).collect(),
        ways: dealing.ways.iter().map(|way| led(seen, way)).collect(),
        further: left_out(dealing.further, "lookup", "lookups"),
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
        how: how(step.step).trim_end().to_owned(),
        name: Shown::new(&step.name),
        frame: Shown::new(&match (step.frame.is_some(), seen.subject.files.of(step.frame)) {
            (false, _) => String::new(),
            (true, None) => format!("frame {}", step.frame.number()),
            (true, Some(file)) => format!("frame {} of {}", step.frame.number(), seen.file(file)),
        }),
        is_flagged: place + 1 == steps.len(),
    });
    Led {
        asked: Shown::new(&format!("{} ({})", way.asked, way.types.join(", "))),
        steps: shown.collect(),
    }
}
