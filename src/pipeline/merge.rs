//! Several sources as one: their frames in the order of time.
//!
//! A source's frames come in order. Those of all are handed on up to the time until which every source has
//! handed over what it had. Who says nothing for too long is not waited for, and nobody is by a source of which so
//! much waits that it would soon have to leave frames out.

use std::collections::VecDeque;

use crate::frame::{Batch, Frame, FrameId};
use crate::time::{Span, Timestamp};

/// A source that is so far behind the others is not waited for.
const PATIENCE: Span = Span::from_millis(250);

/// By so much no source is out of order: the clock was set back.
const SET_BACK: Span = Span::from_secs(10);

/// What one source handed over and is not handed on yet.
struct Lane {
    /// Its interface: the file of its frames.
    file: u16,
    batches: VecDeque<(Batch, usize)>,
    /// All frames before this were handed over.
    until: Timestamp,
}

impl Lane {
    fn head(&self) -> Option<Frame<'_>> {
        let (batch, place) = self.batches.front()?;
        batch.get(*place)
    }
}

/// Puts the frames of sources in order and numbers them, each interface for itself.
pub(super) struct Merge {
    lanes: Vec<Lane>,
    /// How many batches of a source may wait for the others.
    waiting_max: usize,
    /// How many frames of each interface were handed on.
    numbers: Vec<u64>,
}

impl Merge {
    /// For sources of these interfaces, by number. Of each, so many batches may wait for the others.
    pub fn new(files: &[u16], waiting_max: usize) -> Merge {
        let lane = |&file| Lane { file, batches: VecDeque::new(), until: Timestamp(i64::MIN) };
        let interfaces = files.iter().max().map_or(0, |most| usize::from(*most) + 1);
        let lanes = files.iter().map(lane).collect();
        Merge { lanes, waiting_max, numbers: vec![0; interfaces] }
    }

    /// Numbers a batch that is handed on as it is, for there is one source only.
    pub fn number(&mut self, batch: &mut Batch) {
        let file = self.lanes.first().map_or(0, |lane| lane.file);
        let Some(number) = self.numbers.get_mut(usize::from(file)) else { return };
        batch.number(file, *number + 1);
        *number += batch.len() as u64;
    }

    /// Takes what a source handed over: frames, if there are any, and until when nothing more will come.
    pub fn take(&mut self, source: usize, batch: Option<Batch>, until: Timestamp) {
        let Some(lane) = self.lanes.get_mut(source) else { return };
        let last = batch.as_ref().and_then(Batch::last_time);
        let last = last.map_or(until, |last| last.max(until));
        lane.until = if lane.until - last > SET_BACK { last } else { lane.until.max(last) };
        lane.batches.extend(batch.map(|batch| (batch, 0)));
    }

    /// A source has ended: nothing more will come.
    pub fn end(&mut self, source: usize) {
        if let Some(lane) = self.lanes.get_mut(source) {
            lane.until = Timestamp(i64::MAX);
        }
    }

    /// Until when all frames are there, or are not waited for.
    pub fn until(&self) -> Timestamp {
        let crowded = self.lanes.iter().filter(|lane| lane.batches.len() > self.waiting_max);
        let crowded = crowded.filter_map(|lane| lane.batches.front()?.0.last_time()).max();
        self.all_until().max(crowded.unwrap_or(Timestamp(i64::MIN)))
    }

    fn all_until(&self) -> Timestamp {
        let open = || self.lanes.iter().map(|lane| lane.until).filter(|until| until.0 != i64::MAX);
        match (open().min(), open().max()) {
            (Some(least), Some(most)) if most.0 > i64::MIN + PATIENCE.0 => {
                least.max(most - PATIENCE)
            }
            (Some(least), _) => least,
            (None, _) => Timestamp(i64::MAX),
        }
    }

    /// Moves what is in order to the batch, as far as it has room; gives batches that are used up back, by source.
    /// Returns whether the batch is full and there is more.
    pub fn fill(
        &mut self,
        into: &mut Batch,
        room: usize,
        mut put_back: impl FnMut(usize, Batch),
    ) -> bool {
        let until = self.until();
        loop {
            let heads = self.lanes.iter().enumerate();
            let heads = heads.filter_map(|(at, lane)| {
                let time = lane.head()?.time;
                // What is far ahead was captured before the clock was set back, and comes first.
                Some((if time - until > SET_BACK { Timestamp(i64::MIN) } else { time }, at))
            });
            let Some((_, at)) = heads.min().filter(|(time, _)| *time <= until) else {
                return false;
            };
            if into.len() >= room {
                return true;
            }
            let Some(lane) = self.lanes.get_mut(at) else { return false };
            if let Some(frame) = lane.head() {
                let number = self.numbers.get_mut(usize::from(lane.file));
                let number = number.map_or(0, |number| {
                    *number += 1;
                    *number
                });
                into.push(Frame { id: FrameId::new(lane.file, number), ..frame });
            }
            if let Some((batch, place)) = lane.batches.front_mut() {
                *place += 1;
                if *place >= batch.len()
                    && let Some((batch, _)) = lane.batches.pop_front()
                {
                    put_back(at, batch);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::LinkType;

    fn batch(times: &[i64]) -> Option<Batch> {
        let mut batch = Batch::new();
        for &time in times {
            let time = Timestamp(time);
            let link = LinkType(1);
            batch.push(Frame { id: FrameId::NONE, time, link, original_len: 1, bytes: b"x" });
        }
        Some(batch)
    }

    fn taken(merge: &mut Merge) -> Vec<(i64, u16, u64)> {
        let mut into = Batch::new();
        merge.fill(&mut into, 100, |_, batch| drop(batch));
        into.frames().map(|f| (f.time.0, f.id.file(), f.id.number())).collect()
    }

    #[test]
    fn frames_wait_until_all_sources_have_come_so_far() {
        let mut merge = Merge::new(&[0, 1], 9);
        merge.take(0, batch(&[1, 4, 9]), Timestamp(9));
        assert_eq!(taken(&mut merge), []);
        merge.take(1, batch(&[2, 3]), Timestamp(5));
        assert_eq!(taken(&mut merge), [(1, 0, 1), (2, 1, 1), (3, 1, 2), (4, 0, 2)]);
        merge.take(1, None, Timestamp(9));
        assert_eq!(taken(&mut merge), [(9, 0, 3)]);
    }

    #[test]
    fn who_is_silent_is_not_waited_for_for_ever_nor_who_has_ended() {
        let mut merge = Merge::new(&[0, 0, 1], 9);
        let late = PATIENCE.0 + 10;
        merge.take(0, batch(&[1, late]), Timestamp(late));
        merge.take(1, None, Timestamp(0));
        merge.end(2);
        assert_eq!(taken(&mut merge), [(1, 0, 1)]);
        merge.end(1);
        assert_eq!(taken(&mut merge), [(late, 0, 2)]);
    }

    #[test]
    fn of_whom_too_much_waits_waits_for_nobody() {
        let mut merge = Merge::new(&[0, 1], 2);
        merge.take(0, batch(&[1, 2]), Timestamp(2));
        merge.take(0, batch(&[3, 4]), Timestamp(4));
        assert_eq!(taken(&mut merge), []);
        merge.take(0, batch(&[5, 6]), Timestamp(6));
        assert_eq!(taken(&mut merge), [(1, 0, 1), (2, 0, 2)]);
        assert_eq!(taken(&mut merge), []);
        // Who comes late all the same is let through at once.
        merge.take(1, batch(&[1]), Timestamp(1));
        assert_eq!(taken(&mut merge), [(1, 1, 1)]);
    }

    #[test]
    fn after_a_clock_was_set_back_sources_wait_for_one_another_again() {
        let mut merge = Merge::new(&[0, 1], 9);
        let ahead = SET_BACK.0 * 9;
        merge.take(0, batch(&[ahead]), Timestamp(ahead));
        merge.take(1, batch(&[ahead + 1]), Timestamp(ahead + 1));
        assert_eq!(taken(&mut merge), [(ahead, 0, 1)]);
        merge.take(0, batch(&[5, 9]), Timestamp(9));
        merge.take(1, batch(&[7]), Timestamp(7));
        assert_eq!(taken(&mut merge), [(ahead + 1, 1, 1), (5, 0, 2), (7, 1, 2)]);
        merge.take(1, None, Timestamp(9));
        assert_eq!(taken(&mut merge), [(9, 0, 3)]);
    }
}
