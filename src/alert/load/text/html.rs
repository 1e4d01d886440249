//! The text of a mail or a page that is written in HTML: its tables as rows with tabs between their cells, all else as lines.
//!
//! ```text
//! <table><tr><th>Time</th><th>Source IP</th><th>Domain</th></tr>
//! <tr><td>2026-03-02 09:17:42</td><td>192.168.2.194</td><td>mi.kenal-cn.com</td></tr></table>
//! ```
//!
//! Mails have tables within tables to lay them out: what stands in a cell beside a table, or in several lines, is text.
//! A cell that reaches over several rows or columns stands in each of them.

use std::mem;

use crate::alert::load::text::numbered_text::NumberedText;

/// So begins what is HTML: a line, in lower case.
const STARTS: [&str; 14] = [
    "<!doctype html",
    "<html",
    "<head",
    "<meta",
    "<body",
    "<table",
    "<tbody",
    "<thead",
    "<tr",
    "<td",
    "<div",
    "<p>",
    "<p ",
    "<style",
];
/// One of these stands in it as well.
const ENDS: [&str; 7] = ["</td>", "</tr>", "</table>", "</p>", "</div>", "</body>", "</html>"];
/// What is no text.
const HIDDEN: [&str; 5] = ["script", "style", "title", "template", "noscript"];
/// What begins on a line of its own.
const BLOCKS: [&str; 22] = [
    "p",
    "div",
    "br",
    "li",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "blockquote",
    "section",
    "article",
    "header",
    "footer",
    "center",
];
/// No table has more columns, and no cell reaches further.
const SPAN_MAX: usize = 200;
/// No tag has more characters.
const TAG_LEN_MAX: usize = 1 << 14;
/// Tables within one another beyond so many are text.
const DEPTH_MAX: usize = 64;

/// The text of what is HTML; none of what is not.
pub(crate) fn text(html: &str) -> Option<NumberedText> {
    let is_start = |line: &str| {
        let line = line.trim_start();
        let is_of = |start: &str| {
            line.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
        };
        line.starts_with('<') && STARTS.iter().any(|start| is_of(start))
    };
    // A mail's source may have lines of its header before; a text that has a line of HTML in it is none.
    let is_of_header = |line: &&str| {
        let name = line.split_once(':').map_or("", |(name, _)| name);
        line.trim().is_empty()
            || line.starts_with([' ', '\t'])
            || !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let first = html.lines().find(|line| !line.trim().is_empty() && !is_of_header(line))?;
    let is_html = is_start(first);
    let lower = html.to_ascii_lowercase();
    if !is_html || !ENDS.iter().any(|end| lower.contains(end)) {
        return None;
    }
    let mut page = PageReader::default();
    page.read(html, &lower);
    Some(page.finish())
}

/// A line of a cell, and where it stood.
type CellLine = (String, u32);

/// What is read of a page.
#[derive(Default)]
struct PageReader {
    numbered: NumberedText,
    /// Tables that are open, the outermost first.
    tables: Vec<OpenTable>,
    /// Text that is in no table.
    loose: Vec<CellLine>,
    /// The line that is read.
    line: u32,
    /// Within how many elements whose lines and blanks are as they are written.
    preformatted: usize,
}

/// A table as far as it is read.
#[derive(Default)]
struct OpenTable {
    /// The cells of its row, each by its lines.
    cells: Vec<Vec<CellLine>>,
    is_in_cell: bool,
    /// By column: how many more rows a cell above reaches over, and what it says.
    above: Vec<(usize, Vec<CellLine>)>,
    /// Over how many columns and rows the cell reaches.
    spans: (usize, usize),
}

impl PageReader {
    fn read(&mut self, html: &str, lower: &str) {
        self.line = 1;
        let mut at = 0;
        while let Some(open) = html.get(at..).and_then(|rest| rest.find('<')) {
            self.words(html.get(at..at + open).unwrap_or_default());
            at += open;
            let end =
                self.tag(html.get(at..).unwrap_or_default(), lower.get(at..).unwrap_or_default());
            self.line += lines_in(html.get(at..at + end).unwrap_or_default());
            at += end;
        }
        self.words(html.get(at..).unwrap_or_default());
    }

    fn finish(mut self) -> NumberedText {
        while !self.tables.is_empty() {
            self.close_table();
        }
        self.flush_loose();
        self.numbered
    }

    /// Reads what begins with `<`; how long that is.
    fn tag(&mut self, rest: &str, lower: &str) -> usize {
        if lower.starts_with("<!--") {
            return lower.find("-->").map_or(lower.len(), |at| at + 3);
        }
        let is_tag = lower.get(1..).is_some_and(|name| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
        });
        if !is_tag {
            self.words("<");
            return 1;
        }
        let end = tag_end(rest);
        let inside = lower.get(1..end).unwrap_or_default().trim_end_matches('>');
        let (is_closing, inside) = match inside.strip_prefix('/') {
            Some(inside) => (true, inside),
            None => (false, inside),
        };
        let name_end = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(name_end);
        if HIDDEN.contains(&name) && !is_closing && !inside.ends_with('/') {
            let close = format!("</{name}");
            let behind = lower.get(end..).and_then(|behind| behind.find(&close));
            return behind.map_or(lower.len(), |at| end + at);
        }
        match (name, is_closing) {
            ("table", false) if self.tables.len() < DEPTH_MAX => {
                // What stands beside a table only lays it out.
                self.flush_row();
                self.tables.push(OpenTable::default());
            }
            ("table", true) => self.close_table(),
            ("tr", _) => self.flush_row(),
            ("td" | "th", false) => self.open_cell(attributes),
            ("td" | "th", true) => self.close_cell(),
            ("pre" | "textarea", false) => {
                self.break_line();
                self.preformatted += 1;
            }
            ("pre" | "textarea", true) => {
                self.break_line();
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            _ if BLOCKS.contains(&name) => self.break_line(),
            _ => {}
        }
        end
    }

    /// Where text goes.
    fn place(&mut self) -> &mut Vec<CellLine> {
        match self.tables.last_mut() {
            Some(OpenTable { is_in_cell: true, cells, .. }) if !cells.is_empty() => {
                cells.last_mut().unwrap_or(&mut self.loose)
            }
            _ => &mut self.loose,
        }
    }

    fn words(&mut self, text: &str) {
        for (place, part) in text.split('\n').enumerate() {
            if place > 0 {
                self.line += 1;
                match self.preformatted {
                    0 => self.push(" "),
                    _ => self.break_line(),
                }
            }
            if !part.is_empty() {
                self.push(&decoded(part));
            }
        }
    }

    /// Adds text, with one blank where there are several.
    fn push(&mut self, text: &str) {
        let (line, is_written) = (self.line, self.preformatted > 0);
        let parts = self.place();
        if parts.is_empty() {
            parts.push((String::new(), line));
        }
        let Some((said, place)) = parts.last_mut() else { return };
        if said.is_empty() {
            *place = line;
        }
        if is_written {
            return said.push_str(text.trim_end_matches('\r'));
        }
        for c in text.chars() {
            match c {
                ' ' | '\t' | '\r' | '\n' if said.is_empty() || said.ends_with(' ') => {}
                ' ' | '\t' | '\r' | '\n' => said.push(' '),
                _ => said.push(c),
            }
        }
    }

    fn break_line(&mut self) {
        let line = self.line;
        let parts = self.place();
        if parts.last().is_some_and(|(said, _)| !said.trim().is_empty()) {
            parts.push((String::new(), line));
        }
        if self.tables.last().is_none_or(|table| !table.is_in_cell) {
            self.flush_loose();
        }
    }

    fn open_cell(&mut self, attributes: &str) {
        self.close_cell();
        self.flush_loose();
        let span = |name: &str| {
            let value = attributes
                .split_once(name)
                .and_then(|(_, rest)| rest.trim_start().strip_prefix('='));
            let digits = value.map(|value| value.trim_start().trim_start_matches(['"', '\'']));
            let digits = digits.and_then(|value| value.split(|c: char| !c.is_ascii_digit()).next());
            digits.and_then(|digits| digits.parse().ok()).unwrap_or(1).clamp(1, SPAN_MAX)
        };
        let spans = (span("colspan"), span("rowspan"));
        let Some(table) = self.tables.last_mut().filter(|table| table.cells.len() < SPAN_MAX)
        else {
            // A row that was copied without its table.
            if self.tables.is_empty() {
                self.tables.push(OpenTable::default());
                self.open_cell(attributes);
            }
            return;
        };
        table.take_from_above();
        table.cells.push(Vec::new());
        (table.is_in_cell, table.spans) = (true, spans);
    }

    fn close_cell(&mut self) {
        let Some(table) = self.tables.last_mut().filter(|table| table.is_in_cell) else { return };
        table.is_in_cell = false;
        let (columns, rows) = table.spans;
        let said = table.cells.last().cloned().unwrap_or_default();
        for column in 0..columns {
            if column > 0 {
                table.cells.push(Vec::new());
            }
            if rows > 1 && table.cells.len() <= SPAN_MAX {
                let place = table.cells.len() - 1;
                if table.above.len() <= place {
                    table.above.resize(place + 1, (0, Vec::new()));
                }
                let said = if column == 0 { said.clone() } else { Vec::new() };
                if let Some(above) = table.above.get_mut(place) {
                    *above = (rows, said);
                }
            }
        }
    }

    fn close_table(&mut self) {
        self.flush_row();
        self.tables.pop();
    }

    /// Writes a row: as one line of its cells, or, if it only lays out text, as the lines of that.
    fn flush_row(&mut self) {
        self.close_cell();
        self.flush_loose();
        let Some(table) = self.tables.last_mut() else { return };
        if table.cells.is_empty() {
            return;
        }
        table.take_from_above();
        for (rows, _) in &mut table.above {
            *rows = rows.saturating_sub(1);
        }
        let mut cells = mem::take(&mut table.cells);
        for cell in &mut cells {
            cell.retain(|(said, _)| !said.trim().is_empty());
        }
        let said = cells.iter().filter(|cell| !cell.is_empty()).count();
        let is_layout = said < 2 || said == 2 && cells.iter().any(|cell| cell.len() > 2);
        let Some(first) = cells.iter().flatten().map(|(_, place)| *place).next() else { return };
        if is_layout {
            for (line, place) in cells.iter().flatten() {
                self.numbered.push(line.trim(), *place);
            }
            return;
        }
        let cells = cells
            .iter()
            .map(|cell| cell.iter().map(|(line, _)| line.trim()).collect::<Vec<_>>().join(" "));
        let row = cells.collect::<Vec<_>>().join("\t");
        self.numbered.push(&row, first);
    }

    fn flush_loose(&mut self) {
        for (line, place) in mem::take(&mut self.loose) {
            if !line.trim().is_empty() {
                self.numbered.push(line.trim(), place);
            }
        }
    }
}

impl OpenTable {
    /// Adds the cells of rows above that reach down to where the row is now.
    fn take_from_above(&mut self) {
        while let Some((rows, said)) = self.above.get(self.cells.len())
            && *rows > 0
            && self.cells.len() < SPAN_MAX
        {
            self.cells.push(said.clone());
        }
    }
}

fn lines_in(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// How long a tag is; what stands in quotes does not end it.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices().take(TAG_LEN_MAX) {
        match (c, quote) {
            ('>', None) => return at + 1,
            ('"' | '\'', None) if tag.get(..at).is_some_and(|before| before.ends_with('=')) => {
                quote = Some(c)
            }
            (_, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    // A quote that is never closed.
    tag.find('>').map_or(tag.len(), |at| at + 1)
}

/// Text with its signs as they are meant.
fn decoded(text: &str) -> String {
    const LEN_MAX: usize = 16;
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        plain.push_str(before);
        let end = behind.bytes().take(LEN_MAX).position(|octet| octet == b';');
        let sign = end.and_then(|end| sign(behind.get(..end)?));
        match (sign, end) {
            (Some(sign), Some(end)) => {
                plain.push(sign);
                rest = behind.get(end + 1..).unwrap_or_default();
            }
            _ => {
                plain.push('&');
                rest = behind;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// The sign that stands between `&` and `;`.
fn sign(word: &str) -> Option<char> {
    /// Those that can stand in or beside what is read, and the letters of the headings known.
    const SIGNS: [(&str, char); 41] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", '\u{a0}'),
        ("shy", '\u{ad}'),
        ("zwj", '\u{200d}'),
        ("zwnj", '\u{200c}'),
        ("ZeroWidthSpace", '\u{200b}'),
        ("ensp", ' '),
        ("emsp", ' '),
        ("thinsp", ' '),
        ("period", '.'),
        ("colon", ':'),
        ("commat", '@'),
        ("hyphen", '-'),
        ("dash", '-'),
        ("ndash", '\u{2013}'),
        ("mdash", '\u{2014}'),
        ("bull", '\u{2022}'),
        ("middot", '\u{b7}'),
        ("rarr", '\u{2192}'),
        ("hellip", '\u{2026}'),
        ("lsquo", '\''),
        ("rsquo", '\''),
        ("ldquo", '"'),
        ("rdquo", '"'),
        ("auml", 'ä'),
        ("ouml", 'ö'),
        ("uuml", 'ü'),
        ("Auml", 'Ä'),
        ("Ouml", 'Ö'),
        ("Uuml", 'Ü'),
        ("szlig", 'ß'),
        ("eacute", 'é'),
        ("egrave", 'è'),
        ("agrave", 'à'),
        ("oacute", 'ó'),
        ("iacute", 'í'),
        ("ntilde", 'ñ'),
    ];
    let Some(number) = word.strip_prefix('#') else {
        return SIGNS.iter().find(|(name, _)| *name == word).map(|(_, sign)| *sign);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    // A mark that begins a line stays none, and ends none either.
    code.ok().and_then(char::from_u32).filter(|c| !c.is_control())
}
