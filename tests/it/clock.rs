//! Frames with wrong stamps, and clocks that are set: nobody is blamed for them, and each thing is said once.

use std::collections::BTreeSet;
use std::fs;

use etherparse::PacketBuilder;
use serde_json::{Value, json};

use crate::support::{Labelled, Run, Taken, bundled, frames, pcap, program, project, read_jsonl};

const SECOND: i64 = 1_000_000_000;
const TWO_HOURS: i64 = 7_200 * SECOND;

/// What is said of frames: the attributions, and of the last line how often the clock was set back.
fn said(frames: &[Taken], indicators: &str) -> (Vec<Value>, u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("case.pcap");
    fs::write(&path, pcap(frames)).unwrap();
    let run = read_jsonl(&[path], indicators, 1);
    assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
    let lines = run.json();
    let set_back = lines.last().unwrap()["lost"]["clock_set_back"].as_u64().unwrap();
    let attributions = lines.into_iter().filter(|line| line["type"] == "attribution");
    (attributions.collect(), set_back)
}

/// Of each attribution by its frame and indicator: who is named, with roles. Frames behind a place are counted
/// without the one there.
fn judged(attributions: &[Value], place: u64) -> Vec<String> {
    let facts = attributions.iter().map(|line| {
        let clients: Vec<Value> = line["clients"]
            .as_array()
            .unwrap()
            .iter()
            .map(|client| json!([client["ip"], client["role"], client["asked"]]))
            .collect();
        let frame = line["sighting"]["frame"].as_u64();
        let frame = frame.map(|frame| frame - u64::from(frame > place));
        json!([frame, line["indicator"]["line"], line["sighting"]["leg"], clients]).to_string()
    });
    let mut facts: Vec<String> = facts.collect();
    facts.sort_unstable();
    let ids: BTreeSet<&str> = attributions.iter().map(|l| l["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), attributions.len(), "nothing is said twice");
    facts
}

/// The bundled captures of Ethernet.
fn captures() -> impl Iterator<Item = (Labelled, Vec<Taken>)> {
    bundled().into_iter().filter_map(|capture| {
        let frames = frames(&capture.path);
        (frames.first()?.link == 1).then_some((capture, frames))
    })
}

/// A question of somebody else for something else, so long before or after another frame.
fn stray(beside: &Taken, by: i64) -> Taken {
    let message = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1];
    let packet = PacketBuilder::ethernet2([2; 6], [2; 6]).ipv4([10, 99, 0, 1], [10, 99, 0, 2], 64);
    let mut bytes = Vec::new();
    packet.udp(40_000, 53).write(&mut bytes, &message).unwrap();
    Taken { time: beside.time + by, link: 1, original_len: bytes.len() as u32, bytes }
}

#[test]
fn one_frame_hours_from_the_others_changes_nothing() {
    for (capture, whole) in captures() {
        let (usual, _) = said(&whole, &capture.indicators);
        for (place, by) in
            [(0, TWO_HOURS), (whole.len() / 2, TWO_HOURS), (whole.len() / 2, -TWO_HOURS)]
        {
            let mut frames = whole.clone();
            frames.insert(place, stray(&whole[place], by));
            let (seen, set_back) = said(&frames, &capture.indicators);
            let name = capture.path.display();
            assert_eq!(judged(&seen, place as u64), judged(&usual, u64::MAX), "{name}, {place}");
            assert_eq!(set_back, u64::from(place == 0), "{name}, {place}");
        }
    }
}

#[test]
fn a_clock_that_is_set_back_blames_nobody_else() {
    let mut noticed = 0;
    for (capture, whole) in captures() {
        let (usual, _) = said(&whole, &capture.indicators);
        for place in [1, whole.len() / 2] {
            let mut frames = whole.clone();
            frames.iter_mut().take(place).for_each(|frame| frame.time += TWO_HOURS);
            let (seen, set_back) = said(&frames, &capture.indicators);
            let name = capture.path.display();
            assert_eq!(judged(&seen, u64::MAX), judged(&usual, u64::MAX), "{name}, {place}");
            assert!(set_back <= 1, "{name}, {place}");
            noticed += set_back;
        }
    }
    assert!(noticed > 50, "{noticed}");
}

/// What stays in the bundled office, and what goes out.
fn inside_and_outside() -> (Vec<Taken>, Vec<Taken>) {
    frames(&project("captures/office.pcap")).into_iter().partition(|frame| {
        let ends = frame.bytes.get(26..34).unwrap_or_default();
        ends.len() == 8 && ends[..3] == ends[4..7]
    })
}

/// Two sensors: one sees what stays in the office, the other what goes out, by a clock of its own. That is said, and reading
/// again as advised gives what one clock gives.
#[test]
fn captures_of_two_clocks_are_said_to_be_and_can_be_read_as_one() {
    let directory = tempfile::tempdir().unwrap();
    let (inside, outside) = inside_and_outside();
    let read = |ahead_ms: i64, shifted: Option<&str>| {
        let moved: Vec<Taken> = outside
            .iter()
            .cloned()
            .map(|frame| Taken { time: frame.time + ahead_ms * 1_000_000, ..frame })
            .collect();
        for (name, frames) in [("inside.pcap", &inside), ("outside.pcap", &moved)] {
            fs::write(directory.path().join(name), pcap(frames)).unwrap();
        }
        let mut command = program();
        command.current_dir(&directory).args(["read", "inside.pcap", "outside.pcap"]);
        command.arg("--indicators").arg(project("captures/flagged.txt"));
        command.args(shifted.iter().flat_map(|shift| ["--time-shift", shift]));
        let run: Run = command.args(["--format", "jsonl"]).output().unwrap().into();
        run.json()
    };
    let named = |lines: &[Value]| {
        let named = lines.iter().filter(|line| line["type"] == "attribution").map(|line| {
            let clients = line["clients"].as_array().unwrap().iter();
            let clients = clients.map(|client| client["ip"].to_string());
            let frames = line["sighting"]["frame"].to_string();
            (frames, line["verdict"].to_string(), clients.collect::<Vec<_>>())
        });
        let mut named: Vec<_> = named.collect();
        named.sort();
        named
    };
    let complaint = |lines: &[Value]| {
        let coverage = lines.iter().find(|line| line["type"] == "coverage").unwrap();
        let complaints = coverage["complaints"].as_array().unwrap().iter();
        let apart = complaints.filter(|one| one["name"] == "clocks-apart");
        apart.map(|one| one["words"].as_str().unwrap().to_owned()).next()
    };
    let right = read(0, None);
    assert_eq!(complaint(&right), None);
    for ahead_ms in [-700, 20, 5_000, 3_600_000] {
        let apart = read(ahead_ms, None);
        let words = complaint(&apart).unwrap();
        let shift = words.split_whitespace().nth(4).unwrap().trim_end_matches(':');
        assert!(words.starts_with("Read again with --time-shift outside.pcap="), "{words}");
        let nobody = apart.iter().filter(|line| line["verdict"] == "no-client").count();
        assert_eq!(nobody, 0, "{ahead_ms} ms");
        let mended = read(ahead_ms, Some(shift));
        assert_eq!(complaint(&mended), None, "{ahead_ms} ms");
        assert_eq!(named(&mended), named(&right), "{ahead_ms} ms");
    }
}

#[test]
fn only_what_is_read_can_be_shifted_and_once() {
    let capture = project("captures/office.pcap");
    let office = capture.to_str().unwrap();
    let list = project("captures/flagged.txt");
    let refused = |shifts: &[String]| {
        let mut command = program();
        command.args(["read", office, "--indicators"]).arg(&list);
        command.args(shifts.iter().flat_map(|shift| ["--time-shift", shift]));
        let run: Run = command.output().unwrap().into();
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        run.stderr
    };
    let said = refused(&["uplink.pcap=-1".to_owned()]);
    assert!(said.contains("uplink.pcap is not one of the captures"), "{said}");
    let twice = [format!("{office}=1"), format!("{office}=2s")];
    assert!(refused(&twice).contains("shifted twice"));
    for wrong in ["uplink.pcap", "=1", "uplink.pcap=soon", "uplink.pcap=1e300", "uplink.pcap=NaN"] {
        let said = refused(&[wrong.to_owned()]);
        assert!(said.contains("expected a file and seconds"), "{said}");
    }
}

/// The uplink's capture in pieces, in a directory: that is one shift, and one that is not enough is added to.
#[test]
fn pieces_of_a_capture_are_shifted_together() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("uplink")).unwrap();
    let (inside, mut outside) = inside_and_outside();
    fs::write(directory.path().join("inside.pcap"), pcap(&inside)).unwrap();
    outside.iter_mut().for_each(|frame| frame.time += 5 * SECOND);
    for (n, piece) in outside.chunks(outside.len() / 9).enumerate() {
        fs::write(directory.path().join(format!("uplink/{n:02}.pcap")), pcap(piece)).unwrap();
    }
    let said = |shift: Option<&str>| {
        let mut command = program();
        command.current_dir(&directory).args(["read", "inside.pcap", "uplink"]);
        command.arg("--indicators").arg(project("captures/flagged.txt"));
        command.args(shift.iter().flat_map(|shift| ["--time-shift", shift]));
        let run: Run = command.output().unwrap().into();
        run.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for shift in [None, Some("uplink=-3")] {
        let said = said(shift);
        assert!(said.contains("Read again with --time-shift uplink=-5.0000:"), "{said}");
    }
    assert!(!said(Some("uplink=-5")).contains("Read again"));
}

/// Sensors that both see what goes out, of which one sees the clients, too: in one directory only the other is to be shifted.
/// Of the packets that both have, each is one packet then.
#[test]
fn of_two_sensors_in_one_directory_that_of_the_clients_stays() {
    let directory = tempfile::tempdir().unwrap();
    let whole = frames(&project("captures/office.pcap"));
    let (_, mut outside) = inside_and_outside();
    outside.iter_mut().for_each(|frame| frame.time -= 5 * SECOND);
    let sensors = directory.path().join("sensors");
    fs::create_dir(&sensors).unwrap();
    fs::write(sensors.join("inside.pcap"), pcap(&whole)).unwrap();
    fs::write(sensors.join("uplink.pcap"), pcap(&outside)).unwrap();
    let read = |captures: &str, shift: Option<&str>| {
        let mut command = program();
        command.current_dir(&directory).args(["read", captures, "--format", "jsonl"]);
        command.arg("--indicators").arg(project("captures/flagged.txt"));
        command.args(shift.iter().flat_map(|shift| ["--time-shift", shift]));
        let run: Run = command.output().unwrap().into();
        run
    };
    let advised = |run: &Run| {
        let (_, advice) = run.stdout.split_once("Read again with --time-shift ")?;
        advice.split_once(": what ").map(|(shift, _)| shift.to_owned())
    };
    let shift = advised(&read("sensors", None)).unwrap();
    let seconds: f64 = shift.strip_prefix("sensors/uplink.pcap=").unwrap().parse().unwrap();
    assert!((seconds - 5.0).abs() < 0.002, "{seconds}");
    // Of a packet that is in both files, either frame is its own.
    let named = |run: &Run| {
        let attributions = run.json().into_iter().filter(|line| line["type"] == "attribution");
        let named = attributions.map(|line| {
            let clients = line["clients"].as_array().unwrap().iter();
            let clients = clients.map(|client| client["ip"].to_string()).collect::<Vec<_>>();
            let seen = ["name", "type", "leg"].map(|field| line["sighting"][field].to_string());
            (line["indicator"]["line"].as_u64(), seen, clients)
        });
        let mut named: Vec<_> = named.collect();
        named.sort();
        named
    };
    let shifted = read("sensors", Some(&shift));
    assert_eq!(advised(&shifted), None);
    assert_eq!(named(&shifted), named(&read("sensors/inside.pcap", None)));
}
