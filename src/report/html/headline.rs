//! The heading: what it comes to, for somebody who reads nothing else.

use super::shown::Shown;
use super::view::{FEW, Seen, Suspected, Urgency, count_machines};
use crate::alert::Answer;
use crate::attribution::Verdict;
use crate::report::text::words::{clients_are, count, list, number};
use crate::report::text::{headline, misdirected, unread};

/// The heading, and what stands beside it.
#[derive(Clone, Debug)]
pub(super) struct Heading {
    pub verdict: Shown,
    /// Who asked too, at other times than the alerts are of.
    pub beside: Shown,
}

/// What it comes to: how many machines are to be looked at, and how. Few are called by name.
pub(super) fn heading(seen: &Seen<'_>) -> Heading {
    let answers = seen.ending.answers;
    let (verdict, beside) = if seen.ending.lacked.decoded.messages == 0 {
        let text = "Nothing can be said: there is no DNS message in the capture.";
        (text.to_owned(), String::new())
    } else if let Some(why) = misdirected(answers) {
        (why.to_owned(), String::new())
    } else if answers.is_empty() {
        (of_lists(seen), String::new())
    } else {
        of_alerts(seen, answers)
    };
    Heading { verdict: Shown::new(&verdict), beside: Shown::new(&beside) }
}

/// Where lists were given.
fn of_lists(seen: &Seen<'_>) -> String {
    let verdicts = seen.ending.verdicts;
    if verdicts.total() == 0 {
        return "Nothing that is listed was asked for.".to_owned();
    }
    let mut parts = vec![behind(seen)];
    if verdicts.no_client > 0 {
        let have = count(verdicts.no_client, "flagged query has", "flagged queries have");
        parts.push(format!("{have} no client"));
    }
    if verdicts.undetermined > 0 {
        let queries = count(verdicts.undetermined, "flagged query", "flagged queries");
        parts.push(format!("{queries} cannot be decided"));
    }
    parts.join("; ") + "."
}

fn behind(seen: &Seen<'_>) -> String {
    let clients: Vec<&Suspected<'_>> = seen.clients.iter().collect();
    let all = clients.len();
    if all == 0 {
        return "No client can be named".to_owned();
    }
    let more = if seen.fold.clients_left_out > 0 { "More than " } else { "" };
    let are = clients_are(all, seen.machines.count(all));
    let what = if seen.is_few() { few(&clients) } else { kinds(&clients, |some| some.len(), true) };
    format!("{more}{are} behind what was flagged: {what}")
}

/// Where alerts were given: who is named for them, and how many lead nowhere; beside it, who asked too.
fn of_alerts(seen: &Seen<'_>, answers: &[Answer]) -> (String, String) {
    let is_named = |client: &&Suspected<'_>| {
        seen.timed.as_ref().is_none_or(|timed| timed.names(client.address))
    };
    let (named, others): (Vec<_>, Vec<_>) = seen.clients.iter().partition(is_named);
    let beside = beside(seen, &others);
    let alerts = count(answers.len() as u64, "alert", "alerts");
    let unnamed = unnamed(answers);
    let unread = unread(seen.ending).unwrap_or_default();
    match named.len() {
        0 => (join([headline(answers), unread, beside]), String::new()),
        1..=FEW if others.is_empty() => {
            (join([format!("{alerts}: {}.", few(&named)), unnamed, unread]), String::new())
        }
        1..=FEW => {
            let is_doubtful = named.iter().any(|client| client.urgency == Urgency::Weigh);
            let who = if is_doubtful { few(&named) } else { called(&named) };
            (
                join([format!("At {}: {who}.", times(answers)), beside, unnamed, unread]),
                String::new(),
            )
        }
        _ => {
            let kinds = kinds(&named, count_machines, false);
            (join([format!("{alerts}: {kinds}."), unnamed, unread]), beside)
        }
    }
}

/// Sentences, those that say something.
fn join<const N: usize>(sentences: [String; N]) -> String {
    let said: Vec<String> = sentences.into_iter().filter(|text| !text.is_empty()).collect();
    said.join(" ")
}

fn times(answers: &[Answer]) -> &'static str {
    if answers.len() == 1 { "the alert's time" } else { "the alerts' times" }
}

/// Those who asked too, and are not named.
fn beside(seen: &Seen<'_>, others: &[&Suspected<'_>]) -> String {
    let (later, then): (Vec<_>, Vec<_>) =
        others.iter().copied().partition(|client| client.urgency == Urgency::Other);
    let named = seen.clients.len() > others.len();
    let mut said = Vec::new();
    if !then.is_empty() {
        said.push(format!("About then, too: {}.", some(&then, named)));
    }
    if !later.is_empty() {
        let also = if named { " also" } else { "" };
        said.push(format!("At other times{also}: {}.", some(&later, named || !then.is_empty())));
    }
    said.join(" ")
}

/// A few by name, or how many; whether some were told of before.
fn some(clients: &[&Suspected<'_>], are_others: bool) -> String {
    if clients.len() > FEW {
        let machines = count_machines(clients) as u64;
        return match are_others {
            true => count(machines, "other machine", "other machines"),
            false => count(machines, "machine", "machines"),
        };
    }
    called(clients)
}

fn called(clients: &[&Suspected<'_>]) -> String {
    list(&clients.iter().map(|client| client.called()).collect::<Vec<_>>())
}

/// What to do with a few, by name.
fn few(clients: &[&Suspected<'_>]) -> String {
    let kinds = [
        (Urgency::Act, "act on ", ""),
        (Urgency::Look, "look at ", ""),
        (Urgency::Weigh, "", ", perhaps a false alarm"),
        (Urgency::Other, "", " at other times only"),
    ];
    let said = kinds.into_iter().filter_map(|(urgency, before, after)| {
        let of: Vec<_> =
            clients.iter().copied().filter(|client| client.urgency == urgency).collect();
        (!of.is_empty()).then(|| format!("{before}{}{after}", called(&of)))
    });
    said.collect::<Vec<_>>().join("; ")
}

/// How many machines, or addresses, some clients are.
type Counting = fn(&[&Suspected<'_>]) -> usize;

/// How many are to be acted on, to be looked at, and perhaps false alarms; who is to be acted on by name, if they are
/// few. The first is called a machine, unless it was said before what they are.
fn kinds(clients: &[&Suspected<'_>], counting: Counting, is_said: bool) -> String {
    let up_to = |urgency| {
        let of: Vec<_> =
            clients.iter().copied().filter(|client| client.urgency <= urgency).collect();
        (counting(&of), of)
    };
    let (act, acting) = up_to(Urgency::Act);
    let (look, _) = up_to(Urgency::Look);
    let (all, _) = up_to(Urgency::Weigh);
    let (look, weigh) = (look.saturating_sub(act), all.saturating_sub(look));
    let is_one_kind = is_said && (look == all || weigh == all);
    let how_many = |some: usize, is_said: bool| match (is_one_kind, is_said) {
        (true, _) => "all".to_owned(),
        (false, true) => number(some as u64),
        (false, false) => count(some as u64, "machine", "machines"),
    };
    let named = (1..=FEW).contains(&acting.len()).then(|| few(&acting));
    let mut said = Vec::new();
    if named.is_none() && act > 0 {
        said.push(format!("{} to act on", how_many(act, is_said)));
    }
    if look > 0 {
        said.push(format!("{} to look at", how_many(look, is_said || !said.is_empty())));
    }
    if weigh > 0 {
        let is_said = is_said || !said.is_empty();
        let are = match (is_said, weigh) {
            (true, 1) => "perhaps a false alarm",
            (true, _) => "perhaps false alarms",
            (false, 1) => "that is perhaps a false alarm",
            (false, _) => "that are perhaps false alarms",
        };
        said.push(format!("{} {are}", how_many(weigh, is_said)));
    }
    let said = (!said.is_empty()).then(|| said.join(", "));
    named.into_iter().chain(said).collect::<Vec<_>>().join("; ")
}

/// How many alerts lead to nobody, and why; nothing where all lead to somebody.
fn unnamed(answers: &[Answer]) -> String {
    let of = |verdict| answers.iter().filter(|answer| answer.verdict == verdict).count() as u64;
    let is_another_day = |answer: &&Answer| answer.basis.is_of_another_day;
    let another_day = answers.iter().filter(is_another_day).count() as u64;
    let others = answers.iter().filter(|answer| !is_another_day(answer));
    let other = others.filter(|answer| answer.basis.is_of_other_times).count() as u64;
    let parts = [
        (of(Some(Verdict::NoClient)), "has no client", "have no client"),
        (of(Some(Verdict::Undetermined)), "cannot be decided", "cannot be decided"),
        (other, "was asked for at other times only", "were asked for at other times only"),
        (another_day, "is not of the capture's time", "are not of the capture's time"),
        (
            of(None).saturating_sub(other + another_day),
            "is not answered by this capture",
            "are not answered by this capture",
        ),
    ];
    let mut said: Vec<String> = Vec::new();
    for (some, one, many) in parts.into_iter().filter(|(some, ..)| *some > 0) {
        let what = if some == 1 { one } else { many };
        said.push(match said.is_empty() {
            true => format!("{} {what}", count(some, "alert", "alerts")),
            false => format!("{} {what}", number(some)),
        });
    }
    if said.is_empty() { String::new() } else { format!("{}.", list(&said)) }
}
