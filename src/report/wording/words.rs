//! Numbers, times and grades as a person would say them.

use std::collections::BTreeSet;

use crate::alert::Suspect;
use crate::attribution::{Coverage, Step};
use crate::contact::{Connection, Contact};
pub(crate) use crate::number::{count, few, list, number, times};
use crate::resolution::{Leg, Role};
use crate::time::{Span, Timestamp, Zone};

/// How many clients, and how many machines they are where some have several addresses.
pub(crate) fn clients_are(clients: usize, machines: Option<usize>) -> String {
    let Some(machines) = machines else {
        return count(clients as u64, "client is", "clients are");
    };
    let clients = count(clients as u64, "client", "clients");
    format!("{clients} on {} are", count(machines as u64, "machine", "machines"))
}

/// Numbers in order, those that follow each other as one: the first and the last of each.
pub(crate) fn runs(numbers: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// How certain something is; the most certain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    Certain,
    VeryLikely,
    Likely,
    RatherThanNot,
    Possible,
}

impl Grade {
    /// Of a confidence in thousandths.
    pub fn of(permille: u16) -> Grade {
        match permille {
            990.. => Grade::Certain,
            950..990 => Grade::VeryLikely,
            800..950 => Grade::Likely,
            500..800 => Grade::RatherThanNot,
            _ => Grade::Possible,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Grade::Certain => "certain",
            Grade::VeryLikely => "very likely",
            Grade::Likely => "likely",
            Grade::RatherThanNot => "more likely than not",
            Grade::Possible => "possible",
        }
    }
}

/// How certain a confidence is, in thousandths: in words, then in percent.
pub(crate) fn sureness(permille: u16) -> String {
    format!("{} ({})", Grade::of(permille).as_str(), percent(permille))
}

/// How certain it is what a client did that had these parts, in thousandths. Where nothing that a firewall sees was asked for
/// it, or what was asked is not in the capture, it is said what that is: it asked.
pub(crate) fn sure_of(permille: u16, parts: impl IntoIterator<Item = (Role, Leg)>) -> String {
    let sure = sureness(permille);
    let parts: Vec<(Role, Leg)> = parts.into_iter().collect();
    if parts.iter().all(|(role, _)| *role == Role::Cached) {
        format!("{sure} that it asked, not that it raised an alert")
    } else if parts.iter().all(|(_, leg)| *leg == Leg::Client) {
        format!("{sure} that it asked; this capture does not show whether that raised an alert")
    } else {
        sure
    }
}

/// Whether an alert is of a client that is named for it, where that is less sure than that it asked.
pub(crate) fn raised(suspect: &Suspect) -> Option<String> {
    if suspect.role == Role::Cached {
        // The firewall sees what the DNS server asks, and nothing that it answers from its cache.
        return Some("the cache answered, so another question raised the alert".to_owned());
    }
    if Grade::of(suspect.asked_permille) < Grade::of(suspect.confidence_permille) {
        return Some(format!("{} that it raised the alert", sureness(suspect.confidence_permille)));
    }
    (!suspect.is_upstream)
        .then(|| "this capture does not show whether that raised the alert".to_owned())
}

/// A confidence in thousandths, exactly, and in the same form wherever people read it: `99 %`, `99.5 %`.
pub(crate) fn percent(permille: u16) -> String {
    match (permille / 10, permille % 10) {
        (percent, 0) => format!("{percent} %"),
        (percent, tenth) => format!("{percent}.{tenth} %"),
    }
}

/// What came back, for a response's code.
pub(crate) fn outcome(rcode: Option<&str>) -> String {
    match rcode {
        None => "no answer seen".to_owned(),
        Some("NOERROR") => "an answer".to_owned(),
        Some("NXDOMAIN") => "\"no such name\" (NXDOMAIN)".to_owned(),
        Some(other) => format!("an error ({other})"),
    }
}

/// What a step of a chain leads to, of whatever stands before it; none of an alias.
pub(crate) fn step(step: Step) -> Option<&'static str> {
    match step {
        Step::Service => Some("its HTTPS or SVCB target"),
        Step::Ancestor => Some("a zone above it"),
        Step::Nameserver => Some("its name server"),
        Step::Address => Some("its address"),
        Step::Server => Some("the server asked about it"),
        Step::Asked | Step::Alias | Step::LeftOut => None,
    }
}

/// What came back, and how often if not always the same did.
pub(crate) fn outcomes(outcomes: &[(Option<&str>, u64)]) -> String {
    match outcomes {
        [(rcode, _)] => outcome(*rcode),
        _ => {
            let said = outcomes.iter();
            let said = said.map(|(rcode, count)| format!("{} {}", outcome(*rcode), times(*count)));
            list(&said.collect::<Vec<_>>())
        }
    }
}

/// What a client's question had to do with it. `resolver` is who asked upstream, or was asked; `hops`
/// are the resolvers before it.
pub(crate) fn part(role: Role, leg: Leg, hops: &[String], resolver: &str) -> String {
    let way = match hops {
        [] => String::new(),
        _ => format!(" through {}", list(hops)),
    };
    match (role, leg) {
        (Role::Initiator, Leg::Upstream) => format!("its question made {resolver} ask{way}"),
        (Role::Initiator, Leg::Client) => {
            format!(
                "it asked {resolver}{way}; this capture does not show {resolver} asking others about it"
            )
        }
        (Role::Joiner, _) => {
            format!(
                "its question to {resolver}{way} waited for the same answer as another client's"
            )
        }
        (Role::Cached, _) => format!("it was answered by {resolver}{way} from the cache"),
        (Role::Refresh, _) => {
            format!("it had been answered; its question set off a refresh at {resolver}{way}")
        }
    }
}

/// Times of day, with the date where it is not plain from the start of the page. All in one zone.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    zone: Zone,
    /// The only date of the capture.
    date: Option<String>,
}

impl Times {
    /// For what was seen in a capture.
    pub fn of(coverage: &Coverage, zone: &Zone) -> Times {
        let mut times = Times { zone: zone.clone(), date: None };
        times.date = coverage.span.and_then(|(first, last)| {
            let date = times.date_and_time(first).0;
            (date == times.date_and_time(last).0).then_some(date)
        });
        times
    }

    /// The date, if the capture has only one, so that times are said without it.
    pub fn only_date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    fn date_and_time(&self, time: Timestamp) -> (String, String) {
        match self.zone.civil(time) {
            Some(civil) => (civil.date, civil.clock),
            None => (String::new(), time.to_string()),
        }
    }

    /// `2019-11-29`.
    pub fn date_of(&self, time: Timestamp) -> String {
        self.date_and_time(time).0
    }

    /// `08:25:01`, or `2019-11-29 08:25:01` if the capture runs over several days.
    pub fn at(&self, time: Timestamp) -> String {
        let (date, clock) = self.date_and_time(time);
        if self.date.as_ref() == Some(&date) { clock } else { format!("{date} {clock}") }
    }

    /// Two times that are said together: with their dates, if these are two.
    pub fn both(&self, first: Timestamp, last: Timestamp) -> [String; 2] {
        let [from, to] = [first, last].map(|time| self.date_and_time(time));
        match from.0 == to.0 {
            true => [first, last].map(|time| self.at(time)),
            false => [from, to].map(|(date, clock)| format!("{date} {clock}")),
        }
    }

    /// How many of what and when: `1 question at 08:25:01`, `3 questions from 08:25:01 to 09:00:00`.
    pub fn often(&self, what: &str, first: Timestamp, last: Timestamp) -> String {
        let (from, to) = (self.at(first), self.at(last));
        if from == to { format!("{what} at {from}") } else { format!("{what} from {from} to {to}") }
    }

    /// The zone at a time: `UTC`, `Europe/Berlin (UTC+1)`.
    pub fn zone_at(&self, time: Timestamp) -> String {
        self.zone.name_at(time)
    }

    /// How far the zone is from UTC at a time: `UTC+1`.
    pub fn distance_at(&self, time: Timestamp) -> String {
        self.zone.distance_at(time)
    }

    /// As [`Times::at`], with how far the zone is from UTC: `08:25:01 UTC+1`.
    pub fn with_zone(&self, time: Timestamp) -> String {
        format!("{} {}", self.at(time), self.zone.distance_at(time))
    }

    /// As [`Times::often`], with how far the zone is from UTC.
    pub fn often_with_zone(&self, what: &str, first: Timestamp, last: Timestamp) -> String {
        format!("{} {}", self.often(what, first, last), self.zone.distance_at(last))
    }

    /// `2019-11-29, 08:00:00 to 17:00:00 UTC`, `... Europe/Berlin (UTC+1)`.
    pub fn span(&self, first: Timestamp, last: Timestamp) -> String {
        let (from, to) = (self.at(first), self.at(last));
        let zone = self.zone_at(first);
        match &self.date {
            Some(date) => format!("{date}, {from} to {to} {zone}"),
            None => format!("{from} to {to} {zone}"),
        }
    }
}

/// Whether a client then connected; nothing where the capture does not show it.
pub(crate) fn contact(contact: &Contact, times: &Times) -> Option<String> {
    match contact {
        Contact::NotVisible => None,
        Contact::No => Some(
            "it did not connect to an address it was given, as far as the capture shows".to_owned(),
        ),
        Contact::Yes(connection) => Some(connected(connection, times)),
        Contact::Elsewhere(connection) => Some(format!(
            "{}; that is another site at the same address",
            connected(connection, times)
        )),
    }
}

/// A connection in words.
pub(crate) fn connected(connection: &Connection, times: &Times) -> String {
    let name = connection.server_name.as_ref();
    let named = name.map_or(String::new(), |name| format!(" as {name} (TLS)"));
    let answered = if connection.answered { "was answered" } else { "got no answer" };
    format!(
        "it connected to {}, {} port {}{named}, at {}, and {answered}",
        connection.address,
        connection.transport.as_str().to_ascii_uppercase(),
        connection.port,
        times.at(connection.time),
    )
}

/// How long something lasted, to the second: `12 s`, `5 min`, `9 h 05 min`, `3 days 4 h`.
pub(crate) fn duration(span: Span) -> String {
    let seconds = span.0 / 1_000_000_000;
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => {
            let days = count(seconds.unsigned_abs() / 86_400, "day", "days");
            format!("{days} {} h", seconds / 3600 % 24)
        }
    }
}

/// A latency given in microseconds.
pub(crate) fn latency(micros: u64) -> String {
    Span::from_micros(i64::try_from(micros).unwrap_or(i64::MAX / 1_000)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UTC;

    #[test]
    fn few_and_many_are_listed() {
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list::<String>(&[]), "");
    }

    #[test]
    fn confidence_in_words_never_says_more_than_the_figure() {
        assert_eq!(sureness(1000), "certain (100 %)");
        assert_eq!(sureness(999), "certain (99.9 %)");
        assert_eq!(sureness(989), "very likely (98.9 %)");
        assert_eq!(sureness(949), "likely (94.9 %)");
        assert_eq!(sureness(500), "more likely than not (50 %)");
        assert_eq!(sureness(120), "possible (12 %)");
    }

    #[test]
    fn of_what_the_cache_answered_it_is_said_what_is_certain() {
        let (cached, asked) = ((Role::Cached, Leg::Client), (Role::Initiator, Leg::Client));
        let seen = (Role::Initiator, Leg::Upstream);
        assert_eq!(sure_of(995, [cached, seen]), "certain (99.5 %)");
        assert!(sure_of(999, [cached]).starts_with("certain (99.9 %) that it asked, not "));
        assert!(
            sure_of(999, [cached, asked])
                .starts_with("certain (99.9 %) that it asked; this capture")
        );
    }

    #[test]
    fn durations_are_short() {
        let said = |seconds| duration(Span::from_secs(seconds));
        assert_eq!(said(12), "12 s");
        assert_eq!(said(300), "5 min");
        assert_eq!(said(9 * 3600 + 300), "9 h 05 min");
        assert_eq!(said(3 * 86_400 + 4 * 3600), "3 days 4 h");
    }

    #[test]
    fn the_date_is_said_where_it_is_needed_and_odd_times_are_shown_whole() {
        let one_day = Times { zone: UTC.clone(), date: Some("2019-11-29".to_owned()) };
        let time = Timestamp(1_575_015_901_123_456_789);
        assert_eq!(one_day.at(time), "08:25:01");
        assert_eq!(one_day.at(time + Span::from_secs(86_400)), "2019-11-30 08:25:01");
        let several = Times { date: None, ..one_day.clone() };
        assert_eq!(several.at(time), "2019-11-29 08:25:01");
        assert_eq!(one_day.often("1 question", time, time), "1 question at 08:25:01");
        let later = time + Span::from_secs(60);
        let often = one_day.often("2 questions", time, later);
        assert_eq!(often, "2 questions from 08:25:01 to 08:26:01");
        let berlin = Times { zone: Zone::parse("Europe/Berlin").unwrap(), date: None };
        assert_eq!(
            berlin.span(time, later),
            "2019-11-29 09:25:01 to 2019-11-29 09:26:01 Europe/Berlin (UTC+1)"
        );
        assert!(!one_day.at(Timestamp(i64::MAX)).is_empty());
    }
}
