//! House rules: what imports what, one door to each dependency, and how files look.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may import of ours, beside the ground. A module that is not here may import nothing.
///
/// `report` writes what `pipeline` and `packet` counted, and what `messages` holds; it starts nothing.
const LAYERS: &[(&str, &[&str])] = &[
    ("capture", &[]),
    ("packet", &[]),
    ("message", &["packet"]),
    ("transaction", &["packet", "message"]),
    ("resolution", &["message", "transaction"]),
    ("indicator", &[]),
    ("identity", &["packet", "message"]),
    ("contact", &["packet", "message", "indicator"]),
    (
        "attribution",
        &["packet", "message", "transaction", "resolution", "indicator", "identity", "contact"],
    ),
    ("alert", &["message", "resolution", "indicator", "identity", "attribution"]),
    ("pipeline", &["capture", "packet", "message", "indicator"]),
    (
        "report",
        &[
            "packet",
            "message",
            "transaction",
            "resolution",
            "indicator",
            "identity",
            "contact",
            "attribution",
            "alert",
            "pipeline",
        ],
    ),
    (
        "evidence",
        &["capture", "packet", "contact", "resolution", "indicator", "attribution", "report"],
    ),
    (
        "live",
        &[
            "capture",
            "packet",
            "message",
            "transaction",
            "resolution",
            "indicator",
            "attribution",
            "pipeline",
            "report",
        ],
    ),
    ("screen", &["resolution", "attribution", "identity", "contact", "pipeline", "report", "live"]),
    (
        "cli",
        &[
            "capture",
            "packet",
            "message",
            "transaction",
            "resolution",
            "indicator",
            "identity",
            "contact",
            "attribution",
            "alert",
            "pipeline",
            "report",
            "evidence",
            "live",
            "screen",
        ],
    ),
];

/// What all may import, and what imports nothing but itself.
const GROUND: &[&str] = &["time", "frame", "flow", "name", "number", "bounded", "rows", "text"];

/// The one place that sees a dependency, or the few.
const DOORS: &[(&str, &[&str])] = &[
    ("pcap", &["src/capture/"]),
    ("etherparse", &["src/packet/"]),
    ("hickory_proto", &["src/message/full.rs", "src/indicator/load/rpz.rs"]),
    ("clap", &["src/cli/"]),
    ("crossbeam_channel", &["src/pipeline/"]),
    ("hdrhistogram", &["src/resolution/latency.rs", "src/live/", "src/screen/draw/tests.rs"]),
    ("ctrlc", &["src/cli/"]),
    ("indicatif", &["src/cli/progress.rs"]),
    ("anyhow", &["src/cli/"]),
    ("serde_json", &["src/report/", "src/indicator/load/", "src/alert/load/"]),
    (
        "csv",
        &["src/rows.rs", "src/report/", "src/indicator/load/", "src/alert/load/", "src/identity/"],
    ),
    ("askama", &["src/report/"]),
    ("pcap_file", &["src/evidence/"]),
    ("addr", &["src/indicator/", "src/attribution/", "src/alert/"]),
    ("base64", &["src/indicator/load/", "src/alert/load/text/mail.rs"]),
    ("dhcproto", &["src/identity/"]),
    ("kerberos_parser", &["src/identity/"]),
    ("tls_parser", &["src/contact/"]),
    ("toml", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("clap_mangen", &["src/cli/"]),
    ("flate2", &["src/capture/", "src/text.rs"]),
    ("zstd", &["src/capture/", "src/text.rs", "src/indicator/load/"]),
    ("idna", &["src/indicator/load/"]),
    ("jiff", &["src/time.rs", "src/time/"]),
    ("landlock", &["src/live/confine"]),
    ("seccompiler", &["src/live/confine"]),
    ("caps", &["src/live/confine"]),
    ("nix", &["src/live/", "src/capture/live/", "src/capture/reader.rs", "src/screen/"]),
    ("prometheus_client", &["src/live/metrics"]),
    ("libc", &["src/capture/live/fanout.rs", "src/live/confine"]),
    ("signal_hook", &["src/cli/live/"]),
    ("ratatui", &["src/screen/"]),
    ("prefetch_index", &["src/bounded.rs"]),
];

/// The longest a source file may be.
const LINES_MAX: usize = 800;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A text file of the project: its path from the root with `/`, and its content.
struct Text {
    path: String,
    content: String,
}

impl Text {
    /// Its lines by number, without comments that fill a line.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.content.lines().enumerate();
        lines
            .map(|(at, line)| (at + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// The files below some directories, and some by name, with one of these endings.
fn texts(places: &[&str], endings: &[&str]) -> Vec<Text> {
    let mut paths = Vec::new();
    for place in places {
        collect(&root().join(place), &mut paths);
    }
    paths.sort();
    let wanted =
        |path: &PathBuf| endings.iter().any(|ending| path.to_str().unwrap().ends_with(ending));
    let texts = paths.into_iter().filter(wanted).map(|path| Text {
        content: fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"),
    });
    texts.collect()
}

fn collect(place: &Path, paths: &mut Vec<PathBuf>) {
    if place.file_name().is_some_and(|name| name == "target") {
        return;
    }
    match fs::read_dir(place) {
        Ok(entries) => entries.for_each(|entry| collect(&entry.unwrap().path(), paths)),
        Err(_) if place.is_file() => paths.push(place.to_owned()),
        Err(_) => {}
    }
}

fn sources() -> Vec<Text> {
    let sources = texts(&["src"], &[".rs"]);
    assert!(sources.len() > 20, "the sources are found");
    sources
}

/// Where a word stands in a line as a path's first part: `word::`, with nothing of a name before it.
fn names_crate(line: &str, word: &str) -> bool {
    line.match_indices(&format!("{word}::")).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

#[test]
fn imports_point_one_way() {
    let mut broken = Vec::new();
    for text in sources() {
        let inner = text.path.strip_prefix("src/").unwrap();
        let module = inner.split(['/', '.']).next().unwrap();
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let may = LAYERS.iter().find(|(name, _)| *name == module).map(|(_, may)| *may);
        assert!(may.is_some() || GROUND.contains(&module), "{} is in no layer", text.path);
        // A test builds what its subject is given: it may see all that stands before it.
        let is_test = inner.ends_with("tests.rs") || inner.contains("/tests/");
        let before = LAYERS.iter().map(|(name, _)| *name).take_while(|name| *name != module);
        let before: Vec<&str> = before.filter(|_| is_test).collect();
        for (number, line) in text.code() {
            assert!(!line.contains("use crate::{"), "{}:{number}: one `use` a module", text.path);
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let seen = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                let allowed = seen == module
                    || GROUND.contains(&seen)
                    || before.contains(&seen)
                    || may.is_some_and(|may| may.contains(&seen));
                if !allowed {
                    broken.push(format!("{}:{number}: {module} sees {seen}", text.path));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn layers_have_no_circles() {
    // Each may see only what stands before it, so the list is an order.
    let mut before: BTreeSet<&str> = BTreeSet::new();
    for (module, may) in LAYERS {
        for seen in *may {
            assert!(before.contains(seen), "{module} sees {seen}, which does not stand before it");
        }
        before.insert(module);
    }
}

#[test]
fn each_dependency_has_one_door() {
    let mut broken = Vec::new();
    for text in sources() {
        for (number, line) in text.code() {
            for (dependency, doors) in DOORS {
                let inside = doors.iter().any(|door| text.path.starts_with(door));
                if !inside && names_crate(line, dependency) {
                    broken.push(format!("{}:{number}: {dependency} is not for here", text.path));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn only_what_runs_starts_threads() {
    for text in sources() {
        let may = ["src/pipeline/", "src/live/", "src/screen/", "src/cli/"]
            .iter()
            .any(|place| text.path.starts_with(place));
        for (number, line) in text.code() {
            let starts = ["thread::spawn", "thread::scope", "thread::Builder"];
            let found = starts.iter().find(|start| line.contains(**start));
            assert!(may || found.is_none(), "{}:{number}: {found:?}", text.path);
        }
    }
}

#[test]
fn files_are_short_enough_to_read() {
    for text in texts(&["src", "tests", "captures", "benches", "fuzz"], &[".rs"]) {
        let lines = text.content.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines, at most {LINES_MAX}", text.path);
        if text.path == "src/main.rs" {
            assert!(lines < 40, "main.rs runs and maps the outcome: {lines} lines");
        }
    }
}

#[test]
fn modules_begin_with_what_they_are_for() {
    for text in texts(&["src", "tests", "captures", "benches"], &[".rs"]) {
        assert!(text.content.starts_with("//! "), "{} has no header", text.path);
    }
}

#[test]
fn nothing_is_left_to_do() {
    // Written so that this file does not find itself.
    let left = ["todo", "unimplemented", "dbg"].map(|word| format!("{word}!("));
    for text in texts(&["src", "tests", "captures", "benches", "fuzz"], &[".rs"]) {
        for (number, line) in text.code() {
            for word in &left {
                assert!(!line.contains(word), "{}:{number}: {word}", text.path);
            }
        }
    }
}

#[test]
fn no_file_names_a_machine() {
    let machine = ["work", "root", "home", "Users"].map(|place| format!("/{place}/"));
    let places = [
        "src",
        "tests",
        "captures",
        "benches",
        "fuzz",
        "docs",
        ".ci",
        "Makefile",
        "Cargo.toml",
        "README.md",
        "ARCHITECTURE.md",
    ];
    for text in
        texts(&places, &[".rs", ".md", ".toml", ".txt", ".json", "Makefile", "run", "setup"])
    {
        for (number, line) in text.content.lines().enumerate() {
            for place in &machine {
                // Inside a longer path it is a place of the project.
                let found = line.match_indices(place.as_str()).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-~>)}/".contains(c))
                });
                assert!(!found, "{}:{}: names {place}", text.path, number + 1);
            }
        }
    }
}

#[test]
fn every_capture_has_a_row() {
    let Ok(readme) = fs::read_to_string(root().join("captures/README.md")) else {
        println!("skipped: no captures/README.md");
        return;
    };
    let mut paths = Vec::new();
    collect(&root().join("captures"), &mut paths);
    for path in paths {
        let path = path.strip_prefix(root().join("captures")).unwrap().to_str().unwrap().to_owned();
        let inner = ["scenarios/", "generate/", "README.md", "flagged.txt"];
        // What is flagged in the demo is named where the demo is.
        if inner.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        // Truth and list go with their capture.
        let endings = [".truth.json", ".indicators.txt", ".pcap", ".txt"];
        let stem = endings.iter().find_map(|ending| path.split_once(ending));
        let stem = stem.map_or(path.as_str(), |(stem, _)| stem);
        let mut rows = readme.lines().filter(|line| line.starts_with("| "));
        let row = rows
            .any(|row| row.contains(&format!("`{stem}.")) || row.contains(&format!("`{stem}`")));
        assert!(row, "{path} has no row in captures/README.md");
    }
}
