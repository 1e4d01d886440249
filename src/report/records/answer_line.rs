//! `"type":"answer"`: what is said of one of the firewall's alerts.

use serde::Serialize;
use serde_json::Number;

use super::model::{IndicatorPart, SCHEMA, confidence, epoch};
use crate::alert::{Alert, Answer, Clock, Suspect};
use crate::report::Subject;
use crate::report::weighed::{Weighed, Weight};

/// One line an alert, in their order.
#[derive(Debug, Serialize)]
pub(super) struct AnswerLine<'a> {
    schema: u32,
    r#type: &'static str,
    alert: AlertPart<'a>,
    indicator: Option<IndicatorPart<'a>>,
    verdict: Option<&'static str>,
    reason: Option<&'a str>,
    nearest: Option<&'a str>,
    notes: &'a [String],
    time: Option<String>,
    time_epoch: Option<Number>,
    clock: Option<ClockPart>,
    clients: Vec<SuspectPart<'a>>,
    sightings: u64,
    attributions: &'a [String],
    until: Option<String>,
    until_epoch: Option<Number>,
}

#[derive(Debug, Serialize)]
struct AlertPart<'a> {
    file: &'a str,
    line: u32,
    number: u32,
    text: &'a str,
    time: Option<String>,
    time_epoch: Option<Number>,
    host: Option<&'a str>,
    destination: &'a str,
    threat: Option<&'a str>,
    events: Option<u64>,
    until: Option<String>,
    until_epoch: Option<Number>,
}

/// The difference of the clocks.
#[derive(Debug, Serialize)]
struct ClockPart {
    difference_ms: i64,
    estimated: bool,
    agreeing: u64,
    of: u64,
}

#[derive(Debug, Serialize)]
struct SuspectPart<'a> {
    ip: String,
    hostname: Option<&'a str>,
    role: &'static str,
    confidence: Number,
    asked_confidence: Number,
    triage: &'static str,
    asked: &'a [String],
    asks: u64,
    chain: Vec<&'a str>,
    first_time: String,
    first_time_epoch: Number,
    last_time: String,
    last_time_epoch: Number,
}

impl<'a> AnswerLine<'a> {
    pub(super) fn new(
        answer: &'a Answer,
        subject: Subject<'a>,
        weighed: &Weighed<'_>,
    ) -> AnswerLine<'a> {
        let indicators = subject.indicators;
        let indicator = answer.indicator.and_then(|id| indicators.get(id));
        let basis = &answer.basis;
        AnswerLine {
            schema: SCHEMA,
            r#type: "answer",
            alert: AlertPart::new(&answer.alert),
            indicator: indicator.map(|indicator| IndicatorPart::new(indicators, indicator)),
            verdict: answer.verdict.map(|verdict| verdict.as_str()),
            reason: answer.reason.as_deref(),
            nearest: answer.nearest.as_deref(),
            notes: &basis.notes,
            time: basis.time.map(|time| time.to_string()),
            time_epoch: basis.time.map(epoch),
            clock: basis.clock.map(ClockPart::new),
            clients: answer
                .clients
                .iter()
                .map(|suspect| SuspectPart::new(suspect, weighed.triage(answer, suspect, subject)))
                .collect(),
            sightings: basis.sightings,
            attributions: &answer.attributions,
            until: basis.until.map(|time| time.to_string()),
            until_epoch: basis.until.map(epoch),
        }
    }
}

impl<'a> AlertPart<'a> {
    fn new(alert: &'a Alert) -> AlertPart<'a> {
        AlertPart {
            file: &alert.file,
            line: alert.line,
            number: alert.number,
            text: &alert.text,
            time: alert.time.map(|time| time.to_string()),
            time_epoch: alert.time.map(epoch),
            host: alert.host.as_deref(),
            destination: &alert.destination,
            threat: alert.threat.as_deref(),
            events: alert.events,
            until: alert.until.map(|time| time.to_string()),
            until_epoch: alert.until.map(epoch),
        }
    }
}

impl ClockPart {
    fn new(clock: Clock) -> ClockPart {
        ClockPart {
            difference_ms: clock.difference.0 / 1_000_000,
            estimated: clock.is_estimated,
            agreeing: clock.agreeing,
            of: clock.of,
        }
    }
}

impl<'a> SuspectPart<'a> {
    fn new(suspect: &'a Suspect, triage: Weight) -> SuspectPart<'a> {
        SuspectPart {
            ip: suspect.address.to_string(),
            hostname: suspect.hostname.as_ref().map(|hostname| hostname.name.as_str()),
            role: suspect.role.as_str(),
            confidence: confidence(suspect.confidence_permille),
            asked_confidence: confidence(suspect.asked_permille),
            triage: triage.code(),
            asked: &suspect.asked,
            asks: suspect.asks,
            chain: suspect.chain.iter().map(|step| step.name.as_str()).collect(),
            first_time: suspect.first.to_string(),
            first_time_epoch: epoch(suspect.first),
            last_time: suspect.last.to_string(),
            last_time_epoch: epoch(suspect.last),
        }
    }
}
