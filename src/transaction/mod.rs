//! Queries put together with their responses, and the hosts between which they run.
//!
//! A [`Transaction`] is one query with its response or its absence; retransmissions and mirrored
//! copies are merged into it and counted. Whether it is a client leg or an upstream leg is not known
//! here: that depends on roles, which traffic may show only later.

mod about;
mod age;
mod history;
mod host;
mod link;
mod recent;
mod record;
mod repeats;
mod stretch;
mod table;
#[cfg(test)]
mod tests;

pub use host::{Host, HostId, Hosts, Totals};
pub use record::Kept;
pub use stretch::{DISORDER_MAX, Look, Stretch};
pub use table::{Counters, Event, Limits, Transaction, Transactions};
