//! Writes the made-up traffic of the benchmarks to a file:
//!
//! `cargo run --release --example traffic -- --packets 2000000 --out traffic.pcap`

// A program of the developer's: a failure may end it, and made-up frames are no attacker's.
#![allow(clippy::indexing_slicing)]

mod arguments;
#[path = "mod.rs"]
mod traffic;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

use arguments::Kind;
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
    #[command(flatten)]
    kind: Kind,
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
        let parameters = arguments.kind.parameters(arguments.packets);
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
