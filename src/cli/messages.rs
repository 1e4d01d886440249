//! `whoasked messages`: one JSON line a DNS message.

use std::io::{BufWriter, Write};

use anyhow::Context;

use super::output::{is_closed_pipe, stop_on_interrupt};
use super::progress::{Bar, Screen};
use super::settings::Messages as Settings;
use super::{Outcome, say};
use crate::capture::Reader;
use crate::message::{Message, Messages};
use crate::name::NameHasher;
use crate::pipeline::{Decoder, MessageSink, Sequencer, Stop, run as run_pipeline};
use crate::report::{Files, write_message};

struct Sink<'a, W> {
    out: W,
    files: Files,
    stop: &'a Stop,
    failed: Option<std::io::Error>,
}

impl<W: Write> MessageSink for Sink<'_, W> {
    fn take(&mut self, messages: &Messages, message: &Message) {
        if self.failed.is_some() {
            return;
        }
        if let Err(error) = write_message(&mut self.out, messages, message, &self.files) {
            self.failed = Some(error);
            self.stop.set();
        }
    }
}

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let input = settings.input;
    let screen = Screen::default();
    let stop = stop_on_interrupt(&screen);
    let mut reader = super::analysis::open(&input, &stop)?;
    let mut decoder = Decoder::new(input.ports.clone(), NameHasher::random(), None);
    let files = super::analysis::file_names(&input.files);
    let out = BufWriter::new(std::io::stdout().lock());
    let mut keeper =
        Sequencer::new(decoder.clone(), Sink { out, files, stop: &stop, failed: None });
    let bar = Bar::new(&reader, input.shows_progress, &screen);
    run_pipeline(&mut reader, &mut decoder, &mut keeper, input.workers, &stop);
    bar.finish();
    let Sink { mut out, failed, .. } = keeper.sink;
    match failed.map_or_else(|| out.flush(), Err) {
        Err(error) if is_closed_pipe(&error) => return Ok(Outcome::Clean),
        other => other.context("cannot write the messages")?,
    }
    Ok(report_damage(&reader))
}

/// Says what was damaged, and how the run ended by it.
fn report_damage(reader: &Reader) -> Outcome {
    for damage in reader.damage() {
        say(&format!("whoasked: {damage}"));
    }
    if reader.damage().is_empty() { Outcome::Clean } else { Outcome::Failed }
}
