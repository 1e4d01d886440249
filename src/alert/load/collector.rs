//! Collects the alerts of one file, and the notices about it.
//!
//! Each format's reader hands over its rows one by one: [`AlertCollector::add`] makes an alert of a row, [`AlertCollector::ignore`] counts a row
//! that is no alert, [`AlertCollector::skip`] complains about one that cannot be read.

use std::collections::BTreeSet;

use crate::alert::load::csv::{self, palo_alto, zeek};
use crate::alert::load::error::LoadError;
use crate::alert::load::format::AlertFormat;
use crate::alert::load::json::{self, eve};
use crate::alert::load::notice::Notice;
use crate::alert::load::pairs::{cef, key_value, labels};
use crate::alert::load::row::value::{is_address, is_no_threat, present_value};
use crate::alert::load::row::{AlertRow, threat_text};
use crate::alert::load::snort::fast;
use crate::alert::load::sophos::table;
use crate::alert::load::text::PlainText;
use crate::alert::load::when::times::{DateOrderEvidence, TimeReader, UnreadableTimes};
use crate::alert::load::{Alerts, names};
use crate::alert::{Alert, Zones};
use crate::number::count as counted;
use crate::time::{DateOrder, NoTime};

/// The most alerts that are read of one file; the rest is left out, and that is said.
pub(crate) const ALERTS_MAX: usize = 1 << 16;
/// What is said of a line that a paste has made of several.
pub(crate) const JOINED_ROWS: &str = "this line has more than one threat or destination, like a paste that lost its line breaks; \
                      put each row on its own line, in a file for --alerts or pasted with its line breaks";
/// The most rows of one file that are complained about one by one.
const NOTICES_MAX: u64 = 20;

/// The rows of one file, as they are read.
pub(crate) struct AlertCollector<'z> {
    pub(crate) file: String,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) times: TimeReader<'z>,
    /// Rows that could not be understood, and alerts for which there was no room.
    skipped: u64,
    pub(crate) left_out: u64,
    /// Rows that are no alerts, and what they are.
    ignored: u64,
    why_ignored: &'static str,
    /// How many times could not be read before this row.
    unread_before: u64,
}

impl<'z> AlertCollector<'z> {
    /// All rows of a text. Their times are as those zones have them if they name none, and their day and month stand
    /// in that order if they could be either.
    pub(crate) fn read(
        file: &str,
        text: &PlainText<'_>,
        format: AlertFormat,
        (zones, order): (&'z Zones, Option<DateOrder>),
    ) -> AlertCollector<'z> {
        let mut collector = AlertCollector::new(file, zones, order);
        collector.notices.extend(text.notices.iter().map(|words| Notice::file(file, words)));
        collector.read_within(&text.text, format, |line| text.original_line(line));
        collector
    }

    fn read_as(&mut self, format: AlertFormat, text: &str) {
        match format {
            AlertFormat::Table => table::read(text, self),
            AlertFormat::KeyValue if labels::has_no_pairs(text) => labels::read(text, self),
            AlertFormat::KeyValue => key_value::read(text, key_value::Dialect::Any, self),
            AlertFormat::FortiGate => key_value::read(text, key_value::Dialect::FortiGate, self),
            AlertFormat::PaloAlto => palo_alto::read(text, self),
            AlertFormat::Eve => eve::read(text, self),
            AlertFormat::Json => json::read(text, self),
            AlertFormat::Zeek => zeek::read(text, self),
            AlertFormat::Cef => cef::read(text, self),
            AlertFormat::FastLog => fast::read(text, self),
            AlertFormat::Csv => csv::read(text, self),
            AlertFormat::Names => names::read(text, self),
        }
    }

    /// Reads lines that stood within records of another form; each is where its record is.
    pub(crate) fn read_within(
        &mut self,
        text: &str,
        format: AlertFormat,
        place: impl Fn(u32) -> u32,
    ) {
        let (alerts, notices) = (self.alerts.len(), self.notices.len());
        self.read_as(format, text);
        let alerts = self.alerts.iter_mut().skip(alerts).map(|alert| &mut alert.line);
        let notices = self.notices.iter_mut().skip(notices).filter_map(|n| n.line.as_mut());
        for line in alerts.chain(notices).chain(self.times.lines_mut()) {
            *line = place(*line);
        }
    }

    /// Reads the lines that records were made of, each in the line of its record, in the form that they have.
    pub(crate) fn read_originals(&mut self, whole: &str, lines: &[u32]) {
        let Some(first) = lines.first() else { return };
        let format = AlertFormat::of(whole);
        let format = format.filter(|format| {
            !matches!(format, AlertFormat::Json | AlertFormat::Names | AlertFormat::Csv)
        });
        let Some(format) = format else {
            let text = whole.lines().next().unwrap_or_default();
            let why = "its records name no destination, and the format of their original log lines is not known";
            return self.skip(*first, text, why);
        };
        let words = format!("its records are read from their original log lines, as {format}");
        self.notices.push(Notice::file(&self.file, &words));
        let place = |line: u32| {
            let at = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
            at.and_then(|at| lines.get(at)).copied().unwrap_or(line)
        };
        self.read_within(whole, format, place);
    }

    fn new(file: &str, zones: &'z Zones, order: Option<DateOrder>) -> AlertCollector<'z> {
        AlertCollector {
            file: file.to_owned(),
            alerts: Vec::new(),
            notices: Vec::new(),
            times: TimeReader::new(zones, order),
            skipped: 0,
            left_out: 0,
            ignored: 0,
            why_ignored: "",
            unread_before: 0,
        }
    }

    /// Takes a row, whose time was read just before. Where it names no name, the threat may.
    pub(crate) fn add(&mut self, line: u32, text: &str, row: AlertRow<'_>) {
        let has_name = row.name.and_then(present_value).is_some_and(|name| !is_address(name));
        let texts = [row.threat, row.words].into_iter().flatten().filter(|_| !has_name);
        let told = texts.filter_map(|text| threat_text::name_in(text, row.is_about_dns())).next();
        let row = AlertRow { name: told.as_deref().or(row.name), ..row };
        let unread = self.times.unread_count();
        let is_time_unread = row.time.is_none() && unread > self.unread_before;
        self.unread_before = unread;
        if row.threat.is_some_and(is_no_threat) {
            return self.ignore("no threat was found there");
        }
        match row.alert(line, text) {
            Ok(_) if self.is_full() => self.left_out += 1,
            Ok(mut alert) => {
                alert.is_time_unread = is_time_unread;
                alert.file.clone_from(&self.file);
                self.alerts.push(alert);
            }
            Err(why) => self.skip(line, text, &why),
        }
    }

    /// Whether no more alerts are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.alerts.len() >= ALERTS_MAX
    }

    /// Passes over a row that is no alert.
    pub(crate) fn ignore(&mut self, what: &'static str) {
        self.ignored += 1;
        self.why_ignored = what;
    }

    /// Complains about a row.
    pub(crate) fn skip(&mut self, line: u32, text: &str, why: &str) {
        self.skipped += 1;
        if self.skipped <= NOTICES_MAX {
            self.notices.push(Notice::row(&self.file, line, text, &format!("{why}: skipped")));
        }
    }

    /// Counts the rows that have no number of their own, by numbers that no other has.
    fn number_alerts(&mut self) {
        let own: BTreeSet<u32> = self.alerts.iter().map(|alert| alert.number).collect();
        let mut free = (1..).filter(|number| !own.contains(number));
        for alert in self.alerts.iter_mut().filter(|alert| alert.number == 0) {
            alert.number = free.next().unwrap_or_default();
        }
    }

    pub(crate) fn finish(
        mut self,
        format: AlertFormat,
        zone_is_said: bool,
    ) -> Result<Alerts, LoadError> {
        if self.alerts.is_empty() {
            return Err(LoadError::Nothing {
                file: self.file,
                format,
                skipped: self.skipped,
                others: (self.ignored > 0).then_some((self.ignored, self.why_ignored)),
                first: self.notices.into_iter().next().map(Box::new),
            });
        }
        self.number_alerts();
        if self.skipped > NOTICES_MAX {
            let more = self.skipped - NOTICES_MAX;
            let words = format!("skipped {more} more rows for such reasons");
            self.notices.push(Notice::rows(&self.file, more, &words));
        }
        if self.left_out > 0 {
            let words =
                format!("only its first {ALERTS_MAX} alerts are used; {} are not", self.left_out);
            self.notices.push(Notice::rows(&self.file, self.left_out, &words));
        }
        let mut say = |words: String| self.notices.push(Notice::file(&self.file, &words));
        if self.ignored > 0 {
            let rows = if self.ignored == 1 { "row was" } else { "rows were" };
            say(format!("{} {rows} ignored: {}", self.ignored, self.why_ignored));
        }
        if let Some(first) = self.times.first_local
            && !zone_is_said
        {
            say(format!(
                "its times have no time zone: read as {}, this machine's; if the firewall's zone is another, set \
                 it with --tz, as in --tz Europe/Berlin",
                self.times.zone_at(first)
            ));
        }
        if let Some(first) = &self.times.first_winter {
            say(format!(
                "its summer times name a winter time zone, as \"{}\" in line {}: read as written; if the \
                 firewall's clock was on summer time, write that, such as CEST for CET",
                first.text.escape_debug(),
                first.line
            ));
        }
        if let Some((first, time)) = &self.times.first_without_year {
            say(format!(
                "its times have no year: taken from the capture's time, so \"{}\" in line {} is in {}",
                first.text.escape_debug(),
                first.line,
                time.to_string().split('-').next().unwrap_or_default()
            ));
        }
        if let Some((count, first)) = &self.times.backward {
            say(format!(
                "in {} the last time is before the first, as \"{}\" in line {}: only the first is used",
                counted(*count, "row", "rows"),
                first.text.escape_debug(),
                first.line
            ));
        }
        if let Some((count, first)) = &self.times.long {
            say(format!(
                "the time of {} spans more than a month, as \"{}\" in line {}: everything asked for in that time \
                 is matched",
                counted(*count, "alert", "alerts"),
                first.text.escape_debug(),
                first.line
            ));
        }
        if let Some((count, first)) = &self.times.beside {
            say(format!(
                "in {} there are a first and a last time besides the alert's own, as in line {} ({}), that do not \
                 fit it: they are not used",
                counted(*count, "row", "rows"),
                first.line,
                first.text
            ));
        }
        let unread = self.times.unread.iter();
        let unread =
            unread.map(|unread| Notice::times(&self.file, unread.count, &unread_words(unread)));
        self.notices.extend(unread);
        Ok(Alerts { format, alerts: self.alerts, notices: self.notices })
    }
}

/// In which order dates that could be two were read, and why.
pub(crate) fn order_words(order: DateOrder, shown: &DateOrderEvidence) -> String {
    let first = match order {
        DateOrder::DayFirst => "day",
        DateOrder::MonthFirst => "month",
    };
    let why = match shown {
        DateOrderEvidence::Date(place) => {
            format!("as \"{}\" in line {} shows", place.text.escape_debug(), place.line)
        }
        DateOrderEvidence::Capture => {
            "because no date fits the capture's time the other way round".to_owned()
        }
        DateOrderEvidence::HalfDays => {
            "as is usual with AM and PM; if that is wrong, write the dates as in 2026-03-02 09:17:42"
                .to_owned()
        }
    };
    format!("its dates are read with the {first} first, {why}")
}

/// That times could not be read, why, and what to do about it.
fn unread_words(unread: &UnreadableTimes) -> String {
    let (why, remedy) = match unread.why {
        NoTime::Unknown => ("could not be read", "expected a time such as 2026-03-02 09:17:42"),
        NoTime::FarOff => (
            "did not give a time from 2001 to 2100, whether read as seconds, milli-, micro- or nanoseconds since \
             1970 or in Windows or .NET units",
            "write it as in 2026-03-02 09:17:42",
        ),
        NoTime::TwoDates => (
            "could be two dates, and neither another date in the file nor the capture shows whether the day or the \
             month comes first",
            "write the dates as in 2026-03-02 09:17:42",
        ),
        NoTime::NoYear => ("had no year", "add it, as in 2026-03-02 09:17:42; for Snort, use -y"),
        NoTime::NoDay => ("had no date", "add it, as in 2026-03-02 09:17:42"),
        NoTime::ManyZones => (
            "had an ambiguous time zone abbreviation",
            "name the zone with --tz, as in --tz America/New_York for EST or --tz Asia/Kolkata for IST",
        ),
        NoTime::NoZone => (
            "had an unknown time zone",
            "write the offset from UTC instead, as in 2026-03-02 09:17:42 +01:00, or omit it and set the zone with \
             --tz, as in --tz Europe/Berlin",
        ),
    };
    let (count, line, text) = (unread.count, unread.first.line, unread.first.text.escape_debug());
    format!(
        "{count} of its times {why}, so these alerts have no time; the first is in line {line}: \"{text}\" \
         ({remedy})"
    )
}
