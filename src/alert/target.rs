//! What cannot be what an alert flags: the host that it blames, the threat's name, a host of one's own.
//!
//! An alert has three columns, and a tired person copies the wrong one. To look for it would be worse than
//! useless: everybody talks to the DNS server.

use std::net::{IpAddr, SocketAddr};

use crate::flow::Address;

/// What to give instead.
const GIVE: &str = "Give what it flags (its Destination column): a name such as mi.kenal-cn.com, or an outside \
                    address";

/// Why a target cannot be what is flagged, where it tells so itself: it is a DNS server of `declared`, an
/// address of the network, or a threat's name.
pub fn refused(target: &str, declared: &[Vec<Address>]) -> Option<String> {
    let target = target.trim();
    if let Some(address) = address_meant(target) {
        let is_server = declared.iter().flatten().any(|server| *server == address);
        return match is_server {
            true => Some(own_server(address)),
            false => address.is_internal().then(|| {
                format!(
                    "{address} is in your own network (a DNS server or a client): it is what the alert blames, not \
                     what it flags. {GIVE}"
                )
            }),
        };
    }
    // `C2/Generic-A`, `Troj/Agent`: neither a URL nor a network.
    let family = target.split_once('/').map_or("", |(family, _)| family);
    let is_threat = !family.is_empty() && !family.contains(['.', ':']);
    is_threat.then(|| format!("{target} is the firewall's name for the threat. {GIVE}"))
}

/// The address that a target is, alone or as that of a URL, with a port or without, defanged or not.
fn address_meant(target: &str) -> Option<Address> {
    let plain = target.replace("[.]", ".").replace("(.)", ".");
    let host = plain.split_once("://").map_or(plain.as_str(), |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let alone = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let ip = alone.or_else(|_| host.parse::<SocketAddr>().map(|end| end.ip()));
    ip.ok().map(Address::from)
}

/// The same where nobody has seen yet what is asked for: of a name without a dot, too.
pub fn refused_beforehand(target: &str, declared: &[Vec<Address>]) -> Option<String> {
    let is_bare = !target.contains(['.', ':']);
    refused(target, declared).or_else(|| {
        is_bare.then(|| {
            format!("{target} is a name without a dot: a host of yours, or a threat's name. {GIVE}")
        })
    })
}

/// That an address is a DNS server.
pub(super) fn own_server(address: Address) -> String {
    format!("{address} is your DNS server: it is what the alert blames, not what it flags. {GIVE}")
}

/// That a word is no name that could be flagged.
pub(super) fn no_name(word: &str) -> String {
    format!(
        "{word} is a name without a dot that nobody asked for: a host of yours, or a threat's name. {GIVE}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_other_columns_is_refused() {
        let declared = vec![vec![Address::from("203.0.113.53".parse::<IpAddr>().unwrap())]];
        for (target, words) in [
            ("192.168.2.194", "in your own network"),
            ("[fd20::10]", "in your own network"),
            ("203.0.113.53", "203.0.113.53 is your DNS server"),
            ("203.0.113.53:53", "203.0.113.53 is your DNS server"),
            ("https://192.168.2.42/a", "in your own network"),
            ("192[.]168[.]2[.]42:443", "in your own network"),
            ("[fd20::10]:443", "in your own network"),
            ("C2/Generic-A", "the firewall's name for the threat"),
        ] {
            let why = refused(target, &declared).unwrap();
            assert!(why.contains(words) && why.contains("Destination column"), "{target}: {why}");
        }
        for target in
            ["mi.kenal-cn.com", "203.0.113.7", "hxxp://x1.ad-sync[.]net/a", "evil.com/a", "com", ""]
        {
            assert_eq!(refused(target, &declared), None, "{target}");
        }
    }

    #[test]
    fn before_anything_was_seen_a_word_is_no_name() {
        for target in ["march", "192.168.2.194", "C2/Generic-A"] {
            assert!(refused_beforehand(target, &[]).is_some(), "{target}");
        }
        for target in ["mi.kenal-cn.com", "203.0.113.7", "2001:db8::7"] {
            assert_eq!(refused_beforehand(target, &[]), None, "{target}");
        }
    }
}
