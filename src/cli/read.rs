//! `whoasked read`: who asked for what is flagged.

use std::io::{self, BufWriter};
use std::sync::Arc;

use super::settings::{Form, Outputs, Read as Settings};
use super::{Outcome, analysis, say};
use crate::indicator::Indicators;
use crate::name::NameHasher;
use crate::report::{Html, Jsonl, Report, Subject, Text};

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = NameHasher::random();
    let (indicators, warnings) = Indicators::load(&settings.lists, hasher)?;
    for warning in &warnings {
        say(&format!("whoasked: {warning}"));
    }
    analysis::run(settings.analysis, hasher, Arc::new(indicators), &mut (), |subject| {
        reports(settings.form, &settings.outputs, subject)
    })
}

/// All forms of the answer that are asked for. The files come first: whoever reads stdout may go away
/// early, as `head` does.
///
/// # Errors
/// When a file cannot be written to, before anything is read.
pub fn reports<'a>(
    form: Form,
    outputs: &Outputs,
    subject: Subject<'a>,
) -> anyhow::Result<Vec<Box<dyn Report + 'a>>> {
    let mut reports: Vec<Box<dyn Report + 'a>> = Vec::new();
    if let Some(path) = &outputs.report {
        reports.push(Box::new(Html::create(path, subject)?));
    }
    reports.push(report(form, subject));
    Ok(reports)
}

/// The report on stdout.
pub fn report<'a>(form: Form, subject: Subject<'a>) -> Box<dyn Report + 'a> {
    let out = BufWriter::new(io::stdout().lock());
    match form {
        Form::Jsonl => Box::new(Jsonl::new(out, subject)),
        Form::Text(look) => Box::new(Text::new(out, look, subject)),
    }
}
