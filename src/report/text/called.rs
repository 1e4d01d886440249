//! What a client was called.

use super::Dealing;
use crate::identity::{Hostname, Source};
use crate::report::wording::words::list;

/// The name of the host behind a dealing's last question, and of others that had its address before.
pub(crate) struct HostNames<'a> {
    pub name: &'a str,
    pub source: Source,
    others: &'a [String],
}

impl<'a> HostNames<'a> {
    /// By a name and, if its address changed hands, the others.
    pub fn of(hostname: &'a Hostname, others: &'a [String]) -> HostNames<'a> {
        HostNames { name: &hostname.name, source: hostname.source, others }
    }

    /// Where the name comes from.
    pub fn origin(&self) -> &'static str {
        match self.source {
            Source::Inventory => "by the inventory",
            Source::Dhcp => "by DHCP",
            Source::DnsUpdate => "by its DNS update",
            Source::DnsAddress | Source::DnsPointer => "by the DNS",
            Source::Nbns => "by NetBIOS",
            Source::Llmnr => "by LLMNR",
            Source::Mdns => "by multicast DNS",
            Source::Kerberos => "by Kerberos",
        }
    }

    /// `, at other times LENA-PC`: an address that changed hands is not one host's alone. Empty if it
    /// did not.
    pub fn at_other_times(&self) -> String {
        match self.others {
            [] => String::new(),
            others => format!(", at other times {}", list(others)),
        }
    }

    /// The name in few words: `KEVIN-PC`, or `KEVIN-PC +1` if it is not one host's alone.
    pub fn short(&self) -> String {
        match self.others.len() {
            0 => self.name.to_owned(),
            others => format!("{} +{others}", self.name),
        }
    }
}

impl Dealing {
    /// What its client was called.
    pub(super) fn called(&self) -> Option<HostNames<'_>> {
        self.hostname.as_ref().map(|name| HostNames::of(name, &self.other_hostnames))
    }
}
