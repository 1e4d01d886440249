//! The forms that programs read: a line or a row for each sighting, client or alert.

mod answer_line;
mod answers;
mod cef;
mod csv;
mod eve;
mod json;
mod jsonl;
mod messages;
mod model;
mod row;
mod syslog;
mod zeek;

pub use answers::Answers;
pub use cef::Cef;
pub use csv::Csv;
pub(crate) use csv::{cell as csv_cell, writer as csv_writer};
pub use eve::Eve;
pub use jsonl::Jsonl;
pub use messages::write_message;
pub use syslog::Syslog;
pub use zeek::Zeek;
