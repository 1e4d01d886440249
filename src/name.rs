//! Domain names in uncompressed wire form, and the keyed hash by which they are told apart.
//!
//! A name is kept as its labels, each behind its length octet, ending in the root's zero octet
//! (RFC 1035 section 3.1), in the case it was captured in. Comparing and hashing fold ASCII case
//! (RFC 4343), so `WWW.Example.COM` and `www.example.com` are one name.
//!
//! Hashes run from the root towards the first label. So one pass over a name yields the hash of each
//! of its ancestors too, which is what suffix matching and zone walks need.

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
    #[error("it has a label of more than 63 octets")]
    LabelTooLong,
    /// RFC 1035 section 2.3.4.
    #[error("it is longer than 255 octets")]
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
        if wire.len() > 2 * NAME_LEN_MAX {
            return Err(NameError::TooLong);
        }
    }
    wire.push(0);
    Ok(())
}

/// A keyed 64-bit hash of a name with its case folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameHash(pub u64);

/// Makes [`NameHash`]es. Its key is drawn once a process, so nobody who writes names can choose which
/// of them collide.
#[derive(Clone, Copy, Debug)]
pub struct NameHasher {
    start: u64,
    step: u64,
}

impl NameHasher {
    /// A hasher with a key. The same key gives the same hashes.
    pub fn new(key: [u64; 2]) -> NameHasher {
        let [start, step] = key;
        NameHasher { start: start | 1, step: step | 1 }
    }

    /// A hasher with a key drawn from the operating system by way of `foldhash`.
    pub fn random() -> NameHasher {
        use std::hash::BuildHasher;
        let state = foldhash::quality::RandomState::default();
        NameHasher::new([state.hash_one(1u64), state.hash_one(2u64)])
    }

    /// The hash of the root, where every name begins.
    pub fn root(&self) -> NameHash {
        NameHash(self.start)
    }

    /// The hash of the name that has `label` in front of the name hashed as `parent`.
    #[inline]
    pub fn child(&self, parent: NameHash, label: &[u8]) -> NameHash {
        self.child_within(parent, label, 0, label.len())
    }

    /// As [`NameHasher::child`], of the `len` octets at `at`. Eight octets are read at a time, beyond the
    /// label's end too if there are any, which is quicker.
    #[inline]
    pub fn child_within(&self, parent: NameHash, octets: &[u8], at: usize, len: usize) -> NameHash {
        let (mut hash, mut here, end) = (parent.0, at, at + len);
        while here + 8 <= end {
            hash = self.mix(hash ^ fold_case(word_at(octets, here)));
            here += 8;
        }
        let tail = word_at(octets, here) & ((1 << (8 * (end - here))) - 1);
        // The length keeps labels apart that differ only in zero octets at their end.
        NameHash(self.mix(hash ^ fold_case(tail) ^ ((len as u64) << 56)).wrapping_add(self.step))
    }

    /// The hash of a whole name.
    pub fn hash(&self, name: Name<'_>) -> NameHash {
        let mut starts = [0u8; LABELS_MAX];
        let mut count = 0;
        let mut at = 0usize;
        for label in name.labels() {
            let Some(slot) = starts.get_mut(count) else { break };
            *slot = at as u8;
            count += 1;
            at += 1 + label.len();
        }
        self.fold_labels(name.wire(), starts.get(..count).unwrap_or_default(), |_, _| ())
    }

    /// Hashes a name from the root down, given where each of its labels' length octets stands, and calls
    /// `each` with the number of labels hashed so far (1 for the top-level domain) and the hash of that
    /// ancestor. Returns the hash of the whole name. It is quicker when `wire` goes on for eight octets
    /// behind the name, whatever they are.
    #[inline]
    pub fn fold_labels(
        &self,
        wire: &[u8],
        starts: &[u8],
        mut each: impl FnMut(usize, NameHash),
    ) -> NameHash {
        let mut hash = self.root();
        for (done, &start) in starts.iter().rev().enumerate() {
            let start = start as usize;
            let len = wire.get(start).copied().unwrap_or(0) as usize;
            hash = self.child_within(hash, wire, start + 1, len);
            each(done + 1, hash);
        }
        hash
    }

    #[inline]
    fn mix(&self, value: u64) -> u64 {
        // A folded 64x64 multiplication, as wyhash and foldhash do.
        let product = u128::from(value ^ self.start) * u128::from(self.step);
        (product as u64) ^ ((product >> 64) as u64)
    }
}

/// The eight octets at a place, zero where there are none.
#[inline]
fn word_at(octets: &[u8], at: usize) -> u64 {
    match octets.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(word) => u64::from_le_bytes(*word),
        None => {
            let rest = octets.get(at..).unwrap_or_default();
            rest.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet))
        }
    }
}

/// Lower-cases the eight ASCII octets of a word at once; other octets stay.
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
        fn ancestors_hash_as_names_of_their_own(a in "[a-z0-9]{1,20}(\\.[a-z0-9]{1,12}){1,4}") {
            let hasher = NameHasher::new([5, 6]);
            let whole = wire(&a);
            let name = Name::from_wire(&whole);
            let mut starts = Vec::new();
            let mut at = 0;
            for label in name.labels() {
                starts.push(at as u8);
                at += 1 + label.len();
            }
            let mut seen = Vec::new();
            hasher.fold_labels(&whole, &starts, |labels, hash| seen.push((labels, hash)));
            for suffix in name.suffixes().filter(|s| !s.is_root()) {
                prop_assert!(seen.contains(&(suffix.label_count(), hasher.hash(suffix))));
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
