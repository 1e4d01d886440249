//! Evidence: the frames of the attributions and no others, as they were captured, with comments that tshark
//! shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Run, Taken, bundled, files_below, frames, pcap, program, project, whoasked};

fn read(captures: &[&Path], list: &Path, evidence: &Path) -> Run {
    let mut command = program();
    command.arg("read").args(captures).arg("--indicators").arg(list);
    command.args(["--format", "jsonl", "--evidence"]).arg(evidence);
    command.output().unwrap().into()
}

/// The frames that an attribution names, for each client (or none) and indicator.
fn named(run: &Run) -> BTreeMap<(String, String), BTreeSet<u64>> {
    let mut named: BTreeMap<(String, String), BTreeSet<u64>> = BTreeMap::new();
    for line in run.json().iter().filter(|line| line["type"] == "attribution") {
        let sighting = &line["sighting"];
        let of = |value: &Value| value.as_u64();
        let upstream = [of(&sighting["frame"]), of(&sighting["response_frame"])];
        let indicator = line["indicator"]["value"].as_str().unwrap().to_owned();
        let clients = line["clients"].as_array().unwrap();
        if clients.is_empty() {
            let all = named.entry((String::new(), indicator.clone())).or_default();
            all.extend(upstream.iter().flatten());
        }
        for client in clients {
            let contact = of(&client["contact"]["frame"]);
            let own = [of(&client["asked_frame"]), of(&client["answer_frame"]), contact];
            let chain = client["chain"].as_array().unwrap().iter().map(|step| of(&step["frame"]));
            let key = (client["ip"].as_str().unwrap().to_owned(), indicator.clone());
            let all = named.entry(key).or_default();
            all.extend(own.into_iter().chain(upstream).chain(chain).flatten());
        }
    }
    named
}

/// The rows of the index.
fn index(directory: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(directory.join("index.csv")).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn same(one: &Taken, other: &Taken) -> bool {
    (one.time, one.link, one.original_len) == (other.time, other.link, other.original_len)
        && one.bytes == other.bytes
}

#[test]
fn each_file_has_the_frames_of_its_attributions_as_they_were_captured() {
    let mut seen = 0;
    for capture in bundled() {
        let directory = tempfile::tempdir().unwrap();
        let list = directory.path().join("list.txt");
        fs::write(&list, &capture.indicators).unwrap();
        let evidence = directory.path().join("evidence");
        let run = read(&[&capture.path], &list, &evidence);
        let name = capture.path.display();
        assert_eq!(run.faults(), "", "{name}");
        let whole = frames(&capture.path);
        let named = named(&run);
        let rows = index(&evidence);
        assert_eq!(rows.len(), named.len(), "{name}");
        assert_eq!(files_below(&evidence).len(), rows.len() + 1, "{name}");
        for row in rows {
            let path = evidence.join(&row["file"]);
            let indicator = row["indicator"].strip_prefix('\'').unwrap_or(&row["indicator"]);
            let wanted = &named[&(row["client"].clone(), indicator.to_owned())];
            let kept = frames(&path);
            assert_eq!(row["frames"], kept.len().to_string(), "{}", path.display());
            for number in wanted {
                let original = &whole[*number as usize - 1];
                assert!(kept.iter().any(|frame| same(frame, original)), "{name} frame {number}");
            }
            // Only what a message is put together from may be there beside them.
            for frame in &kept {
                assert!(whole.iter().any(|original| same(frame, original)), "{}", path.display());
            }
            let is_in_pieces = ["tcp", "tc-", "frag"]
                .iter()
                .any(|part| capture.path.to_str().unwrap().contains(part));
            if !is_in_pieces {
                assert_eq!(kept.len(), wanted.len(), "{}", path.display());
            }
            seen += kept.len();
        }
    }
    assert!(seen > 500, "{seen} frames are evidence");
}

/// Two sensors, one of which sees what goes out 3 s too early. Read as one clock's, they are evidence as one clock's.
#[test]
fn evidence_of_two_clocks_is_in_the_order_in_which_it_was_judged() {
    const AHEAD: i64 = 3_000_000_000;
    let directory = tempfile::tempdir().unwrap();
    let [inside, outside, evidence] =
        ["inside.pcap", "outside.pcap", "evidence"].map(|name| directory.path().join(name));
    let whole = frames(&project("captures/office.pcap"));
    let (within, mut without): (Vec<Taken>, Vec<Taken>) =
        whole.iter().cloned().partition(|frame| {
            let ends = frame.bytes.get(26..34).unwrap_or_default();
            ends.len() == 8 && ends[..3] == ends[4..7]
        });
    without.iter_mut().for_each(|frame| frame.time -= AHEAD);
    fs::write(&inside, pcap(&within)).unwrap();
    fs::write(&outside, pcap(&without)).unwrap();
    let mut command = program();
    command.arg("read").args([&inside, &outside]).arg("--indicators");
    command.arg(project("captures/flagged.txt")).arg("--evidence").arg(&evidence);
    let shift = format!("{}=3", outside.display());
    let run: Run = command.args(["--time-shift", &shift]).output().unwrap().into();
    assert_eq!((run.code, run.faults().as_str()), (Some(1), ""));
    let path = evidence.join("192.168.2.42_mi.kenal-cn.com.pcapng");
    let kept = frames(&path);
    assert!(kept.len() > 5 && kept.iter().all(|frame| whole.iter().any(|one| same(frame, one))));
    let said = fs::read(&path).unwrap();
    let said = String::from_utf8_lossy(&said);
    let added = format!("+3 s is added to the times of {}", outside.display());
    assert!(said.contains(&added) && !said.contains("inside.pcap;"));
}

#[test]
fn tshark_opens_the_files_and_shows_the_comments() {
    if !Command::new("tshark").arg("--version").output().is_ok_and(|out| out.status.success()) {
        println!("skipped: no tshark");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let evidence = directory.path().join("evidence");
    let run =
        read(&[&project("captures/office.pcap")], &project("captures/flagged.txt"), &evidence);
    assert_eq!((run.code, run.faults().as_str()), (Some(1), ""));
    let file = evidence.join("192.168.2.42_mi.kenal-cn.com.pcapng");
    let tshark = Command::new("tshark")
        .args([
            "-T",
            "fields",
            "-e",
            "frame.time_epoch",
            "-e",
            "dns.qry.name",
            "-e",
            "frame.comment",
            "-r",
        ])
        .arg(&file)
        .output()
        .unwrap();
    assert!(tshark.status.success(), "{}", String::from_utf8_lossy(&tshark.stderr));
    let text = String::from_utf8(tshark.stdout).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let kept = frames(&file);
    assert_eq!(lines.len(), kept.len());
    for (line, frame) in lines.iter().zip(&kept) {
        let [time, name, comment] = line[..] else { panic!("{line:?}") };
        let nanos = format!("{}.{:09}", frame.time / 1_000_000_000, frame.time % 1_000_000_000);
        assert_eq!(time, nanos);
        let connects = comment.contains("192.168.2.42 then connects to 203.0.113.67, TCP port 443");
        assert_eq!(name, if connects { "" } else { "mi.kenal-cn.com" }, "{comment}");
        assert!(comment.starts_with("frame ") && comment.contains("192.168.2."), "{comment}");
    }
    assert_eq!(text.matches("then connects to").count(), 3, "{text}");
    assert!(text.contains(
        "frame 541: 192.168.2.42 (initiator) asks 192.168.2.194 for mi.kenal-cn.com (A)"
    ));
}

#[test]
fn the_evidence_alone_names_the_same_client() {
    let directory = tempfile::tempdir().unwrap();
    let evidence = directory.path().join("evidence");
    let list = project("captures/flagged.txt");
    read(&[&project("captures/office.pcap")], &list, &evidence);
    for row in index(&evidence) {
        let mut command = program();
        command.arg("read").arg(evidence.join(&row["file"])).arg("--indicators").arg(&list);
        // That they are DNS servers is known from the rest of the capture.
        command.args(["--resolver", "192.168.2.194", "--resolver", "192.168.2.12"]);
        let run: Run = command.args(["--format", "jsonl"]).output().unwrap().into();
        let lines = run.json();
        let summary = lines.iter().filter(|line| line["type"] == "summary");
        let named: Vec<_> = summary
            .map(|line| {
                (line["client"].as_str().unwrap(), line["indicator"]["value"].as_str().unwrap())
            })
            .collect();
        let expected = (row["client"].as_str(), row["indicator"].as_str());
        assert_eq!(named, if row["client"].is_empty() { vec![] } else { vec![expected] });
    }
}

#[test]
fn a_message_in_several_frames_is_there_whole() {
    let directory = tempfile::tempdir().unwrap();
    for (name, remark) in [
        ("ip-fragments", "a fragment of the packet that frame 8 completes"),
        ("tc-tcp-fallback", "before frame 12 in its TCP connection"),
    ] {
        let list = project(&format!("captures/{name}.indicators.txt"));
        let evidence = directory.path().join(name);
        let run = read(&[&project(&format!("captures/{name}.pcap"))], &list, &evidence);
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""), "{name}");
        let row = index(&evidence).remove(0);
        let wanted: usize = named(&run).values().next().unwrap().len();
        assert!(row["frames"].parse::<usize>().unwrap() > wanted, "{name}: {row:?}");
        let path = evidence.join(&row["file"]);
        let content = fs::read(&path).unwrap();
        assert!(String::from_utf8_lossy(&content).contains(remark), "{name}");
        // It reads as the capture did: the long answer of the server, whole.
        let messages = |path: &Path| whoasked(["messages".as_ref(), path.as_os_str()]).json();
        let long = |lines: &[Value]| {
            lines
                .iter()
                .filter(|line| line["response"] == true && line["malformed"].is_null())
                .count()
        };
        let there = messages(&path);
        assert!(long(&there) >= 2, "{name}: {there:?}");
    }
}

#[test]
fn a_capture_in_pieces_gives_the_same_evidence_and_says_which_piece() {
    let directory = tempfile::tempdir().unwrap();
    let whole = frames(&project("captures/office.pcap"));
    let (one, two) = (directory.path().join("one.pcap"), directory.path().join("two.pcap"));
    let (first, second) = whole.split_at(whole.len() / 2);
    fs::write(&one, pcap(first)).unwrap();
    fs::write(&two, pcap(second)).unwrap();
    let list = project("captures/flagged.txt");
    let (all, parts) = (directory.path().join("all"), directory.path().join("parts"));
    read(&[&project("captures/office.pcap")], &list, &all);
    let run = read(&[&one, &two], &list, &parts);
    assert_eq!((run.code, run.faults().as_str()), (Some(1), ""));
    let mut files = 0;
    for path in files_below(&all).into_iter().filter(|path| path.extension().unwrap() == "pcapng") {
        let other = parts.join(path.file_name().unwrap());
        let (one, other_frames) = (frames(&path), frames(&other));
        assert_eq!(one.len(), other_frames.len(), "{}", other.display());
        assert!(one.iter().zip(&other_frames).all(|(one, other)| same(one, other)));
        let content = fs::read(&other).unwrap();
        let content = String::from_utf8_lossy(&content);
        assert!(content.contains("one.pcap frame ") || content.contains("two.pcap frame "));
        files += 1;
    }
    assert!(files > 5);
}

#[test]
fn evidence_needs_a_directory_of_its_own_and_captures_that_can_be_read_twice() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("old.pcapng"), b"of another run").unwrap();
    let list = project("captures/flagged.txt");
    let run = read(&[&project("captures/office.pcap")], &list, directory.path());
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("is not empty"), "{}", run.stderr);
    let run = read(&[Path::new("-")], &list, &directory.path().join("new"));
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("reads the captures twice"), "{}", run.stderr);
    assert!(!directory.path().join("new").exists());
}
