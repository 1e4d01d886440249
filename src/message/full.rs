//! The whole content of a message, by `hickory-proto`: the one door to that crate.
//!
//! The fast reader takes what links questions to one another. This decode takes all: it is the oracle
//! that the reader is tested against. It is stricter: one bad record fails the whole message.

use hickory_proto::op::Message as FullMessage;
use hickory_proto::rr::RecordType as FullType;

use super::RecordType;

/// Why a message could not be decoded in full.
#[derive(Debug, thiserror::Error)]
#[error("not decodable in full: {0}")]
pub struct FullError(String);

/// Decodes every record of a message.
///
/// # Errors
/// When any part of it is malformed.
pub fn decode(payload: &[u8]) -> Result<FullMessage, FullError> {
    FullMessage::from_vec(payload).map_err(|error| FullError(error.to_string()))
}

/// The mnemonic of a record type, where it has one.
pub fn type_mnemonic(rtype: RecordType) -> Option<&'static str> {
    match FullType::from(rtype.0) {
        FullType::Unknown(_) => None,
        known => Some(known.into()),
    }
}

/// The mnemonic of a header's response code (RFC 1035, RFC 2136 and the IANA registry).
pub fn rcode_mnemonic(rcode: u8) -> &'static str {
    const MNEMONICS: [&str; 12] = [
        "NOERROR",
        "FORMERR",
        "SERVFAIL",
        "NXDOMAIN",
        "NOTIMP",
        "REFUSED",
        "YXDOMAIN",
        "YXRRSET",
        "NXRRSET",
        "NOTAUTH",
        "NOTZONE",
        "DSOTYPENI",
    ];
    MNEMONICS.get(usize::from(rcode)).copied().unwrap_or("RESERVED")
}
