//! What a run that does not end needs beside the pipe: how it is doing, for the status line, the screen and
//! the metrics.

mod status;

pub use status::{Board, Complaint, Interface, Lists, Losses, OutputState, Status};
