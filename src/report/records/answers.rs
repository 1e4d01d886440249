//! The firewall's alerts as CSV (RFC 4180), each with who is behind it: a line for each alert and client, and one for an
//! alert that nobody is named for, and, last, for each row that could not be read.
//!
//! It is what somebody gets back who gave a list of alerts: it can be joined to that by file and line.

use std::io::{self, Write};

use super::csv::{cell, writer};
use crate::alert::{Answer, Notice, Suspect};
use crate::attribution::Attribution;
use crate::report::{Ending, Report, Subject};
use crate::resolution::Role;
use crate::time::Timestamp;

use super::row::confidence;
use crate::report::weighed::Weighed;

/// An alert, and one of the clients that are named for it.
struct Row<'a> {
    answer: &'a Answer,
    client: Option<&'a Suspect>,
    connected: Option<Timestamp>,
    asked_itself: bool,
    triage: &'static str,
}

/// Its name, and how it is read from a row.
type Column = (&'static str, fn(&Row<'_>) -> String);

/// The columns, in order. Columns are added at the end, never changed.
const COLUMNS: &[Column] = &[
    ("alert", |row| row.answer.alert.number.to_string()),
    ("file", |row| row.answer.alert.file.clone()),
    ("line", |row| row.answer.alert.line.to_string()),
    ("alert_time", |row| time(row.answer.alert.time)),
    ("host", |row| row.answer.alert.host.clone().unwrap_or_default()),
    ("destination", |row| row.answer.alert.destination.clone()),
    ("threat", |row| row.answer.alert.threat.clone().unwrap_or_default()),
    ("events", |row| row.answer.alert.events.map(|e| e.to_string()).unwrap_or_default()),
    ("verdict", |row| verdict(row.answer).to_owned()),
    ("client", |row| row.client.map(|c| c.address.to_string()).unwrap_or_default()),
    ("hostname", |row| {
        row.client.and_then(|c| c.hostname.as_ref()).map(|h| h.name.clone()).unwrap_or_default()
    }),
    ("confidence", |row| row.client.map(|c| confidence(c.confidence_permille)).unwrap_or_default()),
    ("role", |row| row.client.map_or("", |c| c.role.as_str()).to_owned()),
    ("way", |row| row.way().to_owned()),
    ("asked", |row| row.client.map(|c| c.asked.join(" ")).unwrap_or_default()),
    ("asks", |row| row.client.map(|c| c.asks.to_string()).unwrap_or_default()),
    ("first_time", |row| time(row.client.map(|c| c.first))),
    ("last_time", |row| time(row.client.map(|c| c.last))),
    ("connected_time", |row| time(row.connected)),
    ("reason", |row| row.answer.reason.clone().unwrap_or_default()),
    ("nearest", |row| row.answer.nearest.clone().unwrap_or_default()),
    ("notes", |row| row.answer.basis.notes.join("; ")),
    ("attributions", |row| {
        let of_all = &row.answer.attributions;
        row.client.map_or(of_all, |client| &client.attributions).join(" ")
    }),
    ("triage", |row| row.triage.to_owned()),
    ("asked_confidence", |row| {
        row.client.map(|c| confidence(c.asked_permille)).unwrap_or_default()
    }),
    ("alert_until", |row| time(row.answer.alert.until)),
];

fn time(time: Option<Timestamp>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

/// As the text for people tells answers apart.
fn verdict(answer: &Answer) -> &'static str {
    match answer.verdict {
        Some(verdict) => verdict.as_str(),
        None if answer.basis.is_misdirected => "no-destination",
        None if answer.basis.is_of_another_day => "not-captured",
        None if answer.basis.is_of_other_times => "other-times",
        None => "not-answered",
    }
}

impl Row<'_> {
    /// How the client came to it: it asked for what is flagged, or for what led there; or the cache answered it, so that
    /// another's question raised the alert.
    fn way(&self) -> &'static str {
        match self.client {
            None => "",
            Some(client) if client.role == Role::Cached => "cache",
            Some(_) if self.asked_itself => "itself",
            Some(_) => "led-there",
        }
    }
}

/// What stands in a column of what could not be read.
fn of_unread(column: &str, notice: &Notice) -> String {
    match column {
        "file" => notice.file.clone(),
        "line" => notice.line.map(|line| line.to_string()).unwrap_or_default(),
        "verdict" => "not-read".to_owned(),
        "reason" => notice.words.clone(),
        "notes" => notice.text.clone(),
        _ => String::new(),
    }
}

/// Writes all of it at the end.
pub struct Answers<'a, W: Write> {
    out: csv::Writer<W>,
    subject: Subject<'a>,
}

impl<'a, W: Write> Answers<'a, W> {
    /// Writes to `out`.
    pub fn new(out: W, subject: Subject<'a>) -> Answers<'a, W> {
        Answers { out: writer(out), subject }
    }

    fn row<'r>(
        &self,
        answer: &'r Answer,
        client: &'r Suspect,
        ending: &Ending<'_>,
        weighed: &Weighed<'_>,
    ) -> Row<'r> {
        let asked_itself = self.subject.asked_itself(client, answer);
        let connected = ending.connected(client, answer).map(|(at, _)| at);
        let triage = weighed.triage(answer, client, self.subject).code();
        Row { answer, client: Some(client), connected, asked_itself, triage }
    }
}

impl<W: Write> Report for Answers<'_, W> {
    fn attribution(&mut self, _: &Attribution) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        self.out.write_record(COLUMNS.iter().map(|(name, _)| name))?;
        let weighed = Weighed::of(ending);
        for answer in ending.answers {
            let nobody =
                Row { answer, client: None, connected: None, asked_itself: false, triage: "" };
            let clients = answer.clients.iter();
            let named = clients.map(|client| self.row(answer, client, ending, &weighed));
            let rows: Vec<Row<'_>> = named.collect();
            let rows = if rows.is_empty() { vec![nobody] } else { rows };
            for row in &rows {
                self.out.write_record(COLUMNS.iter().map(|(_, read)| cell(&read(row))))?;
            }
        }
        for notice in ending.lacked.rows_unread() {
            self.out
                .write_record(COLUMNS.iter().map(|(name, _)| cell(&of_unread(name, notice))))?;
        }
        self.out.flush()
    }
}
