//! How messages stand in a TCP stream, and what one looks like where the stream's beginning is unknown.

/// The length of a DNS header (RFC 1035 section 4.1.1).
pub(super) const HEADER_LEN: usize = 12;

/// The octets from here to the end of the message, its length included; 2 while the length is not known.
pub(super) fn wanted(framed: &[u8]) -> usize {
    match framed {
        [high, low, ..] => 2 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 2,
    }
}

/// Whether `bytes` look like the length of a DNS message and its beginning, as far as they go.
///
/// 1. The length leaves room for a header. Some senders write the two octets by themselves: then they
///    may announce no more than a query has.
/// 2. The header has a known opcode, no reserved bit, a known response code, and counts for which the
///    message has room.
/// 3. There is one question or none. The name that follows, the question's or the first record's,
///    consists of labels, and the question has a type and a class in use.
pub(super) fn looks_like_start(bytes: &[u8]) -> bool {
    let length = wanted(bytes).saturating_sub(2);
    let Some((header, name)) = bytes.get(2..).and_then(|rest| rest.split_first_chunk::<12>())
    else {
        return bytes.len() == 2 && (HEADER_LEN + 5..=512).contains(&length);
    };
    let [_, _, flags, codes, q0, q1, a0, a1, n0, n1, r0, r1] = *header;
    let questions = usize::from(u16::from_be_bytes([q0, q1]));
    let answers = usize::from(u16::from_be_bytes([a0, a1]));
    let others =
        usize::from(u16::from_be_bytes([n0, n1])) + usize::from(u16::from_be_bytes([r0, r1]));
    // A question takes 5 octets at least, a record 11.
    let least = HEADER_LEN + questions * 5 + (answers + others) * 11;
    let known_opcode = matches!(flags >> 3 & 0x0f, 0..=2 | 4..=6);
    let known_rcode = codes & 0x0f <= 11 && codes & 0x40 == 0;
    if !known_opcode || !known_rcode || questions > 1 || least > length {
        return false;
    }
    match questions {
        // Bare headers are sent with an error, or with RFC 8490; they are no place to begin at.
        0 => answers > 0 && name_len(name) != Name::Broken,
        _ => match name_len(name) {
            Name::Broken => false,
            Name::Cut => true,
            Name::Whole(len) => match name.get(len..) {
                Some(&[t0, t1, c0, c1, ..]) => {
                    let class = u16::from_be_bytes([c0, c1]);
                    u16::from_be_bytes([t0, t1]) != 0 && matches!(class, 1 | 3 | 4 | 254 | 255)
                }
                _ => true,
            },
        },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Whole(usize),
    Cut,
    Broken,
}

/// The length of the name that `bytes` begin with (RFC 1035 section 4.1.4).
fn name_len(bytes: &[u8]) -> Name {
    let mut at = 0;
    while at < 255 {
        match bytes.get(at) {
            None => return Name::Cut,
            Some(0) => return Name::Whole(at + 1),
            Some(0xc0..) => return Name::Whole(at + 2),
            Some(&len @ 1..=63) => at += 1 + usize::from(len),
            Some(_) => return Name::Broken,
        }
    }
    Name::Broken
}
