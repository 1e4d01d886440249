//! Log lines of `key="value"`, `key=value`, `key:"value";` or `Key: value, `: Sophos UTM and SFOS, FortiGate, Check Point,
//! Cisco Firepower, and whatever writes alike.
//!
//! ```text
//! 2026:03:02-09:17:42 utm afcd[4711]: id="2022" name="Packet dropped (ATP)" srcip="192.168.2.194"
//!     dstip="203.0.113.66" threatname="C2/Generic-A" host="mi.kenal-cn.com" url="-" action="drop"
//! device="SFW" date=2026-03-02 time=09:17:42 log_type="ATP" src_ip=192.168.2.194 threatname="C2/Generic-A"
//! <134>1 2026-03-02T09:17:42Z gw1 CheckPoint 4711 - [src:"192.168.2.194"; resource:"mi.kenal-cn.com"; time:"1772443062"; ]
//! <113>2026-03-02T09:17:42Z fw1 : %FTD-1-430002: EventPriority: High, FirstPacketSecond: 2026-03-02T09:17:41Z,
//!     SrcIP: 192.168.2.194, DstIP: 198.51.100.7, DNSQuery: mi.kenal-cn.com, DNSSICategory: DNS CnC
//! date=2026-03-02 time=09:17:42 eventtime=1772443062 type="utm" subtype="dns" qname="mi.kenal-cn.com"
//! ```

use crate::alert::load::collector::{AlertCollector, JOINED_ROWS};
use crate::alert::load::columns::time_words::SPANS;
use crate::alert::load::pairs::line_pairs::{FIREPOWER_SOURCE, LinePairs};
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::value::{is_address, is_public, is_same_key};
use crate::alert::load::text::numbered_lines;
use crate::time::Written;

/// Whose words for things are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Any but those of FortiGate.
    Any,
    /// `type="traffic"` is no alert, and `msg` tells of the threat.
    FortiGate,
}

const TIMES: &[&str] = &["timestamp", "firstpacketsecond", "eventtime", "datetime", "event_time"];
/// What says when where nothing else does.
const LATER_TIMES: &[&str] =
    &["devtime", "event_timestamp", "alert_time", "rt", "start", "end", "_time", "ts"];
const ZONES: &[&str] = &["tz", "timezone", "time_zone", "dtz"];
const HOSTS: &[&str] =
    &["srcip", "src_ip", "src", "source_ip", "sourceip", "clientip", "client_ip"];
const NAMES: &[&str] = &[
    "botnetdomain",
    "qname",
    "query",
    "query_name",
    "dns_query",
    "dnsquery",
    "rrname",
    "requested_domain",
    "dhost",
    "dsthost",
    "dst_host",
    "dest_host",
    "dst_domain",
    "dstdomain",
    "dest_domain",
    "destination_domain",
    "dstname",
    "dst_name",
    "fqdn",
    "host",
    "hostname",
    "url",
    "url_domain",
    "remote_url",
    "request",
    "resource",
    "indicator",
    "ioc",
    "destination",
];
/// What may be one's own as well, as it is beside a user.
const FALLBACK_NAMES: &[&str] = &["domain", "domainname"];
/// Those of the names that may be of one's own host.
const OWN_NAMES: &[&str] = &["host", "hostname"];
const USERS: &[&str] = &["user", "username", "srcuser", "suser", "account"];
const ADDRESSES: &[&str] =
    &["botnetip", "dstip", "dst_ip", "dst", "dest_ip", "destip", "remote_ip"];
const THREATS: &[&str] = &[
    "threatname",
    "threat_name",
    "threat",
    "attack",
    "virus",
    "malware",
    "signature",
    "signature_msg",
    "protection_name",
    "malware_family",
];
/// Cisco's: of an intrusion, and of what a list of names, URLs or addresses stopped.
const FIREPOWER_THREATS: &[&str] = &[
    "message",
    "dnssicategory",
    "urlsicategory",
    "ipreputationsicategory",
    "accesscontrolrulereason",
];
/// What Zyxel calls what raised a line, and of these what looks for threats: it tells of them in its message.
const ZYXEL_KINDS: &[&str] = &[
    "ip reputation",
    "dns threat filter",
    "dns filter",
    "url threat filter",
    "botnet filter",
    "anti-botnet",
    "anti-malware",
    "anti-virus",
    "idp",
    "sandboxing",
];
const EVENTS: &[&str] = &["count", "cnt", "events", "repeat_count"];

/// Whether a line has so many pairs that it is hardly anything else.
pub(crate) fn is_line(line: &str) -> bool {
    let pairs = LinePairs::of(line);
    pairs.0.len() >= 3
        && pairs.first(&[HOSTS, NAMES, FALLBACK_NAMES, ADDRESSES, THREATS].concat()).is_some()
}

/// Whether a line of pairs is FortiGate's.
pub(crate) fn is_fortigate(line: &str) -> bool {
    let pairs = LinePairs::of(line);
    let device = pairs.first(&["devid", "device_id"]).is_some_and(|id| id.starts_with('F'));
    pairs.first(&["logid"]).is_some() && (device || pairs.first(&["vd", "devname"]).is_some())
}

/// Reads all lines. Where some name a threat, those that do not are ordinary traffic.
pub(crate) fn read(text: &str, dialect: Dialect, collector: &mut AlertCollector<'_>) {
    let threat_of = |pairs: &LinePairs<'_>| threat(pairs, dialect).is_some();
    let some_name_a_threat = numbered_lines(text).any(|(_, line)| threat_of(&LinePairs::of(line)));
    for (number, line) in numbered_lines(text) {
        let pairs = LinePairs::of(line);
        if pairs.is_of_no_threat() {
            collector.ignore("no threat is named");
            continue;
        }
        if pairs.0.len() < 2 {
            collector.skip(number, line, "it is not a line of key=\"value\"");
            continue;
        }
        if pairs.is_joined() {
            collector.skip(number, line, JOINED_ROWS);
            continue;
        }
        let threat = threat(&pairs, dialect);
        let is_traffic = dialect == Dialect::FortiGate && pairs.first(&["type"]) == Some("traffic");
        if is_traffic || threat.is_none() && some_name_a_threat {
            collector.ignore("no threat is named");
            continue;
        }
        let time = time(&pairs, line, number, collector);
        let row = AlertRow {
            time,
            host: pairs.first(HOSTS),
            host_port: pairs.first(&["srcport", "src_port", "spt"]),
            name: pairs.first_destination(NAMES),
            address: pairs.first(ADDRESSES),
            address_port: pairs.first(&["dstport", "dst_port", "dpt"]),
            threat,
            words: pairs.first(&["msg", "message"]).or_else(|| message_behind(line)),
            service: pairs.first(&["service", "app", "app_proto", "proto_service"]),
            events: pairs.first(EVENTS),
            device: pairs.first(DEVICES),
            ..AlertRow::default()
        };
        let loose =
            || pairs.first_destination(FALLBACK_NAMES).filter(|_| pairs.first(USERS).is_none());
        let name = row.name.or_else(loose);
        // A firewall flags what is outside, and tells of its own hosts as well.
        let is_far = row.address.is_some_and(|address| is_address(address) && is_public(address));
        let is_own = |name: &str| {
            let mut keys = OWN_NAMES.iter().chain(FALLBACK_NAMES);
            !is_public(name) && keys.any(|key| pairs.first(&[key]) == Some(name))
        };
        let name = name.filter(|name| !is_far || !is_own(name));
        let row = AlertRow { name, ..row };
        let name = row.queried_name_in(pairs.0.iter().copied()).or(name);
        collector.add(number, line, AlertRow { name, ..row });
    }
}

/// What Meraki writes behind the pairs: `message: INDICATOR-COMPROMISE Suspicious query evil.com`.
fn message_behind(line: &str) -> Option<&str> {
    line.split_once(" message: ").map(|(_, message)| message)
}

fn threat<'a>(pairs: &LinePairs<'a>, dialect: Dialect) -> Option<&'a str> {
    let is_ciscos = pairs.0.iter().any(|(key, _)| *key == FIREPOWER_SOURCE);
    let ciscos = || pairs.first(FIREPOWER_THREATS).filter(|_| is_ciscos);
    let zyxels = || {
        let is_kind = |kind: &str| ZYXEL_KINDS.contains(&kind.to_ascii_lowercase().as_str());
        let is_zyxels =
            pairs.first(&["note"]).is_some() && pairs.first(&["cat"]).is_some_and(is_kind);
        pairs.first(&["msg"]).filter(|_| is_zyxels)
    };
    let named = pairs.first(THREATS).or_else(ciscos).or_else(zyxels);
    let told = || match dialect {
        Dialect::FortiGate => pairs.first(&["msg", "catdesc"]),
        Dialect::Any => {
            let name = pairs.first(&["name"]).filter(|name| name.contains("ATP"));
            name.or_else(|| pairs.first(&["log_type"]).filter(|kind| *kind == "ATP"))
        }
    };
    named.or_else(told)
}

/// When: from a first time to a last, or at a moment.
fn time(
    pairs: &LinePairs<'_>,
    line: &str,
    number: u32,
    collector: &mut AlertCollector<'_>,
) -> Option<Written> {
    let Some([first, last]) = pairs.ends() else { return moment(pairs, line, number, collector) };
    let is_other = |key: &&str| !is_of_ends(key);
    let others = LinePairs(pairs.0.iter().filter(|(key, _)| is_other(key)).copied().collect());
    let said = moment(&others, "", number, collector);
    let zone = pairs.first(ZONES);
    let between = collector.times.read_between((first, zone), (last, zone), number);
    collector
        .times
        .either(said, between, number)
        .or_else(|| moment(&others, line, number, collector))
}

/// Whether a key says when something began, or when it ended.
fn is_of_ends(key: &str) -> bool {
    SPANS.iter().any(|(first, last)| is_same_key(key, first) || is_same_key(key, last))
}

/// When: by a time stamp, by date and time, or by what stands before the first pair.
fn moment(
    pairs: &LinePairs<'_>,
    line: &str,
    number: u32,
    collector: &mut AlertCollector<'_>,
) -> Option<Written> {
    let zone = pairs.first(ZONES);
    if let Some(stamp) = pairs.first(TIMES) {
        return collector.times.read_in(Some(stamp), zone, number);
    }
    let (day, clock) = (pairs.first(&["date"]), pairs.first(&["time"]));
    if day.is_some() && clock.is_some() {
        return collector.times.read_two(day, clock, zone, number);
    }
    let stamp = clock.or_else(|| pairs.first(LATER_TIMES));
    let read = collector.times.read_in(stamp, zone, number);
    // Such a word may also be for a port, or for how long something took.
    read.or_else(|| collector.times.read_in(stamp_before(line).as_deref(), zone, number))
}

/// The time that stands before the pairs: `<30>1 2026-03-02T09:17:42Z utm ...`, `2026:03:02-09:17:42 utm ...`,
/// `2026-03-02 09:17:42 utm ...`, and syslog's own, `<30>Mar  2 09:17:42 utm ...`, which may have a year.
pub(crate) fn stamp_before(line: &str) -> Option<String> {
    let priority = line.trim_start().strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|o| o.is_ascii_digit());
    let line = priority.filter(|(number, _)| is_number(number)).map_or(line, |(_, rest)| rest);
    let words: Vec<&str> = line.split_whitespace().take(4).collect();
    if let [month, day, clock, rest @ ..] = words.as_slice()
        && (3..=9).contains(&month.len())
        && month.bytes().all(|octet| octet.is_ascii_alphabetic())
        && is_number(day)
    {
        return match rest {
            [behind, ..] if is_number(clock) => {
                Some(format!("{month} {day} {clock} {}", behind.trim_end_matches(':')))
            }
            _ if clock.contains(':') => {
                Some(format!("{month} {day} {}", clock.trim_end_matches(':')))
            }
            _ => None,
        };
    }
    let is_date = |word: &&&str| word.len() >= 8 && word.starts_with(|c: char| c.is_ascii_digit());
    let place = words.iter().take(2).position(|word| is_date(&word))?;
    let (day, clock) = (words.get(place)?, words.get(place + 1));
    match clock {
        // `02-Mar-2026 09:17:42.123` of BIND.
        Some(clock) if day.len() <= 10 || day.len() == 11 && clock.contains(':') => {
            Some(format!("{day} {clock}"))
        }
        _ => Some((*day).to_owned()),
    }
}

/// What raised it.
const DEVICES: &[&str] =
    &["devname", "device_name", "devid", "device_id", "device_serial_id", "deviceuuid"];
