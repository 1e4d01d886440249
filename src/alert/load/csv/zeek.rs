//! Logs of Zeek as it writes them: fields between tabs, and a heading that names them.
//!
//! ```text
//! #separator \x09
//! #path  intel
//! #fields  ts  uid  id.orig_h  id.orig_p  id.resp_h  id.resp_p  seen.indicator  ...
//! 1772443062.123456  CHhAvVGS1DHFjwGM9  192.168.2.194  53211  198.51.100.7  53  mi.kenal-cn.com  ...
//! ```
//!
//! A line of `intel.log` or `notice.log` is an alert; of `dns.log` each question is one, as with Suricata's events.

use csv::StringRecord;

use crate::alert::load::collector::AlertCollector;
use crate::alert::load::columns::Columns;
use crate::alert::load::row::AlertRow;
use crate::alert::load::text::numbered_lines;

const FIELDS: &str = "#fields";

/// Whether a line names the fields.
pub(crate) fn is_heading(line: &str) -> bool {
    line.strip_prefix(FIELDS).is_some_and(|rest| rest.starts_with(|c: char| !c.is_alphanumeric()))
}

/// Reads all lines, each by the heading above it: files of several logs are joined.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    let mut separator = '\t';
    let mut columns: Option<Columns> = None;
    for (number, line) in numbered_lines(text) {
        if let Some(named) = line.strip_prefix("#separator ") {
            separator = separator_of(named.trim()).unwrap_or('\t');
        } else if is_heading(line) {
            let fields = line.split(separator).skip(1).map(str::trim);
            columns = Columns::of(&fields.collect());
            if columns.is_none() {
                collector.skip(
                    number,
                    line,
                    "it names no destination; expected the fields of dns.log, intel.log or notice.log",
                );
            }
        } else if line.starts_with('#') {
            // When it was opened and closed, and of what types the fields are.
        } else if let Some(columns) = &columns {
            // What has several values may be empty, and stand for nothing.
            let cells =
                line.split(separator).map(|cell| if cell == "(empty)" { "-" } else { cell });
            let record: StringRecord = cells.collect();
            let time = columns.time(&record, number, collector);
            collector.add(number, line, AlertRow { time, ..columns.row(&record) });
        } else {
            collector.skip(number, line, "no #fields line above it names its fields");
        }
    }
}

/// A separator as it is named, `\x09`.
fn separator_of(named: &str) -> Option<char> {
    let code = u8::from_str_radix(named.strip_prefix("\\x")?, 16).ok()?;
    code.is_ascii().then(|| char::from(code))
}

#[cfg(test)]
mod tests {
    use crate::alert::Zones;
    use crate::alert::load::{AlertFormat, Alerts};

    const TOP: &str =
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n";
    const ENDS: &str = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p";
    const ROW: &str =
        "1772443062.123456\tCHhAvVGS1DHFjwGM9\t192.168.2.194\t53211\t198.51.100.7\t53";

    fn read(text: &str) -> Vec<(String, String, String, String)> {
        let alerts = Alerts::read("zeek.log", text, None, &Zones::default()).unwrap();
        assert_eq!((alerts.format, alerts.notices.as_slice()), (AlertFormat::Zeek, &[][..]));
        let alert = |alert: crate::alert::Alert| {
            let time = alert.time.map_or(String::new(), |time| time.to_string()[..23].to_owned());
            (
                time,
                alert.host.unwrap_or_default(),
                alert.destination,
                alert.threat.unwrap_or_default(),
            )
        };
        alerts.alerts.into_iter().map(alert).collect()
    }

    #[test]
    fn the_logs_that_tell_of_destinations_are_read_by_their_headings() {
        let dns = format!(
            "{TOP}#path\tdns\n#open\t2026-03-02-09-00-00\n#fields\t{ENDS}\tproto\ttrans_id\trtt\tquery\tqclass\tanswers\n\
             #types\ttime\tstring\taddr\tport\taddr\tport\tenum\tcount\tinterval\tstring\tcount\tvector[string]\n\
             {ROW}\tudp\t4711\t0.02\tmi.kenal-cn.com\t1\twww.cdn.example,203.0.113.67\n#close\t2026-03-02-10-00-00\n"
        );
        let intel = format!(
            "{TOP}#path\tintel\n#fields\t{ENDS}\tseen.indicator\tseen.indicator_type\tseen.where\tseen.node\tmatched\tsources\n\
             {ROW}\tmi.kenal-cn.com\tIntel::DOMAIN\tDNS::IN_REQUEST\tzeek\tIntel::DOMAIN\tabuse.ch\n"
        );
        let notice = format!(
            "{TOP}#path\tnotice\n#fields\t{ENDS}\tfuid\tfile_mime_type\tfile_desc\tproto\tnote\tmsg\tsub\tsrc\tdst\tp\n\
             {ROW}\t-\t-\t-\tudp\tIntel::Notice\tIntel hit on mi.kenal-cn.com at DNS::IN_REQUEST\tmi.kenal-cn.com\t\
             192.168.2.194\t198.51.100.7\t53\n"
        );
        let row = |threat: &str| {
            let (time, host) = ("2026-03-02T09:17:42.123", "192.168.2.194");
            (time.to_owned(), host.to_owned(), "mi.kenal-cn.com".to_owned(), threat.to_owned())
        };
        assert_eq!(read(&dns), [row("")]);
        assert_eq!(read(&intel), [row("abuse.ch")]);
        assert_eq!(read(&notice), [row("Intel hit on mi.kenal-cn.com at DNS::IN_REQUEST")]);
        assert_eq!(read(&format!("{intel}{notice}")).len(), 2);
    }

    #[test]
    fn what_tells_of_no_destination_is_refused_with_what_was_expected() {
        let text = format!(
            "{TOP}#path\tx509\n#fields\tts\tfingerprint\tcertificate.version\n1772443062\tab\t3\n"
        );
        let error = Alerts::read("zeek.log", &text, None, &Zones::default()).unwrap_err();
        assert!(error.to_string().contains("the fields of dns.log, intel.log"), "{error}");
    }
}
