//! Where a form of the answer goes: a file, or a socket that takes messages.
//!
//! To a socket each line goes as a message. By UDP and to a socket of datagrams it is one datagram, without
//! its line break; by TCP, a syslog message has its length before it (RFC 6587 section 3.4.1), other lines
//! keep their line break.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};

/// So many links from one to the next are followed.
const LINKS_MAX: usize = 16;
/// What leads to standard input, if that is a file.
const STDIN: &str = "/dev/stdin";
/// What leads to standard output, if that is a file.
pub const STDOUT: &str = "/dev/stdout";

/// How long a receiver may take to accept a connection, or some octets of a message.
const PATIENCE: Duration = Duration::from_secs(10);

/// A place to write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, which is made anew.
    File(PathBuf),
    /// `udp://host:port`.
    Udp(String),
    /// `tcp://host:port`.
    Tcp(String),
    /// `unix:path`, of datagrams or else a stream.
    Unix(PathBuf),
}

/// What a line is to a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Text that ends with its line.
    Text,
    /// A syslog message.
    Syslog,
}

impl Place {
    /// Reads what was given behind `FORM=`.
    pub fn new(text: &str) -> anyhow::Result<Place> {
        let host = |rest: &str, example: &str| {
            let port = rest.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            match port.map(|(_, port)| port.parse::<u16>()) {
                Some(Ok(1..)) => Ok(rest.to_owned()),
                _ => bail!("`{rest}` is not a host and port (expected one such as {example})"),
            }
        };
        if let Some(rest) = text.strip_prefix("udp://") {
            host(rest, "udp://siem.example:514").map(Place::Udp)
        } else if let Some(rest) = text.strip_prefix("tcp://") {
            host(rest, "tcp://siem.example:601").map(Place::Tcp)
        } else if let Some(path) = text.strip_prefix("unix:") {
            match path {
                "" => bail!("unix: needs a path (expected one such as unix:/dev/log)"),
                path => Ok(Place::Unix(PathBuf::from(path))),
            }
        } else if let Some((scheme, _)) = text.split_once("://") {
            bail!("`{scheme}` is not supported (expected a path, udp://, tcp:// or unix:)")
        } else if matches!(text, "" | "-") {
            bail!("no place given (for stdout, use --format)")
        } else {
            Ok(Place::File(PathBuf::from(text)))
        }
    }

    /// Whether both are one file.
    pub fn is_file_of(&self, other: &Place) -> bool {
        match (self, other) {
            (Place::File(one), Place::File(other)) => is_same_file(one, other),
            _ => false,
        }
    }

    /// Whether the file can be written to; leaves what is in it, and none where there was none. What is no regular file
    /// is opened once only: another may wait at its other end.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> anyhow::Result<()> {
        let Place::File(path) = self else { return Ok(()) };
        let opened = match fs::metadata(path) {
            Ok(found) if found.is_file() => OpenOptions::new().append(true).open(path).map(drop),
            Ok(_) => Ok(()),
            Err(_) => {
                let path = linked(path);
                let made = OpenOptions::new().write(true).create_new(true).open(&path);
                made.and_then(|_| fs::remove_file(&path))
            }
        };
        opened.with_context(|| format!("--output: cannot open {self}"))
    }

    /// Makes the file, or connects. `line` says what lines are to a socket.
    ///
    /// # Errors
    /// When that fails.
    pub fn open(&self, line: Option<Line>) -> anyhow::Result<Box<dyn Write + Send>> {
        let line = line.unwrap_or(Line::Text);
        let out = match self {
            Place::Tcp(host) => tcp(host).map(|stream| by(Stream { stream, line })),
            _ => self.connect(line),
        };
        out.with_context(|| format!("--output: cannot open {self}"))
    }

    /// Makes the file, or connects for long: a receiver by TCP is looked after before each line.
    ///
    /// # Errors
    /// When that fails.
    pub fn connect(&self, line: Line) -> io::Result<Box<dyn Write + Send>> {
        match self {
            Place::File(path) => File::create(path).map(|file| Box::new(BufWriter::new(file)) as _),
            Place::Udp(host) => udp(host).map(|socket| by(Datagrams(socket))),
            Place::Tcp(host) => {
                let stream = Watched { stream: tcp(host)?, has_sent: false };
                Ok(by(Stream { stream, line }))
            }
            Place::Unix(path) => unix(path, line),
        }
    }
}

/// Whether two paths lead to one regular file, by whatever names it has: links, and ways to its directory. It may not
/// exist yet.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let [one, other] =
        [one, other].map(|path| if path.as_os_str() == "-" { Path::new(STDIN) } else { path });
    let to_be = |path: &Path| {
        let path = &linked(path);
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = fs::canonicalize(directory.unwrap_or(Path::new("."))).ok()?;
        Some(directory.join(path.file_name()?))
    };
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(found), Ok(known)) => found.is_file() && is_one(&found, &known),
        (Err(_), Err(_)) => to_be(one).is_some_and(|one| Some(one) == to_be(other)),
        _ => false,
    }
}

/// Where a path leads by links, of which the last may lead nowhere yet.
fn linked(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.with_file_name("").join(target);
    }
    path
}

#[cfg(unix)]
fn is_one(found: &fs::Metadata, known: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino()) == (known.dev(), known.ino())
}

/// Where files have no number, what was made and changed at one time, and is of one length, is taken for one.
#[cfg(not(unix))]
fn is_one(found: &fs::Metadata, known: &fs::Metadata) -> bool {
    let marks = |data: &fs::Metadata| (data.len(), data.created().ok(), data.modified().ok());
    marks(found) == marks(known)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Udp(host) => write!(f, "udp://{host}"),
            Place::Tcp(host) => write!(f, "tcp://{host}"),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

fn udp(host: &str) -> io::Result<UdpSocket> {
    let mut failure = no_address();
    for address in host.to_socket_addrs()? {
        let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(own).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn tcp(host: &str) -> io::Result<TcpStream> {
    let mut failure = no_address();
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_write_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the host has no address")
}

#[cfg(unix)]
fn unix(path: &Path, line: Line) -> io::Result<Box<dyn Write + Send>> {
    use std::os::unix::net::{UnixDatagram, UnixStream};
    let socket = UnixDatagram::unbound()?;
    match socket.connect(path) {
        Ok(()) => {
            socket.set_write_timeout(Some(PATIENCE))?;
            Ok(by(Datagrams(socket)))
        }
        // EPROTOTYPE has no kind of its own: a socket of another type listens there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        Err(_) => {
            let stream = UnixStream::connect(path)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(by(Stream { stream, line }))
        }
    }
}

#[cfg(not(unix))]
fn unix(_: &Path, _: Line) -> io::Result<Box<dyn Write + Send>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no Unix sockets"))
}

/// What sends a line as a message.
trait Deliver {
    /// Sends a line, given without its line break.
    fn deliver(&mut self, line: &[u8]) -> io::Result<()>;
}

fn is_refused(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionRefused
}

/// A socket whose messages keep their bounds.
struct Datagrams<S>(S);

impl Deliver for Datagrams<UdpSocket> {
    fn deliver(&mut self, line: &[u8]) -> io::Result<()> {
        match self.0.send(line) {
            // An earlier datagram came to a host where nobody listened just then. That is lost, and this one may not be.
            Err(error) if is_refused(&error) => match self.0.send(line) {
                Err(error) if !is_refused(&error) => Err(error),
                _ => Ok(()),
            },
            sent => sent.map(drop),
        }
    }
}

#[cfg(unix)]
impl Deliver for Datagrams<std::os::unix::net::UnixDatagram> {
    fn deliver(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.send(line).map(drop)
    }
}

/// A connection, where a message needs its bounds marked.
struct Stream<S> {
    stream: S,
    line: Line,
}

impl<S: Write> Deliver for Stream<S> {
    fn deliver(&mut self, line: &[u8]) -> io::Result<()> {
        let mut message = match self.line {
            Line::Text => Vec::new(),
            Line::Syslog => format!("{} ", line.len()).into_bytes(),
        };
        message.extend_from_slice(line);
        if self.line == Line::Text {
            message.push(b'\n');
        }
        self.stream.write_all(&message)
    }
}

/// A connection by TCP that lasts. What is sent first after the receiver has gone away would be lost without a
/// word, for its system refuses it only later.
struct Watched {
    stream: TcpStream,
    has_sent: bool,
}

impl Write for Watched {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // One that sends nothing itself may have closed its half at once, and reads all the same.
        if std::mem::replace(&mut self.has_sent, true) {
            self.stream.set_nonblocking(true)?;
            let seen = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            match seen {
                Ok(0) => return Err(io::ErrorKind::BrokenPipe.into()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        self.stream.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Gathers what is written into lines and sends each.
struct Lines<S> {
    to: S,
    begun: Vec<u8>,
}

fn by<S: Deliver + Send + 'static>(to: S) -> Box<dyn Write + Send> {
    Box::new(Lines { to, begun: Vec::new() })
}

/// What errors of a receiver mean. For a time-out the system has only "resource temporarily unavailable" for it.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::other(format!("the receiver accepted nothing for {} s", PATIENCE.as_secs()))
        }
        // Its kind is that of a reader of stdout that has gone, which is no error there.
        io::ErrorKind::BrokenPipe => io::Error::other("the receiver has closed the connection"),
        _ => error,
    }
}

impl<S: Deliver> Write for Lines<S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for part in octets.split_inclusive(|octet| *octet == b'\n') {
            match part.split_last() {
                Some((b'\n', rest)) => {
                    self.begun.extend_from_slice(rest);
                    let sent = self.to.deliver(&self.begun);
                    self.begun.clear();
                    sent.map_err(in_words)?;
                }
                _ => self.begun.extend_from_slice(part),
            }
        }
        Ok(octets.len())
    }

    /// Lines are sent when they end; a report ends all of its own.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_by_how_they_begin() {
        assert_eq!(Place::new("a=b.csv").unwrap(), Place::File("a=b.csv".into()));
        assert_eq!(Place::new("udp://[::1]:514").unwrap(), Place::Udp("[::1]:514".to_owned()));
        assert_eq!(Place::new("unix:/dev/log").unwrap(), Place::Unix("/dev/log".into()));
        for bad in ["", "-", "udp://host", "tcp://:514", "tcp://host:0", "unix:", "http://a:1"] {
            assert!(Place::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lines_go_out_whole_however_they_are_written() {
        let mut stream =
            Lines { to: Stream { stream: Vec::new(), line: Line::Syslog }, begun: Vec::new() };
        for part in [&b"<1>1 - a"[..], b"b\n<1>1 ", b"-\n\n"] {
            stream.write_all(part).unwrap();
        }
        assert_eq!(stream.to.stream, b"9 <1>1 - ab6 <1>1 -0 ");
    }
}
