//! Sends frames on an interface at an even rate: those of a capture, or traffic that is made up as it goes.
//!
//! `cargo run --release --example send -- --interface IFACE --file traffic.pcap --rate 500000`
//!
//! Frames go out through the packet socket of a libpcap handle, many with one call (sendmmsg(2)): on a pair of
//! virtual interfaces about twice as many a second as with one call each.

// A program of the developer's: a failure may end it, and made-up frames are no attacker's.
#![allow(clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods, reason = "who sends at a rate needs a clock")]
#![allow(clippy::print_stdout, reason = "it says what it sent")]

mod arguments;
#[path = "mod.rs"]
#[allow(dead_code, reason = "nothing is written to a file here")]
mod traffic;

use std::io::IoSlice;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, sendmmsg};
use pcap::{Active, Capture};
use whoasked::capture::Reader;
use whoasked::frame::Batch;

use arguments::Kind;
use traffic::Traffic;

/// How many frames go out with one call.
const TOGETHER: usize = 64;
/// How long it sleeps when nothing is due.
const NAP: Duration = Duration::from_micros(50);

/// Sends a capture, or traffic made up as it goes, on an interface, and says how much it was.
#[derive(Debug, Parser)]
struct Arguments {
    /// Send on this interface
    #[arg(long, value_name = "IFACE")]
    interface: String,
    /// The frames of this capture, in their order
    #[arg(long, value_name = "FILE", conflicts_with = "seconds")]
    file: Option<PathBuf>,
    /// As fast as it goes, whatever the rate
    #[arg(long)]
    top_speed: bool,
    /// Traffic made up for so long
    #[arg(long, value_name = "COUNT", required_unless_present = "file")]
    seconds: Option<u64>,
    #[command(flatten)]
    kind: Kind,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut wire = Wire::open(&arguments.interface)?;
    let interval_ns = if arguments.top_speed { 0.0 } else { 1e9 / arguments.kind.rate as f64 };
    let flagged = match (&arguments.file, arguments.seconds) {
        (Some(path), _) => {
            let frames = Frames::of(path)?;
            wire.begin();
            for (place, frame) in frames.iter().enumerate() {
                wire.send((place as f64 * interval_ns) as u64, frame)?;
            }
            None
        }
        (None, seconds) => {
            let until = Duration::from_secs(seconds.unwrap_or_default()).as_nanos() as u64;
            let mut traffic = Traffic::new(arguments.kind.parameters(u64::MAX));
            wire.begin();
            let mut first = None;
            let mut due = |time: i64| (time - *first.get_or_insert(time)) as u64;
            while let Some((time, frame)) = traffic.next_frame() {
                let due = due(time);
                if due >= until {
                    break;
                }
                wire.send(due, frame)?;
            }
            while let Some((time, frame)) = traffic.rest() {
                wire.send(due(time), frame)?;
            }
            Some((traffic.flagged(), traffic.traceless()))
        }
    };
    wire.flush()?;
    let seconds = wire.began.elapsed().as_secs_f64();
    println!("sent {} packets in {seconds:.3} s", wire.sent);
    println!("rate {:.0}", wire.sent as f64 / seconds);
    if let Some((flagged, traceless)) = flagged {
        println!("flagged {flagged} of which {traceless} leave no trace");
    }
    Ok(())
}

/// The frames of a capture, in memory.
struct Frames {
    octets: Vec<u8>,
    ends: Vec<usize>,
}

impl Frames {
    fn of(path: &PathBuf) -> Result<Frames> {
        let mut reader = Reader::open(std::slice::from_ref(path))?;
        let (mut batch, mut frames) =
            (Batch::new(), Frames { octets: Vec::new(), ends: Vec::new() });
        while reader.fill(&mut batch) {
            for frame in batch.frames() {
                frames.octets.extend_from_slice(frame.bytes);
                frames.ends.push(frames.octets.len());
            }
        }
        Ok(frames)
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, &end)| self.octets.get(start..end))
    }
}

/// An interface that is sent on.
struct Wire {
    capture: Capture<Active>,
    headers: MultiHeaders<()>,
    /// What goes out next, one after the other, and where each ends.
    octets: Vec<u8>,
    ends: Vec<usize>,
    began: Instant,
    sent: u64,
}

impl Wire {
    fn open(interface: &str) -> Result<Wire> {
        let context = || format!("cannot send on {interface}");
        let capture = Capture::from_device(interface).with_context(context)?;
        let mut capture = capture.snaplen(64).buffer_size(1 << 16).open().with_context(context)?;
        // It only sends.
        capture.filter("less 0", true)?;
        let headers = MultiHeaders::preallocate(TOGETHER, None);
        let (octets, ends) = (Vec::new(), Vec::new());
        Ok(Wire { capture, headers, octets, ends, began: Instant::now(), sent: 0 })
    }

    /// Time is counted from now.
    fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// Sends a frame when it is due, so many nanoseconds after the beginning; late rather than never.
    fn send(&mut self, due_ns: u64, frame: &[u8]) -> Result<()> {
        if self.ends.len() == TOGETHER {
            self.flush()?;
        }
        while (self.began.elapsed().as_nanos() as u64) < due_ns {
            if self.ends.is_empty() {
                std::thread::sleep(NAP);
            } else {
                self.flush()?;
            }
        }
        self.octets.extend_from_slice(frame);
        self.ends.push(self.octets.len());
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let frames = starts.zip(&self.ends).filter_map(|(start, &end)| self.octets.get(start..end));
        let frames: Vec<[IoSlice<'_>; 1]> = frames.map(|frame| [IoSlice::new(frame)]).collect();
        let mut rest = frames.as_slice();
        while !rest.is_empty() {
            let nowhere = vec![None::<()>; rest.len()];
            let socket = self.capture.as_raw_fd();
            match sendmmsg(socket, &mut self.headers, rest, nowhere, [], MsgFlags::empty()) {
                Ok(results) => {
                    let count = results.count();
                    self.sent += count as u64;
                    rest = rest.get(count..).unwrap_or_default();
                }
                // The interface's queue is full.
                Err(Errno::ENOBUFS | Errno::EAGAIN | Errno::EINTR) => {}
                Err(error) => bail!("cannot send: {error}"),
            }
        }
        self.octets.clear();
        self.ends.clear();
        Ok(())
    }
}
