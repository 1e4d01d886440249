//! The terminal: taken, drawn on, and given back as it was, whoever ends the run and how.
//!
//! A process has one terminal, so what is known of it is the process's: a signal's thread and a panic give it
//! back as well as the screen does.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{getpgrp, tcgetpgrp};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::notices::Notices;
use crate::pipeline::live::now;
use crate::time::Zone;

/// The terminal, buffered: a picture is written at once.
type Canvas = Terminal<CrosstermBackend<BufWriter<File>>>;

/// How often it is tried to take the terminal from who draws on it, and how long between.
const TRIES: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(10);

/// What is drawn on, while the screen is up.
static CANVAS: Mutex<Option<Canvas>> = Mutex::new(None);
/// What was said and in whose time, from when the screen was opened until it is closed for good.
static SAID: Mutex<Option<(Notices, Zone)>> = Mutex::new(None);
/// What was said before: the screen is drawn over it.
static SAID_BEFORE: Mutex<Notices> = Mutex::new(Notices::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the terminal is there to be drawn on: another program may have it.
pub(super) fn is_ours() -> bool {
    let stdout = io::stdout();
    stdout.is_terminal() && tcgetpgrp(stdout.as_fd()).is_ok_and(|group| group == getpgrp())
}

/// Keeps what is said from now on, for the screen, with what was said so far.
pub(super) fn listen(zone: Zone) {
    let mut notices = std::mem::take(&mut *lock(&SAID_BEFORE));
    notices.are_said();
    *lock(&SAID) = Some((notices, zone));
}

/// What was said.
pub(super) fn notices() -> Notices {
    lock(&SAID).as_ref().map(|(notices, _)| notices.clone()).unwrap_or_default()
}

/// Takes a line that would go to stderr. `false` when there is no screen that it would stand across.
pub fn notice(text: &str) -> bool {
    match &mut *lock(&SAID) {
        Some((notices, _)) => {
            notices.push(now(), text);
            true
        }
        None => {
            lock(&SAID_BEFORE).push(now(), text);
            false
        }
    }
}

/// Goes to the screen.
///
/// # Errors
/// When the terminal does not let itself be set up.
pub(super) fn enter() -> io::Result<()> {
    let mut canvas = lock(&CANVAS);
    let terminal = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    enable_raw_mode()?;
    let mut out = BufWriter::new(terminal);
    let entered = execute!(out, EnterAlternateScreen, Hide, Clear(ClearType::All));
    match entered.and_then(|()| Terminal::new(CrosstermBackend::new(out))) {
        Ok(terminal) => {
            *canvas = Some(terminal);
            Ok(())
        }
        Err(error) => {
            let _ = disable_raw_mode();
            Err(error)
        }
    }
}

/// Goes back to where the terminal was before, and stays ready to be entered again. Nothing is done twice.
/// `false`: the terminal takes nothing any more, and whoever draws on it has it for good.
pub fn leave() -> bool {
    let mut is_left = false;
    for _ in 0..TRIES {
        let mut canvas = match CANVAS.try_lock() {
            Ok(canvas) => canvas,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                sleep(BETWEEN);
                continue;
            }
        };
        if let Some(mut terminal) = canvas.take() {
            let _ = execute!(terminal.backend_mut(), LeaveAlternateScreen, Show);
        }
        is_left = true;
        break;
    }
    let _ = disable_raw_mode();
    is_left
}

/// Goes to the screen again, however it was left: a shell has had the terminal meanwhile. Nothing if it was given
/// back for good.
pub fn resume() {
    if leave() && lock(&SAID).is_some() {
        let _ = enter();
    }
}

/// Goes back for good, and says on stderr what was said meanwhile. A terminal that takes nothing any more would
/// keep it from ending: what is said stays unsaid then.
pub fn abandon() {
    if !leave() {
        return;
    }
    let Some((mut notices, zone)) = lock(&SAID).take() else { return };
    let mut stderr = io::stderr();
    for line in notices.drain(|time| zone.clock(time)) {
        let _ = writeln!(stderr, "{line}");
    }
}

/// Draws a picture, if the screen is up.
pub(super) fn draw(picture: impl FnOnce(&mut Buffer)) -> io::Result<()> {
    let mut canvas = lock(&CANVAS);
    let Some(terminal) = &mut *canvas else { return Ok(()) };
    terminal.draw(|frame| picture(frame.buffer_mut()))?;
    Ok(())
}

/// Wipes the screen, so that the next picture is drawn whole.
pub(super) fn wipe() -> io::Result<()> {
    let mut canvas = lock(&CANVAS);
    let Some(terminal) = &mut *canvas else { return Ok(()) };
    // Not its own `clear`, which asks the terminal where the cursor is, and waits for the answer.
    execute!(terminal.backend_mut(), Clear(ClearType::All))?;
    terminal.swap_buffers();
    Ok(())
}

/// What came from the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// So many octets.
    Octets(usize),
    /// Nothing so far.
    Nothing,
    /// Nothing ever again: the terminal is gone.
    Gone,
}

/// The keyboard's end of the terminal.
#[derive(Debug)]
pub(super) struct Keys(File);

impl Keys {
    /// Opens it: stdin, or the terminal itself if that is something else.
    pub fn open() -> io::Result<Keys> {
        let stdin = io::stdin();
        Ok(Keys(match stdin.is_terminal() {
            true => File::from(stdin.as_fd().try_clone_to_owned()?),
            false => File::open("/dev/tty")?,
        }))
    }

    /// Waits for octets, and reads them.
    pub fn read(&mut self, octets: &mut [u8], millis: u16) -> Typed {
        let mut waited = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waited, PollTimeout::from(millis)) {
            Ok(0) | Err(Errno::EINTR) => return Typed::Nothing,
            Ok(_) => {}
            Err(_) => return Typed::Gone,
        }
        match self.0.read(octets) {
            Ok(0) => Typed::Gone,
            Ok(count) => Typed::Octets(count),
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Typed::Nothing,
                _ => Typed::Gone,
            },
        }
    }
}
