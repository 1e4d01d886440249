//! The thread of the screen: looks, draws, obeys keys.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::draw::{View, draw};
use super::keys::Keyboard;
use super::pulse::Pulse;
use super::stance::{Room, Stance, Wish};
use super::terminal::{self, Keys, Typed};
use crate::live::{Board, Feed, Group};
use crate::pipeline::Stop;
use crate::pipeline::live::now;
use crate::time::Zone;

/// How long it is waited for a key before the next picture.
const WAIT_MILLIS: u16 = 150;
/// The rest of a sequence comes within this time.
const REST_MILLIS: u16 = 40;
/// How long the thread may take to end.
const PATIENCE: Duration = Duration::from_millis(250);

/// The screen, from when the terminal is taken until it is given back.
#[derive(Debug)]
pub struct Screen {
    keys: Option<Keys>,
    zone: Zone,
    is_coloured: bool,
    is_over: Arc<AtomicBool>,
    /// Nothing is ever sent: it is closed when the thread has ended.
    ended: Option<Receiver<()>>,
}

impl Screen {
    /// Takes the terminal, if it is there to be taken. From now on what is said comes on the screen. What has
    /// to be opened is opened here, so that nothing is afterwards.
    ///
    /// # Errors
    /// When the terminal does not let itself be read from or set up.
    pub fn open(zone: Zone, is_coloured: bool) -> io::Result<Option<Screen>> {
        if !terminal::is_ours() {
            return Ok(None);
        }
        let keys = Some(Keys::open()?);
        terminal::enter()?;
        terminal::listen(zone.clone());
        // The standard words of a panic would stand across the screen.
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !terminal::notice(&format!("a bug, please report it: {panic}")) {
                before(panic);
            }
        }));
        Ok(Some(Screen { keys, zone, is_coloured, is_over: Arc::default(), ended: None }))
    }

    /// Begins to draw and to obey keys, on a thread of its own. `obey` does what they ask of the run.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn begin(
        &mut self,
        (board, feed): (Board, Feed),
        stop: Arc<Stop>,
        obey: impl Fn(Wish) + Send + 'static,
    ) -> io::Result<()> {
        let Some(keys) = self.keys.take() else { return Ok(()) };
        let (alive, ended): (Sender<()>, _) = channel();
        self.ended = Some(ended);
        let mut watch = Watch {
            board,
            feed,
            stop,
            zone: self.zone.clone(),
            is_coloured: self.is_coloured,
            is_over: Arc::clone(&self.is_over),
            keys,
            keyboard: Keyboard::default(),
            stance: Stance::default(),
            pulse: Pulse::default(),
            room: Room::default(),
            frozen: None,
        };
        let work = move || {
            let _alive = alive;
            if catch_unwind(AssertUnwindSafe(|| watch.run(&obey))).is_err() {
                terminal::notice(
                    "the screen failed; the run continues without it, and Ctrl-C ends it",
                );
                terminal::abandon();
            }
        };
        std::thread::Builder::new().name("screen".to_owned()).spawn(work)?;
        Ok(())
    }
}

impl Drop for Screen {
    /// Gives the terminal back, and says on stderr what was said meanwhile.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(ended) = &self.ended {
            // It ends by itself, unless the terminal takes nothing any more.
            let _ = ended.recv_timeout(PATIENCE);
        }
        terminal::abandon();
    }
}

/// What the thread knows.
struct Watch {
    board: Board,
    feed: Feed,
    stop: Arc<Stop>,
    zone: Zone,
    is_coloured: bool,
    is_over: Arc<AtomicBool>,
    keys: Keys,
    keyboard: Keyboard,
    stance: Stance,
    pulse: Pulse,
    room: Room,
    /// The sightings when it was paused, and how many had come.
    frozen: Option<(Vec<Group>, u64)>,
}

impl Watch {
    fn run(&mut self, obey: &impl Fn(Wish)) {
        let mut octets = [0; 256];
        while !self.is_over.load(Ordering::Relaxed) {
            let shown = self.look();
            let wait = if self.keyboard.is_amid() { REST_MILLIS } else { WAIT_MILLIS };
            let mut keys = Vec::new();
            match shown.as_ref().map(|_| self.keys.read(&mut octets, wait)) {
                Ok(Typed::Octets(count)) => {
                    let typed = octets.get(..count).unwrap_or_default();
                    self.keyboard.take(typed, |key| keys.push(key));
                }
                Ok(Typed::Nothing) => keys.extend(self.keyboard.idle()),
                // Whoever looked at it is gone, and can neither see nor end the run any more.
                Ok(Typed::Gone) | Err(_) => {
                    obey(Wish::End);
                    return;
                }
            }
            let shown = shown.unwrap_or_default();
            for key in keys {
                match self.stance.key(key, &shown, self.room) {
                    Some(Wish::Redraw) => drop(terminal::wipe()),
                    Some(wish) => obey(wish),
                    None => {}
                }
            }
        }
        // What was typed after the end is not for the shell.
        while let Typed::Octets(_) = self.keys.read(&mut octets, 0) {}
    }

    /// Looks at what there is, and draws it. Returns the sightings that are shown.
    fn look(&mut self) -> io::Result<Vec<Group>> {
        let status = self.board.latest();
        self.pulse.note(&status);
        let (newest, came) = self.feed.newest();
        if !self.stance.is_paused {
            self.frozen = None;
        } else if self.frozen.is_none() {
            self.frozen = Some((newest.clone(), came));
        }
        let (all, newer) = match &self.frozen {
            Some((all, had_come)) => (all, came.saturating_sub(*had_come)),
            None => (&newest, 0),
        };
        let shown = self.stance.shown(all);
        self.stance.settle(&shown);
        let view = View {
            status: &status,
            pulse: &self.pulse,
            sights: &shown,
            all: all.len(),
            fell_out: self.feed.fell_out(),
            newer,
            first: self.room.first,
            stance: &self.stance,
            notices: &terminal::notices(),
            zone: &self.zone,
            now: now(),
            is_coloured: self.is_coloured,
            is_ending: self.stop.is_set(),
        };
        let mut room = self.room;
        terminal::draw(|buffer| room = draw(&view, buffer))?;
        self.room = room;
        Ok(shown)
    }
}
