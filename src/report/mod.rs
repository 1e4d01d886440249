//! What is said, in the forms people and programs read it.

mod jsonl;
mod messages;
mod model;

pub use jsonl::Jsonl;
pub use messages::write_message;
pub use model::{CaptureLacked, Files};
