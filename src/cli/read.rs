//! `whoasked read`: who asked for what is flagged.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use super::output::{is_closed_pipe, stop_on_interrupt};
use super::progress::Bar;
use super::settings::{Input, Read as Settings};
use super::{Outcome, say};
use crate::attribution::{Attribution, Attributor};
use crate::capture::Reader;
use crate::indicator::Indicators;
use crate::message::{Message, Messages};
use crate::name::NameHasher;
use crate::pipeline::{Decoder, Keeper, MessageSink, Stop, run as run_pipeline};
use crate::report::{CaptureLacked, Files, Jsonl};
use crate::resolution::{Limits, Resolution, Roles};
use crate::transaction::Transactions;

/// The attributor, with its attributions going to a report.
struct Sink<'a, W: Write> {
    attributor: Attributor,
    report: Jsonl<W>,
    indicators: &'a Indicators,
    files: Files,
    stop: &'a Stop,
    flagged: bool,
    failed: Option<io::Error>,
}

impl<W: Write> Sink<'_, W> {
    fn finish(&mut self) {
        let (report, indicators, files) = (&mut self.report, self.indicators, &self.files);
        let (flagged, failed) = (&mut self.flagged, &mut self.failed);
        self.attributor.finish(&mut |attribution| {
            *flagged = true;
            write(report, &attribution, indicators, files, failed);
        });
    }
}

impl<W: Write> MessageSink for Sink<'_, W> {
    fn take(&mut self, messages: &Messages, message: &Message) {
        let (report, indicators, files) = (&mut self.report, self.indicators, &self.files);
        let (flagged, failed) = (&mut self.flagged, &mut self.failed);
        self.attributor.take(messages, message, &mut |attribution| {
            *flagged = true;
            write(report, &attribution, indicators, files, failed);
        });
        if self.failed.is_some() {
            self.stop.set();
        }
    }
}

fn write<W: Write>(
    report: &mut Jsonl<W>,
    attribution: &Attribution,
    indicators: &Indicators,
    files: &Files,
    failed: &mut Option<io::Error>,
) {
    if failed.is_none() {
        *failed = report.attribution(attribution, indicators, files).err();
    }
}

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = NameHasher::random();
    let (indicators, warnings) = Indicators::load(&settings.lists, hasher)?;
    for warning in &warnings {
        say(&format!("whoasked: {warning}"));
    }
    let indicators = Arc::new(indicators);
    let input = settings.input;
    let mut reader = open(&input)?;
    let stop = stop_on_interrupt();
    let decoder =
        Decoder { ports: input.ports.clone(), hasher, indicators: Some(Arc::clone(&indicators)) };
    let limits = Limits::default();
    let transactions = Transactions::new(limits.transactions, input.ports.clone());
    let resolution = Resolution::new(limits, transactions, Roles::new(settings.resolvers), hasher);
    let attributor =
        Attributor::new(resolution, Arc::clone(&indicators), limits.transactions.transactions);
    let sink = Sink {
        attributor,
        report: Jsonl::new(BufWriter::new(io::stdout().lock())),
        indicators: &indicators,
        files: file_names(&input.files),
        stop: &stop,
        flagged: false,
        failed: None,
    };
    let mut keeper = Keeper::new(decoder.clone(), sink);
    let bar = Bar::new(&reader, input.shows_progress);
    run_pipeline(&mut reader, &decoder, &mut keeper, input.workers, &stop);
    bar.finish();
    let (decoded, reassembled) = keeper.counters();
    let mut sink = keeper.sink;
    sink.finish();
    let damage: Vec<String> = reader.damage().iter().map(ToString::to_string).collect();
    let lacked = CaptureLacked { decoded, reassembled, damage, interrupted: stop.is_set() };
    let coverage = sink.attributor.coverage();
    let ended =
        sink.report.end(sink.attributor.summary(), &coverage, &lacked, &indicators, &sink.files);
    match sink.failed.map_or(ended, Err) {
        Err(error) if is_closed_pipe(&error) => {}
        other => other.context("cannot write the answer")?,
    }
    for damage in &lacked.damage {
        say(&format!("whoasked: {damage}"));
    }
    Ok(match (lacked.damage.is_empty(), sink.flagged) {
        (false, _) => Outcome::Failed,
        (true, true) => Outcome::Flagged,
        (true, false) => Outcome::Clean,
    })
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
