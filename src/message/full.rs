//! The whole content of a message, by `hickory-proto`: the one door to that crate.
//!
//! The fast reader takes what links questions to one another. Where a message is shown in full, and
//! where the fast reader is tested, this decode is used. It is stricter: one bad record fails all.

use hickory_proto::op::Message as FullMessage;
use hickory_proto::rr::RecordType as FullType;

use super::RecordType;

/// A resource record in presentation form (RFC 1035 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRecord {
    /// Which section it stood in: `answer`, `authority` or `additional`.
    pub section: &'static str,
    /// Owner, without a trailing dot.
    pub name: String,
    /// The mnemonic of its type.
    pub rtype: String,
    /// Seconds it may be cached.
    pub ttl: u32,
    /// Its data as a zone file would have it.
    pub data: String,
}

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

/// Every record of a message in presentation form, in the order they stand.
///
/// # Errors
/// When any part of it is malformed.
pub fn records(payload: &[u8]) -> Result<Vec<ShownRecord>, FullError> {
    let message = decode(payload)?;
    let sections = [
        ("answer", &message.answers),
        ("authority", &message.authorities),
        ("additional", &message.additionals),
    ];
    let shown = sections.iter().flat_map(|(section, records)| {
        records.iter().map(|record| ShownRecord {
            section,
            name: record.name.to_string().trim_end_matches('.').to_owned(),
            rtype: record.record_type().to_string(),
            ttl: record.ttl,
            data: record.data.to_string(),
        })
    });
    Ok(shown.collect())
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
