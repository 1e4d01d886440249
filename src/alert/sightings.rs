//! What was seen of the alerts' destinations, kept until all alerts can be answered.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;

use super::Suspect;
use super::scope::Scope;
use crate::attribution::{Attribution, ChainStep, Client, Place, QuestionId, Step, Verdict};
use crate::flow::{Address, Mac};
use crate::identity::Hostname;
use crate::indicator::IndicatorId;
use crate::resolution::{Leg, Role};
use crate::time::Timestamp;

/// How many sightings of one destination are kept whatever they show; beyond it only those about the time of an alert, and
/// those that show a client for the first time.
const OF_ONE_MAX: usize = 1 << 12;
/// How many are kept of one destination that are about the time of an alert,
const NEAR_OF_ONE_MAX: usize = 1 << 14;
/// and how many of all destinations. Beyond it they are counted, but for those that show a client for the first time:
/// whoever makes up names by the thousand must not hide what others asked for.
const SIGHTINGS_MAX: usize = 1 << 16;
/// How many clients are kept, those of each destination for themselves.
const CLIENTS_MAX: usize = 1 << 16;
/// How many ways (a client and what it asked) are kept of one destination, and of all. Of what a client that is known
/// already asks beyond it, the first stands for all.
const PATHS_OF_ONE_MAX: usize = 1 << 12;
const PATHS_MAX: usize = 1 << 15;
/// How many clients of one sighting are kept.
const PARTS_MAX: usize = 64;
/// How many reasons of one destination are told apart.
const REASONS_MAX: usize = 16;
/// From so much on it is certain, in thousandths.
const CERTAIN_PERMILLE: u16 = 990;
/// How many clients an answer names.
const SUSPECTS_MAX: usize = 100;
/// How many names asked for are kept with a client.
const NAMES_MAX: usize = 20;
/// How many ids of attributions are kept with an answer.
const IDS_MAX: usize = 20;

/// A sighting, in short.
#[derive(Debug)]
pub(super) struct SightingRecord {
    pub time: Timestamp,
    pub resolver: Address,
    pub is_upstream: bool,
    pub subject: SightingSubject,
    verdict: Verdict,
    parts: Vec<ClientPart>,
    /// The destination is the server that was asked.
    is_server: bool,
    /// Why nobody is named: which of the reasons.
    reason: Option<usize>,
    id: String,
}

impl SightingRecord {
    /// Whether a client had a part in it.
    pub(super) fn is_of_somebody(&self) -> bool {
        !self.parts.is_empty()
    }
}

/// What a sighting of a destination is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SightingSubject {
    /// The destination itself.
    Itself,
    /// The same, but a server asked about it on its way down to a name below it (RFC 9156).
    OnTheWay,
    /// A name below it.
    Below,
}

/// A client's part in it.
#[derive(Clone, Copy, Debug)]
struct ClientPart {
    path: usize,
    role: Role,
    confidence_permille: u16,
    time: Timestamp,
    question: QuestionId,
    connected: Option<Timestamp>,
    /// The link-layer address that its question came from, if it is known to be no router's.
    mac: Option<Mac>,
}

/// What a client asked, and where that led.
#[derive(Debug)]
struct ClientPath {
    client: Address,
    asked: String,
    chain: Vec<ChainStep>,
    hostname: Option<Hostname>,
}

/// What was seen of one destination.
#[derive(Debug, Default)]
pub(super) struct DestinationSightings {
    pub sightings: Vec<SightingRecord>,
    paths: Vec<ClientPath>,
    path_of: HashMap<ClientPathKey, usize>,
    /// Who had a part in any of it.
    clients: BTreeSet<Address>,
    /// From which link-layer addresses the questions of each client came, as far as these are no router's.
    macs: BTreeMap<Address, BTreeSet<Mac>>,
    reasons: Vec<String>,
    /// Sightings for which there was no room,
    pub left_out: u64,
    /// and whether any of these is about the time of an alert.
    pub lacks_near: bool,
}

/// Who asked what, and what it was called then.
type ClientPathKey = (Address, String, Option<String>);

impl DestinationSightings {
    /// The clients that are called so.
    pub(super) fn clients_called(&self, name: &str) -> BTreeSet<Address> {
        let is_it = |called: &Hostname| called.is_called(name);
        let paths = self.paths.iter().filter(|path| path.hostname.as_ref().is_some_and(is_it));
        paths.map(|path| path.client).collect()
    }

    /// How many names were asked for by which these sightings came about, if the destination is the server that was asked in
    /// all of them.
    pub(super) fn names_at_server<'s>(
        &self,
        of: impl Iterator<Item = &'s SightingRecord>,
    ) -> usize {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for record in of {
            if !record.is_server {
                return 0;
            }
            let paths = record.parts.iter().filter_map(|part| self.paths.get(part.path));
            names.extend(paths.map(|path| path.asked.as_str()));
        }
        names.len()
    }

    /// Whether a client had a part in any of it.
    pub(super) fn has_client(&self, client: Address) -> bool {
        self.clients.contains(&client)
    }

    /// The way of a client's question, if it is known, or if it has no room and that of another such stands for it.
    fn path(&self, client: &Client, has_room: bool) -> Option<usize> {
        let overflow_key = || self.path_of.get(&overflow_path_key(client)).filter(|_| !has_room);
        self.path_of.get(&path_key(client)).or_else(overflow_key).copied()
    }

    fn add_path(&mut self, client: &Client, has_room: bool) -> usize {
        let key = if has_room { path_key(client) } else { overflow_path_key(client) };
        self.path_of.insert(key, self.paths.len());
        self.paths.push(ClientPath {
            client: client.address,
            asked: client.asked.clone(),
            chain: client.chain.clone(),
            hostname: client.hostname.clone(),
        });
        self.paths.len() - 1
    }

    /// The clients that had a part in some of it.
    pub(super) fn clients<'s>(
        &self,
        of: impl Iterator<Item = &'s SightingRecord>,
    ) -> BTreeSet<Address> {
        let parts = of.flat_map(|record| &record.parts);
        parts.filter_map(|part| self.paths.get(part.path)).map(|path| path.client).collect()
    }

    /// The clients that had a part in each of it.
    pub(super) fn behind_all<'s>(
        &self,
        mut of: impl Iterator<Item = &'s SightingRecord>,
    ) -> BTreeSet<Address> {
        let first = of.next().map(|record| self.clients(std::iter::once(record)));
        of.fold(first.unwrap_or_default(), |all, record| {
            let clients = self.clients(std::iter::once(record));
            all.intersection(&clients).copied().collect()
        })
    }

    /// Of the clients behind some sightings of which questions for the destination came from several machines' link-layer
    /// addresses: which these are, and from which of them came those behind these sightings.
    pub(super) fn several_macs(
        &self,
        of: &[&SightingRecord],
    ) -> Vec<(Address, BTreeSet<Mac>, BTreeSet<Mac>)> {
        let mut these: BTreeMap<Address, BTreeSet<Mac>> = BTreeMap::new();
        for part in of.iter().flat_map(|record| &record.parts) {
            let client = self.paths.get(part.path).map(|path| path.client);
            if let (Some(client), Some(mac)) = (client, part.mac) {
                these.entry(client).or_default().insert(mac);
            }
        }
        let several = |client: &Address| self.macs.get(client).filter(|macs| macs.len() > 1);
        let these = these.into_iter();
        these.filter_map(|(client, own)| Some((client, several(&client)?.clone(), own))).collect()
    }

    /// Whether a sighting is within a scope.
    pub(super) fn is_within(&self, record: &SightingRecord, scope: &Scope) -> bool {
        match scope {
            Scope::All => true,
            Scope::Resolver(addresses) => addresses.contains(&record.resolver),
            Scope::Client(clients) => record.parts.iter().any(|part| {
                self.paths.get(part.path).is_some_and(|path| clients.contains(&path.client))
            }),
        }
    }
}

/// All of it, by destination.
#[derive(Debug, Default)]
pub(super) struct SightingStore {
    seen: BTreeMap<IndicatorId, DestinationSightings>,
    sightings: usize,
    paths: usize,
    clients: usize,
}

impl SightingStore {
    /// What was seen of a destination.
    pub(super) fn of(&self, indicator: IndicatorId) -> Option<&DestinationSightings> {
        self.seen.get(&indicator)
    }

    /// What a client was called when it was last seen to ask for a destination.
    pub(super) fn hostname_of(&self, client: Address) -> Option<&Hostname> {
        let mut paths = self.seen.values().flat_map(|seen| seen.paths.iter().rev());
        paths.find_map(|path| path.hostname.as_ref().filter(|_| path.client == client))
    }

    /// Keeps a sighting. `name` is the destination, if it is a name; `is_near` says that it is about the time of an alert.
    pub(super) fn take(&mut self, attribution: &Attribution, name: Option<&str>, is_near: bool) {
        let seen = self.seen.entry(attribution.indicator).or_default();
        let clients = attribution.clients.get(..PARTS_MAX).unwrap_or(&attribution.clients);
        let is_new = |client: &Client| !seen.has_client(client.address);
        let shows_somebody_new = self.clients < CLIENTS_MAX && clients.iter().any(is_new);
        let of_one_max = if is_near { NEAR_OF_ONE_MAX } else { OF_ONE_MAX };
        let has_room = self.sightings < SIGHTINGS_MAX && seen.sightings.len() < of_one_max;
        if !has_room && !shows_somebody_new {
            seen.left_out += 1;
            seen.lacks_near |= is_near;
            return;
        }
        let mut parts = Vec::new();
        for client in clients {
            let is_new = !seen.has_client(client.address);
            if is_new && self.clients >= CLIENTS_MAX {
                continue;
            }
            self.clients += usize::from(seen.clients.insert(client.address));
            let has_room = is_new || self.paths < PATHS_MAX && seen.paths.len() < PATHS_OF_ONE_MAX;
            let path = seen.path(client, has_room).unwrap_or_else(|| {
                self.paths += 1;
                seen.add_path(client, has_room)
            });
            parts.push(ClientPart {
                path,
                role: client.role,
                confidence_permille: client.confidence_permille,
                time: client.asked_time,
                question: client.question,
                connected: client.connected_at(),
                mac: client.own_mac(),
            });
        }
        if parts.is_empty() && !clients.is_empty() {
            seen.left_out += 1;
            seen.lacks_near |= is_near;
            return;
        }
        let reason = attribution.reason.as_ref().and_then(|reason| {
            let known = seen.reasons.iter().position(|known| known == reason);
            if known.is_none() && seen.reasons.len() < REASONS_MAX {
                seen.reasons.push(reason.clone());
                return Some(seen.reasons.len() - 1);
            }
            known
        });
        for part in &parts {
            if let (Some(path), Some(mac)) = (seen.paths.get(part.path), part.mac) {
                seen.macs.entry(path.client).or_default().insert(mac);
            }
        }
        self.sightings += 1;
        seen.sightings.push(SightingRecord {
            time: attribution.sighting.time,
            resolver: attribution.sighting.resolver,
            is_upstream: attribution.sighting.leg == Leg::Upstream,
            subject: name.map_or(SightingSubject::Itself, |name| subject(attribution, name)),
            verdict: attribution.verdict,
            parts,
            is_server: attribution.sighting.place == Place::Server,
            reason,
            id: attribution.id.clone(),
        });
    }
}

fn path_key(client: &Client) -> ClientPathKey {
    let called = client.hostname.as_ref().map(|hostname| hostname.name.to_ascii_lowercase());
    (client.address, client.asked.to_ascii_lowercase(), called)
}

/// The key of all that a client asked for which there was no room, whatever it was called then.
fn overflow_path_key(client: &Client) -> ClientPathKey {
    (client.address, String::new(), None)
}

/// What a sighting of a name, or of one below it, is about. Where no chain shows what was reached, it counts as the name
/// itself.
fn subject(attribution: &Attribution, name: &str) -> SightingSubject {
    let sighting = &attribution.sighting;
    let mut ends = attribution.clients.iter().filter_map(|client| client.chain.last()).peekable();
    let is_itself = match sighting.place {
        Place::Qname => sighting.name.eq_ignore_ascii_case(name),
        _ if ends.peek().is_none() => true,
        _ => ends.clone().any(|step| step.name.eq_ignore_ascii_case(name)),
    };
    match is_itself {
        true if ends.peek().is_some() && ends.all(|end| end.step == Step::Ancestor) => {
            SightingSubject::OnTheWay
        }
        true => SightingSubject::Itself,
        false => SightingSubject::Below,
    }
}

/// What some sightings come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub verdict: Option<Verdict>,
    pub clients: Vec<Suspect>,
    pub reason: Option<String>,
    pub ids: Vec<String>,
    pub sightings: u64,
    /// Of how many nobody is named, though somebody is of others; and why, of the first.
    pub unnamed: u64,
    pub why_unnamed: Option<String>,
    /// How many clients there was no room to name.
    pub more_clients: usize,
}

impl Outcome {
    /// The same with nobody named, as it cannot be told who is meant.
    pub(super) fn undecided(self, reason: String) -> Outcome {
        let Outcome { ids, sightings, .. } = self;
        let verdict = Some(Verdict::Undetermined);
        Outcome { verdict, reason: Some(reason), ids, sightings, ..Outcome::default() }
    }
}

/// Brings sightings of one destination together.
pub(super) fn outcome(
    seen: &DestinationSightings,
    of: &[&SightingRecord],
    scope: &Scope,
) -> Outcome {
    let mut suspects: BTreeMap<Address, (Suspect, BTreeSet<QuestionId>)> = BTreeMap::new();
    let mut out = Outcome { sightings: of.len() as u64, ..Outcome::default() };
    let mut verdict: Option<Verdict> = None;
    for record in of {
        // The verdicts in their order: attributed, no client, undetermined. Of the last two, the one
        // that admits to knowing less is said.
        if record.verdict != Verdict::Attributed {
            out.unnamed += 1;
            if verdict.is_none_or(|known| known < record.verdict) {
                verdict = Some(record.verdict);
                out.why_unnamed =
                    record.reason.and_then(|reason| seen.reasons.get(reason)).cloned();
            }
        }
        if out.ids.len() < IDS_MAX {
            out.ids.push(record.id.clone());
        }
        for part in &record.parts {
            let Some(path) = seen.paths.get(part.path) else { continue };
            if matches!(scope, Scope::Client(clients) if !clients.contains(&path.client)) {
                continue;
            }
            let (suspect, asks) = suspects
                .entry(path.client)
                .or_insert_with(|| (suspect(path, part), BTreeSet::new()));
            add_part(suspect, asks, path, part);
            // An alert that blames a client is of what that asked itself.
            suspect.is_upstream |= record.is_upstream || matches!(scope, Scope::Client(_));
            let is_known = suspect.attributions.last() == Some(&record.id);
            if !is_known && suspect.attributions.len() < IDS_MAX {
                suspect.attributions.push(record.id.clone());
            }
        }
    }
    out.verdict = if suspects.is_empty() { verdict } else { Some(Verdict::Attributed) };
    if suspects.is_empty() {
        out.reason = out.why_unnamed.take();
        out.unnamed = 0;
    }
    out.clients = suspects.into_values().map(|(suspect, _)| suspect).collect();
    out.clients.sort_by_key(|suspect| {
        let made_ask = !matches!(suspect.role, Role::Initiator | Role::Refresh);
        // Who is certain comes in the order of time: the last thousandths tell nobody whom to look at.
        let sure = std::cmp::Reverse(suspect.confidence_permille.min(CERTAIN_PERMILLE));
        (made_ask, sure, suspect.first, suspect.address)
    });
    out.more_clients = out.clients.len().saturating_sub(SUSPECTS_MAX);
    out.clients.truncate(SUSPECTS_MAX);
    out
}

fn suspect(path: &ClientPath, part: &ClientPart) -> Suspect {
    Suspect {
        address: path.client,
        hostname: path.hostname.clone(),
        role: part.role,
        confidence_permille: 0,
        asked_permille: 0,
        is_upstream: false,
        asked: Vec::new(),
        asks: 0,
        chain: path.chain.clone(),
        first: part.time,
        last: part.time,
        connected: None,
        attributions: Vec::new(),
    }
}

fn add_part(
    suspect: &mut Suspect,
    asks: &mut BTreeSet<QuestionId>,
    path: &ClientPath,
    part: &ClientPart,
) {
    suspect.confidence_permille = suspect.confidence_permille.max(part.confidence_permille);
    suspect.asked_permille = suspect.confidence_permille;
    suspect.first = suspect.first.min(part.time);
    if part.time >= suspect.last {
        suspect.last = part.time;
        suspect.hostname = path.hostname.clone().or_else(|| suspect.hostname.take());
    }
    suspect.connected = [suspect.connected, part.connected].into_iter().flatten().min();
    if strength(part.role) < strength(suspect.role) {
        suspect.role = part.role;
    }
    if asks.insert(part.question) {
        suspect.asks += 1;
    }
    let known = suspect.asked.iter().any(|name| name.eq_ignore_ascii_case(&path.asked));
    if !known && suspect.asked.len() < NAMES_MAX {
        suspect.asked.push(path.asked.clone());
    }
}

/// The strongest part first: whose question made the server ask, whose set off a refresh, who waited for
/// the same answer, who got it from the cache.
fn strength(role: Role) -> u8 {
    match role {
        Role::Initiator => 0,
        Role::Refresh => 1,
        Role::Joiner => 2,
        Role::Cached => 3,
    }
}

#[cfg(test)]
impl DestinationSightings {
    /// Of lookups of one destination at these times, each with the clients behind it.
    pub(super) fn of_lookups(lookups: &[(Timestamp, &[&str])]) -> DestinationSightings {
        let mut seen = DestinationSightings::default();
        for (time, clients) in lookups {
            let parts = clients.iter().map(|client| {
                let client = client.parse::<std::net::IpAddr>().unwrap().into();
                seen.paths.push(ClientPath {
                    client,
                    asked: String::new(),
                    chain: Vec::new(),
                    hostname: None,
                });
                ClientPart {
                    path: seen.paths.len() - 1,
                    role: Role::Initiator,
                    confidence_permille: 995,
                    time: *time,
                    question: QuestionId::new(
                        crate::frame::FrameId::new(0, seen.paths.len() as u64),
                        0,
                    ),
                    connected: None,
                    mac: None,
                }
            });
            let parts: Vec<ClientPart> = parts.collect();
            let verdict =
                if parts.is_empty() { Verdict::Undetermined } else { Verdict::Attributed };
            seen.sightings.push(SightingRecord {
                time: *time,
                resolver: "10.0.0.53".parse::<std::net::IpAddr>().unwrap().into(),
                is_upstream: true,
                subject: SightingSubject::Itself,
                verdict,
                parts,
                is_server: false,
                reason: None,
                id: String::new(),
            });
        }
        seen
    }
}

#[cfg(test)]
mod tests;
