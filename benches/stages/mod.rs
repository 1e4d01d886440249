//! The stages of the job, each alone over the same capture, for the benchmarks to time and to count.
//!
//! A stage gets what the one before it hands on, made ready beforehand. Transaction, resolution and
//! attribution each hold the one before, so they are measured as a stack: the difference is the stage.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use whoasked::attribution::Attributor;
use whoasked::capture::Reader;
use whoasked::flow::Address;
use whoasked::frame::Batch;
use whoasked::indicator::Indicators;
use whoasked::message::{Fact, Message, Messages, Unwatched, Watchlist};
use whoasked::name::{Ancestors, HASH_SLACK, Name, NameHasher};
use whoasked::packet::{Envelope, Ports, Sliced, slice};
use whoasked::pipeline::{Decoder, MessageSink, Sequencer, Stop, WatchlistLookup, run};
use whoasked::resolution::{Limits, Resolution, Roles};
use whoasked::transaction::Transactions;

use crate::traffic::{Parameters, write_capture, write_indicators};

/// A stage: its name, and what runs it over the whole capture. The number it returns says that the work
/// was done, and keeps the compiler from leaving it out.
pub type Stage = (&'static str, fn(&Prepared) -> u64);

/// All of them, in the order data flows.
pub const STAGES: [Stage; 12] = [
    ("read", Prepared::read),
    ("slice", Prepared::slice),
    ("message", Prepared::message),
    ("indicators-1k", |prepared| prepared.indicators(0)),
    ("indicators-100k", |prepared| prepared.indicators(1)),
    ("indicators-1m", |prepared| prepared.indicators(2)),
    ("transaction", Prepared::transaction),
    ("resolution", Prepared::resolution),
    ("attribution", Prepared::attribution),
    ("whole-1-worker", |prepared| prepared.whole(&prepared.capture, 1)),
    ("whole-2-workers", |prepared| prepared.whole(&prepared.capture, 2)),
    ("flood-1-worker", |prepared| prepared.whole(&prepared.flood, 1)),
];

/// How long the lists are. The last is the one that messages are read by.
const LISTS: [u32; 3] = [1_000, 100_000, 1_000_000];

/// What packets and lists are divided by: by more than one where nothing is measured but all is only to be run once.
/// That is unless cargo says that it benchmarks, or it is told to test all the same: `cargo bench -- --test`.
fn divisor() -> u32 {
    let is_told = |what: &str| std::env::args().any(|argument| argument == what);
    if is_told("--bench") && !is_told("--test") { 1 } else { 100 }
}

/// A capture, and what each stage makes of it.
pub struct Prepared {
    /// Frames in it.
    pub packets: u64,
    /// Octets of its file.
    pub octets: u64,
    capture: PathBuf,
    flood: PathBuf,
    batches: Vec<Batch>,
    datagrams: Vec<(Envelope, Vec<u8>)>,
    messages: Vec<Messages>,
    lookups: Lookups,
    lists: Vec<Arc<Indicators>>,
    hasher: NameHasher,
}

/// What the message reader looks up, in order.
#[derive(Default)]
struct Lookups {
    /// Names with room behind them, where their labels start, and where the last of them ends.
    names: Vec<(Vec<u8>, Vec<u8>, usize)>,
    addresses: Vec<Address>,
}

impl Lookups {
    /// Adds those of a message.
    fn add(&mut self, messages: &Messages, message: &Message) {
        self.addresses.extend([message.flow.source.address, message.flow.destination.address]);
        if let Some(question) = message.question {
            self.add_name(messages.name(question.name));
        }
        for fact in messages.facts(message) {
            match *fact {
                Fact::Alias { target, .. } | Fact::Service { target, .. } => {
                    self.add_name(messages.name(target));
                }
                Fact::Delegation { server, .. } => self.add_name(messages.name(server)),
                Fact::Address { address, .. } => self.addresses.push(address),
                // What it makes of the name is an alias, too.
                Fact::Redirection { .. } => {}
            }
        }
    }

    fn add_name(&mut self, name: Name<'_>) {
        let wire = name.wire();
        let starts = name.suffixes().map(|suffix| (wire.len() - suffix.wire().len()) as u8);
        let starts = starts.take(name.label_count()).collect();
        self.names.push(([wire, &[0; HASH_SLACK]].concat(), starts, wire.len() - 1));
    }
}

/// The end of the job: judges, and counts what it has judged.
struct Judge {
    attributor: Attributor,
    judged: u64,
}

impl MessageSink for Judge {
    fn take(&mut self, messages: &Messages, message: &Message) {
        let judged = &mut self.judged;
        self.attributor.take(messages, message, &mut |_| *judged += 1);
    }
}

impl Judge {
    fn finish(mut self) -> u64 {
        let judged = &mut self.judged;
        self.attributor.finish(&mut |_| *judged += 1);
        self.judged
    }
}

/// Making ready.
impl Prepared {
    /// A capture of `packets` frames in the directory, fewer when all is only run once, and all that the stages need.
    ///
    /// # Errors
    /// When the captures cannot be written or read, or a list cannot be.
    pub fn new(directory: &Path, packets: u64) -> Result<Prepared> {
        fs::create_dir_all(directory)?;
        let write = |name: &str, parameters| -> Result<PathBuf> {
            let path = directory.join(name);
            write_capture(parameters, &mut BufWriter::new(File::create(&path)?))?;
            Ok(path)
        };
        let divisor = divisor();
        let packets = packets / u64::from(divisor);
        let parameters = Parameters { packets, ..Parameters::default() };
        let capture = write("bench.pcap", parameters)?;
        let flood = write("bench-flood.pcap", Parameters { random_names: 1.0, ..parameters })?;
        let hasher = NameHasher::new([0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344]);
        let mut lists = Vec::new();
        for count in LISTS {
            let mut list = Vec::new();
            write_indicators(count / divisor, &mut list)?;
            lists.push(Arc::new(Indicators::read("bench", list, hasher)?.0));
        }
        let mut prepared = Prepared {
            packets,
            octets: fs::metadata(&capture)?.len(),
            capture,
            flood,
            batches: Vec::new(),
            datagrams: Vec::new(),
            messages: Vec::new(),
            lookups: Lookups::default(),
            lists,
            hasher,
        };
        prepared.run_ahead()?;
        Ok(prepared)
    }

    /// Keeps what each stage hands on.
    fn run_ahead(&mut self) -> Result<()> {
        let mut reader = Reader::open(std::slice::from_ref(&self.capture))?;
        let mut batch = Batch::new();
        while reader.fill(&mut batch) {
            self.batches.push(std::mem::take(&mut batch));
        }
        let ports = Ports::default();
        let mut watched = WatchlistLookup::new(self.lists.last().cloned());
        for batch in &self.batches {
            let mut messages = Messages::new();
            let first = self.datagrams.len();
            for frame in batch.frames() {
                if let Sliced::Datagram { envelope, payload, whole } = slice(&frame, &ports)
                    && messages.read(&envelope, payload, whole, &self.hasher, &mut watched)
                {
                    self.datagrams.push((envelope, payload.to_vec()));
                }
            }
            for place in watched.flagged() {
                if let Some((_, payload)) = self.datagrams.get(first + place) {
                    messages.flag(place, payload, &self.hasher);
                }
            }
            messages.iter().for_each(|message| self.lookups.add(&messages, message));
            self.messages.push(messages);
        }
        Ok(())
    }
}

/// The stages.
impl Prepared {
    fn read(&self) -> u64 {
        let mut frames = 0;
        if let Ok(mut reader) = Reader::open(std::slice::from_ref(&self.capture)) {
            let mut batch = Batch::new();
            while reader.fill(&mut batch) {
                frames += batch.len() as u64;
            }
        }
        frames
    }

    fn slice(&self) -> u64 {
        let ports = Ports::default();
        let frames = self.batches.iter().flat_map(Batch::frames);
        frames.filter(|frame| matches!(slice(frame, &ports), Sliced::Datagram { .. })).count()
            as u64
    }

    fn message(&self) -> u64 {
        let mut messages = Messages::new();
        let mut facts = 0;
        // In batches, as the decoder has them: what was read last is still in the cache.
        for datagrams in self.datagrams.chunks(1_024) {
            messages.clear();
            for (envelope, payload) in datagrams {
                messages.read(envelope, payload, true, &self.hasher, &mut Unwatched);
            }
            facts +=
                messages.iter().map(|message| messages.facts(message).len() as u64).sum::<u64>();
        }
        facts
    }

    fn indicators(&self, which: usize) -> u64 {
        let mut watched = WatchlistLookup::new(self.lists.get(which).cloned());
        let Lookups { names, addresses } = &self.lookups;
        let mut listed = 0;
        for (octets, starts, end) in names {
            let name = Ancestors::new(&self.hasher, octets, starts, *end);
            watched.name(&name, 0);
        }
        for address in addresses {
            listed += u64::from(watched.address(*address));
        }
        listed + watched.flagged().count() as u64
    }

    fn transaction(&self) -> u64 {
        let mut transactions = transactions();
        self.each(|messages, message| _ = transactions.take(messages, message));
        transactions.counters().answered
    }

    fn resolution(&self) -> u64 {
        let mut resolution = resolution(self.hasher);
        self.each(|messages, message| _ = resolution.take(messages, message));
        resolution.history().edges().len() as u64
    }

    fn attribution(&self) -> u64 {
        let Some(mut judge) = self.judge() else { return 0 };
        self.each(|messages, message| judge.take(messages, message));
        judge.finish()
    }

    /// All stages together, from the file to the verdicts.
    fn whole(&self, capture: &PathBuf, workers: usize) -> u64 {
        let reader = Reader::open(std::slice::from_ref(capture));
        let (Ok(mut reader), Some(judge)) = (reader, self.judge()) else { return 0 };
        let mut decoder = Decoder::new(Ports::default(), self.hasher, self.lists.last().cloned());
        let mut keeper = Sequencer::new(decoder.clone(), judge);
        run(&mut reader, &mut decoder, &mut keeper, workers, &Stop::default());
        keeper.sink.finish()
    }

    fn each(&self, mut take: impl FnMut(&Messages, &Message)) {
        for messages in &self.messages {
            for message in messages.iter() {
                take(messages, message);
            }
        }
    }

    fn judge(&self) -> Option<Judge> {
        let list = self.lists.last()?;
        let attributor = Attributor::new(resolution(self.hasher), Arc::clone(list));
        Some(Judge { attributor, judged: 0 })
    }
}

fn transactions() -> Transactions {
    Transactions::new(Limits::default().transactions, Ports::default())
}

fn resolution(hasher: NameHasher) -> Resolution {
    Resolution::new(Limits::default(), transactions(), Roles::new(Vec::new()), hasher)
}
