//! What `whoasked read --format jsonl` prints is what docs/schema.json says, on every capture at hand.
//!
//! Further captures, of a laboratory, are read if `WHOASKED_SHARED` (or `../shared`) has them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

/// The schema, compiled.
struct Schema {
    schemas: Schemas,
    line: SchemaIndex,
}

impl Schema {
    fn load() -> Schema {
        let text = std::fs::read_to_string(root().join("docs/schema.json")).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let address = "http://localhost/schema.json";
        compiler.add_resource(address, serde_json::from_str(&text).unwrap()).unwrap();
        let line = compiler.compile(address, &mut schemas).unwrap();
        Schema { schemas, line }
    }

    fn accepts(&self, line: &Value) -> Result<(), String> {
        self.schemas.validate(line, self.line).map_err(|error| format!("{error:#}\n{line:#}"))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of a run, and its exit code.
fn read(arguments: &[&str], files: &[&Path], list: &Path) -> (Vec<Value>, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_whoasked"))
        .args(["read", "--format", "jsonl", "--no-progress"])
        .args(files)
        .args(arguments)
        .arg("--indicators")
        .arg(list)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, output.status.code().unwrap())
}

/// A run's lines are of the schema, in the order promised, and agree with one another.
fn check(schema: &Schema, what: &str, (lines, code): (Vec<Value>, i32)) {
    for line in &lines {
        schema.accepts(line).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let types: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let order = ["attribution", "indicator", "summary", "answer", "coverage"];
    let place = |name: &&str| order.iter().position(|known| known == name);
    assert!(types.is_sorted_by_key(place), "{what}: attributions, indicators, summaries, coverage");
    assert_eq!(types.iter().filter(|name| **name == "coverage").count(), 1, "{what}");
    let verdicts = lines.last().unwrap()["verdicts"].as_object().unwrap();
    let total: u64 = verdicts.values().map(|count| count.as_u64().unwrap()).sum();
    let attributions = types.iter().filter(|name| **name == "attribution").count();
    assert_eq!(total, attributions as u64, "{what}: the verdicts add up");
    assert_eq!(code, i32::from(attributions > 0), "{what}: exit code");
}

/// The captures of the repository, each with its list: `NAME.indicators.txt`, the demo's
/// `flagged.txt`, or the truth of a real resolver's.
fn bundled(lists: &Path) -> Vec<(PathBuf, PathBuf)> {
    let captures = root().join("captures");
    let mut found = Vec::new();
    for path in files_in(&captures) {
        let demo = captures.join("flagged.txt");
        let own = path.with_extension("indicators.txt");
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("pcap") if own.exists() => found.push((path, own)),
            Some("pcap") if path.ends_with("office.pcap") => found.push((path, demo)),
            _ => {}
        }
    }
    for path in files_in(&captures.join("lab")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(name) = name.strip_suffix(".pcap.zst") {
            let list = list_of_truth(&path.with_file_name(format!("{name}.truth.json.gz")), lists);
            found.push((path, list));
        }
    }
    found
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Writes a list of the indicators in a truth file, which is compressed or not.
fn list_of_truth(truth: &Path, lists: &Path) -> PathBuf {
    let mut text = String::new();
    match std::fs::File::open(truth) {
        Ok(file) => flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap(),
        Err(_) => std::fs::File::open(truth.with_extension(""))
            .unwrap()
            .read_to_string(&mut text)
            .unwrap(),
    };
    let truth: Value = serde_json::from_str(&text).unwrap();
    let values = truth["indicators"].as_array().unwrap().iter().map(|indicator| {
        let mark = if indicator["match"] == "exact" { "=" } else { "" };
        format!("{mark}{}\n", indicator["value"].as_str().unwrap())
    });
    let number = files_in(lists).len();
    let list = lists.join(format!("truth-{number}.txt"));
    std::fs::write(&list, values.collect::<String>()).unwrap();
    list
}

#[test]
fn every_bundled_capture_gives_lines_of_the_schema() {
    let (schema, lists) = (Schema::load(), tempfile::tempdir().unwrap());
    let captures = bundled(lists.path());
    if captures.is_empty() {
        println!("skipped: no captures");
    }
    for (capture, list) in &captures {
        check(&schema, &capture.display().to_string(), read(&[], &[capture], list));
    }
}

#[test]
fn captures_of_the_laboratory_give_lines_of_the_schema() {
    let shared = std::env::var_os("WHOASKED_SHARED").map(PathBuf::from);
    let folder = shared.unwrap_or_else(|| root().join("../shared")).join("lab-captures");
    if !folder.is_dir() {
        println!("skipped: no ../shared");
        return;
    }
    let (schema, lists) = (Schema::load(), tempfile::tempdir().unwrap());
    let scenarios = ["s06-stale-1", "s08-mix-s02-forward-cname-1", "s10-tcp-1", "s11-ipv6-1"];
    for resolver in files_in(&folder) {
        for capture in scenarios.map(|name| resolver.join(name).join("capture.pcap.zst")) {
            if capture.exists() {
                let list = list_of_truth(&capture.with_file_name("truth.json.gz"), lists.path());
                check(&schema, &capture.display().to_string(), read(&[], &[&capture], &list));
            }
        }
    }
}

#[test]
fn options_that_change_the_lines_keep_to_the_schema() {
    let (schema, lists) = (Schema::load(), tempfile::tempdir().unwrap());
    let captures = bundled(lists.path());
    let Some((capture, list)) =
        captures.iter().find(|(path, _)| path.ends_with("bind-s15-serial.pcap.zst"))
    else {
        println!("skipped: no captures");
        return;
    };
    // Two files: frames say which one they stand in.
    let twice = read(&[], &[capture, capture], list);
    assert!(twice.0.iter().any(|line| line["sighting"]["file"].is_string()));
    check(&schema, "two files", twice);

    // Nobody is inside: somebody asked, but nobody may be named.
    let (lines, code) =
        read(&["--internal", "192.0.2.0/24", "--resolver", "192.0.2.7"], &[capture], list);
    let coverage = lines.last().unwrap().clone();
    assert_eq!(coverage["verdicts"]["attributed"], json!(0));
    assert_eq!(coverage["resolvers_unseen"], json!(["192.0.2.7"]));
    assert!(coverage["outside_internal"]["clients"].as_u64() > Some(0));
    assert!(lines.iter().all(|line| line["type"] != "summary"));
    let outside = "asked from outside the networks given with --internal";
    assert!(lines.iter().any(|line| line["reason"] == outside));
    check(&schema, "nobody inside", (lines, code));
}

#[test]
fn the_schema_refuses_what_is_not_in_it() {
    let (schema, lists) = (Schema::load(), tempfile::tempdir().unwrap());
    let captures = bundled(lists.path());
    let Some((capture, list)) =
        captures.iter().find(|(path, _)| path.ends_with("bind-s15-serial.pcap.zst"))
    else {
        println!("skipped: no captures");
        return;
    };
    let (lines, _) = read(&[], &[capture], list);
    let of = |name: &str| lines.iter().find(|line| line["type"] == name).unwrap().clone();
    let refused = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut line = of(name);
        schema.accepts(&line).unwrap();
        change(&mut line);
        assert!(schema.accepts(&line).is_err(), "{line:#}");
    };
    for name in ["attribution", "indicator", "summary", "coverage"] {
        refused(name, &|line| line["further"] = json!(1));
        refused(name, &|line| line["schema"] = json!(2));
        refused(name, &|line| {
            line.as_object_mut().unwrap().remove("type");
        });
    }
    refused("attribution", &|line| line["sighting"]["where"] = json!("elsewhere"));
    refused("attribution", &|line| line["clients"] = json!([]));
    refused("attribution", &|line| line["clients"][0]["chain"][0]["step"] = json!("cname"));
    refused("attribution", &|line| line["clients"][0]["confidence"] = json!(1.5));
    refused("attribution", &|line| line["sighting"]["name"] = json!("a\u{1b}[2J"));
    refused("indicator", &|line| line["hints"][0]["leaning"] = json!("grave"));
    refused("summary", &|line| line["asks"] = json!(0));
    refused("coverage", &|line| line["lost"]["not_dns"] = json!(-1));
}

#[test]
fn every_field_of_the_schema_is_explained() {
    let read = |path| std::fs::read_to_string(root().join(path)).unwrap();
    let schema: Value = serde_json::from_str(&read("docs/schema.json")).unwrap();
    let explained = read("docs/schema.md");
    let mut fields = Vec::new();
    collect_fields(&schema, &mut fields);
    assert!(fields.len() > 80, "{fields:?}");
    fields.retain(|field| !explained.contains(&format!("`{field}`")));
    assert!(fields.is_empty(), "not explained in docs/schema.md: {fields:?}");
}

/// The names of all fields, and the words of all enumerations.
fn collect_fields(schema: &Value, fields: &mut Vec<String>) {
    let strings = |value: &Value| value.as_str().map(str::to_owned);
    fields.extend(schema["enum"].as_array().into_iter().flatten().filter_map(strings));
    if let Some(properties) = schema["properties"].as_object() {
        fields.extend(properties.keys().cloned());
    }
    match schema {
        Value::Object(members) => members.values().for_each(|inner| collect_fields(inner, fields)),
        Value::Array(items) => items.iter().for_each(|inner| collect_fields(inner, fields)),
        _ => {}
    }
}

#[test]
fn answers_to_alerts_are_of_the_schema() {
    let schema = Schema::load();
    let captures = root().join("captures");
    for alerts in
        ["captures/office-alerts.txt", "tests/data/alerts/utm.log", "tests/data/alerts/eve.json"]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_whoasked"))
            .args(["explain", "--format", "jsonl", "--no-progress", "--alerts"])
            .args([root().join(alerts), captures.join("office.pcap")])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().filter(|line| line["type"] == "answer").count() >= 8, "{alerts}");
        check(&schema, alerts, (lines, output.status.code().unwrap()));
    }
}
