//! The octets of a capture file: opened, decompressed if need be, and counted for a progress bar.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// How far reading has come. Any thread may look at it.
#[derive(Debug, Default)]
pub struct Progress {
    consumed: AtomicU64,
    total: Option<u64>,
}

impl Progress {
    /// For reading all of `paths`.
    pub(super) fn over(paths: &[PathBuf]) -> Progress {
        let total = paths.iter().map(|path| regular_file_octets(path)).sum();
        Progress { consumed: AtomicU64::new(0), total }
    }

    /// Octets read from the files so far, compressed as they are.
    pub fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// Octets of all files together; `None` when one of them is a pipe.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

/// How what may keep its reader waiting is opened.
pub type OpenPipe<'o> = &'o dyn Fn(&Path) -> io::Result<Box<dyn Read + Send>>;

/// Opens a file, or standard input for `-`; waits as long as that takes.
///
/// # Errors
/// When the file cannot be opened.
pub fn open_pipe(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    Ok(match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path)?),
    })
}

/// Whether a path is standard input, a pipe or a device: what can be read once, and can keep its reader
/// waiting.
pub fn is_pipe(path: &Path) -> bool {
    path.as_os_str() == "-"
        || fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// The run was told to stop while its input kept it waiting: what was read until then is all there is, and
/// nothing is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ended before anything was read")]
pub struct EndedEarly;

impl EndedEarly {
    /// Whether that is what an error says.
    pub(super) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<EndedEarly>())
    }
}

/// The size of a regular file, which can be opened a second time and gives the same; `None` for a pipe.
pub(super) fn regular_file_octets(path: &Path) -> Option<u64> {
    if path.as_os_str() == "-" {
        return None;
    }
    fs::metadata(path).ok().filter(|data| data.is_file()).map(|data| data.len())
}

/// How much a decompressor is asked for at once. When it meets corruption, what it had put out in the
/// same call is lost, so calls are kept small; they cost little beside the decompression.
const PIECE_OCTETS: usize = 8 << 10;
/// How much compressed input is read at once.
const COMPRESSED_OCTETS: usize = 128 << 10;

/// An opened file, or standard input for `-`.
pub(super) struct Source {
    input: Box<dyn Read + Send>,
    compressed: bool,
    /// An error that came after octets which had to be handed over first.
    failure: Option<io::Error>,
}

impl Source {
    /// Opens a file and finds out how it is compressed.
    pub fn open(path: &Path, progress: Arc<Progress>) -> io::Result<Source> {
        Source::new(open_pipe(path)?, progress)
    }

    /// Finds out how an opened file is compressed.
    pub fn new(input: Box<dyn Read + Send>, progress: Arc<Progress>) -> io::Result<Source> {
        let mut input = Counted { input, progress };
        let mut head = Vec::with_capacity(4);
        input.by_ref().take(4).read_to_end(&mut head)?;
        let magic = head.first_chunk::<4>().copied().unwrap_or_default();
        let input = Cursor::new(head).chain(input);
        let buffered = |input| BufReader::with_capacity(COMPRESSED_OCTETS, input);
        let (input, compressed): (Box<dyn Read + Send>, bool) = match magic {
            [0x1f, 0x8b, ..] => (Box::new(MultiGzDecoder::new(buffered(input))), true),
            // A zstd frame, or a skippable one in front of it.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                (Box::new(zstd::Decoder::with_buffer(buffered(input))?), true)
            }
            _ => (Box::new(input), false),
        };
        Ok(Source { input, compressed, failure: None })
    }

    /// Whether the file is compressed, so that offsets are not those of the file itself.
    pub fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Reads up to `into.len()` octets; 0 at the end. A plain file is asked once, so that a pipe's
    /// frames are handed on as they come; a decompressor until it has nothing more.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let piece = if self.compressed { PIECE_OCTETS } else { into.len() };
        let mut read = 0;
        while let Some(rest) = into.get_mut(read..).filter(|rest| !rest.is_empty()) {
            let piece = piece.min(rest.len());
            match self.input.read(rest.get_mut(..piece).unwrap_or_default()) {
                Ok(0) => break,
                Ok(octets) => read += octets,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if read == 0 => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
            if !self.compressed {
                break;
            }
        }
        Ok(read)
    }
}

struct Counted {
    input: Box<dyn Read + Send>,
    progress: Arc<Progress>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let octets = self.input.read(into)?;
        self.progress.consumed.fetch_add(octets as u64, Ordering::Relaxed);
        Ok(octets)
    }
}
