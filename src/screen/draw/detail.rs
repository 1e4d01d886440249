//! All that is known of a sighting.

use super::View;
use super::paint::{entry, wrapped};
use crate::attribution::{Attribution, Client, Coverage, Doubt, State, Step, Verdict};
use crate::flow::Address;
use crate::live::Group;
use crate::report::words::{
    Times, contact, count, list, outcome, part, step as step_in_words, sure_of,
};
use crate::report::{HostNames, Ink, Words};
use crate::resolution::{Leg, Role};

/// The width of the labels.
const COLUMN: usize = 10;

/// The lines about a sighting, on a width.
pub(super) fn lines(view: &View<'_>, sight: &Group, width: usize) -> Vec<Words> {
    let attribution = &sight.attribution;
    let teller = Teller::new(view);
    let last_word = match attribution.state {
        State::Provisional => ", so far; this may still change",
        State::Final | State::Superseded => "; this is final",
    };
    let verdict = match attribution.verdict {
        Verdict::Attributed => "a client asked",
        Verdict::NoClient => "no client is behind it",
        Verdict::Undetermined => "it cannot be told for which client",
    };
    let verdict = Words::of(Ink::Strong, verdict).and(Ink::Plain, last_word);
    let mut lines = entry("verdict", COLUMN, &verdict, width);
    if sight.times > 1 {
        let what = match attribution.clients.as_slice() {
            [] => count(sight.times, "lookup", "lookups"),
            _ => count(sight.times, "question", "questions"),
        };
        let often = teller.times.often(&what, sight.first, sight.last);
        let this = match (sight.is_connected, sight.foremost().is_some_and(Client::is_connected)) {
            (true, true) => ", and connected after this one:",
            (true, false) => ", and connected after one of the others:",
            (false, _) => "; this is one of them:",
        };
        let often = format!("{often}{this}");
        lines.extend(entry("often", COLUMN, &Words::plain(&often), width));
    }
    let told: Vec<Address> = attribution.clients.iter().map(|client| client.address).collect();
    let others = sight.others.iter().filter(|(address, _)| !told.contains(address));
    let others: Vec<String> = others
        .map(|(address, name)| match name {
            Some(name) => format!("{address} ({name})"),
            None => address.to_string(),
        })
        .collect();
    if !others.is_empty() {
        let words = format!("{} waited for another of them", list(&others));
        lines.extend(entry("others", COLUMN, &Words::plain(&words), width));
    }
    if let Some(reason) = &attribution.reason {
        lines.extend(entry("because", COLUMN, &Words::plain(reason), width));
    }
    for client in &attribution.clients {
        lines.push(Words::default());
        lines.extend(about(&teller, attribution, client, width));
    }
    lines.push(Words::default());
    lines.extend(what(&teller, sight, width));
    lines
}

/// The lines about what was flagged, and where.
fn what(teller: &Teller<'_>, sight: &Group, width: usize) -> Vec<Words> {
    let attribution = &sight.attribution;
    let mut lines = Vec::new();
    let mut say = |label: &str, words: Words| lines.extend(entry(label, COLUMN, &words, width));
    let listed = format!(" in {}, line {}", sight.list, sight.line);
    let mut flagged = Words::of(Ink::Flagged, &sight.indicator).and(Ink::Plain, &listed);
    if let Some(description) = &sight.description {
        flagged.push(Ink::Plain, &format!(": {description}"));
    }
    say("flagged", flagged);
    say("seen", teller.seen(attribution));
    for (place, doubt) in attribution.doubts.iter().enumerate() {
        say(if place == 0 { "but" } else { "" }, Words::of(Ink::Caution, meaning(*doubt)));
    }
    say("id", Words::of(Ink::Aside, &attribution.id));
    lines
}

/// The lines about one of its clients.
fn about(
    teller: &Teller<'_>,
    attribution: &Attribution,
    client: &Client,
    width: usize,
) -> Vec<Words> {
    let mut lines = wrapped(&heading(client), width);
    let mut say = |label: &str, words: Words| lines.extend(entry(label, COLUMN, &words, width));
    let sighting = &attribution.sighting;
    let hops: Vec<String> = client.hops.iter().map(Address::to_string).collect();
    let resolver = sighting.resolver.to_string();
    let role = part(client.role, sighting.leg, &hops, &resolver);
    let name = match client.role {
        Role::Initiator => "asked",
        Role::Joiner => "waited too",
        Role::Cached => "from the cache",
        Role::Refresh => "set off a refresh",
    };
    say("part", Words::of(Ink::Strong, name).and(Ink::Plain, &format!(": {role}")));
    say("sure", Words::plain(&sure_of(client.confidence_permille, [(client.role, sighting.leg)])));
    let at = teller.times.at(client.asked_time);
    let got = outcome(client.rcode);
    let asked = format!(" ({}) at {at}, from port {}; got {got}", client.asked_type, client.port);
    say("asked", Words::of(Ink::Strong, &client.asked).and(Ink::Plain, &asked));
    let last = client.chain.len().saturating_sub(1);
    for (place, step) in client.chain.iter().enumerate() {
        let ink = if place == last { Ink::Flagged } else { Ink::Plain };
        let how = match (step.step, step_in_words(step.step)) {
            (_, Some(how)) => format!(" ({how})"),
            (Step::Alias, None) => " (an alias)".to_owned(),
            (_, None) => String::new(),
        };
        let mut words = Words::of(Ink::Aside, &format!("{} ", place + 1)).and(ink, &step.name);
        words.push(Ink::Aside, &how);
        say(if place == 0 { "chain" } else { "" }, words);
    }
    if !hops.is_empty() {
        say("hops", Words::plain(&format!("{} → {resolver}", hops.join(" → "))));
    }
    let contacted = contact(&client.contact, &teller.times);
    let unseen = || "the capture does not show whether it connected".to_owned();
    say("contact", Words::plain(&contacted.unwrap_or_else(unseen)));
    lines
}

/// Who a client is.
fn heading(client: &Client) -> Words {
    let mut words = Words::of(Ink::Strong, &client.address.to_string());
    if let Some(host) = &client.hostname {
        words.push(Ink::Strong, &format!(" {}", host.name));
        words.push(Ink::Aside, &format!(" ({})", HostNames::of(host, &[]).origin()));
    }
    if let Some(mac) = client.mac.filter(|mac| mac.is_some()) {
        let router = if client.is_router_mac { " (a router's)" } else { "" };
        words.push(Ink::Plain, &format!(", {mac}{router}"));
    }
    if let Some(vlan) = client.vlan {
        words.push(Ink::Plain, &format!(", VLAN {vlan}"));
    }
    words
}

/// Says times. Frames are not named here: their numbers are of this run, and stand in no file.
struct Teller<'v> {
    view: &'v View<'v>,
    times: Times,
}

impl<'v> Teller<'v> {
    fn new(view: &'v View<'v>) -> Teller<'v> {
        // With the date: of a run no day is plain, as it is of a capture.
        Teller { view, times: Times::of(&Coverage::default(), view.zone) }
    }

    /// Where it was seen, and what came of it.
    fn seen(&self, attribution: &Attribution) -> Words {
        let sighting = &attribution.sighting;
        let asked = format!(
            "{} asked {} by {} for ",
            match sighting.leg {
                Leg::Upstream => sighting.resolver.to_string(),
                Leg::Client => "a client".to_owned(),
            },
            match sighting.leg {
                Leg::Upstream => sighting.server.to_string(),
                Leg::Client => sighting.resolver.to_string(),
            },
            sighting.transport.as_str(),
        );
        let rcode = sighting.rcode.map_or(String::new(), |rcode| format!(", {rcode}"));
        let came = format!(
            " ({}) at {} {}: {}{rcode}; listed is the {}",
            sighting.rtype,
            self.times.at(sighting.time),
            self.view.zone.distance_at(sighting.time),
            sighting.outcome.as_str(),
            place(attribution),
        );
        Words::plain(&asked).and(Ink::Strong, &sighting.name).and(Ink::Plain, &came)
    }
}

/// A doubt in words.
fn meaning(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::AliasTail => {
            "perhaps a false alarm: no client asked for the flagged name, which is the end of an alias chain"
        }
        Doubt::OutdatedAlias => {
            "the TTL of an alias in the chain had run out, and no answer shows that it still led there"
        }
        Doubt::NameServerAddress => {
            "perhaps a false alarm: what is flagged is a name server that was asked on the way and may serve other \
             names"
        }
        Doubt::PacketsLostNear => "packets were lost within 10 s of it, so nobody is certain",
        Doubt::JudgedEarly => "for lack of memory it was judged before all answers could arrive",
        Doubt::ClocksApart => {
            "the DNS server's two sides were stamped by clocks that differ, so nobody is certain"
        }
        Doubt::NoLongerListed => "its entry is no longer listed",
    }
}

/// What of the sighting is listed.
fn place(attribution: &Attribution) -> &'static str {
    use crate::attribution::Place;
    match attribution.sighting.place {
        Place::Qname => "name asked for",
        Place::Alias => "alias that it leads to",
        Place::Target => "HTTPS or SVCB target in the answer",
        Place::Address => "address in the answer",
        Place::Server => "address that was asked",
        Place::Nameserver => "name server in the answer",
    }
}
