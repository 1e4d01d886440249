//! The fast reader and hickory-proto agree: on what hickory writes, on that when it is damaged, on noise, and on all
//! messages of the captures. `fuzz/targets/message.rs` holds them to it over any octets.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::op::{Edns, Message as Full, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::svcb::{Alpn, IpHint, SVCB, SvcParamKey, SvcParamValue, Unknown};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, HTTPS, MX, NS, NULL, SOA, TXT};
use hickory_proto::rr::{DNSClass, Name as FullName, RData, Record, RecordType as FullType};
use proptest::prelude::*;
use whoasked::frame::Batch;
use whoasked::packet::{Ports, Reassembly, ReassemblyLimits, Sliced, slice};

use crate::oracle::{agree, fast};
use crate::support::{bundled, files_below, laboratory, shared};

/// Names that share suffixes, so that they are compressed; with mixed case, and labels of any octets.
fn a_name() -> impl Strategy<Value = FullName> {
    let label = prop_oneof![
        4 => "[a-cA-C]{1,2}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 1..12),
        1 => Just(vec![b'x'; 63]),
    ];
    let below = prop::collection::vec(label, 0..3);
    let zone = prop_oneof![
        Just(vec!["example", "com"]),
        Just(vec!["EXAMPLE", "Com"]),
        Just(vec!["cdn", "example", "net"]),
        Just(vec!["in-addr", "arpa"]),
        Just(vec![]),
    ];
    (below, zone).prop_map(|(mut labels, zone)| {
        labels.extend(zone.iter().map(|label| label.as_bytes().to_vec()));
        FullName::from_labels(labels).unwrap()
    })
}

/// Where a service is: in AliasMode one time in four.
fn a_service() -> impl Strategy<Value = SVCB> {
    let v4 = prop::collection::vec(any::<[u8; 4]>(), 1..4).prop_map(|hints| {
        let hints = hints.into_iter().map(|octets| A(octets.into())).collect();
        (SvcParamKey::Ipv4Hint, SvcParamValue::Ipv4Hint(IpHint(hints)))
    });
    let v6 = prop::collection::vec(any::<[u8; 16]>(), 1..3).prop_map(|hints| {
        let hints = hints.into_iter().map(|octets| AAAA(octets.into())).collect();
        (SvcParamKey::Ipv6Hint, SvcParamValue::Ipv6Hint(IpHint(hints)))
    });
    let other = prop::collection::vec(any::<u8>(), 0..9)
        .prop_map(|octets| (SvcParamKey::Unknown(7), SvcParamValue::Unknown(Unknown(octets))));
    let alpn = SvcParamValue::Alpn(Alpn(vec!["h2".to_owned(), "h3".to_owned()]));
    let alpn = Just((SvcParamKey::Alpn, alpn));
    let some = |param: BoxedStrategy<_>| prop::option::of(param);
    let params = (some(alpn.boxed()), some(v4.boxed()), some(v6.boxed()), some(other.boxed()));
    (0u16..4, a_name(), params).prop_map(|(priority, target, (alpn, v4, v6, other))| {
        SVCB::new(priority, target, [alpn, v4, v6, other].into_iter().flatten().collect())
    })
}

/// What hickory writes of a DNAME record, which it does not know.
fn dname(target: &FullName) -> RData {
    let labels = target.iter().flat_map(|label| [&[label.len() as u8], label].concat());
    let rdata = NULL::with(labels.chain([0]).collect());
    RData::Unknown { code: FullType::Unknown(39), rdata }
}

fn a_record() -> impl Strategy<Value = Record> {
    let data = prop_oneof![
        3 => a_name().prop_map(|name| RData::CNAME(CNAME(name))),
        3 => any::<[u8; 4]>().prop_map(|octets| RData::A(A(Ipv4Addr::from(octets)))),
        2 => any::<[u8; 16]>().prop_map(|octets| RData::AAAA(AAAA(Ipv6Addr::from(octets)))),
        2 => a_name().prop_map(|name| RData::NS(NS(name))),
        2 => a_service().prop_map(|service| RData::HTTPS(HTTPS(service))),
        1 => a_service().prop_map(RData::SVCB),
        1 => (a_name(), a_name()).prop_map(|(one, other)| RData::SOA(SOA::new(one, other, 1, 2, 3, 4, 5))),
        1 => a_name().prop_map(|name| RData::MX(MX::new(10, name))),
        2 => a_name().prop_map(|name| dname(&name)),
        1 => "[ -~]{0,40}".prop_map(|text| RData::TXT(TXT::new(vec![text]))),
    ];
    let class = prop_oneof![9 => Just(DNSClass::IN), 1 => Just(DNSClass::CH)];
    (a_name(), any::<u32>(), data, class).prop_map(|(name, ttl, data, class)| {
        let mut record = Record::from_rdata(name, ttl, data);
        record.dns_class = class;
        record
    })
}

/// A chain of aliases from the question to addresses, as resolvers send it.
fn a_chain() -> impl Strategy<Value = (Query, Vec<Record>)> {
    (prop::collection::vec(a_name(), 1..6), prop::collection::vec(any::<[u8; 4]>(), 0..4)).prop_map(
        |(names, addresses)| {
            let mut question = Query::new();
            question.name = names[0].clone();
            question.query_type = FullType::A;
            let aliases = names.windows(2).map(|pair| {
                Record::from_rdata(pair[0].clone(), 60, RData::CNAME(CNAME(pair[1].clone())))
            });
            let last = names.last().unwrap();
            let addresses = addresses
                .iter()
                .map(|octets| Record::from_rdata(last.clone(), 60, RData::A(A((*octets).into()))));
            (question, aliases.chain(addresses).collect())
        },
    )
}

/// A message as hickory writes it.
fn a_message() -> impl Strategy<Value = Vec<u8>> {
    let records = || prop::collection::vec(a_record(), 0..6);
    let parts = (a_chain(), records(), records(), records());
    let header =
        (any::<u16>(), prop::bool::weighted(0.8), prop::bool::weighted(0.9), any::<bool>());
    (header, parts).prop_map(
        |((id, response, standard, edns), (chain, more, authority, additional))| {
            let message_type = if response { MessageType::Response } else { MessageType::Query };
            let op_code = if standard { OpCode::Query } else { OpCode::Notify };
            let mut message = Full::new(id, message_type, op_code);
            message.queries.push(chain.0);
            message.answers = chain.1.into_iter().chain(more).collect();
            message.authorities = authority;
            message.additionals = additional;
            message.edns = edns.then(|| {
                let mut edns = Edns::new();
                edns.set_max_payload(1232).set_dnssec_ok(true);
                edns
            });
            message.to_vec().unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn agrees_with_hickory_on_what_it_writes(payload in a_message()) {
        prop_assert!(agree(&payload).map_err(TestCaseError::fail)?, "hickory reads what it wrote");
    }

    #[test]
    fn agrees_with_hickory_on_damaged_messages(
        payload in a_message(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut payload = payload;
        for (at, bit) in flips {
            let at = at.index(payload.len());
            payload[at] ^= 1 << bit;
        }
        payload.truncate(cut.map_or(payload.len(), |cut| cut.index(payload.len())));
        agree(&payload).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn agrees_with_hickory_on_noise(mut payload in prop::collection::vec(any::<u8>(), 12..80)) {
        // Counts that can be met, and a standard response.
        payload[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 1, 0, 0]);
        agree(&payload).map_err(TestCaseError::fail)?;
    }
}

/// All DNS payloads of a capture.
fn payloads(path: &std::path::Path) -> Vec<Vec<u8>> {
    let Ok(mut reader) = whoasked::capture::Reader::open(&[path.to_owned()]) else {
        return Vec::new();
    };
    let ports = Ports::default();
    let mut reassembly = Reassembly::new(ReassemblyLimits::default(), ports.clone());
    let (mut batch, mut payloads) = (Batch::new(), Vec::new());
    while reader.fill(&mut batch) {
        for frame in batch.frames() {
            match slice(&frame, &ports) {
                Sliced::Datagram { payload, .. } => payloads.push(payload.to_vec()),
                Sliced::Held => {
                    reassembly.push(&frame, &mut |_, payload, _| payloads.push(payload.to_vec()))
                }
                Sliced::Elsewhere { .. } | Sliced::Other(_) => {}
            }
        }
    }
    reassembly.finish(&mut |_, payload, _| payloads.push(payload.to_vec()));
    payloads
}

#[test]
fn agrees_with_hickory_on_captures() {
    let mut paths: Vec<_> = bundled().into_iter().map(|labelled| labelled.path).collect();
    paths.extend(laboratory(&["s03-iterate-qmin-1", "s10-", "s11-"]).into_iter().map(|l| l.path));
    paths.extend(shared("wire-corpus/files").iter().flat_map(|root| files_below(root)));
    let (mut both, mut ours_only, mut neither) = (0, 0, 0);
    for path in &paths {
        for payload in payloads(path) {
            match agree(&payload) {
                Ok(true) => both += 1,
                Ok(false) if fast(&payload).1 => ours_only += 1,
                Ok(false) => neither += 1,
                Err(error) => panic!("{}: {error}", path.display()),
            }
        }
    }
    println!(
        "{} captures: both accept {both}, only we {ours_only}, neither {neither}",
        paths.len()
    );
    assert!(both > 0 && both > 20 * (ours_only + neither));
}
