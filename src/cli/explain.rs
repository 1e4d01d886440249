//! `whoasked explain`: who is behind the firewall's own alerts, or asked for one name or address.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::bail;

use super::alerts::{Loaded, load, told, words};
use super::settings::{Explain as Settings, Subject};
use super::{Outcome, analysis};
use crate::alert::{Alert, AlertFormat, AlertMatcher, Alerts, LoadError, name_asked, refused};
use crate::capture::begin_of;
use crate::flow::Address;
use crate::indicator::{IndicatorId, Indicators};

/// Where a question stands that was asked without a file.
const COMMAND_LINE: &str = "the command line";

pub fn run(mut settings: Settings) -> anyhow::Result<Outcome> {
    let input = &settings.analysis.input;
    settings.zones.captured = begin_of(&input.files, &input.shifts);
    if let Subject::Question(text) = &mut settings.subject {
        let name = name_asked(text).to_owned();
        *text = name;
    }
    let Loaded { alerts, unread } = match &settings.subject {
        Subject::Question(text) if AlertFormat::is_alert(text) => pasted(text, &settings)?,
        Subject::Question(question) => Loaded { alerts: vec![asked(question)], unread: Vec::new() },
        Subject::Alerts(files) => load(files, settings.alerts_form, &settings.zones)?,
    };
    settings.analysis.alerts_unread = unread;
    let hasher = analysis::name_hasher(&settings.analysis.input);
    let no_targets: Vec<Option<String>> = alerts
        .iter()
        .map(|alert| refused(&alert.destination, &settings.analysis.resolvers))
        .collect();
    if let (Subject::Question(question), [Some(why)]) = (&settings.subject, no_targets.as_slice()) {
        bail!("{why}{}", of_a_client(question));
    }
    let targets = alerts.iter().zip(&no_targets).filter(|(_, refused)| refused.is_none());
    let targets = words(targets.map(|(alert, _)| alert));
    let (indicators, found) = Indicators::from_entries(targets, hasher);
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
        bail!("no destination found: {why}");
    }
    let mut matcher = AlertMatcher::new(alerts, held, &indicators, settings.zones);
    let outputs = settings.outputs;
    let indicators = Arc::new(indicators);
    let outcome =
        analysis::run(settings.analysis, hasher, indicators, Some(&mut matcher), |subject| {
            outputs.reports(subject)
        })?;
    // What was flagged at another time, or elsewhere, answers no alert.
    Ok(match outcome {
        _ if matcher.is_misdirected() => Outcome::Failed,
        Outcome::Flagged if matcher.answered() == 0 => Outcome::Clean,
        other => other,
    })
}

/// What answers who asks by the address of a client: what did it do?
fn of_a_client(question: &str) -> String {
    let address = question.trim().parse::<IpAddr>().map(Address::from);
    address.ok().filter(Address::is_internal).map_or(String::new(), |address| {
        format!(
            ". For what this host asked that is flagged, use `whoasked explain --alerts ALERTS CAPTURE \
             --ticket={address}` or `whoasked read CAPTURE --indicators LIST --ticket={address}`; for everything \
             it asked, `whoasked messages CAPTURE --filter 'host {address}'`"
        )
    })
}

/// Alerts that stand on the command line themselves.
fn pasted(text: &str, settings: &Settings) -> anyhow::Result<Loaded> {
    let read = Alerts::read(COMMAND_LINE, text, settings.alerts_form, &settings.zones);
    let alerts = read.map_err(|error| match error {
        LoadError::Unknown { first, .. } => anyhow::anyhow!(
            "\"{first}\" is not a name or an address, because it contains spaces, and not an alert in a known \
             format; tried were {}; a table row looks like {}",
            AlertFormat::list(),
            AlertFormat::Table.example()
        ),
        other => other.into(),
    })?;
    let unread = told(&alerts);
    Ok(Loaded { alerts: alerts.alerts, unread })
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
