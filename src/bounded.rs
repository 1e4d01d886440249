//! The one bounded table that keeps history: a ring of entries threaded by hash chains.
//!
//! New entries overwrite the oldest once the limit is reached, so memory never grows past it and
//! nothing has to expire entry by entry. Each entry can be found again by `K` keys: of every key only
//! the newest entry is remembered, and each entry names the one before it with the same key, the way
//! a compressor's window does (RFC 1951 section 4). Adding is O(1), with no allocation once full.

use std::mem::MaybeUninit;

use prefetch_index::prefetch_index;

/// The number of an entry, counted from 0 over the life of a [`Ring`]: never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

impl Sequence {
    /// Its lower 32 bits, where more would take too much room.
    #[inline]
    pub fn low(self) -> u32 {
        self.0 as u32
    }

    /// The latest number before another that has these lower bits.
    #[inline]
    pub fn latest(low: u32, before: Sequence) -> Sequence {
        let back = (before.0 as u32).wrapping_sub(low).wrapping_sub(1);
        Sequence(before.0.wrapping_sub(u64::from(back) + 1))
    }
}

/// The end of a chain. Sequences are stored plus one, in 32 bits, so 0 is free to mean "none".
const END: u32 = 0;

/// Room for so many entries or octets is taken at once, of which nothing is used until it is written: what is made
/// larger bit by bit leaves holes behind.
const AT_ONCE_MAX: usize = 1 << 24;

/// So far ahead of where it is written, memory is asked for. That it is written in order would tell the processor so,
/// were it not for all that is done in between.
const AHEAD_OCTETS: usize = 512;

/// A ring of at most `limit` entries, each on up to `K` hash chains.
///
/// At the limit the oldest entry is overwritten; [`Ring::overwritten`] counts them. Entries are aligned as `A` is.
#[derive(Debug)]
pub struct Ring<T, const K: usize, A = ()> {
    entries: Vec<Entry<T, K, A>>,
    heads: [Vec<u32>; K],
    mask: usize,
    heads_mask: usize,
    limit: usize,
    next: u64,
}

/// An entry, and before it the one before it on each chain: a walk reads both.
#[derive(Debug)]
#[repr(C)]
struct Entry<T, const K: usize, A> {
    links: [u32; K],
    entry: T,
    _aligned: [A; 0],
}

/// A line of the cache, for entries of which each ought to touch no more lines than it must.
#[derive(Debug)]
#[repr(align(64))]
pub struct Line;

impl<T, const K: usize, A> Ring<T, K, A> {
    /// A ring for `limit` entries, rounded up to a power of two (at most 2^30), as many chains by each
    /// key.
    pub fn new(limit: usize) -> Ring<T, K, A> {
        Ring::with_chains(limit, limit)
    }

    /// A ring for `limit` entries with `chains` chains by each key, both rounded up to powers of two: the
    /// fewer there are the more of them stay in the cache, and the more entries of other keys stand
    /// among those that are looked for.
    pub fn with_chains(limit: usize, chains: usize) -> Ring<T, K, A> {
        let limit = limit.clamp(2, 1 << 30).next_power_of_two();
        let chains = chains.clamp(2, 1 << 30).next_power_of_two();
        // Zeroed pages cost nothing until they are touched.
        Ring {
            entries: Vec::with_capacity(limit.min(AT_ONCE_MAX)),
            heads: std::array::from_fn(|_| vec![END; chains]),
            heads_mask: chains - 1,
            mask: limit - 1,
            limit,
            next: 0,
        }
    }

    /// Takes all the memory that it can come to need. The kernel gives a page when it is first written to, and that
    /// costs more than what is written there.
    pub fn take_room(&mut self) {
        take_room(&mut self.entries, self.limit);
        if self.is_empty() {
            self.heads.iter_mut().for_each(|heads| heads.fill(END));
        }
    }

    /// Adds an entry, on the chain of each key that is given, and returns its number.
    pub fn push(&mut self, entry: T, keys: [Option<u64>; K]) -> Sequence {
        let sequence = self.next;
        self.next += 1;
        let stored = stored(sequence);
        let mut links = [END; K];
        for ((head_table, key), link) in self.heads.iter_mut().zip(keys).zip(&mut links) {
            let Some(key) = key else { continue };
            if let Some(head) = head_table.get_mut(slot(key, self.heads_mask)) {
                *link = std::mem::replace(head, stored);
            }
        }
        let place = sequence as usize & self.mask;
        let ahead = place + AHEAD_OCTETS / size_of::<Entry<T, K, A>>() + 1;
        ask_for(&self.entries, ahead);
        let entry = Entry { links, entry, _aligned: [] };
        match self.entries.get_mut(place) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
        Sequence(sequence)
    }

    /// Asks for the memory in which the newest entry on chain `K` of a key is told, to be there when it is wanted.
    #[inline]
    pub fn ask_for_chain(&self, chain: usize, key: u64) {
        if let Some(heads) = self.heads.get(chain) {
            ask_for(heads, slot(key, self.heads_mask));
        }
    }

    /// Asks for the memory of the newest entry on chain `K` of a key. Waits for what [`Ring::ask_for_chain`] asks for.
    #[inline]
    pub fn ask_for_newest(&self, chain: usize, key: u64) {
        let head = self.heads.get(chain).and_then(|table| table.get(slot(key, self.heads_mask)));
        if let Some(head) = head.copied().filter(|head| *head != END) {
            let place = head.wrapping_sub(1) as usize & self.mask;
            ask_for(&self.entries, place);
        }
    }

    /// The oldest number that is still kept.
    pub fn oldest(&self) -> Sequence {
        Sequence(self.next.saturating_sub(self.limit as u64))
    }

    /// The number the next entry will have.
    pub fn next(&self) -> Sequence {
        Sequence(self.next)
    }

    /// How many entries were overwritten so far.
    pub fn overwritten(&self) -> u64 {
        self.oldest().0
    }

    /// How many entries it keeps at most.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many entries are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry that the next one will overwrite.
    pub fn next_overwritten(&self) -> Option<&T> {
        if self.len() < self.limit { None } else { self.get(self.oldest()) }
    }

    /// An entry by its number; `None` once it is overwritten.
    pub fn get(&self, sequence: Sequence) -> Option<&T> {
        let kept = self.oldest() <= sequence && sequence.0 < self.next;
        if !kept {
            return None;
        }
        self.entries.get(sequence.0 as usize & self.mask).map(|kept| &kept.entry)
    }

    /// An entry by its number, to be changed.
    pub fn get_mut(&mut self, sequence: Sequence) -> Option<&mut T> {
        let kept = self.oldest() <= sequence && sequence.0 < self.next;
        if !kept {
            return None;
        }
        self.entries.get_mut(sequence.0 as usize & self.mask).map(|kept| &mut kept.entry)
    }

    /// The entries on chain `K` of a key, newest first. Chains are threaded by a hash of the key, so
    /// entries of other keys can stand among them: the caller compares.
    pub fn chain(&self, chain: usize, key: u64) -> Chain<'_, T, K, A> {
        let head = self.heads.get(chain).and_then(|table| table.get(slot(key, self.heads_mask)));
        Chain { ring: self, chain, at: head.copied().unwrap_or(END), before: self.next }
    }

    /// The entries on chain `K` that one is on, from that one to the oldest; none once it is overwritten.
    pub fn chain_from(&self, chain: usize, newest: Sequence) -> Chain<'_, T, K, A> {
        let at = if newest.0 < self.next { stored(newest.0) } else { END };
        Chain { ring: self, chain, at, before: newest.0 + 1 }
    }
}

/// A walk along one chain, newest entry first.
#[derive(Debug)]
pub struct Chain<'r, T, const K: usize, A = ()> {
    ring: &'r Ring<T, K, A>,
    chain: usize,
    at: u32,
    before: u64,
}

impl<'r, T, const K: usize, A> Iterator for Chain<'r, T, K, A> {
    type Item = (Sequence, &'r T);

    fn next(&mut self) -> Option<(Sequence, &'r T)> {
        if self.at == END {
            return None;
        }
        // The full number is the newest one below `before` that is stored so. A link that points at
        // an overwritten entry yields a number before `oldest`, or one that does not go back: the end.
        let distance = stored(self.before).wrapping_sub(self.at);
        let sequence = self.before.checked_sub(u64::from(distance))?;
        if distance == 0 || sequence < self.ring.oldest().0 {
            return None;
        }
        let Entry { entry, links, .. } =
            self.ring.entries.get(sequence as usize & self.ring.mask)?;
        self.at = *links.get(self.chain)?;
        self.before = sequence;
        Some((Sequence(sequence), entry))
    }
}

/// Asks for the memory at a place, to be there when it is wanted. There may be nothing at it.
#[inline]
pub fn ask_for<T>(entries: &[T], place: usize) {
    prefetch_index(entries, place);
}

#[inline]
fn stored(sequence: u64) -> u32 {
    // 0 is `END`; skipping it would cost more than one lost link in four billion.
    (sequence + 1) as u32
}

#[inline]
fn slot(key: u64, mask: usize) -> usize {
    // Low bits are good: keys are made of keyed name hashes, or count up, and then neighbours in time
    // are neighbours here.
    key as usize & mask
}

/// Takes room for so many, and writes to it.
fn take_room<T>(entries: &mut Vec<T>, limit: usize) {
    entries.reserve_exact(limit.saturating_sub(entries.len()));
    entries.spare_capacity_mut().fill_with(MaybeUninit::zeroed);
}

/// A ring of octets: texts, each behind its length, that go out of date together with what refers to them.
///
/// At the limit the oldest octets are overwritten, and [`TextRing::get`] of them returns `None`. A text that was added a
/// short while ago, as most were, is not added again.
#[derive(Debug)]
pub struct TextRing {
    octets: Vec<u8>,
    /// Texts added lately, by their keys.
    lately: Vec<(u64, Text)>,
    limit: usize,
    end: u64,
    /// Which entry came next when the ring had taken in so many steps of octets, for the latest such times.
    marks: Box<[u64; MARKS]>,
    steps: u64,
}

/// The octets of a [`TextRing`] are divided into so many steps.
const MARKS: usize = 64;

/// Where a text begins in a [`TextRing`].
///
/// That is kept to 32 bits, for millions of them are kept: what it was before them is known from where the ring's end
/// is, as whatever refers to a text goes out of date long before another 2^32 octets have come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text(u32);

/// How many texts are remembered as added lately.
const LATELY: usize = 1 << 10;
/// One is used again while no more than this share of all was added since.
const LATELY_SHARE: usize = 64;

impl TextRing {
    /// A ring for `limit` octets, rounded up to a power of two (at most 2^30).
    pub fn new(limit: usize) -> TextRing {
        let limit = limit.clamp(1 << 10, 1 << 30).next_power_of_two();
        let octets = Vec::with_capacity(limit.min(AT_ONCE_MAX));
        TextRing {
            octets,
            lately: vec![(0, Text::default()); LATELY],
            limit,
            end: 0,
            marks: Box::new([0; MARKS]),
            steps: 0,
        }
    }

    /// Takes all the memory that it can come to need.
    pub fn take_room(&mut self) {
        take_room(&mut self.octets, self.limit);
    }

    /// Adds a text, in one piece; of one of more than 255 octets, so many. `key` is a hash of it, which others may
    /// share. What is shared goes out of date a little sooner than if it had been added once more.
    #[inline]
    pub fn push(&mut self, key: u64, text: &[u8]) -> Text {
        let place = slot(key, LATELY - 1);
        if let Some((known, stored)) = self.lately.get(place).copied()
            && known == key
            && self.ago(stored) <= self.limit / LATELY_SHARE
            && self.get(stored) == Some(text)
        {
            return stored;
        }
        let stored = self.add(text);
        if let Some(latest) = self.lately.get_mut(place) {
            *latest = (key, stored);
        }
        stored
    }

    fn add(&mut self, text: &[u8]) -> Text {
        let len = u8::try_from(text.len()).unwrap_or(u8::MAX);
        let text = text.get(..usize::from(len)).unwrap_or_default();
        let mut place = self.end as usize & (self.limit - 1);
        if place + 1 + text.len() > self.limit {
            self.end += (self.limit - place) as u64;
            place = 0;
        }
        let stored = Text(self.end as u32);
        ask_for(&self.octets, place + AHEAD_OCTETS);
        if self.octets.len() < place + 1 + text.len() {
            self.octets.resize(place, 0);
            self.octets.push(len);
            self.octets.extend_from_slice(text);
        } else if let Some([first, rest @ ..]) = self.octets.get_mut(place..place + 1 + text.len())
        {
            *first = len;
            rest.copy_from_slice(text);
        }
        self.end += 1 + text.len() as u64;
        stored
    }

    /// Notes that an entry of a [`Ring`] refers to what was added last: see [`TextRing::whole_since`].
    #[inline]
    pub fn note(&mut self, entry: Sequence) {
        let steps = self.end / (self.limit / MARKS) as u64;
        while self.steps < steps {
            self.steps += 1;
            if let Some(mark) = self.marks.get_mut(self.steps as usize % MARKS) {
                *mark = entry.0 + 1;
            }
        }
    }

    /// The first of the entries that were noted of which, and of all after it, the texts are surely kept.
    pub fn whole_since(&self) -> Sequence {
        // What came when the ring was so many steps long may share a text that is a step older, and the ring is in the
        // midst of one.
        let kept = MARKS as u64 - 2;
        let Some(step) = self.steps.checked_sub(kept) else { return Sequence(0) };
        Sequence(self.marks.get(step as usize % MARKS).copied().unwrap_or(0))
    }

    /// A text, unless it was overwritten.
    pub fn get(&self, text: Text) -> Option<&[u8]> {
        if self.ago(text) > self.limit {
            return None;
        }
        let place = text.0 as usize & (self.limit - 1);
        let (len, rest) = self.octets.get(place..)?.split_first()?;
        rest.get(..usize::from(*len))
    }

    /// How long ago a text began, in octets.
    #[inline]
    fn ago(&self, text: Text) -> usize {
        (self.end as u32).wrapping_sub(text.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_oldest_is_overwritten_and_its_number_finds_nothing() {
        let mut ring: Ring<u32, 1> = Ring::new(4);
        let numbers: Vec<_> = (0..6).map(|n| ring.push(n, [Some(9)])).collect();
        assert_eq!(ring.get(numbers[0]), None);
        assert_eq!(ring.get(numbers[5]), Some(&5));
        assert_eq!((ring.len(), ring.overwritten()), (4, 2));
        let chain: Vec<u32> = ring.chain(0, 9).map(|(_, &n)| n).collect();
        assert_eq!(chain, [5, 4, 3, 2]);
    }

    #[test]
    fn what_is_aligned_follows_its_links_at_the_beginning_of_a_line() {
        let mut ring: Ring<[u64; 15], 2, Line> = Ring::new(4);
        ring.push([0; 15], [Some(1), None]);
        assert_eq!(size_of::<Entry<[u64; 15], 2, Line>>(), 128);
        assert!(ring.get(Sequence(0)).is_some_and(|entry| (&raw const *entry).addr() % 64 == 8));
    }

    #[test]
    fn with_its_memory_taken_a_ring_is_as_it_was() {
        let (mut ring, mut texts): (Ring<u32, 1>, _) = (Ring::new(4), TextRing::new(1024));
        ring.push(7, [Some(9)]);
        let text = texts.push(7, b"seven");
        ring.take_room();
        texts.take_room();
        ring.push(8, [Some(9)]);
        assert_eq!(ring.chain(0, 9).map(|(_, &n)| n).collect::<Vec<_>>(), [8, 7]);
        assert_eq!(texts.get(text), Some(&b"seven"[..]));
    }

    #[test]
    fn a_text_that_was_overwritten_is_gone_not_wrong() {
        let mut ring = TextRing::new(1024);
        let first = ring.push(1, &[1; 250]);
        let others = [2, 3, 4].map(|n| ring.push(u64::from(n), &[n; 250]));
        assert_eq!(ring.get(first), Some(&[1; 250][..]));
        let last = ring.push(3, &[5; 250]);
        assert_eq!(ring.get(last), Some(&[5; 250][..]));
        assert_eq!(ring.get(others[2]), Some(&[4; 250][..]));
        assert_eq!(ring.get(first), None);
    }

    proptest! {
        #[test]
        fn entries_are_whole_since_the_one_that_is_said_and_few_more_are(
            lengths in prop::collection::vec((1usize..255, 0u64..30), 1..400),
        ) {
            let mut texts = TextRing::new(1 << 13);
            let mut kept = Vec::new();
            for (number, (len, key)) in lengths.into_iter().enumerate() {
                kept.push(texts.push(key, &vec![key as u8; len]));
                texts.note(Sequence(number as u64));
                let since = texts.whole_since().0 as usize;
                prop_assert!(kept.iter().skip(since).all(|text| texts.get(*text).is_some()));
                // A sixteenth of the ring is no great loss.
                let lost = kept.iter().take(since).filter(|text| texts.ago(**text) < (1 << 13) * 15 / 16);
                prop_assert_eq!(lost.count(), 0);
            }
        }
    }

    #[test]
    fn a_text_added_again_takes_no_room_while_it_is_new() {
        let mut ring = TextRing::new(1 << 14);
        let first = ring.push(7, b"seven");
        for other in [&b"Seven"[..], b"seven", b"seven"] {
            let again = ring.push(7, other);
            assert_eq!(ring.get(again), Some(other));
        }
        // The one in other case, and one more after it.
        assert_eq!(ring.end, 18);
        for n in 0..50 {
            ring.push(n + 8, &[1; 5]);
        }
        let again = ring.push(7, b"seven");
        assert!(again.0 > first.0 + 256);
    }

    #[test]
    fn after_months_of_texts_the_newest_are_still_found() {
        let mut ring = TextRing::new(1024);
        for _ in 0..4 {
            ring.push(4, &[0; 255]);
        }
        ring.end = (1 << 32) - 256;
        let old = ring.push(5, &[1; 239]);
        // It ends where 32 bits do, and the next begins behind.
        let across = ring.push(6, &[2; 15]);
        let new = ring.push(7, &[3; 255]);
        assert_eq!(ring.get(across), Some(&[2; 15][..]));
        assert_eq!(ring.get(new), Some(&[3; 255][..]));
        assert_eq!(ring.get(old), Some(&[1; 239][..]));
        for _ in 0..3 {
            ring.push(8, &[4; 255]);
        }
        assert_eq!((ring.get(old), ring.get(new)), (None, Some(&[3; 255][..])));
        ring.push(9, &[5; 255]);
        assert_eq!(ring.get(new), None);
    }

    proptest! {
        #[test]
        fn chains_hold_what_a_list_would(keys in prop::collection::vec((0u64..5, 0u64..3), 1..80)) {
            let mut ring: Ring<(u64, u64), 2> = Ring::new(16);
            for &(a, b) in &keys {
                ring.push((a, b), [Some(a), (b > 0).then_some(b)]);
            }
            let kept = &keys[keys.len().saturating_sub(16)..];
            for key in 0..5 {
                let expected: Vec<_> = kept.iter().rev().filter(|(a, _)| *a == key).copied().collect();
                let found: Vec<_> = ring.chain(0, key).map(|(_, &e)| e).filter(|(a, _)| *a == key).collect();
                prop_assert_eq!(found, expected);
            }
            for key in 1..3 {
                let expected: Vec<_> = kept.iter().rev().filter(|(_, b)| *b == key).copied().collect();
                let found: Vec<_> = ring.chain(1, key).map(|(_, &e)| e).filter(|(_, b)| *b == key).collect();
                prop_assert_eq!(found, expected);
            }
        }
    }
}
