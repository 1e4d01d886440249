//! JSON lines in the shape of Suricata's EVE: what reads its alerts finds its way in these.
//!
//! `event_type` is `whoasked`, so that nobody takes them for Suricata's own; the rest of an alert is there:
//! `timestamp`, `src_ip`, `dest_ip`, `proto`, `alert`, `dns`. What only whoasked knows stands in `whoasked`,
//! with the fields of the JSON lines.

use std::io::{self, Write};

use serde::Serialize;

use super::json::write_line;
use super::model::{ClientPart, IndicatorPart, SightingPart};
use super::row::{Row, Severity, micros, rows};
use crate::attribution::{Attribution, Verdict};
use crate::flow::Transport;
use crate::report::{Ending, Report, Subject};

/// What an alert is filed under.
const CATEGORY: &str = "Client behind a flagged DNS lookup";
/// The same where no client is named.
const CATEGORY_UNNAMED: &str = "Flagged DNS lookup without a client";

#[derive(Serialize)]
struct Event<'a> {
    timestamp: String,
    event_type: &'static str,
    src_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    dest_ip: String,
    proto: &'static str,
    app_proto: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pcap_cnt: Option<u64>,
    alert: Alert,
    dns: Dns<'a>,
    whoasked: Known<'a>,
}

#[derive(Serialize)]
struct Alert {
    action: &'static str,
    gid: u32,
    signature_id: u32,
    rev: u32,
    signature: String,
    category: &'static str,
    severity: u8,
}

#[derive(Serialize)]
struct Dns<'a> {
    r#type: &'static str,
    rrname: &'a str,
    rrtype: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rcode: Option<&'static str>,
}

#[derive(Serialize)]
struct Known<'a> {
    id: &'a str,
    resolution_id: &'a str,
    state: &'static str,
    verdict: &'static str,
    reason: Option<&'a str>,
    indicator: IndicatorPart<'a>,
    sighting: SightingPart<'a>,
    client: Option<ClientPart<'a>>,
    triage: Option<&'static str>,
    hints: Vec<&'static str>,
}

impl<'a> Event<'a> {
    fn new(row: &Row<'a>, subject: Subject<'a>) -> Event<'a> {
        let attribution = row.attribution;
        let (rrname, rrtype) = row.question();
        Event {
            timestamp: micros(row.time()) + "+0000",
            event_type: "whoasked",
            src_ip: row.source().to_string(),
            src_port: row.client.map(|client| client.port),
            dest_ip: row.destination().to_string(),
            proto: match attribution.sighting.transport {
                Transport::Udp => "UDP",
                Transport::Tcp => "TCP",
            },
            app_proto: "dns",
            pcap_cnt: super::row::number(row.frame()),
            alert: Alert::new(row),
            dns: Dns { r#type: "query", rrname, rrtype, rcode: row.rcode() },
            whoasked: Known {
                id: &attribution.id,
                resolution_id: &attribution.resolution_id,
                state: attribution.state.as_str(),
                verdict: attribution.verdict.as_str(),
                reason: attribution.reason.as_deref(),
                indicator: IndicatorPart::new(subject.indicators, row.indicator),
                sighting: SightingPart::new(&attribution.sighting, subject.files),
                client: row.client.map(|client| ClientPart::new(client, subject.files)),
                triage: row.triage(),
                hints: attribution.doubt_words().collect(),
            },
        }
    }
}

impl Alert {
    /// Severity 1 is the most severe, as with Suricata.
    fn new(row: &Row<'_>) -> Alert {
        let (signature_id, category) = match row.attribution.verdict {
            Verdict::Attributed => (1, CATEGORY),
            Verdict::NoClient => (2, CATEGORY_UNNAMED),
            Verdict::Undetermined => (3, CATEGORY_UNNAMED),
        };
        Alert {
            action: "allowed",
            gid: 0,
            signature_id,
            rev: 1,
            signature: format!("whoasked: {}", row.indicator.value),
            category,
            severity: match row.severity() {
                Severity::High => 1,
                Severity::Middle => 2,
                Severity::Low => 3,
            },
        }
    }
}

/// Writes one JSON object a line for each sighting and client, each as soon as it is known.
#[derive(Debug)]
pub struct Eve<'a, W> {
    out: W,
    subject: Subject<'a>,
}

impl<'a, W: Write> Eve<'a, W> {
    /// Writes to `out`, which had better be buffered.
    pub fn new(out: W, subject: Subject<'a>) -> Eve<'a, W> {
        Eve { out, subject }
    }
}

impl<W: Write> Report for Eve<'_, W> {
    fn attribution(&mut self, attribution: &Attribution) -> io::Result<()> {
        for row in rows(attribution, self.subject) {
            write_line(&mut self.out, &Event::new(&row, self.subject))?;
        }
        Ok(())
    }

    fn end(&mut self, _: &Ending<'_>) -> io::Result<()> {
        self.out.flush()
    }
}
