//! Cases: what one client had to do with one indicator, as frames and what each of them is.

use std::collections::BTreeMap;

use crate::attribution::{Attribution, Client, Step, Verdict};
use crate::contact::Contact;
use crate::flow::Address;
use crate::frame::FrameId;
use crate::indicator::IndicatorId;
use crate::number::count;
use crate::report::{percent, step_in_words};
use crate::resolution::Leg;
use crate::time::Timestamp;

/// How many cases are kept; sightings that would need a further one are only counted.
const CASES_MAX: usize = 4_096;
/// How many frames a case takes; further sightings of it are only counted. The first stay: they show how it
/// began, and more of the same shows nothing new.
const CASE_FRAMES_MAX: usize = 1_000;
/// How many frames all cases take together.
const FRAMES_MAX: usize = 200_000;
/// How many remarks a frame takes: one that many sightings share says it for the first.
const REMARKS_MAX: usize = 6;
/// How many ids of attributions are kept with a case.
const IDS_MAX: usize = 20;

/// Whose case it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// A client's.
    Client(Address),
    /// Nobody is named: no client, or it cannot be told.
    Nobody,
}

/// The frames of one client and indicator.
#[derive(Debug)]
pub(super) struct Case {
    /// Each frame, and what it is.
    pub frames: BTreeMap<FrameId, Vec<String>>,
    /// How many sightings there were, and of how many the frames had no room.
    pub sightings: u64,
    pub left_out: u64,
    /// The time of the first question and of the last.
    pub first: Timestamp,
    pub last: Timestamp,
    /// The first attributions.
    pub ids: Vec<String>,
    /// The last of all ids.
    latest: String,
    verdicts: Vec<Verdict>,
    confidence_permille: u16,
}

impl Case {
    fn new(time: Timestamp) -> Case {
        Case {
            frames: BTreeMap::new(),
            sightings: 0,
            left_out: 0,
            first: time,
            last: time,
            ids: Vec::new(),
            latest: String::new(),
            verdicts: Vec::new(),
            confidence_permille: 0,
        }
    }

    /// The verdicts of its sightings.
    pub fn verdicts(&self) -> String {
        let verdicts: Vec<&str> = self.verdicts.iter().map(|verdict| verdict.as_str()).collect();
        verdicts.join(" ")
    }

    /// What it is about, for the file's own comment.
    pub fn about(&self) -> String {
        let sure = match self.confidence_permille {
            0 => String::new(),
            permille => format!(", at best {} sure", percent(permille)),
        };
        let left = match self.left_out {
            0 => String::new(),
            left => format!(
                "; the frames of {} are omitted",
                count(left, "further lookup", "further lookups")
            ),
        };
        let more = if self.sightings > self.ids.len() as u64 { " and more" } else { "" };
        format!(
            "{}{sure}; {} from {} to {}{left}; attributions {}{more}",
            self.verdicts(),
            count(self.sightings, "lookup", "lookups"),
            self.first,
            self.last,
            self.ids.join(" "),
        )
    }

    /// Takes the frames of a sighting; how many of them were new.
    fn add(
        &mut self,
        attribution: &Attribution,
        client: Option<&Client>,
        room: usize,
    ) -> Option<usize> {
        let time = client.map_or(attribution.sighting.time, |client| client.asked_time);
        // One can name a client for two of its questions.
        let is_known = self.latest == attribution.id;
        if !is_known {
            self.latest.clone_from(&attribution.id);
            self.sightings += 1;
        }
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        if !is_known && self.ids.len() < IDS_MAX {
            self.ids.push(attribution.id.clone());
        }
        if !self.verdicts.contains(&attribution.verdict) {
            self.verdicts.push(attribution.verdict);
            self.verdicts.sort_unstable();
        }
        let confidence = client.map_or(0, |client| client.confidence_permille);
        self.confidence_permille = self.confidence_permille.max(confidence);
        let remarks = remarks(attribution, client);
        let room = room.min(CASE_FRAMES_MAX.saturating_sub(self.frames.len()));
        let new = remarks.iter().filter(|(frame, _)| !self.frames.contains_key(frame)).count();
        if new > room {
            self.left_out += 1;
            return None;
        }
        let before = self.frames.len();
        for (frame, remark) in remarks {
            let known = self.frames.entry(frame).or_default();
            if known.len() < REMARKS_MAX && !known.contains(&remark) {
                known.push(remark);
            }
        }
        Some(self.frames.len() - before)
    }
}

/// All cases.
#[derive(Debug, Default)]
pub(super) struct Cases {
    cases: BTreeMap<(IndicatorId, Who), Case>,
    frames: usize,
    /// How many sightings of further clients had no room.
    pub left_out: u64,
}

impl Cases {
    /// Adds an attribution to the case of each of its clients, or to that of nobody.
    pub fn add(&mut self, attribution: &Attribution) {
        if attribution.clients.is_empty() {
            self.add_one(attribution, None);
        }
        for client in &attribution.clients {
            self.add_one(attribution, Some(client));
        }
    }

    fn add_one(&mut self, attribution: &Attribution, client: Option<&Client>) {
        let who = client.map_or(Who::Nobody, |client| Who::Client(client.address));
        let key = (attribution.indicator, who);
        if self.cases.len() >= CASES_MAX && !self.cases.contains_key(&key) {
            self.left_out += 1;
            return;
        }
        let time = client.map_or(attribution.sighting.time, |client| client.asked_time);
        let case = self.cases.entry(key).or_insert_with(|| Case::new(time));
        let room = FRAMES_MAX.saturating_sub(self.frames);
        self.frames += case.add(attribution, client, room).unwrap_or_default();
    }

    /// The cases in the order of the lists, then of the clients.
    pub fn all(&self) -> impl Iterator<Item = (IndicatorId, Who, &Case)> {
        self.cases.iter().map(|((indicator, who), case)| (*indicator, *who, case))
    }

    /// The frames of all cases; some more than once.
    pub fn frames(&self) -> impl Iterator<Item = FrameId> {
        self.cases.values().flat_map(|case| case.frames.keys().copied())
    }
}

/// What each frame of a sighting is.
fn remarks(attribution: &Attribution, client: Option<&Client>) -> Vec<(FrameId, String)> {
    let sighting = &attribution.sighting;
    let mut remarks = Vec::new();
    if let Some(client) = client {
        let (who, role) = (client.address, client.role.as_str());
        let server = client.hops.first().copied().unwrap_or(sighting.resolver);
        let (asked, kind) = (&client.asked, &client.asked_type);
        remarks.push((
            client.asked_frame,
            format!("{who} ({role}) asks {server} for {asked} ({kind})"),
        ));
        let rcode = client.rcode.unwrap_or("cut");
        remarks
            .push((client.answer_frame, format!("{server} answers {who} about {asked}: {rcode}")));
        if let Contact::Yes(connection) | Contact::Elsewhere(connection) = &client.contact {
            let (to, port) = (connection.address, connection.port);
            let transport = connection.transport.as_str().to_ascii_uppercase();
            remarks.push((
                connection.frame,
                format!(
                    "{who} then connects to {to}, {transport} port {port}, which {asked} led to"
                ),
            ));
        }
        for steps in client.chain.windows(2) {
            if let [from, to] = steps {
                let how = how(to.step);
                remarks.push((
                    to.frame,
                    format!("shows that {} leads to {} ({how})", from.name, to.name),
                ));
            }
        }
    }
    if sighting.leg == Leg::Upstream || client.is_none() {
        let (resolver, server) = (sighting.resolver, sighting.server);
        let (name, kind, place) = (&sighting.name, &sighting.rtype, sighting.place.as_str());
        let asker =
            if sighting.leg == Leg::Upstream { resolver.to_string() } else { "somebody".into() };
        remarks.push((
            sighting.frame,
            format!("{asker} asks {server} for {name} ({kind}), flagged by its {place}"),
        ));
        let rcode = sighting.rcode.unwrap_or("cut");
        remarks.push((
            sighting.response_frame,
            format!("{server} answers {asker} about {name}: {rcode}"),
        ));
    }
    remarks.retain(|(frame, _)| frame.is_some());
    remarks
}

/// A kind of step in words.
fn how(step: Step) -> &'static str {
    match step {
        Step::Alias => "alias",
        Step::Server => "the server that was asked",
        other => step_in_words(other).unwrap_or(other.as_str()),
    }
}
