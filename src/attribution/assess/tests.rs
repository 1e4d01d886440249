//! Every hint, and what comes near it and must not make it.

use std::net::IpAddr;
use std::sync::Arc;

use super::*;
use crate::attribution::{ChainStep, Client, Place, Step, Verdict, made};
use crate::contact::{Connection, Contact};
use crate::flow::Transport;
use crate::frame::FrameId;
use crate::message::simulated::{Draft, Simulated};
use crate::name::{Name, NameHasher, push_from_text};
use crate::packet::Ports;
use crate::resolution::{Leg, Limits, NoClientReason, Roles};
use crate::time::{Span, Timestamp, UTC};
use crate::transaction::Transactions;

const LIST: &str = "evil.com\n203.0.113.9\n192.55.83.30\ne1.akamaiedge.net\n";
const MORNING: Timestamp = Timestamp(1_575_015_900_000_000_000);

/// A client's part: who, when (in seconds), what it asked, and the steps from there.
struct Part<'a> {
    ip: &'a str,
    at: i64,
    chain: &'a [(&'a str, Step)],
    contact: Contact,
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn part<'a>(ip: &'a str, at: i64, chain: &'a [(&'a str, Step)]) -> Part<'a> {
    Part { ip, at, chain, contact: Contact::NotVisible }
}

struct World {
    indicators: Arc<Indicators>,
    assessor: Assessor,
    resolution: Resolution,
    simulated: Simulated,
    frames: u64,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, LIST).unwrap();
        let simulated = Simulated::new();
        let hasher = NameHasher::new([1, 2]);
        let indicators = Arc::new(Indicators::load(&[path], hasher).unwrap().0);
        let limits = Limits::default();
        let transactions = Transactions::new(limits.transactions, Ports::new(&[]));
        World {
            assessor: Assessor::new(Arc::clone(&indicators), UTC.clone()),
            indicators,
            resolution: Resolution::new(
                limits,
                transactions,
                Roles::new(Vec::new()),
                simulated.hasher,
            ),
            simulated,
            frames: 0,
        }
    }

    fn id(&self, value: &str) -> IndicatorId {
        let mut found = Vec::new();
        match value.parse::<IpAddr>() {
            Ok(ip) => self.indicators.match_address(Address::from(ip), &mut found),
            Err(_) => {
                let mut wire = Vec::new();
                push_from_text(value, &mut wire).unwrap();
                self.indicators.match_name(Name::from_wire(&wire), &mut found);
            }
        }
        found[0]
    }

    /// A sighting of what is listed as `value`.
    fn attribution(&mut self, value: &str, place: Place, leg: Leg) -> Attribution {
        self.frames += 10;
        let frame = FrameId::new(0, self.frames);
        let flagged = self.id(value);
        let mut made = made::attribution(flagged, "www.example.com", frame, MORNING, Vec::new());
        made.verdict = Verdict::Attributed;
        (made.sighting.leg, made.sighting.place) = (leg, place);
        made.sighting.resolver = address("10.0.0.53");
        if place == Place::Server {
            made.sighting.server = address(value);
        }
        made
    }

    fn see(&mut self, value: &str, place: Place, parts: &[Part<'_>]) {
        let attribution = self.attribution(value, place, Leg::Upstream);
        self.add(attribution, parts);
    }

    fn add(&mut self, mut attribution: Attribution, parts: &[Part<'_>]) {
        for part in parts {
            self.frames += 1;
            let (frame, time) = (FrameId::new(0, self.frames), MORNING + Span::from_secs(part.at));
            let steps = part.chain.iter().map(|(name, step)| ChainStep {
                name: (*name).to_owned(),
                step: *step,
                frame: FrameId::NONE,
            });
            attribution.clients.push(Client {
                chain: steps.collect(),
                contact: part.contact.clone(),
                ..made::client(part.ip, &[part.chain[0].0], frame, time)
            });
        }
        self.assessor.add(&attribution);
    }

    fn nobody(&mut self, value: &str, verdict: Verdict, why: NoClientReason) {
        let mut attribution = self.attribution(value, Place::Qname, Leg::Upstream);
        (attribution.verdict, attribution.unexplained) = (verdict, Some(why));
        self.assessor.add(&attribution);
    }

    /// A question in the capture, with its answer if there is one, and whether that holds a record.
    fn traffic(&mut self, from: &str, to: &str, name: &str, answer: Option<bool>) {
        self.frames += 1;
        let port = 10_000 + (self.frames % 50_000) as u16;
        let at_ms = MORNING.0 as f64 / 1e6 + self.frames as f64 * 10.0;
        let draft = Draft { at_ms, from, to, name, port, recursion: false, ..Draft::default() };
        let answer = answer.map(|address| Draft {
            from: to,
            to: from,
            at_ms: at_ms + 1.0,
            response: true,
            address,
            ..draft.clone()
        });
        for draft in std::iter::once(draft).chain(answer) {
            self.simulated.add(&draft);
            let messages = &self.simulated.messages;
            let message = messages.get(messages.len() - 1).unwrap();
            self.resolution.take(messages, message);
        }
    }

    fn office(&mut self, clients: u8) {
        for client in 1..=clients {
            self.traffic(&format!("10.0.0.{client}"), "10.0.0.53", "www.example.com", Some(true));
        }
        self.traffic("10.0.0.53", "198.51.100.7", "www.example.com", Some(true));
        self.resolution.refresh_roles();
    }

    fn assess(&self, value: &str) -> Assessment {
        let all = self.assessor.assess(&self.resolution, &Summary::default(), true);
        all.into_iter().find(|one| one.indicator == self.id(value)).unwrap()
    }

    fn codes(&self, value: &str) -> Vec<&'static str> {
        self.assess(value).hints.iter().map(|hint| hint.code).collect()
    }
}

const DIRECT: [(&str, Step); 1] = [("www.evil.com", Step::Asked)];
const TAIL: [(&str, Step); 2] = [("www.shop.example", Step::Asked), ("x.evil.com", Step::Alias)];

#[test]
fn who_asked_for_it_by_name_is_said_to_have() {
    let mut world = World::new();
    world.see("evil.com", Place::Qname, &[part("10.0.0.1", 0, &DIRECT)]);
    let assessment = world.assess("evil.com");
    assert_eq!(world.codes("evil.com"), ["asked-directly"]);
    assert_eq!(assessment.hints[0].leaning, Leaning::Serious);
    assert_eq!(
        assessment.hints[0].words,
        "10.0.0.1 asked for www.evil.com, a name below evil.com, once"
    );
    assert_eq!(assessment.of(address("10.0.0.1")).len(), 1);
    assert!(assessment.of(address("10.0.0.2")).is_empty());
}

#[test]
fn what_it_asked_for_by_name_is_told_apart_and_not_counted_too_low() {
    let words = |names: &[&str], more: usize| {
        let mut world = World::new();
        let many: Vec<String> = (0..more).map(|n| format!("n{n}.evil.com")).collect();
        for (at, name) in names.iter().copied().chain(many.iter().map(String::as_str)).enumerate() {
            world.see(
                "evil.com",
                Place::Qname,
                &[part("10.0.0.1", at as i64, &[(name, Step::Asked)])],
            );
        }
        let hints = world.assess("evil.com").hints;
        let words = hints.into_iter().find(|hint| hint.code == "asked-directly").unwrap().words;
        words.strip_prefix("10.0.0.1 asked for ").unwrap().to_owned()
    };
    assert_eq!(words(&["evil.com"], 0), "evil.com by its own name, once");
    let both = "a.evil.com and evil.com, names at or below evil.com, twice";
    assert_eq!(words(&["evil.com", "a.evil.com"], 0), both);
    let all =
        "n0.evil.com, n1.evil.com, n10.evil.com and 29 more, names at or below evil.com, 32 times";
    assert_eq!(words(&[], 32), all);
    let many =
        "n0.evil.com, n1.evil.com, n10.evil.com and more, names at or below evil.com, 300 times";
    assert_eq!(words(&[], 300), many);
    // What only leads there is not among what it asked for by name.
    let mut world = World::new();
    world.see("evil.com", Place::Alias, &[part("10.0.0.1", 0, &TAIL)]);
    world.see("evil.com", Place::Qname, &[part("10.0.0.1", 9, &[("evil.com", Step::Asked)])]);
    assert_eq!(
        world.assess("evil.com").hints[0].words,
        "10.0.0.1 asked for evil.com by its own name, once"
    );
}

#[test]
fn the_end_of_somebody_elses_alias_chain_excuses_and_that_of_its_own_does_not() {
    let mut world = World::new();
    world.see("evil.com", Place::Alias, &[part("10.0.0.1", 0, &TAIL)]);
    assert_eq!(world.codes("evil.com"), ["alias-tail"]);
    // A second client of the same name is not yet popular, a third is.
    world.see("evil.com", Place::Alias, &[part("10.0.0.2", 5, &TAIL)]);
    assert_eq!(world.codes("evil.com"), ["alias-tail"]);
    world.see("evil.com", Place::Alias, &[part("10.0.0.3", 9, &TAIL)]);
    assert_eq!(world.codes("evil.com"), ["alias-tail-of-popular-name"]);
    // One that asked for it by name takes the excuse from the indicator, not from the others.
    world.see("evil.com", Place::Qname, &[part("10.0.0.4", 12, &DIRECT)]);
    assert_eq!(world.codes("evil.com"), ["asked-directly"]);
    assert_eq!(world.assess("evil.com").of(address("10.0.0.1"))[0].code, "alias-tail");

    // A chain within one registered domain excuses nobody.
    let mut own = World::new();
    let alias = [("portal.bad.example", Step::Asked), ("c2.bad.example", Step::Alias)];
    let mut attribution = own.attribution("evil.com", Place::Alias, Leg::Upstream);
    attribution.sighting.name = "portal.bad.example".to_owned();
    own.add(attribution, &[part("10.0.0.1", 0, &alias)]);
    assert!(own.codes("evil.com").is_empty());
    // By its looks alone a name is not below another.
    let mut looks = World::new();
    let alike = [("www.evil.com.example", Step::Asked), ("evil.com", Step::Alias)];
    looks.see("evil.com", Place::Alias, &[part("10.0.0.1", 0, &alike)]);
    assert_eq!(looks.codes("evil.com"), ["alias-tail"]);
}

#[test]
fn a_delivery_network_is_named_where_an_alias_leads_there() {
    let mut world = World::new();
    let alias = [("www.shop.example", Step::Asked), ("e1.akamaiedge.net", Step::Alias)];
    world.see("e1.akamaiedge.net", Place::Alias, &[part("10.0.0.1", 0, &alias)]);
    assert_eq!(world.codes("e1.akamaiedge.net"), ["shared-cdn", "alias-tail"]);
    let words = world.assess("e1.akamaiedge.net").hints[0].words.clone();
    assert!(words.contains("akamaiedge.net belong to Akamai"), "{words}");
}

#[test]
fn unrelated_names_make_it_popular_with_two_clients() {
    let mut world = World::new();
    let other = [("www.news.example.org", Step::Asked), ("x.evil.com", Step::Alias)];
    world.see("evil.com", Place::Alias, &[part("10.0.0.1", 0, &TAIL)]);
    world.see("evil.com", Place::Alias, &[part("10.0.0.2", 5, &other)]);
    assert_eq!(world.codes("evil.com"), ["alias-tail-of-popular-name"]);
    let words = world.assess("evil.com").hints[0].words.clone();
    assert!(words.contains("through www.news.example.org and www.shop.example"), "{words}");
    assert!(words.contains("in 2 unrelated domains, by 2 clients"), "{words}");
    // What is not known is said.
    world.nobody("evil.com", Verdict::Undetermined, NoClientReason::PacketsLost);
    let words = world.assess("evil.com").hints[0].words.clone();
    assert!(words.ends_with("for 1 further lookup, what led there is not known"), "{words}");
}

#[test]
fn a_delivery_networks_name_excuses_only_at_the_end_of_a_chain() {
    let mut world = World::new();
    let direct = [("e1.akamaiedge.net", Step::Asked)];
    world.see("e1.akamaiedge.net", Place::Qname, &[part("10.0.0.1", 0, &direct)]);
    assert_eq!(world.codes("e1.akamaiedge.net"), ["asked-directly"]);
}

#[test]
fn a_known_referral_server_is_told_by_its_address() {
    let mut world = World::new();
    let way = [("www.example.com", Step::Asked), ("192.55.83.30", Step::Server)];
    world.see("192.55.83.30", Place::Server, &[part("10.0.0.1", 0, &way)]);
    assert_eq!(world.codes("192.55.83.30"), ["referral-server"]);
    let words = world.assess("192.55.83.30").hints[0].words.clone();
    assert!(words.contains("m.gtld-servers.net"), "{words}");
    // But not if an answer led a client there.
    let address = [("www.example.com", Step::Asked), ("192.55.83.30", Step::Address)];
    world.see("192.55.83.30", Place::Address, &[part("10.0.0.2", 9, &address)]);
    assert_eq!(world.codes("192.55.83.30"), Vec::<&str>::new());
}

#[test]
fn a_shared_server_is_learned_from_what_it_is_asked() {
    let way = [("www.example.com", Step::Asked), ("203.0.113.9", Step::Server)];
    for (names, answers, code) in [
        (["a.one.com", "b.two.org", "c.three.net"], false, "referral-server"),
        (["a.one.com", "b.two.org", "c.three.net"], true, "shared-name-server"),
        (["a.one.com", "b.one.com", "c.one.com"], false, "name-server-address"),
    ] {
        let mut world = World::new();
        for name in names {
            world.traffic("10.0.0.53", "203.0.113.9", name, Some(answers));
        }
        world.see("203.0.113.9", Place::Server, &[part("10.0.0.1", 0, &way)]);
        assert_eq!(world.codes("203.0.113.9"), [code], "{names:?}");
    }
}

#[test]
fn many_clients_must_be_a_good_part_of_all() {
    let ask = |world: &mut World, clients: u8| {
        for client in 1..=clients {
            let ip = format!("10.0.0.{client}");
            world.see("evil.com", Place::Qname, &[part(&ip, i64::from(client), &DIRECT)]);
        }
        world.codes("evil.com").contains(&"many-clients")
    };
    let mut many = World::new();
    many.office(30);
    assert!(ask(&mut many, 8));
    let mut few = World::new();
    few.office(30);
    assert!(!ask(&mut few, 7), "seven are not many");
    let mut share = World::new();
    share.office(50);
    assert!(!ask(&mut share, 9), "nine of fifty are not many");
}

#[test]
fn the_only_one_of_several_stands_out() {
    let mut world = World::new();
    world.see("evil.com", Place::Qname, &[part("10.0.0.1", 0, &DIRECT)]);
    assert!(!world.codes("evil.com").contains(&"one-client"), "there is nobody else");
    world.office(6);
    assert!(world.codes("evil.com").contains(&"one-client"));
    world.nobody("evil.com", Verdict::Undetermined, NoClientReason::TooMany(2));
    assert!(!world.codes("evil.com").contains(&"one-client"), "it may have been another, too");
    let mut tail = World::new();
    tail.office(6);
    tail.see("evil.com", Place::Alias, &[part("10.0.0.1", 0, &TAIL)]);
    assert_eq!(tail.codes("evil.com"), ["alias-tail"]);
}

#[test]
fn the_resolvers_own_work_is_told_from_what_is_not_known() {
    let mut world = World::new();
    world.nobody("evil.com", Verdict::NoClient, NoClientReason::NobodyWaiting);
    assert_eq!(world.codes("evil.com"), ["resolver-only"]);
    let words = world.assess("evil.com").hints[0].words.clone();
    assert!(words.contains("a program that runs on it"), "{words}");
    world.nobody("evil.com", Verdict::Undetermined, NoClientReason::PacketsLost);
    assert!(world.codes("evil.com").is_empty());
}

#[test]
fn even_intervals_are_held_against_who_asked_not_who_was_led_there() {
    let mut world = World::new();
    for n in 0..12 {
        let ip = if n % 2 == 0 { "10.0.0.1" } else { "10.0.0.2" };
        world.see("evil.com", Place::Qname, &[part(ip, n * 300, &DIRECT)]);
    }
    assert_eq!(world.codes("evil.com"), ["beaconing", "asked-directly"]);
    let words = world.assess("evil.com").hints[0].words.clone();
    assert!(words.contains("10.0.0.1 asked at regular intervals, every 10 min"), "{words}");
    assert!(words.ends_with("; likewise 1 other client"), "{words}");
    let mut tail = World::new();
    for n in 0..12 {
        tail.see("evil.com", Place::Alias, &[part("10.0.0.1", n * 300, &TAIL)]);
    }
    assert_eq!(tail.codes("evil.com"), ["alias-tail"]);
}

#[test]
fn one_question_tried_many_times_is_one() {
    let mut world = World::new();
    let first = world.attribution("evil.com", Place::Qname, Leg::Upstream);
    let frames = world.frames;
    for _ in 0..3 {
        world.frames = frames;
        world.add(first.clone(), &[part("10.0.0.1", 0, &DIRECT)]);
    }
    let assessment = world.assess("evil.com");
    assert_eq!(assessment.verdicts.total(), 3);
    assert_eq!(
        assessment.hints[0].words,
        "10.0.0.1 asked for www.evil.com, a name below evil.com, once"
    );
}

#[test]
fn who_then_connected_is_said_to_have_unless_it_was_led_there() {
    let connection = Connection {
        address: address("203.0.113.9"),
        port: 443,
        transport: Transport::Tcp,
        frame: FrameId::new(0, 9),
        time: MORNING,
        answered: true,
        server_name: Some("www.evil.com".to_owned()),
    };
    let connected =
        |chain| Part { ip: "10.0.0.1", at: 0, chain, contact: Contact::Yes(connection.clone()) };
    let mut world = World::new();
    world.see("evil.com", Place::Qname, &[connected(&DIRECT)]);
    assert_eq!(world.codes("evil.com"), ["connected", "asked-directly"]);
    let words = world.assess("evil.com").hints[0].words.clone();
    assert!(words.contains("203.0.113.9, TCP port 443"), "{words}");
    let mut tail = World::new();
    tail.see("evil.com", Place::Alias, &[connected(&TAIL)]);
    assert_eq!(tail.codes("evil.com"), ["alias-tail"], "every visitor of that site does");
}

#[test]
fn many_random_names_below_one_domain_stand_out() {
    let names = |random: bool, count: usize| -> Vec<String> {
        (0..count)
            .map(|n| match random {
                true => {
                    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    format!("{mixed:016x}.evil.com")
                }
                false => format!("mail-server-{n}.evil.com"),
            })
            .collect()
    };
    let codes = |names: &[String]| {
        let mut world = World::new();
        for name in names {
            world.see("evil.com", Place::Qname, &[part("10.0.0.1", 0, &[(name, Step::Asked)])]);
        }
        world.codes("evil.com")
    };
    assert_eq!(codes(&names(true, 16)), ["random-names", "asked-directly"]);
    assert_eq!(codes(&names(true, 8)), ["asked-directly"], "few");
    assert_eq!(codes(&names(false, 16)), ["asked-directly"], "made of words");
}

#[test]
fn what_is_provisional_is_not_counted() {
    let mut world = World::new();
    let attribution = world.attribution("evil.com", Place::Qname, Leg::Upstream);
    world.assessor.add(&Attribution { state: State::Provisional, ..attribution });
    assert!(world.assessor.assess(&world.resolution, &Summary::default(), true).is_empty());
}

#[test]
fn a_client_that_asks_a_listed_server_itself_is_accused_of_it() {
    let mut world = World::new();
    let way = [("www.example.com", Step::Asked), ("203.0.113.9", Step::Server)];
    world.see("203.0.113.9", Place::Server, &[part("10.0.0.1", 0, &way)]);
    assert_eq!(world.assess("203.0.113.9").of(address("10.0.0.1"))[0].code, "name-server-address");
    let mut direct = World::new();
    let attribution = direct.attribution("203.0.113.9", Place::Server, Leg::Client);
    direct.add(attribution, &[part("10.0.0.1", 0, &way)]);
    assert_eq!(direct.codes("203.0.113.9"), ["asked-directly"]);
    let words = direct.assess("203.0.113.9").hints[0].words.clone();
    assert_eq!(words, "10.0.0.1 sent DNS queries directly to 203.0.113.9, once");
}
