//! What the capture shows, and what it lacks.

use std::io::{self, Write};

use super::page::Page;
use super::{NAMED_MAX, TextContext, some};
use crate::attribution::{LatencyCoverage, ResolverCoverage};
use crate::flow::Address;
use crate::report::Ending;
use crate::report::wording::capture::{UNASKING, gaps, lacks, lost, translations};
use crate::report::wording::ink::{Ink, Words};
use crate::report::wording::words::{count, duration, latency, number};
use crate::resolution::{Known, Leg};

/// Writes the section.
pub(super) fn write<W: Write>(page: &mut Page<'_, W>, context: &TextContext<'_>) -> io::Result<()> {
    page.title("What the capture shows")?;
    page.gap()?;
    for sentence in amounts(context) {
        page.say(0, &Words::plain(&sentence))?;
    }
    page.gap()?;
    write_resolvers(page, context)?;
    let coverage = context.ending.coverage;
    if !coverage.latencies.is_empty() {
        page.gap()?;
        let text = "Response times: median (99th percentile):";
        page.say(0, &Words::plain(text))?;
        for line in latencies(&coverage.latencies).iter().take(NAMED_MAX) {
            page.item(2, &Words::plain(line))?;
        }
    }
    let lost = lost(context.ending);
    if !lost.is_empty() {
        page.gap()?;
        page.say(0, &Words::plain("What is missing or was skipped:"))?;
        for (ink, text) in lost {
            page.item(2, &Words::of(ink, &text))?;
        }
    }
    Ok(())
}

fn amounts(context: &TextContext<'_>) -> Vec<String> {
    let (coverage, decoded) = (context.ending.coverage, &context.ending.lacked.decoded);
    let files: Vec<&str> = context.subject.files.0.iter().map(String::as_str).collect();
    let over = coverage
        .span
        .map_or(String::new(), |(first, last)| format!(" over {}", duration(last - first)));
    let mut sentences = vec![format!(
        "{} with {}{over}: {}.",
        count(files.len() as u64, "file", "files"),
        count(decoded.frames, "frame", "frames"),
        some(&files, "files"),
    )];
    let counters = coverage.transactions;
    let unanswered = counters.queries.saturating_sub(counters.answered);
    sentences.push(format!(
        "{}: {}, {} answered and {} unanswered.",
        count(decoded.messages, "DNS message", "DNS messages"),
        count(counters.queries, "question", "questions"),
        number(counters.answered),
        number(unanswered),
    ));
    let outside = context.ending.internal.outside(context.ending.summary);
    if outside.clients > 0 {
        sentences.push(format!(
            "{} outside the networks given with --internal also led to something listed ({}); they are counted but \
             not named.",
            count(outside.clients, "client", "clients"),
            count(outside.asks, "question", "questions"),
        ));
    }
    let allowed = context.ending.coverage.allowed;
    if allowed > 0 {
        sentences.push(format!(
            "{} of listed entries in these messages {} not flagged because of an allow list.",
            count(allowed, "mention", "mentions"),
            if allowed == 1 { "was" } else { "were" },
        ));
    }
    sentences.extend(gaps(context.ending, &context.times));
    sentences.extend(translations(context.ending));
    sentences
}

fn write_resolvers<W: Write>(page: &mut Page<'_, W>, context: &TextContext<'_>) -> io::Result<()> {
    let resolvers = &context.ending.coverage.resolvers;
    if resolvers.is_empty() {
        return write_unrecognised(page, context);
    }
    let text = "Detected DNS servers (to correct this, use --resolver ADDR, or --resolver ADDR,ADDR for one with \
                several addresses):";
    page.say(0, &Words::plain(text))?;
    for resolver in resolvers.iter().take(NAMED_MAX) {
        page.item(2, &resolver_words(resolver, context.ending))?;
    }
    if let Some(more @ 1..) = context.ending.coverage.resolver_count().checked_sub(NAMED_MAX as u64)
    {
        let more = format!("and {} more", number(more));
        page.item(2, &Words::of(Ink::Aside, &more))?;
    }
    for server in &context.ending.coverage.servers {
        let asked = count(server.asked, "question", "questions");
        let text = format!(": {asked} to it. {UNASKING}");
        let words = Words::of(Ink::Strong, &server.address.to_string()).and(Ink::Caution, &text);
        page.item(2, &words)?;
    }
    Ok(())
}

/// What is seen of one side only, where no DNS server was recognised.
fn write_unrecognised<W: Write>(
    page: &mut Page<'_, W>,
    context: &TextContext<'_>,
) -> io::Result<()> {
    let servers = &context.ending.coverage.servers;
    let lacks = match servers.iter().any(|server| server.address.is_internal()) {
        _ if servers.is_empty() => {
            "Either the port of its clients or that of its uplink is not in the capture"
        }
        true => {
            "If your DNS server is one of those below, what it asks upstream is not in the capture: also mirror \
             its uplink"
        }
        false => {
            "Only servers outside were asked: if your DNS server asked them, its clients are not in the capture: \
             also mirror the port that they use"
        }
    };
    let text = match context.ending.lacked.decoded.messages {
        0 => "The capture contains no DNS message. Is the mirror session on, does it mirror the DNS server's port, \
              and did a filter of tcpdump exclude port 53?"
            .to_owned(),
        _ => format!(
            "No DNS server was recognised: no host was seen both asking and being asked. {lacks}. Name your DNS \
             server with --resolver ADDR."
        ),
    };
    page.say(0, &Words::of(Ink::Caution, &text))?;
    for server in servers {
        let asked = count(server.asked, "question", "questions");
        let answers = count(server.answers, "answer", "answers");
        let text = format!(": {asked} to it, {answers} from it");
        page.item(2, &Words::of(Ink::Strong, &server.address.to_string()).and(Ink::Plain, &text))?;
    }
    Ok(())
}

fn resolver_words(resolver: &ResolverCoverage, ending: &Ending<'_>) -> Words {
    let addresses: Vec<String> =
        resolver.addresses.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let mut words = Words::of(Ink::Strong, &addresses.join(", "));
    let known = match resolver.known {
        Known::Declared => "named by --resolver",
        Known::AsksAndAnswers => "it asks and is asked",
        Known::OnlyIterates => "it asks as a resolver does",
    };
    let one = match resolver.shared_mac {
        Some(mac) => format!("; one machine, by its MAC address {mac}"),
        None => String::new(),
    };
    let text = format!(
        ": {known}{one}; {} to it, {} from it",
        count(resolver.asked, "question", "questions"),
        number(resolver.asks),
    );
    words.push(Ink::Plain, &text);
    if let Some(hint) = lacks(resolver, ending) {
        words.push(Ink::Caution, &format!(". {hint}"));
    }
    words
}

/// A line for each resolver: its clients' waiting, and its own.
fn latencies(rows: &[LatencyCoverage]) -> Vec<String> {
    let mut lines: Vec<(Address, String)> = Vec::new();
    for row in rows {
        let what = match row.leg {
            Leg::Client => "to its clients",
            Leg::Upstream => "from upstream",
        };
        let took = format!("{what} {} ({})", latency(row.p50_us), latency(row.p99_us));
        match lines.iter_mut().find(|(resolver, _)| *resolver == row.resolver) {
            Some((_, line)) => line.push_str(&format!(", {took}")),
            None => lines.push((row.resolver, format!("{}: {took}", row.resolver))),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}
