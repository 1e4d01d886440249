//! What a service manager is told of a run: that it is ready, lives, ends (sd_notify(3)).
//!
//! A message is one datagram of `NAME=VALUE` lines to the socket that `NOTIFY_SOCKET` names. It is opened before
//! confinement, and never waited for.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// The service manager, if there is one that wants to be told.
#[derive(Debug)]
pub struct Notify {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// As the environment says; one that tells nobody when it says nothing.
    ///
    /// # Errors
    /// When there should be a service manager and it cannot be reached.
    pub fn from_environment() -> io::Result<Notify> {
        let socket = match env::var("NOTIFY_SOCKET") {
            Ok(path) if !path.is_empty() => Some(connected(&path)?),
            _ => None,
        };
        let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        // The watchdog may be meant for another process, whose environment this one was given.
        let is_meant = number("WATCHDOG_PID").is_none_or(|id| id == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|time| is_meant && *time > 0);
        Ok(Notify { socket, watchdog: watchdog.map(Duration::from_micros) })
    }

    /// How often it wants a sign of life, at the least.
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog.filter(|_| self.socket.is_some())
    }

    /// It listens, with this to show for it.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// How it is doing.
    pub fn status(&self, status: &str) {
        self.tell(&format!("STATUS={}", one_line(status)));
    }

    /// It lives.
    pub fn lives(&self) {
        self.tell("WATCHDOG=1");
    }

    /// It reads its lists anew, until it is [`ready`](Notify::ready).
    pub fn reloads(&self) {
        let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
        let micros = time.map_or(0, |time| time.as_micros());
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// It ends.
    pub fn ends(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, words: &str) {
        if let Some(socket) = &self.socket {
            // A service manager that does not listen is not waited for.
            let _ = socket.send(words.as_bytes());
        }
    }
}

/// A name that begins with `@` is one without a file.
fn connected(path: &str) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    match path.strip_prefix('@') {
        Some(name) => socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        None => socket.connect(path)?,
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}
