//! What is being loaded: all lists so far, and the one at hand.

use std::io;

use super::error::{LoadError, Warning};
use super::form::{Form, Guess, guess};
use super::lines::{Line, Lines};
use super::plain::Words;
use super::word::{Meaning, WordReader};
use super::{
    List, REASONS_MAX, Reason, SHOWN_LEN_MAX, WARNINGS_A_REASON_MAX, WARNINGS_MAX, adblock, json,
    misp, plain, rpz, stix, suricata, table, zeek,
};
use crate::indicator::building::Remark;
use crate::indicator::{Full, IndicatorKind, Indicators};
use crate::name::NameHasher;
use crate::text::{NoText, Text, without_comment};

/// Why the list at hand cannot be read further.
pub(super) enum Stop {
    /// The system said so.
    Io(io::Error),
    /// There is no room for more.
    Full,
    /// It is not of the form that it seemed to be, in words.
    Broken(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

impl From<Full> for Stop {
    fn from(Full: Full) -> Stop {
        Stop::Full
    }
}

pub(super) struct Loader {
    flagged: Indicators,
    allowed: Indicators,
    /// Where each list begins, of what is flagged and of what is allowed.
    begins: [Vec<usize>; 2],
    lists: Vec<List>,
    warnings: Vec<Warning>,
    /// Words read, keeping the room that they take.
    reader: WordReader,
    /// The list at hand.
    pub(super) list: List,
    /// The line at hand, from 1.
    pub(super) line: u32,
    /// Whether what is added now is not to be flagged.
    pub(super) allows: bool,
    first_skipped: Option<Warning>,
}

impl Loader {
    pub(super) fn new(hasher: NameHasher) -> Loader {
        Loader {
            flagged: Indicators::new(hasher),
            allowed: Indicators::new(hasher),
            begins: [Vec::new(), Vec::new()],
            lists: Vec::new(),
            warnings: Vec::new(),
            reader: WordReader::default(),
            list: List::new(String::new(), String::new()),
            line: 0,
            allows: false,
            first_skipped: None,
        }
    }

    /// Reads one list. `allows` says that all of it is not to be flagged.
    pub(super) fn load(
        &mut self,
        name: String,
        file: String,
        text: Result<Text<'_>, NoText>,
        form: Option<Form>,
        allows: bool,
    ) -> Result<(), LoadError> {
        let mut lines = match text {
            Ok(text) => Lines::of(text),
            Err(NoText::Io(source)) => return Err(LoadError::Read { file, lines: 0, source }),
            Err(NoText::Capture) => return Err(LoadError::Capture(file)),
            Err(NoText::Binary) => return Err(LoadError::Binary(file)),
        };
        let form = match (form, guess(lines.head())) {
            (Some(form), _) | (None, Guess::Form(form)) => form,
            (None, Guess::Alerts) => return Err(LoadError::Alerts(file)),
            (None, Guess::OtherJson) => return Err(LoadError::OtherJson(file)),
            (None, Guess::Page) => return Err(LoadError::Page(file)),
        };
        self.list = List::new(name, file);
        self.list.form = form;
        self.first_skipped = None;
        self.line = 0;
        self.allows = allows;
        let begins = [&self.flagged, &self.allowed].map(Indicators::next_place);
        for (all, begin) in self.begins.iter_mut().zip(begins) {
            all.push(begin);
        }
        let read = match form {
            Form::Plain | Form::Hosts => plain::load(self, &mut lines, form),
            Form::Adblock => adblock::load(self, &mut lines),
            Form::Rpz => rpz::load(self, &mut lines),
            Form::Csv => table::load(self, &mut lines),
            Form::Stix => json::load(self, &mut lines, stix::document),
            Form::Misp => json::load(self, &mut lines, misp::document),
            Form::Zeek => zeek::load(self, &mut lines),
            Form::SuricataDataset => suricata::load_dataset(self, &mut lines),
            Form::SuricataReputation => suricata::load_reputation(self, &mut lines),
            Form::SuricataRules => suricata::load_rules(self, &mut lines),
        };
        let file = || self.list.file.clone();
        read.map_err(|stop| match stop {
            Stop::Io(source) => LoadError::Read { file: file(), lines: self.line, source },
            Stop::Full => LoadError::TooMany { file: file(), line: self.line },
            Stop::Broken(why) => LoadError::Broken { file: file(), form, why },
        })?;
        self.list.lines = self.list.lines.max(self.line);
        let given = [&self.flagged, &self.allowed].map(Indicators::next_place);
        if given == begins && self.list.skipped > 0 {
            return Err(self.nothing());
        }
        self.lists.push(self.list.clone());
        Ok(())
    }

    /// The error of the list at hand, which gave nothing.
    fn nothing(&mut self) -> LoadError {
        LoadError::Nothing {
            file: self.list.file.clone(),
            form: self.list.form,
            lines: self.list.lines,
            skipped: self.list.skipped,
            first: self.first_skipped.take().map(Box::new),
        }
    }

    /// All that was loaded.
    pub(super) fn finish(mut self) -> Result<(Indicators, Vec<Warning>), LoadError> {
        if self.flagged.is_empty() {
            return Err(self.nothing());
        }
        let [begins, allowed_begins] = &self.begins;
        let built = self.flagged.finish(begins);
        let allowed = self.allowed.finish(allowed_begins);
        for (list, (built, allowed)) in self.lists.iter_mut().zip(built.iter().zip(&allowed)) {
            list.first = built.first;
            list.entries = built.entries;
            list.allowed = allowed.entries;
            list.duplicates = built.duplicates + allowed.duplicates;
            if built.entries + allowed.entries == 0 {
                self.warnings.push(Warning {
                    file: list.file.clone(),
                    line: list.lines,
                    text: String::new(),
                    why: "it has no entries".into(),
                    done: "the other lists are used",
                });
            }
        }
        // What is allowed is told by the list that allows it.
        let mut allowed_lists = self.lists.clone();
        for (list, built) in allowed_lists.iter_mut().zip(&allowed) {
            (list.first, list.entries) = (built.first, built.entries);
        }
        self.allowed.lists = allowed_lists;
        self.flagged.lists = self.lists;
        if !self.allowed.is_empty() {
            self.flagged.allowed = Some(Box::new(self.allowed));
        }
        self.warnings.extend(self.flagged.broad());
        Ok((self.flagged, self.warnings))
    }

    /// Hands each line to `read` that is not blank, text, and not too long, white space around it left out.
    pub(super) fn each_line(
        &mut self,
        lines: &mut Lines<'_>,
        mut read: impl FnMut(&mut Loader, &str) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        while self.next_line(lines, &mut read)? {}
        Ok(())
    }

    /// Hands the next line to `read`; false at the end.
    pub(super) fn next_line(
        &mut self,
        lines: &mut Lines<'_>,
        read: &mut impl FnMut(&mut Loader, &str) -> Result<(), Stop>,
    ) -> Result<bool, Stop> {
        let Some(line) = lines.next_line()? else { return Ok(false) };
        self.line = self.line.saturating_add(1);
        match line {
            Line::Whole(line) => match std::str::from_utf8(line.trim_ascii()) {
                Ok("") => {}
                Ok(line) => read(self, line.trim())?,
                // A comment in another encoding harms nobody.
                Err(_) => match std::str::from_utf8(without_comment(line)) {
                    Ok(content) => read(self, content)?,
                    Err(_) => {
                        let content = without_comment(line);
                        self.skip(&String::from_utf8_lossy(content), "it is not UTF-8 text");
                    }
                },
            },
            Line::TooLong(line) => {
                self.skip(&String::from_utf8_lossy(line), "it is longer than 64 KiB");
            }
        }
        Ok(true)
    }

    /// Adds what the next lines name, as long as they are nothing but names.
    pub(super) fn names(&mut self, lines: &mut Lines<'_>, words: &mut Words) -> Result<(), Stop> {
        let block = lines.block()?;
        let set = if self.allows { &mut self.allowed } else { &mut self.flagged };
        let mut used = 0;
        while let Some(len) = block.get(used..).and_then(|rest| words.scanned.scan(rest)) {
            used += len;
            self.line = self.line.saturating_add(1);
            let hash = words.scanned.hash(set.hasher());
            let name = words.scanned.name();
            set.add_hashed_name(IndicatorKind::Domain, name, hash, self.line)?;
        }
        lines.consume(used);
        Ok(())
    }

    /// Adds what a word stands for.
    pub(super) fn word(&mut self, word: &str, remark: Remark<'_>) -> Result<(), Stop> {
        let set = if self.allows { &mut self.allowed } else { &mut self.flagged };
        let fault = match self.reader.read(word) {
            Ok(Meaning::Name(kind, name)) => {
                return Ok(set.add_name(kind, name, self.line, remark)?);
            }
            Ok(Meaning::Network(network)) => {
                return Ok(set.add_network(network, self.line, remark)?);
            }
            Ok(Meaning::NetworkWithHostBits(network)) => {
                set.add_network(network, self.line, remark)?;
                let why = "it has host bits set";
                self.warn(word, why, "read as the network that contains it");
                return Ok(());
            }
            Err(fault) => fault,
        };
        self.skip(word, &fault.to_string());
        Ok(())
    }

    /// As [`Loader::word`], of text out of a cell or a string, which may be anything.
    pub(super) fn value(&mut self, value: &str, remark: Remark<'_>) -> Result<(), Stop> {
        let value = value.trim();
        // Of a URL only the host counts, which no blank stands before.
        let value = match value.split_once(char::is_whitespace) {
            Some((start, _)) if start.contains("://") => start,
            _ => value,
        };
        if value.contains(char::is_whitespace) {
            self.skip(value, "it is more than one word");
            return Ok(());
        }
        self.word(value, remark)
    }

    /// Adds a name whose kind the form gives. Marks before it are no part of it.
    pub(super) fn name(
        &mut self,
        kind: IndicatorKind,
        name: &str,
        remark: Remark<'_>,
    ) -> Result<(), Stop> {
        let set = if self.allows { &mut self.allowed } else { &mut self.flagged };
        let fault = match self.reader.read(name) {
            Ok(Meaning::Name(IndicatorKind::Domain, name)) => {
                return Ok(set.add_name(kind, name, self.line, remark)?);
            }
            Ok(_) => "expected a name".to_owned(),
            Err(fault) => fault.to_string(),
        };
        self.skip(name, &fault);
        Ok(())
    }

    /// Leaves something out, and says why.
    pub(super) fn skip(&mut self, text: &str, why: &str) {
        if self.first_skipped.is_none() {
            self.first_skipped = Some(self.warning(text, why, "skipped"));
        }
        self.list.skipped = self.list.skipped.saturating_add(1);
        self.warn(text, why, "skipped");
    }

    /// Says what is doubtful.
    pub(super) fn warn(&mut self, text: &str, why: &str, done: &'static str) {
        let reasons = &mut self.list.reasons;
        let known = reasons.iter().position(|reason| reason.why == why && reason.done == done);
        let place = known.unwrap_or(reasons.len().min(REASONS_MAX));
        if place == reasons.len() {
            let why = if place < REASONS_MAX { why } else { "other problems" };
            reasons.push(Reason { why: why.to_owned(), done, count: 0 });
        }
        let mut seen = 0;
        if let Some(reason) = reasons.get_mut(place) {
            reason.count = reason.count.saturating_add(1);
            seen = reason.count;
        }
        if self.list.warned < WARNINGS_MAX && seen <= WARNINGS_A_REASON_MAX {
            self.warnings.push(self.warning(text, why, done));
        }
        self.list.warned = self.list.warned.saturating_add(1);
    }

    fn warning(&self, text: &str, why: &str, done: &'static str) -> Warning {
        let mut chars = text.chars();
        let mut text: String = chars.by_ref().take(SHOWN_LEN_MAX).collect();
        text = text
            .chars()
            .flat_map(|c| match c {
                '"' | '\'' => vec![c],
                c => c.escape_debug().collect(),
            })
            .collect();
        if chars.next().is_some() {
            text.push_str("...");
        }
        Warning { file: self.list.file.clone(), line: self.line, text, why: why.into(), done }
    }
}

impl List {
    pub(super) fn new(name: String, file: String) -> List {
        List {
            name,
            file,
            form: Form::Plain,
            reading: None,
            lines: 0,
            entries: 0,
            allowed: 0,
            duplicates: 0,
            skipped: 0,
            warned: 0,
            reasons: Vec::new(),
            first: 0,
        }
    }
}
