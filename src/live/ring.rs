//! The last packets, kept in files, so that evidence can be cut when the alert comes hours later.
//!
//! The frames of a batch are made pcapng blocks where the batch is, and written by a thread of its own in
//! pieces of whole blocks. A file is closed when it is long enough, and the oldest goes when all of them
//! together would be too long, or the disk has hardly more than a reserve left: answers stand on the same disk as a rule, and
//! are worth more than old packets. A reader may look at any moment.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::statvfs::fstatvfs;

use super::OutputState;
use crate::capture::{RING_ENDING, RING_PREFIX, is_of_ring};
use crate::frame::{Batch, Frame, LinkType};
use crate::pipeline::live::now;
use crate::time::{Span, Timestamp};

/// How many batches wait at most.
const WAITING_MAX: usize = 32;
/// A ring has about so many files, so that what goes at once is a small part.
const FILES: u64 = 16;
/// The shortest and longest file.
const FILE_OCTETS_MIN: u64 = 4 << 10;
const FILE_OCTETS_MAX: u64 = 256 << 20;
/// The part of a disk that is left to others, and between which bounds; of a small disk at most a quarter.
const RESERVE_PART: u64 = 20;
const RESERVE_OCTETS_MIN: u64 = 64 << 20;
const RESERVE_OCTETS_MAX: u64 = 1 << 30;
const RESERVE_PART_MAX: u64 = 4;
/// How often it is looked at what others did to the disk.
const LOOK_EVERY: Span = Span::from_secs(1);
/// What is said of a disk that has no more room.
const FULL: &str = "the disk is full, except for a reserve for answers";
/// The most interfaces and link types that are told apart.
const INTERFACES_MAX: usize = 1_024;
/// How often the thread looks whether it is over.
const TICK: Duration = Duration::from_millis(200);

/// Keeps the last packets. Belongs to whoever hands out batches.
#[derive(Debug)]
pub struct Ring {
    names: Vec<String>,
    interfaces: Vec<(u16, LinkType)>,
    /// Blocks of interfaces that were not yet handed over.
    described: Vec<u8>,
    to: SyncSender<Piece>,
    empty: Receiver<Vec<u8>>,
    /// Octets that the disk had room for at the start, those of an earlier run's files among them and without the reserve.
    room: u64,
    /// How many octets it held when it was started.
    held: u64,
    watch: RingWatch,
}

/// How a ring is doing, for other threads.
#[derive(Clone, Debug)]
pub struct RingWatch {
    name: String,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    queued: AtomicU64,
    lost: AtomicU64,
    /// The time of the oldest packet that is kept, in nanoseconds; 0 if none is.
    oldest: AtomicI64,
    is_over: AtomicBool,
    has_ended: AtomicBool,
    fault: Mutex<Option<String>>,
}

/// Whole blocks, and what they are.
#[derive(Debug)]
struct Piece {
    octets: Vec<u8>,
    /// How many of the octets, in front, describe interfaces.
    described: usize,
    frames: u64,
    first: Timestamp,
}

impl Ring {
    /// Keeps packets in `directory`, which is made if need be, in files of at most `octets_max` together.
    /// `names` are the interfaces, by [`FrameId::file`](crate::frame::FrameId::file).
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn start(directory: &Path, octets_max: u64, names: Vec<String>) -> io::Result<Ring> {
        fs::create_dir_all(directory)?;
        let name = directory.display().to_string();
        let watch = RingWatch { name, counts: Arc::default() };
        let (to, from) = sync_channel(WAITING_MAX);
        let (emptied, empty) = sync_channel(WAITING_MAX);
        let claim = Claim::new(directory)?;
        let mut writer = Writer {
            directory: directory.to_owned(),
            claim,
            looked: Timestamp(0),
            octets_max,
            file_octets: 0,
            open: None,
            described: Vec::new(),
            is_full: false,
            counts: Arc::clone(&watch.counts),
        };
        // So that a directory that cannot be written to is said at once.
        let probe = directory.join(".whoasked");
        File::create(&probe)?;
        fs::remove_file(&probe)?;
        let room = writer.room()?;
        writer.size_files(room);
        let files = writer.files()?;
        writer.note_oldest(&files);
        let held = files.iter().map(|(_, octets)| octets).sum();
        let builder = thread::Builder::new().name("ring".to_owned());
        builder.spawn(move || writer.serve(&from, &emptied))?;
        let (interfaces, described) = (Vec::new(), Vec::new());
        Ok(Ring { names, interfaces, described, to, empty, room, held, watch })
    }

    /// How many octets the disk had room for when it was started, but for the reserve.
    pub fn room(&self) -> u64 {
        self.room
    }

    /// How many octets of packets there were when it was started.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// How it is doing, for others.
    pub fn watch(&self) -> RingWatch {
        self.watch.clone()
    }

    /// Takes the frames of a batch, or loses them all when the disk cannot keep up.
    pub fn take(&mut self, batch: &Batch) {
        let Some(first) = batch.frames().map(|frame| frame.time).min() else { return };
        // What is new is described before any packet, for the next file needs it again, in front.
        for frame in batch.frames() {
            self.interface(frame.id.file(), frame.link);
        }
        let mut octets = self.empty.try_recv().unwrap_or_default();
        octets.clear();
        octets.extend_from_slice(&self.described);
        let described = octets.len();
        let mut frames = 0;
        for frame in batch.frames() {
            if let Some(interface) = self.interface(frame.id.file(), frame.link) {
                packet(&mut octets, interface, &frame);
                frames += 1;
            }
        }
        let piece = Piece { octets, described, frames, first };
        let counts = &self.watch.counts;
        // Before it waits: it may be written in no time.
        counts.queued.fetch_add(frames, Ordering::Relaxed);
        match self.to.try_send(piece) {
            Ok(()) => self.described.clear(),
            Err(TrySendError::Full(piece) | TrySendError::Disconnected(piece)) => {
                counts.queued.fetch_sub(frames, Ordering::Relaxed);
                counts.lost.fetch_add(frames, Ordering::Relaxed);
                self.described.clear();
                self.described
                    .extend_from_slice(piece.octets.get(..piece.described).unwrap_or_default());
            }
        }
    }

    /// The number of an interface in the files; describes it when it is new.
    fn interface(&mut self, file: u16, link: LinkType) -> Option<u32> {
        if let Some(place) = self.interfaces.iter().position(|known| *known == (file, link)) {
            return Some(place as u32);
        }
        if self.interfaces.len() >= INTERFACES_MAX {
            return None;
        }
        self.interfaces.push((file, link));
        let name = self.names.get(usize::from(file)).map_or("", String::as_str);
        describe(&mut self.described, link, name);
        Some(self.interfaces.len() as u32 - 1)
    }
}

impl RingWatch {
    /// How it is doing; what is counted are frames.
    pub fn state(&self) -> OutputState {
        let counts = &self.counts;
        OutputState {
            name: self.name.clone(),
            written: counts.written.load(Ordering::Relaxed),
            queued: counts.queued.load(Ordering::Relaxed),
            lost: counts.lost.load(Ordering::Relaxed),
            fault: counts.fault.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// The time of the oldest packet that is kept.
    pub fn oldest(&self) -> Option<Timestamp> {
        Some(self.counts.oldest.load(Ordering::Relaxed)).filter(|time| *time > 0).map(Timestamp)
    }

    /// Writes what waits, as far as that can be done in so long a time; the rest is lost, and counted.
    pub fn finish(&self, patience: Duration) -> OutputState {
        self.counts.is_over.store(true, Ordering::Relaxed);
        let steps = patience.as_millis() / 10;
        for _ in 0..steps {
            if self.counts.has_ended.load(Ordering::Acquire) {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let given_up = self.counts.queued.swap(0, Ordering::Relaxed);
        self.counts.lost.fetch_add(given_up, Ordering::Relaxed);
        self.state()
    }
}

/// The directory of a ring: nobody else keeps packets there as long as this is held, and the process lives.
struct Claim(File);

impl Claim {
    fn new(directory: &Path) -> io::Result<Claim> {
        let held = File::open(directory)?;
        match held.try_lock() {
            Err(TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another whoasked is writing its packets there: give each run a directory of its own",
            )),
            // What a file system cannot do is no reason not to keep packets.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Claim(held)),
        }
    }

    /// Whether it is still the one that has this name.
    fn is_at(&self, directory: &Path) -> io::Result<bool> {
        let (there, held) = (fs::metadata(directory)?, self.0.metadata()?);
        Ok((there.dev(), there.ino()) == (held.dev(), held.ino()))
    }

    /// Octets that are free on its disk, and those of them that are left to others.
    fn disk(&self) -> io::Result<(u64, u64)> {
        let disk = fstatvfs(&self.0)?;
        // Their types differ from system to system.
        #[allow(clippy::useless_conversion)]
        let (size, all, free) = (
            u64::from(disk.fragment_size()),
            u64::from(disk.blocks()),
            u64::from(disk.blocks_available()),
        );
        Ok((free.saturating_mul(size), reserve(all.saturating_mul(size))))
    }
}

/// How much of a disk of so many octets is left to others.
fn reserve(all: u64) -> u64 {
    let part = (all / RESERVE_PART).clamp(RESERVE_OCTETS_MIN, RESERVE_OCTETS_MAX);
    part.min(all / RESERVE_PART_MAX)
}

/// The thread of a ring.
struct Writer {
    directory: PathBuf,
    claim: Claim,
    /// When it was last looked at what others did.
    looked: Timestamp,
    octets_max: u64,
    file_octets: u64,
    open: Option<Open>,
    /// The interfaces so far, for the files to come.
    described: Vec<u8>,
    /// The disk was full but for the reserve, and there is not yet room again for as much as is to be kept.
    is_full: bool,
    counts: Arc<Counts>,
}

struct Open {
    file: File,
    path: PathBuf,
    /// Octets of whole blocks.
    good: u64,
}

impl Writer {
    fn serve(mut self, from: &Receiver<Piece>, emptied: &SyncSender<Vec<u8>>) {
        loop {
            match from.recv_timeout(TICK) {
                Ok(piece) => {
                    self.take(&piece);
                    // If there are enough of them, it goes.
                    let _ = emptied.try_send(piece.octets);
                }
                Err(RecvTimeoutError::Timeout) if !self.counts.is_over.load(Ordering::Relaxed) => {}
                Err(_) => break,
            }
            if (now() - self.looked).abs() >= LOOK_EVERY {
                self.looked = now();
                self.look();
            }
        }
        if let Some(open) = &self.open {
            // Nobody is left who could be told.
            let _ = open.file.sync_all();
        }
        let counts = Arc::clone(&self.counts);
        // Whoever waits for the end may keep packets here at once.
        drop(self);
        counts.has_ended.store(true, Ordering::Release);
    }

    /// Sees what others did to the directory and the disk meanwhile.
    fn look(&mut self) {
        // While no packet comes, too, answers are to find room, and what is gone is not to be counted on.
        let result = self.same_directory().and_then(|()| {
            while self.open.is_some() && self.lacks_room(0)? && self.remove_oldest() {
                self.is_full = true;
                self.say(Some(FULL.to_owned()));
            }
            Ok(())
        });
        if let Err(error) = result {
            self.say(Some(error.to_string()));
        }
        self.note_oldest(&self.files().unwrap_or_default());
    }

    fn say(&self, fault: Option<String>) {
        *self.counts.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    fn take(&mut self, piece: &Piece) {
        let mut result = self.put(piece);
        while let Err(error) = &result
            && error.kind() == io::ErrorKind::StorageFull
        {
            self.is_full = true;
            if !self.remove_oldest() {
                break;
            }
            result = self.put(piece);
        }
        self.described.extend_from_slice(piece.octets.get(..piece.described).unwrap_or_default());
        let counts = &self.counts;
        let left = |queued: u64| queued.checked_sub(piece.frames);
        let waited = counts.queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        // Otherwise it was given up at the end of the run, and counted as lost.
        if waited.is_ok() {
            let count = if result.is_ok() { &counts.written } else { &counts.lost };
            count.fetch_add(piece.frames, Ordering::Relaxed);
        }
        if result.is_err() {
            // The file's interfaces may be one short: the next has them all.
            self.open = None;
        }
        let fault = match result {
            Err(error) if error.kind() != io::ErrorKind::StorageFull => Some(error.to_string()),
            _ => self.is_full.then(|| FULL.to_owned()),
        };
        self.say(fault);
    }

    /// Sees that packets go where the user finds them: into a directory that still has its name.
    fn same_directory(&mut self) -> io::Result<()> {
        match self.claim.is_at(&self.directory) {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.open = None;
                // A run that is not confined can use the new one.
                self.claim = Claim::new(&self.directory).map_err(|error| match error.kind() {
                    io::ErrorKind::PermissionDenied => io::Error::other(
                        "the directory was deleted and made again, and a confined run cannot see the new one: start \
                         whoasked again",
                    ),
                    _ => error,
                })?;
                Ok(())
            }
            Err(error) => {
                self.open = None;
                let words = "the directory was deleted, and its packets with it";
                Err(io::Error::other(format!(
                    "{words} ({error}): make it again, and start whoasked again"
                )))
            }
        }
    }

    /// Whether so many octets would take something of what is left to others.
    fn lacks_room(&self, octets: u64) -> io::Result<bool> {
        let (free, reserve) = self.claim.disk()?;
        Ok(free < reserve.saturating_add(octets))
    }

    fn put(&mut self, piece: &Piece) -> io::Result<()> {
        let octets = piece.octets.len() as u64;
        // A file that somebody deleted takes packets that nobody will ever read.
        if self.open.as_ref().is_some_and(Open::is_deleted) {
            self.open = None;
        }
        if self.lacks_room(octets)? {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.open.as_ref().is_some_and(|open| open.good + octets > self.file_octets) {
            self.open = None;
        }
        match &mut self.open {
            Some(open) => open.whole(&piece.octets),
            None => {
                self.same_directory()?;
                let room = self.room()?;
                self.is_full = self.is_full && room < self.octets_max;
                self.size_files(room);
                self.make_room(self.file_octets.max(octets))?;
                let mut open = self.create(piece.first)?;
                let mut head = Vec::with_capacity(self.described.len() + piece.octets.len() + 28);
                section(&mut head);
                head.extend_from_slice(&self.described);
                head.extend_from_slice(&piece.octets);
                let written = open.whole(&head);
                match &written {
                    Ok(()) => self.open = Some(open),
                    Err(_) => fs::remove_file(&open.path)?,
                }
                self.note_oldest(&self.files()?);
                written
            }
        }
    }

    /// On a small disk the files are small, too: the one that is written cannot make room for itself.
    fn size_files(&mut self, room: u64) {
        let all = self.octets_max.min(room);
        self.file_octets = (all / FILES).clamp(FILE_OCTETS_MIN, FILE_OCTETS_MAX);
    }

    fn create(&self, first: Timestamp) -> io::Result<Open> {
        for later in 0..1_000 {
            let time = Timestamp(first.0.saturating_add(later));
            let time = time.to_string().replace(['-', ':'], "");
            let path = self.directory.join(format!("{RING_PREFIX}{time}{RING_ENDING}"));
            let opened = OpenOptions::new().write(true).create_new(true).mode(0o640).open(&path);
            match opened {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                other => return Ok(Open { file: other?, path, good: 0 }),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// The files of the ring with their sizes, oldest first.
    fn files(&self) -> io::Result<Vec<(PathBuf, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if is_of_ring(&entry.path()) {
                files.push((entry.path(), entry.metadata().map_or(0, |data| data.len())));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Octets that the ring takes and those that are free beside them, but for the reserve.
    fn room(&self) -> io::Result<u64> {
        let (free, reserve) = self.claim.disk()?;
        let held = self.files()?.iter().map(|(_, octets)| octets).sum::<u64>();
        Ok((free + held).saturating_sub(reserve))
    }

    /// Remembers how far back the ring reaches.
    fn note_oldest(&self, files: &[(PathBuf, u64)]) {
        let oldest = files.iter().find_map(|(path, _)| began(path));
        self.counts.oldest.store(oldest.map_or(0, |time| time.0), Ordering::Relaxed);
    }

    /// Removes the oldest files until so many octets have room. Of a ring that was larger by far at most twice as many go at a
    /// time, so that whoever forgot how large it was can still stop that.
    fn make_room(&self, octets: u64) -> io::Result<()> {
        let files = self.files()?;
        let mut total: u64 = files.iter().map(|(_, octets)| octets).sum();
        let mut removed = 0;
        for (path, its) in files {
            if total + octets <= self.octets_max || removed >= 2 * octets {
                break;
            }
            fs::remove_file(path)?;
            total -= its;
            removed += its;
        }
        Ok(())
    }

    /// Removes the oldest file, unless it is the one that is written; false if there is none.
    fn remove_oldest(&self) -> bool {
        let current = self.open.as_ref().map(|open| open.path.as_path());
        let files = self.files().unwrap_or_default();
        match files.first() {
            Some((path, _)) if current != Some(path) && fs::remove_file(path).is_ok() => {
                self.note_oldest(files.get(1..).unwrap_or_default());
                true
            }
            _ => false,
        }
    }
}

impl Open {
    /// Whether it has no name any more.
    fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|data| data.nlink() == 0)
    }

    /// Writes blocks so that all of them are there or none is.
    fn whole(&mut self, blocks: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.good))?;
        if let Err(error) = self.file.write_all(blocks) {
            let _ = self.file.set_len(self.good);
            return Err(error);
        }
        self.good += blocks.len() as u64;
        Ok(())
    }
}

/// When the first packet of a file was captured, as its name says.
fn began(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?;
    let time = name.strip_prefix(RING_PREFIX)?.strip_suffix(RING_ENDING)?;
    let (date, clock) = time.split_once('T')?;
    let (year, day) = date.split_at_checked(4)?;
    let (month, day) = day.split_at_checked(2)?;
    let (hour, rest) = clock.split_at_checked(2)?;
    let (minute, second) = rest.split_at_checked(2)?;
    Timestamp::from_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}"))
}

// The blocks of pcapng (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>), by hand: a
// frame costs a copy and nothing is allocated for it.

/// A section header.
fn section(out: &mut Vec<u8>) {
    for word in [0x0a0d_0d0a_u32, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28] {
        out.extend_from_slice(&word.to_le_bytes());
    }
}

/// An interface, its times in nanoseconds.
fn describe(out: &mut Vec<u8>, link: LinkType, name: &str) {
    let name = name.as_bytes().get(..name.len().min(255)).unwrap_or_default();
    let padding = name.len().next_multiple_of(4) - name.len();
    let len = 20 + 4 + (name.len() + padding) as u32 + 8 + 4;
    for word in [1, len, u32::from(link.0), 0] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    // if_name, if_tsresol of 10^-9, and the end of options.
    out.extend_from_slice(&[2, 0]);
    out.extend_from_slice(&(name.len() as u16).to_le_bytes());
    out.extend_from_slice(name);
    out.extend_from_slice([0; 3].get(..padding).unwrap_or_default());
    out.extend_from_slice(&[9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&len.to_le_bytes());
}

/// A frame of an interface.
fn packet(out: &mut Vec<u8>, interface: u32, frame: &Frame<'_>) {
    let captured = frame.bytes.len() as u32;
    let padding = frame.bytes.len().next_multiple_of(4) - frame.bytes.len();
    let len = 32 + captured + padding as u32;
    let time = frame.time.0.max(0).unsigned_abs();
    let words = [6, len, interface, (time >> 32) as u32, time as u32, captured, frame.original_len];
    for word in words {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(frame.bytes);
    out.extend_from_slice([0; 3].get(..padding).unwrap_or_default());
    out.extend_from_slice(&len.to_le_bytes());
}

#[cfg(test)]
mod tests;
