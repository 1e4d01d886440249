//! `whoasked explain`: who is behind the firewall's own alerts, or asked for one name or address.

use std::sync::Arc;

use anyhow::bail;

use super::settings::{Explain as Settings, Subject};
use super::{Outcome, analysis, say};
use crate::alert::{Alert, Alerts, Desk, refused};
use crate::indicator::{IndicatorId, Indicators};

/// Where a question stands that was asked without a file.
const COMMAND_LINE: &str = "the command line";

pub fn run(settings: Settings) -> anyhow::Result<Outcome> {
    let (list, alerts) = match &settings.subject {
        Subject::Question(question) => (COMMAND_LINE.to_owned(), vec![asked(question)]),
        Subject::Alerts(_) => load(&settings)?,
    };
    let hasher = analysis::name_hasher(&settings.analysis.input);
    let no_targets: Vec<Option<String>> = alerts
        .iter()
        .map(|alert| refused(&alert.destination, &settings.analysis.resolvers))
        .collect();
    if let (Subject::Question(_), [Some(why)]) = (&settings.subject, no_targets.as_slice()) {
        bail!("{why}");
    }
    let targets = alerts.iter().zip(&no_targets).filter(|(_, refused)| refused.is_none());
    let words = targets.map(|(alert, _)| (alert.line, alert.destination.as_str()));
    let (indicators, found) = Indicators::from_entries(&list, words, hasher);
    let mut found = found.into_iter();
    let held: Vec<Result<IndicatorId, String>> = no_targets
        .into_iter()
        .zip(&alerts)
        .map(|(refused, alert)| match refused {
            Some(why) => Err(why),
            None => {
                found.next().unwrap_or_else(|| Err("it was not read".to_owned())).map_err(|why| {
                    format!("`{}` is neither a name nor an address: {why}", alert.destination)
                })
            }
        })
        .collect();
    if indicators.is_empty() {
        let why = held.iter().find_map(|held| held.as_ref().err()).map_or("", String::as_str);
        bail!("there is nothing to look for: {why}");
    }
    let mut desk = Desk::new(alerts, held, &indicators, settings.zones);
    let outputs = settings.outputs;
    let indicators = Arc::new(indicators);
    let outcome = analysis::run(settings.analysis, hasher, indicators, &mut desk, |subject| {
        outputs.reports(subject)
    })?;
    // What was flagged at another time, or elsewhere, answers no alert.
    Ok(match outcome {
        _ if desk.is_misdirected() => Outcome::Failed,
        Outcome::Flagged if desk.answered() == 0 => Outcome::Clean,
        other => other,
    })
}

/// The alerts of all files, and what they are called together.
fn load(settings: &Settings) -> anyhow::Result<(String, Vec<Alert>)> {
    let Subject::Alerts(files) = &settings.subject else { return Ok(Default::default()) };
    let (mut names, mut alerts) = (Vec::new(), Vec::new());
    for file in files {
        let loaded = Alerts::load(file, settings.alerts_form, &settings.zones)?;
        for notice in &loaded.notices {
            say(&format!("whoasked: {notice}"));
        }
        names.extend(loaded.alerts.first().map(|alert| alert.file.clone()));
        alerts.extend(loaded.alerts);
    }
    Ok((names.join(", "), alerts))
}

/// A question as an alert that blames nobody.
fn asked(question: &str) -> Alert {
    Alert {
        file: COMMAND_LINE.to_owned(),
        line: 1,
        number: 1,
        text: question.to_owned(),
        destination: question.trim().to_owned(),
        ..Alert::default()
    }
}
