//! The picture: a pure function from what is known, and where the person has gone to, to cells.
//!
//! ```text
//! whoasked live  2 h 05 min                                    09:17:42 UTC
//! packets/s      12,345 ▁▂▃▅▇         DNS/s     8,123 ▁▂▃▅▇                    head
//! lost        0
//!  time     client                     flagged          asked for         list
//! >09:17:42 192.168.2.42 KEVIN-PC 2x   mi.kenal-cn.com  itself            connected
//! a notice, or the filter
//! keys
//! ```

mod detail;
mod head;
mod list;
mod pages;
mod paint;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::paint::{Paint, bar, below};
use super::notices::Notices;
use super::pulse::Pulse;
use super::stance::{Page, Room, Stance};
use crate::live::{Group, Status};
use crate::report::words::number;
use crate::report::{Ink, Words};
use crate::time::{Span, Timestamp, Zone};

/// Below this there is no use in drawing.
const LEAST: (u16, u16) = (40, 8);
/// From here on the detail stands below the list, not in its place.
const BOTH: u16 = 32;
/// How long a notice is shown.
const NOTICED: Span = Span::from_secs(20);

/// What a picture is made of.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// How the run is doing.
    pub status: &'a Status,
    /// How much comes.
    pub pulse: &'a Pulse,
    /// The sightings that the filter leaves, the newest first.
    pub sights: &'a [Group],
    /// How many there are without it.
    pub all: usize,
    /// How many lookups fell out of the list.
    pub fell_out: u64,
    /// How many came since it was paused.
    pub newer: u64,
    /// Which sighting stood at the top of the list.
    pub first: usize,
    /// Where the person has gone to.
    pub stance: &'a Stance,
    /// What was said.
    pub notices: &'a Notices,
    /// In whose time.
    pub zone: &'a Zone,
    /// When it is.
    pub now: Timestamp,
    /// Whether there are colours.
    pub is_coloured: bool,
    /// Whether the run is ending.
    pub is_ending: bool,
}

/// Draws the whole screen, and says how much there was room for.
pub fn draw(view: &View<'_>, buffer: &mut Buffer) -> Room {
    let paint = Paint { is_coloured: view.is_coloured };
    let area = buffer.area;
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let words =
            format!("whoasked: too small, at least {}x{} needed; q exits", LEAST.0, LEAST.1);
        let lines = paint::wrapped(&Words::plain(&words), usize::from(area.width));
        paint.put_all(buffer, area, &lines);
        return Room::default();
    }
    let taken = head::draw(view, paint, area, buffer);
    let rest = below(area, taken);
    let (body, foot) = foot(view, paint, rest, buffer);
    paint.put(buffer, foot, 0, &keys(view.stance, usize::from(area.width)));
    match view.stance.page {
        Page::Sightings => {
            let (list, first) = list::draw(view, paint, body, buffer);
            Room { list, first, ..Room::default() }
        }
        Page::Detail => details(view, paint, body, buffer),
        Page::State | Page::Help => {
            let (title, lines) = match view.stance.page {
                Page::Help => (" Help".to_owned(), pages::help(usize::from(body.width))),
                _ => (" State".to_owned(), pages::state(view, usize::from(body.width))),
            };
            let (text, text_lines) = text(view.stance, paint, body, buffer, (&title, &lines));
            Room { text, text_lines, first: view.first, list: 0 }
        }
    }
}

/// The detail of what is chosen: below the list where there is room for both.
fn details(view: &View<'_>, paint: Paint, body: Rect, buffer: &mut Buffer) -> Room {
    let mut room = Room { first: view.first, ..Room::default() };
    let mut rest = body;
    if buffer.area.height >= BOTH {
        let upper = Rect { height: body.height / 3, ..body };
        (room.list, room.first) = list::draw(view, paint, upper, buffer);
        rest = below(body, upper.height);
    }
    let place = view.stance.place(view.sights);
    let Some(sight) = view.sights.get(place) else { return room };
    let title = format!(" {} of {}", number(place as u64 + 1), number(view.sights.len() as u64));
    let lines = detail::lines(view, sight, usize::from(rest.width));
    (room.text, room.text_lines) = text(view.stance, paint, rest, buffer, (&title, &lines));
    room
}

/// A text under a title, scrolled. Says how many lines there is room for, and how many there are.
fn text(
    stance: &Stance,
    paint: Paint,
    area: Rect,
    buffer: &mut Buffer,
    (title, lines): (&str, &[Words]),
) -> (usize, usize) {
    let rows = below(area, 1);
    let height = usize::from(rows.height);
    let first = stance.scroll.min(lines.len().saturating_sub(height));
    let shown = lines.get(first..).unwrap_or_default();
    let last = (first + height).min(lines.len());
    let part = match lines.len() > height {
        true => format!("{title}  (lines {} to {last} of {})", first + 1, lines.len()),
        false => title.to_owned(),
    };
    paint.put(buffer, area, 0, &Words::of(Ink::Strong, &part));
    bar(buffer, area, 0);
    paint.put_all(buffer, rows, shown);
    (height, lines.len())
}

/// Draws what stands above the line of keys, if anything does, and says what is left, and where the keys go.
fn foot(view: &View<'_>, paint: Paint, area: Rect, buffer: &mut Buffer) -> (Rect, Rect) {
    let mut body = Rect { height: area.height.saturating_sub(1), ..area };
    let keys = below(area, body.height);
    let mut say = |words: &Words| {
        body.height = body.height.saturating_sub(1);
        paint.put(buffer, below(area, body.height), 0, words);
    };
    let stance = view.stance;
    if stance.is_typing || !stance.filter.is_empty() {
        let cursor = if stance.is_typing { "█" } else { "" };
        let mut matches =
            format!("  {} of {}", number(view.sights.len() as u64), number(view.all as u64));
        if view.fell_out > 0 {
            matches.push_str(&format!("; {} older lookups were dropped", number(view.fell_out)));
        }
        say(&Words::of(Ink::Strong, &format!(" /{}{cursor}", stance.filter))
            .and(Ink::Aside, &matches));
    }
    let newest = view.notices.all().next_back();
    let newest = newest.filter(|notice| (view.now - notice.time).abs() < NOTICED);
    if let Some(notice) = newest {
        let time = view.zone.clock(notice.time);
        let line = notice.text.lines().next().unwrap_or_default();
        let before = format!(" {time} ");
        let line = begun(line, usize::from(area.width).saturating_sub(before.len()));
        say(&Words::of(Ink::Aside, &before).and(Ink::Caution, &line));
    }
    (body, keys)
}

/// The day of a time, if it is not today: `28 Nov`. A screen that is looked at in the morning has lines of the night.
fn other_day(view: &View<'_>, time: Timestamp) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (then, today) = (view.zone.civil(time)?.date, view.zone.civil(view.now)?.date);
    let (_, day) = then.split_once('-').filter(|_| then != today)?;
    let (month, day) = day.split_once('-')?;
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    Some(format!("{day} {month}"))
}

/// A time of day, to the minute and behind its day if that is not today: `28 Nov 09:17`.
fn day_and_clock(view: &View<'_>, time: Timestamp) -> String {
    let clock = view.zone.clock(time);
    match other_day(view, time) {
        Some(day) => format!("{day} {}", clock.get(..5).unwrap_or(&clock)),
        None => clock,
    }
}

/// A text that may be wider than its room: then its beginning, which says what it is about.
fn begun(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// The keys that do something here, as many as there is room for, the least known last.
fn keys(stance: &Stance, width: usize) -> Words {
    let keys: &[(&str, &str)] = match (stance.page, stance.is_typing) {
        (_, true) => &[("Enter", "keep"), ("Esc", "clear"), ("↑↓", "choose"), ("Ctrl-U", "new")],
        (Page::Sightings, _) => &[
            ("q", "quit"),
            ("↑↓", "choose"),
            ("Enter", "detail"),
            ("/", "filter"),
            ("p", if stance.is_paused { "resume" } else { "pause" }),
            ("?", "help"),
            ("s", "state"),
        ],
        (Page::Detail, _) => {
            &[("q", "back"), ("↑↓", "other line"), ("PgUp PgDn", "scroll"), ("?", "help")]
        }
        (Page::State | Page::Help, _) => &[("q", "back"), ("↑↓ PgUp PgDn", "scroll")],
    };
    let mut words = Words::default();
    for (key, what) in keys {
        if words.width() + key.chars().count() + what.chars().count() + 3 > width {
            break;
        }
        words.push(Ink::Strong, &format!(" {key}"));
        words.push(Ink::Aside, &format!(" {what} "));
    }
    words
}

#[cfg(test)]
mod tests;
