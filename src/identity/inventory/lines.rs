//! Lines of words: a hosts file (hosts(5)), or dnsmasq's leases, told apart line by line.
//!
//! ```text
//! 192.168.2.42  kevin-pc.corp.example kevin-pc           # hosts: address, name, other names
//! kevin-pc.lan (192.168.2.42) at 00:1b:21:3c:00:1c       # arp -a: name or ?, address, MAC
//! 1772460000 00:1b:21:3c:00:1c 192.168.2.42 KEVIN-PC *   # dnsmasq: end, MAC, address, name or *, id
//! ```

use super::super::written;
use super::{Entry, ParsedInventory, address, mac};
use crate::flow::Address;

pub(super) fn read(text: &str) -> ParsedInventory {
    let mut found = ParsedInventory::default();
    for (number, line) in (1u64..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(first) = words.next() else { continue };
        // dnsmasq's own identifier, in front of its IPv6 leases.
        if first == "duid" {
            continue;
        }
        if let Some((name, address)) = of_arp(line) {
            match written::host_name(name) {
                Some(name) => found.address(address, Entry { name, from: None, until: None }),
                None => found.without_name(number, name),
            }
            continue;
        }
        if let Some(address) = address(first) {
            let text = words.next().unwrap_or_default();
            let Some(name) = written::host_name(text) else {
                found.without_name(number, text);
                continue;
            };
            // A hosts file says how the machine itself and groups are called: no host of the network.
            if !is_own_or_group(first) {
                found.address(address, Entry { name, from: None, until: None });
            }
            continue;
        }
        match (first.parse::<u64>(), words.next(), words.next().and_then(address), words.next()) {
            (Ok(_), Some(link), Some(address), Some(name)) => {
                // A `*` says that it has none.
                let Some(name) = written::host_name(name) else { continue };
                if let Some(mac) = mac(link) {
                    found.inventory.macs.insert(mac, name.clone());
                }
                found.address(address, Entry { name, from: None, until: None });
            }
            _ => {
                let wanted = "is neither `ADDRESS NAME` nor a dnsmasq lease; line skipped";
                let begin: String = line.trim().chars().take(60).collect();
                found.warn(number, &format!("{begin:?} {wanted}"));
            }
        }
    }
    found
}

/// A line of `arp -a` on Unix: `kevin-pc.lan (192.168.2.42) at 00:1b:21:3c:00:1c [ether] on eth0`; a `?` stands for no name.
fn of_arp(line: &str) -> Option<(&str, Address)> {
    let (name, rest) = line.trim().split_once(" (")?;
    let (text, rest) = rest.split_once(") at ")?;
    let is_link = rest.split_whitespace().next().is_some_and(written::is_link_address);
    address(text).filter(|_| is_link).map(|address| (name, address))
}

/// `127.0.0.1`, `::1`, `ff02::1`, `255.255.255.255`.
fn is_own_or_group(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok_and(|ip| {
        ip.is_loopback() || ip.is_multicast() || ip.is_unspecified() || text == "255.255.255.255"
    })
}
