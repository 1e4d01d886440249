//! What was looked at, and what it lacks.

use super::view::PageContext;
use super::visible_text::VisibleText;
use crate::report::wording::capture::{gaps, lacks, lost, translations};
use crate::report::wording::ink::Ink;
use crate::report::wording::words::{count, duration, few, latency, number};
use crate::resolution::{Known, Leg};

/// How many files, lists, resolvers and sentences on damage are shown.
const NAMED_MAX: usize = 40;

/// The section.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    pub facts: Vec<(&'static str, VisibleText)>,
    pub resolvers: Vec<Resolver>,
    pub more_resolvers: String,
    pub latencies: Vec<Latency>,
    pub lost: Vec<(bool, VisibleText)>,
}

/// A DNS server.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    pub addresses: VisibleText,
    pub known: VisibleText,
    pub asked: String,
    pub asks: String,
    pub caution: String,
}

/// How long its answers took.
#[derive(Clone, Debug)]
pub(super) struct Latency {
    pub what: VisibleText,
    pub answers: String,
    pub half: String,
    pub most: String,
    pub nearly_all: String,
    pub longest: String,
}

/// What the capture was.
pub(super) fn capture(context: &PageContext<'_>) -> Capture {
    let coverage = context.ending.coverage;
    let resolvers = coverage.resolvers.iter().take(NAMED_MAX).map(|resolver| {
        let addresses: Vec<String> =
            resolver.addresses.iter().take(NAMED_MAX).map(ToString::to_string).collect();
        let known = match resolver.known {
            Known::Declared => "you said so",
            Known::AsksAndAnswers => "it asks and is asked",
            Known::OnlyIterates => "it asks as a resolver does",
        };
        let one = match resolver.shared_mac {
            Some(mac) => format!("; one machine, by its MAC address {mac}"),
            None => String::new(),
        };
        Resolver {
            addresses: VisibleText::new(&addresses.join(", ")),
            known: VisibleText::new(&format!("{known}{one}")),
            asked: number(resolver.asked),
            asks: number(resolver.asks),
            caution: lacks(resolver, context.ending)
                .map_or(String::new(), |text| format!("{text}.")),
        }
    });
    let latencies = coverage.latencies.iter().take(2 * NAMED_MAX).map(|row| Latency {
        what: VisibleText::new(&match row.leg {
            Leg::Client => format!("from {} to its clients", row.resolver),
            Leg::Upstream => format!("to {} from upstream", row.resolver),
        }),
        answers: number(row.count),
        half: latency(row.p50_us),
        most: latency(row.p90_us),
        nearly_all: latency(row.p99_us),
        longest: latency(row.max_us),
    });
    let lost = lost(context.ending);
    let left = lost.len().saturating_sub(NAMED_MAX);
    let mut lost: Vec<(bool, VisibleText)> = lost
        .into_iter()
        .take(NAMED_MAX)
        .map(|(ink, text)| (ink == Ink::Caution, VisibleText::new(&text)))
        .collect();
    if left > 0 {
        lost.push((true, VisibleText::new(&format!("and {} more like this", number(left as u64)))));
    }
    Capture {
        facts: facts(context),
        resolvers: resolvers.collect(),
        more_resolvers: match coverage.resolver_count().saturating_sub(NAMED_MAX as u64) {
            0 => String::new(),
            more => number(more),
        },
        latencies: latencies.collect(),
        lost,
    }
}

fn facts(context: &PageContext<'_>) -> Vec<(&'static str, VisibleText)> {
    let (coverage, decoded) = (context.ending.coverage, &context.ending.lacked.decoded);
    let mut facts = Vec::new();
    let files = &context.subject.files.0;
    let mut say = |what, text: String| facts.push((what, VisibleText::new(&text)));
    say(
        if files.len() == 1 { "File" } else { "Files" },
        few(files.iter().take(NAMED_MAX), files.len()),
    );
    if let Some((first, last)) = coverage.span {
        let span = context.times.span(first, last);
        say("Time", format!("{span}, {} in all", duration(last - first)));
    }
    say("Frames", number(decoded.frames));
    let counters = coverage.transactions;
    let unanswered = counters.queries.saturating_sub(counters.answered);
    say(
        "DNS messages",
        format!(
            "{}: {}, {} answered and {} unanswered",
            number(decoded.messages),
            count(counters.queries, "question", "questions"),
            number(counters.answered),
            number(unanswered),
        ),
    );
    let indicators = context.subject.indicators;
    let lists = indicators.lists();
    let few_lists = few(lists.iter().map(|list| &list.name).take(NAMED_MAX), lists.len());
    let entries = count(indicators.len() as u64, "indicator", "indicators");
    say("Held against", format!("{entries} of {few_lists}"));
    let outside = context.ending.internal.outside(context.ending.summary);
    if outside.clients > 0 {
        say(
            "Not named",
            format!(
                "{} outside the networks given with --internal ({})",
                count(outside.clients, "client", "clients"),
                count(outside.asks, "question", "questions"),
            ),
        );
    }
    if let Some(text) = gaps(context.ending, &context.times) {
        say("Gaps", text);
    }
    for text in translations(context.ending) {
        say("Address translation", text);
    }
    facts
}
