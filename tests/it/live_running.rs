//! `whoasked live` as it is run for months: confined, written to disk and to others, killed, watched by a service
//! manager. On pairs of virtual interfaces, as in `live.rs`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test waits for other programs, with a clock and threads"
)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::live::{NOBODY, OFFICE_PACKETS, PATIENCE, Pair, Running, folder, succeeds, wait_until};
use crate::support::{Run, program, project};

/// `CAP_NET_RAW`, alone.
const RAW: u64 = 1 << 13;

/// A field of a process's or thread's status.
fn status(path: &Path, name: &str) -> String {
    let text = fs::read_to_string(path.join("status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    line.trim_start_matches(':').trim().to_owned()
}

/// All threads are confined, and one alone can still capture.
fn is_confined(live: &Running) {
    let process = format!("/proc/{}", live.child.id());
    let id = NOBODY.to_string();
    let mut capable = 0;
    let mut threads = 0;
    for thread in fs::read_dir(format!("{process}/task")).unwrap() {
        let thread = thread.unwrap().path();
        for kind in ["Uid", "Gid"] {
            let ids = status(&thread, kind);
            assert!(ids.split_whitespace().all(|one| one == id), "{kind}: {ids}");
        }
        assert_eq!(status(&thread, "NoNewPrivs"), "1");
        assert_eq!(status(&thread, "Seccomp"), "2");
        let [effective, permitted, ambient] = ["CapEff", "CapPrm", "CapAmb"]
            .map(|kind| u64::from_str_radix(&status(&thread, kind), 16).unwrap());
        assert!(effective == 0 || effective == RAW, "{effective:x}");
        assert_eq!((permitted, ambient), (effective, 0));
        capable += usize::from(effective == RAW);
        threads += 1;
    }
    assert!(threads >= 6, "{threads} threads: capture, analysis, outputs, signals...");
    assert_eq!(capable, 1, "the thread that captures, of {threads}");
}

/// Lists come from outside: who reads them must be able to do nothing else by then. Here one never ends, and is such
/// that only root can open it.
#[test]
fn lists_are_read_by_whom_it_became() {
    let Some(pair) = Pair::new('y') else { return };
    let folder = folder();
    let list = folder.path().join("list");
    assert!(succeeds("mkfifo", &["--mode=600", list.to_str().unwrap()]));
    let mut live = program();
    live.args(["live", "-i", &pair.mirror, "--user=nobody", "--indicators"]).arg(&list);
    let live = Running::start(live);
    let mut list = fs::File::options().read(true).write(true).open(&list).unwrap();
    let process = PathBuf::from(format!("/proc/{}", live.child.id()));
    wait_until("it is confined before it reads", || status(&process, "Seccomp") == "2");
    assert!(status(&process, "Uid").starts_with(&NOBODY.to_string()));
    list.write_all(b"mi.kenal-cn.com\n").unwrap();
    drop(list);
    live.wait_for_word("listening");
}

fn lines_of(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The same for the file and those that it was before; but for one that was just begun and has nothing in it.
fn lines_of_all(path: &Path) -> Vec<Vec<String>> {
    let earlier = (1..9).map(|number| PathBuf::from(format!("{}.{number}", path.display())));
    let all = earlier.chain([path.to_owned()]).map(|path| lines_of(&path));
    all.filter(|lines| !lines.is_empty()).collect()
}

#[test]
fn confined_it_does_all_that_comes_up_in_months() {
    let Some(pair) = Pair::new('c') else { return };
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let list = at("list.txt");
    fs::write(&list, "nobody-asks.example\n").unwrap();
    // Root's, so that whoever it becomes cannot make the ring there: root makes it before.
    fs::create_dir(at("roots")).unwrap();
    let ring = at("roots/ring");
    let form = |form: &str| format!("{form}={}", at(form).display());
    let arguments: Vec<String> = [
        "--indicators",
        list.to_str().unwrap(),
        "--capture=all",
        "--rotate-size=4K",
        "--rotate-keep=8",
        "--ring-size=8M",
        "--ring",
        ring.to_str().unwrap(),
        "-o",
        &form("jsonl"),
        "-o",
        &form("csv"),
        "-o",
        &form("zeek"),
    ]
    .map(str::to_owned)
    .to_vec();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let live = Running::live(&pair, &arguments);
    // Lists are read anew by whom it became.
    fs::write(&list, fs::read_to_string(project("captures/flagged.txt")).unwrap()).unwrap();
    live.signal("HUP");
    live.wait_for_word("lists reloaded");
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    live.wait_for_packets(OFFICE_PACKETS);
    is_confined(&live);
    // Another interface of that name is opened by the thread that captures.
    assert!(succeeds("ip", &["link", "del", &pair.sender]));
    live.wait_for_word("is gone");
    let anew = ["link", "add", &pair.sender, "type", "veth", "peer", "name", &pair.mirror];
    assert!(succeeds("ip", &anew));
    for name in [&pair.sender, &pair.mirror] {
        assert!(succeeds("ip", &["link", "set", name, "up"]));
    }
    live.wait_for_word("is up again");
    while live.lines.try_recv().is_ok() {}
    // A file that was moved away is made again.
    fs::rename(at("csv"), at("moved")).unwrap();
    live.signal("HUP");
    live.wait_for_word("lists reloaded");
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    is_confined(&live);
    let (run, took) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(took < Duration::from_secs(2), "it took {took:?} to end");

    let jsonl = lines_of_all(&at("jsonl"));
    assert!(jsonl.len() > 2, "it was begun anew {} times", jsonl.len() - 1);
    for line in jsonl.iter().flatten() {
        let _: Value = serde_json::from_str(line).expect("whole lines only");
    }
    let csv = [lines_of_all(&at("csv")), lines_of_all(&at("moved"))].concat();
    assert!(csv.len() > 2, "moved, and begun anew since");
    for lines in &csv {
        let headings = lines.iter().filter(|line| line.starts_with("time,verdict,client,"));
        assert_eq!(headings.count(), 1, "{lines:?}");
        assert!(lines[0].starts_with("time,verdict,client,") && lines.len() > 1);
    }
    let states =
        |state: &str| csv.iter().flatten().any(|line| line.contains(&format!(",{state},")));
    assert!(states("provisional") && states("final"));
    for lines in lines_of_all(&at("zeek")) {
        assert_eq!(lines[0], "#separator \\x09");
        let headings = lines.iter().filter(|line| line.starts_with("#fields\tts\tuid\t"));
        assert_eq!(headings.count(), 1, "{lines:?}");
        let rows: Vec<_> = lines.iter().filter(|line| !line.starts_with('#')).collect();
        let columns = lines.iter().find(|line| line.starts_with("#fields")).unwrap();
        let columns = columns.split('\t').count() - 1;
        assert!(rows.iter().all(|row| row.split('\t').count() == columns) && !rows.is_empty());
    }
    for path in [at("jsonl"), ring.clone()] {
        assert_eq!(fs::metadata(&path).unwrap().uid(), NOBODY, "{}", path.display());
    }
    let explain: Run = program()
        .args(["explain", "mi.kenal-cn.com", ring.to_str().unwrap(), "--tz", "UTC"])
        .output()
        .unwrap()
        .into();
    assert_eq!(explain.code, Some(1), "{}", explain.stderr);
}

#[test]
fn with_the_one_capability_and_no_root_it_is_confined_as_well() {
    let Some(pair) = Pair::new('k') else { return };
    let folder = folder();
    let own = folder.path().join("whoasked");
    fs::copy(program().get_program(), &own).unwrap();
    if !succeeds("setcap", &["cap_net_raw=ep", own.to_str().unwrap()]) {
        println!("skipped: no setcap");
        return;
    }
    let list = folder.path().join("list.txt");
    fs::write(&list, "mi.kenal-cn.com\n").unwrap();
    let mut command = Command::new(&own);
    command.uid(NOBODY).gid(NOBODY).args(["live", "-f", "jsonl", "-i", &pair.mirror]);
    command.arg("--indicators").arg(&list);
    let live = Running::start(command);
    live.wait_for_word("listening");
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    is_confined(&live);
    let (run, _) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
}

#[test]
fn what_will_not_work_later_is_said_at_the_start() {
    let Some(pair) = Pair::new('w') else { return };
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("list.txt"), "mi.kenal-cn.com\n").unwrap();
    fs::create_dir(at("roots")).unwrap();
    let run = |place: &str, flags: &[&str]| -> Run {
        let output = format!("jsonl={}", at(place).display());
        let list = at("list.txt");
        let mut command = program();
        command.args(["live", "-i", &pair.mirror, "--user=nobody", "-o", &output]);
        command.arg("--indicators").arg(list).args(flags).output().unwrap().into()
    };
    let refused = run("roots/new.jsonl", &[]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("now runs as the user nobody"), "{}", refused.stderr);
    fs::write(at("roots/old.jsonl"), "").unwrap();
    chown(at("roots/old.jsonl"), Some(NOBODY), Some(NOBODY)).unwrap();
    let refused = run("roots/old.jsonl", &["--rotate-every=24h"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("but not rotated"), "{}", refused.stderr);
    // Without rotation that is a remark, as is a list that cannot be read anew.
    fs::set_permissions(at("list.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    let output = format!("jsonl={}", at("roots/old.jsonl").display());
    let list = at("list.txt");
    let live = Running::live(&pair, &["-o", &output, "--indicators", list.to_str().unwrap()]);
    let (run, _) = live.end();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let mut command = program();
    command.args(["live", "-i", &pair.mirror, "--user=nobody", "-o", &output, "--indicators"]);
    command.arg(&list);
    let live = Running::start(command);
    live.wait_for_word("list.txt can no longer be read");
    live.wait_for_word("SIGHUP cannot reopen it");
    live.wait_for_word("listening");
    live.end();
    // Not confined, it is who it was.
    let new = format!("jsonl={}", at("roots/new.jsonl").display());
    let mut command = program();
    command.args(["live", "-i", &pair.mirror, "--no-confine", "-o", &new, "--indicators"]);
    command.arg(&list);
    let live = Running::start(command);
    live.wait_for_word("listening");
    let process = format!("/proc/{}", live.child.id());
    assert_eq!(status(Path::new(&process), "Seccomp"), "0");
    assert_eq!(live.end().0.code, Some(0));
    assert_eq!(fs::metadata(at("roots/new.jsonl")).unwrap().uid(), 0);
}

/// Lines that come by a connection until nothing comes for a moment.
fn received(listener: &TcpListener) -> (Vec<String>, BufReader<std::net::TcpStream>) {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(1_500))).unwrap();
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|octets| octets > 0) {
        lines.push(std::mem::take(&mut line));
    }
    (lines, reader)
}

#[test]
fn a_receiver_that_goes_away_is_said_and_gets_the_rest_when_it_is_back() {
    let Some(pair) = Pair::new('t') else { return };
    let folder = folder();
    let socket = folder.path().join("socket");
    let unix = UnixDatagram::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    for timeout in [unix.set_read_timeout(Some(PATIENCE)), udp.set_read_timeout(Some(PATIENCE))] {
        timeout.unwrap();
    }
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let list = project("captures/flagged.txt");
    let tcp = format!("jsonl=tcp://{address}");
    let live = Running::live(
        &pair,
        &[
            "--indicators",
            list.to_str().unwrap(),
            "-o",
            &tcp,
            "-o",
            &format!("syslog=udp://{}", udp.local_addr().unwrap()),
            "-o",
            &format!("eve=unix:{}", socket.display()),
        ],
    );
    // Nobody is there yet.
    live.wait_for_word("; waiting for it");
    let listener = TcpListener::bind(address).unwrap();
    live.wait_for_word("takes answers again");
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_packets(1_000);
    let (first, reader) = received(&listener);
    assert!(first.len() >= 15, "{}", first.len());
    let mut datagram = [0; 65_536];
    let size = unix.recv(&mut datagram).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&datagram[..size]).unwrap()["event_type"],
        "whoasked"
    );
    // What is not settled is no event yet.
    udp.set_nonblocking(true).unwrap();
    assert!(udp.recv(&mut datagram).is_err());
    udp.set_nonblocking(false).unwrap();
    // A socket of datagrams holds few: somebody must read on.
    std::thread::spawn(move || while unix.recv(&mut [0; 65_536]).is_ok() {});
    // It goes away, and meanwhile there is more to say.
    drop((listener, reader));
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_word("; waiting for it");
    let listener = TcpListener::bind(address).unwrap();
    live.wait_for_word("takes answers again");
    let (second, _reader) = received(&listener);
    assert!(second.len() >= 15, "{}", second.len());
    let said = std::iter::from_fn(|| live.lines.try_recv().ok());
    let said: Vec<String> = said.map(|line| line + "\n").collect();
    let all: Vec<String> = first.into_iter().chain(second).collect();
    assert_eq!(all, said, "nothing is missing, nothing is there twice");
    let (run, took) = live.end();
    assert!(took < Duration::from_secs(2), "it took {took:?} to end");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    // An event is told when it is settled, as all are at the end.
    let size = udp.recv(&mut datagram).unwrap();
    assert!(datagram[..size].starts_with(b"<") && !datagram[..size].ends_with(b"\n"));
}

/// Begins to send a capture again and again, as fast as this machine does, for some seconds at most.
fn flood(pair: &Pair, rate: u32) -> Running {
    let mut command = Command::new("tcpreplay");
    let capture = project("captures/office.pcap");
    command.args(["-q", "--loop=100000", "--duration=20", "-i", &pair.sender]);
    command.arg(format!("--pps={rate}")).arg(capture);
    Running::start(command)
}

#[test]
fn under_load_it_says_what_it_saw_and_ends_within_two_seconds() {
    let Some(pair) = Pair::new('u') else { return };
    let (list, folder) = (project("captures/flagged.txt"), folder());
    let answers = folder.path().join("answers");
    let output = format!("jsonl={}", answers.display());
    let list = list.to_str().unwrap();
    let live =
        Running::live(&pair, &["-v", "--capture", "all", "--indicators", list, "-o", &output]);
    let flood = flood(&pair, 100_000);
    live.wait_for_packets(50_000);
    live.signal("USR1");
    live.wait_for_word(": up, ");
    live.wait_for_word("  DNS server ");
    live.wait_for_word("looked for: ");
    let (run, took) = live.end();
    drop(flood);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(took < Duration::from_secs(2), "it took {took:?} to end");
    println!("ended in {took:?}");
    let said = run.stderr.lines().rfind(|line| line.contains(&output)).unwrap();
    let written = format!("{output}: {} lines written", lines_of(&answers).len());
    assert!(said.contains(&written), "{said}, not {written}");
}

/// Cuts the last octets off, as when a machine stops in mid-write.
fn cut(path: &Path, octets: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - octets).unwrap();
}

#[test]
fn killed_in_mid_write_it_goes_on_and_whole_lines_stay() {
    let Some(pair) = Pair::new('9') else { return };
    let folder = folder();
    let (answers, ring) = (folder.path().join("answers.jsonl"), folder.path().join("ring"));
    let list = folder.path().join("list.txt");
    let flagged = fs::read_to_string(project("captures/flagged.txt")).unwrap();
    fs::write(&list, flagged + "\nmicrosoft.com\nwindowsupdate.com\nakamaiedge.net\n").unwrap();
    let output = format!("jsonl={}", answers.display());
    let ids = |lines: &[String]| -> BTreeSet<String> {
        let parsed = lines.iter().map(|line| serde_json::from_str::<Value>(line).expect(line));
        parsed.filter_map(|line| line["id"].as_str().map(str::to_owned)).collect()
    };
    let mut before: Vec<String> = Vec::new();
    for round in 0..3 {
        let arguments = ["--capture=all", "--indicators", list.to_str().unwrap(), "-o", &output];
        let ring_flags = ["--ring", ring.to_str().unwrap(), "--ring-size=64M"];
        let mut live = Running::live(&pair, &[&arguments[..], &ring_flags[..]].concat());
        let flood = flood(&pair, 20_000);
        live.wait_for_line(|line| line["type"] == "attribution");
        wait_until("answers are written", || lines_of(&answers).len() >= before.len() + 20);
        // SIGKILL, while packets come and are written.
        live.child.kill().unwrap();
        live.child.wait().unwrap();
        drop(flood);
        let text = fs::read_to_string(&answers).unwrap();
        let whole = text.rfind('\n').map_or("", |at| &text[..=at]);
        let lines: Vec<String> = whole.lines().map(str::to_owned).collect();
        assert_eq!(lines[..before.len()], before, "round {round}: what was whole stays");
        let (old, new) = (ids(&before), ids(&lines[before.len()..]));
        assert!(!new.is_empty() && old.is_disjoint(&new), "no id comes again");
        // The kernel keeps what was written whole; a power cut does not.
        before = lines[..lines.len() - 1].to_vec();
        let half = lines.last().unwrap().len() as u64 / 2 + (text.len() - whole.len()) as u64;
        cut(&answers, half);
        let newest = fs::read_dir(&ring).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
        cut(&newest, 7);
    }
    let live = Running::live(
        &pair,
        &["--indicators", list.to_str().unwrap(), "-o", &output, "--ring", ring.to_str().unwrap()],
    );
    pair.send(&project("captures/office.pcap"), 4_000);
    live.wait_for_line(|line| line["type"] == "attribution");
    let (run, _) = live.end();
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let lines = lines_of(&answers);
    assert_eq!(lines[..before.len()], before);
    assert!(ids(&lines).len() > ids(&before).len());
    // Four runs' packets, the last of three of them cut.
    let explain: Run = program()
        .args(["explain", "mi.kenal-cn.com", ring.to_str().unwrap(), "--tz", "UTC"])
        .output()
        .unwrap()
        .into();
    assert_eq!(explain.code, Some(1), "{}", explain.stderr);
    assert!(explain.stdout.contains("192.168.2.42"), "{}", explain.stdout);
    assert!(fs::read_dir(&ring).unwrap().count() >= 4);
}

/// What listens where a service is told to say how it is.
struct Manager {
    socket: PathBuf,
    listening: UnixDatagram,
}

impl Manager {
    fn new(folder: &Path) -> Manager {
        let socket = folder.join("notify");
        let listening = UnixDatagram::bind(&socket).unwrap();
        listening.set_read_timeout(Some(PATIENCE)).unwrap();
        Manager { socket, listening }
    }

    /// The next that is said.
    fn told(&self) -> String {
        let mut datagram = [0; 4_096];
        let size = self.listening.recv(&mut datagram).expect("it tells something");
        String::from_utf8(datagram[..size].to_vec()).unwrap()
    }

    /// The next with a line that is this word.
    fn wait_for(&self, word: &str) -> String {
        let mut others = Vec::new();
        loop {
            let words = self.told();
            if words.lines().any(|line| line == word) {
                return words;
            }
            assert!(others.len() < 100, "{word}: {others:?}");
            others.push(words);
        }
    }
}

#[test]
fn a_service_manager_is_told_that_it_is_ready_lives_reloads_and_ends() {
    let Some(pair) = Pair::new('n') else { return };
    let folder = folder();
    let list = folder.path().join("list.txt");
    fs::write(&list, "mi.kenal-cn.com\n").unwrap();
    let manager = Manager::new(folder.path());
    let mut command = program();
    command.args(["live", "-i", &pair.mirror, "--user=nobody", "--indicators"]).arg(&list);
    command.env("NOTIFY_SOCKET", &manager.socket).env("WATCHDOG_USEC", "1000000");
    let live = Running::start(command);
    assert!(manager.told().starts_with("READY=1\nSTATUS="));
    let began = Instant::now();
    for _ in 0..3 {
        manager.wait_for("WATCHDOG=1");
    }
    assert!(began.elapsed() < Duration::from_secs(3), "twice in the time that it has");
    live.signal("HUP");
    assert!(manager.wait_for("RELOADING=1").contains("\nMONOTONIC_USEC="));
    manager.wait_for("READY=1");
    live.signal("TERM");
    manager.wait_for("STOPPING=1");
}

#[test]
fn told_to_end_it_does_so_though_nobody_reads_stderr_and_a_list_is_never_read() {
    let Some(pair) = Pair::new('b') else { return };
    let folder = folder();
    let list = folder.path().join("list.txt");
    fs::write(&list, "mi.kenal-cn.com\n").unwrap();
    let manager = Manager::new(folder.path());
    // As much as a pipe holds.
    let (unread, mut errors) = std::io::pipe().unwrap();
    errors.write_all(&[b' '; 1 << 16]).unwrap();
    let mut command = program();
    command.args(["live", "-i", &pair.mirror, "--user=nobody", "--indicators"]).arg(&list);
    command.env("NOTIFY_SOCKET", &manager.socket).stdout(Stdio::null()).stderr(errors);
    let mut child = command.spawn().unwrap();
    manager.wait_for("READY=1");
    fs::remove_file(&list).unwrap();
    assert!(succeeds("mkfifo", &[list.to_str().unwrap()]));
    let id = child.id().to_string();
    for signal in ["-HUP", "-USR1", "-HUP"] {
        assert!(succeeds("kill", &[signal, &id]));
    }
    manager.wait_for("RELOADING=1");
    assert!(succeeds("kill", &["-TERM", &id]));
    let until = Instant::now() + Duration::from_secs(4);
    let mut status = None;
    while status.is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
        status = child.try_wait().unwrap();
    }
    let _ = (child.kill(), child.wait());
    assert_eq!(status.expect("it ends").code(), Some(0));
    drop(unread);
}
