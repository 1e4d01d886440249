//! Who a client was, and whether it connected: the bundled captures that show more than DNS.

use std::fs;
use std::path::PathBuf;

use etherparse::PacketBuilder;
use serde_json::{Value, json};

use crate::support::{
    Taken, bundled, files_below, frames, pcap, project, read_jsonl, shared, whoasked,
};

/// The lines of a type that the program prints about a bundled capture.
fn lines(name: &str, kind: &str) -> Vec<Value> {
    let captures = bundled();
    let capture = captures.iter().find(|capture| capture.path.ends_with(name)).unwrap();
    let run = read_jsonl(std::slice::from_ref(&capture.path), &capture.indicators, 2);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    run.json().into_iter().filter(|line| line["type"] == kind).collect()
}

/// The clients of the attributions, each as its line has it, by the time they asked.
fn clients(name: &str) -> Vec<Value> {
    let lines = lines(name, "attribution");
    let mut clients: Vec<Value> =
        lines.iter().flat_map(|line| line["clients"].as_array().unwrap().clone()).collect();
    clients.sort_by_key(|client| client["asked_time"].to_string());
    clients
}

/// Some fields of an object.
fn fields(object: &Value, names: &[&str]) -> Value {
    names.iter().map(|name| object[name].clone()).collect()
}

#[test]
fn an_address_that_changed_hands_is_told_apart_and_every_name_has_its_source() {
    let said: Vec<Value> = clients("identity.pcap")
        .iter()
        .map(|client| fields(client, &["ip", "hostname", "hostname_source", "mac_is_router"]))
        .collect();
    assert_eq!(
        said,
        [
            json!(["192.168.2.42", "KEVIN-PC", "dhcp", false]),
            json!(["192.168.2.44", "LENA-PC", "dhcp", false]),
            json!(["192.168.2.55", "petras-mac.local", "mdns", false]),
            json!(["192.168.2.90", "printer-3.buero.example", "dns-ptr", false]),
            json!(["192.168.3.61", "STEFAN-PC", "dhcp", true]),
            json!(["192.168.2.42", "GUEST-7", "dhcp", false]),
        ]
    );
    let summary = lines("identity.pcap", "summary");
    let kevin = summary.iter().find(|line| line["client"] == "192.168.2.42").unwrap();
    assert_eq!(kevin["hostname"], "GUEST-7");
    assert_eq!(kevin["other_hostnames"], json!(["KEVIN-PC"]));
}

#[test]
fn a_client_under_two_addresses_is_one_machine() {
    let capture = project("captures/dual-stack-client.pcap");
    let list = project("captures/dual-stack-client.indicators.txt");
    let page = std::env::temp_dir().join(format!("whoasked-machine-{}.html", std::process::id()));
    let arguments = ["read", "--indicators"].map(PathBuf::from);
    let further = [list, "--report".into(), page.clone(), capture];
    let run = whoasked(arguments.into_iter().chain(further));
    let (text, html) = (run.stdout, fs::read_to_string(&page).unwrap());
    fs::remove_file(page).unwrap();
    let (first, second) = ("fd00:2::57", "192.168.2.57");
    assert!(text.starts_with("3 clients on 2 machines are behind"), "{text}");
    assert!(html.contains("3 clients on 2 machines are behind"));
    for (one, other) in [(first, second), (second, first)] {
        let same = format!("00:1b:21:3c:00:10, the same machine as {other}");
        assert!(text.contains(&format!("{one}  {same}")), "{text}");
        assert!(html.contains(&same));
    }
}

#[test]
fn who_connected_is_told_from_who_did_not_and_from_whom_it_cannot_be_said() {
    let said: Vec<Value> = clients("identity.pcap")
        .iter()
        .map(|client| {
            let names = ["address", "port", "transport", "answered", "server_name"];
            json!([client["contacted"], fields(&client["contact"], &names)])
        })
        .collect();
    let nothing = json!([null, null, null, null, null]);
    let name = "cdn.evil-update.com";
    assert_eq!(
        said,
        [
            json!(["yes", ["203.0.113.99", 443, "tcp", true, name]]),
            json!(["no", nothing]),
            json!(["yes", ["203.0.113.98", 443, "udp", true, null]]),
            json!(["not visible", nothing]),
            json!(["not visible", nothing]),
            json!(["yes", ["203.0.113.99", 443, "tcp", false, null]]),
        ]
    );
    let kevin = &clients("identity.pcap")[0];
    let asked = kevin["asked_time_epoch"].as_f64().unwrap();
    let waited = kevin["contact"]["time_epoch"].as_f64().unwrap() - asked;
    assert!((1.4..1.6).contains(&waited), "{waited} s after the question");
}

/// A packet of that second: by UDP with what is in it, else a SYN, or the answer to one.
fn packet(second: i64, from: ([u8; 4], u16), to: ([u8; 4], u16), udp: Option<&[u8]>) -> Taken {
    let link = PacketBuilder::ethernet2([2, 0, 0, 0, 0, from.0[3]], [2, 0, 0, 0, 0, to.0[3]]);
    let (ip, mut bytes) = (link.ipv4(from.0, to.0, 64), Vec::new());
    match udp {
        Some(payload) => ip.udp(from.1, to.1).write(&mut bytes, payload),
        None if from.1 < to.1 => ip.tcp(from.1, to.1, 1, 1024).syn().ack(2).write(&mut bytes, b""),
        None => ip.tcp(from.1, to.1, 1, 1024).syn().write(&mut bytes, b""),
    }
    .unwrap();
    let time = (1_772_438_400 + second) * 1_000_000_000;
    Taken { time, link: 1, original_len: bytes.len() as u32, bytes }
}

/// A question for an address, and the answer: 203.0.113.9, for ten minutes.
fn asked(second: i64, client: [u8; 4], name: &[u8]) -> [Taken; 2] {
    let (client, server) = ((client, 40_000 + second as u16), ([192, 168, 2, 194], 53));
    let question = [name, &[0, 1, 0, 1]].concat();
    let query = [&[7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], question.as_slice()].concat();
    let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 2, 88, 0, 4, 203, 0, 113, 9];
    let head = [7, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    let response = [head.as_slice(), &question, &record].concat();
    [packet(second, client, server, Some(&query)), packet(second, server, client, Some(&response))]
}

#[test]
fn a_connection_after_the_attribution_was_handed_out_is_told_in_every_form() {
    let (quiet, client) = ([192, 168, 2, 20], [192, 168, 2, 57]);
    let (there, web) = (([203, 0, 113, 9], 443), ([198, 51, 100, 1], 443));
    let c2 = b"\x02c2\x07example\0";
    let taken = [
        vec![packet(0, (quiet, 50_000), web, None), packet(0, (client, 50_000), web, None)],
        asked(1, quiet, c2).into(),
        asked(2, client, c2).into(),
        // Both are judged by now.
        asked(190, quiet, b"\x03www\x07example\0").into(),
        vec![
            packet(202, (client, 50_001), there, None),
            packet(202, there, (client, 50_001), None),
        ],
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let capture = path("late.pcap");
    fs::write(&capture, pcap(&taken.concat())).unwrap();
    fs::write(path("list.txt"), "c2.example\n").unwrap();
    let (list, page) = (path("list.txt"), path("page.html"));
    let run = |form: &str| {
        let resolver = ["--resolver", "192.168.2.194", "--tz", "UTC"];
        let output = ["--indicators", &list, "--format", form, "--report", &page];
        whoasked(["read", &capture].into_iter().chain(resolver).chain(output))
    };
    let lines = run("jsonl").json();
    let handed_out = lines.iter().filter(|line| line["type"] == "attribution");
    let contacted = handed_out.map(|line| line["clients"][0]["contacted"].as_str().unwrap());
    assert_eq!(contacted.collect::<Vec<_>>(), ["no", "no"], "when they were handed out");
    let ticket = run("ticket").stdout;
    assert!(
        ticket.starts_with("Client 192.168.2.57 asked for c2.example and connected\n"),
        "{ticket}"
    );
    let said = ticket.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "connected to 203.0.113.9, TCP port 443, at 08:03:22, and was answered";
    assert_eq!(said.matches(&format!("Yes: it {told}, frame 9.")).count(), 1, "{ticket}");
    assert!(said.contains("Which program on the client asked and connected."), "{ticket}");
    let (_, other) = ticket.split_once("=\n\n").expect("a second ticket");
    assert!(other.starts_with("Client 192.168.2.20 asked for c2.example\n"), "{other}");
    assert!(other.contains("No: it was not seen connecting"), "{other}");
    let text = run("text").stdout;
    assert!(text.contains("it connected to 203.0.113.9, TCP port 443"), "{text}");
    let page = fs::read_to_string(&page).unwrap();
    assert_eq!(page.matches("yes, to 203.0.113.9, port 443 (TCP)").count(), 2, "card and section");
}

/// The frames of a capture that a `port 53` filter lets through.
fn dns_only(frames: Vec<Taken>) -> Vec<Taken> {
    let is_dns = |frame: &Taken| {
        let port = |at: usize| frame.bytes.get(at..at + 2) == Some(&[0, 53][..]);
        port(34) || port(36)
    };
    frames.into_iter().filter(is_dns).collect()
}

#[test]
fn of_a_capture_of_dns_alone_nothing_is_claimed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dns.pcap");
    fs::write(&path, pcap(&dns_only(frames(&project("captures/identity.pcap"))))).unwrap();
    let run = read_jsonl(&[path], "evil-update.com\n", 1);
    let lines = run.json();
    let clients: Vec<&Value> = lines
        .iter()
        .filter(|line| line["type"] == "attribution")
        .flat_map(|line| line["clients"].as_array().unwrap())
        .collect();
    assert_eq!(clients.len(), 6);
    for client in clients {
        assert_eq!(client["contacted"], "not visible");
        let expected = match client["ip"].as_str() {
            Some("192.168.2.90") => json!("printer-3.buero.example"),
            _ => Value::Null,
        };
        assert_eq!(client["hostname"], expected, "only the DNS speaks");
    }
}

#[test]
fn everybody_in_the_office_has_a_name_and_kevin_connected() {
    let office = clients("office.pcap");
    assert!(office.iter().all(|client| client["hostname_source"] == "dhcp"), "{office:?}");
    let summary = lines("office.pcap", "summary");
    let contacted = |ip: &str| {
        let line = summary.iter().find(|line| line["client"] == ip).unwrap();
        (line["hostname"].as_str().unwrap(), line["contacted"].as_str().unwrap())
    };
    assert_eq!(contacted("192.168.2.42"), ("KEVIN-PC", "yes"));
    assert_eq!(contacted("192.168.2.40"), ("JUDITH-PC", "no"));
    assert_eq!(contacted("192.168.2.49"), ("MIRIAM-PC", "not visible"));
}

#[test]
fn an_inventory_names_hosts_and_says_what_it_could_not_read() {
    let run = whoasked([
        "read",
        project("captures/identity.pcap").to_str().unwrap(),
        "--indicators",
        project("captures/identity.indicators.txt").to_str().unwrap(),
        "--names",
        project("tests/data/names/assets.csv").to_str().unwrap(),
        "--names",
        project("tests/data/names/dhcpd.leases").to_str().unwrap(),
    ]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("assets.csv: line 4: \"192.168.2.300\" is not an address"),
        "{run:?}"
    );
    let heading = "192.168.2.42  büro-kevin (by the inventory), at other times KEVIN-PC";
    assert!(run.stdout.contains(heading), "{}", run.stdout);
    let binary = project("captures/identity.pcap");
    let run = whoasked([
        "read",
        binary.to_str().unwrap(),
        "--indicators",
        project("captures/identity.indicators.txt").to_str().unwrap(),
        "--names",
        binary.to_str().unwrap(),
    ]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("no host name found"), "{}", run.stderr);
}

#[test]
fn real_captures_of_all_kinds_are_read_without_a_fault() {
    let Some(root) = shared("wire-corpus/files") else { return };
    let list = tempfile::NamedTempFile::new().unwrap();
    // Every internal or external address and all names: each answer is watched.
    fs::write(list.path(), "0.0.0.0/0\n::/0\n").unwrap();
    let (mut named, mut contacted, mut read) = (0, 0, 0);
    let paths: Vec<PathBuf> = files_below(&root);
    for path in &paths {
        let run = whoasked([
            "read",
            path.to_str().unwrap(),
            "--format",
            "jsonl",
            "--workers",
            "1",
            "--indicators",
            list.path().to_str().unwrap(),
        ]);
        assert!(!run.stderr.contains("panicked"), "{}: {}", path.display(), run.stderr);
        assert!(run.code.is_some(), "{}: ended by a signal", path.display());
        let lines = run.json();
        let summary: Vec<&Value> = lines.iter().filter(|line| line["type"] == "summary").collect();
        read += usize::from(!lines.is_empty());
        named += summary.iter().filter(|line| line["hostname"].is_string()).count();
        contacted += summary.iter().filter(|line| line["contacted"] == "yes").count();
    }
    println!("{read} of {} files read: {named} clients named, {contacted} contacts", paths.len());
    assert!(read * 2 > paths.len() && contacted > 0);
}

#[test]
fn who_was_led_past_a_flagged_server_did_not_connect_to_it() {
    let server = "104.31.83.243";
    // Where the name asked for is listed, too, its answer is looked at: that says nothing of the server.
    let contacts = ["", "www.kaninchenzucht.com\n"].map(|more| {
        let list = format!("{server}\n{more}");
        let run = read_jsonl(&[project("captures/office.pcap")], &list, 1);
        let lines = run.json();
        let of_server = lines.iter().filter(|line| line["indicator"]["value"] == server);
        let said = of_server.flat_map(|line| match line["type"].as_str() {
            Some("attribution") => line["clients"].as_array().unwrap().clone(),
            _ => vec![line.clone()],
        });
        said.filter_map(|one| one["contacted"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    });
    let [alone, with_name] = contacts;
    assert!(!alone.is_empty());
    assert_eq!(alone, with_name);
    assert!(alone.iter().all(|contacted| contacted == "not visible"), "{alone:?}");
}

#[test]
fn a_file_of_names_takes_nothing_from_a_host_that_it_has_no_name_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leases.csv");
    fs::write(&path, "ip,hostname\n192.168.2.42,-\n192.168.2.40,from-the-file\n").unwrap();
    let (office, path) = (project("captures/office.pcap"), path.display().to_string());
    let run = whoasked(["explain", "mi.kenal-cn.com", office.to_str().unwrap(), "--names", &path]);
    assert!(run.stdout.contains("192.168.2.42 (KEVIN-PC)"), "{}", run.stdout);
    assert!(run.stdout.contains("192.168.2.40 (from-the-file)"), "{}", run.stdout);
    let left_out = "1 row has no host name, as line 2: \"-\"; skipped";
    assert!(run.stderr.contains(left_out), "{}", run.stderr);
}
