//! Loading lists: which form a list has, and its entries read one by one.
//!
//! A list is what people have at hand, so little is asked of it: the form is found by what it holds,
//! and an entry that cannot be read is a [`Warning`] that says why, while the rest is used. What would
//! make the whole list useless ends loading with a [`LoadError`]: better no answer than "nothing
//! flagged" from an empty list.
//!
//! Where a form says itself how much of the tree below a name it means (a response policy zone, an
//! adblock rule, a Suricata rule), that is kept. Elsewhere a name means itself and all below it.

mod adblock;
mod entries;
mod error;
mod form;
mod hosts;
mod json;
mod lines;
mod loader;
mod misp;
mod plain;
mod rpz;
mod rule;
mod stix;
mod suricata;
mod table;
#[cfg(test)]
mod tests;
mod word;
mod zeek;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use self::error::{LoadError, Warning};
pub use self::form::Form;
use self::loader::Loader;
use super::Indicators;
use crate::name::NameHasher;
use crate::text::Text;

/// The most warnings that are kept of one list; [`List::warned`] counts them all.
const WARNINGS_MAX: u32 = 100;
/// How many of them may have the same reason.
const WARNINGS_A_REASON_MAX: u32 = 10;
/// How many different reasons are counted apart.
const REASONS_MAX: usize = 64;
/// How much of a line a warning shows, in characters.
const SHOWN_LEN_MAX: usize = 80;
/// The most files that are taken from a directory.
const FILES_MAX: usize = 10_000;

/// How many are opened before they are read. Of the files that a process may have open, 1,024 as a rule, others
/// need some.
const OPEN_MAX: usize = 512;

/// Which lists to load, and how.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    /// What is flagged: files, directories of files, or `-` for standard input.
    pub indicators: Vec<PathBuf>,
    /// What is not flagged though it is listed.
    pub allow: Vec<PathBuf>,
    /// How `indicators` are written; found by what they hold if it is not said.
    pub form: Option<Form>,
}

/// A list that was read.
#[derive(Clone, Debug)]
pub struct List {
    /// The name of its file, or its path as given where two files are named alike.
    pub name: String,
    /// Its path.
    pub file: String,
    /// How it is written.
    pub form: Form,
    /// What more there is to say of how it was read: which columns of a table.
    pub reading: Option<String>,
    /// How many lines it has.
    pub lines: u32,
    /// How many indicators it gave.
    pub entries: u32,
    /// How many it gave that are not to be flagged.
    pub allowed: u32,
    /// How many more it would have given, had it not named them before.
    pub duplicates: u32,
    /// How many lines, or parts of lines, were skipped.
    pub skipped: u32,
    /// How many warnings there were, kept or not.
    pub warned: u32,
    /// What was wrong and how often, the first first.
    pub reasons: Vec<Reason>,
    /// The id that its first indicator has, or would have.
    pub(super) first: u32,
}

/// Something that was wrong with entries of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What.
    pub why: String,
    /// What was done about it.
    pub done: &'static str,
    /// How often.
    pub count: u32,
}

impl Lists {
    /// All their paths.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.indicators.iter().chain(&self.allow)
    }

    /// Reads all lists, `-` being standard input. Names are hashed by `hasher`, by which the names that
    /// are matched must be hashed too.
    ///
    /// # Errors
    /// The first list that cannot be read, is no list, or holds nothing usable ends it.
    pub fn load(&self, hasher: NameHasher) -> Result<(Indicators, Vec<Warning>), LoadError> {
        self.files()?.load(hasher)
    }

    /// Opens all lists, to be read later, perhaps by somebody who may open none of them.
    ///
    /// # Errors
    /// The first list that cannot be opened.
    pub fn open(&self) -> Result<ListFiles, LoadError> {
        let mut files = self.files()?;
        for file in files.0.iter_mut().filter(|file| file.path.as_os_str() != "-").take(OPEN_MAX) {
            let opened = fs::File::open(&file.path);
            file.open = Some(opened.map_err(|source| LoadError::Read {
                file: shown(&file.path),
                lines: 0,
                source,
            })?);
        }
        Ok(files)
    }

    fn files(&self) -> Result<ListFiles, LoadError> {
        if self.indicators.is_empty() {
            return Err(LoadError::NoLists);
        }
        let of = |paths: &[PathBuf], form, allows| {
            let file = move |path| ListFile { path, open: None, form, allows };
            files_of(paths).map(|paths| paths.into_iter().map(file))
        };
        let flagged = of(&self.indicators, self.form, false)?;
        let files: Vec<ListFile> = flagged.chain(of(&self.allow, None, true)?).collect();
        if files.len() > usize::from(u16::MAX) {
            return Err(LoadError::TooManyLists(files.len()));
        }
        Ok(ListFiles(files))
    }
}

/// Lists that were found and are still to be read.
#[derive(Debug)]
pub struct ListFiles(Vec<ListFile>);

#[derive(Debug)]
struct ListFile {
    path: PathBuf,
    /// If it was opened already.
    open: Option<fs::File>,
    form: Option<Form>,
    /// Whether what it lists is not to be flagged.
    allows: bool,
}

impl ListFiles {
    /// Reads them, as [`Lists::load`] does.
    ///
    /// # Errors
    /// As there.
    pub fn load(self, hasher: NameHasher) -> Result<(Indicators, Vec<Warning>), LoadError> {
        let paths: Vec<PathBuf> = self.0.iter().map(|file| file.path.clone()).collect();
        let mut loader = Loader::new(hasher);
        for (file, name) in self.0.into_iter().zip(names_of(&paths)) {
            let text = match file.open {
                Some(open) => Text::of(open),
                None => Text::open(&file.path),
            };
            loader.load(name, shown(&file.path), text, file.form, file.allows)?;
        }
        loader.finish()
    }
}

impl Indicators {
    /// Reads all lists, as [`Lists::load`] does.
    ///
    /// # Errors
    /// As there.
    pub fn load(
        paths: &[PathBuf],
        hasher: NameHasher,
    ) -> Result<(Indicators, Vec<Warning>), LoadError> {
        Lists { indicators: paths.to_vec(), ..Lists::default() }.load(hasher)
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
        Indicators::read_as(name, list, None, hasher)
    }

    /// As [`Indicators::read`], where the form is known beforehand.
    ///
    /// # Errors
    /// As there.
    fn read_as(
        name: &str,
        list: Vec<u8>,
        form: Option<Form>,
        hasher: NameHasher,
    ) -> Result<(Indicators, Vec<Warning>), LoadError> {
        let mut loader = Loader::new(hasher);
        let text = Text::new(Box::new(io::Cursor::new(list)));
        loader.load(name.into(), name.into(), text, form, false)?;
        loader.finish()
    }
}

/// The files that paths stand for: of a directory those in it and in the directories in it, in the
/// order of their names. What is hidden, and what is no file, is left out: nobody may ever write to a pipe.
pub fn files_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, LoadError> {
    let mut files = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        for inner in visible(path)? {
            if inner.is_dir() {
                files.extend(visible(&inner)?.into_iter().filter(|path| path.is_file()));
            } else if inner.is_file() {
                files.push(inner);
            }
            if files.len() > FILES_MAX {
                return Err(LoadError::TooManyFiles(shown(path)));
            }
        }
        if files.len() == before {
            return Err(LoadError::EmptyDirectory(shown(path)));
        }
    }
    Ok(files)
}

fn visible(directory: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let error = |source| LoadError::Read { file: shown(directory), lines: 0, source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(error)? {
        let entry = entry.map_err(error)?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !is_hidden {
            paths.push(entry.path());
        }
        if paths.len() > FILES_MAX {
            return Err(LoadError::TooManyFiles(shown(directory)));
        }
    }
    paths.sort_unstable();
    Ok(paths)
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
