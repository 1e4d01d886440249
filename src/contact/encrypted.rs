//! DNS that leaves the network encrypted, around the resolver that is watched: who does it.
//!
//! A host of the network (by its address, or as it turns to a public resolver) does it when it sends a packet to a
//! host outside, and
//!
//! 1. that goes to TCP port 853: DNS over TLS (RFC 7858);
//! 2. or it goes to UDP port 853: DNS over QUIC (RFC 9250), or over DTLS (RFC 8094);
//! 3. or it begins a connection to port 443 of a public resolver: DNS over HTTPS (RFC 8484);
//! 4. or it is a TLS ClientHello that names such a resolver, at whatever address.
//!
//! `indicator/shared.txt` has the resolvers of 3 and 4. DNS over HTTPS to any other server looks like
//! any web page, and is not seen.

use foldhash::{HashMap, HashMapExt};

use super::tls;
use crate::flow::{Address, Transport};
use crate::indicator::shared::{doh_at, doh_of};
use crate::packet::{Aside, AsideKind};
use crate::time::{Span, Timestamp};

/// How many hosts are kept that do it.
const HOSTS_MAX: usize = 1 << 10;
/// How many servers are kept that were asked so.
const SERVERS_MAX: usize = 64;
/// Whoever has not done it for so long makes room for others.
const STALE: Span = Span::from_secs(3_600);
/// The port of DNS over TLS and over QUIC.
const PORT: u16 = 853;
/// That of HTTPS.
const HTTPS: u16 = 443;

/// By what DNS is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// DNS over TLS.
    Tls,
    /// DNS over QUIC.
    Quic,
    /// DNS over HTTPS.
    Https,
}

impl Carrier {
    /// As it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Carrier::Tls => "DNS over TLS",
            Carrier::Quic => "DNS over QUIC",
            Carrier::Https => "DNS over HTTPS",
        }
    }
}

/// What a host did last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastActivity {
    /// The host.
    pub host: Address,
    /// By what.
    pub carrier: Carrier,
    /// Whom it asked.
    pub server: Address,
    /// The public resolver that this is, if it is a known one.
    pub known: Option<&'static str>,
    /// When it was seen last.
    pub last: Timestamp,
}

/// That a server was asked encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncryptedQuery {
    /// Who asked last.
    pub by: Address,
    /// When it was asked first and last.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
}

/// The hosts that ask others than the resolver, encrypted: at most 1,024. When there is no room left, and
/// nobody who has not done it for an hour, further ones are only counted.
///
/// Beside them, the servers that were asked by DNS over TLS or QUIC, at most 64: one of these may be the resolver that is watched.
#[derive(Debug)]
pub struct Encrypted {
    hosts: HashMap<Address, LastActivity>,
    servers: HashMap<Address, EncryptedQuery>,
    limit: usize,
    swept: Timestamp,
    passed_over: u64,
}

impl Default for Encrypted {
    fn default() -> Encrypted {
        Encrypted::new(HOSTS_MAX)
    }
}

impl Encrypted {
    /// Room for so many hosts.
    pub fn new(limit: usize) -> Encrypted {
        let (hosts, servers) = (HashMap::new(), HashMap::new());
        Encrypted { hosts, servers, limit, swept: Timestamp(i64::MIN), passed_over: 0 }
    }

    /// Takes a packet that is not DNS.
    pub fn aside(&mut self, aside: &Aside, payload: &[u8]) {
        let (host, server) = (aside.flow.source.address, aside.flow.destination);
        let by_name = || match aside.kind {
            AsideKind::ClientHello => tls::server_name(payload).as_deref().and_then(doh_of),
            _ => None,
        };
        let by_address = || doh_at(server.address);
        let (carrier, known) = match (aside.kind, aside.flow.transport, server.port) {
            (AsideKind::SynAck, ..) => return,
            (
                AsideKind::Syn | AsideKind::ClientHello | AsideKind::Segment,
                Transport::Tcp,
                PORT,
            ) => (Carrier::Tls, by_address().or_else(by_name)),
            (AsideKind::Datagram, Transport::Udp, PORT) => (Carrier::Quic, by_address()),
            (AsideKind::Syn | AsideKind::Datagram, _, HTTPS) => match by_address() {
                Some(known) => (Carrier::Https, Some(known)),
                None => return,
            },
            (AsideKind::ClientHello, ..) => match by_name() {
                Some(known) => (Carrier::Https, Some(known)),
                None => return,
            },
            _ => return,
        };
        // A connection that is only asked for may be refused, as phones try it.
        if server.port == PORT && known.is_none() && aside.kind != AsideKind::Syn {
            self.note_server(server.address, host, aside.time);
        }
        // Hosts of the network may have public IPv6 addresses; a public resolver is none of them.
        if !(host.is_internal() || known.is_some()) || server.address.is_internal() {
            return;
        }
        let last = aside.time;
        let around = LastActivity { host, carrier, server: server.address, known, last };
        self.note(around);
    }

    fn note_server(&mut self, server: Address, by: Address, time: Timestamp) {
        if self.servers.len() >= SERVERS_MAX && !self.servers.contains_key(&server) {
            return;
        }
        let asked =
            self.servers.entry(server).or_insert(EncryptedQuery { by, first: time, last: time });
        *asked = EncryptedQuery { by, last: asked.last.max(time), ..*asked };
    }

    /// Whether a server was asked by DNS over TLS or QUIC.
    pub fn asked(&self, server: Address) -> Option<EncryptedQuery> {
        self.servers.get(&server).copied()
    }

    fn note(&mut self, around: LastActivity) {
        if let Some(of_host) = self.hosts.get_mut(&around.host) {
            *of_host = LastActivity { last: around.last.max(of_host.last), ..around };
            return;
        }
        // A walk over all of them, so not for each of the many that somebody could make up.
        if self.hosts.len() >= self.limit && around.last - self.swept >= Span::from_secs(1) {
            self.swept = around.last;
            self.hosts.retain(|_, of_host| around.last - of_host.last < STALE);
        }
        if self.hosts.len() >= self.limit {
            self.passed_over += 1;
            return;
        }
        self.hosts.insert(around.host, around);
    }

    /// The hosts, in the order of their addresses.
    pub fn hosts(&self) -> Vec<LastActivity> {
        let mut hosts: Vec<LastActivity> = self.hosts.values().copied().collect();
        hosts.sort_unstable_by_key(|around| around.host);
        hosts
    }

    /// How many packets of further hosts there were.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }
}

#[cfg(test)]
mod tests {

    use super::super::tls::tests::client_hello;
    use super::*;
    use crate::flow::{Endpoint, Flow};
    use crate::frame::FrameId;
    use crate::packet::{Asides, Elsewhere, Envelope};

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    /// What is noted of one packet from a client.
    fn noted(
        from: &str,
        to: (&str, u16),
        transport: Transport,
        tcp_flags: u8,
        payload: &[u8],
    ) -> Option<(Carrier, Option<&'static str>)> {
        let encrypted = taken(from, to, transport, tcp_flags, payload);
        encrypted.hosts().first().map(|around| (around.carrier, around.known))
    }

    /// What comes of one packet.
    fn taken(
        from: &str,
        (to, port): (&str, u16),
        transport: Transport,
        tcp_flags: u8,
        payload: &[u8],
    ) -> Encrypted {
        let end = |text, port| Endpoint { address: address(text), port };
        let envelope = Envelope::of(
            FrameId::new(0, 1),
            Timestamp(1),
            Flow { source: end(from, 50_000), destination: end(to, port), transport },
        );
        let (mut asides, mut encrypted) = (Asides::default(), Encrypted::default());
        asides.take(&envelope, &Elsewhere { payload, tcp_flags }, (0, 0), 0);
        for aside in asides.iter() {
            encrypted.aside(aside, asides.payload(aside));
        }
        encrypted
    }

    #[test]
    fn a_server_of_the_site_is_asked_by_port_853_alone() {
        let asked = |to: &str, port, transport, flags| {
            let taken = taken("10.0.0.42", (to, port), transport, flags, b"x");
            taken.asked(address(to)).map(|asked| asked.by)
        };
        let client = Some(address("10.0.0.42"));
        assert_eq!(asked("10.0.0.10", 853, Transport::Tcp, 0x18), client);
        assert_eq!(
            asked("10.0.0.10", 853, Transport::Tcp, 2),
            None,
            "asked for, and refused perhaps"
        );
        assert_eq!(asked("10.0.0.10", 853, Transport::Udp, 0), client);
        assert_eq!(asked("2001:db8::53", 853, Transport::Udp, 0), client, "sites have public ones");
        assert_eq!(asked("10.0.0.10", 443, Transport::Tcp, 2), None, "any page is asked for so");
        assert_eq!(asked("9.9.9.9", 853, Transport::Tcp, 2), None, "a public resolver");
        assert_eq!(asked("10.0.0.10", 853, Transport::Tcp, 0x12), None, "an answer");
    }

    #[test]
    fn each_carrier_is_known_by_its_port_its_server_or_its_name() {
        use Carrier::{Https, Quic, Tls};
        use Transport::{Tcp, Udp};
        const CLIENT: &str = "192.168.2.42";
        let hello = client_hello(b"mozilla.cloudflare-dns.com");
        let web = client_hello(b"www.example.com");
        let syn = |to, port| noted(CLIENT, (to, port), Tcp, 2, b"");
        let says = |payload: &[u8]| noted(CLIENT, ("203.0.113.9", 443), Tcp, 0x18, payload);
        assert_eq!(syn("203.0.113.9", 853), Some((Tls, None)), "whosever it is");
        assert_eq!(syn("9.9.9.9", 853), Some((Tls, Some("Quad9"))));
        assert_eq!(
            noted(CLIENT, ("203.0.113.9", 853), Tcp, 0x18, &[23, 3, 3, 0, 9]),
            Some((Tls, None)),
            "a connection that is open for long"
        );
        assert_eq!(noted(CLIENT, ("203.0.113.9", 853), Udp, 0, b"x"), Some((Quic, None)));
        assert_eq!(syn("8.8.8.8", 443), Some((Https, Some("Google"))));
        assert_eq!(
            noted("fd00::42", ("2606:4700:4700::1111", 443), Udp, 0, b"x"),
            Some((Https, Some("Cloudflare"))),
            "over HTTP/3"
        );
        assert_eq!(says(&hello), Some((Https, Some("Cloudflare"))));
        assert_eq!(says(&web), None);
        assert_eq!(syn("203.0.113.9", 443), None);
        assert_eq!(syn("10.0.0.10", 853), None, "the site's own resolver");
        assert_eq!(noted("203.0.113.9", ("198.51.100.1", 853), Tcp, 2, b""), None, "none of ours");
        assert_eq!(
            noted("2001:db8::42", ("2620:fe::fe", 853), Tcp, 2, b""),
            Some((Tls, Some("Quad9")))
        );
        assert_eq!(noted(CLIENT, ("9.9.9.9", 853), Tcp, 0x12, b""), None, "an answer");
    }

    #[test]
    fn hosts_that_nobody_has_room_for_are_counted_and_the_stale_make_room() {
        let mut encrypted = Encrypted::new(2);
        let mut note = |host: u8, seconds: i64| {
            encrypted.note(LastActivity {
                host: Address::v4([10, 0, 0, host]),
                carrier: Carrier::Tls,
                server: Address::v4([9, 9, 9, 9]),
                known: None,
                last: Timestamp(0) + Span::from_secs(seconds),
            });
            (encrypted.hosts().len(), encrypted.passed_over())
        };
        assert_eq!([note(1, 0), note(2, 0), note(2, 1)], [(1, 0), (2, 0), (2, 0)]);
        assert_eq!(note(3, 2), (2, 1));
        assert_eq!(note(3, 3_600), (2, 1), "the first has not done it for an hour");
    }
}
