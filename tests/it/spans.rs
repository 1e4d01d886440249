//! Alerts that are of longer than a moment: of a first and a last time, of a day.

use std::fs;

use serde_json::Value;

use crate::support::{Run, project, whoasked};

fn explain(alerts: &str, format: &str) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.csv");
    fs::write(&path, alerts).unwrap();
    let office = project("captures/office.pcap");
    let (path, office) = (path.to_str().unwrap(), office.to_str().unwrap());
    whoasked(["explain", "-f", format, "--tz", "UTC", "--alerts", path, office])
}

fn answer(alerts: &str) -> Value {
    let run = explain(alerts, "jsonl");
    run.json()
        .into_iter()
        .find(|line| line["type"] == "answer")
        .unwrap_or_else(|| panic!("{run:?}"))
}

fn named(answer: &Value) -> Vec<&str> {
    let clients = answer["clients"].as_array().unwrap().iter();
    clients.map(|client| client["ip"].as_str().unwrap()).collect()
}

const HEAD: &str = "First Seen,Last Seen,Host,Destination,Threat,Count";

#[test]
fn whatever_was_asked_from_the_first_to_the_last_answers_the_alert() {
    let row = |first: &str, last: &str| {
        format!("{HEAD}\n2026-03-02 {first},2026-03-02 {last},192.168.2.194,mi.kenal-cn.com,C2,4\n")
    };
    let all = answer(&row("08:00:00", "14:00:00"));
    assert_eq!(named(&all), ["192.168.2.42", "192.168.2.40"], "{all}");
    assert_eq!(all["until"], "2026-03-02T14:00:00.000000000Z");
    assert_eq!(all["alert"]["until"], "2026-03-02T14:00:00.000000000Z");
    let run = explain(&row("08:00:00", "14:00:00"), "text");
    assert!(!run.stdout.contains("have no seconds"), "{}", run.stdout);
    // Only the first question, and none of them.
    assert_eq!(named(&answer(&row("09:10:00", "09:20:00"))), ["192.168.2.42"]);
    let none = answer(&row("08:00:00", "08:40:00"));
    assert_eq!((named(&none).len(), &none["verdict"]), (0, &Value::Null), "{none}");
    let words = none["nearest"].as_str().unwrap();
    assert!(
        words.contains("but not from 2026-03-02 08:00:00 UTC to 2026-03-02 08:40:00"),
        "{words}"
    );
}

#[test]
fn what_begins_on_another_day_than_it_ends_has_both_dates() {
    let row = "2026-03-01 22:00:00,2026-03-02 14:00:00,192.168.2.194,mi.kenal-cn.com,C2,4";
    let run = explain(&format!("{HEAD}\n{row}\n"), "text");
    let words = "from 2026-03-01 22:00:00 to 2026-03-02 14:00:00, 4 events";
    let plain = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain.contains(words), "{}", run.stdout);
}

#[test]
fn an_alert_of_a_day_is_not_of_another() {
    let row = |day: &str| {
        format!("Date,Host,Destination,Threat\n{day},192.168.2.194,mi.kenal-cn.com,C2\n")
    };
    let other = explain(&row("2026-02-20"), "text");
    assert_eq!(other.code, Some(0), "{other:?}");
    assert!(other.stdout.contains("outside the capture's time"), "{}", other.stdout);
    let same = answer(&row("2026-03-02"));
    assert_eq!(same["clients"][0]["ip"], "192.168.2.42", "{same}");
    assert_eq!(same["until"], "2026-03-02T23:59:59.999999999Z");
}

#[test]
fn an_alert_of_fewer_events_than_lookups_is_surely_nobodys_of_several() {
    let alert = |count: u32| {
        let row = "2026-03-02 08:00:00,2026-03-03 14:00:00,192.168.2.194,www.microsoft.com,C2";
        answer(&format!("{HEAD}\n{row},{count}\n"))
    };
    let sure = |answer: &Value| {
        let clients =
            answer["clients"].as_array().unwrap().iter().filter(|c| c["role"] != "cached");
        clients.map(|client| client["confidence"].as_f64().unwrap()).fold(0.0, f64::max)
    };
    let one = alert(1);
    assert!(named(&one).len() > 1 && sure(&one) <= 0.8, "{one}");
    let notes = one["notes"].to_string();
    assert!(notes.contains("not all of these clients need be behind it"), "{notes}");
    assert!(notes.contains("it does not show who else asked"), "the capture ends before: {notes}");
    assert!(sure(&alert(1_000)) > 0.9);
}
