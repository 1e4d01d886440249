//! Clients, attributions and what a capture showed, made up for the reports.

use std::fs;
use std::net::IpAddr;

use whoasked::attribution::{
    Attribution, ChainStep, Client, Coverage, LatencyCoverage, Outcome, Place, QuestionId,
    ResolverCoverage, Sighting, State, Step, Verdict,
};
use whoasked::contact::Contact;
use whoasked::flow::{Address, Mac, Transport};
use whoasked::frame::FrameId;
use whoasked::indicator::{IndicatorId, Indicators};
use whoasked::name::{Name, NameHasher, push_from_text};
use whoasked::resolution::{Known, Leg, Role};
use whoasked::time::{Span, Timestamp};
use whoasked::transaction::Counters;

/// What is listed.
pub const LIST: [&str; 4] =
    ["mi.kenal-cn.com", "e13678.dspb.akamaiedge.net", "ad-sync.net", "192.55.83.30"];
pub const DC: &str = "192.168.2.194";
pub const DC2: &str = "192.168.2.12";
/// 2019-11-29T08:25:00Z.
pub const MORNING: Timestamp = Timestamp(1_575_015_900_000_000_000);

pub fn after(seconds: i64) -> Timestamp {
    MORNING + Span::from_secs(seconds)
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub fn frame(number: u64) -> FrameId {
    if number == 0 { FrameId::NONE } else { FrameId::new(0, number) }
}

/// The list, the file of that name.
pub fn indicators(file: &str) -> Indicators {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    fs::write(&path, LIST.join("\n")).unwrap();
    Indicators::load(&[path], NameHasher::new([1, 2])).unwrap().0
}

pub fn indicator(indicators: &Indicators, text: &str) -> IndicatorId {
    let mut found = Vec::new();
    match text.parse::<IpAddr>() {
        Ok(ip) => indicators.match_address(Address::from(ip), &mut found),
        Err(_) => {
            let mut wire = Vec::new();
            push_from_text(text, &mut wire).unwrap();
            indicators.match_name(Name::from_wire(&wire), &mut found);
        }
    }
    found[0]
}

/// A client that asked at `time`, in frame `number`, and was led along `chain`.
pub fn client(
    ip: &str,
    role: Role,
    time: Timestamp,
    number: u64,
    chain: &[(&str, Step)],
) -> Client {
    let last = match ip.parse().unwrap() {
        IpAddr::V4(v4) => v4.octets()[3],
        IpAddr::V6(v6) => v6.octets()[15],
    };
    Client {
        question: QuestionId::new(frame(number), 0),
        address: address(ip),
        port: 53211,
        role,
        confidence_permille: 995,
        asked: chain[0].0.to_owned(),
        asked_type: "A".to_owned(),
        asked_frame: frame(number),
        asked_time: time,
        answer_frame: frame(number + 9),
        rcode: Some("NOERROR"),
        chain: chain
            .iter()
            .enumerate()
            .map(|(place, (name, step))| ChainStep {
                name: (*name).to_owned(),
                step: *step,
                frame: frame(number + place as u64),
            })
            .collect(),
        hops: Vec::new(),
        mac: Some(Mac([0, 0x1b, 0x21, 0x3c, 0, last])),
        is_router_mac: false,
        vlan: None,
        hostname: None,
        contact: Contact::NotVisible,
    }
}

/// A sighting of `flagged` in the upstream query of frame `number`.
pub fn attribution(flagged: IndicatorId, name: &str, time: Timestamp, number: u64) -> Attribution {
    Attribution {
        id: format!("f{number}"),
        resolution_id: format!("f{number}"),
        state: State::Final,
        untold_since: None,
        verdict: Verdict::Attributed,
        unexplained: None,
        reason: None,
        indicator: flagged,
        sighting: Sighting {
            leg: Leg::Upstream,
            place: Place::Qname,
            frame: frame(number),
            time,
            resolver: address(DC),
            server: address("198.51.100.7"),
            transport: Transport::Udp,
            name: name.to_owned(),
            rtype: "A".to_owned(),
            response_frame: frame(number + 1),
            rcode: Some("NOERROR"),
            outcome: Outcome::Answered,
        },
        clients: Vec::new(),
        doubts: Vec::new(),
    }
}

pub fn coverage() -> Coverage {
    let resolver = |addresses: &[&str], known, asked, asks| ResolverCoverage {
        addresses: addresses.iter().map(|text| address(text)).collect(),
        known,
        shared_mac: (addresses.len() > 1).then_some(Mac([0, 0x50, 0x56, 0x9a, 0x10, 1])),
        asked,
        asks,
        answers: asked,
    };
    Coverage {
        span: Some((MORNING, after(9 * 3600))),
        transactions: Counters {
            queries: 20_100,
            answered: 19_990,
            unasked: 12,
            copies: 392,
            ..Counters::default()
        },
        resolvers: vec![
            resolver(&[DC, "fd20::10"], Known::AsksAndAnswers, 10_397, 4_492),
            resolver(&[DC2], Known::OnlyIterates, 0, 196),
        ],
        latencies: vec![LatencyCoverage {
            resolver: address(DC),
            leg: Leg::Client,
            count: 10_390,
            p50_us: 210,
            p90_us: 15_100,
            p99_us: 198_700,
            max_us: 3_230_000,
        }],
        ..Coverage::default()
    }
}
