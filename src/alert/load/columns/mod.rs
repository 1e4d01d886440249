//! Which column of a table holds what: who, what it talked to, when and why.
//!
//! In: the header of a table, and a sample of its rows. Out: [`Columns`], which turns each further record into a
//! [`AlertRow`]. CSV, the logs of Zeek and Palo Alto Networks, JSON (whose keys are the header) and alerts written as
//! `label: value` all use it, so what products call a thing is written down once:
//!
//! - [`words`], [`time_words`] and [`stems`] list the names that products give their columns; [`heading`] brings a heading
//!   to the one spelling of these lists;
//! - [`by_content`] finds columns that no word names, by what they hold;
//! - [`rivals`] decides between columns that could each hold the destination.

pub(crate) mod by_content;
pub(crate) mod heading;
mod rivals;
pub(crate) mod stems;
pub(crate) mod time_words;
pub(crate) mod words;

use csv::StringRecord;

use crate::alert::load::collector::AlertCollector;
use crate::alert::load::columns::heading::Heading;
use crate::alert::load::columns::time_words::{
    CLOCKS, DAYS, HOURS, ITALIAN_CLOCK, ITALIAN_DAY, SPANS, STAMPS, TIMES, ZONES,
};
use crate::alert::load::columns::words::{
    ADDRESS_PORTS, ADDRESSES, ADGUARD_MARK, CLIENTS, DEVICES, DOMAINS, EITHER_END_ADDRESSES,
    EITHER_END_NAME, EVENTS, FALLBACK_NAMES, HOST_PORTS, HOSTS, NAMES, NUMBERS, PORT, SERVICES,
    SPLUNK_MARK, THREATS, USERS,
};
use crate::alert::load::row::value::{
    is_address, is_destination, is_no_threat, is_public, present_value, threat_name,
};
use crate::alert::load::row::{AlertRow, threat_text};
use crate::time::{UTC, Written};

/// Where each thing stands.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    number: Option<usize>,
    /// All that may tell when: of one row one may be empty.
    times: Vec<TimeColumn>,
    day: Option<TimeColumn>,
    clock: Option<TimeColumn>,
    hour: Option<usize>,
    zone: Option<usize>,
    /// What tells when it was seen first, and when last.
    span: Option<[TimeColumn; 2]>,
    /// What tells a day and a clock as a whole.
    timestamp: Option<TimeColumn>,
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
    fallback_names: Vec<usize>,
    /// What holds a name that may be the host's as well.
    either_end_name: Option<usize>,
    address: Option<usize>,
    /// What holds the host's address, where that is one's own, or else the destination's.
    either_end_address: Option<usize>,
    address_port: Option<usize>,
    /// All that may say what for.
    threats: Vec<usize>,
    /// What was spoken.
    service: Option<usize>,
    events: Option<usize>,
    device: Option<usize>,
    /// Whether that tells of the destinations.
    is_either_end_remote: bool,
    /// Nothing more is to be guessed of the destination.
    is_ambiguous: bool,
}

/// A column that tells when.
#[derive(Clone, Debug)]
struct TimeColumn {
    column: usize,
    /// The zone that its heading names.
    zone: Option<String>,
}

impl Columns {
    /// By a header. None of one that names no destination, or nothing else.
    pub(crate) fn of(header: &StringRecord) -> Option<Columns> {
        Some(Columns::by_words(header)).filter(Columns::is_sufficient)
    }

    /// By a row, if it is the header of another table: one that names the columns that matter, and says nothing itself.
    pub(crate) fn of_repeated_header(row: &StringRecord) -> Option<Columns> {
        let is_word =
            |cell: &str| !is_destination(cell) && !cell.contains(|c: char| c.is_ascii_digit());
        let columns = row.iter().all(is_word).then(|| Columns::by_words(row));
        columns.filter(|columns| columns.name_who_and_why() && columns.has_destination())
    }

    /// By what a header calls them, be it enough or not.
    pub(crate) fn by_words(header: &StringRecord) -> Columns {
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
        let timestamp = |column: usize| {
            let zone = headings.get(column).and_then(|heading| heading.zone.clone());
            TimeColumn { column, zone }
        };
        let mut columns = Columns {
            number: find(NUMBERS),
            times: places(TIMES).into_iter().map(timestamp).collect(),
            day: find(DAYS).or_else(italian_day).map(timestamp),
            clock: find(CLOCKS).map(timestamp),
            hour: find(HOURS),
            span: SPANS.iter().find_map(|(first, last)| {
                let [first, last] = [find(&[first])?, find(&[last])?];
                Some([timestamp(first), timestamp(last)])
            }),
            zone: find(ZONES),
            timestamp: find(STAMPS).map(timestamp),
            hosts: places(HOSTS),
            clients: places(CLIENTS),
            host_port: find(HOST_PORTS),
            names: names.collect(),
            flagged: flagged.collect(),
            fallback_names: places(FALLBACK_NAMES),
            either_end_name: find(&[EITHER_END_NAME]),
            address: find(ADDRESSES),
            either_end_address: find(EITHER_END_ADDRESSES),
            address_port: find(ADDRESS_PORTS),
            threats: places(THREATS),
            service: find(SERVICES),
            events: find(EVENTS),
            device: find(DEVICES),
            is_either_end_remote: false,
            is_ambiguous: false,
        };
        columns.take_ports(&all(PORT));
        if find(&[SPLUNK_MARK]).is_some() {
            let whence = places(&["source", "host"]);
            columns.hosts.retain(|place| !whence.contains(place));
            columns.device = columns.device.or_else(|| find(&["host"]));
        }
        if find(&[ADGUARD_MARK]).is_some() {
            columns.hosts.extend(columns.either_end_address.take());
            columns.times.extend(find(&["t"]).map(timestamp));
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
    pub(crate) fn is_sufficient(&self) -> bool {
        self.has_destination() && self.name_more_than_destination()
    }

    /// Whether they tell who, where to, and when or why, as a header does and hardly a title.
    pub(crate) fn name_who_and_why(&self) -> bool {
        !self.hosts.is_empty() && (!self.threats.is_empty() || self.has_times())
    }

    /// Whether they tell of anything but a destination.
    pub(crate) fn name_more_than_destination(&self) -> bool {
        !self.hosts.is_empty() || !self.threats.is_empty() || !self.times.is_empty()
    }

    /// Whether a column tells when.
    pub(crate) fn has_times(&self) -> bool {
        !self.times.is_empty() || self.day.is_some()
    }

    /// Takes a column as one that tells when.
    pub(crate) fn use_as_time(&mut self, column: usize) {
        self.times.push(TimeColumn { column, zone: None });
    }

    /// Takes a column as one that holds names of what is flagged, or, in some rows, its addresses.
    pub(crate) fn use_as_names(&mut self, column: usize) {
        self.names.push(column);
        self.flagged.push(column);
        self.hosts.retain(|host| *host != column);
        self.either_end_name = self.either_end_name.filter(|either| *either != column);
    }

    /// The columns of names, those first that count before others.
    pub(crate) fn names(&self) -> &[usize] {
        &self.names
    }

    /// The columns that may hold names of destinations, and of hosts or paths as well.
    pub(crate) fn possible_names(&self) -> impl Iterator<Item = usize> {
        self.fallback_names.iter().copied().chain(self.either_end_name)
    }

    /// The column that says who talked, be it by its address or its name.
    pub(crate) fn source(&self) -> Option<usize> {
        self.sources().next()
    }

    /// Whether a column may say who talked.
    pub(crate) fn is_host(&self, column: usize) -> bool {
        self.hosts.contains(&column)
    }

    /// The column that may hold the addresses of either end, where no other holds those of destinations.
    pub(crate) fn either_end_address(&self) -> Option<usize> {
        self.either_end_address.filter(|_| self.address.is_none())
    }

    /// Takes that column as one that tells of destinations.
    pub(crate) fn use_either_end_address(&mut self) {
        self.is_either_end_remote = true;
    }

    /// Takes a column as one that holds addresses.
    pub(crate) fn use_as_address(&mut self, column: usize) {
        self.address = Some(column);
    }

    /// The column of addresses.
    pub(crate) fn address(&self) -> Option<usize> {
        self.address
    }

    /// Whether a column holds names of destinations, and of nothing else.
    pub(crate) fn has_names(&self, column: usize) -> bool {
        self.names.contains(&column)
    }

    /// Whether a column holds the name of either end.
    pub(crate) fn is_either_end_name(&self, column: usize) -> bool {
        self.either_end_name == Some(column)
    }

    /// Takes a column for none that names destinations.
    pub(crate) fn drop_names(&mut self, column: usize) {
        self.names.retain(|known| *known != column);
        self.either_end_name = self.either_end_name.filter(|known| *known != column);
    }

    /// Leaves open which column names the destination, if none is known to.
    pub(crate) fn mark_ambiguous(&mut self) {
        self.is_ambiguous = true;
    }

    /// See `mark_ambiguous`.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.is_ambiguous
    }

    /// Whether no row names a destination.
    pub(crate) fn names_none(&self, rows: &[StringRecord]) -> bool {
        rows.iter().all(|row| {
            let row = self.row(row);
            !row.name.is_some_and(is_destination) && row.address.is_none()
        })
    }

    /// Whether any column is known to tell of it.
    pub(crate) fn has_destination(&self) -> bool {
        let has_name = !self.names.is_empty() || !self.fallback_names.is_empty();
        let is_other_end = self.either_end_name.is_some() && self.sources().next().is_some();
        has_name || self.address.is_some() || self.is_either_end_remote || is_other_end
    }

    /// The columns of the host alone: a name of either end beside them is that of the other.
    fn sources(&self) -> impl Iterator<Item = usize> {
        let before = |place: &usize| Some(*place) != self.either_end_name;
        self.hosts.iter().copied().take_while(before).chain(self.either_end_address)
    }

    /// What a record says in them, but for its time.
    pub(crate) fn row<'r>(&self, record: &'r StringRecord) -> AlertRow<'r> {
        let at = |column: Option<usize>| column.and_then(|column| record.get(column));
        let either =
            at(self.either_end_address).and_then(present_value).filter(|text| is_address(text));
        let own = either.filter(|address| !is_public(address));
        let host = self.hosts.iter().find_map(|column| present_value(record.get(*column)?));
        let own_address = || {
            let clients = self.clients.iter().filter(|column| self.hosts.contains(column));
            let mut said = clients.filter_map(|column| present_value(record.get(*column)?));
            said.find(|text| is_address(text) && !is_public(text))
        };
        let host = host.filter(|host| is_address(host)).or_else(own_address).or(host);
        let mut threats =
            self.threats.iter().filter_map(|column| threat_name(record.get(*column)?));
        let none = || {
            self.threats
                .iter()
                .filter_map(|column| record.get(*column))
                .find(|threat| is_no_threat(threat))
        };
        let threat = threats.next().or_else(none);
        let row = AlertRow {
            number: at(self.number),
            time: None,
            // Addresses first, whatever they are called.
            host: host.filter(|host| own.is_none() || is_address(host)).or(own).or(host),
            host_port: at(self.host_port),
            name: None,
            address: at(self.address).and_then(present_value).or(either.filter(|_| own.is_none())),
            address_port: at(self.address_port),
            threat,
            words: threats.find(|words| threat_text::names_any(words)),
            service: at(self.service),
            events: at(self.events),
            device: at(self.device),
        };
        AlertRow { name: self.name(record, &row), ..row }
    }

    /// What its columns of names say of the destination; none where the address tells more. A firewall flags what is
    /// outside, so a name of one's own is only taken where nothing else is said.
    fn name<'r>(&self, record: &'r StringRecord, row: &AlertRow<'r>) -> Option<&'r str> {
        let at = |column: usize| {
            record.get(column).and_then(present_value).filter(|text| is_destination(text))
        };
        let named = || self.names.iter().filter_map(|column| at(*column));
        let addresses = || named().filter(|text| is_address(text));
        let is_address_said = row.address.is_some() || addresses().next().is_some();
        let is_named = |text: &&str| text.contains("://") || !is_address_said;
        let loose = || self.fallback_names.iter().filter_map(|column| at(*column)).filter(is_named);
        let is_own = |place: usize, text: &str| {
            Some(place) != self.either_end_address || is_address(text) && !is_public(text)
        };
        let has_source = self.sources().any(|place| {
            record.get(place).and_then(present_value).is_some_and(|text| is_own(place, text))
        });
        let either = self.either_end_name.filter(|_| has_source && !is_address_said).and_then(at);
        let names = || named().chain(loose()).chain(either).filter(|text| !is_address(text));
        if let Some(name) = names().find(|text| is_public(text)) {
            return Some(name);
        }
        let flagged = self.flagged.iter().filter_map(|column| at(*column));
        if let Some(address) = flagged.filter(|text| is_address(text)).find(|text| is_public(text))
        {
            return Some(address);
        }
        if row.remote_address().is_some_and(is_public) {
            return None;
        }
        // What is outside comes before a name of one's own, whichever column holds it.
        let others = loose().chain(either).filter(|text| is_address(text));
        let address = addresses().chain(others).find(|text| is_public(text));
        address.or_else(|| names().next()).or_else(|| {
            let all = || named().chain(loose()).chain(either);
            all().next().filter(|_| row.address.is_none())
        })
    }

    /// Whether a column that is for nothing but that names a destination.
    pub(crate) fn is_named(&self, record: &StringRecord) -> bool {
        let said = self.names.iter().filter_map(|column| present_value(record.get(*column)?));
        said.clone().any(|text| is_destination(text) && !is_address(text))
    }

    /// Its time.
    pub(crate) fn time(
        &self,
        record: &StringRecord,
        line: u32,
        collector: &mut AlertCollector<'_>,
    ) -> Option<Written> {
        let zone = self.zone.and_then(|column| present_value(record.get(column)?));
        let ends = self.span.iter().flatten().filter_map(|timestamp| {
            let text =
                present_value(record.get(timestamp.column)?).filter(|text| has_digits(text))?;
            Some((text, zone.or(timestamp.zone.as_deref())))
        });
        let [first, last] = match ends.collect::<Vec<_>>().as_slice() {
            [first, last] => [*first, *last],
            _ => return self.moment(record, line, collector, |_| true),
        };
        let rank = |column| self.times.iter().position(|timestamp| timestamp.column == column);
        let ends = || self.span.iter().flatten().map(|timestamp| timestamp.column);
        let first_rank = ends().next().and_then(rank);
        // What ranks behind the first time, as when the row was made, is no better.
        let is_better = |column| {
            let is_behind =
                rank(column).zip(first_rank).is_some_and(|(other, first)| other > first);
            !is_behind && ends().all(|end| end != column)
        };
        let moment = self.moment(record, line, collector, is_better);
        let between = collector.times.read_between(first, last, line);
        let either = collector.times.either(moment, between, line);
        either.or_else(|| self.moment(record, line, collector, |_| true))
    }

    /// When it was, by those of the columns that count.
    fn moment(
        &self,
        record: &StringRecord,
        line: u32,
        collector: &mut AlertCollector<'_>,
        counts: impl Fn(usize) -> bool,
    ) -> Option<Written> {
        let at = |column: Option<usize>| column.and_then(|column| record.get(column));
        let zone = at(self.zone).and_then(present_value);
        // Only one that leaves nothing open: it may be when the row was written down.
        if let Some(timestamp) = &self.timestamp
            && let Some(text) = at(Some(timestamp.column)).and_then(present_value)
            && Written::parse(text, &UTC, None).is_ok_and(|written| !written.is_local)
        {
            return collector.times.read_in(Some(text), None, line);
        }
        if let (Some(day), Some(clock)) = (&self.day, &self.clock) {
            let zone = zone.or(clock.zone.as_deref()).or(day.zone.as_deref());
            let [day, clock] = [day, clock].map(|timestamp| at(Some(timestamp.column)));
            return collector.times.read_two(day, clock, zone, line);
        }
        if let (Some(day), Some(hour)) = (&self.day, self.hour)
            && self
                .times
                .iter()
                .all(|timestamp| at(Some(timestamp.column)).and_then(present_value).is_none())
        {
            let zone = zone.or(day.zone.as_deref());
            let hour = record.get(hour).map(str::trim).filter(|hour| !hour.is_empty());
            return collector.times.read_hour(at(Some(day.column)), hour, zone, line);
        }
        let stamps =
            self.times.iter().chain(&self.day).filter(|timestamp| counts(timestamp.column));
        let mut stamps = stamps
            .filter_map(|timestamp| {
                Some((at(Some(timestamp.column)).and_then(present_value)?, timestamp))
            })
            .peekable();
        let first = *stamps.peek()?;
        // `Detected` may say yes or no.
        let (text, timestamp) = stamps.find(|(text, _)| has_digits(text)).unwrap_or(first);
        collector.times.read_in(Some(text), zone.or(timestamp.zone.as_deref()), line)
    }
}

fn has_digits(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}
