//! Running without an end: sources that are listened to, until the run is stopped.
//!
//! ```text
//! a thread a source -> merge -> decoders -> the stateful part, on the caller's thread
//! ```
//!
//! A single source needs no merge, and one worker is the caller's thread: each thread less that a batch goes through is a
//! wake-up less, and what was read of a frame is used where it was written. The thread of a source copies frames and
//! looks into none of them.
//!
//! Batches go round in fixed numbers, of each source its own, so memory does not grow (`batch_pool.rs`): they have theirs from
//! the start, and what waits does so undecoded, for decoded a frame takes three times as much. When the analysis cannot
//! keep up there is no free batch left: what comes then is read and left out, newest first, and counted.

mod batch_pool;
mod capture_thread;
mod feed;
mod progress;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use batch_pool::BatchPool;
use capture_thread::{CaptureThread, Line, Merged, Straight};
use feed::{Feed, Raw, Reading};
use progress::{Progress, clock};

use super::decode::{Counters, Decoder};
use super::merge::Merge;
use super::run::Stop;
use super::sequence::{MessageSink, Sequencer};
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
/// How many words that no frames came, or were left out, wait for each source.
const WORDS_EACH: usize = 8;
/// How many merged batches there are for each worker: few, so that they stay in the cache.
const MERGED_EACH: usize = 4;
/// How long a source waits for its first frame.
const WAIT: Duration = Duration::from_millis(50);

/// An interface that is read.
pub struct Listener {
    /// Its interface, by number.
    pub interface: u16,
    /// Where frames come from.
    pub source: Box<dyn Source>,
}

/// A stretch of time in which frames were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// From when,
    pub from: Timestamp,
    /// and until when.
    pub to: Timestamp,
    /// Whether none came of a whole interface, since it was away.
    pub is_blind: bool,
}

/// How an interface is doing.
#[derive(Clone, Debug, Default)]
pub struct InterfaceHealth {
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
    pub interfaces: Vec<InterfaceHealth>,
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
        let interfaces = vec![InterfaceHealth::default(); interfaces];
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

    /// What was lost and not told yet.
    fn take_lost(&self) -> Vec<Lost> {
        std::mem::take(&mut *lock(&self.lost))
    }

    fn lost(&self, stretch: Lost) {
        let mut lost = lock(&self.lost);
        let is_long = lost.len() >= 64;
        match lost.last_mut() {
            // Nobody has looked for long: one stretch will do.
            Some(last) if is_long => {
                last.from = last.from.min(stretch.from);
                last.to = last.to.max(stretch.to);
                last.is_blind |= stretch.is_blind;
            }
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
    keeper: &mut Sequencer<S>,
    workers: usize,
    lookout: &Lookout,
    stop: &Stop,
) {
    let files: Vec<u16> = listeners.iter().map(|listener| listener.interface).collect();
    let shared = Shared::new(&files);
    let ear = |source, listener: Listener| {
        let first = files.iter().position(|file| *file == listener.interface);
        CaptureThread::new((source, listener), &shared, first == Some(source), now())
    };
    let line = Line { merge: Merge::new(&files, WAITING_MAX), sequence: 0, tap };
    let reading = Reading::new(decoder.clone(), lookout);
    match <[Listener; 1]>::try_from(listeners) {
        Ok([listener]) => {
            let batches = &BatchPool::batches();
            let (onward, raw) = bounded(BATCHES + WORDS_EACH);
            let (ear, straight) = (ear(0, listener), Straight { batches, line, onward });
            std::thread::scope(|scope| {
                let _stops = StopsOnPanic(stop);
                scope.spawn(move || ear.listen(straight, stop));
                heard();
                let feed = Feed::new(scope, reading, raw, workers);
                let put_back = |batch| batches.put_back(batch);
                keep(feed, put_back, keeper, (lookout, &shared, stop));
            })
        }
        Err(listeners) => {
            let piles: &Vec<_> = &listeners.iter().map(|_| BatchPool::batches()).collect();
            let (handed_in, handed) = bounded((BATCHES + WORDS_EACH) * listeners.len());
            let merged_max = MERGED_EACH * workers.max(1);
            let (merged_in, merged) = bounded(merged_max);
            let (onward, raw) = bounded(merged_max);
            for _ in 0..merged_max {
                // There is room for all of them.
                let _ = merged_in.send(Batch::default());
            }
            std::thread::scope(|scope| {
                let _stops = StopsOnPanic(stop);
                for (source, (listener, batches)) in listeners.into_iter().zip(piles).enumerate() {
                    let handed = handed_in.clone();
                    let (ear, merged) = (ear(source, listener), Merged { source, batches, handed });
                    scope.spawn(move || ear.listen(merged, stop));
                }
                drop(handed_in);
                heard();
                scope.spawn(move || order(line, &handed, piles, &merged, &onward));
                let feed = Feed::new(scope, reading, raw, workers);
                let put_back = move |batch| drop(merged_in.send(batch));
                keep(feed, put_back, keeper, (lookout, &shared, stop));
            })
        }
    }
}

/// The time that a batch covers.
fn stretch(batch: &Batch) -> Option<Lost> {
    Some(Lost { from: batch.get(0)?.time, to: batch.last_time()?, is_blind: false })
}

/// Puts what was handed over in order, and numbers it.
fn order(
    mut line: Line<'_>,
    handed: &Receiver<Handed>,
    piles: &[BatchPool],
    merged: &Receiver<Batch>,
    onward: &Sender<Raw>,
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
            let Ok(mut batch) = merged.recv() else { return };
            batch.clear();
            let is_more = line.merge.fill(&mut batch, BATCH_FRAMES_MAX, put_back);
            let last = batch.last_time();
            let mut until = if is_more { last.unwrap_or(until) } else { line.merge.until() };
            if until.0 == i64::MAX {
                until = last.unwrap_or(Timestamp(i64::MIN));
            }
            line.pass(&mut batch);
            if onward.send(Raw { batch, until }).is_err() {
                return;
            }
            if !is_more {
                break;
            }
        }
    }
}

/// Stops the run when it is dropped by a panic: the threads of the sources would else listen on for nobody, and be
/// waited for.
struct StopsOnPanic<'s>(&'s Stop);

impl Drop for StopsOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set();
        }
    }
}

/// Takes decoded batches in order, and what else is to be done. Whatever the sink fails on, it goes on.
fn keep<S: LiveSink>(
    mut feed: Feed<'_>,
    put_back: impl Fn(Batch),
    keeper: &mut Sequencer<S>,
    (lookout, shared, stop): (&Lookout, &Shared, &Stop),
) {
    let mut turn = 0;
    let mut pulsed = Timestamp(0);
    let mut progress = Progress::new(clock());
    let guarded = |keeper: &mut Sequencer<S>, work: &mut dyn FnMut(&mut Sequencer<S>)| {
        let has_failed = catch_unwind(AssertUnwindSafe(|| work(keeper))).is_err();
        lock(&shared.health).panics += u64::from(has_failed);
        has_failed
    };
    let tell_lost = |keeper: &mut Sequencer<S>| {
        for lost in shared.take_lost() {
            guarded(keeper, &mut |keeper| keeper.sink.lost(lost));
        }
    };
    loop {
        let stage = match feed.next(WAIT) {
            Ok(stage) => Some(stage),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if let Some(indicators) = lookout.newer(&mut turn) {
            keeper.look_out_for(indicators);
        }
        tell_lost(keeper);
        if let Some(stage) = stage {
            let has_failed = guarded(keeper, &mut |keeper| {
                keeper.take(&stage.decoded);
                keeper.sink.advance(stage.until);
            });
            if let Some(lost) = stretch(&stage.decoded.batch)
                && (has_failed || stage.decoded.counters.failed > 0)
            {
                guarded(keeper, &mut |keeper| keeper.sink.lost(lost));
            }
            put_back(feed.put_back(stage));
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
    tell_lost(keeper);
    guarded(keeper, &mut Sequencer::finish);
    let mut health = lock(&shared.health).clone();
    (health.decoded, health.reassembled) = keeper.counters();
    guarded(keeper, &mut |keeper| keeper.sink.ended(now(), &health));
}

#[cfg(test)]
pub(super) mod tests;
