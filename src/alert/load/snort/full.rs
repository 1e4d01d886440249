//! Snort's alerts of several lines, `alert_full`, as it writes them where nobody says otherwise.
//!
//! ```text
//! [**] [1:2024897:1] ET MALWARE C2 Domain (evil .com) [**]
//! [Classification: A Network Trojan was detected] [Priority: 1]
//! 03/02-10:17:42.123456 192.168.2.194:53211 -> 192.55.83.30:53
//! UDP TTL:64 TOS:0x0 ID:4711 IpLen:20 DgmLen:60
//! ```
//!
//! With `-e` the ends stand in a line of their own, below that of the time and the two link-layer addresses.

use crate::alert::load::TOP_LINES;
use crate::alert::load::snort::fast::{Endpoint, RuleAlert, around_rule};
use crate::alert::load::text::numbered_lines;

/// What begins an alert.
const MARK: &str = "[**]";
/// So many lines below its first one its ends stand at most.
const LINES_MAX: usize = 5;
/// A time and two ends, or two link-layer addresses, have no more characters.
const LINE_LEN_MAX: usize = 200;

/// Whether a text has such alerts.
pub(crate) fn is_text(text: &str) -> bool {
    let mut lines = numbered_lines(text).take(TOP_LINES).peekable();
    while let Some((_, line)) = lines.next() {
        if read(line, &mut lines).is_some() {
            return true;
        }
    }
    false
}

/// The alert that begins with a line; those of its lines below that tell nothing are passed over, too.
pub(crate) fn read<'t>(
    first: &'t str,
    below: &mut std::iter::Peekable<impl Iterator<Item = (u32, &'t str)> + Clone>,
) -> Option<RuleAlert<'t>> {
    let message = message(first)?;
    let mut ahead = below.clone();
    let mut stamp = None;
    let mut ends = None;
    for _ in 0..LINES_MAX {
        let (_, line) = ahead.next_if(|(_, line)| !begins(line))?;
        if line.len() > LINE_LEN_MAX || line.trim_start().starts_with('[') {
            continue;
        }
        let (before, to) = line.split_once(" -> ")?;
        let from = before.split_whitespace().next_back()?;
        if before.contains(char::is_whitespace) && stamp.is_none() {
            stamp = before.split_whitespace().next();
        }
        let to_end = to.split_whitespace().next()?;
        // The protocol stands behind the ends, or in the next line.
        let is_of = |text: &str| {
            ["UDP", "TCP"].into_iter().find(|known| text.trim_start().starts_with(known))
        };
        let behind = to.trim_start().get(to_end.len()..).unwrap_or_default();
        let protocol = is_of(behind).or_else(|| is_of(ahead.peek()?.1)).unwrap_or_default();
        ends = Endpoint::of(from, protocol).zip(Endpoint::of(to_end, protocol));
        if ends.is_some() {
            break;
        }
    }
    let (from, to) = ends?;
    // What is left of it says how long the packet was, and where to read more of the rule.
    while ahead.next_if(|(_, line)| is_remainder(line)).is_some() {}
    *below = ahead;
    Some(RuleAlert { stamp: stamp?, message, from, to, is_joined: false })
}

/// Whether a line is the first of an alert.
fn begins(line: &str) -> bool {
    line.trim_start().starts_with(MARK)
}

fn message(line: &str) -> Option<&str> {
    let inside = line.trim().strip_prefix(MARK)?;
    let (_, message) = around_rule(inside)?;
    let message = message.split(MARK).next().unwrap_or(message);
    Some(message.trim().trim_matches('"'))
}

fn is_remainder(line: &str) -> bool {
    let starts = ["UDP ", "TCP ", "ICMP", "Len: ", "***", "[Xref", "Seq: ", "Type:", "IPV6"];
    let line = line.trim_start();
    let is_flags = line.contains(" Seq: ") || line.contains(" TTL:");
    starts.iter().any(|start| line.starts_with(start)) || is_flags
}

#[cfg(test)]
mod tests {
    use crate::alert::Zones;
    use crate::alert::load::{AlertFormat, Alerts};
    use crate::time::Timestamp;

    fn read(text: &str) -> Alerts {
        let captured = Timestamp::from_rfc3339("2026-03-02T08:00:00Z");
        let zones = Zones { captured, ..Zones::default() };
        let alerts = Alerts::read("alert", text, None, &zones).unwrap();
        assert_eq!(alerts.format, AlertFormat::FastLog);
        alerts
    }

    const ONE: &str = "[**] [1:2024897:1] ET MALWARE C2 Domain (mi .kenal-cn .com) [**]\n\
        [Classification: A Network Trojan was detected] [Priority: 1] \n\
        03/02-09:17:42.123456 192.168.2.194:53211 -> 192.55.83.30:53\n\
        UDP TTL:64 TOS:0x0 ID:4711 IpLen:20 DgmLen:60\nLen: 32\n\
        [Xref => http://blog.example.com/c2][Xref => url,www.example.org]\n\n";

    #[test]
    fn an_alert_of_several_lines_is_one_alert() {
        let mac = ONE.replace(
            "192.168.2.194:53211 -> 192.55.83.30:53\nUDP",
            "00:0C:29:3C:00:1C -> 00:50:56:3C:00:1D type:0x800 len:0x4A\n192.168.2.194:53211 -> 192.55.83.30:53 UDP",
        );
        let tcp = "[**] [1:1:1] \"C2\" [**]\n[Priority: 0] \n03/02/26-10:05:20.5 192.168.2.194:50112 -> 203.0.113.7:443\n\
                   TCP TTL:64 TOS:0x0 ID:1 IpLen:20 DgmLen:60 DF\n******S* Seq: 0x1  Ack: 0x0  Win: 0xFFFF  TcpLen: 40\n\n";
        let alerts = read(&format!("{ONE}{mac}{tcp}"));
        let found: Vec<_> = alerts
            .alerts
            .iter()
            .map(|alert| (alert.line, alert.host.as_deref().unwrap(), alert.destination.as_str()))
            .collect();
        let expected = [
            (1, "192.168.2.194", "mi.kenal-cn.com"),
            (8, "192.168.2.194", "mi.kenal-cn.com"),
            (15, "192.168.2.194", "203.0.113.7"),
        ];
        assert_eq!(found, expected, "{:?}", alerts.notices);
        let times: Vec<_> =
            alerts.alerts.iter().map(|a| a.time.unwrap().to_string()[..19].to_owned()).collect();
        assert_eq!(times, ["2026-03-02T09:17:42", "2026-03-02T09:17:42", "2026-03-02T10:05:20"]);
        assert!(alerts.notices.iter().all(|notice| notice.line.is_none()), "{:?}", alerts.notices);
    }

    #[test]
    fn one_that_is_cut_is_said_and_takes_nothing_of_the_next() {
        let cut = "[**] [1:1:1] C2 [**]\n[Priority: 1]\n";
        let alerts = read(&format!("{cut}{ONE}{cut}"));
        assert_eq!(alerts.alerts.len(), 1);
        let named: Vec<_> = alerts.notices.iter().filter_map(|notice| notice.line).collect();
        assert_eq!(named, [1, 2, 10, 11], "{:?}", alerts.notices);
    }
}
