//! The firewall's own alerts, and the answer to each.
//!
//! [`Alerts::load`] reads a table pasted from the firewall's page, its log, or an export. The destinations become
//! indicators; [`AlertMatcher`] collects their sightings and matches them to each alert:
//!
//! 1. A name matches itself. Names below it count only if it was not seen, if it was only asked about on the way to
//!    them, or if nobody can be named for it.
//! 2. The host that the alert blames selects the DNS server. If the capture does not have it, because it is a name or an
//!    address behind address translation, all servers count, and a note says so. If the alert blames a client, nobody
//!    else is named.
//! 3. An alert with a time matches what was seen then; the difference between the firewall's clock and the capture's is
//!    estimated from the alerts themselves ([`Clock`]). While it is unknown, the alert matches lookups at exactly its
//!    time, and clients that asked within a minute of it are mentioned. A time that occurred twice, because clocks were
//!    set back, is searched at both. An alert that covers a period matches everything in it, and does not help to
//!    estimate the clock. One without a time matches the whole capture.
//! 4. If nothing matches, the nearest thing seen is named.

mod clock;
mod load;
mod matcher;
mod nearest;
mod period_match;
mod scope;
mod sightings;
mod target;
mod time_match;
mod zones;

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::attribution::{ChainStep, Verdict};
use crate::flow::Address;
use crate::identity::Hostname;
use crate::indicator::IndicatorId;
use crate::resolution::Role;
use crate::time::Timestamp;

pub use clock::Clock;
pub(crate) use clock::moments;
pub use load::{AlertFormat, Alerts, LoadError, Notice, UnreadPart, name_asked};
pub use matcher::AlertMatcher;
pub use scope::address_in;
pub use target::{refused, refused_beforehand};
pub use zones::Zones;

/// A row of the firewall's table or log: it says that a host talked to a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alert {
    /// Its file.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// The number in its row, or its position among the file's alerts, from 1.
    pub number: u32,
    /// Its text, as written.
    pub text: String,
    /// Its time by the firewall's clock; tables have none.
    pub time: Option<Timestamp>,
    /// The end of its period, if it covers one: a date without a time, or a first and a last time.
    pub until: Option<Timestamp>,
    /// Its other possible time, if clocks were set back and showed that time twice.
    pub again: Option<Timestamp>,
    /// Whether the time had no zone and was taken as local.
    pub is_local: bool,
    /// Whether its time has fractions of a second.
    pub is_time_fine: bool,
    /// Whether it has a time that could not be read.
    pub is_time_unread: bool,
    /// The firewall that raised it, if a file covers several: each has its own clock.
    pub device: Option<String>,
    /// The host it blames, as written: an address, or a name that the firewall uses.
    pub host: Option<String>,
    /// What that host talked to, as written: a name or an address.
    pub destination: String,
    /// What the firewall calls the threat.
    pub threat: Option<String>,
    /// How many events the row stands for.
    pub events: Option<u64>,
}

/// The answer to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The alert.
    pub alert: Alert,
    /// The indicator of its destination; none if that is neither a name nor an address.
    pub indicator: Option<IndicatorId>,
    /// Whether a client is named for it; none if nothing in the capture matches it.
    pub verdict: Option<Verdict>,
    /// The clients behind it, at most 100: first those whose question made a DNS server ask, then by
    /// confidence.
    pub clients: Vec<Suspect>,
    /// Why nobody is named, or other remarks, as text.
    pub reason: Option<String>,
    /// If nothing matches: the nearest thing seen, as text.
    pub nearest: Option<String>,
    /// The ids of the matching attributions, at most 20.
    pub attributions: Vec<String>,
    /// What the answer is based on.
    pub basis: Basis,
}

/// What an answer is based on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// The number of sightings.
    pub sightings: u64,
    /// Whether its destination was seen where the alert says, but at other times only.
    pub is_of_other_times: bool,
    /// Where it was seen at other times only: with which options those would be its own, its time naming no zone; the
    /// likeliest first.
    pub zones: Vec<String>,
    /// Whether its time is minutes or more before the capture or behind it, so that it cannot be answered; not if it would
    /// fit in another zone.
    pub is_of_another_day: bool,
    /// Likewise whether it is of a time from which the capture has nothing, and from when to when that is.
    pub gap: Option<(Timestamp, Timestamp)>,
    /// Where the alert has a time: all clients that asked about then, whether or not that answers it.
    pub asked_then: Option<Rc<BTreeSet<Address>>>,
    /// Whether it is one of the capture's own DNS servers, or no destination at all: what it should have been
    /// is said as the reason.
    pub is_misdirected: bool,
    /// When the alert was, by the capture's clock; none if it has no time.
    pub time: Option<Timestamp>,
    /// Until when, if it is of longer than a moment.
    pub until: Option<Timestamp>,
    /// The difference of the clocks that was used; none if the alert has no time.
    pub clock: Option<Clock>,
    /// What it may be off by, a sentence each: a host that is not in the capture, a name of which only
    /// names below it were seen.
    pub notes: Vec<String>,
}

/// A client named for an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Its address.
    pub address: Address,
    /// What it was called when it asked last.
    pub hostname: Option<Hostname>,
    /// The strongest part it had.
    pub role: Role,
    /// How sure it is that the alert is of it, in thousandths; of who was answered from the cache, that it asked.
    pub confidence_permille: u16,
    /// How sure it is that what it asked led there, whatever the alert's time fits to, in thousandths.
    pub asked_permille: u16,
    /// Whether one of its questions was seen to make a server ask.
    pub is_upstream: bool,
    /// What it asked, at most 20 names.
    pub asked: Vec<String>,
    /// How many of its questions led there.
    pub asks: u64,
    /// From the first of these names to what was flagged.
    pub chain: Vec<ChainStep>,
    /// Its first and last question that led there.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// When it first connected to an address that the answer to one of them held, as far as was known when that
    /// was settled.
    pub connected: Option<Timestamp>,
    /// The ids of the attributions that name it, at most 20.
    pub attributions: Vec<String>,
}
