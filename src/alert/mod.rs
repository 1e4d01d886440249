//! The firewall's own alerts, and the answer to each.

use crate::attribution::{Attribution, Verdict};
use crate::flow::Address;
use crate::indicator::IndicatorId;
use crate::time::Timestamp;

/// A row of the firewall's table or log: it says that a host talked to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The file it stands in.
    pub file: String,
    /// Where, from 1.
    pub line: u32,
    /// As it stands there.
    pub text: String,
    /// When, by the firewall's clock; tables have no times.
    pub time: Option<Timestamp>,
    /// The host it blames, as written: an address or a name of the firewall's own.
    pub host: Option<String>,
    /// What that host talked to, as written: a name or an address.
    pub destination: String,
    /// What the firewall calls the threat.
    pub threat: Option<String>,
    /// How many events the row stands for.
    pub events: Option<u64>,
}

/// What the capture says of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The alert.
    pub alert: Alert,
    /// What it was held against; none if its destination is neither name nor address.
    pub indicator: Option<IndicatorId>,
    /// Whether somebody is named for it; none if nothing in the capture answers it.
    pub verdict: Option<Verdict>,
    /// The clients behind it, the surest first.
    pub clients: Vec<Suspect>,
    /// Why nobody is named, or what else should be known, in words.
    pub reason: Option<String>,
    /// Where nothing answers it: the nearest thing seen, in words.
    pub nearest: Option<String>,
    /// The ids of the attributions it was answered from, at most 20.
    pub attributions: Vec<String>,
}

/// A client named for an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Its address.
    pub address: Address,
    /// The highest confidence in it, in thousandths.
    pub confidence_permille: u16,
    /// What it asked, at most 20 names.
    pub asked: Vec<String>,
    /// Its first and last question that led there.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
}

/// Collects what there is to say of alerts while attributions are settled.
pub trait Answering {
    /// Takes an attribution.
    fn take(&mut self, attribution: &Attribution);

    /// The answer to each alert, in their order: the capture is at its end.
    fn answers(&mut self) -> Vec<Answer>;
}

/// Where no alerts were given.
impl Answering for () {
    fn take(&mut self, _: &Attribution) {}

    fn answers(&mut self) -> Vec<Answer> {
        Vec::new()
    }
}
