//! The second reading: the wanted frames, and what belongs to them.
//!
//! Of a message in several frames (IP fragments, TCP segments) the attribution names the frame that completed
//! it. So the fragments of the same packet that came before are taken too, and the segments of the same
//! direction of the connection shortly before: a message may begin in them.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;

use foldhash::{HashMap, HashSet, HashSetExt};

use crate::attribution::ReadFile;
use crate::capture::{Reader, open_pipe};
use crate::frame::{Batch, Frame, FrameId};
use crate::packet::{Piece, Ports, piece};
use crate::time::Span;

/// How much evidence is held, in octets of frames.
pub(super) const OCTETS_MAX: usize = 256 << 20;
/// How many frames are remembered in case that they turn out to belong to a wanted one.
const RECENT_MAX: usize = 4_096;
/// How many octets of them.
const RECENT_OCTETS_MAX: usize = 16 << 20;
/// How many fragments one wanted frame may take with it: a packet of 65,535 octets has 45 on Ethernet.
const FRAGMENTS_MAX: usize = 64;
/// How many segments. A message is rarely in more; those of others in the same connection are too.
const SEGMENTS_MAX: usize = 16;
/// How long before the wanted frame a segment of the same message may have come.
const SEGMENT_AGE: Span = Span::from_secs(2);
/// The same of a fragment: as long as reassembly waits.
const FRAGMENT_AGE: Span = Span::from_secs(30);

/// The frames that were wanted and found, in the order of the capture.
#[derive(Debug, Default)]
pub(super) struct Picked {
    frames: Batch,
    places: HashMap<FrameId, usize>,
    /// What belongs to a wanted frame.
    companions: BTreeMap<FrameId, Companions>,
}

/// What belongs to a frame.
#[derive(Debug)]
pub(super) struct Companions {
    /// The frames.
    pub frames: Vec<FrameId>,
    /// Whether they are fragments of the same packet; else earlier segments of the same connection.
    pub are_fragments: bool,
}

/// A frame that may belong to a later one.
struct Recent {
    piece: Piece,
    at: Batch,
}

impl Picked {
    /// Reads the captures until all that is wanted was found.
    pub fn from(
        captures: &[ReadFile],
        ports: &Ports,
        wanted: impl Iterator<Item = FrameId>,
    ) -> io::Result<Picked> {
        let mut wanted_left: HashSet<FrameId> = HashSet::new();
        wanted_left.extend(wanted);
        let mut picked = Picked::default();
        if wanted_left.is_empty() {
            return Ok(picked);
        }
        let paths: Vec<PathBuf> = captures.iter().map(|file| file.path.clone()).collect();
        let shifts = captures.iter().map(|file| (file.path.clone(), file.shift)).collect();
        let reader = Reader::open_with(&paths, &shifts, &open_pipe);
        let mut reader = reader.map_err(io::Error::other)?;
        let mut batch = Batch::new();
        let mut recent: VecDeque<Recent> = VecDeque::new();
        let mut recent_octets = 0;
        while !wanted_left.is_empty() && reader.fill(&mut batch) {
            for frame in batch.frames() {
                let is_wanted = wanted_left.remove(&frame.id);
                let piece = piece(&frame, ports);
                if is_wanted {
                    if let Some(piece) = piece {
                        picked.take_companions(&frame, piece, &recent);
                    }
                    picked.take(frame);
                }
                if let Some(piece) = piece {
                    let mut at = Batch::new();
                    recent_octets += frame.bytes.len();
                    at.push(frame);
                    recent.push_back(Recent { piece, at });
                }
                while recent.len() > RECENT_MAX || recent_octets > RECENT_OCTETS_MAX {
                    let Some(old) = recent.pop_front() else { break };
                    recent_octets -= old.at.arena.len();
                }
            }
        }
        Ok(picked)
    }

    fn take_companions(&mut self, frame: &Frame<'_>, piece: Piece, recent: &VecDeque<Recent>) {
        let (age, most, are_fragments) = match piece {
            Piece::Segment(_) => (SEGMENT_AGE, SEGMENTS_MAX, false),
            Piece::Fragment { .. } => (FRAGMENT_AGE, FRAGMENTS_MAX, true),
        };
        let same = recent.iter().rev().filter(|recent| recent.piece == piece);
        let same = same.filter_map(|recent| recent.at.get(0));
        let near = same.take_while(|other| frame.time - other.time <= age).take(most);
        let mut ids = Vec::new();
        for other in near {
            self.take(other);
            ids.push(other.id);
        }
        if !ids.is_empty() {
            self.companions.insert(frame.id, Companions { frames: ids, are_fragments });
        }
    }

    fn take(&mut self, frame: Frame<'_>) {
        let fits = self.frames.arena.len() + frame.bytes.len() <= OCTETS_MAX;
        if fits && !self.places.contains_key(&frame.id) {
            self.places.insert(frame.id, self.frames.len());
            self.frames.push(frame);
        }
    }

    /// What belongs to a frame.
    pub fn companions(&self, frame: FrameId) -> Option<&Companions> {
        self.companions.get(&frame)
    }

    /// A frame, if it was found.
    pub fn get(&self, frame: FrameId) -> Option<Frame<'_>> {
        self.frames.get(*self.places.get(&frame)?)
    }
}
