//! What DNS messages say of hosts: dynamic updates, PTR answers, and the answers of the two multicast
//! protocols that use its format.
//!
//! Of updates and multicast answers only what a host says of itself counts: the address in the record
//! must be the sender's. A PTR answer must be about an internal address and come from an internal
//! server; so nobody outside gives a name to anybody inside.

use super::written;
use crate::flow::Address;
use crate::message::{Record, RecordType, Records, Section};
use crate::name::Name;

/// An address and the name that is said to be its own, and whether it is said for the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NameClaim {
    /// Whose name.
    pub address: Address,
    /// The name.
    pub name: String,
    /// Whether it is withdrawn: a multicast DNS goodbye (RFC 6762 section 10.1).
    pub is_goodbye: bool,
}

/// The name that `sender` gives itself in an update (RFC 2136): an A or AAAA record to be added with its
/// address, or the PTR record of it.
pub(super) fn update(message: &[u8], sender: Address) -> Option<NameClaim> {
    let (flags, records) = Records::of(message)?;
    if flags.is_response() || flags.opcode() != 5 {
        return None;
    }
    let mut added = records.filter(|r| r.section == Section::Authority && r.class == 1);
    added.find_map(|record| {
        let name = match record.rtype {
            RecordType::A | RecordType::AAAA if address(&record) == Some(sender) => {
                written::from_wire(&record.owner)?
            }
            RecordType::PTR if reverse(&record.owner) == Some(sender) => {
                written::from_wire(&records.name_in(&record)?)?
            }
            _ => return None,
        };
        Some(NameClaim { address: sender, name, is_goodbye: false })
    })
}

/// What a response from an internal server says an internal address is called.
pub(super) fn pointers(message: &[u8], server: Address) -> Vec<NameClaim> {
    let Some((flags, records)) = Records::of(message) else { return Vec::new() };
    if !flags.is_response() || flags.rcode() != 0 || !server.is_internal() {
        return Vec::new();
    }
    let answers = records.filter(|record| {
        record.section == Section::Answer && record.rtype == RecordType::PTR && record.class == 1
    });
    let said = answers.filter_map(|record| {
        let address = reverse(&record.owner).filter(Address::is_internal)?;
        let name = written::from_wire(&records.name_in(&record)?)?;
        Some(NameClaim { address, name, is_goodbye: false })
    });
    // One name an address: a list of them says little about the host.
    said.take(1).collect()
}

/// The name for which `sender` answers by multicast DNS or LLMNR with its own address.
pub(super) fn multicast(message: &[u8], sender: Address) -> Option<NameClaim> {
    let (flags, mut records) = Records::of(message)?;
    if !flags.is_response() || flags.opcode() != 0 || flags.rcode() != 0 {
        return None;
    }
    // The first bit of the class is multicast DNS's "flush the cache".
    let own = |record: &Record<'_>| {
        matches!(record.section, Section::Answer | Section::Additional)
            && record.class & 0x7fff == 1
            && address(record) == Some(sender)
    };
    let record = records.find(own)?;
    let name = written::from_wire(&record.owner)?;
    Some(NameClaim { address: sender, name, is_goodbye: record.ttl == 0 })
}

/// The address in an A or AAAA record.
fn address(record: &Record<'_>) -> Option<Address> {
    match record.rtype {
        RecordType::A => <[u8; 4]>::try_from(record.data).ok().map(Address::v4),
        RecordType::AAAA => <[u8; 16]>::try_from(record.data).ok().map(Address::v6),
        _ => None,
    }
}

/// The address that a name below `in-addr.arpa` (RFC 1035 section 3.5) or `ip6.arpa` (RFC 3596 section
/// 2.5) stands for.
fn reverse(wire: &[u8]) -> Option<Address> {
    let labels: Vec<&[u8]> = Name::from_wire(wire).labels().take(35).collect();
    let (digits, zone) = labels.split_at_checked(labels.len().checked_sub(2)?)?;
    let &[first, second] = zone else { return None };
    if !second.eq_ignore_ascii_case(b"arpa") {
        return None;
    }
    if first.eq_ignore_ascii_case(b"in-addr") {
        let mut octets = [0; 4];
        if digits.len() != octets.len() {
            return None;
        }
        for (slot, label) in octets.iter_mut().zip(digits.iter().rev()) {
            *slot = std::str::from_utf8(label).ok()?.parse().ok()?;
        }
        return Some(Address::v4(octets));
    }
    let mut octets = [0; 16];
    if !first.eq_ignore_ascii_case(b"ip6") || digits.len() != 2 * octets.len() {
        return None;
    }
    let nibble = |label: &[u8]| match label {
        &[digit] => char::from(digit).to_digit(16).map(|value| value as u8),
        _ => None,
    };
    for (slot, pair) in octets.iter_mut().zip(digits.rchunks_exact(2)) {
        let &[low, high] = pair else { return None };
        *slot = nibble(high)? << 4 | nibble(low)?;
    }
    Some(Address::v6(octets))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::name::push_from_text;
    use proptest::prelude::*;

    fn host() -> Address {
        Address::v4([192, 168, 2, 42])
    }

    pub fn wire(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        push_from_text(text, &mut out).unwrap();
        out
    }

    /// A record: owner, type, class, TTL, data.
    pub fn record(owner: &str, rtype: u16, class: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
        [
            &wire(owner)[..],
            &rtype.to_be_bytes(),
            &class.to_be_bytes(),
            &ttl.to_be_bytes(),
            &(data.len() as u16).to_be_bytes(),
            data,
        ]
        .concat()
    }

    pub fn message(flags: u16, sections: [&[Vec<u8>]; 4]) -> Vec<u8> {
        let mut out = vec![0, 7];
        out.extend(flags.to_be_bytes());
        for section in sections {
            out.extend((section.len() as u16).to_be_bytes());
        }
        out.extend(sections.concat().concat());
        out
    }

    fn question(name: &str, rtype: u16) -> Vec<u8> {
        [&wire(name)[..], &rtype.to_be_bytes(), &[0, 1]].concat()
    }

    #[test]
    fn an_update_names_its_sender() {
        let zone = question("corp.example", 6);
        let own = record("kevin-pc.corp.example", 1, 1, 1200, &[192, 168, 2, 42]);
        let delete = record("kevin-pc.corp.example", 1, 255, 0, &[]);
        let send =
            |records: &[Vec<u8>]| message(0x2800, [std::slice::from_ref(&zone), &[], records, &[]]);
        let said = update(&send(&[delete.clone(), own]), host()).unwrap();
        assert_eq!((said.name.as_str(), said.address), ("kevin-pc.corp.example", host()));
        let others = record("dc1.corp.example", 1, 1, 1200, &[192, 168, 2, 1]);
        assert_eq!(update(&send(&[others]), host()), None, "another's address");
        assert_eq!(update(&send(&[delete]), host()), None, "nothing is added");
        let pointer =
            record("42.2.168.192.in-addr.arpa", 12, 1, 1200, &wire("kevin-pc.corp.example"));
        assert_eq!(update(&send(&[pointer]), host()).unwrap().name, "kevin-pc.corp.example");
    }

    #[test]
    fn a_pointer_names_an_internal_address_by_an_internal_server() {
        let name = "42.2.168.192.in-addr.arpa";
        let answer = |owner: &str| record(owner, 12, 1, 1200, &wire("kevin-pc.corp.example"));
        let response =
            |owner: &str| message(0x8580, [&[question(owner, 12)], &[answer(owner)], &[], &[]]);
        let server = Address::v4([192, 168, 2, 1]);
        let said = pointers(&response(name), server);
        assert_eq!(said[0].address, host());
        assert_eq!(said[0].name, "kevin-pc.corp.example");
        assert!(pointers(&response(name), Address::v4([8, 8, 8, 8])).is_empty());
        assert!(pointers(&response("8.8.8.8.in-addr.arpa"), server).is_empty());
        let v6 = format!("1.0.{}d.f.ip6.arpa", "0.".repeat(28));
        let said = pointers(&response(&v6), server);
        assert_eq!(said[0].address.to_string(), "fd00::1");
        for odd in ["in-addr.arpa", "a.2.168.192.in-addr.arpa", "1.2.3.ip6.arpa", "arpa"] {
            assert!(pointers(&response(odd), server).is_empty(), "{odd}");
        }
    }

    #[test]
    fn a_multicast_answer_names_who_gives_it() {
        let own = |ttl| record("Kevins-Mac.local", 1, 0x8001, ttl, &[192, 168, 2, 42]);
        let said = |ttl| multicast(&message(0x8400, [&[], &[own(ttl)], &[], &[]]), host());
        assert_eq!(said(120).unwrap().name, "Kevins-Mac.local");
        assert!(said(0).unwrap().is_goodbye);
        let query = message(0, [&[question("Kevins-Mac.local", 1)], &[own(120)], &[], &[]]);
        assert_eq!(multicast(&query, host()), None, "a known answer in a question");
        let others = record("printer.local", 1, 1, 120, &[192, 168, 2, 9]);
        let both = message(0x8400, [&[], std::slice::from_ref(&others), &[], &[own(120)]]);
        assert_eq!(multicast(&both, host()).unwrap().name, "Kevins-Mac.local");
        assert_eq!(multicast(&message(0x8400, [&[], &[others], &[], &[]]), host()), None);
    }

    proptest! {
        #[test]
        fn no_message_is_too_broken(bytes: Vec<u8>, flips in prop::collection::vec((any::<usize>(), any::<u8>()), 0..5)) {
            let own = record("kevins-mac.local", 1, 0x8001, 120, &[192, 168, 2, 42]);
            let own = [own];
            let mut damaged = message(0x8400, [&[], &own, &own, &own]);
            for (at, octet) in flips {
                let at = at % damaged.len();
                damaged[at] = octet;
            }
            for message in [&bytes, &damaged] {
                let _ = (update(message, host()), pointers(message, host()), multicast(message, host()));
            }
        }
    }
}
