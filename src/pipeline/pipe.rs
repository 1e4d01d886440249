//! Input that can keep us waiting: a pipe, read on a thread of its own, so that a run which is told to stop
//! does not wait for octets that never come.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::run::Stop;
use crate::capture::EndedEarly;

/// How much is read from the pipe at once.
const CHUNK_OCTETS: usize = 128 << 10;
/// How many chunks wait to be taken: what a reader is behind by.
const CHUNKS: usize = 8;
/// How often it is looked whether the run was told to stop.
const LOOK: Duration = Duration::from_millis(50);

/// What came out of the pipe, or why nothing more does.
type Chunk = io::Result<Vec<u8>>;

/// A pipe that ends when the run is told to stop.
pub struct Pipe {
    chunks: Receiver<Chunk>,
    stop: Arc<Stop>,
    chunk: Vec<u8>,
    taken: usize,
}

impl Pipe {
    /// Opens a pipe and reads it, both on a thread: a named pipe can keep its opener waiting too. The
    /// thread ends with the pipe, with this, or with the program.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn new<R: Read>(
        open: impl FnOnce() -> io::Result<R> + Send + 'static,
        stop: Arc<Stop>,
    ) -> io::Result<Pipe> {
        let (into, chunks) = bounded(CHUNKS);
        let pump = move || match open() {
            Ok(pipe) => pump(pipe, &into),
            Err(error) => drop(into.send(Err(error))),
        };
        std::thread::Builder::new().name("pipe".to_owned()).spawn(pump)?;
        Ok(Pipe { chunks, stop, chunk: Vec::new(), taken: 0 })
    }
}

fn pump(mut pipe: impl Read, into: &Sender<Chunk>) {
    loop {
        let mut chunk = vec![0; CHUNK_OCTETS];
        let read = match pipe.read(&mut chunk) {
            Ok(0) => return,
            Ok(octets) => {
                chunk.truncate(octets);
                Ok(chunk)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let is_last = read.is_err();
        if into.send(read).is_err() || is_last {
            return;
        }
    }
}

impl Read for Pipe {
    /// Waits for octets. Told to stop, it ends with [`EndedEarly`].
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.chunk.len() {
            match self.chunks.recv_timeout(LOOK) {
                Ok(chunk) => (self.chunk, self.taken) = (chunk?, 0),
                Err(RecvTimeoutError::Timeout) if self.stop.is_set() => {
                    return Err(io::Error::other(EndedEarly));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let mut rest = self.chunk.get(self.taken..).unwrap_or_default();
        let octets = rest.read(into)?;
        self.taken += octets;
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_pipe_is_read() {
        let octets: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
        let source = octets.clone();
        let mut pipe = Pipe::new(|| Ok(io::Cursor::new(source)), Arc::default()).unwrap();
        let mut read = Vec::new();
        pipe.read_to_end(&mut read).unwrap();
        assert!(read == octets);
    }

    #[test]
    fn a_silent_pipe_ends_when_the_run_is_told_to_stop() {
        let (reader, writer) = io::pipe().unwrap();
        let stop = Arc::new(Stop::default());
        let mut pipe = Pipe::new(|| Ok(reader), Arc::clone(&stop)).unwrap();
        stop.set();
        let error = pipe.read(&mut [0; 8]).unwrap_err();
        assert!(error.get_ref().is_some_and(|inner| inner.is::<EndedEarly>()));
        drop(writer);
    }

    #[test]
    fn what_goes_wrong_with_a_pipe_is_said() {
        let open = || Err::<io::Empty, _>(io::Error::from(io::ErrorKind::PermissionDenied));
        let mut pipe = Pipe::new(open, Arc::default()).unwrap();
        let error = pipe.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
