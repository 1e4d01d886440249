//! What it comes to, in a sentence or two, for somebody who reads nothing else: every form for people begins with it.

use super::alerts::misdirected;
use super::machines::Machines;
use super::timed::Timed;
use super::words::{clients_are, count, few, list, number};
use crate::alert::Answer;
use crate::attribution::Verdict;
use crate::flow::{Address, Mac};
use crate::report::Ending;
use crate::report::weighed::Urgency;
use crate::resolution::Role;

/// How many clients of a kind are called by name.
const NAMES_MAX: usize = 4;
/// From so many on, those that are perhaps false alarms are not called by name beside others.
const HARMLESS_MAX: usize = 3;

/// A client behind what was flagged.
#[derive(Clone, Debug)]
pub(in crate::report) struct Found {
    pub address: Address,
    /// `192.168.2.42 (KEVIN-PC)`.
    pub called: String,
    /// That of its most pressing dealing.
    pub urgency: Urgency,
    /// Its link-layer addresses, routers' left out.
    pub macs: Vec<Mac>,
}

/// The heading, and what stands beside it.
#[derive(Clone, Debug)]
pub(in crate::report) struct Heading {
    pub verdict: String,
    /// Who asked too, at other times than the alerts are of.
    pub beside: String,
}

/// What it comes to: who is to be looked at, and how. The clients are in the order in which they are shown; `left_out` says
/// that there were more than there was room for.
pub(in crate::report) fn heading(
    ending: &Ending<'_>,
    timed: Option<&Timed>,
    clients: &[Found],
    left_out: bool,
) -> Heading {
    let answers = ending.answers;
    let (verdict, beside) = if ending.lacked.decoded.messages == 0 {
        let text = "Nothing can be concluded: the capture contains no DNS message.";
        (text.to_owned(), String::new())
    } else if let Some(why) = misdirected(answers) {
        (why.to_owned(), String::new())
    } else if answers.is_empty() {
        (of_lists(ending, clients, left_out), String::new())
    } else {
        of_alerts(answers, timed, clients)
    };
    Heading { verdict, beside }
}

/// Where lists were given.
fn of_lists(ending: &Ending<'_>, clients: &[Found], left_out: bool) -> String {
    let verdicts = ending.verdicts;
    if verdicts.total() == 0 {
        return "Nothing on the lists was asked for.".to_owned();
    }
    let mut parts = vec![behind(clients, left_out)];
    if verdicts.no_client > 0 {
        let have = count(verdicts.no_client, "flagged query has", "flagged queries have");
        parts.push(format!("{have} no client"));
    }
    if verdicts.undetermined > 0 {
        let queries = match verdicts.no_client {
            0 => count(verdicts.undetermined, "flagged query", "flagged queries"),
            _ => number(verdicts.undetermined),
        };
        parts.push(format!("{queries} cannot be decided"));
    }
    parts.join("; ") + "."
}

fn behind(clients: &[Found], left_out: bool) -> String {
    if clients.is_empty() {
        return "No client can be named".to_owned();
    }
    let macs =
        clients.iter().flat_map(|client| client.macs.iter().map(|mac| (client.address, *mac)));
    let machines = Machines::of(macs).count(clients.len());
    let more = if left_out { "More than " } else { "" };
    let are = clients_are(clients.len(), machines);
    format!("{more}{are} behind what was flagged: {}", to_do(clients.iter()))
}

/// Where alerts were given: who is named for them, and how many lead nowhere; beside it, who asked too.
fn of_alerts(answers: &[Answer], timed: Option<&Timed>, clients: &[Found]) -> (String, String) {
    let is_named = |client: &&Found| timed.is_none_or(|timed| timed.names(client.address));
    let (named, others): (Vec<&Found>, Vec<&Found>) = clients.iter().partition(is_named);
    let beside = beside(&others, !named.is_empty());
    if named.is_empty() {
        return (join([counted(answers), beside]), String::new());
    }
    let whose = match answers {
        [_] if !others.is_empty() => "At the alert's time".to_owned(),
        [only] => format!("Behind {}", only.alert.destination.trim_end_matches('.')),
        _ if !others.is_empty() => "At the alerts' times".to_owned(),
        _ => count(answers.len() as u64, "alert", "alerts"),
    };
    let verdict = format!("{whose}: {}.", to_do(named.iter().copied()));
    (join([verdict, unnamed(answers)]), beside)
}

/// Sentences, those that say something.
fn join<const N: usize>(sentences: [String; N]) -> String {
    let said: Vec<String> = sentences.into_iter().filter(|text| !text.is_empty()).collect();
    said.join(" ")
}

/// Those who asked too, and are not named.
fn beside(others: &[&Found], is_anybody_named: bool) -> String {
    let (later, then): (Vec<&Found>, Vec<&Found>) =
        others.iter().copied().partition(|client| client.urgency == Urgency::Other);
    let mut said = Vec::new();
    if !then.is_empty() {
        said.push(format!("Also at about that time: {}.", called(&then)));
    }
    if !later.is_empty() {
        let also = if is_anybody_named { " also" } else { "" };
        said.push(format!("At other times{also}: {}.", called(&later)));
    }
    said.join(" ")
}

fn called(clients: &[&Found]) -> String {
    few(clients.iter().take(NAMES_MAX).map(|client| &client.called), clients.len())
}

/// What to do with each kind, the most pressing first.
fn to_do<'f>(clients: impl Iterator<Item = &'f Found> + Clone) -> String {
    let kinds = [Urgency::Act, Urgency::Look, Urgency::Weigh, Urgency::Other].map(|urgency| {
        let of: Vec<&Found> = clients.clone().filter(|client| client.urgency == urgency).collect();
        (urgency, of)
    });
    let all = clients.clone().count();
    let said = kinds.iter().filter(|(_, of)| !of.is_empty()).map(|(urgency, of)| {
        let who = called(of);
        match (urgency, of.len()) {
            (Urgency::Act, _) => format!("act on {who}"),
            (Urgency::Look, _) => format!("look at {who}"),
            (Urgency::Weigh, 1) => format!("{who}, perhaps a false alarm"),
            // Who they are matters less than that they are many.
            (Urgency::Weigh, some @ HARMLESS_MAX..) if some < all => {
                format!("{} others, perhaps false alarms", number(some as u64))
            }
            (Urgency::Weigh, _) => format!("{who}, perhaps false alarms"),
            (Urgency::Other, _) => format!("{who} at other times only"),
        }
    });
    said.collect::<Vec<_>>().join("; ")
}

/// How many alerts lead to nobody who raised them, and why; nothing where all lead to somebody.
fn unnamed(answers: &[Answer]) -> String {
    if let [only] = answers
        && is_of_the_cache(only)
    {
        return "Who raised the alert is not in the capture: the cache answered.".to_owned();
    }
    let some = tally(answers).into_iter().skip(1).filter(|(some, ..)| *some > 0);
    let said: Vec<String> = some
        .enumerate()
        .map(|(place, (some, one, many))| match (place, some) {
            (0, 1) => format!("1 alert {one}"),
            (0, _) => format!("{} alerts {many}", number(some)),
            _ => count(some, one, many),
        })
        .collect();
    if said.is_empty() { String::new() } else { format!("{}.", list(&said)) }
}

/// How many alerts lead to a client, and how many to none, and why: each with what to say of one, and of several.
fn tally(answers: &[Answer]) -> [(u64, &'static str, &'static str); 7] {
    let of =
        |is: &dyn Fn(&Answer) -> bool| answers.iter().filter(|answer| is(answer)).count() as u64;
    let is = |answer: &Answer, verdict| answer.verdict == Some(verdict);
    let none = |answer: &Answer| answer.verdict.is_none();
    [
        (
            of(&|answer| is(answer, Verdict::Attributed) && !is_of_the_cache(answer)),
            "leads to a client",
            "lead to a client",
        ),
        (
            of(&is_of_the_cache),
            "leads only to clients answered from the cache",
            "lead only to clients answered from the cache",
        ),
        (of(&|answer| is(answer, Verdict::NoClient)), "has no client", "have no client"),
        (of(&|answer| is(answer, Verdict::Undetermined)), "cannot be decided", "cannot be decided"),
        (
            of(&|answer| answer.basis.is_of_other_times && !answer.basis.is_of_another_day),
            "flags what was asked for only at other times",
            "flag what was asked for only at other times",
        ),
        (
            of(&|answer| answer.basis.is_of_another_day),
            "is outside the capture's time",
            "are outside the capture's time",
        ),
        (
            of(&|answer| {
                let basis = &answer.basis;
                none(answer) && !basis.is_of_other_times && !basis.is_of_another_day
            }),
            "matches nothing in this capture",
            "match nothing in this capture",
        ),
    ]
}

/// Whether all that are named were answered from the cache, so that none of them raised the alert.
fn is_of_the_cache(answer: &Answer) -> bool {
    !answer.clients.is_empty() && answer.clients.iter().all(|client| client.role == Role::Cached)
}

/// What the alerts come to, counted.
pub(in crate::report) fn counted(answers: &[Answer]) -> String {
    let of_one = |answer: &Answer| answer.alert.destination.trim_end_matches('.').to_owned();
    match answers {
        // The number of one would only be in the way.
        [only] => match only.verdict {
            Some(Verdict::Attributed) if is_of_the_cache(only) => {
                let asked = count(only.clients.len() as u64, "client", "clients");
                format!(
                    "Who raised the alert on {} is not in the capture; {asked} asked for it, and the cache answered.",
                    of_one(only)
                )
            }
            Some(Verdict::Attributed) => {
                let clients = count(only.clients.len() as u64, "client is", "clients are");
                format!("{clients} behind {}.", of_one(only))
            }
            Some(Verdict::NoClient) => format!("No client is behind {}.", of_one(only)),
            Some(Verdict::Undetermined) => {
                format!("Who is behind {} cannot be decided.", of_one(only))
            }
            None if only.basis.is_of_another_day => {
                format!("The alert on {} is outside the capture's time.", of_one(only))
            }
            None if only.basis.is_of_other_times => {
                format!("{} was asked for, but not at that time.", of_one(only))
            }
            None => format!("Nothing in the capture matches {}.", of_one(only)),
        },
        _ => {
            let some = tally(answers).into_iter().filter(|(some, ..)| *some > 0);
            let said: Vec<String> = some.map(|(some, one, many)| count(some, one, many)).collect();
            format!("{}: {}.", count(answers.len() as u64, "alert", "alerts"), list(&said))
        }
    }
}
