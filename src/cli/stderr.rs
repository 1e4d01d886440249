//! What is said beside the answers: lines on stderr.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::linux::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::pipeline::live::now;
use crate::text::printable;
use crate::time::Zone;

/// How long somebody who says something waits until it is written, so that lines and what comes after them are seen in
/// order, and none is lost at the end.
const WAIT: Duration = Duration::from_millis(100);
/// How many lines wait for a reader. Of more, nothing is written.
const LINES_MAX: usize = 64;
/// Who speaks; a time goes behind it.
const SPEAKER: &str = "whoasked: ";

/// The thread that writes, if there is one.
static APART: OnceLock<Apart> = OnceLock::new();

/// Lines on their way to a thread that writes them.
struct Apart {
    lines: SyncSender<Line>,
    /// In whose time each line is dated; none where whoever takes the lines does that.
    zone: Option<Zone>,
    /// Nobody seems to read, since a line was waited for in vain.
    is_stuck: Arc<AtomicBool>,
}

struct Line {
    text: String,
    /// Gets word when it is written.
    written: SyncSender<()>,
}

/// A line on stderr, what does not print escaped: file names and lists are not ours. If nobody can read
/// it there is nobody to tell. While a screen is up it comes there, and on stderr when that is closed.
pub(super) fn say(line: &str) {
    let shown: Vec<_> = line.split('\n').map(printable).collect();
    let shown = shown.join("\n");
    #[cfg(feature = "tui")]
    if crate::screen::notice(&shown) {
        return;
    }
    match APART.get() {
        Some(apart) => apart.say(shown),
        None => drop(writeln!(io::stderr(), "{shown}")),
    }
}

/// Has lines written by a thread of its own from now on: a run without an end must not wait for ever for whoever
/// does not read them. And has them dated: it is read later when they were said.
///
/// # Errors
/// When there can be no further thread.
pub(super) fn write_apart(zone: &Zone) -> io::Result<()> {
    let apart = Apart::start(io::stderr(), Some(zone.clone()).filter(|_| !is_journal()))?;
    // Once is enough.
    let _ = APART.set(apart);
    Ok(())
}

/// Whether stderr goes to the journal, which dates lines itself: systemd.exec(5), `$JOURNAL_STREAM`.
fn is_journal() -> bool {
    let Some(journal) = std::env::var_os("JOURNAL_STREAM") else { return false };
    let file = io::stderr().as_fd().try_clone_to_owned().map(File::from);
    let ours = file.and_then(|file| file.metadata());
    ours.is_ok_and(|ours| journal == *format!("{}:{}", ours.st_dev(), ours.st_ino()))
}

/// The line with a time behind who speaks, in front of which a line can end.
fn dated(line: &str, clock: &str) -> String {
    line.replacen(SPEAKER, &format!("{SPEAKER}{clock}: "), 1)
}

impl Apart {
    fn start(mut out: impl Write + Send + 'static, zone: Option<Zone>) -> io::Result<Apart> {
        let (into, lines): (_, Receiver<Line>) = sync_channel(LINES_MAX);
        let is_stuck = Arc::new(AtomicBool::new(false));
        let stuck = Arc::clone(&is_stuck);
        let work = move || {
            for Line { text, written } in lines {
                let _ = writeln!(out, "{text}");
                stuck.store(false, Ordering::Relaxed);
                let _ = written.send(());
            }
        };
        std::thread::Builder::new().name("stderr".to_owned()).spawn(work)?;
        Ok(Apart { lines: into, zone, is_stuck })
    }

    /// Waits until it is written, but not for long, and not at all while nobody seems to read.
    fn say(&self, text: String) {
        let text = match &self.zone {
            Some(zone) => dated(&text, &zone.clock(now())),
            None => text,
        };
        let (written, is_written) = sync_channel(1);
        let is_taken = self.lines.try_send(Line { text, written }).is_ok();
        if self.is_stuck.load(Ordering::Relaxed) {
            return;
        }
        if !is_taken || is_written.recv_timeout(WAIT).is_err() {
            self.is_stuck.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Takes octets, once it is let.
    struct Slow(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(octets.to_vec());
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_time_stands_behind_who_speaks() {
        assert_eq!(dated("whoasked: eth1 is down", "09:17:42"), "whoasked: 09:17:42: eth1 is down");
        assert_eq!(dated("\nwhoasked: ending", "09:17:42"), "\nwhoasked: 09:17:42: ending");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test measures how long it takes")]
    fn who_does_not_read_is_not_waited_for_and_reads_on_later() {
        let ((let_in, gate), (out_in, out)) = (channel(), channel());
        let apart = Apart::start(Slow(gate, out_in), None).unwrap();
        let began = std::time::Instant::now();
        for number in 0..1_000 {
            apart.say(number.to_string());
        }
        assert!(began.elapsed() < 10 * WAIT, "{:?}", began.elapsed());
        drop(let_in);
        let mut read = String::new();
        while !read.ends_with("64\n") {
            read.push_str(&String::from_utf8(out.recv_timeout(50 * WAIT).unwrap()).unwrap());
        }
        // One was being written, and so many waited.
        assert_eq!(read.lines().count(), LINES_MAX + 1);
        // Who reads again is waited for again.
        while apart.is_stuck.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        apart.say("now".to_owned());
        assert_eq!(out.try_iter().collect::<Vec<_>>().concat(), b"now\n");
    }
}
