//! Host names that the user has in a file: an inventory, a hosts file, a DHCP server's leases.
//!
//! The form is found by content. What cannot be understood is said by line and left out; a file of which
//! nothing can be understood is an error, for silently it would name nobody.

mod isc;
mod lines;
mod netsh;
mod table;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use foldhash::HashMap;

use super::written;
use crate::flow::{Address, Mac};
use crate::number::count;
use crate::text::Text;
use crate::time::Timestamp;

/// How many warnings of one file are kept; what is beyond them is counted in the last one.
const WARNINGS_MAX: usize = 20;
/// How many names of one address are kept: those of a leases file, the latest.
const NAMES_MAX: usize = 64;
/// How much is shown of what stands in place of a name, in characters.
const SHOWN_LEN_MAX: usize = 60;
/// How long a file with names, and what it was packed from, can be.
const OCTETS_MAX: u64 = 64 << 20;

/// Why an inventory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// It cannot be read.
    #[error("cannot read the inventory {}: {error}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no name in it.
    #[error(
        "{}: no host name found; expected a CSV file with a header (ip, hostname, mac), a hosts file, the leases \
         of dnsmasq or ISC dhcpd, or the output of `netsh dhcp server scope SCOPE show clients 1`{}", path.display(), first(warnings)
    )]
    Empty {
        /// Which file.
        path: PathBuf,
        /// What was wrong with its lines.
        warnings: Vec<String>,
    },
}

fn first(warnings: &[String]) -> String {
    warnings.first().map_or_else(String::new, |warning| format!("; first problem: {warning}"))
}

/// A name, and from when until when it holds, where the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Names by address, and by link-layer address.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    addresses: HashMap<Address, Vec<Entry>>,
    macs: HashMap<Mac, String>,
}

/// What a file's reader found: names, and what it could not understand.
#[derive(Debug, Default)]
struct ParsedInventory {
    inventory: Inventory,
    warnings: Vec<String>,
    unsaid: usize,
    names: usize,
    /// How many rows have no host name where one should stand, and how many of them a link-layer address; and the first.
    nameless: usize,
    linked: usize,
    first_nameless: Option<(u64, String)>,
}

impl ParsedInventory {
    fn address(&mut self, address: Address, entry: Entry) {
        let entries = self.inventory.addresses.entry(address).or_default();
        if entries.len() >= NAMES_MAX {
            entries.remove(0);
        }
        entries.push(entry);
        self.names += 1;
    }

    fn mac(&mut self, mac: Mac, name: String) {
        self.inventory.macs.insert(mac, name);
        self.names += 1;
    }

    /// Leaves out a row where this stands, and no host name.
    fn without_name(&mut self, line: u64, text: &str) {
        self.nameless += 1;
        self.linked += usize::from(written::is_link_address(text));
        let shown = || (line, text.chars().take(SHOWN_LEN_MAX).collect());
        self.first_nameless.get_or_insert_with(shown);
    }

    /// How many rows were left out for want of a name, and why.
    fn nameless_in_words(&self) -> Option<String> {
        let (line, text) = self.first_nameless.as_ref()?;
        let rows = count(self.nameless as u64, "row has", "rows have");
        let what = match (text.is_empty(), self.linked * 2 > self.nameless) {
            (_, true) => {
                "a MAC address where a name should be, as in the output of `arp -a`, which has no names".to_owned()
            }
            (true, false) => format!("no host name, the first in line {line}"),
            (false, false) => format!("no host name, as line {line}: {text:?}"),
        };
        Some(format!("{rows} {what}; skipped"))
    }

    fn warn(&mut self, line: u64, what: &str) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(format!("line {line}: {what}"));
        } else {
            self.unsaid += 1;
        }
    }
}

impl Inventory {
    /// Reads files of any of the forms, each told by its content. What could not be understood of them is
    /// returned too, a sentence each.
    ///
    /// # Errors
    /// When a file cannot be read, or holds no name.
    pub fn load(paths: &[PathBuf]) -> Result<(Inventory, Vec<String>), InventoryError> {
        let (mut inventory, mut warnings) = (Inventory::default(), Vec::new());
        for path in paths {
            let bytes = octets_of(path)
                .map_err(|error| InventoryError::Unreadable { path: path.clone(), error })?;
            let found = understand(&bytes);
            if found.names == 0 {
                let nameless = found.nameless_in_words();
                let warnings = nameless.into_iter().chain(found.warnings).collect();
                let path = path.clone();
                return Err(InventoryError::Empty { path, warnings });
            }
            warnings.extend(said(path, &found));
            inventory.add(found.inventory);
        }
        Ok((inventory, warnings))
    }

    /// Adds another's names; where both have one for the same time, the other's counts.
    fn add(&mut self, other: Inventory) {
        for (address, entries) in other.addresses {
            self.addresses.entry(address).or_default().extend(entries);
        }
        self.macs.extend(other.macs);
    }

    /// What a host was called at a time. A name by address goes before one by link-layer address; a name
    /// for that time before one for any time.
    pub(super) fn name(&self, address: Address, mac: Option<Mac>, time: Timestamp) -> Option<&str> {
        let by_address = self.addresses.get(&address).and_then(|entries| {
            let holds = |entry: &&Entry| {
                entry.from.is_none_or(|from| from <= time)
                    && entry.until.is_none_or(|until| time < until)
            };
            let mut latest = entries.iter().rev().filter(holds);
            latest.clone().find(|entry| entry.from.is_some()).or_else(|| latest.next())
        });
        let by_mac = || self.macs.get(&mac?).map(String::as_str);
        by_address.map(|entry| entry.name.as_str()).or_else(by_mac)
    }
}

/// The warnings of a file, with its name.
fn said(path: &Path, found: &ParsedInventory) -> Vec<String> {
    let mut said: Vec<String> =
        found.warnings.iter().map(|warning| format!("{}: {warning}", path.display())).collect();
    if found.unsaid > 0 {
        let (path, more) = (path.display(), found.unsaid);
        said.push(format!("{path}: skipped {more} more lines like these"));
    }
    said.extend(found.nameless_in_words().map(|words| format!("{}: {words}", path.display())));
    said
}

/// Reads a file's content by the form it has:
/// 1. `lease ADDRESS {` at the beginning of a line: ISC dhcpd's leases;
/// 2. lines that begin with an address and a mask: what `netsh` shows of a DHCP server's clients;
/// 3. a first line with separators and a word for an address, or for a link-layer address, and one for a
///    name among its cells: a table;
/// 4. else lines of words: dnsmasq's leases, or a hosts file.
fn understand(bytes: &[u8]) -> ParsedInventory {
    let text = text_of(bytes);
    let mut lines = text.lines().map(str::trim_start);
    if lines.any(|line| line.starts_with("lease ") && line.contains('{')) {
        return isc::read(&text);
    }
    if text.lines().any(netsh::is_line) {
        return netsh::read(&text);
    }
    match table::Columns::of(&text) {
        Some(columns) => table::read(&text, &columns),
        None => lines::read(&text),
    }
}

/// A file as it is, if it is no longer than one with names can be.
fn octets_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(path)?.take(OCTETS_MAX + 1).read_to_end(&mut octets)?;
    match octets.len() as u64 > OCTETS_MAX {
        true => Err(io::Error::other("it is longer than 64 MiB")),
        false => Ok(octets),
    }
}

/// The text of a file with plain line ends. What is no text is read as if it were: there is no name in it.
fn text_of(bytes: &[u8]) -> String {
    let mut octets = Vec::new();
    let unwrapped = Text::new(Box::new(bytes)).ok();
    let is_read =
        unwrapped.is_some_and(|text| text.octets.take(OCTETS_MAX).read_to_end(&mut octets).is_ok());
    String::from_utf8_lossy(if is_read { &octets } else { bytes }).replace("\r\n", "\n")
}

/// An address as files write it, perhaps with a prefix length behind it.
fn address(text: &str) -> Option<Address> {
    let text = text.split_once('/').map_or(text, |(address, _)| address).trim();
    text.parse::<std::net::IpAddr>().ok().map(Address::from)
}

/// A link-layer address in any of the usual forms: `00:1b:21:3c:00:1c`, `00-1B-…`, `001b.213c.001c`.
fn mac(text: &str) -> Option<Mac> {
    let mut octets = [0; 6];
    let mut digits = text.chars().filter(|c| !matches!(c, ':' | '-' | '.' | ' '));
    for slot in &mut octets {
        let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
        *slot = (high << 4 | low) as u8;
    }
    Some(Mac(octets)).filter(|mac| digits.next().is_none() && mac.is_some())
}

#[cfg(test)]
mod tests;
