//! The text for people, held against golden copies: every section, narrow and wide, with and without
//! colours, and with names that somebody chose to do harm.

use std::sync::Arc;

use whoasked::attribution::{
    Assessor, Attribution, ChainStep, Coverage, Doubt, Place, ServerCoverage, Step, Summary,
    Verdict, Verdicts,
};
use whoasked::contact::{Connection, Contact};
use whoasked::flow::{Mac, Transport};
use whoasked::frame::FrameId;
use whoasked::identity::{Hostname, Source};
use whoasked::indicator::Indicators;
use whoasked::name::NameHasher;
use whoasked::packet::Ports;
use whoasked::report::{CaptureLacked, Ending, Files, Internal, Look, Report, Subject, Text};
use whoasked::resolution::{Leg, Limits, NoClientReason, Resolution, Role, Roles};
use whoasked::time::{Span, UTC, Zone};
use whoasked::transaction::{Counters, Transactions};

use crate::made::{
    DC2, MORNING, address, after, attribution, client, coverage, frame, indicator, indicators,
};

fn unnamed(
    of: Attribution,
    verdict: Verdict,
    unexplained: NoClientReason,
    reason: &str,
) -> Attribution {
    Attribution { verdict, unexplained: Some(unexplained), reason: Some(reason.to_owned()), ..of }
}

const MICROSOFT: [(&str, Step); 4] = [
    ("www.microsoft.com", Step::Asked),
    ("www.microsoft.com-c-3.edgekey.net", Step::Alias),
    ("www.microsoft.com-c-3.edgekey.net.globalredir.akadns.net", Step::Alias),
    ("e13678.dspb.akamaiedge.NET", Step::Alias),
];

/// One of everything.
fn office(list: &Indicators) -> Vec<Attribution> {
    let of = |text| indicator(list, text);
    let evil = [("mi.kenal-cn.com", Step::Asked)];
    let mut all = Vec::new();
    // An infection: by way of the other DC, then twice from the cache.
    let mut through = client("192.168.2.42", Role::Initiator, after(1), 101, &evil);
    through.hops = vec![address(DC2)];
    through.vlan = Some(20);
    through.hostname = Some(Hostname {
        name: "PC-KEVIN".to_owned(),
        source: Source::Dhcp,
        time: Some(MORNING),
        frame: frame(3),
    });
    through.contact = Contact::Yes(Connection {
        address: address("203.0.113.67"),
        port: 443,
        transport: Transport::Tcp,
        frame: frame(120),
        time: after(2),
        answered: true,
        server_name: Some("mi.kenal-cn.com".to_owned()),
    });
    let kenal = attribution(of("mi.kenal-cn.com"), "mi.kenal-cn.com", after(1), 104);
    all.push(Attribution { clients: vec![through], ..kenal.clone() });
    for hour in [1, 2] {
        let mut cached =
            client("192.168.2.42", Role::Cached, after(3600 * hour), 1000 * hour as u64, &evil);
        cached.rcode = (hour == 1).then_some("SERVFAIL");
        cached.asked_type = "AAAA".to_owned();
        cached.confidence_permille = 960;
        let mut seen = kenal.clone();
        seen.sighting.leg = Leg::Client;
        seen.clients = vec![cached];
        all.push(seen);
    }
    // The false alarm, of two clients at once.
    let clients = [("192.168.2.30", Role::Initiator), ("192.168.2.31", Role::Joiner)]
        .map(|(ip, role)| client(ip, role, after(600), 300, &MICROSOFT));
    let tail = attribution(of("e13678.dspb.akamaiedge.net"), MICROSOFT[3].0, after(600), 305);
    all.push(Attribution {
        clients: clients.to_vec(),
        doubts: vec![Doubt::AliasTail],
        ..tail.clone()
    });
    // A name server's address.
    let server = [("www.lunchbox-catering.com", Step::Asked), ("192.55.83.30", Step::Server)];
    let mut asked = client("192.168.2.55", Role::Refresh, after(700), 400, &server);
    asked.confidence_permille = 870;
    let mut contacted = attribution(of("192.55.83.30"), server[0].0, after(700), 401);
    contacted.sighting.place = Place::Server;
    all.push(Attribution { clients: vec![asked], ..contacted });
    // Nobody, and nobody knows.
    let own = attribution(of("ad-sync.net"), "up.ad-sync.net", after(800), 500);
    let reason = "no client was waiting for 192.168.2.194";
    for _ in 0..2 {
        all.push(unnamed(own.clone(), Verdict::NoClient, NoClientReason::NobodyWaiting, reason));
    }
    for count in [3, 4] {
        let reason =
            format!("{count} clients may have caused it, none more likely than the others");
        let seen =
            attribution(of("ad-sync.net"), "x1.ad-sync.net", after(900), 600 + u64::from(count));
        all.push(unnamed(seen, Verdict::Undetermined, NoClientReason::TooMany(count), &reason));
    }
    let midway = NoClientReason::BeganMidWay(Span::from_secs(1));
    all.push(unnamed(tail, Verdict::Undetermined, midway, "the capture began only 1.00 s before"));
    all
}

fn lacked() -> CaptureLacked {
    let mut lacked = CaptureLacked::default();
    (lacked.decoded.frames, lacked.decoded.messages) = (48_211, 40_090);
    lacked.decoded.broken = 1;
    lacked
}

/// A history in which nothing happened.
fn nothing() -> Resolution {
    let limits = Limits::default();
    let transactions = Transactions::new(limits.transactions, Ports::new(&[]));
    Resolution::new(limits, transactions, Roles::new(Vec::new()), NameHasher::new([1, 2]))
}

/// The report on `attributions`, colours visible as `«31»`.
fn report(
    look: Look,
    list: &Indicators,
    files: &[&str],
    attributions: &[Attribution],
    coverage: &Coverage,
    lacked: &CaptureLacked,
) -> String {
    report_in(&UTC, look, list, files, attributions, coverage, lacked)
}

fn report_in(
    zone: &Zone,
    look: Look,
    list: &Indicators,
    files: &[&str],
    attributions: &[Attribution],
    coverage: &Coverage,
    lacked: &CaptureLacked,
) -> String {
    let files = Files(files.iter().map(|file| (*file).to_owned()).collect());
    let mut out = Vec::new();
    let mut verdicts = Verdicts::default();
    let mut text = Text::new(&mut out, look, Subject { indicators: list, files: &files, zone });
    let mut assessor = Assessor::new(Arc::new(list.clone()), zone.clone());
    for attribution in attributions {
        verdicts.add(attribution.verdict);
        assessor.add(attribution);
        text.attribution(attribution).unwrap();
    }
    let (summary, internal) = (Summary::default(), Internal::default());
    let assessments = assessor.assess(&nothing(), &Summary::default(), true);
    let ending = Ending {
        summary: &summary,
        assessments: &assessments,
        answers: &[],
        internal: &internal,
        verdicts,
        coverage,
        lacked,
    };
    text.end(&ending).unwrap();
    drop(text);
    let text = String::from_utf8(out).unwrap();
    assert!(text.chars().all(|c| c == '\n' || c == '\u{1b}' || !c.is_control()), "{text:?}");
    text.replace("\u{1b}[0m", "«»").replace("\u{1b}[", "«")
}

fn office_report(look: Look) -> String {
    let list = indicators("flagged.txt");
    report(look, &list, &["office.pcap"], &office(&list), &coverage(), &lacked())
}

#[test]
fn times_are_said_in_the_zone_asked_for() {
    let list = indicators("flagged.txt");
    let (look, all) = (Look::new(80, false), office(&list));
    let zone = Zone::parse("Europe/Berlin").unwrap();
    let text = report_in(&zone, look, &list, &["a.pcap"], &all, &coverage(), &lacked());
    assert!(text.contains("2019-11-29, 09:25:00 to 18:25:00 Europe/Berlin (UTC+1)"), "{text}");
    assert!(text.contains("3 questions from 09:25:01 to 11:25:00"), "{text}");
    assert!(!text.contains("08:25:01"), "{text}");
}

/// A capture of one side of a DNS server: nobody both asks and is asked.
fn one_side(server: &str) -> String {
    let mut seen = coverage();
    seen.resolvers.clear();
    seen.latencies.clear();
    seen.servers = vec![ServerCoverage { address: address(server), asked: 412, answers: 409 }];
    let list = indicators("flagged.txt");
    report(Look::new(200, false), &list, &["a.pcap"], &[], &seen, &lacked())
}

#[test]
fn a_capture_of_one_side_says_which_is_missing() {
    let clients = one_side("10.0.0.10");
    assert!(clients.contains("10.0.0.10: 412 questions to it, 409 answers from it"), "{clients}");
    assert!(clients.contains("what it asks upstream is not in the capture"), "{clients}");
    let uplink = one_side("198.51.100.7");
    assert!(uplink.contains("its clients are not in the capture"), "{uplink}");
}

#[test]
fn the_verdict_stands_at_both_ends() {
    let text = office_report(Look::new(200, false));
    let first = text.lines().next().unwrap();
    assert!(first.contains(": act on 192.168.2.42 (PC-KEVIN);"), "{first}");
    assert_eq!(text.lines().last(), Some(first));
}

#[test]
fn every_section_at_80_columns() {
    let text = office_report(Look::new(80, false));
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    insta::assert_snapshot!(text);
}

#[test]
fn every_section_at_120_columns() {
    insta::assert_snapshot!(office_report(Look::new(120, false)));
}

#[test]
fn every_section_in_colour() {
    insta::assert_snapshot!(office_report(Look::new(80, true)));
}

#[test]
fn an_address_that_changed_hands_has_each_mac_with_its_questions() {
    let list = indicators("flagged.txt");
    let mut all = office(&list);
    let second = Some(Mac([0, 0x50, 0xb6, 0xaa, 0xbb, 0xcc]));
    all[2].clients[0].mac = second;
    let told = report(Look::new(80, false), &list, &["office.pcap"], &all, &coverage(), &lacked());
    let block = told.split_once("Who is behind it\n\n").unwrap().1;
    let block = &block[..block.find("got").unwrap()];
    assert!(block.contains("00:1b:21:3c:00:2a  00:50:b6:aa:bb:cc  VLAN 20"), "{block}");
    assert!(block.contains("perhaps not one machine"), "{block}");
    let said = block.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(
            "MAC 00:1b:21:3c:00:2a from 08:25:01 to 09:25:00 and 00:50:b6:aa:bb:cc at 10:25:00"
        ),
        "{block}"
    );
    // Of the others nothing is said: theirs stands in the heading.
    assert_eq!(told.matches("\n    MAC ").count(), 1, "{told}");
}

#[test]
fn what_had_no_room_in_the_summary_is_said_to_be_lost() {
    let list = indicators("flagged.txt");
    let seen = Coverage { summary_left_out: 1_204, ..coverage() };
    let told = report(Look::new(200, false), &list, &["a.pcap"], &[], &seen, &lacked());
    let words = "1,204 lookups left out of the summary, which is full";
    assert!(told.contains(words), "{told}");
}

#[test]
fn nothing_flagged() {
    let list = indicators("flagged.txt");
    let look = Look::new(80, false);
    insta::assert_snapshot!(report(look, &list, &["a.pcap"], &[], &coverage(), &lacked()));
}

#[test]
fn no_dns_message_and_no_resolver() {
    let list = indicators("flagged.txt");
    let mut empty = coverage();
    (empty.span, empty.transactions) = (None, Counters::default());
    empty.resolvers.clear();
    empty.latencies.clear();
    let lacked = CaptureLacked {
        resolvers_unseen: vec![address("10.0.0.99")],
        damage: vec!["a.pcap: frame 13 is cut after 40 of 90 octets".to_owned()],
        interrupted: true,
        ..CaptureLacked::default()
    };
    let look = Look::new(80, false);
    insta::assert_snapshot!(report(look, &list, &["a.pcap"], &[], &empty, &lacked));
}

#[test]
fn what_somebody_named_to_do_harm_is_harmless() {
    let hostile = "a\u{1b}]0;owned\u{7}\u{9b}2J\r\n\u{202e}b.pcap";
    let list = indicators("fl\u{1b}[31mag\ned.txt");
    let long = format!("{}.mi.kenal-cn.com", "\\027[2J-".repeat(30));
    let mut asked = client("192.168.2.42", Role::Initiator, after(1), 7, &[(&long, Step::Asked)]);
    asked.chain.push(ChainStep {
        name: hostile.to_owned(),
        step: Step::Alias,
        frame: FrameId::new(1, 3),
    });
    asked.asked_type = hostile.to_owned();
    let evil = indicator(&list, "mi.kenal-cn.com");
    let mut seen = attribution(evil, &long, after(1), 8);
    seen.sighting.response_frame = FrameId::new(1, 2);
    seen.clients = vec![asked];
    let lost = unnamed(seen.clone(), Verdict::NoClient, NoClientReason::Priming, hostile);
    let lost = Attribution { clients: Vec::new(), ..lost };
    let lacked = CaptureLacked { damage: vec![hostile.to_owned()], ..lacked() };
    let look = Look::new(60, false);
    let text = report(look, &list, &[hostile, "b.pcap"], &[seen, lost], &coverage(), &lacked);
    // A file's name is never broken, so that it can be copied.
    let lines = text.lines().filter(|line| !line.ends_with("b.pcap:"));
    assert!(lines.clone().all(|line| line.chars().count() <= 60));
    assert_eq!(text.lines().count() - lines.count(), 4);
    insta::assert_snapshot!(text);
}

#[test]
fn a_flood_is_folded_and_bounded() {
    let list = indicators("flagged.txt");
    let evil = indicator(&list, "mi.kenal-cn.com");
    let mut flood = Vec::new();
    for number in 0..10_000u32 {
        let [_, b, c, d] = number.to_be_bytes();
        let ip = format!("10.{b}.{c}.{d}");
        let time = after(i64::from(number));
        let name = [("mi.kenal-cn.com", Step::Asked)];
        let asked = client(&ip, Role::Initiator, time, 1 + u64::from(number), &name);
        let mut seen = attribution(evil, "mi.kenal-cn.com", time, 1 + u64::from(number));
        seen.clients = vec![asked];
        flood.push(seen.clone());
        flood.push(seen);
    }
    let look = Look::new(80, false);
    let text = report(look, &list, &["a.pcap"], &flood, &coverage(), &lacked());
    assert!(
        text.starts_with(
            "More than 4,096 clients are behind what was flagged: look at 10.0.0.0, 10.0.0.1,\n"
        ),
        "{text:.200}"
    );
    assert!(text.contains("11,808 lookups of more clients omitted here"));
    // A question that was tried upstream twice is one question.
    assert!(!text.contains(" times "));
}
