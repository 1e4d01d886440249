//! `whoasked read`: who asked for what is flagged.

use std::sync::Arc;

use anyhow::bail;

use super::settings::Read as Settings;
use super::{Outcome, analysis, indicators};

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = analysis::name_hasher(&settings.analysis.input);
    let indicators = indicators::load(&settings.lists, hasher)?;
    let outputs = settings.outputs;
    if outputs.have_answers() {
        bail!(
            "--format answers: `read` has no alerts to answer; use `whoasked explain --alerts FILE`"
        );
    }
    analysis::run(settings.analysis, hasher, Arc::new(indicators), None, |subject| {
        outputs.reports(subject)
    })
}
