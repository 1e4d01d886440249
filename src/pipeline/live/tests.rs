//! Whatever is lost on the way is counted, and its time is told to whoever judges.

use std::collections::VecDeque;

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
}

struct Scripted {
    steps: VecDeque<Step>,
    drops: Drops,
}

impl Source for Scripted {
    fn fill(&mut self, batch: &mut Batch, _: Duration) -> Filled {
        while let Some(step) = self.steps.pop_front() {
            match step {
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

    fn pulse(&mut self, _: Timestamp, _: &Health) -> bool {
        false
    }

    fn ended(&mut self, _: Timestamp, health: &Health) {
        self.health = health.clone();
    }
}

/// What a sink is told of a source that does so.
fn run(steps: impl IntoIterator<Item = Step>, told: Told) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "evil.com\n").unwrap();
    let hasher = NameHasher::new([1, 2]);
    let indicators = Arc::new(Indicators::load(&[list], hasher).unwrap().0);
    let decoder = Decoder::new(Ports::default(), hasher, Some(Arc::clone(&indicators)));
    let mut keeper = Keeper::new(decoder.clone(), told);
    let source = Box::new(Scripted { steps: steps.into_iter().collect(), drops: Drops::default() });
    let listeners = vec![Listener { interface: 0, source }];
    let lookout = Lookout::new(indicators);
    let sources = (listeners, || ());
    listen(sources, None, &decoder, &mut keeper, 1, &lookout, &Stop::default());
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
