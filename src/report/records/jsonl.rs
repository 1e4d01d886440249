//! JSON lines, schema 1.

use std::io::{self, Write};

use super::answer_line::AnswerLine;
use super::json::write_line;
use super::model::{AttributionLine, CoverageLine, IndicatorLine, IndicatorPart, SummaryLine};
use crate::attribution::Attribution;
use crate::report::weighed::Weighed;
use crate::report::{Ending, Report, Subject};

/// Writes one JSON object a line, each as soon as it is known.
#[derive(Debug)]
pub struct Jsonl<'a, W> {
    out: W,
    subject: Subject<'a>,
}

impl<'a, W: Write> Jsonl<'a, W> {
    /// Writes to `out`, which had better be buffered.
    pub fn new(out: W, subject: Subject<'a>) -> Jsonl<'a, W> {
        Jsonl { out, subject }
    }

    fn line(&mut self, line: &impl serde::Serialize) -> io::Result<()> {
        write_line(&mut self.out, line)
    }
}

impl<W: Write> Report for Jsonl<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        match AttributionLine::new(attribution, self.subject) {
            Some(line) => self.line(&line),
            None => Ok(()),
        }
    }

    /// A line for each indicator that was seen, one for each indicator and client, one for each alert, then
    /// one for the coverage.
    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        let indicators = self.subject.indicators;
        for assessment in ending.assessments {
            if let Some(line) = IndicatorLine::new(indicators, assessment) {
                self.line(&line)?;
            }
        }
        let named = |client| ending.internal.names(client);
        for (id, client, row) in ending.summary.rows().filter(|(_, client, _)| named(*client)) {
            if let Some(indicator) = indicators.get(id) {
                let hints = ending.assessment(id).map(|weighed| weighed.of(client));
                let indicator = IndicatorPart::new(indicators, indicator);
                self.line(&SummaryLine::new(indicator, client, row, hints))?;
            }
        }
        for (entry, client, row) in ending.summary.unlisted().filter(|(_, c, _)| named(*c)) {
            self.line(&SummaryLine::unlisted(entry, client, row))?;
        }
        let weighed = Weighed::of(ending);
        for answer in ending.answers {
            self.line(&AnswerLine::new(answer, self.subject, &weighed))?;
        }
        self.line(&CoverageLine::new(ending, self.subject.files))?;
        self.out.flush()
    }
}
