//! The list of sightings: a line each, the newest first.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::View;
use super::paint::{Paint, bar, below};
use crate::attribution::{Client, State, Verdict};
use crate::live::Sight;
use crate::report::words::number;
use crate::report::{Ink, Words};

/// From this width on there is room for whether a line is the last word, in a word.
const WIDE: usize = 100;

/// Below this one there is none for what part a client has.
const NARROW: usize = 72;

/// How wide the columns are; 0: there is no such column.
#[derive(Clone, Copy)]
struct Columns {
    client: usize,
    what: usize,
    part: usize,
    sure: usize,
    state: usize,
}

impl Columns {
    fn of(width: usize) -> Columns {
        let (client, part, state) = match width {
            WIDE.. => (36, 9, 11),
            NARROW.. => (25, 9, 0),
            _ => (18, 0, 0),
        };
        let sure = 6;
        let columns = [8, client, part, sure, state].into_iter().filter(|width| *width > 0);
        // A mark, and a blank behind each.
        let fixed = 1 + columns.map(|width| width + 1).sum::<usize>();
        Columns { client, what: width.saturating_sub(fixed), part, sure, state }
    }

    fn line(self, mark: &str, time: &str, cells: [Words; 5]) -> Words {
        let [client, what, part, sure, state] = cells;
        let mut line = Words::plain(&format!("{mark}{time:<8} "));
        for (cell, width) in
            [(client, self.client), (what, self.what), (part, self.part), (sure, self.sure)]
        {
            if width > 0 {
                line.append(cell.padded(width));
                line.push(Ink::Plain, " ");
            }
        }
        if self.state > 0 {
            line.append(state);
        }
        line
    }
}

/// Draws the list, and says how many sightings it has room for and which comes first.
pub(super) fn draw(
    view: &View<'_>,
    paint: Paint,
    area: Rect,
    buffer: &mut Buffer,
) -> (usize, usize) {
    let columns = Columns::of(usize::from(area.width));
    let titles = ["client", "asked → flagged", "part", "sure %", "state"];
    let titles = titles.map(|title| Words::of(Ink::Strong, title));
    paint.put(buffer, area, 0, &columns.line(" ", "time", titles));
    bar(buffer, area, 0);
    let rows = below(area, 1);
    let height = usize::from(rows.height);
    let chosen = view.stance.place(view.sights);
    // What is chosen is in sight, and else nothing moves.
    let first = view.first.min(view.sights.len().saturating_sub(height));
    let first = first.min(chosen).max((chosen + 1).saturating_sub(height.max(1)));
    if view.sights.is_empty() {
        let words = match view.stance.filter.is_empty() {
            true => "nothing that is listed was asked for so far",
            false => "nothing holds what the filter says; Esc takes it off",
        };
        paint.put(buffer, rows, 0, &Words::of(Ink::Aside, &format!(" {words}")));
    }
    for (line, (place, sight)) in (0..rows.height).zip(view.sights.iter().enumerate().skip(first)) {
        let is_chosen = place == chosen;
        let words = row(view, sight, columns, if is_chosen { ">" } else { " " });
        paint.put(buffer, rows, line, &words);
        if is_chosen {
            bar(buffer, rows, line);
        }
    }
    (height, first)
}

/// The client that a line is about, if there is one: the surest, of these the first.
pub(super) fn foremost(sight: &Sight) -> Option<&Client> {
    let clients = sight.attribution.clients.iter().rev();
    clients.max_by_key(|client| client.confidence_permille)
}

fn row(view: &View<'_>, sight: &Sight, columns: Columns, mark: &str) -> Words {
    let attribution = &sight.attribution;
    let time = view.zone.clock(attribution.sighting.time);
    let is_early = attribution.state == State::Provisional;
    let state =
        Words::of(if is_early { Ink::Aside } else { Ink::Plain }, attribution.state.as_str());
    let early = if is_early && columns.state == 0 { "?" } else { "" };
    let Some(client) = foremost(sight) else {
        let resolver = attribution.sighting.resolver.to_string();
        let part = match attribution.verdict {
            Verdict::NoClient => "no client",
            _ => "undecided",
        };
        let who = if columns.part > 0 { format!("server {resolver}") } else { part.to_owned() };
        let who = Words::of(Ink::Aside, &who).elided(columns.client);
        let what = way(&attribution.sighting.name, &sight.indicator, columns.what);
        return columns.line(
            mark,
            &time,
            [who, what, Words::plain(part), Words::plain(early), state],
        );
    };
    let flagged = client.chain.last().map_or(sight.indicator.as_str(), |step| step.name.as_str());
    let what = way(&client.asked, flagged, columns.what);
    let sure = client.confidence_permille;
    let sure = Words::plain(&format!("{}.{}{early}", sure / 10, sure % 10));
    let who = who(client, attribution.clients.len() - 1, columns.client);
    columns.line(mark, &time, [who, what, Words::plain(client.role.as_str()), sure, state])
}

/// A client's address and its name, and how many others there are.
fn who(client: &Client, others: usize, width: usize) -> Words {
    let more = match others {
        0 => String::new(),
        _ => format!(" +{}", number(others as u64)),
    };
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

/// What was asked for and what that led to, if it is something else.
fn way(asked: &str, flagged: &str, width: usize) -> Words {
    if asked.eq_ignore_ascii_case(flagged) {
        return Words::of(Ink::Flagged, flagged).elided(width);
    }
    let room = width.saturating_sub(3);
    let (asked, flagged) = (Words::plain(asked), Words::of(Ink::Flagged, flagged));
    // Half for each, and what one leaves over for the other.
    let half = room / 2;
    let for_flagged = flagged.width().min(half.max(room.saturating_sub(asked.width())));
    let mut way = asked.elided(room - for_flagged).and(Ink::Aside, " → ");
    way.append(flagged.elided(for_flagged));
    way
}
