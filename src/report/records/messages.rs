//! One JSON line a DNS message: what the decoder read.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Number;

use super::json::write_line;
use super::model::epoch;
use crate::message::{Fact, Malformed, Message, Messages, full};
use crate::report::Files;

/// `whoasked messages`.
#[derive(Debug, Serialize)]
struct MessageLine<'a> {
    frame: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    time: String,
    time_epoch: Number,
    src: String,
    sport: u16,
    dst: String,
    dport: u16,
    transport: &'static str,
    id: u16,
    flags: u16,
    response: bool,
    opcode: u8,
    truncated: bool,
    rcode: &'static str,
    qname: Option<String>,
    qtype: Option<String>,
    qclass: Option<u16>,
    aliases: Vec<String>,
    targets: Vec<String>,
    addresses: Vec<String>,
    name_servers: Vec<String>,
    qdcount: u16,
    ancount: u16,
    nscount: u16,
    arcount: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    malformed: Option<&'static str>,
}

/// Writes a message as one JSON line.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_message(
    out: &mut impl Write,
    messages: &Messages,
    message: &Message,
    files: &Files,
) -> io::Result<()> {
    let facts = messages.facts(message);
    let question = message.question;
    let name = |name| messages.name(name).to_string();
    let [qdcount, ancount, nscount, arcount] = message.counts;
    let line = MessageLine {
        frame: message.frame.number(),
        file: files.of(message.frame),
        time: message.time.to_string(),
        time_epoch: epoch(message.time),
        src: message.flow.source.address.to_string(),
        sport: message.flow.source.port,
        dst: message.flow.destination.address.to_string(),
        dport: message.flow.destination.port,
        transport: message.flow.transport.as_str(),
        id: message.id,
        flags: message.flags.0,
        response: message.flags.is_response(),
        opcode: message.flags.opcode(),
        truncated: message.flags.is_truncated(),
        rcode: full::rcode_mnemonic(message.rcode()),
        qname: question.map(|q| name(q.name)),
        qtype: question.map(|q| q.rtype.to_string()),
        qclass: question.map(|q| q.class),
        aliases: facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Alias { target, .. } => Some(name(*target)),
                _ => None,
            })
            .collect(),
        targets: facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Service { target, .. } => Some(name(*target)),
                _ => None,
            })
            .collect(),
        addresses: facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Address { address, .. } => Some(address.to_string()),
                _ => None,
            })
            .collect(),
        name_servers: facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::Delegation { server, .. } => Some(name(*server)),
                _ => None,
            })
            .collect(),
        qdcount,
        ancount,
        nscount,
        arcount,
        malformed: message.malformed.map(|malformed| match malformed {
            Malformed::CutByCapture => "cut-by-capture",
            Malformed::CutShort => "cut-short",
            Malformed::BadName => "bad-name",
            Malformed::BadData => "bad-data",
        }),
    };
    write_line(out, &line)
}
