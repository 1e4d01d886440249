//! `whoasked read`: who asked for what is flagged.

use std::io::{self, BufWriter};
use std::sync::Arc;

use super::output::is_closed_pipe;
use super::settings::{Form, Outputs, Read as Settings};
use super::{Outcome, analysis, indicators};
use crate::attribution::Attribution;
use crate::name::NameHasher;
use crate::report::{Ending, Html, Jsonl, Report, Subject, Text};

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = NameHasher::random();
    let indicators = indicators::load(&settings.lists, hasher)?;
    analysis::run(settings.analysis, hasher, Arc::new(indicators), &mut (), |subject| {
        reports(settings.form, &settings.outputs, subject)
    })
}

/// All forms of the answer that are asked for.
///
/// # Errors
/// When a file cannot be written to, before anything is read.
pub fn reports<'a>(
    form: Form,
    outputs: &Outputs,
    subject: Subject<'a>,
) -> anyhow::Result<Vec<Box<dyn Report + 'a>>> {
    let Some(path) = &outputs.report else { return Ok(vec![report(form, subject)]) };
    Ok(vec![
        Box::new(Html::create(path, subject)?),
        Box::new(MayGoAway { report: report(form, subject), is_gone: false }),
    ])
}

/// The report on stdout.
pub fn report<'a>(form: Form, subject: Subject<'a>) -> Box<dyn Report + 'a> {
    let out = BufWriter::new(io::stdout().lock());
    match form {
        Form::Jsonl => Box::new(Jsonl::new(out, subject)),
        Form::Text(look) => Box::new(Text::new(out, look, subject)),
    }
}

/// A report that nobody may be left to read, as after `head`, while others still want to be written.
struct MayGoAway<'a> {
    report: Box<dyn Report + 'a>,
    is_gone: bool,
}

impl MayGoAway<'_> {
    fn unless_gone(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if is_closed_pipe(&error) => {
                self.is_gone = true;
                Ok(())
            }
            other => other,
        }
    }
}

impl Report for MayGoAway<'_> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        if self.is_gone {
            return Ok(());
        }
        let result = self.report.attribution(attribution);
        self.unless_gone(result)
    }

    fn end(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        if self.is_gone {
            return Ok(());
        }
        let result = self.report.end(ending);
        self.unless_gone(result)
    }
}
