//! `whoasked live` on a real interface: a pair of virtual ones, of which one is the mirror port. It needs root and
//! the programs that send and capture beside it; without them it says `skipped`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test waits for other programs, with a clock and threads"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Run, bundle_in_one_line, program, project, read_jsonl};

/// How long anything may take before the test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until something holds.
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whom a confined run becomes here.
pub const NOBODY: u32 = 65_534;

/// How many packets `office.pcap` has.
pub const OFFICE_PACKETS: u64 = 2_704;

/// Runs a program, and says whether it is there and succeeded.
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

/// Whether all these programs are there; says which is not.
pub fn is_there(programs: &[&str]) -> bool {
    let missing =
        programs.iter().find(|name| !succeeds("sh", &["-c", &format!("command -v {name}")]));
    if let Some(missing) = missing {
        println!("skipped: no {missing}");
    }
    missing.is_none()
}

/// Two interfaces, each of which gets what the other sends.
pub struct Pair {
    pub sender: String,
    pub mirror: String,
}

impl Pair {
    /// Makes them; `None`, with a word about it, where that is not possible.
    pub fn new(letter: char) -> Option<Pair> {
        if !is_there(&["tcpreplay", "tcpdump", "ip"]) {
            return None;
        }
        let number = std::process::id() % 100_000;
        let (sender, mirror) = (format!("wa{letter}{number}s"), format!("wa{letter}{number}m"));
        if !succeeds("ip", &["link", "add", &sender, "type", "veth", "peer", "name", &mirror]) {
            println!("skipped: no virtual interfaces can be made here (not root?)");
            return None;
        }
        let pair = Pair { sender, mirror };
        for name in [&pair.sender, &pair.mirror] {
            // The kernel's own words on a new interface are none of the test's.
            let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1");
            assert!(succeeds("ip", &["link", "set", name, "up"]));
        }
        Some(pair)
    }

    /// Sends a capture, at so many packets a second.
    pub fn send(&self, capture: &Path, rate: u32) {
        let rate = format!("--pps={rate}");
        let capture = capture.to_str().unwrap();
        assert!(succeeds("tcpreplay", &["-q", "-i", &self.sender, &rate, capture]));
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        succeeds("ip", &["link", "del", &self.sender]);
    }
}

/// A directory that is let to whom a confined run becomes.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    folder
}

/// A program that goes on until it is told to end.
pub struct Running {
    pub child: Child,
    pub lines: Receiver<String>,
    errors: Receiver<String>,
}

/// The lines that a program writes, as they come.
fn lines_of(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

impl Running {
    /// Starts it; what it writes is read as it comes.
    pub fn start(mut command: Command) -> Running {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Running { child, lines: lines_of(out), errors: lines_of(err) }
    }

    /// `whoasked live` that listens, with JSON lines on stdout.
    pub fn live(pair: &Pair, arguments: &[&str]) -> Running {
        let mut command = program();
        command.args(["live", "-i", &pair.mirror, "-f", "jsonl", "--user=nobody"]).args(arguments);
        let running = Running::start(command);
        running.wait_for_word("listening");
        running
    }

    /// Waits for a line on stderr that holds a word.
    pub fn wait_for_word(&self, word: &str) -> String {
        let mut all = Vec::new();
        let until = Instant::now() + PATIENCE;
        while let Ok(line) =
            self.errors.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            if line.contains(word) {
                return line;
            }
            all.push(line);
        }
        panic!("{word:?} was not said: {all:?}");
    }

    /// Waits for a line on stdout that is as wanted.
    pub fn wait_for_line(&self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        while let Ok(line) =
            self.lines.recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            let line: Value = serde_json::from_str(&line).expect(&line);
            if wanted(&line) {
                return line;
            }
        }
        panic!("no such line");
    }

    /// Waits until so many packets have come, which a busy machine may take its time for.
    pub fn wait_for_packets(&self, count: u64) {
        let until = Instant::now() + PATIENCE;
        loop {
            self.signal("USR1");
            let line = self.wait_for_word(" packets, ");
            let words: Vec<&str> = line.split_whitespace().collect();
            let place = words.iter().position(|word| *word == "packets,").unwrap();
            if words[place - 1].parse::<u64>().unwrap() >= count {
                return;
            }
            assert!(Instant::now() < until, "{line}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(succeeds("kill", &[&format!("-{name}"), &id]));
    }

    /// Ends it with SIGTERM: what it wrote since, its last words, its exit code, and how long that took.
    pub fn end(mut self) -> (Run, Duration) {
        let began = Instant::now();
        self.signal("TERM");
        let code = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None if began.elapsed() > PATIENCE => panic!("it does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let took = began.elapsed();
        let all = |lines: &Receiver<String>| lines.iter().map(|line| line + "\n").collect();
        (Run { stdout: all(&self.lines), stderr: all(&self.errors), code }, took)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is said of a sighting, without what depends on where its frames stand and how the list is called.
fn without_places(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(name, _)| {
                    let name = name.as_str();
                    !name.ends_with("frame") && !name.ends_with("id") && name != "list"
                })
                .map(|(name, value)| (name.clone(), without_places(value)))
                .collect(),
        ),
        Value::Array(items) => items.iter().map(without_places).collect(),
        other => other.clone(),
    }
}

/// The attributions of a state, each with how often it stands there.
pub fn said(lines: &[Value], state: &str) -> BTreeMap<String, usize> {
    let mut said = BTreeMap::new();
    for line in lines.iter().filter(|l| l["type"] == "attribution" && l["state"] == state) {
        *said.entry(without_places(line).to_string()).or_default() += 1;
    }
    said
}

#[test]
fn what_live_says_in_the_end_is_what_read_says_of_the_same_packets() {
    let Some(pair) = Pair::new('e') else { return };
    let folder = folder();
    let beside = folder.path().join("beside.pcap");
    let list = project("captures/flagged.txt");
    let live = Running::live(&pair, &["--capture", "all", "--indicators", list.to_str().unwrap()]);
    let mut dump = Command::new("tcpdump");
    dump.args(["-i", &pair.mirror, "-B", "65536", "-Z", "root", "--nano", "-s", "0", "-w"]);
    let dump = Running::start({
        dump.arg(&beside);
        dump
    });
    dump.wait_for_word("listening on");
    pair.send(&project("captures/office.pcap"), 2_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    live.wait_for_packets(OFFICE_PACKETS);
    // What tcpdump has it has written, and what was seen last is said provisionally.
    std::thread::sleep(Duration::from_millis(900));
    let (run, took) = live.end();
    let (dump, _) = dump.end();
    assert!(dump.stderr.contains("\n0 packets dropped by kernel"), "{}", dump.stderr);
    assert!(took < Duration::from_secs(2), "it took {took:?} to end");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let lines = run.json();
    let read = read_jsonl(&[beside], &fs::read_to_string(list).unwrap(), 2).json();
    let (live, read) = (said(&lines, "final"), said(&read, "final"));
    assert!(read.len() >= 15, "{} are said by read", read.len());
    for (line, count) in &read {
        assert_eq!(live.get(line), Some(count), "{line}");
    }
    assert_eq!(live.len(), read.len());
    // Each was said before, too, but for the first one, which was taken off above.
    let ids = |state: &str| -> Vec<&Value> {
        let of = lines.iter().filter(|l| l["type"] == "attribution" && l["state"] == state);
        of.map(|line| &line["id"]).collect()
    };
    let early = ids("provisional");
    let late = ids("final").into_iter().filter(|id| !early.contains(id)).count();
    assert!(late <= 1, "{late} of {} were not said at once", live.len());
}

#[test]
fn lists_are_read_anew_and_a_broken_one_changes_nothing() {
    let Some(pair) = Pair::new('l') else { return };
    let folder = folder();
    let list = folder.path().join("list.txt");
    fs::write(&list, "nobody-asks.example\n").unwrap();
    let live = Running::live(&pair, &["--indicators", list.to_str().unwrap()]);
    pair.send(&project("captures/office.pcap"), 4_000);
    fs::write(&list, "mi.kenal-cn.com\n").unwrap();
    live.signal("HUP");
    live.wait_for_word("lists reloaded");
    pair.send(&project("captures/office.pcap"), 4_000);
    let flagged = live.wait_for_line(|line| line["type"] == "attribution");
    assert_eq!(flagged["indicator"]["value"], "mi.kenal-cn.com");
    fs::write(&list, "# nothing is left of it\n").unwrap();
    live.signal("HUP");
    let said = live.wait_for_word("no usable entry");
    assert!(said.contains("in use"), "{said}");
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_line(|line| line["type"] == "attribution" && line["state"] == "provisional");
    let (run, _) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
}

#[test]
fn an_interface_that_goes_down_or_vanishes_is_waited_for() {
    let Some(pair) = Pair::new('d') else { return };
    let list = project("captures/flagged.txt");
    let live = Running::live(&pair, &["--indicators", list.to_str().unwrap()]);
    assert!(succeeds("ip", &["link", "set", &pair.mirror, "down"]));
    live.wait_for_word(&format!("is down: `ip link set {} up`; waiting for it", pair.mirror));
    assert!(succeeds("ip", &["link", "set", &pair.mirror, "up"]));
    live.wait_for_word(&format!("the interface {} is up again", pair.mirror));
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    // The cable is out at the other end.
    assert!(succeeds("ip", &["link", "set", &pair.sender, "down"]));
    live.wait_for_word(&format!("the interface {} has no carrier", pair.mirror));
    assert!(succeeds("ip", &["link", "set", &pair.sender, "up"]));
    live.wait_for_word(&format!("the interface {} is up again", pair.mirror));
    assert!(succeeds("ip", &["link", "del", &pair.sender]));
    live.wait_for_word(&pair.mirror);
    let anew = ["link", "add", &pair.sender, "type", "veth", "peer", "name", &pair.mirror];
    assert!(succeeds("ip", &anew));
    for name in [&pair.sender, &pair.mirror] {
        assert!(succeeds("ip", &["link", "set", name, "up"]));
    }
    live.wait_for_word(&pair.mirror);
    while live.lines.try_recv().is_ok() {}
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    let (run, took) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(took < Duration::from_secs(2), "it took {took:?} to end");
}

#[test]
fn shared_among_threads_it_says_the_same() {
    let Some(pair) = Pair::new('f') else { return };
    let list = project("captures/flagged.txt");
    let list = list.to_str().unwrap();
    let alone = Running::live(&pair, &["--capture", "all", "--indicators", list]);
    let shared = Running::live(&pair, &["--capture", "all", "--indicators", list, "--fanout", "3"]);
    pair.send(&project("captures/office.pcap"), 2_000);
    for live in [&alone, &shared] {
        live.wait_for_line(|line| line["type"] == "attribution");
        live.wait_for_packets(OFFICE_PACKETS);
    }
    let [alone, shared] = [alone, shared].map(|live| live.end().0.json());
    let who = |lines: &[Value]| -> Vec<String> {
        let finals = lines.iter().filter(|l| l["type"] == "attribution" && l["state"] == "final");
        let mut who: Vec<String> = finals
            .map(|line| {
                let clients = line["clients"].as_array().unwrap().iter();
                let clients: Vec<_> =
                    clients.map(|c| (&c["ip"], &c["asked"], &c["role"])).collect();
                format!("{} {} {clients:?}", line["indicator"]["value"], line["verdict"])
            })
            .collect();
        who.sort();
        who
    };
    assert!(who(&alone).len() >= 15);
    assert_eq!(who(&alone), who(&shared));
}

#[test]
fn the_ring_answers_an_alert_that_comes_late_and_files_are_begun_anew() {
    let Some(pair) = Pair::new('r') else { return };
    let folder = folder();
    let (ring, answers) = (folder.path().join("ring"), folder.path().join("answers.jsonl"));
    let list = folder.path().join("list.txt");
    fs::write(&list, "e13678.dspb.akamaiedge.net\n").unwrap();
    let output = format!("jsonl={}", answers.display());
    let live = Running::live(
        &pair,
        &[
            "--capture=all",
            "--indicators",
            list.to_str().unwrap(),
            "--ring",
            ring.to_str().unwrap(),
            "--ring-size=8M",
            "-o",
            &output,
            "--rotate-size=4K",
            "--rotate-keep=3",
        ],
    );
    pair.send(&project("captures/office.pcap"), 2_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    live.wait_for_packets(OFFICE_PACKETS);
    // The ring writes on a thread of its own.
    std::thread::sleep(Duration::from_millis(600));
    // The alert is about a name that no list held, and the run goes on.
    let explain = || {
        let run: Run = program()
            .args(["explain", "mi.kenal-cn.com", ring.to_str().unwrap(), "--tz", "UTC"])
            .output()
            .unwrap()
            .into();
        assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""), "{}", run.stdout);
        assert!(run.stdout.contains("192.168.2.42") && run.stdout.contains("KEVIN-PC"));
    };
    explain();
    let (run, _) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    explain();
    let mut lines = 0;
    for number in 0..4 {
        let path = match number {
            0 => answers.clone(),
            _ => folder.path().join(format!("answers.jsonl.{number}")),
        };
        // How much goes into each depends on how much waited at a time.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for line in text.lines() {
            let _: Value = serde_json::from_str(line).expect("whole lines only");
            lines += 1;
        }
    }
    assert!(lines >= 4, "{lines}");
    assert!(folder.path().join("answers.jsonl.1").exists(), "it was begun anew");
    assert!(!folder.path().join("answers.jsonl.4").exists());
}

#[test]
fn an_interface_that_is_down_at_the_start_is_waited_for() {
    let Some(pair) = Pair::new('w') else { return };
    assert!(succeeds("ip", &["link", "set", &pair.mirror, "down"]));
    let list = project("captures/flagged.txt");
    let live = Running::live(&pair, &["--indicators", list.to_str().unwrap()]);
    live.wait_for_word(&format!("is down: `ip link set {} up`; waiting for it", pair.mirror));
    assert!(succeeds("ip", &["link", "set", &pair.mirror, "up"]));
    live.wait_for_word(&format!("the interface {} is up again", pair.mirror));
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    let (run, _) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
}

#[test]
fn for_people_each_client_and_question_is_one_line_and_what_matters_is_said() {
    let Some(pair) = Pair::new('p') else { return };
    let alerts = project("captures/office-alerts.txt");
    let mut command = program();
    command.args(["live", "-i", &pair.mirror, "--user=nobody", "--capture=all", "--tz=UTC"]);
    command.arg("--alerts").arg(&alerts);
    let live = Running::start(command);
    let listening = live.wait_for_word("listening");
    let where_and_what = format!("listening on {} for ", pair.mirror);
    assert!(listening.contains(&where_and_what), "{listening}");
    assert!(listening.contains("office-alerts.txt; nothing appears until one is"), "{listening}");
    pair.send(&project("captures/office.pcap"), 2_000);
    live.wait_for_packets(OFFICE_PACKETS);
    let (run, _) = live.end();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(
        lines[0].starts_with("Each line starts with the time of the question, in UTC, "),
        "{}",
        lines[0]
    );
    let kevin = "192.168.2.42 (KEVIN-PC) asked for mi.kenal-cn.com itself";
    let of_kevin = lines.iter().filter(|line| line.contains(kevin));
    // When he asked, and that he then connected.
    let of_kevin: Vec<_> = of_kevin.collect();
    assert!((1..=2).contains(&of_kevin.len()), "{of_kevin:?}");
    assert!(of_kevin.last().unwrap().contains(", and connected to "), "{of_kevin:?}");
    let mut said: Vec<&str> = lines.iter().filter_map(|line| line.get(20..)).collect();
    said.sort_unstable();
    assert!(said.windows(2).all(|pair| pair[0] != pair[1]), "{}", run.stdout);
    // The end begins with whom to act on, and what it was all in all comes last.
    let end =
        lines.iter().position(|line| line.starts_with("act on 192.168.2.42 (KEVIN-PC): ")).unwrap();
    assert!(lines[end].contains(", connected to "), "{}", lines[end]);
    let anna = lines[end..].iter().find(|line| line.contains("192.168.2.30 (ANNA-PC)"));
    assert!(anna.is_some_and(|line| line.starts_with("perhaps a false alarm: ")), "{anna:?}");
    // Played so fast, the capture is too young to tell that nobody asked.
    let of_nobody = ": 2 lookups of up.telemetry-sync.net (A) by DNS server 192.168.2.194: ";
    let told = lines.iter().find(|line| line.contains(of_nobody)).expect(&run.stdout);
    assert!(told.starts_with("undecided") || told.starts_with("no client"), "{told}");
    assert!(lines.last().unwrap().starts_with("In total: "), "{}", run.stdout);
    // Statistics are for who asks for them.
    assert!(run.stderr.ends_with("ending; what is known follows\n"), "{}", run.stderr);
}

#[test]
fn of_a_list_that_is_one_line_nothing_that_is_so_is_taken_back() {
    let Some(pair) = Pair::new('b') else { return };
    let folder = folder();
    let list = folder.path().join("list.json");
    fs::write(&list, bundle_in_one_line()).unwrap();
    let mut command = program();
    command.args(["live", "-i", &pair.mirror, "--user=nobody", "--capture=all", "--tz=UTC"]);
    command.arg("--indicators").arg(&list);
    let live = Running::start(command);
    live.wait_for_word("listening on ");
    pair.send(&project("captures/office.pcap"), 2_000);
    live.wait_for_packets(OFFICE_PACKETS);
    let (run, _) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let kevin = " asked for mi.kenal-cn.com itself";
    assert!(run.stdout.contains(kevin) && !run.stdout.contains(" not so "), "{}", run.stdout);
}

#[test]
fn what_has_no_reader_any_more_ends_and_says_so() {
    let Some(pair) = Pair::new('h') else { return };
    let list = project("captures/flagged.txt");
    let mut command = program();
    command.args(["live", "-i", &pair.mirror, "--user=nobody", "--indicators"]).arg(&list);
    let mut live = Running::start(command);
    live.wait_for_word("listening");
    live.lines = channel().1;
    pair.send(&project("captures/office.pcap"), 2_000);
    pair.send(&project("captures/office.pcap"), 2_000);
    let said = live.wait_for_word("the reader of the output is gone; ending");
    assert!(!said.contains("Broken pipe"), "{said}");
}

#[test]
fn that_the_reader_has_gone_is_known_without_a_line_to_write() {
    let Some(pair) = Pair::new('7') else { return };
    let mut command = Command::new("sh");
    command.args(["-c", "\"$0\" \"$@\" | true"]).arg(program().get_program());
    command.args(["live", "-i", &pair.mirror, "--user=nobody", "--indicators"]);
    command.arg(project("captures/flagged.txt"));
    Running::start(command).wait_for_word("the reader of the output is gone; ending");
}

#[test]
fn flags_that_do_nothing_without_another_are_refused() {
    for (flag, other) in [
        ("--rotate-size=1M", "--output"),
        ("--rotate-every=1h", "--output"),
        ("--rotate-keep=3", "--output"),
        ("--ring-size=1M", "--ring"),
    ] {
        let run: Run = program()
            .args(["live", "-i", "lo", "--indicators", "none.txt", flag])
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, Some(2), "{flag}");
        assert!(run.stderr.contains(other), "{flag}: {}", run.stderr);
    }
}

#[test]
fn an_alert_table_in_the_place_of_a_list_is_told_where_to_go() {
    let alerts = project("captures/office-alerts.txt");
    let arguments = ["live", "-i", "lo", "--indicators", alerts.to_str().unwrap()];
    let run: Run = program().args(arguments).output().unwrap().into();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("`whoasked live -i IFACE --alerts "), "{}", run.stderr);
    let run: Run = program()
        .args(["live", "-i", "lo", "--indicators", "/etc/whoasked/nothing-here"])
        .output()
        .unwrap()
        .into();
    assert!(run.stderr.contains("file not found"), "{}", run.stderr);
}

#[test]
fn a_list_in_the_place_of_alerts_and_what_alerts_blame_are_not_looked_for() {
    let live = |arguments: &[&str]| -> Run {
        program().args(["live", "-i", "lo"]).args(arguments).output().unwrap().into()
    };
    let folder = folder();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "||evil.com^\n||bad.example.com^\n").unwrap();
    let run = live(&["--alerts", list.to_str().unwrap()]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("to `read` or `live` with --indicators"), "{}", run.stderr);
    // The columns changed places: what is blamed stands where what is flagged should.
    let alerts = folder.path().join("alerts.csv");
    std::fs::write(
        &alerts,
        "time,host,threat,destination\n2026-03-02 09:17,x,C2/Generic-A,192.168.2.194\n",
    )
    .unwrap();
    let run = live(&["--alerts", alerts.to_str().unwrap()]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("in your own network"), "{}", run.stderr);
    assert!(run.stderr.contains("no usable destination"), "{}", run.stderr);
    // Its form is said where it is not found out.
    let run = live(&["--alerts", list.to_str().unwrap(), "--alerts-format", "csv"]);
    assert!(run.stderr.contains("csv") || run.stderr.contains("CSV"), "{}", run.stderr);
    let run = live(&["--indicators", list.to_str().unwrap(), "--alerts-format", "csv"]);
    assert!(run.stderr.contains("--alerts"), "{}", run.stderr);
    let run = live(&[]);
    assert!(run.stderr.contains("<--indicators <LIST>...|--alerts <FILE>>"), "{}", run.stderr);
}

#[test]
fn a_directory_that_is_missing_is_not_one_that_lets_nobody_write() {
    let Some(pair) = Pair::new('q') else { return };
    let (list, folder) = (project("captures/flagged.txt"), folder());
    let missing = folder.path().join("missing/answers.jsonl");
    let output = format!("jsonl={}", missing.display());
    let mut command = program();
    command.args(["live", "-i", &pair.mirror, "--user=nobody", "-o", &output, "--indicators"]);
    let run: Run = command.arg(&list).output().unwrap().into();
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("install -d -o nobody"), "{}", run.stderr);
    assert!(!run.stderr.contains("let that user write there"), "{}", run.stderr);
}

#[test]
fn an_interface_that_is_none_is_an_error_with_a_way_out() {
    let list = project("captures/flagged.txt");
    let arguments = ["live", "-i", "nosuch0", "--indicators", list.to_str().unwrap()];
    let run: Run = program().args(arguments).output().unwrap().into();
    assert_eq!(run.code, Some(2));
    // Who is not root is told that instead.
    assert!(
        run.stderr.contains("ip -brief link") || run.stderr.contains("setcap"),
        "{}",
        run.stderr
    );
}

#[test]
fn sizes_and_times_that_are_none_are_refused() {
    for flag in [
        "--rotate-size=0",
        "--rotate-size=x",
        "--ring-size=9T",
        "--rotate-every=5",
        "--rotate-every=h",
    ] {
        let run: Run = program()
            .args(["live", "-i", "lo", "--indicators", "none.txt", flag])
            .output()
            .unwrap()
            .into();
        assert_eq!(run.code, Some(2), "{flag}");
        assert!(run.stderr.contains("expected a "), "{flag}: {}", run.stderr);
    }
}
