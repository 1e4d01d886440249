//! The forms of alerts, and how each is known.

use std::fmt;

use crate::alert::load::csv::{self, header, headerless, palo_alto, zeek};
use crate::alert::load::pairs::{cef, key_value, labels};
use crate::alert::load::snort::{fast, full};
use crate::alert::load::sophos::table;
use crate::alert::load::text::numbered_lines;
use crate::alert::load::{TOP_LINES, json, names};

/// How a file of alerts is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertFormat {
    /// The table of Sophos UTM9's Advanced Threat Protection page, as pasted.
    Table,
    /// Log lines of `key="value"`, as Sophos UTM and SFOS write them, or Check Point's `key:"value";`; or a line for each key, `Destination: evil.com`.
    KeyValue,
    /// Log lines of FortiGate, `key=value`.
    FortiGate,
    /// The threat log of Palo Alto Networks as CSV: exported, or as syslog sends it.
    PaloAlto,
    /// Suricata's EVE: JSON objects, a line each or as they are exported.
    Eve,
    /// JSON objects of any other kind, likewise.
    Json,
    /// Logs of Zeek with tabs between their fields.
    Zeek,
    /// Common Event Format.
    Cef,
    /// Alerts of Suricata and Snort, a line each, or Snort's of several lines.
    FastLog,
    /// CSV with a header that names the columns.
    Csv,
    /// Bare names and addresses, one a line.
    Names,
}

impl AlertFormat {
    /// All of them.
    pub const ALL: [AlertFormat; 11] = [
        AlertFormat::Table,
        AlertFormat::KeyValue,
        AlertFormat::FortiGate,
        AlertFormat::PaloAlto,
        AlertFormat::Eve,
        AlertFormat::Json,
        AlertFormat::Zeek,
        AlertFormat::Cef,
        AlertFormat::FastLog,
        AlertFormat::Csv,
        AlertFormat::Names,
    ];

    /// As it is named on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            AlertFormat::Table => "sophos-table",
            AlertFormat::KeyValue => "key-value",
            AlertFormat::FortiGate => "fortigate",
            AlertFormat::PaloAlto => "palo-alto",
            AlertFormat::Eve => "eve",
            AlertFormat::Json => "json",
            AlertFormat::Zeek => "zeek",
            AlertFormat::Cef => "cef",
            AlertFormat::FastLog => "fast-log",
            AlertFormat::Csv => "csv",
            AlertFormat::Names => "names",
        }
    }

    /// The form that a text has, by what it holds. The rules, in this order:
    /// 1. objects of JSON and nothing else; those of Suricata have an `event_type`;
    /// 2. the heading of a log of Zeek;
    /// 3. a threat log of Palo Alto, or labels with tabs behind them;
    /// 4. a first line that names columns for all that is wanted, with as many cells below, or for lines of a log, for one of
    ///    these may hold such a line;
    /// 5. a CEF header;
    /// 6. a rule's id and `source -> destination`, in a line or in several;
    /// 7. lines of `key=value`;
    /// 8. any other header that names columns;
    /// 9. rows of Sophos' table;
    /// 10. lines that say what each thing is;
    /// 11. objects of JSON behind something else;
    /// 12. a few lines of one name or address each;
    /// 13. rows without a header whose cells can only be a time, a host of one's own, or a destination.
    ///
    /// A sentence about a name is none: whether it accuses or excuses, and when that was, only a person can tell.
    pub(crate) fn of(text: &str) -> Option<AlertFormat> {
        let sample = || numbered_lines(text).take(TOP_LINES).map(|(_, line)| line);
        let count = |is: fn(&str) -> bool| sample().filter(|line| is(line)).count();
        let json =
            || Some(if json::is_of_suricata(text) { AlertFormat::Eve } else { AlertFormat::Json });
        if json::is_text(text) {
            json()
        } else if count(zeek::is_heading) > 0 {
            Some(AlertFormat::Zeek)
        } else if count(palo_alto::is_line) > 0 {
            Some(AlertFormat::PaloAlto)
        } else if labels::is_of_tabs(text) {
            Some(AlertFormat::KeyValue)
        } else if header::begins_as_table(text) || csv::has_originals(text) {
            Some(AlertFormat::Csv)
        } else if count(cef::is_event) > 0 {
            Some(AlertFormat::Cef)
        } else if count(fast::is_line) > 0 || full::is_text(text) {
            Some(AlertFormat::FastLog)
        } else if count(key_value::is_line) > 0 {
            let is_fortigate = count(key_value::is_fortigate) > 0;
            Some(if is_fortigate { AlertFormat::FortiGate } else { AlertFormat::KeyValue })
        } else if header::has_header(text) {
            Some(AlertFormat::Csv)
        } else if count(table::is_row) > 0 {
            Some(AlertFormat::Table)
        } else if labels::is_text(text) {
            Some(AlertFormat::KeyValue)
        } else if count(json::is_line) > 0 {
            json()
        } else if names::is_few(text) {
            Some(AlertFormat::Names)
        } else if headerless::are_rows(text) {
            Some(AlertFormat::Csv)
        } else {
            None
        }
    }

    /// Whether a text that stands in the place of a name is an alert: it has blanks, as no name has, or else the form
    /// of one.
    pub fn is_alert(text: &str) -> bool {
        text.trim().contains(char::is_whitespace)
            || AlertFormat::of(text).is_some_and(|format| format != AlertFormat::Names)
    }

    /// All names.
    pub fn list() -> String {
        AlertFormat::ALL.map(AlertFormat::as_str).join(", ")
    }

    /// What a row of it looks like.
    pub fn example(self) -> &'static str {
        match self {
            AlertFormat::Table => "`1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 1 AFCd`",
            AlertFormat::KeyValue => {
                "`... srcip=\"192.168.2.194\" dstip=\"198.51.100.7\" threatname=\"C2/Generic-A\" \
                 host=\"mi.kenal-cn.com\"`"
            }
            AlertFormat::FortiGate => {
                "`date=2026-03-02 time=09:17:42 type=\"utm\" subtype=\"dns\" srcip=192.168.2.194 \
                 qname=\"mi.kenal-cn.com\"`"
            }
            AlertFormat::PaloAlto => {
                "`1,2026/03/02 09:17:42,0011,THREAT,spyware,...,192.168.2.194,198.51.100.7,...`"
            }
            AlertFormat::Eve => {
                "`{\"timestamp\":...,\"event_type\":\"alert\",\"src_ip\":...,\"alert\":...}`"
            }
            AlertFormat::Json => {
                "`{\"time\":...,\"src_ip\":\"192.168.2.194\",\"query\":\"mi.kenal-cn.com\",\"threat\":...}`"
            }
            AlertFormat::Zeek => {
                "a line `#fields`, and below it those of dns.log, intel.log or notice.log"
            }
            AlertFormat::Cef => {
                "`CEF:0|Vendor|Product|1|id|C2/Generic-A|8|src=192.168.2.194 dhost=...`"
            }
            AlertFormat::FastLog => {
                "`03/02/2026-09:17:42.5 [**] [1:2024897:1] C2/Generic-A [**] [Priority: 1] {UDP} \
                 192.168.2.194:53211 -> 198.51.100.7:53`"
            }
            AlertFormat::Csv => {
                "a header that names the columns, such as `time,host,destination,threat`"
            }
            AlertFormat::Names => "`mi.kenal-cn.com`",
        }
    }
}

impl fmt::Display for AlertFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
