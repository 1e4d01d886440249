//! `whoasked live` beside real resolvers as the DC (BIND and Unbound, iterating from the root and forwarding; dnsdist,
//! dnsmasq, Knot Resolver, PowerDNS Recursor and smartdns, forwarding), with clients whose questions are known, a firewall,
//! and a name server of each kind (`tests/lab`).
//!
//! What is true is what the test did. It needs root, namespaces and the programs; without them it says `skipped`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test waits for other programs, with a clock and threads"
)]

mod network;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::live::{PATIENCE, Running, is_there, said, wait_until};
use crate::support::{Run, frames, pcap, project, read_jsonl};
use network::{Asked, Firewall, Network, PORT, ask, furnish};

/// What the kernel lets through, to `live` and to what captures beside it, so that both count the same packets.
const FILTER: &str = "udp port 53";

/// What was asked for and is on the list: before it is read anew, and since.
const LISTED: &str =
    "direct.swift-cdn.net\ntail.swift-cdn.net\ngone.swift-cdn.net\nslow.swift-cdn.net\n";
const LISTED_LATER: &str = "later.swift-cdn.net\nbounced.swift-cdn.net\n";

/// Who is behind a listed name: the name, the client, what it asked for, and its role.
type Behind = (String, String, String, String);

fn behind(listed: &str, client: u8, asked: &str, role: &str) -> Behind {
    (
        format!("{listed}.swift-cdn.net"),
        format!("10.77.0.{client}"),
        asked.to_owned(),
        role.to_owned(),
    )
}

/// Whom lines of a state name.
fn named(lines: &[Value], state: &str) -> BTreeSet<Behind> {
    let lines = lines.iter().filter(|l| l["type"] == "attribution" && l["state"] == state);
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let clients = lines.flat_map(|line| {
        let clients = line["clients"].as_array().unwrap().iter();
        clients.map(|client| {
            let listed = text(&line["indicator"]["value"]);
            (listed, text(&client["ip"]), text(&client["asked"]), text(&client["role"]))
        })
    });
    clients.collect()
}

/// What a resolver does that decides what is true.
#[derive(Clone, Copy)]
struct Nature {
    /// Of a chain it asks for the end alone, when only that is no longer in its cache.
    asks_for_ends: bool,
    /// It asks for the end of a chain that an answer told it all of.
    asks_after: bool,
    /// Who asks for what is being asked for waits for that answer.
    lets_wait: bool,
}

/// What resolvers mostly do.
const RESOLVES: Nature = Nature { asks_for_ends: true, asks_after: true, lets_wait: true };

/// What those do that pass each question on as it is.
const PASSES_ON: Nature = Nature { asks_for_ends: false, asks_after: false, lets_wait: false };

/// The programs of a run, and where they work.
struct Laboratory<'l> {
    nature: Nature,
    folder: &'l Path,
    network: &'l Network,
    firewall: &'l Firewall,
    live: Running,
    /// How long after each question its client was named.
    waited: Vec<Duration>,
    provisional: Vec<Value>,
}

impl Laboratory<'_> {
    /// Asks and waits until the client is named for a listed name.
    fn ask_and_wait(&mut self, client: u8, name: &str, listed: &str) -> Asked {
        let began = Instant::now();
        let asked = ask(client, name);
        self.wait_until_named(client, listed, began);
        asked
    }

    fn wait_until_named(&mut self, client: u8, listed: &str, began: Instant) {
        let (listed, client) = (format!("{listed}.swift-cdn.net"), format!("10.77.0.{client}"));
        let is_wanted = |line: &Value| {
            let clients = line["clients"].as_array();
            line["state"] == "provisional"
                && line["indicator"]["value"] == listed.as_str()
                && clients.is_some_and(|c| c.iter().any(|c| c["ip"] == client.as_str()))
        };
        if !self.provisional.iter().any(is_wanted) {
            let said = &mut self.provisional;
            self.live.wait_for_line(|line| {
                said.push(line.clone());
                is_wanted(line)
            });
        }
        self.waited.push(began.elapsed());
    }
}

/// Others ask all the time, for what is not listed, among it neighbours of what is.
fn chatter(firewall: &Firewall) {
    let mut asked = Vec::new();
    for turn in 0_u32.. {
        if firewall.is_over() {
            return;
        }
        let client = 120 + (turn % 20) as u8;
        let name = match turn % 4 {
            0 => "news.bakery.com".to_owned(),
            1 => "sibling.swift-cdn.net".to_owned(),
            2 => format!("n{turn}.bakery.com"),
            _ => format!("n{turn}.swift-cdn.net"),
        };
        asked.push(ask(client, &name));
        if asked.len() > 64 {
            asked.remove(0);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What clients do, and what is therefore true.
fn day(lab: &mut Laboratory<'_>) -> BTreeSet<Behind> {
    let mut truth = BTreeSet::new();
    let patience = PATIENCE / 2;

    // Directly, and once more from the cache.
    assert!(lab.ask_and_wait(101, "direct.swift-cdn.net", "direct").is_answered(patience));
    truth.insert(behind("direct", 101, "direct.swift-cdn.net", "initiator"));
    assert!(lab.ask_and_wait(102, "direct.swift-cdn.net", "direct").is_answered(patience));
    truth.insert(behind("direct", 102, "direct.swift-cdn.net", "cached"));

    // The end of a chain, and the end alone when the aliases are still in the cache.
    assert!(lab.ask_and_wait(103, "www.bakery.com", "tail").is_answered(patience));
    truth.insert(behind("tail", 103, "www.bakery.com", "initiator"));
    let (aliases, tails) = (lab.firewall.seen("www"), lab.firewall.seen("tail"));
    std::thread::sleep(Duration::from_millis(3_100));
    assert!(lab.ask_and_wait(104, "www.bakery.com", "tail").is_answered(patience));
    truth.insert(behind("tail", 104, "www.bakery.com", "initiator"));
    let end_alone = lab.firewall.seen("www") == aliases && lab.firewall.seen("tail") > tails;
    assert_eq!(end_alone, lab.nature.asks_for_ends);

    // Several at once, of whom one's question led there; the resolver loses patience, asks again, and may give up.
    let began = Instant::now();
    let first = ask(106, "slow.swift-cdn.net");
    let firewall = lab.firewall;
    wait_until("the slow name is asked for", || firewall.seen("slow") > 0);
    // Of those who ask at the same moment any may have set off each query.
    let _others = [107, 108].map(|client| {
        std::thread::sleep(Duration::from_millis(30));
        ask(client, "slow.swift-cdn.net")
    });
    truth.insert(behind("slow", 106, "slow.swift-cdn.net", "initiator"));
    let others = if lab.nature.lets_wait { "joiner" } else { "initiator" };
    truth.insert(behind("slow", 107, "slow.swift-cdn.net", others));
    truth.insert(behind("slow", 108, "slow.swift-cdn.net", others));
    for client in [106, 107, 108] {
        lab.wait_until_named(client, "slow", began);
    }
    let _ = first.is_answered(Duration::from_secs(1));
    firewall.release();

    // What the firewall drops.
    let gone = lab.ask_and_wait(105, "shop.bakery.com", "gone");
    truth.insert(behind("gone", 105, "shop.bakery.com", "initiator"));
    // The forwarder, which is not behind the firewall, tells the whole chain.
    assert_eq!(gone.is_answered(Duration::from_millis(300)), !lab.nature.asks_after);

    // The list is read anew.
    fs::write(lab.folder.join("list.txt"), [LISTED, LISTED_LATER].concat()).unwrap();
    lab.live.signal("HUP");
    lab.live.wait_for_word("lists reloaded");
    assert!(lab.ask_and_wait(109, "later.swift-cdn.net", "later").is_answered(patience));
    truth.insert(behind("later", 109, "later.swift-cdn.net", "initiator"));
    truth
}

/// What goes wrong now and then: nobody is named for it, and what is asked afterwards is seen again.
fn bounce(lab: &mut Laboratory<'_>) -> Behind {
    lab.network.set_port("down");
    lab.live.wait_for_word(&format!("{PORT} is down"));
    lab.network.set_port("up");
    lab.live.wait_for_word("is up again");
    let asked = lab.ask_and_wait(110, "bounced.swift-cdn.net", "bounced");
    assert!(asked.is_answered(PATIENCE / 2));
    behind("bounced", 110, "bounced.swift-cdn.net", "initiator")
}

/// A day at the laboratory with a resolver, which says that it is `ready`. `None` where it cannot be.
fn live_with(
    letter: char,
    program: &str,
    arguments: &[&str],
    ready: &str,
    nature: Nature,
) -> Option<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    if !is_there(&["ip", "tcpdump"]) || !furnish(folder, &project("tests/lab"), &["named", program])
    {
        return None;
    }
    let network = Network::new(letter)?;
    let firewall = Firewall::default();
    std::thread::scope(|scope| {
        firewall.start(&network, scope);
        network.start(scope, || {
            // Whatever happens, those that stand in a loop are let go.
            let _over = Over(&firewall);
            let mut world = network.beside(folder.join("named"));
            world.current_dir(folder).args(["-g", "-n", "1", "-c", "world.conf"]);
            let world = Running::start(world);
            world.wait_for_word("running");
            // Some say on stdout that they are ready.
            let mut resolver = network.on_dc("sh");
            resolver.current_dir(folder).args(["-c", "exec \"$0\" \"$@\" >&2"]);
            resolver.arg(folder.join(program)).args(arguments);
            let resolver = Running::start(resolver);
            resolver.wait_for_word(ready);
            let others = || network.start(scope, || chatter(&firewall));
            listen(folder, &network, &firewall, nature, others);
        });
    });
    Some(())
}

/// Ends what stands in a loop.
struct Over<'f>(&'f Firewall);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Listens to a day and to what `others` say meanwhile, and holds what is said against what was done, and against `read`.
fn listen(
    folder: &Path,
    network: &Network,
    firewall: &Firewall,
    nature: Nature,
    others: impl FnOnce(),
) {
    let list = folder.join("list.txt");
    fs::write(&list, LISTED).unwrap();
    let capture = folder.join("beside.pcap");
    let mut dump = network.beside("tcpdump");
    dump.args(["-i", PORT, "-B", "65536", "-Z", "root", "-U", "--nano", "-s", "0", "-w"]);
    dump.arg(&capture).arg(FILTER);
    let mut live = network.beside(env!("CARGO_BIN_EXE_whoasked"));
    live.args(["live", "-v", "-i", PORT, "-f", "jsonl", "--capture", "all", "--filter", FILTER]);
    live.arg("--indicators").arg(&list);
    let (live, dump) = (Running::start(live), Running::start(dump));
    live.wait_for_word("listening");
    dump.wait_for_word("listening on");
    others();

    let (waited, provisional) = (Vec::new(), Vec::new());
    let mut lab = Laboratory { nature, folder, network, firewall, live, waited, provisional };
    let mut truth = day(&mut lab);
    truth.insert(bounce(&mut lab));
    let Laboratory { live, mut waited, provisional, .. } = lab;
    // In the middle of all the others' questions.
    let (run, took) = live.end();
    let heard = packets(&run);
    wait_until("the capture has what was heard", || frames(&capture).len() >= heard);
    let (dump, _) = dump.end();
    assert!(took < Duration::from_secs(2), "it took {took:?} to end");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(named(&run.json(), "final"), truth, "{}", run.stderr);
    // Nobody else was suspected before, either.
    let known = |behind: &&Behind| truth.iter().any(|(l, c, ..)| (l, c) == (&behind.0, &behind.1));
    let suspected = named(&provisional, "provisional");
    assert_eq!(suspected.iter().find(|behind| !known(behind)), None);
    waited.sort();
    let median = waited[waited.len() / 2];
    assert!(median < Duration::from_secs(1), "clients are named within {waited:?}");

    // The capture goes on a little longer: what both have is the same, packet by packet.
    assert!(dump.stderr.contains("\n0 packets dropped by kernel"), "{}", dump.stderr);
    fs::write(&capture, pcap(&frames(&capture)[..heard])).unwrap();
    let list = fs::read_to_string(list).unwrap();
    let read = read_jsonl(&[capture], &list, 2).json();
    let (live, read) = (said(&run.json(), "final"), said(&read, "final"));
    for (line, count) in &read {
        assert_eq!(live.get(line), Some(count), "{line}");
    }
    assert_eq!(live.len(), read.len());
}

/// How many packets it says at the end that there were.
fn packets(run: &Run) -> usize {
    assert!(run.stderr.contains(" 0 lost;"), "{}", run.stderr);
    let line = run.stderr.lines().rfind(|line| line.contains(" packets, ")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let place = words.iter().position(|word| *word == "packets,").unwrap();
    words[place - 1].parse().unwrap()
}

#[test]
fn clients_of_bind_that_iterates_are_named() {
    let arguments = ["-g", "-n", "1", "-c", "bind-iterating.conf"];
    live_with('b', "named", &arguments, "running", RESOLVES);
}

#[test]
fn clients_of_bind_that_forwards_are_named() {
    let arguments = ["-g", "-n", "1", "-c", "bind-forwarding.conf"];
    live_with('c', "named", &arguments, "running", RESOLVES);
}

#[test]
fn clients_of_unbound_that_iterates_are_named() {
    let arguments = ["-d", "-c", "unbound-iterating.conf"];
    live_with('u', "unbound", &arguments, "start of service", RESOLVES);
}

#[test]
fn clients_of_unbound_that_forwards_are_named() {
    let arguments = ["-d", "-c", "unbound-forwarding.conf"];
    live_with('v', "unbound", &arguments, "start of service", RESOLVES);
}

#[test]
fn clients_of_knot_resolver_are_named() {
    live_with('k', "kresd", &["-n", "-c", "kresd.conf", "."], "ready to answer", RESOLVES);
}

#[test]
fn clients_of_powerdns_recursor_are_named() {
    let nature = Nature { asks_after: false, ..RESOLVES };
    let arguments = ["--config-dir=."];
    live_with('p', "pdns_recursor", &arguments, "Operating with", nature);
}

#[test]
fn clients_of_dnsmasq_are_named() {
    let nature = Nature { lets_wait: true, ..PASSES_ON };
    live_with('m', "dnsmasq", &["-C", "dnsmasq.conf"], "started", nature);
}

#[test]
fn clients_of_dnsdist_are_named() {
    let arguments = ["--supervised", "--disable-syslog", "-C", "dnsdist.conf"];
    live_with('d', "dnsdist", &arguments, "Listening on", PASSES_ON);
}

#[test]
fn clients_of_smartdns_are_named() {
    let nature = Nature { lets_wait: true, ..PASSES_ON };
    let arguments = ["-f", "-x", "-p", "-", "-c", "smartdns.conf"];
    live_with('s', "smartdns", &arguments, "starting", nature);
}
