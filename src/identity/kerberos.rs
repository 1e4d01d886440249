//! The client's name in a request for a Kerberos ticket (RFC 4120 section 5.4.1).
//!
//! A computer of an Active Directory asks for a ticket by its machine account, whose name is the host's
//! with a `$` behind it. Other accounts are people's, and no names of hosts. Later requests (TGS-REQ)
//! hold the name encrypted.

use kerberos_parser::krb5_parser::parse_as_req;

use super::written;
use crate::flow::Transport;

/// The name of the host that sent this message, by its machine account.
///
/// Over TCP the message has its length in front; only one that lies in the first segment is read.
pub(super) fn machine(payload: &[u8], transport: Transport) -> Option<String> {
    let message = match transport {
        Transport::Udp => payload,
        Transport::Tcp => payload.get(4..)?,
    };
    let (_, request) = parse_as_req(message).ok()?;
    let name = request.req_body.cname?.name_string;
    let [account] = name.as_slice() else { return None };
    written::from_octets(account.strip_suffix('$')?.as_bytes())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 128);
        [&[tag, content.len() as u8][..], content].concat()
    }

    /// An AS-REQ without pre-authentication, as a computer sends it first.
    pub fn as_req(account: &str) -> Vec<u8> {
        let name = |kind: u8, parts: &[&str]| {
            let parts: Vec<u8> = parts.iter().flat_map(|part| der(0x1b, part.as_bytes())).collect();
            der(0x30, &[der(0xa0, &[2, 1, kind]), der(0xa1, &der(0x30, &parts))].concat())
        };
        let body = [
            der(0xa0, &der(3, &[0, 0x40, 0x81, 0, 0x10])),
            der(0xa1, &name(1, &[account])),
            der(0xa2, &der(0x1b, b"CORP")),
            der(0xa3, &name(2, &["krbtgt", "CORP"])),
            der(0xa5, &der(0x18, b"20370913024805Z")),
            der(0xa7, &[2, 1, 7]),
            der(0xa8, &der(0x30, &[2, 1, 18])),
        ]
        .concat();
        // The body alone is longer than a short length can say.
        let body = [&[0x30, 0x81, body.len() as u8][..], &body].concat();
        let body = [&[0xa4, 0x81, body.len() as u8][..], &body].concat();
        let request = [der(0xa1, &[2, 1, 5]), der(0xa2, &[2, 1, 10]), body].concat();
        let request = [&[0x30, 0x81, request.len() as u8][..], &request].concat();
        [&[0x6a, 0x81, request.len() as u8][..], &request].concat()
    }

    #[test]
    fn a_machine_account_is_a_hosts_name_and_a_persons_is_not() {
        let name = |account| machine(&as_req(account), Transport::Udp);
        assert_eq!(name("KEVIN-PC$").as_deref(), Some("KEVIN-PC"));
        assert_eq!(name("kevin"), None);
        assert_eq!(name("$"), None);
        let framed = [&[0, 0, 0, 200][..], &as_req("KEVIN-PC$")].concat();
        assert_eq!(machine(&framed, Transport::Tcp).as_deref(), Some("KEVIN-PC"));
        assert_eq!(machine(&as_req("KEVIN-PC$")[..100], Transport::Udp), None);
    }

    proptest! {
        #[test]
        fn no_message_is_too_broken(bytes: Vec<u8>, flips in prop::collection::vec((any::<usize>(), any::<u8>()), 0..5)) {
            let mut damaged = as_req("KEVIN-PC$");
            for (at, octet) in flips {
                let at = at % damaged.len();
                damaged[at] = octet;
            }
            for transport in [Transport::Udp, Transport::Tcp] {
                let _ = (machine(&bytes, transport), machine(&damaged, transport));
            }
        }
    }
}
