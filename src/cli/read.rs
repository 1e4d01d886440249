//! `whoasked read`: who asked for what is flagged.

use std::io::{self, BufWriter};
use std::sync::Arc;

use super::settings::{Form, Read as Settings};
use super::{Outcome, analysis, indicators};
use crate::name::NameHasher;
use crate::report::{Jsonl, Report, Subject, Text};

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = NameHasher::random();
    let indicators = indicators::load(&settings.lists, hasher)?;
    analysis::run(settings.analysis, hasher, Arc::new(indicators), &mut (), |subject| {
        Ok(vec![report(settings.form, subject)])
    })
}

/// The report on stdout.
pub fn report<'a>(form: Form, subject: Subject<'a>) -> Box<dyn Report + 'a> {
    let out = BufWriter::new(io::stdout().lock());
    match form {
        Form::Jsonl => Box::new(Jsonl::new(out, subject)),
        Form::Text(look) => Box::new(Text::new(out, look, subject)),
    }
}
