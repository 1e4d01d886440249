//! When an alert was.
//!
//! In: the text of a time, or of a day and a clock, or of a first and a last time, as the file has it. Out: a moment or a
//! period, in UTC. Decided here: which time zone, year and order of day and month a file means where it does not say, and
//! what to tell the user about it.
//!
//! - [`times`] reads the times of one file, and remembers what was open or could not be read;
//! - [`spans`] knows how periods are written; [`day_and_clock`] joins a day and a clock from two columns.

mod day_and_clock;
pub(crate) mod spans;
pub(crate) mod times;
