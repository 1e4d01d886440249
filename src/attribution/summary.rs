//! What was seen of each indicator and client, over the whole capture.

use std::collections::{BTreeMap, VecDeque};

use super::clock::Clock;
use super::surroundings::Surroundings;
use super::{Asks, Attribution, Client, Place, Verdict};
use crate::contact::Contact;
use crate::flow::{Address, Mac};
use crate::frame::FrameId;
use crate::identity::{Hostname, Source};
use crate::indicator::IndicatorId;
use crate::resolution::Role;
use crate::time::Timestamp;

/// How many pairs of indicator and client are kept; beyond it only counted.
const ROWS_MAX: usize = 1 << 20;
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
    /// The highest confidence, in thousandths.
    pub confidence_permille: u16,
    /// The link-layer address of its questions, and whether it is a router's.
    pub mac: Option<Mac>,
    /// See `mac`.
    pub is_router_mac: bool,
    /// The VLAN that its questions were tagged with.
    pub vlan: Option<u16>,
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

/// Rows for each indicator and client, and counts of verdicts.
#[derive(Debug)]
pub struct Summary {
    rows: BTreeMap<(IndicatorId, Address), SummaryRow>,
    rows_max: usize,
    verdicts: BTreeMap<Verdict, u64>,
    left_out: u64,
}

impl Default for Summary {
    fn default() -> Summary {
        Summary {
            rows: BTreeMap::new(),
            rows_max: ROWS_MAX,
            verdicts: BTreeMap::new(),
            left_out: 0,
        }
    }
}

impl SummaryRow {
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
        self.vlan = self.vlan.or(client.vlan);
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

    /// Gives the rows the ids of lists that were read anew. Rows of what is not listed any more are left out.
    pub(super) fn relist(&mut self, mut anew: impl FnMut(IndicatorId) -> Option<IndicatorId>) {
        for ((id, client), row) in std::mem::take(&mut self.rows) {
            match anew(id) {
                Some(id) => drop(self.rows.insert((id, client), row)),
                None => self.left_out += 1,
            }
        }
    }

    /// Looks once more at names and contacts: the capture is at its end, and more is known. From now on times
    /// are stamps.
    pub(super) fn complete(&mut self, surroundings: &Surroundings, clock: &Clock) {
        for ((_, client), row) in &mut self.rows {
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
        self.rows.get(&(indicator, client))
    }

    /// Counts a verdict on what is not listed any more.
    pub(super) fn count_unlisted(&mut self, attribution: &Attribution) {
        *self.verdicts.entry(attribution.verdict).or_default() += 1;
        self.left_out += attribution.clients.len() as u64;
    }

    /// Counts an attribution.
    pub(super) fn add(&mut self, attribution: &Attribution) {
        *self.verdicts.entry(attribution.verdict).or_default() += 1;
        for client in &attribution.clients {
            let key = (attribution.indicator, client.address);
            if !self.rows.contains_key(&key) && self.rows.len() >= self.rows_max {
                self.left_out += 1;
                continue;
            }
            let row = self.rows.entry(key).or_insert_with(|| SummaryRow {
                asks: 0,
                first: client.asked_time,
                last: client.asked_time,
                names: Vec::new(),
                roles: Vec::new(),
                confidence_permille: 0,
                mac: None,
                is_router_mac: false,
                vlan: None,
                hostname: None,
                other_hostnames: Vec::new(),
                seen_hostnames: Vec::new(),
                contact: Contact::default(),
                last_answers: VecDeque::new(),
                last_asks: Asks::default(),
            });
            row.note_host(client, attribution.sighting.place);
            row.asks += u64::from(row.last_asks.is_new(client.question));
            row.first = row.first.min(client.asked_time);
            row.last = row.last.max(client.asked_time);
            row.confidence_permille = row.confidence_permille.max(client.confidence_permille);
            let known = row.names.iter().any(|name| name.eq_ignore_ascii_case(&client.asked));
            if !known && row.names.len() < NAMES_MAX {
                row.names.push(client.asked.clone());
            }
            if !row.roles.contains(&client.role) {
                row.roles.push(client.role);
                row.roles.sort_unstable();
            }
        }
    }

    /// The rows, by indicator in list order, then by client.
    pub fn rows(&self) -> impl Iterator<Item = (IndicatorId, Address, &SummaryRow)> {
        self.rows.iter().map(|((indicator, client), row)| (*indicator, *client, row))
    }

    /// How many attributions had a verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// How many clients' dealings went uncounted for lack of room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}
