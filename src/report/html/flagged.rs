//! What was flagged, one section an indicator: what speaks for and against it, when it was asked for, and
//! how each client's question led there.

use super::cards::{contact, got, sureness, when};
use super::diagram::{self, Diagram, how};
use super::timeline::{self, Timeline};
use super::view::{Evidence, PageContext};
use super::visible_text::VisibleText;
use super::{Dealing, left_out};
use crate::attribution::{Assessment, Hint, Leaning};
use crate::indicator::IndicatorId;
use crate::report::weighed::Urgency;
use crate::report::wording::fold::Way;
use crate::report::wording::words;

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
    pub value: VisibleText,
    pub listed: VisibleText,
    pub sentence: VisibleText,
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
    pub words: VisibleText,
}

/// How one client's question led there.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub card: usize,
    pub address: VisibleText,
    pub is_open: bool,
    pub sure: VisibleText,
    pub when: VisibleText,
    pub got: VisibleText,
    pub connected: VisibleText,
    pub parts: Vec<VisibleText>,
    pub ways: Vec<Led>,
    pub further: String,
    pub diagram: Option<Diagram>,
    pub drawn: VisibleText,
    pub evidence: Evidence,
}

/// A name asked for, and the steps from it.
#[derive(Clone, Debug)]
pub(super) struct Led {
    pub asked: VisibleText,
    pub steps: Vec<Step>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub how: String,
    pub name: VisibleText,
    pub frame: VisibleText,
    pub is_flagged: bool,
}

/// An indicator without a section.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub value: VisibleText,
    pub listed: VisibleText,
    pub sentence: VisibleText,
}

/// The sections of the first indicators.
pub(super) fn sections(context: &PageContext<'_>, sections_max: usize) -> Vec<Flagged> {
    let mut drawn = 0;
    let is_open = !are_many(context, sections_max);
    let sections = context.flagged.iter().take(sections_max).enumerate();
    sections
        .map(|(place, (indicator, dealings))| {
            let flows = dealings.iter().take(CLIENTS_MAX).map(|dealing| {
                drawn += 1;
                flow(context, dealing, drawn, is_open)
            });
            let flows = flows.collect();
            let left = dealings.len().saturating_sub(CLIENTS_MAX);
            let of_clients: Vec<_> =
                dealings.iter().map(|dealing| (dealing.client, vec![*dealing])).collect();
            Flagged {
                number: place + 1,
                class: dealings.first().map_or("", |dealing| context.urgency(dealing).class()),
                value: VisibleText::new(context.value(*indicator)),
                listed: context.listed(*indicator),
                sentence: sentence(context, dealings),
                hints: hints(context, *indicator, dealings),
                timeline: timeline::draw(context, &of_clients, CLIENTS_MAX),
                flows,
                more: left_out(left as u64, "more client", "more clients"),
            }
        })
        .collect()
}

/// Whether there are so many drawings that nobody looks at them one after another.
pub(super) fn are_many(context: &PageContext<'_>, sections_max: usize) -> bool {
    let shown = context.flagged.iter().take(sections_max);
    shown.map(|(_, dealings)| dealings.len().min(CLIENTS_MAX)).sum::<usize>() > OPEN_MAX
}

/// The indicators after those, in short; and how many stand nowhere.
pub(super) fn rows(context: &PageContext<'_>, sections_max: usize) -> (Vec<Row>, String) {
    let rest = context.flagged.get(sections_max..).unwrap_or_default();
    let row = |(indicator, dealings): &(IndicatorId, Vec<&Dealing>)| Row {
        value: VisibleText::new(context.value(*indicator)),
        listed: context.listed(*indicator),
        sentence: sentence(context, dealings),
    };
    let left = rest.len().saturating_sub(ROWS_MAX);
    let more = if left == 0 { String::new() } else { words::number(left as u64) };
    (rest.iter().take(ROWS_MAX).map(row).collect(), more)
}

fn sentence(context: &PageContext<'_>, dealings: &[&Dealing]) -> VisibleText {
    let asks = dealings.iter().map(|dealing| dealing.asks).sum();
    let first = dealings.iter().map(|dealing| dealing.first).min().unwrap_or_default();
    let last = dealings.iter().map(|dealing| dealing.last).max().unwrap_or_default();
    let clients = words::count(dealings.len() as u64, "client", "clients");
    VisibleText::new(&format!("{clients}, {}", context.often(asks, first, last)))
}

fn hints(context: &PageContext<'_>, indicator: IndicatorId, dealings: &[&Dealing]) -> Vec<Hinted> {
    let own = context.ending.assessments.iter().find(|found| found.indicator == indicator);
    let hints = own.into_iter().flat_map(|own| own.hints.iter().map(move |hint| (own, hint)));
    let hinted = hints.take(HINTS_MAX).map(|(own, hint)| match hint.leaning {
        Leaning::Harmless => Hinted {
            class: hint.leaning.as_str(),
            label: "Speaks for a false alarm",
            words: VisibleText::new(&hint.words),
        },
        Leaning::Serious => serious(context, own, hint, dealings),
    });
    hinted.collect()
}

/// What speaks for a real infection, said of a client that asked when the alerts were raised. What is so only of others
/// must not look as if it were of those.
fn serious(
    context: &PageContext<'_>,
    own: &Assessment,
    hint: &Hint,
    dealings: &[&Dealing],
) -> Hinted {
    let is_of_clients =
        own.of_clients.iter().flat_map(|of| &of.hints).any(|other| other.code == hint.code);
    let mut then = dealings.iter().filter(|dealing| context.urgency(dealing) != Urgency::Other);
    let words = if context.timed.is_none() {
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
            words: VisibleText::new(&words),
        },
        None => Hinted {
            class: Urgency::Other.class(),
            label: context.label(Urgency::Other),
            words: VisibleText::new(&hint.words),
        },
    }
}

fn flow(context: &PageContext<'_>, dealing: &Dealing, drawn: usize, is_open: bool) -> Flow {
    let has_diagram = drawn <= DIAGRAMS_MAX;
    Flow {
        card: context.card(dealing.client),
        address: VisibleText::new(&dealing.client.to_string()),
        is_open,
        sure: VisibleText::new(&sureness(dealing)),
        when: when(context, dealing),
        got: VisibleText::new(&got(dealing)),
        connected: VisibleText::new(&contact(context, dealing)),
        parts: dealing
            .parts_in_words(context.ending)
            .iter()
            .map(|text| VisibleText::new(text))
            .collect(),
        ways: dealing.ways.iter().map(|way| led(context, way)).collect(),
        further: left_out(dealing.further, "lookup", "lookups"),
        diagram: has_diagram.then(|| diagram::draw(context, &dealing.example)),
        drawn: match dealing.frames.all {
            0 | 1 => VisibleText::default(),
            all => VisibleText::new(&format!("Drawn: one of {} lookups.", words::number(all))),
        },
        evidence: context.filters(&dealing.frames),
    }
}

fn led(context: &PageContext<'_>, way: &Way) -> Led {
    let steps = way.chain.get(1..).unwrap_or_default();
    let shown = steps.iter().enumerate().map(|(place, step)| Step {
        how: how(step.step).trim_end().to_owned(),
        name: VisibleText::new(&step.name),
        frame: VisibleText::new(
            &match (step.frame.is_some(), context.subject.files.of(step.frame)) {
                (false, _) => String::new(),
                (true, None) => format!("frame {}", step.frame.number()),
                (true, Some(file)) => {
                    format!("frame {} of {}", step.frame.number(), context.file(file))
                }
            },
        ),
        is_flagged: place + 1 == steps.len(),
    });
    Led {
        asked: VisibleText::new(&format!("{} ({})", way.asked, way.types.join(", "))),
        steps: shown.collect(),
    }
}
