//! What is weighed of the bundled captures: the demo, and that nobody is accused who is innocent there.

use std::fs;

use serde_json::Value;

use crate::support::{Labelled, bundled, project, read_jsonl, whoasked};

/// The codes of the hints of one line, serious ones marked.
fn codes(line: &Value) -> Vec<String> {
    let code = |hint: &Value| {
        let mark = if hint["leaning"] == "serious" { "!" } else { "" };
        format!("{mark}{}", hint["code"].as_str().unwrap())
    };
    line["hints"].as_array().unwrap().iter().map(code).collect()
}

fn find<'a>(lines: &'a [Value], kind: &str, indicator: &str, client: Option<&str>) -> &'a Value {
    let is = |line: &&Value| {
        line["type"] == kind
            && line["indicator"]["value"] == indicator
            && client.is_none_or(|client| line["client"] == client)
    };
    lines.iter().find(is).unwrap_or_else(|| panic!("no {kind} line of {indicator} {client:?}"))
}

fn office() -> Vec<Value> {
    let list = fs::read_to_string(project("captures/flagged.txt")).unwrap();
    read_jsonl(&[project("captures/office.pcap")], &list, 1).json()
}

#[test]
fn the_demo_tells_the_false_alarms_from_the_infection() {
    let lines = office();
    let of = |indicator: &str| codes(find(&lines, "indicator", indicator, None));
    assert_eq!(of("mi.kenal-cn.com"), ["!connected", "!beaconing", "!asked-directly"]);
    assert_eq!(of("e13678.dspb.akamaiedge.net"), ["alias-tail-of-popular-name", "shared-cdn"]);
    assert_eq!(of("ad-sync.net"), ["alias-tail"]);
    assert_eq!(of("up.telemetry-sync.net"), ["resolver-only"]);
    assert_eq!(of("104.31.83.243"), ["name-server-address"]);
    assert_eq!(of("192.55.83.30"), ["referral-server"]);
    // Kevin is the one who asks every two hours; Judith asked once.
    let of = |client: &str| codes(find(&lines, "summary", "mi.kenal-cn.com", Some(client)));
    assert_eq!(of("192.168.2.42"), ["!connected", "!beaconing", "!asked-directly"]);
    assert_eq!(of("192.168.2.40"), ["!asked-directly"]);
}

#[test]
fn hints_say_their_figures() {
    let lines = office();
    let words = |indicator: &str, place: usize| {
        let line = find(&lines, "indicator", indicator, None);
        line["hints"][place]["words"].as_str().unwrap().to_owned()
    };
    let connected = words("mi.kenal-cn.com", 0);
    for part in ["192.168.2.42", "203.0.113.67", "TCP port 443", "mi.kenal-cn.com", "was answered"]
    {
        assert!(connected.contains(part), "{part}: {connected}");
    }
    let beat = words("mi.kenal-cn.com", 1);
    for part in ["192.168.2.42", "every 2 h", "3 times", "2026-03-02 09:17:42", "UTC"] {
        assert!(beat.contains(part), "{part}: {beat}");
    }
    let tail = words("e13678.dspb.akamaiedge.net", 0);
    assert!(tail.contains("through www.microsoft.com, by 4 clients"), "{tail}");
    let server = words("192.55.83.30", 0);
    assert!(server.contains("m.gtld-servers.net"), "{server}");
    assert!(
        server.contains("the alert is about the question (www.lunchbox-catering.com)"),
        "{server}"
    );
}

#[test]
fn on_all_captures_counts_agree_and_nobody_is_accused_for_anothers_alias() {
    let captures = bundled();
    assert!(captures.len() > 40, "the captures are found");
    for Labelled { path, indicators } in captures {
        let what = path.display();
        let lines = read_jsonl(std::slice::from_ref(&path), &indicators, 2).json();
        let of = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind);
        for line in of("indicator") {
            let own = |other: &&Value| other["indicator"] == line["indicator"];
            let attributions = of("attribution").filter(own).count() as u64;
            assert_eq!(line["sightings"], attributions, "{what}: {line}");
            assert_eq!(line["clients"], of("summary").filter(own).count() as u64, "{what}: {line}");
            let verdicts = line["verdicts"].as_object().unwrap().values();
            let sum: u64 = verdicts.map(|count| count.as_u64().unwrap()).sum();
            assert_eq!(sum, attributions, "{what}: {line}");
        }
        for line in of("summary") {
            let value = line["indicator"]["value"].as_str().unwrap();
            let names = line["names"].as_array().unwrap();
            let asked_it = |name: &Value| {
                let name = name.as_str().unwrap().to_ascii_lowercase();
                name == value || name.ends_with(&format!(".{value}"))
            };
            let is_direct = codes(line).iter().any(|code| code == "!asked-directly");
            let is_domain = line["indicator"]["kind"] == "domain";
            let asked = names.iter().any(asked_it);
            assert!(
                !is_domain || is_direct == asked || value.starts_with(['=', '*']),
                "{what}: {line}"
            );
        }
        let accused: Vec<&Value> = of("indicator").filter(|l| l["clients"] == 0).collect();
        for line in accused {
            assert!(codes(line).iter().all(|code| !code.starts_with('!')), "{what}: {line}");
        }
    }
}

#[test]
fn the_zone_is_said_and_a_wrong_one_refused() {
    let capture = project("captures/office.pcap");
    let list = project("captures/flagged.txt");
    let read = |zone: &[&str]| {
        let mut arguments = vec!["read", capture.to_str().unwrap(), "--indicators"];
        arguments.push(list.to_str().unwrap());
        arguments.extend(zone);
        whoasked(arguments)
    };
    let tokyo = read(&["--tz", "Asia/Tokyo"]);
    assert!(tokyo.stdout.contains("Asia/Tokyo (UTC+9)"), "{}", tokyo.stdout);
    assert!(tokyo.stdout.contains("18:17:42"), "{}", tokyo.stdout);
    assert!(!tokyo.stdout.contains("09:17:42"), "{}", tokyo.stdout);
    let wrong = read(&["--tz", "Mars"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("--tz: `Mars` is not a time zone"), "{}", wrong.stderr);
}
