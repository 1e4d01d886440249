//! DNS messages (RFC 1035): what the hot path reads of them.
//!
//! [`Messages`] is an arena of compact [`Message`] records: header, question, and of a response the
//! [`Fact`]s that say where it leads: aliases, services, addresses, delegations. [`Records`]
//! walks over the whole content of the few messages that name a host.

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
