//! Whether the run is shown on a screen: on a terminal, unless lines are wanted there.

use std::sync::Arc;

#[cfg(feature = "tui")]
pub use with_screen::{ScreenHandle, go_on, interrupt, pause};
#[cfg(not(feature = "tui"))]
pub use without_screen::{ScreenHandle, go_on, interrupt, pause};

use super::super::say;
use super::super::settings::Live as Settings;
use crate::live::{Board, Feed};
use crate::pipeline::Stop;

/// How a run ended by a second Ctrl-C exits.
const INTERRUPTED: i32 = 130;

#[cfg(feature = "tui")]
mod with_screen {
    use signal_hook::consts::SIGTSTP;
    use signal_hook::low_level::{emulate_default_handler, raise};

    use super::*;
    use crate::screen::{Screen, Wish, abandon, leave, resume};

    /// The screen, if there is one.
    pub struct ScreenHandle(Option<Screen>);

    impl ScreenHandle {
        /// Takes the terminal, where a screen is wanted and can be.
        pub fn open(settings: &Settings) -> ScreenHandle {
            let Some(is_coloured) = settings.screen else { return ScreenHandle(None) };
            ScreenHandle(Screen::open(settings.zone.clone(), is_coloured).unwrap_or_else(|error| {
                say(&format!("whoasked: cannot show the screen, printing lines instead: {error}"));
                None
            }))
        }

        /// Whether there is a screen.
        pub fn is_on(&self) -> bool {
            self.0.is_some()
        }

        /// Begins to draw, and to obey keys.
        ///
        /// # Errors
        /// When there can be no further thread.
        pub fn begin(
            &mut self,
            board: &Board,
            feed: &Feed,
            stop: &Arc<Stop>,
        ) -> std::io::Result<()> {
            let Some(screen) = &mut self.0 else { return Ok(()) };
            let stopped = Arc::clone(stop);
            let obey = move |wish| match wish {
                Wish::Interrupt if stopped.is_set() => interrupt(),
                Wish::Interrupt | Wish::End => stopped.set(),
                // It comes back as a signal, to the thread that obeys those.
                Wish::Suspend => drop(raise(SIGTSTP)),
                Wish::Redraw => {}
            };
            screen.begin((board.clone(), feed.clone()), Arc::clone(stop), obey)
        }

        /// Gives the terminal back.
        pub fn close(self) {
            drop(self.0);
        }
    }

    /// Stops, as a shell's user expects of Ctrl-Z: what comes meanwhile waits in the kernel's ring.
    pub fn pause() {
        leave();
        let _ = emulate_default_handler(SIGTSTP);
    }

    /// Takes the terminal again, however it was left.
    pub fn go_on() {
        resume();
    }

    /// Ends at once.
    pub fn interrupt() -> ! {
        abandon();
        std::process::exit(INTERRUPTED)
    }
}

#[cfg(not(feature = "tui"))]
mod without_screen {
    use super::*;

    /// No screen.
    pub struct ScreenHandle;

    impl ScreenHandle {
        /// No screen. One that would be there is missed.
        pub fn open(settings: &Settings) -> ScreenHandle {
            if settings.screen.is_some() {
                say("whoasked: built without the screen; printing lines instead");
            }
            ScreenHandle
        }

        /// Never.
        pub fn is_on(&self) -> bool {
            false
        }

        /// Nothing is begun.
        ///
        /// # Errors
        /// Never.
        pub fn begin(&mut self, _: &Board, _: &Feed, _: &Arc<Stop>) -> std::io::Result<()> {
            Ok(())
        }

        /// Nothing is closed.
        pub fn close(self) {}
    }

    /// Without a screen the system stops and continues by itself.
    pub fn pause() {}

    /// See there.
    pub fn go_on() {}

    /// Ends at once.
    pub fn interrupt() -> ! {
        std::process::exit(INTERRUPTED)
    }
}
