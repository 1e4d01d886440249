//! whoasked tells which internal client is behind an alert that a firewall pins on the DNS server.
//!
//! The tour, in the order data flows:

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
