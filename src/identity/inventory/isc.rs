//! ISC dhcpd's leases (dhcpd.leases(5)): a log, in which the same address has a block for each renewal.
//!
//! ```text
//! lease 192.168.2.42 {
//!   starts 1 2026/03/02 08:00:00;
//!   ends 1 2026/03/02 20:00:00;
//!   hardware ethernet 00:1b:21:3c:00:1c;
//!   client-hostname "KEVIN-PC";
//! }
//! ```

use super::super::written;
use super::{Entry, ParsedInventory, address, mac};
use crate::flow::{Address, Mac};
use crate::time::Timestamp;

/// A block as far as it was read.
#[derive(Default)]
struct Block {
    line: u64,
    address: Option<Address>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    mac: Option<Mac>,
    name: Option<String>,
}

pub(super) fn read(text: &str) -> ParsedInventory {
    let mut found = ParsedInventory::default();
    let mut block: Option<Block> = None;
    for (number, line) in (1u64..).zip(text.lines()) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("lease ") {
            if let Some(open) = block.take() {
                found.warn(open.line, "this lease is not closed; skipped");
            }
            let text = rest.trim_end_matches('{').trim();
            let address = address(text);
            if address.is_none() {
                found.warn(number, &format!("{text:?} is not an address; lease skipped"));
            }
            block = Some(Block { line: number, address, ..Block::default() });
        } else if line == "}" {
            finish(block.take(), &mut found);
        } else if let Some(open) = &mut block
            && let Err(what) = statement(line.trim_end_matches(';'), open)
        {
            found.warn(number, &what);
        }
    }
    if let Some(open) = block {
        found.warn(open.line, "this lease is not closed; skipped");
    }
    found
}

fn statement(line: &str, block: &mut Block) -> Result<(), String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "starts" => block.from = time(rest)?,
        "ends" => block.until = time(rest)?,
        "hardware" => block.mac = rest.strip_prefix("ethernet").and_then(|text| mac(text.trim())),
        "client-hostname" => block.name = written::host_name(rest.trim().trim_matches('"')),
        _ => {}
    }
    Ok(())
}

/// `1 2026/03/02 08:00:00`, always UTC; `epoch 1772438400`; or `never`.
fn time(text: &str) -> Result<Option<Timestamp>, String> {
    let bad = || format!("{text:?} is not a time; expected `WEEKDAY YYYY/MM/DD HH:MM:SS`");
    let text = text.split('#').next().unwrap_or_default().trim().trim_end_matches(';');
    if text == "never" {
        return Ok(None);
    }
    let seconds = match text.strip_prefix("epoch ") {
        Some(seconds) => seconds.trim().parse().ok(),
        None => {
            let (_, text) = text.split_once(' ').ok_or_else(bad)?;
            let rfc3339 = text.trim().replace('/', "-").replacen(' ', "T", 1) + "Z";
            return Timestamp::from_rfc3339(&rfc3339).map(Some).ok_or_else(bad);
        }
    };
    let nanos = seconds.and_then(|seconds: i64| seconds.checked_mul(1_000_000_000));
    nanos.map(|nanos| Some(Timestamp(nanos))).ok_or_else(bad)
}

fn finish(block: Option<Block>, found: &mut ParsedInventory) {
    let Some(Block { address: Some(address), from, until, mac, name: Some(name), .. }) = block
    else {
        return;
    };
    if let Some(mac) = mac {
        found.inventory.macs.insert(mac, name.clone());
    }
    found.address(address, Entry { name, from, until });
}
