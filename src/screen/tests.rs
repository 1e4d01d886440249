//! What the tests of the screen look at.

use crate::attribution::{Attribution, ChainStep, Client, Doubt, State, Step, made};
use crate::contact::{Connection, Contact};
use crate::flow::{Address, Mac, Transport};
use crate::frame::FrameId;
use crate::identity::{Hostname, Source};
use crate::indicator::{IndicatorId, Indicators};
use crate::live::{Feed, Group};
use crate::name::{Name, NameHasher, push_from_text};
use crate::resolution::Role;
use crate::time::{Span, Timestamp};

/// 2026-03-02T09:17:42Z.
pub const MORNING: Timestamp = Timestamp(1_772_443_062_000_000_000);
pub const DC: &str = "192.168.2.194";

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub fn frame(number: u64) -> FrameId {
    FrameId::new(0, number)
}

/// A client that was led along a chain, all in frames from `number` on.
fn client(ip: &str, host: Option<&str>, number: u64, chain: &[&str]) -> Client {
    let time = MORNING + Span::from_secs(number as i64);
    let steps = chain.iter().enumerate().map(|(place, name)| ChainStep {
        name: (*name).to_owned(),
        step: if place == 0 { Step::Asked } else { Step::Alias },
        frame: frame(number + 3 * place as u64),
    });
    Client {
        answer_frame: frame(number + 3),
        rcode: Some("NOERROR"),
        chain: steps.collect(),
        mac: Some(Mac([0, 0x1b, 0x21, 0x3c, 0, 0x1c])),
        hostname: host.map(|name| Hostname {
            name: name.to_owned(),
            source: Source::Dhcp,
            time: None,
            frame: FrameId::NONE,
        }),
        ..made::client(ip, chain, frame(number), time)
    }
}

/// What is said of a query of the DC for a name that is flagged.
pub fn attribution(number: u64, name: &str, clients: Vec<Client>) -> Attribution {
    let time = MORNING + Span::from_secs(number as i64);
    let mut made = made::attribution(flagged(name), name, frame(number + 1), time, clients);
    (made.id, made.resolution_id) = (format!("f{number}"), format!("f{number}"));
    made.reason = made.clients.is_empty().then(|| "no client was waiting for it".to_owned());
    (made.sighting.response_frame, made.sighting.rcode) = (frame(number + 2), Some("NOERROR"));
    made
}

/// What is flagged.
fn indicators() -> Indicators {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flagged.txt");
    std::fs::write(&path, "mi.kenal-cn.com\ne13678.dspb.akamaiedge.net\nad-sync.net\n").unwrap();
    Indicators::load(&[path], NameHasher::new([1, 2])).unwrap().0
}

/// Which of it a name is.
fn flagged(name: &str) -> IndicatorId {
    let (mut wire, mut found) = (Vec::new(), Vec::new());
    push_from_text(name, &mut wire).unwrap();
    indicators().match_name(Name::from_wire(&wire), &mut found);
    found[0]
}

/// A feed that was given these.
pub fn feed(attributions: Vec<Attribution>) -> Feed {
    let (feed, indicators) = (Feed::default(), indicators());
    for attribution in attributions {
        feed.take(attribution, &indicators);
    }
    feed
}

/// Some sightings, the newest first: two of KEVIN-PC, of which one came twice and led to a connection; one
/// provisional by way of aliases, with another client and a hop; one of no client; one at an address of IPv6
/// without a name.
pub fn sights() -> Vec<Group> {
    feed(attributions()).newest().0
}

pub fn attributions() -> Vec<Attribution> {
    let chain =
        ["www.microsoft.com", "www.microsoft.com-c-3.edgekey.net", "e13678.dspb.akamaiedge.net"];
    let kevin = |number| client("192.168.2.42", Some("KEVIN-PC"), number, &["mi.kenal-cn.com"]);
    let early_kevin = client("192.168.2.42", Some("KEVIN-PC"), 20, &["www.mi.kenal-cn.com"]);
    let contacted = Contact::Yes(Connection {
        address: address("203.0.113.67"),
        port: 443,
        transport: Transport::Tcp,
        frame: frame(70),
        time: MORNING + Span::from_secs(61),
        answered: true,
        server_name: Some("mi.kenal-cn.com".to_owned()),
    });
    let petra = Client {
        hops: vec![address("192.168.2.12")],
        ..client("192.168.2.55", Some("PETRA-PC"), 70, &chain)
    };
    let joiner = Client {
        role: Role::Joiner,
        confidence_permille: 900,
        ..client("192.168.2.40", Some("JUDITH-PC"), 70, &chain)
    };
    let early = Attribution {
        state: State::Provisional,
        untold_since: None,
        doubts: vec![Doubt::AliasTail],
        ..attribution(70, chain[2], vec![petra, joiner])
    };
    let six =
        client("2001:db8:12:34:56:78:9abc:def0", None, 40, &["tracker.long-name.ad-sync.net"]);
    vec![
        attribution(20, "www.mi.kenal-cn.com", vec![early_kevin]),
        attribution(60, "mi.kenal-cn.com", vec![Client { contact: contacted, ..kevin(60) }]),
        attribution(61, "mi.kenal-cn.com", vec![kevin(61)]),
        attribution(30, "ad-sync.net", Vec::new()),
        attribution(40, "tracker.long-name.ad-sync.net", vec![six]),
        early,
    ]
}
