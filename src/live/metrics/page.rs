//! The metrics themselves: names, what they count, and their text. `docs/live.md` lists them for people.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::attribution::{COMPLAINTS, Coverage, Verdicts};
use crate::live::Status;
use crate::live::status::OutputState;
use crate::resolution::{BOUNDS_US, Buckets};
use crate::time::Timestamp;

/// The media type of [`open_metrics`].
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// How many resolvers are told apart.
const RESOLVERS_MAX: usize = 16;
/// Upper bounds of the time from a sighting to its report, in microseconds: it is meant to be below a second.
const TO_REPORT_US: [u64; 9] =
    [100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 60_000_000];

/// The text of all metrics, in OpenMetrics 1.0.
pub(super) fn open_metrics(status: &Status) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Page(status.clone())));
    let mut text = String::new();
    // A `String` takes everything.
    let _ = text::encode(&mut text, &registry);
    text
}

/// The same in the text format of Prometheus, version 0.0.4: a counter's type is said of its samples' full name, and
/// there is no unit and no mark for the end.
pub(super) fn as_prometheus(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        let word = |at: usize| line.split(' ').nth(at).unwrap_or_default();
        match line.get(..6) {
            Some("# HELP") => help = line.get(7..),
            Some("# TYPE") => {
                let (name, kind) = (word(2), word(3));
                let total = if kind == "counter" { "_total" } else { "" };
                let words = help.take().and_then(|help| help.split_once(' '));
                let (_, words) = words.unwrap_or_default();
                text.push_str(&format!(
                    "# HELP {name}{total} {words}\n# TYPE {name}{total} {kind}\n"
                ));
            }
            Some("# UNIT" | "# EOF") => {}
            _ if line.starts_with('#') => {}
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

/// Labels with their values.
type Labels = Vec<(&'static str, String)>;

fn of(label: &'static str, value: impl ToString) -> Labels {
    vec![(label, value.to_string())]
}

#[derive(Debug)]
struct Page(Status);

impl Collector for Page {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        let status = &self.0;
        out.gauge(
            "build_info",
            "The version that runs",
            None,
            [(of("version", env!("CARGO_PKG_VERSION")), 1.0)],
        )?;
        let began = seconds(status.began);
        out.seconds("start_time", "When it began to listen", began)?;
        let at = seconds(status.at);
        out.seconds("status_time", "When these figures were taken", at)?;
        out.seconds(
            "standstill",
            "How long packets have waited without any being analysed",
            status.still.0 as f64 / 1e9,
        )?;
        captured(&mut out, status)?;
        decoded(&mut out, status)?;
        if let Some(coverage) = &status.coverage {
            seen(&mut out, coverage)?;
            forgotten(&mut out, coverage)?;
        }
        answered(&mut out, status)?;
        mirror(&mut out, status)
    }
}

fn seconds(time: Timestamp) -> f64 {
    time.0 as f64 / 1e9
}

/// Interfaces, and what was lost on the way in.
fn captured(out: &mut Out<'_>, status: &Status) -> fmt::Result {
    let each = |count: fn(&crate::live::Interface) -> u64| {
        let of_one = move |one: &crate::live::Interface| (of("interface", &one.name), count(one));
        status.interfaces.iter().map(of_one).collect::<Vec<_>>()
    };
    let up = each(|one| u64::from(one.is_up)).into_iter().map(|(labels, up)| (labels, up as f64));
    out.gauge("interface_up", "Whether the interface is there and up", None, up)?;
    out.counter(
        "frames_received",
        "Frames that passed the kernel's filter",
        None,
        each(|one| one.received),
    )?;
    out.counter("captured", "Bytes captured of them", Some(Unit::Bytes), each(|one| one.octets))?;
    out.counter(
        "frames_dropped_by_kernel",
        "Frames that the kernel dropped because the ring was full",
        None,
        each(|one| one.dropped_by_kernel),
    )?;
    out.counter(
        "frames_dropped_by_interface",
        "Frames that the interface dropped before the kernel saw them",
        None,
        each(|one| one.dropped_by_interface),
    )?;
    let losses = &status.losses;
    out.total("frames_left_out", "Frames skipped because the analysis was behind", losses.frames)?;
    out.total(
        "batches_left_out",
        "Batches of frames skipped because the analysis was behind",
        losses.batches,
    )?;
    out.total("defects", "Frames or batches on which whoasked failed", status.defects())
}

/// What the frames were.
fn decoded(out: &mut Out<'_>, status: &Status) -> fmt::Result {
    let (decoded, reassembled) = (&status.decoded, &status.reassembled);
    out.counter(
        "frames",
        "Frames by content; held ones wait for reassembly",
        None,
        [
            ("held", decoded.held),
            ("not_dns", decoded.not_dns),
            ("other", decoded.other),
            ("icmp_error", decoded.icmp_errors),
            ("broken", decoded.broken),
            ("unknown_link", decoded.unknown_link),
        ]
        .map(|(kind, count)| (of("kind", kind), count)),
    )?;
    out.total("dns_messages", "DNS messages", decoded.messages)?;
    out.total(
        "dns_messages_malformed",
        "DNS messages that could not be read to their end",
        decoded.malformed,
    )?;
    out.total(
        "fragmented_packets_given_up",
        "Fragmented packets with missing fragments",
        reassembled.packets_given_up(),
    )?;
    out.total(
        "stream_gaps",
        "Gaps in TCP streams, and streams forgotten for lack of memory",
        reassembled.stream_gaps(),
    )
}

/// Questions, answers, and how long they took.
fn seen(out: &mut Out<'_>, coverage: &Coverage) -> fmt::Result {
    let counters = &coverage.transactions;
    out.total("questions", "Questions, without those sent again", counters.queries)?;
    out.total("questions_answered", "Questions with their answer", counters.answered)?;
    out.total("questions_repeated", "Questions sent again", counters.retransmissions)?;
    // This one goes down when the question comes later.
    out.value(
        "answers_without_question",
        "Answers whose question was not captured",
        counters.unasked as f64,
    )?;
    out.total("mirror_copies", "Duplicate frames", counters.copies)?;
    let resolvers = || coverage.resolvers.iter().take(RESOLVERS_MAX);
    let each = |count: fn(&crate::attribution::ResolverCoverage) -> u64| {
        let address = |one: &crate::attribution::ResolverCoverage| {
            one.addresses.first().map_or(String::new(), ToString::to_string)
        };
        resolvers().map(|one| (of("resolver", address(one)), count(one))).collect::<Vec<_>>()
    };
    let known = coverage.resolver_count() as f64;
    out.value("resolvers", "DNS servers recognised", known)?;
    out.counter("resolver_asked", "Questions to the DNS server", None, each(|one| one.asked))?;
    out.counter("resolver_answers", "Answers of the DNS server", None, each(|one| one.answers))?;
    out.counter("resolver_asks", "Upstream queries of the DNS server", None, each(|one| one.asks))?;
    let (client, upstream) = &coverage.took;
    let client = buckets_of(client);
    out.histogram("client_leg", "From a client's question to its answer", &client)?;
    let upstream = buckets_of(upstream);
    out.histogram("upstream_leg", "From a DNS server's upstream query to its answer", &upstream)
}

/// What a full table cost.
fn forgotten(out: &mut Out<'_>, coverage: &Coverage) -> fmt::Result {
    out.counter(
        "table_evictions",
        "Entries forgotten for lack of memory, by table",
        None,
        [
            ("transactions", coverage.forgotten),
            ("edges", coverage.edges_forgotten),
            ("names", coverage.names_forgotten),
            ("contacts", coverage.contacts_forgotten),
        ]
        .map(|(table, count)| (of("table", table), count)),
    )?;
    out.total(
        "dns_messages_without_room",
        "DNS messages dropped because the host table was full",
        coverage.transactions.no_room,
    )?;
    out.total(
        "judged_early",
        "Flagged lookups judged before they were settled, for lack of memory",
        coverage.judged_early,
    )?;
    out.total(
        "clock_set_back",
        "How often the clock that stamps packets was set back",
        coverage.clock_set_back,
    )?;
    out.total(
        "sightings_left_out",
        "Flagged lookups left out, of questions with very many",
        coverage.sightings_left_out,
    )?;
    out.total(
        "settled_unlisted",
        "Flagged lookups settled early because their entry was removed from the lists",
        coverage.settled_unlisted,
    )?;
    out.total(
        "told_late",
        "Flagged lookups reported only once settled, for lack of memory",
        coverage.told_late,
    )
}

/// What was found, and where it was written.
fn answered(out: &mut Out<'_>, status: &Status) -> fmt::Result {
    let of_state = |state: &'static str, verdicts: &Verdicts| {
        [
            ("attributed", verdicts.attributed),
            ("no-client", verdicts.no_client),
            ("undetermined", verdicts.undetermined),
        ]
        .map(|(verdict, count)| {
            (vec![("state", state.to_owned()), ("verdict", verdict.to_owned())], count)
        })
    };
    let sightings = of_state("provisional", &status.provisional);
    let sightings = sightings.into_iter().chain(of_state("final", &status.settled));
    out.counter("sightings", "Flagged lookups reported", None, sightings)?;
    if let Some(histogram) = &status.to_report {
        let buckets = buckets_in(histogram, &TO_REPORT_US);
        out.histogram("sighting_report", "From a flagged message to its first report", &buckets)?;
    }
    let all = || status.outputs.iter();
    lines(out, ["output_lines", "lines", "output"], all)?;
    lines(out, ["ring_frames", "packets", "ring"], || status.ring.iter())?;
    let oldest = status.ring.iter().zip(status.ring_oldest);
    out.gauge(
        "ring_oldest_packet_time",
        "When the oldest packet in the ring was captured",
        Some(Unit::Seconds),
        oldest.map(|(ring, oldest)| (of("ring", &ring.name), seconds(oldest))),
    )?;
    let lists = &status.lists;
    out.value("indicators", "Indicators in use", lists.indicators as f64)?;
    let read = seconds(lists.read);
    out.seconds("lists_read_time", "When the lists were read", read)?;
    let is_broken = f64::from(u8::from(lists.fault.is_some()));
    out.value(
        "lists_broken",
        "Whether the last reload of the lists failed, so that older ones are in use",
        is_broken,
    )
}

/// What outputs wrote, lost, and have still to write.
fn lines<'a, I: Iterator<Item = &'a OutputState>>(
    out: &mut Out<'_>,
    [name, what, label]: [&'static str; 3],
    outputs: impl Fn() -> I,
) -> fmt::Result {
    let each = |count: fn(&OutputState) -> u64| {
        // Somebody may name one twice, and a series must be there once.
        let mut samples: BTreeMap<Labels, u64> = BTreeMap::new();
        for one in outputs() {
            samples.entry(of(label, &one.name)).or_insert(count(one));
        }
        samples
    };
    let gauge = |samples: BTreeMap<Labels, u64>| {
        samples.into_iter().map(|(labels, value)| (labels, value as f64)).collect::<Vec<_>>()
    };
    out.counter(
        &format!("{name}_written"),
        &format!("Of {what}, those written"),
        None,
        each(|one| one.written),
    )?;
    out.counter(
        &format!("{name}_lost"),
        &format!("Of {what}, those lost because the place was slow or full"),
        None,
        each(|one| one.lost),
    )?;
    out.gauge(
        &format!("{name}_waiting"),
        &format!("Of {what}, those waiting"),
        None,
        gauge(each(|one| one.queued)),
    )?;
    out.gauge(
        &format!("{label}_up"),
        "Whether it accepts what is written; a ring on a full disk stays below its size",
        None,
        gauge(each(|one| u64::from(one.fault.is_none()))),
    )
}

/// How well the mirror port shows what is to be seen.
fn mirror(out: &mut Out<'_>, status: &Status) -> fmt::Result {
    let is_wrong = |name: &str| status.complaints.iter().any(|complaint| complaint.name == name);
    out.gauge(
        "mirror_complaint",
        "Whether this is wrong with what the mirror port shows",
        None,
        COMPLAINTS.map(|name| (of("complaint", name), f64::from(u8::from(is_wrong(name))))),
    )?;
    let around = status.coverage.as_ref().map_or(0, |coverage| coverage.around.len());
    out.value(
        "encrypted_dns_hosts",
        "Hosts seen asking encrypted DNS servers outside, at most 1024",
        around as f64,
    )
}

/// Upper bounds in seconds with how many are in each; the last is infinite. And their sum, in seconds.
type Histogrammed = (Vec<(f64, u64)>, f64);

fn buckets_of(buckets: &Buckets) -> Histogrammed {
    let bounds = BOUNDS_US.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
    (bounds.zip(buckets.counts).collect(), buckets.sum_us as f64 / 1e6)
}

fn buckets_in(histogram: &Histogram<u64>, bounds_us: &[u64]) -> Histogrammed {
    let mut buckets: Vec<(f64, u64)> = bounds_us
        .iter()
        .map(|bound| *bound as f64 / 1e6)
        .chain([f64::INFINITY])
        .map(|bound| (bound, 0))
        .collect();
    let mut sum_us = 0u64;
    for step in histogram.iter_recorded() {
        // What cannot be told apart counts as the least of it.
        let took = histogram.lowest_equivalent(step.value_iterated_to());
        let place = bounds_us.partition_point(|bound| *bound < took);
        if let Some((_, count)) = buckets.get_mut(place) {
            *count += step.count_at_value();
        }
        sum_us = sum_us.saturating_add(took.saturating_mul(step.count_at_value()));
    }
    (buckets, sum_us as f64 / 1e6)
}

/// Writes families of samples. One without samples is left out.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    /// A family of samples, each written by `write`.
    fn family<T>(
        &mut self,
        (name, help, unit): (&str, &str, Option<Unit>),
        kind: MetricType,
        samples: impl IntoIterator<Item = (Labels, T)>,
        write: impl Fn(MetricEncoder<'_>, T) -> fmt::Result,
    ) -> fmt::Result {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let (name, help) = (format!("whoasked_{name}"), format!("{help}."));
        let mut family = self.0.encode_descriptor(&name, &help, unit.as_ref(), kind)?;
        for (labels, value) in samples {
            write(family.encode_family(&labels)?, value)?;
        }
        Ok(())
    }

    fn counter(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        samples: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        self.family((name, help, unit), MetricType::Counter, samples, |mut sample, value| {
            sample.encode_counter::<NoLabelSet, _, f64>(&value, None)
        })
    }

    fn gauge(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        samples: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        self.family((name, help, unit), MetricType::Gauge, samples, |mut sample, value| {
            sample.encode_gauge(&value)
        })
    }

    /// A counter without labels.
    fn total(&mut self, name: &str, help: &str, count: u64) -> fmt::Result {
        self.counter(name, help, None, [(Vec::new(), count)])
    }

    /// A gauge without labels.
    fn value(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.gauge(name, help, None, [(Vec::new(), value)])
    }

    /// A time since the epoch or a span, in seconds.
    fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.gauge(name, help, Some(Unit::Seconds), [(Vec::new(), value)])
    }

    fn histogram(&mut self, name: &str, help: &str, (buckets, sum): &Histogrammed) -> fmt::Result {
        let count = buckets.iter().map(|(_, count)| count).sum();
        let (one, unit) = ([(Vec::new(), buckets)], Some(Unit::Seconds));
        self.family((name, help, unit), MetricType::Histogram, one, |mut sample, buckets| {
            sample.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        })
    }
}
