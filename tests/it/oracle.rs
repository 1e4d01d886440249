//! The fast reader against hickory-proto, message by message.
//!
//! Of a message that both accept, both say the same: question, aliases, services, addresses,
//! delegations, in the same order and letter case. What one accepts and the other does not:
//!
//! - Hickory refuses more. In captures: what is cut or broken in the additional section (snaplen, fuzzed
//!   files, EDNS client subnets of an impossible length), records of a query, types that we pass over
//!   with data it cannot parse. Beside these: a second OPT record, records behind a signature, and a
//!   compression pointer whose labels run into the name that points there. We read up to the end of the
//!   authority section, and of that only what links questions to one another; none of these change what
//!   is said of the rest.
//! - We refuse nothing that hickory accepts. That is asserted.
//!
//! Hickory has facts where we want none: of queries, of other opcodes than QUERY, of other classes than
//! IN. These are left out before comparing. It hands on the data of a DNAME record as octets: what that implies is
//! worked out here, but for a compressed target, which RFC 6672 (section 2.5) forbids and some send: then only what
//! else both say is compared.

use std::net::IpAddr;

use hickory_proto::op::{Message as FullMessage, MessageType, OpCode};
use hickory_proto::rr::rdata::HTTPS;
use hickory_proto::rr::rdata::svcb::{SVCB, SvcParamValue};
use hickory_proto::rr::{DNSClass, Name as FullName, RData};
use whoasked::flow::{Address, Endpoint, Flow, Mac, Transport};
use whoasked::frame::FrameId;
use whoasked::message::{Fact, Messages, NameRef, RecordType, Unwatched};
use whoasked::name::{Name, NameHasher};
use whoasked::packet::Envelope;
use whoasked::time::Timestamp;

/// Names are in wire form, TTLs in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Question(Vec<u8>, u16, u16),
    Alias(Vec<u8>, Vec<u8>, u32),
    Redirection(Vec<u8>, Vec<u8>, u32),
    Service(Vec<u8>, Vec<u8>),
    Address(Vec<u8>, Address),
    Delegation(Vec<u8>, Vec<u8>, u32),
}

/// What comes with a message, the same for all.
pub fn envelope() -> Envelope {
    let endpoint = Endpoint { address: Address::v4([192, 0, 2, 1]), port: 53 };
    Envelope {
        frame: FrameId::new(0, 1),
        time: Timestamp(0),
        flow: Flow { source: endpoint, destination: endpoint, transport: Transport::Udp },
        source_mac: Mac::default(),
        ip_id: 0,
        vlan: None,
    }
}

/// What the fast reader says, and whether it accepts the message.
pub fn fast(payload: &[u8]) -> (Vec<Said>, bool) {
    let mut messages = Messages::new();
    if !messages.read(&envelope(), payload, true, &NameHasher::new([3, 5]), &mut Unwatched) {
        return (Vec::new(), false);
    }
    let message = messages.get(0).unwrap();
    let name = |name: NameRef| messages.name(name).wire().to_vec();
    let question = message.question.map(|q| Said::Question(name(q.name), q.rtype.0, q.class));
    let facts = messages.facts(message).iter().map(|fact| match *fact {
        Fact::Alias { owner, target, ttl } => Said::Alias(name(owner), name(target), ttl),
        Fact::Redirection { owner, target, ttl } => {
            Said::Redirection(name(owner), name(target), ttl)
        }
        Fact::Service { owner, target } => Said::Service(name(owner), name(target)),
        Fact::Address { owner, address, .. } => Said::Address(name(owner), address),
        Fact::Delegation { zone, server, ttl } => Said::Delegation(name(zone), name(server), ttl),
    });
    (question.into_iter().chain(facts).collect(), message.malformed.is_none())
}

/// What hickory says; `None` when it refuses.
fn slow(payload: &[u8]) -> Option<Vec<Said>> {
    let message = FullMessage::from_vec(payload).ok()?;
    let name = |name: &FullName| {
        let mut wire = Vec::new();
        for label in name.iter() {
            wire.push(label.len() as u8);
            wire.extend(label);
        }
        wire.push(0);
        wire
    };
    let question = message.queries.first().map(|question| {
        let (rtype, class) = (question.query_type.into(), question.query_class.into());
        Said::Question(name(&question.name), rtype, class)
    });
    let is_answer = message.metadata.message_type == MessageType::Response
        && message.metadata.op_code == OpCode::Query;
    let sections = [(&message.answers, true), (&message.authorities, false)];
    let records = sections
        .iter()
        .flat_map(|(records, in_answer)| records.iter().map(move |record| (record, *in_answer)))
        .filter(|(record, _)| is_answer && record.dns_class == DNSClass::IN);
    let mut redirections = Vec::new();
    let facts: Vec<Said> = records
        .flat_map(|(record, in_answer)| {
            let owner = name(&record.name);
            match (&record.data, in_answer) {
                (RData::CNAME(target), true) => {
                    vec![Said::Alias(owner, name(&target.0), record.ttl)]
                }
                (RData::A(address), true) => {
                    vec![Said::Address(owner, IpAddr::V4(address.0).into())]
                }
                (RData::AAAA(address), true) => {
                    vec![Said::Address(owner, IpAddr::V6(address.0).into())]
                }
                (RData::HTTPS(HTTPS(service)) | RData::SVCB(service), true) => {
                    said_of_service(owner, name(&service.target_name), service)
                }
                (RData::NS(server), _) => {
                    vec![Said::Delegation(owner, name(&server.0), record.ttl)]
                }
                (RData::Unknown { code, rdata }, true)
                    if u16::from(*code) == RecordType::DNAME.0 =>
                {
                    redirections.push((owner, rdata.anything.to_vec(), record.ttl));
                    Vec::new()
                }
                _ => Vec::new(),
            }
        })
        .collect();
    let mut said: Vec<Said> = question.into_iter().chain(facts).collect();
    add_implied(&mut said, &redirections);
    Some(said)
}

/// What DNAME records (owner, data, TTL) make of what a question leads to (RFC 6672 section 2.2): the aliases where none is
/// said, and the records.
fn add_implied(said: &mut Vec<Said>, redirections: &[(Vec<u8>, Vec<u8>, u32)]) {
    let Some(Said::Question(asked, ..)) = said.first() else { return };
    let mut last = asked.clone();
    for _ in 0..17 {
        let known = said.iter().find_map(|said| match said {
            Said::Alias(owner, target, _) if owner.eq_ignore_ascii_case(&last) => Some(target),
            _ => None,
        });
        let known = known.cloned();
        let below = redirections.iter().find_map(|(owner, target, ttl)| {
            let is_above = Name::from_wire(&last).is_at_or_below(Name::from_wire(owner));
            let prefix = last.len().checked_sub(owner.len()).filter(|len| *len > 0 && is_above)?;
            let made = || [&last[..prefix], target].concat();
            is_whole(target).then(|| (made(), owner.clone(), target.clone(), *ttl))
        });
        let made = below.as_ref().map(|(made, ..)| made.clone()).filter(|made| made.len() <= 255);
        let Some(next) = known.clone().or(made) else { return };
        if let Some((made, owner, target, ttl)) = below {
            if known.is_none() {
                said.push(Said::Alias(last, next.clone(), ttl));
            }
            if made.eq_ignore_ascii_case(&next) {
                said.push(Said::Redirection(owner, target, ttl));
            }
        }
        last = next;
    }
}

/// Whether octets are a name, uncompressed.
fn is_whole(wire: &[u8]) -> bool {
    match wire.split_first() {
        Some((0, rest)) => rest.is_empty(),
        Some((&len @ 1..=63, rest)) => rest.get(usize::from(len)..).is_some_and(is_whole),
        _ => false,
    }
}

/// A service's target, unless it is the root, and its hints, unless it is in AliasMode (RFC 9460 section 2.4.2).
fn said_of_service(owner: Vec<u8>, target: Vec<u8>, service: &SVCB) -> Vec<Said> {
    let is_elsewhere = target != [0];
    let host = if is_elsewhere { target.clone() } else { owner.clone() };
    let hints = service.svc_params.iter().filter(|_| service.svc_priority > 0);
    let addresses = hints.flat_map(|(_, value)| match value {
        SvcParamValue::Ipv4Hint(hint) => hint.0.iter().map(|v4| IpAddr::V4(v4.0)).collect(),
        SvcParamValue::Ipv6Hint(hint) => hint.0.iter().map(|v6| IpAddr::V6(v6.0)).collect(),
        _ => Vec::new(),
    });
    let addresses = addresses.map(|address| Said::Address(host.clone(), address.into()));
    is_elsewhere.then_some(Said::Service(owner, target)).into_iter().chain(addresses).collect()
}

/// Holds the two against each other; true when both accept the message.
pub fn agree(payload: &[u8]) -> Result<bool, String> {
    let (ours, accepted) = fast(payload);
    let Some(theirs) = slow(payload) else { return Ok(false) };
    if !accepted {
        return Err(format!("hickory accepts it, we do not: {payload:02x?}"));
    }
    match ours == theirs {
        true => Ok(true),
        false => Err(format!("we say {ours:?}\nhickory says {theirs:?}\nof {payload:02x?}")),
    }
}
