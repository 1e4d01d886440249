//! `whoasked messages` against tshark's decode of real captures.
//!
//! The captures are optional. Messages are compared by frame, addresses, ports and identifier, and then
//! by flags, question, aliases and addresses. At least 99.5 % of all must agree, and each kind of
//! difference must be one of those in [`EXPLAINED`].

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use whoasked::message::RecordType;

use crate::support::{files_below, shared, whoasked};

/// The differences that are understood, and explained in `docs/decoding.md`: the file, the kind, and how
/// often it occurs there.
const EXPLAINED: &[(&str, Kind, usize)] = &[
    // A Netlink capture: many packets in each frame.
    ("mtottenh__pcapsql/netlink-nflog.pcap", Kind::Missed, 16),
    // Less than a header of 12 octets.
    ("ntop__nDPI/fuzz-2006-06-26-2594.pcap", Kind::Missed, 2),
    ("pevma__mrp/dns.pcap", Kind::Missed, 1),
    // The first octets of a message that came whole in frame 1, repeated decades later.
    ("seladb__PcapPlusPlus/dns_over_tcp.pcapng", Kind::More, 1),
    // Answers in a query, and in an inverse query (RFC 3425 made it obsolete) and its response.
    ("idaholab__Malcolm-Test-Artifacts/dns_over_udp_with_edns_5000_bytes.pcap", Kind::Aliases, 1),
    ("zeek__zeek/dns-inverse-query.pcap", Kind::Addresses, 2),
    // What HTTPS records hint at.
    ("arkime__arkime/arkime_synthetic.pcap", Kind::Addresses, 1),
    ("zeek__zeek/ech.pcap", Kind::Addresses, 2),
    // Names that break RFC 1035: noise, attacks, and fuzzed files.
    ("dns-stats__compactor/knot-live.raw.pcap", Kind::BrokenName, 2),
    ("idaholab__Malcolm-Test-Artifacts/dns_long_cname.pcap", Kind::BrokenName, 1),
    ("ntop__nDPI/fuzz-2006-06-26-2594.pcap", Kind::BrokenName, 14),
    ("ntop__nDPI/malformed_dns.pcap", Kind::BrokenName, 4),
    ("pevma__mrp/dns.pcap", Kind::BrokenName, 20),
    ("the-tcpdump-group__tcpdump/dns-badlabel.pcap", Kind::BrokenName, 1),
    ("the-tcpdump-group__tcpdump/dns_fwdptr.pcap", Kind::BrokenName, 1),
    ("zeek__zeek/dns-invalid-names.pcap", Kind::BrokenName, 1),
];

/// Captures that are cut or corrupt.
const DAMAGED: &[&str] =
    &["ntop__nDPI/fuzz-2021-10-13.pcap", "OISF__suricata-verify/tls_DER-incomplete-header.pcap"];

/// How a message can differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// tshark has a message that we do not have.
    Missed,
    /// We have a message that tshark does not have.
    More,
    Flags,
    Qname,
    Qtype,
    Aliases,
    Addresses,
    /// tshark shows a remark such as `<Name too long>` for a name and reads on; we say that it is broken.
    BrokenName,
}

/// What is compared of a message; the key first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    key: (u64, String, String, u64, u64, u64),
    flags: u64,
    qname: Option<String>,
    qtype: Option<String>,
    aliases: Vec<String>,
    addresses: Vec<String>,
    malformed: bool,
}

impl Seen {
    fn differences(&self, other: &Seen) -> Vec<Kind> {
        // Of what stands on either side of the broken name, the addresses are comparable.
        let remark = |name: &String| name.starts_with('<');
        if self.malformed && other.qname.iter().chain(&other.aliases).any(remark) {
            let same = self.addresses == other.addresses;
            return if same { vec![Kind::BrokenName] } else { vec![Kind::Addresses] };
        }
        let same = [
            (Kind::Flags, self.flags == other.flags),
            (Kind::Qname, self.qname == other.qname),
            (Kind::Qtype, self.qtype == other.qtype),
            (Kind::Aliases, self.aliases == other.aliases),
            (Kind::Addresses, self.addresses == other.addresses),
        ];
        same.iter().filter(|(_, same)| !same).map(|(kind, _)| *kind).collect()
    }
}

/// A name as both can be shown: what is escaped as octets, up to the first octet that is not ASCII. From
/// there on tshark shows what it makes of the octets as UTF-8, overlong forms included.
fn plain(text: &str, base: u32) -> String {
    let (mut out, mut rest) = (String::new(), text.chars().peekable());
    while let Some(c) = rest.next() {
        let octet = match (c, rest.peek().copied()) {
            ('\\', Some('u')) if base == 8 => break,
            ('\\', Some(digit)) if digit.is_digit(base) => {
                let digits: String =
                    std::iter::from_fn(|| rest.next_if(|c| c.is_digit(base))).take(3).collect();
                u32::from_str_radix(&digits, base).unwrap()
            }
            ('\\', Some(letter)) => {
                rest.next();
                let control = "abtnvfr".find(letter).filter(|_| base == 8);
                control.map_or(u32::from(letter), |place| [7, 8, 9, 10, 11, 12, 13][place])
            }
            (other, _) => u32::from(other),
        };
        match u8::try_from(octet) {
            Ok(ascii) if ascii.is_ascii() => out.push(char::from(ascii)),
            _ => break,
        }
    }
    out
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn texts(value: &Value, base: u32) -> Vec<String> {
    let values = value.as_array().map(Vec::as_slice).unwrap_or_default();
    values.iter().map(|value| plain(&text(value), base)).collect()
}

/// What `whoasked messages` says.
fn ours(line: &Value) -> Seen {
    Seen {
        key: (
            number(&line["frame"]),
            text(&line["src"]),
            text(&line["dst"]),
            number(&line["sport"]),
            number(&line["dport"]),
            number(&line["id"]),
        ),
        flags: number(&line["flags"]),
        qname: line["qname"].as_str().map(|name| plain(name, 10)),
        qtype: line["qtype"].as_str().map(str::to_owned),
        aliases: texts(&line["aliases"], 10),
        addresses: sorted(texts(&line["addresses"], 10)),
        malformed: line["malformed"].is_string(),
    }
}

/// What tshark says. It knows no types: they are turned into mnemonics here.
fn theirs(line: &Value) -> Seen {
    let question = &line["queries"][0];
    let rtype = question["type"].as_u64().and_then(|rtype| u16::try_from(rtype).ok());
    let mut addresses = texts(&line["a"], 8);
    addresses.extend(texts(&line["aaaa"], 8));
    Seen {
        key: (
            number(&line["frame"]),
            text(&line["src"]),
            text(&line["dst"]),
            number(&line["sport"]),
            number(&line["dport"]),
            number(&line["id"]),
        ),
        flags: number(&line["flags"]),
        qname: question["name"].as_str().map(|name| plain(name, 8)),
        qtype: rtype.map(|rtype| RecordType(rtype).to_string()),
        aliases: texts(&line["cname"], 8),
        addresses: sorted(addresses),
        malformed: line["tshark_malformed"].is_number(),
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// tshark's decode of port 53, without what ICMP errors quote.
fn expected(path: &Path) -> Vec<Seen> {
    let Ok(packed) = std::fs::read(path) else { return Vec::new() };
    let lines = String::from_utf8(zstd::decode_all(&packed[..]).unwrap()).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["in_icmp"].is_null()).map(|line| theirs(&line)).collect()
}

/// Compares the messages of one file; `each` gets the kind of a difference and both sides.
fn compare(
    ours: Vec<Seen>,
    theirs: &[Seen],
    mut each: impl FnMut(Kind, Option<&Seen>, Option<&Seen>),
) -> usize {
    let mut left: BTreeMap<_, Vec<Seen>> = BTreeMap::new();
    for seen in ours.into_iter().rev() {
        left.entry(seen.key.clone()).or_default().push(seen);
    }
    let mut agreeing = 0;
    for seen in theirs {
        let Some(other) = left.get_mut(&seen.key).and_then(Vec::pop) else {
            each(Kind::Missed, None, Some(seen));
            continue;
        };
        let differences = other.differences(seen);
        agreeing += usize::from(differences.is_empty());
        for kind in differences {
            each(kind, Some(&other), Some(seen));
        }
    }
    for seen in left.values().flatten() {
        each(Kind::More, Some(seen), None);
    }
    agreeing
}

#[test]
fn messages_agree_with_tshark() {
    let Some(root) = shared("wire-corpus") else { return };
    let (mut total, mut agreeing) = (0, 0);
    let mut found: BTreeMap<(String, Kind), usize> = BTreeMap::new();
    for path in files_below(&root.join("files")) {
        let name = path.strip_prefix(root.join("files")).unwrap().to_str().unwrap().to_owned();
        let run = whoasked([Path::new("messages"), &path]);
        assert!(matches!(run.code, Some(0 | 2)), "{name}: {run:?}");
        assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
        let damaged = DAMAGED.contains(&name.as_str());
        assert_eq!(run.code == Some(2), damaged, "{name}: {}", run.stderr);
        assert_eq!(run.stderr.contains(path.to_str().unwrap()), damaged, "{name}: {}", run.stderr);
        let theirs = expected(&root.join("expected").join(format!("{name}.tshark.jsonl.zst")));
        let ours = run.json().iter().map(ours).collect();
        total += theirs.len();
        agreeing += compare(ours, &theirs, |kind, ours, theirs| {
            *found.entry((name.clone(), kind)).or_default() += 1;
            if std::env::var_os("WHOASKED_VERBOSE").is_some() {
                println!("{name}: {kind:?}\n  ours   {ours:?}\n  theirs {theirs:?}");
            }
        });
    }
    for ((name, kind), count) in &found {
        println!("{count:6} {kind:?} {name}");
    }
    let share = agreeing as f64 / total as f64;
    println!("{agreeing} of {total} messages agree: {:.3} %", share * 100.0);
    assert!(share >= 0.995);
    for ((name, kind), count) in &found {
        let explained = EXPLAINED.contains(&(name.as_str(), *kind, *count));
        assert!(explained, "{name}: {count} x {kind:?} is not what docs/decoding.md explains");
    }
}
