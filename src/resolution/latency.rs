//! How long answers take, per resolver and leg.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;

use super::Leg;
use super::role::Roles;
use crate::transaction::{HostId, RecordView};

/// How many resolver addresses get histograms of their own; the rest go uncounted.
const RESOLVERS_MAX: usize = 1024;
/// The longest latency told apart: a minute, in microseconds.
const MICROS_MAX: u64 = 60_000_000;

/// One resolver's answers on one leg. Latencies are in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct LatencyRow {
    /// The resolver.
    pub resolver: HostId,
    /// Its clients' waiting, or its own.
    pub leg: Leg,
    /// How many answers.
    pub count: u64,
    /// Half of them took at most this long.
    pub p50_us: u64,
    /// Nine in ten took at most this long.
    pub p90_us: u64,
    /// All but one in a hundred took at most this long.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
}

/// The upper bounds of [`Buckets`], in microseconds: from what a cache takes to when everybody has given up.
pub const BOUNDS_US: [u64; 16] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000,
];

/// How many answers took how long, on a leg of all resolvers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    /// For each of [`BOUNDS_US`], how many took at most that and more than the one before; last, longer.
    pub counts: [u64; BOUNDS_US.len() + 1],
    /// How long all of them took together, within 1 %.
    pub sum_us: u64,
}

impl Buckets {
    fn add(&mut self, histogram: &Histogram<u32>) {
        for step in histogram.iter_recorded() {
            // What cannot be told apart counts as the least of it.
            let took = histogram.lowest_equivalent(step.value_iterated_to());
            let count = u64::from(step.count_at_value());
            let place = BOUNDS_US.partition_point(|bound| *bound < took);
            if let Some(bucket) = self.counts.get_mut(place) {
                *bucket += count;
            }
            self.sum_us = self.sum_us.saturating_add(took.saturating_mul(count));
        }
    }
}

/// Histograms of latencies, per resolver and leg.
#[derive(Debug, Default)]
pub struct Latencies {
    histograms: Vec<((HostId, bool), Histogram<u32>)>,
    /// Which of them are a host's: to its clients, and from upstream; plus one, 0 is none.
    places: Vec<[u16; 2]>,
}

impl Latencies {
    /// Counts an answered transaction.
    pub(super) fn record(&mut self, transaction: RecordView<'_>, roles: &Roles) {
        let (Some(answered), true) = (transaction.answered(), transaction.has_query()) else {
            return;
        };
        let micros =
            ((answered - transaction.asked()).0 / 1_000).max(1).unsigned_abs().min(MICROS_MAX);
        let (client, server) = transaction.ends();
        for (resolver, upstream) in [(server, false), (client, true)] {
            if roles.group_of(resolver).is_some()
                && let Some(histogram) = self.histogram(resolver, upstream)
            {
                histogram.saturating_record(micros);
            }
        }
    }

    /// The histogram of a resolver's leg, a new one if need be and if there is room.
    #[inline]
    fn histogram(&mut self, resolver: HostId, upstream: bool) -> Option<&mut Histogram<u32>> {
        let host = resolver.0 as usize;
        let known = self.places.get(host).map(|[client, own]| if upstream { own } else { client });
        let place = match known.and_then(|place| usize::from(*place).checked_sub(1)) {
            Some(place) => place,
            None => self.add(resolver, upstream)?,
        };
        self.histograms.get_mut(place).map(|(_, histogram)| histogram)
    }

    #[inline(never)]
    fn add(&mut self, resolver: HostId, upstream: bool) -> Option<usize> {
        let (host, place) = (resolver.0 as usize, self.histograms.len());
        if place >= 2 * RESOLVERS_MAX {
            return None;
        }
        let histogram = Histogram::new_with_bounds(1, MICROS_MAX, 2).ok()?;
        if self.places.len() <= host {
            self.places.resize(host + 1, [0; 2]);
        }
        let [client, own] = self.places.get_mut(host)?;
        *if upstream { own } else { client } = u16::try_from(place + 1).ok()?;
        self.histograms.push(((resolver, upstream), histogram));
        Some(place)
    }

    /// How long half of the answers that a resolver's address got from upstream took at most, in microseconds.
    pub fn upstream_median_us(&self, resolver: HostId) -> Option<u64> {
        let [_, own] = self.places.get(resolver.0 as usize)?;
        let (_, histogram) = self.histograms.get(usize::from(*own).checked_sub(1)?)?;
        Some(histogram.value_at_quantile(0.50))
    }

    /// How long answers took to clients, and from upstream.
    pub fn by_leg(&self) -> (Buckets, Buckets) {
        let (mut client, mut upstream) = (Buckets::default(), Buckets::default());
        for ((_, is_upstream), histogram) in &self.histograms {
            if *is_upstream { &mut upstream } else { &mut client }.add(histogram);
        }
        (client, upstream)
    }

    /// A row for each resolver and leg that answered anything, its addresses taken together under the
    /// first of them.
    pub fn rows(&self, roles: &Roles) -> Vec<LatencyRow> {
        let mut merged: BTreeMap<(HostId, bool), Histogram<u32>> = BTreeMap::new();
        for &((host, upstream), ref histogram) in &self.histograms {
            let Some(&resolver) = roles.group_of(host).and_then(|group| group.hosts.first()) else {
                continue;
            };
            match merged.get_mut(&(resolver, upstream)) {
                // All have the same bounds, so adding cannot fail.
                Some(sum) => sum.add(histogram).unwrap_or_default(),
                None => drop(merged.insert((resolver, upstream), histogram.clone())),
            }
        }
        let row =
            |(&(resolver, upstream), histogram): (&(HostId, bool), &Histogram<u32>)| LatencyRow {
                resolver,
                leg: if upstream { Leg::Upstream } else { Leg::Client },
                count: histogram.len(),
                p50_us: histogram.value_at_quantile(0.50),
                p90_us: histogram.value_at_quantile(0.90),
                p99_us: histogram.value_at_quantile(0.99),
                max_us: histogram.max(),
            };
        merged.iter().map(row).collect()
    }
}
