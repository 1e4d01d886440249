//! The screen of a live run: what is seen, lost and flagged, as it happens.
//!
//! ```text
//! terminal -> keys -> stance ─┐
//! live::{Board, Feed} -> view ┴> draw -> terminal
//! ```
//!
//! It reads the state that the analysis publishes and never delays it: only the drawing thread waits for the
//! terminal. What is drawn is a pure function of that state and of the user's navigation, and so is what a key
//! does to the navigation. This is the only place that uses ratatui and crossterm.

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
