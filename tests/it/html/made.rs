//! Attributions made up for the page: one of everything that can stand on it, and names chosen to do harm.

use std::path::Path;

use whoasked::alert::{Alert, Answer, Basis, Suspect};
use whoasked::attribution::{
    Assessment, Attribution, Client, ClientHints, Doubt, Hint, Leaning, Place, Step, Summary,
    Verdict, Verdicts,
};
use whoasked::contact::{Connection, Contact};
use whoasked::flow::Transport;
use whoasked::identity::{Hostname, Source};
use whoasked::indicator::{IndicatorId, Indicators};
use whoasked::report::{CaptureLacked, Ending, Files, Html, Internal, Report, Subject};
use whoasked::resolution::{Leg, NoClientReason, Role};
use whoasked::time::{Span, UTC};

use crate::made;
pub use crate::made::{DC, LIST, address, after, coverage, frame, indicator, indicators};

/// A name, a host name, an alert, a file: whatever others choose.
pub const HOSTILE: &str = "<img src=x onerror=document.title='OWNED'>.\"'><script>parent.OWNED=1;\
                           document.title='OWNED'</script>\u{202e}\u{0}\u{1b}[2J\u{fffe}.evil.com";

/// A client that asked in frame `number`, at that second, and was led along `chain`.
pub fn client(ip: &str, role: Role, number: u64, chain: &[(&str, Step)]) -> Client {
    made::client(ip, role, after(number as i64), number, chain)
}

/// A sighting in the upstream query after that of its clients.
pub fn attribution(flagged: IndicatorId, name: &str, clients: Vec<Client>) -> Attribution {
    let number = clients.first().map_or(900, |client| client.asked_frame.number() + 1);
    let time = after(number as i64 - 1) + Span::from_millis(12);
    let verdict = if clients.is_empty() { Verdict::NoClient } else { Verdict::Attributed };
    Attribution { verdict, clients, ..made::attribution(flagged, name, time, number) }
}

/// One of everything. Wherever others choose the words, `name` is what they chose.
pub fn everything(list: &Indicators, name: &str) -> Vec<Attribution> {
    let of = |text| indicator(list, text);
    let evil = [("mi.kenal-cn.com", Step::Asked)];
    // It connected; it is known by name; its question came by way of another DNS server.
    let mut known = client("192.168.2.42", Role::Initiator, 101, &evil);
    known.hops = vec![address("fd20:0:0:1::10")];
    known.vlan = Some(20);
    known.hostname = Some(Hostname {
        name: name.to_owned(),
        source: Source::Dhcp,
        time: Some(after(3)),
        frame: frame(7),
    });
    known.contact = Contact::Yes(Connection {
        address: address("203.0.113.9"),
        port: 443,
        transport: Transport::Tcp,
        frame: frame(110),
        time: after(102),
        answered: true,
        server_name: Some(name.to_owned()),
    });
    let mut all = vec![attribution(of(LIST[0]), LIST[0], vec![known])];
    for role in [Role::Joiner, Role::Refresh] {
        let clients = vec![client("fd20::1234:5678:9abc:def0", role, 3_000, &evil)];
        all.push(attribution(of(LIST[0]), LIST[0], clients));
    }
    let mut cached = client("192.168.2.40", Role::Cached, 5_000, &evil);
    (cached.rcode, cached.is_router_mac, cached.contact) = (Some("SERVFAIL"), true, Contact::No);
    let mut seen = attribution(of(LIST[0]), LIST[0], vec![cached]);
    seen.sighting.leg = Leg::Client;
    all.push(seen);
    // By way of an alias that somebody chose, less than sure.
    let chain = [("www.microsoft.com", Step::Asked), (name, Step::Alias), (LIST[1], Step::Alias)];
    let mut led = client("192.168.2.30", Role::Initiator, 600, &chain);
    led.confidence_permille = 870;
    let mut tail = attribution(of(LIST[1]), name, vec![led]);
    (tail.sighting.place, tail.doubts) = (Place::Alias, vec![Doubt::AliasTail]);
    all.push(tail);
    // A name server's address, of which no answer came.
    let chain = [(name, Step::Asked), (LIST[3], Step::Server)];
    let mut server =
        attribution(of(LIST[3]), name, vec![client("192.168.2.55", Role::Initiator, 700, &chain)]);
    (server.sighting.place, server.sighting.rcode) = (Place::Server, None);
    all.push(server);
    // Nobody, and nobody knows.
    for (verdict, why) in [
        (Verdict::NoClient, NoClientReason::NobodyWaiting),
        (Verdict::Undetermined, NoClientReason::TooMany(3)),
    ] {
        let unnamed = attribution(of(LIST[2]), name, Vec::new());
        let reason = Some(format!("because of {name}"));
        all.push(Attribution { verdict, unexplained: Some(why), reason, ..unnamed });
    }
    all
}

/// What there is to weigh of the first indicator.
pub fn assessments(list: &Indicators, name: &str) -> Vec<Assessment> {
    let hint = |leaning, words: String| Hint { code: "made-up", leaning, words };
    vec![Assessment {
        indicator: indicator(list, LIST[0]),
        verdicts: Verdicts { attributed: 4, ..Verdicts::default() },
        clients: 1,
        hints: vec![
            hint(Leaning::Serious, format!("it asks for {name} every 60 s, give or take 2 s")),
            hint(Leaning::Harmless, "many unrelated clients asked at once".to_owned()),
        ],
        of_clients: vec![ClientHints {
            client: address("192.168.2.42"),
            hints: vec![Hint {
                code: "connected",
                leaning: Leaning::Serious,
                words: format!("it connected to {name}"),
            }],
        }],
    }]
}

/// Three alerts: with a client, without one, and one that nothing answers.
pub fn answers(list: &Indicators, name: &str) -> Vec<Answer> {
    let alert = |line, destination: &str| Alert {
        again: None,
        until: None,
        is_time_fine: false,
        is_time_unread: false,
        device: None,
        file: "alerts.txt".to_owned(),
        line,
        number: line,
        text: format!("{line} {DC} C2/Generic-A {destination} 1 AFCd"),
        time: Some(after(101)),
        is_local: false,
        host: Some(DC.to_owned()),
        destination: destination.to_owned(),
        threat: Some(name.to_owned()),
        events: Some(1_473),
    };
    let suspect = Suspect {
        address: address("192.168.2.42"),
        hostname: None,
        role: Role::Initiator,
        confidence_permille: 995,
        asked_permille: 995,
        is_upstream: true,
        asked: vec![LIST[0].to_owned(), name.to_owned()],
        asks: 3,
        chain: Vec::new(),
        first: after(101),
        last: after(3_600),
        connected: None,
        attributions: Vec::new(),
    };
    let answer = |line, destination: &str, verdict| Answer {
        alert: alert(line, destination),
        indicator: None,
        verdict,
        clients: Vec::new(),
        reason: None,
        nearest: None,
        attributions: Vec::new(),
        basis: Basis::default(),
    };
    vec![
        Answer {
            indicator: Some(indicator(list, LIST[0])),
            clients: vec![suspect],
            ..answer(1, LIST[0], Some(Verdict::Attributed))
        },
        Answer {
            reason: Some(format!("because of {name}")),
            ..answer(2, name, Some(Verdict::NoClient))
        },
        Answer { nearest: Some(format!("{name} at 08:25")), ..answer(3, "quiet.example", None) },
    ]
}

/// What a page is made of.
pub struct Made<'a> {
    pub list: &'a Indicators,
    pub files: &'a [&'a str],
    pub attributions: &'a [Attribution],
    pub assessments: &'a [Assessment],
    pub answers: &'a [Answer],
    pub damage: &'a [&'a str],
}

impl<'a> Made<'a> {
    /// Of one capture, without alerts or damage.
    pub fn of(list: &'a Indicators, attributions: &'a [Attribution]) -> Made<'a> {
        let (assessments, answers, damage) = (&[][..], &[][..], &[][..]);
        Made { list, files: &["a.pcap"], attributions, assessments, answers, damage }
    }
}

/// Writes a page to `path`.
pub fn write(path: &Path, made: &Made<'_>) {
    let files = Files(made.files.iter().map(|file| (*file).to_owned()).collect());
    let mut page =
        Html::create(path, Subject { indicators: made.list, files: &files, zone: &UTC }).unwrap();
    let mut verdicts = Verdicts::default();
    for attribution in made.attributions {
        verdicts.add(attribution.verdict);
        page.attribution(attribution).unwrap();
    }
    let mut lacked = CaptureLacked {
        damage: made.damage.iter().map(|text| (*text).to_owned()).collect(),
        ..CaptureLacked::default()
    };
    (lacked.decoded.frames, lacked.decoded.messages) = (48_211, 40_090);
    let (summary, internal, coverage) = (Summary::default(), Internal::default(), coverage());
    page.end(&Ending {
        summary: &summary,
        assessments: made.assessments,
        answers: made.answers,
        internal: &internal,
        verdicts,
        coverage: &coverage,
        lacked: &lacked,
    })
    .unwrap();
}

/// A page with one of everything, and with `name` wherever others choose the words.
pub fn write_everything(path: &Path, name: &str) {
    let list = indicators("flagged.txt");
    let made = Made {
        list: &list,
        files: &[name],
        attributions: &everything(&list, name),
        assessments: &assessments(&list, name),
        answers: &answers(&list, name),
        damage: &[name],
    };
    write(path, &made);
}
