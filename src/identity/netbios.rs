//! NetBIOS names: registrations, status answers and the sender of datagrams (RFC 1001, RFC 1002).
//!
//! A name is sixteen octets, the last of which says what it is for: 0 the workstation, 0x20 its file
//! service; group names stand for many hosts and are passed over. Only what a host says of itself
//! counts: the address in the record must be the sender's.

use super::written;
use crate::flow::Address;
use crate::message::{Record, RecordType, Records, Section};

/// A NetBIOS name record.
const NB: RecordType = RecordType(0x20);
/// The names of a node.
const NBSTAT: RecordType = RecordType(0x21);
/// The bit of a name's flags that makes it a group's.
const GROUP: u8 = 0x80;

/// What a message says of its sender's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NetbiosClaim {
    /// This is my name.
    Is(String),
    /// This is my name no longer.
    WasReleased,
}

/// What a message of the name service says of `sender`.
pub(super) fn name_service(message: &[u8], sender: Address) -> Option<NetbiosClaim> {
    let (flags, mut records) = Records::of(message)?;
    match (flags.is_response(), flags.opcode()) {
        // Registration, refresh (8, and by an old mistake 9), multi-homed registration.
        (false, 5 | 8 | 9 | 15) => {
            own_record(&mut records, sender, Section::Additional).map(NetbiosClaim::Is)
        }
        (false, 6) => {
            own_record(&mut records, sender, Section::Additional).map(|_| NetbiosClaim::WasReleased)
        }
        (true, 0) if flags.rcode() == 0 => {
            let mut both = records;
            own_record(&mut records, sender, Section::Answer)
                .or_else(|| both.find_map(|record| node_status(&record)))
                .map(NetbiosClaim::Is)
        }
        _ => None,
    }
}

/// The unique name of a record that gives it the sender's address.
fn own_record(records: &mut Records<'_>, sender: Address, section: Section) -> Option<String> {
    let own = |data: &[u8]| match data {
        &[flags, _, a, b, c, d] => flags & GROUP == 0 && Address::v4([a, b, c, d]) == sender,
        _ => false,
    };
    let record = records.find(|r| r.section == section && r.rtype == NB && own(r.data))?;
    workstation(&decoded(&record.owner)?)
}

/// The workstation's name among the names of a node (RFC 1002 section 4.2.18).
fn node_status(record: &Record<'_>) -> Option<String> {
    if record.rtype != NBSTAT || record.section != Section::Answer {
        return None;
    }
    let (&count, names) = record.data.split_first()?;
    let mut names = names.chunks_exact(18).take(usize::from(count)).filter_map(|entry| {
        let (name, flags) = entry.split_first_chunk::<16>()?;
        flags.first().filter(|flags| **flags & GROUP == 0)?;
        workstation(name)
    });
    names.next()
}

/// The sender's name in a datagram (RFC 1002 section 4.4.1): where it has the sender's own address.
pub(super) fn datagram(message: &[u8], sender: Address) -> Option<String> {
    let (&[kind, _, _, _, a, b, c, d], rest) = message.split_first_chunk::<8>()?;
    // Direct unique, direct group, broadcast. Port, length and offset follow, then the name.
    if !(0x10..=0x12).contains(&kind) || Address::v4([a, b, c, d]) != sender {
        return None;
    }
    workstation(&decoded(rest.get(6..)?)?)
}

/// The sixteen octets of a name whose first label holds them half by half (RFC 1001 section 14.1).
fn decoded(wire: &[u8]) -> Option<[u8; 16]> {
    let (len, halves) = wire.split_first()?;
    let halves = halves.first_chunk::<32>().filter(|_| *len == 32)?;
    let half = |octet: u8| octet.checked_sub(b'A').filter(|value| *value < 16);
    let mut name = [0; 16];
    for (slot, pair) in name.iter_mut().zip(halves.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *slot = half(high)? << 4 | half(low)?;
    }
    Some(name)
}

/// The name of a workstation or its file service, without the blanks that fill it up.
fn workstation(name: &[u8; 16]) -> Option<String> {
    let [name @ .., suffix] = name;
    // "*" and what is not a host's: the browser's \x01\x02__MSBROWSE__\x02.
    let is_host = matches!(suffix, 0 | 0x20) && name.first().is_some_and(|octet| *octet > 0x2a);
    written::from_octets(name).filter(|_| is_host)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOST: Address = Address::UNSPECIFIED;

    fn host() -> Address {
        Address::v4([192, 168, 2, 42])
    }

    /// The first-level encoding of a name, as a label with the root behind it.
    pub fn encoded(name: &str, suffix: u8) -> Vec<u8> {
        let mut padded = [b' '; 16];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        padded[15] = suffix;
        let halves = padded.iter().flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]);
        [&[32][..], &halves.collect::<Vec<u8>>(), &[0]].concat()
    }

    /// A registration request (RFC 1002 section 4.2.2), or another request of its form.
    pub fn registration(
        name: &str,
        suffix: u8,
        flags: u8,
        address: [u8; 4],
        opcode: u8,
    ) -> Vec<u8> {
        [
            &[0x80, 0x01, 0x01 | opcode << 3, 0x10, 0, 1, 0, 0, 0, 0, 0, 1][..],
            &encoded(name, suffix),
            &[0, 0x20, 0, 1, 0xc0, 0x0c, 0, 0x20, 0, 1, 0, 4, 0x93, 0xe0, 0, 6, flags, 0],
            &address,
        ]
        .concat()
    }

    #[test]
    fn a_registration_names_its_sender_and_nobody_else() {
        let own = [192, 168, 2, 42];
        let said = |message: &[u8]| name_service(message, host());
        let is = |name: &str| Some(NetbiosClaim::Is(name.to_owned()));
        assert_eq!(said(&registration("KEVIN-PC", 0, 0, own, 5)), is("KEVIN-PC"));
        assert_eq!(said(&registration("KEVIN-PC", 0x20, 0x60, own, 8)), is("KEVIN-PC"));
        assert_eq!(said(&registration("KEVIN-PC", 0, 0, own, 6)), Some(NetbiosClaim::WasReleased));
        assert_eq!(said(&registration("WORKGROUP", 0, GROUP, own, 5)), None, "a group");
        assert_eq!(said(&registration("WORKGROUP", 0x1d, 0, own, 5)), None, "the master browser");
        assert_eq!(said(&registration("KEVIN-PC", 0, 0, [192, 168, 2, 1], 5)), None, "another's");
        assert_eq!(name_service(&registration("KEVIN-PC", 0, 0, own, 5), HOST), None);
    }

    #[test]
    fn answers_name_who_gives_them() {
        let positive = [
            &[0, 9, 0x85, 0x80, 0, 0, 0, 1, 0, 0, 0, 0][..],
            &encoded("FILER", 0x20),
            &[0, 0x20, 0, 1, 0, 0, 0, 9, 0, 6, 0, 0, 192, 168, 2, 42],
        ]
        .concat();
        assert_eq!(name_service(&positive, host()), Some(NetbiosClaim::Is("FILER".to_owned())));
        let mut names = vec![2];
        names.extend([&b"WORKGROUP      \0\x84\0"[..], &b"NODE           \0\x04\0"[..]].concat());
        let status = [
            &[0, 9, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0][..],
            &encoded("*", 0),
            &[0, 0x21, 0, 1, 0, 0, 0, 0, 0, names.len() as u8],
            &names,
        ]
        .concat();
        assert_eq!(name_service(&status, host()), Some(NetbiosClaim::Is("NODE".to_owned())));
    }

    #[test]
    fn a_datagram_names_its_sender() {
        let message = [
            &[0x11, 0x0a, 0, 1, 192, 168, 2, 42, 0, 138, 0, 200, 0, 0][..],
            &encoded("ANNA-PC", 0),
            &encoded("WORKGROUP", 0x1d),
        ]
        .concat();
        assert_eq!(datagram(&message, host()), Some("ANNA-PC".to_owned()));
        assert_eq!(datagram(&message, HOST), None);
        assert_eq!(datagram(&message[..30], host()), None);
    }

    proptest! {
        #[test]
        fn no_message_is_too_broken(bytes: Vec<u8>, flip: (usize, u8), len in 0usize..80) {
            let mut damaged = registration("KEVIN-PC", 0, 0, [192, 168, 2, 42], 5);
            let at = flip.0 % damaged.len();
            damaged[at] = flip.1;
            damaged.truncate(len);
            for message in [&bytes, &damaged] {
                let _ = (name_service(message, host()), datagram(message, host()));
            }
        }
    }
}
