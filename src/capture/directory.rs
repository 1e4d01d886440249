//! A directory of captures, such as the ring that a live run keeps.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::FileReader;
use super::source::Progress;

/// How the files of a ring are called: `ring-20261124T091517.000000001Z.pcapng`, by their first frame's time.
pub const RING_PREFIX: &str = "ring-";
/// The format that a ring is written in.
pub const RING_ENDING: &str = ".pcapng";
/// What captures are called, beside what compresses them and what counts them.
const ENDINGS: &[&str] = &[".pcap", ".pcapng", ".cap", ".dmp"];
/// How they are compressed, and how else, which is not read.
const COMPRESSED: &[&str] = &[".gz", ".zst"];
const COMPRESSED_ELSE: &[&str] = &[".bz2", ".xz", ".lz4", ".zip", ".7z"];
/// What the index of a directory of evidence is called.
pub const EVIDENCE_INDEX: &str = "index.csv";
/// How that index begins.
pub const EVIDENCE_COLUMNS: &str = "file,client,indicator,list,list_line,";
/// So deep directories in directories are looked through.
const DEPTH_MAX: usize = 16;

/// What a directory holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The captures, by path.
    pub captures: Vec<PathBuf>,
    /// What was left out, by reason.
    pub left_out: BTreeMap<LeftOut, Vec<PathBuf>>,
}

/// Why something in a directory is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It holds nothing, as a capture just begun.
    Empty,
    /// It is called a capture, but is no file, or one that cannot be looked at: a link that leads nowhere, say.
    NoFile,
    /// It is compressed in a way that is not read.
    CompressedElse,
    /// It is a link to a directory; these are not followed.
    LinkedDirectory,
    /// It is a directory that cannot be read.
    UnreadableDirectory,
    /// It is a directory of evidence that was cut out of captures.
    Evidence,
    /// It is called otherwise than captures are, and does not begin as one.
    CalledOtherwise,
}

impl LeftOut {
    /// Whether packets may be missing for it.
    pub fn may_be_capture(self) -> bool {
        !matches!(self, LeftOut::Evidence | LeftOut::CalledOtherwise)
    }

    /// For people, of one or several.
    pub fn words(self) -> &'static str {
        match self {
            LeftOut::Empty => "empty",
            LeftOut::NoFile => "unreadable",
            LeftOut::CompressedElse => "compressed, but not with gzip or zstd",
            LeftOut::LinkedDirectory => "linked directory",
            LeftOut::UnreadableDirectory => "directory that cannot be read",
            LeftOut::Evidence => "evidence extracted from captures",
            LeftOut::CalledOtherwise => "no capture by name or beginning",
        }
    }
}

/// The captures in a directory and in those in it. What is hidden does not count, and links to directories are
/// not followed.
///
/// # Errors
/// When a directory cannot be read.
pub fn captures_in(directory: &Path) -> io::Result<Listing> {
    let mut found = Listing::default();
    look_through(directory, 0, &mut found)?;
    found.captures.sort();
    found.left_out.values_mut().for_each(|paths| paths.sort());
    Ok(found)
}

fn look_through(directory: &Path, depth: usize, found: &mut Listing) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let why = match entry.file_type()?.is_dir() {
            true if is_evidence(&path) => Some(LeftOut::Evidence),
            true if depth >= DEPTH_MAX => Some(LeftOut::UnreadableDirectory),
            // Where one within cannot be read, such as `lost+found`, the others are.
            true => match look_through(&path, depth + 1, found) {
                Ok(()) => continue,
                Err(_) => Some(LeftOut::UnreadableDirectory),
            },
            false => why_not(&path),
        };
        match why {
            None => found.captures.push(path),
            Some(why) => found.left_out.entry(why).or_default().push(path),
        }
    }
    Ok(())
}

/// Whether a directory is what `--evidence` makes.
fn is_evidence(directory: &Path) -> bool {
    let mut head = [0; EVIDENCE_COLUMNS.len()];
    let index = fs::File::open(directory.join(EVIDENCE_INDEX));
    let read = index.and_then(|mut index| index.read_exact(&mut head));
    read.is_ok() && head == EVIDENCE_COLUMNS.as_bytes()
}

/// Why a file is no capture to be read.
fn why_not(path: &Path) -> Option<LeftOut> {
    if fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink()) && path.is_dir() {
        return Some(LeftOut::LinkedDirectory);
    }
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    if !is_called_capture(&name) && !begins_as_capture(path) {
        let without = COMPRESSED_ELSE.iter().find_map(|ending| name.strip_suffix(ending));
        return Some(match without.is_some_and(is_called_capture) {
            true => LeftOut::CompressedElse,
            false => LeftOut::CalledOtherwise,
        });
    }
    match fs::metadata(path) {
        Ok(data) if data.is_file() => (data.len() == 0).then_some(LeftOut::Empty),
        _ => Some(LeftOut::NoFile),
    }
}

/// Whether a file is a capture by how it begins, whatever it is called: who rotates captures puts dates behind their
/// endings.
fn begins_as_capture(path: &Path) -> bool {
    let is_file = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() > 0);
    is_file && FileReader::open(path, Arc::new(Progress::default())).is_ok()
}

/// Whether a file is one of a ring: its last record may be half written, or half gone with a run that was
/// killed, which ends it and is no damage.
pub fn is_of_ring(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(RING_PREFIX) && name.ends_with(RING_ENDING)
}

/// Whether a name is what captures are called.
pub fn is_called_capture(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.as_str();
    let plain = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    // tcpdump counts behind the ending (`office.pcap12`), others behind a dot.
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('.');
    ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_its_captures_in_order_and_what_is_left_out_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir_all(at("inner.pcap/deep")).unwrap();
        for name in [
            "b.pcap",
            "a.pcapng.gz",
            "c.pcap12",
            "C.PCAP",
            "e.pcap.1.gz",
            "notes.txt",
            "ring-1Z.pcapng",
            "d.cap.zst",
            "d.cap.bz2",
            ".hidden.pcap",
            "inner.pcap/deep/x.dmp",
        ] {
            fs::write(at(name), "x").unwrap();
        }
        fs::create_dir(at("cut")).unwrap();
        fs::write(at("cut/a.pcapng"), "x").unwrap();
        fs::write(at("cut").join(EVIDENCE_INDEX), format!("{EVIDENCE_COLUMNS}verdict\n")).unwrap();
        fs::write(at("empty.pcap"), "").unwrap();
        let mut header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        header.resize(24, 0);
        fs::write(at("dc.pcap-20260301"), &header).unwrap();
        fs::write(at("snort.log.1772442000"), zstd::encode_all(&*header, 3).unwrap()).unwrap();
        let found = captures_in(directory.path()).unwrap();
        let names = |paths: &[PathBuf]| -> Vec<String> {
            let inner = paths.iter().map(|path| path.strip_prefix(directory.path()).unwrap());
            inner.map(|path| path.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(
            names(&found.captures),
            [
                "C.PCAP",
                "a.pcapng.gz",
                "b.pcap",
                "c.pcap12",
                "d.cap.zst",
                "dc.pcap-20260301",
                "e.pcap.1.gz",
                "inner.pcap/deep/x.dmp",
                "ring-1Z.pcapng",
                "snort.log.1772442000"
            ]
        );
        let left_out: Vec<_> =
            found.left_out.iter().map(|(why, paths)| (*why, names(paths))).collect();
        assert_eq!(
            left_out,
            [
                (LeftOut::Empty, vec!["empty.pcap".to_owned()]),
                (LeftOut::CompressedElse, vec!["d.cap.bz2".to_owned()]),
                (LeftOut::Evidence, vec!["cut".to_owned()]),
                (LeftOut::CalledOtherwise, vec!["notes.txt".to_owned()]),
            ]
        );
        assert!(is_of_ring(&at("ring-1Z.pcapng")) && !is_of_ring(&at("b.pcap")));
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_nowhere_are_told_and_those_to_directories_not_followed() {
        use std::os::unix::fs::symlink;
        let directory = tempfile::tempdir().unwrap();
        symlink("nowhere", directory.path().join("x.pcap")).unwrap();
        symlink(directory.path(), directory.path().join("round")).unwrap();
        fs::write(directory.path().join("a.pcap"), "x").unwrap();
        let found = captures_in(directory.path()).unwrap();
        assert_eq!(found.captures, [directory.path().join("a.pcap")]);
        assert_eq!(found.left_out[&LeftOut::NoFile], [directory.path().join("x.pcap")]);
        assert_eq!(found.left_out[&LeftOut::LinkedDirectory], [directory.path().join("round")]);
    }
}
