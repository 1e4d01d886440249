//! Each form of the answer, read back by what people read it with: Python's csv, jq, a reader that follows
//! the header of a Zeek log, rsyslog, and a strict reader of CEF. All of them must say what the JSON lines say,
//! of a whole day and of names that somebody chose to do harm.

#![allow(
    clippy::disallowed_methods,
    reason = "it waits for other programs, and listens beside them"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use etherparse::PacketBuilder;
use serde_json::Value;

use crate::support::{Run, Taken, files_below, pcap, program, project};

/// Labels that mean something to somebody: spreadsheets, shells, terminals, browsers, and each form.
const HOSTILE: &[&[u8]] = &[
    b"=1+1|cmd",
    b"+SUM(A1:A9)",
    b"-",
    b"@x",
    b"'quoted'",
    b"\"a\"\"b\"",
    b"a,b;c\td",
    b"line\r\nbreak",
    b"\\x41\\n\\",
    b"](\")[sd@1 x=\"y\"",
    b"<img src=x onerror=alert(1)>",
    b"key=value act=blocked",
    b"|pipe|CEF:0|",
    b"\x1b[2J\x07\x7f",
    b"(empty)",
    b"\xc3\xa4\xff\xfe",
    b"${jndi:ldap://x}",
    b"%s%n%00\0",
];

/// What a form says of one sighting and client: id, client, indicator, name asked for, chain.
type Fact = [String; 5];

/// A capture with its list, in a directory of its own.
struct Case {
    directory: tempfile::TempDir,
    capture: PathBuf,
    list: PathBuf,
}

impl Case {
    /// The bundled day of an office.
    fn office() -> Case {
        Case {
            directory: tempfile::tempdir().unwrap(),
            capture: project("captures/office.pcap"),
            list: project("captures/flagged.txt"),
        }
    }

    /// One question for each hostile label, and its answer.
    fn hostile() -> Case {
        let directory = tempfile::tempdir().unwrap();
        let frames: Vec<Taken> =
            HOSTILE.iter().enumerate().flat_map(|(n, label)| exchange(n as u16, label)).collect();
        let capture = directory.path().join("hostile.pcap");
        fs::write(&capture, pcap(&frames)).unwrap();
        // The list's own name is not ours either.
        let list = directory.path().join("=list|\\ \"x\".txt");
        fs::write(&list, "evil.example\n").unwrap();
        Case { directory, capture, list }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = program();
        command.arg("read").arg(&self.capture).arg("--indicators").arg(&self.list);
        let run: Run = command.args(arguments).output().unwrap().into();
        assert_eq!((run.code, run.faults().as_str()), (Some(1), ""), "{arguments:?}");
        run
    }

    /// What the JSON lines say.
    fn facts(&self) -> Vec<Fact> {
        let run = self.run(&["--format", "jsonl"]);
        let mut facts = Vec::new();
        for line in run.json().iter().filter(|line| line["type"] == "attribution") {
            let nobody = [Value::Null];
            let clients = line["clients"].as_array().unwrap();
            let clients = if clients.is_empty() { &nobody } else { clients.as_slice() };
            for client in clients {
                let names = client["chain"].as_array().into_iter().flatten();
                let chain: Vec<_> = names.map(|step| step["name"].as_str().unwrap()).collect();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                facts.push([
                    text(&line["id"]),
                    text(&client["ip"]),
                    text(&line["indicator"]["value"]),
                    text(&client["asked"]),
                    chain.join(" > "),
                ]);
            }
        }
        assert!(facts.len() >= 18, "there is something to compare");
        facts
    }
}

/// A question of a client for `LABEL.evil.example`, and an answer.
fn exchange(id: u16, label: &[u8]) -> [Taken; 2] {
    let mut name = vec![label.len() as u8];
    name.extend(label);
    name.extend(b"\x04evil\x07example\0");
    let message = |flags: u16, answers: u16| {
        let mut message = Vec::new();
        for word in [id, flags, 1, answers, 0, 0] {
            message.extend(word.to_be_bytes());
        }
        message.extend(&name);
        message.extend([0, 1, 0, 1]);
        if answers > 0 {
            message.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07");
        }
        message
    };
    let (client, server) = ([192, 168, 2, 57], [192, 168, 2, 194]);
    let frame = |from, to, ports: (u16, u16), nanos: i64, payload: &[u8]| {
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4(from, to, 64)
            .udp(ports.0, ports.1);
        let mut bytes = Vec::new();
        builder.write(&mut bytes, payload).unwrap();
        let time = 1_772_438_400_000_000_000 + i64::from(id) * 1_000_000_000 + nanos;
        Taken { time, link: 1, original_len: bytes.len() as u32, bytes }
    };
    let port = 40_000 + id;
    [
        frame(client, server, (port, 53), 1, &message(0x0100, 0)),
        frame(server, client, (53, port), 2_000_000, &message(0x8180, 1)),
    ]
}

/// Whether a program is there; says so if it is not.
fn is_there(program: &str, probe: &str) -> bool {
    let found = Command::new(program).arg(probe).output().is_ok_and(|out| out.status.success());
    if !found {
        println!("skipped: no {program}");
    }
    found
}

fn python(script: &str, path: &Path) -> Option<Vec<Fact>> {
    if !is_there("python3", "--version") {
        return None;
    }
    let output = Command::new("python3").args(["-c", script]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn output(form: &str, path: &Path) -> String {
    format!("{form}={}", path.display())
}

#[test]
fn python_reads_the_csv_and_no_cell_is_a_formula() {
    const SCRIPT: &str = r#"
import csv, json, sys
rows = []
with open(sys.argv[1], newline="", encoding="utf-8") as file:
    for row in csv.DictReader(file, strict=True):
        assert None not in row and None not in row.values(), row
        for cell in row.values():
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), cell
            assert cell.isprintable(), cell
        plain = {name: cell[1:] if cell.startswith("'") else cell for name, cell in row.items()}
        assert plain["confidence"] == "" or 0 < float(plain["confidence"]) <= 1
        rows.append([plain[c] for c in ("id", "client", "indicator", "asked", "chain")])
print(json.dumps(rows))
"#;
    for case in [Case::office(), Case::hostile()] {
        let path = case.path("answer.csv");
        case.run(&["--format", "text", "--output", &output("csv", &path)]);
        let Some(facts) = python(SCRIPT, &path) else { return };
        assert_eq!(facts, case.facts());
        let on_stdout = case.run(&["--format", "csv"]).stdout;
        assert_eq!(on_stdout, fs::read_to_string(&path).unwrap());
        assert!(on_stdout.ends_with("\r\n"), "lines end as RFC 4180 has it");
    }
}

#[test]
fn jq_reads_the_events_like_suricatas() {
    if !is_there("jq", "--version") {
        return;
    }
    for case in [Case::office(), Case::hostile()] {
        let path = case.path("eve.json");
        case.run(&["--output", &output("eve", &path)]);
        let filter = r#"select(.event_type == "whoasked" and (.alert.severity | IN(1, 2, 3))
            and (.timestamp | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}\\+0000$"))
            and .alert.signature != "" and .alert.category != "" and .proto != null and .dest_ip != null)
            | [.whoasked.id, (.whoasked.client.ip // ""), .whoasked.indicator.value,
               (.whoasked.client.asked // ""), ([.whoasked.client.chain[]?.name] | join(" > "))]"#;
        let jq = Command::new("jq").args(["-c", filter]).arg(&path).output().unwrap();
        assert!(jq.status.success(), "{}", String::from_utf8_lossy(&jq.stderr));
        let text = String::from_utf8(jq.stdout).unwrap();
        let facts: Vec<Fact> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(facts, case.facts());
    }
}

#[test]
fn the_zeek_log_is_read_by_its_own_header() {
    const SCRIPT: &str = r##"
import json, re, sys
def plain(text):
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]), text).decode()
meta, rows = {}, []
for line in open(sys.argv[1], "rb").read().split(b"\n")[:-1]:
    if line.startswith(b"#"):
        if line.startswith(b"#separator "):
            separator = plain(line.split(b" ", 1)[1]).encode()
        else:
            name, *rest = line[1:].split(separator)
            meta[name] = rest
        continue
    cells = line.split(separator)
    assert len(cells) == len(meta[b"fields"]) == len(meta[b"types"]), line
    assert all(32 <= octet < 127 or octet == 9 for octet in line), line
    row = {}
    for name, kind, cell in zip(meta[b"fields"], meta[b"types"], cells):
        if cell == meta[b"unset_field"][0]: value = None
        elif kind.startswith((b"vector[", b"set[")):
            elements = [] if cell == meta[b"empty_field"][0] else cell.split(meta[b"set_separator"][0])
            value = [plain(element) for element in elements]
        elif kind in (b"time", b"double"): value = float(cell)
        elif kind in (b"count", b"port"): value = int(cell)
        else: value = "" if cell == meta[b"empty_field"][0] else plain(cell)
        row[name.decode()] = value
    named = row["role"] is not None
    rows.append([row["uid"], row["id.orig_h"] if named else "", row["indicator"],
                 row["query"] if named else "", " > ".join(row["chain"] or [])])
assert b"open" in meta and b"close" in meta and meta[b"path"] == [b"whoasked"], meta
print(json.dumps(rows))
"##;
    for case in [Case::office(), Case::hostile()] {
        let path = case.path("whoasked.log");
        case.run(&["--output", &output("zeek", &path)]);
        let Some(facts) = python(SCRIPT, &path) else { return };
        assert_eq!(facts, case.facts());
    }
}

/// Reads an event of CEF as its description has it, or says what is wrong.
fn read_cef(line: &str) -> Result<(Vec<String>, BTreeMap<String, String>), String> {
    let rest = line.strip_prefix("CEF:0|").ok_or("no CEF:0")?;
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut letters = rest.char_indices();
    let mut extension = "";
    while let Some((at, c)) = letters.next() {
        match c {
            '\\' => match letters.next() {
                Some((_, c @ ('\\' | '|'))) => field.push(c),
                other => return Err(format!("an escape of {other:?} in the header")),
            },
            '|' => {
                fields.push(std::mem::take(&mut field));
                if fields.len() == 6 {
                    extension = &rest[at + 1..];
                    break;
                }
            }
            c => field.push(c),
        }
    }
    // A key is a word before an `=` without a backslash; its value goes up to the blank before the next one.
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in extension.split(' ') {
        let key = piece
            .split_once('=')
            .filter(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()));
        match (key, pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key.to_owned(), value.to_owned())),
            (None, Some((_, value))) => *value = format!("{value} {piece}"),
            (None, None) => return Err(format!("no key before {piece:?}")),
        }
    }
    let mut read = BTreeMap::new();
    for (key, value) in pairs {
        let mut plain = String::new();
        let mut letters = value.chars();
        while let Some(c) = letters.next() {
            match (c, c == '\\') {
                (_, true) => match letters.next() {
                    Some(c @ ('\\' | '=')) => plain.push(c),
                    Some('n') => plain.push('\n'),
                    Some('r') => plain.push('\r'),
                    other => return Err(format!("an escape of {other:?} in {key}")),
                },
                ('=', _) => return Err(format!("a bare = in {key}")),
                (c, _) => plain.push(c),
            }
        }
        if read.insert(key.clone(), plain).is_some() {
            return Err(format!("{key} is there twice"));
        }
    }
    Ok((fields, read))
}

fn cef_facts(text: &str) -> Vec<Fact> {
    let facts = text.lines().map(|line| {
        let (fields, read) = read_cef(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(&fields[..2], ["whoasked", "whoasked"]);
        let severity = line.split('|').nth(6).unwrap();
        assert!((0..=10).contains(&severity.parse::<u8>().unwrap()));
        let get = |key: &str| read.get(key).cloned().unwrap_or_default();
        let named = read.contains_key("cs3");
        let of = |key| if named { get(key) } else { String::new() };
        [get("externalId"), of("src"), get("cs1"), of("destinationDnsDomain"), of("cs2")]
    });
    facts.collect()
}

#[test]
fn cef_is_read_as_its_description_has_it() {
    for case in [Case::office(), Case::hostile()] {
        let run = case.run(&["--format", "cef"]);
        assert_eq!(cef_facts(&run.stdout), case.facts());
    }
}

#[test]
fn sockets_get_a_message_a_line() {
    let case = Case::hostile();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let to = format!("cef=udp://{}", udp.local_addr().unwrap());
    case.run(&["--output", &to]);
    let mut events = String::new();
    for _ in 0..HOSTILE.len() {
        let mut datagram = [0; 65_535];
        let octets = udp.recv(&mut datagram).unwrap();
        let message = std::str::from_utf8(&datagram[..octets]).unwrap();
        let (head, event) = message.split_once(" - CEF:").unwrap();
        assert!(head.starts_with('<') && head.contains(" whoasked "), "{message}");
        events.push_str(&format!("CEF:{event}\n"));
    }
    assert_eq!(cef_facts(&events), case.facts());

    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("syslog=tcp://{}", tcp.local_addr().unwrap());
    let received = std::thread::spawn(move || {
        let mut all = Vec::new();
        tcp.accept().unwrap().0.read_to_end(&mut all).unwrap();
        all
    });
    case.run(&["--output", &to]);
    let all = received.join().unwrap();
    let (mut rest, mut messages) = (all.as_slice(), 0);
    while !rest.is_empty() {
        let blank = rest.iter().position(|octet| *octet == b' ').unwrap();
        let len: usize = std::str::from_utf8(&rest[..blank]).unwrap().parse().unwrap();
        let message = &rest[blank + 1..blank + 1 + len];
        assert!(message.starts_with(b"<1") && !message.contains(&b'\n'));
        rest = &rest[blank + 1 + len..];
        messages += 1;
    }
    assert_eq!(messages, HOSTILE.len() + 1, "one more says what the run came to");
}

/// rsyslog with its sockets, ended with this.
struct Rsyslog {
    child: Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Rsyslog {
    fn start() -> Option<Rsyslog> {
        if !is_there("rsyslogd", "-v") {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().display();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!(
            r#"global(workDirectory="{place}" maxMessageSize="16k")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
module(load="mmpstrucdata")
template(name="read" type="list") {{
  constant(value="{{\"pri\":\"") property(name="pri")
  constant(value="\",\"app\":\"") property(name="app-name")
  constant(value="\",\"kind\":\"") property(name="msgid")
  constant(value="\",\"words\":\"") property(name="msg" format="json")
  constant(value="\",\"data\":") property(name="$!rfc5424-sd") constant(value="}}\n") }}
ruleset(name="all") {{ action(type="mmpstrucdata" sd_name.lowercase="off")
  action(type="omfile" file="{place}/read.json" template="read") }}
input(type="imuxsock" Socket="{place}/log" ruleset="all" useSpecialParser="off")
input(type="imudp" address="127.0.0.1" port="{port}" ruleset="all")
input(type="imtcp" address="127.0.0.1" port="{port}" ruleset="all")
"#
        );
        let file = directory.path().join("rsyslog.conf");
        fs::write(&file, settings).unwrap();
        let child = Command::new("rsyslogd")
            .args(["-n", "-f"])
            .arg(&file)
            .arg("-i")
            .arg(directory.path().join("pid"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let rsyslog = Rsyslog { child, port, directory };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "rsyslogd does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(rsyslog)
    }

    /// What it read, once there are so many messages.
    fn read(&self, messages: usize) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let text =
                fs::read_to_string(self.directory.path().join("read.json")).unwrap_or_default();
            if text.lines().count() >= messages || began.elapsed() > Duration::from_secs(10) {
                let lines = text.lines();
                return lines.map(|line| serde_json::from_str(line).expect(line)).collect();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn rsyslog_reads_the_structured_data_by_every_kind_of_socket() {
    let Some(rsyslog) = Rsyslog::start() else { return };
    let case = Case::hostile();
    let expected = case.facts();
    let log = rsyslog.directory.path().join("log");
    let places = [
        format!("unix:{}", log.display()),
        format!("udp://127.0.0.1:{}", rsyslog.port),
        format!("tcp://localhost:{}", rsyslog.port),
    ];
    for (place, to) in places.iter().enumerate() {
        case.run(&["--output", &format!("syslog={to}")]);
        let each = expected.len() + 1;
        let read = rsyslog.read(each * (place + 1));
        assert_eq!(read.len(), each * (place + 1), "{to}");
        let read = &read[each * place..];
        let facts: Vec<Fact> = read[..expected.len()]
            .iter()
            .map(|message| {
                assert_eq!(
                    (&message["app"], &message["kind"]),
                    (&"whoasked".into(), &"attribution".into())
                );
                let data = &message["data"]["whoasked@32473"];
                ["id", "client", "indicator", "asked", "chain"]
                    .map(|key| data[key].as_str().unwrap_or_default().to_owned())
            })
            .collect();
        assert_eq!(facts, expected, "{to}");
        assert_eq!(read[expected.len()]["kind"], "coverage");
    }
}

#[test]
fn a_ticket_is_of_one_client_and_72_columns_wide() {
    let case = Case::office();
    let one = case.run(&["--ticket=192.168.2.42"]).stdout;
    assert!(
        one.starts_with("Client 192.168.2.42 (KEVIN-PC) asked for mi.kenal-cn.com and connected\n")
    );
    for part in [
        "Who\n",
        "What it looked up",
        "sure",
        "frame.number in {",
        "What this does not show",
        "Next steps",
    ] {
        assert!(one.contains(part), "{part:?}");
    }
    let all = case.run(&["--ticket"]).stdout;
    assert_eq!(all, case.run(&["--format", "ticket"]).stdout);
    assert!(all.contains(&one), "the ticket of one is among those of all");
    let clients = case.facts().into_iter().map(|[_, client, ..]| client);
    let clients: std::collections::BTreeSet<String> =
        clients.filter(|client| !client.is_empty()).collect();
    assert_eq!(all.matches("\nWho\n").count(), clients.len());
    for text in [&all, &Case::hostile().run(&["--ticket"]).stdout] {
        for line in text.lines() {
            assert!(line.chars().count() <= 72, "{line:?}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
    let other = case.run(&["--ticket=10.9.9.9"]).stdout;
    assert!(other.starts_with("No ticket: nothing on the lists leads to 10.9.9.9"), "{other}");
}

#[test]
fn every_form_is_the_same_for_any_number_of_workers() {
    let case = Case::office();
    let forms = ["text", "csv", "eve", "zeek", "cef", "syslog", "ticket"];
    let all = |workers: &str| {
        let outputs = forms.map(|form| output(form, &case.path(form)));
        let evidence = case.path(&format!("evidence-{workers}"));
        let mut arguments = vec!["--workers", workers, "--evidence", evidence.to_str().unwrap()];
        arguments.extend(outputs.iter().flat_map(|output| ["--output", output]));
        case.run(&arguments);
        let written = forms.iter().map(|form| case.path(form)).chain(files_below(&evidence));
        written.map(|path| fs::read(path).unwrap()).collect::<Vec<_>>()
    };
    let one = all("1");
    assert!(one.len() > forms.len() && one.iter().all(|content| !content.is_empty()));
    assert!(all("2") == one && all("4") == one);
}

#[test]
fn one_output_that_fails_takes_no_other_with_it() {
    let case = Case::office();
    let whole = case.path("whole.csv");
    let mut command = program();
    command.arg("read").arg(&case.capture).arg("--indicators").arg(&case.list);
    command.args(["--format", "jsonl", "--output", "csv=/dev/full"]);
    let run: Run = command.arg("--output").arg(output("csv", &whole)).output().unwrap().into();
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("/dev/full"), "{}", run.stderr);
    assert_eq!(run.stdout, case.run(&["--format", "jsonl"]).stdout);
    assert_eq!(fs::read_to_string(&whole).unwrap(), case.run(&["--format", "csv"]).stdout);
}

#[test]
fn nothing_that_is_read_is_written_over_and_bad_places_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let capture = directory.path().join("office.pcap");
    fs::copy(project("captures/office.pcap"), &capture).unwrap();
    fs::write(directory.path().join("list.txt"), "evil.example\n").unwrap();
    fs::write(directory.path().join("other.pcapng"), "evidence").unwrap();
    let before = fs::read(&capture).unwrap();
    for (place, words) in [
        ("csv=office.pcap", vec!["office.pcap", "an input"]),
        ("csv=./list.txt", vec!["list.txt", "an input"]),
        ("csv=other.pcapng", vec!["other.pcapng", "is not overwritten"]),
        ("answer.csv", vec!["FORM=PLACE"]),
        ("xml=answer.xml", vec!["`xml` is not a format", "syslog"]),
        ("csv=udp://127.0.0.1:9", vec!["only go to a file"]),
        ("syslog=udp://host", vec!["not a host and port"]),
        ("syslog=http://host:1", vec!["`http` is not supported"]),
        ("syslog=unix:nowhere.sock", vec!["unix:nowhere.sock", "cannot open"]),
        ("jsonl=no/such/place.jsonl", vec!["no/such/place.jsonl", "cannot open"]),
    ] {
        let mut command = program();
        command.current_dir(directory.path());
        command.args(["read", "office.pcap", "--indicators", "list.txt", "--output", place]);
        let run: Run = command.output().unwrap().into();
        assert_eq!(run.code, Some(2), "{place}: {run:?}");
        for word in words {
            assert!(run.stderr.contains(word), "{place}: {word:?} is not in {:?}", run.stderr);
        }
    }
    assert!(fs::read(&capture).unwrap() == before, "the capture is untouched");
}

#[cfg(unix)]
#[test]
fn a_file_is_known_by_any_of_its_names() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::copy(project("captures/office.pcap"), at("office.pcap")).unwrap();
    fs::hard_link(at("office.pcap"), at("hard")).unwrap();
    fs::write(at("kept.csv"), "kept").unwrap();
    fs::hard_link(at("kept.csv"), at("linked.csv")).unwrap();
    fs::write(at("names.csv"), "ip,hostname\n").unwrap();
    std::os::unix::fs::symlink("target", at("dangling")).unwrap();
    let before = fs::read(at("office.pcap")).unwrap();
    let run = |arguments: &[&str], stdout: Option<&str>| -> Run {
        let mut command = program();
        command.current_dir(directory.path()).args(["explain", "mi.kenal-cn.com", "office.pcap"]);
        if let Some(stdout) = stdout {
            command
                .stdout(fs::OpenOptions::new().append(true).create(true).open(at(stdout)).unwrap());
        }
        command.args(arguments).output().unwrap().into()
    };
    for (arguments, stdout, words) in [
        (vec!["-o", "csv=hard"], None, "an input"),
        (vec!["--names", "names.csv", "-o", "csv=names.csv"], None, "an input"),
        (vec!["-o", "csv=dangling", "-o", "eve=target"], None, "is given twice"),
        (vec!["-o", "csv=kept.csv", "-o", "eve=tcp://127.0.0.1:1"], None, "cannot open"),
        (vec!["-o", "csv=kept.csv", "--report", "no/such.html"], None, "no/such.html"),
        (vec![], Some("office.pcap"), "stdout is redirected to office.pcap"),
        (vec!["-o", "csv=new.csv", "-o", "eve=./new.csv"], None, "is given twice"),
        (vec!["-o", "csv=kept.csv", "-o", "eve=linked.csv"], None, "is given twice"),
        (vec!["-o", "csv=x", "--report", "./x"], None, "--report already goes to"),
        (vec!["-o", "csv=out"], Some("out"), "stdout already goes to"),
        (vec!["-o", "csv=kept.csv", "-o", "eve=no/such/place"], None, "cannot open no/such/place"),
    ] {
        let run = run(&arguments, stdout);
        assert_eq!(run.code, Some(2), "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(words), "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(fs::read_to_string(at("kept.csv")).unwrap(), "kept", "no output was opened");
    assert!(fs::read(at("office.pcap")).unwrap() == before, "the capture is untouched");
    assert!(!at("target").exists() && !at("x").exists(), "nothing was made");
    assert_eq!(run(&["-o", "csv=/dev/null", "-o", "eve=/dev/null"], None).code, Some(1));
    // By stdin, too.
    let mut command = program();
    command.args(["explain", "mi.kenal-cn.com", "-", "-o"]).arg(output("csv", &at("office.pcap")));
    command.stdin(fs::File::open(at("office.pcap")).unwrap());
    let run: Run = command.output().unwrap().into();
    assert!(run.stderr.contains("an input"), "{}", run.stderr);
    assert!(fs::read(at("office.pcap")).unwrap() == before, "the capture is untouched");
}

#[test]
fn every_form_is_documented() {
    let document = fs::read_to_string(project("docs/forms.md")).unwrap();
    let help: Run = program().args(["read", "--help"]).output().unwrap().into();
    let (_, behind) = help.stdout.split_once("--format <").unwrap();
    let listed = behind.split("Possible values:").nth(1).unwrap();
    let forms: Vec<&str> = listed
        .lines()
        .take_while(|line| !line.contains("[default:"))
        .filter_map(|line| Some(line.trim().strip_prefix("- ")?.split_once(':')?.0))
        .collect();
    assert!(forms.len() >= 8, "{forms:?}");
    for form in forms {
        assert!(document.contains(&format!("`{form}`")), "{form} is not in docs/forms.md");
    }
    let case = Case::office();
    for (form, separator) in [("csv", ','), ("zeek", '\t')] {
        let stdout = case.run(&["--format", form]).stdout;
        let header = stdout.lines().find(|line| line.contains("indicator")).unwrap();
        for column in header.trim_start_matches("#fields\t").split(separator) {
            assert!(
                document.contains(&format!("`{column}`")),
                "{column} of {form} is not documented"
            );
        }
    }
}

#[test]
fn a_run_that_waits_for_a_silent_pipe_ends_with_ctrl_c() {
    let case = Case::office();
    let content = fs::read(&case.capture).unwrap();
    for workers in ["1", "2", "4"] {
        let mut command = program();
        command.args(["read", "-", "--workers", workers, "--format", "jsonl", "--indicators"]);
        let mut child = command
            .arg(&case.list)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(&content[..content.len() / 2]).unwrap();
        std::thread::sleep(Duration::from_millis(1_500));
        let began = Instant::now();
        let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(signal.unwrap().success());
        let run: Run = child.wait_with_output().unwrap().into();
        assert!(began.elapsed() < Duration::from_secs(3), "{workers}: {:?}", began.elapsed());
        assert_eq!(run.code, Some(1), "{workers}: {}", run.stderr);
        let coverage = run.json().pop().unwrap();
        assert_eq!(
            (&coverage["interrupted"], &coverage["damage"]),
            (&true.into(), &Value::Array(vec![]))
        );
        drop(input);
    }
}
