//! How a live run is doing, for a monitoring system: OpenMetrics by HTTP, or in a file for node_exporter's textfile
//! collector.
//!
//! What is offered is what the analysis pinned up on the [`Board`] last, a quarter of a second ago at most. There is
//! no label whose values somebody outside could make up: interfaces and outputs are those on the command line, of
//! resolvers the 16 that are asked most are told apart.

mod http;
mod page;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use super::{Board, Status};

/// A socket that is listened on and not yet served.
#[derive(Debug)]
pub struct Bound(TcpListener);

/// Listens on an address, for [`Bound::start`]. To be called before the process is confined.
///
/// # Errors
/// When the address is not one of this machine, or in use.
pub fn listen(address: SocketAddr) -> io::Result<Bound> {
    TcpListener::bind(address).map(Bound)
}

impl Bound {
    /// Where it listens: the port is the one that was given by the system, if 0 was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers `GET /metrics` and `GET /health` from what is pinned up on `board`, on a thread of its own, one
    /// request at a time.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start(self, board: Board) -> io::Result<()> {
        let work = move || http::serve(&self.0, &board);
        std::thread::Builder::new().name("metrics".to_owned()).spawn(work)?;
        Ok(())
    }
}

/// Writes the metrics to a file, which is there as a whole or not at all: a neighbour of its name is written and
/// takes its place. The text is that of Prometheus, which node_exporter reads.
///
/// # Errors
/// When it cannot be written.
pub fn write_file(path: &Path, status: &Status) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut file = File::create(&beside)?;
    file.write_all(page::as_prometheus(&page::open_metrics(status)).as_bytes())?;
    drop(file);
    fs::rename(&beside, path)
}
