//! A key that a capture brings with it, so that reading it twice says the same twice.

use std::hash::BuildHasher;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use foldhash::quality::FixedState;

use super::source::{Progress, Source, is_pipe};

/// So much of each capture goes into the key: some hundred frames.
const HEAD_OCTETS: usize = 64 << 10;

/// A key for keyed hashes made from the beginning of each file, compressed or not, in whatever order they are named;
/// `None` where that cannot be read beforehand, as of a pipe.
///
/// Who sends packets does not know it: the moments at which hundreds of frames reached the one who captures are part of it,
/// in microseconds. Who *writes* a capture file can know it; but such a one can also write what questions it likes.
///
/// # Errors
/// When a file cannot be opened.
pub fn key_of(files: &[PathBuf]) -> io::Result<Option<[u64; 2]>> {
    if files.iter().any(|file| is_pipe(file)) {
        return Ok(None);
    }
    let mut heads = files.iter().map(|file| head_of(file)).collect::<io::Result<Vec<_>>>()?;
    heads.sort_unstable();
    Ok(Some([1, 2].map(|seed| FixedState::with_seed(seed).hash_one(&heads))))
}

/// A hash of how a capture begins, as far as it can be read.
fn head_of(file: &Path) -> io::Result<u64> {
    let mut source = Source::open(file, Arc::new(Progress::default()))?;
    let mut head = vec![0; HEAD_OCTETS];
    let mut read = 0;
    while let Some(rest) = head.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            // What is broken is told when it comes to be analysed.
            Ok(0) | Err(_) => break,
            Ok(octets) => read += octets,
        }
    }
    head.truncate(read);
    Ok(FixedState::default().hash_one(head))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_key_is_what_the_files_hold_and_not_how_they_are_called_or_ordered() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, octets: &[u8]| {
            let path = directory.path().join(name);
            fs::write(&path, octets).unwrap();
            path
        };
        let (one, other) = (file("one", &[1; 100]), file("other", &[2; 100]));
        let copy = file("copy", &zstd::encode_all(&[1; 100][..], 3).unwrap());
        let key = |files: &[&PathBuf]| {
            let files: Vec<PathBuf> = files.iter().copied().cloned().collect();
            key_of(&files).unwrap().unwrap()
        };
        assert_eq!(key(&[&one, &other]), key(&[&other, &copy]));
        let keys = [key(&[&one]), key(&[&other]), key(&[&one, &copy]), key(&[&one, &other])];
        for (n, key) in keys.iter().enumerate() {
            assert!(!keys[..n].contains(key) && key[0] != key[1], "{keys:x?}");
        }
    }

    #[test]
    fn what_cannot_be_read_beforehand_has_none_and_what_is_not_there_is_an_error() {
        assert!(key_of(&["-".into()]).unwrap().is_none());
        assert!(key_of(&["/dev/null".into()]).unwrap().is_none());
        let error = key_of(&["/nowhere/x.pcap".into()]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
