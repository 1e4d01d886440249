//! Alerts of Suricata and Snort in their own text formats.
//!
//! In: log lines. Out: a row for each alert: its time, the rule's message, and both ends of the packet. [`fast`] reads
//! alerts of one line (`fast.log`, `alert_fast`, syslog), [`full`] those of several (`alert_full`). Decided here: which end is
//! the inside host, and which name the rule's message is about.

pub(crate) mod fast;
pub(crate) mod full;
