//! Running without an end: sources that are listened to, until the run is stopped.
//!
//! ```text
//! a thread a source -> merge -> decoders -> the stateful part, on the caller's thread
//! ```
//!
//! Batches go round in fixed numbers, so memory does not grow. When the analysis cannot keep up there is no
//! free batch left: what comes then is read and left out, newest first, and counted.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use super::decode::{Counters, Decoded, Decoder};
use super::keep::{Keeper, MessageSink};
use super::merge::Merge;
use super::run::Stop;
use crate::capture::BATCH_FRAMES_MAX;
use crate::capture::live::{Drops, Filled, Source};
use crate::frame::Batch;
use crate::indicator::Indicators;
use crate::packet::ReassemblyCounters;
use crate::time::{Span, Timestamp};

/// How many batches each source and decoder has.
const BATCHES_EACH: usize = 32;
/// How long a source waits for its first frame.
const WAIT: Duration = Duration::from_millis(50);
/// What the kernel gathers before it hands it over may be so old.
const GATHERED: Span = Span::from_millis(60);
/// How often a source is asked what was dropped.
const DROPS_EVERY: Span = Span::from_millis(250);
/// A batch whose frames took more memory than this gives it back.
const ARENA_KEPT: usize = 4 << 20;

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
#[derive(Default)]
struct Shared {
    health: Mutex<Health>,
    lost: Mutex<Vec<Lost>>,
}

impl Shared {
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

/// A decoded batch, or none, and until when all frames were in it or in those before.
struct Stage {
    decoded: Decoded,
    until: Timestamp,
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
    let shared = Shared::default();
    let files: Vec<u16> = listeners.iter().map(|listener| listener.interface).collect();
    let interfaces = files.iter().max().map_or(0, |most| usize::from(*most) + 1);
    lock(&shared.health).interfaces = vec![Heard::default(); interfaces];
    let raw_batches = BATCHES_EACH * listeners.len();
    let stages = BATCHES_EACH * workers.max(1);
    let (free_in, free) = filled(raw_batches, Batch::default);
    let (handed_in, handed) = bounded::<Handed>(raw_batches + 8 * listeners.len());
    let stage = || Stage { decoded: Decoded::default(), until: Timestamp(i64::MIN) };
    let (idle_in, idle) = filled(stages, stage);
    let (raw_in, raw) = bounded::<Stage>(stages);
    let (done_in, done) = bounded::<Stage>(stages);
    std::thread::scope(|scope| {
        for (source, listener) in listeners.into_iter().enumerate() {
            let (free, handed_in, shared) = (free.clone(), handed_in.clone(), &shared);
            let ear = Ear { source, listener, shared, told: Drops::default(), last: now() };
            scope.spawn(move || ear.listen(&free, &handed_in, stop));
        }
        drop(handed_in);
        heard();
        for _ in 0..workers.max(1) {
            let (raw, done_in, mut decoder) = (raw.clone(), done_in.clone(), decoder.clone());
            scope.spawn(move || {
                let mut turn = 0;
                for mut stage in raw {
                    if let Some(indicators) = lookout.newer(&mut turn) {
                        decoder.look_out_for(indicators);
                    }
                    decoder.decode(&mut stage.decoded);
                    if done_in.send(stage).is_err() {
                        break;
                    }
                }
            });
        }
        drop((raw, done_in));
        scope.spawn(move || order(&files, &handed, &free_in, &idle, (&raw_in, tap)));
        keep(&done, &idle_in, keeper, lookout, &shared, stop);
    });
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

/// The thread of a source.
struct Ear<'s> {
    source: usize,
    listener: Listener,
    shared: &'s Shared,
    /// The drops that were told.
    told: Drops,
    /// When the source was last asked for its drops.
    last: Timestamp,
}

impl Ear<'_> {
    fn listen(mut self, free: &Receiver<Batch>, handed: &Sender<Handed>, stop: &Stop) {
        let mut spare = Batch::default();
        while !stop.is_set() {
            let before = now() - GATHERED;
            let (mut batch, is_spare) = match free.try_recv() {
                Ok(batch) => (batch, false),
                Err(TryRecvError::Empty) => (std::mem::take(&mut spare), true),
                Err(TryRecvError::Disconnected) => break,
            };
            batch.clear();
            if batch.arena.capacity() > ARENA_KEPT {
                batch.arena = Vec::new();
            }
            let filled = self.listener.source.fill(&mut batch, WAIT);
            self.note(&filled, &batch);
            let ended = filled == Filled::Ended;
            if is_spare {
                self.leave_out(&batch);
                spare = batch;
                if ended {
                    break;
                }
                continue;
            }
            let (source, is_end) = (self.source, ended);
            // What the kernel had before it was asked has come, if it had no more than that.
            let last = batch.len().checked_sub(1).and_then(|at| batch.get(at));
            let until = last.map_or(before, |frame| frame.time);
            let handing = Handed { source, batch: Some(batch), until, is_end };
            if handed.send(handing).is_err() || ended {
                break;
            }
        }
        let end =
            Handed { source: self.source, batch: None, until: Timestamp(i64::MIN), is_end: true };
        let _ = handed.send(end);
    }

    /// Counts what came.
    fn note(&mut self, filled: &Filled, batch: &Batch) {
        let time = now();
        let asks = time - self.last >= DROPS_EVERY;
        let drops = if asks { self.listener.source.drops() } else { self.told };
        let mut health = lock(&self.shared.health);
        let place = usize::from(self.listener.interface);
        let Some(heard) = health.interfaces.get_mut(place) else { return };
        heard.frames += batch.len() as u64;
        heard.octets += batch.arena.len() as u64;
        heard.fault = match filled {
            Filled::Down(why) => Some(why.clone()),
            _ => None,
        };
        let more = |now: u64, before: u64| now.saturating_sub(before);
        let kernel = more(drops.by_kernel, self.told.by_kernel);
        let interface = more(drops.by_interface, self.told.by_interface);
        heard.drops.by_kernel += kernel;
        heard.drops.by_interface += interface;
        drop(health);
        if asks {
            if kernel + interface > 0 {
                self.shared.lost((self.last - GATHERED, time));
            }
            (self.told, self.last) = (drops, time);
        }
    }

    fn leave_out(&self, batch: &Batch) {
        let (Some(first), Some(last)) = (batch.get(0), batch.get(batch.len().wrapping_sub(1)))
        else {
            return;
        };
        self.shared.lost((first.time, last.time));
        let mut health = lock(&self.shared.health);
        health.batches_lost += 1;
        health.frames_lost += batch.len() as u64;
    }
}

/// Puts what was handed over in order, and numbers it.
fn order(
    files: &[u16],
    handed: &Receiver<Handed>,
    free: &Sender<Batch>,
    idle: &Receiver<Stage>,
    (onward, mut tap): (&Sender<Stage>, Option<Tap<'_>>),
) {
    let mut merge = Merge::new(files);
    let mut sequence = 0;
    let mut send = |mut stage: Stage| {
        stage.decoded.batch.sequence = sequence;
        sequence += 1;
        if let Some(tap) = &mut tap {
            tap(&stage.decoded.batch);
        }
        onward.send(stage).is_ok()
    };
    for Handed { source, mut batch, until, is_end } in handed {
        if merge.is_single() {
            let Ok(mut stage) = idle.recv() else { return };
            stage.decoded.clear();
            stage.until = until;
            if let Some(mut batch) = batch.take() {
                merge.number(&mut batch);
                std::mem::swap(&mut stage.decoded.batch, &mut batch);
                let _ = free.send(batch);
            }
            if !send(stage) {
                return;
            }
            continue;
        }
        match batch.take() {
            Some(empty) if empty.is_empty() => {
                let _ = free.send(empty);
                merge.take(source, None, until);
            }
            batch => merge.take(source, batch, until),
        }
        if is_end {
            merge.end(source);
        }
        loop {
            let Ok(mut stage) = idle.recv() else { return };
            stage.decoded.clear();
            let is_more = merge
                .fill(&mut stage.decoded.batch, BATCH_FRAMES_MAX, |batch| drop(free.send(batch)));
            let last = stage.decoded.batch.len().checked_sub(1);
            let last = last.and_then(|at| stage.decoded.batch.get(at)).map(|frame| frame.time);
            stage.until = if is_more { last.unwrap_or(until) } else { merge.until() };
            if stage.until.0 == i64::MAX {
                stage.until = last.unwrap_or(Timestamp(i64::MIN));
            }
            if !send(stage) {
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
    idle: &Sender<Stage>,
    keeper: &mut Keeper<S>,
    lookout: &Lookout,
    shared: &Shared,
    stop: &Stop,
) {
    let mut early: BTreeMap<u64, Stage> = BTreeMap::new();
    let (mut next, mut turn) = (0, 0);
    let mut pulsed = Timestamp(0);
    let guarded = |keeper: &mut Keeper<S>, work: &mut dyn FnMut(&mut Keeper<S>)| {
        if catch_unwind(AssertUnwindSafe(|| work(keeper))).is_err() {
            lock(&shared.health).panics += 1;
        }
    };
    loop {
        match done.recv_timeout(WAIT) {
            Ok(stage) => drop(early.insert(stage.decoded.batch.sequence, stage)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        for lost in std::mem::take(&mut *lock(&shared.lost)) {
            keeper.sink.lost(lost);
        }
        while let Some(stage) = early.remove(&next) {
            next += 1;
            guarded(keeper, &mut |keeper| {
                keeper.take(&stage.decoded);
                keeper.sink.advance(stage.until);
            });
            let _ = idle.send(stage);
        }
        let time = now();
        if (time - pulsed).abs() >= Span::from_millis(50) {
            pulsed = time;
            let mut health = lock(&shared.health).clone();
            (health.decoded, health.reassembled) = keeper.counters();
            let mut ends = false;
            guarded(keeper, &mut |keeper| ends = keeper.sink.pulse(time, &health));
            if let Some(indicators) = lookout.newer(&mut turn) {
                keeper.look_out_for(indicators);
            }
            if ends {
                stop.set();
            }
        }
    }
    keeper.finish();
    let mut health = lock(&shared.health).clone();
    (health.decoded, health.reassembled) = keeper.counters();
    keeper.sink.ended(now(), &health);
}
