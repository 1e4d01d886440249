//! Running without an end: sources that are listened to, until the run is stopped.
//!
//! ```text
//! a thread a source -> merge -> decoders -> the stateful part, on the caller's thread
//! ```
//!
//! A single source needs no merge, and with one worker its thread decodes, too: each thread less that a batch goes
//! through is a wake-up less, and what was captured is decoded while it is in the cache.
//!
//! Batches go round in fixed numbers, of each source its own, so memory does not grow (`pile.rs`): they have theirs from
//! the start, and what waits does so undecoded, for decoded a frame takes three times as much. When the analysis cannot
//! keep up there is no free batch left: what comes then is read and left out, newest first, and counted.

mod ear;
mod pile;
mod progress;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use ear::{Ear, Line, Merged, Straight};
use pile::Pile;
use progress::{Progress, clock};

use super::decode::{Counters, Decoded, Decoder};
use super::keep::{Keeper, MessageSink};
use super::merge::Merge;
use super::run::Stop;
use crate::capture::BATCH_FRAMES_MAX;
use crate::capture::live::{Drops, Source};
use crate::frame::Batch;
use crate::indicator::Indicators;
use crate::packet::ReassemblyCounters;
use crate::time::{Span, Timestamp};

/// How many batches a source has: so far it can be ahead of the analysis, or of the others.
const BATCHES: usize = 96;
/// How many of them may wait for other sources.
const WAITING_MAX: usize = BATCHES * 3 / 4;
/// How many words that no frames came, or were left out, wait for the merge, for each source.
const WORDS_EACH: usize = 8;
/// How many stages each decoder has: few, so that they stay in the cache.
const STAGES_EACH: usize = 4;
/// How many more there are for a source that has no merge: full, they keep the analysis busy for longer than its thread
/// leaves them alone.
const STAGES_AHEAD: usize = 12;
/// How long a source waits for its first frame.
const WAIT: Duration = Duration::from_millis(50);

/// What is read from interfaces, and how it is said of what state they are in.
pub struct Listener {
    /// Its interface, by number.
    pub interface: u16,
    /// Where frames come from.
    pub source: Box<dyn Source>,
}

/// A stretch of time in which frames were lost.
pub type Lost = (Timestamp, Timestamp);

/// How an interface is doing.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Why nothing can come, if so.
    pub fault: Option<String>,
    /// Frames that came.
    pub frames: u64,
    /// Their octets.
    pub octets: u64,
    /// What was dropped before they came.
    pub drops: Drops,
}

/// How the pipe is doing.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// The interfaces, by number; those shared by several sources taken together.
    pub interfaces: Vec<Heard>,
    /// Batches that were left out since the analysis was behind.
    pub batches_lost: u64,
    /// The frames in them.
    pub frames_lost: u64,
    /// Batches at which the analysis panicked.
    pub panics: u64,
    /// For how long frames have waited and none was analysed, or a source was not looked at.
    pub still: Span,
    /// What the frames were.
    pub decoded: Counters,
    /// What was made of fragments and streams.
    pub reassembled: ReassemblyCounters,
}

/// Where messages go in a run without an end.
pub trait LiveSink: MessageSink {
    /// All that was captured before this time was taken.
    fn advance(&mut self, until: Timestamp);

    /// Frames were lost.
    fn lost(&mut self, lost: Lost);

    /// Called some twenty times a second, with the machine's clock and the state of the pipe; `true` ends
    /// the run. What other threads want of the stateful part is done here.
    fn pulse(&mut self, now: Timestamp, health: &Health) -> bool;

    /// The last of the frames was taken: the state of the pipe at the end.
    fn ended(&mut self, now: Timestamp, health: &Health);
}

/// The indicators that decoders look out for, which may be replaced at any time.
#[derive(Debug)]
pub struct Lookout {
    turn: AtomicU64,
    indicators: Mutex<Arc<Indicators>>,
}

impl Lookout {
    /// Looks out for these.
    pub fn new(indicators: Arc<Indicators>) -> Lookout {
        Lookout { turn: AtomicU64::new(0), indicators: Mutex::new(indicators) }
    }

    /// Looks out for others from now on.
    pub fn replace(&self, indicators: Arc<Indicators>) {
        *lock(&self.indicators) = indicators;
        self.turn.fetch_add(1, Ordering::Release);
    }

    /// The newest, if they changed since this turn.
    fn newer(&self, turn: &mut u64) -> Option<Arc<Indicators>> {
        let now = self.turn.load(Ordering::Acquire);
        (std::mem::replace(turn, now) != now).then(|| Arc::clone(&lock(&self.indicators)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The machine's clock.
#[allow(clippy::disallowed_methods, reason = "the pipeline is where the clock is seen")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// What threads share.
struct Shared {
    health: Mutex<Health>,
    lost: Mutex<Vec<Lost>>,
    /// When each source was last looked at; `None` when it has ended.
    turns: Vec<Mutex<Option<Instant>>>,
}

impl Shared {
    fn new(files: &[u16]) -> Shared {
        let interfaces = files.iter().max().map_or(0, |most| usize::from(*most) + 1);
        let interfaces = vec![Heard::default(); interfaces];
        Shared {
            health: Mutex::new(Health { interfaces, ..Health::default() }),
            lost: Mutex::default(),
            turns: files.iter().map(|_| Mutex::new(Some(clock()))).collect(),
        }
    }

    fn turned(&self, source: usize, at: Option<Instant>) {
        if let Some(turn) = self.turns.get(source) {
            *lock(turn) = at;
        }
    }

    fn turns(&self) -> impl Iterator<Item = Instant> {
        self.turns.iter().filter_map(|turn| *lock(turn))
    }

    fn tell_lost(&self, sink: &mut impl LiveSink) {
        for lost in std::mem::take(&mut *lock(&self.lost)) {
            sink.lost(lost);
        }
    }

    fn lost(&self, stretch: Lost) {
        let mut lost = lock(&self.lost);
        let is_long = lost.len() >= 64;
        match lost.last_mut() {
            // Nobody has looked for long: one stretch will do.
            Some(last) if is_long => *last = (last.0.min(stretch.0), last.1.max(stretch.1)),
            _ => lost.push(stretch),
        }
    }
}

/// What a source's thread hands over.
struct Handed {
    source: usize,
    batch: Option<Batch>,
    until: Timestamp,
    is_end: bool,
}

/// A batch, decoded or to be decoded, and until when all frames were in it or in those before.
#[derive(Default)]
struct Stage {
    decoded: Decoded,
    until: Timestamp,
}

/// Who decodes.
#[derive(Clone)]
struct Reading<'l> {
    decoder: Decoder,
    lookout: &'l Lookout,
    turn: u64,
}

impl Reading<'_> {
    fn read(&mut self, stage: &mut Stage) {
        if let Some(indicators) = self.lookout.newer(&mut self.turn) {
            self.decoder.look_out_for(indicators);
        }
        self.decoder.decode(&mut stage.decoded);
    }

    /// Decodes what comes, as one of several.
    fn serve(mut self, raw: &Receiver<Stage>, done: &Sender<Stage>) {
        for mut stage in raw {
            self.read(&mut stage);
            if done.send(stage).is_err() {
                break;
            }
        }
    }
}

/// Takes each batch of frames, in order, before it is decoded.
pub type Tap<'t> = Box<dyn FnMut(&Batch) + Send + 't>;

/// Listens until told to stop, or until all sources have ended. All frames go by `tap`, if there is one.
///
/// `heard` is called on this thread when those of the sources have started and none of the others has: what it
/// gives up is given up by all but the sources.
pub fn listen<S: LiveSink>(
    (listeners, heard): (Vec<Listener>, impl FnOnce()),
    tap: Option<Tap<'_>>,
    decoder: &Decoder,
    keeper: &mut Keeper<S>,
    workers: usize,
    lookout: &Lookout,
    stop: &Stop,
) {
    let files: Vec<u16> = listeners.iter().map(|listener| listener.interface).collect();
    let shared = Shared::new(&files);
    let ear = |source, listener: Listener| {
        let first = files.iter().position(|file| *file == listener.interface);
        let (is_first, told, last) = (first == Some(source), Drops::default(), now());
        Ear { listener, source, shared: &shared, is_first, told, last }
    };
    let reading = Reading { decoder: decoder.clone(), lookout, turn: 0 };
    let workers = workers.max(1);
    let line = Line { merge: Merge::new(&files, WAITING_MAX), sequence: 0, tap };
    match <[Listener; 1]>::try_from(listeners) {
        Ok([listener]) => {
            let batches = &Pile::batches();
            let stages = &Pile::of(STAGES_AHEAD + STAGES_EACH * workers, Stage::default);
            let ear = ear(0, listener);
            // There is room for all batches: at the end each has a stage.
            let (done_in, done) = bounded::<Stage>(BATCHES);
            let waiting = VecDeque::with_capacity(BATCHES);
            let straight =
                |reading, onward| Straight { batches, stages, waiting, line, reading, onward };
            let put_back = |mut stage: Stage| {
                batches.put_back(std::mem::take(&mut stage.decoded.batch));
                stages.put_back(stage);
            };
            std::thread::scope(|scope| {
                if workers == 1 {
                    scope.spawn(move || ear.listen(straight(Some(reading), done_in), stop));
                    heard();
                } else {
                    let (raw_in, raw) = bounded::<Stage>(BATCHES);
                    scope.spawn(move || ear.listen(straight(None, raw_in), stop));
                    heard();
                    for _ in 0..workers {
                        let (reading, raw, done_in) =
                            (reading.clone(), raw.clone(), done_in.clone());
                        scope.spawn(move || reading.serve(&raw, &done_in));
                    }
                    drop((raw, done_in));
                }
                keep(&done, put_back, keeper, (lookout, &shared, stop));
            })
        }
        Err(listeners) => {
            let piles: Vec<_> = listeners.iter().map(|_| Pile::batches()).collect();
            std::thread::scope(|scope| {
                let stages = STAGES_EACH * workers;
                let (handed_in, handed) = bounded((BATCHES + WORDS_EACH) * listeners.len());
                let (idle_in, idle) = filled(stages, Stage::default);
                let (raw_in, raw) = bounded::<Stage>(stages);
                let (done_in, done) = bounded::<Stage>(stages);
                for (source, (listener, batches)) in listeners.into_iter().zip(&piles).enumerate() {
                    let handed = handed_in.clone();
                    let (ear, merged) = (ear(source, listener), Merged { source, batches, handed });
                    scope.spawn(move || ear.listen(merged, stop));
                }
                drop(handed_in);
                heard();
                for _ in 0..workers {
                    let (reading, raw, done_in) = (reading.clone(), raw.clone(), done_in.clone());
                    scope.spawn(move || reading.serve(&raw, &done_in));
                }
                drop((raw, done_in));
                let piles = &piles;
                scope.spawn(move || order(line, &handed, piles, &idle, &raw_in));
                let put_back = move |stage| drop(idle_in.send(stage));
                keep(&done, put_back, keeper, (lookout, &shared, stop));
            })
        }
    }
}

/// A channel that is full of what goes round.
fn filled<T>(amount: usize, make: impl Fn() -> T) -> (Sender<T>, Receiver<T>) {
    let (into, from) = bounded(amount);
    for _ in 0..amount {
        // It has room for all of them.
        let _ = into.send(make());
    }
    (into, from)
}

/// The time that a batch covers.
fn stretch(batch: &Batch) -> Option<Lost> {
    Some((batch.get(0)?.time, batch.last_time()?))
}

/// Puts what was handed over in order, and numbers it.
fn order(
    mut line: Line<'_>,
    handed: &Receiver<Handed>,
    piles: &[Pile<Batch>],
    idle: &Receiver<Stage>,
    onward: &Sender<Stage>,
) {
    let put_back = |source: usize, batch: Batch| {
        if let Some(pile) = piles.get(source) {
            pile.put_back(batch);
        }
    };
    for Handed { source, batch, until, is_end } in handed {
        line.merge.take(source, batch, until);
        if is_end {
            line.merge.end(source);
        }
        loop {
            let Ok(mut stage) = idle.recv() else { return };
            stage.decoded.clear();
            stage.decoded.batch.clear();
            let into = &mut stage.decoded.batch;
            let is_more = line.merge.fill(into, BATCH_FRAMES_MAX, put_back);
            let last = into.last_time();
            stage.until = if is_more { last.unwrap_or(until) } else { line.merge.until() };
            if stage.until.0 == i64::MAX {
                stage.until = last.unwrap_or(Timestamp(i64::MIN));
            }
            line.pass(&mut stage.decoded.batch);
            if onward.send(stage).is_err() {
                return;
            }
            if !is_more {
                break;
            }
        }
    }
}

/// Takes decoded batches in order, and what else is to be done.
fn keep<S: LiveSink>(
    done: &Receiver<Stage>,
    put_back: impl Fn(Stage),
    keeper: &mut Keeper<S>,
    (lookout, shared, stop): (&Lookout, &Shared, &Stop),
) {
    let mut early: BTreeMap<u64, Stage> = BTreeMap::new();
    let (mut next, mut turn) = (0, 0);
    let mut pulsed = Timestamp(0);
    let mut progress = Progress::new(clock());
    let guarded = |keeper: &mut Keeper<S>, work: &mut dyn FnMut(&mut Keeper<S>)| {
        let has_failed = catch_unwind(AssertUnwindSafe(|| work(keeper))).is_err();
        lock(&shared.health).panics += u64::from(has_failed);
        has_failed
    };
    loop {
        match done.recv_timeout(WAIT) {
            Ok(stage) => drop(early.insert(stage.decoded.batch.sequence, stage)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if let Some(indicators) = lookout.newer(&mut turn) {
            keeper.look_out_for(indicators);
        }
        shared.tell_lost(&mut keeper.sink);
        while let Some(stage) = early.remove(&next) {
            next += 1;
            let has_failed = guarded(keeper, &mut |keeper| {
                keeper.take(&stage.decoded);
                keeper.sink.advance(stage.until);
            });
            if let Some(lost) = stretch(&stage.decoded.batch)
                && (has_failed || stage.decoded.counters.failed > 0)
            {
                keeper.sink.lost(lost);
            }
            put_back(stage);
        }
        let time = now();
        if (time - pulsed).abs() >= Span::from_millis(50) {
            pulsed = time;
            let mut health = lock(&shared.health).clone();
            (health.decoded, health.reassembled) = keeper.counters();
            health.still = progress.still(&health, shared.turns(), clock());
            let mut ends = false;
            guarded(keeper, &mut |keeper| ends = keeper.sink.pulse(time, &health));
            if ends {
                stop.set();
            }
        }
    }
    shared.tell_lost(&mut keeper.sink);
    keeper.finish();
    let mut health = lock(&shared.health).clone();
    (health.decoded, health.reassembled) = keeper.counters();
    keeper.sink.ended(now(), &health);
}

#[cfg(test)]
mod tests;
