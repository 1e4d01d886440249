//! Tables that never have a header, whose columns are known by convention.
//!
//! ```text
//! "2026-03-02 09:17:42","DC1","DC1","192.168.2.194","203.0.113.9","Blocked","1 (A)","NOERROR","mi.kenal-cn.com","Malware"
//! DNSBL-python,Mar  2 09:17:42,mi.kenal-cn.com,192.168.2.42,Python,DNSBL_A,DNSBL_Malicious,mi.kenal-cn.com,URLhaus,+,A
//! ```
//!
//! The first is of Cisco Umbrella, the second of pfBlockerNG, whose `unified.log` holds other rows as well.

use csv::StringRecord;

use crate::alert::load::csv::header::fields;
use crate::alert::load::text::numbered_lines;

/// A table without a header.
pub(crate) struct FixedLayout {
    pub headings: &'static [&'static str],
    /// Whether a row is surely of it.
    is_row: fn(&StringRecord) -> bool,
    /// What a row of such a text is.
    pub kind_of: fn(&StringRecord) -> RowKind,
}

/// What a row is.
pub(crate) enum RowKind {
    Alert,
    /// One of its rows that is not whole: a name may be cut as well.
    Truncated,
    /// No alert, and what it is instead.
    Other(&'static str),
}

/// Its times are of UTC.
const UMBRELLA: FixedLayout = FixedLayout {
    headings: &[
        "Timestamp (UTC)",
        "Most Granular Identity",
        "Identities",
        "Internal IP",
        "External IP",
        "Action",
        "Query Type",
        "Response Code",
        "Domain",
        "Categories",
    ],
    is_row: is_umbrella,
    kind_of: |_| RowKind::Alert,
};

/// What a name was found by stands behind it: a parent that is listed, or the last of its aliases. The type came later.
const PFBLOCKER: FixedLayout = FixedLayout {
    headings: &[
        "Kind", "Time", "Query", "Client", "Agent", "Mode", "Threat", "Found by", "Feed", "Again",
        "Type",
    ],
    is_row: is_pfblocker,
    kind_of: |row| match row.get(0).is_some_and(|kind| kind.starts_with(OF_PFBLOCKER)) {
        true if is_pfblocker(row) => RowKind::Alert,
        true => RowKind::Truncated,
        false => RowKind::Other("no name that was blocked"),
    },
};

/// What begins its rows.
const OF_PFBLOCKER: &str = "DNSBL-";

/// The table that a text is, if its first rows are.
pub(crate) fn of(text: &str) -> Option<&'static FixedLayout> {
    const FIRST_LINES: usize = 50;
    let first = numbered_lines(text).next()?.1;
    let is =
        |layout: &FixedLayout, line| fields(line, b',').is_some_and(|row| (layout.is_row)(&row));
    if is(&UMBRELLA, first) {
        return Some(&UMBRELLA);
    }
    let mut lines = numbered_lines(text).take(FIRST_LINES);
    lines.any(|(_, line)| is(&PFBLOCKER, line)).then_some(&PFBLOCKER)
}

fn is_umbrella(row: &StringRecord) -> bool {
    let at = |place: usize| row.get(place).unwrap_or_default();
    let is_type = at(6).split_once(" (").is_some_and(|(number, _)| number.parse::<u16>().is_ok());
    let is_decided = ["Allowed", "Blocked", "Proxied"].contains(&at(5));
    let is_time = at(0).contains(':') && at(0).starts_with(|c: char| c.is_ascii_digit());
    is_type && is_decided && is_time
}

fn is_pfblocker(row: &StringRecord) -> bool {
    let at = |place: usize| row.get(place).unwrap_or_default();
    row.len() >= 9 && at(0).starts_with(OF_PFBLOCKER) && at(1).contains(':')
}

#[cfg(test)]
mod tests {
    use crate::alert::Zones;
    use crate::alert::load::{AlertFormat, Alerts};
    use crate::time::Timestamp;

    #[test]
    fn the_log_of_pfblocker_is_read_and_its_other_rows_are_passed_over() {
        let text = "DNS-reply,Mar  2 09:17:40,reply,A,A,30,www.office.example,192.168.2.42,203.0.113.9,US\n\
                    DNSBL-python,Mar  2 09:17:42,mi.kenal-cn.com,192.168.2.194,Python,DNSBL_TLD,DNSBL_Malicious,kenal-cn.com,URLhaus,+\n\
                    DNSBL-Full,2026-03-02 10:05:20,x1.ad-sync.net,192.168.2.12,Unknown,DNSBL,DNSBL_Ads,x1.ad-sync.net,Ads,-,AAAA\n\
                    DNSBL-python,Mar  2 09:1\n";
        let captured = Timestamp::from_rfc3339("2026-03-02T08:00:00Z");
        let zones = Zones { captured, ..Zones::default() };
        let alerts = Alerts::read("dnsbl.log", text, None, &zones).unwrap();
        let found: Vec<_> = alerts
            .alerts
            .iter()
            .map(|alert| {
                let time = alert.time.unwrap().to_string()[..19].to_owned();
                let host = alert.host.clone().unwrap();
                (alert.line, time, host, alert.destination.as_str(), alert.threat.clone().unwrap())
            })
            .collect();
        let row = |line, time: &str, host: &str, name, threat: &str| {
            (line, time.to_owned(), host.to_owned(), name, threat.to_owned())
        };
        let expected = [
            row(2, "2026-03-02T09:17:42", "192.168.2.194", "mi.kenal-cn.com", "DNSBL_Malicious"),
            row(3, "2026-03-02T10:05:20", "192.168.2.12", "x1.ad-sync.net", "DNSBL_Ads"),
        ];
        assert_eq!((alerts.format, found.as_slice()), (AlertFormat::Csv, &expected[..]));
        let said: Vec<_> = alerts.notices.iter().map(ToString::to_string).collect();
        assert!(
            said.iter().any(|text| text.contains("line 4") && text.contains("skipped")),
            "{said:?}"
        );
        assert!(said.iter().any(|text| text.contains("1 row was ignored")), "{said:?}");
    }
}
