//! Messages made up for tests: a time in milliseconds, who to whom, and what is asked and answered.

use super::{Messages, Unwatched};
use crate::flow::{Address, Endpoint, Flow, Mac, Transport};
use crate::frame::FrameId;
use crate::name::{NameHasher, push_from_text};
use crate::packet::Envelope;
use crate::time::Timestamp;

/// Builds messages one after the other; each is the next frame.
#[derive(Debug)]
pub(crate) struct Simulated {
    pub messages: Messages,
    pub hasher: NameHasher,
    frames: u64,
}

/// One message, to be filled in.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    pub at_ms: f64,
    pub from: &'a str,
    pub to: &'a str,
    /// The client's port; the server's is 53.
    pub port: u16,
    pub id: u16,
    pub ip_id: u16,
    pub mac: Mac,
    pub name: &'a str,
    pub rtype: u16,
    pub response: bool,
    pub rcode: u8,
    /// What an OPT record adds to it.
    pub extended_rcode: u8,
    pub truncated: bool,
    pub recursion: bool,
    /// Whether the server speaks for the zone.
    pub authoritative: bool,
    /// (owner, target) of CNAME records.
    pub aliases: &'a [(&'a str, &'a str)],
    /// (owner, target) of DNAME records.
    pub redirections: &'a [(&'a str, &'a str)],
    /// (owner, TargetName) of HTTPS records.
    pub services: &'a [(&'a str, &'a str)],
    /// (zone, server) of NS records in the authority section.
    pub delegations: &'a [(&'a str, &'a str)],
    /// Whether an A record ends the answer.
    pub address: bool,
    pub ttl: u32,
    pub tcp: bool,
    pub edns: bool,
    /// 1 is IN.
    pub class: u16,
    /// How many octets the capture lacks at the end.
    pub cut: usize,
}

impl Default for Draft<'_> {
    fn default() -> Self {
        Draft {
            at_ms: 0.0,
            from: "10.0.0.1",
            to: "10.0.0.53",
            port: 4000,
            id: 1,
            ip_id: 0,
            mac: Mac::default(),
            name: "example.com",
            rtype: 1,
            response: false,
            rcode: 0,
            extended_rcode: 0,
            truncated: false,
            recursion: true,
            authoritative: false,
            aliases: &[],
            redirections: &[],
            services: &[],
            delegations: &[],
            address: false,
            ttl: 300,
            tcp: false,
            edns: false,
            class: 1,
            cut: 0,
        }
    }
}

impl Simulated {
    pub fn new() -> Simulated {
        Simulated { messages: Messages::new(), hasher: NameHasher::new([3, 5]), frames: 0 }
    }

    /// Adds a message and returns its frame number.
    pub fn add(&mut self, draft: &Draft<'_>) -> u64 {
        self.frames += 1;
        let address = |text: &str| text.parse::<Address>().unwrap();
        let (source_port, destination_port) =
            if draft.response { (53, draft.port) } else { (draft.port, 53) };
        let envelope = Envelope {
            frame: FrameId::new(0, self.frames),
            time: Timestamp((draft.at_ms * 1e6) as i64),
            flow: Flow {
                source: Endpoint { address: address(draft.from), port: source_port },
                destination: Endpoint { address: address(draft.to), port: destination_port },
                transport: if draft.tcp { Transport::Tcp } else { Transport::Udp },
            },
            source_mac: draft.mac,
            ip_id: draft.ip_id,
            vlan: None,
        };
        let whole = payload(draft);
        let payload = &whole[..whole.len() - draft.cut];
        let is_whole = draft.cut == 0;
        assert!(self.messages.read(&envelope, payload, is_whole, &self.hasher, &mut Unwatched));
        self.frames
    }
}

fn payload(draft: &Draft<'_>) -> Vec<u8> {
    let flags = u16::from(draft.response) << 15
        | u16::from(draft.authoritative) << 10
        | u16::from(draft.truncated) << 9
        | u16::from(draft.recursion) << 8
        | u16::from(draft.rcode);
    let named = draft.aliases.len() + draft.redirections.len() + draft.services.len();
    let answers = named as u16 + u16::from(draft.address);
    let mut out = Vec::new();
    let (authority, additional) = (draft.delegations.len() as u16, u16::from(draft.edns));
    for word in [draft.id, flags, 1, answers, authority, additional] {
        out.extend(word.to_be_bytes());
    }
    push_from_text(draft.name, &mut out).unwrap();
    out.extend(draft.rtype.to_be_bytes());
    out.extend(draft.class.to_be_bytes());
    let record = |owner: &str, rtype: u16, data: &[u8], out: &mut Vec<u8>| {
        push_from_text(owner, out).unwrap();
        out.extend(rtype.to_be_bytes());
        out.extend([0, 1]);
        out.extend(draft.ttl.to_be_bytes());
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    };
    let name = |text: &str| {
        let mut wire = Vec::new();
        push_from_text(text, &mut wire).unwrap();
        wire
    };
    for (owner, target) in draft.aliases {
        record(owner, 5, &name(target), &mut out);
    }
    for (owner, target) in draft.redirections {
        record(owner, 39, &name(target), &mut out);
    }
    for (owner, target) in draft.services {
        record(owner, 65, &[&[0, 1], &name(target)[..]].concat(), &mut out);
    }
    if draft.address {
        let owner = draft.aliases.last().map_or(draft.name, |(_, target)| target);
        record(owner, 1, &[192, 0, 2, 1], &mut out);
    }
    for (zone, server) in draft.delegations {
        record(zone, 2, &name(server), &mut out);
    }
    if draft.edns {
        // The root, OPT, 1,232 octets.
        out.extend([0, 0, 41, 4, 208, draft.extended_rcode, 0, 0, 0, 0, 0]);
    }
    out
}
