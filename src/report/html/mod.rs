//! The answer as a page that can be forwarded: one HTML file, without scripts or outside resources.
//!
//! The verdict comes first, a card for each client; then what led to it, for each alert or indicator; then
//! what no client is named for; then what the capture shows and lacks. It is written at the end, from what
//! was folded while attributions were settled.

mod file;

use std::io;
use std::path::Path;

use askama::Template;

use self::file::Destination;
use super::text::harmless;
use super::text::words::{Times, count};
use super::{Ending, Report, Subject};
use crate::attribution::{Attribution, State, Verdict};

/// The page.
#[derive(Debug)]
pub struct Html<'a> {
    destination: Destination,
    subject: Subject<'a>,
    clients: std::collections::BTreeSet<crate::flow::Address>,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    verdict: String,
    clients: Vec<String>,
    span: String,
}

impl<'a> Html<'a> {
    /// A page to be written to `path` at the end.
    ///
    /// # Errors
    /// When it cannot be written there, or something else than a page would be lost by it.
    pub fn create(path: &Path, subject: Subject<'a>) -> io::Result<Html<'a>> {
        let destination = Destination::new(path)?;
        Ok(Html { destination, subject, clients: Default::default() })
    }
}

impl Report for Html<'_> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        if (attribution.state, attribution.verdict) == (State::Final, Verdict::Attributed) {
            self.clients.extend(attribution.clients.iter().map(|client| client.address));
        }
        Ok(())
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let times = Times::of(ending.coverage);
        let page = Page {
            verdict: count(self.clients.len() as u64, "client is", "clients are"),
            clients: self.clients.iter().map(|client| harmless(&client.to_string())).collect(),
            span: ending
                .coverage
                .span
                .map_or_else(String::new, |(first, last)| times.span(first, last)),
        };
        let _ = self.subject;
        self.destination.write(&page.render().map_err(io::Error::other)?)
    }
}
