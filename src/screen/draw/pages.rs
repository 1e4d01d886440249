//! Texts that take the whole screen: the keys, and how the run is doing in full.

use super::head::{flagged, lost, resolvers, said_within};
use super::paint::entry;
use super::{View, day_and_clock};
use crate::report::words::{duration, latency, number};
use crate::report::{Ink, Words};
use crate::resolution::Leg;

/// The width of the labels.
const COLUMN: usize = 13;
/// How many resolvers are named.
const RESOLVERS_MAX: usize = 64;

/// The keys, and what is shown.
pub(super) fn help(width: usize) -> Vec<Words> {
    let keys = [
        ("↑ ↓", "choose a line; also k and j, PgUp and PgDn, Home (the newest) and End"),
        (
            "Enter",
            "all details: the chain, hops, whether it connected. There, PgUp and PgDn scroll; q, Enter or Esc goes \
                   back",
        ),
        (
            "/",
            "filter by part of a client's address or name, of what it asked for, or of what is flagged; Enter \
               keeps the filter, Esc clears it, / starts a new one",
        ),
        ("p", "pause: freezes the list; nothing is lost meanwhile"),
        ("s", "status: interfaces, DNS servers, what is wrong with the mirror, messages"),
        ("Ctrl-L", "redraw the screen"),
        ("q", "back to the list; from there, quit"),
        ("Ctrl-C", "quit: what is known is settled and summed up on the terminal"),
    ];
    let words = [
        (
            "asked for",
            "itself: the client asked for what is flagged; cached: the cache answered it. via NAME: it asked for \
                  NAME, which leads there. no client: the DNS server's own work. undecided: Enter shows why",
        ),
        (
            "conn",
            "yes (on a wide screen: connected): it then connected to the address it was given",
        ),
        (
            "verdict",
            "act on it (on a narrow screen: !): the client asked for what is flagged and connected. look at it: it asked for it. false \
                  alarm?: it only asked for what leads there. What is flagged is red where it was asked for, and yellow where it was not",
        ),
        ("3x", "it asked that many times; the time is that of the newest"),
        ("+1", "that many other clients are behind it; Enter names them"),
        (
            "sure",
            "the probability that this client is behind it; if the cache answered it, that it asked",
        ),
        (
            "state",
            "so far: may still change. settled: final, 76 s after the DNS server's query, 156 s after a client's \
                   question",
        ),
        ("lost", "where something was lost:"),
        ("", "network card: packets lost before the kernel saw them"),
        ("", "kernel: packets lost because its buffer was full: --buffer, --fanout"),
        ("", "too slow: packets skipped because the analysis could not keep up: --workers"),
        ("", "unreadable: messages and frames that are broken or of an unknown type"),
        ("", "forgotten: questions and aliases dropped early for lack of memory"),
        ("", "output: lines that an output did not accept"),
    ];
    let mut lines = Vec::new();
    for (title, entries) in [("Keys", &keys[..]), ("Words", &words[..])] {
        if !lines.is_empty() {
            lines.push(Words::default());
        }
        lines.push(Words::of(Ink::Strong, title));
        for (label, text) in entries {
            lines.extend(entry(&format!(" {label}"), COLUMN, &Words::plain(text), width));
        }
    }
    lines
}

/// How the run is doing.
pub(super) fn state(view: &View<'_>, width: usize) -> Vec<Words> {
    let status = view.status;
    let mut lines = Vec::new();
    let mut say = |label: &str, words: Words| lines.extend(entry(label, COLUMN, &words, width));
    for complaint in &status.complaints {
        let words = Words::of(Ink::Strong, complaint.name);
        say("mirror", words.and(Ink::Caution, &format!(": {}", complaint.words)));
    }
    if status.complaints.is_empty() {
        say("mirror", Words::plain("no known problem"));
    }
    for interface in &status.interfaces {
        let mut words = Words::of(Ink::Strong, &interface.name);
        words.push(
            Ink::Plain,
            &format!(
                ": {} packets of {} bytes, dropped by the kernel {}, by the interface {}",
                number(interface.received),
                number(interface.octets),
                number(interface.dropped_by_kernel),
                number(interface.dropped_by_interface)
            ),
        );
        if let Some(fault) = &interface.fault {
            words.push(Ink::Caution, &format!("; {fault}; waiting for it"));
        }
        say("interface", words);
    }
    say("lost", lost(status));
    if status.defects() > 0 {
        let text = format!("{} (bugs in whoasked: please report)", number(status.defects()));
        say("defects", Words::of(Ink::Caution, &text));
    }
    say("flagged", flagged(status));
    if view.fell_out > 0 {
        let text = format!(
            "{} older lookups were dropped from the list, first those of the client with most for one entry",
            number(view.fell_out)
        );
        say("", Words::plain(&text));
    }
    said_within(status).into_iter().for_each(|words| say("", words));
    say("DNS servers", resolvers(status, RESOLVERS_MAX));
    for row in status.coverage.iter().flat_map(|coverage| &coverage.latencies) {
        let leg =
            if row.leg == Leg::Upstream { "asks and waits" } else { "answers its clients in" };
        let text = format!(
            "{} {leg} {} (half), {} (9 of 10), {} (99 of 100)",
            row.resolver,
            latency(row.p50_us),
            latency(row.p90_us),
            latency(row.p99_us)
        );
        say("latency", Words::plain(&text));
    }
    for output in &status.outputs {
        let (written, queued, lost) = (output.written, output.queued, output.lost);
        let text = format!(
            ": {} lines written, {} waiting, {} lost",
            number(written),
            number(queued),
            number(lost)
        );
        let mut words = Words::of(Ink::Strong, &output.name).and(Ink::Plain, &text);
        if let Some(fault) = &output.fault {
            words.push(Ink::Caution, &format!("; {fault}"));
        }
        say("output", words);
    }
    if let Some(ring) = &status.ring {
        let held = status.ring_oldest.map_or(String::new(), |oldest| {
            format!(", reaches back {}", duration(status.at - oldest))
        });
        let mut words = Words::of(Ink::Strong, &ring.name).and(Ink::Plain, &held);
        if let Some(fault) = &ring.fault {
            words.push(Ink::Caution, &format!("; {fault}"));
        }
        say("ring", words);
    }
    if let Some(fault) = &status.lists.fault {
        say("lists", Words::of(Ink::Caution, &format!("the old ones stay in use: {fault}")));
    }
    for notice in view.notices.all().rev() {
        for (place, line) in notice.text.lines().enumerate() {
            let time = if place == 0 { day_and_clock(view, notice.time) } else { String::new() };
            say(&time, Words::plain(line));
        }
    }
    lines
}
