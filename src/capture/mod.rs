//! Captures: files of frames, read in batches.
//!
//! [`Reader`] takes several files as one capture in time order: classic pcap and pcapng, plain or
//! compressed with gzip or zstd, recognised by what they hold and not by their names.
//!
//! ```text
//! source (octets) -> pcap, pcapng (where the frames lie) -> file (blocks) -> reader (batches, in time order)
//! ```
//!
//! `pcap` and `pcapng` do no input: they walk over octets and mark frames. `file` reads large blocks
//! straight into the arena that a batch hands on, so that no frame is copied or allocated by itself.
//! A damaged file is read up to its damage, which is kept with its place as a [`Damage`].

mod begin;
mod block;
mod directory;
mod fault;
mod file;
mod filter;
mod key;
pub mod live;
mod pcap;
mod pcapng;
mod reader;
mod search;
mod source;
mod stream;

#[cfg(test)]
mod tests;

pub use begin::begin_of;
pub use directory::{
    EVIDENCE_COLUMNS, EVIDENCE_INDEX, LeftOut, Listing, RING_ENDING, RING_PREFIX, captures_in,
    is_called_capture, is_of_ring,
};
pub use fault::{CaptureError, Damage, Fault, Place};
pub use key::key_of;
pub use reader::Reader;
pub use source::{EndedEarly, OpenPipe, Progress, is_pipe, open_pipe};

/// The most frames a batch takes.
pub const BATCH_FRAMES_MAX: usize = 1_024;

/// The most octets a frame can have: what Wireshark and libpcap take for possible. A record that
/// claims more is corrupt.
pub const FRAME_OCTETS_MAX: u32 = 262_144;
