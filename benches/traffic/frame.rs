//! Ethernet, an optional 802.1Q tag, IPv4 or IPv6, UDP or TCP, with right checksums.

/// A machine on the network.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// Its link-layer address; of a distant host, the router's.
    pub mac: [u8; 6],
    /// Its IPv4 address.
    pub v4: [u8; 4],
    /// Its IPv6 address.
    pub v6: [u8; 16],
}

/// From where to where.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Who sends.
    pub source: Host,
    /// To whom.
    pub destination: Host,
    /// From which port.
    pub source_port: u16,
    /// To which.
    pub destination_port: u16,
    /// By IPv6.
    pub by_v6: bool,
    /// The tag it carries on the mirror port.
    pub vlan: Option<u16>,
}

impl Path {
    /// The way back.
    pub fn back(self) -> Path {
        Path {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            ..self
        }
    }
}

/// A TCP segment's header fields (RFC 9293).
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Number of its first octet.
    pub seq: u32,
    /// Number of the octet expected next.
    pub ack: u32,
    /// Its flags.
    pub flags: u8,
}

const UDP: u8 = 17;
const TCP: u8 = 6;

/// Writes the frame of a datagram, or with a `segment` the frame of that.
pub fn write(out: &mut Vec<u8>, path: &Path, segment: Option<Segment>, ip_id: u16, payload: &[u8]) {
    out.clear();
    out.extend(path.destination.mac);
    out.extend(path.source.mac);
    if let Some(vlan) = path.vlan {
        out.extend([0x81, 0]);
        out.extend(vlan.to_be_bytes());
    }
    let transport = if segment.is_some() { TCP } else { UDP };
    let transport_len = payload.len() as u16 + if segment.is_some() { 20 } else { 8 };
    let pseudo = if path.by_v6 {
        ipv6(out, path, transport, transport_len)
    } else {
        ipv4(out, path, transport, transport_len, ip_id)
    };
    let start = out.len();
    out.extend(path.source_port.to_be_bytes());
    out.extend(path.destination_port.to_be_bytes());
    let checksum_at = match segment {
        None => {
            out.extend(transport_len.to_be_bytes());
            out.extend([0, 0]);
            start + 6
        }
        Some(segment) => {
            out.extend(segment.seq.to_be_bytes());
            out.extend(segment.ack.to_be_bytes());
            out.extend([0x50, segment.flags, 0xfa, 0xf0, 0, 0, 0, 0]);
            start + 16
        }
    };
    out.extend(payload);
    let seed = pseudo + u64::from(transport) + u64::from(transport_len);
    set_checksum(out, start, checksum_at, seed);
}

/// Returns the sum of the addresses, for the transport's checksum.
fn ipv4(out: &mut Vec<u8>, path: &Path, transport: u8, len: u16, ip_id: u16) -> u64 {
    out.extend([0x08, 0x00]);
    let start = out.len();
    out.extend([0x45, 0]);
    out.extend((20 + len).to_be_bytes());
    out.extend(ip_id.to_be_bytes());
    out.extend([0, 0, 64, transport, 0, 0]);
    out.extend(path.source.v4);
    out.extend(path.destination.v4);
    set_checksum(out, start, start + 10, 0);
    sum(&path.source.v4) + sum(&path.destination.v4)
}

/// As [`ipv4`].
fn ipv6(out: &mut Vec<u8>, path: &Path, transport: u8, len: u16) -> u64 {
    out.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    out.extend(len.to_be_bytes());
    out.extend([transport, 64]);
    out.extend(path.source.v6);
    out.extend(path.destination.v6);
    sum(&path.source.v6) + sum(&path.destination.v6)
}

fn sum(octets: &[u8]) -> u64 {
    let mut pairs = octets.chunks_exact(2);
    let whole: u64 =
        pairs.by_ref().map(|pair| u64::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    whole + pairs.remainder().first().map_or(0, |&last| u64::from(last) << 8)
}

/// Sets the Internet checksum (RFC 1071) of all octets from `start`.
fn set_checksum(out: &mut [u8], start: usize, at: usize, seed: u64) {
    let mut total = seed + out.get(start..).map_or(0, sum);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    // All ones, which stands for zero too: an UDP checksum of zero would mean that there is none.
    let checksum = if total == 0xffff { 0xffff } else { !(total as u16) };
    if let Some(field) = out.get_mut(at..at + 2) {
        field.copy_from_slice(&checksum.to_be_bytes());
    }
}
