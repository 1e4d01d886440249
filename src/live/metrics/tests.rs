//! The text is held to OpenMetrics 1.0 by a strict reader, and the server to its bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::page::{as_prometheus, open_metrics};
use super::*;
use crate::attribution::{Complaint, Coverage, ResolverCoverage};
use crate::flow::Address;
use crate::live::status::OutputState;
use crate::live::{Interface, Lists};
use crate::resolution::Known;
use crate::time::{Span, Timestamp};

const NOW: Timestamp = Timestamp(1_575_015_900_000_000_000);

/// A run that has seen something of everything.
fn status() -> Status {
    let resolver = |host: u8| ResolverCoverage {
        addresses: vec![Address::v4([10, 0, 0, host])],
        known: Known::AsksAndAnswers,
        shared_mac: None,
        asked: 7,
        asks: 5,
        answers: 6,
    };
    let mut coverage = Coverage {
        resolvers: (0..40).map(resolver).collect(),
        forgotten: 3,
        told_late: 2,
        clock_set_back: 1,
        ..Coverage::default()
    };
    coverage.transactions.queries = 100;
    coverage.took.0.counts[3] = 9;
    coverage.took.0.counts[16] = 1;
    coverage.took.0.sum_us = 31_012_345;
    let mut to_report = Histogram::new_with_bounds(1, 600_000_000, 2).unwrap();
    for micros in [240_000, 250_000, 260_000, 90_000_000] {
        to_report.record(micros).unwrap();
    }
    let output = |name: &str| OutputState { name: name.to_owned(), lost: 4, ..Default::default() };
    Status {
        began: NOW,
        at: NOW,
        still: Span::from_millis(1_500),
        interfaces: vec![
            Interface { name: "eth1".to_owned(), is_up: true, received: 5, ..Default::default() },
            Interface { name: "eth2".to_owned(), dropped_by_kernel: 8, ..Default::default() },
        ],
        coverage: Some(coverage),
        to_report: Some(to_report),
        outputs: vec![output("stdout"), output("jsonl=a \"b\"\\\n.jsonl"), output("stdout")],
        ring: Some(output("/var/lib/ring")),
        ring_oldest: Some(NOW + Span::from_secs(-90)),
        lists: Lists { indicators: 5, read: NOW, fault: Some("it is broken".to_owned()) },
        complaints: vec![Complaint { name: "one-direction", words: "It is.".to_owned() }],
        ..Status::default()
    }
}

/// The samples of a text in OpenMetrics 1.0, by their name with labels. Panics at whatever a strict reader would not
/// take.
fn read(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
    let body = text.strip_suffix("# EOF\n").expect("it ends as it must");
    let (mut family, mut kind, mut unit) = ("", "", None);
    for line in body.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["#", descriptor, name, ..] = words[..] {
            let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(name.starts_with("whoasked_") && name.chars().all(is_name), "{line}");
            if name != family {
                assert!(families.insert(name), "{name} is there twice, or not in one piece");
                (family, kind, unit) = (name, "", None);
            }
            match descriptor {
                "HELP" => assert!(words.len() > 3 && line.ends_with('.'), "{line}"),
                "TYPE" => kind = words[3],
                "UNIT" => unit = Some(words[3]),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        let suffix = name.strip_prefix(family).unwrap_or_else(|| panic!("{line}: not of {family}"));
        let value: f64 = value.parse().unwrap();
        match kind {
            "counter" => assert!(suffix == "_total" && value >= 0.0, "{line}"),
            "gauge" => assert_eq!(suffix, "", "{line}"),
            "histogram" => assert!(["_sum", "_count", "_bucket"].contains(&suffix), "{line}"),
            _ => panic!("{line}: {kind:?}"),
        }
        assert!(unit.is_none_or(|unit| family.ends_with(&format!("_{unit}"))), "{line}");
        assert!(samples.insert(series.to_owned(), value).is_none(), "{series} is there twice");
    }
    samples
}

#[test]
fn the_text_is_strict_open_metrics_with_each_thing_once() {
    let text = open_metrics(&status());
    let samples = read(&text);
    for (series, value) in [
        ("whoasked_frames_received_total{interface=\"eth1\"}", 5.0),
        ("whoasked_frames_dropped_by_kernel_total{interface=\"eth2\"}", 8.0),
        ("whoasked_interface_up{interface=\"eth2\"}", 0.0),
        ("whoasked_questions_total", 100.0),
        ("whoasked_table_evictions_total{table=\"transactions\"}", 3.0),
        ("whoasked_told_late_total", 2.0),
        ("whoasked_clock_set_back_total", 1.0),
        ("whoasked_resolver_asked_total{resolver=\"10.0.0.15\"}", 7.0),
        ("whoasked_resolvers", 40.0),
        ("whoasked_output_lines_lost_total{output=\"jsonl=a \\\"b\\\"\\\\\\n.jsonl\"}", 4.0),
        ("whoasked_ring_frames_lost_total{ring=\"/var/lib/ring\"}", 4.0),
        ("whoasked_ring_oldest_packet_time_seconds{ring=\"/var/lib/ring\"}", 1_575_015_810.0),
        ("whoasked_lists_broken", 1.0),
        ("whoasked_mirror_complaint{complaint=\"one-direction\"}", 1.0),
        ("whoasked_mirror_complaint{complaint=\"frames-twice\"}", 0.0),
        ("whoasked_start_time_seconds", 1_575_015_900.0),
        ("whoasked_standstill_seconds", 1.5),
        ("whoasked_client_leg_seconds_bucket{le=\"0.0025\"}", 9.0),
        ("whoasked_client_leg_seconds_bucket{le=\"30.0\"}", 9.0),
        ("whoasked_client_leg_seconds_bucket{le=\"+Inf\"}", 10.0),
        ("whoasked_client_leg_seconds_count", 10.0),
        ("whoasked_client_leg_seconds_sum", 31.012345),
        ("whoasked_sighting_report_seconds_bucket{le=\"0.25\"}", 2.0),
        ("whoasked_sighting_report_seconds_bucket{le=\"0.5\"}", 3.0),
        ("whoasked_sighting_report_seconds_count", 4.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}\n{text}");
    }
    let resolvers = samples.keys().filter(|series| series.starts_with("whoasked_resolver_asked"));
    assert_eq!(resolvers.count(), 16, "of forty");
    read(&open_metrics(&Status::default()));
}

#[test]
fn the_page_for_people_lists_every_metric_and_no_other() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/live.md")).unwrap();
    let text = open_metrics(&status());
    let families: BTreeSet<String> = as_prometheus(&text)
        .lines()
        .filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned()))
        .collect();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `whoasked_"));
    let listed: Vec<String> =
        rows.map(|row| format!("whoasked_{}", row.split(['`', '{']).next().unwrap())).collect();
    let known: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!((known.len(), known), (listed.len(), families));
}

#[test]
fn the_file_is_what_prometheus_reads_and_is_never_half() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whoasked.prom");
    fs::write(&path, "old").unwrap();
    write_file(&path, &status()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# HELP whoasked_build_info The version that runs.\n# TYPE "));
    assert!(text.contains(
        "# HELP whoasked_questions_total Questions, without those sent again.\n\
         # TYPE whoasked_questions_total counter\nwhoasked_questions_total 100\n"
    ));
    assert!(text.ends_with('\n') && !text.contains("# EOF") && !text.contains("# UNIT"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    assert!(write_file(&folder.path().join("none/x.prom"), &status()).is_err());
}

fn reply(request: &str, status: &Status, now: Timestamp) -> (&'static str, String) {
    let (code, _, body) = http::reply(request.as_bytes(), status, now);
    (code, body)
}

#[test]
fn whatever_is_asked_there_is_one_answer() {
    let code = |request: &str| reply(request, &status(), NOW).0;
    assert_eq!(code("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "200 OK");
    assert_eq!(code("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), "200 OK");
    assert_eq!(code("GET / HTTP/1.1\r\n\r\n"), "404 Not Found");
    assert_eq!(code("GET /metrics/../../etc HTTP/1.1\r\n\r\n"), "404 Not Found");
    assert_eq!(code("POST /metrics HTTP/1.1\r\n\r\n"), "405 Method Not Allowed");
    for broken in
        ["", "GET", "GET /metrics", "\r\n\r\n", "GET /metrics SIP/2.0\r\n\r\n", "\0\r\n\r\n"]
    {
        assert_eq!(code(broken), "400 Bad Request", "{broken:?}");
    }
    assert_eq!(code(&"G".repeat(4096)), "431 Request Header Fields Too Large");
}

#[test]
fn health_says_what_is_wrong_and_names_nobody() {
    let health = |status: &Status, now| reply("GET /health HTTP/1.1\r\n\r\n", status, now);
    let mut status = status();
    let lists = "wrong: lists: they could not be reloaded, the old ones are in use\n";
    let down = format!("interface eth2 is not up\nwrong: one-direction\n{lists}");
    assert_eq!(health(&status, NOW), ("503 Service Unavailable", down));
    status.interfaces[1].is_up = true;
    let broken = format!("ok\nwrong: one-direction\n{lists}");
    assert_eq!(health(&status, NOW), ("200 OK", broken));
    status.lists.fault = None;
    assert_eq!(health(&status, NOW), ("200 OK", "ok\nwrong: one-direction\n".to_owned()));
    status.ring.as_mut().unwrap().fault = Some("the disk is full".to_owned());
    let full = "ok\nwrong: one-direction\nwrong: ring: the disk is full\n".to_owned();
    assert_eq!(health(&status, NOW), ("200 OK", full));
    let (code, why) = health(&status, NOW + Span::from_secs(11));
    assert_eq!(code, "503 Service Unavailable");
    assert!(why.contains("does not respond"), "{why}");
    status.still = Span::from_secs(11);
    let (code, why) = health(&status, NOW);
    assert_eq!(code, "503 Service Unavailable");
    assert!(why.contains("none is analysed"), "{why}");
}

#[test]
fn one_is_served_after_the_other_and_who_says_nothing_does_not_stop_it() {
    let bound = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = bound.address().unwrap();
    let board = Board::default();
    board.publish(status());
    bound.start(board).unwrap();
    let silent = TcpStream::connect(address).unwrap();
    let mut gone = TcpStream::connect(address).unwrap();
    gone.write_all(b"GET /me").unwrap();
    drop(gone);
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n").unwrap();
        stream.write_all(b"\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text; ")
        );
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
        assert_eq!(read(body).get("whoasked_questions_total"), Some(&100.0));
    }
    drop(silent);
}
