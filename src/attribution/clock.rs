//! How far time has come. It does not go back, whatever stamps do.
//!
//! Frames bear the stamps of clocks that are set, and now and then one that is wrong:
//!
//! 1. Out of order by some seconds, as a mirror port or merged files have them, they are taken as they are.
//! 2. A stamp far ahead is doubtful until the next frame has come: if that is there too, the network was quiet in
//!    between; else the frame came when the one before it did.
//! 3. A frame far behind came when the one before it did. If the next is there too the clock was set back: from
//!    then on so much is added to stamps that time goes on where it was.
//!
//! So what waits for a stretch of time to pass does not see it pass at once for a single frame, nor a second time
//! for a clock that was set back; and what was asked before that is not taken for what is asked after it by the
//! same stamp. What is said bears the stamps as they stand in the capture ([`Clock::stamp_of`]).

use std::collections::VecDeque;

use super::{Attribution, SummaryRow};
use crate::contact::Contact;
use crate::frame::FrameId;
use crate::identity::Hostname;
use crate::time::{Span, Timestamp};

/// Stamps that are so far from time are not merely out of order.
const FAR: Span = Span::from_secs(10);
/// The least span there is.
const LEAST: Span = Span(1);
/// How many settings back are remembered, the latest; what is older bears the stamps of the first of them.
const SCALES_MAX: usize = 64;

/// What a frame's stamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It came at this time.
    At(Timestamp),
    /// It came at this time, and the clock was set back just before.
    SetBack(Timestamp),
    /// It is far ahead: the next frame tells whether that is so.
    FarAhead,
}

/// What is to be added to stamps after a time.
#[derive(Clone, Copy, Debug)]
struct Scale {
    since: Timestamp,
    added: Span,
}

impl Scale {
    fn time_of(self, stamp: Timestamp) -> Timestamp {
        stamp + self.added
    }
}

/// The time of the latest frame, and how stamps are read.
#[derive(Debug)]
pub(super) struct Clock {
    now: Timestamp,
    /// By time, the one in use last.
    scales: VecDeque<Scale>,
    /// What a single frame far behind would make of it.
    doubted: Option<Scale>,
    set_back: u64,
    /// The number of the latest frame of each file.
    frames: Vec<u64>,
}

impl Default for Clock {
    fn default() -> Clock {
        let now = Timestamp(i64::MIN);
        Clock { now, scales: VecDeque::new(), doubted: None, set_back: 0, frames: Vec::new() }
    }
}

impl Clock {
    /// How far time has come.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How often it was set back.
    pub fn set_back(&self) -> u64 {
        self.set_back
    }

    fn scale(&self) -> Scale {
        let first = Scale { since: Timestamp(i64::MIN), added: Span(0) };
        self.scales.back().copied().unwrap_or(first)
    }

    /// The time that a stamp stands for now.
    pub fn time_of(&self, stamp: Timestamp) -> Timestamp {
        self.scale().time_of(stamp)
    }

    /// The stamp that frames of a time bear.
    pub fn stamp_of(&self, time: Timestamp) -> Timestamp {
        let after = self.scales.partition_point(|scale| scale.since < time);
        let scale = after.checked_sub(1).and_then(|place| self.scales.get(place));
        time - scale.map_or(Span(0), |scale| scale.added)
    }

    /// Reads the stamp of the next frame.
    #[inline]
    pub fn read(&mut self, stamp: Timestamp) -> Reading {
        // Nearly always no clock was set, and the stamp is near.
        let off = stamp.0.wrapping_sub(self.now.0).unsigned_abs();
        if self.scales.is_empty() && off <= FAR.0.unsigned_abs() {
            self.doubted = None;
            self.now = self.now.max(stamp);
            return Reading::At(stamp);
        }
        self.read_with_care(stamp)
    }

    fn read_with_care(&mut self, stamp: Timestamp) -> Reading {
        let time = self.time_of(stamp);
        if self.now == Timestamp(i64::MIN) {
            self.now = time;
        }
        if time - self.now > FAR {
            return Reading::FarAhead;
        }
        if self.now - time <= FAR {
            self.doubted = None;
            return Reading::At(self.reach(time));
        }
        if let Some(scale) = self.doubted.take()
            && (scale.time_of(stamp) - self.now).abs() <= FAR
        {
            if self.scales.len() >= SCALES_MAX {
                self.scales.pop_front();
            }
            self.scales.push_back(scale);
            self.set_back += 1;
            return Reading::SetBack(self.reach(scale.time_of(stamp)));
        }
        let since = self.now;
        self.doubted = Some(Scale { since, added: since + LEAST - stamp });
        Reading::At(self.reach(since + LEAST))
    }

    /// Whether what is taken next is of a frame before the latest: pieces that were waited for in vain. Of time
    /// it tells nothing new.
    #[inline]
    pub fn is_late(&mut self, frame: FrameId) -> bool {
        let file = usize::from(frame.file());
        if self.frames.len() <= file {
            self.frames.resize(file + 1, 0);
        }
        let Some(latest) = self.frames.get_mut(file) else { return false };
        let is_late = frame.number() < *latest;
        *latest = frame.number().max(*latest);
        is_late
    }

    /// Reads the stamp of such a frame.
    pub fn read_late(&self, stamp: Timestamp) -> Timestamp {
        self.time_of(stamp).min(self.now)
    }

    /// When a frame came that was far ahead, by the stamp of the next one; at the end of the capture there is
    /// none, and no reason to doubt it.
    pub fn settle(&mut self, doubtful: Timestamp, next: Option<Timestamp>) -> Timestamp {
        if next.is_none_or(|next| doubtful - next <= FAR) {
            self.now = self.time_of(doubtful);
        }
        self.now
    }

    /// Moves on without a frame, as a machine's clock does on a silent interface: in small steps. Returns
    /// whether it moved. What leaps was set, and the next frames tell.
    pub fn pass(&mut self, stamp: Timestamp) -> bool {
        let time = self.time_of(stamp);
        let moves = self.now < time && time - self.now <= FAR;
        if moves {
            self.now = time;
        }
        moves
    }

    /// A time of this scale, out of order as it may be: it is not before the scale.
    fn reach(&mut self, time: Timestamp) -> Timestamp {
        let time = time.max(self.scale().since + LEAST);
        self.now = self.now.max(time);
        time
    }

    /// Gives an attribution the stamps that stand in the capture.
    pub fn stamp(&self, attribution: &mut Attribution) {
        if self.scales.is_empty() {
            return;
        }
        attribution.sighting.time = self.stamp_of(attribution.sighting.time);
        attribution.untold_since = attribution.untold_since.map(|time| self.stamp_of(time));
        for client in &mut attribution.clients {
            client.asked_time = self.stamp_of(client.asked_time);
            self.stamp_host(&mut client.hostname, &mut client.contact);
        }
    }

    /// The same of a row.
    pub fn stamp_row(&self, row: &mut SummaryRow) {
        row.first = self.stamp_of(row.first);
        row.last = self.stamp_of(row.last);
        self.stamp_host(&mut row.hostname, &mut row.contact);
    }

    fn stamp_host(&self, hostname: &mut Option<Hostname>, contact: &mut Contact) {
        if let Some(hostname) = hostname {
            hostname.time = hostname.time.map(|time| self.stamp_of(time));
        }
        if let Contact::Yes(connection) | Contact::Elsewhere(connection) = contact {
            connection.time = self.stamp_of(connection.time);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(0) + Span::from_secs(seconds)
    }

    /// The times at which frames with these stamps came, in seconds, each doubtful one settled by the next.
    fn times(clock: &mut Clock, stamps: &[i64]) -> Vec<i64> {
        let mut times = Vec::new();
        for (place, &stamp) in stamps.iter().enumerate() {
            let next = stamps.get(place + 1).map(|next| at(*next));
            times.push(match clock.read(at(stamp)) {
                Reading::At(time) | Reading::SetBack(time) => time,
                Reading::FarAhead => clock.settle(at(stamp), next),
            });
        }
        times.into_iter().map(Timestamp::seconds).collect()
    }

    #[test]
    fn some_seconds_out_of_order_nothing_is_done_about() {
        let mut clock = Clock::default();
        let stamps = [100, 103, 101, 96, 104, 110, 100];
        assert_eq!(times(&mut clock, &stamps), stamps);
        assert_eq!((clock.now(), clock.set_back()), (at(110), 0));
    }

    #[test]
    fn one_frame_far_from_the_others_moves_nothing() {
        let mut clock = Clock::default();
        let stamps = [100, 7_300, 101, 3, 102, 7_000, 103, 50, 30, 104];
        assert_eq!(times(&mut clock, &stamps), [100, 100, 101, 101, 102, 102, 103, 103, 103, 104]);
        assert_eq!((clock.now(), clock.set_back()), (at(104), 0));
        assert_eq!(clock.stamp_of(at(102)), at(102));
    }

    #[test]
    fn after_a_quiet_time_the_second_frame_bears_out_the_first() {
        let mut clock = Clock::default();
        let stamps = [100, 7_300, 7_301, 20_000, 30_000, 40_000];
        assert_eq!(times(&mut clock, &stamps), stamps);
    }

    #[test]
    fn a_clock_set_back_goes_on_and_what_is_said_bears_the_stamps() {
        let mut clock = Clock::default();
        // It was two hours ahead, and then one minute.
        let stamps = [7_300, 100, 101, 102, 104, 41, 42, 45];
        let times = times(&mut clock, &stamps);
        assert_eq!(times, [7_300, 7_300, 7_301, 7_302, 7_304, 7_304, 7_305, 7_308]);
        assert_eq!(clock.set_back(), 2);
        let stamps_of_times = [(7_300, 7_300), (7_301, 101), (7_303, 103), (7_306, 43)];
        for (time, stamp) in stamps_of_times {
            assert!((clock.stamp_of(at(time)) - at(stamp)).abs() <= Span(2), "{time}");
        }
        // What comes out of order does not fall back to before that.
        assert_eq!(clock.read(at(40)), Reading::At(at(7_304) + Span(2)));
    }

    #[test]
    fn without_a_frame_it_moves_in_small_steps_alone() {
        let mut clock = Clock::default();
        assert!(!clock.pass(at(5)), "nothing has come yet");
        clock.read(at(100));
        assert!(clock.pass(at(101)) && !clock.pass(at(101)) && !clock.pass(at(50)));
        assert!(!clock.pass(at(7_300)));
        assert_eq!(clock.now(), at(101));
    }
}
