//! Made-up DNS traffic for measuring: as much as is wanted, and the same on every machine.
//!
//! An office network behind a few resolvers (DCs) that forward to a few upstream servers, seen on the
//! resolvers' mirror port. What makes it cost what real traffic costs: names drawn by Zipf's law from
//! many, a cache that serves most questions, chains of aliases in two answers of five (of which the
//! resolver sometimes asks only the tail again), EDNS, IPv6, VLAN tags, a little TCP, negative answers,
//! answers that never come, and a few names that a list flags.
//!
//! It measures speed, not accuracy: the labelled captures in `captures/` are for that.

mod frame;
mod message;
mod names;
// Its tests are run with the generator it belongs to, not in a benchmark.
#[path = "../../captures/generate/random.rs"]
#[allow(unused_imports)]
mod random;
mod simulate;

use std::io::{self, Write};

pub use simulate::Traffic;

/// What traffic is made up.
#[derive(Clone, Copy, Debug)]
pub struct Parameters {
    /// Frames.
    pub packets: u64,
    /// Hosts that ask.
    pub clients: u32,
    /// Whether all of them ask in turn before chance says who does. Else chance leaves many out unless there are
    /// many more questions than clients.
    pub every_client: bool,
    /// Resolvers they ask: 1 to 1,000.
    pub resolvers: u32,
    /// Servers those ask: 1 to 250.
    pub upstreams: u32,
    /// Names that are asked for again and again.
    pub domains: u32,
    /// Share of the questions that the resolver answers from its cache, 0 to 1 as all shares.
    pub cached: f64,
    /// Share of the questions that are for a name never asked for before or after.
    pub random_names: f64,
    /// Share of the questions that lead to a listed name.
    pub flagged: f64,
    /// Frames a second of capture time.
    pub rate: u64,
    /// Other traffic of the same kind for another seed.
    pub seed: u64,
}

impl Default for Parameters {
    /// The benchmark capture.
    fn default() -> Parameters {
        Parameters {
            packets: 2_000_000,
            clients: 4_000,
            every_client: false,
            resolvers: 2,
            upstreams: 4,
            domains: 200_000,
            cached: 0.7,
            random_names: 0.0,
            flagged: 0.000_5,
            rate: 100_000,
            seed: 1,
        }
    }
}

/// Writes a pcap file (microseconds, Ethernet), which every tool reads.
///
/// # Errors
/// When it cannot be written.
pub fn write_capture(parameters: Parameters, out: &mut impl Write) -> io::Result<()> {
    let mut header = Vec::with_capacity(24);
    header.extend(0xa1b2_c3d4_u32.to_le_bytes());
    header.extend([2, 0, 4, 0]);
    header.extend([0; 8]);
    header.extend(65_535_u32.to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    out.write_all(&header)?;
    let mut traffic = Traffic::new(parameters);
    while let Some((time_ns, frame)) = traffic.next_frame() {
        let (seconds, micros) = (time_ns / 1_000_000_000, time_ns / 1_000 % 1_000_000);
        let len = frame.len() as u32;
        for word in [seconds as u32, micros as u32, len, len] {
            out.write_all(&word.to_le_bytes())?;
        }
        out.write_all(frame)?;
    }
    Ok(())
}

/// Writes a list of `count` names: those the flagged share of the traffic leads to, spread among others
/// that nobody asks for.
///
/// # Errors
/// When it cannot be written.
pub fn write_indicators(count: u32, out: &mut impl Write) -> io::Result<()> {
    let flagged = names::FLAGGED.min(count);
    let every = count.checked_div(flagged).unwrap_or(1);
    for place in 0..count {
        let (which, rest) = (place / every, place % every);
        if rest == 0 && which < flagged {
            writeln!(out, "{}", names::indicator(which))?;
        } else {
            writeln!(out, "{}", names::filler(place))?;
        }
    }
    Ok(())
}
