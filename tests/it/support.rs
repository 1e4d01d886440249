//! Running the program, finding captures and their indicators, taking captures apart.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use whoasked::capture::{Damage, Reader};
use whoasked::frame::Batch;

/// How a run of the program ended.
#[derive(Debug)]
pub struct Run {
    /// What it wrote on stdout.
    pub stdout: String,
    /// What it wrote on stderr.
    pub stderr: String,
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        Run {
            stdout: String::from_utf8(output.stdout).expect("the output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("the messages are UTF-8"),
            code: output.status.code(),
        }
    }
}

impl Run {
    /// What it said on stderr, but for entries of lists that are broader than is likely meant.
    pub fn faults(&self) -> String {
        self.stderr
            .split_inclusive('\n')
            .filter(|line| !line.contains(": expect false alarms; "))
            .collect()
    }

    /// The lines of its stdout as JSON.
    pub fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

/// The program, to be given arguments.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whoasked"));
    command.stdin(Stdio::null()).env("TZ", "UTC");
    command
}

/// Runs the program to its end.
pub fn whoasked<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Run {
    program().args(arguments).output().expect("the program starts").into()
}

/// A directory in which a test runs the program; gone at its end.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// An empty one.
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// The path of what is called so in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Runs the program there.
    pub fn run(&self, line: &str) -> Run {
        let words = line.split_whitespace();
        let run: Run = program().current_dir(self.0.path()).args(words).output().unwrap().into();
        assert!(!run.stderr.contains("panicked"), "{line}: {}", run.stderr);
        run
    }

    /// Runs it and checks that it failed with a message that holds all of `words`.
    pub fn fails(&self, line: &str, words: &[&str]) -> Run {
        let run = self.run(line);
        assert_eq!(run.code, Some(2), "{line}: {run:?}");
        for word in words {
            assert!(run.stderr.contains(word), "{line}: {word:?} is not in {:?}", run.stderr);
        }
        run
    }
}

/// `whoasked read --format jsonl`, with a list of indicators, one a line.
pub fn read_jsonl(files: &[PathBuf], indicators: &str, workers: usize) -> Run {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list.txt");
    fs::write(&list, indicators).unwrap();
    let mut command = program();
    command.arg("read").args(files).args(["--format", "jsonl", "--workers", &workers.to_string()]);
    command.arg("--indicators").arg(&list).output().expect("the program starts").into()
}

/// What the bundled office has flagged, as STIX in one line: a name and its address.
pub fn bundle_in_one_line() -> String {
    let patterns = ["domain-name:value = 'mi.kenal-cn.com'", "ipv4-addr:value = '203.0.113.67'"];
    let indicators: Vec<Value> = patterns
        .iter()
        .enumerate()
        .map(|(n, pattern)| {
            serde_json::json!({
                "type": "indicator", "spec_version": "2.1", "id": format!("indicator--{n}"),
                "pattern": format!("[{pattern}]"), "pattern_type": "stix",
                "valid_from": "2026-01-01T00:00:00Z",
            })
        })
        .collect();
    serde_json::json!({ "type": "bundle", "id": "bundle--1", "objects": indicators }).to_string()
}

/// Has the generator of the benchmarks write a capture, and a list if that is among the options.
pub fn make_traffic(options: &[&str], capture: &Path) {
    // Examples are built with the tests, beside them.
    let tests = std::env::current_exe().unwrap();
    let generator = tests.parent().unwrap().parent().unwrap().join("examples/traffic");
    let run = Command::new(&generator).args(options).arg("--out").arg(capture).output();
    let run = run.expect("the generator is built with the tests");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// A path in the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A directory of the optional test data; `None`, with a word about it, when it is not there.
pub fn shared(directory: &str) -> Option<PathBuf> {
    let root = std::env::var_os("WHOASKED_SHARED")
        .map_or_else(|| project("../shared"), PathBuf::from)
        .join(directory);
    if !root.is_dir() {
        println!("skipped: no ../shared/{directory}");
        return None;
    }
    Some(root)
}

/// All files below a directory, in the order of their names.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// A capture with what is flagged in it.
pub struct Labelled {
    /// The capture.
    pub path: PathBuf,
    /// The list of indicators, one a line.
    pub indicators: String,
}

/// The bundled captures.
pub fn bundled() -> Vec<Labelled> {
    let captures = files_below(&project("captures")).into_iter();
    captures.filter_map(|path| Some(Labelled { indicators: indicators_of(&path)?, path })).collect()
}

/// The captures of the optional laboratory whose path contains one of `parts`.
pub fn laboratory(parts: &[&str]) -> Vec<Labelled> {
    let Some(root) = shared("lab-captures") else { return Vec::new() };
    let captures = files_below(&root).into_iter();
    captures
        .filter(|path| parts.iter().any(|part| path.to_str().unwrap().contains(part)))
        .filter_map(|path| Some(Labelled { indicators: indicators_of(&path)?, path }))
        .collect()
}

/// The indicators of a capture, from what lies beside it; `None` of what is no capture.
fn indicators_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let (stem, _) = name.split_once(".pcap")?;
    let beside = |name: String| fs::read(path.with_file_name(name)).ok();
    if stem == "office" {
        return Some(String::from_utf8(beside("flagged.txt".to_owned())?).unwrap());
    }
    if let Some(list) = beside(format!("{stem}.indicators.txt")) {
        return Some(String::from_utf8(list).unwrap());
    }
    let truth = read_truth(path)?;
    let lines = truth["indicators"].as_array()?.iter().map(|indicator| {
        let exact = indicator["match"] == "exact" && indicator["type"] == "domain";
        format!("{}{}\n", if exact { "=" } else { "" }, indicator["value"].as_str().unwrap())
    });
    Some(lines.collect())
}

/// What is true of a capture, as the file beside it says.
pub fn read_truth(path: &Path) -> Option<Value> {
    let (stem, _) = path.file_name()?.to_str()?.split_once(".pcap")?;
    let beside = |name: &str| fs::read(path.with_file_name(name)).ok();
    if let Some(plain) = beside(&format!("{stem}.truth.json")).or_else(|| beside("truth.json")) {
        return Some(serde_json::from_slice(&plain).unwrap());
    }
    let packed = beside(&format!("{stem}.truth.json.gz")).or_else(|| beside("truth.json.gz"))?;
    let mut truth = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut truth).unwrap();
    Some(serde_json::from_str(&truth).unwrap())
}

/// A frame taken out of its capture.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// The link type by number.
    pub link: u16,
    /// Octets on the wire.
    pub original_len: u32,
    /// What was captured of them.
    pub bytes: Vec<u8>,
}

/// All frames of a capture.
pub fn frames(path: &Path) -> Vec<Taken> {
    frames_and_damage(path).0
}

/// All frames of a capture, and what is wrong with it.
pub fn frames_and_damage(path: &Path) -> (Vec<Taken>, Vec<Damage>) {
    let mut reader = Reader::open(&[path.to_owned()]).unwrap();
    let (mut batch, mut taken) = (Batch::new(), Vec::new());
    while reader.fill(&mut batch) {
        taken.extend(batch.frames().map(|frame| Taken {
            time: frame.time.0,
            link: frame.link.0,
            original_len: frame.original_len,
            bytes: frame.bytes.to_vec(),
        }));
    }
    (taken, reader.damage().to_vec())
}

/// A pcap file with nanoseconds, of frames that share a link type.
pub fn pcap(frames: &[Taken]) -> Vec<u8> {
    let mut file = Vec::new();
    let link = frames.first().map_or(1, |frame| frame.link);
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, u32::from(link)] {
        file.extend(u32::to_le_bytes(word));
    }
    for frame in frames {
        assert_eq!(frame.link, link, "one link type a file");
        let (seconds, nanos) = (frame.time / 1_000_000_000, frame.time % 1_000_000_000);
        for word in [seconds as u32, nanos as u32, frame.bytes.len() as u32, frame.original_len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&frame.bytes);
    }
    file
}
