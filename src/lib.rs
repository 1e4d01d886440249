//! whoasked finds the internal client behind an alert that a firewall pins on the DNS server.
//!
//! A tour, in the order data flows:
//!
//! - [`capture`]: files and interfaces of frames, read in batches
//! - [`packet`]: from link-layer frames to payloads that may be DNS messages
//! - [`message`]: what the hot path reads of DNS messages
//! - [`transaction`]: queries matched with their responses
//! - [`resolution`]: which client's question made a resolver send a query
//! - [`identity`]: host names, and which host had an address at a given time
//! - [`contact`]: whether a client then connected, and which hosts bypass the resolver
//! - [`indicator`]: the lists, and which entry a name or address matches
//! - [`attribution`]: the clients behind each flagged lookup, with evidence and a verdict
//! - [`alert`]: the firewall's alerts, and the answer to each
//! - [`report`]: the answer as text, HTML, JSON lines and other formats
//! - [`evidence`]: the packets behind an answer, extracted into small captures
//! - [`pipeline`]: the threads that run all this, in capture order
//! - [`live`]: outputs, status and metrics of a run that does not end
//! - `screen`: the screen of a live run
//! - [`cli`]: arguments, settings and subcommands
//!
//! The base, which imports none of these: [`time`], [`frame`], [`flow`] (addresses and transports), [`name`],
//! [`bounded`] (the table that keeps history), [`text`] (files that people wrote), `rows` (CSV) and `number`.

pub mod bounded;
pub mod flow;
pub mod frame;
pub mod name;
mod number;
mod rows;
pub mod text;
pub mod time;

pub mod alert;
pub mod attribution;
pub mod capture;
pub mod cli;
pub mod contact;
pub mod evidence;
pub mod identity;
pub mod indicator;
pub mod live;
pub mod message;
pub mod packet;
pub mod pipeline;
pub mod report;
pub mod resolution;
#[cfg(feature = "tui")]
pub mod screen;
pub mod transaction;
