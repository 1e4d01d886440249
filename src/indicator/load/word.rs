//! One word of a list: what people write for a name, an address or a network, brought to one form.
//!
//! Read are names in any case and script, with or without the root's dot; the marks `=`, `*.` and a
//! leading `.` (which dnsmasq uses for a name and all below it); addresses and networks; URLs, of which
//! the host counts; and all of it "defanged", as threat reports write it so that nobody clicks:
//! `hxxps[:]//evil[.]com/path`.

use crate::indicator::IndicatorKind;
use crate::indicator::network::{BadPrefix, Network, parse_address};
use crate::name::{HASH_SLACK, NAME_LEN_MAX, NameError, NameHash, NameHasher};

/// What a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// A name in lower case, as A-labels, without a trailing dot; the root as `.`.
    Name(IndicatorKind, &'a str),
    /// An address or a network.
    Network(Network),
    /// A network that was written with bits set behind its prefix.
    NetworkWithHostBits(Network),
}

/// Why a word stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("it has no name")]
    Nothing,
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("{0:?} is not allowed in a name")]
    Character(char),
    #[error("a `*` can only mean all names below one, as in `*.evil.com`")]
    Wildcard,
    #[error("it ends in a number like an address, but is not one")]
    NoAddress,
    #[error("its prefix length is invalid")]
    Prefix,
    #[error("its port is invalid")]
    Port,
    #[error("`=`, `*.` and `.` can precede a name, not an address")]
    MarkedAddress,
    #[error("it is an e-mail address; its domain may be a provider's")]
    Mail,
    #[error("it is not a valid internationalised domain name (UTS 46)")]
    Idna,
    #[error("it is a file hash")]
    FileHash,
    #[error("it is a firewall's threat name; expected the destination that it flags")]
    Threat,
}

/// Reads words. It keeps its buffers, so that an ordinary word costs no allocation.
#[derive(Debug, Default)]
pub(super) struct WordReader {
    name: String,
    refanged: String,
}

impl WordReader {
    /// Reads one word. It holds no white space.
    pub(super) fn read(&mut self, word: &str) -> Result<Meaning<'_>, Fault> {
        // Nearly all words of long lists are plain names: they are done in one pass.
        if push_ascii_name(word, &mut self.name).is_ok() {
            if is_file_hash(&self.name) {
                return Err(Fault::FileHash);
            }
            return Ok(Meaning::Name(IndicatorKind::Domain, &self.name));
        }
        let word = refang(word, &mut self.refanged);
        let (exact, word) = match word.strip_prefix('=') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        if let Some((network, host_bits)) =
            Network::parse(word).map_err(|BadPrefix| Fault::Prefix)?
        {
            return match (exact, host_bits) {
                (true, _) => Err(Fault::MarkedAddress),
                (false, true) => Ok(Meaning::NetworkWithHostBits(network)),
                (false, false) => Ok(Meaning::Network(network)),
            };
        }
        if is_threat(word) {
            return Err(Fault::Threat);
        }
        let host = host_of(word)?;
        if let Some(address) = parse_address(host.trim_start_matches('[').trim_end_matches(']')) {
            return if exact {
                Err(Fault::MarkedAddress)
            } else {
                Ok(Meaning::Network(address.into()))
            };
        }
        let (kind, name) = match (exact, host.strip_prefix("*."), host.strip_prefix('.')) {
            (true, None, _) => (IndicatorKind::Exact, host),
            (false, Some(parent), _) => (IndicatorKind::Below, parent),
            (false, None, Some(name)) if !name.is_empty() => (IndicatorKind::Domain, name),
            (false, None, _) => (IndicatorKind::Domain, host),
            (true, Some(_), _) => return Err(Fault::Wildcard),
        };
        if parse_address(name).is_some() {
            return Err(Fault::MarkedAddress);
        }
        push_name(name, &mut self.name)?;
        Ok(Meaning::Name(kind, &self.name))
    }
}

/// Whether it is written as threats are called, `C2/Generic-A`: a path of a host without a dot is in no list.
fn is_threat(word: &str) -> bool {
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|o| o.is_ascii_alphanumeric());
    word.split_once('/').is_some_and(|(family, name)| {
        is_word(family) && name.starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

/// The host of a URL, or of what may stand without its scheme: `evil.com:8080/path`.
fn host_of(word: &str) -> Result<&str, Fault> {
    let (has_scheme, rest) = match word.split_once("://") {
        Some((_, rest)) => (true, rest),
        None => (false, word),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = match authority.rsplit_once('@') {
        Some((_, host)) if has_scheme => host,
        Some(_) => return Err(Fault::Mail),
        None => authority,
    };
    // `evil.com;comment`
    let host = host.split(';').next().unwrap_or(host);
    let (host, port) = match (host.rfind(']'), host.rsplit_once(':')) {
        (Some(end), Some((before, port))) if before.len() > end => (before, Some(port)),
        (None, Some((before, port))) if !before.contains(':') => (before, Some(port)),
        _ => (host, None),
    };
    match port {
        Some(port) if port.parse::<u16>().is_err() => Err(Fault::Port),
        _ if host.is_empty() => Err(Fault::Nothing),
        _ => Ok(host),
    }
}

/// Undoes `[.]`, `(dot)`, `[:]` and the like; other brackets stay.
fn refang<'a>(word: &'a str, out: &'a mut String) -> &'a str {
    const MEANT: [(&str, &str); 6] =
        [(".", "."), ("dot", "."), (":", ":"), ("://", "://"), ("/", "/"), ("@", "@")];
    if !word.contains(['[', '(', '{']) {
        return word;
    }
    out.clear();
    let mut rest = word;
    while let Some(open) = rest.find(['[', '(', '{']) {
        let (before, bracket) = rest.split_at(open);
        out.push_str(before);
        let mut chars = bracket.chars();
        let close = match chars.next() {
            Some('[') => ']',
            Some('(') => ')',
            _ => '}',
        };
        let inside = chars.as_str();
        let meant = MEANT.iter().find_map(|(written, meant)| {
            let (start, after) = inside.split_at_checked(written.len())?;
            Some((*meant, after.strip_prefix(close)?))
                .filter(|_| start.eq_ignore_ascii_case(written))
        });
        match meant {
            Some((meant, after)) => {
                out.push_str(meant);
                rest = after;
            }
            None => {
                out.push_str(bracket.get(..1).unwrap_or_default());
                rest = inside;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Writes a name in its kept form.
fn push_name(name: &str, out: &mut String) -> Result<(), Fault> {
    if name.contains('*') {
        return Err(Fault::Wildcard);
    }
    if name == "." {
        out.clear();
        out.push('.');
        return Ok(());
    }
    if name.is_ascii() {
        return push_ascii_name(name, out);
    }
    // No name has more text than this; the mapping's cost grows faster than its length.
    if name.len() > 4 * NAME_LEN_MAX {
        return Err(NameError::TooLong.into());
    }
    let ascii = idna::domain_to_ascii_cow(name.as_bytes(), idna::AsciiDenyList::EMPTY);
    push_ascii_name(&ascii.map_err(|_| Fault::Idna)?, out)
}

/// A name as it was scanned, in lower case.
pub(super) struct Scanned {
    /// In wire form, without the root's octet: each label behind its length.
    wire: [u8; NAME_LEN_MAX + HASH_SLACK],
    /// As text: one octet less.
    text: [u8; NAME_LEN_MAX],
    len: usize,
    labels: u32,
    /// Where in both its last two labels begin.
    last_two: usize,
}

impl Default for Scanned {
    fn default() -> Scanned {
        let (wire, text) = ([0; NAME_LEN_MAX + HASH_SLACK], [0; NAME_LEN_MAX]);
        Scanned { wire, text, len: 0, labels: 0, last_two: 0 }
    }
}

/// What an octet is in a plain name: 0 nothing, else what it is kept as.
const KEPT: [u8; 256] = {
    let mut kept = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let as_u8 = octet as u8;
        // The index is below 256.
        #[allow(clippy::indexing_slicing, reason = "a constant: it would not compile")]
        if as_u8.is_ascii_alphanumeric() || as_u8 == b'-' || as_u8 == b'_' {
            kept[octet] = as_u8.to_ascii_lowercase();
        }
        octet += 1;
    }
    kept
};

impl Scanned {
    /// Scans a line that is nothing but a name of two or more labels, such as nearly all lines of long
    /// lists are, and returns how many octets it takes with its end. `None`: it is something else, or
    /// does not end here.
    #[inline]
    pub(super) fn scan(&mut self, block: &[u8]) -> Option<usize> {
        let (mut len, mut label_start, mut last_is_number) = (0usize, 0usize, true);
        self.labels = 0;
        for &octet in block.get(..NAME_LEN_MAX + 2).unwrap_or(block) {
            let kept = *KEPT.get(usize::from(octet))?;
            if kept != 0 {
                last_is_number &= kept.is_ascii_digit();
                *self.text.get_mut(len)? = kept;
                len += 1;
                *self.wire.get_mut(len)? = kept;
                continue;
            }
            let label_len = len - label_start;
            if label_len == 0 || label_len > 63 {
                return None;
            }
            *self.wire.get_mut(label_start)? = label_len as u8;
            self.labels += 1;
            if octet == b'.' {
                *self.text.get_mut(len)? = octet;
                len += 1;
                self.last_two = label_start;
                (label_start, last_is_number) = (len, true);
                continue;
            }
            let ending = match octet {
                b'\n' => 1,
                b'\r' if block.get(len + 1) == Some(&b'\n') => 2,
                _ => return None,
            };
            if self.labels < 2 || last_is_number || len + 2 > NAME_LEN_MAX {
                return None;
            }
            self.len = len;
            return Some(len + ending);
        }
        None
    }

    /// The name in its kept form.
    pub(super) fn name(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }

    /// Its hash, and how many labels it has.
    #[inline]
    pub(super) fn hash(&self, hasher: &NameHasher) -> (NameHash, u32) {
        (hasher.hash_labels(&self.wire, self.last_two, self.len + 1).0, self.labels)
    }
}

/// Writes a name of letters, digits, hyphens and underscores in its kept form.
fn push_ascii_name(name: &str, out: &mut String) -> Result<(), Fault> {
    let name = name.strip_suffix('.').unwrap_or(name);
    out.clear();
    let (mut label_len, mut label_is_number) = (0, true);
    for octet in name.bytes() {
        match octet {
            b'.' if label_len == 0 => return Err(NameError::EmptyLabel.into()),
            b'.' => (label_len, label_is_number) = (0, true),
            b'0'..=b'9' => label_len += 1,
            b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => {
                label_len += 1;
                label_is_number = false;
            }
            _ => {
                let other = name.chars().find(|other| !is_name_char(*other));
                return Err(Fault::Character(other.unwrap_or(char::REPLACEMENT_CHARACTER)));
            }
        }
        if label_len > 63 {
            return Err(NameError::LabelTooLong.into());
        }
        out.push(octet.to_ascii_lowercase().into());
    }
    match label_len {
        0 => Err(NameError::EmptyLabel.into()),
        _ if label_is_number => Err(Fault::NoAddress),
        // In wire form a length octet stands before each label, and the root behind the last.
        _ if out.len() + 2 > NAME_LEN_MAX => Err(NameError::TooLong.into()),
        _ => Ok(()),
    }
}

/// Whether it is as long as an MD5, SHA-1 or SHA-256 hash, and hexadecimal. Those of longer hashes are
/// longer than a label.
fn is_file_hash(name: &str) -> bool {
    matches!(name.len(), 32 | 40 | 64) && name.bytes().all(|octet| octet.is_ascii_hexdigit())
}

fn is_name_char(other: char) -> bool {
    other.is_ascii_alphanumeric() || matches!(other, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::IndicatorKind::{Below, Domain, Exact};
    use crate::name::{Name, push_from_text};
    use proptest::prelude::*;

    #[test]
    fn one_form_for_all_that_people_write() {
        let mut reader = WordReader::default();
        for (word, kind, name) in [
            ("evil.com", Domain, "evil.com"),
            ("EVIL.Com.", Domain, "evil.com"),
            (".evil.com", Domain, "evil.com"),
            ("=Evil.com.", Exact, "evil.com"),
            ("*.Evil.com", Below, "evil.com"),
            ("*[.]evil[.]com", Below, "evil.com"),
            ("=evil[.]com", Exact, "evil.com"),
            ("_dmarc.evil.com", Domain, "_dmarc.evil.com"),
            ("x-.-y.com", Domain, "x-.-y.com"),
            ("com", Domain, "com"),
            (".", Domain, "."),
            ("=.", Exact, "."),
            ("1.2.3.4.in-addr.arpa", Domain, "1.2.3.4.in-addr.arpa"),
            ("evil[.]com", Domain, "evil.com"),
            ("evil(.)com", Domain, "evil.com"),
            ("evil{.}com", Domain, "evil.com"),
            ("evil[dot]com", Domain, "evil.com"),
            ("evil(DOT)com", Domain, "evil.com"),
            ("hxxp://evil[.]com/path", Domain, "evil.com"),
            ("hxxps[:]//evil[.]com", Domain, "evil.com"),
            ("hXXps[://]evil[.]com[/]a", Domain, "evil.com"),
            ("http://user:pa:ss@evil.com:8080/a?b#c", Domain, "evil.com"),
            ("https://evil.com?x=http://good.com", Domain, "evil.com"),
            ("http://u;p@evil.com/", Domain, "evil.com"),
            ("evil.com/24", Domain, "evil.com"),
            ("evil.com:443", Domain, "evil.com"),
            ("evil.com//comment", Domain, "evil.com"),
            ("evil.com;comment", Domain, "evil.com"),
            ("evil.com#comment", Domain, "evil.com"),
            ("http://*.evil.com/*", Below, "evil.com"),
            ("münchen.example", Domain, "xn--mnchen-3ya.example"),
            ("*.MÜNCHEN.example.", Below, "xn--mnchen-3ya.example"),
            ("http://пример.рф/x", Domain, "xn--e1afmkfd.xn--p1ai"),
            ("例え。テスト", Domain, "xn--r8jz45g.xn--zckzah"),
            ("\u{200b}evil.com", Domain, "evil.com"),
            ("ＥＶＩＬ.com", Domain, "evil.com"),
        ] {
            assert_eq!(reader.read(word), Ok(Meaning::Name(kind, name)), "{word}");
        }
    }

    #[test]
    fn addresses_in_every_dress() {
        let mut reader = WordReader::default();
        for (word, shown) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192[.]0[.]2[.]1", "192.0.2.1"),
            ("192.0.2.1:443", "192.0.2.1"),
            ("192.0.2.1/mal.exe", "192.0.2.1"),
            ("http://192.0.2.1:80/24", "192.0.2.1"),
            ("http://192.0.2.0/24", "192.0.2.0"),
            ("192.0.2[.]0/24", "192.0.2.0/24"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("2001[:]db8[:][:]1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:53", "2001:db8::1"),
            ("http://[2001:db8::1]:8080/x", "2001:db8::1"),
            ("http://u@[::1]/", "::1"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            match reader.read(word) {
                Ok(Meaning::Network(network)) => assert_eq!(network.to_string(), shown, "{word}"),
                other => panic!("{word}: {other:?}"),
            }
        }
        let host_bits = reader.read("192.0.2.9/24");
        assert!(
            matches!(host_bits, Ok(Meaning::NetworkWithHostBits(n)) if n.to_string() == "192.0.2.0/24")
        );
    }

    #[test]
    fn traps_are_refused_with_the_reason() {
        let mut reader = WordReader::default();
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = format!("{}com", "abcdefg.".repeat(32));
        for (word, fault) in [
            ("a..b", NameError::EmptyLabel.into()),
            ("..evil.com", NameError::EmptyLabel.into()),
            ("evil.com..", NameError::EmptyLabel.into()),
            ("=", Fault::Nothing),
            ("http://", Fault::Nothing),
            ("http:///path", Fault::Nothing),
            (long_label.as_str(), NameError::LabelTooLong.into()),
            (long_name.as_str(), NameError::TooLong.into()),
            ("*", Fault::Wildcard),
            ("*.", NameError::EmptyLabel.into()),
            ("*evil.com", Fault::Wildcard),
            ("evil.*", Fault::Wildcard),
            ("a.*.com", Fault::Wildcard),
            ("*.*.com", Fault::Wildcard),
            ("=*.evil.com", Fault::Wildcard),
            ("evil\\.com", Fault::Character('\\')),
            ("||evil.com^", Fault::Character('|')),
            ("evil.com,malware", Fault::Character(',')),
            ("%65vil.com", Fault::Character('%')),
            ("evil[.com", Fault::Character('[')),
            ("x@evil.com", Fault::Mail),
            ("x[@]evil[.]com", Fault::Mail),
            ("999.0.0.1", Fault::NoAddress),
            ("192.0.2", Fault::NoAddress),
            ("192.0.2.1-192.0.2.9", Fault::NoAddress),
            ("1234", Fault::NoAddress),
            ("192.0.2.0/33", Fault::Prefix),
            ("C2/Generic-A", Fault::Threat),
            ("Troj/Agent-BKGA", Fault::Threat),
            ("evil.com:", Fault::Port),
            ("evil.com:http", Fault::Port),
            ("mailto:x", Fault::Port),
            ("=192.0.2.1", Fault::MarkedAddress),
            ("*.192.0.2.1", Fault::MarkedAddress),
            ("xn--\u{fffd}.com", Fault::Idna),
            ("d41d8cd98f00b204e9800998ecf8427e", Fault::FileHash),
        ] {
            assert_eq!(reader.read(word), Err(fault), "{word}");
        }
    }

    proptest! {
        #[test]
        fn what_is_scanned_is_what_is_read(line in "[a-cA-C0-2_.*=:-]{1,30}|([A-Za-z0-9]{1,70}\\.){1,5}[a-z]{1,3}") {
            let hasher = NameHasher::new([3, 4]);
            let mut scanned = Scanned::default();
            for ending in ["\n", "\r\n"] {
                let text = format!("{line}{ending}next.example\n");
                let Some(used) = scanned.scan(text.as_bytes()) else { continue };
                prop_assert_eq!(used, line.len() + ending.len());
                let mut reader = WordReader::default();
                let name = std::str::from_utf8(scanned.name()).unwrap();
                prop_assert_eq!(reader.read(&line), Ok(Meaning::Name(Domain, name)));
                let mut wire = Vec::new();
                push_from_text(&line, &mut wire).unwrap();
                let wire = Name::from_wire(&wire);
                let hashed = (hasher.hash(wire), wire.label_count() as u32);
                prop_assert_eq!(scanned.hash(&hasher), hashed);
            }
        }
    }

    #[test]
    fn nearly_all_lines_of_a_long_list_are_scanned() {
        let mut scanned = Scanned::default();
        for line in ["evil.com\n", "C2.Evil-1.com\r\n", "_x.evil.c0m\n"] {
            assert_eq!(scanned.scan(line.as_bytes()), Some(line.len()));
        }
        for line in
            ["evil.com", "com\n", "evil.com.\n", "1.2.3.4\n", "a..b\n", "a.b c\n", "a.b\rc\n", "\n"]
        {
            assert_eq!(scanned.scan(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn the_longest_name_is_read() {
        let name = format!("{}.{}", "abcdefg.".repeat(31), "wxyz");
        let name = name.replacen("..", ".", 1);
        assert_eq!(name.len(), 252);
        let longest = format!("{name}q");
        let mut reader = WordReader::default();
        assert_eq!(reader.read(&longest), Ok(Meaning::Name(Domain, &longest)));
        assert_eq!(reader.read(&format!("{longest}r")), Err(NameError::TooLong.into()));
    }
}
