//! CSV with a header that names its columns, apart by commas, semicolons, tabs or bars.

use std::collections::BTreeSet;

use csv::StringRecord;

use super::csv_guess;
use super::csv_unsaid::{self, Sort, Unsaid};
use super::csv_words::{
    ADDRESS_PORTS, ADDRESSES, CLIENTS, CLOCKS, DAYS, DEVICES, DOMAINS, EITHERS_ADDRESS,
    EITHERS_NAME, EVENTS, HOST_PORTS, HOSTS, HOURS, Heading, ITALIAN_CLOCK, ITALIAN_DAY,
    LOOSE_NAMES, NAMES, NUMBERS, OF_ADGUARD, OF_SPLUNK, PORT, RAW, SERVICES, SPANS, STAMPS,
    THREATS, TIMES, USERS, ZONES,
};
use super::row::{Row, called, is_address, is_destination, is_none, is_outside, plain_key, said};
use super::rule_text;
use super::{Notice, Rows, key_value, labels, table, unheaded};
use crate::rows as csv_rows;
use crate::time::{UTC, Written};

/// Where each thing stands.
#[derive(Debug, Default)]
pub(super) struct Columns {
    number: Option<usize>,
    /// All that may tell when: of one row one may be empty.
    times: Vec<Stamp>,
    day: Option<Stamp>,
    clock: Option<Stamp>,
    hour: Option<usize>,
    zone: Option<usize>,
    /// What tells when it was seen first, and when last.
    span: Option<[Stamp; 2]>,
    /// What tells a day and a clock as a whole.
    stamp: Option<Stamp>,
    /// All that may tell of the host, as with names.
    hosts: Vec<usize>,
    /// Those of them that are called as the address of who talked.
    clients: Vec<usize>,
    host_port: Option<usize>,
    /// All that may hold a name: in an export many stay empty, or hold something else.
    names: Vec<usize>,
    /// Of those with names, and others, which say what is flagged.
    flagged: Vec<usize>,
    /// What may hold a name, or a path, or who was attacked.
    loose_names: Vec<usize>,
    /// What holds a name that may be the host's as well.
    eithers_name: Option<usize>,
    address: Option<usize>,
    /// What holds the host's address, where that is one's own, or else the destination's.
    eithers_address: Option<usize>,
    address_port: Option<usize>,
    /// All that may say what for.
    threats: Vec<usize>,
    /// What was spoken.
    service: Option<usize>,
    events: Option<usize>,
    device: Option<usize>,
    /// Whether that tells of the destinations.
    is_eithers_far: bool,
    /// Nothing more is to be guessed of the destination.
    is_open: bool,
}

/// A column that tells when.
#[derive(Clone, Debug)]
struct Stamp {
    column: usize,
    /// The zone that its heading names.
    zone: Option<String>,
}

impl Columns {
    /// By a header. None of one that names no destination, or nothing else.
    pub(super) fn of(header: &StringRecord) -> Option<Columns> {
        Some(Columns::by_words(header)).filter(Columns::is_whole)
    }

    /// By a row, if it is the header of another table: one that names the columns that matter, and says nothing itself.
    fn of_another(row: &StringRecord) -> Option<Columns> {
        let is_word =
            |cell: &str| !is_destination(cell) && !cell.contains(|c: char| c.is_ascii_digit());
        let columns = row.iter().all(is_word).then(|| Columns::by_words(row));
        columns.filter(|columns| columns.is_told() && columns.has_destination())
    }

    /// By what a header calls them, be it enough or not.
    pub(super) fn by_words(header: &StringRecord) -> Columns {
        let headings: Vec<Heading> = header.iter().map(Heading::of).collect();
        let all = |word: &str| -> Vec<usize> {
            let named = headings.iter().enumerate().filter(|(_, heading)| heading.is(word));
            named.map(|(place, _)| place).collect()
        };
        let places = |words: &[&str]| -> Vec<usize> {
            let mut is_taken = vec![false; headings.len()];
            let mut places = words.iter().flat_map(|word| all(word)).collect::<Vec<_>>();
            places.retain(|place| {
                is_taken.get_mut(*place).is_some_and(|taken| !std::mem::replace(taken, true))
            });
            places
        };
        let find = |words: &[&str]| places(words).first().copied();
        let has_users = headings.iter().any(|heading| heading.is_of(USERS));
        let is_users = |column: &usize| has_users && places(DOMAINS).contains(column);
        let names = places(NAMES).into_iter().filter(|column| !is_users(column));
        let is_flagged = |column: &usize| headings.get(*column).is_some_and(Heading::is_of_flagged);
        let flagged = [places(NAMES), places(ADDRESSES)].concat().into_iter().filter(is_flagged);
        let italian_day = || find(&[ITALIAN_CLOCK]).and_then(|_| find(&[ITALIAN_DAY]));
        let stamp = |column: usize| {
            let zone = headings.get(column).and_then(|heading| heading.zone.clone());
            Stamp { column, zone }
        };
        let mut columns = Columns {
            number: find(NUMBERS),
            times: places(TIMES).into_iter().map(stamp).collect(),
            day: find(DAYS).or_else(italian_day).map(stamp),
            clock: find(CLOCKS).map(stamp),
            hour: find(HOURS),
            span: SPANS.iter().find_map(|(first, last)| {
                let [first, last] = [find(&[first])?, find(&[last])?];
                Some([stamp(first), stamp(last)])
            }),
            zone: find(ZONES),
            stamp: find(STAMPS).map(stamp),
            hosts: places(HOSTS),
            clients: places(CLIENTS),
            host_port: find(HOST_PORTS),
            names: names.collect(),
            flagged: flagged.collect(),
            loose_names: places(LOOSE_NAMES),
            eithers_name: find(&[EITHERS_NAME]),
            address: find(ADDRESSES),
            eithers_address: find(EITHERS_ADDRESS),
            address_port: find(ADDRESS_PORTS),
            threats: places(THREATS),
            service: find(SERVICES),
            events: find(EVENTS),
            device: find(DEVICES),
            is_eithers_far: false,
            is_open: false,
        };
        columns.take_ports(&all(PORT));
        if find(&[OF_SPLUNK]).is_some() {
            let whence = places(&["source", "host"]);
            columns.hosts.retain(|place| !whence.contains(place));
            columns.device = columns.device.or_else(|| find(&["host"]));
        }
        if find(&[OF_ADGUARD]).is_some() {
            columns.hosts.extend(columns.eithers_address.take());
            columns.times.extend(find(&["t"]).map(stamp));
        }
        columns
    }

    /// Takes two columns that are called alike as the ports of the ends that they stand behind.
    fn take_ports(&mut self, ports: &[usize]) {
        let (Some(host), [one, other]) = (self.hosts.first(), ports) else { return };
        let name = self.names.first().copied();
        let is_between = |place: &usize| (one + 1..*other).contains(place);
        if host < one && self.address.or(name).is_some_and(|place| is_between(&place)) {
            self.host_port.get_or_insert(*one);
            self.address_port.get_or_insert(*other);
        }
    }

    /// Whether they tell of a destination, and of more.
    pub(super) fn is_whole(&self) -> bool {
        self.has_destination() && self.has_more()
    }

    /// Whether they tell who, where to, and when or why, as a header does and hardly a title.
    fn is_told(&self) -> bool {
        !self.hosts.is_empty() && (!self.threats.is_empty() || self.has_times())
    }

    /// Whether they tell of anything but a destination.
    pub(super) fn has_more(&self) -> bool {
        !self.hosts.is_empty() || !self.threats.is_empty() || !self.times.is_empty()
    }

    /// Whether a column tells when.
    pub(super) fn has_times(&self) -> bool {
        !self.times.is_empty() || self.day.is_some()
    }

    /// Takes a column as one that tells when.
    pub(super) fn take_times(&mut self, column: usize) {
        self.times.push(Stamp { column, zone: None });
    }

    /// Takes a column as one that holds names of what is flagged, or, in some rows, its addresses.
    pub(super) fn take_names(&mut self, column: usize) {
        self.names.push(column);
        self.flagged.push(column);
        self.hosts.retain(|host| *host != column);
        self.eithers_name = self.eithers_name.filter(|either| *either != column);
    }

    /// The columns of names, those first that count before others.
    pub(super) fn names(&self) -> &[usize] {
        &self.names
    }

    /// The columns that may hold names of destinations, and of hosts or paths as well.
    pub(super) fn may_be_names(&self) -> impl Iterator<Item = usize> {
        self.loose_names.iter().copied().chain(self.eithers_name)
    }

    /// The column that says who talked, be it by its address or its name.
    pub(super) fn source(&self) -> Option<usize> {
        self.sources().next()
    }

    /// Whether a column may say who talked.
    pub(super) fn is_host(&self, column: usize) -> bool {
        self.hosts.contains(&column)
    }

    /// The column that may hold the addresses of either end, where no other holds those of destinations.
    pub(super) fn eithers_address(&self) -> Option<usize> {
        self.eithers_address.filter(|_| self.address.is_none())
    }

    /// Takes that column as one that tells of destinations.
    pub(super) fn take_eithers_address(&mut self) {
        self.is_eithers_far = true;
    }

    /// Takes a column as one that holds addresses.
    pub(super) fn take_address(&mut self, column: usize) {
        self.address = Some(column);
    }

    /// The column of addresses.
    pub(super) fn address(&self) -> Option<usize> {
        self.address
    }

    /// Whether a column holds names of destinations, and of nothing else.
    pub(super) fn has_names(&self, column: usize) -> bool {
        self.names.contains(&column)
    }

    /// Whether a column holds the name of either end.
    pub(super) fn is_eithers(&self, column: usize) -> bool {
        self.eithers_name == Some(column)
    }

    /// Takes a column for none that names destinations.
    pub(super) fn drop_names(&mut self, column: usize) {
        self.names.retain(|known| *known != column);
        self.eithers_name = self.eithers_name.filter(|known| *known != column);
    }

    /// Leaves open which column names the destination, if none is known to.
    pub(super) fn drop_guesses(&mut self) {
        self.is_open = true;
    }

    /// See `drop_guesses`.
    pub(super) fn has_no_guesses(&self) -> bool {
        self.is_open
    }

    /// Whether no row names a destination.
    pub(super) fn names_none(&self, rows: &[StringRecord]) -> bool {
        rows.iter().all(|row| {
            let row = self.row(row);
            !row.name.is_some_and(is_destination) && row.address.is_none()
        })
    }

    /// Whether any column is known to tell of it.
    pub(super) fn has_destination(&self) -> bool {
        let has_name = !self.names.is_empty() || !self.loose_names.is_empty();
        let is_other_end = self.eithers_name.is_some() && self.sources().next().is_some();
        has_name || self.address.is_some() || self.is_eithers_far || is_other_end
    }

    /// The columns of the host alone: a name of either end beside them is that of the other.
    fn sources(&self) -> impl Iterator<Item = usize> {
        let before = |place: &usize| Some(*place) != self.eithers_name;
        self.hosts.iter().copied().take_while(before).chain(self.eithers_address)
    }

    /// What a record says in them, but for its time.
    pub(super) fn row<'r>(&self, record: &'r StringRecord) -> Row<'r> {
        let at = |column: Option<usize>| column.and_then(|column| record.get(column));
        let either = at(self.eithers_address).and_then(said).filter(|text| is_address(text));
        let own = either.filter(|address| !is_outside(address));
        let host = self.hosts.iter().find_map(|column| said(record.get(*column)?));
        let own_address = || {
            let clients = self.clients.iter().filter(|column| self.hosts.contains(column));
            let mut said = clients.filter_map(|column| said(record.get(*column)?));
            said.find(|text| is_address(text) && !is_outside(text))
        };
        let host = host.filter(|host| is_address(host)).or_else(own_address).or(host);
        let mut threats = self.threats.iter().filter_map(|column| called(record.get(*column)?));
        let none = || {
            self.threats
                .iter()
                .filter_map(|column| record.get(*column))
                .find(|threat| is_none(threat))
        };
        let threat = threats.next().or_else(none);
        let row = Row {
            number: at(self.number),
            time: None,
            // Addresses first, whatever they are called.
            host: host.filter(|host| own.is_none() || is_address(host)).or(own).or(host),
            host_port: at(self.host_port),
            name: None,
            address: at(self.address).and_then(said).or(either.filter(|_| own.is_none())),
            address_port: at(self.address_port),
            threat,
            words: threats.find(|words| rule_text::names_any(words)),
            service: at(self.service),
            events: at(self.events),
            device: at(self.device),
        };
        Row { name: self.name(record, &row), ..row }
    }

    /// What its columns of names say of the destination; none where the address tells more. A firewall flags what is
    /// outside, so a name of one's own is only taken where nothing else is said.
    fn name<'r>(&self, record: &'r StringRecord, row: &Row<'r>) -> Option<&'r str> {
        let at =
            |column: usize| record.get(column).and_then(said).filter(|text| is_destination(text));
        let named = || self.names.iter().filter_map(|column| at(*column));
        let addresses = || named().filter(|text| is_address(text));
        let is_address_said = row.address.is_some() || addresses().next().is_some();
        let is_named = |text: &&str| text.contains("://") || !is_address_said;
        let loose = || self.loose_names.iter().filter_map(|column| at(*column)).filter(is_named);
        let is_own = |place: usize, text: &str| {
            Some(place) != self.eithers_address || is_address(text) && !is_outside(text)
        };
        let has_source = self
            .sources()
            .any(|place| record.get(place).and_then(said).is_some_and(|text| is_own(place, text)));
        let either = self.eithers_name.filter(|_| has_source && !is_address_said).and_then(at);
        let names = || named().chain(loose()).chain(either).filter(|text| !is_address(text));
        if let Some(name) = names().find(|text| is_outside(text)) {
            return Some(name);
        }
        let flagged = self.flagged.iter().filter_map(|column| at(*column));
        if let Some(address) = flagged.filter(|text| is_address(text)).find(|text| is_outside(text))
        {
            return Some(address);
        }
        if row.far_address().is_some_and(is_outside) {
            return None;
        }
        // What is outside comes before a name of one's own, whichever column holds it.
        let others = loose().chain(either).filter(|text| is_address(text));
        let address = addresses().chain(others).find(|text| is_outside(text));
        address.or_else(|| names().next()).or_else(|| {
            let all = || named().chain(loose()).chain(either);
            all().next().filter(|_| row.address.is_none())
        })
    }

    /// Whether a column that is for nothing but that names a destination.
    pub(super) fn is_named(&self, record: &StringRecord) -> bool {
        let said = self.names.iter().filter_map(|column| said(record.get(*column)?));
        said.clone().any(|text| is_destination(text) && !is_address(text))
    }

    /// Its time.
    pub(super) fn time(
        &self,
        record: &StringRecord,
        line: u32,
        rows: &mut Rows<'_>,
    ) -> Option<Written> {
        let zone = self.zone.and_then(|column| said(record.get(column)?));
        let ends = self.span.iter().flatten().filter_map(|stamp| {
            let text = said(record.get(stamp.column)?).filter(|text| has_digits(text))?;
            Some((text, zone.or(stamp.zone.as_deref())))
        });
        let [first, last] = match ends.collect::<Vec<_>>().as_slice() {
            [first, last] => [*first, *last],
            _ => return self.moment(record, line, rows, |_| true),
        };
        let rank = |column| self.times.iter().position(|stamp| stamp.column == column);
        let ends = || self.span.iter().flatten().map(|stamp| stamp.column);
        let first_rank = ends().next().and_then(rank);
        // What ranks behind the first time, as when the row was made, is no better.
        let is_better = |column| {
            let is_behind =
                rank(column).zip(first_rank).is_some_and(|(other, first)| other > first);
            !is_behind && ends().all(|end| end != column)
        };
        let moment = self.moment(record, line, rows, is_better);
        let between = rows.times.read_between(first, last, line);
        let either = rows.times.either(moment, between, line);
        either.or_else(|| self.moment(record, line, rows, |_| true))
    }

    /// When it was, by those of the columns that count.
    fn moment(
        &self,
        record: &StringRecord,
        line: u32,
        rows: &mut Rows<'_>,
        counts: impl Fn(usize) -> bool,
    ) -> Option<Written> {
        let at = |column: Option<usize>| column.and_then(|column| record.get(column));
        let zone = at(self.zone).and_then(said);
        // Only one that leaves nothing open: it may be when the row was written down.
        if let Some(stamp) = &self.stamp
            && let Some(text) = at(Some(stamp.column)).and_then(said)
            && Written::parse(text, &UTC, None).is_ok_and(|written| !written.is_local)
        {
            return rows.times.read_in(Some(text), None, line);
        }
        if let (Some(day), Some(clock)) = (&self.day, &self.clock) {
            let zone = zone.or(clock.zone.as_deref()).or(day.zone.as_deref());
            let [day, clock] = [day, clock].map(|stamp| at(Some(stamp.column)));
            return rows.times.read_two(day, clock, zone, line);
        }
        if let (Some(day), Some(hour)) = (&self.day, self.hour)
            && self.times.iter().all(|stamp| at(Some(stamp.column)).and_then(said).is_none())
        {
            let zone = zone.or(day.zone.as_deref());
            let hour = record.get(hour).map(str::trim).filter(|hour| !hour.is_empty());
            return rows.times.read_hour(at(Some(day.column)), hour, zone, line);
        }
        let stamps = self.times.iter().chain(&self.day).filter(|stamp| counts(stamp.column));
        let mut stamps = stamps
            .filter_map(|stamp| Some((at(Some(stamp.column)).and_then(said)?, stamp)))
            .peekable();
        let first = *stamps.peek()?;
        // `Detected` may say yes or no.
        let (text, stamp) = stamps.find(|(text, _)| has_digits(text)).unwrap_or(first);
        rows.times.read_in(Some(text), zone.or(stamp.zone.as_deref()), line)
    }
}

fn has_digits(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}

/// A header.
struct Header {
    line: u32,
    delimiter: u8,
    /// How many columns there are.
    count: usize,
    /// What it calls them; nothing if it is not there.
    cells: StringRecord,
    columns: Columns,
    /// What should be known of how its columns were understood.
    said: Vec<String>,
    /// The convention that it is by, where it is not said.
    unsaid: Option<&'static Unsaid>,
}

/// Within so many lines the header stands, behind a report's title.
const TITLE_LINES: usize = 20;

/// What is passed over: `Total,,,,11`, `Page 2 of 3`.
const REMARKS: &str = "headers, totals or remarks";

/// The header that a log has by convention, and does not say.
fn unsaid_header(text: &str) -> Option<Header> {
    let unsaid = csv_unsaid::of(text)?;
    let columns = Columns::of(&unsaid.headings.iter().collect())?;
    let count = unsaid.headings.len();
    let unsaid = Some(unsaid);
    let (cells, said) = (StringRecord::new(), Vec::new());
    Some(Header { line: 0, delimiter: b',', count, cells, columns, said, unsaid })
}

/// A table between whose cells tabs stand, each row in one line: a page puts an address and what else stands in its cell
/// below one another. What it makes of more than one line is left as empty ones.
fn in_lines(text: &str) -> Option<(String, BTreeSet<u32>)> {
    let tabs = |text: &str| text.bytes().filter(|octet| *octet == b'\t').count();
    let header = super::lines(text).take(TITLE_LINES).find(|(_, line)| {
        let first = line.split('\t').next().unwrap_or_default();
        let heading = Heading::of(first);
        tabs(line) >= 3 && (heading.is_of(TIMES) || heading.is_of(DAYS))
    });
    let (number, header) = header?;
    let wanted = tabs(header);
    // Only where each row begins with its day it can be told from the next.
    let is_first = |line: &str| {
        let day = line.split(['\t', ' ', 'T']).next().unwrap_or_default();
        let is_day = |c: char| c.is_ascii_digit() || matches!(c, '/' | '-' | '.');
        day.len() >= 6 && day.chars().all(is_day) && day.contains(['/', '-', '.'])
    };
    let is_broken = super::lines(text)
        .any(|(line, content)| line > number && is_first(content) && tabs(content) < wanted);
    if !is_broken {
        return None;
    }
    let (mut whole, mut made) = (String::with_capacity(text.len()), BTreeSet::new());
    let (mut below, mut first) = (0, 0);
    for (place, line) in text.lines().enumerate() {
        let is_behind = u32::try_from(place).is_ok_and(|place| place >= number);
        match is_behind && !is_first(line) && below > 0 {
            true => {
                whole.push(' ');
                whole.push_str(line.trim_end());
                below += 1;
                made.insert(first);
            }
            false => {
                whole.extend(std::iter::repeat_n('\n', below));
                whole.push_str(line.trim_end_matches(['\r', ' ']));
                (below, first) = (1, u32::try_from(place + 1).unwrap_or(u32::MAX));
            }
        }
    }
    Some((whole, made))
}

/// The header, which may stand behind comments and a title.
fn header(text: &str) -> Option<Header> {
    if let Some(header) = unsaid_header(text) {
        return Some(header);
    }
    let is_comment = |line: &str| {
        let content = line.trim_start();
        content.starts_with("//") || content.starts_with('#') && !content.contains([',', ';', '\t'])
    };
    let mut lines = super::lines(text).filter(|(_, line)| !is_comment(line)).take(TITLE_LINES);
    let (line, first) = lines.next()?;
    if let Some(header) = header_at(text, line, first) {
        return Some(header);
    }
    // What is no more than words of a title has no row of as many columns behind it.
    let mut behind = super::lines(text).filter(|(_, line)| !is_comment(line)).skip(2);
    lines.zip(behind.by_ref()).find_map(|((line, title), (_, row))| {
        let header = header_at(text, line, title)?;
        let is_table = fields(row, header.delimiter).is_some_and(|row| row.len() == header.count);
        (is_table && header.count >= 3 && header.columns.is_told()).then_some(header)
    })
}

/// Whether the first line is a header that names the columns of destinations, of hosts, and of times or threats, and the next
/// ones have as many cells.
pub(super) fn begins_as_table(text: &str) -> bool {
    const ROWS: usize = 5;
    let whole = in_lines(text);
    let text = whole.as_ref().map_or(text, |(whole, _)| whole);
    let first = super::lines(text).next();
    let Some(header) = first.and_then(|(line, first)| header_at(text, line, first)) else {
        return false;
    };
    let rows = csv_rows::Rows::new(text, header.delimiter, Some(header.count));
    let mut rows = rows.filter(|row| row.line > header.line).take(ROWS).peekable();
    let is_row = |row: csv_rows::Row| row.fields.is_ok_and(|row| row.len() == header.count);
    let is_told = header.count >= 3 && header.columns.is_told() && header.columns.has_destination();
    is_told && rows.peek().is_some() && rows.all(is_row)
}

/// A line as the header.
fn header_at(text: &str, line: u32, header: &str) -> Option<Header> {
    // Feeds write their header as a comment. A first cell may be empty, so a tab stays.
    let header = header.trim_start_matches(' ').trim_start_matches('#').trim_start_matches(' ');
    [b',', b';', b'\t', b'|'].into_iter().find_map(|delimiter| {
        let record = fields(header, delimiter)?;
        let (count, mut columns) = (record.len(), Columns::by_words(&record));
        if count < 2 || !columns.has_more() {
            return None;
        }
        let rows = || {
            let rows = csv_rows::Rows::new(text, delimiter, Some(count));
            let behind = rows.filter(|row| row.line > line).filter_map(|row| row.fields.ok());
            behind.filter(|row| row.len() == count)
        };
        let said = csv_guess::complete(&mut columns, &record, rows());
        let unsaid = None;
        let header = Header { line, delimiter, count, cells: record, columns, said, unsaid };
        header.columns.is_whole().then_some(header)
    })
}

/// Whether a text begins with a header that names a destination. A pasted table of Sophos does as well,
/// yet its columns and its header do not stand under one another.
pub(super) fn has_header(text: &str) -> bool {
    let is_table = super::lines(text).take(10).any(|(_, line)| {
        let key = plain_key(line);
        let is = |words: &[&str]| words.iter().any(|word| key.contains(word));
        is(&["userhost", "benutzerhost", "utilisateurhôte", "usuariohost", "utentehost"])
            && is(&["events", "ereignisse", "événements", "eventos", "eventi"])
            && is(&["origin", "herkunft", "origen"])
            && !line.contains([',', ';'])
    });
    !is_table && header(in_lines(text).as_ref().map_or(text, |(whole, _)| whole)).is_some()
}

/// Headings that only lists of what to look for have, such as those of abuse.ch.
const OF_LISTS: [&str; 8] = [
    "iocvalue",
    "ioctype",
    "fkmalware",
    "malwareprintable",
    "urlhauslink",
    "urlstatus",
    "c2status",
    "lastonline",
];

/// Whether a table is a list of what to look for, by its header, which may be a comment.
pub(super) fn is_list(text: &str) -> bool {
    super::lines(text).take(super::TOP_LINES).any(|(_, line)| {
        let header = line.trim_start_matches(['#', ' ']);
        [b',', b';', b'\t'].into_iter().filter_map(|delimiter| fields(header, delimiter)).any(
            |headings| {
                let keys = headings.iter().map(plain_key);
                keys.filter(|key| OF_LISTS.contains(&key.as_str())).count() >= 2
            },
        )
    })
}

/// Where a table without destinations keeps the lines that its rows were made of.
fn original_column(text: &str) -> Option<usize> {
    let (_, first) = super::lines(text).next()?;
    fields(first, b',')?.iter().position(|heading| plain_key(heading) == RAW)
}

/// Whether a text is a table of lines in some other form.
pub(super) fn has_originals(text: &str) -> bool {
    original_column(text).is_some()
}

/// Reads the lines that rows were made of.
fn read_originals(text: &str, column: usize, rows: &mut Rows<'_>) {
    let count = super::lines(text).next().and_then(|(_, first)| fields(first, b','));
    let count = count.map(|fields| fields.len());
    let (mut whole, mut lines) = (String::new(), Vec::new());
    each_record(text, (b',', count, 1), rows, |line, record, shown, rows| {
        match record.get(column).and_then(said) {
            Some(original) => {
                lines.push(line);
                whole.extend(original.chars().map(|c| if c == '\n' { ' ' } else { c }));
                whole.push('\n');
            }
            None => rows.skip(line, shown, "it lacks its original log line"),
        }
    });
    rows.read_originals(&whole, &lines);
}

/// The fields of a line, which need not be as many as a row has.
pub(super) fn fields(line: &str, delimiter: u8) -> Option<StringRecord> {
    csv_rows::Rows::new(line, delimiter, None).next()?.fields.ok()
}

/// How many cells of a row say anything.
fn cells_said(record: &StringRecord) -> usize {
    record.iter().filter(|cell| !cell.trim().is_empty()).count()
}

/// Whether a row is what a table has below its alerts, and no alert that was cut.
fn is_remark(record: &StringRecord, row: &Row<'_>) -> bool {
    const WORDS: [&str; 12] = [
        "total",
        "totals",
        "subtotal",
        "sum",
        "summe",
        "gesamt",
        "zwischensumme",
        "page",
        "seite",
        "count",
        "anzahl",
        "generated",
    ];
    let first = record.iter().find(|cell| !cell.trim().is_empty()).unwrap_or_default();
    let word = first.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
    let is_word = |word: &str| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
    let is_told = record.iter().any(is_destination);
    row.is_of_nothing() && !is_told && word.is_some_and(is_word)
}

/// Reads all records behind the header.
pub(super) fn read(text: &str, rows: &mut Rows<'_>) {
    let joined = in_lines(text);
    let (text, made) = match &joined {
        Some((whole, made)) => (whole.as_str(), Some(made)),
        None => (text, None),
    };
    let Some(header) = header(text) else {
        if let Some(column) = original_column(text) {
            return read_originals(text, column, rows);
        }
        if unheaded::are_rows(text) {
            return unheaded::read(text, rows);
        }
        let first = text.lines().next().unwrap_or_default();
        let why = "it names no destination; expected a header with the columns time, host, destination, threat and \
                   events in any order; destination and one more are required";
        return rows.skip(1, first, why);
    };
    let Header { line: header_line, delimiter, count, mut cells, mut columns, said, unsaid } =
        header;
    for words in said {
        rows.notices.push(Notice::file(&rows.file, &words));
    }
    // A title is left out; an alert that stands there in another form is not lost without a word.
    let above = super::lines(text).take_while(|(line, _)| *line < header_line);
    for (line, title) in above {
        if labels::is_destination_line(title) || table::is_row(title) || key_value::is_line(title) {
            rows.skip(line, title, "it comes before the table's header and is not read");
        }
    }
    each_record(text, (delimiter, Some(count), header_line), rows, |line, record, shown, rows| {
        if record.get(0).is_some_and(|first| first.starts_with('#')) {
            return;
        }
        match unsaid.map_or(Sort::Row, |unsaid| (unsaid.sort)(record)) {
            Sort::Row => {}
            Sort::Cut => return rows.skip(line, shown, "it is cut"),
            Sort::Other(what) => return rows.pass(what),
        }
        if record.len() != count && made.is_some_and(|made| made.contains(&line)) {
            let why = format!("it has {} cells, but the header has {count}", record.len());
            return rows.skip(line, shown, &why);
        }
        let row = columns.row(record);
        match cells_said(record) {
            0 => return,
            _ if *record == cells => return rows.pass(REMARKS),
            _ if let Some(others) = Columns::of_another(record) => {
                (cells, columns) = (record.clone(), others);
                return rows.pass(REMARKS);
            }
            few @ 1..=2 if count > few + 1 && is_remark(record, &row) => {
                return rows.pass(REMARKS);
            }
            _ => {}
        }
        let time = columns.time(record, line, rows);
        rows.add(line, shown, Row { time, ..row });
    });
}

/// Hands out each record behind a line, with its own line and text; `count` is how many fields it has, where that is
/// known.
pub(super) fn each_record(
    text: &str,
    (delimiter, count, header): (u8, Option<usize>, u32),
    rows: &mut Rows<'_>,
    mut each: impl FnMut(u32, &StringRecord, &str, &mut Rows<'_>),
) {
    let mark = char::from(delimiter).to_string();
    for row in csv_rows::Rows::new(text, delimiter, count) {
        match row.fields {
            _ if row.line <= header => {}
            Ok(_) if rows.is_full() => rows.left_out += 1,
            Ok(fields) => {
                let shown = fields.iter().collect::<Vec<_>>().join(&mark);
                each(row.line, &fields, &shown, rows);
            }
            Err(why) => rows.skip(row.line, row.text, &why),
        }
    }
}
