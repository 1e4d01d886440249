//! Is it a false alarm? What speaks for it and what against, each with its reason.

use crate::attribution::Verdicts;
use crate::flow::Address;
use crate::indicator::IndicatorId;

/// Which way a hint points. It never hides a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leaning {
    /// It speaks for a false alarm.
    Harmless,
    /// It speaks for a compromised client.
    Serious,
}

impl Leaning {
    /// As the output names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Leaning::Harmless => "harmless",
            Leaning::Serious => "serious",
        }
    }
}

/// Something that a person should weigh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What it is, as a word of the output: `alias-tail-of-popular-name`, `beaconing`.
    pub code: &'static str,
    /// Which way it points.
    pub leaning: Leaning,
    /// The reason in words, with names, counts and times.
    pub words: String,
}

/// What is to be said of an indicator after all the capture was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The indicator.
    pub indicator: IndicatorId,
    /// How many attributions there were of it.
    pub verdicts: Verdicts,
    /// How many clients are behind them.
    pub clients: u64,
    /// What to weigh of it all, the weightiest first. What is about a single client is here too, said of
    /// the client it is truest of.
    pub hints: Vec<Hint>,
    /// What to weigh of each client that there is something to say of, by address.
    pub of_clients: Vec<ClientHints>,
}

impl Assessment {
    /// What to weigh of one client.
    pub fn of(&self, client: Address) -> &[Hint] {
        let place = self.of_clients.binary_search_by_key(&client, |hints| hints.client);
        place.ok().and_then(|place| self.of_clients.get(place)).map_or(&[], |hints| &hints.hints)
    }
}

/// What to weigh of one client's dealings with an indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHints {
    /// The client.
    pub client: Address,
    /// What to weigh, the weightiest first.
    pub hints: Vec<Hint>,
}
