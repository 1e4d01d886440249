//! What was seen of each indicator and client, over the whole capture.

use std::collections::{BTreeMap, VecDeque};

use super::{Attribution, Verdict};
use crate::flow::Address;
use crate::frame::FrameId;
use crate::indicator::IndicatorId;
use crate::resolution::Role;
use crate::time::Timestamp;

/// How many pairs of indicator and client are kept; beyond it only counted.
const ROWS_MAX: usize = 1 << 20;
/// How many of a client's latest questions are told apart.
const LAST_ASKS_MAX: usize = 16;
/// How many of the names that a client asked are kept with a row.
const NAMES_MAX: usize = 20;

/// One client's dealings with one indicator.
#[derive(Clone, Debug)]
pub struct SummaryRow {
    /// How many of its questions led there. One question that the resolver tried upstream many times
    /// is one.
    pub asks: u64,
    /// Its first question.
    pub first: Timestamp,
    /// Its last.
    pub last: Timestamp,
    /// What it asked, by first appearance; at most 20 names.
    pub names: Vec<String>,
    /// The parts it had.
    pub roles: Vec<Role>,
    /// The highest confidence, in thousandths.
    pub confidence_permille: u16,
    /// The last questions counted, so that what they set off more than once counts once.
    last_asks: VecDeque<FrameId>,
}

/// Rows for each indicator and client, and counts of verdicts.
#[derive(Debug, Default)]
pub struct Summary {
    rows: BTreeMap<(IndicatorId, Address), SummaryRow>,
    verdicts: BTreeMap<Verdict, u64>,
    left_out: u64,
}

impl Summary {
    /// Counts an attribution.
    pub(super) fn add(&mut self, attribution: &Attribution) {
        *self.verdicts.entry(attribution.verdict).or_default() += 1;
        for client in &attribution.clients {
            let key = (attribution.indicator, client.address);
            if !self.rows.contains_key(&key) && self.rows.len() >= ROWS_MAX {
                self.left_out += 1;
                continue;
            }
            let row = self.rows.entry(key).or_insert_with(|| SummaryRow {
                asks: 0,
                first: client.asked_time,
                last: client.asked_time,
                names: Vec::new(),
                roles: Vec::new(),
                confidence_permille: 0,
                last_asks: VecDeque::new(),
            });
            let frame =
                if client.asked_frame.is_some() { client.asked_frame } else { client.answer_frame };
            if !row.last_asks.contains(&frame) {
                row.asks += 1;
                row.last_asks.push_back(frame);
                if row.last_asks.len() > LAST_ASKS_MAX {
                    row.last_asks.pop_front();
                }
            }
            row.first = row.first.min(client.asked_time);
            row.last = row.last.max(client.asked_time);
            row.confidence_permille = row.confidence_permille.max(client.confidence_permille);
            let known = row.names.iter().any(|name| name.eq_ignore_ascii_case(&client.asked));
            if !known && row.names.len() < NAMES_MAX {
                row.names.push(client.asked.clone());
            }
            if !row.roles.contains(&client.role) {
                row.roles.push(client.role);
                row.roles.sort_unstable();
            }
        }
    }

    /// The rows, by indicator in list order, then by client.
    pub fn rows(&self) -> impl Iterator<Item = (IndicatorId, Address, &SummaryRow)> {
        self.rows.iter().map(|((indicator, client), row)| (*indicator, *client, row))
    }

    /// How many attributions had a verdict.
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// How many clients' dealings went uncounted for lack of room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}
