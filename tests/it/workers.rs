//! The answer is the same, byte for byte, each time and for any number of workers; and the same for a capture that was
//! cut into several files, but for the names of the files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::support::{
    Labelled, bundled, frames, laboratory, make_traffic, pcap, read_jsonl, whoasked,
};

/// The bundled captures, and a few of the laboratory's.
fn captures() -> Vec<Labelled> {
    let mut captures = bundled();
    captures.extend(laboratory(&[
        "bind/s04-coalesce-fwd-1",
        "unbound/s10-tcp-1",
        "unbound/s10-frag-1",
        "bind/s08-mix-s13-decoy-iter-1",
        "pdns/s07-dcchain-1",
    ]));
    assert!(!captures.is_empty());
    captures
}

#[test]
fn any_number_of_workers_says_the_same() {
    for capture in bundled().into_iter().chain(laboratory(&[""])) {
        let name = capture.path.display();
        let files = [capture.path.clone()];
        let alone = read_jsonl(&files, &capture.indicators, 1);
        assert!(matches!(alone.code, Some(0 | 1)), "{name}: {}", alone.stderr);
        for workers in [2, 3, 5] {
            let run = read_jsonl(&files, &capture.indicators, workers);
            assert!(run.stdout == alone.stdout, "{name}: {workers} workers say something else");
            assert_eq!(run.code, alone.code, "{name}: {workers} workers");
        }
    }
}

/// The files that a capture was cut into, and how many frames stand before each.
struct Cut {
    paths: Vec<PathBuf>,
    before: Vec<u64>,
    _directory: tempfile::TempDir,
}

impl Cut {
    fn new(capture: &Labelled, parts: usize) -> Cut {
        let frames = frames(&capture.path);
        let directory = tempfile::tempdir().unwrap();
        let (mut paths, mut before) = (Vec::new(), Vec::new());
        for (part, chunk) in frames.chunks(frames.len().div_ceil(parts)).enumerate() {
            let path = directory.path().join(format!("part-{part}.pcap"));
            fs::write(&path, pcap(chunk)).unwrap();
            before.push(paths.len() as u64 * frames.len().div_ceil(parts) as u64);
            paths.push(path);
        }
        Cut { paths, before, _directory: directory }
    }

    /// An object with frames numbered as in the whole capture, and without what names files.
    fn whole(&self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                self.whole_frames(object);
                object.values_mut().for_each(|value| self.whole(value));
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.whole(value)),
            _ => {}
        }
    }

    fn whole_frames(&self, object: &mut Map<String, Value>) {
        let keys: Vec<String> = object.keys().cloned().collect();
        for key in &keys {
            let Some(prefix) = key.strip_suffix("frame") else { continue };
            let file = object.remove(&format!("{prefix}file"));
            let Some(number) = object.get(key).and_then(Value::as_u64) else { continue };
            let file = file.expect("a frame of several files says which");
            let place = self.paths.iter().position(|path| file == path.to_str().unwrap()).unwrap();
            object.insert(key.clone(), Value::from(number + self.before[place]));
        }
        for key in ["id", "resolution_id"] {
            if let Some(id) = object.get(key).and_then(Value::as_str) {
                let whole = self.whole_id(id);
                object.insert(key.to_owned(), Value::from(whole));
            }
        }
        object.remove("files");
    }

    /// `f12-l0.3` of the first file and `f1.12-l0.3` of the second, as of one file.
    fn whole_id(&self, id: &str) -> String {
        let Some((frame, rest)) =
            id.strip_prefix('f').map(|id| id.split_once('-').unwrap_or((id, "")))
        else {
            return id.to_owned();
        };
        let (file, number) = frame.split_once('.').unwrap_or(("0", frame));
        let before = self.before[file.parse::<usize>().unwrap()];
        let number = number.parse::<u64>().unwrap() + before;
        if rest.is_empty() { format!("f{number}") } else { format!("f{number}-{rest}") }
    }
}

#[test]
fn a_capture_cut_into_files_says_the_same() {
    for capture in captures() {
        let name = capture.path.display();
        let whole = read_jsonl(std::slice::from_ref(&capture.path), &capture.indicators, 1);
        let mut lines = whole.json();
        for line in &mut lines {
            line.as_object_mut().unwrap().remove("files");
        }
        for parts in [2, 5] {
            let cut = Cut::new(&capture, parts);
            let run = read_jsonl(&cut.paths, &capture.indicators, 3);
            assert_eq!(run.code, whole.code, "{name} in {parts}: {}", run.stderr);
            let mut seen = run.json();
            seen.iter_mut().for_each(|line| cut.whole(line));
            for (place, (one, other)) in lines.iter().zip(&seen).enumerate() {
                assert_eq!(one, other, "{name} in {parts} files, line {}", place + 1);
            }
            assert_eq!(lines.len(), seen.len(), "{name} in {parts} files");
        }
    }
}

/// So much is asked for the same few domains that limits on looking are reached, by what filters pass by chance. With a
/// key drawn anew each time, one run in three said something else.
#[test]
fn the_same_capture_says_the_same_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let [capture, list] = ["asked.pcap", "flagged.txt"].map(|name| directory.path().join(name));
    let listed = ["--indicators", "100", "--list", list.to_str().unwrap()];
    let asked = ["--packets", "100000", "--random", "0.5", "--flagged", "0.3", "--domains", "10"];
    let asked = [&listed[..], &asked, &["--clients", "400", "--seed", "3"]].concat();
    make_traffic(&asked, &capture);
    let read = || {
        let run = whoasked([Path::new("read"), &capture, Path::new("--indicators"), &list]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        run.stdout
    };
    let first = read();
    for time in 2..=10 {
        assert!(read() == first, "time {time} says something else than the first");
    }
}
