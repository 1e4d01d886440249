//! What a single value of a row is: nothing at all, an address, a name, a count.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use crate::flow::Address;

/// An address and a port without what SonicWall writes behind them, an interface and a name: `203.0.113.67:443:X1`,
/// `192.168.2.12:53211:X0:dc02`.
pub(crate) fn without_interface(text: &str) -> &str {
    let mut ends = text.match_indices(':').filter_map(|(at, _)| text.get(..at));
    let is_whole = |text: &&str| text.parse::<SocketAddr>().is_ok();
    ends.find(is_whole).filter(|_| !is_address(text)).unwrap_or(text)
}

/// An address without the port behind it, and what may stand behind that.
pub(crate) fn without_port(text: &str) -> &str {
    let end = without_interface(text);
    match end.rsplit_once(':') {
        Some((address, _)) if refanged(end).parse::<SocketAddr>().is_ok() => {
            address.trim_matches(['[', ']'])
        }
        _ => text,
    }
}

/// What a threat is called: a number calls nothing.
pub(crate) fn threat_name(threat: &str) -> Option<&str> {
    present_value(threat).filter(|threat| threat.contains(char::is_alphabetic))
}

/// What stands in place of a threat where there was none. A dash, or nothing, says less: many logs have the threat elsewhere.
const NONE: [&str; 13] = [
    "none",
    "no threat",
    "no threats",
    "clean",
    "benign",
    "not malicious",
    "false positive",
    "keine",
    "kein",
    "aucune",
    "aucun",
    "ninguna",
    "nessuna",
];

/// Whether a threat is that there was none.
pub(crate) fn is_no_threat(threat: &str) -> bool {
    let threat = threat.trim().trim_matches(['.', '(', ')', '"']);
    NONE.iter().any(|none| threat.eq_ignore_ascii_case(none))
}

/// An address without what a page shows behind it: `192.168.2.42 (pc42)`.
pub(crate) fn without_remark(text: &str) -> &str {
    let first = text.split_whitespace().next();
    first.filter(|first| is_address(first)).unwrap_or(text)
}

pub(crate) fn shortened(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// A value, unless it only says that there is none.
pub(crate) fn present_value(value: &str) -> Option<&str> {
    let value = value.trim().trim_matches('"').trim();
    let nothing = ["", "-", "--", "n/a", "none", "null", "unknown", "0.0.0.0", "::", "0"];
    (!nothing.iter().any(|word| value.eq_ignore_ascii_case(word))).then_some(value)
}

/// Whether it can be a name, an address or a URL; the last word has who reads indicators.
pub(crate) fn is_destination(text: &str) -> bool {
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    // `*.evil.com` is all below it.
    let host = host.strip_prefix("*.").or_else(|| host.strip_prefix("*[.]")).unwrap_or(host);
    let is_host_char = |c: char| c.is_alphanumeric() || ".-_:[]()%@".contains(c);
    is_address(host)
        || host.len() <= 1_024
            && host.contains('.')
            && host.chars().all(is_host_char)
            && host.chars().any(char::is_alphabetic)
}

/// Whether it is an address, with a port or without, defanged or not.
pub(crate) fn is_address(text: &str) -> bool {
    let text = refanged(text);
    text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok()
}

/// Undoes what keeps people from clicking: `203[.]0[.]113[.]10`.
pub(crate) fn refanged(text: &str) -> Cow<'_, str> {
    let is_defanged = text.contains("[.]") || text.contains("(.)");
    if is_defanged { text.replace("[.]", ".").replace("(.)", ".").into() } else { text.into() }
}

/// Whether it can stand in the internet: a firewall flags nothing else. `dc1.office.lan` and `update.php` end in no
/// suffix under which anybody registers names.
pub(crate) fn is_public(text: &str) -> bool {
    let host = host_of(text);
    let alone = host.trim_matches(['[', ']']).parse::<IpAddr>();
    match alone.or_else(|_| host.parse::<SocketAddr>().map(|end| end.ip())) {
        Ok(ip) => !Address::from(ip).is_internal(),
        Err(_) => has_known_suffix(host.split(':').next().unwrap_or_default()),
    }
}

/// Whether a name in lower case stands under a suffix that is known, or is registered there itself.
pub(crate) fn has_known_suffix(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    // The list knows it, yet it is for homes.
    let is_homes = name.ends_with(".home.arpa");
    let is_known = |name: addr::dns::Name<'_>| name.root().is_some() && name.has_known_suffix();
    !is_homes && addr::parse_dns_name(name).is_ok_and(is_known)
}

/// The host of a URL, or what is none, plain and in lower case.
pub(crate) fn host_of(text: &str) -> String {
    let plain = refanged(text).to_lowercase();
    let rest = plain.split_once("://").map_or(plain.as_str(), |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.strip_prefix("*.").unwrap_or(host);
    host.rsplit_once('@').map_or(host, |(_, host)| host).to_owned()
}

/// A count, its thousands apart or not: `1473`, `1,473`, `1 473`.
pub(crate) fn parse_count(text: &str) -> Option<u64> {
    let text = text.trim().trim_matches('"');
    let apart = |c: char| c.is_whitespace() || matches!(c, ',' | '.' | '\'' | '\u{2019}');
    let groups: Vec<&str> = text.split(apart).collect();
    let is_group = |group: &&str| !group.is_empty() && group.bytes().all(|o| o.is_ascii_digit());
    let (first, others) = groups.split_first()?;
    let whole = is_group(first)
        && (others.is_empty() || first.len() <= 3)
        && others.iter().all(|group| is_group(group) && group.len() == 3);
    if whole { groups.concat().parse().ok() } else { None }
}

/// A word for a thing, as headers and keys write it: without case, blanks and marks.
pub(crate) fn normalized_key(key: &str) -> String {
    key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a key is a word that stands in the one spelling, as [`plain_key`] would have it.
pub(crate) fn is_same_key(key: &str, word: &str) -> bool {
    let plain = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    plain.eq(word.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_however_their_thousands_stand_apart() {
        for text in ["1473", "1 473", "1,473", "1.473", "1'473", "1\u{a0}473", "1\u{202f}473"] {
            assert_eq!(parse_count(text), Some(1473), "{text}");
        }
        assert_eq!(parse_count("12 1 473"), None, "two numbers");
        for text in ["", "x", "1 47", "1473 000", "1,,473", "-3"] {
            assert_eq!(parse_count(text), None, "{text}");
        }
    }

    #[test]
    fn destinations_are_names_addresses_and_urls() {
        for text in [
            "evil.com",
            "192.0.2.1",
            "2001:db8::1",
            "http://evil.com/a b?c",
            "evil[.]com",
            "203[.]0[.]113[.]10",
            "*.evil.com",
            "*[.]evil[.]com",
            "192.0.2.1:443",
            "x_y.de.",
        ] {
            assert!(is_destination(text), "{text}");
        }
        for text in [
            "",
            "*.",
            "*",
            "a*.com",
            "evil",
            "AFCd",
            "C2/Generic-A",
            "User/Host",
            "1 473",
            "a b.com",
            "3.14",
        ] {
            assert!(!is_destination(text), "{text}");
        }
    }

    #[test]
    fn what_is_outside_has_a_suffix_that_is_known_or_an_address_of_nobodys_own() {
        for text in [
            "evil.com",
            "Evil.COM.",
            "x1.ad-sync[.]net:443",
            "hxxp://a@evil.co.uk/a.lan",
            "203.0.113.66",
            "203[.]0[.]113[.]66",
            "*.evil.com",
            "http://203.0.113.66:80/a",
            "[2001:db8::1]:443",
        ] {
            assert!(is_public(text), "{text}");
        }
        for text in [
            "dc1.office.lan",
            "office.local",
            "a.corp",
            "a.internal",
            "nas.home.arpa",
            "pc1",
            "com",
            "update.php",
            "http://intranet.lan/evil.com",
            "192.168.2.194:53",
            "fd00::10",
            "",
        ] {
            assert!(!is_public(text), "{text}");
        }
    }

    #[test]
    fn of_an_end_of_a_connection_the_address_counts() {
        for (text, address) in [
            ("203.0.113.67:443", "203.0.113.67"),
            ("203.0.113.67:443:X1", "203.0.113.67"),
            ("192.168.2.12:53211:X0:dc02", "192.168.2.12"),
            ("192.168.2.12:53211:X0:dc02.corp.local", "192.168.2.12"),
            ("203[.]0[.]113[.]67:443", "203[.]0[.]113[.]67"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("192.168.2.12", "192.168.2.12"),
            ("evil.com:443", "evil.com:443"),
            ("dc1", "dc1"),
        ] {
            assert_eq!(without_port(text), address, "{text}");
        }
    }
}
