//! JSON lines, schema 1.

use std::io::{self, Write};

use super::model::{AttributionLine, CaptureLacked, CoverageLine, Files, SummaryLine};
use crate::attribution::{Attribution, Coverage, Summary, Verdict};
use crate::indicator::Indicators;

/// Writes one JSON object a line.
#[derive(Debug)]
pub struct Jsonl<W> {
    out: W,
}

impl<W: Write> Jsonl<W> {
    /// Writes to `out`, which had better be buffered.
    pub fn new(out: W) -> Jsonl<W> {
        Jsonl { out }
    }

    /// A sighting and who is behind it.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn attribution(
        &mut self,
        attribution: &Attribution,
        indicators: &Indicators,
        files: &Files,
    ) -> io::Result<()> {
        match AttributionLine::new(attribution, indicators, files) {
            Some(line) => self.line(&line),
            None => Ok(()),
        }
    }

    /// What the capture came to: a line for each indicator and client, then one for the coverage.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn end(
        &mut self,
        summary: &Summary,
        coverage: &Coverage,
        lacked: &CaptureLacked,
        indicators: &Indicators,
        files: &Files,
    ) -> io::Result<()> {
        for (id, client, row) in summary.rows() {
            if let Some(indicator) = indicators.get(id) {
                self.line(&SummaryLine::new(indicators, indicator, client, row))?;
            }
        }
        let verdicts = [Verdict::Attributed, Verdict::NoClient, Verdict::Undetermined];
        self.line(&CoverageLine::new(coverage, verdicts.map(|v| summary.count(v)), lacked, files))?;
        self.out.flush()
    }

    fn line(&mut self, line: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.out.write_all(b"\n")
    }
}
