//! Suricata's EVE: JSON objects, a line each or as somebody exports them, of which alerts and DNS events count.
//!
//! Where a file has alerts, its DNS events only lend them their names (by `flow_id`); where it has none,
//! each DNS question is one.

use foldhash::HashMap;
use serde_json::Value;

use crate::alert::load::collector::AlertCollector;
use crate::alert::load::json::records::JsonRecords;
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::threat_text::name_in;
use crate::alert::load::row::value::is_destination;

/// How many flows' names are kept for alerts that do not name any.
const FLOWS_MAX: usize = 1 << 20;

/// Reads all events.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    let has_alerts = JsonRecords::of(text)
        .flatten()
        .any(|record| record.fields.get("event_type").and_then(Value::as_str) == Some("alert"));
    let names = if has_alerts { names_by_flow(text) } else { HashMap::default() };
    for record in JsonRecords::of(text) {
        let (number, line, event) = match record {
            Ok(record) => (record.line, record.text, Value::Object(record.fields)),
            Err((number, line, why)) => {
                collector.skip(number, line, &why);
                continue;
            }
        };
        match text_at(&event, "/event_type") {
            Some("alert") => alert(&event, &names, number, line, collector),
            Some("dns") if has_alerts => collector.ignore("no alert"),
            Some("dns") if is_question(&event) => question(&event, number, line, collector),
            Some(_) => collector.ignore("neither an alert nor a DNS question"),
            None => collector.skip(number, line, "it has no event_type"),
        }
    }
}

fn alert(
    event: &Value,
    names: &HashMap<u64, String>,
    number: u32,
    line: &str,
    collector: &mut AlertCollector<'_>,
) {
    let name = name_of(event).or_else(|| {
        let flow = event.get("flow_id").and_then(Value::as_u64)?;
        names.get(&flow).map(String::as_str)
    });
    // Of an alert on a response, the flow says who began.
    let began = text_at(event, "/flow/src_ip");
    let (source, target) = (text_at(event, "/src_ip"), text_at(event, "/dest_ip"));
    let is_back = began.is_some() && began == target;
    let (host, address) = if is_back { (target, source) } else { (source, target) };
    let ports = ["/src_port", "/dest_port"].map(|at| event.pointer(at).map(Value::to_string));
    let [source_port, target_port] = &ports;
    let has_flow = began.is_some();
    let threat = text_at(event, "/alert/signature");
    let is_dns = text_at(event, "/app_proto") == Some("dns")
        || ports.iter().any(|port| port.as_deref() == Some("53"));
    let told = if name.is_none() { threat.and_then(|text| name_in(text, is_dns)) } else { None };
    let time = collector.times.read(text_at(event, "/timestamp"), number);
    let row = AlertRow {
        time,
        host,
        host_port: source_port.as_deref().filter(|_| !has_flow),
        name: name.or(told.as_deref()),
        address,
        address_port: target_port.as_deref().filter(|_| !has_flow),
        threat,
        device: text_at(event, "/host"),
        ..AlertRow::default()
    };
    collector.add(number, line, row);
}

fn question(event: &Value, number: u32, line: &str, collector: &mut AlertCollector<'_>) {
    let time = collector.times.read(text_at(event, "/timestamp"), number);
    let row = AlertRow {
        time,
        host: text_at(event, "/src_ip"),
        name: name_of(event),
        address: text_at(event, "/dest_ip"),
        device: text_at(event, "/host"),
        ..AlertRow::default()
    };
    collector.add(number, line, row);
}

/// `query` up to version 2 of these events, `request` from 3.
fn is_question(event: &Value) -> bool {
    matches!(text_at(event, "/dns/type"), Some("query" | "request"))
}

/// The name that an event is about.
fn name_of(event: &Value) -> Option<&str> {
    const PLACES: [&str; 7] = [
        "/dns/rrname",
        "/dns/queries/0/rrname",
        "/dns/query/0/rrname",
        "/dns/query/rrname",
        "/dns/answer/rrname",
        "/tls/sni",
        "/http/hostname",
    ];
    PLACES.iter().find_map(|place| text_at(event, place)).filter(|name| is_destination(name))
}

fn names_by_flow(text: &str) -> HashMap<u64, String> {
    let mut names = HashMap::default();
    for record in JsonRecords::of(text).flatten() {
        if !record.text.contains("\"dns\"") {
            continue;
        }
        let event = Value::Object(record.fields);
        let (flow, name) = (event.get("flow_id").and_then(Value::as_u64), name_of(&event));
        if let (Some(flow), Some(name)) = (flow, name)
            && names.len() < FLOWS_MAX
        {
            names.entry(flow).or_insert_with(|| name.to_owned());
        }
    }
    names
}

fn text_at<'a>(event: &'a Value, place: &str) -> Option<&'a str> {
    event.pointer(place).and_then(Value::as_str)
}
