//! The answers to alerts in other forms than the text: the table, tickets, and the text where there are many clients.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{project, whoasked};

fn office() -> PathBuf {
    project("captures/office.pcap")
}

#[test]
fn alerts_come_back_as_a_table_and_each_ticket_names_its_own() {
    let (capture, alerts) = (office(), project("captures/office-alerts.txt"));
    let paths = [&alerts, &capture].map(|path| path.to_str().unwrap());
    let run = whoasked(["explain", "-f", "answers", "--alerts", paths[0], paths[1]]);
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let heading = reader.headers().unwrap().clone();
    let rows: Vec<BTreeMap<String, String>> = reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            heading
                .iter()
                .zip(&row)
                .map(|(name, cell)| (name.to_owned(), cell.to_owned()))
                .collect()
        })
        .collect();
    let run = whoasked(["explain", "-f", "jsonl", "--alerts", paths[0], paths[1]]);
    let of_json: Vec<[String; 4]> = run
        .json()
        .iter()
        .filter(|line| line["type"] == "answer")
        .flat_map(|answer| {
            let row = |client: Option<&Value>| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let number = answer["alert"]["number"].to_string();
                let verdict = answer["verdict"].as_str().unwrap_or("not-answered").to_owned();
                let client = client.map_or([String::new(), String::new()], |client| {
                    [text(&client["ip"]), text(&client["role"])]
                });
                let [ip, role] = client;
                [number, verdict, ip, role]
            };
            match answer["clients"].as_array().unwrap().as_slice() {
                [] => vec![row(None)],
                clients => clients.iter().map(|client| row(Some(client))).collect(),
            }
        })
        .collect();
    let columns = ["alert", "verdict", "client", "role"];
    let of_csv: Vec<[String; 4]> =
        rows.iter().map(|row| columns.map(|column| row[column].clone())).collect();
    assert_eq!(of_csv, of_json);
    let ways = |client: &str| -> Vec<&str> {
        let of_it = rows.iter().filter(|row| row["client"] == client && row["alert"] != "4");
        of_it.map(|row| row["way"].as_str()).collect()
    };
    assert_eq!(ways("192.168.2.42"), ["itself"; 4]);
    assert_eq!(ways("192.168.2.40"), ["cache"; 3]);
    let connected = rows.iter().filter(|row| !row["connected_time"].is_empty());
    assert!(
        connected.clone().count() > 0
            && connected.clone().all(|row| row["client"] != "192.168.2.40")
    );

    let tickets = whoasked(["explain", "--ticket", "--alerts", paths[0], paths[1]]).stdout;
    assert!(
        tickets.starts_with(
            "Client 192.168.2.42 (KEVIN-PC) asked for mi.kenal-cn.com and connected\n"
        )
    );
    assert!(tickets.contains("  - Alert 1, line 6, C2/Generic-A, mi.kenal-cn.com, blamed on\n    192.168.2.194, 2 events: certain (99.5 %)\n"), "{tickets}");
    assert_eq!(
        tickets.matches("The firewall alerts it is named for").count(),
        tickets.matches("\nWho\n").count()
    );
    let read = whoasked(["read", paths[1], "-i", "mi.kenal-cn.com", "-f", "answers"]);
    assert_eq!(read.code, Some(2));
}

#[test]
fn who_asked_at_other_times_than_the_alerts_has_a_ticket_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let alerts = folder.path().join("alerts.csv");
    let row = "time,host,destination\n2026-03-02T09:17:42Z,192.168.2.194,mi.kenal-cn.com\n";
    fs::write(&alerts, row).unwrap();
    let (alerts, capture) = (alerts.display().to_string(), office().display().to_string());
    let ticket = |option: &str| whoasked(["explain", option, "--alerts", &alerts, &capture]).stdout;
    let all = ticket("--ticket");
    assert_eq!(all.matches("\nWho\n").count(), 1, "{all}");
    assert!(all.starts_with("Client 192.168.2.42"), "{all}");
    assert!(all.contains("No ticket of 1 client that asked"), "{all}");
    let other = ticket("--ticket=192.168.2.40");
    assert!(other.contains("None: it asked at other times."), "{other}");
}

#[test]
fn many_clients_stand_in_a_whole_table_and_only_the_first_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("names.txt");
    let capture = project("captures/office.pcap");
    // Whatever the office asks for, so that all its clients are named.
    fs::write(&list, "com\nnet\nde\norg\n").unwrap();
    let run = whoasked(["read", capture.to_str().unwrap(), "-i", list.to_str().unwrap()]);
    let text = run.stdout;
    let (table, rest) = text.split_once("Who is behind it").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("192.168.2.")).count();
    let shown = rest.matches("\n\n192.168.2.").count();
    assert!(rows > 24 && shown == 20, "{rows} {shown}");
    assert!(rest.contains("only in the table. For all details, use --ticket=ADDRESS"), "{rest}");
}

/// The answers to alerts with these rows, below `time,host,destination`.
fn answered(rows: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let alerts = folder.path().join("alerts.csv");
    fs::write(&alerts, format!("time,host,destination\n{rows}")).unwrap();
    let (alerts, capture) = (alerts.display().to_string(), office().display().to_string());
    let run = whoasked(["explain", "-f", "jsonl", "--tz", "UTC", "--alerts", &alerts, &capture]);
    run.json().into_iter().filter(|line| line["type"] == "answer").collect()
}

fn named(answer: &Value) -> Vec<(&str, f64)> {
    let clients = answer["clients"].as_array().unwrap().iter();
    clients
        .map(|client| (client["ip"].as_str().unwrap(), client["confidence"].as_f64().unwrap()))
        .collect()
}

#[test]
fn a_zone_is_told_of_times_without_seconds_too() {
    let rows = ["09:31", "09:40", "10:17", "11:05", "12:17", "14:17"];
    let names = ["e13678.dspb.akamaiedge.net", "mi.kenal-cn.com", "x1.ad-sync.net"];
    let rows: String = [0, 0, 1, 2, 1, 1]
        .iter()
        .zip(rows)
        .map(|(name, time)| format!("2026-03-02 {time},192.168.2.194,{}\n", names[*name]))
        .collect();
    let (text, page, ..) = all_forms(&format!("time,host,destination\n{rows}"));
    for form in [text, page] {
        let form = form.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            form.contains(
                "(6 of 6) fit if their times are in another zone: run it again with --tz +01:00."
            ),
            "{form}"
        );
        assert!(!form.contains("The difference cannot be determined"), "{form}");
    }
}

#[test]
fn of_several_zones_that_is_told_in_which_several_destinations_fit() {
    // What Kevin's machine asks for every two hours fits in others as well.
    let rows = [
        ("10:17:43", "mi.kenal-cn.com"),
        ("12:17:43", "mi.kenal-cn.com"),
        ("16:48:13", "192.55.83.30"),
        ("15:20:00", "e13678.dspb.akamaiedge.net"),
    ];
    let rows = rows.map(|(time, name)| format!("2026-03-02 {time},192.168.2.194,{name}\n"));
    let (text, ..) = all_forms(&format!("time,host,destination\n{}", rows.concat()));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "(3 of 4) fit if their times are in another zone: run it again with --tz +01:00.";
    assert!(text.contains(told), "{text}");
}

#[test]
fn a_time_without_seconds_is_all_of_its_minute() {
    let rows = ["09:17", "11:17", "13:17", "13:16", "13:19"]
        .map(|minute| format!("2026-03-02 {minute},192.168.2.194,mi.kenal-cn.com\n"));
    let all = answered(&rows.concat());
    for answer in &all[..3] {
        assert_eq!(named(answer), [("192.168.2.42", 0.995)], "{answer}");
        assert_eq!(answer["clock"]["estimated"], false);
    }
    // The minutes beside it: it may be she, if the clocks differ.
    assert_eq!(named(&all[3]), [("192.168.2.42", 0.9)], "{}", all[3]);
    assert!(all[3]["notes"].to_string().contains("if the firewall's clock is off by that much"));
}

#[test]
fn an_alert_on_a_client_that_did_not_ask_names_nobody_else() {
    let rows = "2026-03-02T09:17:44Z,192.168.2.33,203.0.113.67\n\
                2026-03-02T09:17:44Z,ANNA-PC,203.0.113.67\n\
                2026-03-02T09:17:44Z,anna-pc.firma.de,mi.kenal-cn.com\n";
    for answer in answered(rows) {
        assert_eq!((named(&answer), &answer["verdict"]), (vec![], &Value::Null), "{answer}");
        let nearest = answer["nearest"].as_str().unwrap();
        assert!(nearest.contains("was not seen to ask for it; others did"), "{answer}");
        assert!(answer["notes"].to_string().contains("the alert blames"), "{answer}");
    }
    // Who did is named, whatever it is called; and of an address or a name that is nobody's here all that was seen counts.
    let rows = "2026-03-02T09:17:44Z,192.168.2.42,203.0.113.67\n\
                2026-03-02T09:17:44Z,KEVIN-PC.firma.de,203.0.113.67\n\
                2026-03-02T09:17:44Z,10.9.9.9,mi.kenal-cn.com\n\
                2026-03-02T09:17:44Z,SRV-DC,mi.kenal-cn.com\n";
    for answer in answered(rows) {
        assert_eq!(named(&answer), [("192.168.2.42", 0.995)], "{answer}");
    }
}

#[test]
fn a_line_of_an_answer_has_the_ids_of_its_own_client() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let capture = office().display().to_string();
    fs::write(path("alerts.txt"), "mi.kenal-cn.com\n").unwrap();
    let [answers, csv] = ["answers", "csv"].map(|form| format!("{form}={}", path(form)));
    whoasked(["explain", "--alerts", &path("alerts.txt"), &capture, "-o", &answers, "-o", &csv]);
    let read = |name: &str| fs::read_to_string(path(name)).unwrap();
    let [answers, rows] = [read("answers"), read("csv")];
    for client in ["192.168.2.42", "192.168.2.40"] {
        let line = answers.lines().find(|line| line.contains(client)).unwrap();
        assert_eq!(
            line.rsplit(',').nth(2),
            Some(if client.ends_with("42") { "act" } else { "look" })
        );
        let ids: Vec<&str> = line.rsplit(',').nth(3).unwrap().split(' ').collect();
        for id in &ids {
            let of_id = |row: &&str| row.split(',').any(|cell| cell == *id);
            assert!(rows.lines().filter(of_id).any(|row| row.contains(client)), "{client}: {id}");
        }
        assert!(!ids.is_empty());
    }
}

/// The frames of a capture, but for those within some seconds from its beginning.
fn without(capture: &[u8], (from, to): (u32, u32)) -> Vec<u8> {
    let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    let (mut kept, mut at) = (capture[..24].to_vec(), 24);
    let began = word(24);
    while at < capture.len() {
        let end = at + 16 + word(at + 8) as usize;
        if !(from..to).contains(&(word(at) - began)) {
            kept.extend_from_slice(&capture[at..end]);
        }
        at = end;
    }
    kept
}

#[test]
fn an_alert_from_a_hole_in_the_capture_is_not_answered_by_what_was_asked_at_other_times() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    // From an hour after it began on, for an hour and a half.
    let whole = fs::read(office()).unwrap();
    fs::write(path("hole.pcap"), without(&whole, (3_600, 9_000))).unwrap();
    // By a clock two hours off it would be what was asked for at 11:17:42: a guess, and the hole is none.
    let rows = "time,host,destination\n2026-03-02 09:17:42,192.168.2.194,mi.kenal-cn.com\n\
                2026-03-02T11:17:42Z,192.168.2.12,mi.kenal-cn.com\n\
                2026-03-02T12:00:00Z,192.168.2.194,mi.kenal-cn.com\n";
    fs::write(path("alerts.csv"), rows).unwrap();
    let told = |form: &str| {
        whoasked([
            "explain",
            "-f",
            form,
            "--tz",
            "UTC",
            "--alerts",
            &path("alerts.csv"),
            &path("hole.pcap"),
        ])
    };
    let lines = told("jsonl").json();
    let answers: Vec<&Value> = lines.iter().filter(|line| line["type"] == "answer").collect();
    assert_eq!(answers[0]["reason"], "the alert is outside the capture's time");
    assert!(
        answers[0]["nearest"].as_str().unwrap().starts_with("the capture has no DNS packet from")
    );
    assert_eq!(named(answers[1]), [("192.168.2.42", 0.995)]);
    assert_eq!(answers[2]["reason"], "asked for, but not at that time");
    let text = told("text").stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("1 of 3 alerts is from a time for which the capture has no DNS packet"),
        "{text}"
    );
    assert!(text.contains("No DNS packet from 2026-03-02, 08:"), "{text}");
    assert!(!text.contains("--tz"), "{text}");
}

#[test]
fn of_many_alerts_who_is_behind_them_comes_first() {
    let nobody = |n: u32| format!("2026-03-02T08:30:{n:02}Z,192.168.2.194,none{n}.example,C2\n");
    let rows: String = (10..30).map(nobody).collect();
    let row = "2026-03-02T09:17:42Z,192.168.2.194,mi.kenal-cn.com,C2\n";
    let (text, ..) = all_forms(&format!("time,host,destination,threat\n{rows}{row}"));
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    let (glance, alerts) = (place("At a glance"), place("Alert by alert"));
    let row = place("192.168.2.42 KEVIN-PC");
    assert!(glance < row && row < alerts, "{text}");
    assert!(place("Alert 21:") < place("Alert 1:") && alerts < place("Alert 21:"));
}

#[test]
fn rows_that_are_none_are_not_counted_as_unread() {
    let row = "2026-03-02T09:17:42Z,192.168.2.194,mi.kenal-cn.com,C2\n";
    let text = format!(
        "time,host,destination,threat\n{row},,,\ntime,host,destination,threat\nPage 2 of 3\n{row}Total,,,2\n"
    );
    let (text, page, ticket, _) = all_forms(&text);
    for form in [&text, &page, &ticket] {
        assert!(!form.contains("not read"), "{form}");
    }
    let cut = format!("time,host,destination,threat\n{row}2026-03-02T09:17:43Z,,,\n");
    let (text, page, ..) = all_forms(&cut);
    for form in [&text, &page] {
        let form = form.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(form.contains("1 more row was not read and has no answer; see the end"), "{form}");
    }
}

#[test]
fn of_an_alert_whose_time_is_not_known_none_of_several_is_certain() {
    let [answer] =
        answered("some day,192.168.2.194,e13678.dspb.akamaiedge.net\n").try_into().unwrap();
    let named = named(&answer);
    assert!(named.len() > 1 && named.iter().all(|(_, sure)| *sure <= 0.8), "{named:?}");
    let [answer] = answered(",192.168.2.194,e13678.dspb.akamaiedge.net\n").try_into().unwrap();
    assert!(self::named(&answer).iter().all(|(_, sure)| *sure <= 0.8), "{answer}");
    assert!(answer["notes"].to_string().contains("than the alert has events"), "{answer}");
}

#[test]
fn what_stands_in_two_files_is_listed_in_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, other) =
        (file("one.txt", "mi.kenal-cn.com\n"), file("other.txt", "\nx1.ad-sync.net\n"));
    let capture = office();
    let capture = capture.to_str().unwrap();
    let run =
        whoasked(["explain", "-f", "jsonl", "--alerts", &one, "--alerts", &other, capture]).json();
    let listed: BTreeMap<&str, (&str, i64)> = run
        .iter()
        .filter(|line| line["type"] == "attribution")
        .map(|line| {
            let indicator = &line["indicator"];
            let value = indicator["value"].as_str().unwrap();
            (value, (indicator["list"].as_str().unwrap(), indicator["line"].as_i64().unwrap()))
        })
        .collect();
    let expected = [("mi.kenal-cn.com", ("one.txt", 1)), ("x1.ad-sync.net", ("other.txt", 2))];
    assert_eq!(listed, BTreeMap::from(expected));
}

#[test]
fn a_ticket_of_a_flagged_address_says_what_was_asked_for_and_whether_it_went_there() {
    let ticket = |address: &str| {
        let run = whoasked(["explain", "--ticket", address, office().to_str().unwrap()]);
        run.stdout.split("\n\n").next().unwrap_or_default().replace('\n', " ")
    };
    assert_eq!(
        ticket("203.0.113.67"),
        "Client 192.168.2.42 (KEVIN-PC) asked for mi.kenal-cn.com, and connected to the flagged address 203.0.113.67"
    );
    assert_eq!(
        ticket("192.55.83.30"),
        "Perhaps a false alarm: Client 192.168.2.55 (PETRA-PC) asked for www.lunchbox-catering.com, about which the \
         flagged name server 192.55.83.30 was asked"
    );
}

#[test]
fn who_asked_at_other_times_is_weighed_alike_in_the_table_and_on_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let (alerts, page) = (folder.path().join("alerts.csv"), folder.path().join("page.html"));
    let row = "time,host,destination\n2026-03-02T09:17:42Z,192.168.2.194,mi.kenal-cn.com\n";
    fs::write(&alerts, row).unwrap();
    let [alerts, page, capture] =
        [&alerts, &page, &office()].map(|path| path.display().to_string());
    let run = whoasked(["explain", "--report", &page, "--alerts", &alerts, &capture]);
    let row = |client: &str| {
        let of_it = |line: &&str| line.starts_with(&format!("{client}  "));
        run.stdout.lines().find(of_it).unwrap_or_default().to_owned()
    };
    assert!(row("192.168.2.42").ends_with("act on it"), "{}", run.stdout);
    assert!(row("192.168.2.40").ends_with("other times"), "{}", run.stdout);
    let page = fs::read_to_string(&page).unwrap();
    assert_eq!(page.matches("Not at the alert&#39;s time</p>").count(), 1, "{page}");
}

#[test]
fn alerts_of_another_day_are_said_once_on_top_and_each_in_short() {
    let folder = tempfile::tempdir().unwrap();
    let (alerts, page) = (folder.path().join("alerts.csv"), folder.path().join("page.html"));
    let mut text =
        "time,host,destination\n2026-03-02T09:17:42Z,192.168.2.194,mi.kenal-cn.com\n".to_owned();
    for (minute, name) in
        ["mi.kenal-cn.com", "x1.ad-sync.net", "cdn.kenal-cn.com"].iter().enumerate()
    {
        text += &format!("2026-03-03T10:{minute:02}:00Z,192.168.2.194,{name}\n");
    }
    let [alerts_path, page_path] = [&alerts, &page].map(|path| path.display().to_string());
    let explain = |text: &str| {
        fs::write(&alerts, text).unwrap();
        let capture = office().display().to_string();
        whoasked(["explain", "--report", &page_path, "--alerts", &alerts_path, &capture]).stdout
    };
    let said = explain(&text);
    let told = "3 of 4 alerts are of 2026-03-03; the capture covers 2026-03-02, 08:00:02 to 16:59:25 UTC, so they \
                cannot be matched.";
    let plain = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        plain.starts_with(&format!(
            "At the alerts' times: act on 192.168.2.42 (KEVIN-PC). 3 alerts are outside the capture's time. At \
             other times also: 192.168.2.40 (JUDITH-PC) and 192.168.2.49 (MIRIAM-PC). {told}"
        )),
        "{said}"
    );
    assert_eq!(said.matches("→ outside the capture's time").count(), 3, "{said}");
    assert!(!said.contains("nearest "), "{said}");
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.contains(&told.replace('\'', "&#39;")), "{page}");
    let several = explain(&text.replace("2026-03-03T10:02", "2026-03-05T10:02"));
    assert!(several.contains("3 of 4 alerts are of 2026-03-03 to 2026-03-05;"), "{several}");
    let same = explain(&text.replace("2026-03-03T10:0", "2026-03-02T18:0"));
    assert!(same.contains("alerts are of 18:00:00 to 18:02:00 UTC; the capture covers"), "{same}");
    let all = explain(&text.replace("2026-03-02T09", "2026-03-03T09"));
    assert!(all.contains("All 4 alerts are of 2026-03-03;"), "{all}");
    // Of one alone the answer says it.
    let one = explain("time,host,destination\n2026-03-03T10:00:00Z,192.168.2.194,x1.ad-sync.net\n");
    assert!(one.contains("the capture covers") && !one.contains("cannot be matched"), "{one}");
}

/// What is said of alerts as text, with its lines joined, then as a page, as CSV and as JSON lines.
fn all_forms(alerts: &str) -> (String, String, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let capture = office().display().to_string();
    fs::write(path("alerts.csv"), alerts).unwrap();
    let [csv, lines] = ["answers", "jsonl"].map(|form| format!("{form}={}", path(form)));
    let (alerts, page) = (path("alerts.csv"), path("page.html"));
    let run = whoasked([
        "explain", "--alerts", &alerts, &capture, "--report", &page, "-o", &csv, "-o", &lines,
        "--tz", "UTC",
    ]);
    let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let read = |name: &str| fs::read_to_string(path(name)).unwrap();
    (text, read("page.html"), read("answers"), read("jsonl"))
}

#[test]
fn rows_that_were_not_read_are_counted_on_top_of_every_form() {
    let row = "2026-03-02T09:17:42Z,192.168.2.194,mi.kenal-cn.com\n";
    let (text, page, csv, lines) = all_forms(&format!(
        "time,host,destination\n{row}2026-03-02T09:17:42Z,192.168.2.194,?\n{row}2026-03-02T09:17:42Z,192.168.2.194\n"
    ));
    let said = "2 more rows were not read and have no answer; see the end.";
    let who = "At the alerts' times: act on 192.168.2.42 (KEVIN-PC). At other times also: 192.168.2.40 (JUDITH-PC).";
    assert!(text.starts_with(&format!("{who} {said}")), "{text}");
    assert!(text.ends_with(said), "terminals show the end: {text}");
    let heading = page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap();
    assert!(heading.ends_with(said), "{heading}");
    let rows: Vec<&str> = csv.lines().filter(|row| row.contains(",not-read,")).collect();
    assert_eq!(rows.len(), 2, "{csv}");
    assert!(rows[0].starts_with(",alerts.csv,3,,,,,,not-read,"), "{csv}");
    let coverage = lines.lines().find(|line| line.contains("\"type\":\"coverage\"")).unwrap();
    assert!(coverage.contains("\"alerts_rows_unread\":2"), "{coverage}");
    let (text, ..) = all_forms(&format!("time,host,destination\n{row}"));
    assert!(!text.contains("not read"), "{text}");
}

#[test]
fn a_ticket_says_that_rows_were_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let alerts = folder.path().join("alerts.csv");
    fs::write(&alerts, "host,destination\n192.168.2.194,mi.kenal-cn.com\n192.168.2.194,?\n")
        .unwrap();
    let (alerts, capture) = (alerts.display().to_string(), office().display().to_string());
    let ticket =
        whoasked(["explain", "--ticket=192.168.2.42", "--alerts", &alerts, &capture]).stdout;
    let ticket = ticket.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(ticket.contains("1 more alert row was not read: whether it is behind"), "{ticket}");
}

#[test]
fn times_that_could_not_be_read_are_not_said_to_be_missing() {
    let (text, page, ..) = all_forms(
        "time,host,destination\n2026-03-02 04:17:42 EST,192.168.2.194,mi.kenal-cn.com\n\
         2026-03-02 08:17:42 EST,192.168.2.194,mi.kenal-cn.com\n",
    );
    for words in [
        "times could not be read, so anything asked for in the capture",
        "in line 2: \"2026-03-02 04:17:42 EST\" (name the zone with --tz",
    ] {
        assert!(text.contains(words), "{words}: {text}");
        let words = words.replace('"', "&#34;");
        assert!(page.contains(&words), "{words}: {page}");
    }
    assert!(!text.contains("have no times") && !page.contains("have no times"), "{text}");
    let (text, ..) = all_forms(
        "time,host,destination\nsoon,192.168.2.194,mi.kenal-cn.com\n2026-03-02T09:17:42Z,192.168.2.194,mi.kenal-cn.com\n",
    );
    assert!(text.contains("The time of 1 alert could not be read"), "{text}");
    assert!(text.contains("in line 2: \"soon\""), "{text}");
}

#[test]
fn alerts_of_another_day_are_called_so_in_every_form() {
    let row = |day: u32| format!("2026-03-{day:02}T09:17:42Z,192.168.2.194,mi.kenal-cn.com\n");
    let (text, page, csv, lines) =
        all_forms(&format!("time,host,destination\n{}{}", row(5), row(2)));
    assert!(text.contains("1 alert is outside the capture's time"), "{text}");
    assert!(
        page.contains("Outside the capture&#39;s time")
            || page.contains("Outside the capture's time"),
        "{page}"
    );
    let heading = page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap();
    assert!(heading.contains("1 alert is outside the capture&#39;s time"), "{heading}");
    assert_eq!(csv.lines().filter(|row| row.contains(",not-captured,")).count(), 1, "{csv}");
    let answer = lines.lines().find(|line| line.contains("\"type\":\"answer\"")).unwrap();
    assert!(
        answer.contains("\"verdict\":null,\"reason\":\"the alert is outside the capture's time\""),
        "{answer}"
    );
    let (text, ..) = all_forms(&format!("time,host,destination\n{}", row(5)));
    assert!(
        text.starts_with("The alert on mi.kenal-cn.com is outside the capture's time."),
        "{text}"
    );
}
