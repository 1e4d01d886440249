//! What is believed of names, from packets of all the protocols.

use super::dhcp::tests::{MAC, message as dhcp};
use super::dns::tests::{message as dns, record, wire};
use super::kerberos::tests::as_req;
use super::netbios::tests::registration;
use super::*;
use crate::flow::{Address, Endpoint, Flow, Mac, Transport};
use crate::packet::{AsideKind, Asides, Envelope};
use crate::time::Span;
use proptest::prelude::*;

const NONE: [u8; 4] = [0; 4];
const OWN: [u8; 4] = [192, 168, 2, 42];
const OTHER: [u8; 6] = [0x00, 0x1b, 0x21, 0x3c, 0x00, 0x77];

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn at(hours: f64) -> Timestamp {
    Timestamp((hours * 3600.0) as i64 * 1_000_000_000)
}

/// A registry that is told packets.
struct Told(Registry);

impl Told {
    fn new() -> Told {
        Told(Registry::new(Inventory::default()))
    }

    fn packet(&mut self, hours: f64, source: &str, kind: AsideKind, payload: &[u8]) -> &mut Told {
        let end = |text| Endpoint { address: address(text), port: 7 };
        let envelope = Envelope::of(
            FrameId::new(0, (hours * 60.0) as u64 + 1),
            at(hours),
            Flow {
                source: end(source),
                destination: end("192.168.2.255"),
                transport: Transport::Udp,
            },
        );
        let mut asides = Asides::default();
        asides.push(&envelope, kind, payload, 0, 0);
        let aside = asides.iter().next().unwrap();
        self.0.aside(aside, asides.payload(aside));
        self
    }

    /// A lease of 192.168.2.42 for an hour, from request to acknowledgement.
    fn lease(&mut self, hours: f64, mac: [u8; 6], name: &[u8]) -> &mut Told {
        let server: (u8, &[u8]) = (54, &[192, 168, 2, 1]);
        let request = dhcp(1, mac, (NONE, NONE), &[(53, &[3]), (50, &OWN), server, (12, name)]);
        let ack = dhcp(2, mac, (NONE, OWN), &[(53, &[5]), (51, &[0, 0, 0x0e, 0x10])]);
        self.packet(hours, "0.0.0.0", AsideKind::Dhcp, &request);
        self.packet(hours, "192.168.2.1", AsideKind::Dhcp, &ack)
    }

    fn renew(&mut self, hours: f64, mac: [u8; 6], name: &[u8]) -> &mut Told {
        let request = dhcp(1, mac, (OWN, NONE), &[(53, &[3]), (12, name)]);
        let ack = dhcp(2, mac, (OWN, OWN), &[(53, &[5]), (51, &[0, 0, 0x0e, 0x10])]);
        self.packet(hours, "192.168.2.42", AsideKind::Dhcp, &request);
        self.packet(hours, "192.168.2.1", AsideKind::Dhcp, &ack)
    }

    fn says(&self, hours: f64) -> Option<(String, &'static str)> {
        let hostname = self.0.hostname(address("192.168.2.42"), None, at(hours))?;
        Some((hostname.name, hostname.source.as_str()))
    }
}

fn said(name: &str, source: &'static str) -> Option<(String, &'static str)> {
    Some((name.to_owned(), source))
}

fn mdns(name: &str, octets: [u8; 4]) -> Vec<u8> {
    dns(0x8400, [&[], &[record(name, 1, 0x8001, 120, &octets)], &[], &[]])
}

#[test]
fn an_address_that_changed_hands_is_told_apart_by_time() {
    let mut told = Told::new();
    told.lease(8.0, MAC, b"KEVIN-PC").renew(8.5, MAC, b"KEVIN-PC");
    told.lease(11.0, OTHER, b"GUEST-7");
    assert_eq!(told.says(7.9), None, "nobody is known to have had it before");
    assert_eq!(told.says(8.2), said("KEVIN-PC", "dhcp"));
    assert_eq!(told.says(9.4), said("KEVIN-PC", "dhcp"), "renewed until half past nine");
    assert_eq!(told.says(9.6), None, "the lease has run out, and the next is another's");
    assert_eq!(told.says(11.5), said("GUEST-7", "dhcp"));
}

#[test]
fn a_release_and_another_holder_end_what_the_first_said_of_itself() {
    let mut told = Told::new();
    told.lease(8.0, MAC, b"").packet(
        8.1,
        "192.168.2.42",
        AsideKind::Kerberos,
        &as_req("KEVIN-PC$"),
    );
    assert_eq!(told.says(8.2), said("KEVIN-PC", "kerberos"), "a lease without a name");
    let release = dhcp(1, MAC, (OWN, NONE), &[(53, &[7])]);
    told.packet(8.5, "192.168.2.42", AsideKind::Dhcp, &release);
    assert_eq!(told.says(8.4), said("KEVIN-PC", "kerberos"));
    assert_eq!(told.says(8.6), None);
    told.lease(9.0, OTHER, b"GUEST-7");
    assert_eq!(told.says(9.1), said("GUEST-7", "dhcp"));
}

#[test]
fn a_capture_that_begins_in_the_middle_of_a_lease_names_by_what_comes_later() {
    let mut told = Told::new();
    told.renew(8.5, MAC, b"KEVIN-PC");
    assert_eq!(told.says(8.0), said("KEVIN-PC", "dhcp"));
    assert_eq!(told.says(7.0), None, "longer ago than a lease");
    let mut told = Told::new();
    told.packet(9.0, "192.168.2.42", AsideKind::Mdns, &mdns("kevin.local", OWN));
    assert_eq!(told.says(8.0), said("kevin.local", "mdns"));
    let mut told = Told::new();
    told.lease(8.5, MAC, b"KEVIN-PC");
    told.packet(9.0, "192.168.2.42", AsideKind::Mdns, &mdns("kevin.local", OWN));
    assert_eq!(told.says(8.0), None, "a new lease lies between");
}

#[test]
fn a_request_takes_no_address_away_until_the_server_agrees() {
    let mut told = Told::new();
    told.lease(8.0, MAC, b"KEVIN-PC");
    let wants = dhcp(1, OTHER, (NONE, NONE), &[(53, &[3]), (50, &OWN), (12, b"FROM-HOME")]);
    told.packet(8.2, "0.0.0.0", AsideKind::Dhcp, &wants);
    assert_eq!(told.says(8.3), said("KEVIN-PC", "dhcp"));
    let nak = dhcp(2, OTHER, (NONE, NONE), &[(53, &[6])]);
    told.packet(8.2, "192.168.2.1", AsideKind::Dhcp, &nak);
    assert_eq!(told.says(8.3), said("KEVIN-PC", "dhcp"));
}

#[test]
fn sources_are_ranked() {
    let mut told = Told::new();
    let from = "192.168.2.42";
    let pointer = record("42.2.168.192.in-addr.arpa", 12, 1, 1200, &wire("old-name.corp.example"));
    let pointers = dns(0x8580, [&[], &[pointer], &[], &[]]);
    told.packet(8.0, "192.168.2.1", AsideKind::Dns, &pointers);
    assert_eq!(told.says(8.0), said("old-name.corp.example", "dns-ptr"));
    told.packet(8.1, from, AsideKind::Llmnr, &mdns("kevin", OWN));
    assert_eq!(told.says(8.2), said("kevin", "llmnr"));
    told.packet(8.1, from, AsideKind::Mdns, &mdns("kevin.local", OWN));
    assert_eq!(told.says(8.2), said("kevin.local", "mdns"));
    told.packet(8.1, from, AsideKind::NetbiosName, &registration("KEVIN", 0, 0, OWN, 5));
    assert_eq!(told.says(8.2), said("KEVIN", "nbns"));
    told.packet(8.1, from, AsideKind::Kerberos, &as_req("KEVIN$"));
    assert_eq!(told.says(8.2), said("KEVIN", "kerberos"));
    let update = record("kevin.corp.example", 1, 1, 1200, &OWN);
    told.packet(8.1, from, AsideKind::Dns, &dns(0x2800, [&[], &[], &[update], &[]]));
    assert_eq!(told.says(8.2), said("kevin.corp.example", "dns-update"));
    told.lease(8.15, MAC, b"KEVIN-PC");
    assert_eq!(told.says(8.2), said("KEVIN-PC", "dhcp"));
    assert_eq!(told.says(8.12), said("kevin.corp.example", "dns-update"), "before the lease");
}

#[test]
fn names_that_are_withdrawn_hold_no_longer() {
    let mut told = Told::new();
    let from = "192.168.2.42";
    told.packet(8.0, from, AsideKind::Mdns, &mdns("kevin.local", OWN));
    let goodbye = dns(0x8400, [&[], &[record("kevin.local", 1, 0x8001, 0, &OWN)], &[], &[]]);
    told.packet(9.0, from, AsideKind::Mdns, &goodbye);
    assert_eq!(told.says(8.5), said("kevin.local", "mdns"));
    assert_eq!(told.says(9.5), None);
    told.packet(10.0, from, AsideKind::NetbiosName, &registration("KEVIN", 0, 0, OWN, 5));
    told.packet(11.0, from, AsideKind::NetbiosName, &registration("KEVIN", 0, 0, OWN, 6));
    assert_eq!(told.says(10.5), said("KEVIN", "nbns"));
    assert_eq!(told.says(11.5), None);
}

#[test]
fn a_flood_of_one_source_leaves_the_others_alone() {
    let mut told = Told::new();
    told.lease(8.0, MAC, b"KEVIN-PC");
    for n in 0..70_000u32 {
        let [_, a, b, c] = n.to_be_bytes();
        let source = format!("10.{a}.{b}.{c}");
        let reply = mdns("evil.local", [10, a, b, c]);
        told.packet(8.1, &source, AsideKind::Mdns, &reply);
    }
    told.packet(8.2, "192.168.2.99", AsideKind::Mdns, &mdns("liar.local", OWN));
    assert_eq!(told.says(8.3), said("KEVIN-PC", "dhcp"));
    assert!(told.0.forgotten() > 0);
}

#[test]
fn nobody_outside_is_named_and_nobody_names_others() {
    let mut told = Told::new();
    told.packet(8.0, "203.0.113.9", AsideKind::Mdns, &mdns("x.local", [203, 0, 113, 9]));
    assert_eq!(told.0.hostname(address("203.0.113.9"), None, at(8.0)), None);
    told.packet(8.0, "192.168.2.66", AsideKind::Mdns, &mdns("x.local", OWN));
    told.packet(8.0, "192.168.2.66", AsideKind::NetbiosName, &registration("X", 0, 0, OWN, 5));
    assert_eq!(told.says(8.0), None);
}

#[test]
fn the_ipv6_address_of_a_leased_host_has_its_name() {
    let mut told = Told::new();
    told.lease(8.0, MAC, b"KEVIN-PC");
    let name = |mac| {
        let hostname = told.0.hostname(address("fd00::42"), mac, at(8.5))?;
        Some(hostname.name)
    };
    assert_eq!(name(Some(Mac(MAC))).as_deref(), Some("KEVIN-PC"));
    assert_eq!(name(Some(Mac(OTHER))), None);
    assert_eq!(name(None), None);
}

#[test]
fn the_inventory_goes_first() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "mac,hostname\n00:1b:21:3c:00:1c,kevins-laptop\n").unwrap();
    let (inventory, _) = Inventory::load(&[file.path().to_owned()]).unwrap();
    let mut told = Told(Registry::new(inventory));
    told.lease(8.0, MAC, b"KEVIN-PC").lease(11.0, OTHER, b"GUEST-7");
    assert_eq!(told.says(8.5), said("kevins-laptop", "inventory"), "by the lease's MAC");
    assert_eq!(told.says(11.5), said("GUEST-7", "dhcp"));
}

proptest! {
    #[test]
    fn any_packets_in_any_order_are_taken(
        packets in prop::collection::vec((0u8..8, 0u8..4, any::<Vec<u8>>(), -40i32..40), 0..40),
    ) {
        let kinds = [
            AsideKind::Dhcp, AsideKind::NetbiosName, AsideKind::NetbiosDatagram, AsideKind::Llmnr,
            AsideKind::Mdns, AsideKind::Kerberos, AsideKind::Dns, AsideKind::Datagram,
        ];
        let (mut told, mut told_in_order) = (Told::new(), Told::new());
        let mut in_order = packets.clone();
        in_order.sort_by_key(|(.., hours)| *hours);
        for (told, packets) in [(&mut told, &packets), (&mut told_in_order, &in_order)] {
            for (kind, host, payload, hours) in packets {
                let mac = [0, 0, 0, 0, 0, host + 1];
                let whole = dhcp(1 + host % 2, mac, (OWN, OWN), &[(53, &[host + 1]), (12, b"PC")]);
                let payload = if *kind == 0 { &whole } else { payload };
                let source = format!("192.168.2.{host}");
                told.packet(f64::from(*hours), &source, kinds[usize::from(*kind)], payload);
            }
        }
        for hours in -50..50 {
            let now = at(f64::from(hours));
            let name = |told: &Told| told.0.hostname(address("192.168.2.42"), None, now);
            prop_assert!(name(&told).is_none_or(|name| !name.name.is_empty()));
            if let Some(name) = name(&told_in_order) {
                prop_assert!(name.time.unwrap() - now <= Span::from_secs(24 * 3600));
            }
        }
    }
}
