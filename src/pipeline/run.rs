//! Running it: one thread, two, or more.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::decode::{Decoded, Decoder};
use super::sequence::{MessageSink, Sequencer};
use crate::capture::Reader;

/// How many batches are under way for each thread: enough that none waits for another's hiccup.
const BATCHES_PER_THREAD: usize = 4;

/// What comes so soon after the first signal is the same: `timeout`, for one, sends it to the program and to its group.
const SAME_SIGNAL: Duration = Duration::from_millis(300);

/// Tells a run to end early.
#[derive(Debug, Default)]
pub struct Stop {
    is_set: AtomicBool,
    signalled: OnceLock<Instant>,
}

/// What a signal to end asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopRequest {
    /// That the run ends, and says what is known.
    ToEnd,
    /// The same as a moment before.
    TheSame,
    /// That it ends at once.
    AtOnce,
}

impl Stop {
    /// Ends the run after the batch at hand.
    pub fn set(&self) {
        self.is_set.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    /// Ends the run because of a signal; a further one, or one while it ends already, asks for more.
    #[allow(clippy::disallowed_methods, reason = "two signals are told apart by when they came")]
    pub fn signal(&self) -> StopRequest {
        if self.signalled.get().is_some_and(|first| first.elapsed() < SAME_SIGNAL) {
            return StopRequest::TheSame;
        }
        let _ = self.signalled.set(Instant::now());
        match self.is_set.swap(true, Ordering::Relaxed) {
            false => StopRequest::ToEnd,
            true => StopRequest::AtOnce,
        }
    }
}

/// Reads a capture to its end, or until told to stop, through `workers` threads: with one, all is done
/// on this thread; with two, another reads and decodes; with more, one reads and the others decode.
///
/// What the sink gets, and in which order, does not depend on `workers`.
pub fn run<S: MessageSink>(
    reader: &mut Reader,
    decoder: &mut Decoder,
    keeper: &mut Sequencer<S>,
    workers: usize,
    stop: &Stop,
) {
    match workers {
        0 | 1 => alone(reader, decoder, keeper, stop),
        _ => together(reader, decoder, keeper, workers, stop),
    }
    keeper.finish();
}

fn alone<S: MessageSink>(
    reader: &mut Reader,
    decoder: &mut Decoder,
    keeper: &mut Sequencer<S>,
    stop: &Stop,
) {
    let mut decoded = Decoded::default();
    while !stop.is_set() {
        decoded.clear();
        if !reader.fill(&mut decoded.batch) {
            break;
        }
        decoder.decode(&mut decoded);
        keeper.take(&decoded);
    }
}

fn together<S: MessageSink>(
    reader: &mut Reader,
    decoder: &mut Decoder,
    keeper: &mut Sequencer<S>,
    workers: usize,
    stop: &Stop,
) {
    let under_way = workers * BATCHES_PER_THREAD;
    let (free_in, free) = bounded::<Decoded>(under_way);
    let (raw_in, raw) = bounded::<Decoded>(under_way);
    let (done_in, done) = bounded::<Decoded>(under_way);
    for _ in 0..under_way {
        // The channel has room for all of them.
        let _ = free_in.send(Decoded::default());
    }
    let decoders = workers - 2;
    // All ends of the channels are the scope's own: where the sink panics they are gone before the threads are waited
    // for, which would else wait for them.
    std::thread::scope(move |scope| {
        if decoders == 0 {
            drop((raw_in, raw));
            scope.spawn(move || {
                read(reader, &free, &done_in, stop, |decoded| decoder.decode(decoded))
            });
        } else {
            for _ in 0..decoders {
                let (raw, done_in, mut decoder) = (raw.clone(), done_in.clone(), decoder.clone());
                scope.spawn(move || {
                    for mut decoded in raw {
                        decoder.decode(&mut decoded);
                        if done_in.send(decoded).is_err() {
                            break;
                        }
                    }
                });
            }
            scope.spawn(move || read(reader, &free, &raw_in, stop, |_| ()));
            drop((raw, done_in));
        }
        in_order(done, free_in, keeper);
    });
}

/// Fills free batches and sends them on, numbered.
fn read(
    reader: &mut Reader,
    free: &Receiver<Decoded>,
    onward: &Sender<Decoded>,
    stop: &Stop,
    mut decode: impl FnMut(&mut Decoded),
) {
    let mut sequence = 0;
    while !stop.is_set() {
        let Ok(mut decoded) = free.recv() else { break };
        decoded.clear();
        if !reader.fill(&mut decoded.batch) {
            break;
        }
        decoded.batch.sequence = sequence;
        sequence += 1;
        decode(&mut decoded);
        if onward.send(decoded).is_err() {
            break;
        }
    }
}

/// Takes decoded batches in the order they were read.
#[allow(clippy::needless_pass_by_value, reason = "they are gone when it ends, however it does")]
fn in_order<S: MessageSink>(
    done: Receiver<Decoded>,
    free: Sender<Decoded>,
    keeper: &mut Sequencer<S>,
) {
    let mut early: BTreeMap<u64, Decoded> = BTreeMap::new();
    let mut next = 0;
    for decoded in done {
        early.insert(decoded.batch.sequence, decoded);
        while let Some(decoded) = early.remove(&next) {
            keeper.take(&decoded);
            next += 1;
            // Nobody reads any more when the reader is done: the batch is simply dropped.
            let _ = free.send(decoded);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::channel;

    use super::*;
    use crate::message::{Message, Messages};
    use crate::name::NameHasher;
    use crate::packet::Ports;

    /// Is too much for its hundredth message.
    #[derive(Default)]
    struct Fragile(usize);

    impl MessageSink for Fragile {
        fn take(&mut self, _: &Messages, _: &Message) {
            self.0 += 1;
            assert!(self.0 < 100, "the test wants this panic");
        }
    }

    #[test]
    fn a_panic_of_the_sink_ends_the_run_whatever_threads_there_are() {
        let question = crate::pipeline::live::tests::question();
        let mut pcap = Vec::new();
        let header = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1];
        pcap.extend(header.iter().flat_map(|field: &u32| field.to_le_bytes()));
        // More than all batches hold, so that the reader waits for one.
        for time in 0..30_000 {
            let len = question.len() as u32;
            pcap.extend([time, 0, len, len].iter().flat_map(|field: &u32| field.to_le_bytes()));
            pcap.extend(&question);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("many.pcap");
        std::fs::write(&path, pcap).unwrap();
        for workers in 1..=4 {
            let (path, (ended_in, ended)) = (path.clone(), channel());
            #[allow(
                clippy::disallowed_methods,
                reason = "whether it hangs is only seen from outside"
            )]
            std::thread::spawn(move || {
                let mut reader = Reader::open(&[path]).unwrap();
                let mut decoder = Decoder::new(Ports::default(), NameHasher::new([1, 2]), None);
                let mut keeper = Sequencer::new(decoder.clone(), Fragile::default());
                let mut work =
                    || run(&mut reader, &mut decoder, &mut keeper, workers, &Stop::default());
                ended_in.send(catch_unwind(AssertUnwindSafe(&mut work)).is_err()).unwrap();
            });
            let ended = ended.recv_timeout(Duration::from_secs(20));
            assert_eq!(ended, Ok(true), "with {workers}");
        }
    }

    #[test]
    fn a_signal_that_is_sent_twice_at_once_asks_for_one_thing() {
        let stop = Stop::default();
        assert_eq!((stop.signal(), stop.signal()), (StopRequest::ToEnd, StopRequest::TheSame));
        let stop = Stop::default();
        stop.set();
        assert_eq!(stop.signal(), StopRequest::AtOnce);
    }
}
