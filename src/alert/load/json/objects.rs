//! Where the objects of a text of JSON begin and end, whatever stands around them and whatever is broken between them.
//!
//! A paste is cut at its end, a log in its middle. To read it as one document would cost all of it for one brace; so the
//! outermost objects that are whole are found first, in one go over the text, and each is read for itself.

use std::collections::VecDeque;
use std::iter::Peekable;
use std::ops::Range;
use std::vec;

/// So many objects are told apart at one depth, and so many stand open at once.
const OBJECTS_MAX: usize = 1 << 20;
const OPEN_MAX: usize = 1 << 16;

/// So many things that are none are told of between two.
const ITEMS_MAX: usize = 1 << 10;

/// How much of a line is shown that is cut, in octets.
const LINE_SHOWN: usize = 400;

/// A part of a text.
pub(crate) enum Piece<'t> {
    /// An object, whole by its braces; the first of those that stand together as in an array.
    Object { line: u32, text: &'t str, is_first: bool },
    /// A line, or what stands on it outside of objects, that holds none.
    Other { line: u32, text: &'t str },
    /// What stands beside objects in an array, and is none.
    Item { line: u32, text: &'t str },
    /// What begins here and does not end, or was left out.
    Cut { line: u32, text: &'t str, why: &'static str },
}

/// The outermost objects of a text, and what is no object, in their order.
pub(crate) struct Objects<'t> {
    text: &'t str,
    /// Whole objects, and where one begins that does not end.
    parts: Peekable<vec::IntoIter<(Range<usize>, bool)>>,
    /// How far it was looked at, and which line that is.
    at: usize,
    line: u32,
    /// On that line something was said to be cut.
    cut_line: u32,
    /// Since the last object a key stood there.
    is_first: bool,
    /// What stands between the last object and the next as they do, where that was looked for.
    items: VecDeque<Range<usize>>,
    /// How far that was.
    items_to: usize,
    /// Where looking ended, if before the end.
    end: Option<usize>,
}

impl<'t> Objects<'t> {
    /// Of a text whose first line has that number.
    pub(crate) fn of(text: &'t str, line: u32) -> Objects<'t> {
        let BraceScan { whole, open, end } = scan(text);
        let open = open.into_iter().map(|start| (start..start + 1, false));
        let mut parts: Vec<(Range<usize>, bool)> =
            whole.into_iter().map(|range| (range, true)).chain(open).collect();
        parts.sort_by_key(|(range, _)| range.start);
        let parts = parts.into_iter().peekable();
        let items = VecDeque::new();
        Objects { text, parts, at: 0, line, cut_line: 0, is_first: true, items, items_to: 0, end }
    }

    /// Looks for what stands in arrays before a place, with no object in it: behind the last object, as far as its array
    /// goes, or before the next one.
    fn look_for_items(&mut self, place: usize, has_next: bool) {
        self.items_to = place;
        let gap = self.text.get(self.at..place).unwrap_or_default();
        let mut found: Vec<Range<usize>> = Vec::new();
        // How deep it is within the array, if it is in one, and whether that began before the gap.
        let mut is_behind = gap.trim_start().starts_with(',');
        let mut depth = is_behind.then_some(0_usize);
        let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
        for (at, octet) in gap.bytes().chain([b',']).enumerate() {
            if is_quoted {
                is_quoted = octet != b'\n' && (octet != b'"' || is_escaped);
                is_escaped = octet == b'\\' && !is_escaped;
                continue;
            }
            match (octet, depth) {
                (b'"', _) => (is_quoted, is_escaped) = (true, false),
                (b',' | b'[' | b']', _) => {
                    let has_room = found.len() < ITEMS_MAX;
                    found.extend(depth.filter(|_| has_room).and_then(|_| item(gap, start..at)));
                    start = at + 1;
                    depth = match (octet, depth) {
                        (b'[', None) => Some(0),
                        (b'[', Some(depth)) => Some(depth + 1),
                        (b']', Some(0)) => {
                            self.keep_items(found.split_off(0), is_behind);
                            is_behind = false;
                            None
                        }
                        (b']', Some(depth)) => Some(depth - 1),
                        (_, depth) => depth,
                    };
                }
                // A key stands before what is no item, and a text that is cut before anything.
                (b':' | b'{' | b'}', _) => {
                    (depth, is_behind) = (None, false);
                    found.clear();
                }
                _ => {}
            }
        }
        self.keep_items(found, is_behind || has_next && depth.is_some());
    }

    fn keep_items(&mut self, found: Vec<Range<usize>>, are_items: bool) {
        let room = ITEMS_MAX.saturating_sub(self.items.len());
        let found = found.into_iter().filter(|_| are_items).take(room);
        let at = self.at;
        self.items.extend(found.map(|item| at + item.start..at + item.end));
    }

    /// Goes on to a place, and returns it.
    fn pass(&mut self, place: usize) -> &'t str {
        let passed = self.text.get(self.at..place).unwrap_or_default();
        let lines = passed.bytes().filter(|octet| *octet == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.at = place.max(self.at);
        passed
    }

    /// The line from a place on; of more than is shown nothing is looked at, for a line may be all of the text.
    fn rest_of_line(&self, from: usize) -> &'t str {
        let end = self.text.floor_char_boundary(from.saturating_add(LINE_SHOWN));
        self.text.get(from..end).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }

    /// Goes on by a line at most, and returns what it says that is no object.
    fn pass_line(&mut self, place: usize) -> Option<Piece<'t>> {
        let (at, line) = (self.at, self.line);
        let rest = self.text.get(at..place).unwrap_or_default();
        let end = rest.find('\n').map(|end| at + end + 1);
        let passed = self.pass(end.unwrap_or(place));
        self.is_first |= passed.contains(':');
        // What stands before an object on its line is what syslog puts there, or the key of it.
        let is_before = end.is_none() && self.parts.peek().is_some();
        let says = passed.contains(|c: char| c.is_alphanumeric());
        let is_other = says && !is_before && line != self.cut_line;
        is_other.then(|| Piece::Other { line, text: passed.trim() })
    }
}

impl<'t> Iterator for Objects<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        loop {
            let next = self.parts.peek().map(|(range, _)| range.start);
            let place = next.or(self.end).unwrap_or(self.text.len());
            if self.items_to < place && self.at < place {
                self.look_for_items(place, next.is_some());
            }
            if let Some(item) = self.items.pop_front() {
                let before = self.pass(item.start);
                self.is_first |= before.contains(':');
                let (line, text) = (self.line, self.text.get(item.clone()).unwrap_or_default());
                self.pass(item.end);
                return Some(Piece::Item { line, text });
            }
            while self.at < place {
                if let Some(other) = self.pass_line(place) {
                    return Some(other);
                }
            }
            let line = self.line;
            let Some((range, is_whole)) = self.parts.next() else {
                let end = self.end.take()?;
                let text = self.rest_of_line(end);
                self.at = self.text.len();
                return Some(Piece::Cut {
                    line,
                    text,
                    why: "there are more objects here than are read",
                });
            };
            if is_whole {
                let text = self.pass(range.end);
                let is_first = std::mem::replace(&mut self.is_first, false);
                return Some(Piece::Object { line, text, is_first });
            }
            // Of what stands within what is cut that is said already.
            if self.cut_line != line {
                self.cut_line = line;
                let text = self.rest_of_line(range.start);
                let why = "an object begins here and is not closed";
                return Some(Piece::Cut { line, text, why });
            }
        }
    }
}

/// An item as it is written, without the blanks around it.
fn item(gap: &str, range: Range<usize>) -> Option<Range<usize>> {
    let text = gap.get(range.clone())?;
    let start = range.start + (text.len() - text.trim_start().len());
    let text = text.trim();
    text.contains(|c: char| c.is_alphanumeric()).then(|| start..start + text.len())
}

/// Whether one is within a text of JSON, from octet to octet.
#[derive(Debug, Default)]
pub(crate) struct StringTracker {
    is_quoted: bool,
    is_escaped: bool,
}

impl StringTracker {
    /// A text begins.
    pub(crate) fn begin(&mut self) {
        *self = StringTracker { is_quoted: true, is_escaped: false };
    }

    /// Whether the next octet is of a text; what ends one is, too.
    pub(crate) fn hold(&mut self, octet: u8) -> bool {
        if !self.is_quoted {
            return false;
        }
        // None goes over lines: what does was cut.
        self.is_quoted = octet != b'\n' && (octet != b'"' || self.is_escaped);
        self.is_escaped = octet == b'\\' && !self.is_escaped;
        true
    }
}

struct BraceScan {
    whole: Vec<Range<usize>>,
    open: Vec<usize>,
    /// Where looking ended, if before the end.
    end: Option<usize>,
}

fn scan(text: &str) -> BraceScan {
    let (mut whole, mut open): (Vec<Range<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut quotes = StringTracker::default();
    for (at, octet) in text.bytes().enumerate() {
        if quotes.hold(octet) {
            continue;
        }
        match octet {
            b'"' if !open.is_empty() => quotes.begin(),
            b'{' => open.push(at),
            b'}' => {
                let Some(start) = open.pop() else { continue };
                while whole.last().is_some_and(|inner: &Range<usize>| inner.start > start) {
                    whole.pop();
                }
                whole.push(start..at + 1);
            }
            _ => {}
        }
        if whole.len() > OBJECTS_MAX || open.len() > OPEN_MAX {
            return BraceScan { whole, open, end: Some(at + 1) };
        }
    }
    BraceScan { whole, open, end: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |piece: Piece<'_>| match piece {
            Piece::Object { line, text, is_first } => {
                format!("{line}{} {text}", if is_first { ':' } else { ',' })
            }
            Piece::Other { line, text } => format!("{line}! {text}"),
            Piece::Item { line, text } => format!("{line}- {text}"),
            Piece::Cut { line, text, .. } => format!("{line}? {text}"),
        };
        Objects::of(text, 1).map(show).collect()
    }

    #[test]
    fn the_outermost_objects_are_found_whatever_is_broken_around_them() {
        for (text, pieces) in [
            ("", &[][..]),
            (
                "[{\"a\":1},\n {\"b\":{\"c\":\"}\"}}]\n",
                &["1: {\"a\":1}", "2, {\"b\":{\"c\":\"}\"}}"],
            ),
            ("{\n\"a\":\"\\\"}\"\n}\n{}", &["1: {\n\"a\":\"\\\"}\"\n}", "4, {}"]),
            ("{\"a\":\"cut\n{\"b\":2}\n", &["1? {\"a\":\"cut", "2: {\"b\":2}"]),
            ("{\"a\":1,\n{\"b\":2}\n", &["1? {\"a\":1,", "2: {\"b\":2}"]),
            ("{\"hits\":[{\"a\":1},{\"b\"", &["1? {\"hits\":[{\"a\":1},{\"b\"", "1: {\"a\":1}"]),
            (
                "note\nMar  2 fw x: {\"a\":1} end\n}{\"b\":2}\n",
                &["1! note", "2: {\"a\":1}", "2! end", "3, {\"b\":2}"],
            ),
            (
                "[null, {\"a\":1}, 5,\n [], \"x\", {\"b\":2}, true]\n",
                &["1- null", "1: {\"a\":1}", "1- 5", "2- \"x\"", "2, {\"b\":2}", "2- true"],
            ),
            (
                "\"r\":[{\"a\":1}],\"n\":5,\"s\":[6,{\"b\":2},null]",
                &["1: {\"a\":1}", "1- 6", "1: {\"b\":2}", "1- null"],
            ),
            (
                "\"t\":{\"a\":1},\"r\":[{\"b\":2},{\"c\":3}]",
                &["1: {\"a\":1}", "1: {\"b\":2}", "1, {\"c\":3}"],
            ),
        ] {
            assert_eq!(shown(text), pieces, "{text}");
        }
    }

    #[test]
    fn what_is_too_many_is_said_and_takes_no_more_than_its_length() {
        let braces = "{".repeat(OPEN_MAX + 5);
        assert_eq!(shown(&braces).len(), 2);
        let many = "{}".repeat(OBJECTS_MAX + 5);
        let last = Objects::of(&many, 1).last();
        assert!(matches!(last, Some(Piece::Cut { .. })));
    }
}
