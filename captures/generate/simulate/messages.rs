//! Queries and responses as they go on the wire.

use anyhow::Result;
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query as Question};
use hickory_proto::rr::{Name, RecordType};

/// A query message.
pub fn query_message(
    id: u16,
    qname: &Name,
    qtype: RecordType,
    recurse: bool,
    edns: u16,
    dnssec: bool,
) -> Message {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = recurse;
    message.queries.push(Question::query(qname.clone(), qtype));
    message.edns = offer(edns, dnssec);
    message
}

/// Gives a response the id and question it answers.
pub fn complete(message: &mut Message, id: u16, qname: &Name, qtype: RecordType, edns: u16) {
    message.metadata.id = id;
    message.metadata.message_type = MessageType::Response;
    message.queries = vec![Question::query(qname.clone(), qtype)];
    message.edns = offer(edns, false);
}

fn offer(edns: u16, dnssec: bool) -> Option<Edns> {
    let mut offered = Edns::new();
    offered.set_max_payload(edns);
    offered.set_dnssec_ok(dnssec);
    (edns > 0).then_some(offered)
}

/// What of a response fits into a datagram: all, or none with TC set (RFC 2181 section 9).
pub fn cut(message: &Message, edns: u16) -> Result<Message> {
    if message.to_vec()?.len() <= usize::from(edns.max(512)) {
        return Ok(message.clone());
    }
    let mut short = message.clone();
    short.metadata.truncation = true;
    short.answers.clear();
    short.authorities.clear();
    short.additionals.clear();
    Ok(short)
}
