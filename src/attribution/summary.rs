//! What was seen of each indicator and client, over the whole capture.

use std::collections::{BTreeMap, VecDeque};

use super::clock::Clock;
use super::host_context::HostContext;
use super::{Asks, Attribution, Client, Place, Way, way};
use crate::contact::Contact;
use crate::flow::{Address, Mac};
use crate::frame::FrameId;
use crate::identity::{Hostname, Source};
use crate::indicator::{Indicator, IndicatorId, IndicatorKind, Indicators, ListId};
use crate::resolution::Role;
use crate::time::Timestamp;

/// How many pairs of indicator and client are kept. Lookups of further ones are counted, and the coverage section says so.
/// A row takes some 600 octets, and whoever forges senders can make as many as there are addresses.
const ROWS_MAX: usize = 1 << 18;
/// How many of a client's latest answers are kept.
const LAST_ANSWERS_MAX: usize = 16;
/// How many names of the client itself are kept with a row.
const HOSTNAMES_MAX: usize = 8;
/// How many of the names that a client asked are kept with a row.
const NAMES_MAX: usize = 20;

/// One client's dealings with one indicator.
#[derive(Clone, Debug)]
pub struct SummaryRow {
    /// How many of its questions led there. One question that the resolver tried upstream many times
    /// is one.
    pub asks: u64,
    /// Its first question.
    pub first: Timestamp,
    /// Its last.
    pub last: Timestamp,
    /// What it asked, by first appearance; at most 20 names.
    pub names: Vec<String>,
    /// The parts it had.
    pub roles: Vec<Role>,
    /// The most telling way by which one of its questions came there.
    pub way: Way,
    /// The highest confidence, in thousandths.
    pub confidence_permille: u16,
    /// The link-layer address of its questions, and whether it is a router's.
    pub mac: Option<Mac>,
    /// See `mac`.
    pub is_router_mac: bool,
    /// What it was called when it asked last.
    pub hostname: Option<Hostname>,
    /// What the same source called it when it asked before, at most 8 names: its address changed hands.
    pub other_hostnames: Vec<String>,
    /// Whether it connected to what one of its last answers gave it: its first connection.
    pub contact: Contact,
    /// What it was called at each of its questions, as far as was known then.
    seen_hostnames: Vec<(Source, String)>,
    /// The last answers to it, until one of them is known to have led to a connection.
    last_answers: VecDeque<FrameId>,
    /// The last questions counted, so that what they set off more than once counts once.
    last_asks: Asks,
}

/// An entry that the lists do not hold any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unlisted {
    /// As [`Indicator::value`].
    pub value: String,
    /// What it stood for.
    pub kind: IndicatorKind,
    /// The name of the list it stood in, and its line there.
    pub list: String,
    /// See `list`.
    pub line: u32,
}

impl Unlisted {
    fn of(indicators: &Indicators, id: IndicatorId) -> Option<Unlisted> {
        let Indicator { value, kind, list, line, .. } = indicators.get(id)?;
        let list = indicators.list_name(list).to_owned();
        Some(Unlisted { value: value.to_owned(), kind, list, line })
    }

    /// As it was; which list that was, its id does not tell any more.
    pub fn indicator(&self) -> Indicator<'_> {
        let Unlisted { value, kind, line, .. } = self;
        let (list, description, confidence) = (ListId(0), None, None);
        Indicator { value, kind: *kind, list, line: *line, description, confidence }
    }
}

/// Rows for each indicator and client. They lie apart: leaves of a tree that grows at one end are half empty.
#[derive(Debug)]
pub struct Summary {
    rows: BTreeMap<(IndicatorId, Address), Box<SummaryRow>>,
    /// Those of what is not listed any more.
    unlisted: BTreeMap<(Unlisted, Address), Box<SummaryRow>>,
    rows_max: usize,
    /// How many lookups of clients are in no row for lack of room.
    left_out: u64,
}

impl Default for Summary {
    fn default() -> Summary {
        Summary {
            rows: BTreeMap::new(),
            unlisted: BTreeMap::new(),
            rows_max: ROWS_MAX,
            left_out: 0,
        }
    }
}

impl SummaryRow {
    fn new(client: &Client) -> SummaryRow {
        SummaryRow {
            asks: 0,
            first: client.asked_time,
            last: client.asked_time,
            // Most clients ask one thing, once: more room is taken when it is needed.
            names: Vec::with_capacity(1),
            roles: Vec::with_capacity(1),
            way: Way::Server,
            confidence_permille: 0,
            mac: None,
            is_router_mac: false,
            hostname: None,
            other_hostnames: Vec::new(),
            seen_hostnames: Vec::new(),
            contact: Contact::default(),
            last_answers: VecDeque::with_capacity(1),
            last_asks: Asks::default(),
        }
    }

    /// Counts a question of the client.
    fn add(&mut self, client: &Client, place: Place, way: Option<Way>) {
        self.note_host(client, place);
        self.way = way.map_or(self.way, |way| way.min(self.way));
        self.asks += u64::from(self.last_asks.is_new(client.question));
        self.first = self.first.min(client.asked_time);
        self.last = self.last.max(client.asked_time);
        self.confidence_permille = self.confidence_permille.max(client.confidence_permille);
        let known = self.names.iter().any(|name| name.eq_ignore_ascii_case(&client.asked));
        if !known && self.names.len() < NAMES_MAX {
            self.names.push(client.asked.clone());
        }
        if !self.roles.contains(&client.role) {
            self.roles.push(client.role);
            self.roles.sort_unstable();
        }
    }

    /// Notes who the client is, and what came of its answer.
    fn note_host(&mut self, client: &Client, place: Place) {
        if client.asked_time >= self.last {
            self.hostname.clone_from(&client.hostname);
            self.mac = client.mac;
            self.is_router_mac = client.is_router_mac;
        }
        if let Some(hostname) = &client.hostname {
            let seen = (hostname.source, hostname.name.clone());
            if self.seen_hostnames.len() < HOSTNAMES_MAX && !self.seen_hostnames.contains(&seen) {
                self.seen_hostnames.push(seen);
            }
        }
        self.contact.learn(&client.contact);
        let answer = client.answer_frame;
        if !place.is_server() && answer.is_some() && !self.last_answers.contains(&answer) {
            self.last_answers.push_back(answer);
            if self.last_answers.len() > LAST_ANSWERS_MAX {
                self.last_answers.pop_front();
            }
        }
    }

    /// Two names by one source are two hosts; by two sources they may be one host's.
    fn tell_hosts_apart(&mut self) {
        let Some(hostname) = &self.hostname else { return };
        let others =
            std::mem::take(&mut self.seen_hostnames).into_iter().filter(|(source, name)| {
                *source == hostname.source && !name.eq_ignore_ascii_case(&hostname.name)
            });
        self.other_hostnames = others.map(|(_, name)| name).collect();
    }
}

impl Summary {
    /// Keeps at most so many pairs.
    pub(super) fn limit(&mut self, rows: usize) {
        self.rows_max = rows;
    }

    /// Gives the rows the ids of lists that were read anew, and takes back those of what is listed again. Of two that become
    /// one, which stood in two lists, that stays which counted more.
    pub(super) fn relist(
        &mut self,
        old: &Indicators,
        new: &Indicators,
        mut anew: impl FnMut(IndicatorId) -> Option<IndicatorId>,
    ) {
        let put = |rows: &mut BTreeMap<_, Box<SummaryRow>>, key, row: Box<SummaryRow>| {
            let known = rows.get(&key).map_or(0, |known| known.asks);
            if row.asks >= known {
                rows.insert(key, row);
            }
        };
        for ((id, client), row) in std::mem::take(&mut self.rows) {
            match (anew(id), Unlisted::of(old, id)) {
                (Some(id), _) => put(&mut self.rows, (id, client), row),
                (None, Some(entry)) => drop(self.unlisted.insert((entry, client), row)),
                (None, None) => self.left_out += 1,
            }
        }
        for ((entry, client), row) in std::mem::take(&mut self.unlisted) {
            match new.find(&entry.indicator(), &entry.list) {
                Some(id) => put(&mut self.rows, (id, client), row),
                None => drop(self.unlisted.insert((entry, client), row)),
            }
        }
    }

    /// Looks once more at names and contacts: the capture is at its end, and more is known. From now on times
    /// are stamps.
    pub(super) fn complete(&mut self, surroundings: &HostContext, clock: &Clock) {
        let rows = self.rows.iter_mut().map(|((_, client), row)| (client, row));
        let unlisted = self.unlisted.iter_mut().map(|((_, client), row)| (client, row));
        for (client, row) in rows.chain(unlisted) {
            let mac = row.mac.filter(|_| !row.is_router_mac);
            row.hostname = surroundings.hostname(*client, mac, row.last);
            row.tell_hosts_apart();
            for answer in std::mem::take(&mut row.last_answers) {
                row.contact.learn(&surroundings.contact(*client, answer));
            }
            clock.stamp_row(row);
        }
    }

    /// A client's row.
    pub fn row(&self, indicator: IndicatorId, client: Address) -> Option<&SummaryRow> {
        self.rows.get(&(indicator, client)).map(Box::as_ref)
    }

    /// Counts an attribution of what is not listed any more, by the lists that held it.
    pub(super) fn add_unlisted(&mut self, attribution: &Attribution, old: &Indicators) {
        let Some(entry) = Unlisted::of(old, attribution.indicator) else { return };
        let room = self.rows_max.saturating_sub(self.rows.len());
        self.left_out += add_to(&mut self.unlisted, room, &entry, attribution, old);
    }

    /// Counts an attribution of what is listed.
    pub(super) fn add(&mut self, attribution: &Attribution, indicators: &Indicators) {
        let room = self.rows_max.saturating_sub(self.unlisted.len());
        let id = attribution.indicator;
        self.left_out += add_to(&mut self.rows, room, &id, attribution, indicators);
    }

    /// The rows of what is not listed any more.
    pub fn unlisted(&self) -> impl Iterator<Item = (&Unlisted, Address, &SummaryRow)> {
        self.unlisted.iter().map(|((entry, client), row)| (entry, *client, row.as_ref()))
    }

    /// The rows, by indicator in list order, then by client.
    pub fn rows(&self) -> impl Iterator<Item = (IndicatorId, Address, &SummaryRow)> {
        self.rows.iter().map(|((indicator, client), row)| (*indicator, *client, row.as_ref()))
    }

    /// How many lookups of clients went uncounted for lack of room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Counts an attribution in the rows of each client and what was flagged, of which there may be so many. Returns for how many
/// clients there was no room.
fn add_to<PendingHits: Clone + Ord>(
    rows: &mut BTreeMap<(PendingHits, Address), Box<SummaryRow>>,
    room: usize,
    flagged: &PendingHits,
    attribution: &Attribution,
    indicators: &Indicators,
) -> u64 {
    let indicator = indicators.get(attribution.indicator);
    let mut left_out = 0;
    for client in &attribution.clients {
        let key = (flagged.clone(), client.address);
        if rows.len() >= room && !rows.contains_key(&key) {
            left_out += 1;
            continue;
        }
        let row = rows.entry(key).or_insert_with(|| Box::new(SummaryRow::new(client)));
        let way = indicator.map(|indicator| way(attribution, client, indicator));
        row.add(client, attribution.sighting.place, way);
    }
    left_out
}
