//! What signals ask of a run: SIGHUP reads lists anew and opens outputs anew, SIGUSR1 says what was seen,
//! SIGINT and SIGTERM end it.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use anyhow::Context;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGUSR1};
use signal_hook::iterator::Signals;

use super::super::indicators::WatchSource;
use super::super::say;
use super::{screen_handle, status_line};
use crate::indicator::Indicators;
use crate::live::{Board, Control, Notify, Queue};
use crate::name::NameHasher;
use crate::number::count;
use crate::pipeline::live::Lookout;
use crate::pipeline::{Stop, StopRequest};

/// How often, and how many times at most, it is looked whether lists read anew are in use.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS_MAX: u32 = 200;

/// What is needed to read lists anew.
pub struct Reload {
    pub flagged: WatchSource,
    pub hasher: NameHasher,
    pub control: Arc<Control>,
    pub lookout: Arc<Lookout>,
    pub notify: Arc<Notify>,
    /// What was listed the last time.
    pub listed: Arc<Indicators>,
    /// Where the last packets are kept, if they are.
    pub ring: Option<PathBuf>,
}

impl Reload {
    /// Reads the lists anew whenever that is asked for, on a thread of its own: one may lie where reading takes for
    /// ever. Asked for again meanwhile, it is done once more.
    fn when_asked(mut self) -> io::Result<SyncSender<()>> {
        let (ask, asked) = sync_channel(1);
        let work = move || {
            for () in asked {
                self.reload();
            }
        };
        std::thread::Builder::new().name("lists".to_owned()).spawn(work)?;
        Ok(ask)
    }

    /// Reads the lists anew. One that cannot be read leaves the old ones in use.
    fn reload(&mut self) {
        self.notify.reloads();
        match self.flagged.load(self.hasher) {
            Ok(loaded) => {
                let loaded = Arc::new(loaded);
                self.control.relist(Arc::clone(&loaded));
                // What is looked out for first must be known to those who judge it, and all of it when it is said.
                for _ in 0..LOOKS_MAX {
                    if self.control.is_relisted() {
                        break;
                    }
                    std::thread::sleep(LOOK);
                }
                self.lookout.replace(Arc::clone(&loaded));
                say(&format!("whoasked: {}", anew(self.listed.len(), loaded.len())));
                let new = added(&self.listed, &loaded);
                if new > 0 {
                    say(&format!("whoasked: {}", before(new, &self.flagged, self.ring.as_deref())));
                }
                self.listed = loaded;
            }
            Err(error) => {
                say(&format!(
                    "whoasked: cannot reload the lists, the old ones stay in use: {error:#}"
                ));
                self.control.refuse(format!("{error:#}"));
            }
        }
        self.notify.ready("the lists were reloaded");
    }
}

/// How much is listed now, and before.
fn anew(before: usize, now: usize) -> String {
    let what = count(now as u64, "flagged name or address", "flagged names and addresses");
    // What is fetched by a job can end too early.
    let fewer = if now < before / 2 { ": is a list incomplete?" } else { "" };
    format!("lists reloaded: {what}, {before} before{fewer}")
}

/// How much is listed now and was not before.
fn added(before: &Indicators, now: &Indicators) -> u64 {
    let entries = now.iter().map(|(_, entry)| entry);
    entries.filter(|entry| before.find(entry, now.list_name(entry.list)).is_none()).count() as u64
}

/// That what is new is looked for from now on alone, and how to look for it in what was before.
fn before(new: u64, flagged: &WatchSource, ring: Option<&Path>) -> String {
    let captures = ring.map_or("CAPTURE".into(), Path::to_string_lossy);
    let given = |flag: &str, files: &[PathBuf]| {
        files.iter().map(|file| format!(" {flag} {}", file.display())).collect::<String>()
    };
    let how = match flagged {
        WatchSource::Lists(lists) => {
            format!("whoasked read {captures}{}", given("--indicators", &lists.indicators))
        }
        WatchSource::Alerts(alerts) => {
            format!("whoasked explain{} {captures}", given("--alerts", &alerts.files))
        }
    };
    let kept = match ring {
        Some(_) => "",
        None => ", with a capture of that time (--ring keeps one)",
    };
    let what = count(new, "of them is new", "of them are new");
    format!("{what}: earlier packets are not checked for that; to check them: `{how}`{kept}")
}

/// Obeys signals on a thread of its own, which waits for nobody. With a screen, also those that stop and continue
/// it: the terminal is somebody else's meanwhile.
///
/// # Errors
/// When they cannot be caught.
pub fn obey(
    reload: Reload,
    outputs: Vec<Queue>,
    (board, stop): (Board, Arc<Stop>),
    has_screen: bool,
) -> anyhow::Result<()> {
    let mut signals =
        Signals::new([SIGHUP, SIGINT, SIGTERM, SIGUSR1]).context("cannot catch signals")?;
    if has_screen {
        for signal in [SIGTSTP, SIGCONT] {
            signals.add_signal(signal).context("cannot catch signals")?;
        }
    }
    let lists = reload.when_asked()?;
    let work = move || {
        for signal in signals.forever() {
            match signal {
                SIGHUP => {
                    outputs.iter().for_each(Queue::reopen);
                    // If that was asked for already, it is still to come.
                    let _ = lists.try_send(());
                }
                SIGUSR1 => say(&status_line::coverage(&board.latest())),
                SIGTSTP => screen_handle::pause(),
                SIGCONT => screen_handle::go_on(),
                _ => match stop.signal() {
                    StopRequest::TheSame => {}
                    StopRequest::AtOnce => screen_handle::interrupt(),
                    StopRequest::ToEnd => {
                        // Behind the ^C that a terminal shows.
                        let is_typed =
                            signal == SIGINT && !has_screen && io::stderr().is_terminal();
                        let begin = if is_typed { "\n" } else { "" };
                        say(&format!("{begin}whoasked: ending; what is known follows"));
                    }
                },
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(work)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::indicators::OfAlerts;
    use super::*;
    use crate::indicator::Lists;

    #[test]
    fn a_list_that_lost_most_of_its_entries_is_asked_about() {
        assert_eq!(anew(7, 8), "lists reloaded: 8 flagged names and addresses, 7 before");
        let cut = "lists reloaded: 1 flagged name or address, 7 before: is a list incomplete?";
        assert_eq!(anew(7, 1), cut);
        assert!(!anew(2, 1).contains('?'));
    }

    #[test]
    fn what_is_new_was_not_looked_for_before_and_it_is_said_how_to() {
        let list = |text: &str| {
            let read = Indicators::read("list.txt", text.as_bytes().to_vec(), hasher());
            read.unwrap().0
        };
        let old = list("evil.com\n192.0.2.1\n");
        assert_eq!(added(&old, &list("192.0.2.1\nevil.com\n")), 0, "the same in another order");
        assert_eq!(added(&old, &list("evil.com\n")), 0);
        assert_eq!(added(&old, &list("evil.org\n192.0.2.1\n192.0.2.2\n")), 2);
        let files = vec![PathBuf::from("atp.csv")];
        let alerts = OfAlerts { files, form: None, resolvers: Vec::new() };
        let alerts = WatchSource::Alerts(alerts);
        assert_eq!(
            before(1, &alerts, Some(Path::new("/var/ring"))),
            "1 of them is new: earlier packets are not checked for that; to check them: `whoasked explain \
             --alerts atp.csv /var/ring`"
        );
        let indicators = vec![PathBuf::from("a.txt"), PathBuf::from("b.txt")];
        let lists = WatchSource::Lists(Lists { indicators, allow: Vec::new(), form: None });
        let words = before(2, &lists, None);
        let how = "`whoasked read CAPTURE --indicators a.txt --indicators b.txt`, with a capture of that time";
        assert!(words.starts_with("2 of them are new: ") && words.contains(how), "{words}");
    }

    fn hasher() -> NameHasher {
        NameHasher::new([1, 2])
    }
}
