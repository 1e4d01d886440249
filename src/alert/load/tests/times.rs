//! Times whose zone, year or order of day and month stands elsewhere, or nowhere.

use super::super::*;
use crate::time::{Timestamp, Zone};

/// 2026-06-09, 07:15:07 in UTC.
const WHEN: &str = "2026-06-09T07:15:07";

fn zones(tz: Option<&str>, captured: Option<&str>) -> Zones {
    let alerts = Zone::parse(tz.unwrap_or("UTC")).unwrap();
    let captured = captured.map(|time| Timestamp::from_rfc3339(time).unwrap());
    Zones { alerts, is_said: tz.is_some(), captured, ..Zones::default() }
}

fn read(text: &str, zones: &Zones) -> Alerts {
    Alerts::read("a.txt", text, None, zones).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// When each of its alerts is.
fn times(alerts: &Alerts) -> Vec<String> {
    let time = |alert: &Alert| alert.time.map_or(String::new(), |t| t.to_string()[..19].to_owned());
    alerts.alerts.iter().map(time).collect()
}

fn says(alerts: &Alerts, words: &str) -> bool {
    alerts.notices.iter().any(|notice| notice.words.contains(words))
}

#[test]
fn a_zone_is_honoured_wherever_it_stands() {
    let row = "10.20.0.10,evil.com,C2";
    let dc = "sourceip=10.20.0.10 destinationip=9.9.9.9 url=evil.com threatname=C2/Generic-A";
    for text in [
        format!("time,host,destination,threat\n2026-06-09 09:15:07 CEST,{row}\n"),
        format!("time,host,destination,threat\n\"Jun 9, 2026 9:15:07 AM CEST\",{row}\n"),
        format!("time,host,destination,threat\n2026-06-09 03:15:07 (UTC-4),{row}\n"),
        format!("time,host,destination,threat\n2026-06-09T09:15:07+02:00[Europe/Berlin],{row}\n"),
        format!("Event Time (CEST),host,destination,threat\n2026-06-09 09:15:07,{row}\n"),
        format!("TimeGenerated [UTC],host,destination,threat\n2026-06-09 07:15:07,{row}\n"),
        format!("time,timezone,host,destination,threat\n2026-06-09 09:15:07,+0200,{row}\n"),
        format!("time,tz,host,destination,threat\n2026-06-09 09:15:07,Europe/Berlin,{row}\n"),
        format!("Date,Time (CEST),host,destination,threat\n2026-06-09,09:15:07,{row}\n"),
        // The time's own zone comes first.
        format!("time,timezone,host,destination,threat\n2026-06-09 07:15:07Z,+0200,{row}\n"),
        format!(
            "device=\"SFW\" date=2026-06-09 time=09:15:07 timezone=\"CEST\" log_type=\"ATP\" {dc}\n"
        ),
        format!("timestamp=\"2026-06-09 09:15:07\" timezone=\"Europe/Berlin\" {dc}\n"),
        "CEF:0|a|b|1|i|C2|8|src=10.0.0.5 dhost=evil.com rt=Jun 09 2026 03:15:07 EDT\n".to_owned(),
        "CEF:0|a|b|1|i|C2|8|src=10.0.0.5 dhost=evil.com rt=Jun 09 2026 09:15:07 dtz=CEST\n"
            .to_owned(),
        "2026-06-09 09:15:07 CEST 10.20.0.10 C2/Generic-A evil.com\n".to_owned(),
        "2026-06-09 09:15:07 AM CEST C2/Generic-A 10.20.0.10 evil.com\n".to_owned(),
    ] {
        // Whatever zone the reader has.
        for tz in [None, Some("Asia/Tokyo")] {
            let alerts = read(&text, &zones(tz, None));
            assert_eq!(times(&alerts), [WHEN], "{text}{:?}", alerts.notices);
            assert!(!alerts.alerts[0].is_local && !says(&alerts, "no time zone"), "{text}");
        }
    }
}

#[test]
fn a_zone_that_is_not_understood_is_refused_aloud_with_what_to_give() {
    let row = "10.20.0.10,evil.com,C2";
    for (text, words) in [
        (format!("time,host,destination,threat\n2026-06-09 09:15:07 EST,{row}\n"), "ambiguous time zone"),
        (format!("Time (EST),host,destination,threat\n2026-06-09 09:15:07,{row}\n"), "ambiguous time zone"),
        (format!("Time (XYZ),host,destination,threat\n2026-06-09 09:15:07,{row}\n"), "unknown time zone"),
        (format!("time,timezone,host,destination,threat\n2026-06-09 09:15:07,XYZ,{row}\n"), "unknown time zone"),
        ("date=2026-06-09 time=09:15:07 timezone=\"IST\" src_ip=10.20.0.10 url=evil.com threatname=C2\n".to_owned(), "ambiguous \
            time zone"),
    ] {
        let alerts = read(&text, &zones(None, None));
        assert!(alerts.alerts[0].time.is_none() && alerts.alerts[0].is_time_unread, "{text}");
        assert!(says(&alerts, words) && says(&alerts, "--tz"), "{text}: {:?}", alerts.notices);
    }
    // The zone given says which of several is meant.
    let text = format!("time,host,destination,threat\n2026-01-09 09:15:07 EST,{row}\n");
    let alerts = read(&text, &zones(Some("America/New_York"), None));
    assert_eq!(times(&alerts), ["2026-01-09T14:15:07"]);
    assert!(read(&text, &zones(Some("Europe/Berlin"), None)).alerts[0].time.is_none());
}

#[test]
fn a_winters_zone_in_summer_is_read_as_written_and_said() {
    let text = "time,host,destination\n2026-06-09 08:15:07 CET,10.20.0.10,evil.com\n";
    let alerts = read(text, &zones(None, None));
    assert_eq!(times(&alerts), [WHEN]);
    assert!(says(&alerts, "name a winter time zone"), "{:?}", alerts.notices);
}

#[test]
fn every_column_and_label_of_times_is_known() {
    for heading in [
        "Time (UTC)",
        "Timestamp (UTC)",
        "TimeGenerated [UTC]",
        "Event Time (UTC)",
        "Alert Time",
        "alert_time",
        "Detection Time",
        "event_timestamp",
        "End Time",
        "Last Seen",
        "createdAt",
        "@timestamp",
        "UTC Time",
        "Zeitstempel",
    ] {
        let text = format!("{heading},host,destination,threat\n{WHEN}Z,10.20.0.10,evil.com,C2\n");
        assert_eq!(times(&read(&text, &zones(None, None))), [WHEN], "{heading}");
    }
    // Of a row that has no first one the next counts.
    let text = "Detected,Time,host,destination\nyes,2026-06-09 07:15:07,10.20.0.10,evil.com\n";
    assert_eq!(times(&read(text, &zones(None, None))), [WHEN]);
    let text = "First Seen,Last Seen,host,destination\n,2026-06-09 07:15:07,10.20.0.10,evil.com\n";
    assert_eq!(times(&read(text, &zones(None, None))), [WHEN]);
}

#[test]
fn a_column_of_times_that_nobody_knows_is_used_if_it_is_the_only_one_and_else_said() {
    let one =
        format!("Foo,host,destination\n{WHEN}Z,10.20.0.10,evil.com\n{WHEN}Z,10.20.0.10,a.com\n");
    let alerts = read(&one, &zones(None, None));
    assert_eq!(times(&alerts), [WHEN; 2]);
    assert!(says(&alerts, "times are taken from its column \"Foo\""), "{:?}", alerts.notices);
    let two = format!("Foo,Bar,host,destination\n{WHEN}Z,{WHEN}Z,10.20.0.10,evil.com\n");
    let alerts = read(&two, &zones(None, None));
    assert_eq!(times(&alerts), [""]);
    assert!(says(&alerts, "\"Foo\" and \"Bar\" hold times, and none"), "{:?}", alerts.notices);
    // Where one is known the others are no matter.
    let known = format!("time,Bar,host,destination\n{WHEN}Z,{WHEN}Z,10.20.0.10,evil.com\n");
    assert_eq!(read(&known, &zones(None, None)).notices, []);
}

#[test]
fn of_two_dates_that_of_the_capture_counts_then_am_and_pm_tell() {
    let rows = |dates: &[&str]| {
        let row = |date: &&str| format!("\"{date}\",10.20.0.10,evil.com\n");
        format!("time,host,destination\n{}", dates.iter().map(row).collect::<String>())
    };
    let text = rows(&["06/09/2026 07:15:07", "06/10/2026 07:15:07"]);
    let june = read(&text, &zones(None, Some("2026-06-09T06:00:00Z")));
    assert_eq!(times(&june), [WHEN, "2026-06-10T07:15:07"]);
    assert!(says(&june, "the month first, because no date fits the capture's time"));
    let september = read(&text, &zones(None, Some("2026-09-06T00:00:00Z")));
    assert_eq!(times(&september)[0], "2026-09-06T07:15:07");
    // One of four is so by chance.
    let february = ["03/02/2026 07:15", "04/02/2026 07:15", "05/02/2026 07:15", "06/02/2026 07:15"];
    let march = zones(None, Some("2026-03-02T06:00:00Z"));
    assert_eq!(times(&read(&rows(&february), &march)), [""; 4]);
    // Neither is of the capture's time, or both.
    assert_eq!(times(&read(&text, &zones(None, Some("2026-01-01T00:00:00Z")))), ["", ""]);
    assert!(says(&read(&text, &zones(None, None)), "nor the capture shows"));
    let half = rows(&["06/09/2026 07:15:07 AM", "06/10/2026, 7:15:07.123 pm"]);
    let alerts = read(&half, &zones(None, None));
    assert_eq!(times(&alerts), [WHEN, "2026-06-10T19:15:07"]);
    assert!(says(&alerts, "as is usual with AM and PM"), "{:?}", alerts.notices);
    let india = read(&half, &zones(None, Some("2026-09-06T00:00:00Z")));
    assert_eq!(times(&india)[0], "2026-09-06T07:15:07");
    // Another date of the file is the surest.
    let shown = rows(&["06/09/2026 07:15:07 AM", "14/09/2026 07:15:07 AM"]);
    let alerts = read(&shown, &zones(None, Some("2026-06-09T06:00:00Z")));
    assert_eq!(times(&alerts)[0], "2026-09-06T07:15:07");
}

#[test]
fn a_year_that_is_missing_is_that_of_the_capture_and_said() {
    let near = zones(None, Some("2026-06-09T06:00:00Z"));
    for text in [
        "06/09-07:15:07.123456  [**] [1:1:1] C2 [**] [Priority: 1] {UDP} 10.0.0.5:5 -> 192.0.2.1:53\n",
        "Jun  9 07:15:07 fw snort[1]: [1:1:1] C2 [Priority: 1] {UDP} 10.0.0.5:5 -> 192.0.2.1:53\n",
        "<134>Jun  9 07:15:07 fw01 dnsfw: src=10.20.0.10 dst=9.9.9.9 domain=evil.com action=block\n",
        "Jun  9 07:15:07 fw01 dnsfw: src=10.20.0.10 dst=9.9.9.9 domain=evil.com action=block\n",
    ] {
        let alerts = read(text, &near);
        assert_eq!(times(&alerts), [WHEN], "{text}");
        assert!(says(&alerts, "have no year: taken from the capture's time"), "{text}");
        let alone = read(text, &zones(None, None));
        assert!(alone.alerts[0].is_time_unread && says(&alone, "had no year"), "{text}");
    }
    let whole = "<134>Jun 09 2026 07:15:07: %FTD src=10.20.0.10 dst=9.9.9.9 domain=evil.com\n";
    assert_eq!(times(&read(whole, &zones(None, None))), [WHEN]);
}
