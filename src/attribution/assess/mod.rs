//! Is it a false alarm? What was attributed is gathered while it is handed out; at the end each indicator
//! is weighed: what speaks for a false alarm, what for a compromised client.
//!
//! A hint is a fact with its figures, not a verdict, and never hides a sighting. Which there are:
//!
//! | code | leans to | when |
//! |---|---|---|
//! | `connected` | serious | the client then connected to what it was led to |
//! | `beaconing` | serious | it asked at even intervals |
//! | `referral-server` | harmless | the listed address is a server of the root or of a top-level domain, or one that is asked about many owners' names and refers on |
//! | `shared-name-server` | harmless | ... or one that answers for many owners' names |
//! | `alias-tail-of-popular-name` | harmless | only other owners' names lead there, as aliases: several names, or several clients |
//! | `shared-cdn` | harmless | ... and it is a name of a content delivery network |
//! | `random-names` | serious | one client asked for many names below it that look made up by a program |
//! | `odd-hours` | serious | it asked when the office and it itself else do not |
//! | `asked-directly` | serious | a client asked for the listed name itself |
//! | `alias-tail` | harmless | only one name of somebody else's leads there, for one or two clients |
//! | `name-server-address` | harmless | the listed address was only asked as a name server |
//! | `many-clients` | harmless | a good part of all clients asked |
//! | `one-client` | serious | of several clients, one asked |
//! | `resolver-only` | harmless | no client is behind any of it |
//! | `may-ask-for-others` | harmless | the client asks as servers do, or far more than others: it may have asked for somebody else |

mod beacon;
mod dealings;
mod harmless;
mod hint;
mod hours;
mod names;
mod serious;
mod servers;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::HashMap;

use self::dealings::{Dealings, IndicatorTally};
use self::hours::Hours;
use self::servers::AskedOf;
use super::{Attribution, Client, State, Summary};
use crate::contact::{Connection, Contact};
use crate::flow::Address;
use crate::indicator::{Indicator, IndicatorId, IndicatorKind, Indicators};
use crate::resolution::{ForOthers, Resolution};
use crate::time::Zone;

pub use dealings::Way;
pub use hint::{Assessment, ClientHints, Hint, Leaning};

/// How many indicators are assessed; of further ones nothing is gathered.
const INDICATORS_MAX: usize = 1 << 17;
/// How many clients' dealings are kept, over all indicators, some 2 KB each at most; further ones make
/// hints that must know all clients impossible.
const DEALINGS_MAX: usize = 1 << 14;

/// The code of a hint that says nothing of the alarm, but that somebody else may have asked.
pub const FOR_OTHERS: &str = "may-ask-for-others";
/// The codes of hints, the weightiest first.
const BY_WEIGHT: [&str; 15] = [
    "connected",
    "beaconing",
    "referral-server",
    "shared-name-server",
    "alias-tail-of-popular-name",
    "shared-cdn",
    "random-names",
    "odd-hours",
    "asked-directly",
    "alias-tail",
    "name-server-address",
    "many-clients",
    "one-client",
    "resolver-only",
    FOR_OTHERS,
];

/// Gathers attributions, and assesses their indicators at the end.
#[derive(Debug)]
pub struct Assessor {
    indicators: Arc<Indicators>,
    zone: Zone,
    gathered: BTreeMap<IndicatorId, IndicatorTally>,
    dealings: usize,
}

/// What hints are made of, beside what was gathered of their indicator.
struct HintContext<'a> {
    zone: &'a Zone,
    hours: &'a Hours,
    servers: &'a HashMap<Address, AskedOf>,
    /// How many clients there are in the capture.
    clients: u64,
    resolution: &'a Resolution,
    summary: &'a Summary,
}

impl HintContext<'_> {
    /// A client's connection to what it was given, also if that came after it was named.
    fn connected(&self, indicator: IndicatorId, client: Address) -> Option<&Connection> {
        match &self.summary.row(indicator, client)?.contact {
            Contact::Yes(connection) => Some(connection),
            _ => None,
        }
    }

    /// Why a client may have asked for others.
    fn for_others(&self, client: Address) -> Option<ForOthers> {
        let hosts = self.resolution.transactions().hosts();
        self.resolution.roles().may_ask_for_others(hosts.find(client)?)
    }
}

impl Assessor {
    /// Weighs what is listed in `indicators`; hours of the day are those of `zone`.
    pub fn new(indicators: Arc<Indicators>, zone: Zone) -> Assessor {
        Assessor { indicators, zone, gathered: BTreeMap::new(), dealings: 0 }
    }

    /// Takes an attribution, as it is reported: without clients that are not to be named.
    pub fn add(&mut self, attribution: &Attribution) {
        let id = attribution.indicator;
        let is_known = self.gathered.contains_key(&id);
        if attribution.state != State::Final || !is_known && self.gathered.len() >= INDICATORS_MAX {
            return;
        }
        let Some(indicator) = self.indicators.get(id) else { return };
        let room = DEALINGS_MAX.saturating_sub(self.dealings);
        let gathered = self.gathered.entry(id).or_default();
        self.dealings += gathered.add(attribution, listed_name(indicator), room, &self.zone);
    }

    /// Assesses each indicator that was seen, in the order of the lists, with what the summary knows by the end of whether
    /// clients connected. Where the clock was set back within the capture (`keeps_time` is false), nothing is made of hours of
    /// the day.
    pub fn assess(
        &self,
        resolution: &Resolution,
        summary: &Summary,
        keeps_time: bool,
    ) -> Vec<Assessment> {
        if self.gathered.is_empty() {
            return Vec::new();
        }
        let meant = |gathered: &'_ IndicatorTally| -> Vec<Address> {
            let meant = gathered.clients.iter().filter(|(_, dealings)| dealings.is_meant());
            meant.map(|(client, _)| *client).collect()
        };
        let mut clients: Vec<Address> = self.gathered.values().flat_map(meant).collect();
        clients.sort_unstable();
        clients.dedup();
        let servers: BTreeSet<Address> =
            self.gathered.values().flat_map(|gathered| gathered.servers.iter().copied()).collect();
        let hosts = resolution.transactions().hosts();
        let is_client =
            |(id, host): &(_, &crate::transaction::Host)| resolution.roles().is_client(*id, host);
        let hours = keeps_time.then(|| Hours::of(resolution, &clients, &self.zone));
        let context = HintContext {
            zone: &self.zone,
            hours: &hours.unwrap_or_default(),
            servers: &servers::asked_of(resolution, &servers),
            clients: hosts.iter().filter(is_client).count() as u64,
            resolution,
            summary,
        };
        let assess = |(id, gathered): (&IndicatorId, &IndicatorTally)| {
            Some(assess(*id, self.indicators.get(*id)?, gathered, &context))
        };
        self.gathered.iter().filter_map(assess).collect()
    }
}

/// How a client came to what an indicator lists: known at once, while hints need the whole capture.
pub fn way(attribution: &Attribution, client: &Client, indicator: Indicator<'_>) -> Way {
    Way::of(attribution, client, listed_name(indicator))
}

/// Whether a name is what an indicator lists, or below it.
pub fn is_listed_itself(name: &str, indicator: Indicator<'_>) -> bool {
    listed_name(indicator).is_some_and(|listed| names::is_at_or_below(name, listed))
}

/// The name an indicator lists, without marks; none of an address.
fn listed_name(indicator: Indicator<'_>) -> Option<&str> {
    match indicator.kind {
        IndicatorKind::Exact | IndicatorKind::Below | IndicatorKind::Domain => {
            Some(indicator.bare())
        }
        IndicatorKind::Address | IndicatorKind::Network => None,
    }
}

fn assess(
    id: IndicatorId,
    indicator: Indicator<'_>,
    gathered: &IndicatorTally,
    context: &HintContext<'_>,
) -> Assessment {
    let mut of_clients: Vec<ClientHints> = Vec::new();
    for (client, dealings) in &gathered.clients {
        let connected = context.connected(id, *client).or(dealings.connected.as_ref());
        let mut hints = of_client(*client, indicator, (dealings, connected), context);
        sort(&mut hints);
        if !hints.is_empty() {
            of_clients.push(ClientHints { client: *client, hints });
        }
    }
    let mut hints = harmless::of_indicator(indicator, gathered, context);
    hints.extend(serious::of_indicator(gathered, context));
    hints.extend(of_all(gathered, &of_clients));
    sort(&mut hints);
    Assessment {
        indicator: id,
        verdicts: gathered.verdicts,
        clients: gathered.clients.len() as u64,
        hints,
        of_clients,
    }
}

fn of_client(
    client: Address,
    indicator: Indicator<'_>,
    (dealings, connected): (&Dealings, Option<&Connection>),
    context: &HintContext<'_>,
) -> Vec<Hint> {
    let mut hints = serious::of_client(client, indicator, (dealings, connected), context);
    hints.extend(harmless::of_client(client, indicator, dealings));
    hints.extend(context.for_others(client).map(|why| harmless::for_others(client, why)));
    hints
}

/// What is to be weighed of clients, said once of the indicator: in the words of the client that asked
/// most of those that it holds for, with how many more there are. What leans to a false alarm must hold for all, so it is said
/// of the indicator by itself.
fn of_all(gathered: &IndicatorTally, of_clients: &[ClientHints]) -> Vec<Hint> {
    let mut found: BTreeMap<&'static str, (&Hint, u64)> = BTreeMap::new();
    let mut by_asks: Vec<&ClientHints> = of_clients.iter().collect();
    let asks = |client: &Address| gathered.clients.get(client).map_or(0, Dealings::asks);
    by_asks.sort_by_key(|hints| u64::MAX - asks(&hints.client));
    let hints = by_asks.iter().flat_map(|client| &client.hints);
    for hint in hints.filter(|hint| hint.leaning == Leaning::Serious) {
        found.entry(hint.code).or_insert((hint, 0)).1 += 1;
    }
    let said = found.into_values().map(|(hint, clients)| match clients {
        1 => hint.clone(),
        _ => {
            let others = words::count(clients - 1, "other client", "other clients");
            let least = if gathered.more_clients { "at least " } else { "" };
            Hint { words: format!("{}; likewise {least}{others}", hint.words), ..hint.clone() }
        }
    });
    said.collect()
}

fn sort(hints: &mut [Hint]) {
    hints.sort_by_key(|hint| BY_WEIGHT.iter().position(|code| *code == hint.code));
}
