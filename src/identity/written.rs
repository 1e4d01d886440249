//! Host names as they are shown: escaped, of a bounded length, and only if they can be one.

use std::fmt::Write;
use std::net::IpAddr;

use crate::name::Name;
use crate::text::{escaped, is_unseen};

/// The longest host name that is kept, in octets as they came (RFC 1035 section 2.3.4).
const OCTETS_MAX: usize = 255;

/// A name from the octets of a text field; `None` of an empty or impossibly long one.
///
/// Trailing zeros, blanks and dots are left out. A backslash and whatever does not print is written as
/// `\DDD`, as [`Name`] does.
pub(super) fn from_octets(octets: &[u8]) -> Option<String> {
    let end = octets.iter().rposition(|octet| !matches!(octet, 0 | b' ' | b'.'))? + 1;
    let octets = octets.get(..end)?;
    let begin = octets.iter().position(|octet| *octet != b' ')?;
    let octets = octets.get(begin..)?;
    (octets.len() <= OCTETS_MAX).then(|| escaped(octets))
}

/// A name from the text of an inventory: letters of any script are let through, what is not to be seen
/// is not.
pub(super) fn from_text(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() || text.len() > OCTETS_MAX {
        return None;
    }
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => write!(name, "\\{:03}", u32::from(c)).ok()?,
            c if is_unseen(c) => name.extend(c.escape_unicode()),
            c => name.push(c),
        }
    }
    Some(name)
}

/// As [`from_text`], of what can be a host name: no dash, no word that says there is none, no address of any kind.
pub(super) fn host_name(text: &str) -> Option<String> {
    const NONE: [&str; 9] =
        ["n/a", "na", "none", "null", "unknown", "unbekannt", "empty", "(none)", "(unknown)"];
    let name = from_text(text)?;
    let is_none = NONE.iter().any(|none| name.eq_ignore_ascii_case(none));
    let has_signs = name.contains(char::is_alphanumeric);
    let is_address = name.parse::<IpAddr>().is_ok() || is_link_address(&name);
    (has_signs && !is_none && !is_address).then_some(name)
}

/// Whether a text is written as a link-layer address is, of six octets or eight.
pub(super) fn is_link_address(text: &str) -> bool {
    let is_hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|octet| octet.is_ascii_hexdigit())
    };
    let is_of = |mark: char, digits: usize| {
        let mut parts = text.split(mark);
        matches!((text.split(mark).count(), digits), (6 | 8, 2) | (3 | 4, 4))
            && parts.all(|part| is_hex(part, digits))
    };
    [(':', 2), ('-', 2), ('.', 4), ('-', 4), (':', 4)]
        .into_iter()
        .any(|(mark, digits)| is_of(mark, digits))
        || is_hex(text, 12) && text.bytes().any(|octet| octet.is_ascii_digit())
}

/// A name from its wire form; `None` of the root.
pub(super) fn from_wire(wire: &[u8]) -> Option<String> {
    let name = Name::from_wire(wire);
    (!name.is_root()).then(|| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_trimmed_and_escaped() {
        assert_eq!(from_octets(b"pc-042\0").as_deref(), Some("pc-042"));
        assert_eq!(from_octets(b" pc 1 . ").as_deref(), Some("pc\\0321"));
        assert_eq!(from_octets(b"a\x1b[31m\\").as_deref(), Some("a\\027[31m\\092"));
        assert_eq!(from_octets(b"\0\0"), None);
        assert_eq!(from_octets(&[b'a'; 256]), None);
        assert_eq!(from_text(" büro-3. ").as_deref(), Some("büro-3"));
        assert_eq!(from_text("a\u{202e}b\u{7}").as_deref(), Some("a\\u{202e}b\\007"));
        assert_eq!(from_text("a\u{2060}b\u{ad}").as_deref(), Some("a\\u{2060}b\\u{ad}"));
        for name in ["pc-1", "büro-3", "Kevins Laptop", "1and1", "decade-decade", "cafe"] {
            assert_eq!(host_name(name).as_deref(), Some(name));
        }
        for none in [
            "-",
            "--",
            "*",
            "?",
            " ",
            "n/a",
            "None",
            "10.0.0.5",
            "fd00::1",
            "00-1b-21-3c-00-1c",
            "00:1B:21:3c:00:1c",
            "001b.213c.001c",
            "001b213c001c",
        ] {
            assert_eq!(host_name(none), None, "{none}");
        }
        assert_eq!(from_wire(b"\x02pc\x03lan\0").as_deref(), Some("pc.lan"));
        assert_eq!(from_wire(b"\0"), None);
    }

    proptest! {
        #[test]
        fn what_is_shown_prints(octets: Vec<u8>) {
            if let Some(name) = from_octets(&octets) {
                prop_assert!(!name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic()));
            }
        }
    }
}
