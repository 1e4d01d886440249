//! Who is behind what was flagged.
//!
//! A [`Sighting`] is an indicator seen on a leg; an [`Attribution`] is a sighting with its clients, the
//! evidence for each, and a verdict. [`Attributor`] takes messages in capture order and hands out
//! attributions once the clients' intervals have closed.

mod asks;
mod assess;
mod attributor;
mod blamed;
mod chain;
mod clock;
mod coverage;
mod describe;
mod doubt;
mod early;
mod health;
mod held;
mod host_context;
mod losses;
#[cfg(test)]
pub(crate) mod made;
mod relist;
mod sighting;
mod summary;
mod ticks;
mod unended;
mod waiting;

use crate::contact::Contact;
use crate::flow::{Address, Mac, Transport};
use crate::frame::FrameId;
use crate::identity::Hostname;
use crate::indicator::IndicatorId;
use crate::resolution::{Leg, NoClientReason, Role};
use crate::time::Timestamp;

pub use asks::{Asks, QuestionId};
pub use assess::{
    Assessment, Assessor, ClientHints, FOR_OTHERS, Hint, Leaning, Way, is_listed_itself, way,
};
pub use attributor::Attributor;
pub use blamed::Called;
pub use chain::{ChainStep, Step};
pub use coverage::{Coverage, LatencyCoverage, NatCoverage, ResolverCoverage, ServerCoverage};
pub use doubt::Doubt;
pub use health::{COMPLAINTS, Complaint, Health, MayName, Packets, ReadFile, complaints_of};
pub use summary::{Summary, SummaryRow, Unlisted};

/// Where on a leg an indicator was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// It is the name asked for.
    Qname,
    /// An alias in the answer leads to it; or, with no answer, is known to lead to it.
    Alias,
    /// It is the TargetName of an HTTPS or SVCB record in the answer (RFC 9460).
    Target,
    /// It is an address in the answer, or one that such a record hints at.
    Address,
    /// It is the address that was asked.
    Server,
    /// It is a name server named in the response.
    Nameserver,
}

impl Place {
    /// Whether it is a server that was asked on the way, or might have been: not what a client was led to.
    pub fn is_server(self) -> bool {
        matches!(self, Place::Server | Place::Nameserver)
    }

    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Qname => "qname",
            Place::Alias => "alias",
            Place::Target => "target",
            Place::Address => "address",
            Place::Server => "server",
            Place::Nameserver => "nameserver",
        }
    }
}

/// What can be said of a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// One or more clients are behind it.
    Attributed,
    /// It is the resolver's own work.
    NoClient,
    /// It cannot be told.
    Undetermined,
}

impl Verdict {
    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Attributed => "attributed",
            Verdict::NoClient => "no-client",
            Verdict::Undetermined => "undetermined",
        }
    }
}

/// How many attributions there were of each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// With a client.
    pub attributed: u64,
    /// The resolver's own work.
    pub no_client: u64,
    /// It cannot be told.
    pub undetermined: u64,
}

impl Verdicts {
    /// Counts one.
    pub fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Attributed => self.attributed += 1,
            Verdict::NoClient => self.no_client += 1,
            Verdict::Undetermined => self.undetermined += 1,
        }
    }

    /// All of them: 0 when nothing was flagged.
    pub fn total(self) -> u64 {
        self.attributed + self.no_client + self.undetermined
    }
}

/// Whether more may become known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The client's interval is still open.
    Provisional,
    /// Settled.
    Final,
    /// It was provisional, and turned out to be part of what is said of an upstream query, or to lead elsewhere.
    Superseded,
}

impl State {
    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Provisional => "provisional",
            State::Final => "final",
            State::Superseded => "superseded",
        }
    }
}

/// An indicator seen on a leg.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// On which leg.
    pub leg: Leg,
    /// Where on it.
    pub place: Place,
    /// The frame of the query; none when it was not captured.
    pub frame: FrameId,
    /// When the query was sent; when it was not captured, when the response was.
    pub time: Timestamp,
    /// The resolver: server of a client leg, client of an upstream leg.
    pub resolver: Address,
    /// Who was asked.
    pub server: Address,
    /// By UDP or TCP.
    pub transport: Transport,
    /// The name asked for, as it was written.
    pub name: String,
    /// The type asked for.
    pub rtype: String,
    /// The frame of the response.
    pub response_frame: FrameId,
    /// The response's code, where there is a response.
    pub rcode: Option<&'static str>,
    /// Whether it was answered.
    pub outcome: Outcome,
}

/// Whether a query was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was.
    Answered,
    /// No response was seen.
    Unanswered,
    /// It was told to ask again by TCP (RFC 1035, 4.1.1: TC).
    Truncated,
}

impl Outcome {
    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Unanswered => "unanswered",
            Outcome::Truncated => "truncated",
        }
    }
}

/// A client's part in a sighting, and what shows it.
#[derive(Clone, Debug)]
pub struct Client {
    /// Which question was its.
    pub question: QuestionId,
    /// Its address.
    pub address: Address,
    /// The port it asked from.
    pub port: u16,
    /// What it had to do with it.
    pub role: Role,
    /// The probability that this is right, in thousandths.
    pub confidence_permille: u16,
    /// What it asked, as it wrote it.
    pub asked: String,
    /// The type it asked for.
    pub asked_type: String,
    /// The frame of its question; none when it was not captured.
    pub asked_frame: FrameId,
    /// When it asked; when that was not captured, when it was answered.
    pub asked_time: Timestamp,
    /// The frame of its answer.
    pub answer_frame: FrameId,
    /// The code of its answer, where there is one.
    pub rcode: Option<&'static str>,
    /// From its question to what was flagged.
    pub chain: Vec<ChainStep>,
    /// The resolvers its question passed before the one that asked upstream, nearest first.
    pub hops: Vec<Address>,
    /// The link-layer source of its question; none when it has none.
    pub mac: Option<Mac>,
    /// Whether that is a router's address: other hosts' questions came from it too.
    pub is_router_mac: bool,
    /// The VLAN its question was tagged with.
    pub vlan: Option<u16>,
    /// What it was called at the time.
    pub hostname: Option<Hostname>,
    /// Whether it then connected, as far as is known by now.
    pub contact: Contact,
}

impl Client {
    /// Whether it is known to have connected.
    pub fn is_connected(&self) -> bool {
        self.connected_at().is_some()
    }

    /// When it connected, if it is known to have.
    pub fn connected_at(&self) -> Option<Timestamp> {
        match &self.contact {
            Contact::Yes(connection) => Some(connection.time),
            Contact::Elsewhere(_) | Contact::No | Contact::NotVisible => None,
        }
    }
}

/// A sighting with its clients and a verdict.
#[derive(Clone, Debug)]
pub struct Attribution {
    /// The same in provisional and final state, and in every run over the same input.
    pub id: String,
    /// Shared by the upstream queries that are retries of one another.
    pub resolution_id: String,
    /// Whether more may become known.
    pub state: State,
    /// When the message came in which it was seen, if nothing was said of that yet.
    pub untold_since: Option<Timestamp>,
    /// What can be said.
    pub verdict: Verdict,
    /// If no client is named: why.
    pub unexplained: Option<NoClientReason>,
    /// The same in words.
    pub reason: Option<String>,
    /// Which indicator.
    pub indicator: IndicatorId,
    /// Where it was seen.
    pub sighting: Sighting,
    /// Who is behind it, by the time they asked.
    pub clients: Vec<Client>,
    /// What may make it a false alarm, as words of the output.
    pub doubts: Vec<Doubt>,
}

impl Attribution {
    /// What makes it doubtful, as the output names it.
    pub fn doubt_words(&self) -> impl Iterator<Item = &'static str> {
        self.doubts.iter().map(|doubt| doubt.as_str())
    }
}
