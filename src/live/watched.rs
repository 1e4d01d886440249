//! A pipe that is looked after while nothing is written: on a quiet network it may be long until the next line
//! would tell that nobody reads it any more.

use std::io::{self, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What is written to, and fails to flush once its reader has gone.
#[derive(Debug)]
pub struct Watched<W>(pub W);

impl<W: Write + AsFd> Write for Watched<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        // poll(2): POLLERR is also set where the reading end of a pipe has been closed.
        let mut looked_at = [PollFd::new(self.0.as_fd(), PollFlags::empty())];
        let is_told = poll(&mut looked_at, PollTimeout::ZERO).is_ok_and(|told| told > 0);
        let [looked_at] = looked_at;
        match looked_at.revents() {
            Some(found) if is_told && found.contains(PollFlags::POLLERR) => {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_without_a_write_that_the_reader_has_gone() {
        let (reader, writer) = io::pipe().unwrap();
        let mut watched = Watched(writer);
        watched.write_all(b"a line\n").unwrap();
        watched.flush().unwrap();
        drop(reader);
        assert_eq!(watched.flush().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_file_has_no_reader_that_could_go() {
        let mut watched = Watched(tempfile::tempfile().unwrap());
        watched.write_all(b"a line\n").unwrap();
        watched.flush().unwrap();
    }
}
