//! `whoasked read`: who asked for what is flagged.

use std::sync::Arc;

use super::settings::Read as Settings;
use super::{Outcome, analysis, say};
use crate::indicator::Indicators;
use crate::name::NameHasher;

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let hasher = NameHasher::random();
    let (indicators, warnings) = Indicators::load(&settings.lists, hasher)?;
    for warning in &warnings {
        say(&format!("whoasked: {warning}"));
    }
    let outputs = settings.outputs;
    analysis::run(settings.analysis, hasher, Arc::new(indicators), &mut (), |subject| {
        outputs.reports(subject)
    })
}
