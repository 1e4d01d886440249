//! An interface, by libpcap.

use std::fs;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pcap::{Active, Capture, Linktype, Packet, Precision};

use super::filter::{Wanted, kernel_filter};
use super::{Drops, Filled, Source, fanout};
use crate::capture::{BATCH_FRAMES_MAX, FRAME_OCTETS_MAX};
use crate::frame::{Batch, Frame, FrameId, LinkType};
use crate::time::Timestamp;

/// How long the kernel gathers frames in a block before it hands them over, in milliseconds.
const BLOCK_MS: i32 = 10;
/// A batch with more octets than this leaves.
const BATCH_OCTETS: usize = 1 << 20;
/// How often a silent interface is looked at: is it up, is it still the same?
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// So many frames are asked for at once, so that a batch does not grow far beyond.
const PIECE: usize = 64;

/// How interfaces are listened on.
#[derive(Clone, Debug)]
pub struct DeviceOptions {
    /// The ring in the kernel, in octets.
    pub buffer: usize,
    /// Octets kept of each frame.
    pub snaplen: u32,
    /// What is let through.
    pub wanted: Wanted,
    /// Ports of DNS beside 53.
    pub ports: Vec<u16>,
    /// What else frames must match.
    pub filter: Option<String>,
}

/// An interface that is listened on, opened anew when it was gone.
pub struct Device {
    name: String,
    options: DeviceOptions,
    /// The fanout group, if the interface is shared with others.
    group: Option<u16>,
    open: Option<Open>,
    /// What earlier handles of it dropped.
    before: Drops,
    /// It was said to be down.
    is_down: bool,
    /// How long nothing came since it was looked at whether it is.
    silent: Duration,
}

struct Open {
    capture: Capture<Active>,
    link: LinkType,
    /// The interface's number: another means that it vanished and came back.
    index: Option<u32>,
    has_nanos: bool,
    expression: String,
}

impl Device {
    /// Opens an interface; one that is down when it comes up.
    ///
    /// # Errors
    /// In the words of libpcap: no such interface, not allowed, or the filter cannot be understood.
    pub fn open(name: &str, options: DeviceOptions, group: Option<u16>) -> Result<Device, String> {
        let is_down = index_of(name).is_some() && !is_up(name);
        let open = if is_down { None } else { Some(Open::new(name, &options, group)?) };
        Ok(Device {
            name: name.to_owned(),
            options,
            group,
            open,
            before: Drops::default(),
            is_down,
            silent: Duration::ZERO,
        })
    }

    /// The filter that the kernel applies; empty if there is none.
    pub fn expression(&self) -> &str {
        self.open.as_ref().map_or("", |open| &open.expression)
    }

    /// Why no frames can come now, if so. Opens the interface anew if it came back as another one.
    fn fault(&mut self) -> Option<String> {
        let Some(index) = index_of(&self.name) else {
            self.close();
            return Some(format!("the interface {} is gone", self.name));
        };
        if !is_up(&self.name) {
            return Some(format!("the interface {0} is down: `ip link set {0} up`", self.name));
        }
        if self.open.as_ref().is_none_or(|open| open.index != Some(index)) {
            self.close();
            match Open::new(&self.name, &self.options, self.group) {
                Ok(open) => self.open = Some(open),
                Err(error) => return Some(error),
            }
        }
        None
    }

    fn close(&mut self) {
        self.before = self.drops();
        self.open = None;
    }
}

impl Open {
    fn new(name: &str, options: &DeviceOptions, group: Option<u16>) -> Result<Open, String> {
        let index = index_of(name);
        let prepare = |precision| {
            let capture = Capture::from_device(name)?
                .promisc(name != "any")
                .snaplen(options.snaplen.min(FRAME_OCTETS_MAX) as i32)
                .buffer_size(i32::try_from(options.buffer).unwrap_or(i32::MAX))
                .timeout(BLOCK_MS)
                .precision(precision);
            capture.open()
        };
        let in_words = |error: pcap::Error| match error {
            pcap::Error::PcapError(message) => format!("{name}: {message}"),
            other => format!("{name}: {other}"),
        };
        let (capture, has_nanos) = match prepare(Precision::Nano) {
            Ok(capture) => (capture, true),
            Err(_) => (prepare(Precision::Micro).map_err(in_words)?, false),
        };
        let mut capture = capture.setnonblock().map_err(in_words)?;
        if let Some(group) = group {
            // Until it has joined it would get what the others get too.
            capture.filter("less 0", true).map_err(in_words)?;
            fanout::join(capture.as_fd(), group)
                .map_err(|error| format!("{name}: fanout: {error}"))?;
        }
        let expression = |with_vlans| {
            let and = options.filter.as_deref();
            kernel_filter(options.wanted, &options.ports, and, with_vlans).unwrap_or_default()
        };
        // Some link types know no VLAN tags.
        let mut chosen = expression(true);
        if capture.filter(&chosen, true).is_err() {
            chosen = expression(false);
            capture.filter(&chosen, true).map_err(in_words)?;
        }
        let link = link_type(capture.get_datalink());
        Ok(Open { capture, link, index, has_nanos, expression: chosen })
    }

    /// Takes what the kernel has, up to a full batch.
    fn take(&mut self, batch: &mut Batch) -> Result<(), pcap::Error> {
        let (link, has_nanos) = (self.link, self.has_nanos);
        while batch.len() < BATCH_FRAMES_MAX && batch.arena.len() < BATCH_OCTETS {
            let room = PIECE.min(BATCH_FRAMES_MAX - batch.len());
            let taken = self.capture.dispatch(Some(room), |packet: Packet<'_>| {
                let fraction = packet.header.ts.tv_usec * if has_nanos { 1 } else { 1_000 };
                batch.push(Frame {
                    id: FrameId::NONE,
                    time: Timestamp(packet.header.ts.tv_sec * 1_000_000_000 + fraction),
                    link,
                    original_len: packet.header.len,
                    bytes: packet.data,
                });
            })?;
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Source for Device {
    fn fill(&mut self, batch: &mut Batch, wait: Duration) -> Filled {
        if self.is_down {
            if let Some(fault) = self.fault() {
                std::thread::sleep(wait);
                return Filled::Down(fault);
            }
            self.is_down = false;
        }
        let Some(open) = &mut self.open else {
            self.is_down = true;
            return Filled::Idle;
        };
        let mut taken = open.take(batch);
        if taken.is_ok() && batch.is_empty() {
            let milliseconds = u16::try_from(wait.as_millis()).unwrap_or(u16::MAX);
            let mut waited = [PollFd::new(open.capture.as_fd(), PollFlags::POLLIN)];
            // Interrupted or not, what is there is taken.
            let _ = poll(&mut waited, PollTimeout::from(milliseconds));
            taken = open.take(batch);
        }
        match (taken, batch.is_empty()) {
            (_, false) => Filled::Frames,
            // libpcap takes an interface that is down for one on which nothing comes.
            (Ok(()), true) if self.silent + wait >= LOOK_EVERY => {
                self.silent = Duration::ZERO;
                match self.fault() {
                    Some(fault) => {
                        self.is_down = true;
                        Filled::Down(fault)
                    }
                    None => Filled::Idle,
                }
            }
            (Ok(()), true) => {
                self.silent += wait;
                Filled::Idle
            }
            (Err(error), true) => {
                self.is_down = true;
                Filled::Down(self.fault().unwrap_or_else(|| error.to_string()))
            }
        }
    }

    fn drops(&mut self) -> Drops {
        let Some(stat) = self.open.as_mut().and_then(|open| open.capture.stats().ok()) else {
            return self.before;
        };
        Drops {
            by_kernel: self.before.by_kernel + u64::from(stat.dropped),
            by_interface: self.before.by_interface + u64::from(stat.if_dropped),
        }
    }
}

/// What the kernel knows of an interface.
fn known(name: &str, what: &str) -> Option<String> {
    fs::read_to_string(format!("/sys/class/net/{name}/{what}")).ok()
}

/// The number of an interface; 0 for all of them together.
fn index_of(name: &str) -> Option<u32> {
    match name {
        "any" => Some(0),
        _ => known(name, "ifindex")?.trim().parse().ok(),
    }
}

/// Whether an interface is up (IFF_UP).
fn is_up(name: &str) -> bool {
    let flags = known(name, "flags");
    let flags =
        flags.and_then(|text| u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok());
    name == "any" || flags.is_some_and(|flags| flags & 1 == 1)
}

/// The number in files for a link type of libpcap, which differs for a few old ones.
fn link_type(link: Linktype) -> LinkType {
    LinkType(match link.0 {
        12 | 14 => 101,
        11 => 100,
        other => other as u16,
    })
}
