//! Alerts of Suricata and Snort, a line each: `fast.log`, `alert_fast`, and what Snort sends to syslog.
//!
//! ```text
//! 03/02/2026-10:17:42.123456  [**] [1:2024897:1] ET MALWARE C2 Domain (evil .com) [**] [Priority: 1] {UDP} 192.168.2.194:53211 -> 192.55.83.30:53
//! 03/02-10:17:42.123456  [**] ...           Snort, which leaves the year out
//! 03/02/26-10:17:42.123456  [**] ...        Snort 2 with -y
//! 26/03/02-10:17:42.123456  [**] ...        Snort 3 with -y
//! ```
//!
//! Rules name what they are about in brackets, with blanks before its dots, lest somebody clicks on it.

use std::net::IpAddr;

use super::Rows;
use super::row::{Row, is_destination};
use crate::flow::Address;

/// No month is beyond: a greater number before the first slash is a year.
const MONTHS: u8 = 12;

/// Whether a line is such an alert.
pub(super) fn is_line(line: &str) -> bool {
    Event::of(line).is_some()
}

/// Reads all lines.
pub(super) fn read(text: &str, rows: &mut Rows<'_>) {
    for (number, line) in super::lines(text) {
        let Some(event) = Event::of(line) else {
            rows.skip(
                number,
                line,
                "it is no alert; expected: time, [rule's id], message, {protocol}, source -> destination",
            );
            continue;
        };
        let name = name_in(event.message);
        let time = rows.times.read(Some(&with_year(event.stamp)), number);
        let [from, to] = event.ends_by_who_asked();
        let row = Row {
            time,
            host: Some(from.address),
            host_port: from.port,
            name: name.as_deref(),
            address: Some(to.address),
            address_port: to.port,
            threat: Some(event.message),
            ..Row::default()
        };
        rows.add(number, line, row);
    }
}

/// A line, taken apart.
struct Event<'a> {
    stamp: &'a str,
    message: &'a str,
    from: End<'a>,
    to: End<'a>,
}

/// Who sent the packet, or got it.
#[derive(Clone, Copy)]
struct End<'a> {
    address: &'a str,
    port: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn of(line: &'a str) -> Option<Event<'a>> {
        let (before, after) = around_rule(line)?;
        let (told, ends) = after.split_once('{')?;
        let (protocol, ends) = ends.split_once('}')?;
        let (from, to) = ends.split_once(" -> ")?;
        let end = |text: &'a str| End::of(text.split_whitespace().next()?, protocol);
        let marks = [" [**]", " [Classification:", " [Priority:", " <"];
        let message_end = marks.iter().filter_map(|mark| told.find(mark)).min();
        let message = told.get(..message_end.unwrap_or(told.len()))?;
        Some(Event {
            stamp: stamp(before),
            message: message.trim().trim_matches('"'),
            from: end(from)?,
            to: end(to)?,
        })
    }

    /// The end inside first: of an alert on an answer it is the one that got the packet.
    fn ends_by_who_asked(&self) -> [End<'a>; 2] {
        match (self.from.is_internal(), self.to.is_internal()) {
            // Which it is has been said; by its ports it would be turned once more.
            (false, true) => {
                [self.to, self.from].map(|End { address, .. }| End { address, port: None })
            }
            _ => [self.from, self.to],
        }
    }
}

impl<'a> End<'a> {
    /// `192.0.2.1:53`, `2001:db8::1:53`, `[2001:db8::1]:53`; what has no ports, such as ICMP, has none behind.
    fn of(text: &'a str, protocol: &str) -> Option<End<'a>> {
        let has_port = ["UDP", "TCP"].iter().any(|known| protocol.eq_ignore_ascii_case(known));
        let is_whole = !has_port && text.parse::<IpAddr>().is_ok();
        let (address, port) = match text.rsplit_once(':').filter(|_| !is_whole) {
            Some((address, port)) => (address, Some(port)),
            None => (text, None),
        };
        let address = address.trim_matches(['[', ']']);
        address.parse::<IpAddr>().ok().map(|_| End { address, port })
    }

    fn is_internal(self) -> bool {
        self.address.parse::<IpAddr>().is_ok_and(|ip| Address::from(ip).is_internal())
    }
}

/// What stands before and behind a rule's id: `[1:2024897:1]`.
fn around_rule(line: &str) -> Option<(&str, &str)> {
    line.match_indices('[').find_map(|(at, _)| {
        let (id, after) = line.get(at + 1..)?.split_once(']')?;
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

/// The name that a rule's message is about, as it stands there: `(evil .com)`, `(evil .com in DNS Lookup)`.
fn name_in(message: &str) -> Option<String> {
    let inside = message.split(['(', ')']).skip(1).step_by(2);
    let defanged = inside.filter(|part| part.contains(" .") || part.contains("[.]"));
    defanged.map(|part| part.replace(" .", ".").replace("[.]", ".")).find_map(|part| {
        let first = part.split_whitespace().next()?;
        is_destination(first).then(|| first.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::load::{Alerts, Form};
    use crate::alert::{Alert, Zones};

    const REST: &str = "[Classification: A Network Trojan was detected] [Priority: 1]";

    fn read(line: &str) -> (Alert, Vec<String>) {
        let alerts = Alerts::read("fast.log", line, None, &Zones::default()).unwrap();
        assert_eq!(alerts.form, Form::FastLog, "{line}");
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
            assert!(said.iter().any(|words| words.contains("without a year")), "{said:?}");
        }
    }

    #[test]
    fn a_message_says_what_it_is_about_by_its_blanks() {
        for (message, name) in [
            ("ET MALWARE C2 Domain (mi .kenal-cn .com)", Some("mi.kenal-cn.com")),
            ("ET MALWARE Domain (evil .com in DNS Lookup)", Some("evil.com")),
            ("ET MALWARE Domain (evil[.]com)", Some("evil.com")),
            ("ET EXPLOIT Prototype Pollution (Node.js)", None),
            ("ET MALWARE Agent Checkin (outbound) mi .kenal-cn .com", None),
            ("C2", None),
        ] {
            assert_eq!(name_in(message).as_deref(), name, "{message}");
        }
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
