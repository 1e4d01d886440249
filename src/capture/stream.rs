//! One file among several that are read as one capture: where it stands, and how far it was read ahead.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::block::{Block, Mark};
use super::fault::{Damage, Fault};
use super::file::FileReader;
use super::source::{OpenPipe, Progress, Source, is_pipe, regular_file_octets};
use crate::frame::LinkType;
use crate::time::{Span, Timestamp};

/// Two files that overlap by less than this, and by less than a tenth of the first one's span, are one
/// capture that was cut in two while frames were slightly out of order.
const SEAM: Span = Span::from_millis(100);
/// The most octets that are read ahead to find out whether a file ends at a seam. A file with more is
/// taken to overlap the next: its frames are then merged by time, at worst slightly reordered.
const AHEAD_OCTETS_MAX: usize = 64 << 20;

/// A file with the frames that were read of it and not yet handed on.
pub(super) struct Stream {
    /// Its place among the arguments.
    pub file: u16,
    path: PathBuf,
    /// What is added to its stamps.
    shift: Span,
    /// `None` until it is the file's turn: a capture in thousands of pieces must not hold them all open.
    reader: Option<FileReader>,
    /// Whether a frame of it was asked for.
    pub begun: bool,
    /// It is known to end before the next file: all of it comes first.
    pub whole: bool,
    blocks: VecDeque<Block>,
    /// Frames of the first block that were handed on.
    cursor: usize,
    /// Emptied blocks, for their memory.
    spare: Option<Block>,
    first: Timestamp,
    latest: Timestamp,
}

/// Where in the order of all frames a stream goes on: its next frame's time; ties by argument order.
pub(super) type Key = (Timestamp, u16);

impl Stream {
    /// Opens a file and looks at its first frame, whose link type is returned too. With `park`, a
    /// regular file is closed until its turn; a pipe is not, for it cannot be opened again. It is opened by
    /// `open_pipe`. `shift` is added to its stamps.
    pub fn open(
        file: u16,
        (path, shift): (&Path, Span),
        progress: &Arc<Progress>,
        park: bool,
        open_pipe: OpenPipe<'_>,
    ) -> Result<(Stream, Option<LinkType>), Fault> {
        let park = park && regular_file_octets(path).is_some();
        // What is read twice is counted once.
        let counted = if park { Arc::default() } else { Arc::clone(progress) };
        let failed = |error: io::Error| Fault::Open(error.to_string());
        let mut reader = match is_pipe(path) {
            true => {
                let pipe = open_pipe(path).map_err(failed)?;
                FileReader::new(Source::new(pipe, counted).map_err(failed)?)?
            }
            false => FileReader::open(path, counted)?,
        };
        let mut block = Block::default();
        reader.fill(&mut block);
        let (first, link) = match block.marks.first() {
            Some(mark) => (mark.time + shift, Some(mark.link)),
            None => (Timestamp(i64::MAX), None),
        };
        let mut stream = Stream {
            file,
            path: path.to_owned(),
            shift,
            reader: None,
            begun: false,
            whole: false,
            blocks: VecDeque::new(),
            cursor: 0,
            spare: None,
            first,
            latest: Timestamp(i64::MIN),
        };
        if !park {
            stream.reader = Some(reader);
            stream.keep(block);
        }
        Ok((stream, link))
    }

    /// Where it goes on.
    pub fn key(&self) -> Key {
        if self.whole {
            return (Timestamp(i64::MIN), self.file);
        }
        let next = self.front().and_then(|block| block.marks.get(self.cursor));
        (next.map_or(self.first, |mark| mark.time), self.file)
    }

    /// Makes sure that its next frame is at hand; `Ok(false)` at its end.
    pub fn advance(&mut self, progress: &Arc<Progress>) -> Result<bool, Fault> {
        self.begun = true;
        if self.reader.is_none() {
            self.reader = Some(FileReader::open(&self.path, Arc::clone(progress))?);
        }
        Ok(self.front().is_some() || self.read_ahead())
    }

    /// The block with its next frame.
    fn front(&self) -> Option<&Block> {
        self.blocks.front()
    }

    /// The next frame with its bytes.
    pub fn peek(&self) -> Option<(Mark, &[u8])> {
        let block = self.front()?;
        let mark = block.marks.get(self.cursor)?;
        Some((*mark, block.bytes(mark)))
    }

    /// Passes over the next frame.
    pub fn step(&mut self) {
        self.cursor += 1;
        let more = self.front().is_some_and(|block| self.cursor < block.marks.len());
        if !more && let Some(block) = self.take_block() {
            self.recycle(block);
        }
    }

    /// Whether no frame of the front block was handed on yet.
    pub fn is_at_block_start(&self) -> bool {
        self.cursor == 0
    }

    /// Whether the front block comes before the next frame of another stream. One that has not begun
    /// may begin at the very time at which this one ends.
    pub fn is_before(&self, other: &Stream) -> bool {
        let (time, file) = other.key();
        let file = if other.begun { file } else { u16::MAX };
        self.front().is_some_and(|block| (block.latest, self.file) <= (time, file))
    }

    /// Takes the front block.
    pub fn take_block(&mut self) -> Option<Block> {
        self.cursor = 0;
        self.blocks.pop_front()
    }

    /// Gives back a block for its memory.
    pub fn recycle(&mut self, block: Block) {
        self.spare = Some(block);
    }

    /// Whether this file ends only just after the next one begins: reads ahead to its end, or until it is
    /// clear that it does not.
    pub fn ends_at_seam(&mut self, next_begins: Timestamp) -> bool {
        let mut ahead: usize = self.blocks.iter().map(|block| block.arena.len()).sum();
        loop {
            let overlap = self.latest - next_begins;
            if overlap >= SEAM || ahead > AHEAD_OCTETS_MAX {
                return false;
            }
            if !self.read_ahead() {
                return overlap.0.saturating_mul(10) < (self.latest - self.first).0;
            }
            ahead += self.blocks.back().map_or(0, |block| block.arena.len());
        }
    }

    /// The faults met in it.
    pub fn damage(&mut self) -> impl Iterator<Item = Damage> {
        let ledger = self.reader.take().map(|reader| reader.ledger).unwrap_or_default();
        let file = std::mem::take(&mut self.path);
        ledger.faults.into_iter().map(move |met| Damage {
            file: file.clone(),
            place: Some(met.place),
            fault: met.fault,
            times: met.times,
            passed_over: met.passed_over,
        })
    }

    fn read_ahead(&mut self) -> bool {
        let Some(reader) = &mut self.reader else { return false };
        let mut block = self.spare.take().unwrap_or_default();
        if !reader.fill(&mut block) {
            return false;
        }
        self.keep(block);
        true
    }

    fn keep(&mut self, mut block: Block) {
        if self.shift != Span(0) {
            block.marks.iter_mut().for_each(|mark| mark.time = mark.time + self.shift);
        }
        if let Some(latest) = block.marks.iter().map(|mark| mark.time).max() {
            block.latest = latest;
            self.latest = self.latest.max(latest);
            self.blocks.push_back(block);
        }
    }
}

/// The stream that goes on earliest is the greatest: the one on top of a heap.
impl Ord for Stream {
    fn cmp(&self, other: &Stream) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Stream {
    fn partial_cmp(&self, other: &Stream) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Stream) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Stream {}
