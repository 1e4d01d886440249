//! Hosts files, as block lists are often written: an address, then the names that shall lead to it
//! (hosts(5)). The address only says "nowhere"; the names are what is listed.

use std::net::IpAddr;

use crate::flow::Address;
use crate::indicator::network::parse_address;

/// Names that hosts files hold for the machine itself, and that nobody means to list.
const FURNITURE: [&str; 17] = [
    "0.0.0.0",
    "broadcasthost",
    "ip6-allhosts",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-localhost",
    "ip6-localnet",
    "ip6-loopback",
    "ip6-mcastprefix",
    "local",
    "localdomain",
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost4.localdomain4",
    "localhost6",
    "localhost6.localdomain6",
];

/// The address and the names of a line; `None` when it does not begin with an address, or has nothing
/// behind it.
pub(super) fn split(content: &str) -> Option<(Address, impl Iterator<Item = &str>)> {
    let mut words = content.split_whitespace();
    let address = parse_address(words.next()?)?;
    let mut names = words.peekable();
    names.peek()?;
    Some((address.into(), names))
}

/// Whether a name belongs to every hosts file.
pub(super) fn is_furniture(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    FURNITURE.iter().any(|furniture| name.eq_ignore_ascii_case(furniture))
}

/// Whether an address is one that leads nowhere or to the user's own network, as in a block list.
pub(super) fn leads_nowhere(address: Address) -> bool {
    let ip = address.ip();
    let is_broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    ip.is_unspecified() || ip.is_multicast() || is_broadcast || address.is_internal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_address_and_names() {
        let names = |line| split(line).map(|(_, names)| names.collect::<Vec<_>>());
        assert_eq!(names("0.0.0.0 evil.com\talias2"), Some(vec!["evil.com", "alias2"]));
        assert_eq!(names("::1  evil.com"), Some(vec!["evil.com"]));
        assert_eq!(names("fe80::1%lo0 localhost"), Some(vec!["localhost"]));
        assert_eq!(names("0.0.0.0"), None);
        assert_eq!(names("evil.com 0.0.0.0"), None);
    }

    #[test]
    fn the_machine_itself_is_furniture() {
        assert!(is_furniture("LocalHost") && is_furniture("localhost.localdomain."));
        assert!(!is_furniture("localhost.evil.com"));
    }

    #[test]
    fn block_lists_point_nowhere() {
        let nowhere = |text: &str| leads_nowhere(parse_address(text).unwrap().into());
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "127.0.1.1",
            "::",
            "::1",
            "ff02::1",
            "192.168.0.9",
            "255.255.255.255",
        ] {
            assert!(nowhere(text), "{text}");
        }
        assert!(!nowhere("203.0.113.7"));
    }
}
