//! Host names as they are shown: escaped, of a bounded length, and only if they can be one.

use std::fmt::Write;

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
