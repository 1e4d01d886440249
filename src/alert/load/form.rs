//! The forms of alerts, and how each is known.

use std::fmt;

use super::{cef, csv_columns, eve, fast, key_value, labels, lines, names, palo_alto, table};

/// How many lines are looked at to see which form a file has.
const LINES_MAX: usize = 200;

/// How a file of alerts is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The table of Sophos UTM9's Advanced Threat Protection page, as pasted.
    Table,
    /// Log lines of `key="value"`, as Sophos UTM and SFOS write them, or Check Point's `key:"value";`; or a line for each key, `Destination: evil.com`.
    KeyValue,
    /// Log lines of FortiGate, `key=value`.
    FortiGate,
    /// The threat log of Palo Alto Networks as CSV: exported, or as syslog sends it.
    PaloAlto,
    /// Suricata's EVE: a JSON object a line.
    Eve,
    /// Common Event Format.
    Cef,
    /// Alerts of Suricata and Snort, a line each.
    FastLog,
    /// CSV with a header that names the columns.
    Csv,
    /// Bare names and addresses, one a line.
    Names,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 9] = [
        Form::Table,
        Form::KeyValue,
        Form::FortiGate,
        Form::PaloAlto,
        Form::Eve,
        Form::Cef,
        Form::FastLog,
        Form::Csv,
        Form::Names,
    ];

    /// As it is named on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Form::Table => "sophos-table",
            Form::KeyValue => "key-value",
            Form::FortiGate => "fortigate",
            Form::PaloAlto => "palo-alto",
            Form::Eve => "eve",
            Form::Cef => "cef",
            Form::FastLog => "fast-log",
            Form::Csv => "csv",
            Form::Names => "names",
        }
    }

    /// The form that a text has, by what it holds. The rules in this order:
    /// 1. JSON objects with an `event_type`, 2. a CEF header, 3. lines with a rule's id and `source -> destination`,
    ///    4. lines of `key=value`, 5. a threat log of Palo Alto, 6. a header that names columns, 7. rows of Sophos'
    ///    table, 8. lines that say what each thing is, 9. a few lines of one name or address each.
    pub(super) fn of(text: &str) -> Option<Form> {
        let sample = || lines(text).take(LINES_MAX).map(|(_, line)| line);
        let count = |is: fn(&str) -> bool| sample().filter(|line| is(line)).count();
        if count(eve::is_event) > 0 {
            Some(Form::Eve)
        } else if count(cef::is_event) > 0 {
            Some(Form::Cef)
        } else if count(fast::is_line) > 0 {
            Some(Form::FastLog)
        } else if count(key_value::is_line) > 0 {
            let is_fortigate = count(key_value::is_fortigate) > 0;
            Some(if is_fortigate { Form::FortiGate } else { Form::KeyValue })
        } else if count(palo_alto::is_line) > 0 {
            Some(Form::PaloAlto)
        } else if csv_columns::has_header(text) {
            Some(Form::Csv)
        } else if count(table::is_row) > 0 {
            Some(Form::Table)
        } else if labels::is_text(text) {
            Some(Form::KeyValue)
        } else if names::is_few(text) {
            Some(Form::Names)
        } else {
            None
        }
    }

    /// Whether a text that stands in the place of a name is an alert: it has blanks, as no name has, or else the form
    /// of one.
    pub fn is_alert(text: &str) -> bool {
        text.trim().contains(char::is_whitespace)
            || Form::of(text).is_some_and(|form| form != Form::Names)
    }

    /// All names.
    pub fn list() -> String {
        Form::ALL.map(Form::as_str).join(", ")
    }

    /// What a row of it looks like.
    pub fn example(self) -> &'static str {
        match self {
            Form::Table => "`1 192.168.2.194 C2/Generic-A mi.kenal-cn.com 1 AFCd`",
            Form::KeyValue => {
                "`... srcip=\"192.168.2.194\" dstip=\"198.51.100.7\" threatname=\"C2/Generic-A\" \
                 host=\"mi.kenal-cn.com\"`"
            }
            Form::FortiGate => {
                "`date=2026-03-02 time=09:17:42 type=\"utm\" subtype=\"dns\" srcip=192.168.2.194 \
                 qname=\"mi.kenal-cn.com\"`"
            }
            Form::PaloAlto => {
                "`1,2026/03/02 09:17:42,0011,THREAT,spyware,...,192.168.2.194,198.51.100.7,...`"
            }
            Form::Eve => {
                "`{\"timestamp\":...,\"event_type\":\"alert\",\"src_ip\":...,\"alert\":...}`"
            }
            Form::Cef => "`CEF:0|Vendor|Product|1|id|C2/Generic-A|8|src=192.168.2.194 dhost=...`",
            Form::FastLog => {
                "`03/02/2026-09:17:42.5 [**] [1:2024897:1] C2/Generic-A [**] [Priority: 1] {UDP} \
                 192.168.2.194:53211 -> 198.51.100.7:53`"
            }
            Form::Csv => "a header that names the columns, such as `time,host,destination,threat`",
            Form::Names => "`mi.kenal-cn.com`",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
