//! What Windows' DHCP server shows of its clients: `netsh dhcp server scope 192.168.2.0 show clients 1`.
//!
//! ```text
//! IP Address      - Subnet Mask    - Unique ID           - Lease Expires        -Type -Name
//! 192.168.2.42    - 255.255.255.0  -00-1b-21-3c-00-1c    -3/10/2026 5:00:00 PM  -D-  pc-buch.corp.local
//! ```
//!
//! Without the `1` it shows no names.

use super::super::written;
use super::{Entry, ParsedInventory, address, mac};
use crate::flow::Address;

/// What a lease can be: unlimited, by DHCP, by BOOTP, reserved, or none.
const TYPES: [&str; 6] = ["N", "D", "B", "U", "R", "NONE"];

/// Whether a line is of it.
pub(super) fn is_line(line: &str) -> bool {
    parts(line).is_some()
}

/// The address of a line, its mask, and what stands behind.
fn parts(line: &str) -> Option<(Address, &str)> {
    let (first, rest) = line.trim().split_once('-')?;
    let (mask, rest) = rest.split_once('-')?;
    let is_mask = mask.trim().starts_with("255.") && address(mask.trim()).is_some();
    address(first.trim()).filter(|_| is_mask).map(|address| (address, rest.trim()))
}

/// Reads all lines of clients.
pub(super) fn read(text: &str) -> ParsedInventory {
    let mut found = ParsedInventory::default();
    for (number, line) in (1u64..).zip(text.lines()) {
        let Some((address, rest)) = parts(line) else { continue };
        let link = rest.split_whitespace().next().unwrap_or_default();
        let link = Some(link.trim_end_matches('-')).filter(|link| written::is_link_address(link));
        let name = name(rest).unwrap_or_default();
        let Some(name) = written::host_name(name) else {
            found.without_name(number, name);
            continue;
        };
        found.address(address, Entry { name: name.clone(), from: None, until: None });
        if let Some(mac) = link.and_then(mac) {
            found.inventory.macs.insert(mac, name);
        }
    }
    found
}

/// What stands behind the type of a lease, `-D-`.
fn name(rest: &str) -> Option<&str> {
    TYPES.iter().find_map(|kind| {
        let mark = format!("-{kind}-");
        let (before, name) = rest.rsplit_once(&mark)?;
        before.ends_with(char::is_whitespace).then(|| name.trim())
    })
}
