//! Indicators: the names, addresses and networks that somebody listed as bad, and which of them a name
//! or an address falls under.
//!
//! A listed `name` means itself and everything below it, `=name` only itself, `*.name` only what is below.
//! [`Indicators::load`] reads the lists; from then on nothing changes, and all threads share one
//! [`Indicators`].
//!
//! Entries of an allow list are never flagged: an allowed `name` cancels every match of itself and of what is
//! below it, whichever entry matched; `=name`, `*.name`, addresses and networks likewise. The allow list is
//! checked only when something was flagged.
//!
//! # How a name is matched
//!
//! The reader of DNS messages [asks](Indicators::ask) about every name. It hashes the ancestors that have as many
//! labels as some entry has. The answer, [`Indicators::may_flag`], is nearly always no, and nearly free: one cache
//! line of the table decides it, which was prefetched some time before. Only for listed names does
//! [`Indicators::match_name`] compare the text and return the entries.
//!
//! An address is a network with all bits given. Each prefix length that occurs in the lists costs one lookup in the
//! same table.

mod broad;
mod building;
mod entry;
mod load;
mod matching;
mod network;
pub mod shared;
mod table;

use std::collections::BTreeMap;
use std::fmt;

use self::entry::{Entries, Entry};
pub use self::load::{Form, List, ListFiles, Lists, LoadError, Reason, Warning, files_of};
pub use self::matching::Wanted;
use self::table::Table;
use crate::name::NameHasher;

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Indicator<'a> {
    /// As shown: `evil.com`, `=evil.com`, `*.evil.com`, `192.0.2.1`, `192.0.2.0/24`. Lower case, no
    /// trailing dot, internationalised names as A-labels (RFC 5890).
    pub value: &'a str,
    /// What it means.
    pub kind: IndicatorKind,
    /// Its list.
    pub list: ListId,
    /// Its line there, from 1.
    pub line: u32,
    /// The list's description: the malware, the campaign.
    pub description: Option<&'a str>,
    /// The list's confidence in it, in per cent.
    pub confidence: Option<u8>,
}

impl<'a> Indicator<'a> {
    /// What it lists, without a mark: a name, an address or a network.
    pub fn bare(&self) -> &'a str {
        self.value.get(self.kind.mark().len()..).unwrap_or_default()
    }
}

/// What an entry means. The more specific of two matches comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndicatorKind {
    /// `=evil.com`: that name alone.
    Exact,
    /// `*.evil.com`: every name below it, itself left out.
    Below,
    /// `evil.com`: that name and every name below it.
    Domain,
    /// `192.0.2.1`.
    Address,
    /// `192.0.2.0/24`.
    Network,
}

impl IndicatorKind {
    /// All of them.
    pub const ALL: [IndicatorKind; 5] = [
        IndicatorKind::Exact,
        IndicatorKind::Below,
        IndicatorKind::Domain,
        IndicatorKind::Address,
        IndicatorKind::Network,
    ];

    /// The word the output has for it: `domain`, `ip` or `network`.
    pub fn as_str(self) -> &'static str {
        match self {
            IndicatorKind::Exact | IndicatorKind::Below | IndicatorKind::Domain => "domain",
            IndicatorKind::Address => "ip",
            IndicatorKind::Network => "network",
        }
    }

    /// What stands before the name in a list.
    fn mark(self) -> &'static str {
        match self {
            IndicatorKind::Exact => "=",
            IndicatorKind::Below => "*.",
            IndicatorKind::Domain | IndicatorKind::Address | IndicatorKind::Network => "",
        }
    }

    /// Whether an entry of this kind flags the name it names (`itself`), or one below it.
    fn flags(self, itself: bool) -> bool {
        match self {
            IndicatorKind::Exact => itself,
            IndicatorKind::Below => !itself,
            IndicatorKind::Domain => true,
            IndicatorKind::Address | IndicatorKind::Network => false,
        }
    }
}

/// Which indicator. Ids are given in the order of the lists and of their lines, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndicatorId(u32);

/// Which list, in the order they were given, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId(pub u16);

/// Where an entry stands, which no other does: the list, the line in it, and which of that line's it is, from 0. It goes into
/// ids: `l0.3` is the first entry of line 3 of the first list, `l0.3.2` the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryPlace {
    list: u16,
    line: u32,
    nth: u32,
}

impl fmt::Display for EntryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "l{}.{}", self.list, self.line)?;
        match self.nth {
            0 => Ok(()),
            before => write!(f, ".{}", u64::from(before) + 1),
        }
    }
}

/// The most entries that are kept, all lists together: some 4 GB of them. Loading ends there with
/// [`LoadError::TooMany`].
const ENTRIES_MAX: usize = 1 << 26;

/// What a list says of an entry. Most lists say nothing, so it is kept apart.
#[derive(Clone, Copy, Debug)]
struct Note {
    entry: u32,
    /// Which of the descriptions.
    text: Option<u32>,
    confidence: Option<u8>,
}

/// Where a description stands.
#[derive(Clone, Copy, Debug)]
struct NoteText {
    start: u32,
    len: u32,
}

/// Room for another entry has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Full;

/// All entries of all lists, and the means to match against them.
#[derive(Clone, Debug)]
pub struct Indicators {
    hasher: NameHasher,
    network_hasher: foldhash::quality::RandomState,
    lists: Vec<List>,
    /// While building: the hash of each entry.
    hashes: Vec<u64>,
    entries: Entries,
    /// The texts of all entries, one behind the other.
    texts: Vec<u8>,
    /// Of each entry that has one, the next for the same name or network.
    links: BTreeMap<u32, u32>,
    /// In the order of the entries.
    notes: Vec<Note>,
    note_texts: Vec<NoteText>,
    descriptions: String,
    /// From the hash of a name or network to the first entry for it.
    table: Table,
    /// Bit n: a name of n labels is listed. The names of most lists have two to four, so that the
    /// top-level domain, the one suffix that every name has, costs no look-up.
    label_counts: u128,
    /// The root itself is listed, so every name below it is flagged.
    root_flags_below: bool,
    /// The prefix lengths that occur, longest first.
    prefixes: Vec<u8>,
    /// What is not flagged though it is listed.
    allowed: Option<Box<Indicators>>,
    /// What flags more than names of one owner or one address, and why.
    too_broad: Vec<String>,
}

/// What there is.
impl Indicators {
    /// The indicator; `None` of an id that another [`Indicators`] gave.
    pub fn get(&self, id: IndicatorId) -> Option<Indicator<'_>> {
        let entry = self.entry(id.0)?;
        let list = self.lists.partition_point(|list| list.first <= id.0).saturating_sub(1);
        let note = self.notes.binary_search_by_key(&id.0, |note| note.entry);
        let note = note.ok().and_then(|place| self.notes.get(place));
        Some(Indicator {
            value: self.text(&entry),
            kind: entry.kind,
            list: ListId(list as u16),
            line: entry.line,
            description: note.and_then(|note| self.description(note.text?)),
            confidence: note.and_then(|note| note.confidence),
        })
    }

    /// Where it stands.
    pub fn place_of(&self, id: IndicatorId) -> Option<EntryPlace> {
        let line = self.entry(id.0)?.line;
        let list = self.lists.partition_point(|list| list.first <= id.0).saturating_sub(1);
        let begin = self.lists.get(list).map_or(0, |list| list.first);
        let is_before = |id| self.entry(id).is_some_and(|other| other.line < line);
        // A document may be one line of a million entries. Lines do not go back within a list.
        let (mut low, mut high) = (begin, id.0);
        while low < high {
            let middle = low + (high - low) / 2;
            match is_before(middle) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Some(EntryPlace { list: list as u16, line, nth: id.0 - low })
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (IndicatorId, Indicator<'_>)> {
        let ids = (0..self.len() as u32).map(IndicatorId);
        ids.filter_map(|id| Some((id, self.get(id)?)))
    }

    /// The name of a list: of its file, or the path as given where two files are named alike.
    pub fn list_name(&self, list: ListId) -> &str {
        self.lists.get(usize::from(list.0)).map_or("", |list| &list.name)
    }

    /// Where an entry is listed and what the list says of it: `flagged.txt, line 4`,
    /// `feed.csv, line 2: AsyncRAT (75 %)`.
    pub fn listing(&self, indicator: &Indicator<'_>) -> String {
        let Indicator { list, line, description, confidence, .. } = indicator;
        let place = format!("{}, line {line}", self.list_name(*list));
        match (description, confidence) {
            (Some(description), Some(confidence)) => {
                format!("{place}: {description} ({confidence} %)")
            }
            (Some(description), None) => format!("{place}: {description}"),
            (None, Some(confidence)) => format!("{place} ({confidence} %)"),
            (None, None) => place,
        }
    }

    /// The lists, in the order they were given.
    pub fn lists(&self) -> &[List] {
        &self.lists
    }

    /// The names of the lists that are not only there to allow.
    pub fn list_names(&self) -> impl Iterator<Item = &str> {
        let lists = self.lists.iter().filter(|list| list.entries > 0 || list.allowed == 0);
        lists.map(|list| list.name.as_str())
    }

    /// How many indicators there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.len() == 0
    }

    /// How many of a list there are of a kind.
    pub fn count_of(&self, list: ListId, kind: IndicatorKind) -> usize {
        let Some(list) = self.lists.get(usize::from(list.0)) else { return 0 };
        let kinds = self.entries.kinds(list.first).take(list.entries as usize);
        kinds.filter(|of| *of == kind).count()
    }

    /// What is not flagged though it is listed, as another set; its ids are its own.
    pub fn allowed(&self) -> Option<&Indicators> {
        self.allowed.as_deref()
    }

    fn hasher(&self) -> &NameHasher {
        &self.hasher
    }

    #[inline]
    fn entry(&self, id: u32) -> Option<Entry> {
        self.entries.get(id)
    }

    fn text(&self, entry: &Entry) -> &str {
        std::str::from_utf8(self.octets(entry)).unwrap_or_default()
    }

    fn octets(&self, entry: &Entry) -> &[u8] {
        let start = entry.start as usize;
        self.texts.get(start..start + usize::from(entry.len)).unwrap_or_default()
    }

    /// The text without the mark: the name or the network.
    fn bare(&self, entry: &Entry) -> &[u8] {
        self.octets(entry).get(entry.kind.mark().len()..).unwrap_or_default()
    }

    fn description(&self, which: u32) -> Option<&str> {
        let text = self.note_texts.get(which as usize)?;
        let start = text.start as usize;
        self.descriptions.get(start..start + text.len as usize)
    }
}

/// The labels of a name as entries keep it, the root as `.`.
fn labels_of(name: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    name.split(|&octet| octet == b'.').filter(|label| !label.is_empty())
}
