//! How right the answers are on the bundled captures, each against its truth; and that the captures are
//! what the generator makes of the scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Labelled, bundled, project, read_jsonl, read_truth};

/// A client's address and an indicator.
type Pair = (String, String);

/// What was found on one capture.
#[derive(Debug, Default)]
struct Findings {
    rows: usize,
    pairs: usize,
    faults: Vec<String>,
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().map_or_else(BTreeSet::new, |array| {
        array.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    })
}

fn judge(capture: &Labelled) -> Findings {
    let truth = read_truth(&capture.path).expect("every bundled capture has its truth beside it");
    let run = read_jsonl(std::slice::from_ref(&capture.path), &capture.indicators, 1);
    assert!(matches!(run.code, Some(0 | 1)), "{}: {}", capture.path.display(), run.stderr);
    let lines = run.json();
    let said: Vec<&Value> = lines.iter().filter(|line| line["type"] == "attribution").collect();
    let mut findings = Findings::default();
    judge_rows(&truth, &said, &mut findings);
    judge_pairs(&truth, &said, &mut findings);
    findings
}

fn judge_rows(truth: &Value, said: &[&Value], findings: &mut Findings) {
    let resolvers: BTreeSet<String> =
        truth["dc"].as_array().unwrap().iter().flat_map(texts).collect();
    for row in truth["upstream_rows"].as_array().unwrap() {
        // What the file does not show may be told or not; but who is behind what leaves no trace is nobody's to say.
        let is_untraced = row["verdict"] == "undetermined";
        if row["in_capture"] == false || row["ambiguous"] == true && !is_untraced {
            continue;
        }
        findings.rows += 1;
        let about: Vec<&&Value> = said
            .iter()
            .filter(|line| {
                let is_upstream = line["sighting"]["leg"] == "upstream" || is_untraced;
                is_upstream && line["sighting"]["frame"] == row["frame"]
            })
            .collect();
        let what = format!("frame {} ({} {})", row["frame"], row["qname"], row["qtype"]);
        if about.is_empty() {
            findings.faults.push(format!("{what}: not reported"));
        }
        let named: BTreeSet<String> = about
            .iter()
            .flat_map(|line| line["clients"].as_array().unwrap())
            .filter(|client| client["role"] != "cached")
            .map(|client| client["ip"].as_str().unwrap().to_owned())
            .collect();
        let causes = if is_untraced { BTreeSet::new() } else { texts(&row["causes"]) };
        let missed: Vec<_> = causes.difference(&named).collect();
        let excused = ["also_possible", "joined", "cache_served"].map(|key| texts(&row[key]));
        let wrong: Vec<_> = named
            .difference(&causes)
            .filter(|client| !resolvers.contains(*client))
            .filter(|client| excused.iter().all(|set| !set.contains(*client)))
            .collect();
        if !missed.is_empty() || !wrong.is_empty() {
            findings.faults.push(format!("{what}: missed {missed:?}, wrongly named {wrong:?}"));
        }
        let verdicts: BTreeSet<&str> =
            about.iter().map(|line| line["verdict"].as_str().unwrap()).collect();
        if let Some(expected) = row["verdict"].as_str()
            && !verdicts.iter().all(|verdict| *verdict == expected)
        {
            findings.faults.push(format!("{what}: {verdicts:?} instead of {expected}"));
        }
    }
}

fn judge_pairs(truth: &Value, said: &[&Value], findings: &mut Findings) {
    let resolvers: BTreeSet<String> =
        truth["dc"].as_array().unwrap().iter().flat_map(texts).collect();
    let named: BTreeSet<Pair> = said
        .iter()
        .flat_map(|line| {
            let value = line["indicator"]["value"].as_str().unwrap().trim_start_matches('=');
            let clients = line["clients"].as_array().unwrap().iter();
            clients.map(move |client| (client["ip"].as_str().unwrap().to_owned(), value.to_owned()))
        })
        .collect();
    let mut expected: BTreeSet<Pair> = BTreeSet::new();
    let mut of_servers: BTreeSet<Pair> = BTreeSet::new();
    for pair in truth["pairs"].as_array().unwrap() {
        let text = |key: &str| pair[key].as_str().unwrap().to_owned();
        let set = if pair["is_dc"] == true { &mut of_servers } else { &mut expected };
        set.insert((text("client"), text("indicator")));
    }
    findings.pairs = expected.len();
    for pair in expected.difference(&named) {
        findings.faults.push(format!("{pair:?}: not reported"));
    }
    for pair in named.difference(&expected) {
        if !of_servers.contains(pair) && !resolvers.contains(&pair.0) {
            findings.faults.push(format!("{pair:?}: BLAMED WRONGLY"));
        }
    }
}

/// Of the copied captures, one holds pairs that leave no trace in it: the upstream answers that would
/// have shown the flagged name were dropped, and the clients got errors without it.
const TRACELESS: &[(&str, usize)] = &[("pdns-s09-blocked-iter.pcap.zst", 4)];

#[test]
fn every_flagged_query_of_the_bundled_captures_is_laid_at_the_right_door() {
    let mut faults = BTreeMap::new();
    let (mut captures, mut rows, mut pairs, mut traceless) = (0, 0, 0, 0);
    for capture in bundled() {
        let name = capture.path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut findings = judge(&capture);
        let allowed = TRACELESS.iter().find(|(file, _)| *file == name).map_or(0, |(_, n)| *n);
        let unreported = |fault: &String| fault.starts_with('(') && fault.ends_with("not reported");
        if findings.faults.len() == allowed && findings.faults.iter().all(unreported) {
            findings.faults.clear();
        }
        captures += 1;
        rows += findings.rows;
        pairs += findings.pairs;
        traceless += allowed;
        if !findings.faults.is_empty() {
            faults.insert(name, findings.faults);
        }
    }
    println!(
        "{captures} captures, {rows} flagged upstream queries, {pairs} pairs of client and \
         indicator ({traceless} without any trace in their capture)"
    );
    assert!(captures >= 60, "captures/ is incomplete");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_captures_are_what_the_generator_makes_of_the_scenarios() {
    // Examples are built with the tests, beside them.
    let tests = std::env::current_exe().unwrap();
    let generator = tests.parent().unwrap().parent().unwrap().join("examples/generate");
    let made = tempfile::tempdir().unwrap();
    let run = Command::new(&generator)
        .current_dir(project("."))
        .arg("--out")
        .arg(made.path())
        .output()
        .expect("the generator is built with the tests");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let mut compared = 0;
    for entry in fs::read_dir(made.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_owned();
        let committed = fs::read(project("captures").join(&name)).unwrap_or_default();
        assert!(
            fs::read(&path).unwrap() == committed,
            "{name:?} is not what its scenario makes: run `cargo run --example generate`"
        );
        compared += 1;
    }
    assert!(compared >= 150, "three files a scenario, not {compared} in all");
}
