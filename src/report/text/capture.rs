//! What the capture shows, and what it lacks.

use std::cmp::Reverse;
use std::io::{self, Write};

use super::caveats::is_of_one_direction;
use super::page::{Ink, Page, Words};
use super::words::{Times, count, duration, latency, list, number};
use super::{NAMED_MAX, Seen, some};
use crate::attribution::{LatencySeen, ResolverSeen};
use crate::flow::Address;
use crate::report::Ending;
use crate::resolution::{Known, Leg};

/// How many times without a packet are told.
const GAPS_MAX: usize = 3;

/// What is wrong with the mirror port and is said of each DNS server where that is named.
const OF_RESOLVERS: [&str; 3] = ["client-leg-missing", "resolver-unasked", "upstream-leg-missing"];

/// Writes the section.
pub(super) fn write<W: Write>(page: &mut Page<'_, W>, seen: &Seen<'_>) -> io::Result<()> {
    page.title("What the capture shows")?;
    page.gap()?;
    for sentence in amounts(seen) {
        page.say(0, &Words::plain(&sentence))?;
    }
    page.gap()?;
    write_resolvers(page, seen)?;
    let coverage = seen.ending.coverage;
    if !coverage.latencies.is_empty() {
        page.gap()?;
        let text = "How long answers took: the median (and within what 99 in 100 came):";
        page.say(0, &Words::plain(text))?;
        for line in latencies(&coverage.latencies).iter().take(NAMED_MAX) {
            page.item(2, &Words::plain(line))?;
        }
    }
    let lost = lost(seen.ending);
    if !lost.is_empty() {
        page.gap()?;
        page.say(0, &Words::plain("What is missing, or was left aside:"))?;
        for (ink, text) in lost {
            page.item(2, &Words::of(ink, &text))?;
        }
    }
    Ok(())
}

fn amounts(seen: &Seen<'_>) -> Vec<String> {
    let (coverage, decoded) = (seen.ending.coverage, &seen.ending.lacked.decoded);
    let files: Vec<&str> = seen.subject.files.0.iter().map(String::as_str).collect();
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
        "{}: {}, of which {} answered and {} not.",
        count(decoded.messages, "DNS message", "DNS messages"),
        count(counters.queries, "question", "questions"),
        number(counters.answered),
        number(unanswered),
    ));
    let outside = seen.ending.internal.outside(seen.ending.summary);
    if outside.clients > 0 {
        sentences.push(format!(
            "{} outside the networks given with --internal led to something listed too ({}); they are \
             counted, but not named.",
            count(outside.clients, "client", "clients"),
            count(outside.asks, "question", "questions"),
        ));
    }
    let allowed = seen.ending.coverage.allowed;
    if allowed > 0 {
        sentences.push(format!(
            "{} of something listed in these messages {} not flagged, as an allow list has it.",
            count(allowed, "mention", "mentions"),
            if allowed == 1 { "was" } else { "were" },
        ));
    }
    sentences.extend(gaps(seen.ending, &seen.times));
    sentences.extend(translations(seen.ending));
    sentences
}

/// The longest times without a DNS packet, if there are any that are unusual.
pub(in crate::report) fn gaps(ending: &Ending<'_>, times: &Times) -> Option<String> {
    let mut gaps = ending.coverage.gaps.clone();
    gaps.sort_by_key(|(from, to)| Reverse(*to - *from));
    let all = gaps.len();
    gaps.truncate(GAPS_MAX);
    gaps.sort_unstable();
    let told: Vec<String> = gaps.iter().map(|(from, to)| times.span(*from, *to)).collect();
    let more = match all.saturating_sub(told.len()) {
        0 => String::new(),
        more => format!(", and {} times more", number(more as u64)),
    };
    (!told.is_empty()).then(|| {
        format!(
            "No DNS packet from {}{more}: either nobody asked, or a piece of the capture is missing.",
            list(&told)
        )
    })
}

/// That routers sent on what others asked, for each address of theirs.
pub(in crate::report) fn translations(ending: &Ending<'_>) -> Vec<String> {
    let translations = ending.coverage.translations.iter().take(NAMED_MAX);
    let words = translations.map(|seen| {
        format!(
            "{} (address translation): the capture shows both, and it counts once, as theirs.",
            seen.words(|host| ending.internal.names(host))
        )
    });
    words.collect()
}

fn write_resolvers<W: Write>(page: &mut Page<'_, W>, seen: &Seen<'_>) -> io::Result<()> {
    let resolvers = &seen.ending.coverage.resolvers;
    if resolvers.is_empty() {
        return write_unrecognised(page, seen);
    }
    let text = "DNS servers assumed (if that is wrong, say it with --resolver ADDR, or \
                --resolver ADDR,ADDR for one with several addresses):";
    page.say(0, &Words::plain(text))?;
    for resolver in resolvers.iter().take(NAMED_MAX) {
        page.item(2, &resolver_words(resolver, seen.ending))?;
    }
    if let Some(more @ 1..) = seen.ending.coverage.resolver_count().checked_sub(NAMED_MAX as u64) {
        let more = format!("and {} more", number(more));
        page.item(2, &Words::of(Ink::Aside, &more))?;
    }
    for server in &seen.ending.coverage.servers {
        let asked = count(server.asked, "question", "questions");
        let text = format!(": {asked} to it. {UNASKING}");
        let words = Words::of(Ink::Strong, &server.address.to_string()).and(Ink::Caution, &text);
        page.item(2, &words)?;
    }
    Ok(())
}

/// What is said of a server that is asked and does not ask.
const UNASKING: &str = "It was not seen asking anybody: either it knows all itself, or its uplink is not in the capture";

/// What the capture lacks of a server, if that is not said once of all.
pub(in crate::report) fn lacks(
    resolver: &ResolverSeen,
    ending: &Ending<'_>,
) -> Option<&'static str> {
    match (resolver.asked, resolver.asks) {
        (0, _) if is_of_one_direction(ending) => None,
        (0, _) => Some("Its clients are not in the capture: mirror the port they come in by, too"),
        (_, 0) => Some(UNASKING),
        _ => None,
    }
}

/// What is seen of one side only, where no DNS server was recognised.
fn write_unrecognised<W: Write>(page: &mut Page<'_, W>, seen: &Seen<'_>) -> io::Result<()> {
    let servers = &seen.ending.coverage.servers;
    let lacks = match servers.iter().any(|server| server.address.is_internal()) {
        _ if servers.is_empty() => {
            "Either the port of its clients or that of its uplink is not in the capture"
        }
        true => {
            "If your DNS server is one of those below, what it asks upstream is not in the capture: mirror \
             its uplink, too"
        }
        false => {
            "Only servers outside were asked: if your DNS server asked them, its clients are not in the \
             capture: mirror the port they come in by, too"
        }
    };
    let text = match seen.ending.lacked.decoded.messages {
        0 => "There is no DNS message in the capture. Is the mirror session on, does it mirror the DNS server's port, and was \
              port 53 left out when it was taken (tcpdump's filter)?"
            .to_owned(),
        _ => format!(
            "No DNS server was recognised: nobody was seen both asking and being asked. {lacks}. Say which \
             address is your DNS server's with --resolver ADDR."
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

fn resolver_words(resolver: &ResolverSeen, ending: &Ending<'_>) -> Words {
    let addresses: Vec<String> =
        resolver.addresses.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let mut words = Words::of(Ink::Strong, &addresses.join(", "));
    let known = match resolver.known {
        Known::Declared => "named by --resolver",
        Known::AsksAndAnswers => "it asks and is asked",
        Known::OnlyIterates => "it asks as a resolver does",
    };
    let one = match resolver.shared_mac {
        Some(mac) => format!("; one machine by its link address {mac}"),
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
fn latencies(rows: &[LatencySeen]) -> Vec<String> {
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

/// What is not zero, in words.
pub(super) fn lost(ending: &Ending<'_>) -> Vec<(Ink, String)> {
    let (coverage, lacked) = (ending.coverage, ending.lacked);
    let (counters, decoded) = (&coverage.transactions, &lacked.decoded);
    let complaints = lacked.complaints.iter().filter(|wrong| !OF_RESOLVERS.contains(&wrong.name));
    let mut out: Vec<(Ink, String)> =
        complaints.map(|complaint| (Ink::Caution, complaint.words.clone())).collect();
    if decoded.messages > 0 && decoded.other == 0 {
        let text = "only DNS in this capture: no host names and no connections; capture without a filter to get \
                    them";
        out.push((Ink::Plain, text.to_owned()));
    }
    let mut say = |ink, number: u64, one: &str, many: &str| {
        if number > 0 {
            out.push((ink, count(number, one, many)));
        }
    };
    let (aside, caution) = (Ink::Plain, Ink::Caution);
    say(
        caution,
        counters.unasked,
        "response whose question is not in the capture",
        "responses whose questions are not in the capture",
    );
    say(
        aside,
        counters.copies,
        "frame that came twice, by the mirror port or in two captures",
        "frames that came twice, by the mirror port or in two captures",
    );
    say(aside, counters.retransmissions, "question sent again", "questions sent again");
    say(
        caution,
        lacked.fragments_given_up(),
        "fragmented packet that is not all there",
        "fragmented packets that are not all there",
    );
    say(
        caution,
        lacked.stream_gaps(),
        "gap in a TCP stream, or a stream too many",
        "gaps in TCP streams, or streams too many",
    );
    say(
        caution,
        decoded.malformed,
        "DNS message that could not be read to its end: cut by the capture, or malformed",
        "DNS messages that could not be read to their end: cut by the capture, or malformed",
    );
    say(caution, decoded.broken, "frame cut short or broken", "frames cut short or broken");
    say(
        caution,
        decoded.unknown_link,
        "frame of a link type that is not known",
        "frames of a link type that is not known",
    );
    say(
        aside,
        decoded.not_dns,
        "packet on a DNS port that is not DNS",
        "packets on a DNS port that are not DNS",
    );
    say(aside, decoded.icmp_errors, "ICMP error", "ICMP errors");
    say(
        aside,
        counters.other,
        "message that is no plain question: an update, say",
        "messages that are no plain questions: updates, say",
    );
    say(
        aside,
        counters.misdirected,
        "message whose direction makes no sense",
        "messages whose direction makes no sense",
    );
    say(
        caution,
        counters.mismatched,
        "response to a question that was asked otherwise: made up, perhaps",
        "responses to questions that were asked otherwise: made up, perhaps",
    );
    say(
        caution,
        counters.no_room,
        "message of hosts for which there was no room",
        "messages of hosts for which there was no room",
    );
    // What is old is let go in every long capture. It took away from an answer if something had to be judged early.
    let of_old = if coverage.judged_early > 0 { caution } else { aside };
    say(
        of_old,
        coverage.forgotten,
        "older question let go to make room",
        "older questions let go to make room",
    );
    say(
        of_old,
        coverage.edges_forgotten,
        "older alias let go to make room",
        "older aliases let go to make room",
    );
    say(
        caution,
        coverage.judged_early,
        "flagged query judged early for lack of room",
        "flagged queries judged early for lack of room",
    );
    say(
        caution,
        coverage.clock_set_back,
        "step back of the clock by which frames are stamped",
        "steps back of the clock by which frames are stamped",
    );
    say(
        caution,
        coverage.unsettled,
        "flagged lookup that there was no time to settle when the run was ended",
        "flagged lookups that there was no time to settle when the run was ended",
    );
    say(
        caution,
        coverage.sightings_left_out,
        "further listed name or address of a question that led to many",
        "further listed names or addresses of questions that led to many",
    );
    say(
        caution,
        coverage.settled_unlisted,
        "lookup of what was taken from the lists",
        "lookups of what was taken from the lists",
    );
    say(
        caution,
        decoded.failed,
        "frame that whoasked failed on: a defect, please report it",
        "frames that whoasked failed on: a defect, please report it",
    );
    let unread = lacked.rows_unread().map(|row| format!("alert not read: {row}"));
    out.extend(unread.map(|text| (caution, text)));
    out.extend(lacked.left_out.iter().chain(&lacked.damage).map(|text| (caution, text.clone())));
    out
}
