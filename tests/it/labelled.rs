//! How right the answers are, on labelled captures of real resolver software.
//!
//! `accuracy.py`, which lies beside the captures, runs the program on each and scores it; the thresholds
//! are those that the project promises. The captures are optional, as are Python and zstd.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Labelled, laboratory, read_truth, shared, whoasked};

/// What must hold of a group of captures: at least so much of a share, and nobody blamed wrongly.
struct Threshold {
    row_precision: f64,
    row_recall: f64,
    pair_precision: f64,
    pair_recall: f64,
}

const fn at_least(
    row_precision: f64,
    row_recall: f64,
    pair_precision: f64,
    pair_recall: f64,
) -> Threshold {
    Threshold { row_precision, row_recall, pair_precision, pair_recall }
}

/// All but the damaged captures, taken together.
const TOGETHER: Threshold = at_least(0.999, 0.990, 0.999, 0.990);
/// Each scenario alone.
const ALONE: Threshold = at_least(0.99, 0.97, 0.99, 0.97);
/// Damaged captures, by what was done to them.
const DAMAGED: &[(&str, Threshold)] = &[
    ("s08-dup", at_least(0.998, 0.985, 0.998, 0.98)),
    ("s08-reorder", at_least(0.998, 0.985, 0.998, 0.98)),
    ("s08-vlan", at_least(0.998, 0.985, 0.998, 0.98)),
    ("s08-loss1", at_least(0.99, 0.97, 0.99, 0.96)),
    ("s08-loss5", at_least(0.99, 0.92, 0.99, 0.92)),
    ("s08-burst5", at_least(0.99, 0.92, 0.99, 0.92)),
    ("s08-loss20", at_least(0.98, 0.75, 0.98, 0.78)),
];

/// Scenarios in which a part of the pairs leaves no trace: the firewall swallowed what would have shown
/// the flagged name, so that it occurs in no message. These pairs cannot be found by anybody.
const WITHOUT_TRACE: &[&str] = &["s04-coalesce-fwd", "s09-blocked-fwd", "s09-blocked-iter"];

/// Counts of right, wrong and missed.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    rows: [u64; 3],
    pairs: [u64; 3],
    traceless: u64,
    uncovered: u64,
}

impl Score {
    fn new(counts: &Value, traceless: u64) -> Score {
        let count = |key: &str| counts[key].as_u64().unwrap_or(0);
        Score {
            rows: [count("row_tp"), count("row_fp"), count("row_fn")],
            pairs: [count("pair_tp"), count("pair_fp"), count("pair_fn")],
            traceless,
            uncovered: count("rows") - count("covered"),
        }
    }

    fn add(&mut self, other: &Score) {
        for (sum, count) in self.rows.iter_mut().zip(other.rows) {
            *sum += count;
        }
        for (sum, count) in self.pairs.iter_mut().zip(other.pairs) {
            *sum += count;
        }
        self.traceless += other.traceless;
        self.uncovered += other.uncovered;
    }

    /// Precision and recall of rows and pairs, and the recall of pairs that have a trace.
    fn shares(&self) -> [f64; 5] {
        let share = |right: u64, other: u64| match right + other {
            0 => 1.0,
            all => right as f64 / all as f64,
        };
        let ([row, row_wrong, row_missed], [pair, pair_wrong, pair_missed]) =
            (self.rows, self.pairs);
        [
            share(row, row_wrong),
            share(row, row_missed),
            share(pair, pair_wrong),
            share(pair, pair_missed),
            share(pair, pair_missed - self.traceless),
        ]
    }

    /// Prints a row of the table, and says what is below the threshold.
    fn judge(&self, name: &str, threshold: Option<&Threshold>) -> Vec<String> {
        let [row_precision, row_recall, pair_precision, pair_recall, traced_recall] = self.shares();
        println!(
            "{name:22} {row_precision:.4} {row_recall:.4} {pair_precision:.4} {traced_recall:.4} ({pair_recall:.4}) {:5}",
            self.pairs[1]
        );
        let Some(threshold) = threshold else { return Vec::new() };
        let mut short = Vec::new();
        for (what, is, least) in [
            ("row precision", row_precision, threshold.row_precision),
            ("row recall", row_recall, threshold.row_recall),
            ("pair precision", pair_precision, threshold.pair_precision),
            ("pair recall", traced_recall, threshold.pair_recall),
        ] {
            if is < least {
                short.push(format!("{name}: {what} is {is:.4}, below {least}"));
            }
        }
        if self.pairs[1] > 0 {
            short.push(format!("{name}: {} pairs name somebody innocent", self.pairs[1]));
        }
        short
    }
}

/// Whether a command can be run here.
fn is_there(command: &str) -> bool {
    let found = Command::new(command).arg("--version").output().is_ok();
    if !found {
        println!("skipped: no {command}");
    }
    found
}

/// The report of accuracy.py on all captures.
fn accuracy(root: &Path) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let report = directory.path().join("report.json");
    let output = Command::new("python3")
        .arg(root.join("accuracy.py"))
        .args(["--tool", env!("CARGO_BIN_EXE_whoasked"), "--json"])
        .args([&report, root])
        .output()
        .unwrap();
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&fs::read(report).unwrap()).unwrap()
}

/// How many pairs of a capture's truth are of an indicator that occurs in no message.
fn traceless_pairs(capture: &Labelled) -> u64 {
    let messages = whoasked(["messages".as_ref(), capture.path.as_os_str()]).json();
    let mut seen: Vec<String> = Vec::new();
    for message in &messages {
        let lists = ["aliases", "addresses"].map(|key| message[key].as_array().unwrap());
        let texts =
            lists.into_iter().flatten().chain([&message["qname"]]).filter_map(Value::as_str);
        seen.extend(texts.map(str::to_lowercase));
        seen.extend(["src", "dst"].map(|key| message[key].as_str().unwrap().to_owned()));
    }
    seen.sort_unstable();
    seen.dedup();
    let occurs = |indicator: &str| {
        seen.iter().any(|text| {
            text.strip_suffix(indicator).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    };
    let truth = read_truth(&capture.path).unwrap();
    let pairs = truth["pairs"].as_array().unwrap().iter().filter(|pair| pair["is_dc"] != true);
    pairs.filter(|pair| !occurs(pair["indicator"].as_str().unwrap())).count() as u64
}

#[test]
fn labelled_captures_are_answered_as_promised() {
    let Some(root) = shared("lab-captures") else { return };
    if !is_there("python3") || !is_there("zstd") {
        return;
    }
    let report = accuracy(&root);
    let groups: BTreeMap<String, Value> = serde_json::from_value(report["groups"].clone()).unwrap();
    let (mut together, mut short) = (Score::default(), Vec::new());
    println!("\n{:22} rowP   rowR   pairP  pairR  (all)    wrong", "");
    for (name, counts) in &groups {
        let traceless = match WITHOUT_TRACE.contains(&name.as_str()) {
            true => laboratory(&[&format!("/{name}-")]).iter().map(traceless_pairs).sum(),
            false => 0,
        };
        let score = Score::new(counts, traceless);
        assert!(score.pairs[2] >= traceless, "{name}: pairs without a trace were named");
        if name.starts_with("s08-") {
            let threshold = DAMAGED.iter().find(|(kind, _)| kind == name).map(|(_, least)| least);
            short.extend(score.judge(name, threshold));
        } else {
            short.extend(score.judge(name, Some(&ALONE)));
            together.add(&score);
        }
    }
    short.extend(together.judge("together, without s08", Some(&TOGETHER)));
    if together.uncovered > 0 {
        short.push(format!("{} flagged upstream queries have no line", together.uncovered));
    }
    short.extend(calibration(&report["bands"]));
    assert!(short.is_empty(), "\n{}", short.join("\n"));
}

/// Of clients named with a confidence of 0.95 or more at least 99 % are right, and most of the right ones
/// are named so.
fn calibration(bands: &Value) -> Vec<String> {
    let (mut sure, mut unsure) = ([0, 0], [0, 0]);
    for (band, count) in bands.as_object().unwrap() {
        let (least, right) = band.split_once(':').unwrap();
        let counts = if least.parse::<f64>().unwrap() >= 0.95 { &mut sure } else { &mut unsure };
        counts[usize::from(right == "True")] += count.as_u64().unwrap();
    }
    let ([sure_wrong, sure_right], [_, unsure_right]) = (sure, unsure);
    let share = sure_right as f64 / (sure_right + sure_wrong) as f64;
    println!(
        "named at 0.95 or more: {} clients, {share:.4} right; right but less sure: {unsure_right}",
        sure_right + sure_wrong
    );
    let mut short = Vec::new();
    if share < 0.99 {
        short.push(format!("of the clients named at 0.95 or more, {share:.4} are right"));
    }
    if sure_right <= unsure_right {
        short.push(format!("only {sure_right} of the right clients are named at 0.95 or more"));
    }
    short
}
