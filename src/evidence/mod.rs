//! The evidence: packets that show who is behind a lookup, extracted from the captures into small files.
//!
//! [`Evidence`] is a report: it takes attributions and remembers their frames. At the end it reads the
//! captures a second time and writes, for each client and indicator, a pcapng file with the frames as they
//! were captured (octets, times but for `--time-shift`, lengths, link types), each with a comment that says what it is. What has
//! no client goes to one file an indicator. `index.csv` lists the files.
//!
//! ```text
//! attributions -> case (which frames, and what each one is) -> pick (a second reading) -> pcapng, index
//! ```

mod case;
mod file;
mod name;
mod pick;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use self::case::{Cases, Who};
use self::pick::Picked;
use crate::attribution::{Attribution, ReadFile, State};
use crate::capture::EVIDENCE_INDEX;
use crate::packet::Ports;
use crate::report::{Ending, Report, Subject, csv_cell, csv_writer};
use crate::time::Span;

/// The list of the files.
const INDEX: &str = EVIDENCE_INDEX;
/// Its columns.
const COLUMNS: [&str; 13] = [
    "file",
    "client",
    "indicator",
    "list",
    "list_line",
    "verdict",
    "first_time",
    "last_time",
    "sightings",
    "sightings_left_out",
    "frames",
    "frames_missing",
    "ids",
];

/// Gathers the frames of attributions, and writes them to a directory at the end.
pub struct Evidence<'a> {
    directory: PathBuf,
    captures: Vec<ReadFile>,
    ports: Ports,
    subject: Subject<'a>,
    cases: Cases,
}

impl<'a> Evidence<'a> {
    /// Makes the directory. `captures` are read again at the end, with what is added to their times, so that packets of two
    /// clocks stand in the order in which they were judged; `ports` are those that DNS is spoken on.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn new(
        directory: &Path,
        captures: &[ReadFile],
        ports: Ports,
        subject: Subject<'a>,
    ) -> io::Result<Evidence<'a>> {
        fs::create_dir_all(directory)?;
        Ok(Evidence {
            directory: directory.to_owned(),
            captures: captures.to_vec(),
            ports,
            subject,
            cases: Cases::default(),
        })
    }

    fn write(&self, picked: &Picked) -> io::Result<u64> {
        let mut index = csv_writer(BufWriter::new(File::create(self.directory.join(INDEX))?));
        index.write_record(COLUMNS)?;
        let mut names = name::Names::default();
        let mut missing_in_all = 0;
        let shifted = shifted(&self.captures);
        for (indicator, who, case) in self.cases.all() {
            let Some(indicator) = self.subject.indicators.get(indicator) else { continue };
            let list = self.subject.indicators.list_name(indicator.list);
            let client = match who {
                Who::Client(address) => address.to_string(),
                Who::Nobody => String::new(),
            };
            let name = names.of(who, indicator.value);
            let about = format!(
                "whoasked {}: {} {} ({}); {}{shifted}",
                env!("CARGO_PKG_VERSION"),
                if client.is_empty() { "no client named for" } else { &client },
                indicator.value,
                self.subject.indicators.listing(&indicator),
                case.about(),
            );
            let mut out = BufWriter::new(File::create(self.directory.join(&name))?);
            let (frames, missing) =
                file::write(&mut out, &about, case, picked, self.subject.files)?;
            out.flush()?;
            missing_in_all += missing;
            let row = [
                name,
                client,
                indicator.value.to_owned(),
                list.to_owned(),
                indicator.line.to_string(),
                case.verdicts(),
                case.first.to_string(),
                case.last.to_string(),
                case.sightings.to_string(),
                case.left_out.to_string(),
                frames.to_string(),
                missing.to_string(),
                case.ids.join(" "),
            ];
            index.write_record(row.iter().map(|text| csv_cell(text)))?;
        }
        index.flush()?;
        Ok(missing_in_all)
    }
}

impl Report for Evidence<'_> {
    /// Remembers its frames. What is provisional comes again when it is settled.
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        if attribution.state == State::Final {
            self.cases.add(attribution);
        }
        Ok(())
    }

    /// Reads the captures again and writes the files.
    fn end(&mut self, _: &Ending<'_>) -> io::Result<()> {
        let picked = Picked::from(&self.captures, &self.ports, self.cases.frames())?;
        let missing = self.write(&picked)?;
        if missing > 0 {
            return Err(io::Error::other(format!(
                "{missing} frames could not be extracted (the capture has changed, or there is more than {} MB of \
                 evidence); {INDEX} lists the files that lack them",
                pick::OCTETS_MAX >> 20
            )));
        }
        if self.cases.left_out > 0 {
            return Err(io::Error::other(format!(
                "{} lookups of more clients omitted; --format jsonl has all of them",
                self.cases.left_out
            )));
        }
        Ok(())
    }
}

/// That times are not as they were captured, of those of which it is so.
fn shifted(captures: &[ReadFile]) -> String {
    let shifted = captures.iter().filter(|file| file.shift != Span::default());
    let shifted = shifted.map(|ReadFile { path, shift }| {
        format!("; {:+} s is added to the times of {}", shift.as_secs_f64(), path.display())
    });
    shifted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::EVIDENCE_COLUMNS;

    #[test]
    fn a_directory_of_evidence_is_known_by_how_its_index_begins() {
        assert!(COLUMNS.join(",").starts_with(EVIDENCE_COLUMNS));
    }
}
