//! Times that stand for more than a moment: a first and a last, a day without a clock, an hour.

use super::super::*;
use crate::time::{Timestamp, Zone};

fn read_in(text: &str, tz: &str) -> Alerts {
    let captured = Timestamp::from_rfc3339("2026-03-02T08:00:00Z");
    let zones = Zones { alerts: Zone::parse(tz).unwrap(), captured, ..Zones::default() };
    Alerts::read("a.txt", text, None, &zones).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// From when until when its first alert is, to the second.
fn ends(alerts: &Alerts) -> (String, String) {
    let alert = &alerts.alerts[0];
    let said = |time: Option<Timestamp>| time.map_or(String::new(), |t| t.to_string()[..19].into());
    (said(alert.time), said(alert.until))
}

fn of(text: &str) -> (String, String) {
    ends(&read_in(text, "UTC"))
}

fn pair(first: &str, last: &str) -> (String, String) {
    (first.to_owned(), last.to_owned())
}

const HEAD: &str = "Host,Destination,Threat";
const ROW: &str = "192.168.2.194,mi.kenal-cn.com,C2";

#[test]
fn a_first_and_a_last_time_are_one_time_in_whatever_form() {
    for text in [
        format!("First Seen,Last Seen,{HEAD}\n2026-03-02 08:00:00,2026-03-02 14:00:00,{ROW}\n"),
        format!("Start Time,End Time,{HEAD}\n2026-03-02 08:00:00,2026-03-02 14:00:00,{ROW}\n"),
        format!("first_seen,last_seen,timezone,{HEAD}\n2026-03-02 09:00:00,2026-03-02 15:00:00,+0100,{ROW}\n"),
        format!("Start Time (CET),End Time (CET),{HEAD}\n2026-03-02 09:00:00,2026-03-02 15:00:00,{ROW}\n"),
        // The day that it is of is no closer word, nor is when the row was made.
        format!("Date,First Seen,Last Seen,{HEAD}\n2026-03-02,2026-03-02 08:00:00,2026-03-02 14:00:00,{ROW}\n"),
        format!("First Seen,Last Seen,Created,{HEAD}\n2026-03-02 08:00:00,2026-03-02 14:00:00,2026-03-02 18:30:00,{ROW}\n"),
        format!("time,{HEAD}\n2026-03-02 08:00:00 - 14:00:00,{ROW}\n"),
        format!("time,{HEAD}\n2026-03-02T08:00:00Z/2026-03-02T14:00:00Z,{ROW}\n"),
        format!("Date,Time,{HEAD}\n2026-03-02,08:00:00 – 14:00:00,{ROW}\n"),
        "{\"firstSeen\":\"2026-03-02T08:00:00Z\",\"lastSeen\":\"2026-03-02T14:00:00Z\",\"src_ip\":\"192.168.2.194\",\
         \"domain\":\"mi.kenal-cn.com\",\"threat\":\"C2\"}".to_owned(),
        "first_seen=\"2026-03-02 08:00:00\" last_seen=\"2026-03-02 14:00:00\" srcip=192.168.2.194 \
         qname=mi.kenal-cn.com threat=C2".to_owned(),
        "CEF:0|V|P|1|i|C2|8|src=192.168.2.194 dhost=mi.kenal-cn.com cnt=4 start=1772438400000 end=1772460000000 \
         rt=1772460060000".to_owned(),
        "Threat: C2\nSource: 192.168.2.194\nDestination: mi.kenal-cn.com\nFirst Seen: 2026-03-02 08:00:00\n\
         Last Seen: 2026-03-02 14:00:00\n".to_owned(),
    ] {
        let expected = pair("2026-03-02T08:00:00", "2026-03-02T14:00:00");
        assert_eq!(of(&text), expected, "{text}");
    }
    // Numbers that are no times leave what else says when.
    let text = "Mar  2 09:17:42 fw act=deny start=0 end=1500 srcip=192.168.2.194 qname=mi.kenal-cn.com threat=C2";
    assert_eq!(of(text), pair("2026-03-02T09:17:42", ""));
    // A last time without seconds is all of its minute, and one that is the first is a moment.
    let text = format!("First Seen,Last Seen,{HEAD}\n2026-03-02 08:00,2026-03-02 14:00,{ROW}\n");
    assert_eq!(of(&text), pair("2026-03-02T08:00:00", "2026-03-02T14:00:59"));
    let text =
        format!("First Seen,Last Seen,{HEAD}\n2026-03-02 08:00:07,2026-03-02 08:00:07,{ROW}\n");
    assert_eq!(of(&text), pair("2026-03-02T08:00:07", ""));
    let text = format!("First Seen,Last Seen,{HEAD}\n2026-03-02 08:00:07,,{ROW}\n");
    assert_eq!(of(&text), pair("2026-03-02T08:00:07", ""));
}

#[test]
fn what_can_be_no_span_is_said() {
    let says = |text: &str, words: &str| {
        let alerts = read_in(text, "UTC");
        assert!(alerts.notices.iter().any(|n| n.words.contains(words)), "{:?}", alerts.notices);
        ends(&alerts)
    };
    let head = format!("First Seen,Last Seen,{HEAD}");
    let backward = format!("{head}\n2026-03-02 14:00:00,2026-03-02 08:00:00,{ROW}\n");
    let found = says(&backward, "in 1 row the last time is before the first");
    assert_eq!(found, pair("2026-03-02T14:00:00", ""));
    let long = format!("{head}\n2025-09-02 14:00:00,2026-03-02 18:00:00,{ROW}\n");
    let found = says(&long, "the time of 1 alert spans more than a month");
    assert_eq!(found, pair("2025-09-02T14:00:00", "2026-03-02T18:00:00"));
    // Beside the alert's own time they may be those of an indicator.
    let of_a_feed =
        format!("Time,{head}\n2026-03-02 09:17:42,2025-11-02 14:00:00,2026-03-01 08:00:00,{ROW}\n");
    let found = says(&of_a_feed, "besides the alert's own, as in line 2");
    assert_eq!(found, pair("2026-03-02T09:17:42", ""));
    let of_it =
        format!("Time,{head}\n2026-03-02 14:02:42,2026-03-02 09:17:00,2026-03-02 14:00:00,{ROW}\n");
    assert_eq!(of(&of_it), pair("2026-03-02T09:17:00", "2026-03-02T14:00:00"));
}

#[test]
fn a_date_without_a_clock_is_that_day_where_the_alerts_are() {
    let day = |date: &str| format!("Date,{HEAD}\n{date},{ROW}\n");
    for date in ["2026-03-02", "02.03.2026", "2 Mar 2026", "2. März 2026", "20260302", "03/02/2026"]
    {
        assert_eq!(of(&day(date)), pair("2026-03-02T00:00:00", "2026-03-02T23:59:59"), "{date}");
    }
    let berlin = ends(&read_in(&day("2026-03-29"), "Europe/Berlin"));
    assert_eq!(berlin, pair("2026-03-28T23:00:00", "2026-03-29T21:59:59"), "a day of 23 hours");
    let hour = |hour: &str| format!("Date,Hour,{HEAD}\n2026-03-02,{hour},{ROW}\n");
    assert_eq!(of(&hour("9")), pair("2026-03-02T09:00:00", "2026-03-02T09:59:59"));
    assert_eq!(of(&hour("0")), pair("2026-03-02T00:00:00", "2026-03-02T00:59:59"));
    assert_eq!(of(&hour("09:17:42")), pair("2026-03-02T09:17:42", ""));
    assert_eq!(of(&hour("")), pair("2026-03-02T00:00:00", "2026-03-02T23:59:59"));
    let text = format!("Date,{HEAD}\n2026-02-30,{ROW}\n");
    assert!(read_in(&text, "UTC").alerts[0].is_time_unread);
}
