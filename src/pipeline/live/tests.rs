//! Whatever is lost on the way is counted, and its time is told to whoever judges.

use std::collections::VecDeque;

use super::capture_thread::Outlet;
use super::*;
use crate::capture::live::Filled;
use crate::frame::{Frame, FrameId, LinkType};
use crate::indicator::Indicators;
use crate::message::{Message, Messages};
use crate::name::NameHasher;
use crate::packet::Ports;

/// A question for `a.`, in Ethernet, IPv4 and UDP.
pub(in crate::pipeline) fn question() -> Vec<u8> {
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
    panics_when_told: bool,
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
        assert!(!self.panics_when_told, "the test wants this panic");
    }

    fn pulse(&mut self, _: Timestamp, health: &Health) -> bool {
        self.still = self.still.max(health.still);
        self.frames > 0 && health.decoded.frames + health.frames_lost >= self.frames
    }

    fn ended(&mut self, _: Timestamp, health: &Health) {
        self.health = health.clone();
        assert!(!self.panics_when_told, "the test wants this panic");
    }
}

/// What a sink is told of a source that does so.
fn run(steps: impl IntoIterator<Item = Step>, told: Told) -> Told {
    run_several(vec![(0, steps.into_iter().collect())], told, (None, &Stop::default()))
}

fn indicators(hasher: NameHasher) -> Arc<Indicators> {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "evil.com\n").unwrap();
    Arc::new(Indicators::load(&[list], hasher).unwrap().0)
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
    let hasher = NameHasher::new([1, 2]);
    let indicators = indicators(hasher);
    let decoder = Decoder::new(Ports::default(), hasher, Some(Arc::clone(&indicators)));
    let mut keeper = Sequencer::new(decoder.clone(), told);
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
        let [Lost { from, to, is_blind: false }] = told.lost[..] else { panic!("{:?}", told.lost) };
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
    assert!(told.lost.iter().all(|lost| lost.from <= lost.to && told.messages[0] <= lost.from));
}

#[test]
fn a_batch_that_the_analysis_fails_on_is_told_and_the_run_goes_on() {
    let told = run([AT_ONCE, LATER], Told { panics: true, ..Told::default() });
    assert_eq!((told.messages.len(), told.health.panics), (2, 1));
    let (from, to) = (told.messages[0], told.messages[0]);
    assert_eq!(told.lost, [Lost { from, to, is_blind: false }]);
}

#[test]
fn what_is_told_of_losses_and_the_end_may_fail_and_the_run_goes_on() {
    let dropped = Step::Dropped(5, 0);
    let told = Told { panics_when_told: true, ..Told::default() };
    let told = run([AT_ONCE, dropped, LATER, AT_ONCE], told);
    assert_eq!((told.messages.len(), told.lost.len(), told.health.panics), (3, 1, 1));
}

#[test]
fn whatever_fails_all_the_same_ends_the_run_and_not_only_its_thread() {
    for sources in 1..=2 {
        let (ended_in, ended) = std::sync::mpsc::channel();
        #[allow(clippy::disallowed_methods, reason = "whether it hangs is only seen from outside")]
        std::thread::spawn(move || {
            let silent = (0..sources).map(|source| listener((source, vec![Step::Silent])));
            let hasher = NameHasher::new([1, 2]);
            let decoder = Decoder::new(Ports::default(), hasher, None);
            let mut keeper = Sequencer::new(decoder.clone(), Told::default());
            let lookout = Lookout::new(indicators(hasher));
            let sources = (silent.collect(), || panic!("the test wants this panic"));
            let listened = AssertUnwindSafe(|| {
                listen(sources, None, &decoder, &mut keeper, 2, &lookout, &Stop::default());
            });
            ended_in.send(catch_unwind(listened).is_err()).unwrap();
        });
        assert_eq!(ended.recv_timeout(Duration::from_secs(20)), Ok(true), "{sources}");
    }
}

#[test]
fn a_flood_beside_a_silent_source_is_taken_or_counted_and_what_follows_is_taken() {
    // More than all batches, and when a busy machine has come to that too, as much as can be taken, each frame in a
    // batch of its own.
    let flood = std::iter::repeat_n(AT_ONCE, 10 * BATCHES);
    let pause = std::iter::once(Step::Frame(Duration::from_secs(1)));
    let after = std::iter::repeat_n(Step::Frame(Duration::from_millis(10)), 49);
    let flooded: Vec<Step> = flood.chain(pause).chain(after).collect();
    let frames = flooded.len() as u64;
    let sources = vec![(0, flooded), (1, vec![Step::Silent])];
    let told = Told { frames, ..Told::default() };
    let told = run_several(sources, told, (None, &Stop::default()));
    let taken = told.messages.len() as u64;
    assert_eq!(taken + told.health.frames_lost, frames);
    assert!(taken >= 50 + WAITING_MAX as u64, "{taken} taken");
    assert!(told.messages.is_sorted());
    let latest = told.messages[told.messages.len() - 50..].iter().copied();
    assert!(told.lost.iter().all(|lost| latest.clone().all(|taken| lost.to < taken)));
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
    let (shared, batches) = (Shared::new(&[0]), BatchPool::batches());
    let (onward, _taken) = bounded(BATCHES);
    let steps = vec![Step::Dropped(5, 0), AT_ONCE, Step::Dropped(9, 0), AT_ONCE];
    let last = now() + Span::from_secs(3_600);
    let ear = CaptureThread::new((0, listener((0, steps))), &shared, true, last);
    let line = Line { merge: Merge::new(&[0], 1), sequence: 0, tap: None };
    let straight = Straight { batches: &batches, line, onward };
    ear.listen(straight, &Stop::default());
    let lost = lock(&shared.lost);
    assert!(lost.len() == 2 && lost.iter().all(|lost| lost.from <= lost.to), "{lost:?}");
}

#[test]
fn what_waits_for_the_analysis_does_so_in_order_and_words_take_up_no_room() {
    let batches = &BatchPool::batches();
    let (onward, raw) = bounded(BATCHES + WORDS_EACH);
    let line = Line { merge: Merge::new(&[0], 1), sequence: 0, tap: None };
    let mut straight = Straight { batches, line, onward };
    let hand = |straight: &mut Straight<'_, '_>, time: Option<i64>| {
        let mut batch = straight.empty().unwrap();
        if let Some(time) = time {
            let (id, time, link) = (FrameId::NONE, Timestamp(time), LinkType(1));
            batch.push(Frame { id, time, link, original_len: 1, bytes: b"x" });
        }
        assert!(straight.hand(batch, Timestamp(time.unwrap_or(0))));
    };
    // That nothing comes is said so often, and takes up no batch.
    for _ in 0..2 * BATCHES {
        hand(&mut straight, None);
    }
    for time in 1..=BATCHES {
        hand(&mut straight, Some(time as i64));
    }
    assert!(straight.empty().is_none(), "all wait");
    straight.end();
    let came: Vec<(u64, i64)> = raw.iter().map(|raw| (raw.batch.sequence, raw.until.0)).collect();
    let words = (0..WORDS_EACH).map(|place| (place as u64, 0));
    let filled = (1..=BATCHES).map(|time| ((WORDS_EACH + time - 1) as u64, time as i64));
    assert_eq!(came, words.chain(filled).collect::<Vec<_>>());
}

#[test]
fn decoders_give_back_the_order_and_what_they_used() {
    let hasher = NameHasher::random();
    let listed = Indicators::read("list", "example.com".into(), hasher).unwrap().0;
    let lookout = Lookout::new(Arc::new(listed));
    for workers in [1, 3] {
        let (onward, raw) = bounded(200);
        for sequence in 0..200 {
            let mut batch = Batch::new();
            batch.sequence = sequence;
            let (id, time, link) = (FrameId::NONE, Timestamp(1), LinkType(1));
            let bytes = &question();
            let frame = Frame { id, time, link, original_len: 1, bytes };
            (0..sequence % 7).for_each(|_| batch.push(frame));
            onward.send(Raw { batch, until: Timestamp(sequence as i64) }).unwrap();
        }
        drop(onward);
        std::thread::scope(|scope| {
            let decoder = Decoder::new(Ports::new(&[]), hasher, None);
            let mut feed = Feed::new(scope, Reading::new(decoder, &lookout), raw, workers);
            for sequence in 0..200 {
                let stage = feed.next(Duration::from_secs(60)).unwrap();
                assert_eq!(stage.until, Timestamp(sequence as i64));
                assert_eq!(stage.decoded.messages.len() as u64, sequence % 7);
                assert_eq!(feed.put_back(stage).sequence, sequence);
            }
            let ended = feed.next(Duration::from_secs(60)).err();
            assert_eq!(ended, Some(RecvTimeoutError::Disconnected));
        });
    }
}
