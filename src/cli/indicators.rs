//! Indicators on the command line: loading them, saying what is wrong with them, and
//! `whoasked indicators check`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};

use super::alerts::{self, Loaded};
use super::output::is_closed_pipe;
use super::settings::Check;
use super::{Outcome, say};
use crate::alert::{Alert, AlertFormat, Zones, refused_beforehand};
use crate::flow::Address;
use crate::indicator::{
    IndicatorKind, Indicators, List, ListFiles, ListId, Lists, Warning, files_of,
};
use crate::name::NameHasher;
use crate::text::printable;

/// How many warnings are said before an analysis; the rest is for `indicators check`.
const SAID_MAX: usize = 5;
/// How many lines of the same complaint are shown.
const LINES_SHOWN_MAX: usize = 5;

/// What a live run looks for; read anew when it is asked to.
#[derive(Clone, Debug)]
pub enum WatchSource {
    /// What lists hold.
    Lists(Lists),
    /// What the alerts in these files are about, but for the DNS servers.
    Alerts(OfAlerts),
}

/// Alerts that say what to look for.
#[derive(Clone, Debug)]
pub struct OfAlerts {
    /// Where they stand.
    pub files: Vec<PathBuf>,
    /// Their form, if it is not to be found out.
    pub form: Option<AlertFormat>,
    /// The addresses of each DNS server that is declared.
    pub resolvers: Vec<Vec<Address>>,
}

impl WatchSource {
    /// The files.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        let (first, rest): (&[PathBuf], &[PathBuf]) = match self {
            WatchSource::Lists(lists) => (&lists.indicators, &lists.allow),
            WatchSource::Alerts(alerts) => (&alerts.files, &[]),
        };
        first.iter().chain(rest)
    }

    /// Reads them, and says on stderr what is doubtful about them.
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn load(&self, hasher: NameHasher) -> anyhow::Result<Indicators> {
        self.open(hasher)?.load(hasher)
    }

    /// Opens lists, to be read by somebody who may open none of them: they are others' work. Alerts are few and
    /// one's own, and read at once.
    ///
    /// # Errors
    /// When one cannot be opened; when alerts cannot be used.
    pub fn open(&self, hasher: NameHasher) -> anyhow::Result<Opened> {
        Ok(match self {
            WatchSource::Lists(lists) => Opened::Lists(lists.open()?),
            WatchSource::Alerts(alerts) => Opened::Alerts(Box::new(alerts.load(hasher)?)),
        })
    }
}

/// What a live run looks for, opened.
#[derive(Debug)]
pub enum Opened {
    /// Lists, still to be read.
    Lists(ListFiles),
    /// What alerts are about.
    Alerts(Box<Indicators>),
}

impl Opened {
    /// Reads lists, and says on stderr what is doubtful about them.
    ///
    /// # Errors
    /// When one cannot be used.
    pub fn load(self, hasher: NameHasher) -> anyhow::Result<Indicators> {
        match self {
            Opened::Lists(files) => Ok(said(files.load(hasher)?)),
            Opened::Alerts(indicators) => Ok(*indicators),
        }
    }
}

impl OfAlerts {
    /// What they are about. When they were raised does not matter here, so neither does the zone of their times.
    fn load(&self, hasher: NameHasher) -> anyhow::Result<Indicators> {
        let zones = Zones { is_said: true, ..Zones::default() };
        let Loaded { alerts, .. } = alerts::load(&self.files, self.form, &zones)?;
        let (mut wanted, mut wrong): (Vec<&Alert>, Vec<(&Alert, String)>) =
            (Vec::new(), Vec::new());
        for alert in &alerts {
            match refused_beforehand(&alert.destination, &self.resolvers) {
                Some(why) => wrong.push((alert, why)),
                None => wanted.push(alert),
            }
        }
        let words = alerts::words(wanted.iter().copied());
        let (indicators, held) = Indicators::from_entries(words, hasher);
        let held = wanted.iter().zip(held);
        wrong.extend(held.filter_map(|(alert, held)| Some((*alert, held.err()?))));
        for (alert, why) in wrong.iter().take(SAID_MAX) {
            let (file, line) = (&alert.file, alert.line);
            say(&format!(
                "whoasked: {file} line {line}: \"{}\": {why}: skipped",
                alert.destination
            ));
        }
        if let Some(more @ 1..) = wrong.len().checked_sub(SAID_MAX) {
            say(&format!("whoasked: skipped {more} more alerts for such reasons"));
        }
        if indicators.is_empty() {
            let names: Vec<String> =
                self.files.iter().map(|file| file.display().to_string()).collect();
            bail!("--alerts: no usable destination in {}", names.join(", "));
        }
        Ok(indicators)
    }
}

/// Loads lists, and says on stderr what is doubtful about them.
///
/// # Errors
/// When a list cannot be used.
pub fn load(lists: &Lists, hasher: NameHasher) -> anyhow::Result<Indicators> {
    Ok(said(lists.load(hasher)?))
}

/// Says on stderr what is doubtful about lists that were loaded.
fn said((indicators, warnings): (Indicators, Vec<Warning>)) -> Indicators {
    for warning in warnings.iter().take(SAID_MAX) {
        say(&format!("whoasked: {warning}"));
    }
    // Of what is wrong with many lines, only the first are kept as warnings.
    let all: usize = indicators.lists().iter().map(|list| list.warned as usize).sum();
    let all = all.max(warnings.len());
    if let Some(more) = all.checked_sub(SAID_MAX).filter(|more| *more > 0) {
        say(&format!(
            "whoasked: {more} more warnings about the lists; `whoasked indicators check LIST` shows them"
        ));
    }
    indicators
}

/// Says what each list holds, and what is wrong with it.
///
/// # Errors
/// When the answer cannot be written.
pub fn check(settings: &Check) -> anyhow::Result<Outcome> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = Checking { out: &mut out, outcome: Outcome::Clean, indicators: 0, files: 0 }
        .run(&settings.lists)
        .and_then(|outcome| out.flush().map(|()| outcome));
    match written {
        Err(error) if is_closed_pipe(&error) => Ok(Outcome::Clean),
        other => other.context("cannot write the answer"),
    }
}

/// A check under way.
struct Checking<'a, W> {
    out: &'a mut W,
    outcome: Outcome,
    indicators: usize,
    files: usize,
}

impl<W: Write> Checking<'_, W> {
    /// Each file is loaded by itself, so that one that cannot be used does not hide what the others are.
    fn run(mut self, lists: &Lists) -> io::Result<Outcome> {
        let paths = |paths: &[PathBuf], allows: bool| match files_of(paths) {
            Ok(paths) => Ok(paths.into_iter().map(|path| (path, allows)).collect::<Vec<_>>()),
            Err(error) => Err(error.to_string()),
        };
        for files in [paths(&lists.indicators, false), paths(&lists.allow, true)] {
            match files {
                Ok(files) => {
                    for (path, allows) in files {
                        self.file(lists, path, allows)?;
                    }
                }
                Err(error) => self.fail(&error)?,
            }
        }
        if self.files > 1 {
            let indicators = counted(self.indicators, "indicator", "indicators");
            writeln!(self.out, "In total {indicators} in {} files.", self.files)?;
        }
        Ok(self.outcome)
    }

    fn fail(&mut self, error: &str) -> io::Result<()> {
        self.outcome = Outcome::Failed;
        writeln!(self.out, "{}", printable(error))?;
        writeln!(self.out)
    }

    fn file(&mut self, lists: &Lists, path: PathBuf, allows: bool) -> io::Result<()> {
        self.files += 1;
        let form = lists.form.filter(|_| !allows);
        // By itself, what allows is a list like any other.
        let alone = Lists { indicators: vec![path], allow: Vec::new(), form };
        let (indicators, warnings) = match alone.load(NameHasher::random()) {
            Ok(loaded) => loaded,
            Err(error) => {
                let error = anyhow::Error::from(error);
                return self.fail(&format!("{error:#}"));
            }
        };
        if !warnings.is_empty() && self.outcome == Outcome::Clean {
            self.outcome = Outcome::Flagged;
        }
        let Some(list) = indicators.lists().first() else { return Ok(()) };
        let reading = list.reading.as_ref().map_or(String::new(), |reading| format!(", {reading}"));
        let lines = counted(list.lines as usize, "line", "lines");
        writeln!(self.out, "{}: {}{reading}, {lines}", printable(&list.file), list.form)?;
        self.indicators += if allows { 0 } else { indicators.len() };
        self.amounts(&indicators, list, allows)?;
        self.complaints(list, &warnings)?;
        writeln!(self.out)
    }

    fn amounts(&mut self, indicators: &Indicators, list: &List, allows: bool) -> io::Result<()> {
        let count = |kind| indicators.count_of(ListId(0), kind);
        let amounts = [
            (
                count(IndicatorKind::Domain),
                "name and everything below it",
                "names and everything below them",
            ),
            (count(IndicatorKind::Exact), "name only (=)", "names only (=)"),
            (
                count(IndicatorKind::Below),
                "name, only what is below it (*.)",
                "names, only what is below them (*.)",
            ),
            (count(IndicatorKind::Address), "address", "addresses"),
            (count(IndicatorKind::Network), "network", "networks"),
        ];
        let verb = if allows { "allows" } else { "lists" };
        for (amount, one, many) in amounts.into_iter().filter(|(amount, ..)| *amount > 0) {
            writeln!(self.out, "  {verb} {}", counted(amount, one, many))?;
        }
        let extra = [
            (
                list.allowed,
                "allows",
                "entry, which is never flagged",
                "entries, which are never flagged",
            ),
            (list.duplicates, "leaves out", "duplicate", "duplicates"),
        ];
        for (amount, verb, one, many) in extra.into_iter().filter(|(amount, ..)| *amount > 0) {
            writeln!(self.out, "  {verb} {}", counted(amount as usize, one, many))?;
        }
        Ok(())
    }

    /// What was skipped or is doubtful, each reason once, with its first lines.
    fn complaints(&mut self, list: &List, warnings: &[Warning]) -> io::Result<()> {
        for reason in &list.reasons {
            let count = counted(reason.count as usize, "time", "times");
            writeln!(self.out, "  {} ({count}): {}", printable(&reason.why), reason.done)?;
            let of_it =
                |warning: &&Warning| warning.why == reason.why && warning.done == reason.done;
            let shown: Vec<&Warning> =
                warnings.iter().filter(of_it).take(LINES_SHOWN_MAX).collect();
            for warning in &shown {
                writeln!(self.out, "    line {}: {}", warning.line, printable(&warning.text))?;
            }
            let more = (reason.count as usize).saturating_sub(shown.len());
            if more > 0 && !shown.is_empty() {
                writeln!(self.out, "    and {more} more")?;
            }
        }
        let is_own = |warning: &&Warning| {
            !list.reasons.iter().any(|r| r.why == warning.why && r.done == warning.done)
        };
        let broad: Vec<&Warning> = warnings.iter().filter(is_own).collect();
        if !broad.is_empty() {
            writeln!(self.out, "  Probably flags more than you want:")?;
        }
        for warning in broad {
            let Warning { line, text, why, .. } = warning;
            writeln!(self.out, "    line {line}: {}: {}", printable(text), printable(why))?;
        }
        Ok(())
    }
}

fn counted(amount: usize, one: &str, many: &str) -> String {
    format!("{amount} {}", if amount == 1 { one } else { many })
}
