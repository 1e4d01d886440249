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

#[cfg(test)]
mod tests {
    use super::super::tests::QUERY;
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        [&(message.len() as u16).to_be_bytes()[..], message].concat()
    }

    #[test]
    fn a_message_looks_like_one_however_much_of_it_there_is() {
        let whole = framed(QUERY);
        assert_eq!(wanted(&whole), whole.len());
        for len in 14..=whole.len() {
            assert!(looks_like_start(&whole[..len]), "{len} octets");
        }
        assert!(looks_like_start(&whole[..2]), "the length by itself");
        assert!(!looks_like_start(&whole[..1]));
        assert!(!looks_like_start(&whole[..9]));
        // Later messages of a zone transfer have no question: the first record's name follows.
        let transfer = [&[0, 9, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xc0, 12][..], &[0; 20]].concat();
        assert!(looks_like_start(&framed(&transfer)));
    }

    #[test]
    fn what_a_message_cannot_be_is_refused() {
        let with = |at: usize, octet: u8| {
            let mut bytes = framed(QUERY);
            bytes[at] = octet;
            looks_like_start(&bytes)
        };
        assert!(!with(1, 11), "too short for its header");
        assert!(!with(4, 0x19), "opcode 3");
        assert!(!with(5, 0x40), "reserved bit");
        assert!(!with(7, 2), "two questions");
        assert!(!with(9, 2), "more records than there is room for");
        assert!(!with(14, 0x80), "no label");
        assert!(!with(framed(QUERY).len() - 1, 7), "class 7");
        assert!(!looks_like_start(b"GET / HTTP/1.1\r\nHost: example\r\n"));
        assert!(!looks_like_start(&[0; 40]));
        assert!(!looks_like_start(&[0xff; 2]));
    }
}
