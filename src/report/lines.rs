//! A line for each sighting, for people who watch.

use std::io::{self, Write};

use super::percent;
use super::{Ending, Report, Subject};
use crate::attribution::{Attribution, Client, State};
use crate::resolution::Leg;

/// How many clients a line names.
const NAMED_MAX: usize = 4;

/// Writes a line as soon as something is known.
#[derive(Debug)]
pub struct Lines<'a, W> {
    out: W,
    subject: Subject<'a>,
    says_each: bool,
}

impl<'a, W: Write> Lines<'a, W> {
    /// Writes to `out`.
    pub fn new(out: W, subject: Subject<'a>) -> Lines<'a, W> {
        Lines { out, subject, says_each: true }
    }

    /// Writes at the end only: what is seen is shown elsewhere.
    pub fn of_the_end(out: W, subject: Subject<'a>) -> Lines<'a, W> {
        Lines { out, subject, says_each: false }
    }
}

/// A client, its host name, what it asked, and whether there were steps between.
fn said(client: &Client, flagged: &str) -> String {
    let called = client.hostname.as_ref().map_or(String::new(), |host| format!(" ({})", host.name));
    let way = match client.chain.as_slice() {
        [] | [_] if client.asked.eq_ignore_ascii_case(flagged) => String::new(),
        [] | [_] => format!(" → {flagged}"),
        [_, _] => format!(" → {flagged}"),
        _ => format!(" → … {flagged}"),
    };
    format!(
        "{}{called} asked {}{way} [{} {}]",
        client.address,
        client.asked,
        client.role.as_str(),
        percent(client.confidence_permille)
    )
}

impl<W: Write> Report for Lines<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        let Some(indicator) = self.subject.indicators.get(attribution.indicator) else {
            return Ok(());
        };
        if attribution.state == State::Superseded || !self.says_each {
            return Ok(());
        }
        let sighting = &attribution.sighting;
        let state = attribution.state.as_str();
        let at = self.subject.zone.clock(sighting.time);
        write!(self.out, "{at} {state:<11} ")?;
        if attribution.clients.is_empty() {
            let asked = if sighting.leg == Leg::Upstream { "asked" } else { "was asked" };
            let reason = attribution.reason.as_deref().unwrap_or_default();
            writeln!(
                self.out,
                "{} {asked} {} ({}): {}: {reason}",
                sighting.resolver,
                sighting.name,
                indicator.value,
                attribution.verdict.as_str()
            )?;
            return self.out.flush();
        }
        let flagged = attribution.clients.first().and_then(|client| client.chain.last());
        let flagged = flagged.map_or(indicator.value, |step| step.name.as_str());
        let mut clients: Vec<String> = attribution
            .clients
            .iter()
            .take(NAMED_MAX)
            .map(|client| said(client, flagged))
            .collect();
        if let Some(more @ 1..) = attribution.clients.len().checked_sub(NAMED_MAX) {
            clients.push(format!("{more} more"));
        }
        writeln!(self.out, "{}", clients.join("; "))?;
        self.out.flush()
    }

    /// A line for each indicator and client.
    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let verdicts = ending.verdicts;
        writeln!(
            self.out,
            "In all: {} attributed, {} of no client, {} undetermined.",
            verdicts.attributed, verdicts.no_client, verdicts.undetermined
        )?;
        for (id, client, row) in ending.summary.rows() {
            let Some(indicator) = self.subject.indicators.get(id) else { continue };
            if !ending.internal.names(client) {
                continue;
            }
            let called =
                row.hostname.as_ref().map_or(String::new(), |host| format!(" ({})", host.name));
            writeln!(
                self.out,
                "{client}{called}: {}, asked {} times, first {}, last {}",
                indicator.value,
                row.asks,
                self.subject.zone.clock(row.first),
                self.subject.zone.clock(row.last)
            )?;
        }
        self.out.flush()
    }
}
