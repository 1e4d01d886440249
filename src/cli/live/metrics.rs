//! Where metrics are offered: `--metrics` and `--metrics-file`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::super::say;
use super::super::settings::Live as Settings;
use crate::live::Board;
use crate::live::metrics::{Bound, listen, write_file};
use crate::pipeline::Stop;

/// How often the file is written.
const EVERY: Duration = Duration::from_secs(15);
/// How often it is looked whether the run has ended.
const LOOK: Duration = Duration::from_millis(500);

/// What was opened, and is to be served.
pub struct Opened {
    bound: Option<(Bound, SocketAddr)>,
    file: Option<PathBuf>,
}

/// Listens. To be called before the process is confined.
///
/// # Errors
/// When the address cannot be listened on.
pub fn open(settings: &Settings) -> anyhow::Result<Opened> {
    let bound = match settings.metrics {
        Some(address) => {
            let bound = listen(address).with_context(|| format!("--metrics: {address}"))?;
            let address = bound.address().with_context(|| format!("--metrics: {address}"))?;
            let others = if address.ip().is_loopback() {
                ""
            } else {
                ": anyone who can reach it can read them, unencrypted and without a password"
            };
            say(&format!("whoasked: metrics on http://{address}/metrics{others}"));
            Some((bound, address))
        }
        None => None,
    };
    Ok(Opened { bound, file: settings.metrics_file.clone() })
}

fn write(file: &Path, board: &Board) -> std::io::Result<()> {
    write_file(file, &board.latest())
}

impl Opened {
    /// Where they are asked for.
    pub fn address(&self) -> Option<SocketAddr> {
        self.bound.as_ref().map(|(_, address)| *address)
    }

    /// Serves them from now on. `way_out` is added to why the file cannot be written.
    ///
    /// # Errors
    /// When the file cannot be written for the first time, or there can be no further thread.
    pub fn start(self, board: &Board, stop: &Arc<Stop>, way_out: &str) -> anyhow::Result<()> {
        if let Some((bound, _)) = self.bound {
            bound.start(board.clone())?;
        }
        if let Some(file) = self.file {
            write(&file, board)
                .with_context(|| format!("--metrics-file: {}{way_out}", file.display()))?;
            let (board, stop) = (board.clone(), Arc::clone(stop));
            let builder = std::thread::Builder::new().name("metrics-file".to_owned());
            builder.spawn(move || keep(&file, &board, &stop))?;
        }
        Ok(())
    }
}

/// Writes the file every while. What it fails by is said once, and when it is over.
fn keep(file: &Path, board: &Board, stop: &Stop) {
    let mut fault: Option<String> = None;
    let mut waited = EVERY;
    while !stop.is_set() {
        if waited < EVERY {
            std::thread::sleep(LOOK);
            waited += LOOK;
            continue;
        }
        waited = Duration::ZERO;
        let now = write(file, board).err().map(|error| error.to_string());
        match (&fault, &now) {
            (None, Some(why)) => {
                say(&format!("whoasked: --metrics-file: {}: {why}", file.display()));
            }
            (Some(_), None) => {
                say(&format!("whoasked: --metrics-file: {} is written again", file.display()));
            }
            _ => {}
        }
        fault = now;
    }
}
