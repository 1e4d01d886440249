//! DNS messages (RFC 1035): what the hot path reads of them, and the full decode beside it.
//!
//! [`Messages`] is an arena of compact [`Message`] records: header, question, and of a response the
//! [`Fact`]s that say where it leads: aliases, services, addresses, delegations. [`full`] is the door to
//! `hickory-proto`, for messages whose whole content is shown, and the oracle of the tests.

mod names;
mod reader;
mod record;
mod records;
#[cfg(test)]
pub(crate) mod simulated;

pub mod full;

pub use record::{
    Fact, Flags, Malformed, Message, Messages, NO_VLAN, NameRef, Question, RecordType, Unwatched,
    Watchlist, is_conclusive,
};
pub use records::{Record, Records, Section};

#[cfg(test)]
mod tests;
