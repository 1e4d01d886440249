//! An output with a thread of its own: whoever answers never waits for a disk or a reader.
//!
//! Lines wait in a bounded queue. What finds no room is lost and counted. When writing fails, what could not
//! be written is kept and tried again, so that a disk which has room again goes on where it stopped.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::OutputState;

/// How many octets wait at most, beside those that are being written.
const WAITING_OCTETS_MAX: usize = 8 << 20;
/// The longest line; of a longer one nothing is written.
const LINE_OCTETS_MAX: usize = 1 << 20;
/// How much is handed to a target at once.
const PIECE_OCTETS: usize = 64 << 10;
/// How long a target that failed is left alone.
const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(500);
/// How long a target that is full, as a pipe whose reader is slow, is left alone.
const PAUSE_WHEN_FULL: Duration = Duration::from_millis(20);
/// How long a line waits for room while nothing at all is written.
const STUCK: Duration = Duration::from_millis(250);
/// How often a target is asked whether it has something to do, such as to begin a new file.
const TICK: Duration = Duration::from_secs(1);

/// Where lines end up. It belongs to the thread of its [`Queue`].
pub trait Target: Send {
    /// Writes as much of these whole lines as it can. Says how many octets need not be given again, and why
    /// it stopped before the end, if it did. `WouldBlock` means that it is slow, which is no fault.
    fn write(&mut self, lines: &[u8]) -> (usize, Option<io::Error>);

    /// Opens what it writes to anew, as after somebody moved the file away.
    fn reopen(&mut self);

    /// Called now and then while there is nothing to write.
    ///
    /// # Errors
    /// When what was due could not be done.
    fn tick(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Makes sure that what was written stays. Called last.
    ///
    /// # Errors
    /// When it may not.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A target and the lines that wait for it.
#[derive(Clone, Debug)]
pub struct Queue {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    waiting_max: usize,
    state: Mutex<State>,
    /// Something waits, or is to be done.
    work: Condvar,
    /// There is room for more.
    room: Condvar,
    /// The thread has ended.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    waiting_lines: u64,
    /// Lines that the thread holds.
    held_lines: u64,
    written: u64,
    lost: u64,
    fault: Option<String>,
    is_reader_gone: bool,
    /// Until when lines wait for room.
    patient_until: Option<Instant>,
    reopen: bool,
    ending: bool,
    ended: bool,
}

impl Queue {
    /// Starts the thread that writes to `target`. `name` is what the output is called.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start(name: &str, target: Box<dyn Target>) -> io::Result<Queue> {
        Queue::bounded(name, target, WAITING_OCTETS_MAX)
    }

    fn bounded(name: &str, target: Box<dyn Target>, waiting_max: usize) -> io::Result<Queue> {
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            waiting_max,
            state: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            done: Condvar::new(),
        });
        let seen = Arc::clone(&shared);
        let builder = thread::Builder::new().name("output".to_owned());
        builder.spawn(move || serve(&seen, target))?;
        Ok(Queue { shared })
    }

    /// What a report writes into. It takes everything, at once.
    pub fn writer(&self) -> QueueWriter {
        QueueWriter { queue: self.clone(), begun: Vec::new(), is_too_long: false }
    }

    /// Opens the target anew, once what waits is written.
    pub fn reopen(&self) {
        self.shared.lock().reopen = true;
        self.shared.work.notify_one();
    }

    /// How it is doing.
    pub fn state(&self) -> OutputState {
        let state = self.shared.lock();
        OutputState {
            name: self.shared.name.clone(),
            written: state.written,
            queued: state.waiting_lines + state.held_lines,
            lost: state.lost,
            fault: state.fault.clone(),
        }
    }

    /// Whether whoever read it has gone away, as `head` does.
    pub fn is_reader_gone(&self) -> bool {
        self.shared.lock().is_reader_gone
    }

    /// Lets lines wait for room from now on, for so long all together, as far as it goes on: the run is at its
    /// end, and holds up nothing any more.
    pub fn be_patient(&self, patience: Duration) {
        self.shared.lock().patient_until = Some(now() + patience);
    }

    /// Begins the end: what waits is written, and nothing else is waited for.
    pub fn end(&self) {
        self.shared.lock().ending = true;
        self.shared.work.notify_one();
    }

    /// Writes what waits, as far as that can be done in so long a time; the rest is lost, and counted.
    pub fn finish(&self, patience: Duration) -> OutputState {
        self.end();
        let state = self.shared.lock();
        let (mut state, _) = self
            .shared
            .done
            .wait_timeout_while(state, patience, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        state.lost += mem::take(&mut state.waiting_lines) + mem::take(&mut state.held_lines);
        state.waiting.clear();
        drop(state);
        self.state()
    }

    fn line(&self, line: &[u8]) {
        let mut state = self.shared.wait_for_room(line.len());
        if state.ended || state.waiting.len() + line.len() > self.shared.waiting_max {
            state.lost += 1;
            return;
        }
        state.waiting.extend_from_slice(line);
        state.waiting_lines += 1;
        drop(state);
        self.shared.work.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room for a line, if that is wanted and something is being written.
    fn wait_for_room(&self, octets: usize) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while state.waiting.len() + octets > self.waiting_max
            && !state.ended
            && state.fault.is_none()
            && let Some(until) = state.patient_until
        {
            let (written, rest) = (state.written, until.saturating_duration_since(now()));
            let waited = self.room.wait_timeout(state, rest.min(STUCK));
            let timeout;
            (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if rest.is_zero() || timeout.timed_out() && state.written == written {
                state.patient_until = None;
            }
        }
        state
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        self.work.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The thread of an output.
fn serve(shared: &Shared, mut target: Box<dyn Target>) {
    let mut held = Vec::new();
    let mut at = 0;
    let mut begins = true;
    loop {
        let mut state = shared.lock();
        if at == held.len() {
            held.clear();
            at = 0;
            state.held_lines = 0;
            if state.waiting.is_empty() && !state.reopen && !state.ending && !begins {
                state = shared.wait(state, TICK);
            }
            mem::swap(&mut held, &mut state.waiting);
            shared.room.notify_all();
            state.held_lines = mem::take(&mut state.waiting_lines);
        }
        begins = false;
        let (reopen, ending) = (state.reopen && held.is_empty(), state.ending);
        if reopen {
            state.reopen = false;
        }
        drop(state);
        if reopen {
            target.reopen();
        }
        let (taken, failure) = match piece(&held, at) {
            [] => (0, target.tick().err()),
            piece => target.write(piece),
        };
        let lines = lines_in(held.get(at..at + taken).unwrap_or_default());
        at += taken;
        let mut state = shared.lock();
        state.written += lines;
        state.held_lines = state.held_lines.saturating_sub(lines);
        let pause = match &failure {
            None => {
                state.fault = None;
                None
            }
            Some(error) if error.kind() == io::ErrorKind::WouldBlock => Some(PAUSE_WHEN_FULL),
            Some(error) => {
                state.is_reader_gone = error.kind() == io::ErrorKind::BrokenPipe;
                state.fault = Some(error.to_string());
                Some(PAUSE_AFTER_FAULT)
            }
        };
        let is_done = at == held.len() && state.waiting.is_empty();
        if state.ending && ending && (is_done || state.fault.is_some()) {
            drop(state);
            let finished = target.finish();
            let mut state = shared.lock();
            if let Err(error) = finished {
                state.fault = Some(error.to_string());
            }
            state.ended = true;
            shared.done.notify_all();
            return;
        }
        if let Some(pause) = pause {
            // Not waited for by `work`: lines that come in meanwhile are no reason to try sooner.
            drop(state);
            sleep(shared, pause);
        }
    }
}

/// Waits, but not past the beginning of the end.
fn sleep(shared: &Shared, pause: Duration) {
    let until = now() + pause;
    let mut state = shared.lock();
    while let Some(rest) = until.checked_duration_since(now()).filter(|rest| !rest.is_zero()) {
        if state.ending {
            // A target that is slow is still given its time, in small steps.
            drop(state);
            thread::sleep(rest.min(PAUSE_WHEN_FULL));
            return;
        }
        state = shared.wait(state, rest);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long an output is left alone is no matter of traffic"
)]
fn now() -> Instant {
    Instant::now()
}

/// Whole lines from `at`, about as many as are handed over at once.
fn piece(held: &[u8], at: usize) -> &[u8] {
    let rest = held.get(at..).unwrap_or_default();
    let Some(short) = rest.get(..PIECE_OCTETS) else { return rest };
    let end = match short.iter().rposition(|octet| *octet == b'\n') {
        Some(end) => Some(end),
        None => rest.iter().position(|octet| *octet == b'\n'),
    };
    end.and_then(|end| rest.get(..=end)).unwrap_or(rest)
}

/// How many lines end in these octets.
fn lines_in(octets: &[u8]) -> u64 {
    octets.iter().filter(|octet| **octet == b'\n').count() as u64
}

/// What a report writes into: gathers whole lines for a [`Queue`] and never fails.
#[derive(Debug)]
pub struct QueueWriter {
    queue: Queue,
    begun: Vec<u8>,
    is_too_long: bool,
}

impl Write for QueueWriter {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for part in octets.split_inclusive(|octet| *octet == b'\n') {
            if self.begun.len() + part.len() > LINE_OCTETS_MAX {
                self.is_too_long = true;
                self.begun.clear();
            }
            if !self.is_too_long {
                self.begun.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                match mem::take(&mut self.is_too_long) {
                    true => self.queue.shared.lock().lost += 1,
                    false => self.queue.line(&self.begun),
                }
                self.begun.clear();
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target that takes what it is told to.
    #[derive(Clone, Default)]
    struct Fake(Arc<Mutex<(Vec<u8>, bool, u32)>>);

    impl Target for Fake {
        fn write(&mut self, lines: &[u8]) -> (usize, Option<io::Error>) {
            let mut inner = self.0.lock().unwrap();
            if inner.1 {
                // It takes the first line, and then the disk is full.
                let taken = if inner.0.is_empty() { piece(lines, 0).len().min(2) } else { 0 };
                inner.0.extend_from_slice(&lines[..taken]);
                return (taken, Some(io::ErrorKind::StorageFull.into()));
            }
            inner.0.extend_from_slice(lines);
            (lines.len(), None)
        }

        fn reopen(&mut self) {
            self.0.lock().unwrap().2 += 1;
        }
    }

    /// A target that takes nothing.
    struct Hangs;
    impl Target for Hangs {
        fn write(&mut self, _: &[u8]) -> (usize, Option<io::Error>) {
            thread::sleep(Duration::from_secs(60));
            (0, None)
        }

        fn reopen(&mut self) {}
    }

    fn until(what: impl Fn() -> bool) {
        let patience = now() + Duration::from_secs(5);
        while !what() {
            assert!(now() < patience, "it never came");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_full_target_stops_nobody_and_goes_on_where_it_stopped() {
        let fake = Fake::default();
        fake.0.lock().unwrap().1 = true;
        let queue = Queue::bounded("o", Box::new(fake.clone()), 40).unwrap();
        let mut writer = queue.writer();
        for number in 10..20 {
            writeln!(writer, "{number}").unwrap();
        }
        until(|| queue.state().fault.is_some());
        for number in 20..99 {
            writeln!(writer, "{number}").unwrap();
        }
        let full = queue.state();
        assert!(full.lost > 0 && full.queued > 0, "{full:?}");
        assert_eq!(full.written + full.queued + full.lost, 89, "{full:?}");
        fake.0.lock().unwrap().1 = false;
        until(|| queue.state().queued == 0);
        writeln!(writer, "end").unwrap();
        let end = queue.finish(Duration::from_secs(5));
        assert_eq!((end.written + end.lost, end.queued, end.fault), (90, 0, None));
        let text = String::from_utf8(fake.0.lock().unwrap().0.clone()).unwrap();
        assert_eq!(text.lines().count() as u64, end.written);
        assert!(text.starts_with("10\n11\n12\n") && text.ends_with("\nend\n"), "{text}");
    }

    #[test]
    fn lines_go_whole_whatever_pieces_they_are_written_in() {
        let fake = Fake::default();
        let queue = Queue::start("o", Box::new(fake.clone())).unwrap();
        let mut writer = queue.writer();
        writer.write_all(b"one\ntw").unwrap();
        writer.write_all(b"o\nhalf").unwrap();
        queue.reopen();
        until(|| fake.0.lock().unwrap().2 == 1);
        assert_eq!(queue.finish(Duration::from_secs(5)).written, 2);
        assert_eq!(fake.0.lock().unwrap().0, b"one\ntwo\n");
    }

    #[test]
    fn a_line_without_end_is_lost_alone() {
        let fake = Fake::default();
        let queue = Queue::start("o", Box::new(fake.clone())).unwrap();
        let mut writer = queue.writer();
        for _ in 0..40 {
            writer.write_all(&[b'x'; 50_000]).unwrap();
        }
        writer.write_all(b"\nshort\n").unwrap();
        let end = queue.finish(Duration::from_secs(5));
        assert_eq!((end.written, end.lost), (1, 1));
        assert_eq!(fake.0.lock().unwrap().0, b"short\n");
    }

    #[test]
    fn at_the_end_lines_wait_for_room_but_not_for_what_hangs() {
        let fake = Fake::default();
        let queue = Queue::bounded("o", Box::new(fake.clone()), 40).unwrap();
        queue.be_patient(Duration::from_secs(60));
        let mut writer = queue.writer();
        for number in 10_000..20_000 {
            writeln!(writer, "{number}").unwrap();
        }
        assert_eq!(
            (queue.finish(Duration::from_secs(5)).lost, fake.0.lock().unwrap().0.len()),
            (0, 60_000)
        );

        let queue = Queue::bounded("o", Box::new(Hangs), 40).unwrap();
        queue.be_patient(Duration::from_secs(60));
        let mut writer = queue.writer();
        let began = now();
        for number in 10_000..20_000 {
            writeln!(writer, "{number}").unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(queue.finish(Duration::ZERO).lost > 9_000);
    }

    #[test]
    fn a_target_that_hangs_does_not_hold_up_the_end() {
        let queue = Queue::start("o", Box::new(Hangs)).unwrap();
        queue.writer().write_all(b"one\n").unwrap();
        let began = now();
        let end = queue.finish(Duration::from_millis(200));
        assert!(began.elapsed() < Duration::from_secs(5));
        assert_eq!((end.lost, end.queued), (1, 0));
    }
}
