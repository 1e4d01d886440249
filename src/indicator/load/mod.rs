//! Loading lists: which form a list has, and its lines read one by one.
//!
//! A list is what people have at hand, so little is asked of it: the form is found by what it holds,
//! and a line that cannot be read is a [`Warning`] that says why, while the rest is used. What would
//! make the whole list useless ends loading with a [`LoadError`]: better no answer than "nothing
//! flagged" from an empty list.

mod entries;
mod error;
mod hosts;
mod lines;
mod plain;
mod word;

use std::io;
use std::path::{Path, PathBuf};

pub use self::error::{LoadError, Warning};
use self::lines::{Line, Lines};
use self::word::{Meaning, WordReader};
use super::network::parse_address;
use super::{Full, IndicatorKind, Indicators};
use crate::name::NameHasher;
use crate::text::{NoText, Text};

/// The most warnings that are kept of one list; [`List::warned`] counts them all.
const WARNINGS_MAX: u32 = 100;
/// How much of a line a warning shows, in characters.
const SHOWN_LEN_MAX: usize = 80;

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One name, address or network a line.
    Plain,
    /// An address and names a line, hosts(5).
    Hosts,
}

/// A list that was read.
#[derive(Clone, Debug)]
pub struct List {
    /// The name of its file, or its path as given where two files are named alike.
    pub name: String,
    /// How it is written.
    pub form: Form,
    /// How many lines it has.
    pub lines: u32,
    /// How many indicators it gave.
    pub entries: u32,
    /// How many more it would have given, had it not named them before.
    pub duplicates: u32,
    /// How many lines, or names of a hosts line, were skipped.
    pub skipped: u32,
    /// How many warnings there were, kept or not.
    pub warned: u32,
    /// The id that its first indicator has, or would have.
    pub(super) first: u32,
}

/// Which lists to load.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// What is flagged.
    pub indicators: Vec<PathBuf>,
}

impl Lists {
    /// All their paths.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.indicators.iter()
    }

    /// Reads them all, as [`Indicators::load`] does.
    ///
    /// # Errors
    /// As there.
    pub fn load(&self, hasher: NameHasher) -> Result<(Indicators, Vec<Warning>), LoadError> {
        Indicators::load(&self.indicators, hasher)
    }
}

impl Indicators {
    /// Reads all lists, `-` being standard input. Names are hashed by `hasher`, by which the names that
    /// are matched must be hashed too.
    ///
    /// # Errors
    /// The first list that cannot be read, is no list, or holds nothing usable ends it.
    pub fn load(
        paths: &[PathBuf],
        hasher: NameHasher,
    ) -> Result<(Indicators, Vec<Warning>), LoadError> {
        if paths.is_empty() {
            return Err(LoadError::NoLists);
        }
        if paths.len() > usize::from(u16::MAX) {
            return Err(LoadError::TooManyLists(paths.len()));
        }
        let mut loader = Loader::new(hasher);
        for (path, name) in paths.iter().zip(names_of(paths)) {
            loader.load(name, shown(path), Text::open(path))?;
        }
        Ok(loader.finish())
    }

    /// Reads one list from memory, as [`Indicators::load`] does from a file of that name.
    ///
    /// # Errors
    /// As there.
    pub fn read(
        name: &str,
        list: Vec<u8>,
        hasher: NameHasher,
    ) -> Result<(Indicators, Vec<Warning>), LoadError> {
        let mut loader = Loader::new(hasher);
        loader.load(name.into(), name.into(), Text::new(Box::new(io::Cursor::new(list))))?;
        Ok(loader.finish())
    }
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".into() } else { path.display().to_string() }
}

/// The file names, or the paths where two are alike.
fn names_of(paths: &[PathBuf]) -> Vec<String> {
    let name = |path: &PathBuf| match path.file_name() {
        Some(name) if path.as_os_str() != "-" => name.to_string_lossy().into_owned(),
        _ => shown(path),
    };
    let mut sorted: Vec<String> = paths.iter().map(name).collect();
    sorted.sort_unstable();
    let is_alone = |name: &String| {
        let from = sorted.partition_point(|other| other < name);
        sorted.get(from + 1) != Some(name)
    };
    paths
        .iter()
        .map(|path| Some(name(path)).filter(is_alone).unwrap_or_else(|| shown(path)))
        .collect()
}

/// What is being loaded: all lists so far, and the one at hand.
struct Loader {
    indicators: Indicators,
    warnings: Vec<Warning>,
    reader: WordReader,
    file: String,
    list: List,
    first_skipped: Option<Warning>,
}

impl Loader {
    fn new(hasher: NameHasher) -> Loader {
        Loader {
            indicators: Indicators::new(hasher),
            warnings: Vec::new(),
            reader: WordReader::default(),
            file: String::new(),
            list: List::new(String::new(), Form::Plain, 0),
            first_skipped: None,
        }
    }

    /// Reads one list.
    fn load(
        &mut self,
        name: String,
        file: String,
        text: Result<Text<'_>, NoText>,
    ) -> Result<(), LoadError> {
        let mut lines = match text {
            Ok(text) => Lines::of(text),
            Err(NoText::Io(source)) => return Err(LoadError::Read { file, lines: 0, source }),
            Err(NoText::Capture) => return Err(LoadError::Capture(file)),
            Err(NoText::Binary) => return Err(LoadError::Binary(file)),
        };
        let form = form_of(lines.head());
        self.file = file;
        self.first_skipped = None;
        self.list = List::new(name, form, self.indicators.entries.len() as u32);
        self.indicators.begin_list();
        loop {
            let line = lines.next_line().map_err(|source| LoadError::Read {
                file: self.file.clone(),
                lines: self.list.lines,
                source,
            })?;
            let Some(line) = line else { break };
            self.list.lines = self.list.lines.saturating_add(1);
            match line {
                Line::Whole(line) => self.line(line, form),
                Line::TooLong(line) => {
                    self.skip(&String::from_utf8_lossy(line), "it is longer than 64 KiB");
                    Ok(())
                }
            }
            .map_err(|Full| LoadError::TooMany {
                file: self.file.clone(),
                line: self.list.lines,
            })?;
        }
        let list = List::new(String::new(), form, 0);
        let list = std::mem::replace(&mut self.list, list);
        if list.entries == 0 {
            return Err(LoadError::Nothing {
                file: self.file.clone(),
                lines: list.lines,
                skipped: list.skipped,
                first: self.first_skipped.take().map(Box::new),
            });
        }
        self.indicators.lists.push(list);
        Ok(())
    }

    fn finish(mut self) -> (Indicators, Vec<Warning>) {
        self.indicators.finish();
        (self.indicators, self.warnings)
    }

    fn line(&mut self, line: &[u8], form: Form) -> Result<(), Full> {
        let content = plain::content_of(line);
        if content.is_empty() {
            return Ok(());
        }
        let Ok(content) = std::str::from_utf8(content) else {
            self.skip(&String::from_utf8_lossy(content), "it is not UTF-8 text");
            return Ok(());
        };
        let content = content.trim();
        match form {
            Form::Plain => self.plain(content),
            Form::Hosts => self.hosts(content),
        }
    }

    fn plain(&mut self, content: &str) -> Result<(), Full> {
        if content.contains(char::is_whitespace) {
            self.skip(content, "it is more than one word; a comment begins with #, ; or //");
            return Ok(());
        }
        self.word(content)
    }

    fn hosts(&mut self, content: &str) -> Result<(), Full> {
        let Some((address, names)) = hosts::split(content) else {
            if parse_address(content).is_some() {
                self.skip(content, "no name stands behind the address");
                return Ok(());
            }
            // Somebody added a name by hand.
            return self.plain(content);
        };
        if !hosts::leads_nowhere(address) {
            let why = "in a hosts file the address is not an indicator";
            self.warn(content, why, "only its names are used");
        }
        for name in names.filter(|name| !hosts::is_furniture(name)) {
            if parse_address(name).is_some() {
                self.skip(name, "it is an address where a name should stand");
            } else {
                self.word(name)?;
            }
        }
        Ok(())
    }

    /// Adds what a word stands for.
    fn word(&mut self, word: &str) -> Result<(), Full> {
        let line = self.list.lines;
        let mut doubt = None;
        let added = match self.reader.read(word) {
            Ok(Meaning::Name(kind, name)) => {
                if kind != IndicatorKind::Exact {
                    doubt = match name {
                        "." => Some(("it is the root", "read as every name there is")),
                        _ if name.contains('.') => None,
                        _ => Some(("it is a single label", "read as every name under it")),
                    };
                }
                self.indicators.add_name(kind, name, line)?
            }
            Ok(Meaning::Network(network)) => {
                if network.is_whole_family() {
                    doubt = Some(("its prefix length is 0", "read as every address there is"));
                }
                self.indicators.add_network(network, line)?
            }
            Ok(Meaning::NetworkWithHostBits(network)) => {
                doubt = Some(("bits are set behind its prefix", "read as the network around it"));
                self.indicators.add_network(network, line)?
            }
            Err(fault) => {
                self.skip(word, &fault.to_string());
                return Ok(());
            }
        };
        if !added {
            self.list.duplicates = self.list.duplicates.saturating_add(1);
            return Ok(());
        }
        self.list.entries += 1;
        if let Some((why, done)) = doubt {
            self.warn(word, why, done);
        }
        Ok(())
    }

    fn skip(&mut self, text: &str, why: &str) {
        if self.first_skipped.is_none() {
            self.first_skipped = Some(self.warning(text, why, "skipped"));
        }
        self.list.skipped = self.list.skipped.saturating_add(1);
        self.warn(text, why, "skipped");
    }

    fn warn(&mut self, text: &str, why: &str, done: &'static str) {
        if self.list.warned < WARNINGS_MAX {
            self.warnings.push(self.warning(text, why, done));
        }
        self.list.warned = self.list.warned.saturating_add(1);
    }

    fn warning(&self, text: &str, why: &str, done: &'static str) -> Warning {
        let mut chars = text.chars();
        let mut text: String = chars.by_ref().take(SHOWN_LEN_MAX).collect();
        text = text.escape_debug().to_string();
        if chars.next().is_some() {
            text.push_str("...");
        }
        Warning { file: self.file.clone(), line: self.list.lines, text, why: why.into(), done }
    }
}

impl List {
    fn new(name: String, form: Form, first: u32) -> List {
        List { name, form, lines: 0, entries: 0, duplicates: 0, skipped: 0, warned: 0, first }
    }
}

/// The form of a list by its beginning: hosts, when most of its lines are an address with names behind.
fn form_of(head: &[u8]) -> Form {
    let (mut hosts, mut others) = (0u32, 0u32);
    for line in head.split(|&octet| octet == b'\n') {
        let content = plain::content_of(line);
        match std::str::from_utf8(content).map(hosts::split) {
            _ if content.is_empty() => {}
            Ok(Some(_)) => hosts += 1,
            _ => others += 1,
        }
    }
    if hosts > others { Form::Hosts } else { Form::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::IndicatorId;
    use crate::name::Name;
    use proptest::prelude::*;
    use std::fs;

    fn read(list: impl Into<Vec<u8>>) -> Result<(Indicators, Vec<Warning>), LoadError> {
        Indicators::read("flagged.txt", list.into(), NameHasher::random())
    }

    /// Each indicator with its line.
    fn shown(indicators: &Indicators) -> Vec<(String, u32)> {
        let all = (0..indicators.len() as u32).filter_map(|id| indicators.get(IndicatorId(id)));
        all.map(|indicator| (indicator.value.to_owned(), indicator.line)).collect()
    }

    fn values(list: &str) -> Vec<String> {
        let (indicators, _) = read(list).unwrap();
        shown(&indicators).into_iter().map(|(value, _)| value).collect()
    }

    #[test]
    fn a_plain_list_with_everything_in_it() {
        let list = "\u{feff}# c2, week 12\r\n\r\nEvil.COM.\r\n*.bad.example ; below\r\n=one.example // alone\r\n\
                    192.0.2.1\r\n198.51.100.7/24\r\n2001:db8::/32\r\nhxxp://münchen[.]example/x # x\r\nevil.com\r\n";
        let (indicators, warnings) = read(list).unwrap();
        let expected = [
            ("evil.com", 3),
            ("*.bad.example", 4),
            ("=one.example", 5),
            ("192.0.2.1", 6),
            ("198.51.100.0/24", 7),
            ("2001:db8::/32", 8),
            ("xn--mnchen-3ya.example", 9),
        ];
        assert_eq!(shown(&indicators), expected.map(|(value, line)| (value.to_owned(), line)));
        let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
        assert_eq!(
            warning.to_string(),
            "flagged.txt line 7: \"198.51.100.7/24\": bits are set behind its prefix: read as the network around it"
        );
        let [list] = indicators.lists() else { panic!() };
        assert_eq!((list.lines, list.entries, list.duplicates, list.skipped), (10, 7, 1, 0));
        assert_eq!(list.form, Form::Plain);
        let counts = IndicatorKind::ALL.map(|kind| indicators.count(kind));
        assert_eq!(counts, [1, 1, 2, 1, 2]);
    }

    #[test]
    fn a_hosts_file_gives_its_names_and_no_address() {
        let list = "127.0.0.1 localhost\n::1 ip6-localhost ip6-loopback\n255.255.255.255\tbroadcasthost\n\
                    fe80::1%lo0 localhost\n0.0.0.0 0.0.0.0\n# start\n0.0.0.0 Evil.com alias.example # c2\n\
                    :: v6.example\n0.0.0.0 evil.com\nbyhand.example\n0.0.0.0\n0.0.0.0 a..b good.example\n";
        let (indicators, warnings) = read(list).unwrap();
        let expected = [
            ("evil.com", 7),
            ("alias.example", 7),
            ("v6.example", 8),
            ("byhand.example", 10),
            ("good.example", 12),
        ];
        assert_eq!(shown(&indicators), expected.map(|(value, line)| (value.to_owned(), line)));
        assert_eq!(indicators.lists()[0].form, Form::Hosts);
        assert_eq!(indicators.lists()[0].duplicates, 1);
        let skipped: Vec<_> = warnings.iter().map(|w| (w.line, w.text.as_str())).collect();
        assert_eq!(skipped, [(11, "0.0.0.0"), (12, "a..b")]);
    }

    #[test]
    fn an_address_in_a_hosts_file_that_leads_somewhere_is_warned_of() {
        let (indicators, warnings) = read("203.0.113.7 evil.com").unwrap();
        assert_eq!(indicators.count(IndicatorKind::Address), 0);
        assert_eq!(warnings[0].done, "only its names are used");
    }

    #[test]
    fn a_hosts_line_in_a_plain_list_is_skipped_not_guessed_at() {
        let (_, warnings) = read("evil.com\nbad.example\n0.0.0.0 other.example").unwrap();
        assert_eq!((warnings[0].line, warnings[0].done), (3, "skipped"));
    }

    #[test]
    fn what_flags_too_much_is_used_and_warned_of() {
        for (list, why) in [
            (".", "it is the root"),
            ("com", "it is a single label"),
            ("*.com", "it is a single label"),
            ("0.0.0.0/0", "its prefix length is 0"),
            ("::/0", "its prefix length is 0"),
        ] {
            let (indicators, warnings) = read(list).unwrap();
            assert_eq!((indicators.len(), warnings[0].why.as_str()), (1, why), "{list}");
        }
        let (_, warnings) = read("=com\n=.\nevil.com").unwrap();
        assert_eq!(warnings, []);
    }

    #[test]
    fn bad_lines_are_shown_escaped_and_short() {
        let mut list = b"evil.com\nbad\x1b[31m.example\n\xff\xfe.example # latin\nz".to_vec();
        list.extend_from_slice("y".repeat(70_000).as_bytes());
        list.extend_from_slice(b"\nnul\0.example\nlast.example # \xe9");
        let mut head = vec![b'#'; 65_536];
        head.push(b'\n');
        let (indicators, warnings) = read([head, list].concat()).unwrap();
        assert_eq!(indicators.len(), 2);
        let seen: Vec<_> = warnings.iter().map(|w| (w.line, w.text.as_str())).collect();
        let long = format!("z{}...", "y".repeat(79));
        assert_eq!(
            seen,
            [
                (1, format!("{}...", "#".repeat(80)).as_str()),
                (3, "bad\\u{1b}[31m.example"),
                (4, "��.example"),
                (5, long.as_str()),
                (6, "nul\\0.example"),
            ]
        );
    }

    #[test]
    fn warnings_are_bounded_and_counted() {
        let (indicators, warnings) = read(format!("evil.com\n{}", "a..b\n".repeat(1_000))).unwrap();
        assert_eq!(warnings.len(), WARNINGS_MAX as usize);
        let list = &indicators.lists()[0];
        assert_eq!((list.skipped, list.warned), (1_000, 1_000));
    }

    #[test]
    fn a_list_that_yields_nothing_is_an_error_that_says_why() {
        let error = |list: &str| read(list).unwrap_err().to_string();
        assert_eq!(error(""), "no usable entry in flagged.txt: 0 lines read, 0 skipped");
        assert_eq!(error("# nothing\n"), "no usable entry in flagged.txt: 1 line read, 0 skipped");
        assert_eq!(
            error("a..b\n1234\n"),
            "no usable entry in flagged.txt: 2 lines read, 2 skipped; first: line 1: \"a..b\": it has an empty label"
        );
        assert!(error("127.0.0.1 localhost").starts_with("no usable entry"));
        assert!(error("\0\0").contains("is binary"));
        assert!(error("\n\r\r\n\0").contains("is a packet capture"));
    }

    #[test]
    fn files_are_named_apart_and_missing_ones_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["a", "b"] {
            fs::create_dir(path(name)).unwrap();
            fs::write(path(name).join("c2.txt"), "evil.com\n=evil.com\n").unwrap();
        }
        fs::write(path("other.txt"), "evil.com").unwrap();
        let paths = [path("a/c2.txt"), path("other.txt"), path("b/c2.txt")];
        let (indicators, _) = Indicators::load(&paths, NameHasher::random()).unwrap();
        let list_of = |id| indicators.list_name(indicators.get(IndicatorId(id)).unwrap().list);
        let seen: Vec<_> = (0..5).map(list_of).collect();
        let (a, b) = (paths[0].to_str().unwrap(), paths[2].to_str().unwrap());
        assert_eq!(seen, [a, a, "other.txt", b, b]);
        let mut found = Vec::new();
        indicators.match_name(Name::from_wire(b"\x04EVIL\x03com\0"), &mut found);
        assert_eq!(found, [1, 4, 0, 2, 3].map(IndicatorId), "by kind, then by list");

        let missing = Indicators::load(&[path("none.txt")], NameHasher::random()).unwrap_err();
        assert!(missing.to_string().ends_with("none.txt"), "{missing}");
        let cut = zstd::encode_all("evil.com\n".repeat(100_000).as_bytes(), 1).unwrap();
        fs::write(path("cut.zst"), &cut[..cut.len() - 4]).unwrap();
        let cut = Indicators::load(&[path("cut.zst")], NameHasher::random()).unwrap_err();
        assert!(matches!(cut, LoadError::Read { .. }), "{cut}");
        assert!(matches!(Indicators::load(&[], NameHasher::random()), Err(LoadError::NoLists)));
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            "[=*.]{0,2}([a-zA-Z0-9_-]{1,5}\\.){0,3}[a-zA-Z]{1,5}\\.?",
            "[0-9]{1,3}\\.[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}(/[0-9]{1,2})?",
            "[0-9a-f]{1,4}::[0-9a-f]{0,4}(/[0-9]{1,3})?",
            "hxxps?(\\[:\\]|:)//[a-z]{1,5}(\\[\\.\\]|\\(dot\\))[a-z]{2}(:[0-9]{1,6})?/[a-z#;]{0,3}",
            "(0\\.0\\.0\\.0|::1)( [a-z]{1,4}\\.[a-z]{2}){0,3}",
            "[ -~]{0,20}",
            "\\PC{0,12}",
        ]
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_a_panic(list: Vec<u8>) {
            let _ = read(list);
        }

        #[test]
        fn any_lines_are_read_and_what_they_give_reads_back(
            lines in prop::collection::vec(line(), 0..12),
        ) {
            let list = lines.join("\n");
            if let Ok((indicators, _)) = read(list) {
                let first: Vec<_> = shown(&indicators).into_iter().map(|(value, _)| value).collect();
                prop_assert_eq!(values(&first.join("\n")), first);
            }
        }
    }
}
