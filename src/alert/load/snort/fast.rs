//! Alerts of Suricata and Snort, a line each: `fast.log`, `alert_fast`, and what Snort sends to syslog.
//!
//! ```text
//! 03/02/2026-10:17:42.123456  [**] [1:2024897:1] ET MALWARE C2 Domain (evil .com) [**] [Priority: 1] {UDP} 192.168.2.194:53211 -> 192.55.83.30:53
//! 03/02-10:17:42.123456  [**] ...           Snort, which leaves the year out
//! 03/02/26-10:17:42.123456  [**] ...        Snort 2 with -y
//! 26/03/02-10:17:42.123456  [**] ...        Snort 3 with -y
//! ```
//!
//! What Snort writes in several lines is read by `full`.

use std::net::IpAddr;

use crate::alert::load::collector::{AlertCollector, JOINED_ROWS};
use crate::alert::load::row::AlertRow;
use crate::alert::load::row::threat_text::name_in;
use crate::alert::load::snort::full;
use crate::alert::load::text::numbered_lines;
use crate::flow::Address;

/// No month is beyond: a greater number before the first slash is a year.
const MONTHS: u8 = 12;

/// How many brackets of a line are looked at for a rule's id, and how long one is at most: lest a line of brackets is
/// looked through for each of them.
const BRACKETS_MAX: usize = 16;
const ID_LEN_MAX: usize = 40;

/// Whether a line is such an alert.
pub(crate) fn is_line(line: &str) -> bool {
    RuleAlert::of(line).is_some()
}

/// Reads all lines.
pub(crate) fn read(text: &str, collector: &mut AlertCollector<'_>) {
    let mut lines = numbered_lines(text).peekable();
    while let Some((number, line)) = lines.next() {
        let Some(event) = RuleAlert::of(line).or_else(|| full::read(line, &mut lines)) else {
            collector.skip(
                number,
                line,
                "it is not an alert; expected time, [rule's id], message, {protocol}, source -> destination; or \
                 [**] [rule's id] message [**], and on the next line time, source -> destination",
            );
            continue;
        };
        if event.is_joined {
            collector.skip(number, line, JOINED_ROWS);
            continue;
        }
        let time = collector.times.read(Some(&with_year(event.stamp)), number);
        // By what it was sent, which is no matter once it is known who asked.
        let name = name_in(event.message, event.is_about_dns());
        let [from, to] = event.ends_by_who_asked();
        let row = AlertRow {
            time,
            host: Some(from.address),
            host_port: from.port,
            name: name.as_deref(),
            address: Some(to.address),
            address_port: to.port,
            threat: Some(event.message),
            ..AlertRow::default()
        };
        collector.add(number, line, row);
    }
}

/// An alert, taken apart.
pub(crate) struct RuleAlert<'a> {
    pub stamp: &'a str,
    pub message: &'a str,
    pub from: Endpoint<'a>,
    pub to: Endpoint<'a>,
    /// Whether another one stands behind it.
    pub is_joined: bool,
}

/// Who sent the packet, or got it.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    address: &'a str,
    port: Option<&'a str>,
}

impl<'a> RuleAlert<'a> {
    fn of(line: &'a str) -> Option<RuleAlert<'a>> {
        let (before, after) = around_rule(line)?;
        let (told, ends) = after.split_once('{')?;
        let (protocol, ends) = ends.split_once('}')?;
        let (from, to) = ends.split_once(" -> ")?;
        let end = |text: &'a str| Endpoint::of(text.split_whitespace().next()?, protocol);
        let marks = [" [**]", " [Classification:", " [Priority:", " <"];
        let message_end = marks.iter().filter_map(|mark| told.find(mark)).min();
        let message = told.get(..message_end.unwrap_or(told.len()))?;
        Some(RuleAlert {
            stamp: stamp(before),
            message: message.trim().trim_matches('"'),
            from: end(from)?,
            to: end(to)?,
            is_joined: to.contains(" -> "),
        })
    }

    fn is_about_dns(&self) -> bool {
        [self.from, self.to].iter().any(|end| end.port == Some("53"))
    }

    /// The end inside first: of an alert on an answer it is the one that got the packet.
    fn ends_by_who_asked(&self) -> [Endpoint<'a>; 2] {
        match (self.from.is_internal(), self.to.is_internal()) {
            // Which it is has been said; by its ports it would be turned once more.
            (false, true) => [self.to, self.from]
                .map(|Endpoint { address, .. }| Endpoint { address, port: None }),
            _ => [self.from, self.to],
        }
    }
}

impl<'a> Endpoint<'a> {
    /// `192.0.2.1:53`, `2001:db8::1:53`, `[2001:db8::1]:53`; what has no ports, such as ICMP, has none behind.
    pub(crate) fn of(text: &'a str, protocol: &str) -> Option<Endpoint<'a>> {
        let has_port = ["UDP", "TCP"].iter().any(|known| protocol.eq_ignore_ascii_case(known));
        let is_whole = !has_port && text.parse::<IpAddr>().is_ok();
        let (address, port) = match text.rsplit_once(':').filter(|_| !is_whole) {
            Some((address, port)) => (address, Some(port)),
            None => (text, None),
        };
        let address = address.trim_matches(['[', ']']);
        address.parse::<IpAddr>().ok().map(|_| Endpoint { address, port })
    }

    fn is_internal(self) -> bool {
        self.address.parse::<IpAddr>().is_ok_and(|ip| Address::from(ip).is_internal())
    }
}

/// What stands before and behind a rule's id: `[1:2024897:1]`.
pub(crate) fn around_rule(line: &str) -> Option<(&str, &str)> {
    line.match_indices('[').take(BRACKETS_MAX).find_map(|(at, _)| {
        let rest = line.get(at + 1..)?;
        let end = rest.bytes().take(ID_LEN_MAX + 1).position(|octet| octet == b']')?;
        let (id, after) = (rest.get(..end)?, rest.get(end + 1..)?);
        let mut parts = id.split(':');
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|o| o.is_ascii_digit());
        let is_rule = parts.by_ref().take(3).filter(|part| is_number(part)).count() == 3;
        (is_rule && parts.next().is_none()).then_some((line.get(..at)?, after))
    })
}

/// The time at the beginning of a line: a word, or three of syslog's, `Mar  2 09:17:42`.
fn stamp(before: &str) -> &str {
    let before = before.trim_start();
    let words = if before.starts_with(|c: char| c.is_ascii_alphabetic()) { 3 } else { 1 };
    let mut rest = before;
    for _ in 0..words {
        rest = rest.trim_start().trim_start_matches(|c: char| !c.is_whitespace());
    }
    before.get(..before.len() - rest.len()).unwrap_or(before)
}

/// A time with its year first, if it has one: these programs write the month before the day, always.
fn with_year(stamp: &str) -> String {
    let Some((day, clock)) = stamp.split_once('-') else { return stamp.to_owned() };
    match *day.split('/').collect::<Vec<_>>() {
        [month, day, year] if year.len() == 4 => format!("{year}-{month}-{day} {clock}"),
        [year, month, day] if year.parse().is_ok_and(|year: u8| year > MONTHS) => {
            format!("20{year}-{month}-{day} {clock}")
        }
        [month, day, year] if year.len() == 2 => format!("20{year}-{month}-{day} {clock}"),
        _ => stamp.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::load::{AlertFormat, Alerts};
    use crate::alert::{Alert, Zones};

    const REST: &str = "[Classification: A Network Trojan was detected] [Priority: 1]";

    fn read(line: &str) -> (Alert, Vec<String>) {
        let alerts = Alerts::read("fast.log", line, None, &Zones::default()).unwrap();
        assert_eq!(alerts.format, AlertFormat::FastLog, "{line}");
        let said = alerts.notices.iter().map(ToString::to_string).collect();
        (alerts.alerts[0].clone(), said)
    }

    #[test]
    fn the_inside_is_blamed_for_the_outside_in_both_directions() {
        let dc = "192.168.2.194";
        for (ends, host, destination) in [
            ("{UDP} 192.168.2.194:53211 -> 192.55.83.30:53", dc, "192.55.83.30"),
            ("{UDP} 192.55.83.30:53 -> 192.168.2.194:53211", dc, "192.55.83.30"),
            ("{TCP} 203.0.113.7:443 -> 192.168.2.194:50112", dc, "203.0.113.7"),
            ("{UDP} 192.168.2.194:53 -> 192.168.2.42:50112", "192.168.2.42", dc),
            ("{UDP} fd00::10:53211 -> 2001:db8::7:53", "fd00::10", "2001:db8::7"),
            ("{UDP} [fd00::10]:53211 -> [2001:db8::7]:53", "fd00::10", "2001:db8::7"),
            ("{IPV6-ICMP} fd00::10 -> 2001:db8::7", "fd00::10", "2001:db8::7"),
            ("{ICMP} 192.168.2.194:8 -> 203.0.113.7:0", dc, "203.0.113.7"),
        ] {
            let line = format!("03/02/2026-09:17:42.5  [**] [1:1:1] ET C2 [**] {REST} {ends}");
            let (alert, _) = read(&line);
            assert_eq!(
                (alert.host.as_deref(), alert.destination.as_str()),
                (Some(host), destination)
            );
            assert_eq!(alert.threat.as_deref(), Some("ET C2"), "{ends}");
        }
    }

    #[test]
    fn the_year_stands_where_each_program_puts_it_or_is_missed() {
        let line = |stamp: &str| {
            format!(
                "{stamp} [**] [1:1:1] \"C2\" [**] [Priority: 1] {{UDP}} 10.0.0.5:5 -> 192.0.2.1:53"
            )
        };
        for stamp in [
            "03/02/2026-09:17:42.000000 ",
            "03/02/26-09:17:42.000000 ",
            "26/03/02-09:17:42.000000 ",
            "03/02/2026-09:17:42.000000  [Drop]",
            "2026-03-02T09:17:42Z fw snort[4711]:",
        ] {
            let (alert, _) = read(&line(stamp));
            let time = alert.time.map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some("2026-03-02T09:17:42.000000000Z"), "{stamp}");
            assert_eq!(alert.threat.as_deref(), Some("C2"));
        }
        for stamp in ["03/02-09:17:42.123456 ", "Mar  2 09:17:42 fw snort[4711]:"] {
            let (alert, said) = read(&line(stamp));
            assert!(alert.time.is_none() && alert.is_time_unread, "{stamp}");
            assert!(said.iter().any(|words| words.contains("had no year")), "{said:?}");
        }
    }

    #[test]
    fn a_product_with_a_dot_is_no_destination() {
        let line = |message: &str, port: u16| {
            format!(
                "03/02/2026-10:01:36.5  [**] [1:1:1] {message} [**] {REST} {{TCP}} 192.168.2.194:5123 -> \
                 203.0.113.66:{port}"
            )
        };
        for (message, port, destination) in [
            ("ET INFO Download (Microsoft .NET)", 443, "203.0.113.66"),
            ("ET INFO Download (asp .net)", 443, "203.0.113.66"),
            ("ET C2 (mi .kenal-cn .com)", 443, "203.0.113.66"),
            ("ET C2 (mi .kenal-cn .com)", 53, "mi.kenal-cn.com"),
            ("ET DNS Query for mi.kenal-cn.com", 53, "mi.kenal-cn.com"),
            ("ET MALWARE Download from mi.kenal-cn.com", 443, "203.0.113.66"),
        ] {
            assert_eq!(read(&line(message, port)).0.destination, destination, "{message} {port}");
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
    fn a_line_of_brackets_is_not_looked_through_for_each_of_them() {
        let long = "[".repeat(1 << 20);
        let start = std::time::Instant::now();
        assert!(!is_line(&long));
        assert!(start.elapsed().as_secs() < 1, "{:?}", start.elapsed());
    }

    #[test]
    fn two_alerts_in_a_line_are_refused() {
        let line = format!(
            "03/02/2026-10:01:36.5 [**] [1:1:1] C2 [**] {REST} {{TCP}} 10.0.0.5:5 -> 192.0.2.1:53"
        );
        let error = Alerts::read("a", &format!("{line} {line}"), None, &Zones::default());
        assert!(error.unwrap_err().to_string().contains("each row on its own line"));
    }

    #[test]
    fn what_is_no_such_line_is_named() {
        for line in [
            "",
            "[1:2:3]",
            "[1:2] a {UDP} 10.0.0.5:5 -> 192.0.2.1:53",
            "[1:2:3:4] a {UDP} 10.0.0.5:5 -> 192.0.2.1:53",
            "[1:2:3] a {UDP} dc1:5 -> 192.0.2.1:53",
            "[1:2:3] a {UDP} 10.0.0.5:5",
        ] {
            assert!(!is_line(line), "{line}");
        }
    }
}
