//! What `whoasked read --format jsonl` prints is what docs/schema.json says, on every capture at hand.
//!
//! Further captures, of a laboratory, are read if they are at hand.

use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};
use whoasked::attribution::Doubt;

use crate::support::{Labelled, Run, bundled, laboratory, program, project, read_jsonl};

/// The schema, compiled.
struct Schema {
    schemas: Schemas,
    line: SchemaIndex,
}

impl Schema {
    fn load() -> Schema {
        let text = fs::read_to_string(project("docs/schema.json")).unwrap();
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

/// A run's lines are of the schema, in the order promised, and agree with one another.
fn check(schema: &Schema, what: &str, run: &Run) {
    let lines = run.json();
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
    assert_eq!(run.code, Some(i32::from(attributions > 0)), "{what}: exit code");
}

/// Checks what is read of captures.
fn check_all(captures: Vec<Labelled>) {
    let schema = Schema::load();
    for Labelled { path, indicators } in captures {
        let run = read_jsonl(std::slice::from_ref(&path), &indicators, 2);
        check(&schema, &path.display().to_string(), &run);
    }
}

/// A bundled capture of a real resolver.
fn serial() -> Labelled {
    bundled().into_iter().find(|one| one.path.ends_with("bind-s15-serial.pcap.zst")).unwrap()
}

#[test]
fn every_bundled_capture_gives_lines_of_the_schema() {
    check_all(bundled());
}

#[test]
fn captures_of_the_laboratory_give_lines_of_the_schema() {
    let scenarios = ["s06-stale-1", "s08-mix-s02-forward-cname-1", "s10-tcp-1", "s11-ipv6-1"];
    let parts = scenarios.map(|scenario| format!("/{scenario}/"));
    check_all(laboratory(&parts.each_ref().map(String::as_str)));
}

#[test]
fn options_that_change_the_lines_keep_to_the_schema() {
    let (schema, Labelled { path, indicators }) = (Schema::load(), serial());
    // Two files: frames say which one they stand in.
    let twice = read_jsonl(&[path.clone(), path.clone()], &indicators, 2);
    assert!(twice.json().iter().any(|line| line["sighting"]["file"].is_string()));
    check(&schema, "two files", &twice);

    // Nobody is inside: somebody asked, but nobody may be named.
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    fs::write(&list, indicators).unwrap();
    let run: Run = program()
        .arg("read")
        .arg(&path)
        .args(["--format", "jsonl", "--internal", "192.0.2.0/24", "--resolver", "192.0.2.7"])
        .arg("--indicators")
        .arg(&list)
        .output()
        .unwrap()
        .into();
    let lines = run.json();
    let coverage = lines.last().unwrap();
    assert_eq!(coverage["verdicts"]["attributed"], json!(0));
    assert_eq!(coverage["resolvers_unseen"], json!(["192.0.2.7"]));
    assert!(coverage["outside_internal"]["clients"].as_u64() > Some(0));
    assert!(lines.iter().all(|line| line["type"] != "summary"));
    let outside = "asked from outside the networks given with --internal";
    assert!(lines.iter().any(|line| line["reason"] == outside));
    check(&schema, "nobody inside", &run);
}

#[test]
fn the_schema_refuses_what_is_not_in_it() {
    let (schema, Labelled { path, indicators }) = (Schema::load(), serial());
    let lines = read_jsonl(&[path], &indicators, 2).json();
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
fn every_doubt_is_of_the_schema() {
    let (schema, Labelled { path, indicators }) = (Schema::load(), serial());
    let lines = read_jsonl(&[path], &indicators, 2).json();
    let mut line = lines.into_iter().find(|line| line["type"] == "attribution").unwrap();
    line["hints"] = Doubt::ALL.iter().map(|doubt| doubt.as_str()).collect();
    schema.accepts(&line).unwrap();
}

#[test]
fn every_field_of_the_schema_is_explained() {
    let read = |path| fs::read_to_string(project(path)).unwrap();
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
    for alerts in
        ["captures/office-alerts.txt", "tests/data/alerts/utm.log", "tests/data/alerts/eve.json"]
    {
        let run: Run = program()
            .args(["explain", "--format", "jsonl", "--alerts"])
            .args([project(alerts), project("captures/office.pcap")])
            .output()
            .unwrap()
            .into();
        let answers = run.json().iter().filter(|line| line["type"] == "answer").count();
        assert!(answers >= 8, "{alerts}");
        check(&schema, alerts, &run);
    }
}
