//! Writes the made-up traffic of the benchmarks to a file:
//!
//! `cargo run --release --example traffic -- --packets 2000000 --out traffic.pcap`

// A program of the developer's: a failure may end it, and made-up frames are no attacker's.
#![allow(clippy::indexing_slicing)]

#[path = "mod.rs"]
mod traffic;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

use traffic::{Parameters, write_capture, write_indicators};

/// Makes up DNS traffic, and a list of indicators to hold against it. The same options give the same octets.
#[derive(Debug, Parser)]
struct Arguments {
    /// Write the capture to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Frames
    #[arg(long, default_value_t = Parameters::default().packets)]
    packets: u64,
    /// Hosts that ask
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(1..=14_000_000))]
    clients: u32,
    /// Resolvers they ask
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    resolvers: u32,
    /// Servers those ask
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=250))]
    upstreams: u32,
    /// Names that are asked for again and again
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..))]
    domains: u32,
    /// Share of the questions answered from the cache, 0 to 1
    #[arg(long, default_value_t = 0.7)]
    cached: f64,
    /// Share of the questions for a name that never occurs again, 0 to 1
    #[arg(long, default_value_t = 0.0)]
    random: f64,
    /// A flood: every name is new and random
    #[arg(long)]
    flood: bool,
    /// Share of the questions that lead to a listed name, 0 to 1
    #[arg(long, default_value_t = 0.0005)]
    flagged: f64,
    /// Frames a second of capture time
    #[arg(long, default_value_t = Parameters::default().rate, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// Other traffic of the same kind
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write a list of so many indicators
    #[arg(long, value_name = "COUNT", requires = "list")]
    indicators: Option<u32>,
    /// To this file
    #[arg(long, value_name = "FILE", requires = "indicators")]
    list: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(path) = &arguments.out {
        let parameters = Parameters {
            packets: arguments.packets,
            clients: arguments.clients,
            resolvers: arguments.resolvers,
            upstreams: arguments.upstreams,
            domains: arguments.domains,
            cached: arguments.cached,
            random_names: if arguments.flood { 1.0 } else { arguments.random },
            flagged: arguments.flagged,
            rate: arguments.rate,
            seed: arguments.seed,
        };
        write(path, |out| write_capture(parameters, out))?;
    }
    if let (Some(count), Some(path)) = (arguments.indicators, &arguments.list) {
        write(path, |out| write_indicators(count, out))?;
    }
    Ok(())
}

fn write(
    path: &PathBuf,
    work: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).with_context(context)?);
    work(&mut out).and_then(|()| out.flush()).with_context(context)
}
