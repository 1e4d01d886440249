//! Alerts that have the same answer, told together, and what to do about them.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{count, list};
use crate::alert::{Answer, Suspect, address_in};
use crate::attribution::{Step, Verdict};
use crate::flow::Address;
use crate::report::{Ending, Subject};
use crate::resolution::Role;
use crate::time::Timestamp;

/// How many clients are called by name in a sentence.
const CLIENTS_MAX: usize = 8;
/// How many names.
const NAMES_MAX: usize = 4;
/// A confidence below this is a lead and no proof, in thousandths.
const PROOF_MIN: u16 = 950;

/// Alerts that have the same answer.
pub(in crate::report) struct Alike<'a> {
    pub answers: Vec<&'a Answer>,
    /// The clients of all of them: those that then connected first, then in the order of the first.
    pub clients: Vec<Suspect>,
    /// Whether they are of several times, so that a client's questions cannot be added up.
    pub differ: bool,
}

/// What makes answers alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness<'a> {
    file: &'a str,
    host: Option<&'a str>,
    destination: String,
    threat: Option<&'a str>,
    verdict: Option<Verdict>,
    /// Who, called what, with which part, and whether it asked for the destination itself.
    clients: Vec<(Address, Option<&'a str>, Role, bool)>,
    reason: Option<&'a str>,
    is_of_another_day: bool,
}

/// Alike alerts together, in the order of the first of each.
pub(in crate::report) fn alike<'a>(subject: Subject<'a>, ending: &Ending<'a>) -> Vec<Alike<'a>> {
    let answers = ending.answers;
    let mut place_of: BTreeMap<Likeness<'_>, usize> = BTreeMap::new();
    let mut groups: Vec<Alike<'_>> = Vec::new();
    for answer in answers {
        let alert = &answer.alert;
        let key = Likeness {
            file: &alert.file,
            host: alert.host.as_deref(),
            destination: alert.destination.to_ascii_lowercase(),
            threat: alert.threat.as_deref(),
            verdict: answer.verdict,
            clients: answer
                .clients
                .iter()
                .map(|client| {
                    let called = client.hostname.as_ref().map(|hostname| hostname.name.as_str());
                    (client.address, called, client.role, subject.asked_itself(client, answer))
                })
                .collect(),
            reason: answer.reason.as_deref(),
            is_of_another_day: answer.basis.is_of_another_day,
        };
        let place = *place_of.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.add(answer),
            None => groups.push(Alike {
                answers: vec![answer],
                clients: answer.clients.clone(),
                differ: false,
            }),
        }
    }
    for group in &mut groups {
        let Some(first) = group.answers.first() else { continue };
        group.clients.sort_by_key(|client| !ending.has_connected(client.address, first));
    }
    groups
}

impl<'a> Alike<'a> {
    /// Adds an answer with the same clients.
    fn add(&mut self, answer: &'a Answer) {
        self.answers.push(answer);
        for (own, other) in self.clients.iter_mut().zip(&answer.clients) {
            self.differ |= (own.first, own.last) != (other.first, other.last);
            own.first = own.first.min(other.first);
            own.last = own.last.max(other.last);
            own.confidence_permille = own.confidence_permille.min(other.confidence_permille);
            own.asked_permille = own.asked_permille.min(other.asked_permille);
            own.is_upstream &= other.is_upstream;
        }
    }

    /// What is said of its alerts, each once.
    fn each<'g>(&'g self, said: impl Fn(&'g Answer) -> &'g [String]) -> Vec<&'g str> {
        let mut known = BTreeSet::new();
        let all = self.answers.iter().flat_map(|answer| said(answer)).map(String::as_str);
        all.filter(|text| known.insert(*text)).collect()
    }

    /// The nearest things seen. Where it is said of all alerts which zone would fit, it need not be said of each.
    pub fn nearest(&self, zone_is_said: bool) -> Vec<&str> {
        self.each(|answer| match zone_is_said && !answer.basis.zones.is_empty() {
            true => &[],
            false => answer.nearest.as_slice(),
        })
    }

    /// What else should be known.
    pub fn notes(&self) -> Vec<&str> {
        self.each(|answer| &answer.basis.notes)
    }

    /// The numbers of its alerts.
    pub fn numbers(&self) -> BTreeSet<u32> {
        self.answers.iter().map(|answer| answer.alert.number).collect()
    }

    /// `Alerts 1 to 3`, with their file if that must be called.
    pub fn name(&self, numbers: &str, file: Option<&str>) -> String {
        let word = if self.answers.len() == 1 { "Alert" } else { "Alerts" };
        let file = file.map_or(String::new(), |file| format!(" of {file}"));
        format!("{word} {numbers}{file}")
    }

    /// The first and the last of its alerts' times by the firewall's clock, if they say it.
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        let alerts = || self.answers.iter().map(|answer| &answer.alert);
        let last = alerts().filter_map(|alert| alert.until.or(alert.time)).max();
        Some((alerts().filter_map(|alert| alert.time).min()?, last?))
    }

    /// How many events the firewall counted.
    pub fn events(&self) -> u64 {
        self.answers.iter().filter_map(|answer| answer.alert.events).sum()
    }

    /// What to do about it.
    pub fn next(&self, subject: Subject<'_>, ending: &Ending<'_>) -> Option<Next> {
        let answer = *self.answers.first()?;
        let host = answer.alert.host.as_deref();
        let server = host.filter(|host| is_server(ending, host)).unwrap_or("the DNS server");
        let next = |kind, words, short| Some(Next { kind, words, short });
        if answer.verdict == Some(Verdict::NoClient) {
            let words = format!(
                "Nobody in this capture asked for it: check what runs on {server} itself, and whether the capture \
                 holds everything that its clients ask."
            );
            return next(Kind::Server, words.clone(), Some(words));
        }
        let basis = &answer.basis;
        if answer.verdict.is_none()
            && answer.nearest.is_none()
            && !(basis.is_of_other_times || basis.is_of_another_day || basis.is_misdirected)
        {
            let words = "Keep capturing until the alert recurs (with whoasked live --alerts ALERTS -i IFACE), and \
                         check that the mirror shows everything that the DNS server is asked. Clients that use DNS \
                         over HTTPS are not seen.";
            return next(Kind::Nothing, words.to_owned(), None);
        }
        let first = self.clients.first()?;
        let direct: Vec<&Suspect> = self
            .clients
            .iter()
            .filter(|client| client.confidence_permille >= PROOF_MIN)
            .filter(|client| subject.asked_itself(client, answer))
            .take(CLIENTS_MAX)
            .collect();
        // How sure it is that somebody was answered from the cache says nothing of who raised the alert.
        let is_proved = |client: &Suspect| client.confidence_permille >= PROOF_MIN;
        let raised = || self.clients.iter().filter(|client| client.role != Role::Cached);
        let are_leads = match raised().next() {
            Some(_) => !raised().any(is_proved),
            None => !self.clients.iter().any(is_proved),
        };
        let asked_itself = self.clients.iter().any(|client| subject.asked_itself(client, answer));
        if are_leads && asked_itself {
            let words = format!(
                "That {} raised it is a lead, not proof: look at the packets first.",
                addresses(self.clients.iter().take(CLIENTS_MAX))
            );
            // That it went there is a reason by itself.
            let went = |client: &&Suspect| ending.has_connected(client.address, answer);
            let went: Vec<&Suspect> = self.clients.iter().filter(went).take(CLIENTS_MAX).collect();
            return match went.as_slice() {
                [] => next(Kind::Lead, words, Some("A lead, not proof.".to_owned())),
                went => {
                    let who = addresses(went.iter().copied());
                    let words = format!(
                        "Look first at {who}, which connected there: that it raised this alert is likely, not \
                         proved."
                    );
                    next(Kind::Look, words.clone(), Some(words))
                }
            };
        }
        if !direct.is_empty() {
            let others = raised().filter(|client| {
                let is_of_direct = direct.iter().any(|known| known.address == client.address);
                !is_of_direct && subject.asked_itself(client, answer)
            });
            let others = addresses(others.take(CLIENTS_MAX));
            let also = if others.is_empty() { others } else { format!(" Less sure: {others}.") };
            return next(
                Kind::Look,
                look_at(subject, ending, &direct, answer, server) + &also,
                None,
            );
        }
        let asked = asked(first);
        let judge = Some(format!("Perhaps a false alarm: judge {asked} first."));
        match first.chain.last().map(|step| step.step) {
            Some(Step::Server) => next(
                Kind::FalseAlarm,
                format!(
                    "Perhaps a false alarm: the address is a name server that {server} asked about {asked} on the \
                     way. Judge {asked}, not the address: `whoasked explain {name} CAPTURE` shows whether anybody \
                     connected.",
                    name = first.asked.first().map_or("NAME", String::as_str),
                ),
                judge,
            ),
            Some(Step::Address) => {
                let words = format!(
                    "Find out what {} wanted from {asked}: the flagged address is where that name leads.",
                    first.address
                );
                next(Kind::Address, words.clone(), Some(words))
            }
            _ => next(
                Kind::FalseAlarm,
                format!(
                    "Perhaps a false alarm: nobody asked for the flagged name itself, but for {asked}, which led there. \
                     Judge {asked} before you look at a machine."
                ),
                judge,
            ),
        }
    }
}

/// What to do about an alert.
pub(in crate::report) struct Next {
    pub kind: Kind,
    pub words: String,
    /// In few words, where the like was told before; none if the clients alone say it.
    pub short: Option<String>,
}

/// Of what kind that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Kind {
    Nothing,
    Server,
    Lead,
    Look,
    FalseAlarm,
    Address,
}

/// The names that a client asked for, the first of many.
pub(in crate::report) fn asked(client: &Suspect) -> String {
    let few = client.asked.get(..NAMES_MAX).unwrap_or(&client.asked);
    match client.asked.len() - few.len() {
        0 => list(few),
        more => format!("{} and {}", few.join(", "), count(more as u64, "more name", "more names")),
    }
}

fn addresses<'s>(clients: impl Iterator<Item = &'s Suspect>) -> String {
    list(&clients.map(|client| client.address.to_string()).collect::<Vec<_>>())
}

/// At whom to look, who asked for what is flagged: those first who connected.
fn look_at(
    subject: Subject<'_>,
    ending: &Ending<'_>,
    direct: &[&Suspect],
    answer: &Answer,
    server: &str,
) -> String {
    let addresses = |clients: &[&Suspect]| addresses(clients.iter().copied());
    let (went, others): (Vec<&Suspect>, Vec<&Suspect>) =
        direct.iter().partition(|client| ending.has_connected(client.address, answer));
    let they = if direct.len() == 1 { ("it", "it") } else { ("they", "them") };
    // As the first sentence and the table have it.
    let look = match (went.is_empty(), others.is_empty()) {
        (false, false) => {
            format!("Act on {}, then look at {}", addresses(&went), addresses(&others))
        }
        (false, true) => format!("Act on {}", addresses(&went)),
        (true, _) => format!("Look at {}", addresses(direct)),
    };
    let flagged = subject.flagged(answer).map_or("", |flagged| flagged.bare());
    let is_exact =
        |client: &&&Suspect| client.asked.iter().any(|asked| asked.eq_ignore_ascii_case(flagged));
    let what = match direct.iter().filter(is_exact).count() {
        0 => "a name below the flagged one",
        all if all == direct.len() => "the flagged name itself",
        _ => "the flagged name itself, or one below it",
    };
    let blamed = answer.alert.host.as_deref().and_then(address_in);
    if direct.iter().all(|client| client.role == Role::Cached) {
        return format!("{look} as well: {} asked for {what}.", they.0);
    }
    let is_own = direct.iter().any(|client| blamed == Some(client.address))
        || !direct.iter().any(|client| client.is_upstream);
    match is_own {
        true => format!("{look}: {} asked for {what}.", they.0),
        false => format!(
            "{look}: {} asked for {what}; {server} only asked on behalf of {}.",
            they.0, they.1
        ),
    }
}

/// Whether a host that an alert blames has the address of a DNS server.
fn is_server(ending: &Ending<'_>, host: &str) -> bool {
    let servers = &ending.coverage.resolvers;
    let is_of = |host: Address| servers.iter().any(|server| server.addresses.contains(&host));
    address_in(host).is_some_and(is_of)
}
