//! Captures that do not end: interfaces listened on, each a [`Source`] of batches.
//!
//! A source is filled by a thread of its own. A batch leaves when it is full, or when the kernel has no more
//! at the moment: it hands frames over in blocks every few milliseconds, so that no clock is needed here.

mod device;
mod fanout;
mod filter;
mod known;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use device::{Device, DeviceOptions};
pub use fanout::Group;
pub use filter::{Wanted, kernel_filter};
pub use known::is_interface;

use crate::frame::Batch;

/// What came of filling a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// There are frames in it.
    Frames,
    /// None came while it was waited for.
    Idle,
    /// The interface is down or gone, for this reason; it is looked for again when asked again.
    Down(String),
    /// There will be no more.
    Ended,
}

/// What the kernel says of a source, since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Frames dropped since the ring was full.
    pub by_kernel: u64,
    /// Frames that the interface dropped before the kernel saw them.
    pub by_interface: u64,
}

/// Where frames come from as they happen.
pub trait Source: Send {
    /// Adds frames to an empty batch, in the order they came, without numbers. Waits at most so long for the
    /// first, and no longer for them to gather.
    fn fill(&mut self, batch: &mut Batch, wait: Duration) -> Filled;

    /// What was dropped so far.
    fn drops(&mut self) -> Drops;
}
