//! Every complaint from made-up traffic, what comes near it and must not make it, and that none flaps.

use std::sync::Arc;

use super::*;
use crate::attribution::Attributor;
use crate::flow::{Endpoint, Flow, Transport};
use crate::frame::FrameId;
use crate::indicator::Indicators;
use crate::message::simulated::{Draft, Simulated};
use crate::packet::{Asides, Elsewhere, Envelope, Ports};
use crate::resolution::{Limits, Resolution, Roles};
use crate::transaction::Transactions;

const DC: &str = "10.0.0.53";
const DC2: &str = "10.0.0.54";
const ISP: &str = "203.0.113.53";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// What of an exchange the mirror port delivers, and how often.
#[derive(Clone, Copy)]
struct Shows {
    questions: u32,
    answers: u32,
}

const BOTH: Shows = Shows { questions: 1, answers: 1 };
const NOTHING: Shows = Shows { questions: 0, answers: 0 };
const QUESTIONS: Shows = Shows { questions: 1, answers: 0 };
const ANSWERS: Shows = Shows { questions: 0, answers: 1 };
const TWICE: Shows = Shows { questions: 2, answers: 2 };

/// A network in which clients ask the DC, and the DC asks the provider; and what the mirror port shows of it.
struct Network {
    simulated: Simulated,
    attributor: Attributor,
    health: Health,
    /// Seconds.
    now: i64,
    asked: u16,
}

impl Network {
    fn new(declared: &[&str]) -> Network {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, "evil.com\n").unwrap();
        let simulated = Simulated::new();
        let indicators = Indicators::load(&[path], simulated.hasher).unwrap().0;
        let limits = Limits::default();
        let transactions = Transactions::new(limits.transactions, Ports::new(&[]));
        let resolution =
            Resolution::new(limits, transactions, Roles::new(Vec::new()), simulated.hasher);
        Network {
            simulated,
            attributor: Attributor::new(resolution, Arc::new(indicators)),
            health: Health::new(declared.iter().map(|text| address(text)).collect(), Timestamp(0)),
            now: 0,
            asked: 0,
        }
    }

    fn time(&self) -> Timestamp {
        Timestamp(0) + Span::from_secs(self.now)
    }

    fn exchange(&mut self, from: &str, to: &str, shows: Shows) {
        self.asked += 1;
        let name = format!("host{}.example.com", self.asked);
        let at_ms = self.now as f64 * 1e3 + f64::from(self.asked % 900);
        let question = Draft {
            at_ms,
            from,
            to,
            id: self.asked,
            ip_id: self.asked,
            port: 20_000 + self.asked,
            name: &name,
            ..Draft::default()
        };
        let (at_ms, from, to) = (at_ms + 5.0, to, from);
        let answer = Draft { at_ms, from, to, response: true, address: true, ..question.clone() };
        for (draft, times) in [(question, shows.questions), (answer, shows.answers)] {
            for copy in 0..times {
                self.simulated
                    .add(&Draft { at_ms: draft.at_ms + f64::from(copy), ..draft.clone() });
                let messages = &self.simulated.messages;
                let message = messages.get(messages.len() - 1).unwrap();
                self.attributor.take(messages, message, &mut |_| {});
            }
        }
    }

    /// Goes on for so many seconds, in each of which two clients ask, and the DC asks twice.
    fn goes_on(&mut self, seconds: i64, client: Shows, upstream: Shows) -> Vec<&'static str> {
        for _ in 0..seconds {
            self.now += 1;
            for from in ["10.0.0.1", "10.0.0.2"] {
                self.exchange(from, DC, client);
                self.exchange(DC, ISP, upstream);
            }
            self.look();
        }
        self.names()
    }

    fn look(&mut self) {
        let coverage = self.attributor.span().map(|_| self.attributor.coverage());
        let now = self.time();
        self.health.look(coverage.as_ref(), now, &|host| host != address("10.0.0.9"));
    }

    fn names(&self) -> Vec<&'static str> {
        self.health.complaints().iter().map(|complaint| complaint.name).collect()
    }

    fn words(&self, name: &str) -> String {
        let complaints = self.health.complaints();
        complaints.iter().find(|complaint| complaint.name == name).unwrap().words.clone()
    }

    /// A TCP connection is asked for.
    fn connects(&mut self, from: &str, (to, port): (&str, u16)) {
        let end = |text, port| Endpoint { address: address(text), port };
        let flow = Flow {
            source: end(from, 50_000),
            destination: end(to, port),
            transport: Transport::Tcp,
        };
        let envelope = Envelope::of(FrameId::new(0, 1), self.time(), flow);
        let mut asides = Asides::default();
        asides.take(&envelope, &Elsewhere { payload: b"", tcp_flags: 2 }, (0, 0), 0);
        for aside in asides.iter() {
            self.attributor.aside(aside, b"", &mut |_| {});
        }
    }
}

#[test]
fn of_a_mirror_port_that_is_well_nothing_is_said() {
    assert_eq!(Network::new(&[DC]).goes_on(120, BOTH, BOTH), [""; 0]);
}

#[test]
fn what_is_missing_is_said_within_the_first_minute() {
    for (name, client, upstream, word) in [
        ("one-direction", QUESTIONS, QUESTIONS, "but not their answers"),
        ("one-direction", ANSWERS, ANSWERS, "but not their questions"),
        ("one-direction", QUESTIONS, ANSWERS, "Only what the DNS server sends is seen, or"),
        ("one-direction", ANSWERS, QUESTIONS, "Only what the DNS server sends is seen, or"),
        ("leg-one-direction", BOTH, QUESTIONS, "exchanges of 10.0.0.53 with servers upstream"),
        ("leg-one-direction", BOTH, ANSWERS, "exchanges of 10.0.0.53 with servers upstream"),
        ("leg-one-direction", QUESTIONS, BOTH, "but 0 answers from it"),
        ("leg-one-direction", ANSWERS, BOTH, "but 0 questions to it"),
        ("client-leg-missing", NOTHING, BOTH, "none of your hosts is recognised as a DNS server"),
        ("upstream-leg-missing", BOTH, NOTHING, "but not seen asking anybody"),
        ("frames-twice", TWICE, TWICE, "packets arrive twice"),
    ] {
        let mut network = Network::new(&[]);
        let early = network.goes_on(14, client, upstream);
        assert_eq!(early, [""; 0], "{name}: not before there is a stretch of it");
        assert_eq!(network.goes_on(6, client, upstream), [name], "{word}");
        assert!(network.words(name).contains(word), "{}", network.words(name));
        assert_eq!(network.goes_on(90, client, upstream), [name], "{word}: it stays");
        // And by the same rules over a whole capture.
        let whole = complaints_of(&network.attributor.coverage(), &|_| true, &[]);
        assert_eq!(whole.iter().map(|wrong| wrong.name).collect::<Vec<_>>(), [name], "{word}");
    }
}

#[test]
fn the_uplink_to_a_forwarder_inside_is_told_from_the_clients_by_who_asks() {
    // Of a DNS server that forwards to another one inside, only the uplink is mirrored.
    let mut network = Network::new(&[]);
    for _ in 0..20 {
        network.now += 1;
        (0..4).for_each(|_| network.exchange(DC, "10.0.1.53", BOTH));
        network.look();
    }
    assert_eq!(network.names(), ["upstream-leg-missing"]);
    let words = network.words("upstream-leg-missing");
    assert!(words.starts_with("If 10.0.0.53 is your DNS server, also mirror its port"), "{words}");
    assert!(words.contains("10.0.1.53 is asked (") && words.contains("10.0.0.53 alone asks it"));
    // Where several ask, the one that they ask is it.
    let mut network = Network::new(&[]);
    network.goes_on(20, BOTH, NOTHING);
    let words = network.words("upstream-leg-missing");
    assert!(words.contains(": 10.0.0.53 is asked ("), "{words}");
    assert!(words.starts_with("Mirror the DNS server's own port"), "{words}");
}

#[test]
fn a_leg_that_goes_missing_later_is_said_and_that_it_is_back() {
    for (name, client, upstream) in [
        ("client-leg-missing", NOTHING, BOTH),
        ("one-direction", QUESTIONS, ANSWERS),
        ("frames-twice", TWICE, TWICE),
    ] {
        let mut network = Network::new(&[]);
        assert_eq!(network.goes_on(40, BOTH, BOTH), [""; 0]);
        network.goes_on(45, client, upstream);
        assert_eq!(network.names(), [name]);
        assert_eq!(network.goes_on(10, BOTH, BOTH), [name], "one stretch may be chance");
        assert_eq!(network.goes_on(40, BOTH, BOTH), [""; 0], "{name}: two may not");
    }
}

#[test]
fn an_upstream_leg_that_goes_missing_takes_many_questions_to_be_sure() {
    let mut network = Network::new(&[]);
    network.goes_on(40, BOTH, BOTH);
    assert_eq!(network.goes_on(60, BOTH, NOTHING), [""; 0], "30 of them may all be remembered");
    for _ in 0..40 {
        network.now += 1;
        for _ in 0..20 {
            network.exchange("10.0.0.1", DC, BOTH);
        }
        network.look();
    }
    assert_eq!(network.names(), ["upstream-leg-missing"]);
    assert_eq!(network.goes_on(60, BOTH, BOTH), [""; 0]);
}

#[test]
fn what_stands_between_the_bounds_stays_as_it_was() {
    // One exchange in ten is whole: too many for a complaint, too few to mend one.
    let tenth = |network: &mut Network| {
        for second in 0..60 {
            let shows = if second % 10 == 0 { BOTH } else { QUESTIONS };
            network.goes_on(1, shows, shows);
        }
        network.names()
    };
    let mut network = Network::new(&[]);
    network.goes_on(60, BOTH, BOTH);
    assert_eq!(tenth(&mut network), [""; 0]);
    assert_eq!(network.goes_on(60, QUESTIONS, QUESTIONS), ["one-direction"]);
    assert_eq!(tenth(&mut network), ["one-direction"]);
    assert_eq!(network.goes_on(60, BOTH, BOTH), [""; 0]);
}

#[test]
fn a_network_that_says_little_is_judged_when_it_has_said_enough() {
    let mut network = Network::new(&[]);
    for second in 0..59 {
        network.now += 1;
        if second % 6 == 0 {
            network.exchange("10.0.0.1", DC, QUESTIONS);
        }
        network.look();
    }
    assert_eq!(network.names(), [""; 0], "of ten questions nothing is said");
    for _ in 0..60 {
        network.now += 1;
        network.exchange("10.0.0.1", DC, QUESTIONS);
        network.look();
    }
    assert_eq!(network.names(), ["one-direction"]);
}

#[test]
fn silence_is_said_after_a_minute_and_later_after_ten() {
    let mut network = Network::new(&[]);
    assert_eq!(network.goes_on(59, NOTHING, NOTHING), [""; 0]);
    assert_eq!(network.goes_on(2, NOTHING, NOTHING), ["no-dns"]);
    assert!(network.words("no-dns").contains("has arrived for 6"));
    assert_eq!(network.goes_on(1, BOTH, BOTH), [""; 0]);
    assert_eq!(network.goes_on(590, NOTHING, NOTHING), [""; 0]);
    assert_eq!(network.goes_on(20, NOTHING, NOTHING), ["no-dns"]);
}

#[test]
fn packets_that_are_lost_are_said_with_what_to_do_and_a_few_are_not() {
    let mut network = Network::new(&[]);
    let mut packets = Packets::default();
    let mut goes_on = |network: &mut Network, seconds: i64, of_second: Packets| {
        for _ in 0..seconds {
            network.now += 1;
            packets.received += of_second.received;
            packets.by_kernel += of_second.by_kernel;
            packets.by_interface += of_second.by_interface;
            packets.behind += of_second.behind;
            network.health.look_at_packets(packets, network.time());
        }
        network.names()
    };
    let of = |by_kernel, behind, by_interface| Packets {
        received: 1_000,
        by_kernel,
        behind,
        by_interface,
    };
    assert_eq!(
        goes_on(&mut network, 60, of(9, 0, 90)),
        [""; 0],
        "less than 1 %, and 10 % of the card"
    );
    assert_eq!(goes_on(&mut network, 16, of(4_000, 0, 0)), ["packets-lost"]);
    let words = network.words("packets-lost");
    assert!(words.starts_with("Use a larger --buffer"), "{words}");
    assert!(
        words.contains(
            "60,000 packets were lost because the kernel's buffer was full. That is 80 %"
        ),
        "{words}"
    );
    assert_eq!(
        goes_on(&mut network, 60, of(5, 0, 0)),
        ["packets-lost"],
        "it stays between the bounds"
    );
    assert_eq!(
        goes_on(&mut network, 16, of(0, 0, 0)),
        ["packets-lost"],
        "one stretch may be chance"
    );
    assert_eq!(goes_on(&mut network, 16, of(0, 0, 0)), [""; 0]);
    for (of_second, word) in [(of(0, 500, 0), "--workers"), (of(0, 0, 500), "ethtool")] {
        assert_eq!(goes_on(&mut network, 32, of_second), ["packets-lost"]);
        assert!(network.words("packets-lost").contains(word));
        assert_eq!(goes_on(&mut network, 48, of(0, 0, 0)), [""; 0], "{word}");
    }
    // Of a second that stands for itself nothing is said, nor where nothing comes.
    let none = Packets::default();
    assert_eq!(goes_on(&mut network, 600, none), [""; 0]);
    assert_eq!(goes_on(&mut network, 1, of(1, 0, 0)), [""; 0]);
}

#[test]
fn a_resolver_that_nobody_asks_is_named_and_so_is_one_that_is_not_there() {
    let mut network = Network::new(&[DC, "10.0.0.99"]);
    for second in 0..32 {
        network.goes_on(1, BOTH, BOTH);
        // The second one asks from the root down, so that it is known as a resolver.
        for _ in 0..2 {
            network.asked += 1;
            let root = Draft {
                at_ms: f64::from(second) * 1e3 + 500.0,
                from: DC2,
                to: "198.41.0.4",
                id: network.asked,
                port: 20_000 + network.asked,
                name: "org",
                recursion: false,
                ..Draft::default()
            };
            network.simulated.add(&root);
            network.simulated.add(&Draft {
                at_ms: root.at_ms + 5.0,
                from: root.to,
                to: root.from,
                response: true,
                ..root
            });
            let messages = &network.simulated.messages;
            for place in [messages.len() - 2, messages.len() - 1] {
                network.attributor.take(messages, messages.get(place).unwrap(), &mut |_| {});
            }
        }
    }
    assert_eq!(network.names(), ["resolver-unasked"]);
    let words = network.words("resolver-unasked");
    assert!(words.contains("nobody is seen asking 10.0.0.54, although"), "{words}");
    assert!(words.contains("nothing is seen of 10.0.0.99, given with --resolver"), "{words}");
}

#[test]
fn who_asks_around_the_resolver_is_named_unless_it_may_not_be() {
    let mut network = Network::new(&[]);
    network.goes_on(20, BOTH, BOTH);
    network.connects("10.0.0.7", ("8.8.8.8", 443));
    network.connects("10.0.0.8", ("198.51.100.1", 853));
    network.connects("10.0.0.9", ("9.9.9.9", 853));
    assert_eq!(network.goes_on(20, BOTH, BOTH), ["around-the-resolver"]);
    let words = network.words("around-the-resolver");
    assert!(words.contains(": 3 hosts ask"), "{words}");
    assert!(words.contains("10.0.0.7 (DNS over HTTPS to Google, 8.8.8.8)"), "{words}");
    assert!(words.contains("10.0.0.8 (DNS over TLS to 198.51.100.1)"), "{words}");
    assert!(!words.contains("10.0.0.9"), "{words}");
    assert_eq!(network.goes_on(500, BOTH, BOTH), ["around-the-resolver"], "it may do it again");
    assert_eq!(network.goes_on(140, BOTH, BOTH), [""; 0]);
    network.connects(DC, ("9.9.9.9", 853));
    assert_eq!(network.goes_on(40, BOTH, BOTH), ["resolver-encrypts"]);
    let words = network.words("resolver-encrypts");
    assert!(words.contains("10.0.0.53 (DNS over TLS to Quad9, 9.9.9.9)"), "{words}");
}

#[test]
fn what_hides_who_asks_is_told_where_it_asks_nearly_all() {
    let mut network = Network::new(&[]);
    let asks = |network: &mut Network, from: &str, seconds: i64| {
        for _ in 0..seconds {
            network.now += 1;
            for _ in 0..8 {
                network.exchange(from, DC, BOTH);
                network.exchange(DC, ISP, BOTH);
            }
            network.look();
        }
        network.names()
    };
    assert_eq!(asks(&mut network, DC2, 20), [""; 0], "there were too few");
    assert_eq!(asks(&mut network, DC2, 20), ["asked-by-one"]);
    assert!(network.words("asked-by-one").starts_with("If 10.0.0.54 asks for others"));
    network.exchange("10.0.0.1", DC, BOTH);
    assert_eq!(asks(&mut network, DC2, 20), ["asked-by-one"], "one question is no other client");
    assert_eq!(asks(&mut network, "10.0.0.1", 60), [""; 0]);
}

#[test]
fn the_names_are_those_that_rules_have() {
    let network = Network::new(&[]);
    let coverage = network.attributor.coverage();
    let (figures, none) = (Figures::default(), Timestamp(0));
    let seen = RuleInput {
        figures: &figures,
        coverage: &coverage,
        unseen: &[],
        around_since: none,
        may_name: &|_| true,
        files: &[],
    };
    let mut names: Vec<&str> = found(&seen, &|_| false).iter().map(|(name, _)| *name).collect();
    names.extend(["no-dns", "packets-lost"]);
    names.sort_unstable();
    let mut known = COMPLAINTS;
    known.sort_unstable();
    assert_eq!(names, known);
}
