//! Whatever is lost on the way is counted, and its time is told to whoever judges.

use std::collections::VecDeque;

use super::ear::Outlet;
use super::*;
use crate::capture::live::Filled;
use crate::frame::{Frame, FrameId, LinkType};
use crate::indicator::Indicators;
use crate::message::{Message, Messages};
use crate::name::NameHasher;
use crate::packet::Ports;

/// A question for `a.`, in Ethernet, IPv4 and UDP.
fn question() -> Vec<u8> {
    let message = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1];
    let len = |octets: usize| ((octets + message.len()) as u16).to_be_bytes();
    let mut frame = vec![2; 12];
    frame.extend([8, 0, 0x45, 0]);
    frame.extend(len(28));
    frame.extend([0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 53, 0x9c, 0x40, 0, 53]);
    frame.extend(len(8));
    frame.extend([0, 0]);
    frame.extend(message);
    frame
}

/// What a source does when it is asked for frames.
#[derive(Clone, Copy)]
enum Step {
    /// One comes, so long after it was asked for.
    Frame(Duration),
    /// So many were dropped by the kernel and the interface until now.
    Dropped(u64, u64),
    /// From now on none comes.
    Silent,
}

struct Scripted {
    steps: VecDeque<Step>,
    drops: Drops,
}

impl Source for Scripted {
    fn fill(&mut self, batch: &mut Batch, wait: Duration) -> Filled {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Silent => {
                    self.steps.push_front(step);
                    std::thread::sleep(wait);
                    return Filled::Idle;
                }
                Step::Dropped(by_kernel, by_interface) => {
                    self.drops = Drops { by_kernel, by_interface };
                }
                Step::Frame(after) => {
                    std::thread::sleep(after);
                    let bytes = &question();
                    batch.push(Frame {
                        id: FrameId::NONE,
                        time: now(),
                        link: LinkType(1),
                        original_len: bytes.len() as u32,
                        bytes,
                    });
                    return Filled::Frames;
                }
            }
        }
        Filled::Ended
    }

    fn drops(&mut self) -> Drops {
        self.drops
    }
}

/// Notes what it is told; the first message takes long, or is too much for it.
#[derive(Default)]
struct Told {
    takes_long: bool,
    panics: bool,
    messages: Vec<Timestamp>,
    lost: Vec<Lost>,
    health: Health,
    /// For how long the pipe stood still at the most.
    still: Span,
    /// The run ends when it came to so many frames.
    frames: u64,
}

impl MessageSink for Told {
    fn take(&mut self, _: &Messages, message: &Message) {
        self.messages.push(message.time);
        if self.messages.len() == 1 && self.takes_long {
            std::thread::sleep(Duration::from_millis(300));
        }
        assert!(!(self.messages.len() == 1 && self.panics), "the test wants this panic");
    }
}

impl LiveSink for Told {
    fn advance(&mut self, _: Timestamp) {}

    fn lost(&mut self, lost: Lost) {
        self.lost.push(lost);
    }

    fn pulse(&mut self, _: Timestamp, health: &Health) -> bool {
        self.still = self.still.max(health.still);
        self.frames > 0 && health.decoded.frames + health.frames_lost >= self.frames
    }

    fn ended(&mut self, _: Timestamp, health: &Health) {
        self.health = health.clone();
    }
}

/// What a sink is told of a source that does so.
fn run(steps: impl IntoIterator<Item = Step>, told: Told) -> Told {
    run_several(vec![(0, steps.into_iter().collect())], told, (None, &Stop::default()))
}

fn listener((interface, steps): (u16, Vec<Step>)) -> Listener {
    Listener {
        interface,
        source: Box::new(Scripted { steps: steps.into(), drops: Drops::default() }),
    }
}

/// What it is told of several, each of the interface with this number.
fn run_several(
    sources: Vec<(u16, Vec<Step>)>,
    told: Told,
    (tap, stop): (Option<Tap<'_>>, &Stop),
) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "evil.com\n").unwrap();
    let hasher = NameHasher::new([1, 2]);
    let indicators = Arc::new(Indicators::load(&[list], hasher).unwrap().0);
    let decoder = Decoder::new(Ports::default(), hasher, Some(Arc::clone(&indicators)));
    let mut keeper = Keeper::new(decoder.clone(), told);
    let lookout = Lookout::new(indicators);
    let sources = (sources.into_iter().map(listener).collect(), || ());
    listen(sources, tap, &decoder, &mut keeper, 1, &lookout, stop);
    keeper.sink
}

const AT_ONCE: Step = Step::Frame(Duration::ZERO);
/// Drops are asked for four times a second.
const LATER: Step = Step::Frame(Duration::from_millis(260));

#[test]
fn what_is_not_lost_is_not_told() {
    let told = run([AT_ONCE, LATER, AT_ONCE], Told::default());
    assert_eq!((told.messages.len(), told.lost.len(), told.health.frames_lost), (3, 0, 0));
}

#[test]
fn what_the_kernel_or_the_interface_drops_is_told_with_its_time() {
    for (by_kernel, by_interface) in [(5, 0), (0, 5)] {
        let dropped = Step::Dropped(by_kernel, by_interface);
        let told = run([AT_ONCE, dropped, LATER, AT_ONCE], Told::default());
        let drops = told.health.interfaces[0].drops;
        assert_eq!((drops.by_kernel, drops.by_interface), (by_kernel, by_interface));
        let [(from, to)] = told.lost[..] else { panic!("{:?}", told.lost) };
        assert!(from <= told.messages[1] && told.messages[1] <= to);
    }
}

#[test]
fn what_is_left_out_since_the_analysis_is_behind_is_told_and_counted() {
    let flood = std::iter::repeat_n(AT_ONCE, 400);
    let told = run(flood, Told { takes_long: true, ..Told::default() });
    let (lost, taken) = (told.health.frames_lost, told.messages.len() as u64);
    assert!(lost > 0 && taken > 1, "{lost} lost, {taken} taken");
    assert_eq!((lost + taken, told.health.batches_lost), (400, lost));
    assert!(!told.lost.is_empty());
    assert!(told.lost.iter().all(|(from, to)| from <= to && told.messages[0] <= *from));
}

#[test]
fn a_batch_that_the_analysis_fails_on_is_told_and_the_run_goes_on() {
    let told = run([AT_ONCE, LATER], Told { panics: true, ..Told::default() });
    assert_eq!((told.messages.len(), told.health.panics), (2, 1));
    assert_eq!(told.lost, [(told.messages[0], told.messages[0])]);
}

#[test]
fn a_flood_beside_a_silent_source_is_taken_or_counted_and_what_follows_is_taken() {
    // More than all batches, and then as much as can be taken, each frame in a batch of its own.
    let flood = std::iter::repeat_n(AT_ONCE, 10 * BATCHES);
    let after = std::iter::repeat_n(Step::Frame(Duration::from_millis(5)), 100);
    let flooded: Vec<Step> = flood.chain(after).collect();
    let frames = flooded.len() as u64;
    let sources = vec![(0, flooded), (1, vec![Step::Silent])];
    let told = Told { frames, ..Told::default() };
    let told = run_several(sources, told, (None, &Stop::default()));
    let taken = told.messages.len() as u64;
    assert_eq!(taken + told.health.frames_lost, frames);
    assert!(taken >= 100 + WAITING_MAX as u64, "{taken} taken");
    assert!(told.messages.is_sorted());
}

#[test]
fn who_hangs_holds_up_nobody_else() {
    let busy = vec![Step::Frame(Duration::from_millis(5)); 200];
    let hangs = vec![AT_ONCE, Step::Frame(Duration::from_millis(1_500)), Step::Silent];
    let told = Told { frames: 202, ..Told::default() };
    let told = run_several(vec![(0, busy), (1, hangs)], told, (None, &Stop::default()));
    assert_eq!((told.messages.len(), told.health.frames_lost), (202, 0));
}

#[test]
fn that_the_pipe_stands_still_is_told() {
    let mut is_first = true;
    let tap: Tap<'_> = Box::new(move |batch| {
        if !batch.is_empty() && std::mem::take(&mut is_first) {
            std::thread::sleep(Duration::from_millis(1_000));
        }
    });
    let busy = vec![Step::Frame(Duration::from_millis(5)); 300];
    let told = Told { frames: 300, ..Told::default() };
    let sources = vec![(0, busy), (1, vec![Step::Silent])];
    let told = run_several(sources, told, (Some(tap), &Stop::default()));
    assert!(told.still >= Span::from_millis(800), "{:?}", told.still);
    assert_eq!(told.messages.len() as u64 + told.health.frames_lost, 300, "it went on");
}

#[test]
fn what_there_is_when_the_run_ends_is_read_and_counted() {
    let stop = Stop::default();
    stop.set();
    let told = run_several(vec![(0, vec![AT_ONCE])], Told::default(), (None, &stop));
    assert_eq!(told.messages.len(), 1);
    let told = run([AT_ONCE, Step::Dropped(5, 2)], Told::default());
    let drops = told.health.interfaces[0].drops;
    assert_eq!((drops.by_kernel, drops.by_interface, told.lost.len()), (5, 2, 1));
}

#[test]
fn what_an_interface_drops_is_counted_once_however_many_share_it() {
    let sharing = |by_kernel| vec![AT_ONCE, Step::Dropped(by_kernel, 7), LATER, AT_ONCE];
    let sources = vec![(0, sharing(3)), (1, sharing(0)), (0, sharing(4))];
    let told = run_several(sources, Told::default(), (None, &Stop::default()));
    let drops: Vec<_> = told.health.interfaces.iter().map(|heard| heard.drops).collect();
    let expected = [(7, 7), (0, 7)];
    assert_eq!(drops, expected.map(|(by_kernel, by_interface)| Drops { by_kernel, by_interface }));
}

#[test]
fn drops_are_asked_for_when_the_clock_was_set_back() {
    let (shared, batches) = (Shared::new(&[0]), Pile::batches());
    let stages = Pile::of(2, Stage::default);
    let (onward, _taken) = bounded(BATCHES);
    let steps = vec![Step::Dropped(5, 0), AT_ONCE, Step::Dropped(9, 0), AT_ONCE];
    let (listener, told, last) =
        (listener((0, steps)), Drops::default(), now() + Span::from_secs(3_600));
    let ear = Ear { listener, source: 0, shared: &shared, is_first: true, told, last };
    let line = Line { merge: Merge::new(&[0], 1), sequence: 0, tap: None };
    let (batches, stages, waiting, reading) = (&batches, &stages, VecDeque::new(), None);
    let straight = Straight { batches, stages, waiting, line, reading, onward };
    ear.listen(straight, &Stop::default());
    let lost = lock(&shared.lost);
    assert!(lost.len() == 2 && lost.iter().all(|(from, to)| from <= to), "{lost:?}");
}

#[test]
fn what_waits_for_the_analysis_waits_undecoded_and_in_order() {
    let (batches, stages) = (&Pile::batches(), &Pile::of(2, Stage::default));
    let (onward, done) = bounded(BATCHES);
    let line = Line { merge: Merge::new(&[0], 1), sequence: 0, tap: None };
    let (waiting, reading) = (VecDeque::new(), None);
    let mut straight = Straight { batches, stages, waiting, line, reading, onward };
    let hand = |straight: &mut Straight<'_, '_>, time: Option<i64>| {
        let mut batch = straight.empty().unwrap();
        if let Some(time) = time {
            let (id, time, link) = (FrameId::NONE, Timestamp(time), LinkType(1));
            batch.push(Frame { id, time, link, original_len: 1, bytes: b"x" });
        }
        assert!(straight.hand(batch, Timestamp(time.unwrap_or(9))));
    };
    for time in 1..=5 {
        hand(&mut straight, Some(time));
    }
    // That nothing came any more takes up no batch while others wait.
    for _ in 0..2 * BATCHES {
        hand(&mut straight, None);
    }
    assert!(straight.is_behind());
    let came = || {
        let stage: Stage = done.try_recv().ok()?;
        let (sequence, until) = (stage.decoded.batch.sequence, stage.until.0);
        stages.put_back(stage);
        Some((sequence, until))
    };
    assert_eq!(
        (came(), came(), came()),
        (Some((0, 1)), Some((1, 2)), None),
        "as many as there are stages"
    );
    drop(straight.empty());
    assert_eq!(
        (came(), came(), came()),
        (Some((2, 3)), Some((3, 4)), None),
        "and more when these come back"
    );
    straight.end();
    assert_eq!((came(), came()), (Some((4, 9)), None), "at the end all");
}
