//! Domain names in uncompressed wire form, and the keyed hash that distinguishes them.
//!
//! A name is stored as its labels, each after its length octet, ending in the root's zero octet
//! (RFC 1035 section 3.1), in the letter case of the packet. Comparing and hashing fold ASCII case
//! (RFC 4343), so `WWW.Example.COM` and `www.example.com` are one name.
//!
//! Names are distinguished by a keyed hash of these octets. An ancestor is the last part of them, so its hash,
//! which suffix matching and zone walks need, is the hash of that part.

use std::fmt;

/// The longest name in octets, with length octets and root (RFC 1035 section 2.3.4).
pub const NAME_LEN_MAX: usize = 255;
/// The most labels a name of 255 octets can hold, the root left out.
pub const LABELS_MAX: usize = 127;

/// A name in uncompressed wire form.
#[derive(Clone, Copy)]
pub struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    /// The root, `.`.
    pub const ROOT: Name<'static> = Name(&[0]);

    /// Takes octets that are known to be a whole uncompressed name. Anything else is safe but shows
    /// as the labels that could be walked.
    pub fn from_wire(wire: &'a [u8]) -> Name<'a> {
        Name(wire)
    }

    /// Its wire octets.
    pub fn wire(self) -> &'a [u8] {
        self.0
    }

    /// Whether it is the root.
    pub fn is_root(self) -> bool {
        self.0.first().is_none_or(|&len| len == 0)
    }

    /// Its labels from the left, without the root's empty one.
    pub fn labels(self) -> Labels<'a> {
        Labels(self.0)
    }

    /// The name without its first label; `None` of the root.
    pub fn parent(self) -> Option<Name<'a>> {
        let len = *self.0.first()? as usize;
        if len == 0 { None } else { self.0.get(1 + len..).map(Name) }
    }

    /// Its ancestors: itself, then one label less each time, the root last.
    pub fn suffixes(self) -> impl Iterator<Item = Name<'a>> {
        std::iter::successors(Some(self), |name| name.parent())
    }

    /// How many labels it has, the root left out.
    pub fn label_count(self) -> usize {
        self.labels().count()
    }

    /// Whether it is `other` or stands below it, case aside.
    pub fn is_at_or_below(self, other: Name<'_>) -> bool {
        let Some(skip) = self.0.len().checked_sub(other.0.len()) else { return false };
        let Some(tail) = self.0.get(skip..) else { return false };
        tail.eq_ignore_ascii_case(other.0)
            && self.suffixes().any(|suffix| suffix.0.len() == other.0.len())
    }

    /// The name of at most its last two labels: `example.com` of `www.example.com`.
    pub fn last_two_labels(self) -> Name<'a> {
        let skip = self.label_count().saturating_sub(2);
        self.suffixes().nth(skip).unwrap_or(self)
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Name<'_>) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Name<'_> {}

/// RFC 1035 section 5.1: no trailing dot, the root as `.`; a dot or backslash inside a label escaped
/// as `\.` and `\\`, what does not print as `\DDD`.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for (place, label) in self.labels().enumerate() {
            if place > 0 {
                f.write_str(".")?;
            }
            for &octet in label {
                match octet {
                    b'.' | b'\\' => write!(f, "\\{}", octet as char)?,
                    0x21..=0x7e => write!(f, "{}", octet as char)?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The labels of a [`Name`], from the left.
#[derive(Clone, Debug)]
pub struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        let (&len, rest) = self.0.split_first()?;
        if len == 0 || len as usize > rest.len() {
            return None;
        }
        let (label, rest) = rest.split_at(len as usize);
        self.0 = rest;
        Some(label)
    }
}

/// Why a text is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Two dots in a row, or a leading dot.
    #[error("it has an empty label")]
    EmptyLabel,
    /// RFC 1035 section 2.3.4.
    #[error("it has a label of more than 63 bytes")]
    LabelTooLong,
    /// RFC 1035 section 2.3.4.
    #[error("it is longer than 255 bytes")]
    TooLong,
    /// A backslash with neither a character nor three digits behind it.
    #[error("it has a broken \\ escape")]
    BrokenEscape,
}

/// Appends the wire form of a name written as text (a trailing dot allowed, `\.` and `\DDD` read) and
/// returns the number of octets appended. Nothing is appended when the text is no name.
pub fn push_from_text(text: &str, wire: &mut Vec<u8>) -> Result<usize, NameError> {
    let start = wire.len();
    let pushed = push_labels(text, wire).and_then(|()| match wire.len() - start {
        1..=NAME_LEN_MAX => Ok(wire.len() - start),
        _ => Err(NameError::TooLong),
    });
    if pushed.is_err() {
        wire.truncate(start);
    }
    pushed
}

fn push_labels(text: &str, wire: &mut Vec<u8>) -> Result<(), NameError> {
    let start = wire.len();
    let mut octets = text.bytes();
    let mut label: Vec<u8> = Vec::with_capacity(63);
    let mut ended = text == ".";
    if ended {
        octets.next();
    }
    loop {
        let octet = octets.next();
        match octet {
            Some(b'.') | None => {
                match (label.len(), octet) {
                    (0, None) if ended => break,
                    (0, _) => return Err(NameError::EmptyLabel),
                    (1..=63, _) => {}
                    _ => return Err(NameError::LabelTooLong),
                }
                wire.push(label.len() as u8);
                wire.append(&mut label);
                ended = true;
                if octet.is_none() {
                    break;
                }
            }
            Some(b'\\') => {
                let first = octets.next().ok_or(NameError::BrokenEscape)?;
                if !first.is_ascii_digit() {
                    label.push(first);
                    continue;
                }
                let mut value = u32::from(first - b'0');
                for _ in 0..2 {
                    let digit = octets.next().filter(u8::is_ascii_digit);
                    value = value * 10 + u32::from(digit.ok_or(NameError::BrokenEscape)? - b'0');
                }
                label.push(u8::try_from(value).map_err(|_| NameError::BrokenEscape)?);
            }
            Some(other) => label.push(other),
        }
        if wire.len() - start > 2 * NAME_LEN_MAX {
            return Err(NameError::TooLong);
        }
    }
    wire.push(0);
    Ok(())
}

/// A keyed 64-bit hash of a name with its case folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameHash(pub u64);

/// How many octets behind a name are best at hand when it is hashed, whatever they are.
pub const HASH_SLACK: usize = 16;

/// Makes [`NameHash`]es. Its key is unknown to who sends packets: drawn when the process starts, or made from the capture
/// ([`crate::capture::key_of`]). So nobody can choose names that collide.
///
/// Sixteen octets are folded at a time, by a multiplication of 64 by 64 bits as in wyhash. Of a name of more
/// than two labels the last two are hashed first, and what stands before them from there on: both hashes are
/// wanted of every name, and so no octet is folded twice.
#[derive(Clone, Copy, Debug)]
pub struct NameHasher {
    start: u64,
    step: u64,
}

impl NameHasher {
    /// A hasher with a key. The same key gives the same hashes.
    pub const fn new(key: [u64; 2]) -> NameHasher {
        let [start, step] = key;
        NameHasher { start: start | 1, step: step | 1 }
    }

    /// A hasher with a key drawn from the operating system by way of `foldhash`.
    pub fn random() -> NameHasher {
        use std::hash::BuildHasher;
        let state = foldhash::quality::RandomState::default();
        NameHasher::new([state.hash_one(1u64), state.hash_one(2u64)])
    }

    /// The hash of a whole name.
    pub fn hash(&self, name: Name<'_>) -> NameHash {
        let (mut end, mut last, mut last_two) = (0, 0, 0);
        for label in name.labels() {
            (last_two, last, end) = (last, end, end + 1 + label.len());
        }
        self.hash_labels(name.wire(), last_two, end).0
    }

    /// The hash of a name and that of its last two labels, which are the same if it has no more. Its labels,
    /// each behind its length octet and without the root's, are the first `end` of the octets; the last two
    /// begin at `last_two`. It is quicker when [`HASH_SLACK`] octets more stand behind them.
    #[inline(always)]
    pub fn hash_labels(&self, octets: &[u8], last_two: usize, end: usize) -> (NameHash, NameHash) {
        let domain = self.hash_run(self.start, octets, last_two, end);
        match last_two {
            0 => (domain, domain),
            _ => (self.hash_run(domain.0, octets, 0, last_two), domain),
        }
    }

    /// Goes on from a hash with the octets from `start` to `end`.
    #[inline(always)]
    fn hash_run(&self, from: u64, octets: &[u8], start: usize, end: usize) -> NameHash {
        let (mut hash, mut at) = (from, start);
        while at + 16 < end {
            hash = self.fold(hash, octets_at(octets, at));
            at += 16;
        }
        // At most sixteen are left; what stands behind them does not count.
        let left = end.saturating_sub(at);
        let [low, high] = octets_at(octets, at);
        let [low_mask, high_mask] = FIRST_OCTETS.get(left).copied().unwrap_or_default();
        hash = self.fold(hash, [low & low_mask, high & high_mask]);
        NameHash(multiply(hash ^ (end - start) as u64, self.step))
    }

    /// Takes in sixteen octets.
    #[inline]
    fn fold(&self, hash: u64, [low, high]: [u64; 2]) -> u64 {
        multiply(fold_case(low) ^ self.step, fold_case(high) ^ hash)
    }
}

/// A name whose ancestors can be hashed one by one.
#[derive(Clone, Copy, Debug)]
pub struct Ancestors<'n> {
    /// The octets its labels stand in; better with [`HASH_SLACK`] more behind them.
    octets: &'n [u8],
    /// Where in them each label's length octet stands.
    starts: &'n [u8],
    end: usize,
    /// Its hash.
    pub hash: NameHash,
    /// That of its last two labels.
    pub domain: NameHash,
}

impl<'n> Ancestors<'n> {
    /// Of the name with the labels at `starts`, the last of which ends at `end`.
    #[inline(always)]
    pub fn new(
        hasher: &NameHasher,
        octets: &'n [u8],
        starts: &'n [u8],
        end: usize,
    ) -> Ancestors<'n> {
        let (hash, domain) = hasher.hash_labels(octets, last_two(starts), end);
        Ancestors { octets, starts, end, hash, domain }
    }

    /// How many labels the name has, the root left out.
    #[inline]
    pub fn labels(&self) -> usize {
        self.starts.len()
    }

    /// The hash of its last so many labels; of the whole name if it has no more.
    #[inline]
    pub fn hash_of_last(&self, hasher: &NameHasher, labels: usize) -> NameHash {
        let Some(first) = self.starts.len().checked_sub(labels).filter(|first| *first > 0) else {
            return self.hash;
        };
        let start = self.starts.get(first).map_or(self.end, |start| usize::from(*start));
        match labels {
            0 | 1 => hasher.hash_run(hasher.start, self.octets, start, self.end),
            2 => self.domain,
            _ => hasher.hash_run(self.domain.0, self.octets, start, last_two(self.starts)),
        }
    }
}

/// Where the last two labels begin, of those that begin at `starts`.
#[inline]
fn last_two(starts: &[u8]) -> usize {
    starts.iter().nth_back(1).map_or(0, |start| usize::from(*start))
}

/// A folded multiplication, as wyhash and foldhash do it.
#[inline]
fn multiply(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The sixteen octets at a place, zero where there are none.
#[inline]
fn octets_at(octets: &[u8], at: usize) -> [u64; 2] {
    let rest = octets.get(at..).unwrap_or_default();
    let all = match (rest.first_chunk::<16>(), octets.last_chunk::<16>()) {
        (Some(chunk), _) => u128::from_le_bytes(*chunk),
        // The last ones there are, less those before the place.
        (None, Some(chunk)) => {
            u128::from_le_bytes(*chunk).checked_shr(8 * (16 - rest.len() as u32)).unwrap_or(0)
        }
        _ => rest.iter().rev().fold(0, |all, octet| all << 8 | u128::from(*octet)),
    };
    [all as u64, (all >> 64) as u64]
}

/// For each number of octets up to sixteen, what leaves that many of them.
#[allow(
    clippy::indexing_slicing,
    reason = "checked where constants are made: when this is compiled"
)]
const FIRST_OCTETS: [[u64; 2]; 17] = {
    let mut masks = [[0; 2]; 17];
    let mut octets = 1;
    while octets <= 16 {
        let mask = u128::MAX >> (128 - 8 * octets);
        masks[octets] = [mask as u64, (mask >> 64) as u64];
        octets += 1;
    }
    masks
};

/// Lower-cases the eight ASCII octets of a word at once; other octets stay, length octets among them.
#[inline]
fn fold_case(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low = word & (0x7f * ONES);
    let from_a = low + (0x80 - u64::from(b'A')) * ONES;
    let past_z = low + (0x80 - u64::from(b'Z') - 1) * ONES;
    let upper = from_a & !past_z & !word & (0x80 * ONES);
    word | (upper >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wire(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        push_from_text(text, &mut out).unwrap();
        out
    }

    #[test]
    fn text_goes_to_wire_and_back() {
        for text in ["www.example.com", ".", "a\\.b.c", "x\\000y.net", "_dns.resolver.arpa"] {
            assert_eq!(Name::from_wire(&wire(text)).to_string(), text);
        }
        assert_eq!(wire("example.com."), wire("example.com"));
        assert_eq!(wire("."), [0]);
    }

    #[test]
    fn what_is_no_name_is_refused_and_leaves_nothing_behind() {
        let mut out = vec![7];
        for (text, error) in [
            ("", NameError::EmptyLabel),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            ("a\\", NameError::BrokenEscape),
            ("a\\99", NameError::BrokenEscape),
            ("a\\999", NameError::BrokenEscape),
        ] {
            assert_eq!(push_from_text(text, &mut out), Err(error), "{text:?}");
        }
        assert_eq!(push_from_text(&"a".repeat(64), &mut out), Err(NameError::LabelTooLong));
        assert_eq!(push_from_text(&"a.".repeat(128), &mut out), Err(NameError::TooLong));
        assert_eq!(out, [7]);
    }

    #[test]
    fn a_name_is_as_long_as_it_is_whatever_stands_before_it() {
        let mut out = vec![7; 2 * NAME_LEN_MAX];
        assert_eq!(push_from_text("www.example.com", &mut out), Ok(17));
    }

    #[test]
    fn below_means_whole_labels() {
        let (evil, below, near) = (wire("evil.com"), wire("c2.EVIL.com"), wire("notevil.com"));
        let name = Name::from_wire;
        assert!(name(&below).is_at_or_below(name(&evil)));
        assert!(name(&evil).is_at_or_below(name(&evil)));
        assert!(!name(&near).is_at_or_below(name(&evil)));
        assert!(!name(&evil).is_at_or_below(name(&below)));
        assert!(name(&evil).is_at_or_below(Name::ROOT));
        // A length octet that happens to be a letter must not look like a label's text.
        let odd = wire(&format!("{}.com", "a".repeat(50)));
        assert!(!name(&odd).is_at_or_below(name(&wire("aaa.com"))));
    }

    #[test]
    fn suffixes_walk_to_the_root() {
        let www = wire("www.example.com");
        let seen: Vec<_> = Name::from_wire(&www).suffixes().map(|n| n.to_string()).collect();
        assert_eq!(seen, ["www.example.com", "example.com", "com", "."]);
        assert_eq!(Name::from_wire(&www).last_two_labels().to_string(), "example.com");
        assert_eq!(Name::ROOT.last_two_labels().to_string(), ".");
    }

    proptest! {
        #[test]
        fn hashing_folds_case_and_only_case(a in "[a-zA-Z0-9_-]{1,20}(\\.[a-zA-Z0-9]{1,12}){0,4}",
                                            b in "[a-zA-Z0-9_-]{1,20}(\\.[a-zA-Z0-9]{1,12}){0,4}") {
            let hasher = NameHasher::new([11, 23]);
            let (one, two) = (wire(&a), wire(&b));
            let hash = |w: &[u8]| hasher.hash(Name::from_wire(w));
            prop_assert_eq!(hash(&one), hash(&wire(&a.to_uppercase())));
            prop_assert_eq!(hash(&one) == hash(&two), a.eq_ignore_ascii_case(&b));
        }

        #[test]
        fn ancestors_hash_as_names_of_their_own(a in "[a-zA-Z0-9]{1,20}(\\.[a-z0-9]{1,12}){1,4}",
                                                slack: [u8; HASH_SLACK]) {
            let hasher = NameHasher::new([5, 6]);
            let whole = wire(&a);
            let name = Name::from_wire(&whole);
            let mut starts = Vec::new();
            let mut at = 0;
            for label in name.labels() {
                starts.push(at as u8);
                at += 1 + label.len();
            }
            let followed = [&whole[..at], &slack].concat();
            for octets in [&whole, &followed] {
                let ancestors = Ancestors::new(&hasher, octets, &starts, at);
                for suffix in name.suffixes() {
                    let labels = suffix.label_count();
                    prop_assert_eq!(ancestors.hash_of_last(&hasher, labels), hasher.hash(suffix));
                }
            }
        }

        #[test]
        fn folding_a_word_is_lower_casing_its_octets(word: [u8; 8]) {
            prop_assert_eq!(fold_case(u64::from_le_bytes(word)).to_le_bytes(), word.map(|o| o.to_ascii_lowercase()));
        }

        #[test]
        fn any_octets_can_be_walked_and_shown(bytes: Vec<u8>) {
            let name = Name::from_wire(&bytes);
            let _ = (name.to_string(), name.label_count(), name.last_two_labels(), name == Name::ROOT);
            let _ = NameHasher::new([1, 2]).hash(Name::from_wire(bytes.get(..255).unwrap_or(&bytes)));
        }
    }
}
