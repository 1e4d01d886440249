//! What speaks for a compromised client.

use super::beacon::{Beat, beat};
use super::dealings::{Dealings, IndicatorTally, Way};
use super::hours::Odd;
use super::names::{is_at_or_below, looks_random};
use super::words::{deviation, few, period, times};
use super::{Hint, HintContext, Leaning};
use crate::contact::Connection;
use crate::flow::Address;
use crate::indicator::Indicator;
use crate::time::{Timestamp, Zone};

/// So many names below one domain are many.
const NAMES_MIN: usize = 12;
/// To be the only one, a client must be one of so many.
const CLIENTS_MIN: u64 = 5;

fn serious(code: &'static str, words: String) -> Hint {
    Hint { code, leaning: Leaning::Serious, words }
}

/// What speaks against one client. Who only asked for something else that led there is not accused.
pub(super) fn of_client(
    client: Address,
    indicator: Indicator<'_>,
    (dealings, connected): (&Dealings, Option<&Connection>),
    context: &HintContext<'_>,
) -> Vec<Hint> {
    if !dealings.is_meant() {
        return Vec::new();
    }
    let mut hints = Vec::new();
    let direct = dealings.by(Way::Direct);
    if direct > 0 {
        let words = match super::listed_name(indicator) {
            Some(listed) => {
                format!("{client} asked for {}, {}", by_name(listed, dealings), times(direct))
            }
            None => {
                format!(
                    "{client} sent DNS queries directly to {}, {}",
                    indicator.value,
                    times(direct)
                )
            }
        };
        hints.push(serious("asked-directly", words));
    }
    if let Some(beat) = beat(&dealings.moments) {
        hints.push(serious("beaconing", beaconing(client, &beat, context.zone)));
    }
    if let Some(connection) = connected {
        let name = connection.server_name.as_ref();
        let named = name.map_or(String::new(), |name| format!(" (TLS server name {name})"));
        let answered = if connection.answered { "and was answered" } else { "without an answer" };
        let words = format!(
            "{client} then connected to {}, {} port {}{named}, {answered}",
            connection.address,
            connection.transport.as_str().to_ascii_uppercase(),
            connection.port,
        );
        hints.push(serious("connected", words));
    }
    if let Some(odd) = context.hours.odd(client, dealings) {
        hints.push(serious("odd-hours", odd_hours(client, &odd, dealings, context.zone)));
    }
    hints.extend(random_names(client, indicator, dealings));
    hints
}

/// What it asked for that is what is listed, or below it: `evil.com by its own name`, `www.evil.com, a name below evil.com`.
fn by_name(listed: &str, dealings: &Dealings) -> String {
    let all = dealings.names.iter().map(AsRef::as_ref);
    let names: Vec<&str> = all.clone().filter(|name| is_at_or_below(name, listed)).collect();
    let more = dealings.more_names;
    match names.as_slice() {
        // Others may have taken the room of those that are meant.
        [] => few(all, more),
        [name] if !more && name.eq_ignore_ascii_case(listed) => format!("{name} by its own name"),
        [name] if !more => format!("{name}, a name below {listed}"),
        names => format!("{}, names at or below {listed}", few(names, more)),
    }
}

fn beaconing(client: Address, beat: &Beat, zone: &Zone) -> String {
    // As many as there would have been without a pause.
    let due = (beat.last - beat.first).0 / beat.period.0.max(1) + 1;
    let pauses = if due as usize > beat.count * 2 { ", with pauses" } else { "" };
    format!(
        "{client} asked at regular intervals, every {} (give or take {}), {} times from {} {}{pauses}: typical of \
         a program, not of a person",
        period(beat.period),
        deviation(beat.jitter),
        beat.count,
        from_to(beat.first, beat.last, zone),
        zone.name_at(beat.first),
    )
}

/// `2019-11-29 08:25:01 to 10:25:01`, with the second date if it is another.
fn from_to(first: Timestamp, last: Timestamp, zone: &Zone) -> String {
    let (Some(from), Some(to)) = (zone.civil(first), zone.civil(last)) else {
        return format!("{first} to {last}");
    };
    let date = if from.date == to.date { String::new() } else { to.date + " " };
    format!("{} {} to {date}{}", from.date, from.clock, to.clock)
}

fn odd_hours(client: Address, odd: &Odd, dealings: &Dealings, zone: &Zone) -> String {
    let ranges = odd.quiet.iter().map(|(from, until)| format!("{from:02}:00 to {until:02}:00"));
    let first = dealings.moments.first().copied().unwrap_or_default();
    format!(
        "{client} asked {} of {} times at hours when hardly anybody here asks anything ({}, {}); of its {} other \
         questions, {} were at those hours",
        odd.odd,
        odd.all,
        few(ranges, false),
        zone.name_at(first),
        odd.own,
        odd.own_quiet,
    )
}

/// Many names below one domain, made up by a program: data can be carried so, and many programs that
/// report to a master make up their names.
fn random_names(client: Address, indicator: Indicator<'_>, dealings: &Dealings) -> Option<Hint> {
    let random: Vec<&str> =
        dealings.names.iter().map(AsRef::as_ref).filter(|name| looks_random(name)).collect();
    let are_most = random.len() * 4 >= dealings.names.len() * 3;
    if dealings.by(Way::Direct) == 0 || random.len() < NAMES_MIN || !are_most {
        return None;
    }
    let words = format!(
        "{client} asked for {} or more names below {} that look generated by a program ({}): data can be smuggled \
         out that way",
        random.len(),
        indicator.value,
        few(random.iter().take(2), true),
    );
    Some(serious("random-names", words))
}

/// What speaks against whoever is behind an indicator.
pub(super) fn of_indicator(gathered: &IndicatorTally, context: &HintContext<'_>) -> Option<Hint> {
    let mut clients = gathered.clients.iter();
    let (client, dealings) = clients.next()?;
    let is_told = gathered.verdicts.undetermined == 0;
    let is_only = clients.next().is_none() && !gathered.more_clients && is_told;
    if !is_only || !dealings.is_meant() || context.clients < CLIENTS_MIN {
        return None;
    }
    let words = format!("of the {} clients in this capture, only {client} asked", context.clients);
    Some(serious("one-client", words))
}
