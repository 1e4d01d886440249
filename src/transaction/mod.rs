//! Queries put together with their responses, and the hosts between which they run.
//!
//! A [`Transaction`] is one query with its response or its absence; retransmissions and mirrored
//! copies are merged into it and counted. Whether it is a client leg or an upstream leg is not known
//! here: that depends on roles, which traffic may show only later.

mod about;
mod age;
mod chain_index;
mod history;
mod host;
mod link;
mod recent;
mod record;
mod repeats;
mod table;
#[cfg(test)]
mod tests;

pub use chain_index::{DISORDER_MAX, Look, Segment};
pub use host::{Host, HostId, Hosts, Totals};
pub use record::RecordView;
pub use table::{Counters, Event, Limits, Transaction, Transactions};
