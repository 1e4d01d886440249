//! How long answers take, per resolver and leg.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;

use super::Leg;
use super::role::Roles;
use crate::transaction::{HostId, Transaction};

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

/// Histograms of latencies, per resolver and leg.
#[derive(Debug, Default)]
pub struct Latencies {
    histograms: BTreeMap<(HostId, bool), Histogram<u32>>,
}

impl Latencies {
    /// Counts an answered transaction.
    pub(super) fn record(&mut self, transaction: &Transaction, roles: &Roles) {
        let (Some(answered), true) = (transaction.answered(), transaction.has_query()) else {
            return;
        };
        let micros =
            ((answered - transaction.asked).0 / 1_000).max(1).unsigned_abs().min(MICROS_MAX);
        for (resolver, upstream) in [(transaction.server, false), (transaction.client, true)] {
            if roles.group_of(resolver).is_none() {
                continue;
            }
            if let Some(histogram) = self.histograms.get_mut(&(resolver, upstream)) {
                histogram.saturating_record(micros);
            } else if self.histograms.len() < 2 * RESOLVERS_MAX
                && let Ok(mut histogram) = Histogram::new_with_bounds(1, MICROS_MAX, 2)
            {
                histogram.saturating_record(micros);
                self.histograms.insert((resolver, upstream), histogram);
            }
        }
    }

    /// A row for each resolver and leg that answered anything, its addresses taken together under the
    /// first of them.
    pub fn rows(&self, roles: &Roles) -> Vec<LatencyRow> {
        let mut merged: BTreeMap<(HostId, bool), Histogram<u32>> = BTreeMap::new();
        for (&(host, upstream), histogram) in &self.histograms {
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
