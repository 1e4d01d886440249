//! The screen of a live run: what is seen, lost and flagged, as it happens.
//!
//! ```text
//! terminal -> keys -> stance ─┐
//! live::{Board, Feed} -> view ┴> draw -> terminal
//! ```
//!
//! It looks at what the analysis pins up and never holds it up: the thread that draws is the only one that
//! waits for the terminal. What is drawn is a pure function of what is known and of where the person has gone
//! to, and so is what a key does to the latter. This is the only place that sees ratatui and crossterm.

mod draw;
mod keys;
mod notices;
mod pulse;
mod stance;
mod terminal;
mod thread;

#[cfg(test)]
mod tests;

pub use stance::Wish;
pub use terminal::{abandon, leave, notice, resume};
pub use thread::Screen;
