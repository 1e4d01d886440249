//! The mnemonics of the field's numbers; those of record types `hickory-proto` knows.

use hickory_proto::rr::RecordType as FullType;

use super::RecordType;

/// The mnemonic of a record type, where it has one.
pub fn type_mnemonic(rtype: RecordType) -> Option<&'static str> {
    match FullType::from(rtype.0) {
        FullType::Unknown(_) => None,
        known => Some(known.into()),
    }
}

/// The mnemonic of a response code (RFC 1035, RFC 2136 and the IANA registry), as [`Message::rcode`](super::Message::rcode)
/// has it.
pub fn rcode_mnemonic(rcode: u8) -> &'static str {
    const MNEMONICS: [&str; 14] = [
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
        "BADVERS",
        "BADCOOKIE",
    ];
    MNEMONICS.get(usize::from(rcode)).copied().unwrap_or("RESERVED")
}
