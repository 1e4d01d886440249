//! What a live run needs besides the pipe: outputs, and its state for the status line, the screen and the
//! metrics.

mod answer;
mod confine;
mod feed;
mod file;
pub mod metrics;
mod notify;
mod queue;
mod ring;
mod status;
mod watched;

pub use crate::attribution::Complaint;
pub use answer::{Answers, Control, Form};
pub use confine::{ConfineError, Confined, Needs, Receiver, USER, apart, confine, forsake};
pub use feed::{Feed, Group, Sight};
pub use file::{Growing, Heading, Rotation, Sent, can_be_begun_anew, directory_of};
pub use notify::Notify;
pub use queue::{Queue, QueueWriter, Target};
pub use ring::{Ring, RingWatch};
pub use status::{Board, Interface, Lists, Losses, OutputState, Status};
pub use watched::Watched;
