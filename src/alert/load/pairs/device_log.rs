//! Log lines that say by their place what others say by a key, taken apart into pairs of these.
//!
//! ```text
//! 02-Mar-2026 09:17:42.123 client @0x7f 192.168.2.194#53211 (evil.com): rpz QNAME NXDOMAIN rewrite evil.com/A/IN via evil.com.rpz
//! Mar 02 09:17:42 fw unbound[200]: [200:0] info: rpz: applied [malware] evil.com. rpz-nxdomain 192.168.2.194@53211 evil.com. A IN
//! Mar 02 09:17:42 fw unbound[200]: [200:0] info: evil.com. always_nxdomain 192.168.2.194@53211 evil.com. A IN
//! Mar 02 2026 09:17:42: %ASA-4-338002: Dynamic Filter monitored blacklisted TCP traffic from inside:192.168.2.194/53211 (...) to
//!     outside:203.0.113.67/443 (...), destination 203.0.113.67 resolved from dynamic list: evil.com, threat-level: high, category: Malware
//! mar/02/2026 09:17:42 firewall,info C2 forward: in:bridge out:ether1, ..., proto TCP (SYN), 192.168.2.194:50000->203.0.113.67:443, len 52
//! 2026-03-02 09:17:42 Deny 192.168.2.194 9.9.9.9 dns/udp 53211 53 Trusted External ProxyDrop: DNS question match (...) question="evil.com"
//! ```
//!
//! Lines of the same logs that are about no threat have pairs as well, so that they are passed over and not complained about.

use std::net::IpAddr;

use crate::alert::load::row::value::{is_destination, is_public};

/// Pairs in the words of `key_value`.
type LogPairs<'a> = Vec<(&'a str, &'a str)>;

/// Says of a line only that it is of a log.
pub(crate) const LOG: &str = "log";

/// The pairs of a line of one of these logs.
pub(crate) fn pairs(line: &str) -> Option<LogPairs<'_>> {
    bind(line)
        .or_else(|| unbound(line))
        .or_else(|| asa(line))
        .or_else(|| mikrotik(line))
        .or_else(|| watchguard(line))
}

/// Of a line that is about no threat.
fn other(line: &str) -> LogPairs<'_> {
    vec![(LOG, line), (LOG, line)]
}

/// BIND's, of a response policy zone: `client [@0x...] ADDRESS#PORT (NAME): [view V: ][disabled ]rpz TRIGGER POLICY rewrite ...`.
fn bind(line: &str) -> Option<LogPairs<'_>> {
    let (_, behind) = line.split_once("client ")?;
    let (client, told) = behind.split_once(" (")?;
    let (name, told) = told.split_once("):")?;
    let (host, port) = client.rsplit(' ').next()?.split_once('#')?;
    if host.parse::<IpAddr>().is_err() || !port.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let at =
        told.find("rpz ").filter(|at| told.get(..*at).is_some_and(|before| before.ends_with(' ')));
    let rule = at.and_then(|at| told.get(at..)).filter(|rule| rule.contains(" rewrite "));
    Some(match rule {
        Some(rule) if !rule.contains(" PASSTHRU ") => {
            vec![("src_ip", host), ("query", name), ("threat", rule)]
        }
        _ => other(line),
    })
}

/// Unbound's, of a response policy zone or a local one: `... ADDRESS@PORT NAME TYPE CLASS`.
fn unbound(line: &str) -> Option<LogPairs<'_>> {
    // `static`, `redirect` and `inform` are of names of one's own as well.
    const ACTIONS: [&str; 11] = [
        "deny",
        "refuse",
        "inform_deny",
        "inform_redirect",
        "always_refuse",
        "always_nxdomain",
        "always_nodata",
        "always_deny",
        "always_null",
        "block_a",
        "ipset",
    ];
    let (before, told) = line.split_once(" info: ")?;
    if !before.contains("unbound") && !before.trim_end().ends_with(":0]") {
        return None;
    }
    let stamp = before.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let stamp = stamp.map(|(stamp, _)| stamp).filter(|stamp| stamp.len() >= 10);
    let words: Vec<&str> = told.split_whitespace().collect();
    let ([.., client, name, _, _], Some(rule_end)) = (words.as_slice(), told.find('@')) else {
        return Some(other(line));
    };
    let Some((host, _)) = client.split_once('@').filter(|(host, _)| host.parse::<IpAddr>().is_ok())
    else {
        return Some(other(line));
    };
    let rule =
        told.get(..rule_end).and_then(|rule| rule.strip_suffix(host)).unwrap_or_default().trim();
    let action = rule.rsplit(' ').next().unwrap_or_default();
    let is_reverse = name.trim_end_matches('.').to_ascii_lowercase().ends_with(".arpa");
    let is_zone = ACTIONS.contains(&action) && !is_reverse;
    let is_policy = rule.starts_with("rpz: applied") && action != "rpz-passthru";
    if !is_zone && !is_policy {
        return Some(other(line));
    }
    let mut pairs = vec![("src_ip", host), ("query", *name), ("threat", rule)];
    pairs.extend(stamp.map(|stamp| ("timestamp", stamp)));
    Some(pairs)
}

/// Cisco ASA's, of its botnet filter. Where the source is what is listed, the host is the destination.
fn asa(line: &str) -> Option<LogPairs<'_>> {
    let (_, told) = line.split_once("%ASA-")?;
    // Those of 3381.. are of what is on the white list.
    let is_listed = |id: &str| id.starts_with("-338") && !id.starts_with("-3381");
    let is_filter = told.get(1..).is_some_and(is_listed)
        && told.contains(": Dynamic Filter ")
        && !told.contains("white");
    if !is_filter {
        return Some(other(line));
    }
    let end = |mark: &str| {
        let (_, behind) = told.split_once(mark)?;
        let (_, end) = behind.split_whitespace().next()?.split_once(':')?;
        let (address, port) = end.split_once('/')?;
        address.parse::<IpAddr>().ok().map(|_| (address, port))
    };
    let ((from, from_port), (to, to_port)) = (end(" from ")?, end(" to ")?);
    let is_of_source = told.contains(", source ");
    let list = told.split_once(" list: ").map(|(_, behind)| behind);
    let name = list.and_then(|list| list.split(", ").next()).unwrap_or_default();
    let threat = told.split_once(": ").map_or("", |(_, told)| told);
    let threat = told.split_once("category: ").map_or(threat, |(_, category)| category);
    let (host, far, port) = if is_of_source { (to, from, from_port) } else { (from, to, to_port) };
    let mut pairs = vec![("src_ip", host), ("dst_ip", far), ("threat", threat)];
    let is_name = is_destination(name) && !name.contains('/') && name.contains(char::is_alphabetic);
    pairs.extend(is_name.then_some(("dst_domain", name)));
    pairs.extend((!is_of_source).then_some(("dst_port", port)));
    Some(pairs)
}

/// MikroTik's firewall, whose rule says by its prefix what for.
fn mikrotik(line: &str) -> Option<LogPairs<'_>> {
    let (before, told) = line.split_once(" in:")?;
    let (_, ends) = told.split_once(", proto ")?;
    let (_, ends) = ends.split_once(", ")?;
    let (from, to) = ends.split([',', ' ']).next()?.split_once("->")?;
    let chain =
        [" forward:", " output:", " input:"].iter().find(|chain| before.ends_with(**chain))?;
    let (from, to) = (address_of(from)?, address_of(to)?);
    if is_public(from.0) || !is_public(to.0) {
        return Some(other(line));
    }
    let prefix = before.strip_suffix(*chain).unwrap_or(before);
    let prefix = prefix.split_once("firewall,info ").map_or("", |(_, prefix)| prefix.trim());
    // A rule may log what it lets through.
    let passes = ["accept", "allow", "pass", "permit", "nat", "fasttrack"];
    let lower = prefix.to_ascii_lowercase();
    if lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| passes.contains(&word)) {
        return Some(other(line));
    }
    let mut pairs = vec![("src_ip", from.0), ("dst_ip", to.0), ("dst_port", to.1)];
    pairs.extend((!prefix.is_empty()).then_some(("threat", prefix)));
    // Before version 7.10 its month comes first, and of today it says the clock alone.
    let stamp = before.split_once(" firewall,").map(|(stamp, _)| stamp);
    let has_month =
        |stamp: &&str| stamp.starts_with(|c: char| c.is_ascii_alphabetic()) && stamp.contains('/');
    let is_clock = |stamp: &&str| !stamp.trim().contains(' ') && stamp.contains(':');
    pairs.extend(
        stamp.filter(|stamp| has_month(stamp) || is_clock(stamp)).map(|stamp| ("timestamp", stamp)),
    );
    Some(pairs)
}

/// An address and the port behind it.
fn address_of(end: &str) -> Option<(&str, &str)> {
    let (address, port) = end.rsplit_once(':')?;
    let address = address.trim_matches(['[', ']']);
    address.parse::<IpAddr>().ok().map(|_| (address, port))
}

/// WatchGuard's, as its traffic monitor shows it: what was done, the ends, what was spoken, their ports, two interfaces, and why.
fn watchguard(line: &str) -> Option<LogPairs<'_>> {
    let (action, told) = ["Deny", "Allow"].iter().find_map(|action| {
        let (_, told) = line.split_once(&format!(" {action} "))?;
        Some((*action, told))
    })?;
    let words: Vec<&str> = told.split_whitespace().take(7).collect();
    let [from, to, spoken, from_port, to_port, ..] = words.as_slice() else { return None };
    let is_port = |word: &str| word.parse::<u16>().is_ok();
    let are_ends = from.parse::<IpAddr>().is_ok() && to.parse::<IpAddr>().is_ok();
    if !are_ends || !spoken.contains('/') || !is_port(from_port) || !is_port(to_port) {
        return None;
    }
    if action != "Deny" || is_public(from) || !is_public(to) {
        return Some(other(line));
    }
    let why =
        told.split_once("Proxy").map(|(before, _)| told.get(before.len()..).unwrap_or_default());
    let why = why.or_else(|| told.find("blocked").and_then(|at| told.get(at..)));
    let why = why.and_then(|why| why.split(" (").next()).unwrap_or("Deny");
    let mut pairs = vec![
        ("src_ip", *from),
        ("dst_ip", *to),
        ("src_port", *from_port),
        ("dst_port", *to_port),
        ("threat", why),
    ];
    for (key, mark) in
        [("qname", "question=\""), ("dst_domain", "sni=\""), ("dst_domain", "dstname=\"")]
    {
        let value = told.split_once(mark).and_then(|(_, value)| value.split('"').next());
        pairs.extend(value.map(|value| (key, value)));
    }
    Some(pairs)
}
