//! The end of the pipe in a run without an end: judges, writes answers as they come, and says how it is doing.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use hdrhistogram::Histogram;

use super::status::{Board, Interface, Lists, Losses, Status};
use super::{Feed, Queue, QueueWriter, RingWatch};
use crate::attribution::{Attribution, Attributor, Complaint, Health, Packets, State, Verdicts};
use crate::flow::Address;
use crate::indicator::Indicators;
use crate::message::{Message, Messages};
use crate::packet::{Aside, ReassemblyCounters};
use crate::pipeline::live::{Health as PipeHealth, LiveSink, Lost, now};
use crate::pipeline::{DecodeCounters, MessageSink};
use crate::report::{
    AnnouncementLog, CaptureLacked, Cef, Csv, Dropped, Ending, Eve, Files, Internal, Jsonl, Lines,
    Report, Subject, Syslog, Zeek,
};
use crate::time::{Span, Timestamp, Zone};

/// How often the status is pinned up.
const STATUS_EVERY: Span = Span::from_millis(250);
/// How many transactions of what is not listed any more are judged at a time, twenty times a second.
const SLICE: usize = 128;
/// When the machine's clock moves on by so much at once it was set, or the machine stood still: answers that would
/// have cleared somebody cannot be told from those that did not come.
const LEAP: Span = Span::from_secs(5);
/// The longest time from a sighting to its report that is told apart, in microseconds.
const MICROS_MAX: u64 = 600_000_000;

/// In which form answers are written as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line each, for people.
    Lines,
    /// What it came to, on a terminal of so many columns, for people who saw the rest elsewhere.
    Ending(usize),
    /// JSON lines.
    Jsonl,
    /// Like Suricata's EVE.
    Eve,
    /// Common Event Format; whether to a socket.
    Cef(bool),
    /// RFC 5424.
    Syslog,
    /// Comma-separated values.
    Csv,
    /// Like a Zeek log.
    Zeek,
}

impl Form {
    fn report<'a>(
        self,
        out: Box<dyn io::Write>,
        subject: Subject<'a>,
        spoken: &'a AnnouncementLog,
    ) -> Box<dyn Report + 'a> {
        match self {
            Form::Lines => Box::new(Lines::new(out, subject, spoken)),
            Form::Ending(columns) => Box::new(Lines::new(out, subject, spoken).within(columns)),
            Form::Jsonl => Box::new(Jsonl::new(out, subject)),
            Form::Eve => Box::new(Eve::new(out, subject)),
            Form::Cef(to_socket) => Box::new(Cef::new(out, subject, to_socket)),
            Form::Syslog => Box::new(Syslog::new(out, subject)),
            Form::Csv => Box::new(Csv::following(out, subject)),
            Form::Zeek => Box::new(Zeek::following(out, subject)),
        }
    }

    /// What comes before the first answer.
    fn begin(self, mut out: QueueWriter, zone: &Zone, now: Timestamp) -> io::Result<()> {
        match self {
            Form::Csv => Csv::<QueueWriter>::heading(out),
            Form::Zeek => Zeek::heading(&mut out, Some(now)),
            Form::Lines => Lines::heading(out, zone, now),
            Form::Ending(_) | Form::Jsonl | Form::Eve | Form::Cef(_) | Form::Syslog => Ok(()),
        }
    }

    /// Whether it has a word for such a state: a line of a Zeek log stands for good, and an event is an alarm.
    fn tells(self, state: State) -> bool {
        !matches!(self, Form::Zeek | Form::Cef(_) | Form::Syslog) || state == State::Final
    }

    /// Whether the end of a run is a matter of it: a log that the next run goes on with is not closed.
    fn has_end(self) -> bool {
        self != Form::Zeek
    }
}

/// What other threads ask of a run.
#[derive(Debug, Default)]
pub struct Control {
    lists: Mutex<Option<Arc<Indicators>>>,
    fault: Mutex<Option<String>>,
}

impl Control {
    /// Judges by other lists from now on.
    pub fn relist(&self, indicators: Arc<Indicators>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.lists.lock().unwrap_or_else(PoisonError::into_inner) = Some(indicators);
    }

    /// Whether the lists that were handed over are judged by.
    pub fn is_relisted(&self) -> bool {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Says that lists could not be read anew.
    pub fn refuse(&self, why: String) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// Judges and answers.
pub struct Answers {
    attributor: Attributor,
    told: Delivery,
    control: Arc<Control>,
    board: Board,
    status: Status,
    pinned: Timestamp,
    /// When it was last called between batches.
    pulsed: Timestamp,
    health: Health,
    ring: Option<RingWatch>,
}

/// Where answers go, and how many there were.
struct Delivery {
    /// What ids begin with: frames are counted from one again when it is started again.
    run: String,
    outputs: Vec<(Form, Queue)>,
    feed: Option<Feed>,
    spoken: AnnouncementLog,
    indicators: Arc<Indicators>,
    files: Files,
    zone: Zone,
    internal: Internal,
    provisional: Verdicts,
    settled: Verdicts,
    to_report: Option<Histogram<u64>>,
}

impl Delivery {
    fn is_reader_gone(&self) -> bool {
        self.outputs.first().is_some_and(|(_, queue)| queue.is_reader_gone())
    }

    fn take(&mut self, mut attribution: Attribution) {
        self.internal.withhold(&mut attribution);
        attribution.id.insert_str(0, &self.run);
        attribution.resolution_id.insert_str(0, &self.run);
        match attribution.state {
            State::Provisional => self.provisional.add(attribution.verdict),
            State::Final => self.settled.add(attribution.verdict),
            State::Superseded => {}
        }
        if let (Some(since), Some(to_report)) = (attribution.untold_since, &mut self.to_report) {
            let waited = (now() - since).0 / 1_000;
            to_report.saturating_record(u64::try_from(waited).unwrap_or_default());
        }
        let subject =
            Subject { indicators: &self.indicators, files: &self.files, zone: &self.zone };
        self.spoken.note(&attribution);
        if self.outputs.iter().any(|(form, _)| *form == Form::Lines) {
            let lines = self.spoken.lines(&attribution, subject);
            let of_lines = self.outputs.iter().filter(|(form, _)| *form == Form::Lines);
            for (_, queue) in of_lines {
                let mut writer = queue.writer();
                // A queue takes everything; what it loses it counts.
                let _ = lines.iter().try_for_each(|line| writeln!(writer, "{line}"));
            }
        }
        for (form, queue) in self.outputs.iter().filter(|(form, _)| form.tells(attribution.state)) {
            let mut report = form.report(Box::new(queue.writer()), subject, &self.spoken);
            let _ = report.attribution(&attribution);
        }
        if let Some(feed) = &self.feed {
            feed.take(attribution, &self.indicators);
        }
    }
}

impl Answers {
    /// Answers by these indicators, of interfaces with these names.
    pub fn new(
        attributor: Attributor,
        indicators: Arc<Indicators>,
        (interfaces, zone, internal): (Vec<String>, Zone, Internal),
        outputs: Vec<(Form, Queue)>,
        (control, board, now): (Arc<Control>, Board, Timestamp),
    ) -> Answers {
        let status = Status {
            began: now,
            lists: Lists { indicators: indicators.len() as u64, read: now, fault: None },
            ..Status::default()
        };
        for (form, queue) in &outputs {
            // A queue takes everything; what it loses it counts.
            let _ = form.begin(queue.writer(), &zone, now);
        }
        let told = Delivery {
            run: format!("{:x}-", now.0 / 1_000),
            outputs,
            feed: None,
            spoken: AnnouncementLog::default(),
            indicators,
            files: Files(interfaces),
            zone,
            internal,
            provisional: Verdicts::default(),
            settled: Verdicts::default(),
            to_report: Histogram::new_with_bounds(1, MICROS_MAX, 2).ok(),
        };
        let health = Health::new(Vec::new(), now);
        let (pinned, pulsed) = (Timestamp(0), now);
        Answers { attributor, told, control, board, status, pinned, pulsed, health, ring: None }
    }

    /// Complains when nothing is seen of these resolvers.
    pub fn with_declared(self, declared: Vec<Address>) -> Answers {
        let health = Health::new(declared, self.status.began);
        Answers { health, ..self }
    }

    /// Says how the ring is doing, too.
    pub fn with_ring(self, ring: Option<RingWatch>) -> Answers {
        Answers { ring, ..self }
    }

    /// Puts the newest answers into a feed, too.
    pub fn with_feed(mut self, feed: Feed) -> Answers {
        self.told.feed = Some(feed);
        self
    }

    /// Whether whoever read stdout has gone away, which ends the run.
    pub fn is_reader_gone(&self) -> bool {
        self.told.is_reader_gone()
    }

    /// The outputs.
    pub fn outputs(&self) -> impl Iterator<Item = &Queue> {
        self.told.outputs.iter().map(|(_, queue)| queue)
    }

    fn relist_if_asked(&mut self, now: Timestamp) {
        let control = Arc::clone(&self.control);
        // Held until it is done, for others wait for that.
        let mut lists = control.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(indicators) = lists.take() else { return };
        self.attributor.relist(Arc::clone(&indicators));
        self.status.lists = Lists { indicators: indicators.len() as u64, read: now, fault: None };
        self.told.indicators = indicators;
    }

    /// Settles some of what is not listed any more: all at once would hold up the analysis.
    fn settle_leaving(&mut self) {
        let Some(old) = self.attributor.leaving() else { return };
        let told = &mut self.told;
        // What is handed out speaks of the lists that held it.
        let new = std::mem::replace(&mut told.indicators, old);
        self.attributor.settle_leaving(SLICE, &mut |attribution| told.take(attribution));
        self.told.indicators = new;
    }

    fn pin(&mut self, now: Timestamp, health: &PipeHealth) {
        self.pinned = now;
        let status = &mut self.status;
        (status.at, status.still) = (now, health.still);
        let interfaces = self.told.files.0.iter().zip(&health.interfaces);
        status.interfaces = interfaces
            .map(|(name, heard)| Interface {
                name: name.clone(),
                is_up: heard.fault.is_none(),
                fault: heard.fault.clone(),
                received: heard.frames,
                octets: heard.octets,
                dropped_by_kernel: heard.drops.by_kernel,
                dropped_by_interface: heard.drops.by_interface,
            })
            .collect();
        status.losses = Losses {
            batches: health.batches_lost,
            frames: health.frames_lost,
            panics: health.panics,
        };
        status.provisional = self.told.provisional;
        status.settled = self.told.settled;
        status.to_report.clone_from(&self.told.to_report);
        status.coverage = self.attributor.span().map(|_| self.attributor.coverage().shortened());
        let may_name = |host| self.told.internal.names(host);
        self.health.look(status.coverage.as_ref(), now, &may_name);
        self.health.look_at_packets(packets(status), now);
        // First what is wrong here, then what is wrong with the mirror port.
        let hang = status.hang(now).map(|how| Complaint {
            name: "stands-still",
            words: format!("{how}: a bug in whoasked; please report it and restart"),
        });
        status.complaints = hang.into_iter().chain(self.health.complaints()).collect();
        (status.decoded, status.reassembled) = (health.decoded, health.reassembled);
        let fault = self.control.fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.status.lists.fault = fault;
        self.publish();
    }

    /// Pins up the status, with what became by now of all that was written.
    pub fn publish(&mut self) {
        self.status.outputs = self.outputs().map(Queue::state).collect();
        if let Some(stdout) = self.status.outputs.first_mut().filter(|_| self.told.is_reader_gone())
        {
            // Nobody is waited for: the run ends.
            stdout.fault = None;
        }
        self.status.ring = self.ring.as_ref().map(RingWatch::state);
        self.status.ring_oldest = self.ring.as_ref().and_then(RingWatch::oldest);
        self.board.publish(self.status.clone());
    }

    /// What was lost so far.
    fn dropped(&self) -> Dropped {
        Dropped {
            packets: packets(&self.status),
            output_lines: self.outputs().map(|queue| queue.state().lost).sum(),
        }
    }

    /// Says the last word on what waits until time is over, and the summary. Returns whether anything was flagged.
    pub fn finish(
        &mut self,
        (decoded, reassembled): (DecodeCounters, ReassemblyCounters),
        is_over: &dyn Fn() -> bool,
    ) -> bool {
        while self.attributor.leaving().is_some() && !is_over() {
            self.settle_leaving();
        }
        let told = &mut self.told;
        self.attributor.finish_until(is_over, &mut |attribution| told.take(attribution));
        let coverage = self.attributor.coverage().shortened();
        let lost = self.status.losses.frames > 0;
        let lacked = CaptureLacked {
            decoded,
            reassembled,
            resolvers_unseen: Vec::new(),
            damage: lost
                .then(|| format!("{} frames were skipped", self.status.losses.frames))
                .into_iter()
                .collect(),
            complaints: self.status.complaints.clone(),
            dropped: self.dropped(),
            ..CaptureLacked::default()
        };
        let ending = Ending {
            summary: self.attributor.summary(),
            assessments: &[],
            answers: &[],
            internal: &self.told.internal,
            verdicts: self.told.settled,
            coverage: &coverage,
            lacked: &lacked,
        };
        let subject = Subject {
            indicators: &self.told.indicators,
            files: &self.told.files,
            zone: &self.told.zone,
        };
        for (form, queue) in self.told.outputs.iter().filter(|(form, _)| form.has_end()) {
            if matches!(form, Form::Ending(_)) {
                let _ = Lines::zone(queue.writer(), &self.told.zone, now());
            }
            let _ = form.report(Box::new(queue.writer()), subject, &self.told.spoken).end(&ending);
        }
        (self.status.settled, self.status.provisional) = (self.told.settled, self.told.provisional);
        self.status.coverage = Some(coverage);
        self.publish();
        self.told.settled.total() > 0
    }
}

impl MessageSink for Answers {
    fn take(&mut self, messages: &Messages, message: &Message) {
        let told = &mut self.told;
        self.attributor.take(messages, message, &mut |attribution| told.take(attribution));
    }

    fn aside(&mut self, aside: &Aside, payload: &[u8]) {
        let told = &mut self.told;
        self.attributor.aside(aside, payload, &mut |attribution| told.take(attribution));
    }
}

/// What came of packets so far.
fn packets(status: &Status) -> Packets {
    let of = |count: fn(&Interface) -> u64| status.interfaces.iter().map(count).sum();
    Packets {
        received: of(|interface| interface.received),
        by_kernel: of(|interface| interface.dropped_by_kernel),
        by_interface: of(|interface| interface.dropped_by_interface),
        behind: status.losses.frames,
    }
}

impl LiveSink for Answers {
    fn advance(&mut self, until: Timestamp) {
        let told = &mut self.told;
        self.attributor.advance(until, &mut |attribution| told.take(attribution));
    }

    fn lost(&mut self, Lost { from, to, is_blind }: Lost) {
        match is_blind {
            true => self.attributor.note_blind_until(to),
            false => self.attributor.note_loss(from, to),
        }
    }

    fn ended(&mut self, now: Timestamp, health: &PipeHealth) {
        self.pin(now, health);
    }

    fn pulse(&mut self, now: Timestamp, health: &PipeHealth) -> bool {
        let before = std::mem::replace(&mut self.pulsed, now);
        if now - before > LEAP {
            self.attributor.note_loss(before, now);
            self.attributor.note_blind_until(now);
        }
        self.relist_if_asked(now);
        self.settle_leaving();
        if (now - self.pinned).abs() >= STATUS_EVERY {
            self.pin(now, health);
        }
        self.is_reader_gone()
    }
}
