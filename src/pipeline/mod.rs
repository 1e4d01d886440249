//! Threads, channels, order and shutdown: the one place that starts a thread or looks at a clock.
//!
//! One thread reads batches of frames; decoder workers slice them and read the messages, knowing
//! nothing of one another; the stateful part takes the batches back in capture order. So whatever the
//! number of workers, the same messages come in the same order, with the same result.

mod decode;
pub mod live;
mod merge;
mod pipe;
mod run;
mod sequence;
mod watchlist_lookup;

pub use decode::{Counters as DecodeCounters, Decoded, Decoder};
pub use pipe::Pipe;
pub use run::{Stop, StopRequest, run};
pub use sequence::{MessageSink, Sequencer};
pub use watchlist_lookup::WatchlistLookup;
