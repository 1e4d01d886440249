//! A file that grows for months: begun anew by size and by time, and mended where a run was killed.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::fcntl::OFlag;
use nix::unistd::{AccessFlags, access};

use super::queue::Target;

/// The longest line that was begun and not ended is taken off; what is longer is no line of ours.
const PARTIAL_OCTETS_MAX: u64 = 1 << 20;

/// When a file is begun anew, and how many earlier ones stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// At so many octets.
    pub octets: Option<u64>,
    /// After so long a time.
    pub every: Option<Duration>,
    /// How many earlier files stay: `answers.jsonl.1` is the newest of them.
    pub keep: u32,
}

/// What a file of a form begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    /// Every line is an answer.
    None,
    /// The first line names the columns.
    First,
    /// Lines that begin with `#` come first.
    Hashes,
}

/// A file, or a named pipe, as the target of a queue.
#[derive(Debug)]
pub struct Growing {
    path: PathBuf,
    rotation: Rotation,
    heading: Heading,
    /// The heading as it came, for the files to come.
    head: Vec<u8>,
    has_head: bool,
    open: Option<Open>,
    /// The last that a pipe took was not the end of a line.
    is_mid_line: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    is_pipe: bool,
    /// Octets up to which all lines are whole; of a pipe, those of the heading that it took.
    good: u64,
    /// Whether a pipe was given anything since it was opened.
    is_begun: bool,
    began: SystemTime,
}

impl Growing {
    /// Opens the file, or makes it. A line that a killed run left without its end is taken off.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn open(path: &Path, rotation: Rotation, heading: Heading) -> io::Result<Growing> {
        let mut growing = Growing {
            path: path.to_owned(),
            rotation,
            heading,
            head: Vec::new(),
            has_head: heading == Heading::None,
            open: None,
            is_mid_line: false,
        };
        match growing.opened() {
            Ok(open) => growing.open = Some(open),
            // A pipe that nobody reads yet.
            Err(error) if is_unread(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(growing)
    }

    fn opened(&self) -> io::Result<Open> {
        let is_pipe = fs::metadata(&self.path).is_ok_and(|data| data.file_type().is_fifo());
        if is_pipe {
            // Opened so that neither the lack of a reader nor a slow one keeps us waiting.
            let flags = OFlag::O_NONBLOCK.bits();
            let file = OpenOptions::new().write(true).custom_flags(flags).open(&self.path)?;
            return Ok(Open { file, is_pipe, good: 0, is_begun: false, began: now() });
        }
        // Not in append mode: that would not let a half-written line be written over.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&self.path)?;
        let good = whole_lines(&mut file)?;
        let began = file.metadata()?.created().unwrap_or_else(|_| now());
        Ok(Open { file, is_pipe, good, is_begun: true, began })
    }

    /// Begins the file anew if that is due before `more` octets are written.
    fn rotate(&mut self, more: u64) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.is_pipe {
            return Ok(());
        }
        // Others empty a file that they have copied (logrotate's copytruncate). Writing on where it ended would
        // fill the gap with zeros.
        open.good = open.good.min(open.file.metadata()?.len());
        if open.good <= self.head.len() as u64 {
            return Ok(());
        }
        let is_long = self.rotation.octets.is_some_and(|limit| open.good + more > limit);
        let age = now().duration_since(open.began).unwrap_or_default();
        let is_old = self.rotation.every.is_some_and(|limit| age >= limit);
        if !is_long && !is_old {
            return Ok(());
        }
        open.file.sync_all()?;
        if self.rotation.keep == 0 {
            fs::remove_file(&self.path)?;
        }
        for number in (0..self.rotation.keep).rev() {
            match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.open = None;
        // The new names stay, too. A file system that cannot do that loses nothing but them.
        let _ = File::open(directory_of(&self.path)).and_then(|directory| directory.sync_all());
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name: OsString = self.path.clone().into_os_string();
        if number > 0 {
            name.push(format!(".{number}"));
        }
        name.into()
    }

    /// Takes the heading out of the first lines that come, and says how many octets of them it was.
    fn take_head(&mut self, lines: &[u8]) -> usize {
        let mut taken = 0;
        for line in lines.split_inclusive(|octet| *octet == b'\n') {
            match self.heading {
                Heading::First if self.head.is_empty() => {}
                Heading::Hashes if line.starts_with(b"#") => {}
                _ => {
                    self.has_head = true;
                    break;
                }
            }
            self.head.extend_from_slice(line);
            taken += line.len();
        }
        taken
    }

    fn put(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.rotate(lines.len() as u64)?;
        if self.open.is_none() {
            self.open = Some(self.opened()?);
        }
        let Some(open) = &mut self.open else { return Ok(0) };
        if open.is_pipe {
            if self.is_mid_line && !open.is_begun {
                self.is_mid_line = false;
                // Its reader went away within a line: to the next one the rest of that is none.
                return Ok(first_line(lines).len());
            }
            open.begin(&self.head)?;
            let octets = open.file.write(lines)?;
            self.is_mid_line = lines.get(..octets).is_some_and(|taken| !taken.ends_with(b"\n"));
            return Ok(octets);
        }
        if open.good == 0 && !self.head.is_empty() {
            open.whole(&self.head)?;
        }
        open.whole(lines)?;
        Ok(lines.len())
    }
}

impl Open {
    /// Gives a pipe the heading, of which it may take a part at a time.
    fn begin(&mut self, head: &[u8]) -> io::Result<()> {
        self.is_begun = true;
        while let Some(rest) = head.get(self.good as usize..).filter(|rest| !rest.is_empty()) {
            self.good += self.file.write(rest)? as u64;
        }
        Ok(())
    }

    /// Writes lines so that all of them are there or none is.
    fn whole(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.good))?;
        if let Err(error) = self.file.write_all(lines) {
            // What cannot be taken off now is written over later.
            let _ = self.file.set_len(self.good);
            return Err(error);
        }
        self.good += lines.len() as u64;
        Ok(())
    }
}

impl Target for Growing {
    fn write(&mut self, lines: &[u8]) -> (usize, Option<io::Error>) {
        let mut taken = 0;
        if !self.has_head {
            taken = self.take_head(lines);
        }
        let mut failure = None;
        while let Some(rest) = lines.get(taken..).filter(|rest| !rest.is_empty()) {
            // A file takes a piece whole or not at all; of a piece that is too much for the room that is
            // left, line by line what fits.
            let result = match self.put(rest) {
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                    self.put(first_line(rest))
                }
                other => other,
            };
            match result {
                Ok(octets) => taken += octets,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        match &failure {
            Some(error) if is_unread(error) || error.kind() == io::ErrorKind::BrokenPipe => {
                // A pipe without a reader: the next one is waited for.
                self.open = None;
                (taken, Some(io::Error::other("nobody reads the pipe")))
            }
            _ => (taken, failure),
        }
    }

    fn reopen(&mut self) {
        if let Some(open) = self.open.take()
            && !open.is_pipe
        {
            // It cannot be told to anybody that is not told at the next write.
            let _ = open.file.sync_all();
        }
    }

    fn tick(&mut self) -> io::Result<()> {
        self.rotate(0)?;
        match &self.open {
            Some(_) => Ok(()),
            None => match self.opened() {
                Ok(open) => {
                    self.open = Some(open);
                    Ok(())
                }
                Err(error) if is_unread(&error) => Ok(()),
                Err(error) => Err(error),
            },
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match &self.open {
            Some(open) if !open.is_pipe && open.file.metadata()?.nlink() > 0 => {
                open.file.sync_all()
            }
            _ => Ok(()),
        }
    }
}

/// The first of some lines, with its end.
fn first_line(lines: &[u8]) -> &[u8] {
    lines.split_inclusive(|octet| *octet == b'\n').next().unwrap_or_default()
}

/// The directory that a file stands in.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether a file can be begun anew: its directory lets whoever we are make and rename files.
pub fn can_be_begun_anew(path: &Path) -> bool {
    access(directory_of(path), AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
}

/// Whether a pipe cannot be opened since nobody reads it.
fn is_unread(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::ENXIO as i32)
}

/// Takes off a line without an end, and says how long the file is then.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let len = file.metadata()?.len();
    let from = len.saturating_sub(PARTIAL_OCTETS_MAX);
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    Read::by_ref(file).take(PARTIAL_OCTETS_MAX).read_to_end(&mut end)?;
    match end.iter().rposition(|octet| *octet == b'\n') {
        Some(at) if at + 1 == end.len() => Ok(len),
        Some(at) => {
            let good = from + at as u64 + 1;
            file.set_len(good)?;
            Ok(good)
        }
        None if from == 0 => {
            file.set_len(0)?;
            Ok(0)
        }
        // Nothing of ours is so long. It is left alone, and what follows begins on a line of its own.
        None => {
            file.seek(SeekFrom::Start(len))?;
            file.write_all(b"\n")?;
            Ok(len + 1)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the age of a file is no matter of traffic")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Anything else that lines are sent to: opened when there is something to send, and anew when it failed.
pub struct Sent<F> {
    open: F,
    to: Option<Box<dyn Write + Send>>,
}

impl<F> Sent<F>
where
    F: FnMut() -> io::Result<Box<dyn Write + Send>> + Send,
{
    /// Opens with `open`. A line is given to the writer in one piece.
    ///
    /// # Errors
    /// When it cannot be opened now.
    pub fn new(mut open: F) -> io::Result<Sent<F>> {
        let to = Some(open()?);
        Ok(Sent { open, to })
    }

    /// Opens with `open` when that can be done: a receiver need not be there yet.
    pub fn later(open: F) -> Sent<F> {
        Sent { open, to: None }
    }
}

impl<F> Target for Sent<F>
where
    F: FnMut() -> io::Result<Box<dyn Write + Send>> + Send,
{
    fn write(&mut self, lines: &[u8]) -> (usize, Option<io::Error>) {
        let mut taken = 0;
        for line in lines.split_inclusive(|octet| *octet == b'\n') {
            let to = match &mut self.to {
                Some(to) => to,
                None => match (self.open)() {
                    Ok(to) => self.to.insert(to),
                    Err(error) => return (taken, Some(error)),
                },
            };
            if let Err(error) = to.write_all(line).and_then(|()| to.flush()) {
                self.to = None;
                return (taken, Some(error));
            }
            taken += line.len();
        }
        (taken, None)
    }

    fn reopen(&mut self) {
        self.to = None;
    }

    /// So that a receiver that is away, or has gone, is said before there is something to send.
    fn tick(&mut self) -> io::Result<()> {
        match &mut self.to {
            Some(to) => to.flush(),
            None => {
                self.to = Some((self.open)()?);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
