//! `whoasked read`: who asked for what is flagged.

use std::sync::Arc;

use super::settings::Read as Settings;
use super::{Outcome, analysis, indicators};

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = analysis::name_hasher(&settings.analysis.input);
    let indicators = indicators::load(&settings.lists, hasher)?;
    let outputs = settings.outputs;
    analysis::run(settings.analysis, hasher, Arc::new(indicators), &mut (), |subject| {
        outputs.reports(subject)
    })
}
