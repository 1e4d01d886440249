//! The indicators as the message reader sees them.

use std::sync::Arc;

use crate::flow::Address;
use crate::indicator::Indicators;
use crate::message::Watchlist;
use crate::name::Ancestors;

/// Looks names and addresses up.
#[derive(Clone, Debug)]
pub struct Watched {
    indicators: Option<Arc<Indicators>>,
    wants_addresses: bool,
}

impl Watched {
    /// Looks out for what is listed. Without a list, for nothing, and wants all that messages say.
    pub fn new(indicators: Option<Arc<Indicators>>) -> Watched {
        let wants_addresses = indicators.is_none();
        Watched { indicators, wants_addresses }
    }

    /// Looks out for other indicators.
    pub fn relist(&mut self, indicators: Arc<Indicators>) {
        self.indicators = Some(indicators);
    }

    /// Wants the addresses of all answers.
    pub fn want_addresses(&mut self) {
        self.wants_addresses = true;
    }
}

impl Watchlist for Watched {
    #[inline]
    fn name(&mut self, name: &Ancestors<'_>) -> bool {
        self.indicators.as_deref().is_some_and(|indicators| indicators.may_flag(name))
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
