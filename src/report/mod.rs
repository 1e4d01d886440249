//! The answer, in formats for people and for programs.
//!
//! A [`Report`] receives each attribution once it is settled and, at the end, the totals of the capture. JSON
//! lines are written as they come; the text for people is folded and written at the end.
//!
//! `said` has the sentences that all pages for people share, `text` and `html` are these pages, `lines` is what `live`
//! prints as it happens, and `records` are the formats for programs.

mod html;
mod internal;
mod lines;
mod records;
mod text;
mod weighed;
mod wording;

use std::io;

use crate::alert::{Answer, Notice, Suspect};
use crate::attribution::{
    Assessment, Attribution, Complaint, Coverage, Packets, Summary, Verdicts, is_listed_itself,
};
use crate::contact::{Connection, Contact};
use crate::flow::Address;
use crate::frame::FrameId;
use crate::indicator::{Indicator, IndicatorId, Indicators};
use crate::packet::ReassemblyCounters;
use crate::pipeline::DecodeCounters;
use crate::time::{Span, Timestamp, Zone};

pub use html::Html;
pub use internal::Internal;
pub use lines::{AnnouncementLog, Lines};
pub use records::{Answers, Cef, Csv, Eve, Jsonl, Syslog, Zeek, write_message};
pub(crate) use records::{csv_cell, csv_writer};
#[cfg(feature = "tui")]
pub(crate) use text::HostNames;
pub use text::{Look, Text, Ticket};
#[cfg(feature = "tui")]
pub(crate) use weighed::Weight;
pub(crate) use wording::words::{duration, percent, step as step_in_words};
#[cfg(feature = "tui")]
pub(crate) use wording::{
    ink::{Ink, Words},
    words,
};

/// One output format of the answer.
pub trait Report {
    /// Takes a sighting and the clients behind it.
    ///
    /// # Errors
    /// When the output cannot be written to.
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()>;

    /// Takes the totals of the capture, and writes what is not yet written.
    ///
    /// # Errors
    /// When the output cannot be written to.
    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()>;

    /// Whether the person at the terminal reads here what was damaged, so that it need not be said again.
    fn shows_damage(&self) -> bool {
        false
    }
}

/// What a report's attributions speak of.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What was looked for.
    pub indicators: &'a Indicators,
    /// Where.
    pub files: &'a Files,
    /// The zone in which times are said to people.
    pub zone: &'a Zone,
}

impl<'a> Subject<'a> {
    /// What an alert's destination, which may be a URL or have a mark before it, stands for.
    fn flagged(&self, answer: &Answer) -> Option<Indicator<'a>> {
        answer.indicator.and_then(|id| self.indicators.get(id))
    }

    /// Whether a client asked for what was flagged or a name below it, and not for something that only led there.
    fn asked_itself(&self, client: &Suspect, answer: &Answer) -> bool {
        let asked = |flagged| client.asked.iter().any(|asked| is_listed_itself(asked, flagged));
        self.flagged(answer).is_some_and(asked)
    }
}

/// The totals of the capture.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// What was seen of each indicator and client.
    pub summary: &'a Summary,
    /// The hints for each indicator that was seen, in list order.
    pub assessments: &'a [Assessment],
    /// The firewall's alerts and their answers; none if no alerts were given.
    pub answers: &'a [Answer],
    /// The networks whose clients may be named.
    pub internal: &'a Internal,
    /// The number of attributions, by verdict.
    pub verdicts: Verdicts,
    /// What the capture showed.
    pub coverage: &'a Coverage,
    /// What it lacked.
    pub lacked: &'a CaptureLacked,
}

impl Ending<'_> {
    /// What is to be weighed of an indicator.
    pub fn assessment(&self, indicator: IndicatorId) -> Option<&Assessment> {
        let place = self.assessments.binary_search_by_key(&indicator, |known| known.indicator);
        self.assessments.get(place.ok()?)
    }

    /// The resolver that an address belongs to, by its first address.
    fn resolver(&self, address: Address) -> Address {
        let mut resolvers = self.coverage.resolvers.iter();
        let own = resolvers.find(|resolver| resolver.addresses.contains(&address));
        own.and_then(|resolver| resolver.addresses.first()).copied().unwrap_or(address)
    }

    /// What only alerts are about that name no destination that can be one: it is spoken of nowhere else.
    fn misdirected(&self) -> impl Iterator<Item = IndicatorId> {
        let answers = self.answers.iter().filter(|answer| answer.basis.is_misdirected);
        answers.filter_map(|answer| answer.indicator)
    }

    /// Whether the capture shows that a client connected to what an alert flags; see [`Ending::connection`].
    fn has_connected(&self, client: Address, answer: &Answer) -> bool {
        self.connection(client, answer).is_some()
    }

    /// When a client connected to what an alert flags, and whether that was before it asked for it then: best after
    /// that, else at another time.
    fn connected(&self, client: &Suspect, answer: &Answer) -> Option<(Timestamp, bool)> {
        let then = client.connected.map(|at| (at, false));
        then.or_else(|| {
            let at = self.connection(client.address, answer)?.time;
            Some((at, at < client.first))
        })
    }

    /// A client's first connection to an address that an answer about an alert's destination held, at the alert's
    /// time or another.
    fn connection(&self, client: Address, answer: &Answer) -> Option<&Connection> {
        match &self.summary.row(answer.indicator?, client)?.contact {
            Contact::Yes(connection) => Some(connection),
            Contact::Elsewhere(_) | Contact::No | Contact::NotVisible => None,
        }
    }
}

/// The names of the input files, to say which one a frame stands in when there are several.
#[derive(Clone, Debug, Default)]
pub struct Files(pub Vec<String>);

impl Files {
    /// The name of a frame's file, if there are several to choose from.
    pub fn of(&self, frame: FrameId) -> Option<&str> {
        let several = self.0.len() > 1 && frame.is_some();
        self.0.get(usize::from(frame.file())).filter(|_| several).map(String::as_str)
    }
}

/// What the reader and decoder can say of a capture's gaps.
#[derive(Clone, Debug, Default)]
pub struct CaptureLacked {
    /// What the frames were.
    pub decoded: DecodeCounters,
    /// What was made of fragments and streams.
    pub reassembled: ReassemblyCounters,
    /// Addresses that were declared to be a resolver's, and not seen.
    pub resolvers_unseen: Vec<Address>,
    /// What was damaged, a sentence each.
    pub damage: Vec<String>,
    /// What was left out of directories that were to be read, and may hold packets, a sentence each.
    pub left_out: Vec<String>,
    /// What of the alerts could not be read: rows, and times of others.
    pub alerts_unread: Vec<Notice>,
    /// What is looked for and flags far more than anybody can have meant, and why: `com (it is a whole top-level domain)`.
    pub too_broad: Vec<String>,
    /// What frames had to pass to be read, in libpcap's language.
    pub filter: Option<String>,
    /// The files to whose times something was added, and what.
    pub shifts: Vec<(String, Span)>,
    /// What is wrong with what the mirror port shows, the worst first.
    pub complaints: Vec<Complaint>,
    /// What was lost between the mirror port and the answer.
    pub dropped: Dropped,
    /// Whether the run was ended early.
    pub interrupted: bool,
}

/// What was lost between the mirror port and the answer, in a run that listens; all 0 in one that reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many packets came, and were lost.
    pub packets: Packets,
    /// Lines of answers that an output lost, since it was slow or full.
    pub output_lines: u64,
}

impl CaptureLacked {
    /// Rows of the alerts that could not be read, and have no answer.
    fn rows_unread(&self) -> impl Iterator<Item = &Notice> {
        self.alerts_unread.iter().filter(|notice| notice.rows_unread() > 0)
    }

    /// How many these are.
    fn rows_unread_count(&self) -> u64 {
        self.rows_unread().map(Notice::rows_unread).sum()
    }

    /// Packets of which fragments never came.
    fn fragments_given_up(&self) -> u64 {
        self.reassembled.packets_given_up()
    }

    /// Gaps in TCP streams, and streams that were forgotten.
    fn stream_gaps(&self) -> u64 {
        self.reassembled.stream_gaps()
    }
}
