//! Where metrics are offered: `--metrics` and `--metrics-file`.

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
    bound: Option<Bound>,
    file: Option<PathBuf>,
}

/// Listens, and writes the file for the first time, so that what cannot be done is said at once. To be called
/// before the process is confined.
///
/// # Errors
/// When the address cannot be listened on, or the file not be written.
pub fn open(settings: &Settings, board: &Board) -> anyhow::Result<Opened> {
    let bound = match settings.metrics {
        Some(address) => {
            let bound = listen(address).with_context(|| format!("--metrics: {address}"))?;
            let address = bound.address().with_context(|| format!("--metrics: {address}"))?;
            let others = if address.ip().is_loopback() {
                ""
            } else {
                ": whoever reaches it can read the figures, in plain and without a password"
            };
            say(&format!("whoasked: metrics on http://{address}/metrics{others}"));
            Some(bound)
        }
        None => None,
    };
    if let Some(file) = &settings.metrics_file {
        write(file, board).with_context(|| format!("--metrics-file: {}", file.display()))?;
    }
    Ok(Opened { bound, file: settings.metrics_file.clone() })
}

fn write(file: &Path, board: &Board) -> std::io::Result<()> {
    write_file(file, &board.latest())
}

impl Opened {
    /// Serves them from now on.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start(self, board: &Board, stop: &Arc<Stop>) -> std::io::Result<()> {
        if let Some(bound) = self.bound {
            bound.start(board.clone())?;
        }
        if let Some(file) = self.file {
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
