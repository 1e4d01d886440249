//! DHCP messages (RFC 2131): who asked for an address, by which name, and got which for how long.

use std::net::Ipv4Addr;

use dhcproto::v4::borrowed::Message;
use dhcproto::v4::{HType, MessageType, OptionCode};

use super::written;
use crate::flow::{Address, Mac};
use crate::name::Name;
use crate::time::Span;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The client looks for a server.
    Discover,
    /// The client wants an address that it was offered.
    Select,
    /// The client wants to keep the address that it has, or had before it was switched off.
    Keep,
    /// The client has an address from elsewhere and tells so.
    Inform,
    /// The client gives its address back.
    Release,
    /// The client found its address in use by another.
    Decline,
    /// The server leases.
    Acknowledge,
    /// The server refuses.
    Refuse,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DhcpClaim {
    /// What it is for.
    pub kind: Kind,
    /// The client's link-layer address.
    pub mac: Mac,
    /// The address it is about.
    pub address: Option<Address>,
    /// What the client calls itself, or the server calls it: option 81 (RFC 4702), else 12.
    pub name: Option<String>,
    /// How long the lease is.
    pub lease: Option<Span>,
}

/// Reads a message; `None` of what is broken, or of no consequence.
pub(super) fn read(payload: &[u8]) -> Option<DhcpClaim> {
    let message = Message::new(payload).ok()?;
    // Only Ethernet's addresses are told apart here; a longer length would reach beyond its field.
    if message.htype() != HType::Eth || message.hlen() != 6 {
        return None;
    }
    let mac = Mac(<[u8; 6]>::try_from(message.chaddr()).ok()?);
    let (mut kind, mut requested, mut lease, mut chosen) = (None, None, None, false);
    let (mut short, mut full) = (None, None);
    for option in message.opts() {
        let data = option.data();
        match option.code() {
            OptionCode::MessageType => kind = data.first().map(|kind| MessageType::from(*kind)),
            OptionCode::RequestedIpAddress => requested = <[u8; 4]>::try_from(data).ok(),
            OptionCode::AddressLeaseTime => lease = <[u8; 4]>::try_from(data).ok(),
            OptionCode::ServerIdentifier => chosen = true,
            OptionCode::Hostname => short = written::from_octets(data),
            OptionCode::ClientFQDN => full = domain_name(data),
            _ => {}
        }
    }
    let held = assigned(message.ciaddr());
    let requested = requested.map(Address::v4).or(held);
    let (kind, address) = match kind? {
        MessageType::Discover => (Kind::Discover, None),
        MessageType::Request if chosen && held.is_none() => (Kind::Select, requested),
        MessageType::Request => (Kind::Keep, requested),
        MessageType::Inform => (Kind::Inform, held),
        MessageType::Release => (Kind::Release, held),
        MessageType::Decline => (Kind::Decline, requested),
        MessageType::Ack => (Kind::Acknowledge, assigned(message.yiaddr())),
        MessageType::Nak => (Kind::Refuse, None),
        _ => return None,
    };
    let lease = lease.map(|octets| Span::from_secs(i64::from(u32::from_be_bytes(octets))));
    Some(DhcpClaim { kind, mac, address, name: full.or(short), lease })
}

/// An address field, unless it is empty.
fn assigned(address: Ipv4Addr) -> Option<Address> {
    (!address.is_unspecified()).then(|| address.into())
}

/// The name of option 81: flags, two obsolete response codes, and the name, in wire form if the flag E
/// says so (RFC 4702 section 2.3.1), else as text.
fn domain_name(data: &[u8]) -> Option<String> {
    let (&[flags, _, _], name) = data.split_first_chunk::<3>()?;
    if flags & 0x04 == 0 {
        return written::from_octets(name);
    }
    // A partial name has no empty label at its end.
    let wire = Name::from_wire(name);
    let walked: usize = wire.labels().map(|label| label.len() + 1).sum();
    let is_whole = name.len() <= 255 && (walked == name.len() || walked + 1 == name.len());
    written::from_wire(name).filter(|_| is_whole)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub const MAC: [u8; 6] = [0x00, 0x1b, 0x21, 0x3c, 0x00, 0x1c];

    /// A message: 1 from the client or 2 from the server, addresses, options.
    pub fn message(
        op: u8,
        mac: [u8; 6],
        (ciaddr, yiaddr): ([u8; 4], [u8; 4]),
        options: &[(u8, &[u8])],
    ) -> Vec<u8> {
        let mut out = vec![op, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0, 0];
        out.extend([ciaddr, yiaddr, [0; 4], [0; 4]].concat());
        out.extend(mac);
        out.resize(236, 0);
        out.extend([0x63, 0x82, 0x53, 0x63]);
        for (code, data) in options {
            out.extend([*code, data.len() as u8]);
            out.extend(*data);
        }
        out.push(255);
        out
    }

    const NONE: [u8; 4] = [0; 4];
    const OWN: [u8; 4] = [192, 168, 2, 42];

    #[test]
    fn a_client_and_its_server_are_understood() {
        let request = message(
            1,
            MAC,
            (NONE, NONE),
            &[(53, &[3]), (50, &OWN), (54, &[192, 168, 2, 1]), (12, b"KEVIN-PC")],
        );
        let said = read(&request).unwrap();
        assert_eq!((said.kind, said.mac), (Kind::Select, Mac(MAC)));
        assert_eq!(said.address, Some(Address::v4(OWN)));
        assert_eq!(said.name.as_deref(), Some("KEVIN-PC"));
        let renewal = read(&message(1, MAC, (OWN, NONE), &[(53, &[3])])).unwrap();
        assert_eq!((renewal.kind, renewal.address), (Kind::Keep, Some(Address::v4(OWN))));
        let rebooted = read(&message(1, MAC, (NONE, NONE), &[(53, &[3]), (50, &OWN)])).unwrap();
        assert_eq!(rebooted.kind, Kind::Keep);
        let ack =
            read(&message(2, MAC, (NONE, OWN), &[(53, &[5]), (51, &[0, 0, 14, 16])])).unwrap();
        assert_eq!((ack.kind, ack.lease), (Kind::Acknowledge, Some(Span::from_secs(3600))));
        assert_eq!(ack.address, Some(Address::v4(OWN)));
        assert_eq!(read(&message(1, MAC, (OWN, NONE), &[(53, &[7])])).unwrap().kind, Kind::Release);
        assert_eq!(
            read(&message(2, MAC, (NONE, OWN), &[(53, &[2])])),
            None,
            "an offer binds nobody"
        );
    }

    #[test]
    fn option_81_goes_before_option_12_in_both_its_forms() {
        let name = |full: &[u8]| {
            read(&message(1, MAC, (NONE, NONE), &[(53, &[1]), (12, b"short"), (81, full)]))
                .unwrap()
                .name
                .unwrap()
        };
        assert_eq!(name(b"\0\0\0kevin-pc.corp.example"), "kevin-pc.corp.example");
        assert_eq!(name(b"\x04\0\0\x08kevin-pc\x04corp\0"), "kevin-pc.corp");
        assert_eq!(name(b"\x04\0\0\x08kevin-pc"), "kevin-pc", "a partial name");
        assert_eq!(name(b"\x04\0\0\x3fkevin-pc"), "short", "a broken name");
        assert_eq!(name(b"\0"), "short");
    }

    #[test]
    fn what_is_broken_says_nothing() {
        let whole = message(1, MAC, (OWN, NONE), &[(53, &[3]), (12, b"KEVIN-PC")]);
        assert_eq!(read(&whole[..239]), None);
        assert_eq!(read(&whole[..240]), None, "no options");
        let cut = read(&whole[..248]).unwrap();
        assert_eq!(cut.name, None, "the name is cut");
        let mut long = whole.clone();
        long[2] = 255;
        assert_eq!(read(&long), None, "an impossible hardware address");
    }

    proptest! {
        #[test]
        fn no_message_is_too_broken(bytes: Vec<u8>, tail: Vec<u8>, flips in prop::collection::vec((any::<usize>(), any::<u8>()), 0..5)) {
            let mut damaged = message(1, MAC, (OWN, NONE), &[(53, &[3]), (81, b"\x04\0\0\x08kevin-pc\0")]);
            for (at, octet) in flips {
                let at = at % damaged.len();
                damaged[at] = octet;
            }
            damaged.extend(tail);
            let _ = (read(&bytes), read(&damaged));
        }
    }
}
