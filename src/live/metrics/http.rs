//! As much of HTTP (RFC 9112) as a monitoring system needs, and no more.
//!
//! Whoever connects has 5 s for a request of at most 4 KiB and its answer; then the next one has its turn.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::page;
use crate::live::{Board, Status};
use crate::time::Timestamp;

/// How long a request may take with its answer.
const REQUEST_MAX: Duration = Duration::from_secs(5);
/// How long a request may be with its header fields.
const OCTETS_MAX: usize = 4 << 10;
const TEXT: &str = "text/plain; charset=utf-8";

/// Answers one request after the other, for ever.
pub(super) fn serve(listener: &TcpListener, board: &Board) {
    for stream in listener.incoming() {
        match stream {
            // Whoever went away wants no answer.
            Ok(stream) => drop(answer(&stream, board)),
            // No file is left to open, say: that would come again at once.
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a deadline for whoever is slow")]
fn now() -> Instant {
    Instant::now()
}

/// What is left until a deadline.
fn left(until: Instant) -> io::Result<Duration> {
    match until.saturating_duration_since(now()) {
        Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

fn answer(mut stream: &TcpStream, board: &Board) -> io::Result<()> {
    let until = now() + REQUEST_MAX;
    let request = read_head(stream, until)?;
    let time = crate::pipeline::live::now();
    let (code, kind, body) = reply(&request, &board.latest(), time);
    let allow = if code.starts_with("405") { "Allow: GET\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {code}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{allow}Connection: close\r\n\r\n",
        body.len()
    );
    let octets = [head.as_bytes(), body.as_bytes()].concat();
    let mut rest = octets.as_slice();
    while !rest.is_empty() {
        stream.set_write_timeout(Some(left(until)?))?;
        match stream.write(rest)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => rest = rest.get(written..).unwrap_or_default(),
        }
    }
    Ok(())
}

/// Reads until the empty line behind the header fields, or as far as is looked at.
fn read_head(mut stream: &TcpStream, until: Instant) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(OCTETS_MAX);
    let mut piece = [0; 1024];
    while head.len() < OCTETS_MAX && !head.windows(4).any(|octets| octets == b"\r\n\r\n") {
        stream.set_read_timeout(Some(left(until)?))?;
        match stream.read(&mut piece)? {
            0 => break,
            read => head.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
    }
    Ok(head)
}

/// The answer to a request: status, media type, content.
pub(super) fn reply(
    head: &[u8],
    status: &Status,
    now: Timestamp,
) -> (&'static str, &'static str, String) {
    let is_whole = head.windows(4).any(|octets| octets == b"\r\n\r\n");
    if !is_whole {
        return match head.len() >= OCTETS_MAX {
            true => ("431 Request Header Fields Too Large", TEXT, "too long\n".to_owned()),
            false => ("400 Bad Request", TEXT, "not a request\n".to_owned()),
        };
    }
    let line = head.split(|octet| *octet == b'\r').next().unwrap_or_default();
    let mut words = line.split(|octet| *octet == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let (Some(method), Some(target), Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', _])) =
        (method, target, version)
    else {
        return ("400 Bad Request", TEXT, "not a request\n".to_owned());
    };
    if method != b"GET" {
        return ("405 Method Not Allowed", TEXT, "only GET\n".to_owned());
    }
    match target.split(|octet| *octet == b'?').next() {
        Some(b"/metrics") => ("200 OK", page::MEDIA_TYPE, page::open_metrics(status)),
        Some(b"/health") => {
            let (code, body) = health(status, now);
            (code, TEXT, body)
        }
        _ => ("404 Not Found", TEXT, "there are /metrics and /health\n".to_owned()),
    }
}

/// Whether it can do its work, and what is wrong, by name: clients are not named here.
fn health(status: &Status, now: Timestamp) -> (&'static str, String) {
    let mut faults = Vec::new();
    faults.extend(status.hang(now).map(|how| format!("{how}\n")));
    let down = status.interfaces.iter().filter(|interface| !interface.is_up);
    faults.extend(down.map(|interface| format!("interface {} is not up\n", interface.name)));
    let code = if faults.is_empty() { "200 OK" } else { "503 Service Unavailable" };
    let first = if faults.is_empty() { "ok\n" } else { "" };
    let wrong = status.complaints.iter().map(|complaint| format!("wrong: {}\n", complaint.name));
    let lists =
        status.lists.fault.as_ref().map(|_| {
            "wrong: lists: they could not be reloaded, the old ones are in use\n".to_owned()
        });
    let ring = status.ring.iter().filter_map(|ring| ring.fault.as_ref());
    let outputs =
        status.outputs.iter().filter_map(|output| Some((&output.name, output.fault.as_ref()?)));
    let wrong = wrong.chain(lists).chain(ring.map(|fault| format!("wrong: ring: {fault}\n")));
    let wrong =
        wrong.chain(outputs.map(|(name, fault)| format!("wrong: output {name}: {fault}\n")));
    (code, [first.to_owned()].into_iter().chain(faults).chain(wrong).collect())
}
