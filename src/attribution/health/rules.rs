//! The rules, and the words: what is wrong, and what to do at the switch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::coverage::{ClientCoverage, Coverage};
use super::{MayName, Packets, ReadFile};
use crate::contact::LastActivity;
use crate::flow::Address;
use crate::number::number;
use crate::resolution::{ClocksApart, Leg};
use crate::time::{Span, Timestamp};

/// The fewest of what a rule counts.
const COUNT_MIN: u64 = 20;
/// The fewest questions to resolvers that could all have been answered from memory but for so many.
const ASKED_MIN: u64 = 200;
/// How many hosts or servers are named.
const NAMED_MAX: usize = 4;
/// What to do about it on a switch. It comes first: there may be no room for all of what is said.
const BOTH: &str = "Mirror the DNS server's port in both directions (on the switch: `both`, not `rx` or \
                    `tx`), to one port.";

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Wrong(String),
    Right,
    /// There was too little to tell.
    Open,
}

/// What is counted of a resolver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Resolver {
    asked: u64,
    answers: u64,
    asks: u64,
    upstream_answered: u64,
}

/// What the rules count, since the beginning or in a stretch.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    queries: u64,
    answered: u64,
    unasked: u64,
    copies: u64,
    retransmissions: u64,
    resolvers: BTreeMap<Address, Resolver>,
    /// Questions to, or answers from, servers where no resolver was recognised: in the network, and outside.
    to_internal: u64,
    to_outside: u64,
}

impl Figures {
    /// Since the beginning.
    pub fn of(coverage: &Coverage) -> Figures {
        let counters = &coverage.transactions;
        let mut figures = Figures {
            queries: counters.queries,
            answered: counters.answered,
            unasked: counters.unasked,
            copies: counters.copies,
            retransmissions: counters.retransmissions,
            ..Figures::default()
        };
        for resolver in &coverage.resolvers {
            let Some(first) = resolver.addresses.first() else { continue };
            let upstream = coverage
                .latencies
                .iter()
                .find(|row| row.resolver == *first && row.leg == Leg::Upstream);
            figures.resolvers.insert(
                *first,
                Resolver {
                    asked: resolver.asked,
                    answers: resolver.answers,
                    asks: resolver.asks,
                    upstream_answered: upstream.map_or(0, |row| row.count),
                },
            );
        }
        let unrecognised = coverage.servers.iter().filter(|_| coverage.resolvers.is_empty());
        for server in unrecognised {
            let count = server.asked.max(server.answers);
            match server.address.is_internal() {
                true => figures.to_internal += count,
                false => figures.to_outside += count,
            }
        }
        figures
    }

    /// What came since an earlier moment. Where resolvers were recognised meanwhile there are no servers any
    /// more.
    pub fn since(&self, then: &Figures) -> Figures {
        let resolvers = self.resolvers.iter().map(|(address, now)| {
            let then = then.resolvers.get(address).copied().unwrap_or_default();
            let since = Resolver {
                asked: now.asked.saturating_sub(then.asked),
                answers: now.answers.saturating_sub(then.answers),
                asks: now.asks.saturating_sub(then.asks),
                upstream_answered: now.upstream_answered.saturating_sub(then.upstream_answered),
            };
            (*address, since)
        });
        Figures {
            queries: self.queries.saturating_sub(then.queries),
            answered: self.answered.saturating_sub(then.answered),
            unasked: self.unasked.saturating_sub(then.unasked),
            copies: self.copies.saturating_sub(then.copies),
            retransmissions: self.retransmissions.saturating_sub(then.retransmissions),
            resolvers: resolvers.collect(),
            to_internal: self.to_internal.saturating_sub(then.to_internal),
            to_outside: self.to_outside.saturating_sub(then.to_outside),
        }
    }

    /// All messages.
    pub fn messages(&self) -> u64 {
        self.queries + self.answered + self.unasked + self.copies + self.retransmissions
    }

    fn sum(&self, of: impl Fn(&Resolver) -> u64) -> u64 {
        self.resolvers.values().map(of).sum()
    }
}

/// What the rules are held against.
pub(super) struct RuleInput<'a> {
    pub figures: &'a Figures,
    pub coverage: &'a Coverage,
    /// Resolvers that were declared and not seen.
    pub unseen: &'a [Address],
    /// What a host did before does not count.
    pub around_since: Timestamp,
    pub may_name: MayName<'a>,
    /// The files that are read.
    pub files: &'a [ReadFile],
}

/// Whether `part` is less than so many per cent of `whole`.
fn is_below(part: u64, percent: u64, whole: u64) -> bool {
    part.saturating_mul(100) < whole.saturating_mul(percent)
}

/// What each rule but that of silence finds. `is_said` tells what was wrong until now: that must be better than
/// what was right to be right.
pub(super) fn found(
    input: &RuleInput<'_>,
    is_said: &dyn Fn(&str) -> bool,
) -> Vec<(&'static str, Finding)> {
    let figures = input.figures;
    let one_direction = one_direction(figures, is_said("one-direction"));
    let is_whole = !matches!(one_direction, Finding::Wrong(_));
    let of_legs = |finding: &dyn Fn() -> Finding| if is_whole { finding() } else { Finding::Open };
    let clients = of_legs(&|| client_leg_missing(figures, is_said("client-leg-missing")));
    let are_clients_seen = !matches!(clients, Finding::Wrong(_));
    vec![
        (
            "leg-one-direction",
            of_legs(&|| leg_one_direction(figures, is_said("leg-one-direction"))),
        ),
        (
            "resolver-unasked",
            of_legs(&|| resolver_unasked(input, are_clients_seen, is_said("resolver-unasked"))),
        ),
        (
            "upstream-leg-missing",
            of_legs(&|| upstream_leg_missing(input, is_said("upstream-leg-missing"))),
        ),
        ("asked-by-one", of_legs(&|| asked_by_one(input, is_said("asked-by-one")))),
        ("clocks-apart", clocks_apart(input)),
        ("one-direction", one_direction),
        ("client-leg-missing", clients),
        ("frames-twice", frames_twice(figures, is_said("frames-twice"))),
        ("around-the-resolver", around(input, false)),
        ("resolver-encrypts", around(input, true)),
    ]
}

/// For how long there was none.
pub(super) fn silent(span: Span) -> String {
    format!(
        "Check the switch: no DNS packet has arrived for {} s. Is the mirror session on, does it mirror the DNS \
         server's port or VLAN, does it mirror to this port, and does --filter let DNS through?",
        span.0 / 1_000_000_000
    )
}

/// Whether so many packets were lost that it must be mended.
pub(super) fn packets_lost(packets: &Packets, was_wrong: bool) -> Finding {
    let Packets { received, by_kernel, by_interface, behind } = *packets;
    let is_much = |lost: u64, permille: u64, all: u64| {
        lost > 0 && lost.saturating_mul(1_000) >= all.saturating_mul(permille)
    };
    let here = is_much(by_kernel + behind, if was_wrong { 2 } else { 10 }, received + by_kernel);
    // The card counts what the filter would have left out, too: much of it may have been no DNS.
    let card = is_much(by_interface, if was_wrong { 20 } else { 100 }, received + by_interface);
    match loss(packets).filter(|_| here || card) {
        Some(words) => Finding::Wrong(words),
        None => Finding::Right,
    }
}

/// What to do, and what was lost where.
pub(super) fn loss(packets: &Packets) -> Option<String> {
    let places = [
        (
            packets.by_kernel,
            "Use a larger --buffer, several threads (--fanout), or capture less (--capture dns)",
            "lost because the kernel's buffer was full",
        ),
        (
            packets.behind,
            "Use more --workers, or capture less (--capture dns)",
            "skipped because the analysis was too slow",
        ),
        (
            packets.by_interface,
            "Make the network card's ring larger (`ethtool -G`), or mirror less to it",
            "lost by the network card",
        ),
    ];
    let places = places.into_iter().filter(|(count, ..)| *count > 0);
    let places: Vec<String> = places
        .map(|(count, mend, where_)| format!("{mend}: {} packets were {where_}.", number(count)))
        .collect();
    let percent = packets.lost().saturating_mul(100) / packets.all().max(1);
    let share = if percent == 0 { "less than 1".to_owned() } else { percent.to_string() };
    (!places.is_empty()).then(|| {
        format!(
            "{} That is {share} % of all packets. Questions in them are not seen, and clients near such a loss are \
             named with less confidence.",
            places.join(" ")
        )
    })
}

fn one_direction(figures: &Figures, was_wrong: bool) -> Finding {
    let Figures { queries, answered, unasked, .. } = *figures;
    if queries + unasked < COUNT_MIN {
        return Finding::Open;
    }
    if !is_below(answered, if was_wrong { 20 } else { 5 }, queries + unasked) {
        return Finding::Right;
    }
    let are_asked = is_below(unasked, 5, queries);
    let are_answers = is_below(queries, 5, unasked);
    let [queries, answered, unasked] = [queries, answered, unasked].map(number);
    let what = if are_asked {
        format!(
            "Questions are seen, but not their answers ({queries} and {answered}). Either one direction is not \
             mirrored, or nobody answers."
        )
    } else if are_answers {
        format!(
            "Answers are seen, but not their questions ({unasked} and {queries}): one direction is not mirrored."
        )
    } else {
        format!(
            "Only what the DNS server sends is seen, or only what it receives: {queries} questions, of which \
             {answered} have an answer, and {unasked} answers to other questions."
        )
    };
    Finding::Wrong(format!("{BOTH} {what}"))
}

fn leg_one_direction(figures: &Figures, was_wrong: bool) -> Finding {
    let least = if was_wrong { 20 } else { 5 };
    let (mut wrong, mut is_open) = (Vec::new(), true);
    for (address, resolver) in &figures.resolvers {
        let Resolver { asked, answers, asks, upstream_answered } = *resolver;
        if asked.max(answers) >= COUNT_MIN {
            is_open = false;
            let (no_answers, no_questions) =
                (is_below(answers, least, asked), is_below(asked, least, answers));
            let [asked, answers] = [asked, answers].map(number);
            if no_answers {
                wrong
                    .push(format!("{asked} questions to {address}, but {answers} answers from it"));
            } else if no_questions {
                wrong
                    .push(format!("{answers} answers from {address}, but {asked} questions to it"));
            }
        }
        if asks >= COUNT_MIN {
            is_open = false;
            if is_below(upstream_answered, least, asks) {
                let [asks, upstream_answered] = [asks, upstream_answered].map(number);
                wrong.push(format!(
                    "{asks} exchanges of {address} with servers upstream, {upstream_answered} of them with both \
                     question and answer"
                ));
            }
        }
    }
    match (wrong.is_empty(), is_open) {
        (true, true) => Finding::Open,
        (true, false) => Finding::Right,
        (false, _) => {
            wrong.truncate(NAMED_MAX);
            let wrong = wrong.join("; ");
            Finding::Wrong(format!(
                "{BOTH} One side of a DNS server is seen in one direction only: {wrong}. (If the other side does \
                 not answer, as when the Internet is down, the mirror port is fine.)"
            ))
        }
    }
}

fn client_leg_missing(figures: &Figures, was_wrong: bool) -> Finding {
    let (least, outside_least) = if was_wrong { (5, 80) } else { (1, 95) };
    if figures.resolvers.is_empty() {
        let all = figures.to_internal + figures.to_outside;
        return match all >= COUNT_MIN {
            false => Finding::Open,
            true if is_below(figures.to_outside, outside_least, all) => Finding::Right,
            true => Finding::Wrong(format!(
                "Mirror the port of the DNS server itself, not only the uplink: all {} questions but a few go \
                 to servers outside, and none of your hosts is recognised as a DNS server. If one of those that \
                 ask is your DNS server, its clients are not in the mirror, and none can be named. (If you have no \
                 DNS server of your own, this is fine.)",
                number(all)
            )),
        };
    }
    let (asked, asks) = (figures.sum(|r| r.asked.max(r.answers)), figures.sum(|r| r.asks));
    if asked + asks < COUNT_MIN {
        return Finding::Open;
    }
    if asks < COUNT_MIN || !is_below(asked, least, asks) {
        return Finding::Right;
    }
    let (who, asks) = (few(figures.resolvers.keys()), number(asks));
    Finding::Wrong(format!(
        "Also mirror the port of the DNS server itself, or the one that its clients use: nobody is seen asking \
         {who}, although it asks upstream ({asks} questions). Its clients are not in the mirror, and none can be \
         named."
    ))
}

fn resolver_unasked(input: &RuleInput<'_>, are_clients_seen: bool, was_wrong: bool) -> Finding {
    let least = if was_wrong { 5 } else { 1 };
    let unasked = input.figures.resolvers.iter().filter(|(_, resolver)| {
        let asked = resolver.asked.max(resolver.answers);
        resolver.asks >= COUNT_MIN && is_below(asked, least, resolver.asks)
    });
    // If it is so of all of them, that has been said.
    let unasked: Vec<&Address> = unasked.map(|(address, _)| address).collect();
    let mut words = Vec::new();
    if !unasked.is_empty() && are_clients_seen {
        words.push(format!(
            "Also mirror the port of {0}: nobody is seen asking {0}, although others are asked. Its clients are \
             not in the mirror, and none of them can be named. (If it resolves only for itself, this is fine.)",
            few(unasked)
        ));
    }
    if !input.unseen.is_empty() {
        words.push(format!(
            "Also mirror the port of {0}, or check the address: nothing is seen of {0}, given with --resolver.",
            few(input.unseen)
        ));
    }
    if words.is_empty() { Finding::Right } else { Finding::Wrong(words.join(" ")) }
}

fn upstream_leg_missing(input: &RuleInput<'_>, was_wrong: bool) -> Finding {
    const MIRROR: &str = "Mirror the DNS server's own port in both directions, or also its uplink";
    const THEN: &str = "What it looks up for its clients cannot be seen, so alerts can only be matched to the \
                        names that clients ask for.";
    let figures = input.figures;
    let (least, internal_least) = if was_wrong { (5, 80) } else { (1, 95) };
    if figures.resolvers.is_empty() {
        let all = figures.to_internal + figures.to_outside;
        return match all >= COUNT_MIN {
            false => Finding::Open,
            true if is_below(figures.to_internal, internal_least, all) => Finding::Right,
            true => {
                let servers = input.coverage.servers.iter().map(|server| &server.address);
                let server = few(servers.filter(|address| address.is_internal()));
                let what = format!(
                    "{server} is asked ({} questions), but not seen asking anybody",
                    number(all)
                );
                Finding::Wrong(match lone_asker(input) {
                    Some(host) => format!(
                        "If {host} is your DNS server, also mirror its port; if {server} is, mirror that port in both \
                         directions: {what}, and {host} alone asks it. Either the clients of {host} are not in the \
                         mirror, and none of them can be named, or the lookups of {server} are not."
                    ),
                    None => format!("{MIRROR}: {what}. {THEN}"),
                })
            }
        };
    }
    let (asked, asks) = (figures.sum(|r| r.asked), figures.sum(|r| r.asks));
    if asks > 0 && !is_below(asks, least, asked) {
        return Finding::Right;
    }
    if asked < ASKED_MIN {
        return Finding::Open;
    }
    let [asked, asks] = [asked, asks].map(number);
    Finding::Wrong(format!(
        "{MIRROR}: {} is asked ({asked} questions), but hardly seen asking anybody ({asks}). {THEN} (If it knows \
         all answers itself, or asks upstream encrypted, the mirror port is fine.)",
        few(figures.resolvers.keys())
    ))
}

/// Who asked all that was asked but for one in a hundred, where no DNS server is recognised: what forwards to a
/// server inside looks like its only client.
fn lone_asker(input: &RuleInput<'_>) -> Option<Address> {
    let ClientCoverage { asks, first } = input.coverage.clients;
    let (host, its) = first.filter(|(host, _)| (input.may_name)(*host))?;
    is_below(asks.saturating_sub(its), 1, asks).then_some(host)
}

/// Nearly all that was asked since the beginning, one host asked: what stands before a DNS server and hides who asks. In
/// a quarter of a minute of the night it may be any host.
fn asked_by_one(input: &RuleInput<'_>, was_wrong: bool) -> Finding {
    let ClientCoverage { asks: all, first } = input.coverage.clients;
    let is_known = !input.coverage.resolvers.is_empty();
    let Some((host, asks)) = first.filter(|_| is_known && all >= ASKED_MIN) else {
        return Finding::Open;
    };
    let others = all.saturating_sub(asks);
    if !is_below(others, if was_wrong { 5 } else { 1 }, all) || !(input.may_name)(host) {
        return Finding::Right;
    }
    let [all, asks] = [all, asks].map(number);
    Finding::Wrong(format!(
        "If {host} asks for others, as a DNS server, a load balancer or a router does, also mirror its port: it \
         asks {asks} of the {all} questions that clients ask. The clients behind it cannot be named, and it is \
         named instead. (If it asks only for itself, this is fine.)"
    ))
}

/// By what which files are to be shifted, as options: those of one directory together, unless some of it stay as they are.
/// Empty if none is to be.
fn shifts(input: &RuleInput<'_>) -> String {
    let file = |place: u16| input.files.get(usize::from(place));
    let mut by_directory: BTreeMap<(PathBuf, i64), BTreeSet<&Path>> = BTreeMap::new();
    let mut stays: BTreeSet<&Path> = BTreeSet::new();
    let mut shifted: BTreeSet<&Path> = BTreeSet::new();
    for (_, apart) in &input.coverage.clocks_apart {
        let stay = apart.stays.iter().filter_map(|place| file(*place)?.path.parent());
        stays.extend(stay);
        for (place, by) in &apart.shifts {
            // By what most lookups say, of those of several addresses.
            let Some(file) = file(*place).filter(|file| shifted.insert(&file.path)) else {
                continue;
            };
            // To a tenth of a millisecond: it is not known better.
            let shift = (file.shift + *by).0 / 100_000;
            let directory = file.path.parent().unwrap_or(Path::new("")).to_owned();
            by_directory.entry((directory, shift)).or_default().insert(&file.path);
        }
    }
    let mut options: Vec<String> = Vec::new();
    for ((directory, shift), files) in by_directory {
        let all = input.files.iter().filter(|file| file.path.parent() == Some(&directory)).count();
        let can_be_whole = directory != Path::new("") && !stays.contains(directory.as_path());
        let is_whole = can_be_whole && files.len() > 1 && 2 * files.len() > all;
        let named = if is_whole { BTreeSet::from([directory.as_path()]) } else { files };
        options.extend(named.iter().map(|path| {
            let option = format!("{}={:.4}", path.display(), shift as f64 / 1e4);
            let quote = if option.contains(char::is_whitespace) { "'" } else { "" };
            format!("--time-shift {quote}{option}{quote}")
        }));
    }
    let more = options.len().saturating_sub(NAMED_MAX);
    options.truncate(NAMED_MAX);
    if more > 0 {
        options.push(format!("and {more} more like these"));
    }
    options.join(" ")
}

/// That the two sides of a resolver were stamped by two clocks.
fn clocks_apart(input: &RuleInput<'_>) -> Finding {
    let Some((resolver, apart)) = input.coverage.clocks_apart.first() else {
        return Finding::Right;
    };
    let ClocksApart { offset, is_steady, is_of_some, agreeing, pairs, .. } = apart;
    let way = if offset.0 < 0 { "behind" } else { "ahead of" };
    let off = format!("{}{} {way}", if *is_steady { "" } else { "some " }, offset.abs());
    let shifts = shifts(input);
    let mend = match (is_steady, shifts.is_empty()) {
        (_, false) => format!("Read again with {shifts}:"),
        (true, true) => format!(
            "Synchronise the clocks that stamp these packets, or shift the timestamps of one by {:.4} s (`editcap \
             -t`):",
            -offset.as_secs_f64()
        ),
        (false, true) => {
            "Synchronise the clocks that stamp these packets (with NTP), and capture again:"
                .to_owned()
        }
    };
    let whose = if *is_of_some { "some of its clients" } else { "its clients" };
    let [agreeing, pairs] = [*agreeing, *pairs].map(|count| number(count as u64));
    let how = match is_steady {
        true => format!("{agreeing} of {pairs} lookups show it"),
        false => format!("varying, as {pairs} lookups show"),
    };
    Finding::Wrong(format!(
        "{mend} what {resolver} asks upstream is stamped by a clock that is {off} the one that stamps what {whose} \
         ask ({how}). Until then \"no client\" and \"cannot be decided\" mean little, and nobody is named with \
         certainty."
    ))
}

fn frames_twice(figures: &Figures, was_wrong: bool) -> Finding {
    let (copies, all) = (figures.copies, figures.messages());
    if is_below(copies, if was_wrong { 10 } else { 25 }, all) {
        return Finding::Right;
    }
    if copies < COUNT_MIN {
        return Finding::Open;
    }
    let [copies, all] = [copies, all].map(number);
    Finding::Wrong(format!(
        "On the switch, mirror one port in both directions, or a VLAN in one (`rx`): packets arrive twice \
         ({copies} copies among {all} messages), because they are mirrored both where they enter and where they \
         leave. Results stay correct, but the mirror port carries double the load and loses packets sooner. \
         (Traffic between two DNS servers arrives twice if the ports of both are mirrored: leave that. Overlapping \
         captures that are read together look the same.)"
    ))
}

/// Hosts that ask around the resolvers; or, of `resolvers`, those that do.
fn around(input: &RuleInput<'_>, resolvers: bool) -> Finding {
    let coverage = input.coverage;
    let is_recent = |around: &&LastActivity| around.last >= input.around_since;
    let who: Vec<&LastActivity> = coverage
        .around
        .iter()
        .filter(is_recent)
        .filter(|around| coverage.saw_resolver(around.host) == resolvers)
        .collect();
    if who.is_empty() {
        return Finding::Right;
    }
    let named: Vec<String> = who
        .iter()
        .filter(|around| resolvers || (input.may_name)(around.host))
        .take(NAMED_MAX)
        .map(|around| {
            let called = around.known.map_or(String::new(), |known| format!("{known}, "));
            format!("{} ({} to {called}{})", around.host, around.carrier.as_str(), around.server)
        })
        .collect();
    let named = match (named.is_empty(), who.len() > named.len()) {
        (true, _) => String::new(),
        (false, true) => format!(", such as {}", named.join(", ")),
        (false, false) => format!(": {}", named.join(", ")),
    };
    let count = who.len();
    let at_least = if coverage.around_passed_over > 0 { "at least " } else { "" };
    Finding::Wrong(match resolvers {
        true => format!(
            "If you can, let your DNS server ask unencrypted as far as the firewall: {} upstream encrypted{named}. \
             What is asked there cannot be input, so alerts can only be matched to the names that clients ask for.",
            if count == 1 { "it asks" } else { "several ask" }
        ),
        false => format!(
            "At the firewall, block port 853 (TCP and UDP) and the addresses of public resolvers; in browsers, \
             disable DNS over HTTPS by policy: {at_least}{count} {} encrypted DNS servers instead of yours{named}. \
             What they look up there cannot be input.",
            if count == 1 { "host asks" } else { "hosts ask" }
        ),
    })
}

/// Some of these addresses.
fn few<'a>(addresses: impl IntoIterator<Item = &'a Address>) -> String {
    let all: Vec<String> = addresses.into_iter().map(ToString::to_string).collect();
    let mut named = all.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = all.len().checked_sub(NAMED_MAX) {
        named.push_str(&format!(" and {more} more"));
    }
    named
}
