//! Lists that are read anew while sightings wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attribution, Attributor};
use crate::bounded::Sequence;
use crate::indicator::{Indicator, IndicatorId, IndicatorKind, Indicators};
use crate::resolution::Leg;

impl Attributor {
    /// Judges by other lists from now on. What waits is given the new lists' ids by what is listed; what they
    /// do not hold any more is judged at once by the old ones.
    pub fn relist(&mut self, indicators: Arc<Indicators>, out: &mut dyn FnMut(Attribution)) {
        let anew = self.ids_in(&indicators);
        let find = |id: IndicatorId| anew.get(&id).copied().flatten();
        let gone: Vec<Sequence> = self
            .flagged
            .iter()
            .filter(|(_, flagged)| flagged.seen.iter().any(|seen| find(seen.indicator).is_none()))
            .map(|(sequence, _)| *sequence)
            .collect();
        for sequence in gone {
            let Some(&transaction) = self.resolution.transactions().get(sequence) else { continue };
            self.judged_early += 1;
            match self.resolution.leg(&transaction) {
                Leg::Upstream => self.judge_upstream(sequence, &transaction, out),
                Leg::Client => self.settle_client(sequence, out),
            }
        }
        for flagged in self.flagged.values_mut() {
            flagged.seen.retain_mut(|seen| match find(seen.indicator) {
                Some(id) => {
                    seen.indicator = id;
                    true
                }
                None => false,
            });
        }
        for parts in self.parts.values_mut() {
            parts.retain_mut(|(indicator, _)| match find(*indicator) {
                Some(id) => {
                    *indicator = id;
                    true
                }
                None => false,
            });
        }
        self.early.relist(find);
        self.summary.relist(find);
        self.indicators = indicators;
    }

    /// The ids that are in use, each with what the same entry has in other lists.
    fn ids_in(&self, other: &Indicators) -> BTreeMap<IndicatorId, Option<IndicatorId>> {
        let seen = self.flagged.values().flat_map(|flagged| &flagged.seen);
        let used = seen.map(|seen| seen.indicator);
        let used = used.chain(self.parts.values().flatten().map(|(id, _)| *id));
        let mut ids: BTreeMap<IndicatorId, Option<IndicatorId>> =
            used.chain(self.summary.indicators()).map(|id| (id, None)).collect();
        type Key = (String, IndicatorKind);
        let key = |entry: Indicator<'_>| -> Key { (entry.value.to_owned(), entry.kind) };
        let mut wanted: BTreeMap<Key, Option<IndicatorId>> = BTreeMap::new();
        for id in ids.keys() {
            wanted.extend(self.indicators.get(*id).map(|entry| (key(entry), None)));
        }
        for (id, entry) in other.iter() {
            if let Some(found) = wanted.get_mut(&key(entry)) {
                found.get_or_insert(id);
            }
        }
        for (id, anew) in &mut ids {
            let entry = self.indicators.get(*id);
            *anew = entry.and_then(|entry| wanted.get(&key(entry)).copied().flatten());
        }
        ids
    }
}
