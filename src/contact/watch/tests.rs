//! Who connected to what it was given, and of whom that cannot be said.

use std::net::IpAddr;

use super::super::tls::tests::client_hello;
use super::*;
use crate::flow::Flow;
use crate::message::Unwatched;
use crate::name::NameHasher;
use crate::packet::{Asides, Elsewhere, Envelope};
use proptest::prelude::*;

const CLIENT: &str = "192.168.2.42";
const EVIL: &str = "203.0.113.67";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn envelope(seconds: f64, transport: Transport, from: (&str, u16), to: (&str, u16)) -> Envelope {
    let end = |(text, port)| Endpoint { address: address(text), port };
    Envelope::of(
        FrameId::new(0, (seconds * 10.0) as u64 + 1),
        Timestamp((seconds * 1e9) as i64),
        Flow { source: end(from), destination: end(to), transport },
    )
}

/// A watch that is told packets.
#[derive(Default)]
struct Told(Watch);

impl Told {
    /// An answer to the client, with these addresses.
    fn answer(&mut self, seconds: f64, ttl: u8, addresses: &[&str]) -> FrameId {
        let mut payload = vec![0, 1, 0x81, 0x80, 0, 1, 0, addresses.len() as u8, 0, 0, 0, 0];
        payload.extend(b"\x02mi\x08kenal-cn\x03com\0\0\x01\0\x01");
        for text in addresses {
            let octets = match text.parse().unwrap() {
                IpAddr::V4(v4) => v4.octets().to_vec(),
                IpAddr::V6(v6) => v6.octets().to_vec(),
            };
            let rtype = if octets.len() == 4 { 1 } else { 28 };
            payload.extend([0xc0, 12, 0, rtype, 0, 1, 0, 0, 0, ttl, 0, octets.len() as u8]);
            payload.extend(octets);
        }
        let envelope = envelope(seconds, Transport::Udp, ("192.168.2.1", 53), (CLIENT, 50_000));
        let mut messages = Messages::new();
        assert!(messages.read(&envelope, &payload, true, &NameHasher::new([1, 2]), &mut Unwatched));
        self.0.message(&messages, messages.get(0).unwrap());
        envelope.frame
    }

    fn packet(&mut self, envelope: &Envelope, tcp_flags: u8, payload: &[u8]) {
        let mut asides = Asides::default();
        asides.take(envelope, &Elsewhere { payload, tcp_flags }, (0, 0), 0);
        for aside in asides.iter() {
            self.0.aside(aside, asides.payload(aside));
        }
    }

    fn tcp(&mut self, seconds: f64, to: &str, tcp_flags: u8, payload: &[u8]) {
        let there = envelope(seconds, Transport::Tcp, (CLIENT, 40_000), (to, 443));
        self.packet(&there, tcp_flags, payload);
    }

    fn contact(&self, answer: FrameId) -> Contact {
        self.0.contact(address(CLIENT), answer)
    }

    fn connection(&self, answer: FrameId) -> Connection {
        match self.contact(answer) {
            Contact::Yes(connection) => connection,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_connection_is_seen_with_its_answer_and_its_server_name() {
    let mut told = Told::default();
    let answer = told.answer(1.0, 60, &[EVIL]);
    assert_eq!(told.contact(answer), Contact::NotVisible);
    told.tcp(2.0, EVIL, 0x02, b"");
    let connection = told.connection(answer);
    assert_eq!((connection.port, connection.answered), (443, false));
    assert_eq!(connection.time, Timestamp(2_000_000_000));
    let back = envelope(2.1, Transport::Tcp, (EVIL, 443), (CLIENT, 40_000));
    told.packet(&back, 0x12, b"");
    assert!(told.connection(answer).answered);
    told.tcp(2.2, EVIL, 0x18, &client_hello(b"mi.kenal-cn.com"));
    let connection = told.connection(answer);
    assert_eq!(connection.server_name.as_deref(), Some("mi.kenal-cn.com"));
    assert_eq!(connection.frame, FrameId::new(0, 21), "the SYN stays the first packet");
    assert_eq!(told.0.contact(address("192.168.2.43"), answer), Contact::NotVisible);
}

#[test]
fn a_connection_in_the_name_of_another_site_is_none_to_this_one() {
    let mut told = Told::default();
    let answer = told.answer(1.0, 60, &[EVIL]);
    told.tcp(2.0, EVIL, 0x02, b"");
    told.tcp(2.1, EVIL, 0x18, &client_hello(b"www.good.com"));
    assert!(matches!(told.contact(answer), Contact::Elsewhere(_)));
    // Nor is the next, but that which follows may be.
    let there = |seconds, port| envelope(seconds, Transport::Tcp, (CLIENT, port), (EVIL, 443));
    told.packet(&there(3.0, 40_001), 0x02, b"");
    told.packet(&there(3.1, 40_001), 0x18, &client_hello(b"static.good.com"));
    assert!(matches!(told.contact(answer), Contact::Elsewhere(_)));
    told.packet(&there(4.0, 40_002), 0x02, b"");
    told.packet(&there(4.1, 40_002), 0x18, &client_hello(b"cdn.Kenal-CN.com"));
    assert_eq!(told.connection(answer).time, Timestamp(4_000_000_000));
    let mut hidden = Told::default();
    let of_hidden = hidden.answer(1.0, 60, &[EVIL]);
    hidden.tcp(2.0, EVIL, 0x18, &client_hello(b"cloudflare-ech.com"));
    assert!(matches!(hidden.contact(of_hidden), Contact::Yes(_)), "it may be any");
    told.packet(&there(5.0, 40_003), 0x18, &client_hello(b"www.good.com"));
    assert_eq!(told.connection(answer).time, Timestamp(4_000_000_000));
}

#[test]
fn another_connections_answer_is_not_taken_for_it() {
    let mut told = Told::default();
    let answer = told.answer(1.0, 60, &[EVIL]);
    told.tcp(2.0, EVIL, 0x02, b"");
    for (port, from) in [(40_001, 443), (40_000, 80)] {
        let back = envelope(2.1, Transport::Tcp, (EVIL, from), (CLIENT, port));
        told.packet(&back, 0x12, b"");
    }
    assert!(!told.connection(answer).answered);
    let refused = envelope(2.1, Transport::Tcp, (EVIL, 443), (CLIENT, 40_000));
    told.packet(&refused, 0x14, b"");
    assert!(!told.connection(answer).answered, "reset, not accepted");
}

#[test]
fn quic_is_a_datagram_there_and_one_back() {
    let mut told = Told::default();
    let answer = told.answer(1.0, 60, &["203.0.113.66", EVIL]);
    let there = envelope(2.0, Transport::Udp, (CLIENT, 40_000), (EVIL, 443));
    told.packet(&there, 0, &[0xc0; 1200]);
    assert_eq!(told.connection(answer).transport, Transport::Udp);
    let back = envelope(2.1, Transport::Udp, (EVIL, 443), (CLIENT, 40_000));
    told.packet(&back, 0, &[0xc0; 1200]);
    assert!(told.connection(answer).answered);
}

#[test]
fn no_is_said_only_of_a_client_whose_other_traffic_is_seen() {
    let mut told = Told::default();
    let answer = told.answer(100.0, 200, &[EVIL]);
    told.tcp(101.0, "192.168.2.1", 0x02, b"");
    assert_eq!(told.contact(answer), Contact::NotVisible, "to the server only");
    told.tcp(102.0, "198.51.100.7", 0x02, b"");
    assert_eq!(told.contact(answer), Contact::No);
    told.tcp(99.0, EVIL, 0x02, b"");
    assert_eq!(told.contact(answer), Contact::No, "before the answer");
    told.tcp(301.0, EVIL, 0x02, b"");
    assert_eq!(told.contact(answer), Contact::No, "after its time");
    told.tcp(299.0, EVIL, 0x02, b"");
    assert!(matches!(told.contact(answer), Contact::Yes(_)));
}

#[test]
fn a_client_with_addresses_of_both_families_may_have_connected_from_the_other() {
    let mut told = Told::default();
    let v4 = told.answer(1.0, 60, &[EVIL]);
    let v6 = told.answer(1.1, 60, &["2001:db8::67"]);
    told.tcp(2.0, "198.51.100.7", 0x02, b"");
    assert_eq!(told.contact(v4), Contact::NotVisible);
    assert_eq!(told.contact(v6), Contact::NotVisible);
}

#[test]
fn every_answer_that_still_holds_led_there() {
    let mut told = Told::default();
    let answers: Vec<FrameId> =
        [0.0, 30.0, 200.0].iter().map(|seconds| told.answer(*seconds, 60, &[EVIL])).collect();
    told.tcp(50.0, EVIL, 0x02, b"");
    assert!(matches!(told.contact(answers[0]), Contact::Yes(_)));
    assert!(matches!(told.contact(answers[1]), Contact::Yes(_)));
    assert_eq!(told.contact(answers[2]), Contact::No);
}

#[test]
fn at_the_limit_the_oldest_answers_are_given_up() {
    let mut told = Told(Watch::new(2));
    let answers: Vec<FrameId> =
        [1.0, 2.0, 3.0].iter().map(|seconds| told.answer(*seconds, 60, &[EVIL])).collect();
    told.tcp(4.0, EVIL, 0x02, b"");
    assert_eq!(told.contact(answers[0]), Contact::NotVisible);
    assert!(matches!(told.contact(answers[1]), Contact::Yes(_)));
    assert_eq!(told.0.given_up(), 1);
    assert_eq!(told.0.by_address.len(), 1);
}

proptest! {
    #[test]
    fn memory_stays_within_the_limits(
        steps in prop::collection::vec((0u8..4, 0u8..6, 0u8..40), 0..200),
    ) {
        let mut told = Told(Watch::new(5));
        for (place, (what, host, ttl)) in steps.into_iter().enumerate() {
            let (seconds, to) = (place as f64, format!("203.0.113.{host}"));
            match what {
                0 | 1 => {
                    told.answer(seconds, ttl, &[&to, "203.0.113.99"]);
                }
                2 => told.tcp(seconds, &to, 0x02, b""),
                _ => told.tcp(seconds, &to, 0x18, &client_hello(&[host; 3])),
            }
            prop_assert!(told.0.answers.len() <= 5 && told.0.order.len() <= 5);
            prop_assert!(told.0.by_address.len() <= 10);
        }
    }
}
