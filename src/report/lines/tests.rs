//! What is said, when, and what is not said again.

use super::*;
use crate::attribution::{ChainStep, Coverage, Packets, Place, Step, Summary, Verdicts, made};
use crate::contact::Connection;
use crate::flow::Transport;
use crate::frame::FrameId;
use crate::identity::{Hostname, Source};
use crate::indicator::Indicators;
use crate::name::NameHasher;
use crate::report::{CaptureLacked, Files, Internal};
use crate::time::UTC;

/// 2026-11-28T03:05:23Z.
const NIGHT: Timestamp = Timestamp(1_795_835_123_000_000_000);
const LIST: &[u8] = b"mi.kenal-cn.com\ne13678.dspb.akamaiedge.net\n";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn client(ip: &str, host: &str, chain: &[&str], permille: u16) -> Client {
    Client {
        confidence_permille: permille,
        hostname: Some(Hostname {
            name: host.to_owned(),
            source: Source::Dhcp,
            time: None,
            frame: FrameId::NONE,
        }),
        ..made::client(ip, chain, FrameId::NONE, NIGHT)
    }
}

fn kevin(permille: u16) -> Client {
    client("192.168.2.42", "KEVIN-PC", &["mi.kenal-cn.com"], permille)
}

fn mia(permille: u16) -> Client {
    let chain = ["www.microsoft.com", "www.edgekey.net", "e13678.dspb.akamaiedge.NET"];
    client("192.168.2.48", "MIA-PC", &chain, permille)
}

fn connected(client: Client) -> Client {
    let contact = Contact::Yes(Connection {
        address: address("203.0.113.67"),
        port: 443,
        transport: Transport::Tcp,
        frame: FrameId::NONE,
        time: NIGHT,
        answered: true,
        server_name: None,
    });
    Client { contact, ..client }
}

fn later(client: Client, seconds: i64) -> Client {
    Client { asked_time: NIGHT + Span::from_secs(seconds), ..client }
}

/// Says attributions, each given by its id, state and clients, and returns the lines of each.
struct Talk(AnnouncementLog, Indicators);

impl Talk {
    fn new() -> Talk {
        let indicators = Indicators::read("list.txt", LIST.to_vec(), NameHasher::new([1, 2]));
        Talk(AnnouncementLog::default(), indicators.unwrap().0)
    }

    fn say(&mut self, id: &str, state: State, clients: &[Client]) -> Vec<String> {
        self.say_at(Place::Qname, id, state, clients)
    }

    fn say_at(&mut self, place: Place, id: &str, state: State, clients: &[Client]) -> Vec<String> {
        let led_to = clients.first().map_or("mi.kenal-cn.com", |client| {
            if client.chain.len() > 1 { "e13678.dspb.akamaiedge.net" } else { "mi.kenal-cn.com" }
        });
        let (indicator, _) = self.1.iter().find(|(_, entry)| entry.value == led_to).unwrap();
        let made = made::attribution(indicator, led_to, FrameId::NONE, NIGHT, clients.to_vec());
        let mut attribution = Attribution {
            id: id.to_owned(),
            resolution_id: id.to_owned(),
            state,
            verdict: if clients.is_empty() { Verdict::Undetermined } else { Verdict::Attributed },
            reason: clients.is_empty().then(|| "packets were lost".to_owned()),
            ..made
        };
        attribution.sighting.place = place;
        let subject =
            Subject { indicators: &self.1, files: &Files(vec!["eth1".to_owned()]), zone: &UTC };
        self.0.lines(&attribution, subject)
    }
}

const KEVIN: &str = "192.168.2.42 (KEVIN-PC) asked for mi.kenal-cn.com itself";

#[test]
fn who_asked_itself_and_who_was_led_there_look_different() {
    let mut talk = Talk::new();
    assert_eq!(
        talk.say("a", State::Provisional, &[kevin(995)]),
        [format!("2026-11-28 03:05:23 so far    {KEVIN} (99.5 %)")]
    );
    assert_eq!(
        talk.say("b", State::Provisional, &[mia(990)]),
        [
            "2026-11-28 03:05:23 so far    192.168.2.48 (MIA-PC) asked for www.microsoft.com, which leads to \
             e13678.dspb.akamaiedge.NET (99 %)"
        ]
    );
}

#[test]
fn that_nobody_can_be_named_is_said_once_for_what_is_listed_and_when_it_is_settled() {
    let mut talk = Talk::new();
    assert!(talk.say("a", State::Provisional, &[]).is_empty());
    assert_eq!(
        talk.say("a", State::Final, &[]),
        [
            "2026-11-28 03:05:23 settled   DNS server 192.168.2.194 asked for mi.kenal-cn.com (for which client \
             cannot be told: packets were lost)"
        ]
    );
    assert!(talk.say("b", State::Provisional, &[]).is_empty());
    assert!(talk.say("b", State::Final, &[]).is_empty());
    // Nor is anything said of what has a client in the end but of that client.
    talk.say("c", State::Provisional, &[]);
    assert_eq!(
        talk.say("c", State::Final, &[kevin(995)]),
        [format!("2026-11-28 03:05:23 settled   {KEVIN} (99.5 %)")]
    );
}

#[test]
fn what_one_name_led_to_is_one_line_and_another_where_it_is_more_than_a_name_server() {
    let mut talk = Talk::new();
    let served = |client: Client| {
        let step = ChainStep { step: Step::Nameserver, ..client.chain[1].clone() };
        Client { chain: vec![client.chain[0].clone(), step], ..client }
    };
    let by_server = served(client("192.168.2.48", "", &["www.microsoft.com", "ns1.x.net"], 990));
    let lines = talk.say_at(Place::Nameserver, "a", State::Provisional, &[by_server]);
    assert!(lines[0].contains("whose name server is ns1.x.net"), "{lines:?}");
    let lines = talk.say("b", State::Provisional, &[mia(990)]);
    assert!(lines[0].contains("which leads to e13678.dspb.akamaiedge.NET"), "{lines:?}");
    let further =
        client("192.168.2.48", "", &["www.microsoft.com", "e13678.dspb.akamaiedge.net"], 990);
    assert!(talk.say("c", State::Provisional, &[further]).is_empty());
    let by_server = served(client("192.168.2.48", "", &["www.microsoft.com", "ns2.x.net"], 990));
    assert!(talk.say_at(Place::Nameserver, "d", State::Provisional, &[by_server]).is_empty());
}

#[test]
fn that_it_is_surer_is_said_of_what_was_doubtful() {
    let mut talk = Talk::new();
    assert_eq!(talk.say("a", State::Provisional, &[kevin(960)]).len(), 1);
    assert!(talk.say("b", State::Provisional, &[kevin(999)]).is_empty());
    let mut talk = Talk::new();
    assert_eq!(talk.say("a", State::Provisional, &[kevin(800)]).len(), 1);
    assert_eq!(
        talk.say("a", State::Final, &[kevin(995)]),
        [format!("2026-11-28 03:05:23 confirmed {KEVIN} (99.5 %)")]
    );
}

#[test]
fn a_page_view_is_one_line_and_its_last_word_none() {
    let mut talk = Talk::new();
    assert_eq!(talk.say("a", State::Provisional, &[mia(990)]).len(), 1);
    for (id, permille) in [("b", 990), ("c", 995), ("d", 999)] {
        assert!(talk.say(id, State::Provisional, &[mia(permille)]).is_empty(), "{id}");
    }
    for id in ["a", "b", "c", "d"] {
        assert!(talk.say(id, State::Final, &[mia(999)]).is_empty(), "{id}");
    }
    // Who waited for the same answer is a line of its own.
    let judith = client("192.168.2.40", "JUDITH-PC", &["mi.kenal-cn.com"], 900);
    let judith = Client { role: Role::Joiner, ..judith };
    let lines = talk.say("e", State::Provisional, &[kevin(995), judith]);
    assert_eq!(lines.len(), 2);
    assert!(lines[1].ends_with("(90 %, waited for the same answer)"), "{}", lines[1]);
}

#[test]
fn that_it_connected_is_said_when_it_is_known() {
    let mut talk = Talk::new();
    talk.say("a", State::Provisional, &[kevin(995)]);
    assert_eq!(
        talk.say("a", State::Final, &[connected(kevin(995))]),
        [format!("2026-11-28 03:05:23 confirmed {KEVIN}, and connected to 203.0.113.67 (99.5 %)")]
    );
    // The other lookups of the same page tell no more of it.
    assert!(talk.say("b", State::Provisional, &[kevin(995)]).is_empty());
    assert!(talk.say("b", State::Final, &[connected(kevin(995))]).is_empty());
}

#[test]
fn what_turns_out_otherwise_is_taken_back() {
    let mut talk = Talk::new();
    talk.say("a", State::Provisional, &[kevin(800)]);
    let lines = talk.say(
        "a",
        State::Final,
        &[later(client("192.168.2.9", "UTE-PC", &["mi.kenal-cn.com"], 995), 1)],
    );
    assert_eq!(
        lines,
        [
            "2026-11-28 03:05:24 settled   192.168.2.9 (UTE-PC) asked for mi.kenal-cn.com itself (99.5 %)",
            &format!("2026-11-28 03:05:23 retracted {KEVIN} (80 %)"),
        ]
    );
    // Unless another lookup of his bears it out.
    let mut talk = Talk::new();
    talk.say("a", State::Provisional, &[kevin(995)]);
    talk.say("b", State::Provisional, &[kevin(995)]);
    let lines = talk.say("a", State::Final, &[]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("for which client cannot be told"), "{}", lines[0]);
    // Less sure in the end, and what another line tells.
    let mut talk = Talk::new();
    talk.say("a", State::Provisional, &[kevin(995)]);
    let lines = talk.say("a", State::Final, &[kevin(500)]);
    assert_eq!(lines, [format!("2026-11-28 03:05:23 settled   {KEVIN} (50 %)")]);
    talk.say("b", State::Provisional, &[mia(990)]);
    assert!(talk.say("b", State::Superseded, &[mia(990)]).is_empty());
}

#[test]
fn what_goes_on_is_said_again_after_an_hour_with_how_often() {
    let mut talk = Talk::new();
    talk.say("a", State::Provisional, &[kevin(995)]);
    for minute in 1..60 {
        let id = format!("b{minute}");
        assert!(talk.say(&id, State::Provisional, &[later(kevin(995), 60 * minute)]).is_empty());
    }
    assert_eq!(
        talk.say("c", State::Provisional, &[later(kevin(995), 3_600)]),
        [format!(
            "2026-11-28 04:05:23 so far    {KEVIN} (99.5 %); 61 times since 2026-11-28 03:05:23"
        )]
    );
    assert!(talk.say("d", State::Provisional, &[later(kevin(995), 3_660)]).is_empty());
}

#[test]
fn a_tunnel_has_no_line_for_each_name() {
    let mut talk = Talk::new();
    let mut lines = Vec::new();
    for (state, from) in [(State::Provisional, 0), (State::Final, 0), (State::Provisional, 4_000)] {
        for nth in 0..200 {
            let asked = format!("{nth:x}.mi.kenal-cn.com");
            let client = later(client("192.168.2.42", "KEVIN-PC", &[&asked], 995), from + nth);
            lines.extend(talk.say(&format!("{from}.{nth}"), state, &[client]));
        }
    }
    let (each, further) = lines.split_at(ASKED_MAX as usize);
    assert!(each.iter().all(|line| !line.contains("further")), "{each:#?}");
    let further: Vec<&str> =
        further.iter().filter(|line| line.contains("further")).map(|l| &l[20..]).collect();
    let of = |asked: &str, more: &str| {
        format!(
            "so far    192.168.2.42 (KEVIN-PC) asked for {asked}.mi.kenal-cn.com itself (99.5 %); its further questions that led there are not listed one by one{more}"
        )
    };
    // Once more when it has gone on for an hour, as with any name.
    assert_eq!(further, [of("10", ""), of("10", "; 185 times since 2026-11-28 03:05:39")]);
}

#[test]
fn memory_has_an_end() {
    let mut talk = Talk::new();
    for number in 0..SAID_MAX as u32 + 9 {
        let [_, b, c, d] = number.to_be_bytes();
        let ip = format!("10.{b}.{c}.{d}");
        talk.say(&ip, State::Provisional, &[client(&ip, "X", &["mi.kenal-cn.com"], 995)]);
        assert!(talk.0.said.len() <= SAID_MAX && talk.0.open.len() <= SAID_MAX);
    }
}

#[test]
fn what_was_lost_is_said_before_what_it_all_came_to() {
    let (talk, mut out) = (Talk::new(), Vec::new());
    let files = Files(Vec::new());
    let subject = Subject { indicators: &talk.1, files: &files, zone: &UTC };
    let mut lacked = CaptureLacked::default();
    lacked.dropped.packets = Packets { received: 4_318, by_kernel: 19_946, ..Packets::default() };
    let ending = Ending {
        summary: &Summary::default(),
        assessments: &[],
        answers: &[],
        internal: &Internal::new(Vec::new()),
        verdicts: Verdicts::default(),
        coverage: &Coverage::default(),
        lacked: &lacked,
    };
    Lines::new(&mut out, subject, &talk.0).end(&ending).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().rev().collect();
    assert!(lines[0].starts_with("In total: "), "{text}");
    assert!(lines[1].starts_with("Packets were lost. Use a larger --buffer"), "{text}");
    assert!(lines[1].contains("That is 82 % of all packets."), "{text}");
}
