//! Rows of comma-separated text (RFC 4180), as people export and edit them.
//!
//! By the standard, an unclosed quote swallows the rest of the file. Here it costs only its own row: rows are read one
//! by one, and a row spans several lines only if these form one row together and none of them does alone.

use csv::{ReaderBuilder, StringRecord, Terminator, Trim};

/// So many lines a row may have: fields of logs hold some.
const LINES_MAX: usize = 32;

/// A row.
#[derive(Debug)]
pub struct Row<'t> {
    /// The number of its first line, from 1.
    pub line: u32,
    /// Its first line.
    pub text: &'t str,
    /// Its fields without the blanks around them; or what is wrong with it.
    pub fields: Result<StringRecord, String>,
}

/// The rows of a text; blank lines are none.
#[derive(Clone, Debug)]
pub struct Rows<'t> {
    rest: &'t str,
    line: u32,
    separator: u8,
    /// How many fields a row has, where that is known. Where it is not, each line is a row.
    count: Option<usize>,
}

impl<'t> Rows<'t> {
    /// Of a text with its fields apart by a separator, so many of them in a row.
    pub fn new(text: &'t str, separator: u8, count: Option<usize>) -> Rows<'t> {
        Rows { rest: text, line: 0, separator, count }
    }

    /// The fields of one line.
    fn alone(&self, line: &str) -> Result<StringRecord, String> {
        let line = line.trim_end_matches(['\r', '\n']);
        if !line.contains('"') {
            return Ok(line.split(char::from(self.separator)).map(str::trim).collect());
        }
        self.read(line).next().unwrap_or_else(|| Ok(StringRecord::new()))
    }

    fn read<'r>(
        &self,
        text: &'r str,
    ) -> impl Iterator<Item = Result<StringRecord, String>> + use<'r> {
        let mut builder = ReaderBuilder::new();
        // A carriage return is a blank, at the end of a line or within.
        builder.delimiter(self.separator).terminator(Terminator::Any(b'\n'));
        builder.has_headers(false).flexible(true).trim(Trim::All);
        let records = builder.from_reader(text.as_bytes()).into_records();
        records.map(|record| record.map_err(|error| error.to_string()))
    }

    /// Whether a line ends within a quote.
    fn is_open(&self, line: &str) -> bool {
        let is_odd = !quotes_in(line).is_multiple_of(2);
        // What stands on a next line is then of the same row.
        is_odd && self.read(&format!("{}\n_", line.trim_end_matches(['\r', '\n']))).count() == 1
    }

    /// The row that a line which ends within a quote begins, with its octets and lines: if it ends soon, has all fields, and
    /// no line of it is a row by itself.
    fn over_lines(&self) -> Option<(StringRecord, usize, u32)> {
        let count = self.count?;
        let (mut octets, mut quotes) = (0, 0);
        let lines = self.rest.split_inclusive('\n').take(LINES_MAX);
        let mut lines = (1..).zip(lines);
        let last = loop {
            let (number, line) = lines.next()?;
            let is_row = |line| self.alone(line).is_ok_and(|fields| fields.len() == count);
            if number > 1 && count > 1 && is_row(line) {
                return None;
            }
            octets += line.len();
            quotes += quotes_in(line);
            if quotes.is_multiple_of(2) {
                break number;
            }
        };
        let mut records = self.read(self.rest.get(..octets)?.trim_end_matches(['\r', '\n']));
        let fields = records.next()?.ok().filter(|fields| fields.len() == count)?;
        records.next().is_none().then_some((fields, octets, last))
    }
}

impl<'t> Iterator for Rows<'t> {
    type Item = Row<'t>;

    fn next(&mut self) -> Option<Row<'t>> {
        loop {
            let first = self.rest.split_inclusive('\n').next()?;
            let is_open = self.is_open(first);
            let over = if is_open { self.over_lines() } else { None };
            let (fields, octets, lines) = match over {
                Some((fields, octets, lines)) => (Ok(fields), octets, lines),
                None => (self.alone(first), first.len(), 1),
            };
            let line = self.line.saturating_add(1);
            self.rest = self.rest.get(octets..).unwrap_or_default();
            self.line = self.line.saturating_add(lines);
            if first.trim().is_empty() {
                continue;
            }
            let lacks = |fields: &StringRecord| self.count.is_some_and(|all| fields.len() < all);
            let fields = match fields {
                Ok(fields) if is_open && lines == 1 && lacks(&fields) => {
                    Err("it has a quote that opens and does not end".to_owned())
                }
                other => other,
            };
            return Some(Row { line, text: first.trim_end(), fields });
        }
    }
}

fn quotes_in(line: &str) -> usize {
    line.bytes().filter(|octet| *octet == b'"').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, count: Option<usize>) -> Vec<(u32, Result<Vec<String>, String>)> {
        let fields = |fields: StringRecord| fields.iter().map(ToOwned::to_owned).collect();
        Rows::new(text, b',', count).map(|row| (row.line, row.fields.map(fields))).collect()
    }

    fn fields(texts: &[&str]) -> Result<Vec<String>, String> {
        Ok(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn rows_are_numbered_by_their_lines_however_these_end() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b", "", " c ,\"d,\"\"e\" ", "\"f\",\"g"].join(end);
            let text = format!("{text}{end}h\"{end}i,j");
            let expected = [
                (1, fields(&["a", "b"])),
                (3, fields(&["c", "d,\"e"])),
                (4, fields(&["f", &format!("g{end}h")])),
                (6, fields(&["i", "j"])),
            ];
            assert_eq!(read(&text, Some(2)), expected, "{end:?}");
        }
        assert_eq!(read("a,b\rc,d", Some(2)), [(1, fields(&["a", "b\rc", "d"]))]);
    }

    #[test]
    fn a_quote_that_does_not_end_costs_its_own_row_at_most() {
        let faulty = |line| (line, Err("it has a quote that opens and does not end".to_owned()));
        let text = "a,\"b,c\nd,e,f\ng,5\" disk,h\ni,j,\"k\nl,m,\"n\no,p,q\n";
        assert_eq!(
            read(text, Some(3)),
            [
                faulty(1),
                (2, fields(&["d", "e", "f"])),
                (3, fields(&["g", "5\" disk", "h"])),
                (4, fields(&["i", "j", "k"])),
                (5, fields(&["l", "m", "n"])),
                (6, fields(&["o", "p", "q"])),
            ]
        );
        // Where it is not known how many there are, each line is a row.
        assert_eq!(read("a,\"b,c\nd\"", None).len(), 2);
        let endless = format!("a,\"b\n{}", "c,d\n".repeat(2 * LINES_MAX));
        assert_eq!(read(&endless, Some(2)).len(), 1 + 2 * LINES_MAX);
    }

    proptest! {
        /// What a writer of CSV makes is read as what it was made of, unless a line of it is a row by itself.
        #[test]
        fn what_is_written_well_is_read_as_it_was(
            rows in prop::collection::vec(("[a-z\",]{1,6}", "[a-z\",]{1,6}", "[a-z\",]{1,6}(\n[a-z]{1,3}){0,2}"), 1..6),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let rows: Vec<_> = rows.into_iter().map(|(a, b, c)| vec![a, b, c]).collect();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read = read(&text, Some(3)).into_iter().map(|(_, fields)| fields.unwrap());
            prop_assert_eq!(read.collect::<Vec<_>>(), rows);
        }

        #[test]
        fn any_text_is_read_to_its_end(text in "[a,\"\r\n]{0,60}", count in prop::option::of(0usize..4)) {
            let last = Rows::new(&text, b',', count).last();
            prop_assert!(last.is_none_or(|row| row.line as usize <= text.lines().count()));
        }
    }
}
