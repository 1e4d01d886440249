//! What a capture shows and lacks, sentence by sentence.

use std::cmp::Reverse;

use super::caveats::is_of_one_direction;
use super::ink::Ink;
use super::words::{Times, count, list, number};
use crate::attribution::ResolverCoverage;
use crate::report::Ending;

/// What is wrong with the mirror port and is said of each DNS server where that is named.
const OF_RESOLVERS: [&str; 3] = ["client-leg-missing", "resolver-unasked", "upstream-leg-missing"];
/// How many routers are named one by one.
const ROUTERS_MAX: usize = 8;
/// How many times without a packet are told.
const GAPS_MAX: usize = 3;

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
        more => format!(", and {} more times", number(more as u64)),
    };
    (!told.is_empty()).then(|| {
        format!(
            "No DNS packet from {}{more}: either nobody asked, or part of the capture is missing.",
            list(&told)
        )
    })
}

/// That routers sent on what others asked, for each address of theirs.
pub(in crate::report) fn translations(ending: &Ending<'_>) -> Vec<String> {
    let translations = ending.coverage.translations.iter().take(ROUTERS_MAX);
    let words = translations.map(|seen| {
        format!(
            "{} (address translation): the capture shows both, and it counts once, as theirs.",
            seen.words(|host| ending.internal.names(host))
        )
    });
    words.collect()
}

/// What is said of a server that is asked and does not ask.
pub(in crate::report) const UNASKING: &str = "It was not seen asking anybody: either it knows all answers itself, \
                                              or its uplink is not in the capture";

/// What the capture lacks of a server, if that is not said once of all.
pub(in crate::report) fn lacks(
    resolver: &ResolverCoverage,
    ending: &Ending<'_>,
) -> Option<&'static str> {
    match (resolver.asked, resolver.asks) {
        (0, _) if is_of_one_direction(ending) => None,
        (0, _) => Some("Its clients are not in the capture: also mirror the port that they use"),
        (_, 0) => Some(UNASKING),
        _ => None,
    }
}

/// What is not zero, in words.
pub(in crate::report) fn lost(ending: &Ending<'_>) -> Vec<(Ink, String)> {
    let (coverage, lacked) = (ending.coverage, ending.lacked);
    let (counters, decoded) = (&coverage.transactions, &lacked.decoded);
    let complaints = lacked.complaints.iter().filter(|wrong| !OF_RESOLVERS.contains(&wrong.name));
    let mut out: Vec<(Ink, String)> =
        complaints.map(|complaint| (Ink::Caution, complaint.words.clone())).collect();
    if decoded.messages > 0 && decoded.other == 0 {
        let text = "only DNS in this capture, so no host names and no connections; capture without a filter to get \
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
        "duplicate frame, from the mirror port or in two captures",
        "duplicate frames, from the mirror port or in two captures",
    );
    say(aside, counters.retransmissions, "question sent again", "questions sent again");
    say(
        caution,
        lacked.fragments_given_up(),
        "fragmented packet with missing fragments",
        "fragmented packets with missing fragments",
    );
    say(
        caution,
        lacked.stream_gaps(),
        "gap in a TCP stream, or stream over the limit",
        "gaps in TCP streams, or streams over the limit",
    );
    say(
        caution,
        decoded.malformed,
        "DNS message that could not be read to its end: truncated by the capture, or malformed",
        "DNS messages that could not be read to their end: truncated by the capture, or malformed",
    );
    say(caution, decoded.broken, "frame cut short or broken", "frames cut short or broken");
    say(
        caution,
        decoded.unknown_link,
        "frame of an unknown link type",
        "frames of an unknown link type",
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
        "DNS message other than a query or its response, such as UPDATE",
        "DNS messages other than queries and their responses, such as UPDATE",
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
        "response that does not match the question it answers: perhaps spoofed",
        "responses that do not match the questions they answer: perhaps spoofed",
    );
    say(
        caution,
        counters.no_room,
        "message dropped because the host table was full",
        "messages dropped because the host table was full",
    );
    // What is old is let go in every long capture. It took away from an answer if something had to be judged early.
    let of_old = if coverage.judged_early > 0 { caution } else { aside };
    say(
        of_old,
        coverage.forgotten,
        "older question dropped from the history",
        "older questions dropped from the history",
    );
    say(
        of_old,
        coverage.edges_forgotten,
        "older alias dropped from the history",
        "older aliases dropped from the history",
    );
    say(
        caution,
        coverage.judged_early,
        "flagged query judged early for lack of memory",
        "flagged queries judged early for lack of memory",
    );
    say(
        caution,
        coverage.clock_set_back,
        "backward step of the clock that stamps the frames",
        "backward steps of the clock that stamps the frames",
    );
    say(
        caution,
        coverage.unsettled,
        "flagged lookup not settled, because the run was ended",
        "flagged lookups not settled, because the run was ended",
    );
    say(
        caution,
        coverage.sightings_left_out,
        "more listed name or address left out, of a question that led to many",
        "more listed names or addresses left out, of questions that led to many",
    );
    say(
        caution,
        coverage.summary_left_out,
        "lookup left out of the summary, which is full",
        "lookups left out of the summary, which is full",
    );
    say(
        caution,
        coverage.settled_unlisted,
        "lookup of an entry that was removed from the lists",
        "lookups of entries that were removed from the lists",
    );
    say(
        caution,
        decoded.failed,
        "frame on which whoasked failed: a bug, please report it",
        "frames on which whoasked failed: a bug, please report it",
    );
    let unread = lacked.rows_unread().map(|row| format!("alert not read: {row}"));
    out.extend(unread.map(|text| (caution, text)));
    out.extend(lacked.left_out.iter().chain(&lacked.damage).map(|text| (caution, text.clone())));
    out
}
