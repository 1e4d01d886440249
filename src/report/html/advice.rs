//! What to do next about a client, as far as what was seen says.

use super::cards::outcomes;
use super::view::PageContext;
use super::visible_text::VisibleText;
use super::{Dealing, Suspected};
use crate::attribution::{FOR_OTHERS, Leaning, Step};
use crate::contact::{Connection, Contact};
use crate::report::weighed::Urgency;
use crate::report::wording::senders::Sender;
use crate::report::wording::words;

/// Below this a client is named, but its frames should be read before anybody acts, in thousandths.
const SURE: u16 = 950;

/// How to find the program.
const PROGRAM: &str = "Find the program that asked: on Windows, Sysmon's DNS events (ID 22) or the DNS Client log name \
                       it; a browser's history shows the page.";
/// How to find the machine.
const MACHINE: &str = "To find a machine without a name, look up its address in the DHCP leases at the time on its \
                       card, or its MAC in the switch's address table (not if it is behind a router).";

/// What to do about all clients of one urgency.
#[derive(Clone, Debug)]
pub(super) struct ToDo {
    pub id: &'static str,
    pub class: &'static str,
    pub label: &'static str,
    pub clients: String,
    pub steps: Vec<&'static str>,
}

/// Where it stands what to do about all clients of an urgency.
pub(super) fn id(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Act => "do-act",
        Urgency::Look => "do-look",
        Urgency::Weigh => "do-weigh",
        Urgency::Other => "do-other",
    }
}

/// What to do, once for each urgency; nothing where the cards of a few clients say it.
pub(super) fn by_urgency(context: &PageContext<'_>) -> Vec<ToDo> {
    if context.is_few() {
        return Vec::new();
    }
    let all = [Urgency::Act, Urgency::Look, Urgency::Weigh, Urgency::Other];
    let to_do = all.into_iter().filter_map(|urgency| {
        let of: Vec<&Suspected<'_>> =
            context.clients.iter().filter(|client| client.urgency == urgency).collect();
        (!of.is_empty()).then(|| ToDo {
            id: id(urgency),
            class: urgency.class(),
            label: context.label(urgency),
            clients: words::count(of.len() as u64, "client", "clients"),
            steps: steps(urgency, &of),
        })
    });
    to_do.collect()
}

fn steps(urgency: Urgency, clients: &[&Suspected<'_>]) -> Vec<&'static str> {
    let first = || clients.iter().filter_map(|client| client.dealings.first());
    match urgency {
        Urgency::Act => vec![
            "Treat these machines as compromised until you know better: they asked for what is flagged and then \
             connected. Take them off the network, but leave them switched on, and preserve their memory and disk \
             for the investigation.",
            PROGRAM,
            MACHINE,
        ],
        Urgency::Look => {
            let mut steps = Vec::new();
            if first().any(|dealing| dealing.contact == Contact::NotVisible) {
                steps.push(
                    "If this capture does not show whether they connected, search the firewall's log for \
                     connections from the machine's address, starting at the first time on its card.",
                );
            }
            steps.extend([PROGRAM, MACHINE]);
            if first().any(|dealing| dealing.contact == Contact::No || got_nothing(dealing)) {
                steps.push(
                    "Also scan machines that did not connect or got no address: something on them knows that name.",
                );
            }
            steps
        }
        Urgency::Weigh => vec![
            "Judge the name on the machine's card, which it asked for. What is flagged is only the end of that \
             name's alias chain, an address that many owners' sites share, or a name server that was asked about \
             it on the way and may serve many other names.",
            "If you trust the name, nothing is wrong with the machine. If not, find out what on the machine asked \
             for it.",
        ],
        Urgency::Other => vec![
            "As far as the firewall's clock is known, these machines did not ask at the alerts' times. Look at \
             them after the others.",
            "But they asked for the same things, so one whose card says that it connected is as urgent as those \
             above.",
        ],
    }
}

fn got_nothing(dealing: &Dealing) -> bool {
    dealing.outcomes.iter().all(|(rcode, _)| *rcode != Some("NOERROR"))
}

/// What stands on a client's card: all there is to do if there are few, else what is not so of all others.
pub(super) fn about(context: &PageContext<'_>, client: &Suspected<'_>) -> Vec<VisibleText> {
    let advice = if context.is_few() { all(context, client) } else { own(context, client) };
    advice.iter().map(|text| VisibleText::new(text)).collect()
}

fn own(context: &PageContext<'_>, client: &Suspected<'_>) -> Vec<String> {
    let mut advice: Vec<String> = unsure(client).into_iter().collect();
    advice.extend(for_others(context, client));
    advice.extend(serious(context, client));
    advice
}

fn unsure(client: &Suspected<'_>) -> Option<String> {
    let first = client.dealings.first()?;
    client.dealings.iter().all(|dealing| dealing.most_permille < SURE).then(|| {
        format!(
            "Make sure first: this is only {}. Open the frames below in Wireshark before you act.",
            words::sureness(first.most_permille)
        )
    })
}

/// What to do, the first first. In this order:
/// 1. not sure: read the frames first; it may have asked for somebody else: look there;
/// 2. not at the times of the alerts: look at the others first;
/// 3. it asked for what is flagged and connected: take it off the network;
/// 4. it asked and did not connect, or got nothing, or it is not known whether: find out;
/// 5. it asked for something else: judge that;
/// 6. who it is, if that matters and the capture does not say.
fn all(context: &PageContext<'_>, client: &Suspected<'_>) -> Vec<String> {
    let Some(first) = client.dealings.first() else { return Vec::new() };
    let mut advice: Vec<String> = unsure(client).into_iter().collect();
    advice.extend(for_others(context, client));
    advice.extend(not_then(context, client));
    let direct: Vec<&Dealing> =
        client.dealings.iter().copied().filter(|dealing| !dealing.is_doubtful()).collect();
    match direct.as_slice() {
        [] => advice.push(weigh(context, first)),
        direct => {
            advice.extend(connected(context, client, direct));
            advice.push(PROGRAM.to_owned());
        }
    }
    advice.extend(serious(context, client));
    if !direct.is_empty() {
        advice.extend(who(context, client));
    }
    advice
}

/// That somebody else may have asked.
fn for_others(context: &PageContext<'_>, client: &Suspected<'_>) -> Option<String> {
    let mut hints = context.ending.assessments.iter().flat_map(|found| found.of(client.address));
    hints.find(|hint| hint.code == FOR_OTHERS).map(|hint| format!("{}.", hint.words))
}

/// That it did not set off the alerts.
fn not_then(context: &PageContext<'_>, client: &Suspected<'_>) -> Option<String> {
    let not_then = context.timed.as_ref()?.not_then(client.address)?;
    Some(format!("It asked, but {not_then}: look first at those that did."))
}

/// Whether it got anywhere.
fn connected(
    context: &PageContext<'_>,
    client: &Suspected<'_>,
    direct: &[&Dealing],
) -> Option<String> {
    let contact = direct.iter().find_map(|dealing| match &dealing.contact {
        Contact::Yes(connection) => Some(connection),
        _ => None,
    });
    if let Some(connection) = contact {
        return Some(format!(
            "Treat it as compromised until you know better: it {}. Take it off the network, but leave it switched \
             on, and preserve its memory and disk for the investigation.",
            told(context, connection)
        ));
    }
    let first = direct.first()?;
    let address = client.address;
    if direct.iter().all(|dealing| got_nothing(dealing)) {
        let outcomes: Vec<String> =
            outcomes(first).iter().take(3).map(|(rcode, _)| words::outcome(*rcode)).collect();
        return Some(format!(
            "It received no address for it, but {}. So this attempt failed, but whatever asked is still on the \
             machine.",
            words::list(&outcomes)
        ));
    }
    let elsewhere = direct.iter().find_map(|dealing| match &dealing.contact {
        Contact::Elsewhere(connection) => Some(connection),
        _ => None,
    });
    if let Some(connection) = elsewhere {
        return Some(format!(
            "It {}: that is another site at the same address, and what it wanted from the flagged name is not \
             context. Scan it anyway.",
            told(context, connection)
        ));
    }
    if direct.iter().any(|dealing| dealing.contact == Contact::NotVisible) {
        return Some(format!(
            "This capture does not show whether it connected: search the firewall's log for connections from \
             {address} starting at {}.",
            context.at(first.first)
        ));
    }
    Some(
        "As far as this capture shows, it did not connect to the address it was given. Scan it anyway: something \
         on it knows that name."
            .to_owned(),
    )
}

/// A connection in words, after `it`: `connected to 203.0.113.9, port 443 (TCP), and was answered`.
pub(super) fn told(context: &PageContext<'_>, connection: &Connection) -> String {
    let answered = if connection.answered { "and was answered" } else { "but no answer was seen" };
    let name = match &connection.server_name {
        Some(name) => format!(", giving the server name {name}"),
        None => String::new(),
    };
    format!(
        "connected to {}, port {} ({}), at {}{name}, {answered}",
        connection.address,
        connection.port,
        connection.transport.as_str().to_uppercase(),
        context.at(connection.time),
    )
}

/// What to weigh where it asked for something else.
fn weigh(context: &PageContext<'_>, dealing: &Dealing) -> String {
    let asked = dealing.ways.first().map_or("", |way| way.asked.as_str());
    let others = match dealing.ways.len() {
        0 | 1 => String::new(),
        more => format!(" (and {})", words::count(more as u64 - 1, "other name", "other names")),
    };
    let flagged = context.value(dealing.indicator);
    if dealing.only_server {
        format!(
            "Judge the name it asked for, {asked}{others}, not the address: {flagged} is only a name \
             server that was asked about it on the way, and may serve many other names."
        )
    } else {
        let last = dealing.ways.first().and_then(|way| way.chain.get(1..)?.last());
        let what = match last.map(|step| step.step) {
            Some(Step::Address) => "an address of a network that hosts many owners' sites",
            Some(Step::Nameserver | Step::Server | Step::Ancestor) => {
                "a name server on the way to that name, or a zone above one"
            }
            _ => "the end of that name's alias chain",
        };
        format!(
            "Judge the name it asked for, {asked}{others}: if you trust it, nothing is wrong with this client, \
             because {flagged} is only {what}. If not, find out what on this machine asked for it."
        )
    }
}

/// What makes it look serious, where no other client can be meant.
fn serious(context: &PageContext<'_>, client: &Suspected<'_>) -> Vec<String> {
    let own = |indicator| client.dealings.iter().any(|dealing| dealing.indicator == indicator);
    let assessments = context.ending.assessments.iter();
    let hints = assessments
        .filter(|assessment| assessment.clients == 1 && own(assessment.indicator))
        .flat_map(|assessment| &assessment.hints)
        .filter(|hint| hint.leaning == Leaning::Serious);
    hints.take(2).map(|hint| format!("Mind: {}.", hint.words.trim_end_matches('.'))).collect()
}

/// How to find the machine.
fn who(context: &PageContext<'_>, client: &Suspected<'_>) -> Option<String> {
    let person = client.person;
    let are_several = person.senders.are_several();
    if !person.hostnames.is_empty() && !are_several {
        return None;
    }
    let first = client.dealings.iter().map(|dealing| dealing.first).min()?;
    let at = context.at(first);
    let address = client.address;
    let leases = format!("look up {address} in the DHCP leases at {at}");
    let senders: Vec<&Sender> = person.senders.iter().collect();
    Some(match senders.as_slice() {
        [Sender { mac, is_router: false, .. }] => {
            format!("To find the machine: {leases}, or {mac} in the switch's address table.")
        }
        [Sender { mac, is_router: true, .. }] => format!(
            "To find the machine: {leases}. It is behind a router, to which {mac} belongs: the switch will not \
             know the machine."
        ),
        _ if are_several => format!(
            "Perhaps not one machine, because its questions came from several MACs: {leases} and at the other \
             times."
        ),
        _ => format!("To find the machine: {leases}."),
    })
}
