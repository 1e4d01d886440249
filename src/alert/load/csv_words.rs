//! What exports call their columns.
//!
//! A heading is brought to one spelling first, so that each thing stands here once, however it is written:
//! `Source Address`, `source_ip`, `Src. IP` and `srcip` are all `srcip`. Of each list the first that is there counts.

use super::row::plain_key;

/// How the two ends of a connection are written, in full and in short.
const SIDES: [(&str, &str); 3] = [("source", "src"), ("destination", "dst"), ("dest", "dst")];
/// How an address is written behind what it is the address of.
const ADDRESS_ENDINGS: [&str; 4] = ["ipaddress", "ipaddr", "address", "addr"];
/// How a name is written behind the end whose name it is.
const NAME_ENDINGS: [&str; 4] = ["machinename", "hostname", "host", "dnsname"];

/// The name of what was talked to, or of who talked.
pub(super) const EITHERS_NAME: &str = "hostname";
pub(super) const TIMES: &[&str] = &[
    "timestamp",
    "datetime",
    "eventtime",
    "loggedtime",
    "generatetime",
    "generatedtime",
    "receivetime",
    "occurredat",
    "ts",
    "time",
    "localtime",
    "firstseen",
    "starttime",
    "logtime",
    "when",
    "zeit",
    "zeitpunkt",
];
pub(super) const DAYS: &[&str] = &["date", "day", "datum"];
pub(super) const CLOCKS: &[&str] = &["time", "clock", "uhrzeit"];
/// Addresses first: who is behind a name only the firewall knows.
pub(super) const HOSTS: &[&str] = &[
    "userhost",
    "srcip",
    "src",
    "source",
    "internalip",
    "internalclientip",
    "clientsourceip",
    "clientip",
    "client",
    "localip",
    "srcname",
    "clientname",
    "host",
    EITHERS_NAME,
    "computername",
    "mostgranularidentity",
    "identity",
    "identities",
    "policyidentity",
    "user",
    "username",
    "device",
    "quelle",
];
pub(super) const HOST_PORTS: &[&str] = &["srcport", "sport", "clientport"];
/// What was asked for first, then what was talked to; a domain alone may be that of the user.
pub(super) const NAMES: &[&str] = &[
    "qname",
    "queryname",
    "query",
    "dnsquery",
    "dnsrequest",
    "requesteddomain",
    "querieddomain",
    "botnetdomain",
    "maliciousdomain",
    "dstdomain",
    "dstfqdn",
    "url",
    "urlfilename",
    "destination",
    "clientdestinationname",
    "dstname",
    "ziel",
    "indicator",
    "domain",
    "domainname",
    "fqdn",
    "dnsname",
];
/// What may hold a path or a machine as well.
pub(super) const LOOSE_NAMES: &[&str] = &["uri", "resource", "target"];
pub(super) const ADDRESSES: &[&str] = &[
    "dstip",
    "dst",
    "dest",
    "remoteip",
    "botnetip",
    "maliciousip",
    "clientdestinationip",
    "serverdestinationip",
    "serverip",
];
pub(super) const ADDRESS_PORTS: &[&str] = &["dstport", "dport", "serverport"];
pub(super) const THREATS: &[&str] = &[
    "threatname",
    "threatcontentname",
    "threatid",
    "threat",
    "threats",
    "protectionname",
    "malwarefamily",
    "malwarename",
    "malware",
    "signaturename",
    "signature",
    "attackname",
    "attack",
    "virusname",
    "virus",
    "alert",
    "threatcategory",
    "threattype",
    "blockedcategories",
    "rule",
    "category",
    "categories",
    "message",
    "msg",
    "event",
    "eventtype",
    "bedrohung",
];
pub(super) const EVENTS: &[&str] =
    &["events", "eventcount", "count", "hits", "repeatcount", "numberofevents", "ereignisse"];
pub(super) const DEVICES: &[&str] = &[
    "devname",
    "devicename",
    "deviceid",
    "deviceserial",
    "devid",
    "serial",
    "serialnumber",
    "observer",
    "observername",
    "sensor",
    "firewall",
    "gateway",
];
pub(super) const NUMBERS: &[&str] = &["no", "nr", "number", "row"];

/// The one spelling of a heading.
pub(super) fn spelt(heading: &str) -> String {
    let plain = plain_key(heading);
    let (side, rest) = side_of(&plain);
    let ending = |endings: &[&str]| endings.iter().find_map(|ending| rest.strip_suffix(ending));
    let is_said = |before: &&str| !side.is_empty() || !before.is_empty();
    if let Some(before) = ending(&ADDRESS_ENDINGS).filter(is_said) {
        return format!("{side}{before}ip");
    }
    // Of a word alone, or of a user, a host is no name of an end.
    let before = ending(&NAME_ENDINGS).filter(|before| before.is_empty() && !side.is_empty());
    match before {
        Some(_) => format!("{side}name"),
        None => format!("{side}{rest}"),
    }
}

/// A word without the end it begins with, and that end in short; none if it is all of the word.
fn side_of(plain: &str) -> (&str, &str) {
    let sides = SIDES.iter().chain(&[("src", "src"), ("dst", "dst"), ("client", "client")]);
    let stripped =
        sides.filter_map(|(full, short)| Some((*short, plain.strip_prefix(full)?))).next();
    stripped.filter(|(_, rest)| !rest.is_empty()).unwrap_or(("", plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_has_one_spelling_however_it_is_written() {
        for (spelling, headings) in [
            ("srcip", &["Source Address", "source_ip", "Src. IP", "srcip", "SrcIpAddr"][..]),
            ("dstip", &["Destination IP Address", "dest-ip", "Dst. IP", "destinationAddress"]),
            ("srcname", &["Source Host", "src_hostname", "Source Machine Name", "Src. Name"]),
            ("dstname", &["destination_host", "Dst. Name", "dst dns name", "DestHost"]),
            ("internalip", &["Internal Ip", "InternalIP", "internal address"]),
            ("clientip", &["Client IP", "client_address", "clientIp"]),
            ("clientname", &["Client Name", "client_hostname"]),
            ("source", &["Source"]),
            ("destination", &["Destination"]),
            ("userhost", &["User/Host"]),
            ("hostname", &["Hostname"]),
            ("resource", &["Resource"]),
            ("address", &["Address"]),
        ] {
            for heading in headings {
                assert_eq!(spelt(heading), spelling, "{heading}");
            }
        }
    }

    #[test]
    fn every_word_is_spelt_as_headings_are() {
        let lists = [
            TIMES,
            DAYS,
            CLOCKS,
            HOSTS,
            HOST_PORTS,
            NAMES,
            LOOSE_NAMES,
            ADDRESSES,
            ADDRESS_PORTS,
            THREATS,
            EVENTS,
            DEVICES,
            NUMBERS,
        ];
        for word in lists.concat() {
            assert_eq!(spelt(word), word, "nothing is ever spelt so");
        }
    }
}
