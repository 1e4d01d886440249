//! What the kernel lets through.
//!
//! `port 53` is not enough: it misses what is under a VLAN tag, all fragments but the first, and tunnels. And
//! it misses what names hosts and shows whether they connected, of which the beginnings are let through: they
//! are few beside the rest of a 10 Gbit/s link.

/// How much is wanted of what a mirror port shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// DNS alone: its ports, fragments, tunnels.
    Dns,
    /// And what names hosts (DHCP, NetBIOS, LLMNR, mDNS, Kerberos), how connections begin (TCP handshakes
    /// and the first octets of TLS), and encrypted DNS.
    Hosts,
    /// Everything.
    All,
}

/// Whatever can hold a DNS message that cannot be told by a port: later fragments (IPv4), fragments (IPv6),
/// packets in packets, GRE with ERSPAN, MPLS in IP, Ethernet in IP, the ports of VXLAN, VXLAN-GPE, Geneve
/// and GTP-U; and what stands between Ethernet and IP, which is let through as a whole.
const WRAPPED: [&str; 9] = [
    "ip[6:2] & 0x1fff != 0",
    "ip6[6] = 44",
    "proto 47 or ip proto 4 or ip proto 41 or ip6 proto 4 or ip6 proto 41",
    "ip proto 97 or ip6 proto 97 or ip proto 137 or ip6 proto 137",
    "udp port 4789 or udp port 8472 or udp port 4790 or udp port 6081 or udp port 2152",
    // Headers between IP and UDP, behind which libpcap does not look.
    "proto 51 or ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 60",
    "ip6[6] = 135 or ip6[6] = 139 or ip6[6] = 140",
    // MPLS, PPPoE, a tag that libpcap's `vlan` does not know, Ethernet and PPP by EtherType. The words `mpls` and
    // `pppoes` would move the offsets of all that stands behind them.
    "ether proto 0x8847 or ether proto 0x8848 or ether proto 0x8864",
    "ether proto 0x9200 or ether proto 0x6558 or ether proto 0x880b",
];

/// IEEE 802.3, where a length stands for the EtherType. Of Ethernet alone: not every link type knows the word.
const LLC: &str = "llc";

/// Names of hosts.
const NAMES: [&str; 2] = [
    "udp port 67 or udp port 68 or udp port 137 or udp port 138 or udp port 5353 or udp port 5355",
    "port 88",
];

/// DNS over TLS and over QUIC, around the resolver. All of it: such a connection stays open for hours.
const ENCRYPTED: &str = "port 853";

/// Beginnings of connections: SYN with or without ACK, and a TLS record that begins with a ClientHello. libpcap
/// looks into TCP of IPv4 only, so offsets are given for IPv6.
const CONNECTIONS: [&str; 4] = [
    "tcp[13] & 0x17 = 2 or tcp[13] & 0x17 = 18",
    "tcp[((tcp[12] & 0xf0) >> 2)] = 22 and tcp[((tcp[12] & 0xf0) >> 2) + 5] = 1",
    "ip6[6] = 6 and (ip6[53] & 0x17 = 2 or ip6[53] & 0x17 = 18)",
    "ip6[6] = 6 and ip6[40 + ((ip6[52] & 0xf0) >> 2)] = 22 and ip6[45 + ((ip6[52] & 0xf0) >> 2)] = 1",
];

/// The expression for the kernel, in libpcap's language: what is wanted, of DNS on 53 and further `ports`, and
/// only what `and` lets through, if it is given. `None` when all is let through.
///
/// On Ethernet it is repeated for one and two VLAN tags, and what has a third is let through as a whole: the
/// kernel takes no filter of any length. In libpcap's language `vlan` moves the offsets of all that stands
/// behind it, so that each level holds the next in its last branch.
pub fn kernel_filter(
    wanted: Wanted,
    ports: &[u16],
    and: Option<&str>,
    is_ethernet: bool,
) -> Option<String> {
    let mut any: Vec<String> = Vec::new();
    if wanted != Wanted::All {
        any.push("port 53".to_owned());
        any.extend(ports.iter().filter(|port| **port != 53).map(|port| format!("port {port}")));
        any.extend(WRAPPED.map(str::to_owned));
        any.extend(is_ethernet.then(|| LLC.to_owned()));
    }
    if wanted == Wanted::Hosts {
        let parts = NAMES.iter().chain([&ENCRYPTED]).chain(&CONNECTIONS);
        any.extend(parts.map(|part| format!("({part})")));
    }
    let plain = match (any.is_empty(), and) {
        (true, None) => return None,
        (true, Some(and)) => format!("({and})"),
        (false, None) => format!("({})", any.join(" or ")),
        (false, Some(and)) => format!("(({}) and ({and}))", any.join(" or ")),
    };
    if !is_ethernet {
        return Some(plain);
    }
    let third = and.map_or("vlan".to_owned(), |and| format!("vlan and ({and})"));
    Some(format!("{plain} or (vlan and ({plain} or (vlan and ({plain} or ({third})))))"))
}
