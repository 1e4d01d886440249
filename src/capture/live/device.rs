//! An interface, by libpcap.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pcap::{Active, Capture, Linktype, Packet, Precision};

use super::fanout::{Group, Joined};
use super::filter::{Wanted, kernel_filter};
use super::known::{has_carrier, index_of, is_up};
use super::{Drops, Filled, Source};
use crate::capture::{BATCH_FRAMES_MAX, FRAME_OCTETS_MAX};
use crate::frame::{Batch, Frame, FrameId, LinkType};
use crate::time::Timestamp;

/// How long the kernel gathers frames in a block before it hands them over, in milliseconds.
const BLOCK_MS: i32 = 10;
/// How long frames are let gather when the kernel's ring was emptied. Who takes every block as it comes finds the tables
/// gone from the cache each time: at 300,000 packets a second that is a tenth of what a packet costs.
const GATHER: Duration = Duration::from_millis(20);
/// A ring of so many octets can do without being emptied for that long, whatever comes; a smaller one for less.
const GATHER_BUFFER: u32 = 64 << 20;
/// A batch with more octets than this leaves: all that a source has may wait, and this bounds what they take then.
const BATCH_OCTETS: usize = 512 << 10;
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

impl DeviceOptions {
    fn gather(&self) -> Duration {
        let buffer = u32::try_from(self.buffer).unwrap_or(u32::MAX).min(GATHER_BUFFER);
        GATHER * buffer / GATHER_BUFFER
    }
}

/// An interface that is listened on, opened anew when it was gone.
pub struct Device {
    name: String,
    options: DeviceOptions,
    /// With whom the interface is shared, if it is.
    group: Option<Group>,
    open: Option<Open>,
    /// What earlier handles of it dropped.
    before: Drops,
    /// It was said to be down.
    is_down: bool,
    /// Nothing is at its other end, as far as the kernel knows, and nothing comes.
    lacks_carrier: bool,
    /// How long nothing came since it was looked at whether it is.
    silent: Duration,
    /// The kernel's ring was emptied.
    is_drained: bool,
}

struct Open {
    capture: Capture<Active>,
    link: LinkType,
    /// The interface's number: another means that it vanished and came back.
    index: Option<u32>,
    has_nanos: bool,
    expression: String,
    /// What it shares the frames by. Behind `capture`, to go after it.
    _joined: Option<Arc<Joined>>,
}

impl Device {
    /// Opens an interface; one that is down when it comes up.
    ///
    /// # Errors
    /// In the words of libpcap: no such interface, not allowed, or the filter cannot be understood.
    pub fn open(
        name: &str,
        options: DeviceOptions,
        group: Option<Group>,
    ) -> Result<Device, String> {
        let is_down = index_of(name).is_some_and(|index| !is_up(index));
        let open = match is_down {
            true => None,
            false => Some(Open::new(name, &options, group.as_ref())?),
        };
        Ok(Device {
            name: name.to_owned(),
            options,
            group,
            open,
            before: Drops::default(),
            is_down,
            lacks_carrier: false,
            silent: Duration::ZERO,
            is_drained: false,
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
        if !is_up(index) {
            return Some(format!("the interface {0} is down: `ip link set {0} up`", self.name));
        }
        if self.open.as_ref().is_none_or(|open| open.index != Some(index)) {
            self.close();
            match Open::new(&self.name, &self.options, self.group.as_ref()) {
                Ok(open) => self.open = Some(open),
                Err(error) => return Some(error),
            }
        }
        None
    }

    /// That nothing came; and why, if the cable is out. What comes all the same is taken.
    fn idle(&self) -> Filled {
        match self.lacks_carrier {
            true => Filled::Down(format!(
                "the interface {} has no carrier: is the cable plugged in, and the port at the other end up?",
                self.name
            )),
            false => Filled::Idle,
        }
    }

    fn close(&mut self) {
        self.before = self.drops();
        self.open = None;
    }
}

impl Open {
    fn new(name: &str, options: &DeviceOptions, group: Option<&Group>) -> Result<Open, String> {
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
        let joined = match group {
            Some(group) => {
                // Until it has joined it would get what the others get too.
                capture.filter("less 0", true).map_err(in_words)?;
                let joined = group.join(&capture.as_fd(), index);
                Some(joined.map_err(|error| format!("{name}: fanout: {error}"))?)
            }
            None => None,
        };
        let expression = |is_ethernet| {
            let and = options.filter.as_deref();
            kernel_filter(options.wanted, &options.ports, and, is_ethernet).unwrap_or_default()
        };
        // Other link types know no VLAN tags.
        let mut chosen = expression(true);
        if let Err(error) = capture.filter(&chosen, true) {
            if !knows_no_vlan(&error) {
                return Err(in_words(error));
            }
            chosen = expression(false);
            capture.filter(&chosen, true).map_err(in_words)?;
        }
        let link = link_type(capture.get_datalink());
        Ok(Open { capture, link, index, has_nanos, expression: chosen, _joined: joined })
    }

    /// Takes what the kernel has, up to a full batch.
    fn take(&mut self, batch: &mut Batch) -> Result<(), pcap::Error> {
        let (link, has_nanos) = (self.link, self.has_nanos);
        while !is_full(batch) {
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
        if self.is_drained {
            std::thread::sleep(self.options.gather().min(wait));
        }
        let mut taken = open.take(batch);
        if taken.is_ok() && batch.is_empty() {
            let milliseconds = u16::try_from(wait.as_millis()).unwrap_or(u16::MAX);
            let mut waited = [PollFd::new(open.capture.as_fd(), PollFlags::POLLIN)];
            // Interrupted or not, what is there is taken.
            let _ = poll(&mut waited, PollTimeout::from(milliseconds));
            taken = open.take(batch);
        }
        self.is_drained = !batch.is_empty() && !is_full(batch);
        match (taken, batch.is_empty()) {
            (_, false) => {
                self.lacks_carrier = false;
                Filled::Frames
            }
            // libpcap takes an interface that is down for one on which nothing comes.
            (Ok(()), true) if self.silent + wait >= LOOK_EVERY => {
                self.silent = Duration::ZERO;
                match self.fault() {
                    Some(fault) => {
                        self.is_down = true;
                        Filled::Down(fault)
                    }
                    None => {
                        let index = index_of(&self.name);
                        self.lacks_carrier = index.is_some_and(|index| !has_carrier(index));
                        self.idle()
                    }
                }
            }
            (Ok(()), true) => {
                self.silent += wait;
                self.idle()
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

/// Whether a batch has what it takes to leave.
fn is_full(batch: &Batch) -> bool {
    batch.len() >= BATCH_FRAMES_MAX || batch.arena.len() >= BATCH_OCTETS
}

/// The number in files for a link type of libpcap, which differs for a few old ones.
fn link_type(link: Linktype) -> LinkType {
    LinkType(match link.0 {
        12 | 14 => 101,
        11 => 100,
        other => other as u16,
    })
}

/// Whether an expression was refused since the link type has no VLAN tags. Where one is refused for anything else, such as
/// its size, no part of it may be left out: what is tagged would be missing, and nobody would know.
fn knows_no_vlan(error: &pcap::Error) -> bool {
    matches!(error, pcap::Error::PcapError(message) if message.contains("VLAN"))
}

#[cfg(test)]
mod tests {
    use pcap::Linktype;

    use super::*;

    #[test]
    fn only_a_link_without_vlans_is_asked_for_untagged_frames_alone() {
        let refused = |link, expression: &str| {
            Capture::dead(link).unwrap().compile(expression, true).err().unwrap()
        };
        let filter = "port 53 or vlan and port 53";
        assert!(Capture::dead(Linktype::ETHERNET).unwrap().compile(filter, true).is_ok());
        assert!(knows_no_vlan(&refused(Linktype::PPP, filter)));
        assert!(!knows_no_vlan(&refused(Linktype::ETHERNET, "vlan and port")));
    }
}
