//! Makes the bundled captures from `captures/scenarios/*.toml`.
//!
//! `cargo run --example generate` writes `captures/NAME.{pcap,truth.json,indicators.txt}` and the table
//! in `captures/README.md`; `-- --out DIR` writes the captures there instead and leaves the table;
//! `-- NAME...` makes only these. The same scenario gives the same octets on every machine.

// A program of the developer's, fed with files of the repository: it may print, and a wrong index is a bug to stop at.
#![allow(clippy::print_stdout, clippy::indexing_slicing)]

mod beside;
mod faults;
mod random;
mod scenario;
mod simulate;
mod table;
mod truth;
mod wire;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use scenario::Scenario;
use simulate::Simulation;

fn main() -> Result<()> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let (mut out, mut names) = (None, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--out" => {
                out = Some(PathBuf::from(arguments.next().context("--out wants a directory")?))
            }
            _ => names.push(argument),
        }
    }
    let mut paths: Vec<PathBuf> = fs::read_dir(captures.join("scenarios"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort_by_key(|path| path.file_stem().map(std::ffi::OsStr::to_owned));
    let mut made = Vec::new();
    for path in paths {
        let scenario = Scenario::load(&path)?;
        if !names.is_empty() && !names.contains(&scenario.name) {
            continue;
        }
        let capture = make(&scenario).with_context(|| path.display().to_string())?;
        let to = out.as_deref().unwrap_or(&captures);
        fs::create_dir_all(to)?;
        fs::write(to.join(format!("{}.pcap", scenario.name)), &capture.pcap)?;
        fs::write(to.join(format!("{}.truth.json", scenario.name)), &capture.truth)?;
        let list = to.join(format!("{}.indicators.txt", scenario.name));
        fs::write(list, format!("{}\n", scenario.flagged.join("\n")))?;
        println!(
            "{:28} {:5} frames {:7} octets",
            scenario.name,
            capture.frames,
            capture.pcap.len()
        );
        made.push(scenario);
    }
    if out.is_none() && names.is_empty() {
        table::write(&captures.join("README.md"), &made)?;
    }
    Ok(())
}

/// A capture and what is true of it.
struct Made {
    pcap: Vec<u8>,
    truth: String,
    frames: usize,
}

/// Where an address has got another machine, its packets have that one's link-layer address.
fn move_macs(
    scenario: &Scenario,
    packets: &mut [wire::Packet],
    network: &simulate::network::Network,
) -> Result<()> {
    for event in &scenario.beside {
        let Some(mac) = event.mac else { continue };
        let since_ns = scenario.instant_ns(&event.at)?;
        let client = scenario.client.iter().find(|client| client.name == event.client);
        let addresses = client.map(|client| &client.addresses[..]).unwrap_or_default();
        for packet in packets.iter_mut().filter(|packet| packet.time_ns >= since_ns) {
            let mut macs = network.macs(packet);
            if addresses.contains(&packet.source.ip()) {
                macs.source = mac;
            }
            if addresses.contains(&packet.destination.ip()) {
                macs.destination = mac;
            }
            packet.macs = Some(macs);
        }
    }
    Ok(())
}

fn make(scenario: &Scenario) -> Result<Made> {
    let mut run = Simulation::run(scenario)?;
    let mut packets = std::mem::take(&mut run.network.packets);
    let beside = beside::packets(scenario, &run.network)?;
    move_macs(scenario, &mut packets, &run.network)?;
    packets.extend(beside);
    let capture = &scenario.capture;
    let packets = faults::apply(packets, capture, scenario.start_ns()?, &mut run.random);
    let (mut frames, mut places) = (Vec::new(), truth::Frames::default());
    for packet in &packets {
        let mut whole = true;
        for frame in wire::frames(packet, run.network.macs(packet), capture)? {
            whole &= capture.snaplen == 0 || frame.len() <= capture.snaplen as usize;
            frames.push((packet.time_ns, frame));
        }
        places.note(packet, frames.len(), whole);
    }
    let pcap = wire::pcap(capture, frames.iter().map(|(time_ns, frame)| (*time_ns, &frame[..])))?;
    let truth = format!("{:#}\n", truth::truth(&run, &places)?);
    Ok(Made { pcap, truth, frames: frames.len() })
}
