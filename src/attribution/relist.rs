//! Lists that are read anew while sightings wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::attributor::Parts;
use super::sighting::Sightings;
use super::{Attribution, Attributor};
use crate::bounded::Sequence;
use crate::indicator::{IndicatorId, Indicators};
use crate::resolution::Leg;

/// What waited when its entry was taken from the lists.
#[derive(Debug)]
pub(super) struct Leaving {
    indicators: Arc<Indicators>,
    flagged: Sightings,
    parts: Parts,
    /// The upstream queries among it: they tell who has a part in what.
    upstream: VecDeque<Sequence>,
}

impl Leaving {
    /// How many sightings.
    pub fn count(&self) -> usize {
        self.flagged.count()
    }
}

impl Attributor {
    /// Judges by other lists from now on. What waits is given the new lists' ids by what is listed; what they
    /// do not hold any more is left to [`settle_leaving`](Self::settle_leaving).
    pub fn relist(&mut self, indicators: Arc<Indicators>) {
        let old = std::mem::replace(&mut self.indicators, Arc::clone(&indicators));
        let mut known: BTreeMap<IndicatorId, Option<IndicatorId>> = BTreeMap::new();
        let mut anew = |id: IndicatorId| {
            *known.entry(id).or_insert_with(|| {
                let entry = old.get(id)?;
                indicators.find(&entry, old.list_name(entry.list))
            })
        };
        let flagged = self.flagged.relist(&mut anew);
        let mut parts = Parts::new();
        for (ask, of_ask) in &mut self.parts {
            let mut gone = Vec::new();
            for (id, role) in std::mem::take(of_ask) {
                match anew(id) {
                    Some(new) if of_ask.iter().all(|(known, _)| *known != new) => {
                        of_ask.push((new, role));
                    }
                    Some(_) => {}
                    None => gone.push((id, role)),
                }
            }
            if !gone.is_empty() {
                parts.insert(*ask, gone);
            }
        }
        self.early.relist(&mut anew);
        self.summary.relist(&old, &indicators, anew);
        let transactions = self.resolution.transactions();
        let is_upstream = |sequence: &Sequence| {
            let transaction = transactions.get(*sequence);
            transaction.is_some_and(|one| self.resolution.leg(&one) == Leg::Upstream)
        };
        let upstream = flagged.sequences().filter(is_upstream).collect();
        if flagged.count() > 0 {
            self.leaving.push_back(Leaving { indicators: old, flagged, parts, upstream });
        }
    }

    /// The lists by which [`settle_leaving`](Self::settle_leaving) would speak; none if nothing waits that is not
    /// listed any more.
    pub fn leaving(&self) -> Option<Arc<Indicators>> {
        self.leaving.front().map(|leaving| Arc::clone(&leaving.indicators))
    }

    /// Judges so many transactions of what is not listed any more, with the ids of the lists that held it: upstream
    /// queries first, since a client's question can be told by one.
    pub fn settle_leaving(&mut self, most: usize, out: &mut dyn FnMut(Attribution)) {
        let Some(mut leaving) = self.leaving.pop_front() else { return };
        self.trade_places(&mut leaving);
        self.leaving_from = Some(Arc::clone(&leaving.indicators));
        for _ in 0..most {
            let upstream = leaving.upstream.pop_front();
            let Some(sequence) = upstream.or_else(|| self.flagged.first()) else { break };
            self.settle_client(sequence, out);
        }
        self.leaving_from = None;
        self.trade_places(&mut leaving);
        if leaving.count() > 0 {
            self.leaving.push_front(leaving);
        }
    }

    fn trade_places(&mut self, leaving: &mut Leaving) {
        std::mem::swap(&mut self.flagged, &mut leaving.flagged);
        std::mem::swap(&mut self.parts, &mut leaving.parts);
    }
}
