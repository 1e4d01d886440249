//! Where a page is written: whole or not at all.
//!
//! It is written to a temporary file beside its destination, which then takes the destination's name. So
//! nobody opens half a page, and an older page stays until there is a newer one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// How every page begins, so that another run may write over it.
const BEGINNING: &[u8] = b"<!DOCTYPE html>";

/// A file that a page may be written to.
#[derive(Debug)]
pub(super) struct Destination {
    path: PathBuf,
    temporary: PathBuf,
}

impl Destination {
    /// Makes sure, before anything is read, that a page can be written to `path`, and that nothing is
    /// lost by it.
    ///
    /// # Errors
    /// 1. `path` names no file, or something else than a file is there.
    /// 2. A file is there that is no HTML page, such as the capture itself.
    /// 3. Its directory cannot be written to.
    pub fn new(path: &Path) -> io::Result<Destination> {
        let named = |error| named(path, error);
        let Some(name) = path.file_name() else {
            return Err(named(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it does not name a file",
            )));
        };
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(named(error)),
            Ok(found) if !found.is_file() => {
                let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
                return Err(named(error));
            }
            Ok(_) => may_be_replaced(path).map_err(named)?,
        }
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", std::process::id()));
        let destination =
            Destination { path: path.to_owned(), temporary: path.with_file_name(hidden) };
        destination.open().map_err(named)?;
        destination.remove();
        Ok(destination)
    }

    /// Writes the page.
    ///
    /// # Errors
    /// When it cannot be written; the destination is then as it was.
    pub fn write(&self, page: &str) -> io::Result<()> {
        let written = self.open().and_then(|mut file| {
            file.write_all(page.as_bytes())?;
            file.sync_all()?;
            fs::rename(&self.temporary, &self.path)
        });
        written.map_err(|error| {
            self.remove();
            named(&self.path, error)
        })
    }

    fn open(&self) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(&self.temporary)
    }

    fn remove(&self) {
        // If it cannot be removed, it was not made, and what went wrong is told already.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// An error that says which file it is about.
fn named(path: &Path, error: io::Error) -> io::Error {
    let text = format!("cannot write the report {}: {error}", path.display());
    io::Error::new(error.kind(), text)
}

/// Whether a file is empty or an earlier page: a slip of the hand shall not cost a capture.
fn may_be_replaced(path: &Path) -> io::Result<()> {
    let mut beginning = Vec::new();
    File::open(path)?.take(BEGINNING.len() as u64).read_to_end(&mut beginning)?;
    if beginning.is_empty() || beginning.eq_ignore_ascii_case(BEGINNING) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "the file exists and is not an HTML page, so it is not overwritten; use another name",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_the_place_of_an_earlier_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answer.html");
        for page in ["<!DOCTYPE html>one", "<!doctype HTML>two", "<!DOCTYPE html>three"] {
            Destination::new(&path).unwrap().write(page).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), page);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_page_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let capture = folder.path().join("office.pcap");
        fs::write(&capture, [0xd4, 0xc3, 0xb2, 0xa1]).unwrap();
        let error = Destination::new(&capture).unwrap_err().to_string();
        assert!(error.contains("office.pcap") && error.contains("not an HTML page"), "{error}");
        assert_eq!(fs::read(&capture).unwrap().len(), 4);
        assert!(Destination::new(folder.path()).unwrap_err().to_string().contains("regular file"));
        assert!(Destination::new(Path::new("..")).is_err());
    }

    #[test]
    fn a_directory_that_is_not_there_is_named_at_once() {
        let error = Destination::new(Path::new("no/such/directory/answer.html")).unwrap_err();
        assert!(error.to_string().contains("no/such/directory/answer.html"), "{error}");
    }
}
