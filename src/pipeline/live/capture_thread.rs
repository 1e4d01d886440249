//! The threads of sources: each fills batches and hands them over, or leaves out what there is no room for.

use std::time::Duration;

use crossbeam_channel::Sender;

use super::batch_pool::BatchPool;
use super::progress::clock;
use super::{Handed, Listener, Lost, Raw, Shared, Tap, WAIT, WORDS_EACH, lock, now, stretch};
use crate::capture::live::{Drops, Filled};
use crate::frame::Batch;
use crate::pipeline::Stop;
use crate::pipeline::merge::Merge;
use crate::time::{Span, Timestamp};

/// What the kernel gathers before it hands it over may be so old.
const GATHERED: Span = Span::from_millis(60);
/// How often a source is asked what was dropped.
const DROPS_EVERY: Span = Span::from_millis(250);
/// How long it is still read what the kernel has when the run ends, and how long that is waited for: longer than the
/// kernel gathers frames.
const LAST_TURNS: Span = Span::from_millis(200);
const LAST_WAIT: Duration = Duration::from_millis(20);

/// Numbers batches in order, and lets them go by the tap.
pub(super) struct Line<'t> {
    pub(super) merge: Merge,
    pub(super) sequence: u64,
    pub(super) tap: Option<Tap<'t>>,
}

impl Line<'_> {
    pub(super) fn pass(&mut self, batch: &mut Batch) {
        batch.sequence = self.sequence;
        self.sequence += 1;
        if let Some(tap) = &mut self.tap {
            tap(batch);
        }
    }

    /// What stands for a batch where no frame came.
    fn word(&mut self) -> Batch {
        let mut word = Batch::new();
        word.sequence = self.sequence;
        self.sequence += 1;
        word
    }
}

/// Where a source's thread gets empty batches and hands over what it filled.
pub(super) trait Outlet {
    /// An empty batch; none when the analysis is behind.
    fn empty(&mut self) -> Option<Batch>;

    /// Takes what [`empty`](Self::empty) gave, filled, and until when all frames have come. Returns whether
    /// anybody wants more.
    fn hand(&mut self, batch: Batch, until: Timestamp) -> bool;

    /// No frames from before this time will come: what there was no room for was left out.
    fn pass_over(&mut self, until: Timestamp);

    /// There will be no more.
    fn end(self);
}

/// To the merge with other sources.
pub(super) struct Merged<'l> {
    pub(super) source: usize,
    /// Its own, so that no other source can use them up.
    pub(super) batches: &'l BatchPool,
    pub(super) handed: Sender<Handed>,
}

impl Outlet for Merged<'_> {
    fn empty(&mut self) -> Option<Batch> {
        self.batches.take()
    }

    fn hand(&mut self, batch: Batch, until: Timestamp) -> bool {
        if batch.is_empty() {
            self.batches.put_back(batch);
            self.pass_over(until);
            return true;
        }
        let handed = Handed { source: self.source, batch: Some(batch), until, is_end: false };
        self.handed.send(handed).is_ok()
    }

    fn pass_over(&mut self, until: Timestamp) {
        // The others must not wait for this source. Where much waits they have not come to earlier words yet, and
        // another follows; the room is for batches.
        if self.handed.len() < WORDS_EACH {
            let handed = Handed { source: self.source, batch: None, until, is_end: false };
            let _ = self.handed.try_send(handed);
        }
    }

    fn end(self) {
        let until = Timestamp(i64::MIN);
        let _ = self.handed.send(Handed { source: self.source, batch: None, until, is_end: true });
    }
}

/// Straight on, for there is no other source.
pub(super) struct Straight<'l, 't> {
    pub(super) batches: &'l BatchPool,
    pub(super) line: Line<'t>,
    /// Has room for all batches, and for words.
    pub(super) onward: Sender<Raw>,
}

impl Outlet for Straight<'_, '_> {
    fn empty(&mut self) -> Option<Batch> {
        self.batches.take()
    }

    fn hand(&mut self, mut batch: Batch, until: Timestamp) -> bool {
        if batch.is_empty() {
            self.batches.put_back(batch);
            self.pass_over(until);
            return true;
        }
        self.line.merge.number(&mut batch);
        self.line.pass(&mut batch);
        self.onward.send(Raw { batch, until }).is_ok()
    }

    fn pass_over(&mut self, until: Timestamp) {
        // Where much waits the analysis is behind, and another word follows.
        if self.onward.len() < WORDS_EACH {
            let word = Raw { batch: self.line.word(), until };
            let _ = self.onward.try_send(word);
        }
    }

    fn end(self) {}
}

/// The thread of a source.
pub(super) struct CaptureThread<'s> {
    listener: Listener,
    /// Its place among the sources.
    source: usize,
    shared: &'s Shared,
    /// Whether it is the first of its interface: each says of all of it what the interface dropped.
    is_first: bool,
    /// The drops that were told.
    told: Drops,
    /// When the source was last asked for its drops.
    last: Timestamp,
    /// Whether anything came yet.
    has_heard: bool,
    /// Since when its interface is away, if it is.
    away_since: Option<Timestamp>,
}

impl<'s> CaptureThread<'s> {
    /// That of a source. The drops are asked for as if they had been at `last`.
    pub(super) fn new(
        (source, listener): (usize, Listener),
        shared: &'s Shared,
        is_first: bool,
        last: Timestamp,
    ) -> CaptureThread<'s> {
        let (told, has_heard, away_since) = (Drops::default(), false, None);
        CaptureThread { listener, source, shared, is_first, told, last, has_heard, away_since }
    }
}

impl CaptureThread<'_> {
    /// Listens until told to stop, or until the source has ended.
    pub(super) fn listen(mut self, mut outlet: impl Outlet, stop: &Stop) {
        let mut spare = Batch::default();
        let mut until = Some(Timestamp(i64::MIN));
        while until.is_some() && !stop.is_set() {
            until = self.turn(&mut outlet, &mut spare, WAIT);
        }
        // What the kernel had when it was told to stop is still read, and then what was dropped until now.
        let told = now();
        while until.is_some_and(|until| until < told) && (now() - told).abs() < LAST_TURNS {
            until = self.turn(&mut outlet, &mut spare, LAST_WAIT);
        }
        self.note_drops(now());
        self.shared.turned(self.source, None);
        outlet.end();
    }

    /// Reads a batch, and hands it over or leaves it out. Until when all frames have come; `None` when there will
    /// be no more, or nobody wants them.
    fn turn(
        &mut self,
        outlet: &mut impl Outlet,
        spare: &mut Batch,
        wait: Duration,
    ) -> Option<Timestamp> {
        self.shared.turned(self.source, Some(clock()));
        let before = now() - GATHERED;
        let (mut batch, is_spare) = match outlet.empty() {
            Some(batch) => (batch, false),
            None => (std::mem::take(spare), true),
        };
        batch.clear();
        let filled = self.listener.source.fill(&mut batch, wait);
        self.note(&filled, &batch);
        // What the kernel had before it was asked has come, if it had no more than that.
        let until = batch.last_time().unwrap_or(before);
        // While it was waited for frames there may have come to be room for them.
        let is_wanted = match is_spare.then(|| outlet.empty()) {
            None => outlet.hand(batch, until),
            Some(Some(free)) => {
                *spare = free;
                outlet.hand(batch, until)
            }
            Some(None) => {
                self.leave_out(&batch);
                outlet.pass_over(until);
                *spare = batch;
                true
            }
        };
        (is_wanted && filled != Filled::Ended).then_some(until)
    }

    /// Counts what came.
    fn note(&mut self, filled: &Filled, batch: &Batch) {
        let mut health = lock(&self.shared.health);
        let place = usize::from(self.listener.interface);
        if let Some(heard) = health.interfaces.get_mut(place) {
            heard.frames += batch.len() as u64;
            heard.octets += batch.arena.len() as u64;
            heard.fault = match filled {
                Filled::Down(why) => Some(why.clone()),
                _ => None,
            };
        }
        drop(health);
        let time = now();
        match (filled, self.away_since) {
            // What was there before it began is no part of the capture.
            (Filled::Down(_), None) if self.has_heard => self.away_since = Some(time - GATHERED),
            (Filled::Down(_), _) | (_, None) => {}
            (_, Some(from)) => {
                self.away_since = None;
                self.shared.lost(Lost { from, to: time, is_blind: true });
            }
        }
        self.has_heard |= !batch.is_empty();
        // The clock may have been set back.
        if (time - self.last).abs() >= DROPS_EVERY {
            self.note_drops(time);
        }
    }

    /// Counts what was dropped since it was last asked for.
    fn note_drops(&mut self, time: Timestamp) {
        let drops = self.listener.source.drops();
        let kernel = drops.by_kernel.saturating_sub(self.told.by_kernel);
        let interface = match self.is_first {
            true => drops.by_interface.saturating_sub(self.told.by_interface),
            false => 0,
        };
        if kernel + interface > 0 {
            let place = usize::from(self.listener.interface);
            if let Some(heard) = lock(&self.shared.health).interfaces.get_mut(place) {
                heard.drops.by_kernel += kernel;
                heard.drops.by_interface += interface;
            }
            let from = self.last.min(time) - GATHERED;
            self.shared.lost(Lost { from, to: time, is_blind: false });
        }
        (self.told, self.last) = (drops, time);
    }

    fn leave_out(&self, batch: &Batch) {
        let Some(stretch) = stretch(batch) else { return };
        self.shared.lost(stretch);
        let mut health = lock(&self.shared.health);
        health.batches_lost += 1;
        health.frames_lost += batch.len() as u64;
    }
}
