//! The fast reader, octet by octet. `tests/it/message_oracle.rs` holds it against hickory-proto.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::record::{BADCOOKIE, BADVERS, RESERVED};
use super::*;
use crate::flow::{Address, Endpoint, Flow, Mac, Transport};
use crate::frame::FrameId;
use crate::name::{Ancestors, Name, NameHash, NameHasher, push_from_text};
use crate::packet::Envelope;
use crate::time::Timestamp;

static HASHER: LazyLock<NameHasher> = LazyLock::new(|| NameHasher::new([17, 4]));
const RESPONSE: u16 = 0x8180;
const QUERY: u16 = 0x0100;

/// The sections of a message as octets, to be counted in its header.
#[derive(Clone, Default)]
struct Built {
    questions: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
    authority: Vec<Vec<u8>>,
    additional: Vec<Vec<u8>>,
}

impl Built {
    fn octets(&self, flags: u16) -> Vec<u8> {
        let sections = [&self.questions, &self.answers, &self.authority, &self.additional];
        let mut octets = [0x1234u16, flags].map(u16::to_be_bytes).concat();
        octets.extend(sections.iter().flat_map(|section| (section.len() as u16).to_be_bytes()));
        octets.extend(sections.iter().flat_map(|section| section.concat()));
        octets
    }
}

fn wire(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    push_from_text(text, &mut out).unwrap();
    out
}

fn question(name: &[u8], rtype: RecordType) -> Vec<u8> {
    [name, &rtype.0.to_be_bytes(), &[0, 1]].concat()
}

fn record(owner: &[u8], rtype: RecordType, class: u16, data: &[u8]) -> Vec<u8> {
    let mut octets = owner.to_vec();
    octets.extend([rtype.0, class].iter().flat_map(|word| word.to_be_bytes()));
    octets.extend(300u32.to_be_bytes());
    octets.extend((data.len() as u16).to_be_bytes());
    octets.extend(data);
    octets
}

fn envelope() -> Envelope {
    let endpoint = |last, port| Endpoint { address: Address::v4([192, 0, 2, last]), port };
    Envelope {
        frame: FrameId::new(0, 7),
        time: Timestamp(1_000),
        flow: Flow {
            source: endpoint(1, 53),
            destination: endpoint(2, 4_000),
            transport: Transport::Udp,
        },
        source_mac: Mac::default(),
        ip_id: 9,
        vlan: None,
    }
}

/// What was read: the message, and its facts in words.
fn read(payload: &[u8]) -> (Message, Vec<String>) {
    read_part(payload, true)
}

fn read_part(payload: &[u8], whole: bool) -> (Message, Vec<String>) {
    let mut messages = Messages::new();
    assert!(messages.read(&envelope(), payload, whole, &HASHER, &mut Unwatched));
    let message = *messages.get(0).unwrap();
    let name = |name: &NameRef| {
        let shown = messages.name(*name);
        assert_eq!(HASHER.hash(shown), name.hash);
        assert_eq!(HASHER.hash(shown.last_two_labels()), name.domain);
        assert_eq!(shown.label_count(), usize::from(name.labels));
        shown.to_string()
    };
    let facts = messages.facts(&message).iter().map(|fact| match fact {
        Fact::Alias { owner, target, ttl } => {
            format!("{} is {} for {ttl}", name(owner), name(target))
        }
        Fact::Redirection { owner, target, ttl } => {
            format!("below {} is below {} for {ttl}", name(owner), name(target))
        }
        Fact::Service { owner, target } => format!("{} served by {}", name(owner), name(target)),
        Fact::Address { owner, address, .. } => format!("{} at {address}", name(owner)),
        Fact::Delegation { zone, server, ttl } => {
            format!("{} by {} for {ttl}", name(zone), name(server))
        }
    });
    let facts = facts.collect();
    (message, facts)
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn question_name(payload: &[u8]) -> String {
    let mut messages = Messages::new();
    assert!(messages.read(&envelope(), payload, true, &HASHER, &mut Unwatched));
    messages.name(messages.get(0).unwrap().question.unwrap().name).to_string()
}

/// `www.Example.com` is an alias of `cdn.example.net`, which has two addresses.
fn chain() -> Built {
    let pointer = [0xc0, 12];
    // After the header, the question (17 + 4 octets) and the owner, type, class, TTL and length.
    let target = [0xc0, 12 + 21 + 12];
    Built {
        questions: vec![question(&wire("www.Example.com"), RecordType::A)],
        answers: vec![
            record(&pointer, RecordType::CNAME, 1, &wire("cdn.example.net")),
            record(&target, RecordType::A, 1, &[192, 0, 2, 80]),
            record(&target, RecordType::AAAA, 1, &Address::v4([0; 4]).octets()[..]),
        ],
        authority: vec![record(&target, RecordType::NS, 1, &wire("ns.example.net"))],
        additional: vec![record(&wire("ns.example.net"), RecordType::A, 1, &[192, 0, 2, 53])],
    }
}

#[test]
fn a_response_gives_its_question_aliases_addresses_and_delegations() {
    let octets = chain().octets(RESPONSE);
    let (message, facts) = read(&octets);
    assert_eq!((message.id, message.flags, message.counts), (0x1234, Flags(0x8180), [1, 3, 1, 1]));
    assert_eq!((message.malformed, message.flagged), (None, false));
    assert_eq!(message.question.map(|q| (q.rtype, q.class)), Some((RecordType::A, 1)));
    assert_eq!(question_name(&octets), "www.Example.com");
    assert_eq!(
        facts,
        [
            "www.Example.com is cdn.example.net for 300",
            "cdn.example.net at 192.0.2.80",
            "cdn.example.net at 0.0.0.0",
            "cdn.example.net by ns.example.net for 300",
        ]
    );
}

#[test]
fn the_records_of_queries_and_updates_are_no_facts() {
    for flags in [QUERY, 0xa880, 0x8980] {
        let (message, facts) = read(&chain().octets(flags));
        assert!(message.question.is_some());
        assert_eq!((message.malformed, facts.len()), (None, 0), "{flags:#x}");
    }
}

#[test]
fn only_the_internet_class_counts() {
    let mut chaos = chain();
    chaos.answers = vec![record(&[0xc0, 12], RecordType::A, 3, &[192, 0, 2, 80])];
    chaos.authority.clear();
    assert_eq!(read(&chaos.octets(RESPONSE)).1.len(), 0);
}

#[test]
fn addresses_and_aliases_of_the_authority_section_are_no_answers() {
    let mut odd = chain();
    odd.authority = std::mem::take(&mut odd.answers);
    assert_eq!(read(&odd.octets(RESPONSE)).1.len(), 0);
}

#[test]
fn an_opt_record_adds_to_the_response_code_where_nothing_is_answered() {
    let rcode = |header: u16, records: &[&[u8]], answers: u16| {
        let mut octets = [0x1234, 0x8000 | header, 1, answers, 0, records.len() as u16 - answers]
            .map(u16::to_be_bytes)
            .concat();
        octets.extend([0, 0, 2, 0, 1]);
        records.iter().for_each(|record| octets.extend(*record));
        let (message, _) = read(&octets);
        (message.rcode(), message.malformed)
    };
    let opt = |code| [0, 0, 41, 4, 208, code, 0, 0, 0, 0, 0];
    let other = [0, 0, 1, 0, 1, 9, 9, 9, 9, 0, 4, 10, 0, 0, 1];
    assert_eq!(rcode(0, &[&opt(0)], 0), (0, None));
    assert_eq!(rcode(3, &[&opt(0)], 0), (3, None));
    assert_eq!(rcode(0, &[&opt(1)], 0), (BADVERS, None));
    assert_eq!(rcode(7, &[&other, &opt(1)], 0), (BADCOOKIE, None));
    // What no registry has, in the header or beside it.
    assert_eq!(
        [rcode(12, &[], 0).0, rcode(2, &[&opt(1)], 0).0, rcode(0, &[&opt(9)], 0).0],
        [RESERVED; 3]
    );
    // Who answers has no need of it, and what is broken here matters to nobody.
    assert_eq!(rcode(0, &[&other, &opt(1)], 1), (0, None));
    assert_eq!(rcode(5, &[&opt(1)[..7]], 0), (5, None));
    let names = [0, BADVERS, BADCOOKIE, RESERVED].map(full::rcode_mnemonic);
    assert_eq!(names, ["NOERROR", "BADVERS", "BADCOOKIE", "RESERVED"]);
    assert!([BADVERS, BADCOOKIE, RESERVED].iter().all(|code| !is_conclusive(*code)));
}

#[test]
fn of_several_questions_the_first_counts() {
    let questions = vec![
        question(&wire("first.example"), RecordType::AAAA),
        question(&[0xc0, 12], RecordType::A),
        question(&wire("third.example"), RecordType::A),
    ];
    let answers = vec![record(&[0xc0, 12], RecordType::A, 1, &[192, 0, 2, 1])];
    let octets = Built { questions, answers, ..Built::default() }.octets(RESPONSE);
    assert_eq!(question_name(&octets), "first.example");
    assert_eq!(read(&octets).1, ["first.example at 192.0.2.1"]);
}

#[test]
fn no_header_is_no_message_and_a_header_alone_is_one() {
    let mut messages = Messages::new();
    let octets = Built::default().octets(RESPONSE);
    for cut in 0..12 {
        assert!(!messages.read(&envelope(), &octets[..cut], true, &HASHER, &mut Unwatched));
    }
    assert!(messages.is_empty());
    assert!(messages.read(&envelope(), &octets, true, &HASHER, &mut Unwatched));
    let message = messages.get(0).unwrap();
    assert!(message.question.is_none() && message.malformed.is_none());
}

#[test]
fn what_stands_before_a_cut_is_kept() {
    let octets = chain().octets(RESPONSE);
    let (_, all) = read(&octets);
    let additional = octets.len() - chain().additional.concat().len();
    for cut in 12..octets.len() {
        let (message, facts) = read(&octets[..cut]);
        assert_eq!(facts, all[..facts.len()], "cut at {cut}");
        let malformed = (cut < additional).then_some(Malformed::CutShort);
        assert_eq!(message.malformed, malformed, "cut at {cut}");
        assert_eq!(message.question.is_some(), cut >= 12 + 21, "cut at {cut}");
        let (message, _) = read_part(&octets[..cut], false);
        let malformed = (cut < additional).then_some(Malformed::CutByCapture);
        assert_eq!(message.malformed, malformed, "cut at {cut}");
    }
}

#[test]
fn a_record_with_bad_data_is_left_out_and_those_behind_it_are_kept() {
    let next = record(&[0xc0, 12], RecordType::A, 1, &[192, 0, 2, 80]);
    let too_long =
        [&wire(&format!("{0}.{0}.{0}", "a".repeat(63)))[..192], &[63; 64], &[0]].concat();
    for (rtype, data, malformed) in [
        (RecordType::A, &[192, 0, 2][..], Malformed::BadData),
        (RecordType::AAAA, &[192, 0, 2, 1], Malformed::BadData),
        // Without its own data, an alias must not take the next record's owner for its target.
        (RecordType::CNAME, &[], Malformed::BadData),
        (RecordType::CNAME, &[1, b'a', 0, 0], Malformed::BadData),
        (RecordType::CNAME, &[3, b'a'], Malformed::BadData),
        (RecordType::NS, &[0x80, 1], Malformed::BadName),
        (RecordType::CNAME, &[0xff, 0xff], Malformed::BadName),
        (RecordType::CNAME, &too_long, Malformed::BadName),
    ] {
        let built = Built {
            questions: vec![question(&wire("www.example.com"), RecordType::A)],
            answers: vec![record(&[0xc0, 12], rtype, 1, data), next.clone()],
            ..Built::default()
        };
        let (message, facts) = read(&built.octets(RESPONSE));
        assert_eq!(facts, ["www.example.com at 192.0.2.80"], "{rtype} {data:?}");
        assert_eq!(message.malformed, Some(malformed), "{rtype} {data:?}");
    }
}

/// An answer about `one.old.example` of DNAME records with these owners and targets, and other records behind them.
fn redirected(names: &[(&[u8], &[u8])], others: &[Vec<u8>]) -> Built {
    let dname = |(owner, target): &(&[u8], &[u8])| record(owner, RecordType::DNAME, 1, target);
    Built {
        questions: vec![question(&wire("one.old.example"), RecordType::A)],
        answers: names.iter().map(dname).chain(others.iter().cloned()).collect(),
        ..Built::default()
    }
}

#[test]
fn a_dname_record_implies_the_alias_that_is_not_written_beside_it() {
    let (old, new, last) = (wire("old.Example"), wire("new.test"), wire("last.test"));
    let address = record(&wire("one.new.test"), RecordType::A, 1, &[192, 0, 2, 1]);
    let alias = |target: &str| record(&[0xc0, 12], RecordType::CNAME, 1, &wire(target));
    let (at, one) = ("one.new.test at 192.0.2.1", "one.old.example is one.new.test for 300");
    let below = "below old.Example is below new.test for 300";
    // The owner as a pointer into the question, and the target as one at the question's `example`.
    let pointers: (&[u8], &[u8]) = (&[0xc0, 16], &[3, b'n', b'e', b'w', 0xc0, 20]);
    for (names, others, facts) in [
        (&[(&old[..], &new[..])][..], vec![address.clone()], vec![at, one, below]),
        (
            &[pointers],
            vec![],
            vec![
                "one.old.example is one.new.example for 300",
                "below old.example is below new.example for 300",
            ],
        ),
        // Where the alias is written, it is not said twice.
        (&[(&old, &new)], vec![alias("one.new.test"), address], vec![one, at, below]),
        // Nor is it believed if the alias leads elsewhere.
        (
            &[(&old, &new)],
            vec![alias("one.other.test")],
            vec!["one.old.example is one.other.test for 300"],
        ),
        (
            &[(&old, &new), (&new, &last)],
            vec![],
            vec![
                one,
                below,
                "one.new.test is one.last.test for 300",
                "below new.test is below last.test for 300",
            ],
        ),
        // From where an alias led, too.
        (
            &[(&new, &last)],
            vec![alias("x.new.test")],
            vec![
                "one.old.example is x.new.test for 300",
                "x.new.test is x.last.test for 300",
                "below new.test is below last.test for 300",
            ],
        ),
        // It says nothing of its own owner, nor of what is not below that.
        (&[(&wire("one.old.example"), &new)], vec![], vec![]),
        (&[(&wire("ld.example"), &new), (&wire("two.old.example"), &new)], vec![], vec![]),
        (&[(&old, &[3, b'n']), (&old, &[0xc0, 0xff])], vec![], vec![]),
    ] {
        let (message, read) = read(&redirected(names, &others).octets(RESPONSE));
        assert_eq!((message.malformed, read), (None, strings(&facts)), "{names:?}");
    }
    // One that leads below itself goes on for as long as resolvers follow, and no longer than a name can be.
    let (_, facts) = read(&redirected(&[(&old, &wire("x.old.example"))], &[]).octets(RESPONSE));
    assert_eq!(facts.len(), 2 * 17);
    let long = wire(&format!("{0}.{0}.{0}.old.example", "x".repeat(63)));
    assert_eq!(read(&redirected(&[(&old, &long)], &[]).octets(RESPONSE)).1.len(), 2);
}

/// The data of an SVCB or HTTPS record: its target in text, and parameters by their keys.
fn service(priority: u16, target: &str, params: &[(u16, &[u8])]) -> Vec<u8> {
    let mut data = [&priority.to_be_bytes(), &wire(target)[..]].concat();
    for (key, value) in params {
        data.extend([*key, value.len() as u16].iter().flat_map(|word| word.to_be_bytes()));
        data.extend(*value);
    }
    data
}

const ALPN: (u16, &[u8]) = (1, b"\x02h2");
const V4: (u16, &[u8]) = (4, &[192, 0, 2, 1, 192, 0, 2, 2]);
const V6: (u16, &[u8]) = (6, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);

/// An answer to an HTTPS question about `www.example.com`, of one record with these data and an address behind it.
fn served(rtype: RecordType, data: &[u8]) -> Built {
    Built {
        questions: vec![question(&wire("www.example.com"), RecordType::HTTPS)],
        answers: vec![
            record(&[0xc0, 12], rtype, 1, data),
            record(&[0xc0, 12], RecordType::A, 1, &[192, 0, 2, 80]),
        ],
        ..Built::default()
    }
}

#[test]
fn a_service_gives_its_target_and_the_addresses_it_hints_at() {
    let (by, at) = ("www.example.com served by svc.example.net", "www.example.com at 192.0.2.80");
    let of_target = ["svc.example.net at 192.0.2.1", "svc.example.net at 192.0.2.2"];
    let target_v6 = "svc.example.net at 2001:db8::9";
    let of_owner = ["www.example.com at 192.0.2.1", "www.example.com at 192.0.2.2"];
    for (data, facts) in [
        (
            service(1, "svc.example.net", &[ALPN, V4, V6]),
            vec![by, of_target[0], of_target[1], target_v6, at],
        ),
        (service(1, ".", &[ALPN, V4]), vec![of_owner[0], of_owner[1], at]),
        (service(1, ".", &[]), vec![at]),
        (service(16, "svc.example.net", &[(7, b"x"), (65_000, b"")]), vec![by, at]),
        (service(1, "svc.example.net", &[(4, &[]), (6, &[])]), vec![by, at]),
        // AliasMode has no parameters, and with `.` no service.
        (service(0, "svc.example.net", &[]), vec![by, at]),
        (service(0, "svc.example.net", &[V4]), vec![by, at]),
        (service(0, "svc.example.net", &[V6, V4]), vec![by, at]),
        (service(0, ".", &[V4]), vec![at]),
    ] {
        for rtype in [RecordType::HTTPS, RecordType::SVCB] {
            let (message, read) = read(&served(rtype, &data).octets(RESPONSE));
            assert_eq!((message.malformed, read), (None, strings(&facts)), "{data:?}");
        }
    }
    // What servers must not write is read all the same, where it is a name.
    let pointer = [&[0, 1, 3][..], b"svc", &[0xc0, 16]].concat();
    let (message, read) = read(&served(RecordType::HTTPS, &pointer).octets(RESPONSE));
    let facts = strings(&["www.example.com served by svc.example.com", at]);
    assert_eq!((message.malformed, read), (None, facts));
}

#[test]
fn a_service_with_bad_data_is_left_out_and_what_is_behind_it_is_kept() {
    use Malformed::{BadData, BadName};
    let long = |name: &[u8]| [&[0, 1], name].concat();
    for (data, malformed) in [
        (vec![], BadData),
        (vec![0], BadData),
        (vec![0, 1], BadData),
        (long(b"\x03svc"), BadData),
        (long(b"\x03svc\0\0"), BadData),
        (long(b"\x03svc\0\0\x01\0"), BadData),
        (long(b"\x03svc\0\0\x01\0\x03\x02h"), BadData),
        (long(b"\x03svc\0\0\x01\xff\xff"), BadData),
        (long(&[0x80, 1]), BadName),
        (long(&[0xff, 0xff]), BadName),
        (service(1, "svc.test", &[V6, V4]), BadData),
        (service(1, "svc.test", &[V4, V4]), BadData),
        (service(1, "svc.test", &[(4, &[192, 0, 2])]), BadData),
        (service(1, "svc.test", &[(6, &V6.1[..15])]), BadData),
    ] {
        for rtype in [RecordType::HTTPS, RecordType::SVCB] {
            let (message, facts) = read(&served(rtype, &data).octets(RESPONSE));
            assert_eq!(facts, ["www.example.com at 192.0.2.80"], "{data:?}");
            assert_eq!(message.malformed, Some(malformed), "{data:?}");
        }
    }
}

#[test]
fn services_count_where_they_are_answers() {
    let mut odd = served(RecordType::HTTPS, &service(1, "svc.test", &[V4]));
    assert_eq!(read(&odd.octets(QUERY)).1.len(), 0);
    odd.authority = std::mem::take(&mut odd.answers);
    assert_eq!(read(&odd.octets(RESPONSE)).1.len(), 0);
    odd.answers = vec![record(&[0xc0, 12], RecordType::HTTPS, 3, &service(1, "svc.test", &[V4]))];
    odd.authority.clear();
    assert_eq!(read(&odd.octets(RESPONSE)).1.len(), 0, "another class");
}

#[test]
fn pointers_lead_back_through_each_other() {
    let built = Built {
        questions: vec![question(&wire("a.b.c.example"), RecordType::A)],
        answers: vec![
            // To `b`; then a label and a pointer to that; then a pointer to the pointer.
            record(&[0xc0, 14], RecordType::A, 1, &[10, 0, 0, 1]),
            record(&[1, b'x', 0xc0, 31], RecordType::A, 1, &[10, 0, 0, 2]),
            record(&[0xc0, 49], RecordType::A, 1, &[10, 0, 0, 3]),
        ],
        ..Built::default()
    };
    let (message, facts) = read(&built.octets(RESPONSE));
    assert_eq!(
        facts,
        ["b.c.example at 10.0.0.1", "x.b.c.example at 10.0.0.2", "b.c.example at 10.0.0.3"]
    );
    assert_eq!(message.malformed, None);
}

#[test]
fn names_beyond_those_remembered_are_read_again() {
    let names: Vec<String> = (0..20).map(|n| format!("host{n}.example")).collect();
    let mut built = Built::default();
    built.questions.push(question(&wire("example"), RecordType::ANY));
    let mut at = built.octets(RESPONSE).len();
    let mut pointers = Vec::new();
    for (n, name) in (0..).zip(&names) {
        pointers.push([0xc0 | (at >> 8) as u8, at as u8]);
        built.answers.push(record(&wire(name), RecordType::A, 1, &[10, 0, 0, n]));
        at += built.answers.last().unwrap().len();
    }
    for pointer in &pointers {
        built.answers.push(record(pointer, RecordType::A, 1, &[10, 0, 1, 0]));
    }
    let (_, facts) = read(&built.octets(RESPONSE));
    let again: Vec<String> = names.iter().map(|name| format!("{name} at 10.0.1.0")).collect();
    assert_eq!(facts[20..], again);
}

#[test]
fn a_name_that_breaks_the_rules_is_no_question() {
    let long = |last: usize| {
        let labels = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(last)];
        labels.iter().flat_map(|l| [&[l.len() as u8], l.as_bytes()].concat()).collect::<Vec<u8>>()
    };
    let longest = [&long(61)[..], &[0]].concat();
    assert_eq!(longest.len(), 255);
    for (name, malformed) in [
        (longest, None),
        ([&long(62)[..], &[0]].concat(), Some(Malformed::BadName)),
        // A pointer to itself, forwards, and to a label before it that leads here again.
        (vec![0xc0, 12], Some(Malformed::BadName)),
        (vec![0xc0, 200], Some(Malformed::BadName)),
        (vec![1, b'a', 0xc0, 12], Some(Malformed::BadName)),
        // Label types that do not exist.
        (vec![0x40, 0], Some(Malformed::BadName)),
        (vec![0x80, 0], Some(Malformed::BadName)),
        // The message ends in a label, or in a pointer.
        (vec![63], Some(Malformed::CutShort)),
    ] {
        let built = Built { questions: vec![question(&name, RecordType::A)], ..Built::default() };
        let (message, _) = read(&built.octets(QUERY));
        assert_eq!(message.malformed, malformed, "{name:?}");
        assert_eq!(message.question.is_some(), malformed.is_none(), "{name:?}");
    }
}

/// Looks out for one ancestor and one address.
struct Watch {
    name: NameHash,
    address: Address,
    /// In which messages the name was found.
    found: Vec<usize>,
}

impl Watch {
    fn for_(name: &str, address: Address) -> Watch {
        Watch { name: HASHER.hash(Name::from_wire(&wire(name))), address, found: Vec::new() }
    }

    /// Reads messages that are alike, and flags them.
    fn read(&mut self, messages: &mut Messages, envelope: &Envelope, octets: &[u8], count: usize) {
        for _ in 0..count {
            assert!(messages.read(envelope, octets, true, &HASHER, self));
        }
        for place in self.found.drain(..) {
            messages.flag(place, octets, &HASHER);
        }
    }
}

impl Watchlist for Watch {
    fn name(&mut self, name: &Ancestors<'_>, message: usize) {
        if name.hash_of_last(&HASHER, 2) == self.name {
            self.found.push(message);
        }
    }
    fn address(&mut self, address: Address) -> bool {
        address == self.address
    }
    fn wants_addresses(&self) -> bool {
        false
    }
}

#[test]
fn the_watch_list_is_asked_about_every_name_and_address() {
    let octets = chain().octets(RESPONSE);
    let flagged = |name: &str, address: [u8; 4]| {
        let mut messages = Messages::new();
        let mut watch = Watch::for_(name, Address::v4(address));
        watch.read(&mut messages, &envelope(), &octets, 1);
        messages.get(0).unwrap().flagged
    };
    let nowhere = [203, 0, 113, 1];
    assert!(flagged("EXAMPLE.com", nowhere), "the question's ancestor");
    assert!(flagged("example.net", nowhere), "the alias's ancestor");
    assert!(!flagged("ample.com", nowhere));
    assert!(!flagged("cdn.example.net", nowhere), "three labels");
    assert!(flagged("x.test", [192, 0, 2, 80]), "an address of the answer");
    assert!(flagged("x.test", [192, 0, 2, 1]), "who sent it");
    assert!(flagged("x.test", [192, 0, 2, 2]), "who gets it");
    assert!(!flagged("x.test", [192, 0, 2, 53]), "the additional section is not read");
}

#[test]
fn the_watch_list_is_asked_about_services_and_their_hints_are_kept_if_they_are_wanted() {
    let octets =
        served(RecordType::HTTPS, &service(1, "svc.example.net", &[V4, V6])).octets(0x8580);
    let facts = |name: &str, address: [u8; 4]| {
        let mut messages = Messages::new();
        let mut watch = Watch::for_(name, Address::v4(address));
        watch.read(&mut messages, &envelope(), &octets, 1);
        let message = messages.get(0).unwrap();
        (message.flagged, messages.facts(message).len())
    };
    let nowhere = [203, 0, 113, 1];
    assert_eq!(facts("x.test", nowhere), (false, 1), "the target alone is kept");
    assert_eq!(facts("example.net", nowhere), (true, 5), "the target's ancestor");
    assert_eq!(facts("x.test", [192, 0, 2, 2]), (true, 5), "a hint");
}

#[test]
fn addresses_nobody_asks_for_are_not_kept() {
    let octets = chain().octets(RESPONSE);
    let nowhere = Address::v4([203, 0, 113, 1]);
    let facts = |octets: &[u8], name: &str, address: Address| {
        let mut messages = Messages::new();
        let mut envelope = envelope();
        envelope.flow.source.address = Address::v4([10, 0, 0, 53]);
        // What comes after it finds its own.
        Watch::for_(name, address).read(&mut messages, &envelope, octets, 2);
        let [first, second] = [0, 1].map(|place| {
            let message = *messages.get(place).unwrap();
            let facts = messages.facts(&message);
            let addresses =
                facts.iter().filter(|fact| matches!(fact, Fact::Address { .. })).count();
            assert_eq!(
                messages.name(message.question.unwrap().name).to_string(),
                "www.Example.com"
            );
            assert_eq!(message.malformed, None);
            (addresses, facts.len() - addresses)
        });
        assert_eq!(first, second);
        first
    };
    assert_eq!(facts(&octets, "x.test", nowhere), (0, 2), "an alias and a delegation");
    assert_eq!(facts(&octets, "example.net", nowhere), (2, 2), "its name is listed");
    let last = Address::v4([0; 4]);
    assert_eq!(facts(&octets, "x.test", last), (2, 2), "the last address is listed");
    let of_a_host = Built {
        answers: vec![record(&[0xc0, 12], RecordType::A, 1, &[10, 0, 0, 9])],
        authority: Vec::new(),
        additional: Vec::new(),
        ..chain()
    };
    assert_eq!(facts(&of_a_host.octets(0x8580), "x.test", nowhere), (1, 0), "it names a host");
    assert_eq!(facts(&of_a_host.octets(RESPONSE), "x.test", nowhere), (0, 0), "hearsay");
}

#[test]
fn messages_share_an_arena_and_keep_their_facts_apart() {
    let mut messages = Messages::new();
    for flags in [RESPONSE, QUERY, RESPONSE] {
        messages.read(&envelope(), &chain().octets(flags), true, &HASHER, &mut Unwatched);
    }
    let counts: Vec<usize> = messages.iter().map(|m| messages.facts(m).len()).collect();
    assert_eq!((counts, messages.len()), (vec![4, 0, 4], 3));
    messages.clear();
    assert!(messages.is_empty() && messages.get(0).is_none());
}

#[test]
fn types_have_their_mnemonic_or_their_number() {
    let shown = [1, 65, 255, 64_000].map(|rtype| RecordType(rtype).to_string());
    assert_eq!(shown, ["A", "HTTPS", "ANY", "TYPE64000"]);
}

#[test]
fn an_arena_gives_back_what_names_made_long_by_pointers_took() {
    let label = [&[63][..], &[b'a'; 63]].concat();
    let longest = [&label.repeat(3)[..], &[61], &[b'a'; 61], &[0]].concat();
    let mut built = Built::default();
    built.questions.push(question(&longest, RecordType::A));
    for n in 0..90 {
        // Each is a name of its own, one label less and another one more.
        let owner = [1, b'a' + n % 26, 0xc0, 12 + 64];
        built.answers.push(record(&owner, RecordType::CNAME, 1, &[1, b'b', 0xc0, 12 + 64]));
    }
    let octets = built.octets(RESPONSE);
    assert!(octets.len() < 2_000);
    let mut messages = Messages::new();
    for _ in 0..1_024 {
        messages.read(&envelope(), &octets, true, &HASHER, &mut Unwatched);
    }
    assert!(messages.octets_held() > 30 << 20, "{}", messages.octets_held());
    messages.clear();
    assert!(messages.octets_held() < 8 << 20, "{}", messages.octets_held());
    // What is usual stays.
    for _ in 0..1_024 {
        messages.read(&envelope(), &chain().octets(RESPONSE), true, &HASHER, &mut Unwatched);
    }
    let held = messages.octets_held();
    messages.clear();
    assert_eq!(messages.octets_held(), held);
}

proptest! {
    #[test]
    fn any_octets_can_be_read(mut octets: Vec<u8>, flip in prop::collection::vec((0usize..200, any::<u8>()), 0..6)) {
        if octets.len() >= 12 {
            octets[2] |= 0x80;
            octets[2] &= 0x87;
        }
        let mut built = chain().octets(RESPONSE);
        for (at, octet) in flip {
            let len = built.len();
            built[at % len] = octet;
        }
        for payload in [&octets, &built] {
            let mut messages = Messages::new();
            if messages.read(&envelope(), payload, true, &HASHER, &mut Unwatched) {
                let (message, facts) = read(payload);
                prop_assert!(facts.len() <= usize::from(message.counts[1]) + usize::from(message.counts[2]));
            }
        }
    }
}
