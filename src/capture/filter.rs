//! BPF filters (`--filter EXPR`), in libpcap's language and compiled by libpcap.

use std::collections::BTreeMap;

use pcap::{BpfProgram, Capture, Linktype};

use super::fault::{CaptureError, Fault};
use crate::frame::LinkType;

/// A filter expression with its program for each link type met so far; `None` where there can be none.
pub(super) struct Filter {
    expression: String,
    programs: BTreeMap<u16, Option<BpfProgram>>,
}

impl Filter {
    /// Compiles the expression for the link types that are known to come. It is wrong when it can be
    /// compiled for none of them.
    pub fn new(expression: &str, links: &[LinkType]) -> Result<Filter, CaptureError> {
        let mut filter = Filter { expression: expression.to_owned(), programs: BTreeMap::new() };
        let ethernet = [LinkType(1)];
        let mut failure = None;
        for &link in if links.is_empty() { &ethernet } else { links } {
            match compile(expression, link) {
                Ok(program) => {
                    filter.programs.insert(link.0, Some(program));
                }
                Err(message) => failure = Some(message),
            }
        }
        match failure {
            Some(message) if filter.programs.is_empty() => {
                Err(CaptureError::Filter { expression: filter.expression, message })
            }
            _ => Ok(filter),
        }
    }

    /// Whether a frame passes. Frames of a link type that the expression makes no sense for do not; the
    /// first of them is a fault.
    pub fn passes(&mut self, link: LinkType, bytes: &[u8]) -> Result<bool, Fault> {
        if let Some(program) = self.programs.get(&link.0) {
            return Ok(program.as_ref().is_some_and(|program| program.filter(bytes)));
        }
        match compile(&self.expression, link) {
            Ok(program) => {
                let passes = program.filter(bytes);
                self.programs.insert(link.0, Some(program));
                Ok(passes)
            }
            Err(message) => {
                self.programs.insert(link.0, None);
                Err(Fault::FilterLink { link: link.0, message })
            }
        }
    }
}

fn compile(expression: &str, link: LinkType) -> Result<BpfProgram, String> {
    // The program is all that is needed of the handle.
    Capture::dead(data_link(link)).and_then(|handle| handle.compile(expression, true)).map_err(
        |error| match error {
            pcap::Error::PcapError(message) => message,
            other => other.to_string(),
        },
    )
}

/// The number by which libpcap knows a link type: its own (DLT_...), which differs from that in files
/// (LINKTYPE_...) for a few old types.
fn data_link(link: LinkType) -> Linktype {
    match link.0 {
        101 => Linktype(12),
        100 => Linktype(11),
        other => Linktype(i32::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETHERNET: LinkType = LinkType(1);

    /// An IPv4 packet with a UDP datagram from port 53 to port 53.
    fn datagram() -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        packet.extend([0, 53, 0, 53, 0, 8, 0, 0]);
        packet
    }

    #[test]
    fn each_link_type_has_its_own_program() {
        let mut filter = Filter::new("udp port 53", &[ETHERNET]).unwrap();
        let framed = [&[0; 12], &[8, 0][..], &datagram()].concat();
        assert_eq!(filter.passes(ETHERNET, &framed), Ok(true));
        assert_eq!(filter.passes(LinkType(101), &datagram()), Ok(true), "raw IP is 101 in files");
        assert_eq!(filter.passes(LinkType(101), &framed), Ok(false));
        assert_eq!(filter.passes(ETHERNET, &[]), Ok(false));
    }

    #[test]
    fn a_bad_expression_is_an_error_in_the_words_of_libpcap() {
        let Err(CaptureError::Filter { expression, message }) = Filter::new("udp prot 53", &[])
        else {
            panic!("it must not compile");
        };
        assert_eq!(expression, "udp prot 53");
        assert!(message.contains("syntax error"), "{message}");
    }

    #[test]
    fn an_expression_may_fit_only_some_link_types() {
        assert!(Filter::new("wlan type mgt", &[ETHERNET]).is_err());
        let mut filter = Filter::new("wlan type mgt", &[ETHERNET, LinkType(105)]).unwrap();
        assert!(matches!(
            filter.passes(ETHERNET, &[0; 60]),
            Err(Fault::FilterLink { link: 1, .. })
        ));
        assert_eq!(filter.passes(ETHERNET, &[0; 60]), Ok(false), "and is said once");
        assert_eq!(filter.passes(LinkType(105), &[0; 60]), Ok(true));
    }
}
