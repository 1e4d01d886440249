//! Who a client is, and whether it connected, in words.

use super::words;
use crate::attribution::SummaryRow;
use crate::contact::Contact;
use crate::flow::{Address, Transport};
use crate::identity::{Hostname, Source};
use crate::time::Timestamp;

/// What stands behind a host's name: where it comes from.
fn origin(hostname: &Hostname) -> &'static str {
    match hostname.source {
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

/// A client's name with where it comes from: `KEVIN-PC (by DHCP)`; with the names of those that had its
/// address before it.
pub(super) fn name(row: &SummaryRow) -> Option<String> {
    let hostname = row.hostname.as_ref()?;
    let name = format!("{} ({})", hostname.name, origin(hostname));
    if row.other_hostnames.is_empty() {
        return Some(name);
    }
    Some(format!("{name}, at other times {}", words::list(&row.other_hostnames)))
}

/// The VLAN that its questions were tagged with, if any.
pub(super) fn vlan(row: &SummaryRow) -> Option<String> {
    row.vlan.map(|vlan| format!("VLAN {vlan}"))
}

/// Whether it then connected to the address it was given, as `when` writes times; none where the capture
/// does not show.
pub(super) fn contact(contact: &Contact, when: impl Fn(Timestamp) -> String) -> Option<String> {
    let connection = match contact {
        Contact::Yes(connection) => connection,
        Contact::No => {
            let text = "it did not connect to what it was given, as far as the capture shows";
            return Some(text.to_owned());
        }
        Contact::NotVisible => return None,
    };
    let mut parts = vec![format!(
        "it connected to {} at {} {}",
        endpoint(connection.address, connection.port),
        when(connection.time),
        match connection.transport {
            Transport::Tcp => "by TCP",
            Transport::Udp => "by UDP",
        }
    )];
    if let Some(name) = &connection.server_name {
        parts.push(format!("TLS for {name}"));
    }
    parts.push(if connection.answered { "answered" } else { "no answer was seen" }.to_owned());
    if connection.frame.is_some() {
        parts.push(format!("frame {}", connection.frame.number()));
    }
    Some(parts.join(", "))
}

/// An address and a port, IPv6 in brackets (RFC 3986 section 3.2.2).
fn endpoint(address: Address, port: u16) -> String {
    match address.is_v4() {
        true => format!("{address}:{port}"),
        false => format!("[{address}]:{port}"),
    }
}
