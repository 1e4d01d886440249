//! Which of the firewall's alerts a client is named for: for its ticket.

use super::TextContext;
use super::answers::are_of_several_files;
use crate::alert::{Answer, Suspect};
use crate::flow::Address;
use crate::report::wording::words::{count, number, raised, sureness};

/// How many alerts a ticket lists; the rest is counted.
const ALERTS_MAX: usize = 10;
/// How many notes are said with each.
const NOTES_MAX: usize = 2;

/// The alerts that a client is named for, a line each.
pub(super) fn alerts(context: &TextContext<'_>, client: Address) -> Vec<String> {
    let answers = context.ending.answers;
    let several_files = are_of_several_files(answers);
    let named: Vec<(&Answer, &Suspect)> = answers
        .iter()
        .filter_map(|answer| {
            let named = answer.clients.iter().find(|suspect| suspect.address == client)?;
            Some((answer, named))
        })
        .collect();
    let mut told: Vec<String> = named
        .iter()
        .take(ALERTS_MAX)
        .map(|(answer, suspect)| words(context, answer, suspect, several_files))
        .collect();
    if let Some(more @ 1..) = named.len().checked_sub(ALERTS_MAX) {
        told.push(format!("and {} more", number(more as u64)));
    }
    told
}

/// `Alert 3, line 8, C2/Generic-A, mi.kenal-cn.com, blamed on 192.168.2.194, 5 events: certain (99.5 %)`.
fn words(
    context: &TextContext<'_>,
    answer: &Answer,
    client: &Suspect,
    several_files: bool,
) -> String {
    let alert = &answer.alert;
    let file = if several_files { format!(" of {}", alert.file) } else { String::new() };
    let mut parts = vec![format!("Alert {}{file}, line {}", alert.number, alert.line)];
    parts.extend(alert.threat.clone());
    parts.push(alert.destination.clone());
    parts.extend(alert.host.as_ref().map(|host| format!("blamed on {host}")));
    let time = alert.time.map(|time| match alert.until {
        None => context.times.at(time),
        Some(until) => context.times.both(time, until).join(" to "),
    });
    let time = time.map(|time| format!("{time} by the firewall's clock"));
    parts.extend(time);
    parts.extend(alert.events.map(|events| count(events, "event", "events")));
    // Else two tickets of one alert would look alike.
    let sure = raised(client).unwrap_or_else(|| sureness(client.confidence_permille));
    let notes: String =
        answer.basis.notes.iter().take(NOTES_MAX).map(|note| format!(". Note: {note}")).collect();
    format!("{}: {sure}{notes}", parts.join(", "))
}

/// How sure it is of the least certain of these alerts, in thousandths.
pub(super) fn least(context: &TextContext<'_>, client: Address) -> Option<u16> {
    let named = context.ending.answers.iter().flat_map(|answer| &answer.clients);
    named.filter(|named| named.address == client).map(|named| named.confidence_permille).min()
}
