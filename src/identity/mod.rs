//! Who an address was at a time: host names, learned from what hosts say of themselves in the same
//! capture, or taken from an inventory.
//!
//! [`Registry`] takes packets in capture order and says what the host behind an address was called at a
//! time. Everything in a packet is a claim of whoever sent it, so a host is mostly believed of itself
//! only, and sources are ranked; `registry.rs` has the rules.

mod claims;
mod dhcp;
mod dns;
mod inventory;
mod kerberos;
mod netbios;
mod registry;
#[cfg(test)]
mod tests;
mod written;

use crate::frame::FrameId;
use crate::time::Timestamp;

pub use inventory::{Inventory, InventoryError};
pub use registry::Registry;

/// What a host name was learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A file given with `--names`.
    Inventory,
    /// A DHCP lease: options 12 or 81 (RFC 2132 section 3.14, RFC 4702).
    Dhcp,
    /// A DNS update that the host sent of itself (RFC 2136).
    DnsUpdate,
    /// An A or AAAA record of an internal name.
    DnsAddress,
    /// A PTR record of its address.
    DnsPointer,
    /// A NetBIOS name registered or answered for (RFC 1002).
    Nbns,
    /// It answered for the name by LLMNR (RFC 4795).
    Llmnr,
    /// It answered for the name by multicast DNS (RFC 6762).
    Mdns,
    /// The client name of a Kerberos request that it sent (RFC 4120).
    Kerberos,
}

impl Source {
    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Inventory => "inventory",
            Source::Dhcp => "dhcp",
            Source::DnsUpdate => "dns-update",
            Source::DnsAddress => "dns-address",
            Source::DnsPointer => "dns-ptr",
            Source::Nbns => "nbns",
            Source::Llmnr => "llmnr",
            Source::Mdns => "mdns",
            Source::Kerberos => "kerberos",
        }
    }
}

/// A host's name, and what says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hostname {
    /// The name, as it was written; what does not print is escaped as in [`crate::name::Name`].
    pub name: String,
    /// What it was learned from.
    pub source: Source,
    /// When it was learned; none from an inventory.
    pub time: Option<Timestamp>,
    /// The frame that says so; none from an inventory.
    pub frame: FrameId,
}

impl Hostname {
    /// Whether somebody means it by a name: the same but for case, or its first label where one of the two has no more.
    pub fn is_called(&self, name: &str) -> bool {
        let is_short = !self.name.contains('.') || !name.contains('.');
        self.name.eq_ignore_ascii_case(name)
            || (is_short && first_label(&self.name) == first_label(name))
    }
}

/// The first label of a host's name, in lower case.
pub fn first_label(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_ascii_lowercase()
}
