//! A directory of captures, such as the ring that a live run keeps.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How the files of a ring are called: `ring-20261124T091517.000000001Z.pcapng`, by their first frame's time.
pub const RING_PREFIX: &str = "ring-";
/// The format that a ring is written in.
pub const RING_ENDING: &str = ".pcapng";
/// What captures are called, beside what compresses them.
const ENDINGS: &[&str] = &[".pcap", ".pcapng", ".cap"];

/// The captures in a directory, by name. Empty files, and what is called otherwise, are left out.
///
/// # Errors
/// When the directory cannot be read.
pub fn captures_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut captures = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_used = fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() > 0);
        if is_used && is_called_capture(&path) {
            captures.push(path);
        }
    }
    captures.sort();
    Ok(captures)
}

/// Whether a file is one of a ring: its last record may be half written, or half gone with a run that was
/// killed, which ends it and is no damage.
pub fn is_of_ring(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(RING_PREFIX) && name.ends_with(RING_ENDING)
}

fn is_called_capture(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    // tcpdump counts behind the ending: `office.pcap12`.
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_its_captures_in_order_of_their_names() {
        let directory = tempfile::tempdir().unwrap();
        for name in
            ["b.pcap", "a.pcapng.gz", "c.pcap12", "notes.txt", "ring-1Z.pcapng", "d.cap.zst"]
        {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        fs::write(directory.path().join("empty.pcap"), "").unwrap();
        fs::create_dir(directory.path().join("inner.pcap")).unwrap();
        let found = captures_in(directory.path()).unwrap();
        let names: Vec<&str> =
            found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.pcapng.gz", "b.pcap", "c.pcap12", "d.cap.zst", "ring-1Z.pcapng"]);
        assert!(is_of_ring(&found[4]) && !is_of_ring(&found[1]));
    }
}
