//! The list of who asked for what is flagged: a line for each client and question, the newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Paint, bar, below, cut};
use super::{View, other_day};
use crate::attribution::{Client, State, Step, Verdict, Way};
use crate::live::Group;
use crate::report::words::{number, percent};
use crate::report::{Ink, Weight, Words};
use crate::resolution::Role;

/// From this width on there is room to spell out that a client connected, and for long names of clients.
const WIDEST: usize = 120;

/// From this one on there is room for what to make of a line, and for whether it is the last word.
const WIDE: usize = 100;

/// Below this one there is none for how the client came to what was flagged.
const NARROW: usize = 72;

/// How wide the columns are; 0: there is no such column.
#[derive(Clone, Copy)]
struct Columns {
    marks: usize,
    client: usize,
    flagged: usize,
    how: usize,
    connected: usize,
    sure: usize,
    verdict: usize,
    state: usize,
}

impl Columns {
    fn of(width: usize) -> Columns {
        let (client, connected, verdict, state) = match width {
            WIDEST.. => (32, 9, 12, 7),
            WIDE.. => (24, 4, 12, 7),
            NARROW.. => (24, 4, 0, 0),
            _ => (18, 4, 0, 0),
        };
        let sure = 6;
        // One for what is chosen; without a column for the verdict, another for what is to be acted on.
        let marks = if verdict == 0 { 2 } else { 1 };
        let columns = [8, client, connected, sure, verdict, state];
        let columns = columns.into_iter().filter(|width| *width > 0);
        // And a blank behind each.
        let fixed = marks + columns.map(|width| width + 1).sum::<usize>();
        let rest = width.saturating_sub(fixed);
        let how = if width >= NARROW { (rest / 2 + 2).saturating_sub(marks) } else { 0 };
        let flagged = rest.saturating_sub(if how > 0 { how + 1 } else { 0 });
        Columns { marks, client, flagged, how, connected, sure, verdict, state }
    }

    /// The title of the column for whether a client connected, and what stands there if it did.
    fn connected(self) -> (&'static str, &'static str) {
        if self.connected < 9 { ("conn", "yes") } else { ("", "connected") }
    }

    fn line(self, mark: &str, time: &str, cells: [Words; 7]) -> Words {
        let Columns { marks, client, flagged, how, connected, sure, verdict, state } = self;
        let widths = [client, flagged, how, connected, sure, verdict, state];
        let mut line = Words::plain(&format!("{mark:<marks$}"));
        line.append(clipped(Words::plain(time), 8).padded(8));
        line.push(Ink::Plain, " ");
        for (cell, width) in cells.into_iter().zip(widths).filter(|(_, width)| *width > 0) {
            line.append(clipped(cell, width).padded(width));
            line.push(Ink::Plain, " ");
        }
        line
    }
}

/// A cell that keeps to its column: what runs over it would move all that follows.
fn clipped(cell: Words, width: usize) -> Words {
    match cell.width() <= width {
        true => cell,
        false => cut(&cell, width.saturating_sub(1)).and(Ink::Aside, "…"),
    }
}

/// Draws the list, and says how many lines it has room for and which comes first.
pub(super) fn draw(
    view: &View<'_>,
    paint: Paint,
    area: Rect,
    buffer: &mut Buffer,
) -> (usize, usize) {
    let columns = Columns::of(usize::from(area.width));
    let (connected, _) = columns.connected();
    let titles = ["client", "flagged", "asked for", connected, "sure", "verdict", "state"];
    let titles = titles.map(|title| Words::of(Ink::Strong, title));
    paint.put(buffer, area, 0, &columns.line("", "time", titles));
    bar(buffer, area, 0);
    let rows = below(area, 1);
    let height = usize::from(rows.height);
    let chosen = view.stance.place(view.sights);
    // What is chosen is in sight, and else nothing moves.
    let first = view.first.min(view.sights.len().saturating_sub(height));
    let first = first.min(chosen).max((chosen + 1).saturating_sub(height.max(1)));
    if view.sights.is_empty() {
        let words = match view.stance.filter.is_empty() {
            true => "nothing on the lists was asked for so far",
            false => "nothing matches the filter; Esc clears it",
        };
        paint.put(buffer, rows, 0, &Words::of(Ink::Aside, &format!(" {words}")));
    }
    for (line, (place, group)) in (0..rows.height).zip(view.sights.iter().enumerate().skip(first)) {
        let is_chosen = place == chosen;
        let is_grave = columns.verdict == 0 && weight(group) == Some(Weight::Connected);
        let mark = match (is_chosen, is_grave) {
            (true, true) => ">!",
            (true, false) => ">",
            (false, true) => " !",
            (false, false) => "",
        };
        let words = row(view, group, columns, mark);
        paint.put(buffer, rows, line, &words);
        if is_chosen {
            bar(buffer, rows, line);
        }
    }
    (height, first)
}

fn row(view: &View<'_>, group: &Group, columns: Columns, mark: &str) -> Words {
    let attribution = &group.attribution;
    let time = other_day(view, group.last).unwrap_or_else(|| view.zone.clock(group.last));
    let state = match attribution.state {
        State::Provisional => Words::of(Ink::Aside, "so far"),
        State::Final | State::Superseded => Words::plain("settled"),
    };
    let Some(client) = group.foremost() else {
        let whose = match attribution.verdict {
            Verdict::NoClient => "no client",
            _ => "undecided",
        };
        let often =
            if group.times > 1 { format!(" {}x", number(group.times)) } else { String::new() };
        let room = columns.how.saturating_sub(often.len());
        let whose = Words::plain(whose).elided(room).and(Ink::Aside, &often);
        let resolver = format!("DNS server {}", attribution.sighting.resolver);
        let who = Words::of(Ink::Aside, &resolver).elided(columns.client);
        let name = Words::of(Ink::Flagged, &attribution.sighting.name).elided(columns.flagged);
        let blank = Words::default;
        return columns.line(mark, &time, [who, name, whose, blank(), blank(), blank(), state]);
    };
    let flagged = match (group.way, client.chain.last()) {
        (Some(Way::Direct), Some(last)) if last.step == Step::Server => &last.name,
        // Whatever else was looked up for it: it is listed, or below what is.
        (Some(Way::Direct), _) => &client.asked,
        (_, last) => last.map_or(&group.indicator, |step| &step.name),
    };
    // What the client did not ask for by name may be a false alarm.
    let ink =
        if matches!(group.way, None | Some(Way::Direct)) { Ink::Flagged } else { Ink::Caution };
    let flagged = Words::of(ink, flagged).elided(columns.flagged);
    let (_, connected) = columns.connected();
    let connected = if group.is_connected { connected } else { "" };
    let connected = Words::of(Ink::Strong, connected);
    let sure = Words::plain(&percent(client.confidence_permille));
    let who = who(client, group.others.len(), group.times, columns.client);
    let how = how(group.way, client, columns.how);
    let weight = weight(group);
    let ink = if weight == Some(Weight::Connected) { Ink::Flagged } else { Ink::Plain };
    let verdict = Words::of(ink, weight.map_or("", Weight::as_str));
    columns.line(mark, &time, [who, flagged, how, connected, sure, verdict, state])
}

/// What to make of it, as far as the list tells; of who is named.
fn weight(group: &Group) -> Option<Weight> {
    group.foremost()?;
    let is_led = group.way.is_some_and(Way::is_led);
    Some(Weight::by_itself(is_led, group.is_connected))
}

/// A client's address and its name, how many others there are, and how many times.
fn who(client: &Client, others: usize, times: u64, width: usize) -> Words {
    let mut more = match others {
        0 => String::new(),
        _ => format!(" +{}", number(others as u64)),
    };
    if times > 1 {
        more.push_str(&format!(" {}x", number(times)));
    }
    let room = width.saturating_sub(more.len());
    let address = Words::of(Ink::Strong, &client.address.to_string()).elided(room);
    let left = room.saturating_sub(address.width() + 1);
    let mut who = address;
    if let Some(host) = client.hostname.as_ref().filter(|_| left >= 4) {
        let name = Words::plain(&host.name).elided(left);
        who.push(Ink::Plain, " ");
        who.append(name);
    }
    who.and(Ink::Aside, &more)
}

/// Whether it asked for what is flagged itself, or for what else.
fn how(way: Option<Way>, client: &Client, width: usize) -> Words {
    let asked = &client.asked;
    let by = match way {
        // What the cache answered made nobody ask on.
        None | Some(Way::Direct) if client.role == Role::Cached => {
            return Words::of(Ink::Strong, "itself").and(Ink::Aside, ", cached");
        }
        None | Some(Way::Direct) => return Words::of(Ink::Strong, "itself"),
        Some(Way::Address | Way::SharedAddress | Way::OwnAlias | Way::Alias | Way::Server) => {
            "via "
        }
    };
    let mut how = Words::of(Ink::Aside, by);
    how.append(Words::plain(asked).elided(width.saturating_sub(by.len())));
    how
}
