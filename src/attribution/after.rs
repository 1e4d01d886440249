//! Flagged queries of which the same was asked only after them: what shows that clocks differ.

use super::Attribution;
use crate::resolution::Unexplained;
use crate::time::Span;

/// Of so many it is kept how much later.
const SPANS_MAX: usize = 256;

/// How many there were, and how much later the same was asked of the first of them.
#[derive(Debug, Default)]
pub(super) struct AskedAfter {
    count: u64,
    spans: Vec<Span>,
}

impl AskedAfter {
    pub fn note(&mut self, attribution: &Attribution) {
        let Some(Unexplained::AskedAfter(span)) = attribution.unexplained else { return };
        self.count += 1;
        if self.spans.len() < SPANS_MAX {
            self.spans.push(span);
        }
    }

    /// How many there were, and the median.
    pub fn median(&self) -> Option<(u64, Span)> {
        let mut spans = self.spans.clone();
        spans.sort_unstable();
        spans.get(spans.len() / 2).map(|median| (self.count, *median))
    }
}
