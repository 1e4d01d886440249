//! What a scenario file says, as it is written: hosts, zones, questions, and the faults of the capture.
//!
//! Unknown keys are errors, so a typing mistake does not silently make another capture.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// One scenario: `scenarios/NAME.toml`, with the zones of the files it includes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name without its ending, which names the capture too.
    #[serde(skip)]
    pub name: String,
    /// The hard case in half a line.
    pub title: String,
    /// What happens, for a reader.
    pub story: String,
    /// What whoasked must say.
    pub must_say: String,
    /// The capture begins at this instant (RFC 3339).
    pub start: String,
    /// Feeds every random choice: ports, ids, latencies, background.
    #[serde(default)]
    pub seed: u64,
    /// Indicators as an admin lists them: `name`, `=name` or an address.
    pub flagged: Vec<String>,
    /// Files of `scenarios/world/` whose zones exist here too.
    #[serde(default)]
    pub include: Vec<String>,
    /// Groups of hosts behind a router, seen with its MAC: `floor2 = ["ben", "carla"]`.
    #[serde(default)]
    pub routed: BTreeMap<String, Vec<String>>,
    /// Who asks.
    #[serde(default)]
    pub client: Vec<Client>,
    /// The boxes in the middle.
    pub resolver: Vec<Resolver>,
    /// Servers that resolve everything for a resolver: the provider's, the firewall's.
    #[serde(default)]
    pub forwarder: Vec<Forwarder>,
    /// The names of the world.
    #[serde(default)]
    pub zone: Vec<Zone>,
    /// What the firewall swallows.
    #[serde(default)]
    pub drop: Vec<Drop>,
    /// Who asks what, when.
    #[serde(default)]
    pub ask: Vec<Ask>,
    /// Harmless questions strewn in between.
    #[serde(default)]
    pub background: Vec<Background>,
    /// What hosts send beside DNS.
    #[serde(default)]
    pub beside: Vec<Beside>,
    /// Where and how badly it was captured.
    #[serde(default)]
    pub capture: Capture,
}

/// A host that asks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name in this file.
    pub name: String,
    /// Its addresses; a question leaves from the one of the resolver's family.
    pub addresses: Vec<IpAddr>,
    /// The UDP size it offers in EDNS; 0 for none.
    #[serde(default)]
    pub edns: u16,
}

/// A caching resolver, and how its software behaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolver {
    /// Its name in this file.
    pub name: String,
    /// Where it listens; the first address of a family is the one it asks from.
    pub addresses: Vec<IpAddr>,
    /// From where it asks, when not from `addresses`.
    #[serde(default)]
    pub asks_from: Vec<IpAddr>,
    /// Whom it asks: empty means it iterates from the root.
    #[serde(default)]
    pub forwarders: Vec<IpAddr>,
    /// Whether it iterates when no forwarder answers.
    #[serde(default)]
    pub root_hints: bool,
    /// Whether it asks for every alias target itself although the forwarder's answer held the chain.
    #[serde(default = "yes")]
    pub requery_targets: bool,
    /// How it hides the rest of a name from the servers above (RFC 9156).
    #[serde(default)]
    pub minimise: Minimise,
    /// Mixes the letter case of what it asks.
    #[serde(default)]
    pub mix_case: bool,
    /// Whether a question joins an equal one in flight.
    #[serde(default = "yes")]
    pub coalesce: bool,
    /// A hit with at most this many seconds left sets off a refresh.
    #[serde(default)]
    pub prefetch_s: i64,
    /// How long an expired record is still served, seconds; serving sets off a refresh.
    #[serde(default)]
    pub stale_s: i64,
    /// How long after the answer a refresh begins, microseconds; negative: it leaves before the answer.
    #[serde(default = "refresh_after_us")]
    pub refresh_after_us: i64,
    /// How long it waits for each try; afterwards it gives up.
    #[serde(default = "retries_ms")]
    pub retries_ms: Vec<i64>,
    /// Whether a client hears SERVFAIL at the end, or nothing.
    #[serde(default = "yes")]
    pub servfail: bool,
    /// After how many seconds at most a client hears that, and nothing more is asked for it.
    pub gives_up_s: Option<f64>,
    /// The UDP size it offers in EDNS; 0 for none.
    #[serde(default = "edns_size")]
    pub edns: u16,
    /// Asks `DS` for the zones on the way.
    #[serde(default)]
    pub validate: bool,
    /// Asks for the missing addresses of the name servers it learns of.
    #[serde(default)]
    pub ns_address_lookups: bool,
    /// Takes any of a zone's servers, not the first.
    #[serde(default)]
    pub any_server: bool,
    /// What it knew before the capture began, TTLs counted from the start: `owner ttl type data`.
    #[serde(default)]
    pub cached: Vec<String>,
}

/// QNAME minimisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Minimise {
    /// The whole name to every server.
    #[default]
    None,
    /// `NS next.zone`, as BIND and Knot.
    Ns,
    /// `A next.zone`, as Unbound and PowerDNS.
    A,
    /// `A _.next.zone`.
    Underscore,
}

/// A server that answers everything, with the whole alias chain.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forwarder {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Round trip, milliseconds.
    #[serde(default = "near_ms")]
    pub rtt_ms: f64,
}

/// A zone and the servers that answer for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Its apex.
    pub name: String,
    /// Its name servers and their addresses. A parent gives glue for those below the parent.
    pub ns: BTreeMap<String, Vec<IpAddr>>,
    /// `owner ttl type data`, names in full, without the last dot.
    #[serde(default)]
    pub records: Vec<String>,
    /// Round trip to its servers, milliseconds.
    #[serde(default = "far_ms")]
    pub rtt_ms: f64,
    /// What its servers need to think, milliseconds.
    #[serde(default)]
    pub slow_ms: f64,
    /// Whether it came from an included file.
    #[serde(skip)]
    pub included: bool,
}

/// An upstream exchange that the firewall swallows. All that is given must hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drop {
    /// `query`: never arrives. `answer`: is answered in vain.
    pub what: Kind,
    /// The question's name, or one above it.
    pub name: Option<String>,
    /// The server.
    pub server: Option<IpAddr>,
    /// A name or address in the answer section.
    pub answer: Option<String>,
}

/// A question or what came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Towards the server.
    Query,
    /// From the server.
    #[serde(alias = "answer")]
    Response,
}

/// A client's question, or with no client the resolver's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// When: seconds from the start, or `"09:30:00.5"` on the day of the start.
    pub at: When,
    /// Who; left out, the resolver asks for itself.
    pub client: Option<String>,
    /// Whom; the first resolver unless said.
    pub resolver: Option<String>,
    /// At which of its addresses; the first unless said.
    pub to: Option<IpAddr>,
    /// What.
    pub name: String,
    /// Of which types; several leave together from one port, as most systems ask A and AAAA.
    #[serde(default = "type_a")]
    pub types: Vec<String>,
    /// The same packet again, so many seconds after the first, while unanswered.
    #[serde(default)]
    pub again: Vec<f64>,
    /// Over TCP; asks with the same word share one connection.
    pub tcp: Option<String>,
}

/// Questions of no interest, spread evenly but for chance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Background {
    /// From.
    pub from: When,
    /// Until.
    pub until: When,
    /// How many.
    pub count: u64,
    /// Asked by any of these; all clients when empty.
    #[serde(default)]
    pub clients: Vec<String>,
    /// Asked at any of these; all resolvers when empty.
    #[serde(default)]
    pub resolvers: Vec<String>,
    /// At which address; the first of the resolver unless said.
    pub to: Option<IpAddr>,
    /// The names; when empty, those of the included zones that lead to nothing flagged.
    #[serde(default)]
    pub names: Vec<String>,
}

/// Something that a host sends beside DNS, with what comes back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// When: as in `ask`.
    pub at: When,
    /// Who.
    pub client: String,
    /// What.
    pub what: Sent,
    /// What it calls itself; its name in this file in capitals unless said.
    pub hostname: Option<String>,
    /// Its link-layer address from then on, when another machine has the address.
    pub mac: Option<[u8; 6]>,
    /// How long an address is leased, in seconds.
    #[serde(default = "eight_hours_s")]
    pub lease_s: u32,
    /// Whom it connects to.
    pub to: Option<IpAddr>,
    /// On which port.
    #[serde(default = "https")]
    pub port: u16,
    /// Whether an answer comes.
    #[serde(default = "yes")]
    pub answered: bool,
    /// The server name in its ClientHello.
    pub server_name: Option<String>,
}

/// What a host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sent {
    /// It asks for an address by DHCP and gets it from the first resolver.
    Lease,
    /// It renews its lease.
    Renew,
    /// It gives its address back.
    Release,
    /// It registers its NetBIOS name.
    Nbns,
    /// It announces its name by multicast DNS.
    Mdns,
    /// It asks for a ticket by its machine account.
    Kerberos,
    /// It opens a TCP connection, with a ClientHello if there is a server name.
    Tcp,
    /// It sends a QUIC datagram.
    Quic,
}

/// A time in a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum When {
    /// Seconds from the start.
    Seconds(f64),
    /// A time of day, on the day of the start.
    Clock(String),
}

/// The mirror port and its lies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    /// The link layer.
    pub link: Link,
    /// The file begins so many seconds after the scenario.
    pub begins_s: f64,
    /// And ends there.
    pub ends_s: Option<f64>,
    /// Octets kept of a frame; 0 for all.
    pub snaplen: u32,
    /// TCP segments carry at most so many octets; 0 for 1460.
    pub mss: usize,
    /// VLAN tag on what goes to a resolver.
    pub vlan_in: Option<u16>,
    /// VLAN tag on what comes from one.
    pub vlan_out: Option<u16>,
    /// What else went wrong, in this order.
    pub fault: Vec<Fault>,
}

/// The link layer of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// Ethernet.
    #[default]
    Ethernet,
    /// Linux "cooked", as tcpdump writes for `-i any`.
    Cooked,
}

/// A fault and the frames it strikes: those for which all that is given holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What happens to them.
    pub fault: FaultKind,
    /// On which leg.
    pub leg: Option<Leg>,
    /// Queries or responses.
    pub kind: Option<Kind>,
    /// The question's name, or one above it.
    pub name: Option<String>,
    /// The host at the client's end.
    pub client: Option<IpAddr>,
    /// Of them, this share by chance.
    pub share: Option<f64>,
    /// Of them, only the first so many.
    pub first: Option<usize>,
    /// By how much a copy or a late frame comes later, microseconds.
    #[serde(default = "copy_after_us")]
    pub by_us: i64,
}

/// What a mirror port does to frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    /// Not in the file.
    Lose,
    /// Twice in the file.
    Copy,
    /// Stamped and written later than it was sent.
    Late,
}

/// A side of the resolver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// Between a client and the resolver.
    Client,
    /// Between the resolver and whom it asks.
    Upstream,
}

/// What `scenarios/world/NAME.toml` holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct World {
    zone: Vec<Zone>,
}

impl Scenario {
    /// Reads a scenario and the zones it includes. A zone of the scenario replaces an included one of its name.
    pub fn load(path: &Path) -> Result<Scenario> {
        let mut scenario: Scenario = read(path)?;
        scenario.name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("").to_owned();
        let world = path.parent().unwrap_or(Path::new(".")).join("world");
        for include in scenario.include.clone() {
            let more: World = read(&world.join(format!("{include}.toml")))?;
            for mut zone in more.zone {
                if !scenario.zone.iter().any(|own| own.name == zone.name) {
                    zone.included = true;
                    scenario.zone.push(zone);
                }
            }
        }
        Ok(scenario)
    }

    /// The first instant, in nanoseconds since the epoch.
    pub fn start_ns(&self) -> Result<i64> {
        let start: jiff::Timestamp = self.start.parse().context("start")?;
        Ok(i64::try_from(start.as_nanosecond())?)
    }

    /// An instant of the scenario, in nanoseconds since the epoch.
    pub fn instant_ns(&self, when: &When) -> Result<i64> {
        let start = self.start_ns()?;
        match when {
            When::Seconds(seconds) => Ok(start + (seconds * 1e9).round() as i64),
            When::Clock(text) => {
                let time: jiff::civil::Time = text.parse().with_context(|| format!("at {text}"))?;
                let day = jiff::Timestamp::from_nanosecond(i128::from(start))?
                    .to_zoned(jiff::tz::TimeZone::UTC)
                    .date();
                let zoned = day.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC)?;
                Ok(i64::try_from(zoned.timestamp().as_nanosecond())?)
            }
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

fn eight_hours_s() -> u32 {
    8 * 3600
}

fn https() -> u16 {
    443
}

fn yes() -> bool {
    true
}

fn refresh_after_us() -> i64 {
    120
}

fn retries_ms() -> Vec<i64> {
    vec![800, 800, 1600]
}

fn edns_size() -> u16 {
    1232
}

fn near_ms() -> f64 {
    3.2
}

fn far_ms() -> f64 {
    14.0
}

fn type_a() -> Vec<String> {
    vec!["A".to_owned()]
}

fn copy_after_us() -> i64 {
    4
}
