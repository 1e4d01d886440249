//! A table with a header: CSV with commas, semicolons or tabs, columns found by what they are called.

use super::super::written;
use super::{Entry, ParsedInventory, address, mac};
use crate::rows::{Row, Rows};

/// What the column of addresses may be called, folded: lower case, letters and digits only.
const ADDRESS: &[&str] = &[
    "ip",
    "ipaddress",
    "ipaddr",
    "ipv4",
    "ipv4address",
    "ipv6",
    "ipv6address",
    "address",
    "addr",
    "host ip",
    "hostip",
    "ipadresse",
    "adresse",
];
/// The column of names, the best first.
const NAME: &[&str] = &[
    "fqdn",
    "hostname",
    "host",
    "name",
    "computername",
    "computer",
    "devicename",
    "device",
    "dnsname",
    "machine",
    "machinename",
    "client",
    "clientname",
    "rechnername",
    "rechner",
    "geraet",
    "gerat",
];
/// The column of link-layer addresses.
const MAC: &[&str] = &[
    "mac",
    "macaddress",
    "macaddr",
    "hwaddr",
    "hardwareaddress",
    "physicaladdress",
    "uniqueid",
    "clientid",
];

/// Which columns matter, and what stands between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    separator: u8,
    /// The line of the header, from 1.
    header: u64,
    /// How many there are.
    count: usize,
    address: Option<usize>,
    mac: Option<usize>,
    name: usize,
}

impl Columns {
    /// The columns by the first line that is neither empty nor a comment; `None` if that is no header.
    pub fn of(text: &str) -> Option<Columns> {
        let lines = (1..).zip(text.lines());
        let mut lines = lines.filter(|(_, line)| !line.trim().is_empty());
        // Windows' DHCP export begins with `#TYPE`, abuse.ch's style with a commented header.
        let (header, line) = lines.find(|(_, line)| !line.starts_with("#TYPE"))?;
        let line = line.trim_start_matches(['#', ' ']);
        let separator = b",;\t"
            .iter()
            .copied()
            .max_by_key(|separator| line.bytes().filter(|octet| octet == separator).count())?;
        let cells: Vec<String> = line.split(char::from(separator)).map(folded).collect();
        let find = |names: &[&str]| {
            names.iter().find_map(|name| cells.iter().position(|cell| cell == name))
        };
        let (address, mac, name) = (find(ADDRESS), find(MAC), find(NAME)?);
        (address.is_some() || mac.is_some()).then_some(Columns {
            separator,
            header,
            count: cells.len(),
            address,
            mac,
            name,
        })
    }
}

/// A column's name without what people write it with.
fn folded(cell: &str) -> String {
    let folded = cell.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    folded.map(|c| if c == 'ä' { 'a' } else { c }).collect()
}

pub(super) fn read(text: &str, columns: &Columns) -> ParsedInventory {
    let mut found = ParsedInventory::default();
    for Row { line, fields, .. } in Rows::new(text, columns.separator, Some(columns.count)) {
        let line = u64::from(line);
        match fields {
            Err(why) => found.warn(line, &format!("{why}; row skipped")),
            Ok(record) => {
                let is_comment = record.get(0).is_some_and(|cell| cell.starts_with('#'));
                if line > columns.header && !is_comment {
                    row(&record, line, columns, &mut found);
                }
            }
        }
    }
    found
}

fn row(record: &csv::StringRecord, line: u64, columns: &Columns, found: &mut ParsedInventory) {
    let cell = |place: Option<usize>| {
        place.and_then(|place| record.get(place)).filter(|cell| !cell.is_empty())
    };
    let (at, link) = (cell(columns.address), cell(columns.mac));
    let text = cell(Some(columns.name)).unwrap_or_default();
    let Some(name) = written::host_name(text) else {
        if at.is_some() || link.is_some() {
            found.without_name(line, text);
        }
        return;
    };
    let (address, link_layer) = (at.and_then(address), link.and_then(mac));
    match (at, address) {
        (Some(text), None) => {
            found.warn(line, &format!("{text:?} is not an address; skipped"));
        }
        (None, _) if link_layer.is_none() => {
            found.warn(line, "no address in this row; skipped");
        }
        _ => {}
    }
    if let Some(address) = address {
        found.address(address, Entry { name: name.clone(), from: None, until: None });
    }
    if let Some(mac) = link_layer {
        found.mac(mac, name);
    }
}
