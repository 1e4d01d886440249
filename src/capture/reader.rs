//! Several capture files as one, in the order of time, in batches.
//!
//! The order, which depends on the files alone and not on how they are read:
//!
//! 1. Frames of one file keep its order, even where their times go backwards: a mirror port reorders.
//! 2. Files that follow each other in time are read one after the other, by their first frames. They may
//!    overlap slightly at the seam (below 100 ms and below a tenth of the file's span): so a capture that
//!    was cut into pieces reads exactly as the whole one.
//! 3. Files that really overlap, as those of two sensors do, are merged by time, at each step from the
//!    file whose next frame is earliest; ties by argument order.

use std::collections::{BTreeMap, BinaryHeap};
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::BATCH_FRAMES_MAX;
use super::block::Mark;
use super::directory;
use super::fault::{CaptureError, Damage, Fault};
use super::filter::Filter;
use super::source::{OpenPipe, Progress, open_pipe};
use super::stream::Stream;
use crate::frame::{Batch, Frame, FrameId, LinkType};
use crate::time::Span;

/// The arena of a batch of copied frames stops growing here.
const COPIED_OCTETS_MAX: usize = 1 << 20;

/// Reads capture files as one capture.
pub struct Reader {
    /// Files that have frames left; the one whose turn it is, on top.
    streams: BinaryHeap<Box<Stream>>,
    /// How many of them have begun.
    begun: usize,
    /// The files as they were given, in argument order; `-` is standard input.
    files: Vec<PathBuf>,
    damage: Vec<Damage>,
    filter: Option<Filter>,
    /// The link types of the first frames.
    links: Vec<LinkType>,
    progress: Arc<Progress>,
    sequence: u64,
}

impl Reader {
    /// Opens files, in argument order. A file that cannot be used is left out and kept as
    /// [damage](Reader::damage), unless there is no other.
    pub fn open(paths: &[PathBuf]) -> Result<Reader, CaptureError> {
        Reader::open_with(paths, &BTreeMap::new(), &open_pipe)
    }

    /// The same, with pipes opened by `pipes`, which need not wait for ever. To the stamps of each of the files in
    /// `shifts` the span beside it is added: so captures of clocks that differ are put in order.
    pub fn open_with(
        paths: &[PathBuf],
        shifts: &BTreeMap<PathBuf, Span>,
        pipes: OpenPipe<'_>,
    ) -> Result<Reader, CaptureError> {
        if paths.is_empty() {
            return Err(CaptureError::NoFile);
        }
        if paths.len() > usize::from(u16::MAX) {
            return Err(CaptureError::TooManyFiles(paths.len()));
        }
        allow_open(paths.len());
        let mut reader = Reader {
            streams: BinaryHeap::new(),
            begun: 0,
            files: paths.to_vec(),
            damage: Vec::new(),
            filter: None,
            links: Vec::new(),
            progress: Arc::new(Progress::over(paths)),
            sequence: 0,
        };
        for (file, path) in (0_u16..).zip(paths) {
            let shift = shifts.get(path).copied().unwrap_or_default();
            match Stream::open(file, (path, shift), &reader.progress, paths.len() > 1, pipes) {
                Ok((stream, link)) => {
                    reader.links.extend(link.filter(|link| !reader.links.contains(link)));
                    reader.streams.push(Box::new(stream));
                }
                Err(fault) => reader.damage.push(Damage::of_file(path, fault)),
            }
        }
        if reader.streams.is_empty() {
            return Err(CaptureError::Unusable(reader.damage));
        }
        Ok(reader)
    }

    /// Leaves out the frames that a BPF expression does not match, as `tcpdump` would. Frames keep their
    /// numbers.
    pub fn with_filter(mut self, expression: &str) -> Result<Reader, CaptureError> {
        self.filter = Some(Filter::new(expression, &self.links)?);
        Ok(self)
    }

    /// Replaces the frames of a batch by the next ones, at most [`BATCH_FRAMES_MAX`]; false when there are
    /// none left.
    pub fn fill(&mut self, batch: &mut Batch) -> bool {
        // An arena that goes back to a block stays as long as it is: see `Block`.
        let mut arena = mem::take(&mut batch.arena);
        batch.clear();
        while let Some(mut stream) = self.next_stream() {
            let whole = self.goes_whole(&mut stream);
            // What was merged goes out before a block that brings its own arena.
            let done = whole && stream.is_at_block_start() && !batch.is_empty();
            if whole && stream.is_at_block_start() && !done {
                self.hand_over(&mut stream, batch, &mut arena);
            } else if !done {
                if batch.is_empty() {
                    batch.arena = mem::take(&mut arena);
                    batch.arena.clear();
                }
                self.copy(&mut stream, whole, batch);
            }
            self.put_back(stream);
            if done || is_full(batch) || (whole && !batch.is_empty()) {
                break;
            }
        }
        batch.sequence = self.sequence;
        self.sequence += u64::from(!batch.is_empty());
        !batch.is_empty()
    }

    /// What is wrong with the files that were read to their end so far: all of it, after
    /// [`fill`](Reader::fill) has returned false.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// How far reading has come, for another thread to look at.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
}

impl Reader {
    /// Takes the stream whose turn it is, with its next frame at hand.
    fn next_stream(&mut self) -> Option<Box<Stream>> {
        loop {
            let mut stream = self.streams.pop()?;
            self.begun += usize::from(!stream.begun);
            if self.advance(&mut stream) {
                return Some(stream);
            }
        }
    }

    /// Puts a stream back among the others. Their order needs its next frame; where there are no others,
    /// it is not waited for, so that the frames of a pipe go out as they come.
    fn put_back(&mut self, mut stream: Box<Stream>) {
        if self.streams.is_empty() || self.advance(&mut stream) {
            self.streams.push(stream);
        }
    }

    /// Whether a stream has a next frame. When it has none, what was wrong with it is taken over.
    fn advance(&mut self, stream: &mut Stream) -> bool {
        let fault = match stream.advance(&self.progress) {
            Ok(true) => return true,
            Ok(false) => None,
            Err(fault) => fault.into(),
        };
        self.begun -= 1;
        if let (Some(fault), Some(path)) = (fault, self.files.get(usize::from(stream.file))) {
            self.damage.push(Damage::of_file(path, fault));
        }
        let is_of_ring = |damage: &Damage| {
            matches!(damage.fault, Fault::Cut { .. }) && directory::is_of_ring(&damage.file)
        };
        self.damage.extend(stream.damage().filter(|damage| !is_of_ring(damage)));
        false
    }

    /// Whether all of the stream's front block comes before what the other streams have.
    fn goes_whole(&self, stream: &mut Stream) -> bool {
        let Some(next) = self.streams.peek() else { return true };
        if !stream.whole && !stream.is_before(next) && !next.begun && self.begun == 1 {
            stream.whole = stream.ends_at_seam(next.key().0);
        }
        stream.whole || stream.is_before(next)
    }

    /// Makes the front block of a stream a batch, without copying.
    fn hand_over(&mut self, stream: &mut Stream, batch: &mut Batch, arena: &mut Vec<u8>) {
        let Some(mut block) = stream.take_block() else { return };
        if self.filter.is_none() {
            batch.mark_all(block.marks.iter().map(|mark| mark.entry(stream.file)));
        } else {
            for mark in &block.marks {
                if self.admit(stream.file, mark, block.bytes(mark)) {
                    batch.mark_all([mark.entry(stream.file)].into_iter());
                }
            }
        }
        if !batch.is_empty() {
            batch.arena = mem::replace(&mut block.arena, mem::take(arena));
        }
        stream.recycle(block);
    }

    /// Copies the frames of a stream's front block into a batch: all of them, or those before what the
    /// other streams have; until the batch is full.
    fn copy(&mut self, stream: &mut Stream, whole: bool, batch: &mut Batch) {
        let until = self.streams.peek().filter(|_| !whole).map(|next| next.key());
        while let Some((mark, bytes)) = stream.peek() {
            if is_full(batch) || until.is_some_and(|until| until < (mark.time, stream.file)) {
                break;
            }
            if self.admit(stream.file, &mark, bytes) {
                batch.push(Frame {
                    id: FrameId::new(stream.file, mark.number),
                    time: mark.time,
                    link: mark.link,
                    original_len: mark.original_len,
                    bytes,
                });
            }
            stream.step();
            if stream.is_at_block_start() {
                break;
            }
        }
    }

    /// Whether the filter lets a frame pass.
    fn admit(&mut self, file: u16, mark: &Mark, bytes: &[u8]) -> bool {
        let Some(filter) = &mut self.filter else { return true };
        filter.passes(mark.link, bytes).unwrap_or_else(|fault| {
            let path = self.files.get(usize::from(file));
            self.damage.extend(path.map(|path| Damage::of_file(path, fault)));
            false
        })
    }
}

/// Lets the process have as many files open as it may, if so many might be: those that overlap in time are, and of most
/// systems a process has to ask for more than a thousand.
fn allow_open(files: usize) {
    const FEW: usize = 200;
    if files > FEW
        && let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE)
    {
        // What cannot be opened all the same is told as damage.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

fn is_full(batch: &Batch) -> bool {
    batch.len() >= BATCH_FRAMES_MAX || batch.arena.len() >= COPIED_OCTETS_MAX
}
