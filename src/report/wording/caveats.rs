//! What must be known before anything else is read: why what follows says less than it could.

use ipnet::IpNet;

use super::words::{Times, count, duration, few, list, number};
use crate::alert::Answer;
use crate::attribution::ResolverCoverage;
use crate::report::Ending;
use crate::resolution::Known;
use crate::time::{Span, Timestamp};

/// What is wrong with a mirror port that shows one direction.
const ONE_DIRECTION: [&str; 2] = ["one-direction", "leg-one-direction"];

/// From here on captures are of quite other times.
const LONG_APART: Span = Span::from_secs(30 * 24 * 3600);

/// How many networks are told.
const NETWORKS_MAX: usize = 3;

/// So many messages that are cut or malformed are told at once, if they are one in so many.
const CUT_MIN: u64 = 20;
const CUT_SHARE: u64 = 20;

/// How many entries are told that are too broad.
const BROAD_TOLD: usize = 3;

/// How many gaps are told.
const GAPS_TOLD: usize = 3;

/// How many reasons are given why times could not be read.
const TIMES_MAX: usize = 3;

/// The same sentences on each page. What can be mended stands at the end of it.
pub(in crate::report) fn caveats(ending: &Ending<'_>) -> Vec<String> {
    told(ending, |text, at_the_end| format!("{text}{at_the_end}"))
}

/// The same for what has no such end.
pub(in crate::report) fn caveats_alone(ending: &Ending<'_>) -> Vec<String> {
    told(ending, |text, _| text.to_owned())
}

fn told(ending: &Ending<'_>, tell: impl Fn(&str, &str) -> String) -> Vec<String> {
    let (lacked, coverage) = (ending.lacked, ending.coverage);
    let (messages, malformed) = (lacked.decoded.messages, lacked.decoded.malformed);
    let most_are_cut = malformed * 2 > messages;
    let fixed = [
        (
            is_of_one_direction(ending),
            "The mirror port shows one direction only: these results rest on half of the packets.",
            " See the end for how to fix it.",
        ),
        (
            is_said(ending, &["clocks-apart"]),
            "The clocks that stamped these packets differ, so \"no client\" and \"cannot be decided\" mean little, \
             and nobody is named with certainty.",
            " See the end for how to fix it.",
        ),
        (
            coverage.resolvers.is_empty() && ending.verdicts.attributed > 0,
            "No DNS server was recognised, so one of these may be your DNS server, asking for a client.",
            " See the end for how to fix it.",
        ),
        (lacked.interrupted, "The run was ended early: these results are incomplete.", ""),
        (
            !lacked.damage.is_empty(),
            "Not all of the capture could be read: these results are from the parts that could.",
            " See the end for what was wrong.",
        ),
        (
            most_are_cut,
            "Most DNS messages in the capture are truncated or malformed, so these results say little: capture \
             whole packets (tcpdump -s 0).",
            "",
        ),
    ];
    let said = fixed.into_iter().filter(|(is_so, ..)| *is_so);
    let said = said.map(|(_, text, at_the_end)| tell(text, at_the_end));
    said.chain((!most_are_cut).then(|| cut(messages, malformed)).flatten())
        .chain(unseen(ending))
        .chain(unasked(ending))
        .chain(too_broad(&lacked.too_broad))
        .chain(long_apart(ending))
        .chain(all_outside(ending))
        .chain(lacked.filter.as_deref().map(filtered))
        .chain(shifted(&lacked.shifts))
        .collect()
}

/// Whether half of the packets are missing.
pub(in crate::report) fn is_of_one_direction(ending: &Ending<'_>) -> bool {
    is_said(ending, &ONE_DIRECTION)
}

/// Whether any of these is wrong with the mirror port.
fn is_said(ending: &Ending<'_>, names: &[&str]) -> bool {
    ending.lacked.complaints.iter().any(|complaint| names.contains(&complaint.name))
}

/// That DNS servers were named which the capture does not show.
fn unseen(ending: &Ending<'_>) -> Option<String> {
    let unseen: Vec<String> =
        ending.lacked.resolvers_unseen.iter().map(ToString::to_string).collect();
    let are = if unseen.len() == 1 { "is" } else { "are" };
    let text =
        || format!("{} {are} given with --resolver, but not in this capture.", list(&unseen));
    (!unseen.is_empty()).then(text)
}

/// That of more than a few messages the end is missing: what they held may be just what is looked for.
fn cut(messages: u64, malformed: u64) -> Option<String> {
    (malformed >= CUT_MIN && malformed * CUT_SHARE >= messages).then(|| {
        format!(
            "Of {} DNS messages, {} are truncated or malformed. Names in the missing parts cannot be linked, which \
             may be why nobody is named. Capture whole packets (tcpdump -s 0).",
            number(messages),
            number(malformed)
        )
    })
}

/// That what was given with --resolver asks, and is not asked, while others are: it may be a client, of which nothing is said then.
fn unasked(ending: &Ending<'_>) -> Option<String> {
    let resolvers = &ending.coverage.resolvers;
    let is_unasked = |seen: &&ResolverCoverage| {
        seen.known == Known::Declared && seen.asked + seen.answers == 0 && seen.asks > 0
    };
    let others_are_asked = resolvers.iter().any(|seen| seen.asked > 0);
    let unasked = resolvers.iter().filter(is_unasked).filter_map(|seen| seen.addresses.first());
    let unasked: Vec<String> = unasked.map(ToString::to_string).collect();
    if unasked.is_empty() || !others_are_asked {
        return None;
    }
    let (are, it_is) = if unasked.len() == 1 { ("is", "it is") } else { ("are", "they are") };
    Some(format!(
        "{} {are} given with --resolver, but nobody asks there, although other servers are asked: if {it_is} a \
         client's, nothing that it did is reported here. Omit that --resolver and run again.",
        list(&unasked)
    ))
}

/// That what is looked for is so broad that nearly everybody asks for it.
fn too_broad(broad: &[String]) -> Option<String> {
    let told = few(broad.iter().take(BROAD_TOLD), broad.len());
    (!broad.is_empty()).then(|| {
        format!(
            "Some entries are far too broad: {told}. Every client that asked for anything they cover is named."
        )
    })
}

/// That captures of quite other times were read as one.
fn long_apart(ending: &Ending<'_>) -> Option<String> {
    let longest = ending.coverage.gaps.iter().map(|(from, to)| *to - *from).max()?;
    let text = || {
        format!(
            "The captures are far apart: there is a gap of {}. Before and after it, an address may belong to \
             another host or another network: read only captures of the same network and time together.",
            duration(longest)
        )
    };
    (longest >= LONG_APART).then(text)
}

/// That all who asked are outside the networks whose hosts may be named, and where they are: the networks may be mistaken.
fn all_outside(ending: &Ending<'_>) -> Option<String> {
    let outside = ending.internal.outside(ending.summary);
    if outside.clients == 0 || ending.verdicts.attributed > 0 {
        return None;
    }
    let networks = &outside.networks;
    let told = few(networks.iter().take(NETWORKS_MAX).map(IpNet::to_string), networks.len());
    Some(format!(
        "All that asked for it ({}) are outside the networks given with --internal, so nobody is named: they are \
         in {told}. If that network is yours, add it to --internal.",
        count(outside.clients, "client", "clients")
    ))
}

/// That only a part of the capture was read.
fn filtered(filter: &str) -> String {
    format!(
        "Only frames that pass --filter \"{filter}\" were read: everything else in the capture counts as not \
         captured."
    )
}

/// That times of the capture are not as they were stamped.
fn shifted(shifts: &[(String, Span)]) -> Option<String> {
    let shift = |(file, by): &(String, Span)| format!("{file} by {:+} s", by.as_secs_f64());
    let shifts: Vec<String> = shifts.iter().map(shift).collect();
    (!shifts.is_empty())
        .then(|| format!("Timestamps corrected with --time-shift: {}.", shifts.join(", ")))
}

/// How many rows of the alerts have no answer since they could not be read.
pub(in crate::report) fn unread(ending: &Ending<'_>) -> Option<String> {
    let rows = ending.lacked.rows_unread_count();
    let were = count(rows, "more row was", "more rows were");
    let listed = ending.lacked.rows_unread().filter(|notice| notice.is_of_row()).count() as u64;
    let (have, listed) = match (rows, listed) {
        (1, 1) => ("has", "see the end".to_owned()),
        (1, _) => ("has", "see the end for why".to_owned()),
        (_, 0) => ("have", "see the end for why".to_owned()),
        (_, listed) if listed == rows => ("have", "see the end".to_owned()),
        (_, listed) => ("have", format!("see the end for the first {}", number(listed))),
    };
    (rows > 0).then(|| format!("{were} not read and {have} no answer; {listed}."))
}

/// That the alerts, having no times, are answered by whatever was asked for, and from when to when that was.
pub(in crate::report) fn timeless(ending: &Ending<'_>, times: &Times) -> Option<String> {
    let answers = ending.answers;
    let is_of_a_table =
        answers.iter().all(|answer| answer.alert.time.is_none() && !answer.alert.is_time_unread)
            && answers.iter().any(|answer| answer.alert.host.is_some());
    let (first, last) = ending.coverage.span.filter(|_| is_of_a_table)?;
    Some(format!(
        "The alerts have no times, so they are matched against the whole capture, {}.",
        times.span(first, last)
    ))
}

/// That times of alerts could not be read, why, what to do about it, and what that comes to.
pub(in crate::report) fn times_unread(ending: &Ending<'_>, times: &Times) -> Option<String> {
    let without = ending.answers.iter().filter(|answer| answer.alert.is_time_unread).count() as u64;
    let (first, last) = ending.coverage.span.filter(|_| without > 0)?;
    let notices = ending.lacked.alerts_unread.iter().filter(|notice| notice.is_of_times());
    let why: String = notices.take(TIMES_MAX).map(|notice| format!(" {notice}.")).collect();
    let which = match (without, without == ending.answers.len() as u64) {
        (1, true) => "The alert's time".to_owned(),
        (_, true) => "The alerts' times".to_owned(),
        (1, false) => "The time of 1 alert".to_owned(),
        (_, false) => format!("The times of {} alerts", number(without)),
    };
    let them = if without == 1 { "it" } else { "them" };
    Some(format!(
        "{which} could not be read, so anything asked for in the capture, {}, can match {them}.{why}",
        times.span(first, last)
    ))
}

/// That alerts are of another time than the capture, and when these are; nothing of one alone, whose answer says so.
pub(in crate::report) fn of_another_day(ending: &Ending<'_>, times: &Times) -> Option<String> {
    let answers = ending.answers;
    let others = answers.iter().filter(|answer| answer.basis.is_of_another_day);
    let others = others.filter(|answer| answer.basis.gap.is_none());
    let times_of = |answer: &Answer| {
        let clock = answer.basis.clock.unwrap_or_default();
        let times = [answer.basis.time, answer.basis.until];
        times.into_iter().flatten().map(|time| clock.said(time)).collect::<Vec<_>>()
    };
    let how_many = others.clone().count() as u64;
    let others: Vec<Timestamp> = others.flat_map(times_of).collect();
    let (begin, end) = ending.coverage.span.filter(|_| answers.len() > 1 && !others.is_empty())?;
    let (before, behind): (Vec<Timestamp>, Vec<Timestamp>) =
        others.iter().partition(|time| **time < begin);
    let is_other_day =
        |day: &str| day < times.date_of(begin).as_str() || day > times.date_of(end).as_str();
    let when = |of: &[Timestamp]| {
        let (first, last) = (*of.iter().min()?, *of.iter().max()?);
        let [from, to] = [first, last].map(|time| times.date_of(time));
        // Of a day that the capture is of, too, the clock is what differs.
        Some(match (from == to, is_other_day(&from) && is_other_day(&to)) {
            (true, true) => format!("of {from}"),
            (false, true) => format!("of {from} to {to}"),
            (_, false) if first == last => format!("of {}", times.with_zone(first)),
            (true, false) => format!("of {} to {}", times.at(first), times.with_zone(last)),
            (false, false) => format!("of {from} to {to}"),
        })
    };
    let when: Vec<String> = [before, behind].iter().filter_map(|of| when(of)).collect();
    let all = count(answers.len() as u64, "alert", "alerts");
    let which = match (how_many, how_many == answers.len() as u64) {
        (2, true) => "Both alerts are".to_owned(),
        (_, true) => format!("All {all} are"),
        (1, false) => format!("1 of {all} is"),
        (_, false) => format!("{} of {all} are", number(how_many)),
    };
    let they = if how_many == 1 { "it" } else { "they" };
    let (when, capture) = (list(&when), times.span(begin, end));
    Some(format!(
        "{which} {when}; the capture covers {capture}, so {they} cannot be matched. If the clock that stamped the \
         capture was wrong, correct it with --time-shift FILE=SECONDS."
    ))
}

/// That alerts are of times from which the capture has nothing, and of which; nothing of one alone, whose answer says so.
pub(in crate::report) fn in_gaps(ending: &Ending<'_>, times: &Times) -> Option<String> {
    let answers = ending.answers;
    let gaps = answers.iter().filter_map(|answer| answer.basis.gap);
    let gaps: Vec<(Timestamp, Timestamp)> = gaps.filter(|_| answers.len() > 1).collect();
    let mut apart = gaps.clone();
    apart.sort_unstable();
    apart.dedup();
    let mut told: Vec<String> =
        apart.iter().take(GAPS_TOLD).map(|(from, to)| times.span(*from, *to)).collect();
    if told.len() < apart.len() {
        told.push(format!("{} more", number((apart.len() - told.len()) as u64)));
    }
    let (is_or_are, they) = if gaps.len() == 1 { ("is", "it") } else { ("are", "they") };
    let all = count(answers.len() as u64, "alert", "alerts");
    (!gaps.is_empty()).then(|| {
        format!(
            "{} of {all} {is_or_are} from a time for which the capture has no DNS packet ({}), so {they} cannot be \
             matched.",
            number(gaps.len() as u64),
            told.join("; ")
        )
    })
}
