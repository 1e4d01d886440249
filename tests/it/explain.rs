//! `whoasked explain` from end to end: a pasted table, each form of alerts, a clock that is off, one
//! question.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Run, program, project, whoasked};

/// The eight alerts of tests/data/alerts, each with who is behind it.
const CLIENTS: [&[&str]; 8] = [
    &["192.168.2.42"],
    &["192.168.2.49"],
    &[],
    &["192.168.2.42"],
    &["192.168.2.58"],
    &[],
    &["192.168.2.48"],
    &["192.168.2.55"],
];
const VERDICTS: [Option<&str>; 8] = [
    Some("attributed"),
    Some("attributed"),
    Some("no-client"),
    Some("attributed"),
    Some("attributed"),
    None,
    Some("attributed"),
    Some("attributed"),
];

fn office() -> PathBuf {
    project("captures/office.pcap")
}

fn sample(name: &str) -> PathBuf {
    project("tests/data/alerts").join(name)
}

/// `whoasked explain --format jsonl` on the office capture.
fn explain(alerts: &Path, more: &[&str]) -> Run {
    let mut arguments = vec!["explain".into(), "--format".into(), "jsonl".into()];
    arguments.extend(["--alerts".into(), alerts.as_os_str().to_owned()]);
    arguments.push(office().into_os_string());
    arguments.extend(more.iter().map(Into::into));
    whoasked(arguments)
}

fn answers(run: &Run) -> Vec<Value> {
    run.json().into_iter().filter(|line| line["type"] == "answer").collect()
}

fn clients(answer: &Value) -> Vec<String> {
    let clients = answer["clients"].as_array().unwrap().iter();
    clients.map(|client| client["ip"].as_str().unwrap().to_owned()).collect()
}

fn check(name: &str, run: &Run) {
    let answers = answers(run);
    assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
    let found: Vec<_> = answers.iter().map(clients).collect();
    assert_eq!(found, CLIENTS, "{name}");
    let verdicts: Vec<_> = answers.iter().map(|answer| answer["verdict"].as_str()).collect();
    assert_eq!(verdicts, VERDICTS, "{name}");
}

#[test]
fn the_offices_table_is_answered_as_its_truth_says() {
    let run = explain(&project("captures/office-alerts.txt"), &[]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    let answers = answers(&run);
    let found: Vec<Vec<String>> = answers.iter().map(clients).collect();
    let expected: [&[&str]; 10] = [
        // judith got it from the cache: she asked for it, but it was kevin who made the server ask.
        &["192.168.2.42", "192.168.2.40"],
        &["192.168.2.42"],
        &["192.168.2.58"],
        // In the order of time, all being certain.
        &["192.168.2.30", "192.168.2.32", "192.168.2.63", "192.168.2.48"],
        &["192.168.2.42", "192.168.2.40"],
        &["192.168.2.49"],
        &[],
        &["192.168.2.55"],
        &["192.168.2.42", "192.168.2.40"],
        &[],
    ];
    for ((answer, found), expected) in answers.iter().zip(&found).zip(expected) {
        assert_eq!(found, expected, "{answer:#}");
    }
    assert_eq!(answers.len(), expected.len());
    assert_eq!(answers[6]["verdict"], "no-client");
    let note = answers[3]["notes"][0].as_str().unwrap();
    assert!(note.contains("DNS_Server is a name that the firewall uses"), "{note}");
    assert_eq!(answers[3]["alert"]["events"], 1_473);
    let nothing = &answers[9];
    assert!(nothing["verdict"].is_null() && nothing["reason"].is_string(), "{nothing:#}");
    let nearest = nothing["nearest"].as_str().unwrap();
    assert!(nearest.contains("mi.kenal-cn.com") && nearest.contains("kenal-cn.com"), "{nearest}");
    for answer in answers.iter().filter(|answer| answer["verdict"] == "attributed") {
        let ids = answer["attributions"].as_array().unwrap();
        let known = run.json();
        let attribution = |id: &Value| known.iter().any(|line| line["id"] == *id);
        assert!(!ids.is_empty() && ids.iter().all(attribution), "{answer:#}");
    }
}

#[test]
fn the_text_answers_first_and_alike_alerts_together() {
    let table = project("captures/office-alerts.txt");
    let run = whoasked([
        "explain".as_ref(),
        "--alerts".as_ref(),
        table.as_os_str(),
        office().as_os_str(),
    ]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let text = run.stdout;
    let first =
        "10 alerts: act on 192.168.2.42 (KEVIN-PC); look at 192.168.2.40 (JUDITH-PC);\n7 others,";
    assert!(text.starts_with(first), "{text}");
    let first =
        text.lines().position(|line| line.starts_with("Alerts 1, 5 and 9: C2/Generic-A, mi."));
    let table = text.lines().position(|line| line.starts_with("client "));
    assert!(first.unwrap() < table.unwrap(), "{text}");
    assert!(
        text.contains("192.168.2.42 (KEVIN-PC), certain (99.5 %): asked for mi.kenal-cn.com"),
        "{text}"
    );
}

#[test]
fn the_same_alerts_in_every_form_have_the_same_answers() {
    for name in [
        "utm.log",
        "sfos.log",
        "fortigate.log",
        "palo-alto.csv",
        "palo-alto-syslog.csv",
        "eve.json",
        "cef.log",
        "fast.log",
        "columns.csv",
        "columns-comma.csv",
        "splunk.json",
        "elastic.json",
        "zeek-intel.log",
        "firepower.log",
        "snort-full.log",
    ] {
        let run = explain(&sample(name), &[]);
        check(name, &run);
        let answers = answers(&run);
        let clock = &answers[0]["clock"];
        assert_eq!(clock["estimated"], true, "{name}");
        assert!(clock["difference_ms"].as_i64().unwrap().abs() < 1_500, "{name}: {clock}");
    }
}

/// Alerts whose lines begin with their times, by a clock that is so many seconds ahead.
fn shifted(text: &str, ahead: i64) -> String {
    let line = |line: &str| {
        let Some((time, rest)) = line.split_once(',').filter(|(time, _)| time.ends_with('Z'))
        else {
            return line.to_owned();
        };
        let time: jiff::Timestamp = time.parse().unwrap();
        format!("{},{rest}", time.as_second() + ahead)
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_clock_that_is_off_is_found_out_from_the_alerts() {
    let text = fs::read_to_string(sample("columns-comma.csv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("off.csv");
    for off in [-3_593i64, 7, 7_200, 43_200 - 31] {
        fs::write(&path, shifted(&text, off)).unwrap();
        let run = explain(&path, &[]);
        check(&format!("{off} s"), &run);
        let answers = answers(&run);
        let clock = &answers[0]["clock"];
        let found = clock["difference_ms"].as_i64().unwrap();
        assert!((found + off * 1000).abs() < 1_500, "{off} s: {clock}");
        assert_eq!(
            (clock["agreeing"].clone(), clock["estimated"].clone()),
            (7.into(), true.into())
        );
    }
}

#[test]
fn the_zone_of_local_times_is_taken_from_the_command_line() {
    let run = explain(&sample("utm.log"), &["--tz", "+01:00"]);
    check("--tz +01:00, which is wrong, and found to be", &run);
    assert_eq!(answers(&run)[0]["alert"]["time"], "2026-03-02T08:17:42.000000000Z");
    assert!(!run.stderr.contains("--tz"), "{}", run.stderr);
    let unsaid = explain(&sample("utm.log"), &[]);
    assert!(unsaid.stderr.contains("read as UTC, this machine's"), "{}", unsaid.stderr);
    let wrong = explain(&sample("utm.log"), &["--tz", "Europe/Atlantis"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("`Europe/Atlantis` is not a time zone"), "{}", wrong.stderr);
}

#[test]
fn an_alert_of_another_time_is_not_answered_by_what_was_seen_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evening.csv");
    fs::write(&path, "time,host,domain\n2026-03-02T19:12:00Z,192.168.2.194,mi.kenal-cn.com\n")
        .unwrap();
    let run = explain(&path, &[]);
    assert_eq!(run.code, Some(0), "nothing is answered: {}", run.stdout);
    let answer = &answers(&run)[0];
    assert!(answer["verdict"].is_null(), "{answer:#}");
    let nearest = answer["nearest"].as_str().unwrap();
    for words in [
        "the capture covers 2026-03-02 08:00",
        "the alert's time is 2026-03-02 19:12:00 UTC",
        "13:18:01",
    ] {
        assert!(nearest.contains(words), "{nearest}");
    }
    fs::write(&path, "host,domain\n192.168.2.12,x1.ad-sync.net\n203.0.113.2,x1.ad-sync.net\n")
        .unwrap();
    let answers = answers(&explain(&path, &[]));
    assert!(answers[0]["nearest"].as_str().unwrap().contains("192.168.2.194"), "{:#}", answers[0]);
    assert_eq!(clients(&answers[1]), ["192.168.2.49"], "behind address translation");
    assert!(answers[1]["notes"][0].as_str().unwrap().contains("203.0.113.2 is not a DNS server"));
}

/// `whoasked explain` of one alert at a machine in a zone, by its log line's time.
fn at_a_machine_in(zone: &str, form: &str, time: &str, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alert.log");
    let line = format!(
        "{time} utm afcd[4711]: name=\"Packet dropped (ATP)\" srcip=\"192.168.2.194\" \
         dstip=\"203.0.113.66\" threatname=\"C2/Generic-A\" host=\"mi.kenal-cn.com\" action=\"drop\"\n"
    );
    fs::write(&path, line).unwrap();
    let mut command = program();
    command.env("TZ", zone).args(["explain", "--format", form, "--alerts"]).arg(&path);
    command.arg(office()).args(more).output().unwrap().into()
}

#[test]
fn a_time_without_a_zone_is_of_this_machines() {
    let run = at_a_machine_in("Europe/Berlin", "text", "2026:03:02-10:17:42", &[]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(
        run.stdout.starts_with("At the alert's time: act on 192.168.2.42 (KEVIN-PC)."),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("2026-03-02, 09:00:02 to 17:59:25 Europe/Berlin"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("read as Europe/Berlin (UTC+1), this machine's"), "{}", run.stderr);
    // In which form the answer is written makes no difference to when the alert was.
    let run = at_a_machine_in("Europe/Berlin", "jsonl", "2026:03:02-10:17:42", &[]);
    assert_eq!(answers(&run)[0]["time"], "2026-03-02T09:17:42.000000000Z");
    assert_eq!(clients(&answers(&run)[0]), ["192.168.2.42"]);
    // What is said of the zone comes first.
    let run = at_a_machine_in("Asia/Tokyo", "jsonl", "2026:03:02-10:17:42", &["--tz", "+01:00"]);
    assert_eq!(answers(&run)[0]["time"], "2026-03-02T09:17:42.000000000Z");
    assert_eq!(run.stderr, "");
}

#[test]
fn a_time_that_fits_only_in_another_zone_names_nobody_but_the_flag_to_give() {
    let run = at_a_machine_in("America/New_York", "text", "2026:03:02-13:17:42", &[]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "mi.kenal-cn.com was asked for, but not at that time.",
        "but not at 2026-03-02 13:17:42 UTC-5",
        "it would match with --tz UTC (2026-03-02 08:17:43 UTC-5)",
    ] {
        assert!(words.contains(said), "{said}: {}", run.stdout);
    }
    let followed =
        at_a_machine_in("America/New_York", "text", "2026:03:02-13:17:42", &["--tz", "UTC"]);
    assert!(
        followed.stdout.starts_with("At the alert's time: act on 192.168.2.42 (KEVIN-PC)."),
        "{followed:?}"
    );
    // A time that names its zone is never another's.
    let zoned = at_a_machine_in("Europe/Berlin", "text", "2026-03-02T10:17:42Z", &[]);
    assert_eq!(zoned.code, Some(0), "{}", zoned.stdout);
    assert!(!zoned.stdout.contains("--tz"), "{}", zoned.stdout);
}

#[test]
fn that_others_would_be_named_in_another_zone_is_said_unless_the_zone_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alert.csv");
    fs::write(&path, "time,host,domain\n2026-03-02 08:27:30,192.168.2.194,www.example.org\n")
        .unwrap();
    let assumed = &answers(&explain(&path, &[]))[0];
    assert_eq!(clients(assumed), ["192.168.2.47"]);
    let notes = assumed["notes"].to_string();
    assert!(notes.contains("others with --tz -07:00 (2026-03-02 15:27:31 UTC)"), "{notes}");
    let said = &answers(&explain(&path, &["--tz", "UTC"]))[0];
    assert_eq!((clients(said), said["notes"].to_string()), (clients(assumed), "[]".to_owned()));
}

#[test]
fn the_headline_does_not_contradict_what_follows() {
    let run = at_a_machine_in("UTC", "text", "2026:03:02-09:17:42", &[]);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let last = "At the alert's time: act on 192.168.2.42 (KEVIN-PC). At other times also: 192.168.2.40 (JUDITH-PC).";
    assert!(words.ends_with(last), "{words}");
    let run = at_a_machine_in("UTC", "text", "2026:03:02-09:40:00", &[]);
    assert!(!run.stdout.contains("behind what was flagged"), "{}", run.stdout);
    assert!(run.stdout.starts_with("mi.kenal-cn.com was asked for, but not at that"), "{run:?}");
}

#[test]
fn one_question_needs_no_list_and_no_order() {
    let office = office();
    for arguments in [
        ["mi.kenal-cn.com", office.to_str().unwrap()],
        [office.to_str().unwrap(), "mi.kenal-cn.com"],
    ] {
        let run = whoasked(["explain", "--format", "jsonl"].into_iter().chain(arguments));
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
        let answers = answers(&run);
        assert_eq!(answers.len(), 1);
        assert_eq!(clients(&answers[0]), ["192.168.2.42", "192.168.2.40"]);
    }
    for (question, expected) in [
        ("104.31.83.243", "192.168.2.58"),
        ("hxxp://x1.ad-sync[.]net/a", "192.168.2.49"),
        ("kenal-cn.com", "192.168.2.42"),
    ] {
        let run = whoasked(["explain", "--format", "jsonl", question, office.to_str().unwrap()]);
        assert_eq!(clients(&answers(&run)[0]).first().unwrap(), expected, "{question}: {run:?}");
    }
    let below = whoasked(["explain", "kenal-cn.com", office.to_str().unwrap()]);
    assert!(below.stdout.contains("names below it"), "{}", below.stdout);
    let nothing = whoasked(["explain", "nobody-asked.example", office.to_str().unwrap()]);
    assert_eq!(nothing.code, Some(0), "{}", nothing.stdout);
}

#[test]
fn an_alert_is_answered_by_whatever_verdict() {
    let undecided = project("captures/client-leg-missing.pcap");
    for (question, capture, verdict, code) in [
        ("mi.kenal-cn.com", office(), Some("attributed"), 1),
        ("up.telemetry-sync.net", office(), Some("no-client"), 1),
        ("mi.kenal-cn.com", undecided, Some("undetermined"), 1),
        ("nobody-asked.example", office(), None, 0),
    ] {
        let run = whoasked(["explain", "-f", "jsonl", question, capture.to_str().unwrap()]);
        let answers = answers(&run);
        assert_eq!(answers[0]["verdict"].as_str(), verdict, "{question}: {run:?}");
        assert_eq!(run.code, Some(code), "{question}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_a_hint() {
    let office = office();
    let office = office.to_str().unwrap();
    for (arguments, words) in [
        (vec!["explain", office], "say what to explain"),
        (vec!["explain"], "say what to explain"),
        (vec!["explain", "mi.kenal-cn.com"], "no capture given"),
        (vec!["explain", office, "missing.pcap"], "file missing.pcap not found"),
        (vec!["explain", "a..b", office], "neither a name nor an address"),
        (vec!["explain", "mi.kenal-cn.com", "x1.ad-sync.net", office], "at a time"),
        (vec!["explain", "192.168.2.194", office], "what the alert blames"),
        (
            vec!["explain", "C2/Generic-A", office],
            "C2/Generic-A is the firewall's name for the threat",
        ),
        (vec!["explain", "--alerts", "missing.txt", office], "missing.txt"),
        (vec!["explain", "--alerts", office, office], "is a packet capture"),
        (vec!["explain", "--alerts", "-", "-"], "given only once"),
        (vec!["explain", "--alerts", "-", office], "standard input is empty"),
    ] {
        let run = whoasked(&arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1, "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn what_turns_out_to_be_no_target_is_refused_and_nobody_blamed() {
    let office = office();
    let run = whoasked(["explain", "KEVIN-PC", office.to_str().unwrap()]);
    assert_eq!(run.code, Some(2), "{}", run.stdout);
    assert!(run.stdout.starts_with("kevin-pc is a name without a dot"), "{}", run.stdout);
    assert!(!run.stdout.contains("Who is behind it"), "{}", run.stdout);
    // A DNS server that has a public address is known for one at the end.
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("public.pcap");
    let mut octets = fs::read(&office).unwrap();
    let (own, other) = ([192, 168, 2, 194], [203, 0, 113, 94]);
    while let Some(at) = octets.windows(4).position(|four| four == own) {
        octets[at..at + 4].copy_from_slice(&other);
    }
    fs::write(&public, octets).unwrap();
    let run = whoasked(["explain", "203.0.113.94", public.to_str().unwrap()]);
    assert_eq!(run.code, Some(2), "{}", run.stdout);
    assert!(run.stdout.starts_with("203.0.113.94 is your DNS server: "), "{}", run.stdout);
    assert!(!run.stdout.contains("Who is behind it"), "{}", run.stdout);
    // So it is in a file of alerts; the others are answered.
    let alerts = folder.path().join("alerts.csv");
    fs::write(
        &alerts,
        "host,destination\n192.168.2.42,192.168.2.194\n192.168.2.194,mi.kenal-cn.com\n",
    )
    .unwrap();
    let answers = answers(&explain(&alerts, &[]));
    assert!(answers[0]["clients"].as_array().unwrap().is_empty(), "{:#}", answers[0]);
    assert!(answers[0]["reason"].as_str().unwrap().contains("Destination column"));
    assert_eq!(clients(&answers[1]).len(), 2);
}

#[test]
fn alerts_without_a_client_say_what_is_next() {
    let run = whoasked([
        "explain".as_ref(),
        "--alerts".as_ref(),
        project("captures/office-alerts.txt").as_os_str(),
        office().as_os_str(),
    ]);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains(
            "next Nobody in this capture asked for it: check what runs on 192.168.2.194 itself, and"
        ),
        "{}",
        run.stdout
    );
    assert!(
        words.contains(
            "was asked for 4 times by 192.168.2.42 (KEVIN-PC) and 192.168.2.40 (JUDITH-PC)"
        ),
        "{}",
        run.stdout
    );
}

/// The text about alerts, as one line.
fn told(arguments: &[&str]) -> String {
    let run = whoasked([&["explain", "--tz", "UTC"], arguments].concat());
    run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_the_mirror_port_delivers_twice_is_not_asked_twice() {
    let copies = project("captures/mirror-duplicates.pcap");
    for (near, nearest) in [
        ("zz.mi.kenal-cn.com", "was asked for once by 192.168.2.57, first at"),
        ("203.0.113.99", "was queried or appears in an answer, first at"),
    ] {
        let told = told(&[near, copies.to_str().unwrap()]);
        assert!(told.contains(nearest), "{told}");
    }
}

#[test]
fn who_connected_comes_first_and_no_paragraph_comes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let alerts = folder.path().join("alerts.csv");
    let rows = "time,host,destination,threat\n\
                2026-03-02T08:31:10Z,DC,e13678.dspb.akamaiedge.net,C2\n\
                2026-03-02T08:40:05Z,DC,e13678.dspb.akamaiedge.net,C2\n";
    fs::write(&alerts, rows).unwrap();
    let (office, alerts) = (office(), alerts.to_str().unwrap().to_owned());
    let office = office.to_str().unwrap();
    let of_two = told(&["--alerts", &alerts, office]);
    assert_eq!(of_two.matches("Judge www.microsoft.com before").count(), 1, "{of_two}");
    assert!(of_two.contains("note as with alert 1 next as with alert 1"), "{of_two}");
    let of_all = told(&["e13678.dspb.akamaiedge.net", office]);
    let (_, answered) = of_all.split_once("Alert 1").unwrap();
    let place = |client: &str| answered.find(client).unwrap();
    assert!(place("(MIA-PC)") < place("(CARLA-PC)"), "only Mia connected: {of_all}");
    let cached = told(&["mi.kenal-cn.com", office]);
    let said =
        "certain (99.9 %) that it asked for mi.kenal-cn.com once at 13:18:01; the cache answered";
    assert!(cached.contains(said), "{cached}");
}

#[test]
fn a_mirror_port_of_one_direction_is_said_under_the_headline() {
    let office = office();
    let office = office.to_str().unwrap();
    let list = project("captures/flagged.txt");
    let list = list.to_str().unwrap();
    for arguments in [vec!["explain", "mi.kenal-cn.com", office], vec!["read", office, "-i", list]]
    {
        let of_both = whoasked(&arguments);
        assert!(!of_both.stdout.contains("one direction only"), "{arguments:?}");
        let one = ["--filter", "dst host 192.168.2.194 or dst host 192.168.2.12"];
        let of_one = whoasked(arguments.iter().copied().chain(one)).stdout;
        let top: Vec<&str> = of_one.lines().take(5).collect();
        assert!(top.concat().contains("The mirror port shows one direction only"), "{of_one}");
    }
}

#[test]
fn what_the_text_warns_of_first_the_page_does_too() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let table = project("captures/office-alerts.txt");
    let one = "dst host 192.168.2.194 or dst host 192.168.2.12";
    let [table, office] = [table, office()].map(|path| path.to_str().unwrap().to_owned());
    let written = page.to_str().unwrap();
    let arguments = ["explain", "--alerts", &table, &office, "--filter", one, "--report", written];
    let text = whoasked(arguments).stdout;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = fs::read_to_string(page).unwrap();
    for said in [
        "The mirror port shows one direction only: these results rest on half of the packets.",
        "Only frames that pass --filter",
        "The alerts have no times, so they are matched against the whole capture,",
    ] {
        assert_eq!((text.matches(said).count(), page.matches(said).count()), (1, 1), "{said}");
    }
}

#[test]
fn a_capture_of_dns_alone_says_what_it_cannot_tell() {
    for (capture, is_said) in [("captures/office.pcap", false), ("captures/alias-tail.pcap", true)]
    {
        let path = project(capture);
        let run = whoasked(["explain", "mi.kenal-cn.com", path.to_str().unwrap()]);
        assert_eq!(run.stdout.contains("only DNS in this capture"), is_said, "{}", run.stdout);
    }
}

#[test]
fn answers_do_not_depend_on_the_number_of_workers() {
    let table = project("captures/office-alerts.txt");
    let one = explain(&table, &["--workers", "1"]);
    for workers in ["2", "5"] {
        assert_eq!(explain(&table, &["--workers", workers]).stdout, one.stdout);
    }
}

#[test]
fn a_connection_is_told_that_followed_the_questions_an_alert_is_about() {
    let alerts = project("captures/office-alerts.txt");
    let run = whoasked([
        "explain".as_ref(),
        "--alerts".as_ref(),
        alerts.as_os_str(),
        "--tz".as_ref(),
        "UTC".as_ref(),
        office().as_os_str(),
    ]);
    let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    // He asked for it in the morning as well, and connected.
    assert!(text.contains("once at 11:17:42; it connected there at 11:17:44"), "{}", run.stdout);
}

#[test]
fn each_file_of_alerts_has_a_clock_of_its_own() {
    let text = fs::read_to_string(sample("columns-comma.csv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    // A firewall that is an hour ahead, beside one that is not; and twice the same name.
    let [right, ahead] = ["a", "b"].map(|inner| folder.path().join(inner).join("alerts.csv"));
    for (path, text) in [(&right, &text), (&ahead, &shifted(&text, 3_600))] {
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let run = explain(&right, &["--alerts", ahead.to_str().unwrap()]);
    let answers = answers(&run);
    assert_eq!(answers.len(), 16);
    for (place, answer) in answers.iter().enumerate() {
        assert_eq!(clients(answer), CLIENTS[place % 8], "{answer}");
        let expected = if place < 8 { right.display() } else { ahead.display() }.to_string();
        assert_eq!(answer["alert"]["file"], expected.as_str());
    }
    let both = [right, ahead].map(|path| ["--alerts".to_owned(), path.display().to_string()]);
    let both: Vec<&str> = both.iter().flatten().map(String::as_str).collect();
    let text = told(&[&both[..], &[office().to_str().unwrap()]].concat());
    assert!(text.contains("b/alerts.csv: The firewall's clock is 1 h 00 min 00 s"), "{text}");
}

#[test]
fn a_destination_that_is_a_url_is_judged_as_its_name_is() {
    let next = |destination: &str| {
        let text = told(&[destination, office().to_str().unwrap()]);
        let (_, next) = text.split_once(" next ").unwrap();
        next.split(" What was seen").next().unwrap().to_owned()
    };
    let expected = next("mi.kenal-cn.com");
    assert!(expected.contains("Act on 192.168.2.42"), "{expected}");
    for written in [
        "https://mi.kenal-cn.com/a?b",
        "mi.kenal-cn.com:443",
        "hxxp://MI[.]kenal-cn[.]com/",
        "=mi.kenal-cn.com",
    ] {
        assert_eq!(next(written), expected, "{written}");
    }
}

#[test]
fn a_name_that_was_asked_about_on_the_way_down_hides_nobody_below_it() {
    let capture = project("captures/qname-minimised-exact.pcap");
    let folder = tempfile::tempdir().unwrap();
    let alerts = folder.path().join("alerts.csv");
    // Without a time, and of when the server asked about it on its way to what another client had asked for.
    for time in ["", "2026-03-02T08:00:02Z"] {
        let text = format!("time,host,destination\n{time},192.168.2.194,kenal-cn.com\n");
        fs::write(&alerts, text).unwrap();
        let paths = [&alerts, &capture].map(|path| path.to_str().unwrap());
        let run = whoasked(["explain", "-f", "jsonl", "--alerts", paths[0], paths[1]]);
        let [answer] = answers(&run).try_into().unwrap();
        let mut named = clients(&answer);
        named.sort_unstable();
        let notes = answer["notes"].to_string();
        // Who asked at another time is said, and not named, where there is one.
        let is_then = notes.contains("192.168.2.83 asked for it 40 s after the alert");
        let all = ["192.168.2.57", "192.168.2.83"];
        assert_eq!(named, if is_then { &all[..1] } else { &all[..] }, "{time}: {answer}");
        assert_eq!(is_then, !time.is_empty(), "{notes}");
        assert!(notes.contains("on the way to names below it"), "{notes}");
        assert_eq!(answer["clients"][0]["confidence"] == 0.9, is_then, "{answer}");
    }
    let text = told(&["kenal-cn.com", capture.to_str().unwrap()]);
    assert!(text.contains("asked for the flagged name itself, or one below it"), "{text}");
}

#[test]
fn a_client_that_an_alert_blames_by_its_name_asked_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let alerts = folder.path().join("alerts.csv");
    fs::write(&alerts, "host,destination\nkevin-pc,mi.kenal-cn.com\n").unwrap();
    let text = told(&["--alerts", alerts.to_str().unwrap(), office().to_str().unwrap()]);
    assert!(text.contains("kevin-pc, which is the name of the client 192.168.2.42 here"), "{text}");
    assert!(!text.contains("kevin-pc only asked on behalf"), "{text}");
}

#[test]
fn a_time_that_cannot_be_read_is_said_with_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let alerts = folder.path().join("alerts.csv");
    fs::write(&alerts, "time,host,destination\nlately,192.168.2.194,mi.kenal-cn.com\n").unwrap();
    let [answer] = answers(&explain(&alerts, &[])).try_into().unwrap();
    assert!(answer["notes"].to_string().contains("its time could not be read"), "{answer}");
}

#[test]
fn what_was_not_read_stands_in_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let alerts = folder.path().join("alerts.csv");
    fs::write(&alerts, "host,destination\n192.168.2.194,mi.kenal-cn.com\n192.168.2.194,?\n")
        .unwrap();
    let arguments = ["explain", "--alerts", alerts.to_str().unwrap(), office().to_str().unwrap()]
        .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let text = told(&arguments);
    assert!(text.contains("alert not read: alerts.csv line 3"), "{text}");
    let run = explain(&alerts, &["--filter", "host 192.168.2.42"]);
    let coverage = run.json().into_iter().find(|line| line["type"] == "coverage").unwrap();
    assert_eq!(coverage["filter"], "host 192.168.2.42");
    assert!(coverage["alerts_unread"][0].as_str().unwrap().contains("line 3"), "{coverage}");
    let text = told(&[&arguments[..], &["--filter", "host 192.168.2.42"]].concat());
    assert!(
        text.contains("Only frames that pass --filter \"host 192.168.2.42\" were read"),
        "{text}"
    );
    let run = explain(&alerts, &["--filter", "host 203.0.113.254"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("no frame in the capture passes --filter"), "{}", run.stderr);
}

#[test]
fn where_alerts_have_times_those_come_first_who_asked_then() {
    let folder = tempfile::tempdir().unwrap();
    let [alerts, page] = ["alerts.csv", "answer.html"].map(|name| folder.path().join(name));
    fs::write(
        &alerts,
        "time,host,destination\n2026-03-02T09:17:42Z,192.168.2.194,mi.kenal-cn.com\n",
    )
    .unwrap();
    let office = office();
    let paths = [&alerts, &office, &page].map(|path| path.to_str().unwrap());
    let text = told(&["--alerts", paths[0], paths[1], "--report", paths[2]]);
    let verdict = "At the alert's time: act on 192.168.2.42 (KEVIN-PC).";
    let beside = "At other times also: 192.168.2.40 (JUDITH-PC).";
    let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains(&format!("{verdict} {beside}")), "{text}");
    assert!(unwrapped.contains("not at the alert's time"), "{text}");
    let html = fs::read_to_string(&page).unwrap();
    let verdict = verdict.replace('\'', "&#39;");
    assert!(html.contains(&format!("<h1>{verdict}</h1>")) && html.contains(beside), "{html}");
    assert!(html.contains("not at the alert&#39;s time"));
    // Who asked within the minute is not said to have asked at another time.
    let text = fs::read_to_string(&alerts).unwrap().replace("09:17:42", "13:18:01");
    fs::write(&alerts, text).unwrap();
    let text = told(&["--alerts", paths[0], paths[1]]);
    assert!(text.contains("Also at about that time: 192.168.2.40 (JUDITH-PC)."), "{text}");
    assert!(!text.contains("not at the alert's time"), "{text}");
}

#[test]
fn each_device_in_a_file_has_a_clock_of_its_own() {
    let text = fs::read_to_string(sample("columns-comma.csv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.csv");
    let ahead = shifted(&text, 3_600);
    let (header, ahead) = ahead.split_once('\n').unwrap();
    let both = text.lines().skip(1).zip(ahead.lines());
    let both = both.map(|(right, ahead)| format!("{right},FW1\n{ahead},FW2"));
    let lines: Vec<String> = [format!("{header},devname")].into_iter().chain(both).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let answers = answers(&explain(&path, &[]));
    assert_eq!(answers.len(), 16);
    for (place, answer) in answers.iter().enumerate() {
        assert_eq!(clients(answer), CLIENTS[place / 2], "{answer}");
    }
    let text = told(&["--alerts", path.to_str().unwrap(), office().to_str().unwrap()]);
    assert!(text.contains("FW2: The firewall's clock is 1 h 00 min 00 s ahead"), "{text}");
}

/// Only what hosts within the office sent each other: what the DNS servers ask outside is missing.
const INSIDE: &str = "src net 192.168.2.0/24 and dst net 192.168.2.0/24";

#[test]
fn of_a_server_whose_uplink_is_not_seen_nothing_is_said_of_its_cache() {
    let capture = office();
    let filter = format!("{INSIDE} and not host 192.168.2.12");
    let given = [
        "mi.kenal-cn.com",
        capture.to_str().unwrap(),
        "--filter",
        &filter,
        "--resolver",
        "192.168.2.194",
    ];
    let text = told(&given);
    assert!(!text.contains("the cache answered") && !text.contains("from the cache"), "{text}");
    assert!(text.contains("asking others about it"), "{text}");
}

#[test]
fn what_only_an_unseen_uplink_could_answer_cannot_be_decided() {
    let (capture, alerts) = (office(), project("captures/office-alerts.txt"));
    let paths = [&alerts, &capture].map(|path| path.to_str().unwrap());
    for resolver in [&[][..], &["--resolver", "192.168.2.194"]] {
        let given = ["explain", "-f", "jsonl", "--alerts", paths[0], paths[1], "--filter", INSIDE];
        let run = whoasked([&given[..], resolver].concat());
        let all = answers(&run);
        for answer in &all {
            let (number, why) = (answer["alert"]["number"].as_u64().unwrap(), &answer["reason"]);
            if [3, 6, 7, 8].contains(&number) {
                assert_eq!(answer["verdict"], "undetermined", "{answer}");
                let why = why.as_str().unwrap();
                assert!(why.starts_with("192.168.2.194 is asked here, but this capture"), "{why}");
            }
        }
        assert_eq!(all.len(), 10);
        // What clients asked for is answered as before.
        assert_eq!(clients(&all[0]), ["192.168.2.42", "192.168.2.40"]);
    }
    let text = told(&["--alerts", paths[0], paths[1], "--filter", INSIDE]);
    assert!(text.contains("192.168.2.194: 397 questions to it. It was not seen asking"), "{text}");
    assert!(!text.contains("is taken to be 192.168.2.12, the only DNS server"), "{text}");
}

#[test]
fn without_any_dns_there_is_one_thing_to_say() {
    let (capture, alerts) = (office(), project("captures/office-alerts.txt"));
    let paths = [&alerts, &capture].map(|path| path.to_str().unwrap());
    let text = told(&["--alerts", paths[0], paths[1], "--filter", "tcp port 443"]);
    assert!(text.starts_with("Nothing can be concluded: the capture contains no"), "{text}");
    assert!(!text.contains("Alert 1"), "{text}");
}

#[test]
fn a_zone_that_makes_all_alerts_fit_is_said_once_on_top() {
    let (capture, folder) = (office(), tempfile::tempdir().unwrap());
    let alerts = folder.path().join("alerts.csv");
    let rows = "time,destination\n2026-03-02 10:17:42,mi.kenal-cn.com\n2026-03-02 11:05:20,x1.ad-sync.net\n";
    fs::write(&alerts, rows).unwrap();
    let text = told(&["--alerts", alerts.to_str().unwrap(), capture.to_str().unwrap()]);
    let (top, rest) = text.split_once("Alert 1:").unwrap();
    assert!(top.contains("(2 of 2) fit if their times are in another zone"), "{text}");
    assert!(top.contains("run it again with --tz +01:00."), "{text}");
    assert!(!rest.contains("--tz +01:00"), "{text}");
    let page = folder.path().join("page.html");
    let given = ["--alerts", alerts.to_str().unwrap(), capture.to_str().unwrap(), "--report"];
    told(&[&given[..], &[page.to_str().unwrap()]].concat());
    let page = fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("run it again with --tz +01:00.").count(), 1);
}
