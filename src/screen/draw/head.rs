//! The upper part: how much comes, what is lost, what is wrong, and of whom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{RenderDirection, Sparkline, Widget};

use super::paint::{Paint, bar, below, cut, entry};
use super::{BOTH, View, day_and_clock};
use crate::live::{Interface, Status};
use crate::report::words::{count, duration, latency, list, number};
use crate::report::{Ink, Words};
use crate::screen::stance::Page;
use crate::time::Span;

/// The width of the labels.
const COLUMN: usize = 12;
/// How many resolvers are named here; the state page names more.
const RESOLVERS_MAX: usize = 4;
/// The rank of what is wrong with the mirror.
const MIRROR: u8 = 1;
/// The smallest terminal that all fits on.
const ENOUGH: (u16, u16) = (80, 24);

/// Something that is said of the run.
pub(super) struct HeadNotice {
    label: &'static str,
    words: Words,
    /// What there is room for first: the least.
    rank: u8,
}

impl HeadNotice {
    fn new(rank: u8, label: &'static str, words: Words) -> HeadNotice {
        HeadNotice { label, words, rank }
    }
}

/// Draws it on the upper part of an area, and says how many lines it took.
pub(super) fn draw(view: &View<'_>, paint: Paint, area: Rect, buffer: &mut Buffer) -> u16 {
    title(view, paint, area, buffer);
    rates(view, paint, below(area, 1), buffer);
    // Beside a long text only what matters most is said.
    let is_long = view.stance.page != Page::Sightings && area.height < BOTH;
    let budget = if is_long { 1 } else { (area.height * 2 / 5).saturating_sub(2) };
    // What is long is cut in its turn, the longer the smaller the terminal.
    let each_max = match area.height {
        ..20 => 1,
        20..32 => 2,
        _ => 4,
    };
    let lines = fitted(said(view), usize::from(area.width), usize::from(budget), each_max);
    2 + paint.put_all(buffer, below(area, 2), &lines)
}

fn title(view: &View<'_>, paint: Paint, area: Rect, buffer: &mut Buffer) {
    let status = view.status;
    let mut left = format!(" whoasked live  {}", duration((view.now - status.began).max(Span(0))));
    if view.is_ending {
        left.push_str("  ending; results so far follow");
    } else if view.stance.is_paused {
        left.push_str(&format!("  paused, {} since; p goes on", number(view.newer)));
    } else if area.width < ENOUGH.0 || area.height < ENOUGH.1 {
        left.push_str(&format!("  small: {}x{} shows more", ENOUGH.0, ENOUGH.1));
    }
    let right = format!("{} {} ", view.zone.clock(view.now), view.zone.name_at(view.now));
    let room = usize::from(area.width).saturating_sub(left.chars().count() + 2);
    let right = if right.chars().count() > room {
        format!("{} ", view.zone.clock(view.now))
    } else {
        right
    };
    let width = usize::from(area.width);
    let mut words = Words::of(Ink::Strong, &left);
    if left.chars().count() + 1 + right.chars().count() <= width {
        words = words.padded(width - right.chars().count()).and(Ink::Plain, &right);
    }
    paint.put(buffer, area, 0, &words);
    bar(buffer, area, 0);
}

/// Packets and messages a second, side by side.
fn rates(view: &View<'_>, paint: Paint, area: Rect, buffer: &mut Buffer) {
    let half = area.width / 2;
    let left = Rect { width: half, ..area };
    let right = Rect { x: area.x + half, width: area.width - half, ..area };
    let packets: Vec<u64> = view.pulse.packets().collect();
    let messages: Vec<u64> = view.pulse.messages().collect();
    for (label, rates, area) in [("packets/s", packets, left), ("DNS/s", messages, right)] {
        let now = rates.first().map_or_else(|| "-".to_owned(), |rate| number(*rate));
        let column = if label.len() > 5 { COLUMN } else { 6 };
        let words =
            Words::of(Ink::Aside, label).padded(column).and(Ink::Strong, &format!("{now:>9} "));
        paint.put(buffer, area, 0, &words);
        let used = (words.width() as u16).min(area.width);
        let rest = Rect {
            x: area.x + used,
            width: (area.width - used).saturating_sub(2),
            height: 1,
            ..area
        };
        // The newest stands at the right, where the eye is when a line ends.
        Sparkline::default()
            .data(rates)
            .direction(RenderDirection::RightToLeft)
            .style(Style::new())
            .render(rest, buffer);
    }
}

/// What there is room for, of so many lines in all and so many of each.
fn fitted(said: Vec<HeadNotice>, width: usize, budget: usize, each_max: usize) -> Vec<Words> {
    let mut laid: Vec<(u8, Vec<Words>, usize)> = said
        .into_iter()
        .map(|said| (said.rank, entry(said.label, COLUMN, &said.words, width), 0))
        .collect();
    let mut left = budget;
    for lines in 1..=each_max {
        let mut order: Vec<_> = laid.iter_mut().collect();
        order.sort_by_key(|(rank, _, _)| *rank);
        for (rank, whole, given) in order {
            // What is wrong with the mirror is said to its end: it is what the reader has to do.
            let wanted = if *rank == MIRROR { each_max } else { lines };
            while left > 0 && *given < wanted.min(whole.len()) {
                *given += 1;
                left -= 1;
            }
        }
    }
    let mut fitted = Vec::new();
    for (_, mut whole, given) in laid {
        let is_cut = whole.len() > given;
        whole.truncate(given);
        if let Some(last) = whole.last_mut().filter(|_| is_cut) {
            *last = cut(last, width.saturating_sub(1)).and(Ink::Aside, "…");
        }
        fitted.append(&mut whole);
    }
    fitted
}

fn said(view: &View<'_>) -> Vec<HeadNotice> {
    let status = view.status;
    let mut said = vec![HeadNotice::new(0, "lost", lost(status))];
    said.extend(status.complaints.first().map(|first| {
        let more = status.complaints.len() - 1;
        let more = if more > 0 { format!(" (and {more} more: s)") } else { String::new() };
        HeadNotice::new(
            MIRROR,
            "mirror",
            Words::of(Ink::Caution, &first.words).and(Ink::Aside, &more),
        )
    }));
    let is_down = status.interfaces.iter().any(|interface| interface.fault.is_some());
    said.push(HeadNotice::new(
        if is_down { 2 } else { 4 },
        "interfaces",
        interfaces(&status.interfaces),
    ));
    said.push(HeadNotice::new(5, "DNS servers", resolvers(status, RESOLVERS_MAX)));
    let is_stale = status.lists.fault.is_some();
    said.push(HeadNotice::new(if is_stale { 2 } else { 6 }, "lists", lists(view)));
    said.push(HeadNotice::new(3, "flagged", flagged(status)));
    let outputs = status.outputs.iter().map(|output| (output.name.as_str(), &output.fault));
    let ring = status.ring.iter().map(|ring| ("--ring", &ring.fault));
    let faults = outputs.chain(ring).filter_map(|(name, fault)| Some((name, fault.as_ref()?)));
    let faults: Vec<String> = faults.map(|(name, fault)| format!("{name}: {fault}")).collect();
    if !faults.is_empty() {
        said.push(HeadNotice::new(2, "outputs", Words::of(Ink::Caution, &faults.join("; "))));
    }
    said
}

/// Layer by layer, from the wire to the output, where something was.
pub(super) fn lost(status: &Status) -> Words {
    let of = |count: fn(&Interface) -> u64| status.interfaces.iter().map(count).sum::<u64>();
    let decoded = &status.decoded;
    let (forgotten, early) = status.coverage.as_ref().map_or((0, 0), |coverage| {
        (coverage.forgotten + coverage.edges_forgotten, coverage.judged_early)
    });
    let layers = [
        ("network card", of(|interface| interface.dropped_by_interface)),
        ("kernel", of(|interface| interface.dropped_by_kernel)),
        ("too slow", status.losses.frames),
        ("unreadable", decoded.malformed + decoded.broken + decoded.unknown_link + decoded.failed),
        ("forgotten", forgotten),
        ("early", early),
        ("output", status.outputs.iter().map(|output| output.lost).sum()),
    ];
    let mut words = Words::default();
    for (name, count) in layers.into_iter().filter(|(_, count)| *count > 0) {
        let gap = if words.width() > 0 { ", " } else { "" };
        words.push(Ink::Aside, &format!("{gap}{name}\u{a0}"));
        words.push(Ink::Caution, &number(count));
    }
    if words.width() == 0 { Words::plain("0") } else { words }
}

/// Those that are down first.
fn interfaces(interfaces: &[Interface]) -> Words {
    let mut words = Words::default();
    let mut interfaces: Vec<&Interface> = interfaces.iter().collect();
    interfaces.sort_by_key(|interface| interface.fault.is_none());
    for interface in interfaces {
        if words.width() > 0 {
            words.push(Ink::Plain, "; ");
        }
        match &interface.fault {
            Some(fault) => words.push(Ink::Caution, &format!("{fault}; waiting for it")),
            None => {
                words.push(Ink::Strong, &interface.name);
                words.push(Ink::Plain, &format!(" up, {} packets", number(interface.received)));
            }
        }
    }
    words
}

/// The resolvers, or who was asked if none was recognised.
pub(super) fn resolvers(status: &Status, most: usize) -> Words {
    let Some(coverage) = &status.coverage else {
        return Words::plain("no DNS message was seen so far");
    };
    let mut words = Words::default();
    for resolver in coverage.resolvers.iter().take(most) {
        if words.width() > 0 {
            words.push(Ink::Plain, "; ");
        }
        let addresses: Vec<String> = resolver.addresses.iter().map(ToString::to_string).collect();
        words.push(Ink::Strong, &list(&addresses));
        let (asked, answers, asks) = (resolver.asked, resolver.answers, resolver.asks);
        words.push(
            Ink::Plain,
            &format!(
                " asked {}, answers {}, asks {}",
                number(asked),
                number(answers),
                number(asks)
            ),
        );
    }
    if let Some(more @ 1..) = coverage.resolver_count().checked_sub(most as u64) {
        words.push(Ink::Aside, &format!("; and {} more", number(more)));
    }
    if coverage.resolvers.is_empty() {
        let asked: Vec<String> =
            coverage.servers.iter().map(|server| server.address.to_string()).collect();
        words.push(Ink::Caution, "none is recognised yet");
        if !asked.is_empty() {
            words.push(
                Ink::Plain,
                &format!("; asked are {} (--resolver names yours)", list(&asked)),
            );
        }
    }
    words
}

fn lists(view: &View<'_>) -> Words {
    let lists = &view.status.lists;
    let read = day_and_clock(view, lists.read);
    let words = Words::plain(&format!(
        "{}, read {read}",
        count(lists.indicators, "indicator", "indicators")
    ));
    match &lists.fault {
        Some(fault) => words.and(Ink::Caution, &format!("; the new ones cannot be used: {fault}")),
        None => words,
    }
}

/// How many sightings.
pub(super) fn flagged(status: &Status) -> Words {
    let settled = status.settled;
    let mut words = Words::plain(&format!(
        "{} reported, {} settled",
        number(status.provisional.total()),
        number(settled.total())
    ));
    if settled.total() > 0 {
        let parts = [
            (settled.attributed, "with a client"),
            (settled.no_client, "without one"),
            (settled.undetermined, "undecided"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", number(*count)))
            .collect();
        words.push(Ink::Plain, &format!(": {}", list(&parts)));
    }
    words
}

/// How long sightings took to be reported.
pub(super) fn said_within(status: &Status) -> Option<Words> {
    let histogram = status.to_report.as_ref().filter(|histogram| !histogram.is_empty())?;
    let most = latency(histogram.value_at_quantile(0.99));
    Some(Words::plain(&format!("99 % of lookups were reported within {most}")))
}
