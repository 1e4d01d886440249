//! The public resolvers that DNS over HTTPS is known by.
//!
//! Those that browsers and operating systems offer, and the large ones beside them. Names and addresses are
//! those of "Known DNS Providers" (<https://adguard-dns.io/kb/general/dns-providers/>, read in November 2026), to
//! which the name that Firefox uses (`mozilla.cloudflare-dns.com`) and the like come by standing below one of
//! them. A name stands for all below it: some services give each customer one.

use std::net::{IpAddr, Ipv6Addr};

use crate::flow::Address;

struct Service {
    called: &'static str,
    names: &'static [&'static str],
    v4: &'static [[u8; 4]],
    v6: &'static [Ipv6Addr],
}

/// `2001:db8::1` by its words.
const fn v6(a: u16, b: u16, c: u16, d: u16, [e, f, g, h]: [u16; 4]) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

const SERVICES: &[Service] = &[
    Service {
        called: "Cloudflare",
        names: &["cloudflare-dns.com", "dns.cloudflare.com", "one.one.one.one"],
        v4: &[[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 2], [1, 0, 0, 2], [1, 1, 1, 3], [1, 0, 0, 3]],
        v6: &[
            v6(0x2606, 0x4700, 0x4700, 0, [0, 0, 0, 0x1111]),
            v6(0x2606, 0x4700, 0x4700, 0, [0, 0, 0, 0x1001]),
            v6(0x2606, 0x4700, 0x4700, 0, [0, 0, 0, 0x1112]),
            v6(0x2606, 0x4700, 0x4700, 0, [0, 0, 0, 0x1002]),
            v6(0x2606, 0x4700, 0x4700, 0, [0, 0, 0, 0x1113]),
            v6(0x2606, 0x4700, 0x4700, 0, [0, 0, 0, 0x1003]),
        ],
    },
    Service {
        called: "Google",
        names: &["dns.google", "dns.google.com", "dns64.dns.google"],
        v4: &[[8, 8, 8, 8], [8, 8, 4, 4]],
        v6: &[
            v6(0x2001, 0x4860, 0x4860, 0, [0, 0, 0, 0x8888]),
            v6(0x2001, 0x4860, 0x4860, 0, [0, 0, 0, 0x8844]),
        ],
    },
    Service {
        called: "Quad9",
        names: &["dns.quad9.net", "dns9.quad9.net", "dns10.quad9.net", "dns11.quad9.net"],
        v4: &[
            [9, 9, 9, 9],
            [149, 112, 112, 112],
            [9, 9, 9, 10],
            [149, 112, 112, 10],
            [9, 9, 9, 11],
            [149, 112, 112, 11],
        ],
        v6: &[
            v6(0x2620, 0xfe, 0, 0, [0, 0, 0, 0xfe]),
            v6(0x2620, 0xfe, 0, 0, [0, 0, 0, 9]),
            v6(0x2620, 0xfe, 0, 0, [0, 0, 0, 0x10]),
            v6(0x2620, 0xfe, 0, 0, [0, 0, 0xfe, 0x10]),
            v6(0x2620, 0xfe, 0, 0, [0, 0, 0, 0x11]),
            v6(0x2620, 0xfe, 0, 0, [0, 0, 0xfe, 0x11]),
        ],
    },
    Service {
        called: "OpenDNS",
        names: &[
            "doh.opendns.com",
            "doh.familyshield.opendns.com",
            "doh.sandbox.opendns.com",
            "dns.opendns.com",
            "familyshield.opendns.com",
            "sandbox.opendns.com",
        ],
        v4: &[
            [208, 67, 222, 222],
            [208, 67, 220, 220],
            [208, 67, 222, 123],
            [208, 67, 220, 123],
            [208, 67, 222, 2],
            [208, 67, 220, 2],
        ],
        v6: &[
            v6(0x2620, 0x119, 0x35, 0, [0, 0, 0, 0x35]),
            v6(0x2620, 0x119, 0x53, 0, [0, 0, 0, 0x53]),
        ],
    },
    Service {
        called: "AdGuard",
        names: &["dns.adguard-dns.com", "family.adguard-dns.com", "unfiltered.adguard-dns.com"],
        v4: &[
            [94, 140, 14, 14],
            [94, 140, 15, 15],
            [94, 140, 14, 15],
            [94, 140, 15, 16],
            [94, 140, 14, 140],
            [94, 140, 14, 141],
        ],
        v6: &[
            v6(0x2a10, 0x50c0, 0, 0, [0, 0, 0xad1, 0xff]),
            v6(0x2a10, 0x50c0, 0, 0, [0, 0, 0xad2, 0xff]),
            v6(0x2a10, 0x50c0, 0, 0, [0, 0, 0xbad1, 0xff]),
            v6(0x2a10, 0x50c0, 0, 0, [0, 0, 0xbad2, 0xff]),
            v6(0x2a10, 0x50c0, 0, 0, [0, 0, 1, 0xff]),
            v6(0x2a10, 0x50c0, 0, 0, [0, 0, 2, 0xff]),
        ],
    },
    Service {
        called: "CleanBrowsing",
        names: &[
            "doh.cleanbrowsing.org",
            "adult-filter-dns.cleanbrowsing.org",
            "family-filter-dns.cleanbrowsing.org",
            "security-filter-dns.cleanbrowsing.org",
        ],
        v4: &[
            [185, 228, 168, 168],
            [185, 228, 169, 168],
            [185, 228, 168, 10],
            [185, 228, 169, 11],
            [185, 228, 168, 9],
            [185, 228, 169, 9],
        ],
        v6: &[
            v6(0x2a0d, 0x2a00, 1, 0, [0, 0, 0, 0]),
            v6(0x2a0d, 0x2a00, 2, 0, [0, 0, 0, 0]),
            v6(0x2a0d, 0x2a00, 1, 0, [0, 0, 0, 1]),
            v6(0x2a0d, 0x2a00, 2, 0, [0, 0, 0, 1]),
            v6(0x2a0d, 0x2a00, 1, 0, [0, 0, 0, 2]),
            v6(0x2a0d, 0x2a00, 2, 0, [0, 0, 0, 2]),
        ],
    },
    Service { called: "NextDNS", names: &["dns.nextdns.io"], v4: &[], v6: &[] },
    Service { called: "Mullvad", names: &["dns.mullvad.net"], v4: &[], v6: &[] },
    Service {
        called: "Control D",
        names: &["freedns.controld.com"],
        v4: &[[76, 76, 2, 0], [76, 76, 10, 0], [76, 76, 2, 1], [76, 76, 2, 2], [76, 76, 2, 3]],
        v6: &[v6(0x2606, 0x1a40, 0, 0, [0, 0, 0, 0]), v6(0x2606, 0x1a40, 1, 0, [0, 0, 0, 0])],
    },
    Service {
        called: "DNS.SB",
        names: &["doh.dns.sb", "dot.sb"],
        v4: &[[185, 222, 222, 222], [45, 11, 45, 11]],
        v6: &[v6(0x2a09, 0, 0, 0, [0, 0, 0, 0]), v6(0x2a11, 0, 0, 0, [0, 0, 0, 0])],
    },
    Service {
        called: "Alibaba",
        names: &["dns.alidns.com"],
        v4: &[[223, 5, 5, 5], [223, 6, 6, 6]],
        v6: &[v6(0x2400, 0x3200, 0, 0, [0, 0, 0, 1]), v6(0x2400, 0x3200, 0xbaba, 0, [0, 0, 0, 1])],
    },
    Service {
        called: "DNSPod",
        names: &["doh.pub", "dot.pub"],
        v4: &[[119, 29, 29, 29]],
        v6: &[v6(0x2402, 0x4e00, 0, 0, [0, 0, 0, 0])],
    },
];

/// What the resolver at an address is called.
pub(super) fn by_address(address: Address) -> Option<&'static str> {
    let has = |service: &&Service| match address.ip() {
        IpAddr::V4(v4) => service.v4.contains(&v4.octets()),
        IpAddr::V6(v6) => service.v6.contains(&v6),
    };
    SERVICES.iter().find(has).map(|service| service.called)
}

/// What the resolver of this name, or of one above it, is called.
pub(super) fn by_name(name: &str) -> Option<&'static str> {
    let stands_below = |above: &str| {
        let rest = name.len().checked_sub(above.len());
        rest.is_some_and(|at| {
            let (before, end) = name.as_bytes().split_at(at);
            end.eq_ignore_ascii_case(above.as_bytes())
                && before.last().is_none_or(|last| *last == b'.')
        })
    };
    let has = |service: &&Service| service.names.iter().any(|above| stands_below(above));
    SERVICES.iter().find(has).map(|service| service.called)
}
