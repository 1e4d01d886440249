//! Captures held against indicators: what `read` and `explain` have in common.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use ipnet::IpNet;

use super::output::{is_closed_pipe, stop_on_interrupt};
use super::progress::Bar;
use super::settings::Input;
use super::{Outcome, say};
use crate::alert::Answering;
use crate::attribution::{Attribution, Attributor, Coverage, Summary};
use crate::capture::Reader;
use crate::flow::Address;
use crate::indicator::Indicators;
use crate::message::{Message, Messages};
use crate::name::NameHasher;
use crate::pipeline::{Decoder, Keeper, MessageSink, Stop, run as run_pipeline};
use crate::report::{CaptureLacked, Ending, Files, Internal, Report, Subject, Verdicts};
use crate::resolution::{Limits, Resolution, Roles};
use crate::transaction::Transactions;

/// What is analysed, and what is known beforehand.
#[derive(Debug)]
pub struct Analysis {
    /// The captures.
    pub input: Input,
    /// The DNS servers that were declared, each with its addresses.
    pub resolvers: Vec<Vec<Address>>,
    /// The networks whose hosts may be named; all if there is none.
    pub internal: Vec<IpNet>,
}

/// The attributor, with its attributions going to a report.
struct Sink<'a> {
    attributor: Attributor,
    answer: Answer<'a>,
    stop: &'a Stop,
}

/// The reports, and what was handed to them.
struct Answer<'a> {
    reports: Vec<Box<dyn Report + 'a>>,
    answering: &'a mut dyn Answering,
    /// Whether it wants every message.
    is_watching: bool,
    internal: Internal,
    verdicts: Verdicts,
    failed: Option<io::Error>,
}

impl Answer<'_> {
    fn take(&mut self, mut attribution: Attribution) {
        self.internal.withhold(&mut attribution);
        self.verdicts.add(attribution.verdict);
        self.answering.take(&attribution);
        for report in &mut self.reports {
            if self.failed.is_none() {
                self.failed = report.attribution(&attribution).err();
            }
        }
    }

    fn end(
        &mut self,
        summary: &Summary,
        coverage: &Coverage,
        lacked: &CaptureLacked,
    ) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let answers = self.answering.answers(coverage);
        let ending = Ending {
            summary,
            assessments: &[],
            answers: &answers,
            internal: &self.internal,
            verdicts: self.verdicts,
            coverage,
            lacked,
        };
        self.reports.iter_mut().try_for_each(|report| report.end(&ending))
    }
}

impl Sink<'_> {
    fn finish(&mut self) {
        let answer = &mut self.answer;
        self.attributor.finish(&mut |attribution| answer.take(attribution));
    }
}

impl MessageSink for Sink<'_> {
    fn take(&mut self, messages: &Messages, message: &Message) {
        let answer = &mut self.answer;
        if answer.is_watching {
            answer.answering.see(messages, message);
        }
        self.attributor.take(messages, message, &mut |attribution| answer.take(attribution));
        if answer.failed.is_some() {
            self.stop.set();
        }
    }
}

/// Reads the captures, holds them against `indicators`, and hands each attribution to `answering` and
/// to the reports that `reports` makes.
///
/// # Errors
/// When no capture can be opened, or a report cannot be written.
pub fn run(
    analysis: Analysis,
    hasher: NameHasher,
    indicators: Arc<Indicators>,
    answering: &mut dyn Answering,
    reports: impl for<'a> FnOnce(Subject<'a>) -> anyhow::Result<Vec<Box<dyn Report + 'a>>>,
) -> anyhow::Result<Outcome> {
    let input = analysis.input;
    let mut reader = open(&input)?;
    let stop = stop_on_interrupt();
    let decoder =
        Decoder { ports: input.ports.clone(), hasher, indicators: Some(Arc::clone(&indicators)) };
    let limits = Limits::default();
    let declared: Vec<Address> = analysis.resolvers.iter().flatten().copied().collect();
    let transactions = Transactions::new(limits.transactions, input.ports.clone());
    let resolution = Resolution::new(limits, transactions, Roles::new(analysis.resolvers), hasher);
    let attributor =
        Attributor::new(resolution, Arc::clone(&indicators), limits.transactions.transactions);
    let files = file_names(&input.files);
    let subject = Subject { indicators: &indicators, files: &files };
    let answer = Answer {
        reports: reports(subject)?,
        is_watching: answering.watches(),
        answering,
        internal: Internal::new(analysis.internal),
        verdicts: Verdicts::default(),
        failed: None,
    };
    let sink = Sink { attributor, answer, stop: &stop };
    let mut keeper = Keeper::new(decoder.clone(), sink);
    let bar = Bar::new(&reader, input.shows_progress);
    run_pipeline(&mut reader, &decoder, &mut keeper, input.workers, &stop);
    bar.finish();
    let (decoded, reassembled) = keeper.counters();
    let mut sink = keeper.sink;
    sink.finish();
    let coverage = sink.attributor.coverage();
    let lacked = CaptureLacked {
        decoded,
        reassembled,
        resolvers_unseen: unseen(&declared, &coverage),
        damage: reader.damage().iter().map(ToString::to_string).collect(),
        interrupted: stop.is_set(),
    };
    match sink.answer.end(sink.attributor.summary(), &coverage, &lacked) {
        Err(error) if is_closed_pipe(&error) => {}
        other => other.context("cannot write the answer")?,
    }
    for damage in &lacked.damage {
        say(&format!("whoasked: {damage}"));
    }
    let unreadable = unreadable(&lacked);
    if let Some(why) = unreadable {
        say(&format!("whoasked: {why}"));
    }
    Ok(match (lacked.damage.is_empty() && unreadable.is_none(), sink.answer.verdicts.total()) {
        (false, _) => Outcome::Failed,
        (true, 0) => Outcome::Clean,
        (true, _) => Outcome::Flagged,
    })
}

/// Why nothing can be concluded from a capture in which nothing is flagged; an all-clear would be a lie.
fn unreadable(lacked: &CaptureLacked) -> Option<&'static str> {
    let decoded = &lacked.decoded;
    if decoded.frames > 0 && decoded.messages == 0 {
        Some("there is no DNS message in the capture, so it says nothing either way")
    } else if decoded.malformed * 2 > decoded.messages {
        Some(
            "most DNS messages in the capture are cut or malformed, so it says little: capture whole \
             packets (tcpdump -s 0)",
        )
    } else {
        None
    }
}

/// The declared addresses that no message came from or went to.
fn unseen(declared: &[Address], coverage: &Coverage) -> Vec<Address> {
    let seen = |address: &Address| coverage.resolvers.iter().any(|r| r.addresses.contains(address));
    declared.iter().copied().filter(|address| !seen(address)).collect()
}

/// Opens the captures, filtered if need be.
pub fn open(input: &Input) -> anyhow::Result<Reader> {
    let reader = Reader::open(&input.files)?;
    Ok(match &input.filter {
        Some(expression) => reader.with_filter(expression)?,
        None => reader,
    })
}

/// What the files are called in the output.
pub fn file_names(files: &[PathBuf]) -> Files {
    Files(files.iter().map(|path| path.to_string_lossy().into_owned()).collect())
}
