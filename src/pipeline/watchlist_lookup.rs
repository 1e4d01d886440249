//! The indicators as the message reader sees them.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::flow::Address;
use crate::indicator::{Indicators, Wanted};
use crate::message::Watchlist;
use crate::name::Ancestors;

/// So many names and ancestors of names are looked up together: those of some twenty messages.
const TOGETHER: usize = 64;

/// Looks names and addresses up.
///
/// What a name is looked up in is seldom in the cache, and to wait for it cost more than to read the message, with a
/// million indicators. Nobody asks at once: so the memory is asked for, and further messages are read meanwhile.
#[derive(Clone, Debug)]
pub struct WatchlistLookup {
    indicators: Option<Arc<Indicators>>,
    wants_addresses: bool,
    /// What is to be looked up, and the place of the message that it stands in.
    wanted: Vec<(Wanted, u32)>,
    /// The places of those messages of which a name is listed, in their order.
    flagged: VecDeque<u32>,
}

impl WatchlistLookup {
    /// Looks out for what is listed. Without a list, for nothing, and wants all that messages say.
    pub fn new(indicators: Option<Arc<Indicators>>) -> WatchlistLookup {
        let wants_addresses = indicators.is_none();
        WatchlistLookup {
            indicators,
            wants_addresses,
            wanted: Vec::new(),
            flagged: VecDeque::new(),
        }
    }

    /// Looks out for other indicators.
    pub fn relist(&mut self, indicators: Arc<Indicators>) {
        self.indicators = Some(indicators);
    }

    /// Wants the addresses of all answers.
    pub fn want_addresses(&mut self) {
        self.wants_addresses = true;
    }

    /// The places of the messages read since it was asked last of which a name is listed, in their order, some of
    /// them more than once. What is not fetched stays.
    #[inline]
    pub fn flagged(&mut self) -> impl Iterator<Item = usize> {
        self.look_up();
        std::iter::from_fn(|| self.flagged.pop_front()).map(|place| place as usize)
    }

    /// Looks up what is wanted.
    #[inline(never)]
    fn look_up(&mut self) {
        let Some(indicators) = &self.indicators else { return };
        for (wanted, message) in self.wanted.drain(..) {
            if indicators.may_flag(wanted) {
                self.flagged.push_back(message);
            }
        }
    }
}

impl Watchlist for WatchlistLookup {
    #[inline]
    fn name(&mut self, name: &Ancestors<'_>, message: usize) {
        let Some(indicators) = &self.indicators else { return };
        indicators.ask(name, |wanted| self.wanted.push((wanted, message as u32)));
        if self.wanted.len() >= TOGETHER {
            self.look_up();
        }
    }

    #[inline]
    fn address(&mut self, address: Address) -> bool {
        self.indicators.as_deref().is_some_and(|indicators| {
            !indicators.are_names_only() && indicators.is_address_flagged(address)
        })
    }

    #[inline]
    fn wants_addresses(&self) -> bool {
        self.wants_addresses
    }
}
