//! The output contract, schema 1: one type a line, fields in the order they are printed.
//!
//! `docs/schema.md` explains the fields to their readers, `docs/schema.json` checks them.

use serde::Serialize;
use serde_json::Number;

use crate::attribution::{
    self, Assessment, Attribution, ChainStep, Complaint, Hint, Sighting, SummaryRow, Unlisted,
    Verdicts,
};
use crate::contact::Contact;
use crate::flow::Address;
use crate::frame::FrameId;
use crate::indicator::{Indicator, Indicators};
use crate::report::weighed::Weight;
use crate::report::{Ending, Files, Subject};
use crate::time::Timestamp;

/// The number of this schema: fields are added within it, never changed.
pub(super) const SCHEMA: u32 = 1;

/// `"type":"attribution"`.
#[derive(Debug, Serialize)]
pub(super) struct AttributionLine<'a> {
    schema: u32,
    r#type: &'static str,
    id: &'a str,
    resolution_id: &'a str,
    state: &'static str,
    verdict: &'static str,
    reason: Option<&'a str>,
    indicator: IndicatorPart<'a>,
    sighting: SightingPart<'a>,
    clients: Vec<ClientPart<'a>>,
    hints: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
pub(super) struct IndicatorPart<'a> {
    value: &'a str,
    kind: &'static str,
    list: &'a str,
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u8>,
}

#[derive(Debug, Serialize)]
pub(super) struct SightingPart<'a> {
    leg: &'static str,
    r#where: &'static str,
    frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    time: String,
    time_epoch: Number,
    resolver: String,
    server: String,
    transport: &'static str,
    name: &'a str,
    r#type: &'a str,
    response_frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_file: Option<&'a str>,
    rcode: Option<&'static str>,
    outcome: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct ClientPart<'a> {
    ip: String,
    port: u16,
    role: &'static str,
    confidence: Number,
    asked: &'a str,
    asked_type: &'a str,
    asked_frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_file: Option<&'a str>,
    asked_time: String,
    asked_time_epoch: Number,
    answer_frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_file: Option<&'a str>,
    rcode: Option<&'static str>,
    chain: Vec<ChainPart<'a>>,
    hops: Vec<String>,
    mac: Option<String>,
    mac_is_router: bool,
    vlan: Option<u16>,
    hostname: Option<&'a str>,
    hostname_source: Option<&'static str>,
    hostname_time: Option<String>,
    contacted: &'static str,
    contact: Option<ContactPart<'a>>,
}

#[derive(Debug, Serialize)]
struct ContactPart<'a> {
    address: String,
    port: u16,
    transport: &'static str,
    frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    time: String,
    time_epoch: Number,
    answered: bool,
    server_name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ChainPart<'a> {
    name: &'a str,
    step: &'static str,
    frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

/// `"type":"indicator"`.
#[derive(Debug, Serialize)]
pub(super) struct IndicatorLine<'a> {
    schema: u32,
    r#type: &'static str,
    indicator: IndicatorPart<'a>,
    sightings: u64,
    verdicts: VerdictsPart,
    clients: u64,
    hints: Vec<HintPart<'a>>,
}

/// Something to weigh.
#[derive(Debug, Serialize)]
struct HintPart<'a> {
    code: &'static str,
    leaning: &'static str,
    words: &'a str,
}

/// `"type":"summary"`.
#[derive(Debug, Serialize)]
pub(super) struct SummaryLine<'a> {
    schema: u32,
    r#type: &'static str,
    indicator: IndicatorPart<'a>,
    client: String,
    asks: u64,
    first_time: String,
    first_time_epoch: Number,
    last_time: String,
    last_time_epoch: Number,
    names: &'a [String],
    roles: Vec<&'static str>,
    confidence: Number,
    triage: Option<&'static str>,
    hints: Vec<HintPart<'a>>,
    hostname: Option<&'a str>,
    other_hostnames: &'a [String],
    contacted: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_longer_listed: bool,
}

/// `"type":"coverage"`.
#[derive(Debug, Serialize)]
pub(super) struct CoverageLine<'a> {
    schema: u32,
    r#type: &'static str,
    first_time: Option<String>,
    last_time: Option<String>,
    files: &'a [String],
    frames: u64,
    messages: u64,
    queries: u64,
    answered: u64,
    unanswered: u64,
    responses_without_query: u64,
    retransmissions: u64,
    mirror_copies: u64,
    resolvers: Vec<ResolverPart>,
    resolvers_more: u64,
    servers: Vec<ServerPart>,
    translations: Vec<TranslationPart>,
    queries_sent_on: u64,
    resolvers_unseen: Vec<String>,
    latencies: Vec<LatencyPart>,
    lost: LostPart,
    verdicts: VerdictsPart,
    outside_internal: OutsidePart,
    allowed: u64,
    damage: &'a [String],
    files_left_out: &'a [String],
    complaints: Vec<ComplaintPart<'a>>,
    interrupted: bool,
    alerts_unread: Vec<String>,
    alerts_rows_unread: u64,
    filter: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ResolverPart {
    addresses: Vec<String>,
    known: &'static str,
    shared_mac: Option<String>,
    asked: u64,
    answers: u64,
    asks_upstream: u64,
}

/// Something that is wrong with what the mirror port shows.
#[derive(Debug, Serialize)]
struct ComplaintPart<'a> {
    name: &'static str,
    words: &'a str,
}

/// A host that was asked, where no resolver was recognised.
#[derive(Debug, Serialize)]
struct ServerPart {
    address: String,
    asked: u64,
    answers: u64,
}

/// An address from which others' queries were sent on.
#[derive(Debug, Serialize)]
struct TranslationPart {
    address: String,
    of: Vec<String>,
}

#[derive(Debug, Serialize)]
struct LatencyPart {
    resolver: String,
    leg: &'static str,
    count: u64,
    p50_us: u64,
    p90_us: u64,
    p99_us: u64,
    max_us: u64,
}

#[derive(Debug, Serialize)]
struct LostPart {
    malformed_messages: u64,
    not_dns: u64,
    broken_frames: u64,
    unknown_link_frames: u64,
    icmp_errors: u64,
    failed_frames: u64,
    other_messages: u64,
    misdirected_messages: u64,
    mismatched_responses: u64,
    messages_without_room: u64,
    transactions_forgotten: u64,
    edges_forgotten: u64,
    judged_early: u64,
    names_forgotten: u64,
    contacts_forgotten: u64,
    fragments_given_up: u64,
    stream_gaps: u64,
    told_late: u64,
    settled_unlisted: u64,
    sightings_left_out: u64,
    summary_left_out: u64,
    unsettled: u64,
    clock_set_back: u64,
    dropped_by_kernel: u64,
    dropped_by_interface: u64,
    dropped_behind: u64,
    output_lines: u64,
}

#[derive(Debug, Serialize)]
struct VerdictsPart {
    attributed: u64,
    no_client: u64,
    undetermined: u64,
}

impl From<Verdicts> for VerdictsPart {
    fn from(Verdicts { attributed, no_client, undetermined }: Verdicts) -> VerdictsPart {
        VerdictsPart { attributed, no_client, undetermined }
    }
}

/// Clients outside the networks given with `--internal`: not named, yet counted.
#[derive(Debug, Serialize)]
struct OutsidePart {
    clients: u64,
    asks: u64,
}

/// The name of how a resolver came to be known.
pub(super) fn known_as_str(known: crate::resolution::Known) -> &'static str {
    use crate::resolution::Known;
    match known {
        Known::Declared => "declared",
        Known::AsksAndAnswers => "asks-and-answers",
        Known::OnlyIterates => "only-iterates",
    }
}

/// Seconds since the epoch with nine decimals, exactly: no float holds them.
pub(super) fn epoch(time: Timestamp) -> Number {
    let sign = if time.0 < 0 { "-" } else { "" };
    let nanos = time.0.unsigned_abs();
    decimal(format!("{sign}{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000))
}

pub(super) fn confidence(permille: u16) -> Number {
    decimal(format!("{}.{:03}", permille / 1000, permille % 1000))
}

fn decimal(text: String) -> Number {
    // With `arbitrary_precision` a number is its text.
    Number::from_string_unchecked(text)
}

fn number(frame: FrameId) -> Option<u64> {
    frame.is_some().then(|| frame.number())
}

fn address(address: Address) -> String {
    address.to_string()
}

impl<'a> IndicatorPart<'a> {
    pub(super) fn new(indicators: &'a Indicators, indicator: Indicator<'a>) -> IndicatorPart<'a> {
        IndicatorPart {
            value: indicator.value,
            kind: indicator.kind.as_str(),
            list: indicators.list_name(indicator.list),
            line: indicator.line,
            description: indicator.description,
            confidence: indicator.confidence,
        }
    }
}

impl<'a> AttributionLine<'a> {
    pub(super) fn new(
        attribution: &'a Attribution,
        subject: Subject<'a>,
    ) -> Option<AttributionLine<'a>> {
        let Subject { indicators, files, .. } = subject;
        Some(AttributionLine {
            schema: SCHEMA,
            r#type: "attribution",
            id: &attribution.id,
            resolution_id: &attribution.resolution_id,
            state: attribution.state.as_str(),
            verdict: attribution.verdict.as_str(),
            reason: attribution.reason.as_deref(),
            indicator: IndicatorPart::new(indicators, indicators.get(attribution.indicator)?),
            sighting: SightingPart::new(&attribution.sighting, files),
            clients: attribution
                .clients
                .iter()
                .map(|client| ClientPart::new(client, files))
                .collect(),
            hints: attribution.doubt_words().collect(),
        })
    }
}

impl<'a> SightingPart<'a> {
    pub(super) fn new(sighting: &'a Sighting, files: &'a Files) -> SightingPart<'a> {
        SightingPart {
            leg: sighting.leg.as_str(),
            r#where: sighting.place.as_str(),
            frame: number(sighting.frame),
            file: files.of(sighting.frame),
            time: sighting.time.to_string(),
            time_epoch: epoch(sighting.time),
            resolver: address(sighting.resolver),
            server: address(sighting.server),
            transport: sighting.transport.as_str(),
            name: &sighting.name,
            r#type: &sighting.rtype,
            response_frame: number(sighting.response_frame),
            response_file: files.of(sighting.response_frame),
            rcode: sighting.rcode,
            outcome: sighting.outcome.as_str(),
        }
    }
}

impl<'a> ClientPart<'a> {
    pub(super) fn new(client: &'a attribution::Client, files: &'a Files) -> ClientPart<'a> {
        let step = |step: &'a ChainStep| ChainPart {
            name: &step.name,
            step: step.step.as_str(),
            frame: number(step.frame),
            file: files.of(step.frame),
        };
        ClientPart {
            ip: address(client.address),
            port: client.port,
            role: client.role.as_str(),
            confidence: confidence(client.confidence_permille),
            asked: &client.asked,
            asked_type: &client.asked_type,
            asked_frame: number(client.asked_frame),
            asked_file: files.of(client.asked_frame),
            asked_time: client.asked_time.to_string(),
            asked_time_epoch: epoch(client.asked_time),
            answer_frame: number(client.answer_frame),
            answer_file: files.of(client.answer_frame),
            rcode: client.rcode,
            chain: client.chain.iter().map(step).collect(),
            hops: client.hops.iter().map(|hop| address(*hop)).collect(),
            mac: client.mac.map(|mac| mac.to_string()),
            mac_is_router: client.is_router_mac,
            vlan: client.vlan,
            hostname: client.hostname.as_ref().map(|hostname| hostname.name.as_str()),
            hostname_source: client.hostname.as_ref().map(|hostname| hostname.source.as_str()),
            hostname_time: client
                .hostname
                .as_ref()
                .and_then(|hostname| hostname.time)
                .map(|time| time.to_string()),
            contacted: client.contact.as_str(),
            contact: ContactPart::new(&client.contact, files),
        }
    }
}

impl<'a> IndicatorLine<'a> {
    pub(super) fn new(
        indicators: &'a Indicators,
        assessment: &'a Assessment,
    ) -> Option<IndicatorLine<'a>> {
        Some(IndicatorLine {
            schema: SCHEMA,
            r#type: "indicator",
            indicator: IndicatorPart::new(indicators, indicators.get(assessment.indicator)?),
            sightings: assessment.verdicts.total(),
            verdicts: assessment.verdicts.into(),
            clients: assessment.clients,
            hints: hints(&assessment.hints),
        })
    }
}

impl<'a> ContactPart<'a> {
    fn new(contact: &'a Contact, files: &'a Files) -> Option<ContactPart<'a>> {
        let (Contact::Yes(connection) | Contact::Elsewhere(connection)) = contact else {
            return None;
        };
        Some(ContactPart {
            address: address(connection.address),
            port: connection.port,
            transport: connection.transport.as_str(),
            frame: number(connection.frame),
            file: files.of(connection.frame),
            time: connection.time.to_string(),
            time_epoch: epoch(connection.time),
            answered: connection.answered,
            server_name: connection.server_name.as_deref(),
        })
    }
}

fn hints(hints: &[Hint]) -> Vec<HintPart<'_>> {
    hints
        .iter()
        .map(|Hint { code, leaning, words }| HintPart { code, leaning: leaning.as_str(), words })
        .collect()
}

impl<'a> SummaryLine<'a> {
    /// `weighed` is what was assessed of this client and indicator; of what is not listed any more there is nothing.
    pub(super) fn new(
        indicator: IndicatorPart<'a>,
        client: Address,
        row: &'a SummaryRow,
        weighed: Option<&'a [Hint]>,
    ) -> SummaryLine<'a> {
        SummaryLine {
            schema: SCHEMA,
            r#type: "summary",
            indicator,
            client: address(client),
            asks: row.asks,
            first_time: row.first.to_string(),
            first_time_epoch: epoch(row.first),
            last_time: row.last.to_string(),
            last_time_epoch: epoch(row.last),
            names: &row.names,
            roles: row.roles.iter().map(|role| role.as_str()).collect(),
            confidence: confidence(row.confidence_permille),
            triage: weighed.map(|weighed| Weight::of(weighed).code()),
            hints: hints(weighed.unwrap_or_default()),
            hostname: row.hostname.as_ref().map(|hostname| hostname.name.as_str()),
            other_hostnames: &row.other_hostnames,
            contacted: row.contact.as_str(),
            no_longer_listed: false,
        }
    }

    /// Of what is not listed any more.
    pub(super) fn unlisted(
        entry: &'a Unlisted,
        client: Address,
        row: &'a SummaryRow,
    ) -> SummaryLine<'a> {
        let Unlisted { value, kind, list, line } = entry;
        let (kind, line) = (kind.as_str(), *line);
        let (description, confidence) = (None, None);
        let indicator = IndicatorPart { value, kind, list, line, description, confidence };
        SummaryLine { no_longer_listed: true, ..SummaryLine::new(indicator, client, row, None) }
    }
}

impl<'a> CoverageLine<'a> {
    pub(super) fn new(ending: &Ending<'a>, files: &'a Files) -> CoverageLine<'a> {
        let Ending { coverage, lacked, verdicts, .. } = *ending;
        let counters = coverage.transactions;
        let outside = ending.internal.outside(ending.summary);
        let resolvers = coverage.resolvers.iter().map(|resolver| ResolverPart {
            addresses: resolver.addresses.iter().map(|a| address(*a)).collect(),
            known: known_as_str(resolver.known),
            shared_mac: resolver.shared_mac.map(|mac| mac.to_string()),
            asked: resolver.asked,
            answers: resolver.answers,
            asks_upstream: resolver.asks,
        });
        let servers = coverage.servers.iter().map(|server| ServerPart {
            address: address(server.address),
            asked: server.asked,
            answers: server.answers,
        });
        let translations = coverage.translations.iter().map(|seen| TranslationPart {
            address: address(seen.address),
            of: seen
                .of
                .iter()
                .filter(|a| ending.internal.names(**a))
                .map(|a| address(*a))
                .collect(),
        });
        let latencies = coverage.latencies.iter().map(|row| LatencyPart {
            resolver: address(row.resolver),
            leg: row.leg.as_str(),
            count: row.count,
            p50_us: row.p50_us,
            p90_us: row.p90_us,
            p99_us: row.p99_us,
            max_us: row.max_us,
        });
        CoverageLine {
            schema: SCHEMA,
            r#type: "coverage",
            first_time: coverage.span.map(|(first, _)| first.to_string()),
            last_time: coverage.span.map(|(_, last)| last.to_string()),
            files: &files.0,
            frames: lacked.decoded.frames,
            messages: lacked.decoded.messages,
            queries: counters.queries,
            answered: counters.answered,
            unanswered: counters.queries.saturating_sub(counters.answered),
            responses_without_query: counters.unasked,
            retransmissions: counters.retransmissions,
            mirror_copies: counters.copies,
            resolvers: resolvers.collect(),
            resolvers_more: coverage.resolvers_more,
            servers: servers.collect(),
            translations: translations.collect(),
            queries_sent_on: coverage.sent_on,
            resolvers_unseen: lacked.resolvers_unseen.iter().map(|a| address(*a)).collect(),
            latencies: latencies.collect(),
            lost: LostPart {
                malformed_messages: lacked.decoded.malformed,
                not_dns: lacked.decoded.not_dns,
                broken_frames: lacked.decoded.broken,
                unknown_link_frames: lacked.decoded.unknown_link,
                icmp_errors: lacked.decoded.icmp_errors,
                failed_frames: lacked.decoded.failed,
                other_messages: counters.other,
                misdirected_messages: counters.misdirected,
                mismatched_responses: counters.mismatched,
                messages_without_room: counters.no_room,
                transactions_forgotten: coverage.forgotten,
                edges_forgotten: coverage.edges_forgotten,
                judged_early: coverage.judged_early,
                names_forgotten: coverage.names_forgotten,
                contacts_forgotten: coverage.contacts_forgotten,
                fragments_given_up: lacked.fragments_given_up(),
                stream_gaps: lacked.stream_gaps(),
                told_late: coverage.told_late,
                settled_unlisted: coverage.settled_unlisted,
                sightings_left_out: coverage.sightings_left_out,
                summary_left_out: coverage.summary_left_out,
                unsettled: coverage.unsettled,
                clock_set_back: coverage.clock_set_back,
                dropped_by_kernel: lacked.dropped.packets.by_kernel,
                dropped_by_interface: lacked.dropped.packets.by_interface,
                dropped_behind: lacked.dropped.packets.behind,
                output_lines: lacked.dropped.output_lines,
            },
            verdicts: verdicts.into(),
            outside_internal: OutsidePart { clients: outside.clients, asks: outside.asks },
            allowed: coverage.allowed,
            damage: &lacked.damage,
            files_left_out: &lacked.left_out,
            complaints: lacked
                .complaints
                .iter()
                .map(|Complaint { name, words }| ComplaintPart { name, words })
                .collect(),
            interrupted: lacked.interrupted,
            alerts_unread: lacked.rows_unread().map(ToString::to_string).collect(),
            alerts_rows_unread: lacked.rows_unread_count(),
            filter: lacked.filter.as_deref(),
        }
    }
}
