//! The bundled captures against their truth: nobody innocent is named, and everybody who asked is.
//!
//! This is what `labelled` does on many captures that are not bundled, so that a change that blames the
//! wrong person is noticed on any machine.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Labelled, bundled, read_jsonl, read_truth};

/// Bundled captures in which pairs are not found, and how many: their flagged names occur in no message,
/// as the firewall swallowed what would have shown them.
const WITHOUT_TRACE: &[(&str, usize)] = &[("pdns-s09-blocked-iter.pcap.zst", 4)];

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_lowercase()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().map(|values| values.iter().map(text).collect()).unwrap_or_default()
}

/// A capture's truth and what is said of it.
struct Judged {
    name: String,
    truth: Value,
    resolvers: BTreeSet<String>,
    attributions: Vec<Value>,
}

impl Judged {
    fn new(capture: &Labelled) -> Judged {
        let truth = read_truth(&capture.path).expect("a bundled capture has its truth");
        let run = read_jsonl(std::slice::from_ref(&capture.path), &capture.indicators, 2);
        let mut attributions = run.json();
        attributions.retain(|line| line["type"] == "attribution");
        Judged {
            name: capture.path.file_name().unwrap().to_str().unwrap().to_owned(),
            resolvers: truth["dc"].as_array().unwrap().iter().flat_map(texts).collect(),
            truth,
            attributions,
        }
    }

    /// (client, indicator), without what the resolvers did for themselves.
    fn judge_pairs(&self, wrong: &mut Vec<String>) -> usize {
        let pairs = self.truth["pairs"].as_array().unwrap().iter();
        let expected: BTreeSet<(String, String)> = pairs
            .filter(|pair| pair["is_dc"] != true)
            .map(|pair| (text(&pair["client"]), text(&pair["indicator"])))
            .collect();
        let mut named = BTreeSet::new();
        for line in &self.attributions {
            let indicator = text(&line["indicator"]["value"]).trim_start_matches('=').to_owned();
            let clients =
                line["clients"].as_array().unwrap().iter().map(|client| text(&client["ip"]));
            let clients = clients.filter(|client| !self.resolvers.contains(client));
            named.extend(clients.map(|client| (client, indicator.clone())));
        }
        for pair in named.difference(&expected) {
            wrong.push(format!("{}: {pair:?} is named and innocent", self.name));
        }
        let missed: Vec<_> = expected.difference(&named).collect();
        let known = WITHOUT_TRACE.iter().find(|(name, _)| *name == self.name);
        if missed.len() != known.map_or(0, |(_, count)| *count) {
            wrong.push(format!("{}: not named: {missed:?}", self.name));
        }
        named.len()
    }

    /// The causes of each flagged upstream query that can be decided.
    fn judge_rows(&self, wrong: &mut Vec<String>) {
        for row in self.truth["upstream_rows"].as_array().unwrap() {
            if row["ambiguous"] == true || row["in_capture"] == false {
                continue;
            }
            let single = std::slice::from_ref(&row["frame"]);
            let frames = row["frames"].as_array().map_or(single, Vec::as_slice);
            let lines = self.attributions.iter().filter(|line| {
                line["sighting"]["leg"] == "upstream" && frames.contains(&line["sighting"]["frame"])
            });
            let clients = lines.flat_map(|line| line["clients"].as_array().unwrap());
            let named: BTreeSet<String> = clients
                .filter(|client| client["role"] != "cached")
                .map(|client| text(&client["ip"]))
                .collect();
            let causes = texts(&row["causes"]);
            let neutral = ["also_possible", "joined", "cache_served"].map(|key| texts(&row[key]));
            let innocent = |client: &&String| {
                let known = neutral.iter().chain([&causes, &self.resolvers]);
                !known.into_iter().any(|set| set.contains(*client))
            };
            for client in named.iter().filter(innocent) {
                wrong.push(format!("{}: frame {}: {client} is no cause", self.name, row["frame"]));
            }
            for client in causes.difference(&named) {
                wrong.push(format!("{}: frame {}: {client} is missing", self.name, row["frame"]));
            }
        }
    }
}

#[test]
fn nobody_innocent_is_named_and_everybody_else_is() {
    let (mut wrong, mut named) = (Vec::new(), 0);
    for capture in bundled() {
        let judged = Judged::new(&capture);
        named += judged.judge_pairs(&mut wrong);
        judged.judge_rows(&mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(named > 100, "only {named} pairs are named");
}
