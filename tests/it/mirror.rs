//! What `whoasked live` says of a mirror port that shows half, and its metrics, on a real interface. Without root and the
//! programs that send it says `skipped`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test waits for other programs, with a clock and threads"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::live::{OFFICE_PACKETS, Pair, Running, folder, succeeds};
use crate::support::{Run, program, project};

/// What of the office's day passes a filter, as a capture of its own.
fn part(folder: &Path, filter: &str) -> PathBuf {
    let (office, part) = (project("captures/office.pcap"), folder.join("part.pcap"));
    let [from, to] = [&office, &part].map(|path| path.to_str().unwrap());
    assert!(succeeds("tcpdump", &["-Z", "root", "-r", from, "-w", to, filter]));
    part
}

/// The one complaint of a mirror port that shows only what passes a filter.
fn complaint_of(letter: char, filter: &str) -> Option<String> {
    let pair = Pair::new(letter)?;
    let folder = tempfile::tempdir().unwrap();
    let part = part(folder.path(), filter);
    let list = project("captures/flagged.txt");
    let live = Running::live(&pair, &["--indicators", list.to_str().unwrap()]);
    let began = Instant::now();
    pair.send(&part, 500);
    let said = live
        .wait_for_word("Mirror the DNS server's port in both directions")
        .split_once(": ")
        .and_then(|(_speaker, said)| said.split_once(": "))
        .map(|(_time, said)| said.to_owned())
        .unwrap();
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    live.signal("USR1");
    let listed = live.wait_for_word("  wrong: ");
    assert_eq!(listed.trim(), format!("wrong: {said}"));
    let (run, _) = live.end();
    let lines = run.json();
    let coverage = lines.iter().find(|line| line["type"] == "coverage").unwrap();
    let [complaint] = coverage["complaints"].as_array().unwrap().as_slice() else {
        panic!("{coverage}");
    };
    let [name, words] = ["name", "words"].map(|field| complaint[field].as_str().unwrap());
    assert_eq!(said, format!("{name}: {words}"));
    // Read from a file it is the same.
    let list = list.to_str().unwrap();
    let read: Run = program()
        .args(["read", part.to_str().unwrap(), "--indicators", list, "-f", "jsonl"])
        .output()
        .unwrap()
        .into();
    let read = read.json();
    let coverage = read.iter().find(|line| line["type"] == "coverage").unwrap();
    let names: Vec<&Value> =
        coverage["complaints"].as_array().unwrap().iter().map(|wrong| &wrong["name"]).collect();
    assert_eq!(names, [name]);
    Some(said)
}

#[test]
fn a_mirror_port_that_shows_questions_only_is_said_within_a_minute() {
    let Some(said) = complaint_of('q', "dst port 53") else { return };
    assert!(said.contains(". Questions are seen, but not their answers"), "{said}");
}

#[test]
fn a_mirror_port_that_shows_answers_only_is_said_within_a_minute() {
    let Some(said) = complaint_of('a', "src port 53") else { return };
    assert!(said.contains(". Answers are seen, but not their questions"), "{said}");
}

#[test]
fn a_mirror_port_that_shows_what_the_server_sends_only_is_said_within_a_minute() {
    let Some(said) = complaint_of('t', "src host 192.168.2.194") else { return };
    assert!(said.contains(". Only what the DNS server sends is seen"), "{said}");
}

/// What a request is answered with: head and body.
fn get(address: &str, target: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn metrics_are_scraped_while_it_runs() {
    let Some(pair) = Pair::new('m') else { return };
    let folder = folder();
    let file = folder.path().join("whoasked.prom");
    let list = project("captures/flagged.txt");
    let (list, file_name) = (list.to_str().unwrap(), file.to_str().unwrap());
    let mirror = pair.mirror.clone();
    let mut command = program();
    command.args(["live", "-i", &mirror, "-f", "jsonl", "--indicators", list]);
    command.args(["--metrics", "0", "--metrics-file", file_name, "--capture", "all"]);
    let live = Running::start(command);
    let said = live.wait_for_word("metrics on http://127.0.0.1:");
    let address = said.split("http://").nth(1).unwrap().trim_end_matches("/metrics").to_owned();
    live.wait_for_word("listening");
    assert!(fs::read_to_string(&file).unwrap().contains("\nwhoasked_build_info{version="));
    pair.send(&project("captures/office.pcap"), 2_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    live.wait_for_packets(OFFICE_PACKETS);
    std::thread::sleep(Duration::from_millis(900));
    let (head, body) = get(&address, "/metrics");
    assert!(head.contains("Content-Type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(body.ends_with("# EOF\n"));
    let value = |series: &str| -> f64 {
        let line = body.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{series}\n{body}")).parse().unwrap()
    };
    let received = format!("whoasked_frames_received_total{{interface=\"{mirror}\"}}");
    assert_eq!(value(&received), OFFICE_PACKETS as f64);
    assert_eq!(value(&format!("whoasked_interface_up{{interface=\"{mirror}\"}}")), 1.0);
    assert!(value("whoasked_questions_answered_total") > 500.0);
    assert!(value("whoasked_client_leg_seconds_count") > 200.0);
    assert!(value("whoasked_upstream_leg_seconds_bucket{le=\"+Inf\"}") > 200.0);
    let sightings = "whoasked_sightings_total{state=\"provisional\",verdict=\"attributed\"}";
    assert!(value(sightings) >= 10.0);
    assert!(value("whoasked_sighting_report_seconds_count") >= value(sightings));
    assert_eq!(value("whoasked_output_lines_lost_total{output=\"stdout\"}"), 0.0);
    let (head, body) = get(&address, "/health");
    assert!(head.starts_with("HTTP/1.1 200 ") && body.starts_with("ok\n"), "{head}{body}");
    let (run, took) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(took < Duration::from_secs(2), "it took {took:?} to end");
}

#[test]
fn metrics_that_cannot_be_offered_are_an_error_at_once() {
    let list = project("captures/flagged.txt");
    let live = |more: &[&str]| -> Run {
        let arguments = ["live", "-i", "lo", "--indicators", list.to_str().unwrap()];
        program().args(arguments).args(more).output().unwrap().into()
    };
    let run = live(&["--metrics", "here"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("expected a port, such as 9153"), "{}", run.stderr);
    let Some(_pair) = Pair::new('n') else { return };
    let run = live(&["--metrics", "192.0.2.1:9153"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--metrics: 192.0.2.1:9153"), "{}", run.stderr);
    let run = live(&["--metrics-file", "/nowhere/whoasked.prom"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("--metrics-file: /nowhere/whoasked.prom"), "{}", run.stderr);
}
