//! The integration tests: one binary, because each one links the whole crate.
//!
//! What stands in `../shared`, beside the project (or in `WHOASKED_SHARED`), is optional: tests that need
//! it say `skipped` when it is missing, and why.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and talk"
)]

mod made;
mod oracle;
mod support;

mod answers;
mod bundled;
mod capture_oracle;
mod cli;
mod clock;
mod config;
mod evidence;
mod explain;
mod forms;
mod hints;
mod html;
mod identity;
mod indicators;
mod lab;
mod labelled;
mod live;
mod live_running;
mod message_oracle;
mod mirror;
mod package;
mod pasted;
mod properties;
mod report;
mod schema;
mod scored_alerts;
mod screen;
mod spans;
mod traffic;
mod usage;
mod wire_corpus;
mod workers;
