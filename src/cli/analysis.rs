//! Captures held against indicators: what `read` and `explain` have in common.

use std::cell::OnceCell;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;

use super::output::{is_closed_pipe, stop_on_interrupt};
use super::progress::{Bar, Screen};
use super::settings::Input;
use super::{Outcome, say};
use crate::alert::{AlertMatcher, Notice};
use crate::attribution::{Assessor, Attribution, Attributor, Coverage, Verdicts, complaints_of};
use crate::capture::{Reader, key_of, open_pipe};
use crate::flow::Address;
use crate::identity::Inventory;
use crate::indicator::Indicators;
use crate::message::{Message, Messages};
use crate::name::NameHasher;
use crate::packet::{Aside, Ports};
use crate::pipeline::live::now;
use crate::pipeline::{Decoder, MessageSink, Pipe, Sequencer, Stop, run as run_pipeline};
use crate::report::{CaptureLacked, Dropped, Ending, Files, Internal, Report, Subject};
use crate::resolution::{Limits, Resolution, Roles};
use crate::time::{Span, Zone};
use crate::transaction::Transactions;

/// How long what is known is still judged when a run was ended.
const JUDGING: Span = Span::from_secs(5);

/// What is analysed, and what is known beforehand.
#[derive(Debug)]
pub struct Analysis {
    /// The captures.
    pub input: Input,
    /// The DNS servers that were declared, each with its addresses.
    pub resolvers: Vec<Vec<Address>>,
    /// The networks whose hosts may be named; all if there is none.
    pub internal: Vec<IpNet>,
    /// The zone in which times are said.
    pub zone: Zone,
    /// What hosts are called, where the user has that in a file.
    pub inventory: Inventory,
    /// Rows of the alerts that could not be read, a sentence each.
    pub alerts_unread: Vec<Notice>,
}

/// The attributor, with its attributions going to a report.
struct Sink<'a> {
    attributor: Attributor,
    answer: Answer<'a>,
    stop: &'a Stop,
}

/// The reports, and what was handed to them.
struct Answer<'a> {
    /// Each with what it failed by, if it did: the others go on.
    reports: Vec<(Box<dyn Report + 'a>, Option<io::Error>)>,
    /// What answers the alerts, if there are any.
    matcher: Option<&'a mut AlertMatcher>,
    /// Whether that wants every message.
    is_watching: bool,
    assessor: Assessor,
    internal: Internal,
    verdicts: Verdicts,
}

impl Answer<'_> {
    fn take(&mut self, mut attribution: Attribution) {
        self.internal.withhold(&mut attribution);
        self.verdicts.add(attribution.verdict);
        if let Some(matcher) = &mut self.matcher {
            matcher.take(&attribution);
        }
        self.assessor.add(&attribution);
        for (report, failed) in &mut self.reports {
            if failed.is_none() {
                *failed = report.attribution(&attribution).err();
            }
        }
    }

    /// Whether nobody is left to hear the answer.
    fn is_unheard(&self) -> bool {
        self.reports.iter().all(|(_, failed)| failed.is_some())
    }

    /// Ends the reports, and hands out what they failed by, in their order.
    fn end(
        &mut self,
        attributor: &Attributor,
        mut coverage: Coverage,
        lacked: &CaptureLacked,
    ) -> Vec<io::Error> {
        let answers = self.matcher.as_mut().map_or_else(Vec::new, |matcher| {
            coverage.blamed = attributor.clients_among(&matcher.blamed());
            matcher.answers(&coverage)
        });
        let coverage = &coverage.shortened();
        let keeps_time = coverage.clock_set_back == 0;
        let (resolution, summary) = (attributor.resolution(), attributor.summary());
        let assessments = self.assessor.assess(resolution, summary, keeps_time);
        let ending = Ending {
            summary,
            assessments: &assessments,
            answers: &answers,
            internal: &self.internal,
            verdicts: self.verdicts,
            coverage,
            lacked,
        };
        let ended = self.reports.iter_mut().filter_map(|(report, failed)| match failed.take() {
            Some(error) => Some(error),
            None => report.end(&ending).err(),
        });
        ended.collect()
    }
}

impl Sink<'_> {
    /// Judges what is left; of a run that is ended, so much as there is time for.
    fn finish(&mut self) {
        let Sink { attributor, answer, stop } = self;
        let ended = OnceCell::new();
        let is_over = || stop.is_set() && now() - *ended.get_or_init(now) >= JUDGING;
        attributor.finish_until(&is_over, &mut |attribution| answer.take(attribution));
    }
}

impl MessageSink for Sink<'_> {
    fn aside(&mut self, aside: &Aside, payload: &[u8]) {
        let answer = &mut self.answer;
        self.attributor.aside(aside, payload, &mut |attribution| answer.take(attribution));
    }

    fn take(&mut self, messages: &Messages, message: &Message) {
        let answer = &mut self.answer;
        if answer.is_watching
            && let Some(matcher) = &mut answer.matcher
        {
            matcher.see(messages, message);
        }
        self.attributor.take(messages, message, &mut |attribution| answer.take(attribution));
        if answer.is_unheard() {
            self.stop.set();
        }
    }
}

/// Reads the captures, holds them against `indicators`, and hands each attribution to `matcher` and
/// to the reports that `reports` makes.
///
/// # Errors
/// When no capture can be opened, or a report cannot be written.
pub fn run(
    analysis: Analysis,
    hasher: NameHasher,
    indicators: Arc<Indicators>,
    matcher: Option<&mut AlertMatcher>,
    reports: impl for<'a> FnOnce(Subject<'a>) -> anyhow::Result<Vec<Box<dyn Report + 'a>>>,
) -> anyhow::Result<Outcome> {
    let input = analysis.input;
    let screen = Screen::default();
    let stop = stop_on_interrupt(&screen);
    let mut reader = open(&input, &stop)?;
    let mut decoder = Decoder::new(input.ports.clone(), hasher, Some(Arc::clone(&indicators)));
    let is_watching = matcher.as_ref().is_some_and(|matcher| matcher.watches());
    if is_watching {
        decoder.keep_addresses();
    }
    let declared: Vec<Address> = analysis.resolvers.iter().flatten().copied().collect();
    let looked_for = (Arc::clone(&indicators), hasher);
    let attributor =
        attributor(analysis.resolvers, &input.ports, looked_for).with_inventory(analysis.inventory);
    let files = file_names(&input.files);
    let subject = Subject { indicators: &indicators, files: &files, zone: &analysis.zone };
    let answer = Answer {
        reports: reports(subject)?.into_iter().map(|report| (report, None)).collect(),
        is_watching,
        matcher,
        assessor: Assessor::new(Arc::clone(&indicators), analysis.zone.clone()),
        internal: Internal::new(analysis.internal),
        verdicts: Verdicts::default(),
    };
    let sink = Sink { attributor, answer, stop: &stop };
    let mut keeper = Sequencer::new(decoder.clone(), sink);
    let bar = Bar::new(&reader, input.shows_progress, &screen);
    run_pipeline(&mut reader, &mut decoder, &mut keeper, input.workers, &stop);
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
        left_out: input.left_out.clone(),
        alerts_unread: analysis.alerts_unread,
        too_broad: indicators.too_broad().to_vec(),
        filter: input.filter.clone(),
        shifts: input.shifts.iter().map(|(file, by)| (file.display().to_string(), *by)).collect(),
        complaints: complaints_of(
            &coverage,
            &|host| sink.answer.internal.names(host),
            &input.read_files(),
        ),
        dropped: Dropped::default(),
        interrupted: stop.is_set(),
    };
    let failures = sink.answer.end(&sink.attributor, coverage, &lacked);
    let failures: Vec<_> = failures.iter().filter(|error| !is_closed_pipe(error)).collect();
    for failure in &failures {
        say(&format!("whoasked: cannot write the answer: {failure}"));
    }
    if !sink.answer.reports.iter().any(|(report, _)| report.shows_damage()) {
        for damage in &lacked.damage {
            say(&format!("whoasked: {damage}"));
        }
    }
    let unreadable = unreadable(&lacked);
    if let Some(why) = unreadable {
        say(&format!("whoasked: {why}"));
    }
    let is_whole = lacked.damage.is_empty() && unreadable.is_none() && failures.is_empty();
    Ok(match (is_whole, sink.answer.verdicts.total()) {
        (false, _) => Outcome::Failed,
        // Of what was not read nobody can say that there is nothing in it.
        (true, 0) if lacked.interrupted => Outcome::Failed,
        (true, 0) => Outcome::Clean,
        (true, _) => Outcome::Flagged,
    })
}

/// The engine with its usual limits, which looks for these indicators, whose names the hasher hashes.
pub fn attributor(
    resolvers: Vec<Vec<Address>>,
    ports: &Ports,
    (indicators, hasher): (Arc<Indicators>, NameHasher),
) -> Attributor {
    let limits = Limits::default();
    let transactions = Transactions::new(limits.transactions, ports.clone());
    let resolution = Resolution::new(limits, transactions, Roles::new(resolvers), hasher);
    Attributor::new(resolution, indicators)
}

/// Why nothing can be concluded from a capture in which nothing is flagged; an all-clear would be a lie.
fn unreadable(lacked: &CaptureLacked) -> Option<&'static str> {
    let decoded = &lacked.decoded;
    if decoded.frames == 0 && !lacked.interrupted {
        Some(match &lacked.filter {
            Some(_) => "no frame in the capture passes --filter, so nothing can be concluded",
            None => "the capture contains no frames, so nothing can be concluded",
        })
    } else if decoded.frames > 0 && decoded.messages == 0 {
        Some("the capture contains no DNS messages, so nothing can be concluded")
    } else if decoded.malformed * 2 > decoded.messages {
        Some(
            "most DNS messages in the capture are truncated or malformed, so little can be concluded: capture \
             whole packets (tcpdump -s 0)",
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

/// The hasher for what is read: of the same capture the same each time, so that what depends on it, such as which limit on
/// looking is reached where much was asked, does not change from run to run.
pub fn name_hasher(input: &Input) -> NameHasher {
    // What cannot be read is told when it is opened.
    key_of(&input.files).ok().flatten().map_or_else(NameHasher::random, NameHasher::new)
}

/// Opens the captures, filtered if need be. A pipe among them that is silent ends with `stop`.
pub fn open(input: &Input, stop: &Arc<Stop>) -> anyhow::Result<Reader> {
    let pipe = |path: &Path| -> io::Result<Box<dyn Read + Send>> {
        let path = path.to_owned();
        Ok(Box::new(Pipe::new(move || open_pipe(&path), Arc::clone(stop))?))
    };
    let reader = Reader::open_with(&input.files, &input.shifts, &pipe)?;
    Ok(match &input.filter {
        Some(expression) => reader.with_filter(expression)?,
        None => reader,
    })
}

/// What the files are called in the output.
pub fn file_names(files: &[PathBuf]) -> Files {
    Files(files.iter().map(|path| path.to_string_lossy().into_owned()).collect())
}
