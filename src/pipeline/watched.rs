//! The indicators as the message reader sees them.

use std::sync::Arc;

use crate::flow::Address;
use crate::indicator::Indicators;
use crate::message::Watchlist;
use crate::name::{Ancestors, NameHash};

/// How many names are remembered as unlisted: in 64 KiB, which stay in the cache.
const REMEMBERED: usize = 1 << 13;

/// Looks names and addresses up, and remembers the names that fall under no entry: most names that
/// occur occur again, and each of their ancestors would be a look-up.
///
/// Each thread has its own.
#[derive(Clone, Debug)]
pub struct Watched {
    indicators: Option<Arc<Indicators>>,
    /// Hashes of unlisted names, each where its lowest bits say. The latest stays.
    unlisted: Vec<NameHash>,
}

impl Watched {
    /// Looks out for what is listed; for nothing without a list.
    pub fn new(indicators: Option<Arc<Indicators>>) -> Watched {
        Watched { indicators, unlisted: vec![NameHash::default(); REMEMBERED] }
    }
}

impl Watchlist for Watched {
    #[inline]
    fn name(&mut self, name: &Ancestors<'_>) -> bool {
        let Some(indicators) = self.indicators.as_deref() else { return false };
        let place = name.hash.0 as usize & (REMEMBERED - 1);
        if self.unlisted.get(place) == Some(&name.hash) {
            return false;
        }
        let flagged = indicators.may_flag(name);
        if !flagged && let Some(slot) = self.unlisted.get_mut(place) {
            *slot = name.hash;
        }
        flagged
    }

    #[inline]
    fn address(&mut self, address: Address) -> bool {
        self.indicators.as_deref().is_some_and(|indicators| {
            !indicators.are_names_only() && indicators.is_address_flagged(address)
        })
    }
}
