//! The server name in a TLS ClientHello (RFC 6066 section 3).

use tls_parser::{
    SNIType, TlsExtension, TlsMessage, TlsMessageHandshake, parse_tls_client_hello_extension,
    parse_tls_plaintext,
};

use crate::text::escaped;

/// The longest name that is taken for one (RFC 1035 section 2.3.4).
const NAME_OCTETS_MAX: usize = 255;

/// The name, if the ClientHello lies in one segment as far as its server name.
///
/// A longer one (large key shares, many extensions) is cut at the segment's end: its extensions are read
/// up to there. What does not print is written as `\DDD`.
pub(super) fn server_name(segment: &[u8]) -> Option<String> {
    let extensions = extensions(segment)?;
    let mut rest = extensions;
    while let Ok((behind, extension)) = parse_tls_client_hello_extension(rest) {
        if let TlsExtension::SNI(names) = extension {
            let (_, name) = names.into_iter().find(|(kind, _)| *kind == SNIType::HostName)?;
            return (1..=NAME_OCTETS_MAX).contains(&name.len()).then(|| escaped(name));
        }
        if behind.len() >= rest.len() {
            return None;
        }
        rest = behind;
    }
    None
}

/// The extensions of a whole ClientHello by the crate; of one that goes on in the next segment, what
/// there is of them.
fn extensions(segment: &[u8]) -> Option<&[u8]> {
    if let Ok((_, record)) = parse_tls_plaintext(segment) {
        return record.msg.into_iter().find_map(|message| match message {
            TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)) => hello.ext,
            _ => None,
        });
    }
    // Record header, handshake header, version and random; then three fields with their lengths.
    let rest = segment.get(5 + 4 + 2 + 32..)?;
    let (&session, rest) = rest.split_first()?;
    let rest = rest.get(usize::from(session)..)?;
    let (ciphers, rest) = rest.split_first_chunk::<2>()?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*ciphers))..)?;
    let (&compression, rest) = rest.split_first()?;
    rest.get(usize::from(compression) + 2..)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A ClientHello with this server name, between two other extensions.
    pub fn client_hello(name: &[u8]) -> Vec<u8> {
        let len = |n: usize| (n as u16).to_be_bytes();
        let entry = [&[0][..], &len(name.len()), name].concat();
        let list = [&len(entry.len())[..], &entry].concat();
        let extensions = [
            &[0xba, 0xba, 0, 0][..],
            &[0, 0],
            &len(list.len()),
            &list,
            &[0, 0x17, 0, 0, 0, 0x15, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        let hello = [
            &[3, 3][..],
            &[7; 32],
            &[0],
            &[0, 4, 0x13, 0x01, 0x13, 0x02],
            &[1, 0],
            &len(extensions.len()),
            &extensions,
        ]
        .concat();
        let handshake = [&[1, 0][..], &len(hello.len()), &hello].concat();
        [&[22, 3, 1][..], &len(handshake.len()), &handshake].concat()
    }

    #[test]
    fn the_name_is_read_as_far_as_it_was_captured() {
        let hello = client_hello(b"mi.kenal-cn.com");
        assert_eq!(server_name(&hello).as_deref(), Some("mi.kenal-cn.com"));
        let cut = &hello[..hello.len() - 8];
        assert_eq!(server_name(cut).as_deref(), Some("mi.kenal-cn.com"), "goes on elsewhere");
        assert_eq!(server_name(&hello[..70]), None);
        assert_eq!(server_name(&client_hello(b"")), None);
        assert_eq!(server_name(&client_hello(b"a\x1b[0m")).as_deref(), Some("a\\027[0m"));
    }

    proptest! {
        #[test]
        fn no_segment_is_too_broken(bytes: Vec<u8>, flips in prop::collection::vec((any::<usize>(), any::<u8>()), 0..5), len in 0usize..120) {
            let mut damaged = client_hello(b"mi.kenal-cn.com");
            for (at, octet) in flips {
                let at = at % damaged.len();
                damaged[at] = octet;
            }
            damaged.truncate(len);
            let _ = (server_name(&bytes), server_name(&damaged));
        }
    }
}
