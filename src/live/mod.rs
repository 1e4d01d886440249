//! What a run that does not end needs beside the pipe: how it is doing, for the status line, the screen and
//! the metrics.

mod answer;
mod confine;
mod file;
mod notify;
mod queue;
mod ring;
mod status;

pub use answer::{Answers, Control, Form};
pub use confine::{ConfineError, Confined, Needs, USER, apart, confine, forsake};
pub use file::{Growing, Heading, Rotation, Sent, can_be_begun_anew};
pub use notify::Notify;
pub use queue::{Queue, QueueWriter, Target};
pub use ring::{Ring, RingWatch};
pub use status::{Board, Complaint, Interface, Lists, Losses, OutputState, Status};
